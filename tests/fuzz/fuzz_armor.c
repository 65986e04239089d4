/* SPDX-License-Identifier: Apache-2.0 */
/* Armored text: what is accepted gives bytes whose armor gives the same bytes.
 */
#include <string.h>

#include "client/verify_form.h"
#include "consensus/assert.h"
#include "proto/armor.h"
#include "proto/codec_limits.h"
#include "tests/fuzz/fuzz.h"

static void check(enum armor_kind kind, struct pbft_bytes text)
{
    struct wire_buffer bytes;
    struct wire_buffer again;
    struct wire_buffer bytes_again;
    struct salus_reason reason = {{0}};
    wire_buffer_init(&bytes, WIRE_FRAME_BYTES_MAX);
    wire_buffer_init(&again, ARMOR_TEXT_BYTES_MAX);
    wire_buffer_init(&bytes_again, WIRE_FRAME_BYTES_MAX);
    if (armor_decode(kind, text, &bytes, &reason) == PBFT_OK) {
        enum pbft_status status =
            armor_encode(kind, wire_buffer_bytes(&bytes), &again);
        PBFT_ASSERT(status == PBFT_OK);
        status = armor_decode(kind, wire_buffer_bytes(&again), &bytes_again,
                              &reason);
        PBFT_ASSERT(status == PBFT_OK);
        PBFT_ASSERT(bytes.size == bytes_again.size);
        PBFT_ASSERT(bytes.size == 0 ||
                    memcmp(bytes.data, bytes_again.data, bytes.size) == 0);
    } else {
        PBFT_ASSERT(reason.text[0] != '\0');
    }
    wire_buffer_deinit(&bytes);
    wire_buffer_deinit(&again);
    wire_buffer_deinit(&bytes_again);
}

/* What `salus verify` is given, whatever its form. */
static void check_form(struct pbft_bytes content)
{
    enum armor_kind kind = ARMOR_GENESIS;
    struct wire_buffer bytes;
    struct salus_reason reason = {{0}};
    wire_buffer_init(&bytes, WIRE_FRAME_BYTES_MAX);
    if (verify_form_read(&bytes, &kind, content, &reason) == PBFT_OK) {
        PBFT_ASSERT(kind == ARMOR_RECEIPT || kind == ARMOR_QUERY_PROOF);
    } else {
        PBFT_ASSERT(reason.text[0] != '\0');
    }
    wire_buffer_deinit(&bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (int kind = ARMOR_GENESIS; kind <= ARMOR_EVIDENCE; kind++) {
        check((enum armor_kind)kind, (struct pbft_bytes){data, size});
    }
    check_form((struct pbft_bytes){data, size});
    return 0;
}
