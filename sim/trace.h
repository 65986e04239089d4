/* SPDX-License-Identifier: Apache-2.0 */
/* What happened, event by event: hashed always, printed on demand as a table
 * with fixed columns (docs/simulator.md). */
#ifndef SIM_TRACE_H
#define SIM_TRACE_H

#include <stdio.h>

#include "consensus/message.h"

struct host;
struct trace_line;

struct trace {
    uint64_t hash;
    uint64_t lines;
    FILE *out; /* NULL: only hashed. */
    /* Who else wants to see each line; may be NULL. */
    void *context;
    void (*on_line)(void *context, const struct trace_line *line);
};

struct trace_line {
    uint64_t time_us;
    const struct host *host; /* Whose state is shown; NULL: a client. */
    const char *where;       /* A host or client. */
    const char *what;        /* deliver, timer, sync, execute, crash, ... */
    const char *from;        /* "-" if there is none. */
    const struct pbft_message *message; /* Or NULL. */
    uint64_t number;                    /* Ticket, seq or the like. */
    const char *note;                   /* Verdict or result. */
};

void trace_init(struct trace *trace, FILE *out);
void trace_add(struct trace *trace, const struct trace_line *line);
/* Mixes a number in that no column shows. */
void trace_mix(struct trace *trace, uint64_t value);

/* The digest that a message is about; zeros if it is about none. */
const struct pbft_digest *trace_digest_of(const struct pbft_message *message);

#endif /* SIM_TRACE_H */
