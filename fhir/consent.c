/* SPDX-License-Identifier: Apache-2.0 */
/* Consent outside of its provision: status, scope, patient, performer, source,
 * policy. */
#include "fhir/consent.h"

#include <string.h>

#include "fhir/consent_words.h"
#include "fhir/ledger_name.h"

static const char *const known_elements[] = {
    "resourceType",    "id",           "meta",
    "implicitRules",   "language",     "text",
    "contained",       "extension",    "modifierExtension",
    "identifier",      "status",       "scope",
    "category",        "patient",      "dateTime",
    "performer",       "organization", "sourceAttachment",
    "sourceReference", "policy",       "policyRule",
    "verification",    "provision",    NULL};

static void missing(const struct fhir_reader *reader,
                    const struct fhir_node *resource, const char *key,
                    enum fhir_finding_kind kind)
{
    struct fhir_node node = fhir_field(resource, key);

    fhir_find(reader->report, kind, &node, NULL);
}

static void read_status(const struct fhir_reader *reader,
                        struct fhir_consent *out,
                        const struct fhir_node *resource)
{
    const char *status = fhir_take_string(reader, resource, "status");
    struct fhir_node node = fhir_field(resource, "status");

    if (status == NULL) {
        missing(reader, resource, "status", FHIR_MISSING);
    } else if (strcmp(status, "inactive") == 0) {
        out->is_withdrawal = true;
        fhir_find(reader->report, FHIR_WITHDRAWAL, &node, NULL);
    } else if (strcmp(status, "active") != 0) {
        fhir_find(reader->report, FHIR_STATUS, &node, status);
    }
}

static void read_scope(const struct fhir_reader *reader,
                       struct fhir_consent *out,
                       const struct fhir_node *resource)
{
    struct fhir_node node = fhir_take_object(reader, resource, "scope");

    if (node.json == NULL) {
        missing(reader, resource, "scope", FHIR_MISSING);
        return;
    }
    struct fhir_coding coding =
        fhir_concept_only(reader, &node, FHIR_SYSTEM_CONSENT_SCOPE);
    out->scope = fhir_word_number(&fhir_scopes, coding.code);
    if (out->scope == 0) {
        fhir_find(reader->report, FHIR_SCOPE, &node, fhir_concept_code(&node));
    }
}

/* The first category that the table knows; one that demands more goes first. */
static void read_category(const struct fhir_reader *reader,
                          struct fhir_consent *out,
                          const struct fhir_node *resource)
{
    struct fhir_node list = fhir_take_list(reader, resource, "category");

    if (list.json == NULL) {
        missing(reader, resource, "category", FHIR_MISSING);
    }
    out->category = CODES_CATEGORY_OTHER;
    for (size_t i = 0; i < fhir_size(&list); i++) {
        struct fhir_node concept = fhir_element(&list, i);
        struct fhir_node codings = fhir_take_list(reader, &concept, "coding");
        for (size_t k = 0; k < fhir_size(&codings); k++) {
            struct fhir_node node = fhir_element(&codings, k);
            struct fhir_coding coding;
            if (!fhir_take_coding(reader, &coding, &node)) {
                continue;
            }
            const struct codes_entry *entry =
                codes_find(CODES_CATEGORY, coding.system, coding.code);
            if (entry != NULL &&
                (out->category == CODES_CATEGORY_OTHER ||
                 (entry->flags & CODES_NAMED_RECIPIENT) != 0)) {
                out->category = entry->id;
            }
        }
    }
}

static void read_patient(const struct fhir_reader *reader,
                         struct fhir_consent *out,
                         const struct fhir_node *resource)
{
    struct fhir_node node = fhir_take_object(reader, resource, "patient");

    if (node.json == NULL) {
        missing(reader, resource, "patient", FHIR_MISSING);
        return;
    }
    if (fhir_take_reference(reader, &out->patient, &node) &&
        out->patient.type[0] != 0 &&
        strcmp(out->patient.type, "Patient") != 0) {
        fhir_find(reader->report, FHIR_REFERENCE_TYPE, &node, NULL);
    }
}

/* Does the reference say that it is somebody else than one who may decide for a
 * patient? If it does not say, the vault may know. */
static bool is_no_delegate(const struct fhir_reference *reference)
{
    return reference->type[0] != 0 && strcmp(reference->type, "Patient") != 0 &&
           strcmp(reference->type, "RelatedPerson") != 0;
}

/* By the patient, or by one other who acts for him: a clinician or an
 * institution would permit for itself. */
static void read_performer(const struct fhir_reader *reader,
                           struct fhir_consent *out,
                           const struct fhir_node *resource)
{
    struct fhir_node list = fhir_take_list(reader, resource, "performer");
    size_t others = 0;

    if (list.json == NULL) {
        missing(reader, resource, "performer", FHIR_NO_PERFORMER);
        return;
    }
    for (size_t i = 0; i < fhir_size(&list); i++) {
        struct fhir_node node = fhir_element(&list, i);
        struct fhir_reference reference;
        if (!fhir_take_reference(reader, &reference, &node)) {
            continue;
        }
        if (out->patient.name != NULL &&
            strcmp(reference.name, out->patient.name) == 0) {
            out->by_subject = true;
        } else {
            out->delegate = reference;
            others++;
        }
    }
    if (!out->by_subject && others > 1) {
        fhir_find(reader->report, FHIR_MANY_PERFORMERS, &list, NULL);
    }
    if (!out->by_subject && others == 1 && is_no_delegate(&out->delegate)) {
        fhir_report_add(reader->report, FHIR_PERFORMER, out->delegate.path,
                        NULL);
    }
}

static void read_organizations(const struct fhir_reader *reader,
                               struct fhir_consent *out,
                               const struct fhir_node *resource)
{
    struct fhir_node list = fhir_take_list(reader, resource, "organization");

    if (fhir_size(&list) > FHIR_ORGANIZATIONS_MAX) {
        fhir_find(reader->report, FHIR_MANY, &list, NULL);
        return;
    }
    for (size_t i = 0; i < fhir_size(&list); i++) {
        struct fhir_node node = fhir_element(&list, i);
        struct fhir_reference *to =
            &out->organizations[out->organization_count];
        if (fhir_take_reference(reader, to, &node)) {
            out->organization_count++;
        }
    }
}

static void read_mode(const struct fhir_reader *reader,
                      struct fhir_consent *out,
                      const struct fhir_node *resource)
{
    struct fhir_node said = fhir_extension(resource, FHIR_MODE_URL);
    const char *code = fhir_take_string(reader, &said, "valueCode");

    if (said.json == NULL) {
        return;
    }
    out->mode = fhir_word_number(&fhir_modes, code);
    if (out->mode == 0) {
        fhir_find(reader->report, FHIR_BAD_CODE, &said, NULL);
    }
}

static void read_source(const struct fhir_reader *reader,
                        struct fhir_consent *out,
                        const struct fhir_node *resource)
{
    struct fhir_node reference =
        fhir_take_object(reader, resource, "sourceReference");
    struct fhir_node attachment =
        fhir_take_object(reader, resource, "sourceAttachment");

    if (reference.json != NULL) {
        (void)fhir_take_reference(reader, &out->source, &reference);
    }
    if (reference.json != NULL && attachment.json != NULL) {
        /* source[x] is one element. */
        fhir_find(reader->report, FHIR_UNKNOWN_ELEMENT, &attachment, NULL);
    }
    if (reference.json == NULL && attachment.json == NULL) {
        missing(reader, resource, "sourceReference", FHIR_NO_SOURCE);
    }
}

static void read_policy(const struct fhir_reader *reader,
                        struct fhir_consent *out,
                        const struct fhir_node *resource)
{
    static const char *const known[] = {
        "id", "extension", "modifierExtension", "authority", "uri", NULL};
    struct fhir_node list = fhir_take_list(reader, resource, "policy");

    for (size_t i = 0; i < fhir_size(&list); i++) {
        struct fhir_node node = fhir_element(&list, i);
        fhir_only(reader->report, &node, known);
        const char *uri = fhir_take_string(reader, &node, "uri");
        if (uri != NULL && out->policy_uri == NULL) {
            out->policy_uri = uri;
        } else if (uri != NULL && strcmp(uri, out->policy_uri) != 0) {
            fhir_find(reader->report, FHIR_MANY_POLICIES, &node, NULL);
        }
    }
    if (out->policy_uri == NULL) {
        missing(reader, resource, "policy", FHIR_NO_POLICY);
    }
}

/* Only a check against the provision (import law 4). */
static void check_rule(const struct fhir_reader *reader,
                       const struct fhir_node *rule, const char *code,
                       uint32_t base)
{
    if (strncmp(code, "OPTIN", 5) == 0 && base == TRANSACTION_DENY) {
        fhir_find(reader->report, FHIR_OPTIN_DENY, rule, code);
    }
    if (strncmp(code, "OPTOUT", 6) == 0 && base == TRANSACTION_PERMIT) {
        fhir_find(reader->report, FHIR_OPTOUT_PERMIT, rule, code);
    }
}

/* Every coding, of whatever code system: one that contradicts is not outweighed
 * by one that does not. */
static void read_policy_rule(const struct fhir_reader *reader,
                             const struct fhir_consent *consent,
                             const struct fhir_node *resource)
{
    struct fhir_node rule = fhir_take_object(reader, resource, "policyRule");
    struct fhir_node list = fhir_take_list(reader, &rule, "coding");
    uint32_t base = consent->root != NULL ? consent->root->decision : 0;

    for (size_t i = 0; i < fhir_size(&list); i++) {
        struct fhir_node node = fhir_element(&list, i);
        struct fhir_coding coding;
        if (fhir_take_coding(reader, &coding, &node)) {
            check_rule(reader, &rule, coding.code, base);
        }
    }
}

static void read_verification(const struct fhir_reader *reader,
                              const struct fhir_node *resource)
{
    struct fhir_node list = fhir_take_list(reader, resource, "verification");

    for (size_t i = 0; i < fhir_size(&list); i++) {
        struct fhir_node node = fhir_element(&list, i);
        struct fhir_node verified = fhir_field(&node, "verified");
        if (fhir_is_false(&verified)) {
            fhir_find(reader->report, FHIR_UNVERIFIED, &verified, NULL);
        } else if (!fhir_is_true(&verified)) {
            fhir_find(reader->report,
                      verified.json == NULL ? FHIR_MISSING : FHIR_WRONG_TYPE,
                      &verified, NULL);
        }
    }
}

/* What a consent in force must say. A withdrawal names the consent, no more. */
static void read_rules(const struct fhir_reader *reader,
                       struct fhir_consent *out,
                       const struct fhir_node *resource)
{
    struct fhir_node provision =
        fhir_take_object(reader, resource, "provision");

    if (provision.json == NULL) {
        missing(reader, resource, "provision", FHIR_NO_PROVISION);
    } else {
        fhir_provision_read(reader, out, &provision);
    }
    out->has_given = fhir_take_date(reader, &out->given, resource, "dateTime");
    struct fhir_node given = fhir_field(resource, "dateTime");
    if (given.json == NULL) {
        fhir_find(reader->report, FHIR_NO_DATE, &given, NULL);
    }
    read_performer(reader, out, resource);
    read_organizations(reader, out, resource);
    read_mode(reader, out, resource);
    read_source(reader, out, resource);
    read_policy(reader, out, resource);
    read_policy_rule(reader, out, resource);
    read_verification(reader, resource);
    fhir_consent_check(reader, out, resource);
}

void fhir_consent_read(const struct fhir_reader *reader,
                       struct fhir_consent *out,
                       const struct fhir_node *resource)
{
    memset(out, 0, sizeof *out);
    fhir_only(reader->report, resource, known_elements);
    read_status(reader, out, resource);
    read_patient(reader, out, resource);
    if (!out->is_withdrawal) {
        read_scope(reader, out, resource);
        read_category(reader, out, resource);
        read_rules(reader, out, resource);
    } else {
        out->has_given =
            fhir_take_date(reader, &out->given, resource, "dateTime");
    }
}
