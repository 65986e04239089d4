/* SPDX-License-Identifier: Apache-2.0 */
/* Frames log records and judges a log that was read back (design: P14). */
#include "consensus/record.h"

#include <string.h>

#include "consensus/assert.h"
#include "consensus/bytes.h"

#define FRAME_MAGIC UINT32_C(0x53414c31) /* "SAL1" */
#define CHECKSUM_SIZE 16

enum frame_offset {
    OFFSET_MAGIC = 0,
    OFFSET_KIND = 4,
    OFFSET_NUMBER = 8,
    OFFSET_VIEW = 16,
    OFFSET_SEQ = 24,
    OFFSET_SIZE = 32,
    OFFSET_CHECKSUM = 36,
};

static_assert(OFFSET_CHECKSUM + CHECKSUM_SIZE == PBFT_FRAME_HEADER_SIZE,
              "the checksum ends the header");

/* Covers the place (cluster, replica, number, kind, view, seq) and the bytes.
 */
static void checksum(const struct pbft_domain *domain, pbft_replica_id self,
                     const uint8_t *header, struct pbft_bytes payload,
                     uint8_t out[CHECKSUM_SIZE])
{
    static const uint8_t tag[] = "salus/record/1";
    uint8_t owner[PBFT_U32_SIZE];
    struct pbft_digest digest;
    pbft_put_u32(owner, self);
    const struct pbft_bytes parts[] = {
        {tag, sizeof tag},
        {domain->cluster.bytes, PBFT_DIGEST_SIZE},
        {owner, sizeof owner},
        {header, OFFSET_CHECKSUM},
        payload,
    };
    domain->crypto->digest(domain->crypto->context, &digest, parts,
                           sizeof parts / sizeof parts[0]);
    memcpy(out, digest.bytes, CHECKSUM_SIZE);
}

static bool is_record_kind(uint32_t kind)
{
    return kind >= PBFT_RECORD_PRE_PREPARE && kind <= PBFT_RECORD_RECOVERING;
}

void pbft_frame_write(const struct pbft_domain *domain, pbft_replica_id self,
                      const struct pbft_frame *frame,
                      uint8_t header[PBFT_FRAME_HEADER_SIZE])
{
    PBFT_ASSERT(frame->number > 0);
    PBFT_ASSERT(is_record_kind((uint32_t)frame->kind));
    PBFT_ASSERT(frame->payload.size <= PBFT_RECORD_BYTES_MAX);
    pbft_put_u32(header + OFFSET_MAGIC, FRAME_MAGIC);
    pbft_put_u32(header + OFFSET_KIND, (uint32_t)frame->kind);
    pbft_put_u64(header + OFFSET_NUMBER, frame->number);
    pbft_put_u64(header + OFFSET_VIEW, frame->view);
    pbft_put_u64(header + OFFSET_SEQ, frame->seq);
    pbft_put_u32(header + OFFSET_SIZE, (uint32_t)frame->payload.size);
    checksum(domain, self, header, frame->payload, header + OFFSET_CHECKSUM);
}

enum pbft_status pbft_frame_read(const struct pbft_domain *domain,
                                 pbft_replica_id self, struct pbft_bytes bytes,
                                 struct pbft_frame *out)
{
    if (bytes.size < PBFT_FRAME_HEADER_SIZE) {
        return PBFT_MALFORMED;
    }
    if (pbft_get_u32(bytes.data + OFFSET_MAGIC) != FRAME_MAGIC) {
        return PBFT_CORRUPT;
    }
    uint32_t size = pbft_get_u32(bytes.data + OFFSET_SIZE);
    if (size > PBFT_RECORD_BYTES_MAX) {
        return PBFT_TOO_LARGE;
    }
    const struct pbft_bytes payload = {bytes.data + PBFT_FRAME_HEADER_SIZE,
                                       bytes.size - PBFT_FRAME_HEADER_SIZE};
    if (payload.size != size) {
        return payload.size < size ? PBFT_MALFORMED : PBFT_CORRUPT;
    }
    uint8_t expected[CHECKSUM_SIZE];
    checksum(domain, self, bytes.data, payload, expected);
    uint32_t kind = pbft_get_u32(bytes.data + OFFSET_KIND);
    if (memcmp(expected, bytes.data + OFFSET_CHECKSUM, CHECKSUM_SIZE) != 0 ||
        !is_record_kind(kind)) {
        return PBFT_CORRUPT;
    }
    *out = (struct pbft_frame){
        .number = pbft_get_u64(bytes.data + OFFSET_NUMBER),
        .kind = (enum pbft_record_kind)kind,
        .view = pbft_get_u64(bytes.data + OFFSET_VIEW),
        .seq = pbft_get_u64(bytes.data + OFFSET_SEQ),
        .payload = payload,
    };
    return PBFT_OK;
}

void pbft_log_judge_init(struct pbft_log_judge *judge, uint64_t first_number)
{
    *judge = (struct pbft_log_judge){.next_number = first_number};
}

void pbft_log_judge_feed(struct pbft_log_judge *judge, enum pbft_status status,
                         const struct pbft_frame *frame)
{
    if (judge->saw_bad) {
        judge->damaged = true; /* What follows a bad frame was synced later. */
        return;
    }
    if (status != PBFT_OK) {
        judge->saw_bad = true;
        /* Only an incomplete frame can come from a write that was cut off. A
         * complete one that does not check was once good: a vote is lost. */
        judge->damaged = judge->damaged || status != PBFT_MALFORMED;
        return;
    }
    if (judge->next_number != 0 && frame->number != judge->next_number) {
        judge->damaged = true;
    }
    judge->next_number = frame->number + 1;
}

enum pbft_log_verdict pbft_log_judge_verdict(const struct pbft_log_judge *judge)
{
    if (judge->damaged) {
        return PBFT_LOG_DAMAGED;
    }
    return judge->saw_bad ? PBFT_LOG_TORN : PBFT_LOG_INTACT;
}

bool pbft_record_is_droppable(enum pbft_record_kind kind, pbft_seq seq,
                              pbft_seq stable_seq)
{
    /* The proof itself stays: it begins what is kept. New-views and records of
     * seq 0 before it were written again behind it. */
    if (kind == PBFT_RECORD_NEW_VIEW) {
        return true;
    }
    return kind == PBFT_RECORD_STABLE ? seq < stable_seq : seq <= stable_seq;
}
