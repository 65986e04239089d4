/* SPDX-License-Identifier: Apache-2.0 */
/* The calls of libsalus about key envelopes with messages instead of bytes. */
#ifndef CLIENT_INBOX_CALLS_H
#define CLIENT_INBOX_CALLS_H

#include "client/parcel.h"
#include "client/salus.h"
#include "proto/arena.h"

/* Answers lie in `arena`. NULL: `*status` says why. */
const Salus__V1__Deliveries *inbox_call_deliver(struct salus_client *client,
                                                struct wire_arena *arena,
                                                const struct parcel *parcels,
                                                size_t count,
                                                enum salus_status *status);
const Salus__V1__Inbox *inbox_call_inbox(struct salus_client *client,
                                         struct wire_arena *arena,
                                         const uint8_t *record, uint32_t after,
                                         enum salus_status *status);
const Salus__V1__Deliveries *
inbox_call_taken(struct salus_client *client, struct wire_arena *arena,
                 const uint8_t record[SEAL_RECORD_SIZE], uint32_t version,
                 const uint8_t key_id[WRAP_KEY_ID_SIZE],
                 enum salus_status *status);
const Salus__V1__Deliveries *inbox_call_sent(struct salus_client *client,
                                             struct wire_arena *arena,
                                             uint32_t after,
                                             enum salus_status *status);

/* The commitment that the ledger holds for this version of the record, as f + 1
 * replicas sign. NOT_FOUND. */
SALUS_MUST_USE enum salus_status
inbox_call_commit(struct salus_client *client, struct pbft_digest *out,
                  const uint8_t record[SEAL_RECORD_SIZE], uint32_t version);

#endif /* CLIENT_INBOX_CALLS_H */
