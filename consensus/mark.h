/* SPDX-License-Identifier: Apache-2.0 */
/* Coverage marks: branches that tests want to see taken. Without a hook, that
 * is in every production build, a mark does nothing.
 */
#ifndef CONSENSUS_MARK_H
#define CONSENSUS_MARK_H

/* Name and text. In the order of the protocol. */
#define PBFT_MARKS(X)                                                          \
    X(BODY_AFTER_HEADER, "body-after-header")                                  \
    X(SECOND_PRE_PREPARE, "second-pre-prepare")                                \
    X(CONFLICTING_VOTE, "conflicting-vote")                                    \
    X(STABLE_BY_PROOF, "stable-by-proof")                                      \
    X(STABLE_WAITS, "stable-waits")                                            \
    X(STATE_DIVERGED, "state-diverged")                                        \
    X(PRIMARY_LEFT, "primary-left")                                            \
    X(VIEW_TIMEOUT, "view-timeout")                                            \
    X(NO_LONE_ESCALATION, "no-lone-escalation")                                \
    X(VIEW_JOINED, "view-joined")                                              \
    X(VIEW_TIMER_DOUBLED, "view-timer-doubled")                                \
    X(NEW_VIEW_OPENED, "new-view-opened")                                      \
    X(NEW_VIEW_ENTERED, "new-view-entered")                                    \
    X(NEW_VIEW_REFUTED, "new-view-refuted")                                    \
    X(NEW_VIEW_LACKS_SOURCE, "new-view-lacks-source")                          \
    X(CLAIM_REFUTED, "claim-refuted")                                          \
    X(PREPARED_REPROPOSED, "prepared-reproposed")                              \
    X(GAP_FILLED, "gap-filled")                                                \
    X(STALLED, "stalled")                                                      \
    X(BLOCKS_FETCHED, "blocks-fetched")                                        \
    X(BLOCKS_SERVED, "blocks-served")                                          \
    X(DONOR_CHANGED, "donor-changed")                                          \
    X(STABLE_FETCHED, "stable-fetched")                                        \
    X(BODIES_FETCHED, "bodies-fetched")                                        \
    X(BODY_READ, "body-read")                                                  \
    X(RECORD_RESTORED, "record-restored")                                      \
    X(VOTES_AFTER_START, "votes-after-start")                                  \
    X(RECOVERY_BEGUN, "recovery-begun")                                        \
    X(EVIDENCE_KEPT, "evidence-kept")

#define PBFT_MARK_NAME(name, text) PBFT_MARK_##name,
enum pbft_mark { PBFT_MARKS(PBFT_MARK_NAME) PBFT_MARK_COUNT };
#undef PBFT_MARK_NAME

typedef void pbft_mark_hook(enum pbft_mark mark);

/* NULL: none. Not thread-safe: for tests and the simulator. */
void pbft_mark_set_hook(pbft_mark_hook *hook);

/* The branch is taken. */
void pbft_mark(enum pbft_mark mark);

const char *pbft_mark_name(enum pbft_mark mark);

#endif /* CONSENSUS_MARK_H */
