/* SPDX-License-Identifier: Apache-2.0 */
/* Disks that run full, and disks that are new. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/integration/torture.h"

#define DISK_TIMEOUT_MS 60000
#define LEFT_BYTES (16 << 20)            /* It stops below 32 MiB. */
#define ROOM_BYTES (UINT64_C(256) << 20) /* Outside of this fault. */
#define EXIT_STORAGE 4                   /* Of salusd: docs/operations.md. */

/* All but a little of the space that is left. Whoever writes there meanwhile,
 * such as the replica, changes how much that is: then once more. */
static bool fill(const char *folder, const char *file)
{
    uint64_t deadline = torture_now_us() + DISK_TIMEOUT_MS * UINT64_C(1000);
    struct statvfs disk;
    off_t size = 0;
    bool is_full = false;
    int filler = open(file, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

    while (filler >= 0 && !is_full && torture_now_us() < deadline &&
           statvfs(folder, &disk) == 0) {
        off_t left = (off_t)(disk.f_bavail * disk.f_frsize);
        is_full = left <= LEFT_BYTES;
        if (!is_full && posix_fallocate(filler, size, left - LEFT_BYTES) == 0) {
            size += left - LEFT_BYTES;
        }
    }
    if (filler >= 0) {
        (void)close(filler);
    }
    return is_full;
}

/* It must end by itself, and say so by its exit code. */
static bool ends_for_want_of_space(struct torture *torture, uint32_t victim)
{
    uint64_t deadline = torture_now_us() + DISK_TIMEOUT_MS * UINT64_C(1000);
    int status = 0;

    while (torture_now_us() < deadline) {
        int dead = replicas_find_dead(&torture->trial.replicas, &status);
        if (dead >= 0) {
            return (uint32_t)dead == victim && WIFEXITED(status) &&
                   WEXITSTATUS(status) == EXIT_STORAGE;
        }
        torture_pass_ms(20);
    }
    return false;
}

/* An hour fills any disk that is small: a replica that stops for want of space
 * at another time is none of the faults. */
static bool has_room(const char *folder)
{
    struct statvfs disk;
    char size[64];
    if (statvfs(folder, &disk) != 0) {
        return false;
    }
    if ((uint64_t)disk.f_bavail * disk.f_frsize >= ROOM_BYTES) {
        return true;
    }
    (void)snprintf(size, sizeof(size), "size=%" PRIu64,
                   (uint64_t)disk.f_blocks * disk.f_frsize + ROOM_BYTES);
    return mount(NULL, folder, NULL, MS_REMOUNT, size) == 0;
}

/* The others carry on without it; with space again it comes back. */
bool torture_fill_disk(struct torture *torture)
{
    uint32_t victim = torture->trial.count - 1;
    char file[REPLICAS_PATH_MAX + 16];

    (void)snprintf(file, sizeof(file), "%s/filler", torture->small_disk);
    /* It may still be starting, and take space at once. */
    bool good =
        trial_wait_executed(&torture->trial, victim, 1, DISK_TIMEOUT_MS) &&
        fill(torture->small_disk, file) &&
        ends_for_want_of_space(torture, victim) &&
        torture_makes_progress(torture, "a full disk");
    if (!good) {
        (void)fprintf(stderr,
                      "replica %u: its disk is full, and it did not "
                      "end as it should, or the others neither\n",
                      victim);
    }
    (void)unlink(file);
    if (!has_room(torture->small_disk)) {
        perror(torture->small_disk);
        good = false;
    }
    return good && torture_start_again(torture, victim);
}

/* Until then it counts as one of the f. */
static bool votes_again(struct torture *torture, uint32_t replica)
{
    uint64_t deadline = torture_now_us() + TORTURE_PROGRESS_MS * UINT64_C(1000);
    struct trial_status status;

    while (!trial_ask(&torture->trial, replica, &status) ||
           status.is_recovering) {
        if (torture_now_us() > deadline) {
            (void)fprintf(stderr, "replica %u does not recover\n", replica);
            return false;
        }
        torture_pass_ms(20);
    }
    return true;
}

/* Once for each: an institution may ask for a new incarnation once an hour. The
 * last one may lie on the small disk. */
bool torture_can_wipe(const struct torture *torture)
{
    return torture->wiped + 1 < torture->trial.count;
}

/* A new disk, an old key: the replica has forgotten what it promised. It must
 * keep silent until the others have made that harmless, and come back by
 * itself. */
bool torture_wipe(struct torture *torture)
{
    uint32_t victim = torture->wiped++;
    char folder[REPLICAS_PATH_MAX];

    torture_kill_one(torture, victim);
    (void)snprintf(folder, sizeof(folder), "%.256s/%.100s/data",
                   torture->folder,
                   salus_replica_name(torture->trial.clients[0], victim));
    replicas_remove_folder(folder);
    if (!torture_start_again(torture, victim) ||
        !torture_makes_progress(torture, "a wipe")) {
        return false;
    }
    return trial_converge(&torture->trial, TORTURE_PROGRESS_MS) &&
           votes_again(torture, victim);
}
