/* SPDX-License-Identifier: Apache-2.0 */
/* Merkle trees: golden roots from an independent program, and every tree of 0
 * to 64 leaves against a recursive definition written after RFC 6962 2.1. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/digest.h"
#include "crypto/hex.h"
#include "crypto/init.h"
#include "crypto/merkle.h"

#define LEAVES_MAX 64

static struct pbft_digest leaves[LEAVES_MAX];

static void make_leaves(void)
{
    for (size_t i = 0; i < LEAVES_MAX; i++) {
        const uint8_t data = (uint8_t)i;
        merkle_leaf(&leaves[i], (struct pbft_bytes){&data, 1});
    }
}

static size_t split(size_t count)
{
    size_t power = 1;
    while (power * 2 < count) {
        power *= 2;
    }
    return power;
}

/* MTH of RFC 6962 2.1; depth at most 6. */
static struct pbft_digest reference_root(size_t from, size_t to)
{
    struct pbft_digest out;
    if (to == from) {
        digest_blake2b(&out, (struct pbft_bytes){NULL, 0});
        return out;
    }
    if (to - from == 1) {
        return leaves[from];
    }
    size_t middle = from + split(to - from);
    struct pbft_digest left = reference_root(from, middle);
    struct pbft_digest right = reference_root(middle, to);
    merkle_node(&out, &left, &right);
    return out;
}

/* PATH of RFC 6962 2.1.1. */
static size_t reference_path(struct pbft_digest *path, size_t index,
                             size_t from, size_t to)
{
    if (to - from == 1) {
        return 0;
    }
    size_t middle = from + split(to - from);
    size_t count;
    if (index < middle) {
        count = reference_path(path, index, from, middle);
        path[count] = reference_root(middle, to);
    } else {
        count = reference_path(path, index, middle, to);
        path[count] = reference_root(from, middle);
    }
    return count + 1;
}

/* SUBPROOF of RFC 6962 2.1.2. */
static size_t reference_consistency(struct pbft_digest *proof, size_t old_count,
                                    size_t from, size_t to, bool is_old_root)
{
    if (old_count == to - from) {
        if (is_old_root) {
            return 0;
        }
        proof[0] = reference_root(from, to);
        return 1;
    }
    size_t k = split(to - from);
    size_t count;
    if (old_count <= k) {
        count = reference_consistency(proof, old_count, from, from + k,
                                      is_old_root);
        proof[count] = reference_root(from + k, to);
    } else {
        count =
            reference_consistency(proof, old_count - k, from + k, to, false);
        proof[count] = reference_root(from, from + k);
    }
    return count + 1;
}

static void test_merkle_golden_roots(void **state)
{
    static const struct {
        size_t count;
        const char *root;
    } golden[] = {
        {0, "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8"},
        {1, "9ee6dfb61a2fb903df487c401663825643bb825d41695e63df8af6162ab145a6"},
        {2, "47f61e4f4620e9946a8831b8c717a76f36982b82d88e005bc4635a1b21c73eff"},
        {3, "8926efdc0a3a501b9a98e046861bf1303acf7bd2191f0a5fd21c003c9557c1b9"},
        {5, "d189ac817a2f095408bea113eb0c5b6ba55cbafea7cd71378de9152f3b5d3246"},
        {7, "9a32133fb577b45268f6dcb813645347b5955c4b19e56b7474197a31e75a6a5f"},
        {8, "4ba07b279e4b38ac43030e643df2838f441574aaa3fe3d33187d240df776424b"},
        {64,
         "f4715d8cdb5783ac08be8ad9d3a91e2b855086e90d05df728b78e8b2c6fd8cef"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof golden / sizeof golden[0]; i++) {
        struct pbft_digest root;
        char text[65];
        merkle_root(&root, leaves, golden[i].count);
        hex_encode(text, (struct pbft_bytes){root.bytes, 32});
        assert_string_equal(text, golden[i].root);
    }
}

static void test_merkle_roots_agree(void **state)
{
    struct merkle_accumulator accumulator;
    struct pbft_digest nodes[MERKLE_TREE_NODES(LEAVES_MAX)];
    (void)state;
    merkle_accumulator_init(&accumulator);
    for (size_t n = 0; n <= LEAVES_MAX; n++) {
        struct pbft_digest expected = reference_root(0, n);
        struct pbft_digest root;
        struct merkle_tree tree;
        merkle_root(&root, leaves, n);
        assert_memory_equal(&root, &expected, sizeof root);
        merkle_accumulator_root(&accumulator, &root);
        assert_memory_equal(&root, &expected, sizeof root);
        memcpy(nodes, leaves, n * sizeof leaves[0]);
        merkle_tree_build(&tree, nodes, n);
        merkle_tree_root(&tree, &root);
        assert_memory_equal(&root, &expected, sizeof root);
        if (n < LEAVES_MAX) {
            merkle_accumulator_append(&accumulator, &leaves[n]);
        }
    }
}

static void test_merkle_paths_agree_and_verify(void **state)
{
    struct pbft_digest nodes[MERKLE_TREE_NODES(LEAVES_MAX)];
    (void)state;
    for (size_t n = 1; n <= LEAVES_MAX; n++) {
        struct merkle_tree tree;
        struct pbft_digest root = reference_root(0, n);
        memcpy(nodes, leaves, n * sizeof leaves[0]);
        merkle_tree_build(&tree, nodes, n);
        for (size_t i = 0; i < n; i++) {
            struct pbft_digest expected[MERKLE_PATH_MAX];
            struct pbft_digest path[MERKLE_PATH_MAX];
            size_t count = 0;
            size_t expected_count = reference_path(expected, i, 0, n);
            merkle_path_of(path, &count, leaves, i, n);
            assert_int_equal(count, expected_count);
            assert_memory_equal(path, expected, count * sizeof path[0]);
            merkle_tree_path(&tree, path, &count, i);
            assert_int_equal(count, expected_count);
            assert_memory_equal(path, expected, count * sizeof path[0]);
            assert_int_equal(
                merkle_verify(&root, &leaves[i], i, n, path, count), PBFT_OK);
        }
    }
}

/* Any other leaf, index, count, node or length is refused. */
static void test_merkle_path_tampered(void **state)
{
    const size_t n = 13;
    struct pbft_digest root = reference_root(0, n);
    (void)state;
    for (size_t i = 0; i < n; i++) {
        struct pbft_digest path[MERKLE_PATH_MAX];
        size_t count = 0;
        merkle_path_of(path, &count, leaves, i, n);
        for (size_t j = 0; j < LEAVES_MAX; j++) {
            if (j != i) {
                assert_int_not_equal(
                    merkle_verify(&root, &leaves[j], i, n, path, count),
                    PBFT_OK);
                assert_int_not_equal(
                    merkle_verify(&root, &leaves[i], j, n, path, count),
                    PBFT_OK);
            }
        }
        assert_int_equal(merkle_verify(&root, &leaves[i], n, n, path, count),
                         PBFT_MALFORMED);
        assert_int_equal(merkle_verify(&root, &leaves[i], 0, 0, path, 0),
                         PBFT_MALFORMED);
        assert_int_equal(
            merkle_verify(&root, &leaves[i], i, n, path, count - 1),
            PBFT_MALFORMED);
        assert_int_equal(
            merkle_verify(&root, &leaves[i], i, n, path, count + 1),
            PBFT_MALFORMED);
        for (size_t k = 0; k < count; k++) {
            path[k].bytes[k] ^= 1;
            assert_int_equal(
                merkle_verify(&root, &leaves[i], i, n, path, count),
                PBFT_BAD_DIGEST);
            path[k].bytes[k] ^= 1;
        }
    }
}

/* A node is no leaf: 64 bytes that look like two digests hash apart. */
static void test_merkle_node_is_not_a_leaf(void **state)
{
    struct pbft_digest pair[2] = {leaves[0], leaves[1]};
    struct pbft_digest leaf;
    struct pbft_digest node;
    (void)state;
    merkle_leaf(&leaf, (struct pbft_bytes){(const uint8_t *)pair, sizeof pair});
    merkle_node(&node, &pair[0], &pair[1]);
    assert_memory_not_equal(&leaf, &node, sizeof leaf);
    const struct pbft_bytes parts[] = {{pair[0].bytes, 32},
                                       {pair[1].bytes, 32}};
    merkle_leaf_parts(&node, parts, 2);
    assert_memory_equal(&leaf, &node, sizeof leaf);
}

static void test_merkle_consistency(void **state)
{
    const struct merkle_leaves array = {leaves, LEAVES_MAX};
    const struct merkle_source source = merkle_source_of(&array);
    (void)state;
    for (size_t n = 1; n <= LEAVES_MAX; n++) {
        struct pbft_digest root = reference_root(0, n);
        for (size_t m = 1; m <= n; m++) {
            struct pbft_digest expected[MERKLE_CONSISTENCY_MAX];
            struct pbft_digest proof[MERKLE_CONSISTENCY_MAX];
            struct pbft_digest old_root = reference_root(0, m);
            size_t count = 0;
            size_t expected_count =
                reference_consistency(expected, m, 0, n, true);
            assert_int_equal(merkle_consistency(proof, &count, &source, m, n),
                             PBFT_OK);
            assert_int_equal(count, expected_count);
            assert_memory_equal(proof, expected, count * sizeof proof[0]);
            assert_int_equal(
                merkle_verify_consistency(&old_root, m, &root, n, proof, count),
                PBFT_OK);
            for (size_t k = 0; k < count; k++) {
                proof[k].bytes[0] ^= 1;
                assert_int_equal(merkle_verify_consistency(&old_root, m, &root,
                                                           n, proof, count),
                                 PBFT_BAD_DIGEST);
                proof[k].bytes[0] ^= 1;
            }
            if (m < n) {
                assert_int_not_equal(
                    merkle_verify_consistency(&root, m, &root, n, proof, count),
                    PBFT_OK);
                assert_int_equal(merkle_verify_consistency(&old_root, m, &root,
                                                           n, proof, count + 1),
                                 PBFT_MALFORMED);
            }
        }
    }
    struct pbft_digest proof[MERKLE_CONSISTENCY_MAX];
    size_t count = 0;
    assert_int_equal(merkle_consistency(proof, &count, &source, 0, 5),
                     PBFT_INVALID_ARGUMENT);
    assert_int_equal(merkle_consistency(proof, &count, &source, 6, 5),
                     PBFT_INVALID_ARGUMENT);
}

static void test_merkle_accumulator_round_trip(void **state)
{
    struct merkle_accumulator accumulator;
    uint8_t bytes[MERKLE_ACCUMULATOR_BYTES_MAX];
    (void)state;
    merkle_accumulator_init(&accumulator);
    for (size_t n = 0; n < LEAVES_MAX; n++) {
        struct merkle_accumulator copy;
        size_t size = merkle_accumulator_encode(&accumulator, bytes);
        assert_int_equal(
            merkle_accumulator_decode(&copy, (struct pbft_bytes){bytes, size}),
            PBFT_OK);
        /* Continues as the original does. */
        merkle_accumulator_append(&accumulator, &leaves[n]);
        merkle_accumulator_append(&copy, &leaves[n]);
        struct pbft_digest root;
        struct pbft_digest copy_root;
        merkle_accumulator_root(&accumulator, &root);
        merkle_accumulator_root(&copy, &copy_root);
        assert_memory_equal(&root, &copy_root, sizeof root);
        for (size_t cut = 0; cut < size; cut++) {
            assert_int_equal(merkle_accumulator_decode(
                                 &copy, (struct pbft_bytes){bytes, cut}),
                             PBFT_MALFORMED);
        }
        assert_int_equal(merkle_accumulator_decode(
                             &copy, (struct pbft_bytes){bytes, size + 1}),
                         PBFT_MALFORMED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_merkle_golden_roots),
        cmocka_unit_test(test_merkle_roots_agree),
        cmocka_unit_test(test_merkle_paths_agree_and_verify),
        cmocka_unit_test(test_merkle_path_tampered),
        cmocka_unit_test(test_merkle_node_is_not_a_leaf),
        cmocka_unit_test(test_merkle_consistency),
        cmocka_unit_test(test_merkle_accumulator_round_trip),
    };
    if (crypto_init() != PBFT_OK) {
        return 1;
    }
    make_leaves();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
