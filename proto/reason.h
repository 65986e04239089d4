/* SPDX-License-Identifier: Apache-2.0 */
/* Why something from outside was refused: one line for people, never with
 * secret or patient data in it.
 */
#ifndef PROTO_REASON_H
#define PROTO_REASON_H

#define SALUS_REASON_SIZE 256

struct salus_reason {
    char text[SALUS_REASON_SIZE]; /* Lower case, no full stop; NUL-ended. */
};

#if defined(__GNUC__) || defined(__clang__)
__attribute__((format(printf, 2, 3)))
#endif
/* `reason` may be NULL. Text beyond the size is cut. */
void salus_reason_set(struct salus_reason *reason, const char *format, ...);

#endif /* PROTO_REASON_H */
