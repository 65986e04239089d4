/* SPDX-License-Identifier: Apache-2.0 */
/* The replica's state and what its rooms offer each other. Private to the core:
 * the public face is pbft.h.
 *
 * A step runs one handler on_*(), then does what has become possible:
 * fetching, proposing, arming timers.
 */
#ifndef CONSENSUS_REPLICA_H
#define CONSENSUS_REPLICA_H

#include "consensus/assert.h"
#include "consensus/certificate.h"
#include "consensus/log.h"
#include "consensus/mark.h"
#include "consensus/monitor.h"
#include "consensus/output.h"
#include "consensus/pbft.h"
#include "consensus/quorum.h"
#include "consensus/request.h"
#include "consensus/sync.h"
#include "consensus/timer.h"
#include "consensus/verified.h"
#include "consensus/witness.h"

/* Own attestations at checkpoints that are kept to be compared with a proof
 * that comes late. */
#define PBFT_CHECKPOINTS_KEPT 8u
/* f + 1 of the largest cluster. */
#define PBFT_WEAK_QUORUM_MAX (PBFT_REPLICAS_MAX / 3 + 1)
/* Wrong NEW-VIEWs of one view that are looked at. Each may cost the checks of a
 * whole window of certificates; a right one may come after a wrong one. */
#define PBFT_NEW_VIEW_TRIES_MAX 4u
/* Batches proposed in one step; the rest follows with the batch timer. */
#define PBFT_PROPOSALS_PER_STEP_MAX 4u

enum pbft_stage {
    PBFT_STAGE_CREATED,   /* Waits for APPLIED. */
    PBFT_STAGE_RESTORING, /* Takes records. */
    PBFT_STAGE_RUNNING,
};

/* What a peer said of itself; claims, never proofs. */
struct pbft_peer {
    pbft_view view;
    bool view_active;
    pbft_seq stable;
    pbft_seq executed;
    pbft_time_ms resend_after; /* Not resent to before this. */
    uint32_t answers_left;     /* Questions it may still ask, until: */
    pbft_time_ms answers_until;
    uint32_t serve_messages_left; /* It may still fetch so many, */
    size_t serve_bytes_left;      /* of so many bytes, until: */
    pbft_time_ms serve_until;
    uint32_t pace; /* As donor: sync.c. 0: not tried. */
    /* Of its pre-prepares, prepares and commits that counted one of the highest
     * seq in the highest view: it may forget them (design: P14). A reference,
     * or NULL. */
    const struct pbft_message *last_vote;
    /* Its view-change for the highest view; those who went on forget it. */
    const struct pbft_message *last_view_change;
};

/* Changing views (OSDI'99 4.4). At most three view-changes per sender are held,
 * whatever it sends. Messages are references; NULL: none. */
struct pbft_view_changes {
    /* For the view that is asked for, by sender. */
    const struct pbft_message *collected[PBFT_REPLICAS_MAX];
    uint32_t collected_count;
    /* The highest one above our view, by sender. */
    const struct pbft_message *ahead[PBFT_REPLICAS_MAX];
    /* A NEW-VIEW and those of the view-changes it names that we have. */
    const struct pbft_message *pending;
    const struct pbft_message *found[PBFT_REPLICAS_MAX];
    /* NEW-VIEWs of one view that were found to be wrong. */
    pbft_view refuted_view;
    uint32_t refuted_count;
    /* What the current view was opened with: others may ask for it. */
    const struct pbft_message *entered[PBFT_REPLICAS_MAX];
    const struct pbft_message **choice; /* Scratch: one window. */
    uint32_t failures; /* Views that did not last, one after the other. */
    bool has_lasted;   /* This view is a stable one. */
    /* This view, if it is active; 0 after a start: nothing has failed yet. */
    pbft_time_ms entered_at;
};

/* Coming back after promises were lost (design: P14). */
struct pbft_recovery {
    bool is_active; /* Until the own RECOVER has been executed. */
    /* The RECOVER that was asked for last, as it stands in the log; before one
     * could be asked for: a mark with PBFT_INCARNATION_UNKNOWN. NULL: none. */
    const struct pbft_message *mark;
    uint64_t target;                    /* The incarnation that `mark` names. */
    pbft_seq claims[PBFT_REPLICAS_MAX]; /* What who answered has executed. */
    /* The highest bound of any replica's incarnation: the primary owes null
     * batches up to it. */
    pbft_seq owed;
    pbft_seq owed_seq;       /* Committed when the time began to run. */
    pbft_time_ms owed_since; /* Backup: the primary is silent since. */
};

struct pbft_replica {
    struct pbft_config config;
    const struct pbft_domain *domain;
    const struct pbft_keyring *keyring;
    uint32_t n;
    uint32_t quorum; /* Q (design: P1). */
    uint32_t weak;   /* f + 1. */
    struct pbft_replica_set others;
    const struct pbft_message *null_batch;

    enum pbft_stage stage;
    pbft_time_ms now;
    pbft_wall_us wall;

    /* Starting (design: P14): peers that have answered our question; no vote
     * before Q - 1 did. */
    uint64_t question;
    struct pbft_replica_set answered;
    bool may_vote;
    bool is_fresh; /* Starting with nothing durable at all. */
    struct pbft_incarnations incarnations; /* As of `executed`. */
    struct pbft_recovery recovery;

    pbft_view view;
    bool view_active; /* False between view-change and new-view. */
    const struct pbft_message *own_view_change; /* The last one, or NULL. */
    pbft_time_ms view_change_at;                /* Sent to all last. */
    const struct pbft_message *new_view;        /* Of the view entered last. */
    pbft_seq view_floor; /* Nothing up to it is proposed in this view. */

    struct pbft_view_changes changes;

    struct pbft_slot_log log;
    pbft_seq next_seq;         /* Primary: what it assigns next. */
    pbft_seq highest_seq;      /* The highest accepted header of this view. */
    uint32_t missing_bodies;   /* Accepted headers without their batch. */
    pbft_replica_id body_peer; /* Who is asked for them. */
    pbft_seq committed;        /* Handed out. */
    pbft_time_ms progress_at;  /* The last of them, or voting here began. */
    pbft_seq executed;
    pbft_seq attested;     /* f + 1 attestations of all up to here. */
    pbft_seq diverged;     /* Where Q others contradicted us; 0: nowhere. */
    pbft_seq behind;       /* f + 1 peers claim to have executed so far. */
    pbft_seq status_seq;   /* Committed when RESEND was armed. */
    pbft_seq orphan_seq;   /* Restoring: a vote without its pre-prepare. */
    pbft_seq low_at_start; /* May be above `executed` after a crash. */
    struct pbft_attestation applied;         /* What APPLIED said. */
    const struct pbft_message *stable;       /* Proof of `log.low`. */
    const struct pbft_message *stable_ahead; /* Waits to be passed, or NULL. */
    struct pbft_attestation checkpoints[PBFT_CHECKPOINTS_KEPT];
    /* What was executed last, a window of it: seq is at seq % window. Blocks
     * that were executed beyond the window, or in silence, are attested when
     * their slots come. */
    struct pbft_attestation *recent;
    bool is_attesting_late;

    struct pbft_requests requests;
    const struct pbft_message **batch; /* Room for one batch's requests. */
    pbft_time_ms gathering_since;
    bool batch_is_due; /* Gathered long enough, says the timer. */
    bool has_spoken;   /* Primary: a pre-prepare since the last heartbeat. */

    struct pbft_peer peers[PBFT_REPLICAS_MAX];
    struct pbft_sync sync;
    pbft_replica_id stable_peer; /* Who was asked for a proof last. */
    struct pbft_timers timers;
    struct pbft_witness witness;    /* Design: P15. */
    struct pbft_verified *verified; /* Of certificates in view-changes. */
    struct pbft_monitor monitor;    /* Design: P8. */
    pbft_wall_us next_due;          /* The service wants a block then (P18). */
    pbft_wall_us proposed_due;      /* Primary: one was proposed for this. */
    pbft_wall_us block_time;        /* Of the last executed block. */
    struct pbft_digest ledger_root; /* After it. */
    struct pbft_output_buffer output;
};

/* replica.c */
bool pbft_is_primary(const struct pbft_replica *replica);
pbft_replica_id pbft_primary(const struct pbft_replica *replica);
/* Sender, epoch and incarnation of what we sign; no signature yet. */
struct pbft_origin pbft_own_origin(const struct pbft_replica *replica);
struct pbft_certifier pbft_own_certifier(const struct pbft_replica *replica);
/* Arms the timers that run always. */
void pbft_arm_periodic(struct pbft_replica *replica);
/* Signs a message just built. Asserts that memory was not short. */
const struct pbft_message *pbft_signed(const struct pbft_replica *replica,
                                       struct pbft_message *message);
struct pbft_vote pbft_vote_of(const struct pbft_message *message);
/* `seq`: as in struct pbft_record. */
void pbft_log_record(struct pbft_replica *replica, enum pbft_record_kind kind,
                     pbft_seq seq, const struct pbft_message *message);
void pbft_send_to(struct pbft_replica *replica, pbft_replica_id to,
                  const struct pbft_message *message);
void pbft_send_all(struct pbft_replica *replica,
                   const struct pbft_message *message);

/* normal_case.c (OSDI'99 4.2) */
enum pbft_verdict pbft_on_pre_prepare(struct pbft_replica *replica,
                                      const struct pbft_message *message);
enum pbft_verdict pbft_on_batch(struct pbft_replica *replica,
                                const struct pbft_message *message);
enum pbft_verdict pbft_on_vote(struct pbft_replica *replica,
                               enum pbft_phase phase,
                               const struct pbft_message *message);
/* Takes `message` (PRE-PREPARE, with or without body) into its slot. */
void pbft_accept(struct pbft_replica *replica, struct pbft_slot *slot,
                 const struct pbft_message *message);
/* Casts the votes and draws the conclusions that the slot allows. */
void pbft_advance_slot(struct pbft_replica *replica, struct pbft_slot *slot);
/* The same for all slots, lowest first. */
void pbft_advance_all(struct pbft_replica *replica);
/* Hands out consecutive committed slots for execution. */
void pbft_deliver(struct pbft_replica *replica);
/* Hands out one block: the next. */
void pbft_deliver_block(struct pbft_replica *replica,
                        const struct pbft_message *committed);

/* propose.c (design: P4, P5) */
enum pbft_verdict pbft_on_request(struct pbft_replica *replica,
                                  const struct pbft_message *message);
void pbft_propose(struct pbft_replica *replica);

/* A stable checkpoint moves past headers that lack their batch. */
void pbft_forget_bodies_below(struct pbft_replica *replica, pbft_seq seq);

/* checkpoint.c (OSDI'99 4.3) */
void pbft_on_executed(struct pbft_replica *replica,
                      const struct pbft_attestation *executed);
enum pbft_verdict pbft_on_attestation(struct pbft_replica *replica,
                                      const struct pbft_message *message);
enum pbft_verdict pbft_on_stable(struct pbft_replica *replica,
                                 const struct pbft_message *message);
/* Passes the checkpoint whose proof waits, if it may be passed now. */
void pbft_adopt_waiting(struct pbft_replica *replica);
/* The first of its signer. */
void pbft_add_attestation(struct pbft_slot *slot,
                          const struct pbft_message *message);
/* Attests `content` in its slot and tells the peers. */
void pbft_attest(struct pbft_replica *replica, struct pbft_slot *slot,
                 const struct pbft_attestation *content);
/* What was executed without a word, while recovering. */
void pbft_attest_late(struct pbft_replica *replica);
void pbft_remember_executed(struct pbft_replica *replica,
                            const struct pbft_attestation *executed);

/* retransmit.c (TOCS'02 5.2; design: P9) */
enum pbft_verdict pbft_on_status(struct pbft_replica *replica,
                                 const struct pbft_message *message);
void pbft_send_status(struct pbft_replica *replica,
                      const struct pbft_replica_set *to);
/* To all; asks also what they hold from us, as long as that must be known. */
void pbft_send_question(struct pbft_replica *replica);
/* Requests that wait longer than `age_ms` are relayed. */
void pbft_relay_stale(struct pbft_replica *replica, pbft_time_ms age_ms);
/* For the monitor (design: P8): a few of what lies here go on earlier, so that
 * each replica can tell whether the primary is to blame. */
void pbft_relay_samples(struct pbft_replica *replica);
/* No progress for a while: ask, and relay requests to all. */
void pbft_on_stall(struct pbft_replica *replica);

/* own_message.c (design: P14) */
/* A message with our own signature came back. */
enum pbft_verdict pbft_on_own_message(struct pbft_replica *replica,
                                      const struct pbft_message *message);
/* Sends a starting peer what we hold from it. */
void pbft_echo_all(struct pbft_replica *replica, pbft_replica_id peer);

/* recovery.c (design: P14; TOCS'02 4) */
/* Its promises are lost, or its new incarnation may not vote yet. */
bool pbft_is_recovering(const struct pbft_replica *replica);
/* The checkpoint above which the incarnation of `id` votes. */
pbft_seq pbft_bound_of(const struct pbft_replica *replica, pbft_replica_id id);
/* Signed by an incarnation that is no more. */
bool pbft_is_void(const struct pbft_replica *replica,
                  const struct pbft_message *message);
/* The signer may speak of `seq` in this incarnation: the older ones up to its
 * bound, the last one above. */
bool pbft_counts_at(const struct pbft_replica *replica,
                    const struct pbft_message *message, pbft_seq seq);
/* Not if a disk lost blocks below a durable proof: what was voted above it was
 * voted by a newer table, and nothing may be judged by an older one. */
bool pbft_knows_incarnations(const struct pbft_replica *replica);
/* Promises were lost: from now on no votes. */
void pbft_begin_recovery(struct pbft_replica *replica);
/* Q - 1 peers have answered, or a checkpoint was passed: maybe it may vote. */
void pbft_try_voting(struct pbft_replica *replica);
/* A peer answered our question. */
void pbft_note_answer(struct pbft_replica *replica, pbft_replica_id peer,
                      const struct pbft_status_report *status);
/* Q - 1 peers have answered. */
bool pbft_is_answered(const struct pbft_replica *replica);
/* It has to ask, as yet, what it had promised, or how far the others are. */
bool pbft_needs_answers(const struct pbft_replica *replica);
/* A COMMITTED or STABLE message about what is not executed here: may hold a
 * vote of our own, which we then know or have forgotten. */
void pbft_note_own_votes(struct pbft_replica *replica,
                         const struct pbft_message *certificate);
/* Asks for the next incarnation, if it is time. */
void pbft_continue_recovery(struct pbft_replica *replica);
void pbft_on_incarnations(struct pbft_replica *replica,
                          const struct pbft_incarnations *incarnations);
enum pbft_verdict pbft_restore_recovering(struct pbft_replica *replica,
                                          const struct pbft_message *mark);
/* All records are in: was it recovering when it went down? */
void pbft_start_recovery(struct pbft_replica *replica, bool is_log_lost);
/* The primary has null batches to propose. */
bool pbft_owes_null(const struct pbft_replica *replica);
/* When a backup's patience with a primary that owes them ends. */
pbft_time_ms pbft_owed_deadline(struct pbft_replica *replica);

/* restore.c (design: P14) */
void pbft_on_applied(struct pbft_replica *replica,
                     const struct pbft_attestation *applied,
                     const struct pbft_incarnations *incarnations);
enum pbft_verdict pbft_on_restore(struct pbft_replica *replica,
                                  const struct pbft_record *record);
void pbft_on_start(struct pbft_replica *replica, bool is_log_lost);

/* witness.c (design: P15) */
/* Compares what verified senders signed with what they signed before. */
void pbft_witness_message(struct pbft_replica *replica,
                          const struct pbft_message *message);
enum pbft_verdict pbft_restore_evidence(struct pbft_replica *replica,
                                        const struct pbft_message *evidence);

/* guard.c (OSDI'99 4.4; design: P7) */
/* `is_forced`: fires although it is not due. */
enum pbft_verdict pbft_on_request_timeout(struct pbft_replica *replica,
                                          bool is_forced);
void pbft_arm_request_timer(struct pbft_replica *replica);

/* view_change.c (OSDI'99 4.4) */
/* Leaves the view, for the primary is to blame (design: P8). */
enum pbft_verdict pbft_complain(struct pbft_replica *replica);
enum pbft_verdict pbft_on_view_change(struct pbft_replica *replica,
                                      const struct pbft_message *message);
enum pbft_verdict pbft_on_view_timeout(struct pbft_replica *replica);
/* Joins, opens or enters a view, if the view-changes allow it now. */
void pbft_continue_view_change(struct pbft_replica *replica);
/* All slots begin `view` empty. */
void pbft_forget_view(struct pbft_replica *replica);
/* The view-change `digest`, borrowed, or NULL. */
const struct pbft_message *
pbft_find_view_change(const struct pbft_replica *replica,
                      const struct pbft_digest *digest);
/* A view was entered: what is pending has so long from now on. After views that
 * did not last that is the back-off, if it is longer than the request
 * timeout: else a network slower than that timeout would let no view live long
 * enough (OSDI'99 4.5.2). */
void pbft_restart_request_timers(struct pbft_replica *replica);
/* Requests go to execution in this view, which ends the back-off once it is
 * stable (OSDI'99 4.5.2; docs/protocol.md, section 10). What commits behind a
 * gap does not: each view may commit another batch there, and no view would
 * ever be long enough to fill the gap. */
void pbft_note_progress(struct pbft_replica *replica);
/* Again to all, unless they got it within a resend interval. */
void pbft_resend_view_change(struct pbft_replica *replica);
/* Between views, and this incarnation has not asked for ours: it does. */
void pbft_ask_again(struct pbft_replica *replica);
/* What brings a peer with this status into our view. False: nothing to send. */
bool pbft_resend_view(struct pbft_replica *replica, pbft_replica_id to,
                      const struct pbft_status_report *status);
void pbft_view_changes_deinit(struct pbft_replica *replica);

/* view_records.c */
/* Writes again what a new log must begin with, besides the stable proof. */
void pbft_log_binding_records(struct pbft_replica *replica);
enum pbft_verdict pbft_restore_view(struct pbft_replica *replica,
                                    const struct pbft_record *record);
/* All records are in: which view is it, and was it entered? */
void pbft_start_view(struct pbft_replica *replica);
/* OSDI'99 4.4: a view begins above its checkpoint, also for who is behind. */
bool pbft_is_decided(const struct pbft_replica *replica, pbft_seq seq);

/* new_view.c (OSDI'99 4.4) */
enum pbft_verdict pbft_on_new_view(struct pbft_replica *replica,
                                   const struct pbft_message *message);
/* As primary: sends the NEW-VIEW that the collected view-changes make. */
void pbft_open_view(struct pbft_replica *replica);
/* Enters the view of the pending NEW-VIEW, once all of it is known. */
enum pbft_verdict pbft_try_pending(struct pbft_replica *replica);
void pbft_forget_pending(struct pbft_replica *replica);
/* True if the pending NEW-VIEW names it and lacked it. */
bool pbft_offer_source(struct pbft_replica *replica,
                       const struct pbft_message *view_change);
void pbft_fetch_sources(struct pbft_replica *replica);
/* Takes the headers of the view's NEW-VIEW into the slots of the window. */
void pbft_accept_reproposed(struct pbft_replica *replica);
/* The first seq that the view did not begin with; 0: none begun with. */
pbft_seq pbft_next_after_new_view(const struct pbft_replica *replica);

#endif /* CONSENSUS_REPLICA_H */
