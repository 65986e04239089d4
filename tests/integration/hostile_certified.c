/* SPDX-License-Identifier: Apache-2.0 */
/* Attacks with a valid certificate: of a client, and of a replica. */
#include "tests/integration/hostile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/file.h"
#include "net/channel.h"
#include "net/peers.h"
#include "proto/codec.h"
#include "proto/scan.h"
#include "salus/v1/client.pb-c.h"

#define CONNECT_TIMEOUT_MS 20000
#define HUGE_FRAME (100u * 1024u * 1024u)
#define OWN_FRAME_MAX (128u * 1024u * 1024u)

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
    uint64_t until = hostile_clock_ms(CLOCK_MONOTONIC) + CONNECT_TIMEOUT_MS;
    while (hostile_clock_ms(CLOCK_MONOTONIC) < until) {
        uint64_t now = hostile_clock_ms(CLOCK_MONOTONIC);
        (void)net_channel_tick(channel, now);
        if (net_channel_call(channel, now, (struct pbft_bytes){data, size},
                             now + 2000) == PBFT_OK) {
            return true;
        }
        hostile_pass_ms(20);
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

bool attack_as_client(struct scene *scene)
{
    struct net_channel *channel = open_channel(scene);
    uint8_t *huge = calloc(1, HUGE_FRAME);
    bool good = channel != NULL && huge != NULL;
    good = good && call_garbage(scene, channel);
    for (int i = 0; i < 3 && good; i++) {
        good = call(channel, huge, HUGE_FRAME);
        hostile_pass_ms(300);
    }
    good = good && call(channel, "\x08\x01", 2);
    net_channel_close(channel);
    free(huge);
    return good && hostile_judge(scene, "garbage and 100 MiB calls of a client",
                                 REPLICAS);
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
    uint64_t until = hostile_clock_ms(CLOCK_MONOTONIC) + CONNECT_TIMEOUT_MS;
    while (hostile_clock_ms(CLOCK_MONOTONIC) < until) {
        if (net_peers_send(peers, VICTIM, (struct pbft_bytes){data, size}) ==
            PBFT_OK) {
            return true;
        }
        hostile_pass_ms(20);
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

bool attack_as_replica(struct scene *scene)
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
        hostile_pass_ms(300);
    }
    good =
        good && hostile_judge(scene, "garbage and 100 MiB frames of a replica",
                              REPLICAS - 1);
    net_peers_close(peers);
    wire_buffer_deinit(&envelope);
    free(huge);
    /* The true replica comes back and is believed. */
    good = good && replicas_start(&scene->trial.replicas, TRAITOR) == PBFT_OK &&
           trial_converge(&scene->trial, CONVERGE_TIMEOUT_MS);
    return good && hostile_judge(scene, "the true replica is back", REPLICAS);
}
