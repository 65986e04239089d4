/* SPDX-License-Identifier: Apache-2.0 */
/* Counts reads by institution and kind, and writes their lines. */
#include "node/reads.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "consensus/assert.h"
#include "node/journal.h"
#include "node/limits.h"
#include "proto/genesis.h"
#include "salus/v1/ledger.pb-c.h"

/* One per kind of Query, by its place among the fields; and two more. */
#define KINDS_MAX 32u
#define RECEIPT (KINDS_MAX - 2) /* No query at all. */
#define NO_KIND (KINDS_MAX - 1) /* A query of none: it is refused. */
#define KINDS_TEXT_MAX 512u

struct reader {
    uint64_t total;
    struct journal_limit limit;
    uint64_t untold[KINDS_MAX]; /* Had no line. */
    uint64_t untold_count;
    pbft_time_ms untold_since_ms;
};

struct reads {
    pthread_mutex_t lock;
    const struct salus_genesis *genesis;
    uint32_t count;
    struct reader readers[];
};

struct reads *reads_create(const struct salus_genesis *genesis)
{
    uint32_t count = genesis->member_count;
    struct reads *reads =
        calloc(1, sizeof *reads + count * sizeof *reads->readers);

    PBFT_ASSERT(reads != NULL);
    PBFT_ASSERT(salus__v1__query__descriptor.n_fields <= RECEIPT);
    reads->genesis = genesis;
    reads->count = count;
    (void)pthread_mutex_init(&reads->lock, NULL);
    return reads;
}

static uint32_t kind_of(const Salus__V1__Query *query)
{
    const ProtobufCMessageDescriptor *of = &salus__v1__query__descriptor;

    for (uint32_t i = 0; query != NULL && i < of->n_fields; i++) {
        if (of->fields[i].id == (uint32_t)query->kind_case) {
            return i;
        }
    }
    return query == NULL ? RECEIPT : NO_KIND;
}

static const char *kind_name(uint32_t kind)
{
    if (kind == RECEIPT) {
        return "receipt";
    }
    return kind == NO_KIND ? "none"
                           : salus__v1__query__descriptor.fields[kind].name;
}

static const char *reader_name(const struct reads *reads, uint32_t caller)
{
    return reads->genesis->members[caller].name;
}

void reads_note(struct reads *reads, uint32_t caller, enum reads_level level,
                const Salus__V1__Query *query, pbft_time_ms now_ms)
{
    const uint32_t kind = kind_of(query);
    uint64_t suppressed = 0; /* Told by reads_tell(). */

    PBFT_ASSERT(caller < reads->count);
    struct reader *reader = &reads->readers[caller];
    (void)pthread_mutex_lock(&reads->lock);
    const uint64_t total = ++reader->total;
    bool told = journal_allows(&reader->limit, now_ms, &suppressed);
    if (!told) {
        reader->untold_since_ms =
            reader->untold_count == 0 ? now_ms : reader->untold_since_ms;
        reader->untold_count++;
        reader->untold[kind]++;
    }
    (void)pthread_mutex_unlock(&reads->lock);
    if (told) {
        journal(JOURNAL_INFO, "read",
                "institution=%s kind=%s level=%s total=%" PRIu64,
                reader_name(reads, caller), kind_name(kind),
                level == READS_CERTIFIED ? "certified" : "local", total);
    }
}

uint64_t reads_total(struct reads *reads, uint32_t caller)
{
    PBFT_ASSERT(caller < reads->count);
    (void)pthread_mutex_lock(&reads->lock);
    uint64_t total = reads->readers[caller].total;
    (void)pthread_mutex_unlock(&reads->lock);
    return total;
}

static void tell(const struct reads *reads, uint32_t caller,
                 const struct reader *reader)
{
    char kinds[KINDS_TEXT_MAX] = "";
    size_t size = 0;

    for (uint32_t i = 0; i < KINDS_MAX && size < sizeof kinds - 1; i++) {
        if (reader->untold[i] > 0) {
            int more =
                snprintf(kinds + size, sizeof kinds - size, " %s=%" PRIu64,
                         kind_name(i), reader->untold[i]);
            size += more < 0 ? 0 : (size_t)more;
        }
    }
    journal(JOURNAL_INFO, "reads",
            "institution=%s count=%" PRIu64 " total=%" PRIu64 "%s",
            reader_name(reads, caller), reader->untold_count, reader->total,
            kinds);
}

/* Those of whom something waits to be told for so long. */
static void tell_since(struct reads *reads, pbft_time_ms now_ms,
                       pbft_time_ms interval_ms)
{
    for (uint32_t i = 0; i < reads->count; i++) {
        struct reader *reader = &reads->readers[i];
        struct reader found = {.total = 0};
        (void)pthread_mutex_lock(&reads->lock);
        if (reader->untold_count > 0 &&
            now_ms - reader->untold_since_ms >= interval_ms) {
            found = *reader;
            reader->untold_count = 0;
            memset(reader->untold, 0, sizeof reader->untold);
        }
        (void)pthread_mutex_unlock(&reads->lock);
        if (found.untold_count > 0) {
            tell(reads, i, &found);
        }
    }
}

void reads_tell(struct reads *reads, pbft_time_ms now_ms)
{
    tell_since(reads, now_ms, NODE_JOURNAL_INTERVAL_MS);
}

void reads_destroy(struct reads *reads)
{
    if (reads != NULL) {
        tell_since(reads, UINT64_MAX, 0);
        (void)pthread_mutex_destroy(&reads->lock);
        free(reads);
    }
}
