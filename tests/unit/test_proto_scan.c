/* SPDX-License-Identifier: Apache-2.0 */
/* The strict scan: what passes unpacks to a message that packs to the same
 * bytes, in the memory that was foretold; bombs end before memory is taken. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "proto/scan.h"
#include "salus/v1/client.pb-c.h"
#include "salus/v1/files.pb-c.h"
#include "salus/v1/ledger.pb-c.h"
#include "tests/support/random_message.h"

static struct wire_buffer buffer;
static struct wire_scan_result scan;

static enum pbft_status scan_bytes(const ProtobufCMessageDescriptor *type,
                                   const void *data, size_t size)
{
    /* A copy of exact size: the sanitizer sees a read beyond it. */
    uint8_t *copy = malloc(size + (size == 0));
    memcpy(copy, data, size);
    enum pbft_status status =
        wire_scan(type, (struct pbft_bytes){copy, size}, &scan);
    free(copy);
    return status;
}

#define EXPECT(type, literal, expected)                                        \
    assert_int_equal(scan_bytes(&salus__v1__##type##__descriptor, literal,     \
                                sizeof(literal) - 1),                          \
                     expected)

static void test_scan_empty_message(void **state)
{
    (void)state;
    EXPECT(status_call, "", PBFT_OK);
    EXPECT(member, "", PBFT_OK);
    assert_int_equal(scan.nesting, 1);
    assert_int_equal(scan.elements, 0);
}

static void test_scan_varints(void **state)
{
    (void)state;
    EXPECT(submit, "\x10\x01", PBFT_OK);
    EXPECT(submit, "\x10\xff\xff\xff\xff\x0f", PBFT_OK);
    EXPECT(submit, "\x10\xff\xff\xff\xff\x1f", PBFT_NOT_CANONICAL);
    EXPECT(submit, "\x10\x00", PBFT_NOT_CANONICAL);
    EXPECT(submit, "\x10\x81\x00", PBFT_NOT_CANONICAL);
    EXPECT(submit, "\x90\x00\x01", PBFT_NOT_CANONICAL);
    EXPECT(submit, "\x10", PBFT_MALFORMED);
    EXPECT(submit, "\x10\x80", PBFT_MALFORMED);
    EXPECT(lookup, "\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", PBFT_OK);
    EXPECT(lookup, "\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02",
           PBFT_MALFORMED);
    EXPECT(lookup, "\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
           PBFT_MALFORMED);
    EXPECT(peer_status, "\x10\x01", PBFT_OK);
    EXPECT(peer_status, "\x10\x02", PBFT_NOT_CANONICAL); /* bool */
    EXPECT(refusal, "\x08\x05", PBFT_OK);
    EXPECT(refusal, "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
           PBFT_NOT_CANONICAL); /* A negative enum. */
}

static void test_scan_wire_types(void **state)
{
    (void)state;
    EXPECT(submit, "\x15\x01\x00\x00\x00", PBFT_MALFORMED);
    EXPECT(submit, "\x11\x01\x00\x00\x00\x00\x00\x00\x00", PBFT_MALFORMED);
    EXPECT(submit, "\x12\x01\x01", PBFT_MALFORMED);
    EXPECT(submit, "\x13", PBFT_MALFORMED); /* A group. */
    EXPECT(lookup, "\x08\x01", PBFT_MALFORMED);
}

static void test_scan_field_order(void **state)
{
    (void)state;
    EXPECT(lookup, "\x18\x01\x20\x01", PBFT_OK);
    EXPECT(lookup, "\x20\x01\x18\x01", PBFT_NOT_CANONICAL);
    EXPECT(lookup, "\x18\x01\x18\x01", PBFT_NOT_CANONICAL);
    EXPECT(lookup, "\x28\x01", PBFT_MALFORMED); /* Unknown. */
    EXPECT(lookup, "\x18\x01\xf8\x07\x01", PBFT_MALFORMED);
    EXPECT(lookup, "\x00\x01", PBFT_MALFORMED); /* Field 0. */
    EXPECT(lookup, "\x0a\x01x\x00", PBFT_NOT_CANONICAL);
}

static void test_scan_lengths(void **state)
{
    (void)state;
    EXPECT(lookup, "\x0a\x02xy", PBFT_OK);
    EXPECT(lookup, "\x0a\x00", PBFT_NOT_CANONICAL);
    EXPECT(lookup, "\x0a\x03xy", PBFT_MALFORMED);
    EXPECT(lookup, "\x0a\xff\xff\xff\xff\x07", PBFT_MALFORMED);
    EXPECT(lookup, "\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
           PBFT_MALFORMED);
    EXPECT(lookup, "\x0a\x82\x00xy", PBFT_NOT_CANONICAL);
    /* A sub-message that reaches beyond its parent. */
    EXPECT(client_call, "\x5a\x02\x0a\x05xxxxx", PBFT_MALFORMED);
}

static void test_scan_strings(void **state)
{
    (void)state;
    EXPECT(member,
           "\x1a\x04"
           "\xc3\xbc"
           "xy",
           PBFT_OK);
    EXPECT(member, "\x1a\x01\xff", PBFT_MALFORMED);
    EXPECT(member, "\x1a\x02\xc3\x28", PBFT_MALFORMED);
    EXPECT(member, "\x1a\x02\xc0\xaf", PBFT_MALFORMED);         /* Over-long */
    EXPECT(member, "\x1a\x03\xed\xa0\x80", PBFT_MALFORMED);     /* Surrogate */
    EXPECT(member, "\x1a\x04\xf4\x90\x80\x80", PBFT_MALFORMED); /* Beyond */
    EXPECT(member, "\x1a\x02\xe2\x82", PBFT_MALFORMED);         /* Cut off */
    EXPECT(member, "\x1a\x03x\x00y", PBFT_MALFORMED);
}

static void test_scan_packed(void **state)
{
    (void)state;
    EXPECT(member, "\x32\x03\x01\x02\x03", PBFT_OK);
    assert_int_equal(scan.elements, 3);
    EXPECT(member, "\x32\x02\x00\x00", PBFT_OK); /* Zeros count in lists. */
    EXPECT(member, "\x32\x00", PBFT_NOT_CANONICAL);
    EXPECT(member, "\x32\x01\x01\x32\x01\x02", PBFT_NOT_CANONICAL);
    EXPECT(member, "\x30\x01", PBFT_NOT_CANONICAL); /* Not packed. */
    EXPECT(member, "\x32\x01\x80", PBFT_MALFORMED);
    EXPECT(status, "\x4a\x08\x01\x00\x00\x00\x00\x00\x00\x00", PBFT_OK);
    EXPECT(status, "\x4a\x07\x01\x00\x00\x00\x00\x00\x00", PBFT_MALFORMED);
}

static void test_scan_oneof(void **state)
{
    (void)state;
    EXPECT(client_call, "\x6a\x00", PBFT_OK); /* StatusCall. */
    EXPECT(client_call, "\x62\x00\x6a\x00", PBFT_MALFORMED);
    EXPECT(client_call, "\x6a\x00\x6a\x00", PBFT_NOT_CANONICAL);
}

static void test_scan_frame_limit(void **state)
{
    (void)state;
    const uint8_t byte = 0;
    assert_int_equal(
        wire_scan(&salus__v1__lookup__descriptor,
                  (struct pbft_bytes){&byte, WIRE_FRAME_BYTES_MAX + 1}, &scan),
        PBFT_TOO_LARGE);
}

/* D-41: a great many of the smallest things. */
static void test_scan_bomb_of_elements(void **state)
{
    (void)state;
    const size_t count = 1000000;
    uint8_t *bytes = malloc(2 * count);
    for (size_t i = 0; i < count; i++) {
        bytes[2 * i] = 0x22; /* An empty Member of a Genesis. */
        bytes[2 * i + 1] = 0;
    }
    assert_int_equal(
        scan_bytes(&salus__v1__genesis__descriptor, bytes, 2 * count),
        PBFT_TOO_LARGE);
    assert_true(scan.elements <= WIRE_ELEMENTS_MAX);
    assert_true(scan.memory <= WIRE_UNPACK_BYTES_MAX);
    /* As many as are allowed take no more than the foretold memory. */
    size_t allowed = 2 * (size_t)WIRE_ELEMENTS_MAX;
    assert_int_equal(
        scan_bytes(&salus__v1__genesis__descriptor, bytes, allowed), PBFT_OK);
    assert_int_equal(
        scan_bytes(&salus__v1__genesis__descriptor, bytes, allowed + 2),
        PBFT_TOO_LARGE);
    free(bytes);
}

/* D-41: megabytes of unknown fields; a packed list as long as the frame. */
static void test_scan_bomb_of_fields(void **state)
{
    (void)state;
    const size_t size = 8u * 1024u * 1024u;
    uint8_t *bytes = malloc(size);
    for (size_t i = 0; i < size; i += 4) {
        memcpy(bytes + i, "\xfa\x7f\x01x", 4);
    }
    assert_int_equal(scan_bytes(&salus__v1__genesis__descriptor, bytes, size),
                     PBFT_MALFORMED);
    assert_int_equal(scan.elements, 0);
    memset(bytes, 1, size);
    bytes[0] = 0x32; /* Member.roles: 2^23 - 6 of them. */
    memcpy(bytes + 1, "\xfa\xff\xff\x03", 4);
    assert_int_equal(
        scan_bytes(&salus__v1__member__descriptor, bytes, 6 - 1 + 0x7ffffa),
        PBFT_TOO_LARGE);
    free(bytes);
}

/* D-41: nesting. No type of ours is recursive; the deepest is far below the
 * limit, and a selector cannot be made deeper. */
static void test_scan_nesting(void **state)
{
    (void)state;
    /* ClientReply.outcome.block.attestation */
    EXPECT(client_reply, "\x5a\x04\x3a\x02\x0a\x00", PBFT_OK);
    assert_int_equal(scan.nesting, 4);
    uint8_t deep[200];
    for (size_t i = 0; i < sizeof deep; i += 2) {
        deep[i] = 0x62; /* ConsentGrant.exceptions within each other. */
        deep[i + 1] = (uint8_t)(sizeof deep - i - 2);
    }
    assert_int_not_equal(
        scan_bytes(&salus__v1__consent_grant__descriptor, deep, sizeof deep),
        PBFT_OK);
    assert_true(scan.nesting <= WIRE_NESTING_MAX);
}

/* ---- unpacking ----------------------------------------------------------- */

/* A genesis with everything in it. */
static struct pbft_bytes sample(void)
{
    static uint32_t roles[] = {1, 2, 700};
    static uint8_t bytes[40] = {7};
    static ProtobufCBinaryData keys[20];
    Salus__V1__Genesis genesis = SALUS__V1__GENESIS__INIT;
    Salus__V1__Parameters parameters = SALUS__V1__PARAMETERS__INIT;
    Salus__V1__Member members[40];
    Salus__V1__Member *list[40];
    for (size_t i = 0; i < 20; i++) {
        keys[i] = (ProtobufCBinaryData){.data = bytes, .len = i};
    }
    for (size_t i = 0; i < 40; i++) {
        salus__v1__member__init(&members[i]);
        list[i] = &members[i];
        members[i].version = 1;
        members[i].institution = keys[16];
        members[i].name = (char *)(uintptr_t) "st-anna";
        members[i].roles = roles;
        members[i].n_roles = 3;
        members[i].submit_keys = keys;
        members[i].n_submit_keys = i % 20;
    }
    parameters.window = 3;
    genesis.version = 300;
    genesis.parameters = &parameters;
    genesis.members = list;
    genesis.n_members = 40;
    wire_buffer_reset(&buffer);
    assert_int_equal(wire_pack(&genesis.base, &buffer), PBFT_OK);
    return wire_buffer_bytes(&buffer);
}

static void test_unpack_what_was_packed(void **state)
{
    (void)state;
    struct wire_arena arena;
    ProtobufCMessage *message;
    struct wire_buffer again;
    struct pbft_bytes bytes = sample();
    wire_arena_init(&arena, WIRE_UNPACK_BYTES_MAX);
    wire_buffer_init(&again, WIRE_FRAME_BYTES_MAX);

    assert_int_equal(wire_unpack_strict(&salus__v1__genesis__descriptor, bytes,
                                        &arena, &message),
                     PBFT_OK);

    const Salus__V1__Genesis *genesis = (Salus__V1__Genesis *)message;
    assert_int_equal(genesis->n_members, 40);
    assert_string_equal(genesis->members[39]->name, "st-anna");
    assert_int_equal(genesis->members[1]->roles[2], 700);
    assert_int_equal(wire_pack(message, &again), PBFT_OK);
    assert_int_equal(again.size, bytes.size);
    assert_memory_equal(again.data, bytes.data, bytes.size);
    wire_buffer_deinit(&again);
    wire_arena_deinit(&arena);
}

static void test_unpack_within_the_cap_of_the_arena(void **state)
{
    (void)state;
    struct wire_arena arena;
    ProtobufCMessage *message;
    struct pbft_bytes bytes = sample();
    assert_int_equal(wire_scan(&salus__v1__genesis__descriptor, bytes, &scan),
                     PBFT_OK);
    wire_arena_init(&arena, scan.memory - 1);
    assert_int_equal(wire_unpack_strict(&salus__v1__genesis__descriptor, bytes,
                                        &arena, &message),
                     PBFT_TOO_LARGE);
    assert_null(message);
    assert_null(arena.blocks);
    wire_arena_deinit(&arena);
    wire_arena_init(&arena, scan.memory);
    assert_int_equal(wire_unpack_strict(&salus__v1__genesis__descriptor, bytes,
                                        &arena, &message),
                     PBFT_OK);
    wire_arena_deinit(&arena);
}

static void test_unpack_nothing(void **state)
{
    (void)state;
    struct wire_arena arena;
    ProtobufCMessage *message;
    wire_arena_init(&arena, 4096);
    assert_int_equal(wire_unpack_strict(&salus__v1__status_call__descriptor,
                                        (struct pbft_bytes){NULL, 0}, &arena,
                                        &message),
                     PBFT_OK);
    assert_non_null(message);
    wire_arena_deinit(&arena);
}

/* Whatever damage passes the scan unpacks and packs to the same bytes. */
static void test_unpack_accepts_one_encoding_only(void **state)
{
    (void)state;
    struct support_random random = {.state = 4711};
    struct wire_buffer again;
    struct wire_arena arena;
    struct pbft_bytes bytes = sample();
    uint8_t *copy = malloc(bytes.size);
    memcpy(copy, bytes.data, bytes.size);
    bytes.data = copy;
    wire_buffer_init(&again, WIRE_FRAME_BYTES_MAX);
    wire_arena_init(&arena, WIRE_UNPACK_BYTES_MAX);
    unsigned passed = 0;
    for (int i = 0; i < 20000; i++) {
        ProtobufCMessage *message;
        size_t at = support_random_below(&random, bytes.size);
        uint8_t flip = (uint8_t)(1 + support_random_below(&random, 255));
        copy[at] ^= flip;
        if (wire_unpack_strict(&salus__v1__genesis__descriptor, bytes, &arena,
                               &message) == PBFT_OK) {
            wire_buffer_reset(&again);
            assert_int_equal(wire_pack(message, &again), PBFT_OK);
            assert_int_equal(again.size, bytes.size);
            assert_memory_equal(again.data, copy, bytes.size);
            passed++;
        }
        wire_arena_reset(&arena);
        copy[at] ^= flip;
    }
    assert_true(passed > 0);
    wire_arena_deinit(&arena);
    wire_buffer_deinit(&again);
    free(copy);
}

static void test_pack_keeps_to_the_limit_of_the_buffer(void **state)
{
    (void)state;
    Salus__V1__Submit message = SALUS__V1__SUBMIT__INIT;
    struct wire_buffer small;
    message.timeout_ms = 1000;
    wire_buffer_init(&small, 2);
    assert_int_equal(wire_pack(&message.base, &small), PBFT_TOO_LARGE);
    assert_int_equal(small.size, 0);
    assert_int_equal(small.status, PBFT_OK);
    wire_buffer_deinit(&small);
}

static void test_arena_blocks(void **state)
{
    (void)state;
    struct wire_arena arena;
    wire_arena_init(&arena, 100000);
    uint8_t *first = wire_arena_alloc(&arena, 10);
    uint8_t *second = wire_arena_alloc(&arena, 0);
    uint8_t *large = wire_arena_alloc(&arena, 60000);
    assert_non_null(first);
    assert_non_null(second);
    assert_non_null(large);
    assert_int_equal((uintptr_t)large % _Alignof(max_align_t), 0);
    memset(large, 1, 60000);
    assert_null(wire_arena_alloc(&arena, 60000));
    assert_null(wire_arena_alloc(&arena, SIZE_MAX));
    wire_arena_reset(&arena);
    assert_int_equal(wire_arena_left(&arena), 100000);
    assert_non_null(wire_arena_alloc(&arena, 60000));
    wire_arena_deinit(&arena);
}

static int set_up(void **state)
{
    (void)state;
    wire_buffer_init(&buffer, WIRE_FRAME_BYTES_MAX);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    wire_buffer_deinit(&buffer);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scan_empty_message),
        cmocka_unit_test(test_scan_varints),
        cmocka_unit_test(test_scan_wire_types),
        cmocka_unit_test(test_scan_field_order),
        cmocka_unit_test(test_scan_lengths),
        cmocka_unit_test(test_scan_strings),
        cmocka_unit_test(test_scan_packed),
        cmocka_unit_test(test_scan_oneof),
        cmocka_unit_test(test_scan_frame_limit),
        cmocka_unit_test(test_scan_bomb_of_elements),
        cmocka_unit_test(test_scan_bomb_of_fields),
        cmocka_unit_test(test_scan_nesting),
        cmocka_unit_test(test_unpack_what_was_packed),
        cmocka_unit_test(test_unpack_within_the_cap_of_the_arena),
        cmocka_unit_test(test_unpack_nothing),
        cmocka_unit_test(test_unpack_accepts_one_encoding_only),
        cmocka_unit_test(test_pack_keeps_to_the_limit_of_the_buffer),
        cmocka_unit_test(test_arena_blocks),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
