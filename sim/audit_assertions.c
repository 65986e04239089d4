/* SPDX-License-Identifier: Apache-2.0 */
/* A failed assertion of the core is a broken invariant, seen from inside: the
 * replica stops before anybody else could see it. Where an assertion says what
 * a row of the table says, it gets that name. */
#include <string.h>

#include "sim/audit_rules.h"

/* Of the expression, a part. */
static const struct {
    const char *file;
    const char *part;
    const char *rule;
} named[] = {
    /* S2: execution in order. */
    {"consensus/normal_case.c", "seq == replica->committed + 1", "S2"},
    {"consensus/checkpoint.c", "executed->seq", "S2"},
    {"consensus/output.c", "commits[at - 1].seq + 1 == seq", "S2"},
    {"consensus/report.c", "replica->executed <= replica->committed", "S2"},
    {"consensus/report.c", "commits[i].seq <= replica->committed", "S2"},
    /* S4: what is committed was prepared. */
    {"consensus/report.c", "slot->committed == NULL", "S4"},
    /* S9: one statement in a slot. */
    {"consensus/log.c", "slot->header == NULL", "S9"},
    /* S15: commit, prepared, prepares of a quorum. */
    {"consensus/report.c", "is_prepared", "S15"},
    {"consensus/normal_case.c", "slot->prepared == NULL", "S15"},
    {"consensus/restore.c", "own_commit", "S15"},
    /* S16: a prepare answers a proposal whose body is there. */
    {"consensus/log.c", "body->batch.digest", "S16"},
    {"consensus/log.c", "pbft_slot_has_body(slot)", "S16"},
    {"consensus/normal_case.c", "pbft_slot_has_body(slot)", "S16"},
    {"consensus/body.c", "left == 0", "S16"}, /* Missing ones are counted. */
    /* S17: votes of the view that it is in. */
    {"consensus/normal_case.c", "view == replica->view", "S17"},
    {"consensus/normal_case.c", "replica->view_active", "S17"},
    {"consensus/report.c", "slot->view == replica->view", "S17"},
    {"consensus/restore.c", "slot->view == replica->view", "S17"},
    {"consensus/view_change.c", "view > replica->view", "S17"},
    /* S18: watermarks. */
    {"consensus/log.c", "low >= log->low", "S18"},
    {"consensus/log.c", "slot->seq == seq", "S18"},
    {"consensus/log.c", "->seq == low + 1", "S18"},
    {"consensus/normal_case.c", "pbft_slot_log_has", "S18"},
    {"consensus/normal_case.c", "seq > replica->log.low", "S18"},
    {"consensus/normal_case.c", "pbft_slot_log_high", "S18"},
    {"consensus/checkpoint.c", "replica->log.low", "S18"},
    {"consensus/checkpoint.c", "is_checkpoint(", "S18"},
    {"consensus/output.c", "seq > output->view.stable_seq", "S18"},
    {"consensus/report.c", "slot->seq > replica->log.low", "S18"},
    {"consensus/report.c", "slot->seq <= pbft_slot_log_high", "S18"},
    {"consensus/report.c", "pre_prepare.seq == slot->seq", "S18"},
    {"consensus/report.c", "replica->log.low", "S18"},
    /* S34: what the judge of the log took is whole. */
    {"sim/disk.c", "status == PBFT_OK", "S34"},
    /* S36: no vote while recovering. */
    {"consensus/report.c", "pbft_is_recovering", "S36"},
    {"consensus/view_change.c", "pbft_is_recovering", "S36"},
    {"consensus/checkpoint.c", "pbft_is_recovering", "S36"},
    /* R1: everything has its place. */
    {"consensus/output.c", "_max", "R1"},
    {"consensus/output.c", "_CAPACITY", "R1"},
    {"consensus/driver.c", "PBFT_DRIVER_OUTPUTS_MAX", "R1"},
    {"consensus/request_age.c", "count <= ", "R1"},
};

/* Paths may begin with the folder of the sources. */
static bool ends_with(const char *text, const char *end)
{
    size_t size = strlen(text);
    size_t end_size = strlen(end);
    return size >= end_size && strcmp(text + size - end_size, end) == 0;
}

const char *audit_assertion_rule(const char *file, const char *expression)
{
    for (size_t i = 0; i < sizeof named / sizeof named[0]; i++) {
        if (ends_with(file, named[i].file) &&
            strstr(expression, named[i].part) != NULL) {
            return named[i].rule;
        }
    }
    return AUDIT_RULE_ASSERTION;
}
