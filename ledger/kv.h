/* SPDX-License-Identifier: Apache-2.0 */
/* The ordered store under the ledger: five spaces of keys and values.
 *
 * storage/ implements it on RocksDB column families, ledger/kv_memory.h in
 * memory. Keys are ordered as unsigned bytes, a shorter key before a longer one
 * that begins with it. The ledger reads with `get` and `range` while it
 * executes a block, and hands over all writes of the block at once, at its end,
 * with `apply`: nothing is ever written in between.
 *
 * A vtable may stand for the live state (one owner, all calls) or for a
 * snapshot of it (get and range only, `apply` is NULL), so that queries run on
 * other threads and on past heights.
 */
#ifndef LEDGER_KV_H
#define LEDGER_KV_H

#include "consensus/status.h"
#include "consensus/types.h"

/* Longest key, with room for the largest compound index. */
#define LEDGER_KEY_MAX 128
/* Longest value: a transaction body of full size and what is noted about it. */
#define LEDGER_VALUE_MAX (80u * 1024u)

enum ledger_space {
    LEDGER_SPACE_STATE = 0,  /* What rules depend on. */
    LEDGER_SPACE_INDEX = 1,  /* What only queries read, and lookups by id. */
    LEDGER_SPACE_CLIENT = 2, /* Sessions, windows and first results. */
    /* Things of which there are most. Each key is above all that are there, and
     * stays: a store need never merge what it has. */
    LEDGER_SPACE_THINGS = 3,
    LEDGER_SPACE_DUE = 4, /* A queue: read from its head, where it is cut. */
};
#define LEDGER_SPACE_COUNT 5

enum ledger_kv_direction { LEDGER_KV_FORWARD, LEDGER_KV_BACKWARD };

/* Which keys a range visits: those that begin with `prefix` and, FORWARD, are
 * not below `from`; BACKWARD, not above it. An empty `from` restricts nothing.
 */
struct ledger_kv_range {
    struct pbft_bytes prefix;
    struct pbft_bytes from;
    size_t limit; /* At most this many visits. */
    enum ledger_kv_direction direction;
};

/* Sees one entry; both regions are valid for the call only. False: enough. */
typedef bool ledger_kv_visit(void *visitor, struct pbft_bytes key,
                             struct pbft_bytes value);

/* Told of the key at `index`: OK and its value, which is valid for the call
 * only, or NOT_FOUND. */
typedef void ledger_kv_told(void *visitor, size_t index,
                            enum pbft_status status, struct pbft_bytes value);

enum ledger_kv_operation { LEDGER_KV_PUT = 1, LEDGER_KV_DELETE = 2 };

struct ledger_kv_write {
    enum ledger_kv_operation operation;
    enum ledger_space space;
    struct pbft_bytes key;
    struct pbft_bytes value; /* Empty in a DELETE. */
};

struct ledger_kv {
    void *context;
    /* Copies the value to `out`. NOT_FOUND; TOO_LARGE if `capacity` is too
     * small (`*size` is then the size needed); IO and CORRUPT of the store. */
    PBFT_MUST_USE enum pbft_status (*get)(void *context,
                                          enum ledger_space space,
                                          struct pbft_bytes key, uint8_t *out,
                                          size_t capacity, size_t *size);
    /* As many gets, for a store that finds many keys with less work than one
     * after the other. NULL: it does not. The keys are ascending. */
    PBFT_MUST_USE enum pbft_status (*get_many)(
        void *context, enum ledger_space space, const struct pbft_bytes *keys,
        size_t count, ledger_kv_told *told, void *visitor);
    /* Visits in order of keys. OK also if nothing was found. */
    PBFT_MUST_USE enum pbft_status (*range)(void *context,
                                            enum ledger_space space,
                                            const struct ledger_kv_range *range,
                                            ledger_kv_visit *visit,
                                            void *visitor);
    /* All writes of one block: at most one per key, in an order that is the
     * same at every replica. All of them or none. The regions are borrowed for
     * the call. A store may hold them back to write them together with the
     * block itself, if `get` and `range` already see them. */
    PBFT_MUST_USE enum pbft_status (*apply)(
        void *context, const struct ledger_kv_write *writes, size_t count);
};

#endif /* LEDGER_KV_H */
