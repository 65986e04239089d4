/* SPDX-License-Identifier: Apache-2.0 */
/* Member and genesis files. */
#include <stdio.h>
#include <string.h>

#include "client/tool_consortium.h"
#include "client/tool_folder.h"
#include "crypto/provider.h"
#include "crypto/random.h"
#include "ledger/codes.h"
#include "proto/genesis.h"

#define MEMBER_FILE_MAX (64u * 1024u)
/* The most members and policies, with room. */
#define GENESIS_FILE_MAX (4u * 1024u * 1024u)
#define FIRST_VERSION 1
#define IMPLICIT_BASIC_NORMAL 1
#define BREAK_GLASS_UNLESS_DENIED 2

static const char *const trial_uris[] = {
    "urn:salus:policy:trial",
    "http://example.org/policies/basePrivacyConsentPolicy.txt",
    "http://example.org/policies/researchPrivacyConsentPolicy.txt",
    "https://profiles.ihe.net/ITI/PCF/Policy-basic-normal"};
const struct consortium_policies consortium_trial_policies = {
    trial_uris, sizeof trial_uris / sizeof trial_uris[0]};

enum pbft_status member_load(struct salus_member *out, const char *path,
                             struct salus_reason *reason)
{
    struct wire_buffer bytes;
    struct salus_reason why = {""};

    enum pbft_status status =
        tool_armor_load(&bytes, path, ARMOR_MEMBER, MEMBER_FILE_MAX, reason);
    if (status == PBFT_OK) {
        status = member_decode(wire_buffer_bytes(&bytes), out, &why);
        if (status == PBFT_OK) {
            status =
                member_possession_check(crypto_provider_verify_only(), out);
            salus_reason_set(&why, "the proof of possession of its key is not "
                                   "valid");
        }
        if (status != PBFT_OK) {
            salus_reason_set(reason, "%s: %s", path, why.text);
        }
    }
    wire_buffer_deinit(&bytes);
    return status;
}

/* RFC 3986 3.1. The genesis cannot be changed: a word that was left standing in
 * an example would be the policy for good. */
static bool has_scheme(const char *uri)
{
    size_t size = strspn(uri, "abcdefghijklmnopqrstuvwxyz"
                              "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.");
    return size > 0 && (uri[0] < '0' || uri[0] > '9') && uri[size] == ':' &&
           uri[size + 1] != 0;
}

enum pbft_status genesis_words_check(const char *name,
                                     const struct consortium_policies *policies,
                                     struct salus_reason *reason)
{
    if (!member_name_is_valid(name)) {
        salus_reason_set(reason, "the name of a consortium has to be 1 to 32 "
                                 "of a-z, 0-9 and -");
        return PBFT_INVALID_ARGUMENT;
    }
    for (size_t i = 0; i < policies->count; i++) {
        if (strlen(policies->uris[i]) > GENESIS_URI_MAX) {
            salus_reason_set(reason,
                             "policy %zu: its URI has more than %d "
                             "characters",
                             i + 1, GENESIS_URI_MAX);
            return PBFT_INVALID_ARGUMENT;
        }
        if (!has_scheme(policies->uris[i])) {
            salus_reason_set(reason,
                             "policy %zu: its URI has no scheme: it is what "
                             "consents name, such as urn:... or https://...",
                             i + 1);
            return PBFT_INVALID_ARGUMENT;
        }
    }
    return PBFT_OK;
}

static void fill_policies(struct salus_genesis *genesis,
                          const struct consortium_policies *from)
{
    for (size_t i = 0; i < from->count; i++) {
        struct genesis_policy *policy = &genesis->policies[i];
        (void)snprintf(policy->uri, sizeof policy->uri, "%s", from->uris[i]);
        genesis_policy_id(crypto_provider_verify_only(), policy->uri,
                          policy->policy);
        policy->version = FIRST_VERSION;
        policy->implicit_consent = IMPLICIT_BASIC_NORMAL;
        policy->break_glass_override = BREAK_GLASS_UNLESS_DENIED;
    }
}

static enum pbft_status fill(struct salus_genesis *genesis,
                             const struct genesis_options *options,
                             struct salus_reason *reason)
{
    enum pbft_status status =
        genesis_words_check(options->name, &options->policies, reason);
    if (status != PBFT_OK) {
        return status;
    }
    (void)snprintf(genesis->name, sizeof genesis->name, "%s", options->name);
    random_fill(genesis->nonce, sizeof genesis->nonce);
    memcpy(genesis->members, options->members,
           options->member_count * sizeof *options->members);
    genesis_parameters_defaults(&genesis->parameters);
    genesis->table_version = CODES_VERSION;
    codes_digest(&genesis->table_digest);
    fill_policies(genesis, &options->policies);
    genesis_sort(genesis);
    return genesis_check(crypto_provider_verify_only(), genesis, reason);
}

enum pbft_status genesis_file_create(const char *path,
                                     const struct genesis_options *options,
                                     struct salus_reason *reason)
{
    struct wire_buffer bytes;
    struct salus_genesis *genesis = NULL;

    if (options->policies.count <= GENESIS_POLICIES_MAX) {
        genesis = genesis_create(options->member_count,
                                 (uint32_t)options->policies.count);
    }
    if (genesis == NULL) {
        salus_reason_set(reason, "more than %d members or %d policies",
                         GENESIS_MEMBERS_MAX, GENESIS_POLICIES_MAX);
        return PBFT_TOO_LARGE;
    }
    wire_buffer_init(&bytes, GENESIS_FILE_MAX);
    enum pbft_status status = fill(genesis, options, reason);
    if (status == PBFT_OK) {
        status = genesis_encode(genesis, &bytes);
    }
    if (status == PBFT_OK) {
        status = tool_armor_create(path, ARMOR_GENESIS,
                                   wire_buffer_bytes(&bytes), reason);
    }
    wire_buffer_deinit(&bytes);
    genesis_destroy(genesis);
    return status;
}

enum pbft_status genesis_file_load(struct salus_genesis **out,
                                   struct pbft_digest *cluster,
                                   const char *path,
                                   struct salus_reason *reason)
{
    struct wire_buffer text;
    struct salus_reason why = {""};

    *out = NULL;
    enum pbft_status status =
        tool_text_load(&text, path, GENESIS_FILE_MAX, reason);
    if (status == PBFT_OK) {
        status = genesis_parse(crypto_provider_verify_only(),
                               wire_buffer_bytes(&text), out, cluster, &why);
        if (status != PBFT_OK) {
            salus_reason_set(reason, "%s: %s", path, why.text);
        }
    }
    wire_buffer_deinit(&text);
    return status;
}
