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
#include "fhir/ledger_name.h"
#include "fhir/planner.h"
#include "ledger/forms.h"
#include "salus/v1/ledger.pb-c.h"
#include "vault/sealed.h"

#define RECORD_VERSION 1
#define ALGORITHM_AES_256_GCM 1
#define LOCATION_SIZE 48

static_assert(VAULT_WRAP_SIZE == WRAP_SIZE,
              "a wrap is a data key sealed for one recipient");

/* What the transaction points into. */
struct anchor {
    struct vault_subject subject;
    struct vault_participant author;
    struct vault_record record;
    struct vault_record prior; /* What it continues. */
    bool has_prior;
    bool is_prior_known;        /* `replaces` names a document of the vault. */
    struct vault_record before; /* What its name meant. */
    bool has_before;
    uint8_t related[LEDGER_RELATED_MAX][VAULT_ID_SIZE];
    size_t related_count;
    uint8_t tags[LEDGER_TAGS_MAX][VAULT_TAG_SIZE];
    size_t tag_count;
    struct pbft_digest cipher_digest;
    uint64_t cipher_size;
    struct transaction_record_envelope envelope;
    char location[LOCATION_SIZE];
};

/* ---- references ---------------------------------------------------------- */

/* The ledger takes our own word for our own records only. */
static void check_custodian(struct planner *planner,
                            const struct fhir_reference *reference)
{
    const struct pbft_institution *own =
        &planner->options->envelope.institution;
    struct vault_participant custodian;

    if (reference->name != NULL &&
        planner_participant(planner, &custodian, reference) &&
        custodian.kind == VAULT_IS_INSTITUTION &&
        memcmp(custodian.id, own->bytes, sizeof own->bytes) != 0) {
        planner_find(planner, FHIR_FOREIGN, reference->path);
    }
}

/* An unknown record is a finding if a path is given. */
static bool find_record(struct planner *planner, struct vault_record *out,
                        const char *name, const char *path)
{
    enum pbft_status status =
        vault_find_record(planner->options->vault, out, name);

    if (status == PBFT_NOT_FOUND && path != NULL) {
        planner_find(planner, FHIR_UNRESOLVED, path);
    } else if (status != PBFT_NOT_FOUND) {
        (void)planner_check(planner, status);
    }
    return status == PBFT_OK;
}

/* The patient was corrected: it is a new document, and the one before was never
 * that patient's. */
static bool is_of_another(const struct anchor *anchor)
{
    return anchor->has_before &&
           memcmp(anchor->before.subject, anchor->subject.handle,
                  sizeof anchor->before.subject) != 0;
}

/* The version that an id of the ledger names, which the vault may know. */
static void find_named(struct planner *planner, struct anchor *anchor,
                       const struct fhir_ledger_name *id)
{
    char own_name[VAULT_OWN_NAME_SIZE];

    anchor->has_prior = id->kind == FHIR_LEDGER_DATA;
    if (!anchor->has_prior) {
        planner_find(planner, FHIR_REFERENCE_TYPE,
                     planner->item->document.replaces.path);
        return;
    }
    memcpy(anchor->prior.id, id->id, sizeof anchor->prior.id);
    vault_own_name(own_name, id->id);
    anchor->is_prior_known =
        !planner->options->rehearse &&
        find_record(planner, &anchor->prior, own_name, NULL);
}

/* A changed document under a known name continues the record before it. */
static void find_versions(struct planner *planner, struct anchor *anchor)
{
    const struct fhir_reference *replaces = &planner->item->document.replaces;
    const char *name = planner_item_name(planner);
    struct fhir_ledger_name id;

    anchor->has_before = name != NULL && !planner->options->rehearse &&
                         find_record(planner, &anchor->before, name, NULL);
    if (replaces->name != NULL &&
        fhir_ledger_name_parse(&id, replaces->name,
                               &planner->options->envelope.chain)) {
        find_named(planner, anchor, &id);
    } else if (replaces->name != NULL) {
        anchor->has_prior = find_record(planner, &anchor->prior, replaces->name,
                                        replaces->path);
        anchor->is_prior_known =
            anchor->has_prior && !planner->options->rehearse;
    } else if (anchor->has_before && !is_of_another(anchor)) {
        anchor->prior = anchor->before;
        anchor->has_prior = true;
    }
}

/* Consents that deny a document name its first version. */
static void relate_to_first(struct planner *planner, struct anchor *anchor,
                            const struct vault_record *version)
{
    for (size_t i = 0; i < anchor->related_count; i++) {
        if (memcmp(anchor->related[i], version->first, VAULT_ID_SIZE) == 0) {
            return;
        }
    }
    if (anchor->related_count == LEDGER_RELATED_MAX) {
        planner_find(planner, FHIR_MANY, "context");
        return;
    }
    memcpy(anchor->related[anchor->related_count++], version->first,
           VAULT_ID_SIZE);
}

static void resolve(struct planner *planner, struct anchor *anchor)
{
    const struct fhir_document *document = &planner->item->document;

    if (document->subject.name != NULL) {
        (void)planner_subject(planner, &anchor->subject, &document->subject);
    }
    if (document->author.name != NULL) {
        (void)planner_participant(planner, &anchor->author, &document->author);
    }
    check_custodian(planner, &document->custodian);
    for (size_t i = 0; i < document->related_count; i++) {
        (void)planner_data(planner, anchor->related[i], &document->related[i],
                           true);
    }
    anchor->related_count = document->related_count;
    find_versions(planner, anchor);
    if (anchor->has_before && !is_of_another(anchor)) {
        relate_to_first(planner, anchor, &anchor->before);
    }
    if (anchor->is_prior_known) {
        relate_to_first(planner, anchor, &anchor->prior);
    }
    /* The next version is related to this one: without a place for that, it
     * would be refused, and this one stay open. */
    if (!anchor->has_before && !planner->options->rehearse &&
        anchor->related_count == LEDGER_RELATED_MAX) {
        planner_find(planner, FHIR_MANY, "context");
    }
}

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
        !find_record(planner, &known, url, NULL)) {
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
    if (anchor->has_before && !is_of_another(anchor)) {
        memcpy(anchor->record.first, anchor->before.first,
               sizeof anchor->record.first);
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
    /* An institution as author is the custodian itself. */
    if (document->author.name != NULL &&
        anchor->author.kind != VAULT_IS_INSTITUTION) {
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
    message.reason = is_of_another(anchor)
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
    resolve(planner, &anchor);
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
