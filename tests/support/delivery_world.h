/* SPDX-License-Identifier: Apache-2.0 */
/* Three replicas that deliver key envelopes to each other, with a clock that
 * the test turns, a network that it cuts, and a ledger that says what it wants.
 */
#ifndef TESTS_SUPPORT_DELIVERY_WORLD_H
#define TESTS_SUPPORT_DELIVERY_WORLD_H

#include <stdio.h>
#include <unistd.h>

#include "crypto/init.h"
#include "crypto/wrap.h"
#include "node/delivery_private.h"
#include "tests/support/storage.h"

#define REPLICAS 3 /* The hospital, the clinic, one more. */
#define HOSPITAL 0u
#define CLINIC 1u
#define OTHER 2u
#define MEMBERS 4u /* And one that runs no replica. */
#define GUEST 3u
#define GRANTS_MAX (ENVELOPES_MAX / MEMBERS + 8)
#define SECOND 1000u
#define WIRE_MAX 1024u

/* What the ledger says. */
struct grant {
    struct envelope_name name;
    struct ledger_envelope is;
};

struct place {
    struct fixture *fixture;
    char dir[SUPPORT_PATH_MAX];
    struct envelopes *store;
    struct delivery *delivery; /* NULL: it is down. */
    pbft_seq height;           /* Of its ledger. */
};

struct fixture {
    struct cast cast;
    struct place places[REPLICAS];
    struct pbft_institution institutions[MEMBERS];
    struct grant *grants;
    size_t grant_count;
    pbft_seq height;
    pbft_time_ms now;
    bool is_cut; /* Nothing arrives. */
    uint32_t envelopes_sent;
    uint32_t receipts_lost; /* So many are to be lost. */
    struct flying {
        uint32_t from;
        uint32_t to;
        size_t size;
        uint8_t bytes[WIRE_DELIVERY_BYTES_MAX];
    } wire[WIRE_MAX];
    size_t wire_count;
};

/* ---- the world ----------------------------------------------------------- */

static inline enum pbft_status find_grant(void *context,
                                          const struct envelope_name *name,
                                          const struct pbft_institution *from,
                                          struct ledger_envelope *out)
{
    struct place *place = context;
    struct fixture *fixture = place->fixture;
    for (size_t i = fixture->grant_count; i > 0; i--) {
        const struct grant *grant = &fixture->grants[i - 1];
        if (memcmp(&grant->name, name, sizeof *name) == 0 &&
            grant->is.height <= place->height) {
            *out = grant->is;
            out->height = place->height;
            out->is_from_custodian =
                memcmp(&grant->is.custodian, from, sizeof *from) == 0;
            return PBFT_OK;
        }
    }
    return PBFT_NOT_FOUND;
}

static inline pbft_seq height_of(void *context)
{
    struct place *place = context;
    return place->height;
}

static inline pbft_wall_us wall(void *context)
{
    struct place *place = context;
    return place->fixture->now * 1000;
}

static inline void send(void *context, pbft_replica_id to,
                        struct pbft_bytes bytes)
{
    struct place *place = context;
    struct fixture *fixture = place->fixture;
    assert_true(bytes.size <= WIRE_DELIVERY_BYTES_MAX);
    if (!fixture->is_cut && fixture->wire_count < WIRE_MAX) {
        struct flying *flying = &fixture->wire[fixture->wire_count++];
        flying->from = (uint32_t)(place - fixture->places);
        flying->to = to;
        flying->size = bytes.size;
        memcpy(flying->bytes, bytes.data, bytes.size);
    }
}

static inline void arrive(struct fixture *fixture, const struct flying *flying)
{
    struct place *to = &fixture->places[flying->to];
    struct delivery_message message;
    struct wire_arena arena;
    wire_arena_init(&arena, 65536);
    assert_int_equal(
        delivery_decode(&message, &arena,
                        (struct pbft_bytes){flying->bytes, flying->size}),
        PBFT_OK);
    wire_arena_deinit(&arena);
    if (to->delivery == NULL) {
        return;
    }
    if (message.kind == DELIVERY_RECEIPT && fixture->receipts_lost > 0) {
        fixture->receipts_lost--;
        return;
    }
    fixture->envelopes_sent += message.kind == DELIVERY_ENVELOPE;
    (void)delivery_receive(to->delivery, flying->from, &message);
    assert_int_equal(delivery_flush(to->delivery), PBFT_OK);
}

static inline void all_arrive(struct fixture *fixture)
{
    for (size_t i = 0; i < fixture->wire_count; i++) {
        const struct flying flying = fixture->wire[i];
        arrive(fixture, &flying);
    }
    fixture->wire_count = 0;
}

static inline void start(struct fixture *fixture, uint32_t who)
{
    struct place *place = &fixture->places[who];
    struct salus_reason reason;
    assert_int_equal(envelopes_open(place->dir, STORAGE_SYNCED,
                                    &fixture->cast.replicas[who].domain,
                                    &place->store, &reason),
                     PBFT_OK);
    const struct delivery_config config = {
        .store = place->store,
        .domain = &fixture->cast.replicas[who].domain,
        .keyring = &fixture->cast.keyring,
        .self = who,
        .replica_count = REPLICAS,
        .member_count = MEMBERS,
        .owners = fixture->institutions,
        .port = {place, find_grant, height_of, send, wall},
    };
    place->delivery = delivery_create(&config);
}

/* As a power cut does: what was not flushed is lost. */
static inline void stop(struct fixture *fixture, uint32_t who)
{
    struct place *place = &fixture->places[who];
    delivery_destroy(place->delivery);
    envelopes_close(place->store);
    place->delivery = NULL;
    place->store = NULL;
}

static inline int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    assert_non_null(fixture);
    cast_init(&fixture->cast, REPLICAS + 1);
    fixture->grants = calloc(GRANTS_MAX, sizeof *fixture->grants);
    fixture->now = 100 * SECOND;
    fixture->height = 1;
    for (uint32_t i = 0; i < MEMBERS; i++) {
        memset(&fixture->institutions[i], (int)(0xa0 + i),
               sizeof fixture->institutions[i]);
    }
    for (uint32_t i = 0; i < REPLICAS; i++) {
        fixture->places[i].fixture = fixture;
        fixture->places[i].height = 1;
        support_folder_create(fixture->places[i].dir);
        start(fixture, i);
    }
    *state = fixture;
    return 0;
}

static inline int teardown(void **state)
{
    struct fixture *fixture = *state;
    for (uint32_t i = 0; i < REPLICAS; i++) {
        if (fixture->places[i].delivery != NULL) {
            stop(fixture, i);
        }
        support_folder_remove(fixture->places[i].dir);
    }
    free(fixture->grants);
    free(fixture);
    return 0;
}

/* One tick of everybody after `ms`. */
static inline void pass(struct fixture *fixture, pbft_time_ms ms)
{
    fixture->now += ms;
    for (uint32_t i = 0; i < REPLICAS; i++) {
        struct delivery *delivery = fixture->places[i].delivery;
        if (delivery != NULL) {
            delivery_tick(delivery, fixture->now);
            assert_int_equal(delivery_flush(delivery), PBFT_OK);
        }
    }
    all_arrive(fixture);
}

static inline void all_reach(struct fixture *fixture, pbft_seq height)
{
    fixture->height = height;
    for (uint32_t i = 0; i < REPLICAS; i++) {
        fixture->places[i].height = height;
    }
}

/* ---- envelopes ----------------------------------------------------------- */

static inline struct envelope_secret secret_of(uint32_t number)
{
    struct envelope_secret secret;
    uint32_t random = number + 1;
    for (size_t i = 0; i < sizeof secret; i++) {
        random = random * 1664525u + 1013904223u;
        ((uint8_t *)&secret)[i] = (uint8_t)(0x80 | random >> 24);
    }
    return secret;
}

static inline struct envelope_name name_of(uint32_t number)
{
    struct envelope_name name = {.version = 1};
    memset(name.record, 0x11, sizeof name.record);
    memcpy(name.record, &number, sizeof number);
    memset(name.recipient_key, 0x22, sizeof name.recipient_key);
    return name;
}

/* The hospital grants record `number` to `recipient`. */
static inline struct grant *grant(struct fixture *fixture, uint32_t number,
                                  uint32_t recipient)
{
    const struct envelope_secret secret = secret_of(number);
    assert_true(fixture->grant_count < GRANTS_MAX);
    struct grant *out = &fixture->grants[fixture->grant_count++];
    memset(out, 0, sizeof *out);
    out->name = name_of(number);
    out->is.custodian = fixture->institutions[HOSPITAL];
    out->is.recipient = fixture->institutions[recipient];
    out->is.code = LEDGER_OK;
    out->is.height = fixture->height;
    wrap_commit(&out->is.wrap_commit, secret.salt, secret.wrap);
    return out;
}

static inline struct delivery_state submit_from(struct fixture *fixture,
                                                uint32_t who, uint32_t caller,
                                                uint32_t number)
{
    const struct envelope_name name = name_of(number);
    const struct envelope_secret secret = secret_of(number);
    struct delivery *delivery = fixture->places[who].delivery;
    struct delivery_state out;
    delivery_submit(delivery, &out, &fixture->institutions[caller], &name,
                    &secret, fixture->now);
    assert_int_equal(delivery_flush(delivery), PBFT_OK);
    return out;
}

static inline struct delivery_state submit(struct fixture *fixture,
                                           uint32_t number)
{
    return submit_from(fixture, HOSPITAL, HOSPITAL, number);
}

static inline enum envelope_state state_at(struct fixture *fixture,
                                           uint32_t who, uint32_t number)
{
    const struct envelope_name name = name_of(number);
    uint32_t slot = 0;
    struct envelopes *store = fixture->places[who].store;
    return envelopes_find(store, &name, &slot)
               ? envelopes_get(store, slot)->state
               : ENVELOPE_FREE;
}

static inline size_t inbox(struct fixture *fixture, uint32_t who,
                           uint32_t caller, struct delivery_item *first)
{
    struct delivery_item items[4];
    uint32_t next = 0;
    size_t count =
        delivery_inbox(fixture->places[who].delivery, items, 4, &next,
                       &fixture->institutions[caller], NULL, 0);
    assert_int_equal(delivery_flush(fixture->places[who].delivery), PBFT_OK);
    if (count > 0 && first != NULL) {
        *first = items[0];
    }
    return count;
}

static inline struct delivery_state taken(struct fixture *fixture,
                                          uint32_t caller, uint32_t number)
{
    const struct envelope_name name = name_of(number);
    struct delivery *delivery = fixture->places[CLINIC].delivery;
    struct delivery_state out;
    delivery_taken(delivery, &out, &fixture->institutions[caller], &name);
    assert_int_equal(delivery_flush(delivery), PBFT_OK);
    return out;
}

/* Is the wrap in the file of this replica? */
static inline bool holds(struct fixture *fixture, uint32_t who, uint32_t number)
{
    const struct envelope_secret secret = secret_of(number);
    char path[SUPPORT_PATH_MAX + 16];
    uint8_t bytes[4096];
    (void)snprintf(path, sizeof path, "%s/envelopes", fixture->places[who].dir);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t size = fread(bytes, 1, sizeof bytes, file);
    (void)fclose(file);
    for (size_t i = 0; i + 16 <= size; i++) {
        if (memcmp(bytes + i, secret.wrap, 16) == 0) {
            return true;
        }
    }
    return false;
}

/* A peer sends it, whether it should or not. */
static inline enum delivery_code push(struct fixture *fixture, uint32_t from,
                                      uint32_t to, uint32_t number)
{
    const struct delivery_message message = {.kind = DELIVERY_ENVELOPE,
                                             .name = name_of(number),
                                             .secret = secret_of(number)};
    return delivery_receive(fixture->places[to].delivery, from, &message);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif /* TESTS_SUPPORT_DELIVERY_WORLD_H */
