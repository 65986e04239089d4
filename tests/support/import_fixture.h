/* SPDX-License-Identifier: Apache-2.0 */
/* An import into the in-memory ledger of tests/support/ledger_fixture.h, with a
 * vault in a temporary folder, and a port that can fail on demand.
 *
 * Everything here is static: a test that includes it links with salus_ledger,
 * salus_tool and salus_test_support.
 */
#ifndef TESTS_SUPPORT_IMPORT_FIXTURE_H
#define TESTS_SUPPORT_IMPORT_FIXTURE_H

#include <stdio.h>
#include <time.h>

#include "client/import.h"
#include "tests/support/folder.h"
#include "tests/support/ledger_fixture.h"
#include "vault/journal.h"

#define EVENTS_MAX 128
#define FILES_MAX 8

/* What the port does with a submission. */
enum port_mood {
    PORT_WORKS,
    PORT_UNREACHABLE, /* Nothing arrives. */
    PORT_LOSES_REPLY, /* It is executed, and nobody hears of it. */
    PORT_WILL_NOT,    /* It is executed, and said to be inadmissible, */
    PORT_REPEATS,     /* or to have been executed before. */
    PORT_SHOWS_OLD,   /* Works; receipts are those of a refusal before. */
};

struct recorded {
    enum fhir_class class_of;
    enum import_outcome outcome;
    uint32_t code;
    uint32_t type;
    char type_name[32];
    char path[FHIR_PATH_MAX];
};

struct import_world {
    struct world *world;
    char folder[SUPPORT_PATH_MAX];
    char files[FILES_MAX][SUPPORT_PATH_MAX + 32];
    const char *paths[FILES_MAX];
    size_t file_count;
    struct import_options options;
    struct import_port port;
    enum port_mood mood;
    struct recorded events[EVENTS_MAX];
    size_t event_count;
    import_progress *look; /* Called with each event too; or NULL. */
    struct import_summary summary;
    struct salus_reason reason;
};

static inline enum salus_status fixture_status(uint32_t code)
{
    return code == LEDGER_OK ? SALUS_OK : SALUS_REFUSED;
}

static inline enum salus_status
fixture_submit(void *context, struct salus_result *results,
               const struct salus_transaction *transactions, size_t count)
{
    struct import_world *fixture = context;
    struct pbft_bytes list[SALUS_TRANSACTIONS_MAX] = {{NULL, 0}};
    enum salus_status first = SALUS_OK;

    if (fixture->mood == PORT_UNREACHABLE) {
        return SALUS_UNREACHABLE;
    }
    for (size_t i = 0; i < count; i++) {
        list[i] = bytes_of(transactions[i].data, transactions[i].size);
    }
    const struct results_request *result =
        world_submit_list(fixture->world, HOSPITAL, list, count);
    assert_int_equal(result->code, LEDGER_OK);
    assert_int_equal(result->transaction_count, count);
    if (fixture->mood == PORT_LOSES_REPLY) {
        return SALUS_TIMED_OUT;
    }
    if (fixture->mood == PORT_WILL_NOT || fixture->mood == PORT_REPEATS) {
        bool is_ordered = fixture->mood == PORT_REPEATS;
        for (size_t i = 0; i < count; i++) {
            results[i] = (struct salus_result){
                .status = is_ordered ? SALUS_REFUSED : SALUS_INADMISSIBLE,
                .code = is_ordered ? LEDGER_DUPLICATE : LEDGER_SESSION_CLOSED};
        }
        return results[0].status;
    }
    for (size_t i = 0; i < count; i++) {
        results[i] = (struct salus_result){
            .status = fixture_status(result->transactions[i].code),
            .code = result->transactions[i].code,
            .seq = fixture->world->last.block.seq};
        first = first == SALUS_OK ? results[i].status : first;
    }
    return first;
}

static inline bool fixture_lookup(void *context, struct salus_result *result,
                                  const uint8_t tx_id[SALUS_DIGEST_SIZE])
{
    struct import_world *fixture = context;
    struct ledger_transaction_location location;
    struct pbft_digest id;

    memcpy(id.bytes, tx_id, sizeof id.bytes);
    memset(result, 0, sizeof *result);
    if (ledger_find_transaction(ledger_kv_memory_vtable(fixture->world->memory),
                                &id, &location) != PBFT_OK) {
        return false;
    }
    result->code = fixture->mood == PORT_SHOWS_OLD ? LEDGER_POLICY_INACTIVE
                                                   : location.code;
    result->seq = location.seq;
    result->status = fixture_status(result->code);
    return true;
}

static inline enum salus_status fixture_tables(void *context, uint32_t *version)
{
    struct import_world *fixture = context;

    if (fixture->mood == PORT_UNREACHABLE) {
        return SALUS_UNREACHABLE;
    }
    *version = fixture->world->table_version;
    return SALUS_OK;
}

static inline void fixture_progress(void *context,
                                    const struct import_event *event)
{
    struct import_world *fixture = context;

    assert_true(fixture->event_count < EVENTS_MAX);
    struct recorded *out = &fixture->events[fixture->event_count++];
    *out = (struct recorded){.class_of = event->class_of,
                             .outcome = event->outcome,
                             .code = event->code,
                             .type = event->type};
    if (event->item != NULL) {
        (void)snprintf(out->type_name, sizeof out->type_name, "%s",
                       fhir_item_type(event->item));
        (void)snprintf(out->path, sizeof out->path, "%s",
                       fhir_report_path(fhir_item_report(event->item)));
    }
    if (fixture->look != NULL) {
        fixture->look(fixture, event);
    }
}

/* What a planned transaction says, in `arena`. */
static inline const Salus__V1__TransactionBody *
fixture_step_body(const struct vault_step *step, struct wire_arena *arena)
{
    struct ProtobufCMessage *message = NULL;

    assert_int_equal(
        wire_unpack_strict(&salus__v1__transaction_body__descriptor,
                           bytes_of(step->body, step->size), arena, &message),
        PBFT_OK);
    return (void *)message;
}

/* Of the last one that the event planned. */
static inline const Salus__V1__TransactionBody *
fixture_body(const struct import_event *event, struct wire_arena *arena)
{
    return fixture_step_body(&event->steps->steps[event->steps->step_count - 1],
                             arena);
}

static inline void fixture_open_vault(struct import_world *fixture)
{
    assert_int_equal(vault_open(&fixture->options.vault, fixture->folder, NULL),
                     PBFT_OK);
}

/* The blocks of the test have today's time: the import knows no other. */
static inline int fixture_setup(void **state)
{
    struct import_world *fixture = calloc(1, sizeof *fixture);
    const struct party *hospital;

    *state = fixture;
    fixture->world = world_create();
    fixture->world->now_ms = (uint64_t)time(NULL) * 1000 + 1000;
    hospital = &fixture->world->parties[HOSPITAL];
    support_folder_create(fixture->folder);
    assert_int_equal(vault_create(fixture->folder, NULL), PBFT_OK);
    fixture_open_vault(fixture);
    fixture->port = (struct import_port){.context = fixture,
                                         .submit = fixture_submit,
                                         .lookup = fixture_lookup,
                                         .tables = fixture_tables};
    memcpy(fixture->port.cluster, fixture->world->genesis.chain.bytes,
           SALUS_DIGEST_SIZE);
    memcpy(fixture->port.institution, hospital->institution.bytes,
           SALUS_ID_SIZE);
    memcpy(fixture->port.key_id, hospital->submit_id.bytes, SALUS_ID_SIZE);
    memcpy(fixture->options.custodian_key, hospital->encryption_key.bytes,
           sizeof fixture->options.custodian_key);
    fixture->options.own[0] = "Organization/own";
    fixture->options.own_count = 1;
    return 0;
}

static inline int fixture_teardown(void **state)
{
    struct import_world *fixture = *state;

    vault_close(fixture->options.vault);
    world_destroy(fixture->world);
    support_folder_remove(fixture->folder);
    free(fixture);
    return 0;
}

/* Adds a file to what is imported next. */
static inline void fixture_file(struct import_world *fixture, const char *name,
                                const char *text)
{
    char *path = fixture->files[fixture->file_count];

    assert_true(fixture->file_count < FILES_MAX);
    (void)snprintf(path, sizeof fixture->files[0], "%s/%s", fixture->folder,
                   name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    (void)fclose(file);
    fixture->paths[fixture->file_count++] = path;
}

/* Imports what was added, as often as it is called. */
static inline enum pbft_status fixture_import(struct import_world *fixture)
{
    fixture->event_count = 0;
    return import_run(&fixture->port, &fixture->options, fixture->paths,
                      fixture->file_count, fixture_progress, fixture,
                      &fixture->summary, &fixture->reason);
}

/* What a dry-run with the same options says of the first resource of a file. */
static inline enum fhir_class fixture_judge(const struct import_world *fixture,
                                            size_t file)
{
    const struct fhir_options reading = {.zone_minutes = 0};
    const struct fhir_plan_options options = {
        .self_report = fixture->options.self_report,
        .basis = fixture->options.basis,
        .basis_document = fixture->options.basis_document,
        .recipient = fixture->options.recipient};
    struct fhir_file *opened = NULL;
    struct fhir_item *item = NULL;

    assert_int_equal(fhir_file_open(&opened, fixture->paths[file]), PBFT_OK);
    assert_int_equal(fhir_item_load(&item, opened, 0, &reading), PBFT_OK);
    fhir_judge_plan(item, &options);
    enum fhir_class class = fhir_item_class(item);
    fhir_item_free(item);
    fhir_file_close(opened);
    return class;
}

static inline uint64_t fixture_executed(const struct import_world *fixture)
{
    struct ledger_position position;

    ledger_position(fixture->world->ledger, &position);
    return position.transactions;
}

#endif /* TESTS_SUPPORT_IMPORT_FIXTURE_H */
