/* SPDX-License-Identifier: Apache-2.0 */
/* Envelopes: what decodes is canonical protobuf, gives as many messages as it
 * said, and each decodes or is refused. */
#include "consensus/assert.h"
#include "proto/codec.h"
#include "proto/scan.h"
#include "salus/v1/consensus.pb-c.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/cast.h"

static void release_nothing(void *owner)
{
    (void)owner;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct cast cast;
    struct wire_envelope envelope;
    struct wire_scan_result scan;
    struct pbft_bytes bytes = {data, size};
    if (cast.n == 0) {
        cast_init(&cast, 4);
    }
    const struct pbft_domain *domain = &cast.replicas[0].domain;
    if (wire_envelope_decode(&domain->cluster, bytes, &envelope) != PBFT_OK) {
        return 0;
    }
    enum pbft_status status =
        wire_scan(&salus__v1__envelope__descriptor, bytes, &scan);
    PBFT_ASSERT(status == PBFT_OK);
    struct pbft_buffer *backing = pbft_buffer_wrap((uint8_t *)(uintptr_t)data,
                                                   size, NULL, release_nothing);
    PBFT_ASSERT(backing != NULL);
    uint32_t left = envelope.message_count;
    while (wire_envelope_next(&envelope, &bytes)) {
        const struct pbft_message *message;
        PBFT_ASSERT(left > 0);
        left--;
        if (wire_message_decode(domain, bytes, backing, &message) == PBFT_OK) {
            status = pbft_verify(&cast.verifier, envelope.sender, message);
            PBFT_ASSERT(status < PBFT_IO); /* It is pure. */
        }
        pbft_message_unref(message);
    }
    PBFT_ASSERT(left == 0);
    while (wire_envelope_next_delivery(&envelope, &bytes)) {
        PBFT_ASSERT(bytes.size > 0 && bytes.size <= WIRE_DELIVERY_BYTES_MAX);
    }
    pbft_buffer_unref(backing);
    return 0;
}
