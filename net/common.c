/* SPDX-License-Identifier: Apache-2.0 */
/* Clock, addresses, and what NNG's errors mean. */
#include "net/common.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <nng/nng.h>

#include "net/link.h"

void net_problem_set(struct net_problem *problem, const char *format, ...)
{
    if (problem == NULL) {
        return;
    }
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(problem->text, sizeof problem->text, format, arguments);
    va_end(arguments);
}

pbft_time_ms net_now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (pbft_time_ms)now.tv_sec * 1000 +
           (pbft_time_ms)now.tv_nsec / 1000000;
}

enum pbft_status net_status_of(int nng_error)
{
    switch (nng_error) {
    case 0:
        return PBFT_OK;
    case NNG_ENOMEM:
        return PBFT_NO_MEMORY;
    case NNG_EADDRINUSE:
        return PBFT_LOCKED;
    case NNG_EADDRINVAL:
    case NNG_EINVAL:
    case NNG_ENOTSUP:
        return PBFT_INVALID_CONFIG;
    case NNG_EPERM:
        return PBFT_PERMISSION;
    case NNG_ECLOSED:
        return PBFT_CLOSED;
    default:
        return PBFT_IO;
    }
}

const char *net_error_text(int nng_error)
{
    switch (nng_error) {
    case NNG_EADDRINUSE:
        return "another program uses this port";
    case NNG_EADDRINVAL:
        return "no such address, or its name does not resolve";
    case NNG_ECONNREFUSED:
        return "nobody listens there";
    case NNG_ETIMEDOUT:
        return "no answer in time";
    case NNG_EUNREACHABLE:
        return "no way to this address";
    default:
        return nng_strerror(nng_error);
    }
}

enum pbft_status net_url(char out[NET_URL_MAX], const char *address,
                         enum net_security security,
                         struct net_problem *problem)
{
    const char *colon = address != NULL ? strrchr(address, ':') : NULL;
    if (colon == NULL || colon == address || colon[1] == '\0') {
        net_problem_set(problem, "address \"%s\" is not host:port",
                        address != NULL ? address : "");
        return PBFT_INVALID_CONFIG;
    }
    const char *scheme = security == NET_TLS ? "tls+tcp" : "tcp";
    int length = snprintf(out, NET_URL_MAX, "%s://%s", scheme, address);
    if (length < 0 || length >= NET_URL_MAX) {
        net_problem_set(problem, "address \"%.40s...\" is too long", address);
        return PBFT_INVALID_CONFIG;
    }
    return PBFT_OK;
}

void net_claim_write(uint8_t out[NET_CLAIM_SIZE], uint32_t claim)
{
    out[0] = (uint8_t)(claim >> 24);
    out[1] = (uint8_t)(claim >> 16);
    out[2] = (uint8_t)(claim >> 8);
    out[3] = (uint8_t)claim;
}

uint32_t net_claim_read(const uint8_t in[NET_CLAIM_SIZE])
{
    return (uint32_t)in[0] << 24 | (uint32_t)in[1] << 16 |
           (uint32_t)in[2] << 8 | in[3];
}

/* Who frees the data of a frame: nobody, once it is taken back. */
struct frame_owner {
    uint8_t *data;
};

static void release_frame(void *owner)
{
    struct frame_owner *frame = owner;
    free(frame->data);
    free(frame);
}

bool net_share(struct net_shared *out, struct net_frame frame, size_t offset)
{
    struct frame_owner *owner = malloc(sizeof *owner);
    if (owner == NULL) {
        return false;
    }
    owner->data = frame.data;
    out->owner = owner;
    out->buffer = pbft_buffer_wrap(frame.data + offset, frame.size - offset,
                                   owner, release_frame);
    if (out->buffer == NULL) {
        free(owner);
        return false;
    }
    return true;
}

void net_unshare(const struct net_shared *shared)
{
    struct frame_owner *owner = shared->owner;
    owner->data = NULL;
    pbft_buffer_unref(shared->buffer);
}
