/* SPDX-License-Identifier: Apache-2.0 */
/* Things, ids, keys and signatures. */
#include "sim/workload_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "consensus/assert.h"
#include "crypto/sign.h"
#include "sim/fake_crypto.h"
#include "sim/workload_state.h"

#define POLICY_URI_SIZE 40
/* Decisions take three signatures, and somebody may be missing. */
#define MEMBERS_MIN 4u
#define MEMBER_WITHOUT_CLIENTS 0xf0u
#define KEY_FIRST PBFT_INSTITUTIONS_MAX /* Lower: of members. */
#define GROWTH 64u
#define KEYS_REMEMBERED 1024u
#define NEWEST_PERMILLE 300

/* ---- chance -------------------------------------------------------------- */

bool making_chance(struct making *making, uint32_t permille)
{
    return random_chance(&making->workload->random, permille);
}

uint32_t making_below(struct making *making, uint32_t bound)
{
    return (uint32_t)random_below(&making->workload->random, bound);
}

uint32_t making_between(struct making *making, uint32_t low, uint32_t high)
{
    return (uint32_t)random_between(&making->workload->random, low, high);
}

/* ---- ids ----------------------------------------------------------------- */

static void digest_numbers(struct id *out, const char *use, uint64_t kind,
                           uint64_t number)
{
    const uint64_t numbers[2] = {kind, number};
    uint8_t bytes[sizeof numbers];
    struct pbft_digest digest;
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (uint8_t)(numbers[i / 8] >> (8 * (i % 8)));
    }
    const struct pbft_bytes parts[] = {{(const uint8_t *)use, strlen(use)},
                                       {bytes, sizeof bytes}};
    fake_digest(&digest, parts, 2);
    memcpy(out->bytes, digest.bytes, sizeof out->bytes);
}

struct id workload_id(uint64_t kind, uint64_t number)
{
    struct id id;
    digest_numbers(&id, "id", kind, number);
    id.bytes[0] |= 0x80; /* Never reads as text. */
    return id;
}

struct id thing_id(const struct thing *thing)
{
    return workload_id((uint64_t)thing->kind, thing->number);
}

struct id making_noise(struct making *making)
{
    return workload_id(UINT64_MAX, making->workload->noise_count++);
}

ProtobufCBinaryData field(const struct id *id, size_t size)
{
    return (ProtobufCBinaryData){size, (uint8_t *)(uintptr_t)id->bytes};
}

ProtobufCBinaryData institution_field(const struct thing *party)
{
    return (ProtobufCBinaryData){
        sizeof party->institution.bytes,
        (uint8_t *)(uintptr_t)party->institution.bytes};
}

size_t workload_members(struct pbft_institution out[PBFT_INSTITUTIONS_MAX],
                        uint32_t client_count,
                        const struct pbft_institution *institutions)
{
    size_t count = 0;
    for (uint32_t i = 0; i < client_count; i++) {
        bool is_first = true;
        for (size_t j = 0; j < count; j++) {
            is_first = is_first &&
                       memcmp(&out[j], &institutions[i], sizeof out[j]) != 0;
        }
        if (is_first) {
            out[count++] = institutions[i];
        }
    }
    for (uint8_t i = 0; count < MEMBERS_MIN; i++) {
        out[count++] =
            (struct pbft_institution){{(uint8_t)(MEMBER_WITHOUT_CLIENTS + i)}};
    }
    return count;
}

void workload_policy_uri(char *out, size_t size, uint32_t which)
{
    (void)snprintf(out, size, "urn:example:policy:%u", which);
}

void workload_policy(uint8_t out[16])
{
    char uri[POLICY_URI_SIZE];
    struct transaction_id16 id;
    workload_policy_uri(uri, sizeof uri, 0);
    transaction_policy_id(
        &id, (struct pbft_bytes){(const uint8_t *)uri, strlen(uri)});
    memcpy(out, id.bytes, sizeof id.bytes);
}

/* ---- keys ---------------------------------------------------------------- */

void workload_encryption_key(struct pbft_public_key *out, uint64_t number)
{
    struct id id;
    digest_numbers(&id, "encryption", 0, number);
    memcpy(out->bytes, id.bytes, sizeof out->bytes);
}

/* A key is a function of its number: what was computed once holds for every run
 * of this process. */
static struct key_pair {
    bool is_known;
    struct sign_secret secret;
    struct pbft_public_key key;
} key_pairs[KEYS_REMEMBERED];

static void compute_pair(struct key_pair *out, uint64_t number)
{
    struct id seed;
    digest_numbers(&seed, "signing", 0, number);
    sign_from_seed(&out->secret, &out->key, seed.bytes);
    out->is_known = true;
}

void workload_signing_pair(struct sign_secret *secret,
                           struct pbft_public_key *out, uint64_t number)
{
    struct key_pair other = {.is_known = false};
    struct key_pair *pair =
        number < KEYS_REMEMBERED ? &key_pairs[number] : &other;
    if (!pair->is_known) {
        compute_pair(pair, number);
    }
    *out = pair->key;
    if (secret != NULL) {
        *secret = pair->secret;
    }
}

void workload_signing_key(struct pbft_public_key *out, uint64_t number)
{
    workload_signing_pair(NULL, out, number);
}

void workload_board_key(struct pbft_public_key *out, size_t member)
{
    workload_signing_key(out, member);
}

void workload_signing_key_id(struct transaction_key_id *out, uint64_t number)
{
    struct pbft_public_key key;
    workload_signing_key(&key, number);
    transaction_key_id(out, key.bytes);
}

void thing_encryption_key_id(const struct thing *key,
                             struct transaction_key_id *out)
{
    struct pbft_public_key public_key;
    workload_encryption_key(&public_key, key->number);
    transaction_key_id(out, public_key.bytes);
}

uint64_t making_new_key(struct making *making)
{
    return KEY_FIRST + making->workload->key_count++;
}

void making_possession(const struct making *making, struct pbft_signature *out,
                       uint64_t key, const struct pbft_institution *institution,
                       const uint8_t *other)
{
    uint8_t preimage[TRANSACTION_POSSESSION_SIZE];
    struct sign_secret secret;
    struct pbft_public_key public_key;
    workload_signing_pair(&secret, &public_key, key);
    transaction_possession_preimage(preimage, &making->who->domain->cluster,
                                    institution, public_key.bytes, other);
    sign_message(out, &secret, (struct pbft_bytes){preimage, sizeof preimage});
    if (making->slip == SLIP_FORGED) {
        out->bytes[0] ^= 1;
    }
}

/* ---- things -------------------------------------------------------------- */

struct thing *workload_add(struct workload *workload, enum thing_kind kind,
                           const struct thing *party)
{
    if (workload->thing_count % GROWTH == 0) {
        workload->things =
            realloc(workload->things, (workload->thing_count + GROWTH) *
                                          sizeof workload->things[0]);
        PBFT_ASSERT(workload->things != NULL);
    }
    struct thing *thing = calloc(1, sizeof *thing);
    PBFT_ASSERT(thing != NULL);
    thing->kind = kind;
    thing->index = workload->thing_count;
    thing->number = thing->index;
    thing->party = party == NULL ? thing : party;
    workload->things[workload->thing_count++] = thing;
    return thing;
}

struct thing *making_add_too(struct making *making, enum thing_kind kind)
{
    return workload_add(making->workload, kind,
                        kind == THING_INSTITUTION ? NULL : making->party);
}

struct thing *making_add(struct making *making, enum thing_kind kind)
{
    making->submission.thing = making_add_too(making, kind);
    making->submission.is_new = true;
    return making->submission.thing;
}

void making_change(struct making *making, struct thing *thing)
{
    making->submission.thing = thing;
    making->submission.is_new = false;
    making->submission.before = *thing;
}

uint64_t making_height(const struct making *making)
{
    return making->workload->seq + 1;
}

uint64_t making_now_ms(const struct making *making)
{
    return making->workload->now_ms;
}

/* An emergency that is over waits for its review. */
static bool is_over(const struct making *making, const struct thing *thing)
{
    return thing->is_gone ||
           (thing->kind != THING_EMERGENCY && thing->until_ms != 0 &&
            thing->until_ms <= making_now_ms(making));
}

static bool is_wanted(const struct making *making, const struct wanted *wanted,
                      const struct thing *thing)
{
    const bool is_own = thing->party == making->party;
    const bool may_be_foreign =
        wanted->whose != OWN || making->slip == SLIP_FOREIGN;
    return thing->kind == wanted->kind &&
           is_over(making, thing) == (making->slip == SLIP_STALE) &&
           (is_own ? wanted->whose != FOREIGN : may_be_foreign) &&
           (wanted->about == NULL || thing->about == wanted->about) &&
           (wanted->fits == NULL ||
            wanted->fits(making, thing, wanted->context));
}

struct thing *making_pick(struct making *making, const struct wanted *wanted)
{
    struct workload *workload = making->workload;
    uint32_t count = 0;
    for (uint32_t i = 0; i < workload->thing_count; i++) {
        count += is_wanted(making, wanted, workload->things[i]);
    }
    uint32_t left = count == 0 ? 0 : 1 + making_below(making, count);
    for (uint32_t i = 0; left > 0; i++) {
        left -= is_wanted(making, wanted, workload->things[i]);
        if (left == 0) {
            return workload->things[i];
        }
    }
    return NULL;
}

struct thing *making_pick_own(struct making *making, enum thing_kind kind)
{
    const struct wanted wanted = {.kind = kind, .whose = OWN};
    return making_pick(making, &wanted);
}

struct thing *making_next(const struct making *making, enum thing_kind kind,
                          const struct thing *after)
{
    const struct workload *workload = making->workload;
    for (uint32_t i = after == NULL ? 0 : after->index + 1;
         i < workload->thing_count; i++) {
        if (workload->things[i]->kind == kind &&
            !workload->things[i]->is_gone) {
            return workload->things[i];
        }
    }
    return NULL;
}

/* ---- who signs ----------------------------------------------------------- */

void making_sign(struct making *making, uint64_t key,
                 enum transaction_role role)
{
    PBFT_ASSERT(making->signer_count < WORKLOAD_SIGNERS_MAX);
    if (making->slip != SLIP_UNSIGNED) {
        making->signers[making->signer_count++] = (struct signer){key, role};
    }
}

static bool may_sign(const struct making *making, const struct thing *one)
{
    return !one->is_marked && one->from <= making_height(making) &&
           one != making->party;
}

/* The one that was admitted last, if it is asked; it may still be too early. */
static const struct thing *ask_newest(struct making *making)
{
    const struct thing *newest = NULL;
    for (const struct thing *one = making_next(making, THING_INSTITUTION, NULL);
         one != NULL; one = making_next(making, THING_INSTITUTION, one)) {
        newest = one;
    }
    if (!may_sign(making, newest) || !making_chance(making, NEWEST_PERMILLE)) {
        return NULL;
    }
    making_sign(making, newest->key, TRANSACTION_GOVERNANCE);
    return newest;
}

void making_ask_quorum(struct making *making)
{
    uint32_t active = 0;
    for (const struct thing *one = making_next(making, THING_INSTITUTION, NULL);
         one != NULL; one = making_next(making, THING_INSTITUTION, one)) {
        active += !one->is_marked;
    }
    const struct thing *asked = ask_newest(making);
    /* The submitter counts, too. */
    uint32_t missing = 2 * active / 3 - (asked != NULL);
    for (const struct thing *one = making_next(making, THING_INSTITUTION, NULL);
         one != NULL && missing > 0;
         one = making_next(making, THING_INSTITUTION, one)) {
        if (one != asked && may_sign(making, one)) {
            making_sign(making, one->key, TRANSACTION_GOVERNANCE);
            missing--;
        }
    }
}

bool making_act(struct making *making, enum thing_kind kind)
{
    const struct thing *somebody = making_pick_own(making, kind);
    if (somebody == NULL) {
        return false;
    }
    making->acting = somebody;
    making->actor = thing_id(somebody);
    making->envelope.participant =
        (struct pbft_bytes){making->actor.bytes, LEDGER_ID_SIZE};
    return true;
}
