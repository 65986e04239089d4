/* SPDX-License-Identifier: Apache-2.0 */
/* One entry point per program: called by libFuzzer, or by replay.c with the
 * files of the corpus. It aborts if a promise of the decoder is broken.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif /* TESTS_FUZZ_FUZZ_H */
