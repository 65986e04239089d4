/* SPDX-License-Identifier: Apache-2.0 */
/* Holding, dropping, delivering, cutting. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "consensus/assert.h"
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
 * made first. */
static void deliver_matching(struct script *script,
                             const struct pattern *pattern, bool is_flying_too,
                             uint64_t limit)
{
    struct network *network = &script->sim->network;
    struct sim_packet **meant = NULL;
    size_t count = 0;
    size_t capacity = 0;
    for (struct sim_packet *packet = network->first;
         packet != NULL && count < limit; packet = packet->next) {
        if ((packet->state != PACKET_HELD && !is_flying_too) ||
            !pattern_matches(script->sim, pattern, packet)) {
            continue;
        }
        if (count == capacity) {
            capacity = capacity == 0 ? 64 : 2 * capacity;
            meant = realloc(meant, capacity * sizeof meant[0]);
            PBFT_ASSERT(meant != NULL);
        }
        packet->event_count++; /* It stays until its turn has come. */
        meant[count++] = packet;
    }
    for (size_t i = 0; i < count; i++) {
        meant[i]->event_count--;
        if (meant[i]->state != PACKET_DONE) {
            deliver_now(script, meant[i]);
        } else {
            network_finish(network, meant[i]);
        }
    }
    free(meant);
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

/* The latest of the first `count` rules that has this pattern. */
static bool remove_equal(struct script *script, const struct script_rule *same,
                         size_t count)
{
    for (size_t i = count; i > 0; i--) {
        struct script_rule *rule = &script->rules[i - 1];
        if (rule->is_drop == same->is_drop &&
            pattern_equal(&rule->pattern, &same->pattern)) {
            script->rule_count--;
            memmove(rule, rule + 1,
                    (script->rule_count - (i - 1)) * sizeof *rule);
            return true;
        }
    }
    return false;
}

static void add_rule(struct script *script, struct words *words, bool is_drop)
{
    if (script->rule_count == SCRIPT_RULES_MAX) {
        script_error(script, "too many rules");
        return;
    }
    struct script_rule *rule = &script->rules[script->rule_count];
    const size_t at = words->at;
    rule->is_drop = is_drop;
    rule->view_max = UINT64_MAX;
    if (!script_pattern(script, words, &rule->pattern)) {
        return;
    }
    words_join(words, at, rule->text);
    script->rule_count++;
    /* The same once more: it is the latest now, and ends as one. */
    const struct script_rule same = *rule;
    if (remove_equal(script, &same, script->rule_count - 1)) {
        script->rules[script->rule_count - 1] = same;
    }
}

static bool remove_rule(struct script *script, struct words *words,
                        bool is_drop)
{
    struct script_rule same = {.is_drop = is_drop};
    words_join(words, words->at, same.text);
    if (!script_pattern(script, words, &same.pattern)) {
        return false;
    }
    if (!remove_equal(script, &same, script->rule_count)) {
        script_error(script, "there is no %s '%.200s'",
                     is_drop ? "drop" : "hold", same.text);
        return false;
    }
    return true;
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
        deliver_matching(script, &pattern, false, limit);
    }
}

void script_do_unhold(struct script *script, struct words *words)
{
    if (remove_rule(script, words, false)) {
        deliver_unheld(script);
    }
}

/* Whether `drop` takes all that `hold` holds of its view. */
static bool is_covered(const struct pattern *hold, const struct pattern *drop)
{
    return hold->types == drop->types &&
           (!drop->has_from ||
            (hold->has_from &&
             memcmp(&hold->from, &drop->from, sizeof hold->from) == 0)) &&
           (!drop->has_to || (hold->has_to && memcmp(&hold->to, &drop->to,
                                                     sizeof hold->to) == 0)) &&
           (!drop->has_seq || (hold->has_seq && hold->seq == drop->seq));
}

/* "hold commit" and later "drop commit view=0" speak of the same messages: who
 * drops those of one view goes on to the next, so the hold ends with it. */
static void bound_holds(struct script *script, const struct pattern *drop)
{
    for (size_t i = 0; i + 1 < script->rule_count && drop->has_view; i++) {
        struct script_rule *rule = &script->rules[i];
        if (!rule->is_drop && !rule->pattern.has_view &&
            is_covered(&rule->pattern, drop) && rule->view_max > drop->view) {
            rule->view_max = drop->view;
        }
    }
}

void script_do_drop(struct script *script, struct words *words)
{
    add_rule(script, words, true);
    if (script->outcome != SCRIPT_RUNS) {
        return;
    }
    const struct pattern *pattern =
        &script->rules[script->rule_count - 1].pattern;
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
        deliver_matching(script, &pattern, true, UINT64_MAX);
    }
}

static void cut_one_way(struct script *script, const struct actor_set *from,
                        const struct actor_set *to)
{
    struct sim *sim = script->sim;
    for (uint32_t a = 0; a < sim->host_count; a++) {
        for (uint32_t b = 0; b < sim->host_count; b++) {
            /* Cut already: nothing flies there. */
            if (a != b && actor_set_has(from, a) && actor_set_has(to, b) &&
                sim->network.cuts[a][b] == 0) {
                network_cut(&sim->network, a, b);
            }
        }
    }
}

static bool take_side(struct script *script, const char *text,
                      struct actor_set *out)
{
    char name[SCRIPT_LINE_MAX];
    struct words one;
    (void)snprintf(name, sizeof name, "%s", text);
    if (!words_split(script, &one, name) || !script_hosts(script, &one, out)) {
        return false;
    }
    words_finish(script, &one);
    return script->outcome == SCRIPT_RUNS;
}

/* "cut R0,R1 | R2,R3" or "cut R3 -> R0,R1,R2" */
void script_do_cut(struct script *script, struct words *words)
{
    char text[SCRIPT_LINE_MAX];
    struct actor_set left;
    struct actor_set right;
    words_join(words, words->at, text);
    char *sign = strstr(text, "->");
    const bool is_one_way = sign != NULL;
    sign = is_one_way ? sign : strchr(text, '|');
    if (sign == NULL) {
        script_error(script, "usage: cut REPLICAS | REPLICAS, or ->");
        return;
    }
    while (words_next(words) != NULL) {
    }
    *sign = '\0';
    if (!take_side(script, text, &left) ||
        !take_side(script, sign + 1 + is_one_way, &right)) {
        script_error(script, "usage: cut REPLICAS | REPLICAS, or ->");
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
