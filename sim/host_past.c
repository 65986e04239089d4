/* SPDX-License-Identifier: Apache-2.0 */
/* A restart that does not execute again what did not get lost. Most runs are
 * full of restarts, and all but the newest block is on the disk in each. */
#include <stdlib.h>
#include <string.h>

#include "sim/sim.h"

/* In every so many lives all blocks are executed again: a different outcome is
 * a lack of determinism (S3). */
#define REPLAY_INTERVAL 8

void host_drop_past(struct host *host)
{
    struct host_past *past = &host->past;
    if (past->service != NULL) {
        host->sim->settings.service->destroy(past->service);
    }
    for (size_t i = 0; i < past->block_count; i++) {
        pbft_message_unref(past->blocks[i].committed);
        pbft_message_unref(past->blocks[i].proof);
        free(past->blocks[i].leaves);
    }
    free(past->blocks);
    *past = (struct host_past){.service = NULL};
}

void host_keep_past(struct host *host)
{
    host_drop_past(host);
    host->past = (struct host_past){.service = host->service,
                                    .client_count = host->sim->client_count,
                                    .blocks = host->blocks,
                                    .block_count = host->block_count,
                                    .block_capacity = host->block_capacity,
                                    .incarnations = host->incarnations};
    host->service = NULL;
    host->blocks = NULL;
    host->block_count = 0;
    host->block_capacity = 0;
    host->incarnations = (struct pbft_incarnations){0};
}

static bool is_on_disk(const struct host_past *past,
                       const struct disk_image *image)
{
    if (past->block_count != image->block_count) {
        return false;
    }
    for (size_t i = 0; i < past->block_count; i++) {
        const struct disk_block *stored = &image->blocks[i];
        if (past->blocks[i].committed != stored->committed ||
            memcmp(&past->blocks[i].executed.ledger_root,
                   &stored->executed.ledger_root,
                   sizeof(struct pbft_digest)) != 0) {
            return false;
        }
    }
    return true;
}

/* Only proofs that are on the disk have outlived the process. */
static void restore_proofs(struct host *host)
{
    for (size_t i = 0; i < host->block_count; i++) {
        const struct pbft_message *proof = host->disk.image.blocks[i].proof;
        pbft_message_unref(host->blocks[i].proof);
        host->blocks[i].proof = proof == NULL ? NULL : pbft_message_ref(proof);
    }
}

bool host_resume_past(struct host *host)
{
    const struct host_past past = host->past;
    if (past.service == NULL || host->life % REPLAY_INTERVAL == 0 ||
        past.client_count != host->sim->client_count ||
        !is_on_disk(&past, &host->disk.image)) {
        return false;
    }
    host->past = (struct host_past){.service = NULL};
    host->service = past.service;
    host->blocks = past.blocks;
    host->block_count = past.block_count;
    host->block_capacity = past.block_capacity;
    host->incarnations = past.incarnations;
    restore_proofs(host);
    return true;
}
