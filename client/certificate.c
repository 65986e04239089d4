/* SPDX-License-Identifier: Apache-2.0 */
/* The client's own certificate, judged before the first connection. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client/client.h"
#include "crypto/x509.h"

enum pbft_status client_check_certificate(const struct salus_client *client,
                                          const struct salus_config *config,
                                          struct salus_reason *reason)
{
    const struct salus_member *member =
        genesis_find(client->genesis, &client->institution);
    const struct pbft_bytes pem = {(const uint8_t *)client->certificate_pem,
                                   strlen(client->certificate_pem)};
    struct x509_certificate certificate;
    struct x509_certificate ca = {.size = member->tls_ca_size};
    struct x509_key key;
    struct salus_reason why = {{0}};
    char name[X509_NAME_MAX];

    if (config->unsafe_plain_tcp ||
        x509_certificate_parse(&certificate, pem) != PBFT_OK) {
        return PBFT_OK;
    }
    memcpy(ca.der, member->tls_ca, member->tls_ca_size);
    enum pbft_status status = x509_name(name, X509_CLIENT, member->name);
    if (status == PBFT_OK) {
        status = x509_key_load(&key, config->tls_key_file, reason);
    }
    if (status != PBFT_OK) {
        return status;
    }
    const struct x509_expectation expectation = {
        .ca = &ca, .key = &key, .dns_name = name, .now_s = time(NULL)};
    status = x509_check(&certificate, &expectation, &why);
    x509_key_wipe(&key);
    if (status != PBFT_OK) {
        salus_reason_set(reason, "%.100s: %.140s", config->certificate_file,
                         why.text);
    }
    return status;
}
