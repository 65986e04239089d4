/* SPDX-License-Identifier: Apache-2.0 */
/* Log records as bytes, and the judgement of a log that was read back.
 *
 * A frame binds a record to its place: running number, kind, view, seq, the
 * replica and the cluster go into its checksum, besides the payload. So a
 * record that was misplaced, copied from another replica or flipped is seen.
 *
 *   magic u32  kind u32  number u64  view u64  seq u64  size u32
 *   checksum[16]  payload[size]                      (integers big-endian)
 */
#ifndef CONSENSUS_RECORD_H
#define CONSENSUS_RECORD_H

#include "consensus/pbft.h"

#define PBFT_FRAME_HEADER_SIZE 52
/* A view-change of a full window at 128 replicas is the largest record. */
#define PBFT_RECORD_BYTES_MAX (64u * 1024u * 1024u)

struct pbft_frame {
    uint64_t number; /* Consecutive, from 1, over the life of the log. */
    enum pbft_record_kind kind;
    pbft_view view;
    pbft_seq seq;
    struct pbft_bytes payload; /* The encoded message; into the input. */
};

/* Writes the header of a frame; the caller puts the payload behind it. */
void pbft_frame_write(const struct pbft_domain *domain, pbft_replica_id self,
                      const struct pbft_frame *frame,
                      uint8_t header[PBFT_FRAME_HEADER_SIZE]);

/* Parses and checks one frame that fills `bytes` exactly. PBFT_MALFORMED: the
 * frame is incomplete; PBFT_TOO_LARGE or PBFT_CORRUPT: it is complete and bad,
 * or belongs to another place, replica or cluster. */
PBFT_MUST_USE enum pbft_status pbft_frame_read(const struct pbft_domain *domain,
                                               pbft_replica_id self,
                                               struct pbft_bytes bytes,
                                               struct pbft_frame *out);

/* Feeds a log, oldest frame first, and says whether it may be trusted.
 *
 * INTACT: use it. TORN: the last write is incomplete and was never acted upon,
 * since nothing leaves a replica before its records are synced: cut it and use
 * the rest. DAMAGED: a frame inside is bad or missing, or the last one is
 * complete and bad; the replica must not vote from it (design: P14). */
enum pbft_log_verdict { PBFT_LOG_INTACT, PBFT_LOG_TORN, PBFT_LOG_DAMAGED };

struct pbft_log_judge {
    uint64_t next_number; /* 0: not known yet. */
    bool saw_bad;
    bool damaged;
};

/* `first_number`: what the log must begin with. */
void pbft_log_judge_init(struct pbft_log_judge *judge, uint64_t first_number);
/* `status`: what pbft_frame_read() said of this frame; `frame` is read only if
 * that was PBFT_OK. */
void pbft_log_judge_feed(struct pbft_log_judge *judge, enum pbft_status status,
                         const struct pbft_frame *frame);
enum pbft_log_verdict
pbft_log_judge_verdict(const struct pbft_log_judge *judge);

/* The rule of truncation: walking from the oldest record, may this one go once
 * `stable_seq` is stable? Stop at the first that may not. */
bool pbft_record_is_droppable(enum pbft_record_kind kind, pbft_seq seq,
                              pbft_seq stable_seq);

#endif /* CONSENSUS_RECORD_H */
