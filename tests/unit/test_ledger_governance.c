/* SPDX-License-Identifier: Apache-2.0 */
/* Institutions, keys, participants, policies and code tables: by whom they are
 * changed, and from when. */
#include "tests/support/ledger_acts.h"

/* ---- institutions -------------------------------------------------------- */

struct candidate {
    Salus__V1__InstitutionAdmit admit;
    struct pbft_institution id;
    struct new_key key;
    struct pbft_public_key encryption;
    uint8_t contract[32];
    uint32_t roles[1];
};

static void make_candidate(struct world *world, struct candidate *out)
{
    Salus__V1__InstitutionAdmit *in = &out->admit;
    salus__v1__institution_admit__init(in);
    world_fill(world, &out->id, sizeof out->id);
    world_fill(world, &out->encryption, sizeof out->encryption);
    world_fill(world, out->contract, sizeof out->contract);
    act_new_key(world, &out->key, &out->id, out->encryption.bytes);
    out->roles[0] = CODES_INSTITUTION_PROVIDER;
    in->institution = field_of(out->id.bytes, 16);
    in->name = (char *)"northgate";
    in->legal_name = (char *)"Northgate Clinic Ltd";
    in->country = (char *)"GB";
    in->roles = out->roles;
    in->n_roles = 1;
    in->submit_key = field_of(out->key.key.bytes, 32);
    in->submit_possession = field_of(out->key.possession.bytes, 64);
    in->encryption_key = field_of(out->encryption.bytes, 32);
    in->attestation_hash = field_of(out->contract, 32);
}

static uint32_t admit(struct world *world, struct candidate *candidate)
{
    return act_govern(world, TRANSACTION_INST_ADMIT, &candidate->admit.base);
}

/* Lets the new institution submit; false while it may not. */
static uint32_t submit_as(struct world *world, const struct candidate *who)
{
    struct party before = world->parties[CLINIC];
    struct world_ids ids;
    struct party *party = &world->parties[CLINIC];
    party->institution = who->id;
    party->submit_key = who->key.key;
    party->submit_id = who->key.id;
    party->session = 1;
    static uint64_t sequence = 1;
    party->next_sequence = sequence++;
    struct transaction in = world_participant(world, &ids);
    uint32_t code = world_submit(world, CLINIC, &in);
    *party = before;
    return code;
}

static void test_institution_is_admitted_by_quorum(void **state)
{
    struct world *world = *state;
    struct candidate candidate;
    make_candidate(world, &candidate);
    const struct act two = {
        .who = HOSPITAL, .cosigner_count = 1, .role = TRANSACTION_GOVERNANCE};
    EXPECT(act_do(world, &two, TRANSACTION_INST_ADMIT, &candidate.admit.base),
           LEDGER_QUORUM_SHORT);
    const struct act wrong_role = {
        .who = HOSPITAL, .cosigner_count = 2, .role = TRANSACTION_COSIGN_INST};
    EXPECT(act_do(world, &wrong_role, TRANSACTION_INST_ADMIT,
                  &candidate.admit.base),
           LEDGER_QUORUM_SHORT);
    EXPECT(admit(world, &candidate), LEDGER_OK);
    EXPECT(admit(world, &candidate), LEDGER_INST_EXISTS);
    EXPECT(submit_as(world, &candidate), LEDGER_KEY_STATE);
    for (int i = 0; i < LEDGER_ADMIT_DELAY; i++) {
        act_wait(world, 1);
    }
    EXPECT(submit_as(world, &candidate), LEDGER_OK);
    /* Four institutions now: three of them are a quorum. */
    struct candidate fifth;
    make_candidate(world, &fifth);
    EXPECT(admit(world, &fifth), LEDGER_OK);
}

/* A name passes for no id, and moves no cursor. */
static void test_candidate_is_named_in_one_line(void **state)
{
    static const char *const short_names[] = {
        "-", "--", "1a2b3c4d5e6f70811a2b3c4d5e6f7081"};
    static const char *const legal_names[] = {
        "", "Northgate\nClinic", "\x1b[2JNorthgate", "North\x7fgate",
        "\xc2\x9b[2JNorthgate"};
    struct world *world = *state;
    struct candidate candidate;
    for (size_t i = 0; i < sizeof short_names / sizeof short_names[0]; i++) {
        make_candidate(world, &candidate);
        candidate.admit.name = (char *)(uintptr_t)short_names[i];
        EXPECT(admit(world, &candidate), LEDGER_FIELD_FORM);
    }
    for (size_t i = 0; i < sizeof legal_names / sizeof legal_names[0]; i++) {
        make_candidate(world, &candidate);
        candidate.admit.legal_name = (char *)(uintptr_t)legal_names[i];
        EXPECT(admit(world, &candidate), LEDGER_FIELD_FORM);
    }
    make_candidate(world, &candidate);
    candidate.admit.name = (char *)"1a2b3c4d5e6f70811a2b3c4d5e6f708-";
    candidate.admit.legal_name = (char *)"Krankenhaus M\xc3\xbcnchen";
    EXPECT(admit(world, &candidate), LEDGER_OK);
}

static void test_candidate_must_be_whole(void **state)
{
    struct world *world = *state;
    struct candidate candidate;
    uint8_t other[64];
    world_fill(world, other, sizeof other);
    make_candidate(world, &candidate);
    candidate.admit.submit_possession = field_of(other, 64);
    EXPECT(admit(world, &candidate), LEDGER_POP_INVALID);
    make_candidate(world, &candidate);
    candidate.admit.encryption_key = field_of(other, 32);
    EXPECT(admit(world, &candidate), LEDGER_POP_INVALID);
    make_candidate(world, &candidate);
    candidate.admit.submit_key =
        field_of(world->parties[CLINIC].submit_key.bytes, 32);
    EXPECT(admit(world, &candidate), LEDGER_KEY_REUSED);
    make_candidate(world, &candidate);
    candidate.admit.name = (char *)"North Gate";
    EXPECT(admit(world, &candidate), LEDGER_FIELD_FORM);
    make_candidate(world, &candidate);
    candidate.admit.country = (char *)"gb";
    EXPECT(admit(world, &candidate), LEDGER_FIELD_FORM);
    make_candidate(world, &candidate);
    candidate.admit.n_roles = 0;
    EXPECT(admit(world, &candidate), LEDGER_FIELD_FORM);
    make_candidate(world, &candidate);
    candidate.roles[0] = 77;
    EXPECT(admit(world, &candidate), LEDGER_UNKNOWN_CODE);
}

static Salus__V1__InstitutionSuspend suspension_of(struct world *world,
                                                   enum who who, bool lift)
{
    Salus__V1__InstitutionSuspend in = SALUS__V1__INSTITUTION_SUSPEND__INIT;
    in.institution = field_of(world->parties[who].institution.bytes, 16);
    in.lift = lift;
    in.reason = CODES_REASON_CONTRACT;
    return in;
}

static uint32_t anything(struct world *world, enum who who)
{
    struct world_ids ids;
    struct transaction in = world_participant(world, &ids);
    return world_submit(world, who, &in);
}

static void test_suspended_institution_may_not_act(void **state)
{
    struct world *world = *state;
    Salus__V1__InstitutionSuspend in = suspension_of(world, LABORATORY, false);
    EXPECT(act_simple(world, HOSPITAL, TRANSACTION_INST_SUSPEND, &in.base),
           LEDGER_QUORUM_SHORT);
    EXPECT(act_govern(world, TRANSACTION_INST_SUSPEND, &in.base), LEDGER_OK);
    EXPECT(anything(world, LABORATORY), LEDGER_INSTITUTION_STATE);
    const struct act two = {
        .who = HOSPITAL, .cosigner_count = 1, .role = TRANSACTION_GOVERNANCE};
    EXPECT(act_do(world, &two, TRANSACTION_INST_SUSPEND, &in.base),
           LEDGER_INST_STATE);
    in = suspension_of(world, LABORATORY, true);
    EXPECT(act_do(world, &two, TRANSACTION_INST_SUSPEND, &in.base), LEDGER_OK);
    EXPECT(anything(world, LABORATORY), LEDGER_OK);
}

static void test_who_may_look_up_what_was_ordered(void **state)
{
    struct world *world = *state;
    const struct ledger_kv *view = ledger_kv_memory_vtable(world->memory);
    const struct pbft_institution *laboratory =
        &world->parties[LABORATORY].institution;
    const struct pbft_public_key *own = &world->parties[LABORATORY].submit_key;
    const struct pbft_public_key *others = &world->parties[CLINIC].submit_key;
    const struct pbft_institution nobody = {{0}};
    Salus__V1__InstitutionSuspend in = suspension_of(world, LABORATORY, false);
    assert_int_equal(ledger_may_look_up(view, laboratory, NULL), PBFT_OK);
    assert_int_equal(ledger_may_look_up(view, laboratory, own), PBFT_OK);
    assert_int_equal(ledger_may_look_up(view, laboratory, others),
                     PBFT_NOT_MEMBER);
    assert_int_equal(ledger_may_look_up(view, &nobody, NULL), PBFT_NOT_MEMBER);

    EXPECT(act_govern(world, TRANSACTION_INST_SUSPEND, &in.base), LEDGER_OK);

    assert_int_equal(ledger_may_look_up(view, laboratory, NULL),
                     PBFT_NOT_MEMBER);
    assert_int_equal(ledger_may_look_up(view, laboratory, own),
                     PBFT_NOT_MEMBER);
    assert_int_equal(
        ledger_may_look_up(view, &world->parties[CLINIC].institution, NULL),
        PBFT_OK);
}

static void test_records_of_a_retired_institution_have_a_keeper(void **state)
{
    struct world *world = *state;
    uint8_t record[LEDGER_ID_SIZE];
    act_anchor(world, CODES_CONF_N, record);
    Salus__V1__InstitutionRetire in = SALUS__V1__INSTITUTION_RETIRE__INIT;
    in.institution = field_of(world->parties[HOSPITAL].institution.bytes, 16);
    in.reason = CODES_REASON_CONTRACT;
    EXPECT(act_govern(world, TRANSACTION_INST_RETIRE, &in.base),
           LEDGER_SUCCESSOR_REQUIRED);
    in.successor = field_of(world->parties[CLINIC].institution.bytes, 16);
    EXPECT(act_govern(world, TRANSACTION_INST_RETIRE, &in.base), LEDGER_OK);
    EXPECT(anything(world, HOSPITAL), LEDGER_INSTITUTION_STATE);
    Salus__V1__RecordRetract retract = SALUS__V1__RECORD_RETRACT__INIT;
    retract.record = field_of(record, 16);
    retract.expected_version = 1;
    retract.reason = SALUS__V1__RECORD_AMEND__REASON__ENTERED_IN_ERROR;
    EXPECT(act_simple(world, LABORATORY, TRANSACTION_RECORD_RETRACT,
                      &retract.base),
           LEDGER_REC_STATE);
    EXPECT(act_simple(world, CLINIC, TRANSACTION_RECORD_RETRACT, &retract.base),
           LEDGER_OK);
}

static void test_institution_updates_itself(void **state)
{
    struct world *world = *state;
    struct new_key key;
    const struct pbft_institution *id = &world->parties[CLINIC].institution;
    act_new_key(world, &key, id, NULL);
    Salus__V1__InstitutionUpdate in = SALUS__V1__INSTITUTION_UPDATE__INIT;
    in.institution = field_of(id->bytes, 16);
    in.submit_key = field_of(key.key.bytes, 32);
    in.submit_possession = field_of(key.possession.bytes, 64);
    in.reason = CODES_REASON_CONTRACT;
    EXPECT(act_simple(world, HOSPITAL, TRANSACTION_INST_UPDATE, &in.base),
           LEDGER_INST_STATE);
    EXPECT(act_simple(world, CLINIC, TRANSACTION_INST_UPDATE, &in.base),
           LEDGER_OK);
    uint32_t roles[] = {CODES_INSTITUTION_PROVIDER, CODES_INSTITUTION_RESEARCH};
    salus__v1__institution_update__init(&in);
    in.institution = field_of(id->bytes, 16);
    in.reason = CODES_REASON_CONTRACT;
    in.roles = roles;
    in.n_roles = 2;
    EXPECT(act_simple(world, CLINIC, TRANSACTION_INST_UPDATE, &in.base),
           LEDGER_QUORUM_SHORT);
    EXPECT(act_govern(world, TRANSACTION_INST_UPDATE, &in.base), LEDGER_OK);
}

/* ---- the directory ------------------------------------------------------- */

static const Salus__V1__Answer *
ask_directory(struct world *world, struct wire_arena *arena,
              const Salus__V1__InstitutionsQuery *in)
{
    Salus__V1__Query query = SALUS__V1__QUERY__INIT;
    query.kind_case = SALUS__V1__QUERY__KIND_INSTITUTIONS;
    query.institutions = (Salus__V1__InstitutionsQuery *)(uintptr_t)in;
    wire_arena_reset(arena);
    return world_ask(world, HOSPITAL, &query, arena);
}

/* The row of one institution. */
static const Salus__V1__InstitutionList__Row *
look_up(struct world *world, struct wire_arena *arena,
        const struct pbft_institution *id)
{
    Salus__V1__InstitutionsQuery in = SALUS__V1__INSTITUTIONS_QUERY__INIT;
    ProtobufCBinaryData field = field_of(id->bytes, 16);
    in.institutions = &field;
    in.n_institutions = 1;
    const Salus__V1__Answer *answer = ask_directory(world, arena, &in);
    EXPECT(answer->code, LEDGER_OK);
    assert_int_equal(answer->institutions->n_rows, 1);
    assert_memory_equal(answer->institutions->rows[0]->institution.data,
                        id->bytes, 16);
    return answer->institutions->rows[0];
}

static void expect_standing(struct world *world,
                            const struct pbft_institution *id,
                            Salus__V1__InstitutionList__State state,
                            pbft_seq since)
{
    struct wire_arena arena;
    wire_arena_init(&arena, WIRE_UNPACK_BYTES_MAX);
    const Salus__V1__InstitutionList__Row *row = look_up(world, &arena, id);
    assert_int_equal(row->state, state);
    assert_int_equal(row->state_seq, since);
    assert_true(since == 0 || row->state_us > WORLD_NOW_MS * 1000u);
    wire_arena_deinit(&arena);
}

static pbft_seq height_of(const struct world *world)
{
    struct ledger_position now;
    ledger_position(world->ledger, &now);
    return now.seq;
}

static void expect_northgate(const Salus__V1__InstitutionList__Row *row)
{
    assert_string_equal(row->name, "northgate");
    assert_string_equal(row->legal_name, "Northgate Clinic Ltd");
    assert_string_equal(row->country, "GB");
    assert_int_equal(row->n_ids, 1);
    assert_string_equal(row->ids[0]->system, "NPI");
    assert_string_equal(row->ids[0]->value, "1234567893");
    assert_int_equal(row->n_endpoints, 1);
    assert_string_equal(row->endpoints[0], "https://northgate.example/fhir");
    assert_false(row->founder);
}

/* Who is admitted is named as its admission does, whatever is updated later. */
static void test_directory_names_who_came_later(void **state)
{
    struct world *world = *state;
    struct candidate candidate;
    struct wire_arena arena;
    Salus__V1__InstitutionAdmit__Identifier npi =
        SALUS__V1__INSTITUTION_ADMIT__IDENTIFIER__INIT;
    Salus__V1__InstitutionAdmit__Identifier *ids[] = {&npi};
    char *endpoints[] = {(char *)"https://northgate.example/fhir"};
    uint32_t roles[] = {CODES_INSTITUTION_RESEARCH};
    wire_arena_init(&arena, WIRE_UNPACK_BYTES_MAX);
    make_candidate(world, &candidate);
    npi.system = (char *)"NPI";
    npi.value = (char *)"1234567893";
    candidate.admit.ids = ids;
    candidate.admit.n_ids = 1;
    candidate.admit.endpoints = endpoints;
    candidate.admit.n_endpoints = 1;
    EXPECT(admit(world, &candidate), LEDGER_OK);
    pbft_seq admitted = height_of(world);
    const Salus__V1__InstitutionList__Row *row =
        look_up(world, &arena, &candidate.id);
    expect_northgate(row);
    assert_int_equal(row->member_seq, admitted + LEDGER_ADMIT_DELAY);
    assert_int_equal(row->member_us, 0);
    expect_standing(world, &candidate.id,
                    SALUS__V1__INSTITUTION_LIST__STATE__INSTITUTION_JOINING,
                    admitted);
    Salus__V1__InstitutionUpdate in = SALUS__V1__INSTITUTION_UPDATE__INIT;
    in.institution = field_of(candidate.id.bytes, 16);
    in.reason = CODES_REASON_CONTRACT;
    in.roles = roles;
    in.n_roles = 1;
    EXPECT(act_govern(world, TRANSACTION_INST_UPDATE, &in.base), LEDGER_OK);
    for (int i = 0; i < LEDGER_ADMIT_DELAY; i++) {
        act_wait(world, 1);
    }
    row = look_up(world, &arena, &candidate.id);
    expect_northgate(row);
    assert_int_equal(row->n_roles, 1);
    assert_int_equal(row->roles[0], CODES_INSTITUTION_RESEARCH);
    assert_true(row->member_us > 0);
    expect_standing(world, &candidate.id,
                    SALUS__V1__INSTITUTION_LIST__STATE__INSTITUTION_ACTIVE,
                    admitted + LEDGER_ADMIT_DELAY);
    wire_arena_deinit(&arena);
}

/* Suspended, active again, gone: since that decision. */
static void test_directory_tells_since_when(void **state)
{
    struct world *world = *state;
    const struct pbft_institution *id = &world->parties[LABORATORY].institution;
    struct wire_arena arena;
    wire_arena_init(&arena, WIRE_UNPACK_BYTES_MAX);
    const Salus__V1__InstitutionList__Row *row = look_up(world, &arena, id);
    assert_string_equal(row->name, "riverbend");
    assert_string_equal(row->legal_name, "Riverbend Laboratory");
    assert_string_equal(row->country, "AT");
    assert_true(row->founder);
    expect_standing(world, id,
                    SALUS__V1__INSTITUTION_LIST__STATE__INSTITUTION_ACTIVE, 0);
    Salus__V1__InstitutionSuspend in = suspension_of(world, LABORATORY, false);
    EXPECT(act_govern(world, TRANSACTION_INST_SUSPEND, &in.base), LEDGER_OK);
    pbft_seq suspended = height_of(world);
    act_wait(world, 1);
    expect_standing(world, id,
                    SALUS__V1__INSTITUTION_LIST__STATE__INSTITUTION_SUSPENDED,
                    suspended);
    in = suspension_of(world, LABORATORY, true);
    const struct act two = {
        .who = HOSPITAL, .cosigner_count = 1, .role = TRANSACTION_GOVERNANCE};
    EXPECT(act_do(world, &two, TRANSACTION_INST_SUSPEND, &in.base), LEDGER_OK);
    expect_standing(world, id,
                    SALUS__V1__INSTITUTION_LIST__STATE__INSTITUTION_ACTIVE,
                    height_of(world));
    Salus__V1__InstitutionRetire end = SALUS__V1__INSTITUTION_RETIRE__INIT;
    end.institution = field_of(id->bytes, 16);
    end.reason = CODES_REASON_CONTRACT;
    end.successor = field_of(world->parties[CLINIC].institution.bytes, 16);
    EXPECT(act_govern(world, TRANSACTION_INST_RETIRE, &end.base), LEDGER_OK);
    expect_standing(world, id,
                    SALUS__V1__INSTITUTION_LIST__STATE__INSTITUTION_RETIRED,
                    height_of(world));
    row = look_up(world, &arena, id);
    assert_memory_equal(row->successor.data,
                        world->parties[CLINIC].institution.bytes, 16);
    wire_arena_deinit(&arena);
}

/* All of them, once each, by ascending id; or those that are named. */
static void test_directory_comes_in_pages(void **state)
{
    struct world *world = *state;
    Salus__V1__InstitutionsQuery in = SALUS__V1__INSTITUTIONS_QUERY__INIT;
    struct candidate candidate;
    struct wire_arena arena;
    uint8_t last[16] = {0};
    uint8_t cursor[16];
    size_t rows = 0;
    wire_arena_init(&arena, WIRE_UNPACK_BYTES_MAX);
    make_candidate(world, &candidate);
    EXPECT(admit(world, &candidate), LEDGER_OK);
    in.limit = 1;
    for (bool more = true; more;) {
        const Salus__V1__Answer *answer = ask_directory(world, &arena, &in);
        EXPECT(answer->code, LEDGER_OK);
        const Salus__V1__InstitutionList *list = answer->institutions;
        assert_int_equal(list->n_rows, 1);
        assert_true(memcmp(list->rows[0]->institution.data, last, 16) > 0);
        memcpy(last, list->rows[0]->institution.data, 16);
        rows++;
        more = list->cursor.len > 0;
        if (more) {
            memcpy(cursor, list->cursor.data, 16);
            in.cursor = field_of(cursor, 16);
        }
    }
    assert_int_equal(rows, WHO_COUNT + 1);
    uint8_t nobody[16] = {0};
    ProtobufCBinaryData ids[] = {field_of(nobody, 16), field_of(last, 16)};
    in.institutions = ids;
    in.n_institutions = 2;
    EXPECT(ask_directory(world, &arena, &in)->code, LEDGER_QUERY_FORM);
    in.cursor = field_of(NULL, 0);
    const Salus__V1__Answer *answer = ask_directory(world, &arena, &in);
    assert_int_equal(answer->institutions->n_rows, 1);
    assert_int_equal(answer->institutions->cursor.len, 0);
    ids[1] = ids[0];
    EXPECT(ask_directory(world, &arena, &in)->code, LEDGER_QUERY_FORM);
    in.n_institutions = 0;
    in.limit = LEDGER_DIRECTORY_ROWS_MAX + 1;
    EXPECT(ask_directory(world, &arena, &in)->code, LEDGER_QUERY_FORM);
    wire_arena_deinit(&arena);
}

/* Twenty institutions that say all they may fit into one answer. */
static void test_largest_page_of_the_directory_fits(void **state)
{
    char text[LEDGER_TEXT_MAX + 1];
    uint8_t id[16] = {1};
    uint32_t roles[LEDGER_PARTICIPANT_ROLES_MAX];
    Salus__V1__InstitutionAdmit__Identifier one =
        SALUS__V1__INSTITUTION_ADMIT__IDENTIFIER__INIT;
    Salus__V1__InstitutionAdmit__Identifier *ids[LEDGER_IDENTIFIERS_MAX];
    char *endpoints[LEDGER_ENDPOINTS_MAX];
    Salus__V1__InstitutionList__Row row =
        SALUS__V1__INSTITUTION_LIST__ROW__INIT;
    Salus__V1__InstitutionList__Row *rows[LEDGER_DIRECTORY_ROWS_MAX];
    Salus__V1__InstitutionList list = SALUS__V1__INSTITUTION_LIST__INIT;
    Salus__V1__Answer answer = SALUS__V1__ANSWER__INIT;
    struct wire_buffer buffer;
    (void)state;
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = 0;
    one.system = (char *)"NPI";
    one.value = text + LEDGER_TEXT_MAX - 64;
    for (size_t i = 0; i < LEDGER_IDENTIFIERS_MAX; i++) {
        ids[i] = &one;
        endpoints[i] = text;
        roles[i] = 63;
    }
    row.institution = field_of(id, 16);
    row.name = text + LEDGER_TEXT_MAX - LEDGER_NAME_MAX;
    row.legal_name = text + LEDGER_TEXT_MAX - LEDGER_LEGAL_NAME_MAX;
    row.country = (char *)"AT";
    row.roles = roles;
    row.n_roles = LEDGER_PARTICIPANT_ROLES_MAX;
    row.ids = ids;
    row.n_ids = LEDGER_IDENTIFIERS_MAX;
    row.endpoints = endpoints;
    row.n_endpoints = LEDGER_ENDPOINTS_MAX;
    row.state = SALUS__V1__INSTITUTION_LIST__STATE__INSTITUTION_RETIRED;
    row.state_seq = row.state_us = UINT64_MAX;
    row.member_seq = row.member_us = UINT64_MAX;
    row.replica = true;
    row.successor = field_of(id, 16);
    for (size_t i = 0; i < LEDGER_DIRECTORY_ROWS_MAX; i++) {
        rows[i] = &row;
    }
    list.rows = rows;
    list.n_rows = LEDGER_DIRECTORY_ROWS_MAX;
    list.cursor = field_of(id, 16);
    answer.height = answer.block_time_us = UINT64_MAX;
    answer.kind_case = SALUS__V1__ANSWER__KIND_INSTITUTIONS;
    answer.institutions = &list;
    wire_buffer_init(&buffer, LEDGER_ANSWER_MAX);
    assert_int_equal(wire_pack(&answer.base, &buffer), PBFT_OK);
    wire_buffer_deinit(&buffer);
}

/* ---- keys ---------------------------------------------------------------- */

static void test_client_key_rotates_at_a_height(void **state)
{
    struct world *world = *state;
    struct party *party = &world->parties[CLINIC];
    struct new_key key;
    struct ledger_position now;
    act_new_key(world, &key, &party->institution, NULL);
    ledger_position(world->ledger, &now);
    Salus__V1__KeyRotate in = SALUS__V1__KEY_ROTATE__INIT;
    in.old_key_id = field_of(party->submit_id.bytes, 16);
    in.new_key = field_of(key.key.bytes, 32);
    in.possession = field_of(key.possession.bytes, 64);
    in.effective_seq = now.seq + 1;
    EXPECT(act_simple(world, CLINIC, TRANSACTION_KEY_ROTATE, &in.base),
           LEDGER_PERIOD);
    in.effective_seq = now.seq + 5;
    EXPECT(act_simple(world, HOSPITAL, TRANSACTION_KEY_ROTATE, &in.base),
           LEDGER_KEY_STATE);
    EXPECT(act_simple(world, CLINIC, TRANSACTION_KEY_ROTATE, &in.base),
           LEDGER_OK); /* Block 4. */
    EXPECT(act_simple(world, CLINIC, TRANSACTION_KEY_ROTATE, &in.base),
           LEDGER_KEY_STATE); /* In block 5. */
    struct party old = *party;
    party->submit_key = key.key;
    party->submit_id = key.id;
    party->next_sequence = 1;
    EXPECT(anything(world, CLINIC), LEDGER_OK);
    party->submit_key = old.submit_key;
    party->submit_id = old.submit_id;
    party->next_sequence = old.next_sequence;
    EXPECT(anything(world, CLINIC), LEDGER_KEY_STATE);
}

static void test_revoked_key_signs_nothing(void **state)
{
    struct world *world = *state;
    Salus__V1__KeyRevoke in = SALUS__V1__KEY_REVOKE__INIT;
    in.key_id = field_of(world->parties[LABORATORY].submit_id.bytes, 16);
    in.reason = SALUS__V1__KEY_REVOKE__REASON__LOST;
    in.compromise_time_ms = 5;
    EXPECT(act_govern(world, TRANSACTION_KEY_REVOKE, &in.base),
           LEDGER_FIELD_FORM);
    in.reason = SALUS__V1__KEY_REVOKE__REASON__COMPROMISE;
    in.compromise_time_ms = world->now_ms - 1000;
    EXPECT(act_simple(world, HOSPITAL, TRANSACTION_KEY_REVOKE, &in.base),
           LEDGER_QUORUM_SHORT);
    EXPECT(act_govern(world, TRANSACTION_KEY_REVOKE, &in.base), LEDGER_OK);
    EXPECT(act_govern(world, TRANSACTION_KEY_REVOKE, &in.base),
           LEDGER_COSIGNER); /* Signed with it. */
    EXPECT(anything(world, LABORATORY), LEDGER_KEY_STATE);
}

static void test_lost_key_of_a_patient_is_replaced(void **state)
{
    struct world *world = *state;
    struct party *party = &world->parties[HOSPITAL];
    struct new_key key;
    struct ledger_position now;
    act_new_key(world, &key, &party->institution, NULL);
    ledger_position(world->ledger, &now);
    Salus__V1__KeyRotate in = SALUS__V1__KEY_ROTATE__INIT;
    in.old_key_id = field_of(world->agent_id.bytes, 16);
    in.new_key = field_of(key.key.bytes, 32);
    in.possession = field_of(key.possession.bytes, 64);
    in.effective_seq = now.seq + 2;
    EXPECT(act_simple(world, HOSPITAL, TRANSACTION_KEY_ROTATE, &in.base),
           LEDGER_OK);
    struct world_ids ids;
    struct transaction grant = world_grant(world, &ids);
    grant.consent_grant.mode = TRANSACTION_AGENT_KEY;
    EXPECT(world_submit_with_agent(world, HOSPITAL, &grant), LEDGER_COSIGNER);
    world->agent_secret = key.secret;
    world->agent_id = key.id;
    grant = world_grant(world, &ids);
    grant.consent_grant.mode = TRANSACTION_AGENT_KEY;
    EXPECT(world_submit_with_agent(world, HOSPITAL, &grant), LEDGER_OK);
}

/* ---- participants -------------------------------------------------------- */

static void test_participant_changes_and_ends(void **state)
{
    struct world *world = *state;
    Salus__V1__ParticipantUpdate update = SALUS__V1__PARTICIPANT_UPDATE__INIT;
    uint32_t roles[] = {CODES_ROLE_DOCTOR};
    update.participant = field_of(world->doctor, 16);
    update.roles = roles;
    update.n_roles = 1;
    EXPECT(
        act_simple(world, CLINIC, TRANSACTION_PARTICIPANT_UPDATE, &update.base),
        LEDGER_PART_STATE);
    EXPECT(act_simple(world, HOSPITAL, TRANSACTION_PARTICIPANT_UPDATE,
                      &update.base),
           LEDGER_OK);
    roles[0] = 9999;
    EXPECT(act_simple(world, HOSPITAL, TRANSACTION_PARTICIPANT_UPDATE,
                      &update.base),
           LEDGER_UNKNOWN_CODE);
    Salus__V1__ParticipantRevoke end = SALUS__V1__PARTICIPANT_REVOKE__INIT;
    end.participant = field_of(world->doctor, 16);
    end.reason = CODES_REASON_CONTRACT;
    EXPECT(
        act_simple(world, HOSPITAL, TRANSACTION_PARTICIPANT_REVOKE, &end.base),
        LEDGER_OK);
    EXPECT(
        act_simple(world, HOSPITAL, TRANSACTION_PARTICIPANT_REVOKE, &end.base),
        LEDGER_PART_STATE);
    EXPECT(act_as(world, HOSPITAL, world->doctor,
                  TRANSACTION_PARTICIPANT_REVOKE, &end.base),
           LEDGER_PART_STATE);
}

/* ---- policies and codes -------------------------------------------------- */

#define NEW_URI "urn:example:policy:new"

static Salus__V1__PolicyPublish
policy_of(struct world *world, struct transaction_id16 *id, uint8_t digest[32])
{
    Salus__V1__PolicyPublish in = SALUS__V1__POLICY_PUBLISH__INIT;
    transaction_policy_id(id, bytes_of(NEW_URI, sizeof NEW_URI - 1));
    world_fill(world, digest, 32);
    in.policy = field_of(id->bytes, 16);
    in.version = 1;
    in.uri = (char *)NEW_URI;
    in.sha256 = field_of(digest, 32);
    in.implicit_consent = 1;
    in.break_glass_override = 2;
    in.break_glass_window_ms = 3600000;
    in.break_glass_review_ms = 7200000;
    in.late_after_ms = 3600000;
    in.decision_ttl_ms = 86400000;
    in.delinquent_limit = 1;
    return in;
}

static void test_policy_comes_into_force_at_a_height(void **state)
{
    struct world *world = *state;
    struct transaction_id16 id;
    uint8_t digest[32];
    struct ledger_position now;
    struct world_ids ids;
    Salus__V1__PolicyPublish in = policy_of(world, &id, digest);
    EXPECT(act_simple(world, HOSPITAL, TRANSACTION_POLICY_PUBLISH, &in.base),
           LEDGER_QUORUM_SHORT);
    in.version = 2;
    EXPECT(act_govern(world, TRANSACTION_POLICY_PUBLISH, &in.base),
           LEDGER_POLICY_VERSION);
    in.version = 1;
    in.implicit_consent = 5;
    EXPECT(act_govern(world, TRANSACTION_POLICY_PUBLISH, &in.base),
           LEDGER_FIELD_FORM);
    in.implicit_consent = 1;
    EXPECT(act_govern(world, TRANSACTION_POLICY_PUBLISH, &in.base), LEDGER_OK);

    struct transaction grant = world_grant(world, &ids);
    grant.consent_grant.policy = bytes_of(id.bytes, 16);
    EXPECT(world_submit(world, HOSPITAL, &grant), LEDGER_POLICY_INACTIVE);
    ledger_position(world->ledger, &now);
    Salus__V1__PolicyActivate on = SALUS__V1__POLICY_ACTIVATE__INIT;
    on.policy = field_of(id.bytes, 16);
    on.version = 1;
    on.governing = true;
    on.effective_seq = now.seq;
    EXPECT(act_govern(world, TRANSACTION_POLICY_ACTIVATE, &on.base),
           LEDGER_PERIOD);
    on.effective_seq = now.seq + 4;
    EXPECT(act_govern(world, TRANSACTION_POLICY_ACTIVATE, &on.base),
           LEDGER_OK); /* Block 2 of 4. */
    grant = world_grant(world, &ids);
    grant.consent_grant.policy = bytes_of(id.bytes, 16);
    EXPECT(world_submit(world, HOSPITAL, &grant), LEDGER_POLICY_INACTIVE);
    grant = world_grant(world, &ids);
    grant.consent_grant.policy = bytes_of(id.bytes, 16);
    EXPECT(world_submit(world, HOSPITAL, &grant), LEDGER_OK);
    /* Its late_after rules now: an hour instead of a day. */
    Salus__V1__SubjectSettle settle = SALUS__V1__SUBJECT_SETTLE__INIT;
    const struct act old = {.who = HOSPITAL,
                            .event_ms = world->now_ms - 2 * 3600000};
    EXPECT(act_do(world, &old, TRANSACTION_SUBJECT_SETTLE, &settle.base),
           LEDGER_LATE_UNMARKED);
}

static void test_codes_are_added_and_never_changed(void **state)
{
    struct world *world = *state;
    Salus__V1__CodetablePublish in = SALUS__V1__CODETABLE_PUBLISH__INIT;
    Salus__V1__CodetablePublish__Entry entry =
        SALUS__V1__CODETABLE_PUBLISH__ENTRY__INIT;
    Salus__V1__CodetablePublish__Entry *list[] = {&entry};
    entry.table = CODES_PURPOSE;
    entry.id = 100;
    entry.parent = CODES_PURPOSE_TREAT;
    entry.system = (char *)"urn:example:purposes";
    entry.code = (char *)"SECONDOPINION";
    in.entries = list;
    in.n_entries = 1;
    in.version = 3;
    EXPECT(act_govern(world, TRANSACTION_CODETABLE_PUBLISH, &in.base),
           LEDGER_TABLE_CONFLICT);
    in.version = 2;
    entry.id = CODES_PURPOSE_TREAT;
    EXPECT(act_govern(world, TRANSACTION_CODETABLE_PUBLISH, &in.base),
           LEDGER_TABLE_CONFLICT);
    entry.id = 100;
    EXPECT(act_simple(world, HOSPITAL, TRANSACTION_CODETABLE_PUBLISH, &in.base),
           LEDGER_QUORUM_SHORT);
    struct world_ids ids;
    struct transaction grant = world_grant(world, &ids);
    ids.purposes[0] = 100;
    EXPECT(world_submit(world, HOSPITAL, &grant), LEDGER_UNKNOWN_CODE);
    EXPECT(act_govern(world, TRANSACTION_CODETABLE_PUBLISH, &in.base),
           LEDGER_OK);
    grant = world_grant(world, &ids);
    ids.purposes[0] = 100;
    EXPECT(world_submit(world, HOSPITAL, &grant), LEDGER_UNKNOWN_CODE);
    world->table_version = 2;
    grant = world_grant(world, &ids);
    ids.purposes[0] = 100;
    EXPECT(world_submit(world, HOSPITAL, &grant), LEDGER_OK);
    in.version = 3;
    EXPECT(act_govern(world, TRANSACTION_CODETABLE_PUBLISH, &in.base),
           LEDGER_TABLE_CONFLICT); /* 100 is in use. */
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_institution_is_admitted_by_quorum),
        TEST(test_candidate_is_named_in_one_line),
        TEST(test_candidate_must_be_whole),
        TEST(test_suspended_institution_may_not_act),
        TEST(test_who_may_look_up_what_was_ordered),
        TEST(test_records_of_a_retired_institution_have_a_keeper),
        TEST(test_institution_updates_itself),
        TEST(test_directory_names_who_came_later),
        TEST(test_directory_tells_since_when),
        TEST(test_directory_comes_in_pages),
        TEST(test_largest_page_of_the_directory_fits),
        TEST(test_client_key_rotates_at_a_height),
        TEST(test_revoked_key_signs_nothing),
        TEST(test_lost_key_of_a_patient_is_replaced),
        TEST(test_participant_changes_and_ends),
        TEST(test_policy_comes_into_force_at_a_height),
        TEST(test_codes_are_added_and_never_changed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
