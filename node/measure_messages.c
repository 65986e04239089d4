/* SPDX-License-Identifier: Apache-2.0 */
/* Messages between two ends of net/peers.h in this process, mutual TLS on the
 * loopback: what both ends take together, threads and kernel included. */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "consensus/assert.h"
#include "crypto/random.h"
#include "crypto/x509.h"
#include "net/peers.h"
#include "node/measure.h"

#define ENDS 2
#define SMALL_BYTES 256u
#define SMALL_COUNT 20000u
#define LARGE_BYTES 65536u
#define LARGE_COUNT 1000u
#define CONNECT_MS 10000
#define PATIENCE_MS 30000
#define DAY_S 86400
#define ADDRESS_SIZE 32

struct end {
    struct net_peers *peers;
    struct x509_certificate ca;
    char certificate_pem[X509_PEM_MAX];
    char key_pem[X509_PEM_MAX];
    char name[NET_NAME_MAX];
    char address[ADDRESS_SIZE];
    atomic_uint received;
};

static void pause_ms(long ms)
{
    const struct timespec pause = {ms / 1000, ms % 1000 * 1000000};
    (void)nanosleep(&pause, NULL);
}

static enum net_disposition receive(void *context, pbft_replica_id peer,
                                    struct pbft_buffer *buffer)
{
    struct end *end = context;
    (void)peer;
    pbft_buffer_unref(buffer);
    (void)atomic_fetch_add(&end->received, 1);
    return NET_TAKEN;
}

static enum pbft_status make_certificate(struct end *end, unsigned number,
                                         struct salus_reason *reason)
{
    const int64_t now = (int64_t)time(NULL);
    const struct x509_validity validity = {now - DAY_S, now + DAY_S};
    struct x509_key ca_key;
    struct x509_certificate certificate;
    struct x509_key key;
    char dns_name[X509_NAME_MAX];
    (void)snprintf(end->name, sizeof end->name, "end-%u", number);
    enum pbft_status status =
        x509_ca_create(&end->ca, &ca_key, end->name, &validity, reason);
    if (status == PBFT_OK) {
        status = x509_name(dns_name, X509_REPLICA, end->name);
    }
    if (status == PBFT_OK) {
        const struct x509_issuer issuer = {&end->ca, &ca_key};
        status = x509_issue(&certificate, &key, &issuer, dns_name, &validity,
                            reason);
    }
    if (status == PBFT_OK) {
        status = x509_certificate_pem(end->certificate_pem, &certificate);
    }
    if (status == PBFT_OK) {
        status = x509_key_pem(end->key_pem, &key);
        x509_key_wipe(&key);
        x509_key_wipe(&ca_key);
    }
    return status;
}

/* The first listens anywhere; nobody dials it but the second. */
static enum pbft_status open_end(struct end ends[ENDS], unsigned self,
                                 struct salus_reason *reason)
{
    struct net_member members[ENDS];
    struct net_peers_config config;
    struct net_problem problem = {{0}};
    for (unsigned i = 0; i < ENDS; i++) {
        members[i] =
            (struct net_member){.name = ends[i].name,
                                .tls_ca = {ends[i].ca.der, ends[i].ca.size},
                                .address = ends[i].address};
    }
    memset(&config, 0, sizeof config);
    net_peers_config_defaults(&config);
    config.self = self;
    config.members = members;
    config.member_count = ENDS;
    config.own = (struct net_credentials){ends[self].certificate_pem,
                                          ends[self].key_pem};
    config.listen_address = "127.0.0.1:0";
    config.context = &ends[self];
    config.receive = receive;
    enum pbft_status status =
        net_peers_open(&config, &ends[self].peers, &problem);
    if (status != PBFT_OK) {
        salus_reason_set(reason, "measuring messages: %s", problem.text);
        return status;
    }
    (void)snprintf(ends[self].address, sizeof ends[self].address,
                   "127.0.0.1:%u", net_peers_port(ends[self].peers));
    return PBFT_OK;
}

static bool wait_connected(struct end *from)
{
    struct net_peer_stats stats;
    for (int waited = 0; waited < CONNECT_MS; waited += 10) {
        net_peers_stats(from->peers, 0, &stats);
        if (stats.connected) {
            return true;
        }
        pause_ms(10);
    }
    return false;
}

/* CPU of one message of `size` bytes; negative: they did not arrive. */
static double send_many(struct end ends[ENDS], const uint8_t *bytes,
                        size_t size, unsigned count)
{
    const double deadline = measure_wall_us() + PATIENCE_MS * 1e3;
    unsigned before = atomic_load(&ends[0].received);
    double began = measure_cpu_us();
    for (unsigned i = 0; i < count;) {
        if (net_peers_send(ends[1].peers, 0,
                           (struct pbft_bytes){bytes, size}) == PBFT_OK) {
            i++;
        } else {
            pause_ms(1);
        }
        if (measure_wall_us() > deadline) {
            return -1;
        }
    }
    while (atomic_load(&ends[0].received) - before < count) {
        pause_ms(1);
        if (measure_wall_us() > deadline) {
            return -1;
        }
    }
    return (measure_cpu_us() - began) / count;
}

static enum pbft_status run(struct end ends[ENDS], struct measure_parts *out,
                            struct salus_reason *reason)
{
    uint8_t *bytes = malloc(LARGE_BYTES);
    PBFT_ASSERT(bytes != NULL);
    random_fill(bytes, LARGE_BYTES);
    double small = -1;
    double large = -1;
    if (wait_connected(&ends[1])) {
        small = send_many(ends, bytes, SMALL_BYTES, SMALL_COUNT);
        large = send_many(ends, bytes, LARGE_BYTES, LARGE_COUNT);
    }
    free(bytes);
    if (small < 0 || large < 0) {
        salus_reason_set(reason, "measuring messages: they did not arrive");
        return PBFT_TIMED_OUT;
    }
    out->message_byte_us = (large - small) / (LARGE_BYTES - SMALL_BYTES);
    out->message_us = small - out->message_byte_us * SMALL_BYTES;
    return PBFT_OK;
}

enum pbft_status measure_messages(struct measure_parts *out,
                                  struct salus_reason *reason)
{
    struct end *ends = calloc(ENDS, sizeof *ends);
    enum pbft_status status = PBFT_OK;
    PBFT_ASSERT(ends != NULL);
    for (unsigned i = 0; i < ENDS; i++) { /* Nobody answers at port 1. */
        (void)snprintf(ends[i].address, sizeof ends[i].address, "127.0.0.1:1");
        if (status == PBFT_OK) {
            status = make_certificate(&ends[i], i, reason);
        }
    }
    for (unsigned i = 0; i < ENDS && status == PBFT_OK; i++) {
        status = open_end(ends, i, reason);
    }
    if (status == PBFT_OK) {
        status = run(ends, out, reason);
    }
    for (unsigned i = 0; i < ENDS; i++) {
        net_peers_close(ends[i].peers);
    }
    free(ends);
    return status;
}
