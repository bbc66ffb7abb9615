/* SPDX-License-Identifier: Apache-2.0 */
/* Memory for the library that is counted, and that may run out. */
#ifndef CFD_TESTS_LIMITED_MEMORY_H
#define CFD_TESTS_LIMITED_MEMORY_H

#include <limits.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>

typedef struct limited {
    atomic_long left;              /* allocations that still succeed */
    atomic_long live, made, bytes; /* not yet given back; ever made, and how large together */
} limited;

static inline void limited_init(limited *l, long left)
{
    atomic_init(&l->left, left);
    atomic_init(&l->live, 0);
    atomic_init(&l->made, 0);
    atomic_init(&l->bytes, 0);
}

static inline void *limited_allocate(void *user, size_t bytes)
{
    limited *l = user;
    if (atomic_fetch_sub(&l->left, 1) <= 0) {
        return NULL;
    }
    atomic_fetch_add(&l->live, 1);
    atomic_fetch_add(&l->made, 1);
    atomic_fetch_add(&l->bytes, (long)bytes);
    return malloc(bytes);
}

static inline void limited_release(void *user, void *memory)
{
    limited *l = user;
    atomic_fetch_sub(&l->live, 1);
    free(memory);
}

#endif
