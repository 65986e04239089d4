/* SPDX-License-Identifier: Apache-2.0 */
/* Genesis and member files as protobuf: what is accepted encodes to the same
 * bytes; what is refused says why in one line. */
#include <string.h>

#include "consensus/assert.h"
#include "proto/codec_limits.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/sample_genesis.h"

static void check_member(struct pbft_bytes bytes)
{
    static struct salus_member member;
    struct salus_reason reason = {{0}};
    struct wire_buffer again;
    if (member_decode(bytes, &member, &reason) != PBFT_OK) {
        PBFT_ASSERT(reason.text[0] != '\0');
        return;
    }
    wire_buffer_init(&again, WIRE_FRAME_BYTES_MAX);
    enum pbft_status status = member_encode(&member, &again);
    PBFT_ASSERT(status == PBFT_OK);
    PBFT_ASSERT(again.size == bytes.size);
    PBFT_ASSERT(memcmp(again.data, bytes.data, bytes.size) == 0);
    wire_buffer_deinit(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct pbft_bytes bytes = {data, size};
    struct salus_reason reason = {{0}};
    struct salus_genesis *genesis;
    struct wire_buffer again;
    check_member(bytes);
    if (genesis_decode(sample_crypto(), bytes, &genesis, &reason) != PBFT_OK) {
        PBFT_ASSERT(genesis == NULL);
        PBFT_ASSERT(reason.text[0] != '\0');
        PBFT_ASSERT(strchr(reason.text, '\n') == NULL);
        return 0;
    }
    wire_buffer_init(&again, WIRE_FRAME_BYTES_MAX);
    enum pbft_status status = genesis_encode(genesis, &again);
    PBFT_ASSERT(status == PBFT_OK);
    PBFT_ASSERT(again.size == size);
    PBFT_ASSERT(memcmp(again.data, data, size) == 0);
    wire_buffer_deinit(&again);
    genesis_destroy(genesis);
    return 0;
}
