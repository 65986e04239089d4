/* SPDX-License-Identifier: Apache-2.0 */
/* Calls in flight, by number, over one connection. */
#include "net/channel.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "net/common.h"
#include "net/dial.h"

#define CHANNEL_TICK_MS 100
/* Numbers of calls have 31 bits on the wire, the highest bit ends the header:
 * the place of the call in the low ones, a running number above. */
#define CALL_INDEX_BITS 12
#define CALL_INDEX_MASK ((1u << CALL_INDEX_BITS) - 1)
#define CALL_NUMBER_MASK 0x7fffffffu
#define CALL_END_BIT 0x80000000u
#define CALL_HEADER_SIZE 4

struct call {
    bool is_open;
    uint32_t number; /* Of 31 bits. */
    uint64_t token;
    pbft_time_ms sent_at;
    pbft_time_ms deadline;
};

struct net_channel {
    struct net_channel_config
        config;                 /* Pointers in it are not valid any more. */
    struct net_members *member; /* The one behind the replica. */
    struct net_dial *dial;
    pthread_mutex_t lock; /* Guards the rest. */
    bool is_up;
    bool is_closing;
    uint32_t next_index;
    uint32_t runs; /* Upper bits of the next number. */
    struct call *calls;
    pbft_time_ms heard_at; /* Of the last frame. */
    pbft_time_ms lost_at;  /* A call ended unheard, and nothing came since. */
};

void net_channel_config_defaults(struct net_channel_config *config)
{
    memset(config, 0, sizeof *config);
    config->frame_bytes_max = 16u * 1024u * 1024u;
    config->calls_max = 1024;
    config->handshake_timeout_ms = 5000;
    config->reconnect_min_ms = 100;
    config->reconnect_max_ms = 2000;
}

static void fill_in(struct net_channel_config *config)
{
    struct net_channel_config defaults;
    net_channel_config_defaults(&defaults);
#define NET_FILL(field)                                                        \
    config->field = config->field != 0 ? config->field : defaults.field
    NET_FILL(frame_bytes_max);
    NET_FILL(calls_max);
    NET_FILL(handshake_timeout_ms);
    NET_FILL(reconnect_min_ms);
    NET_FILL(reconnect_max_ms);
#undef NET_FILL
    if (config->calls_max > CALL_INDEX_MASK) {
        config->calls_max = CALL_INDEX_MASK;
    }
}

/* ---- calls in flight ----------------------------------------------------- */

/* Takes a place; the lock is held. NULL: all are taken. */
static struct call *open_call(struct net_channel *channel)
{
    for (uint32_t i = 0; i < channel->config.calls_max; i++) {
        uint32_t index = (channel->next_index + i) % channel->config.calls_max;
        struct call *call = &channel->calls[index];
        if (!call->is_open) {
            channel->next_index = index + 1;
            channel->runs++;
            call->is_open = true;
            call->number =
                (channel->runs << CALL_INDEX_BITS | index) & CALL_NUMBER_MASK;
            return call;
        }
    }
    return NULL;
}

/* Ends the call of that number; false if there is none (any more). */
static bool end_call(struct net_channel *channel, uint32_t number,
                     uint64_t *token)
{
    uint32_t index = number & CALL_INDEX_MASK;
    bool was_open = false;
    (void)pthread_mutex_lock(&channel->lock);
    if (index < channel->config.calls_max) {
        struct call *call = &channel->calls[index];
        was_open = call->is_open && call->number == number;
        call->is_open = call->is_open && !was_open;
        *token = call->token;
    }
    (void)pthread_mutex_unlock(&channel->lock);
    return was_open;
}

/* A call timed out. Is it the second in a row, and nothing came since the first
 * was sent? Where a host died, or forgot the connection, nothing else tells for
 * a quarter of an hour. Lock held. */
static bool is_unheard(struct net_channel *channel, const struct call *call)
{
    if (call->sent_at <= channel->heard_at) {
        return false;
    }
    if (channel->lost_at == 0) {
        channel->lost_at = net_now_ms();
        return false;
    }
    return call->sent_at > channel->lost_at;
}

/* Ends the calls whose deadline is at or before `now`, or, for another status
 * than TIMED_OUT, all. True: the other end has fallen silent. */
static bool end_calls(struct net_channel *channel, pbft_time_ms now,
                      enum pbft_status status)
{
    bool is_silent = false;
    for (uint32_t i = 0; i < channel->config.calls_max; i++) {
        struct call *call = &channel->calls[i];
        (void)pthread_mutex_lock(&channel->lock);
        bool ends = call->is_open &&
                    (status != PBFT_TIMED_OUT || call->deadline <= now);
        call->is_open = call->is_open && !ends;
        is_silent |=
            ends && status == PBFT_TIMED_OUT && is_unheard(channel, call);
        uint64_t token = call->token;
        (void)pthread_mutex_unlock(&channel->lock);
        if (ends) {
            channel->config.on_reply(channel->config.context, token, status,
                                     NULL);
        }
    }
    return is_silent;
}

static void note_heard(struct net_channel *channel)
{
    (void)pthread_mutex_lock(&channel->lock);
    channel->heard_at = net_now_ms();
    channel->lost_at = 0;
    (void)pthread_mutex_unlock(&channel->lock);
}

static enum net_disposition on_message(void *context, struct net_frame frame)
{
    struct net_channel *channel = context;
    struct net_shared shared;
    uint64_t token = 0;
    note_heard(channel);
    /* The header that comes back is the number that we sent. */
    if (frame.size < CALL_HEADER_SIZE ||
        (net_claim_read(frame.data) & CALL_END_BIT) == 0 ||
        !end_call(channel, net_claim_read(frame.data) & CALL_NUMBER_MASK,
                  &token)) {
        free(frame.data); /* Late, or nonsense. */
        return NET_TAKEN;
    }
    bool is_shared = net_share(&shared, frame, CALL_HEADER_SIZE);
    if (!is_shared) {
        free(frame.data);
    }
    channel->config.on_reply(channel->config.context, token,
                             is_shared ? PBFT_OK : PBFT_UNREACHABLE,
                             is_shared ? shared.buffer : NULL);
    return NET_TAKEN;
}

static void on_state(void *context, bool connected)
{
    struct net_channel *channel = context;
    (void)pthread_mutex_lock(&channel->lock);
    channel->is_up = connected;
    channel->lost_at = 0;
    bool is_closing = channel->is_closing;
    (void)pthread_mutex_unlock(&channel->lock);
    if (!connected) {
        (void)end_calls(channel, 0,
                        is_closing ? PBFT_CLOSED : PBFT_UNREACHABLE);
    }
    if (!is_closing && channel->config.on_state != NULL) {
        channel->config.on_state(channel->config.context, connected);
    }
}

enum pbft_status net_channel_call(struct net_channel *channel, uint64_t token,
                                  struct pbft_bytes bytes,
                                  pbft_time_ms deadline_ms)
{
    uint8_t header[CALL_HEADER_SIZE];
    uint8_t claim[NET_CLAIM_SIZE];
    bool claims = channel->config.security != NET_TLS;
    if (bytes.size > channel->config.frame_bytes_max) {
        return PBFT_TOO_LARGE;
    }
    (void)pthread_mutex_lock(&channel->lock);
    bool is_up = channel->is_up && !channel->is_closing;
    struct call *call = is_up ? open_call(channel) : NULL;
    uint32_t number = 0;
    if (call != NULL) {
        number = call->number;
        call->token = token;
        call->sent_at = net_now_ms();
        call->deadline = deadline_ms;
    }
    (void)pthread_mutex_unlock(&channel->lock);
    if (call == NULL) {
        return is_up ? PBFT_LIMIT : PBFT_UNREACHABLE;
    }
    net_claim_write(header, number | CALL_END_BIT);
    net_claim_write(claim, channel->config.caller);
    const struct pbft_bytes parts[3] = {
        {header, sizeof header}, {claim, claims ? sizeof claim : 0}, bytes};
    enum pbft_status status = net_dial_send(channel->dial, parts, 3);
    if (status != PBFT_OK && !end_call(channel, number, &token)) {
        return PBFT_OK; /* The breaking connection has ended it already. */
    }
    return status;
}

/* ---- the connection ------------------------------------------------------ */

pbft_time_ms net_channel_tick(struct net_channel *channel, pbft_time_ms now_ms)
{
    if (end_calls(channel, now_ms, PBFT_TIMED_OUT)) {
        net_dial_break(channel->dial, now_ms, 0);
    }
    net_dial_tick(channel->dial, now_ms, false);
    return now_ms + CHANNEL_TICK_MS;
}

bool net_channel_is_connected(struct net_channel *channel)
{
    (void)pthread_mutex_lock(&channel->lock);
    bool is_connected = channel->is_up;
    (void)pthread_mutex_unlock(&channel->lock);
    return is_connected;
}

void net_channel_problem(struct net_channel *channel,
                         struct net_problem *problem)
{
    struct net_dial_stats stats;
    net_dial_stats(channel->dial, &stats);
    *problem = stats.last;
}

static enum pbft_status open_all(struct net_channel *channel,
                                 struct net_problem *problem)
{
    const struct net_channel_config *config = &channel->config;
    channel->calls = calloc(config->calls_max, sizeof *channel->calls);
    if (channel->calls == NULL) {
        return PBFT_NO_MEMORY;
    }
    enum pbft_status status =
        net_members_create(&channel->member, config->member, 1, problem);
    if (status != PBFT_OK) {
        return status;
    }
    const struct net_dial_config dial = {
        .members = channel->member,
        .member = 0,
        .address = config->address,
        .own = config->own,
        .security = config->security,
        .protocol = NET_REQ,
        .frame_bytes_max =
            config->frame_bytes_max + CALL_HEADER_SIZE + NET_CLAIM_SIZE,
        .outbox_messages_max = config->calls_max,
        .outbox_bytes_max = config->frame_bytes_max,
        .handshake_timeout_ms = config->handshake_timeout_ms,
        .reconnect_min_ms = config->reconnect_min_ms,
        .reconnect_max_ms = config->reconnect_max_ms,
        .context = channel,
        .on_state = on_state,
        .on_message = on_message,
    };
    return net_dial_open(&channel->dial, &dial, problem);
}

enum pbft_status net_channel_open(const struct net_channel_config *config,
                                  struct net_channel **out,
                                  struct net_problem *problem)
{
    struct net_channel *channel = calloc(1, sizeof *channel);
    if (channel == NULL) {
        return PBFT_NO_MEMORY;
    }
    channel->config = *config;
    fill_in(&channel->config);
    (void)pthread_mutex_init(&channel->lock, NULL);
    enum pbft_status status = open_all(channel, problem);
    if (status != PBFT_OK) {
        net_channel_close(channel);
        return status;
    }
    *out = channel;
    return PBFT_OK;
}

void net_channel_close(struct net_channel *channel)
{
    if (channel == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&channel->lock);
    channel->is_closing = true;
    (void)pthread_mutex_unlock(&channel->lock);
    net_dial_close(channel->dial);
    if (channel->calls != NULL) {
        (void)end_calls(channel, 0, PBFT_CLOSED);
    }
    net_members_destroy(channel->member);
    (void)pthread_mutex_destroy(&channel->lock);
    free(channel->calls);
    free(channel);
}
