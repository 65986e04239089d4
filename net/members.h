/* SPDX-License-Identifier: Apache-2.0 */
/* Which member a TLS identity belongs to. Internal to net/. */
#ifndef NET_MEMBERS_H
#define NET_MEMBERS_H

#include "net/net.h"
#include "net/tls.h"

/* What a certificate is for. */
enum net_role { NET_ROLE_REPLICA, NET_ROLE_CLIENT };

struct net_members;

/* Copies names and CA certificates; a member without a CA is never found.
 * INVALID_CONFIG: a name is missing, too long or stands twice, or a CA is too
 * long; NO_MEMORY. */
PBFT_MUST_USE enum pbft_status
net_members_create(struct net_members **out, const struct net_member *members,
                   uint32_t count, struct net_problem *problem);
void net_members_destroy(struct net_members *members); /* NULL is fine. */

uint32_t net_members_count(const struct net_members *members);
const char *net_members_name(const struct net_members *members, uint32_t index);
struct pbft_bytes net_members_ca(const struct net_members *members,
                                 uint32_t index);
/* All of them, by index. */
const struct pbft_bytes *net_members_cas(const struct net_members *members);

/* "replica.<name>" or "client.<name>". */
void net_role_name(char out[TLS_NAME_SIZE], enum net_role role,
                   const char *name);

/* The member whose role name stands in the certificate and whose own CA has
 * issued it; NET_NOBODY if there is none. Several names that fit: the first. */
uint32_t net_members_find(const struct net_members *members, enum net_role role,
                          const struct tls_identity *identity);

#endif /* NET_MEMBERS_H */
