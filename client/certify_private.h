/* SPDX-License-Identifier: Apache-2.0 */
/* A certified read at work. Private to certify*.c. */
#ifndef CLIENT_CERTIFY_PRIVATE_H
#define CLIENT_CERTIFY_PRIVATE_H

#include "client/certify.h"

/* One replica. */
struct certify_witness {
    enum salus_witness verdict;
    enum salus_status refused; /* Why, if it REFUSES. */
    bool is_final;             /* It is not asked again. */
    bool is_gone;              /* It has no state after that block any more. */
    bool is_busy;              /* It said: later. */
    bool has_newest;
    uint64_t newest; /* The last block that it says it has. */
    bool has_said;   /* The three below: its signature holds. */
    struct pbft_answered said;
    struct pbft_vote vote;
    bool wants_body; /* It is to give the answer too. */
    uint64_t asked;  /* After which block, in the last call. */
    pbft_time_ms again_at;
    bool was_absent; /* On the page before: nobody waits for it. */
};

/* An answer with the digest that its giver signed. */
struct certify_body {
    uint8_t *bytes; /* From malloc; NULL: none yet. */
    size_t size;
    struct pbft_digest digest;
};

/* ---- certify_judge.c ----------------------------------------------------- */

/* Equal in all that was signed. */
bool certify_same(const struct pbft_answered *left,
                  const struct pbft_answered *right);

/* Reads the reply of `replica`, checks its signature under the question, and
 * notes what it says; an answer that comes along goes into `body`. */
void certify_judge(const struct salus_client *client,
                   const struct pbft_digest *question, uint32_t replica,
                   struct pbft_bytes reply, struct certify_witness *witness,
                   struct certify_body *body);

/* ---- one page ------------------------------------------------------------ */

struct Salus__V1__Query;
struct fan_out;

struct certify {
    struct salus_client *client;
    struct fan_out *fan;
    struct pbft_digest question;
    struct Salus__V1__Query *query;
    bool is_fixed;   /* The caller has chosen the block. */
    bool is_chosen;  /* The block is; else each tells its newest. */
    uint64_t height; /* The block that was chosen. */
    uint64_t lowest; /* That will do. */
    uint32_t source; /* Who is asked for the answer itself. */
    pbft_time_ms deadline;
    pbft_time_ms patient_until; /* At this height. */
    pbft_time_ms grace_until;   /* For the rest, once f + 1 have come; or 0. */
    struct certify_witness witnesses[PBFT_REPLICAS_MAX];
    struct certify_body body;
};

/* ---- certify_count.c ----------------------------------------------------- */

/* Does it owe an answer after the block that is asked about? */
bool certify_owes(const struct certify *certify, uint32_t replica);
/* A member of a group of f + 1 that said the same; replica_count: none. */
uint32_t certify_find_group(const struct certify *certify);
/* Nobody is left from whom more may come soon. */
bool certify_all_have_spoken(const struct certify *certify);
/* The highest block that f + 1 of those who answer say they have; false: too
 * few answer. */
bool certify_agree_on_height(const struct certify *certify, uint64_t *out);
/* f + 1 cannot come together at this height any more. */
bool certify_is_hopeless(const struct certify *certify);
/* Everybody has spoken. */
bool certify_nobody_owes(const struct certify *certify);
/* Nobody agreed: those that contradict each other DISAGREE. */
void certify_name_contradictions(struct certify *certify);
/* Who signed what, if two contradict each other and none did before. */
void certify_keep_statements(const struct certify *certify,
                             struct certify_witnesses *out);
/* What to say when f + 1 did not agree, from those who answered. */
enum salus_status certify_why_not(const struct certify *certify);

#endif /* CLIENT_CERTIFY_PRIVATE_H */
