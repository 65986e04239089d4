/* SPDX-License-Identifier: Apache-2.0 */
/* Load for benchmarks: RECORD_ANCHOR transactions through libsalus, and what
 * the submitters saw. Closed loop: each submits when its last submission is
 * proved. Open loop: submissions are due at a fixed rate, whatever becomes of
 * the earlier ones. Latency counts from when a submission was due, not from
 * when this program got round to it.
 */
#ifndef CLIENT_LOAD_H
#define CLIENT_LOAD_H

#include <stdatomic.h>

#include "client/histogram.h"
#include "client/salus.h"
#include "ledger/sample.h"

#define LOAD_CLIENTS_MAX 32
#define LOAD_SUBMITTERS_MAX 16384
#define LOAD_SLOT_MS 50      /* What was proved is counted by slots of time. */
#define LOAD_SLOTS_MAX 12000 /* Ten minutes; later ones go into the last. */
#define LOAD_PAYLOAD_MIN SAMPLE_PAYLOAD_MIN
#define LOAD_PAYLOAD_MAX SAMPLE_PAYLOAD_MAX

struct load_options {
    struct salus_client *clients[LOAD_CLIENTS_MAX]; /* Borrowed. */
    uint8_t encryption_keys[LOAD_CLIENTS_MAX][16];  /* Key id of the institution
                                                       of each client. */
    uint32_t client_count;
    uint32_t submitters; /* Each has one submission under way. */
    uint32_t transactions_per_submission;
    uint32_t rate;    /* Transactions a second, open loop; 0: closed loop. */
    uint32_t payload; /* Bytes of each RecordAnchor. */
    uint32_t warm_up_ms;
    uint32_t duration_ms;
    uint64_t not_after_ms; /* Wall clock, for the transactions. */
    /* Called when warm-up ends and when the measurement ends; may be NULL. */
    void (*on_phase)(void *context, bool begins);
    /* Called some hundred times a second during the measurement, with the time
     * since it began; may be NULL. */
    void (*on_tick)(void *context, uint64_t elapsed_ms);
    void *context;
    const atomic_int *stop; /* Not 0: end early. */
};

struct load_report {
    uint64_t transactions; /* Proved within the measurement. */
    uint64_t submissions;
    uint64_t refused; /* Transactions that the ledger refused. */
    uint64_t failed;  /* Transactions not proved. */
    uint64_t late;    /* Open loop: submissions that waited for a submitter. */
    uint64_t unstarted;  /* Open loop: due, but none was free until the end. */
    uint64_t elapsed_us; /* Of the measurement. */
    uint64_t longest_pause_us; /* Without a proof, of all submitters. */
    enum salus_status first_failure;
    uint32_t slots[LOAD_SLOTS_MAX]; /* Transactions proved in each. */
    /* Of submissions that were due in the measurement, since then; of those not
     * started: up to its end. */
    struct histogram latency;
};

/* Runs warm-up and measurement, then waits for what is under way. */
PBFT_MUST_USE enum salus_status load_run(const struct load_options *options,
                                         struct load_report *report);

/* One RECORD_ANCHOR with random ids, its payload padded to `payload` bytes, as
 * an encoded Transaction; the caller frees `out->data`. `record`: its id; NULL:
 * a random one. */
PBFT_MUST_USE enum pbft_status load_make_anchor(
    struct transaction_bytes *out, const struct transaction_envelope *envelope,
    const uint8_t encryption_key[16], uint32_t payload, const uint8_t *record);

#endif /* CLIENT_LOAD_H */
