/* SPDX-License-Identifier: Apache-2.0 */
/* Who gets an id. Names, numbers and addresses are not looked at. */
#include "fhir/party.h"

#include <stdio.h>
#include <string.h>

#define ROLE_SYSTEM "http://terminology.hl7.org/CodeSystem/practitioner-role"

#define COMMON_ELEMENTS                                                        \
    "resourceType", "id", "meta", "implicitRules", "language", "text",         \
        "contained", "extension", "modifierExtension", "identifier", "active"

static const char *const patient_elements[] = {COMMON_ELEMENTS,
                                               "name",
                                               "telecom",
                                               "gender",
                                               "birthDate",
                                               "deceasedBoolean",
                                               "deceasedDateTime",
                                               "address",
                                               "maritalStatus",
                                               "multipleBirthBoolean",
                                               "multipleBirthInteger",
                                               "photo",
                                               "contact",
                                               "communication",
                                               "generalPractitioner",
                                               "managingOrganization",
                                               "link",
                                               NULL};

static const char *const practitioner_elements[] = {
    COMMON_ELEMENTS, "name",  "telecom",       "address",       "gender",
    "birthDate",     "photo", "qualification", "communication", NULL};

static const char *const role_elements[] = {
    COMMON_ELEMENTS, "period",
    "practitioner",  "organization",
    "code",          "specialty",
    "location",      "healthcareService",
    "telecom",       "availableTime",
    "notAvailable",  "availabilityExceptions",
    "endpoint",      NULL};

static const char *const organization_elements[] = {
    COMMON_ELEMENTS, "type",   "name",    "alias",    "telecom",
    "address",       "partOf", "contact", "endpoint", NULL};

static const char *const group_elements[] = {
    COMMON_ELEMENTS, "type",           "actual",         "code",   "name",
    "quantity",      "managingEntity", "characteristic", "member", NULL};

static const char *const device_elements[] = {COMMON_ELEMENTS,
                                              "definition",
                                              "udiCarrier",
                                              "status",
                                              "statusReason",
                                              "distinctIdentifier",
                                              "manufacturer",
                                              "manufactureDate",
                                              "expirationDate",
                                              "lotNumber",
                                              "serialNumber",
                                              "deviceName",
                                              "modelNumber",
                                              "partNumber",
                                              "type",
                                              "specialization",
                                              "version",
                                              "property",
                                              "patient",
                                              "owner",
                                              "contact",
                                              "location",
                                              "url",
                                              "note",
                                              "safety",
                                              "parent",
                                              NULL};

static const char *const agent_elements[] = {
    COMMON_ELEMENTS, "patient", "relationship",  "name",
    "telecom",       "gender",  "birthDate",     "address",
    "photo",         "period",  "communication", NULL};

static const char *const member_elements[] = {
    "id",       "extension", "modifierExtension", "entity", "period",
    "inactive", NULL};

static void read_identifiers(const struct fhir_reader *reader,
                             struct fhir_party *out,
                             const struct fhir_node *resource, const char *type)
{
    struct fhir_node list = fhir_take_list(reader, resource, "identifier");

    for (size_t i = 0; i < fhir_size(&list); i++) {
        char name[FHIR_REFERENCE_MAX];
        struct fhir_node node = fhir_element(&list, i);
        const char *system = fhir_take_string(reader, &node, "system");
        const char *value = fhir_take_string(reader, &node, "value");
        if (system == NULL || value == NULL ||
            out->identifier_count == FHIR_IDENTIFIERS_MAX) {
            continue; /* Without a system it names nobody. */
        }
        int size = snprintf(name, sizeof name, "%s?identifier=%s|%s", type,
                            system, value);
        if (size < 0 || (size_t)size >= sizeof name) {
            continue;
        }
        const char *kept = fhir_keep(reader, name);
        if (kept != NULL) {
            out->identifiers[out->identifier_count++] = kept;
        }
    }
}

/* `active` is a modifier element. */
static void check_active(const struct fhir_reader *reader,
                         const struct fhir_node *resource)
{
    struct fhir_node active = fhir_field(resource, "active");

    if (fhir_is_false(&active)) {
        fhir_find(reader->report, FHIR_INACTIVE, &active, NULL);
    } else if (active.json != NULL && !fhir_is_true(&active)) {
        fhir_find(reader->report, FHIR_WRONG_TYPE, &active, NULL);
    }
}

void fhir_patient_read(const struct fhir_reader *reader, struct fhir_party *out,
                       const struct fhir_node *resource)
{
    struct fhir_node link = fhir_field(resource, "link");

    memset(out, 0, sizeof *out);
    fhir_only(reader->report, resource, patient_elements);
    check_active(reader, resource);
    if (link.json != NULL) {
        fhir_find(reader->report, FHIR_LINKED, &link, NULL);
    }
    read_identifiers(reader, out, resource, "Patient");
}

/* Roles give rights; one that the table does not know gives none. */
static void read_roles(const struct fhir_reader *reader, struct fhir_party *out,
                       const struct fhir_node *resource)
{
    struct fhir_node list = fhir_take_list(reader, resource, "code");

    for (size_t i = 0; i < fhir_size(&list); i++) {
        struct fhir_node node = fhir_element(&list, i);
        struct fhir_coding coding =
            fhir_concept_coding(reader, &node, ROLE_SYSTEM);
        const struct codes_entry *entry =
            coding.code == NULL
                ? NULL
                : codes_find(CODES_ROLE, coding.system, coding.code);
        if (entry != NULL && out->role_count < LEDGER_PARTICIPANT_ROLES_MAX) {
            out->roles[out->role_count++] = entry->id;
        }
    }
}

void fhir_take_organization(const struct fhir_reader *reader,
                            struct fhir_reference *out,
                            const struct fhir_node *node)
{
    char name[FHIR_REFERENCE_MAX];

    if (fhir_field(node, "reference").json != NULL) {
        (void)fhir_take_reference(reader, out, node);
        return;
    }
    struct fhir_node number = fhir_take_object(reader, node, "identifier");
    const char *system = fhir_take_string(reader, &number, "system");
    const char *value = fhir_take_string(reader, &number, "value");
    if (system == NULL || value == NULL) {
        return;
    }
    int size = snprintf(name, sizeof name, "Organization?identifier=%s|%s",
                        system, value);
    if (size < 0 || (size_t)size >= sizeof name) {
        fhir_find(reader->report, FHIR_BAD_REFERENCE, node, NULL);
        return;
    }
    *out = (struct fhir_reference){.type = "Organization",
                                   .name = fhir_keep(reader, name),
                                   .path = fhir_keep_path(reader, node)};
    out->said = out->name;
}

/* Whose role it is, and where. */
static void read_whose(const struct fhir_reader *reader, struct fhir_party *out,
                       const struct fhir_node *resource)
{
    struct fhir_node who = fhir_take_object(reader, resource, "practitioner");
    struct fhir_node where = fhir_take_object(reader, resource, "organization");

    if (who.json != NULL &&
        fhir_take_reference(reader, &out->practitioner, &who) &&
        out->practitioner.type[0] != 0 &&
        strcmp(out->practitioner.type, "Practitioner") != 0) {
        fhir_find(reader->report, FHIR_REFERENCE_TYPE, &who, NULL);
    }
    fhir_take_organization(reader, &out->organization, &where);
}

/* ---- groups -------------------------------------------------------------- */

static void read_member(const struct fhir_reader *reader,
                        struct fhir_party *out, const struct fhir_node *node)
{
    struct fhir_node entity = fhir_take_object(reader, node, "entity");
    struct fhir_node inactive = fhir_field(node, "inactive");
    struct fhir_node period = fhir_field(node, "period");

    fhir_only(reader->report, node, member_elements);
    if (inactive.json != NULL && !fhir_is_true(&inactive) &&
        !fhir_is_false(&inactive)) {
        fhir_find(reader->report, FHIR_WRONG_TYPE, &inactive, NULL);
    }
    if (period.json != NULL) {
        /* A membership that ends cannot be said. */
        fhir_find(reader->report, FHIR_GROUP_KIND, &period, NULL);
        return;
    }
    if (fhir_is_true(&inactive)) {
        return;
    }
    if (entity.json == NULL) {
        fhir_find(reader->report, FHIR_MISSING, &entity, NULL);
        return;
    }
    struct fhir_reference *kept = &out->members[out->member_count];
    if (fhir_take_reference(reader, kept, &entity)) {
        out->member_count++;
        if (strcmp(kept->type, "Organization") == 0) {
            fhir_find(reader->report, FHIR_GROUP_MEMBER, &entity, NULL);
        }
    }
}

static void read_members(const struct fhir_reader *reader,
                         struct fhir_party *out,
                         const struct fhir_node *resource)
{
    struct fhir_node list = fhir_take_list(reader, resource, "member");
    size_t count = fhir_size(&list);

    if (count > LEDGER_GROUP_MEMBERS_MAX) {
        fhir_find(reader->report, FHIR_MANY, &list, NULL);
        return;
    }
    out->members = fhir_allocate(reader, (count + 1) * sizeof *out->members);
    for (size_t i = 0; out->members != NULL && i < count; i++) {
        struct fhir_node node = fhir_element(&list, i);
        read_member(reader, out, &node);
    }
}

static void read_group(const struct fhir_reader *reader, struct fhir_party *out,
                       const struct fhir_node *resource)
{
    const char *type = fhir_take_string(reader, resource, "type");
    struct fhir_node type_node = fhir_field(resource, "type");
    struct fhir_node actual = fhir_field(resource, "actual");
    struct fhir_node characteristic = fhir_field(resource, "characteristic");

    fhir_only(reader->report, resource, group_elements);
    out->kind = TRANSACTION_GROUP;
    if (type == NULL ||
        (strcmp(type, "practitioner") != 0 && strcmp(type, "device") != 0)) {
        fhir_find(reader->report, FHIR_GROUP_KIND, &type_node, NULL);
    }
    if (!fhir_is_true(&actual)) {
        fhir_find(reader->report, FHIR_GROUP_KIND, &actual, NULL);
    }
    if (characteristic.json != NULL) {
        fhir_find(reader->report, FHIR_GROUP_KIND, &characteristic, NULL);
    }
    read_members(reader, out, resource);
}

/* ---- devices, agents, contexts ------------------------------------------- */

/* A modifier element, of devices and of most data. */
static void check_status(const struct fhir_reader *reader,
                         const struct fhir_node *resource, bool may_act)
{
    const char *status = fhir_take_string(reader, resource, "status");
    struct fhir_node node = fhir_field(resource, "status");

    if (status != NULL && strcmp(status, "entered-in-error") == 0) {
        fhir_find(reader->report, FHIR_STATUS, &node, status);
    } else if (status != NULL && may_act && strcmp(status, "inactive") == 0) {
        fhir_find(reader->report, FHIR_INACTIVE, &node, NULL);
    }
}

static void read_device(const struct fhir_reader *reader,
                        struct fhir_party *out,
                        const struct fhir_node *resource)
{
    out->kind = TRANSACTION_SERVICE;
    fhir_only(reader->report, resource, device_elements);
    check_status(reader, resource, true);
}

static void read_agent(const struct fhir_reader *reader, struct fhir_party *out,
                       const struct fhir_node *resource)
{
    struct fhir_node patient = fhir_take_object(reader, resource, "patient");

    out->kind = TRANSACTION_PATIENT_AGENT;
    fhir_only(reader->report, resource, agent_elements);
    (void)fhir_take_period(reader, &out->period, resource, "period");
    if (patient.json == NULL) {
        fhir_find(reader->report, FHIR_MISSING, &patient, NULL);
    } else if (fhir_take_reference(reader, &out->patient, &patient) &&
               out->patient.type[0] != 0 &&
               strcmp(out->patient.type, "Patient") != 0) {
        fhir_find(reader->report, FHIR_REFERENCE_TYPE, &patient, NULL);
    }
}

/* Some types say `patient`, others `subject`, which may be a group or a place.
 */
void fhir_context_read(const struct fhir_reader *reader, struct fhir_party *out,
                       const struct fhir_node *resource, const char *type)
{
    const char *key =
        fhir_field(resource, "patient").json != NULL ? "patient" : "subject";
    struct fhir_node whose = fhir_take_object(reader, resource, key);

    memset(out, 0, sizeof *out);
    check_status(reader, resource, false);
    read_identifiers(reader, out, resource, type);
    if (whose.json != NULL &&
        fhir_take_reference(reader, &out->patient, &whose) &&
        out->patient.type[0] != 0 &&
        strcmp(out->patient.type, "Patient") != 0) {
        out->patient.name = NULL;
    }
    fhir_report_add(reader->report, FHIR_CONTEXT_STAYS, "$", NULL);
}

/* ---- those who act ------------------------------------------------------- */

void fhir_participant_read(const struct fhir_reader *reader,
                           struct fhir_party *out,
                           const struct fhir_node *resource, const char *type)
{
    memset(out, 0, sizeof *out);
    check_active(reader, resource);
    read_identifiers(reader, out, resource, type);
    if (strcmp(type, "Organization") == 0) {
        out->kind = TRANSACTION_UNIT;
        fhir_only(reader->report, resource, organization_elements);
    } else if (strcmp(type, "Group") == 0) {
        read_group(reader, out, resource);
    } else if (strcmp(type, "CareTeam") == 0) {
        fhir_care_team_read(reader, out, resource);
    } else if (strcmp(type, "PractitionerRole") == 0) {
        out->kind = TRANSACTION_PROFESSIONAL;
        fhir_only(reader->report, resource, role_elements);
        read_roles(reader, out, resource);
        read_whose(reader, out, resource);
        (void)fhir_take_period(reader, &out->period, resource, "period");
    } else if (strcmp(type, "Device") == 0) {
        read_device(reader, out, resource);
    } else if (strcmp(type, "RelatedPerson") == 0) {
        read_agent(reader, out, resource);
    } else {
        out->kind = TRANSACTION_PROFESSIONAL;
        fhir_only(reader->report, resource, practitioner_elements);
    }
}
