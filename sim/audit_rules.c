/* SPDX-License-Identifier: Apache-2.0 */
/* The table of invariants. A new one is a row here and a function. */
#include "sim/audit_rules.h"

const struct audit_rule *const audit_rules[] = {
    &audit_agreement,       &audit_total_order,     &audit_determinism,
    &audit_committed,       &audit_prepared_once,   &audit_preserved,
    &audit_certificate,     &audit_null_request,    &audit_one_prepare,
    &audit_one_commit,      &audit_one_pre_prepare, &audit_one_attestation,
    &audit_one_view_change, &audit_one_new_view,    &audit_commit_support,
    &audit_prepare_support, &audit_view_monotone,   &audit_escalation,
    &audit_watermarks,      &audit_truth,           &audit_new_view,
    &audit_provenance,      &audit_durability,      &audit_domains,
    &audit_linearizable,    &audit_exactly_once,    &audit_same_answer,
    &audit_validity,        &audit_one_answer,      &audit_durable_acks,
    &audit_stable,          &audit_transferred,     &audit_height,
    &audit_restored_rule,   &audit_snapshot,        &audit_forgetful,
    &audit_evidence,        &audit_resources,       &audit_work,
    &audit_growth,          &audit_identity,        &audit_encoding,
    &audit_timers,          &audit_mania,           &audit_fairness,
    &audit_strict,          &audit_failed_views,    &audit_leaving,
    &audit_restarts,        &audit_donors,          &audit_throughput,
};

const size_t audit_rule_count = sizeof audit_rules / sizeof audit_rules[0];
