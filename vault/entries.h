/* SPDX-License-Identifier: Apache-2.0 */
/* What the vault knows of patients, participants, records and consents.
 *
 * Names are FHIR references as they are written ("Patient/17",
 * "https://.../Patient/17") or "Type?identifier=system|value". All secrets come
 * from the system's random numbers; nothing is derived from a name.
 */
#ifndef VAULT_ENTRIES_H
#define VAULT_ENTRIES_H

#include "vault/row.h"

#define VAULT_HANDLE_SIZE 32
#define VAULT_ID_SIZE 16
#define VAULT_SECRET_SIZE 32
#define VAULT_WRAP_SIZE 80 /* HPKE: enc, data key, tag. */
#define VAULT_TAG_SIZE 16

/* A patient. */
struct vault_subject {
    uint8_t handle[VAULT_HANDLE_SIZE];
    uint8_t label_key[VAULT_SECRET_SIZE]; /* K_label: blinds its tags. */
};

/* Who acts. `kind` is ParticipantRegister.Kind, or the following. */
#define VAULT_IS_INSTITUTION 100 /* `id` is a member of the consortium. */
#define VAULT_IS_UNIT 7          /* UNIT of that. */
struct vault_participant {
    uint8_t id[VAULT_ID_SIZE];
    uint32_t kind;
    /* For whom he acts, found with the rest; zeros: it is not known. */
    uint8_t patient[VAULT_HANDLE_SIZE];
};

/* A document. Salt, key and wrap are what erasure destroys. */
struct vault_record {
    uint8_t id[VAULT_ID_SIZE];
    uint8_t subject[VAULT_HANDLE_SIZE]; /* Zeros: none. */
    uint8_t salt[VAULT_SECRET_SIZE];
    uint8_t data_key[VAULT_SECRET_SIZE];
    uint8_t commit[VAULT_SECRET_SIZE];
    uint8_t wrap[VAULT_WRAP_SIZE]; /* Of the data key, for the custodian. */
    uint32_t class_code;           /* CLASS code; 0: not kept at that time. */
    uint8_t first[VAULT_ID_SIZE];  /* The first version under its name. */
    uint8_t root[VAULT_ID_SIZE];   /* Of the first that others replaced. */
    bool ended;                    /* Retracted. */
    /* What the document says of itself, in words of FHIR that fhir/document.h
     * numbers; the ledger has no place for it. */
    uint32_t status;
    uint32_t doc_status;
};

enum vault_consent_kind {
    VAULT_GRANT = 1,
    VAULT_EVIDENCE = 2,
    VAULT_WITHDRAWN = 3,
};

/* A consent. Its received bytes are in the sealed store under its id. */
struct vault_consent {
    uint8_t id[VAULT_ID_SIZE];
    uint8_t subject[VAULT_HANDLE_SIZE];
    uint32_t kind;         /* enum vault_consent_kind */
    uint64_t period_to_ms; /* Of a grant; 0: without end. */
    uint8_t evidence_salt[VAULT_SECRET_SIZE];
    uint8_t source_salt[VAULT_SECRET_SIZE];
    uint8_t data_key[VAULT_SECRET_SIZE];
    bool finds_authors; /* Its rules find each of several (vault/older.h). */
};

/* Something that documents and consents point to. */
struct vault_context {
    uint8_t id[VAULT_ID_SIZE];
    uint8_t subject[VAULT_HANDLE_SIZE]; /* Zeros: it is not known whose. */
};

/* Each `find`: NOT_FOUND if nothing has that name. Each `add`: EXISTS. `add`
 * without secrets given draws random ones. */
PBFT_MUST_USE enum pbft_status vault_find_subject(struct vault *vault,
                                                  struct vault_subject *out,
                                                  const char *name);
PBFT_MUST_USE enum pbft_status vault_add_subject(struct vault *vault,
                                                 struct vault_subject *out,
                                                 const char *name);
PBFT_MUST_USE enum pbft_status
vault_find_participant(struct vault *vault, struct vault_participant *out,
                       const char *name);
PBFT_MUST_USE enum pbft_status
vault_add_participant(struct vault *vault, struct vault_participant *out,
                      const char *name, uint32_t kind);
/* One who acts for that patient, and is forgotten with him: a new one, or the
 * known one with another patient. */
PBFT_MUST_USE enum pbft_status
vault_set_agent(struct vault *vault, struct vault_participant *out,
                const char *name, uint32_t kind,
                const uint8_t patient[VAULT_HANDLE_SIZE]);
/* A name for a member of the consortium. Says EXISTS if it means another; a
 * unit gives it up, with all its names. */
PBFT_MUST_USE enum pbft_status
vault_set_institution(struct vault *vault, const char *name,
                      const struct pbft_institution *institution);
PBFT_MUST_USE enum pbft_status vault_find_context(struct vault *vault,
                                                  struct vault_context *out,
                                                  const char *name);
/* A new one, or the known one with another patient; NULL: it is not known
 * whose, or stays that of whom it was. */
PBFT_MUST_USE enum pbft_status vault_set_context(struct vault *vault,
                                                 struct vault_context *out,
                                                 const char *name,
                                                 const uint8_t *subject);

/* "#" and the handle: one more name of a patient's row. */
#define VAULT_HANDLE_NAME_SIZE (2 + 2 * VAULT_HANDLE_SIZE)
void vault_handle_name(char out[VAULT_HANDLE_NAME_SIZE],
                       const uint8_t handle[VAULT_HANDLE_SIZE]);

#define VAULT_OWN_NAME_SIZE (2 + 2 * VAULT_ID_SIZE)
/* "#" and the id in hexadecimal: the name that a record or consent keeps, and
 * one more of a participant. */
void vault_own_name(char out[VAULT_OWN_NAME_SIZE],
                    const uint8_t id[VAULT_ID_SIZE]);

/* Fresh secrets; stored by the following. */
void vault_draw_record(struct vault_record *out);
void vault_draw_consent(struct vault_consent *out);
/* The newest version under that name. `set` adds a row and lets the name mean
 * it; older versions keep their own names. */
PBFT_MUST_USE enum pbft_status vault_find_record(struct vault *vault,
                                                 struct vault_record *out,
                                                 const char *name);
PBFT_MUST_USE enum pbft_status
vault_set_record(struct vault *vault, const char *name,
                 const struct vault_record *record);
PBFT_MUST_USE enum pbft_status vault_find_consent(struct vault *vault,
                                                  struct vault_consent *out,
                                                  const char *name);
PBFT_MUST_USE enum pbft_status
vault_set_consent(struct vault *vault, const char *name,
                  const struct vault_consent *consent);

/* Notes that a consent or record ended: `name` as above or its own name.
 * NOT_FOUND. */
PBFT_MUST_USE enum pbft_status vault_end_consent(struct vault *vault,
                                                 const char *name);
PBFT_MUST_USE enum pbft_status vault_end_record(struct vault *vault,
                                                const char *name);

/* A blinded label (docs/fhir.md, "Export"): the first 16 bytes of
 * HMAC-SHA-256(K_label, system | "|" | code). */
void vault_blind_tag(uint8_t out[VAULT_TAG_SIZE],
                     const struct vault_subject *subject, const char *system,
                     const char *code);

#endif /* VAULT_ENTRIES_H */
