/* SPDX-License-Identifier: Apache-2.0 */
/* Strangers at the port for replicas: they say nothing, or half of something,
 * or announce what never comes. Replicas go on talking to each other.
 */
#include "tests/support/net_world.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/peers.h"

#define FRAME_MAX (1u << 20)
#define SILENT 300
#define MEGABYTE (1u << 20)

static struct world world;

struct replica {
    struct net_peers *peers;
    atomic_uint received;
};

static enum net_disposition on_receive(void *context, pbft_replica_id peer,
                                       struct pbft_buffer *buffer)
{
    struct replica *replica = context;
    (void)peer;
    atomic_fetch_add(&replica->received, 1);
    pbft_buffer_unref(buffer);
    return NET_TAKEN;
}

static void replica_config(struct net_peers_config *config, uint32_t self,
                           struct replica *replica)
{
    memset(replica, 0, sizeof *replica);
    net_peers_config_defaults(config);
    config->self = self;
    config->members = world.members;
    config->member_count = WORLD_MEMBERS;
    config->own = world_credentials(&world.replica[self]);
    config->listen_address = world.addresses[self];
    config->frame_bytes_max = FRAME_MAX;
    config->handshake_timeout_ms = 1000;
    config->context = replica;
    config->receive = on_receive;
}

static void replica_open(struct replica *replica,
                         const struct net_peers_config *config)
{
    struct net_problem problem = {{0}};
    if (net_peers_open(config, &replica->peers, &problem) != PBFT_OK) {
        fail_msg("peers: %s", problem.text);
    }
}

static bool is_connected(struct replica *replica, uint32_t peer)
{
    struct net_peer_stats stats;
    net_peers_stats(replica->peers, peer, &stats);
    return stats.connected;
}

static struct net_peers_totals totals_of(struct replica *replica)
{
    struct net_peers_totals totals;
    net_peers_totals(replica->peers, &totals);
    return totals;
}

/* Replicas 0 and 1; nobody listens where the others should be. */
static void set_ports(void)
{
    for (uint32_t i = 0; i < WORLD_MEMBERS; i++) {
        struct sockaddr_in address = {.sin_family = AF_INET};
        socklen_t size = sizeof address;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
        assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size),
                         0);
        world_set_port(&world, i, ntohs(address.sin_port));
        close(fd);
    }
}

/* From 127.0.0.`host`. */
static int dial_from(struct replica *victim, uint8_t host)
{
    struct sockaddr_in to = {.sin_family = AF_INET};
    struct sockaddr_in from = {.sin_family = AF_INET};
    to.sin_port = htons(net_peers_port(victim->peers));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    from.sin_addr.s_addr = htonl(INADDR_LOOPBACK - 1 + host);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&from, sizeof from), 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    return fd;
}

static int dial(struct replica *victim)
{
    return dial_from(victim, 1);
}

static void say(int fd, const void *data, size_t size)
{
    assert_int_equal(send(fd, data, size, MSG_NOSIGNAL), size);
}

/* The other side has hung up; what it said before is thrown away. */
static bool is_hung_up(int fd)
{
    char bytes[4096];
    ssize_t size = recv(fd, bytes, sizeof bytes, 0);
    while (size > 0) {
        size = recv(fd, bytes, sizeof bytes, 0);
    }
    return size == 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
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

/* ---- tests --------------------------------------------------------------- */

static void test_honest_replicas_meet_among_300_silent_connections(void **state)
{
    struct net_peers_config config;
    struct replica a;
    struct replica b;
    int silent[SILENT];
    (void)state;
    set_ports();
    replica_config(&config, 0, &a);
    config.handshake_timeout_ms = WORLD_PATIENCE_MS;
    replica_open(&a, &config);
    for (size_t i = 0; i < SILENT; i++) {
        silent[i] = dial(&a);
    }

    replica_config(&config, 1, &b);
    replica_open(&b, &config);

    WORLD_WAIT(is_connected(&a, 1) && is_connected(&b, 0));
    /* More than so many are not kept, long before their time is over. */
    WORLD_WAIT(totals_of(&a).reaped >= SILENT - 128 - 2);
    for (size_t i = 0; i < SILENT; i++) {
        close(silent[i]);
    }
    net_peers_close(a.peers);
    net_peers_close(b.peers);
}

/* Somebody far away is slow; the crowd that comes after him is from elsewhere.
 */
static void test_a_crowd_pushes_out_itself(void **state)
{
    struct net_peers_config config;
    struct replica a;
    int crowd[SILENT];
    (void)state;
    set_ports();
    replica_config(&config, 0, &a);
    config.handshake_timeout_ms = 10 * WORLD_PATIENCE_MS;
    replica_open(&a, &config);
    int slow = dial_from(&a, 1);
    for (size_t i = 0; i < SILENT; i++) {
        crowd[i] = dial_from(&a, 2);
    }

    WORLD_WAIT(totals_of(&a).reaped >= SILENT + 1 - 128);

    assert_false(is_hung_up(slow));
    WORLD_WAIT(is_hung_up(crowd[0]));
    close(slow);
    for (size_t i = 0; i < SILENT; i++) {
        close(crowd[i]);
    }
    net_peers_close(a.peers);
}

/* One byte now and then does not move the deadline. */
static void test_a_handshake_that_drips_is_closed(void **state)
{
    static const uint8_t hello[] = {0x16, 0x03, 0x01, 0x3f, 0xff, 0x01,
                                    0x00, 0x3f, 0xfb, 0x03, 0x03};
    struct net_peers_config config;
    struct replica a;
    size_t sent = 0;
    (void)state;
    set_ports();
    replica_config(&config, 0, &a);
    replica_open(&a, &config);
    int fd = dial(&a);

    uint64_t until = world_now_ms() + WORLD_PATIENCE_MS;
    while (!is_hung_up(fd)) {
        uint8_t byte = sent < sizeof hello ? hello[sent] : 0;
        sent += send(fd, &byte, 1, MSG_NOSIGNAL) == 1 ? 1 : 0;
        for (int i = 0; i < 10; i++) {
            world_pause();
        }
        assert_true(world_now_ms() < until);
    }

    assert_true(totals_of(&a).reaped >= 1);
    close(fd);
    net_peers_close(a.peers);
}

/* What is announced is not allocated before it comes. Plain TCP: the same code
 * reads frames, and the test needs no TLS of its own. */
static void test_announced_bytes_take_no_memory(void **state)
{
    static const uint8_t greeting[] = {0, 'S', 'P', 0, 0, 0x50, 0, 0};
    static const uint8_t length[] = {0, 0, 0, 0, 0x0f, 0, 0, 0}; /* 240 MiB */
    struct net_peers_config config;
    struct replica a;
    int fds[24];
    (void)state;
    set_ports();
    replica_config(&config, 0, &a);
    config.security = NET_UNSAFE_PLAIN_TCP;
    config.connections_max = 32;
    config.frame_bytes_max = 255u * MEGABYTE;
    config.outbox_bytes_max = 255u * MEGABYTE;
    replica_open(&a, &config);
    size_t before = resident_bytes();

    for (size_t i = 0; i < 24; i++) {
        fds[i] = dial(&a);
        say(fds[i], greeting, sizeof greeting);
        say(fds[i], length, sizeof length);
        say(fds[i], "x", 1);
    }
    /* They have all been read when a later one is answered. */
    int last = dial(&a);
    say(last, "nonsense", 8);
    WORLD_WAIT(is_hung_up(last));

    assert_true(resident_bytes() < before + 64 * MEGABYTE);
    close(last);
    for (size_t i = 0; i < 24; i++) {
        close(fds[i]);
    }
    net_peers_close(a.peers);
}

static void test_a_length_above_the_limit_is_hung_up_on(void **state)
{
    static const uint8_t frames[][16] = {
        {0, 'S', 'P', 0, 0, 0x50, 0, 0, 0, 0, 0, 0, 0, 0x10, 1, 0},
        {0, 'S', 'P', 0, 0, 0x50, 0, 0, 0, 0, 0, 0, 0x06, 0x40, 0, 0},
        {0, 'S', 'P', 0, 0, 0x50, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 1},
        {0, 'S', 'P', 0, 0, 0x50, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255},
        {0, 'S', 'P', 0, 0, 0x51, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1},
        {0, 'S', 'P', 1, 0, 0x50, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1},
        {'G', 'E', 'T', ' ', '/', ' ', 'H', 'T', 'T', 'P', '/', '1', '.', '1'},
    };
    struct net_peers_config config;
    struct replica a;
    (void)state;
    set_ports();
    replica_config(&config, 0, &a);
    config.security = NET_UNSAFE_PLAIN_TCP;
    replica_open(&a, &config);

    for (size_t i = 0; i < sizeof frames / sizeof frames[0]; i++) {
        int fd = dial(&a);
        say(fd, frames[i], sizeof frames[i]);
        WORLD_WAIT(is_hung_up(fd));
        close(fd);
    }
    assert_int_equal(atomic_load(&a.received), 0);
    net_peers_close(a.peers);
}

/* It is closed while there is more of it to look at: reading on would never
 * end, and neither would closing the door. */
static void test_what_is_behind_a_refused_frame_is_not_waited_for(void **state)
{
    static const uint8_t frames[] = {
        0, 'S', 'P', 0, 0, 0x50, 0, 0, 0, 0,
        0, 0,   0,   0, 0, 4,    9, 9, 9, 9, /* Nobody's claim. */
        0, 0,   0};
    struct net_peers_config config;
    struct replica a;
    (void)state;
    set_ports();
    replica_config(&config, 0, &a);
    config.security = NET_UNSAFE_PLAIN_TCP;
    replica_open(&a, &config);

    for (int i = 0; i < 20; i++) {
        int fd = dial(&a);
        say(fd, frames, sizeof frames);
        WORLD_WAIT(is_hung_up(fd));
        close(fd);
    }

    net_peers_close(a.peers);
}

/* Whoever is turned away dials again after pauses that double, also if the
 * handshake as such went well: d's CA vouches for "b", so TLS has nothing to
 * say, but a's members have. */
static void test_who_is_turned_away_waits_longer_each_time(void **state)
{
    enum { MIN_MS = 40, CONNECTS = 8 };
    struct net_peers_config config;
    struct replica a;
    struct replica false_b;
    struct net_member members[WORLD_MEMBERS];
    struct world_papers papers;
    struct net_peer_stats stats;
    (void)state;
    set_ports();
    replica_config(&config, 0, &a);
    replica_open(&a, &config);
    world_issue(&world, &papers, 3, "replica.b");
    memcpy(members, world.members, sizeof members);
    members[1].tls_ca = world.members[3].tls_ca;
    replica_config(&config, 1, &false_b);
    config.members = members;
    config.own = world_credentials(&papers);
    config.reconnect_min_ms = MIN_MS;
    config.reconnect_max_ms = 5000;
    uint64_t begun = world_now_ms();
    replica_open(&false_b, &config);

    do {
        world_pause();
        net_peers_stats(false_b.peers, 0, &stats);
        assert_true(world_now_ms() < begun + WORLD_PATIENCE_MS);
    } while (stats.connects < CONNECTS);

    /* Pauses of at least 20, 40, 80, ... 1280 ms. */
    assert_true(world_now_ms() - begun >= MIN_MS / 2 * ((1 << 7) - 1));
    assert_false(is_connected(&a, 1));
    net_peers_close(false_b.peers);
    net_peers_close(a.peers);
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
        cmocka_unit_test(
            test_honest_replicas_meet_among_300_silent_connections),
        cmocka_unit_test(test_a_crowd_pushes_out_itself),
        cmocka_unit_test(test_a_handshake_that_drips_is_closed),
        cmocka_unit_test(test_announced_bytes_take_no_memory),
        cmocka_unit_test(test_a_length_above_the_limit_is_hung_up_on),
        cmocka_unit_test(test_what_is_behind_a_refused_frame_is_not_waited_for),
        cmocka_unit_test(test_who_is_turned_away_waits_longer_each_time),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
