/* SPDX-License-Identifier: Apache-2.0 */
/* From a submission to a request that the core knows of. */
#ifndef NODE_SUBMIT_H
#define NODE_SUBMIT_H

#include "node/node_private.h"
#include "salus/v1/client.pb-c.h"

/* Answers the call now, or enters it in the table of those that wait. */
void node_submit(struct node *node, struct node_scratch *scratch,
                 const struct verifier_job *job,
                 const Salus__V1__Submit *submit);

#endif /* NODE_SUBMIT_H */
