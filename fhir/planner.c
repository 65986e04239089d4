/* SPDX-License-Identifier: Apache-2.0 */
/* Steps of a plan, and plans by resource type. */
#include "fhir/plan_party.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/digest.h"
#include "crypto/hex.h"

bool planner_is_sound(const struct planner *planner)
{
    return planner->status == PBFT_OK &&
           fhir_item_class(planner->item) != FHIR_REJECT;
}

bool planner_check(struct planner *planner, enum pbft_status status)
{
    if (planner->status == PBFT_OK) {
        planner->status = status;
    }
    return status == PBFT_OK;
}

void planner_find(struct planner *planner, enum fhir_finding_kind kind,
                  const char *path)
{
    fhir_report_add(&planner->item->report, kind, path, NULL);
}

/* ---- steps --------------------------------------------------------------- */

static bool has_room(struct planner *planner)
{
    if (planner->out->step_count == VAULT_JOURNAL_STEPS_MAX) {
        planner_find(planner, FHIR_MANY, "$");
        return false;
    }
    return true;
}

/* Takes over the body. */
static struct vault_step *add_body(struct planner *planner,
                                   enum transaction_type type,
                                   const struct transaction_bytes *body)
{
    struct vault_journal *out = planner->out;
    struct vault_step *step = &out->steps[out->step_count++];

    memset(step, 0, sizeof *step);
    step->type = (uint32_t)type;
    step->body = body->data;
    step->size = body->size;
    transaction_id(&step->tx_id, &planner->options->envelope.chain,
                   (struct pbft_bytes){body->data, body->size});
    return step;
}

struct vault_step *planner_add(struct planner *planner,
                               const struct transaction *transaction)
{
    struct transaction_bytes body = {NULL, 0};

    if (!has_room(planner) ||
        !planner_check(planner,
                       transaction_build(&body, &planner->options->envelope,
                                         transaction))) {
        return NULL;
    }
    return add_body(planner, transaction->type, &body);
}

struct vault_step *planner_add_payload(
    struct planner *planner, const struct transaction_envelope *envelope,
    enum transaction_type type, const struct ProtobufCMessage *payload)
{
    struct transaction_bytes body = {NULL, 0};

    if (!has_room(planner) ||
        !planner_check(planner, transaction_build_payload(&body, envelope, type,
                                                          payload))) {
        return NULL;
    }
    return add_body(planner, type, &body);
}

static char *copy_text(struct planner *planner, const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = malloc(size);

    if (copy == NULL) {
        (void)planner_check(planner, PBFT_NO_MEMORY);
        return NULL;
    }
    memcpy(copy, text, size);
    return copy;
}

bool planner_add_row(struct planner *planner,
                     const struct transaction *transaction,
                     enum vault_kind kind, const char *row)
{
    struct vault_step *step = planner_add(planner, transaction);

    if (step == NULL) {
        return false;
    }
    step->kind = (uint32_t)kind;
    step->row = copy_text(planner, row);
    return step->row != NULL;
}

bool planner_add_version(struct planner *planner,
                         const struct transaction *transaction,
                         enum vault_kind kind, const uint8_t id[VAULT_ID_SIZE],
                         const uint8_t *previous)
{
    struct vault_step *step = planner_add(planner, transaction);

    return step != NULL &&
           planner_keep_version(planner, step, kind, id, previous);
}

bool planner_keep_version(struct planner *planner, struct vault_step *step,
                          enum vault_kind kind, const uint8_t id[VAULT_ID_SIZE],
                          const uint8_t *previous)
{
    char own_name[VAULT_OWN_NAME_SIZE];
    const char *name = planner_item_name(planner);

    if (name == NULL) {
        return false;
    }
    vault_own_name(own_name, id);
    step->kind = (uint32_t)kind;
    step->row = copy_text(planner, own_name);
    step->name = copy_text(planner, name);
    if (previous != NULL) {
        vault_own_name(own_name, previous);
        step->previous = copy_text(planner, own_name);
    }
    return planner->status == PBFT_OK;
}

bool planner_end_row(struct planner *planner, struct vault_step *step,
                     enum vault_kind kind, const char *row)
{
    step->kind = (uint32_t)kind;
    step->row = copy_text(planner, row);
    step->ends = true;
    return step->row != NULL;
}

struct pbft_bytes planner_text(const char *text)
{
    return (struct pbft_bytes){(const uint8_t *)text, strlen(text)};
}

const char *planner_item_name(struct planner *planner)
{
    struct fhir_item *item = planner->item;
    struct fhir_reader reader = {.report = &item->report,
                                 .arena = &item->arena};
    char name[FHIR_KEY_MAX + 128];
    char hex[2 * PBFT_DIGEST_SIZE + 1];
    struct pbft_digest digest;

    if (item->name == NULL && item->full_url != NULL) {
        item->name = item->full_url;
    }
    if (item->name == NULL) {
        digest_blake2b(&digest, fhir_item_bytes(item));
        hex_encode(hex, (struct pbft_bytes){digest.bytes, PBFT_DIGEST_SIZE});
        (void)snprintf(name, sizeof name, "%s#%s", item->type, hex);
        item->name = fhir_keep(&reader, name);
    }
    return item->name;
}

/* ---- plans --------------------------------------------------------------- */

static void digest_name(uint8_t out[32], const char *domain, const char *name,
                        const struct pbft_digest *chain,
                        struct pbft_bytes content)
{
    struct pbft_digest digest;
    /* Texts end with their zero: what follows is something else. */
    const struct pbft_bytes parts[] = {
        {(const uint8_t *)domain, strlen(domain) + 1},
        {chain->bytes, sizeof chain->bytes},
        {(const uint8_t *)name, strlen(name) + 1},
        content};

    digest_blake2b_parts(&digest, parts, sizeof parts / sizeof parts[0]);
    memcpy(out, digest.bytes, 32);
}

void fhir_plan_key(uint8_t out[32], const struct fhir_item *item,
                   const struct pbft_digest *chain)
{
    digest_name(out, "salus/journal/1", item->name != NULL ? item->name : "",
                chain, (struct pbft_bytes){item->bytes, item->size});
}

bool fhir_plan_version_keys(uint8_t newest[32], uint8_t before[32],
                            const struct fhir_item *item,
                            const struct pbft_digest *chain)
{
    const char *name = item->name != NULL ? item->name : item->full_url;
    const struct pbft_bytes nothing = {(const uint8_t *)"", 0};

    if (name == NULL) {
        return false;
    }
    digest_name(newest, "salus/journal-newest/1", name, chain, nothing);
    digest_name(before, "salus/journal-before/1", name, chain, nothing);
    return true;
}

/* The ledger has people, not roles: a permit for a team must not reach what one
 * of its members does in another role. */
static void check_team(struct planner *planner)
{
    const struct fhir_party *party = &planner->item->party;

    for (size_t i = 0; i < party->member_count; i++) {
        const struct fhir_reference *member = &party->members[i];
        if (plan_role_is_one_of_several(planner, member->name)) {
            planner_find(planner, FHIR_TEAM_MEMBER, member->path);
        }
    }
}

/* The ledger takes no end that is past. A team that it has gets a moment that
 * no block of this transaction has reached: it is valid neither now nor later.
 * One that it does not have need not begin. */
static void end_team(struct planner *planner)
{
    const struct fhir_plan_options *options = planner->options;
    const struct plan_names names = plan_names_of(planner->item);
    struct fhir_period *period = &planner->item->party.period;
    struct vault_participant known;
    enum pbft_status status = PBFT_NOT_FOUND;

    if (!period->has_to || period->to > (int64_t)options->now_ms) {
        return;
    }
    for (size_t i = 0; i < names.count && status == PBFT_NOT_FOUND; i++) {
        status = vault_find_participant(options->vault, &known, names.items[i]);
    }
    if (status == PBFT_NOT_FOUND) {
        planner_find(planner, FHIR_INACTIVE, "period");
    } else if (planner_check(planner, status)) {
        period->has_from = true;
        period->from = (int64_t)options->envelope.not_after_ms;
        period->to = period->from + 1;
    }
}

static void plan_by_rank(struct planner *planner)
{
    switch (planner->item->rank) {
    case FHIR_RANK_GROUP:
        if (strcmp(planner->item->type, "CareTeam") == 0) {
            check_team(planner);
            end_team(planner);
        }
        plan_participant(planner);
        break;
    case FHIR_RANK_PARTICIPANT:
    case FHIR_RANK_ROLE:
    case FHIR_RANK_AGENT:
        plan_participant(planner);
        break;
    case FHIR_RANK_PATIENT:
        plan_patient(planner);
        break;
    case FHIR_RANK_CONTEXT:
        plan_context(planner);
        break;
    case FHIR_RANK_DOCUMENT:
        plan_document(planner);
        break;
    case FHIR_RANK_CONSENT:
        plan_consent(planner);
        break;
    case FHIR_RANK_AUDIT:
        plan_audit(planner);
        break;
    case FHIR_RANK_PROVENANCE:
        plan_provenance(planner);
        break;
    case FHIR_RANK_OTHER:
        break;
    }
}

enum pbft_status fhir_plan(struct vault_journal *out, struct fhir_item *item,
                           const struct fhir_plan_options *options)
{
    struct planner planner = {.options = options, .item = item, .out = out};

    memset(out, 0, sizeof *out);
    fhir_plan_key(out->key, item, &options->envelope.chain);
    if (fhir_item_class(item) == FHIR_REJECT) {
        return PBFT_OK;
    }
    enum pbft_status status = vault_part_begin(options->vault);
    if (status != PBFT_OK) {
        return status;
    }
    plan_by_rank(&planner);
    out->item_class = (uint32_t)fhir_item_class(item);
    if (planner_is_sound(&planner)) {
        return vault_part_keep(options->vault);
    }
    vault_journal_free(out);
    status = vault_part_undo(options->vault);
    return planner.status != PBFT_OK ? planner.status : status;
}
