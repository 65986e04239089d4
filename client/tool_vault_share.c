/* SPDX-License-Identifier: Apache-2.0 */
/* salus vault share: a record of the vault as `salus seal` would have made it,
 * for `salus grant`. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "client/tool_json.h"
#include "client/tool_sealing.h"
#include "client/tool_vault.h"
#include "crypto/file.h"
#include "crypto/hex.h"
#include "crypto/secret.h"
#include "vault/care.h"
#include "vault/sealed.h"

#define RECORD_VERSION 1 /* Each version of a document is a record. */

static_assert(VAULT_ID_SIZE == SEAL_RECORD_SIZE &&
                  VAULT_SECRET_SIZE == SEAL_KEY_SIZE,
              "the vault keeps what an envelope needs");

struct work {
    struct sealing sealing;
    struct vault *vault;
    struct vault_record record;
    struct vault_blob sealed;
    struct envelope envelope;
};

static bool say(struct work *work, enum pbft_status status, const char *name)
{
    const char *problem = vault_problem(work->vault);

    if (status == PBFT_NOT_FOUND) {
        (void)tool_failed(&tool_vault, "%s: no document of that name", name);
    } else if (status != PBFT_OK) {
        (void)tool_failed(&tool_vault, "%s: %s", name,
                          problem[0] != 0 ? problem : pbft_status_text(status));
    }
    return status == PBFT_OK;
}

/* The key is wrapped for the own institution, as `salus seal` does. */
static enum pbft_status fill(struct work *work)
{
    struct envelope *out = &work->envelope;

    out->identity.chain = work->sealing.chain;
    out->identity.version = RECORD_VERSION;
    memcpy(out->identity.record, work->record.id, SEAL_RECORD_SIZE);
    memcpy(out->salt, work->record.salt, sizeof out->salt);
    memcpy(out->commit.bytes, work->record.commit, sizeof out->commit.bytes);
    digest_blake2b(&out->cipher_digest,
                   (struct pbft_bytes){work->sealed.data, work->sealed.size});
    return envelope_add(out, work->sealing.own.public_key.bytes,
                        work->record.data_key);
}

static bool load(struct work *work, const char *name)
{
    enum pbft_status status =
        vault_find_record(work->vault, &work->record, name);

    if (status == PBFT_OK) {
        status = vault_sealed_copy(work->vault, &work->sealed, work->record.id);
    }
    if (status == PBFT_OK) {
        status = fill(work);
    }
    return say(work, status, name);
}

/* Both files, or none. */
static bool write_files(struct work *work, const char *path)
{
    char envelope_path[TOOL_PATH_MAX];
    struct salus_reason reason = {.text = ""};

    if (!sealing_envelope_path(&work->sealing, envelope_path, path)) {
        return false;
    }
    enum pbft_status status = file_create(
        path, FILE_SECRET,
        (struct pbft_bytes){work->sealed.data, work->sealed.size}, &reason);
    if (status == PBFT_OK) {
        status = envelope_store(envelope_path, &work->envelope, &reason);
        if (status != PBFT_OK) {
            (void)unlink(path);
        }
    }
    if (status != PBFT_OK) {
        (void)tool_failed(&tool_vault, "%s", reason.text);
    }
    return status == PBFT_OK;
}

static void print(const struct work *work, const char *path, bool as_json)
{
    char record[2 * SEAL_RECORD_SIZE + 1];

    hex_encode(record, (struct pbft_bytes){work->record.id, SEAL_RECORD_SIZE});
    if (as_json) {
        tool_json_print(
            json_pack("{s:s, s:s}", "record", record, "file", path));
    } else {
        (void)printf("record %s: %s, and %s" SEALING_ENVELOPE_SUFFIX
                     " for salus grant\n",
                     record, path, path);
    }
}

int tool_vault_share(struct vault *vault, const struct tool_vault_share *call)
{
    struct work work = {.sealing = {.command = &tool_vault}, .vault = vault};
    bool done = sealing_load(&work.sealing, call->config, NULL) &&
                load(&work, call->name) && write_files(&work, call->path);

    if (done) {
        print(&work, call->path, call->json);
    }
    vault_blob_free(&work.sealed);
    secret_wipe(&work.record, sizeof work.record);
    sealing_unload(&work.sealing);
    return done ? TOOL_OK : TOOL_FAILED;
}
