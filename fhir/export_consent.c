/* SPDX-License-Identifier: Apache-2.0 */
/* Consent from CONSENT_GRANT. The rules come from the ledger alone; the vault
 * gives back names, the policy's URI and where the signed form is. */
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "crypto/hex.h"
#include "crypto/secret.h"
#include "fhir/consent_words.h"
#include "fhir/exporting.h"

#define PATH_SIZE 96

/* ---- selectors ----------------------------------------------------------- */

static json_t *write_actor(struct exporting *exporting,
                           const Salus__V1__Selector__Actor *actor,
                           const char *path)
{
    static const struct {
        enum fhir_ledger_kind kind;
        const char *type;
    } kinds[] = {[TRANSACTION_ACTOR_INSTITUTION] = {FHIR_LEDGER_INSTITUTION,
                                                    "Organization"},
                 [TRANSACTION_ACTOR_PARTICIPANT] = {FHIR_LEDGER_PARTICIPANT,
                                                    "Practitioner"},
                 [TRANSACTION_ACTOR_GROUP] = {FHIR_LEDGER_GROUP, "Group"}};

    uint32_t kind = (uint32_t)actor->kind;
    if (kind < TRANSACTION_ACTOR_INSTITUTION ||
        kind > TRANSACTION_ACTOR_GROUP || actor->id.len != VAULT_ID_SIZE) {
        /* Anybody in a role: R4 has no such actor. */
        export_find(exporting, FHIR_EXPORT_FIELD, "%s", path);
        return NULL;
    }
    return json_pack(
        "{s:o, s:o}", "role",
        export_concept(export_coding(FHIR_SYSTEM_PARTICIPATION, "IRCP")),
        "reference",
        export_reference(exporting, kinds[kind].kind, actor->id.data,
                         kinds[kind].type));
}

static void write_actors(struct exporting *exporting, json_t *object,
                         const Salus__V1__Selector *selector, const char *path)
{
    json_t *list = json_array();
    char place[PATH_SIZE];

    for (size_t i = 0; i < selector->n_actors; i++) {
        (void)snprintf(place, sizeof place, "%s.actors[%zu]", path, i);
        json_t *actor = write_actor(exporting, selector->actors[i], place);
        if (actor != NULL) {
            (void)json_array_append_new(list, actor);
        }
    }
    if (selector->n_actors > 0) {
        export_put(exporting, object, "actor", list);
    } else {
        json_decref(list);
    }
}

/* A list of codes: Codings, or CodeableConcepts of one. */
static void write_codes(struct exporting *exporting, json_t *list,
                        enum codes_table table, const uint32_t *codes,
                        size_t count, const char *path, const char *field,
                        bool concepts)
{
    char place[PATH_SIZE];

    for (size_t i = 0; i < count; i++) {
        (void)snprintf(place, sizeof place, "%s.%s[%zu]", path, field, i);
        json_t *coding = export_code(exporting, table, codes[i], place);
        if (coding != NULL) {
            (void)json_array_append_new(list, concepts ? export_concept(coding)
                                                       : coding);
        }
    }
}

static void put_list(struct exporting *exporting, json_t *object,
                     const char *key, json_t *list)
{
    if (json_array_size(list) > 0) {
        export_put(exporting, object, key, list);
    } else {
        json_decref(list);
    }
}

static void write_security(struct exporting *exporting, json_t *object,
                           const Salus__V1__Selector *selector,
                           const struct vault_subject *subject,
                           const char *path)
{
    json_t *list = json_array();
    char place[PATH_SIZE];

    (void)snprintf(place, sizeof place, "%s.tags", path);
    write_codes(exporting, list, CODES_CONF, selector->confidentiality,
                selector->n_confidentiality, path, "confidentiality", false);
    export_labels(exporting, list, subject,
                  &(struct export_labels){.tags = selector->tags,
                                          .count = selector->n_tags,
                                          .path = place});
    put_list(exporting, object, "securityLabel", list);
}

static void write_purposes(struct exporting *exporting, json_t *object,
                           const Salus__V1__Selector *selector,
                           const char *path)
{
    json_t *list = json_array();

    write_codes(exporting, list, CODES_PURPOSE, selector->purposes,
                selector->n_purposes, path, "purposes", false);
    if (selector->purpose_unknown) {
        /* It matched nothing, and matches nothing again. */
        (void)json_array_append_new(
            list, export_coding(FHIR_PURPOSE_SYSTEM, "unknown"));
    }
    put_list(exporting, object, "purpose", list);
}

static bool is_document(const struct exporting *exporting, const uint8_t *id)
{
    struct fhir_exporter *exporter = exporting->exporter;
    const char *name = fhir_names_find(&exporter->names, FHIR_LEDGER_DATA, id);
    struct vault_record record;
    bool found = name != NULL && vault_find_record(exporter->options.vault,
                                                   &record, name) == PBFT_OK;

    secret_wipe(&record, sizeof record);
    return found;
}

static json_t *write_what(struct exporting *exporting,
                          const Salus__V1__Selector__DataRef *data)
{
    uint32_t meaning = (uint32_t)data->meaning;

    if (meaning == TRANSACTION_AUTHORED_BY) {
        return export_reference(exporting, FHIR_LEDGER_PARTICIPANT,
                                data->id.data, "Practitioner");
    }
    /* A deny of the document by its name would be one of all its versions. */
    if (exporting->denies &&
        (meaning == TRANSACTION_INSTANCE || meaning == TRANSACTION_RELATED) &&
        is_document(exporting, data->id.data)) {
        return export_ledger_reference(exporting, FHIR_LEDGER_DATA,
                                       data->id.data, "DocumentReference");
    }
    return export_reference(exporting, FHIR_LEDGER_DATA, data->id.data,
                            "DocumentReference");
}

/* The other half of a rule on an author, which every import adds. */
bool export_is_coauthor(const Salus__V1__Selector *selector, size_t place)
{
    const Salus__V1__Selector__DataRef *data = selector->data[place];

    for (size_t i = 0; (uint32_t)data->meaning == TRANSACTION_RELATED &&
                       data->id.len == VAULT_ID_SIZE && i < place;
         i++) {
        const Salus__V1__Selector__DataRef *other = selector->data[i];
        if ((uint32_t)other->meaning == TRANSACTION_AUTHORED_BY &&
            other->id.len == VAULT_ID_SIZE &&
            memcmp(other->id.data, data->id.data, VAULT_ID_SIZE) == 0) {
            return true;
        }
    }
    return false;
}

static void write_data(struct exporting *exporting, json_t *object,
                       const Salus__V1__Selector *selector, const char *path)
{
    json_t *list = json_array();

    for (size_t i = 0; i < selector->n_data; i++) {
        const Salus__V1__Selector__DataRef *data = selector->data[i];
        const char *meaning =
            fhir_word(&fhir_meanings, (uint32_t)data->meaning);
        if (meaning == NULL || data->id.len != VAULT_ID_SIZE) {
            export_find(exporting, FHIR_EXPORT_FIELD, "%s.data[%zu]", path, i);
            continue;
        }
        if (export_is_coauthor(selector, i)) {
            continue;
        }
        (void)json_array_append_new(
            list, json_pack("{s:s, s:o}", "meaning", meaning, "reference",
                            write_what(exporting, data)));
    }
    put_list(exporting, object, "data", list);
}

void export_selector(struct exporting *exporting, json_t *object,
                     const Salus__V1__Selector *selector,
                     const struct vault_subject *subject, const char *path)
{
    json_t *actions = json_array();
    json_t *classes = json_array();

    write_actors(exporting, object, selector, path);
    write_codes(exporting, actions, CODES_ACTION, selector->actions,
                selector->n_actions, path, "actions", true);
    put_list(exporting, object, "action", actions);
    write_security(exporting, object, selector, subject, path);
    write_purposes(exporting, object, selector, path);
    write_codes(exporting, classes, CODES_CLASS, selector->classes,
                selector->n_classes, path, "classes", false);
    put_list(exporting, object, "class", classes);
    export_put(exporting, object, "dataPeriod",
               export_period(exporting, selector->data_from_ms,
                             selector->data_to_ms, path));
    write_data(exporting, object, selector, path);
}

/* ---- the provision ------------------------------------------------------- */

static json_t *write_exceptions(struct exporting *exporting,
                                const Salus__V1__ConsentGrant *grant,
                                const struct vault_subject *subject)
{
    json_t *list = json_array();
    char path[PATH_SIZE];

    for (size_t i = 0; i < grant->n_exceptions; i++) {
        const Salus__V1__ConsentGrant__Exception *exception =
            grant->exceptions[i];
        json_t *object = json_object();
        const char *type =
            fhir_word(&fhir_decisions, (uint32_t)exception->type);
        (void)snprintf(path, sizeof path, "exceptions[%zu].selector", i);
        export_put_text(exporting, object, "type", type != NULL ? type : "");
        exporting->denies = (uint32_t)exception->type == TRANSACTION_DENY;
        if (exception->selector != NULL) {
            export_selector(exporting, object, exception->selector, subject,
                            path);
        }
        (void)json_array_append_new(list, object);
    }
    return list;
}

static json_t *write_provision(struct exporting *exporting,
                               const Salus__V1__ConsentGrant *grant,
                               const struct vault_subject *subject)
{
    json_t *provision = json_object();
    const char *type =
        fhir_word(&fhir_decisions, (uint32_t)grant->base_decision);

    exporting->denies = (uint32_t)grant->base_decision == TRANSACTION_DENY;
    export_put_text(exporting, provision, "type", type != NULL ? type : "");
    export_put(exporting, provision, "period",
               export_period(exporting, grant->period_from_ms,
                             grant->period_to_ms, "period_to_ms"));
    if (grant->root != NULL) {
        export_selector(exporting, provision, grant->root, subject, "root");
    }
    put_list(exporting, provision, "provision",
             write_exceptions(exporting, grant, subject));
    return provision;
}

/* ---- around it ----------------------------------------------------------- */

static json_t *write_performer(struct exporting *exporting,
                               const Salus__V1__ConsentGrant *grant)
{
    if ((uint32_t)grant->performer == TRANSACTION_BY_SUBJECT) {
        return export_reference(exporting, FHIR_LEDGER_SUBJECT,
                                grant->subject.data, "Patient");
    }
    if (grant->delegate.len != VAULT_ID_SIZE) {
        export_find(exporting, FHIR_EXPORT_FIELD, "delegate");
        return NULL;
    }
    return export_reference(exporting, FHIR_LEDGER_PARTICIPANT,
                            grant->delegate.data, "RelatedPerson");
}

/* Where the signed form is; else that there is one, by its commitment. */
static void write_source(struct exporting *exporting,
                         const Salus__V1__ConsentGrant *grant)
{
    const struct fhir_item *original = exporting->original;
    const char *name = original != NULL && !exporting->redacted
                           ? original->consent.source.name
                           : NULL;
    struct vault_record record;
    char hex[2 * PBFT_DIGEST_SIZE + 1] = "";

    if (name != NULL && vault_find_record(exporting->exporter->options.vault,
                                          &record, name) == PBFT_OK) {
        secret_wipe(&record, sizeof record);
        export_put(exporting, exporting->resource, "sourceReference",
                   export_name(name));
        return;
    }
    if (grant->evidence_commit.len == PBFT_DIGEST_SIZE) {
        hex_encode(hex, (struct pbft_bytes){grant->evidence_commit.data,
                                            PBFT_DIGEST_SIZE});
    }
    export_put(exporting, exporting->resource, "sourceAttachment",
               json_pack("{s:o}", "title",
                         json_sprintf("urn:salus:commitment:%s", hex)));
}

/* The URI itself, if the vault knows it; else the id. */
static void write_policy(struct exporting *exporting,
                         const Salus__V1__ConsentGrant *grant)
{
    const struct fhir_item *original = exporting->original;
    const char *uri = original != NULL ? original->consent.policy_uri : NULL;
    struct transaction_id16 id;
    char text[sizeof FHIR_POLICY_URI + 2 * VAULT_ID_SIZE] = FHIR_POLICY_URI;

    if (grant->policy_version != 1) {
        export_find(exporting, FHIR_EXPORT_FIELD, "policy_version");
    }
    if (grant->policy.len != sizeof id.bytes) {
        return;
    }
    if (uri != NULL) {
        fhir_policy_id(&id, uri);
    }
    if (uri == NULL ||
        memcmp(id.bytes, grant->policy.data, sizeof id.bytes) != 0) {
        hex_encode(text + sizeof FHIR_POLICY_URI - 1,
                   (struct pbft_bytes){grant->policy.data, sizeof id.bytes});
        uri = text;
    }
    export_put(exporting, exporting->resource, "policy",
               json_pack("[{s:s}]", "uri", uri));
}

static void write_head(struct exporting *exporting,
                       const Salus__V1__ConsentGrant *grant)
{
    json_t *resource = exporting->resource;
    char system[FHIR_LEDGER_SYSTEM_SIZE];
    char value[FHIR_LEDGER_VALUE_SIZE];
    const char *scope = fhir_word(&fhir_scopes, (uint32_t)grant->scope);

    fhir_ledger_system(system, &exporting->exporter->options.chain);
    fhir_ledger_value(value, FHIR_LEDGER_CONSENT, grant->consent.data);
    export_put(exporting, resource, "identifier",
               json_pack("[{s:s, s:s}]", "system", system, "value", value));
    export_put_text(exporting, resource, "status",
                    exporting->source->withdrawn ? "inactive" : "active");
    export_put(exporting, resource, "scope",
               export_concept(export_coding(FHIR_SYSTEM_CONSENT_SCOPE,
                                            scope != NULL ? scope : "")));
    export_put(exporting, resource, "category",
               export_list_of(export_concept(export_code(
                   exporting, CODES_CATEGORY, grant->category, "category"))));
    export_put(exporting, resource, "patient",
               export_reference(exporting, FHIR_LEDGER_SUBJECT,
                                grant->subject.data, "Patient"));
    export_put(exporting, resource, "dateTime",
               export_time(exporting, grant->given_at_ms, "given_at_ms"));
    export_put(exporting, resource, "performer",
               export_list_of(write_performer(exporting, grant)));
    export_put(exporting, resource, "organization",
               export_list_of(export_reference(
                   exporting, FHIR_LEDGER_INSTITUTION,
                   exporting->body->institution.data, "Organization")));
}

void export_consent(struct exporting *exporting)
{
    const Salus__V1__ConsentGrant *grant = exporting->body->consent_grant;
    const char *mode = fhir_word(&fhir_modes, (uint32_t)grant->mode);
    struct vault_subject subject;
    bool is_known = export_subject(exporting, &subject, &grant->subject);

    if (exporting->original != NULL && !exporting->redacted) {
        export_learn_consent(exporting, &exporting->original->consent);
    }
    export_begin(exporting, "Consent", FHIR_LEDGER_CONSENT,
                 grant->consent.data);
    export_extend(exporting, FHIR_MODE_URL, "valueCode",
                  json_string(mode != NULL ? mode : ""));
    write_head(exporting, grant);
    write_source(exporting, grant);
    write_policy(exporting, grant);
    export_put(exporting, exporting->resource, "provision",
               write_provision(exporting, grant, is_known ? &subject : NULL));
    export_end(exporting);
    secret_wipe(&subject, sizeof subject);
}
