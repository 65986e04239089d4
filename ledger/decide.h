/* SPDX-License-Identifier: Apache-2.0 */
/* May this requester do that with these data now? The rule of docs/api.md,
 * 4a: denies override, the order of consents does not matter, and what cannot
 * be told denies. Private to ledger/.
 *
 * For each consent in force: a deny exception that matches makes it DENY, else
 * a permit exception PERMIT, else its root the base decision, else it is
 * silent. Any DENY denies; else any PERMIT permits; else, if there are
 * consents, nothing is granted; else the policy says what is implied.
 */
#ifndef LEDGER_DECIDE_H
#define LEDGER_DECIDE_H

#include "ledger/execution.h"

/* Who asks. A request that names nobody may be anybody's of the institution: a
 * deny of one of its people or groups, or of a role, matches it. */
struct decide_requester {
    struct pbft_institution institution;
    bool is_somebody; /* In "who may": the institution but for those people. */
    bool has_participant;
    uint8_t id[LEDGER_ID_SIZE];
    struct schema_participant participant;
};

/* A record, or everything of a patient within bounds (a scope). */
struct decide_target {
    bool is_scope;
    const uint8_t *record;
    const uint8_t *author; /* NULL: not said. */
    const uint8_t *prior;  /* NULL: none. */
    const ProtobufCBinaryData *tags;
    size_t tag_count;
    const ProtobufCBinaryData *related;
    size_t related_count;
    const uint32_t *classes; /* One for a record; none in a scope: all. */
    size_t class_count;
    uint32_t confidentiality; /* In a scope: the highest. */
    uint64_t from_ms;         /* Of the data; 0: not said, open. */
    uint64_t to_ms;
};

struct decide_question {
    struct overlay *overlay;
    struct wire_arena *arena; /* For one consent at a time. */
    const struct schema_policy *policy;
    uint64_t now_ms;
    bool as_it_stood;   /* By the consents of then; else by what stands. */
    uint64_t look_back; /* Changes of them since; 0: as rules do. */
    bool is_emergency;  /* Glass is broken: not a request like any other. */
    const uint8_t *subject;
    const struct decide_requester *requester;
    uint32_t purpose;
    uint32_t action;
    const struct decide_target *targets; /* <= LEDGER_TARGETS_MAX. */
    size_t target_count;
};

#define DECIDE_ROOT 0 /* Selector of a consent; exceptions from 1. */
#define DECIDE_SILENT 255

/* What one consent said. Bit i: target i. */
struct decide_voice {
    uint8_t consent[LEDGER_ID_SIZE];
    uint64_t denied;
    uint64_t permitted;
    uint64_t narrowed;   /* A deny that may hit parts of a scope. */
    uint64_t named;      /* Denied by the very purpose, not one above it; in an
                          * emergency, if it closes all of the target. */
    uint64_t named_part; /* The same, but of parts of the target. */
    uint8_t selector;    /* That decided first, denies before permits. */
};

struct decide_answer {
    uint64_t permitted;
    uint64_t narrowed;     /* Permitted, but for what `narrowed` voices hit. */
    uint64_t named;        /* See above. */
    enum schema_rule rule; /* Of the first target that is denied, if any. */
    bool implicit;         /* No consent stood. */
    struct decide_voice voices[LEDGER_SUBJECT_CONSENTS_MAX];
    size_t voice_count;
};

/* Steps 0 to 4. Only where glass is broken step 0 is passed over, and does a
 * policy of break-glass-only imply anything: an emergency has a window and is
 * reviewed, a request that merely names its purpose has and is not. */
void decide(struct decide_answer *out, const struct decide_question *question);

/* All targets of the question as bits. */
uint64_t decide_all(size_t target_count);

/* Does `selector`, of a consent or of an exception with what it inherits,
 * match? PART: a deny that hits parts of a scope, or some of an institution. */
enum decide_match { DECIDE_NO, DECIDE_YES, DECIDE_PART };
struct decide_selector {
    const Salus__V1__Selector *root;
    const Salus__V1__Selector *own; /* NULL: the root itself. */
    bool is_deny;
};
enum decide_match decide_matches(const struct decide_question *question,
                                 const struct decide_selector *selector,
                                 const struct decide_target *target);
/* Does a deny that matches hit all of the target, for an emergency? A bounded
 * one closes what it names; the rest of a scope stays open. */
bool decide_closes(const struct decide_selector *selector,
                   const struct decide_target *target);
/* Does it name the purpose of the question itself? */
bool decide_names_purpose(const struct decide_question *question,
                          const struct decide_selector *selector);

/* Is `purpose` equal to `ancestor` or below it, for a deny; for a permit, and
 * reached by inheritance? */
bool decide_purpose_reaches(struct overlay *overlay,
                            const struct schema_policy *policy,
                            uint32_t ancestor, uint32_t purpose, bool is_deny);

/* Fills a target from a stored record; false if it is not there. The message
 * lies in `arena`, which is not reset. */
bool decide_record_target(struct overlay *overlay, struct wire_arena *arena,
                          const uint8_t *record, struct decide_target *out);

#endif /* LEDGER_DECIDE_H */
