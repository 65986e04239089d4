/* SPDX-License-Identifier: Apache-2.0 */
#include "node/expiry.h"

#include <inttypes.h>

#include "node/limits.h"

#define SECONDS_PER_DAY 86400

static bool is_near(int64_t end_s, int64_t now_s)
{
    return now_s > end_s - NODE_EXPIRY_WARN_S;
}

static void describe(const char *what, int64_t left_s, const char *help,
                     struct salus_reason *out)
{
    if (left_s < 0) {
        salus_reason_set(out, "%s has expired: %s", what, help);
    } else {
        salus_reason_set(out, "%s expires (days left: %" PRId64 "): %s", what,
                         left_s / SECONDS_PER_DAY, help);
    }
}

/* The CA first: what it issues ends with it. */
bool expiry_is_near(const struct node_identity *identity, int64_t now_s,
                    struct salus_reason *out)
{
    if (!identity->has_tls) {
        return false;
    }
    if (is_near(identity->ca_ends_s, now_s)) {
        describe("the CA certificate in the genesis",
                 identity->ca_ends_s - now_s, "only a new consortium helps",
                 out);
        return true;
    }
    if (is_near(identity->certificate_ends_s, now_s)) {
        describe("the TLS certificate of this replica",
                 identity->certificate_ends_s - now_s,
                 "salus certificate makes another, then start again", out);
        return true;
    }
    return false;
}
