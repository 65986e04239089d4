/* SPDX-License-Identifier: Apache-2.0 */
/* Looks through /proc/self/fd for connections that never became a pipe. */
#include "net/reaper.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#ifndef SO_COOKIE /* Of Linux; the header hides it from strict programs. */
#define SO_COOKIE 57
#endif

/* A connection whose other end has vanished is closed after a minute. */
#define KEEPALIVE_IDLE_S 30
#define KEEPALIVE_INTERVAL_S 10
#define KEEPALIVE_PROBES 3

struct net_reaper {
    uint16_t port;
    pbft_time_ms patience_ms;
    uint32_t count;
    struct watched {
        uint64_t cookie; /* Names a socket for as long as the kernel runs. */
        pbft_time_ms first_seen;
        bool is_seen;
    } watched[NET_REAPER_WATCHED_MAX];
};

struct net_reaper *net_reaper_create(uint16_t port, pbft_time_ms patience_ms)
{
    struct net_reaper *reaper = calloc(1, sizeof *reaper);
    if (reaper != NULL) {
        reaper->port = port;
        reaper->patience_ms = patience_ms;
    }
    return reaper;
}

void net_reaper_destroy(struct net_reaper *reaper)
{
    free(reaper);
}

bool net_endpoint_of(struct net_endpoint *out, const struct sockaddr *address)
{
    memset(out, 0, sizeof *out);
    if (address->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, address, sizeof in);
        out->address[10] = 0xff;
        out->address[11] = 0xff;
        memcpy(out->address + 12, &in.sin_addr, 4);
        out->port = ntohs(in.sin_port);
        return true;
    }
    if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 in;
        memcpy(&in, address, sizeof in);
        memcpy(out->address, &in.sin6_addr, 16);
        out->port = ntohs(in.sin6_port);
        return true;
    }
    return false;
}

/* Is it an accepted connection to our port? If so, from where? */
static bool is_accepted(const struct net_reaper *reaper, int fd,
                        struct net_endpoint *remote)
{
    struct sockaddr_storage address;
    struct net_endpoint local;
    socklen_t size = sizeof address;
    if (getsockname(fd, (struct sockaddr *)&address, &size) != 0 ||
        !net_endpoint_of(&local, (struct sockaddr *)&address) ||
        local.port != reaper->port) {
        return false; /* Mostly: not a socket. */
    }
    size = sizeof address;
    return getpeername(fd, (struct sockaddr *)&address, &size) == 0 &&
           net_endpoint_of(remote, (struct sockaddr *)&address);
}

/* NNG can only switch keepalive on, with the two hours of the kernel. */
static void keep_alive(int fd)
{
    int on = 0;
    socklen_t size = sizeof on;
    if (getsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, &size) != 0 || on != 0) {
        return;
    }
    const int idle = KEEPALIVE_IDLE_S;
    const int interval = KEEPALIVE_INTERVAL_S;
    const int probes = KEEPALIVE_PROBES;
    on = 1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval,
                     sizeof interval);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes);
    (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
}

/* Since when it was seen; notes it if it is new. */
static pbft_time_ms first_seen(struct net_reaper *reaper, uint64_t cookie,
                               pbft_time_ms now)
{
    for (uint32_t i = 0; i < reaper->count; i++) {
        if (reaper->watched[i].cookie == cookie) {
            reaper->watched[i].is_seen = true;
            return reaper->watched[i].first_seen;
        }
    }
    if (reaper->count == NET_REAPER_WATCHED_MAX) {
        return 0; /* A flood: as if it were old. */
    }
    struct watched *added = &reaper->watched[reaper->count++];
    added->cookie = cookie;
    added->first_seen = now;
    added->is_seen = true;
    return now;
}

static void forget_unseen(struct net_reaper *reaper)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < reaper->count; i++) {
        if (reaper->watched[i].is_seen) {
            reaper->watched[kept] = reaper->watched[i];
            reaper->watched[kept++].is_seen = false;
        }
    }
    reaper->count = kept;
}

uint32_t net_reaper_look(struct net_reaper *reaper, pbft_time_ms now,
                         bool (*has_pipe)(void *context,
                                          const struct net_endpoint *remote),
                         void *context)
{
    uint32_t reaped = 0;
    DIR *folder = opendir("/proc/self/fd");
    if (folder == NULL) {
        return 0;
    }
    for (const struct dirent *entry = readdir(folder); entry != NULL;
         entry = readdir(folder)) {
        char *end = NULL;
        long fd = strtol(entry->d_name, &end, 10);
        struct net_endpoint remote;
        if (end == entry->d_name || *end != '\0' || fd < 0 ||
            !is_accepted(reaper, (int)fd, &remote)) {
            continue;
        }
        keep_alive((int)fd);
        if (has_pipe(context, &remote)) {
            continue;
        }
        uint64_t cookie = 0;
        socklen_t size = sizeof cookie;
        if (getsockopt((int)fd, SOL_SOCKET, SO_COOKIE, &cookie, &size) != 0) {
            continue;
        }
        pbft_time_ms since = first_seen(reaper, cookie, now);
        if (now - since >= reaper->patience_ms &&
            shutdown((int)fd, SHUT_RDWR) == 0) {
            reaped++;
        }
    }
    (void)closedir(folder);
    forget_unseen(reaper);
    return reaped;
}
