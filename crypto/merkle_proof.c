/* SPDX-License-Identifier: Apache-2.0 */
/* Inclusion and consistency proofs (RFC 9162 2.1.3, 2.1.4) over any source of
 * nodes. At each level `index` is the node we stand on and `last` the last
 * node; an odd last node has no sibling and moves up unchanged. */
#include "crypto/merkle.h"

#include "consensus/assert.h"

#include <string.h>

/* The node at (level, index) of a tree of `count` leaves, which may be cut off
 * at the right: then it is folded from its full subtrees, lowest first. */
static enum pbft_status node_at(struct pbft_digest *out,
                                const struct merkle_source *source,
                                unsigned level, uint64_t index, uint64_t count)
{
    uint64_t first = index << level;
    uint64_t last_index = (count - 1) >> level;
    bool is_first = true;

    if (index < last_index) {
        return source->node(source->context, level, index, out);
    }
    uint64_t size = count - first;
    for (unsigned at = 0; at <= level; at++) {
        struct pbft_digest peak;
        if (((size >> at) & 1) == 0) {
            continue;
        }
        uint64_t begin =
            first + (at + 1 < 64 ? size >> (at + 1) << (at + 1) : 0);
        enum pbft_status status =
            source->node(source->context, at, begin >> at, &peak);
        if (status != PBFT_OK) {
            return status;
        }
        if (is_first) {
            *out = peak;
            is_first = false;
        } else {
            merkle_node(out, &peak, out);
        }
    }
    return PBFT_OK;
}

static enum pbft_status leaves_node(const void *context, unsigned level,
                                    uint64_t index, struct pbft_digest *out)
{
    const struct merkle_leaves *leaves = context;
    uint64_t size = UINT64_C(1) << level;
    uint64_t first = index << level;

    PBFT_ASSERT(size <= leaves->count);
    PBFT_ASSERT(first <= leaves->count - size);
    merkle_root(out, leaves->leaves + first, (size_t)size);
    return PBFT_OK;
}

struct merkle_source merkle_source_of(const struct merkle_leaves *leaves)
{
    return (struct merkle_source){.context = leaves, .node = leaves_node};
}

enum pbft_status merkle_path(struct pbft_digest path[MERKLE_PATH_MAX],
                             size_t *path_count,
                             const struct merkle_source *source, uint64_t index,
                             uint64_t count)
{
    size_t found = 0;
    unsigned level = 0;

    *path_count = 0;
    if (index >= count) {
        return PBFT_INVALID_ARGUMENT;
    }
    for (uint64_t last = count - 1; last > 0; last >>= 1) {
        if ((index ^ 1) <= last) {
            enum pbft_status status =
                node_at(&path[found], source, level, index ^ 1, count);
            if (status != PBFT_OK) {
                return status;
            }
            found++;
        }
        index >>= 1;
        level++;
    }
    *path_count = found;
    return PBFT_OK;
}

void merkle_path_of(struct pbft_digest path[MERKLE_PATH_MAX],
                    size_t *path_count, const struct pbft_digest *leaves,
                    size_t index, size_t count)
{
    struct merkle_leaves array = {leaves, count};
    struct merkle_source source = merkle_source_of(&array);
    PBFT_ASSERT(index < count);
    enum pbft_status status =
        merkle_path(path, path_count, &source, index, count);
    PBFT_ASSERT(status == PBFT_OK);
}

enum pbft_status merkle_path_root(struct pbft_digest *out,
                                  const struct pbft_digest *leaf,
                                  uint64_t index, uint64_t count,
                                  const struct pbft_digest *path,
                                  size_t path_count)
{
    struct pbft_digest node = *leaf;
    size_t used = 0;

    if (index >= count) {
        return PBFT_MALFORMED;
    }
    for (uint64_t last = count - 1; last > 0; last >>= 1) {
        if ((index ^ 1) <= last) {
            if (used == path_count) {
                return PBFT_MALFORMED;
            }
            if ((index & 1) != 0) {
                merkle_node(&node, &path[used], &node);
            } else {
                merkle_node(&node, &node, &path[used]);
            }
            used++;
        }
        index >>= 1;
    }
    if (used != path_count) {
        return PBFT_MALFORMED;
    }
    *out = node;
    return PBFT_OK;
}

static bool is_same(const struct pbft_digest *left,
                    const struct pbft_digest *right)
{
    return memcmp(left->bytes, right->bytes, PBFT_DIGEST_SIZE) == 0;
}

enum pbft_status merkle_verify(const struct pbft_digest *root,
                               const struct pbft_digest *leaf, uint64_t index,
                               uint64_t count, const struct pbft_digest *path,
                               size_t path_count)
{
    struct pbft_digest computed;
    enum pbft_status status =
        merkle_path_root(&computed, leaf, index, count, path, path_count);
    if (status != PBFT_OK) {
        return status;
    }
    return is_same(&computed, root) ? PBFT_OK : PBFT_BAD_DIGEST;
}

enum pbft_status
merkle_consistency(struct pbft_digest proof[MERKLE_CONSISTENCY_MAX],
                   size_t *proof_count, const struct merkle_source *source,
                   uint64_t old_count, uint64_t count)
{
    enum pbft_status status = PBFT_OK;
    size_t found = 0;
    unsigned level = 0;

    *proof_count = 0;
    if (old_count == 0 || old_count > count) {
        return PBFT_INVALID_ARGUMENT;
    }
    if (old_count == count) {
        return PBFT_OK;
    }
    uint64_t index = old_count - 1;
    uint64_t last = count - 1;
    /* Up to the lowest full subtree that ends where the old tree ended. */
    for (; (index & 1) != 0; index >>= 1, last >>= 1) {
        level++;
    }
    if (index != 0) { /* Else that subtree is the old tree itself. */
        status = node_at(&proof[found++], source, level, index, count);
    }
    for (; status == PBFT_OK && last > 0; index >>= 1, last >>= 1) {
        if ((index ^ 1) <= last) {
            status = node_at(&proof[found++], source, level, index ^ 1, count);
        }
        level++;
    }
    if (status == PBFT_OK) {
        *proof_count = found;
    }
    return status;
}

/* Both roots that the proof leads to. */
static enum pbft_status consistency_roots(struct pbft_digest *old_root,
                                          struct pbft_digest *root,
                                          uint64_t index, uint64_t last,
                                          struct pbft_bytes proof)
{
    size_t at = 0;

    for (; last > 0; index >>= 1, last >>= 1) {
        struct pbft_digest next;
        if ((index ^ 1) > last) {
            continue;
        }
        if (proof.size - at < sizeof next) {
            return PBFT_MALFORMED;
        }
        memcpy(&next, proof.data + at, sizeof next);
        at += sizeof next;
        if ((index & 1) != 0) {
            merkle_node(old_root, &next, old_root);
            merkle_node(root, &next, root);
        } else {
            merkle_node(root, root, &next);
        }
    }
    return at == proof.size ? PBFT_OK : PBFT_MALFORMED;
}

enum pbft_status merkle_verify_consistency(const struct pbft_digest *old_root,
                                           uint64_t old_count,
                                           const struct pbft_digest *root,
                                           uint64_t count,
                                           const struct pbft_digest *proof,
                                           size_t proof_count)
{
    if (old_count == 0 || old_count > count ||
        proof_count > MERKLE_CONSISTENCY_MAX) {
        return PBFT_MALFORMED;
    }
    if (old_count == count) {
        if (proof_count != 0) {
            return PBFT_MALFORMED;
        }
        return is_same(old_root, root) ? PBFT_OK : PBFT_BAD_DIGEST;
    }
    uint64_t index = old_count - 1;
    uint64_t last = count - 1;
    for (; (index & 1) != 0; index >>= 1) {
        last >>= 1;
    }
    struct pbft_digest start = *old_root;
    if (index != 0) {
        if (proof_count == 0) {
            return PBFT_MALFORMED;
        }
        start = *proof++;
        proof_count--;
    }
    struct pbft_digest computed_old = start;
    struct pbft_digest computed = start;
    enum pbft_status status =
        consistency_roots(&computed_old, &computed, index, last,
                          (struct pbft_bytes){(const uint8_t *)proof,
                                              proof_count * sizeof *proof});
    if (status != PBFT_OK) {
        return status;
    }
    return is_same(&computed_old, old_root) && is_same(&computed, root)
               ? PBFT_OK
               : PBFT_BAD_DIGEST;
}
