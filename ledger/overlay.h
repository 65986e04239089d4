/* SPDX-License-Identifier: Apache-2.0 */
/* The state while a block executes: the kv below, and on top everything that
 * the block has read or written so far. Private to ledger/.
 *
 * A transaction writes here and can be taken back without a trace; the kv sees
 * the writes of a whole block at once. Memory comes from an arena that lives as
 * long as the block.
 *
 * A failure of the kv is remembered in `status`, and reads then find nothing:
 * rules need not look, the block checks once and is given up as a whole.
 */
#ifndef LEDGER_OVERLAY_H
#define LEDGER_OVERLAY_H

#include "ledger/kv.h"
#include "ledger/schema.h"
#include "proto/arena.h"

/* What one block may take here. A block of PBFT_BATCH_BYTES_MAX takes at most
 * some thirty times its size (a grant that supersedes eight), so the cap is
 * never met; it only stops a mistake of ours. */
#define OVERLAY_ARENA_MAX ((size_t)1024 * 1024 * 1024)

/* Room that is kept from block to block: what a thousand transactions take. */
#define OVERLAY_ARENA_BLOCK ((size_t)4 * 1024 * 1024)

struct overlay_entry;

/* A place in the hash map. It holds the hash, so that a search looks at hardly
 * any entry but the right one. */
struct overlay_slot {
    struct overlay_entry *entry; /* NULL: free. */
    uint64_t hash;
};

struct overlay_entry {
    struct pbft_bytes key;
    struct pbft_bytes value; /* If present. */
    enum ledger_space space;
    bool loaded; /* `present` and `value` are known. */
    bool present;
    bool dirty; /* Written by this block. */
};

/* One write, and what it replaced. */
struct overlay_change {
    struct overlay_entry *entry;
    struct pbft_bytes value;
    struct pbft_bytes old_value;
    bool present;
    uint32_t old_things;
    bool old_loaded;
    bool old_present;
    bool old_dirty;
};

struct overlay {
    const struct ledger_kv *kv;
    struct wire_arena arena;
    pbft_seq seq;                   /* The block, or the height asked. */
    uint32_t things;                /* So many rows of THINGS it has written. */
    enum pbft_status status;        /* The first failure of the kv. */
    uint64_t seed;                  /* Of the hash: differs per block. */
    struct overlay_entry **entries; /* In order of first use. */
    size_t entry_count;
    size_t entry_capacity;
    struct overlay_slot *slots;
    size_t slot_count;              /* A power of two. */
    struct overlay_change *changes; /* In order of writing. */
    size_t change_count;
    size_t change_capacity;
    uint8_t *large; /* LEDGER_VALUE_MAX bytes for overlay_read(). */
};

/* Aborts if memory is short, as everything below does. */
void overlay_init(struct overlay *overlay, const struct ledger_kv *kv);
void overlay_deinit(struct overlay *overlay);

/* Forgets the block before. `seed`: bytes that no client could foresee. */
void overlay_begin(struct overlay *overlay, const struct pbft_digest *seed);

/* Room that lasts as long as the block. */
void *overlay_room(struct overlay *overlay, size_t size);

/* A copy that lasts as long as the block. */
struct pbft_bytes overlay_keep(struct overlay *overlay,
                               struct pbft_bytes bytes);

/* False if there is nothing under the key. The value lasts as long as the
 * block. */
bool overlay_get(struct overlay *overlay, const struct schema_key *key,
                 struct pbft_bytes *value);
/* The same for values of any size, which are not kept: valid until the next
 * overlay_read(). */
bool overlay_read(struct overlay *overlay, const struct schema_key *key,
                  struct pbft_bytes *value);
/* The key will be asked for: overlay_fetch() reads all of these at once, if the
 * kv can. Neither changes what a get finds. */
void overlay_expect(struct overlay *overlay, const struct schema_key *key);
void overlay_fetch(struct overlay *overlay);
/* Reads one entry. For overlay.c. */
void overlay_load(struct overlay *overlay, struct overlay_entry *entry);
/* Only whether there is something. */
bool overlay_has(struct overlay *overlay, const struct schema_key *key);
/* Copies the value. Reads nothing: an index row costs no look-up. */
void overlay_put(struct overlay *overlay, const struct schema_key *key,
                 struct pbft_bytes value);
/* The same in THINGS, above all keys that are there; says which one that is. */
void overlay_append(struct overlay *overlay, struct schema_key *key,
                    struct pbft_bytes value);
void overlay_delete(struct overlay *overlay, const struct schema_key *key);

/* A point to which rollback returns, or from which a digest counts. */
size_t overlay_mark(const struct overlay *overlay);
void overlay_rollback(struct overlay *overlay, size_t mark);
/* BLAKE2b-256 over all writes since the mark, in order: operation u8, space u8,
 * key size u32, key, value size u32, value. Zeros if there are none. */
void overlay_digest(struct overlay *overlay, size_t mark,
                    struct pbft_digest *out);

/* Hands all writes to the kv, in the order of their spaces and keys. */
PBFT_MUST_USE enum pbft_status overlay_apply(struct overlay *overlay);

#endif /* LEDGER_OVERLAY_H */
