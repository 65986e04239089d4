/* SPDX-License-Identifier: Apache-2.0 */
/* A request as a whole: by whose key, and in which slot. The same for execution
 * and for admission. Private to ledger/. */
#ifndef LEDGER_REQUEST_H
#define LEDGER_REQUEST_H

#include "ledger/client_table.h"
#include "ledger/execution.h"

/* Of the submitter: the key is registered for submitting, active, and of
 * the institution that the request names, which is in good standing. */
enum ledger_code request_check_key(struct overlay *overlay,
                                   const struct ledger_request *request,
                                   struct transaction_key_id *key_id,
                                   struct schema_institution *institution);

struct client_slot request_slot(const struct ledger_constants *constants,
                                const struct ledger_request *request);

#endif /* LEDGER_REQUEST_H */
