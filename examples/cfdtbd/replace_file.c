/* SPDX-License-Identifier: Apache-2.0 */
/* Writing a file beside its place and renaming it. */
#define _POSIX_C_SOURCE 200809L
#include "replace_file.h"

#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int refuse(const char *path)
{
    return failed("cannot write %s: %s", path, strerror(errno));
}

/* Opens PATH.PID.tmp, which must not exist, with the permissions that any new file gets. */
static int open_beside(const char *path, char **temporary, int *descriptor)
{
    struct stat there;
    size_t size = strlen(path) + 40;
    if (stat(path, &there) == 0 && !S_ISREG(there.st_mode)) {
        return failed("cannot write %s: it is %s", path,
                      S_ISDIR(there.st_mode) ? "a directory" : "there and not an ordinary file");
    }
    char *name = malloc(size);
    if (!name) {
        return out_of_memory();
    }
    snprintf(name, size, "%s.%ld.tmp", path, (long)getpid());
    int opened = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (opened < 0) {
        int code = refuse(path);
        free(name);
        return code;
    }
    *temporary = name;
    *descriptor = opened;
    return EXIT_DONE;
}

int replacement_check(const char *path)
{
    char *temporary = NULL;
    int descriptor = -1;
    int code = open_beside(path, &temporary, &descriptor);
    if (code == EXIT_DONE) {
        close(descriptor);
        unlink(temporary);
        free(temporary);
    }
    return code;
}

int replacement_open(replacement *r, const char *path)
{
    char *temporary = NULL;
    int descriptor = -1;
    int code = open_beside(path, &temporary, &descriptor);
    if (code != EXIT_DONE) {
        return code;
    }
    FILE *file = fdopen(descriptor, "w");
    if (!file) {
        code = refuse(path);
        close(descriptor);
        unlink(temporary);
        free(temporary);
        return code;
    }
    *r = (replacement){path, temporary, file};
    return EXIT_DONE;
}

int replacement_commit(replacement *r)
{
    errno = 0;
    bool written = !ferror(r->file) && fflush(r->file) == 0 && fsync(fileno(r->file)) == 0;
    int reason = errno;
    if (fclose(r->file) != 0 && written) {
        written = false;
        reason = errno;
    }
    if (written && rename(r->temporary, r->path) != 0) {
        written = false;
        reason = errno;
    }
    int code = EXIT_DONE;
    if (!written) {
        unlink(r->temporary);
        errno = reason ? reason : EIO;
        code = refuse(r->path);
    }
    free(r->temporary);
    return code;
}

void replacement_discard(replacement *r)
{
    fclose(r->file);
    unlink(r->temporary);
    free(r->temporary);
}
