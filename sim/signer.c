/* SPDX-License-Identifier: Apache-2.0 */
/* Chooses between the two kinds; remembers verdicts on real signatures. */
#include "sim/signer.h"

#include <string.h>

#include "crypto/digest.h"

/* A vote is checked by each replica, alone and in certificates. */
#define VERDICTS_MAX 16384

struct verdict {
    struct pbft_digest question; /* Key, signature and bytes. */
    bool is_good;
};

/* Verification is a function of its arguments: what was found out once holds
 * for every run of this process. */
static struct verdict verdicts[VERDICTS_MAX];

static void count_check(const struct sim_signer *signer)
{
    if (signer->check_count != NULL) {
        (*signer->check_count)++;
    }
}

static void fake_on_digest(const void *context, struct pbft_digest *out,
                           const struct pbft_bytes *parts, size_t part_count)
{
    (void)context;
    fake_digest(out, parts, part_count);
}

static void fake_on_sign(const void *context, struct pbft_signature *out,
                         struct pbft_bytes preimage)
{
    const struct sim_signer *signer = context;
    const struct pbft_crypto crypto = fake_crypto(&signer->fake);
    crypto.sign(crypto.context, out, preimage);
}

static bool fake_on_verify(const void *context,
                           const struct pbft_public_key *key,
                           struct pbft_bytes preimage,
                           const struct pbft_signature *signature)
{
    const struct sim_signer *signer = context;
    const struct pbft_crypto crypto = fake_crypto(&signer->fake);
    count_check(signer);
    return crypto.verify(crypto.context, key, preimage, signature);
}

static void real_on_digest(const void *context, struct pbft_digest *out,
                           const struct pbft_bytes *parts, size_t part_count)
{
    (void)context;
    digest_blake2b_parts(out, parts, part_count);
}

static void real_on_sign(const void *context, struct pbft_signature *out,
                         struct pbft_bytes preimage)
{
    const struct sim_signer *signer = context;
    sign_message(out, &signer->secret, preimage);
}

static bool real_on_verify(const void *context,
                           const struct pbft_public_key *key,
                           struct pbft_bytes preimage,
                           const struct pbft_signature *signature)
{
    const struct pbft_bytes parts[] = {
        {key->bytes, sizeof key->bytes},
        {signature->bytes, sizeof signature->bytes},
        preimage};
    struct pbft_digest question;
    count_check(context);
    fake_digest(&question, parts, 3);
    uint32_t place = (uint32_t)question.bytes[0] | (uint32_t)question.bytes[1]
                                                       << 8;
    struct verdict *known = &verdicts[place % VERDICTS_MAX];
    if (memcmp(&known->question, &question, sizeof question) != 0) {
        *known =
            (struct verdict){question, sign_verify(key, preimage, signature)};
    }
    return known->is_good;
}

void sim_signer_init(struct sim_signer *signer, const char *group,
                     uint64_t number, enum sim_signatures kind)
{
    *signer = (struct sim_signer){.kind = kind};
    fake_signer_init(&signer->fake, group, number);
    signer->key = signer->fake.key;
    if (kind == SIM_SIGNATURES_REAL) {
        sign_from_seed(&signer->secret, &signer->key, signer->fake.key.bytes);
    }
}

struct pbft_crypto sim_signer_crypto(const struct sim_signer *signer)
{
    return signer->kind == SIM_SIGNATURES_REAL
               ? (struct pbft_crypto){.context = signer,
                                      .digest = real_on_digest,
                                      .sign = real_on_sign,
                                      .verify = real_on_verify}
               : (struct pbft_crypto){.context = signer,
                                      .digest = fake_on_digest,
                                      .sign = fake_on_sign,
                                      .verify = fake_on_verify};
}
