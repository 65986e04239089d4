/* SPDX-License-Identifier: Apache-2.0 */
/* Entering a view (OSDI'99 4.4; design: P6): what the new primary proposes
 * again follows from Q view-changes alone, so every backup computes it too. */
#include "consensus/replica.h"
#include "consensus/selection.h"

void pbft_accept_reproposed(struct pbft_replica *replica)
{
    if (replica->new_view == NULL || !replica->view_active ||
        pbft_message_view(replica->new_view) != replica->view) {
        return;
    }
    const struct pbft_new_view *fields = &replica->new_view->new_view;
    for (uint32_t i = 0; i < fields->pre_prepare_count; i++) {
        const struct pbft_message *header = fields->pre_prepares[i];
        struct pbft_slot *slot =
            pbft_slot_log_at(&replica->log, pbft_message_seq(header));
        if (slot == NULL) {
            continue; /* Stable already, or beyond our window as yet. */
        }
        slot->is_reproposed = true;
        if (slot->header == NULL) {
            pbft_accept(replica, slot, header);
            pbft_advance_slot(replica, slot); /* Logged before it is resent. */
        }
    }
}

/* The seq after the last one that the view began with. */
static pbft_seq next_after(const struct pbft_message *new_view,
                           pbft_seq stable_seq)
{
    const struct pbft_new_view *fields = &new_view->new_view;
    return fields->pre_prepare_count == 0
               ? stable_seq + 1
               : pbft_message_seq(
                     fields->pre_prepares[fields->pre_prepare_count - 1]) +
                     1;
}

pbft_seq pbft_next_after_new_view(const struct pbft_replica *replica)
{
    return replica->new_view == NULL ||
                   pbft_message_view(replica->new_view) != replica->view
               ? 0
               : next_after(replica->new_view, replica->view_floor);
}

static void keep_sources(struct pbft_replica *replica,
                         const struct pbft_selection *selection)
{
    struct pbft_view_changes *changes = &replica->changes;
    PBFT_ASSERT(replica->view_active);
    for (pbft_replica_id id = 0; id < replica->n; id++) {
        pbft_keep(&changes->entered[id], selection->sources[id]);
    }
    for (pbft_replica_id id = 0; id < replica->n; id++) {
        pbft_keep(&changes->collected[id], NULL);
        if (changes->ahead[id] != NULL &&
            pbft_message_view(changes->ahead[id]) <= replica->view) {
            pbft_keep(&changes->ahead[id], NULL);
        }
    }
    changes->collected_count = 0;
}

/* The NEW-VIEW is durable before anything is said in its view. */
static void enter(struct pbft_replica *replica,
                  const struct pbft_message *new_view,
                  const struct pbft_selection *selection)
{
    const pbft_view view = pbft_message_view(new_view);
    const pbft_seq stable_seq = pbft_message_seq(selection->stable);
    PBFT_ASSERT(view >= replica->view);
    PBFT_ASSERT(new_view->sender == pbft_primary_of(view, replica->n));
    PBFT_ASSERT(stable_seq % replica->config.checkpoint_interval == 0);
    PBFT_ASSERT(view > replica->view || !replica->view_active);
    if (view > replica->view) {
        replica->view = view;
        pbft_forget_view(replica);
    }
    replica->view_active = true;
    pbft_mark(PBFT_MARK_NEW_VIEW_ENTERED);
    pbft_keep(&replica->new_view, new_view);
    replica->view_floor = stable_seq;
    pbft_log_record(replica, PBFT_RECORD_NEW_VIEW, stable_seq, new_view);
    keep_sources(replica, selection);
    pbft_timers_disarm(&replica->timers, PBFT_TIMER_VIEW);
    pbft_requests_wait_again(&replica->requests);
    pbft_restart_request_timers(replica);
    pbft_monitor_new_view(replica);
    replica->proposed_due = 0;
    replica->gathering_since = replica->now;
    replica->recovery.owed_since = replica->now;
    replica->changes.entered_at = replica->now;
    replica->changes.has_lasted = false;
    replica->next_seq = next_after(new_view, stable_seq);
    replica->body_peer = pbft_primary(replica) == replica->config.self
                             ? (replica->config.self + 1) % replica->n
                             : pbft_primary(replica);
    pbft_accept_reproposed(replica);
    if (stable_seq > replica->log.low) {
        (void)pbft_on_stable(replica, selection->stable);
    }
    pbft_fetch_bodies(replica);
    pbft_advance_all(replica);
}

static const struct pbft_message *
build_new_view(struct pbft_replica *replica,
               const struct pbft_selection *selection)
{
    const struct pbft_origin origin = pbft_own_origin(replica);
    struct pbft_new_view_source named[PBFT_REPLICAS_MAX];
    const struct pbft_message **headers = selection->choice;
    uint32_t named_count = 0;
    for (pbft_replica_id id = 0; id < replica->n; id++) {
        const struct pbft_message *source = selection->sources[id];
        if (source != NULL) {
            named[named_count].replica = id;
            named[named_count].digest = source->view_change.digest;
            named_count++;
        }
    }
    for (uint32_t i = 0; i < selection->count; i++) {
        headers[i] = pbft_signed(
            replica, pbft_pre_prepare_create(
                         &origin, replica->view, selection->first + i,
                         pbft_chosen_digest(replica, selection, i), NULL));
    }
    const struct pbft_message *new_view = pbft_signed(
        replica, pbft_new_view_create(&origin, replica->view, named,
                                      named_count, headers, selection->count));
    for (uint32_t i = 0; i < selection->count; i++) {
        pbft_message_unref(headers[i]);
    }
    PBFT_ASSERT(named_count >= replica->quorum);
    return new_view;
}

void pbft_open_view(struct pbft_replica *replica)
{
    const struct pbft_message *sources[PBFT_REPLICAS_MAX] = {NULL};
    struct pbft_selection selection = {.sources = sources,
                                       .choice = replica->changes.choice};
    PBFT_ASSERT(pbft_is_primary(replica));
    PBFT_ASSERT(!replica->view_active);
    PBFT_ASSERT(replica->changes.collected_count >= replica->quorum);
    for (pbft_replica_id id = 0; id < replica->n; id++) {
        if (replica->changes.collected[id] != NULL) {
            sources[id] = pbft_message_ref(replica->changes.collected[id]);
        }
    }
    pbft_mark(PBFT_MARK_NEW_VIEW_OPENED);
    pbft_select(replica, &selection);
    const struct pbft_message *new_view = build_new_view(replica, &selection);
    pbft_forget_pending(replica);
    enter(replica, new_view, &selection);
    pbft_send_all(replica, new_view);
    pbft_message_unref(new_view);
    for (pbft_replica_id id = 0; id < replica->n; id++) {
        pbft_message_unref(sources[id]);
    }
}

void pbft_forget_pending(struct pbft_replica *replica)
{
    pbft_keep(&replica->changes.pending, NULL);
    for (pbft_replica_id id = 0; id < PBFT_REPLICAS_MAX; id++) {
        pbft_keep(&replica->changes.found[id], NULL);
    }
}

static const struct pbft_new_view_source *
named_source(const struct pbft_message *new_view, pbft_replica_id id)
{
    const struct pbft_new_view *fields = &new_view->new_view;
    for (uint32_t i = 0; i < fields->view_change_count; i++) {
        if (fields->view_changes[i].replica == id) {
            return &fields->view_changes[i];
        }
    }
    return NULL;
}

bool pbft_offer_source(struct pbft_replica *replica,
                       const struct pbft_message *view_change)
{
    const struct pbft_message *pending = replica->changes.pending;
    const pbft_replica_id id = view_change->sender;
    if (pending == NULL || replica->changes.found[id] != NULL) {
        return false;
    }
    const struct pbft_new_view_source *named = named_source(pending, id);
    if (named == NULL ||
        !pbft_digest_equal(&named->digest, &view_change->view_change.digest)) {
        return false;
    }
    pbft_keep(&replica->changes.found[id], view_change);
    return true;
}

/* How many of the named view-changes are still unknown. */
static uint32_t resolve_sources(struct pbft_replica *replica)
{
    const struct pbft_new_view *fields = &replica->changes.pending->new_view;
    uint32_t missing = 0;
    PBFT_ASSERT(fields->view_change_count <= replica->n);
    for (uint32_t i = 0; i < fields->view_change_count; i++) {
        const struct pbft_new_view_source *named = &fields->view_changes[i];
        const struct pbft_message **found =
            &replica->changes.found[named->replica];
        if (*found == NULL) {
            const struct pbft_message *known =
                pbft_find_view_change(replica, &named->digest);
            if (known != NULL && known->sender == named->replica) {
                pbft_keep(found, known);
            }
        }
        missing += *found == NULL;
    }
    return missing;
}

void pbft_fetch_sources(struct pbft_replica *replica)
{
    const struct pbft_message *pending = replica->changes.pending;
    if (pending == NULL) {
        return;
    }
    const struct pbft_new_view *fields = &pending->new_view;
    for (uint32_t i = 0; i < fields->view_change_count; i++) {
        const struct pbft_new_view_source *named = &fields->view_changes[i];
        const struct pbft_fetch fetch = {.kind = PBFT_FETCH_VIEW_CHANGE,
                                         .digest = named->digest};
        if (replica->changes.found[named->replica] != NULL) {
            continue;
        }
        /* Any holder will do: who named it, and who sent it. */
        pbft_send_fetch(replica, pending->sender, &fetch);
        if (named->replica != pending->sender &&
            named->replica != replica->config.self) {
            pbft_send_fetch(replica, named->replica, &fetch);
        }
    }
}

/* OSDI'99 4.4: a backup accepts a NEW-VIEW if it is signed, its view-changes
 * are for its view, and O is what the backup computes itself. */
static bool is_correct(const struct pbft_replica *replica,
                       const struct pbft_selection *selection,
                       const struct pbft_new_view *fields)
{
    if (fields->pre_prepare_count != selection->count) {
        return false;
    }
    for (uint32_t i = 0; i < selection->count; i++) {
        const struct pbft_pre_prepare *header =
            &fields->pre_prepares[i]->pre_prepare;
        if (header->seq != selection->first + i ||
            !pbft_digest_equal(&header->digest,
                               pbft_chosen_digest(replica, selection, i))) {
            return false;
        }
    }
    return true;
}

static bool are_for_view(const struct pbft_replica *replica, pbft_view view)
{
    uint32_t count = 0;
    for (pbft_replica_id id = 0; id < replica->n; id++) {
        const struct pbft_message *found = replica->changes.found[id];
        if (found != NULL && pbft_message_view(found) != view) {
            return false;
        }
        count += found != NULL;
    }
    return count >= replica->quorum;
}

/* An incarnation that is no more takes part in the pending NEW-VIEW: it may not
 * know of what its successor promised. */
static bool has_void_source(const struct pbft_replica *replica)
{
    bool is_found = pbft_is_void(replica, replica->changes.pending);
    for (pbft_replica_id id = 0; id < replica->n; id++) {
        const struct pbft_message *found = replica->changes.found[id];
        is_found = is_found || (found != NULL && pbft_is_void(replica, found));
    }
    return is_found;
}

/* Something prepared above the watermark, that a view must not lose. */
static bool holds_prepared(const struct pbft_replica *replica)
{
    const pbft_seq high = pbft_slot_log_high(&replica->log);
    for (pbft_seq seq = replica->log.low + 1; seq <= high; seq++) {
        if (pbft_slot_log_at(&replica->log, seq)->prepared != NULL) {
            return true;
        }
    }
    return false;
}

static void note_refuted(struct pbft_view_changes *changes, pbft_view view)
{
    if (changes->refuted_view != view) {
        changes->refuted_view = view;
        changes->refuted_count = 0;
    }
    changes->refuted_count++;
    pbft_mark(PBFT_MARK_NEW_VIEW_REFUTED);
}

enum pbft_verdict pbft_try_pending(struct pbft_replica *replica)
{
    const struct pbft_message *pending = replica->changes.pending;
    if (pending == NULL) {
        return PBFT_UNEXPECTED;
    }
    if (resolve_sources(replica) > 0) {
        pbft_mark(PBFT_MARK_NEW_VIEW_LACKS_SOURCE);
        return PBFT_UNEXPECTED;
    }
    if (!pbft_knows_incarnations(replica)) {
        return PBFT_UNEXPECTED; /* Nor which of the sources are void. */
    }
    const pbft_view view = pbft_message_view(pending);
    struct pbft_selection selection = {.sources = replica->changes.found,
                                       .choice = replica->changes.choice};
    bool is_accepted = false;
    if (view > replica->view ||
        (view == replica->view && !replica->view_active)) {
        if (has_void_source(replica) && holds_prepared(replica)) {
            pbft_forget_pending(replica); /* Until it is stable, or never. */
            return PBFT_REJECTED;
        }
        if (are_for_view(replica, view)) {
            pbft_select(replica, &selection);
            is_accepted = is_correct(replica, &selection, &pending->new_view);
        }
        if (is_accepted) {
            enter(replica, pending, &selection);
        } else {
            note_refuted(&replica->changes, view);
        }
    }
    pbft_forget_pending(replica);
    return is_accepted ? PBFT_ACCEPTED : PBFT_REJECTED;
}

/* At least one honest peer has come to this view. */
static pbft_view credible_view(const struct pbft_replica *replica)
{
    pbft_view highest[PBFT_WEAK_QUORUM_MAX] = {0};
    for (pbft_replica_id id = 0; id < replica->n; id++) {
        pbft_view view = replica->peers[id].view;
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

enum pbft_verdict pbft_on_new_view(struct pbft_replica *replica,
                                   const struct pbft_message *message)
{
    const pbft_view view = message->new_view.view;
    const struct pbft_message *pending = replica->changes.pending;
    if (view < replica->view) {
        return PBFT_OLD_VIEW;
    }
    if (view == replica->view && replica->view_active) {
        return PBFT_DUPLICATE;
    }
    if (view > replica->view && view > credible_view(replica)) {
        return PBFT_FUTURE_VIEW; /* One replica's word moves nobody. */
    }
    if (view == replica->changes.refuted_view &&
        replica->changes.refuted_count >= PBFT_NEW_VIEW_TRIES_MAX) {
        return PBFT_REJECTED; /* Without a look. */
    }
    if (pending != NULL && pbft_message_view(pending) >= view) {
        return PBFT_DUPLICATE;
    }
    pbft_forget_pending(replica);
    pbft_keep(&replica->changes.pending, message);
    if (resolve_sources(replica) > 0) {
        pbft_fetch_sources(replica);
        return PBFT_ACCEPTED; /* For now: the view-changes are on their way. */
    }
    return pbft_try_pending(replica);
}
