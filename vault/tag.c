/* SPDX-License-Identifier: Apache-2.0 */
/* Blinded labels. */
#include <stdio.h>
#include <string.h>

#include "crypto/kdf.h"
#include "vault/entries.h"

#define TAG_TEXT_MAX 1024

void vault_blind_tag(uint8_t out[VAULT_TAG_SIZE],
                     const struct vault_subject *subject, const char *system,
                     const char *code)
{
    char text[TAG_TEXT_MAX];
    uint8_t mac[KDF_HASH_SIZE];
    int size = snprintf(text, sizeof text, "%s|%s", system, code);

    if (size < 0 || (size_t)size >= sizeof text) {
        size = (int)sizeof text - 1;
    }
    kdf_hmac_sha256(
        mac, (struct pbft_bytes){subject->label_key, sizeof subject->label_key},
        (struct pbft_bytes){(const uint8_t *)text, (size_t)size});
    memcpy(out, mac, VAULT_TAG_SIZE);
}
