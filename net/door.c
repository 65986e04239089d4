/* SPDX-License-Identifier: Apache-2.0 */
/* Listens, identifies who comes in, and keeps the list of who is inside. */
#include "net/door.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <netinet/in.h>

#include <nng/nng.h>
#include <nng/supplemental/tls/tls.h>

#include "net/common.h"
#include "net/reaper.h"

/* Walking all descriptors costs about a microsecond each. */
#define REAPER_INTERVAL_MS 1000

struct net_door {
    const struct net_members *members;
    enum net_role role;
    uint32_t self;
    enum net_security security;
    uint32_t per_owner_max;
    nng_listener listener;
    struct tls_config *tls; /* NULL: plain TCP. */
    uint16_t port;
    struct net_reaper *reaper;
    pbft_time_ms next_look; /* Of the ticking thread. */
    pthread_mutex_t lock;   /* Guards the rest. */
    struct net_pipes *pipes;
    struct net_door_stats stats;
};

static void remote_of(struct net_endpoint *out, nng_pipe pipe)
{
    nng_sockaddr address;
    memset(out, 0, sizeof *out);
    if (nng_pipe_get_addr(pipe, NNG_OPT_REMADDR, &address) != 0) {
        return;
    }
    if (address.s_family == NNG_AF_INET) {
        out->address[10] = 0xff;
        out->address[11] = 0xff;
        memcpy(out->address + 12, &address.s_in.sa_addr, 4);
        out->port = ntohs(address.s_in.sa_port);
    } else if (address.s_family == NNG_AF_INET6) {
        memcpy(out->address, address.s_in6.sa_addr, 16);
        out->port = ntohs(address.s_in6.sa_port);
    }
}

static uint32_t identify(const struct net_door *door, nng_pipe pipe,
                         struct tls_identity *identity)
{
    if (!tls_pipe_identity((uint32_t)nng_pipe_id(pipe), identity)) {
        return NET_NOBODY;
    }
    uint32_t owner = net_members_find(door->members, door->role, identity);
    return owner == door->self ? NET_NOBODY : owner;
}

/* Decides about a connection; the lock is held. */
static bool admit(struct net_door *door, const struct net_pipe *pipe,
                  const struct tls_identity *identity)
{
    if (door->security == NET_TLS && pipe->owner == NET_NOBODY) {
        door->stats.strangers++;
        net_problem_set(&door->stats.last,
                        "refused a certificate of \"%s\": not a %s of a member "
                        "by its own CA",
                        identity->name_count > 0 ? identity->names[0] : "",
                        door->role == NET_ROLE_REPLICA ? "replica" : "client");
        return false;
    }
    if (net_pipes_is_full(door->pipes) ||
        (door->security == NET_TLS &&
         net_pipes_count_of(door->pipes, pipe->owner) >= door->per_owner_max)) {
        door->stats.crowded++;
        net_problem_set(&door->stats.last, "too many connections%s%s",
                        pipe->owner != NET_NOBODY ? " from " : "",
                        pipe->owner != NET_NOBODY
                            ? net_members_name(door->members, pipe->owner)
                            : "");
        return false;
    }
    return true;
}

static void on_arrival(nng_pipe pipe, nng_pipe_ev event, void *context)
{
    struct net_door *door = context;
    struct tls_identity identity = {.is_verified = false};
    (void)event;
    struct net_pipe added = {
        .id = (uint32_t)nng_pipe_id(pipe),
        .owner = NET_NOBODY,
        .opened = net_now_ms(),
    };
    remote_of(&added.remote, pipe);
    if (door->security == NET_TLS) {
        added.owner = identify(door, pipe, &identity);
    }
    (void)pthread_mutex_lock(&door->lock);
    bool admitted = admit(door, &added, &identity);
    if (admitted) {
        net_pipes_add(door->pipes, &added);
    }
    (void)pthread_mutex_unlock(&door->lock);
    if (!admitted) {
        (void)nng_pipe_close(pipe);
    }
}

static void on_departure(nng_pipe pipe, nng_pipe_ev event, void *context)
{
    struct net_door *door = context;
    (void)event;
    (void)pthread_mutex_lock(&door->lock);
    (void)net_pipes_remove(door->pipes, (uint32_t)nng_pipe_id(pipe));
    (void)pthread_mutex_unlock(&door->lock);
}

/* ---- opening ------------------------------------------------------------- */

static enum pbft_status make_tls(struct net_door *door,
                                 const struct net_door_config *config,
                                 struct net_problem *problem)
{
    struct pbft_bytes trusted[PBFT_INSTITUTIONS_MAX];
    uint32_t count = 0;
    for (uint32_t i = 0; i < net_members_count(door->members); i++) {
        if (net_members_ca(door->members, i).size > 0) {
            trusted[count++] = net_members_ca(door->members, i);
        }
    }
    struct tls_setup setup = {
        .role = TLS_ACCEPT,
        .own = config->own,
        .trusted = trusted,
        .trusted_count = count,
    };
    return tls_config_create(&door->tls, &setup, problem);
}

static enum pbft_status start_listener(struct net_door *door,
                                       const struct net_door_config *config,
                                       const char *url,
                                       struct net_problem *problem)
{
    nng_socket socket = {config->socket_id};
    int error = nng_pipe_notify(socket, NNG_PIPE_EV_ADD_PRE, on_arrival, door);
    if (error == 0) {
        error =
            nng_pipe_notify(socket, NNG_PIPE_EV_REM_POST, on_departure, door);
    }
    if (error == 0) {
        error = nng_listener_create(&door->listener, socket, url);
    }
    if (error == 0 && door->tls != NULL) {
        error = nng_listener_set_ptr(door->listener, NNG_OPT_TLS_CONFIG,
                                     tls_config_handle(door->tls));
    }
    if (error == 0) {
        error = nng_listener_start(door->listener, 0);
    }
    int port = 0;
    if (error == 0) {
        error =
            nng_listener_get_int(door->listener, NNG_OPT_TCP_BOUND_PORT, &port);
    }
    if (error != 0) {
        net_problem_set(
            problem, "cannot listen on %s: %s", config->listen_address,
            error == NNG_EADDRINUSE ? "another program uses this port"
                                    : nng_strerror(error));
        return net_status_of(error);
    }
    door->port = (uint16_t)port;
    return PBFT_OK;
}

enum pbft_status net_door_open(struct net_door **out,
                               const struct net_door_config *config,
                               struct net_problem *problem)
{
    char url[NET_URL_MAX];
    enum pbft_status status =
        net_url(url, config->listen_address, config->security, problem);
    if (status != PBFT_OK) {
        return status;
    }
    struct net_door *door = calloc(1, sizeof *door);
    if (door == NULL) {
        return PBFT_NO_MEMORY;
    }
    door->members = config->members;
    door->role = config->role;
    door->self = config->self;
    door->security = config->security;
    door->per_owner_max = config->connections_per_owner_max;
    (void)pthread_mutex_init(&door->lock, NULL);
    door->pipes = net_pipes_create(config->connections_max);
    status = door->pipes == NULL ? PBFT_NO_MEMORY : PBFT_OK;
    if (status == PBFT_OK && config->security == NET_TLS) {
        status = make_tls(door, config, problem);
    }
    *out = door; /* From here on the caller closes the socket first. */
    if (status == PBFT_OK) {
        status = start_listener(door, config, url, problem);
    }
    if (status == PBFT_OK) {
        door->reaper =
            net_reaper_create(door->port, config->handshake_timeout_ms);
        status = door->reaper == NULL ? PBFT_NO_MEMORY : PBFT_OK;
    }
    return status;
}

void net_door_destroy(struct net_door *door)
{
    if (door == NULL) {
        return;
    }
    tls_config_destroy(door->tls);
    net_reaper_destroy(door->reaper);
    net_pipes_destroy(door->pipes);
    (void)pthread_mutex_destroy(&door->lock);
    free(door);
}

/* ---- while it is open ---------------------------------------------------- */

uint16_t net_door_port(const struct net_door *door)
{
    return door->port;
}

uint32_t net_door_owner(struct net_door *door, uint32_t pipe_id, uint32_t claim)
{
    if (door->security != NET_TLS) {
        return claim < net_members_count(door->members) ? claim : NET_NOBODY;
    }
    (void)pthread_mutex_lock(&door->lock);
    const struct net_pipe *pipe = net_pipes_find(door->pipes, pipe_id);
    uint32_t owner = pipe != NULL ? pipe->owner : NET_NOBODY;
    (void)pthread_mutex_unlock(&door->lock);
    return owner;
}

bool net_door_has(struct net_door *door, uint32_t owner)
{
    (void)pthread_mutex_lock(&door->lock);
    bool has = net_pipes_count_of(door->pipes, owner) > 0;
    (void)pthread_mutex_unlock(&door->lock);
    return has;
}

void net_door_close_owner(struct net_door *door, uint32_t owner,
                          pbft_time_ms now, pbft_time_ms age_ms)
{
    /* Closing calls on_departure, which takes the lock: so one at a time. */
    for (uint32_t id = 1; id != 0;) {
        uint32_t place = 0;
        id = 0;
        (void)pthread_mutex_lock(&door->lock);
        for (const struct net_pipe *pipe = net_pipes_next(door->pipes, &place);
             pipe != NULL && id == 0;
             pipe = net_pipes_next(door->pipes, &place)) {
            if (pipe->owner == owner && now - pipe->opened >= age_ms &&
                now >= pipe->opened) {
                id = pipe->id;
            }
        }
        (void)net_pipes_remove(door->pipes, id);
        (void)pthread_mutex_unlock(&door->lock);
        if (id != 0) {
            nng_pipe pipe = {id};
            (void)nng_pipe_close(pipe);
        }
    }
}

static bool has_pipe(void *context, const struct net_endpoint *remote)
{
    struct net_door *door = context;
    (void)pthread_mutex_lock(&door->lock);
    bool has = net_pipes_has_remote(door->pipes, remote);
    (void)pthread_mutex_unlock(&door->lock);
    return has;
}

void net_door_tick(struct net_door *door, pbft_time_ms now)
{
    if (now < door->next_look) {
        return;
    }
    door->next_look = now + REAPER_INTERVAL_MS;
    uint32_t reaped = net_reaper_look(door->reaper, now, has_pipe, door);
    (void)pthread_mutex_lock(&door->lock);
    door->stats.reaped += reaped;
    (void)pthread_mutex_unlock(&door->lock);
}

void net_door_stats(struct net_door *door, struct net_door_stats *out)
{
    struct net_problem last;
    uint64_t failures =
        door->tls != NULL ? tls_config_failures(door->tls, &last) : 0;
    (void)pthread_mutex_lock(&door->lock);
    *out = door->stats;
    out->connections = net_pipes_count(door->pipes);
    (void)pthread_mutex_unlock(&door->lock);
    out->strangers += failures;
    if (failures > 0 && out->last.text[0] == '\0') {
        out->last = last;
    }
}
