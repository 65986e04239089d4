/* SPDX-License-Identifier: Apache-2.0 */
/* Whom and what a document names, and what it is related to: denies of another
 * one find it by that. */
#include <string.h>

#include "fhir/ledger_name.h"
#include "fhir/plan_document.h"

/* The ledger takes our own word for our own records only. */
static void check_custodian(struct planner *planner,
                            const struct fhir_reference *reference)
{
    const struct pbft_institution *own =
        &planner->options->envelope.institution;
    struct vault_participant custodian;

    if (reference->name != NULL &&
        planner_participant(planner, &custodian, reference) &&
        custodian.kind == VAULT_IS_INSTITUTION &&
        memcmp(custodian.id, own->bytes, sizeof own->bytes) != 0) {
        planner_find(planner, FHIR_FOREIGN, reference->path);
    }
}

bool plan_find_record(struct planner *planner, struct vault_record *out,
                      const char *name, const char *path)
{
    enum pbft_status status =
        vault_find_record(planner->options->vault, out, name);

    if (status == PBFT_NOT_FOUND && path != NULL) {
        planner_find(planner, FHIR_UNRESOLVED, path);
    } else if (status != PBFT_NOT_FOUND) {
        (void)planner_check(planner, status);
    }
    return status == PBFT_OK;
}

bool plan_is_of_another(const struct anchor *anchor)
{
    return anchor->has_before &&
           memcmp(anchor->before.subject, anchor->subject.handle,
                  sizeof anchor->before.subject) != 0;
}

/* The version that an id of the ledger names, which the vault may know. */
static void find_named(struct planner *planner, struct anchor *anchor,
                       const struct fhir_ledger_name *id)
{
    char own_name[VAULT_OWN_NAME_SIZE];

    anchor->has_prior = id->kind == FHIR_LEDGER_DATA;
    if (!anchor->has_prior) {
        planner_find(planner, FHIR_REFERENCE_TYPE,
                     planner->item->document.replaces.path);
        return;
    }
    memcpy(anchor->prior.id, id->id, sizeof anchor->prior.id);
    vault_own_name(own_name, id->id);
    anchor->is_prior_known =
        !planner->options->rehearse &&
        plan_find_record(planner, &anchor->prior, own_name, NULL);
}

/* A changed document under a known name continues the record before it. */
static void find_versions(struct planner *planner, struct anchor *anchor)
{
    const struct fhir_reference *replaces = &planner->item->document.replaces;
    const char *name = planner_item_name(planner);
    struct fhir_ledger_name id;

    anchor->has_before = name != NULL && !planner->options->rehearse &&
                         plan_find_record(planner, &anchor->before, name, NULL);
    if (anchor->has_before && name == planner->item->full_url &&
        plan_is_of_another(anchor)) {
        /* No id says that it is the same, and its patient was corrected. */
        planner_find(planner, FHIR_TAKEN, "$");
    }
    if (replaces->name != NULL &&
        fhir_ledger_name_parse(&id, replaces->name,
                               &planner->options->envelope.chain)) {
        find_named(planner, anchor, &id);
    } else if (replaces->name != NULL) {
        anchor->has_prior = plan_find_record(planner, &anchor->prior,
                                             replaces->name, replaces->path);
        anchor->is_prior_known =
            anchor->has_prior && !planner->options->rehearse;
    } else if (anchor->has_before && !plan_is_of_another(anchor)) {
        anchor->prior = anchor->before;
        anchor->has_prior = true;
    }
}

void plan_relate_to(struct planner *planner, struct anchor *anchor,
                    const uint8_t id[VAULT_ID_SIZE], const char *path)
{
    for (size_t i = 0; i < anchor->related_count; i++) {
        if (memcmp(anchor->related[i], id, VAULT_ID_SIZE) == 0) {
            return;
        }
    }
    if (anchor->related_count == LEDGER_RELATED_MAX) {
        planner_find(planner, FHIR_MANY, path);
        return;
    }
    memcpy(anchor->related[anchor->related_count++], id, VAULT_ID_SIZE);
}

/* Consents that deny a document name the root, those that permit it the first
 * version. */
static void relate_to_versions(struct planner *planner, struct anchor *anchor,
                               const struct vault_record *version)
{
    plan_relate_to(planner, anchor, version->first, "context");
    plan_relate_to(planner, anchor, version->root, "context");
}

/* As they are named, then the roots that they have. */
static void resolve_related(struct planner *planner, struct anchor *anchor)
{
    const struct fhir_document *document = &planner->item->document;
    struct planner_data found[LEDGER_RELATED_MAX];

    for (size_t i = 0; i < document->related_count; i++) {
        (void)planner_data(planner, &found[i], &document->related[i]);
        memcpy(anchor->related[i], found[i].first, VAULT_ID_SIZE);
    }
    anchor->related_count = document->related_count;
    for (size_t i = 0; i < document->related_count && planner_is_sound(planner);
         i++) {
        plan_relate_to(planner, anchor, found[i].root, "context");
    }
}

void plan_relations(struct planner *planner, struct anchor *anchor)
{
    const struct fhir_document *document = &planner->item->document;

    if (document->subject.name != NULL) {
        (void)planner_subject(planner, &anchor->subject, &document->subject);
    }
    check_custodian(planner, &document->custodian);
    resolve_related(planner, anchor);
    find_versions(planner, anchor);
    if (anchor->has_before && !plan_is_of_another(anchor)) {
        relate_to_versions(planner, anchor, &anchor->before);
    }
    if (anchor->is_prior_known) {
        relate_to_versions(planner, anchor, &anchor->prior);
    }
    plan_authors(planner, anchor);
    /* The next version is related to this one: without a place for that, it
     * would be refused, and this one stay open. */
    if (!anchor->has_before && !planner->options->rehearse &&
        anchor->related_count == LEDGER_RELATED_MAX) {
        planner_find(planner, FHIR_MANY, "context");
    }
}
