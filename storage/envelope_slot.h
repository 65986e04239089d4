/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes of one slot of the envelope file. Private to storage/.
 *
 *   checksum[16] | state u8 | zeros[3] | record[16] | version u32 |
 *   recipient key[16] | wrap commit[32] | custodian[16] | recipient[16] |
 *   since u64 | secret[265] or receiver u32 | receipt[64] | zeros
 *
 * Integers big-endian. The checksum is the beginning of the BLAKE2b-256 of
 * "salus/envslot/1" padded to 16, cluster, slot number u32 and the rest. */
#ifndef STORAGE_ENVELOPE_SLOT_H
#define STORAGE_ENVELOPE_SLOT_H

#include "storage/envelopes.h"

/* `secret` NULL: there is none. */
void envelope_slot_encode(uint8_t out[ENVELOPE_SLOT_SIZE],
                          const struct pbft_domain *domain, uint32_t slot,
                          const struct envelope_head *head,
                          const struct envelope_secret *secret);
/* `secret` may be NULL. OK also for a free one; CORRUPT. */
PBFT_MUST_USE enum pbft_status envelope_slot_decode(
    const uint8_t in[ENVELOPE_SLOT_SIZE], const struct pbft_domain *domain,
    uint32_t slot, struct envelope_head *head, struct envelope_secret *secret);

/* Does the state come with a secret? */
bool envelope_state_has_secret(enum envelope_state state);

/* Zeros that the compiler may not leave out. */
void envelope_wipe(void *bytes, size_t size);

#endif /* STORAGE_ENVELOPE_SLOT_H */
