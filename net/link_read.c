/* SPDX-License-Identifier: Apache-2.0 */
/* What a connection receives: the greeting, then frames. The memory of a frame
 * grows with the bytes that arrive, not with the length that is announced.
 */
#include "net/link_private.h"

#include <stdlib.h>
#include <string.h>

#include <nng/nng.h>

#include "net/common.h"

#define BODY_FIRST_BYTES 65536u

enum outcome {
    OUTCOME_READ, /* More bytes are needed. */
    OUTCOME_HELD, /* The receiver is full. */
    OUTCOME_BREAK /* The other end breaks the rules, or memory is short. */
};

static enum net_protocol counterpart(enum net_protocol protocol)
{
    switch (protocol) {
    case NET_PUSH:
        return NET_PULL;
    case NET_PULL:
        return NET_PUSH;
    case NET_REQ:
        return NET_REP;
    case NET_REP:
        return NET_REQ;
    }
    return protocol;
}

static const uint8_t *staged(const struct net_link *link)
{
    return link->stage + link->stage_at;
}

static void consume(struct net_link *link, size_t count)
{
    link->stage_size -= count;
    link->stage_at = link->stage_size > 0 ? link->stage_at + count : 0;
}

/* What is left of a burst of frames goes to the front, once for all of them. */
static void make_room(struct net_link *link)
{
    if (link->stage_at > 0) {
        memmove(link->stage, staged(link), link->stage_size);
        link->stage_at = 0;
    }
}

/* ---- the greeting -------------------------------------------------------- */

static bool is_greeting(const struct net_link *link)
{
    const uint8_t expected[LINK_GREETING_SIZE] = {
        0, 'S', 'P', 0, 0, (uint8_t)counterpart(link->config.protocol), 0, 0};
    return memcmp(staged(link), expected, sizeof expected) == 0;
}

static bool become_ready(struct net_link *link)
{
    struct tls_identity identity;
    memset(&identity, 0, sizeof identity);
    if (link->config.security == NET_TLS &&
        !tls_stream_identity(link->stream, &identity)) {
        return false;
    }
    (void)pthread_mutex_lock(&link->lock);
    if (link->phase == LINK_GREETING) {
        link->phase = LINK_READY;
    }
    bool is_ready = link->phase == LINK_READY;
    (void)pthread_mutex_unlock(&link->lock);
    return is_ready &&
           link->config.on_ready(link->config.context, link, &identity);
}

/* ---- frames -------------------------------------------------------------- */

/* Room in the body for bytes that are there or about to be read. */
static bool reserve(struct net_link *link)
{
    if (link->body_done < link->body_capacity ||
        link->body_capacity == link->body_size) {
        return true;
    }
    size_t capacity =
        link->body_capacity == 0 ? BODY_FIRST_BYTES : link->body_capacity * 2;
    if (capacity > link->body_size) {
        capacity = link->body_size;
    }
    size_t more = capacity - link->body_capacity;
    if (!link_take(link, more)) {
        return false;
    }
    uint8_t *body = realloc(link->body, capacity);
    if (body == NULL) {
        link_give(link, more);
        return false;
    }
    link->body = body;
    link->body_capacity = capacity;
    return true;
}

static void note_receiving(struct net_link *link, pbft_time_ms since)
{
    (void)pthread_mutex_lock(&link->lock);
    link->receiving_since = since;
    (void)pthread_mutex_unlock(&link->lock);
}

static bool begin_body(struct net_link *link)
{
    uint64_t size = 0;
    for (size_t i = 0; i < LINK_LENGTH_SIZE; i++) {
        size = size << 8 | staged(link)[i];
    }
    if (size > link->config.frame_bytes_max) {
        return false;
    }
    consume(link, LINK_LENGTH_SIZE);
    link->has_body = true;
    link->body_size = (size_t)size;
    link->body_done = 0;
    link->body_capacity = 0;
    link->body = size == 0 ? malloc(1) : NULL; /* Frames are never NULL. */
    return size != 0 || link->body != NULL;
}

/* Moves what is staged into the body. */
static bool fill_body(struct net_link *link)
{
    while (link->stage_size > 0 && link->body_done < link->body_size) {
        if (!reserve(link)) {
            return false;
        }
        size_t count = link->body_capacity - link->body_done;
        if (count > link->stage_size) {
            count = link->stage_size;
        }
        memcpy(link->body + link->body_done, staged(link), count);
        link->body_done += count;
        consume(link, count);
    }
    return true;
}

/* False: it was not taken, and is held. Somebody may have said meanwhile that
 * there is room again: then it is offered once more. */
static bool offer(struct net_link *link, struct net_frame frame)
{
    for (;;) {
        (void)pthread_mutex_lock(&link->lock);
        uint64_t resumes = link->resumes;
        (void)pthread_mutex_unlock(&link->lock);
        if (link->config.on_message(link->config.context, link, frame) ==
            NET_TAKEN) {
            return true;
        }
        (void)pthread_mutex_lock(&link->lock);
        bool is_held = resumes == link->resumes;
        if (is_held) {
            link->has_held = true;
            link->held = frame;
            link->is_receiving = false; /* Who resumes it receives. */
        }
        (void)pthread_mutex_unlock(&link->lock);
        if (is_held) {
            return false;
        }
    }
}

/* Goes through all that is staged. */
static enum outcome process(struct net_link *link)
{
    for (;;) {
        if (!link->is_greeted) {
            if (link->stage_size < LINK_GREETING_SIZE) {
                return OUTCOME_READ;
            }
            if (!is_greeting(link) || !become_ready(link)) {
                return OUTCOME_BREAK;
            }
            link->is_greeted = true;
            consume(link, LINK_GREETING_SIZE);
        }
        if (!link->has_body) {
            if (link->stage_size < LINK_LENGTH_SIZE) {
                return OUTCOME_READ;
            }
            if (!begin_body(link)) {
                return OUTCOME_BREAK;
            }
        }
        if (!fill_body(link)) {
            return OUTCOME_BREAK;
        }
        if (link->body_done < link->body_size) {
            if (!link->is_partial) {
                link->is_partial = true;
                note_receiving(link, net_now_ms());
            }
            return OUTCOME_READ;
        }
        if (link->is_partial) {
            link->is_partial = false;
            note_receiving(link, 0);
        }
        struct net_frame frame = {link->body, link->body_size};
        link_give(link, link->body_capacity);
        link->body = NULL;
        link->body_capacity = 0;
        link->has_body = false;
        if (!offer(link, frame)) {
            return OUTCOME_HELD; /* The link is no more ours to touch. */
        }
    }
}

/* ---- receiving ----------------------------------------------------------- */

static void stop_receiving(struct net_link *link)
{
    (void)pthread_mutex_lock(&link->lock);
    link->is_receiving = false;
    (void)pthread_mutex_unlock(&link->lock);
    net_link_close(link);
}

void link_receive(struct net_link *link)
{
    make_room(link);
    nng_iov iov = {.iov_buf = link->stage + link->stage_size,
                   .iov_len = LINK_STAGE_SIZE - link->stage_size};
    link->reads_body = link->has_body && link->stage_size == 0 &&
                       link->body_size - link->body_done >= LINK_STAGE_SIZE;
    if (link->reads_body) {
        if (!reserve(link)) {
            stop_receiving(link);
            return;
        }
        iov.iov_buf = link->body + link->body_done;
        iov.iov_len = link->body_capacity - link->body_done;
    }
    (void)nng_aio_set_iov(link->receive_aio, 1, &iov);
    (void)pthread_mutex_lock(&link->lock);
    bool begins = link->phase != LINK_CLOSING; /* As in send_rest(). */
    if (begins) {
        nng_stream_recv(link->stream, link->receive_aio);
    }
    (void)pthread_mutex_unlock(&link->lock);
    if (!begins) {
        stop_receiving(link);
    }
}

static void go_on(struct net_link *link)
{
    switch (process(link)) {
    case OUTCOME_READ:
        link_receive(link);
        break;
    case OUTCOME_HELD:
        link_settle(link); /* It may have been closed meanwhile. */
        break;
    case OUTCOME_BREAK:
        stop_receiving(link);
        break;
    }
}

void link_on_received(void *context)
{
    struct net_link *link = context;
    size_t count = nng_aio_count(link->receive_aio);
    if (nng_aio_result(link->receive_aio) != 0 || count == 0) {
        stop_receiving(link);
        return;
    }
    if (link->reads_body) {
        link->body_done += count;
    } else {
        link->stage_size += count;
    }
    go_on(link);
}

void net_link_resume(struct net_link *link)
{
    (void)pthread_mutex_lock(&link->lock);
    link->resumes++;
    bool resumes = link->has_held && link->phase == LINK_READY;
    struct net_frame frame = link->held;
    if (resumes) {
        link->has_held = false;
        link->held = (struct net_frame){NULL, 0};
        link->is_receiving = true;
    }
    (void)pthread_mutex_unlock(&link->lock);
    if (!resumes) {
        return;
    }
    if (offer(link, frame)) {
        go_on(link);
    } else {
        link_settle(link);
    }
}
