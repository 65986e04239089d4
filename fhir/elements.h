/* SPDX-License-Identifier: Apache-2.0 */
/* Data types of FHIR, read strictly: what has the wrong form is a finding and
 * reads as absent. For fhir/ only. */
#ifndef FHIR_ELEMENTS_H
#define FHIR_ELEMENTS_H

#include "fhir/date.h"
#include "fhir/json.h"
#include "proto/arena.h"

struct fhir_file;

/* What readers of one resource share. */
struct fhir_reader {
    struct fhir_report *report;
    struct wire_arena *arena;              /* Texts and models live here. */
    int32_t zone_minutes;                  /* Of dates without a time. */
    const struct vault_purposes *purposes; /* Published ones; or NULL. */
    const struct fhir_file *file;          /* Where it stands; or NULL. */
};

/* `name` is what the vault is asked for; texts live as long as the item. */
struct fhir_reference {
    const char *name; /* NULL: absent. */
    const char *said; /* As it stands there, but for a version; or NULL. */
    bool is_lost; /* It means an entry of its Bundle that is in no vault: nor
                     is the name. */
    const char *type; /* "Patient"; "" if it does not say. */
    const char *path; /* Where it stands. */
};

struct fhir_coding {
    const char *system; /* "" if absent. */
    const char *code;   /* NULL: absent. */
};

/* A copy in the arena; NULL and a finding if memory is short. */
const char *fhir_keep(const struct fhir_reader *reader, const char *text);
const char *fhir_keep_path(const struct fhir_reader *reader,
                           const struct fhir_node *node);
/* Zeroed; NULL and a finding if memory is short. */
void *fhir_allocate(const struct fhir_reader *reader, size_t size);

/* An element of the wanted type, or an absent node. Lists hold 1..max. */
const char *fhir_take_string(const struct fhir_reader *reader,
                             const struct fhir_node *object, const char *key);
struct fhir_node fhir_take_object(const struct fhir_reader *reader,
                                  const struct fhir_node *object,
                                  const char *key);
/* A list of objects. */
struct fhir_node fhir_take_list(const struct fhir_reader *reader,
                                const struct fhir_node *object,
                                const char *key);

/* True and filled, or false with a finding. A contained resource, or none at
 * all, cannot be meant. */
bool fhir_take_reference(const struct fhir_reader *reader,
                         struct fhir_reference *out,
                         const struct fhir_node *node);
/* Is it an id of a ledger? */
bool fhir_is_of_ledger(const struct fhir_node *identifier);
/* One that stands in no resource; without a name if memory is short. `path` is
 * kept. */
void fhir_reference_of(const struct fhir_reader *reader,
                       struct fhir_reference *out, const char *name,
                       const char *path);
/* False with a finding if it has no code. */
bool fhir_take_coding(const struct fhir_reader *reader, struct fhir_coding *out,
                      const struct fhir_node *node);
/* The coding of a CodeableConcept that is of `system`, or absent. */
struct fhir_coding fhir_concept_coding(const struct fhir_reader *reader,
                                       const struct fhir_node *concept,
                                       const char *system);
/* The same, or absent if it has several different ones of `system`: taking one
 * of them would drop the others. */
struct fhir_coding fhir_concept_only(const struct fhir_reader *reader,
                                     const struct fhir_node *concept,
                                     const char *system);
/* Its first code, whatever the system, to be shown; or NULL. */
const char *fhir_concept_code(const struct fhir_node *concept);

struct fhir_period {
    bool has_from;
    bool has_to;
    int64_t from;
    int64_t to; /* Exclusive. */
};
/* True if all is well; an absent period is empty. */
bool fhir_take_period(const struct fhir_reader *reader, struct fhir_period *out,
                      const struct fhir_node *object, const char *key);
bool fhir_take_date(const struct fhir_reader *reader, struct fhir_interval *out,
                    const struct fhir_node *object, const char *key);

/* Import law 2 for the whole resource: modifier extensions anywhere, implicit
 * rules. */
void fhir_check_modifiers(const struct fhir_reader *reader,
                          const struct fhir_node *resource);

/* The extension with that url, the first of several; or absent. */
struct fhir_node fhir_extension(const struct fhir_node *object,
                                const char *url);

/* Finds extensions below a node where they may say anything about a rule. */
void fhir_check_extensions(const struct fhir_reader *reader,
                           const struct fhir_node *node);

#define FHIR_SYSTEM_ACT_CODE "http://terminology.hl7.org/CodeSystem/v3-ActCode"
#define FHIR_SYSTEM_ACT_REASON                                                 \
    "http://terminology.hl7.org/CodeSystem/v3-ActReason"
#define FHIR_SYSTEM_CONFIDENTIALITY                                            \
    "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
#define FHIR_SYSTEM_PARTICIPATION                                              \
    "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
#define FHIR_SYSTEM_CONSENT_SCOPE                                              \
    "http://terminology.hl7.org/CodeSystem/consentscope"
#define FHIR_SYSTEM_CONSENT_ACTION                                             \
    "http://terminology.hl7.org/CodeSystem/consentaction"

#endif /* FHIR_ELEMENTS_H */
