/* SPDX-License-Identifier: Apache-2.0 */
/* Messages from all peers: a few receives at a time on the pull0 socket. */
#include "net/peers_private.h"

#include <nng/nng.h>

#include "net/common.h"

static void release_message(void *owner)
{
    nng_msg_free(owner);
}

/* Notes who sent it; wraps the message without copying. NULL: to be dropped. */
static struct pbft_buffer *
accept_message(struct net_peers *peers, nng_msg *message, pbft_replica_id *from)
{
    uint32_t claim = NET_NOBODY;
    size_t size = nng_msg_len(message);
    if (peers->config.security != NET_TLS) {
        if (size < NET_CLAIM_SIZE) {
            return NULL;
        }
        claim = net_claim_read(nng_msg_body(message));
        (void)nng_msg_trim(message, NET_CLAIM_SIZE);
        size -= NET_CLAIM_SIZE;
    }
    nng_pipe pipe = nng_msg_get_pipe(message);
    *from = net_door_owner(peers->door, (uint32_t)nng_pipe_id(pipe), claim);
    if (*from == NET_NOBODY || *from == peers->config.self) {
        return NULL; /* It has gone meanwhile, or lies. */
    }
    struct net_dial *dial = &peers->dials[*from];
    atomic_store(&dial->last_received, net_now_ms());
    atomic_fetch_add(&dial->messages_received, 1);
    atomic_fetch_add(&dial->bytes_received, size);
    return pbft_buffer_wrap(nng_msg_body(message), size, message,
                            release_message);
}

/* Offers a message to the receiver; true if it was taken. If not, the read
 * keeps it, unless somebody said meanwhile that there is room again. */
static bool offer(struct net_read *read, struct pbft_buffer *buffer,
                  pbft_replica_id from)
{
    struct net_peers *peers = read->peers;
    for (;;) {
        (void)pthread_mutex_lock(&peers->lock);
        uint64_t resumes = peers->resumes;
        (void)pthread_mutex_unlock(&peers->lock);
        if (peers->config.receive(peers->config.context, from, buffer) ==
            NET_TAKEN) {
            return true;
        }
        (void)pthread_mutex_lock(&peers->lock);
        bool kept = resumes == peers->resumes;
        if (kept) {
            read->held = buffer;
            read->held_from = from;
        }
        (void)pthread_mutex_unlock(&peers->lock);
        if (kept) {
            return false;
        }
    }
}

static void read_next(struct net_read *read)
{
    nng_socket socket = {read->peers->pull_id};
    nng_recv_aio(socket, read->aio);
}

static void on_received(void *context)
{
    struct net_read *read = context;
    int error = nng_aio_result(read->aio);
    if (error == NNG_ECLOSED || error == NNG_ECANCELED) {
        return;
    }
    if (error == 0) {
        nng_msg *message = nng_aio_get_msg(read->aio);
        nng_aio_set_msg(read->aio, NULL);
        pbft_replica_id from = NET_NOBODY;
        struct pbft_buffer *buffer =
            accept_message(read->peers, message, &from);
        if (buffer == NULL) {
            nng_msg_free(message);
        } else if (!offer(read, buffer, from)) {
            return; /* net_peers_resume() goes on. */
        }
    }
    read_next(read);
}

void net_peers_resume(struct net_peers *peers)
{
    (void)pthread_mutex_lock(&peers->lock);
    peers->resumes++;
    (void)pthread_mutex_unlock(&peers->lock);
    for (size_t i = 0; i < NET_PEERS_READS; i++) {
        struct net_read *read = &peers->reads[i];
        (void)pthread_mutex_lock(&peers->lock);
        struct pbft_buffer *held = peers->is_stopping ? NULL : read->held;
        read->held = held == NULL ? read->held : NULL;
        pbft_replica_id from = read->held_from;
        (void)pthread_mutex_unlock(&peers->lock);
        if (held != NULL && offer(read, held, from)) {
            read_next(read);
        }
    }
}

enum pbft_status net_reads_create(struct net_peers *peers)
{
    for (size_t i = 0; i < NET_PEERS_READS; i++) {
        struct net_read *read = &peers->reads[i];
        read->peers = peers;
        if (nng_aio_alloc(&read->aio, on_received, read) != 0) {
            return PBFT_NO_MEMORY;
        }
        nng_aio_set_timeout(read->aio, NNG_DURATION_INFINITE);
    }
    return PBFT_OK;
}

void net_reads_start(struct net_peers *peers)
{
    for (size_t i = 0; i < NET_PEERS_READS; i++) {
        read_next(&peers->reads[i]);
    }
}

void net_reads_destroy(struct net_peers *peers)
{
    for (size_t i = 0; i < NET_PEERS_READS; i++) {
        if (peers->reads[i].aio != NULL) {
            nng_aio_stop(peers->reads[i].aio);
            nng_aio_free(peers->reads[i].aio);
        }
        pbft_buffer_unref(peers->reads[i].held);
    }
}
