/* SPDX-License-Identifier: Apache-2.0 */
/* What listeners and dialers of net/ have in common. Private to net/.
 */
#ifndef NET_ENDPOINT_H
#define NET_ENDPOINT_H

#include <nng/nng.h>

#include "net/tls.h"

#define ENDPOINT_URL_MAX (NET_ADDRESS_MAX + 16)
/* With plain TCP each message begins with the index that its sender claims. */
#define ENDPOINT_CLAIM_SIZE 4

pbft_time_ms endpoint_now_ms(void);

/* "tls+tcp://host:port" or "tcp://host:port"; false if it is too long. */
bool endpoint_url(char out[ENDPOINT_URL_MAX], enum net_security security,
                  const char *address);

/* Our status and a line for people out of an NNG error. */
enum pbft_status endpoint_fail(int error, const char *what, const char *where,
                               struct net_problem *problem);

/* A message as a buffer that frees it. Takes the message; NULL: no memory, and
 * the message is freed. */
struct pbft_buffer *endpoint_wrap(nng_msg *message);

/* Listens at `address` with `config` (NULL: plain TCP). */
PBFT_MUST_USE enum pbft_status
endpoint_listen(nng_socket socket, nng_listener *listener, const char *address,
                struct nng_tls_config *config, struct net_problem *problem);
uint16_t endpoint_port(nng_listener listener);

struct endpoint_dial {
    char url[ENDPOINT_URL_MAX];
    struct nng_tls_config *config; /* NULL: plain TCP. */
    uint32_t reconnect_min_ms;
    uint32_t reconnect_max_ms;
};

/* Dials in the background, for ever. */
PBFT_MUST_USE enum pbft_status endpoint_dial(nng_socket socket,
                                             nng_dialer *dialer,
                                             const struct endpoint_dial *dial);

/* ---- accepted connections ------------------------------------------------ */

struct endpoint_pipe {
    uint32_t pipe; /* 0: free. */
    uint32_t member;
    uint16_t remote_port;
    pbft_time_ms heard_ms;
};

/* Who is at which accepted pipe. The caller locks. */
struct endpoint_pipes {
    struct endpoint_pipe *items;
    uint32_t capacity;
    uint32_t count;
};

struct endpoint_pipe *endpoint_pipes_find(struct endpoint_pipes *pipes,
                                          uint32_t pipe);
uint32_t endpoint_pipes_count(const struct endpoint_pipes *pipes,
                              uint32_t member);
/* NULL if there is no room. */
struct endpoint_pipe *endpoint_pipes_add(struct endpoint_pipes *pipes,
                                         nng_pipe pipe, uint32_t member);
void endpoint_pipes_remove(struct endpoint_pipes *pipes, uint32_t pipe);

/* ---- the reaper ---------------------------------------------------------- */

#define REAPER_WATCHED_MAX 1024

/* Closes accepted connections that never become a pipe: NNG waits for ever for
 * a TLS handshake to go on. Finds them among the file descriptors of the
 * process by their local port. */
struct endpoint_reaper {
    uint16_t port;
    struct {
        uint64_t cookie; /* Of the socket; 0: free. */
        pbft_time_ms since_ms;
        bool is_there;
    } watched[REAPER_WATCHED_MAX];
};

/* Looks once; returns how many were closed. `pipes` are the good ones. */
uint32_t endpoint_reap(struct endpoint_reaper *reaper,
                       const struct endpoint_pipes *pipes, pbft_time_ms now_ms,
                       uint32_t timeout_ms);

#endif /* NET_ENDPOINT_H */
