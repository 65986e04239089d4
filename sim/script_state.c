/* SPDX-License-Identifier: Apache-2.0 */
/* Predicates about the state of one replica. */
#include <string.h>

#include "sim/script.h"

static bool take_seq(struct script *script, struct words *words, pbft_seq *seq)
{
    const char *word = words_need(script, words, "a sequence number");
    return word != NULL && script_number(script, word, seq);
}

static bool take_report(struct script *script, struct words *words,
                        struct host **host, struct pbft_report *out)
{
    const char *name = words_need(script, words, "a replica");
    *host = name == NULL ? NULL : script_host(script, name);
    *out = (struct pbft_report){.view = 0};
    if (*host != NULL && (*host)->driver != NULL) {
        pbft_replica_report(host_replica(*host), out);
    }
    return *host != NULL;
}

bool script_is_stable(struct script *script, struct words *words)
{
    struct host *host;
    struct pbft_report report;
    pbft_seq seq = 0;
    return take_report(script, words, &host, &report) &&
           take_seq(script, words, &seq) && host->state == HOST_UP &&
           report.stable >= seq;
}

static bool compare(struct script *script, uint64_t left, const char *sign,
                    uint64_t right)
{
    if (strcmp(sign, "==") == 0) {
        return left == right;
    }
    if (strcmp(sign, "!=") == 0) {
        return left != right;
    }
    if (strcmp(sign, ">=") == 0) {
        return left >= right;
    }
    if (strcmp(sign, "<=") == 0) {
        return left <= right;
    }
    if (strcmp(sign, ">") == 0) {
        return left > right;
    }
    if (strcmp(sign, "<") == 0) {
        return left < right;
    }
    script_error(script, "'%s' is not a comparison", sign);
    return false;
}

bool script_is_view(struct script *script, struct words *words)
{
    struct host *host;
    struct pbft_report report;
    uint64_t view = 0;
    if (!take_report(script, words, &host, &report)) {
        return false;
    }
    const char *sign = words_need(script, words, "a comparison");
    const char *word = words_need(script, words, "a view");
    if (sign == NULL || word == NULL || !script_number(script, word, &view)) {
        return false;
    }
    bool holds = compare(script, report.view, sign, view);
    return host->state == HOST_UP && holds;
}

bool script_is_view_active(struct script *script, struct words *words)
{
    struct host *host;
    struct pbft_report report;
    return take_report(script, words, &host, &report) &&
           host->state == HOST_UP && report.view_active;
}

bool script_is_status(struct script *script, struct words *words)
{
    static const char *const known[] = {"starting", "normal",     "view-change",
                                        "syncing",  "recovering", "halted",
                                        "down"};
    struct host *host;
    struct pbft_report report;
    if (!take_report(script, words, &host, &report)) {
        return false;
    }
    const char *word = words_need(script, words, "a status");
    for (size_t i = 0; word != NULL && i < sizeof known / sizeof known[0];
         i++) {
        if (strcmp(known[i], word) == 0) {
            return strcmp(word, host_status_name(host, &report)) == 0;
        }
    }
    script_error(script, "'%s' is not a status", word == NULL ? "" : word);
    return false;
}

static bool take_bytes(struct script *script, const char *text, uint64_t *out)
{
    static const struct {
        const char *unit;
        uint64_t bytes;
    } units[] = {{"KiB", 1024}, {"MiB", 1024 * 1024}, {"B", 1}};
    char digits[SCRIPT_LABEL_SIZE];
    size_t length = strspn(text, "0123456789");
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (length > 0 && length < sizeof digits &&
            strcmp(text + length, units[i].unit) == 0) {
            memcpy(digits, text, length);
            digits[length] = '\0';
            if (!script_number(script, digits, out)) {
                return false;
            }
            *out *= units[i].bytes;
            return true;
        }
    }
    script_error(script, "'%s' is not a size (64KiB, 1MiB)", text);
    return false;
}

bool script_is_buffered(struct script *script, struct words *words)
{
    struct host *host;
    struct pbft_report report;
    uint64_t bytes = 0;
    if (!take_report(script, words, &host, &report)) {
        return false;
    }
    const char *sign = words_need(script, words, "a comparison");
    const char *word = words_need(script, words, "a size");
    return sign != NULL && word != NULL && take_bytes(script, word, &bytes) &&
           compare(script, pbft_replica_buffered_bytes(host_replica(host)),
                   sign, bytes);
}
