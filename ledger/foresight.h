/* SPDX-License-Identifier: Apache-2.0 */
/* What the transactions of a block will ask the store for, read at once before
 * they are executed. Private to ledger/.
 *
 * A guess from bytes that nobody has judged yet: what it misses is read when it
 * is asked for, what it wrongly expects is read for nothing. No result depends
 * on it.
 */
#ifndef LEDGER_FORESIGHT_H
#define LEDGER_FORESIGHT_H

#include "ledger/execution.h"

void foresight_read(struct ledger *ledger, const struct ledger_block *block);

/* The next field of an encoded message, of which `rest` is left; `value` is
 * empty unless the field has a length. False at the end and where the bytes are
 * no message. */
bool foresight_next_field(struct pbft_bytes *rest, uint64_t *number,
                          struct pbft_bytes *value);

#endif /* LEDGER_FORESIGHT_H */
