/* SPDX-License-Identifier: Apache-2.0 */
/* Labels stand for requests, and for the batches that hold one alone. */
#include <string.h>

#include "consensus/assert.h"
#include "consensus/preimage.h"
#include "consensus/quorum.h"
#include "sim/script.h"

static bool is_label(const char *name)
{
    size_t length = strlen(name);
    return length > 0 && length < SCRIPT_LABEL_SIZE &&
           strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                        "0123456789_-") == length &&
           strcmp(name, "null") != 0;
}

struct script_label *script_label(struct script *script, const char *name,
                                  struct client *client)
{
    struct sim *sim = script->sim;
    for (size_t i = 0; i < script->label_count; i++) {
        if (strcmp(script->labels[i].name, name) == 0) {
            return &script->labels[i];
        }
    }
    if (!is_label(name)) {
        script_error(script, "'%s' is not a label", name);
        return NULL;
    }
    if (script->label_count == SCRIPT_LABELS_MAX) {
        script_error(script, "too many labels");
        return NULL;
    }
    if (client == NULL) {
        if (sim->client_count == 0) {
            script_error(script, "label '%s' needs a client", name);
            return NULL;
        }
        client = sim->clients[0];
    }
    struct script_label *label = &script->labels[script->label_count++];
    memcpy(label->name, name, strlen(name) + 1);
    label->client = client;
    label->request =
        client_prepare(client, (struct pbft_bytes){(const uint8_t *)label->name,
                                                   strlen(name)});
    return label;
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
    const struct script_label *label = script_label(script, name, NULL);
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

/* "submit c1 A B C to all" */
void script_do_submit(struct script *script, struct words *words)
{
    struct actor_set actors;
    const char *name = words_need(script, words, "a client");
    struct client *client = name == NULL ? NULL : script_client(script, name);
    struct script_label *labels[SCRIPT_WORDS_MAX];
    size_t count = 0;
    const char *word = words_next(words);
    for (; client != NULL && word != NULL && strcmp(word, "to") != 0;
         word = words_next(words)) {
        struct script_label *label = script_label(script, word, client);
        if (label == NULL) {
            return;
        }
        if (label->client != client) {
            script_error(script, "label '%s' belongs to %s", word,
                         label->client->name);
            return;
        }
        labels[count++] = label;
    }
    if (client == NULL || count == 0 || word == NULL) {
        script_error(script, "usage: submit CLIENT LABEL... to REPLICAS");
        return;
    }
    word = words_need(script, words, "a list of replicas");
    if (word == NULL || !script_actors(script, word, &actors)) {
        return;
    }
    struct pbft_replica_set to = {{0}};
    for (uint32_t i = 0; i < script->sim->host_count; i++) {
        if (actor_set_has(&actors, i)) {
            pbft_set_add(&to, script->sim->hosts[i]->id);
        }
    }
    for (size_t i = 0; i < count; i++) {
        labels[i]->is_submitted = true;
        client_send(client, labels[i]->request, &to);
    }
}
