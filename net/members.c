/* SPDX-License-Identifier: Apache-2.0 */
/* The members by role name and CA. Few hundred at most: searched in order. */
#include "net/members.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/common.h"

struct net_members {
    uint32_t count;
    struct member {
        char name[NET_NAME_MAX + 1];
        uint8_t *ca;
        struct pbft_digest fingerprint;
    } * list;
    struct pbft_bytes *cas; /* Into the list. */
};

static enum pbft_status add(struct net_members *members,
                            const struct net_member *from,
                            struct net_problem *problem)
{
    uint32_t index = members->count;
    struct member *member = &members->list[index];
    size_t length = from->name != NULL ? strlen(from->name) : 0;
    if (length == 0 || length > NET_NAME_MAX) {
        net_problem_set(problem, "member %u: bad name", index);
        return PBFT_INVALID_CONFIG;
    }
    for (uint32_t i = 0; i < index; i++) {
        if (strcmp(members->list[i].name, from->name) == 0) {
            net_problem_set(problem, "two members are called %s", from->name);
            return PBFT_INVALID_CONFIG;
        }
    }
    /* A member without a CA, which is one without TLS, is nobody's peer. */
    if (from->tls_ca.size > NET_CA_BYTES_MAX) {
        net_problem_set(problem, "member %s: CA certificate of %zu bytes",
                        from->name, from->tls_ca.size);
        return PBFT_INVALID_CONFIG;
    }
    memcpy(member->name, from->name, length);
    if (from->tls_ca.size > 0) {
        member->ca = malloc(from->tls_ca.size);
        if (member->ca == NULL) {
            return PBFT_NO_MEMORY;
        }
        memcpy(member->ca, from->tls_ca.data, from->tls_ca.size);
        tls_fingerprint(&member->fingerprint, from->tls_ca);
    }
    members->cas[index].data = member->ca;
    members->cas[index].size = from->tls_ca.size;
    members->count++;
    return PBFT_OK;
}

enum pbft_status net_members_create(struct net_members **out,
                                    const struct net_member *members,
                                    uint32_t count, struct net_problem *problem)
{
    if (count == 0 || count > PBFT_INSTITUTIONS_MAX || members == NULL) {
        net_problem_set(problem, "%u members, 1 to %u are possible", count,
                        PBFT_INSTITUTIONS_MAX);
        return PBFT_INVALID_CONFIG;
    }
    struct net_members *created = calloc(1, sizeof *created);
    if (created == NULL) {
        return PBFT_NO_MEMORY;
    }
    enum pbft_status status = PBFT_NO_MEMORY;
    created->list = calloc(count, sizeof *created->list);
    created->cas = calloc(count, sizeof *created->cas);
    if (created->list != NULL && created->cas != NULL) {
        status = PBFT_OK;
        for (uint32_t i = 0; i < count && status == PBFT_OK; i++) {
            status = add(created, &members[i], problem);
        }
    }
    if (status != PBFT_OK) {
        net_members_destroy(created);
        return status;
    }
    *out = created;
    return PBFT_OK;
}

void net_members_destroy(struct net_members *members)
{
    if (members == NULL) {
        return;
    }
    for (uint32_t i = 0; i < members->count; i++) {
        free(members->list[i].ca);
    }
    free(members->list);
    free(members->cas);
    free(members);
}

uint32_t net_members_count(const struct net_members *members)
{
    return members->count;
}

const char *net_members_name(const struct net_members *members, uint32_t index)
{
    return members->list[index].name;
}

struct pbft_bytes net_members_ca(const struct net_members *members,
                                 uint32_t index)
{
    return members->cas[index];
}

const struct pbft_bytes *net_members_cas(const struct net_members *members)
{
    return members->cas;
}

void net_role_name(char out[TLS_NAME_SIZE], enum net_role role,
                   const char *name)
{
    (void)snprintf(out, TLS_NAME_SIZE, "%s.%.*s",
                   role == NET_ROLE_REPLICA ? "replica" : "client",
                   NET_NAME_MAX, name);
}

static bool is_of(const struct net_members *members, uint32_t index,
                  enum net_role role, const struct tls_identity *identity,
                  const char *name)
{
    const struct member *member = &members->list[index];
    char expected[TLS_NAME_SIZE];
    net_role_name(expected, role, member->name);
    if (strcmp(name, expected) != 0 || member->ca == NULL) {
        return false;
    }
    /* Another member may have a CA that vouches for it too, made of what this
     * one shows to everybody. */
    return memcmp(identity->issuer.bytes, member->fingerprint.bytes,
                  sizeof identity->issuer.bytes) == 0 ||
           tls_is_issued_by(identity, net_members_ca(members, index));
}

uint32_t net_members_find(const struct net_members *members, enum net_role role,
                          const struct tls_identity *identity)
{
    if (!identity->is_verified) {
        return NET_NOBODY;
    }
    for (uint32_t k = 0; k < identity->name_count; k++) {
        for (uint32_t i = 0; i < members->count; i++) {
            if (is_of(members, i, role, identity, identity->names[k])) {
                return i;
            }
        }
    }
    return NET_NOBODY;
}
