/* SPDX-License-Identifier: Apache-2.0 */
/* What time does: envelopes are tried again, grants end, and what was decided
 * goes out. */
#include <string.h>

#include "crypto/secret.h"
#include "node/delivery_private.h"

/* ---- trying again -------------------------------------------------------- */

static void wait_longer(struct delivery_row *row, pbft_time_ms now)
{
    row->pause_ms =
        row->pause_ms == 0 ? NODE_DELIVERY_RETRY_MIN_MS : 2 * row->pause_ms;
    if (row->pause_ms > NODE_DELIVERY_RETRY_MAX_MS) {
        row->pause_ms = NODE_DELIVERY_RETRY_MAX_MS;
    }
    row->next = now + row->pause_ms;
}

static void attempt(struct delivery *delivery, uint32_t slot, pbft_time_ms now)
{
    struct envelopes *store = delivery->config.store;
    struct delivery_row *row = &delivery->rows[slot];
    const struct envelope_head *head = envelopes_get(store, slot);
    bool is_erased = false;
    enum delivery_code code = delivery_judge_kept(delivery, slot, &is_erased);
    if (is_erased) {
        return;
    }
    wait_longer(row, now);
    if (code != DELIVERY_OK) {
        row->code = code;
        return;
    }
    struct delivery_message message = {.kind = DELIVERY_ENVELOPE,
                                       .name = head->name};
    if (envelopes_read(store, slot, &message.secret) == PBFT_OK) {
        row->attempts++;
        delivery_send(delivery, delivery_home(delivery, &head->recipient),
                      &message);
    } else {
        row->code = DELIVERY_STORE;
    }
    secret_wipe(&message, sizeof message);
}

/* Goes round, so that none waits for ever behind the others. */
static void retry(struct delivery *delivery, pbft_time_ms now)
{
    struct envelopes *store = delivery->config.store;
    uint32_t end = envelopes_end(store);
    uint32_t budget = NODE_DELIVERY_RETRIES_PER_TICK;
    uint32_t at = delivery->retry_at < end ? delivery->retry_at : 0;
    for (uint32_t seen = 0; seen < end && budget > 0; seen++) {
        const struct envelope_head *head = envelopes_get(store, at);
        if (head != NULL && head->state == ENVELOPE_WAITING &&
            delivery->rows[at].next <= now) {
            attempt(delivery, at, now);
            budget--;
        }
        at = at + 1 < end ? at + 1 : 0;
    }
    delivery->retry_at = at;
}

void delivery_peer_up(struct delivery *delivery, pbft_replica_id peer,
                      pbft_time_ms now)
{
    struct envelopes *store = delivery->config.store;
    for (uint32_t i = 0; i < envelopes_end(store); i++) {
        const struct envelope_head *head = envelopes_get(store, i);
        if (head != NULL && head->state == ENVELOPE_WAITING &&
            delivery_home(delivery, &head->recipient) == peer) {
            delivery->rows[i].next = now;
            delivery->rows[i].pause_ms = 0;
        }
    }
}

/* ---- grants that end ----------------------------------------------------- */

/* One pass over the store for each height that is seen; a part of it at once.
 */
static void sweep(struct delivery *delivery)
{
    struct envelopes *store = delivery->config.store;
    const struct delivery_port *port = &delivery->config.port;
    if (!delivery->is_in_pass) {
        pbft_seq height = port->height(port->context);
        if (height == delivery->pass_height || envelopes_end(store) == 0) {
            return;
        }
        delivery->pass_height = height;
        delivery->is_in_pass = true;
        delivery->swept = 0;
    }
    for (uint32_t budget = NODE_DELIVERY_SWEEP_PER_TICK;
         budget > 0 && delivery->swept < envelopes_end(store);
         delivery->swept++) {
        if (envelopes_get(store, delivery->swept) != NULL) {
            bool is_erased = false;
            (void)delivery_judge_kept(delivery, delivery->swept, &is_erased);
            budget--;
        }
    }
    delivery->is_in_pass = delivery->swept < envelopes_end(store);
}

void delivery_tick(struct delivery *delivery, pbft_time_ms now)
{
    retry(delivery, now);
    sweep(delivery);
}

/* ---- going out ----------------------------------------------------------- */

enum pbft_status delivery_flush(struct delivery *delivery)
{
    const struct delivery_port *port = &delivery->config.port;
    enum pbft_status status = envelopes_sync(delivery->config.store);
    for (size_t i = 0; i < delivery->out_count && status == PBFT_OK; i++) {
        const struct delivery_out *out = &delivery->outs[i];
        port->send(port->context, out->to,
                   (struct pbft_bytes){out->bytes, out->size});
    }
    secret_wipe(delivery->outs, delivery->out_count * sizeof *delivery->outs);
    delivery->out_count = 0;
    return status;
}
