/* SPDX-License-Identifier: Apache-2.0 */
/* Connections that break without a word, as when a process is killed: a proxy
 * between channel and gateway cuts them. */
#include "tests/support/net_world.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/channel.h"
#include "net/gateway.h"

static struct world world;

/* ---- a gateway that echoes ----------------------------------------------- */

struct server {
    struct net_gateway *gateway;
    pthread_mutex_t lock;
    atomic_bool dwells; /* In the callback. */
    atomic_uint calls;
};

static void on_call(void *context, uint64_t call, uint32_t caller,
                    struct pbft_buffer *buffer)
{
    struct server *server = context;
    (void)caller;
    pthread_mutex_lock(&server->lock);
    struct net_gateway *gateway = server->gateway;
    pthread_mutex_unlock(&server->lock);
    net_gateway_reply(gateway, call, pbft_buffer_bytes(buffer));
    pbft_buffer_unref(buffer);
    atomic_fetch_add(&server->calls, 1);
    while (atomic_load(&server->dwells)) {
        world_pause();
    }
}

static void server_start(struct server *server)
{
    struct net_gateway_config config;
    net_gateway_config_defaults(&config);
    memset(server, 0, sizeof *server);
    pthread_mutex_init(&server->lock, NULL);
    config.members = world.members;
    config.member_count = WORLD_MEMBERS;
    config.self = 0;
    config.own = world_credentials(&world.replica[0]);
    config.listen_address = "127.0.0.1:0";
    config.handshake_timeout_ms = WORLD_PATIENCE_MS;
    config.context = server;
    config.call = on_call;
    pthread_mutex_lock(&server->lock);
    assert_int_equal(net_gateway_open(&config, &server->gateway, NULL),
                     PBFT_OK);
    pthread_mutex_unlock(&server->lock);
}

static void server_stop(struct server *server)
{
    net_gateway_close(server->gateway);
    pthread_mutex_destroy(&server->lock);
}

static uint32_t connections(struct server *server)
{
    struct net_gateway_stats stats;
    net_gateway_stats(server->gateway, &stats);
    return stats.connections;
}

/* ---- the proxy ----------------------------------------------------------- */

struct proxy {
    int listener;
    uint16_t server_port;
    pthread_t thread;
    atomic_bool cuts;
};

static struct sockaddr_in loopback(uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

/* False: an end has closed. */
static bool relay(int from, int to)
{
    char bytes[4096];
    ssize_t count = recv(from, bytes, sizeof bytes, 0);
    return count > 0 && send(to, bytes, (size_t)count, MSG_NOSIGNAL) == count;
}

/* One connection, until it is told to cut it. */
static void *run_proxy(void *context)
{
    struct proxy *proxy = context;
    struct sockaddr_in address = loopback(proxy->server_port);
    int near = accept(proxy->listener, NULL, NULL);
    int far = socket(AF_INET, SOCK_STREAM, 0);
    bool lives = near >= 0 && far >= 0 &&
                 connect(far, (struct sockaddr *)&address, sizeof address) == 0;
    struct pollfd fds[2] = {{near, POLLIN, 0}, {far, POLLIN, 0}};
    while (lives && !atomic_load(&proxy->cuts)) {
        (void)poll(fds, 2, 10);
        lives = (fds[0].revents == 0 || relay(near, far)) &&
                (fds[1].revents == 0 || relay(far, near));
    }
    (void)close(near);
    (void)close(far);
    return NULL;
}

/* The address of member 0 is the proxy's from now on. */
static void proxy_start(struct proxy *proxy, struct server *server)
{
    struct sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    memset(proxy, 0, sizeof *proxy);
    proxy->server_port = net_gateway_port(server->gateway);
    proxy->listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(
        bind(proxy->listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(proxy->listener, 4), 0);
    assert_int_equal(
        getsockname(proxy->listener, (struct sockaddr *)&address, &size), 0);
    world_set_port(&world, 0, ntohs(address.sin_port));
    assert_int_equal(pthread_create(&proxy->thread, NULL, run_proxy, proxy), 0);
}

static void proxy_cut(struct proxy *proxy)
{
    atomic_store(&proxy->cuts, true);
    assert_int_equal(pthread_join(proxy->thread, NULL), 0);
}

/* ---- a caller ------------------------------------------------------------ */

struct caller {
    struct net_channel *channel;
    atomic_bool dwells; /* In the callback. */
    atomic_uint replies;
    atomic_uint failures;
};

static void on_reply(void *context, uint64_t token, enum pbft_status status,
                     struct pbft_buffer *reply)
{
    struct caller *caller = context;
    (void)token;
    atomic_fetch_add(status == PBFT_OK ? &caller->replies : &caller->failures,
                     1);
    if (reply != NULL) {
        pbft_buffer_unref(reply);
    }
    while (atomic_load(&caller->dwells)) {
        world_pause();
    }
}

static void caller_start(struct caller *caller)
{
    struct net_channel_config config;
    memset(caller, 0, sizeof *caller);
    net_channel_config_defaults(&config);
    config.address = world.addresses[0];
    config.member = &world.members[0];
    config.own = world_credentials(&world.client[1]);
    config.handshake_timeout_ms = WORLD_PATIENCE_MS;
    config.context = caller;
    config.on_reply = on_reply;
    assert_int_equal(net_channel_open(&config, &caller->channel, NULL),
                     PBFT_OK);
}

static enum pbft_status call(struct caller *caller)
{
    static const uint8_t data[16];
    return net_channel_call(caller->channel, 1,
                            (struct pbft_bytes){data, sizeof data},
                            world_now_ms() + 2u * WORLD_PATIENCE_MS);
}

static bool is_connected(struct caller *caller)
{
    (void)net_channel_tick(caller->channel, world_now_ms());
    return net_channel_is_connected(caller->channel);
}

/* ---- tests --------------------------------------------------------------- */

/* NNG may see the break now or later; it must be noticed in both cases. */
static void give_nng_time(void)
{
    for (int i = 0; i < 50; i++) {
        world_pause();
    }
}

/* NNG tells a break to those who send and receive at that moment. */
static void test_a_break_during_a_callback_is_noticed(void **state)
{
    struct server server;
    struct proxy proxy;
    struct caller caller;
    (void)state;
    server_start(&server);
    proxy_start(&proxy, &server);
    caller_start(&caller);
    WORLD_WAIT(is_connected(&caller));
    atomic_store(&caller.dwells, true);
    assert_int_equal(call(&caller), PBFT_OK);
    WORLD_WAIT(atomic_load(&caller.replies) == 1);

    proxy_cut(&proxy);
    give_nng_time();
    assert_int_equal(call(&caller), PBFT_OK); /* As far as one can know. */
    atomic_store(&caller.dwells, false);

    WORLD_WAIT(!is_connected(&caller));
    WORLD_WAIT(atomic_load(&caller.failures) == 1);
    net_channel_close(caller.channel);
    (void)close(proxy.listener);
    server_stop(&server);
}

/* The same at the other end, where it would cost a place for ever. */
static void test_a_caller_lost_during_a_callback_is_noticed(void **state)
{
    struct server server;
    struct proxy proxy;
    struct caller caller;
    (void)state;
    server_start(&server);
    proxy_start(&proxy, &server);
    caller_start(&caller);
    WORLD_WAIT(is_connected(&caller));
    atomic_store(&server.dwells, true);
    assert_int_equal(call(&caller), PBFT_OK);
    WORLD_WAIT(atomic_load(&server.calls) == 1);

    proxy_cut(&proxy);
    give_nng_time();
    atomic_store(&server.dwells, false);

    WORLD_WAIT(connections(&server) == 0);
    net_channel_close(caller.channel);
    (void)close(proxy.listener);
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
        cmocka_unit_test(test_a_break_during_a_callback_is_noticed),
        cmocka_unit_test(test_a_caller_lost_during_a_callback_is_noticed),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
