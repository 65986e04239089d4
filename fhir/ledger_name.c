/* SPDX-License-Identifier: Apache-2.0 */
/* Ids of the ledger as identifiers of FHIR, and back. */
#include "fhir/ledger_name.h"

#include <stdio.h>
#include <string.h>

#include "crypto/hex.h"

#define CHAIN_DIGITS ((size_t)2 * PBFT_DIGEST_SIZE)

static const char *const kind_names[] = {
    [FHIR_LEDGER_SUBJECT] = "subject",
    [FHIR_LEDGER_INSTITUTION] = "institution",
    [FHIR_LEDGER_PARTICIPANT] = "participant",
    [FHIR_LEDGER_GROUP] = "group",
    [FHIR_LEDGER_DATA] = "data",
    [FHIR_LEDGER_CONSENT] = "consent",
    [FHIR_LEDGER_EVENT] = "event"};

size_t fhir_ledger_id_size(enum fhir_ledger_kind kind)
{
    return kind == FHIR_LEDGER_SUBJECT ? VAULT_HANDLE_SIZE : VAULT_ID_SIZE;
}

/* "participant/<id>" */
static bool parse_value(struct fhir_ledger_name *out, const char *value)
{
    for (int i = FHIR_LEDGER_SUBJECT; i <= FHIR_LEDGER_EVENT; i++) {
        enum fhir_ledger_kind kind = (enum fhir_ledger_kind)i;
        size_t size = strlen(kind_names[i]);
        if (strncmp(value, kind_names[i], size) == 0 && value[size] == '/') {
            out->kind = kind;
            return hex_decode(out->id, fhir_ledger_id_size(kind),
                              value + size + 1) == PBFT_OK;
        }
    }
    return false;
}

bool fhir_ledger_name_parse(struct fhir_ledger_name *out, const char *name,
                            const struct pbft_digest *chain)
{
    static const char mark[] = "?identifier=" FHIR_LEDGER_SYSTEM;
    const char *at = strstr(name, mark);
    char digits[CHAIN_DIGITS + 1];
    struct pbft_digest said;

    memset(out, 0, sizeof *out);
    if (at == NULL || strlen(at) < sizeof mark - 1 + CHAIN_DIGITS + 1) {
        return false;
    }
    at += sizeof mark - 1;
    memcpy(digits, at, CHAIN_DIGITS);
    digits[CHAIN_DIGITS] = 0;
    at += CHAIN_DIGITS;
    return *at == '|' &&
           hex_decode(said.bytes, sizeof said.bytes, digits) == PBFT_OK &&
           (chain == NULL ||
            memcmp(said.bytes, chain->bytes, sizeof said.bytes) == 0) &&
           parse_value(out, at + 1);
}

void fhir_ledger_system(char out[FHIR_LEDGER_SYSTEM_SIZE],
                        const struct pbft_digest *chain)
{
    memcpy(out, FHIR_LEDGER_SYSTEM, sizeof FHIR_LEDGER_SYSTEM - 1);
    hex_encode(out + sizeof FHIR_LEDGER_SYSTEM - 1,
               (struct pbft_bytes){chain->bytes, sizeof chain->bytes});
}

void fhir_ledger_value(char out[FHIR_LEDGER_VALUE_SIZE],
                       enum fhir_ledger_kind kind, const uint8_t *id)
{
    char hex[2 * VAULT_HANDLE_SIZE + 1];

    hex_encode(hex, (struct pbft_bytes){id, fhir_ledger_id_size(kind)});
    (void)snprintf(out, FHIR_LEDGER_VALUE_SIZE, "%s/%s", kind_names[kind], hex);
}

void fhir_policy_id(struct transaction_id16 *out, const char *uri)
{
    static const char prefix[] = FHIR_POLICY_URI;

    if (strncmp(uri, prefix, sizeof prefix - 1) == 0 &&
        hex_decode(out->bytes, sizeof out->bytes, uri + sizeof prefix - 1) ==
            PBFT_OK) {
        return;
    }
    transaction_policy_id(
        out, (struct pbft_bytes){(const uint8_t *)uri, strlen(uri)});
}

bool fhir_tag_parse(uint8_t out[VAULT_TAG_SIZE], const char *system,
                    const char *code)
{
    return strcmp(system, FHIR_TAG_SYSTEM) == 0 &&
           hex_decode(out, VAULT_TAG_SIZE, code) == PBFT_OK;
}
