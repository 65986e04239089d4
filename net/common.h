/* SPDX-License-Identifier: Apache-2.0 */
/* Small things that all files of net/ need. Internal to net/. */
#ifndef NET_COMMON_H
#define NET_COMMON_H

#include "net/net.h"

/* NNG's own limit of a URL is 128 with its terminating zero. */
#define NET_URL_MAX 128

#if defined(__GNUC__) || defined(__clang__)
__attribute__((format(printf, 2, 3)))
#endif
/* `problem` may be NULL. Text beyond the size is cut. */
void net_problem_set(struct net_problem *problem, const char *format, ...);

/* Of the monotonic clock. */
pbft_time_ms net_now_ms(void);

/* What an NNG error means to us, and to people. */
enum pbft_status net_status_of(int nng_error);
const char *net_error_text(int nng_error);

/* "tls+tcp://host:port" or "tcp://host:port". INVALID_CONFIG, with a problem,
 * if the address has no port, is empty or too long. */
PBFT_MUST_USE enum pbft_status net_url(char out[NET_URL_MAX],
                                       const char *address,
                                       enum net_security security,
                                       struct net_problem *problem);

/* In plain TCP each message begins with the claimed sender, big-endian. */
#define NET_CLAIM_SIZE 4
void net_claim_write(uint8_t out[NET_CLAIM_SIZE], uint32_t claim);
uint32_t net_claim_read(const uint8_t in[NET_CLAIM_SIZE]);

struct net_frame;

/* A frame, from `offset` on, as a buffer that frees it in the end. */
struct net_shared {
    struct pbft_buffer *buffer;
    void *owner;
};
/* False: no memory; the frame is as before. */
bool net_share(struct net_shared *out, struct net_frame frame, size_t offset);
/* Takes the frame back from a buffer to which nobody else refers. */
void net_unshare(const struct net_shared *shared);

#endif /* NET_COMMON_H */
