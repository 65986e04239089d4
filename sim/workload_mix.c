/* SPDX-License-Identifier: Apache-2.0 */
/* How often each type is submitted. */
#include "consensus/assert.h"
#include "sim/workload_world.h"

/* So often something else is tried if there is nothing to do it with. */
#define TRIES 12

static const struct {
    enum transaction_type type;
    uint32_t weight;
    workload_maker *make;
} rows[] = {
    {TRANSACTION_PARTICIPANT_REGISTER, 40, workload_register_participant},
    {TRANSACTION_SUBJECT_REGISTER, 50, workload_register_subject},
    {TRANSACTION_CONSENT_GRANT, 110, workload_grant},
    {TRANSACTION_CONSENT_EVIDENCE, 20, workload_file},
    {TRANSACTION_CONSENT_REVOKE, 50, workload_withdraw},
    {TRANSACTION_RECORD_ANCHOR, 120, workload_anchor},
    {TRANSACTION_INST_ADMIT, 12, workload_admit},
    {TRANSACTION_INST_UPDATE, 10, workload_update},
    {TRANSACTION_INST_SUSPEND, 12, workload_suspend},
    {TRANSACTION_INST_RETIRE, 8, workload_retire},
    {TRANSACTION_KEY_ROTATE, 20, workload_rotate_key},
    {TRANSACTION_KEY_REVOKE, 20, workload_revoke_key},
    {TRANSACTION_PARTICIPANT_UPDATE, 25, workload_update_participant},
    {TRANSACTION_PARTICIPANT_REVOKE, 15, workload_revoke_participant},
    {TRANSACTION_POLICY_PUBLISH, 8, workload_publish_policy},
    {TRANSACTION_POLICY_ACTIVATE, 16, workload_activate_policy},
    {TRANSACTION_CODETABLE_PUBLISH, 6, workload_publish_codes},
    {TRANSACTION_SUBJECT_SETTLE, 40, workload_settle},
    {TRANSACTION_RECORD_ANCHOR_BATCH, 20, workload_anchor_batch},
    {TRANSACTION_RECORD_OPEN, 30, workload_open_record},
    {TRANSACTION_RECORD_AMEND, 40, workload_amend},
    {TRANSACTION_RECORD_RETRACT, 20, workload_retract},
    {TRANSACTION_KEY_GRANT, 60, workload_grant_key},
    {TRANSACTION_REKEY, 30, workload_rekey},
    {TRANSACTION_ACCESS_REQUEST, 110, workload_request},
    {TRANSACTION_ACCESS_DECISION, 50, workload_decide},
    {TRANSACTION_DISCLOSURE, 90, workload_disclose},
    {TRANSACTION_DISCLOSURE_BATCH, 20, workload_disclose_batch},
    {TRANSACTION_DISCLOSURE_OPEN, 30, workload_open_disclosure},
    {TRANSACTION_BREAK_GLASS, 40, workload_break_glass},
    {TRANSACTION_BREAK_GLASS_REVIEW, 40, workload_review},
    {TRANSACTION_ACCOUNTING_SUSPEND, 20, workload_suspend_accounting},
};

#define ROWS (sizeof rows / sizeof rows[0])
static_assert(ROWS == TALLY_TYPES, "every type that the ledger executes");

static workload_maker *draw(struct making *making)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < ROWS; i++) {
        sum += rows[i].weight;
    }
    uint32_t left = making_below(making, sum);
    size_t row = 0;
    while (left >= rows[row].weight) {
        left -= rows[row].weight;
        row++;
    }
    return rows[row].make;
}

bool workload_begin(struct making *making, size_t index)
{
    static workload_maker *const first[] = {workload_enrol_clinician,
                                            workload_enrol_officer,
                                            workload_register_subject};
    PBFT_ASSERT(index < sizeof first / sizeof first[0]);
    return first[index](making);
}

bool workload_make(struct making *making)
{
    for (int i = 0; i < TRIES; i++) {
        if (draw(making)(making)) {
            return true;
        }
    }
    making->slip = SLIP_NONE;
    return workload_register_subject(making);
}
