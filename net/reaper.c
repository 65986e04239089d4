/* SPDX-License-Identifier: Apache-2.0 */
/* Connections that were accepted and never finish their handshake. */
#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "net/endpoint.h"

static uint16_t port_of(const struct sockaddr_storage *address)
{
    if (address->ss_family == AF_INET) {
        return ntohs(((const struct sockaddr_in *)address)->sin_port);
    }
    if (address->ss_family == AF_INET6) {
        return ntohs(((const struct sockaddr_in6 *)address)->sin6_port);
    }
    return 0;
}

static bool is_pipe(const struct endpoint_pipes *pipes, uint16_t remote_port)
{
    for (uint32_t i = 0; i < pipes->capacity; i++) {
        if (pipes->items[i].pipe != 0 &&
            pipes->items[i].remote_port == remote_port) {
            return true;
        }
    }
    return false;
}

static uint64_t cookie_of(int fd)
{
    uint64_t cookie = 0;
    socklen_t size = sizeof(cookie);

    return getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &size) == 0 ? cookie
                                                                      : 0;
}

/* The cookie of an accepted connection on our port that is no pipe; else 0. */
static uint64_t examine(const struct endpoint_reaper *reaper,
                        const struct endpoint_pipes *pipes, int fd)
{
    struct sockaddr_storage local = {0};
    struct sockaddr_storage remote = {0};
    socklen_t size = sizeof(local);

    if (getsockname(fd, (struct sockaddr *)&local, &size) != 0 ||
        port_of(&local) != reaper->port) {
        return 0;
    }
    size = sizeof(remote);
    if (getpeername(fd, (struct sockaddr *)&remote, &size) != 0 ||
        is_pipe(pipes, port_of(&remote))) {
        return 0;
    }
    return cookie_of(fd);
}

/* How long we have been watching; remembers new ones. A full table watches no
 * further ones until some are gone. */
static pbft_time_ms watched_for(struct endpoint_reaper *reaper, uint64_t cookie,
                                pbft_time_ms now_ms)
{
    size_t free_slot = REAPER_WATCHED_MAX;

    for (size_t i = 0; i < REAPER_WATCHED_MAX; i++) {
        if (reaper->watched[i].cookie == cookie) {
            reaper->watched[i].is_there = true;
            return now_ms - reaper->watched[i].since_ms;
        }
        if (reaper->watched[i].cookie == 0) {
            free_slot = i;
        }
    }
    if (free_slot < REAPER_WATCHED_MAX) {
        reaper->watched[free_slot].cookie = cookie;
        reaper->watched[free_slot].since_ms = now_ms;
        reaper->watched[free_slot].is_there = true;
    }
    return 0;
}

static void forget_gone(struct endpoint_reaper *reaper)
{
    for (size_t i = 0; i < REAPER_WATCHED_MAX; i++) {
        if (!reaper->watched[i].is_there) {
            reaper->watched[i].cookie = 0;
        }
        reaper->watched[i].is_there = false;
    }
}

uint32_t endpoint_reap(struct endpoint_reaper *reaper,
                       const struct endpoint_pipes *pipes, pbft_time_ms now_ms,
                       uint32_t timeout_ms)
{
    uint32_t reaped = 0;
    DIR *folder = opendir("/proc/self/fd");

    if (folder == NULL || reaper->port == 0) {
        if (folder != NULL) {
            (void)closedir(folder);
        }
        return 0;
    }
    for (const struct dirent *entry = readdir(folder); entry != NULL;
         entry = readdir(folder)) {
        char *end = NULL;
        long fd = strtol(entry->d_name, &end, 10);
        if (end == entry->d_name || *end != '\0') {
            continue;
        }
        uint64_t cookie = examine(reaper, pipes, (int)fd);
        if (cookie != 0 && watched_for(reaper, cookie, now_ms) > timeout_ms &&
            cookie_of((int)fd) == cookie) {
            (void)shutdown((int)fd, SHUT_RDWR); /* NNG closes it then. */
            reaped++;
        }
    }
    (void)closedir(folder);
    forget_gone(reaper);
    return reaped;
}
