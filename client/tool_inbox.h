/* SPDX-License-Identifier: Apache-2.0 */
/* The recipient's end of the delivery: from the own replica to an envelope
 * file.
 */
#ifndef CLIENT_TOOL_INBOX_H
#define CLIENT_TOOL_INBOX_H

#include "client/parcel.h"
#include "client/salus.h"
#include "client/tool_sealing.h"
#include "ledger/transaction.h"

/* The newest version of the record for the own key, if it is newer than `best`.
 * The replica may have sent others, unasked. */
void inbox_choose(struct parcel *best, const Salus__V1__Inbox *inbox,
                  const struct transaction_key_id *own,
                  const uint8_t record[SEAL_RECORD_SIZE]);

/* Fetches the newest envelope of the record for the own key, opens it, compares
 * its commitment with the ledger's and writes it to the new file `path`, mode
 * 0600, durable. Says what is wrong. */
bool inbox_fetch(const struct sealing *sealing, struct salus_client *client,
                 struct envelope *out, const uint8_t record[SEAL_RECORD_SIZE],
                 const char *path);
/* No newer one of the same record waits for the own key; `path`: where this one
 * is. Says what is wrong. */
bool inbox_is_newest(const struct sealing *sealing, struct salus_client *client,
                     const struct envelope *envelope, const char *path);
/* Tells the replica to erase it: the recipient has it. Repeating it does
 * nothing. Says what is wrong. */
bool inbox_taken(const struct sealing *sealing, struct salus_client *client,
                 const struct envelope *envelope);

/* Words for people; never NULL. */
const char *inbox_code_text(int code);
const char *inbox_state_text(int state);

#endif /* CLIENT_TOOL_INBOX_H */
