/* SPDX-License-Identifier: Apache-2.0 */
/* What a puppet says, signed with its own key: any fields, any values. */
#include <string.h>

#include "consensus/assert.h"
#include "consensus/preimage.h"
#include "consensus/quorum.h"
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

/* The batch of `request=LABEL`, or that of the digest alone. */
static struct pbft_message *
make_pre_prepare(struct script *script, struct host *host, struct words *words)
{
    uint64_t view = 0;
    uint64_t seq = 0;
    int64_t time_us = 0;
    (void)words_number(script, words, "view", &view);
    (void)words_number(script, words, "seq", &seq);
    const char *label = words_value(words, "request");
    const char *other = words_value(words, "digest");
    const char *time = words_value(words, "time");
    if (label == NULL) {
        script_error(script, "request= is missing");
        return NULL;
    }
    if (time != NULL && !script_duration(script, time, &time_us)) {
        return NULL;
    }
    struct pbft_message *body =
        script_batch(script, label, seq,
                     time == NULL ? 0
                                  : SIM_WALL_START_US + script->start_us +
                                        (uint64_t)time_us);
    if (body == NULL) {
        return NULL;
    }
    struct pbft_digest digest = body->batch.digest;
    if (other != NULL && !script_digest(script, other, seq, &digest)) {
        pbft_message_unref(body);
        return NULL;
    }
    const struct pbft_origin origin = origin_of(script, host);
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
    if (!script_digest(script, label, fields.seq, &fields.digest)) {
        return NULL;
    }
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
    const struct script_label *label =
        name == NULL ? NULL : script_label(script, name, NULL);
    if (label == NULL) {
        script_error(script, "request= is missing");
        return NULL;
    }
    struct pbft_message *message =
        pbft_message_handed_over(label->request, host->id);
    PBFT_ASSERT(message != NULL);
    return message;
}

/* ---- certificates ---------------------------------------------------------
 */

/* The signature that `signer` really gave to such a vote, if it did. */
static void find_signature(const struct script *script,
                           enum pbft_message_type type, pbft_replica_id signer,
                           const struct pbft_prepare *fields,
                           struct pbft_signature *out)
{
    for (size_t i = 0; i < script->sent_count; i++) {
        const struct pbft_message *message = script->sent[i].message;
        if (message->type == type && message->sender == signer &&
            pbft_message_view(message) == fields->view &&
            pbft_message_seq(message) == fields->seq &&
            memcmp(trace_digest_of(message), &fields->digest,
                   sizeof fields->digest) == 0) {
            *out = message->signature;
            return;
        }
    }
    memset(out, 0xee, sizeof *out);
}

/* "SEQ:LABEL@VIEW:SIGNERS" cut into its parts, in place. */
static bool cut_certificate(char *text, char *parts[4])
{
    static const char signs[] = {':', '@', ':'};
    parts[0] = text;
    for (size_t i = 0; i < sizeof signs; i++) {
        char *sign = strchr(parts[i], signs[i]);
        if (sign == NULL) {
            return false;
        }
        *sign = '\0';
        parts[i + 1] = sign + 1;
    }
    return true;
}

struct draft {
    enum pbft_message_type vote_type;
    pbft_replica_id primary;
    struct pbft_prepare fields;
    struct pbft_signature header; /* Of the primary. */
    struct pbft_vote votes[PBFT_REPLICAS_MAX];
    uint32_t count;
};

/* "R0,R1!,R2": the primary of a prepared certificate signs its header. */
static bool add_signers(struct script *script, struct draft *draft, char *list)
{
    for (char *name = list; name != NULL;) {
        char *comma = strchr(name, ',');
        if (comma != NULL) {
            *comma = '\0';
        }
        size_t length = strlen(name);
        bool is_forced = length > 0 && name[length - 1] == '!';
        if (is_forced) {
            name[length - 1] = '\0';
        }
        const struct host *host = script_host(script, name);
        if (host == NULL || draft->count == PBFT_REPLICAS_MAX) {
            return false;
        }
        struct pbft_vote vote = {.replica = host->id};
        find_signature(script, draft->vote_type, host->id, &draft->fields,
                       &vote.signature);
        vote.signature.bytes[0] ^= is_forced;
        if (draft->vote_type == PBFT_MESSAGE_PREPARE &&
            host->id == draft->primary) {
            draft->header.bytes[0] ^= is_forced;
        } else {
            draft->votes[draft->count++] = vote;
        }
        name = comma == NULL ? NULL : comma + 1;
    }
    return true;
}

struct pbft_message *puppet_certificate(struct script *script,
                                        struct host *host,
                                        enum pbft_message_type type,
                                        const char *text)
{
    char copy[SCRIPT_LINE_MAX];
    char *parts[4];
    struct draft draft = {.vote_type = type == PBFT_MESSAGE_PREPARED
                                           ? PBFT_MESSAGE_PREPARE
                                           : PBFT_MESSAGE_COMMIT};
    if (strlen(text) >= sizeof copy) {
        return NULL;
    }
    memcpy(copy, text, strlen(text) + 1);
    if (!cut_certificate(copy, parts)) {
        script_error(script, "'%s' is not SEQ:LABEL@VIEW:SIGNERS", text);
        return NULL;
    }
    if (!script_number(script, parts[0], &draft.fields.seq) ||
        !script_number(script, parts[2], &draft.fields.view)) {
        return NULL;
    }
    struct pbft_message *body =
        script_batch(script, parts[1], draft.fields.seq, 0);
    if (body == NULL) {
        return NULL;
    }
    draft.fields.digest = body->batch.digest;
    draft.primary = pbft_primary_of(draft.fields.view, script->sim->settings.n);
    find_signature(script, PBFT_MESSAGE_PRE_PREPARE, draft.primary,
                   &draft.fields, &draft.header);
    struct pbft_message *message = NULL;
    if (add_signers(script, &draft, parts[3])) {
        const struct pbft_origin origin = {.sender = draft.primary,
                                           .epoch = script->sim->keyring.epoch,
                                           .signature = draft.header};
        struct pbft_message *header = pbft_pre_prepare_create(
            &origin, draft.fields.view, draft.fields.seq, &draft.fields.digest,
            type == PBFT_MESSAGE_COMMITTED ? body : NULL);
        PBFT_ASSERT(header != NULL);
        message = pbft_certificate_create(type, host->id, origin.epoch, header,
                                          draft.votes, draft.count);
        PBFT_ASSERT(message != NULL);
        pbft_message_unref(header);
    }
    pbft_message_unref(body);
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
