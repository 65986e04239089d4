/* SPDX-License-Identifier: Apache-2.0 */
/* Generated protobuf messages as JSON and back, by field names: integers as
 * numbers, bytes as hexadecimal text, enums by name. */
#ifndef CLIENT_TOOL_JSON_H
#define CLIENT_TOOL_JSON_H

#include "consensus/status.h"
#include "proto/arena.h"
#include "proto/reason.h"

struct json_t;
struct ProtobufCMessage;
struct ProtobufCMessageDescriptor;

/* Sub-messages of one message: more than the limits of the ledger allow. */
#define TOOL_JSON_MESSAGES_MAX 8192

/* A new object with all fields, zero ones too, but not the kinds of a oneof
 * that are not set. A number above 2^63 - 1, such as the bits of 64 records, is
 * a text of digits, here and below. NULL: out of memory or too many
 * sub-messages. */
struct json_t *tool_json_of(const struct ProtobufCMessage *message);

/* Builds a message in `arena`. Fields that are left out are zero. Codes may be
 * given by their names ("purposes": ["TREAT"]) where a code table has them;
 * lists of codes and ids are sorted, as the ledger demands. The reason names
 * the field: unknown, of wrong type, or twice. */
PBFT_MUST_USE enum pbft_status
tool_json_to(struct ProtobufCMessage **out, struct wire_arena *arena,
             const struct ProtobufCMessageDescriptor *type,
             const struct json_t *json, struct salus_reason *reason);

/* One line on standard output; releases `json`. */
void tool_json_print(struct json_t *json);

#endif /* CLIENT_TOOL_JSON_H */
