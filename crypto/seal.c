/* SPDX-License-Identifier: Apache-2.0 */
/* Sealed record contents: AES-256-GCM of mbedTLS, one segment at a time. One
 * segment is read ahead, since the last one must know that it is the last. */
#include "crypto/seal.h"

#include "consensus/assert.h"
#include "crypto/bytes.h"
#include "crypto/kdf.h"
#include "crypto/random.h"
#include "crypto/secret.h"

#include <mbedtls/gcm.h>
#include <stdlib.h>
#include <string.h>

#define MAGIC_SIZE 8
#define FORMAT_VERSION 1
#define SALT_SIZE 32
#define NONCE_SIZE 12
#define KEY_BITS 256
#define AAD_SIZE (PBFT_DIGEST_SIZE + SEAL_RECORD_SIZE + U32_SIZE + U64_SIZE + 1)
#define SEALED_SEGMENT_SIZE (SEAL_SEGMENT_SIZE + SEAL_TAG_SIZE)

static_assert(SEAL_HEADER_SIZE == MAGIC_SIZE + 1 + SALT_SIZE,
              "the header states the size of the header");

static const uint8_t magic[MAGIC_SIZE] = {'S', 'A', 'L', 'U',
                                          'S', 'R', 'E', 'C'};
static const char key_info[] = "salus/seal/1";

/* The work on one file. Two input buffers, because of the segment read ahead.
 */
struct sealer {
    mbedtls_gcm_context gcm;
    uint8_t aad[AAD_SIZE];
    uint8_t nonce[NONCE_SIZE];
    uint64_t segment;
    size_t input_size; /* Of a full segment of the input. */
    uint8_t *current;
    uint8_t *next;
    uint8_t output[SEALED_SEGMENT_SIZE];
    uint8_t buffers[2][SEALED_SEGMENT_SIZE];
};

static enum pbft_status sealer_begin(struct sealer *sealer,
                                     const uint8_t key[SEAL_KEY_SIZE],
                                     const uint8_t salt[SALT_SIZE],
                                     const struct seal_identity *identity)
{
    uint8_t derived[SEAL_KEY_SIZE];
    uint8_t *aad = sealer->aad;

    memcpy(aad, identity->chain.bytes, PBFT_DIGEST_SIZE);
    aad += PBFT_DIGEST_SIZE;
    memcpy(aad, identity->record, SEAL_RECORD_SIZE);
    put_big_endian(aad + SEAL_RECORD_SIZE, U32_SIZE, identity->version);
    enum pbft_status status = kdf_hkdf(
        derived, sizeof derived, (struct pbft_bytes){salt, SALT_SIZE},
        (struct pbft_bytes){key, SEAL_KEY_SIZE},
        (struct pbft_bytes){(const uint8_t *)key_info, sizeof key_info - 1});
    if (status == PBFT_OK &&
        mbedtls_gcm_setkey(&sealer->gcm, MBEDTLS_CIPHER_ID_AES, derived,
                           KEY_BITS) != 0) {
        status = PBFT_NO_MEMORY;
    }
    secret_wipe(derived, sizeof derived);
    return status;
}

enum is_last { NOT_LAST = 0, LAST = 1 };

static void sealer_number_segment(struct sealer *sealer, enum is_last last)
{
    uint8_t *tail = sealer->aad + AAD_SIZE - 1 - U64_SIZE;
    put_big_endian(sealer->nonce + NONCE_SIZE - U64_SIZE, U64_SIZE,
                   sealer->segment);
    put_big_endian(tail, U64_SIZE, sealer->segment);
    sealer->aad[AAD_SIZE - 1] = (uint8_t)last;
    sealer->segment++;
}

static enum pbft_status seal_segment(struct sealer *sealer, size_t size,
                                     enum is_last last, struct pbft_bytes *out)
{
    sealer_number_segment(sealer, last);
    int failed = mbedtls_gcm_crypt_and_tag(
        &sealer->gcm, MBEDTLS_GCM_ENCRYPT, size, sealer->nonce, NONCE_SIZE,
        sealer->aad, AAD_SIZE, sealer->current, sealer->output, SEAL_TAG_SIZE,
        sealer->output + size);
    *out = (struct pbft_bytes){sealer->output, size + SEAL_TAG_SIZE};
    return failed == 0 ? PBFT_OK : PBFT_NO_MEMORY;
}

static enum pbft_status open_segment(struct sealer *sealer, size_t size,
                                     enum is_last last, struct pbft_bytes *out)
{
    if (size < SEAL_TAG_SIZE ||
        (size == SEAL_TAG_SIZE && sealer->segment > 0)) {
        return PBFT_BAD_SIGNATURE; /* Cut off, or an empty segment too many. */
    }
    size -= SEAL_TAG_SIZE;
    sealer_number_segment(sealer, last);
    int failed = mbedtls_gcm_auth_decrypt(
        &sealer->gcm, size, sealer->nonce, NONCE_SIZE, sealer->aad, AAD_SIZE,
        sealer->current + size, SEAL_TAG_SIZE, sealer->current, sealer->output);
    *out = (struct pbft_bytes){sealer->output, size};
    return failed == 0 ? PBFT_OK : PBFT_BAD_SIGNATURE;
}

/* Reads until the buffer is full or the input ends. */
static enum pbft_status read_full(const struct seal_io *io, uint8_t *out,
                                  size_t capacity, size_t *size)
{
    *size = 0;
    while (*size < capacity) {
        size_t got = 0;
        enum pbft_status status =
            io->read(io->context, out + *size, capacity - *size, &got);
        if (status != PBFT_OK) {
            return status;
        }
        if (got == 0) {
            return PBFT_OK;
        }
        PBFT_ASSERT(got <= capacity - *size);
        *size += got;
    }
    return PBFT_OK;
}

typedef enum pbft_status segment_call(struct sealer *sealer, size_t size,
                                      enum is_last last,
                                      struct pbft_bytes *out);

static enum pbft_status run_segments(struct sealer *sealer,
                                     const struct seal_io *io,
                                     segment_call *call)
{
    size_t size = 0;
    enum pbft_status status =
        read_full(io, sealer->current, sealer->input_size, &size);
    while (status == PBFT_OK) {
        struct pbft_bytes out = {NULL, 0};
        size_t next_size = 0;
        if (size == sealer->input_size) {
            status =
                read_full(io, sealer->next, sealer->input_size, &next_size);
        }
        enum is_last last = next_size == 0 ? LAST : NOT_LAST;
        if (status == PBFT_OK) {
            status = call(sealer, size, last, &out);
        }
        if (status == PBFT_OK && out.size > 0) {
            status = io->write(io->context, out);
        }
        if (status != PBFT_OK || last == LAST) {
            return status;
        }
        uint8_t *swap = sealer->current;
        sealer->current = sealer->next;
        sealer->next = swap;
        size = next_size;
    }
    return status;
}

static struct sealer *sealer_create(size_t input_size)
{
    struct sealer *sealer = calloc(1, sizeof *sealer);
    if (sealer != NULL) {
        mbedtls_gcm_init(&sealer->gcm);
        sealer->input_size = input_size;
        sealer->current = sealer->buffers[0];
        sealer->next = sealer->buffers[1];
    }
    return sealer;
}

static void sealer_destroy(struct sealer *sealer)
{
    mbedtls_gcm_free(&sealer->gcm);
    secret_wipe(sealer, sizeof *sealer);
    free(sealer);
}

enum pbft_status seal_stream(const uint8_t key[SEAL_KEY_SIZE],
                             const struct seal_identity *identity,
                             const struct seal_io *io)
{
    uint8_t header[SEAL_HEADER_SIZE];
    struct sealer *sealer = sealer_create(SEAL_SEGMENT_SIZE);
    if (sealer == NULL) {
        return PBFT_NO_MEMORY;
    }
    memcpy(header, magic, MAGIC_SIZE);
    header[MAGIC_SIZE] = FORMAT_VERSION;
    random_fill(header + MAGIC_SIZE + 1, SALT_SIZE);
    enum pbft_status status =
        sealer_begin(sealer, key, header + MAGIC_SIZE + 1, identity);
    if (status == PBFT_OK) {
        status =
            io->write(io->context, (struct pbft_bytes){header, sizeof header});
    }
    if (status == PBFT_OK) {
        status = run_segments(sealer, io, seal_segment);
    }
    sealer_destroy(sealer);
    return status;
}

enum pbft_status seal_open_stream(const uint8_t key[SEAL_KEY_SIZE],
                                  const struct seal_identity *identity,
                                  const struct seal_io *io)
{
    uint8_t header[SEAL_HEADER_SIZE];
    size_t size = 0;
    enum pbft_status status = read_full(io, header, sizeof header, &size);
    if (status != PBFT_OK) {
        return status;
    }
    if (size < sizeof header || memcmp(header, magic, MAGIC_SIZE) != 0) {
        return PBFT_MALFORMED;
    }
    if (header[MAGIC_SIZE] != FORMAT_VERSION) {
        return PBFT_VERSION;
    }
    struct sealer *sealer = sealer_create(SEALED_SEGMENT_SIZE);
    if (sealer == NULL) {
        return PBFT_NO_MEMORY;
    }
    status = sealer_begin(sealer, key, header + MAGIC_SIZE + 1, identity);
    if (status == PBFT_OK) {
        status = run_segments(sealer, io, open_segment);
    }
    sealer_destroy(sealer);
    return status;
}

uint64_t seal_size(uint64_t size)
{
    uint64_t segments = size / SEAL_SEGMENT_SIZE;
    if (size % SEAL_SEGMENT_SIZE != 0 || size == 0) {
        segments++;
    }
    return SEAL_HEADER_SIZE + size + segments * SEAL_TAG_SIZE;
}

/* Both ends in memory. */
struct memory_io {
    struct pbft_bytes input;
    uint8_t *out;
    size_t out_size;
    size_t out_capacity;
};

static enum pbft_status memory_read(void *context, uint8_t *out,
                                    size_t capacity, size_t *size)
{
    struct memory_io *memory = context;
    *size = memory->input.size < capacity ? memory->input.size : capacity;
    if (*size > 0) {
        memcpy(out, memory->input.data, *size);
        memory->input.data += *size;
        memory->input.size -= *size;
    }
    return PBFT_OK;
}

static enum pbft_status memory_write(void *context, struct pbft_bytes bytes)
{
    struct memory_io *memory = context;
    if (bytes.size > memory->out_capacity - memory->out_size) {
        return PBFT_TOO_LARGE;
    }
    memcpy(memory->out + memory->out_size, bytes.data, bytes.size);
    memory->out_size += bytes.size;
    return PBFT_OK;
}

enum pbft_status seal_bytes(uint8_t *out, const uint8_t key[SEAL_KEY_SIZE],
                            const struct seal_identity *identity,
                            struct pbft_bytes content)
{
    struct memory_io memory = {
        .input = content, .out = out, .out_capacity = seal_size(content.size)};
    const struct seal_io io = {&memory, memory_read, memory_write};
    return seal_stream(key, identity, &io);
}

enum pbft_status seal_open_bytes(uint8_t *out, size_t *out_size,
                                 const uint8_t key[SEAL_KEY_SIZE],
                                 const struct seal_identity *identity,
                                 struct pbft_bytes sealed)
{
    struct memory_io memory = {
        .input = sealed, .out = out, .out_capacity = sealed.size};
    const struct seal_io io = {&memory, memory_read, memory_write};
    enum pbft_status status = seal_open_stream(key, identity, &io);
    if (status != PBFT_OK) {
        secret_wipe(out, memory.out_size);
        memory.out_size = 0;
    }
    *out_size = memory.out_size;
    return status;
}
