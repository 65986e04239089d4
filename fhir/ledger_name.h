/* SPDX-License-Identifier: Apache-2.0 */
/* Things of the ledger named by their ids there: a Reference by identifier with
 * the system urn:salus:<cluster id> and a value such as participant/<id>. What
 * an export cannot, or must not, name as the institution does is named so, and
 * an import takes it for what it says. For fhir/ only. */
#ifndef FHIR_LEDGER_NAME_H
#define FHIR_LEDGER_NAME_H

#include "consensus/types.h"
#include "ledger/transaction.h"
#include "vault/entries.h"

#define FHIR_LEDGER_SYSTEM "urn:salus:"
/* A coding of a blinded label: 32 hexadecimal digits. Only of a patient who is
 * named by handle. */
#define FHIR_TAG_SYSTEM "urn:salus:tag"
/* Purposes that no table knows: a permit for them matches nothing. */
#define FHIR_PURPOSE_SYSTEM "urn:salus:purpose"
/* A policy by its id. */
#define FHIR_POLICY_URI "urn:salus:policy:"
/* What a disclosure stands on, as agent.policy of an AuditEvent: an access
 * request or emergency by its id; a law by its code of LEGAL_BASIS, with the
 * commitment to the writing that shows it, 64 hexadecimal digits. */
#define FHIR_DECISION_URI "urn:salus:request:"
#define FHIR_EMERGENCY_URI "urn:salus:emergency:"
#define FHIR_BASIS_URI "urn:salus:legal-basis:"
#define FHIR_DOCUMENT_URI "urn:salus:document:"
/* Extensions: how a consent was given, why glass was broken. */
#define FHIR_MODE_URL "urn:salus:mode"
#define FHIR_REASON_URL "urn:salus:reason"

enum fhir_ledger_kind {
    FHIR_LEDGER_SUBJECT = 1, /* Handle, 32 bytes; the others are 16. */
    FHIR_LEDGER_INSTITUTION,
    FHIR_LEDGER_PARTICIPANT,
    FHIR_LEDGER_GROUP,
    FHIR_LEDGER_DATA, /* A record, encounter or other data. */
    FHIR_LEDGER_CONSENT,
    FHIR_LEDGER_EVENT, /* A disclosure or emergency. */
};

struct fhir_ledger_name {
    enum fhir_ledger_kind kind;
    uint8_t id[VAULT_HANDLE_SIZE];
};

/* How many bytes the ids of a kind have. */
size_t fhir_ledger_id_size(enum fhir_ledger_kind kind);

/* A name as fhir_take_reference() makes it. False: it is none of these, or one
 * of another consortium. `chain` NULL: of any. */
bool fhir_ledger_name_parse(struct fhir_ledger_name *out, const char *name,
                            const struct pbft_digest *chain);

#define FHIR_LEDGER_SYSTEM_SIZE                                                \
    (sizeof FHIR_LEDGER_SYSTEM + 2 * PBFT_DIGEST_SIZE)
#define FHIR_LEDGER_VALUE_SIZE (16 + 2 * VAULT_HANDLE_SIZE)
void fhir_ledger_system(char out[FHIR_LEDGER_SYSTEM_SIZE],
                        const struct pbft_digest *chain);
void fhir_ledger_value(char out[FHIR_LEDGER_VALUE_SIZE],
                       enum fhir_ledger_kind kind, const uint8_t *id);

/* A blinded label in hexadecimal. */
bool fhir_tag_parse(uint8_t out[VAULT_TAG_SIZE], const char *system,
                    const char *code);

/* Of the URI; or what it says itself, if it is FHIR_POLICY_URI and an id. */
void fhir_policy_id(struct transaction_id16 *out, const char *uri);

#endif /* FHIR_LEDGER_NAME_H */
