/* SPDX-License-Identifier: Apache-2.0 */
/* Purposes that the consortium has published since its genesis: numbers of the
 * ledger for codes of other systems, as the institution was told. */
#ifndef VAULT_PURPOSES_H
#define VAULT_PURPOSES_H

#include "vault/vault.h"

#define VAULT_PURPOSES_MAX 64
#define VAULT_PURPOSE_SYSTEM_MAX 128
#define VAULT_PURPOSE_CODE_MAX 64

struct vault_purpose {
    uint32_t id; /* Of the ledger's table. */
    char system[VAULT_PURPOSE_SYSTEM_MAX + 1];
    char code[VAULT_PURPOSE_CODE_MAX + 1];
};

struct vault_purposes {
    struct vault_purpose rows[VAULT_PURPOSES_MAX];
    size_t count;
};

/* NULL: it is none of them; `list` may be NULL. */
const struct vault_purpose *
vault_purposes_find(const struct vault_purposes *list, const char *system,
                    const char *code);
const struct vault_purpose *
vault_purposes_by_id(const struct vault_purposes *list, uint32_t id);

/* OK if it is there already; EXISTS if its code has another number, or its
 * number another code; TOO_LARGE. */
PBFT_MUST_USE enum pbft_status
vault_purposes_add(struct vault_purposes *list,
                   const struct vault_purpose *purpose);

/* All that the vault keeps. */
PBFT_MUST_USE enum pbft_status vault_purposes_load(struct vault *vault,
                                                   struct vault_purposes *out);
/* Keeps those that it does not have yet. EXISTS as above, and nothing is
 * kept; else `list` is all that it has. */
PBFT_MUST_USE enum pbft_status vault_purposes_keep(struct vault *vault,
                                                   struct vault_purposes *list);

/* Takes back what was kept for "system|code". NOT_FOUND. */
PBFT_MUST_USE enum pbft_status vault_purposes_forget(struct vault *vault,
                                                     const char *name);

#endif /* VAULT_PURPOSES_H */
