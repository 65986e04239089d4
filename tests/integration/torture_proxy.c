/* SPDX-License-Identifier: Apache-2.0 */
/* One thread relays all connections between replicas. */
#include "tests/integration/torture_proxy.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS_MAX 1024u
#define CHUNK_BYTES 16384u
#define FLOW_BYTES_MAX (1u << 20) /* Then the sender has to wait. */
#define TICK_MS 10                /* How exact delays are. */

struct chunk {
    struct chunk *next;
    uint64_t due_ms;
    size_t size;
    size_t done;
    uint8_t data[CHUNK_BYTES];
};

/* One direction of a connection. */
struct flow {
    struct chunk *first;
    struct chunk *last;
    size_t bytes;
    bool has_ended; /* The sender closed; what is here still goes out. */
};

struct connection {
    struct lane *lane;
    int ends[2];          /* Accepted; dialed. -1: the place is free. */
    struct flow flows[2]; /* From ends[i] to the other one. */
};

struct lane {
    int listener;
    uint16_t port;
    uint16_t target;
    enum proxy_mode mode; /* Under the lock. */
    uint32_t delay_ms;    /* Under the lock. */
};

struct proxy {
    uint32_t replicas;
    struct lane *lanes; /* From i to j at i * replicas + j. */
    struct connection connections[CONNECTIONS_MAX];
    struct pollfd *polled;
    pthread_t thread;
    pthread_mutex_t lock;
    bool is_closing; /* Under the lock. */
};

static uint64_t now_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static struct sockaddr_in loopback(uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(port)};

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

static void drop_flow(struct flow *flow)
{
    while (flow->first != NULL) {
        struct chunk *chunk = flow->first;
        flow->first = chunk->next;
        free(chunk);
    }
    memset(flow, 0, sizeof(*flow));
}

/* Both ends learn of it by a reset, as from a firewall. */
static void drop(struct connection *connection)
{
    const struct linger reset = {.l_onoff = 1};

    for (int i = 0; i < 2; i++) {
        (void)setsockopt(connection->ends[i], SOL_SOCKET, SO_LINGER, &reset,
                         sizeof(reset));
        (void)close(connection->ends[i]);
        connection->ends[i] = -1;
        drop_flow(&connection->flows[i]);
    }
}

static int dial(uint16_t port)
{
    const struct sockaddr_in to = loopback(port);
    int one = 1;
    int file = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (file >= 0 &&
        connect(file, (const struct sockaddr *)&to, sizeof(to)) != 0) {
        (void)close(file);
        return -1;
    }
    (void)setsockopt(file, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    return file;
}

static struct connection *free_place(struct proxy *proxy)
{
    for (uint32_t i = 0; i < CONNECTIONS_MAX; i++) {
        if (proxy->connections[i].ends[0] < 0) {
            return &proxy->connections[i];
        }
    }
    return NULL;
}

static void accept_on(struct proxy *proxy, struct lane *lane)
{
    struct connection *place = free_place(proxy);
    const int one = 1;
    int file = accept4(lane->listener, NULL, NULL, SOCK_CLOEXEC);

    if (file < 0) {
        return;
    }
    int target =
        place != NULL && lane->mode != PROXY_CUT ? dial(lane->target) : -1;
    if (target < 0) {
        (void)close(file);
        return;
    }
    (void)setsockopt(file, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    (void)fcntl(file, F_SETFL, O_NONBLOCK);
    (void)fcntl(target, F_SETFL, O_NONBLOCK);
    place->lane = lane;
    place->ends[0] = file;
    place->ends[1] = target;
}

/* False: the connection broke. */
static bool take_in(struct connection *connection, int end)
{
    struct flow *flow = &connection->flows[end];
    struct chunk *chunk = malloc(sizeof(*chunk));

    if (chunk == NULL) {
        return false;
    }
    ssize_t size = recv(connection->ends[end], chunk->data, CHUNK_BYTES, 0);
    if (size <= 0) {
        free(chunk);
        flow->has_ended = true;
        return size == 0;
    }
    chunk->next = NULL;
    chunk->size = (size_t)size;
    chunk->done = 0;
    chunk->due_ms = now_ms() + connection->lane->delay_ms;
    if (flow->first == NULL) {
        flow->first = chunk;
    } else {
        flow->last->next = chunk;
    }
    flow->last = chunk;
    flow->bytes += chunk->size;
    return true;
}

static bool let_out(struct connection *connection, int end)
{
    struct flow *flow = &connection->flows[1 - end];
    struct chunk *chunk = flow->first;
    ssize_t size = send(connection->ends[end], chunk->data + chunk->done,
                        chunk->size - chunk->done, MSG_NOSIGNAL);

    if (size <= 0) {
        return false;
    }
    chunk->done += (size_t)size;
    flow->bytes -= (size_t)size;
    if (chunk->done == chunk->size) {
        flow->first = chunk->next;
        free(chunk);
    }
    return true;
}

/* What it waits for; 0: nothing. */
static short wanted(const struct connection *connection, int end, uint64_t now)
{
    const struct flow *in = &connection->flows[end];
    const struct flow *out = &connection->flows[1 - end];
    short events = 0;

    if (!in->has_ended && in->bytes < FLOW_BYTES_MAX) {
        events |= POLLIN;
    }
    if (out->first != NULL && out->first->due_ms <= now) {
        events |= POLLOUT;
    }
    return events;
}

/* One end closed, and all that it sent has gone out. */
static bool is_done(const struct connection *connection)
{
    for (int i = 0; i < 2; i++) {
        if (connection->flows[i].has_ended &&
            connection->flows[i].first == NULL) {
            return true;
        }
    }
    return false;
}

static void serve(struct connection *connection, const short *happened)
{
    bool good = true;

    for (int i = 0; i < 2 && good; i++) {
        if ((happened[i] & POLLOUT) != 0) {
            good = let_out(connection, i);
        }
        if (good && (happened[i] & (POLLIN | POLLHUP | POLLERR)) != 0 &&
            !connection->flows[i].has_ended) {
            good = take_in(connection, i);
        }
    }
    if (!good || is_done(connection)) {
        drop(connection);
    }
}

/* Lock held. Who is looked at: first the listeners, then two a connection. */
static size_t gather(struct proxy *proxy)
{
    uint64_t now = now_ms();
    size_t count = 0;

    for (uint32_t i = 0; i < proxy->replicas * proxy->replicas; i++) {
        const struct lane *lane = &proxy->lanes[i];
        bool listens = lane->mode != PROXY_HOLE;
        proxy->polled[count++] =
            (struct pollfd){listens ? lane->listener : -1, POLLIN, 0};
    }
    for (uint32_t i = 0; i < CONNECTIONS_MAX; i++) {
        struct connection *connection = &proxy->connections[i];
        if (connection->ends[0] >= 0 && connection->lane->mode == PROXY_CUT) {
            drop(connection);
        }
        for (int end = 0; end < 2; end++) {
            short events = 0;
            if (connection->ends[0] >= 0 &&
                connection->lane->mode != PROXY_HOLE) {
                events = wanted(connection, end, now);
            }
            proxy->polled[count++] = (struct pollfd){
                events != 0 ? connection->ends[end] : -1, events, 0};
        }
    }
    return count;
}

/* Lock held. */
static void handle(struct proxy *proxy)
{
    uint32_t lanes = proxy->replicas * proxy->replicas;

    for (uint32_t i = 0; i < CONNECTIONS_MAX; i++) {
        const struct pollfd *polled = &proxy->polled[lanes + 2 * i];
        const short happened[2] = {polled[0].revents, polled[1].revents};
        if ((happened[0] | happened[1]) != 0) {
            serve(&proxy->connections[i], happened);
        }
    }
    for (uint32_t i = 0; i < lanes; i++) {
        if (proxy->polled[i].revents != 0) {
            accept_on(proxy, &proxy->lanes[i]);
        }
    }
}

static void *relay(void *context)
{
    struct proxy *proxy = context;

    (void)pthread_mutex_lock(&proxy->lock);
    while (!proxy->is_closing) {
        size_t count = gather(proxy);
        (void)pthread_mutex_unlock(&proxy->lock);
        int ready = poll(proxy->polled, count, TICK_MS);
        (void)pthread_mutex_lock(&proxy->lock);
        if (ready > 0) {
            handle(proxy);
        }
    }
    (void)pthread_mutex_unlock(&proxy->lock);
    return NULL;
}

static bool open_lane(struct lane *lane, uint16_t target)
{
    struct sockaddr_in address = loopback(0);
    socklen_t size = sizeof(address);

    lane->target = target;
    lane->listener =
        socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (lane->listener < 0 ||
        bind(lane->listener, (struct sockaddr *)&address, size) != 0 ||
        listen(lane->listener, 16) != 0 ||
        getsockname(lane->listener, (struct sockaddr *)&address, &size) != 0) {
        return false;
    }
    lane->port = ntohs(address.sin_port);
    return true;
}

struct proxy *proxy_open(uint32_t replicas, const uint16_t *targets)
{
    uint32_t lanes = replicas * replicas;
    struct proxy *proxy = calloc(1, sizeof(*proxy));

    if (proxy == NULL) {
        abort();
    }
    proxy->replicas = replicas;
    proxy->lanes = calloc(lanes, sizeof(*proxy->lanes));
    proxy->polled = calloc(lanes + 2 * CONNECTIONS_MAX, sizeof(*proxy->polled));
    for (uint32_t i = 0; i < CONNECTIONS_MAX; i++) {
        proxy->connections[i].ends[0] = -1;
    }
    (void)pthread_mutex_init(&proxy->lock, NULL);
    bool good = proxy->lanes != NULL && proxy->polled != NULL;
    for (uint32_t i = 0; good && i < lanes; i++) {
        good = open_lane(&proxy->lanes[i], targets[i % replicas]);
    }
    good = good && pthread_create(&proxy->thread, NULL, relay, proxy) == 0;
    return good ? proxy : NULL; /* Without it the test ends anyway. */
}

void proxy_close(struct proxy *proxy)
{
    if (proxy == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&proxy->lock);
    proxy->is_closing = true;
    (void)pthread_mutex_unlock(&proxy->lock);
    (void)pthread_join(proxy->thread, NULL);
    for (uint32_t i = 0; i < CONNECTIONS_MAX; i++) {
        if (proxy->connections[i].ends[0] >= 0) {
            drop(&proxy->connections[i]);
        }
    }
    for (uint32_t i = 0; i < proxy->replicas * proxy->replicas; i++) {
        (void)close(proxy->lanes[i].listener);
    }
    (void)pthread_mutex_destroy(&proxy->lock);
    free(proxy->lanes);
    free(proxy->polled);
    free(proxy);
}

uint16_t proxy_port(const struct proxy *proxy, uint32_t from, uint32_t to)
{
    return proxy->lanes[from * proxy->replicas + to].port;
}

void proxy_set(struct proxy *proxy, uint32_t from, uint32_t to,
               enum proxy_mode mode, uint32_t delay_ms)
{
    struct lane *lane = &proxy->lanes[from * proxy->replicas + to];

    (void)pthread_mutex_lock(&proxy->lock);
    lane->mode = mode;
    lane->delay_ms = delay_ms;
    (void)pthread_mutex_unlock(&proxy->lock);
}

void proxy_heal(struct proxy *proxy)
{
    for (uint32_t i = 0; i < proxy->replicas * proxy->replicas; i++) {
        proxy_set(proxy, i / proxy->replicas, i % proxy->replicas, PROXY_PASS,
                  0);
    }
}
