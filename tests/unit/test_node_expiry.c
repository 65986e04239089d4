/* SPDX-License-Identifier: Apache-2.0 */
/* A certificate that ends soon is told of; one that does not is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "node/expiry.h"

#define DAY INT64_C(86400)

static struct node_identity identity = {
    .has_tls = true, .certificate_ends_s = 825 * DAY, .ca_ends_s = 3650 * DAY};

static void expect(int64_t day, const char *words)
{
    struct salus_reason reason = {{0}};
    bool is_near = expiry_is_near(&identity, day * DAY + 1, &reason);
    assert_int_equal(is_near, words != NULL);
    if (words != NULL) {
        assert_non_null(strstr(reason.text, words));
    }
}

static void test_a_month_before_the_end(void **state)
{
    (void)state;
    expect(0, NULL);
    expect(794, NULL);
    expect(795, "the TLS certificate of this replica expires (days left: 29)");
    expect(824, "(days left: 0)");
    expect(825, "has expired");
    expect(3620, "the CA certificate in the genesis expires (days left: 29)");
    expect(3650, "the CA certificate in the genesis has expired");
}

static void test_without_tls_nothing_ends(void **state)
{
    (void)state;
    identity.has_tls = false;
    expect(5000, NULL);
    identity.has_tls = true;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_month_before_the_end),
        cmocka_unit_test(test_without_tls_nothing_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
