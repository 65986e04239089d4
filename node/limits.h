/* SPDX-License-Identifier: Apache-2.0 */
/* Every limit of the daemon, with its reason. Together they bound its memory,
 * whatever peers and clients do (docs/operations.md has the sum).
 */
#ifndef NODE_LIMITS_H
#define NODE_LIMITS_H

#include <assert.h>

#include "consensus/types.h"
#include "proto/codec_limits.h"

/* Verified messages that wait for the protocol thread. A few windows of votes;
 * when it is full the verifiers wait, then net/ stops reading. */
#define NODE_INBOX_MESSAGES_MAX 8192u
#define NODE_INBOX_BYTES_MAX (64u * 1024u * 1024u)
/* Messages that the protocol thread takes at once: a burst shares one sync, but
 * must not keep timers and finished work waiting. */
#define NODE_TURN_MESSAGES_MAX 512u

/* Verified messages of one envelope that are handed over at once: they share a
 * wake-up, but the first must not wait for many checks of signatures. */
#define NODE_HANDED_OVER_MAX 16u

/* Received envelopes that wait for a verifier, and calls of clients. Full: net/
 * keeps the envelope and stops reading; a call is answered BUSY at once. */
#define NODE_ENVELOPES_WAITING_MAX 512u
#define NODE_ENVELOPES_WAITING_BYTES_MAX (64u * 1024u * 1024u)
#define NODE_CALLS_WAITING_MAX 1024u
#define NODE_CALLS_WAITING_BYTES_MAX (32u * 1024u * 1024u)

/* One verifies as fast as one core; more than this helps no protocol thread. */
#define NODE_VERIFIERS_MAX 16u

/* Requests that were verified already: 64 Ki digests are several seconds of
 * full load, 2 MiB. */
#define NODE_VERIFIED_REQUESTS 65536u

/* Requests that were executed last: more than are executed while one lies in
 * the inbox. */
#define NODE_EXECUTED_REQUESTS 65536u

/* Calls whose answer waits for a proof; net/ has a limit per caller below it.
 */
#define NODE_WAITING_CALLS_MAX 65536u

/* Proofs whose calls wait to be answered: one per block of a window. */
#define NODE_PROOFS_WAITING_MAX PBFT_WINDOW_MAX
/* How long a proof waits for records with which it can be written. Under load
 * they come every few milliseconds; a replica that stands still has time. */
#define NODE_PROOF_WAIT_MS 50u

/* Bodies of the log that the protocol thread wants back: one for each place of
 * a window. It asks again for what finds none. */
#define NODE_READS_WAITING_MAX PBFT_WINDOW_MAX

/* Old blocks that one peer gets from storage in an interval; the rest waits.
 * Twice an outbox: a peer that asks for the largest ones all the time keeps the
 * disk from nobody. */
#define NODE_SERVE_BYTES_MAX (32u * 1024u * 1024u)
#define NODE_SERVE_INTERVAL_MS 500u
/* The peer's outbox was full: again then. Each attempt counts as a block. */
#define NODE_SERVE_AGAIN_MS 20u

/* Certified reads. States after the last blocks that are kept for them
 * (docs/api.md, section 5a); and, longer than that, so many of those that were
 * asked within so long: a list of many pages comes from one state. */
#define NODE_HISTORY_BLOCKS 64u
#define NODE_HISTORY_LEASES 128u
#define NODE_HISTORY_LEASES_EACH 8u /* Of one institution. */
#define NODE_HISTORY_LEASE_MS 10000u
/* Of one institution: each costs a signature, and a query as a local one. The
 * burst is a list of some twenty thousand rows. */
#define NODE_CERTIFY_PER_SECOND_MAX 100u
#define NODE_CERTIFY_BURST_MAX 200u
/* Key envelopes. Envelopes and mentions in one call or answer: some 25 KiB. */
#define NODE_DELIVERY_LIST_MAX 64u
/* Before an envelope is sent again: doubles from the first to the last. Few
 * recipients, small messages, and nobody waits for them but people. */
#define NODE_DELIVERY_RETRY_MIN_MS 1000u
#define NODE_DELIVERY_RETRY_MAX_MS 60000u
/* Sent again, and looked at whether their grant still holds, in one tick: a few
 * milliseconds of work. Messages that may wait to be sent after one sync. */
#define NODE_DELIVERY_RETRIES_PER_TICK 64u
#define NODE_DELIVERY_SWEEP_PER_TICK 256u
#define NODE_DELIVERY_SENDS_MAX 256u
/* The courier: deliveries of one peer that wait, so that none keeps the others
 * out; calls; jobs that share one sync; bytes of a call; and how often it looks
 * at the time. */
#define NODE_COURIER_PEER_MAX 32u
#define NODE_COURIER_CALLS_MAX 256u
#define NODE_COURIER_CALLER_MAX 16u /* Of one institution. */
#define NODE_COURIER_JOBS_MAX                                                  \
    (NODE_COURIER_PEER_MAX * PBFT_REPLICAS_MAX + NODE_COURIER_CALLS_MAX)
#define NODE_COURIER_BURST_MAX 64u
#define NODE_COURIER_CALL_BYTES_MAX (32u * 1024u)
#define NODE_COURIER_TICK_MS 250u

/* How long a call may be held: what it asks for, within these. */
#define NODE_CALL_TIMEOUT_DEFAULT_MS 10000u
#define NODE_CALL_TIMEOUT_MAX_MS 60000u
/* How often calls are looked through for those that waited too long. */
#define NODE_SWEEP_INTERVAL_MS 100u
/* What BUSY advises: a few blocks later there is room again. */
#define NODE_RETRY_AFTER_MS 100u

/* Lines in the journal about one peer, per interval. */
#define NODE_JOURNAL_LINES_MAX 5u
#define NODE_JOURNAL_INTERVAL_MS 10000u

/* A peer that is away so long is told, with the reason; and again after so long
 * if there is another reason by then. */
#define NODE_UNREACHABLE_MS 5000u
#define NODE_UNREACHABLE_AGAIN_MS 60000u
/* A certificate that ends within so long is told of, once a day. */
#define NODE_EXPIRY_WARN_S INT64_C(2592000) /* 30 days */
#define NODE_EXPIRY_AGAIN_MS UINT64_C(86400000)
/* How often the main thread looks at peers, disk and failures. */
#define NODE_WATCH_INTERVAL_MS 1000
/* Below this the journal warns, beside what the largest merge of files may need
 * (docs/storage.md): a checkpoint's worth of full blocks, twice. */
#define NODE_DISK_FREE_WARN_BYTES (512u * 1024u * 1024u)
/* RocksDB's cache grows with the ledger: to a fourth of the memory at most. */
#define NODE_CACHE_MEMORY_SHARE 4u
/* How often the size of the ledger is asked, which takes a while. */
#define NODE_SIZE_AGAIN_MS 60000u
/* A shutdown that takes longer is cut off: NNG 1.5.2 can hang in a close. */
#define NODE_SHUTDOWN_MAX_S 20u

/* Files and connections open at a time: what is asked of the system, and what
 * all clients, some tens of peers and RocksDB may need. */
#define NODE_OPEN_FILES 65536u
#define NODE_OPEN_FILES_MIN 4096u

/* A genesis file of 256 members with certificates is about 1 MiB. */
#define NODE_FILE_BYTES_MAX (8u * 1024u * 1024u)

static_assert(NODE_ENVELOPES_WAITING_BYTES_MAX >= WIRE_FRAME_BYTES_MAX,
              "the largest envelope fits into the empty queue");
static_assert(NODE_CALLS_WAITING_BYTES_MAX >= PBFT_REQUEST_BYTES_MAX,
              "the largest call fits into the empty queue");
static_assert(NODE_INBOX_BYTES_MAX >= WIRE_FRAME_BYTES_MAX,
              "the largest message fits into the empty inbox");

/* Paths of files beside those that the configuration names. */
#define NODE_PATH_MAX 1100

#endif /* NODE_LIMITS_H */
