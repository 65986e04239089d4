/* SPDX-License-Identifier: Apache-2.0 */
/* The erasable store of key envelopes: wrapped data keys on their way from a
 * custodian to a recipient. Never in RocksDB, never in blocks.
 *
 * It is one file, "envelopes", of slots of 512 bytes, of which each holds one
 * envelope or zeros. To erase is to overwrite the slot in its place and to
 * sync: afterwards no byte of the envelope is in the data folder. A column
 * family could not promise that: RocksDB keeps what was deleted in its
 * write-ahead log, which all families share, and in table files, until all
 * families were flushed and compacted; and then it unlinks files, whose blocks
 * the disk still holds. docs/storage.md says what overwriting in place means
 * and what not.
 *
 * A slot is one sector with a checksum. One that a crash has torn was not yet
 * acknowledged to anybody; it reads as damaged, and is erased at open.
 *
 * Threads: one at a time. Secret bytes are not kept in memory.
 */
#ifndef STORAGE_ENVELOPES_H
#define STORAGE_ENVELOPES_H

#include "storage/storage.h"

#define ENVELOPE_ID_SIZE 16
#define ENVELOPE_WRAP_SIZE 80
#define ENVELOPE_SALT_SIZE 32
#define ENVELOPE_DETAILS_SIZE 153

/* Envelopes and marks of all institutions: 16 MiB of file, and about 4 MiB of
 * memory. docs/storage.md has the share of each institution. */
#define ENVELOPES_MAX 32768u
#define ENVELOPE_SLOT_SIZE 512u

/* The grant that it is of. */
struct envelope_name {
    uint8_t record[ENVELOPE_ID_SIZE];
    uint32_t version;
    uint8_t recipient_key[ENVELOPE_ID_SIZE];
};

/* What must not stay anywhere: the wrap, and what travels with it. */
struct envelope_secret {
    uint8_t salt[ENVELOPE_SALT_SIZE]; /* Of the wrap's commitment. */
    uint8_t wrap[ENVELOPE_WRAP_SIZE];
    uint8_t details[ENVELOPE_DETAILS_SIZE];
};

enum envelope_state {
    ENVELOPE_FREE = 0,
    ENVELOPE_WAITING = 1,   /* To be delivered to another replica. */
    ENVELOPE_HELD = 2,      /* To be fetched by its recipient. */
    ENVELOPE_DELIVERED = 3, /* Its replica has it; the secret is erased. */
    ENVELOPE_TAKEN = 4,     /* The recipient has it; the secret is erased. */
};

/* An envelope without its secret. */
struct envelope_head {
    enum envelope_state state;
    struct envelope_name name;
    struct pbft_digest wrap_commit;
    struct pbft_institution custodian;
    struct pbft_institution recipient;
    pbft_wall_us since; /* In this state, by the clock of this machine. */
    pbft_seq judged_at; /* Block after which the ledger said: granted. */
    /* DELIVERED: who acknowledged it, and the signature. */
    pbft_replica_id receiver;
    struct pbft_signature receipt;
};

struct envelopes;

#define ENVELOPES_FILE "envelopes"

/* Opens or creates the file in `dir`, whose owner storage_open() has checked,
 * and erases what is damaged. VERSION: written by another format; PERMISSION,
 * NO_SPACE, IO; `reason` says it in words. */
PBFT_MUST_USE enum pbft_status envelopes_open(const char *dir,
                                              enum storage_sync_mode sync,
                                              const struct pbft_domain *domain,
                                              struct envelopes **out,
                                              struct salus_reason *reason);
/* Takes the file of a folder that was set aside into another one, durably:
 * nothing is wrong with it, and what was acknowledged must not be lost, nor lie
 * about where nobody erases it. No file, or one in `to`: nothing to do. */
PBFT_MUST_USE enum pbft_status envelopes_move(const char *from, const char *to);
void envelopes_close(struct envelopes *envelopes); /* NULL is fine. */

/* Slots are 0 .. envelopes_end() - 1; NULL: that one is free. */
uint32_t envelopes_end(const struct envelopes *envelopes);
const struct envelope_head *envelopes_get(const struct envelopes *envelopes,
                                          uint32_t slot);
/* By name. */
bool envelopes_find(const struct envelopes *envelopes,
                    const struct envelope_name *name, uint32_t *slot);
/* How many an open found damaged. */
uint32_t envelopes_damaged(const struct envelopes *envelopes);

/* Reads the secret of a WAITING or HELD one; wipe it after use. CORRUPT, IO. */
PBFT_MUST_USE enum pbft_status envelopes_read(struct envelopes *envelopes,
                                              uint32_t slot,
                                              struct envelope_secret *out);

/* The following are durable after the next envelopes_sync(). The first one that
 * fails makes all later ones fail with IO. */

/* Adds, or replaces the one of that name in its place. `secret` NULL: a mark
 * without one. LIMIT: ENVELOPES_MAX. */
PBFT_MUST_USE enum pbft_status
envelopes_put(struct envelopes *envelopes, const struct envelope_head *head,
              const struct envelope_secret *secret, uint32_t *slot);
/* Overwrites the slot with zeros. */
PBFT_MUST_USE enum pbft_status envelopes_erase(struct envelopes *envelopes,
                                               uint32_t slot);
/* Nothing to do if nothing was written. */
PBFT_MUST_USE enum pbft_status envelopes_sync(struct envelopes *envelopes);

#endif /* STORAGE_ENVELOPES_H */
