/* SPDX-License-Identifier: Apache-2.0 */
/* Where something stands in a configuration text. libcyaml tells the place of
 * the event before a key that it refuses, and no place for a value that only we
 * refuse; people want the line that they have to change.
 */
#ifndef NODE_CONFIG_TEXT_H
#define NODE_CONFIG_TEXT_H

#include <stdbool.h>

struct config_place {
    unsigned line;   /* From 1; 0: not known. */
    unsigned column; /* From 1. */
};

/* The first `key:` at or behind `from` (line 0: the start), outside comments.
 * False, and `out` is not changed, if there is none. */
bool config_text_find(const char *text, const char *key,
                      struct config_place from, struct config_place *out);

/* Whether a second YAML document begins; where. */
bool config_text_has_second_document(const char *text,
                                     struct config_place *out);

#endif /* NODE_CONFIG_TEXT_H */
