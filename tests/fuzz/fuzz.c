/* SPDX-License-Identifier: Apache-2.0 */
/* Files are memory of the kernel's, and their mappings are copies in memory of the address sanitizer's, of just their size:
 * so that a read beyond the end is seen, which in a mapping is a read of zeros up to the end of the page. */
#define _GNU_SOURCE /* memfd_create */
#include "fuzz.h"

#include <sys/mman.h>
#include <unistd.h>

#define MOST_BYTES ((size_t)64 << 20)

void fuzz_check(cfd_status status)
{
    FUZZ_REQUIRE(status == CFD_OK || (cfd_last_error()[0] != '\0' && !strchr(cfd_last_error(), '\n')));
}

/* ---- files ---- */

static int file = -1;
static char path[64];

void fuzz_forget_file(void)
{
    if (file >= 0) {
        close(file);
        file = -1;
    }
}

const char *fuzz_file(const uint8_t *bytes, size_t n)
{
    fuzz_forget_file();
    file = memfd_create("input", MFD_CLOEXEC);
    FUZZ_REQUIRE(file >= 0);
    for (size_t done = 0; done < n;) {
        ssize_t got = write(file, bytes + done, n - done);
        FUZZ_REQUIRE(got > 0);
        done += (size_t)got;
    }
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    return path;
}

/* The linker puts these in the places of mmap and munmap in the library. */
void *__wrap_mmap(void *at, size_t bytes, int protection, int flags, int descriptor, off_t offset);
int __wrap_munmap(void *memory, size_t bytes);

void *__wrap_mmap(void *at, size_t bytes, int protection, int flags, int descriptor, off_t offset)
{
    void *memory = NULL;
    FUZZ_REQUIRE(!at && protection == PROT_READ && flags == MAP_PRIVATE && offset == 0);
    FUZZ_REQUIRE(posix_memalign(&memory, 4096, bytes) == 0);
    for (size_t done = 0; done < bytes;) {
        ssize_t got = pread(descriptor, (char *)memory + done, bytes - done, (off_t)done);
        FUZZ_REQUIRE(got > 0);
        done += (size_t)got;
    }
    return memory;
}

int __wrap_munmap(void *memory, size_t bytes)
{
    (void)bytes;
    free(memory);
    return 0;
}

/* ---- memory ---- */

static size_t in_use;

static void *allocate(void *user, size_t bytes)
{
    (void)user;
    size_t *block = bytes <= MOST_BYTES - in_use ? malloc(bytes + 16) : NULL;
    if (!block) {
        return NULL;
    }
    in_use += bytes;
    block[0] = bytes;
    return (char *)block + 16;
}

static void release(void *user, void *memory)
{
    (void)user;
    size_t *block = (void *)((char *)memory - 16);
    in_use -= block[0];
    free(block);
}

const memory_source *fuzz_memory(void)
{
    static const memory_source source = {.allocate = allocate, .release = release};
    return &source;
}

cfd_context *fuzz_context(void)
{
    static cfd_context *context;
    if (!context) {
        cfd_context_options options = CFD_CONTEXT_OPTIONS_INIT;
        options.device = "cpu";
        options.threads = 1;
        options.allocate = allocate;
        options.release = release;
        FUZZ_REQUIRE(cfd_context_create(&options, &context) == CFD_OK);
    }
    return context;
}
