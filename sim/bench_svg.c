/* SPDX-License-Identifier: Apache-2.0 */
/* Throughput and latency over the number of replicas, as one drawing. */
#include <math.h>

#include "sim/bench.h"

#define WIDTH 860
#define HEIGHT 470
#define LEFT 80
#define RIGHT 80
#define TOP 70
#define BOTTOM 60
#define LATENCY_COLOR "#d9480f"
#define RATE_COLOR "#1c7ed6"

/* A round number at or above the value. */
static double round_up(double value)
{
    if (value <= 0) {
        return 1;
    }
    double unit = pow(10, floor(log10(value)));
    static const double steps[] = {1, 1.5, 2, 3, 4, 5, 6, 8, 10};
    for (unsigned i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        if (steps[i] * unit >= value) {
            return steps[i] * unit;
        }
    }
    return 10 * unit;
}

static double x_of(size_t i, size_t count)
{
    double width = WIDTH - LEFT - RIGHT;
    return LEFT + width * ((double)i + 0.5) / (double)count;
}

static double y_of(double value, double top)
{
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / top;
}

static void draw_line(FILE *out, const struct bench_point *points, size_t count,
                      double (*value)(const struct bench_result *result),
                      double top, const char *color, const char *dash)
{
    (void)fprintf(out,
                  "<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"2.5\" "
                  "stroke-dasharray=\"%s\" points=\"",
                  color, dash);
    for (size_t i = 0; i < count; i++) {
        (void)fprintf(out, "%.1f,%.1f ", x_of(i, count),
                      y_of(value(&points[i].result), top));
    }
    (void)fprintf(out, "\"/>\n");
    for (size_t i = 0; i < count; i++) {
        (void)fprintf(
            out, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"4\" fill=\"%s\"/>\n",
            x_of(i, count), y_of(value(&points[i].result), top), color);
    }
}

static double rate_of(const struct bench_result *result)
{
    return result->transactions_per_second;
}

static double median_of(const struct bench_result *result)
{
    return result->latency_ms[0];
}

static double tail_of(const struct bench_result *result)
{
    return result->latency_ms[2];
}

static void draw_axes(FILE *out, double rate_top, double latency_top)
{
    for (int i = 0; i <= 5; i++) {
        double y = y_of(i, 5);
        (void)fprintf(out,
                      "<line x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\" "
                      "stroke=\"#dde3ea\"/>\n"
                      "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\" "
                      "fill=\"" RATE_COLOR "\">%.4g</text>\n"
                      "<text x=\"%d\" y=\"%.1f\" fill=\"" LATENCY_COLOR
                      "\">%.4g</text>\n",
                      LEFT, WIDTH - RIGHT, y, y, LEFT - 8, y + 4,
                      rate_top * i / 5, WIDTH - RIGHT + 8, y + 4,
                      latency_top * i / 5);
    }
    (void)fprintf(
        out,
        "<text x=\"%d\" y=\"%d\" fill=\"" RATE_COLOR
        "\">transactions/s</text>\n"
        "<text x=\"%d\" y=\"%d\" text-anchor=\"end\" "
        "fill=\"" LATENCY_COLOR "\">latency, ms: p50, p99 dashed</text>\n"
        "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">replicas"
        "</text>\n",
        LEFT - 60, TOP - 14, WIDTH - 14, TOP - 14, WIDTH / 2, HEIGHT - 14);
}

static void put_escaped(FILE *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '<' || *text == '&' || *text == '>') {
            (void)fprintf(out, "&#%d;", *text);
        } else {
            (void)fputc(*text, out);
        }
    }
}

void bench_svg(FILE *out, const char *title, const struct bench_point *points,
               size_t count)
{
    double rate_top = 0;
    double latency_top = 0;
    for (size_t i = 0; i < count; i++) {
        rate_top = fmax(rate_top, rate_of(&points[i].result));
        latency_top = fmax(latency_top, tail_of(&points[i].result));
    }
    rate_top = round_up(rate_top);
    latency_top = round_up(latency_top);
    (void)fprintf(out,
                  "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" "
                  "height=\"%d\" font-family=\"sans-serif\" font-size=\"12\">\n"
                  "<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n"
                  "<text x=\"20\" y=\"28\" font-size=\"15\" "
                  "font-weight=\"bold\">",
                  WIDTH, HEIGHT);
    put_escaped(out, title);
    (void)fprintf(out, "</text>\n");
    draw_axes(out, rate_top, latency_top);
    draw_line(out, points, count, rate_of, rate_top, RATE_COLOR, "none");
    draw_line(out, points, count, median_of, latency_top, LATENCY_COLOR,
              "none");
    draw_line(out, points, count, tail_of, latency_top, LATENCY_COLOR, "5 4");
    for (size_t i = 0; i < count; i++) {
        (void)fprintf(out,
                      "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%u"
                      "</text>\n",
                      x_of(i, count), HEIGHT - BOTTOM + 20, points[i].replicas);
    }
    (void)fprintf(out, "</svg>\n");
}
