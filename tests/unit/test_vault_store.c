/* SPDX-License-Identifier: Apache-2.0 */
/* Typed entries, the journal with its way back, and sealed contents. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/folder.h"
#include "vault/entries.h"
#include "vault/journal.h"
#include "vault/sealed.h"

struct fixture {
    char folder[SUPPORT_PATH_MAX];
    struct vault *vault;
};

static const struct pbft_digest chain = {{7}};

static struct pbft_bytes text(const char *value)
{
    return (struct pbft_bytes){(const uint8_t *)value, strlen(value)};
}

static char *copy(const char *value)
{
    char *out = malloc(strlen(value) + 1);

    memcpy(out, value, strlen(value) + 1);
    return out;
}

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);

    *state = fixture;
    support_folder_create(fixture->folder);
    if (vault_create(fixture->folder, NULL) != PBFT_OK) {
        return -1;
    }
    return vault_open(&fixture->vault, fixture->folder, NULL) == PBFT_OK ? 0
                                                                         : -1;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;

    vault_close(fixture->vault);
    support_folder_remove(fixture->folder);
    free(fixture);
    return 0;
}

static void test_subject_is_random_and_stays(void **state)
{
    struct fixture *fixture = *state;
    struct vault_subject first;
    struct vault_subject second;
    struct vault_subject found;

    assert_int_equal(vault_find_subject(fixture->vault, &found, "Patient/1"),
                     PBFT_NOT_FOUND);
    assert_int_equal(vault_add_subject(fixture->vault, &first, "Patient/1"),
                     PBFT_OK);
    assert_int_equal(vault_add_subject(fixture->vault, &second, "Patient/2"),
                     PBFT_OK);
    assert_int_equal(vault_add_subject(fixture->vault, &second, "Patient/1"),
                     PBFT_EXISTS);
    assert_int_equal(vault_find_subject(fixture->vault, &found, "Patient/1"),
                     PBFT_OK);
    assert_memory_equal(&found, &first, sizeof found);
    assert_memory_not_equal(first.handle, second.handle, VAULT_HANDLE_SIZE);
    assert_memory_not_equal(first.handle, first.label_key, VAULT_HANDLE_SIZE);
}

static void test_tags_are_keyed_by_subject(void **state)
{
    struct fixture *fixture = *state;
    struct vault_subject a;
    struct vault_subject b;
    uint8_t tag[3][VAULT_TAG_SIZE];

    assert_int_equal(vault_add_subject(fixture->vault, &a, "Patient/a"),
                     PBFT_OK);
    assert_int_equal(vault_add_subject(fixture->vault, &b, "Patient/b"),
                     PBFT_OK);
    vault_blind_tag(tag[0], &a, "urn:x", "PSY");
    vault_blind_tag(tag[1], &a, "urn:x", "PSY");
    vault_blind_tag(tag[2], &b, "urn:x", "PSY");
    assert_memory_equal(tag[0], tag[1], VAULT_TAG_SIZE);
    assert_memory_not_equal(tag[0], tag[2], VAULT_TAG_SIZE);
    vault_blind_tag(tag[1], &a, "urn:x", "HIV");
    assert_memory_not_equal(tag[0], tag[1], VAULT_TAG_SIZE);
}

static void test_own_institution_is_named_once(void **state)
{
    struct fixture *fixture = *state;
    struct pbft_institution own = {{1}};
    struct pbft_institution other = {{2}};
    struct vault_participant found;

    assert_int_equal(
        vault_set_institution(fixture->vault, "Organization/a", &own), PBFT_OK);
    assert_int_equal(
        vault_set_institution(fixture->vault, "Organization/a", &own), PBFT_OK);
    assert_int_equal(
        vault_set_institution(fixture->vault, "Organization/a", &other),
        PBFT_EXISTS);
    assert_int_equal(
        vault_find_participant(fixture->vault, &found, "Organization/a"),
        PBFT_OK);
    assert_int_equal(found.kind, VAULT_IS_INSTITUTION);
    assert_memory_equal(found.id, own.bytes, sizeof found.id);
}

static void test_name_moves_to_the_newest_version(void **state)
{
    struct fixture *fixture = *state;
    struct vault_consent one;
    struct vault_consent two;
    struct vault_consent found;
    char own_name[VAULT_OWN_NAME_SIZE];

    vault_draw_consent(&one);
    vault_draw_consent(&two);
    one.kind = VAULT_GRANT;
    one.period_to_ms = UINT64_C(0x123456789abcdef0);
    two.kind = VAULT_EVIDENCE;
    assert_int_equal(vault_set_consent(fixture->vault, "Consent/1", &one),
                     PBFT_OK);
    assert_int_equal(vault_set_consent(fixture->vault, "Consent/1", &two),
                     PBFT_OK);
    assert_int_equal(vault_find_consent(fixture->vault, &found, "Consent/1"),
                     PBFT_OK);
    assert_memory_equal(found.id, two.id, sizeof two.id);
    vault_own_name(own_name, one.id);
    assert_int_equal(vault_find_consent(fixture->vault, &found, own_name),
                     PBFT_OK);
    assert_true(found.period_to_ms == one.period_to_ms);
    assert_int_equal(vault_end_consent(fixture->vault, own_name), PBFT_OK);
    assert_int_equal(vault_find_consent(fixture->vault, &found, own_name),
                     PBFT_OK);
    assert_int_equal(found.kind, VAULT_WITHDRAWN);
}

/* A journal of two steps: a subject, and a consent of it. */
static void make_entry(struct fixture *fixture, struct vault_journal *entry,
                       const struct vault_consent *consent,
                       const uint8_t *previous)
{
    struct vault_subject subject;
    char name[VAULT_OWN_NAME_SIZE];

    memset(entry, 0, sizeof *entry);
    memset(entry->key, 9, sizeof entry->key);
    entry->item_class = 1;
    entry->step_count = 2;
    assert_int_equal(vault_add_subject(fixture->vault, &subject, "Patient/new"),
                     PBFT_OK);
    entry->steps[0] = (struct vault_step){.kind = VAULT_SUBJECT,
                                          .body = (uint8_t *)copy("one"),
                                          .size = 3,
                                          .row = copy("Patient/new")};
    vault_own_name(name, consent->id);
    assert_int_equal(vault_set_consent(fixture->vault, "Consent/1", consent),
                     PBFT_OK);
    entry->steps[1] = (struct vault_step){.kind = VAULT_CONSENT,
                                          .body = (uint8_t *)copy("two!"),
                                          .size = 4,
                                          .row = copy(name),
                                          .name = copy("Consent/1")};
    if (previous != NULL) {
        vault_own_name(name, previous);
        entry->steps[1].previous = copy(name);
    }
    assert_int_equal(vault_journal_store(fixture->vault, entry), PBFT_OK);
}

static void test_open_entry_survives_reopening(void **state)
{
    struct fixture *fixture = *state;
    struct vault_journal entry;
    struct vault_journal found;
    struct vault_consent consent;
    uint64_t open = 0;

    vault_draw_consent(&consent);
    make_entry(fixture, &entry, &consent, NULL);
    vault_close(fixture->vault);
    assert_int_equal(vault_open(&fixture->vault, fixture->folder, NULL),
                     PBFT_OK);
    assert_int_equal(vault_journal_count_open(fixture->vault, &open), PBFT_OK);
    assert_int_equal(open, 1);
    assert_int_equal(vault_journal_oldest_open(fixture->vault, &found),
                     PBFT_OK);
    assert_int_equal(found.step_count, 2);
    assert_int_equal(found.steps[1].size, 4);
    assert_memory_equal(found.steps[1].body, "two!", 4);
    assert_string_equal(found.steps[1].name, "Consent/1");
    assert_null(found.steps[1].previous);
    vault_journal_free(&found);
    vault_journal_free(&entry);
}

static void test_settled_entry_is_kept_without_bodies(void **state)
{
    struct fixture *fixture = *state;
    struct vault_journal entry;
    struct vault_journal found;
    struct vault_consent consent;

    vault_draw_consent(&consent);
    make_entry(fixture, &entry, &consent, NULL);
    entry.steps[1].seq = 42;
    assert_int_equal(vault_journal_settle(fixture->vault, &entry), PBFT_OK);
    assert_int_equal(vault_journal_find(fixture->vault, &found, entry.key),
                     PBFT_OK);
    assert_true(found.done);
    assert_int_equal(found.steps[1].seq, 42);
    assert_int_equal(found.steps[1].size, 0);
    vault_journal_free(&found);
    assert_int_equal(vault_journal_oldest_open(fixture->vault, &found),
                     PBFT_NOT_FOUND);
    vault_journal_free(&entry);
}

static void test_refused_step_takes_its_row_back(void **state)
{
    struct fixture *fixture = *state;
    struct vault_journal entry;
    struct vault_consent before;
    struct vault_consent after;
    struct vault_consent found;
    struct vault_subject subject;

    /* Given a version on the ledger, and a newer one that is refused. */
    vault_draw_consent(&before);
    vault_draw_consent(&after);
    before.kind = VAULT_GRANT;
    after.kind = VAULT_GRANT;
    assert_int_equal(vault_set_consent(fixture->vault, "Consent/1", &before),
                     PBFT_OK);
    make_entry(fixture, &entry, &after, before.id);
    entry.steps[1].code = 240;
    assert_int_equal(vault_sealed_write(fixture->vault, NULL, NULL, &chain,
                                        after.id, after.data_key, text("x")),
                     PBFT_OK);
    /* When the entry is settled. */
    assert_int_equal(vault_journal_settle(fixture->vault, &entry), PBFT_OK);
    /* Then the name means the older one, the patient stays registered, and the
     * resource can be imported again. */
    assert_int_equal(vault_find_consent(fixture->vault, &found, "Consent/1"),
                     PBFT_OK);
    assert_memory_equal(found.id, before.id, sizeof before.id);
    assert_int_equal(
        vault_find_subject(fixture->vault, &subject, "Patient/new"), PBFT_OK);
    struct vault_journal none;
    assert_int_equal(vault_journal_find(fixture->vault, &none, entry.key),
                     PBFT_NOT_FOUND);
    struct vault_blob blob;
    assert_int_equal(vault_sealed_read(fixture->vault, &blob, &chain, after.id,
                                       after.data_key),
                     PBFT_NOT_FOUND);
    vault_journal_free(&entry);
}

/* A document's version is on the ledger, the one before it is still open. */
static void test_version_stays_though_nothing_ended(void **state)
{
    struct fixture *fixture = *state;
    struct vault_journal entry;
    struct vault_journal found;
    struct vault_record before;
    struct vault_record after;
    char name[VAULT_OWN_NAME_SIZE];

    vault_draw_record(&before);
    vault_draw_record(&after);
    assert_int_equal(vault_set_record(fixture->vault, "Document/1", &before),
                     PBFT_OK);
    assert_int_equal(vault_set_record(fixture->vault, "Document/1", &after),
                     PBFT_OK);
    for (uint32_t code = 0; code < 2; code++) {
        memset(&entry, 0, sizeof entry);
        entry.step_count = 2;
        vault_own_name(name, before.id);
        entry.steps[0] = (struct vault_step){.kind = VAULT_RECORD,
                                             .code = 1 - code,
                                             .row = copy(name),
                                             .ends = true};
        vault_own_name(name, after.id);
        entry.steps[1] = (struct vault_step){.kind = VAULT_RECORD,
                                             .row = copy(name),
                                             .name = copy("Document/1")};
        assert_int_equal(vault_journal_store(fixture->vault, &entry), PBFT_OK);
        assert_int_equal(vault_journal_settle(fixture->vault, &entry), PBFT_OK);
        assert_int_equal(vault_journal_find(fixture->vault, &found, entry.key),
                         PBFT_OK);
        assert_int_equal(found.steps[0].code, 1 - code);
        vault_journal_free(&found);
        assert_int_equal(
            vault_find_record(fixture->vault, &after, "Document/1"), PBFT_OK);
        assert_false(after.ended);
        assert_int_equal(
            vault_find_record(fixture->vault, &before, entry.steps[0].row),
            PBFT_OK);
        assert_int_equal(before.ended, code == 1);
        vault_journal_free(&entry);
    }
}

static void test_sealed_content_opens_with_its_key_only(void **state)
{
    struct fixture *fixture = *state;
    struct vault_record record;
    struct vault_blob blob;
    struct pbft_digest digest;
    struct pbft_digest other_chain = {{8}};
    uint64_t size = 0;

    vault_draw_record(&record);
    assert_int_equal(vault_sealed_write(fixture->vault, &digest, &size, &chain,
                                        record.id, record.data_key,
                                        text("content")),
                     PBFT_OK);
    assert_true(size > 7);
    assert_int_equal(vault_sealed_read(fixture->vault, &blob, &chain, record.id,
                                       record.data_key),
                     PBFT_OK);
    assert_int_equal(blob.size, 7);
    assert_memory_equal(blob.data, "content", 7);
    vault_blob_free(&blob);
    assert_int_equal(vault_sealed_read(fixture->vault, &blob, &chain, record.id,
                                       record.salt),
                     PBFT_BAD_SIGNATURE);
    assert_int_equal(vault_sealed_read(fixture->vault, &blob, &other_chain,
                                       record.id, record.data_key),
                     PBFT_BAD_SIGNATURE);
    assert_int_equal(vault_sealed_erase(fixture->vault, record.id), PBFT_OK);
    assert_int_equal(vault_sealed_erase(fixture->vault, record.id),
                     PBFT_NOT_FOUND);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_subject_is_random_and_stays),
        T(test_tags_are_keyed_by_subject),
        T(test_own_institution_is_named_once),
        T(test_name_moves_to_the_newest_version),
        T(test_open_entry_survives_reopening),
        T(test_version_stays_though_nothing_ended),
        T(test_settled_entry_is_kept_without_bodies),
        T(test_refused_step_takes_its_row_back),
        T(test_sealed_content_opens_with_its_key_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
