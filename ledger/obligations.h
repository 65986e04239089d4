/* SPDX-License-Identifier: Apache-2.0 */
/* What time does by itself. Private to ledger/. */
#ifndef LEDGER_OBLIGATIONS_H
#define LEDGER_OBLIGATIONS_H

#include "ledger/overlay.h"

/* Carries out what is due at `now_ms`, in the order of the keys, at most
 * LEDGER_SWEEP_MAX of it: the rest comes with the next block. Before the first
 * transaction of a block, when the kv is all there is. */
void obligations_sweep(struct overlay *overlay, uint64_t now_ms);

/* Reads the key of a due row; false if it is none. */
struct obligations_row {
    uint64_t due_ms;
    uint8_t kind; /* enum schema_due_kind */
    const uint8_t *id;
};
bool obligations_read_key(struct obligations_row *out, struct pbft_bytes key);

#endif /* LEDGER_OBLIGATIONS_H */
