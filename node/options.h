/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of salusd. */
#ifndef NODE_OPTIONS_H
#define NODE_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "consensus/status.h"
#include "proto/reason.h"

enum options_action {
    OPTIONS_RUN,
    OPTIONS_CHECK_CONFIG,
    OPTIONS_MEASURE,
    OPTIONS_VERSION,
    OPTIONS_HELP
};

struct options {
    enum options_action action;
    const char *config; /* Path; into argv. */
    bool unsafe_no_sync;
    bool unsafe_no_tls;
    const char *measure;      /* Path; into argv. */
    uint32_t measure_payload; /* Bytes; transactions in a request. */
    uint32_t measure_per_request;
};

/* PBFT_INVALID_ARGUMENT, and why. */
PBFT_MUST_USE enum pbft_status options_parse(struct options *out, int argc,
                                             char *const *argv,
                                             struct salus_reason *reason);

/* What --help prints; the man page is made of it. */
extern const char options_help[];

#endif /* NODE_OPTIONS_H */
