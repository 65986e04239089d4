/* SPDX-License-Identifier: Apache-2.0 */
/* Listening, dialing, and remembering who is at which pipe. */
#include "net/endpoint.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <nng/supplemental/tls/tls.h>

pbft_time_ms endpoint_now_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (pbft_time_ms)now.tv_sec * 1000 +
           (pbft_time_ms)now.tv_nsec / 1000000;
}

bool endpoint_url(char out[ENDPOINT_URL_MAX], enum net_security security,
                  const char *address)
{
    int size = snprintf(out, ENDPOINT_URL_MAX, "%s://%s",
                        security == NET_TLS ? "tls+tcp" : "tcp", address);

    return size > 0 && size < ENDPOINT_URL_MAX;
}

enum pbft_status endpoint_fail(int error, const char *what, const char *where,
                               struct net_problem *problem)
{
    if (problem != NULL) {
        (void)snprintf(problem->text, sizeof(problem->text), "%s %s: %s", what,
                       where,
                       error == NNG_EADDRINUSE ? "the port is in use"
                                               : nng_strerror(error));
    }
    switch (error) {
    case NNG_EADDRINUSE:
        return PBFT_LOCKED;
    case NNG_ENOMEM:
        return PBFT_NO_MEMORY;
    case NNG_EADDRINVAL:
    case NNG_EINVAL:
        return PBFT_INVALID_CONFIG;
    default:
        return PBFT_IO;
    }
}

static void free_message(void *owner)
{
    nng_msg_free(owner);
}

struct pbft_buffer *endpoint_wrap(nng_msg *message)
{
    struct pbft_buffer *buffer = pbft_buffer_wrap(
        nng_msg_body(message), nng_msg_len(message), message, free_message);

    if (buffer == NULL) {
        nng_msg_free(message);
    }
    return buffer;
}

enum pbft_status endpoint_listen(nng_socket socket, nng_listener *listener,
                                 const char *address,
                                 struct nng_tls_config *config,
                                 struct net_problem *problem)
{
    char url[ENDPOINT_URL_MAX];
    int error = NNG_EADDRINVAL;

    if (endpoint_url(url, config != NULL ? NET_TLS : NET_UNSAFE_PLAIN_TCP,
                     address)) {
        error = nng_listener_create(listener, socket, url);
    }
    if (error == 0 && config != NULL) {
        error = nng_listener_set_ptr(*listener, NNG_OPT_TLS_CONFIG, config);
    }
    if (error == 0) {
        error = nng_listener_start(*listener, 0);
    }
    return error == 0 ? PBFT_OK
                      : endpoint_fail(error, "listening at", address, problem);
}

uint16_t endpoint_port(nng_listener listener)
{
    nng_sockaddr address;

    if (nng_listener_get_addr(listener, NNG_OPT_LOCADDR, &address) != 0) {
        return 0;
    }
    return address.s_family == NNG_AF_INET6 ? ntohs(address.s_in6.sa_port)
                                            : ntohs(address.s_in.sa_port);
}

enum pbft_status endpoint_dial(nng_socket socket, nng_dialer *dialer,
                               const struct endpoint_dial *dial)
{
    int error = nng_dialer_create(dialer, socket, dial->url);

    if (error == 0 && dial->config != NULL) {
        error = nng_dialer_set_ptr(*dialer, NNG_OPT_TLS_CONFIG, dial->config);
    }
    if (error == 0) {
        error = nng_dialer_set_ms(*dialer, NNG_OPT_RECONNMINT,
                                  (nng_duration)dial->reconnect_min_ms);
    }
    if (error == 0) {
        error = nng_dialer_set_ms(*dialer, NNG_OPT_RECONNMAXT,
                                  (nng_duration)dial->reconnect_max_ms);
    }
    if (error == 0) {
        /* A blocking dial would not try again (NNG 1.5.2). */
        error = nng_dialer_start(*dialer, NNG_FLAG_NONBLOCK);
    }
    return error == 0 ? PBFT_OK
                      : endpoint_fail(error, "dialing", dial->url, NULL);
}

struct endpoint_pipe *endpoint_pipes_find(struct endpoint_pipes *pipes,
                                          uint32_t pipe)
{
    for (uint32_t i = 0; i < pipes->capacity; i++) {
        if (pipes->items[i].pipe == pipe) {
            return &pipes->items[i];
        }
    }
    return NULL;
}

uint32_t endpoint_pipes_count(const struct endpoint_pipes *pipes,
                              uint32_t member)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < pipes->capacity; i++) {
        count += pipes->items[i].pipe != 0 && pipes->items[i].member == member;
    }
    return count;
}

static uint16_t remote_port(nng_pipe pipe)
{
    nng_sockaddr address;

    if (nng_pipe_get_addr(pipe, NNG_OPT_REMADDR, &address) != 0) {
        return 0;
    }
    return address.s_family == NNG_AF_INET6 ? ntohs(address.s_in6.sa_port)
                                            : ntohs(address.s_in.sa_port);
}

struct endpoint_pipe *endpoint_pipes_add(struct endpoint_pipes *pipes,
                                         nng_pipe pipe, uint32_t member)
{
    struct endpoint_pipe *item = endpoint_pipes_find(pipes, 0);

    if (item == NULL) {
        return NULL;
    }
    item->pipe = (uint32_t)nng_pipe_id(pipe);
    item->member = member;
    item->remote_port = remote_port(pipe);
    item->heard_ms = endpoint_now_ms();
    pipes->count++;
    return item;
}

void endpoint_pipes_remove(struct endpoint_pipes *pipes, uint32_t pipe)
{
    struct endpoint_pipe *item = endpoint_pipes_find(pipes, pipe);

    if (pipe != 0 && item != NULL) {
        memset(item, 0, sizeof(*item));
        pipes->count--;
    }
}
