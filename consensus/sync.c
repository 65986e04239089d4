/* SPDX-License-Identifier: Apache-2.0 */
/* Catching up by certified blocks (design: P9, P11).
 *
 * A block with its commit certificate proves itself, so it may come from
 * anyone, for any seq, without slots and without votes. Asked for in order,
 * from one peer at a time, a bounded stretch ahead.
 */
#include "consensus/replica.h"

/* The next stretch is asked for when so much of the last one is left. */
#define REFILL_AT (PBFT_FETCH_BLOCKS_MAX / 2)
/* The pace of a donor: milliseconds for a full stretch, and one. So slow is who
 * brought nothing. */
#define PACE_NONE UINT32_MAX
#define STRETCH_MAX_MS 3600000u

static void forget_blocks(struct pbft_sync *sync)
{
    for (uint32_t i = 0; i < PBFT_FETCH_BLOCKS_MAX; i++) {
        pbft_keep(&sync->blocks[i], NULL);
    }
}

void pbft_sync_deinit(struct pbft_sync *sync)
{
    forget_blocks(sync);
    for (uint32_t i = 0; i < PBFT_SYNC_HANDED_MAX; i++) {
        pbft_keep(&sync->handed[i], NULL);
    }
}

void pbft_send_fetch(struct pbft_replica *replica, pbft_replica_id to,
                     const struct pbft_fetch *fetch)
{
    const struct pbft_origin origin = pbft_own_origin(replica);
    PBFT_ASSERT(to != replica->config.self);
    const struct pbft_message *message =
        pbft_signed(replica, pbft_fetch_create(&origin, fetch));
    pbft_send_to(replica, to, message);
    pbft_message_unref(message);
}

/* The f + 1st highest claim: at least one honest peer has come so far, and
 * nobody can lure us to a height that does not exist. */
static pbft_seq credible_height(const struct pbft_replica *replica)
{
    pbft_seq highest[PBFT_WEAK_QUORUM_MAX] = {0};
    PBFT_ASSERT(replica->weak <= PBFT_WEAK_QUORUM_MAX);
    for (pbft_replica_id id = 0; id < replica->n; id++) {
        pbft_seq seq = replica->peers[id].executed;
        for (uint32_t i = 0; i < replica->weak; i++) {
            if (seq > highest[i]) {
                pbft_seq lower = highest[i];
                highest[i] = seq;
                seq = lower;
            }
        }
    }
    return highest[replica->weak - 1];
}

void pbft_note_executed(struct pbft_replica *replica, pbft_replica_id peer,
                        pbft_seq seq)
{
    PBFT_ASSERT(peer < replica->n);
    PBFT_ASSERT(replica->executed <= replica->committed);
    if (seq <= replica->peers[peer].executed) {
        return;
    }
    replica->peers[peer].executed = seq;
    if (seq > replica->behind && seq > replica->committed) {
        const pbft_seq height = credible_height(replica);
        if (height > replica->behind) {
            replica->behind = height;
        }
    }
}

/* Of those who claim to have what we lack, the one that was fastest; of equals,
 * and who was not tried is equal to the fastest, the next after `from`. */
static pbft_replica_id choose_peer(const struct pbft_replica *replica,
                                   pbft_replica_id from)
{
    pbft_replica_id best = replica->n;
    for (uint32_t i = 1; i <= replica->n; i++) {
        const pbft_replica_id id = (from + i) % replica->n;
        const struct pbft_peer *peer = &replica->peers[id];
        if (id != replica->config.self && peer->executed > replica->committed &&
            (best == replica->n || peer->pace < replica->peers[best].pace)) {
            best = id;
        }
    }
    if (best < replica->n) {
        return best;
    }
    return (from + 1) % replica->n == replica->config.self
               ? (from + 2) % replica->n
               : (from + 1) % replica->n;
}

static void ask(struct pbft_replica *replica)
{
    struct pbft_sync *sync = &replica->sync;
    if (sync->requested < replica->committed) {
        sync->requested = replica->committed;
    }
    pbft_seq last = replica->committed + PBFT_FETCH_BLOCKS_MAX;
    if (last > replica->behind) {
        last = replica->behind;
    }
    if (replica->committed - replica->executed >= PBFT_SYNC_BACKLOG_MAX ||
        sync->requested >= last ||
        sync->requested - replica->committed > REFILL_AT) {
        return;
    }
    const struct pbft_fetch fetch = {
        .kind = PBFT_FETCH_BLOCKS, .seq = sync->requested + 1, .last = last};
    PBFT_ASSERT(fetch.last - fetch.seq < PBFT_FETCH_BLOCKS_MAX);
    pbft_mark(PBFT_MARK_BLOCKS_FETCHED);
    pbft_send_fetch(replica, sync->peer, &fetch);
    sync->requested = last;
}

/* A stretch is complete: how long its donor took for it. Short ones tell more
 * of the distance than of the donor. */
static void note_pace(struct pbft_replica *replica)
{
    struct pbft_sync *sync = &replica->sync;
    const pbft_seq count = sync->goal - sync->begun;
    PBFT_ASSERT(count <= PBFT_FETCH_BLOCKS_MAX);
    PBFT_ASSERT(replica->now >= sync->begun_at);
    pbft_time_ms took = replica->now - sync->begun_at;
    took = took < STRETCH_MAX_MS ? took : STRETCH_MAX_MS;
    if (count >= REFILL_AT) {
        replica->peers[sync->peer].pace =
            1 + (uint32_t)(took * PBFT_FETCH_BLOCKS_MAX / count);
    }
}

/* Whom we need tomorrow may be another one. */
static void forget_paces(struct pbft_replica *replica)
{
    for (pbft_replica_id id = 0; id < replica->n; id++) {
        replica->peers[id].pace = 0;
    }
}

/* A donor just fast enough to be kept could hold us behind for ever: who does
 * not bring us nearer to the others makes place for one that is twice as fast,
 * or was not tried. Whoever waits for his own disk blames nobody. */
static bool is_outpaced(const struct pbft_replica *replica)
{
    const struct pbft_sync *sync = &replica->sync;
    const pbft_replica_id other = choose_peer(replica, sync->peer);
    const bool is_gaining =
        sync->gap == 0 || replica->behind - replica->committed < sync->gap;
    const bool is_busy =
        replica->committed - replica->executed > PBFT_FETCH_BLOCKS_MAX;
    return !is_gaining && !is_busy && other != sync->peer &&
           replica->peers[other].pace < replica->peers[sync->peer].pace / 2;
}

/* Asks another one for all that is still missing. */
static void change_donor(struct pbft_replica *replica)
{
    struct pbft_sync *sync = &replica->sync;
    pbft_mark(PBFT_MARK_DONOR_CHANGED);
    sync->peer = choose_peer(replica, sync->peer);
    sync->requested = replica->committed;
    sync->begun = replica->committed;
    sync->goal = replica->committed;
    PBFT_ASSERT(sync->peer != replica->config.self);
}

/* What was asked for is owed within the time that a request may take. Blocks
 * that come meanwhile do not prolong it: with one at a time a lying donor would
 * keep us behind for ever, so with f of them it takes f + 1 attempts. */
static void begin_stretch(struct pbft_replica *replica)
{
    struct pbft_sync *sync = &replica->sync;
    sync->gap = replica->behind - replica->committed;
    sync->begun = replica->committed;
    sync->begun_at = replica->now;
    sync->goal = sync->requested;
    sync->deadline =
        pbft_time_after(replica->now, replica->config.request_timeout_ms);
    PBFT_ASSERT(sync->goal > sync->begun);
}

static void watch_donor(struct pbft_replica *replica)
{
    struct pbft_sync *sync = &replica->sync;
    if (replica->committed < sync->goal) {
        if (replica->now >= sync->deadline) {
            pbft_sync_rotate(replica);
        }
    } else if (sync->goal > sync->begun) {
        note_pace(replica);
        sync->patience_ms = 0;
        if (is_outpaced(replica)) {
            change_donor(replica);
        }
        sync->begun = sync->goal; /* It is judged once. */
    }
}

/* Commits all buffered blocks whose turn has come. */
static void take_buffered(struct pbft_replica *replica)
{
    for (;;) {
        const pbft_seq seq = replica->committed + 1;
        const struct pbft_message **place =
            &replica->sync.blocks[seq % PBFT_FETCH_BLOCKS_MAX];
        const struct pbft_message *block = *place;
        if (block == NULL || pbft_message_seq(block) != seq) {
            return;
        }
        struct pbft_slot *slot = pbft_slot_log_at(&replica->log, seq);
        PBFT_ASSERT(block->type == PBFT_MESSAGE_COMMITTED);
        PBFT_ASSERT(block->committed.vote_count >= replica->quorum);
        if (slot == NULL) {
            pbft_keep(&replica->sync.handed[seq % PBFT_SYNC_HANDED_MAX], block);
        } else if (slot->committed == NULL) {
            pbft_keep(&slot->committed, block);
        }
        pbft_deliver_block(replica, block);
        pbft_keep(place, NULL);
        pbft_deliver(replica); /* Slots behind it may have waited for it. */
    }
}

const struct pbft_message *pbft_sync_take_handed(struct pbft_sync *sync,
                                                 pbft_seq seq)
{
    const struct pbft_message **place =
        &sync->handed[seq % PBFT_SYNC_HANDED_MAX];
    const struct pbft_message *block = *place;
    if (block == NULL || pbft_message_seq(block) != seq) {
        return NULL;
    }
    *place = NULL;
    return block;
}

void pbft_sync_continue(struct pbft_replica *replica)
{
    struct pbft_sync *sync = &replica->sync;
    if (replica->stage != PBFT_STAGE_RUNNING || replica->n == 1) {
        return;
    }
    take_buffered(replica);
    if (replica->behind <= replica->committed) {
        if (sync->is_active) {
            sync->is_active = false;
            sync->patience_ms = 0;
            forget_blocks(sync);
            forget_paces(replica);
        }
        return;
    }
    /* In the window votes will do, if they come: on_stall() says when not.
     * Between views no vote counts. */
    if (!sync->is_active &&
        (replica->behind > pbft_slot_log_high(&replica->log) ||
         !replica->view_active)) {
        pbft_sync_rotate(replica);
    }
    if (sync->is_active) {
        watch_donor(replica);
        ask(replica);
        if (sync->goal <= replica->committed &&
            sync->requested > replica->committed) {
            begin_stretch(replica);
        }
    }
}

void pbft_sync_rotate(struct pbft_replica *replica)
{
    struct pbft_sync *sync = &replica->sync;
    PBFT_ASSERT(replica->n > 1);
    if (sync->is_active) {
        replica->peers[sync->peer].pace = PACE_NONE;
    }
    sync->is_active = replica->behind > replica->committed;
    change_donor(replica);
    if (!sync->is_active) {
        forget_paces(replica);
    }
}

void pbft_sync_on_stall(struct pbft_replica *replica)
{
    struct pbft_sync *sync = &replica->sync;
    const pbft_time_ms least = replica->config.resend_interval_ms;
    const pbft_time_ms most = replica->config.request_timeout_ms;
    /* Whoever waits for his own disk blames nobody. */
    if (replica->behind <= replica->committed ||
        (sync->is_active &&
         replica->committed - replica->executed >= PBFT_SYNC_BACKLOG_MAX)) {
        return;
    }
    if (sync->is_active) {
        if (sync->patience_ms < least) {
            sync->patience_ms = least;
        }
        if (replica->now < pbft_time_after(sync->begun_at, sync->patience_ms)) {
            return;
        }
        sync->patience_ms =
            sync->patience_ms < most / 2 ? 2 * sync->patience_ms : most;
    }
    pbft_sync_rotate(replica);
}

void pbft_fetch_stable(struct pbft_replica *replica)
{
    const struct pbft_fetch fetch = {.kind = PBFT_FETCH_STABLE};
    /* In turn, for the highest claim may be a lie. */
    for (uint32_t i = 1; i <= replica->n; i++) {
        const pbft_replica_id id = (replica->stable_peer + i) % replica->n;
        if (id != replica->config.self &&
            replica->peers[id].stable > replica->log.low) {
            replica->stable_peer = id;
            pbft_mark(PBFT_MARK_STABLE_FETCHED);
            pbft_send_fetch(replica, id, &fetch);
            return;
        }
    }
}

void pbft_ask_claimant(struct pbft_replica *replica)
{
    struct pbft_sync *sync = &replica->sync;
    const bool has_moved = sync->stalled_seq != replica->committed;
    PBFT_ASSERT(replica->n > 1);
    sync->stalled_seq = replica->committed;
    if (has_moved || sync->is_active || replica->behind > replica->committed) {
        return; /* Votes come, or blocks were asked for. */
    }
    const pbft_replica_id peer = choose_peer(replica, sync->peer);
    pbft_seq last = replica->peers[peer].executed;
    sync->peer = peer;
    if (last <= replica->committed) {
        return;
    }
    if (last - replica->committed > PBFT_FETCH_BLOCKS_MAX) {
        last = replica->committed + PBFT_FETCH_BLOCKS_MAX;
    }
    const struct pbft_fetch fetch = {
        .kind = PBFT_FETCH_BLOCKS, .seq = replica->committed + 1, .last = last};
    pbft_send_fetch(replica, peer, &fetch);
}

enum pbft_verdict pbft_on_committed(struct pbft_replica *replica,
                                    const struct pbft_message *message)
{
    const struct pbft_message *pre_prepare = message->committed.pre_prepare;
    const pbft_seq seq = pre_prepare->pre_prepare.seq;
    if (seq <= replica->committed) {
        return PBFT_DUPLICATE;
    }
    /* Asked for or not: it proves itself, and there is a place for it. */
    if (seq - replica->committed > PBFT_FETCH_BLOCKS_MAX ||
        replica->committed - replica->executed >=
            PBFT_SYNC_BACKLOG_MAX + PBFT_FETCH_BLOCKS_MAX) {
        return PBFT_UNEXPECTED;
    }
    if (pre_prepare->pre_prepare.body == NULL ||
        message->committed.vote_count < replica->quorum ||
        message->epoch != replica->keyring->epoch) {
        return PBFT_REJECTED;
    }
    const struct pbft_message **place =
        &replica->sync.blocks[seq % PBFT_FETCH_BLOCKS_MAX];
    if (*place != NULL && pbft_message_seq(*place) == seq) {
        return PBFT_DUPLICATE;
    }
    pbft_note_own_votes(replica, message);
    pbft_keep(place, message);
    take_buffered(replica);
    return PBFT_ACCEPTED;
}
