/* SPDX-License-Identifier: Apache-2.0 */
/* The transactions that the clients of a run submit to the ledger: a mix of all
 * types that it executes. What a client speaks of is usually there, since the
 * workload remembers what was submitted and what came of it; a part is wrong on
 * purpose, and a part because somebody else was first.
 *
 * One for the whole run, with chance of its own: equal seeds give equal
 * transactions as long as blocks come out equally.
 */
#ifndef SIM_WORKLOAD_H
#define SIM_WORKLOAD_H

#include "ledger/results.h"
#include "sim/service.h"
#include "sim/tally.h"

struct workload;

/* ---- what the genesis says ----------------------------------------------- */

/* The institutions of the clients, each once, and others without clients until
 * there are enough for decisions of governance. Returns how many. */
size_t workload_members(struct pbft_institution out[PBFT_INSTITUTIONS_MAX],
                        uint32_t client_count,
                        const struct pbft_institution *institutions);
/* A member's key for co-signatures, which the ledger verifies: a real one, by
 * the number of the member. */
void workload_board_key(struct pbft_public_key *out, size_t member);
/* By its number; the first of a member has the number of the member. */
void workload_encryption_key(struct pbft_public_key *out, uint64_t number);
/* The policy that consents name. */
void workload_policy(uint8_t out[16]);

/* ---- life ---------------------------------------------------------------- */

/* Never NULL. As service_load.create, destroy, payload, tally. */
void *workload_create(uint64_t seed, uint32_t client_count,
                      const struct pbft_institution *institutions);
void workload_destroy(void *workload);
size_t workload_payload(void *workload, const struct service_client *client,
                        uint8_t *out, size_t capacity);
const struct tally *workload_tally(const void *workload);

/* A block is executed: its number, and its time on the ledger; what fell due in
 * it, by enum tally_due. */
void workload_note_block(struct workload *workload, pbft_seq seq,
                         uint64_t now_ms, const uint32_t due[TALLY_DUE_COUNT]);
/* A request of it has taken effect. Others than those of workload_payload()
 * are passed over. */
void workload_note_request(struct workload *workload, uint32_t client,
                           uint64_t sequence,
                           const struct results_request *result);

#endif /* SIM_WORKLOAD_H */
