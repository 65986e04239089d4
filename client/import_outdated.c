/* SPDX-License-Identifier: Apache-2.0 */
/* Replaced versions in an import. One is no news if the newest comes after it,
 * as in a history. */
#include <stdlib.h>
#include <string.h>

#include "client/import_batch.h"

static enum pbft_status add(struct import_session *session,
                            const uint8_t name[32])
{
    size_t count = session->outdated_count;

    if (count == session->outdated_capacity) {
        size_t capacity = count == 0 ? 64 : 2 * count;
        uint8_t(*more)[32] =
            realloc(session->outdated, capacity * sizeof *more);
        if (more == NULL) {
            return PBFT_NO_MEMORY;
        }
        session->outdated = more;
        session->outdated_capacity = capacity;
    }
    memcpy(session->outdated[session->outdated_count++], name, 32);
    return PBFT_OK;
}

static void remove_all(struct import_session *session, const uint8_t name[32])
{
    size_t kept = 0;

    for (size_t i = 0; i < session->outdated_count; i++) {
        if (memcmp(session->outdated[i], name, 32) != 0) {
            memmove(session->outdated[kept++], session->outdated[i], 32);
        }
    }
    session->outdated_count = kept;
}

enum pbft_status import_note_outdated(struct import_session *session,
                                      const uint8_t name[32], bool replaced)
{
    enum pbft_status status = PBFT_OK;

    if (replaced) {
        status = add(session, name);
    } else {
        remove_all(session, name);
    }
    session->summary->outdated = session->outdated_count;
    return status;
}
