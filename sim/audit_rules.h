/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of the table of invariants, by file. Private to the auditor. */
#ifndef SIM_AUDIT_RULES_H
#define SIM_AUDIT_RULES_H

#include "sim/auditor.h"

/* audit_order.c */
extern const struct audit_rule audit_agreement;     /* S1 */
extern const struct audit_rule audit_total_order;   /* S2 */
extern const struct audit_rule audit_determinism;   /* S3 */
extern const struct audit_rule audit_prepared_once; /* S5 */
extern const struct audit_rule audit_certificate;   /* S7 */
extern const struct audit_rule audit_null_request;  /* S8 */
/* audit_votes.c */
extern const struct audit_rule audit_one_prepare;     /* S9 */
extern const struct audit_rule audit_one_commit;      /* S10 */
extern const struct audit_rule audit_one_pre_prepare; /* S11 */
extern const struct audit_rule audit_one_attestation; /* S12 */
extern const struct audit_rule audit_one_view_change; /* S13 */
extern const struct audit_rule audit_one_new_view;    /* S14 */
extern const struct audit_rule audit_commit_support;  /* S15 */
extern const struct audit_rule audit_prepare_support; /* S16 */
/* audit_state.c */
extern const struct audit_rule audit_view_monotone; /* S17 */
extern const struct audit_rule audit_watermarks;    /* S18 */
extern const struct audit_rule audit_durability;    /* S22 */
extern const struct audit_rule audit_growth;        /* R3 */
/* audit_history.c */
extern const struct audit_rule audit_committed;    /* S4 */
extern const struct audit_rule audit_preserved;    /* S6 */
extern const struct audit_rule audit_linearizable; /* S24 */
extern const struct audit_rule audit_stable;       /* S30 */
/* audit_views.c, audit_new_view.c */
extern const struct audit_rule audit_escalation; /* S17b */
extern const struct audit_rule audit_leaving;    /* L9 */
extern const struct audit_rule audit_truth;      /* S19 */
extern const struct audit_rule audit_new_view;   /* S20 */
/* audit_resources.c */
void audit_note_size(struct sim *sim, const struct pbft_message *message);
extern const struct audit_rule audit_resources; /* R1 */
/* audit_disks.c */
extern const struct audit_rule audit_transferred;   /* S31 */
extern const struct audit_rule audit_height;        /* S32 */
extern const struct audit_rule audit_restored_rule; /* S34 */
extern const struct audit_rule audit_snapshot;      /* S35 */
extern const struct audit_rule audit_forgetful;     /* S36 */
/* audit_evidence.c */
extern const struct audit_rule audit_evidence; /* S37 */
/* audit_liveness.c; L1 and L4: run.c */
extern const struct audit_rule audit_timers;   /* L5 */
extern const struct audit_rule audit_mania;    /* L6 */
extern const struct audit_rule audit_fairness; /* L7 */
/* audit_healed.c; L3 and L10: run.c */
extern const struct audit_rule audit_failed_views; /* L2 */
extern const struct audit_rule audit_restarts;     /* L11 */
extern const struct audit_rule audit_donors;       /* L12 */
/* audit_floor.c */
extern const struct audit_rule audit_throughput; /* L8 */
void audit_floor_begin(struct sim *sim);
/* audit_wire.c */
extern const struct audit_rule audit_domains;  /* S23 */
extern const struct audit_rule audit_work;     /* R2 */
extern const struct audit_rule audit_identity; /* A1 */
extern const struct audit_rule audit_encoding; /* A4 */
extern const struct audit_rule audit_strict;   /* A5 */
/* audit_clients.c */
extern const struct audit_rule audit_provenance;   /* S21 */
extern const struct audit_rule audit_exactly_once; /* S25 */
extern const struct audit_rule audit_same_answer;  /* S26 */
extern const struct audit_rule audit_validity;     /* S27 */
extern const struct audit_rule audit_one_answer;   /* S28 */
extern const struct audit_rule audit_durable_acks; /* S29 */

/* audit_assertions.c: the invariant that a failed assertion of the core states;
 * "assertion" if it is none of the table. */
#define AUDIT_RULE_ASSERTION "assertion"
const char *audit_assertion_rule(const char *file, const char *expression);

/* How many replicas may fail and how many make a quorum, computed here again:
 * the auditor must not share a mistake with consensus/quorum.h. */
static inline uint32_t audit_faulty(uint32_t n)
{
    uint32_t f = 0;
    while (3 * (f + 1) + 1 <= n) {
        f++;
    }
    return f;
}

/* audit_liveness.c, L5: so long it may wait for the view at most. */
pbft_time_ms audit_view_wait_max(const struct sim *sim, const struct host *host,
                                 pbft_view view);
/* Some of its request timers may run longer than the base, since the views
 * before this one did not last. */
bool audit_is_patient(const struct sim *sim, const struct host *host);

static inline uint32_t audit_quorum(uint32_t n)
{
    /* The least q so that two sets of q share more than f members. */
    uint32_t q = 1;
    while (2 * q < n + audit_faulty(n) + 1) {
        q++;
    }
    return q;
}

/* A slot and a digest as one number of a key. */
static inline uint64_t audit_slot(pbft_seq seq,
                                  const struct pbft_digest *digest)
{
    return audit_fold(digest) ^ seq * UINT64_C(0x9e3779b97f4a7c15);
}

/* The disk of a host, as the key of a fact. */
uint32_t audit_disk(const struct host *host);

/* Must it keep what it says in this incarnation? One that lost its promises is
 * bound again from its next incarnation on. */
bool audit_is_bound(const struct sim *sim, pbft_replica_id id,
                    uint64_t incarnation);

/* Whether such a record of the host was ever synced on its present disk.
 * `view` is 0 for a body. */
bool audit_is_durable(const struct sim *sim, const struct host *host,
                      enum pbft_record_kind kind, pbft_view view, pbft_seq seq,
                      const struct pbft_digest *content);

#endif /* SIM_AUDIT_RULES_H */
