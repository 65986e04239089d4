/* SPDX-License-Identifier: Apache-2.0 */
/* Crashes, disks and clocks. */
#include <stdlib.h>
#include <string.h>

#include "sim/script.h"

static const struct {
    const char *word;
    uint32_t kinds;
} record_words[] = {
    {"pre-prepare", 1u << PBFT_RECORD_PRE_PREPARE},
    {"body", 1u << PBFT_RECORD_BODY},
    {"prepare", 1u << PBFT_RECORD_PREPARE},
    {"prepared", 1u << PBFT_RECORD_PREPARED},
    {"commit", 1u << PBFT_RECORD_COMMIT},
    {"checkpoint", 1u << PBFT_RECORD_CHECKPOINT},
    {"view-change", 1u << PBFT_RECORD_VIEW_CHANGE},
    {"new-view", 1u << PBFT_RECORD_NEW_VIEW},
    {"stable", 1u << PBFT_RECORD_STABLE},
    {"evidence", 1u << PBFT_RECORD_EVIDENCE},
    {"applied", DISK_KIND_APPLIED},
    {"any", UINT32_MAX},
};

static bool take_record(struct script *script, struct words *words,
                        uint32_t *kinds)
{
    const char *word = words_value(words, "record");
    for (size_t i = 0;
         word != NULL && i < sizeof record_words / sizeof record_words[0];
         i++) {
        if (strcmp(record_words[i].word, word) == 0) {
            *kinds = record_words[i].kinds;
            return true;
        }
    }
    script_error(script, "record=%s is not a kind of record",
                 word == NULL ? "" : word);
    return false;
}

void script_do_crash(struct script *script, struct words *words)
{
    struct actor_set actors;
    uint64_t keep = 0;
    if (!script_hosts(script, words, &actors)) {
        return;
    }
    (void)words_number(script, words, "keep", &keep);
    const size_t torn = words_flag(words, "torn") ? DISK_TORN_HALF : 0;
    for (uint32_t i = 0; i < script->sim->host_count; i++) {
        struct host *host = script->sim->hosts[i];
        if (actor_set_has(&actors, i) && host->state != HOST_DOWN) {
            host_crash(host, (size_t)keep, torn);
        }
    }
}

void script_do_restart(struct script *script, struct words *words)
{
    struct actor_set actors;
    if (!script_hosts(script, words, &actors)) {
        return;
    }
    for (uint32_t i = 0; i < script->sim->host_count; i++) {
        struct host *host = script->sim->hosts[i];
        if (!actor_set_has(&actors, i)) {
            continue;
        }
        if (host->state == HOST_HALTED) {
            host_crash(host, 0, 0); /* It ended by itself. */
        }
        if (host->state == HOST_DOWN) {
            host_start(host);
        }
    }
}

/* The place of a mark: the old one of that name, or a new one. */
static struct script_mark *place_mark(struct script *script, const char *name)
{
    for (size_t i = 0; i < script->mark_count; i++) {
        struct script_mark *mark = &script->marks[i];
        if (strcmp(mark->name, name) == 0) {
            for (uint32_t h = 0; h < mark->count; h++) {
                disk_image_deinit(&mark->images[h]);
            }
            return mark;
        }
    }
    if (script->mark_count == SCRIPT_MARKS_MAX) {
        script_error(script, "too many marks");
        return NULL;
    }
    return &script->marks[script->mark_count++];
}

void script_do_mark(struct script *script, struct words *words)
{
    const char *name = words_need(script, words, "a name");
    if (name == NULL) {
        return;
    }
    if (!script_is_name(name)) {
        script_error(script, "'%s' is not a name for a mark", name);
        return;
    }
    struct script_mark *mark = place_mark(script, name);
    if (mark == NULL) {
        return;
    }
    memcpy(mark->name, name, strlen(name) + 1);
    mark->count = script->sim->host_count;
    for (uint32_t i = 0; i < mark->count; i++) {
        mark->images[i] = disk_image_clone(&script->sim->hosts[i]->disk.image);
    }
}

static bool is_down(struct script *script, const struct host *host)
{
    if (host->state != HOST_DOWN) {
        script_error(script, "%s must be crashed for that", host->name);
        return false;
    }
    return true;
}

static void roll_back(struct script *script, struct words *words,
                      struct host *host)
{
    const char *name = words_value(words, "to");
    for (size_t i = 0; name != NULL && i < script->mark_count; i++) {
        const struct script_mark *mark = &script->marks[i];
        if (strcmp(mark->name, name) == 0 && host->index < mark->count) {
            disk_restore(&host->disk,
                         disk_image_clone(&mark->images[host->index]));
            audit_disk_replaced(script->sim, host);
            return;
        }
    }
    script_error(script, "there is no mark '%s'", name == NULL ? "" : name);
}

static void damage(struct script *script, struct words *words,
                   struct host *host, bool is_cut)
{
    uint32_t kinds;
    uint64_t seq = 0;
    if (!take_record(script, words, &kinds)) {
        return;
    }
    (void)words_number(script, words, "seq", &seq);
    bool done;
    if (kinds == DISK_KIND_APPLIED) {
        done = is_cut ? disk_cut_blocks(&host->disk, seq)
                      : disk_corrupt_block(&host->disk, seq);
    } else {
        done = is_cut ? disk_cut(&host->disk, kinds, seq)
                      : disk_corrupt(&host->disk, kinds, seq);
    }
    if (!done) {
        script_error(script, "%s has no such record%s", host->name,
                     kinds == DISK_KIND_APPLIED
                         ? ": a block is synced with the next log record"
                         : "");
    }
    audit_disk_replaced(script->sim, host);
}

static void inject(struct script *script, struct words *words,
                   struct host *host)
{
    struct disk_fault fault = {.times = 1};
    const char *what = words_need(script, words, "write or sync");
    const char *times = words_value(words, "times");
    const char *error = words_value(words, "errno");
    if (what == NULL || !take_record(script, words, &fault.record_kinds)) {
        return;
    }
    if (error != NULL && strcmp(error, "EIO") != 0 &&
        strcmp(error, "ENOSPC") != 0) {
        script_error(script, "errno=%s is neither EIO nor ENOSPC", error);
    }
    if (times != NULL && strcmp(times, "always") == 0) {
        fault.times = UINT64_MAX;
    } else if (times != NULL && script_number(script, times, &fault.times) &&
               fault.times == 0) {
        script_error(script, "times=0 is no fault");
    }
    if (strcmp(what, "write") == 0) {
        fault.kind = DISK_FAULT_WRITE;
    } else if (strcmp(what, "sync") == 0) {
        fault.kind = DISK_FAULT_SYNC;
    } else {
        script_error(script, "'%s' is neither write nor sync", what);
    }
    if (host->disk.more_fault_count == DISK_FAULTS_MAX) {
        script_error(script, "too many faults of one disk");
        return;
    }
    host->disk.more_faults[host->disk.more_fault_count++] = fault;
}

static void disk_fail(struct script *script, struct words *words,
                      struct host *host)
{
    inject(script, words, host);
}

static void disk_heal(struct script *script, struct words *words,
                      struct host *host)
{
    (void)words;
    host->disk.fault.kind = DISK_FAULT_NONE;
    host->disk.more_fault_count = 0;
    host->sync_us = script->sim->settings.sync_us;
}

static void disk_delay(struct script *script, struct words *words,
                       struct host *host)
{
    uint64_t delay_us;
    const char *word = words_need(script, words, "a duration");
    if (word != NULL && script_time(script, word, &delay_us)) {
        host->sync_us = delay_us;
    }
}

static void disk_rollback(struct script *script, struct words *words,
                          struct host *host)
{
    if (is_down(script, host)) {
        roll_back(script, words, host);
    }
}

static void disk_wipe(struct script *script, struct words *words,
                      struct host *host)
{
    (void)words;
    if (is_down(script, host)) {
        disk_restore(&host->disk, (struct disk_image){.first_number = 1});
        audit_disk_replaced(script->sim, host);
    }
}

static void disk_flip(struct script *script, struct words *words,
                      struct host *host)
{
    if (is_down(script, host)) {
        damage(script, words, host, false);
    }
}

static void disk_end(struct script *script, struct words *words,
                     struct host *host)
{
    if (is_down(script, host)) {
        damage(script, words, host, true);
    }
}

static const struct {
    const char *word;
    void (*run)(struct script *script, struct words *words, struct host *host);
} disk_verbs[] = {
    {"fail", disk_fail},         {"heal", disk_heal}, {"delay", disk_delay},
    {"rollback", disk_rollback}, {"wipe", disk_wipe}, {"corrupt", disk_flip},
    {"truncate", disk_end},
};

static void do_verb(struct script *script, struct words *words,
                    struct host *host)
{
    const char *verb = words_need(script, words, "what to do with the disk");
    for (size_t i = 0;
         verb != NULL && i < sizeof disk_verbs / sizeof disk_verbs[0]; i++) {
        if (strcmp(disk_verbs[i].word, verb) == 0) {
            disk_verbs[i].run(script, words, host);
            return;
        }
    }
    script_error(script, "a disk cannot '%s'", verb == NULL ? "" : verb);
}

/* The same for each of a list. */
void script_do_disk(struct script *script, struct words *words)
{
    struct actor_set actors;
    if (!script_hosts(script, words, &actors)) {
        return;
    }
    const size_t at = words->at;
    for (uint32_t i = 0; i < script->sim->host_count; i++) {
        if (actor_set_has(&actors, i) && script->outcome == SCRIPT_RUNS) {
            words_rewind(words, at);
            do_verb(script, words, script->sim->hosts[i]);
        }
    }
}

void script_do_clock(struct script *script, struct words *words)
{
    struct actor_set actors;
    int64_t offset_us;
    if (!script_hosts(script, words, &actors)) {
        return;
    }
    const char *offset = words_value(words, "offset");
    if (offset == NULL) {
        script_error(script, "offset= is missing");
        return;
    }
    if (!script_duration(script, offset, &offset_us)) {
        return;
    }
    for (uint32_t i = 0; i < script->sim->host_count; i++) {
        if (actor_set_has(&actors, i)) {
            script->sim->hosts[i]->wall_offset_us = offset_us;
        }
    }
}
