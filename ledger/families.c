/* SPDX-License-Identifier: Apache-2.0 */
/* The table of transaction types. */
#include "ledger/families.h"

#include "ledger/codes.h"

#define ANY 0
#define ROLE(code) ((uint64_t)1 << (code))

/* A row for each type: roles, urgent, governance, what it makes, handler. */
#define ROW(type, roles, handler)                                              \
    {                                                                          \
        TRANSACTION_##type, roles, false, false, NULL, handler                 \
    }
#define NEW(type, roles, thing, handler)                                       \
    {                                                                          \
        TRANSACTION_##type, roles, false, false, &thing_##thing, handler       \
    }
#define URGENT(type, roles, handler)                                           \
    {                                                                          \
        TRANSACTION_##type, roles, true, false, NULL, handler                  \
    }
#define GOVERNANCE(type, handler)                                              \
    {                                                                          \
        TRANSACTION_##type, ANY, false, true, NULL, handler                    \
    }
#define PROVIDER ROLE(CODES_INSTITUTION_PROVIDER)

static const struct family families[] = {
    NEW(PARTICIPANT_REGISTER, ANY, participant, participant_register),
    ROW(SUBJECT_REGISTER, PROVIDER, subject_register),
    NEW(CONSENT_GRANT, ANY, consent, consent_grant),
    NEW(CONSENT_EVIDENCE, PROVIDER, consent, consent_evidence),
    URGENT(CONSENT_REVOKE, ANY, consent_revoke),
    NEW(RECORD_ANCHOR, ANY, record, record_anchor),
    GOVERNANCE(INST_ADMIT, institution_admit),
    GOVERNANCE(INST_UPDATE, institution_update),
    GOVERNANCE(INST_SUSPEND, institution_suspend),
    GOVERNANCE(INST_RETIRE, institution_retire),
    ROW(KEY_ROTATE, ANY, key_rotate),
    GOVERNANCE(KEY_REVOKE, key_revoke),
    ROW(PARTICIPANT_UPDATE, ANY, participant_update),
    ROW(PARTICIPANT_REVOKE, ANY, participant_revoke),
    GOVERNANCE(POLICY_PUBLISH, policy_publish),
    GOVERNANCE(POLICY_ACTIVATE, policy_activate),
    GOVERNANCE(CODETABLE_PUBLISH, codetable_publish),
    ROW(SUBJECT_SETTLE, ANY, subject_settle),
    NEW(RECORD_ANCHOR_BATCH, ANY, batch, record_anchor_batch),
    ROW(RECORD_OPEN, ANY, record_open),
    ROW(RECORD_AMEND, ANY, record_amend),
    ROW(RECORD_RETRACT, ANY, record_retract),
    ROW(KEY_GRANT, ANY, key_grant),
    ROW(REKEY, ANY, rekey),
    NEW(ACCESS_REQUEST, ANY, access, access_request),
    ROW(ACCESS_DECISION, ANY, access_decision),
    NEW(DISCLOSURE, ANY, disclosure, disclosure),
    NEW(DISCLOSURE_BATCH, ANY, batch, disclosure_batch),
    ROW(DISCLOSURE_OPEN, ANY, disclosure_open),
    URGENT(BREAK_GLASS, ANY, break_glass),
    ROW(BREAK_GLASS_REVIEW, ANY, break_glass_review),
    ROW(ACCOUNTING_SUSPEND, ANY, accounting_suspend),
};

const struct family *family_of(uint32_t type)
{
    for (size_t i = 0; i < sizeof families / sizeof families[0]; i++) {
        if ((uint32_t)families[i].type == type) {
            return &families[i];
        }
    }
    return NULL;
}
