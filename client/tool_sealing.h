/* SPDX-License-Identifier: Apache-2.0 */
/* What the commands about sealed contents share: configuration, own X25519 key,
 * consortium, recipients. */
#ifndef CLIENT_TOOL_SEALING_H
#define CLIENT_TOOL_SEALING_H

#include "client/envelope.h"
#include "client/tool_config.h"
#include "client/tool_options.h"
#include "crypto/keyfile.h"
#include "proto/genesis.h"

#define SEALING_ENVELOPE_SUFFIX ".envelope"

struct sealing {
    const struct tool_command *command;
    struct tool_config settings;
    struct keyfile own;
    struct salus_genesis *genesis;
    struct pbft_digest chain;
};

/* `config` and `key` as on the command line; NULL: not given. Says what is
 * wrong. sealing_unload() in any case. */
bool sealing_load(struct sealing *sealing, const char *config, const char *key);
void sealing_unload(struct sealing *sealing);

/* "SEALED.envelope". False, and said: SEALED is -, or too long. */
bool sealing_envelope_path(const struct sealing *sealing,
                           char out[TOOL_PATH_MAX], const char *sealed);

/* The key of a member by its name, or the key itself; says what is wrong. */
bool sealing_recipient(const struct sealing *sealing, const char *text,
                       uint8_t out[HPKE_KEY_SIZE]);
/* The data key, by the own one; says what is wrong. Wipe it. */
bool sealing_unwrap(const struct sealing *sealing,
                    const struct envelope *envelope, const char *path,
                    uint8_t data_key[SEAL_KEY_SIZE]);

#endif /* CLIENT_TOOL_SEALING_H */
