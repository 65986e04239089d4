/* SPDX-License-Identifier: Apache-2.0 */
/* Builds a line in one buffer and writes it at once. */
#include "node/journal.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "node/clock.h"
#include "node/limits.h"

#define US_PER_S 1000000
#define US_PER_MS 1000

static atomic_int level_max = JOURNAL_INFO;

void journal_set_level(enum journal_level level)
{
    atomic_store(&level_max, (int)level);
}

static const char *level_name(enum journal_level level)
{
    switch (level) {
    case JOURNAL_ERROR:
        return "error";
    case JOURNAL_WARNING:
        return "warning";
    case JOURNAL_INFO:
        return "info";
    }
    return "?";
}

static size_t write_head(char *line, size_t capacity, enum journal_level level,
                         const char *event)
{
    pbft_wall_us wall = clock_wall_us();
    time_t seconds = (time_t)(wall / US_PER_S);
    struct tm utc;
    char stamp[32] = "?";
    if (gmtime_r(&seconds, &utc) != NULL) {
        (void)strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S", &utc);
    }
    int size = snprintf(line, capacity, "time=%s.%03uZ level=%s event=%s",
                        stamp, (unsigned)(wall % US_PER_S / US_PER_MS),
                        level_name(level), event);
    return size < 0 ? 0 : (size_t)size;
}

void journal(enum journal_level level, const char *event, const char *fields,
             ...)
{
    if ((int)level > atomic_load(&level_max)) {
        return;
    }
    char line[JOURNAL_LINE_MAX];
    size_t size = write_head(line, sizeof line - 1, level, event);
    if (fields[0] != '\0' && size < sizeof line - 2) {
        line[size++] = ' ';
        va_list arguments;
        va_start(arguments, fields);
        int more =
            vsnprintf(line + size, sizeof line - 1 - size, fields, arguments);
        va_end(arguments);
        size += more < 0 ? 0 : (size_t)more;
    }
    if (size > sizeof line - 2) {
        size = sizeof line - 2;
    }
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)line[i];
        line[i] = c < ' ' || c == 0x7f ? ' ' : line[i];
    }
    line[size++] = '\n';
    /* Nobody is left to be told that stderr is gone. */
    ssize_t written = write(STDERR_FILENO, line, size);
    (void)written;
}

bool journal_allows(struct journal_limit *limit, pbft_time_ms now_ms,
                    uint64_t *suppressed)
{
    *suppressed = 0;
    if (limit->lines == 0 ||
        now_ms - limit->since_ms >= NODE_JOURNAL_INTERVAL_MS) {
        *suppressed = limit->suppressed;
        *limit = (struct journal_limit){.since_ms = now_ms, .lines = 1};
        return true;
    }
    if (limit->lines < NODE_JOURNAL_LINES_MAX) {
        limit->lines++;
        return true;
    }
    limit->suppressed++;
    return false;
}
