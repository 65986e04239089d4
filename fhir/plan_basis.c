/* SPDX-License-Identifier: Apache-2.0 */
/* On what ground a disclosure was made: what the event names comes first, then
 * what it denotes, then what the institution says of events that name nothing.
 * Where they contradict each other there is no ground.
 */
#include "fhir/plan_basis.h"

#include <string.h>

#include "crypto/digest.h"
#include "crypto/secret.h"
#include "fhir/ledger_name.h"

/* ---- what the event says ------------------------------------------------- */

/* Of the ledger: it knows what that covers. */
static bool names_a_thing(const struct fhir_audit *audit)
{
    return audit->has_decision || audit->has_emergency;
}

/* One basis is one; a writing shows that of a law. */
static bool has_two_bases(const struct fhir_audit *audit)
{
    return audit->has_decision + audit->has_emergency + (audit->basis != 0) >
               1 ||
           (audit->has_document && names_a_thing(audit));
}

/* Of the purposes only this one is a ground as well: the others below it, and
 * those of compliance and legal proceedings, may rest on any. */
static uint32_t law_of_event(const struct fhir_audit *audit)
{
    if (audit->basis != 0 || names_a_thing(audit)) {
        return audit->basis;
    }
    return audit->purpose == CODES_PURPOSE_PUBHLTH
               ? (uint32_t)CODES_BASIS_PUBLIC_HEALTH
               : 0;
}

/* An emergency is reviewed: no law stands in for it. */
static bool is_of_an_emergency(const struct fhir_audit *audit)
{
    return audit->purpose == CODES_PURPOSE_BTG ||
           audit->purpose == CODES_PURPOSE_ETREAT;
}

static uint32_t law_of(const struct fhir_audit *audit,
                       const struct fhir_plan_options *options)
{
    uint32_t said = law_of_event(audit);

    return said != 0 || names_a_thing(audit) || is_of_an_emergency(audit)
               ? said
               : options->basis;
}

static bool has_document(const struct fhir_audit *audit,
                         const struct fhir_plan_options *options)
{
    return audit->has_document || options->basis_document.size > 0;
}

/* The purpose alone is no claim: such a disclosure may be told as a violation,
 * as any that cannot be shown to stand on anything. */
static bool falls_back(const struct fhir_audit *audit,
                       const struct fhir_plan_options *options)
{
    return options->self_report && audit->basis == 0 && options->basis == 0 &&
           !has_document(audit, options);
}

/* ---- what is wrong with it ----------------------------------------------- */

static void find(struct fhir_item *item, enum fhir_finding_kind kind,
                 const char *path)
{
    fhir_report_add(&item->report, kind, path, NULL);
}

static void check_law(struct fhir_item *item,
                      const struct fhir_plan_options *options)
{
    const struct fhir_audit *audit = &item->audit;
    uint32_t law = law_of(audit, options);

    if (options->basis != 0 && law != options->basis) {
        find(item, FHIR_BASIS_DIFFERS,
             audit->basis != 0 ? "agent" : "purposeOfEvent");
    } else if (!has_document(audit, options) && !falls_back(audit, options)) {
        find(item, FHIR_NO_DOCUMENT, "agent");
    }
}

/* Neither law nor thing of the ledger, nor did the patient ask. */
static void check_nothing(struct fhir_item *item,
                          const struct fhir_plan_options *options)
{
    const struct fhir_audit *audit = &item->audit;

    if (audit->has_document) {
        find(item, FHIR_POLICY_FORM, "agent");
    } else if (!options->self_report && audit->consent_count > 0) {
        find(item, FHIR_CONSENT_ALONE, audit->consents[0].path);
    } else if (!options->self_report) {
        find(item, FHIR_NO_BASIS, "agent");
    }
}

/* `by_patient`: he asked for it, or may have. */
static void check(struct fhir_item *item,
                  const struct fhir_plan_options *options, bool by_patient)
{
    const struct fhir_audit *audit = &item->audit;

    if (has_two_bases(audit)) {
        find(item, FHIR_POLICY_FORM, "agent");
    } else if (by_patient) {
        if (audit->has_document) {
            find(item, FHIR_POLICY_FORM, "agent");
        }
    } else if (law_of(audit, options) != 0) {
        check_law(item, options);
    } else if (!names_a_thing(audit)) {
        check_nothing(item, options);
    }
}

/* ---- who received -------------------------------------------------------- */

static bool has_recipient(struct fhir_item *item,
                          const struct fhir_plan_options *options)
{
    const struct fhir_reference *recipient = &item->audit.recipient;

    if (recipient->name != NULL || options->recipient != NULL) {
        return true;
    }
    find(item, FHIR_NO_RECIPIENT,
         recipient->path != NULL ? recipient->path : "agent");
    return false;
}

bool plan_basis_recipient(struct planner *planner,
                          struct vault_participant *out)
{
    const struct fhir_reference *said = &planner->item->audit.recipient;
    struct fhir_reader reader = {.report = &planner->item->report,
                                 .arena = &planner->item->arena};
    struct fhir_reference given;

    if (!has_recipient(planner->item, planner->options)) {
        return false;
    }
    if (said->name != NULL) {
        return planner_actor(planner, out, said);
    }
    fhir_reference_of(&reader, &given, planner->options->recipient,
                      said->path != NULL ? said->path : "agent");
    return given.name != NULL && planner_actor(planner, out, &given);
}

/* ---- what the vault knows of it ------------------------------------------ */

/* Did the patient ask for his own data? */
static bool asked_by_patient(struct planner *planner,
                             const struct vault_subject *subject)
{
    const struct fhir_audit *audit = &planner->item->audit;
    struct vault_subject asking;

    if (names_a_thing(audit) || audit->basis != 0 ||
        audit->purpose != CODES_PURPOSE_PATRQT ||
        audit->requestor.name == NULL ||
        planner_find_subject(planner, &asking, audit->requestor.name) !=
            PBFT_OK) {
        return false;
    }
    bool same =
        memcmp(asking.handle, subject->handle, sizeof asking.handle) == 0;
    secret_wipe(&asking, sizeof asking);
    return same;
}

/* A consent of that patient that computes, or did when it stood. */
static bool is_held(struct planner *planner, const char *name,
                    const struct vault_subject *subject)
{
    struct fhir_ledger_name id;
    struct vault_consent consent;
    char own_name[VAULT_OWN_NAME_SIZE];

    if (name == NULL) {
        return false;
    }
    if (fhir_ledger_name_parse(&id, name, &planner->options->envelope.chain)) {
        if (id.kind != FHIR_LEDGER_CONSENT) {
            return false;
        }
        vault_own_name(own_name, id.id);
        name = own_name;
    }
    enum pbft_status status =
        vault_find_consent(planner->options->vault, &consent, name);
    if (status == PBFT_NOT_FOUND) {
        return false;
    }
    bool is_held =
        planner_check(planner, status) && consent.kind != VAULT_EVIDENCE &&
        memcmp(consent.subject, subject->handle, sizeof consent.subject) == 0;
    secret_wipe(&consent, sizeof consent);
    return is_held;
}

/* The ledger lets a disclosure stand on the decision about a request, not on a
 * consent: that one is told as the ground of a violation, if it is on file. */
static uint32_t ground_of_violation(struct planner *planner,
                                    const struct vault_subject *subject)
{
    const struct fhir_audit *audit = &planner->item->audit;

    for (size_t i = 0; i < audit->consent_count; i++) {
        if (!is_held(planner, audit->consents[i].name, subject)) {
            planner_find(planner, FHIR_CONSENT_UNKNOWN,
                         audit->consents[i].path);
            return 0;
        }
    }
    return audit->consent_count > 0 ? (uint32_t)CODES_BASIS_CONSENT : 0;
}

static void commit_document(struct planner *planner, struct plan_basis *out,
                            const struct vault_event *event)
{
    const struct fhir_audit *audit = &planner->item->audit;

    out->has_document = true;
    if (audit->has_document) {
        memcpy(out->document.bytes, audit->document, sizeof audit->document);
    } else {
        commit_sha256(&out->document, COMMIT_DOMAIN_EVIDENCE, event->salt,
                      planner->options->basis_document);
    }
}

void plan_basis_find(struct planner *planner, struct plan_basis *out,
                     const struct vault_subject *subject,
                     const struct vault_event *event)
{
    const struct fhir_plan_options *options = planner->options;
    const struct fhir_audit *audit = &planner->item->audit;
    bool by_patient = asked_by_patient(planner, subject);

    memset(out, 0, sizeof *out);
    check(planner->item, options, by_patient);
    if (!planner_is_sound(planner) || names_a_thing(audit)) {
        return;
    }
    if (by_patient) {
        out->code = CODES_BASIS_INDIVIDUAL;
    } else if (law_of(audit, options) != 0 && !falls_back(audit, options)) {
        out->code = law_of(audit, options);
        commit_document(planner, out, event);
    } else {
        out->is_violation = true;
        out->code = ground_of_violation(planner, subject);
    }
}

void fhir_judge_plan(struct fhir_item *item,
                     const struct fhir_plan_options *options)
{
    const struct fhir_audit *audit = &item->audit;

    if (strcmp(item->type, "AuditEvent") != 0 ||
        fhir_item_class(item) == FHIR_REJECT ||
        audit->kind != FHIR_AUDIT_DISCLOSURE) {
        return;
    }
    /* Whether the one who asked is the patient, the vault knows. */
    const bool may_be_patient = !names_a_thing(audit) && audit->basis == 0 &&
                                audit->purpose == CODES_PURPOSE_PATRQT &&
                                audit->requestor.name != NULL;
    (void)has_recipient(item, options);
    check(item, options, may_be_patient);
}
