/* SPDX-License-Identifier: Apache-2.0 */
/* What the proof of an answer shows, for people and programs. */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/salus.h"
#include "client/tool_json.h"
#include "client/tool_options.h"
#include "client/tool_verify.h"
#include "consensus/quorum.h"
#include "crypto/hex.h"

#define HEX_ID_SIZE (2 * PBFT_DIGEST_SIZE + 1)

void verify_print_proof(const struct proof_facts *facts,
                        const struct salus_genesis *genesis)
{
    char time[TOOL_TIME_TEXT_SIZE];
    uint32_t n = genesis_replica_count(genesis);
    struct verify_name name = verify_name_of(genesis, &facts->caller);
    tool_time_text(time, facts->block_time);
    (void)printf("valid\n"
                 "asked by      %s\n"
                 "true after    block %" PRIu64 ", %s (within %u ms)\n"
                 "pages         %u, all there are\n"
                 "signed by    ",
                 name.text, facts->height, time,
                 (unsigned)genesis->parameters.time_bound_ms,
                 (unsigned)facts->page_count);
    for (uint32_t i = 0; i < facts->signer_count; i++) {
        (void)printf(" %s", verify_signer_name(genesis, facts->signers[i]));
    }
    (void)printf("  (%s%u needed of %u)\n",
                 facts->signer_count > facts->signatures ? "each page by " : "",
                 (unsigned)pbft_weak_quorum(n), (unsigned)n);
}

json_t *verify_proof_json(const struct proof_facts *facts,
                          const struct salus_genesis *genesis)
{
    char root[HEX_ID_SIZE];
    json_t *signers = json_array();
    hex_encode(root,
               (struct pbft_bytes){facts->ledger_root.bytes, PBFT_DIGEST_SIZE});
    for (uint32_t i = 0; i < facts->signer_count; i++) {
        (void)json_array_append_new(signers, json_string(verify_signer_name(
                                                 genesis, facts->signers[i])));
    }
    struct verify_name name = verify_name_of(genesis, &facts->caller);
    return json_pack(
        "{s:b, s:s, s:s, s:I, s:I, s:s, s:I, s:I, s:s, s:o}", "valid", 1,
        "institution", name.text, "institution_id", name.id, "height",
        (json_int_t)facts->height, "block_time_us",
        (json_int_t)facts->block_time, "ledger_root", root, "pages",
        (json_int_t)facts->page_count, "code", (json_int_t)facts->code,
        "code_name", salus_code_name(facts->code), "signed_by", signers);
}

void verify_print_question(const Salus__V1__Query *query)
{
    json_t *json = tool_json_of(&query->base);
    const char *name = NULL;
    const char *field = NULL;
    json_t *inner = NULL;
    json_t *value = NULL;
    json_object_foreach(json, name, inner)
    {
        (void)printf("question      %s\n", name);
        json_object_foreach(inner, field, value)
        {
            char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
            if (text != NULL && strcmp(text, "0") != 0 &&
                strcmp(text, "\"\"") != 0) {
                (void)printf("  %-11s %s\n", field, text);
            }
            free(text);
        }
    }
    json_decref(json);
    (void)fputc('\n', stdout);
}
