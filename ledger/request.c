/* SPDX-License-Identifier: Apache-2.0 */
/* Requests as a whole, and where they stand. */
#include "ledger/request.h"

#include <string.h>

#include "ledger/state.h"

enum ledger_code request_check_key(struct overlay *overlay,
                                   const struct ledger_request *request,
                                   struct transaction_key_id *key_id,
                                   struct schema_institution *institution)
{
    struct schema_registered_key key;
    transaction_key_id(key_id, request->client.bytes);
    if (!state_get_key(overlay, key_id->bytes, &key) ||
        memcmp(key.key.bytes, request->client.bytes, sizeof key.key.bytes) !=
            0 ||
        !state_key_is_active(overlay, &key) ||
        key.purpose != SCHEMA_KEY_SUBMIT) {
        return LEDGER_KEY_STATE;
    }
    if (memcmp(key.institution.bytes, request->institution.bytes,
               sizeof key.institution.bytes) != 0) {
        return LEDGER_FOREIGN_INSTITUTION;
    }
    return state_get_institution(overlay, key.institution.bytes, institution) &&
                   institution->state == SCHEMA_ACTIVE &&
                   institution->from_seq <= overlay->seq
               ? LEDGER_OK
               : LEDGER_INSTITUTION_STATE;
}

struct client_slot request_slot(const struct ledger_constants *constants,
                                const struct ledger_request *request)
{
    return (struct client_slot){
        .client = &request->client,
        .session = request->session,
        .sequence = request->sequence,
        .window = constants->session_window,
    };
}

/* Reads through an overlay that is thrown away: the same code as execution, as
 * of the next block. */
static void begin_reading(struct overlay *overlay, const struct ledger_kv *view)
{
    const struct pbft_digest no_seed = {{0}};
    struct schema_position position = {0};
    overlay_init(overlay, view);
    overlay_begin(overlay, &no_seed);
    if (state_get_position(overlay, &position)) {
        overlay->seq = position.seq + 1;
    }
}

enum pbft_status ledger_admit(const struct ledger *ledger,
                              const struct ledger_kv *view,
                              const struct ledger_request *request,
                              enum ledger_code *code,
                              struct results_location *first)
{
    struct overlay overlay;
    struct transaction_key_id key_id;
    struct schema_institution institution;
    struct client_slot slot = request_slot(&ledger->constants, request);
    *first = (struct results_location){0};
    begin_reading(&overlay, view);
    *code = request_check_key(&overlay, request, &key_id, &institution);
    if (*code == LEDGER_OK) {
        *code = client_table_check(&overlay, &slot, first);
    }
    enum pbft_status status = overlay.status;
    overlay_deinit(&overlay);
    return status;
}

/* NOT_FOUND, unless the store failed. */
static enum pbft_status end_reading(struct overlay *overlay, bool found)
{
    enum pbft_status status = overlay->status;
    overlay_deinit(overlay);
    return status == PBFT_OK && !found ? PBFT_NOT_FOUND : status;
}

enum pbft_status ledger_find_request(const struct ledger_kv *view,
                                     const struct pbft_public_key *client,
                                     uint64_t session, uint64_t sequence,
                                     struct results_location *out)
{
    struct overlay overlay;
    struct schema_request found = {0};
    begin_reading(&overlay, view);
    bool is_there =
        state_get_request(&overlay, client, session, sequence, &found);
    *out = (struct results_location){found.seq, found.request_index};
    return end_reading(&overlay, is_there);
}

enum pbft_status
ledger_find_transaction(const struct ledger_kv *view,
                        const struct pbft_digest *tx_id,
                        struct ledger_transaction_location *out)
{
    struct overlay overlay;
    struct schema_transaction found = {0};
    begin_reading(&overlay, view);
    bool is_there = state_get_transaction(&overlay, tx_id->bytes, &found);
    *out = (struct ledger_transaction_location){
        .seq = found.seq,
        .request_index = found.request_index,
        .index = found.index,
        .code = found.code,
    };
    return end_reading(&overlay, is_there);
}

static bool is_key_of(struct overlay *overlay,
                      const struct pbft_institution *institution,
                      const struct pbft_public_key *client)
{
    struct transaction_key_id key_id;
    struct schema_registered_key found = {0};
    transaction_key_id(&key_id, client->bytes);
    return state_get_key(overlay, key_id.bytes, &found) &&
           memcmp(found.institution.bytes, institution->bytes,
                  sizeof institution->bytes) == 0;
}

enum pbft_status ledger_may_look_up(const struct ledger_kv *view,
                                    const struct pbft_institution *caller,
                                    const struct pbft_public_key *client)
{
    struct overlay overlay;
    begin_reading(&overlay, view);
    bool may = state_is_active_institution(&overlay, caller->bytes) &&
               (client == NULL || is_key_of(&overlay, caller, client));
    enum pbft_status status = end_reading(&overlay, may);
    return status == PBFT_NOT_FOUND ? PBFT_NOT_MEMBER : status;
}

enum pbft_status ledger_key_owner(const struct ledger_kv *view,
                                  const struct pbft_public_key *key,
                                  struct pbft_institution *out)
{
    struct overlay overlay;
    struct transaction_key_id key_id;
    struct schema_registered_key found = {0};
    transaction_key_id(&key_id, key->bytes);
    begin_reading(&overlay, view);
    bool is_there = state_get_active_key(&overlay, key_id.bytes,
                                         SCHEMA_KEY_SUBMIT, &found) &&
                    memcmp(found.key.bytes, key->bytes, sizeof key->bytes) == 0;
    *out = found.institution;
    return end_reading(&overlay, is_there);
}

enum pbft_status ledger_view_position(const struct ledger_kv *view,
                                      struct ledger_position *out)
{
    struct overlay overlay;
    struct schema_position found = {0};
    begin_reading(&overlay, view);
    bool is_there = state_get_position(&overlay, &found);
    *out = (struct ledger_position){found.seq, found.time, found.ledger_root,
                                    found.transactions};
    return end_reading(&overlay, is_there);
}
