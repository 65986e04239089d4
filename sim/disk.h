/* SPDX-License-Identifier: Apache-2.0 */
/* The disk of one simulated replica: one write-ahead sequence, as storage/ has
 * with RocksDB.
 *
 * Log records (framed bytes of consensus/record.h), executed blocks, proofs and
 * truncations are writes in one order. A write is pending until a sync covers
 * it; a crash keeps a prefix of the pending ones, and may leave the next record
 * in part. What is durable is the image; scripts can copy, restore and damage
 * it.
 */
#ifndef SIM_DISK_H
#define SIM_DISK_H

#include "consensus/pbft.h"
#include "consensus/record.h"
#include "sim/random.h"

/* A framed log record. */
struct disk_record {
    enum pbft_record_kind kind;
    pbft_view view;
    pbft_seq seq;
    struct pbft_digest content; /* What the message is about. */
    uint8_t *bytes;             /* Owned. */
    size_t size;
};

struct disk_block {
    const struct pbft_message *committed; /* Owned references. */
    const struct pbft_message *proof;     /* Or NULL. */
    struct pbft_attestation executed;
};

struct disk_image {
    struct disk_record *records;
    size_t record_count;
    size_t record_capacity;
    uint64_t first_number;     /* Of the oldest record, or of the next one. */
    struct disk_block *blocks; /* Block seq is at seq - 1. */
    size_t block_count;
    size_t block_capacity;
    pbft_seq damaged_block; /* Its checksum fails; 0: none. */
    bool is_formatted;      /* A replica has started from it. */
    bool is_log_lost; /* A damaged log was set aside, nothing written since. */
};

enum disk_write_kind {
    DISK_WRITE_RECORD,
    DISK_WRITE_BLOCK,
    DISK_WRITE_PROOF,
    DISK_WRITE_TRUNCATE,
};

struct disk_write {
    enum disk_write_kind kind;
    pbft_ticket ticket; /* Of the sync that covers it; RECORD alone. */
    struct disk_record record;
    const struct pbft_message *message; /* What the record holds; owned. */
    struct disk_block block;            /* BLOCK, PROOF. */
    pbft_seq seq;                       /* PROOF, TRUNCATE. */
};

/* What scripts and faults make fail. */
enum disk_fault_kind { DISK_FAULT_NONE, DISK_FAULT_WRITE, DISK_FAULT_SYNC };

#define DISK_KIND_APPLIED 1u /* Executed blocks. */

#define DISK_FAULTS_MAX 16

struct disk_fault {
    enum disk_fault_kind kind;
    uint32_t record_kinds; /* Bit per enum pbft_record_kind, and: */
    uint64_t times;        /* UINT64_MAX: always. */
};

struct disk {
    const struct pbft_domain *domain;
    pbft_replica_id owner;
    struct disk_image image;
    struct disk_write *pending;
    size_t pending_count;
    size_t pending_capacity;
    uint64_t next_number;
    bool is_unreadable; /* By a fault, until it ends. */
    struct disk_fault fault;
    struct disk_fault more_faults[DISK_FAULTS_MAX]; /* Of scripts. */
    uint32_t more_fault_count;
    void *context;
    /* A record became durable; may be NULL. */
    void (*on_durable)(void *context, const struct disk_record *record,
                       const struct pbft_message *message);
};

void disk_init(struct disk *disk, const struct pbft_domain *domain,
               pbft_replica_id owner);
void disk_deinit(struct disk *disk);

/* Encodes, frames and appends. False: the write fails (an injected fault). */
bool disk_write_records(struct disk *disk, pbft_ticket ticket,
                        const struct pbft_record *records, size_t count);
bool disk_write_block(struct disk *disk, const struct pbft_message *committed,
                      const struct pbft_attestation *executed);
void disk_write_proof(struct disk *disk, pbft_seq seq,
                      const struct pbft_message *proof);
void disk_write_truncate(struct disk *disk, pbft_seq stable_seq);

/* All writes up to the records of `ticket` become durable. False: the sync
 * fails (an injected fault), nothing changes. */
bool disk_sync(struct disk *disk, pbft_ticket ticket);
/* Records that the next loss of power may take. */
bool disk_has_unsynced_records(const struct disk *disk);

/* Power loss: the first `keep` pending writes survive; of the first that does
 * not, if it is a record, the first `torn` bytes, but never all. */
void disk_crash(struct disk *disk, size_t keep, size_t torn);
#define DISK_TORN_HALF SIZE_MAX /* Of the record. */
/* Of the record that is pending at `at`; 0: there is none, or it is no record.
 */
size_t disk_pending_bytes(const struct disk *disk, size_t at);

/* Before a power loss: any of the pending records are lost, not the last ones
 * alone. */
void disk_drop_some(struct disk *disk, struct random *random);

/* Judges the log, cuts a torn tail, and hands out the decoded records. */
enum pbft_log_verdict
disk_replay(struct disk *disk,
            void (*on_record)(void *context, const struct pbft_record *record),
            void *context);

/* The batch of a BODY record that is durable. NULL: there is none, or it is
 * damaged. The caller owns the reference. */
const struct pbft_message *disk_read_body(const struct disk *disk,
                                          const struct pbft_body_read *read);

/* A damaged log: none of it is read again. */
void disk_set_log_aside(struct disk *disk);

/* disk_image.c */
void disk_image_deinit(struct disk_image *image);
struct disk_image disk_image_clone(const struct disk_image *image);
/* Takes over `image`; nothing may be pending. */
void disk_restore(struct disk *disk, struct disk_image image);
/* Flips a byte of the newest record of one of `kinds` at `seq` (0: any). False:
 * there is none. */
bool disk_corrupt(struct disk *disk, uint32_t kinds, pbft_seq seq);
/* The log ends before the first such record. */
bool disk_cut(struct disk *disk, uint32_t kinds, pbft_seq seq);
/* Likewise for executed blocks: damages the one at `seq` (0: the newest); drops
 * it and those behind it (0: all). False: there is none. */
bool disk_corrupt_block(struct disk *disk, pbft_seq seq);
bool disk_cut_blocks(struct disk *disk, pbft_seq seq);
/* As if the record had never been written. */
void disk_image_drop(struct disk_image *image, size_t at);
void disk_image_add_record(struct disk_image *image, struct disk_record record);
void disk_image_add_block(struct disk_image *image, struct disk_block block);
void disk_image_truncate(struct disk_image *image, pbft_seq stable_seq);

#endif /* SIM_DISK_H */
