/* SPDX-License-Identifier: Apache-2.0 */
/* Predicates about what stands at a sequence number. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "sim/audit_rules.h"
#include "sim/script.h"

#define TEXT_SIZE 200

/* Replicas, a seq, and what is said of them. */
struct slot_words {
    struct actor_set hosts;
    pbft_seq seq;
    const char *label; /* Or NULL. */
    bool has_view;
    pbft_view view;
};

static bool take_words(struct script *script, struct words *words,
                       bool needs_label, struct slot_words *out)
{
    *out = (struct slot_words){.label = NULL};
    if (!script_audience(script, words, &out->hosts) ||
        !script_take_seq(script, words, &out->seq)) {
        return false;
    }
    out->label =
        needs_label ? words_need(script, words, "a label") : words_next(words);
    if (out->label == NULL) {
        return !needs_label;
    }
    return strcmp(out->label, "null") == 0 ||
           script_label(script, out->label) != NULL;
}

/* The executed block of a host; a crashed one shows what its disk holds. */
static const struct pbft_batch *block_at(const struct host *host, pbft_seq seq)
{
    const struct pbft_message *block = NULL;
    const struct disk_image *image = &host->disk.image;
    if (seq == 0) {
        return NULL;
    }
    if (host->state == HOST_DOWN) {
        block =
            seq <= image->block_count ? image->blocks[seq - 1].committed : NULL;
    } else if (seq <= host->block_count) {
        block = host->blocks[seq - 1].committed;
    }
    return block == NULL
               ? NULL
               : &block->committed.pre_prepare->pre_prepare.body->batch;
}

static void found_block(struct script *script, const struct host *host,
                        pbft_seq seq)
{
    char text[TEXT_SIZE];
    const struct pbft_batch *batch = block_at(host, seq);
    if (!script->is_explaining) {
        return;
    }
    if (batch == NULL) {
        script_found(script, "%s has executed up to %zu only", host->name,
                     host->state == HOST_DOWN ? host->disk.image.block_count
                                              : host->block_count);
        return;
    }
    script_describe_batch(script, batch, text, sizeof text);
    script_found(script, "%s executed %s at %" PRIu64, host->name, text, seq);
}

/* Whether `holds` is true of all hosts, of which there must be one. */
static bool is_true_of_all(struct script *script, const struct slot_words *what,
                           bool (*holds)(struct script *script,
                                         const struct host *host,
                                         const struct slot_words *what))
{
    bool has_any = false;
    for (uint32_t i = 0; i < script->sim->host_count; i++) {
        if (!actor_set_has(&what->hosts, i)) {
            continue;
        }
        has_any = true;
        if (!holds(script, script->sim->hosts[i], what)) {
            return false;
        }
    }
    return has_any;
}

static bool executed(struct script *script, const struct host *host,
                     const struct slot_words *what)
{
    const struct pbft_batch *batch = block_at(host, what->seq);
    const bool holds =
        batch != NULL && script_batch_holds(script, batch, what->label);
    if (!holds) {
        found_block(script, host, what->seq);
    }
    return holds;
}

bool script_is_executed(struct script *script, struct words *words)
{
    struct slot_words what;
    return take_words(script, words, true, &what) &&
           is_true_of_all(script, &what, executed);
}

static bool not_executed(struct script *script, const struct host *host,
                         const struct slot_words *what)
{
    const struct pbft_batch *batch = block_at(host, what->seq);
    const bool holds =
        batch == NULL || (what->label != NULL &&
                          !script_batch_holds(script, batch, what->label));
    if (!holds) {
        found_block(script, host, what->seq);
    }
    return holds;
}

bool script_is_not_executed(struct script *script, struct words *words)
{
    struct slot_words what;
    return take_words(script, words, false, &what) &&
           is_true_of_all(script, &what, not_executed);
}

static bool find_slot(const struct host *host, pbft_seq seq,
                      struct pbft_slot_report *slot)
{
    return host->state == HOST_UP &&
           pbft_replica_slot(host_replica(host), seq, slot) &&
           slot->has_pre_prepare;
}

static void found_slot(struct script *script, const struct host *host,
                       pbft_seq seq)
{
    char text[TEXT_SIZE];
    struct pbft_slot_report slot;
    if (!script->is_explaining) {
        return;
    }
    if (host->state != HOST_UP) {
        script_found(script, "%s is not up", host->name);
    } else if (!find_slot(host, seq, &slot)) {
        script_found(script, "%s has no pre-prepare at %" PRIu64, host->name,
                     seq);
    } else {
        script_describe_digest(script, &slot.digest, text, sizeof text);
        script_found(script,
                     "%s has %s at %" PRIu64 " in view %" PRIu64
                     ", %s, %u prepares and %u commits",
                     host->name, text, seq, slot.view,
                     slot.committed  ? "committed"
                     : slot.prepared ? "prepared"
                                     : "not prepared",
                     slot.prepare_count, slot.commit_count);
    }
}

static bool has_record(const struct script *script, const struct host *host,
                       const struct slot_words *what, pbft_view view,
                       const struct pbft_digest *digest)
{
    return audit_is_durable(script->sim, host, PBFT_RECORD_PREPARED, view,
                            what->seq, digest);
}

/* A certificate that it made durable: of that view, or of any that somebody
 * proposed this digest in. */
static bool has_certificate(struct script *script, const struct host *host,
                            const struct slot_words *what)
{
    for (size_t i = 0; i < script->sent_count; i++) {
        const struct pbft_message *message = script->sent[i].message;
        if (message->type != PBFT_MESSAGE_PREPARE &&
            message->type != PBFT_MESSAGE_PRE_PREPARE) {
            continue;
        }
        const pbft_view view = pbft_message_view(message);
        const struct pbft_digest *digest = trace_digest_of(message);
        if (pbft_message_seq(message) == what->seq &&
            (!what->has_view || view == what->view) &&
            has_record(script, host, what, view, digest) &&
            script_digest_holds(script, digest, what->seq, what->label)) {
            return true;
        }
    }
    return false;
}

static bool prepared(struct script *script, const struct host *host,
                     const struct slot_words *what)
{
    struct pbft_slot_report slot;
    if (find_slot(host, what->seq, &slot) && slot.prepared &&
        (!what->has_view || slot.view == what->view) &&
        script_digest_holds(script, &slot.digest, what->seq, what->label)) {
        return true;
    }
    if (has_certificate(script, host, what)) {
        return true;
    }
    found_slot(script, host, what->seq);
    return false;
}

/* In its log now, or by the certificate that it once made durable. */
bool script_is_prepared(struct script *script, struct words *words)
{
    struct slot_words what;
    pbft_view view;
    const bool has_view = words_number(script, words, "view", &view);
    if (!take_words(script, words, true, &what)) {
        return false;
    }
    what.has_view = has_view;
    what.view = has_view ? view : 0;
    return is_true_of_all(script, &what, prepared);
}

static bool committed(struct script *script, const struct host *host,
                      const struct slot_words *what)
{
    struct pbft_slot_report slot;
    const struct pbft_batch *batch = block_at(host, what->seq);
    if (batch != NULL) {
        return executed(script, host, what);
    }
    if (find_slot(host, what->seq, &slot) && slot.committed &&
        script_digest_holds(script, &slot.digest, what->seq, what->label)) {
        return true;
    }
    found_slot(script, host, what->seq);
    return false;
}

bool script_is_committed(struct script *script, struct words *words)
{
    struct slot_words what;
    return take_words(script, words, true, &what) &&
           is_true_of_all(script, &what, committed);
}
