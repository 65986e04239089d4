/* SPDX-License-Identifier: Apache-2.0 */
/* The bounded arrays behind pbft_output(). Private to the core.
 *
 * Each array has room for two steps of the worst kind: so a step is refused
 * (BUSY) only while the output already holds something, and never runs out of
 * room half-way.
 */
#ifndef CONSENSUS_OUTPUT_H
#define CONSENSUS_OUTPUT_H

#include "consensus/pbft.h"

/* What one STATUS or FETCH may make us send, window aside. */
#define PBFT_RESEND_MESSAGES_MAX 256

struct pbft_output_buffer {
    struct pbft_output view; /* What pbft_output() shows. */
    struct pbft_record *records;
    struct pbft_send *sends;
    struct pbft_commit *commits;
    struct pbft_attested *attested;
    struct pbft_serve *serves;
    struct pbft_body_read *reads;
    size_t record_step_max; /* The most that one step adds. */
    size_t send_step_max;
    size_t commit_step_max;
    size_t attested_step_max;
    size_t serve_step_max;
    size_t read_step_max;
};

/* False if memory is short; then nothing is to be released. */
bool pbft_output_init(struct pbft_output_buffer *output, uint32_t window);
void pbft_output_deinit(struct pbft_output_buffer *output);
/* Releases all messages. */
void pbft_output_reset(struct pbft_output_buffer *output);

/* Any step finds room. True for an empty output. */
bool pbft_output_has_room(const struct pbft_output_buffer *output);

/* All take their own reference to the message. */
void pbft_output_record(struct pbft_output_buffer *output,
                        const struct pbft_record *record);
/* Nothing happens if `to` is empty. */
void pbft_output_send(struct pbft_output_buffer *output,
                      const struct pbft_replica_set *to,
                      const struct pbft_message *message);
void pbft_output_commit(struct pbft_output_buffer *output, pbft_seq seq,
                        const struct pbft_message *committed);
void pbft_output_attested(struct pbft_output_buffer *output, pbft_seq seq,
                          const struct pbft_message *proof);
void pbft_output_serve(struct pbft_output_buffer *output,
                       const struct pbft_serve *serve);
void pbft_output_read(struct pbft_output_buffer *output,
                      const struct pbft_body_read *read);
void pbft_output_stable(struct pbft_output_buffer *output, pbft_seq seq);

#endif /* CONSENSUS_OUTPUT_H */
