/* SPDX-License-Identifier: Apache-2.0 */
/* Gathers the records of many outputs into one synced write. */
#include "node/log_writer.h"

#include <pthread.h>
#include <stdlib.h>

#include "consensus/assert.h"
#include "node/thread.h"

#define RECORDS_CAPACITY_FIRST 256

/* One of the two buffers. */
struct pending {
    struct pbft_record *records;
    size_t count;
    size_t capacity;
    bool has_ticket;
    pbft_ticket ticket;  /* The last one in here. */
    pbft_seq stable_seq; /* If not 0: truncate after writing. */
};

struct log_writer {
    struct storage *storage;
    struct log_writer_sink sink;
    pthread_t thread;
    pthread_mutex_t lock; /* Guards `gathering` and `stopping`. */
    pthread_cond_t changed;
    struct pending gathering;
    bool stopping;
    struct pending writing; /* For the thread alone. */
};

static void pending_add(struct pending *pending,
                        const struct pbft_record *record)
{
    if (pending->count == pending->capacity) {
        size_t capacity = pending->capacity != 0 ? 2 * pending->capacity
                                                 : RECORDS_CAPACITY_FIRST;
        PBFT_ASSERT(capacity <= 2 * STORAGE_APPEND_RECORDS_MAX);
        void *grown =
            realloc(pending->records, capacity * sizeof *pending->records);
        PBFT_ASSERT(grown != NULL);
        pending->records = grown;
        pending->capacity = capacity;
    }
    pending->records[pending->count] = *record;
    pending->records[pending->count].message =
        pbft_message_ref(record->message);
    pending->count++;
}

static void pending_clear(struct pending *pending)
{
    for (size_t i = 0; i < pending->count; i++) {
        pbft_message_unref(pending->records[i].message);
    }
    pending->count = 0;
    pending->has_ticket = false;
    pending->stable_seq = 0;
}

static bool pending_is_empty(const struct pending *pending)
{
    return !pending->has_ticket && pending->stable_seq == 0;
}

static enum pbft_status write_out(struct log_writer *writer)
{
    struct pending *pending = &writer->writing;
    enum pbft_status status = PBFT_OK;
    if (pending->count > 0) {
        status = storage_log_append(writer->storage, pending->records,
                                    pending->count);
    }
    if (status == PBFT_OK && pending->has_ticket) {
        writer->sink.durable(writer->sink.context, pending->ticket);
    }
    if (status == PBFT_OK && pending->stable_seq != 0) {
        status = storage_log_truncate(writer->storage, pending->stable_seq);
    }
    return status;
}

/* Waits for work and swaps the buffers; false: there is none and never will
 * be. */
static bool next_batch(struct log_writer *writer)
{
    (void)pthread_mutex_lock(&writer->lock);
    while (pending_is_empty(&writer->gathering) && !writer->stopping) {
        (void)pthread_cond_wait(&writer->changed, &writer->lock);
    }
    bool more = !pending_is_empty(&writer->gathering);
    struct pending swapped = writer->gathering;
    writer->gathering = writer->writing;
    writer->writing = swapped;
    (void)pthread_mutex_unlock(&writer->lock);
    return more;
}

static void *run(void *context)
{
    struct log_writer *writer = context;
    enum pbft_status status = PBFT_OK;
    thread_name("log-writer");
    while (next_batch(writer)) {
        if (status == PBFT_OK) {
            status = write_out(writer);
            if (status != PBFT_OK) {
                writer->sink.failed(writer->sink.context, status);
            }
        }
        pending_clear(&writer->writing);
    }
    return NULL;
}

struct log_writer *log_writer_create(struct storage *storage,
                                     const struct log_writer_sink *sink)
{
    struct log_writer *writer = calloc(1, sizeof *writer);
    PBFT_ASSERT(writer != NULL);
    writer->storage = storage;
    writer->sink = *sink;
    (void)pthread_mutex_init(&writer->lock, NULL);
    (void)pthread_cond_init(&writer->changed, NULL);
    int failed = pthread_create(&writer->thread, NULL, run, writer);
    PBFT_ASSERT(failed == 0);
    return writer;
}

void log_writer_destroy(struct log_writer *writer)
{
    if (writer == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&writer->lock);
    writer->stopping = true;
    (void)pthread_cond_signal(&writer->changed);
    (void)pthread_mutex_unlock(&writer->lock);
    (void)pthread_join(writer->thread, NULL);
    PBFT_ASSERT(pending_is_empty(&writer->gathering));
    free(writer->gathering.records);
    free(writer->writing.records);
    (void)pthread_mutex_destroy(&writer->lock);
    (void)pthread_cond_destroy(&writer->changed);
    free(writer);
}

static void append(void *context, pbft_ticket ticket,
                   const struct pbft_record *records, size_t count)
{
    struct log_writer *writer = context;
    (void)pthread_mutex_lock(&writer->lock);
    for (size_t i = 0; i < count; i++) {
        pending_add(&writer->gathering, &records[i]);
    }
    writer->gathering.ticket = ticket;
    writer->gathering.has_ticket = true;
    (void)pthread_cond_signal(&writer->changed);
    (void)pthread_mutex_unlock(&writer->lock);
}

static void truncate_log(void *context, pbft_seq stable_seq)
{
    struct log_writer *writer = context;
    (void)pthread_mutex_lock(&writer->lock);
    writer->gathering.stable_seq = stable_seq;
    (void)pthread_cond_signal(&writer->changed);
    (void)pthread_mutex_unlock(&writer->lock);
}

struct pbft_log log_writer_vtable(struct log_writer *writer)
{
    return (struct pbft_log){
        .context = writer, .append = append, .truncate = truncate_log};
}
