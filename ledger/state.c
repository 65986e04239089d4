/* SPDX-License-Identifier: Apache-2.0 */
/* Things with compound ids, and what is asked of a thing again and again. */
#include "ledger/state.h"

#include <string.h>

#include "consensus/assert.h"
#include "ledger/fields.h"

/* A value that cannot be read: the store is damaged. */
static bool readable(struct overlay *overlay, bool decoded)
{
    if (!decoded && overlay->status == PBFT_OK) {
        overlay->status = PBFT_CORRUPT;
    }
    return decoded;
}

bool state_get_position(struct overlay *overlay, struct schema_position *out)
{
    struct schema_key key;
    struct pbft_bytes value;
    schema_key_position(&key);
    return overlay_get(overlay, &key, &value) &&
           readable(overlay, schema_decode_position(out, value));
}

void state_put_position(struct overlay *overlay,
                        const struct schema_position *in)
{
    struct schema_key key;
    uint8_t value[SCHEMA_POSITION_MAX];
    schema_key_position(&key);
    size_t size = schema_encode_position(value, in);
    overlay_put(overlay, &key, (struct pbft_bytes){value, size});
}

/* ---- compound ids -------------------------------------------------------- */

struct compound {
    uint8_t bytes[LEDGER_KEY_MAX];
    struct field_writer writer;
};

static void begin(struct compound *id)
{
    id->writer =
        (struct field_writer){.data = id->bytes, .capacity = sizeof id->bytes};
}

/* An id and a number: policy and version, batch and index. */
static const uint8_t *numbered(struct compound *id, const uint8_t *bytes,
                               size_t size, uint32_t number)
{
    begin(id);
    field_write(&id->writer, bytes, size);
    field_write_u32(&id->writer, number);
    return id->bytes;
}

/* A numbered id and another one: record, version and key. */
static const uint8_t *paired(struct compound *id, const uint8_t *first,
                             uint32_t number, const uint8_t *second)
{
    (void)numbered(id, first, LEDGER_ID_SIZE, number);
    field_write(&id->writer, second, LEDGER_ID_SIZE);
    return id->bytes;
}

#define UNPACK(...) __VA_ARGS__

/* The get and the put of a thing: its parameters beside the value, in brackets,
 * and the id that is made of them. */
#define GET_AND_PUT(name, PARAMETERS, ID)                                      \
    bool state_get_##name(struct overlay *overlay, UNPACK PARAMETERS,          \
                          struct schema_##name *out)                           \
    {                                                                          \
        struct compound id;                                                    \
        return thing_get(overlay, &thing_##name, ID, out);                     \
    }                                                                          \
    void state_put_##name(struct overlay *overlay, UNPACK PARAMETERS,          \
                          const struct schema_##name *in)                      \
    {                                                                          \
        struct compound id;                                                    \
        thing_put(overlay, &thing_##name, ID, in);                             \
    }

static const uint8_t *request_id(struct compound *id,
                                 const struct pbft_public_key *client,
                                 uint64_t session, uint64_t sequence)
{
    begin(id);
    field_write(&id->writer, client->bytes, sizeof client->bytes);
    field_write_u64(&id->writer, session);
    field_write_u64(&id->writer, sequence);
    return id->bytes;
}

GET_AND_PUT(policy, (const uint8_t *policy, uint32_t version),
            numbered(&id, policy, LEDGER_ID_SIZE, version))
GET_AND_PUT(request,
            (const struct pbft_public_key *client, uint64_t session,
             uint64_t sequence),
            request_id(&id, client, session, sequence))
GET_AND_PUT(envelope,
            (const uint8_t *record, uint32_t version, const uint8_t *key_id),
            paired(&id, record, version, key_id))
GET_AND_PUT(leaf, (const uint8_t *batch, uint32_t index),
            numbered(&id, batch, LEDGER_ID_SIZE, index))
GET_AND_PUT(suspension, (const uint8_t *handle, uint32_t role),
            numbered(&id, handle, LEDGER_HANDLE_SIZE, role))

bool state_is_member(struct overlay *overlay, const uint8_t *group,
                     uint32_t generation, const uint8_t *participant)
{
    struct compound id;
    return thing_has(overlay, &thing_member,
                     paired(&id, group, generation, participant));
}

void state_put_member(struct overlay *overlay, const uint8_t *group,
                      uint32_t generation, const uint8_t *participant)
{
    struct compound id;
    const struct schema_mark mark = {1};
    thing_put(overlay, &thing_member,
              paired(&id, group, generation, participant), &mark);
}

static const uint8_t *due_id(struct compound *id, uint64_t due_ms,
                             enum schema_due_kind kind, const uint8_t *what)
{
    begin(id);
    field_write_u64(&id->writer, due_ms);
    field_write_u8(&id->writer, (uint8_t)kind);
    field_write(&id->writer, what, LEDGER_ID_SIZE);
    return id->bytes;
}

void state_put_due(struct overlay *overlay, uint64_t due_ms,
                   enum schema_due_kind kind, const uint8_t *id,
                   const struct pbft_institution *institution)
{
    struct compound key;
    const struct schema_due due = {*institution};
    thing_put(overlay, &thing_due, due_id(&key, due_ms, kind, id), &due);
}

void state_delete_due(struct overlay *overlay, uint64_t due_ms,
                      enum schema_due_kind kind, const uint8_t *id)
{
    struct compound key;
    thing_delete(overlay, &thing_due, due_id(&key, due_ms, kind, id));
}

/* ---- codes --------------------------------------------------------------- */

static const uint8_t *code_id(struct compound *id, enum codes_table table,
                              uint32_t code)
{
    begin(id);
    field_write_u32(&id->writer, (uint32_t)table);
    field_write_u32(&id->writer, code);
    return id->bytes;
}

bool state_find_code(struct overlay *overlay, enum codes_table table,
                     uint32_t id, struct schema_code *out)
{
    struct compound key;
    const struct codes_entry *entry = codes_by_id(table, id);
    if (entry != NULL) {
        *out = (struct schema_code){entry->parent, entry->flags, CODES_VERSION};
        return true;
    }
    return id >= CODES_ADDED_MIN && id <= CODES_ID_MAX &&
           thing_get(overlay, &thing_code, code_id(&key, table, id), out);
}

void state_put_code(struct overlay *overlay, enum codes_table table,
                    uint32_t id, const struct schema_code *in)
{
    struct compound key;
    thing_put(overlay, &thing_code, code_id(&key, table, id), in);
}

uint32_t state_table_version(struct overlay *overlay)
{
    struct schema_table table;
    return state_get_table(overlay, NULL, &table) ? table.version
                                                  : CODES_VERSION;
}
