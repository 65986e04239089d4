/* SPDX-License-Identifier: Apache-2.0 */
/* salus verify: receipts and proofs of certified answers, checked offline. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "client/proof.h"
#include "client/salus.h"
#include "client/tool_answer.h"
#include "client/tool_directory.h"
#include "client/tool_folder.h"
#include "client/tool_json.h"
#include "client/tool_options.h"
#include "client/tool_verify.h"
#include "client/verify_form.h"
#include "proto/certified.h"

#define TEXT_BYTES_MAX ARMOR_TEXT_BYTES_MAX

/* What is checked, and against which consortium. */
struct checking {
    const struct salus_genesis *genesis;
    struct pbft_digest cluster;
    const char *names; /* File: proof of names; NULL. */
    bool as_json;
    struct wire_buffer bytes; /* Without armor. */
    struct salus_reason reason;
    /* Of a proof. */
    struct proof_facts facts;
    struct tool_answer_view view;
    struct tool_directory directory;
    json_t *named;  /* Institutions, on the pages so far. */
    uint32_t pages; /* Seen so far. */
    json_t *question;
    json_t *answers;
};

/* ---- what does not hold -------------------------------------------------- */

typedef const char *check_name(int check);

static const char *receipt_name(int check)
{
    return receipt_check_name((enum receipt_check)check);
}

static const char *proof_name(int check)
{
    return proof_check_name((enum proof_check)check);
}

static const char *file_name(int check)
{
    (void)check;
    return "format of the file";
}

static int report_failure(const struct checking *checking, int failed,
                          int count, check_name *name)
{
    if (checking->as_json) {
        tool_json_print(json_pack("{s:b, s:s, s:s}", "valid", 0, "failed_check",
                                  name(failed), "reason",
                                  checking->reason.text));
        return TOOL_FAILED;
    }
    (void)printf("NOT VALID\n");
    for (int check = 1; check <= count; check++) {
        const char *verdict = check < failed    ? "passed"
                              : check == failed ? "FAILED"
                                                : "not reached";
        (void)printf("  %-38s %s\n", name(check), verdict);
    }
    return tool_failed(&tool_verify, "%s: %s", name(failed),
                       checking->reason.text);
}

/* What cannot be read at all is no question of validity. */
static int unreadable(const struct salus_reason *reason)
{
    (void)tool_failed(&tool_verify, "%s", reason->text);
    return TOOL_USAGE;
}

static int verify_receipt(struct checking *checking)
{
    struct receipt_facts facts;
    enum receipt_check failed = RECEIPT_FORMAT;
    if (receipt_verify(&facts, &failed, &checking->reason,
                       wire_buffer_bytes(&checking->bytes), checking->genesis,
                       &checking->cluster) != PBFT_OK) {
        return report_failure(checking, (int)failed, RECEIPT_CHECK_COUNT,
                              receipt_name);
    }
    if (checking->as_json) {
        tool_json_print(verify_receipt_json(&facts, checking->genesis));
    } else {
        verify_print_receipt(&facts, checking->genesis);
    }
    return TOOL_OK;
}

/* ---- proofs of certified answers ----------------------------------------- */

/* Called for a proof that holds: the facts are known. */
static void show_page(void *context, const Salus__V1__Query *query,
                      const Salus__V1__Answer *answer)
{
    struct checking *checking = context;
    bool is_first = checking->pages++ == 0;
    tool_answer_named(checking->named, answer);
    if (checking->as_json) {
        if (is_first) {
            checking->question = tool_json_of(&query->base);
        }
        (void)json_array_append_new(checking->answers,
                                    tool_json_of(&answer->base));
        return;
    }
    if (is_first) {
        verify_print_proof(&checking->facts, checking->genesis);
        verify_print_question(query);
    }
    tool_answer_print(&checking->view, answer,
                      checking->pages == checking->facts.page_count);
}

/* Called for a proof of names that holds. */
static void learn_page(void *context, const Salus__V1__Query *query,
                       const Salus__V1__Answer *answer)
{
    struct checking *checking = context;
    (void)query;
    if (answer->kind_case == SALUS__V1__ANSWER__KIND_INSTITUTIONS) {
        tool_directory_learn(&checking->directory, answer->institutions,
                             TOOL_TOLD_CERTIFIED);
    }
}

static bool is_proof(enum armor_kind kind, struct salus_reason *reason)
{
    if (kind != ARMOR_QUERY_PROOF) {
        salus_reason_set(reason, "--names: it is a receipt, and no proof");
    }
    return kind == ARMOR_QUERY_PROOF;
}

/* -1: go on. A proof of names that does not hold is no proof of the rest. */
static int verify_names(struct checking *checking)
{
    enum armor_kind kind = (enum armor_kind)0;
    enum proof_check failed = PROOF_FORMAT;
    struct proof_facts facts;
    struct wire_buffer text;
    struct wire_buffer bytes;
    int code = -1;
    if (checking->names == NULL) {
        return code;
    }
    wire_buffer_init(&bytes, PROOF_BYTES_MAX);
    if (tool_text_load(&text, checking->names, TEXT_BYTES_MAX,
                       &checking->reason) != PBFT_OK) {
        code = unreadable(&checking->reason);
    } else if (verify_form_read(&bytes, &kind, wire_buffer_bytes(&text),
                                &checking->reason) != PBFT_OK ||
               !is_proof(kind, &checking->reason) ||
               proof_verify(&facts, &failed, &checking->reason,
                            wire_buffer_bytes(&bytes), checking->genesis,
                            &checking->cluster, learn_page,
                            checking) != PBFT_OK) {
        code = report_failure(checking, (int)failed, PROOF_CHECK_COUNT,
                              proof_name);
    }
    wire_buffer_deinit(&bytes);
    wire_buffer_deinit(&text);
    return code;
}

/* Whom neither the genesis nor a proof names is shown by id. */
static void tell_unnamed(const struct checking *checking)
{
    size_t count =
        tool_directory_missing(&checking->directory, checking->named, NULL, 0);
    if (count > 0) {
        (void)printf("%zu institutions are not in the genesis: by id; --names "
                     "FILE takes a proof of their names\n",
                     count);
    }
}

static int check_proof(struct checking *checking)
{
    enum proof_check failed = PROOF_FORMAT;
    int code = verify_names(checking);
    if (code != -1) {
        return code;
    }
    checking->answers = json_array();
    enum pbft_status status =
        proof_verify(&checking->facts, &failed, &checking->reason,
                     wire_buffer_bytes(&checking->bytes), checking->genesis,
                     &checking->cluster, show_page, checking);
    if (status != PBFT_OK) {
        json_decref(checking->answers);
        return report_failure(checking, (int)failed, PROOF_CHECK_COUNT,
                              proof_name);
    }
    if (checking->as_json) {
        json_t *json = verify_proof_json(&checking->facts, checking->genesis);
        (void)json_object_set_new(json, "question", checking->question);
        (void)json_object_set(json, "answers", checking->answers);
        (void)json_object_set_new(
            json, "names",
            tool_directory_rows(&checking->directory, checking->named));
        tool_json_print(json);
    } else {
        tell_unnamed(checking);
    }
    json_decref(checking->answers);
    return TOOL_OK;
}

static int verify_proof(struct checking *checking)
{
    tool_directory_begin(&checking->directory, checking->genesis);
    checking->view.directory = &checking->directory;
    checking->named = json_object();
    int code = check_proof(checking);
    tool_answer_view_end(&checking->view);
    json_decref(checking->named);
    tool_directory_end(&checking->directory);
    return code;
}

/* ---- salus verify -------------------------------------------------------- */

static int verify_text(struct checking *checking, struct pbft_bytes text)
{
    enum armor_kind kind = (enum armor_kind)0;
    wire_buffer_init(&checking->bytes, PROOF_BYTES_MAX);
    enum pbft_status status =
        verify_form_read(&checking->bytes, &kind, text, &checking->reason);
    bool of_answer = kind == ARMOR_QUERY_PROOF;
    int code = -1;
    if (kind == 0) {
        code = report_failure(checking, 1, 1, file_name);
    } else if (status != PBFT_OK) {
        code = of_answer ? report_failure(checking, PROOF_FORMAT,
                                          PROOF_CHECK_COUNT, proof_name)
                         : report_failure(checking, RECEIPT_FORMAT,
                                          RECEIPT_CHECK_COUNT, receipt_name);
    } else {
        code = of_answer ? verify_proof(checking) : verify_receipt(checking);
    }
    wire_buffer_deinit(&checking->bytes);
    return code;
}

static int verify_file(struct checking *checking, const char *path,
                       const char *genesis_path)
{
    struct salus_genesis *genesis = NULL;
    struct wire_buffer text;
    int code = TOOL_USAGE;
    if (genesis_file_load(&genesis, &checking->cluster, genesis_path,
                          &checking->reason) != PBFT_OK) {
        return unreadable(&checking->reason);
    }
    checking->genesis = genesis;
    if (tool_text_load(&text, path, TEXT_BYTES_MAX, &checking->reason) !=
        PBFT_OK) {
        code = unreadable(&checking->reason);
    } else {
        code = verify_text(checking, wire_buffer_bytes(&text));
    }
    wire_buffer_deinit(&text);
    genesis_destroy(genesis);
    return code;
}

static int run(int argc, char **argv)
{
    const char *genesis_path = NULL;
    struct checking checking = {.as_json = false};
    struct tool_list operands = {.count = 0};
    const struct tool_option options[] = {
        {.name = "--genesis", .value = &genesis_path},
        {.name = "--names", .value = &checking.names},
        {.name = "--json", .flag = &checking.as_json},
        {.name = NULL}};
    int code = tool_options_parse(&tool_verify, options, &operands, argc, argv);
    if (code != -1) {
        return code;
    }
    if (operands.count != 1 || genesis_path == NULL) {
        return tool_bad_usage(&tool_verify,
                              "a receipt or proof and --genesis FILE are "
                              "needed");
    }
    return verify_file(&checking, operands.items[0], genesis_path);
}

const struct tool_command tool_verify = {
    .name = "verify",
    .usage = "FILE --genesis FILE [--names FILE] [--json]",
    .summary = "check a receipt or the proof of an answer, offline",
    .help =
        "Needs no network and no key. On failure it says which check failed,\n"
        "and why. FILE, or - for standard input, holds one of them as salus\n"
        "receipt and -o write it, as base64 alone (valueBase64Binary of the\n"
        "extensions urn:salus:receipt and urn:salus:proof in FHIR exports), "
        "or\n"
        "its bytes; what it is is told by its content.\n"
        "\n"
        "Of a receipt (salus receipt) it checks, in this order: its format;\n"
        "that it is of the consortium of the genesis file; the signature of\n"
        "the request; that the transaction stands in it; the path from its\n"
        "result to the root of the block; and that f + 1 distinct members\n"
        "attest that block. A valid receipt proves that the transaction was\n"
        "ordered. Whether it was also done, or refused by the ledger, it "
        "tells\n"
        "apart. That a consent was granted does not prove that it was not\n"
        "revoked later. Of a transaction that was refused since its key is "
        "not\n"
        "of the institution that it names, it does not prove who sent it; and\n"
        "with --json `done` is null where the receipt does not tell it.\n"
        "\n"
        "Of the proof of an answer (salus query --certified -o): its format;\n"
        "the consortium; that the pages belong to one question and none is\n"
        "missing; and that f + 1 distinct members signed each. It then shows\n"
        "question and answer. They are true after the block that is named, "
        "for\n"
        "the institution that asked; what came later is not in them.\n"
        "\n"
        "  --genesis FILE   the pinned genesis; compare its fingerprint once\n"
        "  --names FILE     with the proof of an answer: that of the names of\n"
        "                   institutions that were admitted later "
        "(FILE.names,\n"
        "                   or of salus query institutions); checked likewise\n"
        "  --json           one line of JSON\n"
        "\n"
        "Exit code 0: valid, also of a transaction that was refused; 1: not\n"
        "valid; 2: a file cannot be read.\n",
    .run = run,
};
