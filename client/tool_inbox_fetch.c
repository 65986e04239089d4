/* SPDX-License-Identifier: Apache-2.0 */
#include "client/tool_inbox.h"

#include <inttypes.h>
#include <string.h>

#include "client/inbox_calls.h"
#include "ledger/transaction.h"
#include "proto/codec_limits.h"

const char *inbox_code_text(int code)
{
    switch (code) {
    case SALUS__V1__DELIVERY_CODE__DELIVERY_OK:
        return "ok";
    case SALUS__V1__DELIVERY_CODE__DELIVERY_MALFORMED:
        return "MALFORMED: a field has not its size";
    case SALUS__V1__DELIVERY_CODE__DELIVERY_NO_GRANT:
        return "NO_GRANT: the replica knows of no KEY_GRANT for it (yet)";
    case SALUS__V1__DELIVERY_CODE__DELIVERY_WRONG_COMMIT:
        return "WRONG_COMMIT: the KEY_GRANT is of another wrap";
    case SALUS__V1__DELIVERY_CODE__DELIVERY_ENDED:
        return "ENDED: the grant does not hold any more";
    case SALUS__V1__DELIVERY_CODE__DELIVERY_FOREIGN:
        return "FOREIGN: this institution is not the custodian, or not the "
               "recipient";
    case SALUS__V1__DELIVERY_CODE__DELIVERY_NOT_HERE:
        return "NOT_HERE: the recipient is served by another replica";
    case SALUS__V1__DELIVERY_CODE__DELIVERY_QUOTA:
        return "QUOTA: the custodian's share of the store is used up";
    case SALUS__V1__DELIVERY_CODE__DELIVERY_STORE:
        return "STORE: the replica cannot write its envelope file";
    case SALUS__V1__DELIVERY_CODE__DELIVERY_UNKNOWN:
        return "UNKNOWN: there is no such envelope at this replica";
    default:
        return "a code that this program does not know";
    }
}

const char *inbox_state_text(int state)
{
    switch (state) {
    case SALUS__V1__DELIVERY_STATE__STATE__WAITING:
        return "waiting";
    case SALUS__V1__DELIVERY_STATE__STATE__HELD:
        return "held";
    case SALUS__V1__DELIVERY_STATE__STATE__DELIVERED:
        return "delivered";
    case SALUS__V1__DELIVERY_STATE__STATE__TAKEN:
        return "taken";
    default:
        return "not here";
    }
}

/* ---- fetching ------------------------------------------------------------ */

void inbox_choose(struct parcel *best, const Salus__V1__Inbox *inbox,
                  const struct transaction_key_id *own,
                  const uint8_t record[SEAL_RECORD_SIZE])
{
    for (size_t i = 0; i < inbox->n_items; i++) {
        struct parcel one;
        if (parcel_read(&one, inbox->items[i]->envelope) &&
            memcmp(one.recipient_key, own->bytes, sizeof own->bytes) == 0 &&
            memcmp(one.record, record, sizeof one.record) == 0 &&
            one.version > best->version) {
            *best = one;
        }
    }
}

static enum salus_status find(const struct sealing *sealing,
                              struct salus_client *client, struct parcel *out,
                              const uint8_t record[SEAL_RECORD_SIZE])
{
    struct transaction_key_id own;
    struct wire_arena arena;
    enum salus_status status = SALUS_OK;
    uint32_t after = 0;

    memset(out, 0, sizeof *out);
    transaction_key_id(&own, sealing->own.public_key.bytes);
    do {
        wire_arena_init(&arena, WIRE_UNPACK_BYTES_MAX);
        const Salus__V1__Inbox *inbox =
            inbox_call_inbox(client, &arena, record, after, &status);
        bool goes_on = inbox != NULL && inbox->next > after;
        if (inbox != NULL) {
            inbox_choose(out, inbox, &own, record);
            after = goes_on ? inbox->next : 0; /* It may not begin again. */
        } else {
            after = 0;
        }
        wire_arena_deinit(&arena);
    } while (after != 0);
    return status == SALUS_OK && out->version == 0 ? SALUS_NOT_FOUND : status;
}

bool inbox_is_newest(const struct sealing *sealing, struct salus_client *client,
                     const struct envelope *envelope, const char *path)
{
    struct parcel newest;
    enum salus_status status =
        find(sealing, client, &newest, envelope->identity.record);

    if (status == SALUS_OK && newest.version > envelope->identity.version) {
        (void)tool_failed(sealing->command,
                          "%s holds version %" PRIu32 ", and version %" PRIu32
                          " is waiting: give it another file",
                          path, envelope->identity.version, newest.version);
        return false;
    }
    if (status != SALUS_OK && status != SALUS_NOT_FOUND) {
        (void)tool_failed(sealing->command, "%s",
                          tool_one_replica_text(status));
        return false;
    }
    return true;
}

/* What came from the replica is what the ledger has a commitment to. */
static bool is_the_ledgers(const struct sealing *sealing,
                           struct salus_client *client,
                           const struct envelope *envelope)
{
    struct pbft_digest commit;
    enum salus_status status = inbox_call_commit(
        client, &commit, envelope->identity.record, envelope->identity.version);

    if (status != SALUS_OK) {
        (void)tool_failed(sealing->command,
                          "the record cannot be found on the ledger: %s",
                          tool_one_replica_text(status));
        return false;
    }
    if (memcmp(commit.bytes, envelope->commit.bytes, sizeof commit.bytes) !=
        0) {
        (void)tool_failed(sealing->command,
                          "the envelope is of another content than the record "
                          "on the ledger: not taken");
        return false;
    }
    return true;
}

bool inbox_fetch(const struct sealing *sealing, struct salus_client *client,
                 struct envelope *out, const uint8_t record[SEAL_RECORD_SIZE],
                 const char *path)
{
    struct parcel parcel;
    struct salus_reason reason = {.text = ""};
    enum salus_status found = find(sealing, client, &parcel, record);

    if (found == SALUS_NOT_FOUND) {
        (void)tool_failed(sealing->command,
                          "no envelope of this record for this key: not yet "
                          "delivered, fetched before, or its grant has ended");
        return false;
    }
    if (found != SALUS_OK) {
        (void)tool_failed(sealing->command, "%s", tool_one_replica_text(found));
        return false;
    }
    if (parcel_open(out, &parcel, &sealing->chain, sealing->own.secret) !=
        PBFT_OK) {
        (void)tool_failed(sealing->command,
                          "the envelope was changed on its way: not taken");
        return false;
    }
    if (!is_the_ledgers(sealing, client, out)) {
        return false;
    }
    if (envelope_store(path, out, &reason) != PBFT_OK) {
        (void)tool_failed(sealing->command, "%s", reason.text);
        return false;
    }
    return true;
}

bool inbox_taken(const struct sealing *sealing, struct salus_client *client,
                 const struct envelope *envelope)
{
    struct wire_arena arena;
    struct transaction_key_id own;
    enum salus_status status = SALUS_OK;
    int code = SALUS__V1__DELIVERY_CODE__DELIVERY_UNKNOWN;

    transaction_key_id(&own, sealing->own.public_key.bytes);
    wire_arena_init(&arena, WIRE_UNPACK_BYTES_MAX);
    const Salus__V1__Deliveries *answer =
        inbox_call_taken(client, &arena, envelope->identity.record,
                         envelope->identity.version, own.bytes, &status);
    if (answer != NULL && answer->n_states == 1) {
        code = (int)answer->states[0]->code;
    }
    wire_arena_deinit(&arena);
    if (status != SALUS_OK) {
        (void)tool_failed(sealing->command,
                          "fetched, but the replica could not be told to "
                          "erase it: %s",
                          tool_one_replica_text(status));
        return false;
    }
    /* UNKNOWN: erased already, e.g. since the grant has ended meanwhile. */
    if (code != SALUS__V1__DELIVERY_CODE__DELIVERY_OK &&
        code != SALUS__V1__DELIVERY_CODE__DELIVERY_UNKNOWN) {
        (void)tool_failed(sealing->command,
                          "fetched, but not erased at the replica: %s",
                          inbox_code_text(code));
        return false;
    }
    return true;
}
