/* SPDX-License-Identifier: Apache-2.0 */
/* What the families of governance and identity share. Private to ledger/. */
#ifndef LEDGER_GOVERNANCE_H
#define LEDGER_GOVERNANCE_H

#include "ledger/execution.h"

/* The reason is one of governance. UNKNOWN_CODE. */
enum ledger_code governance_reason(const struct execution *x, uint32_t reason);

/* A new signing key: sound, nobody's, and it has signed for itself (and for
 * `other`, 32 bytes, or NULL). FIELD_FORM, KEY_REUSED, POP_INVALID. */
struct governance_new_key {
    const ProtobufCBinaryData *key;
    const ProtobufCBinaryData *possession;
    const struct pbft_institution *institution;
    const uint8_t *other;
};
enum ledger_code governance_key_is_new(const struct execution *x,
                                       const ProtobufCBinaryData *key);
enum ledger_code governance_signing_key(const struct execution *x,
                                        const struct governance_new_key *in);

/* Registers a key under its id, which is returned. */
struct transaction_key_id
governance_put_key(struct execution *x, const ProtobufCBinaryData *key,
                   const struct schema_registered_key *in);

#endif /* LEDGER_GOVERNANCE_H */
