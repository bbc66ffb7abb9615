/* SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include "io/map_file.h"
#include "io/report.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static cfd_status map_open_file(int descriptor, const char *path, map_use use, bool empty_allowed, mapped_file *out)
{
    struct stat about;
    if (fstat(descriptor, &about) != 0) {
        return fail_file("read", path, errno);
    }
    if (S_ISDIR(about.st_mode)) {
        return fail_file("read", path, EISDIR);
    }
    if (!S_ISREG(about.st_mode)) {
        return fail(CFD_ERROR_FILE, "cannot read %s: not a regular file", path);
    }
    if (about.st_size == 0) {
        if (!empty_allowed) {
            return fail(CFD_ERROR_FORMAT, "%s: the file is empty", path);
        }
        *out = (mapped_file){0};
        return CFD_OK;
    }
    if ((uintmax_t)about.st_size > PTRDIFF_MAX) {
        return fail_file("read", path, EFBIG);
    }
    void *memory = mmap(NULL, (size_t)about.st_size, PROT_READ, MAP_PRIVATE, descriptor, 0);
    if (memory == MAP_FAILED) {
        return fail_file("map", path, errno);
    }
    if (use == MAP_SEQUENTIAL) {
        (void)posix_madvise(memory, (size_t)about.st_size, POSIX_MADV_SEQUENTIAL);
    }
    *out = (mapped_file){memory, (size_t)about.st_size};
    return CFD_OK;
}

cfd_status map_file(const char *path, map_use use, bool empty_allowed, mapped_file *out)
{
    /* O_NONBLOCK: opening a pipe must not wait for its writer; it means nothing for a regular file. */
    int descriptor;
    do {
        descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    } while (descriptor < 0 && errno == EINTR);
    if (descriptor < 0) {
        return fail_file("open", path, errno);
    }
    cfd_status status = map_open_file(descriptor, path, use, empty_allowed, out);
    close(descriptor);
    return status;
}

void unmap_file(mapped_file *file)
{
    if (file->memory) {
        munmap(file->memory, file->bytes);
    }
    *file = (mapped_file){0};
}
