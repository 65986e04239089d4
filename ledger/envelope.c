/* SPDX-License-Identifier: Apache-2.0 */
/* Does the grant behind a key envelope hold? For replicas that keep and deliver
 * envelopes; nothing here changes the state.
 */
#include <string.h>

#include "ledger/access.h"
#include "ledger/state.h"

#define US_PER_MS 1000u

/* The question at work: rules that are written for execution read it too. */
struct judgment {
    struct overlay overlay;
    struct wire_arena scratch;
    struct wire_arena stored;
    struct schema_policy policy;
    struct ledger_request request;
    struct execution x;
};

/* Whatever is asked is asked on behalf of the custodian. */
static void prepare(struct judgment *judgment,
                    const struct schema_position *position,
                    const struct pbft_institution *custodian)
{
    judgment->overlay.seq = position->seq;
    state_governing_policy(&judgment->overlay, &judgment->policy);
    judgment->request = (struct ledger_request){.institution = *custodian};
    judgment->x = (struct execution){
        .overlay = &judgment->overlay,
        .scratch = &judgment->scratch,
        .stored = &judgment->stored,
        .policy = &judgment->policy,
        .seq = position->seq,
        .now_ms = position->time / US_PER_MS,
        .request = &judgment->request,
    };
}

/* It is for this version, the key may still be used, and what gave it still
 * gives it: a withdrawn consent counts at once. */
static enum ledger_code judge(struct judgment *judgment,
                              const struct ledger_envelope_name *name,
                              const struct schema_record *record,
                              const struct schema_envelope *envelope)
{
    struct schema_registered_key key;
    if (record->state != SCHEMA_ACTIVE) {
        return LEDGER_REC_STATE;
    }
    if (record->version != name->version) {
        return LEDGER_VERSION_CONFLICT;
    }
    if (!state_get_active_key(&judgment->overlay, name->recipient_key,
                              SCHEMA_KEY_ENCRYPTION, &key)) {
        return LEDGER_KEY_STATE;
    }
    return envelope->is_emergency
               ? emergency_gives(&judgment->x, envelope->basis, name->record,
                                 &envelope->institution)
               : access_gives(&judgment->x, envelope->basis, name->record,
                              &envelope->institution);
}

static enum pbft_status find(struct judgment *judgment,
                             const struct ledger_envelope_name *name,
                             const struct pbft_institution *from,
                             struct ledger_envelope *out)
{
    const struct pbft_digest no_seed = {{0}};
    struct schema_position position;
    struct schema_record record;
    struct schema_envelope envelope;
    struct overlay *overlay = &judgment->overlay;
    overlay_begin(overlay, &no_seed);
    if (!state_get_position(overlay, &position)) {
        return overlay->status != PBFT_OK ? overlay->status : PBFT_CORRUPT;
    }
    bool found = state_get_envelope(overlay, name->record, name->version,
                                    name->recipient_key, &envelope) &&
                 state_get_record(overlay, name->record, &record);
    if (!found) {
        return overlay->status != PBFT_OK ? overlay->status : PBFT_NOT_FOUND;
    }
    prepare(judgment, &position, &record.custodian);
    memcpy(out->wrap_commit.bytes, envelope.wrap_commit,
           sizeof out->wrap_commit.bytes);
    out->recipient = envelope.institution;
    out->custodian = record.custodian;
    out->is_from_custodian = state_speaks_for(overlay, from, &record.custodian);
    out->height = position.seq;
    out->code = judge(judgment, name, &record, &envelope);
    return overlay->status;
}

enum pbft_status ledger_find_envelope(const struct ledger_kv *view,
                                      const struct ledger_envelope_name *name,
                                      const struct pbft_institution *from,
                                      struct ledger_envelope *out)
{
    struct judgment judgment;
    memset(&judgment, 0, sizeof judgment);
    overlay_init(&judgment.overlay, view);
    wire_arena_init(&judgment.scratch, EXECUTION_ARENA_MAX);
    wire_arena_init(&judgment.stored, EXECUTION_ARENA_MAX);
    enum pbft_status status = find(&judgment, name, from, out);
    overlay_deinit(&judgment.overlay);
    wire_arena_deinit(&judgment.scratch);
    wire_arena_deinit(&judgment.stored);
    return status;
}
