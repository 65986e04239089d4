/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 by the instructions that processors have for it, some ten times as
 * fast as libsodium's portable code. Private to crypto/.
 */
#ifndef CRYPTO_SHA256_H
#define CRYPTO_SHA256_H

#include "consensus/types.h"

/* Has this processor got them? */
bool sha256_is_native(void);

/* Of the concatenated parts; only if sha256_is_native(). */
void sha256_native(struct pbft_digest *out, const struct pbft_bytes *parts,
                   size_t part_count);

#endif /* CRYPTO_SHA256_H */
