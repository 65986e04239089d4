/* SPDX-License-Identifier: Apache-2.0 */
/* One line for people beside a status: which file, what is wrong with it, what
 * to do. Never contains a secret. */
#ifndef CRYPTO_ERROR_H
#define CRYPTO_ERROR_H

#include "consensus/status.h"

#define CRYPTO_ERROR_MAX 320

struct crypto_error {
    char text[CRYPTO_ERROR_MAX]; /* Zero-terminated; empty if all went well. */
};

#endif /* CRYPTO_ERROR_H */
