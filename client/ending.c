/* SPDX-License-Identifier: Apache-2.0 */
/* Results find their way to those who submitted. */
#include <stdlib.h>
#include <string.h>

#include "client/client.h"

static void unlink_request(struct salus_client *client,
                           const struct request *request)
{
    struct request *before = NULL;
    struct request *it = client->requests_first;

    while (it != request) {
        before = it;
        it = it->next;
    }
    if (before == NULL) {
        client->requests_first = it->next;
    } else {
        before->next = it->next;
    }
    if (client->requests_last == it) {
        client->requests_last = before;
    }
}

struct submission *client_end_request(struct salus_client *client,
                                      struct request *request)
{
    struct submission *list = request->first;

    unlink_request(client, request);
    request->state = REQUEST_ENDED;
    request->first = NULL;
    client->requests_flying--;
    client_request_release(request);
    return list;
}

void client_fill_results(struct submission *list, enum salus_status status,
                         uint32_t code)
{
    for (struct submission *it = list; it != NULL; it = it->next) {
        for (size_t i = 0; i < it->result_count; i++) {
            it->results[i].status = status;
            it->results[i].code = code;
        }
    }
}

void client_call_back(struct salus_client *client, struct submission *list)
{
    size_t ended = 0;

    while (list != NULL) {
        struct submission *next = list->next;
        list->done(list->context, list->results, list->result_count);
        client_submission_destroy(list);
        list = next;
        ended++;
    }
    if (ended > 0) {
        (void)pthread_mutex_lock(&client->lock);
        client->submissions -= ended;
        (void)pthread_cond_broadcast(&client->changed);
        (void)pthread_mutex_unlock(&client->lock);
    }
}
