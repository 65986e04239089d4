/* SPDX-License-Identifier: Apache-2.0 */
/* Keeping the requests of some institutions out (B4). */
#include "sim/adversary.h"
#include "sim/sim.h"

/* Whose requests it does not want to see ordered. */
static bool is_censored(const struct host *host,
                        const struct pbft_message *request)
{
    return request->request.institution.bytes[0] % 2 == host->id % 2;
}

void adversary_censor(struct host *host, pbft_replica_id to,
                      const struct pbft_message *message)
{
    if (message->type == PBFT_MESSAGE_REQUEST && is_censored(host, message)) {
        adversary_count(host);
        return;
    }
    if (message->type == PBFT_MESSAGE_PRE_PREPARE &&
        message->sender == host->id && message->pre_prepare.body != NULL) {
        const struct pbft_batch *batch = &message->pre_prepare.body->batch;
        for (uint32_t i = 0; i < batch->request_count; i++) {
            if (is_censored(host, batch->requests[i])) {
                adversary_count(host);
                return; /* A gap that it never fills. */
            }
        }
    }
    adversary_speak(host, to, message);
}

/* It goes on with all others, which looks like progress. */
bool adversary_hears_others(const struct host *host,
                            const struct pbft_message *message)
{
    return message->type != PBFT_MESSAGE_REQUEST || !is_censored(host, message);
}
