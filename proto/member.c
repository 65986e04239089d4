/* SPDX-License-Identifier: Apache-2.0 */
/* The rules that concern one member. */
#include "proto/member.h"

#include <string.h>

#include "proto/codec_limits.h"
#include "proto/utf8.h"

#define HOST_MAX 255u
#define LABEL_MAX 63u
#define PORT_MAX 65535u
#define OCTET_MAX 255u

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

bool member_name_is_valid(const char *name)
{
    size_t size = strlen(name);
    if (size == 0 || size > MEMBER_NAME_MAX) {
        return false;
    }
    for (size_t i = 0; i < size; i++) {
        if (!is_lower(name[i]) && !is_digit(name[i]) && name[i] != '-') {
            return false;
        }
    }
    return true;
}

/* Decimal without sign or leading zero, 1..max or, with zero_ok, 0..max. */
static bool is_number(const char *text, size_t size, unsigned max, bool zero_ok)
{
    unsigned value = 0;
    if (size == 0 || size > 5 || (text[0] == '0' && (size > 1 || !zero_ok))) {
        return false;
    }
    for (size_t i = 0; i < size; i++) {
        if (!is_digit(text[i])) {
            return false;
        }
        value = value * 10 + (unsigned)(text[i] - '0');
    }
    return value <= max;
}

static bool is_label(const char *text, size_t size)
{
    if (size == 0 || size > LABEL_MAX || text[0] == '-' ||
        text[size - 1] == '-') {
        return false;
    }
    for (size_t i = 0; i < size; i++) {
        char c = text[i];
        if (!is_lower(c) && !is_digit(c) && !(c >= 'A' && c <= 'Z') &&
            c != '-') {
            return false;
        }
    }
    return true;
}

/* Labels with dots between; all digits means an IPv4 address. */
static bool is_host_name(const char *host, size_t size)
{
    size_t begin = 0;
    unsigned labels = 0;
    unsigned octets = 0;
    bool last_is_number = false;
    for (size_t i = 0; i <= size; i++) {
        if (i < size && host[i] != '.') {
            continue;
        }
        if (!is_label(host + begin, i - begin)) {
            return false;
        }
        last_is_number = is_digit(host[begin]);
        for (size_t j = begin; j < i; j++) {
            last_is_number = last_is_number && is_digit(host[j]);
        }
        octets += is_number(host + begin, i - begin, OCTET_MAX, true);
        labels++;
        begin = i + 1;
    }
    return last_is_number ? labels == 4 && octets == 4 : true;
}

/* The form of an IPv6 address; the resolver has the last word. */
static bool is_ipv6(const char *host, size_t size)
{
    unsigned colons = 0;
    if (size < 2 || size > 45) {
        return false;
    }
    for (size_t i = 0; i < size; i++) {
        char c = host[i];
        bool hexadecimal =
            is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
        if (!hexadecimal && c != ':' && c != '.') {
            return false;
        }
        colons += c == ':';
    }
    return colons >= 2 && colons <= 7;
}

bool member_address_is_valid(const char *address)
{
    const char *colon = strrchr(address, ':');
    size_t size = strlen(address);
    if (colon == NULL || size > MEMBER_ADDRESS_MAX) {
        return false;
    }
    size_t host = (size_t)(colon - address);
    if (!is_number(colon + 1, size - host - 1, PORT_MAX, false)) {
        return false;
    }
    if (host > 2 && address[0] == '[' && address[host - 1] == ']') {
        return is_ipv6(address + 1, host - 2);
    }
    return host > 0 && host <= HOST_MAX && is_host_name(address, host);
}

static bool is_country(const char *text)
{
    return strlen(text) == 2 && text[0] >= 'A' && text[0] <= 'Z' &&
           text[1] >= 'A' && text[1] <= 'Z';
}

static bool is_zero(const uint8_t *bytes, size_t size)
{
    uint8_t any = 0;
    for (size_t i = 0; i < size; i++) {
        any |= bytes[i];
    }
    return any == 0;
}

static const char *roles_problem(const struct salus_member *member)
{
    if (member->role_count > MEMBER_ROLES_MAX) {
        return "more than 16 roles";
    }
    for (uint32_t i = 0; i < member->role_count; i++) {
        if (member->roles[i] == 0 ||
            (i > 0 && member->roles[i] <= member->roles[i - 1])) {
            return "roles are not ascending codes from 1";
        }
    }
    return NULL;
}

static const char *keys_problem(const struct salus_member *member)
{
    if (member->submit_key_count > MEMBER_SUBMIT_KEYS_MAX) {
        return "more than 16 submit keys";
    }
    if (!member->has_replica && member->submit_key_count == 0) {
        return "neither a replica key nor a submit key";
    }
    for (uint32_t i = 0; i < member->submit_key_count; i++) {
        const uint8_t *key = member->submit_keys[i].bytes;
        if (is_zero(key, PBFT_PUBLIC_KEY_SIZE)) {
            return "a submit key is zero";
        }
        for (uint32_t j = 0; j < i; j++) {
            if (memcmp(key, member->submit_keys[j].bytes,
                       PBFT_PUBLIC_KEY_SIZE) == 0) {
                return "a submit key stands there twice";
            }
        }
        if (member->has_replica &&
            memcmp(key, member->replica_key.bytes, PBFT_PUBLIC_KEY_SIZE) == 0) {
            return "the replica key is a submit key too";
        }
    }
    return NULL;
}

static const char *replica_problem(const struct salus_member *member)
{
    if (!member->has_replica) {
        return member->peer_address[0] != '\0' ||
                       member->client_address[0] != '\0'
                   ? "an address, but no replica key"
                   : NULL;
    }
    if (is_zero(member->replica_key.bytes, PBFT_PUBLIC_KEY_SIZE)) {
        return "the replica key is zero";
    }
    if (!member_address_is_valid(member->peer_address)) {
        return "peer_address is not host:port";
    }
    if (!member_address_is_valid(member->client_address)) {
        return "client_address is not host:port";
    }
    if (strcmp(member->peer_address, member->client_address) == 0) {
        return "peer_address and client_address are the same";
    }
    return member->tls_ca_size == 0 ? "no tls_ca" : NULL;
}

static const char *problem(const struct salus_member *member)
{
    struct pbft_bytes legal_name = {(const uint8_t *)member->legal_name,
                                    strlen(member->legal_name)};
    if (is_zero(member->institution.bytes, PBFT_INSTITUTION_SIZE)) {
        return "the institution id is zero";
    }
    if (legal_name.size == 0 || !wire_utf8_is_line(legal_name)) {
        return "legal_name is not one line of 1 to 128 bytes";
    }
    if (!is_country(member->country)) {
        return "country is not two capital letters";
    }
    if (member->tls_ca_size > MEMBER_TLS_CA_MAX) {
        return "tls_ca is larger than 4096 bytes";
    }
    const char *text = roles_problem(member);
    if (text == NULL) {
        text = keys_problem(member);
    }
    return text != NULL ? text : replica_problem(member);
}

enum pbft_status member_check(const struct salus_member *member,
                              struct salus_reason *reason)
{
    if (!member_name_is_valid(member->name)) {
        salus_reason_set(reason, "member: name is not [a-z0-9-]{1,32}");
        return PBFT_INVALID_CONFIG;
    }
    const char *text = problem(member);
    if (text != NULL) {
        salus_reason_set(reason, "member %s: %s", member->name, text);
        return PBFT_INVALID_CONFIG;
    }
    return PBFT_OK;
}

const struct pbft_public_key *member_key(const struct salus_member *member)
{
    return member->has_replica ? &member->replica_key : &member->submit_keys[0];
}

enum pbft_status member_possession_preimage(const struct salus_member *member,
                                            struct wire_buffer *buffer)
{
    static const uint8_t tag[16] = "salus/member/1";
    struct salus_member without = *member;
    memset(&without.possession, 0, sizeof without.possession);
    wire_buffer_put(buffer, tag, sizeof tag);
    return buffer->status == PBFT_OK ? member_encode(&without, buffer)
                                     : buffer->status;
}

enum pbft_status member_possession_check(const struct pbft_crypto *crypto,
                                         const struct salus_member *member)
{
    struct wire_buffer preimage;
    wire_buffer_init(&preimage, WIRE_FRAME_BYTES_MAX);
    enum pbft_status status = member_possession_preimage(member, &preimage);
    if (status == PBFT_OK &&
        !crypto->verify(crypto->context, member_key(member),
                        wire_buffer_bytes(&preimage), &member->possession)) {
        status = PBFT_BAD_SIGNATURE;
    }
    wire_buffer_deinit(&preimage);
    return status;
}

enum pbft_status member_fingerprint(const struct pbft_crypto *crypto,
                                    const struct salus_member *member,
                                    struct pbft_digest *out)
{
    static const uint8_t tag[16] = {'s', 'a', 'l', 'u', 's', '/', 'm', 'e',
                                    'm', 'b', 'e', 'r', 'f', 'p', '/', '1'};
    struct wire_buffer bytes;
    wire_buffer_init(&bytes, WIRE_FRAME_BYTES_MAX);
    enum pbft_status status = member_encode(member, &bytes);
    if (status == PBFT_OK) {
        const struct pbft_bytes parts[] = {{tag, sizeof tag},
                                           wire_buffer_bytes(&bytes)};
        crypto->digest(crypto->context, out, parts, 2);
    }
    wire_buffer_deinit(&bytes);
    return status;
}

void member_fingerprint_text(const struct pbft_digest *digest,
                             char out[MEMBER_FINGERPRINT_TEXT_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < 16; i++) {
        if (i > 0 && i % 2 == 0) {
            *out++ = ' ';
        }
        *out++ = digits[digest->bytes[i] >> 4];
        *out++ = digits[digest->bytes[i] & 15];
    }
    *out = '\0';
}
