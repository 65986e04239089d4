/* SPDX-License-Identifier: Apache-2.0 */
/* Load that goes on beside whatever a test does to the replicas. */
#ifndef TESTS_INTEGRATION_BACKGROUND_H
#define TESTS_INTEGRATION_BACKGROUND_H

#include <pthread.h>
#include <stdatomic.h>

#include "client/load.h"
#include "client/trial.h"

struct background {
    pthread_t thread;
    struct load_options options;
    atomic_int stop;
    enum salus_status status;
    struct load_report report; /* When it has ended. */
};

/* RECORD_ANCHORs of 256 bytes, by the clients of `trial`. */
bool background_start(struct background *background, const struct trial *trial,
                      uint32_t submitters, uint32_t per_submission);
/* Waits for what is under way. True: everything was proved. */
bool background_stop(struct background *background);

void pass_ms(uint64_t ms);

#endif /* TESTS_INTEGRATION_BACKGROUND_H */
