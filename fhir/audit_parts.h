/* SPDX-License-Identifier: Apache-2.0 */
/* Agents, entities, purposes and grounds of an AuditEvent. For fhir/audit*.c.
 */
#ifndef FHIR_AUDIT_PARTS_H
#define FHIR_AUDIT_PARTS_H

#include "fhir/audit.h"

/* Does it say that it is about an emergency (BTG, ETREAT)? */
bool audit_is_emergency(const struct fhir_node *resource);
/* Recipient, requestor, and what it stands on. */
void audit_read_agents(const struct fhir_reader *reader, struct fhir_audit *out,
                       const struct fhir_node *resource);
/* Patient, request id, and what was disclosed. */
void audit_read_entities(const struct fhir_reader *reader,
                         struct fhir_audit *out,
                         const struct fhir_node *resource);
void audit_read_purpose(const struct fhir_reader *reader,
                        struct fhir_audit *out,
                        const struct fhir_node *resource);

/* Does an agent's policy name an access request, as the ledger does? */
bool audit_names_request(const struct fhir_node *resource);
/* One URI of agent.policy, and one entity of type Consent. */
void audit_read_policy(const struct fhir_reader *reader, struct fhir_audit *out,
                       const struct fhir_node *node);
void audit_read_consent(const struct fhir_reader *reader,
                        struct fhir_audit *out, const struct fhir_node *entity);

#endif /* FHIR_AUDIT_PARTS_H */
