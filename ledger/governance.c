/* SPDX-License-Identifier: Apache-2.0 */
/* New keys and reasons, as governance and identity need them. */
#include "ledger/governance.h"

#include <string.h>

#include "crypto/sign.h"
#include "ledger/checks.h"

enum ledger_code governance_reason(const struct execution *x, uint32_t reason)
{
    return checks_flagged(x, CODES_REASON, reason, CODES_FOR_GOVERNANCE);
}

enum ledger_code governance_key_is_new(const struct execution *x,
                                       const ProtobufCBinaryData *key)
{
    struct transaction_key_id id;
    if (key->len != PBFT_PUBLIC_KEY_SIZE) {
        return LEDGER_FIELD_FORM;
    }
    transaction_key_id(&id, key->data);
    return thing_has(x->overlay, &thing_key, id.bytes) ? LEDGER_KEY_REUSED
                                                       : LEDGER_OK;
}

enum ledger_code governance_signing_key(const struct execution *x,
                                        const struct governance_new_key *in)
{
    uint8_t preimage[TRANSACTION_POSSESSION_SIZE];
    struct pbft_public_key key;
    struct pbft_signature signature;
    enum ledger_code code = governance_key_is_new(x, in->key);
    if (code != LEDGER_OK) {
        return code;
    }
    if (in->possession->len != sizeof signature.bytes) {
        return LEDGER_POP_INVALID;
    }
    memcpy(key.bytes, in->key->data, sizeof key.bytes);
    memcpy(signature.bytes, in->possession->data, sizeof signature.bytes);
    transaction_possession_preimage(preimage, &x->constants->chain,
                                    in->institution, key.bytes, in->other);
    return sign_is_valid_key(&key) &&
                   sign_verify(&key,
                               (struct pbft_bytes){preimage, sizeof preimage},
                               &signature)
               ? LEDGER_OK
               : LEDGER_POP_INVALID;
}

struct transaction_key_id
governance_put_key(struct execution *x, const ProtobufCBinaryData *key,
                   const struct schema_registered_key *in)
{
    struct transaction_key_id id;
    struct schema_registered_key registered = *in;
    transaction_key_id(&id, key->data);
    memcpy(registered.key.bytes, key->data, sizeof registered.key.bytes);
    state_put_key(x->overlay, id.bytes, &registered);
    return id;
}
