/* SPDX-License-Identifier: Apache-2.0 */
/* Care of a vault: to check it, to copy it, to change its key, and to forget a
 * patient. Each is whole or has not happened, wherever the process dies. */
#ifndef VAULT_CARE_H
#define VAULT_CARE_H

#include "vault/entries.h"

#define VAULT_KINDS 10 /* An array by enum vault_kind; 0 is unused. */

struct vault_census {
    uint64_t rows[VAULT_KINDS];
    uint64_t open;    /* Resources that an import has left open. */
    uint64_t damaged; /* Rows that do not open; only of a check. */
    uint64_t sealed;  /* Files in the sealed store. */
    uint64_t missing; /* Rows whose sealed file is gone; only of a check. */
};

PBFT_MUST_USE enum pbft_status vault_take_census(struct vault *vault,
                                                 struct vault_census *out);
/* The same, after the database was examined and every row opened. CORRUPT if
 * the database itself is damaged. */
PBFT_MUST_USE enum pbft_status vault_check(struct vault *vault,
                                           struct vault_census *out);

/* What was forgotten, or would be. */
struct vault_forgotten {
    uint64_t records;
    uint64_t consents;
    uint64_t events;
    uint64_t contexts; /* Encounters, and what else documents point to. */
    uint64_t agents;   /* Who acts for the patient. */
    uint64_t journal;  /* Resources that would no longer be known. */
};

/* Destroys the patient's row, and the rows and sealed contents of all that is
 * of that patient, with what the journal says of them; what it says of others
 * stays. With `only_count` nothing is changed. NOT_FOUND: nobody has that name;
 * EXISTS: an import has to be finished first. If it is interrupted, call it
 * again. */
PBFT_MUST_USE enum pbft_status vault_forget_subject(struct vault *vault,
                                                    struct vault_forgotten *out,
                                                    const char *name,
                                                    bool only_count);

/* A consistent copy in a new folder, without the key: to open it, put the
 * vault.key of this time beside it. The folder appears when it is whole. */
PBFT_MUST_USE enum pbft_status vault_backup(struct vault *vault,
                                            const char *folder,
                                            struct salus_reason *reason);

/* Draws a new vault key and wraps every row key under it. If it is interrupted,
 * the vault opens with the old key or with the new one. */
PBFT_MUST_USE enum pbft_status vault_rekey(struct vault *vault,
                                           struct salus_reason *reason);

#endif /* VAULT_CARE_H */
