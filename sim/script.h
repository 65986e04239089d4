/* SPDX-License-Identifier: Apache-2.0 */
/* Scenario scripts (docs/scenarios.md): a text file, one directive a line, run
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

#define SCRIPT_LINE_MAX 2048
#define SCRIPT_WORDS_MAX 256
#define SCRIPT_LABELS_MAX 1024
#define SCRIPT_LABEL_SIZE 32
#define SCRIPT_RULES_MAX 256
#define SCRIPT_MARKS_MAX 32
#define SCRIPT_ANSWERS_MAX 64
#define SCRIPT_REASON_SIZE 480

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

/* Found in the text before its first line runs; `request` is NULL until the
 * label is used. */
struct script_label {
    char name[SCRIPT_LABEL_SIZE];
    char owner[CLIENT_NAME_SIZE]; /* The client that submits it; or "". */
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

/* Everything that was sent, for predicates, certificates and replays. */
struct script_sent {
    uint32_t actor;
    bool is_withheld; /* A puppet's core made it; nobody got it. */
    bool is_part;     /* Went out inside a new-view. */
    struct actor_set to;
    const struct pbft_message *message; /* Owned reference. */
    /* Of a reply, which proves with the message; else NULL. */
    const struct pbft_message *request; /* What it answers; owned reference. */
    struct sim_reply *reply;            /* Owned. */
};

/* How a puppet answers fetches. */
enum puppet_answer {
    ANSWER_NOTHING,
    ANSWER_GARBAGE,
    ANSWER_OLD,
    ANSWER_CERTIFICATE,
};

struct script_answer {
    uint32_t host;
    enum puppet_answer kind;
    const struct pbft_message *certificate; /* Owned reference, or NULL. */
    struct actor_set to;
};

struct script {
    const char *path;
    const char *text;
    FILE *trace_out; /* Or NULL. */
    size_t line;
    enum script_outcome outcome;
    char reason[SCRIPT_REASON_SIZE];
    bool is_explaining; /* A predicate says what it found. */
    char found[SCRIPT_REASON_SIZE];
    struct sim_settings settings;
    bool has_cluster;
    size_t cluster_line;
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
    /* The only ones of the next replay. */
    struct script_numbers {
        uint64_t *numbers;
        size_t count;
        bool is_given;
    } replay_faults, replay_acts;
    const struct pbft_message **batches; /* Of all that was proposed. */
    size_t batch_count;
    size_t batch_capacity;
    struct script_answer answers[SCRIPT_ANSWERS_MAX];
    size_t answer_count;
};

struct script_directive {
    const char *name;
    /* `words->at` stands behind the name. */
    void (*run)(struct script *script, struct words *words);
};

/* Runs the text of a script (which is changed on the way, and restored), prints
 * how it ended, and returns the exit code. */
int script_run(const char *path, char *text, FILE *trace_out);
/* For a hook of assertions, which knows no script: the one that runs breaks
 * here, and says so with its line. */
void script_assertion_failed(const char *file, int line,
                             const char *expression);

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

/* What a predicate found instead; kept only while a failure is explained. */
void script_found(struct script *script, const char *format, ...)
#if defined(__GNUC__)
    __attribute__((format(printf, 2, 3)))
#endif
    ;

/* ---- script_words.c: the words of a line ----------------------------------
 */

/* False: the line is empty. */
bool words_split(struct script *script, struct words *words, const char *line);
/* Back to the word at `at`, with all behind it unused. */
void words_rewind(struct words *words, size_t at);
/* The next word in order; NULL if there is none. */
const char *words_next(struct words *words);
/* The same, but it must be there: `what` names it in the message. */
const char *words_need(struct script *script, struct words *words,
                       const char *what);
/* Takes "name=value", wherever it stands behind `at`; NULL: not given. */
const char *words_value(struct words *words, const char *name);
/* Takes the word itself. */
bool words_flag(struct words *words, const char *name);
/* An error if a word was not used. */
void words_finish(struct script *script, const struct words *words);
/* The words from `at` on, joined by one space. */
void words_join(const struct words *words, size_t at,
                char out[SCRIPT_LINE_MAX]);

/* ---- script_parse.c: what words mean; errors end the script ---------------
 */

bool script_number(struct script *script, const char *text, uint64_t *out);
/* A number option; false: not given, or wrong (then an error was reported). */
bool words_number(struct script *script, struct words *words, const char *name,
                  uint64_t *out);
/* 50ms, 7s, 300us, -7s; in microseconds. */
bool script_duration(struct script *script, const char *text, int64_t *out);
/* The same, but not negative. */
bool script_time(struct script *script, const char *text, uint64_t *out);
/* 64KiB, 1MiB, 100B. */
bool script_bytes(struct script *script, const char *text, uint64_t *out);
/* A name for a client, a twin, a mark or a label. */
bool script_is_name(const char *text);
struct host *script_host(struct script *script, const char *name);
struct client *script_client(struct script *script, const char *name);
/* "R0,R1", "all" (every host), clients too. */
bool script_actors(struct script *script, const char *text,
                   struct actor_set *out);
/* The same for the next word, without clients. */
bool script_hosts(struct script *script, struct words *words,
                  struct actor_set *out);
/* The list behind the word "to", wherever it stands, without `sender` if it is
 * "all". Twins get what their originals get. False also if there is none; an
 * error only if `is_needed`. */
bool script_to(struct script *script, struct words *words,
               const struct host *sender, bool is_needed,
               struct actor_set *out);
/* The rest of the line. */
bool script_pattern(struct script *script, struct words *words,
                    struct pattern *out);

/* ---- script_labels.c ------------------------------------------------------
 */

/* Notes the labels that a line of the text introduces. */
void script_note_labels(struct script *script, const char *line);
/* The label, with its request; NULL: the text introduces none of that name. */
struct script_label *script_label(struct script *script, const char *name);
/* The name of a request's label, or "?". */
const char *script_label_of(const struct script *script,
                            const struct pbft_digest *request);
/* The batch that holds the label alone (or "null"), at this seq. `time`: 0 for
 * the one that the run has used, or its default. The caller owns it. */
struct pbft_message *script_batch(struct script *script, const char *name,
                                  pbft_seq seq, pbft_wall_us time);
bool script_digest(struct script *script, const char *name, pbft_seq seq,
                   struct pbft_digest *out);
/* Whether the batch is null or holds the request of the label. */
bool script_batch_holds(struct script *script, const struct pbft_batch *batch,
                        const char *name);
/* "A", "A+B", "null". */
void script_describe_batch(const struct script *script,
                           const struct pbft_batch *batch, char *out,
                           size_t size);

/* ---- script_sent.c: what was said -----------------------------------------
 */

void script_note_message(struct script *script, uint32_t actor,
                         const struct pbft_message *message,
                         const struct actor_set *to);
/* Hooks into the simulation. */
void script_on_send(void *context, const struct host *host,
                    const struct pbft_send *send, bool is_withheld);
void script_on_submit(void *context, const struct client *client,
                      const struct pbft_message *request,
                      const struct pbft_replica_set *to);
void script_on_reply(void *context, const struct host *host,
                     const struct client *client,
                     const struct pbft_message *request,
                     const struct pbft_message *proof,
                     const struct sim_reply *reply);
/* Another one of the same content. */
struct sim_reply *script_copy_reply(const struct sim_reply *reply);
/* A proposed batch by its digest; borrowed, or NULL. */
const struct pbft_batch *script_find_batch(const struct script *script,
                                           const struct pbft_digest *digest);
/* Whether a digest stands for a batch with this label. */
bool script_digest_holds(struct script *script,
                         const struct pbft_digest *digest, pbft_seq seq,
                         const char *name);
void script_describe_digest(const struct script *script,
                            const struct pbft_digest *digest, char *out,
                            size_t size);
void script_forget_sent(struct script *script);

/* script_said.c */
bool script_is_sent(struct script *script, struct words *words);
bool script_is_not_sent(struct script *script, struct words *words);

/* ---- the rooms of the table -----------------------------------------------
 */

/* script_setup.c */
void script_settings(struct sim_settings *settings);
void script_take_cluster(struct script *script, const char *line);
void script_take_clients(struct script *script, const char *line);
void script_check_replica(struct script *script);

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

/* script_messages.c, script_answer.c: hooks into the simulation. */
enum packet_fate script_filter(void *context, const struct sim_packet *packet);
void script_on_puppet_packet(void *context, struct host *host,
                             const struct sim_packet *packet);
void script_set_answer(struct script *script, struct words *words,
                       struct host *host);

/* script_predicate.c. `*holds` is the verdict; false: it was an error. */
bool script_predicate(struct script *script, struct words *words, bool *holds);
/* Ends the script: the predicate from word `at` on does not hold. */
void script_unfulfilled(struct script *script, struct words *words, size_t at,
                        const char *when);
/* The hosts that a word names; "all": up and not a puppet. */
bool script_audience(struct script *script, struct words *words,
                     struct actor_set *out);
bool script_take_seq(struct script *script, struct words *words, pbft_seq *seq);

/* Rows of its table: script_slots.c, script_state.c */
bool script_is_executed(struct script *script, struct words *words);
bool script_is_not_executed(struct script *script, struct words *words);
bool script_is_prepared(struct script *script, struct words *words);
bool script_is_committed(struct script *script, struct words *words);
bool script_is_stable(struct script *script, struct words *words);
bool script_is_view(struct script *script, struct words *words);
bool script_is_view_active(struct script *script, struct words *words);
bool script_is_status(struct script *script, struct words *words);
bool script_is_evidence(struct script *script, struct words *words);
bool script_is_buffered(struct script *script, struct words *words);

/* puppet_message.c: builds what a puppet says; NULL after an error. */
struct pbft_message *puppet_message(struct script *script, struct host *host,
                                    const char *type, struct words *words);
/* puppet_certificate.c: "SEQ:LABEL@VIEW:SIGNERS" */
struct pbft_message *puppet_certificate(struct script *script,
                                        struct host *host,
                                        enum pbft_message_type type,
                                        const char *text);
/* puppet_view.c */
struct pbft_message *puppet_view_change(struct script *script,
                                        struct host *host, struct words *words);
struct pbft_message *puppet_new_view(struct script *script, struct host *host,
                                     struct words *words);
/* The view-change that a new-view may name: the last one of `sender` for
 * `view`, sent or withheld; or NULL. */
const struct pbft_message *puppet_find_view_change(const struct script *script,
                                                   pbft_replica_id sender,
                                                   pbft_view view);
const struct pbft_message *
puppet_named_view_change(const struct script *script,
                         const struct pbft_new_view_source *source);

#endif /* SIM_SCRIPT_H */
