/* SPDX-License-Identifier: Apache-2.0 */
/* What a receipt proves, in words and as JSON: nothing that no signature
 * covers. */
#include "client/tool_verify.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>

#include "client/salus.h"
#include "client/tool_options.h"
#include "consensus/quorum.h"
#include "crypto/hex.h"
#include "ledger/errors.h"

#define HEX_ID_SIZE (2 * PBFT_DIGEST_SIZE + 1)

struct verify_name verify_name_of(const struct salus_genesis *genesis,
                                  const struct pbft_institution *institution)
{
    struct verify_name name;
    const struct salus_member *member = genesis_find(genesis, institution);
    hex_encode(name.id, (struct pbft_bytes){institution->bytes,
                                            sizeof institution->bytes});
    (void)snprintf(name.text, sizeof name.text, "%s",
                   member != NULL ? member->name : name.id);
    return name;
}

const char *verify_signer_name(const struct salus_genesis *genesis,
                               pbft_replica_id replica)
{
    const struct salus_member *member = genesis_replica(genesis, replica);
    return member != NULL ? member->name : "?";
}

/* The request had been executed before: that nothing was done here says nothing
 * of what was done then. */
static bool is_repeated(const struct receipt_facts *facts)
{
    return facts->code == LEDGER_DUPLICATE;
}

/* TX_DUPLICATE is said of what was carried out, and of nothing else. */
static bool is_done(const struct receipt_facts *facts)
{
    return facts->code == 0 || facts->code == LEDGER_TX_DUPLICATE;
}

void verify_print_receipt(const struct receipt_facts *facts,
                          const struct salus_genesis *genesis)
{
    char id[HEX_ID_SIZE];
    char time[TOOL_TIME_TEXT_SIZE];
    struct verify_name name = verify_name_of(genesis, &facts->institution);

    hex_encode(id, (struct pbft_bytes){facts->tx_id.bytes, PBFT_DIGEST_SIZE});
    tool_time_text(time, facts->block.block_time);
    (void)printf("valid\n"
                 "transaction   %s\n"
                 "kind          %s, %s %s\n"
                 "ordered       block %" PRIu64 ", %s (within %u ms)\n",
                 id, transaction_type_name(facts->summary.type),
                 facts->institution_is_proved
                     ? "by"
                     : "not shown to be by, though in the name of,",
                 name.text, facts->block.seq, time,
                 (unsigned)genesis->parameters.time_bound_ms);
    if (is_done(facts)) {
        (void)printf("executed      done%s\n",
                     facts->code != 0 ? ", in this block or before it" : "");
    } else if (is_repeated(facts)) {
        (void)printf("executed      before: %s: what came of it then, this "
                     "receipt does not show\n",
                     salus_code_name(facts->code));
    } else {
        (void)printf("executed      NOT DONE: refused by the ledger: %s: %s\n",
                     salus_code_name(facts->code),
                     salus_code_text(facts->code));
    }
    (void)printf("attested by  ");
    for (uint32_t i = 0; i < facts->signer_count; i++) {
        (void)printf(" %s", verify_signer_name(genesis, facts->signers[i]));
    }
    (void)printf("  (%u needed of %u)\n",
                 (unsigned)pbft_weak_quorum(genesis_replica_count(genesis)),
                 (unsigned)genesis_replica_count(genesis));
}

json_t *verify_receipt_json(const struct receipt_facts *facts,
                            const struct salus_genesis *genesis)
{
    char id[HEX_ID_SIZE];
    char root[HEX_ID_SIZE];
    json_t *signers = json_array();

    hex_encode(id, (struct pbft_bytes){facts->tx_id.bytes, PBFT_DIGEST_SIZE});
    hex_encode(root, (struct pbft_bytes){facts->block.ledger_root.bytes,
                                         PBFT_DIGEST_SIZE});
    for (uint32_t i = 0; i < facts->signer_count; i++) {
        (void)json_array_append_new(signers, json_string(verify_signer_name(
                                                 genesis, facts->signers[i])));
    }
    struct verify_name name = verify_name_of(genesis, &facts->institution);
    return json_pack(
        "{s:b, s:s, s:s, s:s, s:s, s:b, s:I, s:I, s:o, s:I, s:s, s:s, s:o}",
        "valid", 1, "tx_id", id, "type",
        transaction_type_name(facts->summary.type), "institution", name.text,
        "institution_id", name.id, "institution_proved",
        facts->institution_is_proved, "seq", (json_int_t)facts->block.seq,
        "block_time_us", (json_int_t)facts->block.block_time, "done",
        is_repeated(facts) ? json_null() : json_boolean(is_done(facts)), "code",
        (json_int_t)facts->code, "code_name", salus_code_name(facts->code),
        "ledger_root", root, "attested_by", signers);
}
