/* SPDX-License-Identifier: Apache-2.0 */
/* HKDF and HMAC by mbedTLS. */
#include "crypto/kdf.h"

#include "consensus/assert.h"

#include <mbedtls/hkdf.h>
#include <mbedtls/md.h>

static const mbedtls_md_info_t *sha256(void)
{
    const mbedtls_md_info_t *info =
        mbedtls_md_info_from_type(MBEDTLS_MD_SHA256);
    PBFT_ASSERT(info != NULL);
    return info;
}

/* mbedTLS reads no byte of an empty input, but wants a pointer. */
static const uint8_t *data_of(struct pbft_bytes bytes)
{
    static const uint8_t nothing[1] = {0};
    return bytes.data != NULL ? bytes.data : nothing;
}

void kdf_hmac_sha256(uint8_t out[KDF_HASH_SIZE], struct pbft_bytes key,
                     struct pbft_bytes message)
{
    int failed = mbedtls_md_hmac(sha256(), data_of(key), key.size,
                                 data_of(message), message.size, out);
    PBFT_ASSERT(failed == 0); /* Only out of memory could make it fail. */
}

void kdf_extract(uint8_t out[KDF_HASH_SIZE], struct pbft_bytes salt,
                 struct pbft_bytes input_key)
{
    /* HMAC pads a short key with zeros: an empty salt is one of 32 zeros. */
    kdf_hmac_sha256(out, salt, input_key);
}

enum pbft_status kdf_expand(uint8_t *out, size_t out_size,
                            const uint8_t pseudo_random_key[KDF_HASH_SIZE],
                            struct pbft_bytes info)
{
    if (out_size > KDF_OUTPUT_MAX) {
        return PBFT_TOO_LARGE;
    }
    int failed = mbedtls_hkdf_expand(sha256(), pseudo_random_key, KDF_HASH_SIZE,
                                     data_of(info), info.size, out, out_size);
    return failed == 0 ? PBFT_OK : PBFT_NO_MEMORY;
}

enum pbft_status kdf_hkdf(uint8_t *out, size_t out_size, struct pbft_bytes salt,
                          struct pbft_bytes input_key, struct pbft_bytes info)
{
    if (out_size > KDF_OUTPUT_MAX) {
        return PBFT_TOO_LARGE;
    }
    int failed =
        mbedtls_hkdf(sha256(), data_of(salt), salt.size, data_of(input_key),
                     input_key.size, data_of(info), info.size, out, out_size);
    return failed == 0 ? PBFT_OK : PBFT_NO_MEMORY;
}
