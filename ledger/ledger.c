/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a ledger: made from a genesis, or found in its store. */
#include "ledger/ledger.h"

#include <stdlib.h>
#include <string.h>

#include "ledger/execution.h"
#include "ledger/genesis.h"
#include "ledger/state.h"

static enum pbft_status bootstrap(struct ledger *ledger,
                                  const struct ledger_genesis *genesis)
{
    if (!genesis_write(&ledger->overlay, genesis, &ledger->position)) {
        return PBFT_INVALID_CONFIG;
    }
    return overlay_apply(&ledger->overlay);
}

/* Finds the ledger in its store, or begins it there. */
static enum pbft_status open_state(struct ledger *ledger,
                                   const struct ledger_genesis *genesis)
{
    struct overlay *overlay = &ledger->overlay;
    struct schema_key key;
    struct pbft_bytes chain;
    overlay_begin(overlay, &genesis->chain);
    schema_key_chain(&key);
    bool found = overlay_get(overlay, &key, &chain);
    if (overlay->status != PBFT_OK) {
        return overlay->status;
    }
    if (!found) {
        return bootstrap(ledger, genesis);
    }
    if (chain.size != sizeof genesis->chain.bytes ||
        memcmp(chain.data, genesis->chain.bytes, chain.size) != 0) {
        return PBFT_WRONG_IDENTITY;
    }
    if (!state_get_position(overlay, &ledger->position)) {
        return overlay->status != PBFT_OK ? overlay->status : PBFT_CORRUPT;
    }
    return PBFT_OK;
}

enum pbft_status ledger_create(struct ledger **out, const struct ledger_kv *kv,
                               const struct ledger_genesis *genesis)
{
    *out = NULL;
    if (!genesis_is_sound(genesis)) {
        return PBFT_INVALID_CONFIG;
    }
    struct ledger *ledger = calloc(1, sizeof *ledger);
    if (ledger == NULL) {
        return PBFT_NO_MEMORY;
    }
    ledger->kv = kv;
    ledger->constants = (struct ledger_constants){
        .chain = genesis->chain,
        .table_version = genesis->table_version,
        .time_bound_ms = genesis->time_bound_ms,
        .late_after_ms = genesis->late_after_ms,
        .session_window = genesis->session_window,
    };
    overlay_init(&ledger->overlay, kv);
    wire_arena_init(&ledger->scratch, EXECUTION_ARENA_MAX);
    wire_arena_init(&ledger->stored, EXECUTION_ARENA_MAX);
    enum pbft_status status = open_state(ledger, genesis);
    if (status != PBFT_OK) {
        ledger_destroy(ledger);
        return status;
    }
    *out = ledger;
    return PBFT_OK;
}

void ledger_destroy(struct ledger *ledger)
{
    if (ledger == NULL) {
        return;
    }
    wire_arena_deinit(&ledger->scratch);
    wire_arena_deinit(&ledger->stored);
    overlay_deinit(&ledger->overlay);
    free(ledger);
}

void ledger_position(const struct ledger *ledger, struct ledger_position *out)
{
    const struct schema_position *position = &ledger->position;
    *out =
        (struct ledger_position){position->seq, position->time,
                                 position->ledger_root, position->transactions};
}
