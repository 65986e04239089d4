/* SPDX-License-Identifier: Apache-2.0 */
/* Replicas that talk to each other: identities, loss, restarts, back-pressure.
 */
#include "tests/support/net_world.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/peers.h"

static struct world world;
/* Short where a test waits for its end; else an honest handshake on a busy
 * machine must fit. */
static uint32_t handshake_timeout_ms = WORLD_PATIENCE_MS;

struct replica {
    struct net_peers *peers;
    atomic_uint from[WORLD_MEMBERS];
    atomic_size_t last_size;
    atomic_uint later; /* How many messages to refuse first. */
    atomic_bool is_full;
};

static enum net_disposition on_receive(void *context, pbft_replica_id peer,
                                       struct pbft_buffer *buffer)
{
    struct replica *replica = context;
    if (atomic_load(&replica->is_full)) {
        atomic_fetch_add(&replica->later, 1);
        return NET_LATER;
    }
    atomic_store(&replica->last_size, pbft_buffer_bytes(buffer).size);
    atomic_fetch_add(&replica->from[peer], 1);
    pbft_buffer_unref(buffer);
    return NET_TAKEN;
}

/* A port that was free a moment ago. Dialers need one before anybody listens;
 * should another program take it, opening fails and names the port. */
static uint16_t free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    close(fd);
    return ntohs(address.sin_port);
}

static void replica_config(struct net_peers_config *config, uint32_t self,
                           struct replica *replica)
{
    net_peers_config_defaults(config);
    config->self = self;
    config->members = world.members;
    config->member_count = WORLD_MEMBERS;
    config->own = world_credentials(&world.replica[self]);
    config->listen_address = world.addresses[self];
    config->handshake_timeout_ms = handshake_timeout_ms;
    config->reconnect_max_ms = 200;
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

static void replica_start(struct replica *replica, uint32_t self)
{
    struct net_peers_config config;
    memset(replica, 0, sizeof *replica);
    replica_config(&config, self, replica);
    replica_open(replica, &config);
}

static struct net_peer_stats stats_of(struct replica *replica, uint32_t peer)
{
    struct net_peer_stats stats;
    net_peers_stats(replica->peers, peer, &stats);
    return stats;
}

static struct net_peers_totals totals_of(struct replica *replica)
{
    struct net_peers_totals totals;
    net_peers_totals(replica->peers, &totals);
    return totals;
}

static enum pbft_status send_to(struct replica *replica, uint32_t to,
                                size_t size)
{
    uint8_t *data = calloc(1, size + 1);
    struct pbft_bytes bytes = {data, size};
    enum pbft_status status = net_peers_send(replica->peers, to, bytes);
    free(data);
    return status;
}

static void use_free_ports(void)
{
    for (uint32_t i = 0; i < WORLD_MEMBERS; i++) {
        world_set_port(&world, i, free_port());
    }
}

/* ---- tests --------------------------------------------------------------- */

static void test_everybody_hears_everybody(void **state)
{
    struct replica replicas[WORLD_MEMBERS];
    (void)state;
    use_free_ports();
    for (uint32_t i = 0; i < WORLD_MEMBERS; i++) {
        replica_start(&replicas[i], i);
    }
    for (uint32_t i = 0; i < WORLD_MEMBERS; i++) {
        for (uint32_t j = 0; j < WORLD_MEMBERS; j++) {
            if (i != j) {
                WORLD_WAIT(stats_of(&replicas[i], j).connected);
                assert_int_equal(send_to(&replicas[i], j, 1000 + i), PBFT_OK);
            }
        }
    }
    for (uint32_t i = 0; i < WORLD_MEMBERS; i++) {
        for (uint32_t j = 0; j < WORLD_MEMBERS; j++) {
            if (i != j) {
                WORLD_WAIT(atomic_load(&replicas[i].from[j]) == 1);
                assert_true(stats_of(&replicas[i], j).heard);
                /* Counted once it was taken. */
                WORLD_WAIT(stats_of(&replicas[i], j).messages_received == 1);
                WORLD_WAIT(stats_of(&replicas[i], j).bytes_received ==
                           1000 + j);
            }
        }
        assert_int_equal(totals_of(&replicas[i]).strangers, 0);
    }
    for (uint32_t i = 0; i < WORLD_MEMBERS; i++) {
        net_peers_close(replicas[i].peers);
    }
}

static void test_large_and_empty_messages_arrive(void **state)
{
    struct replica a;
    struct replica b;
    (void)state;
    use_free_ports();
    replica_start(&a, 0);
    replica_start(&b, 1);
    WORLD_WAIT(stats_of(&a, 1).connected);

    assert_int_equal(send_to(&a, 1, 5000000), PBFT_OK);
    WORLD_WAIT(atomic_load(&b.from[0]) == 1);
    assert_int_equal(atomic_load(&b.last_size), 5000000);
    assert_int_equal(send_to(&a, 1, 0), PBFT_OK);
    WORLD_WAIT(atomic_load(&b.from[0]) == 2);
    assert_int_equal(atomic_load(&b.last_size), 0);
    assert_int_equal(send_to(&a, 1, 17u * 1024 * 1024), PBFT_TOO_LARGE);
    net_peers_close(a.peers);
    net_peers_close(b.peers);
}

static void test_a_message_to_nobody_is_dropped_and_counted(void **state)
{
    struct replica a;
    (void)state;
    use_free_ports();
    replica_start(&a, 0);

    assert_int_equal(send_to(&a, 1, 10), PBFT_UNREACHABLE);

    assert_int_equal(stats_of(&a, 1).messages_dropped, 1);
    assert_false(stats_of(&a, 1).connected);
    net_peers_close(a.peers);
}

/* Whoever looks why a peer is away finds the reason. */
static void test_why_a_peer_is_away_is_told(void **state)
{
    struct net_peers_config config;
    struct net_member members[WORLD_MEMBERS];
    struct replica a;
    struct replica b;
    (void)state;
    use_free_ports();
    memcpy(members, world.members, sizeof members);
    members[2].address = "no-such-host.invalid:1";
    memset(&a, 0, sizeof a);
    replica_config(&config, 0, &a);
    config.members = members;
    replica_open(&a, &config);

    WORLD_WAIT(strstr(stats_of(&a, 1).problem.text, "nobody listens") != NULL);
    WORLD_WAIT(strstr(stats_of(&a, 2).problem.text, "resolve") != NULL);

    replica_start(&b, 1);
    WORLD_WAIT(stats_of(&a, 1).connected && stats_of(&a, 1).heard);
    assert_string_equal(stats_of(&a, 1).problem.text, "");
    net_peers_close(a.peers);
    net_peers_close(b.peers);
}

/* A replica whose certificate is issued by the CA of another member. */
static void test_a_member_cannot_be_another_replica(void **state)
{
    struct replica a;
    struct replica false_b;
    struct net_peers_config config;
    struct net_member members[WORLD_MEMBERS];
    struct world_papers papers;
    (void)state;
    use_free_ports();
    replica_start(&a, 0);
    /* "b" believes that d's CA is its own: so it opens. */
    world_issue(&world, &papers, 3, "replica.b");
    memcpy(members, world.members, sizeof members);
    members[1].tls_ca = world.members[3].tls_ca;
    memset(&false_b, 0, sizeof false_b);
    replica_config(&config, 1, &false_b);
    config.members = members;
    config.own = world_credentials(&papers);
    replica_open(&false_b, &config);

    /* It can neither come in at a's door nor be dialed by a. */
    WORLD_WAIT(totals_of(&a).strangers >= 2);
    assert_false(stats_of(&a, 1).connected);
    assert_false(stats_of(&a, 1).heard);
    assert_int_equal(atomic_load(&a.from[1]), 0);
    net_peers_close(false_b.peers);
    net_peers_close(a.peers);
}

static void test_the_certificate_of_a_client_opens_no_door(void **state)
{
    struct net_peers_config config;
    struct net_peers *peers = NULL;
    struct net_problem problem = {{0}};
    (void)state;
    use_free_ports();
    replica_config(&config, 1, NULL);
    config.own = world_credentials(&world.client[1]);

    assert_int_equal(net_peers_open(&config, &peers, &problem),
                     PBFT_WRONG_IDENTITY);
    assert_non_null(strstr(problem.text, "replica.b"));
}

static void test_a_port_in_use_is_told(void **state)
{
    struct replica a;
    struct net_peers_config config;
    struct net_peers *peers = NULL;
    struct net_problem problem = {{0}};
    (void)state;
    use_free_ports();
    replica_start(&a, 0);
    replica_config(&config, 1, NULL);
    config.listen_address = world.addresses[0];

    assert_int_equal(net_peers_open(&config, &peers, &problem), PBFT_LOCKED);
    assert_non_null(strstr(problem.text, world.addresses[0]));
    net_peers_close(a.peers);
}

static void test_bad_addresses_are_told(void **state)
{
    const char *bad[] = {"", "localhost", "127.0.0.1:", ":1", "nowhere:99999"};
    (void)state;
    use_free_ports();
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct net_peers_config config;
        struct net_peers *peers = NULL;
        struct net_problem problem = {{0}};
        struct replica a;
        memset(&a, 0, sizeof a);
        replica_config(&config, 0, &a);
        config.listen_address = bad[i];
        assert_int_not_equal(net_peers_open(&config, &peers, &problem),
                             PBFT_OK);
        assert_true(problem.text[0] != '\0');
    }
}

static void test_a_restarted_peer_is_found_again(void **state)
{
    struct replica a;
    struct replica b;
    (void)state;
    use_free_ports();
    replica_start(&a, 0);
    replica_start(&b, 1);
    WORLD_WAIT(stats_of(&a, 1).connected && stats_of(&b, 0).connected);

    net_peers_close(b.peers);
    WORLD_WAIT(!stats_of(&a, 1).connected);
    replica_start(&b, 1);
    WORLD_WAIT(stats_of(&a, 1).connected && stats_of(&b, 0).connected);

    assert_int_equal(send_to(&a, 1, 10), PBFT_OK);
    WORLD_WAIT(atomic_load(&b.from[0]) == 1);
    assert_int_equal(stats_of(&a, 1).connects, 2);
    net_peers_close(a.peers);
    net_peers_close(b.peers);
}

/* One that comes late dials: it need not wait until the other's pause is over.
 */
static void test_who_dials_is_dialed_at_once(void **state)
{
    struct net_peers_config config;
    struct replica waiting;
    struct replica late;
    (void)state;
    use_free_ports();
    memset(&waiting, 0, sizeof waiting);
    replica_config(&config, 0, &waiting);
    config.reconnect_min_ms = 4 * WORLD_PATIENCE_MS;
    config.reconnect_max_ms = 4 * WORLD_PATIENCE_MS;
    replica_open(&waiting, &config);
    assert_int_not_equal(send_to(&waiting, 1, 1), PBFT_OK); /* Nobody there. */

    replica_start(&late, 1);

    WORLD_WAIT(stats_of(&waiting, 1).connected);
    net_peers_close(waiting.peers);
    net_peers_close(late.peers);
}

/* b takes nothing: a must neither block nor collect more than its outbox. */
static void test_a_slow_peer_costs_drops_only(void **state)
{
    struct replica a;
    struct replica b;
    struct net_peers_config config;
    (void)state;
    use_free_ports();
    memset(&a, 0, sizeof a);
    replica_config(&config, 0, &a);
    config.outbox_bytes_max = 1000000;
    replica_open(&a, &config);
    replica_start(&b, 1);
    atomic_store(&b.is_full, true);
    WORLD_WAIT(stats_of(&a, 1).connected);

    uint64_t begun = world_now_ms();
    unsigned limited = 0;
    for (int i = 0; i < 1000; i++) {
        limited += send_to(&a, 1, 100000) == PBFT_LIMIT ? 1 : 0;
    }
    assert_true(world_now_ms() - begun < WORLD_PATIENCE_MS);
    assert_true(limited > 500);
    assert_int_equal(stats_of(&a, 1).messages_dropped, limited);

    /* What was not dropped arrives once there is room. */
    atomic_store(&b.is_full, false);
    net_peers_resume(b.peers);
    WORLD_WAIT(atomic_load(&b.from[0]) == 1000 - limited);
    net_peers_close(a.peers);
    net_peers_close(b.peers);
}

static void test_what_was_not_taken_is_offered_again(void **state)
{
    struct replica a;
    struct replica b;
    (void)state;
    use_free_ports();
    replica_start(&a, 0);
    replica_start(&b, 1);
    atomic_store(&b.is_full, true);
    WORLD_WAIT(stats_of(&a, 1).connected);
    for (int i = 0; i < 50; i++) {
        assert_int_equal(send_to(&a, 1, 10), PBFT_OK);
    }
    WORLD_WAIT(atomic_load(&b.later) >= 1);

    atomic_store(&b.is_full, false);
    net_peers_resume(b.peers);

    WORLD_WAIT(atomic_load(&b.from[0]) == 50);
    net_peers_close(a.peers);
    net_peers_close(b.peers);
}

static void test_closing_with_held_messages(void **state)
{
    struct replica a;
    struct replica b;
    (void)state;
    use_free_ports();
    replica_start(&a, 0);
    replica_start(&b, 1);
    atomic_store(&b.is_full, true);
    WORLD_WAIT(stats_of(&a, 1).connected);
    for (int i = 0; i < 50; i++) {
        assert_int_equal(send_to(&a, 1, 100000), PBFT_OK);
    }
    WORLD_WAIT(atomic_load(&b.later) >= 1);

    net_peers_close(b.peers);
    net_peers_close(a.peers);
}

static void test_an_oversize_frame_closes_its_own_connection(void **state)
{
    struct replica a;
    struct replica b;
    struct replica c;
    struct net_peers_config config;
    (void)state;
    use_free_ports();
    replica_start(&a, 0);
    memset(&b, 0, sizeof b);
    replica_config(&config, 1, &b);
    config.frame_bytes_max = 10000;
    replica_open(&b, &config);
    replica_start(&c, 2);
    WORLD_WAIT(stats_of(&a, 1).connected && stats_of(&c, 1).connected);
    uint64_t connects = stats_of(&a, 1).connects;

    assert_int_equal(send_to(&a, 1, 20000), PBFT_OK);
    WORLD_WAIT(stats_of(&a, 1).connects > connects);

    assert_int_equal(atomic_load(&b.from[0]), 0);
    assert_int_equal(stats_of(&c, 1).connects, 1);
    assert_int_equal(send_to(&c, 1, 10000), PBFT_OK);
    WORLD_WAIT(atomic_load(&b.from[2]) == 1);
    net_peers_close(a.peers);
    net_peers_close(b.peers);
    net_peers_close(c.peers);
}

/* A host that accepts connections and says nothing: the dial is given up, and
 * the replica that listens there later is found. */
static void test_a_silent_host_is_dialed_anew(void **state)
{
    struct replica a;
    struct replica b;
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    int reuse = 1;
    (void)state;
    handshake_timeout_ms = 1000;
    use_free_ports();
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &reuse, sizeof reuse);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(fd, 16), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    world_set_port(&world, 1, ntohs(address.sin_port));
    replica_start(&a, 0);

    WORLD_WAIT(stats_of(&a, 1).redials >= 2);
    assert_false(stats_of(&a, 1).connected);

    close(fd);
    replica_start(&b, 1);
    WORLD_WAIT(stats_of(&a, 1).connected);
    net_peers_close(a.peers);
    net_peers_close(b.peers);
    handshake_timeout_ms = WORLD_PATIENCE_MS;
}

static void test_a_silent_peer_is_disconnected(void **state)
{
    struct replica a;
    struct replica b;
    struct net_peers_config config;
    (void)state;
    use_free_ports();
    memset(&a, 0, sizeof a);
    replica_config(&config, 0, &a);
    config.silence_ms = 600;
    replica_open(&a, &config);
    replica_start(&b, 1);

    /* b sends nothing: a closes both ways, and both dial again. */
    WORLD_WAIT(stats_of(&a, 1).connects >= 2 && stats_of(&b, 0).connects >= 2);

    assert_true(stats_of(&a, 1).silent_ms >= 600);
    net_peers_close(a.peers);
    net_peers_close(b.peers);
}

static void test_silent_connections_are_reaped(void **state)
{
    struct replica a;
    int silent[10];
    struct sockaddr_in to = {.sin_family = AF_INET};
    (void)state;
    handshake_timeout_ms = 1000;
    use_free_ports();
    replica_start(&a, 0);
    to.sin_port = htons(net_peers_port(a.peers));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    for (size_t i = 0; i < 10; i++) {
        silent[i] = socket(AF_INET, SOCK_STREAM, 0);
        assert_int_equal(connect(silent[i], (struct sockaddr *)&to, sizeof to),
                         0);
    }

    WORLD_WAIT(totals_of(&a).reaped >= 10);

    for (size_t i = 0; i < 10; i++) {
        close(silent[i]);
    }
    net_peers_close(a.peers);
    handshake_timeout_ms = WORLD_PATIENCE_MS;
}

static void test_plain_tcp_believes_the_claim(void **state)
{
    struct replica replicas[2];
    (void)state;
    use_free_ports();
    for (uint32_t i = 0; i < 2; i++) {
        struct net_peers_config config;
        memset(&replicas[i], 0, sizeof replicas[i]);
        replica_config(&config, i, &replicas[i]);
        config.security = NET_UNSAFE_PLAIN_TCP;
        replica_open(&replicas[i], &config);
    }
    WORLD_WAIT(stats_of(&replicas[1], 0).connected);

    assert_int_equal(send_to(&replicas[1], 0, 99), PBFT_OK);

    WORLD_WAIT(atomic_load(&replicas[0].from[1]) == 1);
    assert_int_equal(atomic_load(&replicas[0].last_size), 99);
    net_peers_close(replicas[0].peers);
    net_peers_close(replicas[1].peers);
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
        cmocka_unit_test(test_everybody_hears_everybody),
        cmocka_unit_test(test_large_and_empty_messages_arrive),
        cmocka_unit_test(test_a_message_to_nobody_is_dropped_and_counted),
        cmocka_unit_test(test_why_a_peer_is_away_is_told),
        cmocka_unit_test(test_a_member_cannot_be_another_replica),
        cmocka_unit_test(test_the_certificate_of_a_client_opens_no_door),
        cmocka_unit_test(test_a_port_in_use_is_told),
        cmocka_unit_test(test_bad_addresses_are_told),
        cmocka_unit_test(test_a_restarted_peer_is_found_again),
        cmocka_unit_test(test_who_dials_is_dialed_at_once),
        cmocka_unit_test(test_a_slow_peer_costs_drops_only),
        cmocka_unit_test(test_what_was_not_taken_is_offered_again),
        cmocka_unit_test(test_closing_with_held_messages),
        cmocka_unit_test(test_an_oversize_frame_closes_its_own_connection),
        cmocka_unit_test(test_a_silent_host_is_dialed_anew),
        cmocka_unit_test(test_a_silent_peer_is_disconnected),
        cmocka_unit_test(test_silent_connections_are_reaped),
        cmocka_unit_test(test_plain_tcp_believes_the_claim),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
