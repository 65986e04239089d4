/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of a replica cost on this machine, each by itself: the bound
 * that a whole consortium is compared with (`salus bench --limits`).
 */
#ifndef NODE_MEASURE_H
#define NODE_MEASURE_H

#include <stdint.h>

#include "consensus/status.h"
#include "proto/reason.h"

/* CPU time in microseconds unless a name says otherwise. */
struct measure_parts {
    double sign_us;   /* Ed25519, a vote. */
    double verify_us; /* The same, strictly. */
    double digest_byte_us;
    double message_us;           /* A small message over mutual TLS, both
                                    ends. */
    double message_byte_us;      /* Each byte of a large one, both ends. */
    double synced_write_us;      /* A small synced append to the log. */
    double synced_write_wall_us; /* Until it returns. */
    double encode_us;  /* A transaction into a request, as clients do. */
    double decode_us;  /* A transaction, out of a request. */
    double execute_us; /* A RECORD_ANCHOR: ledger, and its share of the block's
                          write. */
};

struct measure_setup {
    const char *folder;   /* Made; whoever calls removes it. */
    uint32_t payload;     /* Bytes of a RECORD_ANCHOR. */
    uint32_t per_request; /* Transactions. */
};

/* Takes a few seconds. */
PBFT_MUST_USE enum pbft_status measure(const struct measure_setup *setup,
                                       struct measure_parts *out,
                                       struct salus_reason *reason);

/* One line of JSON with the names above. */
void measure_print(const struct measure_parts *parts);

/* ---- the parts, each in its own file ------------------------------------ */

void measure_crypto(struct measure_parts *out);
PBFT_MUST_USE enum pbft_status measure_messages(struct measure_parts *out,
                                                struct salus_reason *reason);
PBFT_MUST_USE enum pbft_status measure_ledger(const struct measure_setup *setup,
                                              struct measure_parts *out,
                                              struct salus_reason *reason);

/* CPU time of the process, wall time. */
double measure_cpu_us(void);
double measure_wall_us(void);

#endif /* NODE_MEASURE_H */
