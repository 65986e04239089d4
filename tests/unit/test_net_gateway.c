/* SPDX-License-Identifier: Apache-2.0 */
/* Calls from channels to a gateway: who may call, limits, bad bytes. */
#include "tests/support/net_world.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/channel.h"
#include "net/gateway.h"

#define HELD_MAX 16

static struct world world;

/* ---- a gateway that echoes, or holds calls back -------------------------- */

struct server {
    struct net_gateway *gateway;
    pthread_mutex_t lock;
    bool holds;
    uint64_t held[HELD_MAX];
    uint32_t held_count;
    uint32_t last_caller;
    uint32_t calls;
};

static void on_call(void *context, uint64_t call, uint32_t caller,
                    struct pbft_buffer *buffer)
{
    struct server *server = context;
    struct pbft_bytes bytes = pbft_buffer_bytes(buffer);
    pthread_mutex_lock(&server->lock);
    server->calls++;
    server->last_caller = caller;
    bool holds = server->holds && server->held_count < HELD_MAX;
    if (holds) {
        server->held[server->held_count++] = call;
    }
    struct net_gateway *gateway = server->gateway;
    pthread_mutex_unlock(&server->lock);
    if (!holds) {
        net_gateway_reply(gateway, call, bytes);
    }
    pbft_buffer_unref(buffer);
}

static void server_config(struct net_gateway_config *config,
                          struct server *server)
{
    static const uint8_t busy[] = "busy";
    net_gateway_config_defaults(config);
    config->members = world.members;
    config->member_count = WORLD_MEMBERS;
    config->self = 0;
    config->own = world_credentials(&world.replica[0]);
    config->listen_address = "127.0.0.1:0";
    /* An honest handshake on a busy machine must fit. */
    config->handshake_timeout_ms = WORLD_PATIENCE_MS;
    config->busy_reply.data = busy;
    config->busy_reply.size = 4;
    config->context = server;
    config->call = on_call;
}

static void server_open(struct server *server,
                        const struct net_gateway_config *config)
{
    struct net_problem problem = {{0}};
    pthread_mutex_lock(&server->lock);
    enum pbft_status status =
        net_gateway_open(config, &server->gateway, &problem);
    pthread_mutex_unlock(&server->lock);
    if (status != PBFT_OK) {
        fail_msg("gateway: %s", problem.text);
    }
    world_set_port(&world, 0, net_gateway_port(server->gateway));
}

static void server_start(struct server *server)
{
    struct net_gateway_config config;
    memset(server, 0, sizeof *server);
    pthread_mutex_init(&server->lock, NULL);
    server_config(&config, server);
    server_open(server, &config);
}

static void server_stop(struct server *server)
{
    net_gateway_close(server->gateway);
    pthread_mutex_destroy(&server->lock);
}

/* ---- a caller ------------------------------------------------------------ */

struct caller {
    struct net_channel *channel;
    atomic_uint replies;
    atomic_uint failures;
    atomic_uint busy;
    atomic_uint connects;
    atomic_int last_status;
    atomic_size_t last_size;
};

static void on_reply(void *context, uint64_t token, enum pbft_status status,
                     struct pbft_buffer *reply)
{
    struct caller *caller = context;
    (void)token;
    atomic_store(&caller->last_status, (int)status);
    if (status == PBFT_OK) {
        struct pbft_bytes bytes = pbft_buffer_bytes(reply);
        atomic_store(&caller->last_size, bytes.size);
        if (bytes.size == 4 && memcmp(bytes.data, "busy", 4) == 0) {
            atomic_fetch_add(&caller->busy, 1);
        }
        atomic_fetch_add(&caller->replies, 1);
        pbft_buffer_unref(reply);
    } else {
        atomic_fetch_add(&caller->failures, 1);
    }
}

static void on_state(void *context, bool connected)
{
    struct caller *caller = context;
    atomic_fetch_add(&caller->connects, connected ? 1 : 0);
}

static void caller_start(struct caller *caller,
                         const struct world_papers *papers)
{
    struct net_channel_config config;
    struct net_problem problem = {{0}};
    memset(caller, 0, sizeof *caller);
    net_channel_config_defaults(&config);
    config.address = world.addresses[0];
    config.member = &world.members[0];
    config.own = world_credentials(papers);
    config.handshake_timeout_ms = WORLD_PATIENCE_MS;
    config.context = caller;
    config.on_reply = on_reply;
    config.on_state = on_state;
    if (net_channel_open(&config, &caller->channel, &problem) != PBFT_OK) {
        fail_msg("channel: %s", problem.text);
    }
}

static enum pbft_status call(struct caller *caller, size_t size)
{
    uint8_t *data = calloc(1, size + 1);
    struct pbft_bytes bytes = {data, size};
    enum pbft_status status = net_channel_call(
        caller->channel, 1, bytes, world_now_ms() + WORLD_PATIENCE_MS);
    free(data);
    return status;
}

static bool is_connected(struct caller *caller)
{
    (void)net_channel_tick(caller->channel, world_now_ms());
    return net_channel_is_connected(caller->channel);
}

/* And says so, with `part` in it. */
static bool has_failed_to_connect(struct caller *caller, const char *part)
{
    struct net_problem problem;
    assert_false(is_connected(caller));
    net_channel_problem(caller->channel, &problem);
    return strstr(problem.text, part) != NULL;
}

static struct net_gateway_stats stats_of(struct server *server)
{
    struct net_gateway_stats stats;
    net_gateway_stats(server->gateway, &stats);
    return stats;
}

/* A call is in flight before it is here: who reads what stands here waits for
 * it here. */
static uint32_t held_by(struct server *server)
{
    pthread_mutex_lock(&server->lock);
    uint32_t count = server->held_count;
    pthread_mutex_unlock(&server->lock);
    return count;
}

static uint32_t last_caller(struct server *server)
{
    pthread_mutex_lock(&server->lock);
    uint32_t caller = server->last_caller;
    pthread_mutex_unlock(&server->lock);
    return caller;
}

/* A TCP connection without TLS. */
static int connect_raw(const struct server *server)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port =
                                 htons(net_gateway_port(server->gateway))};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

/* ---- tests --------------------------------------------------------------- */

static void test_call_is_answered_and_caller_is_known(void **state)
{
    struct server server;
    struct caller caller;
    (void)state;
    server_start(&server);
    caller_start(&caller, &world.client[2]);
    WORLD_WAIT(is_connected(&caller));

    assert_int_equal(call(&caller, 100000), PBFT_OK);
    WORLD_WAIT(atomic_load(&caller.replies) == 1);

    assert_int_equal(atomic_load(&caller.last_size), 100000);
    assert_int_equal(last_caller(&server), 2);
    net_channel_close(caller.channel);
    server_stop(&server);
}

static void test_many_calls_fly_on_one_connection(void **state)
{
    struct server server;
    struct caller caller;
    (void)state;
    server_start(&server);
    caller_start(&caller, &world.client[1]);
    WORLD_WAIT(is_connected(&caller));

    for (unsigned i = 0; i < 300; i++) {
        assert_int_equal(call(&caller, i), PBFT_OK);
    }

    WORLD_WAIT(atomic_load(&caller.replies) == 300);
    assert_int_equal(stats_of(&server).connections, 1);
    net_channel_close(caller.channel);
    server_stop(&server);
}

static void refused(const struct world_papers *papers)
{
    struct server server;
    struct caller caller;
    server_start(&server);
    caller_start(&caller, papers);

    WORLD_WAIT(!is_connected(&caller) && stats_of(&server).strangers > 0);

    assert_int_equal(stats_of(&server).connections, 0);
    assert_int_equal(server.calls, 0);
    assert_true(stats_of(&server).last.text[0] != '\0');
    net_channel_close(caller.channel);
    server_stop(&server);
}

static void test_a_replica_certificate_is_no_client(void **state)
{
    (void)state;
    refused(&world.replica[1]);
}

static void test_a_member_cannot_speak_for_another(void **state)
{
    struct world_papers papers;
    (void)state;
    world_issue(&world, &papers, 3, "client.b"); /* By the CA of d. */
    refused(&papers);
}

/* A trusted CA need not have signed itself. So a member can pass off as its CA
 * what it makes of the name and the key of another's, and be found first. */
static void test_a_twin_of_its_ca_shuts_nobody_out(void **state)
{
    struct server server;
    struct net_gateway_config config;
    struct net_member members[WORLD_MEMBERS];
    struct x509_certificate twin = world.ca[2];
    struct caller caller;
    (void)state;
    twin.der[twin.size - 1] ^= 1; /* Of its signature. */
    memcpy(members, world.members, sizeof members);
    members[1].tls_ca = (struct pbft_bytes){twin.der, twin.size};
    memset(&server, 0, sizeof server);
    pthread_mutex_init(&server.lock, NULL);
    server_config(&config, &server);
    config.members = members;
    server_open(&server, &config);

    caller_start(&caller, &world.client[2]);
    WORLD_WAIT(is_connected(&caller) && stats_of(&server).connections == 1);
    assert_int_equal(call(&caller, 1), PBFT_OK);
    WORLD_WAIT(atomic_load(&caller.replies) == 1);

    assert_int_equal(last_caller(&server), 2);
    assert_int_equal(stats_of(&server).strangers, 0);
    net_channel_close(caller.channel);
    server_stop(&server);
}

static void test_a_stranger_is_refused(void **state)
{
    static struct world other;
    (void)state;
    world_init(&other); /* Same names, other CAs. */
    refused(&other.client[1]);
}

static void test_a_client_refuses_the_wrong_replica(void **state)
{
    struct server server;
    struct net_gateway_config config;
    struct caller caller;
    (void)state;
    memset(&server, 0, sizeof server);
    pthread_mutex_init(&server.lock, NULL);
    server_config(&config, &server);
    config.self = 1;
    config.own = world_credentials(&world.replica[1]); /* b at a's address */
    server_open(&server, &config);

    caller_start(&caller, &world.client[2]);
    WORLD_WAIT(has_failed_to_connect(&caller, "replica.a"));

    assert_int_equal(call(&caller, 1), PBFT_UNREACHABLE);
    net_channel_close(caller.channel);
    server_stop(&server);
}

static void test_own_certificate_is_checked_at_open(void **state)
{
    struct server server;
    struct net_gateway_config config;
    struct net_gateway *gateway = NULL;
    struct net_problem problem = {{0}};
    struct world_papers papers;
    (void)state;
    memset(&server, 0, sizeof server);
    server_config(&config, &server);

    config.own = world_credentials(&world.replica[1]);
    assert_int_not_equal(net_gateway_open(&config, &gateway, &problem),
                         PBFT_OK);
    assert_non_null(strstr(problem.text, "replica.a"));

    world_issue(&world, &papers, 0, "replica.x");
    config.own = world_credentials(&papers);
    assert_int_equal(net_gateway_open(&config, &gateway, &problem),
                     PBFT_WRONG_IDENTITY);

    config.own = world_credentials(&world.replica[0]);
    config.own.key_pem = world.replica[1].key;
    assert_int_equal(net_gateway_open(&config, &gateway, &problem),
                     PBFT_WRONG_IDENTITY);
}

static void test_a_port_in_use_is_told(void **state)
{
    struct server server;
    struct net_gateway_config config;
    struct net_gateway *gateway = NULL;
    struct net_problem problem = {{0}};
    (void)state;
    server_start(&server);
    server_config(&config, &server);
    config.listen_address = world.addresses[0];

    assert_int_equal(net_gateway_open(&config, &gateway, &problem),
                     PBFT_LOCKED);

    assert_non_null(strstr(problem.text, world.addresses[0]));
    server_stop(&server);
}

static void test_silent_connections_are_reaped(void **state)
{
    struct server server;
    struct net_gateway_config config;
    struct caller caller;
    int silent[20];
    (void)state;
    memset(&server, 0, sizeof server);
    pthread_mutex_init(&server.lock, NULL);
    server_config(&config, &server);
    config.handshake_timeout_ms = 1000;
    server_open(&server, &config);
    for (size_t i = 0; i < 20; i++) {
        silent[i] = connect_raw(&server);
    }
    assert_int_equal(send(silent[0], "\x16\x03\x01", 3, 0), 3);

    WORLD_WAIT(stats_of(&server).reaped >= 20);

    char byte;
    for (size_t i = 0; i < 20; i++) {
        assert_true(recv(silent[i], &byte, 1, 0) <= 0); /* They are over. */
        close(silent[i]);
    }
    caller_start(&caller, &world.client[1]);
    WORLD_WAIT(is_connected(&caller));
    net_channel_close(caller.channel);
    server_stop(&server);
}

static void test_garbage_harms_nobody(void **state)
{
    struct server server;
    struct caller caller;
    uint8_t garbage[4096];
    (void)state;
    memset(garbage, 0x5a, sizeof garbage);
    server_start(&server);
    caller_start(&caller, &world.client[1]);
    WORLD_WAIT(is_connected(&caller));

    for (int i = 0; i < 5; i++) {
        int fd = connect_raw(&server);
        (void)send(fd, garbage, sizeof garbage, MSG_NOSIGNAL);
        close(fd);
    }

    assert_int_equal(call(&caller, 10), PBFT_OK);
    WORLD_WAIT(atomic_load(&caller.replies) == 1);
    net_channel_close(caller.channel);
    server_stop(&server);
}

static void test_an_oversize_frame_closes_its_own_connection(void **state)
{
    struct server server;
    struct net_gateway_config config;
    struct caller big;
    struct caller small;
    (void)state;
    memset(&server, 0, sizeof server);
    pthread_mutex_init(&server.lock, NULL);
    server_config(&config, &server);
    config.frame_bytes_max = 10000;
    server_open(&server, &config);
    caller_start(&big, &world.client[1]);
    caller_start(&small, &world.client[2]);
    WORLD_WAIT(is_connected(&big) && is_connected(&small));

    assert_int_equal(call(&big, 10000), PBFT_OK); /* Just fits. */
    WORLD_WAIT(atomic_load(&big.replies) == 1);
    assert_int_equal(call(&big, 20000), PBFT_OK);
    WORLD_WAIT(atomic_load(&big.failures) == 1);

    assert_int_equal(atomic_load(&big.last_status), PBFT_UNREACHABLE);
    assert_int_equal(call(&small, 10), PBFT_OK);
    WORLD_WAIT(atomic_load(&small.replies) == 1);
    net_channel_close(big.channel);
    net_channel_close(small.channel);
    server_stop(&server);
}

static void test_a_caller_with_too_many_calls_is_told(void **state)
{
    struct server server;
    struct net_gateway_config config;
    struct caller greedy;
    struct caller modest;
    (void)state;
    memset(&server, 0, sizeof server);
    pthread_mutex_init(&server.lock, NULL);
    server_config(&config, &server);
    config.calls_per_caller_max = 4;
    server.holds = true;
    server_open(&server, &config);
    caller_start(&greedy, &world.client[1]);
    caller_start(&modest, &world.client[2]);
    WORLD_WAIT(is_connected(&greedy) && is_connected(&modest));

    for (int i = 0; i < 6; i++) {
        assert_int_equal(call(&greedy, 10), PBFT_OK);
    }
    WORLD_WAIT(atomic_load(&greedy.busy) == 2);
    assert_int_equal(call(&modest, 10), PBFT_OK);
    WORLD_WAIT(held_by(&server) == 5);
    assert_int_equal(stats_of(&server).calls_in_flight, 5);

    struct pbft_bytes done = {(const uint8_t *)"done!", 5};
    for (uint32_t i = 0; i < 5; i++) {
        net_gateway_reply(server.gateway, server.held[i], done);
        net_gateway_reply(server.gateway, server.held[i], done); /* Again. */
    }
    WORLD_WAIT(atomic_load(&greedy.replies) == 6 &&
               atomic_load(&modest.replies) == 1);
    WORLD_WAIT(stats_of(&server).calls_in_flight == 0);
    net_channel_close(greedy.channel);
    net_channel_close(modest.channel);
    server_stop(&server);
}

static void test_calls_end_at_their_deadline_and_when_closed(void **state)
{
    struct server server;
    struct caller caller;
    (void)state;
    server_start(&server);
    server.holds = true;
    caller_start(&caller, &world.client[1]);
    WORLD_WAIT(is_connected(&caller));
    assert_int_equal(call(&caller, 1), PBFT_OK);
    assert_int_equal(call(&caller, 1), PBFT_OK);

    (void)net_channel_tick(caller.channel,
                           world_now_ms() + 2 * WORLD_PATIENCE_MS);
    assert_int_equal(atomic_load(&caller.failures), 2);
    assert_int_equal(atomic_load(&caller.last_status), PBFT_TIMED_OUT);

    assert_int_equal(call(&caller, 1), PBFT_OK);
    net_channel_close(caller.channel);
    assert_int_equal(atomic_load(&caller.failures), 3);
    assert_int_equal(atomic_load(&caller.last_status), PBFT_CLOSED);
    server_stop(&server);
}

static void hold(struct server *server, bool holds)
{
    pthread_mutex_lock(&server->lock);
    server->holds = holds;
    pthread_mutex_unlock(&server->lock);
}

/* A call that nobody answers, to its end. */
static void call_in_vain(struct caller *caller)
{
    uint32_t before = atomic_load(&caller->failures);
    struct pbft_bytes bytes = {(const uint8_t *)"?", 1};
    assert_int_equal(
        net_channel_call(caller->channel, 1, bytes, world_now_ms() + 50),
        PBFT_OK);
    WORLD_WAIT(is_connected(caller) &&
               atomic_load(&caller->failures) == before + 1);
    assert_int_equal(atomic_load(&caller->last_status), PBFT_TIMED_OUT);
}

static void test_a_connection_that_fell_silent_is_made_anew(void **state)
{
    struct server server;
    struct caller caller;
    (void)state;
    server_start(&server);
    caller_start(&caller, &world.client[1]);
    WORLD_WAIT(is_connected(&caller));
    for (uint32_t i = 1; i <= 3; i++) { /* Heard in between: it lives. */
        hold(&server, true);
        call_in_vain(&caller);
        hold(&server, false);
        world_pause();
        assert_int_equal(call(&caller, 1), PBFT_OK);
        WORLD_WAIT(atomic_load(&caller.replies) == i);
        world_pause();
    }
    assert_int_equal(atomic_load(&caller.connects), 1);

    hold(&server, true);
    call_in_vain(&caller);
    world_pause();
    struct pbft_bytes bytes = {(const uint8_t *)"?", 1};
    assert_int_equal(
        net_channel_call(caller.channel, 1, bytes, world_now_ms() + 50),
        PBFT_OK);
    WORLD_WAIT(is_connected(&caller) && atomic_load(&caller.connects) == 2);

    hold(&server, false);
    assert_int_equal(call(&caller, 1), PBFT_OK);
    WORLD_WAIT(atomic_load(&caller.replies) == 4);
    net_channel_close(caller.channel);
    server_stop(&server);
}

static void test_a_channel_reconnects_to_a_restarted_replica(void **state)
{
    struct server server;
    struct server again;
    struct net_gateway_config config;
    struct caller caller;
    (void)state;
    server_start(&server);
    server.holds = true;
    caller_start(&caller, &world.client[1]);
    WORLD_WAIT(is_connected(&caller));
    assert_int_equal(call(&caller, 1), PBFT_OK);
    WORLD_WAIT(stats_of(&server).calls_in_flight == 1);

    server_stop(&server);
    WORLD_WAIT(atomic_load(&caller.failures) == 1);
    assert_int_equal(atomic_load(&caller.last_status), PBFT_UNREACHABLE);

    memset(&again, 0, sizeof again);
    pthread_mutex_init(&again.lock, NULL);
    server_config(&config, &again);
    config.listen_address = world.addresses[0];
    server_open(&again, &config);
    WORLD_WAIT(is_connected(&caller));
    assert_int_equal(call(&caller, 1), PBFT_OK);
    WORLD_WAIT(atomic_load(&caller.replies) == 1);
    net_channel_close(caller.channel);
    server_stop(&again);
}

static void test_too_many_connections_are_refused(void **state)
{
    struct server server;
    struct net_gateway_config config;
    struct caller first;
    struct caller second;
    struct caller other;
    (void)state;
    memset(&server, 0, sizeof server);
    pthread_mutex_init(&server.lock, NULL);
    server_config(&config, &server);
    config.connections_per_caller_max = 1;
    server_open(&server, &config);
    caller_start(&first, &world.client[1]);
    WORLD_WAIT(is_connected(&first));

    caller_start(&second, &world.client[1]);
    caller_start(&other, &world.client[2]);
    /* A caller takes itself for connected before it is let in. */
    WORLD_WAIT(is_connected(&other) && stats_of(&server).crowded > 0 &&
               stats_of(&server).connections == 2);

    net_channel_close(first.channel);
    net_channel_close(second.channel);
    net_channel_close(other.channel);
    server_stop(&server);
}

/* Each of 4 has a share of one connection and one call, of 8. */
static void test_two_that_crowd_in_leave_a_place(void **state)
{
    struct server server;
    struct net_gateway_config config;
    struct caller callers[2][4];
    struct caller late;
    (void)state;
    memset(&server, 0, sizeof server);
    pthread_mutex_init(&server.lock, NULL);
    server_config(&config, &server);
    config.connections_max = 8;
    config.calls_max = 8;
    server.holds = true;
    server_open(&server, &config);
    for (uint32_t i = 0; i < 2; i++) {
        for (uint32_t k = 0; k < 4; k++) {
            caller_start(&callers[i][k], &world.client[i + 1]);
            if (k == 0) { /* Then this one is in, and not another. */
                WORLD_WAIT(is_connected(&callers[i][k]) &&
                           stats_of(&server).connections == (i == 0 ? 1 : 5));
            }
        }
        /* All, and then but for two shares. */
        WORLD_WAIT(stats_of(&server).connections == (i == 0 ? 4 : 6) &&
                   stats_of(&server).crowded >= 2 * i);
    }

    caller_start(&late, &world.client[3]);
    WORLD_WAIT(is_connected(&late) && stats_of(&server).connections == 7);

    for (uint32_t i = 0; i < 8; i++) {
        assert_int_equal(call(&callers[0][0], 1), PBFT_OK);
        assert_int_equal(call(&callers[1][0], 1), PBFT_OK);
    }
    WORLD_WAIT(held_by(&server) + atomic_load(&callers[0][0].busy) +
                   atomic_load(&callers[1][0].busy) ==
               16);
    uint32_t crowd = held_by(&server);
    assert_int_equal(crowd, 6); /* But for the shares of two others. */
    assert_int_equal(call(&late, 1), PBFT_OK);
    WORLD_WAIT(held_by(&server) == crowd + 1);

    net_channel_close(late.channel);
    for (uint32_t i = 0; i < 8; i++) {
        net_channel_close(callers[i / 4][i % 4].channel);
    }
    server_stop(&server);
}

/* As many institutions as there may be; those that call are spread over them.
 */
static void test_the_last_of_many_members_is_counted_too(void **state)
{
    static const uint32_t places[WORLD_MEMBERS] = {0, 127, 128,
                                                   PBFT_INSTITUTIONS_MAX - 1};
    static struct net_member members[PBFT_INSTITUTIONS_MAX];
    static char names[PBFT_INSTITUTIONS_MAX][16];
    struct server server;
    struct net_gateway_config config;
    struct caller callers[WORLD_MEMBERS];
    struct caller second;
    (void)state;
    for (uint32_t i = 0; i < PBFT_INSTITUTIONS_MAX; i++) {
        (void)snprintf(names[i], sizeof names[i], "other-%u", i);
        members[i] = (struct net_member){.name = names[i]};
    }
    for (uint32_t i = 0; i < WORLD_MEMBERS; i++) {
        members[places[i]] = world.members[i];
    }
    memset(&server, 0, sizeof server);
    pthread_mutex_init(&server.lock, NULL);
    server_config(&config, &server);
    config.members = members;
    config.member_count = PBFT_INSTITUTIONS_MAX;
    config.connections_per_caller_max = 1;
    server_open(&server, &config);

    for (uint32_t i = 0; i < WORLD_MEMBERS; i++) {
        caller_start(&callers[i], &world.client[i]);
        WORLD_WAIT(is_connected(&callers[i]) &&
                   stats_of(&server).connections == i + 1);
        assert_int_equal(call(&callers[i], 1), PBFT_OK);
        WORLD_WAIT(atomic_load(&callers[i].replies) == 1);
        assert_int_equal(last_caller(&server), places[i]);
    }
    assert_int_equal(stats_of(&server).crowded, 0);

    for (uint32_t i = 0; i < WORLD_MEMBERS; i++) {
        caller_start(&second, &world.client[i]);
        WORLD_WAIT(!is_connected(&second) && stats_of(&server).crowded > i);
        assert_int_equal(stats_of(&server).connections, WORLD_MEMBERS);
        net_channel_close(second.channel);
    }
    for (uint32_t i = 0; i < WORLD_MEMBERS; i++) {
        net_channel_close(callers[i].channel);
    }
    server_stop(&server);
}

static void test_plain_tcp_believes_the_claim(void **state)
{
    struct server server;
    struct net_gateway_config config;
    struct net_channel_config dial;
    struct caller caller;
    (void)state;
    memset(&server, 0, sizeof server);
    pthread_mutex_init(&server.lock, NULL);
    server_config(&config, &server);
    config.security = NET_UNSAFE_PLAIN_TCP;
    server_open(&server, &config);
    memset(&caller, 0, sizeof caller);
    net_channel_config_defaults(&dial);
    dial.address = world.addresses[0];
    dial.member = &world.members[0];
    dial.security = NET_UNSAFE_PLAIN_TCP;
    dial.caller = 3;
    dial.context = &caller;
    dial.on_reply = on_reply;
    assert_int_equal(net_channel_open(&dial, &caller.channel, NULL), PBFT_OK);
    WORLD_WAIT(is_connected(&caller));

    assert_int_equal(call(&caller, 77), PBFT_OK);
    WORLD_WAIT(atomic_load(&caller.replies) == 1);

    assert_int_equal(atomic_load(&caller.last_size), 77);
    assert_int_equal(last_caller(&server), 3);
    net_channel_close(caller.channel);
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
        cmocka_unit_test(test_call_is_answered_and_caller_is_known),
        cmocka_unit_test(test_many_calls_fly_on_one_connection),
        cmocka_unit_test(test_a_replica_certificate_is_no_client),
        cmocka_unit_test(test_a_member_cannot_speak_for_another),
        cmocka_unit_test(test_a_twin_of_its_ca_shuts_nobody_out),
        cmocka_unit_test(test_a_stranger_is_refused),
        cmocka_unit_test(test_a_client_refuses_the_wrong_replica),
        cmocka_unit_test(test_own_certificate_is_checked_at_open),
        cmocka_unit_test(test_a_port_in_use_is_told),
        cmocka_unit_test(test_silent_connections_are_reaped),
        cmocka_unit_test(test_garbage_harms_nobody),
        cmocka_unit_test(test_an_oversize_frame_closes_its_own_connection),
        cmocka_unit_test(test_a_caller_with_too_many_calls_is_told),
        cmocka_unit_test(test_calls_end_at_their_deadline_and_when_closed),
        cmocka_unit_test(test_a_connection_that_fell_silent_is_made_anew),
        cmocka_unit_test(test_a_channel_reconnects_to_a_restarted_replica),
        cmocka_unit_test(test_too_many_connections_are_refused),
        cmocka_unit_test(test_two_that_crowd_in_leave_a_place),
        cmocka_unit_test(test_the_last_of_many_members_is_counted_too),
        cmocka_unit_test(test_plain_tcp_believes_the_claim),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
