/* SPDX-License-Identifier: Apache-2.0 */
#include "client/tool_sealing.h"

#include <stdio.h>
#include <string.h>

#include "client/tool_consortium.h"
#include "crypto/hex.h"

bool sealing_load(struct sealing *sealing, const char *config, const char *key)
{
    struct salus_reason reason = {.text = ""};
    bool done =
        tool_config_load(&sealing->settings, config, &reason) == PBFT_OK;

    if (done) {
        key = key != NULL ? key : sealing->settings.encryption_key;
        if (key[0] == 0) {
            (void)tool_failed(sealing->command,
                              "name the own key: --key FILE, or "
                              "encryption_key: in the configuration");
            return false;
        }
        done = keyfile_read(&sealing->own, key, KEYFILE_ENCRYPTION, &reason) ==
                   PBFT_OK &&
               genesis_file_load(&sealing->genesis, &sealing->chain,
                                 sealing->settings.genesis, &reason) == PBFT_OK;
    }
    if (!done) {
        (void)tool_failed(sealing->command, "%s", reason.text);
    }
    return done;
}

void sealing_unload(struct sealing *sealing)
{
    genesis_destroy(sealing->genesis);
    keyfile_wipe(&sealing->own);
}

bool sealing_envelope_path(const struct sealing *sealing,
                           char out[TOOL_PATH_MAX], const char *sealed)
{
    int size =
        snprintf(out, TOOL_PATH_MAX, "%s" SEALING_ENVELOPE_SUFFIX, sealed);

    if (strcmp(sealed, "-") == 0 || size < 0 || size >= TOOL_PATH_MAX) {
        (void)tool_bad_usage(sealing->command, "name the --envelope file");
        return false;
    }
    return true;
}

bool sealing_recipient(const struct sealing *sealing, const char *text,
                       uint8_t out[HPKE_KEY_SIZE])
{
    const struct salus_member *member =
        genesis_find_name(sealing->genesis, text);

    if (member != NULL && member->has_encryption_key) {
        memcpy(out, member->encryption_key, HPKE_KEY_SIZE);
        return true;
    }
    if (member == NULL && hex_decode(out, HPKE_KEY_SIZE, text) == PBFT_OK) {
        return true;
    }
    (void)tool_failed(sealing->command, "--for %s: %s", text,
                      member != NULL
                          ? "has no encryption key in the genesis"
                          : "neither a member of the genesis nor an X25519 "
                            "key of 64 hexadecimal digits, as whoever was "
                            "admitted later has to tell you");
    return false;
}

bool sealing_unwrap(const struct sealing *sealing,
                    const struct envelope *envelope, const char *path,
                    uint8_t data_key[SEAL_KEY_SIZE])
{
    const char *problem = "the wrap for this key is damaged";

    if (memcmp(envelope->identity.chain.bytes, sealing->chain.bytes,
               sizeof sealing->chain.bytes) != 0) {
        problem = "of another consortium";
    } else {
        enum pbft_status status =
            envelope_unwrap(data_key, envelope, sealing->own.secret,
                            sealing->own.public_key.bytes);
        if (status == PBFT_OK) {
            return true;
        }
        if (status == PBFT_NOT_FOUND) {
            problem = "not sealed for this key";
        }
    }
    (void)tool_failed(sealing->command, "%s: %s", path, problem);
    return false;
}
