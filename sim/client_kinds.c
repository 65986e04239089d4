/* SPDX-License-Identifier: Apache-2.0 */
/* The table of what hostile clients do. A new one is a row and a small
 * function; the letters in brackets name the attack of docs/simulator.md. */
#include <assert.h>

#include "sim/sim.h"

#define REPLAYED_MAX 8
#define STORM_TENFOLDS_MAX 4
#define STORM_MORE_PERMILLE 200
#define SEQUENCE_FAR UINT64_C(1000000)

static const uint8_t zeros[PBFT_REQUEST_BYTES_MAX];

static struct random *random_of(struct client *client)
{
    return &client->sim->hostiles.random;
}

static pbft_replica_id draw_replica(struct client *client)
{
    return (pbft_replica_id)random_below(random_of(client),
                                         client->sim->settings.n);
}

static struct pbft_bytes payload_of(size_t size)
{
    return (struct pbft_bytes){zeros, size};
}

/* Some replicas get one body, the others another one, a few both. */
static void send_two_bodies(struct client *client)
{
    struct pbft_request fields = hostile_fields(client);
    const struct pbft_message *first = hostile_make(client, &fields);
    fields.payload = payload_of(2);
    const struct pbft_message *second = hostile_make(client, &fields);
    for (pbft_replica_id id = 0; id < client->sim->settings.n; id++) {
        bool is_second = random_chance(random_of(client), 500);
        hostile_send(client, id, is_second ? second : first);
        if (random_chance(random_of(client), 200)) {
            hostile_send(client, id, is_second ? first : second);
        }
    }
}

/* The last sequence there is, then the next one as if nothing had been. */
static void send_far_future(struct client *client)
{
    struct pbft_request fields = hostile_fields(client);
    uint64_t next = fields.sequence;
    fields.sequence = random_chance(random_of(client), 500)
                          ? UINT64_MAX
                          : UINT64_MAX - random_below(random_of(client), 100);
    hostile_send_all(client, hostile_make(client, &fields));
    fields.sequence = next;
    hostile_send_all(client, hostile_make(client, &fields));
}

static void send_old_ones(struct client *client)
{
    for (int i = 0; i < REPLAYED_MAX; i++) {
        const struct pbft_message *old = hostile_recall(client);
        if (old != NULL) {
            hostile_send(client, draw_replica(client), old);
        }
    }
}

/* Ten, a hundred, a thousand or ten thousand times to each replica. */
static void storm(struct client *client)
{
    struct hostile *hostile = client->hostile;
    const struct pbft_request fields = hostile_fields(client);
    uint64_t copies = 10;
    for (int i = 1; i < STORM_TENFOLDS_MAX &&
                    random_chance(random_of(client), STORM_MORE_PERMILLE);
         i++) {
        copies *= 10;
    }
    copies = copies < hostile->storms_left ? copies : hostile->storms_left;
    hostile->storms_left -= copies;
    hostile->storm_left = copies;
    pbft_message_unref(hostile->storm);
    hostile->storm = pbft_message_ref(hostile_make(client, &fields));
}

static void send_to_backups(struct client *client)
{
    const struct pbft_request fields = hostile_fields(client);
    const struct pbft_message *request = hostile_make(client, &fields);
    pbft_replica_id primary = hostile_guess_primary(client);
    for (pbft_replica_id id = 0; id < client->sim->settings.n; id++) {
        if (id != primary) {
            hostile_send(client, id, request);
        }
    }
}

/* Whatever the primary orders, it alone has the bodies. */
static void send_to_primary(struct client *client)
{
    const struct pbft_request fields = hostile_fields(client);
    const pbft_replica_id primary = hostile_guess_primary(client);
    hostile_send(client, primary, hostile_make(client, &fields));
}

/* A Byzantine one, if there is one. */
static void send_to_faulty(struct client *client)
{
    const struct sim *sim = client->sim;
    const struct pbft_request fields = hostile_fields(client);
    pbft_replica_id to = draw_replica(client);
    if (sim->adversaries.count > 0) {
        to = sim->adversaries
                 .replicas[random_below(random_of(client),
                                        sim->adversaries.count)]
                 .id;
    }
    hostile_send(client, to, hostile_make(client, &fields));
}

/* Well signed; what it asks for is nothing, or refused by the service. */
static void send_invalid(struct client *client)
{
    struct pbft_request fields = hostile_fields(client);
    switch (random_below(random_of(client), 4)) {
    case 0:
        fields.payload = payload_of(0);
        break;
    case 1:
        fields.sequence = 0;
        break;
    case 2:
        fields.sequence += SEQUENCE_FAR;
        break;
    default:
        fields.session += random_chance(random_of(client), 500);
        fields.session -= random_chance(random_of(client), 500);
        break;
    }
    hostile_send_all(client, hostile_make(client, &fields));
}

/* As much as a request may have, or a bit more than a batch may. */
static void send_large(struct client *client)
{
    struct pbft_request fields = hostile_fields(client);
    size_t most = client->sim->settings.replica.batch_bytes_max;
    fields.payload =
        payload_of(random_chance(random_of(client), 900)
                       ? most + (size_t)random_below(random_of(client), 2)
                       : PBFT_REQUEST_BYTES_MAX);
    hostile_send_all(client, hostile_make(client, &fields));
}

static void send_as_stranger(struct client *client)
{
    hostile_send_all(client, hostile_make_strange(client));
}

/* In the name of an institution that is not its own, and may not exist. */
static void send_for_another(struct client *client)
{
    struct pbft_request fields = hostile_fields(client);
    fields.institution.bytes[0] = (uint8_t)random_below(
        random_of(client), 2 * (uint64_t)client->sim->settings.n);
    hostile_send_all(client, hostile_make(client, &fields));
}

/* The payload is not the one that was signed. */
static void send_badly_signed(struct client *client)
{
    const struct pbft_request fields = hostile_fields(client);
    const struct pbft_message *good = hostile_make(client, &fields);
    struct pbft_request bad = good->request;
    bad.payload = payload_of(3);
    struct pbft_message *request =
        pbft_request_create(&client->domain, &bad, PBFT_SENDER_CLIENT, NULL);
    if (request != NULL) {
        hostile_send_all(client, request);
    }
    pbft_message_unref(request);
}

const struct hostile_kind hostile_kinds[] = {
    {"two-bodies", "one sequence, two bodies, for some each (K1)",
     send_two_bodies},
    {"far-future", "sequence 2^64-1, then the next one (K1)", send_far_future},
    {"old-requests", "requests of before, to anybody (K1)", send_old_ones},
    {"storm", "one request up to 10,000 times to all (K2)", storm},
    {"backups-only", "a request that the primary does not get (K3)",
     send_to_backups},
    {"primary-only", "a request whose body the primary alone has (K3)",
     send_to_primary},
    {"faulty-only", "a request that a Byzantine replica alone has (K3)",
     send_to_faulty},
    {"invalid", "nothing that the service would do, well signed (K4)",
     send_invalid},
    {"large", "payloads of the largest sizes (K4)", send_large},
    {"stranger", "signed by a key that nobody has admitted (K4)",
     send_as_stranger},
    {"other-institution", "in the name of another institution (K4)",
     send_for_another},
    {"bad-signature", "another payload than was signed (K4)",
     send_badly_signed},
};

const uint32_t hostile_kind_count =
    sizeof hostile_kinds / sizeof hostile_kinds[0];

static_assert(sizeof hostile_kinds / sizeof hostile_kinds[0] <=
                  HOSTILE_KINDS_MAX,
              "a mask of what hostile clients do has 32 bits");
