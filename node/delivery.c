/* SPDX-License-Identifier: Apache-2.0 */
/* What is kept: envelopes from clients and from replicas, receipts, marks. */
#include "node/delivery.h"

#include <stdlib.h>
#include <string.h>

#include "consensus/assert.h"
#include "crypto/secret.h"
#include "crypto/wrap.h"
#include "node/delivery_private.h"

static_assert(ENVELOPE_WRAP_SIZE == WRAP_SIZE &&
                  ENVELOPE_SALT_SIZE == COMMIT_SALT_SIZE &&
                  ENVELOPE_DETAILS_SIZE == WRAP_DETAILS_SIZE,
              "the store has room for what crypto/ makes");

struct delivery *delivery_create(const struct delivery_config *config)
{
    struct delivery *delivery = calloc(1, sizeof *delivery);
    PBFT_ASSERT(delivery != NULL);
    PBFT_ASSERT(config->replica_count <= PBFT_REPLICAS_MAX);
    delivery->config = *config;
    memcpy(delivery->owners, config->owners,
           config->replica_count * sizeof *config->owners);
    delivery->config.owners = delivery->owners;
    delivery->rows = calloc(ENVELOPES_MAX, sizeof *delivery->rows);
    PBFT_ASSERT(delivery->rows != NULL);
    return delivery;
}

void delivery_destroy(struct delivery *delivery)
{
    if (delivery != NULL) {
        secret_wipe(delivery->outs, sizeof delivery->outs);
        free(delivery->rows);
        free(delivery);
    }
}

uint32_t delivery_share(uint32_t member_count)
{
    return ENVELOPES_MAX / (member_count > 0 ? member_count : 1);
}

/* ---- who is who ---------------------------------------------------------- */

static bool same_institution(const struct pbft_institution *a,
                             const struct pbft_institution *b)
{
    return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

static bool find_replica(const struct delivery *delivery,
                         const struct pbft_institution *institution,
                         pbft_replica_id *out)
{
    for (pbft_replica_id i = 0; i < delivery->config.replica_count; i++) {
        if (same_institution(&delivery->owners[i], institution)) {
            *out = i;
            return true;
        }
    }
    return false;
}

bool delivery_runs_replica(const struct delivery *delivery,
                           const struct pbft_institution *institution)
{
    pbft_replica_id id = 0;
    return find_replica(delivery, institution, &id);
}

pbft_replica_id delivery_home(const struct delivery *delivery,
                              const struct pbft_institution *institution)
{
    pbft_replica_id home = delivery->config.self;
    (void)find_replica(delivery, institution, &home);
    return home;
}

/* ---- the grant ----------------------------------------------------------- */

enum delivery_code delivery_judge(struct delivery *delivery,
                                  struct ledger_envelope *grant,
                                  const struct envelope_name *name,
                                  const struct pbft_digest *wrap_commit,
                                  const struct pbft_institution *from)
{
    const struct delivery_port *port = &delivery->config.port;
    memset(grant, 0, sizeof *grant);
    if (port->find(port->context, name, from, grant) != PBFT_OK) {
        return DELIVERY_NO_GRANT;
    }
    if (memcmp(grant->wrap_commit.bytes, wrap_commit->bytes,
               sizeof grant->wrap_commit.bytes) != 0) {
        return DELIVERY_WRONG_COMMIT;
    }
    return grant->code == LEDGER_OK ? DELIVERY_OK : DELIVERY_ENDED;
}

static void forget_row(struct delivery *delivery, uint32_t slot)
{
    memset(&delivery->rows[slot], 0, sizeof delivery->rows[slot]);
}

static void erase(struct delivery *delivery, uint32_t slot)
{
    /* A failure shows at the next flush. */
    enum pbft_status status = envelopes_erase(delivery->config.store, slot);
    (void)status;
    forget_row(delivery, slot);
}

enum delivery_code delivery_judge_kept(struct delivery *delivery, uint32_t slot,
                                       bool *is_erased)
{
    struct ledger_envelope grant;
    const struct envelope_head *head =
        envelopes_get(delivery->config.store, slot);
    enum delivery_code code = delivery_judge(
        delivery, &grant, &head->name, &head->wrap_commit, &head->custodian);
    bool has_ended = code == DELIVERY_ENDED || code == DELIVERY_WRONG_COMMIT;
    /* A ledger that is executed again after a loss passes through states that
     * are older than the envelope: what has ended there may hold again in a
     * later one, and nobody would send it a second time. */
    *is_erased = has_ended && grant.height >= head->judged_at;
    if (*is_erased) {
        erase(delivery, slot);
        delivery->erased++;
    }
    return code;
}

/* ---- room ---------------------------------------------------------------- */

/* The custodian has room for one more; its oldest mark makes place if it must.
 * So nobody, hostile or not, uses up what belongs to the others. */
static bool make_room(struct delivery *delivery,
                      const struct pbft_institution *custodian)
{
    struct envelopes *store = delivery->config.store;
    uint32_t oldest = UINT32_MAX;
    uint32_t count = 0;
    for (uint32_t i = 0; i < envelopes_end(store); i++) {
        const struct envelope_head *head = envelopes_get(store, i);
        if (head == NULL || !same_institution(&head->custodian, custodian)) {
            continue;
        }
        count++;
        bool is_mark =
            head->state == ENVELOPE_DELIVERED || head->state == ENVELOPE_TAKEN;
        if (is_mark && (oldest == UINT32_MAX ||
                        head->since < envelopes_get(store, oldest)->since)) {
            oldest = i;
        }
    }
    if (count < delivery_share(delivery->config.member_count)) {
        return true;
    }
    if (oldest == UINT32_MAX) {
        return false;
    }
    erase(delivery, oldest);
    return true;
}

enum delivery_code delivery_keep(struct delivery *delivery,
                                 struct envelope_head *head,
                                 const struct envelope_secret *secret,
                                 uint32_t *slot)
{
    struct envelopes *store = delivery->config.store;
    const struct delivery_port *port = &delivery->config.port;
    if (!envelopes_find(store, &head->name, slot) &&
        !make_room(delivery, &head->custodian)) {
        return DELIVERY_QUOTA;
    }
    head->since = port->wall(port->context);
    enum pbft_status status = envelopes_put(store, head, secret, slot);
    if (status == PBFT_OK) {
        forget_row(delivery, *slot);
    }
    return status == PBFT_OK      ? DELIVERY_OK
           : status == PBFT_LIMIT ? DELIVERY_QUOTA
                                  : DELIVERY_STORE;
}

enum delivery_code delivery_mark(struct delivery *delivery, uint32_t slot,
                                 const struct envelope_head *as)
{
    struct envelope_head head = *as;
    return delivery_keep(delivery, &head, NULL, &slot);
}

const struct envelope_head *delivery_find_wrap(const struct delivery *delivery,
                                               const struct envelope_name *name,
                                               const struct pbft_digest *commit,
                                               uint32_t *slot)
{
    const struct envelopes *store = delivery->config.store;
    if (!envelopes_find(store, name, slot)) {
        return NULL;
    }
    const struct envelope_head *head = envelopes_get(store, *slot);
    return memcmp(head->wrap_commit.bytes, commit->bytes,
                  sizeof commit->bytes) == 0
               ? head
               : NULL;
}

/* ---- calls of clients ---------------------------------------------------- */

void delivery_describe(const struct delivery *delivery,
                       struct delivery_state *out, uint32_t slot)
{
    const struct envelope_head *head =
        envelopes_get(delivery->config.store, slot);
    const struct delivery_row *row = &delivery->rows[slot];
    out->name = head->name;
    out->head = *head;
    out->code = head->state == ENVELOPE_WAITING ? row->code : DELIVERY_OK;
    out->attempts = row->attempts;
}

struct envelope_head delivery_new_head(const struct delivery *delivery,
                                       const struct envelope_name *name,
                                       const struct ledger_envelope *grant)
{
    pbft_replica_id home = delivery_home(delivery, &grant->recipient);
    return (struct envelope_head){
        .state =
            home == delivery->config.self ? ENVELOPE_HELD : ENVELOPE_WAITING,
        .name = *name,
        .wrap_commit = grant->wrap_commit,
        .custodian = grant->custodian,
        .recipient = grant->recipient,
        .judged_at = grant->height,
    };
}

void delivery_submit(struct delivery *delivery, struct delivery_state *out,
                     const struct pbft_institution *caller,
                     const struct envelope_name *name,
                     const struct envelope_secret *secret, pbft_time_ms now)
{
    struct ledger_envelope grant;
    struct pbft_digest commit;
    uint32_t slot = 0;
    memset(out, 0, sizeof *out);
    out->name = *name;
    wrap_commit(&commit, secret->salt, secret->wrap);
    out->code = delivery_judge(delivery, &grant, name, &commit, caller);
    if (out->code != DELIVERY_NO_GRANT && !grant.is_from_custodian) {
        out->code = DELIVERY_FOREIGN;
    }
    if (out->code != DELIVERY_OK) {
        return;
    }
    if (delivery_find_wrap(delivery, name, &commit, &slot) == NULL) {
        struct envelope_head head = delivery_new_head(delivery, name, &grant);
        out->code = delivery_keep(delivery, &head, secret, &slot);
        if (out->code != DELIVERY_OK) {
            return;
        }
    }
    delivery->rows[slot].next = now; /* Whoever asks again wants it now. */
    delivery->rows[slot].pause_ms = 0;
    delivery_describe(delivery, out, slot);
}

void delivery_taken(struct delivery *delivery, struct delivery_state *out,
                    const struct pbft_institution *caller,
                    const struct envelope_name *name)
{
    struct envelopes *store = delivery->config.store;
    uint32_t slot = 0;
    memset(out, 0, sizeof *out);
    out->name = *name;
    out->code = DELIVERY_UNKNOWN;
    if (!envelopes_find(store, name, &slot)) {
        return;
    }
    struct envelope_head head = *envelopes_get(store, slot);
    if (head.state != ENVELOPE_HELD && head.state != ENVELOPE_TAKEN) {
        return;
    }
    if (!same_institution(&head.recipient, caller)) {
        out->code = DELIVERY_FOREIGN;
        return;
    }
    out->code = DELIVERY_OK;
    if (head.state == ENVELOPE_HELD) {
        head.state = ENVELOPE_TAKEN;
        out->code = delivery_mark(delivery, slot, &head);
    }
    if (out->code == DELIVERY_OK) {
        delivery_describe(delivery, out, slot);
    }
}
