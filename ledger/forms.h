/* SPDX-License-Identifier: Apache-2.0 */
/* The form of single values, as the ledger will judge it: importers ask first,
 * so that nothing is submitted that must be refused.
 */
#ifndef LEDGER_FORMS_H
#define LEDGER_FORMS_H

#include "consensus/types.h"

/* drs://host/id with id = [a-z2-7]{26,52}, host of labels [a-z0-9-] joined by
 * dots (no port, user, query, fragment), or urn:uuid: and a lower-case UUID. */
bool forms_is_location(struct pbft_bytes location);

/* Reads as text: printable ASCII to the end, or to a padding of zeros; or is
 * all zero. Of random ids of 16 bytes one in seven million does: draw again. */
bool forms_reads_as_text(struct pbft_bytes id);

/* SHA-256 or BLAKE2b-256 of nothing: a commitment without content and salt. */
bool forms_is_hash_of_nothing(struct pbft_bytes commit);

/* A bucket is in KiB: a power of two, or that and a quarter (1, 2, 4, 5, 8, 10,
 * 16, 20, ...). */
bool forms_is_size_bucket(uint32_t bucket);
/* The smallest bucket that holds `size` bytes; 0 above the largest, 2 TiB. */
uint32_t forms_size_bucket(uint64_t size);

/* Texts of governance, none of which concerns a patient; zero-terminated. */
/* [a-z0-9-]{1,32}, but neither like an id nor nothing but dashes. */
bool forms_is_short_name(const char *text);
bool forms_is_legal_name(const char *text);      /* One line of 1..128 bytes. */
bool forms_is_country(const char *text);         /* [A-Z]{2} */
bool forms_is_register_number(const char *text); /* [A-Z0-9.]{1,64} */
bool forms_is_code(const char *text);            /* [A-Za-z0-9._-]{1,64} */
/* Printable ASCII without space, 1 to 255 bytes. */
bool forms_is_uri(const char *text);

#endif /* LEDGER_FORMS_H */
