/* SPDX-License-Identifier: Apache-2.0 */
/* Leaving a view (OSDI'99 4.4, 4.5.2; design: P6, P7): when, to which view, and
 * what a VIEW-CHANGE says. new_view.c is about entering the next one. */
#include "consensus/replica.h"

/* A view that executes requests when it is so many request timeouts old is a
 * stable one. */
#define STABLE_TIMEOUTS 4

static pbft_view view_of(const struct pbft_message *message)
{
    return message == NULL ? 0 : pbft_message_view(message);
}

/* OSDI'99 4.4: the checkpoint proof and, for each seq above it, the prepared
 * certificate of the highest view that this replica ever held. */
static const struct pbft_message *
build_view_change(const struct pbft_replica *replica)
{
    const struct pbft_origin origin = pbft_own_origin(replica);
    const pbft_seq high = pbft_slot_log_high(&replica->log);
    const struct pbft_message **prepared = replica->changes.choice;
    uint32_t count = 0;
    for (pbft_seq seq = replica->log.low + 1; seq <= high; seq++) {
        const struct pbft_slot *slot = pbft_slot_log_at(&replica->log, seq);
        if (slot->prepared != NULL) {
            PBFT_ASSERT(view_of(slot->prepared) < replica->view);
            prepared[count++] = slot->prepared;
        }
    }
    PBFT_ASSERT(count <= replica->log.window);
    PBFT_ASSERT(pbft_message_seq(replica->stable) == replica->log.low);
    return pbft_signed(replica, pbft_view_change_create(
                                    replica->domain, &origin, replica->view,
                                    replica->stable, prepared, count));
}

/* View-changes for the view that is now asked for count; older ones do not. */
static void begin_collecting(struct pbft_replica *replica)
{
    struct pbft_view_changes *changes = &replica->changes;
    PBFT_ASSERT(!replica->view_active);
    changes->collected_count = 0;
    for (pbft_replica_id id = 0; id < replica->n; id++) {
        const struct pbft_message *ahead = changes->ahead[id];
        pbft_keep(&changes->collected[id], NULL);
        if (view_of(ahead) == replica->view) {
            pbft_keep(&changes->collected[id], ahead);
            changes->collected_count++;
        }
        if (view_of(ahead) <= replica->view) {
            pbft_keep(&changes->ahead[id], NULL);
        }
    }
}

void pbft_forget_view(struct pbft_replica *replica)
{
    const pbft_seq high = pbft_slot_log_high(&replica->log);
    for (pbft_seq seq = replica->log.low + 1; seq <= high; seq++) {
        pbft_slot_begin_view(pbft_slot_log_at(&replica->log, seq),
                             replica->view);
    }
    replica->highest_seq = 0;
    replica->missing_bodies = 0;
}

/* The own VIEW-CHANGE for the view that was left for. */
static void ask_for_view(struct pbft_replica *replica)
{
    struct pbft_view_changes *changes = &replica->changes;
    const pbft_replica_id self = replica->config.self;
    const struct pbft_message *own = build_view_change(replica);
    PBFT_ASSERT(replica->may_vote);
    PBFT_ASSERT(!pbft_is_recovering(replica));
    pbft_keep(&replica->own_view_change, own);
    changes->collected_count += changes->collected[self] == NULL;
    pbft_keep(&changes->collected[self], own);
    pbft_log_record(replica, PBFT_RECORD_VIEW_CHANGE, 0, own);
    pbft_send_all(replica, own);
    replica->view_change_at = replica->now;
    pbft_message_unref(own);
}

void pbft_ask_again(struct pbft_replica *replica)
{
    if (!replica->view_active &&
        replica->changes.collected[replica->config.self] == NULL) {
        ask_for_view(replica);
    }
}

/* From here on nothing is voted in older views (OSDI'99 4.4). */
static void leave_for(struct pbft_replica *replica, pbft_view view)
{
    struct pbft_view_changes *changes = &replica->changes;
    PBFT_ASSERT(view > replica->view);
    PBFT_ASSERT(replica->may_vote);
    PBFT_ASSERT(replica->n > 1);
    changes->failures += changes->has_lasted ? 0 : 1;
    changes->has_lasted = false;
    replica->view = view;
    replica->view_active = false;
    pbft_forget_view(replica);
    begin_collecting(replica);
    if (view_of(changes->pending) < view) {
        pbft_forget_pending(replica);
    }
    ask_for_view(replica);
    pbft_timers_disarm(&replica->timers, PBFT_TIMER_VIEW);
}

/* OSDI'99 4.5.2: f + 1 others are ahead, so an honest one is: join them. The
 * highest view that so many have reached; 0 if there is none. */
static pbft_view view_to_join(const struct pbft_replica *replica)
{
    pbft_view highest[PBFT_WEAK_QUORUM_MAX] = {0};
    for (pbft_replica_id id = 0; id < replica->n; id++) {
        pbft_view view = view_of(replica->changes.ahead[id]);
        for (uint32_t i = 0; i < replica->weak; i++) {
            if (view > highest[i]) {
                pbft_view lower = highest[i];
                highest[i] = view;
                view = lower;
            }
        }
    }
    return highest[replica->weak - 1];
}

/* OSDI'99 4.5.2: doubles with each view that did not last, capped. */
static pbft_time_ms back_off(const struct pbft_replica *replica)
{
    const struct pbft_config *config = &replica->config;
    pbft_time_ms delay = config->view_change_timeout_ms;
    for (uint32_t i = 0; i < replica->changes.failures &&
                         delay < config->view_change_timeout_max_ms;
         i++) {
        delay *= 2;
    }
    PBFT_ASSERT(delay > 0);
    return delay < config->view_change_timeout_max_ms
               ? delay
               : config->view_change_timeout_max_ms;
}

/* The timer starts at Q view-changes. */
static void arm_view_timer(struct pbft_replica *replica)
{
    if (replica->changes.failures > 0) {
        pbft_mark(PBFT_MARK_VIEW_TIMER_DOUBLED);
    }
    pbft_timers_arm(&replica->timers, PBFT_TIMER_VIEW, replica->now,
                    back_off(replica));
}

void pbft_restart_request_timers(struct pbft_replica *replica)
{
    const pbft_time_ms base = replica->config.request_timeout_ms;
    const pbft_time_ms delay = back_off(replica);
    replica->requests.timeout_ms =
        replica->changes.failures > 0 && delay > base ? delay : base;
    pbft_requests_restart(&replica->requests, replica->now);
    replica->progress_at = replica->now;
}

/* What was executed at once and no more afterwards shows no view that lasts:
 * with losses, and no vote to spare, the timeouts may be too short for any. The
 * age does not grow with the timeouts: all judge alike, whatever they have seen
 * fail, and who climbed far comes down as soon as others do. */
static bool is_of_age(const struct pbft_replica *replica)
{
    PBFT_ASSERT(replica->now >= replica->changes.entered_at);
    const pbft_time_ms age = replica->now - replica->changes.entered_at;
    return age / STABLE_TIMEOUTS >= replica->config.request_timeout_ms;
}

void pbft_note_progress(struct pbft_replica *replica)
{
    PBFT_ASSERT(replica->view_active);
    if (!is_of_age(replica)) {
        return;
    }
    replica->changes.failures = 0; /* Only this resets it (design: P7). */
    replica->changes.has_lasted = true;
    replica->requests.timeout_ms = replica->config.request_timeout_ms;
}

/* For this view, or for a later one: who went on will not ask for it again. */
static uint32_t count_asking(const struct pbft_replica *replica)
{
    const struct pbft_view_changes *changes = &replica->changes;
    uint32_t count = 0;
    for (pbft_replica_id id = 0; id < replica->n; id++) {
        count += changes->collected[id] != NULL || changes->ahead[id] != NULL;
    }
    return count;
}

void pbft_continue_view_change(struct pbft_replica *replica)
{
    const struct pbft_view_changes *changes = &replica->changes;
    const pbft_view join = view_to_join(replica);
    PBFT_ASSERT(changes->collected_count <= replica->n);
    PBFT_ASSERT(replica->stage == PBFT_STAGE_RUNNING);
    if (join > replica->view && replica->may_vote) {
        pbft_mark(PBFT_MARK_VIEW_JOINED);
        leave_for(replica, join);
    }
    if (!replica->view_active && count_asking(replica) >= replica->quorum &&
        !pbft_timers_is_armed(&replica->timers, PBFT_TIMER_VIEW)) {
        arm_view_timer(replica);
    }
    if (!replica->view_active && changes->collected_count >= replica->quorum &&
        pbft_is_primary(replica) && replica->may_vote &&
        changes->collected[replica->config.self] != NULL) {
        pbft_open_view(replica);
    }
    (void)pbft_try_pending(replica);
}

enum pbft_verdict pbft_complain(struct pbft_replica *replica)
{
    if (!replica->view_active || !replica->may_vote ||
        replica->view == UINT64_MAX || pbft_is_primary(replica)) {
        return PBFT_UNEXPECTED;
    }
    pbft_mark(PBFT_MARK_PRIMARY_LEFT);
    leave_for(replica, replica->view + 1);
    pbft_continue_view_change(replica);
    return PBFT_ACCEPTED;
}

enum pbft_verdict pbft_on_view_timeout(struct pbft_replica *replica)
{
    /* No lone escalation: Q replicas want this view or one after it, and its
     * primary did not come; else whoever cannot hear the others would climb
     * alone. */
    if (replica->view_active || !replica->may_vote ||
        replica->view == UINT64_MAX) {
        return PBFT_UNEXPECTED;
    }
    if (count_asking(replica) < replica->quorum) {
        pbft_mark(PBFT_MARK_NO_LONE_ESCALATION);
        return PBFT_UNEXPECTED;
    }
    pbft_mark(PBFT_MARK_VIEW_TIMEOUT);
    leave_for(replica, replica->view + 1);
    pbft_continue_view_change(replica);
    return PBFT_ACCEPTED;
}

/* Keeps the first of its signer for a view. */
static enum pbft_verdict keep_first(const struct pbft_message **place,
                                    const struct pbft_message *message)
{
    if (*place != NULL && (*place)->incarnation >= message->incarnation) {
        return pbft_digest_equal(&(*place)->view_change.digest,
                                 &message->view_change.digest)
                   ? PBFT_DUPLICATE
                   : PBFT_CONFLICTING;
    }
    pbft_keep(place, message);
    return PBFT_ACCEPTED;
}

/* One place per sender: whoever jumps from view to view displaces itself. */
static enum pbft_verdict keep_ahead(struct pbft_replica *replica,
                                    const struct pbft_message *message)
{
    const struct pbft_message **place =
        &replica->changes.ahead[message->sender];
    const pbft_view view = message->view_change.view;
    if (view < view_of(*place)) {
        return PBFT_OLD_VIEW;
    }
    if (view > view_of(*place)) {
        pbft_keep(place, NULL);
    }
    return keep_first(place, message);
}

enum pbft_verdict pbft_on_view_change(struct pbft_replica *replica,
                                      const struct pbft_message *message)
{
    struct pbft_view_changes *changes = &replica->changes;
    const pbft_view view = message->view_change.view;
    const pbft_seq stable = pbft_message_seq(message->view_change.stable);
    enum pbft_verdict verdict = PBFT_OLD_VIEW;
    if (stable % replica->config.checkpoint_interval != 0) {
        return PBFT_REJECTED; /* Attested, but no checkpoint. */
    }
    if (view > replica->peers[message->sender].view) {
        replica->peers[message->sender].view = view;
    }
    if (!pbft_is_void(replica, message) &&
        view >= view_of(replica->peers[message->sender].last_view_change)) {
        pbft_keep(&replica->peers[message->sender].last_view_change, message);
    }
    const bool was_wanted = pbft_offer_source(replica, message);
    if (pbft_is_void(replica, message)) {
        verdict = PBFT_REJECTED; /* It proves a NEW-VIEW, and asks nothing. */
    } else if (view > replica->view) {
        verdict = keep_ahead(replica, message);
    } else if (view == replica->view && !replica->view_active) {
        const bool is_first = changes->collected[message->sender] == NULL;
        verdict = keep_first(&changes->collected[message->sender], message);
        changes->collected_count += is_first;
    }
    pbft_continue_view_change(replica);
    return was_wanted ? PBFT_ACCEPTED : verdict;
}

const struct pbft_message *
pbft_find_view_change(const struct pbft_replica *replica,
                      const struct pbft_digest *digest)
{
    const struct pbft_view_changes *changes = &replica->changes;
    for (pbft_replica_id id = 0; id < replica->n; id++) {
        const struct pbft_message *const known[] = {
            changes->collected[id], changes->ahead[id], changes->found[id],
            changes->entered[id]};
        for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
            if (known[i] != NULL &&
                pbft_digest_equal(&known[i]->view_change.digest, digest)) {
                return known[i];
            }
        }
    }
    const struct pbft_message *own = replica->own_view_change;
    return own != NULL && pbft_digest_equal(&own->view_change.digest, digest)
               ? own
               : NULL;
}

/* What was sent so lately may be on its way. */
static bool is_view_change_stale(const struct pbft_replica *replica)
{
    PBFT_ASSERT(replica->view_change_at <= replica->now);
    return replica->now - replica->view_change_at >=
           replica->config.resend_interval_ms;
}

void pbft_resend_view_change(struct pbft_replica *replica)
{
    const struct pbft_message *own = replica->own_view_change;
    if (!replica->view_active && own != NULL && !pbft_is_void(replica, own) &&
        !pbft_is_recovering(replica) && is_view_change_stale(replica)) {
        pbft_send_all(replica, replica->own_view_change);
        replica->view_change_at = replica->now;
    }
}

bool pbft_resend_view(struct pbft_replica *replica, pbft_replica_id to,
                      const struct pbft_status_report *status)
{
    bool was_sent = false;
    if (status->view > replica->view ||
        (status->view == replica->view && status->view_active)) {
        return false;
    }
    if (replica->view_active && replica->new_view != NULL) {
        pbft_send_to(replica, to, replica->new_view);
        was_sent = true;
    }
    if (replica->own_view_change != NULL && !pbft_is_recovering(replica) &&
        !pbft_is_void(replica, replica->own_view_change) &&
        view_of(replica->own_view_change) == replica->view &&
        (status->reply_wanted || is_view_change_stale(replica))) {
        pbft_send_to(replica, to, replica->own_view_change);
        was_sent = true;
    }
    return was_sent;
}

void pbft_view_changes_deinit(struct pbft_replica *replica)
{
    struct pbft_view_changes *changes = &replica->changes;
    pbft_forget_pending(replica);
    for (pbft_replica_id id = 0; id < PBFT_REPLICAS_MAX; id++) {
        pbft_keep(&changes->collected[id], NULL);
        pbft_keep(&changes->ahead[id], NULL);
        pbft_keep(&changes->entered[id], NULL);
    }
}
