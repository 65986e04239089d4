/* SPDX-License-Identifier: Apache-2.0 */
/* Accepts connections, identifies them, and refuses who may not come in. */
#include "net/door_private.h"

#include <stdlib.h>
#include <string.h>

#include <nng/nng.h>
#include <nng/supplemental/tls/tls.h>

#include "net/budget.h"
#include "net/common.h"
#include "net/fair.h"

/* ---- who may come in ----------------------------------------------------- */

static uint32_t identify(const struct net_door *door,
                         const struct tls_identity *identity)
{
    uint32_t owner =
        net_members_find(door->config.members, door->config.role, identity);
    return owner == door->config.self ? NET_NOBODY : owner;
}

/* What is refused now is newer than these. */
static void note_failures(struct net_door *door)
{
    struct net_problem ignored;
    door->failures_before =
        door->tls != NULL ? tls_config_failures(door->tls, &ignored) : 0;
}

static bool refuse_stranger(struct net_door *door,
                            const struct tls_identity *identity)
{
    door->stats.strangers++;
    note_failures(door);
    net_problem_set(
        &door->stats.last,
        "refused a certificate of %s: not a %s of a member by its own CA",
        identity->name_count > 0 ? identity->names[0] : "nobody",
        door->config.role == NET_ROLE_REPLICA ? "replica" : "client");
    return false;
}

static bool is_crowded(const struct net_door *door, uint32_t owner)
{
    uint64_t held[PBFT_INSTITUTIONS_MAX] = {0};
    uint32_t max = door->config.connections_max;
    uint32_t admitted = door_count_each(door, held);
    const struct net_holdings holdings = {
        max, max > admitted ? max - admitted : 0, held,
        net_members_count(door->config.members)};
    if (door->config.security != NET_TLS) {
        return holdings.left == 0;
    }
    return held[owner] >= door->config.connections_per_owner_max ||
           !net_fair_admits(&holdings, owner, 1);
}

static bool refuse_crowd(struct net_door *door, uint32_t owner)
{
    bool is_known = owner != NET_NOBODY;
    door->stats.crowded++;
    note_failures(door);
    net_problem_set(
        &door->stats.last, "too many connections%s%s", is_known ? " from " : "",
        is_known ? net_members_name(door->config.members, owner) : "");
    return false;
}

/* Counted before it is admitted: who is refused is never seen inside. */
static bool on_ready(void *context, struct net_link *link,
                     const struct tls_identity *identity)
{
    struct net_door *door = context;
    bool is_tls = door->config.security == NET_TLS;
    uint32_t owner = is_tls ? identify(door, identity) : NET_NOBODY;
    bool admitted = true;
    (void)pthread_mutex_lock(&door->lock);
    if (is_tls && owner == NET_NOBODY) {
        admitted = refuse_stranger(door, identity);
    } else if (is_crowded(door, owner)) {
        admitted = refuse_crowd(door, owner);
    } else {
        net_link_admit(link, owner);
    }
    (void)pthread_mutex_unlock(&door->lock);
    return admitted;
}

static enum net_disposition on_message(void *context, struct net_link *link,
                                       struct net_frame frame)
{
    struct net_door *door = context;
    return door->config.on_message(door->config.context, link,
                                   net_link_owner(link), frame);
}

static void on_closed(void *context, struct net_link *link)
{
    (void)context;
    (void)link; /* The next tick buries it. */
}

/* ---- accepting ----------------------------------------------------------- */

/* Makes room among those that have not finished their handshake. Lock held;
 * returns a link to be closed, held. */
static struct net_link *evict(struct net_door *door)
{
    struct net_link *crowder = door_crowder(door);
    if (crowder != NULL) {
        door->stats.reaped++;
        net_link_hold(crowder);
    }
    return crowder;
}

/* The address that it comes from; of IPv6 the site, /48: whoever has one has
 * all of it. A socket for both gets IPv4 as ::ffff:a.b.c.d (RFC 4291 2.5.5.2).
 */
static uint64_t source_of(nng_stream *stream)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    nng_sockaddr peer;
    uint64_t source = 0;
    if (nng_stream_get_addr(stream, NNG_OPT_REMADDR, &peer) != 0) {
        return 0;
    }
    if (peer.s_family == NNG_AF_INET6) {
        const uint8_t *address = peer.s_in6.sa_addr;
        bool is_v4 = memcmp(address, mapped, sizeof mapped) == 0;
        memcpy(&source, is_v4 ? address + sizeof mapped : address,
               is_v4 ? 4 : 6);
    } else if (peer.s_family == NNG_AF_INET) {
        source = peer.s_in.sa_addr;
    }
    return source;
}

/* Takes over the stream. */
static void welcome(struct net_door *door, nng_stream *stream)
{
    const struct net_link_config config = {
        .protocol = door->config.protocol,
        .security = door->config.security,
        .frame_bytes_max = door->config.frame_bytes_max,
        .outbox_messages_max = door->config.outbox_messages_max,
        .outbox_bytes_max = door->config.outbox_bytes_max,
        .source = source_of(stream),
        .budget = door->budget,
        .context = door,
        .on_ready = on_ready,
        .on_message = on_message,
        .on_closed = on_closed,
    };
    struct net_link *link = NULL;
    struct net_link *evicted = NULL;
    door_bury(door);
    (void)pthread_mutex_lock(&door->lock);
    if (!door->is_closing) {
        evicted = evict(door);
    }
    if (door->is_closing || door->link_count == door->links_max) {
        door->stats.crowded += door->is_closing ? 0 : 1;
        nng_stream_free(stream);
    } else if (net_link_create(&link, stream, &config) == PBFT_OK) {
        net_link_hold(link);
        door->links[door->link_count++] = link;
    }
    (void)pthread_mutex_unlock(&door->lock);
    if (evicted != NULL) {
        net_link_close(evicted);
        net_link_release(evicted);
    }
    if (link != NULL) {
        net_link_start(link);
        net_link_release(link);
    }
}

/* After an error (no descriptors left, say) the next tick tries again. */
static void accept_next(struct net_door *door)
{
    (void)pthread_mutex_lock(&door->lock);
    bool accepts = !door->is_closing && !door->is_accepting;
    door->is_accepting = door->is_accepting || accepts;
    (void)pthread_mutex_unlock(&door->lock);
    if (accepts) {
        nng_stream_listener_accept(door->listener, door->aio);
    }
}

static void on_accepted(void *context)
{
    struct net_door *door = context;
    int error = nng_aio_result(door->aio);
    if (error == 0) {
        welcome(door, nng_aio_get_output(door->aio, 0));
    }
    (void)pthread_mutex_lock(&door->lock);
    door->is_accepting = false;
    (void)pthread_mutex_unlock(&door->lock);
    if (error == 0 || error == NNG_ECONNABORTED || error == NNG_ECONNRESET) {
        accept_next(door);
    }
}

/* ---- opening and closing ------------------------------------------------- */

static enum pbft_status make_tls(struct net_door *door,
                                 struct net_problem *problem)
{
    struct pbft_bytes trusted[PBFT_INSTITUTIONS_MAX];
    const struct net_members *members = door->config.members;
    uint32_t count = 0;
    for (uint32_t i = 0; i < net_members_count(members); i++) {
        if (net_members_ca(members, i).size > 0) {
            trusted[count++] = net_members_ca(members, i);
        }
    }
    const struct tls_setup setup = {
        .role = TLS_ACCEPT,
        .own = door->config.own,
        .trusted = trusted,
        .trusted_count = count,
    };
    return tls_config_create(&door->tls, &setup, problem);
}

static int start_listener(struct net_door *door, const char *url)
{
    int port = 0;
    int error = nng_stream_listener_alloc(&door->listener, url);
    if (error == 0 && door->tls != NULL) {
        error = nng_stream_listener_set_ptr(door->listener, NNG_OPT_TLS_CONFIG,
                                            tls_config_handle(door->tls));
    }
    if (error == 0) {
        error = nng_stream_listener_listen(door->listener);
    }
    if (error == 0) {
        error = nng_stream_listener_get_int(door->listener,
                                            NNG_OPT_TCP_BOUND_PORT, &port);
    }
    door->port = (uint16_t)port;
    return error;
}

static enum pbft_status listen_at(struct net_door *door, const char *url,
                                  struct net_problem *problem)
{
    int error = nng_aio_alloc(&door->aio, on_accepted, door);
    if (error == 0) {
        nng_aio_set_timeout(door->aio, NNG_DURATION_INFINITE);
        error = start_listener(door, url);
    }
    if (error != 0) {
        net_problem_set(problem, "cannot listen on %s: %s",
                        door->config.listen_address,
                        error == NNG_EADDRINVAL
                            ? "this machine does not have this address, or "
                              "its name does not resolve"
                            : net_error_text(error));
    }
    /* An interface may come up later, and a name may resolve then. */
    return error == NNG_EADDRINVAL ? PBFT_UNREACHABLE : net_status_of(error);
}

static bool make_budget(struct net_door *door)
{
    if (door->config.bytes_max != 0) {
        door->budget = net_budget_create(
            door->config.bytes_max, net_members_count(door->config.members));
    }
    return door->config.bytes_max == 0 || door->budget != NULL;
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
    door->config = *config;
    door->links_max = config->connections_max + 2 * NET_DOOR_PENDING_MAX;
    (void)pthread_mutex_init(&door->lock, NULL);
    door->links = calloc(door->links_max, sizeof(struct net_link *));
    status =
        door->links == NULL || !make_budget(door) ? PBFT_NO_MEMORY : PBFT_OK;
    if (status == PBFT_OK && config->security == NET_TLS) {
        status = make_tls(door, problem);
    }
    if (status == PBFT_OK) {
        status = listen_at(door, url, problem);
    }
    if (status != PBFT_OK) {
        net_door_close(door);
        return status;
    }
    *out = door;
    accept_next(door);
    return PBFT_OK;
}

static bool is_accepting(struct net_door *door)
{
    (void)pthread_mutex_lock(&door->lock);
    bool is_accepting = door->is_accepting;
    (void)pthread_mutex_unlock(&door->lock);
    return is_accepting;
}

void net_door_close(struct net_door *door)
{
    const struct door_picker all = {.pick = DOOR_ALL};
    if (door == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&door->lock);
    door->is_closing = true;
    (void)pthread_mutex_unlock(&door->lock);
    if (door->listener != NULL) {
        nng_stream_listener_close(door->listener);
        while (is_accepting(door)) {
            nng_aio_cancel(door->aio);
            nng_aio_wait(door->aio);
        }
    }
    door_close_picked(door, &all);
    for (uint32_t i = 0; i < door->link_count; i++) {
        net_link_wait_over(door->links[i]);
        net_link_destroy(door->links[i]);
    }
    if (door->listener != NULL) {
        nng_stream_listener_free(door->listener);
    }
    if (door->aio != NULL) {
        nng_aio_free(door->aio);
    }
    tls_config_destroy(door->tls);
    net_budget_destroy(door->budget);
    (void)pthread_mutex_destroy(&door->lock);
    free(door->links);
    free(door);
}

/* ---- while it is open ---------------------------------------------------- */

uint16_t net_door_port(const struct net_door *door)
{
    return door->port;
}

void net_door_tick(struct net_door *door, pbft_time_ms now)
{
    pbft_time_ms timeout = door->config.handshake_timeout_ms;
    const struct door_picker late = {.pick = DOOR_PENDING_SINCE,
                                     .since = now > timeout ? now - timeout : 0,
                                     .count = &door->stats.reaped};
    door_close_picked(door, &late);
    door_check(door);
    door_bury(door);
    accept_next(door);
}

void net_door_stats(struct net_door *door, struct net_door_stats *out)
{
    struct net_problem last = {{0}};
    struct door_census census;
    uint64_t failures =
        door->tls != NULL ? tls_config_failures(door->tls, &last) : 0;
    (void)pthread_mutex_lock(&door->lock);
    door_count(door, NET_NOBODY, &census);
    *out = door->stats;
    bool is_newer = failures > door->failures_before;
    (void)pthread_mutex_unlock(&door->lock);
    uint64_t refused = net_budget_refused(door->budget);
    out->connections = census.admitted;
    out->crowded += refused;
    out->strangers += failures;
    if (refused > 0 && out->last.text[0] == '\0') {
        net_problem_set(&out->last, "%s",
                        "connections that hold too many bytes");
    }
    if (is_newer) {
        out->last = last;
    }
}
