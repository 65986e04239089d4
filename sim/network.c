/* SPDX-License-Identifier: Apache-2.0 */
/* Packets in a list in the order of sending, and their events in the queue. */
#include "sim/network.h"

#include <stdlib.h>

#include "consensus/assert.h"
#include "sim/sim.h"

#define STREAM_NETWORK 1
#define DETOUR_FACTOR 10
#define TAIL_DOUBLINGS_MAX 10

void network_init(struct network *network, struct sim *sim, uint64_t seed)
{
    *network = (struct network){.sim = sim};
    random_init(&network->random, seed, STREAM_NETWORK);
}

static void empty(struct sim_packet *packet)
{
    pbft_message_unref(packet->message);
    free(packet->reply);
    packet->message = NULL;
    packet->reply = NULL;
}

void network_deinit(struct network *network)
{
    network_forget_records(network);
    struct sim_packet *packet = network->first;
    while (packet != NULL) {
        struct sim_packet *next = packet->next;
        empty(packet);
        free(packet);
        packet = next;
    }
    while (network->unused != NULL) {
        struct sim_packet *next = network->unused->next;
        free(network->unused);
        network->unused = next;
    }
}

static void add_to_link(struct network *network, struct sim_packet *packet)
{
    struct network_link *link = network_link(network, packet->from, packet->to);
    packet->link_previous = link->last;
    *(link->last != NULL ? &link->last->link_next : &link->first) = packet;
    link->last = packet;
}

static void remove_from_link(struct network *network, struct sim_packet *packet)
{
    struct network_link *link = network_link(network, packet->from, packet->to);
    *(packet->link_previous != NULL ? &packet->link_previous->link_next
                                    : &link->first) = packet->link_next;
    *(packet->link_next != NULL ? &packet->link_next->link_previous
                                : &link->last) = packet->link_previous;
}

static struct sim_packet *add_packet(struct network *network, uint32_t from,
                                     uint32_t to)
{
    struct sim_packet *packet = network->unused;
    if (packet != NULL) {
        network->unused = packet->next;
    } else {
        packet = malloc(sizeof *packet);
        PBFT_ASSERT(packet != NULL);
    }
    *packet =
        (struct sim_packet){.from = from, .to = to, .previous = network->last};
    add_to_link(network, packet);
    if (network->last != NULL) {
        network->last->next = packet;
    } else {
        network->first = packet;
    }
    network->last = packet;
    network->flying++;
    return packet;
}

static void remove_packet(struct network *network, struct sim_packet *packet)
{
    if (packet->previous != NULL) {
        packet->previous->next = packet->next;
    } else {
        network->first = packet->next;
    }
    if (packet->next != NULL) {
        packet->next->previous = packet->previous;
    } else {
        network->last = packet->previous;
    }
    packet->next = network->unused;
    network->unused = packet;
}

/* Ends the packet; its memory stays until no event names it. */
static void finish(struct network *network, struct sim_packet *packet)
{
    if (packet->state == PACKET_FLYING) {
        network->flying--;
    }
    packet->state = PACKET_DONE;
    remove_from_link(network, packet);
    empty(packet);
    if (packet->event_count == 0) {
        remove_packet(network, packet);
    }
}

void network_finish(struct network *network, struct sim_packet *packet)
{
    finish(network, packet);
}

void network_drop(struct network *network, struct sim_packet *packet)
{
    PBFT_ASSERT(packet->state != PACKET_DONE);
    network->counts.lost++;
    finish(network, packet);
}

static void schedule(struct network *network, struct sim_packet *packet,
                     uint64_t delay_us)
{
    packet->event_count++;
    sim_queue_push(&network->sim->queue,
                   (struct sim_event){
                       .time_us = network->sim->now_us + delay_us,
                       .kind = SIM_EVENT_DELIVER,
                       .target = packet->to,
                       .item = packet,
                   });
}

static uint64_t draw_delay(struct network *network)
{
    const struct network_settings *settings = &network->settings;
    uint64_t delay = settings->latency_us;
    if (settings->jitter_us > 0) {
        delay += random_exponential(&network->random, settings->jitter_us);
    }
    if (settings->detour_permille > 0 &&
        random_chance(&network->random, settings->detour_permille)) {
        delay *= DETOUR_FACTOR;
    }
    if (settings->tail_permille > 0 &&
        random_chance(&network->random, settings->tail_permille)) {
        delay <<= random_between(&network->random, 1, TAIL_DOUBLINGS_MAX);
    }
    return delay;
}

static uint64_t draw_delay_of(struct network *network, uint32_t from,
                              uint32_t to)
{
    uint64_t delay = draw_delay(network);
    if (!actor_is_client(from) && !actor_is_client(to) &&
        network->factors[from][to] > 1) {
        delay *= network->factors[from][to];
    }
    if (!actor_is_client(from) && !actor_is_client(to)) {
        delay = scheduler_delay(network->sim, to, delay);
    }
    return delay;
}

static bool is_cut(const struct network *network, uint32_t from, uint32_t to)
{
    return !actor_is_client(from) && !actor_is_client(to) &&
           (network->cuts[from][to] > 0 ||
            scheduler_is_cut(network->sim, from, to));
}

static void send_one(struct network *network, uint32_t from, uint32_t to,
                     const struct pbft_message *message,
                     struct sim_reply *reply, uint64_t delay_us)
{
    const struct pbft_message *corrupted = NULL;
    if (reply == NULL && network->settings.corrupt_permille > 0 &&
        random_chance(&network->random, network->settings.corrupt_permille)) {
        corrupted = network_corrupt(network, message);
        message = corrupted;
    }
    if (message == NULL) {
        network->counts.lost++; /* No decoder takes it. */
        return;
    }
    struct sim_packet *packet = add_packet(network, from, to);
    packet->message = pbft_message_ref(message);
    packet->reply = reply;
    packet->sent_us = network->sim->now_us;
    pbft_message_unref(corrupted);
    if (!actor_is_client(from) && !actor_is_client(to) &&
        network->clogs[from][to] > 0) {
        packet->state = PACKET_CLOGGED;
        network->flying--;
        return;
    }
    schedule(network, packet, draw_delay_of(network, from, to) + delay_us);
}

void network_set_out(struct network *network, struct sim_packet *packet,
                     uint64_t delay_us)
{
    PBFT_ASSERT(packet->state == PACKET_CLOGGED);
    packet->state = PACKET_FLYING;
    network->flying++;
    schedule(network, packet,
             draw_delay_of(network, packet->from, packet->to) + delay_us);
}

/* Why the message does not even set out; NULL: it does. */
static const char *reason_lost(struct network *network, uint32_t from,
                               uint32_t to)
{
    const struct network_settings *settings = &network->settings;
    if (is_cut(network, from, to)) {
        return "cut";
    }
    return settings->loss_permille > 0 &&
                   random_chance(&network->random, settings->loss_permille)
               ? "lost by chance"
               : NULL;
}

static void trace_lost(struct network *network, uint32_t from, uint32_t to,
                       const struct pbft_message *message, const char *why)
{
    struct sim *sim = network->sim;
    trace_add(&sim->trace,
              &(struct trace_line){.time_us = sim->now_us,
                                   .host = actor_is_client(to) ? NULL
                                                               : sim->hosts[to],
                                   .where = sim_actor_name(sim, to),
                                   .what = "lose",
                                   .from = sim_actor_name(sim, from),
                                   .message = message,
                                   .note = why});
}

void network_lose(struct network *network, uint32_t from, uint32_t to,
                  const struct pbft_message *message, const char *why)
{
    network->counts.lost++;
    trace_lost(network, from, to, message, why);
}

static void send(struct network *network, uint32_t from, uint32_t to,
                 const struct pbft_message *message, struct sim_reply *reply,
                 uint64_t delay_us)
{
    const struct network_settings *settings = &network->settings;
    network->counts.sent++;
    const char *why = reason_lost(network, from, to);
    if (why != NULL) {
        network_lose(network, from, to, message, why);
        free(reply);
        return;
    }
    if (!actor_is_client(from) && !actor_is_client(to)) {
        network_record(network, from, to, message);
    }
    if (reply == NULL && settings->duplicate_permille > 0 &&
        random_chance(&network->random, settings->duplicate_permille)) {
        network->counts.duplicated++;
        send_one(network, from, to, message, NULL, delay_us);
    }
    send_one(network, from, to, message, reply, delay_us);
}

void network_send(struct network *network, uint32_t from, uint32_t to,
                  const struct pbft_message *message, struct sim_reply *reply)
{
    send(network, from, to, message, reply, 0);
}

void network_send_late(struct network *network, uint32_t from, uint32_t to,
                       const struct pbft_message *message, uint64_t delay_us)
{
    send(network, from, to, message, NULL, delay_us);
}

void network_cut(struct network *network, uint32_t from, uint32_t to)
{
    PBFT_ASSERT(from < SIM_HOSTS_MAX && to < SIM_HOSTS_MAX);
    PBFT_ASSERT(network->cuts[from][to] < UINT8_MAX);
    network->cuts[from][to]++;
    struct sim_packet *packet = network_link(network, from, to)->first;
    while (packet != NULL) {
        struct sim_packet *next = packet->link_next;
        if (packet->from == from && packet->to == to &&
            packet->state == PACKET_FLYING) {
            trace_lost(network, from, to, packet->message, "cut on its way");
            network_drop(network, packet);
        }
        packet = next;
    }
}

struct sim_packet *network_arrive(struct network *network,
                                  struct sim_packet *packet)
{
    PBFT_ASSERT(packet->event_count > 0);
    packet->event_count--;
    if (packet->state == PACKET_DONE) {
        if (packet->event_count == 0) {
            remove_packet(network, packet);
        }
        return NULL;
    }
    if (packet->state == PACKET_HELD) {
        return NULL; /* An event from before it was held again. */
    }
    enum packet_fate fate = FATE_DELIVER;
    if (network->filter != NULL && !packet->is_expedited) {
        fate = network->filter(network->filter_context, packet);
    }
    if (fate == FATE_DROP) {
        network_drop(network, packet);
        return NULL;
    }
    if (fate == FATE_HOLD) {
        packet->state = PACKET_HELD;
        network->flying--;
        return NULL;
    }
    network->counts.delivered++;
    return packet;
}

void network_take(struct network *network, struct sim_packet *packet)
{
    PBFT_ASSERT(packet->state != PACKET_DONE);
    if (packet->state == PACKET_HELD) {
        packet->state = PACKET_FLYING;
        network->flying++;
    }
    packet->is_expedited = true;
    packet->event_count++;
}
