/* SPDX-License-Identifier: Apache-2.0 */
/* What is durable: records and blocks; copied, restored and damaged on demand.
 */
#include <stdlib.h>
#include <string.h>

#include "consensus/assert.h"
#include "sim/disk.h"

#define CAPACITY_FIRST 64

static size_t grown(size_t capacity)
{
    return capacity == 0 ? CAPACITY_FIRST : 2 * capacity;
}

void disk_image_deinit(struct disk_image *image)
{
    for (size_t i = 0; i < image->record_count; i++) {
        free(image->records[i].bytes);
    }
    for (size_t i = 0; i < image->block_count; i++) {
        pbft_message_unref(image->blocks[i].committed);
        pbft_message_unref(image->blocks[i].proof);
    }
    free(image->records);
    free(image->blocks);
    *image = (struct disk_image){.first_number = 1};
}

void disk_image_add_record(struct disk_image *image, struct disk_record record)
{
    if (image->record_count == image->record_capacity) {
        image->record_capacity = grown(image->record_capacity);
        image->records = realloc(image->records, image->record_capacity *
                                                     sizeof image->records[0]);
        PBFT_ASSERT(image->records != NULL);
    }
    image->records[image->record_count++] = record;
    image->is_log_lost = false;
}

void disk_image_add_block(struct disk_image *image, struct disk_block block)
{
    PBFT_ASSERT(block.executed.seq == image->block_count + 1);
    if (image->block_count == image->block_capacity) {
        image->block_capacity = grown(image->block_capacity);
        image->blocks = realloc(image->blocks, image->block_capacity *
                                                   sizeof image->blocks[0]);
        PBFT_ASSERT(image->blocks != NULL);
    }
    image->blocks[image->block_count++] = block;
}

void disk_image_truncate(struct disk_image *image, pbft_seq stable_seq)
{
    size_t dropped = 0;
    while (dropped < image->record_count &&
           pbft_record_is_droppable(image->records[dropped].kind,
                                    image->records[dropped].seq, stable_seq)) {
        free(image->records[dropped].bytes);
        dropped++;
    }
    if (dropped > 0) {
        image->record_count -= dropped;
        memmove(image->records, image->records + dropped,
                image->record_count * sizeof image->records[0]);
        image->first_number += dropped;
    }
}

struct disk_image disk_image_clone(const struct disk_image *image)
{
    struct disk_image copy = {.first_number = image->first_number,
                              .damaged_block = image->damaged_block,
                              .is_formatted = image->is_formatted};
    for (size_t i = 0; i < image->record_count; i++) {
        struct disk_record record = image->records[i];
        record.bytes = malloc(record.size);
        PBFT_ASSERT(record.bytes != NULL);
        memcpy(record.bytes, image->records[i].bytes, record.size);
        disk_image_add_record(&copy, record);
    }
    for (size_t i = 0; i < image->block_count; i++) {
        struct disk_block block = image->blocks[i];
        (void)pbft_message_ref(block.committed);
        if (block.proof != NULL) {
            (void)pbft_message_ref(block.proof);
        }
        disk_image_add_block(&copy, block);
    }
    copy.is_log_lost = image->is_log_lost;
    return copy;
}

void disk_restore(struct disk *disk, struct disk_image image)
{
    PBFT_ASSERT(disk->pending_count == 0);
    disk_image_deinit(&disk->image);
    disk->image = image;
    disk->next_number = image.first_number + image.record_count;
}

static bool is_meant(const struct disk_record *record, uint32_t kinds,
                     pbft_seq seq)
{
    return (kinds >> record->kind & 1) != 0 && (seq == 0 || record->seq == seq);
}

bool disk_corrupt(struct disk *disk, uint32_t kinds, pbft_seq seq)
{
    for (size_t i = disk->image.record_count; i > 0; i--) {
        struct disk_record *record = &disk->image.records[i - 1];
        if (is_meant(record, kinds, seq)) {
            record->bytes[record->size - 1] ^= 1;
            return true;
        }
    }
    return false;
}

bool disk_cut(struct disk *disk, uint32_t kinds, pbft_seq seq)
{
    struct disk_image *image = &disk->image;
    for (size_t i = 0; i < image->record_count; i++) {
        if (is_meant(&image->records[i], kinds, seq)) {
            for (size_t j = i; j < image->record_count; j++) {
                free(image->records[j].bytes);
            }
            image->record_count = i;
            disk->next_number = image->first_number + i;
            return true;
        }
    }
    return false;
}

bool disk_corrupt_block(struct disk *disk, pbft_seq seq)
{
    struct disk_image *image = &disk->image;
    if (image->block_count == 0 || seq > image->block_count) {
        return false;
    }
    image->damaged_block = seq == 0 ? image->block_count : seq;
    return true;
}

bool disk_cut_blocks(struct disk *disk, pbft_seq seq)
{
    struct disk_image *image = &disk->image;
    const size_t kept = seq == 0 ? 0 : (size_t)(seq - 1);
    if (kept >= image->block_count) {
        return false;
    }
    for (size_t i = kept; i < image->block_count; i++) {
        pbft_message_unref(image->blocks[i].committed);
        pbft_message_unref(image->blocks[i].proof);
    }
    image->block_count = kept;
    if (image->damaged_block > kept) {
        image->damaged_block = 0;
    }
    return true;
}

void disk_image_drop(struct disk_image *image, size_t at)
{
    PBFT_ASSERT(at < image->record_count);
    free(image->records[at].bytes);
    image->record_count--;
    memmove(&image->records[at], &image->records[at + 1],
            (image->record_count - at) * sizeof image->records[0]);
}
