/* SPDX-License-Identifier: Apache-2.0 */
/* A simulated world in which a test makes histories by hand, for the rules of
 * the auditor. Static: include it in one .c file per program.
 */
#ifndef TESTS_SUPPORT_AUDIT_FIXTURE_H
#define TESTS_SUPPORT_AUDIT_FIXTURE_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "sim/audit_rules.h"
#include "sim/profile.h"

static struct sim *sim;

static inline void run_for(uint64_t us)
{
    uint64_t until = sim->now_us + us;
    while (sim_queue_peek(&sim->queue)->time_us <= until && sim_step(sim)) {
    }
}

/* Two clients, of different institutions. */
static inline int create(void **state)
{
    struct sim_settings settings;
    (void)state;
    profile_defaults(&settings);
    settings.network = (struct network_settings){.latency_us = 1000};
    sim = sim_create(&settings, 1, NULL);
    (void)sim_add_client(sim, "c1");
    (void)sim_add_client(sim, "c2");
    sim_start_hosts(sim);
    return 0;
}

/* Replicas have greeted each other. */
static inline int create_running(void **state)
{
    (void)create(state);
    run_for(10 * SIM_MS_US);
    return 0;
}

static inline int destroy(void **state)
{
    (void)state;
    sim_destroy(sim);
    return 0;
}

static inline void assert_fine(void)
{
    assert_false(sim->violation.found);
}

static inline void assert_broken(const char *rule)
{
    assert_true(sim->violation.found);
    assert_string_equal(sim->violation.rule, rule);
}

static inline const struct pbft_message *request_of(uint32_t client)
{
    const uint8_t payload[] = "p";
    return client_prepare(sim->clients[client],
                          (struct pbft_bytes){payload, 1});
}

#endif /* TESTS_SUPPORT_AUDIT_FIXTURE_H */
