/* SPDX-License-Identifier: Apache-2.0 */
/* Garbage on the ports of real replicas: from strangers, from a client with a
 * valid certificate, and from a replica with a valid certificate. Connections
 * are dropped; nobody dies, memory stays bounded, and after each attack
 * transactions are still ordered and proved.
 *
 *   hostile_ports [--keep]
 */
#include "tests/integration/hostile.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client/load.h"
#include "crypto/file.h"
#include "crypto/provider.h"

#define START_TIMEOUT_MS 60000
#define HOUR_MS 3600000u
/* The limits of node/ and net/ add up to less; a leak of huge frames not. */
#define RESIDENT_MAX (768u * 1024u * 1024u)
#define SILENT 300

void hostile_pass_ms(uint64_t ms)
{
    const struct timespec pause = {(time_t)(ms / 1000),
                                   (long)(ms % 1000) * 1000000};

    (void)nanosleep(&pause, NULL);
}

uint64_t hostile_clock_ms(clockid_t clock)
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
        envelope.not_after_ms = hostile_clock_ms(CLOCK_REALTIME) + HOUR_MS;
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

bool hostile_judge(struct scene *scene, const char *what, uint32_t replicas)
{
    bool good = is_served(scene, replicas) && is_alive(scene, replicas);
    (void)printf("%s: %s\n", what, good ? "ok" : "FAILED");
    return good;
}

/* ---- strangers ----------------------------------------------------------- */

uint16_t hostile_port_of(const char *address)
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
    int silent[SILENT];
    size_t count = SILENT;
    const uint16_t ports[] = {hostile_port_of(victim->peer_address),
                              hostile_port_of(victim->client_address)};
    for (size_t i = 0; i < count; i++) {
        silent[i] = dial(ports[i % 2]); /* Connected, and says nothing. */
    }
    send_garbage(scene, ports[0]);
    send_garbage(scene, ports[1]);
    bool good =
        hostile_judge(scene, "garbage and silence from strangers", REPLICAS);
    for (size_t i = 0; i < count; i++) {
        if (silent[i] >= 0) {
            (void)close(silent[i]);
        }
    }
    return good;
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
           hostile_judge(scene, "before", REPLICAS) &&
           attack_as_stranger(scene) && attack_tls(scene) &&
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
    uint32_t bad = replicas_stop_all(&scene.trial.replicas, 20000);
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
