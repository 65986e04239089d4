/* SPDX-License-Identifier: Apache-2.0 */
/* Requests out, proven answers in. */
#include "sim/client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "consensus/assert.h"
#include "consensus/preimage.h"
#include "consensus/quorum.h"
#include "sim/sim.h"

#define CLIENT_SESSION 1
#define REQUESTS_FIRST 16
#define PAYLOAD_MAX 2048
/* How often a client that thinks submits many at once. */
#define BURST_PERMILLE 200

void client_init(struct client *client, struct sim *sim, uint32_t index,
                 const char *name)
{
    *client = (struct client){.sim = sim, .index = index};
    (void)snprintf(client->name, sizeof client->name, "%s", name);
    sim_signer_init(&client->signer, "client", index, sim->settings.signatures);
    client->crypto = sim_signer_crypto(&client->signer);
    client->domain = (struct pbft_domain){.crypto = &client->crypto,
                                          .cluster = sim->cluster};
    client->institution.bytes[0] = (uint8_t)(index % sim->settings.n);
    client->resend_us = sim->settings.client_timeout_us;
}

void client_deinit(struct client *client)
{
    for (size_t i = 0; i < client->request_count; i++) {
        pbft_message_unref(client->requests[i].message);
    }
    free(client->requests);
    hostile_destroy(client->hostile);
}

const struct pbft_message *client_prepare(struct client *client,
                                          struct pbft_bytes payload)
{
    struct sim *sim = client->sim;
    if (client->request_count == client->request_capacity) {
        client->request_capacity = client->request_capacity == 0
                                       ? REQUESTS_FIRST
                                       : 2 * client->request_capacity;
        client->requests =
            realloc(client->requests,
                    client->request_capacity * sizeof client->requests[0]);
        PBFT_ASSERT(client->requests != NULL);
    }
    const struct pbft_request fields = {
        .client = client->signer.key,
        .institution = client->institution,
        .session = CLIENT_SESSION,
        .sequence = client->request_count + 1,
        .payload = payload,
    };
    struct pbft_message *message =
        pbft_request_create(&client->domain, &fields, PBFT_SENDER_CLIENT, NULL);
    PBFT_ASSERT(message != NULL);
    pbft_message_sign(&client->domain, message);
    client->requests[client->request_count++] = (struct client_request){
        .message = message, .submitted_us = sim->now_us};
    audit_note_request(sim, message);
    return message;
}

void client_send(struct client *client, const struct pbft_message *request,
                 const struct pbft_replica_set *to)
{
    struct sim *sim = client->sim;
    struct client_request *own =
        &client->requests[request->request.sequence - 1];
    if (sim->observer.on_submit != NULL) {
        sim->observer.on_submit(sim->observer.context, client, request, to);
    }
    trace_add(&sim->trace,
              &(struct trace_line){.time_us = sim->now_us,
                                   .where = client->name,
                                   .what = own->is_sent ? "resend" : "submit",
                                   .from = "-",
                                   .message = request,
                                   .note = ""});
    for (uint32_t i = 0; i < sim->host_count; i++) {
        if (pbft_set_has(to, sim->hosts[i]->id)) {
            network_send(&sim->network, SIM_HOSTS_MAX + client->index, i,
                         request, NULL);
        }
    }
    if (!own->is_sent) {
        own->is_sent = true;
        sim_schedule(sim, SIM_EVENT_CLIENT, client->index,
                     request->request.sequence, client->resend_us);
    }
}

static size_t make_payload(struct client *client, uint8_t *out, size_t capacity)
{
    struct sim *sim = client->sim;
    const struct service_load *load = sim->settings.service->load;
    if (load != NULL) {
        const struct service_client who = {
            .domain = &client->domain,
            .client = client->index,
            .key = &client->signer.key,
            .institution = &client->institution,
            .sequence = client->request_count + 1,
        };
        return load->payload(sim->load, &who, out, capacity);
    }
    size_t size = (size_t)random_between(&sim->random, 1, client->payload_max);
    PBFT_ASSERT(size <= capacity);
    memset(out, (int)(client->request_count & UINT8_MAX), size);
    return size;
}

static void submit_new(struct client *client)
{
    struct sim *sim = client->sim;
    uint8_t payload[PAYLOAD_MAX];
    size_t size = make_payload(client, payload, sizeof payload);
    const struct pbft_message *request =
        client_prepare(client, (struct pbft_bytes){payload, size});
    /* Usually its own institution's replica. */
    uint32_t home = client->index % sim->settings.n;
    if (random_chance(&sim->random, 250)) {
        home = (uint32_t)random_below(&sim->random, sim->settings.n);
    }
    struct pbft_replica_set to = pbft_set_one(home);
    client_send(client, request, &to);
}

static bool may_submit(const struct client *client)
{
    return client->request_count < client->share &&
           client->request_count - client->answered_count <
               client->outstanding_max;
}

/* One request, or at times as many as it may have outstanding. */
static void submit_and_think(struct client *client)
{
    struct random *random = &client->sim->random;
    bool is_burst = random_chance(random, BURST_PERMILLE);
    do {
        if (may_submit(client)) {
            submit_new(client);
        }
    } while (is_burst && may_submit(client));
    if (client->request_count < client->share) {
        sim_schedule(client->sim, SIM_EVENT_CLIENT, client->index, 0,
                     random_exponential(random, client->think_us));
    }
}

static void submit_missing(struct client *client)
{
    if (client->think_us > 0) {
        submit_and_think(client);
        return;
    }
    while (may_submit(client)) {
        submit_new(client);
    }
}

void client_on_event(struct client *client, uint64_t sequence)
{
    struct sim *sim = client->sim;
    if (client->hostile != NULL) {
        hostile_on_event(client);
        return;
    }
    if (sequence == 0) {
        submit_missing(client);
        return;
    }
    const struct client_request *own = &client->requests[sequence - 1];
    if (own->is_answered) {
        return;
    }
    struct pbft_replica_set all = pbft_set_others(sim->settings.n, UINT32_MAX);
    client_send(client, own->message, &all);
    sim_schedule(sim, SIM_EVENT_CLIENT, client->index, sequence,
                 client->resend_us);
}

/* f + 1 attestations prove the block; the results root covers the leaves. */
static bool is_proven(const struct client *client,
                      const struct pbft_message *proof,
                      const struct sim_reply *reply)
{
    const struct pbft_verifier verifier = {.domain = &client->domain,
                                           .keyring = &client->sim->keyring};
    struct pbft_digest root;
    if (proof->type != PBFT_MESSAGE_STABLE ||
        proof->stable.attestation.seq != reply->seq ||
        reply->index >= reply->leaf_count ||
        pbft_verify_attested(&verifier, &proof->stable) != PBFT_OK) {
        return false;
    }
    client->sim->settings.service->root(&root, reply->leaves,
                                        reply->leaf_count);
    return memcmp(&root, &proof->stable.attestation.results_root,
                  sizeof root) == 0;
}

void client_on_packet(struct client *client, const struct sim_packet *packet)
{
    struct sim *sim = client->sim;
    const struct sim_reply *reply = packet->reply;
    if (reply == NULL || reply->sequence == 0 ||
        reply->sequence > client->request_count ||
        !is_proven(client, packet->message, reply)) {
        return;
    }
    struct client_request *own = &client->requests[reply->sequence - 1];
    audit_answer(sim, client, reply->sequence,
                 &packet->message->stable.attestation, reply);
    trace_add(&sim->trace,
              &(struct trace_line){.time_us = sim->now_us,
                                   .where = client->name,
                                   .what = "answer",
                                   .from = sim_actor_name(sim, packet->from),
                                   .message = packet->message,
                                   .number = reply->sequence,
                                   .note = own->is_answered ? "again" : "new"});
    if (own->is_answered) {
        return;
    }
    own->is_answered = true;
    own->answered_us = sim->now_us;
    own->seq = reply->seq;
    own->index = reply->index;
    client->answered_count++;
    client->seq_max =
        reply->seq > client->seq_max ? reply->seq : client->seq_max;
    if (client->think_us == 0 && client->request_count < client->share) {
        sim_schedule(sim, SIM_EVENT_CLIENT, client->index, 0, 0);
    }
}

bool client_is_done(const struct client *client)
{
    return client->answered_count == client->request_count &&
           client->request_count >= client->share;
}
