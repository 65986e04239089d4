/* SPDX-License-Identifier: Apache-2.0 */
/* Details: salt[32] | commit[32] | cipher digest[32], sealed. */
#include "crypto/wrap.h"

#include <string.h>

#include "crypto/secret.h"

#define TAG_SIZE 16

/* Sealing stretches by a header and one tag; it is told from the content by its
 * chain. */
static struct seal_identity details_identity(const struct seal_identity *of)
{
    static const uint8_t tag[TAG_SIZE] = "salus/details/1";
    const struct pbft_bytes parts[] = {
        {tag, sizeof tag}, {of->chain.bytes, sizeof of->chain.bytes}};
    struct seal_identity out = *of;

    digest_blake2b_parts(&out.chain, parts, 2);
    return out;
}

void wrap_salt(uint8_t out[COMMIT_SALT_SIZE],
               const uint8_t record_salt[COMMIT_SALT_SIZE],
               const uint8_t key_id[WRAP_KEY_ID_SIZE])
{
    struct pbft_digest salt;

    static_assert(sizeof salt.bytes == COMMIT_SALT_SIZE, "a salt is a digest");
    commit_sha256(&salt, COMMIT_DOMAIN_WRAP_SALT, record_salt,
                  (struct pbft_bytes){key_id, WRAP_KEY_ID_SIZE});
    memcpy(out, salt.bytes, COMMIT_SALT_SIZE);
}

void wrap_commit(struct pbft_digest *out, const uint8_t salt[COMMIT_SALT_SIZE],
                 const uint8_t wrap[WRAP_SIZE])
{
    commit_sha256(out, COMMIT_DOMAIN_WRAP, salt,
                  (struct pbft_bytes){wrap, WRAP_SIZE});
}

enum pbft_status wrap_details_seal(uint8_t out[WRAP_DETAILS_SIZE],
                                   const uint8_t data_key[SEAL_KEY_SIZE],
                                   const struct seal_identity *identity,
                                   const struct wrap_details *details)
{
    uint8_t plain[WRAP_DETAILS_PLAIN_SIZE];
    const struct seal_identity own = details_identity(identity);

    memcpy(plain, details->salt, COMMIT_SALT_SIZE);
    memcpy(plain + COMMIT_SALT_SIZE, details->commit.bytes, PBFT_DIGEST_SIZE);
    memcpy(plain + COMMIT_SALT_SIZE + PBFT_DIGEST_SIZE,
           details->cipher_digest.bytes, PBFT_DIGEST_SIZE);
    enum pbft_status status = seal_bytes(
        out, data_key, &own, (struct pbft_bytes){plain, sizeof plain});
    secret_wipe(plain, sizeof plain);
    return status;
}

enum pbft_status wrap_details_open(struct wrap_details *out,
                                   const uint8_t data_key[SEAL_KEY_SIZE],
                                   const struct seal_identity *identity,
                                   const uint8_t sealed[WRAP_DETAILS_SIZE])
{
    uint8_t plain[WRAP_DETAILS_SIZE];
    size_t size = 0;
    const struct seal_identity own = details_identity(identity);
    enum pbft_status status =
        seal_open_bytes(plain, &size, data_key, &own,
                        (struct pbft_bytes){sealed, WRAP_DETAILS_SIZE});

    if (status == PBFT_OK && size != WRAP_DETAILS_PLAIN_SIZE) {
        status = PBFT_MALFORMED;
    }
    if (status == PBFT_OK) {
        memcpy(out->salt, plain, COMMIT_SALT_SIZE);
        memcpy(out->commit.bytes, plain + COMMIT_SALT_SIZE, PBFT_DIGEST_SIZE);
        memcpy(out->cipher_digest.bytes,
               plain + COMMIT_SALT_SIZE + PBFT_DIGEST_SIZE, PBFT_DIGEST_SIZE);
    }
    secret_wipe(plain, sizeof plain);
    return status;
}
