/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the consensus log back, and judging whether it may be trusted.
 *
 * Two passes over the same records: the first finds out whether all of them can
 * be read, the second hands them out. So nobody acts upon half a log. A record
 * that cannot be read for want of memory, or of a disk that answers, is neither
 * sound nor damaged: the replay fails, and may be tried again.
 */
#include "storage/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "consensus/assert.h"
#include "consensus/bytes.h"
#include "proto/codec.h"
#include "storage/storage_private.h"

struct replay {
    struct storage *storage;
    struct pbft_log_judge judge;
    struct storage_log_summary *summary;
    void (*on_record)(void *context, const struct pbft_record *record);
    void *context;
    /* Why a record could not be read, if that says nothing about it. */
    enum pbft_status unread;
};

/* It says something about what is stored. Others (no memory, an I/O error) do
 * not: the next start may find it sound. */
static bool is_verdict(enum pbft_status status)
{
    return status == PBFT_OK || status == PBFT_NOT_FOUND ||
           status == PBFT_MALFORMED || status == PBFT_CORRUPT ||
           status == PBFT_TOO_LARGE;
}

static void note(struct replay *replay, uint64_t number, const char *what,
                 enum pbft_status status)
{
    struct salus_reason *reason = &replay->summary->reason;
    if (reason->text[0] == '\0') {
        (void)snprintf(reason->text, sizeof reason->text,
                       "log record %" PRIu64 ": %s: %s", number, what,
                       pbft_status_text(status));
    }
}

/* PBFT_NOT_FOUND: the body of an executed seq that did not become the block was
 * collected already; the record binds nothing any more. */
static enum pbft_status read_body(const struct storage *storage,
                                  const struct pbft_frame *frame,
                                  const struct pbft_message **out)
{
    struct pbft_digest digest;
    if (frame->payload.size != PBFT_DIGEST_SIZE) {
        return PBFT_CORRUPT;
    }
    memcpy(digest.bytes, frame->payload.data, PBFT_DIGEST_SIZE);
    enum pbft_status status =
        storage_body_read(storage, frame->seq, &digest, out);
    if (status == PBFT_NOT_FOUND && frame->seq > storage->applied.seq) {
        return PBFT_CORRUPT;
    }
    return status;
}

static enum pbft_status read_message(const struct storage *storage,
                                     const struct pbft_frame *frame,
                                     const struct pbft_message **out)
{
    if (frame->kind == PBFT_RECORD_BODY) {
        return read_body(storage, frame, out);
    }
    enum pbft_status status =
        wire_message_decode(storage->domain, frame->payload, NULL, out);
    return status == PBFT_OK || status == PBFT_NO_MEMORY ? status
                                                         : PBFT_CORRUPT;
}

/* Checks one entry of the family; hands it out if the replay has a visitor. */
static void visit(struct replay *replay, struct pbft_bytes key,
                  struct pbft_bytes value)
{
    struct storage *storage = replay->storage;
    struct pbft_frame frame = {0};
    uint64_t number = key.size == LOG_KEY_SIZE ? pbft_get_u64(key.data) : 0;
    enum pbft_status status =
        pbft_frame_read(storage->domain, storage->self, value, &frame);
    if (status == PBFT_OK && frame.number != number) {
        status = PBFT_CORRUPT;
    }
    if (status != PBFT_OK) {
        note(replay, number, "frame", status);
    }
    const struct pbft_message *message = NULL;
    if (status == PBFT_OK) {
        status = read_message(storage, &frame, &message);
        if (status != PBFT_OK && status != PBFT_NOT_FOUND) {
            note(replay, number, pbft_record_kind_name(frame.kind), status);
        } else {
            status = PBFT_OK;
        }
    }
    if (!is_verdict(status)) {
        replay->unread = status;
    }
    pbft_log_judge_feed(&replay->judge, status, &frame);
    if (status == PBFT_OK && message != NULL && replay->on_record != NULL) {
        const struct pbft_record record = {frame.kind, frame.view, frame.seq,
                                           message};
        replay->on_record(replay->context, &record);
    }
    pbft_message_unref(message);
    if (replay->summary->first_number == 0) {
        replay->summary->first_number = number;
    }
    replay->summary->last_number = number;
}

/* One pass over all records. CORRUPT: what comes next cannot be read. */
static enum pbft_status walk(struct replay *replay, uint64_t first)
{
    pbft_log_judge_init(&replay->judge, first);
    struct pbft_bytes none = {NULL, 0};
    struct rocks_iterator *iterator =
        rocks_iterate(replay->storage->rocks, NULL, ROCKS_LOG, none, none);
    for (; replay->unread == PBFT_OK && rocks_iterator_valid(iterator);
         rocks_iterator_next(iterator)) {
        visit(replay, rocks_iterator_key(iterator),
              rocks_iterator_value(iterator));
    }
    enum pbft_status status =
        rocks_iterator_status(iterator, &replay->summary->reason);
    rocks_iterator_destroy(iterator);
    return replay->unread != PBFT_OK ? replay->unread : status;
}

enum pbft_status storage_log_expected_first(const struct storage *storage,
                                            uint64_t *out)
{
    uint8_t bytes[LOG_KEY_SIZE];
    size_t size = 0;
    enum pbft_status status =
        storage_meta_get(storage, META_LOG_FIRST, bytes, sizeof bytes, &size);
    if (status == PBFT_NOT_FOUND) {
        *out = 1;
        return PBFT_OK;
    }
    if (status == PBFT_OK && size == sizeof bytes) {
        *out = pbft_get_u64(bytes);
        return PBFT_OK;
    }
    return status == PBFT_OK || status == PBFT_TOO_LARGE ? PBFT_CORRUPT
                                                         : status;
}

/* RocksDB writes a batch whole or not at all and cuts a torn one itself, so a
 * bad frame at the end is no torn write here: it was durable once, and a vote
 * in it may have been sent. */
static enum pbft_log_verdict verdict_of(const struct pbft_log_judge *judge)
{
    enum pbft_log_verdict verdict = pbft_log_judge_verdict(judge);
    return verdict == PBFT_LOG_TORN ? PBFT_LOG_DAMAGED : verdict;
}

static enum pbft_status judge_log(struct replay *replay, uint64_t first)
{
    enum pbft_status status = walk(replay, first);
    struct storage_log_summary *summary = replay->summary;
    if (status == PBFT_CORRUPT) {
        summary->verdict = PBFT_LOG_DAMAGED;
        return PBFT_OK;
    }
    summary->verdict = verdict_of(&replay->judge);
    if (summary->verdict == PBFT_LOG_DAMAGED &&
        summary->reason.text[0] == '\0') {
        (void)snprintf(summary->reason.text, sizeof summary->reason.text,
                       "log records %" PRIu64 "..%" PRIu64
                       ": one is missing, or the first is not %" PRIu64,
                       summary->first_number, summary->last_number, first);
    }
    return status;
}

/* The second pass. A log that it does not find as the first one did is not
 * acted upon, though some of it was handed out. */
static enum pbft_status hand_out(struct replay *replay, uint64_t first)
{
    enum pbft_status status = walk(replay, first);
    return status == PBFT_OK && verdict_of(&replay->judge) != PBFT_LOG_INTACT
               ? PBFT_CORRUPT
               : status;
}

/* The folder has lost its data, or its log was set aside, and nothing was
 * promised since. */
static enum pbft_status find_lost(const struct storage *storage, bool *is_lost)
{
    uint8_t mark[1];
    size_t size = 0;
    enum pbft_status status =
        storage_meta_get(storage, META_LOG_LOST, mark, sizeof mark, &size);
    *is_lost = status == PBFT_OK;
    return status == PBFT_NOT_FOUND ? PBFT_OK : status;
}

enum pbft_status storage_log_replay(
    struct storage *storage,
    void (*on_record)(void *context, const struct pbft_record *record),
    void *context, struct storage_log_summary *out)
{
    PBFT_ASSERT(!storage->log_ready);
    uint64_t first = 0;
    *out = (struct storage_log_summary){.verdict = PBFT_LOG_DAMAGED};
    enum pbft_status status = storage_log_expected_first(storage, &first);
    if (status == PBFT_CORRUPT) {
        (void)snprintf(out->reason.text, sizeof out->reason.text,
                       "the number of the first log record is unreadable");
        return PBFT_OK;
    }
    if (status != PBFT_OK) {
        return status;
    }
    struct replay replay = {.storage = storage, .summary = out};
    status = judge_log(&replay, first);
    bool is_lost = false;
    if (status == PBFT_OK) {
        status = find_lost(storage, &is_lost);
    }
    if (status == PBFT_OK && is_lost) {
        out->verdict = PBFT_LOG_DAMAGED;
        salus_reason_set(&out->reason, "the data of this replica are gone");
    }
    if (status != PBFT_OK || out->verdict == PBFT_LOG_DAMAGED) {
        return status;
    }
    storage->log_first = first;
    storage->log_next = out->last_number != 0 ? out->last_number + 1 : first;
    atomic_store(&storage->log_records, storage->log_next - first);
    if (on_record != NULL) {
        replay.on_record = on_record;
        replay.context = context;
        status = hand_out(&replay, first);
    }
    storage->log_ready = status == PBFT_OK;
    return status;
}
