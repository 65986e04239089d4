/* SPDX-License-Identifier: Apache-2.0 */
/* RECORD_ANCHOR: every rule, met and broken. */
#include "tests/support/ledger_fixture.h"

#define REC(body) ((body)->record_anchor)
#define CHANGE(name)                                                           \
    static void name(struct world *world, Salus__V1__TransactionBody *body)

static uint8_t some_bytes[LEDGER_ENVELOPES_MAX + 1][32];
static ProtobufCBinaryData some_ids[LEDGER_ENVELOPES_MAX + 1];
static Salus__V1__RecordAnchor__Envelope
    some_envelopes[LEDGER_ENVELOPES_MAX + 1];
static Salus__V1__RecordAnchor__Envelope
    *envelope_list[LEDGER_ENVELOPES_MAX + 1];

CHANGE(unknown_class)
{
    (void)world;
    REC(body)->class_code = 0;
}

CHANGE(unknown_confidentiality)
{
    (void)world;
    REC(body)->confidentiality = 7;
}

static void set_tags(struct world *world, Salus__V1__TransactionBody *body,
                     size_t count)
{
    for (size_t i = 0; i < count; i++) {
        world_fill(world, some_bytes[i], 32);
        some_bytes[i][0] = (uint8_t)(0x80 + i);
        some_ids[i] = (ProtobufCBinaryData){16, some_bytes[i]};
    }
    REC(body)->tags = some_ids;
    REC(body)->n_tags = count;
}

CHANGE(four_tags)
{
    set_tags(world, body, 4);
}

CHANGE(sixteen_tags)
{
    set_tags(world, body, 16);
}

CHANGE(three_tags)
{
    set_tags(world, body, 3);
}

CHANGE(seventeen_tags)
{
    set_tags(world, body, 17);
}

CHANGE(tags_descend)
{
    set_tags(world, body, 4);
    some_bytes[3][0] = 0x80;
    some_bytes[0][0] = 0xff;
}

CHANGE(clear_tag)
{
    set_tags(world, body, 4);
    memset(some_bytes[0], 0, 16);
    memcpy(some_bytes[0], "PSY", 3);
}

CHANGE(whole_days)
{
    (void)world;
    REC(body)->data_from_ms = 10 * (uint64_t)LEDGER_DAY_MS;
    REC(body)->data_to_ms = 11 * (uint64_t)LEDGER_DAY_MS;
}

CHANGE(an_hour)
{
    (void)world;
    REC(body)->data_from_ms = 3600000;
}

CHANGE(days_backwards)
{
    (void)world;
    REC(body)->data_from_ms = 11 * (uint64_t)LEDGER_DAY_MS;
    REC(body)->data_to_ms = 11 * (uint64_t)LEDGER_DAY_MS;
}

CHANGE(short_commit)
{
    (void)world;
    REC(body)->commit.len = 31;
}

CHANGE(text_commit)
{
    (void)world;
    memset(REC(body)->commit.data, 'z', 32);
}

CHANGE(no_cipher_digest)
{
    (void)world;
    REC(body)->cipher_digest.len = 0;
}

CHANGE(other_algorithm)
{
    (void)world;
    REC(body)->algorithm = 2;
}

CHANGE(quarter_bucket)
{
    (void)world;
    REC(body)->cipher_size_bucket = 5;
}

CHANGE(exact_size)
{
    (void)world;
    REC(body)->cipher_size_bucket = 7;
}

CHANGE(no_bucket)
{
    (void)world;
    REC(body)->cipher_size_bucket = 0;
}

static void set_location(Salus__V1__TransactionBody *body, const char *text)
{
    static char copy[LEDGER_LOCATION_MAX * 2];
    strncpy(copy, text, sizeof copy - 1);
    REC(body)->location = copy;
}

CHANGE(uuid)
{
    (void)world;
    set_location(body, "urn:uuid:0f8fad5b-d9cb-469f-a165-70867728950e");
}

CHANGE(no_location)
{
    (void)world;
    set_location(body, "");
}

CHANGE(http_location)
{
    (void)world;
    set_location(body, "https://ehr.example/Patient/12345");
}

CHANGE(query_in_location)
{
    (void)world;
    set_location(body, WORLD_LOCATION "?mrn=1");
}

CHANGE(user_in_location)
{
    (void)world;
    set_location(body, "drs://meyer@host/abcdefghijklmnopqrstuvwxyz");
}

CHANGE(name_in_location)
{
    (void)world;
    set_location(body, "drs://host.example/hans-meyer");
}

static void set_related(struct world *world, Salus__V1__TransactionBody *body,
                        size_t count)
{
    set_tags(world, body, count);
    REC(body)->n_tags = 0;
    REC(body)->related = some_ids;
    REC(body)->n_related = count;
}

CHANGE(most_related)
{
    set_related(world, body, LEDGER_RELATED_MAX);
}

CHANGE(too_many_related)
{
    set_related(world, body, LEDGER_RELATED_MAX + 1);
}

CHANGE(related_in_clear)
{
    set_related(world, body, 1);
    memcpy(some_bytes[0], "Encounter/123456", 16);
}

CHANGE(short_related)
{
    set_related(world, body, 1);
    some_ids[0].len = 8;
}

CHANGE(text_id)
{
    (void)world;
    memset(REC(body)->record.data, '7', 16);
}

CHANGE(short_id)
{
    (void)world;
    REC(body)->record.len = 4;
}

CHANGE(no_subject)
{
    (void)world;
    REC(body)->subject.len = 0;
}

CHANGE(subject_of_another)
{
    memcpy(REC(body)->subject.data, world->stranger, 32);
}

CHANGE(unknown_subject)
{
    world_fill(world, REC(body)->subject.data, 32);
}

CHANGE(short_subject)
{
    (void)world;
    REC(body)->subject.len = 31;
}

static void set_author(Salus__V1__TransactionBody *body, uint8_t *id,
                       size_t size)
{
    REC(body)->author = (ProtobufCBinaryData){size, id};
}

CHANGE(by_doctor)
{
    set_author(body, world->doctor, 16);
}

CHANGE(by_outsider)
{
    set_author(body, world->outsider, 16);
}

CHANGE(by_unknown)
{
    world_fill(world, some_bytes[0], 16);
    set_author(body, some_bytes[0], 16);
}

CHANGE(by_half)
{
    set_author(body, world->doctor, 8);
}

static void set_envelopes(struct world *world, Salus__V1__TransactionBody *body,
                          size_t count)
{
    for (size_t i = 0; i < count; i++) {
        world_fill(world, some_bytes[i], 32);
        some_bytes[i][0] = (uint8_t)(0x80 + i);
        salus__v1__record_anchor__envelope__init(&some_envelopes[i]);
        some_envelopes[i].recipient_key =
            (ProtobufCBinaryData){16, some_bytes[i]};
        some_envelopes[i].wrap_commit =
            (ProtobufCBinaryData){32, REC(body)->commit.data};
        envelope_list[i] = &some_envelopes[i];
    }
    REC(body)->envelopes = envelope_list;
    REC(body)->n_envelopes = count;
}

/* The envelope for somebody's registered key. */
static void set_recipient(struct world *world, Salus__V1__TransactionBody *body,
                          const struct transaction_key_id *id)
{
    set_envelopes(world, body, 1);
    memcpy(some_bytes[0], id->bytes, 16);
}

CHANGE(no_envelope)
{
    (void)world;
    REC(body)->n_envelopes = 0;
}

CHANGE(too_many_envelopes)
{
    set_envelopes(world, body, LEDGER_ENVELOPES_MAX + 1);
}

CHANGE(unknown_recipient)
{
    set_envelopes(world, body, 1);
}

CHANGE(recipient_is_a_client_key)
{
    set_recipient(world, body, &world->parties[HOSPITAL].submit_id);
}

CHANGE(foreign_recipient_only)
{
    set_recipient(world, body, &world->parties[CLINIC].encryption_id);
}

CHANGE(foreign_recipient_too)
{
    const uint8_t *mine = world->parties[HOSPITAL].encryption_id.bytes;
    const uint8_t *theirs = world->parties[CLINIC].encryption_id.bytes;
    bool mine_first = memcmp(mine, theirs, 16) < 0;
    set_envelopes(world, body, 2);
    memcpy(some_bytes[0], mine_first ? mine : theirs, 16);
    memcpy(some_bytes[1], mine_first ? theirs : mine, 16);
}

CHANGE(envelopes_descend)
{
    foreign_recipient_too(world, body);
    envelope_list[0] = &some_envelopes[1];
    envelope_list[1] = &some_envelopes[0];
}

CHANGE(two_for_one)
{
    set_envelopes(world, body, 2);
    memcpy(some_bytes[0], world->parties[HOSPITAL].encryption_id.bytes, 16);
    memcpy(some_bytes[1], some_bytes[0], 16);
}

CHANGE(short_recipient)
{
    set_envelopes(world, body, 1);
    some_envelopes[0].recipient_key.len = 15;
}

CHANGE(short_wrap)
{
    set_recipient(world, body, &world->parties[HOSPITAL].encryption_id);
    some_envelopes[0].wrap_commit.len = 16;
}

#define CASES(cases) (cases), sizeof(cases) / sizeof(cases)[0]

static void test_content_rules(void **state)
{
    static const struct world_case cases[] = {
        {"default", NULL, LEDGER_OK},
        {"class", unknown_class, LEDGER_UNKNOWN_CODE},
        {"confidentiality", unknown_confidentiality, LEDGER_UNKNOWN_CODE},
        {"4 tags", four_tags, LEDGER_OK},
        {"16 tags", sixteen_tags, LEDGER_OK},
        {"3 tags", three_tags, LEDGER_FIELD_FORM},
        {"17 tags", seventeen_tags, LEDGER_SIZE},
        {"tags descend", tags_descend, LEDGER_FIELD_ORDER},
        {"clear tag", clear_tag, LEDGER_CLEAR_TEXT},
        {"days", whole_days, LEDGER_OK},
        {"hour", an_hour, LEDGER_PERIOD_PRECISE},
        {"days backwards", days_backwards, LEDGER_PERIOD},
        {"short commit", short_commit, LEDGER_FIELD_FORM},
        {"text commit", text_commit, LEDGER_CLEAR_TEXT},
        {"no cipher digest", no_cipher_digest, LEDGER_FIELD_FORM},
        {"algorithm", other_algorithm, LEDGER_UNKNOWN_CODE},
        {"quarter bucket", quarter_bucket, LEDGER_OK},
        {"exact size", exact_size, LEDGER_FIELD_FORM},
        {"no bucket", no_bucket, LEDGER_FIELD_FORM},
        {"uuid", uuid, LEDGER_OK},
        {"no location", no_location, LEDGER_LOCATION_FORM},
        {"http", http_location, LEDGER_LOCATION_FORM},
        {"query", query_in_location, LEDGER_LOCATION_FORM},
        {"user", user_in_location, LEDGER_LOCATION_FORM},
        {"name", name_in_location, LEDGER_LOCATION_FORM},
        {"16 related", most_related, LEDGER_OK},
        {"17 related", too_many_related, LEDGER_SIZE},
        {"related in clear", related_in_clear, LEDGER_CLEAR_TEXT},
        {"short related", short_related, LEDGER_FIELD_FORM},
    };
    world_run_cases(*state, HOSPITAL, world_anchor, CASES(cases));
}

static void test_reference_rules(void **state)
{
    static const struct world_case cases[] = {
        {"text id", text_id, LEDGER_CLEAR_TEXT},
        {"short id", short_id, LEDGER_FIELD_FORM},
        {"no subject", no_subject, LEDGER_OK},
        {"subject of another", subject_of_another, LEDGER_FOREIGN_SUBJECT},
        {"unknown subject", unknown_subject, LEDGER_FOREIGN_SUBJECT},
        {"short subject", short_subject, LEDGER_FIELD_FORM},
        {"doctor", by_doctor, LEDGER_OK},
        {"outsider", by_outsider, LEDGER_PART_STATE},
        {"unknown author", by_unknown, LEDGER_PART_STATE},
        {"half an author", by_half, LEDGER_FIELD_FORM},
        {"no envelope", no_envelope, LEDGER_NO_CUSTODIAN_KEY},
        {"65 envelopes", too_many_envelopes, LEDGER_SIZE},
        {"unknown recipient", unknown_recipient, LEDGER_KEY_STATE},
        {"client key", recipient_is_a_client_key, LEDGER_KEY_STATE},
        {"foreign only", foreign_recipient_only, LEDGER_NO_CUSTODIAN_KEY},
        {"foreign too", foreign_recipient_too, LEDGER_NO_DECISION},
        {"envelopes descend", envelopes_descend, LEDGER_FIELD_ORDER},
        {"two for one", two_for_one, LEDGER_FIELD_ORDER},
        {"short recipient", short_recipient, LEDGER_FIELD_FORM},
        {"short wrap", short_wrap, LEDGER_FIELD_FORM},
    };
    world_run_cases(*state, HOSPITAL, world_anchor, CASES(cases));
}

static void test_record_id_is_used_once(void **state)
{
    struct world *world = *state;
    struct world_ids first_ids;
    struct world_ids second_ids;
    struct transaction first = world_anchor(world, &first_ids);
    struct transaction second = world_anchor(world, &second_ids);
    second.record_anchor.record = first.record_anchor.record;
    assert_int_equal(world_submit(world, HOSPITAL, &first), LEDGER_OK);
    assert_int_equal(world_submit(world, HOSPITAL, &second), LEDGER_REC_EXISTS);
}

static void test_prior_record(void **state)
{
    struct world *world = *state;
    struct world_ids first_ids;
    struct world_ids ids;
    struct transaction first = world_anchor(world, &first_ids);
    assert_int_equal(world_submit(world, HOSPITAL, &first), LEDGER_OK);

    struct transaction next = world_anchor(world, &ids);
    next.record_anchor.prior_record = bytes_of(first_ids.id, 16);
    assert_int_equal(world_submit(world, HOSPITAL, &next), LEDGER_OK);

    next = world_anchor(world, &ids); /* Of no patient: not the same. */
    next.record_anchor.prior_record = bytes_of(first_ids.id, 16);
    next.record_anchor.subject = bytes_of(NULL, 0);
    assert_int_equal(world_submit(world, HOSPITAL, &next), LEDGER_REC_STATE);

    next = world_anchor(world, &ids); /* Unknown. */
    next.record_anchor.prior_record = bytes_of(ids.commit, 16);
    assert_int_equal(world_submit(world, HOSPITAL, &next), LEDGER_REC_STATE);

    next = world_anchor(world, &ids); /* Another custodian's. */
    next.record_anchor.prior_record = bytes_of(first_ids.id, 16);
    next.record_anchor.subject = bytes_of(world->stranger, 32);
    ids.envelope.recipient_key = world->parties[CLINIC].encryption_id;
    assert_int_equal(world_submit(world, CLINIC, &next), LEDGER_REC_STATE);
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_content_rules),
        TEST(test_reference_rules),
        TEST(test_record_id_is_used_once),
        TEST(test_prior_record),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
