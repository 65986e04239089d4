/* SPDX-License-Identifier: Apache-2.0 */
/* Pending writes, syncs, crashes, and reading the log back. */
#include "sim/disk.h"

#include <stdlib.h>
#include <string.h>

#include "consensus/assert.h"
#include "proto/codec.h"
#include "sim/trace.h"

#define PENDING_CAPACITY_FIRST 64

void disk_init(struct disk *disk, const struct pbft_domain *domain,
               pbft_replica_id owner)
{
    *disk = (struct disk){.domain = domain,
                          .owner = owner,
                          .image = {.first_number = 1},
                          .next_number = 1};
}

static void drop_write(struct disk_write *write)
{
    free(write->record.bytes);
    pbft_message_unref(write->message);
    pbft_message_unref(write->block.committed);
    pbft_message_unref(write->block.proof);
}

static void drop_pending(struct disk *disk, size_t from)
{
    for (size_t i = from; i < disk->pending_count; i++) {
        drop_write(&disk->pending[i]);
    }
    disk->pending_count = 0;
}

void disk_deinit(struct disk *disk)
{
    drop_pending(disk, 0);
    free(disk->pending);
    disk_image_deinit(&disk->image);
    *disk = (struct disk){.domain = NULL};
}

static struct disk_write *add_pending(struct disk *disk)
{
    if (disk->pending_count == disk->pending_capacity) {
        disk->pending_capacity = disk->pending_capacity == 0
                                     ? PENDING_CAPACITY_FIRST
                                     : 2 * disk->pending_capacity;
        disk->pending = realloc(disk->pending, disk->pending_capacity *
                                                   sizeof disk->pending[0]);
        PBFT_ASSERT(disk->pending != NULL);
    }
    struct disk_write *write = &disk->pending[disk->pending_count++];
    *write = (struct disk_write){.ticket = 0};
    return write;
}

static bool use_up(struct disk_fault *fault, enum disk_fault_kind kind,
                   uint32_t record_kinds)
{
    if (fault->kind != kind || (fault->record_kinds & record_kinds) == 0) {
        return false;
    }
    if (fault->times != UINT64_MAX && --fault->times == 0) {
        fault->kind = DISK_FAULT_NONE;
    }
    return true;
}

/* Uses up one of the injected faults, if this is its case. */
static bool fails(struct disk *disk, enum disk_fault_kind kind,
                  uint32_t record_kinds)
{
    if (use_up(&disk->fault, kind, record_kinds)) {
        return true;
    }
    for (uint32_t i = 0; i < disk->more_fault_count; i++) {
        if (use_up(&disk->more_faults[i], kind, record_kinds)) {
            return true;
        }
    }
    return false;
}

static struct disk_record encode(struct disk *disk,
                                 const struct pbft_record *record)
{
    struct wire_buffer buffer;
    wire_buffer_init(&buffer, PBFT_RECORD_BYTES_MAX);
    uint8_t *header = wire_buffer_grow(&buffer, PBFT_FRAME_HEADER_SIZE);
    PBFT_ASSERT(header != NULL);
    enum pbft_status status =
        wire_message_encode(record->message, WIRE_BODY_OMIT, &buffer);
    PBFT_ASSERT(status == PBFT_OK);
    struct disk_record out = {
        .kind = record->kind, .view = record->view, .seq = record->seq};
    out.bytes = wire_buffer_take(&buffer, &out.size);
    const struct pbft_frame frame = {
        .number = disk->next_number++,
        .kind = record->kind,
        .view = record->view,
        .seq = record->seq,
        .payload = {out.bytes + PBFT_FRAME_HEADER_SIZE,
                    out.size - PBFT_FRAME_HEADER_SIZE}};
    pbft_frame_write(disk->domain, disk->owner, &frame, out.bytes);
    out.content = *trace_digest_of(record->message);
    return out;
}

bool disk_write_records(struct disk *disk, pbft_ticket ticket,
                        const struct pbft_record *records, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (fails(disk, DISK_FAULT_WRITE, 1u << records[i].kind)) {
            return false;
        }
        struct disk_record record = encode(disk, &records[i]);
        struct disk_write *write = add_pending(disk);
        write->kind = DISK_WRITE_RECORD;
        write->ticket = ticket;
        write->record = record;
        write->message = pbft_message_ref(records[i].message);
    }
    return true;
}

bool disk_write_block(struct disk *disk, const struct pbft_message *committed,
                      const struct pbft_attestation *executed)
{
    if (fails(disk, DISK_FAULT_WRITE, DISK_KIND_APPLIED)) {
        return false;
    }
    struct disk_write *write = add_pending(disk);
    write->kind = DISK_WRITE_BLOCK;
    write->block.committed = pbft_message_ref(committed);
    write->block.executed = *executed;
    return true;
}

void disk_write_proof(struct disk *disk, pbft_seq seq,
                      const struct pbft_message *proof)
{
    struct disk_write *write = add_pending(disk);
    write->kind = DISK_WRITE_PROOF;
    write->seq = seq;
    write->block.proof = pbft_message_ref(proof);
}

void disk_write_truncate(struct disk *disk, pbft_seq stable_seq)
{
    struct disk_write *write = add_pending(disk);
    write->kind = DISK_WRITE_TRUNCATE;
    write->seq = stable_seq;
}

/* Moves one write into the image; what it owned goes along. */
static void apply(struct disk *disk, struct disk_write *write)
{
    struct disk_image *image = &disk->image;
    switch (write->kind) {
    case DISK_WRITE_RECORD:
        disk_image_add_record(image, write->record);
        if (disk->on_durable != NULL) {
            disk->on_durable(disk->context, &write->record, write->message);
        }
        pbft_message_unref(write->message);
        return;
    case DISK_WRITE_BLOCK:
        disk_image_add_block(image, write->block);
        return;
    case DISK_WRITE_PROOF:
        PBFT_ASSERT(write->seq >= 1 && write->seq <= image->block_count);
        pbft_message_unref(image->blocks[write->seq - 1].proof);
        image->blocks[write->seq - 1].proof = write->block.proof;
        return;
    case DISK_WRITE_TRUNCATE:
        disk_image_truncate(image, write->seq);
        return;
    }
}

static void apply_first(struct disk *disk, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        apply(disk, &disk->pending[i]);
    }
    disk->pending_count -= count;
    if (disk->pending_count == 0) {
        return;
    }
    memmove(disk->pending, disk->pending + count,
            disk->pending_count * sizeof disk->pending[0]);
}

static uint32_t kind_of(const struct disk_write *write)
{
    switch (write->kind) {
    case DISK_WRITE_RECORD:
        return 1u << write->record.kind;
    case DISK_WRITE_BLOCK:
        return DISK_KIND_APPLIED;
    case DISK_WRITE_PROOF:
    case DISK_WRITE_TRUNCATE:
        break;
    }
    return 0;
}

bool disk_sync(struct disk *disk, pbft_ticket ticket)
{
    size_t count = 0;
    uint32_t kinds = 0;
    for (size_t i = 0; i < disk->pending_count; i++) {
        const struct disk_write *write = &disk->pending[i];
        if (write->ticket != 0 && write->ticket <= ticket) {
            count = i + 1;
        }
    }
    for (size_t i = 0; i < count; i++) {
        kinds |= kind_of(&disk->pending[i]);
    }
    if (fails(disk, DISK_FAULT_SYNC, kinds)) {
        return false;
    }
    apply_first(disk, count);
    return true;
}

bool disk_has_unsynced_records(const struct disk *disk)
{
    for (size_t i = 0; i < disk->pending_count; i++) {
        if (disk->pending[i].kind == DISK_WRITE_RECORD) {
            return true;
        }
    }
    return false;
}

size_t disk_pending_bytes(const struct disk *disk, size_t at)
{
    return at < disk->pending_count &&
                   disk->pending[at].kind == DISK_WRITE_RECORD
               ? disk->pending[at].record.size
               : 0;
}

static size_t torn_size(size_t size, size_t torn)
{
    size_t left = torn == DISK_TORN_HALF ? size / 2 + 1 : torn;
    return left < size ? left : size - 1;
}

void disk_crash(struct disk *disk, size_t keep, size_t torn)
{
    if (keep > disk->pending_count) {
        keep = disk->pending_count;
    }
    apply_first(disk, keep);
    /* Pending starts with the first write that is lost. */
    if (torn > 0 && disk_pending_bytes(disk, 0) > 0) {
        struct disk_record part = disk->pending[0].record;
        const bool is_log_lost = disk->image.is_log_lost;
        disk->pending[0].record.bytes = NULL;
        part.size = torn_size(part.size, torn);
        disk_image_add_record(&disk->image, part);
        disk->image.is_log_lost = is_log_lost; /* It counts for none. */
    }
    drop_pending(disk, 0);
    disk->next_number = disk->image.first_number + disk->image.record_count;
}

/* Reads all frames; `frames` has room for as many as there are records. */
void disk_drop_some(struct disk *disk, struct random *random)
{
    size_t kept = 0;
    for (size_t i = 0; i < disk->pending_count; i++) {
        struct disk_write *write = &disk->pending[i];
        if (write->kind == DISK_WRITE_RECORD && random_chance(random, 500)) {
            drop_write(write);
        } else {
            disk->pending[kept++] = *write;
        }
    }
    disk->pending_count = kept;
}

static enum pbft_log_verdict judge(const struct disk *disk,
                                   struct pbft_frame *frames)
{
    struct pbft_log_judge judge;
    pbft_log_judge_init(&judge, disk->image.first_number);
    for (size_t i = 0; i < disk->image.record_count; i++) {
        const struct disk_record *record = &disk->image.records[i];
        enum pbft_status status = pbft_frame_read(
            disk->domain, disk->owner,
            (struct pbft_bytes){record->bytes, record->size}, &frames[i]);
        pbft_log_judge_feed(&judge, status, &frames[i]);
    }
    return pbft_log_judge_verdict(&judge);
}

void disk_set_log_aside(struct disk *disk)
{
    struct disk_image *image = &disk->image;
    PBFT_ASSERT(disk->pending_count == 0);
    for (size_t i = 0; i < image->record_count; i++) {
        free(image->records[i].bytes);
    }
    image->first_number += image->record_count;
    image->record_count = 0;
    image->is_log_lost = true;
    disk->next_number = image->first_number;
}

static void hand_out(const struct disk *disk, const struct pbft_frame *frame,
                     void (*on_record)(void *context,
                                       const struct pbft_record *record),
                     void *context)
{
    struct pbft_record record = {
        .kind = frame->kind, .view = frame->view, .seq = frame->seq};
    enum pbft_status status = wire_message_decode(disk->domain, frame->payload,
                                                  NULL, &record.message);
    PBFT_ASSERT(status == PBFT_OK);
    on_record(context, &record);
    pbft_message_unref(record.message);
}

enum pbft_log_verdict
disk_replay(struct disk *disk,
            void (*on_record)(void *context, const struct pbft_record *record),
            void *context)
{
    struct disk_image *image = &disk->image;
    struct pbft_frame *frames = calloc(image->record_count + 1, sizeof *frames);
    PBFT_ASSERT(frames != NULL);
    enum pbft_log_verdict verdict = judge(disk, frames);
    if (verdict == PBFT_LOG_TORN) {
        free(image->records[--image->record_count].bytes);
    }
    if (verdict != PBFT_LOG_DAMAGED) {
        disk->next_number = image->first_number + image->record_count;
        for (size_t i = 0; i < image->record_count; i++) {
            hand_out(disk, &frames[i], on_record, context);
        }
    }
    free(frames);
    return verdict;
}

static bool is_body(const struct disk_record *record,
                    const struct pbft_body_read *read)
{
    return record->kind == PBFT_RECORD_BODY && record->seq == read->seq &&
           memcmp(&record->content, &read->digest, sizeof read->digest) == 0;
}

const struct pbft_message *disk_read_body(const struct disk *disk,
                                          const struct pbft_body_read *read)
{
    const struct disk_image *image = &disk->image;
    size_t at = image->record_count;
    while (at > 0 && !is_body(&image->records[at - 1], read)) {
        at--;
    }
    if (at == 0) {
        return NULL;
    }
    const struct disk_record *record = &image->records[at - 1];
    struct pbft_frame frame;
    const struct pbft_message *body = NULL;
    enum pbft_status status = pbft_frame_read(
        disk->domain, disk->owner,
        (struct pbft_bytes){record->bytes, record->size}, &frame);
    if (status == PBFT_OK) {
        status = wire_message_decode(disk->domain, frame.payload, NULL, &body);
    }
    return status == PBFT_OK ? body : NULL;
}
