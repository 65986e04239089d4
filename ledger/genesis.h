/* SPDX-License-Identifier: Apache-2.0 */
/* The state at height 0. Private to ledger/. */
#ifndef LEDGER_GENESIS_H
#define LEDGER_GENESIS_H

#include "ledger/ledger.h"
#include "ledger/overlay.h"

/* The genesis fits these code tables and the limits. */
bool genesis_is_sound(const struct ledger_genesis *genesis);

/* Writes the state of height 0. False if two members, keys or policies are the
 * same; then the writes are worthless. */
bool genesis_write(struct overlay *overlay,
                   const struct ledger_genesis *genesis,
                   struct schema_position *position);

#endif /* LEDGER_GENESIS_H */
