/* SPDX-License-Identifier: Apache-2.0 */
/* Agreement and order: one history, in order, proven, with one outcome. */
#include <inttypes.h>
#include <string.h>

#include "consensus/preimage.h"
#include "consensus/quorum.h"
#include "sim/audit_rules.h"
#include "sim/sim.h"

static const struct pbft_pre_prepare *
header_of(const struct pbft_message *committed)
{
    return &committed->committed.pre_prepare->pre_prepare;
}

static bool is_equal(const struct pbft_digest *a, const struct pbft_digest *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

static void check_agreement(struct sim *sim, const struct host *host,
                            const struct pbft_commit *commit)
{
    bool is_new;
    struct table_entry *entry =
        audit_fact(sim, FACT_BLOCK, 0, commit->seq, 0, &is_new);
    const struct pbft_digest *digest = &header_of(commit->committed)->digest;
    if (is_new) {
        entry->digest = *digest;
    } else if (!is_equal(&entry->digest, digest)) {
        audit_fail(sim, "S1", host,
                   "commits another batch at seq %" PRIu64
                   " than a replica before it",
                   commit->seq);
    }
}

const struct audit_rule audit_agreement = {
    .name = "S1",
    .says = "one batch per seq, at all honest replicas, for ever",
    .on_commit = check_agreement,
};

static void note_start(struct sim *sim, const struct host *host)
{
    sim->auditor.replicas[host->index].last_executed = host->block_count;
}

static void check_order(struct sim *sim, const struct host *host,
                        const struct pbft_commit *commit)
{
    struct audit_replica *replica = &sim->auditor.replicas[host->index];
    if (commit->seq != replica->last_executed + 1 ||
        header_of(commit->committed)->seq != commit->seq) {
        audit_fail(sim, "S2", host,
                   "executes seq %" PRIu64 " after seq %" PRIu64, commit->seq,
                   replica->last_executed);
    }
    replica->last_executed = commit->seq;
}

const struct audit_rule audit_total_order = {
    .name = "S2",
    .says = "each replica executes 1, 2, 3 ... without gap or repetition",
    .on_commit = check_order,
    .on_start = note_start,
};

static void check_outcome(struct sim *sim, const struct host *host,
                          const struct pbft_message *committed,
                          const struct service_outcome *outcome)
{
    const struct pbft_attestation *executed = &outcome->executed;
    const struct pbft_batch *batch = &header_of(committed)->body->batch;
    bool is_new;
    struct table_entry *entry =
        audit_fact(sim, FACT_EXECUTED, 0, executed->seq, 0, &is_new);
    if (is_new) {
        entry->digest = executed->ledger_root;
        entry->bits = executed->block_time;
    } else if (!is_equal(&entry->digest, &executed->ledger_root) ||
               entry->bits != executed->block_time) {
        audit_fail(sim, "S3", host, "block %" PRIu64 " came out differently",
                   executed->seq);
    }
    /* P12, stated once more: time never stands still. */
    const struct table_entry *before =
        audit_find(sim, FACT_EXECUTED, 0, executed->seq - 1, 0);
    pbft_wall_us least = before == NULL ? 0 : before->bits + 1;
    pbft_wall_us expected = batch->time > least ? batch->time : least;
    if (executed->seq > 1 && executed->block_time != expected) {
        audit_fail(sim, "S3", host,
                   "block %" PRIu64 " has time %" PRIu64 ", not %" PRIu64,
                   executed->seq, executed->block_time, expected);
    }
}

const struct audit_rule audit_determinism = {
    .name = "S3",
    .says = "equal results, times and roots at all honest replicas",
    .on_executed = check_outcome,
};

/* Who sends a commit is prepared. */
static void check_prepared(struct sim *sim, const struct host *host,
                           const struct pbft_message *message)
{
    if (message->type != PBFT_MESSAGE_COMMIT || message->sender != host->id) {
        return;
    }
    bool is_new;
    struct table_entry *entry =
        audit_fact(sim, FACT_COMMIT_IN_VIEW, 0, message->commit.view,
                   message->commit.seq, &is_new);
    if (is_new) {
        entry->digest = message->commit.digest;
    } else if (!is_equal(&entry->digest, &message->commit.digest)) {
        audit_fail(sim, "S5", host,
                   "prepared another batch in view %" PRIu64 " at seq %" PRIu64,
                   message->commit.view, message->commit.seq);
    }
}

const struct audit_rule audit_prepared_once = {
    .name = "S5",
    .says = "two honest replicas never prepare different batches in one slot",
    .on_send = check_prepared,
};

static bool is_vote_valid(const struct sim *sim,
                          const struct pbft_message *certificate,
                          const struct pbft_vote *vote,
                          const struct pbft_domain *domain)
{
    const struct pbft_pre_prepare *header = header_of(certificate);
    const struct pbft_prepare fields = {header->view, header->seq,
                                        header->digest};
    struct pbft_preimage preimage;
    pbft_commit_preimage(domain, certificate->epoch, vote->replica,
                         vote->incarnation, &fields, &preimage);
    return domain->crypto->verify(
        domain->crypto->context, &sim->keyring.keys[vote->replica],
        (struct pbft_bytes){preimage.bytes, preimage.size}, &vote->signature);
}

static void check_certificate(struct sim *sim, const struct host *host,
                              const struct pbft_commit *commit)
{
    const struct pbft_committed *committed = &commit->committed->committed;
    struct pbft_replica_set voters = {{0}};
    uint32_t valid = 0;
    for (uint32_t i = 0; i < committed->vote_count; i++) {
        const struct pbft_vote *vote = &committed->votes[i];
        if (vote->replica < sim->settings.n &&
            !pbft_set_has(&voters, vote->replica) &&
            is_vote_valid(sim, commit->committed, vote, &host->domain)) {
            pbft_set_add(&voters, vote->replica);
            valid++;
        }
    }
    if (valid < audit_quorum(sim->settings.n)) {
        audit_fail(sim, "S7", host,
                   "executes seq %" PRIu64 " on %u commits, a quorum is %u",
                   commit->seq, (unsigned)valid,
                   (unsigned)audit_quorum(sim->settings.n));
    }
}

const struct audit_rule audit_certificate = {
    .name = "S7",
    .says = "execution needs commits of a quorum of distinct members",
    .on_commit = check_certificate,
};

static void check_null(struct sim *sim, const struct host *host,
                       const struct pbft_message *committed,
                       const struct service_outcome *outcome)
{
    const struct service_kind *kind = sim->settings.service;
    const struct pbft_digest none = {{0}};
    struct pbft_digest root;
    if (header_of(committed)->body->batch.request_count != 0) {
        return;
    }
    kind->root(&root, &none, 0);
    if (outcome->result_count != 0 ||
        !is_equal(&root, &outcome->executed.results_root)) {
        audit_fail(sim, "S8", host, "an empty block had results");
    }
    for (uint32_t i = 0; i < sim->client_count; i++) {
        const struct client *client = sim->clients[i];
        for (uint64_t j = 1; j <= client->request_count; j++) {
            if (kind->find(host->service, i, j) == outcome->executed.seq) {
                audit_fail(sim, "S8", host,
                           "an empty block answers request %" PRIu64 " of %s",
                           j, client->name);
            }
        }
    }
}

const struct audit_rule audit_null_request = {
    .name = "S8",
    .says = "a null batch has no effect but advances seq",
    .on_executed = check_null,
};
