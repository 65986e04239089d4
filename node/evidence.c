/* SPDX-License-Identifier: Apache-2.0 */
/* Evidence against other replicas, for whoever asks (design: P15). */
#include "consensus/evidence.h"

#include <inttypes.h>

#include "consensus/assert.h"
#include "node/node_private.h"
#include "proto/scan.h"
#include "salus/v1/client.pb-c.h"

#define REPLY_VERSION 1

static void tell(const struct node *node, const struct pbft_message *evidence)
{
    const struct pbft_claim claim = pbft_evidence_claim(evidence->evidence);
    journal(JOURNAL_WARNING, "evidence",
            "against=%s replica=%" PRIu32 " kind=%s view=%" PRIu64
            " seq=%" PRIu64,
            genesis_replica(node->identity->genesis, claim.signer)->name,
            claim.signer, pbft_message_type_name(claim.type), claim.view,
            claim.seq);
}

void node_publish_evidence(struct node *node)
{
    const struct pbft_replica *replica = pbft_driver_replica(node->driver);
    const uint32_t count = pbft_replica_evidence_count(replica);
    PBFT_ASSERT(count <= PBFT_EVIDENCE_MAX);
    while (node->evidence_count < count) {
        const struct pbft_message *evidence =
            pbft_replica_evidence(replica, node->evidence_count);
        tell(node, evidence);
        (void)pthread_mutex_lock(&node->report_lock);
        node->evidence[node->evidence_count++] = pbft_message_ref(evidence);
        (void)pthread_mutex_unlock(&node->report_lock);
    }
}

void node_forget_evidence(struct node *node)
{
    while (node->evidence_count > 0) {
        pbft_message_unref(node->evidence[--node->evidence_count]);
    }
}

/* What is there now; it only grows. */
static uint32_t take(struct node *node, const struct pbft_message **out)
{
    (void)pthread_mutex_lock(&node->report_lock);
    const uint32_t count = node->evidence_count;
    for (uint32_t i = 0; i < count; i++) {
        out[i] = pbft_message_ref(node->evidence[i]);
    }
    (void)pthread_mutex_unlock(&node->report_lock);
    return count;
}

enum pbft_status node_evidence_reply(struct node *node,
                                     struct node_scratch *scratch)
{
    const struct pbft_message *held[PBFT_EVIDENCE_MAX];
    const uint32_t count = take(node, held);
    Salus__V1__EvidenceList list = SALUS__V1__EVIDENCE_LIST__INIT;
    Salus__V1__ClientReply reply = SALUS__V1__CLIENT_REPLY__INIT;
    list.evidence =
        wire_arena_alloc(&scratch->arena, (count + 1) * sizeof *list.evidence);
    PBFT_ASSERT(list.evidence != NULL);
    for (uint32_t i = 0; i < count; i++) {
        uint8_t *bytes =
            wire_arena_alloc(&scratch->arena, PBFT_EVIDENCE_BYTES_MAX);
        PBFT_ASSERT(bytes != NULL);
        list.evidence[i].data = bytes;
        list.evidence[i].len = pbft_evidence_encode(held[i]->evidence, bytes);
        pbft_message_unref(held[i]);
    }
    list.n_evidence = count;
    reply.version = REPLY_VERSION;
    reply.kind_case = SALUS__V1__CLIENT_REPLY__KIND_EVIDENCE;
    reply.evidence = &list;
    return wire_pack(&reply.base, &scratch->reply);
}
