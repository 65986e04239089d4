/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of libsalus.
 *
 * Words: a *submission* is what one salus_submit* call handed over; a *request*
 * is what is signed, holding one or more submissions; an *attempt* is a request
 * sent to one replica.
 *
 * Threads: callers submit and build requests; one ticker thread keeps the
 * deadlines; replies arrive on threads of net/. `lock` guards everything below
 * it in struct salus_client; it is never held while net/ is called or a
 * callback runs.
 */
#ifndef CLIENT_CLIENT_H
#define CLIENT_CLIENT_H

#include <pthread.h>

#include "client/salus.h"
#include "consensus/verify.h"
#include "crypto/provider.h"
#include "crypto/remember.h"
#include "ledger/results.h"
#include "ledger/transaction.h"
#include "net/channel.h"
#include "proto/arena.h"
#include "proto/genesis.h"
#include "salus/v1/client.pb-c.h"

/* Submissions that wait or fly: bounds the memory of a client that submits
 * faster than the consortium executes. */
#define CLIENT_SUBMISSIONS_MAX 65536
#define CLIENT_QUEUE_BYTES_MAX (64u * 1024u * 1024u)
#define CLIENT_BUSY_WAIT_MS 50      /* If BUSY does not say how long. */
#define CLIENT_BUSY_MAX 3           /* Then another replica is asked. */
#define CLIENT_BUSY_LONGEST_MS 1000 /* Whatever it says: it may lie. */

struct request;

struct submission {
    struct submission *next;
    struct request *request; /* NULL while it is queued. */
    size_t count;            /* 0: a barrier; it has one result all the same. */
    size_t result_count;
    size_t bytes; /* Of all its transactions, as a request holds them. */
    bool urgent;  /* Nothing but withdrawals: goes by the urgent lane. */
    struct transaction_bytes *sealed; /* The transactions; owned. */
    struct salus_result *results;     /* Owned; tx ids are filled in. */
    pbft_time_ms deadline;
    uint64_t queued_us;
    salus_done *done;
    void *context;
};

enum request_state {
    REQUEST_READY,   /* To be sent now. */
    REQUEST_FLYING,  /* An attempt is under way. */
    REQUEST_WAITING, /* For `retry_at`. */
    REQUEST_ENDED
};

struct request {
    struct request *next; /* In order of sequence. */
    uint32_t references;  /* The list, and each attempt under way. */
    enum request_state state;
    struct submission *first; /* NULL: a VOID for which nobody waits. */
    size_t transaction_count;
    size_t told_count; /* Of them, the first, whose submitters gave up. */
    uint64_t sequence;
    const struct pbft_message *message; /* The signed request. */
    struct pbft_buffer *call; /* The encoded ClientCall; sent without lock. */
    uint32_t replica;         /* Asked last. */
    uint32_t attempts;
    uint64_t attempt; /* Number of the last attempt: older ones are stale. */
    struct pbft_replica_set refused; /* By whom. */
    uint32_t busy;                   /* How often in a row a replica said so. */
    bool is_void; /* Fills the gap of a request that was given up. */
    struct pbft_digest given_up; /* is_void: the digest of that request. */
    bool may_be_ordered;         /* Somebody has or may have taken it on. */
    uint32_t refusal_code;       /* Ledger code of the last refusal of it, not
                                    of the VOID. */
    enum salus_status failure;   /* What to say if nothing better comes. */
    pbft_time_ms retry_at;
    pbft_time_ms deadline; /* Of the submission that may wait longest. */
};

/* A call that is not a submission: query, status, lookup. */
struct plain_call {
    bool ended;
    enum pbft_status status;
    struct pbft_buffer *reply;
    struct fan_out *fan; /* NULL: somebody waits for this one alone. */
};

/* What on_reply() gets back as its token. */
struct attempt {
    struct salus_client *client;
    struct request *request; /* Or */
    struct plain_call *plain;
    uint32_t replica;
    uint64_t number;
};

struct salus_client {
    /* Constant after salus_open(). */
    struct salus_genesis *genesis;
    struct crypto_provider *provider;
    struct crypto_remember remember; /* What `domain` and `verifier` use. */
    struct pbft_domain domain;
    struct pbft_keyring keyring;
    struct pbft_verifier verifier;
    struct pbft_institution institution;
    struct transaction_key_id key_id;
    struct pbft_public_key key;
    uint32_t replica_count;
    uint32_t home; /* The replica that is asked first. */
    uint64_t session;
    uint32_t window;            /* Sequences that may be open at once. */
    struct salus_config config; /* Texts in it are not valid any more. */
    char *certificate_pem;
    char *tls_key_pem;
    pthread_t ticker;
    bool has_ticker;

    pthread_mutex_t opening; /* One channel is opened at a time. */
    pthread_mutex_t lock;
    pthread_cond_t changed; /* Something ended. */
    pthread_cond_t tick;    /* The ticker is wanted before `sleeps_until_us`. */
    uint64_t sleeps_until_us;
    struct net_channel *channels[PBFT_REPLICAS_MAX]; /* NULL: not needed yet. */
    struct submission *queue_first;
    struct submission *queue_last;
    size_t queue_count; /* Transactions. */
    size_t queue_bytes;
    size_t submissions;             /* Queued or flying. */
    size_t users;                   /* Calls of this library under way. */
    size_t channel_users;           /* Of a channel, for a moment. */
    struct request *requests_first; /* In order of sequence. */
    struct request *requests_last;
    size_t requests_flying;
    uint64_t next_sequence;
    uint32_t preferred;                             /* Answered last. */
    pbft_time_ms channel_opened[PBFT_REPLICAS_MAX]; /* When. */
    bool closing;
    uint64_t seen; /* The highest block of which there was proof. */
    struct salus_statistics statistics;
    struct client_home {
        struct salus_client *client;
        uint32_t replica;
    } homes[PBFT_REPLICAS_MAX]; /* Contexts of the channels. */
};

pbft_time_ms client_now_ms(void);
uint64_t client_now_us(void);

/* ---- connect.c ----------------------------------------------------------- */

/* The channel to a replica, opened when it is first needed; NULL if there is
 * none, or the client closes. Give it back soon. Lock not held. */
struct net_channel *client_channel_take(struct salus_client *client,
                                        uint32_t replica);
void client_channel_give_back(struct salus_client *client);

/* Around each call of the library that uses the handle; salus_close() waits.
 * False: the client closes. */
bool client_enter(struct salus_client *client);
void client_leave(struct salus_client *client);

/* ---- certificate.c ------------------------------------------------------- */

/* Is the certificate that of this institution's clients, issued by its CA, in
 * force, and does the key belong to it? A wrong one would only show as replicas
 * that do not answer. A file with a whole chain is left to the handshake. */
PBFT_MUST_USE enum pbft_status
client_check_certificate(const struct salus_client *client,
                         const struct salus_config *config,
                         struct salus_reason *reason);

/* ---- session.c ----------------------------------------------------------- */

/* Takes a session number above that of the file and makes it durable there. */
PBFT_MUST_USE enum pbft_status
client_session_begin(const char *path, uint64_t *session,
                     struct salus_reason *reason);

/* ---- request.c: submissions become signed requests. Lock held. ----------- */

/* Copies the transactions and names them; none make a barrier.
 * INVALID_ARGUMENT: not transactions, or more than a request holds; NO_MEMORY.
 * Lock not needed. */
PBFT_MUST_USE enum pbft_status client_submission_create(
    struct submission **out, const struct salus_client *client,
    const struct salus_transaction *transactions, size_t count);
void client_submission_destroy(struct submission *submission);

/* Moves queued submissions into requests as far as limits and gathering allow;
 * the requests are REQUEST_READY. Returns when, in microseconds, to be asked
 * again; UINT64_MAX: when a request ends. */
uint64_t client_gather(struct salus_client *client, uint64_t now_us);
/* Turns a request that is given up into a VOID of the same sequence. */
PBFT_MUST_USE enum pbft_status client_make_void(struct salus_client *client,
                                                struct request *request);
void client_request_release(struct request *request);

/* ---- flight.c: requests to replicas and back. ---------------------------- */

/* Gathers and sends what is ready. Lock not held. Returns when there is more to
 * gather, in microseconds, and wakes the ticker if it would sleep longer. */
uint64_t client_progress(struct salus_client *client);
/* Another replica; a pause once all of them were asked. Lock held. */
void client_ask_another(struct salus_client *client, struct request *request);
/* The same one again, after a pause. Lock held. */
void client_wait_for(struct request *request, pbft_time_ms pause_ms);
/* net_channel's on_state. */
void client_on_state(void *context, bool connected);

/* ---- replies.c: what is proved, and what is not. ------------------------- */

/* There was proof of this block: certified reads show no earlier one. Lock
 * held. */
void client_saw(struct salus_client *client, uint64_t seq);
/* net_channel's on_reply. */
void client_on_reply(void *context, uint64_t token, enum pbft_status status,
                     struct pbft_buffer *reply);

/* ---- submit.c ------------------------------------------------------------ */

/* Orders a request that does nothing, and waits for its proof: what any
 * client had proof of before the call stands in `result->seq` or earlier. */
enum salus_status client_barrier(struct salus_client *client,
                                 struct salus_result *result);

/* ---- ending.c: results to callers ---------------------------------------- */

/* Ends a request with the same status for all its transactions. Lock held;
 * returns its submissions for client_call_back(). */
struct submission *client_end_request(struct salus_client *client,
                                      struct request *request);
void client_fill_results(struct submission *list, enum salus_status status,
                         uint32_t code);
/* Runs the callbacks and frees the submissions. Lock not held. */
void client_call_back(struct salus_client *client, struct submission *list);

/* ---- ticker.c ------------------------------------------------------------ */

/* The thread that keeps all deadlines. */
void *client_ticker(void *client);

/* ---- fan_out.c ----------------------------------------------------------- */

/* A call of a fan-out has ended. Lock held. */
void fan_out_ended(struct plain_call *call);

/* ---- read.c -------------------------------------------------------------- */

struct Salus__V1__Refusal;
enum salus_status
client_status_of_refusal(const struct Salus__V1__Refusal *refusal);

/* An attempt of a plain call has ended. Takes the reply. */
void client_plain_ended(struct salus_client *client, struct plain_call *call,
                        enum pbft_status status, struct pbft_buffer *reply);

/* Calls, decodes into `arena`. `*out` is set if SALUS_OK. */
enum salus_status client_exchange(struct salus_client *client, uint32_t replica,
                                  Salus__V1__ClientCall *call,
                                  struct wire_arena *arena,
                                  const Salus__V1__ClientReply **out);
/* Gives a packed message to the caller. */
enum salus_status client_hand_out(struct salus_bytes *out,
                                  const ProtobufCMessage *message);

#endif /* CLIENT_CLIENT_H */
