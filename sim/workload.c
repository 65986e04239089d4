/* SPDX-License-Identifier: Apache-2.0 */
/* Which transactions come next, and what came of those before. */
#include "sim/workload.h"

#include <stdlib.h>
#include <string.h>

#include "consensus/assert.h"
#include "crypto/sign.h"
#include "sim/sim.h"
#include "sim/workload_state.h"

#define STREAM_WORKLOAD 15
#define SLIP_PERMILLE 80
/* So often there is one transaction more in a request. */
#define MORE_PERMILLE 150
#define REQUEST_TRANSACTIONS_MAX 3
#define GROWTH 64u

static void draw_slip(struct making *making)
{
    making->slip =
        making_chance(making, SLIP_PERMILLE)
            ? (enum slip)making_between(making, SLIP_STALE, SLIP_COUNT - 1)
            : SLIP_NONE;
}

/* ---- bytes --------------------------------------------------------------- */

static void spoil_envelope(struct making *making)
{
    struct transaction_envelope *envelope = &making->envelope;
    switch (making->slip) {
    case SLIP_EXPIRED:
        envelope->not_after_ms = 1;
        break;
    case SLIP_CHAIN:
        envelope->chain.bytes[0] ^= 1;
        break;
    case SLIP_TABLE:
        envelope->table_version = UINT16_MAX;
        break;
    case SLIP_FUTURE:
        envelope->event_time_ms =
            making_now_ms(making) + 120 * (uint64_t)WORKLOAD_MINUTE_MS;
        break;
    case SLIP_ACTOR:
        making->actor = making_noise(making);
        envelope->participant =
            (struct pbft_bytes){making->actor.bytes, LEDGER_ID_SIZE};
        break;
    default:
        break;
    }
}

bool making_build(struct making *making, enum transaction_type type,
                  const ProtobufCMessage *payload)
{
    making->submission.type = type;
    spoil_envelope(making);
    enum pbft_status status = transaction_build_payload(
        &making->body, &making->envelope, type, payload);
    PBFT_ASSERT(status == PBFT_OK);
    if (making->slip == SLIP_FORM) {
        making->body.size--;
    }
    return true;
}

static void sign(const struct making *making, const struct pbft_digest *tx_id,
                 const struct signer *signer, struct transaction_signature *out)
{
    uint8_t preimage[TRANSACTION_COSIGN_PREIMAGE_SIZE];
    struct sign_secret secret;
    struct pbft_public_key key;
    workload_signing_pair(&secret, &key, signer->key);
    transaction_key_id(&out->key_id, key.bytes);
    out->role = signer->role;
    transaction_cosign_preimage(preimage, tx_id, signer->role);
    sign_message(&out->signature, &secret,
                 (struct pbft_bytes){preimage, sizeof preimage});
    if (making->slip == SLIP_FORGED) {
        out->signature.bytes[0] ^= 1;
    }
}

static void seal(struct making *making, struct transaction_bytes *out)
{
    const struct pbft_bytes body = {making->body.data, making->body.size};
    struct transaction_signature signatures[WORKLOAD_SIGNERS_MAX];
    struct pbft_digest tx_id;
    transaction_id(&tx_id, &making->who->domain->cluster, body);
    for (size_t i = 0; i < making->signer_count; i++) {
        sign(making, &tx_id, &making->signers[i], &signatures[i]);
    }
    enum pbft_status status =
        transaction_seal(out, body, signatures, making->signer_count);
    PBFT_ASSERT(status == PBFT_OK);
}

/* ---- requests ------------------------------------------------------------ */

static void begin(struct making *making, struct workload *workload,
                  const struct service_client *who)
{
    *making = (struct making){
        .workload = workload,
        .who = who,
        .envelope = {.chain = who->domain->cluster,
                     .institution = *who->institution,
                     /* No two transactions are the same by accident. */
                     .not_after_ms = UINT64_MAX - workload->noise_count++,
                     .table_version = CODES_VERSION},
    };
    transaction_key_id(&making->envelope.key_id, who->key->bytes);
    for (size_t i = 0; i < workload->member_count; i++) {
        if (memcmp(&workload->members[i], who->institution,
                   sizeof workload->members[i]) == 0) {
            making->party = workload->things[i];
        }
    }
    PBFT_ASSERT(making->party != NULL);
}

static void copy_bytes(struct transaction_bytes *out,
                       const struct transaction_bytes *in)
{
    out->data = malloc(in->size);
    PBFT_ASSERT(out->data != NULL);
    memcpy(out->data, in->data, in->size);
    out->size = in->size;
}

/* The next transaction of a request, and what is to be remembered of it. */
static void make_transaction(struct making *making, size_t index,
                             struct transaction_bytes *out)
{
    struct submitter *submitter =
        &making->workload->submitters[making->who->client];
    const bool is_first = making->who->sequence == 1;
    if (!is_first) {
        draw_slip(making);
    }
    if (making->slip == SLIP_AGAIN && submitter->last.data != NULL) {
        copy_bytes(out, &submitter->last);
        making->submission.type = submitter->last_type;
        return;
    }
    bool is_made =
        is_first ? workload_begin(making, index) : workload_make(making);
    PBFT_ASSERT(is_made);
    seal(making, out);
    free(making->body.data);
    free(submitter->last.data);
    copy_bytes(&submitter->last, out);
    submitter->last_type = making->submission.type;
}

static void remember(struct workload *workload,
                     const struct submission *submission)
{
    if (workload->submission_count % GROWTH == 0) {
        workload->submissions = realloc(workload->submissions,
                                        (workload->submission_count + GROWTH) *
                                            sizeof workload->submissions[0]);
        PBFT_ASSERT(workload->submissions != NULL);
    }
    workload->submissions[workload->submission_count++] = *submission;
}

static void begin_request(struct workload *workload,
                          const struct service_client *who, size_t count)
{
    struct submitter *submitter = &workload->submitters[who->client];
    if (submitter->request_count % GROWTH == 0) {
        submitter->requests =
            realloc(submitter->requests, (submitter->request_count + GROWTH) *
                                             sizeof submitter->requests[0]);
        PBFT_ASSERT(submitter->requests != NULL);
    }
    PBFT_ASSERT(who->sequence == submitter->request_count + 1);
    submitter->requests[submitter->request_count++] =
        (struct submitted_request){workload->submission_count, count};
}

static size_t pack(const struct transaction_bytes *transactions, size_t count,
                   uint8_t *out, size_t capacity)
{
    struct pbft_bytes regions[REQUEST_TRANSACTIONS_MAX];
    struct transaction_bytes list = {NULL, 0};
    for (size_t i = 0; i < count; i++) {
        regions[i] =
            (struct pbft_bytes){transactions[i].data, transactions[i].size};
    }
    enum pbft_status status = transaction_list_pack(&list, regions, count);
    PBFT_ASSERT(status == PBFT_OK && list.size <= capacity);
    memcpy(out, list.data, list.size);
    free(list.data);
    return list.size;
}

size_t workload_payload(void *context, const struct service_client *client,
                        uint8_t *out, size_t capacity)
{
    struct workload *workload = context;
    struct transaction_bytes made[REQUEST_TRANSACTIONS_MAX];
    struct making making;
    size_t count = 1;
    begin(&making, workload, client);
    while (count < REQUEST_TRANSACTIONS_MAX &&
           (client->sequence == 1 || making_chance(&making, MORE_PERMILLE))) {
        count++;
    }
    begin_request(workload, client, count);
    for (size_t i = 0; i < count; i++) {
        begin(&making, workload, client);
        make_transaction(&making, i, &made[i]);
        remember(workload, &making.submission);
    }
    const size_t size = pack(made, count, out, capacity);
    for (size_t i = 0; i < count; i++) {
        free(made[i].data);
    }
    return size;
}

/* ---- what came of it ----------------------------------------------------- */

void workload_note_block(struct workload *workload, pbft_seq seq,
                         uint64_t now_ms, const uint32_t due[TALLY_DUE_COUNT])
{
    workload->seq = seq;
    workload->now_ms = now_ms > workload->now_ms ? now_ms : workload->now_ms;
    for (size_t i = 0; i < TALLY_DUE_COUNT; i++) {
        workload->tally.due[i] += due[i];
    }
}

static void take_back(const struct submission *submission)
{
    struct thing *thing = submission->thing;
    if (thing == NULL) {
        return;
    }
    if (submission->is_new) {
        thing->is_gone = true;
    } else {
        *thing = submission->before;
    }
}

void workload_note_request(struct workload *workload, uint32_t client,
                           uint64_t sequence,
                           const struct results_request *result)
{
    const struct submitter *submitter = &workload->submitters[client];
    if (sequence > submitter->request_count) {
        return; /* A hostile one has made it. */
    }
    const struct submitted_request *request =
        &submitter->requests[sequence - 1];
    for (size_t i = 0; i < request->count; i++) {
        const struct submission *submission =
            &workload->submissions[request->first + i];
        const uint32_t code = i < result->transaction_count
                                  ? result->transactions[i].code
                                  : result->code;
        tally_count(&workload->tally, submission->type, code);
        if (code != LEDGER_OK) {
            take_back(submission);
        }
    }
}

const struct tally *workload_tally(const void *workload)
{
    return &((const struct workload *)workload)->tally;
}

/* ---- life ---------------------------------------------------------------- */

void *workload_create(uint64_t seed, uint32_t client_count,
                      const struct pbft_institution *institutions)
{
    struct workload *workload = calloc(1, sizeof *workload);
    PBFT_ASSERT(workload != NULL);
    random_init(&workload->random, seed, STREAM_WORKLOAD);
    workload->now_ms = SIM_WALL_START_US / SIM_MS_US;
    workload->member_count =
        workload_members(workload->members, client_count, institutions);
    for (size_t i = 0; i < workload->member_count; i++) {
        struct thing *member = workload_add(workload, THING_INSTITUTION, NULL);
        member->institution = workload->members[i];
        member->key = i;
    }
    for (size_t i = 0; i < workload->member_count; i++) {
        workload_add(workload, THING_ENCRYPTION, workload->things[i])->number =
            i;
    }
    struct thing *policy =
        workload_add(workload, THING_POLICY, workload->things[0]);
    policy->version = 1;
    policy->is_marked = true;
    return workload;
}

void workload_destroy(void *context)
{
    struct workload *workload = context;
    for (uint32_t i = 0; i < workload->thing_count; i++) {
        free(workload->things[i]);
    }
    for (size_t i = 0; i < SIM_CLIENTS_MAX; i++) {
        free(workload->submitters[i].requests);
        free(workload->submitters[i].last.data);
    }
    free(workload->things);
    free(workload->submissions);
    free(workload);
}
