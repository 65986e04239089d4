/* SPDX-License-Identifier: Apache-2.0 */
/* What is kept of access to data: requests and decisions, disclosures,
 * emergencies, and what falls due. Private to ledger/; for ledger/things.h.
 */
#ifndef LEDGER_THINGS_ACCESS_H
#define LEDGER_THINGS_ACCESS_H

#include "ledger/schema.h"

/* How the computed answer came about (docs/api.md, section 4a). */
enum schema_rule {
    SCHEMA_RULE_INDETERMINATE = 1, /* Step 0. */
    SCHEMA_RULE_DENIED = 2,        /* Step 3: a consent denies. */
    SCHEMA_RULE_PERMITTED = 3,     /* Step 3: a consent permits. */
    SCHEMA_RULE_NO_GRANT = 4,      /* Step 3: consents, but none permits. */
    SCHEMA_RULE_IMPLICIT = 5,      /* Step 4: the policy. */
    SCHEMA_RULE_LEGAL_BASIS = 6,   /* Step 5: the custodian has to decide. */
    SCHEMA_RULE_EMERGENCY = 7,     /* Step 6. */
};

/* What holds of an access from some time on. */
struct schema_held {
    uint64_t since_ms;
    uint64_t granted; /* Bits. */
    uint32_t basis;   /* Of what the custodian decided; 0: as computed. */
    bool has_residual;
};

struct schema_access {
    struct pbft_institution requester;
    uint8_t participant[LEDGER_ID_SIZE]; /* Zeros: none named. */
    uint8_t subject[LEDGER_HANDLE_SIZE];
    struct pbft_institution custodian;
    uint32_t purpose;
    uint32_t action;
    uint32_t basis;
    uint32_t target_count; /* Records; 0: the patient, one target. */
    uint32_t confidentiality_max;
    uint64_t data_from_ms;
    uint64_t data_to_ms;
    uint64_t computed; /* Bit per target: permitted. */
    enum schema_rule rule;
    bool implicit;    /* No consent stood: the policy permitted. */
    bool is_narrowed; /* Denies may hit parts of what is permitted. */
    pbft_seq seq;
    struct schema_place asked;
    uint64_t expires_ms;
    bool is_expired;      /* Swept. */
    uint32_t decisions;   /* Of the custodian, so far. */
    pbft_seq decided_seq; /* Of the last one. */
    struct schema_held held[LEDGER_DECISIONS_KEPT]; /* Newest first. */
    uint32_t disclosed;                             /* Items so far. */
};

struct schema_disclosure {
    struct pbft_institution source;
    struct pbft_institution recipient;
    uint8_t subject[LEDGER_HANDLE_SIZE];
    bool is_emergency;                /* `decision` is an emergency. */
    uint8_t decision[LEDGER_ID_SIZE]; /* Zeros: on a legal basis. */
    uint32_t basis;
    uint32_t purpose;
    uint32_t mode;
    uint32_t item_count;
    uint64_t event_ms;
    bool is_violation;
    bool is_accountable; /* 45 CFR 164.528(a)(1). */
    pbft_seq seq;
    struct pbft_digest tx_id;
};

enum schema_emergency_state {
    SCHEMA_EMERGENCY_OPEN = 1, /* Not reviewed. */
    SCHEMA_EMERGENCY_REVIEWED = 2,
    SCHEMA_EMERGENCY_BREACH = 3, /* Reviewed, not justified. */
};

struct schema_emergency {
    enum schema_emergency_state state;
    bool is_overdue;  /* The review came too late, or never yet. */
    bool is_reopened; /* By what was told after a review: once. */
    struct pbft_institution institution;
    uint8_t declarer[LEDGER_ID_SIZE];
    uint8_t witness[LEDGER_ID_SIZE]; /* Zeros: none. */
    uint8_t subject[LEDGER_HANDLE_SIZE];
    uint32_t record_count; /* 0: all. */
    uint32_t reason;
    uint32_t purpose;
    uint64_t opened_ms;
    uint64_t closes_ms;
    uint64_t due_ms;
    uint32_t disclosure_count;
    pbft_seq seq;
    uint8_t reviewer[LEDGER_ID_SIZE];
    uint8_t finding;
    uint8_t follow_up;
    pbft_seq reviewed_seq;
};

struct schema_due {
    struct pbft_institution institution; /* Whose duty it is. */
};

struct schema_suspension {
    uint64_t until_ms;
};

#endif /* LEDGER_THINGS_ACCESS_H */
