/* SPDX-License-Identifier: Apache-2.0 */
/* Who is at the other end: a name, and the CA that must have issued it. */
#include <mbedtls/pem.h>
#include <mbedtls/x509_crt.h>
#include <nng/nng.h>
#include <nng/supplemental/tls/tls.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/tls.h"
#include "net/tls_private.h"

#define ROLE_NAME_MAX (NET_NAME_MAX + 16)
#define PEM_MAX (NET_CA_BYTES_MAX * 2)

struct tls_member {
    char name[NET_NAME_MAX + 1];
    mbedtls_x509_crt ca;
    bool has_ca;
};

struct tls_members {
    struct tls_member *items;
    uint32_t count;
};

static void say(struct net_problem *problem, const char *what, const char *name)
{
    if (problem != NULL) {
        (void)snprintf(problem->text, sizeof(problem->text), "%s%s", what,
                       name);
    }
}

static void role_name(char out[ROLE_NAME_MAX], enum tls_role role,
                      const char *name)
{
    (void)snprintf(out, ROLE_NAME_MAX, "%s.%s",
                   role == TLS_REPLICA ? "replica" : "client", name);
}

void tls_members_destroy(struct tls_members *members)
{
    if (members == NULL) {
        return;
    }
    for (uint32_t i = 0; i < members->count; i++) {
        mbedtls_x509_crt_free(&members->items[i].ca);
    }
    free(members->items);
    free(members);
}

static enum pbft_status fill_member(struct tls_member *to,
                                    const struct net_member *from,
                                    struct net_problem *problem)
{
    if (strlen(from->name) > NET_NAME_MAX) {
        say(problem, "the name of a member is too long", "");
        return PBFT_INVALID_CONFIG;
    }
    (void)snprintf(to->name, sizeof(to->name), "%s", from->name);
    mbedtls_x509_crt_init(&to->ca);
    to->has_ca = from->tls_ca.size > 0;
    if (from->tls_ca.size > NET_CA_BYTES_MAX ||
        (to->has_ca && mbedtls_x509_crt_parse_der(&to->ca, from->tls_ca.data,
                                                  from->tls_ca.size) != 0)) {
        say(problem, "the CA certificate cannot be read: ", to->name);
        return PBFT_INVALID_CONFIG;
    }
    return PBFT_OK;
}

enum pbft_status tls_members_create(struct tls_members **out,
                                    const struct net_member *members,
                                    uint32_t member_count,
                                    struct net_problem *problem)
{
    struct tls_members *made = calloc(1, sizeof(*made));
    enum pbft_status status = PBFT_OK;

    if (made == NULL ||
        (made->items = calloc(member_count, sizeof(*made->items))) == NULL) {
        free(made);
        return PBFT_NO_MEMORY;
    }
    for (uint32_t i = 0; status == PBFT_OK && i < member_count; i++) {
        status = fill_member(&made->items[i], &members[i], problem);
        made->count++;
    }
    if (status != PBFT_OK) {
        tls_members_destroy(made);
        return status;
    }
    *out = made;
    return PBFT_OK;
}

/* Appends a certificate as PEM. */
static bool put_pem(char **text, size_t *size, const mbedtls_x509_crt *ca)
{
    unsigned char pem[PEM_MAX];
    size_t used = 0;

    if (mbedtls_pem_write_buffer("-----BEGIN CERTIFICATE-----\n",
                                 "-----END CERTIFICATE-----\n", ca->raw.p,
                                 ca->raw.len, pem, sizeof(pem), &used) != 0) {
        return false;
    }
    char *grown = realloc(*text, *size + used);
    if (grown == NULL) {
        return false;
    }
    /* `used` counts the zero at the end, which the next one overwrites. */
    memcpy(grown + *size, pem, used);
    *text = grown;
    *size += used - 1;
    return true;
}

static enum pbft_status make_config(struct nng_tls_config **out,
                                    nng_tls_mode mode, const char *trusted,
                                    const char *server_name,
                                    const struct net_credentials *own,
                                    struct net_problem *problem)
{
    nng_tls_config *config = NULL;
    enum pbft_status status = tls_engine_install();

    if (status != PBFT_OK || nng_tls_config_alloc(&config, mode) != 0) {
        return PBFT_NO_MEMORY;
    }
    if (nng_tls_config_auth_mode(config, NNG_TLS_AUTH_MODE_REQUIRED) != 0 ||
        nng_tls_config_ca_chain(config, trusted, NULL) != 0) {
        say(problem, "the CA certificates of the members cannot be used", "");
        status = PBFT_INVALID_CONFIG;
    } else if (nng_tls_config_own_cert(config, own->certificate_pem,
                                       own->key_pem, NULL) != 0) {
        say(problem, "the own TLS certificate or key cannot be read", "");
        status = PBFT_INVALID_CONFIG;
    } else if (server_name != NULL &&
               nng_tls_config_server_name(config, server_name) != 0) {
        status = PBFT_NO_MEMORY;
    }
    if (status != PBFT_OK) {
        nng_tls_config_free(config);
        return status;
    }
    *out = config;
    return PBFT_OK;
}

enum pbft_status tls_server_config(struct nng_tls_config **out,
                                   const struct tls_members *members,
                                   const struct net_credentials *own,
                                   struct net_problem *problem)
{
    char *trusted = NULL;
    size_t size = 0;
    bool good = true;

    for (uint32_t i = 0; good && i < members->count; i++) {
        good = !members->items[i].has_ca ||
               put_pem(&trusted, &size, &members->items[i].ca);
    }
    enum pbft_status status = !good || trusted == NULL
                                  ? PBFT_NO_MEMORY
                                  : make_config(out, NNG_TLS_MODE_SERVER,
                                                trusted, NULL, own, problem);
    free(trusted);
    return status;
}

enum pbft_status tls_client_config(struct nng_tls_config **out,
                                   const struct net_member *member,
                                   const struct net_credentials *own,
                                   struct net_problem *problem)
{
    struct tls_member parsed;
    char name[ROLE_NAME_MAX];
    char *trusted = NULL;
    size_t size = 0;
    enum pbft_status status = fill_member(&parsed, member, problem);

    if (status == PBFT_OK) {
        role_name(name, TLS_REPLICA, parsed.name);
        status = parsed.has_ca && put_pem(&trusted, &size, &parsed.ca)
                     ? make_config(out, NNG_TLS_MODE_CLIENT, trusted, name, own,
                                   problem)
                     : PBFT_INVALID_CONFIG;
    }
    free(trusted);
    mbedtls_x509_crt_free(&parsed.ca);
    return status;
}

void tls_config_free(struct nng_tls_config *config)
{
    nng_tls_config_free(config);
}

/* Does `certificate` hold for `role` of this member, issued by its own CA? */
static bool holds_for(const struct tls_member *member, enum tls_role role,
                      const mbedtls_x509_crt *certificate)
{
    char name[ROLE_NAME_MAX];
    uint32_t flags = 0;

    if (!member->has_ca) {
        return false;
    }
    role_name(name, role, member->name);
    return mbedtls_x509_crt_verify((mbedtls_x509_crt *)certificate,
                                   (mbedtls_x509_crt *)&member->ca, NULL, name,
                                   &flags, NULL, NULL) == 0 &&
           flags == 0;
}

enum pbft_status tls_check_own(const struct tls_members *members,
                               uint32_t index, enum tls_role role,
                               const struct net_credentials *own,
                               struct net_problem *problem)
{
    mbedtls_x509_crt certificate;
    char name[ROLE_NAME_MAX];
    enum pbft_status status = PBFT_OK;

    role_name(name, role, members->items[index].name);
    mbedtls_x509_crt_init(&certificate);
    if (mbedtls_x509_crt_parse(&certificate,
                               (const unsigned char *)own->certificate_pem,
                               strlen(own->certificate_pem) + 1) != 0) {
        say(problem, "the own TLS certificate cannot be read", "");
        status = PBFT_INVALID_CONFIG;
    } else if (!holds_for(&members->items[index], role, &certificate)) {
        say(problem,
            "the own TLS certificate is not a valid one, issued by the CA "
            "that the genesis names, for ",
            name);
        status = PBFT_WRONG_IDENTITY;
    }
    mbedtls_x509_crt_free(&certificate);
    return status;
}

/* Only the member whose name stands in the certificate is worth the signature
 * check. */
static bool mentions(const mbedtls_x509_crt *certificate, const char *name)
{
    for (const mbedtls_x509_sequence *it = &certificate->subject_alt_names;
         it != NULL; it = it->next) {
        if (it->buf.len == strlen(name) &&
            memcmp(it->buf.p, name, it->buf.len) == 0) {
            return true;
        }
    }
    return false;
}

uint32_t tls_peer_of(const struct tls_members *members, uint32_t pipe_id,
                     enum tls_role role, struct net_problem *problem)
{
    const nng_pipe pipe = {pipe_id};
    char name[ROLE_NAME_MAX];
    bool verified = false;

    if (nng_pipe_get_bool(pipe, NNG_OPT_TLS_VERIFIED, &verified) != 0) {
        verified = false;
    }
    const mbedtls_x509_crt *certificate = tls_seen_certificate();
    if (!verified || certificate == NULL) {
        say(problem, "a connection without a certificate", "");
        return NET_NOBODY;
    }
    for (uint32_t i = 0; i < members->count; i++) {
        role_name(name, role, members->items[i].name);
        if (mentions(certificate, name) &&
            holds_for(&members->items[i], role, certificate)) {
            return i;
        }
    }
    say(problem,
        "a certificate that is not that of a member in this role, or not "
        "issued by the member's own CA",
        "");
    return NET_NOBODY;
}
