/* SPDX-License-Identifier: Apache-2.0 */
/* Runs scenario scripts: the table of directives, and the report. */
#include "sim/script.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "consensus/assert.h"
#include "sim/command.h"

static struct script *running;

#if defined(__GNUC__)
__attribute__((format(printf, 3, 0)))
#endif
static void
end_script(struct script *script, enum script_outcome outcome,
           const char *format, va_list arguments)
{
    if (script->outcome == SCRIPT_RUNS) {
        script->outcome = outcome;
        (void)vsnprintf(script->reason, sizeof script->reason, format,
                        arguments);
    }
}

void script_error(struct script *script, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    end_script(script, SCRIPT_INVALID, format, arguments);
    va_end(arguments);
}

void script_broke(struct script *script, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    end_script(script, SCRIPT_BROKE, format, arguments);
    va_end(arguments);
}

/* ---- the table
 * --------------------------------------------------------------- */

static void script_do_nothing(struct script *script, struct words *words)
{
    (void)script; /* Set-up has been done before the first line ran. */
    memset(words->is_used, true, sizeof words->is_used);
}

static void script_do_reconfigure(struct script *script, struct words *words)
{
    (void)words;
    script_error(script, "membership changes are not built yet");
}

static const struct script_directive directives[] = {
    {"cluster", script_do_nothing},
    {"client", script_do_nothing},
    {"submit", script_do_submit},
    {"hold", script_do_hold},
    {"release", script_do_release},
    {"unhold", script_do_unhold},
    {"drop", script_do_drop},
    {"undrop", script_do_undrop},
    {"deliver", script_do_deliver},
    {"cut", script_do_cut},
    {"heal", script_do_heal},
    {"run", script_do_run},
    {"step", script_do_step},
    {"settle", script_do_settle},
    {"timer", script_do_timer},
    {"crash", script_do_crash},
    {"restart", script_do_restart},
    {"mark", script_do_mark},
    {"disk", script_do_disk},
    {"clock", script_do_clock},
    {"byzantine", script_do_byzantine},
    {"puppet", script_do_puppet},
    {"twin", script_do_twin},
    {"expect", script_do_expect},
    {"reconfigure", script_do_reconfigure},
    {"replay", script_do_replay},
};

static const struct script_directive *find(const char *name)
{
    for (size_t i = 0; i < sizeof directives / sizeof directives[0]; i++) {
        if (strcmp(directives[i].name, name) == 0) {
            return &directives[i];
        }
    }
    return NULL;
}

/* Directives stand between the events that they cause. */
static void print_line(const struct script *script, const struct words *words)
{
    char text[SCRIPT_LINE_MAX];
    if (script->trace_out != NULL) {
        words_join(words, 0, text);
        (void)fprintf(script->trace_out, "> %zu: %s\n", script->line, text);
    }
}

static void check_violation(struct script *script)
{
    const struct sim_violation *violation = &script->sim->violation;
    if (violation->found) {
        script_broke(script, "invariant %s broke: %s", violation->rule,
                     violation->text);
    }
}

static void run_line(struct script *script, const char *line)
{
    struct words words;
    if (!words_split(script, &words, line)) {
        return;
    }
    print_line(script, &words);
    const struct script_directive *directive = find(words_next(&words));
    PBFT_ASSERT(directive != NULL); /* All were looked at before. */
    directive->run(script, &words);
    if (script->outcome == SCRIPT_RUNS) {
        words_finish(script, &words);
    }
    check_violation(script);
}

/* ---- a whole file
 * --------------------------------------------------------------- */

static void each_line(struct script *script, char *text,
                      void (*run)(struct script *script, const char *line))
{
    script->line = 0;
    char *at = text;
    while (*at != '\0' && script->outcome == SCRIPT_RUNS) {
        char *end = strchr(at, '\n');
        if (end != NULL) {
            *end = '\0';
        }
        script->line++;
        run(script, at);
        if (end == NULL) {
            break;
        }
        *end = '\n';
        at = end + 1;
    }
}

static void check_directive(struct script *script, const char *line)
{
    struct words words;
    if (words_split(script, &words, line) && find(words.word[0]) == NULL) {
        script_error(script, "unknown directive '%s'", words.word[0]);
    }
}

/* The replicas ask each other whether they may vote, and get their answers:
 * scripts begin with a cluster that is up. */
static void start(struct script *script)
{
    sim_start_hosts(script->sim);
    script_settle(script);
    script->start_us = script->sim->now_us;
}

/* What is wrong in a text is said before any of it runs, as far as one line
 * alone can tell. */
static bool set_up(struct script *script, char *text)
{
    script_settings(&script->settings);
    each_line(script, text, check_directive);
    if (script->outcome == SCRIPT_RUNS) {
        each_line(script, text, script_note_labels);
    }
    if (script->outcome == SCRIPT_RUNS) {
        each_line(script, text, script_take_cluster);
    }
    if (script->outcome != SCRIPT_RUNS) {
        return false;
    }
    script->sim = sim_create(&script->settings, 0, script->trace_out);
    script->sim->observer =
        (struct sim_observer){.context = script,
                              .on_send = script_on_send,
                              .on_submit = script_on_submit,
                              .on_reply = script_on_reply,
                              .on_puppet_packet = script_on_puppet_packet};
    script->sim->network.filter_context = script;
    script->sim->network.filter = script_filter;
    each_line(script, text, script_take_clients);
    return script->outcome == SCRIPT_RUNS;
}

static void run_text(struct script *script, char *text)
{
    if (!set_up(script, text)) {
        return;
    }
    script_check_replica(script);
    if (script->outcome == SCRIPT_RUNS) {
        start(script);
        each_line(script, text, run_line);
    }
    if (script->outcome == SCRIPT_RUNS) {
        audit_end(script->sim);
        check_violation(script);
    }
}

static void release(struct script *script)
{
    for (size_t i = 0; i < script->mark_count; i++) {
        for (uint32_t h = 0; h < script->marks[i].count; h++) {
            disk_image_deinit(&script->marks[i].images[h]);
        }
    }
    script_forget_sent(script);
    for (size_t i = 0; i < script->answer_count; i++) {
        pbft_message_unref(script->answers[i].certificate);
    }
    free(script->replay_faults.numbers);
    free(script->replay_acts.numbers);
    if (script->sim != NULL) {
        sim_destroy(script->sim);
    }
}

/* Where and why it ended, with that line of the text. */
static void print_end(const struct script *script)
{
    const char *at = script->text;
    for (size_t i = 1; i < script->line && strchr(at, '\n') != NULL; i++) {
        at = strchr(at, '\n') + 1;
    }
    (void)fflush(stdout);
    (void)fprintf(stderr, "%s:%zu: %s: %s: %.*s\n", script->path, script->line,
                  script->outcome == SCRIPT_INVALID ? "error" : "failed",
                  script->reason, (int)strcspn(at, "\n"), at);
}

void script_assertion_failed(const char *file, int line, const char *expression)
{
    struct sim_violation violation;
    sim_assertion_failed(file, line, expression, &violation);
    if (running != NULL) {
        script_broke(running, "invariant %s broke at event %" PRIu64 ": %s",
                     violation.rule, violation.event, violation.text);
        print_end(running);
    }
}

int script_run(const char *path, char *text, FILE *trace_out)
{
    struct script *script = calloc(1, sizeof *script);
    PBFT_ASSERT(script != NULL);
    script->path = path;
    script->text = text;
    script->trace_out = trace_out;
    running = script;
    run_text(script, text);
    running = NULL;
    enum script_outcome outcome = script->outcome;
    if (outcome == SCRIPT_RUNS) {
        (void)printf("%s: ok, events %" PRIu64 ", simulated_ms %" PRIu64
                     ", trace %016" PRIx64 "\n",
                     path, script->sim->events, sim_now_ms(script->sim),
                     script->sim->trace.hash);
    } else {
        print_end(script);
    }
    release(script);
    free(script);
    if (outcome == SCRIPT_INVALID) {
        return EXIT_USAGE;
    }
    return outcome == SCRIPT_BROKE ? EXIT_VIOLATION : EXIT_WELL;
}
