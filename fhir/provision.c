/* SPDX-License-Identifier: Apache-2.0 */
/* Consent.provision: never drop a restriction (import law 3). Whatever is not
 * understood exactly makes the consent evidence only, or is refused. */
#include <string.h>

#include "fhir/consent.h"
#include "fhir/consent_words.h"
#include "fhir/labels.h"
#include "fhir/ledger_name.h"

/* What a level of provisions may hold, and how it is reported. */
struct level {
    const struct fhir_reader *reader;
    const struct fhir_consent *consent;
    struct fhir_selector *selector;
    bool is_root;
    bool denies; /* It, or what it is an exception of, decides so. */
};

static void full(const struct level *level, const struct fhir_node *node)
{
    fhir_find(level->reader->report, FHIR_PROVISION_MANY, node, NULL);
}

/* ---- actors -------------------------------------------------------------- */

static void read_actor(const struct level *level, const struct fhir_node *node)
{
    static const char *const known[] = {"id", "extension", "role", "reference",
                                        NULL};
    const struct fhir_reader *reader = level->reader;
    struct fhir_selector *selector = level->selector;

    fhir_only(reader->report, node, known);
    struct fhir_node role = fhir_take_object(reader, node, "role");
    struct fhir_coding coding =
        fhir_concept_only(reader, &role, FHIR_SYSTEM_PARTICIPATION);
    if (coding.code == NULL || strcmp(coding.code, "IRCP") != 0) {
        const char *shown =
            coding.code != NULL ? coding.code : fhir_concept_code(&role);
        fhir_find(reader->report, FHIR_ACTOR_ROLE, &role, shown);
    }
    struct fhir_node target = fhir_take_object(reader, node, "reference");
    if (target.json == NULL) {
        struct fhir_node absent = fhir_field(node, "reference");
        fhir_find(reader->report, FHIR_MISSING, &absent, NULL);
        return;
    }
    if (selector->actor_count == LEDGER_ACTORS_MAX) {
        full(level, node);
        return;
    }
    struct fhir_reference *actor = &selector->actors[selector->actor_count];
    if (!fhir_take_reference(reader, actor, &target)) {
        return;
    }
    selector->actor_count++;
    if (!fhir_may_act(actor->type)) {
        fhir_find(reader->report, FHIR_REFERENCE_TYPE, &target, NULL);
    }
}

/* ---- codes --------------------------------------------------------------- */

static bool add_code(const struct level *level, uint32_t *codes, size_t *count,
                     uint32_t code, const struct fhir_node *node)
{
    if (*count == LEDGER_CODES_MAX) {
        full(level, node);
        return false;
    }
    codes[(*count)++] = code;
    return true;
}

/* A permit for a purpose that no table knows never matches; a deny for one
 * could not be enforced and is refused (import law 5). */
static void read_purpose(const struct level *level,
                         const struct fhir_node *node)
{
    struct fhir_selector *selector = level->selector;
    struct fhir_coding coding;

    if (!fhir_take_coding(level->reader, &coding, node)) {
        return;
    }
    uint32_t id = fhir_purpose_id(level->reader, &coding);
    if (id != 0) {
        (void)add_code(level, selector->purposes, &selector->purpose_count, id,
                       node);
        return;
    }
    selector->purpose_unknown = true;
    fhir_find(level->reader->report,
              level->denies ? FHIR_DENY_PURPOSE : FHIR_PURPOSE, node,
              coding.code);
}

static void read_action(const struct level *level, const struct fhir_node *node)
{
    struct fhir_selector *selector = level->selector;
    struct fhir_coding coding =
        fhir_concept_only(level->reader, node, FHIR_SYSTEM_CONSENT_ACTION);
    const struct codes_entry *entry =
        coding.code == NULL
            ? NULL
            : codes_find(CODES_ACTION, coding.system, coding.code);

    if (entry == NULL) {
        fhir_find(level->reader->report, FHIR_ACTION, node,
                  fhir_concept_code(node));
        return;
    }
    (void)add_code(level, selector->actions, &selector->action_count, entry->id,
                   node);
}

/* Blinded with the key of one patient: of another it would match nothing, and a
 * deny would be lost. */
static bool is_blinded(const struct level *level,
                       const struct fhir_coding *coding)
{
    const char *patient = level->consent->patient.name;
    struct fhir_ledger_name id;
    uint8_t tag[VAULT_TAG_SIZE];

    return fhir_tag_parse(tag, coding->system, coding->code) &&
           patient != NULL && fhir_ledger_name_parse(&id, patient, NULL) &&
           id.kind == FHIR_LEDGER_SUBJECT;
}

static void read_label(const struct level *level, const struct fhir_node *node)
{
    struct fhir_selector *selector = level->selector;
    struct fhir_coding coding;

    if (!fhir_take_coding(level->reader, &coding, node)) {
        return;
    }
    const struct codes_entry *entry =
        codes_find(CODES_CONF, coding.system, coding.code);
    if (entry != NULL) {
        (void)add_code(level, selector->confidentiality,
                       &selector->confidentiality_count, entry->id, node);
        return;
    }
    bool is_known = strcmp(coding.system, FHIR_SYSTEM_ACT_CODE) == 0
                        ? fhir_label_is_known(coding.code)
                        : is_blinded(level, &coding);
    if (!is_known) {
        fhir_find(level->reader->report, FHIR_SECURITY_LABEL, node,
                  coding.code);
        return;
    }
    if (selector->label_count == LEDGER_TAGS_MAX) {
        full(level, node);
        return;
    }
    selector->labels[selector->label_count++] =
        (struct fhir_label){coding.system, coding.code};
}

/* Resource and media types are finer than the classes of the ledger: taking
 * them for a class would widen a permit. */
static void read_class(const struct level *level, const struct fhir_node *node)
{
    struct fhir_selector *selector = level->selector;
    struct fhir_coding coding;

    if (!fhir_take_coding(level->reader, &coding, node)) {
        return;
    }
    const struct codes_entry *entry =
        codes_find(CODES_CLASS, coding.system, coding.code);
    if (entry == NULL) {
        fhir_find(level->reader->report, FHIR_PROVISION_CLASS, node,
                  coding.code);
        return;
    }
    (void)add_code(level, selector->classes, &selector->class_count, entry->id,
                   node);
}

static void read_code(const struct level *level, const struct fhir_node *node)
{
    fhir_find(level->reader->report, FHIR_PROVISION_CODE, node, NULL);
}

/* ---- data ---------------------------------------------------------------- */

/* A permit for one version must not become one for the newest. */
static bool names_version(const struct fhir_node *reference)
{
    struct fhir_node node = fhir_field(reference, "reference");
    const char *text = fhir_string(&node);

    return text != NULL && strstr(text, "/_history/") != NULL;
}

static void read_data(const struct level *level, const struct fhir_node *node)
{
    static const char *const known[] = {"id", "extension", "meaning",
                                        "reference", NULL};
    const struct fhir_reader *reader = level->reader;
    struct fhir_selector *selector = level->selector;

    fhir_only(reader->report, node, known);
    const char *code = fhir_take_string(reader, node, "meaning");
    struct fhir_node meaning = fhir_field(node, "meaning");
    struct fhir_node target = fhir_take_object(reader, node, "reference");
    uint32_t number = fhir_word_number(&fhir_meanings, code);
    if (number == 0) {
        fhir_find(reader->report, code == NULL ? FHIR_MISSING : FHIR_BAD_CODE,
                  &meaning, code);
        return;
    }
    if (target.json == NULL) {
        fhir_find(reader->report, FHIR_MISSING, &target, NULL);
        return;
    }
    if (selector->data_count == LEDGER_DATA_REFS_MAX) {
        full(level, node);
        return;
    }
    struct fhir_data *data = &selector->data[selector->data_count];
    data->meaning = (enum transaction_meaning)number;
    if (!fhir_take_reference(reader, &data->reference, &target)) {
        return;
    }
    selector->data_count++;
    if (!level->denies && names_version(&target)) {
        fhir_find(reader->report, FHIR_DATA_VERSION, &target, NULL);
    }
    if (number == TRANSACTION_AUTHORED_BY &&
        (strcmp(data->reference.type, "Group") == 0 ||
         strcmp(data->reference.type, "CareTeam") == 0)) {
        fhir_find(reader->report, FHIR_AUTHOR_GROUP, &target, NULL);
    }
}

/* The ledger counts from 1970. */
static void read_data_period(const struct level *level,
                             const struct fhir_node *provision)
{
    struct fhir_period *period = &level->selector->data_period;
    struct fhir_node node = fhir_field(provision, "dataPeriod");

    if (!fhir_take_period(level->reader, period, provision, "dataPeriod")) {
        return;
    }
    if ((period->has_from && period->from <= 0) ||
        (period->has_to && period->to <= 0)) {
        fhir_find(level->reader->report, FHIR_EARLY_DATE, &node, NULL);
    }
}

/* ---- levels -------------------------------------------------------------- */

static uint32_t read_type(const struct level *level,
                          const struct fhir_node *provision)
{
    const struct fhir_reader *reader = level->reader;
    const char *type = fhir_take_string(reader, provision, "type");
    struct fhir_node node = fhir_field(provision, "type");

    if (type == NULL) {
        fhir_find(reader->report,
                  level->is_root ? FHIR_NO_ROOT_TYPE : FHIR_NO_NESTED_TYPE,
                  &node, NULL);
        return 0;
    }
    uint32_t decision = fhir_word_number(&fhir_decisions, type);
    if (decision == 0) {
        fhir_find(reader->report, FHIR_BAD_CODE, &node, type);
    }
    return decision;
}

typedef void read_element(const struct level *level,
                          const struct fhir_node *node);

static void read_each(const struct level *level,
                      const struct fhir_node *provision, const char *key,
                      read_element *read)
{
    struct fhir_node list = fhir_take_list(level->reader, provision, key);

    for (size_t i = 0; i < fhir_size(&list); i++) {
        struct fhir_node node = fhir_element(&list, i);
        read(level, &node);
    }
}

static void read_selector(const struct level *level,
                          const struct fhir_node *provision)
{
    static const char *const known[] = {
        "id",     "extension",     "modifierExtension",
        "type",   "period",        "actor",
        "action", "securityLabel", "purpose",
        "class",  "code",          "dataPeriod",
        "data",   "provision",     NULL};

    fhir_only(level->reader->report, provision, known);
    read_each(level, provision, "code", read_code);
    read_each(level, provision, "actor", read_actor);
    read_each(level, provision, "purpose", read_purpose);
    read_each(level, provision, "action", read_action);
    read_each(level, provision, "securityLabel", read_label);
    read_each(level, provision, "class", read_class);
    read_each(level, provision, "data", read_data);
    read_data_period(level, provision);
}

static void read_exception(const struct fhir_reader *reader,
                           struct fhir_selector *out,
                           const struct fhir_consent *consent,
                           const struct fhir_node *node)
{
    const struct fhir_selector *root = consent->root;
    struct level level = {
        .reader = reader, .consent = consent, .selector = out};
    struct fhir_node period = fhir_field(node, "period");
    struct fhir_node nested = fhir_field(node, "provision");

    out->decision = read_type(&level, node);
    level.denies = out->decision == TRANSACTION_DENY;
    read_selector(&level, node);
    if (period.json != NULL) {
        struct fhir_period ignored;
        (void)fhir_take_period(reader, &ignored, node, "period");
        fhir_find(reader->report, FHIR_NESTED_PERIOD, &period, NULL);
    }
    if (nested.json != NULL) {
        fhir_find(reader->report, FHIR_NESTED_TWICE, &nested, NULL);
    }
    if (fhir_states_nothing(node)) {
        fhir_find(reader->report, FHIR_EMPTY_EXCEPTION, node, NULL);
    }
    if (level.denies && root->purpose_unknown && out->purpose_count == 0 &&
        !out->purpose_unknown) {
        fhir_find(reader->report, FHIR_DENY_INHERITS, node, NULL);
    }
    fhir_provision_inherit(reader, out, root, node);
}

static void read_exceptions(const struct fhir_reader *reader,
                            struct fhir_consent *out,
                            const struct fhir_node *provision)
{
    struct fhir_node list = fhir_take_list(reader, provision, "provision");
    size_t count = fhir_size(&list);

    if (count > LEDGER_EXCEPTIONS_MAX) {
        fhir_find(reader->report, FHIR_PROVISION_MANY, &list, NULL);
        count = LEDGER_EXCEPTIONS_MAX;
    }
    if (count == 0) {
        return;
    }
    out->exceptions = fhir_allocate(reader, count * sizeof out->exceptions[0]);
    if (out->exceptions == NULL) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        struct fhir_node node = fhir_element(&list, i);
        read_exception(reader, &out->exceptions[i], out, &node);
    }
    out->exception_count = count;
}

void fhir_provision_read(const struct fhir_reader *reader,
                         struct fhir_consent *out,
                         const struct fhir_node *provision)
{
    struct level level = {.reader = reader, .consent = out, .is_root = true};

    out->root = fhir_allocate(reader, sizeof *out->root);
    if (out->root == NULL) {
        return;
    }
    level.selector = out->root;
    out->root->decision = read_type(&level, provision);
    level.denies = out->root->decision == TRANSACTION_DENY;
    read_selector(&level, provision);
    (void)fhir_take_period(reader, &out->period, provision, "period");
    read_exceptions(reader, out, provision);
    fhir_check_extensions(reader, provision);
}
