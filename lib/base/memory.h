/* SPDX-License-Identifier: Apache-2.0 */
/* Memory through the context's allocator, aligned to 64 bytes; sizes checked before they are used. */
#ifndef CFD_BASE_MEMORY_H
#define CFD_BASE_MEMORY_H

#include "base/status.h"

#include <stdbool.h>

#define MEMORY_ALIGNMENT 64

typedef struct memory_source {
    cfd_allocate_function allocate; /* NULL: malloc and free */
    cfd_release_function release;
    void *user;
} memory_source;

/* malloc and free: for handles that have no context. */
extern const memory_source memory_default;

/* count x size bytes, uninitialised; fails with a message naming `what` on overflow or want of memory.
 * count 0 gives a valid pointer. *out is set only on success. */
cfd_status memory_allocate(const memory_source *source, size_t count, size_t size, const char *what, void *out);
/* The same, zeroed. */
cfd_status memory_allocate_zero(const memory_source *source, size_t count, size_t size, const char *what, void *out);
/* Grows *pointer (NULL at first) from *capacity to at least `needed` elements, doubling; contents kept. */
cfd_status memory_grow(const memory_source *source, void *pointer, size_t *capacity, size_t needed, size_t size,
                       const char *what);
/* A copy of a string. */
cfd_status memory_copy_text(const memory_source *source, const char *text, const char *what, char **out);
/* Accepts NULL. */
void memory_release(const memory_source *source, void *memory);

/* a * b and a + b; false on overflow (then *out is untouched). */
bool checked_multiply(size_t a, size_t b, size_t *out);
bool checked_add(size_t a, size_t b, size_t *out);

#endif
