/* SPDX-License-Identifier: Apache-2.0 */
/* Fixed layouts of values: a version byte, then fields one after the other,
 * integers big-endian. For vault/ only. */
#ifndef VAULT_LAYOUT_H
#define VAULT_LAYOUT_H

#include "vault/row.h"

#define LAYOUT_VERSION 1
#define LAYOUT_MAX 512 /* The largest entry takes half of it. */

/* One field of a layout after the other, in or out. */
struct layout {
    uint8_t bytes[LAYOUT_MAX];
    size_t size;
    size_t read;
    bool damaged;
};

/* Only the version byte is written. */
struct layout layout_begin(void);

/* The caller keeps the sum below LAYOUT_MAX. */
void layout_put(struct layout *layout, const void *field, size_t size);
void layout_put_number(struct layout *layout, uint32_t number);
void layout_put_time(struct layout *layout, uint64_t time);

/* A random id. */
void layout_draw(uint8_t *out, size_t size);

/* Zeros once there is too little left. */
void layout_get(struct layout *layout, void *field, size_t size);
uint32_t layout_get_number(struct layout *layout);
uint64_t layout_get_time(struct layout *layout);

/* The row under a name, to be read field by field. NOT_FOUND; CORRUPT. */
enum pbft_status layout_load(struct vault *vault, struct layout *layout,
                             enum vault_kind kind, const char *name);
/* Wipes it. CORRUPT unless all was read, and there was enough. */
enum pbft_status layout_end(struct layout *layout);
/* As vault_put() and vault_replace(); the layout is wiped. */
enum pbft_status layout_store(struct vault *vault, struct layout *layout,
                              enum vault_kind kind, const char *name);
enum pbft_status layout_replace(struct vault *vault, struct layout *layout,
                                enum vault_kind kind, const char *name);

#endif /* VAULT_LAYOUT_H */
