/* SPDX-License-Identifier: Apache-2.0 */
/* A data folder with a cast: what the tests of storage/ and node/ begin with.
 * Header only, since storage/ is no dependency of the other support files. */
#ifndef TESTS_SUPPORT_STORAGE_H
#define TESTS_SUPPORT_STORAGE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "storage/block.h"
#include "storage/log.h"
#include "storage/storage.h"
#include "tests/support/cast.h"
#include "tests/support/folder.h"

struct storage_fixture {
    char dir[SUPPORT_PATH_MAX];
    struct cast cast;
    struct storage *storage;
    struct storage_log_summary log;
    uint64_t free_bytes_min; /* 0: the usual. */
    bool expects_data;
};

static inline struct storage_identity
fixture_identity(const struct storage_fixture *fixture)
{
    return (struct storage_identity){
        .cluster = fixture->cast.replicas[0].domain.cluster, .replica = 0};
}

static inline enum pbft_status
fixture_try_open_reason(struct storage_fixture *fixture,
                        struct salus_reason *reason)
{
    const struct storage_options options = {
        .sync = STORAGE_SYNCED,
        .open_free_bytes_min = fixture->free_bytes_min,
        .expects_data = fixture->expects_data};
    struct storage_identity identity = fixture_identity(fixture);
    return storage_open(fixture->dir, &identity,
                        &fixture->cast.replicas[0].domain, &options,
                        &fixture->storage, reason);
}

static inline enum pbft_status fixture_try_open(struct storage_fixture *fixture)
{
    return fixture_try_open_reason(fixture, NULL);
}

/* Opens, and replays the log to nobody. */
static inline void fixture_open(struct storage_fixture *fixture)
{
    assert_int_equal(fixture_try_open(fixture), PBFT_OK);
    assert_int_equal(
        storage_log_replay(fixture->storage, NULL, NULL, &fixture->log),
        PBFT_OK);
}

static inline void fixture_close(struct storage_fixture *fixture)
{
    storage_close(fixture->storage);
    fixture->storage = NULL;
}

static inline int fixture_setup(void **state)
{
    struct storage_fixture *fixture = calloc(1, sizeof *fixture);
    assert_non_null(fixture);
    cast_init(&fixture->cast, 4);
    support_folder_create(fixture->dir);
    *state = fixture;
    return 0;
}

static inline int fixture_teardown(void **state)
{
    struct storage_fixture *fixture = *state;
    fixture_close(fixture);
    support_folder_remove(fixture->dir);
    free(fixture);
    return 0;
}

/* A committed block of `count` requests. */
static inline struct pbft_message *
fixture_committed(const struct storage_fixture *fixture, pbft_seq seq,
                  uint32_t count)
{
    const pbft_replica_id signers[3] = {0, 1, 2};
    struct pbft_message *batch =
        cast_batch(&fixture->cast, 1000 * seq, 100 * seq + 1, count);
    struct pbft_message *header =
        cast_pre_prepare(&fixture->cast, 0, seq, batch);
    struct pbft_message *committed = cast_certificate(
        &fixture->cast, PBFT_MESSAGE_COMMITTED, header, signers, 3);
    pbft_message_unref(batch);
    pbft_message_unref(header);
    return committed;
}

/* Stores block `seq` without writes of a ledger. */
static inline void fixture_write_block(struct storage_fixture *fixture,
                                       pbft_seq seq)
{
    struct pbft_message *committed = fixture_committed(fixture, seq, 2);
    const uint8_t results[3] = {1, 2, (uint8_t)seq};
    const struct storage_block block = {
        .committed = committed,
        .executed = {.seq = seq,
                     .block_time = 1000 * seq,
                     .block_digest =
                         committed->committed.pre_prepare->pre_prepare.digest},
        .results = {results, sizeof results},
    };
    assert_int_equal(storage_block_write(fixture->storage, &block, NULL),
                     PBFT_OK);
    pbft_message_unref(committed);
}

/* Pre-prepare, body and own prepare of one seq, in one write. */
static inline void fixture_append_slot(struct storage_fixture *fixture,
                                       pbft_seq seq,
                                       const struct pbft_message *batch)
{
    struct pbft_message *header =
        cast_pre_prepare(&fixture->cast, 0, seq, batch);
    struct pbft_message *vote = cast_vote(&fixture->cast, PBFT_MESSAGE_PREPARE,
                                          0, 0, seq, &batch->batch.digest);
    const struct pbft_record records[] = {
        {PBFT_RECORD_PRE_PREPARE, 0, seq, header},
        {PBFT_RECORD_BODY, 0, seq, batch},
        {PBFT_RECORD_PREPARE, 0, seq, vote},
    };
    assert_int_equal(storage_log_append(fixture->storage, records, 3), PBFT_OK);
    pbft_message_unref(header);
    pbft_message_unref(vote);
}

/* The batch that fixture_committed() makes of block `seq`. */
static inline struct pbft_message *
fixture_block_batch(struct storage_fixture *fixture, pbft_seq seq)
{
    return cast_batch(&fixture->cast, 1000 * seq, 100 * seq + 1, 2);
}

static inline void fixture_append_blocks(struct storage_fixture *fixture,
                                         pbft_seq first, pbft_seq last)
{
    for (pbft_seq seq = first; seq <= last; seq++) {
        struct pbft_message *batch = fixture_block_batch(fixture, seq);
        fixture_append_slot(fixture, seq, batch);
        pbft_message_unref(batch);
        fixture_write_block(fixture, seq);
    }
}

static inline void fixture_append_stable(struct storage_fixture *fixture,
                                         pbft_seq seq)
{
    const pbft_replica_id signers[3] = {0, 1, 2};
    struct pbft_message *stable = cast_stable(&fixture->cast, seq, signers, 3);
    const struct pbft_record record = {PBFT_RECORD_STABLE, 0, seq, stable};
    assert_int_equal(storage_log_append(fixture->storage, &record, 1), PBFT_OK);
    pbft_message_unref(stable);
}

#endif /* TESTS_SUPPORT_STORAGE_H */
