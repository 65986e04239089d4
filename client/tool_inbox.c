/* SPDX-License-Identifier: Apache-2.0 */
/* salus inbox: key envelopes that came, and those that were sent. */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "client/inbox_calls.h"
#include "client/tool_directory.h"
#include "client/tool_inbox.h"
#include "client/tool_json.h"
#include "crypto/hex.h"
#include "crypto/secret.h"
#include "proto/codec_limits.h"

struct call {
    struct sealing sealing;
    struct tool_list operands;
    const char *config;
    const char *key;
    const char *replica;
    const char *take;
    const char *output;
    bool sent;
    bool json;
    struct tool_directory directory;
};

/* ---- lists --------------------------------------------------------------- */

#define HEX_SIZE (2 * PBFT_DIGEST_SIZE + 1)

static const char *hex_text(char out[HEX_SIZE],
                            const ProtobufCBinaryData *field)
{
    out[0] = '\0';
    if (field->len <= PBFT_DIGEST_SIZE) {
        hex_encode(out, (struct pbft_bytes){field->data, field->len});
    }
    return out;
}

/* By its short name, if genesis or directory have it. */
static const char *institution_text(const struct call *call, char out[HEX_SIZE],
                                    const ProtobufCBinaryData *field)
{
    char id[HEX_SIZE];

    tool_directory_name(out, HEX_SIZE, &call->directory, hex_text(id, field));
    return out;
}

static void note_institution(json_t *ids, const ProtobufCBinaryData *field)
{
    char id[HEX_SIZE];

    if (field->len == PBFT_INSTITUTION_SIZE) {
        (void)json_object_set_new(ids, hex_text(id, field), json_true());
    }
}

/* Whom the genesis does not name the replica is asked for; who is then not
 * known is shown by id. */
static void learn_names(struct call *call, struct salus_client *client,
                        const json_t *ids)
{
    (void)tool_directory_ask(&call->directory, client, ids, SALUS_READ_LOCAL,
                             NULL);
}

static void print_json(const struct call *call, const ProtobufCMessage *list,
                       const json_t *ids)
{
    json_t *json = tool_json_of(list);

    (void)json_object_set_new(json, "names",
                              tool_directory_rows(&call->directory, ids));
    tool_json_print(json);
}

static void print_item(const struct call *call,
                       const Salus__V1__InboxItem *item)
{
    char record[HEX_SIZE];
    char key[HEX_SIZE];
    char from[HEX_SIZE];
    char since[TOOL_TIME_TEXT_SIZE];
    const Salus__V1__EnvelopeName *name = item->envelope->name;

    tool_time_text(since, item->since_us);
    (void)printf("%-32s  %7" PRIu32 "  %-32s  %-16s  %s\n",
                 hex_text(record, &name->record), name->version,
                 hex_text(key, &name->recipient_key),
                 institution_text(call, from, &item->custodian), since);
}

static void print_state(const struct call *call,
                        const Salus__V1__DeliveryState *state)
{
    char record[HEX_SIZE];
    char to[HEX_SIZE];
    char since[TOOL_TIME_TEXT_SIZE];
    bool is_ok = state->code == SALUS__V1__DELIVERY_CODE__DELIVERY_OK;

    tool_time_text(since, state->since_us);
    (void)printf("%-32s  %7" PRIu32 "  %-16s  %-9s  %8" PRIu32 "  %s%s%s\n",
                 hex_text(record, &state->name->record), state->name->version,
                 institution_text(call, to, &state->recipient),
                 inbox_state_text((int)state->state), state->attempts, since,
                 is_ok ? "" : "  ",
                 is_ok ? "" : inbox_code_text((int)state->code));
}

/* A replica may leave out anything, and begin again for ever. */
static bool is_sound_inbox(const Salus__V1__Inbox *list, uint32_t after)
{
    bool is_sound = list->next == 0 || list->next > after;

    for (size_t i = 0; i < list->n_items; i++) {
        is_sound = is_sound && list->items[i]->envelope != NULL &&
                   list->items[i]->envelope->name != NULL;
    }
    return is_sound;
}

static bool is_sound_sent(const Salus__V1__Deliveries *list, uint32_t after)
{
    bool is_sound = list->next == 0 || list->next > after;

    for (size_t i = 0; i < list->n_states; i++) {
        is_sound = is_sound && list->states[i]->name != NULL;
    }
    return is_sound;
}

/* Which there are is for logs; what opens them is not. */
static void print_inbox_json(const struct call *call,
                             const Salus__V1__Inbox *list, const json_t *ids)
{
    const ProtobufCBinaryData none = {0, NULL};

    for (size_t i = 0; i < list->n_items; i++) {
        list->items[i]->envelope->salt = none;
        list->items[i]->envelope->wrap = none;
        list->items[i]->envelope->details = none;
    }
    print_json(call, &list->base, ids);
}

static enum salus_status show_sent(struct call *call,
                                   struct salus_client *client,
                                   const Salus__V1__Deliveries *list,
                                   uint32_t *after)
{
    if (!is_sound_sent(list, *after)) {
        return SALUS_UNPROVED;
    }
    *after = list->next;
    json_t *ids = json_object();
    for (size_t i = 0; i < list->n_states; i++) {
        note_institution(ids, &list->states[i]->recipient);
    }
    learn_names(call, client, ids);
    if (call->json) {
        print_json(call, &list->base, ids);
    }
    for (size_t i = 0; !call->json && i < list->n_states; i++) {
        print_state(call, list->states[i]);
    }
    json_decref(ids);
    return SALUS_OK;
}

static enum salus_status show_inbox(struct call *call,
                                    struct salus_client *client,
                                    const Salus__V1__Inbox *list,
                                    uint32_t *after)
{
    if (!is_sound_inbox(list, *after)) {
        return SALUS_UNPROVED;
    }
    *after = list->next;
    json_t *ids = json_object();
    for (size_t i = 0; i < list->n_items; i++) {
        note_institution(ids, &list->items[i]->custodian);
    }
    learn_names(call, client, ids);
    if (call->json) {
        print_inbox_json(call, list, ids);
    }
    for (size_t i = 0; !call->json && i < list->n_items; i++) {
        print_item(call, list->items[i]);
    }
    json_decref(ids);
    return SALUS_OK;
}

/* One page; `*after` is 0 behind the last one. */
static enum salus_status list_page(struct call *call,
                                   struct salus_client *client, uint32_t *after)
{
    struct wire_arena arena;
    enum salus_status status = SALUS_OK;

    wire_arena_init(&arena, WIRE_UNPACK_BYTES_MAX);
    if (call->sent) {
        const Salus__V1__Deliveries *list =
            inbox_call_sent(client, &arena, *after, &status);
        status = list != NULL ? show_sent(call, client, list, after) : status;
    } else {
        const Salus__V1__Inbox *list =
            inbox_call_inbox(client, &arena, NULL, *after, &status);
        status = list != NULL ? show_inbox(call, client, list, after) : status;
    }
    wire_arena_deinit(&arena);
    return status;
}

static int list_pages(struct call *call, struct salus_client *client)
{
    uint32_t after = 0;

    if (!call->json) {
        (void)printf(call->sent ? "%-32s  %7s  %-16s  %-9s  %8s  %s\n"
                                : "%-32s  %7s  %-32s  %-16s  %s\n",
                     "record", "version", call->sent ? "to" : "for key",
                     call->sent ? "state" : "from",
                     call->sent ? "attempts" : "since", "since");
    }
    do {
        enum salus_status status = list_page(call, client, &after);
        if (status != SALUS_OK) {
            return tool_failed(&tool_inbox, "%s",
                               tool_one_replica_text(status));
        }
    } while (after != 0);
    return TOOL_OK;
}

static int list_all(struct call *call, struct salus_client *client)
{
    tool_directory_begin(&call->directory, call->sealing.genesis);
    int code = list_pages(call, client);
    tool_directory_end(&call->directory);
    return code;
}

/* ---- taking -------------------------------------------------------------- */

/* A file that an interrupted call has left is this envelope already, if the own
 * key opens it and no newer version waits: else the replica must not be told to
 * erase anything. */
static bool have_already(const struct call *call, struct salus_client *client,
                         struct envelope *out,
                         const uint8_t record[SEAL_RECORD_SIZE])
{
    struct salus_reason reason = {.text = ""};
    uint8_t data_key[SEAL_KEY_SIZE];

    if (envelope_load(out, call->output, &reason) != PBFT_OK ||
        memcmp(out->identity.record, record, SEAL_RECORD_SIZE) != 0) {
        (void)tool_failed(&tool_inbox,
                          "%s is there and is no envelope of this record",
                          call->output);
        return false;
    }
    if (!sealing_unwrap(&call->sealing, out, call->output, data_key)) {
        return false;
    }
    secret_wipe(data_key, sizeof data_key);
    return inbox_is_newest(&call->sealing, client, out, call->output);
}

static int take(const struct call *call, struct salus_client *client)
{
    uint8_t record[SEAL_RECORD_SIZE];
    struct envelope envelope;

    if (hex_decode(record, sizeof record, call->take) != PBFT_OK) {
        return tool_bad_usage(&tool_inbox,
                              "--take wants 32 hexadecimal digits");
    }
    bool done = access(call->output, F_OK) == 0
                    ? have_already(call, client, &envelope, record)
                    : inbox_fetch(&call->sealing, client, &envelope, record,
                                  call->output);
    return done && inbox_taken(&call->sealing, client, &envelope) ? TOOL_OK
                                                                  : TOOL_FAILED;
}

/* ---- the command --------------------------------------------------------- */

static int run(int argc, char **argv)
{
    struct call call = {.sealing = {.command = &tool_inbox}};
    const struct tool_option options[] = {
        {.name = "--config", .value = &call.config},
        {.name = "--key", .value = &call.key},
        {.name = "--replica", .value = &call.replica},
        {.name = "--take", .value = &call.take},
        {.name = "-o", .value = &call.output},
        {.name = "--sent", .flag = &call.sent},
        {.name = "--json", .flag = &call.json},
        {.name = NULL}};
    int code =
        tool_options_parse(&tool_inbox, options, &call.operands, argc, argv);

    if (code != -1) {
        return code;
    }
    if (call.operands.count != 0 ||
        (call.take != NULL) != (call.output != NULL) ||
        (call.take != NULL && call.sent)) {
        return tool_bad_usage(&tool_inbox, "--take and -o belong together");
    }
    code = TOOL_FAILED;
    if (sealing_load(&call.sealing, call.config, call.key)) {
        struct salus_client *client = tool_open(call.config, call.replica, 0);
        if (client != NULL) {
            code = call.take != NULL ? take(&call, client)
                                     : list_all(&call, client);
            salus_close(client);
        }
    }
    sealing_unload(&call.sealing);
    return code;
}

const struct tool_command tool_inbox = {
    .name = "inbox",
    .usage = "[--sent] [--take RECORD -o FILE] [--replica NAME] [--json]",
    .summary = "keys of records that were sent to this institution",
    .help =
        "Lists the key envelopes that the own replica holds for this\n"
        "institution: record, version, key, custodian (by its name in genesis\n"
        "or directory, where it has one), and since when. With\n"
        "--take one of them is fetched, opened with the own key, compared\n"
        "with the ledger's commitments and written to FILE (mode 0600); then\n"
        "the replica erases it. `salus open FILE --record RECORD` does the\n"
        "same and opens the content at once.\n"
        "\n"
        "With --sent: those that this institution has sent. A waiting one is\n"
        "tried again, at least once a minute, until the recipient's replica\n"
        "has signed for it; a delivered one is erased here. When its grant\n"
        "ends (consent withdrawn, decision expired, newer version) an "
        "envelope\n"
        "is erased at both and is on neither list any more.\n"
        "\n"
        "  --sent          what this institution has sent\n"
        "  --take RECORD   fetch the envelope of this record\n"
        "  -o FILE         to this file; none is replaced\n"
        "  --key FILE      own key, instead of the configuration's\n"
        "  --replica NAME  ask this institution's replica: the custodian's, "
        "if\n"
        "                  the own institution runs none\n"
        "  --config FILE   of the client; $SALUS_CONFIG if left out\n"
        "  --json          one line of JSON a page\n"
        "\n"
        "example:\n"
        "  salus inbox --take 00112233445566778899aabbccddeeff -o "
        "scan.envelope\n",
    .run = run,
};
