/* SPDX-License-Identifier: Apache-2.0 */
/* info = "salus/wrap/1" | record[16] | version u32 | key id[16]. */
#include "crypto/wrap.h"

#include <string.h>

#include "crypto/secret.h"

#define TAG "salus/wrap/1"
#define TAG_SIZE (sizeof TAG - 1)
#define INFO_SIZE (TAG_SIZE + SEAL_RECORD_SIZE + 4 + WRAP_KEY_ID_SIZE)

static void fill_info(uint8_t out[INFO_SIZE],
                      const struct wrap_identity *identity)
{
    uint8_t *at = out;

    memcpy(at, TAG, TAG_SIZE);
    at += TAG_SIZE;
    memcpy(at, identity->record, SEAL_RECORD_SIZE);
    at += SEAL_RECORD_SIZE;
    *at++ = (uint8_t)(identity->version >> 24);
    *at++ = (uint8_t)(identity->version >> 16);
    *at++ = (uint8_t)(identity->version >> 8);
    *at++ = (uint8_t)identity->version;
    memcpy(at, identity->key_id, WRAP_KEY_ID_SIZE);
}

enum pbft_status wrap_seal(uint8_t out[WRAP_SIZE],
                           const uint8_t recipient[HPKE_KEY_SIZE],
                           const struct wrap_identity *identity,
                           const uint8_t data_key[SEAL_KEY_SIZE])
{
    uint8_t info[INFO_SIZE];

    fill_info(info, identity);
    return hpke_seal(out, recipient, (struct pbft_bytes){info, sizeof info},
                     (struct pbft_bytes){NULL, 0},
                     (struct pbft_bytes){data_key, SEAL_KEY_SIZE});
}

enum pbft_status wrap_open(uint8_t data_key[SEAL_KEY_SIZE],
                           const uint8_t secret[HPKE_KEY_SIZE],
                           const struct wrap_identity *identity,
                           const uint8_t wrap[WRAP_SIZE])
{
    uint8_t info[INFO_SIZE];

    fill_info(info, identity);
    enum pbft_status status = hpke_open(
        data_key, secret, (struct pbft_bytes){info, sizeof info},
        (struct pbft_bytes){NULL, 0}, (struct pbft_bytes){wrap, WRAP_SIZE});
    if (status != PBFT_OK) {
        secret_wipe(data_key, SEAL_KEY_SIZE);
    }
    return status;
}
