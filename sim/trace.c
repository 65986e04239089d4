/* SPDX-License-Identifier: Apache-2.0 */
/* The hash covers what the table shows, and more. */
#include "sim/trace.h"

#include <inttypes.h>
#include <string.h>

#define FNV_PRIME UINT64_C(0x100000001b3)
#define FNV_BASIS UINT64_C(0xcbf29ce484222325)
#define LINES_PER_HEAD 40

void trace_init(struct trace *trace, FILE *out)
{
    *trace = (struct trace){.hash = FNV_BASIS, .out = out};
}

void trace_mix(struct trace *trace, uint64_t value)
{
    uint64_t hash = (trace->hash ^ value) * UINT64_C(0x9e3779b97f4a7c15);
    trace->hash = hash ^ hash >> 29;
}

static void mix_text(struct trace *trace, const char *text)
{
    uint64_t hash = FNV_BASIS;
    for (; *text != '\0'; text++) {
        hash = (hash ^ (uint8_t)*text) * FNV_PRIME;
    }
    trace_mix(trace, hash);
}

static uint64_t fold(const struct pbft_digest *digest)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < sizeof value; i++) {
        value = value << 8 | digest->bytes[i];
    }
    return value;
}

const struct pbft_digest *trace_digest_of(const struct pbft_message *message)
{
    static const struct pbft_digest none = {{0}};
    switch (message->type) {
    case PBFT_MESSAGE_REQUEST:
        return &message->request.digest;
    case PBFT_MESSAGE_PRE_PREPARE:
        return &message->pre_prepare.digest;
    case PBFT_MESSAGE_PREPARE:
        return &message->prepare.digest;
    case PBFT_MESSAGE_COMMIT:
        return &message->commit.digest;
    case PBFT_MESSAGE_ATTESTATION:
        return &message->attestation.ledger_root;
    case PBFT_MESSAGE_VIEW_CHANGE:
        return &message->view_change.digest;
    case PBFT_MESSAGE_FETCH:
        return &message->fetch.digest;
    case PBFT_MESSAGE_BATCH:
        return &message->batch.digest;
    case PBFT_MESSAGE_PREPARED:
        return &message->prepared.pre_prepare->pre_prepare.digest;
    case PBFT_MESSAGE_COMMITTED:
        return &message->committed.pre_prepare->pre_prepare.digest;
    case PBFT_MESSAGE_STABLE:
        return &message->stable.attestation.ledger_root;
    case PBFT_MESSAGE_NEW_VIEW:
        return (const struct pbft_digest *)(const void *)
            message->signature.bytes; /* Half of it names the message. */
    case PBFT_MESSAGE_STATUS:
        return &none;
    }
    return &none;
}

static void print_head(FILE *out)
{
    (void)fprintf(out, "%-12s %-6s %-8s %-6s %-12s %5s %6s %-16s %s\n",
                  "time_ms", "where", "what", "from", "message", "view", "seq",
                  "digest", "note");
}

static void print_line(struct trace *trace, const struct trace_line *line)
{
    const struct pbft_message *message = line->message;
    if (trace->lines % LINES_PER_HEAD == 0) {
        print_head(trace->out);
    }
    (void)fprintf(trace->out, "%8" PRIu64 ".%03u %-6s %-8s %-6s ",
                  line->time_us / 1000, (unsigned)(line->time_us % 1000),
                  line->where, line->what, line->from);
    if (message != NULL) {
        (void)fprintf(trace->out,
                      "%-12s %5" PRIu64 " %6" PRIu64 " %016" PRIx64 " %s\n",
                      pbft_message_type_name(message->type),
                      pbft_message_view(message), pbft_message_seq(message),
                      fold(trace_digest_of(message)), line->note);
    } else {
        (void)fprintf(trace->out, "%-12s %5s %6" PRIu64 " %-16s %s\n", "-", "-",
                      line->number, "-", line->note);
    }
}

void trace_add(struct trace *trace, const struct trace_line *line)
{
    trace_mix(trace, line->time_us);
    mix_text(trace, line->where);
    mix_text(trace, line->what);
    mix_text(trace, line->from);
    mix_text(trace, line->note);
    trace_mix(trace, line->number);
    if (line->message != NULL) {
        trace_mix(trace, (uint64_t)line->message->type);
        trace_mix(trace, pbft_message_view(line->message));
        trace_mix(trace, pbft_message_seq(line->message));
        trace_mix(trace, fold(trace_digest_of(line->message)));
    }
    if (trace->out != NULL) {
        print_line(trace, line);
    }
    trace->lines++;
}
