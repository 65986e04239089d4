/* SPDX-License-Identifier: Apache-2.0 */
/* Every limit of the wire, with its reason. Nothing from outside sizes an
 * allocation before it was compared with one of these.
 */
#ifndef PROTO_CODEC_LIMITS_H
#define PROTO_CODEC_LIMITS_H

#include "consensus/types.h"

/* One network frame, and one file. It holds the largest block (a batch of
 * PBFT_BATCH_BYTES_MAX with a full certificate) several times over; net/ hands
 * it to NNG as RECVMAXSZ. */
#define WIRE_FRAME_BYTES_MAX 16777216u /* 16 MiB. */

/* Version, cluster, sender, and tag and length of one message. */
#define WIRE_ENVELOPE_OVERHEAD_MAX 64u

/* One message: what a frame holds if it is alone in it. */
#define WIRE_MESSAGE_BYTES_MAX                                                 \
    (WIRE_FRAME_BYTES_MAX - WIRE_ENVELOPE_OVERHEAD_MAX)

/* Messages in an envelope: three votes for each slot of the default window at
 * most, and room to resend. Bounds the objects that one frame makes us build.
 */
#define WIRE_ENVELOPE_MESSAGES_MAX 1024u

/* Key envelopes and what is said of them, in an envelope of the wire: a small
 * message each, and few, so that they do not keep votes waiting. */
#define WIRE_DELIVERY_BYTES_MAX 512u
#define WIRE_ENVELOPE_DELIVERIES_MAX 64u

/* The first bytes of the cluster id, in each envelope and call. */
#define WIRE_CLUSTER_PREFIX_SIZE 8u

/* Votes in a certificate: one per replica. */
#define WIRE_CERTIFICATE_VOTES_MAX PBFT_REPLICAS_MAX
/* Prepared certificates in a view-change, headers in a new-view: one per slot.
 */
#define WIRE_CERTIFICATES_MAX PBFT_WINDOW_MAX

/* Tag, length and the fixed fields of one encoded vote of a certificate, at
 * their longest: replica 6, incarnation 11, signature 66, frame 2. */
#define WIRE_VOTE_BYTES_MAX 85u
/* The same for a certificate without its votes and without a body: primary 6,
 * incarnation 11, signature 66, header 2 * 11 + 34 + 2, frame 4. */
#define WIRE_CERTIFICATE_FIXED_BYTES_MAX 145u
/* A request without its payload: client 34, institution 18, session 11,
 * sequence 11, lane 2, signature 66, payload frame 5, frame 5. */
#define WIRE_REQUEST_FIXED_BYTES_MAX 152u

/* Nesting of sub-messages, counted from 1 at the root. The deepest of ours is
 * 5 (TransactionBody.consent_grant.exceptions.selector.actors); no message is
 * recursive. */
#define WIRE_NESTING_MAX 8u

/* Sub-messages, strings, byte strings and repeated scalars in one file, call
 * or transaction list: bounds the work of one strict unpack. */
#define WIRE_ELEMENTS_MAX 65536u

/* Memory that one strict unpack may take, allocations of protobuf-c included:
 * four times the largest frame is beyond any honest one, since most of their
 * bytes are payload that is copied once. */
#define WIRE_UNPACK_BYTES_MAX 67108864u /* 64 MiB. */

/* One block of an arena: small enough not to waste, large enough that a usual
 * transaction takes one. */
#define WIRE_ARENA_BLOCK_BYTES 16384u

/* A base64 file: 4/3 of a frame, line ends, BEGIN and END. */
#define ARMOR_TEXT_BYTES_MAX (WIRE_FRAME_BYTES_MAX / 48u * 65u + 256u)
/* Columns of base64 in a line, as in PEM. */
#define ARMOR_COLUMNS 64u

static_assert(WIRE_MESSAGE_BYTES_MAX >=
                  2 * (PBFT_BATCH_BYTES_MAX +
                       PBFT_BATCH_REQUESTS_MAX * WIRE_REQUEST_FIXED_BYTES_MAX +
                       WIRE_CERTIFICATE_VOTES_MAX * WIRE_VOTE_BYTES_MAX +
                       WIRE_CERTIFICATE_FIXED_BYTES_MAX),
              "the largest block fits into a frame with room to spare");
static_assert(WIRE_MESSAGE_BYTES_MAX >=
                  256 * (86 * WIRE_VOTE_BYTES_MAX +
                         WIRE_CERTIFICATE_FIXED_BYTES_MAX),
              "a view-change of the default window fits at 128 replicas");
static_assert(WIRE_UNPACK_BYTES_MAX == 4 * WIRE_FRAME_BYTES_MAX,
              "four times the largest frame");
static_assert(WIRE_CERTIFICATE_VOTES_MAX <= PBFT_REPLICAS_MAX,
              "a certificate has at most one vote per replica");
static_assert(ARMOR_COLUMNS % 4 == 0, "a line is a whole number of groups");

#endif /* PROTO_CODEC_LIMITS_H */
