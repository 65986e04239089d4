/* SPDX-License-Identifier: Apache-2.0 */
/* Does a fullUrl mean the resource without an id that has it? Another Bundle
 * may have used it for somebody, or something, else. */
#include <string.h>

#include "crypto/secret.h"
#include "fhir/plan_party.h"

static bool is_text(const char *text, const char *wanted)
{
    return text != NULL && strcmp(text, wanted) == 0;
}

/* Was it registered, or anchored, under that name? */
static bool is_under(const struct vault_journal *entry, const char *url)
{
    for (uint32_t i = 0; i < entry->step_count; i++) {
        const struct vault_step *step = &entry->steps[i];
        if (step->code == 0 &&
            (is_text(step->row, url) || is_text(step->name, url))) {
            return true;
        }
    }
    return false;
}

/* Whom the name means: a handle or the id of a participant. NOT_FOUND. */
static enum pbft_status find_party(uint8_t out[VAULT_HANDLE_SIZE],
                                   const struct fhir_item *item,
                                   const char *name, struct vault *vault)
{
    struct vault_participant participant;
    struct vault_subject subject;
    enum pbft_status status;

    static_assert(VAULT_ID_SIZE <= VAULT_HANDLE_SIZE, "both have room");
    memset(out, 0, VAULT_HANDLE_SIZE);
    if (item->rank == FHIR_RANK_PATIENT) {
        status = vault_find_subject(vault, &subject, name);
        if (status == PBFT_OK) {
            memcpy(out, subject.handle, sizeof subject.handle);
        }
        secret_wipe(&subject, sizeof subject);
        return status;
    }
    status = vault_find_participant(vault, &participant, name);
    if (status == PBFT_OK) {
        memcpy(out, participant.id, sizeof participant.id);
    }
    return status;
}

/* All that makes him who he is: his identifiers; of a role, whose it is. */
static size_t list_proofs(const char *out[PLAN_NAMES_MAX],
                          const struct fhir_party *party)
{
    size_t count = 0;

    for (size_t i = 0; i < party->identifier_count; i++) {
        out[count++] = party->identifiers[i];
    }
    if (party->practitioner.name != NULL) {
        out[count++] = party->practitioner.name;
    }
    return count;
}

/* Of one who was known before: is he whom the name means? */
static enum pbft_status check_known(bool *out, const struct fhir_item *item,
                                    const struct vault_journal *entry,
                                    struct vault *vault)
{
    const char *proofs[PLAN_NAMES_MAX];
    uint8_t meant[VAULT_HANDLE_SIZE];
    uint8_t found[VAULT_HANDLE_SIZE];

    *out = is_under(entry, item->full_url);
    if (*out || item->rank >= FHIR_RANK_CONTEXT) {
        return PBFT_OK;
    }
    size_t count = list_proofs(proofs, &item->party);
    enum pbft_status status = find_party(meant, item, item->full_url, vault);
    *out = status == PBFT_OK && count > 0;
    for (size_t i = 0; i < count && status == PBFT_OK; i++) {
        status = find_party(found, item, proofs[i], vault);
        *out = *out && status == PBFT_OK &&
               memcmp(found, meant, sizeof found) == 0;
    }
    return status == PBFT_NOT_FOUND ? PBFT_OK : status;
}

/* ---- other kinds --------------------------------------------------------- */

static enum vault_kind kind_of(const struct fhir_item *item)
{
    switch (item->rank) {
    case FHIR_RANK_PATIENT:
        return VAULT_SUBJECT;
    case FHIR_RANK_CONTEXT:
        return VAULT_CONTEXT;
    case FHIR_RANK_DOCUMENT:
        return VAULT_RECORD;
    case FHIR_RANK_CONSENT:
        return VAULT_CONSENT;
    case FHIR_RANK_AUDIT:
        return VAULT_EVENT;
    case FHIR_RANK_PARTICIPANT:
    case FHIR_RANK_ROLE:
    case FHIR_RANK_AGENT:
    case FHIR_RANK_GROUP:
    case FHIR_RANK_PROVENANCE:
    case FHIR_RANK_OTHER:
        break;
    }
    return VAULT_PARTICIPANT;
}

/* A patient who acts is a participant too, under all his names. */
static enum pbft_status check_himself(bool *out, const char *url,
                                      struct vault *vault)
{
    struct vault_subject patient;
    struct vault_participant agent;
    struct vault_participant himself;
    char handle_name[VAULT_HANDLE_NAME_SIZE];
    enum pbft_status status = vault_find_subject(vault, &patient, url);

    if (status == PBFT_OK) {
        vault_handle_name(handle_name, patient.handle);
        status = vault_find_participant(vault, &himself, handle_name);
    }
    if (status == PBFT_OK) {
        status = vault_find_participant(vault, &agent, url);
    }
    *out =
        status == PBFT_OK && memcmp(agent.id, himself.id, sizeof agent.id) == 0;
    secret_wipe(&patient, sizeof patient);
    return status == PBFT_NOT_FOUND ? PBFT_OK : status;
}

/* Does the vault have nothing of another kind under that name? A reference does
 * not say of which kind it is. */
static enum pbft_status check_kinds(bool *out, const struct fhir_item *item,
                                    struct vault *vault)
{
    static const enum vault_kind kinds[] = {VAULT_RECORD,  VAULT_CONSENT,
                                            VAULT_EVENT,   VAULT_CONTEXT,
                                            VAULT_SUBJECT, VAULT_PARTICIPANT};
    const enum vault_kind own = kind_of(item);
    enum pbft_status status = PBFT_OK;

    for (size_t i = 0; *out && i < sizeof kinds / sizeof kinds[0]; i++) {
        struct vault_blob blob;
        status = kinds[i] == own ? PBFT_NOT_FOUND
                                 : vault_get(vault, &blob, kinds[i],
                                             planner_text(item->full_url));
        if (status == PBFT_NOT_FOUND) {
            continue;
        }
        if (status != PBFT_OK) {
            return status;
        }
        vault_blob_free(&blob);
        *out = false;
        if (own == VAULT_SUBJECT && kinds[i] == VAULT_PARTICIPANT) {
            status = check_himself(out, item->full_url, vault);
        }
    }
    return status == PBFT_NOT_FOUND ? PBFT_OK : status;
}

/* ---- both ---------------------------------------------------------------- */

enum pbft_status fhir_plan_owns_url(bool *out, const struct fhir_item *item,
                                    const struct vault_journal *entry,
                                    struct vault *vault)
{
    enum pbft_status status = PBFT_OK;

    /* A plan names one without an id by its fullUrl. */
    *out = item->full_url != NULL &&
           (item->name == NULL || item->name == item->full_url);
    if (*out && entry != NULL) {
        status = check_known(out, item, entry, vault);
    }
    return status == PBFT_OK ? check_kinds(out, item, vault) : status;
}
