/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/sample_genesis.h"

#include <stdio.h>
#include <string.h>

#include "consensus/assert.h"
#include "proto/codec_limits.h"

void sample_signer(struct fake_signer *out, uint32_t number)
{
    fake_signer_init(out, "institution", number);
}

const struct pbft_crypto *sample_crypto(void)
{
    static struct fake_signer signer;
    static struct pbft_crypto crypto;
    fake_signer_init(&signer, "nobody", 0);
    crypto = fake_crypto(&signer);
    return &crypto;
}

void sample_member(struct salus_member *out, uint32_t number)
{
    struct fake_signer signer;
    struct fake_signer client;
    sample_signer(&signer, number);
    fake_signer_init(&client, "institution-client", number);
    memset(out, 0, sizeof *out);
    out->institution.bytes[0] = (uint8_t)(number + 1);
    out->institution.bytes[15] = 0x5a;
    (void)snprintf(out->name, sizeof out->name, "hospital-%u",
                   (unsigned)number);
    (void)snprintf(out->legal_name, sizeof out->legal_name,
                   "Hospital M\xc3\xbcller %u", (unsigned)number);
    memcpy(out->country, "DE", 3);
    out->roles[0] = 1;
    out->roles[1] = 2;
    out->role_count = 2;
    out->has_replica = true;
    out->replica_key = signer.key;
    (void)snprintf(out->peer_address, sizeof out->peer_address,
                   "replica-%u.example:7400", (unsigned)number);
    (void)snprintf(out->client_address, sizeof out->client_address,
                   "127.0.0.1:%u", 7500 + (unsigned)number);
    out->submit_keys[0] = client.key;
    out->submit_key_count = 1;
    out->has_encryption_key = true;
    memset(out->encryption_key, (int)number + 1, sizeof out->encryption_key);
    memset(out->tls_ca, 0x30, 500);
    out->tls_ca_size = 500;
}

void sample_possess(struct salus_member *member, uint32_t number)
{
    struct wire_buffer preimage;
    struct fake_signer signer;
    sample_signer(&signer, number);
    struct pbft_crypto crypto = fake_crypto(&signer);
    wire_buffer_init(&preimage, WIRE_FRAME_BYTES_MAX);
    enum pbft_status status = member_possession_preimage(member, &preimage);
    PBFT_ASSERT(status == PBFT_OK);
    crypto.sign(crypto.context, &member->possession,
                wire_buffer_bytes(&preimage));
    wire_buffer_deinit(&preimage);
}

struct salus_genesis *sample_genesis(uint32_t replicas)
{
    struct salus_genesis *genesis = genesis_create(replicas, 1);
    PBFT_ASSERT(genesis != NULL);
    (void)snprintf(genesis->name, sizeof genesis->name, "trial");
    memset(genesis->nonce, 7, sizeof genesis->nonce);
    genesis_parameters_defaults(&genesis->parameters);
    genesis->table_version = 1;
    memset(&genesis->table_digest, 3, sizeof genesis->table_digest);
    for (uint32_t i = 0; i < replicas; i++) {
        sample_member(&genesis->members[i], i);
        sample_possess(&genesis->members[i], i);
    }
    struct genesis_policy *policy = &genesis->policies[0];
    (void)snprintf(policy->uri, sizeof policy->uri,
                   "https://policy.example/basic");
    genesis_policy_id(sample_crypto(), policy->uri, policy->policy);
    policy->version = 1;
    policy->implicit_consent = 1;
    policy->break_glass_override = 2;
    return genesis;
}
