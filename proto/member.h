/* SPDX-License-Identifier: Apache-2.0 */
/* One institution as the genesis file describes it: the public part that
 * `salus keygen` makes and that people compare by fingerprint.
 */
#ifndef PROTO_MEMBER_H
#define PROTO_MEMBER_H

#include "consensus/crypto.h"
#include "consensus/status.h"
#include "consensus/types.h"
#include "proto/buffer.h"
#include "proto/reason.h"

#define MEMBER_VERSION 1
#define MEMBER_NAME_MAX 32        /* [a-z0-9-]; also a DNS label. */
#define MEMBER_LEGAL_NAME_MAX 128 /* Bytes of UTF-8. */
#define MEMBER_ROLES_MAX 16    /* More than the INSTITUTION_ROLE table has. */
#define MEMBER_ADDRESS_MAX 261 /* A DNS name of 255, colon, port. */
#define MEMBER_SUBMIT_KEYS_MAX 16
#define MEMBER_TLS_CA_MAX 4096 /* DER; RSA-4096 with long names is half. */
#define MEMBER_ENCRYPTION_KEY_SIZE 32
#define MEMBER_FINGERPRINT_TEXT_SIZE 40 /* Eight groups of four, NUL. */

/* Plain data; may be copied. Texts are NUL-ended; an absent optional field is
 * zero. */
struct salus_member {
    struct pbft_institution institution;
    char name[MEMBER_NAME_MAX + 1];
    char legal_name[MEMBER_LEGAL_NAME_MAX + 1];
    char country[3];
    uint32_t roles[MEMBER_ROLES_MAX]; /* Ascending. */
    uint32_t role_count;
    bool has_replica;
    struct pbft_public_key replica_key;          /* If has_replica. */
    char peer_address[MEMBER_ADDRESS_MAX + 1];   /* If has_replica. */
    char client_address[MEMBER_ADDRESS_MAX + 1]; /* If has_replica. */
    struct pbft_public_key submit_keys[MEMBER_SUBMIT_KEYS_MAX];
    uint32_t submit_key_count;
    bool has_encryption_key;
    uint8_t encryption_key[MEMBER_ENCRYPTION_KEY_SIZE]; /* X25519. */
    uint8_t tls_ca[MEMBER_TLS_CA_MAX];
    uint32_t tls_ca_size; /* 0: none; needed where there is a replica. */
    struct pbft_signature possession;
};

/* Every rule that concerns one member alone but the possession. The reason
 * names the field. PBFT_INVALID_CONFIG. */
PBFT_MUST_USE enum pbft_status member_check(const struct salus_member *member,
                                            struct salus_reason *reason);

/* Decodes and checks. PBFT_MALFORMED, PBFT_NOT_CANONICAL, PBFT_TOO_LARGE,
 * PBFT_VERSION, PBFT_INVALID_CONFIG. */
PBFT_MUST_USE enum pbft_status member_decode(struct pbft_bytes bytes,
                                             struct salus_member *out,
                                             struct salus_reason *reason);
/* Appends the canonical bytes. */
PBFT_MUST_USE enum pbft_status member_encode(const struct salus_member *member,
                                             struct wire_buffer *buffer);

/* Proof that the institution holds its private key: a signature by the replica
 * key, or by the first submit key of an institution without a replica, over
 * "salus/member/1" padded to 16 bytes | canonical bytes without possession. */
const struct pbft_public_key *member_key(const struct salus_member *member);
PBFT_MUST_USE enum pbft_status
member_possession_preimage(const struct salus_member *member,
                           struct wire_buffer *buffer);
/* PBFT_BAD_SIGNATURE. */
PBFT_MUST_USE enum pbft_status
member_possession_check(const struct pbft_crypto *crypto,
                        const struct salus_member *member);

/* What people read to each other: "salus/memberfp/1" | canonical bytes. */
PBFT_MUST_USE enum pbft_status
member_fingerprint(const struct pbft_crypto *crypto,
                   const struct salus_member *member, struct pbft_digest *out);
/* The first 16 bytes in groups of four: "1a2b 3c4d ...". Also for genesis. */
void member_fingerprint_text(const struct pbft_digest *digest,
                             char out[MEMBER_FINGERPRINT_TEXT_SIZE]);

/* [a-z0-9-]{1,32}, for members and consortiums. */
bool member_name_is_valid(const char *name);
/* host:port with a DNS name, an IPv4 address or an IPv6 address in brackets;
 * port 1..65535 without leading zeros. */
bool member_address_is_valid(const char *address);

#endif /* PROTO_MEMBER_H */
