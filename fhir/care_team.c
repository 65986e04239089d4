/* SPDX-License-Identifier: Apache-2.0 */
/* A CareTeam as a group. Whom it treats and where is not looked at; whatever
 * its members are beyond "belongs to it" cannot be said on the ledger. */
#include <string.h>

#include "fhir/party.h"

static const char *const team_elements[] = {"resourceType",
                                            "id",
                                            "meta",
                                            "implicitRules",
                                            "language",
                                            "text",
                                            "contained",
                                            "extension",
                                            "modifierExtension",
                                            "identifier",
                                            "status",
                                            "category",
                                            "name",
                                            "subject",
                                            "encounter",
                                            "period",
                                            "participant",
                                            "reasonCode",
                                            "reasonReference",
                                            "managingOrganization",
                                            "telecom",
                                            "note",
                                            NULL};

static const char *const member_elements[] = {
    "id",     "extension", "modifierExtension", "role", "member", "onBehalfOf",
    "period", NULL};

/* A modifier element. */
static void check_status(const struct fhir_reader *reader,
                         const struct fhir_node *resource)
{
    const char *status = fhir_take_string(reader, resource, "status");
    struct fhir_node node = fhir_field(resource, "status");

    if (status == NULL || strcmp(status, "active") == 0) {
        return;
    }
    bool is_known = strcmp(status, "proposed") == 0 ||
                    strcmp(status, "suspended") == 0 ||
                    strcmp(status, "inactive") == 0;
    fhir_find(reader->report, is_known ? FHIR_INACTIVE : FHIR_STATUS, &node,
              is_known ? NULL : status);
}

/* A deny of a team must reach all of it: no member may be left out, and who is
 * no person is not reached through a group. */
static bool is_person(const struct fhir_reference *member)
{
    return strcmp(member->type, "Practitioner") == 0 ||
           strcmp(member->type, "PractitionerRole") == 0 ||
           strcmp(member->type, "RelatedPerson") == 0;
}

static void read_member(const struct fhir_reader *reader,
                        struct fhir_party *out, const struct fhir_node *node)
{
    static const char *const conditions[] = {"period", "onBehalfOf"};
    struct fhir_node member = fhir_take_object(reader, node, "member");
    struct fhir_reference *kept = &out->members[out->member_count];

    fhir_only(reader->report, node, member_elements);
    for (size_t i = 0; i < sizeof conditions / sizeof conditions[0]; i++) {
        struct fhir_node condition = fhir_field(node, conditions[i]);
        if (condition.json != NULL) {
            fhir_find(reader->report, FHIR_TEAM_MEMBER, &condition, NULL);
        }
    }
    if (member.json == NULL) {
        fhir_find(reader->report, FHIR_MISSING, &member, NULL);
    } else if (fhir_take_reference(reader, kept, &member)) {
        out->member_count++;
        if (!is_person(kept)) {
            fhir_find(reader->report, FHIR_TEAM_MEMBER, &member, NULL);
        }
    }
}

static void read_members(const struct fhir_reader *reader,
                         struct fhir_party *out,
                         const struct fhir_node *resource)
{
    struct fhir_node list = fhir_take_list(reader, resource, "participant");
    struct fhir_node node = fhir_field(resource, "participant");
    size_t count = fhir_size(&list);

    if (count == 0 || count > LEDGER_GROUP_MEMBERS_MAX) {
        fhir_find(reader->report, count == 0 ? FHIR_GROUP_EMPTY : FHIR_MANY,
                  &node, NULL);
        return;
    }
    out->members = fhir_allocate(reader, (count + 1) * sizeof *out->members);
    for (size_t i = 0; out->members != NULL && i < count; i++) {
        struct fhir_node one = fhir_element(&list, i);
        read_member(reader, out, &one);
    }
}

/* Of another institution, its people are not one's own. */
static void read_manager(const struct fhir_reader *reader,
                         struct fhir_party *out,
                         const struct fhir_node *resource)
{
    struct fhir_node list =
        fhir_take_list(reader, resource, "managingOrganization");
    struct fhir_node one = fhir_element(&list, 0);

    if (fhir_size(&list) > 1) {
        fhir_find(reader->report, FHIR_MANY, &list, NULL);
    } else if (fhir_size(&list) == 1) {
        fhir_take_organization(reader, &out->organization, &one);
    }
}

void fhir_care_team_read(const struct fhir_reader *reader,
                         struct fhir_party *out,
                         const struct fhir_node *resource)
{
    out->kind = TRANSACTION_GROUP;
    fhir_only(reader->report, resource, team_elements);
    check_status(reader, resource);
    (void)fhir_take_period(reader, &out->period, resource, "period");
    read_members(reader, out, resource);
    read_manager(reader, out, resource);
}
