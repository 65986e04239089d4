/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of a trial do for each other. */
#ifndef CLIENT_TRIAL_PRIVATE_H
#define CLIENT_TRIAL_PRIVATE_H

#include "client/trial.h"

/* Opens the client of each institution of the folder. */
PBFT_MUST_USE enum pbft_status trial_open_clients(struct trial *trial);

/* Waits until each replica answers; a child that ended says why. */
PBFT_MUST_USE enum pbft_status trial_wait_for_answers(struct trial *trial,
                                                      uint32_t timeout_ms);

void trial_pause_briefly(void);

#endif /* CLIENT_TRIAL_PRIVATE_H */
