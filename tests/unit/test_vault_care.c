/* SPDX-License-Identifier: Apache-2.0 */
/* Census, backup, another key, forgetting a patient; and a process that is
 * killed on the way. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/support/folder.h"
#include "vault/care.h"
#include "vault/events.h"
#include "vault/journal.h"
#include "vault/older.h"
#include "vault/row.h"
#include "vault/sealed.h"

#define PATIENTS 40
#define PATH_SIZE (SUPPORT_PATH_MAX + 64)

struct fixture {
    char folder[SUPPORT_PATH_MAX];
    char vault_folder[PATH_SIZE];
    struct vault *vault;
};

static const struct pbft_digest chain = {{7}};

static void open_vault(struct fixture *fixture)
{
    assert_int_equal(vault_open(&fixture->vault, fixture->vault_folder, NULL),
                     PBFT_OK);
}

static void name_of(char out[32], const char *type, size_t number)
{
    (void)snprintf(out, 32, "%s/%zu", type, number);
}

static void add_patient(struct vault *vault, size_t number)
{
    static const uint8_t content[] = "content";
    char name[32];
    struct vault_subject subject;
    struct vault_record record;
    struct vault_consent consent;
    struct vault_event event;

    name_of(name, "Patient", number);
    assert_int_equal(vault_add_subject(vault, &subject, name), PBFT_OK);
    vault_draw_record(&record);
    memcpy(record.subject, subject.handle, sizeof record.subject);
    name_of(name, "DocumentReference", number);
    assert_int_equal(vault_set_record(vault, name, &record), PBFT_OK);
    assert_int_equal(vault_sealed_write(vault, NULL, NULL, &chain, record.id,
                                        record.data_key,
                                        (struct pbft_bytes){content, 7}),
                     PBFT_OK);
    vault_draw_consent(&consent);
    memcpy(consent.subject, subject.handle, sizeof consent.subject);
    name_of(name, "Consent", number);
    assert_int_equal(vault_set_consent(vault, name, &consent), PBFT_OK);
    assert_int_equal(vault_sealed_write(vault, NULL, NULL, &chain, consent.id,
                                        consent.data_key,
                                        (struct pbft_bytes){content, 7}),
                     PBFT_OK);
    vault_draw_event(&event);
    memcpy(event.subject, subject.handle, sizeof event.subject);
    name_of(name, "AuditEvent", number);
    assert_int_equal(
        vault_set_event(vault, name, &event, (struct pbft_bytes){content, 7}),
        PBFT_OK);
    struct vault_journal entry = {
        .key = {(uint8_t)(number + 1)}, .done = true, .step_count = 1};
    entry.steps[0].kind = VAULT_SUBJECT;
    name_of(name, "Patient", number);
    entry.steps[0].row = name;
    assert_int_equal(vault_journal_store(vault, &entry), PBFT_OK);
}

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);

    *state = fixture;
    support_folder_create(fixture->folder);
    (void)snprintf(fixture->vault_folder, PATH_SIZE, "%s/vault",
                   fixture->folder);
    assert_int_equal(vault_create(fixture->vault_folder, NULL), PBFT_OK);
    open_vault(fixture);
    assert_int_equal(vault_begin(fixture->vault), PBFT_OK);
    for (size_t i = 0; i < PATIENTS; i++) {
        add_patient(fixture->vault, i);
    }
    assert_int_equal(vault_commit(fixture->vault), PBFT_OK);
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;

    vault_close(fixture->vault);
    support_folder_remove(fixture->folder);
    free(fixture);
    return 0;
}

static void expect_whole(struct vault *vault, uint64_t patients)
{
    struct vault_census census;

    assert_int_equal(vault_check(vault, &census), PBFT_OK);
    assert_int_equal(census.damaged, 0);
    assert_int_equal(census.missing, 0);
    assert_int_equal(census.rows[VAULT_SUBJECT], patients);
    assert_int_equal(census.rows[VAULT_RECORD], patients);
    assert_int_equal(census.rows[VAULT_CONSENT], patients);
    assert_int_equal(census.rows[VAULT_EVENT], patients);
    assert_int_equal(census.rows[VAULT_JOURNAL], patients);
    assert_int_equal(census.sealed, 2 * patients);
}

static bool knows(struct vault *vault, const char *name)
{
    struct vault_subject subject;

    return vault_find_subject(vault, &subject, name) == PBFT_OK;
}

static void test_check_counts_and_misses(void **state)
{
    struct fixture *fixture = *state;
    struct vault_record record;
    struct vault_census census;

    expect_whole(fixture->vault, PATIENTS);
    assert_int_equal(
        vault_find_record(fixture->vault, &record, "DocumentReference/3"),
        PBFT_OK);
    assert_int_equal(vault_sealed_erase(fixture->vault, record.id), PBFT_OK);
    assert_int_equal(vault_check(fixture->vault, &census), PBFT_OK);
    assert_int_equal(census.missing, 1);
}

static void test_forgotten_patient_is_gone_others_stay(void **state)
{
    struct fixture *fixture = *state;
    struct vault_forgotten forgotten;
    struct vault_record record;

    assert_int_equal(
        vault_forget_subject(fixture->vault, &forgotten, "Patient/5", true),
        PBFT_OK);
    expect_whole(fixture->vault, PATIENTS);
    assert_int_equal(
        vault_forget_subject(fixture->vault, &forgotten, "Patient/5", false),
        PBFT_OK);
    assert_int_equal(forgotten.records, 1);
    assert_int_equal(forgotten.consents, 1);
    assert_int_equal(forgotten.events, 1);
    assert_int_equal(forgotten.journal, 1);
    expect_whole(fixture->vault, PATIENTS - 1);
    assert_false(knows(fixture->vault, "Patient/5"));
    assert_true(knows(fixture->vault, "Patient/6"));
    assert_int_equal(
        vault_find_record(fixture->vault, &record, "DocumentReference/5"),
        PBFT_NOT_FOUND);
    assert_int_equal(
        vault_forget_subject(fixture->vault, &forgotten, "Patient/5", false),
        PBFT_NOT_FOUND);
}

static void test_open_import_is_finished_before(void **state)
{
    struct fixture *fixture = *state;
    struct vault_journal entry = {.key = {200}, .step_count = 1};
    struct vault_forgotten forgotten;

    assert_int_equal(vault_journal_store(fixture->vault, &entry), PBFT_OK);
    assert_int_equal(
        vault_forget_subject(fixture->vault, &forgotten, "Patient/5", false),
        PBFT_EXISTS);
    assert_true(knows(fixture->vault, "Patient/5"));
}

static void copy_key(const char *from, const char *to)
{
    char text[256];
    char path[PATH_SIZE + 32];

    (void)snprintf(path, sizeof path, "%s/vault.key", from);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_non_null(fgets(text, sizeof text, file));
    (void)fclose(file);
    (void)snprintf(path, sizeof path, "%s/vault.key", to);
    file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    (void)fclose(file);
    assert_int_equal(chmod(path, 0600), 0);
}

static void test_backup_opens_with_the_key_only(void **state)
{
    struct fixture *fixture = *state;
    struct vault *copy = NULL;
    struct salus_reason reason;
    char folder[PATH_SIZE];

    (void)snprintf(folder, sizeof folder, "%s/backup", fixture->folder);
    assert_int_equal(vault_backup(fixture->vault, folder, &reason), PBFT_OK);
    assert_int_equal(vault_backup(fixture->vault, folder, &reason),
                     PBFT_EXISTS);
    assert_int_equal(vault_open(&copy, folder, &reason), PBFT_NOT_FOUND);
    copy_key(fixture->vault_folder, folder);
    assert_int_equal(vault_open(&copy, folder, &reason), PBFT_OK);
    expect_whole(copy, PATIENTS);
    assert_true(knows(copy, "Patient/7"));
    vault_close(copy);
}

static void test_other_key_opens_the_same(void **state)
{
    struct fixture *fixture = *state;
    struct salus_reason reason;
    struct vault *stolen = NULL;
    char old[PATH_SIZE];

    (void)snprintf(old, sizeof old, "%s/old", fixture->folder);
    assert_int_equal(mkdir(old, 0700), 0);
    copy_key(fixture->vault_folder, old);
    for (size_t round = 0; round < 2; round++) {
        assert_int_equal(vault_rekey(fixture->vault, &reason), PBFT_OK);
        expect_whole(fixture->vault, PATIENTS);
        assert_true(knows(fixture->vault, "Patient/7"));
        vault_close(fixture->vault);
        open_vault(fixture);
        expect_whole(fixture->vault, PATIENTS);
        assert_true(knows(fixture->vault, "Patient/7"));
    }
    add_patient(fixture->vault, PATIENTS);
    expect_whole(fixture->vault, PATIENTS + 1);
    /* Who stole the first key has nothing. */
    vault_close(fixture->vault);
    copy_key(old, fixture->vault_folder);
    assert_int_equal(vault_open(&stolen, fixture->vault_folder, &reason),
                     PBFT_WRONG_IDENTITY);
    fixture->vault = NULL;
}

/* ---- older vaults -------------------------------------------------------- */

#define VERSION_AT 60 /* Of user_version in the header, big-endian. */

static uint32_t change_version(const char *folder, uint32_t to)
{
    char path[PATH_SIZE];
    uint8_t bytes[4];

    (void)snprintf(path, sizeof path, "%s/vault.db", folder);
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, VERSION_AT, SEEK_SET), 0);
    assert_int_equal(fread(bytes, 1, sizeof bytes, file), sizeof bytes);
    uint32_t from = bytes[3];
    bytes[3] = (uint8_t)to;
    if (to != 0) {
        assert_int_equal(fseek(file, VERSION_AT, SEEK_SET), 0);
        assert_int_equal(fwrite(bytes, 1, sizeof bytes, file), sizeof bytes);
    }
    assert_int_equal(fclose(file), 0);
    return from;
}

/* As the first version wrote it: by its name alone. */
static void add_old_patient(struct vault *vault, uint8_t mark)
{
    uint8_t value[1 + 2 * VAULT_HANDLE_SIZE] = {1};
    char name[32];

    memset(value + 1, mark, sizeof value - 1);
    (void)snprintf(name, sizeof name, "Patient/old-%u", (unsigned)mark);
    assert_int_equal(
        vault_put(vault, VAULT_SUBJECT, VAULT_PLAIN,
                  (struct pbft_bytes){(const uint8_t *)name, strlen(name)},
                  (struct pbft_bytes){value, sizeof value}),
        PBFT_OK);
}

static bool knows_handle(struct vault *vault, uint8_t mark)
{
    uint8_t handle[VAULT_HANDLE_SIZE];
    char name[VAULT_HANDLE_NAME_SIZE];
    struct vault_subject found;

    memset(handle, mark, sizeof handle);
    vault_handle_name(name, handle);
    return vault_find_subject(vault, &found, name) == PBFT_OK &&
           memcmp(found.handle, handle, sizeof handle) == 0;
}

#define OLD_PATIENTS 150 /* More than two pages. */

/* Records of before the state of documents are read as they are. */
static void test_versions_three_and_four_become_this_one(void **state)
{
    struct fixture *fixture = *state;
    struct salus_reason reason;
    struct vault_record record;

    for (uint32_t round = 0; round < 2; round++) {
        if (round == 1) {
            assert_int_equal(vault_rekey(fixture->vault, &reason), PBFT_OK);
        }
        vault_close(fixture->vault);
        assert_int_equal(change_version(fixture->vault_folder, 3 + round),
                         VAULT_SCHEMA_VERSION + round);
        open_vault(fixture);
        assert_int_equal(
            vault_find_record(fixture->vault, &record, "DocumentReference/7"),
            PBFT_OK);
        assert_int_equal(record.status, 0);
        vault_close(fixture->vault);
        /* An older program goes no further than its own version. */
        assert_int_equal(change_version(fixture->vault_folder, 0),
                         VAULT_SCHEMA_VERSION + round);
        open_vault(fixture);
    }
}

/* A relative as version five wrote it, of whom or of nobody, and a member. */
static void add_old_participants(struct vault *vault)
{
    static const uint8_t kinds[] = {6, 6, VAULT_IS_INSTITUTION,
                                    VAULT_IS_INSTITUTION};

    for (uint8_t i = 0; i < sizeof kinds; i++) {
        uint8_t value[1 + VAULT_ID_SIZE + 4 + VAULT_HANDLE_SIZE] = {1};
        char name[32];
        size_t size = i == 0 ? sizeof value : sizeof value - VAULT_HANDLE_SIZE;
        /* A member has the same id under all its names. */
        memset(value + 1, i < 2 ? 0xa0 + i : 0xb0, VAULT_ID_SIZE);
        value[1 + VAULT_ID_SIZE + 3] = kinds[i];
        memset(value + 1 + VAULT_ID_SIZE + 4, 0xcc, VAULT_HANDLE_SIZE);
        name_of(name, "RelatedPerson", i);
        assert_int_equal(
            vault_put(vault, VAULT_PARTICIPANT, VAULT_PLAIN,
                      (struct pbft_bytes){(const uint8_t *)name, strlen(name)},
                      (struct pbft_bytes){value, size}),
            PBFT_OK);
    }
}

static enum pbft_status find_by_id(struct vault *vault,
                                   struct vault_participant *out, uint8_t mark)
{
    uint8_t id[VAULT_ID_SIZE];
    char name[VAULT_OWN_NAME_SIZE];

    memset(id, mark, sizeof id);
    vault_own_name(name, id);
    return vault_find_participant(vault, out, name);
}

/* Before version seven nobody found participants by their ids. */
static void test_version_five_finds_participants_by_id_too(void **state)
{
    struct fixture *fixture = *state;
    static const uint8_t nobody[VAULT_HANDLE_SIZE];
    struct vault_participant found;

    add_old_participants(fixture->vault);
    assert_int_equal(find_by_id(fixture->vault, &found, 0xa0), PBFT_NOT_FOUND);
    vault_close(fixture->vault);
    (void)change_version(fixture->vault_folder, 5);
    open_vault(fixture);
    assert_int_equal(find_by_id(fixture->vault, &found, 0xa0), PBFT_OK);
    assert_int_equal(found.patient[0], 0xcc);
    assert_int_equal(find_by_id(fixture->vault, &found, 0xa1), PBFT_OK);
    assert_memory_equal(found.patient, nobody, sizeof nobody);
    assert_int_equal(find_by_id(fixture->vault, &found, 0xb0), PBFT_NOT_FOUND);
    /* And so are those that come now. */
    assert_int_equal(
        vault_add_participant(fixture->vault, &found, "Device/1", 5), PBFT_OK);
    char name[VAULT_OWN_NAME_SIZE];
    vault_own_name(name, found.id);
    assert_int_equal(vault_find_participant(fixture->vault, &found, name),
                     PBFT_OK);
}

/* Nor did its consents find each of several authors. */
static void test_grants_of_version_five_are_marked(void **state)
{
    struct fixture *fixture = *state;
    struct vault_subject subject;
    struct vault_consent consent;
    bool found = true;

    assert_int_equal(vault_find_subject(fixture->vault, &subject, "Patient/7"),
                     PBFT_OK);
    vault_draw_consent(&consent);
    consent.kind = VAULT_GRANT;
    consent.period_to_ms = 1000;
    consent.finds_authors = false;
    memcpy(consent.subject, subject.handle, sizeof consent.subject);
    assert_int_equal(vault_set_consent(fixture->vault, "Consent/x", &consent),
                     PBFT_OK);
    assert_int_equal(
        vault_has_older_rules(fixture->vault, &found, subject.handle, 999),
        PBFT_OK);
    assert_false(found);
    vault_close(fixture->vault);
    (void)change_version(fixture->vault_folder, 5);
    open_vault(fixture);
    assert_int_equal(
        vault_has_older_rules(fixture->vault, &found, subject.handle, 999),
        PBFT_OK);
    assert_true(found);
    assert_int_equal(
        vault_has_older_rules(fixture->vault, &found, subject.handle, 1000),
        PBFT_OK);
    assert_false(found);
    /* Another patient's have been told by this program. */
    assert_int_equal(vault_find_subject(fixture->vault, &subject, "Patient/8"),
                     PBFT_OK);
    assert_int_equal(
        vault_has_older_rules(fixture->vault, &found, subject.handle, 999),
        PBFT_OK);
    assert_false(found);
}

/* What a consent took the name of, as the journal has it. */
static void note_version(struct vault *vault,
                         const struct vault_consent *consent,
                         const struct vault_consent *before, uint8_t mark)
{
    char row[VAULT_OWN_NAME_SIZE];
    char previous[VAULT_OWN_NAME_SIZE];
    char name[] = "Consent/x";
    struct vault_journal entry = {
        .key = {0xee, mark}, .done = true, .step_count = 1};

    vault_own_name(row, consent->id);
    vault_own_name(previous, before->id);
    entry.steps[0].kind = VAULT_CONSENT;
    entry.steps[0].row = row;
    entry.steps[0].name = name;
    entry.steps[0].previous = previous;
    assert_int_equal(vault_set_consent(vault, name, consent), PBFT_OK);
    assert_int_equal(vault_journal_store(vault, &entry), PBFT_OK);
}

static void expect_older_rules(struct vault *vault,
                               const struct vault_subject *subject,
                               bool expected)
{
    bool found = !expected;

    assert_int_equal(vault_has_older_rules(vault, &found, subject->handle, 1),
                     PBFT_OK);
    assert_int_equal(found, expected);
}

/* What was replaced before version seven cannot be imported again: it stands no
 * more. Beside evidence a grant stands. */
static void test_grants_that_were_replaced_before_are_over(void **state)
{
    struct fixture *fixture = *state;
    struct vault_subject subject;
    struct vault_consent versions[4];

    assert_int_equal(vault_find_subject(fixture->vault, &subject, "Patient/7"),
                     PBFT_OK);
    for (size_t i = 0; i < 4; i++) {
        vault_draw_consent(&versions[i]);
        versions[i].kind = i == 2 ? VAULT_EVIDENCE : VAULT_GRANT;
        versions[i].finds_authors = i == 3;
        memcpy(versions[i].subject, subject.handle, sizeof subject.handle);
    }
    assert_int_equal(
        vault_set_consent(fixture->vault, "Consent/x", &versions[0]), PBFT_OK);
    note_version(fixture->vault, &versions[1], &versions[0], 1);
    note_version(fixture->vault, &versions[2], &versions[1], 2);
    vault_close(fixture->vault);
    (void)change_version(fixture->vault_folder, 5);
    open_vault(fixture);
    expect_older_rules(fixture->vault, &subject, true);
    assert_int_equal(
        vault_set_consent(fixture->vault, "Consent/x", &versions[3]), PBFT_OK);
    expect_older_rules(fixture->vault, &subject, true);
    assert_int_equal(
        vault_note_replaced(fixture->vault, &versions[3], versions[1].id),
        PBFT_OK);
    expect_older_rules(fixture->vault, &subject, false);
}

static void test_older_vaults_find_by_handle_too(void **state)
{
    struct fixture *fixture = *state;
    struct vault_census census;
    struct vault *newer = NULL;
    struct salus_reason reason;

    for (uint32_t round = 0; round < 2; round++) {
        for (uint8_t i = 1; round == 0 && i <= OLD_PATIENTS; i++) {
            add_old_patient(fixture->vault, i);
        }
        if (round == 1) {
            assert_int_equal(vault_rekey(fixture->vault, &reason), PBFT_OK);
            add_old_patient(fixture->vault, 200);
            assert_false(knows_handle(fixture->vault, 200));
        }
        vault_close(fixture->vault);
        assert_int_equal(change_version(fixture->vault_folder, 1 + round),
                         VAULT_SCHEMA_VERSION + round);
        open_vault(fixture);
        for (uint8_t i = 1; i <= OLD_PATIENTS; i++) {
            assert_true(knows_handle(fixture->vault, i));
        }
        assert_int_equal(knows_handle(fixture->vault, 200), round == 1);
        assert_true(knows(fixture->vault, "Patient/7"));
        assert_int_equal(vault_check(fixture->vault, &census), PBFT_OK);
        assert_int_equal(census.damaged, 0);
        assert_int_equal(census.rows[VAULT_SUBJECT],
                         PATIENTS + OLD_PATIENTS + round);
    }
    vault_close(fixture->vault);
    fixture->vault = NULL;
    assert_int_equal(change_version(fixture->vault_folder, 0),
                     VAULT_SCHEMA_VERSION + 1);
    /* A newer one stays as it is. */
    (void)change_version(fixture->vault_folder, VAULT_SCHEMA_VERSION + 2);
    assert_int_equal(vault_open(&newer, fixture->vault_folder, &reason),
                     PBFT_VERSION);
    assert_non_null(strstr(reason.text, "made by a newer program"));
    assert_int_equal(change_version(fixture->vault_folder, 0),
                     VAULT_SCHEMA_VERSION + 2);
}

/* ---- death --------------------------------------------------------------- */

/* Does the work in a process that is killed after so many microseconds; true
 * if it was done before. */
static bool dies(struct fixture *fixture, unsigned delay_us,
                 enum pbft_status (*work)(struct vault *vault))
{
    int status = 0;

    vault_close(fixture->vault);
    fixture->vault = NULL;
    int ready[2];
    uint8_t byte = 0;
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct vault *vault = NULL;
        if (vault_open(&vault, fixture->vault_folder, NULL) != PBFT_OK ||
            write(ready[1], &byte, 1) != 1) {
            _exit(2);
        }
        _exit(work(vault) == PBFT_OK ? 0 : 1);
    }
    (void)close(ready[1]);
    const struct timespec pause = {0, (long)delay_us * 1000};
    bool is_ready = read(ready[0], &byte, 1) == 1;
    (void)close(ready[0]);
    (void)nanosleep(&pause, NULL);
    (void)kill(child, SIGKILL); /* Ours until it is waited for. */
    assert_true(is_ready);
    assert_int_equal(waitpid(child, &status, 0), child);
    open_vault(fixture);
    if (WIFEXITED(status)) {
        assert_int_equal(WEXITSTATUS(status), 0);
        return true;
    }
    return false;
}

static enum pbft_status rekey(struct vault *vault)
{
    return vault_rekey(vault, NULL);
}

static unsigned forgotten_patient;

static enum pbft_status forget(struct vault *vault)
{
    struct vault_forgotten forgotten;
    char name[32];
    (void)snprintf(name, sizeof name, "Patient/%u", forgotten_patient);
    enum pbft_status status =
        vault_forget_subject(vault, &forgotten, name, false);

    return status == PBFT_NOT_FOUND ? PBFT_OK : status;
}

static void test_rekey_survives_death_anywhere(void **state)
{
    struct fixture *fixture = *state;
    size_t died = 0;

    for (unsigned delay_us = 0; delay_us < 30000; delay_us += 700) {
        died += !dies(fixture, delay_us, rekey);
        expect_whole(fixture->vault, PATIENTS);
        assert_true(knows(fixture->vault, "Patient/7"));
    }
    assert_true(died > 0);
}

#define FORGOTTEN 20

static void test_forgetting_survives_death_anywhere(void **state)
{
    struct fixture *fixture = *state;
    struct vault_census census;
    size_t died = 0;

    for (unsigned i = 0; i < FORGOTTEN; i++) { /* Another patient each. */
        forgotten_patient = i;
        died += !dies(fixture, 500 * i, forget);
        assert_int_equal(vault_check(fixture->vault, &census), PBFT_OK);
        assert_int_equal(census.damaged, 0);
        /* All rows or none; files may be gone before. */
        assert_true(census.rows[VAULT_SUBJECT] == census.rows[VAULT_RECORD] &&
                    census.rows[VAULT_SUBJECT] == census.rows[VAULT_EVENT]);
    }
    assert_true(died > 0);
    for (unsigned i = 0; i < FORGOTTEN; i++) {
        forgotten_patient = i;
        assert_int_equal(forget(fixture->vault), PBFT_OK);
    }
    expect_whole(fixture->vault, PATIENTS - FORGOTTEN);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_check_counts_and_misses),
        T(test_forgotten_patient_is_gone_others_stay),
        T(test_open_import_is_finished_before),
        T(test_backup_opens_with_the_key_only),
        T(test_other_key_opens_the_same),
        T(test_versions_three_and_four_become_this_one),
        T(test_older_vaults_find_by_handle_too),
        T(test_version_five_finds_participants_by_id_too),
        T(test_grants_of_version_five_are_marked),
        T(test_grants_that_were_replaced_before_are_over),
        T(test_rekey_survives_death_anywhere),
        T(test_forgetting_survives_death_anywhere),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
