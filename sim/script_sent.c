/* SPDX-License-Identifier: Apache-2.0 */
/* Everything that was said in the run: what predicates count, certificates are
 * made of, and puppets replay. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "consensus/assert.h"
#include "consensus/preimage.h"
#include "consensus/quorum.h"
#include "sim/script.h"

#define CAPACITY_FIRST 256

static bool is_equal(const struct pbft_digest *a, const struct pbft_digest *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

const struct pbft_batch *script_find_batch(const struct script *script,
                                           const struct pbft_digest *digest)
{
    for (size_t i = 0; i < script->batch_count; i++) {
        if (is_equal(&script->batches[i]->batch.digest, digest)) {
            return &script->batches[i]->batch;
        }
    }
    return NULL;
}

static void note_batch(struct script *script, const struct pbft_message *body)
{
    if (script_find_batch(script, &body->batch.digest) != NULL) {
        return;
    }
    if (script->batch_count == script->batch_capacity) {
        script->batch_capacity = script->batch_capacity == 0
                                     ? CAPACITY_FIRST
                                     : 2 * script->batch_capacity;
        script->batches =
            realloc(script->batches,
                    script->batch_capacity * sizeof script->batches[0]);
        PBFT_ASSERT(script->batches != NULL);
    }
    script->batches[script->batch_count++] = pbft_message_ref(body);
}

static void note(struct script *script, uint32_t actor,
                 const struct pbft_message *message, const struct actor_set *to)
{
    if (script->sent_count == script->sent_capacity) {
        script->sent_capacity = script->sent_capacity == 0
                                    ? CAPACITY_FIRST
                                    : 2 * script->sent_capacity;
        script->sent = realloc(script->sent,
                               script->sent_capacity * sizeof script->sent[0]);
        PBFT_ASSERT(script->sent != NULL);
    }
    script->sent[script->sent_count++] = (struct script_sent){
        .actor = actor, .to = *to, .message = pbft_message_ref(message)};
    if (message->type == PBFT_MESSAGE_PRE_PREPARE &&
        message->pre_prepare.body != NULL) {
        note_batch(script, message->pre_prepare.body);
    }
}

void script_note_message(struct script *script, uint32_t actor,
                         const struct pbft_message *message,
                         const struct actor_set *to)
{
    note(script, actor, message, to);
    if (message->type != PBFT_MESSAGE_NEW_VIEW) {
        return;
    }
    /* What it proposes again was said with it. */
    for (uint32_t i = 0; i < message->new_view.pre_prepare_count; i++) {
        note(script, actor, message->new_view.pre_prepares[i], to);
        script->sent[script->sent_count - 1].is_part = true;
    }
}

static struct actor_set actors_of(const struct sim *sim,
                                  const struct pbft_replica_set *ids,
                                  uint32_t except)
{
    struct actor_set out = {{0}};
    for (uint32_t i = 0; i < sim->host_count; i++) {
        if (i != except && pbft_set_has(ids, sim->hosts[i]->id)) {
            actor_set_add(&out, i);
        }
    }
    return out;
}

void script_on_send(void *context, const struct host *host,
                    const struct pbft_send *send, bool is_withheld)
{
    struct script *script = context;
    const struct actor_set to = actors_of(script->sim, &send->to, host->index);
    if (!is_withheld || send->message->type == PBFT_MESSAGE_VIEW_CHANGE) {
        script_note_message(script, host->index, send->message, &to);
        script->sent[script->sent_count - 1].is_withheld = is_withheld;
    }
}

void script_on_submit(void *context, const struct client *client,
                      const struct pbft_message *request,
                      const struct pbft_replica_set *to)
{
    struct script *script = context;
    const struct actor_set actors = actors_of(script->sim, to, SIM_HOSTS_MAX);
    script_note_message(script, SIM_HOSTS_MAX + client->index, request,
                        &actors);
}

struct sim_reply *script_copy_reply(const struct sim_reply *reply)
{
    const size_t size =
        sizeof *reply + reply->leaf_count * sizeof reply->leaves[0];
    struct sim_reply *copy = malloc(size);
    PBFT_ASSERT(copy != NULL);
    memcpy(copy, reply, size);
    return copy;
}

void script_on_reply(void *context, const struct host *host,
                     const struct client *client,
                     const struct pbft_message *request,
                     const struct pbft_message *proof,
                     const struct sim_reply *reply)
{
    struct script *script = context;
    struct actor_set to = {{0}};
    actor_set_add(&to, SIM_HOSTS_MAX + client->index);
    note(script, host->index, proof, &to);
    struct script_sent *sent = &script->sent[script->sent_count - 1];
    sent->request = pbft_message_ref(request);
    sent->reply = script_copy_reply(reply);
}

void script_forget_sent(struct script *script)
{
    for (size_t i = 0; i < script->sent_count; i++) {
        pbft_message_unref(script->sent[i].message);
        pbft_message_unref(script->sent[i].request);
        free(script->sent[i].reply);
    }
    for (size_t i = 0; i < script->batch_count; i++) {
        pbft_message_unref(script->batches[i]);
    }
    free(script->sent);
    free(script->batches);
}

/* ---- digests and labels -----------------------------------------------------
 */

static bool is_null(const struct script *script,
                    const struct pbft_digest *digest)
{
    struct pbft_digest null;
    pbft_null_digest(&script->sim->hosts[0]->domain, &null);
    return is_equal(digest, &null);
}

bool script_digest_holds(struct script *script,
                         const struct pbft_digest *digest, pbft_seq seq,
                         const char *name)
{
    struct pbft_digest alone;
    if (strcmp(name, "null") == 0) {
        return is_null(script, digest);
    }
    const struct pbft_batch *batch = script_find_batch(script, digest);
    if (batch != NULL) {
        return script_batch_holds(script, batch, name);
    }
    return script_digest(script, name, seq, &alone) && is_equal(digest, &alone);
}

void script_describe_digest(const struct script *script,
                            const struct pbft_digest *digest, char *out,
                            size_t size)
{
    const struct pbft_batch *batch = script_find_batch(script, digest);
    if (batch != NULL) {
        script_describe_batch(script, batch, out, size);
    } else {
        (void)snprintf(out, size, "%s",
                       is_null(script, digest) ? "null" : "something unknown");
    }
}
