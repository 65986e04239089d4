/* SPDX-License-Identifier: Apache-2.0 */
/* The table of costs, and files of them. */
#include "sim/cost.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#define LINE_SIZE 160
#define NAME_SIZE 64
#define COST_MAX 1e9

static_assert(COST_COUNT == 15, "each cost has a row");

const struct cost_row cost_rows[COST_COUNT] = {
    [COST_ENVELOPE] = {"envelope_us", "CPU per envelope, at either end", 1000,
                       123, COST_FITTED},
    [COST_MESSAGE] = {"message_us", "CPU per message: coding, one step", 1000,
                      36, COST_FITTED},
    [COST_BYTE] = {"byte_ns", "CPU per byte at either end: TLS, coding", 1, 3,
                   COST_ESTIMATED},
    [COST_DIGEST_BYTE] = {"digest_byte_ns", "CPU per byte hashed", 1, 1.25,
                          COST_MEASURED},
    [COST_VERIFY] = {"verify_us", "CPU per signature checked", 1000, 84,
                     COST_MEASURED},
    [COST_SIGN] = {"sign_us", "CPU per signature made", 1000, 30,
                   COST_MEASURED},
    [COST_REQUEST] = {"request_us", "CPU per request at its gateway", 1000, 52,
                      COST_FITTED},
    [COST_TRANSACTION] = {"transaction_us", "CPU per transaction executed",
                          1000, 22, COST_FITTED},
    [COST_BLOCK] = {"block_us", "CPU per block executed and stored", 1000, 80,
                    COST_ESTIMATED},
    [COST_LOG] = {"log_us", "CPU per synced write", 1000, 40, COST_ESTIMATED},
    [COST_SYNC] = {"sync_us", "time of a synced write", 1000, 3110,
                   COST_FITTED},
    [COST_SYNC_BYTE] = {"sync_byte_ns", "time per byte of it", 1, 2,
                        COST_ESTIMATED},
    [COST_CLIENT_REQUEST] = {"client_request_us", "CPU of a client per request",
                             1000, 177, COST_FITTED},
    [COST_CLIENT_TRANSACTION] = {"client_transaction_us",
                                 "CPU of a client per transaction", 1000, 11,
                                 COST_FITTED},
    [COST_CORE_SHARE] = {"core_share",
                         "part of each core left by others (one machine)", 1, 1,
                         COST_FITTED},
};

void cost_defaults(struct cost_model *model)
{
    for (size_t i = 0; i < COST_COUNT; i++) {
        model->value[i] = cost_rows[i].value;
    }
}

const char *cost_source_name(enum cost_source source)
{
    static const char *const names[] = {[COST_FITTED] = "fitted",
                                        [COST_MEASURED] = "measured",
                                        [COST_ESTIMATED] = "estimated"};
    return names[source];
}

double cost_ns(const struct cost_model *model, enum cost cost)
{
    return model->value[cost] * cost_rows[cost].ns;
}

static bool take_line(struct cost_model *model, const char *line)
{
    char name[NAME_SIZE];
    char rest[2];
    double value = 0;
    if (line[strspn(line, " \t\r\n")] == '\0' || line[0] == '#') {
        return true;
    }
    if (sscanf(line, "%63s %lf %1s", name, &value, rest) != 2 ||
        !isfinite(value) || value < 0 || value > COST_MAX) {
        return false;
    }
    for (size_t i = 0; i < COST_COUNT; i++) {
        if (strcmp(cost_rows[i].name, name) == 0) {
            model->value[i] = value;
            return true;
        }
    }
    return false;
}

bool cost_read(struct cost_model *model, FILE *file, unsigned *line)
{
    char text[LINE_SIZE];
    for (*line = 1; fgets(text, sizeof text, file) != NULL; (*line)++) {
        bool is_whole = strchr(text, '\n') != NULL || feof(file) != 0;
        if (!is_whole || !take_line(model, text)) {
            return false;
        }
    }
    return ferror(file) == 0;
}

void cost_write(const struct cost_model *model, FILE *file)
{
    for (size_t i = 0; i < COST_COUNT; i++) {
        (void)fprintf(file, "%-22s %-10.3f\n", cost_rows[i].name,
                      model->value[i]);
    }
}
