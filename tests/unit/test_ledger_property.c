/* SPDX-License-Identifier: Apache-2.0 */
/* Random histories of consents, records, requests, grants, disclosures,
 * batches and emergencies, against a naive second implementation of the
 * decision rule, and these invariants, whose labels are of this file:
 *
 *   I1  no envelope without a decision, emergency or legal basis of its moment,
 *       and no disclosure is covered but by the consents of its own
 *   I2  an ended consent never comes back
 *   I3  a deny more never permits more, a deny less never permits less
 *   I4  the order of filing does not matter
 *   I5  every emergency is reviewed, due, or overdue
 *   I7  of a batch no leaf is opened twice, and none that it has not
 *   I8, I10  the same blocks give the same outcomes and the same state
 *
 * I6, that what came of what has no circle, is of provenance, of which there
 * are no transactions yet. I9, that no name of a patient stands in a ledger, is
 * in test_tool_privacy.c.
 * SALUS_HISTORIES says how many (default 200), SALUS_SEED
 * where to begin.
 */
#include <stdio.h>

#include "ledger/state.h"
#include "tests/support/ledger_access.h"
#include "tests/support/ledger_batches.h"
#include "tests/support/ledger_oracle.h"

#define HISTORIES_DEFAULT 200u
#define ENOUGH_HISTORIES 200u /* To meet everything once. */
#define STEPS 60u
#define CONSENTS_MAX 24u
#define RECORDS_MAX 12u
#define BATCHES_MAX 6u
#define TAGS 4u
#define PARTS 4u
#define DECIDED_MAX 8u
#define DECISION_MS (30ull * 86400000u) /* As the genesis has it. */

/* One consent with all that it points to. */
struct filed {
    struct transaction_consent_grant grant;
    struct transaction_exception exceptions[PARTS];
    struct transaction_actor actors[PARTS];
    struct transaction_data_ref data[PARTS];
    uint32_t codes[PARTS][4][2];
    uint8_t tags[PARTS][LEDGER_ID_SIZE];
    uint8_t id[LEDGER_ID_SIZE];
    uint8_t commit[32];
};

struct made {
    struct oracle_record record;
    uint8_t id[LEDGER_ID_SIZE];
    uint8_t tags[TAGS * LEDGER_ID_SIZE];
    uint8_t related[LEDGER_ID_SIZE];
};

/* A decision that disclosures may stand on. */
struct decided {
    uint8_t id[LEDGER_ID_SIZE];
    uint8_t records[RECORDS_MAX][LEDGER_ID_SIZE]; /* Those that were granted. */
    size_t record_count;
    uint64_t at_ms;
    const uint8_t *participant;
    struct oracle_who as;
    uint32_t purpose;
    uint32_t action;
};

/* An emergency: the records that were there when glass was broken. */
struct glass {
    uint8_t id[LEDGER_ID_SIZE];
    size_t record_count;
    uint64_t closes_ms;
};

/* A leaf of a batch, of whichever kind, and what the ledger answered. */
struct leaf {
    bool is_padding; /* The tree has something else in its place. */
    bool is_open;
    struct made made;
    Salus__V1__RecordAnchor record;
    Salus__V1__RecordAnchor__Envelope envelope;
    Salus__V1__RecordAnchor__Envelope *envelopes[1];
    ProtobufCBinaryData tags[TAGS];
    ProtobufCBinaryData related[1];
    uint8_t bytes[3][32];
    struct told told;
    uint64_t event_ms;
    size_t decided; /* Which decision it says it stands on. */
    bool is_by_law;
};

struct batch {
    bool is_of_records;
    uint8_t id[LEDGER_ID_SIZE];
    uint32_t class_code;
    uint32_t confidentiality;
    uint64_t from_ms;
    uint64_t to_ms;
    struct batched_tree tree;
    struct leaf leaves[BATCHED_LEAVES];
    struct decided decided[DECIDED_MAX]; /* As they were. */
};

struct history {
    struct world *world;
    uint8_t tags[TAGS][LEDGER_ID_SIZE]; /* Ascending. */
    uint8_t encounter[LEDGER_ID_SIZE];
    struct filed consents[CONSENTS_MAX];
    struct oracle_consent told[CONSENTS_MAX];
    size_t consent_count;
    struct made records[RECORDS_MAX];
    size_t record_count;
    uint8_t officer[LEDGER_ID_SIZE]; /* Of the clinic. */
    struct glass emergencies[8];
    size_t emergency_count;
    struct decided decided[DECIDED_MAX]; /* Of the clinic, the last ones. */
    size_t decided_count;
    struct batch batches[BATCHES_MAX];
    size_t batch_count;
    size_t told_count; /* Disclosures that were accepted one by one. */
};

static uint32_t pick(struct history *history, uint32_t below)
{
    return (uint32_t)(world_random(history->world) % below);
}

static bool chance(struct history *history, uint32_t percent)
{
    return pick(history, 100) < percent;
}

/* ---- random consents ----------------------------------------------------- */

static const uint32_t purposes[] = {1, 2, 4, 5, 7, 10, 11, 20, 45, 60, 62};

static struct transaction_codes some_codes(struct history *history,
                                           uint32_t *out, const uint32_t *from,
                                           uint32_t count)
{
    uint32_t a = pick(history, count);
    uint32_t b = pick(history, count);
    out[0] = from[a < b ? a : b];
    out[1] = from[a < b ? b : a];
    return (struct transaction_codes){out, a == b ? 1 : 2};
}

static struct transaction_actor some_actor(struct history *history)
{
    struct world *world = history->world;
    struct transaction_actor out = {.kind = TRANSACTION_ACTOR_ROLE,
                                    .role = CODES_ROLE_DOCTOR};
    switch (pick(history, 5)) {
    case 0:
        out.role = 0;
        out.kind = TRANSACTION_ACTOR_GROUP;
        out.id = bytes_of(world->team, 16);
        break;
    case 1:
        out.role = 0;
        out.kind = TRANSACTION_ACTOR_PARTICIPANT;
        out.id = bytes_of(world->outsider, 16);
        break;
    case 2:
    case 3:
        out.role = 0;
        out.kind = TRANSACTION_ACTOR_INSTITUTION;
        out.id = bytes_of(
            world->parties[pick(history, WHO_COUNT)].institution.bytes, 16);
        break;
    default:
        break;
    }
    return out;
}

static struct transaction_data_ref some_ref(struct history *history)
{
    struct transaction_data_ref out = {
        .meaning = (enum transaction_meaning)(1 + pick(history, 4)),
        .id = bytes_of(history->encounter, 16)};
    if (out.meaning == TRANSACTION_AUTHORED_BY) {
        out.id = bytes_of(history->world->doctor, 16);
    } else if (history->record_count > 0 && chance(history, 60)) {
        out.id = bytes_of(
            history->records[pick(history, (uint32_t)history->record_count)].id,
            16);
    }
    return out;
}

#define DAY(n) ((WORLD_NOW_MS / 86400000u - 400 + (n)) * 86400000u)

static struct transaction_selector some_selector(struct history *history,
                                                 struct filed *out, size_t part,
                                                 bool must_say)
{
    static const uint32_t confs[] = {CODES_CONF_N, CODES_CONF_R, CODES_CONF_V};
    static const uint32_t actions[] = {CODES_ACTION_ACCESS,
                                       CODES_ACTION_DISCLOSE};
    static const uint32_t classes[] = {1, 5};
    struct transaction_selector in = {.actor_count = 0};
    if (must_say || chance(history, 60)) {
        in.purposes = some_codes(history, out->codes[part][0], purposes,
                                 sizeof purposes / sizeof purposes[0]);
    }
    if (chance(history, 20)) {
        in.actions = some_codes(history, out->codes[part][1], actions, 2);
    }
    if (chance(history, 30)) {
        in.confidentiality = some_codes(history, out->codes[part][2], confs, 3);
    }
    if (chance(history, 25)) {
        memcpy(out->tags[part], history->tags[pick(history, TAGS)], 16);
        in.tags = (struct transaction_ids){out->tags[part], 1};
    }
    if (chance(history, 20)) {
        in.classes = some_codes(history, out->codes[part][3], classes, 2);
    }
    if (chance(history, 20)) {
        in.data_from_ms = DAY(pick(history, 100));
        in.data_to_ms = in.data_from_ms + 86400000u * (1 + pick(history, 100));
    }
    if (chance(history, 20)) {
        out->data[part] = some_ref(history);
        in.data = &out->data[part];
        in.data_count = 1;
    }
    if (chance(history, 40)) {
        out->actors[part] = some_actor(history);
        in.actors = &out->actors[part];
        in.actor_count = 1;
    }
    return in;
}

static void some_consent(struct history *history, struct filed *out)
{
    struct world_ids ids;
    struct transaction from = world_grant(history->world, &ids);
    struct transaction_consent_grant *in = &out->grant;
    *in = from.consent_grant;
    memcpy(out->id, ids.id, sizeof out->id);
    memcpy(out->commit, ids.commit, sizeof out->commit);
    in->consent = bytes_of(out->id, sizeof out->id);
    in->subject =
        bytes_of(history->world->subject, sizeof history->world->subject);
    in->policy = bytes_of(history->world->policy.policy, LEDGER_ID_SIZE);
    in->evidence_commit = bytes_of(out->commit, sizeof out->commit);
    in->base_decision =
        chance(history, 70) ? TRANSACTION_PERMIT : TRANSACTION_DENY;
    in->root = some_selector(history, out, 0, false);
    in->exception_count = pick(history, PARTS);
    for (size_t i = 0; i < in->exception_count; i++) {
        out->exceptions[i].type =
            chance(history, 50) ? TRANSACTION_PERMIT : TRANSACTION_DENY;
        out->exceptions[i].selector =
            some_selector(history, out, i + 1 < PARTS ? i + 1 : i, true);
    }
    in->exceptions = out->exceptions;
    if (chance(history, 20)) {
        in->period_to_ms = history->world->now_ms + 1 + pick(history, 60000);
    }
    if (chance(history, 10)) {
        in->period_from_ms = history->world->now_ms + pick(history, 20000);
        in->period_to_ms = 0;
    }
}

static uint32_t file(struct world *world, const struct filed *consent)
{
    const struct transaction in = {.type = TRANSACTION_CONSENT_GRANT,
                                   .consent_grant = consent->grant};
    return world_submit(world, HOSPITAL, &in);
}

static void file_one(struct history *history)
{
    if (history->consent_count == CONSENTS_MAX) {
        return;
    }
    struct filed *consent = &history->consents[history->consent_count];
    some_consent(history, consent);
    EXPECT(file(history->world, consent), LEDGER_OK);
    history->told[history->consent_count++] =
        (struct oracle_consent){&consent->grant, history->world->now_ms, 0};
}

static void end_one(struct history *history)
{
    struct world *world = history->world;
    if (history->consent_count == 0) {
        return;
    }
    size_t i = pick(history, (uint32_t)history->consent_count);
    const struct transaction_consent_grant *grant = history->told[i].grant;
    struct transaction revoke = world_revoke(world, grant->consent.data);
    uint32_t code = world_submit(world, HOSPITAL, &revoke);
    bool over =
        grant->period_to_ms != 0 && grant->period_to_ms <= world->now_ms;
    bool ended = history->told[i].ended_ms != 0;
    EXPECT(code, ended || over ? LEDGER_CONSENT_STATE : LEDGER_OK); /* I2 */
    if (!ended) {
        history->told[i].ended_ms = world->now_ms;
    }
}

/* ---- random records and requests ----------------------------------------- */

static void some_record(struct history *history, struct made *made)
{
    struct world *world = history->world;
    struct oracle_record *record = &made->record;
    memset(made, 0, sizeof *made);
    world_fill(world, made->id, sizeof made->id);
    record->class_code = chance(history, 50) ? 1 : 5;
    record->confidentiality = CODES_CONF_N + pick(history, 3);
    if (chance(history, 60)) {
        record->from_ms = DAY(pick(history, 150));
        record->to_ms = record->from_ms + 86400000u;
    }
    if (chance(history, 50)) {
        record->author = world->doctor;
    }
    if (chance(history, 50)) {
        memcpy(made->related, history->encounter, sizeof made->related);
        record->related = made->related;
    }
    if (chance(history, 50)) { /* All four: some real, some padding. */
        for (size_t i = 0; i < TAGS; i++) {
            memcpy(made->tags + 16 * i, history->tags[i], 16);
            if (chance(history, 50)) {
                world_fill(world, made->tags + 16 * i + 2, 14);
            }
        }
        record->tags = made->tags;
        record->tag_count = TAGS;
    }
}

/* In its place, in a consortium of its own. */
static void keep_record(struct made *out, const struct made *in,
                        struct world *world)
{
    *out = *in;
    out->record.id = out->id;
    if (in->record.author != NULL) {
        out->record.author = world->doctor;
    }
    if (in->record.related != NULL) {
        out->record.related = out->related;
    }
    if (in->record.tags != NULL) {
        out->record.tags = out->tags;
    }
}

static void anchor(struct world *world, const struct made *made)
{
    struct world_ids ids;
    struct transaction in = world_anchor(world, &ids);
    const struct oracle_record *record = &made->record;
    in.record_anchor.record = bytes_of(made->id, sizeof made->id);
    in.record_anchor.class_code = record->class_code;
    in.record_anchor.confidentiality = record->confidentiality;
    in.record_anchor.data_from_ms = record->from_ms;
    in.record_anchor.data_to_ms = record->to_ms;
    in.record_anchor.tags =
        (struct transaction_ids){record->tags, record->tag_count};
    if (record->author != NULL) {
        in.record_anchor.author = bytes_of(record->author, 16);
    }
    if (record->related != NULL) {
        in.record_anchor.related = (struct transaction_ids){record->related, 1};
    }
    EXPECT(world_submit(world, HOSPITAL, &in), LEDGER_OK);
}

static void anchor_one(struct history *history)
{
    struct made made;
    if (history->record_count == RECORDS_MAX) {
        return;
    }
    struct made *kept = &history->records[history->record_count++];
    some_record(history, &made);
    keep_record(kept, &made, history->world);
    anchor(history->world, kept);
}

struct question {
    enum who who;
    const uint8_t *participant;
    struct oracle_who as;
    uint32_t purpose;
    uint32_t action;
};

static void some_question(struct history *history, struct question *out)
{
    struct world *world = history->world;
    memset(out, 0, sizeof *out);
    out->who = chance(history, 60) ? CLINIC : HOSPITAL;
    out->as.institution = world->parties[out->who].institution;
    out->purpose =
        purposes[pick(history, sizeof purposes / sizeof purposes[0])];
    out->action =
        chance(history, 70) ? CODES_ACTION_ACCESS : CODES_ACTION_DISCLOSE;
    bool clinic = out->who == CLINIC;
    out->as.people[0] = clinic ? world->outsider : world->doctor;
    out->as.people[1] = clinic ? NULL : world->team;
    if (chance(history, 70)) {
        out->participant = clinic ? world->outsider : world->doctor;
        out->as.participant = out->participant;
        out->as.group = clinic ? NULL : world->team;
        out->as.role = CODES_ROLE_DOCTOR;
    }
}

/* Everything the ledger computes for all records equals what the oracle says.
 * Returns the bits. */
static uint64_t ask_all(struct history *history, struct world *world,
                        const struct question *question, struct asked *asked)
{
    uint8_t sorted[RECORDS_MAX][LEDGER_ID_SIZE];
    size_t order[RECORDS_MAX];
    size_t count = history->record_count;
    struct wire_arena arena;
    for (size_t i = 0; i < count; i++) {
        size_t at = i;
        for (; at > 0 && memcmp(history->records[i].id, sorted[at - 1],
                                LEDGER_ID_SIZE) < 0;
             at--) {
            memcpy(sorted[at], sorted[at - 1], LEDGER_ID_SIZE);
            order[at] = order[at - 1];
        }
        memcpy(sorted[at], history->records[i].id, LEDGER_ID_SIZE);
        order[at] = i;
    }
    ask_for(world, asked, history->records[0].id);
    for (size_t i = 0; i < count; i++) {
        asked->records[i] = field_of(history->records[order[i]].id, 16);
    }
    asked->in.n_records = count;
    asked->in.purpose = question->purpose;
    asked->in.action = question->action;
    uint32_t code = act_as(world, question->who, question->participant,
                           TRANSACTION_ACCESS_REQUEST, &asked->in.base);
    if (code == LEDGER_PURPOSE_ROLE) {
        return UINT64_MAX; /* BTG and ETREAT without a clinician. */
    }
    EXPECT(code, LEDGER_OK);
    wire_arena_init(&arena, 8u * 1024 * 1024);
    uint64_t bits = explain(world, asked->id, &arena)->computed;
    wire_arena_deinit(&arena);
    for (size_t i = 0; i < count; i++) {
        bool expected =
            oracle_permits(history->told, history->consent_count, world->now_ms,
                           &question->as, question->purpose, question->action,
                           &history->records[order[i]].record);
        if (expected != ((bits >> i & 1) != 0)) {
            fail_msg("record %zu, purpose %u: the oracle says %s", i,
                     (unsigned)question->purpose, expected ? "permit" : "deny");
        }
    }
    return bits;
}

/* I1: a grant is accepted exactly if the oracle permits that record now. */
static void grant_some(struct history *history, const struct question *question,
                       const struct asked *asked, uint64_t bits)
{
    if (question->who != CLINIC || bits == UINT64_MAX) {
        return;
    }
    size_t i = pick(history, (uint32_t)history->record_count);
    bool now =
        oracle_permits(history->told, history->consent_count,
                       history->world->now_ms, &question->as, question->purpose,
                       question->action, &history->records[i].record);
    bool then = false;
    for (size_t j = 0; j < asked->in.n_records; j++) {
        then = then || (memcmp(asked->records[j].data, history->records[i].id,
                               16) == 0 &&
                        (bits >> j & 1) != 0);
    }
    EXPECT(grant_key(history->world, history->records[i].id, 1, asked->id),
           now && then ? LEDGER_OK : LEDGER_NO_DECISION);
}

/* ---- disclosures --------------------------------------------------------- */

static void remember(struct history *history, const struct question *question,
                     const struct asked *asked, uint64_t bits)
{
    if (question->who != CLINIC || bits == UINT64_MAX || bits == 0) {
        return;
    }
    struct decided *out =
        &history->decided[history->decided_count++ % DECIDED_MAX];
    memset(out, 0, sizeof *out);
    memcpy(out->id, asked->id, sizeof out->id);
    out->at_ms = history->world->now_ms;
    out->participant = question->participant;
    out->as = question->as;
    out->purpose = question->purpose;
    out->action = question->action;
    for (size_t i = 0; i < asked->in.n_records; i++) {
        if ((bits >> i & 1) != 0) {
            memcpy(out->records[out->record_count++], asked->records[i].data,
                   LEDGER_ID_SIZE);
        }
    }
}

/* Would the consents of then have let out a record of that class? */
static bool was_permitted(const struct history *history,
                          const struct decided *decided, uint64_t then_ms,
                          uint32_t class_code)
{
    bool permitted = false;
    for (size_t i = 0; i < decided->record_count; i++) {
        for (size_t j = 0; j < history->record_count; j++) {
            const struct oracle_record *record = &history->records[j].record;
            bool it = memcmp(record->id, decided->records[i], 16) == 0 &&
                      record->class_code == class_code;
            permitted =
                permitted ||
                (it && oracle_permits(history->told, history->consent_count,
                                      then_ms, &decided->as, decided->purpose,
                                      decided->action, record));
        }
    }
    return permitted;
}

static bool covers(const struct history *history, const struct decided *decided,
                   uint64_t then_ms, uint32_t class_code)
{
    return then_ms - decided->at_ms < DECISION_MS &&
           was_permitted(history, decided, then_ms, class_code);
}

/* Something went out at some moment since a decision, and is told now: covered
 * exactly if the consents of that moment, whatever became of them, let it. */
static void tell_one(struct history *history)
{
    struct world *world = history->world;
    struct told told;
    size_t count = history->decided_count < DECIDED_MAX ? history->decided_count
                                                        : DECIDED_MAX;
    if (count == 0) {
        return;
    }
    const struct decided *decided =
        &history->decided[pick(history, (uint32_t)count)];
    uint64_t then_ms =
        decided->at_ms +
        pick(history, (uint32_t)(world->now_ms - decided->at_ms) + 1);
    const struct act act = {.who = HOSPITAL,
                            .event_ms = then_ms,
                            .late =
                                world->now_ms - then_ms > WORLD_LATE_AFTER_MS};
    tell_of(world, &told, decided->id);
    told.classes[0] = chance(history, 50) ? 1 : 5;
    told.in.purpose = decided->purpose;
    if (decided->participant != NULL && chance(history, 30)) {
        told.in.recipient_participant = field_of(decided->participant, 16);
    }
    bool covered = covers(history, decided, then_ms, told.classes[0]);
    EXPECT(act_do(world, &act, TRANSACTION_DISCLOSURE, &told.in.base),
           covered ? LEDGER_OK : LEDGER_DECISION_SCOPE);
    history->told_count += covered;
}

static void ask_one(struct history *history)
{
    struct question question;
    struct asked asked;
    if (history->record_count == 0) {
        anchor_one(history);
    }
    some_question(history, &question);
    uint64_t bits = ask_all(history, history->world, &question, &asked);
    remember(history, &question, &asked, bits);
    if (chance(history, 40)) {
        end_one(history); /* A withdrawal between decision and grant. */
    }
    grant_some(history, &question, &asked, bits);
}

/* ---- batches ------------------------------------------------------------- */

static void record_leaf(struct history *history, const struct batch *batch,
                        struct leaf *leaf)
{
    struct world *world = history->world;
    const struct oracle_record *record = &leaf->made.record;
    Salus__V1__RecordAnchor *out = &leaf->record;
    some_record(history, &leaf->made);
    if (chance(history, 90)) {
        leaf->made.record.class_code = batch->class_code;
    }
    world_fill(world, leaf->bytes, sizeof leaf->bytes);
    salus__v1__record_anchor__envelope__init(&leaf->envelope);
    leaf->envelope.recipient_key =
        field_of(world->parties[HOSPITAL].encryption_id.bytes, 16);
    leaf->envelope.wrap_commit = field_of(leaf->bytes[0], 32);
    leaf->envelopes[0] = &leaf->envelope;
    salus__v1__record_anchor__init(out);
    out->record = field_of(leaf->made.id, 16);
    out->subject = field_of(world->subject, 32);
    out->class_code = record->class_code;
    out->confidentiality = record->confidentiality;
    for (size_t i = 0; i < record->tag_count; i++) {
        leaf->tags[i] = field_of(record->tags + 16 * i, 16);
    }
    out->tags = leaf->tags;
    out->n_tags = record->tag_count;
    if (record->author != NULL) {
        out->author = field_of(record->author, 16);
    }
    out->data_from_ms = record->from_ms;
    out->data_to_ms = record->to_ms;
    out->commit = field_of(leaf->bytes[1], 32);
    out->cipher_digest = field_of(leaf->bytes[2], 32);
    out->cipher_size_bucket = 4;
    out->algorithm = 1;
    out->location = (char *)WORLD_LOCATION;
    out->envelopes = leaf->envelopes;
    out->n_envelopes = 1;
    leaf->related[0] = field_of(leaf->made.related, 16);
    out->related = leaf->related;
    out->n_related = record->related != NULL;
}

/* By law, or under a decision; sometimes not of the batch's time. */
static void told_under(struct history *history, const struct batch *batch,
                       struct leaf *leaf)
{
    struct world *world = history->world;
    size_t count = history->decided_count < DECIDED_MAX ? history->decided_count
                                                        : DECIDED_MAX;
    leaf->is_by_law = count == 0 || chance(history, 30);
    if (leaf->is_by_law) {
        tell_of(world, &leaf->told, NULL);
        leaf->told.in.basis = CODES_BASIS_REQUIRED_BY_LAW;
        leaf->told.in.document_commit = field_of(leaf->told.document, 32);
        leaf->event_ms = world->now_ms - pick(history, 1000);
    } else {
        leaf->decided = pick(history, (uint32_t)count);
        const struct decided *decided = &batch->decided[leaf->decided];
        tell_of(world, &leaf->told, decided->id);
        leaf->told.in.purpose = decided->purpose;
        leaf->event_ms =
            decided->at_ms +
            pick(history, (uint32_t)(world->now_ms - decided->at_ms) + 1);
    }
    leaf->told.classes[0] = chance(history, 50) ? 1 : 5;
    if (chance(history, 10)) {
        leaf->event_ms =
            chance(history, 50) ? batch->from_ms - 1 : batch->to_ms;
    }
}

static void hash_leaf(struct history *history, const struct batch *batch,
                      struct leaf *leaf, struct pbft_digest *out)
{
    leaf->is_padding = chance(history, 15);
    if (batch->is_of_records) {
        batched_leaf(out, "salus/recleaf/1", NULL, &leaf->record.base);
    } else {
        batched_leaf(out, "salus/disleaf/2", &leaf->event_ms,
                     &leaf->told.in.base);
    }
    if (leaf->is_padding) {
        world_fill(history->world, out->bytes, sizeof out->bytes);
    }
}

/* The same record or disclosure in two leaves. */
static void tell_again(struct batch *batch, struct leaf *leaf,
                       const struct leaf *of)
{
    if (batch->is_of_records) {
        leaf->record.record = of->record.record;
        memcpy(leaf->made.id, of->made.id, sizeof leaf->made.id);
    } else {
        leaf->told.in.disclosure = of->told.in.disclosure;
    }
}

static uint32_t submit_batch(struct world *world, struct batch *batch,
                             const struct pbft_digest *root)
{
    Salus__V1__RecordAnchorBatch records = SALUS__V1__RECORD_ANCHOR_BATCH__INIT;
    Salus__V1__DisclosureBatch told = SALUS__V1__DISCLOSURE_BATCH__INIT;
    if (batch->is_of_records) {
        records.batch = field_of(batch->id, 16);
        records.root = field_of(root->bytes, 32);
        records.leaf_count = batch->tree.count;
        records.leaf_schema = 1;
        records.class_code = batch->class_code;
        records.confidentiality_max = batch->confidentiality;
        records.envelope = &batch->leaves[0].envelope;
        return act_simple(world, HOSPITAL, TRANSACTION_RECORD_ANCHOR_BATCH,
                          &records.base);
    }
    told.batch = field_of(batch->id, 16);
    told.root = field_of(root->bytes, 32);
    told.leaf_count = batch->tree.count;
    told.from_ms = batch->from_ms;
    told.to_ms = batch->to_ms;
    return act_simple(world, HOSPITAL, TRANSACTION_DISCLOSURE_BATCH,
                      &told.base);
}

static void batch_one(struct history *history)
{
    struct world *world = history->world;
    struct pbft_digest root;
    if (history->batch_count == BATCHES_MAX) {
        return;
    }
    struct batch *batch = &history->batches[history->batch_count++];
    memset(batch, 0, sizeof *batch);
    world_fill(world, batch->id, sizeof batch->id);
    batch->is_of_records = chance(history, 50);
    batch->class_code = chance(history, 50) ? 1 : 5;
    batch->confidentiality = CODES_CONF_N + pick(history, 3);
    batch->from_ms = WORLD_NOW_MS - 1000;
    batch->to_ms = world->now_ms + 1;
    memcpy(batch->decided, history->decided, sizeof batch->decided);
    batch->tree.count = 1 + pick(history, BATCHED_LEAVES);
    for (uint32_t i = 0; i < batch->tree.count; i++) {
        struct leaf *leaf = &batch->leaves[i];
        if (batch->is_of_records) {
            record_leaf(history, batch, leaf);
        } else {
            told_under(history, batch, leaf);
        }
        if (i > 0 && chance(history, 30)) {
            tell_again(batch, leaf, &batch->leaves[pick(history, i)]);
        }
        hash_leaf(history, batch, leaf, &batch->tree.leaves[i]);
    }
    batched_root(&root, batch->tree.leaves, batch->tree.count);
    EXPECT(submit_batch(world, batch, &root), LEDGER_OK);
    world->now_ms += 1000; /* Another transaction. */
    EXPECT(submit_batch(world, batch, &root), LEDGER_BATCH_EXISTS);
}

/* How a leaf is opened, rightly or wrongly. */
struct opening {
    struct batch *batch;
    struct leaf *leaf; /* Whose content is shown. */
    uint32_t index;    /* Which leaf it is said to be. */
    struct batched_path path;
    enum who who;
    bool is_of_records;
};

static void some_opening(struct history *history, struct opening *out)
{
    struct batch *batch =
        &history->batches[pick(history, (uint32_t)history->batch_count)];
    const uint32_t count = batch->tree.count;
    const uint32_t right = pick(history, count);
    memset(out, 0, sizeof *out);
    out->batch = batch;
    out->leaf = &batch->leaves[right];
    out->index = right;
    out->who = chance(history, 6) ? CLINIC : HOSPITAL;
    out->is_of_records = batch->is_of_records != chance(history, 4);
    batched_path(&out->path, batch->tree.leaves, count, right);
    switch (pick(history, 12)) {
    case 0: /* One that it has not. */
        out->index = count + pick(history, 3);
        break;
    case 1: /* Another's place. */
        out->index = pick(history, count);
        break;
    case 2: /* Another's way. */
        batched_path(&out->path, batch->tree.leaves, count,
                     pick(history, count));
        break;
    case 3: /* A way of another length. */
        out->path.count = pick(history, BATCHED_PATH + 1);
        break;
    case 4: /* What another says. */
        out->leaf = &batch->leaves[pick(history, count)];
        break;
    default:
        break;
    }
}

/* Only the way that the tree itself gives, from what is shown, proves it. */
static bool is_proved(const struct opening *opening)
{
    const struct batch *batch = opening->batch;
    const struct leaf *leaf = opening->leaf;
    struct batched_path path;
    struct pbft_digest shown;
    if (opening->index >= batch->tree.count) {
        return false;
    }
    if (batch->is_of_records) {
        batched_leaf(&shown, "salus/recleaf/1", NULL, &leaf->record.base);
    } else {
        batched_leaf(&shown, "salus/disleaf/2", &leaf->event_ms,
                     &leaf->told.in.base);
    }
    batched_path(&path, batch->tree.leaves, batch->tree.count, opening->index);
    return memcmp(&shown, &batch->tree.leaves[opening->index], sizeof shown) ==
               0 &&
           batched_same_path(&path, &opening->path);
}

/* Was the same told before, by another leaf? */
static bool is_told(const struct history *history, const struct leaf *leaf,
                    bool is_record)
{
    for (size_t i = 0; i < history->batch_count; i++) {
        const struct batch *batch = &history->batches[i];
        for (uint32_t j = 0; j < batch->tree.count; j++) {
            const struct leaf *other = &batch->leaves[j];
            if (other->is_open && batch->is_of_records == is_record &&
                memcmp(
                    is_record ? other->made.id : other->told.in.disclosure.data,
                    is_record ? leaf->made.id : leaf->told.in.disclosure.data,
                    LEDGER_ID_SIZE) == 0) {
                return true;
            }
        }
    }
    return false;
}

static enum ledger_code expected_of(const struct history *history,
                                    const struct opening *opening)
{
    const struct batch *batch = opening->batch;
    const struct leaf *leaf = opening->leaf;
    const bool fits =
        batch->is_of_records
            ? leaf->made.record.class_code == batch->class_code &&
                  leaf->made.record.confidentiality <= batch->confidentiality
            : leaf->event_ms >= batch->from_ms && leaf->event_ms < batch->to_ms;
    if (opening->who != HOSPITAL ||
        opening->is_of_records != batch->is_of_records || !fits) {
        return LEDGER_BATCH_STATE;
    }
    if (!is_proved(opening)) {
        return LEDGER_PROOF_INVALID;
    }
    if (batch->leaves[opening->index].is_open) {
        return LEDGER_LEAF_OPENED;
    }
    if (is_told(history, leaf, batch->is_of_records)) {
        return batch->is_of_records ? LEDGER_REC_EXISTS : LEDGER_DISC_EXISTS;
    }
    return batch->is_of_records || leaf->is_by_law ||
                   covers(history, &batch->decided[leaf->decided],
                          leaf->event_ms, leaf->told.classes[0])
               ? LEDGER_OK
               : LEDGER_DECISION_SCOPE;
}

static uint32_t submit_opening(struct world *world, struct opening *opening)
{
    Salus__V1__RecordOpen record = SALUS__V1__RECORD_OPEN__INIT;
    Salus__V1__DisclosureOpen told = SALUS__V1__DISCLOSURE_OPEN__INIT;
    Salus__V1__RecordAnchor nothing = SALUS__V1__RECORD_ANCHOR__INIT;
    ProtobufCBinaryData path[BATCHED_PATH];
    for (size_t i = 0; i < opening->path.count; i++) {
        path[i] = field_of(opening->path.nodes[i].bytes, 32);
    }
    if (opening->is_of_records) {
        record.batch = field_of(opening->batch->id, 16);
        record.index = opening->index;
        record.record =
            opening->batch->is_of_records ? &opening->leaf->record : &nothing;
        record.path = path;
        record.n_path = opening->path.count;
        return act_simple(world, opening->who, TRANSACTION_RECORD_OPEN,
                          &record.base);
    }
    Salus__V1__Disclosure empty = SALUS__V1__DISCLOSURE__INIT;
    told.batch = field_of(opening->batch->id, 16);
    told.index = opening->index;
    told.event_time_ms = opening->leaf->event_ms;
    told.disclosure =
        opening->batch->is_of_records ? &empty : &opening->leaf->told.in;
    told.path = path;
    told.n_path = opening->path.count;
    return act_simple(world, opening->who, TRANSACTION_DISCLOSURE_OPEN,
                      &told.base);
}

/* What came of openings, in all histories: each of them has to be met. */
static const enum ledger_code of_openings[] = {LEDGER_OK,
                                               LEDGER_BATCH_STATE,
                                               LEDGER_PROOF_INVALID,
                                               LEDGER_LEAF_OPENED,
                                               LEDGER_REC_EXISTS,
                                               LEDGER_DISC_EXISTS,
                                               LEDGER_DECISION_SCOPE};
#define OF_OPENINGS (sizeof of_openings / sizeof of_openings[0])
static size_t met[OF_OPENINGS];

static void note_met(enum ledger_code code)
{
    for (size_t i = 0; i < OF_OPENINGS; i++) {
        met[i] += of_openings[i] == code;
    }
}

/* What is opened is a record as any other. */
static void open_one(struct history *history)
{
    struct opening opening;
    if (history->batch_count == 0) {
        return;
    }
    history->world->now_ms += 1000; /* Never the same transaction again. */
    some_opening(history, &opening);
    enum ledger_code expected = expected_of(history, &opening);
    if (expected == LEDGER_OK && opening.is_of_records &&
        history->record_count == RECORDS_MAX) {
        return;
    }
    EXPECT(submit_opening(history->world, &opening), expected);
    note_met(expected);
    if (expected != LEDGER_OK) {
        return;
    }
    opening.batch->leaves[opening.index].is_open = true;
    if (opening.is_of_records) {
        keep_record(&history->records[history->record_count++],
                    &opening.leaf->made, history->world);
    }
}

/* I7: open are those leaves that the ledger said it had opened, each once, none
 * beyond the count, and nothing came of them but one thing each. */
static void check_batches(struct history *history)
{
    size_t records = 0;
    size_t told = 0;
    for (size_t i = 0; i < history->batch_count; i++) {
        const struct batch *batch = &history->batches[i];
        struct batched_rows rows;
        size_t open = 0;
        batched_open_rows(history->world, batch->id, &rows);
        for (uint32_t j = 0; j < batch->tree.count; j++) {
            const struct leaf *leaf = &batch->leaves[j];
            if (leaf->is_open) {
                assert_true(open < rows.count);
                assert_int_equal(rows.index[open], j);
                assert_memory_equal(rows.id[open],
                                    batch->is_of_records
                                        ? leaf->made.id
                                        : leaf->told.in.disclosure.data,
                                    LEDGER_ID_SIZE);
                open++;
            }
        }
        assert_int_equal(rows.count, open);
        assert_true(open <= batch->tree.count);
        assert_int_equal(batched_counted(history->world, batch->id), open);
        records += batch->is_of_records ? open : 0;
        told += batch->is_of_records ? 0 : open;
    }
    assert_int_equal(batched_count(history->world, 't'), history->batch_count);
    assert_int_equal(batched_count(history->world, 'l'), records + told);
    assert_int_equal(batched_count(history->world, 'd'),
                     history->told_count + told);
    assert_int_equal(batched_count(history->world, 'r'), history->record_count);
    /* Changed ones have left what they were. */
    assert_true(
        ledger_kv_memory_count(history->world->memory, LEDGER_SPACE_THINGS) >=
        history->told_count + told + history->record_count);
    assert_true(records <= history->record_count);
}

/* ---- emergencies --------------------------------------------------------- */

/* The clinic's doctor. */
static struct oracle_who declarer(const struct history *history)
{
    const struct world *world = history->world;
    return (struct oracle_who){
        .institution = world->parties[CLINIC].institution,
        .participant = world->outsider,
        .role = CODES_ROLE_DOCTOR,
    };
}

static bool opens(const struct history *history, size_t record)
{
    const struct oracle_who who = declarer(history);
    return oracle_opens(history->told, history->consent_count,
                        history->world->now_ms, &who,
                        &history->records[record].record);
}

static int by_id(const void *a, const void *b)
{
    const ProtobufCBinaryData *left = a;
    const ProtobufCBinaryData *right = b;
    return memcmp(left->data, right->data, LEDGER_ID_SIZE);
}

/* Glass is broken for all records that there are: allowed exactly if one of
 * them is not denied by name. */
static void break_one(struct history *history)
{
    struct world *world = history->world;
    Salus__V1__BreakGlass in = SALUS__V1__BREAK_GLASS__INIT;
    ProtobufCBinaryData list[RECORDS_MAX];
    bool allowed = false;
    if (history->emergency_count == 8 || history->record_count == 0) {
        return;
    }
    struct glass *glass = &history->emergencies[history->emergency_count];
    for (size_t i = 0; i < history->record_count; i++) {
        list[i] = field_of(history->records[i].id, 16);
        allowed = allowed || opens(history, i);
    }
    qsort(list, history->record_count, sizeof list[0], by_id);
    world_fill(world, glass->id, LEDGER_ID_SIZE);
    in.break_glass = field_of(glass->id, 16);
    in.subject = field_of(world->subject, 32);
    in.records = list;
    in.n_records = history->record_count;
    in.reason = CODES_REASON_LIFE_THREAT;
    in.window_ms = 1 + pick(history, 3600000);
    in.purpose = CODES_PURPOSE_BTG;
    in.witness = field_of(history->officer, 16);
    glass->record_count = history->record_count;
    glass->closes_ms = world->now_ms + in.window_ms;
    EXPECT(act_as(world, CLINIC, world->outsider, TRANSACTION_BREAK_GLASS,
                  &in.base),
           allowed ? LEDGER_OK : LEDGER_BG_FORBIDDEN);
    history->emergency_count += allowed;
}

/* I1: broken glass gives a record exactly if it was named, the window is open,
 * and nothing denies it by name now. */
static void grant_under_glass(struct history *history)
{
    Salus__V1__KeyGrant in = SALUS__V1__KEY_GRANT__INIT;
    struct world *world = history->world;
    uint8_t commit[32];
    if (history->emergency_count == 0) {
        return;
    }
    const struct glass *glass =
        &history
             ->emergencies[pick(history, (uint32_t)history->emergency_count)];
    size_t record = pick(history, (uint32_t)history->record_count);
    world_fill(world, commit, sizeof commit);
    in.record = field_of(history->records[record].id, 16);
    in.version = 1;
    in.recipient_key = field_of(world->parties[CLINIC].encryption_id.bytes, 16);
    in.wrap_commit = field_of(commit, 32);
    in.break_glass = field_of(glass->id, 16);
    bool given = record < glass->record_count &&
                 world->now_ms < glass->closes_ms && opens(history, record);
    EXPECT(act_simple(world, HOSPITAL, TRANSACTION_KEY_GRANT, &in.base),
           given ? LEDGER_OK : LEDGER_NO_DECISION);
}

static void review_one(struct history *history)
{
    struct world *world = history->world;
    Salus__V1__BreakGlassReview in = SALUS__V1__BREAK_GLASS_REVIEW__INIT;
    uint8_t commit[32];
    uint8_t reviewer[LEDGER_ID_SIZE];
    if (history->emergency_count == 0) {
        return;
    }
    world_fill(world, commit, sizeof commit);
    act_register_in(world, CLINIC, CODES_ROLE_PRIVACY_OFFICER, reviewer);
    in.break_glass = field_of(
        history->emergencies[pick(history, (uint32_t)history->emergency_count)]
            .id,
        16);
    in.finding = (Salus__V1__BreakGlassReview__Finding)(1 + pick(history, 3));
    in.finding_commit = field_of(commit, 32);
    uint32_t code = act_as(world, CLINIC, reviewer,
                           TRANSACTION_BREAK_GLASS_REVIEW, &in.base);
    assert_true(code == LEDGER_OK || code == LEDGER_BG_STATE);
}

/* I5 */
static void check_emergencies(struct history *history)
{
    struct wire_arena arena;
    uint32_t overdue = 0;
    Salus__V1__Query query = SALUS__V1__QUERY__INIT;
    Salus__V1__BreakGlassQuery in = SALUS__V1__BREAK_GLASS_QUERY__INIT;
    query.kind_case = SALUS__V1__QUERY__KIND_BREAK_GLASS;
    query.break_glass = &in;
    wire_arena_init(&arena, 8u * 1024 * 1024);
    const Salus__V1__BreakGlassList *list =
        world_ask(history->world, CLINIC, &query, &arena)->break_glass;
    assert_int_equal(list->n_rows, history->emergency_count);
    for (size_t i = 0; i < list->n_rows; i++) {
        const Salus__V1__BreakGlassList__Row *row = list->rows[i];
        bool open =
            row->state == SALUS__V1__BREAK_GLASS_LIST__STATE__STATE_OPEN;
        assert_true(!open || row->overdue ||
                    row->due_ms > history->world->now_ms);
        overdue += open && row->overdue;
    }
    assert_int_equal(list->overdue, overdue);
    wire_arena_deinit(&arena);
}

/* ---- the same everywhere ------------------------------------------------- */

struct comparison {
    const struct ledger_kv *other;
    enum ledger_space space;
    size_t count;
};

static bool compare_row(void *visitor, struct pbft_bytes key,
                        struct pbft_bytes value)
{
    static uint8_t room[LEDGER_VALUE_MAX];
    struct comparison *comparison = visitor;
    size_t size = 0;
    assert_int_equal(comparison->other->get(comparison->other->context,
                                            comparison->space, key, room,
                                            sizeof room, &size),
                     PBFT_OK);
    assert_int_equal(size, value.size);
    assert_memory_equal(room, value.data, size);
    comparison->count++;
    return true;
}

/* I8, I10: row by row. */
static void compare_with_shadow(struct world *world)
{
    const struct ledger_kv *here = ledger_kv_memory_vtable(world->memory);
    const struct ledger_kv_range all = {.limit = SIZE_MAX,
                                        .direction = LEDGER_KV_FORWARD};
    for (int space = 0; space < LEDGER_SPACE_COUNT; space++) {
        struct comparison comparison = {
            ledger_kv_memory_vtable(world->shadow_memory),
            (enum ledger_space)space, 0};
        assert_int_equal(here->range(here->context, comparison.space, &all,
                                     compare_row, &comparison),
                         PBFT_OK);
        assert_int_equal(
            comparison.count,
            ledger_kv_memory_count(world->shadow_memory, comparison.space));
    }
}

/* ---- the whole ----------------------------------------------------------- */

static void begin(struct history *history, uint64_t seed)
{
    memset(history, 0, sizeof *history);
    history->world = world_create_empty(seed);
    struct world *world = history->world;
    /* Emergencies are allowed unless denied by name; consents imply nothing. */
    world->policy.break_glass_override = 2;
    ledger_destroy(world->ledger);
    ledger_kv_memory_destroy(world->memory);
    world_open(world, &world->memory, &world->ledger);
    world_open(world, &world->shadow_memory, &world->shadow);
    world_register_subjects(world);
    act_register_in(world, HOSPITAL, CODES_ROLE_DOCTOR, world->doctor);
    act_register_in(world, CLINIC, CODES_ROLE_DOCTOR, world->outsider);
    world_register_one(world, HOSPITAL, TRANSACTION_GROUP, world->team);
    act_register_in(world, CLINIC, CODES_ROLE_PRIVACY_OFFICER,
                    history->officer);
    world_fill(world, history->encounter, sizeof history->encounter);
    for (size_t i = 0; i < TAGS; i++) {
        world_fill(world, history->tags[i], LEDGER_ID_SIZE);
        history->tags[i][0] = (uint8_t)(0x80 + i);
    }
}

static void run_steps(struct history *history)
{
    for (size_t i = 0; i < STEPS; i++) {
        uint32_t kind = pick(history, 100);
        history->world->now_ms += pick(history, 3000);
        if (kind < 30) {
            file_one(history);
        } else if (kind < 40) {
            end_one(history);
        } else if (kind < 55) {
            anchor_one(history);
        } else if (kind < 59) {
            break_one(history);
            grant_under_glass(history);
        } else if (kind < 61) {
            grant_under_glass(history);
        } else if (kind < 65) {
            review_one(history);
        } else if (kind < 66) {
            act_wait(history->world, 8ull * 86400000); /* Reviews fall due. */
        } else if (kind < 74) {
            tell_one(history);
        } else if (kind < 78) {
            batch_one(history);
        } else if (kind < 88) {
            for (uint32_t n = 1 + pick(history, 4); n > 0; n--) {
                open_one(history);
            }
        } else {
            ask_one(history);
        }
        if (chance(history, 5)) {
            world_restart_shadow(history->world);
        }
    }
}

/* I3: one deny more, and nothing that was denied is permitted. */
static void add_a_deny(struct history *history)
{
    struct question question;
    struct asked asked;
    if (history->record_count == 0 || history->consent_count == CONSENTS_MAX) {
        return;
    }
    some_question(history, &question);
    uint64_t before = ask_all(history, history->world, &question, &asked);
    struct filed *deny = &history->consents[history->consent_count];
    some_consent(history, deny);
    deny->grant.base_decision = TRANSACTION_DENY;
    deny->grant.exception_count = 0;
    EXPECT(file(history->world, deny), LEDGER_OK);
    history->told[history->consent_count++] =
        (struct oracle_consent){&deny->grant, history->world->now_ms, 0};
    uint64_t after = ask_all(history, history->world, &question, &asked);
    if (before != UINT64_MAX) {
        assert_int_equal(after & ~before, 0);
    }
}

/* I4: the consents in force, filed in another order in another consortium of
 * the same parties, give the same answers. */
static void file_in_another_order(struct history *history, uint64_t seed)
{
    static struct history other;
    struct question question;
    struct asked asked;
    if (history->record_count == 0) {
        return;
    }
    some_question(history, &question);
    uint64_t here = ask_all(history, history->world, &question, &asked);
    begin(&other, seed);
    struct world *world = other.world;
    memcpy(other.tags, history->tags, sizeof other.tags);
    world->now_ms = history->world->now_ms;
    memcpy(other.encounter, history->encounter, sizeof other.encounter);
    other.record_count = history->record_count;
    for (size_t i = 0; i < other.record_count; i++) {
        keep_record(&other.records[i], &history->records[i], world);
        anchor(world, &other.records[i]);
    }
    for (size_t i = history->consent_count; i > 0; i--) { /* Backwards. */
        if (history->told[i - 1].ended_ms == 0) {
            EXPECT(file(world, &history->consents[i - 1]), LEDGER_OK);
        }
    }
    memcpy(other.told, history->told, sizeof other.told);
    other.consent_count = history->consent_count;
    assert_int_equal(ask_all(&other, world, &question, &asked), here);
    world_destroy(world);
}

static size_t histories(void)
{
    const char *text = getenv("SALUS_HISTORIES");
    return text != NULL ? (size_t)strtoul(text, NULL, 10) : HISTORIES_DEFAULT;
}

static uint64_t first_seed(void)
{
    const char *text = getenv("SALUS_SEED");
    return text != NULL ? strtoull(text, NULL, 10) : 1;
}

static void test_histories(void **state)
{
    static struct history history;
    size_t count = histories();
    (void)state;
    for (uint64_t seed = first_seed(); count > 0; seed++, count--) {
        begin(&history, seed);
        run_steps(&history);
        add_a_deny(&history);
        check_emergencies(&history);
        check_batches(&history);
        compare_with_shadow(history.world);
        /* Same seed: the same parties, so that actors mean the same. */
        file_in_another_order(&history, seed);
        world_destroy(history.world);
    }
    for (size_t i = 0; histories() >= ENOUGH_HISTORIES && i < OF_OPENINGS;
         i++) {
        print_message("openings, %s: %zu\n", ledger_code_name(of_openings[i]),
                      met[i]);
        assert_true(met[i] > 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_histories)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
