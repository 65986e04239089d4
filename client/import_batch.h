/* SPDX-License-Identifier: Apache-2.0 */
/* Resources that are prepared and submitted together. Private to the import. */
#ifndef CLIENT_IMPORT_BATCH_H
#define CLIENT_IMPORT_BATCH_H

#include "client/import.h"
#include "fhir/plan.h"

/* What the batches of one import share. */
struct import_session {
    const struct import_port *port;
    struct fhir_plan_options plan;
    import_progress *progress;
    void *context;
    struct import_summary *summary;
    struct salus_reason *reason;
    size_t number; /* Resources reported. */
    size_t total;
    /* Names of replaced versions; from malloc. */
    uint8_t (*outdated)[32];
    size_t outdated_count;
    size_t outdated_capacity;
};

struct import_batch;

/* Begins a transaction of the vault. The caller ends the batch in any case. */
PBFT_MUST_USE enum pbft_status import_batch_begin(struct import_batch **out,
                                                  struct import_session *);
bool import_batch_is_full(const struct import_batch *batch);
/* Is another version of the item in the batch? Whether that one gets on the
 * ledger decides what this one has to end. */
bool import_batch_must_wait(const struct import_batch *batch,
                            const struct fhir_item *item);
/* Takes the item, which is that of `file` at `index`; plans it, and tells the
 * file what its fullUrl means from now on. `file` outlives the batch. Not
 * `taken`: it is for the next batch, which knows what became of this one; the
 * caller frees it and loads it again. */
PBFT_MUST_USE enum pbft_status
import_batch_add(struct import_batch *batch, struct fhir_file *file,
                 size_t index, struct fhir_item *item, bool *taken);
/* Makes the plans durable, submits, settles, reports. */
PBFT_MUST_USE enum pbft_status import_batch_submit(struct import_batch *batch);
void import_batch_end(struct import_batch *batch); /* Or NULL. */

/* Finishes what earlier imports left open (import_resume.c). */
PBFT_MUST_USE enum pbft_status import_resume(struct import_session *session);

/* Another version of what has that name was met: a replaced one, or the newest
 * (import_outdated.c). */
PBFT_MUST_USE enum pbft_status
import_note_outdated(struct import_session *session, const uint8_t name[32],
                     bool replaced);

/* The journal's entry of the same resource: byte for byte, or as an export of
 * this vault handed it out (import_known.c). NOT_FOUND. The caller frees what
 * is found. */
PBFT_MUST_USE enum pbft_status
import_find_known(const struct import_session *session,
                  struct vault_journal *out, const struct fhir_item *item);

/* The key of the entry that was imported last of those versions:
 * fhir_plan_version_keys(). NOT_FOUND. */
PBFT_MUST_USE enum pbft_status
import_find_newest(const struct import_session *session, uint8_t out[32],
                   const uint8_t newest[32], const uint8_t before[32]);

/* Before anything is planned: what the fullUrls of a file's resources without
 * an id mean, by what was imported before (import_known.c). */
PBFT_MUST_USE enum pbft_status
import_find_urls(const struct import_session *session, struct fhir_file *file,
                 const struct fhir_options *options);

/* The code of what the ledger refused; 0: nothing, or only to end what has
 * ended already. */
uint32_t import_refusal(const struct vault_journal *entry);

/* ---- shared by them ------------------------------------------------------ */

/* Submits the steps of `count` journal entries, in order, and fills in their
 * codes. With `look_first` each is looked up before. TIMED_OUT, UNREACHABLE: no
 * proof; nothing is filled in. */
PBFT_MUST_USE enum pbft_status
import_submit_steps(struct import_session *session,
                    struct vault_journal *const *entries, size_t count,
                    bool look_first);

/* Says that the import did not get on. `code`: what the ledger or a replica
 * said, or 0. TIMED_OUT, UNREACHABLE. */
enum pbft_status import_failure(struct import_session *session,
                                enum salus_status status, uint32_t code);

#endif /* CLIENT_IMPORT_BATCH_H */
