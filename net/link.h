/* SPDX-License-Identifier: Apache-2.0 */
/* One connection, accepted or dialed: frames in, frames out.
 *
 * It speaks the SP wire protocol of NNG (a greeting of 8 bytes, then frames of
 * a 64-bit length and so many bytes) over an NNG stream, so that any NNG socket
 * of the counterpart protocol can be at the other end. NNG's own sockets are
 * not used: in 1.5.2 one that closes while a message is partly sent or received
 * loses the operation, and with it the thread that cleans up all sockets of the
 * process. Here an operation on a stream is never stopped, only the stream is
 * closed, which ends them; and none is begun after that, which would not end.
 *
 * Calls are safe from any thread, and may wait while one step of the handshake
 * is computed; callbacks come from NNG's threads, one at a time for a link,
 * without any lock held. Internal to net/.
 */
#ifndef NET_LINK_H
#define NET_LINK_H

#include "net/net.h"
#include "net/tls.h"

struct nng_stream;
struct net_budget;
struct net_link;

/* SP protocol numbers. */
enum net_protocol {
    NET_PUSH = 0x50,
    NET_PULL = 0x51,
    NET_REQ = 0x30,
    NET_REP = 0x31,
};

/* From malloc. */
struct net_frame {
    uint8_t *data;
    size_t size;
};

struct net_link_config {
    enum net_protocol protocol; /* Ours; the other end is its counterpart. */
    enum net_security security;
    uint32_t frame_bytes_max;
    uint32_t outbox_messages_max;
    uint32_t outbox_bytes_max; /* One frame of any size fits if it is alone. */
    uint64_t source;           /* Address of the other end, for the state. */
    struct net_budget *budget; /* Of the bytes that it holds. NULL: none. */
    void *context;
    /* Greeting and handshake are over. False: it is refused and closed. */
    bool (*on_ready)(void *context, struct net_link *link,
                     const struct tls_identity *identity);
    /* With NET_TAKEN the frame is given away. */
    enum net_disposition (*on_message)(void *context, struct net_link *link,
                                       struct net_frame frame);
    /* The last callback; exactly one. It was ready before, or not. */
    void (*on_closed)(void *context, struct net_link *link);
};

/* Takes over `stream`, also if it fails. */
PBFT_MUST_USE enum pbft_status
net_link_create(struct net_link **out, struct nng_stream *stream,
                const struct net_link_config *config);
/* Once, and in any case: sends the greeting and receives. */
void net_link_start(struct net_link *link);

/* Closes in the background; on_closed() follows. */
void net_link_close(struct net_link *link);

/* Closes it if its TCP connection has ended and nobody was told: NNG 1.5.2
 * tells a break to the operations that wait at that moment, and one that begins
 * later never ends. To be called several times a second. The second call that
 * finds it so closes: what has arrived already may be read until then. */
void net_link_check(struct net_link *link);

/* Whoever uses a link that others may close holds it meanwhile. */
void net_link_hold(struct net_link *link);
void net_link_release(struct net_link *link);
/* on_closed() was called and nobody holds it: it may be destroyed. */
bool net_link_is_over(struct net_link *link);
void net_link_wait_over(struct net_link *link);
/* Not from a callback of this link. */
void net_link_destroy(struct net_link *link);

/* Sends a frame of all parts together, which are copied. LIMIT: the outbox or
 * the budget is used up; UNREACHABLE: not ready, or closed; TOO_LARGE,
 * NO_MEMORY. */
PBFT_MUST_USE enum pbft_status net_link_send(struct net_link *link,
                                             const struct pbft_bytes *parts,
                                             size_t count);

/* Offers again what was answered NET_LATER. */
void net_link_resume(struct net_link *link);

/* From on_ready(): it may stay, and is of `owner`, a number for whoever made
 * it. */
void net_link_admit(struct net_link *link, uint32_t owner);
/* NET_NOBODY before it is admitted. */
uint32_t net_link_owner(struct net_link *link);

struct net_link_state {
    bool is_ready;
    bool is_admitted; /* And ready, and not closed. */
    bool is_closed;   /* Or about to be. */
    uint64_t source;
    pbft_time_ms created;
    pbft_time_ms sending_since;   /* The frame that is being sent; 0: none. */
    pbft_time_ms receiving_since; /* The frame that is coming in; 0: none. */
    uint64_t messages_sent;
    uint64_t bytes_sent;
};
void net_link_state(struct net_link *link, struct net_link_state *out);

#endif /* NET_LINK_H */
