/* SPDX-License-Identifier: Apache-2.0 */
/* Opens and closes the port for clients. */
#include "net/gateway_private.h"

#include <stdlib.h>
#include <string.h>

#include <nng/nng.h>
#include <nng/protocol/reqrep0/rep.h>

#include "net/common.h"

void net_gateway_config_defaults(struct net_gateway_config *config)
{
    memset(config, 0, sizeof *config);
    config->frame_bytes_max =
        4u * 1024u * 1024u; /* A full request, and more. */
    config->calls_max = 512;
    config->calls_per_caller_max = 384; /* The others keep a quarter. */
    config->connections_max = 1024;     /* At 42 KiB each. */
    config->connections_per_caller_max = 512;
    config->handshake_timeout_ms = 5000;
    config->reply_timeout_ms = 10000;
}

static void fill_in(struct net_gateway_config *config)
{
    struct net_gateway_config defaults;
    net_gateway_config_defaults(&defaults);
#define NET_FILL(field)                                                        \
    config->field = config->field != 0 ? config->field : defaults.field
    NET_FILL(frame_bytes_max);
    NET_FILL(calls_max);
    NET_FILL(calls_per_caller_max);
    NET_FILL(connections_max);
    NET_FILL(connections_per_caller_max);
    NET_FILL(handshake_timeout_ms);
    NET_FILL(reply_timeout_ms);
#undef NET_FILL
}

static void tick(void *context, pbft_time_ms now)
{
    struct net_gateway *gateway = context;
    net_calls_tick(gateway, now);
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

static enum pbft_status open_socket(struct net_gateway *gateway)
{
    nng_socket socket;
    int error = nng_rep0_open(&socket);
    if (error == 0) {
        gateway->socket_id = (uint32_t)nng_socket_id(socket);
        /* The number of the call, and perhaps a claim, come on top. */
        error = nng_socket_set_size(socket, NNG_OPT_RECVMAXSZ,
                                    (size_t)gateway->config.frame_bytes_max +
                                        sizeof(uint32_t) + NET_CLAIM_SIZE);
    }
    return net_status_of(error);
}

static enum pbft_status open_door(struct net_gateway *gateway,
                                  struct net_problem *problem)
{
    const struct net_gateway_config *config = &gateway->config;
    struct net_door_config door = {
        .socket_id = gateway->socket_id,
        .members = gateway->members,
        .role = NET_ROLE_CLIENT,
        .self = NET_NOBODY, /* Our own applications come in here. */
        .own = config->own,
        .listen_address = config->listen_address,
        .security = config->security,
        .connections_max = config->connections_max,
        .connections_per_owner_max = config->connections_per_caller_max,
        .handshake_timeout_ms = config->handshake_timeout_ms,
    };
    return net_door_open(&gateway->door, &door, problem);
}

static enum pbft_status open_all(struct net_gateway *gateway,
                                 struct net_problem *problem)
{
    const struct net_gateway_config *config = &gateway->config;
    size_t busy_size = config->busy_reply.size;
    gateway->busy = malloc(busy_size > 0 ? busy_size : 1);
    gateway->calls = calloc(config->calls_max, sizeof *gateway->calls);
    if (gateway->busy == NULL || gateway->calls == NULL) {
        return PBFT_NO_MEMORY;
    }
    if (busy_size > 0) {
        memcpy(gateway->busy, config->busy_reply.data, busy_size);
    }
    enum pbft_status status = net_members_create(
        &gateway->members, config->members, config->member_count, problem);
    if (status == PBFT_OK) {
        status = open_socket(gateway);
    }
    if (status == PBFT_OK) {
        status = net_calls_create(gateway);
    }
    if (status == PBFT_OK) {
        status = open_door(gateway, problem);
    }
    if (status == PBFT_OK) {
        net_calls_start(gateway);
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
    fill_in(&gateway->config);
    (void)pthread_mutex_init(&gateway->lock, NULL);
    status = open_all(gateway, problem);
    if (status != PBFT_OK) {
        net_gateway_close(gateway);
        return status;
    }
    *out = gateway;
    return PBFT_OK;
}

void net_gateway_close(struct net_gateway *gateway)
{
    if (gateway == NULL) {
        return;
    }
    net_monitor_stop(gateway->monitor);
    (void)pthread_mutex_lock(&gateway->lock);
    gateway->is_stopping = true;
    (void)pthread_mutex_unlock(&gateway->lock);
    if (gateway->socket_id != 0) {
        nng_socket socket = {gateway->socket_id};
        (void)nng_close(socket);
    }
    if (gateway->calls != NULL) {
        net_calls_destroy(gateway);
    }
    net_door_destroy(gateway->door);
    net_members_destroy(gateway->members);
    (void)pthread_mutex_destroy(&gateway->lock);
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
