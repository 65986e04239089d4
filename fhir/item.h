/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of files and items; for fhir/ only. */
#ifndef FHIR_ITEM_H
#define FHIR_ITEM_H

#include "fhir/audit.h"
#include "fhir/consent.h"
#include "fhir/document.h"
#include "fhir/fhir.h"
#include "fhir/party.h"
#include "fhir/provenance.h"

#define FHIR_PREFIX_MAX 48

/* One resource in a file, or what is wrong with the file at that place. */
struct fhir_entry {
    size_t offset;
    size_t size;
    size_t line;    /* NDJSON: from 1. */
    char *full_url; /* Of a bundle entry; owned; or NULL. */
    char *target;   /* "Patient/17", what its fullUrl means; owned; or NULL. */
    bool is_shared; /* Its fullUrl means nothing, or several. */
    enum fhir_url_meaning meaning; /* Of the fullUrl of one without an id. */
    bool is_bundle; /* If it is broken: the Bundle is, not the resource. */
    bool in_bundle;
    size_t bundle_index;
    enum fhir_rank rank;
    bool is_broken;
    enum fhir_finding_kind wrong;
    const char *path; /* Static; of what is wrong, in the bundle entry if it is
                         one. */
    char code[FHIR_CODE_MAX];
};

/* A fullUrl of the Bundle, and the entry that has it. */
struct fhir_url {
    const char *url; /* The entry's. */
    size_t entry;
};

struct fhir_file {
    char *name;
    uint8_t *bytes;
    size_t size;
    struct fhir_entry *entries;
    size_t count;
    size_t capacity;
    struct fhir_url *urls; /* By url; owned. */
    size_t url_count;
};

struct fhir_item {
    struct fhir_report report;
    char prefix[FHIR_PREFIX_MAX];
    char type[FHIR_KEY_MAX];
    enum fhir_rank rank;
    size_t line;
    uint8_t *bytes;
    size_t size;
    char *full_url; /* One more name; or NULL. */
    struct json_t *json;
    struct wire_arena arena;
    const char *name; /* "Consent/17"; NULL: it has no id. */
    union {
        struct fhir_consent consent;
        struct fhir_document document;
        struct fhir_party party;
        struct fhir_audit audit;
        struct fhir_provenance provenance;
    };
};

enum fhir_rank fhir_rank_of(const char *type); /* rank.c */
enum fhir_rank fhir_rank_of_json(const struct json_t *json);

/* ---- file.c, bundle.c ---------------------------------------------------- */

/* From malloc; NULL if memory is short. */
char *fhir_copy_text(const char *text);
/* A zeroed entry at the end; NULL if memory is short. */
struct fhir_entry *fhir_add_entry(struct fhir_file *file);
/* One that says what is wrong; `path` is static, `code` may be NULL. */
enum pbft_status fhir_add_broken(struct fhir_file *file,
                                 enum fhir_finding_kind wrong, const char *path,
                                 const char *code);
/* The entries of a file that is a Bundle. */
enum pbft_status fhir_index_bundle(struct fhir_file *file,
                                   const struct fhir_node *bundle);
/* Of a resource: letters, digits, "-" and ".", at most 64. */
bool fhir_is_id(const char *text);
/* Marks entries whose fullUrl is that of another resource too, or has another
 * id than its own: it would make two of them one. Then references find the
 * others by it (bundle_urls.c). */
enum pbft_status fhir_index_full_urls(struct fhir_file *file,
                                      const struct fhir_node *entries);

/* What a reference means in its Bundle. */
enum fhir_entry_found {
    FHIR_ENTRY_NONE,   /* No entry of it. */
    FHIR_ENTRY_ITSELF, /* One that the vault has under its fullUrl. */
    FHIR_ENTRY_NAMED,  /* One with an id: its name. */
    FHIR_ENTRY_LOST,   /* One that is in no vault, or several. */
};
/* `name` is the file's. `file` may be NULL. */
enum fhir_entry_found fhir_find_entry(const struct fhir_file *file,
                                      const char **name, const char *url);

#endif /* FHIR_ITEM_H */
