/* SPDX-License-Identifier: Apache-2.0 */
/* The results of a block as bytes: what storage keeps of them.
 *
 *   version u32 = 1, seq u64, time u64, block digest[32], swept u8,
 *   sweep digest[32], requests u32,
 *   per request: digest[32] code u32 first-seq u64 first-index u32 count u32,
 *                count times: tx id[32] code u32 write digest[32]
 */
#include <stdlib.h>

#include "consensus/assert.h"
#include "ledger/fields.h"
#include "ledger/limits.h"
#include "ledger/results.h"

#define RESULTS_VERSION 1
#define HEADER_SIZE (4 + 8 + 8 + 32 + 1 + 32 + 4)
#define REQUEST_SIZE (32 + 4 + 8 + 4 + 4)
#define TRANSACTION_SIZE (32 + 4 + 32)

static size_t transactions_of(const struct results_block *block)
{
    size_t count = 0;
    for (uint32_t i = 0; i < block->request_count; i++) {
        count += block->requests[i].transaction_count;
    }
    return count;
}

size_t results_encoded_size(const struct results_block *block)
{
    return HEADER_SIZE + (size_t)block->request_count * REQUEST_SIZE +
           transactions_of(block) * TRANSACTION_SIZE;
}

static void write_request(struct field_writer *writer,
                          const struct results_request *request)
{
    field_write(writer, request->digest.bytes, PBFT_DIGEST_SIZE);
    field_write_u32(writer, request->code);
    field_write_u64(writer, request->first.seq);
    field_write_u32(writer, request->first.request_index);
    field_write_u32(writer, request->transaction_count);
    for (uint32_t i = 0; i < request->transaction_count; i++) {
        const struct results_transaction *one = &request->transactions[i];
        field_write(writer, one->tx_id.bytes, PBFT_DIGEST_SIZE);
        field_write_u32(writer, one->code);
        field_write(writer, one->write_digest.bytes, PBFT_DIGEST_SIZE);
    }
}

void results_encode(uint8_t *out, const struct results_block *block)
{
    struct field_writer writer = {.data = out,
                                  .capacity = results_encoded_size(block)};
    field_write_u32(&writer, RESULTS_VERSION);
    field_write_u64(&writer, block->seq);
    field_write_u64(&writer, block->time);
    field_write(&writer, block->block_digest.bytes, PBFT_DIGEST_SIZE);
    field_write_u8(&writer, block->is_swept);
    field_write(&writer, block->sweep_digest.bytes, PBFT_DIGEST_SIZE);
    field_write_u32(&writer, block->request_count);
    for (uint32_t i = 0; i < block->request_count; i++) {
        write_request(&writer, &block->requests[i]);
    }
    PBFT_ASSERT(!writer.overflow);
    PBFT_ASSERT(writer.size == writer.capacity);
}

/* Requests and transactions of one decoded block, in one allocation. */
struct room {
    struct results_block block;
    struct results_request *requests;
    struct results_transaction *transactions;
    size_t transactions_left;
};

static enum pbft_status make_room(struct room **out, uint32_t request_count,
                                  size_t left)
{
    if (request_count > PBFT_BATCH_REQUESTS_MAX ||
        (size_t)request_count * REQUEST_SIZE > left) {
        return PBFT_MALFORMED;
    }
    size_t rest = left - (size_t)request_count * REQUEST_SIZE;
    if (rest % TRANSACTION_SIZE != 0) {
        return PBFT_MALFORMED;
    }
    size_t transactions = rest / TRANSACTION_SIZE;
    struct room *room =
        malloc(sizeof *room + request_count * sizeof *room->requests +
               transactions * sizeof *room->transactions);
    if (room == NULL) {
        return PBFT_NO_MEMORY;
    }
    room->requests = (struct results_request *)(void *)(room + 1);
    room->transactions =
        (struct results_transaction *)(void *)(room->requests + request_count);
    room->transactions_left = transactions;
    *out = room;
    return PBFT_OK;
}

static void read_transactions(struct field_reader *reader,
                              struct results_transaction *out, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        field_read(reader, out[i].tx_id.bytes, PBFT_DIGEST_SIZE);
        out[i].code = field_read_u32(reader);
        field_read(reader, out[i].write_digest.bytes, PBFT_DIGEST_SIZE);
    }
}

static bool read_request(struct field_reader *reader, struct room *room,
                         struct results_request *request)
{
    field_read(reader, request->digest.bytes, PBFT_DIGEST_SIZE);
    request->code = field_read_u32(reader);
    request->first.seq = field_read_u64(reader);
    request->first.request_index = field_read_u32(reader);
    request->transaction_count = field_read_u32(reader);
    request->transactions = room->transactions;
    if (request->transaction_count > room->transactions_left) {
        return false;
    }
    read_transactions(reader, room->transactions, request->transaction_count);
    room->transactions += request->transaction_count;
    room->transactions_left -= request->transaction_count;
    return true;
}

enum pbft_status results_decode(struct results_block **out,
                                struct pbft_bytes bytes)
{
    struct field_reader reader = {.data = bytes.data, .left = bytes.size};
    struct results_block header = {0};
    if (bytes.size < HEADER_SIZE ||
        field_read_u32(&reader) != RESULTS_VERSION) {
        return PBFT_MALFORMED;
    }
    header.seq = field_read_u64(&reader);
    header.time = field_read_u64(&reader);
    field_read(&reader, header.block_digest.bytes, PBFT_DIGEST_SIZE);
    header.is_swept = field_read_u8(&reader) != 0;
    field_read(&reader, header.sweep_digest.bytes, PBFT_DIGEST_SIZE);
    header.request_count = field_read_u32(&reader);
    struct room *room;
    enum pbft_status status =
        make_room(&room, header.request_count, reader.left);
    if (status != PBFT_OK) {
        return status;
    }
    room->block = header;
    room->block.requests = room->requests;
    bool fits = true;
    for (uint32_t i = 0; fits && i < header.request_count; i++) {
        fits = read_request(&reader, room, &room->requests[i]);
    }
    if (!fits || !field_read_all(&reader)) {
        free(room);
        return PBFT_MALFORMED;
    }
    *out = &room->block;
    return PBFT_OK;
}
