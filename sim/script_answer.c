/* SPDX-License-Identifier: Apache-2.0 */
/* How puppets answer state transfer. */
#include <string.h>

#include "consensus/assert.h"
#include "consensus/quorum.h"
#include "sim/script.h"

static bool take_kind(struct script *script, const struct host *host,
                      const char *with, struct script_answer *out)
{
    static const struct {
        const char *word;
        enum puppet_answer kind;
    } kinds[] = {{"nothing", ANSWER_NOTHING},
                 {"garbage", ANSWER_GARBAGE},
                 {"old", ANSWER_OLD}};
    static const char prefix[] = "commit=";
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(with, kinds[i].word) == 0) {
            out->kind = kinds[i].kind;
            return true;
        }
    }
    if (strncmp(with, prefix, sizeof prefix - 1) != 0) {
        script_error(script, "with=%s is not an answer", with);
        return false;
    }
    out->kind = ANSWER_CERTIFICATE;
    out->certificate =
        puppet_certificate(script, (struct host *)host, PBFT_MESSAGE_COMMITTED,
                           with + sizeof prefix - 1);
    return out->certificate != NULL;
}

/* "puppet R3 answer fetch with=garbage to R2": from now on, for R2. */
void script_set_answer(struct script *script, struct words *words,
                       struct host *host)
{
    struct script_answer answer = {.host = host->index};
    const char *fetch = words_need(script, words, "fetch");
    const char *with = words_value(words, "with");
    if (fetch == NULL || strcmp(fetch, "fetch") != 0 || with == NULL) {
        script_error(script, "usage: puppet R answer fetch with=... to ...");
        return;
    }
    if (!script_to(script, words, host, true, &answer.to) ||
        !take_kind(script, host, with, &answer)) {
        return;
    }
    if (script->answer_count == SCRIPT_ANSWERS_MAX) {
        pbft_message_unref(answer.certificate);
        script_error(script, "too many kinds of answers");
        return;
    }
    script->answers[script->answer_count++] = answer;
}

/* A certificate for what was asked, with signatures that prove nothing. */
static struct pbft_message *make_garbage(struct script *script,
                                         const struct host *host, pbft_seq seq)
{
    const struct pbft_origin origin = {.sender = 0,
                                       .epoch = script->sim->keyring.epoch};
    struct pbft_vote votes[PBFT_REPLICAS_MAX] = {{0}};
    uint32_t quorum = pbft_quorum(script->sim->settings.n);
    struct pbft_digest digest = {{0x67}};
    for (uint32_t i = 0; i < quorum; i++) {
        votes[i].replica = i;
    }
    struct pbft_message *header =
        pbft_pre_prepare_create(&origin, 0, seq == 0 ? 1 : seq, &digest, NULL);
    PBFT_ASSERT(header != NULL);
    struct pbft_message *message = pbft_certificate_create(
        PBFT_MESSAGE_COMMITTED, host->id, origin.epoch, header, votes, quorum);
    PBFT_ASSERT(message != NULL);
    pbft_message_unref(header);
    return message;
}

/* What it was told last about this asker; NULL: nothing. */
static const struct script_answer *find_answer(const struct script *script,
                                               const struct host *host,
                                               uint32_t asker)
{
    for (size_t i = script->answer_count; i > 0; i--) {
        const struct script_answer *answer = &script->answers[i - 1];
        if (answer->host == host->index && actor_set_has(&answer->to, asker)) {
            return answer;
        }
    }
    return NULL;
}

void script_on_puppet_packet(void *context, struct host *host,
                             const struct sim_packet *packet)
{
    struct script *script = context;
    struct network *network = &script->sim->network;
    const struct script_answer *answer =
        find_answer(script, host, packet->from);
    if (packet->message->type != PBFT_MESSAGE_FETCH || answer == NULL) {
        return;
    }
    if (answer->kind == ANSWER_CERTIFICATE) {
        (void)network_send_recoded(network, host->index, packet->from,
                                   answer->certificate);
    } else if (answer->kind == ANSWER_OLD && host->block_count > 0) {
        network_send(network, host->index, packet->from,
                     host->blocks[0].committed, NULL);
    } else if (answer->kind == ANSWER_GARBAGE) {
        struct pbft_message *garbage =
            make_garbage(script, host, packet->message->fetch.seq);
        (void)network_send_recoded(network, host->index, packet->from, garbage);
        pbft_message_unref(garbage);
    }
}
