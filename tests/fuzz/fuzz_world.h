/* SPDX-License-Identifier: Apache-2.0 */
/* The consortium behind fuzz_execute: the usual world, a participant who is
 * doctor and privacy officer, one record, one consent. */
#ifndef TESTS_FUZZ_FUZZ_WORLD_H
#define TESTS_FUZZ_FUZZ_WORLD_H

#include "tests/support/ledger_acts.h"

static inline struct world *fuzz_world(void)
{
    const uint32_t roles[] = {CODES_ROLE_DOCTOR, CODES_ROLE_PRIVACY_OFFICER};
    uint8_t consent[LEDGER_ID_SIZE];
    struct world *world = world_create();
    act_register(world, HOSPITAL, roles, 2, world->doctor);
    act_anchor(world, CODES_CONF_N, world->record);
    act_grant(world, consent);
    return world;
}

#endif /* TESTS_FUZZ_FUZZ_WORLD_H */
