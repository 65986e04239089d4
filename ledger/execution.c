/* SPDX-License-Identifier: Apache-2.0 */
/* What rules ask about the transaction at hand. */
#include "ledger/execution.h"

#include <string.h>

#include "consensus/assert.h"
#include "proto/buffer.h"
#include "proto/scan.h"

bool execution_has_cosigner(const struct execution *x,
                            enum transaction_role role, const uint8_t *key_id)
{
    for (size_t i = 0; i < x->cosigner_count; i++) {
        if (x->cosigners[i].role == role &&
            memcmp(x->cosigners[i].key_id, key_id, LEDGER_ID_SIZE) == 0) {
            return true;
        }
    }
    return false;
}

bool execution_is_submitter(const struct execution *x,
                            const struct pbft_institution *institution)
{
    return memcmp(x->request->institution.bytes, institution->bytes,
                  sizeof institution->bytes) == 0;
}

bool execution_speaks_for(const struct execution *x,
                          const struct pbft_institution *institution)
{
    return execution_is_submitter(x, institution) ||
           state_speaks_for(x->overlay, &x->request->institution, institution);
}

/* Has co-signer `index` signed for governance, first of its institution, and is
 * it not the submitter, who counts anyway? */
static bool adds_a_voice(const struct execution *x, size_t index)
{
    const struct execution_cosigner *one = &x->cosigners[index];
    if (one->role != TRANSACTION_GOVERNANCE ||
        execution_is_submitter(x, &one->key.institution)) {
        return false;
    }
    for (size_t i = 0; i < index; i++) {
        if (x->cosigners[i].role == TRANSACTION_GOVERNANCE &&
            memcmp(&x->cosigners[i].key.institution, &one->key.institution,
                   sizeof one->key.institution) == 0) {
            return false;
        }
    }
    return true;
}

enum ledger_code execution_has_quorum(const struct execution *x)
{
    struct schema_counts counts;
    uint32_t voices = 1;
    if (!state_get_counts(x->overlay, NULL, &counts)) {
        return LEDGER_QUORUM_SHORT;
    }
    for (size_t i = 0; i < x->cosigner_count; i++) {
        voices += adds_a_voice(x, i);
    }
    return voices >= 2 * counts.active / 3 + 1 ? LEDGER_OK
                                               : LEDGER_QUORUM_SHORT;
}

enum ledger_code execution_is_privacy_officer(const struct execution *x)
{
    return x->has_actor && state_participant_has_role(
                               &x->actor, CODES_ROLE_PRIVACY_OFFICER)
               ? LEDGER_OK
               : LEDGER_PRIVACY_ROLE;
}

const void *execution_stored(struct overlay *overlay, struct wire_arena *arena,
                             char kind, const uint8_t *id,
                             const struct ProtobufCMessageDescriptor *type)
{
    struct pbft_bytes bytes;
    return state_get_payload(overlay, kind, id, &bytes)
               ? execution_unpack(overlay, arena, bytes, type)
               : NULL;
}

const void *execution_unpack(struct overlay *overlay, struct wire_arena *arena,
                             struct pbft_bytes bytes,
                             const struct ProtobufCMessageDescriptor *type)
{
    struct ProtobufCMessage *message = NULL;
    wire_arena_reset(arena);
    if (wire_unpack_strict(type, bytes, arena, &message) != PBFT_OK &&
        overlay->status == PBFT_OK) {
        overlay->status = PBFT_CORRUPT;
    }
    return message;
}

struct pbft_bytes execution_pack(struct execution *x,
                                 const struct ProtobufCMessage *message)
{
    struct wire_buffer buffer;
    wire_buffer_init(&buffer, LEDGER_BODY_MAX);
    enum pbft_status status = wire_pack(message, &buffer);
    PBFT_ASSERT(status == PBFT_OK);
    struct pbft_bytes bytes = wire_buffer_bytes(&buffer);
    bytes = overlay_keep(x->overlay, bytes);
    wire_buffer_deinit(&buffer);
    return bytes;
}
