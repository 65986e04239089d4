/* SPDX-License-Identifier: Apache-2.0 */
/* What becomes of each element of a resource. */
#include <stdio.h>
#include <string.h>

#include "fhir/item.h"
#include "fhir/json.h"
#include "fhir/ledger_name.h"

/* Beginnings of paths that have a place in the transaction. The source of a
 * consent is sealed; its commitment says nothing of its elements. */
static const char *const consent_to_ledger[] = {
    "status",     "scope.coding", "category.coding", "patient.", "dateTime",
    "performer.", "policy.uri",   "provision.",      NULL};
static const char *const document_to_ledger[] = {"subject.",
                                                 "author.",
                                                 "type.coding",
                                                 "securityLabel.",
                                                 "relatesTo.",
                                                 "context.encounter",
                                                 "context.related.reference",
                                                 "context.period",
                                                 "meta.security",
                                                 NULL};
static const char *const role_to_ledger[] = {"code.coding", "period", NULL};
static const char *const agent_to_ledger[] = {"period", NULL};
static const char *const group_to_ledger[] = {
    "member.entity", "participant.member", "period", NULL};
/* The whole event is sealed too; what it was about leaves as one root. */
static const char *const audit_to_ledger[] = {"recorded",
                                              "period.",
                                              "purposeOfEvent.coding",
                                              "entity.what.reference",
                                              "agent.who.reference",
                                              "agent.policy",
                                              "agent.purposeOfUse.coding",
                                              NULL};
static const char *const nothing[] = {NULL};

static bool begins_with_one(const char *path, const char *const *list)
{
    for (size_t i = 0; list[i] != NULL; i++) {
        if (strncmp(path, list[i], strlen(list[i])) == 0) {
            return true;
        }
    }
    return false;
}

/* Words for people stay here wherever they stand. */
static bool is_words(const char *path)
{
    static const char *const ends[] = {".display", ".text", ".title",
                                       ".version", ".userSelected"};
    size_t size = strlen(path);

    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        size_t tail = strlen(ends[i]);
        if (size > tail && strcmp(path + size - tail, ends[i]) == 0) {
            return true;
        }
    }
    return false;
}

static const char *const *ledger_paths(enum fhir_rank rank)
{
    switch (rank) {
    case FHIR_RANK_CONSENT:
        return consent_to_ledger;
    case FHIR_RANK_DOCUMENT:
        return document_to_ledger;
    case FHIR_RANK_ROLE:
        return role_to_ledger;
    case FHIR_RANK_GROUP:
        return group_to_ledger;
    case FHIR_RANK_AGENT:
        return agent_to_ledger;
    case FHIR_RANK_AUDIT:
        return audit_to_ledger;
    case FHIR_RANK_PARTICIPANT:
    case FHIR_RANK_PATIENT:
    case FHIR_RANK_CONTEXT:
    case FHIR_RANK_PROVENANCE:
    case FHIR_RANK_OTHER:
        break;
    }
    return nothing;
}

/* Does it say whose the resource is, as the vault keeps it? */
static bool is_whose(const struct fhir_item *item, const char *path)
{
    static const char *const whose[] = {[FHIR_RANK_ROLE] = "practitioner.",
                                        [FHIR_RANK_AGENT] = "patient.",
                                        [FHIR_RANK_CONTEXT] = "subject."};
    const char *element = (size_t)item->rank < sizeof whose / sizeof whose[0]
                              ? whose[item->rank]
                              : NULL;

    return !is_words(path) &&
           ((element != NULL && strncmp(path, element, strlen(element)) == 0) ||
            (item->rank == FHIR_RANK_CONTEXT &&
             strncmp(path, "patient.", 8) == 0));
}

static enum fhir_fate fate_of(const struct fhir_item *item, const char *path)
{
    bool is_content = strncmp(path, "content.attachment.data", 23) == 0;

    if (fhir_item_class(item) == FHIR_REJECT ||
        (fhir_item_class(item) == FHIR_LOCAL &&
         item->rank != FHIR_RANK_CONTEXT)) {
        return FHIR_DROPPED;
    }
    if (item->rank == FHIR_RANK_DOCUMENT && is_content) {
        return FHIR_SEALED;
    }
    /* Evidence goes to the ledger as one commitment. */
    if (fhir_item_class(item) == FHIR_ENFORCEABLE && !is_words(path) &&
        begins_with_one(path, ledger_paths(item->rank))) {
        return FHIR_TO_LEDGER;
    }
    if (item->rank == FHIR_RANK_DOCUMENT &&
        (strcmp(path, "status") == 0 || strcmp(path, "docStatus") == 0)) {
        return FHIR_IN_VAULT;
    }
    if (strcmp(path, "id") == 0 || strncmp(path, "identifier.", 11) == 0 ||
        is_whose(item, path)) {
        return FHIR_IN_VAULT;
    }
    return item->rank == FHIR_RANK_CONSENT || item->rank == FHIR_RANK_AUDIT
               ? FHIR_SEALED
               : FHIR_DROPPED;
}

/* Of a consent at most the word leaves that it was the ground. */
static bool names_a_consent(const struct fhir_audit *audit, const char *name)
{
    for (size_t i = 0; i < audit->consent_count; i++) {
        if (audit->consents[i].name != NULL &&
            strcmp(audit->consents[i].said, name) == 0) {
            return true;
        }
    }
    return false;
}

/* Of an event: who received, or declared; what it stands on; an emergency's
 * period. What else stands at these places is only sealed. */
static bool audit_leaves(const struct fhir_item *item, const char *path,
                         const struct fhir_node *node)
{
    const struct fhir_audit *audit = &item->audit;
    const char *text = fhir_string(node);
    bool is_emergency = audit->kind == FHIR_AUDIT_EMERGENCY;

    if (strcmp(path, "agent.who.reference") == 0) {
        const char *name =
            is_emergency ? audit->requestor.said : audit->recipient.said;
        return text != NULL && name != NULL && strcmp(text, name) == 0;
    }
    if (strcmp(path, "agent.policy") == 0) {
        return text != NULL && strncmp(text, FHIR_LEDGER_SYSTEM,
                                       strlen(FHIR_LEDGER_SYSTEM)) == 0;
    }
    if (strcmp(path, "entity.what.reference") == 0) {
        return text != NULL && !names_a_consent(audit, text);
    }
    return strncmp(path, "period.", 7) != 0 || is_emergency;
}

/* Of a number that is related to a document: one of the ledger. */
static bool document_leaves(const char *path, const struct fhir_node *node)
{
    static const char place[] = "context.related.identifier.";

    return strncmp(path, place, sizeof place - 1) == 0 &&
           fhir_is_of_ledger(node->parent);
}

/* Extensions of the resource that have a place in the transaction. */
static const char *known_extension(const struct fhir_item *item,
                                   const char *url)
{
    if (item->rank == FHIR_RANK_CONSENT && strcmp(url, FHIR_MODE_URL) == 0) {
        return FHIR_MODE_URL;
    }
    if (item->rank == FHIR_RANK_AUDIT &&
        item->audit.kind == FHIR_AUDIT_EMERGENCY &&
        strcmp(url, FHIR_REASON_URL) == 0) {
        return FHIR_REASON_URL;
    }
    return NULL;
}

/* The known extension of the resource in which a value stands, or NULL. */
static const char *extension_of(const struct fhir_item *item,
                                const struct fhir_node *node)
{
    while (node->parent != NULL && node->parent->parent != NULL &&
           node->parent->parent->parent != NULL) {
        node = node->parent;
    }
    /* Now "extension" is the parent, below the root. */
    if (node->parent == NULL || node->parent->key == NULL ||
        strcmp(node->parent->key, "extension") != 0) {
        return NULL;
    }
    struct fhir_node said = fhir_field(node, "url");
    const char *url = fhir_string(&said);
    return url != NULL ? known_extension(item, url) : NULL;
}

struct fates {
    const struct fhir_item *item;
    fhir_fate_visit *visit;
    void *context;
    char last[FHIR_PATH_MAX];
    enum fhir_fate last_fate;
};

/* "provision.actor[0].role" without what is in brackets. */
static void cut_indices(char *path)
{
    char *to = path;
    bool inside = false;

    for (const char *from = path; *from != 0; from++) {
        if (*from == '[') {
            inside = true;
        } else if (*from == ']') {
            inside = false;
        } else if (!inside) {
            *to++ = *from;
        }
    }
    *to = 0;
}

/* "extension.valueCode" as "extension(urn:salus:mode).valueCode". */
static void name_extension(char path[FHIR_PATH_MAX], const char *url)
{
    char rest[FHIR_PATH_MAX];

    (void)snprintf(rest, sizeof rest, "%s", path + strlen("extension"));
    (void)snprintf(path, FHIR_PATH_MAX, "extension(%.32s)%.200s", url, rest);
}

static void visit_node(void *context, const struct fhir_node *node)
{
    struct fates *fates = context;
    enum fhir_json_type type = fhir_type(node);
    char path[FHIR_PATH_MAX];

    if (type == FHIR_JSON_OBJECT || type == FHIR_JSON_ARRAY) {
        return;
    }
    fhir_path(node, path, sizeof path);
    cut_indices(path);
    const char *url = extension_of(fates->item, node);
    enum fhir_fate fate = fate_of(fates->item, path);
    if (fate == FHIR_TO_LEDGER && fates->item->rank == FHIR_RANK_AUDIT &&
        !audit_leaves(fates->item, path, node)) {
        fate = FHIR_SEALED;
    }
    if (fates->item->rank == FHIR_RANK_DOCUMENT &&
        document_leaves(path, node)) {
        fate = FHIR_TO_LEDGER;
    }
    if (url != NULL) {
        if (fhir_item_class(fates->item) == FHIR_ENFORCEABLE) {
            fate = FHIR_TO_LEDGER;
        }
        name_extension(path, url);
    }
    if ((strcmp(path, fates->last) == 0 && fate == fates->last_fate) ||
        strcmp(path, "resourceType") == 0) {
        return;
    }
    memcpy(fates->last, path, sizeof path);
    fates->last_fate = fate;
    fates->visit(fates->context, path, fate);
}

void fhir_item_fates(const struct fhir_item *item, fhir_fate_visit *visit,
                     void *context)
{
    struct fates fates = {.item = item, .visit = visit, .context = context};

    if (item->json != NULL) {
        struct fhir_node root = fhir_root(item->json);
        fhir_walk(&root, visit_node, &fates);
    }
}
