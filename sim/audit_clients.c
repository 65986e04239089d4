/* SPDX-License-Identifier: Apache-2.0 */
/* What clients may rely on, and that nobody speaks in another's name. */
#include <inttypes.h>
#include <string.h>

#include "consensus/preimage.h"
#include "consensus/quorum.h"
#include "sim/audit_rules.h"
#include "sim/sim.h"

static bool is_equal(const struct pbft_digest *a, const struct pbft_digest *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

bool audit_is_bound(const struct sim *sim, pbft_replica_id id,
                    uint64_t incarnation)
{
    return !pbft_set_has(&sim->byzantine, id) ||
           (pbft_set_has(&sim->reborn, id) &&
            incarnation >= sim->auditor.replicas[id].reborn);
}

/* A verified vote of an honest replica that it never sent is a forgery. */
static void check_provenance(struct sim *sim, const struct host *host,
                             const struct pbft_message *message)
{
    enum audit_fact fact;
    if (message->sender >= sim->settings.n ||
        !audit_is_bound(sim, message->sender, message->incarnation)) {
        return;
    }
    if (message->type == PBFT_MESSAGE_PREPARE) {
        fact = FACT_PREPARE;
    } else if (message->type == PBFT_MESSAGE_COMMIT) {
        fact = FACT_COMMIT;
    } else if (message->type == PBFT_MESSAGE_ATTESTATION) {
        fact = FACT_ATTESTATION;
    } else {
        return;
    }
    const struct table_entry *sent =
        audit_find(sim, fact, message->sender, pbft_message_view(message),
                   pbft_message_seq(message));
    if (sent == NULL || !is_equal(&sent->digest, trace_digest_of(message))) {
        audit_fail(
            sim, "S21", host, "accepts a vote of R%u, %s, that it never sent",
            (unsigned)message->sender, pbft_message_type_name(message->type));
    }
}

const struct audit_rule audit_provenance = {
    .name = "S21",
    .says = "no vote counts that its signer did not send",
    .on_receive = check_provenance,
};

static const struct client *client_of(const struct sim *sim,
                                      const struct pbft_public_key *key)
{
    for (uint32_t i = 0; i < sim->client_count; i++) {
        if (memcmp(&sim->clients[i]->signer.key, key, sizeof *key) == 0) {
            return sim->clients[i];
        }
    }
    return NULL;
}

static const struct pbft_batch *batch_of(const struct pbft_message *committed)
{
    return &committed->committed.pre_prepare->pre_prepare.body->batch;
}

/* A request takes effect at one place in the one history. */
static void check_exactly_once(struct sim *sim, const struct host *host,
                               const struct pbft_message *committed,
                               const struct service_outcome *outcome)
{
    const struct pbft_batch *batch = batch_of(committed);
    for (uint32_t i = 0; i < outcome->result_count; i++) {
        const struct pbft_request *request = &batch->requests[i]->request;
        const struct client *client = client_of(sim, &request->client);
        if (!outcome->results[i].is_effective || client == NULL) {
            continue;
        }
        uint64_t place = outcome->executed.seq << 16 | i;
        bool is_new;
        struct table_entry *entry = audit_fact(sim, FACT_EFFECT, client->index,
                                               request->sequence, 0, &is_new);
        if (is_new) {
            entry->bits = place;
        } else if (entry->bits != place) {
            audit_fail(sim, "S25", host,
                       "%s request %" PRIu64 " takes effect at seq %" PRIu64
                       " and at seq %" PRIu64,
                       client->name, request->sequence, entry->bits >> 16,
                       outcome->executed.seq);
        }
    }
}

const struct audit_rule audit_exactly_once = {
    .name = "S25",
    .says = "each request takes effect at most once",
    .on_executed = check_exactly_once,
};

/* A repetition names the block in which the request took effect. */
static void check_same_answer(struct sim *sim, const struct host *host,
                              const struct pbft_message *committed,
                              const struct service_outcome *outcome)
{
    const struct pbft_batch *batch = batch_of(committed);
    for (uint32_t i = 0; i < outcome->result_count; i++) {
        const struct pbft_request *request = &batch->requests[i]->request;
        const struct client *client = client_of(sim, &request->client);
        const struct table_entry *effect =
            client == NULL ? NULL
                           : audit_find(sim, FACT_EFFECT, client->index,
                                        request->sequence, 0);
        if (effect != NULL &&
            outcome->results[i].first_seq != effect->bits >> 16) {
            audit_fail(sim, "S26", host,
                       "answers %s request %" PRIu64 " with block %" PRIu64,
                       client->name, request->sequence,
                       outcome->results[i].first_seq);
        }
    }
}

const struct audit_rule audit_same_answer = {
    .name = "S26",
    .says = "a repeated request gets its first result",
    .on_executed = check_same_answer,
};

void audit_note_request(struct sim *sim, const struct pbft_message *request)
{
    const struct pbft_digest *digest = &request->request.digest;
    audit_fact(sim, FACT_REQUEST, 0, audit_fold(digest), 0, NULL)->digest =
        *digest;
    audit_note_size(sim, request);
}

/* By its signature alone: nothing that the replica remembers counts. */
static bool is_signed(const struct sim *sim, const struct host *host,
                      const struct pbft_message *request)
{
    const struct pbft_verifier verifier = {.domain = &host->domain,
                                           .keyring = &sim->keyring};
    return pbft_verify(&verifier, request->sender, request) == PBFT_OK;
}

static void check_validity(struct sim *sim, const struct host *host,
                           const struct pbft_message *committed,
                           const struct service_outcome *outcome)
{
    const struct pbft_batch *batch = batch_of(committed);
    for (uint32_t i = 0; i < batch->request_count; i++) {
        const struct pbft_request *request = &batch->requests[i]->request;
        struct pbft_recover recover;
        if (pbft_recover_parse(&sim->keyring, request, &recover)) {
            if (!is_signed(sim, host, batch->requests[i])) {
                audit_fail(sim, "S27", host,
                           "executes a recovery of R%u that it never signed, "
                           "at seq %" PRIu64,
                           (unsigned)recover.replica, outcome->executed.seq);
            }
            continue;
        }
        const struct table_entry *made =
            audit_find(sim, FACT_REQUEST, 0, audit_fold(&request->digest), 0);
        if (made == NULL || !is_equal(&made->digest, &request->digest)) {
            audit_fail(
                sim, "S27", host,
                "executes a request that no client made, at seq %" PRIu64,
                outcome->executed.seq);
        }
    }
}

const struct audit_rule audit_validity = {
    .name = "S27",
    .says = "only requests that clients made are executed",
    .on_executed = check_validity,
};

static void check_one_answer(struct sim *sim, const struct client *client,
                             uint64_t sequence,
                             const struct pbft_attestation *block,
                             const struct sim_reply *reply)
{
    const struct client_request *own = &client->requests[sequence - 1];
    (void)block;
    if (own->is_answered &&
        (own->seq != reply->seq || own->index != reply->index)) {
        audit_fail(sim, "S28", NULL,
                   "%s holds two proven answers to request %" PRIu64,
                   client->name, sequence);
    }
}

const struct audit_rule audit_one_answer = {
    .name = "S28",
    .says = "a client never gets two different proven answers",
    .on_answer = check_one_answer,
};

/* An answer speaks of the one history; that history holds it to the end. */
static void check_ack(struct sim *sim, const struct client *client,
                      uint64_t sequence, const struct pbft_attestation *block,
                      const struct sim_reply *reply)
{
    const struct table_entry *executed =
        audit_find(sim, FACT_EXECUTED, 0, reply->seq, 0);
    const struct table_entry *effect =
        audit_find(sim, FACT_EFFECT, client->index, sequence, 0);
    if (executed == NULL || !is_equal(&executed->digest, &block->ledger_root) ||
        effect == NULL || effect->bits != (reply->seq << 16 | reply->index)) {
        audit_fail(sim, "S29", NULL,
                   "%s has an answer to request %" PRIu64
                   " that the ledger does not hold",
                   client->name, sequence);
    }
}

static void check_acks_at_end(struct sim *sim)
{
    for (uint32_t h = 0; h < sim->host_count; h++) {
        const struct host *host = sim->hosts[h];
        if (host->state != HOST_UP || !host_is_honest(host)) {
            continue;
        }
        for (uint32_t c = 0; c < sim->client_count; c++) {
            const struct client *client = sim->clients[c];
            for (uint64_t s = 1; s <= client->request_count; s++) {
                const struct client_request *own = &client->requests[s - 1];
                bool should_have =
                    host->block_count >= own->seq ||
                    (sim_is_settled(sim) && liveness_is_core(sim, host));
                if (own->is_answered && should_have &&
                    sim->settings.service->find(host->service, c, s) !=
                        own->seq) {
                    audit_fail(sim, "S29", host,
                               "lost request %" PRIu64 " of %s", s,
                               client->name);
                }
            }
        }
    }
}

const struct audit_rule audit_durable_acks = {
    .name = "S29",
    .says = "what a client was told stays, after any crash",
    .on_answer = check_ack,
    .on_end = check_acks_at_end,
};
