/* SPDX-License-Identifier: Apache-2.0 */
/* What people may do: one row for each role of a person. The ledger has the
 * person alone, with what all roles give together. */
#ifndef VAULT_ROLES_H
#define VAULT_ROLES_H

#include "vault/entries.h"

#define VAULT_ROLE_CODES_MAX 8
#define VAULT_ROLES_MAX 32 /* Of one person. */

struct vault_role {
    uint8_t person[VAULT_ID_SIZE]; /* The participant that has it. */
    uint32_t codes[VAULT_ROLE_CODES_MAX];
    uint32_t count;
    uint64_t from_ms; /* 0: open. */
    uint64_t to_ms;
};

/* NOT_FOUND. */
PBFT_MUST_USE enum pbft_status
vault_find_role(struct vault *vault, struct vault_role *out, const char *name);
/* A new row, or another value; from now on it is one of the person's roles.
 * TOO_LARGE: that one has as many as there is room for. */
PBFT_MUST_USE enum pbft_status vault_set_role(struct vault *vault,
                                              const char *name,
                                              const struct vault_role *role);
/* One more name. EXISTS if it means another role. */
PBFT_MUST_USE enum pbft_status
vault_alias_role(struct vault *vault, const char *name, const char *alias);
/* Of the person's roles the one at that place, below VAULT_ROLES_MAX.
 * NOT_FOUND: there is none, and none behind it. */
PBFT_MUST_USE enum pbft_status
vault_find_role_at(struct vault *vault, struct vault_role *out,
                   const uint8_t person[VAULT_ID_SIZE], size_t place);

#endif /* VAULT_ROLES_H */
