/* SPDX-License-Identifier: Apache-2.0 */
/* Who is hostile, when they act, and how they send. */
#include "sim/client_hostile.h"

#include <stdio.h>
#include <stdlib.h>

#include "consensus/assert.h"
#include "consensus/preimage.h"
#include "consensus/quorum.h"
#include "sim/sim.h"

#define STREAM_HOSTILES 9
#define SESSION 1
#define ACTS_MAX 60
#define ACTS_AFTER 10
#define STORMS_MAX 10000
/* A storm sends so many copies to each replica at a time. */
#define STORM_BURST 50
#define STORM_PAUSE_US 500
/* Mean time between two acts, of the time that a client waits. */
#define PAUSE_PERCENT 25

void hostiles_init(struct hostiles *hostiles, uint64_t seed)
{
    *hostiles = (struct hostiles){.acts = {0}};
    random_init(&hostiles->random, seed, STREAM_HOSTILES);
}

static void schedule(struct client *client, uint64_t delay_us)
{
    sim_schedule(client->sim, SIM_EVENT_CLIENT, client->index, 0, delay_us);
}

static uint64_t draw_pause(struct client *client)
{
    uint64_t mean = client->sim->settings.client_timeout_us;
    return 1 + random_exponential(&client->sim->hostiles.random,
                                  mean * PAUSE_PERCENT / 100);
}

void hostiles_begin(struct sim *sim)
{
    PBFT_ASSERT(hostile_kind_count <= HOSTILE_KINDS_MAX);
    for (uint32_t i = 0; i < sim->settings.hostile_count; i++) {
        char name[CLIENT_NAME_SIZE];
        (void)snprintf(name, sizeof name, "h%u", i + 1);
        struct client *client = sim_add_client(sim, name);
        struct hostile *hostile = calloc(1, sizeof *hostile);
        PBFT_ASSERT(hostile != NULL);
        sim_signer_init(&hostile->stranger, "stranger", i,
                        sim->settings.signatures);
        hostile->acts_left = random_between(&sim->hostiles.random, 1, ACTS_MAX);
        hostile->storms_left = STORMS_MAX;
        client->hostile = hostile;
        schedule(client, draw_pause(client));
    }
}

void hostiles_end_faults(struct sim *sim)
{
    for (uint32_t i = 0; i < sim->client_count; i++) {
        struct hostile *hostile = sim->clients[i]->hostile;
        if (hostile != NULL && hostile->acts_left > ACTS_AFTER) {
            hostile->acts_left = ACTS_AFTER;
        }
    }
}

void hostile_destroy(struct hostile *hostile)
{
    if (hostile == NULL) {
        return;
    }
    for (size_t i = 0; i < HOSTILE_RECORDED_MAX; i++) {
        pbft_message_unref(hostile->recorded[i]);
    }
    pbft_message_unref(hostile->storm);
    free(hostile);
}

static void act(struct client *client)
{
    struct hostiles *hostiles = &client->sim->hostiles;
    uint32_t rows[HOSTILE_KINDS_MAX];
    uint32_t count = 0;
    for (uint32_t i = 0; i < hostile_kind_count; i++) {
        if ((client->sim->settings.hostile_mask >> i & 1) != 0) {
            rows[count++] = i;
        }
    }
    client->hostile->acts_left--;
    if (count > 0) {
        uint32_t row = rows[random_below(&hostiles->random, count)];
        hostiles->acts[row]++;
        hostile_kinds[row].act(client);
    }
}

static void go_on_with_storm(struct client *client)
{
    struct hostile *hostile = client->hostile;
    for (int i = 0; i < STORM_BURST && hostile->storm_left > 0; i++) {
        hostile->storm_left--;
        hostile_send_all(client, hostile->storm);
    }
}

void hostile_on_event(struct client *client)
{
    struct hostile *hostile = client->hostile;
    if (hostile->storm_left > 0) {
        go_on_with_storm(client);
    } else if (hostile->acts_left > 0) {
        act(client);
    }
    if (hostile->storm_left > 0) {
        schedule(client, STORM_PAUSE_US);
    } else if (hostile->acts_left > 0) {
        schedule(client, draw_pause(client));
    }
}

/* ---- how they send ---------------------------------------------------------
 */

struct pbft_request hostile_fields(struct client *client)
{
    return (struct pbft_request){.client = client->signer.key,
                                 .institution = client->institution,
                                 .session = SESSION,
                                 .sequence = ++client->hostile->sequence,
                                 .payload = {(const uint8_t *)"h", 1}};
}

static const struct pbft_message *make(struct client *client,
                                       const struct pbft_domain *domain,
                                       const struct pbft_request *fields)
{
    struct hostile *hostile = client->hostile;
    const struct pbft_message **at =
        &hostile->recorded[hostile->recorded_count++ % HOSTILE_RECORDED_MAX];
    struct pbft_message *request =
        pbft_request_create(domain, fields, PBFT_SENDER_CLIENT, NULL);
    PBFT_ASSERT(request != NULL);
    pbft_message_sign(domain, request);
    audit_note_request(client->sim, request);
    pbft_message_unref(*at);
    *at = request;
    return request;
}

const struct pbft_message *hostile_make(struct client *client,
                                        const struct pbft_request *fields)
{
    return make(client, &client->domain, fields);
}

const struct pbft_message *hostile_make_strange(struct client *client)
{
    const struct sim_signer *stranger = &client->hostile->stranger;
    const struct pbft_crypto crypto = sim_signer_crypto(stranger);
    const struct pbft_domain domain = {.crypto = &crypto,
                                       .cluster = client->sim->cluster};
    struct pbft_request fields = hostile_fields(client);
    fields.client = stranger->key;
    return make(client, &domain, &fields);
}

void hostile_send(struct client *client, pbft_replica_id to,
                  const struct pbft_message *request)
{
    struct sim *sim = client->sim;
    for (uint32_t i = 0; i < sim->host_count; i++) {
        if (sim->hosts[i]->id == to) {
            network_send(&sim->network, SIM_HOSTS_MAX + client->index, i,
                         request, NULL);
        }
    }
}

void hostile_send_all(struct client *client, const struct pbft_message *request)
{
    for (pbft_replica_id id = 0; id < client->sim->settings.n; id++) {
        hostile_send(client, id, request);
    }
}

const struct pbft_message *hostile_recall(struct client *client)
{
    const struct hostile *hostile = client->hostile;
    uint64_t count = hostile->recorded_count;
    if (count > HOSTILE_RECORDED_MAX) {
        count = HOSTILE_RECORDED_MAX;
    }
    return count == 0 ? NULL
                      : hostile->recorded[random_below(
                            &client->sim->hostiles.random, count)];
}

pbft_replica_id hostile_guess_primary(struct client *client)
{
    struct sim *sim = client->sim;
    pbft_replica_id id =
        (pbft_replica_id)random_below(&sim->hostiles.random, sim->settings.n);
    struct pbft_report report;
    if (sim->hosts[id]->state != HOST_UP) {
        return id;
    }
    pbft_replica_report(host_replica(sim->hosts[id]), &report);
    return pbft_primary_of(report.view, sim->settings.n);
}
