/* SPDX-License-Identifier: Apache-2.0 */
/* Writes the seeds of fuzz_execute for the later families anew: one payload of
 * each type, as it stands behind the envelope of the target. Only needed when a
 * message type changes.
 *
 *   make_execute_corpus FOLDER
 */
#include <stdio.h>

#include "tests/fuzz/fuzz_world.h"
#include "tests/support/ledger_access.h"

static struct world *world;
static const char *root;

/* What stands behind the fields of the envelope: the payload, tag and all. */
static void store(enum transaction_type type, const char *name,
                  const ProtobufCMessage *payload)
{
    char path[512];
    Salus__V1__TransactionBody body = SALUS__V1__TRANSACTION_BODY__INIT;
    struct wire_buffer buffer;
    body.payload_case = (Salus__V1__TransactionBody__PayloadCase)type;
    body.participant_register =
        (Salus__V1__ParticipantRegister *)(uintptr_t)payload;
    wire_buffer_init(&buffer, LEDGER_BODY_MAX);
    assert_int_equal(wire_pack(&body.base, &buffer), PBFT_OK);
    (void)snprintf(path, sizeof path, "%s/%s", root, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(buffer.data, 1, buffer.size, file), buffer.size);
    (void)fclose(file);
    wire_buffer_deinit(&buffer);
}

static void store_access(void)
{
    static uint8_t commit[32];
    struct asked asked;
    struct told told;
    ask_for(world, &asked, NULL);
    store(TRANSACTION_ACCESS_REQUEST, "access-request", &asked.in.base);
    Salus__V1__AccessDecision decision = SALUS__V1__ACCESS_DECISION__INIT;
    decision.request = field_of(asked.id, 16);
    decision.outcome = SALUS__V1__ACCESS_DECISION__OUTCOME__DENY_ALL;
    decision.reason = CODES_REASON_AS_COMPUTED;
    store(TRANSACTION_ACCESS_DECISION, "access-decision", &decision.base);
    tell_of(world, &told, NULL);
    told.in.basis = CODES_BASIS_REQUIRED_BY_LAW;
    told.in.document_commit = field_of(told.document, 32);
    store(TRANSACTION_DISCLOSURE, "disclosure", &told.in.base);
    world_fill(world, commit, sizeof commit);
    Salus__V1__DisclosureBatch batch = SALUS__V1__DISCLOSURE_BATCH__INIT;
    batch.batch = field_of(asked.id, 16);
    batch.root = field_of(commit, 32);
    batch.leaf_count = 4;
    batch.from_ms = 1;
    batch.to_ms = 2;
    store(TRANSACTION_DISCLOSURE_BATCH, "disclosure-batch", &batch.base);
    Salus__V1__DisclosureOpen open = SALUS__V1__DISCLOSURE_OPEN__INIT;
    open.batch = field_of(asked.id, 16);
    open.disclosure = &told.in;
    open.event_time_ms = 1;
    store(TRANSACTION_DISCLOSURE_OPEN, "disclosure-open", &open.base);
    Salus__V1__BreakGlass glass = SALUS__V1__BREAK_GLASS__INIT;
    glass.break_glass = field_of(asked.id, 16);
    glass.subject = field_of(world->subject, 32);
    glass.reason = CODES_REASON_LIFE_THREAT;
    glass.window_ms = 1000;
    glass.purpose = CODES_PURPOSE_BTG;
    store(TRANSACTION_BREAK_GLASS, "break-glass", &glass.base);
    Salus__V1__BreakGlassReview review = SALUS__V1__BREAK_GLASS_REVIEW__INIT;
    review.break_glass = field_of(asked.id, 16);
    review.finding = SALUS__V1__BREAK_GLASS_REVIEW__FINDING__JUSTIFIED;
    review.finding_commit = field_of(commit, 32);
    store(TRANSACTION_BREAK_GLASS_REVIEW, "break-glass-review", &review.base);
    Salus__V1__AccountingSuspend suspend = SALUS__V1__ACCOUNTING_SUSPEND__INIT;
    suspend.subject = field_of(world->subject, 32);
    suspend.recipient_role = CODES_INSTITUTION_PUBLIC_HEALTH;
    suspend.until_ms = world->now_ms + 1000;
    suspend.statement_commit = field_of(commit, 32);
    store(TRANSACTION_ACCOUNTING_SUSPEND, "accounting-suspend", &suspend.base);
    Salus__V1__SubjectSettle settle = SALUS__V1__SUBJECT_SETTLE__INIT;
    settle.subject = field_of(world->subject, 32);
    settle.evidence_commit = field_of(commit, 32);
    store(TRANSACTION_SUBJECT_SETTLE, "subject-settle", &settle.base);
}

static void store_records(void)
{
    static uint8_t ids[4][32];
    Salus__V1__RecordAnchor__Envelope envelope =
        SALUS__V1__RECORD_ANCHOR__ENVELOPE__INIT;
    Salus__V1__RecordAnchor__Envelope *list[] = {&envelope};
    Salus__V1__RecordAnchor record = SALUS__V1__RECORD_ANCHOR__INIT;
    for (size_t i = 0; i < 4; i++) {
        world_fill(world, ids[i], sizeof ids[i]);
    }
    envelope.recipient_key =
        field_of(world->parties[HOSPITAL].encryption_id.bytes, 16);
    envelope.wrap_commit = field_of(ids[0], 32);
    record.record = field_of(ids[1], 16);
    record.subject = field_of(world->subject, 32);
    record.class_code = CODES_CLASS_OTHER;
    record.confidentiality = CODES_CONF_N;
    record.commit = field_of(ids[2], 32);
    record.cipher_digest = field_of(ids[3], 32);
    record.cipher_size_bucket = 4;
    record.algorithm = 1;
    record.location = (char *)WORLD_LOCATION;
    record.envelopes = list;
    record.n_envelopes = 1;
    Salus__V1__RecordAnchorBatch batch = SALUS__V1__RECORD_ANCHOR_BATCH__INIT;
    batch.batch = field_of(ids[1], 16);
    batch.root = field_of(ids[2], 32);
    batch.leaf_count = 4;
    batch.leaf_schema = 1;
    batch.class_code = CODES_CLASS_OTHER;
    batch.confidentiality_max = CODES_CONF_R;
    batch.envelope = &envelope;
    store(TRANSACTION_RECORD_ANCHOR_BATCH, "anchor-batch", &batch.base);
    Salus__V1__RecordOpen open = SALUS__V1__RECORD_OPEN__INIT;
    open.batch = field_of(ids[1], 16);
    open.record = &record;
    store(TRANSACTION_RECORD_OPEN, "record-open", &open.base);
    Salus__V1__RecordAmend amend = SALUS__V1__RECORD_AMEND__INIT;
    amend.expected_version = 1;
    amend.next = &record;
    amend.reason = SALUS__V1__RECORD_AMEND__REASON__CORRECTION;
    store(TRANSACTION_RECORD_AMEND, "record-amend", &amend.base);
    Salus__V1__RecordRetract retract = SALUS__V1__RECORD_RETRACT__INIT;
    retract.record = field_of(world->record, 16);
    retract.expected_version = 1;
    retract.reason = SALUS__V1__RECORD_AMEND__REASON__WRONG_PATIENT;
    store(TRANSACTION_RECORD_RETRACT, "record-retract", &retract.base);
    Salus__V1__KeyGrant grant = SALUS__V1__KEY_GRANT__INIT;
    grant.record = field_of(world->record, 16);
    grant.version = 1;
    grant.recipient_key = envelope.recipient_key;
    grant.wrap_commit = field_of(ids[0], 32);
    grant.decision = field_of(ids[3], 16);
    store(TRANSACTION_KEY_GRANT, "key-grant", &grant.base);
    Salus__V1__Rekey rekey = SALUS__V1__REKEY__INIT;
    rekey.record = field_of(world->record, 16);
    rekey.expected_version = 1;
    rekey.cipher_digest = field_of(ids[3], 32);
    rekey.cipher_size_bucket = 4;
    rekey.algorithm = 1;
    rekey.envelopes = list;
    rekey.n_envelopes = 1;
    rekey.reason = SALUS__V1__REKEY__REASON__ROTATION;
    store(TRANSACTION_REKEY, "rekey", &rekey.base);
}

static void store_governance(void)
{
    static uint8_t bytes[64];
    static uint32_t roles[] = {CODES_INSTITUTION_PROVIDER};
    const struct party *party = &world->parties[HOSPITAL];
    world_fill(world, bytes, sizeof bytes);
    Salus__V1__InstitutionAdmit admit = SALUS__V1__INSTITUTION_ADMIT__INIT;
    admit.institution = field_of(bytes, 16);
    admit.name = (char *)"northgate";
    admit.country = (char *)"GB";
    admit.legal_name = (char *)"Northgate";
    admit.roles = roles;
    admit.n_roles = 1;
    admit.submit_key = field_of(bytes, 32);
    admit.submit_possession = field_of(bytes, 64);
    admit.encryption_key = field_of(bytes + 16, 32);
    admit.attestation_hash = field_of(bytes + 32, 32);
    store(TRANSACTION_INST_ADMIT, "inst-admit", &admit.base);
    Salus__V1__InstitutionUpdate update = SALUS__V1__INSTITUTION_UPDATE__INIT;
    update.institution = field_of(party->institution.bytes, 16);
    update.attestation_hash = field_of(bytes, 32);
    update.reason = CODES_REASON_CONTRACT;
    store(TRANSACTION_INST_UPDATE, "inst-update", &update.base);
    Salus__V1__InstitutionSuspend suspend =
        SALUS__V1__INSTITUTION_SUSPEND__INIT;
    suspend.institution = field_of(party->institution.bytes, 16);
    suspend.reason = CODES_REASON_CONTRACT;
    store(TRANSACTION_INST_SUSPEND, "inst-suspend", &suspend.base);
    Salus__V1__InstitutionRetire retire = SALUS__V1__INSTITUTION_RETIRE__INIT;
    retire.institution = field_of(party->institution.bytes, 16);
    retire.tombstones = true;
    retire.reason = CODES_REASON_CONTRACT;
    store(TRANSACTION_INST_RETIRE, "inst-retire", &retire.base);
    Salus__V1__KeyRotate rotate = SALUS__V1__KEY_ROTATE__INIT;
    rotate.old_key_id = field_of(party->encryption_id.bytes, 16);
    rotate.new_key = field_of(bytes, 32);
    rotate.effective_seq = 1000;
    store(TRANSACTION_KEY_ROTATE, "key-rotate", &rotate.base);
    Salus__V1__KeyRevoke revoke = SALUS__V1__KEY_REVOKE__INIT;
    revoke.key_id = field_of(party->encryption_id.bytes, 16);
    revoke.reason = SALUS__V1__KEY_REVOKE__REASON__LOST;
    store(TRANSACTION_KEY_REVOKE, "key-revoke", &revoke.base);
    Salus__V1__ParticipantUpdate change = SALUS__V1__PARTICIPANT_UPDATE__INIT;
    change.participant = field_of(world->doctor, 16);
    change.roles = roles;
    change.n_roles = 1;
    store(TRANSACTION_PARTICIPANT_UPDATE, "participant-update", &change.base);
    Salus__V1__ParticipantRevoke end = SALUS__V1__PARTICIPANT_REVOKE__INIT;
    end.participant = field_of(world->doctor, 16);
    end.reason = CODES_REASON_CONTRACT;
    store(TRANSACTION_PARTICIPANT_REVOKE, "participant-revoke", &end.base);
    Salus__V1__PolicyActivate on = SALUS__V1__POLICY_ACTIVATE__INIT;
    on.policy = field_of(world->policy.policy, 16);
    on.version = 1;
    on.effective_seq = 1000;
    store(TRANSACTION_POLICY_ACTIVATE, "policy-activate", &on.base);
    Salus__V1__CodetablePublish table = SALUS__V1__CODETABLE_PUBLISH__INIT;
    Salus__V1__CodetablePublish__Entry entry =
        SALUS__V1__CODETABLE_PUBLISH__ENTRY__INIT;
    Salus__V1__CodetablePublish__Entry *entries[] = {&entry};
    entry.table = CODES_PURPOSE;
    entry.id = 100;
    entry.system = (char *)"urn:example";
    entry.code = (char *)"OWN";
    table.version = 2;
    table.entries = entries;
    table.n_entries = 1;
    store(TRANSACTION_CODETABLE_PUBLISH, "codetable-publish", &table.base);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        (void)fprintf(stderr, "usage: make_execute_corpus FOLDER\n");
        return 2;
    }
    root = argv[1];
    world = fuzz_world();
    store_access();
    store_records();
    store_governance();
    world_destroy(world);
    return 0;
}
