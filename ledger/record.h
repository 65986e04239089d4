/* SPDX-License-Identifier: Apache-2.0 */
/* What the families of records share. Private to ledger/. */
#ifndef LEDGER_RECORD_H
#define LEDGER_RECORD_H

#include "ledger/execution.h"

#define RECORD_AES_256_GCM 1u

/* All rules of RECORD_ANCHOR but that the id is new. */
enum ledger_code record_judge(struct execution *x,
                              const Salus__V1__RecordAnchor *in);
enum ledger_code record_id_is_new(struct execution *x,
                                  const Salus__V1__RecordAnchor *in);

/* As anchored here and now. */
struct schema_record record_of(const struct execution *x,
                               const Salus__V1__RecordAnchor *in);
/* Writes the record with its payload, which is `in` encoded, and where its
 * commitment is found. */
void record_write(struct execution *x, const Salus__V1__RecordAnchor *in,
                  const struct schema_record *record,
                  struct pbft_bytes payload);

/* UNKNOWN_CODE, FIELD_FORM. */
enum ledger_code record_sealing(uint32_t algorithm, uint32_t size_bucket);
/* SIZE, FIELD_FORM, FIELD_ORDER, KEY_STATE and those of a commitment. */
enum ledger_code record_envelopes(struct execution *x,
                                  Salus__V1__RecordAnchor__Envelope **envelopes,
                                  size_t count);
/* Is it for a key of the submitter? */
bool record_is_own_envelope(struct execution *x,
                            const Salus__V1__RecordAnchor__Envelope *envelope);

/* The record is this custodian's, usable, and its head that version. REC_STATE,
 * VERSION_CONFLICT. */
enum ledger_code record_is_ours(struct execution *x,
                                const ProtobufCBinaryData *id, uint32_t version,
                                struct schema_record *out);

#endif /* LEDGER_RECORD_H */
