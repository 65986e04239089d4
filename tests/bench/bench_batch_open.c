/* SPDX-License-Identifier: Apache-2.0 */
/* What it costs to open one leaf of a batch of 65,536: at the custodian, who
 * needs the path, and in the ledger. CPU time.
 *
 *   bench_batch_open [leaves that are opened]
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "crypto/merkle.h"
#include "tests/support/ledger_access.h"

#define OPENED_MAX 4096

static struct pbft_digest leaves[LEDGER_LEAVES_MAX];
static struct told told[OPENED_MAX];
static struct pbft_digest paths[OPENED_MAX][MERKLE_PATH_MAX];
static size_t path_size; /* The same for all: their number is a power of two. */

static double cpu_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

/* Far apart, as they come. */
static uint32_t index_of(size_t which, size_t count)
{
    return (uint32_t)(which * (LEDGER_LEAVES_MAX / count) + which % 7);
}

static void prepare(struct world *world, size_t count)
{
    for (size_t i = 0; i < LEDGER_LEAVES_MAX; i++) {
        world_fill(world, leaves[i].bytes, 8);
    }
    for (size_t i = 0; i < count; i++) {
        tell_of(world, &told[i], NULL);
        told[i].in.basis = CODES_BASIS_REQUIRED_BY_LAW;
        told[i].in.document_commit = field_of(told[i].document, 32);
        told_leaf(&leaves[index_of(i, count)], &told[i], world->now_ms - 1000);
    }
}

static uint32_t submit_batch(struct world *world, const uint8_t *id)
{
    struct pbft_digest root;
    Salus__V1__DisclosureBatch in = SALUS__V1__DISCLOSURE_BATCH__INIT;
    merkle_root(&root, leaves, LEDGER_LEAVES_MAX);
    in.batch = field_of(id, LEDGER_ID_SIZE);
    in.root = field_of(root.bytes, sizeof root.bytes);
    in.leaf_count = LEDGER_LEAVES_MAX;
    in.from_ms = world->now_ms - 5000;
    in.to_ms = world->now_ms;
    return act_simple(world, HOSPITAL, TRANSACTION_DISCLOSURE_BATCH, &in.base);
}

static uint32_t open_leaf(struct world *world, const uint8_t *id, size_t which,
                          uint32_t index)
{
    ProtobufCBinaryData siblings[MERKLE_PATH_MAX];
    for (size_t i = 0; i < path_size; i++) {
        siblings[i] = field_of(paths[which][i].bytes, PBFT_DIGEST_SIZE);
    }
    Salus__V1__DisclosureOpen open = SALUS__V1__DISCLOSURE_OPEN__INIT;
    open.batch = field_of(id, LEDGER_ID_SIZE);
    open.index = index;
    open.event_time_ms = world->now_ms - 1000;
    open.disclosure = &told[which].in;
    open.path = siblings;
    open.n_path = path_size;
    return act_simple(world, HOSPITAL, TRANSACTION_DISCLOSURE_OPEN, &open.base);
}

int main(int argc, char **argv)
{
    size_t count = argc > 1 ? (size_t)strtoul(argv[1], NULL, 10) : 500;
    struct world *world = world_create();
    uint8_t id[LEDGER_ID_SIZE];
    struct told alone;
    if (count == 0 || count > OPENED_MAX) {
        return 2;
    }
    world_fill(world, id, sizeof id);
    prepare(world, count);
    double start = cpu_us();
    uint32_t code = submit_batch(world, id);
    double batch_us = cpu_us() - start;
    start = cpu_us();
    for (size_t i = 0; i < count; i++) {
        merkle_path_of(paths[i], &path_size, leaves, index_of(i, count),
                       LEDGER_LEAVES_MAX);
    }
    double path_us = cpu_us() - start;
    start = cpu_us();
    for (size_t i = 0; i < count && code == LEDGER_OK; i++) {
        code = open_leaf(world, id, i, index_of(i, count));
    }
    double open_us = cpu_us() - start;
    start = cpu_us();
    for (size_t i = 0; i < count && code == LEDGER_OK; i++) {
        tell_of(world, &alone, NULL);
        alone.in.basis = CODES_BASIS_REQUIRED_BY_LAW;
        alone.in.document_commit = field_of(alone.document, 32);
        code =
            act_simple(world, HOSPITAL, TRANSACTION_DISCLOSURE, &alone.in.base);
    }
    double alone_us = cpu_us() - start;
    if (code != LEDGER_OK) {
        (void)fprintf(stderr, "refused: %s\n", ledger_code_name(code));
        return 1;
    }
    (void)printf("root over %u leaves, and the batch         %10.0f us\n",
                 (unsigned)LEDGER_LEAVES_MAX, batch_us);
    (void)printf("path of one leaf, from all leaves           %10.0f us\n",
                 path_us / (double)count);
    (void)printf("opening it in the ledger, a block of its own%10.1f us\n",
                 open_us / (double)count);
    (void)printf("the same disclosure, not in a batch         %10.1f us\n",
                 alone_us / (double)count);
    return 0;
}
