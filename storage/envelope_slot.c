/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/envelope_slot.h"

#include <string.h>

#include "consensus/bytes.h"

#define CHECKSUM_SIZE 16
#define TAG_SIZE 16
#define HEAD_END                                                               \
    (CHECKSUM_SIZE + 4 + ENVELOPE_ID_SIZE + 4 + ENVELOPE_ID_SIZE +             \
     PBFT_DIGEST_SIZE + 2 * ENVELOPE_ID_SIZE + 8)

/* Behind the secret. Zero in slots of earlier programs: before all blocks. */
#define OFFSET_JUDGED (ENVELOPE_SLOT_SIZE - 8)

static_assert(HEAD_END + sizeof(struct envelope_secret) <= OFFSET_JUDGED,
              "an envelope fits into its slot");
static_assert(sizeof(struct envelope_secret) == ENVELOPE_SALT_SIZE +
                                                    ENVELOPE_WRAP_SIZE +
                                                    ENVELOPE_DETAILS_SIZE,
              "a secret has no gaps");

bool envelope_state_has_secret(enum envelope_state state)
{
    return state == ENVELOPE_WAITING || state == ENVELOPE_HELD;
}

void envelope_wipe(void *bytes, size_t size)
{
    volatile uint8_t *at = bytes;
    while (size > 0) {
        *at++ = 0;
        size--;
    }
}

static void checksum(uint8_t out[CHECKSUM_SIZE],
                     const uint8_t slot_bytes[ENVELOPE_SLOT_SIZE],
                     const struct pbft_domain *domain, uint32_t slot)
{
    static const uint8_t tag[TAG_SIZE] = "salus/envslot/1";
    uint8_t number[PBFT_U32_SIZE];
    struct pbft_digest digest;
    pbft_put_u32(number, slot);
    const struct pbft_bytes parts[] = {
        {tag, sizeof tag},
        {domain->cluster.bytes, sizeof domain->cluster.bytes},
        {number, sizeof number},
        {slot_bytes + CHECKSUM_SIZE, ENVELOPE_SLOT_SIZE - CHECKSUM_SIZE}};
    domain->crypto->digest(domain->crypto->context, &digest, parts,
                           sizeof parts / sizeof parts[0]);
    memcpy(out, digest.bytes, CHECKSUM_SIZE);
}

static uint8_t *put(uint8_t *at, const void *bytes, size_t size)
{
    memcpy(at, bytes, size);
    return at + size;
}

void envelope_slot_encode(uint8_t out[ENVELOPE_SLOT_SIZE],
                          const struct pbft_domain *domain, uint32_t slot,
                          const struct envelope_head *head,
                          const struct envelope_secret *secret)
{
    memset(out, 0, ENVELOPE_SLOT_SIZE);
    uint8_t *at = out + CHECKSUM_SIZE;
    *at = (uint8_t)head->state;
    at = put(at + 4, head->name.record, ENVELOPE_ID_SIZE);
    pbft_put_u32(at, head->name.version);
    at = put(at + PBFT_U32_SIZE, head->name.recipient_key, ENVELOPE_ID_SIZE);
    at = put(at, head->wrap_commit.bytes, PBFT_DIGEST_SIZE);
    at = put(at, head->custodian.bytes, ENVELOPE_ID_SIZE);
    at = put(at, head->recipient.bytes, ENVELOPE_ID_SIZE);
    pbft_put_u64(at, head->since);
    at += PBFT_U64_SIZE;
    if (secret != NULL) {
        (void)put(at, secret, sizeof *secret);
    } else {
        pbft_put_u32(at, head->receiver);
        (void)put(at + PBFT_U32_SIZE, head->receipt.bytes,
                  sizeof head->receipt.bytes);
    }
    pbft_put_u64(out + OFFSET_JUDGED, head->judged_at);
    checksum(out, out, domain, slot);
}

static const uint8_t *take(const uint8_t *at, void *out, size_t size)
{
    memcpy(out, at, size);
    return at + size;
}

static bool is_zero(const uint8_t in[ENVELOPE_SLOT_SIZE])
{
    uint8_t any = 0;
    for (size_t i = 0; i < ENVELOPE_SLOT_SIZE; i++) {
        any |= in[i];
    }
    return any == 0;
}

enum pbft_status envelope_slot_decode(const uint8_t in[ENVELOPE_SLOT_SIZE],
                                      const struct pbft_domain *domain,
                                      uint32_t slot, struct envelope_head *head,
                                      struct envelope_secret *secret)
{
    uint8_t expected[CHECKSUM_SIZE];
    memset(head, 0, sizeof *head);
    if (is_zero(in)) {
        return PBFT_OK;
    }
    checksum(expected, in, domain, slot);
    const uint8_t *at = in + CHECKSUM_SIZE;
    if (memcmp(expected, in, sizeof expected) != 0 || *at == ENVELOPE_FREE ||
        *at > ENVELOPE_TAKEN) {
        return PBFT_CORRUPT;
    }
    head->state = (enum envelope_state) * at;
    at = take(at + 4, head->name.record, ENVELOPE_ID_SIZE);
    head->name.version = pbft_get_u32(at);
    at = take(at + PBFT_U32_SIZE, head->name.recipient_key, ENVELOPE_ID_SIZE);
    at = take(at, head->wrap_commit.bytes, PBFT_DIGEST_SIZE);
    at = take(at, head->custodian.bytes, ENVELOPE_ID_SIZE);
    at = take(at, head->recipient.bytes, ENVELOPE_ID_SIZE);
    head->since = pbft_get_u64(at);
    head->judged_at = pbft_get_u64(in + OFFSET_JUDGED);
    at += PBFT_U64_SIZE;
    if (!envelope_state_has_secret(head->state)) {
        head->receiver = pbft_get_u32(at);
        (void)take(at + PBFT_U32_SIZE, head->receipt.bytes,
                   sizeof head->receipt.bytes);
    } else if (secret != NULL) {
        (void)take(at, secret, sizeof *secret);
    }
    return PBFT_OK;
}
