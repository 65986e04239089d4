/* SPDX-License-Identifier: Apache-2.0 */
/* Transactions and fates, as rows and as JSON. */
#include "client/fhir_explain.h"

#include <jansson.h>
#include <stdio.h>

#include "client/tool_json.h"
#include "proto/scan.h"
#include "salus/v1/ledger.pb-c.h"

/* The body of a step as JSON; NULL: it cannot be read. */
static json_t *body_of(const struct vault_step *step)
{
    struct wire_arena arena;
    struct ProtobufCMessage *message = NULL;
    json_t *json = NULL;

    wire_arena_init(&arena, WIRE_UNPACK_BYTES_MAX);
    if (wire_unpack_strict(&salus__v1__transaction_body__descriptor,
                           (struct pbft_bytes){step->body, step->size}, &arena,
                           &message) == PBFT_OK) {
        json = tool_json_of(message);
    }
    wire_arena_deinit(&arena);
    return json;
}

static const char *fate_name(enum fhir_fate fate)
{
    switch (fate) {
    case FHIR_TO_LEDGER:
        return "to ledger";
    case FHIR_SEALED:
        return "sealed";
    case FHIR_IN_VAULT:
        return "in vault";
    case FHIR_DROPPED:
        return "dropped";
    }
    return "?";
}

static void print_fate(void *context, const char *path, enum fhir_fate fate)
{
    (void)context;
    (void)printf("               %-9s  %s\n", fate_name(fate), path);
}

void fhir_explain_rows(const struct fhir_explanation *from)
{
    const struct vault_journal *steps = from->steps;

    for (uint32_t i = 0; steps != NULL && i < steps->step_count; i++) {
        json_t *body = body_of(&steps->steps[i]);
        if (body != NULL) {
            (void)printf("               ");
            tool_json_print(body);
        }
    }
    if (from->item != NULL) {
        fhir_item_fates(from->item, print_fate, NULL);
    }
}

static void add_fate(void *context, const char *path, enum fhir_fate fate)
{
    (void)json_array_append_new(context, json_pack("{s:s, s:s}", "path", path,
                                                   "fate", fate_name(fate)));
}

void fhir_explain_json(json_t *json, const struct fhir_explanation *from)
{
    const struct vault_journal *steps = from->steps;
    json_t *bodies = json_array();
    json_t *elements = json_array();

    for (uint32_t i = 0; steps != NULL && i < steps->step_count; i++) {
        json_t *body = body_of(&steps->steps[i]);
        if (body != NULL) {
            (void)json_array_append_new(bodies, body);
        }
    }
    if (from->item != NULL) {
        fhir_item_fates(from->item, add_fate, elements);
    }
    (void)json_object_set_new(json, "transactions", bodies);
    (void)json_object_set_new(json, "elements", elements);
}
