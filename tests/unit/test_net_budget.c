/* SPDX-License-Identifier: Apache-2.0 */
/* How much connections may hold: the rule by itself, and a gateway whose
 * clients begin what they do not end, or take nothing of what they asked for.
 */
#include "tests/support/net_world.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/budget.h"
#include "net/gateway.h"

#define MIB (1u << 20)
#define HOARDERS 16
#define CONNECTIONS 64 /* And 256 that are not ready. */
#define HEADER 16      /* Length, number of the call, claim. */

static struct world world;

/* ---- the rule ------------------------------------------------------------ */

/* Of 100 half are shares, 12 for each of 4. */
static void test_everybody_finds_his_share(void **state)
{
    struct net_budget *budget = net_budget_create(100, 4);
    (void)state;
    assert_false(net_budget_take(budget, 0, 65));
    assert_true(net_budget_take(budget, 0, 64)); /* But for three shares. */
    assert_false(net_budget_take(budget, 0, 1));
    assert_false(net_budget_take(budget, 1, 13));
    assert_true(net_budget_take(budget, 1, 12));
    assert_false(net_budget_take(budget, 1, 1));
    assert_true(net_budget_take(budget, 2, 5));
    assert_int_equal(net_budget_held(budget), 81);
    assert_int_equal(net_budget_refused(budget), 4);
    assert_true(net_budget_take(budget, 3, 12));
    assert_true(net_budget_take(budget, 2, 7));

    net_budget_give(budget, 0, 64);
    assert_true(net_budget_take(budget, 3, 52));
    assert_false(net_budget_take(budget, 3, 1));
    net_budget_give(budget, 1, 12);
    net_budget_give(budget, 2, 12);
    net_budget_give(budget, 3, 64);
    assert_int_equal(net_budget_held(budget), 0);
    net_budget_destroy(budget);
}

static void test_who_has_no_name_has_no_share(void **state)
{
    struct net_budget *budget = net_budget_create(100, 1);
    (void)state;
    assert_false(net_budget_take(budget, NET_NOBODY, 51));
    assert_true(net_budget_take(budget, NET_NOBODY, 50));
    assert_false(net_budget_take(budget, 0, SIZE_MAX));
    assert_true(net_budget_take(budget, 0, 50));
    net_budget_give(budget, NET_NOBODY, 50);
    net_budget_give(budget, 0, 50);
    net_budget_destroy(budget);
}

static void test_no_budget_is_no_bound(void **state)
{
    (void)state;
    assert_true(net_budget_take(NULL, 0, SIZE_MAX));
    net_budget_give(NULL, 0, SIZE_MAX);
    assert_int_equal(net_budget_refused(NULL), 0);
}

/* ---- a gateway that echoes, over plain TCP ------------------------------- */

struct server {
    struct net_gateway *gateway;
    pthread_mutex_t lock; /* Until `gateway` is set. */
    bool is_silent;       /* It answers nobody. */
};

static void on_call(void *context, uint64_t call, uint32_t caller,
                    struct pbft_buffer *buffer)
{
    struct server *server = context;
    (void)caller;
    (void)pthread_mutex_lock(&server->lock);
    struct net_gateway *gateway = server->gateway;
    (void)pthread_mutex_unlock(&server->lock);
    if (!server->is_silent) {
        net_gateway_reply(gateway, call, pbft_buffer_bytes(buffer));
    }
    pbft_buffer_unref(buffer);
}

static void server_start(struct server *server, size_t bytes_max)
{
    struct net_gateway_config config;
    net_gateway_config_defaults(&config);
    config.members = world.members;
    config.member_count = WORLD_MEMBERS;
    config.listen_address = "127.0.0.1:0";
    config.security = NET_UNSAFE_PLAIN_TCP;
    config.bytes_max = bytes_max;
    config.connections_max = CONNECTIONS;
    config.reply_timeout_ms = 10 * WORLD_PATIENCE_MS;
    config.context = server;
    config.call = on_call;
    server->is_silent = false;
    (void)pthread_mutex_init(&server->lock, NULL);
    (void)pthread_mutex_lock(&server->lock);
    assert_int_equal(net_gateway_open(&config, &server->gateway, NULL),
                     PBFT_OK);
    (void)pthread_mutex_unlock(&server->lock);
}

static void server_stop(struct server *server)
{
    net_gateway_close(server->gateway);
    (void)pthread_mutex_destroy(&server->lock);
}

static struct net_gateway_stats stats_of(struct server *server)
{
    struct net_gateway_stats stats;
    net_gateway_stats(server->gateway, &stats);
    return stats;
}

static uint64_t crowded(struct server *server)
{
    return stats_of(server).crowded;
}

static int dial(const struct server *server)
{
    static const uint8_t greeting[] = {0, 'S', 'P', 0, 0, 0x30, 0, 0};
    struct sockaddr_in to = {.sin_family = AF_INET};
    to.sin_port = htons(net_gateway_port(server->gateway));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    assert_int_equal(send(fd, greeting, sizeof greeting, MSG_NOSIGNAL),
                     sizeof greeting);
    return fd;
}

/* The beginning of a call of member 1 with so many bytes. */
static void begin(int fd, uint32_t size)
{
    uint8_t header[HEADER] = {0};
    for (unsigned i = 0; i < 4; i++) {
        header[4 + i] = (uint8_t)((size + 8) >> (24 - 8 * i));
    }
    header[8] = 0x80;
    header[15] = 1;
    (void)send(fd, header, sizeof header, MSG_NOSIGNAL);
}

/* What is sent may be refused: then the other side has hung up. */
static void send_bytes(int fd, size_t size)
{
    static const uint8_t bytes[65536];
    while (size > 0) {
        size_t part = size < sizeof bytes ? size : sizeof bytes;
        ssize_t sent = send(fd, bytes, part, MSG_NOSIGNAL);
        if (sent <= 0) {
            return;
        }
        size -= (size_t)sent;
    }
}

/* A small call on a connection of its own is answered. */
static bool is_served(const struct server *server)
{
    uint8_t reply[8 + 8 + 4 + 16]; /* Greeting, length, number, echo. */
    size_t got = 0;
    ssize_t size = 1;
    int fd = dial(server);
    begin(fd, 16);
    send_bytes(fd, 16);
    while (got < sizeof reply && size > 0) {
        size = recv(fd, reply + got, sizeof reply - got, 0);
        got += size > 0 ? (size_t)size : 0;
    }
    (void)close(fd);
    return got == sizeof reply;
}

static size_t resident_bytes(void)
{
    unsigned long pages = 0;
    unsigned long resident = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%lu %lu", &pages, &resident), 2);
    (void)fclose(file);
    return resident * (size_t)sysconf(_SC_PAGESIZE);
}

/* Each call lacks its last byte. */
static void test_calls_that_never_end_are_bounded(void **state)
{
    struct server server;
    int fds[HOARDERS];
    (void)state;
    server_start(&server, 9 * MIB);
    size_t before = resident_bytes();

    for (size_t i = 0; i < HOARDERS; i++) {
        fds[i] = dial(&server);
        begin(fds[i], 4 * MIB - 8);
        send_bytes(fds[i], 4 * MIB - 9);
    }

    WORLD_WAIT(crowded(&server) >= HOARDERS - 2); /* Two have room. */
    assert_true(resident_bytes() < before + 48 * MIB);
    WORLD_WAIT(is_served(&server));
    for (size_t i = 0; i < HOARDERS; i++) {
        (void)close(fds[i]);
    }
    server_stop(&server);
}

/* Each asks for more than it reads, which is nothing. */
static void test_replies_that_nobody_takes_are_bounded(void **state)
{
    struct server server;
    int fds[HOARDERS];
    (void)state;
    server_start(&server, 9 * MIB);

    for (size_t i = 0; i < HOARDERS; i++) {
        const struct timeval patience = {.tv_sec = 1};
        fds[i] = dial(&server);
        (void)setsockopt(fds[i], SOL_SOCKET, SO_SNDTIMEO, &patience,
                         sizeof patience);
        for (int k = 0; k < 12; k++) {
            begin(fds[i], MIB);
            send_bytes(fds[i], MIB);
        }
    }

    WORLD_WAIT(crowded(&server) > 0);
    WORLD_WAIT(is_served(&server));
    for (size_t i = 0; i < HOARDERS; i++) {
        (void)close(fds[i]);
    }
    server_stop(&server);
}

/* Each calls and goes before it is answered; the calls stay. */
static void test_who_comes_and_goes_takes_no_place(void **state)
{
    struct server server;
    (void)state;
    server_start(&server, 8 * MIB);
    server.is_silent = true;

    for (uint32_t i = 0; i < CONNECTIONS + 256 + 40; i++) {
        int fd = dial(&server);
        begin(fd, 16);
        send_bytes(fd, 16);
        WORLD_WAIT(stats_of(&server).calls_in_flight == i + 1);
        (void)close(fd);
        WORLD_WAIT(stats_of(&server).connections < CONNECTIONS / 2);
    }

    server_stop(&server);
}

static int set_up(void **state)
{
    (void)state;
    world_init(&world);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_everybody_finds_his_share),
        cmocka_unit_test(test_who_has_no_name_has_no_share),
        cmocka_unit_test(test_no_budget_is_no_bound),
        cmocka_unit_test(test_calls_that_never_end_are_bounded),
        cmocka_unit_test(test_replies_that_nobody_takes_are_bounded),
        cmocka_unit_test(test_who_comes_and_goes_takes_no_place),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
