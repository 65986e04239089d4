/* SPDX-License-Identifier: Apache-2.0 */
/* Shape, membership and own signature of each type (design: P2, P17). */
#include "consensus/verify.h"

#include <string.h>

#include "consensus/assert.h"
#include "consensus/preimage.h"
#include "consensus/quorum.h"

static bool has_valid_signature(const struct pbft_verifier *verifier,
                                const struct pbft_public_key *key,
                                const struct pbft_preimage *preimage,
                                const struct pbft_signature *signature)
{
    const struct pbft_crypto *crypto = verifier->domain->crypto;
    return crypto->verify(crypto->context, key,
                          (struct pbft_bytes){preimage->bytes, preimage->size},
                          signature);
}

static enum pbft_status check_signature(const struct pbft_verifier *verifier,
                                        const struct pbft_message *message)
{
    const struct pbft_keyring *keyring = verifier->keyring;
    if (message->epoch != keyring->epoch ||
        message->sender >= keyring->replica_count) {
        return PBFT_NOT_MEMBER;
    }
    struct pbft_preimage preimage;
    pbft_message_preimage(verifier->domain, message, &preimage);
    return has_valid_signature(verifier, &keyring->keys[message->sender],
                               &preimage, &message->signature)
               ? PBFT_OK
               : PBFT_BAD_SIGNATURE;
}

static enum pbft_status check_request(const struct pbft_verifier *verifier,
                                      const struct pbft_message *message)
{
    const struct pbft_request *request = &message->request;
    if (request->payload.size > PBFT_REQUEST_BYTES_MAX) {
        return PBFT_TOO_LARGE;
    }
    if (request->sequence == 0 || (request->lane != PBFT_LANE_NORMAL &&
                                   request->lane != PBFT_LANE_URGENT)) {
        return PBFT_MALFORMED;
    }
    if (verifier->is_request_known != NULL &&
        verifier->is_request_known(verifier->cache_context, &request->digest)) {
        return PBFT_OK;
    }
    struct pbft_preimage preimage;
    pbft_request_preimage(verifier->domain, request, &preimage);
    if (!has_valid_signature(verifier, &request->client, &preimage,
                             &request->signature)) {
        return PBFT_BAD_SIGNATURE;
    }
    if (verifier->remember_request != NULL) {
        verifier->remember_request(verifier->cache_context, &request->digest);
    }
    return PBFT_OK;
}

static enum pbft_status check_batch(const struct pbft_verifier *verifier,
                                    const struct pbft_message *message)
{
    const struct pbft_batch *batch = &message->batch;
    if (batch->request_count > PBFT_BATCH_REQUESTS_MAX ||
        batch->bytes > PBFT_BATCH_BYTES_MAX) {
        return PBFT_TOO_LARGE;
    }
    if (batch->time == 0 && batch->request_count > 0) {
        return PBFT_MALFORMED; /* Time 0 is the null batch alone. */
    }
    for (uint32_t i = 0; i < batch->request_count; i++) {
        enum pbft_status status = check_request(verifier, batch->requests[i]);
        if (status != PBFT_OK) {
            return status;
        }
    }
    return PBFT_OK;
}

static enum pbft_status check_pre_prepare(const struct pbft_verifier *verifier,
                                          const struct pbft_message *message)
{
    const struct pbft_pre_prepare *fields = &message->pre_prepare;
    if (fields->seq == 0 ||
        message->sender !=
            pbft_primary_of(fields->view, verifier->keyring->replica_count)) {
        return PBFT_MALFORMED;
    }
    if (fields->body != NULL &&
        memcmp(&fields->digest, &fields->body->batch.digest,
               sizeof fields->digest) != 0) {
        return PBFT_BAD_DIGEST;
    }
    /* The header's one signature before the many of the body: who is not the
     * primary of the view cannot make us work. */
    enum pbft_status status = check_signature(verifier, message);
    if (status == PBFT_OK && fields->body != NULL) {
        status = check_batch(verifier, fields->body);
    }
    return status;
}

/* Prepared certificates: only what would make the list itself meaningless. */
static enum pbft_status
check_prepared_shapes(const struct pbft_verifier *verifier,
                      const struct pbft_view_change *fields)
{
    pbft_seq previous = fields->stable->stable.attestation.seq;
    pbft_seq stable = previous;
    if (fields->prepared_count > verifier->window) {
        return PBFT_TOO_LARGE;
    }
    for (uint32_t i = 0; i < fields->prepared_count; i++) {
        const struct pbft_message *certificate = fields->prepared[i];
        pbft_seq seq = pbft_message_seq(certificate);
        if (certificate->type != PBFT_MESSAGE_PREPARED || seq <= previous ||
            seq - stable > verifier->window ||
            pbft_message_view(certificate) >= fields->view) {
            return PBFT_MALFORMED;
        }
        previous = seq;
    }
    return PBFT_OK;
}

static enum pbft_status check_view_change(const struct pbft_verifier *verifier,
                                          const struct pbft_message *message)
{
    const struct pbft_view_change *fields = &message->view_change;
    if (fields->view == 0 || fields->stable->type != PBFT_MESSAGE_STABLE) {
        return PBFT_MALFORMED;
    }
    enum pbft_status status = check_prepared_shapes(verifier, fields);
    if (status == PBFT_OK) {
        status = check_signature(verifier, message);
    }
    if (status == PBFT_OK) {
        status = pbft_verify_certificate(verifier, fields->stable);
    }
    return status;
}

static enum pbft_status
check_new_view_sources(const struct pbft_verifier *verifier,
                       const struct pbft_new_view *fields)
{
    uint32_t n = verifier->keyring->replica_count;
    struct pbft_replica_set seen = {{0}};
    if (fields->view_change_count > n) {
        return PBFT_TOO_LARGE;
    }
    for (uint32_t i = 0; i < fields->view_change_count; i++) {
        pbft_replica_id replica = fields->view_changes[i].replica;
        if (replica >= n) {
            return PBFT_NOT_MEMBER;
        }
        if (pbft_set_has(&seen, replica)) {
            return PBFT_BAD_CERTIFICATE;
        }
        pbft_set_add(&seen, replica);
    }
    return fields->view_change_count >= pbft_quorum(n) ? PBFT_OK
                                                       : PBFT_BAD_CERTIFICATE;
}

static enum pbft_status
check_new_view_headers(const struct pbft_verifier *verifier,
                       const struct pbft_message *message)
{
    const struct pbft_new_view *fields = &message->new_view;
    for (uint32_t i = 0; i < fields->pre_prepare_count; i++) {
        const struct pbft_message *header = fields->pre_prepares[i];
        if (header->type != PBFT_MESSAGE_PRE_PREPARE ||
            header->pre_prepare.body != NULL ||
            header->pre_prepare.view != fields->view ||
            header->sender != message->sender || header->pre_prepare.seq == 0) {
            return PBFT_MALFORMED;
        }
        if (i > 0 && header->pre_prepare.seq - 1 !=
                         fields->pre_prepares[i - 1]->pre_prepare.seq) {
            return PBFT_MALFORMED;
        }
        enum pbft_status status = check_signature(verifier, header);
        if (status != PBFT_OK) {
            return status;
        }
    }
    return PBFT_OK;
}

static enum pbft_status check_new_view(const struct pbft_verifier *verifier,
                                       const struct pbft_message *message)
{
    const struct pbft_new_view *fields = &message->new_view;
    if (fields->view == 0 ||
        message->sender !=
            pbft_primary_of(fields->view, verifier->keyring->replica_count)) {
        return PBFT_MALFORMED;
    }
    if (fields->pre_prepare_count > verifier->window) {
        return PBFT_TOO_LARGE;
    }
    enum pbft_status status = check_signature(verifier, message);
    if (status == PBFT_OK) {
        status = check_new_view_sources(verifier, fields);
    }
    if (status == PBFT_OK) {
        status = check_new_view_headers(verifier, message);
    }
    return status;
}

static enum pbft_status check_status(const struct pbft_verifier *verifier,
                                     const struct pbft_message *message)
{
    const struct pbft_status_report *fields = &message->status;
    if (fields->prepared_words > PBFT_STATUS_WORDS_MAX) {
        return PBFT_TOO_LARGE;
    }
    if (fields->version_min > fields->version_max) {
        return PBFT_MALFORMED;
    }
    return check_signature(verifier, message);
}

static enum pbft_status check_fetch(const struct pbft_verifier *verifier,
                                    const struct pbft_message *message)
{
    const struct pbft_fetch *fields = &message->fetch;
    if (fields->kind < PBFT_FETCH_BODY || fields->kind > PBFT_FETCH_NEW_VIEW) {
        return PBFT_MALFORMED;
    }
    if (fields->kind == PBFT_FETCH_BLOCKS) {
        if (fields->seq == 0 || fields->last < fields->seq) {
            return PBFT_MALFORMED;
        }
        if (fields->last - fields->seq >= PBFT_FETCH_BLOCKS_MAX) {
            return PBFT_TOO_LARGE;
        }
    }
    return check_signature(verifier, message);
}

/* Nobody passes these on for another: a STATUS or FETCH that comes from a third
 * replica is an old one, sent again to make us believe or send something. */
static bool is_of_its_channel(enum pbft_message_type type)
{
    return type == PBFT_MESSAGE_REQUEST || type == PBFT_MESSAGE_STATUS ||
           type == PBFT_MESSAGE_FETCH;
}

enum pbft_status pbft_verify(const struct pbft_verifier *verifier,
                             pbft_replica_id channel,
                             const struct pbft_message *message)
{
    PBFT_ASSERT(verifier->keyring->replica_count > 0);
    PBFT_ASSERT(verifier->keyring->replica_count <= PBFT_REPLICAS_MAX);
    if (message->sender != channel && is_of_its_channel(message->type)) {
        return PBFT_NOT_MEMBER;
    }
    switch (message->type) {
    case PBFT_MESSAGE_REQUEST:
        return check_request(verifier, message);
    case PBFT_MESSAGE_PRE_PREPARE:
        return check_pre_prepare(verifier, message);
    case PBFT_MESSAGE_PREPARE:
        return message->prepare.seq == 0 ? PBFT_MALFORMED
                                         : check_signature(verifier, message);
    case PBFT_MESSAGE_COMMIT:
        return message->commit.seq == 0 ? PBFT_MALFORMED
                                        : check_signature(verifier, message);
    case PBFT_MESSAGE_ATTESTATION:
        return message->attestation.seq == 0
                   ? PBFT_MALFORMED
                   : check_signature(verifier, message);
    case PBFT_MESSAGE_VIEW_CHANGE:
        return check_view_change(verifier, message);
    case PBFT_MESSAGE_NEW_VIEW:
        return check_new_view(verifier, message);
    case PBFT_MESSAGE_STATUS:
        return check_status(verifier, message);
    case PBFT_MESSAGE_FETCH:
        return check_fetch(verifier, message);
    case PBFT_MESSAGE_BATCH:
        return check_batch(verifier, message);
    case PBFT_MESSAGE_PREPARED:
    case PBFT_MESSAGE_COMMITTED:
    case PBFT_MESSAGE_STABLE:
        return pbft_verify_certificate(verifier, message);
    case PBFT_MESSAGE_EVIDENCE:
        break; /* A record; nobody takes another's word for it. */
    }
    return PBFT_MALFORMED;
}
