/* SPDX-License-Identifier: Apache-2.0 */
/* Requests, decisions and disclosures that every rule accepts, about the
 * hospital's patient, asked for by the clinic. */
#ifndef TESTS_SUPPORT_LEDGER_ACCESS_H
#define TESTS_SUPPORT_LEDGER_ACCESS_H

#include "tests/support/ledger_acts.h"

struct asked {
    Salus__V1__AccessRequest in;
    uint8_t id[LEDGER_ID_SIZE];
    uint8_t document[32];
    ProtobufCBinaryData records[LEDGER_TARGETS_MAX];
};

/* For one record; NULL: for what there is of the patient. */
static inline void ask_for(struct world *world, struct asked *out,
                           const uint8_t *record)
{
    Salus__V1__AccessRequest *in = &out->in;
    salus__v1__access_request__init(in);
    world_fill(world, out->id, sizeof out->id);
    world_fill(world, out->document, sizeof out->document);
    in->request = field_of(out->id, 16);
    in->purpose = CODES_PURPOSE_TREAT;
    in->action = CODES_ACTION_ACCESS;
    in->basis = CODES_BASIS_CONSENT;
    if (record != NULL) {
        out->records[0] = field_of(record, 16);
        in->records = out->records;
        in->n_records = 1;
    } else {
        in->subject = field_of(world->subject, 32);
    }
}

static inline uint32_t ask(struct world *world, struct asked *asked)
{
    return act_simple(world, CLINIC, TRANSACTION_ACCESS_REQUEST,
                      &asked->in.base);
}

/* What was computed, as the ledger keeps it: by the explanation. */
static inline const Salus__V1__DecisionState *
explain(struct world *world, const uint8_t *request, struct wire_arena *arena)
{
    Salus__V1__Query query = SALUS__V1__QUERY__INIT;
    Salus__V1__ExplainQuery in = SALUS__V1__EXPLAIN_QUERY__INIT;
    in.request = field_of(request, 16);
    query.kind_case = SALUS__V1__QUERY__KIND_EXPLAIN;
    query.explain = &in;
    const Salus__V1__Answer *answer = world_ask(world, CLINIC, &query, arena);
    EXPECT(answer->code, LEDGER_OK);
    assert_int_equal(answer->kind_case, SALUS__V1__ANSWER__KIND_DECISION);
    return answer->decision;
}

struct told {
    Salus__V1__Disclosure in;
    uint8_t id[LEDGER_ID_SIZE];
    uint8_t manifest[32];
    uint8_t document[32];
    uint32_t classes[1];
};

/* One item to the clinic, under a decision; NULL: on nothing. */
static inline void tell_of(struct world *world, struct told *out,
                           const uint8_t *request)
{
    Salus__V1__Disclosure *in = &out->in;
    salus__v1__disclosure__init(in);
    world_fill(world, out->id, sizeof out->id);
    world_fill(world, out->manifest, sizeof out->manifest);
    world_fill(world, out->document, sizeof out->document);
    out->classes[0] = CODES_CLASS_OTHER;
    in->disclosure = field_of(out->id, 16);
    if (request != NULL) {
        in->decision = field_of(request, 16);
    }
    in->recipient = field_of(world->parties[CLINIC].institution.bytes, 16);
    in->subject = field_of(world->subject, 32);
    in->manifest_root = field_of(out->manifest, 32);
    in->item_count = 1;
    in->classes = out->classes;
    in->n_classes = 1;
    in->purpose = CODES_PURPOSE_TREAT;
    in->mode = SALUS__V1__DISCLOSURE__MODE__API;
}

static inline uint32_t tell(struct world *world, struct told *told)
{
    return act_simple(world, HOSPITAL, TRANSACTION_DISCLOSURE, &told->in.base);
}

/* Told now, of something that happened at `event_ms`. */
static inline uint32_t tell_at(struct world *world, struct told *told,
                               uint64_t event_ms)
{
    const struct act act = {.who = HOSPITAL, .event_ms = event_ms};
    return act_do(world, &act, TRANSACTION_DISCLOSURE, &told->in.base);
}

static inline uint32_t tell_under(struct world *world,
                                  const struct asked *asked, uint64_t event_ms)
{
    struct told told;
    tell_of(world, &told, asked->id);
    return tell_at(world, &told, event_ms);
}

/* What was told as a leaf of a batch. */
static inline void told_leaf(struct pbft_digest *out, const struct told *told,
                             uint64_t event_ms)
{
    struct wire_buffer buffer;
    wire_buffer_init(&buffer, LEDGER_BODY_MAX);
    assert_int_equal(wire_pack(&told->in.base, &buffer), PBFT_OK);
    transaction_disclosure_leaf(out, event_ms, wire_buffer_bytes(&buffer));
    wire_buffer_deinit(&buffer);
}

struct wrapped {
    Salus__V1__KeyGrant in;
    uint8_t commit[32];
};

/* The clinic gets the record under the decision. */
static inline uint32_t grant_key(struct world *world, const uint8_t *record,
                                 uint32_t version, const uint8_t *request)
{
    struct wrapped out;
    salus__v1__key_grant__init(&out.in);
    world_fill(world, out.commit, sizeof out.commit);
    out.in.record = field_of(record, 16);
    out.in.version = version;
    out.in.recipient_key =
        field_of(world->parties[CLINIC].encryption_id.bytes, 16);
    out.in.wrap_commit = field_of(out.commit, 32);
    out.in.decision = field_of(request, 16);
    return act_simple(world, HOSPITAL, TRANSACTION_KEY_GRANT, &out.in.base);
}

#endif /* TESTS_SUPPORT_LEDGER_ACCESS_H */
