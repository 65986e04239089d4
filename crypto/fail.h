/* SPDX-License-Identifier: Apache-2.0 */
/* A status with its reason in one expression. Private to crypto/. */
#ifndef CRYPTO_FAIL_H
#define CRYPTO_FAIL_H

#include "consensus/status.h"
#include "proto/reason.h"

/* Fills `reason` (or NULL) and returns `status`. */
#if defined(__GNUC__) || defined(__clang__)
__attribute__((format(printf, 3, 4)))
#endif
enum pbft_status
crypto_fail(struct salus_reason *reason, enum pbft_status status,
            const char *format, ...);

#endif /* CRYPTO_FAIL_H */
