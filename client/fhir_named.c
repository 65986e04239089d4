/* SPDX-License-Identifier: Apache-2.0 */
/* Patients, consents and decisions that an export is about, by name or id. */
#include "client/fhir_named.h"

#include <string.h>

#include "crypto/hex.h"
#include "crypto/secret.h"

/* A handle, or a name that the vault knows. */
static bool take_subject(struct fhir_gather *gather,
                         const struct fhir_call *call)
{
    const char *text = call->export.subject;
    struct vault_subject subject;

    gather->has_subject = text != NULL;
    if (text == NULL ||
        hex_decode(gather->subject, sizeof gather->subject, text) == PBFT_OK) {
        return true;
    }
    if (vault_find_subject(gather->vault, &subject, text) != PBFT_OK) {
        (void)fhir_failed(call, "not-found",
                          "--subject: no handle, and no patient of the vault");
        return false;
    }
    memcpy(gather->subject, subject.handle, sizeof gather->subject);
    secret_wipe(&subject, sizeof subject);
    return true;
}

static bool take_consent(struct fhir_gather *gather,
                         const struct fhir_call *call)
{
    const char *text = call->export.consent;
    struct vault_consent consent;

    gather->has_consent = text != NULL;
    if (text == NULL ||
        hex_decode(gather->consent, sizeof gather->consent, text) == PBFT_OK) {
        return true;
    }
    if (vault_find_consent(gather->vault, &consent, text) != PBFT_OK) {
        (void)fhir_failed(call, "not-found",
                          "--consent: no id, and no consent of the vault");
        return false;
    }
    memcpy(gather->consent, consent.id, sizeof gather->consent);
    secret_wipe(&consent, sizeof consent);
    return true;
}

static bool is_named(const struct fhir_gather *gather,
                     const struct fhir_wanted *wanted)
{
    for (size_t i = 0; i < gather->count; i++) {
        const struct fhir_wanted *other = &gather->items[i];
        if (other->by_request == wanted->by_request &&
            memcmp(other->consent, wanted->consent, sizeof other->consent) ==
                0 &&
            memcmp(other->tx_id.bytes, wanted->tx_id.bytes,
                   sizeof other->tx_id.bytes) == 0) {
            return true;
        }
    }
    return false;
}

/* By the id of the request, or by a transaction; each once. */
static bool take_decision(struct fhir_gather *gather,
                          const struct fhir_call *call, const char *text)
{
    struct fhir_wanted wanted = {.type = TRANSACTION_ACCESS_REQUEST};

    wanted.by_request = strlen(text) == 2 * sizeof wanted.consent;
    if (hex_decode(wanted.by_request ? wanted.consent : wanted.tx_id.bytes,
                   wanted.by_request ? sizeof wanted.consent
                                     : sizeof wanted.tx_id.bytes,
                   text) != PBFT_OK) {
        (void)fhir_failed(call, "not-found",
                          "--decision: neither an id of a request nor of "
                          "a transaction");
        return false;
    }
    if (!is_named(gather, &wanted) &&
        fhir_gather_add(gather, &wanted) != PBFT_OK) {
        (void)fhir_failed(call, "exception", "out of memory");
        return false;
    }
    return true;
}

/* Transactions first: a request that is named by its own as well has that one's
 * receipt. */
static bool take_decisions(struct fhir_gather *gather,
                           const struct fhir_call *call)
{
    const struct tool_list *list = &call->export.decisions;

    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < list->count; i++) {
            bool is_request = strlen(list->items[i]) == 2 * VAULT_ID_SIZE;
            if (is_request == (pass == 1) &&
                !take_decision(gather, call, list->items[i])) {
                return false;
            }
        }
    }
    return true;
}

bool fhir_named_take(struct fhir_gather *gather, const struct fhir_call *call)
{
    return take_subject(gather, call) && take_consent(gather, call) &&
           take_decisions(gather, call);
}
