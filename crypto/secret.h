/* SPDX-License-Identifier: Apache-2.0 */
/* Memory that holds secrets: wiped, compared in constant time, guarded. */
#ifndef CRYPTO_SECRET_H
#define CRYPTO_SECRET_H

#include <stdbool.h>
#include <stddef.h>

/* Overwrites with zeros in a way that no compiler removes. NULL with size 0 is
 * fine. */
void secret_wipe(void *memory, size_t size);

/* Equal bytes? Takes the same time whatever they are. */
bool secret_equal(const void *left, const void *right, size_t size);

/* Memory between guard pages, kept out of core dumps and, where the system
 * allows it, of swap. Filled with garbage. NULL if there is none. */
void *secret_alloc(size_t size);
/* Makes the memory read-only: a stray write faults. */
void secret_protect(void *memory);
/* Wipes and frees; NULL is fine. */
void secret_free(void *memory);

#endif /* CRYPTO_SECRET_H */
