/* SPDX-License-Identifier: Apache-2.0 */
/* Signatures of Provenance, made by another implementation: right ones are
 * verified, wrong ones refuse the resource at the path of their data, and what
 * cannot be checked says so. */
#include "tests/support/export_fixture.h"
#include "tests/support/signature_samples.h"

#define PATIENT "{\"resourceType\":\"Patient\",\"id\":\"p-1\"}"
#define TARGET "{\"reference\":\"Consent/c-1\"}"
#define CANONICAL                                                              \
    "application/fhir+json;canonicalization=http://hl7.org/fhir/"              \
    "canonicalization/json"
#define SIGNATURE(who, format, data)                                           \
    "{\"type\":[{\"system\":\"urn:iso-astm:E1762-95:2013\",\"code\":"          \
    "\"1.2.840.10065.1.12.1.1\"}],\"when\":\"2025-03-02T10:00:00Z\","          \
    "\"who\":{\"reference\":\"" who "\"},\"targetFormat\":\"" format           \
    "\",\"sigFormat\":\"application/jose\",\"data\":\"" data "\"}"
#define PROVENANCE(target, signature)                                          \
    "{\"resourceType\":\"Provenance\",\"id\":\"v-1\",\"target\":[" target      \
    "],\"recorded\":\"2025-03-02T10:00:00Z\",\"agent\":[{\"who\":{"            \
    "\"reference\":\"Practitioner/dr-1\"}}],\"signature\":[" signature "]}"
#define BY(data) SIGNATURE("Practitioner/dr-1", CANONICAL, data)
#define PATH "signature[0].data"

static bool has_finding(const struct fhir_item *item,
                        enum fhir_finding_kind kind)
{
    const struct fhir_report *report = fhir_item_report(item);

    for (size_t i = 0; i < report->count; i++) {
        if (report->findings[i].kind == kind) {
            assert_string_equal(report->findings[i].path, PATH);
            return true;
        }
    }
    return false;
}

/* The resource, judged with that key of the one who signed. */
static void expect(struct export_world *world, const char *pem,
                   const char *text, enum fhir_finding_kind kind,
                   enum fhir_class class_of)
{
    struct fhir_options options = {.zone_minutes = 0};
    struct signer_key *key = NULL;
    struct fhir_file *file = NULL;
    struct fhir_item *item = NULL;
    struct vault_journal *journal = calloc(1, sizeof *journal);
    struct fhir_signer signer = {.reference = "Practitioner/dr-1"};

    if (pem != NULL) {
        assert_int_equal(signer_key_parse(&key, pem, NULL), PBFT_OK);
        signer.key = key;
        world->plan.signers = &signer;
        world->plan.signer_count = 1;
    }
    assert_int_equal(
        fhir_file_open_bytes(
            &file, "test",
            (struct pbft_bytes){(const uint8_t *)text, strlen(text)}),
        PBFT_OK);
    assert_int_equal(fhir_item_load(&item, file, 0, &options), PBFT_OK);
    assert_int_equal(vault_begin(world->vault), PBFT_OK);
    assert_int_equal(fhir_plan(journal, item, &world->plan), PBFT_OK);
    assert_int_equal(vault_commit(world->vault), PBFT_OK);
    assert_int_equal(journal->step_count, 0);
    assert_true(has_finding(item, kind));
    assert_int_equal(fhir_item_class(item), class_of);
    world->plan.signer_count = 0;
    vault_journal_free(journal);
    free(journal);
    fhir_item_free(item);
    fhir_file_close(file);
    signer_key_free(key);
}

static int setup(void **state)
{
    int result = export_setup(state);

    export_import_text(*state, PATIENT);
    export_import_text(*state, SIGNED_CONSENT);
    return result;
}

static void test_right_signatures_are_verified(void **state)
{
    static const struct {
        const char *pem;
        const char *text;
    } right[] = {{PEM_RSA, PROVENANCE(TARGET, BY(JWS_RS256))},
                 {PEM_RSA, PROVENANCE(TARGET, BY(JWS_RS384))},
                 {PEM_RSA, PROVENANCE(TARGET, BY(JWS_RS512))},
                 {PEM_RSA, PROVENANCE(TARGET, BY(JWS_PS256))},
                 {PEM_RSA, PROVENANCE(TARGET, BY(JWS_PS384))},
                 {PEM_RSA, PROVENANCE(TARGET, BY(JWS_PS512))},
                 {PEM_P256, PROVENANCE(TARGET, BY(JWS_ES256))},
                 {PEM_P384, PROVENANCE(TARGET, BY(JWS_ES384))},
                 {PEM_ED25519, PROVENANCE(TARGET, BY(JWS_EdDSA))},
                 {PEM_CERTIFICATE, PROVENANCE(TARGET, BY(JWS_ES256))},
                 {PEM_P256, PROVENANCE(TARGET, BY(JWS_ATTACHED))},
                 {PEM_P256, PROVENANCE(TARGET, BY(JWS_PLAIN))},
                 {PEM_ED25519,
                  PROVENANCE(TARGET, SIGNATURE("Practitioner/dr-1",
                                               CANONICAL "#data", JWS_DATA))},
                 {PEM_ED25519, PROVENANCE(TARGET, SIGNATURE("Practitioner/dr-1",
                                                            CANONICAL "#static",
                                                            JWS_STATIC))}};

    for (size_t i = 0; i < sizeof right / sizeof right[0]; i++) {
        print_message("right %zu\n", i);
        expect(*state, right[i].pem, right[i].text, FHIR_SIGNATURE_VERIFIED,
               FHIR_LOCAL);
    }
}

static void test_wrong_signatures_are_refused(void **state)
{
    static const struct {
        const char *text;
        enum fhir_finding_kind kind;
    } wrong[] = {
        {PROVENANCE(TARGET, BY(JWS_OTHER_CONTENT)), FHIR_SIGNATURE_WRONG},
        {PROVENANCE(TARGET, BY(JWS_OTHER_ATTACHED)), FHIR_SIGNATURE_WRONG},
        {PROVENANCE(TARGET, BY(JWS_OTHER_KEY)), FHIR_SIGNATURE_WRONG},
        /* The algorithm is of another kind of key. */
        {PROVENANCE(TARGET, BY(JWS_RS256)), FHIR_SIGNATURE_ALGORITHM},
        {PROVENANCE(TARGET, BY(JWS_NONE)), FHIR_SIGNATURE_ALGORITHM},
        /* A public key is no secret. */
        {PROVENANCE(TARGET, BY(JWS_HMAC)), FHIR_SIGNATURE_ALGORITHM},
        {PROVENANCE(TARGET, BY(JWS_CRITICAL)), FHIR_SIGNATURE_CRITICAL},
        {PROVENANCE(TARGET, BY(JWS_PLAIN_UNTOLD)), FHIR_SIGNATURE_CRITICAL},
        {PROVENANCE(TARGET, BY("bm90LmEuc2ln")), FHIR_SIGNATURE},
        /* What was left out was signed. */
        {PROVENANCE(TARGET, SIGNATURE("Practitioner/dr-1", CANONICAL "#data",
                                      JWS_ES256)),
         FHIR_SIGNATURE_WRONG}};

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        print_message("wrong %zu\n", i);
        expect(*state, PEM_P256, wrong[i].text, wrong[i].kind, FHIR_REJECT);
    }
}

static void test_certificate_counts_while_it_is_valid(void **state)
{
    static const char text[] = PROVENANCE(TARGET, BY(JWS_ES256));
    char late[sizeof text];
    char *when = NULL;

    memcpy(late, text, sizeof text);
    when = strstr(late, "\"when\":\"2025");
    assert_non_null(when);
    memcpy(when + 8, "2026", 4);
    expect(*state, PEM_CERTIFICATE, late, FHIR_SIGNATURE_EXPIRED, FHIR_REJECT);
    expect(*state, PEM_P256, late, FHIR_SIGNATURE_VERIFIED, FHIR_LOCAL);
}

static void test_what_cannot_be_checked_says_so(void **state)
{
    static const char *const texts[] = {
        /* Another signer, whose key nobody gave. */
        PROVENANCE(TARGET,
                   SIGNATURE("Practitioner/dr-2", CANONICAL, JWS_ES256)),
        /* Several targets: which bytes are they together? */
        PROVENANCE(TARGET "," TARGET, BY(JWS_ES256)),
        PROVENANCE(TARGET, SIGNATURE("Practitioner/dr-1",
                                     CANONICAL "#narrative", JWS_ES256)),
        /* A patient is not kept as he came. */
        PROVENANCE("{\"reference\":\"Patient/p-1\"}", BY(JWS_ES256))};

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        expect(*state, PEM_P256, texts[i], FHIR_SIGNATURE_UNVERIFIED,
               FHIR_LOCAL);
    }
    expect(*state, NULL, PROVENANCE(TARGET, BY(JWS_ES256)),
           FHIR_SIGNATURE_UNVERIFIED, FHIR_LOCAL);
}

static void test_weak_and_strange_keys_are_refused(void **state)
{
    static const char *const pems[] = {
        PEM_RSA_SMALL, "", "-----BEGIN PUBLIC KEY-----\nAAAA\n", "no key"};

    (void)state;
    for (size_t i = 0; i < sizeof pems / sizeof pems[0]; i++) {
        struct signer_key *key = NULL;
        assert_int_equal(signer_key_parse(&key, pems[i], NULL), PBFT_MALFORMED);
        assert_null(key);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_right_signatures_are_verified,
                                        setup, export_teardown),
        cmocka_unit_test_setup_teardown(test_wrong_signatures_are_refused,
                                        setup, export_teardown),
        cmocka_unit_test_setup_teardown(
            test_certificate_counts_while_it_is_valid, setup, export_teardown),
        cmocka_unit_test_setup_teardown(test_what_cannot_be_checked_says_so,
                                        setup, export_teardown),
        cmocka_unit_test(test_weak_and_strange_keys_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
