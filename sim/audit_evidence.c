/* SPDX-License-Identifier: Apache-2.0 */
/* Accountability: no contradiction that a replica hears is lost, and nobody is
 * accused who did not contradict itself. */
#include <inttypes.h>
#include <string.h>

#include "consensus/evidence.h"
#include "sim/audit_rules.h"
#include "sim/sim.h"

/* Up to here a replica remembers a statement for each seq of its window. */
#define REMEMBERED_MAX 2048u

/* The records accuse only whom the run made faulty. */
static void check_evidence(struct sim *sim, const struct host *host,
                           const struct disk_record *record,
                           const struct pbft_message *message)
{
    if (record->kind != PBFT_RECORD_EVIDENCE || !host_is_honest(host)) {
        return;
    }
    const struct pbft_claim claim = pbft_evidence_claim(message->evidence);
    if (claim.signer >= sim->settings.n ||
        audit_is_bound(sim, claim.signer, claim.incarnation)) {
        audit_fail(sim, "S37", host, "holds evidence against an honest R%u: %s",
                   (unsigned)claim.signer, pbft_message_type_name(claim.type));
    }
    if (pbft_evidence_verify(&host->domain, &sim->keyring, message->evidence) !=
        PBFT_OK) {
        audit_fail(sim, "S37", host, "holds evidence that does not verify");
    }
}

static bool is_slot_vote(enum pbft_message_type type)
{
    return type == PBFT_MESSAGE_PRE_PREPARE || type == PBFT_MESSAGE_PREPARE ||
           type == PBFT_MESSAGE_COMMIT;
}

/* Such a record, or as many as a replica keeps of one signer. */
static bool has_record(const struct host *host,
                       const struct pbft_message *message)
{
    const struct pbft_replica *replica = host_replica(host);
    uint32_t count = 0;
    for (uint32_t i = 0; i < pbft_replica_evidence_count(replica); i++) {
        const struct pbft_claim claim =
            pbft_evidence_claim(pbft_replica_evidence(replica, i)->evidence);
        if (claim.signer != message->sender) {
            continue;
        }
        count++;
        if (is_slot_vote(claim.type) == is_slot_vote(message->type) &&
            claim.view == pbft_message_view(message) &&
            claim.seq == pbft_message_seq(message)) {
            return true;
        }
    }
    return count >= PBFT_EVIDENCE_PER_SIGNER_MAX;
}

/* Statements about the window, votes of the view that it is in: what it must
 * not have displaced by another statement of the same signer. */
static bool is_remembered(const struct sim *sim, const struct host *host,
                          const struct pbft_message *message)
{
    struct pbft_report report;
    const pbft_seq seq = pbft_message_seq(message);
    if (message->sender >= sim->settings.n || message->sender == host->id ||
        audit_is_bound(sim, message->sender, message->incarnation) ||
        message->incarnation != 0 ||
        host->incarnations.of[message->sender].number != 0 ||
        host->config.window > REMEMBERED_MAX / sim->settings.n) {
        return false;
    }
    pbft_replica_report(host_replica(host), &report);
    return seq > report.stable && seq <= report.high &&
           (!is_slot_vote(message->type) ||
            pbft_message_view(message) == report.view);
}

/* The core has taken it. The first statement is compared with each later one,
 * within a life: what was heard before a crash need not be remembered. */
static void check_heard(struct sim *sim, const struct host *host,
                        const struct pbft_message *message)
{
    bool is_new;
    if ((!is_slot_vote(message->type) &&
         message->type != PBFT_MESSAGE_ATTESTATION) ||
        !is_remembered(sim, host, message)) {
        return;
    }
    const pbft_view view = pbft_message_view(message);
    const pbft_seq seq = pbft_message_seq(message);
    const struct pbft_digest *said = trace_digest_of(message);
    struct table_entry *first = audit_fact(
        sim, is_slot_vote(message->type) ? FACT_HEARD_VOTE : FACT_HEARD_STATE,
        host->index, view << 8 | message->sender, host->life << 32 ^ seq,
        &is_new);
    if (is_new) {
        first->digest = *said;
    } else if (memcmp(&first->digest, said, sizeof *said) != 0 &&
               !has_record(host, message)) {
        audit_fail(sim, "S37", host,
                   "heard R%u contradict itself in view %" PRIu64
                   " seq %" PRIu64 " and keeps no evidence",
                   (unsigned)message->sender, view, seq);
    }
}

/* What it holds is on its disk, once all that it wrote is. */
static void check_kept(struct sim *sim)
{
    for (uint32_t i = 0; i < sim->host_count; i++) {
        const struct host *host = sim->hosts[i];
        if (host->state != HOST_UP || !host_is_honest(host) ||
            host->is_flush_scheduled || host->inbox_count > 0 ||
            host->has_write_failed || host->disk.pending_count > 0) {
            continue;
        }
        const struct pbft_replica *replica = host_replica(host);
        for (uint32_t e = 0; e < pbft_replica_evidence_count(replica); e++) {
            if (!audit_is_durable(
                    sim, host, PBFT_RECORD_EVIDENCE, 0, 0,
                    trace_digest_of(pbft_replica_evidence(replica, e)))) {
                audit_fail(sim, "S37", host, "holds evidence in memory alone");
            }
        }
    }
}

const struct audit_rule audit_evidence = {
    .name = "S37",
    .says = "contradictions leave evidence, valid, and against no honest one",
    .on_durable = check_evidence,
    .on_heard = check_heard,
    .on_end = check_kept,
};
