/* SPDX-License-Identifier: Apache-2.0 */
/* Counting what the replicas said. */
#include <stdlib.h>
#include <string.h>

#include "client/certify_private.h"
#include "client/fan_out.h"
#include "consensus/quorum.h"

bool certify_owes(const struct certify *certify, uint32_t replica)
{
    const struct certify_witness *witness = &certify->witnesses[replica];
    return !witness->is_final &&
           (!witness->has_said || witness->wants_body ||
            (certify->is_chosen && witness->said.seq != certify->height));
}

uint32_t certify_find_group(const struct certify *certify)
{
    uint32_t n = certify->client->replica_count;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t count = 0;
        bool counts = certify->witnesses[i].has_said &&
                      certify->witnesses[i].said.seq == certify->height;
        for (uint32_t j = 0; counts && j < n; j++) {
            count += certify->witnesses[j].has_said &&
                     certify_same(&certify->witnesses[i].said,
                                  &certify->witnesses[j].said);
        }
        if (count >= pbft_weak_quorum(n)) {
            return i;
        }
    }
    return n;
}

bool certify_all_have_spoken(const struct certify *certify)
{
    for (uint32_t i = 0; i < certify->client->replica_count; i++) {
        const struct certify_witness *witness = &certify->witnesses[i];
        bool may_come = fan_out_is_out(certify->fan, i) || witness->is_busy ||
                        witness->verdict == SALUS_WITNESS_NOT_ASKED ||
                        witness->verdict == SALUS_WITNESS_BEHIND ||
                        witness->verdict == SALUS_WITNESS_UNREACHABLE;
        if (certify_owes(certify, i) && may_come && !witness->was_absent) {
            return false;
        }
    }
    return true;
}

static int compare_heights(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left;
    uint64_t b = *(const uint64_t *)right;
    return a < b ? 1 : a > b ? -1 : 0; /* Highest first. */
}

bool certify_agree_on_height(const struct certify *certify, uint64_t *out)
{
    uint64_t heights[PBFT_REPLICAS_MAX];
    uint32_t count = 0;
    uint32_t needed = pbft_weak_quorum(certify->client->replica_count);
    for (uint32_t i = 0; i < certify->client->replica_count; i++) {
        if (certify->witnesses[i].has_newest &&
            !certify->witnesses[i].is_final) {
            heights[count++] = certify->witnesses[i].newest;
        }
    }
    qsort(heights, count, sizeof heights[0], compare_heights);
    if (count < needed) {
        return false;
    }
    *out = heights[needed - 1];
    return true;
}

bool certify_is_hopeless(const struct certify *certify)
{
    uint32_t n = certify->client->replica_count;
    uint32_t lost = 0;
    for (uint32_t i = 0; i < n; i++) {
        lost += certify->witnesses[i].is_final || certify->witnesses[i].is_gone;
    }
    return n - lost < pbft_weak_quorum(n);
}

bool certify_nobody_owes(const struct certify *certify)
{
    for (uint32_t i = 0; i < certify->client->replica_count; i++) {
        if (certify_owes(certify, i)) {
            return false;
        }
    }
    return true;
}

enum salus_status certify_why_not(const struct certify *certify)
{
    uint32_t refusals = 0;
    uint32_t heard = 0;
    enum salus_status refused = SALUS_UNPROVED;
    for (uint32_t i = 0; i < certify->client->replica_count; i++) {
        enum salus_witness verdict = certify->witnesses[i].verdict;
        heard += verdict != SALUS_WITNESS_UNREACHABLE &&
                 verdict != SALUS_WITNESS_SILENT &&
                 verdict != SALUS_WITNESS_NOT_ASKED;
        if (verdict == SALUS_WITNESS_REFUSES) {
            refusals++;
            refused = certify->witnesses[i].refused;
        }
    }
    return refusals >= pbft_weak_quorum(certify->client->replica_count)
               ? refused
           : heard == 0 ? SALUS_UNREACHABLE
                        : SALUS_UNPROVED;
}

/* ---- contradictions ------------------------------------------------------ */

/* Did somebody sign something else about the same block? */
static bool is_contradicted(const struct certify *certify, uint32_t replica)
{
    const struct certify_witness *own = &certify->witnesses[replica];
    for (uint32_t i = 0; i < certify->client->replica_count; i++) {
        const struct certify_witness *other = &certify->witnesses[i];
        if (own->has_said && other->has_said &&
            own->said.seq == other->said.seq &&
            !certify_same(&own->said, &other->said)) {
            return true;
        }
    }
    return false;
}

void certify_name_contradictions(struct certify *certify)
{
    for (uint32_t i = 0; i < certify->client->replica_count; i++) {
        if (is_contradicted(certify, i)) {
            certify->witnesses[i].verdict = SALUS_WITNESS_DISAGREES;
        }
    }
}

void certify_keep_statements(const struct certify *certify,
                             struct certify_witnesses *out)
{
    bool is_new = false;
    for (uint32_t i = 0; i < certify->client->replica_count; i++) {
        is_new = is_new || is_contradicted(certify, i);
    }
    if (!is_new || out->has_contradiction) {
        return;
    }
    out->has_contradiction = true;
    out->question = certify->question;
    for (uint32_t i = 0; i < certify->client->replica_count; i++) {
        const struct certify_witness *witness = &certify->witnesses[i];
        struct salus_statement *to = &out->statements[i];
        if (!witness->has_said) {
            continue;
        }
        *to =
            (struct salus_statement){.is_there = true,
                                     .height = witness->said.seq,
                                     .block_time_us = witness->said.block_time,
                                     .epoch = certify->client->keyring.epoch,
                                     .incarnation = witness->vote.incarnation};
        memcpy(to->ledger_root, witness->said.ledger_root.bytes,
               sizeof to->ledger_root);
        memcpy(to->answer, witness->said.answer.bytes, sizeof to->answer);
        memcpy(to->signature, witness->vote.signature.bytes,
               sizeof to->signature);
    }
}
