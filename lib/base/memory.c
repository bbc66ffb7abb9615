/* SPDX-License-Identifier: Apache-2.0 */
#define _DEFAULT_SOURCE /* madvise */
#include "base/memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

const memory_source memory_default = {NULL, NULL, NULL};

bool checked_multiply(size_t a, size_t b, size_t *out)
{
    if (b != 0 && a > SIZE_MAX / b) {
        return false;
    }
    *out = a * b;
    return true;
}

bool checked_add(size_t a, size_t b, size_t *out)
{
    if (a > SIZE_MAX - b) {
        return false;
    }
    *out = a + b;
    return true;
}

/* Rows of large matrices are read in no order: with pages of 4 KiB that costs a page walk a row, and products with the
 * graph take up to twice as long. So large blocks begin on, and ask for, huge pages. Only where the memory is malloc's: a
 * host's own allocator knows what it does. */
#define HUGE_PAGE ((size_t)1 << 21)
#define LARGE_BLOCK ((size_t)1 << 22)

/* The pointer that the allocator gave stands right before the aligned block. */
static void *align_block(void *raw, size_t alignment)
{
    uintptr_t start = (uintptr_t)raw + sizeof(void *);
    uintptr_t aligned = (start + alignment - 1) & ~(uintptr_t)(alignment - 1);
    ((void **)aligned)[-1] = raw;
    return (void *)aligned;
}

static void ask_for_huge_pages(void *block, size_t bytes)
{
#ifdef MADV_HUGEPAGE
    int before = errno;
    (void)madvise(block, bytes / HUGE_PAGE * HUGE_PAGE, MADV_HUGEPAGE); /* advice: without it all is as it was */
    errno = before;
#endif
}

cfd_status memory_allocate(const memory_source *source, size_t count, size_t size, const char *what, void *out)
{
    size_t bytes;
    size_t padded;
    if (!checked_multiply(count, size, &bytes)) {
        return fail(CFD_ERROR_MEMORY, "out of memory: %zu x %zu bytes for %s", count, size, what);
    }
    bool large = bytes >= LARGE_BLOCK && !source->allocate;
    size_t alignment = large ? HUGE_PAGE : MEMORY_ALIGNMENT;
    if (!checked_add(bytes, alignment + sizeof(void *), &padded) || padded > PTRDIFF_MAX) {
        return fail(CFD_ERROR_MEMORY, "out of memory: %zu x %zu bytes for %s", count, size, what);
    }
    void *raw = source->allocate ? source->allocate(source->user, padded) : malloc(padded);
    if (!raw) {
        return fail_memory(what, bytes);
    }
    void *block = align_block(raw, alignment);
    if (large) {
        ask_for_huge_pages(block, bytes);
    }
    *(void **)out = block;
    return CFD_OK;
}

cfd_status memory_allocate_zero(const memory_source *source, size_t count, size_t size, const char *what, void *out)
{
    TRY(memory_allocate(source, count, size, what, out));
    memset(*(void **)out, 0, count * size);
    return CFD_OK;
}

cfd_status memory_grow(const memory_source *source, void *pointer, size_t *capacity, size_t needed, size_t size,
                       const char *what)
{
    if (needed <= *capacity) {
        return CFD_OK;
    }
    size_t larger = *capacity > SIZE_MAX / 2 ? needed : *capacity * 2;
    larger = larger < needed ? needed : larger;
    larger = larger < 16 ? 16 : larger;
    void *grown;
    TRY(memory_allocate(source, larger, size, what, &grown));
    void **slot = pointer;
    if (*slot) {
        memcpy(grown, *slot, *capacity * size);
        memory_release(source, *slot);
    }
    *slot = grown;
    *capacity = larger;
    return CFD_OK;
}

cfd_status memory_copy_text(const memory_source *source, const char *text, const char *what, char **out)
{
    size_t bytes = strlen(text) + 1;
    char *copy;
    TRY(memory_allocate(source, bytes, 1, what, &copy));
    memcpy(copy, text, bytes);
    *out = copy;
    return CFD_OK;
}

void memory_release(const memory_source *source, void *memory)
{
    if (!memory) {
        return;
    }
    void *raw = ((void **)memory)[-1];
    if (source->allocate) {
        source->release(source->user, raw);
    } else {
        free(raw);
    }
}
