/* SPDX-License-Identifier: Apache-2.0 */
/* Findings and how they are told. */
#include "fhir/report.h"

#include <stdio.h>
#include <string.h>

struct finding_entry {
    enum fhir_weight weight;
    uint32_t reason;
    const char *text;
};

static const struct finding_entry finding_entries[] = {
#define FHIR_FINDING_ENTRY(name, weight, reason, text)                         \
    [name] = {weight, reason, text},
    FHIR_FINDING_LIST(FHIR_FINDING_ENTRY)
#undef FHIR_FINDING_ENTRY
};

#define FINDING_KINDS (sizeof finding_entries / sizeof finding_entries[0])

/* Which reason a ledger entry names if there are several: the strongest. */
static const uint32_t reason_order[] = {
    CODES_REASON_AMBIGUOUS_BASE, CODES_REASON_UNKNOWN_CODE,
    CODES_REASON_NOT_COMPUTABLE, CODES_REASON_UNRESOLVED_REFERENCE,
    CODES_REASON_INCOMPLETE};

const char *fhir_class_name(enum fhir_class value)
{
    switch (value) {
    case FHIR_ENFORCEABLE:
        return "ENFORCEABLE";
    case FHIR_EVIDENCE_ONLY:
        return "EVIDENCE_ONLY";
    case FHIR_REJECT:
        return "REJECT";
    case FHIR_LOCAL:
        return "LOCAL";
    }
    return "?";
}

enum fhir_weight fhir_finding_weight(enum fhir_finding_kind kind)
{
    return finding_entries[kind].weight;
}

void fhir_report_init(struct fhir_report *report, const char *prefix)
{
    report->prefix = prefix;
    report->count = 0;
    report->lost = 0;
    report->worst = FHIR_NOTE;
    report->evidence_reason = 0;
}

static bool is_letter(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

bool fhir_is_code(const char *text)
{
    size_t size = strlen(text);

    if (size == 0 || size >= FHIR_CODE_MAX || !is_letter(text[0])) {
        return false;
    }
    for (size_t i = 1; i < size; i++) {
        bool digit = text[i] >= '0' && text[i] <= '9';
        if (!is_letter(text[i]) && !digit && strchr("-_.", text[i]) == NULL) {
            return false;
        }
    }
    return true;
}

/* Places in a file, element names and types of transactions are this program's
 * own words; all other codes came with the resource. */
static bool may_be_shown(enum fhir_finding_kind kind, const char *code)
{
    return fhir_is_code(code) &&
           (kind <= FHIR_NO_MEMORY || kind == FHIR_UNKNOWN_ELEMENT ||
            kind == FHIR_EXPORT_TYPE || fhir_code_is_shown(code));
}

static size_t reason_rank(uint32_t reason)
{
    size_t count = sizeof reason_order / sizeof reason_order[0];

    for (size_t i = 0; i < count; i++) {
        if (reason_order[i] == reason) {
            return i;
        }
    }
    return count;
}

static void write_path(const struct fhir_report *report, char *out, size_t size,
                       const char *path)
{
    bool is_root = path[0] == 0 || strcmp(path, "$") == 0;

    if (report->prefix[0] == 0) {
        (void)snprintf(out, size, "%s", is_root ? "$" : path);
    } else {
        (void)snprintf(out, size, "%s%s%s", report->prefix, is_root ? "" : ".",
                       is_root ? "" : path);
    }
}

void fhir_report_add(struct fhir_report *report, enum fhir_finding_kind kind,
                     const char *path, const char *code)
{
    const struct finding_entry *entry = &finding_entries[kind];

    if (entry->weight > report->worst) {
        report->worst = entry->weight;
    }
    if (entry->reason != 0 &&
        reason_rank(entry->reason) < reason_rank(report->evidence_reason)) {
        report->evidence_reason = entry->reason;
    }
    if (report->count == FHIR_FINDINGS_MAX) {
        report->lost++;
        return;
    }
    struct fhir_finding *finding = &report->findings[report->count++];
    finding->kind = kind;
    write_path(report, finding->path, sizeof finding->path, path);
    finding->code[0] = 0;
    if (code != NULL && may_be_shown(kind, code)) {
        (void)snprintf(finding->code, sizeof finding->code, "%s", code);
    }
}

enum fhir_class fhir_report_class(const struct fhir_report *report)
{
    switch (report->worst) {
    case FHIR_NOTE:
        return FHIR_ENFORCEABLE;
    case FHIR_UNCERTAIN:
        return FHIR_EVIDENCE_ONLY;
    case FHIR_APART:
        return FHIR_LOCAL;
    case FHIR_FATAL:
        break;
    }
    return FHIR_REJECT;
}

const char *fhir_report_path(const struct fhir_report *report)
{
    for (size_t i = 0; i < report->count; i++) {
        enum fhir_finding_kind kind = report->findings[i].kind;
        if (finding_entries[kind].weight == report->worst) {
            return report->findings[i].path;
        }
    }
    return report->prefix[0] != 0 ? report->prefix : "$";
}

/* ---- texts --------------------------------------------------------------- */

/* Appends, and keeps the end in bounds. */
struct text {
    char *out;
    size_t size;
    size_t used;
};

static void append(struct text *text, const char *piece, size_t count)
{
    size_t left = text->size - text->used - 1;

    if (count > left) {
        count = left;
    }
    memcpy(text->out + text->used, piece, count);
    text->used += count;
    text->out[text->used] = 0;
}

static void append_kind(struct text *text, enum fhir_finding_kind kind,
                        const char *codes)
{
    const char *words = finding_entries[kind].text;
    const char *place = strstr(words, "%s");

    if (place == NULL) {
        append(text, words, strlen(words));
        if (codes[0] != 0) {
            append(text, ": ", 2);
            append(text, codes, strlen(codes));
        }
        return;
    }
    append(text, words, (size_t)(place - words));
    if (codes[0] == 0) {
        codes = "(unreadable)";
    }
    append(text, codes, strlen(codes));
    append(text, place + 2, strlen(place + 2));
}

void fhir_finding_text(const struct fhir_finding *finding, char *out,
                       size_t size)
{
    struct text text = {out, size, 0};

    out[0] = 0;
    append_kind(&text, finding->kind, finding->code);
}

/* The codes of all findings of a kind, sorted, each once, joined by commas. */
static size_t gather_codes(const struct fhir_report *report,
                           enum fhir_finding_kind kind, struct text *out)
{
    const char *last = "";
    size_t met = 0;

    for (size_t i = 0; i < report->count; i++) {
        met += report->findings[i].kind == kind;
    }
    for (size_t round = 0; round < met; round++) {
        const char *next = NULL;
        for (size_t i = 0; i < report->count; i++) {
            const struct fhir_finding *finding = &report->findings[i];
            if (finding->kind == kind && strcmp(finding->code, last) > 0 &&
                (next == NULL || strcmp(finding->code, next) < 0)) {
                next = finding->code;
            }
        }
        if (next == NULL) {
            break;
        }
        if (last[0] != 0) {
            append(out, ",", 1);
        }
        append(out, next, strlen(next));
        last = next;
    }
    return met;
}

void fhir_report_reasons(const struct fhir_report *report, char *out,
                         size_t size)
{
    struct text text = {out, size, 0};
    char codes[FHIR_FINDINGS_MAX * FHIR_CODE_MAX];

    out[0] = 0;
    for (size_t kind = 0; kind < FINDING_KINDS; kind++) {
        struct text list = {codes, sizeof codes, 0};
        codes[0] = 0;
        if (gather_codes(report, (enum fhir_finding_kind)kind, &list) == 0) {
            continue;
        }
        if (text.used > 0) {
            append(&text, "; ", 2);
        }
        append_kind(&text, (enum fhir_finding_kind)kind, codes);
    }
    if (text.used == 0) {
        append(&text, "-", 1);
    }
}
