/* SPDX-License-Identifier: Apache-2.0 */
/* Exactly once: which requests of a client key were executed (docs/api.md,
 * section 2). Private to ledger/.
 *
 * A key has sessions, numbered by its client in any increasing way; the 16
 * highest are kept. Opening one more closes the lowest for ever: all below the
 * durable floor answer SESSION_CLOSED. In a session, sequences 1, 2, ... are
 * open from the lowest one not executed, and W - 1 above it.
 */
#ifndef LEDGER_CLIENT_TABLE_H
#define LEDGER_CLIENT_TABLE_H

#include "ledger/errors.h"
#include "ledger/overlay.h"
#include "ledger/results.h"
#include "ledger/things.h"

/* Who asks, and for which slot. */
struct client_slot {
    const struct pbft_public_key *client;
    uint64_t session;
    uint64_t sequence;
    uint32_t window; /* W */
};

/* OK: the slot is open. DUPLICATE: `*first` is where the result stands.
 * SESSION_CLOSED, OUTSIDE_WINDOW, SEQUENCE. Changes nothing. */
enum ledger_code client_table_check(struct overlay *overlay,
                                    const struct client_slot *slot,
                                    struct results_location *first);

/* Uses up a slot that check found open, whatever becomes of the request. */
void client_table_take(struct overlay *overlay, const struct client_slot *slot,
                       const struct schema_request *here);

#endif /* LEDGER_CLIENT_TABLE_H */
