/* SPDX-License-Identifier: Apache-2.0 */
/* What a puppet says, signed with its own key: any fields, any values. */
#include <string.h>

#include "consensus/assert.h"
#include "consensus/preimage.h"
#include "sim/script.h"

static struct pbft_origin origin_of(const struct script *script,
                                    const struct host *host)
{
    return (struct pbft_origin){.sender = host->id,
                                .epoch = script->sim->keyring.epoch};
}

static struct pbft_message *signed_by(const struct host *host,
                                      struct pbft_message *message)
{
    PBFT_ASSERT(message != NULL);
    pbft_message_sign(&host->domain, message);
    return message;
}

/* The batch of a label; `time=5ms` says when it was proposed. */
static struct pbft_message *take_batch(struct script *script,
                                       struct words *words, const char *label,
                                       pbft_seq seq)
{
    uint64_t time_us;
    const char *time = words_value(words, "time");
    if (time == NULL) {
        return script_batch(script, label, seq, 0);
    }
    return script_time(script, time, &time_us)
               ? script_batch(script, label, seq,
                              SIM_WALL_START_US + script->start_us + time_us)
               : NULL;
}

/* The batch of `request=LABEL`, perhaps with the digest of another one. */
static struct pbft_message *
make_pre_prepare(struct script *script, struct host *host, struct words *words)
{
    const struct pbft_origin origin = origin_of(script, host);
    uint64_t view = 0;
    uint64_t seq = 0;
    (void)words_number(script, words, "view", &view);
    (void)words_number(script, words, "seq", &seq);
    const char *label = words_value(words, "request");
    const char *other = words_value(words, "digest");
    if (label == NULL) {
        script_error(script, "request= is missing");
        return NULL;
    }
    struct pbft_message *body = take_batch(script, words, label, seq);
    if (body == NULL) {
        return NULL;
    }
    struct pbft_digest digest = body->batch.digest;
    if (other != NULL && !script_digest(script, other, seq, &digest)) {
        pbft_message_unref(body);
        return NULL;
    }
    struct pbft_message *message = signed_by(
        host, pbft_pre_prepare_create(&origin, view, seq, &digest, body));
    pbft_message_unref(body);
    return message;
}

static struct pbft_message *make_vote(struct script *script, struct host *host,
                                      struct words *words,
                                      enum pbft_message_type type)
{
    struct pbft_prepare fields = {.view = 0};
    const struct pbft_origin origin = origin_of(script, host);
    (void)words_number(script, words, "view", &fields.view);
    (void)words_number(script, words, "seq", &fields.seq);
    const char *label = words_value(words, "digest");
    if (label == NULL) {
        script_error(script, "digest= is missing");
        return NULL;
    }
    struct pbft_message *body = take_batch(script, words, label, fields.seq);
    if (body == NULL) {
        return NULL;
    }
    fields.digest = body->batch.digest;
    pbft_message_unref(body);
    return signed_by(host, pbft_vote_create(type, &origin, &fields));
}

static struct pbft_message *make_prepare(struct script *script,
                                         struct host *host, struct words *words)
{
    return make_vote(script, host, words, PBFT_MESSAGE_PREPARE);
}

static struct pbft_message *make_commit(struct script *script,
                                        struct host *host, struct words *words)
{
    return make_vote(script, host, words, PBFT_MESSAGE_COMMIT);
}

/* What the others executed at `seq`, if anybody did. */
static struct pbft_attestation true_content(const struct script *script,
                                            pbft_seq seq)
{
    for (uint32_t i = 0; i < script->sim->host_count; i++) {
        const struct host *host = script->sim->hosts[i];
        if (seq >= 1 && seq <= host->block_count) {
            return host->blocks[seq - 1].executed;
        }
    }
    return (struct pbft_attestation){.seq = seq,
                                     .block_time = SIM_WALL_START_US};
}

static struct pbft_message *
make_checkpoint(struct script *script, struct host *host, struct words *words)
{
    uint64_t seq = 0;
    const struct pbft_origin origin = origin_of(script, host);
    (void)words_number(script, words, "seq", &seq);
    struct pbft_attestation content = true_content(script, seq);
    const char *digest = words_value(words, "digest");
    if (digest != NULL && strcmp(digest, "wrong") == 0) {
        content.ledger_root.bytes[0] ^= UINT8_MAX;
    } else if (digest != NULL && strcmp(digest, "right") != 0) {
        script_error(script, "digest=%s is neither right nor wrong", digest);
        return NULL;
    }
    return signed_by(host, pbft_attestation_create(&origin, &content));
}

static struct pbft_message *make_status(struct script *script,
                                        struct host *host, struct words *words)
{
    const struct pbft_origin origin = origin_of(script, host);
    struct pbft_status_report fields = {.view_active = true,
                                        .version_min = PBFT_PROTOCOL_VERSION,
                                        .version_max = PBFT_PROTOCOL_VERSION};
    (void)words_number(script, words, "view", &fields.view);
    (void)words_number(script, words, "stable", &fields.stable);
    (void)words_number(script, words, "executed", &fields.executed);
    (void)words_number(script, words, "committed", &fields.committed_above);
    return signed_by(host, pbft_status_create(&origin, &fields));
}

static struct pbft_message *make_fetch(struct script *script, struct host *host,
                                       struct words *words)
{
    const struct pbft_origin origin = origin_of(script, host);
    struct pbft_fetch fields = {.kind = PBFT_FETCH_BLOCKS, .seq = 1};
    (void)words_number(script, words, "seq", &fields.seq);
    fields.last = fields.seq;
    (void)words_number(script, words, "last", &fields.last);
    return signed_by(host, pbft_fetch_create(&origin, &fields));
}

/* A relayed request of a client. */
static struct pbft_message *make_request(struct script *script,
                                         struct host *host, struct words *words)
{
    const char *name = words_value(words, "request");
    if (name == NULL) {
        script_error(script, "request= is missing");
        return NULL;
    }
    const struct script_label *label = script_label(script, name);
    if (label == NULL) {
        return NULL;
    }
    struct pbft_message *message =
        pbft_message_handed_over(label->request, host->id);
    PBFT_ASSERT(message != NULL);
    return message;
}

/* ---- the table ------------------------------------------------------------
 */

static const struct {
    const char *type;
    struct pbft_message *(*make)(struct script *script, struct host *host,
                                 struct words *words);
} makers[] = {
    {"request", make_request},
    {"pre-prepare", make_pre_prepare},
    {"prepare", make_prepare},
    {"commit", make_commit},
    {"checkpoint", make_checkpoint},
    {"attestation", make_checkpoint},
    {"view-change", puppet_view_change},
    {"new-view", puppet_new_view},
    {"status", make_status},
    {"fetch", make_fetch},
};

struct pbft_message *puppet_message(struct script *script, struct host *host,
                                    const char *type, struct words *words)
{
    for (size_t i = 0; i < sizeof makers / sizeof makers[0]; i++) {
        if (strcmp(makers[i].type, type) == 0) {
            struct pbft_message *message = makers[i].make(script, host, words);
            if (script->outcome != SCRIPT_RUNS) {
                pbft_message_unref(message);
                return NULL;
            }
            return message;
        }
    }
    script_error(script, "a puppet cannot send '%s'", type);
    return NULL;
}
