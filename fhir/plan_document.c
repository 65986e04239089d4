/* SPDX-License-Identifier: Apache-2.0 */
/* RECORD_ANCHOR from a DocumentReference: the content is sealed under a fresh
 * key, the key wrapped for the custodian, and only commitments leave. */
#include <stdio.h>
#include <string.h>

#include "crypto/digest.h"
#include "crypto/random.h"
#include "crypto/seal.h"
#include "crypto/secret.h"
#include "crypto/wrap.h"
#include "fhir/plan_document.h"
#include "salus/v1/ledger.pb-c.h"
#include "vault/sealed.h"

#define RECORD_VERSION 1
#define ALGORITHM_AES_256_GCM 1

static_assert(VAULT_WRAP_SIZE == WRAP_SIZE,
              "a wrap is a data key sealed for one recipient");

/* ---- content ------------------------------------------------------------- */

/* Blinded labels, padded so that their number says little. */
static void blind_labels(struct anchor *anchor,
                         const struct fhir_document *document)
{
    size_t count = document->label_count;

    for (size_t i = 0; i < count; i++) {
        vault_blind_tag(anchor->tags[i], &anchor->subject, FHIR_SYSTEM_ACT_CODE,
                        document->labels[i]);
    }
    size_t padded = count == 0 ? 0 : count <= 4 ? 4 : count <= 8 ? 8 : 16;
    for (size_t i = count; i < padded; i++) {
        random_fill(anchor->tags[i], VAULT_TAG_SIZE);
    }
    anchor->tag_count = padded;
}

static enum pbft_status wrap_key(struct anchor *anchor,
                                 const uint8_t recipient[HPKE_KEY_SIZE])
{
    struct transaction_key_id key_id;
    struct wrap_identity identity = {.version = RECORD_VERSION};

    transaction_key_id(&key_id, recipient);
    memcpy(identity.record, anchor->record.id, sizeof identity.record);
    memcpy(identity.key_id, key_id.bytes, sizeof identity.key_id);
    enum pbft_status status = wrap_seal(anchor->record.wrap, recipient,
                                        &identity, anchor->record.data_key);
    if (status == PBFT_OK) {
        anchor->envelope.recipient_key = key_id;
        uint8_t salt[COMMIT_SALT_SIZE];
        wrap_salt(salt, anchor->record.salt, key_id.bytes);
        wrap_commit(&anchor->envelope.wrap_commit, salt, anchor->record.wrap);
    }
    return status;
}

static void format_location(struct anchor *anchor)
{
    const uint8_t *b = anchor->record.id;

    (void)snprintf(anchor->location, sizeof anchor->location,
                   "urn:uuid:%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-"
                   "%02x%02x%02x%02x%02x%02x",
                   b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9],
                   b[10], b[11], b[12], b[13], b[14], b[15]);
}

/* Of another document: what refers to that one would mean this one. */
static bool url_is_taken(struct planner *planner, const struct anchor *anchor)
{
    const char *url = planner->item->full_url;
    struct vault_record known;

    if (url == NULL || planner->options->rehearse ||
        !plan_find_record(planner, &known, url, NULL)) {
        return false;
    }
    bool is_own =
        anchor->has_before &&
        memcmp(known.first, anchor->before.first, sizeof known.first) == 0;
    secret_wipe(&known, sizeof known);
    return !is_own;
}

/* Others of its bundle may refer to it by its fullUrl. */
static bool name_by_url(struct planner *planner, const struct anchor *anchor)
{
    const char *url = planner->item->full_url;
    char own_name[VAULT_OWN_NAME_SIZE];

    vault_own_name(own_name, anchor->record.id);
    return url == NULL ||
           planner_check(planner, vault_point(planner->options->vault,
                                              VAULT_RECORD, planner_text(url),
                                              planner_text(own_name)));
}

static bool seal_content(struct planner *planner, struct anchor *anchor)
{
    const struct fhir_plan_options *options = planner->options;
    const struct fhir_document *document = &planner->item->document;
    struct pbft_bytes content = {document->content, document->content_size};
    struct pbft_digest commit;
    const char *name = planner_item_name(planner);

    vault_draw_record(&anchor->record);
    anchor->record.class_code = document->class_code;
    anchor->record.status = document->status;
    anchor->record.doc_status = document->doc_status;
    if (anchor->has_before && !plan_is_of_another(anchor)) {
        memcpy(anchor->record.first, anchor->before.first,
               sizeof anchor->record.first);
        memcpy(anchor->record.root, anchor->before.root,
               sizeof anchor->record.root);
    }
    if (anchor->is_prior_known) {
        memcpy(anchor->record.root, anchor->prior.root,
               sizeof anchor->record.root);
    }
    memcpy(anchor->record.subject, anchor->subject.handle,
           sizeof anchor->record.subject);
    commit_sha256(&commit, COMMIT_DOMAIN_RECORD, anchor->record.salt, content);
    memcpy(anchor->record.commit, commit.bytes, sizeof anchor->record.commit);
    format_location(anchor);
    if (options->rehearse) {
        anchor->cipher_size = seal_size(content.size);
        return name != NULL;
    }
    return name != NULL &&
           planner_check(planner, wrap_key(anchor, options->custodian_key)) &&
           planner_check(
               planner,
               vault_sealed_write(options->vault, &anchor->cipher_digest,
                                  &anchor->cipher_size,
                                  &options->envelope.chain, anchor->record.id,
                                  anchor->record.data_key, content)) &&
           planner_check(planner, vault_set_record(options->vault, name,
                                                   &anchor->record)) &&
           name_by_url(planner, anchor);
}

/* ---- transaction --------------------------------------------------------- */

/* Whole months: the day of a visit identifies people. */
static void coarse_period(struct transaction_record_anchor *out,
                          const struct fhir_period *period)
{
    if (!period->has_from && !period->has_to) {
        return;
    }
    int64_t from = period->has_from ? period->from : period->to - 1;
    int64_t to = period->has_to ? period->to : from + 1;
    struct fhir_interval months = fhir_date_months(from, to);
    if (months.from <= 0 || months.to <= 0) {
        return; /* Before 1970: not said. */
    }
    out->data_from_ms = period->has_from ? (uint64_t)months.from : 0;
    out->data_to_ms = period->has_to ? (uint64_t)months.to : 0;
}

static void describe(struct transaction_record_anchor *out,
                     const struct anchor *anchor,
                     const struct fhir_document *document)
{
    *out = (struct transaction_record_anchor){
        .record = {anchor->record.id, VAULT_ID_SIZE},
        .class_code = document->class_code,
        .confidentiality = document->confidentiality,
        .tags = {&anchor->tags[0][0], anchor->tag_count},
        .commit = {anchor->record.commit, sizeof anchor->record.commit},
        .cipher_digest = {anchor->cipher_digest.bytes, PBFT_DIGEST_SIZE},
        .cipher_size_bucket = forms_size_bucket(anchor->cipher_size),
        .algorithm = ALGORITHM_AES_256_GCM,
        .location = {(const uint8_t *)anchor->location,
                     strlen(anchor->location)},
        .envelopes = &anchor->envelope,
        .envelope_count = 1,
        .related = {&anchor->related[0][0], anchor->related_count}};
    if (document->subject.name != NULL) {
        out->subject =
            (struct pbft_bytes){anchor->subject.handle, VAULT_HANDLE_SIZE};
    }
    if (anchor->has_author) {
        out->author = (struct pbft_bytes){anchor->author.id, VAULT_ID_SIZE};
    }
    if (anchor->has_prior) {
        out->prior_record =
            (struct pbft_bytes){anchor->prior.id, VAULT_ID_SIZE};
    }
    coarse_period(out, &document->period);
}

/* One version at most is open: the one before would give what was corrected,
 * under its old labels, to whom the new ones exclude. */
static void retract_before(struct planner *planner, const struct anchor *anchor)
{
    const struct vault_record *before = &anchor->before;
    Salus__V1__RecordRetract message = SALUS__V1__RECORD_RETRACT__INIT;
    char own_name[VAULT_OWN_NAME_SIZE];

    if (!anchor->has_before || before->ended) {
        return;
    }
    message.record =
        (ProtobufCBinaryData){VAULT_ID_SIZE, (uint8_t *)(uintptr_t)before->id};
    message.expected_version = RECORD_VERSION;
    message.reason = plan_is_of_another(anchor)
                         ? SALUS__V1__RECORD_AMEND__REASON__WRONG_PATIENT
                         : SALUS__V1__RECORD_AMEND__REASON__ENTERED_IN_ERROR;
    struct vault_step *step =
        planner_add_payload(planner, &planner->options->envelope,
                            TRANSACTION_RECORD_RETRACT, &message.base);
    vault_own_name(own_name, before->id);
    if (step != NULL) {
        (void)planner_end_row(planner, step, VAULT_RECORD, own_name);
    }
}

void plan_document(struct planner *planner)
{
    const struct fhir_document *document = &planner->item->document;
    struct transaction transaction = {.type = TRANSACTION_RECORD_ANCHOR};
    struct anchor anchor;

    memset(&anchor, 0, sizeof anchor);
    plan_relations(planner, &anchor);
    if (url_is_taken(planner, &anchor)) {
        planner_find(planner, FHIR_FULL_URL, "$");
    }
    if (planner_is_sound(planner)) {
        blind_labels(&anchor, document);
    }
    if (planner_is_sound(planner) && seal_content(planner, &anchor)) {
        describe(&transaction.record_anchor, &anchor, document);
        retract_before(planner, &anchor);
        (void)planner_add_version(planner, &transaction, VAULT_RECORD,
                                  anchor.record.id,
                                  anchor.has_before ? anchor.before.id : NULL);
    }
    secret_wipe(&anchor, sizeof anchor);
}
