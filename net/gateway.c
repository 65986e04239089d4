/* SPDX-License-Identifier: Apache-2.0 */
/* A rep0 socket with one context per call in flight. */
#include "net/gateway.h"

#include <nng/nng.h>
#include <nng/protocol/reqrep0/rep.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "net/endpoint.h"

#define TICK_MS 1000
#define CALL_INDEX_BITS 16
#define CALLS_LIMIT (1u << CALL_INDEX_BITS)

enum call_state { CALL_READING, CALL_HELD, CALL_ANSWERING };

struct call {
    struct net_gateway *gateway;
    nng_ctx context;
    nng_aio *aio;
    bool is_open;
    enum call_state state;
    uint64_t generation;
    uint32_t caller;
    nng_pipe pipe;
    size_t reply_size;
};

struct net_gateway {
    struct net_gateway_config config; /* Pointers in it are not valid any more,
                                         but `busy_reply`, which is our copy. */
    struct tls_members *members;
    struct nng_tls_config *tls;
    nng_socket socket;
    nng_listener listener;
    bool is_open;
    struct call *calls;
    pthread_t ticker;
    bool has_ticker;

    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool closing;
    uint32_t *in_flight; /* By caller. */
    struct endpoint_pipes pipes;
    struct endpoint_reaper reaper;
    struct net_gateway_stats stats;
};

void net_gateway_config_defaults(struct net_gateway_config *config)
{
    memset(config, 0, sizeof(*config));
    config->frame_bytes_max = 4u * 1024 * 1024;
    config->calls_max = 1024;
    config->calls_per_caller_max = 512;
    config->connections_max = 1024;
    config->connections_per_caller_max = 256;
    config->handshake_timeout_ms = 5000;
    config->reply_timeout_ms = 10000;
}

static void take_default(uint32_t *value, uint32_t by_default)
{
    if (*value == 0) {
        *value = by_default;
    }
}

static void fill_defaults(struct net_gateway_config *config)
{
    struct net_gateway_config defaults;

    net_gateway_config_defaults(&defaults);
    take_default(&config->frame_bytes_max, defaults.frame_bytes_max);
    take_default(&config->calls_max, defaults.calls_max);
    take_default(&config->calls_per_caller_max, defaults.calls_per_caller_max);
    take_default(&config->connections_max, defaults.connections_max);
    take_default(&config->connections_per_caller_max,
                 defaults.connections_per_caller_max);
    take_default(&config->handshake_timeout_ms, defaults.handshake_timeout_ms);
    take_default(&config->reply_timeout_ms, defaults.reply_timeout_ms);
}

/* ---- connections --------------------------------------------------------- */

/* Lock held. */
static bool has_room(struct net_gateway *gateway, uint32_t caller)
{
    return gateway->pipes.count < gateway->config.connections_max &&
           (caller == NET_NOBODY ||
            endpoint_pipes_count(&gateway->pipes, caller) <
                gateway->config.connections_per_caller_max);
}

static void on_pipe(nng_pipe pipe, nng_pipe_ev event, void *context)
{
    struct net_gateway *gateway = context;
    struct net_problem problem = {{0}};
    bool is_plain = gateway->config.security != NET_TLS;
    uint32_t caller = NET_NOBODY;
    bool good = true;

    if (event == NNG_PIPE_EV_ADD_PRE && !is_plain) {
        caller = tls_peer_of(gateway->members, (uint32_t)nng_pipe_id(pipe),
                             TLS_CLIENT, &problem);
    }
    (void)pthread_mutex_lock(&gateway->lock);
    if (event == NNG_PIPE_EV_REM_POST) {
        endpoint_pipes_remove(&gateway->pipes, (uint32_t)nng_pipe_id(pipe));
    } else if (event == NNG_PIPE_EV_ADD_PRE) {
        if (!is_plain && caller == NET_NOBODY) {
            gateway->stats.strangers++;
            gateway->stats.last = problem;
            good = false;
        } else if (!has_room(gateway, caller) ||
                   endpoint_pipes_add(&gateway->pipes, pipe, caller) == NULL) {
            gateway->stats.crowded++;
            good = false;
        }
    }
    (void)pthread_mutex_unlock(&gateway->lock);
    if (!good) {
        (void)nng_pipe_close(pipe);
    }
}

/* ---- calls --------------------------------------------------------------- */

static void read_next(struct call *call)
{
    call->state = CALL_READING;
    nng_aio_set_timeout(call->aio, NNG_DURATION_INFINITE);
    nng_ctx_recv(call->context, call->aio);
}

/* Sends `bytes` as the answer. */
static void answer(struct call *call, struct pbft_bytes bytes)
{
    nng_msg *message = NULL;

    call->reply_size = bytes.size;
    if (nng_msg_alloc(&message, 0) != 0 ||
        nng_msg_append(message, bytes.data, bytes.size) != 0) {
        if (message != NULL) {
            nng_msg_free(message);
        }
        read_next(call); /* The caller asks again. */
        return;
    }
    call->state = CALL_ANSWERING;
    nng_aio_set_timeout(call->aio,
                        (nng_duration)call->gateway->config.reply_timeout_ms);
    nng_aio_set_msg(call->aio, message);
    nng_ctx_send(call->context, call->aio);
}

/* Who calls; trims the claim of plain TCP. NET_NOBODY: refuse. */
static uint32_t caller_of(struct net_gateway *gateway, nng_msg *message)
{
    uint32_t pipe = (uint32_t)nng_pipe_id(nng_msg_get_pipe(message));
    uint32_t caller = NET_NOBODY;

    (void)pthread_mutex_lock(&gateway->lock);
    struct endpoint_pipe *item = endpoint_pipes_find(&gateway->pipes, pipe);
    if (item != NULL) {
        caller = item->member;
        if (gateway->config.security != NET_TLS &&
            nng_msg_trim_u32(message, &caller) != 0) {
            caller = NET_NOBODY;
        }
        item->member = caller;
    }
    (void)pthread_mutex_unlock(&gateway->lock);
    return caller < gateway->config.member_count ? caller : NET_NOBODY;
}

/* Counts the call in; false if the caller has too many. */
static bool count_in(struct net_gateway *gateway, struct call *call,
                     size_t size)
{
    bool good = false;

    (void)pthread_mutex_lock(&gateway->lock);
    gateway->stats.bytes_received += size;
    if (gateway->in_flight[call->caller] <
        gateway->config.calls_per_caller_max) {
        gateway->in_flight[call->caller]++;
        gateway->stats.calls++;
        gateway->stats.calls_in_flight++;
        call->generation++;
        call->state = CALL_HELD;
        good = true;
    } else {
        gateway->stats.refused_busy++;
    }
    (void)pthread_mutex_unlock(&gateway->lock);
    return good;
}

static uint64_t call_id(const struct net_gateway *gateway,
                        const struct call *call)
{
    return call->generation << CALL_INDEX_BITS |
           (uint64_t)(call - gateway->calls);
}

static void on_read(struct call *call)
{
    struct net_gateway *gateway = call->gateway;
    nng_msg *message = nng_aio_get_msg(call->aio);

    call->pipe = nng_msg_get_pipe(message);
    call->caller = caller_of(gateway, message);
    if (call->caller == NET_NOBODY) {
        nng_msg_free(message);
        (void)nng_pipe_close(call->pipe);
        read_next(call);
        return;
    }
    if (!count_in(gateway, call, nng_msg_len(message))) {
        nng_msg_free(message);
        answer(call, gateway->config.busy_reply);
        return;
    }
    uint64_t id = call_id(gateway, call);
    struct pbft_buffer *buffer = endpoint_wrap(message);
    if (buffer == NULL) {
        net_gateway_reply(gateway, id, gateway->config.busy_reply);
        return;
    }
    gateway->config.call(gateway->config.context, id, call->caller, buffer);
}

static void on_event(void *context)
{
    struct call *call = context;
    struct net_gateway *gateway = call->gateway;
    int result = nng_aio_result(call->aio);

    if (result == NNG_ECLOSED || result == NNG_ECANCELED) {
        if (call->state == CALL_ANSWERING) {
            nng_msg_free(nng_aio_get_msg(call->aio));
        }
        return;
    }
    if (call->state == CALL_READING) {
        if (result == 0) {
            on_read(call);
        } else {
            read_next(call);
        }
        return;
    }
    if (result != 0) {
        nng_msg_free(nng_aio_get_msg(call->aio));
        (void)nng_pipe_close(call->pipe); /* It does not take its reply. */
    } else {
        (void)pthread_mutex_lock(&gateway->lock);
        gateway->stats.bytes_sent += call->reply_size;
        (void)pthread_mutex_unlock(&gateway->lock);
    }
    read_next(call);
}

void net_gateway_reply(struct net_gateway *gateway, uint64_t id,
                       struct pbft_bytes bytes)
{
    uint32_t index = (uint32_t)(id & (CALLS_LIMIT - 1));
    bool is_due = false;

    if (index >= gateway->config.calls_max) {
        return;
    }
    struct call *call = &gateway->calls[index];
    (void)pthread_mutex_lock(&gateway->lock);
    if (call->state == CALL_HELD && call->generation == id >> CALL_INDEX_BITS &&
        !gateway->closing) {
        call->state = CALL_ANSWERING;
        gateway->in_flight[call->caller]--;
        gateway->stats.calls_in_flight--;
        is_due = true;
    }
    (void)pthread_mutex_unlock(&gateway->lock);
    if (is_due) {
        answer(call, bytes);
    }
}

/* ---- opening and closing ------------------------------------------------- */

static void *tick(void *context)
{
    struct net_gateway *gateway = context;

    (void)pthread_mutex_lock(&gateway->lock);
    while (!gateway->closing) {
        struct timespec until;
        (void)clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += TICK_MS / 1000;
        (void)pthread_cond_timedwait(&gateway->wake, &gateway->lock, &until);
        if (!gateway->closing) {
            gateway->stats.reaped += endpoint_reap(
                &gateway->reaper, &gateway->pipes, endpoint_now_ms(),
                gateway->config.handshake_timeout_ms);
        }
    }
    (void)pthread_mutex_unlock(&gateway->lock);
    return NULL;
}

static enum pbft_status prepare(struct net_gateway *gateway,
                                const struct net_gateway_config *config,
                                struct net_problem *problem)
{
    enum pbft_status status = tls_engine_install();
    uint8_t *busy = malloc(config->busy_reply.size + 1);

    gateway->pipes.capacity = gateway->config.connections_max;
    gateway->pipes.items =
        calloc(gateway->pipes.capacity, sizeof(*gateway->pipes.items));
    gateway->in_flight =
        calloc(config->member_count, sizeof(*gateway->in_flight));
    gateway->calls = calloc(gateway->config.calls_max, sizeof(*gateway->calls));
    gateway->config.busy_reply.data = busy;
    if (busy == NULL || gateway->pipes.items == NULL ||
        gateway->in_flight == NULL || gateway->calls == NULL) {
        return PBFT_NO_MEMORY;
    }
    if (config->busy_reply.size > 0) {
        memcpy(busy, config->busy_reply.data, config->busy_reply.size);
    }
    if (status == PBFT_OK && config->security == NET_TLS) {
        status = tls_members_create(&gateway->members, config->members,
                                    config->member_count, problem);
        if (status == PBFT_OK) {
            status = tls_check_own(gateway->members, config->self, TLS_REPLICA,
                                   &config->own, problem);
        }
        if (status == PBFT_OK) {
            status = tls_server_config(&gateway->tls, gateway->members,
                                       &config->own, problem);
        }
    }
    return status;
}

static enum pbft_status open_socket(struct net_gateway *gateway,
                                    const char *address,
                                    struct net_problem *problem)
{
    if (nng_rep0_open(&gateway->socket) != 0) {
        return PBFT_NO_MEMORY;
    }
    gateway->is_open = true;
    (void)nng_pipe_notify(gateway->socket, NNG_PIPE_EV_ADD_PRE, on_pipe,
                          gateway);
    (void)nng_pipe_notify(gateway->socket, NNG_PIPE_EV_REM_POST, on_pipe,
                          gateway);
    if (nng_socket_set_size(gateway->socket, NNG_OPT_RECVMAXSZ,
                            gateway->config.frame_bytes_max +
                                ENDPOINT_CLAIM_SIZE) != 0) {
        return PBFT_IO;
    }
    enum pbft_status status = endpoint_listen(
        gateway->socket, &gateway->listener, address, gateway->tls, problem);
    if (status == PBFT_OK) {
        gateway->reaper.port = endpoint_port(gateway->listener);
    }
    return status;
}

static enum pbft_status open_calls(struct net_gateway *gateway)
{
    for (uint32_t i = 0; i < gateway->config.calls_max; i++) {
        struct call *call = &gateway->calls[i];
        call->gateway = gateway;
        if (nng_ctx_open(&call->context, gateway->socket) != 0) {
            return PBFT_NO_MEMORY;
        }
        call->is_open = true;
        if (nng_aio_alloc(&call->aio, on_event, call) != 0) {
            return PBFT_NO_MEMORY;
        }
        read_next(call);
    }
    return PBFT_OK;
}

enum pbft_status net_gateway_open(const struct net_gateway_config *config,
                                  struct net_gateway **out,
                                  struct net_problem *problem)
{
    pthread_condattr_t monotonic;

    if (config->member_count == 0 ||
        config->member_count > PBFT_INSTITUTIONS_MAX ||
        config->self >= config->member_count || config->call == NULL ||
        config->calls_max > CALLS_LIMIT) {
        return PBFT_INVALID_CONFIG;
    }
    struct net_gateway *gateway = calloc(1, sizeof(*gateway));
    if (gateway == NULL) {
        return PBFT_NO_MEMORY;
    }
    gateway->config = *config;
    fill_defaults(&gateway->config);
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_mutex_init(&gateway->lock, NULL);
    (void)pthread_cond_init(&gateway->wake, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    enum pbft_status status = prepare(gateway, config, problem);
    if (status == PBFT_OK) {
        status = open_socket(gateway, config->listen_address, problem);
    }
    if (status == PBFT_OK) {
        status = open_calls(gateway);
    }
    if (status == PBFT_OK) {
        gateway->has_ticker =
            pthread_create(&gateway->ticker, NULL, tick, gateway) == 0;
        status = gateway->has_ticker ? PBFT_OK : PBFT_NO_MEMORY;
    }
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
    (void)pthread_mutex_lock(&gateway->lock);
    gateway->closing = true;
    (void)pthread_cond_signal(&gateway->wake);
    (void)pthread_mutex_unlock(&gateway->lock);
    if (gateway->has_ticker) {
        (void)pthread_join(gateway->ticker, NULL);
    }
    if (gateway->is_open) {
        (void)nng_close(gateway->socket);
    }
    for (uint32_t i = 0;
         gateway->calls != NULL && i < gateway->config.calls_max; i++) {
        if (gateway->calls[i].aio != NULL) {
            nng_aio_stop(gateway->calls[i].aio);
            nng_aio_free(gateway->calls[i].aio);
        }
    }
    if (gateway->tls != NULL) {
        tls_config_free(gateway->tls);
    }
    tls_members_destroy(gateway->members);
    free(gateway->calls);
    free(gateway->in_flight);
    free(gateway->pipes.items);
    free((uint8_t *)gateway->config.busy_reply.data);
    (void)pthread_cond_destroy(&gateway->wake);
    (void)pthread_mutex_destroy(&gateway->lock);
    free(gateway);
}

uint16_t net_gateway_port(const struct net_gateway *gateway)
{
    return gateway->reaper.port;
}

void net_gateway_stats(struct net_gateway *gateway,
                       struct net_gateway_stats *out)
{
    (void)pthread_mutex_lock(&gateway->lock);
    *out = gateway->stats;
    out->connections = gateway->pipes.count;
    (void)pthread_mutex_unlock(&gateway->lock);
}
