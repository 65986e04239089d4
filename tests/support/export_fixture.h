/* SPDX-License-Identifier: Apache-2.0 */
/* A vault that believes every transaction was executed, and exports out of it:
 * no ledger is needed to ask whether a resource becomes the transaction again
 * that it came from.
 *
 * Everything here is static: a test that includes it links with salus_tool and
 * salus_test_support.
 */
#ifndef TESTS_SUPPORT_EXPORT_FIXTURE_H
#define TESTS_SUPPORT_EXPORT_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "client/tool_json.h"
#include "fhir/export.h"
#include "fhir/plan.h"
#include "proto/scan.h"
#include "salus/v1/ledger.pb-c.h"
#include "tests/support/folder.h"
#include "vault/entries.h"
#include "vault/journal.h"
#include "vault/purposes.h"

#define EXPORT_BODIES_MAX 512

struct export_world {
    char folder[SUPPORT_PATH_MAX];
    struct vault *vault;
    struct fhir_plan_options plan;
    struct vault_purposes purposes; /* Published ones. */
    /* Bodies of what was planned, that have a resource. */
    struct pbft_bytes bodies[EXPORT_BODIES_MAX];
    size_t count;
    size_t rejected;
};

static inline int export_setup(void **state)
{
    struct export_world *world = calloc(1, sizeof *world);

    *state = world;
    support_folder_create(world->folder);
    assert_int_equal(vault_create(world->folder, NULL), PBFT_OK);
    assert_int_equal(vault_open(&world->vault, world->folder, NULL), PBFT_OK);
    world->plan = (struct fhir_plan_options){
        .vault = world->vault,
        .envelope = {.not_after_ms = 1, .table_version = CODES_VERSION},
        .mode = TRANSACTION_ESIGN,
        .register_unknown = true,
        .emergency_reason = CODES_REASON_LIFE_THREAT,
        .emergency_window_ms = 3600000,
        .self_report = true,
        .now_ms = UINT64_C(1800000000000)};
    memset(world->plan.envelope.chain.bytes, 0xc4, PBFT_DIGEST_SIZE);
    memset(world->plan.envelope.institution.bytes, 0x91, 16);
    memset(world->plan.envelope.key_id.bytes, 0xa7, 16);
    world->plan.custodian_key[0] = 9; /* A point of the curve. */
    struct pbft_institution own = world->plan.envelope.institution;
    assert_int_equal(
        vault_set_institution(world->vault, "Organization/own", &own), PBFT_OK);
    return 0;
}

static inline void export_forget_bodies(struct export_world *world)
{
    for (size_t i = 0; i < world->count; i++) {
        free((void *)(uintptr_t)world->bodies[i].data);
    }
    world->count = 0;
}

static inline int export_teardown(void **state)
{
    struct export_world *world = *state;

    export_forget_bodies(world);
    vault_close(world->vault);
    support_folder_remove(world->folder);
    free(world);
    return 0;
}

static inline void export_keep_body(struct export_world *world,
                                    const struct vault_step *step)
{
    if (!fhir_export_knows((enum transaction_type)step->type)) {
        return;
    }
    assert_true(world->count < EXPORT_BODIES_MAX);
    uint8_t *copy = malloc(step->size);
    assert_non_null(copy);
    memcpy(copy, step->body, step->size);
    world->bodies[world->count++] = (struct pbft_bytes){copy, step->size};
}

/* Plans one item, and lets the vault believe that it was executed. */
static inline void export_import_item(struct export_world *world,
                                      struct fhir_item *item)
{
    struct vault_journal *journal = calloc(1, sizeof *journal);

    assert_non_null(journal);
    assert_int_equal(vault_begin(world->vault), PBFT_OK);
    assert_int_equal(fhir_plan(journal, item, &world->plan), PBFT_OK);
    world->rejected += fhir_item_class(item) == FHIR_REJECT ? 1 : 0;
    if (getenv("SALUS_TEST_SHOW") != NULL) {
        char reasons[1024];
        fhir_report_reasons(fhir_item_report(item), reasons, sizeof reasons);
        print_message("%s %s %s %s %u steps\n", fhir_item_type(item),
                      fhir_class_name(fhir_item_class(item)),
                      fhir_report_path(fhir_item_report(item)), reasons,
                      journal->step_count);
    }
    for (uint32_t i = 0; i < journal->step_count; i++) {
        export_keep_body(world, &journal->steps[i]);
    }
    if (journal->step_count > 0) {
        assert_int_equal(vault_journal_settle(world->vault, journal), PBFT_OK);
    }
    assert_int_equal(vault_commit(world->vault), PBFT_OK);
    vault_journal_free(journal);
    free(journal);
}

static inline void export_import_file(struct export_world *world,
                                      struct fhir_file *file,
                                      enum fhir_rank from, enum fhir_rank to,
                                      const char *attachments)
{
    struct fhir_options options = {.attachments = attachments,
                                   .purposes = &world->purposes};

    for (int rank = (int)from; rank <= (int)to; rank++) {
        for (size_t i = 0; i < fhir_file_count(file); i++) {
            struct fhir_item *item = NULL;
            if ((int)fhir_file_rank(file, i) != rank) {
                continue;
            }
            assert_int_equal(fhir_item_load(&item, file, i, &options), PBFT_OK);
            export_import_item(world, item);
            fhir_item_free(item);
        }
    }
}

static inline void export_import_text(struct export_world *world,
                                      const char *text)
{
    struct fhir_file *file = NULL;

    assert_int_equal(
        fhir_file_open_bytes(
            &file, "test",
            (struct pbft_bytes){(const uint8_t *)text, strlen(text)}),
        PBFT_OK);
    export_import_file(world, file, FHIR_RANK_PARTICIPANT, FHIR_RANK_OTHER,
                       NULL);
    fhir_file_close(file);
}

static inline struct fhir_exporter *export_open(struct export_world *world,
                                                bool redacted)
{
    struct fhir_exporter *exporter = NULL;
    struct fhir_export_options options = {.vault = world->vault,
                                          .chain = world->plan.envelope.chain,
                                          .redacted = redacted};

    assert_int_equal(fhir_exporter_create(&exporter, &options), PBFT_OK);
    return exporter;
}

/* The resource, or NULL and the report. */
static inline char *export_text(struct fhir_exporter *exporter,
                                struct pbft_bytes body,
                                struct fhir_report *report)
{
    struct fhir_export_source source = {.body = body, .seq = 17};
    char *text = NULL;

    assert_int_equal(fhir_export(exporter, &text, report, &source), PBFT_OK);
    return text;
}

/* ---- the same transaction? ----------------------------------------------- */

/* Consents of older programs name an author alone; an import adds that records
 * are related to him, which the others have too. */
static inline void export_drop_coauthors(json_t *selector)
{
    json_t *list = json_object_get(selector, "data");
    char authors[8][64] = {""};
    size_t count = 0;

    for (size_t i = 0; i < json_array_size(list);) {
        json_t *one = json_array_get(list, i);
        const char *meaning =
            json_string_value(json_object_get(one, "meaning"));
        const char *id = json_string_value(json_object_get(one, "id"));
        bool drops = false;
        assert_non_null(meaning);
        assert_non_null(id);
        for (size_t k = 0; k < count; k++) {
            drops = drops || (strcmp(meaning, "RELATED") == 0 &&
                              strcmp(id, authors[k]) == 0);
        }
        if (strcmp(meaning, "AUTHORED_BY") == 0 && count < 8) {
            (void)snprintf(authors[count++], sizeof authors[0], "%s", id);
        }
        if (drops) {
            (void)json_array_remove(list, i);
        } else {
            i++;
        }
    }
}

static inline void export_drop_all_coauthors(json_t *grant)
{
    size_t index = 0;
    json_t *exception = NULL;

    export_drop_coauthors(json_object_get(grant, "root"));
    json_array_foreach(json_object_get(grant, "exceptions"), index, exception)
    {
        export_drop_coauthors(json_object_get(exception, "selector"));
    }
}

/* The body as JSON without what every import draws for itself. */
static inline json_t *export_essence(struct pbft_bytes body)
{
    static const char *const drawn[] = {
        "not_after_ms",  "late",        "consent",      "evidence_commit",
        "source_commit", "supersedes",  "record",       "commit",
        "cipher_digest", "location",    "envelopes",    "disclosure",
        "manifest_root", "break_glass", "detail_commit"};
    struct wire_arena arena;
    struct ProtobufCMessage *message = NULL;
    const char *key = NULL;
    json_t *payload = NULL;

    wire_arena_init(&arena, WIRE_UNPACK_BYTES_MAX);
    assert_int_equal(
        wire_unpack_strict(&salus__v1__transaction_body__descriptor, body,
                           &arena, &message),
        PBFT_OK);
    bool is_record =
        ((Salus__V1__TransactionBody *)(void *)message)->payload_case ==
        SALUS__V1__TRANSACTION_BODY__PAYLOAD_RECORD_ANCHOR;
    bool has_emergency =
        ((Salus__V1__TransactionBody *)(void *)message)->payload_case ==
        SALUS__V1__TRANSACTION_BODY__PAYLOAD_DISCLOSURE;
    json_t *json = tool_json_of(message);
    wire_arena_deinit(&arena);
    assert_non_null(json);
    json_object_foreach(json, key, payload)
    {
        for (size_t i = 0; i < sizeof drawn / sizeof drawn[0]; i++) {
            if (json_is_object(payload) &&
                !(has_emergency && strcmp(drawn[i], "break_glass") == 0)) {
                (void)json_object_del(payload, drawn[i]);
            }
        }
        if (json_is_object(payload) && is_record) {
            /* Padded with noise. */
            (void)json_object_set_new(payload, "tags",
                                      json_integer((json_int_t)json_array_size(
                                          json_object_get(payload, "tags"))));
        }
    }
    export_drop_all_coauthors(json_object_get(json, "consent_grant"));
    (void)json_object_del(json, "not_after_ms");
    (void)json_object_del(json, "late");
    return json;
}

/* What an import would make of the text, without doing it; the caller frees
 * the data. Empty: nothing. */
static inline struct pbft_bytes export_rehearse(struct export_world *world,
                                                const char *text)
{
    struct fhir_options options = {.zone_minutes = 120,
                                   .purposes = &world->purposes};
    struct fhir_plan_options plan = world->plan;
    struct fhir_file *file = NULL;
    struct fhir_item *item = NULL;
    struct vault_journal *journal = calloc(1, sizeof *journal);
    struct pbft_bytes out = {NULL, 0};

    plan.rehearse = true;
    plan.register_unknown = false;
    plan.mode = TRANSACTION_WET_INK;
    plan.emergency_reason = 0;
    assert_int_equal(
        fhir_file_open_bytes(
            &file, "test",
            (struct pbft_bytes){(const uint8_t *)text, strlen(text)}),
        PBFT_OK);
    assert_int_equal(fhir_item_load(&item, file, 0, &options), PBFT_OK);
    assert_int_equal(vault_begin(world->vault), PBFT_OK);
    assert_int_equal(fhir_plan(journal, item, &plan), PBFT_OK);
    vault_rollback(world->vault);
    if (journal->step_count == 1) {
        out =
            (struct pbft_bytes){journal->steps[0].body, journal->steps[0].size};
        journal->steps[0].body = NULL;
    }
    vault_journal_free(journal);
    free(journal);
    fhir_item_free(item);
    fhir_file_close(file);
    return out;
}

/* Fails the test unless the text becomes the transaction again. */
static inline void export_expect_same(struct export_world *world,
                                      struct pbft_bytes body, const char *text)
{
    struct pbft_bytes planned = export_rehearse(world, text);

    if (planned.data == NULL) {
        print_error("would not be imported: %s\n", text);
        fail();
    }
    json_t *wanted = export_essence(body);
    json_t *found = export_essence(planned);
    if (json_equal(wanted, found) == 0) {
        char *left = json_dumps(wanted, JSON_COMPACT);
        char *right = json_dumps(found, JSON_COMPACT);
        print_error("%s\nwas    %s\nbecame %s\n", text, left, right);
        free(left);
        free(right);
        fail();
    }
    json_decref(wanted);
    json_decref(found);
    free((void *)(uintptr_t)planned.data);
}

#endif /* TESTS_SUPPORT_EXPORT_FIXTURE_H */
