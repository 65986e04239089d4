/* SPDX-License-Identifier: Apache-2.0 */
/* libsalus: submit transactions to a consortium, and get proof of what became
 * of them.
 *
 * Every result that this library reports as done or refused was proved: the
 * reply of a replica is checked against a Merkle path and f + 1 signed
 * attestations of distinct members. No single replica has to be trusted,
 * neither to order nor to answer truthfully. Queries at read level `local` are
 * the exception; they are named so. Answers at the other levels carry f + 1
 * signatures.
 *
 * Rules for all calls. A client handle may be used from any number of threads.
 * Arguments: the handle first, then outputs, then inputs. Pointers are borrowed
 * for the call unless the comment says otherwise; NULL is allowed only where it
 * says so. No call blocks for ever: each has a deadline. A process must not
 * fork, without exec, after the first salus_open().
 */
#ifndef SALUS_H
#define SALUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__) || defined(__clang__)
#define SALUS_API __attribute__((visibility("default")))
#define SALUS_MUST_USE __attribute__((warn_unused_result))
#else
#define SALUS_API
#define SALUS_MUST_USE
#endif

#define SALUS_ID_SIZE 16
#define SALUS_DIGEST_SIZE 32
#define SALUS_SIGNATURE_SIZE 64
#define SALUS_TRANSACTIONS_MAX 1024 /* In one call, and in one request. */
/* Together, with up to 4 bytes around each. */
#define SALUS_REQUEST_BYTES_MAX (1024 * 1024)
#define SALUS_PROBLEM_SIZE 256

/* How a call ended. Values never change their meaning. */
enum salus_status {
    SALUS_OK = 0,
    SALUS_INVALID_ARGUMENT = 1, /* The caller's mistake. */
    SALUS_BAD_FILE =
        2, /* A file is missing, damaged or not what it should be. */
    SALUS_REFUSED = 3, /* Ordered and refused: see `code`. Proved. */
    SALUS_INADMISSIBLE =
        4, /* f + 1 replicas refuse to order it: an honest one, too. No proof
              that nobody did: one that lies may have. */
    SALUS_TIMED_OUT = 5, /* Not proved in time. It may still happen; submit the
                            same bytes again to learn: they are carried out
                            once, and TX_DUPLICATE says that they were. */
    SALUS_UNREACHABLE = 6, /* No replica answered. */
    SALUS_UNPROVED = 7,    /* Replicas answered, none could prove it; it may
                              still happen, as with TIMED_OUT. */
    SALUS_NOT_FOUND = 8,
    SALUS_NOT_AUTHORIZED = 9,
    SALUS_CLOSED = 10, /* The handle was closed meanwhile. */
    SALUS_LIMIT = 11,  /* Too much is under way; wait for something first. */
    SALUS_NO_MEMORY = 12,
};

/* A static text; never NULL. */
SALUS_API const char *salus_status_text(enum salus_status status);
/* Name and text of a ledger code (docs/api.md), as in salus_result.code. */
SALUS_API const char *salus_code_name(uint32_t code);
SALUS_API const char *salus_code_text(uint32_t code);

/* Where things are. `salus_config_init` fills in the defaults; set the four
 * files. Texts are copied by salus_open(). */
struct salus_config {
    const char *genesis_file;     /* Of the consortium. */
    const char *key_file;         /* Client key, mode 0600. */
    const char *certificate_file; /* PEM, of "client.<institution>". */
    const char *tls_key_file;     /* PEM, mode 0600. */
    const char *session_file; /* Where the last session number is kept; NULL:
                                 key_file with ".session" behind it. All that
                                 use the key share it. */
    const char *replica;      /* Short name of the institution whose replica is
                                 asked first; NULL: the own one. */
    uint32_t timeout_ms;      /* For a whole call, fail-over included. */
    uint32_t attempt_timeout_ms;       /* Then another replica is asked. */
    uint32_t transactions_per_request; /* Coalescing limit; 1: none. */
    uint32_t requests_in_flight;       /* Beyond it transactions gather. */
    uint32_t max_staleness_ms; /* Certified reads: a block older than that, by
                                  our clock, is not good enough; 0: any is. An
                                  idle ledger has no newer one: read `ordered`
                                  there. */
    uint32_t witness_grace_ms; /* Certified reads: once f + 1 agree, so long
                                  for the others to show whether they do. */
    uint32_t gather_us;    /* The longest that one gathers while others fly. */
    bool unsafe_plain_tcp; /* Measurements only: gives up secrecy and the
                              identity of the replicas. */
};
SALUS_API void salus_config_init(struct salus_config *config);

struct salus_client;

/* Reads the files, begins a new session and connects in the background.
 * `problem` (SALUS_PROBLEM_SIZE bytes, or NULL) says in one line what is wrong.
 * On success the caller closes `*out`. */
SALUS_API SALUS_MUST_USE enum salus_status
salus_open(struct salus_client **out, char *problem,
           const struct salus_config *config);

/* Calls under way end with SALUS_CLOSED. Returns when no callback runs any
 * more. NULL is fine. */
SALUS_API void salus_close(struct salus_client *client);

/* Bytes that the caller frees with salus_free(). */
struct salus_bytes {
    uint8_t *data;
    size_t size;
};
SALUS_API void salus_free(struct salus_bytes *bytes);

/* What a transaction body has to name: the cluster id (32 bytes), the own
 * institution and the own key (16 bytes each). */
SALUS_API void salus_identity(const struct salus_client *client,
                              uint8_t cluster[SALUS_DIGEST_SIZE],
                              uint8_t institution[SALUS_ID_SIZE],
                              uint8_t key_id[SALUS_ID_SIZE]);

/* An encoded Transaction (proto/salus/v1/ledger.proto). */
struct salus_transaction {
    const uint8_t *data;
    size_t size;
};

/* What became of one transaction. */
struct salus_result {
    enum salus_status status;
    uint32_t code; /* Ledger code, proved with SALUS_OK (0) and SALUS_REFUSED;
                      else what a replica said, or 0. */
    uint8_t tx_id[SALUS_DIGEST_SIZE];
    uint64_t seq;           /* Block; 0 if it is not in one. */
    uint64_t block_time_us; /* Since 1970 UTC. */
    uint8_t write_digest[SALUS_DIGEST_SIZE];
};

/* Submits one transaction and waits for the proof. Returns result->status. */
SALUS_API enum salus_status
salus_submit(struct salus_client *client, struct salus_result *result,
             const struct salus_transaction *transaction);

/* The same for up to SALUS_TRANSACTIONS_MAX, in this order, in one signed
 * request; `results` has one for each. Returns the first status that is not
 * SALUS_OK; INVALID_ARGUMENT for all if they are more than
 * SALUS_REQUEST_BYTES_MAX together. */
SALUS_API enum salus_status
salus_submit_many(struct salus_client *client, struct salus_result *results,
                  const struct salus_transaction *transactions, size_t count);

/* Called once per submission, from a thread of the library; must not block nor
 * close the client. */
typedef void salus_done(void *context, const struct salus_result *results,
                        size_t count);

/* Returns at once; `done` follows exactly if SALUS_OK is returned. The
 * transactions are copied and stay together in one request. */
SALUS_API SALUS_MUST_USE enum salus_status
salus_submit_async(struct salus_client *client,
                   const struct salus_transaction *transactions, size_t count,
                   salus_done *done, void *context);

/* Waits until everything submitted before has ended. SALUS_TIMED_OUT. */
SALUS_API enum salus_status salus_wait(struct salus_client *client,
                                       uint32_t timeout_ms);

/* Asks for the proof of a transaction again. On SALUS_OK `receipt` holds an
 * encoded Receipt (files.proto) that was verified; the caller frees it. */
SALUS_API enum salus_status
salus_receipt(struct salus_client *client, struct salus_bytes *receipt,
              const uint8_t tx_id[SALUS_DIGEST_SIZE]);

/* What a receipt proves. */
struct salus_proof {
    uint8_t tx_id[SALUS_DIGEST_SIZE];
    /* On whose behalf it was submitted; zeros if `code` is KEY_STATE or
     * FOREIGN_INSTITUTION: then nobody has shown that. */
    uint8_t institution[SALUS_ID_SIZE];
    uint32_t code; /* 0: ordered and done; else ordered and refused. But
                      TX_DUPLICATE: done before; DUPLICATE: the request was
                      executed before, and what came of it then another
                      receipt tells. */
    uint64_t seq;
    uint64_t block_time_us; /* Since 1970 UTC. */
    uint32_t attestations;  /* Members that signed the block. */
};

/* Checks a receipt (armored text or encoded) offline against a genesis file; no
 * client is needed. SALUS_OK: proved, see `code` for what. SALUS_UNPROVED: the
 * check that `problem` (SALUS_PROBLEM_SIZE bytes, or NULL) names has failed.
 * SALUS_BAD_FILE: the genesis file is not one. */
SALUS_API SALUS_MUST_USE enum salus_status
salus_verify_receipt(struct salus_proof *out, char *problem,
                     const char *genesis_file, const uint8_t *receipt,
                     size_t size);

/* Read level `local`: the answer of one replica, by default the own one, from
 * its state. `query` is an encoded Query, `answer` an encoded Answer; the
 * caller frees it. */
SALUS_API enum salus_status salus_query_local(struct salus_client *client,
                                              struct salus_bytes *answer,
                                              const uint8_t *query,
                                              size_t query_size);

/* Read levels. `local`: the word of one replica. `certified`: f + 1 replicas
 * signed the same answer, true after the same block; not below any block of
 * which this client has had proof, but perhaps behind the newest. `ordered`:
 * certified, after a request that does nothing was ordered for it: whatever was
 * proved to anybody before the call is seen. */
enum salus_read_level {
    SALUS_READ_LOCAL = 1, /* Only salus_query_local(). */
    SALUS_READ_CERTIFIED = 2,
    SALUS_READ_ORDERED = 3,
};

#define SALUS_REPLICAS_MAX 128

/* What a replica did in a certified read. */
enum salus_witness {
    SALUS_WITNESS_NOT_ASKED = 0,
    SALUS_WITNESS_AGREES = 1,
    SALUS_WITNESS_DISAGREES =
        2, /* It signed something else about that block. */
    SALUS_WITNESS_BAD_REPLY = 3, /* It answered what it had not signed. */
    SALUS_WITNESS_REFUSES = 4,
    SALUS_WITNESS_BEHIND = 5, /* It has not executed the block yet, or does not
                                 keep the state after it any more. */
    SALUS_WITNESS_SILENT = 6, /* No answer in time, or too busy. */
    SALUS_WITNESS_UNREACHABLE = 7,
};
/* A static text; never NULL. */
SALUS_API const char *salus_witness_text(enum salus_witness witness);

/* What a replica signed about the answer to one question after one block. */
struct salus_statement {
    bool is_there; /* It said something. */
    uint64_t height;
    uint64_t block_time_us;
    uint64_t epoch;
    uint64_t incarnation;
    uint8_t ledger_root[SALUS_DIGEST_SIZE];
    uint8_t answer[SALUS_DIGEST_SIZE];       /* Digest of the answer. */
    uint8_t signature[SALUS_SIGNATURE_SIZE]; /* Over all that (docs/wire.md). */
};

/* A certified answer. */
struct salus_certified {
    struct salus_bytes *answers; /* Encoded Answers, one a page. */
    size_t answer_count;
    struct salus_bytes proof; /* Encoded QueryProof (files.proto): keep it. */
    uint32_t code;            /* Ledger code of the answer; 0: it is there. */
    uint64_t height;          /* The block after which it is true. */
    uint64_t block_time_us;   /* Since 1970 UTC. */
    /* What each replica did; set whatever the status. */
    enum salus_witness witnesses[SALUS_REPLICAS_MAX];
    /* Two that contradict each other, kept whatever the status: what each
     * replica signed about the first page on which two of them did, and the
     * digest of that question. */
    bool has_contradiction;
    uint8_t question[SALUS_DIGEST_SIZE];
    struct salus_statement statements[SALUS_REPLICAS_MAX];
};

/* All pages of the answer to an encoded Query without a cursor, from one state.
 * With SALUS_OK the caller frees `out` with salus_certified_free().
 * SALUS_UNPROVED: f + 1 replicas do not agree, or the block is older than
 * `max_staleness_ms` of the configuration; SALUS_LIMIT: more pages than a proof
 * may hold: ask for less. The timeout of the configuration is that of each
 * page. */
SALUS_API enum salus_status salus_query_certified(struct salus_client *client,
                                                  struct salus_certified *out,
                                                  enum salus_read_level level,
                                                  const uint8_t *query,
                                                  size_t query_size);
SALUS_API void salus_certified_free(struct salus_certified *certified);

/* What a proof of a certified answer shows. */
struct salus_certificate {
    uint8_t institution[SALUS_ID_SIZE]; /* Who asked. */
    uint32_t code;                      /* 0: the answer is there. */
    uint64_t height;
    uint64_t block_time_us; /* Since 1970 UTC. */
    uint32_t pages;
    uint32_t signatures; /* Of members, on each page: f + 1. */
};

/* Checks such a proof (armored text or encoded) offline, as
 * salus_verify_receipt() does with receipts. */
SALUS_API SALUS_MUST_USE enum salus_status
salus_verify_query(struct salus_certificate *out, char *problem,
                   const char *genesis_file, const uint8_t *proof, size_t size);
/* Key envelopes: wrapped data keys, on their way from the custodian of a record
 * to whom KEY_GRANT has granted it (proto/salus/v1/delivery.proto;
 * docs/api.md). Each asks one replica: the own institution's, or the one that
 * the configuration names. Arguments and answers are encoded messages; the
 * caller frees the answer. Repeating any of them does no harm. */

/* The custodian: DeliverCall, to Deliveries. On SALUS_OK each envelope has its
 * own code in the answer. */
SALUS_API enum salus_status salus_deliver(struct salus_client *client,
                                          struct salus_bytes *deliveries,
                                          const uint8_t *call, size_t size);
/* The recipient: InboxCall, to Inbox. */
SALUS_API enum salus_status salus_inbox(struct salus_client *client,
                                        struct salus_bytes *inbox,
                                        const uint8_t *call, size_t size);
/* The recipient, when it has stored what it fetched: TakenCall, to Deliveries.
 * The replica erases them. */
SALUS_API enum salus_status salus_taken(struct salus_client *client,
                                        struct salus_bytes *deliveries,
                                        const uint8_t *call, size_t size);
/* The custodian: DeliveriesCall, to Deliveries. */
SALUS_API enum salus_status salus_deliveries(struct salus_client *client,
                                             struct salus_bytes *deliveries,
                                             const uint8_t *call, size_t size);

/* An encoded NodeStatus of one replica; the caller frees it. */
SALUS_API enum salus_status salus_replica_status(struct salus_client *client,
                                                 struct salus_bytes *status,
                                                 uint32_t replica);
/* An encoded EvidenceList of one replica; the caller frees it. */
SALUS_API enum salus_status salus_replica_evidence(struct salus_client *client,
                                                   struct salus_bytes *evidence,
                                                   uint32_t replica);
SALUS_API uint32_t salus_replica_count(const struct salus_client *client);
/* Short name of the institution that runs it; NULL if there is no such. */
SALUS_API const char *salus_replica_name(const struct salus_client *client,
                                         uint32_t replica);

/* What the library did, since it was opened. */
struct salus_statistics {
    uint64_t transactions; /* Submitted. */
    uint64_t requests;     /* Signed. */
    uint64_t fail_overs;   /* Another replica was asked. */
    uint64_t busy;         /* Replies that said: later. */
    uint64_t bad_replies;  /* Replies that proved nothing. */
};
SALUS_API void salus_get_statistics(struct salus_client *client,
                                    struct salus_statistics *out);

#ifdef __cplusplus
}
#endif

#endif /* SALUS_H */
