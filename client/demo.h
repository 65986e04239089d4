/* SPDX-License-Identifier: Apache-2.0 */
/* The demonstration: a consortium of four on this machine, on real input, with
 * a replica killed in the middle.
 */
#ifndef CLIENT_DEMO_H
#define CLIENT_DEMO_H

#include <stdatomic.h>

#include "client/load.h"
#include "client/trial.h"

#define DEMO_FILES_MAX 1024
#define DEMO_PATH_MAX 1024

struct demo {
    struct trial trial;
    char folder[DEMO_PATH_MAX];
    const char *files[DEMO_FILES_MAX]; /* To import. */
    size_t file_count;
    bool keep;
    uint8_t receipt_of[SALUS_DIGEST_SIZE]; /* A transaction that was done. */
    bool has_receipt_of;
    uint32_t victim; /* The replica that was killed. */
    uint64_t restarted_ms;
    bool is_back; /* It reached the others under load. */
    struct load_report load;
};

extern atomic_int demo_stop; /* Set by Ctrl-C. */

/* The steps; each prints what it does. False: it failed, and said why. */
bool demo_import(struct demo *demo);  /* demo_import.c */
bool demo_receipt(struct demo *demo); /* demo_receipt.c */
bool demo_crash(struct demo *demo);   /* demo_crash.c */

/* "1  Title" in bold, if standard output is a terminal. */
void demo_title(const char *text);

#endif /* CLIENT_DEMO_H */
