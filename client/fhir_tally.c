/* SPDX-License-Identifier: Apache-2.0 */
/* Counting reasons, and drawing progress. */
#include "client/fhir_tally.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/tool_clock.h"

#include "ledger/errors.h"

#define DRAW_EVERY_MS 200
#define DRAW_FROM_MS 1000 /* Earlier a rate says nothing. */
#define LINE_SIZE 128
#define BAR_WIDTH 20

void fhir_tally_init(struct fhir_tally *tally, bool is_terminal)
{
    memset(tally, 0, sizeof *tally);
    tally->is_terminal = is_terminal;
}

static void count_reason(struct fhir_tally *tally, const char *text)
{
    for (size_t i = 0; i < tally->reason_count; i++) {
        if (strcmp(tally->reasons[i].text, text) == 0) {
            tally->reasons[i].count++;
            return;
        }
    }
    if (tally->reason_count == FHIR_TALLY_REASONS_MAX) {
        tally->others++;
        return;
    }
    (void)snprintf(tally->reasons[tally->reason_count].text,
                   FHIR_TALLY_TEXT_MAX, "%s", text);
    tally->reasons[tally->reason_count++].count = 1;
}

/* The findings that decided, each kind once. */
static void count_findings(struct fhir_tally *tally,
                           const struct fhir_report *report)
{
    for (size_t i = 0; i < report->count; i++) {
        const struct fhir_finding *finding = &report->findings[i];
        char text[FHIR_TALLY_TEXT_MAX];
        bool seen = false;
        for (size_t k = 0; k < i; k++) {
            seen = seen || report->findings[k].kind == finding->kind;
        }
        if (!seen && fhir_finding_weight(finding->kind) == report->worst) {
            fhir_finding_text(finding, text, sizeof text);
            count_reason(tally, text);
        }
    }
}

void fhir_tally_count(struct fhir_tally *tally,
                      const struct import_event *event)
{
    char text[FHIR_TALLY_TEXT_MAX];

    if ((event->outcome == IMPORT_REJECTED || event->outcome == IMPORT_LOCAL) &&
        event->item != NULL) {
        count_findings(tally, fhir_item_report(event->item));
    } else if (event->outcome == IMPORT_REFUSED) {
        (void)snprintf(text, sizeof text, "the ledger: %u %s", event->code,
                       ledger_code_name(event->code));
        count_reason(tally, text);
    }
}

static void draw_bar(char out[BAR_WIDTH + 1], size_t number, size_t total)
{
    size_t full = total == 0 ? 0 : BAR_WIDTH * number / total;

    memset(out, '.', BAR_WIDTH);
    memset(out, '#', full < BAR_WIDTH ? full : BAR_WIDTH);
    out[BAR_WIDTH] = 0;
}

/* "[######..............] 3214/10000  853/s  8 s left". The first resource
 * waited for the connection: the rate is that of the others. */
void fhir_tally_draw(struct fhir_tally *tally, const struct import_event *event)
{
    char line[LINE_SIZE];
    char bar[BAR_WIDTH + 1];
    uint64_t now = tool_now_ms();

    if (tally->first == 0) {
        tally->first = event->number;
        tally->began_ms = now;
    }
    uint64_t spent = now - tally->began_ms;
    uint64_t done = event->number - tally->first;
    if (!tally->is_terminal || done == 0 || spent < DRAW_FROM_MS ||
        (now - tally->drawn_ms < DRAW_EVERY_MS &&
         event->number < event->total)) {
        return;
    }
    tally->drawn_ms = now;
    uint64_t left = spent * (uint64_t)(event->total - event->number) / done;
    draw_bar(bar, event->number, event->total);
    int size = snprintf(line, sizeof line, "[%s] %zu/%zu  %llu/s  %llu s left",
                        bar, event->number, event->total,
                        (unsigned long long)(done * 1000 / spent),
                        (unsigned long long)((left + 999) / 1000));
    (void)fprintf(stderr, "\r%-*s", (int)tally->width, line);
    tally->width = size > 0 ? (size_t)size : 0;
    (void)fflush(stderr);
}

void fhir_tally_clear(struct fhir_tally *tally)
{
    if (tally->width > 0) {
        (void)fprintf(stderr, "\r%*s\r", (int)tally->width, "");
        (void)fflush(stderr);
        tally->width = 0;
    }
}

void fhir_tally_print(struct fhir_tally *tally)
{
    for (size_t done = 0; done < tally->reason_count; done++) {
        size_t most = done;
        for (size_t i = done; i < tally->reason_count; i++) {
            if (tally->reasons[i].count > tally->reasons[most].count) {
                most = i;
            }
        }
        (void)printf("  %6zu x %s\n", tally->reasons[most].count,
                     tally->reasons[most].text);
        tally->reasons[most] = tally->reasons[done];
    }
    if (tally->others > 0) {
        (void)printf("  %6zu x for other reasons\n", tally->others);
    }
}
