/* SPDX-License-Identifier: Apache-2.0 */
/* The form of single fields, as codes: what several families ask alike.
 * Private to ledger/.
 */
#ifndef LEDGER_CHECKS_H
#define LEDGER_CHECKS_H

#include "ledger/codes.h"
#include "ledger/execution.h"

struct pbft_bytes checks_bytes(const ProtobufCBinaryData *field);

/* A new or opaque id: so many bytes, and random. FIELD_FORM, CLEAR_TEXT. */
enum ledger_code checks_random(const ProtobufCBinaryData *field, size_t size);
/* A reference, which is looked up anyway. FIELD_FORM. */
enum ledger_code checks_reference(const ProtobufCBinaryData *field,
                                  size_t size);
/* A salted commitment of 32 bytes. FIELD_FORM, CLEAR_TEXT, PLAIN_HASH. */
enum ledger_code checks_commit(const ProtobufCBinaryData *field);
/* The same, or empty. */
enum ledger_code checks_optional_commit(const ProtobufCBinaryData *field);

/* A list of codes, strictly ascending, all in the table of the version that the
 * transaction names. SIZE, FIELD_ORDER, UNKNOWN_CODE. */
struct checks_codes {
    const uint32_t *ids;
    size_t count;
};
enum ledger_code checks_code_list(const struct execution *x,
                                  enum codes_table table,
                                  struct checks_codes codes, size_t limit);
/* One code. */
enum ledger_code checks_code(const struct execution *x, enum codes_table table,
                             uint32_t id);
/* One code that bears a flag. */
enum ledger_code checks_flagged(const struct execution *x,
                                enum codes_table table, uint32_t id,
                                enum codes_flag flag);

/* A reference, or nothing. FIELD_FORM. */
enum ledger_code checks_optional_reference(const ProtobufCBinaryData *field,
                                           size_t size);

/* A list of ids of 16 bytes, strictly ascending. SIZE, FIELD_FORM, FIELD_ORDER.
 */
struct checks_ids {
    const ProtobufCBinaryData *ids;
    size_t count;
};
enum ledger_code checks_id_list(struct checks_ids ids, size_t limit);
/* The same of blinded labels, which must look random. Also CLEAR_TEXT. */
enum ledger_code checks_tags(struct checks_ids tags);

/* A time that lies at most the declared skew in the future. EVENT_FUTURE. */
enum ledger_code checks_not_future(const struct execution *x, uint64_t time_ms);

/* A period of data: whole days. PERIOD_PRECISE, PERIOD. */
enum ledger_code checks_days(uint64_t from_ms, uint64_t to_ms);

/* Rules one after the other, until one objects. */
#define CHECKS_ALL(code, rules, work)                                          \
    for (size_t rule_ = 0;                                                     \
         (code) == LEDGER_OK && rule_ < sizeof(rules) / sizeof(rules)[0];      \
         rule_++) {                                                            \
        (code) = (rules)[rule_](work);                                         \
    }

/* `to` is exclusive, 0: open. PERIOD. */
enum ledger_code checks_period(uint64_t from_ms, uint64_t to_ms);

#endif /* LEDGER_CHECKS_H */
