/* SPDX-License-Identifier: Apache-2.0 */
/* Asks, counts equal answers, agrees on another block, asks again. A single
 * replica can neither choose the block nor keep the others from answering: the
 * block is the highest that f + 1 say they have, so an honest one has it. */
#include "client/certify.h"

#include <stdlib.h>
#include <string.h>

#include "client/certify_private.h"
#include "client/fan_out.h"
#include "consensus/quorum.h"
#include "proto/certified.h"
#include "proto/codec.h"
#include "proto/scan.h"
#include "salus/v1/client.pb-c.h"

#define CALL_VERSION 1

/* ---- asking -------------------------------------------------------------- */

static enum pbft_status send_to(struct certify *certify, uint32_t replica)
{
    struct salus_client *client = certify->client;
    certify->witnesses[replica].asked = certify->height;
    Salus__V1__ClientCall call = SALUS__V1__CLIENT_CALL__INIT;
    Salus__V1__CertifyCall inner = SALUS__V1__CERTIFY_CALL__INIT;
    struct wire_buffer bytes;
    pbft_time_ms until = client_now_ms() + client->config.attempt_timeout_ms;
    inner.query = certify->query;
    inner.height = certify->height;
    inner.digest_only = replica != certify->source;
    call.version = CALL_VERSION;
    call.cluster = (ProtobufCBinaryData){
        WIRE_CLUSTER_PREFIX_SIZE, (uint8_t *)client->domain.cluster.bytes};
    call.kind_case = SALUS__V1__CLIENT_CALL__KIND_CERTIFY;
    call.certify = &inner;
    wire_buffer_init(&bytes, WIRE_FRAME_BYTES_MAX);
    enum pbft_status status = wire_pack(&call.base, &bytes);
    if (status == PBFT_OK) {
        status =
            fan_out_send(certify->fan, replica, wire_buffer_bytes(&bytes),
                         until < certify->deadline ? until : certify->deadline);
    }
    wire_buffer_deinit(&bytes);
    return status;
}

static void ask_those_who_owe(struct certify *certify)
{
    pbft_time_ms now = client_now_ms();
    for (uint32_t i = 0; i < certify->client->replica_count; i++) {
        struct certify_witness *witness = &certify->witnesses[i];
        if (fan_out_is_out(certify->fan, i) || !certify_owes(certify, i) ||
            now < witness->again_at) {
            continue;
        }
        if (send_to(certify, i) != PBFT_OK) {
            witness->verdict = SALUS_WITNESS_UNREACHABLE;
            witness->wants_body = false;
            witness->again_at = now + CERTIFY_RETRY_MS;
        }
    }
}

static void read_replies(struct certify *certify)
{
    for (uint32_t i = 0; i < certify->client->replica_count; i++) {
        enum pbft_status status = PBFT_OK;
        struct pbft_buffer *reply = NULL;
        struct certify_witness *witness = &certify->witnesses[i];
        if (!fan_out_take(certify->fan, i, &status, &reply)) {
            continue;
        }
        if (status == PBFT_OK) {
            certify_judge(certify->client, &certify->question, i,
                          pbft_buffer_bytes(reply), witness, &certify->body);
            pbft_buffer_unref(reply);
        } else {
            witness->verdict = status == PBFT_UNREACHABLE
                                   ? SALUS_WITNESS_UNREACHABLE
                                   : SALUS_WITNESS_SILENT;
            witness->wants_body = false;
            witness->again_at = client_now_ms() + CERTIFY_RETRY_MS;
        }
    }
}

static void earlier(pbft_time_ms *next, pbft_time_ms moment, pbft_time_ms now)
{
    if (moment > now && moment < *next) {
        *next = moment;
    }
}

/* When something is to be done, if no reply comes before. */
static pbft_time_ms next_moment(const struct certify *certify)
{
    pbft_time_ms now = client_now_ms();
    pbft_time_ms next = certify->deadline;
    earlier(&next, certify->grace_until, now);
    earlier(&next, certify->patient_until, now);
    for (uint32_t i = 0; i < certify->client->replica_count; i++) {
        if (!fan_out_is_out(certify->fan, i) && certify_owes(certify, i)) {
            earlier(&next, certify->witnesses[i].again_at, now);
        }
    }
    return next;
}

/* ---- which block --------------------------------------------------------- */

static void begin_round(struct certify *certify, uint64_t height)
{
    certify->height = height;
    certify->grace_until = 0;
    certify->patient_until = client_now_ms() + CERTIFY_PATIENCE_MS;
    for (uint32_t i = 0; i < certify->client->replica_count; i++) {
        struct certify_witness *witness = &certify->witnesses[i];
        witness->is_gone = false;
        witness->wants_body = false;
        if (witness->has_said &&
            (!certify->is_chosen || witness->said.seq != height)) {
            witness->has_said = false;
            witness->verdict = SALUS_WITNESS_NOT_ASKED; /* At this height. */
            witness->again_at = 0;
        }
    }
}

/* Everybody tells his newest block, and what holds after it. */
static void start_over(struct certify *certify)
{
    certify->is_chosen = false;
    for (uint32_t i = 0; i < certify->client->replica_count; i++) {
        certify->witnesses[i].has_newest = false;
    }
    begin_round(certify, 0);
}

/* Once everybody has told it, or f + 1 have and the others had time. */
static void choose_height(struct certify *certify)
{
    uint64_t height = 0;
    pbft_time_ms now = client_now_ms();
    if (!certify_agree_on_height(certify, &height)) {
        return; /* They are asked again. */
    }
    if (certify->grace_until == 0) {
        certify->grace_until = now + certify->client->config.witness_grace_ms;
    }
    if (!certify_all_have_spoken(certify) && now < certify->grace_until) {
        return;
    }
    for (uint32_t i = 0; i < certify->client->replica_count; i++) {
        certify->witnesses[i].was_absent |= !certify->witnesses[i].has_newest;
    }
    certify->is_chosen = true;
    begin_round(certify, height > certify->lowest ? height : certify->lowest);
}

/* ---- one page ------------------------------------------------------------ */

/* The answer itself, from somebody who signed its digest. */
static bool has_body(struct certify *certify, uint32_t member)
{
    const struct pbft_answered *said = &certify->witnesses[member].said;
    uint32_t n = certify->client->replica_count;
    if (certify->body.bytes != NULL &&
        memcmp(&certify->body.digest, &said->answer, sizeof said->answer) ==
            0) {
        return true;
    }
    for (uint32_t i = 0; i < n; i++) {
        if (certify->witnesses[i].wants_body) {
            return false; /* Asked for already. */
        }
    }
    for (uint32_t i = 0; i < n; i++) {
        uint32_t next = (certify->source + 1 + i) % n;
        if (certify->witnesses[next].has_said &&
            certify_same(&certify->witnesses[next].said, said)) {
            certify->source = next;
            certify->witnesses[next].wants_body = true;
            certify->witnesses[next].again_at = 0;
            break;
        }
    }
    return false;
}

/* Only f + 1 signatures: a proof need not be longer. */
static void take_page(struct certify *certify, uint32_t member,
                      struct certified_page *out)
{
    uint32_t needed = pbft_weak_quorum(certify->client->replica_count);
    out->answered = certify->witnesses[member].said;
    out->answer = certify->body.bytes;
    out->answer_size = certify->body.size;
    certify->body.bytes = NULL;
    for (uint32_t i = 0; i < certify->client->replica_count; i++) {
        struct certify_witness *witness = &certify->witnesses[i];
        if (!witness->has_said) {
            if (witness->verdict == SALUS_WITNESS_NOT_ASKED) {
                witness->verdict = SALUS_WITNESS_SILENT;
            }
            continue;
        }
        bool agrees = certify_same(&witness->said, &out->answered);
        witness->verdict = agrees ? SALUS_WITNESS_AGREES
                           : witness->said.seq == out->answered.seq
                               ? SALUS_WITNESS_DISAGREES
                               : SALUS_WITNESS_BEHIND;
        if (agrees && out->vote_count < needed) {
            out->votes[out->vote_count++] = witness->vote;
        }
    }
    (void)pthread_mutex_lock(&certify->client->lock);
    client_saw(certify->client, out->answered.seq);
    (void)pthread_mutex_unlock(&certify->client->lock);
}

/* f + 1 agree. True: that is the page. */
static bool on_group(struct certify *certify, uint32_t member,
                     struct certified_page *out)
{
    if (certify->grace_until == 0) {
        certify->grace_until =
            client_now_ms() + certify->client->config.witness_grace_ms;
    }
    if (!has_body(certify, member) ||
        (!certify_all_have_spoken(certify) &&
         client_now_ms() < certify->grace_until)) {
        return false;
    }
    take_page(certify, member, out);
    return true;
}

/* f + 1 do not agree so far. SALUS_OK: go on. */
static enum salus_status on_no_group(struct certify *certify)
{
    if (certify_nobody_owes(certify)) {
        return certify_why_not(certify); /* All have spoken. */
    }
    if (certify->is_fixed) {
        return certify_is_hopeless(certify) ? SALUS_NOT_FOUND : SALUS_OK;
    }
    if (certify_is_hopeless(certify) ||
        client_now_ms() >= certify->patient_until) {
        start_over(certify);
    }
    return SALUS_OK;
}

/* Looks at what has come. `*done`: the page is there. */
static enum salus_status judge_round(struct certify *certify,
                                     struct certified_page *out, bool *done)
{
    if (!certify->is_chosen) {
        choose_height(certify);
    }
    if (!certify->is_chosen) {
        return certify_is_hopeless(certify) ? certify_why_not(certify)
                                            : SALUS_OK;
    }
    uint32_t member = certify_find_group(certify);
    if (member == certify->client->replica_count) {
        return on_no_group(certify);
    }
    *done = on_group(certify, member, out);
    return SALUS_OK;
}

static enum salus_status run(struct certify *certify,
                             struct certified_page *out)
{
    enum salus_status status = SALUS_OK;
    bool done = false;
    while (client_now_ms() < certify->deadline) {
        ask_those_who_owe(certify);
        if (!fan_out_wait(certify->fan, next_moment(certify))) {
            return SALUS_CLOSED;
        }
        read_replies(certify);
        status = judge_round(certify, out, &done);
        if (done || status != SALUS_OK) {
            return status;
        }
    }
    return certify_why_not(certify);
}

/* A lie once told is not forgotten with the next page. */
static void keep_verdicts(const struct certify *certify,
                          struct certify_witnesses *witnesses)
{
    certify_keep_statements(certify, witnesses);
    for (uint32_t i = 0; i < certify->client->replica_count; i++) {
        if (witnesses->verdicts[i] != SALUS_WITNESS_DISAGREES &&
            witnesses->verdicts[i] != SALUS_WITNESS_BAD_REPLY) {
            witnesses->verdicts[i] = certify->witnesses[i].verdict;
        }
    }
}

static struct certify *create(struct salus_client *client,
                              const struct certify_witnesses *before,
                              struct pbft_bytes query, uint64_t height)
{
    struct certify *certify = calloc(1, sizeof *certify);
    if (certify == NULL) {
        return NULL;
    }
    certify->client = client;
    certify->fan = fan_out_create(client);
    if (certify->fan == NULL) {
        free(certify);
        return NULL;
    }
    certified_query_digest(client->domain.crypto, &certify->question, query);
    certify->source = client->home;
    for (uint32_t i = 0; i < client->replica_count; i++) {
        certify->witnesses[i].was_absent =
            before->verdicts[i] == SALUS_WITNESS_UNREACHABLE ||
            before->verdicts[i] == SALUS_WITNESS_SILENT ||
            before->verdicts[i] == SALUS_WITNESS_BEHIND;
    }
    certify->is_fixed = height != 0;
    certify->is_chosen = height != 0;
    certify->height = height;
    certify->deadline = client_now_ms() + client->config.timeout_ms;
    certify->patient_until = client_now_ms() + CERTIFY_PATIENCE_MS;
    (void)pthread_mutex_lock(&client->lock);
    certify->lowest = height != 0 ? height : client->seen;
    (void)pthread_mutex_unlock(&client->lock);
    return certify;
}

enum salus_status certify_page(struct salus_client *client,
                               struct certified_page *out,
                               struct certify_witnesses *witnesses,
                               struct pbft_bytes query, uint64_t height)
{
    struct ProtobufCMessage *decoded = NULL;
    struct wire_arena arena;
    enum salus_status status = SALUS_INVALID_ARGUMENT;
    struct certify *certify = create(client, witnesses, query, height);
    memset(out, 0, sizeof *out);
    if (certify == NULL) {
        return SALUS_NO_MEMORY;
    }
    wire_arena_init(&arena, WIRE_UNPACK_BYTES_MAX);
    if (wire_unpack_strict(&salus__v1__query__descriptor, query, &arena,
                           &decoded) == PBFT_OK) {
        certify->query = (Salus__V1__Query *)decoded;
        status = run(certify, out);
        /* Without a proof: who is right cannot be told. A page that is asked
         * again, since its state is gone, tells it later. */
        if (status != SALUS_OK &&
            !(certify->is_fixed && status == SALUS_NOT_FOUND)) {
            certify_name_contradictions(certify);
        }
        keep_verdicts(certify, witnesses);
    }
    fan_out_release(certify->fan);
    free(certify->body.bytes);
    free(certify);
    wire_arena_deinit(&arena);
    return status;
}
