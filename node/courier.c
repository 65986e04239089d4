/* SPDX-License-Identifier: Apache-2.0 */
#include "node/courier.h"

#include <stdlib.h>
#include <string.h>

#include "consensus/assert.h"
#include "crypto/secret.h"
#include "node/clock.h"
#include "node/courier_calls.h"
#include "node/node_private.h"
#include "node/thread.h"

/* Something that came in: a delivery of a peer, or a call. */
struct job {
    bool is_call;
    uint32_t from; /* Replica, or index of the member. */
    uint64_t call;
    struct pbft_buffer *buffer;             /* Of a call; a reference. */
    size_t size;                            /* Of a delivery. */
    uint8_t bytes[WIRE_DELIVERY_BYTES_MAX]; /* The same. */
    struct courier_answer answer;
};

struct courier {
    struct node *node;
    struct envelopes *store;
    struct delivery *delivery;
    struct wire_arena arena;
    struct wire_buffer reply;
    struct job burst[NODE_COURIER_BURST_MAX]; /* For the thread. */
    uint64_t connects[PBFT_REPLICAS_MAX];     /* The same: last seen. */
    bool has_failed;                          /* The same: it was said. */
    pthread_t thread;
    pthread_mutex_t lock; /* Guards everything below. */
    pthread_cond_t filled;
    struct job *ring; /* NODE_COURIER_JOBS_MAX. */
    size_t first;
    size_t count;
    uint32_t calls;                          /* Of those. */
    uint32_t callers[PBFT_INSTITUTIONS_MAX]; /* The same, by who calls. */
    uint32_t from[PBFT_REPLICAS_MAX];        /* Deliveries, by peer. */
    bool stopping;
    struct delivery_counts counts;
};

/* ---- what the delivery needs --------------------------------------------- */

static enum pbft_status find_grant(void *context,
                                   const struct envelope_name *name,
                                   const struct pbft_institution *from,
                                   struct ledger_envelope *out)
{
    struct courier *courier = context;
    struct ledger_envelope_name wanted = {.version = name->version};
    memcpy(wanted.record, name->record, sizeof wanted.record);
    memcpy(wanted.recipient_key, name->recipient_key,
           sizeof wanted.recipient_key);
    struct storage_view *view =
        storage_view_open(courier->node->storage, STORAGE_VIEW_SNAPSHOT);
    enum pbft_status status =
        ledger_find_envelope(storage_view_kv(view), &wanted, from, out);
    storage_view_close(view);
    return status;
}

static pbft_seq height(void *context)
{
    struct courier *courier = context;
    struct pbft_attestation applied;
    storage_applied(courier->node->storage, &applied);
    return applied.seq;
}

static void send(void *context, pbft_replica_id to, struct pbft_bytes delivery)
{
    struct courier *courier = context;
    /* Dropped and counted in net/: it is tried again. */
    enum pbft_status status =
        transport_send_delivery(courier->node->transport, to, delivery);
    (void)status;
}

static pbft_wall_us wall(void *context)
{
    (void)context;
    return clock_wall_us();
}

static struct delivery *create_delivery(struct courier *courier)
{
    const struct node_identity *identity = courier->node->identity;
    struct pbft_institution owners[PBFT_REPLICAS_MAX];
    for (pbft_replica_id i = 0; i < identity->replica_count; i++) {
        owners[i] = genesis_replica(identity->genesis, i)->institution;
    }
    const struct delivery_config config = {
        .store = courier->store,
        .domain = &identity->domain,
        .keyring = &identity->keyring,
        .self = identity->self,
        .replica_count = identity->replica_count,
        .member_count = identity->genesis->member_count,
        .owners = owners,
        .port = {.context = courier,
                 .find = find_grant,
                 .height = height,
                 .send = send,
                 .wall = wall},
    };
    return delivery_create(&config);
}

/* ---- the queue ----------------------------------------------------------- */

/* Lock held. By one more or one less. */
static void count_job(struct courier *courier, const struct job *job, int by)
{
    if (job->is_call) {
        courier->calls += (uint32_t)by;
        courier->callers[job->from] += (uint32_t)by;
    } else {
        courier->from[job->from] += (uint32_t)by;
    }
}

/* Lock held. Nobody's jobs keep out those of the others. */
static bool has_room(const struct courier *courier, const struct job *job)
{
    return job->is_call
               ? courier->calls < NODE_COURIER_CALLS_MAX &&
                     courier->callers[job->from] < NODE_COURIER_CALLER_MAX
               : courier->from[job->from] < NODE_COURIER_PEER_MAX;
}

static enum pbft_status put(struct courier *courier, const struct job *job)
{
    enum pbft_status status = PBFT_OK;
    (void)pthread_mutex_lock(&courier->lock);
    if (courier->stopping) {
        status = PBFT_CLOSED;
    } else if (!has_room(courier, job)) {
        status = PBFT_LIMIT;
    } else {
        size_t at = (courier->first + courier->count) % NODE_COURIER_JOBS_MAX;
        courier->ring[at] = *job;
        courier->count++;
        count_job(courier, job, 1);
        (void)pthread_cond_signal(&courier->filled);
    }
    (void)pthread_mutex_unlock(&courier->lock);
    return status;
}

enum pbft_status courier_put_delivery(struct courier *courier,
                                      pbft_replica_id peer,
                                      struct pbft_bytes bytes)
{
    struct job job = {.from = peer, .size = bytes.size};
    if (bytes.size > sizeof job.bytes) {
        return PBFT_TOO_LARGE;
    }
    memcpy(job.bytes, bytes.data, bytes.size);
    enum pbft_status status = put(courier, &job);
    secret_wipe(&job, sizeof job);
    return status;
}

enum pbft_status courier_put_call(struct courier *courier, uint64_t call,
                                  uint32_t caller, struct pbft_buffer *buffer)
{
    if (pbft_buffer_bytes(buffer).size > NODE_COURIER_CALL_BYTES_MAX) {
        return PBFT_TOO_LARGE;
    }
    PBFT_ASSERT(caller < PBFT_INSTITUTIONS_MAX); /* A member, says net/. */
    const struct job job = {.is_call = true,
                            .from = caller,
                            .call = call,
                            .buffer = pbft_buffer_ref(buffer)};
    enum pbft_status status = put(courier, &job);
    if (status != PBFT_OK) {
        pbft_buffer_unref(buffer);
    }
    return status;
}

void courier_count(struct courier *courier, struct delivery_counts *out)
{
    (void)pthread_mutex_lock(&courier->lock);
    *out = courier->counts;
    (void)pthread_mutex_unlock(&courier->lock);
}

/* True: it is time to end, and nothing is left. */
static bool take_burst(struct courier *courier, size_t *count,
                       pbft_time_ms deadline)
{
    *count = 0;
    (void)pthread_mutex_lock(&courier->lock);
    while (courier->count == 0 && !courier->stopping &&
           clock_now_ms() < deadline) {
        clock_condition_wait(&courier->filled, &courier->lock, deadline);
    }
    while (courier->count > 0 && *count < NODE_COURIER_BURST_MAX) {
        struct job *job = &courier->ring[courier->first];
        courier->burst[(*count)++] = *job;
        count_job(courier, job, -1);
        secret_wipe(job, sizeof *job);
        courier->first = (courier->first + 1) % NODE_COURIER_JOBS_MAX;
        courier->count--;
    }
    bool ended = courier->stopping && *count == 0;
    (void)pthread_mutex_unlock(&courier->lock);
    return ended;
}

/* ---- the work ------------------------------------------------------------ */

static void receive(struct courier *courier, struct job *job)
{
    struct delivery_message message;
    enum delivery_code code = DELIVERY_MALFORMED;
    if (delivery_decode(&message, &courier->arena,
                        (struct pbft_bytes){job->bytes, job->size}) ==
        PBFT_OK) {
        code = delivery_receive(courier->delivery, job->from, &message);
    }
    if (code != DELIVERY_OK && code != DELIVERY_NO_GRANT) {
        node_note_refused(courier->node, job->from, "delivery",
                          delivery_code_name(code));
    }
    secret_wipe(&message, sizeof message);
}

static void carry_out(struct courier *courier, struct job *job,
                      pbft_time_ms now)
{
    if (!job->is_call) {
        receive(courier, job);
        return;
    }
    const struct salus_member *member =
        &courier->node->identity->genesis->members[job->from];
    courier_call(courier->delivery, &job->answer, &courier->arena,
                 &member->institution, pbft_buffer_bytes(job->buffer), now);
}

static void answer(struct courier *courier, struct job *job, bool is_durable)
{
    if (job->is_call) {
        wire_buffer_reset(&courier->reply);
        if (!is_durable) {
            courier_answer_failed(&job->answer);
        }
        enum pbft_status status = courier_answer_encode(
            &courier->reply, &courier->arena, &job->answer);
        PBFT_ASSERT(status == PBFT_OK);
        net_gateway_reply(courier->node->gateway, job->call,
                          wire_buffer_bytes(&courier->reply));
        secret_wipe(courier->reply.data, courier->reply.size);
        courier_answer_free(&job->answer);
        pbft_buffer_unref(job->buffer);
    }
    secret_wipe(job, sizeof *job);
}

static void note_connections(struct courier *courier, pbft_time_ms now)
{
    const struct node_identity *identity = courier->node->identity;
    for (pbft_replica_id i = 0; i < identity->replica_count; i++) {
        struct net_peer_stats stats;
        net_peers_stats(courier->node->peers, i, &stats);
        if (stats.connects != courier->connects[i]) {
            courier->connects[i] = stats.connects;
            delivery_peer_up(courier->delivery, i, now);
        }
    }
}

static bool flush(struct courier *courier)
{
    struct delivery_counts counts;
    bool is_durable = delivery_flush(courier->delivery) == PBFT_OK;
    delivery_count(courier->delivery, &counts);
    (void)pthread_mutex_lock(&courier->lock);
    courier->counts = counts;
    (void)pthread_mutex_unlock(&courier->lock);
    if (!is_durable && !courier->has_failed) {
        courier->has_failed = true;
        journal(JOURNAL_ERROR, "envelopes-failed",
                "reason=\"the envelope file cannot be written: none is taken "
                "or delivered until a restart\"");
    }
    return is_durable;
}

static void *run(void *context)
{
    struct courier *courier = context;
    pbft_time_ms tick = clock_now_ms();
    size_t count = 0;
    thread_name("courier");
    while (!take_burst(courier, &count, tick)) {
        pbft_time_ms now = clock_now_ms();
        for (size_t i = 0; i < count; i++) {
            carry_out(courier, &courier->burst[i], now);
        }
        if (now >= tick) {
            note_connections(courier, now);
            tick = now + NODE_COURIER_TICK_MS;
        }
        delivery_tick(courier->delivery, now);
        bool is_durable = flush(courier);
        for (size_t i = 0; i < count; i++) {
            answer(courier, &courier->burst[i], is_durable);
        }
    }
    return NULL;
}

/* ---- life ---------------------------------------------------------------- */

struct courier *courier_create(struct node *node, struct envelopes *store)
{
    struct courier *courier = calloc(1, sizeof *courier);
    PBFT_ASSERT(courier != NULL);
    courier->node = node;
    courier->store = store;
    courier->ring = calloc(NODE_COURIER_JOBS_MAX, sizeof *courier->ring);
    PBFT_ASSERT(courier->ring != NULL);
    courier->delivery = create_delivery(courier);
    wire_arena_init(&courier->arena, WIRE_UNPACK_BYTES_MAX);
    wire_buffer_init(&courier->reply, WIRE_FRAME_BYTES_MAX);
    delivery_count(courier->delivery, &courier->counts);
    (void)pthread_mutex_init(&courier->lock, NULL);
    clock_condition_init(&courier->filled);
    int failed = pthread_create(&courier->thread, NULL, run, courier);
    PBFT_ASSERT(failed == 0);
    return courier;
}

void courier_destroy(struct courier *courier)
{
    if (courier == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&courier->lock);
    courier->stopping = true;
    (void)pthread_cond_broadcast(&courier->filled);
    (void)pthread_mutex_unlock(&courier->lock);
    (void)pthread_join(courier->thread, NULL);
    delivery_destroy(courier->delivery);
    envelopes_close(courier->store);
    wire_buffer_deinit(&courier->reply);
    wire_arena_deinit(&courier->arena);
    (void)pthread_mutex_destroy(&courier->lock);
    (void)pthread_cond_destroy(&courier->filled);
    free(courier->ring);
    free(courier);
}
