/* SPDX-License-Identifier: Apache-2.0 */
/* The hash covers what the table shows, and more. */
#include "sim/trace.h"

#include <inttypes.h>
#include <string.h>

#include "sim/host.h"

#define FNV_PRIME UINT64_C(0x100000001b3)
#define FNV_BASIS UINT64_C(0xcbf29ce484222325)
#define LINES_PER_HEAD 40
#define TRACE_CELL_SIZE 48

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
    case PBFT_MESSAGE_EVIDENCE:
        return (const struct pbft_digest *)(const void *)message->evidence
            ->statements[0]
            .signature.bytes;
    case PBFT_MESSAGE_STATUS:
        return &none;
    }
    return &none;
}

static void print_head(FILE *out)
{
    (void)fprintf(out,
                  "%12s  %-5s %-11s %4s %-4s %-11s %-9s  %-8s %-6s %-11s %5s "
                  "%5s %-12s %s\n",
                  "time_ms", "where", "status", "view", "prim", "low..high",
                  "com/exec", "event", "from", "message", "mview", "seq",
                  "digest", "note");
}

/* The columns of the replica, as the event left it. */
static void print_state(FILE *out, const struct host *host)
{
    struct pbft_report report = {.view = 0};
    char watermarks[TRACE_CELL_SIZE] = "-";
    char progress[TRACE_CELL_SIZE] = "-";
    if (host == NULL || host_replica(host) == NULL) {
        (void)fprintf(out, "%-11s %4s %-4s %-11s %-9s",
                      host == NULL ? "-" : host_status_name(host, &report), "-",
                      "-", watermarks, progress);
        return;
    }
    pbft_replica_report(host_replica(host), &report);
    (void)snprintf(watermarks, sizeof watermarks, "%" PRIu64 "..%" PRIu64,
                   report.stable, report.high);
    (void)snprintf(progress, sizeof progress, "%" PRIu64 "/%" PRIu64,
                   report.committed, report.executed);
    (void)fprintf(out, "%-11s %4" PRIu64 " R%-3u %-11s %-9s",
                  host_status_name(host, &report), report.view, report.primary,
                  watermarks, progress);
}

static void print_line(struct trace *trace, const struct trace_line *line)
{
    const struct pbft_message *message = line->message;
    if (trace->lines % LINES_PER_HEAD == 0) {
        print_head(trace->out);
    }
    (void)fprintf(trace->out, "%8" PRIu64 ".%03u  %-5s ", line->time_us / 1000,
                  (unsigned)(line->time_us % 1000), line->where);
    print_state(trace->out, line->host);
    (void)fprintf(trace->out, "  %-8s %-6s ", line->what, line->from);
    if (message != NULL) {
        (void)fprintf(
            trace->out, "%-11s %5" PRIu64 " %5" PRIu64 " %012" PRIx64 " %s\n",
            pbft_message_type_name(message->type), pbft_message_view(message),
            message->type == PBFT_MESSAGE_REQUEST ? message->request.sequence
                                                  : pbft_message_seq(message),
            fold(trace_digest_of(message)) >> 16, line->note);
    } else {
        (void)fprintf(trace->out, "%-11s %5s %5" PRIu64 " %-12s %s\n", "-", "-",
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
    if (trace->on_line != NULL) {
        trace->on_line(trace->context, line);
    }
    trace->lines++;
}
