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

/* Too long a name is cut nowhere: the genesis would not be sound. */
static void copy_text(char *out, const char *text)
{
    if (text != NULL) {
        memcpy(out, text, strlen(text) + 1);
    }
}

static bool remember_founders(struct ledger *ledger,
                              const struct ledger_genesis *genesis)
{
    ledger->founders = calloc(genesis->member_count, sizeof *ledger->founders);
    if (ledger->founders == NULL) {
        return false;
    }
    ledger->founder_count = genesis->member_count;
    for (size_t i = 0; i < genesis->member_count; i++) {
        const struct ledger_member *from = &genesis->members[i];
        struct ledger_founder *to = &ledger->founders[i];
        to->institution = from->institution;
        copy_text(to->name, from->name);
        copy_text(to->legal_name, from->legal_name);
        copy_text(to->country, from->country);
    }
    return true;
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
    enum pbft_status status = remember_founders(ledger, genesis)
                                  ? open_state(ledger, genesis)
                                  : PBFT_NO_MEMORY;
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
    free(ledger->founders);
    free(ledger);
}

void ledger_position(const struct ledger *ledger, struct ledger_position *out)
{
    const struct schema_position *position = &ledger->position;
    *out =
        (struct ledger_position){position->seq, position->time,
                                 position->ledger_root, position->transactions};
}
