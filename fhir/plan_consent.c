/* SPDX-License-Identifier: Apache-2.0 */
/* CONSENT_GRANT from a judged Consent. */
#include <string.h>

#include "crypto/digest.h"
#include "crypto/secret.h"
#include "fhir/ledger_name.h"
#include "fhir/plan_consent.h"
#include "vault/older.h"

/* A selector with its references resolved; the transaction points into it. */
struct resolved {
    struct vault_participant actors[LEDGER_ACTORS_MAX];
    struct transaction_actor actor_list[LEDGER_ACTORS_MAX];
    uint8_t data_ids[LEDGER_DATA_REFS_MAX][VAULT_ID_SIZE];
    struct transaction_data_ref data_list[LEDGER_DATA_REFS_MAX];
    uint8_t tags[LEDGER_TAGS_MAX][VAULT_TAG_SIZE];
    struct transaction_selector selector;
};

/* All that a grant points to. */
struct grant {
    struct resolved root;
    struct resolved exceptions[LEDGER_EXCEPTIONS_MAX];
    struct transaction_exception exception_list[LEDGER_EXCEPTIONS_MAX];
    struct transaction_id16 policy;
    struct vault_participant delegate;
};

/* ---- selectors ----------------------------------------------------------- */

static enum transaction_actor_kind
actor_kind(const struct vault_participant *participant)
{
    if (participant->kind == VAULT_IS_INSTITUTION) {
        return TRANSACTION_ACTOR_INSTITUTION;
    }
    return participant->kind == TRANSACTION_GROUP
               ? TRANSACTION_ACTOR_GROUP
               : TRANSACTION_ACTOR_PARTICIPANT;
}

/* The ledger has people, not roles: a deny of one role reaches all of them, but
 * a permit must not. */
static void check_role(struct planner *planner, const struct fhir_selector *in,
                       const struct fhir_reference *reference)
{
    if (in->decision == TRANSACTION_PERMIT &&
        plan_role_is_one_of_several(planner, reference->name)) {
        planner_find(planner, FHIR_ROLE_OF_SEVERAL, reference->path);
    }
}

static void resolve_actors(struct planner *planner, struct resolved *out,
                           const struct fhir_selector *in)
{
    for (size_t i = 0; i < in->actor_count; i++) {
        struct vault_participant *actor = &out->actors[i];
        if (planner_actor(planner, actor, &in->actors[i])) {
            check_role(planner, in, &in->actors[i]);
            out->actor_list[i] = (struct transaction_actor){
                .kind = actor_kind(actor), .id = {actor->id, sizeof actor->id}};
        }
    }
    out->selector.actors = out->actor_list;
    out->selector.actor_count = in->actor_count;
}

/* Who asks for data is an institution, a person or a service. A unit of the own
 * institution is none of them: a deny of it would be lost. */
static void check_denied(struct planner *planner,
                         const struct resolved *resolved,
                         const struct fhir_selector *in)
{
    for (size_t i = 0; i < in->actor_count; i++) {
        if (resolved->actors[i].kind == TRANSACTION_UNIT) {
            planner_find(planner, FHIR_DENY_UNIT, in->actors[i].path);
        }
    }
}

/* A permit for one document reaches its newest version, and what is related to
 * it opens later ones. A deny must reach those that come later, too, and what
 * replaces them: each is a record that refers to the first. And "related" to a
 * document is itself first of all (R4, consent-data-meaning), which it is not
 * on the ledger. */
static void resolve_reference(struct planner *planner,
                              uint8_t out[VAULT_ID_SIZE],
                              enum transaction_meaning *meaning,
                              const struct fhir_data *data, bool denies)
{
    struct planner_data found;

    if (!planner_data(planner, &found, &data->reference)) {
        return;
    }
    if (denies && found.is_document) {
        *meaning = TRANSACTION_DEPENDENTS;
    }
    memcpy(out,
           denies                                                 ? found.root
           : *meaning == TRANSACTION_INSTANCE || found.is_version ? found.id
                                                                  : found.first,
           VAULT_ID_SIZE);
}

static void add_data(struct planner *planner, struct resolved *out,
                     enum transaction_meaning meaning,
                     const uint8_t id[VAULT_ID_SIZE],
                     const struct fhir_data *data)
{
    size_t i = out->selector.data_count;

    if (i == LEDGER_DATA_REFS_MAX) {
        planner_find(planner, FHIR_PROVISION_MANY, data->reference.path);
        return;
    }
    memcpy(out->data_ids[i], id, VAULT_ID_SIZE);
    out->data_list[i] = (struct transaction_data_ref){
        .meaning = meaning, .id = {out->data_ids[i], VAULT_ID_SIZE}};
    out->selector.data_count++;
}

static bool resolve_author(struct planner *planner, uint8_t out[VAULT_ID_SIZE],
                           const struct fhir_selector *in,
                           const struct fhir_reference *reference)
{
    struct vault_participant author;

    if (!planner_actor(planner, &author, reference)) {
        return false;
    }
    if (author.kind == VAULT_IS_INSTITUTION ||
        author.kind == TRANSACTION_GROUP) {
        /* No record has it for an author: a deny would be lost. */
        planner_find(planner, FHIR_REFERENCE_TYPE, reference->path);
    }
    check_role(planner, in, reference);
    memcpy(out, author.id, VAULT_ID_SIZE);
    return true;
}

/* Whose data: a participant. What data: a record, encounter, or other thing. */
static void resolve_data(struct planner *planner, struct resolved *out,
                         const struct fhir_selector *in)
{
    bool denies = in->decision == TRANSACTION_DENY;

    out->selector.data = out->data_list;
    for (size_t i = 0; i < in->data_count; i++) {
        const struct fhir_data *data = &in->data[i];
        enum transaction_meaning meaning = data->meaning;
        uint8_t id[VAULT_ID_SIZE] = {0};
        if (data->meaning == TRANSACTION_AUTHORED_BY) {
            if (resolve_author(planner, id, in, &data->reference)) {
                add_data(planner, out, TRANSACTION_AUTHORED_BY, id, data);
                /* Who wrote with others is related to the record. */
                add_data(planner, out, TRANSACTION_RELATED, id, data);
            }
        } else {
            resolve_reference(planner, id, &meaning, data, denies);
            add_data(planner, out, meaning, id, data);
        }
    }
}

/* One that is blinded already stands in hexadecimal. */
static void take_tag(uint8_t out[VAULT_TAG_SIZE],
                     const struct vault_subject *subject,
                     const struct fhir_label *label)
{
    if (!fhir_tag_parse(out, label->system, label->code)) {
        vault_blind_tag(out, subject, label->system, label->code);
    }
}

static void resolve_selector(struct planner *planner, struct resolved *out,
                             const struct fhir_selector *in,
                             const struct vault_subject *subject)
{
    struct transaction_selector *selector = &out->selector;

    selector->purposes =
        (struct transaction_codes){in->purposes, in->purpose_count};
    selector->actions =
        (struct transaction_codes){in->actions, in->action_count};
    selector->confidentiality = (struct transaction_codes){
        in->confidentiality, in->confidentiality_count};
    selector->classes =
        (struct transaction_codes){in->classes, in->class_count};
    selector->purpose_unknown = in->purpose_unknown;
    selector->data_from_ms =
        in->data_period.has_from ? (uint64_t)in->data_period.from : 0;
    selector->data_to_ms =
        in->data_period.has_to ? (uint64_t)in->data_period.to : 0;
    for (size_t i = 0; i < in->label_count; i++) {
        take_tag(out->tags[i], subject, &in->labels[i]);
    }
    selector->tags =
        (struct transaction_ids){&out->tags[0][0], in->label_count};
    resolve_actors(planner, out, in);
    resolve_data(planner, out, in);
}

/* ---- grants -------------------------------------------------------------- */

/* The same patient by another name is no delegate. */
static bool is_subject(const struct planner *planner,
                       const struct vault_subject *subject, const char *name)
{
    struct vault_subject other;
    bool same = planner_find_subject(planner, &other, name) == PBFT_OK &&
                memcmp(other.handle, subject->handle, sizeof other.handle) == 0;

    secret_wipe(&other, sizeof other);
    return same;
}

static void resolve_rules(struct planner *planner, struct grant *grant,
                          const struct vault_subject *subject)
{
    const struct fhir_consent *consent = &planner->item->consent;
    bool root_is_denied = consent->root->decision == TRANSACTION_DENY;

    resolve_selector(planner, &grant->root, consent->root, subject);
    for (size_t i = 0; i < consent->exception_count; i++) {
        const struct fhir_selector *in = &consent->exceptions[i];
        resolve_selector(planner, &grant->exceptions[i], in, subject);
        grant->exception_list[i] = (struct transaction_exception){
            .type = (enum transaction_decision)in->decision,
            .selector = grant->exceptions[i].selector};
        if (in->decision == TRANSACTION_DENY) {
            check_denied(planner, &grant->exceptions[i], in);
            /* It inherits those of the root. */
            root_is_denied = root_is_denied || in->actor_count == 0;
        }
    }
    if (root_is_denied) {
        check_denied(planner, &grant->root, consent->root);
    }
}

/* What another institution alone holds was given to that one, under its policy:
 * here it is no permit, and perhaps a deny. */
static void check_holders(struct planner *planner)
{
    const struct fhir_consent *consent = &planner->item->consent;
    const struct pbft_institution *own =
        &planner->options->envelope.institution;
    size_t elsewhere = 0;

    for (size_t i = 0; i < consent->organization_count; i++) {
        struct vault_participant holder;
        if (planner_participant(planner, &holder, &consent->organizations[i]) &&
            holder.kind == VAULT_IS_INSTITUTION &&
            memcmp(holder.id, own->bytes, sizeof own->bytes) != 0) {
            elsewhere++;
        }
    }
    if (elsewhere > 0 && elsewhere == consent->organization_count) {
        planner_find(planner, FHIR_HELD_ELSEWHERE,
                     consent->organizations[0].path);
    }
}

static void resolve_grant(struct planner *planner, struct grant *grant,
                          const struct vault_subject *subject)
{
    struct fhir_consent *consent = &planner->item->consent;

    resolve_rules(planner, grant, subject);
    consent->by_subject = consent->by_subject ||
                          is_subject(planner, subject, consent->delegate.name);
    if (!consent->by_subject) {
        (void)planner_agent(planner, &grant->delegate, &consent->delegate,
                            subject);
    }
    check_holders(planner);
    fhir_policy_id(&grant->policy, consent->policy_uri);
}

static uint64_t period_from(const struct fhir_consent *consent)
{
    if (!consent->period.has_from) {
        return 0;
    }
    /* Before 1970 is simply: in force. */
    return consent->period.from > 0 ? (uint64_t)consent->period.from : 1;
}

static struct transaction_consent_grant
describe_grant(const struct planner *planner, const struct grant *grant,
               const struct vault_consent *entry,
               const struct vault_subject *subject)
{
    const struct fhir_consent *consent = &planner->item->consent;
    struct transaction_consent_grant out = {
        .consent = {entry->id, sizeof entry->id},
        .subject = {subject->handle, sizeof subject->handle},
        .scope = (enum transaction_scope)consent->scope,
        .category = consent->category,
        .policy = {grant->policy.bytes, sizeof grant->policy.bytes},
        .policy_version = 1,
        .given_at_ms = (uint64_t)consent->given.from,
        .base_decision = (enum transaction_decision)consent->root->decision,
        .period_from_ms = period_from(consent),
        .period_to_ms = entry->period_to_ms,
        .root = grant->root.selector,
        .exceptions = grant->exception_list,
        .exception_count = consent->exception_count,
        .performer = consent->by_subject ? TRANSACTION_BY_SUBJECT
                                         : TRANSACTION_BY_DELEGATE,
        .mode = consent->mode != 0 ? (enum transaction_mode)consent->mode
                                   : planner->options->mode,
    };

    if (!consent->by_subject) {
        out.delegate =
            (struct pbft_bytes){grant->delegate.id, sizeof grant->delegate.id};
    }
    return out;
}

static void plan_grant(struct planner *planner, struct grant *grant,
                       const struct vault_subject *subject)
{
    const struct fhir_consent *consent = &planner->item->consent;
    struct vault_consent previous;
    struct vault_consent entry;
    struct pbft_digest evidence;
    struct pbft_digest source;
    bool has_previous = false;

    resolve_grant(planner, grant, subject);
    if (fhir_item_class(planner->item) == FHIR_EVIDENCE_ONLY) {
        /* What it names has shown that. */
        plan_evidence(planner, subject);
        return;
    }
    if (!plan_find_version(planner, &previous, &has_previous)) {
        return;
    }
    vault_draw_consent(&entry);
    entry.kind = VAULT_GRANT;
    entry.period_to_ms =
        consent->period.has_to ? (uint64_t)consent->period.to : 0;
    memcpy(entry.subject, subject->handle, sizeof entry.subject);
    plan_commit_form(planner, &evidence, &entry);
    commit_sha256(&source, COMMIT_DOMAIN_SOURCE, entry.source_salt,
                  fhir_item_bytes(planner->item));
    if (!plan_keep_consent(planner, &entry, planner_item_name(planner))) {
        return;
    }
    struct transaction transaction = {
        .type = TRANSACTION_CONSENT_GRANT,
        .consent_grant = describe_grant(planner, grant, &entry, subject)};
    struct transaction_consent_grant *out = &transaction.consent_grant;
    out->evidence_commit =
        (struct pbft_bytes){evidence.bytes, sizeof evidence.bytes};
    out->source_commit = (struct pbft_bytes){source.bytes, sizeof source.bytes};
    if (has_previous && plan_still_stands(planner, &previous)) {
        out->supersedes = (struct transaction_ids){previous.id, 1};
        if (!planner->options->rehearse) {
            (void)planner_check(planner,
                                vault_note_replaced(planner->options->vault,
                                                    &entry, previous.id));
        }
    }
    (void)planner_add_version(planner, &transaction, VAULT_CONSENT, entry.id,
                              has_previous ? previous.id : NULL);
    secret_wipe(&previous, sizeof previous);
    secret_wipe(&entry, sizeof entry);
}

/* ---- consents ------------------------------------------------------------ */

void plan_consent(struct planner *planner)
{
    struct fhir_item *item = planner->item;
    struct fhir_reader reader = {.report = &item->report,
                                 .arena = &item->arena};
    struct vault_subject subject;

    /* A withdrawal or evidence registers nobody that it need not. */
    if (!planner_subject(planner, &subject, &item->consent.patient)) {
        return;
    }
    if (item->consent.is_withdrawal) {
        plan_withdrawal(planner, &subject);
    } else if (fhir_item_class(item) == FHIR_EVIDENCE_ONLY) {
        plan_evidence(planner, &subject);
    } else {
        struct grant *grant = fhir_allocate(&reader, sizeof *grant);
        if (grant != NULL) {
            plan_grant(planner, grant, &subject);
        }
    }
    secret_wipe(&subject, sizeof subject);
}
