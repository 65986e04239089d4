/* SPDX-License-Identifier: Apache-2.0 */
/* One connection at a time, and what to do without one. */
#include "net/dial.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <nng/nng.h>
#include <nng/supplemental/tls/tls.h>

#include "net/common.h"

enum dial_phase {
    DIAL_RESTING, /* Until retry_at. */
    DIAL_DIALING,
    DIAL_LINKED, /* Handshake, or connected. */
    DIAL_CLOSED
};

struct net_dial {
    struct net_dial_config config; /* Texts in it are not valid any more. */
    struct tls_config *tls;        /* NULL: plain TCP. */
    nng_stream_dialer *dialer;
    nng_aio *aio;
    pthread_mutex_t lock; /* Guards the rest. */
    enum dial_phase phase;
    struct net_link *link;
    bool is_up;
    bool was_late; /* The handshake was given up. */
    pbft_time_ms retry_at;
    uint32_t pause_ms;
    uint32_t random; /* For pauses that differ; need not be good. */
    struct net_dial_stats stats;
    uint64_t sent_before; /* Messages and bytes of earlier links. */
    uint64_t bytes_before;
};

/* A pause between half of the back-off and all of it. Lock held. */
static void rest(struct net_dial *dial)
{
    dial->random = dial->random * 1664525u + 1013904223u;
    uint32_t half = dial->pause_ms / 2;
    dial->phase = DIAL_RESTING;
    dial->retry_at = net_now_ms() + half + (dial->random >> 8) % (half + 1);
    dial->pause_ms = dial->pause_ms * 2 < dial->config.reconnect_max_ms
                         ? dial->pause_ms * 2
                         : dial->config.reconnect_max_ms;
}

/* ---- callbacks of the link ----------------------------------------------- */

static bool on_ready(void *context, struct net_link *link,
                     const struct tls_identity *identity)
{
    struct net_dial *dial = context;
    bool is_expected = dial->tls == NULL ||
                       net_members_find(dial->config.members, NET_ROLE_REPLICA,
                                        identity) == dial->config.member;
    (void)pthread_mutex_lock(&dial->lock);
    if (is_expected) {
        dial->is_up = true;
        dial->stats.connects++;
        dial->stats.last.text[0] = '\0';
        net_link_admit(link, dial->config.member);
    } else {
        dial->stats.strangers++;
        net_problem_set(&dial->stats.last, "%s",
                        "another replica, or another CA, answered");
    }
    (void)pthread_mutex_unlock(&dial->lock);
    if (is_expected && dial->config.on_state != NULL) {
        dial->config.on_state(dial->config.context, true);
    }
    return is_expected;
}

static enum net_disposition on_message(void *context, struct net_link *link,
                                       struct net_frame frame)
{
    struct net_dial *dial = context;
    (void)link;
    return dial->config.on_message(dial->config.context, frame);
}

static void on_closed(void *context, struct net_link *link)
{
    struct net_dial *dial = context;
    struct net_problem last = {{0}};
    struct net_link_state state;
    uint64_t failures =
        dial->tls != NULL ? tls_config_failures(dial->tls, &last) : 0;
    net_link_state(link, &state);
    (void)pthread_mutex_lock(&dial->lock);
    bool was_up = dial->is_up;
    dial->is_up = false;
    if (was_up &&
        net_now_ms() >= state.created + dial->config.reconnect_max_ms) {
        /* It was used. Shorter ones may be those of a door that lets us
         * finish the handshake and then turns us away. */
        dial->pause_ms = dial->config.reconnect_min_ms;
    }
    dial->sent_before += state.messages_sent;
    dial->bytes_before += state.bytes_sent;
    if (!was_up && dial->stats.last.text[0] == '\0') {
        net_problem_set(&dial->stats.last, "%s",
                        dial->was_late ? "it accepts connections but does not "
                                         "answer"
                        : failures > 0 ? last.text
                                       : "connection closed by the other end");
    }
    (void)pthread_mutex_unlock(&dial->lock);
    if (was_up && dial->config.on_state != NULL) {
        dial->config.on_state(dial->config.context, false);
    }
}

/* ---- dialing ------------------------------------------------------------- */

/* Takes over the stream. Lock held; the caller starts the link. */
static struct net_link *add_link(struct net_dial *dial, nng_stream *stream)
{
    const struct net_link_config config = {
        .protocol = dial->config.protocol,
        .security = dial->config.security,
        .frame_bytes_max = dial->config.frame_bytes_max,
        .outbox_messages_max = dial->config.outbox_messages_max,
        .outbox_bytes_max = dial->config.outbox_bytes_max,
        .context = dial,
        .on_ready = on_ready,
        .on_message = on_message,
        .on_closed = on_closed,
    };
    if (net_link_create(&dial->link, stream, &config) != PBFT_OK) {
        dial->link = NULL;
        return NULL;
    }
    dial->phase = DIAL_LINKED;
    dial->was_late = false;
    net_link_hold(dial->link); /* Until it is started. */
    return dial->link;
}

static void on_dialed(void *context)
{
    struct net_dial *dial = context;
    struct net_link *started = NULL;
    int error = nng_aio_result(dial->aio);
    nng_stream *stream = error == 0 ? nng_aio_get_output(dial->aio, 0) : NULL;
    (void)pthread_mutex_lock(&dial->lock);
    if (dial->phase == DIAL_DIALING && stream != NULL) {
        started = add_link(dial, stream);
        stream = NULL;
    }
    if (dial->phase == DIAL_DIALING) {
        dial->stats.redials += error == NNG_ETIMEDOUT ? 1 : 0;
        net_problem_set(&dial->stats.last, "%s",
                        error != 0 ? net_error_text(error) : "out of memory");
        rest(dial);
    }
    (void)pthread_mutex_unlock(&dial->lock);
    if (stream != NULL) {
        nng_stream_free(stream); /* We close. */
    }
    if (started != NULL) {
        net_link_start(started);
        net_link_release(started);
    }
}

/* From the ticking thread, or while nobody ticks yet. */
static void begin(struct net_dial *dial)
{
    (void)pthread_mutex_lock(&dial->lock);
    bool dials = dial->phase == DIAL_RESTING;
    dial->phase = dials ? DIAL_DIALING : dial->phase;
    (void)pthread_mutex_unlock(&dial->lock);
    if (dials) {
        nng_stream_dialer_dial(dial->dialer, dial->aio);
    }
}

/* ---- opening and closing ------------------------------------------------- */

static enum pbft_status make_tls(struct net_dial *dial,
                                 struct net_problem *problem)
{
    char name[TLS_NAME_SIZE];
    const struct net_members *members = dial->config.members;
    struct pbft_bytes ca = net_members_ca(members, dial->config.member);
    net_role_name(name, NET_ROLE_REPLICA,
                  net_members_name(members, dial->config.member));
    const struct tls_setup setup = {
        .role = TLS_DIAL,
        .own = dial->config.own,
        .trusted = &ca, /* No other CA can vouch for this replica. */
        .trusted_count = 1,
        .server_name = name,
    };
    return tls_config_create(&dial->tls, &setup, problem);
}

static enum pbft_status make_dialer(struct net_dial *dial, const char *url,
                                    struct net_problem *problem)
{
    int error = nng_aio_alloc(&dial->aio, on_dialed, dial);
    if (error == 0) {
        nng_aio_set_timeout(dial->aio,
                            (nng_duration)dial->config.handshake_timeout_ms);
        error = nng_stream_dialer_alloc(&dial->dialer, url);
    }
    if (error == 0 && dial->tls != NULL) {
        error = nng_stream_dialer_set_ptr(dial->dialer, NNG_OPT_TLS_CONFIG,
                                          tls_config_handle(dial->tls));
    }
    if (error != 0) {
        net_problem_set(problem, "cannot dial %s: %s", dial->config.address,
                        net_error_text(error));
    }
    return net_status_of(error);
}

enum pbft_status net_dial_open(struct net_dial **out,
                               const struct net_dial_config *config,
                               struct net_problem *problem)
{
    char url[NET_URL_MAX];
    enum pbft_status status =
        net_url(url, config->address, config->security, problem);
    if (status != PBFT_OK) {
        return status;
    }
    struct net_dial *dial = calloc(1, sizeof *dial);
    if (dial == NULL) {
        return PBFT_NO_MEMORY;
    }
    dial->config = *config;
    dial->phase = DIAL_RESTING;
    dial->pause_ms = config->reconnect_min_ms;
    dial->random = (uint32_t)net_now_ms() + config->member;
    (void)pthread_mutex_init(&dial->lock, NULL);
    if (config->security == NET_TLS) {
        status = make_tls(dial, problem);
    }
    if (status == PBFT_OK) {
        status = make_dialer(dial, url, problem);
    }
    if (status != PBFT_OK) {
        net_dial_close(dial);
        return status;
    }
    *out = dial;
    begin(dial);
    return PBFT_OK;
}

void net_dial_close(struct net_dial *dial)
{
    if (dial == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&dial->lock);
    dial->phase = DIAL_CLOSED;
    (void)pthread_mutex_unlock(&dial->lock);
    if (dial->dialer != NULL) {
        nng_aio_cancel(dial->aio);
        nng_aio_wait(dial->aio);
        nng_stream_dialer_close(dial->dialer);
    }
    if (dial->link != NULL) {
        net_link_close(dial->link);
        net_link_wait_over(dial->link);
        net_link_destroy(dial->link);
    }
    if (dial->dialer != NULL) {
        nng_stream_dialer_free(dial->dialer);
    }
    if (dial->aio != NULL) {
        nng_aio_free(dial->aio);
    }
    tls_config_destroy(dial->tls);
    (void)pthread_mutex_destroy(&dial->lock);
    free(dial);
}

/* ---- while it is open ---------------------------------------------------- */

/* A link that is over makes room for the next one. */
static void bury(struct net_dial *dial)
{
    (void)pthread_mutex_lock(&dial->lock);
    struct net_link *link = NULL;
    if (dial->phase == DIAL_LINKED && net_link_is_over(dial->link)) {
        link = dial->link;
        dial->link = NULL;
        rest(dial);
    }
    (void)pthread_mutex_unlock(&dial->lock);
    if (link != NULL) {
        net_link_destroy(link);
    }
}

/* The link, held; NULL if there is none. */
static struct net_link *take_link(struct net_dial *dial)
{
    (void)pthread_mutex_lock(&dial->lock);
    struct net_link *link = dial->phase == DIAL_LINKED ? dial->link : NULL;
    if (link != NULL) {
        net_link_hold(link);
    }
    (void)pthread_mutex_unlock(&dial->lock);
    return link;
}

/* Closes the link if it is broken, or does not finish its handshake. */
static void check_link(struct net_dial *dial, pbft_time_ms now)
{
    struct net_link_state state;
    struct net_link *link = take_link(dial);
    if (link == NULL) {
        return;
    }
    net_link_check(link);
    net_link_state(link, &state);
    if (!state.is_ready && !state.is_closed &&
        now >= state.created + dial->config.handshake_timeout_ms) {
        (void)pthread_mutex_lock(&dial->lock);
        dial->stats.redials++;
        dial->was_late = true;
        (void)pthread_mutex_unlock(&dial->lock);
        net_link_close(link);
    }
    net_link_release(link);
}

void net_dial_tick(struct net_dial *dial, pbft_time_ms now, bool hurries)
{
    check_link(dial, now);
    bury(dial);
    (void)pthread_mutex_lock(&dial->lock);
    bool is_due = hurries || now >= dial->retry_at; /* If it rests. */
    (void)pthread_mutex_unlock(&dial->lock);
    if (is_due) {
        begin(dial);
    }
}

enum pbft_status net_dial_send(struct net_dial *dial,
                               const struct pbft_bytes *parts, size_t count)
{
    struct net_link *link = take_link(dial);
    enum pbft_status status = PBFT_UNREACHABLE;
    if (link != NULL) {
        status = net_link_send(link, parts, count);
        net_link_release(link);
    }
    if (status != PBFT_OK) {
        (void)pthread_mutex_lock(&dial->lock);
        dial->stats.messages_dropped++;
        (void)pthread_mutex_unlock(&dial->lock);
    }
    return status;
}

void net_dial_break(struct net_dial *dial, pbft_time_ms now,
                    pbft_time_ms age_ms)
{
    struct net_link_state state;
    struct net_link *link = take_link(dial);
    if (link != NULL) {
        net_link_state(link, &state);
        if (state.is_ready && now >= state.created + age_ms) {
            net_link_close(link);
        }
        net_link_release(link);
    }
}

void net_dial_stats(struct net_dial *dial, struct net_dial_stats *out)
{
    struct net_link_state state = {.is_ready = false};
    struct net_link *link = take_link(dial);
    if (link != NULL) {
        net_link_state(link, &state);
    }
    (void)pthread_mutex_lock(&dial->lock);
    *out = dial->stats;
    out->connected = dial->is_up;
    out->messages_sent = dial->sent_before;
    out->bytes_sent = dial->bytes_before;
    if (link != NULL && state.is_ready) {
        out->messages_sent += state.messages_sent;
        out->bytes_sent += state.bytes_sent;
    }
    (void)pthread_mutex_unlock(&dial->lock);
    if (link != NULL) {
        net_link_release(link);
    }
}
