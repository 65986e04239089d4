/* SPDX-License-Identifier: Apache-2.0 */
/* Parts of consents that several tests put into a CONSENT_GRANT. */
#ifndef TESTS_SUPPORT_LEDGER_CONSENTS_H
#define TESTS_SUPPORT_LEDGER_CONSENTS_H

#include "tests/support/ledger_fixture.h"

#define GRANT(body) ((body)->consent_grant)
#define ROOT(body) ((body)->consent_grant->root)

#define CHANGE(name)                                                           \
    static inline void name(struct world *world,                               \
                            Salus__V1__TransactionBody *body)

static uint8_t some_bytes[LEDGER_DATA_REFS_MAX + 1][32];
static ProtobufCBinaryData some_ids[LEDGER_DATA_REFS_MAX + 1];
static uint32_t some_codes[LEDGER_CODES_MAX + 1];
static Salus__V1__Selector__Actor some_actors[LEDGER_ACTORS_MAX + 1];
static Salus__V1__Selector__Actor *actor_list[LEDGER_ACTORS_MAX + 1];
static Salus__V1__ConsentGrant__Exception
    some_exceptions[LEDGER_EXCEPTIONS_MAX + 1];
static Salus__V1__Selector some_selectors[LEDGER_EXCEPTIONS_MAX + 1];
static Salus__V1__ConsentGrant__Exception
    *exception_list[LEDGER_EXCEPTIONS_MAX + 1];

static inline void set_actors(Salus__V1__TransactionBody *body, size_t count)
{
    ROOT(body)->actors = actor_list;
    ROOT(body)->n_actors = count;
}

/* One actor of a kind. */
static inline void set_actor(Salus__V1__TransactionBody *body,
                             Salus__V1__Selector__Actor__Kind kind,
                             const void *id)
{
    salus__v1__selector__actor__init(&some_actors[0]);
    some_actors[0].kind = kind;
    if (id != NULL) {
        memcpy(some_bytes[0], id, 16);
        some_actors[0].id = (ProtobufCBinaryData){16, some_bytes[0]};
    }
    actor_list[0] = &some_actors[0];
    set_actors(body, 1);
}

CHANGE(actor_institution)
{
    set_actor(body, SALUS__V1__SELECTOR__ACTOR__KIND__INSTITUTION,
              world->parties[LABORATORY].institution.bytes);
}

static inline void set_purposes(Salus__V1__TransactionBody *body,
                                uint32_t first, uint32_t second)
{
    some_codes[0] = first;
    some_codes[1] = second;
    ROOT(body)->purposes = some_codes;
    ROOT(body)->n_purposes = second == 0 ? 1 : 2;
}

static inline void set_tags(struct world *world,
                            Salus__V1__TransactionBody *body, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        world_fill(world, some_bytes[i], 16);
        some_bytes[i][0] = (uint8_t)(0x80 + i);
        some_ids[i] = (ProtobufCBinaryData){16, some_bytes[i]};
    }
    ROOT(body)->tags = some_ids;
    ROOT(body)->n_tags = count;
}

static inline void set_exceptions(Salus__V1__TransactionBody *body,
                                  size_t count, Salus__V1__Decision type)
{
    static uint32_t use = 3;
    for (size_t i = 0; i < count; i++) {
        salus__v1__selector__init(&some_selectors[i]);
        salus__v1__consent_grant__exception__init(&some_exceptions[i]);
        some_selectors[i].actions = &use;
        some_selectors[i].n_actions = 1;
        some_exceptions[i].type = type;
        some_exceptions[i].selector = &some_selectors[i];
        exception_list[i] = &some_exceptions[i];
    }
    GRANT(body)->exceptions = exception_list;
    GRANT(body)->n_exceptions = count;
}

#define CASES(cases) (cases), sizeof(cases) / sizeof(cases)[0]

#endif /* TESTS_SUPPORT_LEDGER_CONSENTS_H */
