/* SPDX-License-Identifier: Apache-2.0 */
/* Lies in view changes: what was prepared, what is stable, who asked, what the
 * new view begins with. */
#include <string.h>

#include "consensus/assert.h"
#include "consensus/preimage.h"
#include "consensus/quorum.h"
#include "sim/adversary.h"
#include "sim/sim.h"

#define LATE_MAX_US (8000 * SIM_MS_US)

static struct random *random_of(struct host *host)
{
    return &host->sim->adversaries.random;
}

/* ---- view-changes ---------------------------------------------------------
 */

struct claim {
    pbft_view view;
    const struct pbft_message *stable;
    const struct pbft_message *prepared[PBFT_WINDOW_MAX];
    uint32_t count;
    const struct pbft_message *made; /* Owned; or NULL. */
};

static void omit_one(struct host *host, struct claim *claim)
{
    if (claim->count == 0) {
        return;
    }
    uint32_t at = (uint32_t)random_below(random_of(host), claim->count);
    claim->count--;
    memmove(&claim->prepared[at], &claim->prepared[at + 1],
            (claim->count - at) * sizeof claim->prepared[0]);
}

static void omit_all(struct host *host, struct claim *claim)
{
    (void)host;
    claim->count = 0;
}

static void move_view(struct host *host, struct claim *claim)
{
    claim->view = adversary_draw_number(random_of(host), claim->view);
}

/* A checkpoint that was stable once, or one that never was. */
static void change_stable(struct host *host, struct claim *claim)
{
    const struct pbft_message *other =
        adversary_recall_type(host->sim, PBFT_MESSAGE_STABLE);
    if (other != NULL && random_chance(random_of(host), 500)) {
        claim->stable = other;
    } else {
        claim->made = adversary_mutate(host, claim->stable);
        claim->stable = claim->made;
    }
}

/* One certificate spoiled in some way: it must not take others with it. */
static void spoil_one(struct host *host, struct claim *claim)
{
    if (claim->count == 0) {
        return;
    }
    uint32_t at = (uint32_t)random_below(random_of(host), claim->count);
    claim->made = adversary_mutate(host, claim->prepared[at]);
    claim->prepared[at] = claim->made;
}

/* A forged certificate that claims a higher view than a true one: it must not
 * shadow it. */
static void shadow_one(struct host *host, struct claim *claim)
{
    if (claim->count == 0 || claim->view == 0) {
        return;
    }
    uint32_t at = (uint32_t)random_below(random_of(host), claim->count);
    const struct pbft_prepared *true_one = &claim->prepared[at]->prepared;
    const struct pbft_message *header = true_one->pre_prepare;
    struct pbft_digest digest = header->pre_prepare.digest;
    digest.bytes[1] ^= 1;
    const struct pbft_origin origin = {
        .sender = pbft_primary_of(claim->view - 1, host->sim->settings.n),
        .incarnation = header->incarnation,
        .epoch = header->epoch,
        .signature = header->signature};
    struct pbft_message *forged = pbft_pre_prepare_create(
        &origin, claim->view - 1, header->pre_prepare.seq, &digest, NULL);
    claim->made =
        pbft_certificate_create(PBFT_MESSAGE_PREPARED, host->id, header->epoch,
                                forged, true_one->votes, true_one->vote_count);
    claim->prepared[at] = claim->made;
    pbft_message_unref(forged);
}

static void double_one(struct host *host, struct claim *claim)
{
    (void)host;
    if (claim->count > 0 && claim->count < PBFT_WINDOW_MAX) {
        claim->prepared[claim->count] = claim->prepared[claim->count - 1];
        claim->count++;
    }
}

struct pbft_message *
adversary_mutate_view_change(struct host *host,
                             const struct pbft_message *message)
{
    static void (*const lies[])(struct host * host, struct claim * claim) = {
        omit_one,  omit_all,   move_view, change_stable,
        spoil_one, shadow_one, double_one};
    const struct pbft_view_change *fields = &message->view_change;
    const struct pbft_origin origin = adversary_origin(host);
    struct claim claim = {.view = fields->view,
                          .stable = fields->stable,
                          .count = fields->prepared_count,
                          .made = NULL};
    for (uint32_t i = 0; i < claim.count; i++) {
        claim.prepared[i] = fields->prepared[i];
    }
    lies[random_below(random_of(host), sizeof lies / sizeof lies[0])](host,
                                                                      &claim);
    struct pbft_message *out =
        pbft_view_change_create(&host->domain, &origin, claim.view,
                                claim.stable, claim.prepared, claim.count);
    pbft_message_unref(claim.made);
    return out;
}

void adversary_lie_in_view_change(struct host *host, pbft_replica_id to,
                                  const struct pbft_message *message)
{
    if (message->type != PBFT_MESSAGE_VIEW_CHANGE ||
        message->sender != host->id) {
        adversary_speak(host, to, message);
        return;
    }
    if (random_chance(random_of(host), 200)) { /* An old one instead. */
        const struct pbft_message *old =
            adversary_recall_type(host->sim, PBFT_MESSAGE_VIEW_CHANGE);
        adversary_count(host);
        adversary_deliver(host, to, old == NULL ? message : old, 0);
        return;
    }
    adversary_say(host, to, adversary_mutate_view_change(host, message));
}

/* ---- new-views ------------------------------------------------------------
 */

struct plan {
    pbft_view view;
    struct pbft_new_view_source sources[PBFT_REPLICAS_MAX];
    uint32_t source_count;
    const struct pbft_message *headers[PBFT_WINDOW_MAX];
    uint32_t header_count;
    struct pbft_message *made; /* Owned; or NULL. */
};

static void drop_source(struct host *host, struct plan *plan)
{
    (void)host;
    plan->source_count -= plan->source_count > 0;
}

static void double_source(struct host *host, struct plan *plan)
{
    (void)host;
    if (plan->source_count > 1) {
        plan->sources[0] = plan->sources[1];
    }
}

/* Another view-change that was seen, of this view or of another one. */
static void swap_source(struct host *host, struct plan *plan)
{
    const struct pbft_message *other =
        adversary_recall_type(host->sim, PBFT_MESSAGE_VIEW_CHANGE);
    if (other == NULL || plan->source_count == 0) {
        return;
    }
    uint64_t at = random_below(random_of(host), plan->source_count);
    plan->sources[at] =
        (struct pbft_new_view_source){other->sender, other->view_change.digest};
}

static void drop_header(struct host *host, struct plan *plan)
{
    if (plan->header_count == 0) {
        return;
    }
    uint32_t at = (uint32_t)random_below(random_of(host), plan->header_count);
    plan->header_count--;
    memmove(&plan->headers[at], &plan->headers[at + 1],
            (plan->header_count - at) * sizeof plan->headers[0]);
}

static struct pbft_message *make_header(struct host *host, pbft_view view,
                                        pbft_seq seq,
                                        const struct pbft_digest *digest)
{
    const struct pbft_origin origin = adversary_origin(host);
    struct pbft_message *header =
        pbft_pre_prepare_create(&origin, view, seq, digest, NULL);
    PBFT_ASSERT(header != NULL);
    pbft_message_sign(&host->domain, header);
    return header;
}

/* Nothing where something was prepared, or something else. */
static void change_header(struct host *host, struct plan *plan)
{
    struct pbft_digest digest;
    if (plan->header_count == 0) {
        return;
    }
    uint32_t at = (uint32_t)random_below(random_of(host), plan->header_count);
    const struct pbft_message *seen = adversary_recall(host->sim);
    pbft_null_digest(&host->domain, &digest);
    if (seen != NULL && random_chance(random_of(host), 500)) {
        digest = *trace_digest_of(seen);
    }
    plan->made = make_header(host, plan->view,
                             plan->headers[at]->pre_prepare.seq, &digest);
    plan->headers[at] = plan->made;
}

static void add_header(struct host *host, struct plan *plan)
{
    struct pbft_digest digest;
    if (plan->header_count == 0 || plan->header_count == PBFT_WINDOW_MAX) {
        return;
    }
    pbft_null_digest(&host->domain, &digest);
    pbft_seq last = plan->headers[plan->header_count - 1]->pre_prepare.seq;
    plan->made = make_header(host, plan->view, last + 1, &digest);
    plan->headers[plan->header_count++] = plan->made;
}

static void move_new_view(struct host *host, struct plan *plan)
{
    plan->view += host->sim->settings.n;
}

struct pbft_message *
adversary_mutate_new_view(struct host *host, const struct pbft_message *message)
{
    static void (*const lies[])(struct host * host, struct plan * plan) = {
        drop_source,   double_source, swap_source,  drop_header,
        change_header, add_header,    move_new_view};
    const struct pbft_new_view *fields = &message->new_view;
    const struct pbft_origin origin = adversary_origin(host);
    struct plan plan = {.view = fields->view,
                        .source_count = fields->view_change_count,
                        .header_count = fields->pre_prepare_count,
                        .made = NULL};
    memcpy(plan.sources, fields->view_changes,
           plan.source_count * sizeof plan.sources[0]);
    for (uint32_t i = 0; i < plan.header_count; i++) {
        plan.headers[i] = fields->pre_prepares[i];
    }
    lies[random_below(random_of(host), sizeof lies / sizeof lies[0])](host,
                                                                      &plan);
    struct pbft_message *out = pbft_new_view_create(
        &origin, plan.view, plan.sources, plan.source_count, plan.headers,
        plan.header_count);
    pbft_message_unref(plan.made);
    return out;
}

/* A different one to each, a true one too late, or none. */
void adversary_lie_in_new_view(struct host *host, pbft_replica_id to,
                               const struct pbft_message *message)
{
    if (message->type != PBFT_MESSAGE_NEW_VIEW || message->sender != host->id) {
        adversary_speak(host, to, message);
    } else if (random_chance(random_of(host), 250)) {
        adversary_count(host);
        adversary_deliver(host, to, message,
                          random_below(random_of(host), LATE_MAX_US));
    } else {
        adversary_say(host, to, adversary_mutate_new_view(host, message));
    }
}

/* ---- views that nobody asked for ------------------------------------------
 */

void adversary_jump_views(struct host *host)
{
    struct pbft_report report;
    pbft_replica_id to = adversary_draw_victim(host);
    const struct pbft_origin origin = adversary_origin(host);
    const struct pbft_message *stable =
        adversary_recall_type(host->sim, PBFT_MESSAGE_STABLE);
    const struct pbft_message *new_view =
        adversary_recall_type(host->sim, PBFT_MESSAGE_NEW_VIEW);
    const struct pbft_attestation genesis = {.seq = 0};
    struct pbft_message *empty =
        pbft_stable_create(host->id, origin.epoch, &genesis, NULL, 0);
    PBFT_ASSERT(empty != NULL);
    pbft_replica_report(host_replica(host), &report);
    pbft_view view = random_chance(random_of(host), 500)
                         ? report.view + 1
                         : adversary_draw_number(random_of(host), report.view);
    adversary_say(host, to,
                  pbft_view_change_create(&host->domain, &origin, view,
                                          stable == NULL ? empty : stable, NULL,
                                          0));
    if (new_view != NULL) { /* For a view of its own, far ahead. */
        uint32_t n = host->sim->settings.n;
        const struct pbft_new_view *fields = &new_view->new_view;
        adversary_say(host, to,
                      pbft_new_view_create(
                          &origin, view - view % n + host->id,
                          fields->view_changes, fields->view_change_count,
                          fields->pre_prepares, fields->pre_prepare_count));
    }
    pbft_message_unref(empty);
}
