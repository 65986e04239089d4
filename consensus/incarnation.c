/* SPDX-License-Identifier: Apache-2.0 */
/* RECOVER requests, and the table that they change. */
#include "consensus/incarnation.h"

#include <string.h>

#include "consensus/assert.h"
#include "consensus/bytes.h"

/* Payload: the tag, replica u32, incarnation u64. */
static const uint8_t recover_tag[16] = "salus/recover/1";
#define RECOVER_SIZE (sizeof recover_tag + PBFT_U32_SIZE + PBFT_U64_SIZE)

/* No institution of the ledger: each replica queues under its own name, so that
 * nobody's requests crowd out a RECOVER, nor it theirs. */
static struct pbft_institution pseudo_institution(pbft_replica_id replica)
{
    struct pbft_institution id = {{'r', 'e', 'c', 'o', 'v', 'e', 'r'}};
    pbft_put_u32(id.bytes + PBFT_INSTITUTION_SIZE - PBFT_U32_SIZE, replica);
    return id;
}

struct pbft_message *pbft_recover_create(const struct pbft_domain *domain,
                                         const struct pbft_keyring *keyring,
                                         const struct pbft_recover *recover,
                                         uint64_t attempt)
{
    uint8_t payload[RECOVER_SIZE];
    PBFT_ASSERT(recover->replica < keyring->replica_count);
    PBFT_ASSERT(attempt > 0);
    memcpy(payload, recover_tag, sizeof recover_tag);
    pbft_put_u32(payload + sizeof recover_tag, recover->replica);
    pbft_put_u64(payload + sizeof recover_tag + PBFT_U32_SIZE,
                 recover->incarnation);
    const struct pbft_request fields = {
        .client = keyring->keys[recover->replica],
        .institution = pseudo_institution(recover->replica),
        .session = recover->incarnation,
        .sequence = attempt,
        .lane = PBFT_LANE_URGENT,
        .payload = {payload, sizeof payload},
    };
    return pbft_request_create(domain, &fields, recover->replica, NULL);
}

bool pbft_recover_parse(const struct pbft_keyring *keyring,
                        const struct pbft_request *request,
                        struct pbft_recover *out)
{
    const uint8_t *bytes = request->payload.data;
    if (request->payload.size != RECOVER_SIZE ||
        memcmp(bytes, recover_tag, sizeof recover_tag) != 0) {
        return false;
    }
    out->replica = pbft_get_u32(bytes + sizeof recover_tag);
    out->incarnation = pbft_get_u64(bytes + sizeof recover_tag + PBFT_U32_SIZE);
    return out->replica < keyring->replica_count &&
           memcmp(&request->client, &keyring->keys[out->replica],
                  sizeof request->client) == 0;
}

bool pbft_recover_is_due(const struct pbft_incarnations *incarnations,
                         const struct pbft_recover *recover, pbft_wall_us time)
{
    const struct pbft_incarnation *now = &incarnations->of[recover->replica];
    PBFT_ASSERT(recover->replica < PBFT_REPLICAS_MAX);
    if (now->number == PBFT_INCARNATION_UNKNOWN - 1 ||
        recover->incarnation != now->number + 1) {
        return false;
    }
    return now->number == 0 ||
           (time >= now->time && time - now->time >= PBFT_RECOVER_INTERVAL_US);
}

bool pbft_incarnations_execute(struct pbft_incarnations *incarnations,
                               const struct pbft_keyring *keyring,
                               const struct pbft_batch *batch, pbft_seq seq,
                               pbft_wall_us time)
{
    bool has_changed = false;
    PBFT_ASSERT(seq > 0);
    for (uint32_t i = 0; i < batch->request_count; i++) {
        struct pbft_recover recover;
        if (pbft_recover_parse(keyring, &batch->requests[i]->request,
                               &recover) &&
            pbft_recover_is_due(incarnations, &recover, time)) {
            incarnations->of[recover.replica] = (struct pbft_incarnation){
                .number = recover.incarnation, .since = seq, .time = time};
            has_changed = true;
        }
    }
    return has_changed;
}

pbft_seq pbft_incarnation_bound(const struct pbft_incarnation *incarnation,
                                uint32_t window, uint32_t interval)
{
    PBFT_ASSERT(interval > 0);
    if (incarnation->number == 0) {
        return 0;
    }
    const pbft_seq reach = incarnation->since + window;
    return reach + (interval - reach % interval) % interval;
}

void pbft_incarnations_encode(const struct pbft_incarnations *incarnations,
                              uint32_t replica_count, uint8_t *out)
{
    PBFT_ASSERT(replica_count <= PBFT_REPLICAS_MAX);
    for (uint32_t i = 0; i < replica_count; i++) {
        const struct pbft_incarnation *from = &incarnations->of[i];
        uint8_t *at = out + (size_t)i * PBFT_INCARNATION_SIZE;
        pbft_put_u64(at, from->number);
        pbft_put_u64(at + PBFT_U64_SIZE, from->since);
        pbft_put_u64(at + 2 * PBFT_U64_SIZE, from->time);
    }
}

bool pbft_incarnations_decode(struct pbft_incarnations *incarnations,
                              uint32_t replica_count, struct pbft_bytes bytes)
{
    *incarnations = (struct pbft_incarnations){0};
    if (replica_count > PBFT_REPLICAS_MAX ||
        bytes.size != (size_t)replica_count * PBFT_INCARNATION_SIZE) {
        return false;
    }
    for (uint32_t i = 0; i < replica_count; i++) {
        const uint8_t *at = bytes.data + (size_t)i * PBFT_INCARNATION_SIZE;
        incarnations->of[i] = (struct pbft_incarnation){
            .number = pbft_get_u64(at),
            .since = pbft_get_u64(at + PBFT_U64_SIZE),
            .time = pbft_get_u64(at + 2 * PBFT_U64_SIZE)};
    }
    return true;
}
