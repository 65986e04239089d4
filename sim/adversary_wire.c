/* SPDX-License-Identifier: Apache-2.0 */
/* Lies below the protocol: signatures for lax verifiers (B12), and bytes for
 * lax decoders (B15). Both must come to nothing, at everybody alike. */
#include <string.h>

#include "consensus/assert.h"
#include "consensus/preimage.h"
#include "proto/codec.h"
#include "sim/adversary.h"
#include "sim/sim.h"

/* ---- signatures ------------------------------------------------------------
 */

#define HALF (PBFT_SIGNATURE_SIZE / 2) /* R, then S: little endian. */
#define HIGHEST (HALF - 1)             /* Of the bytes of a half. */

/* The order of the group, L (RFC 8032). */
static const uint8_t group_order[HALF] = {
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7,
    0xa2, 0xde, 0xf9, 0xde, 0x14, 0,    0,    0,    0,    0,    0,
    0,    0,    0,    0,    0,    0,    0,    0,    0,    0x10};

/* S + L satisfies the same equation. */
static void add_order(uint8_t *r, uint8_t *s)
{
    unsigned carry = 0;
    (void)r;
    for (unsigned i = 0; i < HALF; i++) {
        carry += (unsigned)s[i] + group_order[i];
        s[i] = (uint8_t)carry;
        carry >>= 8;
    }
}

/* R and S are those of the neutral element: they fit any bytes, if the key is
 * of small order too. */
static void use_neutral(uint8_t *r, uint8_t *s)
{
    memset(r, 0, HALF);
    memset(s, 0, HALF);
    r[0] = 1;
}

/* The same point, written as y + p. */
static void use_neutral_again(uint8_t *r, uint8_t *s)
{
    memset(r, 0xff, HALF);
    memset(s, 0, HALF);
    r[0] = 0xee;
    r[HIGHEST] = 0x7f;
}

/* A point of order 2: y = -1. */
static void use_small_order(uint8_t *r, uint8_t *s)
{
    (void)s;
    memset(r, 0xff, HALF);
    r[0] = 0xec;
    r[HIGHEST] = 0x7f;
}

/* Zero on the x axis has one sign. */
static void change_sign(uint8_t *r, uint8_t *s)
{
    (void)s;
    r[HIGHEST] ^= 0x80;
}

/* Good, if only one half is looked at. */
static void spoil_first_half(uint8_t *r, uint8_t *s)
{
    (void)s;
    memset(r, 0, HALF);
}

static void spoil_second_half(uint8_t *r, uint8_t *s)
{
    (void)r;
    memset(s, 0, HALF);
}

static void (*const loosen[])(uint8_t *r, uint8_t *s) = {
    add_order,   use_neutral,      use_neutral_again, use_small_order,
    change_sign, spoil_first_half, spoil_second_half,
};

/* To some the good one, to others one that no strict verifier takes: whoever
 * takes it would hold a proof that nobody else believes. */
void adversary_sign_loosely(struct host *host, pbft_replica_id to,
                            const struct pbft_message *message)
{
    struct random *random = &host->sim->adversaries.random;
    struct pbft_message *copy;
    bool is_vote = message->type == PBFT_MESSAGE_PREPARE ||
                   message->type == PBFT_MESSAGE_COMMIT;
    if (!is_vote || message->sender != host->id) {
        adversary_speak(host, to, message);
        return;
    }
    struct pbft_origin origin = adversary_origin(host);
    origin.signature = message->signature;
    uint8_t *bytes = origin.signature.bytes;
    loosen[random_below(random, sizeof loosen / sizeof loosen[0])](
        bytes, bytes + HALF);
    copy = pbft_vote_create(message->type, &origin, &message->prepare);
    PBFT_ASSERT(copy != NULL);
    audit_note_loose(host->sim, copy);
    adversary_count(host);
    adversary_deliver(host, to, copy, 0);
    pbft_message_unref(copy);
}

/* ---- bytes -----------------------------------------------------------------
 */

#define LENGTH_DELIMITED 2
#define FIELD_UNKNOWN 1000
#define NESTING 100
#define REPEATED 2000
#define FLIPS_MAX 8

static void put_varint(struct wire_buffer *buffer, uint64_t value)
{
    for (; value >= 0x80; value >>= 7) {
        wire_buffer_put(buffer, &(uint8_t){(uint8_t)(value | 0x80)}, 1);
    }
    wire_buffer_put(buffer, &(uint8_t){(uint8_t)value}, 1);
}

static void put_tag(struct wire_buffer *buffer, uint64_t field, uint64_t type)
{
    put_varint(buffer, field << 3 | type);
}

static void add_unknown_field(struct random *random, struct wire_buffer *buffer)
{
    put_tag(buffer, FIELD_UNKNOWN, 0);
    put_varint(buffer, random_next(random));
}

/* Another protobuf reader would merge them. */
static void double_all(struct random *random, struct wire_buffer *buffer)
{
    size_t size = buffer->size;
    (void)random;
    uint8_t *second = wire_buffer_grow(buffer, size);
    if (second != NULL) {
        memcpy(second, buffer->data, size);
    }
}

/* Ten bytes, of which the last is too large; or a number written too long. */
static void add_long_varint(struct random *random, struct wire_buffer *buffer)
{
    uint8_t bytes[10];
    memset(bytes, random_chance(random, 500) ? 0xff : 0x80, sizeof bytes);
    bytes[sizeof bytes - 1] = (uint8_t)random_below(random, 0x80);
    put_tag(buffer, FIELD_UNKNOWN, 0);
    wire_buffer_put(buffer, bytes, sizeof bytes);
}

static void add_long_length(struct random *random, struct wire_buffer *buffer)
{
    static const uint64_t lengths[] = {
        1, INT32_MAX, UINT32_MAX, UINT64_C(1) << 32, INT64_MAX, UINT64_MAX};
    put_tag(buffer, random_between(random, 1, 20), LENGTH_DELIMITED);
    put_varint(
        buffer,
        lengths[random_below(random, sizeof lengths / sizeof lengths[0])]);
}

static void add_nesting(struct random *random, struct wire_buffer *buffer)
{
    uint64_t field = random_between(random, 1, 20);
    for (uint64_t left = NESTING; left > 0; left--) {
        put_tag(buffer, field, LENGTH_DELIMITED);
        put_varint(buffer, 3 * (left - 1));
    }
}

static void add_repeated(struct random *random, struct wire_buffer *buffer)
{
    uint64_t field = random_between(random, 1, 20);
    for (uint64_t i = 0; i < REPEATED; i++) {
        put_tag(buffer, field, LENGTH_DELIMITED);
        put_varint(buffer, 0);
    }
}

/* Field 0, and the types that protobuf once had, or never. */
static void add_bad_tag(struct random *random, struct wire_buffer *buffer)
{
    if (random_chance(random, 500)) {
        put_tag(buffer, 0, random_below(random, 3));
    } else {
        /* One after the other: arguments have no order. */
        const uint64_t field = random_between(random, 1, 20);
        const uint64_t wire_type = random_between(random, 3, 7);
        put_tag(buffer, field, wire_type);
    }
    put_varint(buffer, 0);
}

static void truncate(struct random *random, struct wire_buffer *buffer)
{
    buffer->size = (size_t)random_below(random, buffer->size);
}

static void flip_bits(struct random *random, struct wire_buffer *buffer)
{
    for (uint64_t i = random_between(random, 1, FLIPS_MAX); i > 0; i--) {
        uint64_t bit = random_below(random, 8 * (uint64_t)buffer->size);
        buffer->data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

static void replace_all(struct random *random, struct wire_buffer *buffer)
{
    for (size_t i = 0; i < buffer->size; i++) {
        buffer->data[i] = (uint8_t)random_next(random);
    }
}

static const struct spoiler {
    void (*spoil)(struct random *random, struct wire_buffer *buffer);
    bool is_always_refused; /* Else it may be another good encoding. */
} spoilers[] = {
    {add_unknown_field, true}, {double_all, true},  {add_long_varint, true},
    {add_long_length, true},   {add_nesting, true}, {add_repeated, true},
    {add_bad_tag, true},       {truncate, false},   {flip_bits, false},
    {replace_all, false},
};

/* What a decoder took must be the one encoding of what it gave. */
static bool is_canonical(const struct pbft_message *message,
                         const struct wire_buffer *bytes)
{
    struct wire_buffer again;
    wire_buffer_init(&again, WIRE_MESSAGE_BYTES_MAX);
    bool is_same =
        wire_message_encode(message, WIRE_BODY_INCLUDE, &again) == PBFT_OK &&
        again.size == bytes->size &&
        memcmp(again.data, bytes->data, bytes->size) == 0;
    wire_buffer_deinit(&again);
    return is_same;
}

static void send_spoiled(struct host *host, pbft_replica_id to,
                         struct wire_buffer *buffer)
{
    struct sim *sim = host->sim;
    struct random *random = &sim->adversaries.random;
    const struct spoiler *spoiler =
        &spoilers[random_below(random, sizeof spoilers / sizeof spoilers[0])];
    const struct pbft_message *decoded = NULL;
    spoiler->spoil(random, buffer);
    if (wire_message_decode(&host->domain, wire_buffer_bytes(buffer), NULL,
                            &decoded) != PBFT_OK) {
        return;
    }
    if (spoiler->is_always_refused || !is_canonical(decoded, buffer)) {
        audit_fail(sim, "A5", sim->hosts[to],
                   "takes bytes of R%u that are no %s", (unsigned)host->id,
                   pbft_message_type_name(decoded->type));
    }
    adversary_deliver(host, to, decoded, 0);
    pbft_message_unref(decoded);
}

/* Its own words, or anybody's, in bytes that are not quite those of a message.
 */
void adversary_spoil_bytes(struct host *host, pbft_replica_id to,
                           const struct pbft_message *message)
{
    struct wire_buffer buffer;
    wire_buffer_init(&buffer, WIRE_MESSAGE_BYTES_MAX);
    if (wire_message_encode(message, WIRE_BODY_INCLUDE, &buffer) == PBFT_OK &&
        buffer.size > 0) {
        adversary_count(host);
        send_spoiled(host, to, &buffer);
    }
    wire_buffer_deinit(&buffer);
}
