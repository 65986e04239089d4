/* SPDX-License-Identifier: Apache-2.0 */
/* What the three parts of net/ share: members, own credentials, problems.
 *
 *   net/peers.h    replica to replica: lossy, non-blocking messages
 *   net/gateway.h  the port on which a replica serves its clients
 *   net/channel.h  a client's connection to one replica
 *
 * All connections are mutual TLS 1.2. A certificate counts only if it carries
 * the DNS name of its role, "replica.<name>" or "client.<name>", and was issued
 * by the CA of the institution of that name: no member can speak for another.
 *
 * No process may fork (without exec) after the first call into net/.
 */
#ifndef NET_NET_H
#define NET_NET_H

#include "consensus/message.h"
#include "consensus/status.h"
#include "consensus/types.h"

/* [a-z0-9-], as in the genesis file. */
#define NET_NAME_MAX 32
/* host:port; a host name has at most 253 characters. */
#define NET_ADDRESS_MAX 272
/* A member's CA certificate, DER. Certificates are 1 to 2 KiB. */
#define NET_CA_BYTES_MAX 8192
#define NET_PROBLEM_MAX 256

/* Who it was where nobody can say. */
#define NET_NOBODY UINT32_MAX

/* Plain TCP is for measurements on one machine. Peers and callers are then
 * whoever they claim to be; nothing is hidden. */
enum net_security { NET_TLS = 0, NET_UNSAFE_PLAIN_TCP = 1 };

/* One member of the consortium. Copied by those who are given it. */
struct net_member {
    const char *name;         /* Short name of the institution. */
    struct pbft_bytes tls_ca; /* DER of the CA that issues its certificates. */
    const char *address;      /* host:port to dial; NULL where not needed. */
};

/* The own certificate (chain) and key, PEM, NUL-terminated. Copied. */
struct net_credentials {
    const char *certificate_pem;
    const char *key_pem;
};

/* One line for people that says what failed: lower case, no full stop. */
struct net_problem {
    char text[NET_PROBLEM_MAX];
};

/* What the receiver of a message did with it. */
enum net_disposition {
    NET_TAKEN, /* The receiver owns the reference now. */
    NET_LATER, /* Its queue is full: net/ keeps the message and reads no more
                  until it is told to resume. */
};

#endif /* NET_NET_H */
