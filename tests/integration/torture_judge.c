/* SPDX-License-Identifier: Apache-2.0 */
/* What the clients saw against what lies on the disks.
 *
 * The ledger is read from the data folder of every replica. All must hold the
 * same chain. Every transaction that a client was told of must be in it, in the
 * block that it was told, and have taken effect at most once. The order of the
 * chain must be one that the clients can have seen: what had ended before
 * something else began stands before it. With that, and with records that are
 * given to the first who asks, the history is linearizable: the chain itself is
 * the order that explains it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/file.h"
#include "crypto/provider.h"
#include "ledger/errors.h"
#include "ledger/results.h"
#include "proto/genesis.h"
#include "storage/block.h"
#include "tests/integration/torture.h"

#define GENESIS_BYTES_MAX (1u << 20)
#define COMPLAINTS_MAX 10

/* One transaction in the chain. */
struct entry {
    uint8_t tx_id[SALUS_DIGEST_SIZE];
    uint64_t seq;
    uint64_t place; /* Running number over the whole chain. */
    uint32_t code;
};

struct chain {
    struct pbft_attestation *blocks; /* Block s at s - 1. */
    uint64_t height;
    struct entry *entries; /* Sorted by tx_id, then place. */
    size_t entry_count;
    size_t entry_capacity;
};

struct court {
    struct torture *torture;
    struct salus_genesis *genesis;
    struct pbft_domain domain;
    unsigned complaints;
};

static void complain(struct court *court, const char *what, uint64_t seq)
{
    if (court->complaints++ < COMPLAINTS_MAX) {
        (void)fprintf(stderr, "%s: block %" PRIu64 "\n", what, seq);
    }
}

/* ---- reading a chain ----------------------------------------------------- */

static void add_entry(struct chain *chain,
                      const struct results_transaction *transaction,
                      uint64_t seq)
{
    if (chain->entry_count == chain->entry_capacity) {
        chain->entry_capacity = chain->entry_capacity * 2 + 4096;
        chain->entries = realloc(chain->entries, chain->entry_capacity *
                                                     sizeof(*chain->entries));
        if (chain->entries == NULL) {
            abort();
        }
    }
    struct entry *entry = &chain->entries[chain->entry_count];
    memcpy(entry->tx_id, transaction->tx_id.bytes, sizeof(entry->tx_id));
    entry->seq = seq;
    entry->place = chain->entry_count++;
    entry->code = transaction->code;
}

static bool read_block(struct storage *storage, struct chain *chain,
                       uint64_t seq)
{
    struct results_block *results = NULL;
    uint8_t *data = NULL;
    size_t size = 0;
    struct pbft_attestation *block = &chain->blocks[seq - 1];

    if (storage_executed_read(storage, seq, block) != PBFT_OK ||
        block->seq != seq ||
        storage_results_read(storage, seq, &data, &size) != PBFT_OK) {
        return false;
    }
    enum pbft_status status =
        results_decode(&results, (struct pbft_bytes){data, size});
    free(data);
    if (status != PBFT_OK) {
        return false;
    }
    struct pbft_digest root;
    results_root(&root, results);
    bool good = memcmp(&root, &block->results_root, sizeof(root)) == 0;
    for (uint32_t i = 0; i < results->request_count; i++) {
        const struct results_request *request = &results->requests[i];
        for (uint32_t j = 0; j < request->transaction_count; j++) {
            add_entry(chain, &request->transactions[j], seq);
        }
    }
    free(results);
    return good;
}

static bool read_chain(struct court *court, uint32_t replica,
                       struct chain *chain)
{
    char folder[REPLICAS_PATH_MAX];
    struct salus_reason reason = {{0}};
    struct storage *storage = NULL;
    struct pbft_attestation last;
    const struct storage_identity identity = {court->domain.cluster, replica};
    const struct storage_options options = {.sync = STORAGE_SYNCED};

    memset(chain, 0, sizeof(*chain));
    (void)snprintf(folder, sizeof(folder), "%.256s/%.100s/data",
                   court->torture->folder,
                   genesis_replica(court->genesis, replica)->name);
    if (storage_open(folder, &identity, &court->domain, &options, &storage,
                     &reason) != PBFT_OK) {
        (void)fprintf(stderr, "%s: %s\n", folder, reason.text);
        return false;
    }
    storage_applied(storage, &last);
    chain->height = last.seq;
    chain->blocks = calloc(last.seq + 1, sizeof(*chain->blocks));
    bool good = chain->blocks != NULL;
    for (uint64_t seq = 1; good && seq <= chain->height; seq++) {
        good = read_block(storage, chain, seq);
        if (!good) {
            complain(court, "cannot be read, or proves something else", seq);
        }
    }
    storage_close(storage);
    return good;
}

static void free_chain(struct chain *chain)
{
    free(chain->blocks);
    free(chain->entries);
}

/* ---- all replicas hold the same chain ------------------------------------ */

static void compare_chains(struct court *court, uint32_t replica,
                           const struct chain *a, const struct chain *b)
{
    if (a->height != b->height || a->entry_count != b->entry_count) {
        (void)fprintf(stderr, "replica %u: ", replica);
        complain(court, "another height than replica 0", b->height);
        return;
    }
    for (uint64_t i = 0; i < a->height; i++) {
        const struct pbft_attestation *x = &a->blocks[i];
        const struct pbft_attestation *y = &b->blocks[i];
        if (x->block_time != y->block_time ||
            memcmp(&x->block_digest, &y->block_digest,
                   sizeof(x->block_digest)) != 0 ||
            memcmp(&x->results_root, &y->results_root,
                   sizeof(x->results_root)) != 0 ||
            memcmp(&x->ledger_root, &y->ledger_root, sizeof(x->ledger_root)) !=
                0) {
            (void)fprintf(stderr, "replica %u: ", replica);
            complain(court, "another block than at replica 0", i + 1);
        }
    }
}

/* ---- and it is what the clients saw -------------------------------------- */

static int by_id_and_place(const void *left, const void *right)
{
    const struct entry *a = left;
    const struct entry *b = right;
    int order = memcmp(a->tx_id, b->tx_id, sizeof(a->tx_id));

    return order != 0 ? order : (a->place > b->place) - (a->place < b->place);
}

/* The first entry of a transaction; NULL: it is not there. */
static const struct entry *find(const struct chain *chain,
                                const uint8_t tx_id[SALUS_DIGEST_SIZE])
{
    size_t low = 0;
    size_t high = chain->entry_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (memcmp(chain->entries[middle].tx_id, tx_id, SALUS_DIGEST_SIZE) <
            0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < chain->entry_count && memcmp(chain->entries[low].tx_id, tx_id,
                                              SALUS_DIGEST_SIZE) == 0
               ? &chain->entries[low]
               : NULL;
}

/* One entry says what became of it; further ones say that it is a repetition.
 * The client was told of one of these entries. */
static const struct entry *
check_operation(struct court *court, const struct chain *chain,
                const struct torture_operation *operation)
{
    const struct entry *first = find(chain, operation->tx_id);
    const struct entry *end = chain->entries + chain->entry_count;
    bool was_told = false;

    if (first == NULL) {
        complain(court, "acknowledged, and lost", operation->seq);
        return NULL;
    }
    for (const struct entry *entry = first;
         entry < end &&
         memcmp(entry->tx_id, operation->tx_id, sizeof(entry->tx_id)) == 0;
         entry++) {
        was_told = was_told || (entry->seq == operation->seq &&
                                entry->code == operation->code);
        if (entry != first && entry->code != LEDGER_TX_DUPLICATE) {
            complain(court, "took effect twice", entry->seq);
        }
        if (entry == first && entry->code == LEDGER_TX_DUPLICATE) {
            complain(court, "a repetition of nothing", entry->seq);
        }
    }
    if (!was_told) {
        complain(court, "acknowledged, and moved or changed", operation->seq);
    }
    return first;
}

/* An operation and where it stands. */
struct placed {
    const struct torture_operation *operation;
    const struct entry *entry;
};

static int by_record_and_place(const void *left, const void *right)
{
    const struct placed *a = left;
    const struct placed *b = right;
    int order =
        memcmp(a->operation->record, b->operation->record, SALUS_ID_SIZE);

    return order != 0 ? order
                      : (a->entry->place > b->entry->place) -
                            (a->entry->place < b->entry->place);
}

/* The first who asked for a record has it, and nobody else. */
static void check_records(struct court *court, struct placed *placed,
                          size_t count)
{
    qsort(placed, count, sizeof(*placed), by_record_and_place);
    for (size_t i = 0; i < count; i++) {
        bool is_first =
            i == 0 || memcmp(placed[i - 1].operation->record,
                             placed[i].operation->record, SALUS_ID_SIZE) != 0;
        uint32_t expected = is_first ? LEDGER_OK : LEDGER_REC_EXISTS;
        if (placed[i].entry->code != expected) {
            complain(court,
                     is_first ? "the first was refused"
                              : "a record was given twice",
                     placed[i].entry->seq);
        }
    }
}

static int by_end(const void *left, const void *right)
{
    const struct placed *a = left;
    const struct placed *b = right;

    return (a->operation->ended_us > b->operation->ended_us) -
           (a->operation->ended_us < b->operation->ended_us);
}

static int by_begin(const void *left, const void *right)
{
    const struct placed *a = left;
    const struct placed *b = right;

    return (a->operation->invoked_us > b->operation->invoked_us) -
           (a->operation->invoked_us < b->operation->invoked_us);
}

/* What had ended before something began stands in an earlier block. */
static void check_real_time(struct court *court, struct placed *ended,
                            size_t count)
{
    struct placed *begun = malloc((count + 1) * sizeof(*begun));
    uint64_t highest = 0;
    size_t next = 0;

    if (begun == NULL) {
        abort();
    }
    memcpy(begun, ended, count * sizeof(*begun));
    qsort(ended, count, sizeof(*ended), by_end);
    qsort(begun, count, sizeof(*begun), by_begin);
    for (size_t i = 0; i < count; i++) {
        while (next < count && ended[next].operation->ended_us <
                                   begun[i].operation->invoked_us) {
            uint64_t seq = ended[next++].entry->seq;
            highest = seq > highest ? seq : highest;
        }
        if (begun[i].entry->seq <= highest) {
            complain(court, "stands before what had ended already",
                     begun[i].entry->seq);
        }
    }
    free(begun);
}

static void check_history(struct court *court, struct chain *chain)
{
    struct torture *torture = court->torture;
    struct placed *placed =
        calloc(torture->operation_count + 1, sizeof(*placed));
    size_t count = 0;

    if (placed == NULL) {
        abort();
    }
    qsort(chain->entries, chain->entry_count, sizeof(*chain->entries),
          by_id_and_place);
    for (size_t i = 0; i < torture->operation_count; i++) {
        const struct torture_operation *operation = &torture->operations[i];
        const struct entry *entry = check_operation(court, chain, operation);
        if (entry != NULL) {
            placed[count++] = (struct placed){operation, entry};
        }
    }
    check_records(court, placed, count);
    check_real_time(court, placed, count);
    free(placed);
}

/* ---- the judgement ------------------------------------------------------- */

static bool read_genesis(struct court *court)
{
    static uint8_t text[GENESIS_BYTES_MAX];
    char path[REPLICAS_PATH_MAX];
    struct salus_reason reason = {{0}};
    size_t size = 0;

    (void)snprintf(path, sizeof(path), "%.256s/genesis.txt",
                   court->torture->folder);
    court->domain.crypto = crypto_provider_verify_only();
    if (file_read(text, sizeof(text), &size, path, FILE_PUBLIC, &reason) !=
            PBFT_OK ||
        genesis_parse(court->domain.crypto, (struct pbft_bytes){text, size},
                      &court->genesis, &court->domain.cluster,
                      &reason) != PBFT_OK) {
        (void)fprintf(stderr, "%s\n", reason.text);
        return false;
    }
    return true;
}

bool torture_judge(struct torture *torture)
{
    struct court court = {.torture = torture};
    struct chain first;
    struct chain other;

    if (!read_genesis(&court) || !read_chain(&court, 0, &first)) {
        return false;
    }
    for (uint32_t i = 1; i < torture->trial.count; i++) {
        if (read_chain(&court, i, &other)) {
            compare_chains(&court, i, &first, &other);
        } else {
            court.complaints++;
        }
        free_chain(&other);
    }
    check_history(&court, &first);
    (void)printf("%" PRIu64 " blocks with %zu transactions, equal at all %u "
                 "replicas\n",
                 first.height, first.entry_count, torture->trial.count);
    free_chain(&first);
    genesis_destroy(court.genesis);
    return court.complaints == 0;
}
