/* SPDX-License-Identifier: Apache-2.0 */
/* What the families of access share: whether a decision or an emergency gives a
 * recipient a record. Private to ledger/.
 */
#ifndef LEDGER_ACCESS_H
#define LEDGER_ACCESS_H

#include "ledger/decide.h"

/* Public health, law or court: may widen what consents give. */
bool access_is_legal_basis(uint32_t basis);

/* Has the custodian put a legal basis under what holds? */
bool access_rests_on_law(const struct schema_held *held);

/* How many of access->held are told, and from which on it held at `at_ms`; as
 * many: that cannot be told any more. What came in the same millisecond
 * counts. */
uint32_t access_held_count(const struct schema_access *access);
uint32_t access_held_at(const struct schema_access *access, uint64_t at_ms);

/* What decision `number` left of a scope; NULL: it cannot be read. Valid until
 * the next stored message is. */
const Salus__V1__Selector *
access_residual(struct execution *x, const uint8_t *request, uint32_t number);

/* The requester as he stands now. */
void access_requester(struct overlay *overlay,
                      const struct schema_access *access,
                      struct decide_requester *out);

/* A scope as a target: what was asked of a patient. `in` outlives it. */
struct decide_target access_scope(const Salus__V1__AccessRequest *in);

/* Does the decision give this record now? What a patient has withdrawn since
 * the decision counts. OK, NO_DECISION, DECISION_EXPIRED. */
enum ledger_code access_gives(struct execution *x, const uint8_t *request,
                              const uint8_t *record,
                              const struct pbft_institution *recipient);

/* Who breaks glass, and for what. */
struct emergency_case {
    const uint8_t *subject;
    const struct decide_requester *requester;
    uint32_t purpose; /* As declared: BTG or ETREAT. */
    const struct decide_target *targets;
    size_t target_count;
    uint64_t then_ms;   /* By the consents of then; 0: of now. */
    bool was_declared;  /* The policy of its time let it: only denies count. */
    uint64_t look_back; /* With then_ms; as in decide_question. */
};

/* What it is to open: the records that it names, or everything that the patient
 * has. Their messages lie in x->scratch. */
size_t emergency_targets(struct execution *x, const Salus__V1__BreakGlass *in,
                         struct decide_target *out);

/* What the consents say to one purpose, before the policy has its say. */
void emergency_hear(struct execution *x, const struct emergency_case *in,
                    uint32_t purpose, struct decide_answer *out);

/* Bit i: policy and consents let the emergency open target i. */
uint64_t emergency_opens(struct execution *x, const struct emergency_case *in);

/* Who declared it, as he stands now. */
void emergency_declarer(struct overlay *overlay,
                        const struct schema_emergency *emergency,
                        struct decide_requester *out);

/* Does the emergency give this record now? What a patient has denied by name
 * since it was declared counts. OK, NO_DECISION. */
enum ledger_code emergency_gives(struct execution *x, const uint8_t *emergency,
                                 const uint8_t *record,
                                 const struct pbft_institution *recipient);

/* Does what an envelope rests on still hold? */
bool access_still_gives(struct execution *x,
                        const struct schema_envelope *envelope,
                        const uint8_t *record);

/* How a decision came about: kept in the index for "explain". */
void access_explain(struct overlay *overlay, const uint8_t *request,
                    const struct decide_answer *answer);
#define ACCESS_VOICE_SIZE (LEDGER_ID_SIZE + 4 * 8 + 1)
bool access_read_explanation(struct overlay *overlay, const uint8_t *request,
                             struct decide_answer *out);

/* Who asks, or could. */
struct access_asker {
    uint64_t roles;                               /* Of the institution. */
    const struct schema_participant *participant; /* NULL: none is named. */
    bool is_somebody; /* In a query: any of several people, so a clinician. */
};

/* A request asks for nothing that its requester could never have: who may ask
 * for which purpose. PURPOSE_ROLE. */
enum ledger_code access_purpose_fits(struct overlay *overlay,
                                     const struct access_asker *who,
                                     uint32_t purpose);

/* The same of the submitter and whom it names as acting. */
enum ledger_code access_submitter_fits(struct execution *x, uint32_t purpose);

/* In a query: would a request of this requester be heard? One that names nobody
 * or a group stands for several people: one of them may be whom the purpose
 * takes. */
bool access_may_ask(const struct decide_question *question);

#endif /* LEDGER_ACCESS_H */
