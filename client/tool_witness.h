/* SPDX-License-Identifier: Apache-2.0 */
/* Who signed what, where replicas contradict each other about one answer. */
#ifndef CLIENT_TOOL_WITNESS_H
#define CLIENT_TOOL_WITNESS_H

#include <stdio.h>

#include "client/salus.h"

struct json_t;

/* Nothing if none contradicts another. */
void tool_witness_statements_print(FILE *stream,
                                   const struct salus_client *client,
                                   const struct salus_certified *certified);
/* "contradiction": {"question_digest":..., "statements": [...]}: all that a
 * signature covers, so that anybody can check it. */
void tool_witness_statements_json(struct json_t *json,
                                  const struct salus_client *client,
                                  const struct salus_certified *certified);

#endif /* CLIENT_TOOL_WITNESS_H */
