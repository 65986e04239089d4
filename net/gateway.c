/* SPDX-License-Identifier: Apache-2.0 */
/* The port for clients: calls by their place in a table, replies by whoever has
 * the number of the call.
 *
 * On the wire a call begins with the header of the SP request protocol: words
 * of 32 bits, the last one with its highest bit set. A reply begins with the
 * same words.
 */
#include "net/gateway.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "net/common.h"
#include "net/door.h"
#include "net/fair.h"
#include "net/monitor.h"

#define HEADER_WORDS_MAX 8 /* One, and one for each NNG device between. */
#define HEADER_BYTES_MAX (4u * HEADER_WORDS_MAX)
/* Replies that wait for one client. */
#define OUTBOX_MESSAGES_MAX 1024
#define OUTBOX_BYTES_MAX (16u * 1024u * 1024u)

struct call {
    bool is_open;          /* Else this place is free. */
    struct net_link *link; /* Held; NULL: it has gone. */
    uint32_t number;       /* Of the call in this place; tells old ids. */
    uint32_t caller;
    uint32_t header_size;
    uint8_t header[HEADER_BYTES_MAX];
};

struct net_gateway {
    struct net_gateway_config config; /* Its pointers are not valid any more. */
    struct net_members *members;
    struct net_door *door;
    struct net_monitor *monitor;
    uint8_t *busy;        /* Copy of config.busy_reply. */
    pthread_mutex_t lock; /* Guards the rest. */
    struct call *calls;   /* config.calls_max */
    uint32_t *free_calls; /* A stack of free places. */
    uint32_t free_count;
    uint64_t open_calls[PBFT_INSTITUTIONS_MAX]; /* By caller. */
    struct net_gateway_stats stats;
};

/* ---- calls --------------------------------------------------------------- */

/* What a frame begins with. */
struct opening {
    uint32_t header_size;
    uint32_t caller;
    size_t offset; /* Of the call itself. */
};

static bool read_opening(const struct net_gateway *gateway,
                         struct net_frame frame, struct opening *out)
{
    size_t size = 0;
    bool ends = false;
    while (!ends) {
        if (size == HEADER_BYTES_MAX || frame.size < size + 4) {
            return false;
        }
        ends = (frame.data[size] & 0x80u) != 0;
        size += 4;
    }
    out->header_size = (uint32_t)size;
    if (gateway->config.security != NET_TLS) {
        if (frame.size < size + NET_CLAIM_SIZE) {
            return false;
        }
        out->caller = net_claim_read(frame.data + size);
        size += NET_CLAIM_SIZE;
    }
    out->offset = size;
    return out->caller < net_members_count(gateway->members);
}

/* Lock held. */
static bool is_crowded(const struct net_gateway *gateway, uint32_t caller)
{
    const uint64_t *open = gateway->open_calls;
    const struct net_holdings holdings = {gateway->config.calls_max,
                                          gateway->free_count, open,
                                          net_members_count(gateway->members)};
    return open[caller] >= gateway->config.calls_per_caller_max ||
           !net_fair_admits(&holdings, caller, 1);
}

/* A place for the call; false if its caller, or everybody, has too many. */
static bool open_call(struct net_gateway *gateway, struct net_link *link,
                      const struct opening *opening, const uint8_t *header,
                      uint64_t *id)
{
    (void)pthread_mutex_lock(&gateway->lock);
    bool admitted = !is_crowded(gateway, opening->caller);
    if (admitted) {
        uint32_t place = gateway->free_calls[--gateway->free_count];
        struct call *call = &gateway->calls[place];
        net_link_hold(link);
        call->is_open = true;
        call->link = link;
        call->number++;
        call->caller = opening->caller;
        call->header_size = opening->header_size;
        memcpy(call->header, header, opening->header_size);
        gateway->open_calls[opening->caller]++;
        gateway->stats.calls_in_flight++;
        gateway->stats.calls++;
        *id = (uint64_t)call->number << 32 | place;
    } else {
        gateway->stats.refused_busy++;
    }
    (void)pthread_mutex_unlock(&gateway->lock);
    return admitted;
}

/* Frees the place; the link, if there is one, is still held. False: no such
 * call. */
static bool end_call(struct net_gateway *gateway, uint64_t id, struct call *out)
{
    uint32_t place = (uint32_t)id;
    if (place >= gateway->config.calls_max) {
        return false;
    }
    struct call *call = &gateway->calls[place];
    (void)pthread_mutex_lock(&gateway->lock);
    bool is_open = call->is_open && call->number == (uint32_t)(id >> 32);
    if (is_open) {
        *out = *call;
        call->is_open = false;
        call->link = NULL;
        gateway->free_calls[gateway->free_count++] = place;
        gateway->open_calls[call->caller]--;
        gateway->stats.calls_in_flight--;
    }
    (void)pthread_mutex_unlock(&gateway->lock);
    return is_open;
}

static void send_reply(struct net_gateway *gateway, struct net_link *link,
                       struct pbft_bytes header, struct pbft_bytes bytes)
{
    const struct pbft_bytes parts[2] = {header, bytes};
    switch (net_link_send(link, parts, 2)) {
    case PBFT_OK:
        (void)pthread_mutex_lock(&gateway->lock);
        gateway->stats.bytes_sent += bytes.size;
        (void)pthread_mutex_unlock(&gateway->lock);
        break;
    case PBFT_UNREACHABLE:
        break; /* It has gone. */
    default:   /* It does not take its replies, or all bytes are taken. */
        net_link_close(link);
    }
}

static void count_bytes(struct net_gateway *gateway, size_t size)
{
    (void)pthread_mutex_lock(&gateway->lock);
    gateway->stats.bytes_received += size;
    (void)pthread_mutex_unlock(&gateway->lock);
}

static enum net_disposition on_message(void *context, struct net_link *link,
                                       uint32_t owner, struct net_frame frame)
{
    struct net_gateway *gateway = context;
    struct opening opening = {.caller = owner};
    struct net_shared shared;
    uint64_t id = 0;
    if (!read_opening(gateway, frame, &opening)) {
        free(frame.data);
        net_link_close(link);
        return NET_TAKEN;
    }
    count_bytes(gateway, frame.size - opening.offset);
    if (!net_share(&shared, frame, opening.offset)) {
        free(frame.data); /* Out of memory: the client will ask again. */
        return NET_TAKEN;
    }
    if (open_call(gateway, link, &opening, frame.data, &id)) {
        gateway->config.call(gateway->config.context, id, opening.caller,
                             shared.buffer);
        return NET_TAKEN;
    }
    const struct pbft_bytes header = {frame.data, opening.header_size};
    const struct pbft_bytes busy = {gateway->busy,
                                    gateway->config.busy_reply.size};
    send_reply(gateway, link, header, busy);
    pbft_buffer_unref(shared.buffer);
    return NET_TAKEN;
}

void net_gateway_reply(struct net_gateway *gateway, uint64_t id,
                       struct pbft_bytes bytes)
{
    struct call call;
    if (end_call(gateway, id, &call) && call.link != NULL) {
        const struct pbft_bytes header = {call.header, call.header_size};
        send_reply(gateway, call.link, header, bytes);
        net_link_release(call.link);
    }
}

/* ---- opening and closing ------------------------------------------------- */

/* Calls whose clients have gone still count until they are answered, but do not
 * keep a place for a connection: else one institution could come and go until
 * there is none left. */
static void let_go(struct net_gateway *gateway)
{
    (void)pthread_mutex_lock(&gateway->lock);
    for (uint32_t i = 0; i < gateway->config.calls_max; i++) {
        struct net_link_state state = {.is_closed = false};
        struct net_link *link = gateway->calls[i].link;
        if (link != NULL) {
            net_link_state(link, &state);
        }
        if (state.is_closed) {
            gateway->calls[i].link = NULL;
            net_link_release(link);
        }
    }
    (void)pthread_mutex_unlock(&gateway->lock);
}

static void tick(void *context, pbft_time_ms now)
{
    struct net_gateway *gateway = context;
    let_go(gateway);
    net_door_close_stuck(gateway->door, now, gateway->config.reply_timeout_ms);
    net_door_tick(gateway->door, now);
}

static enum pbft_status check(const struct net_gateway_config *config,
                              struct net_problem *problem)
{
    if (config->member_count == 0 ||
        config->member_count > PBFT_INSTITUTIONS_MAX ||
        config->self >= config->member_count || config->call == NULL) {
        net_problem_set(problem, "member %u of %u cannot be", config->self,
                        config->member_count);
        return PBFT_INVALID_CONFIG;
    }
    if (config->security != NET_TLS) {
        return PBFT_OK;
    }
    char name[TLS_NAME_SIZE];
    const struct net_member *self = &config->members[config->self];
    net_role_name(name, NET_ROLE_REPLICA, self->name);
    return tls_check_own(&config->own, self->tls_ca, name, problem);
}

static enum pbft_status allocate(struct net_gateway *gateway)
{
    const struct net_gateway_config *config = &gateway->config;
    size_t busy_size = config->busy_reply.size;
    gateway->busy = malloc(busy_size > 0 ? busy_size : 1);
    gateway->calls = calloc(config->calls_max, sizeof *gateway->calls);
    gateway->free_calls =
        calloc(config->calls_max, sizeof *gateway->free_calls);
    if (gateway->busy == NULL || gateway->calls == NULL ||
        gateway->free_calls == NULL) {
        return PBFT_NO_MEMORY;
    }
    if (busy_size > 0) {
        memcpy(gateway->busy, config->busy_reply.data, busy_size);
    }
    for (uint32_t i = 0; i < config->calls_max; i++) {
        gateway->free_calls[gateway->free_count++] = config->calls_max - 1 - i;
    }
    return PBFT_OK;
}

static enum pbft_status open_door(struct net_gateway *gateway,
                                  struct net_problem *problem)
{
    const struct net_gateway_config *config = &gateway->config;
    const struct net_door_config door = {
        .members = gateway->members,
        .role = NET_ROLE_CLIENT,
        .self = NET_NOBODY, /* Our own applications come in here. */
        .own = config->own,
        .listen_address = config->listen_address,
        .security = config->security,
        .protocol = NET_REP,
        .frame_bytes_max =
            config->frame_bytes_max + HEADER_BYTES_MAX + NET_CLAIM_SIZE,
        .outbox_messages_max = OUTBOX_MESSAGES_MAX,
        .outbox_bytes_max = OUTBOX_BYTES_MAX,
        .bytes_max = config->bytes_max,
        .connections_max = config->connections_max,
        .connections_per_owner_max = config->connections_per_caller_max,
        .handshake_timeout_ms = config->handshake_timeout_ms,
        .context = gateway,
        .on_message = on_message,
    };
    return net_door_open(&gateway->door, &door, problem);
}

static enum pbft_status open_all(struct net_gateway *gateway,
                                 struct net_problem *problem)
{
    const struct net_gateway_config *config = &gateway->config;
    enum pbft_status status = allocate(gateway);
    if (status == PBFT_OK) {
        status = net_members_create(&gateway->members, config->members,
                                    config->member_count, problem);
    }
    if (status == PBFT_OK) {
        status = open_door(gateway, problem);
    }
    if (status == PBFT_OK) {
        gateway->monitor = net_monitor_start(tick, gateway);
        status = gateway->monitor == NULL ? PBFT_NO_MEMORY : PBFT_OK;
    }
    return status;
}

enum pbft_status net_gateway_open(const struct net_gateway_config *config,
                                  struct net_gateway **out,
                                  struct net_problem *problem)
{
    enum pbft_status status = check(config, problem);
    if (status != PBFT_OK) {
        return status;
    }
    struct net_gateway *gateway = calloc(1, sizeof *gateway);
    if (gateway == NULL) {
        return PBFT_NO_MEMORY;
    }
    gateway->config = *config;
    net_gateway_config_complete(&gateway->config);
    (void)pthread_mutex_init(&gateway->lock, NULL);
    status = open_all(gateway, problem);
    if (status != PBFT_OK) {
        net_gateway_close(gateway);
        return status;
    }
    *out = gateway;
    return PBFT_OK;
}

/* Calls that will not be answered any more. */
static void abandon_calls(struct net_gateway *gateway)
{
    (void)pthread_mutex_lock(&gateway->lock);
    gateway->free_count = 0; /* No further call is opened. */
    for (uint32_t i = 0; i < gateway->config.calls_max; i++) {
        struct net_link *link = gateway->calls[i].link;
        gateway->calls[i].is_open = false;
        gateway->calls[i].link = NULL;
        if (link != NULL) {
            net_link_release(link);
        }
    }
    (void)pthread_mutex_unlock(&gateway->lock);
}

void net_gateway_close(struct net_gateway *gateway)
{
    if (gateway == NULL) {
        return;
    }
    net_monitor_stop(gateway->monitor);
    if (gateway->door != NULL) {
        abandon_calls(gateway);
        net_door_close(gateway->door);
    }
    net_members_destroy(gateway->members);
    (void)pthread_mutex_destroy(&gateway->lock);
    free(gateway->free_calls);
    free(gateway->calls);
    free(gateway->busy);
    free(gateway);
}

uint16_t net_gateway_port(const struct net_gateway *gateway)
{
    return net_door_port(gateway->door);
}

void net_gateway_stats(struct net_gateway *gateway,
                       struct net_gateway_stats *out)
{
    struct net_door_stats door;
    net_door_stats(gateway->door, &door);
    (void)pthread_mutex_lock(&gateway->lock);
    *out = gateway->stats;
    (void)pthread_mutex_unlock(&gateway->lock);
    out->connections = door.connections;
    out->strangers = door.strangers;
    out->crowded = door.crowded;
    out->reaped = door.reaped;
    out->last = door.last;
}
