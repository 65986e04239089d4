/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/integration/background.h"

#include <string.h>
#include <time.h>

#define HOUR_MS 3600000u
#define PAYLOAD 256

static uint64_t wall_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void pass_ms(uint64_t ms)
{
    const struct timespec pause = {(time_t)(ms / 1000),
                                   (long)(ms % 1000) * 1000000};

    (void)nanosleep(&pause, NULL);
}

static void *submit_all_the_time(void *context)
{
    struct background *background = context;

    background->status = load_run(&background->options, &background->report);
    return NULL;
}

bool background_start(struct background *background, const struct trial *trial,
                      uint32_t submitters, uint32_t per_submission)
{
    memset(background, 0, sizeof(*background));
    background->options =
        (struct load_options){.client_count = trial->client_count,
                              .submitters = submitters,
                              .transactions_per_submission = per_submission,
                              .payload = PAYLOAD,
                              .duration_ms = HOUR_MS,
                              .not_after_ms = wall_ms() + HOUR_MS,
                              .stop = &background->stop};
    for (uint32_t i = 0; i < trial->client_count; i++) {
        background->options.clients[i] = trial->clients[i];
        memcpy(background->options.encryption_keys[i],
               trial->encryption_keys[i], SALUS_ID_SIZE);
    }
    return pthread_create(&background->thread, NULL, submit_all_the_time,
                          background) == 0;
}

bool background_stop(struct background *background)
{
    background->stop = 1;
    (void)pthread_join(background->thread, NULL);
    return background->status == SALUS_OK && background->report.failed == 0 &&
           background->report.refused == 0;
}
