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

/* Opens PATH.PID-N.tmp, with the permissions that any new file gets. N, since a killed process of the same number may
 * have left its file behind. */
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
    int opened = -1;
    for (int attempt = 0; attempt < 10000 && opened < 0; attempt++) {
        snprintf(name, size, "%s.%ld-%d.tmp", path, (long)getpid(), attempt);
        opened = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (opened < 0 && errno != EEXIST && errno != EINTR) {
            break;
        }
    }
    if (opened < 0) {
        int code = refuse(path);
        free(name);
        return code;
    }
    *temporary = name;
    *descriptor = opened;
    return EXIT_DONE;
}

/* The folder of a path, or false if there is none. */
static bool find_folder(const char *path, const char *name, struct stat *folder)
{
    char *text = malloc((size_t)(name - path) + sizeof ".");
    if (!text) {
        return false;
    }
    memcpy(text, path, (size_t)(name - path));
    memcpy(text + (name - path), ".", sizeof "."); /* "" and "/" and "out/" need not be told apart then */
    bool found = stat(text, folder) == 0;
    free(text);
    return found;
}

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

bool replacement_same(const char *a, const char *b)
{
    struct stat of_a, of_b;
    const char *name_of_a = last_part(a), *name_of_b = last_part(b);
    return strcmp(name_of_a, name_of_b) == 0 &&
           (strcmp(a, b) == 0 || (find_folder(a, name_of_a, &of_a) && find_folder(b, name_of_b, &of_b) &&
                                  of_a.st_dev == of_b.st_dev && of_a.st_ino == of_b.st_ino));
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
    (void)fclose(r->file); /* what it holds is not wanted */
    unlink(r->temporary);
    free(r->temporary);
}
