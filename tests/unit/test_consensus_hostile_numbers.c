/* SPDX-License-Identifier: Apache-2.0 */
/* R3 is hostile and has a key: every number that it may write into a message is
 * 0, 2^63, 2^64 - 1 or the like. Whatever passes verification reaches R1, whose
 * invariants are checked after each step; it stays in its view, within its
 * memory, and at work. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "consensus/preimage.h"
#include "consensus/replica.h"
#include "proto/codec.h"
#include "tests/support/cluster.h"

#define SELF 1
#define LIAR 3
#define FLOOD 20000
#define WALL_START_US UINT64_C(1700000001000000)
#define BYTES_PER_CHECK 64 /* A signature alone is as long. */

static const uint64_t numbers[] = {0,
                                   1,
                                   3,
                                   16,
                                   17,
                                   UINT32_MAX,
                                   UINT64_C(1) << 32,
                                   (UINT64_C(1) << 63) - 1,
                                   UINT64_C(1) << 63,
                                   UINT64_MAX - 17,
                                   UINT64_MAX - 1,
                                   UINT64_MAX};
#define NUMBERS (sizeof numbers / sizeof numbers[0])

static struct cluster cluster;
static uint64_t checks; /* Signatures that R1 verified. */
static bool (*real_verify)(const void *, const struct pbft_public_key *,
                           struct pbft_bytes, const struct pbft_signature *);

static bool count_verify(const void *context, const struct pbft_public_key *key,
                         struct pbft_bytes preimage,
                         const struct pbft_signature *signature)
{
    checks++;
    return real_verify(context, key, preimage, signature);
}

static int start(void **state)
{
    (void)state;
    cluster_init(&cluster, 4);
    real_verify = cluster.cast.replicas[SELF].crypto.verify;
    cluster.cast.replicas[SELF].crypto.verify = count_verify;
    cluster_start(&cluster);
    return 0;
}

static int clear(void **state)
{
    (void)state;
    cluster_deinit(&cluster);
    return 0;
}

static const struct pbft_domain *liar(void)
{
    return &cluster.cast.replicas[LIAR].domain;
}

static struct pbft_verifier verifier(void)
{
    struct pbft_verifier own = cluster.cast.verifier;
    own.domain = &cluster.cast.replicas[SELF].domain;
    return own;
}

/* As it comes over R3's channel; takes the reference. */
static void hear(struct pbft_message *message)
{
    const struct pbft_verifier own = verifier();
    assert_non_null(message);
    if (pbft_verify(&own, LIAR, message) == PBFT_OK) {
        (void)cluster_receive(&cluster, SELF, message);
    }
    pbft_message_unref(message);
}

static void hear_signed(struct pbft_message *message)
{
    pbft_message_sign(liar(), message);
    hear(message);
}

static struct pbft_origin origin(uint64_t incarnation)
{
    return (struct pbft_origin){
        .sender = LIAR, .epoch = 1, .incarnation = incarnation};
}

static size_t buffered(void)
{
    return pbft_replica_buffered_bytes(cluster_replica(&cluster, SELF));
}

/* R1 is as it was, and orders one more request with the others. */
static void assert_unmoved(void)
{
    static uint64_t sequence = 1000;
    const struct pbft_report report = cluster_report(&cluster, SELF);
    assert_int_equal(report.view, 0);
    assert_true(report.view_active);
    assert_true(buffered() < 1024u * 1024u);
    const pbft_seq before = report.executed;
    (void)cluster_submit(&cluster, 0, ++sequence);
    cluster_settle(&cluster);
    assert_true(cluster_report(&cluster, SELF).executed > before);
}

/* ---- one function per type: two numbers into its fields -------------------
 */

static void say_vote(uint64_t a, uint64_t b)
{
    const struct pbft_prepare fields = {a, b, {{1}}};
    for (uint64_t incarnation = 0; incarnation < 2; incarnation++) {
        const struct pbft_origin by = origin(incarnation == 0 ? 0 : UINT64_MAX);
        hear_signed(pbft_vote_create(PBFT_MESSAGE_PREPARE, &by, &fields));
        hear_signed(pbft_vote_create(PBFT_MESSAGE_COMMIT, &by, &fields));
    }
}

static void say_pre_prepare(uint64_t a, uint64_t b)
{
    const struct pbft_origin by = origin(0);
    struct pbft_message *batch =
        cast_batch(&cluster.cast, b, 1, b == 0 ? 0 : 2);
    hear_signed(
        pbft_pre_prepare_create(&by, a, b, &batch->batch.digest, batch));
    hear_signed(pbft_pre_prepare_create(&by, a, b, &batch->batch.digest, NULL));
    hear_signed(
        pbft_pre_prepare_create(&by, a | 3, b, &batch->batch.digest, NULL));
    hear(batch);
}

static void say_attestation(uint64_t a, uint64_t b)
{
    const struct pbft_origin by = origin(0);
    const struct pbft_attestation fields = {.seq = a, .block_time = b};
    hear_signed(pbft_attestation_create(&by, &fields));
}

static void say_status(uint64_t a, uint64_t b)
{
    const struct pbft_origin by = origin(0);
    struct pbft_status_report fields = {
        .view = a,
        .view_active = (b & 1) != 0,
        .stable = b,
        .executed = a,
        .committed_above = b,
        .attested = a,
        .version_min = (uint32_t)a,
        .version_max = (uint32_t)b,
        .reply_wanted = (a & 1) != 0,
        .question = b,
        .prepared_words = (uint32_t)(b % (PBFT_WINDOW_MAX / 64 + 1))};
    static uint64_t bits[PBFT_WINDOW_MAX / 64];
    memset(bits, 0xff, sizeof bits);
    fields.prepared_bits = bits;
    hear_signed(pbft_status_create(&by, &fields));
    fields.version_min = 1;
    fields.version_max = 1;
    fields.executed = b;
    fields.attested = b;
    fields.stable = a;
    hear_signed(pbft_status_create(&by, &fields));
    cluster.now += cluster.config.resend_interval_ms; /* It is answered. */
}

static void say_fetch(uint64_t a, uint64_t b)
{
    const struct pbft_origin by = origin(0);
    for (int kind = PBFT_FETCH_BODY; kind <= PBFT_FETCH_NEW_VIEW; kind++) {
        struct pbft_fetch fields = {
            .kind = (enum pbft_fetch_kind)kind, .seq = a, .last = b};
        hear_signed(pbft_fetch_create(&by, &fields));
        fields.last = a > UINT64_MAX - 63 ? UINT64_MAX : a + 63;
        hear_signed(pbft_fetch_create(&by, &fields));
    }
}

static bool are_votes_distinct; /* As the codec wants them. */

/* A certificate of its own making: view a, seq b, votes of one. */
static struct pbft_message *certificate(enum pbft_message_type type, uint64_t a,
                                        uint64_t b)
{
    const struct pbft_origin by = origin(0);
    const struct pbft_digest digest = {{7}};
    struct pbft_message *header =
        pbft_pre_prepare_create(&by, a, b, &digest, NULL);
    struct pbft_vote votes[3] = {
        {LIAR, 0, {{0}}}, {LIAR, b, {{0}}}, {(pbft_replica_id)a, b, {{0}}}};
    for (pbft_replica_id id = 0; are_votes_distinct && id < 3; id++) {
        votes[id].replica = id;
    }
    pbft_message_sign(liar(), header);
    struct pbft_message *made =
        pbft_certificate_create(type, LIAR, 1, header, votes, 3);
    pbft_message_unref(header);
    return made;
}

static void say_certificate(uint64_t a, uint64_t b)
{
    const struct pbft_attestation fields = {.seq = a, .block_time = b};
    const struct pbft_vote votes[3] = {
        {0, 0, {{0}}}, {1, b, {{0}}}, {(pbft_replica_id)b, a, {{0}}}};
    hear(certificate(PBFT_MESSAGE_PREPARED, a, b));
    hear(certificate(PBFT_MESSAGE_COMMITTED, a, b));
    hear(pbft_stable_create(LIAR, 1, &fields, votes, 3));
    hear(pbft_stable_create(LIAR, b, &fields, NULL, 0));
}

static struct pbft_message *view_change(uint64_t view, uint64_t a, uint64_t b)
{
    const struct pbft_origin by = origin(0);
    struct pbft_message *stable = cast_stable(&cluster.cast, 0, NULL, 0);
    struct pbft_message *prepared = certificate(PBFT_MESSAGE_PREPARED, a, b);
    const struct pbft_message *list[] = {prepared};
    struct pbft_message *made =
        pbft_view_change_create(liar(), &by, view, stable, list, 1);
    pbft_message_sign(liar(), made);
    pbft_message_unref(stable);
    pbft_message_unref(prepared);
    return made;
}

static void say_view_change(uint64_t a, uint64_t b)
{
    hear(view_change(a, b, a));
    hear(view_change(a, 0, b));
    hear(view_change(a, a - 1, 1 + b % 16));
}

static void say_new_view(uint64_t a, uint64_t b)
{
    const struct pbft_origin by = origin(0);
    const struct pbft_new_view_source sources[] = {
        {0, {{1}}}, {2, {{2}}}, {3, {{3}}}};
    const struct pbft_digest digest = {{7}};
    for (uint64_t view = a; view <= (a | 3); view = a | 3) {
        struct pbft_message *header =
            pbft_pre_prepare_create(&by, view, b, &digest, NULL);
        pbft_message_sign(liar(), header);
        const struct pbft_message *headers[] = {header};
        hear_signed(pbft_new_view_create(&by, view, sources, 3, headers, 1));
        hear_signed(pbft_new_view_create(&by, view, sources, 3, NULL, 0));
        pbft_message_unref(header);
        if (view == (a | 3)) {
            break;
        }
    }
}

static void say_request(uint64_t a, uint64_t b)
{
    struct pbft_message *like = cast_request(&cluster.cast, 1, "p");
    struct pbft_request fields = like->request;
    fields.session = a;
    fields.sequence = b;
    struct pbft_message *request =
        pbft_request_create(&cluster.cast.client.domain, &fields, LIAR, NULL);
    pbft_message_sign(&cluster.cast.client.domain, request);
    hear(request);
    pbft_message_unref(like);
}

static void (*const says[])(uint64_t a, uint64_t b) = {
    say_vote,        say_pre_prepare, say_attestation, say_status, say_fetch,
    say_certificate, say_view_change, say_new_view,    say_request};

static void test_no_number_moves_a_replica(void **state)
{
    (void)state;
    for (size_t say = 0; say < sizeof says / sizeof says[0]; say++) {
        for (size_t a = 0; a < NUMBERS; a++) {
            for (size_t b = 0; b < NUMBERS; b++) {
                says[say](numbers[a], numbers[b]);
            }
        }
        cluster_settle(&cluster);
        assert_unmoved();
    }
}

/* The same while R1 is between two views, and right after a start. */
static void test_no_number_moves_a_replica_between_views(void **state)
{
    (void)state;
    cluster_isolate(&cluster, SELF);
    (void)cluster_submit(&cluster, SELF, 1);
    (void)cluster_timeout(&cluster, SELF, PBFT_TIMER_REQUEST);
    assert_false(cluster_report(&cluster, SELF).view_active);
    for (size_t say = 0; say < sizeof says / sizeof says[0]; say++) {
        for (size_t a = 0; a < NUMBERS; a++) {
            for (size_t b = 0; b < NUMBERS; b++) {
                says[say](numbers[a], numbers[b]);
            }
        }
    }
    assert_int_equal(cluster_report(&cluster, SELF).view, 1);
    assert_true(buffered() < 1024u * 1024u);
}

/* R1: a flood of future views and seqs takes no memory. */
static void test_a_flood_takes_no_memory(void **state)
{
    (void)state;
    hear(view_change(5, 1, 1));
    say_vote(0, 16);
    const size_t before = buffered();
    for (uint64_t i = 0; i < FLOOD; i++) {
        hear(view_change(6 + i, 1, 1));
        say_vote(i, UINT64_MAX - i);
        say_attestation(100 + i, i);
    }
    assert_true(buffered() <= before + 4096);
    assert_unmoved();
}

/* R2: a view-change of a full window of worthless certificates costs what its
 * own signature costs, and a little for what could be evidence. */
static void test_certificates_are_not_checked_before_they_matter(void **state)
{
    const struct pbft_origin by = origin(0);
    const struct pbft_verifier own = verifier();
    const struct pbft_message *list[16];
    (void)state;
    struct pbft_message *stable = cast_stable(&cluster.cast, 0, NULL, 0);
    for (uint64_t i = 0; i < 16; i++) {
        list[i] = certificate(PBFT_MESSAGE_PREPARED, 0, i + 1);
    }
    struct pbft_message *message =
        pbft_view_change_create(liar(), &by, 1, stable, list, 16);
    pbft_message_sign(liar(), message);
    checks = 0;
    assert_int_equal(pbft_verify(&own, LIAR, message), PBFT_OK);
    assert_int_equal(checks, 1);
    (void)cluster_receive(&cluster, SELF, message);
    assert_true(checks <= 1 + 2 * PBFT_WITNESS_CHECKS_MAX);
    pbft_message_unref(message);
    pbft_message_unref(stable);
    for (uint64_t i = 0; i < 16; i++) {
        pbft_message_unref(list[i]);
    }
}

/* R2: whatever comes, no more checks than its bytes hold signatures. */
static void test_work_is_bounded_by_bytes(void **state)
{
    struct wire_buffer buffer;
    const struct pbft_verifier own = verifier();
    (void)state;
    are_votes_distinct = true;
    wire_buffer_init(&buffer, WIRE_FRAME_BYTES_MAX);
    for (size_t a = 0; a < NUMBERS; a++) {
        struct pbft_message *const messages[] = {
            view_change(numbers[a], 0, 1),
            certificate(PBFT_MESSAGE_PREPARED, 3, numbers[a]),
            certificate(PBFT_MESSAGE_COMMITTED, 3, numbers[a])};
        for (size_t i = 0; i < 3; i++) {
            wire_buffer_reset(&buffer);
            assert_int_equal(
                wire_message_encode(messages[i], WIRE_BODY_OMIT, &buffer),
                PBFT_OK);
            checks = 0;
            const enum pbft_status status =
                pbft_verify(&own, LIAR, messages[i]);
            assert_true(status == PBFT_OK || i > 0 || a == 0);
            assert_true(checks * BYTES_PER_CHECK <= buffer.size);
            pbft_message_unref(messages[i]);
        }
    }
    wire_buffer_deinit(&buffer);
    are_votes_distinct = false;
}

/* A made-up incarnation does not wash away what was said before. */
static void test_a_future_incarnation_hides_no_contradiction(void **state)
{
    (void)state;
    for (uint64_t incarnation = 0; incarnation < 3; incarnation++) {
        const struct pbft_origin by = origin(incarnation == 1 ? UINT64_MAX : 0);
        const struct pbft_prepare fields = {0, 5, {{(uint8_t)incarnation}}};
        hear_signed(pbft_vote_create(PBFT_MESSAGE_COMMIT, &by, &fields));
    }
    assert_int_equal(cluster_report(&cluster, SELF).evidence_count, 1);
}

/* R0 proposed something for each seq, R2 voted for it, and R3 "has"
 * certificates of something else: each part could be evidence, and costs a
 * check. Only so many are made. */
static void test_forged_contradictions_cost_little(void **state)
{
    const struct pbft_origin by = origin(0);
    const struct pbft_message *list[16];
    (void)state;
    for (uint64_t i = 0; i < 16; i++) {
        struct pbft_message *batch =
            cast_batch(&cluster.cast, WALL_START_US, 1 + i, 1);
        struct pbft_message *proposal =
            cast_pre_prepare(&cluster.cast, 0, i + 1, batch);
        struct pbft_message *vote =
            cast_vote(&cluster.cast, PBFT_MESSAGE_PREPARE, 2, 0, i + 1,
                      &batch->batch.digest);
        (void)cluster_receive(&cluster, SELF, proposal);
        (void)cluster_receive(&cluster, SELF, vote);
        pbft_message_unref(batch);
        pbft_message_unref(proposal);
        pbft_message_unref(vote);
        /* In R0's name, which is not R3's to use. */
        const struct pbft_origin primary = {.sender = 0, .epoch = 1};
        const struct pbft_vote votes[2] = {{1, 0, {{0}}}, {2, 0, {{0}}}};
        struct pbft_message *header = pbft_pre_prepare_create(
            &primary, 0, i + 1, &(struct pbft_digest){{7}}, NULL);
        list[i] = pbft_certificate_create(PBFT_MESSAGE_PREPARED, LIAR, 1,
                                          header, votes, 2);
        pbft_message_unref(header);
    }
    struct pbft_message *stable = cast_stable(&cluster.cast, 0, NULL, 0);
    struct pbft_message *message =
        pbft_view_change_create(liar(), &by, 1, stable, list, 16);
    pbft_message_sign(liar(), message);
    checks = 0;
    (void)cluster_receive(&cluster, SELF, message);
    assert_true(checks >= PBFT_WITNESS_CHECKS_MAX);
    assert_true(checks <= 2 * PBFT_WITNESS_CHECKS_MAX);
    assert_int_equal(cluster_report(&cluster, SELF).evidence_count, 0);
    pbft_message_unref(message);
    pbft_message_unref(stable);
    for (uint64_t i = 0; i < 16; i++) {
        pbft_message_unref(list[i]);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, clear)
    const struct CMUnitTest tests[] = {
        TEST(test_no_number_moves_a_replica),
        TEST(test_no_number_moves_a_replica_between_views),
        TEST(test_a_flood_takes_no_memory),
        TEST(test_certificates_are_not_checked_before_they_matter),
        TEST(test_work_is_bounded_by_bytes),
        TEST(test_a_future_incarnation_hides_no_contradiction),
        TEST(test_forged_contradictions_cost_little),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
