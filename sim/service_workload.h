/* SPDX-License-Identifier: Apache-2.0 */
/* Transactions that the clients of a run submit to the ledger: patients,
 * consents, withdrawals, records, requests, decisions, disclosures,
 * emergencies. Some must be refused: a consent that is withdrawn twice, a
 * request for what is not there.
 *
 * Every id follows from the client and a number, so that clients can speak of
 * each other's patients and records without meeting.
 */
#ifndef SIM_SERVICE_WORKLOAD_H
#define SIM_SERVICE_WORKLOAD_H

#include "sim/service.h"

/* The encryption key of an institution, and the policy that all consents name.
 */
void workload_encryption_key(struct pbft_public_key *out,
                             const struct pbft_institution *institution);
void workload_policy(uint8_t out[16]);

/* As service_kind.payload. */
size_t workload_payload(const struct service_client *client,
                        struct random *random, uint8_t *out, size_t capacity);

#endif /* SIM_SERVICE_WORKLOAD_H */
