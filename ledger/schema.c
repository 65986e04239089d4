/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of the ledger. */
#include "ledger/schema.h"

#include "consensus/assert.h"
#include "ledger/fields.h"

static void begin(struct schema_key *key, enum ledger_space space, char kind)
{
    key->space = space;
    key->bytes[0] = (uint8_t)kind;
    key->size = 1;
}

static void add(struct schema_key *key, const uint8_t *bytes, size_t size)
{
    PBFT_ASSERT(key->size + size <= sizeof key->bytes);
    memcpy(key->bytes + key->size, bytes, size);
    key->size += size;
}

static void add_u32(struct schema_key *key, uint32_t value)
{
    uint8_t bytes[FIELD_U32_SIZE];
    field_put_u32(bytes, value);
    add(key, bytes, sizeof bytes);
}

static void add_u64(struct schema_key *key, uint64_t value)
{
    uint8_t bytes[FIELD_U64_SIZE];
    field_put_u64(bytes, value);
    add(key, bytes, sizeof bytes);
}

void schema_key_position(struct schema_key *key)
{
    begin(key, LEDGER_SPACE_STATE, 'M');
}

void schema_key_chain(struct schema_key *key)
{
    begin(key, LEDGER_SPACE_STATE, 'C');
}

void schema_key_height(struct schema_key *key, pbft_seq seq)
{
    begin(key, LEDGER_SPACE_INDEX, 'H');
    add_u64(key, seq);
}

void schema_key_institution(struct schema_key *key, const uint8_t *institution)
{
    begin(key, LEDGER_SPACE_STATE, 'i');
    add(key, institution, PBFT_INSTITUTION_SIZE);
}

void schema_key_key(struct schema_key *key, const uint8_t *key_id)
{
    begin(key, LEDGER_SPACE_STATE, 'k');
    add(key, key_id, LEDGER_ID_SIZE);
}

void schema_key_participant(struct schema_key *key, const uint8_t *participant)
{
    begin(key, LEDGER_SPACE_STATE, 'p');
    add(key, participant, LEDGER_ID_SIZE);
}

void schema_key_policy(struct schema_key *key, const uint8_t *policy,
                       uint32_t version)
{
    begin(key, LEDGER_SPACE_STATE, 'y');
    add(key, policy, LEDGER_ID_SIZE);
    add_u32(key, version);
}

void schema_key_subject(struct schema_key *key, const uint8_t *handle)
{
    begin(key, LEDGER_SPACE_STATE, 's');
    add(key, handle, LEDGER_HANDLE_SIZE);
}

void schema_key_consent(struct schema_key *key, const uint8_t *consent)
{
    begin(key, LEDGER_SPACE_STATE, 'c');
    add(key, consent, LEDGER_ID_SIZE);
}

void schema_key_record(struct schema_key *key, const uint8_t *record)
{
    begin(key, LEDGER_SPACE_STATE, 'r');
    add(key, record, LEDGER_ID_SIZE);
}

void schema_key_payload(struct schema_key *key, char kind, const uint8_t *id)
{
    const uint8_t byte = (uint8_t)kind;
    begin(key, LEDGER_SPACE_STATE, 'b');
    add(key, &byte, 1);
    add(key, id, LEDGER_ID_SIZE);
}

void schema_key_next(struct schema_key *key, pbft_seq seq, uint32_t number)
{
    key->space = LEDGER_SPACE_THINGS;
    key->size = 0;
    add_u64(key, seq);
    add_u32(key, number);
}

bool schema_key_written(struct schema_key *key, struct pbft_bytes where)
{
    key->space = LEDGER_SPACE_THINGS;
    key->size = 0;
    if (where.size != SCHEMA_WHERE_SIZE) {
        return false;
    }
    add(key, where.data, where.size);
    return true;
}

void schema_key_decision(struct schema_key *key, const uint8_t *request,
                         uint32_t number)
{
    const uint8_t place = (uint8_t)(number % LEDGER_DECISIONS_KEPT);
    begin(key, LEDGER_SPACE_STATE, 'o');
    add(key, request, LEDGER_ID_SIZE);
    add(key, &place, 1);
}

void schema_key_transaction(struct schema_key *key, const uint8_t *tx_id)
{
    begin(key, LEDGER_SPACE_INDEX, 'x');
    add(key, tx_id, PBFT_DIGEST_SIZE);
}

void schema_key_consent_history(struct schema_key *key, const uint8_t *consent)
{
    begin(key, LEDGER_SPACE_INDEX, 'h');
    add(key, consent, LEDGER_ID_SIZE);
}

void schema_key_subject_history(struct schema_key *key, const uint8_t *handle)
{
    begin(key, LEDGER_SPACE_INDEX, 'g');
    add(key, handle, LEDGER_HANDLE_SIZE);
}

void schema_key_add_place(struct schema_key *key,
                          const struct schema_place *place)
{
    add_u64(key, place->time);
    add_u32(key, place->request_index);
    add_u32(key, place->index);
}

void schema_key_add_event(struct schema_key *key,
                          const struct schema_place *place,
                          const uint8_t *consent, uint8_t kind)
{
    schema_key_add_place(key, place);
    add(key, consent, LEDGER_ID_SIZE);
    add(key, &kind, 1);
}

void schema_key_commit(struct schema_key *key, const uint8_t *commit)
{
    begin(key, LEDGER_SPACE_INDEX, 'm');
    add(key, commit, LEDGER_COMMIT_SIZE);
}

void schema_key_client(struct schema_key *key,
                       const struct pbft_public_key *client)
{
    begin(key, LEDGER_SPACE_CLIENT, 'c');
    add(key, client->bytes, sizeof client->bytes);
}

void schema_key_session(struct schema_key *key,
                        const struct pbft_public_key *client, uint64_t session)
{
    begin(key, LEDGER_SPACE_CLIENT, 's');
    add(key, client->bytes, sizeof client->bytes);
    add_u64(key, session);
}

void schema_key_request(struct schema_key *key,
                        const struct pbft_public_key *client, uint64_t session,
                        uint64_t sequence)
{
    begin(key, LEDGER_SPACE_CLIENT, 'q');
    add(key, client->bytes, sizeof client->bytes);
    add_u64(key, session);
    add_u64(key, sequence);
}
