/* SPDX-License-Identifier: Apache-2.0 */
/* Where replicas stand. The figures are round-trip times in milliseconds as
 * they are typical between public cloud regions, rounded; one way is half. */
#include <stdlib.h>
#include <string.h>

#include "sim/bench.h"

#define SITES_MAX 8
#define MATRIX_LINE_SIZE 4096
#define ONE_WAY_MAX_MS 60000.0

struct preset {
    const char *name;
    double same_site_ms; /* Round trip. */
    uint32_t sites;
    const char *site[SITES_MAX];
    /* Round trips below the diagonal. */
    double round_trip[SITES_MAX][SITES_MAX];
};

static const struct preset presets[] = {
    {.name = "lan", .same_site_ms = 0.2, .sites = 1, .site = {"one building"}},
    {.name = "wan-eu",
     .same_site_ms = 0.8,
     .sites = 6,
     .site = {"Frankfurt", "Paris", "London", "Stockholm", "Milan", "Dublin"},
     .round_trip = {{0},
                    {10},
                    {15, 9},
                    {23, 30, 31},
                    {11, 19, 25, 32},
                    {25, 18, 12, 41, 35}}},
    {.name = "wan-us",
     .same_site_ms = 0.8,
     .sites = 5,
     .site = {"Virginia", "Ohio", "Oregon", "California", "Montreal"},
     .round_trip = {{0}, {12}, {68, 50}, {62, 52, 22}, {16, 25, 60, 79}}},
    {.name = "wan-global",
     .same_site_ms = 0.8,
     .sites = 8,
     .site = {"Virginia", "Frankfurt", "Tokyo", "Sao Paulo", "Oregon", "London",
              "Sydney", "Singapore"},
     .round_trip = {{0},
                    {90},
                    {148, 225},
                    {115, 203, 256},
                    {68, 142, 98, 175},
                    {76, 15, 212, 186, 130},
                    {200, 290, 105, 312, 140, 265},
                    {215, 160, 70, 330, 162, 165, 92}}},
};

#define PRESETS (sizeof presets / sizeof presets[0])

const char *const bench_presets[] = {"lan", "wan-eu", "wan-us", "wan-global",
                                     NULL};

static const struct preset *find(const char *name)
{
    for (size_t i = 0; i < PRESETS; i++) {
        if (strcmp(presets[i].name, name) == 0) {
            return &presets[i];
        }
    }
    return NULL;
}

bool bench_latency_preset(struct bench_latency *out, const char *name)
{
    const struct preset *preset = find(name);
    if (preset == NULL) {
        return false;
    }
    memset(out, 0, sizeof *out);
    out->sites = preset->sites;
    out->same_site_ms = preset->same_site_ms / 2;
    for (uint32_t i = 0; i < preset->sites; i++) {
        for (uint32_t j = 0; j < i; j++) {
            out->one_way_ms[i][j] = preset->round_trip[i][j] / 2;
            out->one_way_ms[j][i] = preset->round_trip[i][j] / 2;
        }
    }
    return true;
}

const char *bench_latency_site(const char *preset, uint32_t site)
{
    const struct preset *found = find(preset);
    return found == NULL || site >= found->sites ? NULL : found->site[site];
}

double bench_one_way_ms(const struct bench_latency *latency, uint32_t from,
                        uint32_t to)
{
    uint32_t a = from % latency->sites;
    uint32_t b = to % latency->sites;
    return a == b ? latency->same_site_ms : latency->one_way_ms[a][b];
}

/* False: not numbers with commas between. */
static bool read_row(const char *text, double *row, uint32_t *count)
{
    *count = 0;
    while (*count < BENCH_REPLICAS_MAX) {
        char *end = NULL;
        double value = strtod(text, &end);
        if (end == text || !(value >= 0 && value <= ONE_WAY_MAX_MS)) {
            return false;
        }
        row[(*count)++] = value;
        end += strspn(end, " \t\r\n");
        if (*end == '\0') {
            return true;
        }
        if (*end != ',') {
            return false;
        }
        text = end + 1;
    }
    return false;
}

bool bench_latency_read(struct bench_latency *out, FILE *file,
                        const char **reason)
{
    char line[MATRIX_LINE_SIZE];
    uint32_t rows = 0;
    memset(out, 0, sizeof *out);
    *reason = "a row is not numbers with commas between, or too long";
    while (fgets(line, sizeof line, file) != NULL) {
        uint32_t count = 0;
        if (line[0] == '#' || line[strspn(line, " \t\r\n")] == '\0') {
            continue;
        }
        if (rows == BENCH_REPLICAS_MAX ||
            !read_row(line, out->one_way_ms[rows], &count)) {
            return false;
        }
        out->sites = rows == 0 ? count : out->sites;
        if (count != out->sites) {
            *reason = "the rows differ in length";
            return false;
        }
        rows++;
    }
    if (rows == 0 || rows != out->sites) {
        *reason = "not as many rows as columns";
        return false;
    }
    /* More replicas than rows: those of a site are on one network. */
    out->same_site_ms = out->one_way_ms[0][0];
    return true;
}
