/* SPDX-License-Identifier: Apache-2.0 */
/* The field numbers of consensus.proto. A test compares the two through the
 * generated code. Private to proto/.
 */
#ifndef PROTO_CODEC_FIELDS_H
#define PROTO_CODEC_FIELDS_H

#include "consensus/message.h"

enum envelope_field {
    ENVELOPE_VERSION = 1,
    ENVELOPE_CLUSTER = 2,
    ENVELOPE_SENDER = 3,
    ENVELOPE_MESSAGES = 4,
    ENVELOPE_DELIVERIES = 8,
};

enum message_field {
    MESSAGE_SENDER = 1,
    MESSAGE_INCARNATION = 2,
    MESSAGE_EPOCH = 3,
    MESSAGE_SIGNATURE = 4,
    MESSAGE_KIND = 9, /* + enum pbft_message_type: 10..23. */
};

enum request_field {
    REQUEST_CLIENT = 1,
    REQUEST_INSTITUTION = 2,
    REQUEST_SESSION = 3,
    REQUEST_SEQUENCE = 4,
    REQUEST_LANE = 5,
    REQUEST_PAYLOAD = 6,
    REQUEST_SIGNATURE = 7,
};

enum slot_field { /* Of PrePrepare and Vote. */
                  SLOT_VIEW = 1,
                  SLOT_SEQ = 2,
                  SLOT_DIGEST = 3,
                  SLOT_BODY = 4,
};

enum batch_field {
    BATCH_TIME = 1,
    BATCH_REQUESTS = 2,
};

enum attestation_field {
    ATTESTATION_SEQ = 1,
    ATTESTATION_TIME = 2,
    ATTESTATION_BLOCK = 3,
    ATTESTATION_RESULTS = 4,
    ATTESTATION_LEDGER = 5,
};

enum vote_field { /* Of CertificateVote. */
                  VOTE_REPLICA = 1,
                  VOTE_INCARNATION = 2,
                  VOTE_SIGNATURE = 3,
};

enum certificate_field {
    CERTIFICATE_PRIMARY = 1,
    CERTIFICATE_INCARNATION = 2,
    CERTIFICATE_SIGNATURE = 3,
    CERTIFICATE_HEADER = 4,
    CERTIFICATE_VOTES = 5,
};

enum stable_field {
    STABLE_ATTESTATION = 1,
    STABLE_VOTES = 2,
};

enum evidence_field {
    EVIDENCE_STATEMENTS = 1,
};

enum view_change_field {
    VIEW_CHANGE_VIEW = 1,
    VIEW_CHANGE_STABLE = 2,
    VIEW_CHANGE_PREPARED = 3,
};

enum new_view_field {
    NEW_VIEW_VIEW = 1,
    NEW_VIEW_SOURCES = 2,
    NEW_VIEW_HEADERS = 3,
};

enum source_field {
    SOURCE_REPLICA = 1,
    SOURCE_DIGEST = 2,
};

enum header_field { /* Of SignedHeader. */
                    HEADER_PRE_PREPARE = 1,
                    HEADER_SIGNATURE = 2,
};

enum status_field {
    STATUS_VIEW = 1,
    STATUS_VIEW_ACTIVE = 2,
    STATUS_STABLE = 3,
    STATUS_EXECUTED = 4,
    STATUS_COMMITTED_ABOVE = 5,
    STATUS_VERSION_MIN = 6,
    STATUS_VERSION_MAX = 7,
    STATUS_REPLY_WANTED = 8,
    STATUS_PREPARED_BITS = 9,
    STATUS_ATTESTED = 10,
    STATUS_QUESTION = 11,
};

enum fetch_field {
    FETCH_KIND = 1,
    FETCH_SEQ = 2,
    FETCH_LAST = 3,
    FETCH_DIGEST = 4,
};

/* Whether the envelope of the message carries a signature over the content;
 * the other types prove themselves or are judged by their channel. */
static inline bool wire_is_signed(enum pbft_message_type type)
{
    return type >= PBFT_MESSAGE_PRE_PREPARE && type <= PBFT_MESSAGE_FETCH;
}

/* FETCH names a digest for bodies and view-changes. */
static inline bool wire_fetch_has_digest(enum pbft_fetch_kind kind)
{
    return kind == PBFT_FETCH_BODY || kind == PBFT_FETCH_VIEW_CHANGE;
}

static_assert(PBFT_MESSAGE_PRE_PREPARE == 2 && PBFT_MESSAGE_FETCH == 9,
              "the signed types are consecutive");

#endif /* PROTO_CODEC_FIELDS_H */
