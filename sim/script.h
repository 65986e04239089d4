/* SPDX-License-Identifier: Apache-2.0 */
/* Scenario scripts (docs/simulator.md): a text file, one directive a line, run
 * against the production core with the whole auditor on.
 *
 * The language is a table of directives and a table of predicates. What cannot
 * be parsed, or names something that does not exist, is an error, never a
 * silent pass.
 */
#ifndef SIM_SCRIPT_H
#define SIM_SCRIPT_H

#include "sim/pattern.h"
#include "sim/sim.h"

#define SCRIPT_LINE_MAX 512
#define SCRIPT_WORDS_MAX 64
#define SCRIPT_LABELS_MAX 256
#define SCRIPT_LABEL_SIZE 32
#define SCRIPT_RULES_MAX 64
#define SCRIPT_MARKS_MAX 8
#define SCRIPT_REASON_SIZE 240

enum script_outcome {
    SCRIPT_RUNS,
    SCRIPT_BROKE,   /* An expectation or an invariant: exit 1. */
    SCRIPT_INVALID, /* The text: exit 2. */
};

/* The words of a line; each must be used up by its directive. */
struct words {
    char text[SCRIPT_LINE_MAX];
    char *word[SCRIPT_WORDS_MAX];
    bool is_used[SCRIPT_WORDS_MAX];
    size_t count;
    size_t at; /* The next one in order. */
};

struct script_label {
    char name[SCRIPT_LABEL_SIZE];
    struct client *client;
    const struct pbft_message *request; /* Belongs to the client. */
    bool is_submitted;
};

struct script_rule {
    char text[SCRIPT_LINE_MAX]; /* As it stands in the script. */
    bool is_drop;
    pbft_view view_max; /* A hold without a view ends behind this one. */
    struct pattern pattern;
};

struct script_mark {
    char name[SCRIPT_LABEL_SIZE];
    struct disk_image images[SIM_HOSTS_MAX];
    uint32_t count;
};

/* Everything that replicas sent, for predicates, certificates and replays. */
struct script_sent {
    uint32_t host;
    const struct pbft_message *message; /* Owned reference. */
};

/* How a puppet answers fetches. */
enum puppet_answer {
    ANSWER_NOTHING,
    ANSWER_GARBAGE,
    ANSWER_OLD,
    ANSWER_CERTIFICATE,
};

struct script_answer {
    enum puppet_answer kind;
    const struct pbft_message *certificate; /* Owned reference, or NULL. */
    struct actor_set to;
};

struct script {
    const char *path;
    size_t line;
    enum script_outcome outcome;
    char reason[SCRIPT_REASON_SIZE];
    struct sim_settings settings;
    bool has_cluster;
    struct sim *sim;
    uint64_t start_us; /* When the first line ran. */
    struct script_label labels[SCRIPT_LABELS_MAX];
    size_t label_count;
    struct script_rule rules[SCRIPT_RULES_MAX];
    size_t rule_count;
    struct script_mark marks[SCRIPT_MARKS_MAX];
    size_t mark_count;
    struct script_sent *sent;
    size_t sent_count;
    size_t sent_capacity;
    struct script_answer answers[SIM_HOSTS_MAX];
    uint64_t *replay_faults; /* The only faults of the next replay. */
    size_t replay_fault_count;
    bool has_replay_faults;
};

struct script_directive {
    const char *name;
    /* `words->at` stands behind the name. */
    void (*run)(struct script *script, struct words *words);
};

/* Runs the text of a script (which is changed on the way, and restored), prints
 * how it ended, and returns the exit code. */
int script_run(const char *path, char *text, FILE *trace_out);

/* Ends the script: with exit 2 or 1. Only the first one counts. */
void script_error(struct script *script, const char *format, ...)
#if defined(__GNUC__)
    __attribute__((format(printf, 2, 3)))
#endif
    ;
void script_broke(struct script *script, const char *format, ...)
#if defined(__GNUC__)
    __attribute__((format(printf, 2, 3)))
#endif
    ;

/* ---- script_words.c: parsing; all report errors through script_error() ----
 */

/* False: the line is empty. */
bool words_split(struct script *script, struct words *words, const char *line);
/* The next word in order; NULL if there is none. */
const char *words_next(struct words *words);
const char *words_peek(const struct words *words);
/* The same, but it must be there: `what` names it in the message. */
const char *words_need(struct script *script, struct words *words,
                       const char *what);
/* Takes "name=value", wherever it stands behind `at`; NULL: not given. */
const char *words_value(struct words *words, const char *name);
/* Takes the word itself. */
bool words_flag(struct words *words, const char *name);
/* An error if a word was not used. */
void words_finish(struct script *script, const struct words *words);

bool script_number(struct script *script, const char *text, uint64_t *out);
/* 50ms, 7s, 300us, -7s; in microseconds. */
bool script_duration(struct script *script, const char *text, int64_t *out);
struct host *script_host(struct script *script, const char *name);
struct client *script_client(struct script *script, const char *name);
/* "R0,R1", "all" (all hosts), clients too. */
bool script_actors(struct script *script, const char *text,
                   struct actor_set *out);
/* The rest of the line. */
bool script_pattern(struct script *script, struct words *words,
                    struct pattern *out);
/* A number option; false: not given, or wrong (then an error was reported). */
bool words_number(struct script *script, struct words *words, const char *name,
                  uint64_t *out);

/* ---- script_labels.c ------------------------------------------------------
 */

/* The request of a label; made for `client`, or for the first client. */
struct script_label *script_label(struct script *script, const char *name,
                                  struct client *client);
/* The batch that holds the label alone (or "null"), at this seq. `time`: 0 for
 * the one that the run has used, or its default. The caller owns it. */
struct pbft_message *script_batch(struct script *script, const char *name,
                                  pbft_seq seq, pbft_wall_us time);
bool script_digest(struct script *script, const char *name, pbft_seq seq,
                   struct pbft_digest *out);

/* ---- the rooms of the table -----------------------------------------------
 */

void script_do_submit(struct script *script, struct words *words);
void script_do_hold(struct script *script, struct words *words);
void script_do_release(struct script *script, struct words *words);
void script_do_unhold(struct script *script, struct words *words);
void script_do_drop(struct script *script, struct words *words);
void script_do_undrop(struct script *script, struct words *words);
void script_do_deliver(struct script *script, struct words *words);
void script_do_cut(struct script *script, struct words *words);
void script_do_heal(struct script *script, struct words *words);
void script_do_run(struct script *script, struct words *words);
void script_do_step(struct script *script, struct words *words);
void script_do_settle(struct script *script, struct words *words);
void script_do_timer(struct script *script, struct words *words);
void script_do_crash(struct script *script, struct words *words);
void script_do_restart(struct script *script, struct words *words);
void script_do_mark(struct script *script, struct words *words);
void script_do_disk(struct script *script, struct words *words);
void script_do_clock(struct script *script, struct words *words);
void script_do_byzantine(struct script *script, struct words *words);
void script_do_puppet(struct script *script, struct words *words);
void script_do_twin(struct script *script, struct words *words);
void script_do_expect(struct script *script, struct words *words);

/* script_replay.c */
void script_do_replay(struct script *script, struct words *words);

/* script_time.c: until nothing is in flight. */
void script_settle(struct script *script);

/* Hooks into the simulation. */
enum packet_fate script_filter(void *context, const struct sim_packet *packet);
void script_note_sent(void *context, const struct host *host,
                      const struct pbft_message *message);
void script_on_puppet_packet(void *context, struct host *host,
                             const struct sim_packet *packet);

/* script_predicate.c. `*holds` is the verdict; false: it was an error. */
bool script_predicate(struct script *script, struct words *words, bool *holds);

/* script_state.c: rows of the same table. */
bool script_is_stable(struct script *script, struct words *words);
bool script_is_view(struct script *script, struct words *words);
bool script_is_view_active(struct script *script, struct words *words);
bool script_is_status(struct script *script, struct words *words);
bool script_is_buffered(struct script *script, struct words *words);

/* puppet_message.c: builds what a puppet says; NULL after an error. */
struct pbft_message *puppet_message(struct script *script, struct host *host,
                                    const char *type, struct words *words);
/* "SEQ:LABEL@VIEW:SIGNERS" */
struct pbft_message *puppet_certificate(struct script *script,
                                        struct host *host,
                                        enum pbft_message_type type,
                                        const char *text);
/* puppet_view.c */
struct pbft_message *puppet_view_change(struct script *script,
                                        struct host *host, struct words *words);
struct pbft_message *puppet_new_view(struct script *script, struct host *host,
                                     struct words *words);

#endif /* SIM_SCRIPT_H */
