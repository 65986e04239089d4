/* SPDX-License-Identifier: Apache-2.0 */
/* Trees in the shape of RFC 6962. Splitting at the largest power of two is the
 * same as pairing each level from the left and moving an odd last node up
 * unchanged; that form needs no recursion. */
#include "crypto/merkle.h"

#include "consensus/assert.h"
#include "crypto/digest.h"

#include <string.h>

#define LEAF_PARTS_MAX 15

static const uint8_t leaf_prefix = 0x00;
static const uint8_t node_prefix = 0x01;

void merkle_leaf(struct pbft_digest *out, struct pbft_bytes data)
{
    merkle_leaf_parts(out, &data, 1);
}

void merkle_leaf_parts(struct pbft_digest *out, const struct pbft_bytes *parts,
                       size_t part_count)
{
    struct pbft_bytes all[LEAF_PARTS_MAX + 1] = {{&leaf_prefix, 1}};
    PBFT_ASSERT(part_count <= LEAF_PARTS_MAX);
    for (size_t i = 0; i < part_count; i++) {
        all[i + 1] = parts[i];
    }
    digest_blake2b_parts(out, all, part_count + 1);
}

void merkle_node(struct pbft_digest *out, const struct pbft_digest *left,
                 const struct pbft_digest *right)
{
    uint8_t bytes[1 + 2 * PBFT_DIGEST_SIZE];
    bytes[0] = node_prefix;
    memcpy(bytes + 1, left->bytes, PBFT_DIGEST_SIZE);
    memcpy(bytes + 1 + PBFT_DIGEST_SIZE, right->bytes, PBFT_DIGEST_SIZE);
    digest_blake2b(out, (struct pbft_bytes){bytes, sizeof bytes});
}

void merkle_accumulator_init(struct merkle_accumulator *accumulator)
{
    memset(accumulator, 0, sizeof *accumulator);
}

void merkle_accumulator_append(struct merkle_accumulator *accumulator,
                               const struct pbft_digest *leaf)
{
    struct pbft_digest carry = *leaf;
    unsigned level = 0;

    PBFT_ASSERT(accumulator->count < UINT64_MAX);
    /* As in adding one to a binary number. */
    for (uint64_t rest = accumulator->count; (rest & 1) != 0; rest >>= 1) {
        merkle_node(&carry, &accumulator->peaks[level], &carry);
        level++;
    }
    accumulator->peaks[level] = carry;
    accumulator->count++;
}

void merkle_accumulator_root(const struct merkle_accumulator *accumulator,
                             struct pbft_digest *out)
{
    bool is_first = true;

    digest_blake2b(out, (struct pbft_bytes){NULL, 0});
    for (unsigned level = 0; level < MERKLE_LEVELS_MAX; level++) {
        if (((accumulator->count >> level) & 1) == 0) {
            continue;
        }
        if (is_first) {
            *out = accumulator->peaks[level];
            is_first = false;
        } else {
            merkle_node(out, &accumulator->peaks[level], out);
        }
    }
}

size_t merkle_accumulator_encode(const struct merkle_accumulator *accumulator,
                                 uint8_t out[MERKLE_ACCUMULATOR_BYTES_MAX])
{
    size_t size = 0;
    for (unsigned shift = 64; shift > 0; shift -= 8) {
        out[size++] = (uint8_t)(accumulator->count >> (shift - 8));
    }
    for (unsigned level = 0; level < MERKLE_LEVELS_MAX; level++) {
        if (((accumulator->count >> level) & 1) != 0) {
            memcpy(out + size, accumulator->peaks[level].bytes,
                   PBFT_DIGEST_SIZE);
            size += PBFT_DIGEST_SIZE;
        }
    }
    return size;
}

enum pbft_status merkle_accumulator_decode(struct merkle_accumulator *out,
                                           struct pbft_bytes bytes)
{
    size_t at = sizeof(uint64_t);

    merkle_accumulator_init(out);
    if (bytes.size < at) {
        return PBFT_MALFORMED;
    }
    for (size_t i = 0; i < at; i++) {
        out->count = out->count << 8 | bytes.data[i];
    }
    for (unsigned level = 0; level < MERKLE_LEVELS_MAX; level++) {
        if (((out->count >> level) & 1) == 0) {
            continue;
        }
        if (bytes.size - at < PBFT_DIGEST_SIZE) {
            return PBFT_MALFORMED;
        }
        memcpy(out->peaks[level].bytes, bytes.data + at, PBFT_DIGEST_SIZE);
        at += PBFT_DIGEST_SIZE;
    }
    return at == bytes.size ? PBFT_OK : PBFT_MALFORMED;
}

void merkle_root(struct pbft_digest *out, const struct pbft_digest *leaves,
                 size_t count)
{
    struct merkle_accumulator accumulator;
    merkle_accumulator_init(&accumulator);
    for (size_t i = 0; i < count; i++) {
        merkle_accumulator_append(&accumulator, &leaves[i]);
    }
    merkle_accumulator_root(&accumulator, out);
}

void merkle_tree_build(struct merkle_tree *tree, struct pbft_digest *nodes,
                       size_t count)
{
    struct pbft_digest *level = nodes;

    for (size_t width = count; width > 1; width = width / 2 + width % 2) {
        struct pbft_digest *above = level + width;
        for (size_t i = 0; i < width / 2; i++) {
            merkle_node(&above[i], &level[2 * i], &level[2 * i + 1]);
        }
        if (width % 2 != 0) {
            above[width / 2] = level[width - 1];
        }
        level = above;
    }
    *tree = (struct merkle_tree){.nodes = nodes, .count = count};
}

void merkle_tree_root(const struct merkle_tree *tree, struct pbft_digest *out)
{
    const struct pbft_digest *level = tree->nodes;
    if (tree->count == 0) {
        digest_blake2b(out, (struct pbft_bytes){NULL, 0});
        return;
    }
    for (size_t width = tree->count; width > 1; width = width / 2 + width % 2) {
        level += width;
    }
    *out = *level;
}

void merkle_tree_path(const struct merkle_tree *tree,
                      struct pbft_digest path[MERKLE_PATH_MAX],
                      size_t *path_count, size_t index)
{
    const struct pbft_digest *level = tree->nodes;
    size_t count = 0;

    PBFT_ASSERT(index < tree->count);
    for (size_t width = tree->count; width > 1; width = width / 2 + width % 2) {
        if ((index ^ 1) < width) {
            path[count++] = level[index ^ 1];
        }
        level += width;
        index /= 2;
    }
    *path_count = count;
}
