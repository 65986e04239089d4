/* SPDX-License-Identifier: Apache-2.0 */
/* Labels stand for requests, and for the batches that hold one alone.
 *
 * The whole text is read for them before its first line runs: a label belongs
 * to the client that submits it, wherever the script does so, and one that no
 * `submit` and no `puppet` names is a mistake.
 */
#include <stdio.h>
#include <string.h>

#include "consensus/assert.h"
#include "consensus/preimage.h"
#include "consensus/quorum.h"
#include "sim/script.h"

/* ---- reading the text -------------------------------------------------------
 */

static struct script_label *find(struct script *script, const char *name)
{
    for (size_t i = 0; i < script->label_count; i++) {
        if (strcmp(script->labels[i].name, name) == 0) {
            return &script->labels[i];
        }
    }
    return NULL;
}

/* `owner`: a client, or "" if a puppet uses the label. */
static void note(struct script *script, const char *name, const char *owner)
{
    struct script_label *label = find(script, name);
    if (!script_is_name(name)) {
        return; /* "null", or an error of the line that has it. */
    }
    if (label == NULL) {
        if (script->label_count == SCRIPT_LABELS_MAX) {
            script_error(script, "too many labels");
            return;
        }
        label = &script->labels[script->label_count++];
        memcpy(label->name, name, strlen(name) + 1);
    }
    if (label->owner[0] == '\0' && strlen(owner) < sizeof label->owner) {
        memcpy(label->owner, owner, strlen(owner) + 1);
    }
}

/* The label in "SEQ:LABEL" or "SEQ:LABEL@VIEW:SIGNERS". */
static void note_in_slot(struct script *script, const char *text)
{
    char name[SCRIPT_LABEL_SIZE];
    const char *sign = strchr(text, ':');
    size_t length = sign == NULL ? 0 : strcspn(sign + 1, "@:");
    if (length > 0 && length < sizeof name) {
        memcpy(name, sign + 1, length);
        name[length] = '\0';
        note(script, name, "");
    }
}

static void note_of_puppet(struct script *script, const struct words *words)
{
    static const struct {
        const char *option;
        bool is_slot;
    } options[] = {{"request=", false},    {"digest=", false},
                   {"prepared=", true},    {"choose=", true},
                   {"with=commit=", true}, {"with=prepared=", true}};
    for (size_t w = 1; w < words->count; w++) {
        for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
            size_t length = strlen(options[i].option);
            if (strncmp(words->word[w], options[i].option, length) != 0) {
                continue;
            }
            if (options[i].is_slot) {
                note_in_slot(script, words->word[w] + length);
            } else {
                note(script, words->word[w] + length, "");
            }
        }
    }
}

void script_note_labels(struct script *script, const char *line)
{
    struct words words;
    if (!words_split(script, &words, line)) {
        return;
    }
    if (strcmp(words.word[0], "puppet") == 0) {
        note_of_puppet(script, &words);
    } else if (strcmp(words.word[0], "submit") == 0) {
        for (size_t i = 2; i < words.count && strcmp(words.word[i], "to") != 0;
             i++) {
            note(script, words.word[i], words.word[1]);
        }
    }
}

/* ---- using labels -----------------------------------------------------------
 */

static struct client *owner_of(struct script *script,
                               const struct script_label *label)
{
    const struct sim *sim = script->sim;
    if (label->owner[0] != '\0') {
        return script_client(script, label->owner);
    }
    if (sim->client_count == 0) {
        script_error(script, "label '%s' needs a client", label->name);
        return NULL;
    }
    return sim->clients[0];
}

struct script_label *script_label(struct script *script, const char *name)
{
    struct script_label *label = find(script, name);
    if (label == NULL) {
        script_error(script,
                     script_is_name(name)
                         ? "there is no label '%s': nothing in this text "
                           "submits or proposes it"
                         : "'%s' is not a label",
                     name);
        return NULL;
    }
    if (label->request == NULL) {
        label->client = owner_of(script, label);
        if (label->client == NULL) {
            return NULL;
        }
        label->request = client_prepare(
            label->client, (struct pbft_bytes){(const uint8_t *)label->name,
                                               strlen(label->name)});
    }
    return label;
}

const char *script_label_of(const struct script *script,
                            const struct pbft_digest *request)
{
    for (size_t i = 0; i < script->label_count; i++) {
        const struct script_label *label = &script->labels[i];
        if (label->request != NULL && memcmp(&label->request->request.digest,
                                             request, sizeof *request) == 0) {
            return label->name;
        }
    }
    return "?";
}

struct pbft_message *script_batch(struct script *script, const char *name,
                                  pbft_seq seq, pbft_wall_us time)
{
    struct sim *sim = script->sim;
    const struct pbft_domain *domain = &sim->hosts[0]->domain;
    struct pbft_message *batch;
    if (strcmp(name, "null") == 0) {
        batch = pbft_batch_create(domain, 0, NULL, 0);
        PBFT_ASSERT(batch != NULL);
        return batch;
    }
    const struct script_label *label = script_label(script, name);
    if (label == NULL) {
        return NULL;
    }
    const struct table_entry *used =
        audit_find(sim, FACT_BATCH_TIME, 0,
                   audit_fold(&label->request->request.digest), seq);
    if (time == 0) {
        time = used != NULL
                   ? used->bits
                   : SIM_WALL_START_US + script->start_us + seq * SIM_MS_US;
    }
    batch = pbft_batch_create(domain, time, &label->request, 1);
    PBFT_ASSERT(batch != NULL);
    return batch;
}

bool script_digest(struct script *script, const char *name, pbft_seq seq,
                   struct pbft_digest *out)
{
    struct pbft_message *batch = script_batch(script, name, seq, 0);
    if (batch == NULL) {
        return false;
    }
    *out = batch->batch.digest;
    pbft_message_unref(batch);
    return true;
}

bool script_batch_holds(struct script *script, const struct pbft_batch *batch,
                        const char *name)
{
    if (strcmp(name, "null") == 0) {
        return batch->request_count == 0;
    }
    const struct script_label *label = script_label(script, name);
    for (uint32_t i = 0; label != NULL && i < batch->request_count; i++) {
        if (memcmp(&batch->requests[i]->request.digest,
                   &label->request->request.digest,
                   sizeof(struct pbft_digest)) == 0) {
            return true;
        }
    }
    return false;
}

void script_describe_batch(const struct script *script,
                           const struct pbft_batch *batch, char *out,
                           size_t size)
{
    size_t used = 0;
    (void)snprintf(out, size, "null");
    for (uint32_t i = 0; i < batch->request_count && used < size; i++) {
        int added = snprintf(
            out + used, size - used, "%s%s", i == 0 ? "" : "+",
            script_label_of(script, &batch->requests[i]->request.digest));
        used += added > 0 ? (size_t)added : 0;
    }
}

/* ---- submit -----------------------------------------------------------------
 */

/* A word for a replica is also for its twins; a twin alone gets its own copy.
 */
static void send_to(struct script *script, struct client *client,
                    const struct pbft_message *request,
                    const struct actor_set *actors)
{
    struct sim *sim = script->sim;
    struct pbft_replica_set to = {{0}};
    for (uint32_t i = 0; i < sim->settings.n; i++) {
        if (actor_set_has(actors, i)) {
            pbft_set_add(&to, i);
        }
    }
    for (uint32_t i = sim->settings.n; i < sim->host_count; i++) {
        if (actor_set_has(actors, i) && !pbft_set_has(&to, sim->hosts[i]->id)) {
            network_send(&sim->network, SIM_HOSTS_MAX + client->index, i,
                         request, NULL);
        }
    }
    client_send(client, request, &to);
}

/* The labels up to the word "to"; their number, 0 after an error. */
static size_t take_labels(struct script *script, struct words *words,
                          const struct client *client,
                          struct script_label *labels[SCRIPT_WORDS_MAX])
{
    size_t count = 0;
    for (const char *word = words_next(words);
         word != NULL && strcmp(word, "to") != 0; word = words_next(words)) {
        struct script_label *label = script_label(script, word);
        if (label == NULL) {
            return 0;
        }
        if (label->client != client) {
            script_error(script, "label '%s' belongs to %s", word,
                         label->client->name);
            return 0;
        }
        labels[count++] = label;
    }
    if (count == 0) {
        script_error(script, "usage: submit CLIENT LABEL... to REPLICAS");
    }
    return count;
}

/* "submit c1 A B C to all" */
void script_do_submit(struct script *script, struct words *words)
{
    struct actor_set actors;
    struct script_label *labels[SCRIPT_WORDS_MAX];
    const char *name = words_need(script, words, "a client");
    struct client *client = name == NULL ? NULL : script_client(script, name);
    if (client == NULL) {
        return;
    }
    size_t count = take_labels(script, words, client, labels);
    if (count == 0 || !script_hosts(script, words, &actors)) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        labels[i]->is_submitted = true;
        send_to(script, client, labels[i]->request, &actors);
    }
}
