/* SPDX-License-Identifier: Apache-2.0 */
/* Draws a run as one self-contained page: a lane per replica and client,
 * messages as arrows. The run is written as it happens, between the two halves
 * of html_page.html, whose script draws it.
 */
#ifndef SIM_HTML_H
#define SIM_HTML_H

#include "sim/sim.h"

struct html_state {
    bool is_known;
    pbft_view view;
    const char *status;
    uint64_t paused_until_us;
};

struct html {
    FILE *out;
    const char *title;
    const struct sim *sim;
    struct html_state states[SIM_HOSTS_MAX]; /* As written last. */
    bool has_row;
};

void html_begin(struct html *html, FILE *out, const char *title);
/* Looks on at a run for the page. */
struct sim_watch html_watch(struct html *html);
/* Ends the page after the run. */
void html_end(struct html *html, const struct sim_violation *violation);
/* Ends the page in the midst of a run: an assertion has failed. */
void html_fail(struct html *html, const char *rule, const char *text);

/* html_page.c, made of html_page.html by the build. */
extern const char html_page[];

#endif /* SIM_HTML_H */
