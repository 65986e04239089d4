/* SPDX-License-Identifier: Apache-2.0 */
/* The table of transaction types. */
#include "ledger/families.h"

#include "ledger/codes.h"

#define ANY 0
#define ROLE(code) ((uint64_t)1 << (code))

static const struct family families[] = {
    {TRANSACTION_PARTICIPANT_REGISTER, ANY, false, participant_register},
    {TRANSACTION_SUBJECT_REGISTER, ROLE(CODES_INSTITUTION_PROVIDER), false,
     subject_register},
    {TRANSACTION_CONSENT_GRANT, ANY, false, consent_grant},
    {TRANSACTION_CONSENT_EVIDENCE, ROLE(CODES_INSTITUTION_PROVIDER), false,
     consent_evidence},
    {TRANSACTION_CONSENT_REVOKE, ANY, true, consent_revoke},
    {TRANSACTION_RECORD_ANCHOR, ANY, false, record_anchor},
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
