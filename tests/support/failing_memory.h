/* SPDX-License-Identifier: Apache-2.0 */
/* One allocation fails, counted from now. For programs that are linked with
 * --wrap of malloc, calloc and realloc (tests/CMakeLists.txt). Libraries that
 * come with the system are not counted. */
#ifndef TESTS_SUPPORT_FAILING_MEMORY_H
#define TESTS_SUPPORT_FAILING_MEMORY_H

#include <stddef.h>

/* Until the one that fails; 0: none does. */
static unsigned memory_left;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);

static inline int memory_fails(void)
{
    return memory_left > 0 && --memory_left == 0;
}

void *__wrap_malloc(size_t size)
{
    return memory_fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return memory_fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return memory_fails() ? NULL : __real_realloc(old, size);
}

#endif /* TESTS_SUPPORT_FAILING_MEMORY_H */
