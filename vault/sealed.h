/* SPDX-License-Identifier: Apache-2.0 */
/* The sealed store: ciphertexts of record contents and consent documents, one
 * file each, named by a random id. The keys are in rows of the vault. */
#ifndef VAULT_SEALED_H
#define VAULT_SEALED_H

#include "vault/entries.h"

/* Seals `content` under `data_key` (crypto/seal.h) and stores it durably; an
 * older file of that id is replaced. `digest` is the BLAKE2b-256 and
 * `sealed_size` the size of the file; each may be NULL. */
PBFT_MUST_USE enum pbft_status vault_sealed_write(
    struct vault *vault, struct pbft_digest *digest, uint64_t *sealed_size,
    const struct pbft_digest *chain, const uint8_t id[VAULT_ID_SIZE],
    const uint8_t data_key[VAULT_SECRET_SIZE], struct pbft_bytes content);
/* NOT_FOUND; BAD_SIGNATURE if the key is another or the file was changed. */
PBFT_MUST_USE enum pbft_status
vault_sealed_read(struct vault *vault, struct vault_blob *out,
                  const struct pbft_digest *chain,
                  const uint8_t id[VAULT_ID_SIZE],
                  const uint8_t data_key[VAULT_SECRET_SIZE]);
/* The file as it is, still sealed. NOT_FOUND. */
PBFT_MUST_USE enum pbft_status
vault_sealed_copy(struct vault *vault, struct vault_blob *out,
                  const uint8_t id[VAULT_ID_SIZE]);
/* NOT_FOUND. */
PBFT_MUST_USE enum pbft_status
vault_sealed_erase(struct vault *vault, const uint8_t id[VAULT_ID_SIZE]);

#endif /* VAULT_SEALED_H */
