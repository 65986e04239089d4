/* SPDX-License-Identifier: Apache-2.0 */
/* The slots between the watermarks (OSDI'99 4.3). Private to the core.
 *
 * One slot per sequence number of (low, low + window]. All memory but messages
 * is allocated at creation: a slot holds one vote per replica and phase, so
 * nothing that peers send makes the log grow.
 */
#ifndef CONSENSUS_LOG_H
#define CONSENSUS_LOG_H

#include <string.h>

#include "consensus/message.h"

/* One replica's vote of one phase; valid if the set of voters has it. */
struct pbft_ballot {
    struct pbft_digest digest;
    struct pbft_vote vote;
};

/* The votes of one phase in one view: the first of each signer stands. */
struct pbft_ballots {
    struct pbft_replica_set voters;
    uint32_t matching;         /* Of them for the digest of the header. */
    struct pbft_ballot *items; /* One per replica. */
};

struct pbft_attested_item {
    struct pbft_attestation content;
    struct pbft_vote vote;
};

/* The attestations of one seq: they do not belong to a view. */
struct pbft_attestations {
    struct pbft_replica_set voters;
    uint32_t matching; /* Equal to the own one, own included; 0 before. */
    struct pbft_attested_item *items; /* One per replica. */
};

/* Messages in a slot are references that the slot holds; any may be NULL. */
struct pbft_slot {
    pbft_seq seq;

    /* Of one view; forgotten when the next one begins. */
    pbft_view view;                      /* Of all in this paragraph. */
    const struct pbft_message *header;   /* The accepted one, without body. */
    const struct pbft_message *proposal; /* The same with its body. */
    bool is_logged;                      /* Header and body are records. */
    bool is_reproposed;                  /* By a new-view: no clock (P12). */
    struct pbft_ballots prepares;
    struct pbft_ballots commits;
    const struct pbft_message *own_prepare;
    const struct pbft_message *own_commit;
    bool is_prepared;         /* In this view. */
    pbft_time_ms accepted_at; /* When the header came. */

    /* Of the header; also the last body that was logged for the seq. */
    const struct pbft_message *body;
    bool has_older_bodies; /* The log alone has them: of earlier views. */

    /* Kept over views: the P set of a view-change (OSDI'99 4.4). */
    const struct pbft_message *prepared; /* Highest view ever held. */
    const struct pbft_message *prepared_body;
    const struct pbft_message *committed; /* COMMITTED, with body. */

    struct pbft_attestations attestations;
    const struct pbft_message *own_attestation;
    bool is_attested;         /* f + 1 equal ones were handed out. */
    pbft_time_ms executed_at; /* When the own one was made. */
};

enum pbft_phase { PBFT_PHASE_PREPARE, PBFT_PHASE_COMMIT };

struct pbft_slot_log {
    pbft_seq low; /* The last stable checkpoint (OSDI'99 4.3: h). */
    uint32_t window;
    uint32_t replica_count;
    struct pbft_slot *slots; /* The slot of seq is at seq % window. */
    struct pbft_ballot *ballots;
    struct pbft_attested_item *attestations;
};

/* False if memory is short; then nothing is to be released. */
bool pbft_slot_log_init(struct pbft_slot_log *log, uint32_t window,
                        uint32_t replica_count);
void pbft_slot_log_deinit(struct pbft_slot_log *log);

static inline pbft_seq pbft_slot_log_high(const struct pbft_slot_log *log)
{
    return log->low + log->window;
}

static inline bool pbft_slot_log_has(const struct pbft_slot_log *log,
                                     pbft_seq seq)
{
    return seq > log->low && seq - log->low <= log->window;
}

/* NULL outside of the watermarks. */
struct pbft_slot *pbft_slot_log_at(const struct pbft_slot_log *log,
                                   pbft_seq seq);

/* Moves the low watermark up to `low`; clears the slots that drop out. */
void pbft_slot_log_advance(struct pbft_slot_log *log, pbft_seq low);

/* Forgets what belongs to the slot's view; what outlives views stays. */
void pbft_slot_begin_view(struct pbft_slot *slot, pbft_view view);

/* Accepts a header (PRE-PREPARE without body) in a slot that has none, and
 * counts the votes that came before it. */
void pbft_slot_set_header(struct pbft_slot *slot, uint32_t replica_count,
                          const struct pbft_message *header);
/* Gives the slot the batch of its header. */
void pbft_slot_set_body(struct pbft_slot *slot,
                        const struct pbft_message *body);
/* The last body that was logged. The one before stays in the log alone: liars
 * may hold a certificate for it, so a later view may need it, and there may be
 * one of each view, more than memory can hold. */
void pbft_slot_keep_body(struct pbft_slot *slot,
                         const struct pbft_message *body);
bool pbft_slot_has_body(const struct pbft_slot *slot);
/* The batch `digest`, if the slot has it from whatever view; else NULL. */
const struct pbft_message *
pbft_slot_find_body(const struct pbft_slot *slot,
                    const struct pbft_digest *digest);
/* The header with its body; made at the first call. The slot keeps it. */
const struct pbft_message *pbft_slot_proposal(struct pbft_slot *slot);

/* Replaces the reference in `*place` by one to `message` (may be NULL). */
void pbft_keep(const struct pbft_message **place,
               const struct pbft_message *message);

static inline struct pbft_ballots *pbft_slot_ballots(struct pbft_slot *slot,
                                                     enum pbft_phase phase)
{
    return phase == PBFT_PHASE_PREPARE ? &slot->prepares : &slot->commits;
}

/* The signer must not have voted before. */
void pbft_slot_add_vote(struct pbft_slot *slot, enum pbft_phase phase,
                        const struct pbft_digest *digest,
                        const struct pbft_vote *vote);

static inline bool pbft_digest_equal(const struct pbft_digest *a,
                                     const struct pbft_digest *b)
{
    return memcmp(a->bytes, b->bytes, PBFT_DIGEST_SIZE) == 0;
}

bool pbft_attestation_equal(const struct pbft_attestation *a,
                            const struct pbft_attestation *b);

#endif /* CONSENSUS_LOG_H */
