/* SPDX-License-Identifier: Apache-2.0 */
/* TLS for NNG, with our own engine on mbedTLS: NNG's built-in one hides who the
 * peer is. Private to net/.
 *
 * TLS 1.2, mutual, ECDHE-ECDSA only. The engine keeps the peer's certificate;
 * tls_peer_of() reads it in the ADD_PRE callback of a pipe and decides which
 * member the pipe belongs to.
 */
#ifndef NET_TLS_H
#define NET_TLS_H

#include "net/net.h"

/* Of <nng/nng.h>; opaque here. */
struct nng_tls_config;

enum tls_role { TLS_REPLICA, TLS_CLIENT };

/* The certificate authorities and names of all members, parsed once. */
struct tls_members;

PBFT_MUST_USE enum pbft_status
tls_members_create(struct tls_members **out, const struct net_member *members,
                   uint32_t member_count, struct net_problem *problem);
void tls_members_destroy(struct tls_members *members); /* NULL is fine. */

/* Registers the engine; to be called before any configuration is made. Safe to
 * call again. */
PBFT_MUST_USE enum pbft_status tls_engine_install(void);

/* For a listener: any member may call. */
PBFT_MUST_USE enum pbft_status tls_server_config(
    struct nng_tls_config **out, const struct tls_members *members,
    const struct net_credentials *own, struct net_problem *problem);
/* For a dialer: only "replica.<name>" issued by the CA of that member. */
PBFT_MUST_USE enum pbft_status
tls_client_config(struct nng_tls_config **out, const struct net_member *member,
                  const struct net_credentials *own,
                  struct net_problem *problem);
void tls_config_free(struct nng_tls_config *config);

/* Is `own` the certificate of `role` of members[index]? */
PBFT_MUST_USE enum pbft_status tls_check_own(const struct tls_members *members,
                                             uint32_t index, enum tls_role role,
                                             const struct net_credentials *own,
                                             struct net_problem *problem);

/* Which member is at the other end of a pipe (its nng id), by its certificate;
 * NET_NOBODY and a problem if it is none in that role. Only in ADD_PRE. */
uint32_t tls_peer_of(const struct tls_members *members, uint32_t pipe_id,
                     enum tls_role role, struct net_problem *problem);

/* The reason why a handshake failed last in this process; for people. */
void tls_last_problem(struct net_problem *problem);

#endif /* NET_TLS_H */
