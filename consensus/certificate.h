/* SPDX-License-Identifier: Apache-2.0 */
/* Turns the votes of a slot into certificates that convince anyone. Private to
 * the core.
 */
#ifndef CONSENSUS_CERTIFICATE_H
#define CONSENSUS_CERTIFICATE_H

#include "consensus/log.h"

/* Who makes the certificate, and by whose keys it is judged. */
struct pbft_certifier {
    pbft_replica_id self;
    pbft_epoch epoch;
    uint32_t replica_count;
};

/* The header with `count` prepares that match it (design: P2; the primary's
 * header stands for its vote). The slot must hold as many. */
const struct pbft_message *
pbft_certify_prepared(const struct pbft_certifier *certifier,
                      const struct pbft_slot *slot, uint32_t count);

/* The proposal with its body and `count` matching commits. */
const struct pbft_message *
pbft_certify_committed(const struct pbft_certifier *certifier,
                       struct pbft_slot *slot, uint32_t count);

/* At most `count` attestations that equal `content`. */
const struct pbft_message *
pbft_certify_attested(const struct pbft_certifier *certifier,
                      const struct pbft_slot *slot,
                      const struct pbft_attestation *content, uint32_t count);

#endif /* CONSENSUS_CERTIFICATE_H */
