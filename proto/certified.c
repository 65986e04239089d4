/* SPDX-License-Identifier: Apache-2.0 */
/* What replicas sign of a question and its answer. */
#include "proto/certified.h"

#include <string.h>

#include "salus/v1/ledger.pb-c.h"

#define TAG_SIZE 16

static void tagged_digest(const struct pbft_crypto *crypto,
                          struct pbft_digest *out, const char tag[TAG_SIZE],
                          struct pbft_bytes bytes)
{
    const struct pbft_bytes parts[] = {{(const uint8_t *)tag, TAG_SIZE}, bytes};
    crypto->digest(crypto->context, out, parts, 2);
}

void certified_query_digest(const struct pbft_crypto *crypto,
                            struct pbft_digest *out, struct pbft_bytes query)
{
    static const char tag[TAG_SIZE] = "salus/query/1";
    tagged_digest(crypto, out, tag, query);
}

void certified_answer_digest(const struct pbft_crypto *crypto,
                             struct pbft_digest *out, struct pbft_bytes answer)
{
    static const char tag[TAG_SIZE] = "salus/ansdig/1";
    tagged_digest(crypto, out, tag, answer);
}

enum pbft_status certified_verify_vote(const struct pbft_domain *domain,
                                       const struct pbft_keyring *keyring,
                                       pbft_epoch epoch,
                                       const struct pbft_answered *answered,
                                       const struct pbft_vote *vote)
{
    struct pbft_preimage preimage;
    if (epoch != keyring->epoch || vote->replica >= keyring->replica_count) {
        return PBFT_NOT_MEMBER;
    }
    pbft_answered_preimage(domain, epoch, vote->replica, vote->incarnation,
                           answered, &preimage);
    return domain->crypto->verify(
               domain->crypto->context, &keyring->keys[vote->replica],
               (struct pbft_bytes){preimage.bytes, preimage.size},
               &vote->signature)
               ? PBFT_OK
               : PBFT_BAD_SIGNATURE;
}

struct ProtobufCBinaryData *certified_query_cursor(Salus__V1__Query *query)
{
    switch (query->kind_case) {
    case SALUS__V1__QUERY__KIND_CONSENT_HISTORY:
        return &query->consent_history->cursor;
    case SALUS__V1__QUERY__KIND_ACCOUNTING:
        return &query->accounting->cursor;
    case SALUS__V1__QUERY__KIND_WHO_MAY:
        return &query->who_may->cursor;
    case SALUS__V1__QUERY__KIND_WHAT_MAY:
        return &query->what_may->cursor;
    case SALUS__V1__QUERY__KIND_BREAK_GLASS:
        return &query->break_glass->cursor;
    case SALUS__V1__QUERY__KIND_OBLIGATIONS:
        return &query->obligations->cursor;
    case SALUS__V1__QUERY__KIND_SUSPECT:
        return &query->suspect->cursor;
    case SALUS__V1__QUERY__KIND_CODES:
        return &query->codes->cursor;
    case SALUS__V1__QUERY__KIND_CONSENTS:
        return &query->consents->cursor;
    case SALUS__V1__QUERY__KIND_INSTITUTIONS:
        return &query->institutions->cursor;
    case SALUS__V1__QUERY__KIND_INDETERMINATE:
        return &query->indeterminate->cursor;
    default:
        return NULL;
    }
}

static struct pbft_bytes bytes_of(const ProtobufCBinaryData *field)
{
    return (struct pbft_bytes){field->data, field->len};
}

struct pbft_bytes certified_answer_cursor(const Salus__V1__Answer *answer)
{
    switch (answer->kind_case) {
    case SALUS__V1__ANSWER__KIND_CONSENT_HISTORY:
        return bytes_of(&answer->consent_history->cursor);
    case SALUS__V1__ANSWER__KIND_ACCOUNTING:
        return bytes_of(&answer->accounting->cursor);
    case SALUS__V1__ANSWER__KIND_WHO_MAY:
        return bytes_of(&answer->who_may->cursor);
    case SALUS__V1__ANSWER__KIND_WHAT_MAY:
        return bytes_of(&answer->what_may->cursor);
    case SALUS__V1__ANSWER__KIND_BREAK_GLASS:
        return bytes_of(&answer->break_glass->cursor);
    case SALUS__V1__ANSWER__KIND_OBLIGATIONS:
        return bytes_of(&answer->obligations->cursor);
    case SALUS__V1__ANSWER__KIND_SUSPECTS:
        return bytes_of(&answer->suspects->cursor);
    case SALUS__V1__ANSWER__KIND_CODES:
        return bytes_of(&answer->codes->cursor);
    case SALUS__V1__ANSWER__KIND_CONSENTS:
        return bytes_of(&answer->consents->cursor);
    case SALUS__V1__ANSWER__KIND_INSTITUTIONS:
        return bytes_of(&answer->institutions->cursor);
    case SALUS__V1__ANSWER__KIND_INDETERMINATE:
        return bytes_of(&answer->indeterminate->cursor);
    default:
        return (struct pbft_bytes){NULL, 0};
    }
}
