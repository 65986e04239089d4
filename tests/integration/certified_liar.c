/* SPDX-License-Identifier: Apache-2.0 */
/* A replica that answers certified reads with a lie, well signed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/tool_consortium.h"
#include "consensus/preimage.h"
#include "crypto/file.h"
#include "crypto/keyfile.h"
#include "proto/certified.h"
#include "tests/integration/certified.h"

#define NOT_FOUND 200u
#define PATH_SIZE 512

static const struct salus_member *member_of(const struct liar *liar,
                                            uint32_t replica)
{
    return genesis_replica(liar->genesis, replica);
}

static ProtobufCBinaryData field(const void *data, size_t size)
{
    return (ProtobufCBinaryData){size, (uint8_t *)(uintptr_t)data};
}

static void pack(const ProtobufCMessage *message, struct wire_buffer *out)
{
    wire_buffer_reset(out);
    if (wire_pack(message, out) != PBFT_OK) {
        abort();
    }
}

static void sign(const struct liar *liar, const struct pbft_answered *said,
                 struct pbft_signature *out)
{
    const struct pbft_domain domain = {crypto_provider_vtable(liar->provider),
                                       liar->cluster};
    struct pbft_preimage preimage;
    pbft_answered_preimage(&domain, 0, LIAR, 0, said, &preimage);
    domain.crypto->sign(domain.crypto->context, out,
                        (struct pbft_bytes){preimage.bytes, preimage.size});
    out->bytes[9] ^= atomic_load(&liar->forges);
}

static void lie(struct liar *liar, uint64_t call, uint32_t caller,
                const Salus__V1__CertifyCall *in)
{
    const struct pbft_crypto *crypto = crypto_provider_vtable(liar->provider);
    Salus__V1__Answer answer = SALUS__V1__ANSWER__INIT;
    Salus__V1__CertifiedAnswer out = SALUS__V1__CERTIFIED_ANSWER__INIT;
    Salus__V1__ClientReply reply = SALUS__V1__CLIENT_REPLY__INIT;
    struct pbft_answered said = {
        .seq = in->height != 0 ? in->height : liar->height,
        .block_time = liar->block_time_us,
        .ledger_root = liar->ledger_root,
        .caller = liar->genesis->members[caller].institution};
    struct pbft_signature signature;
    struct wire_buffer bytes;
    wire_buffer_init(&bytes, 65536);
    pack(&in->query->base, &bytes);
    certified_query_digest(crypto, &said.query, wire_buffer_bytes(&bytes));
    answer.height = said.seq;
    answer.block_time_us = said.block_time;
    answer.code = NOT_FOUND;
    pack(&answer.base, &bytes);
    certified_answer_digest(crypto, &said.answer, wire_buffer_bytes(&bytes));
    sign(liar, &said, &signature);
    out.replica = LIAR;
    out.height = said.seq;
    out.block_time_us = said.block_time;
    out.ledger_root = field(said.ledger_root.bytes, PBFT_DIGEST_SIZE);
    out.answer_digest = field(said.answer.bytes, PBFT_DIGEST_SIZE);
    out.signature = field(signature.bytes, PBFT_SIGNATURE_SIZE);
    out.answer = in->digest_only ? NULL : &answer;
    reply.version = 1;
    reply.kind_case = SALUS__V1__CLIENT_REPLY__KIND_CERTIFIED;
    reply.certified = &out;
    pack(&reply.base, &bytes);
    net_gateway_reply(liar->gateway, call, wire_buffer_bytes(&bytes));
    wire_buffer_deinit(&bytes);
}

static void on_call(void *context, uint64_t call, uint32_t caller,
                    struct pbft_buffer *buffer)
{
    struct ProtobufCMessage *decoded = NULL;
    struct wire_arena arena;
    wire_arena_init(&arena, WIRE_UNPACK_BYTES_MAX);
    if (wire_unpack_strict(&salus__v1__client_call__descriptor,
                           pbft_buffer_bytes(buffer), &arena,
                           &decoded) == PBFT_OK) {
        const Salus__V1__ClientCall *parsed =
            (const Salus__V1__ClientCall *)decoded;
        if (parsed->kind_case == SALUS__V1__CLIENT_CALL__KIND_CERTIFY) {
            lie(context, call, caller, parsed->certify);
        } /* To all else it is silent. */
    }
    wire_arena_deinit(&arena);
    pbft_buffer_unref(buffer);
}

void liar_remember(struct liar *liar, const struct salus_certified *certified)
{
    Salus__V1__QueryProof *proof = salus__v1__query_proof__unpack(
        NULL, certified->proof.size, certified->proof.data);
    liar->height = proof->height;
    liar->block_time_us = proof->block_time_us;
    memcpy(liar->ledger_root.bytes, proof->ledger_root.data, PBFT_DIGEST_SIZE);
    salus__v1__query_proof__free_unpacked(proof, NULL);
}

/* ---- its keys ------------------------------------------------------------ */

static bool read_text(char out[TEXT_MAX], const char *folder, const char *name,
                      const char *file, enum file_access access)
{
    char path[PATH_SIZE];
    size_t size = 0;
    (void)snprintf(path, sizeof path, "%.256s/%s/%s", folder, name, file);
    if (file_read((uint8_t *)out, TEXT_MAX - 1, &size, path, access, NULL) !=
        PBFT_OK) {
        (void)fprintf(stderr, "%s cannot be read\n", path);
        return false;
    }
    out[size] = '\0';
    return true;
}

static bool load_keys(struct scene *scene)
{
    struct liar *liar = &scene->liar;
    const char *folder = scene->trial.replicas.folder;
    char path[PATH_SIZE];
    struct keyfile key;
    if (genesis_file_load(&liar->genesis, &liar->cluster, scene->genesis_path,
                          NULL) != PBFT_OK) {
        return false;
    }
    const char *name = member_of(liar, LIAR)->name;
    (void)snprintf(path, sizeof path, "%.256s/%s/replica.key", folder, name);
    bool good =
        read_text(liar->certificate, folder, name, "replica-tls.pem",
                  FILE_PUBLIC) &&
        read_text(liar->key, folder, name, "replica-tls.key", FILE_SECRET) &&
        keyfile_read(&key, path, KEYFILE_REPLICA, NULL) == PBFT_OK &&
        crypto_provider_create(&liar->provider, key.secret) == PBFT_OK;
    keyfile_wipe(&key);
    return good;
}

bool liar_open(struct scene *scene)
{
    struct liar *liar = &scene->liar;
    struct net_member members[REPLICAS];
    struct net_gateway_config config;
    struct net_problem problem = {{0}};
    if (!load_keys(scene)) {
        return false;
    }
    for (uint32_t i = 0; i < REPLICAS; i++) {
        const struct salus_member *member = member_of(liar, i);
        members[i] = (struct net_member){
            .name = member->name,
            .tls_ca = {member->tls_ca, member->tls_ca_size},
        };
    }
    net_gateway_config_defaults(&config);
    config.members = members;
    config.member_count = REPLICAS;
    config.self = LIAR;
    config.own.certificate_pem = liar->certificate;
    config.own.key_pem = liar->key;
    config.listen_address = member_of(liar, LIAR)->client_address;
    config.context = liar;
    config.call = on_call;
    if (net_gateway_open(&config, &liar->gateway, &problem) != PBFT_OK) {
        (void)fprintf(stderr, "the liar: %s\n", problem.text);
        return false;
    }
    return true;
}

void liar_close(struct scene *scene)
{
    net_gateway_close(scene->liar.gateway);
    crypto_provider_destroy(scene->liar.provider);
    genesis_destroy(scene->liar.genesis);
    scene->liar = (struct liar){.gateway = NULL};
}

/* ---- clients ------------------------------------------------------------- */

struct salus_client *certified_client(const struct scene *scene, uint32_t index)
{
    char paths[3][PATH_SIZE];
    char problem[SALUS_PROBLEM_SIZE] = "";
    struct salus_config config;
    struct salus_client *client = NULL;
    struct salus_genesis *genesis = NULL;
    struct pbft_digest cluster;
    if (genesis_file_load(&genesis, &cluster, scene->genesis_path, NULL) !=
        PBFT_OK) {
        return NULL;
    }
    const char *name = genesis_replica(genesis, index)->name;
    static const char *const files[] = {"client.key", "client-tls.pem",
                                        "client-tls.key"};
    for (size_t i = 0; i < 3; i++) {
        (void)snprintf(paths[i], PATH_SIZE, "%.256s/%s/%s",
                       scene->trial.replicas.folder, name, files[i]);
    }
    genesis_destroy(genesis);
    salus_config_init(&config);
    config.genesis_file = scene->genesis_path;
    config.key_file = paths[0];
    config.certificate_file = paths[1];
    config.tls_key_file = paths[2];
    config.timeout_ms = 30000;
    config.witness_grace_ms = 5000; /* Machines may be busy. */
    if (salus_open(&client, problem, &config) != SALUS_OK) {
        (void)fprintf(stderr, "client %u: %s\n", (unsigned)index, problem);
    }
    return client;
}
