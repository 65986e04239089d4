/* SPDX-License-Identifier: Apache-2.0 */
/* Generated messages field by field. For fhir/ only. */
#ifndef FHIR_COMPARE_H
#define FHIR_COMPARE_H

#include <stdbool.h>
#include <stddef.h>

struct ProtobufCMessage;

/* True if the messages, of one type, are equal; else `path` names the first
 * field that is not: "root.actors[0].id". */
bool fhir_messages_equal(const struct ProtobufCMessage *left,
                         const struct ProtobufCMessage *right, char *path,
                         size_t size);

#endif /* FHIR_COMPARE_H */
