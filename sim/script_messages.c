/* SPDX-License-Identifier: Apache-2.0 */
/* Holding, dropping, delivering, cutting. */
#include <string.h>

#include "sim/script.h"

/* The latest rule that matches wins. */
enum packet_fate script_filter(void *context, const struct sim_packet *packet)
{
    const struct script *script = context;
    for (size_t i = script->rule_count; i > 0; i--) {
        const struct script_rule *rule = &script->rules[i - 1];
        if (pbft_message_view(packet->message) <= rule->view_max &&
            pattern_matches(script->sim, &rule->pattern, packet)) {
            return rule->is_drop ? FATE_DROP : FATE_HOLD;
        }
    }
    return FATE_DELIVER;
}

/* The text of the pattern, words joined by one space. */
static void join_words(const struct words *words, char out[SCRIPT_LINE_MAX])
{
    size_t used = 0;
    for (size_t i = words->at; i < words->count; i++) {
        size_t length = strlen(words->word[i]);
        memcpy(out + used, words->word[i], length);
        used += length;
        out[used++] = i + 1 < words->count ? ' ' : '\0';
    }
    if (words->at >= words->count) {
        out[0] = '\0';
    }
}

/* Now, whatever filters say. */
static void deliver_now(struct script *script, struct sim_packet *packet)
{
    struct sim *sim = script->sim;
    network_take(&sim->network, packet);
    sim_dispatch(sim, &(struct sim_event){.time_us = sim->now_us,
                                          .kind = SIM_EVENT_DELIVER,
                                          .target = packet->to,
                                          .item = packet});
}

/* Packets may come and go while one is delivered: the list of those meant is
 * made first. Returns how many were delivered. */
static uint64_t deliver_matching(struct script *script,
                                 const struct pattern *pattern,
                                 enum packet_state state, uint64_t limit)
{
    enum { MEANT_MAX = 4096 };
    static struct sim_packet *meant[MEANT_MAX];
    size_t count = 0;
    for (struct sim_packet *packet = script->sim->network.first;
         packet != NULL && count < MEANT_MAX && count < limit;
         packet = packet->next) {
        if (packet->state == state &&
            pattern_matches(script->sim, pattern, packet)) {
            meant[count++] = packet;
        }
    }
    for (size_t i = 0; i < count; i++) {
        if (meant[i]->state != PACKET_DONE) {
            deliver_now(script, meant[i]);
        }
    }
    return count;
}

/* Those that no other rule keeps are delivered. */
static void deliver_unheld(struct script *script)
{
    bool again = true;
    while (again) {
        again = false;
        for (struct sim_packet *packet = script->sim->network.first;
             packet != NULL; packet = packet->next) {
            if (packet->state == PACKET_HELD &&
                script_filter(script, packet) == FATE_DELIVER) {
                deliver_now(script, packet);
                again = true;
                break;
            }
        }
    }
}

static void add_rule(struct script *script, struct words *words, bool is_drop)
{
    if (script->rule_count == SCRIPT_RULES_MAX) {
        script_error(script, "too many rules");
        return;
    }
    struct script_rule *rule = &script->rules[script->rule_count];
    join_words(words, rule->text);
    rule->is_drop = is_drop;
    rule->view_max = UINT64_MAX;
    if (script_pattern(script, words, &rule->pattern)) {
        script->rule_count++;
    }
}

static bool remove_rule(struct script *script, struct words *words,
                        bool is_drop)
{
    char text[SCRIPT_LINE_MAX];
    struct pattern pattern;
    join_words(words, text);
    if (!script_pattern(script, words, &pattern)) {
        return false;
    }
    for (size_t i = script->rule_count; i > 0; i--) {
        struct script_rule *rule = &script->rules[i - 1];
        if (rule->is_drop == is_drop && strcmp(rule->text, text) == 0) {
            script->rule_count--;
            memmove(rule, rule + 1,
                    (script->rule_count - (i - 1)) * sizeof *rule);
            return true;
        }
    }
    script_error(script, "there is no %s '%s'", is_drop ? "drop" : "hold",
                 text);
    return false;
}

void script_do_hold(struct script *script, struct words *words)
{
    add_rule(script, words, false);
}

void script_do_release(struct script *script, struct words *words)
{
    struct pattern pattern;
    uint64_t limit = UINT64_MAX;
    (void)words_number(script, words, "count", &limit);
    if (script_pattern(script, words, &pattern)) {
        (void)deliver_matching(script, &pattern, PACKET_HELD, limit);
    }
}

void script_do_unhold(struct script *script, struct words *words)
{
    if (remove_rule(script, words, false)) {
        deliver_unheld(script);
    }
}

/* "hold commit" and later "drop commit view=0" speak of the same messages: who
 * drops those of one view goes on to the next, so the hold ends with it. */
static void bound_holds(struct script *script, const struct pattern *drop)
{
    for (size_t i = 0; i + 1 < script->rule_count && drop->has_view; i++) {
        struct script_rule *rule = &script->rules[i];
        if (!rule->is_drop && !rule->pattern.has_view &&
            rule->pattern.types == drop->types && rule->view_max > drop->view) {
            rule->view_max = drop->view;
        }
    }
}

void script_do_drop(struct script *script, struct words *words)
{
    size_t before = script->rule_count;
    add_rule(script, words, true);
    if (script->rule_count == before) {
        return;
    }
    const struct pattern *pattern = &script->rules[before].pattern;
    struct sim_packet *packet = script->sim->network.first;
    while (packet != NULL) {
        struct sim_packet *next = packet->next;
        if (packet->state == PACKET_HELD &&
            pattern_matches(script->sim, pattern, packet)) {
            network_drop(&script->sim->network, packet);
        }
        packet = next;
    }
    bound_holds(script, pattern);
    deliver_unheld(script);
}

void script_do_undrop(struct script *script, struct words *words)
{
    (void)remove_rule(script, words, true);
}

void script_do_deliver(struct script *script, struct words *words)
{
    struct pattern pattern;
    if (script_pattern(script, words, &pattern)) {
        (void)deliver_matching(script, &pattern, PACKET_FLYING, UINT64_MAX);
    }
}

static void cut_one_way(struct script *script, const struct actor_set *from,
                        const struct actor_set *to)
{
    struct sim *sim = script->sim;
    for (uint32_t a = 0; a < sim->host_count; a++) {
        for (uint32_t b = 0; b < sim->host_count; b++) {
            if (a != b && actor_set_has(from, a) && actor_set_has(to, b)) {
                network_cut(&sim->network, a, b);
            }
        }
    }
}

/* "cut R0,R1 | R2,R3" or "cut R3 -> R0,R1,R2"; spaces around the sign. */
void script_do_cut(struct script *script, struct words *words)
{
    struct actor_set left;
    struct actor_set right;
    const char *a = words_need(script, words, "a list of replicas");
    const char *sign = words_need(script, words, "'|' or '->'");
    const char *b = words_need(script, words, "a list of replicas");
    if (a == NULL || sign == NULL || b == NULL ||
        !script_actors(script, a, &left) || !script_actors(script, b, &right)) {
        return;
    }
    bool is_one_way = strcmp(sign, "->") == 0;
    if (!is_one_way && strcmp(sign, "|") != 0) {
        script_error(script, "'%s' is neither '|' nor '->'", sign);
        return;
    }
    cut_one_way(script, &left, &right);
    if (!is_one_way) {
        cut_one_way(script, &right, &left);
    }
}

void script_do_heal(struct script *script, struct words *words)
{
    (void)words;
    network_join_all(&script->sim->network);
}
