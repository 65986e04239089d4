/* SPDX-License-Identifier: Apache-2.0 */
/* salus evidence: what replicas hold against each other, and offline judgment
 * of it (design: P15). */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "client/salus.h"
#include "client/tool_config.h"
#include "client/tool_folder.h"
#include "client/tool_json.h"
#include "client/tool_options.h"
#include "consensus/evidence.h"
#include "crypto/hex.h"
#include "crypto/provider.h"
#include "proto/genesis.h"
#include "proto/scan.h"
#include "salus/v1/client.pb-c.h"

/* The first bytes of the digest of the file's bytes name a piece of evidence.
 */
#define ID_SIZE 8
#define ID_TEXT_SIZE (2 * ID_SIZE + 1)

struct piece {
    const char *holder;
    struct pbft_bytes bytes;
    struct pbft_evidence evidence;
    struct pbft_claim claim;
    char id[ID_TEXT_SIZE];
};

/* Against which consortium it is judged. */
struct court {
    struct pbft_domain domain;
    struct pbft_keyring keyring;
};

static void open_court(struct court *court, const struct salus_genesis *genesis,
                       const struct pbft_digest *cluster)
{
    court->domain = (struct pbft_domain){
        .crypto = crypto_provider_verify_only(), .cluster = *cluster};
    genesis_keyring(genesis, &court->keyring);
}

/* What to do with each piece; false ends the walk. */
typedef bool on_piece(void *context, const struct piece *piece);

static void name_piece(struct piece *piece)
{
    const struct pbft_crypto *crypto = crypto_provider_verify_only();
    struct pbft_digest digest;
    crypto->digest(crypto->context, &digest, &piece->bytes, 1);
    hex_encode(piece->id, (struct pbft_bytes){digest.bytes, ID_SIZE});
}

static const char *accused_name(const struct salus_client *client,
                                pbft_replica_id id)
{
    const char *name = salus_replica_name(client, id);
    return name != NULL ? name : "?";
}

/* False: the walk is over. What proves nothing is not passed on: whoever holds
 * it may have made it up. */
static bool walk_list(const struct court *court,
                      const Salus__V1__EvidenceList *list, const char *holder,
                      on_piece *handle, void *context)
{
    for (size_t i = 0; i < list->n_evidence; i++) {
        struct piece piece = {
            .holder = holder,
            .bytes = {list->evidence[i].data, list->evidence[i].len}};
        if (pbft_evidence_decode(piece.bytes, &piece.evidence) != PBFT_OK) {
            (void)fprintf(stderr, "salus evidence: %s sent something else\n",
                          holder);
            continue;
        }
        if (pbft_evidence_verify(&court->domain, &court->keyring,
                                 &piece.evidence) != PBFT_OK) {
            (void)fprintf(
                stderr, "salus evidence: %s accuses without a proof\n", holder);
            continue;
        }
        piece.claim = pbft_evidence_claim(&piece.evidence);
        name_piece(&piece);
        if (!handle(context, &piece)) {
            return false;
        }
    }
    return true;
}

/* Asks every replica; how many did not answer. */
static uint32_t walk(struct salus_client *client, const struct court *court,
                     on_piece *handle, void *context)
{
    uint32_t silent = 0;
    bool more = true;
    for (uint32_t i = 0; more && i < salus_replica_count(client); i++) {
        const char *holder = salus_replica_name(client, i);
        struct salus_bytes bytes = {NULL, 0};
        struct ProtobufCMessage *message = NULL;
        struct wire_arena arena;
        wire_arena_init(&arena, WIRE_UNPACK_BYTES_MAX);
        if (salus_replica_evidence(client, &bytes, i) == SALUS_OK &&
            wire_unpack_strict(&salus__v1__evidence_list__descriptor,
                               (struct pbft_bytes){bytes.data, bytes.size},
                               &arena, &message) == PBFT_OK) {
            more = walk_list(court, (const Salus__V1__EvidenceList *)message,
                             holder, handle, context);
        } else {
            (void)fprintf(stderr, "salus evidence: no answer from %s\n",
                          holder);
            silent++;
        }
        salus_free(&bytes);
        wire_arena_deinit(&arena);
    }
    return silent;
}

/* ---- list ---------------------------------------------------------------- */

struct listing {
    const struct salus_client *client;
    json_t *json; /* NULL: text. */
    uint32_t count;
};

static bool list_one(void *context, const struct piece *piece)
{
    struct listing *listing = context;
    const struct pbft_claim *claim = &piece->claim;
    const char *accused = accused_name(listing->client, claim->signer);
    const char *kind = pbft_message_type_name(claim->type);
    listing->count++;
    if (listing->json != NULL) {
        (void)json_array_append_new(
            listing->json,
            json_pack("{s:s, s:s, s:s, s:s, s:I, s:I}", "id", piece->id,
                      "held_by", piece->holder, "against", accused, "kind",
                      kind, "view", (json_int_t)claim->view, "seq",
                      (json_int_t)claim->seq));
        return true;
    }
    (void)printf("%s  against %s: two contradicting statements (%s), view "
                 "%" PRIu64 " seq %" PRIu64 "; held by %s\n",
                 piece->id, accused, kind, claim->view, claim->seq,
                 piece->holder);
    return true;
}

static int list(struct salus_client *client, const struct court *court,
                bool as_json)
{
    struct listing listing = {.client = client,
                              .json = as_json ? json_array() : NULL};
    const uint32_t silent = walk(client, court, list_one, &listing);
    if (as_json) {
        tool_json_print(json_pack("{s:o, s:I}", "evidence", listing.json,
                                  "silent_replicas", (json_int_t)silent));
    } else if (listing.count == 0 && silent < salus_replica_count(client)) {
        (void)printf("no replica that answered holds evidence\n");
    }
    return silent == 0 ? TOOL_OK : TOOL_FAILED;
}

/* ---- export -------------------------------------------------------------- */

struct export
{
    const char *id;
    const char *path;
    bool is_found;
    enum pbft_status status;
    struct salus_reason reason;
};

static bool export_one(void *context, const struct piece *piece)
{
    struct export *export = context;
    if (strcmp(piece->id, export->id) != 0) {
        return true;
    }
    export->is_found = true;
    export->status = tool_armor_create(export->path, ARMOR_EVIDENCE,
                                       piece->bytes, &export->reason);
    return false;
}

static int export_to(struct salus_client *client, const struct court *court,
                     const char *id, const char *path)
{
    struct export export = {.id = id, .path = path};
    (void)walk(client, court, export_one, &export);
    if (!export.is_found) {
        return tool_failed(&tool_evidence, "no replica that answered holds %s",
                           id);
    }
    if (export.status != PBFT_OK) {
        return tool_failed(&tool_evidence, "%s", export.reason.text);
    }
    (void)printf("made %s\ncheck it anywhere:  salus evidence verify %s "
                 "--genesis FILE\n",
                 path, path);
    return TOOL_OK;
}

/* ---- verify -------------------------------------------------------------- */

static const char *explain(enum pbft_status status)
{
    switch (status) {
    case PBFT_MALFORMED:
        return "these are no two statements that contradict each other";
    case PBFT_WRONG_IDENTITY:
        return "it is of another consortium";
    case PBFT_NOT_MEMBER:
        return "the accused is no member of this genesis";
    case PBFT_BAD_SIGNATURE:
        return "the accused did not sign both statements";
    default:
        return pbft_status_text(status);
    }
}

static enum pbft_status judge(const char *path,
                              const struct salus_genesis *genesis,
                              const struct pbft_digest *cluster,
                              struct pbft_evidence *out,
                              struct salus_reason *reason)
{
    struct wire_buffer bytes;
    struct court court;
    open_court(&court, genesis, cluster);
    enum pbft_status status = tool_armor_load(&bytes, path, ARMOR_EVIDENCE,
                                              PBFT_EVIDENCE_BYTES_MAX, reason);
    if (status == PBFT_OK) {
        status = pbft_evidence_decode(wire_buffer_bytes(&bytes), out);
        if (status == PBFT_OK) {
            status = pbft_evidence_verify(&court.domain, &court.keyring, out);
        }
        salus_reason_set(reason, "%s", explain(status));
    }
    wire_buffer_deinit(&bytes);
    return status;
}

static void print_verdict(const struct pbft_claim *claim, const char *accused,
                          bool as_json)
{
    const char *kind = pbft_message_type_name(claim->type);
    if (as_json) {
        tool_json_print(json_pack(
            "{s:b, s:s, s:s, s:I, s:I, s:I}", "valid", 1, "against", accused,
            "kind", kind, "view", (json_int_t)claim->view, "seq",
            (json_int_t)claim->seq, "epoch", (json_int_t)claim->epoch));
        return;
    }
    (void)printf("valid\n"
                 "against    %s (replica %u)\n"
                 "statements %s, view %" PRIu64 ", seq %" PRIu64
                 ", epoch %" PRIu64 ", incarnation %" PRIu64 "\n"
                 "It signed two that contradict each other; no replica that "
                 "follows the\nprotocol does.\n",
                 accused, (unsigned)claim->signer, kind, claim->view,
                 claim->seq, claim->epoch, claim->incarnation);
}

static int verify(const char *path, const char *genesis_path, bool as_json)
{
    struct salus_genesis *genesis = NULL;
    struct pbft_digest cluster;
    struct salus_reason reason = {""};
    struct pbft_evidence evidence = {0};
    enum pbft_status status =
        genesis_file_load(&genesis, &cluster, genesis_path, &reason);
    if (status != PBFT_OK) {
        return tool_failed(&tool_evidence, "%s", reason.text);
    }
    status = judge(path, genesis, &cluster, &evidence, &reason);
    if (status == PBFT_OK) {
        const struct pbft_claim claim = pbft_evidence_claim(&evidence);
        print_verdict(&claim, genesis_replica(genesis, claim.signer)->name,
                      as_json);
    } else if (as_json) {
        tool_json_print(
            json_pack("{s:b, s:s}", "valid", 0, "reason", reason.text));
    } else {
        (void)printf("NOT VALID\n");
    }
    genesis_destroy(genesis);
    return status == PBFT_OK ? TOOL_OK
                             : tool_failed(&tool_evidence, "%s", reason.text);
}

/* ---- the command --------------------------------------------------------- */

struct evidence_options {
    const char *config;
    const char *genesis;
    const char *path;
    bool as_json;
    struct tool_list operands;
};

static bool load_court(struct court *court, const char *path)
{
    struct tool_config config;
    struct salus_genesis *genesis = NULL;
    struct pbft_digest cluster;
    struct salus_reason reason = {""};
    enum pbft_status status = tool_config_load(&config, path, &reason);
    if (status == PBFT_OK) {
        status = genesis_file_load(&genesis, &cluster, config.genesis, &reason);
    }
    if (status != PBFT_OK) {
        (void)tool_failed(&tool_evidence, "%s", reason.text);
        return false;
    }
    open_court(court, genesis, &cluster);
    genesis_destroy(genesis);
    return true;
}

static int with_client(const struct evidence_options *options)
{
    const bool is_list = strcmp(options->operands.items[0], "list") == 0;
    struct court court;
    if (!load_court(&court, options->config)) {
        return TOOL_FAILED;
    }
    struct salus_client *client = tool_open(options->config, NULL, 0);
    if (client == NULL) {
        return TOOL_FAILED;
    }
    int code = is_list ? list(client, &court, options->as_json)
                       : export_to(client, &court, options->operands.items[1],
                                   options->path);
    salus_close(client);
    return code;
}

static int run(int argc, char **argv)
{
    struct evidence_options given = {.operands = {.count = 0}};
    const struct tool_option options[] = {
        {.name = "--config", .value = &given.config},
        {.name = "--genesis", .value = &given.genesis},
        {.name = "-o", .value = &given.path},
        {.name = "--json", .flag = &given.as_json},
        {.name = NULL}};
    int code = tool_options_parse(&tool_evidence, options, &given.operands,
                                  argc, argv);
    if (code != -1) {
        return code;
    }
    const size_t count = given.operands.count;
    const char *what = count > 0 ? given.operands.items[0] : "";
    if (strcmp(what, "list") == 0 && count == 1) {
        return with_client(&given);
    }
    if (strcmp(what, "export") == 0 && count == 2 && given.path != NULL) {
        return with_client(&given);
    }
    if (strcmp(what, "verify") == 0 && count == 2 && given.genesis != NULL) {
        return verify(given.operands.items[1], given.genesis, given.as_json);
    }
    return tool_bad_usage(&tool_evidence, "list, export ID -o FILE, or verify "
                                          "FILE --genesis FILE");
}

const struct tool_command tool_evidence = {
    .name = "evidence",
    .usage = "list | export ID -o FILE | verify FILE --genesis FILE",
    .summary = "what proves that a replica contradicted itself",
    .help =
        "list asks all replicas for the evidence that they hold, one line\n"
        "each, and checks it; whoever accuses without a proof is named. "
        "export\n"
        "writes one piece to a file. verify checks such a file offline: that\n"
        "the member signed both statements, and that no replica that follows\n"
        "the protocol signs both.\n"
        "\n"
        "  -o FILE            must not exist\n"
        "  --config FILE      client configuration; else $SALUS_CONFIG\n"
        "  --genesis FILE     the pinned genesis\n"
        "  --json             one line of JSON (list, verify)\n"
        "\n"
        "Exit code of list: 1 if a replica did not answer; of verify: 1 if it\n"
        "is not valid.\n",
    .run = run,
};
