/* SPDX-License-Identifier: Apache-2.0 */
/* Who took part in an AuditEvent, for what purpose, and what it was about. */
#include "fhir/audit_parts.h"

#include <stdio.h>
#include <string.h>

#include "fhir/ledger_name.h"

#define RECIPIENT_CODE "110152"
#define ROLE_PATIENT "1"
#define ROLE_QUERY "24"

static const char *const agent_elements[] = {
    "id",        "extension",    "modifierExtension",
    "type",      "role",         "who",
    "altId",     "name",         "location",
    "requestor", "policy",       "media",
    "network",   "purposeOfUse", NULL};
static const char *const entity_elements[] = {
    "id",   "extension", "modifierExtension", "what",
    "type", "role",      "lifecycle",         "securityLabel",
    "name", "query",     "description",       "detail",
    NULL};

static const char *code_of(const struct fhir_node *coding)
{
    struct fhir_node code = fhir_field(coding, "code");
    const char *text = fhir_string(&code);

    return text != NULL ? text : "";
}

/* ---- purposes ------------------------------------------------------------ */

/* Whatever code system is said: one that is not that of R4 cannot be told, and
 * audit_read_purpose() refuses it. */
static bool names_emergency(const struct fhir_node *list)
{
    for (size_t i = 0; i < fhir_size(list); i++) {
        struct fhir_node concept = fhir_element(list, i);
        struct fhir_node codings = fhir_field(&concept, "coding");
        for (size_t k = 0; k < fhir_size(&codings); k++) {
            struct fhir_node coding = fhir_element(&codings, k);
            const char *code = code_of(&coding);
            if (strcmp(code, "BTG") == 0 || strcmp(code, "ETREAT") == 0) {
                return true;
            }
        }
    }
    return false;
}

bool audit_is_emergency(const struct fhir_node *resource)
{
    struct fhir_node purpose = fhir_field(resource, "purposeOfEvent");
    struct fhir_node agents = fhir_field(resource, "agent");

    if (names_emergency(&purpose)) {
        return true;
    }
    for (size_t i = 0; i < fhir_size(&agents); i++) {
        struct fhir_node agent = fhir_element(&agents, i);
        struct fhir_node use = fhir_field(&agent, "purposeOfUse");
        if (names_emergency(&use)) {
            return true;
        }
    }
    return false;
}

/* The one purpose that a list names. An unknown or second one cannot be told,
 * and a disclosure must not look narrower than it was. */
static void take_purpose(const struct fhir_reader *reader,
                         struct fhir_audit *out, const struct fhir_node *list)
{
    for (size_t i = 0; i < fhir_size(list); i++) {
        struct fhir_node concept = fhir_element(list, i);
        struct fhir_coding coding =
            fhir_concept_only(reader, &concept, FHIR_SYSTEM_ACT_REASON);
        const struct codes_entry *entry =
            coding.code == NULL
                ? NULL
                : codes_find(CODES_PURPOSE, coding.system, coding.code);
        if (entry == NULL) {
            fhir_find(reader->report, FHIR_EVENT_PURPOSE, &concept,
                      coding.code);
        } else if (out->purpose != 0 && out->purpose != entry->id) {
            fhir_find(reader->report, FHIR_MANY_PURPOSES, &concept, NULL);
        } else {
            out->purpose = entry->id;
        }
    }
}

void audit_read_purpose(const struct fhir_reader *reader,
                        struct fhir_audit *out,
                        const struct fhir_node *resource)
{
    struct fhir_node list = fhir_take_list(reader, resource, "purposeOfEvent");
    struct fhir_node agents = fhir_take_list(reader, resource, "agent");

    take_purpose(reader, out, &list);
    for (size_t i = 0; i < fhir_size(&agents); i++) {
        struct fhir_node agent = fhir_element(&agents, i);
        struct fhir_node use = fhir_take_list(reader, &agent, "purposeOfUse");
        take_purpose(reader, out, &use);
    }
    if (list.json == NULL && out->purpose == 0) {
        fhir_find(reader->report, FHIR_EVENT_PURPOSE, &list, NULL);
    }
}

/* ---- agents -------------------------------------------------------------- */

static bool is_recipient(const struct fhir_reader *reader,
                         const struct fhir_node *agent)
{
    struct fhir_node type = fhir_take_object(reader, agent, "type");
    struct fhir_coding coding =
        type.json == NULL
            ? (struct fhir_coding){NULL, NULL}
            : fhir_concept_coding(reader, &type, FHIR_SYSTEM_DICOM);

    return coding.code != NULL && strcmp(coding.code, RECIPIENT_CODE) == 0;
}

/* Not only a number of somewhere else. */
static bool has_id(const struct fhir_node *who)
{
    struct fhir_node reference = fhir_field(who, "reference");
    struct fhir_node identifier = fhir_field(who, "identifier");
    struct fhir_node system = fhir_field(&identifier, "system");
    const char *text = fhir_string(&system);

    return reference.json != NULL ||
           (text != NULL && strncmp(text, FHIR_LEDGER_SYSTEM,
                                    sizeof FHIR_LEDGER_SYSTEM - 1) == 0);
}

/* Many sources have only words for him, or the name of his machine: then it is
 * for the institution to say who that is. */
static void read_recipient(const struct fhir_reader *reader,
                           struct fhir_audit *out,
                           const struct fhir_node *agent,
                           const struct fhir_node *who)
{
    struct fhir_node identifier = fhir_field(who, "identifier");

    if (out->recipient.path != NULL) {
        fhir_find(reader->report, FHIR_MANY_RECIPIENTS, agent, NULL);
    } else if (fhir_field(who, "reference").json != NULL ||
               fhir_field(&identifier, "system").json != NULL) {
        (void)fhir_take_reference(reader, &out->recipient, who);
    } else {
        out->recipient.path = fhir_keep_path(reader, who);
    }
}

static void read_agent(const struct fhir_reader *reader, struct fhir_audit *out,
                       const struct fhir_node *agent)
{
    struct fhir_node who = fhir_take_object(reader, agent, "who");
    struct fhir_node requestor = fhir_field(agent, "requestor");
    struct fhir_node policy = fhir_field(agent, "policy");
    bool is_list = fhir_type(&policy) == FHIR_JSON_ARRAY;
    bool discloses = out->kind == FHIR_AUDIT_DISCLOSURE;

    fhir_only(reader->report, agent, agent_elements);
    if (policy.json != NULL && !is_list) {
        fhir_find(reader->report, FHIR_WRONG_TYPE, &policy, NULL);
    }
    for (size_t i = 0; i < fhir_size(&policy); i++) {
        struct fhir_node uri = fhir_element(&policy, i);
        audit_read_policy(reader, out, &uri);
    }
    if (discloses && is_recipient(reader, agent)) {
        read_recipient(reader, out, agent, &who);
    }
    /* Of an emergency the one who declared it must have an id; of a disclosure
     * it only matters whether it was the patient. */
    if (fhir_is_true(&requestor) && out->requestor.path == NULL &&
        who.json != NULL && (!discloses || has_id(&who))) {
        (void)fhir_take_reference(reader, &out->requestor, &who);
    }
}

void audit_read_agents(const struct fhir_reader *reader, struct fhir_audit *out,
                       const struct fhir_node *resource)
{
    struct fhir_node list = fhir_take_list(reader, resource, "agent");

    if (list.json == NULL) {
        fhir_find(reader->report, FHIR_MISSING, &list, NULL);
    }
    for (size_t i = 0; i < fhir_size(&list); i++) {
        struct fhir_node agent = fhir_element(&list, i);
        read_agent(reader, out, &agent);
    }
}

/* ---- entities ------------------------------------------------------------ */

static void read_request_id(const struct fhir_reader *reader,
                            struct fhir_audit *out,
                            const struct fhir_node *entity)
{
    char name[FHIR_REFERENCE_MAX];
    struct fhir_node what = fhir_field(entity, "what");
    struct fhir_node identifier = fhir_field(&what, "identifier");
    struct fhir_node value = fhir_field(&identifier, "value");

    if (fhir_string(&value) == NULL) {
        fhir_find(reader->report, FHIR_MISSING, &value, NULL);
        return;
    }
    int size = snprintf(name, sizeof name, "AuditEvent?x-request-id=%s",
                        fhir_string(&value));
    if (size < 0 || (size_t)size >= sizeof name) {
        fhir_find(reader->report, FHIR_TOO_LARGE, &value, NULL);
    } else {
        out->request_id = fhir_keep(reader, name);
    }
}

static void read_patient(const struct fhir_reader *reader,
                         struct fhir_audit *out, const struct fhir_node *entity)
{
    struct fhir_node what = fhir_take_object(reader, entity, "what");

    if (out->subject.path != NULL) {
        fhir_find(reader->report, FHIR_MANY_PATIENTS, entity, NULL);
    } else if (what.json == NULL) {
        fhir_find(reader->report, FHIR_MISSING, &what, NULL);
        out->subject.path = fhir_keep_path(reader, &what);
    } else if (fhir_take_reference(reader, &out->subject, &what) &&
               out->subject.type[0] != 0 &&
               strcmp(out->subject.type, "Patient") != 0) {
        fhir_find(reader->report, FHIR_REFERENCE_TYPE, &what, NULL);
    }
}

static void read_item(const struct fhir_reader *reader, struct fhir_audit *out,
                      const struct fhir_node *entity)
{
    struct fhir_node what = fhir_take_object(reader, entity, "what");

    if (what.json == NULL) {
        fhir_find(reader->report, FHIR_MISSING, &what, NULL);
    } else if (out->item_count == FHIR_AUDIT_ITEMS_MAX) {
        fhir_find(reader->report, FHIR_MANY, entity, NULL);
    } else if (fhir_take_reference(reader, &out->items[out->item_count],
                                   &what)) {
        out->item_count++;
    }
}

static void read_entity(const struct fhir_reader *reader,
                        struct fhir_audit *out, const struct fhir_node *entity)
{
    struct fhir_node role = fhir_field(entity, "role");
    struct fhir_node type = fhir_field(entity, "type");
    const char *role_code = code_of(&role);
    const char *type_code = code_of(&type);

    fhir_only(reader->report, entity, entity_elements);
    if (strcmp(type_code, "XrequestId") == 0) {
        read_request_id(reader, out, entity);
    } else if (strcmp(role_code, ROLE_PATIENT) == 0) {
        read_patient(reader, out, entity);
    } else if (out->kind == FHIR_AUDIT_DISCLOSURE &&
               strcmp(role_code, ROLE_QUERY) != 0) {
        if (strcmp(type_code, "Consent") == 0) {
            audit_read_consent(reader, out, entity);
        } else {
            read_item(reader, out, entity);
        }
    }
}

void audit_read_entities(const struct fhir_reader *reader,
                         struct fhir_audit *out,
                         const struct fhir_node *resource)
{
    struct fhir_node list = fhir_take_list(reader, resource, "entity");
    size_t room = fhir_size(&list) < FHIR_AUDIT_ITEMS_MAX
                      ? fhir_size(&list)
                      : FHIR_AUDIT_ITEMS_MAX;

    out->items = fhir_allocate(reader, (room + 1) * sizeof *out->items);
    out->consents = fhir_allocate(reader, (room + 1) * sizeof *out->consents);
    for (size_t i = 0;
         out->items != NULL && out->consents != NULL && i < fhir_size(&list);
         i++) {
        struct fhir_node entity = fhir_element(&list, i);
        read_entity(reader, out, &entity);
    }
    if (out->subject.path == NULL) {
        fhir_find(reader->report, FHIR_NO_PATIENT, &list, NULL);
    }
}
