/* SPDX-License-Identifier: Apache-2.0 */
/* One bar for each run of a matrix: throughput, with the median latency beside
 * it. Runs with a protection off are pale. */
#include "client/bench.h"

#define WIDTH 900
#define TOP 64
#define ROW 26
#define BAR_LEFT 330
#define BAR_WIDTH 400
#define SAFE_COLOR "#1c7ed6"
#define UNSAFE_COLOR "#c5d9ea"

static void draw_head(FILE *out, const struct bench_result *results,
                      uint32_t count)
{
    (void)fprintf(out,
                  "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" "
                  "height=\"%u\" font-family=\"sans-serif\" "
                  "font-size=\"13\">\n"
                  "<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n"
                  "<text x=\"16\" y=\"26\" font-size=\"17\">Transactions per "
                  "second, %u replicas and the load on %u cores</text>\n"
                  "<text x=\"16\" y=\"47\" fill=\"#555\">payload, transactions "
                  "per request; median latency at the right; pale: a "
                  "protection is off</text>\n",
                  WIDTH, TOP + ROW * count + 16, results[0].setup.replicas,
                  results[0].machine.cores);
}

static void draw_row(FILE *out, const struct bench_result *result, uint32_t row,
                     double highest)
{
    const struct bench_setup *setup = &result->setup;
    const double rate = result->figures.transactions_per_second;
    const double width = highest > 0 ? BAR_WIDTH * rate / highest : 0;
    const unsigned y = TOP + ROW * row;

    (void)fprintf(
        out,
        "<text x=\"16\" y=\"%u\">%u bytes, %u per request%s%s</text>"
        "<rect x=\"%d\" y=\"%u\" width=\"%.1f\" height=\"%d\" "
        "fill=\"%s\"/>"
        "<text x=\"%.1f\" y=\"%u\">%.0f/s, %.1f ms</text>\n",
        y + 16, setup->payload, setup->per_request,
        setup->no_tls ? ", no TLS" : "", setup->no_sync ? ", no sync" : "",
        BAR_LEFT, y + 2, width, ROW - 6,
        setup->no_tls || setup->no_sync ? UNSAFE_COLOR : SAFE_COLOR,
        BAR_LEFT + width + 8, y + 16, rate, result->figures.latency_ms[0]);
}

void bench_svg(FILE *out, const struct bench_result *results, uint32_t count)
{
    double highest = 0;

    for (uint32_t i = 0; i < count; i++) {
        double rate = results[i].figures.transactions_per_second;
        highest = rate > highest ? rate : highest;
    }
    if (count > 0) {
        draw_head(out, results, count);
        for (uint32_t i = 0; i < count; i++) {
            draw_row(out, &results[i], i, highest);
        }
        (void)fprintf(out, "</svg>\n");
    }
}
