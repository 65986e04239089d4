/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies that the replica wants back from its log. */
#include <stdlib.h>
#include <string.h>

#include "consensus/assert.h"
#include "sim/sim.h"

/* What a read takes: long enough for others to come first. */
#define READ_US 200
#define READS_CAPACITY_FIRST 16

void host_read_body(void *context, const struct pbft_body_read *read)
{
    struct host *host = context;
    if (host->read_count == host->read_capacity) {
        host->read_capacity = host->read_capacity == 0
                                  ? READS_CAPACITY_FIRST
                                  : 2 * host->read_capacity;
        host->reads =
            realloc(host->reads, host->read_capacity * sizeof host->reads[0]);
        PBFT_ASSERT(host->reads != NULL);
    }
    host->reads[host->read_count++] = *read;
    sim_schedule(host->sim, SIM_EVENT_READ, host->index, host->life, READ_US);
}

void host_on_read(struct host *host)
{
    PBFT_ASSERT(host->read_count > 0);
    const struct pbft_body_read read = host->reads[0];
    host->read_count--;
    memmove(host->reads, host->reads + 1,
            host->read_count * sizeof host->reads[0]);
    const struct pbft_message *body = disk_read_body(&host->disk, &read);
    if (body == NULL) {
        return; /* Truncated meanwhile, or never voted for. */
    }
    struct pbft_message *own = pbft_message_handed_over(body, host->id);
    PBFT_ASSERT(own != NULL);
    host_push(host,
              (struct host_input){.type = PBFT_EVENT_RECEIVE, .message = own});
    pbft_message_unref(own);
    pbft_message_unref(body);
    host_work(host);
}
