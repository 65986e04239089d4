/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "client/load.h"
#include "crypto/random.h"

/* One call of the kernel fills all that is random in one. */
enum pbft_status load_make_anchor(struct transaction_bytes *out,
                                  const struct transaction_envelope *envelope,
                                  const uint8_t encryption_key[16],
                                  uint32_t payload, const uint8_t *record)
{
    struct sample_noise noise;

    do {
        random_fill(&noise, sample_noise_size(payload));
    } while (!sample_noise_is_usable(&noise, payload));
    if (record != NULL) {
        memcpy(noise.ids[0], record, LEDGER_ID_SIZE);
    }
    return sample_anchor(out, envelope, encryption_key, payload, &noise);
}
