/* SPDX-License-Identifier: Apache-2.0 */
/* admit.json: made where the keys are, judged by whoever signs it. */
#include "client/tool_admission.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/tool_consortium.h"
#include "client/tool_folder.h"
#include "client/tool_json.h"
#include "crypto/digest.h"
#include "crypto/file.h"
#include "crypto/keyfile.h"
#include "crypto/secret.h"
#include "crypto/sign.h"
#include "ledger/transaction.h"
#include "proto/genesis.h"

#define BLOCK_SIZE 16384

static enum pbft_status hash_file(struct pbft_digest *out, const char *path,
                                  struct salus_reason *reason)
{
    struct digest_stream stream;
    uint8_t block[BLOCK_SIZE];
    size_t total = 0;
    size_t got = 0;
    FILE *file = fopen(path, "rbe");

    if (file == NULL) {
        salus_reason_set(reason, "%s: %s", path, strerror(errno));
        return PBFT_NOT_FOUND;
    }
    digest_init(&stream, DIGEST_SHA256);
    while ((got = fread(block, 1, sizeof block, file)) > 0) {
        digest_update(&stream, (struct pbft_bytes){block, got});
        total += got;
    }
    digest_final(&stream, out);
    bool is_bad = ferror(file) != 0;
    (void)fclose(file); /* Only read from. */
    if (is_bad || total == 0) {
        salus_reason_set(reason, "%s: %s", path,
                         is_bad ? "cannot be read" : "is empty");
        return PBFT_IO;
    }
    return PBFT_OK;
}

enum pbft_status admission_prepare(struct admission *out, const char *genesis,
                                   const char *contract,
                                   struct salus_reason *reason)
{
    struct salus_genesis *loaded = NULL;
    enum pbft_status status =
        genesis_file_load(&loaded, &out->chain, genesis, reason);

    genesis_destroy(loaded);
    return status == PBFT_OK ? hash_file(&out->contract, contract, reason)
                             : status;
}

/* The submit key signs for itself and for the encryption key. */
static enum pbft_status sign(struct pbft_signature *out,
                             const struct admission *admission,
                             const char *folder,
                             const struct salus_member *member,
                             struct salus_reason *reason)
{
    char path[CONSORTIUM_PATH_MAX];
    uint8_t preimage[TRANSACTION_POSSESSION_SIZE];
    struct keyfile key;
    struct sign_secret secret;
    struct pbft_public_key public_key;
    enum pbft_status status = tool_path(path, folder, "client.key", reason);

    if (status == PBFT_OK) {
        status = keyfile_read(&key, path, KEYFILE_CLIENT, reason);
    }
    if (status != PBFT_OK) {
        return status;
    }
    transaction_possession_preimage(
        preimage, &admission->chain, &member->institution,
        member->submit_keys[0].bytes, member->encryption_key);
    sign_from_seed(&secret, &public_key, key.secret);
    sign_message(out, &secret, (struct pbft_bytes){preimage, sizeof preimage});
    secret_wipe(&secret, sizeof secret);
    keyfile_wipe(&key);
    return PBFT_OK;
}

static ProtobufCBinaryData field_of(const void *bytes, size_t size)
{
    return (ProtobufCBinaryData){size, (uint8_t *)(uintptr_t)bytes};
}

static json_t *json_of(const struct admission *admission,
                       const struct salus_member *member,
                       const struct pbft_signature *possession)
{
    Salus__V1__InstitutionAdmit out = SALUS__V1__INSTITUTION_ADMIT__INIT;

    out.institution = field_of(&member->institution, PBFT_INSTITUTION_SIZE);
    out.name = (char *)(uintptr_t)member->name;
    out.country = (char *)(uintptr_t)member->country;
    out.legal_name = (char *)(uintptr_t)member->legal_name;
    out.roles = (uint32_t *)(uintptr_t)member->roles;
    out.n_roles = member->role_count;
    out.submit_key = field_of(&member->submit_keys[0], PBFT_PUBLIC_KEY_SIZE);
    out.submit_possession = field_of(possession, PBFT_SIGNATURE_SIZE);
    out.encryption_key =
        field_of(member->encryption_key, sizeof member->encryption_key);
    out.attestation_hash = field_of(&admission->contract, PBFT_DIGEST_SIZE);
    return json_pack("{s:o}", "institution_admit", tool_json_of(&out.base));
}

enum pbft_status admission_store(const struct admission *admission,
                                 const char *folder,
                                 const struct salus_member *member,
                                 struct salus_reason *reason)
{
    char path[CONSORTIUM_PATH_MAX];
    struct pbft_signature possession;
    enum pbft_status status =
        sign(&possession, admission, folder, member, reason);

    if (status == PBFT_OK) {
        status = tool_path(path, folder, "admit.json", reason);
    }
    if (status != PBFT_OK) {
        return status;
    }
    json_t *json = json_of(admission, member, &possession);
    char *text = json_dumps(json, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
    json_decref(json);
    if (text == NULL) {
        return PBFT_NO_MEMORY;
    }
    status =
        file_create(path, FILE_PUBLIC,
                    (struct pbft_bytes){(uint8_t *)text, strlen(text)}, reason);
    free(text);
    return status;
}

const char *admission_problem(const Salus__V1__TransactionBody *body)
{
    const Salus__V1__InstitutionAdmit *in = body->institution_admit;
    uint8_t preimage[TRANSACTION_POSSESSION_SIZE];
    struct pbft_digest chain;
    struct pbft_institution institution;
    struct pbft_public_key key;
    struct pbft_signature possession;

    if (body->payload_case !=
        SALUS__V1__TRANSACTION_BODY__PAYLOAD_INSTITUTION_ADMIT) {
        return NULL;
    }
    if (body->chain_id.len != sizeof chain.bytes ||
        in->institution.len != sizeof institution.bytes ||
        in->submit_key.len != sizeof key.bytes ||
        in->encryption_key.len != MEMBER_ENCRYPTION_KEY_SIZE ||
        in->submit_possession.len != sizeof possession.bytes) {
        return "institution, submit_key, encryption_key or submit_possession "
               "is missing; `salus keygen --genesis` makes them";
    }
    memcpy(chain.bytes, body->chain_id.data, sizeof chain.bytes);
    memcpy(institution.bytes, in->institution.data, sizeof institution.bytes);
    memcpy(key.bytes, in->submit_key.data, sizeof key.bytes);
    memcpy(possession.bytes, in->submit_possession.data,
           sizeof possession.bytes);
    transaction_possession_preimage(preimage, &chain, &institution, key.bytes,
                                    in->encryption_key.data);
    return sign_is_valid_key(&key) &&
                   sign_verify(&key,
                               (struct pbft_bytes){preimage, sizeof preimage},
                               &possession)
               ? NULL
               : "submit_possession is no signature by submit_key for this "
                 "institution, encryption key and consortium";
}
