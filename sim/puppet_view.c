/* SPDX-License-Identifier: Apache-2.0 */
/* View-changes and new-views of puppets, out of what was really sent. */
#include <string.h>

#include "consensus/assert.h"
#include "consensus/log.h"
#include "consensus/preimage.h"
#include "consensus/quorum.h"
#include "sim/script.h"

#define CHOICES_MAX 64

/* Whether `message` is the first of its sender to say that of `seq`. */
static bool is_checkpoint_vote(const struct script *script, size_t at,
                               const struct pbft_attestation *content)
{
    const struct pbft_message *message = script->sent[at].message;
    if (message->type != PBFT_MESSAGE_ATTESTATION ||
        !pbft_attestation_equal(&message->attestation, content)) {
        return false;
    }
    for (size_t i = 0; i < at; i++) {
        const struct pbft_message *earlier = script->sent[i].message;
        if (earlier->type == PBFT_MESSAGE_ATTESTATION &&
            earlier->sender == message->sender &&
            pbft_attestation_equal(&earlier->attestation, content)) {
            return false;
        }
    }
    return true;
}

/* Ascending by replica as on the wire. */
static uint32_t collect_votes(const struct script *script,
                              const struct pbft_attestation *content,
                              struct pbft_vote votes[PBFT_REPLICAS_MAX])
{
    uint32_t count = 0;
    for (size_t i = 0; i < script->sent_count; i++) {
        if (!is_checkpoint_vote(script, i, content)) {
            continue;
        }
        const struct pbft_message *message = script->sent[i].message;
        uint32_t at = count++;
        for (; at > 0 && votes[at - 1].replica > message->sender; at--) {
            votes[at] = votes[at - 1];
        }
        votes[at] = (struct pbft_vote){message->sender, message->incarnation,
                                       message->signature};
    }
    return count;
}

/* The recorded checkpoint messages of `seq`: those that say what most of them
 * say. Without any: an empty proof. */
static struct pbft_message *make_stable(const struct script *script,
                                        pbft_seq seq)
{
    struct pbft_attestation content = {.seq = seq};
    struct pbft_vote votes[PBFT_REPLICAS_MAX];
    uint32_t most = 0;
    for (size_t i = 0; i < script->sent_count; i++) {
        const struct pbft_message *message = script->sent[i].message;
        if (message->type == PBFT_MESSAGE_ATTESTATION &&
            message->attestation.seq == seq) {
            uint32_t count =
                collect_votes(script, &message->attestation, votes);
            content = count > most ? message->attestation : content;
            most = count > most ? count : most;
        }
    }
    uint32_t count = collect_votes(script, &content, votes);
    struct pbft_message *stable = pbft_stable_create(
        0, script->sim->keyring.epoch, &content, votes, count);
    PBFT_ASSERT(stable != NULL);
    return stable;
}

/* The genesis state, as honest replicas state it. */
static struct pbft_message *make_genesis(const struct script *script)
{
    const struct pbft_attestation content = {.seq = 0};
    struct pbft_message *stable =
        pbft_stable_create(0, script->sim->keyring.epoch, &content, NULL, 0);
    PBFT_ASSERT(stable != NULL);
    return stable;
}

/* Ascending by seq as on the wire, in whatever order the script names them. */
static void insert(const struct pbft_message **prepared, uint32_t count,
                   const struct pbft_message *certificate)
{
    uint32_t at = count;
    for (; at > 0 &&
           pbft_message_seq(prepared[at - 1]) > pbft_message_seq(certificate);
         at--) {
        prepared[at] = prepared[at - 1];
    }
    prepared[at] = certificate;
}

struct pbft_message *puppet_view_change(struct script *script,
                                        struct host *host, struct words *words)
{
    const struct pbft_origin origin = {.sender = host->id,
                                       .epoch = script->sim->keyring.epoch};
    const struct pbft_message *prepared[CHOICES_MAX];
    uint32_t count = 0;
    uint64_t view = 0;
    uint64_t seq = 0;
    (void)words_number(script, words, "view", &view);
    (void)words_number(script, words, "stable", &seq);
    for (const char *text = words_value(words, "prepared");
         text != NULL && count < CHOICES_MAX;
         text = words_value(words, "prepared")) {
        const struct pbft_message *certificate =
            puppet_certificate(script, host, PBFT_MESSAGE_PREPARED, text);
        if (certificate == NULL) {
            break;
        }
        insert(prepared, count++, certificate);
    }
    struct pbft_message *stable =
        seq == 0 ? make_genesis(script) : make_stable(script, seq);
    struct pbft_message *message = pbft_view_change_create(
        &host->domain, &origin, view, stable, prepared, count);
    PBFT_ASSERT(message != NULL);
    pbft_message_sign(&host->domain, message);
    pbft_message_unref(stable);
    for (uint32_t i = 0; i < count; i++) {
        pbft_message_unref(prepared[i]);
    }
    return message;
}

/* ---- new-view --------------------------------------------------------------
 */

struct choice {
    pbft_seq seq;
    pbft_view view; /* Of the certificate that was chosen. */
    bool is_forced;
    struct pbft_digest digest;
};

struct selection {
    struct pbft_new_view_source sources[PBFT_REPLICAS_MAX];
    uint32_t source_count;
    pbft_seq base; /* The highest stable checkpoint. */
    pbft_seq last;
    struct choice choices[CHOICES_MAX];
    uint32_t choice_count;
};

static void choose(struct selection *selection, const struct choice *choice)
{
    for (uint32_t i = 0; i < selection->choice_count; i++) {
        struct choice *known = &selection->choices[i];
        if (known->seq == choice->seq) {
            if (!known->is_forced &&
                (choice->is_forced || choice->view > known->view)) {
                *known = *choice;
            }
            return;
        }
    }
    if (selection->choice_count < CHOICES_MAX) {
        selection->choices[selection->choice_count++] = *choice;
        selection->last =
            choice->seq > selection->last ? choice->seq : selection->last;
    }
}

const struct pbft_message *puppet_find_view_change(const struct script *script,
                                                   pbft_replica_id sender,
                                                   pbft_view view)
{
    const struct pbft_message *withheld = NULL;
    for (size_t i = script->sent_count; i > 0; i--) {
        const struct script_sent *sent = &script->sent[i - 1];
        const struct pbft_message *message = sent->message;
        if (message->type != PBFT_MESSAGE_VIEW_CHANGE ||
            message->sender != sender || message->view_change.view != view) {
            continue;
        }
        if (!sent->is_withheld) {
            return message;
        }
        withheld = withheld == NULL ? message : withheld;
    }
    return withheld;
}

const struct pbft_message *
puppet_named_view_change(const struct script *script,
                         const struct pbft_new_view_source *source)
{
    for (size_t i = 0; i < script->sent_count; i++) {
        const struct pbft_message *message = script->sent[i].message;
        if (message->type == PBFT_MESSAGE_VIEW_CHANGE &&
            message->sender == source->replica &&
            memcmp(&message->view_change.digest, &source->digest,
                   sizeof source->digest) == 0) {
            return message;
        }
    }
    return NULL;
}

static void take_view_change(struct selection *selection,
                             const struct pbft_message *message)
{
    const struct pbft_view_change *fields = &message->view_change;
    pbft_seq stable = fields->stable->stable.attestation.seq;
    if (stable > selection->base) {
        selection->base = stable;
    }
    for (uint32_t i = 0; i < fields->prepared_count; i++) {
        const struct pbft_pre_prepare *header =
            &fields->prepared[i]->prepared.pre_prepare->pre_prepare;
        choose(selection, &(struct choice){.seq = header->seq,
                                           .view = header->view,
                                           .digest = header->digest});
    }
}

/* "R0,R2@1": by sender, and view if it is not the new one. */
static bool take_sources(struct script *script, struct selection *selection,
                         const char *text, pbft_view view)
{
    char name[SCRIPT_LABEL_SIZE];
    while (text != NULL) {
        size_t length = strcspn(text, ",");
        uint64_t from_view = view;
        if (length >= sizeof name ||
            selection->source_count == PBFT_REPLICAS_MAX) {
            script_error(script, "'%s' is not a list of replicas", text);
            return false;
        }
        memcpy(name, text, length);
        name[length] = '\0';
        char *sign = strchr(name, '@');
        if (sign != NULL) {
            *sign = '\0';
            if (!script_number(script, sign + 1, &from_view)) {
                return false;
            }
        }
        const struct host *host = script_host(script, name);
        if (host == NULL) {
            return false;
        }
        const struct pbft_message *message =
            puppet_find_view_change(script, host->id, from_view);
        struct pbft_new_view_source *source =
            &selection->sources[selection->source_count++];
        *source = (struct pbft_new_view_source){.replica = host->id};
        if (message != NULL) {
            source->digest = message->view_change.digest;
            take_view_change(selection, message);
        }
        text = text[length] == ',' ? text + length + 1 : NULL;
    }
    return true;
}

/* "SEQ:LABEL" overrides. */
static bool take_override(struct script *script, struct selection *selection,
                          const char *text)
{
    char copy[SCRIPT_LINE_MAX];
    struct choice choice = {.is_forced = true};
    if (strlen(text) >= sizeof copy) {
        return false;
    }
    memcpy(copy, text, strlen(text) + 1);
    char *sign = strchr(copy, ':');
    if (sign == NULL) {
        script_error(script, "'%s' is not SEQ:LABEL", text);
        return false;
    }
    *sign = '\0';
    if (!script_number(script, copy, &choice.seq) ||
        !script_digest(script, sign + 1, choice.seq, &choice.digest)) {
        return false;
    }
    choose(selection, &choice);
    return true;
}

static struct pbft_message *make_header(const struct host *host,
                                        const struct selection *selection,
                                        const struct pbft_origin *origin,
                                        pbft_view view, pbft_seq seq)
{
    struct pbft_digest digest;
    pbft_null_digest(&host->domain, &digest);
    for (uint32_t i = 0; i < selection->choice_count; i++) {
        if (selection->choices[i].seq == seq) {
            digest = selection->choices[i].digest;
        }
    }
    struct pbft_message *header =
        pbft_pre_prepare_create(origin, view, seq, &digest, NULL);
    PBFT_ASSERT(header != NULL);
    pbft_message_sign(&host->domain, header);
    return header;
}

static struct pbft_message *build(const struct script *script,
                                  const struct host *host,
                                  const struct selection *selection,
                                  pbft_view view)
{
    const struct pbft_origin origin = {.sender = host->id,
                                       .epoch = script->sim->keyring.epoch};
    const struct pbft_message *headers[CHOICES_MAX];
    uint32_t count = 0;
    for (pbft_seq seq = selection->base + 1;
         seq <= selection->last && count < CHOICES_MAX; seq++) {
        headers[count++] = make_header(host, selection, &origin, view, seq);
    }
    struct pbft_message *message =
        pbft_new_view_create(&origin, view, selection->sources,
                             selection->source_count, headers, count);
    PBFT_ASSERT(message != NULL);
    pbft_message_sign(&host->domain, message);
    for (uint32_t i = 0; i < count; i++) {
        pbft_message_unref(headers[i]);
    }
    return message;
}

struct pbft_message *puppet_new_view(struct script *script, struct host *host,
                                     struct words *words)
{
    struct selection selection = {.base = 0};
    uint64_t view = 0;
    (void)words_number(script, words, "view", &view);
    const char *from = words_value(words, "from");
    if (from == NULL) {
        script_error(script, "from= is missing");
        return NULL;
    }
    if (!take_sources(script, &selection, from, view)) {
        return NULL;
    }
    for (const char *text = words_value(words, "choose"); text != NULL;
         text = words_value(words, "choose")) {
        if (!take_override(script, &selection, text)) {
            return NULL;
        }
    }
    return build(script, host, &selection, view);
}
