/* SPDX-License-Identifier: Apache-2.0 */
/* Assertions about our own code. They are on in every build: a replica that
 * has lost its own rules stops instead of voting. Input from outside is never
 * asserted, it is checked.
 */
#ifndef CONSENSUS_ASSERT_H
#define CONSENSUS_ASSERT_H

/* Called before the process aborts. It may not call into the core, but it may
 * print, or leave by longjmp() in a test. The core itself prints nothing: each
 * program sets a hook that does. */
typedef void pbft_assert_hook(const char *file, int line,
                              const char *expression);

/* Not thread-safe: set it before threads start. */
void pbft_assert_set_hook(pbft_assert_hook *hook);

_Noreturn void pbft_assert_fail(const char *file, int line,
                                const char *expression);

/* A condition that only a mistake in this program can break. */
#define PBFT_ASSERT(condition)                                                 \
    do {                                                                       \
        if (!(condition)) {                                                    \
            pbft_assert_fail(__FILE__, __LINE__, #condition);                  \
        }                                                                      \
    } while (0)

/* The same for relations over the whole state, which are too slow for every
 * step: only in functions named *_check_invariants(). */
#define PBFT_INVARIANT(condition)                                              \
    do {                                                                       \
        if (!(condition)) {                                                    \
            pbft_assert_fail(__FILE__, __LINE__, "invariant: " #condition);    \
        }                                                                      \
    } while (0)

#endif /* CONSENSUS_ASSERT_H */
