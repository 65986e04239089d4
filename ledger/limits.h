/* SPDX-License-Identifier: Apache-2.0 */
/* Every limit and size of the transactions, with its reason. */
#ifndef LEDGER_LIMITS_H
#define LEDGER_LIMITS_H

#include "consensus/types.h"

/* Sizes of ids, in bytes. */
#define LEDGER_ID_SIZE 16     /* Participants, consents, records, policies. */
#define LEDGER_HANDLE_SIZE 32 /* Subjects: nobody can guess one. */
#define LEDGER_TAG_SIZE 16    /* Blinded labels. */
#define LEDGER_COMMIT_SIZE 32

/* A body, and what may stand beside it in a transaction. */
#define LEDGER_BODY_MAX (64u * 1024u)
#define LEDGER_COSIGNERS_MAX 8    /* But for decisions of governance. */
#define LEDGER_SIGNATURES_MAX 128 /* Two thirds of 190 institutions. */
#define LEDGER_TRANSACTION_MAX (LEDGER_BODY_MAX + 16u * 1024u)
/* No transaction is shorter: ids of chain, institution and key take 66 bytes.
 * It bounds how many results a batch can make us compute and keep. */
#define LEDGER_TRANSACTION_MIN 64u
/* Transactions in a request: its results stay below 72 KiB. */
#define LEDGER_REQUEST_TRANSACTIONS_MAX 1024

#define LEDGER_PARTICIPANT_ROLES_MAX 8
#define LEDGER_GROUP_MEMBERS_MAX 256
#define LEDGER_SUBJECTS_MAX 256 /* In one SUBJECT_REGISTER. */
#define LEDGER_ACTORS_MAX 16
#define LEDGER_CODES_MAX 64 /* Purposes, actions, classes in one selector. */
#define LEDGER_TAGS_MAX 16
#define LEDGER_DATA_REFS_MAX 32
#define LEDGER_EXCEPTIONS_MAX 16
#define LEDGER_SUPERSEDES_MAX 8
#define LEDGER_ENVELOPES_MAX 64
#define LEDGER_RELATED_MAX 16
/* Consents of one subject in force at a time: bounds what one decision reads.
 */
#define LEDGER_SUBJECT_CONSENTS_MAX 64
/* Changes of the consents of one subject that a late disclosure looks back
 * over; what is older cannot be told. */
#define LEDGER_CHANGES_BACK_MAX 256
/* The same, where a query looks back, which takes nobody's turn: some 8 MiB of
 * rows. */
#define LEDGER_CHANGES_TOLD_MAX 4096
/* What was decided of one access request, what holds included, that a late
 * disclosure looks back over; what is older cannot be told. */
#define LEDGER_DECISIONS_KEPT 4
#define LEDGER_TARGETS_MAX                                                     \
    64 /* Records of one access request: bits of u64.                          \
        */
#define LEDGER_RELIED_MAX 16
#define LEDGER_LEAVES_MAX 65536 /* Of one batch. */
#define LEDGER_PROOF_MAX 17     /* Siblings above one of them. */
#define LEDGER_TABLE_ENTRIES_MAX 256
#define LEDGER_RETENTIONS_MAX 16
#define LEDGER_IDENTIFIERS_MAX 8
#define LEDGER_ENDPOINTS_MAX 8
#define LEDGER_NAME_MAX 32
#define LEDGER_LEGAL_NAME_MAX 128
#define LEDGER_COUNTRY_SIZE 2
#define LEDGER_TEXT_MAX 255
/* An admitted institution may act so many blocks later: by then everybody has
 * executed its admission. */
#define LEDGER_ADMIT_DELAY 16
/* What time does by itself in one block, at most. */
#define LEDGER_SWEEP_MAX 256
#define LEDGER_LOCATION_MAX 320 /* drs://, a host name of 253, an id of 52. */

/* Sessions that a client key keeps (docs/api.md, section 2). */
#define LEDGER_SESSIONS_MAX 16
/* Largest session window W that a genesis may ask for: 128 bytes of bits. */
#define LEDGER_SESSION_WINDOW_MAX 1024

/* Rows of one page of an answer, and what such an answer may take. */
#define LEDGER_PAGE_ROWS_MAX 256
#define LEDGER_PAGE_ROWS_DEFAULT 64
#define LEDGER_WIDE_ROWS_MAX 100     /* Of disclosures and emergencies. */
#define LEDGER_DIRECTORY_ROWS_MAX 20 /* Of institutions: up to 3 KiB each. */
/* Groups of one fold of an accounting, and rows that it may read. */
#define LEDGER_FOLD_GROUPS_MAX 512
#define LEDGER_FOLD_ROWS_MAX 65536
#define LEDGER_ACCOUNT_SUBJECTS_MAX 8
#define LEDGER_QUERY_MAX 1024u
#define LEDGER_ANSWER_MAX (64u * 1024u)

/* Periods of record data are whole days (privacy: finding 3). */
#define LEDGER_DAY_MS 86400000u

static_assert(LEDGER_TRANSACTION_MAX < PBFT_REQUEST_BYTES_MAX,
              "a transaction of full size must fit into a request");

#endif /* LEDGER_LIMITS_H */
