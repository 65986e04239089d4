/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of the page. A row is an array; its first element tells its kind:
 * m message, l loss, s state, e event, f fault, h heal, p pause. */
#include "sim/html.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "consensus/assert.h"

#define PAGE_MARK "/*RUN*/"
#define DIGEST_SHOWN 6

/* As a JSON string that may stand in a script element. */
static void put_text(FILE *out, const char *text)
{
    (void)fputc('"', out);
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        if (c < ' ' || c == '"' || c == '\\' || c == '<' || c >= 0x7f) {
            (void)fprintf(out, "\\u%04x", c);
        } else {
            (void)fputc(c, out);
        }
    }
    (void)fputc('"', out);
}

static const char *page_mark(void)
{
    const char *mark = strstr(html_page, PAGE_MARK);
    PBFT_ASSERT(mark != NULL);
    return mark;
}

void html_begin(struct html *html, FILE *out, const char *title)
{
    *html = (struct html){.out = out, .title = title};
    (void)fwrite(html_page, 1, (size_t)(page_mark() - html_page), out);
    (void)fputs("{\"rows\":[\n", out);
}

/* A script holds whole numbers up to 2^53; what liars send goes beyond. */
static void put_number(FILE *out, uint64_t number)
{
    const char *quote = number >> 53 == 0 ? "" : "\"";
    (void)fprintf(out, ",%s%" PRIu64 "%s", quote, number, quote);
}

static void begin_row(struct html *html, char kind, uint64_t time_us)
{
    (void)fprintf(html->out, "%s[\"%c\",%" PRIu64, html->has_row ? ",\n" : "",
                  kind, time_us);
    html->has_row = true;
}

/* The number of the actor; -1: neither a host nor a client. */
static int actor_of_name(const struct html *html, const char *name)
{
    const struct sim *sim = html->sim;
    for (uint32_t i = 0; i < sim->host_count; i++) {
        if (strcmp(sim->hosts[i]->name, name) == 0) {
            return (int)i;
        }
    }
    for (uint32_t i = 0; i < sim->client_count; i++) {
        if (strcmp(sim->clients[i]->name, name) == 0) {
            return (int)(SIM_HOSTS_MAX + i);
        }
    }
    return -1;
}

/* The names of the scenario language. */
static const char *type_name(const struct pbft_message *message, bool is_reply)
{
    switch (message->type) {
    case PBFT_MESSAGE_BATCH:
    case PBFT_MESSAGE_PREPARED:
    case PBFT_MESSAGE_COMMITTED:
        return "state";
    case PBFT_MESSAGE_STABLE:
        return is_reply ? "reply" : "state";
    default:
        return pbft_message_type_name(message->type);
    }
}

static void put_message(FILE *out, const struct pbft_message *message,
                        bool is_reply)
{
    uint64_t seq = message->type == PBFT_MESSAGE_REQUEST
                       ? message->request.sequence
                       : pbft_message_seq(message);
    (void)fprintf(out, ",\"%s\"", type_name(message, is_reply));
    put_number(out, pbft_message_view(message));
    put_number(out, seq);
}

static void on_arrive(void *context, const struct sim_packet *packet)
{
    struct html *html = context;
    const struct pbft_digest *digest = trace_digest_of(packet->message);
    begin_row(html, 'm', packet->sent_us);
    (void)fprintf(html->out, ",%" PRIu64 ",%u,%u", html->sim->now_us,
                  packet->from, packet->to);
    put_message(html->out, packet->message, packet->reply != NULL);
    (void)fputs(",\"", html->out);
    for (unsigned i = 0; i < DIGEST_SHOWN; i++) {
        (void)fprintf(html->out, "%02x", digest->bytes[i]);
    }
    (void)fputs("\"]", html->out);
}

/* The background of the lane, when it changes. */
static void put_state(struct html *html, const struct host *host,
                      uint64_t time_us)
{
    struct html_state *last = &html->states[host->index];
    struct pbft_report report = {.view = last->view};
    if (host_replica(host) != NULL) {
        pbft_replica_report(host_replica(host), &report);
    }
    const char *status = host_status_name(host, &report);
    if (host->paused_until_us > time_us &&
        host->paused_until_us != last->paused_until_us) {
        last->paused_until_us = host->paused_until_us;
        begin_row(html, 'p', time_us);
        (void)fprintf(html->out, ",%u,%" PRIu64 "]", host->index,
                      host->paused_until_us);
    }
    if (last->is_known && last->view == report.view &&
        strcmp(last->status, status) == 0) {
        return;
    }
    last->is_known = true;
    last->view = report.view;
    last->status = status;
    begin_row(html, 's', time_us);
    (void)fprintf(html->out, ",%u,%" PRIu64 ",\"%s\",%u]", host->index,
                  report.view, status, report.primary);
}

static void put_loss(struct html *html, const struct trace_line *line)
{
    begin_row(html, 'l', line->time_us);
    (void)fprintf(html->out, ",%d,%d", actor_of_name(html, line->from),
                  actor_of_name(html, line->where));
    put_message(html->out, line->message, false);
    (void)fputc(',', html->out);
    put_text(html->out, line->note);
    (void)fputc(']', html->out);
}

static void put_event(struct html *html, const struct trace_line *line)
{
    uint64_t number = line->number;
    if (line->message != NULL) {
        number = line->message->type == PBFT_MESSAGE_REQUEST
                     ? line->message->request.sequence
                     : pbft_message_seq(line->message);
    }
    begin_row(html, 'e', line->time_us);
    (void)fprintf(html->out, ",%d,", actor_of_name(html, line->where));
    put_text(html->out, line->what);
    put_number(html->out, number);
    (void)fputc(',', html->out);
    put_text(html->out, line->note);
    (void)fputc(']', html->out);
}

static void on_line(void *context, const struct trace_line *line)
{
    struct html *html = context;
    if (strcmp(line->what, "fault") == 0) {
        begin_row(html, 'f', line->time_us);
        (void)fprintf(html->out, ",%d,%" PRIu64 ",",
                      actor_of_name(html, line->where), line->number);
        put_text(html->out, line->note);
        (void)fputc(']', html->out);
    } else if (strcmp(line->what, "heal") == 0) {
        begin_row(html, 'h', line->time_us);
        (void)fprintf(html->out, ",%" PRIu64 "]", line->number);
    } else if (strcmp(line->what, "lose") == 0) {
        put_loss(html, line);
    } else if (strcmp(line->what, "deliver") != 0) {
        put_event(html, line);
    }
    if (line->host != NULL) {
        put_state(html, line->host, line->time_us);
    }
}

static void put_lanes(struct html *html)
{
    const struct sim *sim = html->sim;
    (void)fprintf(html->out, "\n],\"hosts\":%u,\"first_client\":%u,\"lanes\":[",
                  sim->host_count, (unsigned)SIM_HOSTS_MAX);
    for (uint32_t i = 0; i < sim->host_count; i++) {
        (void)fputs(i == 0 ? "" : ",", html->out);
        put_text(html->out, sim->hosts[i]->name);
    }
    for (uint32_t i = 0; i < sim->client_count; i++) {
        (void)fputc(',', html->out);
        put_text(html->out, sim->clients[i]->name);
    }
    (void)fputs("],\"byzantine\":[", html->out);
    const char *comma = "";
    for (uint32_t i = 0; i < sim->host_count; i++) {
        if (!host_is_honest(sim->hosts[i])) {
            (void)fprintf(html->out, "%s%u", comma, i);
            comma = ",";
        }
    }
    (void)fputs("],\"title\":", html->out);
    put_text(html->out, html->title);
}

/* While the simulation still exists. */
static void on_end(void *context)
{
    put_lanes(context);
}

static void on_begin(void *context, struct sim *sim)
{
    struct html *html = context;
    html->sim = sim;
}

struct sim_watch html_watch(struct html *html)
{
    return (struct sim_watch){.context = html,
                              .on_begin = on_begin,
                              .on_line = on_line,
                              .on_arrive = on_arrive,
                              .on_end = on_end};
}

void html_end(struct html *html, const struct sim_violation *violation)
{
    (void)fputs(",\"violation\":", html->out);
    if (violation != NULL && violation->found) {
        (void)fprintf(html->out,
                      "{\"t\":%" PRIu64 ",\"rule\":", violation->time_us);
        put_text(html->out, violation->rule);
        (void)fputs(",\"text\":", html->out);
        put_text(html->out, violation->text);
        (void)fputc('}', html->out);
    } else {
        (void)fputs("null", html->out);
    }
    (void)fputc('}', html->out);
    (void)fputs(page_mark() + strlen(PAGE_MARK), html->out);
}

void html_fail(struct html *html, const char *rule, const char *text)
{
    struct sim_violation violation = {
        .found = true, .rule = rule, .time_us = html->sim->now_us};
    (void)snprintf(violation.text, sizeof violation.text, "%s", text);
    put_lanes(html);
    html_end(html, &violation);
}
