/* SPDX-License-Identifier: Apache-2.0 */
/* Messages: what decodes encodes to the same bytes, is canonical protobuf, and
 * does not confuse the verifier. */
#include <string.h>

#include "consensus/assert.h"
#include "proto/codec.h"
#include "proto/scan.h"
#include "salus/v1/consensus.pb-c.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/cast.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct cast cast;
    const struct pbft_message *message;
    const struct pbft_bytes bytes = {data, size};
    struct wire_scan_result scan;
    struct wire_buffer again;
    if (cast.n == 0) {
        cast_init(&cast, 4);
    }
    if (wire_message_decode(&cast.replicas[0].domain, bytes, NULL, &message) !=
        PBFT_OK) {
        PBFT_ASSERT(message == NULL);
        return 0;
    }
    wire_buffer_init(&again, WIRE_FRAME_BYTES_MAX);
    enum pbft_status status =
        wire_message_encode(message, WIRE_BODY_INCLUDE, &again);
    PBFT_ASSERT(status == PBFT_OK);
    PBFT_ASSERT(again.size == size);
    PBFT_ASSERT(memcmp(again.data, data, size) == 0);
    status = wire_scan(&salus__v1__message__descriptor, bytes, &scan);
    PBFT_ASSERT(status == PBFT_OK);
    /* An object per message, but none larger than its limits. */
    PBFT_ASSERT(pbft_message_memory(message) <= 64 * size + 65536);
    status = pbft_verify(&cast.verifier, 1, message);
    PBFT_ASSERT(status < PBFT_IO); /* It is pure: no trouble of its own. */
    wire_buffer_deinit(&again);
    pbft_message_unref(message);
    return 0;
}
