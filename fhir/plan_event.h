/* SPDX-License-Identifier: Apache-2.0 */
/* Which audit events were told before; for fhir/ only. */
#ifndef FHIR_PLAN_EVENT_H
#define FHIR_PLAN_EVENT_H

#include "fhir/planner.h"
#include "vault/events.h"

/* False: it was rejected, since events do not change. */
bool plan_event_is_new(struct planner *planner);
/* The same told twice, under two ids, was one. But one request has an event for
 * each patient (IHE BALP, PatientQuery), for each recipient, and for the glass
 * that it broke: by `party`, the recipient or declarer, they differ.
 * `request_name` gets the name under which it is to be kept, NULL if it names
 * no request. */
bool plan_event_is_told(struct planner *planner, const char **request_name,
                        const struct vault_event *event,
                        const uint8_t party[VAULT_ID_SIZE]);
/* The row of the event, under all its names. */
bool plan_event_keep(struct planner *planner, const struct vault_event *event,
                     const char *request_name);

#endif /* FHIR_PLAN_EVENT_H */
