/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates of puppets, out of the votes that were really sent. */
#include <string.h>

#include "consensus/assert.h"
#include "consensus/quorum.h"
#include "sim/script.h"

/* Signatures that nobody gave are full of it. */
#define INVALID_BYTE 0xee

/* The vote that `signer` really gave, if it did. */
static struct pbft_vote find_vote(const struct script *script,
                                  enum pbft_message_type type,
                                  pbft_replica_id signer,
                                  const struct pbft_prepare *fields)
{
    struct pbft_vote vote = {.replica = signer};
    for (size_t i = 0; i < script->sent_count; i++) {
        const struct pbft_message *message = script->sent[i].message;
        if (message->type == type && message->sender == signer &&
            pbft_message_view(message) == fields->view &&
            pbft_message_seq(message) == fields->seq &&
            memcmp(trace_digest_of(message), &fields->digest,
                   sizeof fields->digest) == 0) {
            vote.incarnation = message->incarnation;
            vote.signature = message->signature;
            return vote;
        }
    }
    memset(&vote.signature, INVALID_BYTE, sizeof vote.signature);
    return vote;
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
    struct pbft_vote header; /* Of the primary. */
    struct pbft_vote votes[PBFT_REPLICAS_MAX];
    uint32_t count;
};

static void add_header(const struct script *script, struct draft *draft)
{
    draft->header = find_vote(script, PBFT_MESSAGE_PRE_PREPARE, draft->primary,
                              &draft->fields);
}

/* Ascending as on the wire, in whatever order the script names them; one that
 * is named twice stays twice. */
static void add_vote(struct draft *draft, const struct pbft_vote *vote)
{
    uint32_t at = draft->count++;
    for (; at > 0 && draft->votes[at - 1].replica > vote->replica; at--) {
        draft->votes[at] = draft->votes[at - 1];
    }
    draft->votes[at] = *vote;
}

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
        struct pbft_vote vote =
            find_vote(script, draft->vote_type, host->id, &draft->fields);
        vote.signature.bytes[0] ^= is_forced;
        if (draft->vote_type == PBFT_MESSAGE_PREPARE &&
            host->id == draft->primary) {
            add_header(script, draft);
            draft->header.signature.bytes[0] ^= is_forced;
        } else {
            add_vote(draft, &vote);
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
    if (type == PBFT_MESSAGE_COMMITTED) {
        add_header(script, &draft);
    } else { /* Until the primary is named among the signers. */
        memset(&draft.header.signature, INVALID_BYTE,
               sizeof draft.header.signature);
    }
    struct pbft_message *message = NULL;
    if (add_signers(script, &draft, parts[3])) {
        const struct pbft_origin origin = {.sender = draft.primary,
                                           .incarnation =
                                               draft.header.incarnation,
                                           .epoch = script->sim->keyring.epoch,
                                           .signature = draft.header.signature};
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
