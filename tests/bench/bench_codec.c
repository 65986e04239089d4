/* SPDX-License-Identifier: Apache-2.0 */
/* What the codec costs: a vote, and a batch of 64 KiB, with real digests.
 *
 *   bench_codec [SECONDS]      (per row; default 1)
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "consensus/assert.h"
#include "crypto/provider.h"
#include "proto/codec.h"
#include "tests/support/random_message.h"

static double now_s(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

struct subject {
    const struct pbft_domain *domain;
    const struct pbft_message *message;
    struct wire_buffer buffer;
    struct pbft_buffer *backing;
};

static void encode_once(struct subject *subject)
{
    wire_buffer_reset(&subject->buffer);
    enum pbft_status status = wire_message_encode(
        subject->message, WIRE_BODY_INCLUDE, &subject->buffer);
    PBFT_ASSERT(status == PBFT_OK);
}

static void decode_once(struct subject *subject)
{
    const struct pbft_message *message;
    enum pbft_status status = wire_message_decode(
        subject->domain, pbft_buffer_bytes(subject->backing), subject->backing,
        &message);
    PBFT_ASSERT(status == PBFT_OK);
    pbft_message_unref(message);
}

static double measure_us(void (*run)(struct subject *), struct subject *subject,
                         double seconds)
{
    unsigned long rounds = 0;
    double start = now_s();
    double elapsed = 0;
    while (elapsed < seconds) {
        for (int i = 0; i < 50; i++) {
            run(subject);
        }
        rounds += 50;
        elapsed = now_s() - start;
    }
    return elapsed / (double)rounds * 1e6;
}

static void report(const char *name, const struct pbft_domain *domain,
                   struct pbft_message *message, double seconds)
{
    struct subject subject = {.domain = domain, .message = message};
    wire_buffer_init(&subject.buffer, WIRE_FRAME_BYTES_MAX);
    encode_once(&subject);
    size_t size = subject.buffer.size;
    uint8_t *copy = malloc(size);
    PBFT_ASSERT(copy != NULL);
    memcpy(copy, subject.buffer.data, size);
    subject.backing = pbft_buffer_create(copy, size);
    double encode_us = measure_us(encode_once, &subject, seconds);
    double decode_us = measure_us(decode_once, &subject, seconds);
    printf("%-24s %8zu bytes  encode %8.2f us  decode %8.2f us\n", name, size,
           encode_us, decode_us);
    pbft_buffer_unref(subject.backing);
    wire_buffer_deinit(&subject.buffer);
    pbft_message_unref(message);
}

/* A pre-prepare of `count` requests of `payload` bytes. */
static struct pbft_message *proposal(const struct pbft_domain *domain,
                                     uint32_t count, size_t payload)
{
    static const struct pbft_message *requests[PBFT_BATCH_REQUESTS_MAX];
    static uint8_t data[PBFT_REQUEST_BYTES_MAX];
    const struct pbft_origin origin = {.sender = 1};
    struct pbft_request fields = {.session = 5, .payload = {data, payload}};
    memset(&fields.signature, 0xaa, sizeof fields.signature);
    for (uint32_t i = 0; i < count; i++) {
        fields.sequence = 1000 + i;
        requests[i] = pbft_request_create(domain, &fields, 0, NULL);
    }
    struct pbft_message *batch =
        pbft_batch_create(domain, 1700000000000000, requests, count);
    struct pbft_message *message =
        pbft_pre_prepare_create(&origin, 3, 77, &batch->batch.digest, batch);
    pbft_message_unref(batch);
    for (uint32_t i = 0; i < count; i++) {
        pbft_message_unref(requests[i]);
    }
    return message;
}

int main(int argc, char **argv)
{
    double seconds = argc > 1 ? strtod(argv[1], NULL) : 1;
    const struct pbft_domain domain = {.crypto = crypto_provider_verify_only()};
    const struct pbft_origin origin = {.sender = 2};
    const struct pbft_prepare vote = {.view = 3, .seq = 123456};
    const struct pbft_attestation attestation = {
        .seq = 123456, .block_time = 1700000000000000};
    report("commit", &domain,
           pbft_vote_create(PBFT_MESSAGE_COMMIT, &origin, &vote), seconds);
    report("attestation", &domain,
           pbft_attestation_create(&origin, &attestation), seconds);
    report("pre-prepare 1 x 256", &domain, proposal(&domain, 1, 256), seconds);
    report("pre-prepare 256 x 256", &domain, proposal(&domain, 256, 256),
           seconds);
    report("pre-prepare 4 x 16 KiB", &domain, proposal(&domain, 4, 16384),
           seconds);
    return 0;
}
