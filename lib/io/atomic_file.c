/* SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include "io/atomic_file.h"
#include "io/report.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Opens the folder that holds `path`, whose last part begins at `name`. */
static int open_directory(char *path, size_t name)
{
    int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
    if (name == 0) {
        return open(".", flags);
    }
    if (name == 1) {
        return open("/", flags);
    }
    path[name - 1] = '\0'; /* the separator, put back below */
    int directory = open(path, flags);
    path[name - 1] = '/';
    return directory;
}

/* The name says whose it is, in case the process is killed; O_EXCL makes it unique. */
static int create_temporary(int directory, char name[64])
{
    for (int attempt = 0; attempt < 10000; attempt++) {
        snprintf(name, 64, ".cfdtbd-%ld-%d.tmp", (long)getpid(), attempt);
        int descriptor = openat(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (descriptor >= 0 || (errno != EEXIST && errno != EINTR)) {
            return descriptor;
        }
    }
    return -1;
}

/* Ends what is open; a negative number stands for a descriptor that is not. */
static void end(atomic_file *file)
{
    if (file->descriptor >= 0) {
        close(file->descriptor);
    }
    if (file->directory >= 0) {
        close(file->directory);
    }
    memory_release(file->memory, file->path);
    *file = (atomic_file){.directory = -1, .descriptor = -1};
}

cfd_status atomic_file_open(const memory_source *memory, const char *path, atomic_file *out)
{
    atomic_file file = {.memory = memory, .directory = -1, .descriptor = -1};
    TRY(memory_copy_text(memory, path, "a path", &file.path));
    const char *slash = strrchr(file.path, '/');
    file.name = slash ? slash + 1 : file.path;
    cfd_status status = CFD_OK;
    if (*file.name == '\0') {
        status = fail(CFD_ERROR_FILE, "cannot write %s: %s", *path ? path : "\"\"",
                      *path ? "the path names a directory" : "the path is empty");
        goto failed;
    }
    file.directory = open_directory(file.path, (size_t)(file.name - file.path));
    if (file.directory < 0) {
        status = fail_file("write", path, errno);
        goto failed;
    }
    struct stat about;
    if (fstatat(file.directory, file.name, &about, 0) == 0 && !S_ISREG(about.st_mode)) {
        status = fail(CFD_ERROR_FILE, "cannot write %s: it is %s", path,
                      S_ISDIR(about.st_mode) ? "a directory" : "there and not an ordinary file");
        goto failed;
    }
    file.descriptor = create_temporary(file.directory, file.temporary);
    if (file.descriptor < 0) {
        status = fail_file("write", path, errno);
        goto failed;
    }
    *out = file;
    return CFD_OK;
failed:
    end(&file);
    return status;
}

cfd_status atomic_file_write(atomic_file *file, const void *bytes, size_t n)
{
    const char *from = bytes;
    while (n > 0) {
        size_t chunk = n < (size_t)1 << 30 ? n : (size_t)1 << 30;
        ssize_t written = write(file->descriptor, from, chunk);
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written < 0) {
            return fail_file("write", file->path, errno);
        }
        from += written;
        n -= (size_t)written;
    }
    return CFD_OK;
}

static int synchronise(int descriptor)
{
    int result;
    do {
        result = fsync(descriptor);
    } while (result != 0 && errno == EINTR);
    /* Some file systems know no such thing for some kinds of file; then there is nothing more to be done. */
    return result != 0 && errno != EINVAL && errno != ENOTSUP ? -1 : 0;
}

cfd_status atomic_file_commit(atomic_file *file)
{
    cfd_status status = CFD_OK;
    if (synchronise(file->descriptor) != 0) {
        status = fail_file("synchronise", file->path, errno);
        goto failed;
    }
    int descriptor = file->descriptor;
    file->descriptor = -1; /* close gives the descriptor up even where it fails */
    if (close(descriptor) != 0 && errno != EINTR) {
        status = fail_file("write", file->path, errno);
        goto failed;
    }
    if (renameat(file->directory, file->temporary, file->directory, file->name) != 0) {
        status = fail_file("replace", file->path, errno);
        goto failed;
    }
    if (synchronise(file->directory) != 0) {
        status = fail_file("synchronise the folder of", file->path, errno);
    }
    end(file);
    return status;
failed:
    atomic_file_cancel(file);
    return status;
}

void atomic_file_cancel(atomic_file *file)
{
    unlinkat(file->directory, file->temporary, 0);
    end(file);
}
