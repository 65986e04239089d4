/* SPDX-License-Identifier: Apache-2.0 */
/* The two layers around bodies: a Transaction with its co-signatures, and the
 * list of them that is the payload of a request. */
#include <stdlib.h>
#include <string.h>

#include "ledger/transaction.h"
#include "proto/buffer.h"
#include "proto/scan.h"
#include "proto/varint.h"
#include "salus/v1/ledger.pb-c.h"

/* Field 1, length-delimited: of TransactionList and of Transaction. */
#define TAG_FIRST_BYTES ((1u << 3) | WIRE_LENGTH)

static void free_signatures(Salus__V1__CoSignature **list, size_t count)
{
    for (size_t i = 0; list != NULL && i < count; i++) {
        free(list[i]);
    }
    free(list);
}

static int compare_signatures(const void *left, const void *right)
{
    const Salus__V1__CoSignature *a = *(Salus__V1__CoSignature *const *)left;
    const Salus__V1__CoSignature *b = *(Salus__V1__CoSignature *const *)right;
    int order = memcmp(a->key_id.data, b->key_id.data, LEDGER_ID_SIZE);
    if (order != 0) {
        return order;
    }
    return (a->role > b->role) - (a->role < b->role);
}

/* The generated form of `signatures`, in canonical order; its bytes stay with
 * the caller. NULL if memory is short. */
static Salus__V1__CoSignature **
make_signatures(const struct transaction_signature *signatures, size_t count)
{
    Salus__V1__CoSignature **list = calloc(count + 1, sizeof *list);
    if (list == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        list[i] = malloc(sizeof *list[i]);
        if (list[i] == NULL) {
            free_signatures(list, i);
            return NULL;
        }
        salus__v1__co_signature__init(list[i]);
        list[i]->key_id.len = LEDGER_ID_SIZE;
        list[i]->key_id.data = (uint8_t *)signatures[i].key_id.bytes;
        list[i]->role = (Salus__V1__CoSignature__Role)signatures[i].role;
        list[i]->signature.len = PBFT_SIGNATURE_SIZE;
        list[i]->signature.data = (uint8_t *)signatures[i].signature.bytes;
    }
    qsort(list, count, sizeof(Salus__V1__CoSignature *), compare_signatures);
    return list;
}

enum pbft_status
transaction_seal(struct transaction_bytes *out, struct pbft_bytes body,
                 const struct transaction_signature *signatures, size_t count)
{
    Salus__V1__Transaction message = SALUS__V1__TRANSACTION__INIT;
    struct wire_buffer buffer;
    if (body.size > LEDGER_BODY_MAX || count > LEDGER_SIGNATURES_MAX) {
        return PBFT_TOO_LARGE;
    }
    message.signatures = make_signatures(signatures, count);
    if (message.signatures == NULL) {
        return PBFT_NO_MEMORY;
    }
    message.n_signatures = count;
    message.body.data = (uint8_t *)body.data;
    message.body.len = body.size;
    wire_buffer_init(&buffer, LEDGER_TRANSACTION_MAX);
    enum pbft_status status = wire_pack(&message.base, &buffer);
    if (status == PBFT_OK) {
        out->data = wire_buffer_take(&buffer, &out->size);
    }
    wire_buffer_deinit(&buffer);
    free_signatures(message.signatures, count);
    return status;
}

static size_t framed_size(size_t size)
{
    return 1 + wire_varint_size(size) + size;
}

enum pbft_status transaction_list_pack(struct transaction_bytes *out,
                                       const struct pbft_bytes *transactions,
                                       size_t count)
{
    size_t total = 0;
    if (count > LEDGER_REQUEST_TRANSACTIONS_MAX) {
        return PBFT_TOO_LARGE;
    }
    for (size_t i = 0; i < count; i++) {
        if (transactions[i].size > LEDGER_TRANSACTION_MAX) {
            return PBFT_TOO_LARGE;
        }
        total += framed_size(transactions[i].size);
    }
    if (total > PBFT_REQUEST_BYTES_MAX) {
        return PBFT_TOO_LARGE;
    }
    uint8_t *data = malloc(total == 0 ? 1 : total);
    if (data == NULL) {
        return PBFT_NO_MEMORY;
    }
    uint8_t *at = data;
    for (size_t i = 0; i < count; i++) {
        *at++ = TAG_FIRST_BYTES;
        at += wire_varint_write(at, transactions[i].size);
        if (transactions[i].size > 0) {
            memcpy(at, transactions[i].data, transactions[i].size);
        }
        at += transactions[i].size;
    }
    *out = (struct transaction_bytes){data, total};
    return PBFT_OK;
}

/* Takes one length-delimited field 1 off the front of `bytes`. */
static enum pbft_status take_first_field(struct pbft_bytes *bytes,
                                         struct pbft_bytes *field)
{
    const uint8_t *at = bytes->data;
    const uint8_t *end = bytes->data + bytes->size;
    uint64_t size = 0;
    if (bytes->size == 0 || *at != TAG_FIRST_BYTES) {
        return PBFT_NOT_CANONICAL;
    }
    at++;
    enum pbft_status status = wire_varint_read(&at, end, &size);
    if (status != PBFT_OK) {
        return status;
    }
    if (size > (uint64_t)(end - at)) {
        return PBFT_MALFORMED;
    }
    *field = (struct pbft_bytes){at, (size_t)size};
    *bytes = (struct pbft_bytes){at + size, (size_t)(end - at) - (size_t)size};
    return PBFT_OK;
}

enum pbft_status transaction_list_split(struct pbft_bytes *out, size_t capacity,
                                        size_t *count,
                                        struct pbft_bytes payload)
{
    *count = 0;
    while (payload.size > 0) {
        struct pbft_bytes one;
        enum pbft_status status = take_first_field(&payload, &one);
        if (status != PBFT_OK) {
            return status;
        }
        if (*count == capacity || one.size > LEDGER_TRANSACTION_MAX) {
            return PBFT_TOO_LARGE;
        }
        out[(*count)++] = one;
    }
    return PBFT_OK;
}

enum pbft_status transaction_body(struct pbft_bytes *out,
                                  struct pbft_bytes transaction)
{
    struct wire_scan_result scan;
    enum pbft_status status =
        wire_scan(&salus__v1__transaction__descriptor, transaction, &scan);
    if (status != PBFT_OK) {
        return status;
    }
    status = take_first_field(&transaction, out);
    if (status != PBFT_OK) {
        return PBFT_MALFORMED; /* Canonical, but without a body. */
    }
    return out->size > LEDGER_BODY_MAX ? PBFT_TOO_LARGE : PBFT_OK;
}
