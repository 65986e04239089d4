/* SPDX-License-Identifier: Apache-2.0 */
/* Strict JSON, read through nodes that know their path. For fhir/ only.
 *
 * A node is a value with where it stands; its parent must outlive it, which it
 * does when nodes are locals of nested calls.
 */
#ifndef FHIR_JSON_H
#define FHIR_JSON_H

#include "fhir/report.h"

struct json_t;

struct fhir_node {
    const struct json_t *json; /* NULL: absent. */
    const struct fhir_node *parent;
    const char *key; /* In the parent object; NULL: element of an array. */
    size_t index;    /* In the parent array. */
};

enum fhir_json_type {
    FHIR_JSON_ABSENT,
    FHIR_JSON_OBJECT,
    FHIR_JSON_ARRAY,
    FHIR_JSON_STRING,
    FHIR_JSON_INTEGER,
    FHIR_JSON_REAL,
    FHIR_JSON_BOOLEAN,
    FHIR_JSON_NULL,
};

struct fhir_json_error {
    enum fhir_finding_kind kind;
    char place[FHIR_CODE_MAX]; /* "line-3-column-14"; or empty. */
    bool trailing;             /* A whole value was read, and more follows. */
};

/* Parses one value with nothing but white space around it: no duplicate keys,
 * no NaN, no U+0000, UTF-8, at most `depth_max` levels and `size_max` bytes.
 * NULL and what is wrong. */
struct json_t *fhir_json_parse(struct pbft_bytes bytes, size_t depth_max,
                               size_t size_max, struct fhir_json_error *wrong);
void fhir_json_free(struct json_t *json);

enum fhir_json_type fhir_type(const struct fhir_node *node);
struct fhir_node fhir_root(const struct json_t *json);
/* Absent if `object` is none or has no such element. */
struct fhir_node fhir_field(const struct fhir_node *object, const char *key);
size_t fhir_size(const struct fhir_node *array); /* 0 if it is none. */
struct fhir_node fhir_element(const struct fhir_node *array, size_t index);
const char *fhir_string(const struct fhir_node *node); /* NULL: no string. */
/* An object or array without anything in it. */
bool fhir_is_empty(const struct fhir_node *node);
bool fhir_is_true(const struct fhir_node *node);
bool fhir_is_false(const struct fhir_node *node);
/* False if it is no integer >= 0. */
bool fhir_unsigned(const struct fhir_node *node, uint64_t *out);

/* "provision.actor[0].role"; "$" for the root. */
void fhir_path(const struct fhir_node *node, char *out, size_t size);

/* A finding at a node. */
void fhir_find(struct fhir_report *report, enum fhir_finding_kind kind,
               const struct fhir_node *node, const char *code);

/* Calls `visit` for every value below `root`, objects and arrays before what is
 * in them, in the order of the document. */
typedef void fhir_visit(void *context, const struct fhir_node *node);
void fhir_walk(const struct fhir_node *root, fhir_visit *visit, void *context);

/* The name of each element of an object that is not in `known` (a list that
 * ends with NULL; "_name" stands for "name"). */
void fhir_only(struct fhir_report *report, const struct fhir_node *object,
               const char *const *known);

#endif /* FHIR_JSON_H */
