/* SPDX-License-Identifier: Apache-2.0 */
/* What a view begins with is a function of the view-changes that its new-view
 * names (OSDI'99 4.4). Computed here again for each new-view that an honest
 * replica enters, with everything checked anew. */
#include <inttypes.h>
#include <string.h>

#include "consensus/preimage.h"
#include "consensus/quorum.h"
#include "sim/audit_rules.h"
#include "sim/sim.h"

static bool is_equal(const struct pbft_digest *a, const struct pbft_digest *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

static void keep(struct sim *sim, const struct pbft_message *message)
{
    bool is_new;
    if (message->type == PBFT_MESSAGE_VIEW_CHANGE) {
        struct table_entry *entry = audit_fact(
            sim, FACT_VIEW_CHANGE_TEXT, 0,
            audit_fold(&message->view_change.digest), message->sender, &is_new);
        if (is_new) {
            entry->bits = audit_keep(&sim->auditor, message);
        }
    }
}

static void keep_received(struct sim *sim, const struct host *host,
                          const struct pbft_message *message)
{
    (void)host;
    keep(sim, message);
}

static bool is_signed_by(const struct sim *sim,
                         const struct pbft_domain *domain,
                         const struct pbft_preimage *preimage,
                         pbft_replica_id signer,
                         const struct pbft_signature *signature)
{
    return signer < sim->settings.n &&
           domain->crypto->verify(
               domain->crypto->context, &sim->keyring.keys[signer],
               (struct pbft_bytes){preimage->bytes, preimage->size}, signature);
}

/* The pre-prepare of the primary, and prepares of Q - 1 or more different
 * backups, each valid: whoever adds another to them proves nothing. */
static bool is_prepared(const struct sim *sim, const struct pbft_domain *domain,
                        const struct pbft_message *certificate)
{
    const struct pbft_prepared *prepared = &certificate->prepared;
    const struct pbft_message *header = prepared->pre_prepare;
    const struct pbft_prepare fields = {header->pre_prepare.view,
                                        header->pre_prepare.seq,
                                        header->pre_prepare.digest};
    struct pbft_replica_set backups = {{0}};
    struct pbft_preimage preimage;
    pbft_replica_id primary = (pbft_replica_id)(fields.view % sim->settings.n);
    pbft_message_preimage(domain, header, &preimage);
    if (header->sender != primary ||
        !is_signed_by(sim, domain, &preimage, primary, &header->signature)) {
        return false;
    }
    for (uint32_t i = 0; i < prepared->vote_count; i++) {
        const struct pbft_vote *vote = &prepared->votes[i];
        pbft_prepare_preimage(domain, certificate->epoch, vote->replica,
                              vote->incarnation, &fields, &preimage);
        if (vote->replica >= sim->settings.n || vote->replica == primary ||
            pbft_set_has(&backups, vote->replica) ||
            !is_signed_by(sim, domain, &preimage, vote->replica,
                          &vote->signature)) {
            return false;
        }
        pbft_set_add(&backups, vote->replica);
    }
    return prepared->vote_count + 1 >= audit_quorum(sim->settings.n);
}

/* A vote of an incarnation that is over is void (design: P14), for whoever
 * knows that it is. Of a certificate with votes of one that lost its disk the
 * auditor does not know whether this replica took it. */
static bool is_in_doubt(const struct sim *sim,
                        const struct pbft_message *certificate)
{
    const struct pbft_prepared *prepared = &certificate->prepared;
    if (sim->hosts[prepared->pre_prepare->sender]->disk_generation > 0) {
        return true;
    }
    for (uint32_t i = 0; i < prepared->vote_count; i++) {
        pbft_replica_id id = prepared->votes[i].replica;
        if (id >= sim->settings.n || sim->hosts[id]->disk_generation > 0) {
            return true;
        }
    }
    return false;
}

/* The view-changes that a new-view names. */
struct sources {
    const struct pbft_message *items[PBFT_REPLICAS_MAX];
    uint32_t count;
    pbft_seq stable;
};

static bool find_sources(struct sim *sim, const struct host *host,
                         const struct pbft_new_view *fields,
                         struct sources *out)
{
    struct pbft_replica_set seen = {{0}};
    *out = (struct sources){.count = 0};
    for (uint32_t i = 0; i < fields->view_change_count; i++) {
        const struct pbft_new_view_source *named = &fields->view_changes[i];
        const struct table_entry *entry =
            audit_find(sim, FACT_VIEW_CHANGE_TEXT, 0,
                       audit_fold(&named->digest), named->replica);
        if (named->replica >= sim->settings.n ||
            pbft_set_has(&seen, named->replica) || entry == NULL ||
            sim->auditor.kept[entry->bits]->view_change.view != fields->view) {
            audit_fail(sim, "S20", host,
                       "enters view %" PRIu64
                       " with a view-change of R%u that nobody has seen",
                       fields->view, (unsigned)named->replica);
            return false;
        }
        const struct pbft_message *source = sim->auditor.kept[entry->bits];
        pbft_seq stable = pbft_message_seq(source->view_change.stable);
        pbft_set_add(&seen, named->replica);
        out->items[out->count++] = source;
        out->stable = stable > out->stable ? stable : out->stable;
    }
    if (out->count < audit_quorum(sim->settings.n)) {
        audit_fail(sim, "S20", host,
                   "enters view %" PRIu64 " on %u view-changes", fields->view,
                   (unsigned)out->count);
        return false;
    }
    return true;
}

/* What a view begins with at one seq. */
struct expected {
    const struct pbft_pre_prepare *best; /* NULL: the null batch. */
    bool is_in_doubt;
};

/* The valid claim of the highest view for `seq`. */
static void choose(const struct sim *sim, const struct host *host,
                   const struct sources *sources, pbft_seq seq,
                   struct expected *out)
{
    *out = (struct expected){.best = NULL};
    for (uint32_t i = 0; i < sources->count; i++) {
        const struct pbft_view_change *fields = &sources->items[i]->view_change;
        for (uint32_t k = 0; k < fields->prepared_count; k++) {
            const struct pbft_message *claim = fields->prepared[k];
            const struct pbft_pre_prepare *header =
                &claim->prepared.pre_prepare->pre_prepare;
            if (header->seq != seq) {
                continue;
            }
            out->is_in_doubt |= is_in_doubt(sim, claim);
            if ((out->best == NULL || header->view > out->best->view) &&
                is_prepared(sim, &host->domain, claim)) {
                out->best = header;
            }
        }
    }
}

static void check_header(struct sim *sim, const struct host *host,
                         const struct pbft_new_view *fields, uint32_t i,
                         const struct expected *expected)
{
    pbft_seq seq = pbft_message_seq(fields->pre_prepares[i]);
    const struct pbft_pre_prepare *header =
        &fields->pre_prepares[i]->pre_prepare;
    const struct table_entry *committed =
        audit_find(sim, FACT_COMMITTED, 0, seq, 0);
    struct pbft_digest digest;
    pbft_null_digest(&host->domain, &digest);
    if (expected->best != NULL) {
        digest = expected->best->digest;
    }
    if (header->view != fields->view ||
        (!expected->is_in_doubt && !is_equal(&header->digest, &digest))) {
        audit_fail(sim, "S20", host,
                   "enters view %" PRIu64 " with a wrong proposal for seq "
                   "%" PRIu64,
                   fields->view, seq);
    }
    if (committed != NULL && committed->bits < fields->view &&
        !is_equal(&committed->digest, &header->digest)) {
        audit_fail(sim, "S6", host,
                   "view %" PRIu64 " begins without what view %" PRIu64
                   " committed at seq %" PRIu64,
                   fields->view, committed->bits, seq);
    }
}

/* The proposals that follow from the sources; each is compared, and at the end
 * how many there are. */
static void check_headers(struct sim *sim, const struct host *host,
                          const struct pbft_new_view *fields,
                          const struct sources *sources)
{
    const uint32_t actual = fields->pre_prepare_count;
    uint32_t count = 0;
    bool is_count_in_doubt = false;
    for (uint32_t i = 0; i < host->config.window; i++) {
        struct expected expected;
        choose(sim, host, sources, sources->stable + 1 + i, &expected);
        count = expected.best == NULL ? count : i + 1;
        is_count_in_doubt |= expected.is_in_doubt;
        if (i < actual && pbft_message_seq(fields->pre_prepares[i]) ==
                              sources->stable + 1 + i) {
            check_header(sim, host, fields, i, &expected);
        }
    }
    bool begins_elsewhere =
        actual > 0 &&
        pbft_message_seq(fields->pre_prepares[0]) != sources->stable + 1;
    /* Doubt only takes claims away. */
    if (actual > count || begins_elsewhere ||
        (actual != count && !is_count_in_doubt)) {
        audit_fail(sim, "S20", host,
                   "enters view %" PRIu64 " with %u proposals, not %u",
                   fields->view, (unsigned)actual, (unsigned)count);
    }
}

static void check_new_view(struct sim *sim, const struct host *host,
                           const struct disk_record *record,
                           const struct pbft_message *message)
{
    struct sources sources;
    bool is_new;
    keep(sim, message);
    /* What survives a crash is no view that was entered: with a hole in the
     * log, the own view-change may be gone that it names. */
    if (record->kind != PBFT_RECORD_NEW_VIEW || !host_is_honest(host) ||
        host->state != HOST_UP) {
        return;
    }
    struct pbft_digest name;
    memcpy(name.bytes, message->signature.bytes, sizeof name.bytes);
    (void)audit_fact(sim, FACT_NEW_VIEW_CHECKED, 0, audit_fold(&name), 0,
                     &is_new);
    if (!is_new || !find_sources(sim, host, &message->new_view, &sources)) {
        return;
    }
    check_headers(sim, host, &message->new_view, &sources);
}

const struct audit_rule audit_new_view = {
    .name = "S20",
    .says = "what a view begins with follows from its view-changes",
    .on_receive = keep_received,
    .on_send = keep_received,
    .on_durable = check_new_view,
};
