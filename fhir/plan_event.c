/* SPDX-License-Identifier: Apache-2.0 */
/* Audit events in the vault, by their own names and by those of requests. */
#include "fhir/plan_event.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/digest.h"
#include "crypto/hex.h"

#define REQUEST_NAME_SIZE                                                      \
    (32 + 2 * (VAULT_HANDLE_SIZE + VAULT_ID_SIZE + PBFT_DIGEST_SIZE))

static bool is_known(struct planner *planner, struct vault_event *event,
                     const char *name)
{
    if (planner->options->rehearse) {
        return false;
    }
    enum pbft_status status =
        vault_find_event(planner->options->vault, event, NULL, name);

    if (status != PBFT_NOT_FOUND) {
        (void)planner_check(planner, status);
    }
    return status == PBFT_OK;
}

/* Events do not change. */
bool plan_event_is_new(struct planner *planner)
{
    const char *name = planner_item_name(planner);
    struct vault_event event;

    if (name == NULL) {
        (void)planner_check(planner, PBFT_NO_MEMORY);
        return false;
    }
    if (is_known(planner, &event, name)) {
        planner_find(planner, FHIR_EVENT_CHANGED, "id");
    }
    return planner_is_sound(planner);
}

static int compare_texts(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

/* What was disclosed, in whatever order it is told. */
static bool digest_items(struct planner *planner, struct pbft_digest *out)
{
    const struct fhir_audit *audit = &planner->item->audit;
    struct fhir_reader reader = {.report = &planner->item->report,
                                 .arena = &planner->item->arena};
    size_t count = audit->kind == FHIR_AUDIT_DISCLOSURE ? audit->item_count : 0;
    const char **names = fhir_allocate(&reader, (count + 1) * sizeof *names);
    struct pbft_bytes *parts =
        fhir_allocate(&reader, (count + 1) * sizeof *parts);

    if (names == NULL || parts == NULL) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        names[i] = audit->items[i].name != NULL ? audit->items[i].name : "";
    }
    qsort(names, count, sizeof *names, compare_texts);
    for (size_t i = 0; i < count; i++) {
        /* Names end with their zero: they cannot run into each other. */
        parts[i] = (struct pbft_bytes){(const uint8_t *)names[i],
                                       strlen(names[i]) + 1};
    }
    digest_blake2b_parts(out, parts, count);
    return true;
}

bool plan_event_is_told(struct planner *planner, const char **request_name,
                        const struct vault_event *event,
                        const uint8_t party[VAULT_ID_SIZE])
{
    const struct fhir_audit *audit = &planner->item->audit;
    struct fhir_reader reader = {.report = &planner->item->report,
                                 .arena = &planner->item->arena};
    char name[FHIR_REFERENCE_MAX + REQUEST_NAME_SIZE];
    char handle[2 * VAULT_HANDLE_SIZE + 1];
    char id[2 * VAULT_ID_SIZE + 1];
    char items[2 * PBFT_DIGEST_SIZE + 1];
    struct pbft_digest digest;
    struct vault_event known;

    if (audit->request_id == NULL) {
        return false;
    }
    if (!digest_items(planner, &digest)) {
        return true;
    }
    hex_encode(handle,
               (struct pbft_bytes){event->subject, sizeof event->subject});
    hex_encode(id, (struct pbft_bytes){party, VAULT_ID_SIZE});
    hex_encode(items, (struct pbft_bytes){digest.bytes, PBFT_DIGEST_SIZE});
    (void)snprintf(name, sizeof name, "%s,%s,%s,%s,%s,%u", audit->request_id,
                   audit->kind == FHIR_AUDIT_EMERGENCY ? "emergency"
                                                       : "disclosure",
                   handle, id, items, (unsigned)audit->purpose);
    *request_name = fhir_keep(&reader, name);
    return *request_name == NULL || is_known(planner, &known, *request_name);
}

bool plan_event_keep(struct planner *planner, const struct vault_event *event,
                     const char *request_name)
{
    struct vault *vault = planner->options->vault;

    return planner_check(planner, vault_set_event(
                                      vault, planner_item_name(planner), event,
                                      fhir_item_bytes(planner->item))) &&
           (request_name == NULL ||
            planner_check(planner,
                          vault_name_event(vault, request_name, event)));
}
