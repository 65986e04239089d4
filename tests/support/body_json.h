/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON of a transaction, read as the tool does. */
#ifndef TESTS_SUPPORT_BODY_JSON_H
#define TESTS_SUPPORT_BODY_JSON_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>

#include "client/tool_json.h"
#include "proto/scan.h"
#include "salus/v1/ledger.pb-c.h"

/* The caller deinitializes the arena, which holds what comes out. */
static inline enum pbft_status body_from_json(const char *text,
                                              struct wire_arena *arena,
                                              struct ProtobufCMessage **out,
                                              struct salus_reason *reason)
{
    json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(json);
    wire_arena_init(arena, WIRE_UNPACK_BYTES_MAX);
    enum pbft_status status = tool_json_to(
        out, arena, &salus__v1__transaction_body__descriptor, json, reason);
    json_decref(json);
    return status;
}

#endif /* TESTS_SUPPORT_BODY_JSON_H */
