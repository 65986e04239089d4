/* SPDX-License-Identifier: Apache-2.0 */
/* The consents of a subject, heard one by one. */
#include "ledger/decide.h"

#include <string.h>

#include "ledger/consent.h"
#include "proto/scan.h"

uint64_t decide_all(size_t target_count)
{
    return target_count >= 64 ? UINT64_MAX : ((uint64_t)1 << target_count) - 1;
}

/* ---- one consent --------------------------------------------------------- */

static void note(struct decide_voice *voice, uint64_t bit, bool is_deny,
                 size_t selector)
{
    bool first =
        voice->selector == DECIDE_SILENT || (is_deny && voice->denied == 0);
    if (first) {
        voice->selector = (uint8_t)selector;
    }
    if (is_deny) {
        voice->denied |= bit;
    } else {
        voice->permitted |= bit;
    }
}

struct hearing {
    const struct decide_question *question;
    const Salus__V1__ConsentGrant *grant;
    struct decide_voice *voice;
};

/* A deny that names the purpose itself; of a target as a whole, or parts. */
static void note_name(const struct hearing *hearing, uint64_t bit,
                      const struct decide_selector *selector, bool is_whole)
{
    if (selector->is_deny &&
        decide_names_purpose(hearing->question, selector)) {
        if (is_whole) {
            hearing->voice->named |= bit;
        } else {
            hearing->voice->named_part |= bit;
        }
    }
}

/* A selector, by its number in the consent, matches and says so. */
static bool speaks(struct hearing *hearing, size_t target,
                   const struct decide_selector *selector, size_t number)
{
    const struct decide_question *question = hearing->question;
    const struct decide_target *about = &question->targets[target];
    uint64_t bit = (uint64_t)1 << target;
    switch (decide_matches(question, selector, about)) {
    case DECIDE_YES:
        note_name(hearing, bit, selector,
                  !question->is_emergency || decide_closes(selector, about));
        note(hearing->voice, bit, selector->is_deny, number);
        return true;
    case DECIDE_PART:
        hearing->voice->narrowed |= bit;
        note_name(hearing, bit, selector, false);
        return false;
    case DECIDE_NO:
        break;
    }
    return false;
}

static bool permit_exception_speaks(struct hearing *hearing, size_t target)
{
    const Salus__V1__ConsentGrant *grant = hearing->grant;
    for (size_t i = 0; i < grant->n_exceptions; i++) {
        const struct decide_selector selector = {
            grant->root, grant->exceptions[i]->selector, false};
        if (grant->exceptions[i]->type != SALUS__V1__DECISION__DENY &&
            speaks(hearing, target, &selector, i + 1)) {
            return true;
        }
    }
    return false;
}

/* All of them are heard: the first one denies, but a later one may name the
 * purpose. */
static bool deny_exceptions_speak(struct hearing *hearing, size_t target)
{
    const Salus__V1__ConsentGrant *grant = hearing->grant;
    bool denied = false;
    for (size_t i = 0; i < grant->n_exceptions; i++) {
        const struct decide_selector selector = {
            grant->root, grant->exceptions[i]->selector, true};
        if (grant->exceptions[i]->type == SALUS__V1__DECISION__DENY &&
            speaks(hearing, target, &selector, i + 1)) {
            denied = true;
        }
    }
    return denied;
}

static void one_speaks(struct hearing *hearing, size_t target)
{
    const struct decide_selector root = {hearing->grant->root, NULL,
                                         hearing->grant->base_decision ==
                                             SALUS__V1__DECISION__DENY};
    bool denied = deny_exceptions_speak(hearing, target);
    if (denied ? root.is_deny : !permit_exception_speaks(hearing, target)) {
        (void)speaks(hearing, target, &root, DECIDE_ROOT);
    }
}

/* Step 2. False: it is not in force now. */
static bool hear(const struct decide_question *question, const uint8_t *id,
                 struct decide_voice *voice)
{
    struct schema_consent consent;
    if (!state_get_consent(question->overlay, id, &consent) ||
        consent_is_over(&consent, question->now_ms) ||
        question->now_ms < consent.from_ms ||
        (consent.state != SCHEMA_CONSENT_GRANTED && !question->as_it_stood)) {
        return false;
    }
    struct hearing hearing = {
        .question = question,
        .grant = execution_stored(question->overlay, question->arena, 'c', id,
                                  &salus__v1__consent_grant__descriptor),
        .voice = voice,
    };
    *voice = (struct decide_voice){.selector = DECIDE_SILENT};
    memcpy(voice->consent, id, sizeof voice->consent);
    if (hearing.grant == NULL) {
        return false;
    }
    for (size_t i = 0; i < question->target_count; i++) {
        one_speaks(&hearing, i);
    }
    return true;
}

/* ---- all of them --------------------------------------------------------- */

/* Step 4: what the policy implies where no consent stands, for data that are
 * not above N. */
static bool is_implied(const struct decide_question *question,
                       const struct decide_target *target)
{
    static const uint32_t basic[] = {CODES_PURPOSE_TREAT, CODES_PURPOSE_HPAYMT,
                                     CODES_PURPOSE_HOPERAT};
    if (target->confidentiality > CODES_CONF_N) {
        return false;
    }
    switch (question->policy->implicit_consent) {
    case SCHEMA_ALL_NORMAL:
        return true;
    case SCHEMA_BASIC_NORMAL:
        for (size_t i = 0; i < sizeof basic / sizeof basic[0]; i++) {
            if (decide_purpose_reaches(question->overlay, question->policy,
                                       basic[i], question->purpose, false)) {
                return true;
            }
        }
        return false;
    case SCHEMA_BREAK_GLASS_ONLY:
        return question->is_emergency && question->purpose == CODES_PURPOSE_BTG;
    case SCHEMA_IMPLICIT_DENY:
        break;
    }
    return false;
}

static uint64_t implied(const struct decide_question *question)
{
    uint64_t bits = 0;
    for (size_t i = 0; i < question->target_count; i++) {
        if (is_implied(question, &question->targets[i])) {
            bits |= (uint64_t)1 << i;
        }
    }
    return bits;
}

/* Step 3. */
static void conclude(struct decide_answer *out, uint64_t all)
{
    uint64_t denied = 0;
    uint64_t permitted = 0;
    for (size_t i = 0; i < out->voice_count; i++) {
        denied |= out->voices[i].denied;
        permitted |= out->voices[i].permitted;
        out->narrowed |= out->voices[i].narrowed;
        out->named |= out->voices[i].named;
    }
    out->permitted = permitted & ~denied & all;
    out->narrowed &= out->permitted;
    uint64_t refused = all & ~out->permitted;
    uint64_t first = refused & (~refused + 1);
    if (refused == 0) {
        out->rule = SCHEMA_RULE_PERMITTED;
    } else {
        out->rule =
            (denied & first) != 0 ? SCHEMA_RULE_DENIED : SCHEMA_RULE_NO_GRANT;
    }
}

/* Step 1: the consents of the moment. False: nobody can tell what the patient
 * wanted then. */
static bool list_consents(const struct decide_question *question,
                          struct state_standing *out, bool *indeterminate)
{
    struct overlay *overlay = question->overlay;
    struct schema_subject subject;
    if (!state_get_subject(overlay, question->subject, &subject)) {
        return false;
    }
    *indeterminate = subject.indeterminate;
    if (question->as_it_stood) {
        return state_standing_at(overlay, question->subject, question->now_ms,
                                 question->look_back != 0
                                     ? question->look_back
                                     : LEDGER_CHANGES_BACK_MAX,
                                 out, indeterminate);
    }
    state_get_standing(overlay, question->subject, out);
    return true;
}

void decide(struct decide_answer *out, const struct decide_question *question)
{
    struct state_standing standing;
    bool indeterminate = false;
    out->permitted = 0;
    out->narrowed = 0;
    out->named = 0;
    out->implicit = false;
    out->voice_count = 0;
    out->rule = SCHEMA_RULE_INDETERMINATE;
    if (!list_consents(question, &standing, &indeterminate)) {
        return;
    }
    for (uint32_t i = 0; i < standing.count; i++) {
        if (hear(question, standing.ids[i], &out->voices[out->voice_count])) {
            out->voice_count++;
        }
    }
    if (indeterminate && !question->is_emergency) {
        return; /* Step 0: nobody can tell what the patient wants. */
    }
    if (out->voice_count == 0) {
        out->permitted = implied(question);
        out->rule = SCHEMA_RULE_IMPLICIT;
        out->implicit = true;
        return;
    }
    conclude(out, decide_all(question->target_count));
}

/* ---- records ------------------------------------------------------------- */

static const uint8_t *or_null(const ProtobufCBinaryData *field)
{
    return field->len == LEDGER_ID_SIZE ? field->data : NULL;
}

bool decide_record_target(struct overlay *overlay, struct wire_arena *arena,
                          const uint8_t *record, struct decide_target *out)
{
    struct pbft_bytes bytes;
    struct ProtobufCMessage *message = NULL;
    if (!state_get_payload(overlay, 'r', record, &bytes)) {
        return false;
    }
    if (wire_unpack_strict(&salus__v1__record_anchor__descriptor, bytes, arena,
                           &message) != PBFT_OK) {
        overlay->status =
            overlay->status == PBFT_OK ? PBFT_CORRUPT : overlay->status;
        return false;
    }
    const Salus__V1__RecordAnchor *in =
        (const Salus__V1__RecordAnchor *)(void *)message;
    *out = (struct decide_target){
        .record = in->record.data,
        .author = or_null(&in->author),
        .prior = or_null(&in->prior_record),
        .tags = in->tags,
        .tag_count = in->n_tags,
        .related = in->related,
        .related_count = in->n_related,
        .classes = &in->class_code,
        .class_count = 1,
        .confidentiality = in->confidentiality,
        .from_ms = in->data_from_ms,
        .to_ms = in->data_to_ms,
    };
    return true;
}
