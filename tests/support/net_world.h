/* SPDX-License-Identifier: Apache-2.0 */
/* A world for tests of net/ and libsalus: institutions with a CA each, and
 * certificates for their replicas and clients. Include it in one .c file of a
 * test that links crypto/.
 */
#ifndef TESTS_SUPPORT_NET_WORLD_H
#define TESTS_SUPPORT_NET_WORLD_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "crypto/init.h"
#include "crypto/x509.h"
#include "net/net.h"

#define WORLD_MEMBERS 4
/* The longest that anything on loopback may take on a busy machine. */
#define WORLD_PATIENCE_MS 20000

struct world_papers {
    char certificate[X509_PEM_MAX];
    char key[X509_PEM_MAX];
};

struct world {
    struct x509_certificate ca[WORLD_MEMBERS];
    struct x509_key ca_key[WORLD_MEMBERS];
    char names[WORLD_MEMBERS][16];
    struct world_papers replica[WORLD_MEMBERS];
    struct world_papers client[WORLD_MEMBERS];
    struct net_member members[WORLD_MEMBERS];
    char addresses[WORLD_MEMBERS][32];
};

static inline uint64_t world_now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Gives the processor away for a moment; for loops that wait for a fact. */
static inline void world_pause(void)
{
    const struct timespec moment = {0, 2000000};
    (void)nanosleep(&moment, NULL);
}

static inline struct x509_validity world_validity(void)
{
    int64_t now = (int64_t)time(NULL);
    struct x509_validity validity = {now - 3600, now + 86400};
    return validity;
}

/* A certificate of `name`, issued by the CA of member `issuer`. */
static inline void world_issue(struct world *world, struct world_papers *out,
                               uint32_t issuer, const char *name)
{
    struct x509_certificate certificate;
    struct x509_key key;
    struct x509_issuer by = {&world->ca[issuer], &world->ca_key[issuer]};
    struct x509_validity validity = world_validity();
    assert_int_equal(x509_issue(&certificate, &key, &by, name, &validity, NULL),
                     PBFT_OK);
    assert_int_equal(x509_certificate_pem(out->certificate, &certificate),
                     PBFT_OK);
    assert_int_equal(x509_key_pem(out->key, &key), PBFT_OK);
}

static inline struct net_credentials
world_credentials(const struct world_papers *papers)
{
    struct net_credentials own = {papers->certificate, papers->key};
    return own;
}

/* Institutions "a", "b", "c", "d". */
static inline void world_init(struct world *world)
{
    memset(world, 0, sizeof *world);
    assert_int_equal(crypto_init(), PBFT_OK);
    for (uint32_t i = 0; i < WORLD_MEMBERS; i++) {
        char name[X509_NAME_MAX];
        struct x509_validity validity = world_validity();
        (void)snprintf(world->names[i], sizeof world->names[i], "%c",
                       (int)('a' + i));
        assert_int_equal(x509_ca_create(&world->ca[i], &world->ca_key[i],
                                        world->names[i], &validity, NULL),
                         PBFT_OK);
        assert_int_equal(x509_name(name, X509_REPLICA, world->names[i]),
                         PBFT_OK);
        world_issue(world, &world->replica[i], i, name);
        assert_int_equal(x509_name(name, X509_CLIENT, world->names[i]),
                         PBFT_OK);
        world_issue(world, &world->client[i], i, name);
        world->members[i].name = world->names[i];
        world->members[i].tls_ca.data = world->ca[i].der;
        world->members[i].tls_ca.size = world->ca[i].size;
        world->members[i].address = world->addresses[i];
    }
}

static inline void world_set_port(struct world *world, uint32_t member,
                                  uint16_t port)
{
    (void)snprintf(world->addresses[member], sizeof world->addresses[member],
                   "127.0.0.1:%u", port);
}

/* Waits until `condition` holds; fails the test if that takes too long. */
#define WORLD_WAIT(condition)                                                  \
    do {                                                                       \
        uint64_t world_until = world_now_ms() + WORLD_PATIENCE_MS;             \
        while (!(condition)) {                                                 \
            if (world_now_ms() > world_until) {                                \
                fail_msg("waited too long for: %s", #condition);               \
            }                                                                  \
            world_pause();                                                     \
        }                                                                      \
    } while (0)

#endif /* TESTS_SUPPORT_NET_WORLD_H */
