/* SPDX-License-Identifier: Apache-2.0 */
/* The strict scan over many types; the first byte chooses. What passes unpacks
 * within the foretold memory, keeps no unknown field and packs to the same. */
#include <string.h>

#include "consensus/assert.h"
#include "proto/scan.h"
#include "salus/v1/client.pb-c.h"
#include "salus/v1/files.pb-c.h"
#include "salus/v1/ledger.pb-c.h"
#include "tests/fuzz/fuzz.h"

static const ProtobufCMessageDescriptor *const types[] = {
    &salus__v1__client_call__descriptor,
    &salus__v1__client_reply__descriptor,
    &salus__v1__genesis__descriptor,
    &salus__v1__member__descriptor,
    &salus__v1__private_key__descriptor,
    &salus__v1__receipt__descriptor,
    &salus__v1__transaction_list__descriptor,
    &salus__v1__transaction__descriptor,
    &salus__v1__transaction_body__descriptor,
    &salus__v1__query__descriptor,
    &salus__v1__answer__descriptor,
    &salus__v1__message__descriptor,
    &salus__v1__envelope__descriptor,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wire_arena arena;
    struct wire_buffer again;
    struct wire_scan_result scan;
    ProtobufCMessage *message;
    if (size == 0) {
        return 0;
    }
    const ProtobufCMessageDescriptor *type =
        types[data[0] % (sizeof types / sizeof *types)];
    const struct pbft_bytes bytes = {data + 1, size - 1};
    if (wire_scan(type, bytes, &scan) != PBFT_OK) {
        return 0;
    }
    PBFT_ASSERT(scan.nesting <= WIRE_NESTING_MAX);
    PBFT_ASSERT(scan.elements <= WIRE_ELEMENTS_MAX);
    /* The cap is what the scan foretold: protobuf-c gets not a byte more. */
    wire_arena_init(&arena, scan.memory);
    enum pbft_status status = wire_unpack_strict(type, bytes, &arena, &message);
    PBFT_ASSERT(status == PBFT_OK);
    PBFT_ASSERT(message->n_unknown_fields == 0);
    wire_buffer_init(&again, WIRE_FRAME_BYTES_MAX);
    status = wire_pack(message, &again);
    PBFT_ASSERT(status == PBFT_OK);
    PBFT_ASSERT(again.size == bytes.size);
    PBFT_ASSERT(bytes.size == 0 ||
                memcmp(again.data, bytes.data, bytes.size) == 0);
    wire_buffer_deinit(&again);
    wire_arena_deinit(&arena);
    return 0;
}
