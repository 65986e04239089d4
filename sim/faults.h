/* SPDX-License-Identifier: Apache-2.0 */
/* What goes wrong in a run, drawn from a table of faults.
 *
 * A fault begins, lasts for a while, and ends; several may last at once. A row
 * of the table is all there is to say about one.
 */
#ifndef SIM_FAULTS_H
#define SIM_FAULTS_H

#include "sim/disk.h"
#include "sim/network.h"

struct sim;

#define FAULTS_ACTIVE_MAX 32

/* Which faults (or acts) happen: all but these, or only these. Numbers in
 * rising order; borrowed. */
struct fault_filter {
    const uint64_t *numbers;
    size_t count;
    bool is_only;
};

bool fault_is_left_out(const struct fault_filter *filter, uint64_t number);

struct fault {
    const struct fault_kind *kind;
    uint64_t number; /* Of this run; the same whatever else is left out. */
    uint64_t part;   /* Of a fault that is made of several. */
    uint32_t target; /* A host; or what the row wants. */
    uint64_t value;  /* What was before, or what the row wants. */
    uint64_t members[(SIM_HOSTS_MAX + 63) / 64]; /* A set of hosts. */
    /* Of several hosts, each of which may be healed alone, see heal_core(): the
     * others keep what they have. */
    bool is_of_each;
};

enum fault_class {
    FAULT_NETWORK,
    FAULT_PROCESS,
    FAULT_STORAGE,
    FAULT_CLASS_COUNT
};

struct fault_kind {
    const char *name;
    const char *says;
    /* False: not possible now, nothing was done. */
    bool (*begin)(struct sim *sim, struct fault *fault);
    void (*end)(struct sim *sim, const struct fault *fault);
};

/* The rows of all classes, one after the other; NULL behind the last one. */
const struct fault_kind *fault_kind_at(uint32_t index, enum fault_class *class);
const char *fault_class_name(enum fault_class class);
#define FAULT_KINDS_MAX 64 /* Bits of a mask. */

struct faults {
    struct random random; /* Begins anew with each fault, see faults.c. */
    uint64_t seed;
    uint64_t part;
    uint64_t drawn; /* The number of the last one, possible or not. */
    struct fault active[FAULTS_ACTIVE_MAX];
    uint32_t active_count;
    uint64_t begun;
    uint64_t begun_by_kind[FAULT_KINDS_MAX];
    bool is_frozen;
    uint64_t mask; /* Rows that may begin; 0: no more faults. */
    uint64_t interval_us;
    uint64_t duration_us;
    struct disk_image saved; /* By a fault that restores it later. */
    bool has_saved;
};

void faults_init(struct faults *faults, uint64_t seed);
void faults_deinit(struct faults *faults);
/* Schedules the first one. */
void faults_begin(struct sim *sim);
void faults_on_event(struct sim *sim);
/* One more, as part of another one; it ends by itself. */
void faults_add(struct sim *sim, const struct fault_kind *kind,
                uint32_t target);
/* One more in the place of a part that ends, unless faults are over. */
void faults_follow(struct sim *sim, const struct fault *ended,
                   const struct fault_kind *kind);
void faults_on_heal(struct sim *sim, uint64_t number, uint64_t part);
/* Begins no more. Ends those of a member of the core, and those that all links
 * have in common; the others last for ever. */
void faults_freeze(struct sim *sim);
/* Ends all of them and begins no more. */
void faults_end_all(struct sim *sim);

#endif /* SIM_FAULTS_H */
