/* SPDX-License-Identifier: Apache-2.0 */
/* Words for message types, and the match. */
#include "sim/pattern.h"

#include <string.h>

#include "sim/sim.h"

#define BIT(type) (UINT32_C(1) << (type))

static const struct {
    const char *word;
    uint32_t types;
} type_words[] = {
    {"request", BIT(PBFT_MESSAGE_REQUEST)},
    {"pre-prepare", BIT(PBFT_MESSAGE_PRE_PREPARE)},
    {"prepare", BIT(PBFT_MESSAGE_PREPARE)},
    {"commit", BIT(PBFT_MESSAGE_COMMIT)},
    {"attestation", BIT(PBFT_MESSAGE_ATTESTATION)},
    {"checkpoint", BIT(PATTERN_CHECKPOINT)},
    {"view-change", BIT(PBFT_MESSAGE_VIEW_CHANGE)},
    {"new-view", BIT(PBFT_MESSAGE_NEW_VIEW)},
    {"status", BIT(PBFT_MESSAGE_STATUS)},
    {"fetch", BIT(PBFT_MESSAGE_FETCH)},
    {"state", BIT(PBFT_MESSAGE_BATCH) | BIT(PBFT_MESSAGE_PREPARED) |
                  BIT(PBFT_MESSAGE_COMMITTED) | BIT(PBFT_MESSAGE_STABLE)},
    {"reply", BIT(PATTERN_REPLY)},
    {"*", UINT32_MAX},
};

bool pattern_types(const char *word, uint32_t *types)
{
    for (size_t i = 0; i < sizeof type_words / sizeof type_words[0]; i++) {
        if (strcmp(type_words[i].word, word) == 0) {
            *types = type_words[i].types;
            return true;
        }
    }
    return false;
}

static bool is_of_type(const struct sim *sim, uint32_t types,
                       const struct pbft_message *message, bool is_reply)
{
    if (is_reply) {
        return (types & BIT(PATTERN_REPLY)) != 0;
    }
    if ((types & BIT(message->type)) != 0) {
        return true;
    }
    return (types & BIT(PATTERN_CHECKPOINT)) != 0 &&
           message->type == PBFT_MESSAGE_ATTESTATION &&
           message->attestation.seq %
                   sim->settings.replica.checkpoint_interval ==
               0;
}

static bool has_view(const struct pbft_message *message)
{
    switch (message->type) {
    case PBFT_MESSAGE_PRE_PREPARE:
    case PBFT_MESSAGE_PREPARE:
    case PBFT_MESSAGE_COMMIT:
    case PBFT_MESSAGE_VIEW_CHANGE:
    case PBFT_MESSAGE_NEW_VIEW:
    case PBFT_MESSAGE_STATUS:
    case PBFT_MESSAGE_PREPARED:
    case PBFT_MESSAGE_COMMITTED:
        return true;
    case PBFT_MESSAGE_FETCH:
        return message->fetch.kind == PBFT_FETCH_NEW_VIEW;
    case PBFT_MESSAGE_REQUEST:
    case PBFT_MESSAGE_ATTESTATION:
    case PBFT_MESSAGE_BATCH:
    case PBFT_MESSAGE_STABLE:
    case PBFT_MESSAGE_EVIDENCE:
        return false;
    }
    return false;
}

static bool has_seq(const struct pbft_message *message)
{
    switch (message->type) {
    case PBFT_MESSAGE_PRE_PREPARE:
    case PBFT_MESSAGE_PREPARE:
    case PBFT_MESSAGE_COMMIT:
    case PBFT_MESSAGE_ATTESTATION:
    case PBFT_MESSAGE_PREPARED:
    case PBFT_MESSAGE_COMMITTED:
    case PBFT_MESSAGE_STABLE:
        return true;
    case PBFT_MESSAGE_FETCH:
        return message->fetch.kind == PBFT_FETCH_BODY ||
               message->fetch.kind == PBFT_FETCH_BLOCKS;
    case PBFT_MESSAGE_REQUEST:
    case PBFT_MESSAGE_VIEW_CHANGE:
    case PBFT_MESSAGE_NEW_VIEW:
    case PBFT_MESSAGE_STATUS:
    case PBFT_MESSAGE_BATCH:
    case PBFT_MESSAGE_EVIDENCE:
        return false;
    }
    return false;
}

bool pattern_equal(const struct pattern *a, const struct pattern *b)
{
    return a->types == b->types && a->has_from == b->has_from &&
           a->has_to == b->has_to && a->has_view == b->has_view &&
           a->has_seq == b->has_seq && a->view == b->view && a->seq == b->seq &&
           memcmp(&a->from, &b->from, sizeof a->from) == 0 &&
           memcmp(&a->to, &b->to, sizeof a->to) == 0;
}

bool pattern_matches_message(const struct sim *sim,
                             const struct pattern *pattern,
                             const struct pbft_message *message, bool is_reply)
{
    return is_of_type(sim, pattern->types, message, is_reply) &&
           (!pattern->has_view ||
            (has_view(message) &&
             pbft_message_view(message) == pattern->view)) &&
           (!pattern->has_seq ||
            (has_seq(message) && pbft_message_seq(message) == pattern->seq));
}

bool pattern_matches(const struct sim *sim, const struct pattern *pattern,
                     const struct sim_packet *packet)
{
    return packet->state != PACKET_DONE &&
           (!pattern->has_from ||
            actor_set_has(&pattern->from, packet->from)) &&
           (!pattern->has_to || actor_set_has(&pattern->to, packet->to)) &&
           pattern_matches_message(sim, pattern, packet->message,
                                   packet->reply != NULL);
}
