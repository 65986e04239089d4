/* SPDX-License-Identifier: Apache-2.0 */
/* The messages: immutable once built, reference-counted, one type tag.
 *
 * Constructors copy or reference what they are given and return an object with
 * one reference, or NULL when memory is short. Reference counts are atomic, so
 * that messages may be shared between threads; everything else in a message is
 * read-only after construction.
 *
 * Memory: a message is bounded by the limits of types.h; how many are alive is
 * bounded by the window (slots), the request queue and the caller's queues.
 */
#ifndef CONSENSUS_MESSAGE_H
#define CONSENSUS_MESSAGE_H

#include "consensus/crypto.h"
#include "consensus/types.h"

enum pbft_message_type {
    PBFT_MESSAGE_REQUEST = 1,
    PBFT_MESSAGE_PRE_PREPARE = 2,
    PBFT_MESSAGE_PREPARE = 3,
    PBFT_MESSAGE_COMMIT = 4,
    PBFT_MESSAGE_ATTESTATION = 5, /* A checkpoint at multiples of K. */
    PBFT_MESSAGE_VIEW_CHANGE = 6,
    PBFT_MESSAGE_NEW_VIEW = 7,
    PBFT_MESSAGE_STATUS = 8,
    PBFT_MESSAGE_FETCH = 9,
    PBFT_MESSAGE_BATCH = 10,    /* The body of a pre-prepare. */
    PBFT_MESSAGE_PREPARED = 11, /* A prepared certificate (records, P set). */
    PBFT_MESSAGE_COMMITTED =
        12,                     /* A pre-prepare with its commit certificate. */
    PBFT_MESSAGE_STABLE = 13,   /* A checkpoint proof: Q equal attestations. */
    PBFT_MESSAGE_EVIDENCE = 14, /* Two contradicting statements (a record). */
};

/* The request lane. Urgent: break-glass and withdrawal of consent. */
enum pbft_lane { PBFT_LANE_NORMAL = 0, PBFT_LANE_URGENT = 1 };

struct pbft_message;

/* A shared region that requests may point into instead of copying. */
struct pbft_buffer;

/* Takes over `data` (from malloc); frees it with the last reference. */
struct pbft_buffer *pbft_buffer_create(uint8_t *data, size_t size);
/* The same, but calls `release(owner)` at the end instead of free(data). */
struct pbft_buffer *pbft_buffer_wrap(uint8_t *data, size_t size, void *owner,
                                     void (*release)(void *owner));
struct pbft_bytes pbft_buffer_bytes(const struct pbft_buffer *buffer);
struct pbft_buffer *pbft_buffer_ref(struct pbft_buffer *buffer);
void pbft_buffer_unref(struct pbft_buffer *buffer);

/* What a client signed once. The payload is opaque to consensus/. */
struct pbft_request {
    struct pbft_public_key client;
    struct pbft_institution institution;
    uint64_t session;
    uint64_t sequence;
    enum pbft_lane lane;
    struct pbft_bytes payload; /* Into the message or its buffer. */
    struct pbft_signature signature;
    struct pbft_digest payload_digest; /* What the preimage holds of it. */
    struct pbft_digest digest;         /* Of preimage and signature. */
};

/* The body of a pre-prepare: requests in order. No request and time 0 is the
 * null batch; no request and a time is an empty block (design: P18). */
struct pbft_batch {
    pbft_wall_us time; /* Proposed by the primary. */
    uint32_t request_count;
    const struct pbft_message *const *requests;
    size_t bytes; /* Sum of the payload sizes. */
    struct pbft_digest
        digest; /* Of time and request digests; never the view. */
};

/* The signed header; the body travels with it or is fetched by digest. */
struct pbft_pre_prepare {
    pbft_view view;
    pbft_seq seq;
    struct pbft_digest digest;       /* Of the batch. */
    const struct pbft_message *body; /* A batch message, or NULL. */
};

struct pbft_prepare { /* And struct pbft_commit_vote: the same shape. */
    pbft_view view;
    pbft_seq seq;
    struct pbft_digest digest;
};

/* What a replica states after it executed a block (docs/protocol.md, 2). */
struct pbft_attestation {
    pbft_seq seq;
    pbft_wall_us block_time;
    struct pbft_digest block_digest; /* The batch digest. */
    struct pbft_digest results_root;
    struct pbft_digest ledger_root;
};

/* One signature out of a certificate. */
struct pbft_vote {
    pbft_replica_id replica;
    uint64_t incarnation;
    struct pbft_signature signature;
};

/* Q equal attestations: what makes a checkpoint stable; or f + 1: what proves
 * a block to a client. At seq 0 there are no votes: the genesis state. */
struct pbft_stable {
    struct pbft_attestation attestation;
    uint32_t vote_count;
    const struct pbft_vote *votes;
};

/* Signed pre-prepare header + Q - 1 prepares of others. */
struct pbft_prepared {
    const struct pbft_message *pre_prepare; /* Body may be absent. */
    uint32_t vote_count;
    const struct pbft_vote *votes; /* Over the prepare preimage. */
};

/* A pre-prepare header, its body if at hand, and Q commits. */
struct pbft_committed {
    const struct pbft_message *pre_prepare;
    uint32_t vote_count;
    const struct pbft_vote *votes; /* Over the commit preimage. */
};

/* OSDI'99 4.4, with signed certificates (design: P6). */
struct pbft_view_change {
    pbft_view view;                    /* The view asked for. */
    const struct pbft_message *stable; /* A STABLE message; seq 0: genesis. */
    uint32_t prepared_count;           /* At most one per seq, ascending. */
    const struct pbft_message *const *prepared;
    struct pbft_digest digest; /* Of the signed preimage and signature. */
};

struct pbft_new_view {
    pbft_view view;
    uint32_t view_change_count; /* Named by sender and digest. */
    const struct pbft_new_view_source {
        pbft_replica_id replica;
        struct pbft_digest digest;
    } * view_changes;
    uint32_t pre_prepare_count; /* Signed headers of the new view, ascending. */
    const struct pbft_message *const *pre_prepares;
};

/* What a replica has, so that others resend what it lacks (TOCS'02 5.2). */
/* A bit for each seq of the largest window. */
#define PBFT_STATUS_WORDS_MAX (PBFT_WINDOW_MAX / 64)

struct pbft_status_report {
    pbft_view view;
    bool view_active;
    pbft_seq stable;
    pbft_seq executed;
    pbft_seq committed_above; /* Consecutively committed up to here. */
    pbft_seq attested;        /* Up to here it holds f + 1 attestations. */
    uint32_t version_min;     /* Protocol versions that the replica speaks. */
    uint32_t version_max;
    bool reply_wanted; /* Starting: tell me at once what you hold (P14). */
    uint64_t question; /* Its number; of an answer: the number answered. */
    /* Bit i: of seq executed + 1 + i it has the batch and is prepared. */
    const uint64_t *prepared_bits;
    uint32_t prepared_words; /* At most PBFT_STATUS_WORDS_MAX. */
};

enum pbft_fetch_kind {
    PBFT_FETCH_BODY = 1,        /* The batch `digest` of `seq`. */
    PBFT_FETCH_BLOCKS = 2,      /* COMMITTED messages for seq..last. */
    PBFT_FETCH_STABLE = 3,      /* The newest STABLE message. */
    PBFT_FETCH_VIEW_CHANGE = 4, /* The view-change `digest`. */
    PBFT_FETCH_NEW_VIEW = 5,    /* The new-view of view `seq`. */
};

struct pbft_fetch {
    enum pbft_fetch_kind kind;
    pbft_seq seq;
    pbft_seq last;
    struct pbft_digest digest;
};

/* A signed preimage: what a replica said, as it said it. */
#define PBFT_STATEMENT_MAX 192u

struct pbft_statement {
    uint32_t size;
    uint8_t preimage[PBFT_STATEMENT_MAX]; /* Zero behind `size`. */
    struct pbft_signature signature;
};

/* Two statements of one replica that contradict each other (evidence.h). */
struct pbft_evidence {
    struct pbft_statement statements[2]; /* Ascending. */
};

/* Who sent (for unsigned types) or signed a message. For a REQUEST: the replica
 * that relayed it, or PBFT_SENDER_CLIENT. For BATCH, PREPARED, COMMITTED,
 * STABLE and EVIDENCE: the replica that handed it over; they prove themselves.
 */
#define PBFT_SENDER_CLIENT UINT32_MAX

struct pbft_message {
    enum pbft_message_type type;
    pbft_replica_id sender;
    uint64_t incarnation;            /* Of the signer; 0 for unsigned types. */
    pbft_epoch epoch;                /* Whose keys judge it. */
    struct pbft_signature signature; /* Zero for unsigned types. */
    union {
        struct pbft_request request;
        struct pbft_pre_prepare pre_prepare;
        struct pbft_prepare prepare;
        struct pbft_prepare commit;
        struct pbft_attestation attestation;
        struct pbft_view_change view_change;
        struct pbft_new_view new_view;
        struct pbft_status_report status;
        struct pbft_fetch fetch;
        struct pbft_batch batch;
        struct pbft_prepared prepared;
        struct pbft_committed committed;
        struct pbft_stable stable;
        /* Large and rare: apart, so that votes stay small. */
        const struct pbft_evidence *evidence;
    };
};

const struct pbft_message *pbft_message_ref(const struct pbft_message *message);
void pbft_message_unref(const struct pbft_message *message); /* NULL is fine. */

/* The same content handed over by `sender`: for the types that are not signed
 * by a replica (REQUEST, BATCH, PREPARED, COMMITTED, STABLE). Shares the
 * content of `message` and keeps it alive. */
struct pbft_message *
pbft_message_handed_over(const struct pbft_message *message,
                         pbft_replica_id sender);

const char *pbft_message_type_name(enum pbft_message_type type);

/* The view and seq that a message speaks of; 0 where it has none. */
pbft_view pbft_message_view(const struct pbft_message *message);
pbft_seq pbft_message_seq(const struct pbft_message *message);

/* Bytes that the message keeps alive, nested messages included. */
size_t pbft_message_memory(const struct pbft_message *message);

/* Sender, incarnation, epoch and signature of a message to be built. Leave the
 * signature zero and call pbft_message_sign_* through preimage.h first, or
 * pass what came over the wire. */
struct pbft_origin {
    pbft_replica_id sender;
    uint64_t incarnation;
    pbft_epoch epoch;
    struct pbft_signature signature;
};

/* `fields`: all but `payload` and the digests are copied; they are computed.
 * With a `backing` buffer the payload must lie in it and is referenced, else
 * it is copied. */
struct pbft_message *pbft_request_create(const struct pbft_domain *domain,
                                         const struct pbft_request *fields,
                                         pbft_replica_id relay,
                                         struct pbft_buffer *backing);

/* References each request. Computes digest and bytes. */
struct pbft_message *
pbft_batch_create(const struct pbft_domain *domain, pbft_wall_us time,
                  const struct pbft_message *const *requests,
                  uint32_t request_count);

/* References `body` (may be NULL). */
struct pbft_message *pbft_pre_prepare_create(const struct pbft_origin *origin,
                                             pbft_view view, pbft_seq seq,
                                             const struct pbft_digest *digest,
                                             const struct pbft_message *body);
/* A copy of a pre-prepare with (another, or no) body. */
struct pbft_message *
pbft_pre_prepare_with_body(const struct pbft_message *pre_prepare,
                           const struct pbft_message *body);

/* `type`: PREPARE or COMMIT. */
struct pbft_message *pbft_vote_create(enum pbft_message_type type,
                                      const struct pbft_origin *origin,
                                      const struct pbft_prepare *fields);
struct pbft_message *
pbft_attestation_create(const struct pbft_origin *origin,
                        const struct pbft_attestation *fields);
struct pbft_message *pbft_stable_create(pbft_replica_id sender,
                                        pbft_epoch epoch,
                                        const struct pbft_attestation *fields,
                                        const struct pbft_vote *votes,
                                        uint32_t vote_count);
/* `type`: PREPARED or COMMITTED. References the pre-prepare. */
struct pbft_message *
pbft_certificate_create(enum pbft_message_type type, pbft_replica_id sender,
                        pbft_epoch epoch,
                        const struct pbft_message *pre_prepare,
                        const struct pbft_vote *votes, uint32_t vote_count);
/* References `stable` and each prepared certificate. Computes the digest. */
struct pbft_message *pbft_view_change_create(
    const struct pbft_domain *domain, const struct pbft_origin *origin,
    pbft_view view, const struct pbft_message *stable,
    const struct pbft_message *const *prepared, uint32_t prepared_count);
struct pbft_message *pbft_new_view_create(
    const struct pbft_origin *origin, pbft_view view,
    const struct pbft_new_view_source *view_changes, uint32_t view_change_count,
    const struct pbft_message *const *pre_prepares, uint32_t pre_prepare_count);
/* Copies the bits. */
struct pbft_message *
pbft_status_create(const struct pbft_origin *origin,
                   const struct pbft_status_report *fields);
struct pbft_message *pbft_fetch_create(const struct pbft_origin *origin,
                                       const struct pbft_fetch *fields);

#endif /* CONSENSUS_MESSAGE_H */
