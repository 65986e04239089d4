/* SPDX-License-Identifier: Apache-2.0 */
/* The one history: what a commitment rests on, that later views keep it, and
 * that clients see an order which respects time. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "consensus/assert.h"
#include "consensus/quorum.h"
#include "sim/audit_rules.h"
#include "sim/sim.h"

static bool is_equal(const struct pbft_digest *a, const struct pbft_digest *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

static const struct pbft_pre_prepare *
header_of(const struct pbft_message *committed)
{
    return &committed->committed.pre_prepare->pre_prepare;
}

static void note_certificate(struct sim *sim, const struct host *host,
                             const struct pbft_message *message)
{
    if (message->type == PBFT_MESSAGE_COMMITTED) {
        (void)audit_fact(sim, FACT_CERTIFIED, host->index,
                         pbft_message_seq(message), 0, NULL);
    }
}

/* Committed-local is prepared and Q commits (OSDI'99 4.2); without being
 * prepared nobody commits but by the certificate of somebody else. */
static void check_prepared(struct sim *sim, const struct host *host,
                           const struct pbft_commit *commit)
{
    struct pbft_slot_report slot;
    /* A later view begins the slot anew, and keeps what is committed. */
    if (host->state == HOST_UP &&
        pbft_replica_slot(host_replica(host), commit->seq, &slot) &&
        slot.view == header_of(commit->committed)->view &&
        slot.commit_count >= audit_quorum(sim->settings.n) && !slot.prepared &&
        audit_find(sim, FACT_CERTIFIED, host->index, commit->seq, 0) == NULL) {
        audit_fail(sim, "S4", host,
                   "committed seq %" PRIu64 " by commits alone, not prepared",
                   commit->seq);
    }
}

/* Honest ones that said they were prepared, or have noted it, and those whose
 * stable checkpoint has passed the slot (OSDI'99 4.2). */
static void check_committed(struct sim *sim, const struct host *host,
                            const struct pbft_commit *commit)
{
    const struct pbft_pre_prepare *header = header_of(commit->committed);
    uint32_t count = 0;
    for (pbft_replica_id id = 0; id < sim->settings.n; id++) {
        const struct table_entry *said =
            audit_find(sim, FACT_COMMIT, id, header->view, header->seq);
        /* A crash may come between the certificate and the commit. */
        bool is_prepared =
            (said != NULL && is_equal(&said->digest, &header->digest)) ||
            audit_is_durable(sim, sim->hosts[id], PBFT_RECORD_PREPARED,
                             header->view, header->seq, &header->digest);
        count +=
            host_is_honest(sim->hosts[id]) &&
            (is_prepared || sim->auditor.replicas[id].stable >= header->seq);
    }
    /* One that is alone tells nobody. */
    if (sim->settings.n > 1 && count < audit_faulty(sim->settings.n) + 1) {
        audit_fail(sim, "S4", host,
                   "committed seq %" PRIu64 " that %u honest ones prepared",
                   header->seq, (unsigned)count);
    }
    check_prepared(sim, host, commit);
}

const struct audit_rule audit_committed = {
    .name = "S4",
    .says = "what is committed, f + 1 honest replicas have prepared",
    .on_receive = note_certificate,
    .on_commit = check_committed,
};

/* The lowest view in which a seq is known to be committed. */
static void note_committed(struct sim *sim, const struct host *host,
                           const struct pbft_commit *commit)
{
    const struct pbft_pre_prepare *header = header_of(commit->committed);
    bool is_new;
    struct table_entry *entry =
        audit_fact(sim, FACT_COMMITTED, 0, header->seq, 0, &is_new);
    if (is_new || header->view < entry->bits) {
        entry->bits = header->view;
        entry->digest = header->digest;
    }
    const struct table_entry *later =
        audit_find(sim, FACT_PREPARE_TOP, 0, header->seq, 0);
    if (later != NULL && later->bits > header->view &&
        !is_equal(&later->digest, &header->digest)) {
        audit_fail(sim, "S6", host,
                   "commits seq %" PRIu64 " of view %" PRIu64
                   ", but view %" PRIu64 " prepares another batch",
                   header->seq, header->view, later->bits);
    }
}

static void check_later_view(struct sim *sim, const struct host *host,
                             const struct pbft_message *message)
{
    if (message->type != PBFT_MESSAGE_PREPARE || message->sender != host->id) {
        return;
    }
    const struct pbft_prepare *prepare = &message->prepare;
    bool is_new;
    struct table_entry *top =
        audit_fact(sim, FACT_PREPARE_TOP, 0, prepare->seq, 0, &is_new);
    if (is_new || prepare->view > top->bits) {
        top->bits = prepare->view;
        top->digest = prepare->digest;
    }
    const struct table_entry *committed =
        audit_find(sim, FACT_COMMITTED, 0, prepare->seq, 0);
    if (committed != NULL && committed->bits < prepare->view &&
        !is_equal(&committed->digest, &prepare->digest)) {
        audit_fail(sim, "S6", host,
                   "prepares another batch in view %" PRIu64
                   " than view %" PRIu64 " committed at seq %" PRIu64,
                   prepare->view, committed->bits, prepare->seq);
    }
}

const struct audit_rule audit_preserved = {
    .name = "S6",
    .says = "what is committed in a view, later views keep",
    .on_commit = note_committed,
    .on_send = check_later_view,
};

/* An answered request, by its place in the history. */
struct operation {
    uint64_t place;
    uint64_t submitted_us;
    uint64_t answered_us;
};

static int compare_places(const void *a, const void *b)
{
    const struct operation *first = a;
    const struct operation *second = b;
    return (first->place > second->place) - (first->place < second->place);
}

/* What took effect counts, although its client got no answer: that one may come
 * at any time. A hostile one may have said several things at once. */
static bool find_operation(const struct sim *sim, const struct client *client,
                           size_t i, struct operation *out)
{
    const struct client_request *own = &client->requests[i];
    const struct table_entry *effect =
        audit_find(sim, FACT_EFFECT, client->index, i + 1, 0);
    *out = (struct operation){.submitted_us = own->submitted_us,
                              .answered_us = UINT64_MAX};
    if (own->is_answered) {
        out->place = own->seq << 16 | own->index;
        out->answered_us = own->answered_us;
    } else if (client->hostile == NULL && effect != NULL) {
        out->place = effect->bits;
    } else {
        return false;
    }
    return true;
}

static size_t collect_operations(const struct sim *sim, struct operation *out)
{
    size_t count = 0;
    for (uint32_t c = 0; c < sim->client_count; c++) {
        const struct client *client = sim->clients[c];
        for (size_t i = 0; i < client->request_count; i++) {
            count += find_operation(sim, client, i, &out[count]);
        }
    }
    return count;
}

/* The ledger is one order of all requests. It explains what the clients saw if
 * none was answered before one in front of it was submitted. */
static void check_linearizable(struct sim *sim)
{
    size_t room = 1;
    for (uint32_t c = 0; c < sim->client_count; c++) {
        room += sim->clients[c]->request_count;
    }
    struct operation *operations = calloc(room, sizeof *operations);
    PBFT_ASSERT(operations != NULL);
    size_t count = collect_operations(sim, operations);
    qsort(operations, count, sizeof *operations, compare_places);
    uint64_t first_answer_us = UINT64_MAX; /* Of all behind. */
    for (size_t i = count; i > 0; i--) {
        const struct operation *own = &operations[i - 1];
        if (own->submitted_us > first_answer_us) {
            audit_fail(sim, "S24", NULL,
                       "a request at seq %" PRIu64
                       " was submitted after one behind it was answered",
                       own->place >> 16);
        }
        if (own->answered_us < first_answer_us) {
            first_answer_us = own->answered_us;
        }
    }
    free(operations);
}

const struct audit_rule audit_linearizable = {
    .name = "S24",
    .says = "answers are explained by one order that respects time",
    .on_end = check_linearizable,
};

/* A proof of a checkpoint speaks of the one history. */
static void check_stable(struct sim *sim, const struct host *host,
                         const struct disk_record *record,
                         const struct pbft_message *message)
{
    if (record->kind != PBFT_RECORD_STABLE || record->seq == 0 ||
        !host_is_honest(host)) {
        return;
    }
    const struct pbft_attestation *content = &message->stable.attestation;
    const struct table_entry *executed =
        audit_find(sim, FACT_EXECUTED, 0, content->seq, 0);
    if (executed == NULL ||
        !is_equal(&executed->digest, &content->ledger_root)) {
        audit_fail(sim, "S30", host,
                   "holds a proof of a checkpoint at seq %" PRIu64
                   " that no honest replica has",
                   content->seq);
    }
}

const struct audit_rule audit_stable = {
    .name = "S30",
    .says = "a stable checkpoint is the state after its seq",
    .on_durable = check_stable,
};
