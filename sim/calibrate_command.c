/* SPDX-License-Identifier: Apache-2.0 */
/* salus-sim calibrate. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "sim/calibrate.h"
#include "sim/command.h"

#define JSON_LINE_SIZE 16384
#define CORES_DEFAULT 2
#define CORES_MAX 1024

struct calibration {
    struct calibrate_run runs[CALIBRATE_RUNS_MAX];
    size_t count;
    struct cost_model costs;
    uint32_t cores;
    const char *out;
};

static bool read_lines(struct calibration *calibration, const char *path)
{
    char line[JSON_LINE_SIZE];
    const char *reason = "it cannot be opened";
    FILE *file = fopen(path, "r");
    bool is_good = file != NULL;
    while (is_good && fgets(line, sizeof line, file) != NULL) {
        if (strchr("[]\n", line[strspn(line, " \t\r")]) != NULL) {
            continue; /* Empty, or the brackets of an array. */
        }
        reason = "too many lines";
        is_good = calibration->count < CALIBRATE_RUNS_MAX &&
                  calibrate_parse(&calibration->runs[calibration->count], line,
                                  &reason);
        calibration->count += is_good;
    }
    if (!is_good) {
        (void)fprintf(stderr, "salus-sim calibrate: %s: %s\n", path, reason);
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    return is_good;
}

static void print_runs(FILE *out, const char *prefix,
                       const struct calibration *calibration)
{
    for (size_t i = 0; i < calibration->count; i++) {
        const struct calibrate_run *run = &calibration->runs[i];
        (void)fprintf(out,
                      "%s%u replicas and the load on %u cores, %u transactions "
                      "a request, %u clients\n"
                      "%s  %-28s %12s %12s %8s\n",
                      prefix, run->replicas, calibration->cores,
                      run->per_request, run->clients, prefix, "", "measured",
                      "predicted", "error");
        for (unsigned f = 0; f < FIGURE_COUNT; f++) {
            (void)fprintf(out, "%s  %-28s %12.1f %12.1f %+7.1f%%%s\n", prefix,
                          figure_rows[f].name, run->measured[f],
                          run->predicted[f],
                          100 * calibrate_error(run, (enum figure)f),
                          figure_rows[f].weight > 0 ? "" : "  (not fitted)");
        }
    }
}

static int finish(const struct calibration *calibration, double error)
{
    print_runs(stdout, "", calibration);
    (void)printf("mean error of what is fitted: %.1f %%\n", 100 * error);
    if (calibration->out == NULL) {
        cost_write(&calibration->costs, stdout);
        return EXIT_WELL;
    }
    FILE *out = fopen(calibration->out, "w");
    if (out == NULL) {
        (void)fprintf(stderr, "salus-sim calibrate: %s cannot be written\n",
                      calibration->out);
        return EXIT_USAGE;
    }
    (void)fprintf(out, "# Made by salus-sim calibrate; mean error %.1f %%.\n",
                  100 * error);
    print_runs(out, "# ", calibration);
    cost_write(&calibration->costs, out);
    bool is_bad = ferror(out) != 0;
    return fclose(out) == 0 && !is_bad ? EXIT_WELL : EXIT_USAGE;
}

/* The search may end in a hollow: it begins in two places, and the better end
 * counts. What a sync takes differs most from machine to machine. */
static double fit(struct calibration *calibration)
{
    static const double sync_factors[] = {1, 4};
    struct cost_model best = calibration->costs;
    double least = INFINITY;
    for (size_t i = 0; i < sizeof sync_factors / sizeof sync_factors[0]; i++) {
        struct cost_model costs = calibration->costs;
        costs.value[COST_SYNC] *= sync_factors[i];
        double error = calibrate_fit(&costs, calibration->runs,
                                     calibration->count, calibration->cores);
        if (error < least) {
            least = error;
            best = costs;
        }
    }
    calibration->costs = best;
    for (size_t i = 0; i < calibration->count; i++) {
        calibrate_predict(&calibration->runs[i], &best, calibration->cores);
    }
    return least;
}

int command_calibrate(int argc, char **argv)
{
    static struct calibration calibration = {.cores = CORES_DEFAULT};
    cost_defaults(&calibration.costs);
    for (int i = 0; i < argc; i++) {
        uint64_t cores = 0;
        if (strcmp(argv[i], "--out") == 0 && i + 1 < argc) {
            calibration.out = argv[++i];
        } else if (strcmp(argv[i], "--cores") == 0 && i + 1 < argc &&
                   parse_number(argv[i + 1], CORES_MAX, &cores) && cores > 0) {
            calibration.cores = (uint32_t)cores;
            i++;
        } else if (strncmp(argv[i], "--", 2) == 0) {
            (void)fprintf(stderr, "salus-sim calibrate: bad option '%s'\n",
                          argv[i]);
            return EXIT_USAGE;
        } else if (!read_lines(&calibration, argv[i])) {
            return EXIT_USAGE;
        }
    }
    if (calibration.count == 0) {
        (void)fprintf(stderr, "usage: salus-sim calibrate [--cores N] [--out "
                              "FILE] MEASURED.json...\n");
        return EXIT_USAGE;
    }
    return finish(&calibration, fit(&calibration));
}
