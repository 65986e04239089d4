/* SPDX-License-Identifier: Apache-2.0 */
/* Garbage on the ports of real replicas: from strangers, from a client with a
 * valid certificate, and from a replica with a valid certificate. Connections
 * are dropped; nobody dies, memory stays bounded, and after each attack
 * transactions are still ordered and proved.
 *
 *   hostile_ports [--keep]
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "client/load.h"
#include "client/trial.h"
#include "crypto/file.h"
#include "crypto/provider.h"
#include "net/channel.h"
#include "net/peers.h"
#include "proto/codec.h"
#include "proto/genesis.h"
#include "proto/scan.h"
#include "salus/v1/client.pb-c.h"
#include "tests/support/random_message.h"

#define REPLICAS 4
#define VICTIM 0u
#define TRAITOR 3u /* Its certificate is ours for a while. */
#define START_TIMEOUT_MS 30000
#define CONNECT_TIMEOUT_MS 20000
#define CONVERGE_TIMEOUT_MS 60000
#define HOUR_MS 3600000u
#define HUGE_FRAME (100u * 1024u * 1024u)
#define OWN_FRAME_MAX (128u * 1024u * 1024u)
/* The limits of node/ and net/ add up to less; a leak of huge frames not. */
#define RESIDENT_MAX (768u * 1024u * 1024u)
#define TEXT_MAX 6144

struct scene {
    struct trial trial;
    struct salus_genesis *genesis;
    struct pbft_digest cluster;
    struct pbft_domain domain;
    struct support_random random;
    char certificate[TEXT_MAX];
    char key[TEXT_MAX];
};

static void pass_ms(uint64_t ms)
{
    const struct timespec pause = {(time_t)(ms / 1000),
                                   (long)(ms % 1000) * 1000000};

    (void)nanosleep(&pause, NULL);
}

static uint64_t clock_ms(clockid_t clock)
{
    struct timespec now;

    (void)clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* ---- is everything still well? ------------------------------------------ */

/* A transaction through each replica that runs is ordered and proved. */
static bool is_served(struct scene *scene, uint32_t replicas)
{
    for (uint32_t i = 0; i < replicas; i++) {
        struct transaction_envelope envelope = {.table_version = 1};
        struct transaction_bytes bytes;
        struct salus_result result;
        struct salus_client *client = scene->trial.clients[i];
        salus_identity(client, envelope.chain.bytes, envelope.institution.bytes,
                       envelope.key_id.bytes);
        envelope.not_after_ms = clock_ms(CLOCK_REALTIME) + HOUR_MS;
        if (load_make_anchor(&bytes, &envelope, scene->trial.encryption_keys[i],
                             256, NULL) != PBFT_OK) {
            abort();
        }
        const struct salus_transaction view = {bytes.data, bytes.size};
        enum salus_status status = salus_submit(client, &result, &view);
        free(bytes.data);
        if (status != SALUS_OK) {
            (void)fprintf(stderr, "client %u: %s\n", i,
                          salus_status_text(status));
            return false;
        }
    }
    return true;
}

static bool is_alive(struct scene *scene, uint32_t replicas)
{
    int status = 0;
    int dead = replicas_find_dead(&scene->trial.replicas, &status);
    if (dead >= 0) {
        (void)fprintf(stderr, "replica %d ended by itself, status %d\n", dead,
                      status);
        return false;
    }
    for (uint32_t i = 0; i < replicas; i++) {
        struct trial_status of;
        if (!trial_ask(&scene->trial, i, &of)) {
            (void)fprintf(stderr, "replica %u does not answer\n", i);
            return false;
        }
        if (of.resident_bytes > RESIDENT_MAX) {
            (void)fprintf(stderr, "replica %u holds %" PRIu64 " bytes\n", i,
                          of.resident_bytes);
            return false;
        }
    }
    return true;
}

static bool judge(struct scene *scene, const char *what, uint32_t replicas)
{
    bool good = is_served(scene, replicas) && is_alive(scene, replicas);
    (void)printf("%s: %s\n", what, good ? "ok" : "FAILED");
    return good;
}

/* ---- strangers ----------------------------------------------------------- */

static uint16_t port_of(const char *address)
{
    const char *colon = strrchr(address, ':');
    return colon == NULL ? 0 : (uint16_t)strtoul(colon + 1, NULL, 10);
}

static int dial(uint16_t port)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
    const struct timeval patience = {.tv_sec = 1};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int file = socket(AF_INET, SOCK_STREAM, 0);
    if (file < 0) {
        return -1;
    }
    (void)setsockopt(file, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (connect(file, (struct sockaddr *)&to, sizeof to) != 0) {
        (void)close(file);
        return -1;
    }
    return file;
}

static void send_all(uint16_t port, const void *data, size_t size)
{
    int file = dial(port);
    if (file >= 0) {
        /* It is expected that the other side hangs up meanwhile. */
        ssize_t sent = send(file, data, size, MSG_NOSIGNAL);
        (void)sent;
        (void)close(file);
    }
}

static void send_garbage(struct scene *scene, uint16_t port)
{
    /* NNG's own greeting, a TLS record of 2^16 bytes, a request of HTTP. */
    static const char greeting[] =
        "\0SP\0\0\x51\0\0\x7f\xff\xff\xff\xff\xff\xff"
        "\xff";
    static const char record[] = "\x16\x03\x01\xff\xff\x01\x00\xff\xfb";
    static const char http[] = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    static uint8_t noise[65536];
    for (int i = 0; i < 30; i++) {
        support_random_fill(&scene->random, noise, sizeof noise);
        send_all(port, noise,
                 1 + support_random_below(&scene->random, sizeof noise));
        send_all(port, greeting, sizeof greeting - 1);
        send_all(port, record, sizeof record - 1);
        send_all(port, http, sizeof http - 1);
        send_all(port, "", 0);
    }
}

static bool attack_as_stranger(struct scene *scene)
{
    const struct salus_member *victim = genesis_replica(scene->genesis, VICTIM);
    int silent[64];
    size_t count = sizeof silent / sizeof *silent;
    const uint16_t ports[] = {port_of(victim->peer_address),
                              port_of(victim->client_address)};
    for (size_t i = 0; i < count; i++) {
        silent[i] = dial(ports[i % 2]); /* Connected, and says nothing. */
    }
    send_garbage(scene, ports[0]);
    send_garbage(scene, ports[1]);
    bool good = judge(scene, "garbage and silence from strangers", REPLICAS);
    for (size_t i = 0; i < count; i++) {
        if (silent[i] >= 0) {
            (void)close(silent[i]);
        }
    }
    return good;
}

/* ---- with a certificate -------------------------------------------------- */

static bool read_text(char out[TEXT_MAX], const char *folder, const char *name,
                      const char *file, enum file_access access)
{
    char path[REPLICAS_PATH_MAX + 128];
    struct salus_reason reason = {{0}};
    size_t size = 0;
    (void)snprintf(path, sizeof path, "%s/%s/%s", folder, name, file);
    if (file_read((uint8_t *)out, TEXT_MAX - 1, &size, path, access, &reason) !=
        PBFT_OK) {
        (void)fprintf(stderr, "%s\n", reason.text);
        return false;
    }
    out[size] = '\0';
    return true;
}

static void ignore_reply(void *context, uint64_t token, enum pbft_status status,
                         struct pbft_buffer *reply)
{
    (void)context;
    (void)token;
    (void)status;
    if (reply != NULL) {
        pbft_buffer_unref(reply);
    }
}

static struct net_channel *open_channel(struct scene *scene)
{
    const struct salus_member *victim = genesis_replica(scene->genesis, VICTIM);
    const struct net_member member = {
        .name = victim->name,
        .tls_ca = {victim->tls_ca, victim->tls_ca_size},
    };
    struct net_channel_config config;
    struct net_channel *channel = NULL;
    struct net_problem problem = {{0}};
    if (!read_text(scene->certificate, scene->trial.replicas.folder,
                   victim->name, "client-tls.pem", FILE_PUBLIC) ||
        !read_text(scene->key, scene->trial.replicas.folder, victim->name,
                   "client-tls.key", FILE_SECRET)) {
        return NULL;
    }
    net_channel_config_defaults(&config);
    config.address = victim->client_address;
    config.member = &member;
    config.own = (struct net_credentials){scene->certificate, scene->key};
    config.frame_bytes_max = OWN_FRAME_MAX;
    config.on_reply = ignore_reply;
    if (net_channel_open(&config, &channel, &problem) != PBFT_OK) {
        (void)fprintf(stderr, "%s\n", problem.text);
    }
    return channel;
}

/* Until connected again: the victim hangs up on what is too large. */
static bool call(struct net_channel *channel, const void *data, size_t size)
{
    uint64_t until = clock_ms(CLOCK_MONOTONIC) + CONNECT_TIMEOUT_MS;
    while (clock_ms(CLOCK_MONOTONIC) < until) {
        uint64_t now = clock_ms(CLOCK_MONOTONIC);
        (void)net_channel_tick(channel, now);
        if (net_channel_call(channel, now, (struct pbft_bytes){data, size},
                             now + 2000) == PBFT_OK) {
            return true;
        }
        pass_ms(20);
    }
    (void)fprintf(stderr, "the victim does not accept a client any more\n");
    return false;
}

/* Calls that are nearly right: a status call, with bytes changed. */
static bool call_garbage(struct scene *scene, struct net_channel *channel)
{
    Salus__V1__ClientCall plain = SALUS__V1__CLIENT_CALL__INIT;
    Salus__V1__StatusCall status = SALUS__V1__STATUS_CALL__INIT;
    struct wire_buffer bytes;
    bool good = true;
    plain.version = 1;
    plain.cluster.data = scene->cluster.bytes;
    plain.cluster.len = WIRE_CLUSTER_PREFIX_SIZE;
    plain.kind_case = SALUS__V1__CLIENT_CALL__KIND_STATUS;
    plain.status = &status;
    wire_buffer_init(&bytes, 65536);
    for (int i = 0; i < 300 && good; i++) {
        wire_buffer_reset(&bytes);
        if (i % 3 == 0) {
            uint8_t *noise = wire_buffer_grow(
                &bytes, 1 + support_random_below(&scene->random, 4096));
            support_random_fill(&scene->random, noise, bytes.size);
        } else if (wire_pack(&plain.base, &bytes) == PBFT_OK) {
            bytes.data[support_random_below(&scene->random, bytes.size)] ^=
                (uint8_t)(1 + support_random_below(&scene->random, 255));
        }
        good = call(channel, bytes.data, bytes.size);
    }
    wire_buffer_deinit(&bytes);
    return good;
}

static bool attack_as_client(struct scene *scene)
{
    struct net_channel *channel = open_channel(scene);
    uint8_t *huge = calloc(1, HUGE_FRAME);
    bool good = channel != NULL && huge != NULL;
    good = good && call_garbage(scene, channel);
    for (int i = 0; i < 3 && good; i++) {
        good = call(channel, huge, HUGE_FRAME);
        pass_ms(300);
    }
    good = good && call(channel, "\x08\x01", 2);
    net_channel_close(channel);
    free(huge);
    return good &&
           judge(scene, "garbage and 100 MiB calls of a client", REPLICAS);
}

static enum net_disposition take(void *context, pbft_replica_id peer,
                                 struct pbft_buffer *buffer)
{
    (void)context;
    (void)peer;
    pbft_buffer_unref(buffer);
    return NET_TAKEN;
}

static struct net_peers *open_peers(struct scene *scene)
{
    struct net_member members[REPLICAS];
    const struct salus_member *own = genesis_replica(scene->genesis, TRAITOR);
    struct net_peers_config config;
    struct net_peers *peers = NULL;
    struct net_problem problem = {{0}};
    if (!read_text(scene->certificate, scene->trial.replicas.folder, own->name,
                   "replica-tls.pem", FILE_PUBLIC) ||
        !read_text(scene->key, scene->trial.replicas.folder, own->name,
                   "replica-tls.key", FILE_SECRET)) {
        return NULL;
    }
    for (pbft_replica_id i = 0; i < REPLICAS; i++) {
        const struct salus_member *member = genesis_replica(scene->genesis, i);
        members[i] = (struct net_member){
            .name = member->name,
            .tls_ca = {member->tls_ca, member->tls_ca_size},
            .address = member->peer_address,
        };
    }
    net_peers_config_defaults(&config);
    config.self = TRAITOR;
    config.members = members;
    config.member_count = REPLICAS;
    config.own = (struct net_credentials){scene->certificate, scene->key};
    config.listen_address = own->peer_address;
    config.frame_bytes_max = OWN_FRAME_MAX;
    config.outbox_bytes_max = 2 * OWN_FRAME_MAX;
    config.receive = take;
    if (net_peers_open(&config, &peers, &problem) != PBFT_OK) {
        (void)fprintf(stderr, "%s\n", problem.text);
    }
    return peers;
}

static bool send_to_victim(struct net_peers *peers, const void *data,
                           size_t size)
{
    uint64_t until = clock_ms(CLOCK_MONOTONIC) + CONNECT_TIMEOUT_MS;
    while (clock_ms(CLOCK_MONOTONIC) < until) {
        if (net_peers_send(peers, VICTIM, (struct pbft_bytes){data, size}) ==
            PBFT_OK) {
            return true;
        }
        pass_ms(20);
    }
    (void)fprintf(stderr, "the victim does not accept its peer any more\n");
    return false;
}

/* An envelope of random messages; some of it changed, or its sender a lie. */
static void make_envelope(struct scene *scene, struct wire_buffer *out)
{
    struct support_random *random = &scene->random;
    const struct random_shape shape = random_shape_small();
    struct wire_buffer encoded;
    uint32_t count = 0;
    wire_buffer_init(&encoded, WIRE_FRAME_BYTES_MAX);
    wire_buffer_reset(out);
    wire_envelope_begin(out, &scene->cluster,
                        support_random_below(random, 4) == 0 ? VICTIM
                                                             : TRAITOR);
    for (int type = PBFT_MESSAGE_REQUEST; type <= PBFT_MESSAGE_EVIDENCE;
         type++) {
        struct pbft_message *message = random_message(
            random, &scene->domain, (enum pbft_message_type)type, &shape);
        if (support_random_below(random, 2) == 0) {
            message->sender = TRAITOR;
            message->epoch = 0;
        }
        wire_buffer_reset(&encoded);
        if (wire_message_encode(message, WIRE_BODY_INCLUDE, &encoded) ==
            PBFT_OK) {
            enum pbft_status status =
                wire_envelope_add(out, wire_buffer_bytes(&encoded), &count);
            (void)status; /* A full one is garbage enough. */
        }
        pbft_message_unref(message);
    }
    for (uint64_t i = support_random_below(random, 3); i > 0; i--) {
        out->data[support_random_below(random, out->size)] ^=
            (uint8_t)(1 + support_random_below(random, 255));
    }
    wire_buffer_deinit(&encoded);
}

static bool attack_as_replica(struct scene *scene)
{
    replicas_kill(&scene->trial.replicas, TRAITOR);
    struct net_peers *peers = open_peers(scene);
    uint8_t *huge = calloc(1, HUGE_FRAME);
    struct wire_buffer envelope;
    bool good = peers != NULL && huge != NULL;
    wire_buffer_init(&envelope, WIRE_FRAME_BYTES_MAX);
    for (int i = 0; i < 300 && good; i++) {
        make_envelope(scene, &envelope);
        good = send_to_victim(peers, envelope.data, envelope.size);
    }
    for (int i = 0; i < 3 && good; i++) {
        good = send_to_victim(peers, huge, HUGE_FRAME);
        pass_ms(300);
    }
    good = good && judge(scene, "garbage and 100 MiB frames of a replica",
                         REPLICAS - 1);
    net_peers_close(peers);
    wire_buffer_deinit(&envelope);
    free(huge);
    /* The true replica comes back and is believed. */
    good = good && replicas_start(&scene->trial.replicas, TRAITOR) == PBFT_OK &&
           trial_converge(&scene->trial, CONVERGE_TIMEOUT_MS);
    return good && judge(scene, "the true replica is back", REPLICAS);
}

/* ---- the frame of it all ------------------------------------------------- */

static bool read_genesis(struct scene *scene)
{
    static uint8_t text[1 << 20];
    char path[REPLICAS_PATH_MAX + 32];
    struct salus_reason reason = {{0}};
    size_t size = 0;
    (void)snprintf(path, sizeof path, "%s/genesis.txt",
                   scene->trial.replicas.folder);
    if (file_read(text, sizeof text, &size, path, FILE_PUBLIC, &reason) !=
            PBFT_OK ||
        genesis_parse(crypto_provider_verify_only(),
                      (struct pbft_bytes){text, size}, &scene->genesis,
                      &scene->cluster, &reason) != PBFT_OK) {
        (void)fprintf(stderr, "%s\n", reason.text);
        return false;
    }
    scene->domain.crypto = crypto_provider_verify_only();
    scene->domain.cluster = scene->cluster;
    return true;
}

static bool run(struct scene *scene, const char *folder)
{
    return trial_create(&scene->trial, folder, REPLICAS) == PBFT_OK &&
           read_genesis(scene) &&
           trial_start(&scene->trial, START_TIMEOUT_MS) == PBFT_OK &&
           judge(scene, "before", REPLICAS) && attack_as_stranger(scene) &&
           attack_as_client(scene) && attack_as_replica(scene);
}

int main(int argc, char **argv)
{
    static struct scene scene;
    char folder[] = "/tmp/salus-hostile-XXXXXX";
    bool keep = argc > 1 && strcmp(argv[1], "--keep") == 0;

    scene.random.state = 20240607;
    if (mkdtemp(folder) == NULL) {
        perror("/tmp");
        return 1;
    }
    bool good = run(&scene, folder);
    trial_close_clients(&scene.trial);
    uint32_t bad = replicas_stop_all(&scene.trial.replicas, 15000);
    if (bad > 0) {
        (void)fprintf(stderr, "%u replicas did not stop cleanly\n", bad);
        good = false;
    }
    genesis_destroy(scene.genesis);
    if (!good || keep) {
        (void)printf("kept: %s\n", folder);
    } else {
        replicas_remove_folder(folder);
    }
    (void)puts(good ? "passed" : "FAILED");
    return good ? 0 : 1;
}
