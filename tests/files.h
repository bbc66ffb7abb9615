/* SPDX-License-Identifier: Apache-2.0 */
/* What suites that read and write files share: a folder of their own, files from bytes, and memory that is counted and can
 * be told to run out. */
#ifndef CFD_TESTS_FILES_H
#define CFD_TESTS_FILES_H

#ifndef _XOPEN_SOURCE
#define _XOPEN_SOURCE 700 /* mkdtemp, P_tmpdir: include this file first */
#endif

#include "test.h"

#undef fail /* Check's, deprecated; the library has its own */
#include "base/memory.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- a folder, made before each test and removed with everything in it afterwards ---- */

static char folder[256];

static void remove_tree(const char *path)
{
    DIR *stream = opendir(path);
    if (stream) {
        for (const struct dirent *entry; (entry = readdir(stream));) {
            if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
                char inner[1024];
                snprintf(inner, sizeof inner, "%s/%s", path, entry->d_name);
                remove_tree(inner);
            }
        }
        closedir(stream);
        rmdir(path);
    } else {
        unlink(path);
    }
}

static inline void make_folder(void)
{
    const char *base = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%s/cfdtbd-test-XXXXXX", base && *base ? base : P_tmpdir);
    ck_assert_ptr_nonnull(mkdtemp(folder));
}

static inline void remove_folder(void)
{
    remove_tree(folder);
}

/* A path in the folder; good until eight more were asked for. */
static inline const char *in_folder(const char *name)
{
    static char paths[8][512];
    static int next;
    char *path = paths[next++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static inline const char *write_bytes(const char *name, const void *bytes, size_t n)
{
    const char *path = in_folder(name);
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(bytes, 1, n, file), n);
    ck_assert_int_eq(fclose(file), 0);
    return path;
}

static inline const char *write_text(const char *name, const char *text)
{
    return write_bytes(name, text, strlen(text));
}

/* The bytes of a file, which the caller frees. */
static inline unsigned char *read_bytes_of(const char *path, size_t *n)
{
    FILE *file = fopen(path, "rb");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(fseek(file, 0, SEEK_END), 0);
    *n = (size_t)ftell(file);
    rewind(file);
    unsigned char *bytes = malloc(*n + 1);
    ck_assert_ptr_nonnull(bytes);
    ck_assert_uint_eq(fread(bytes, 1, *n, file), *n);
    bytes[*n] = 0;
    fclose(file);
    return bytes;
}

static inline int entries_in_folder(void)
{
    int n = 0;
    DIR *stream = opendir(folder);
    ck_assert_ptr_nonnull(stream);
    for (const struct dirent *entry; (entry = readdir(stream));) {
        n += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    }
    closedir(stream);
    return n;
}

/* ---- memory ---- */

/* held: blocks not yet given back; the allocation numbered fail_at (from 0) and all later ones fail, unless it is negative.
 */
typedef struct counted_memory {
    long held, asked, fail_at;
} counted_memory;

static inline void *counted_allocate(void *user, size_t bytes)
{
    counted_memory *counts = user;
    if (counts->fail_at >= 0 && counts->asked >= counts->fail_at) {
        return NULL;
    }
    counts->asked++;
    counts->held++;
    return malloc(bytes);
}

static inline void counted_release(void *user, void *memory)
{
    counted_memory *counts = user;
    counts->held--;
    free(memory);
}

static inline memory_source counted_source(counted_memory *counts)
{
    *counts = (counted_memory){.fail_at = -1};
    return (memory_source){counted_allocate, counted_release, counts};
}

#endif
