/* SPDX-License-Identifier: Apache-2.0 */
/* Is a record anchored, as what, and what was it before? */
#include <string.h>

#include "ledger/fields.h"
#include "ledger/query.h"

/* Records with one commitment that an answer lists: the first, and these. */
#define SAME_COMMIT_MAX 16
#define EARLIER_MAX 16u

/* ---- verify record ------------------------------------------------------- */

static Salus__V1__RecordState__Status status_of_record(enum schema_state state)
{
    switch (state) {
    case SCHEMA_FROZEN:
        return SALUS__V1__RECORD_STATE__STATUS__RECORD_FROZEN;
    case SCHEMA_ENDED:
        return SALUS__V1__RECORD_STATE__STATUS__RECORD_RETRACTED;
    default:
        return SALUS__V1__RECORD_STATE__STATUS__RECORD_ACTIVE;
    }
}

/* Newest first. */
static void list_earlier(struct query *query, Salus__V1__RecordState *out,
                         const struct schema_record *record)
{
    uint32_t count = record->version - 1;
    count = count < EARLIER_MAX ? count : EARLIER_MAX;
    out->earlier = query_room(query, count + 1, sizeof *out->earlier);
    for (uint32_t i = 1; i <= count; i++) {
        uint8_t id[LEDGER_ID_SIZE + FIELD_U32_SIZE];
        struct schema_old_version old;
        memcpy(id, out->record.data, LEDGER_ID_SIZE);
        field_put_u32(id + LEDGER_ID_SIZE, record->version - i);
        if (!thing_get(&query->overlay, &thing_old_version, id, &old)) {
            break;
        }
        Salus__V1__RecordState__Version *row =
            query_room(query, 1, sizeof *row);
        salus__v1__record_state__version__init(row);
        row->version = record->version - i;
        row->commit = query_bytes(query, old.commit, sizeof old.commit);
        row->anchored_seq = old.seq;
        row->anchored_us = old.place.time;
        out->earlier[out->n_earlier++] = row;
    }
}

static Salus__V1__RecordState *record_state(struct query *query,
                                            const uint8_t *id)
{
    struct schema_record record;
    if (!state_get_record(&query->overlay, id, &record)) {
        return NULL;
    }
    Salus__V1__RecordState *out = overlay_room(&query->overlay, sizeof *out);
    salus__v1__record_state__init(out);
    out->record = query_bytes(query, id, LEDGER_ID_SIZE);
    out->custodian = query_bytes(query, record.custodian.bytes,
                                 sizeof record.custodian.bytes);
    if (record.has_subject) {
        out->subject =
            query_bytes(query, record.subject, sizeof record.subject);
    }
    out->commit = query_bytes(query, record.commit, sizeof record.commit);
    out->version = record.version;
    out->anchored_seq = record.anchored_seq;
    out->anchored_us = record.anchored.time;
    out->class_code = record.class_code;
    out->confidentiality = record.confidentiality;
    out->status = status_of_record(record.state);
    list_earlier(query, out, &record);
    return out;
}

/* Ids of records with one commitment, in the order of anchoring. */
struct found_records {
    uint8_t ids[1 + SAME_COMMIT_MAX][LEDGER_ID_SIZE];
    size_t count;
};

static bool note_record(void *visitor, struct pbft_bytes key,
                        struct pbft_bytes value)
{
    struct found_records *found = visitor;
    (void)key;
    if (value.size != LEDGER_ID_SIZE) {
        return false;
    }
    memcpy(found->ids[found->count++], value.data, LEDGER_ID_SIZE);
    return found->count < 1 + SAME_COMMIT_MAX;
}

static void find_by_commit(struct query *query, const uint8_t *commit,
                           struct found_records *found)
{
    struct schema_key prefix;
    schema_key_commit(&prefix, commit);
    const struct ledger_kv_range range = {
        .prefix = {prefix.bytes, prefix.size},
        .limit = 1 + SAME_COMMIT_MAX,
        .direction = LEDGER_KV_FORWARD,
    };
    query_range(query, prefix.space, &range, note_record, found);
}

static void answer_same_commit(struct query *query,
                               const struct found_records *found)
{
    Salus__V1__Answer *answer = &query->answer;
    answer->same_commit = overlay_room(
        &query->overlay, (found->count + 1) * sizeof *answer->same_commit);
    for (size_t i = 1; i < found->count; i++) {
        Salus__V1__RecordState *one = record_state(query, found->ids[i]);
        if (one != NULL) {
            answer->same_commit[answer->n_same_commit++] = one;
        }
    }
}

enum ledger_code query_verify_record(struct query *query,
                                     const Salus__V1__VerifyRecordQuery *in)
{
    struct found_records found = {.count = 0};
    if (in->commit.len == LEDGER_COMMIT_SIZE && in->record.len == 0) {
        find_by_commit(query, in->commit.data, &found);
    } else if (in->record.len == LEDGER_ID_SIZE && in->commit.len == 0) {
        memcpy(found.ids[found.count++], in->record.data, LEDGER_ID_SIZE);
    } else {
        return LEDGER_QUERY_FORM;
    }
    if (found.count == 0) {
        return LEDGER_NOT_FOUND;
    }
    Salus__V1__RecordState *first = record_state(query, found.ids[0]);
    if (first == NULL) {
        return LEDGER_NOT_FOUND;
    }
    query->answer.kind_case = SALUS__V1__ANSWER__KIND_VERIFY_RECORD;
    query->answer.verify_record = first;
    answer_same_commit(query, &found);
    return LEDGER_OK;
}
