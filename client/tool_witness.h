/* SPDX-License-Identifier: Apache-2.0 */
/* Who signed what, where replicas contradict each other about one answer. */
#ifndef CLIENT_TOOL_WITNESS_H
#define CLIENT_TOOL_WITNESS_H

#include <stdio.h>

#include "client/salus.h"

struct json_t;

/* Why an answer was not certified, in words. */
const char *tool_witness_problem(enum salus_status status);
/* A line for each replica that does not agree, and the statements of those that
 * contradict each other. */
void tool_witness_print(FILE *stream, const struct salus_client *client,
                        const struct salus_certified *certified);
/* "level", "certified_by": [names], "not_certified_by": the others by name;
 * "contradiction": {"question_digest":..., "statements": [...]}: all that a
 * signature covers, so that anybody can check it. */
void tool_witness_json(struct json_t *json, const struct salus_client *client,
                       const struct salus_certified *certified, bool ordered);

#endif /* CLIENT_TOOL_WITNESS_H */
