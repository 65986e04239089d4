/* SPDX-License-Identifier: Apache-2.0 */
/* What the steps since the last clear ask for. */
#include "consensus/output.h"

#include <stdlib.h>

#include "consensus/assert.h"
#include "consensus/evidence.h"

/* Entering a view touches each slot: body, pre-prepare, prepare, prepared and
 * commit; the end of a recovery also attests it. The constant covers a stable
 * checkpoint, which writes all evidence again, and a few proposals. */
#define RECORDS_PER_SLOT 6
#define RECORDS_BESIDE_SLOTS (64 + PBFT_EVIDENCE_MAX)
/* Pre-prepare, prepare, commit and attestation of each slot, or as many that
 * are handed back to a starting replica. All timers may fire in one step: two
 * relays and the samples of each institution, two fetches for each source. */
#define SENDS_PER_SLOT 4
#define SENDS_BESIDE_SLOTS                                                     \
    (PBFT_RESEND_MESSAGES_MAX + 3 * PBFT_INSTITUTIONS_MAX +                    \
     3 * PBFT_REPLICAS_MAX + 64)
#define COMMITS_BESIDE_SLOTS PBFT_FETCH_BLOCKS_MAX
/* Beside the slots, all of which the end of a recovery attests. */
#define ATTESTED_BESIDE_SLOTS 4
#define SERVES_PER_STEP 4
/* A burst of fetches shares one output. */
#define SERVES_CAPACITY 64
/* A view is entered, and RESEND fires. */
#define READS_PER_SLOT 2

bool pbft_output_init(struct pbft_output_buffer *output, uint32_t window)
{
    PBFT_ASSERT(window > 0 && window <= PBFT_WINDOW_MAX);
    *output = (struct pbft_output_buffer){
        .record_step_max =
            (size_t)RECORDS_PER_SLOT * window + RECORDS_BESIDE_SLOTS,
        .send_step_max = (size_t)SENDS_PER_SLOT * window + SENDS_BESIDE_SLOTS,
        .commit_step_max = (size_t)window + COMMITS_BESIDE_SLOTS,
        .attested_step_max = (size_t)window + ATTESTED_BESIDE_SLOTS,
        .serve_step_max = SERVES_PER_STEP,
        .read_step_max = (size_t)READS_PER_SLOT * window,
    };
    output->records =
        malloc(2 * output->record_step_max * sizeof *output->records);
    output->sends = malloc(2 * output->send_step_max * sizeof *output->sends);
    output->commits =
        malloc(2 * output->commit_step_max * sizeof *output->commits);
    output->attested =
        malloc(2 * output->commit_step_max * sizeof *output->attested);
    output->serves = malloc(SERVES_CAPACITY * sizeof *output->serves);
    output->reads = malloc(2 * output->read_step_max * sizeof *output->reads);
    if (output->records == NULL || output->sends == NULL ||
        output->commits == NULL || output->attested == NULL ||
        output->serves == NULL || output->reads == NULL) {
        pbft_output_deinit(output);
        return false;
    }
    output->view.records = output->records;
    output->view.sends = output->sends;
    output->view.commits = output->commits;
    output->view.attested = output->attested;
    output->view.serves = output->serves;
    output->view.reads = output->reads;
    return true;
}

void pbft_output_deinit(struct pbft_output_buffer *output)
{
    pbft_output_reset(output);
    free(output->records);
    free(output->sends);
    free(output->commits);
    free(output->attested);
    free(output->serves);
    free(output->reads);
    *output = (struct pbft_output_buffer){0};
}

void pbft_output_reset(struct pbft_output_buffer *output)
{
    struct pbft_output *view = &output->view;
    for (size_t i = 0; i < view->record_count; i++) {
        pbft_message_unref(output->records[i].message);
    }
    for (size_t i = 0; i < view->send_count; i++) {
        pbft_message_unref(output->sends[i].message);
    }
    for (size_t i = 0; i < view->commit_count; i++) {
        pbft_message_unref(output->commits[i].committed);
    }
    for (size_t i = 0; i < view->attested_count; i++) {
        pbft_message_unref(output->attested[i].proof);
    }
    view->record_count = 0;
    view->send_count = 0;
    view->commit_count = 0;
    view->attested_count = 0;
    view->serve_count = 0;
    view->read_count = 0;
    view->stable_seq = 0;
}

bool pbft_output_has_room(const struct pbft_output_buffer *output)
{
    const struct pbft_output *view = &output->view;
    return view->record_count <= output->record_step_max &&
           view->send_count <= output->send_step_max &&
           view->commit_count <= output->commit_step_max &&
           view->attested_count <=
               2 * output->commit_step_max - output->attested_step_max &&
           view->serve_count <= SERVES_CAPACITY - output->serve_step_max &&
           view->read_count <= output->read_step_max;
}

void pbft_output_record(struct pbft_output_buffer *output,
                        const struct pbft_record *record)
{
    size_t at = output->view.record_count++;
    PBFT_ASSERT(at < 2 * output->record_step_max);
    output->records[at] = *record;
    (void)pbft_message_ref(record->message);
}

static bool is_empty(const struct pbft_replica_set *set)
{
    uint64_t any = 0;
    for (size_t i = 0; i < PBFT_REPLICAS_MAX / 64; i++) {
        any |= set->words[i];
    }
    return any == 0;
}

void pbft_output_send(struct pbft_output_buffer *output,
                      const struct pbft_replica_set *to,
                      const struct pbft_message *message)
{
    if (is_empty(to)) {
        return;
    }
    size_t at = output->view.send_count++;
    PBFT_ASSERT(at < 2 * output->send_step_max);
    output->sends[at].to = *to;
    output->sends[at].message = pbft_message_ref(message);
}

void pbft_output_commit(struct pbft_output_buffer *output, pbft_seq seq,
                        const struct pbft_message *committed)
{
    size_t at = output->view.commit_count++;
    PBFT_ASSERT(at < 2 * output->commit_step_max);
    PBFT_ASSERT(at == 0 || output->commits[at - 1].seq + 1 == seq);
    output->commits[at].seq = seq;
    output->commits[at].committed = pbft_message_ref(committed);
}

void pbft_output_attested(struct pbft_output_buffer *output, pbft_seq seq,
                          const struct pbft_message *proof)
{
    size_t at = output->view.attested_count++;
    PBFT_ASSERT(at < 2 * output->commit_step_max);
    PBFT_ASSERT(proof->type == PBFT_MESSAGE_STABLE);
    output->attested[at].seq = seq;
    output->attested[at].proof = pbft_message_ref(proof);
}

void pbft_output_serve(struct pbft_output_buffer *output,
                       const struct pbft_serve *serve)
{
    size_t at = output->view.serve_count++;
    PBFT_ASSERT(at < SERVES_CAPACITY);
    PBFT_ASSERT(serve->first <= serve->last);
    output->serves[at] = *serve;
}

void pbft_output_read(struct pbft_output_buffer *output,
                      const struct pbft_body_read *read)
{
    size_t at = output->view.read_count++;
    PBFT_ASSERT(at < 2 * output->read_step_max);
    PBFT_ASSERT(read->seq > 0);
    output->reads[at] = *read;
}

void pbft_output_stable(struct pbft_output_buffer *output, pbft_seq seq)
{
    PBFT_ASSERT(seq > output->view.stable_seq);
    output->view.stable_seq = seq;
}
