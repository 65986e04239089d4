/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of a genesis file that concern more than one member. */
#include <stdlib.h>
#include <string.h>

#include "consensus/quorum.h"
#include "proto/codec_limits.h"
#include "proto/genesis.h"
#include "proto/utf8.h"

/* A checkpoint interval fits at least twice into the window: while one
 * checkpoint becomes stable the next one can be worked on. */
#define INTERVALS_PER_WINDOW_MIN 2u

static enum pbft_status refuse(struct salus_reason *reason, const char *what)
{
    salus_reason_set(reason, "genesis: %s", what);
    return PBFT_INVALID_CONFIG;
}

/* The longest view-change: a certificate for each slot of the window. */
static bool view_change_fits(uint32_t window, uint32_t replicas)
{
    uint64_t certificate =
        WIRE_CERTIFICATE_FIXED_BYTES_MAX +
        (uint64_t)pbft_quorum(replicas) * WIRE_VOTE_BYTES_MAX;
    return ((uint64_t)window + 2) * certificate <= WIRE_MESSAGE_BYTES_MAX;
}

static const char *window_problem(const struct genesis_parameters *parameters,
                                  uint32_t replicas)
{
    uint32_t interval = parameters->checkpoint_interval;
    if (parameters->window == 0 || parameters->window > PBFT_WINDOW_MAX) {
        return "window is not 1..4096";
    }
    if (interval == 0 || parameters->window % interval != 0 ||
        parameters->window / interval < INTERVALS_PER_WINDOW_MIN) {
        return "checkpoint_interval does not divide window at least twice";
    }
    if (!view_change_fits(parameters->window, replicas)) {
        return "window is too large for so many replicas: a view-change would "
               "not fit into a frame";
    }
    return NULL;
}

static const char *
parameters_problem(const struct genesis_parameters *parameters,
                   uint32_t replicas)
{
    if (parameters->batch_requests_max == 0 ||
        parameters->batch_requests_max > PBFT_BATCH_REQUESTS_MAX) {
        return "batch_requests_max is not 1..4096";
    }
    if (parameters->batch_bytes_max < PBFT_REQUEST_BYTES_MAX ||
        parameters->batch_bytes_max > PBFT_BATCH_BYTES_MAX) {
        return "batch_bytes_max is not 1 MiB..4 MiB";
    }
    if (parameters->time_bound_ms == 0 ||
        parameters->time_bound_ms > GENESIS_TIME_BOUND_MS_MAX) {
        return "time_bound_ms is not 1..3600000";
    }
    if (parameters->late_after_ms == 0 ||
        parameters->late_after_ms > GENESIS_LATE_AFTER_MS_MAX) {
        return "late_after_ms is not 1 ms..31 days";
    }
    if (parameters->session_window == 0 ||
        parameters->session_window > GENESIS_SESSION_WINDOW_MAX) {
        return "session_window is not 1..1024";
    }
    return window_problem(parameters, replicas);
}

static enum pbft_status check_members(const struct salus_genesis *genesis,
                                      struct salus_reason *reason)
{
    for (uint32_t i = 0; i < genesis->member_count; i++) {
        const struct salus_member *member = &genesis->members[i];
        enum pbft_status status = member_check(member, reason);
        if (status != PBFT_OK) {
            return status;
        }
        int order = i == 0
                        ? -1
                        : memcmp(&genesis->members[i - 1].institution,
                                 &member->institution, PBFT_INSTITUTION_SIZE);
        if (order >= 0) {
            salus_reason_set(reason, "genesis: member %s: %s", member->name,
                             order == 0 ? "it is there twice"
                                        : "institution ids do not ascend");
            return PBFT_INVALID_CONFIG;
        }
    }
    return PBFT_OK;
}

static bool is_same_text(const char *a, const char *b)
{
    return a[0] != '\0' && strcmp(a, b) == 0;
}

/* What two members share that they must not; NULL if nothing. */
static const char *shared_by(const struct salus_member *a,
                             const struct salus_member *b)
{
    if (is_same_text(a->name, b->name)) {
        return "name";
    }
    if (is_same_text(a->peer_address, b->peer_address) ||
        is_same_text(a->client_address, b->client_address) ||
        is_same_text(a->peer_address, b->client_address) ||
        is_same_text(a->client_address, b->peer_address)) {
        return "address";
    }
    if (a->has_encryption_key && b->has_encryption_key &&
        memcmp(a->encryption_key, b->encryption_key,
               MEMBER_ENCRYPTION_KEY_SIZE) == 0) {
        return "encryption key";
    }
    return NULL;
}

static enum pbft_status check_distinct(const struct salus_genesis *genesis,
                                       struct salus_reason *reason)
{
    for (uint32_t i = 0; i < genesis->member_count; i++) {
        for (uint32_t j = 0; j < i; j++) {
            const char *what =
                shared_by(&genesis->members[j], &genesis->members[i]);
            if (what != NULL) {
                salus_reason_set(
                    reason, "genesis: members %s and %s have the same %s",
                    genesis->members[j].name, genesis->members[i].name, what);
                return PBFT_INVALID_CONFIG;
            }
        }
    }
    return PBFT_OK;
}

/* A signing key and whose it is. */
struct owned_key {
    const struct pbft_public_key *key;
    const struct salus_member *owner;
};

static int compare_keys(const void *a, const void *b)
{
    const struct owned_key *left = a;
    const struct owned_key *right = b;
    return memcmp(left->key, right->key, sizeof *left->key);
}

static size_t gather_keys(const struct salus_genesis *genesis,
                          struct owned_key *keys)
{
    size_t count = 0;
    for (uint32_t i = 0; i < genesis->member_count; i++) {
        const struct salus_member *member = &genesis->members[i];
        if (member->has_replica) {
            keys[count++] = (struct owned_key){&member->replica_key, member};
        }
        for (uint32_t j = 0; j < member->submit_key_count; j++) {
            keys[count++] = (struct owned_key){&member->submit_keys[j], member};
        }
    }
    return count;
}

/* No signature may count for two members. */
static enum pbft_status check_keys(const struct salus_genesis *genesis,
                                   struct salus_reason *reason)
{
    enum pbft_status status = PBFT_OK;
    size_t room =
        ((size_t)genesis->member_count + 1) * (MEMBER_SUBMIT_KEYS_MAX + 1);
    struct owned_key *keys = malloc(room * sizeof *keys);
    if (keys == NULL) {
        return PBFT_NO_MEMORY;
    }
    size_t count = gather_keys(genesis, keys);
    qsort(keys, count, sizeof *keys, compare_keys);
    for (size_t i = 1; i < count && status == PBFT_OK; i++) {
        if (compare_keys(&keys[i - 1], &keys[i]) == 0) {
            salus_reason_set(reason,
                             "genesis: members %s and %s have the same key",
                             keys[i - 1].owner->name, keys[i].owner->name);
            status = PBFT_INVALID_CONFIG;
        }
    }
    free(keys);
    return status;
}

static const char *policy_problem(const struct pbft_crypto *crypto,
                                  const struct genesis_policy *policy)
{
    uint8_t id[GENESIS_POLICY_ID_SIZE];
    struct pbft_bytes uri = {(const uint8_t *)policy->uri, strlen(policy->uri)};
    if (uri.size == 0 || !wire_utf8_is_line(uri)) {
        return "uri is not one line of 1 to 255 bytes";
    }
    genesis_policy_id(crypto, policy->uri, id);
    if (memcmp(id, policy->policy, sizeof id) != 0) {
        return "its id is not the digest of its uri";
    }
    if (policy->version == 0) {
        return "version is 0";
    }
    if (policy->implicit_consent < 1 || policy->implicit_consent > 4) {
        return "implicit_consent is not 1..4";
    }
    if (policy->break_glass_override < 1 || policy->break_glass_override > 3) {
        return "break_glass_override is not 1..3";
    }
    return NULL;
}

static enum pbft_status check_policies(const struct pbft_crypto *crypto,
                                       const struct salus_genesis *genesis,
                                       struct salus_reason *reason)
{
    for (uint32_t i = 0; i < genesis->policy_count; i++) {
        const struct genesis_policy *policy = &genesis->policies[i];
        const char *text = policy_problem(crypto, policy);
        if (text == NULL && i > 0) {
            const struct genesis_policy *before = &genesis->policies[i - 1];
            int order =
                memcmp(before->policy, policy->policy, sizeof policy->policy);
            if (order > 0 ||
                (order == 0 && before->version >= policy->version)) {
                text = "policies are not ascending and distinct";
            }
        }
        if (text != NULL) {
            salus_reason_set(reason, "genesis: policy %u: %s", (unsigned)i + 1,
                             text);
            return PBFT_INVALID_CONFIG;
        }
    }
    return PBFT_OK;
}

static enum pbft_status check_possession(const struct pbft_crypto *crypto,
                                         const struct salus_genesis *genesis,
                                         struct salus_reason *reason)
{
    for (uint32_t i = 0; i < genesis->member_count; i++) {
        const struct salus_member *member = &genesis->members[i];
        enum pbft_status status = member_possession_check(crypto, member);
        if (status != PBFT_OK) {
            salus_reason_set(reason,
                             "genesis: member %s: possession of its key is not "
                             "proved",
                             member->name);
            return status;
        }
    }
    return PBFT_OK;
}

static enum pbft_status check_head(const struct salus_genesis *genesis,
                                   struct salus_reason *reason)
{
    uint8_t any = 0;
    for (size_t i = 0; i < GENESIS_NONCE_SIZE; i++) {
        any |= genesis->nonce[i];
    }
    if (!member_name_is_valid(genesis->name)) {
        return refuse(reason, "name is not [a-z0-9-]{1,32}");
    }
    if (any == 0) {
        return refuse(reason, "nonce is zero");
    }
    if (genesis->table_version == 0) {
        return refuse(reason, "table_version is 0");
    }
    return PBFT_OK;
}

static enum pbft_status check_counts(const struct salus_genesis *genesis,
                                     struct salus_reason *reason)
{
    uint32_t replicas = genesis_replica_count(genesis);
    if (genesis->member_count > GENESIS_MEMBERS_MAX) {
        return refuse(reason, "more than 256 members");
    }
    if (genesis->policy_count > GENESIS_POLICIES_MAX) {
        return refuse(reason, "more than 64 policies");
    }
    if (replicas > PBFT_REPLICAS_MAX) {
        return refuse(reason, "more than 128 replicas");
    }
    if (replicas != 1 && replicas < 4) {
        salus_reason_set(reason,
                         "genesis: %u replicas; 4 or more tolerate a fault, 1 "
                         "is for a trial",
                         (unsigned)replicas);
        return PBFT_INVALID_CONFIG;
    }
    const char *text = parameters_problem(&genesis->parameters, replicas);
    return text != NULL ? refuse(reason, text) : PBFT_OK;
}

enum pbft_status genesis_check(const struct pbft_crypto *crypto,
                               const struct salus_genesis *genesis,
                               struct salus_reason *reason)
{
    enum pbft_status status = check_head(genesis, reason);
    if (status == PBFT_OK) {
        status = check_counts(genesis, reason);
    }
    if (status == PBFT_OK) {
        status = check_members(genesis, reason);
    }
    if (status == PBFT_OK) {
        status = check_distinct(genesis, reason);
    }
    if (status == PBFT_OK) {
        status = check_keys(genesis, reason);
    }
    if (status == PBFT_OK) {
        status = check_policies(crypto, genesis, reason);
    }
    if (status == PBFT_OK) {
        status = check_possession(crypto, genesis, reason);
    }
    return status;
}
