/* SPDX-License-Identifier: Apache-2.0 */
/* Local honesty: an honest replica never contradicts itself, over all its
 * lives, and speaks only when it may. */
#include <inttypes.h>
#include <string.h>

#include "consensus/quorum.h"
#include "sim/audit_rules.h"
#include "sim/sim.h"

/* Signers are bits of one word. */
#define SIGNERS_MAX 64

/* The first statement stands; another one in the same place is a lie. */
static void check_once(struct sim *sim, const struct host *host,
                       const struct pbft_message *message, const char *rule,
                       enum audit_fact fact, const struct pbft_digest *digest)
{
    if (message->sender != host->id) {
        return; /* Somebody else's message, passed on. */
    }
    pbft_view view = pbft_message_view(message);
    pbft_seq seq = pbft_message_seq(message);
    if (fact == FACT_VIEW_CHANGE || fact == FACT_NEW_VIEW) {
        seq = message->incarnation; /* A new one asks anew (design: P14). */
    }
    bool is_new;
    struct table_entry *entry =
        audit_fact(sim, fact, host->id, view, seq, &is_new);
    if (is_new) {
        entry->digest = *digest;
        entry->bits = host->disk_generation;
    } else if (memcmp(&entry->digest, digest, sizeof *digest) != 0) {
        audit_fail(sim, rule, host,
                   "sends a second, different %s for view %" PRIu64
                   " seq %" PRIu64,
                   pbft_message_type_name(message->type), view, seq);
    }
}

static void check_one_prepare(struct sim *sim, const struct host *host,
                              const struct pbft_message *message)
{
    if (message->type == PBFT_MESSAGE_PREPARE) {
        check_once(sim, host, message, "S9", FACT_PREPARE,
                   &message->prepare.digest);
    }
}

const struct audit_rule audit_one_prepare = {
    .name = "S9",
    .says = "one prepare per view and seq, over all lives",
    .on_send = check_one_prepare,
};

static void check_one_commit(struct sim *sim, const struct host *host,
                             const struct pbft_message *message)
{
    if (message->type == PBFT_MESSAGE_COMMIT) {
        check_once(sim, host, message, "S10", FACT_COMMIT,
                   &message->commit.digest);
    }
}

const struct audit_rule audit_one_commit = {
    .name = "S10",
    .says = "one commit per view and seq, over all lives",
    .on_send = check_one_commit,
};

static void check_one_pre_prepare(struct sim *sim, const struct host *host,
                                  const struct pbft_message *message)
{
    if (message->type != PBFT_MESSAGE_PRE_PREPARE) {
        return;
    }
    const struct pbft_pre_prepare *fields = &message->pre_prepare;
    check_once(sim, host, message, "S11", FACT_PRE_PREPARE, &fields->digest);
    if (message->sender == host->id &&
        host->id != fields->view % sim->settings.n) {
        audit_fail(sim, "S11", host,
                   "proposes in view %" PRIu64 ", which is not its own",
                   fields->view);
    }
}

const struct audit_rule audit_one_pre_prepare = {
    .name = "S11",
    .says = "one pre-prepare per view and seq, by the primary of the view",
    .on_send = check_one_pre_prepare,
};

/* Its own vote may leave inside a proof, before it left alone. */
static void check_own_part(struct sim *sim, const struct host *host,
                           const struct pbft_stable *stable)
{
    const struct pbft_attestation *content = &stable->attestation;
    for (uint32_t i = 0; i < stable->vote_count; i++) {
        if (stable->votes[i].replica != host->id) {
            continue;
        }
        bool is_new;
        struct table_entry *entry = audit_fact(sim, FACT_ATTESTATION, host->id,
                                               0, content->seq, &is_new);
        if (is_new) {
            entry->digest = content->ledger_root;
        } else if (memcmp(&entry->digest, &content->ledger_root,
                          sizeof entry->digest) != 0) {
            audit_fail(sim, "S12", host,
                       "a proof holds a second attestation of seq %" PRIu64,
                       content->seq);
        }
    }
}

static void check_one_attestation(struct sim *sim, const struct host *host,
                                  const struct pbft_message *message)
{
    if (message->type == PBFT_MESSAGE_ATTESTATION) {
        /* The ledger root covers block, results and time. */
        check_once(sim, host, message, "S12", FACT_ATTESTATION,
                   &message->attestation.ledger_root);
    } else if (message->type == PBFT_MESSAGE_STABLE) {
        check_own_part(sim, host, &message->stable);
    }
}

const struct audit_rule audit_one_attestation = {
    .name = "S12",
    .says = "one attestation (checkpoint) per seq, over all lives",
    .on_send = check_one_attestation,
};

static void check_one_view_change(struct sim *sim, const struct host *host,
                                  const struct pbft_message *message)
{
    if (message->type == PBFT_MESSAGE_VIEW_CHANGE) {
        check_once(sim, host, message, "S13", FACT_VIEW_CHANGE,
                   &message->view_change.digest);
    }
}

const struct audit_rule audit_one_view_change = {
    .name = "S13",
    .says = "one view-change per view and incarnation, over all lives",
    .on_send = check_one_view_change,
};

static void check_one_new_view(struct sim *sim, const struct host *host,
                               const struct pbft_message *message)
{
    if (message->type == PBFT_MESSAGE_NEW_VIEW) {
        struct pbft_digest digest;
        memcpy(digest.bytes, message->signature.bytes, sizeof digest.bytes);
        check_once(sim, host, message, "S14", FACT_NEW_VIEW, &digest);
    }
}

const struct audit_rule audit_one_new_view = {
    .name = "S14",
    .says = "one new-view per view and incarnation, over all lives",
    .on_send = check_one_new_view,
};

static void note_vote(struct sim *sim, const struct host *host, pbft_view view,
                      pbft_seq seq, const struct pbft_digest *digest,
                      pbft_replica_id signer)
{
    if (signer < SIGNERS_MAX) {
        audit_fact(sim, FACT_PREPARES_SEEN, host->index, view,
                   audit_slot(seq, digest), NULL)
            ->bits |= UINT64_C(1) << signer;
    }
}

/* Prepares that reached the host, alone or inside a certificate. */
static void note_prepares(struct sim *sim, const struct host *host,
                          const struct pbft_message *message)
{
    if (message->type == PBFT_MESSAGE_PREPARE) {
        note_vote(sim, host, message->prepare.view, message->prepare.seq,
                  &message->prepare.digest, message->sender);
    } else if (message->type == PBFT_MESSAGE_PREPARED) {
        const struct pbft_prepared *prepared = &message->prepared;
        const struct pbft_pre_prepare *header =
            &prepared->pre_prepare->pre_prepare;
        for (uint32_t i = 0; i < prepared->vote_count; i++) {
            note_vote(sim, host, header->view, header->seq, &header->digest,
                      prepared->votes[i].replica);
        }
    }
}

static uint32_t count_bits(uint64_t bits)
{
    uint32_t count = 0;
    for (; bits != 0; bits &= bits - 1) {
        count++;
    }
    return count;
}

static void check_commit_support(struct sim *sim, const struct host *host,
                                 const struct pbft_message *message)
{
    uint32_t n = sim->settings.n;
    if (message->type != PBFT_MESSAGE_COMMIT || message->sender != host->id ||
        n > SIGNERS_MAX) {
        return;
    }
    const struct pbft_prepare *commit = &message->commit;
    const struct table_entry *seen =
        audit_find(sim, FACT_PREPARES_SEEN, host->index, commit->view,
                   audit_slot(commit->seq, &commit->digest));
    uint64_t bits = seen == NULL ? 0 : seen->bits;
    /* Its own vote counts once it is durable, sent or not. */
    if (audit_is_durable(sim, host, PBFT_RECORD_PREPARE, commit->view,
                         commit->seq, &commit->digest)) {
        bits |= UINT64_C(1) << host->id;
    }
    bits &= ~(UINT64_C(1) << commit->view % n); /* The primary's is void. */
    if (count_bits(bits) + 1 < audit_quorum(n)) {
        audit_fail(sim, "S15", host,
                   "commits view %" PRIu64 " seq %" PRIu64 " with %u prepares",
                   commit->view, commit->seq, (unsigned)count_bits(bits));
    }
}

const struct audit_rule audit_commit_support = {
    .name = "S15",
    .says = "a commit needs Q - 1 prepares of distinct backups",
    .on_receive = note_prepares,
    .on_send = check_commit_support,
};

static void note_proposal(struct sim *sim, const struct host *host,
                          const struct pbft_message *header)
{
    const struct pbft_pre_prepare *fields = &header->pre_prepare;
    if (header->sender == fields->view % sim->settings.n) {
        audit_fact(sim, FACT_PROPOSED, host->index, fields->view,
                   audit_slot(fields->seq, &fields->digest), NULL);
    }
}

static void note_proposals(struct sim *sim, const struct host *host,
                           const struct pbft_message *message)
{
    if (message->type == PBFT_MESSAGE_PRE_PREPARE) {
        note_proposal(sim, host, message);
    } else if (message->type == PBFT_MESSAGE_NEW_VIEW) {
        for (uint32_t i = 0; i < message->new_view.pre_prepare_count; i++) {
            note_proposal(sim, host, message->new_view.pre_prepares[i]);
        }
    }
}

/* A view is entered by a new-view, which is durable before a vote in it. While
 * the vote waited for the disk the replica may have gone on. */
static void note_entered(struct sim *sim, const struct host *host,
                         const struct disk_record *record,
                         const struct pbft_message *message)
{
    (void)message;
    if (record->kind == PBFT_RECORD_NEW_VIEW) {
        (void)audit_fact(sim, FACT_ENTERED, host->index, record->view, 0, NULL);
    }
}

static void check_prepare_view(struct sim *sim, const struct host *host,
                               pbft_view view)
{
    struct pbft_report report;
    pbft_replica_report(host_replica(host), &report);
    bool was_entered = view == 0 || audit_find(sim, FACT_ENTERED, host->index,
                                               view, 0) != NULL;
    bool is_over = view < report.view;
    if (!was_entered ||
        !(is_over || (view == report.view && report.view_active))) {
        audit_fail(sim, "S16", host,
                   "prepares in view %" PRIu64 ", which %s; it is in %" PRIu64,
                   view, was_entered ? "is not active" : "it never entered",
                   report.view);
    }
}

static void check_prepare_support(struct sim *sim, const struct host *host,
                                  const struct pbft_message *message)
{
    if (message->type != PBFT_MESSAGE_PREPARE || message->sender != host->id) {
        return;
    }
    const struct pbft_prepare *prepare = &message->prepare;
    check_prepare_view(sim, host, prepare->view);
    if (audit_find(sim, FACT_PROPOSED, host->index, prepare->view,
                   audit_slot(prepare->seq, &prepare->digest)) == NULL) {
        audit_fail(sim, "S16", host,
                   "prepares view %" PRIu64 " seq %" PRIu64
                   " without a proposal of its primary",
                   prepare->view, prepare->seq);
    }
}

const struct audit_rule audit_prepare_support = {
    .name = "S16",
    .says = "a prepare answers its primary's pre-prepare, in an active view",
    .on_durable = note_entered,
    .on_receive = note_proposals,
    .on_send = check_prepare_support,
};
