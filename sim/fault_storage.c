/* SPDX-License-Identifier: Apache-2.0 */
/* Faults of disks.
 *
 * A replica that lost what was synced is one of the f, until it has recovered:
 * together with the Byzantine ones never more are in that state.
 */
#include <stdlib.h>

#include "consensus/assert.h"
#include "consensus/quorum.h"
#include "sim/fault_tools.h"

#define SYNC_SLOW_US (200 * SIM_MS_US)
#define SYNC_STALLED_US (10000 * SIM_MS_US)
#define ALL_RECORDS UINT32_MAX
#define BLOCK_PERMILLE 250

/* ---- errors ----------------------------------------------------------------
 */

static bool set_error(struct sim *sim, struct fault *fault,
                      enum disk_fault_kind kind, uint64_t times)
{
    struct host *host = fault_host(sim, fault);
    if (host->state != HOST_UP || host->disk.fault.kind != DISK_FAULT_NONE) {
        return false;
    }
    host->disk.fault = (struct disk_fault){
        .kind = kind, .record_kinds = ALL_RECORDS, .times = times};
    return true;
}

static enum disk_fault_kind draw_error(struct sim *sim)
{
    return random_chance(&sim->faults.random, 500) ? DISK_FAULT_WRITE
                                                   : DISK_FAULT_SYNC;
}

/* The next write or sync fails: the replica halts, then is restarted. The next
 * one would have been well: it must not be tried. */
static bool begin_disk_error(struct sim *sim, struct fault *fault)
{
    return set_error(sim, fault, draw_error(sim), 1);
}

static bool begin_disk_dead(struct sim *sim, struct fault *fault)
{
    return set_error(sim, fault, draw_error(sim), UINT64_MAX);
}

static bool begin_disk_full(struct sim *sim, struct fault *fault)
{
    return set_error(sim, fault, DISK_FAULT_WRITE, UINT64_MAX);
}

static void end_disk_error(struct sim *sim, const struct fault *fault)
{
    struct host *host = fault_host(sim, fault);
    host->disk.fault.kind = DISK_FAULT_NONE;
    /* The replica may not know yet that its write has failed. */
    if (host->state == HOST_HALTED || host->has_write_failed) {
        fault_crash(sim, host);
        host_start(host);
    }
}

static bool slow_down(struct sim *sim, struct host *host, uint64_t most_us)
{
    if (host->sync_us != sim->settings.sync_us) {
        return false;
    }
    host->sync_us = random_between(&sim->faults.random, 1, most_us);
    return true;
}

static bool begin_slow_disk(struct sim *sim, struct fault *fault)
{
    return slow_down(sim, fault_host(sim, fault), SYNC_SLOW_US);
}

static void end_slow_disk(struct sim *sim, const struct fault *fault)
{
    fault_host(sim, fault)->sync_us = sim->settings.sync_us;
}

/* Up to f at once. */
static bool begin_stalled_disks(struct sim *sim, struct fault *fault)
{
    uint32_t f = pbft_faults_max(sim->settings.n);
    for (uint32_t i = 0; i < f; i++) {
        uint32_t at =
            (uint32_t)random_below(&sim->faults.random, sim->settings.n);
        if (slow_down(sim, sim->hosts[at], SYNC_STALLED_US)) {
            fault_add_member(fault, at);
        }
    }
    fault->target = UINT32_MAX;
    fault->is_of_each = true;
    return true;
}

static void end_stalled_disks(struct sim *sim, const struct fault *fault)
{
    for (uint32_t i = 0; i < sim->settings.n; i++) {
        if (fault_has_member(fault, i)) {
            sim->hosts[i]->sync_us = sim->settings.sync_us;
        }
    }
}

/* ---- losses ----------------------------------------------------------------
 */

/* Durably: a stalled disk can hold its recovery back, and then a crash takes it
 * away again. */
static bool has_recovered(const struct host *host)
{
    struct pbft_report report;
    if (host->state != HOST_UP || disk_has_unsynced_records(&host->disk)) {
        return false;
    }
    pbft_replica_report(host_replica(host), &report);
    return report.may_vote;
}

/* One more may lose its data. */
static bool may_lose(struct sim *sim, const struct host *host)
{
    uint32_t faulty = 0;
    for (uint32_t i = 0; i < sim->settings.n; i++) {
        struct host *other = sim->hosts[i];
        other->has_lost_data = other->has_lost_data && !has_recovered(other);
        faulty += other->has_lost_data || !host_is_honest(other);
    }
    return host->state == HOST_UP && host_is_honest(host) &&
           !host->has_lost_data && faulty < pbft_faults_max(sim->settings.n);
}

/* It is down, and its disk will be changed. */
static void begin_loss(struct sim *sim, struct host *host)
{
    fault_crash(sim, host);
    host->has_lost_data = true;
    host->is_disk_changed = true;
}

static uint64_t draw_record(struct sim *sim, const struct disk_image *image)
{
    return random_below(&sim->faults.random, image->record_count);
}

/* Executed blocks rot and get lost as well; a replica that cannot read one ends
 * at its start. */
static bool draws_block(struct sim *sim, const struct host *host)
{
    return host->disk.image.block_count > 0 &&
           random_chance(&sim->faults.random, BLOCK_PERMILLE);
}

static void damage_a_block(struct sim *sim, struct host *host)
{
    const uint64_t seq =
        random_between(&sim->faults.random, 1, host->disk.image.block_count);
    bool is_there = disk_corrupt_block(&host->disk, seq);
    PBFT_ASSERT(is_there);
}

/* The newest: it is executed again. Behind one of the others the rest cannot be
 * read. */
static void lose_a_block(struct sim *sim, struct host *host)
{
    if (random_chance(&sim->faults.random, 500)) {
        bool is_there =
            disk_cut_blocks(&host->disk, host->disk.image.block_count);
        PBFT_ASSERT(is_there);
    } else {
        damage_a_block(sim, host);
    }
}

/* It ends at its start if it cannot read its state; then somebody gives it an
 * empty disk. */
static void end_decay(struct sim *sim, const struct fault *fault)
{
    struct host *host = fault_host(sim, fault);
    fault_restart(sim, fault->target);
    if (host->state == HOST_HALTED && host->disk.image.damaged_block != 0) {
        host_crash(host, 0, 0);
        disk_restore(&host->disk, (struct disk_image){.first_number = 1});
        audit_disk_replaced(sim, host);
        host_start(host);
    }
}

static void flip_a_bit(struct sim *sim, struct disk_record *record)
{
    uint64_t at = random_below(&sim->faults.random, record->size);
    record->bytes[at] ^= (uint8_t)(1u << random_below(&sim->faults.random, 8));
}

static bool begin_bit_rot(struct sim *sim, struct fault *fault)
{
    struct host *host = fault_host(sim, fault);
    if (!may_lose(sim, host) || host->disk.image.record_count == 0) {
        return false;
    }
    begin_loss(sim, host);
    struct disk_image *image = &host->disk.image;
    if (draws_block(sim, host)) {
        damage_a_block(sim, host);
    } else {
        flip_a_bit(sim, &image->records[draw_record(sim, image)]);
    }
    audit_disk_replaced(sim, host);
    return true;
}

/* A write that was acknowledged is not there. */
static bool begin_lost_write(struct sim *sim, struct fault *fault)
{
    struct host *host = fault_host(sim, fault);
    if (!may_lose(sim, host) || host->disk.image.record_count == 0) {
        return false;
    }
    begin_loss(sim, host);
    if (draws_block(sim, host)) {
        lose_a_block(sim, host);
    } else {
        disk_image_drop(&host->disk.image, draw_record(sim, &host->disk.image));
    }
    audit_disk_replaced(sim, host);
    return true;
}

/* Two writes, each in the place of the other. */
static bool begin_misdirected(struct sim *sim, struct fault *fault)
{
    struct host *host = fault_host(sim, fault);
    struct disk_image *image = &host->disk.image;
    if (!may_lose(sim, host) || image->record_count < 2) {
        return false;
    }
    begin_loss(sim, host);
    uint64_t a = draw_record(sim, image);
    uint64_t b = draw_record(sim, image);
    struct disk_record record = image->records[a];
    image->records[a] = image->records[b];
    image->records[b] = record;
    audit_disk_replaced(sim, host);
    return true;
}

static bool begin_wiped(struct sim *sim, struct fault *fault)
{
    struct host *host = fault_host(sim, fault);
    if (!may_lose(sim, host)) {
        return false;
    }
    begin_loss(sim, host);
    disk_restore(&host->disk, (struct disk_image){.first_number = 1});
    audit_disk_replaced(sim, host);
    return true;
}

/* The same record rots at as many replicas as may lose theirs. */
static bool begin_helical(struct sim *sim, struct fault *fault)
{
    bool is_any = false;
    fault->target = UINT32_MAX;
    fault->is_of_each = true;
    for (uint32_t i = 0; i < sim->settings.n; i++) {
        struct host *host = sim->hosts[i];
        if (may_lose(sim, host) && host->disk.image.record_count > 0) {
            begin_loss(sim, host);
            flip_a_bit(sim, &host->disk.image.records[0]);
            audit_disk_replaced(sim, host);
            fault_add_member(fault, i);
            is_any = true;
        }
    }
    return is_any;
}

static void end_helical(struct sim *sim, const struct fault *fault)
{
    for (uint32_t i = 0; i < sim->settings.n; i++) {
        if (fault_has_member(fault, i)) {
            fault_restart(sim, i);
        }
    }
}

/* It starts from the disk of another one. */
static bool begin_wrong_disk(struct sim *sim, struct fault *fault)
{
    struct host *host = fault_host(sim, fault);
    const struct host *other =
        sim->hosts[(fault->target + 1) % sim->settings.n];
    if (!may_lose(sim, host) || other->disk.image.record_count == 0 ||
        other->disk.image.damaged_block != 0) {
        return false;
    }
    begin_loss(sim, host);
    disk_restore(&host->disk, disk_image_clone(&other->disk.image));
    audit_disk_replaced(sim, host);
    return true;
}

/* The image of when the fault begins is restored when it ends. */
static bool begin_rollback(struct sim *sim, struct fault *fault)
{
    struct faults *faults = &sim->faults;
    if (faults->has_saved || !may_lose(sim, fault_host(sim, fault))) {
        return false;
    }
    faults->saved = disk_image_clone(&fault_host(sim, fault)->disk.image);
    faults->has_saved = true;
    return true;
}

static void end_rollback(struct sim *sim, const struct fault *fault)
{
    struct faults *faults = &sim->faults;
    struct host *host = fault_host(sim, fault);
    PBFT_ASSERT(faults->has_saved);
    faults->has_saved = false;
    if (faults->mask == 0 || !may_lose(sim, host)) {
        disk_image_deinit(&faults->saved);
        return;
    }
    begin_loss(sim, host);
    disk_restore(&host->disk, faults->saved);
    audit_disk_replaced(sim, host);
    host_start(host);
}

/* A power loss keeps any of the writes that were not synced, not the first. */
static bool begin_holes(struct sim *sim, struct fault *fault)
{
    struct host *host = fault_host(sim, fault);
    if (!may_lose(sim, host)) {
        return false;
    }
    host->has_lost_data = true;
    disk_drop_some(&host->disk, &sim->faults.random);
    host_crash(host, SIZE_MAX, 0);
    return true;
}

const struct fault_kind fault_storage_kinds[] = {
    {"disk-error", "a write or sync of one replica fails, once (D5)",
     begin_disk_error, end_disk_error},
    {"disk-dead", "all writes or syncs of one replica fail (D5)",
     begin_disk_dead, end_disk_error},
    {"disk-full", "one replica cannot write, until there is room (D6)",
     begin_disk_full, end_disk_error},
    {"unreadable", "a read fails whenever one replica starts (D5)",
     fault_begin_unreadable, fault_end_unreadable},
    {"slow-disk", "syncs of one replica take up to 200 ms (D7)",
     begin_slow_disk, end_slow_disk},
    {"stalled-disks", "syncs of up to f replicas take up to 10 s (D7)",
     begin_stalled_disks, end_stalled_disks},
    {"holes", "a power loss keeps any of the unsynced writes (D1)", begin_holes,
     fault_end_restart},
    {"bit-rot", "a bit of a synced record or block flips (D2)", begin_bit_rot,
     end_decay},
    {"lost-write", "a synced record or block is not there (D3)",
     begin_lost_write, end_decay},
    {"misdirected", "two synced records change places (D3)", begin_misdirected,
     fault_end_restart},
    {"rollback", "an old image of the disk is restored (D4)", begin_rollback,
     end_rollback},
    {"helical", "the same record rots at several replicas (D8)", begin_helical,
     end_helical},
    {"wiped", "all data of one replica is lost (D9)", begin_wiped,
     fault_end_restart},
    {"wrong-disk", "one replica finds the disk of another (D10)",
     begin_wrong_disk, fault_end_restart},
    {NULL, NULL, NULL, NULL},
};
