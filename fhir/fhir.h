/* SPDX-License-Identifier: Apache-2.0 */
/* FHIR R4 files as items: each is one resource with its class and all reasons,
 * by the import law (docs/fhir.md). Reading and judging needs neither vault nor
 * replica; fhir/plan.h turns items into transactions.
 *
 * A file is one resource, one Bundle, or NDJSON. What is not is an item too:
 * rejected, with the reason.
 */
#ifndef FHIR_FHIR_H
#define FHIR_FHIR_H

#include "consensus/status.h"
#include "fhir/report.h"

/* In the order of dependencies: who, patients and what is theirs, documents,
 * consents, events. */
enum fhir_rank {
    FHIR_RANK_PARTICIPANT = 0, /* Practitioner, Organization, Device. */
    FHIR_RANK_ROLE = 1,        /* PractitionerRole. */
    FHIR_RANK_PATIENT = 2,
    FHIR_RANK_AGENT = 3,   /* RelatedPerson. */
    FHIR_RANK_GROUP = 4,   /* And CareTeam, to which relatives may belong. */
    FHIR_RANK_CONTEXT = 5, /* Encounter, and what else is only pointed to. */
    FHIR_RANK_DOCUMENT = 6,
    FHIR_RANK_CONSENT = 7,
    FHIR_RANK_AUDIT = 8,
    FHIR_RANK_PROVENANCE = 9,
    FHIR_RANK_OTHER = 10, /* Rejected. */
};

struct vault_purposes;

struct fhir_options {
    int32_t zone_minutes;    /* Of dates without a time; east of UTC. */
    const char *attachments; /* Folder of attachments with relative urls; NULL:
                                only inline ones are at hand. */
    const struct vault_purposes *purposes; /* Published ones; or NULL. */
};

struct fhir_file;

/* Reads the file and finds its resources. Whatever is wrong with it becomes an
 * item; only NO_MEMORY and INVALID_ARGUMENT fail. `path` is copied; "-" is
 * standard input. */
PBFT_MUST_USE enum pbft_status fhir_file_open(struct fhir_file **out,
                                              const char *path);
/* The same of bytes, which are copied. */
PBFT_MUST_USE enum pbft_status fhir_file_open_bytes(struct fhir_file **out,
                                                    const char *name,
                                                    struct pbft_bytes bytes);
void fhir_file_close(struct fhir_file *file); /* Or NULL. */

const char *fhir_file_name(const struct fhir_file *file);
/* At least 1. */
size_t fhir_file_count(const struct fhir_file *file);
enum fhir_rank fhir_file_rank(const struct fhir_file *file, size_t index);

/* Is it a resource without an id that has a fullUrl? Then references of its
 * Bundle find it by that name alone, which another Bundle may have used. */
bool fhir_file_is_nameless(const struct fhir_file *file, size_t index);
/* What the fullUrl of such a resource means to those that are loaded next. */
enum fhir_url_meaning {
    FHIR_URL_UNASKED, /* Whatever the vault has under it: nothing is imported.
                       */
    FHIR_URL_OWN,     /* The vault has that resource under it. */
    FHIR_URL_LOST,    /* Or another one: references are unresolved. */
};
void fhir_file_set_url(struct fhir_file *file, size_t index,
                       enum fhir_url_meaning meaning);

struct fhir_item; /* One resource; keeps nothing of the file. */

/* Reads and judges. NO_MEMORY. */
PBFT_MUST_USE enum pbft_status
fhir_item_load(struct fhir_item **out, const struct fhir_file *file,
               size_t index, const struct fhir_options *options);
void fhir_item_free(struct fhir_item *item); /* Or NULL. */

enum fhir_class fhir_item_class(const struct fhir_item *item);
const struct fhir_report *fhir_item_report(const struct fhir_item *item);
enum fhir_rank fhir_item_rank(const struct fhir_item *item);
/* "Consent"; "" if it does not say or not in letters. */
const char *fhir_item_type(const struct fhir_item *item);
/* "Consent/17", by which others may refer to it; NULL: it has no id. */
const char *fhir_item_name(const struct fhir_item *item);
/* Do both say by id or fullUrl that they are the same resource? */
bool fhir_item_is_same(const struct fhir_item *item,
                       const struct fhir_item *other);
/* NDJSON: from 1; else 0. */
size_t fhir_item_line(const struct fhir_item *item);
/* As received. */
struct pbft_bytes fhir_item_bytes(const struct fhir_item *item);

/* What becomes of an element, for --explain. */
enum fhir_fate {
    FHIR_TO_LEDGER, /* As a code, time, random id or commitment. */
    FHIR_SEALED,    /* Only within the encrypted document. */
    FHIR_IN_VAULT,  /* As a keyed hash, to find the id again; or a state. */
    FHIR_DROPPED,   /* Not kept. */
};
/* Calls back once for each element that has a value, by its path without
 * indices ("provision.actor.reference"), in the order of the document. */
typedef void fhir_fate_visit(void *context, const char *path,
                             enum fhir_fate fate);
void fhir_item_fates(const struct fhir_item *item, fhir_fate_visit *visit,
                     void *context);

#endif /* FHIR_FHIR_H */
