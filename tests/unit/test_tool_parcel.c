/* SPDX-License-Identifier: Apache-2.0 */
/* What replicas carry opens for its recipient alone, and is what was sealed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "client/tool_inbox.h"
#include "crypto/hpke.h"
#include "crypto/init.h"
#include "crypto/random.h"

/* Without what the compiler adds at its end. */
#define PARCEL_BYTES (offsetof(struct parcel, details) + WRAP_DETAILS_SIZE)

struct fixture {
    uint8_t secret[HPKE_KEY_SIZE];
    uint8_t public_key[HPKE_KEY_SIZE];
    uint8_t data_key[SEAL_KEY_SIZE];
    struct envelope envelope;
    struct parcel parcel;
};

static struct fixture fixture;

static int setup(void **state)
{
    (void)state;
    memset(&fixture, 0, sizeof fixture);
    hpke_generate(fixture.secret, fixture.public_key);
    random_fill(fixture.data_key, sizeof fixture.data_key);
    random_fill(&fixture.envelope.identity.chain, PBFT_DIGEST_SIZE);
    random_fill(fixture.envelope.identity.record, SEAL_RECORD_SIZE);
    random_fill(fixture.envelope.salt, sizeof fixture.envelope.salt);
    random_fill(&fixture.envelope.commit, PBFT_DIGEST_SIZE);
    random_fill(&fixture.envelope.cipher_digest, PBFT_DIGEST_SIZE);
    fixture.envelope.identity.version = 3;
    assert_int_equal(
        envelope_add(&fixture.envelope, fixture.public_key, fixture.data_key),
        PBFT_OK);
    assert_int_equal(
        parcel_make(&fixture.parcel, &fixture.envelope, 0, fixture.data_key),
        PBFT_OK);
    return 0;
}

static enum pbft_status open_it(struct envelope *out)
{
    return parcel_open(out, &fixture.parcel, &fixture.envelope.identity.chain,
                       fixture.secret);
}

static void test_recipient_has_the_same_envelope(void **state)
{
    struct envelope out;
    uint8_t data_key[SEAL_KEY_SIZE];
    (void)state;
    assert_int_equal(open_it(&out), PBFT_OK);
    assert_memory_equal(&out, &fixture.envelope, sizeof out);
    assert_int_equal(
        envelope_unwrap(data_key, &out, fixture.secret, fixture.public_key),
        PBFT_OK);
    assert_memory_equal(data_key, fixture.data_key, sizeof data_key);
}

static void test_ledger_has_the_same_commitment(void **state)
{
    struct pbft_digest sealed;
    struct pbft_digest carried;
    (void)state;
    envelope_wrap_commit(&sealed, &fixture.envelope, 0);
    parcel_commit(&carried, &fixture.parcel);
    assert_memory_equal(&sealed, &carried, sizeof sealed);
}

/* Neither the record's salt nor its commitments can be read on the way. */
static void test_carriers_read_no_salt(void **state)
{
    const uint8_t *bytes = (const uint8_t *)&fixture.parcel;
    (void)state;
    for (size_t i = 0; i + 8 <= sizeof fixture.parcel; i++) {
        assert_memory_not_equal(bytes + i, fixture.envelope.salt, 8);
        assert_memory_not_equal(bytes + i, fixture.envelope.commit.bytes, 8);
        assert_memory_not_equal(bytes + i, fixture.data_key, 8);
    }
}

static void test_what_was_changed_does_not_open(void **state)
{
    struct envelope out;
    uint8_t other[HPKE_KEY_SIZE];
    uint8_t other_public[HPKE_KEY_SIZE];
    struct pbft_digest chain = fixture.envelope.identity.chain;
    (void)state;
    for (size_t i = 0; i < PARCEL_BYTES; i++) {
        uint8_t *byte = (uint8_t *)&fixture.parcel + i;
        *byte ^= 1;
        assert_int_not_equal(open_it(&out), PBFT_OK);
        *byte ^= 1;
    }
    assert_int_equal(open_it(&out), PBFT_OK);
    hpke_generate(other, other_public);
    assert_int_not_equal(parcel_open(&out, &fixture.parcel, &chain, other),
                         PBFT_OK);
    chain.bytes[0] ^= 1;
    assert_int_not_equal(
        parcel_open(&out, &fixture.parcel, &chain, fixture.secret), PBFT_OK);
}

static void test_messages_hold_all_of_it(void **state)
{
    struct parcel_message message;
    struct parcel out;
    (void)state;
    parcel_fill(&message, &fixture.parcel);
    assert_true(parcel_read(&out, &message.envelope));
    assert_memory_equal(&out, &fixture.parcel, PARCEL_BYTES);
    message.envelope.wrap.len--;
    assert_false(parcel_read(&out, &message.envelope));
    message.envelope.wrap.len++;
    message.name.version = 0;
    assert_false(parcel_read(&out, &message.envelope));
    message.envelope.name = NULL;
    assert_false(parcel_read(&out, &message.envelope));
}

/* Of what a replica hands out only the record that was asked for, and the own
 * key, count: it may send another one, good in itself. */
static void test_only_what_was_asked_is_chosen(void **state)
{
    struct parcel_message messages[3];
    struct parcel parcels[3] = {fixture.parcel, fixture.parcel, fixture.parcel};
    Salus__V1__InboxItem items[3];
    Salus__V1__InboxItem *list[3];
    Salus__V1__Inbox inbox = SALUS__V1__INBOX__INIT;
    struct parcel best = {.version = 0};
    struct transaction_key_id own;
    (void)state;
    memcpy(own.bytes, fixture.parcel.recipient_key, sizeof own.bytes);
    parcels[0].record[0] ^= 1;
    parcels[0].version = 9;
    parcels[2].recipient_key[0] ^= 1;
    parcels[2].version = 8;
    for (size_t i = 0; i < 3; i++) {
        parcel_fill(&messages[i], &parcels[i]);
        salus__v1__inbox_item__init(&items[i]);
        items[i].envelope = &messages[i].envelope;
        list[i] = &items[i];
    }
    inbox.items = list;
    inbox.n_items = 1;
    inbox_choose(&best, &inbox, &own, fixture.parcel.record);
    assert_int_equal(best.version, 0);
    inbox.n_items = 3;
    inbox_choose(&best, &inbox, &own, fixture.parcel.record);
    assert_int_equal(best.version, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_recipient_has_the_same_envelope, setup),
        cmocka_unit_test_setup(test_ledger_has_the_same_commitment, setup),
        cmocka_unit_test_setup(test_carriers_read_no_salt, setup),
        cmocka_unit_test_setup(test_what_was_changed_does_not_open, setup),
        cmocka_unit_test_setup(test_messages_hold_all_of_it, setup),
        cmocka_unit_test_setup(test_only_what_was_asked_is_chosen, setup),
    };
    if (crypto_init() != PBFT_OK) {
        return 1;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
