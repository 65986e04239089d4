/* SPDX-License-Identifier: Apache-2.0 */
/* The library of transactions: code tables, forms, error codes, building,
 * splitting, results. No ledger is needed. */
#include "tests/support/ledger_fixture.h"

#include "crypto/digest.h"
#include "crypto/hex.h"
#include "crypto/merkle.h"
#include "ledger/forms.h"

/* ---- code tables --------------------------------------------------------- */

static void test_tables_are_sound(void **state)
{
    (void)state;
    for (int table = 1; table <= CODES_TABLE_MAX; table++) {
        size_t count = 0;
        const struct codes_entry *rows =
            codes_entries((enum codes_table)table, &count);
        assert_true(count > 0);
        for (size_t i = 0; i < count; i++) {
            const struct codes_entry *row = &rows[i];
            assert_true(row->id > (i == 0 ? 0 : rows[i - 1].id));
            assert_ptr_equal(codes_by_id((enum codes_table)table, row->id),
                             row);
            assert_ptr_equal(
                codes_find((enum codes_table)table, row->system, row->code),
                row);
            assert_true(row->parent == 0 || codes_by_id((enum codes_table)table,
                                                        row->parent) != NULL);
        }
    }
    assert_null(codes_by_id(CODES_PURPOSE, 0));
    assert_null(codes_by_id(CODES_PURPOSE, UINT32_MAX));
    assert_null(codes_by_id((enum codes_table)99, 1));
    assert_null(codes_find(CODES_PURPOSE, "urn:x", "TREAT"));
    assert_string_equal(codes_table_name(CODES_CONF), "CONF");
    assert_string_equal(codes_table_name((enum codes_table)99), "?");
}

#define ACT_REASON "http://terminology.hl7.org/CodeSystem/v3-ActReason"

static uint32_t purpose(const char *code)
{
    const struct codes_entry *row = codes_find(CODES_PURPOSE, ACT_REASON, code);
    assert_non_null(row);
    return row->id;
}

static void test_purposes_are_those_of_v3_act_reason(void **state)
{
    static const char *const below_treat[] = {"CLINTRL", "COC",     "ETREAT",
                                              "BTG",     "ERTREAT", "POPHLTH"};
    static const char *const not_inherited[] = {"CLINTRL", "POPHLTH", "TRAIN",
                                                "SYSDEV",  "FRAUD",   "MILCDM",
                                                "GOV",     "DONAT"};
    size_t count = 0;
    size_t flagged = 0;
    (void)state;
    for (size_t i = 0; i < 6; i++) {
        assert_true(codes_is_below(CODES_PURPOSE, purpose(below_treat[i]),
                                   CODES_PURPOSE_TREAT));
    }
    assert_false(
        codes_is_below(CODES_PURPOSE, purpose("HRESCH"), CODES_PURPOSE_TREAT));
    assert_false(
        codes_is_below(CODES_PURPOSE, CODES_PURPOSE_TREAT, purpose("BTG")));
    for (size_t i = 0; i < 8; i++) {
        assert_true(
            (codes_by_id(CODES_PURPOSE, purpose(not_inherited[i]))->flags &
             CODES_NO_INHERIT) != 0);
    }
    const struct codes_entry *rows = codes_entries(CODES_PURPOSE, &count);
    for (size_t i = 0; i < count; i++) {
        bool research =
            codes_is_below(CODES_PURPOSE, rows[i].id, CODES_PURPOSE_HRESCH);
        assert_int_equal(research, (rows[i].flags & CODES_RESEARCH) != 0);
        flagged += (rows[i].flags & CODES_NO_INHERIT) != 0;
    }
    assert_int_equal(flagged, 8);
    assert_string_equal(codes_by_id(CODES_CONF, CODES_CONF_R)->code, "R");
    assert_string_equal(
        codes_by_id(CODES_INSTITUTION_ROLE, CODES_INSTITUTION_HIE)->code,
        "hie");
}

/* A change of the tables changes every genesis: it must be on purpose. */
static void test_table_digest_is_pinned(void **state)
{
    struct pbft_digest digest;
    char text[65];
    (void)state;
    codes_digest(&digest);
    hex_encode(text, bytes_of(digest.bytes, sizeof digest.bytes));
    assert_string_equal(
        text,
        "a17dee0503503f3c22cb54d562f79f84849541d948385e17ca2f749448c64f8b");
}

/* ---- errors -------------------------------------------------------------- */

static void test_error_codes_are_told(void **state)
{
    (void)state;
    assert_string_equal(ledger_code_name(231), "CONSENT_STATE");
    assert_string_equal(ledger_code_fhir(231), "conflict");
    assert_true(ledger_code_is_retryable(LEDGER_BUSY));
    assert_false(ledger_code_is_retryable(LEDGER_LOCATION_FORM));
    assert_string_equal(ledger_code_name(4711), "?");
    assert_string_equal(ledger_code_text(4711), "unknown code");
    const uint32_t all[] = {
#define NUMBER(name, number, retry, fhir, text) number,
        LEDGER_CODE_LIST(NUMBER)
#undef NUMBER
    };
    for (size_t i = 1; i < sizeof all / sizeof all[0]; i++) {
        assert_true(all[i] > all[i - 1]);
    }
}

/* ---- forms --------------------------------------------------------------- */

static bool is_location(const char *text)
{
    return forms_is_location(bytes_of(text, strlen(text)));
}

#define ID26 "abcdefghijklmnopqrstuvwx27"

static void test_locations(void **state)
{
    static const char *const good[] = {
        "drs://a/" ID26,
        "drs://records.h-1.example/" ID26 ID26,
        "urn:uuid:0f8fad5b-d9cb-469f-a165-70867728950e",
    };
    static const char *const bad[] = {
        "",
        "drs://",
        "drs:///" ID26,
        "drs://a/abcdefghijklmnopqrstuvwxy",
        "drs://a/" ID26 ID26 "a",
        "drs://a/abcdefghijklmnopqrstuvwx18",
        "drs://a/ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        "drs://a:443/" ID26,
        "drs://a/" ID26 "#x",
        "drs://a/" ID26 "/x",
        "drs://-a/" ID26,
        "drs://a-/" ID26,
        "drs://a..b/" ID26,
        "drs://.a/" ID26,
        "drs://a./" ID26,
        "drs://A/" ID26,
        "DRS://a/" ID26,
        "urn:uuid:0F8FAD5B-d9cb-469f-a165-70867728950e",
        "urn:uuid:0f8fad5bd9cb469fa16570867728950e",
        "urn:uuid:0f8fad5b-d9cb-469f-a165-70867728950e0",
        "https://a/" ID26,
    };
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_true(is_location(good[i]));
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(is_location(bad[i]));
    }
    char host[512] = "drs://";
    memset(host + 6, 'a', 63);
    strcpy(host + 69, "/" ID26);
    assert_true(is_location(host));
    memset(host + 6, 'a', 64);
    strcpy(host + 70, "/" ID26);
    assert_false(is_location(host));
}

static void test_text_and_hashes(void **state)
{
    uint8_t random[16] = {0x80, 1, 2};
    uint8_t zeros[32] = {0};
    struct pbft_digest digest;
    (void)state;
    assert_true(forms_reads_as_text(bytes_of("MRN 0012345\0\0\0\0\0", 16)));
    assert_true(forms_reads_as_text(bytes_of(zeros, 32)));
    assert_false(forms_reads_as_text(bytes_of(random, 16)));
    assert_false(forms_reads_as_text(bytes_of("MRN\0 0012345\0\0\0\0", 16)));
    digest_sha256(&digest, bytes_of(NULL, 0));
    assert_true(forms_is_hash_of_nothing(bytes_of(digest.bytes, 32)));
    digest_blake2b(&digest, bytes_of(NULL, 0));
    assert_true(forms_is_hash_of_nothing(bytes_of(digest.bytes, 32)));
    assert_false(forms_is_hash_of_nothing(bytes_of(zeros, 32)));
}

static void test_size_buckets(void **state)
{
    static const struct {
        uint64_t size;
        uint32_t bucket;
    } cases[] = {
        {0, 1},
        {1, 1},
        {1024, 1},
        {1025, 2},
        {2049, 4},
        {4 * 1024, 4},
        {4 * 1024 + 1, 5},
        {5 * 1024 + 1, 8},
        {9 * 1024, 10},
        {10241, 16},
        {17 * 1024, 20},
        {21 * 1024, 32},
        {(uint64_t)1 << 41, 1u << 31},
        {((uint64_t)1 << 41) + 1, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(forms_size_bucket(cases[i].size), cases[i].bucket);
        assert_true(cases[i].bucket == 0 ||
                    forms_is_size_bucket(cases[i].bucket));
    }
    assert_false(forms_is_size_bucket(0));
    assert_false(forms_is_size_bucket(3));
    assert_false(forms_is_size_bucket(6));
    assert_false(forms_is_size_bucket(15));
}

/* ---- building ------------------------------------------------------------ */

static void test_builder_sorts_and_drops_repetitions(void **state)
{
    struct world *world = *state;
    struct world_ids ids;
    uint32_t purposes[] = {20, 1, 20, 10};
    uint8_t tags[3 * 16];
    struct transaction in = world_grant(world, &ids);
    world_fill(world, tags, sizeof tags);
    memcpy(tags + 32, tags, 16);
    in.consent_grant.root.purposes = (struct transaction_codes){purposes, 4};
    in.consent_grant.root.tags = (struct transaction_ids){tags, 3};
    assert_int_equal(world_submit(world, HOSPITAL, &in), LEDGER_OK);
}

static void test_builder_keeps_limits(void **state)
{
    struct world *world = *state;
    struct world_ids ids;
    struct transaction_bytes body = {NULL, 0};
    struct transaction_envelope envelope = world_envelope(world, HOSPITAL);
    struct transaction in = world_anchor(world, &ids);
    in.record_anchor.envelope_count = LEDGER_ENVELOPES_MAX + 1;
    assert_int_equal(transaction_build(&body, &envelope, &in), PBFT_TOO_LARGE);
    in = world_subject(world, &ids);
    in.subject_register.subject_count = LEDGER_SUBJECTS_MAX + 1;
    assert_int_equal(transaction_build(&body, &envelope, &in), PBFT_TOO_LARGE);
    in = world_grant(world, &ids);
    in.consent_grant.exception_count = LEDGER_EXCEPTIONS_MAX + 1;
    assert_int_equal(transaction_build(&body, &envelope, &in), PBFT_TOO_LARGE);
    in.type = TRANSACTION_NONE;
    assert_int_equal(transaction_build(&body, &envelope, &in),
                     PBFT_INVALID_ARGUMENT);
    in = world_anchor(world, &ids);
    in.record_anchor.location = bytes_of("drs\0x", 5);
    assert_int_equal(transaction_build(&body, &envelope, &in),
                     PBFT_INVALID_ARGUMENT);
    assert_null(body.data);
}

static void test_summary(void **state)
{
    struct world *world = *state;
    struct world_ids ids;
    struct transaction_summary summary;
    struct transaction in = world_anchor(world, &ids);
    struct transaction_bytes body = world_build(world, HOSPITAL, &in);
    assert_int_equal(
        transaction_summarize(&summary, bytes_of(body.data, body.size)),
        PBFT_OK);
    assert_int_equal(summary.type, TRANSACTION_RECORD_ANCHOR);
    assert_string_equal(transaction_type_name(summary.type), "RECORD_ANCHOR");
    assert_memory_equal(summary.payload_id, ids.id, sizeof ids.id);
    assert_memory_equal(&summary.chain, &world->genesis.chain, 32);
    assert_int_not_equal(
        transaction_summarize(&summary, bytes_of(body.data, body.size - 1)),
        PBFT_OK);
    free(body.data);
    assert_string_equal(transaction_type_name((enum transaction_type)1), "?");
}

/* tx id = SHA-256("salus/tx/1" | chain | body), computed here by hand. */
static void test_transaction_id(void **state)
{
    const struct pbft_digest chain = {{7}};
    const uint8_t body[] = {1, 2, 3};
    uint8_t preimage[10 + 32 + 3];
    struct pbft_digest expected;
    struct pbft_digest got;
    (void)state;
    memcpy(preimage, "salus/tx/1", 10);
    memcpy(preimage + 10, chain.bytes, 32);
    memcpy(preimage + 42, body, 3);
    digest_sha256(&expected, bytes_of(preimage, sizeof preimage));
    transaction_id(&got, &chain, bytes_of(body, sizeof body));
    assert_memory_equal(&got, &expected, sizeof got);
}

/* ---- lists --------------------------------------------------------------- */

static void test_lists_pack_and_split(void **state)
{
    static uint8_t large[LEDGER_TRANSACTION_MAX + 1];
    struct pbft_bytes in[3] = {bytes_of("a", 1), bytes_of(large, 300),
                               bytes_of(NULL, 0)};
    struct pbft_bytes out[3];
    struct transaction_bytes payload;
    size_t count = 0;
    (void)state;
    assert_int_equal(transaction_list_pack(&payload, in, 3), PBFT_OK);
    struct pbft_bytes bytes = bytes_of(payload.data, payload.size);
    assert_int_equal(transaction_list_split(out, 3, &count, bytes), PBFT_OK);
    assert_int_equal(count, 3);
    assert_int_equal(out[1].size, 300);
    assert_int_equal(transaction_list_split(out, 2, &count, bytes),
                     PBFT_TOO_LARGE);
    bytes.size--;
    assert_int_not_equal(transaction_list_split(out, 3, &count, bytes),
                         PBFT_OK);
    free(payload.data);
    in[0] = bytes_of(large, sizeof large);
    assert_int_equal(transaction_list_pack(&payload, in, 1), PBFT_TOO_LARGE);
}

/* ---- results ------------------------------------------------------------- */

static void fill_results(struct results_transaction *transactions,
                         struct results_request *requests)
{
    for (size_t i = 0; i < 5; i++) {
        memset(&transactions[i], (int)i + 1, sizeof transactions[i]);
    }
    memset(requests, 0, 3 * sizeof *requests);
    requests[0].digest.bytes[0] = 1;
    requests[0].transactions = transactions;
    requests[0].transaction_count = 2;
    requests[1].code = LEDGER_DUPLICATE;
    requests[1].first = (struct results_location){9, 4};
    requests[2].transactions = transactions + 2;
    requests[2].transaction_count = 3;
}

static void test_results_survive_encoding(void **state)
{
    struct results_transaction transactions[5];
    struct results_request requests[3];
    struct results_block *copy = NULL;
    struct pbft_digest a;
    struct pbft_digest b;
    (void)state;
    fill_results(transactions, requests);
    const struct results_block block = {
        .seq = 7, .time = 8, .request_count = 3, .requests = requests};
    size_t size = results_encoded_size(&block);
    uint8_t *bytes = malloc(size + 1);
    assert_non_null(bytes);
    results_encode(bytes, &block);
    assert_int_equal(results_decode(&copy, bytes_of(bytes, size)), PBFT_OK);
    results_root(&a, &block);
    results_root(&b, copy);
    assert_memory_equal(&a, &b, sizeof a);
    assert_int_equal(copy->seq, 7);
    assert_int_equal(copy->requests[1].first.seq, 9);
    assert_int_equal(copy->requests[1].first.request_index, 4);
    free(copy);
    for (size_t cut = 0; cut < size; cut++) {
        assert_int_equal(results_decode(&copy, bytes_of(bytes, cut)),
                         PBFT_MALFORMED);
    }
    assert_int_equal(results_decode(&copy, bytes_of(bytes, size + 1)),
                     PBFT_MALFORMED);
    free(bytes);
}

static void test_request_path_leads_to_the_root(void **state)
{
    struct results_transaction transactions[5];
    struct results_request requests[3];
    struct pbft_digest *leaves = NULL;
    struct pbft_digest root;
    (void)state;
    fill_results(transactions, requests);
    const struct results_block block = {
        .seq = 7, .time = 8, .request_count = 3, .requests = requests};
    results_root(&root, &block);
    assert_int_equal(results_request_leaves(&leaves, &block), PBFT_OK);
    for (size_t i = 0; i < 3; i++) {
        struct pbft_digest path[MERKLE_PATH_MAX];
        size_t path_count = 0;
        merkle_path_of(path, &path_count, leaves, i, 3);
        assert_int_equal(
            merkle_verify(&root, &leaves[i], i, 3, path, path_count), PBFT_OK);
    }
    free(leaves);
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tables_are_sound),
        cmocka_unit_test(test_purposes_are_those_of_v3_act_reason),
        cmocka_unit_test(test_table_digest_is_pinned),
        cmocka_unit_test(test_error_codes_are_told),
        cmocka_unit_test(test_locations),
        cmocka_unit_test(test_text_and_hashes),
        cmocka_unit_test(test_size_buckets),
        TEST(test_builder_sorts_and_drops_repetitions),
        TEST(test_builder_keeps_limits),
        TEST(test_summary),
        cmocka_unit_test(test_transaction_id),
        cmocka_unit_test(test_lists_pack_and_split),
        cmocka_unit_test(test_results_survive_encoding),
        cmocka_unit_test(test_request_path_leads_to_the_root),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
