/* SPDX-License-Identifier: Apache-2.0 */
/* A slow or silent primary is replaced (design: P8; after Aardvark, NSDI'09):
 * measured at each backup, against what it has itself told the primary. */
#include "consensus/monitor.h"

#include <string.h>

#include "consensus/replica.h"

static bool is_on(const struct pbft_replica *replica)
{
    return replica->config.monitor_interval_ms > 0 && replica->n > 1;
}

/* How long a request that the primary knows may lie there: twice what we see an
 * agreement take (if disks and links are slow, it takes long too), and a relay
 * that is sent again. */
static pbft_time_ms patience(const struct pbft_replica *replica)
{
    const struct pbft_config *config = &replica->config;
    pbft_time_ms grace = config->resend_interval_ms + config->batch_delay_ms;
    if (grace > config->request_timeout_ms / 2) {
        grace = config->request_timeout_ms / 2;
    }
    return (grace + 2 * replica->monitor.agreement_ms)
           << replica->monitor.doublings;
}

static uint32_t hash_of(const struct pbft_institution *id)
{
    uint32_t hash = UINT32_C(2166136261);
    for (size_t i = 0; i < PBFT_INSTITUTION_SIZE; i++) {
        hash = (hash ^ id->bytes[i]) * UINT32_C(16777619);
    }
    return hash;
}

/* NULL if more institutions were seen in this period than are tracked. */
static struct pbft_service_count *count_of(struct pbft_monitor *monitor,
                                           const struct pbft_institution *id)
{
    const uint32_t first = hash_of(id);
    for (uint32_t i = 0; i < PBFT_INSTITUTIONS_MAX; i++) {
        struct pbft_service_count *count =
            &monitor->counts[(first + i) % PBFT_INSTITUTIONS_MAX];
        if (count->seen == 0) {
            count->institution = *id;
        }
        if (memcmp(&count->institution, id, sizeof *id) == 0) {
            return count;
        }
    }
    return NULL;
}

/* Judges one request that was just proposed, or still is not. */
static void judge(struct pbft_replica *replica, const struct pbft_pending *item)
{
    struct pbft_monitor *monitor = &replica->monitor;
    struct pbft_service_count *count =
        count_of(monitor, &item->message->request.institution);
    const pbft_time_ms since =
        item->told_at > monitor->busy_at ? item->told_at : monitor->busy_at;
    PBFT_ASSERT(since <= replica->now);
    if (count != NULL) {
        count->seen++;
        count->late += replica->now - since > patience(replica);
    }
}

static bool is_half_full(const struct pbft_replica *replica,
                         const struct pbft_batch *batch)
{
    return batch->request_count >=
               (replica->config.batch_requests_max + 1) / 2 ||
           batch->bytes >= replica->config.batch_bytes_max / 2;
}

void pbft_monitor_proposed(struct pbft_replica *replica,
                           const struct pbft_batch *batch)
{
    struct pbft_monitor *monitor = &replica->monitor;
    if (!is_on(replica) || pbft_is_primary(replica) ||
        batch->request_count == 0) {
        return;
    }
    for (uint32_t i = 0; i < batch->request_count; i++) {
        const struct pbft_pending *item = pbft_requests_find(
            &replica->requests, &batch->requests[i]->request.digest);
        if (item != NULL && item->is_waiting && item->is_told) {
            judge(replica, item);
        }
    }
    /* Full batches one after the other: the rest waits for a reason. */
    if (is_half_full(replica, batch) &&
        replica->now - monitor->proposed_at <= patience(replica) / 2) {
        monitor->busy_at = replica->now;
    }
    monitor->proposed_at = replica->now;
    pbft_set_add(&monitor->heard, pbft_primary(replica));
}

void pbft_monitor_committed(struct pbft_replica *replica,
                            const struct pbft_slot *slot)
{
    struct pbft_monitor *monitor = &replica->monitor;
    if (!is_on(replica) || slot->is_reproposed || slot->accepted_at == 0) {
        return;
    }
    const pbft_time_ms took = replica->now - slot->accepted_at;
    if (took > monitor->slowest_ms) {
        monitor->slowest_ms = took;
    }
    if (took > monitor->agreement_ms) {
        monitor->agreement_ms = took;
    }
}

void pbft_monitor_heard(struct pbft_replica *replica, pbft_replica_id from)
{
    pbft_set_add(&replica->monitor.heard, from);
}

void pbft_monitor_look(struct pbft_replica *replica)
{
    /* No room below the high watermark, no view, or we lag behind: the primary
     * is not to blame for what waits. */
    if (!replica->view_active || !replica->may_vote ||
        replica->behind > replica->committed ||
        replica->highest_seq >= pbft_slot_log_high(&replica->log)) {
        replica->monitor.busy_at = replica->now;
    }
}

/* A primary may drop what goes beyond its limits. As long as no replica passes
 * on more than its share, it has to take all of it. */
bool pbft_monitor_may_tell(const struct pbft_replica *replica,
                           const struct pbft_message *request)
{
    const uint32_t pending = pbft_requests_count_of(
        &replica->requests, &request->request.institution);
    const struct pbft_requests *requests = &replica->requests;
    return pending <= requests->institution_limits.part &&
           requests->all_shares.of[PBFT_SHARE_OWN] <=
               requests->all_limits.part &&
           requests->byte_shares.of[PBFT_SHARE_OWN] <=
               requests->byte_limits.part;
}

static void begin_period(struct pbft_replica *replica)
{
    struct pbft_monitor *monitor = &replica->monitor;
    memset(monitor->counts, 0, sizeof monitor->counts);
    monitor->heard = (struct pbft_replica_set){{0}};
    monitor->agreement_ms = monitor->slowest_ms; /* Of the last period. */
    monitor->slowest_ms = 0;
    monitor->committed = replica->committed;
}

/* What still lies there: the oldest of each institution is enough. */
static void judge_waiting(struct pbft_replica *replica)
{
    const struct pbft_pending *stale[PBFT_INSTITUTIONS_MAX];
    const uint32_t count =
        pbft_requests_told(&replica->requests, stale, PBFT_INSTITUTIONS_MAX);
    for (uint32_t i = 0; i < count; i++) {
        const pbft_time_ms since = stale[i]->told_at > replica->monitor.busy_at
                                       ? stale[i]->told_at
                                       : replica->monitor.busy_at;
        if (replica->now - since > patience(replica)) {
            judge(replica, stale[i]);
        }
    }
}

static bool is_somebody_ill_served(const struct pbft_monitor *monitor)
{
    for (uint32_t i = 0; i < PBFT_INSTITUTIONS_MAX; i++) {
        const struct pbft_service_count *count = &monitor->counts[i];
        if (count->late > 0 && 2 * count->late >= count->seen) {
            return true;
        }
    }
    return false;
}

/* All others are heard and nothing moves. */
static bool is_silent(const struct pbft_replica *replica)
{
    const struct pbft_monitor *monitor = &replica->monitor;
    return replica->config.heartbeat_interval_ms > 0 &&
           monitor->committed == replica->committed &&
           !pbft_set_has(&monitor->heard, pbft_primary(replica)) &&
           pbft_set_count(&monitor->heard) + 1 >= replica->quorum;
}

/* Time does not move although an obligation fell due (P18). Once for each: the
 * fault may lie in the service. */
static bool is_overdue(struct pbft_replica *replica)
{
    const pbft_wall_us grace = replica->config.time_bound_us +
                               2000 * replica->config.monitor_interval_ms;
    if (replica->next_due == 0 || replica->wall <= grace ||
        replica->wall - grace < replica->next_due ||
        replica->block_time >= replica->next_due ||
        replica->monitor.committed != replica->committed ||
        replica->monitor.complained_due == replica->next_due) {
        return false;
    }
    replica->monitor.complained_due = replica->next_due;
    return true;
}

static bool was_anything_seen(const struct pbft_monitor *monitor)
{
    for (uint32_t i = 0; i < PBFT_INSTITUTIONS_MAX; i++) {
        if (monitor->counts[i].seen > 0) {
            return true;
        }
    }
    return false;
}

static uint32_t forgive_after(const struct pbft_monitor *monitor)
{
    return monitor->complaints == 0
               ? PBFT_MONITOR_FORGIVE_AFTER
               : PBFT_MONITOR_FORGIVE_AFTER << (monitor->complaints - 1);
}

/* The patience goes first; what was forgiven is forgotten later. */
static void forgive(struct pbft_monitor *monitor)
{
    monitor->good_periods = 0;
    if (monitor->doublings > 0) {
        monitor->doublings--;
    } else if (monitor->complaints > 0) {
        monitor->complaints--;
    }
}

static void note_complaint(struct pbft_monitor *monitor)
{
    monitor->doublings += monitor->doublings < PBFT_MONITOR_DOUBLINGS_MAX;
    monitor->complaints += monitor->complaints < PBFT_MONITOR_COMPLAINTS_MAX;
}

static void note_good_period(struct pbft_monitor *monitor)
{
    monitor->suspicion -= monitor->suspicion < PBFT_SUSPICION_GOOD
                              ? monitor->suspicion
                              : PBFT_SUSPICION_GOOD;
    monitor->good_periods++;
    if (monitor->good_periods >= forgive_after(monitor)) {
        forgive(monitor);
    }
}

/* The verdict on a period that is over; true: it is enough. */
static bool judge_period(struct pbft_replica *replica)
{
    struct pbft_monitor *monitor = &replica->monitor;
    judge_waiting(replica);
    if (is_overdue(replica)) {
        monitor->suspicion += PBFT_SUSPICION_MAX;
    } else if (is_somebody_ill_served(monitor) || is_silent(replica)) {
        monitor->suspicion += PBFT_SUSPICION_BAD;
        monitor->good_periods = 0;
    } else if (was_anything_seen(monitor)) {
        note_good_period(monitor);
    }
    return monitor->suspicion >= PBFT_SUSPICION_MAX;
}

void pbft_on_monitor(struct pbft_replica *replica)
{
    struct pbft_monitor *monitor = &replica->monitor;
    if (!is_on(replica)) {
        return;
    }
    pbft_timers_arm(&replica->timers, PBFT_TIMER_MONITOR, replica->now,
                    replica->config.monitor_interval_ms);
    const bool is_judge = replica->view_active && replica->may_vote &&
                          !pbft_is_primary(replica) &&
                          replica->behind <= replica->committed;
    if (!is_judge) {
        begin_period(replica);
        return;
    }
    const bool is_enough = judge_period(replica);
    begin_period(replica);
    if (is_enough && pbft_complain(replica) == PBFT_ACCEPTED) {
        note_complaint(monitor);
    }
}

void pbft_monitor_new_view(struct pbft_replica *replica)
{
    replica->monitor.suspicion = 0;
    replica->monitor.busy_at = replica->now;
    replica->monitor.proposed_at = replica->now;
    memset(replica->monitor.counts, 0, sizeof replica->monitor.counts);
}
