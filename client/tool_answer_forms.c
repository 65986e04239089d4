/* SPDX-License-Identifier: Apache-2.0 */
/* Which fields of each answer are shown, and how they are called. */
#include "client/tool_answer.h"

#define COLUMN(title, field, kind, table)                                      \
    {                                                                          \
        title, field, TOOL_COLUMN_##kind, table                                \
    }
#define TEXT(title, field) COLUMN(title, field, TEXT, (enum codes_table)0)
#define MS(title, field) COLUMN(title, field, TIME_MS, (enum codes_table)0)
#define US(title, field) COLUMN(title, field, TIME_US, (enum codes_table)0)
#define INSTITUTION(title, field)                                              \
    COLUMN(title, field, INSTITUTION, (enum codes_table)0)
#define RESULT(title, field) COLUMN(title, field, RESULT, (enum codes_table)0)
#define CODE(title, field, table) COLUMN(title, field, CODE, table)
#define WORD(title, field) COLUMN(title, field, WORD, (enum codes_table)0)
#define WHICH(title, field) COLUMN(title, field, WHICH, (enum codes_table)0)
#define REVIEW(title, field) COLUMN(title, field, REVIEW, (enum codes_table)0)
#define SELECTOR(title, field)                                                 \
    COLUMN(title, field, SELECTOR, (enum codes_table)0)
#define LIST(title, field) COLUMN(title, field, LIST, (enum codes_table)0)
#define END                                                                    \
    {                                                                          \
        NULL, NULL, TOOL_COLUMN_TEXT, (enum codes_table)0                      \
    }

static const struct tool_column consent_fields[] = {
    TEXT("consent", "consent"),
    WORD("status", "status"),
    TEXT("subject", "subject"),
    INSTITUTION("filed by", "institution"),
    TEXT("in block", "granted_seq"),
    TEXT("ended in block", "ended_seq"),
    MS("in force from", "period_from_ms"),
    MS("until", "period_to_ms"),
    WORD("base", "base_decision"),
    TEXT("indeterminate", "subject_indeterminate"),
    END};

static const struct tool_column stood_columns[] = {
    TEXT("consent", "consent"),
    WORD("status", "status"),
    WORD("base", "base_decision"),
    TEXT("block", "granted_seq"),
    TEXT("ended in", "ended_seq"),
    MS("in force from", "period_from_ms"),
    MS("until", "period_to_ms"),
    INSTITUTION("filed by", "institution"),
    END};

static const struct tool_column event_columns[] = {
    US("time", "block_time_us"),
    WORD("what", "kind"),
    TEXT("consent", "consent"),
    INSTITUTION("by", "institution"),
    TEXT("block", "seq"),
    TEXT("other", "other_consent"),
    TEXT("officer", "participant"),
    TEXT("tx", "tx_id"),
    END};

static const struct tool_column record_fields[] = {
    TEXT("record", "record"),
    WORD("status", "status"),
    INSTITUTION("custodian", "custodian"),
    TEXT("subject", "subject"),
    TEXT("commitment", "commit"),
    TEXT("version", "version"),
    US("anchored", "anchored_us"),
    TEXT("in block", "anchored_seq"),
    CODE("class", "class_code", CODES_CLASS),
    CODE("confidentiality", "confidentiality", CODES_CONF),
    END};

static const struct tool_column earlier_columns[] = {
    TEXT("version", "version"), US("anchored", "anchored_us"),
    TEXT("block", "anchored_seq"), TEXT("commitment", "commit"), END};

static const struct tool_column same_columns[] = {
    TEXT("record", "record"),
    WORD("status", "status"),
    INSTITUTION("custodian", "custodian"),
    TEXT("version", "version"),
    US("anchored", "anchored_us"),
    TEXT("block", "anchored_seq"),
    END};

static const struct tool_column transaction_fields[] = {
    TEXT("block", "seq"), TEXT("request in it", "request_index"),
    TEXT("place in that", "index"), RESULT("result", "code"), END};

static const struct tool_column decision_fields[] = {
    TEXT("request", "request"),
    INSTITUTION("requester", "requester"),
    TEXT("participant", "participant"),
    TEXT("subject", "subject"),
    INSTITUTION("custodian", "custodian"),
    CODE("purpose", "purpose", CODES_PURPOSE),
    CODE("action", "action", CODES_ACTION),
    CODE("basis", "basis", CODES_LEGAL_BASIS),
    WHICH("the rule permits", "computed"),
    WHICH("granted", "granted"),
    WORD("because", "rule"),
    TEXT("implied by policy", "implicit"),
    TEXT("narrowed", "narrowed"),
    TEXT("decided too", "decided"),
    CODE("on the basis", "decided_basis", CODES_LEGAL_BASIS),
    US("asked", "asked_us"),
    TEXT("in block", "asked_seq"),
    MS("ends", "expires_ms"),
    TEXT("has ended", "expired"),
    END};

static const struct tool_column held_columns[] = {
    MS("since", "since_ms"), TEXT("decision", "number"),
    WHICH("granted", "granted"), CODE("basis", "basis", CODES_LEGAL_BASIS),
    END};

static const struct tool_column voice_columns[] = {
    TEXT("consent", "consent"),
    WHICH("denies", "denied"),
    WHICH("permits", "permitted"),
    WHICH("denies parts of", "narrowed"),
    SELECTOR("by its", "selector"),
    WORD("which says", "decision"),
    END};

static const struct tool_column glass_fields[] = {
    TEXT("emergency", "break_glass"),
    INSTITUTION("of", "institution"),
    TEXT("declarer", "declarer"),
    TEXT("witness", "witness"),
    TEXT("subject", "subject"),
    CODE("purpose", "purpose", CODES_PURPOSE),
    CODE("reason", "reason", CODES_REASON),
    MS("opened", "opened_ms"),
    MS("window ends", "closes_ms"),
    TEXT("in block", "seq"),
    WORD("the policy lets", "override"),
    TEXT("by its version", "policy_version"),
    TEXT("policy", "policy"),
    WHICH("it opens", "opened"),
    WORD("because", "rule"),
    WHICH("denied by name", "named"),
    MS("by consents of", "then_ms"),
    WORD("review", "state"),
    MS("review due", "due_ms"),
    TEXT("overdue", "overdue"),
    TEXT("reopened", "reopened"),
    TEXT("reviewer", "reviewer"),
    WORD("finding", "finding"),
    WORD("follow-up", "follow_up"),
    TEXT("reviewed in block", "reviewed_seq"),
    TEXT("disclosures", "disclosures"),
    END};

static const struct tool_column glass_voices[] = {
    TEXT("consent", "consent"),
    WHICH("denies by name", "named"),
    WHICH("parts by name", "named_part"),
    WHICH("denies", "denied"),
    WHICH("permits", "permitted"),
    WHICH("denies parts of", "narrowed"),
    SELECTOR("by its", "selector"),
    WORD("which says", "decision"),
    END};

static const struct tool_column accounting_columns[] = {
    MS("time", "event_ms"),
    INSTITUTION("from", "source"),
    INSTITUTION("to", "recipient"),
    TEXT("there to", "recipient_participant"),
    CODE("purpose", "purpose", CODES_PURPOSE),
    CODE("basis", "basis", CODES_LEGAL_BASIS),
    CODE("classes", "classes", CODES_CLASS),
    TEXT("items", "item_count"),
    TEXT("count", "count"),
    MS("last", "last_ms"),
    TEXT("hipaa", "accountable"),
    TEXT("violation", "violation"),
    TEXT("emergency", "break_glass"),
    REVIEW("its review", "break_glass_state"),
    TEXT("suspended", "suspended"),
    TEXT("wrong patient", "wrong_patient"),
    TEXT("tx", "tx_id"),
    END};

static const struct tool_column who_columns[] = {
    INSTITUTION("institution", "institution"),
    TEXT("participant", "participant"),
    CODE("role", "role", CODES_ROLE),
    TEXT("may", "permitted"),
    TEXT("but for parts", "narrowed"),
    WORD("because", "rule"),
    TEXT("consent", "consent"),
    SELECTOR("by its", "selector"),
    END};

static const struct tool_column what_columns[] = {
    TEXT("subject", "subject"),        INSTITUTION("custodian", "custodian"),
    TEXT("but for parts", "narrowed"), TEXT("by policy", "implicit"),
    TEXT("consent", "consent"),        END};

static const struct tool_column emergency_columns[] = {
    MS("opened", "opened_ms"),
    TEXT("emergency", "break_glass"),
    WORD("state", "state"),
    TEXT("overdue", "overdue"),
    MS("review due", "due_ms"),
    CODE("reason", "reason", CODES_REASON),
    TEXT("disclosures", "disclosures"),
    TEXT("declarer", "declarer"),
    TEXT("subject", "subject"),
    END};

static const struct tool_column delinquency_fields[] = {
    TEXT("overdue now", "overdue"), TEXT("ever overdue", "delinquent"), END};

static const struct tool_column duty_columns[] = {
    MS("due", "due_ms"), WORD("what", "kind"), TEXT("id", "id"), END};

static const struct tool_column suspect_columns[] = {
    US("time", "block_time_us"),      TEXT("block", "seq"),
    TEXT("request", "request_index"), TEXT("session", "session"),
    TEXT("sequence", "sequence"),     END};

static const struct tool_column indeterminate_columns[] = {
    US("since", "since_us"),
    TEXT("block", "since_seq"),
    TEXT("subject", "subject"),
    TEXT("evidence", "evidence"),
    CODE("reason", "reason", CODES_REASON),
    TEXT("filed", "count"),
    TEXT("newest", "newest"),
    END};

static const struct tool_column institution_columns[] = {
    TEXT("name", "name"),
    TEXT("institution", "institution"),
    WORD("state", "state"),
    TEXT("since block", "state_seq"),
    US("since", "state_us"),
    TEXT("genesis", "founder"),
    TEXT("from block", "member_seq"),
    US("member since", "member_us"),
    TEXT("replica", "replica"),
    TEXT("legal name", "legal_name"),
    TEXT("country", "country"),
    CODE("roles", "roles", CODES_INSTITUTION_ROLE),
    LIST("registers", "ids"),
    LIST("addresses", "endpoints"),
    INSTITUTION("successor", "successor"),
    END};

const struct tool_column tool_address_columns[] = {
    INSTITUTION("name", "institution"),
    TEXT("institution", "institution"),
    TEXT("legal name", "legal_name"),
    TEXT("country", "country"),
    LIST("registers", "ids"),
    LIST("addresses", "endpoints"),
    END};

static const struct tool_column since_fields[] = {
    MS("compromised since", "since_ms"), END};

static const struct tool_column code_columns[] = {
    TEXT("table", "table"),        TEXT("code", "id"),
    TEXT("below", "parent"),       TEXT("flags", "flags"),
    TEXT("since tables", "since"), END};

static const struct tool_column tables_fields[] = {
    TEXT("newest tables", "version"), END};

#define ROWS(columns)                                                          \
    {                                                                          \
        {                                                                      \
            "rows", NULL, false, columns                                       \
        }                                                                      \
    }

static const struct tool_answer_form forms[] = {
    {.kind = SALUS__V1__ANSWER__KIND_CONSENT_STATUS,
     .name = "consent_status",
     .fields = consent_fields},
    {.kind = SALUS__V1__ANSWER__KIND_CONSENT_HISTORY,
     .name = "consent_history",
     .is_paged = true,
     .lists = {{"events", NULL, false, event_columns}}},
    {.kind = SALUS__V1__ANSWER__KIND_CONSENTS,
     .name = "consents",
     .is_paged = true,
     .lists = ROWS(stood_columns)},
    {.kind = SALUS__V1__ANSWER__KIND_VERIFY_RECORD,
     .name = "verify_record",
     .fields = record_fields,
     .lists = {{"earlier", "earlier versions", false, earlier_columns},
               {"same_commit", "anchored also as", true, same_columns}}},
    {.kind = SALUS__V1__ANSWER__KIND_TRANSACTION,
     .name = "transaction",
     .fields = transaction_fields},
    {.kind = SALUS__V1__ANSWER__KIND_DECISION,
     .name = "decision",
     .fields = decision_fields,
     .has_selectors = true,
     .lists = {{"voices",
                "consents considered, in order of filing; numbers are "
                "records of the request,\nin its order, and 1 is the patient "
                "where it names none",
                false, voice_columns},
               {"held",
                "what held, newest first; 0 is the computed answer, the others "
                "are decisions\nof the custodian",
                false, held_columns}}},
    {.kind = SALUS__V1__ANSWER__KIND_EMERGENCY,
     .name = "emergency",
     .fields = glass_fields,
     .has_selectors = true,
     .lists = {{"voices",
                "consents in force then, in order of filing; numbers are "
                "records that it named,\nin its order, and 1 is the patient "
                "where it names none",
                false, glass_voices}}},
    {.kind = SALUS__V1__ANSWER__KIND_ACCOUNTING,
     .name = "accounting",
     .is_paged = true,
     .is_addressed = true,
     .lists = ROWS(accounting_columns)},
    {.kind = SALUS__V1__ANSWER__KIND_WHO_MAY,
     .name = "who_may",
     .is_paged = true,
     .lists = ROWS(who_columns)},
    {.kind = SALUS__V1__ANSWER__KIND_WHAT_MAY,
     .name = "what_may",
     .is_paged = true,
     .lists = ROWS(what_columns)},
    {.kind = SALUS__V1__ANSWER__KIND_BREAK_GLASS,
     .name = "break_glass",
     .notes = delinquency_fields,
     .is_paged = true,
     .lists = ROWS(emergency_columns)},
    {.kind = SALUS__V1__ANSWER__KIND_OBLIGATIONS,
     .name = "obligations",
     .is_paged = true,
     .lists = ROWS(duty_columns)},
    {.kind = SALUS__V1__ANSWER__KIND_SUSPECTS,
     .name = "suspects",
     .notes = since_fields,
     .is_paged = true,
     .lists = ROWS(suspect_columns)},
    {.kind = SALUS__V1__ANSWER__KIND_CODES,
     .name = "codes",
     .notes = tables_fields,
     .is_paged = true,
     .lists = ROWS(code_columns)},
    {.kind = SALUS__V1__ANSWER__KIND_INSTITUTIONS,
     .name = "institutions",
     .is_paged = true,
     .lists = ROWS(institution_columns)},
    {.kind = SALUS__V1__ANSWER__KIND_INDETERMINATE,
     .name = "indeterminate",
     .is_paged = true,
     .lists = ROWS(indeterminate_columns)},
};

const struct tool_answer_form *tool_answer_form(const Salus__V1__Answer *answer)
{
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        if (forms[i].kind == answer->kind_case) {
            return &forms[i];
        }
    }
    return NULL;
}
