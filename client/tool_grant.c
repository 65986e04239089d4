/* SPDX-License-Identifier: Apache-2.0 */
/* salus grant: KEY_GRANT on the ledger, and the wrapped key on its way. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client/inbox_calls.h"
#include "client/tool_clock.h"
#include "client/tool_inbox.h"
#include "client/tool_json.h"
#include "client/tool_transaction.h"
#include "crypto/hex.h"
#include "crypto/secret.h"
#include "ledger/transaction.h"
#include "proto/codec_limits.h"

#define RECIPIENTS_MAX 32
#define WAIT_S_DEFAULT 5
#define WAIT_S_MAX 3600
#define POLL_MS 250
#define MS_PER_S 1000u
#define HEX_SIZE (2 * PBFT_DIGEST_SIZE + 1)

struct call {
    struct sealing sealing;
    struct tool_list operands;
    struct tool_list recipients;
    const char *decision;
    const char *emergency;
    const char *config;
    const char *key;
    const char *replica;
    const char *wait;
    uint64_t wait_s;
    bool again;
    bool json;
    struct parcel parcels[RECIPIENTS_MAX];
    size_t count;
};

/* ---- wraps --------------------------------------------------------------- */

static size_t index_of(const struct envelope *envelope,
                       const struct transaction_key_id *id)
{
    size_t i = 0;
    while (i < envelope->count && memcmp(envelope->wraps[i].key_id, id->bytes,
                                         sizeof id->bytes) != 0) {
        i++;
    }
    return i;
}

/* The wrap that the envelope has, or a new one: in memory only, for a repeated
 * call makes another and grants that one. */
static bool make_parcel(struct call *call, const struct envelope *sealed,
                        const uint8_t data_key[SEAL_KEY_SIZE],
                        const char *recipient)
{
    uint8_t key[HPKE_KEY_SIZE];
    struct transaction_key_id id;
    struct envelope one = *sealed;

    if (!sealing_recipient(&call->sealing, recipient, key)) {
        return false;
    }
    transaction_key_id(&id, key);
    if (call->again || index_of(sealed, &id) == sealed->count) {
        one.count = 0;
    }
    size_t at = index_of(&one, &id);
    if (at == one.count) {
        at = 0;
        if (envelope_add(&one, key, data_key) != PBFT_OK) {
            (void)tool_failed(&tool_grant, "--for %s: no good key", recipient);
            return false;
        }
    }
    if (parcel_make(&call->parcels[call->count], &one, at, data_key) !=
        PBFT_OK) {
        (void)tool_failed(&tool_grant, "--for %s: cannot be wrapped",
                          recipient);
        return false;
    }
    call->count++;
    return true;
}

static bool make_parcels(struct call *call)
{
    uint8_t data_key[SEAL_KEY_SIZE];
    struct salus_reason reason = {.text = ""};
    struct envelope sealed;
    const char *path = call->operands.items[0];

    if (envelope_load(&sealed, path, &reason) != PBFT_OK) {
        (void)tool_failed(&tool_grant, "%s", reason.text);
        return false;
    }
    if (!sealing_unwrap(&call->sealing, &sealed, path, data_key)) {
        return false;
    }
    bool done = true;
    for (size_t i = 0; i < call->recipients.count && done; i++) {
        done = make_parcel(call, &sealed, data_key, call->recipients.items[i]);
    }
    secret_wipe(data_key, sizeof data_key);
    return done;
}

/* ---- the grants ---------------------------------------------------------- */

static json_t *hex_json(const uint8_t *bytes, size_t size)
{
    char hex[HEX_SIZE];

    hex_encode(hex, (struct pbft_bytes){bytes, size});
    return json_string(hex);
}

static json_t *grant_json(const struct call *call, const struct parcel *parcel)
{
    struct pbft_digest commit;

    parcel_commit(&commit, parcel);
    return json_pack(
        "{s:{s:o, s:i, s:o, s:o, s:s}}", "key_grant", "record",
        hex_json(parcel->record, sizeof parcel->record), "version",
        (int)parcel->version, "recipient_key",
        hex_json(parcel->recipient_key, sizeof parcel->recipient_key),
        "wrap_commit", hex_json(commit.bytes, sizeof commit.bytes),
        call->decision != NULL ? "decision" : "break_glass",
        call->decision != NULL ? call->decision : call->emergency);
}

static bool encode_grant(const struct call *call, struct salus_client *client,
                         struct transaction_bytes *out,
                         const struct parcel *parcel)
{
    struct tool_identity identity;
    struct salus_reason reason = {.text = ""};
    json_t *json = grant_json(call, parcel);

    salus_identity(client, identity.cluster.bytes, identity.institution.bytes,
                   identity.key_id.bytes);
    enum pbft_status status =
        json == NULL ? PBFT_NO_MEMORY
                     : tool_transaction_encode(out, &identity, json, &reason);
    json_decref(json);
    if (status != PBFT_OK) {
        (void)tool_failed(&tool_grant, "%s",
                          reason.text[0] != '\0' ? reason.text
                                                 : pbft_status_text(status));
    }
    return status == PBFT_OK;
}

static bool say_refused(const struct call *call,
                        const struct salus_result *results)
{
    bool done = true;

    for (size_t i = 0; i < call->count; i++) {
        if (results[i].status != SALUS_OK) {
            (void)tool_failed(
                &tool_grant, "--for %s: KEY_GRANT: %s%s%s",
                call->recipients.items[i], salus_status_text(results[i].status),
                results[i].code != 0 ? ": " : "",
                results[i].code != 0 ? salus_code_text(results[i].code) : "");
            done = false;
        }
    }
    return done;
}

/* All of them, or none is sent. */
static bool submit_grants(const struct call *call, struct salus_client *client)
{
    struct transaction_bytes encoded[RECIPIENTS_MAX];
    struct salus_transaction transactions[RECIPIENTS_MAX];
    struct salus_result results[RECIPIENTS_MAX];
    size_t count = 0;
    bool done = true;

    while (done && count < call->count) {
        done =
            encode_grant(call, client, &encoded[count], &call->parcels[count]);
        if (done) {
            transactions[count] = (struct salus_transaction){
                encoded[count].data, encoded[count].size};
            count++;
        }
    }
    if (done && count > 0) {
        memset(results, 0, sizeof results);
        (void)salus_submit_many(client, results, transactions, count);
        done = say_refused(call, results);
    }
    for (size_t i = 0; i < count; i++) {
        free(encoded[i].data);
    }
    return done;
}

/* ---- the delivery -------------------------------------------------------- */

/* On its way, or not yet known to the own replica, which may be a block behind:
 * worth asking again. */
static bool is_under_way(const Salus__V1__DeliveryState *state)
{
    return state->code == SALUS__V1__DELIVERY_CODE__DELIVERY_NO_GRANT ||
           state->state == SALUS__V1__DELIVERY_STATE__STATE__WAITING;
}

static bool all_settled(const Salus__V1__Deliveries *answer)
{
    for (size_t i = 0; i < answer->n_states; i++) {
        if (is_under_way(answer->states[i])) {
            return false;
        }
    }
    return true;
}

static int print_states(const struct call *call,
                        const Salus__V1__Deliveries *answer)
{
    int code = TOOL_OK;

    if (call->json) {
        tool_json_print(tool_json_of(&answer->base));
    }
    for (size_t i = 0; i < answer->n_states; i++) {
        const Salus__V1__DeliveryState *state = answer->states[i];
        bool is_here =
            state->state != SALUS__V1__DELIVERY_STATE__STATE__STATE_UNSPECIFIED;
        bool is_ok = state->code == SALUS__V1__DELIVERY_CODE__DELIVERY_OK;
        if (!call->json) {
            (void)printf("%-16s  %s%s%s\n", call->recipients.items[i],
                         is_here ? inbox_state_text((int)state->state)
                                 : "refused",
                         is_ok ? "" : ": ",
                         is_ok ? "" : inbox_code_text((int)state->code));
        }
        code = is_here ? code : TOOL_FAILED;
    }
    return code;
}

static int deliver(const struct call *call, struct salus_client *client)
{
    uint64_t until = tool_now_ms() + call->wait_s * MS_PER_S;
    const struct timespec pause = {0, POLL_MS * 1000000L};
    struct wire_arena arena;
    enum salus_status status = SALUS_OK;
    int code = TOOL_FAILED;
    bool is_last = false;

    while (!is_last) {
        is_last = tool_now_ms() >= until;
        wire_arena_init(&arena, WIRE_UNPACK_BYTES_MAX);
        const Salus__V1__Deliveries *answer = inbox_call_deliver(
            client, &arena, call->parcels, call->count, &status);
        bool is_good = answer != NULL && answer->n_states == call->count;
        if (is_good && (is_last || all_settled(answer))) {
            code = print_states(call, answer);
            is_last = true;
        } else if (is_last || status == SALUS_CLOSED) {
            code = tool_failed(&tool_grant,
                               "not handed to the replica: %s; run it again",
                               tool_one_replica_text(status));
            is_last = true;
        }
        wire_arena_deinit(&arena);
        if (!is_last) {
            (void)nanosleep(&pause, NULL);
        }
    }
    return code;
}

/* ---- the command --------------------------------------------------------- */

static bool check(struct call *call, int *code)
{
    *code = TOOL_USAGE;
    call->wait_s = WAIT_S_DEFAULT;
    if (call->operands.count != 1 || call->recipients.count == 0 ||
        call->recipients.count > RECIPIENTS_MAX) {
        *code = tool_bad_usage(&tool_grant,
                               "name one envelope file, and --for 1 to %d "
                               "recipients",
                               RECIPIENTS_MAX);
        return false;
    }
    if (call->decision != NULL && call->emergency != NULL) {
        *code =
            tool_bad_usage(&tool_grant, "either --decision or --break-glass");
        return false;
    }
    if (call->again && call->decision == NULL && call->emergency == NULL) {
        *code = tool_bad_usage(&tool_grant,
                               "--again needs --decision or --break-glass");
        return false;
    }
    return tool_number(&tool_grant, "--wait", call->wait, 0, WAIT_S_MAX,
                       &call->wait_s);
}

static int run(int argc, char **argv)
{
    static struct call call;
    call = (struct call){.sealing = {.command = &tool_grant}};
    const struct tool_option options[] = {
        {.name = "--for", .list = &call.recipients},
        {.name = "--decision", .value = &call.decision},
        {.name = "--break-glass", .value = &call.emergency},
        {.name = "--again", .flag = &call.again},
        {.name = "--wait", .value = &call.wait},
        {.name = "--key", .value = &call.key},
        {.name = "--replica", .value = &call.replica},
        {.name = "--config", .value = &call.config},
        {.name = "--json", .flag = &call.json},
        {.name = NULL}};
    int code =
        tool_options_parse(&tool_grant, options, &call.operands, argc, argv);

    if (code != -1 || !check(&call, &code)) {
        return code;
    }
    code = TOOL_FAILED;
    if (sealing_load(&call.sealing, call.config, call.key) &&
        make_parcels(&call)) {
        struct salus_client *client = tool_open(call.config, call.replica, 0);
        bool is_granted = client != NULL &&
                          ((call.decision == NULL && call.emergency == NULL) ||
                           submit_grants(&call, client));
        if (is_granted) {
            code = deliver(&call, client);
        }
        salus_close(client);
    }
    sealing_unload(&call.sealing);
    secret_wipe(call.parcels, sizeof call.parcels);
    return code;
}

const struct tool_command tool_grant = {
    .name = "grant",
    .usage = "ENVELOPE --for RECIPIENT... [--decision ID | --break-glass ID]",
    .summary = "grant the key of a record, and deliver it",
    .help =
        "ENVELOPE is the file that `salus seal` has made beside a sealed\n"
        "content. Its data key is wrapped for each recipient who is not yet "
        "in\n"
        "it; KEY_GRANT commits to the wrap on the ledger; and the wrap goes "
        "to\n"
        "the own replica, which brings it to the recipient's, for as long as\n"
        "that takes. No wrap is ever on the ledger. The recipient fetches it\n"
        "with `salus inbox` or `salus open FILE --record RECORD`.\n"
        "\n"
        "One line per recipient: waiting, delivered (its replica has signed\n"
        "for it; erased at the own one), held (the recipient has no replica "
        "of\n"
        "its own and fetches it at yours), taken, or why it was refused.\n"
        "Running it again does no harm.\n"
        "\n"
        "  --for RECIPIENT...  institutions by their name in the genesis, or\n"
        "                      X25519 keys as 64 hexadecimal digits\n"
        "  --decision ID       access request that was permitted; or\n"
        "  --break-glass ID    open emergency; with neither: KEY_GRANT is on "
        "the\n"
        "                      ledger already, only deliver\n"
        "  --again             a new wrap and a new KEY_GRANT, though there "
        "is\n"
        "                      one: the recipient's replica has lost it\n"
        "  --wait SECONDS      for the delivery, then say how it stands; 5\n"
        "  --key FILE          own key, instead of the configuration's\n"
        "  --replica NAME      institution whose replica is asked\n"
        "  --config FILE       of the client; $SALUS_CONFIG if left out\n"
        "  --json              one line: {\"states\": [...]}\n"
        "\n"
        "Exit code 0: the replica has all of them, or the recipients have.\n"
        "\n"
        "example:\n"
        "  salus grant scan.sealed.envelope --for lakeside --decision "
        "00112233445566778899aabbccddeeff\n",
    .run = run,
};
