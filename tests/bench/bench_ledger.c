/* SPDX-License-Identifier: Apache-2.0 */
/* How fast the ledger executes RECORD_ANCHORs, on one core, with the kv in
 * memory: building is outside the measurement.
 *
 *   bench_ledger [blocks] [transactions in a block] [in a request]
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "tests/support/ledger_fixture.h"

struct load {
    struct ledger_request *requests;
    struct transaction_bytes *payloads;
    uint32_t count; /* Requests in a block. */
};

static void make_request(struct world *world, struct load *load, uint32_t index,
                         size_t per_request)
{
    struct transaction_bytes sealed[LEDGER_REQUEST_TRANSACTIONS_MAX];
    struct pbft_bytes list[LEDGER_REQUEST_TRANSACTIONS_MAX];
    struct transaction_bytes *payload = &load->payloads[index];
    for (size_t i = 0; i < per_request; i++) {
        struct world_ids ids;
        struct transaction in = world_anchor(world, &ids);
        struct transaction_bytes body = world_build(world, HOSPITAL, &in);
        if (transaction_seal(&sealed[i], bytes_of(body.data, body.size), NULL,
                             0) != PBFT_OK) {
            abort();
        }
        list[i] = bytes_of(sealed[i].data, sealed[i].size);
        free(body.data);
    }
    if (transaction_list_pack(payload, list, per_request) != PBFT_OK) {
        abort();
    }
    load->requests[index] =
        world_request(world, HOSPITAL, bytes_of(payload->data, payload->size));
    for (size_t i = 0; i < per_request; i++) {
        free(sealed[i].data);
    }
}

static double seconds(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Executes one block and returns the CPU seconds that it took. */
static double run_block(struct world *world, struct load *load,
                        size_t per_request)
{
    for (uint32_t i = 0; i < load->count; i++) {
        make_request(world, load, i, per_request);
    }
    world->now_ms += 10;
    double begin = seconds();
    world_execute(world, load->requests, load->count);
    double took = seconds() - begin;
    if (world->last.refused_count != 0) {
        fprintf(stderr, "bench_ledger: refused: %u\n",
                (unsigned)world->last.refused_count);
        exit(1);
    }
    for (uint32_t i = 0; i < load->count; i++) {
        free(load->payloads[i].data);
    }
    return took;
}

static size_t argument(int argc, char **argv, int index, size_t otherwise,
                       size_t limit)
{
    size_t value =
        argc > index ? (size_t)strtoul(argv[index], NULL, 10) : otherwise;
    return value >= 1 && value <= limit ? value : otherwise;
}

int main(int argc, char **argv)
{
    size_t blocks = argument(argc, argv, 1, 200, 100000);
    size_t per_block = argument(argc, argv, 2, 1000, 4096);
    size_t per_request = argument(argc, argv, 3, 64, 1000);
    struct world *world = world_create();
    struct load load = {.count = (uint32_t)(per_block / per_request)};
    load.count += load.count == 0;
    load.requests = calloc(load.count, sizeof *load.requests);
    load.payloads = calloc(load.count, sizeof *load.payloads);
    if (load.requests == NULL || load.payloads == NULL) {
        return 1;
    }
    double total = 0;
    for (size_t i = 0; i < blocks; i++) {
        total += run_block(world, &load, per_request);
    }
    double count = (double)blocks * load.count * (double)per_request;
    printf("transactions=%.0f requests_per_block=%u "
           "transactions_per_request=%zu cpu_seconds=%.3f "
           "transactions_per_second=%.0f\n",
           count, (unsigned)load.count, per_request, total, count / total);
    free(load.requests);
    free(load.payloads);
    world_destroy(world);
    return 0;
}
