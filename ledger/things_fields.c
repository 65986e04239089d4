/* SPDX-License-Identifier: Apache-2.0 */
/* The fields of the things, in the order in which they are stored. */
#include <stddef.h>

#include "ledger/fields.h"
#include "ledger/things_layout.h"

#define FIELD(type, member, stored, is_number)                                 \
    {                                                                          \
        offsetof(struct type, member), sizeof(((struct type *)NULL)->member),  \
            stored, is_number                                                  \
    }
#define NUMBER(type, member, stored) FIELD(type, member, stored, true)
#define BYTES(type, member)                                                    \
    FIELD(type, member, sizeof(((struct type *)NULL)->member), false)
#define TABLE(fields) (fields), sizeof(fields) / sizeof(fields)[0], false, false
#define TABLE_AND_PAYLOAD(fields)                                              \
    (fields), sizeof(fields) / sizeof(fields)[0], true, false
/* Hospitals write these all day long, and change them hardly ever. */
#define TABLE_AND_PAYLOAD_IN_ORDER(fields)                                     \
    (fields), sizeof(fields) / sizeof(fields)[0], true, true

static const struct thing_field fields_of_institution[] = {
    NUMBER(schema_institution, state, 1),
    NUMBER(schema_institution, roles, 8),
    NUMBER(schema_institution, from_seq, 8),
    NUMBER(schema_institution, has_replica, 1),
    NUMBER(schema_institution, has_successor, 1),
    BYTES(schema_institution, successor),
    NUMBER(schema_institution, delinquent_count, 4),
    NUMBER(schema_institution, overdue_count, 4),
};

static const struct thing_field fields_of_turn[] = {
    NUMBER(schema_turn, seq, 8),
};

static const struct thing_field fields_of_key[] = {
    NUMBER(schema_registered_key, state, 1),
    NUMBER(schema_registered_key, purpose, 1),
    BYTES(schema_registered_key, key),
    BYTES(schema_registered_key, institution),
    BYTES(schema_registered_key, subject),
    BYTES(schema_registered_key, participant),
    NUMBER(schema_registered_key, from_seq, 8),
    NUMBER(schema_registered_key, until_seq, 8),
    NUMBER(schema_registered_key, compromised_ms, 8),
};

static const struct thing_field fields_of_participant[] = {
    NUMBER(schema_participant, state, 1),
    BYTES(schema_participant, institution),
    NUMBER(schema_participant, kind, 1),
    NUMBER(schema_participant, valid_from_ms, 8),
    NUMBER(schema_participant, valid_to_ms, 8),
    NUMBER(schema_participant, roles[0], 2),
    NUMBER(schema_participant, roles[1], 2),
    NUMBER(schema_participant, roles[2], 2),
    NUMBER(schema_participant, roles[3], 2),
    NUMBER(schema_participant, roles[4], 2),
    NUMBER(schema_participant, roles[5], 2),
    NUMBER(schema_participant, roles[6], 2),
    NUMBER(schema_participant, roles[7], 2),
    NUMBER(schema_participant, generation, 4),
    BYTES(schema_participant, key_id),
};

static const struct thing_field fields_of_policy[] = {
    NUMBER(schema_policy, state, 1),
    NUMBER(schema_policy, implicit_consent, 1),
    NUMBER(schema_policy, break_glass_override, 1),
    BYTES(schema_policy, sha256),
    NUMBER(schema_policy, from_seq, 8),
    NUMBER(schema_policy, until_seq, 8),
    NUMBER(schema_policy, window_ms, 8),
    NUMBER(schema_policy, review_ms, 8),
    NUMBER(schema_policy, late_after_ms, 8),
    NUMBER(schema_policy, decision_ttl_ms, 8),
    NUMBER(schema_policy, delinquent_limit, 4),
    NUMBER(schema_policy, batch_step, 4),
    NUMBER(schema_policy, agent_cosign, 1),
    NUMBER(schema_policy, open_withdrawal, 1),
    NUMBER(schema_policy, purposes_given, 1),
    BYTES(schema_policy, no_inherit),
};

static const struct thing_field fields_of_subject[] = {
    NUMBER(schema_subject, state, 1),
    BYTES(schema_subject, registrar),
    NUMBER(schema_subject, indeterminate, 1),
    NUMBER(schema_subject, has_agent, 1),
    BYTES(schema_subject, agent_key_id),
    NUMBER(schema_subject, epoch_no, 4),
    NUMBER(schema_subject, registered_seq, 8),
};

static const struct thing_field fields_of_unsettled[] = {
    NUMBER(schema_unsettled, since_seq, 8),
    NUMBER(schema_unsettled, since_us, 8),
    BYTES(schema_unsettled, evidence),
    NUMBER(schema_unsettled, reason, 4),
    BYTES(schema_unsettled, newest),
    NUMBER(schema_unsettled, count, 4),
};

static const struct thing_field fields_of_consent[] = {
    NUMBER(schema_consent, state, 1),
    BYTES(schema_consent, subject),
    BYTES(schema_consent, institution),
    NUMBER(schema_consent, granted_seq, 8),
    NUMBER(schema_consent, granted.time, 8),
    NUMBER(schema_consent, granted.request_index, 4),
    NUMBER(schema_consent, granted.index, 4),
    NUMBER(schema_consent, given_at_ms, 8),
    NUMBER(schema_consent, from_ms, 8),
    NUMBER(schema_consent, to_ms, 8),
    NUMBER(schema_consent, base_decision, 1),
    NUMBER(schema_consent, ended_seq, 8),
    NUMBER(schema_consent, ended_us, 8),
    BYTES(schema_consent, ended_by),
};

static const struct thing_field fields_of_record[] = {
    NUMBER(schema_record, state, 1),
    BYTES(schema_record, custodian),
    NUMBER(schema_record, has_subject, 1),
    BYTES(schema_record, subject),
    BYTES(schema_record, commit),
    NUMBER(schema_record, version, 4),
    NUMBER(schema_record, anchored_seq, 8),
    NUMBER(schema_record, anchored.time, 8),
    NUMBER(schema_record, anchored.request_index, 4),
    NUMBER(schema_record, anchored.index, 4),
    NUMBER(schema_record, class_code, 4),
    NUMBER(schema_record, confidentiality, 4),
};

static const struct thing_field fields_of_counts[] = {
    NUMBER(schema_counts, active, 4),
    NUMBER(schema_counts, replicas, 4),
    NUMBER(schema_counts, active_replicas, 4),
};

static const struct thing_field fields_of_governing[] = {
    BYTES(schema_governing, policy),
    NUMBER(schema_governing, version, 4),
    BYTES(schema_governing, next),
    NUMBER(schema_governing, next_version, 4),
    NUMBER(schema_governing, next_seq, 8),
};

static const struct thing_field fields_of_newest[] = {
    NUMBER(schema_newest, version, 4),
    NUMBER(schema_newest, activated, 4),
};

static const struct thing_field fields_of_table[] = {
    NUMBER(schema_table, version, 4),
};

static const struct thing_field fields_of_code[] = {
    NUMBER(schema_code, parent, 4),
    NUMBER(schema_code, flags, 4),
    NUMBER(schema_code, since, 4),
};

static const struct thing_field fields_of_member[] = {
    NUMBER(schema_mark, mark, 1),
};

static const struct thing_field fields_of_batch[] = {
    NUMBER(schema_batch, kind, 1),
    BYTES(schema_batch, institution),
    BYTES(schema_batch, root),
    NUMBER(schema_batch, leaf_count, 4),
    NUMBER(schema_batch, opened, 4),
    NUMBER(schema_batch, class_code, 4),
    NUMBER(schema_batch, confidentiality, 4),
    NUMBER(schema_batch, from_ms, 8),
    NUMBER(schema_batch, to_ms, 8),
    NUMBER(schema_batch, seq, 8),
    NUMBER(schema_batch, place.time, 8),
    NUMBER(schema_batch, place.request_index, 4),
    NUMBER(schema_batch, place.index, 4),
};

static const struct thing_field fields_of_leaf[] = {
    BYTES(schema_leaf, id),
};

static const struct thing_field fields_of_envelope[] = {
    BYTES(schema_envelope, wrap_commit),
    BYTES(schema_envelope, institution),
    NUMBER(schema_envelope, is_emergency, 1),
    BYTES(schema_envelope, basis),
    NUMBER(schema_envelope, seq, 8),
};

static_assert(LEDGER_DECISIONS_KEPT == 4, "as many as are listed below");
#define HELD(i)                                                                \
    NUMBER(schema_access, held[i].since_ms, 8),                                \
        NUMBER(schema_access, held[i].granted, 8),                             \
        NUMBER(schema_access, held[i].basis, 4),                               \
        NUMBER(schema_access, held[i].has_residual, 1)
static const struct thing_field fields_of_access[] = {
    BYTES(schema_access, requester),
    BYTES(schema_access, participant),
    BYTES(schema_access, subject),
    BYTES(schema_access, custodian),
    NUMBER(schema_access, purpose, 4),
    NUMBER(schema_access, action, 4),
    NUMBER(schema_access, basis, 4),
    NUMBER(schema_access, target_count, 4),
    NUMBER(schema_access, confidentiality_max, 4),
    NUMBER(schema_access, data_from_ms, 8),
    NUMBER(schema_access, data_to_ms, 8),
    NUMBER(schema_access, computed, 8),
    NUMBER(schema_access, rule, 1),
    NUMBER(schema_access, implicit, 1),
    NUMBER(schema_access, is_narrowed, 1),
    NUMBER(schema_access, seq, 8),
    NUMBER(schema_access, asked.time, 8),
    NUMBER(schema_access, asked.request_index, 4),
    NUMBER(schema_access, asked.index, 4),
    NUMBER(schema_access, expires_ms, 8),
    NUMBER(schema_access, is_expired, 1),
    NUMBER(schema_access, decisions, 4),
    NUMBER(schema_access, decided_seq, 8),
    HELD(0),
    HELD(1),
    HELD(2),
    HELD(3),
    NUMBER(schema_access, disclosed, 4),
};
#undef HELD

static const struct thing_field fields_of_disclosure[] = {
    BYTES(schema_disclosure, source),
    BYTES(schema_disclosure, recipient),
    BYTES(schema_disclosure, subject),
    NUMBER(schema_disclosure, is_emergency, 1),
    BYTES(schema_disclosure, decision),
    NUMBER(schema_disclosure, basis, 4),
    NUMBER(schema_disclosure, purpose, 4),
    NUMBER(schema_disclosure, mode, 4),
    NUMBER(schema_disclosure, item_count, 4),
    NUMBER(schema_disclosure, event_ms, 8),
    NUMBER(schema_disclosure, is_violation, 1),
    NUMBER(schema_disclosure, is_accountable, 1),
    NUMBER(schema_disclosure, seq, 8),
    BYTES(schema_disclosure, tx_id),
};

static const struct thing_field fields_of_emergency[] = {
    NUMBER(schema_emergency, state, 1),
    NUMBER(schema_emergency, is_overdue, 1),
    NUMBER(schema_emergency, is_reopened, 1),
    BYTES(schema_emergency, institution),
    BYTES(schema_emergency, declarer),
    BYTES(schema_emergency, witness),
    BYTES(schema_emergency, subject),
    NUMBER(schema_emergency, record_count, 4),
    NUMBER(schema_emergency, reason, 4),
    NUMBER(schema_emergency, purpose, 4),
    NUMBER(schema_emergency, opened_ms, 8),
    NUMBER(schema_emergency, closes_ms, 8),
    NUMBER(schema_emergency, due_ms, 8),
    NUMBER(schema_emergency, disclosure_count, 4),
    NUMBER(schema_emergency, seq, 8),
    BYTES(schema_emergency, reviewer),
    NUMBER(schema_emergency, finding, 1),
    NUMBER(schema_emergency, follow_up, 1),
    NUMBER(schema_emergency, reviewed_seq, 8),
};

static const struct thing_field fields_of_due[] = {
    BYTES(schema_due, institution),
};

static const struct thing_field fields_of_suspension[] = {
    NUMBER(schema_suspension, until_ms, 8),
};

static const struct thing_field fields_of_transaction[] = {
    NUMBER(schema_transaction, seq, 8),
    NUMBER(schema_transaction, request_index, 4),
    NUMBER(schema_transaction, index, 4),
    NUMBER(schema_transaction, code, 4),
};

static const struct thing_field fields_of_old_version[] = {
    BYTES(schema_old_version, commit),
    NUMBER(schema_old_version, seq, 8),
    NUMBER(schema_old_version, place.time, 8),
    NUMBER(schema_old_version, place.request_index, 4),
    NUMBER(schema_old_version, place.index, 4),
};

static const struct thing_field fields_of_event[] = {
    NUMBER(schema_event, kind, 1),    BYTES(schema_event, consent),
    NUMBER(schema_event, seq, 8),     BYTES(schema_event, tx_id),
    BYTES(schema_event, institution), BYTES(schema_event, other),
};

static const struct thing_field fields_of_request[] = {
    NUMBER(schema_request, seq, 8),
    NUMBER(schema_request, request_index, 4),
    NUMBER(schema_request, time, 8),
};

const struct thing thing_institution = {
    'i', LEDGER_SPACE_STATE, PBFT_INSTITUTION_SIZE,
    sizeof(struct schema_institution), TABLE(fields_of_institution)};
const struct thing thing_turn = {'j', LEDGER_SPACE_STATE, PBFT_INSTITUTION_SIZE,
                                 sizeof(struct schema_turn),
                                 TABLE(fields_of_turn)};
const struct thing thing_key = {'k', LEDGER_SPACE_STATE, LEDGER_ID_SIZE,
                                sizeof(struct schema_registered_key),
                                TABLE(fields_of_key)};
const struct thing thing_participant = {'p', LEDGER_SPACE_STATE, LEDGER_ID_SIZE,
                                        sizeof(struct schema_participant),
                                        TABLE(fields_of_participant)};
const struct thing thing_policy = {
    'y', LEDGER_SPACE_STATE, LEDGER_ID_SIZE + FIELD_U32_SIZE,
    sizeof(struct schema_policy), TABLE(fields_of_policy)};
const struct thing thing_subject = {'s', LEDGER_SPACE_STATE, LEDGER_HANDLE_SIZE,
                                    sizeof(struct schema_subject),
                                    TABLE(fields_of_subject)};
const struct thing thing_unsettled = {
    'I', LEDGER_SPACE_STATE, LEDGER_HANDLE_SIZE,
    sizeof(struct schema_unsettled), TABLE(fields_of_unsettled)};
const struct thing thing_to_settle = {
    'U', LEDGER_SPACE_INDEX,
    PBFT_INSTITUTION_SIZE + FIELD_U64_SIZE + LEDGER_HANDLE_SIZE,
    sizeof(struct schema_mark), TABLE(fields_of_member)};
const struct thing thing_consent = {'c', LEDGER_SPACE_STATE, LEDGER_ID_SIZE,
                                    sizeof(struct schema_consent),
                                    TABLE_AND_PAYLOAD(fields_of_consent)};
const struct thing thing_record = {
    'r', LEDGER_SPACE_STATE, LEDGER_ID_SIZE, sizeof(struct schema_record),
    TABLE_AND_PAYLOAD_IN_ORDER(fields_of_record)};
const struct thing thing_counts = {'N', LEDGER_SPACE_STATE, 0,
                                   sizeof(struct schema_counts),
                                   TABLE(fields_of_counts)};
const struct thing thing_governing = {'G', LEDGER_SPACE_STATE, 0,
                                      sizeof(struct schema_governing),
                                      TABLE(fields_of_governing)};
const struct thing thing_newest = {'Y', LEDGER_SPACE_STATE, LEDGER_ID_SIZE,
                                   sizeof(struct schema_newest),
                                   TABLE(fields_of_newest)};
const struct thing thing_table = {'V', LEDGER_SPACE_STATE, 0,
                                  sizeof(struct schema_table),
                                  TABLE(fields_of_table)};
const struct thing thing_code = {'T', LEDGER_SPACE_STATE, 2 * FIELD_U32_SIZE,
                                 sizeof(struct schema_code),
                                 TABLE(fields_of_code)};
const struct thing thing_member = {
    'n', LEDGER_SPACE_STATE, 2 * LEDGER_ID_SIZE + FIELD_U32_SIZE,
    sizeof(struct schema_mark), TABLE(fields_of_member)};
const struct thing thing_batch = {'t', LEDGER_SPACE_STATE, LEDGER_ID_SIZE,
                                  sizeof(struct schema_batch),
                                  TABLE(fields_of_batch)};
const struct thing thing_leaf = {
    'l', LEDGER_SPACE_STATE, LEDGER_ID_SIZE + FIELD_U32_SIZE,
    sizeof(struct schema_leaf), TABLE(fields_of_leaf)};
const struct thing thing_envelope = {
    'e', LEDGER_SPACE_STATE, 2 * LEDGER_ID_SIZE + FIELD_U32_SIZE,
    sizeof(struct schema_envelope), TABLE(fields_of_envelope)};
const struct thing thing_access = {'w', LEDGER_SPACE_STATE, LEDGER_ID_SIZE,
                                   sizeof(struct schema_access),
                                   TABLE_AND_PAYLOAD(fields_of_access)};
const struct thing thing_disclosure = {
    'd', LEDGER_SPACE_STATE, LEDGER_ID_SIZE, sizeof(struct schema_disclosure),
    TABLE_AND_PAYLOAD_IN_ORDER(fields_of_disclosure)};
const struct thing thing_emergency = {'g', LEDGER_SPACE_STATE, LEDGER_ID_SIZE,
                                      sizeof(struct schema_emergency),
                                      TABLE_AND_PAYLOAD(fields_of_emergency)};
const struct thing thing_due = {
    'u', LEDGER_SPACE_DUE, FIELD_U64_SIZE + 1 + LEDGER_ID_SIZE,
    sizeof(struct schema_due), TABLE(fields_of_due)};
const struct thing thing_suspension = {
    'z', LEDGER_SPACE_STATE, LEDGER_HANDLE_SIZE + FIELD_U32_SIZE,
    sizeof(struct schema_suspension), TABLE(fields_of_suspension)};
const struct thing thing_transaction = {
    'x', LEDGER_SPACE_INDEX, PBFT_DIGEST_SIZE,
    sizeof(struct schema_transaction), TABLE(fields_of_transaction)};
const struct thing thing_old_version = {
    'v', LEDGER_SPACE_INDEX, LEDGER_ID_SIZE + FIELD_U32_SIZE,
    sizeof(struct schema_old_version), TABLE(fields_of_old_version)};
const struct thing thing_event = {
    'h', LEDGER_SPACE_INDEX, LEDGER_ID_SIZE + SCHEMA_EVENT_SIZE,
    sizeof(struct schema_event), TABLE(fields_of_event)};
const struct thing thing_request = {
    'q', LEDGER_SPACE_CLIENT, PBFT_PUBLIC_KEY_SIZE + 2 * FIELD_U64_SIZE,
    sizeof(struct schema_request), TABLE(fields_of_request)};
