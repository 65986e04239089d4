/* SPDX-License-Identifier: Apache-2.0 */
/* What things cost on a machine: the parameters of `salus-sim bench`, a table.
 * docs/simulator.md has the formulas. A cost file holds `name value` a line.
 */
#ifndef SIM_COST_H
#define SIM_COST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum cost {
    COST_ENVELOPE,
    COST_MESSAGE,
    COST_BYTE,
    COST_DIGEST_BYTE,
    COST_VERIFY,
    COST_SIGN,
    COST_REQUEST,
    COST_TRANSACTION,
    COST_BLOCK,
    COST_LOG,
    COST_SYNC,
    COST_SYNC_BYTE,
    COST_CLIENT_REQUEST,
    COST_CLIENT_TRANSACTION,
    COST_CORE_SHARE, /* Not a cost: how much of a shared machine is ours. */
    COST_COUNT
};

/* Where the shipped value comes from. */
enum cost_source {
    COST_FITTED,   /* By calibrate, to whole runs. */
    COST_MEASURED, /* By itself, in a loop. */
    COST_ESTIMATED,
};

struct cost_row {
    const char *name; /* Ends with its unit. */
    const char *says;
    double ns;    /* Nanoseconds in one unit of it. */
    double value; /* Shipped; docs/simulator.md says how it was found. */
    enum cost_source source;
};

extern const struct cost_row cost_rows[COST_COUNT];

/* How the shipped values were found, and how far they are off. */
#define COST_CALIBRATION "shipped costs; mean error 24.5 %, docs/simulator.md"

struct cost_model {
    double value[COST_COUNT]; /* In the unit of the row. */
};

void cost_defaults(struct cost_model *model);
const char *cost_source_name(enum cost_source source);
double cost_ns(const struct cost_model *model, enum cost cost);
/* Values that are not named stay. False: *line (1, 2, ...) is wrong. */
bool cost_read(struct cost_model *model, FILE *file, unsigned *line);
void cost_write(const struct cost_model *model, FILE *file);

#endif /* SIM_COST_H */
