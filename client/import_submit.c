/* SPDX-License-Identifier: Apache-2.0 */
/* Steps of the journal to the ledger, what came of them, and what an earlier
 * import left open. */
#include <stdlib.h>
#include <string.h>

#include "client/import_batch.h"
#include "ledger/errors.h"
#include "ledger/limits.h"
#include "proto/buffer.h"
#include "proto/scan.h"
#include "salus/v1/files.pb-c.h"
#include "salus/v1/ledger.pb-c.h"

/* A receipt holds one request; decoded it takes a few times its bytes. */
#define RECEIPT_MEMORY_MAX ((size_t)8 * 1024 * 1024)

/* Steps in one call of submit. */
struct pending {
    struct vault_step *steps[SALUS_TRANSACTIONS_MAX];
    struct transaction_bytes sealed[SALUS_TRANSACTIONS_MAX];
    struct salus_transaction transactions[SALUS_TRANSACTIONS_MAX];
    struct salus_result results[SALUS_TRANSACTIONS_MAX];
    size_t count;
};

static void free_pending(struct pending *pending)
{
    for (size_t i = 0; i < pending->count; i++) {
        free(pending->sealed[i].data);
    }
    free(pending);
}

static enum pbft_status add_step(struct pending *pending,
                                 struct vault_step *step)
{
    size_t i = pending->count;
    struct pbft_bytes body = {step->body, step->size};

    if (i == SALUS_TRANSACTIONS_MAX) {
        return PBFT_LIMIT;
    }
    enum pbft_status status =
        transaction_seal(&pending->sealed[i], body, NULL, 0);
    if (status != PBFT_OK) {
        return status;
    }
    pending->steps[i] = step;
    pending->transactions[i] = (struct salus_transaction){
        pending->sealed[i].data, pending->sealed[i].size};
    pending->count++;
    return PBFT_OK;
}

/* Takes over a proved result. False: there is none yet, and what the step
 * brought may be on the ledger: of what is only not ordered, of a request that
 * was executed before, and of a transaction that was done before, if all that
 * is shown is when it was refused. */
static bool take_result(const struct import_port *port, struct vault_step *step,
                        const struct salus_result *result)
{
    struct salus_result first = *result;
    bool is_repeated =
        result->status == SALUS_REFUSED && result->code == LEDGER_TX_DUPLICATE;

    if (is_repeated &&
        (!port->lookup(port->context, &first, step->tx_id.bytes) ||
         first.status != SALUS_OK)) {
        return false;
    }
    if (first.status != SALUS_OK &&
        (first.status != SALUS_REFUSED || first.code == LEDGER_OK ||
         first.code == LEDGER_DUPLICATE)) {
        return false;
    }
    step->code = first.code;
    step->seq = first.seq;
    return true;
}

/* Was it done before? That it was refused once is not enough: it may have been
 * submitted again since. */
static bool is_done_before(const struct import_port *port,
                           struct vault_step *step)
{
    struct salus_result first;

    return port->lookup(port->context, &first, step->tx_id.bytes) &&
           first.status == SALUS_OK && take_result(port, step, &first);
}

enum pbft_status import_failure(struct import_session *session,
                                enum salus_status status, uint32_t code)
{
    salus_reason_set(session->reason,
                     "the ledger: %s%s%s; run the import again to go on",
                     salus_status_text(status), code != 0 ? ": " : "",
                     code != 0 ? salus_code_name(code) : "");
    return status == SALUS_UNREACHABLE ? PBFT_UNREACHABLE : PBFT_TIMED_OUT;
}

static enum pbft_status submit_pending(struct import_session *session,
                                       struct pending *pending)
{
    const struct import_port *port = session->port;

    if (pending->count == 0) {
        return PBFT_OK;
    }
    enum salus_status all = port->submit(port->context, pending->results,
                                         pending->transactions, pending->count);
    if (all != SALUS_OK && all != SALUS_REFUSED) {
        return import_failure(session, all, pending->results[0].code);
    }
    for (size_t i = 0; i < pending->count; i++) {
        const struct salus_result *result = &pending->results[i];
        if (!take_result(port, pending->steps[i], result)) {
            return import_failure(session,
                                  result->status == SALUS_REFUSED
                                      ? SALUS_UNPROVED
                                      : result->status,
                                  result->code);
        }
    }
    return PBFT_OK;
}

enum pbft_status import_submit_steps(struct import_session *session,
                                     struct vault_journal *const *entries,
                                     size_t count, bool look_first)
{
    const struct import_port *port = session->port;
    enum pbft_status status = PBFT_OK;
    struct pending *pending = calloc(1, sizeof *pending);

    if (pending == NULL) {
        return PBFT_NO_MEMORY;
    }
    for (size_t i = 0; i < count; i++) {
        for (uint32_t k = 0; k < entries[i]->step_count; k++) {
            struct vault_step *step = &entries[i]->steps[k];
            if (look_first && is_done_before(port, step)) {
                continue;
            }
            status = status == PBFT_OK ? add_step(pending, step) : status;
        }
    }
    if (status == PBFT_OK) {
        status = submit_pending(session, pending);
    }
    free_pending(pending);
    return status;
}

/* ---- resuming ------------------------------------------------------------ */

static void report_resumed(struct import_session *session,
                           const struct vault_journal *entry)
{
    const struct vault_step *last = &entry->steps[entry->step_count - 1];
    struct import_event event = {.file = "",
                                 .class_of = (enum fhir_class)entry->item_class,
                                 .type = last->type,
                                 .seq = last->seq,
                                 .code = import_refusal(entry),
                                 .total = session->total};

    event.outcome = event.code == 0 ? IMPORT_ON_LEDGER : IMPORT_REFUSED;
    memcpy(event.tx_id, last->tx_id.bytes, sizeof event.tx_id);
    session->summary->resumed++;
    for (uint32_t i = 0; i < entry->step_count; i++) {
        session->summary->transactions += entry->steps[i].code == 0;
    }
    if (session->progress != NULL) {
        session->progress(session->context, &event);
    }
}

static enum pbft_status resume_one(struct import_session *session,
                                   struct vault_journal *entry)
{
    struct vault_journal *const entries[] = {entry};
    enum pbft_status status = import_submit_steps(session, entries, 1, true);

    if (status == PBFT_OK) {
        status = vault_journal_settle(session->plan.vault, entry);
    }
    if (status == PBFT_OK && entry->step_count > 0) {
        report_resumed(session, entry);
    }
    return status;
}

enum pbft_status import_resume(struct import_session *session)
{
    struct vault_journal *entry = calloc(1, sizeof *entry);
    enum pbft_status status = PBFT_OK;

    if (entry == NULL) {
        return PBFT_NO_MEMORY;
    }
    while (status == PBFT_OK) {
        status = vault_journal_oldest_open(session->plan.vault, entry);
        if (status == PBFT_OK) {
            status = resume_one(session, entry);
            vault_journal_free(entry);
        }
    }
    free(entry);
    return status == PBFT_NOT_FOUND ? PBFT_OK : status;
}

/* ---- libsalus ------------------------------------------------------------ */

static enum salus_status client_submit(void *context,
                                       struct salus_result *results,
                                       const struct salus_transaction *list,
                                       size_t count)
{
    return salus_submit_many(context, results, list, count);
}

/* The receipt is proved by the library already; it only has to be read. */
static enum pbft_status read_receipt(struct salus_result *out,
                                     struct pbft_bytes bytes)
{
    struct wire_arena arena;
    struct ProtobufCMessage *message = NULL;

    wire_arena_init(&arena, RECEIPT_MEMORY_MAX);
    enum pbft_status status = wire_unpack_strict(
        &salus__v1__receipt__descriptor, bytes, &arena, &message);
    if (status == PBFT_OK) {
        const Salus__V1__Receipt *receipt = (Salus__V1__Receipt *)message;
        const Salus__V1__Outcome *outcome = receipt->outcome;
        if (outcome == NULL || receipt->index >= outcome->n_transactions ||
            outcome->block == NULL || outcome->block->attestation == NULL) {
            status = PBFT_MALFORMED;
        } else {
            out->code = outcome->transactions[receipt->index]->code;
            out->seq = outcome->block->attestation->seq;
            out->status = out->code == 0 ? SALUS_OK : SALUS_REFUSED;
        }
    }
    wire_arena_deinit(&arena);
    return status;
}

static bool client_lookup(void *context, struct salus_result *result,
                          const uint8_t tx_id[SALUS_DIGEST_SIZE])
{
    struct salus_bytes receipt = {NULL, 0};

    memset(result, 0, sizeof *result);
    if (salus_receipt(context, &receipt, tx_id) != SALUS_OK) {
        return false;
    }
    enum pbft_status status =
        read_receipt(result, (struct pbft_bytes){receipt.data, receipt.size});
    salus_free(&receipt);
    return status == PBFT_OK;
}

/* The word of one replica is enough: by a wrong one the ledger refuses. */
static enum salus_status client_tables(void *context, uint32_t *version)
{
    Salus__V1__Query query = SALUS__V1__QUERY__INIT;
    Salus__V1__CodesQuery in = SALUS__V1__CODES_QUERY__INIT;
    struct salus_bytes reply = {NULL, 0};
    struct wire_buffer packed;
    struct wire_arena arena;
    struct ProtobufCMessage *message = NULL;

    in.limit = 1;
    query.kind_case = SALUS__V1__QUERY__KIND_CODES;
    query.codes = &in;
    wire_buffer_init(&packed, LEDGER_QUERY_MAX);
    wire_arena_init(&arena, WIRE_UNPACK_BYTES_MAX);
    enum salus_status status = SALUS_NO_MEMORY;
    if (wire_pack(&query.base, &packed) == PBFT_OK) {
        status = salus_query_local(context, &reply, packed.data, packed.size);
    }
    if (status == SALUS_OK) {
        const struct pbft_bytes bytes = {reply.data, reply.size};
        bool whole = wire_unpack_strict(&salus__v1__answer__descriptor, bytes,
                                        &arena, &message) == PBFT_OK;
        const Salus__V1__Answer *answer = (Salus__V1__Answer *)message;
        whole = whole && answer->kind_case == SALUS__V1__ANSWER__KIND_CODES;
        *version = whole ? answer->codes->version : *version;
        status = whole ? SALUS_OK : SALUS_UNPROVED;
    }
    salus_free(&reply);
    wire_arena_deinit(&arena);
    wire_buffer_deinit(&packed);
    return status;
}

void import_port_of_client(struct import_port *out, struct salus_client *client)
{
    memset(out, 0, sizeof *out);
    out->context = client;
    out->submit = client_submit;
    out->lookup = client_lookup;
    out->tables = client_tables;
    salus_identity(client, out->cluster, out->institution, out->key_id);
}
