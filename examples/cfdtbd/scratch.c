/* SPDX-License-Identifier: Apache-2.0 */
/* A directory for files that nobody keeps. */
#define _POSIX_C_SOURCE 200809L
#include "scratch.h"

#include "../common/held_signals.h"
#include "../common/messages.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LEVELS = 2 };

int scratch_make(char path[SCRATCH_BYTES])
{
    const char *parent = getenv("TMPDIR");
    parent = parent && *parent ? parent : "/tmp";
    if (strlen(parent) > SCRATCH_BYTES / 2) {
        return failed("TMPDIR is too long a name");
    }
    snprintf(path, SCRATCH_BYTES, "%s/cfdtbd-bench-XXXXXX", parent); /* mkdtemp puts letters in place of the X */
    signals_hold();
    if (!mkdtemp(path)) {
        int reason = errno;
        path[0] = '\0';
        signals_let_go();
        return failed("%s: no directory for temporary files can be made: %s", parent, strerror(reason));
    }
    return EXIT_DONE;
}

void scratch_path(char path[SCRATCH_BYTES], const char *directory, const char *name)
{
    snprintf(path, SCRATCH_BYTES, "%s/%s", directory, name);
}

/* Removes what can be: the directory itself comes last. */
static void remove_tree(const char *path, int levels)
{
    DIR *directory = opendir(path);
    struct dirent *entry;
    while (directory && (entry = readdir(directory)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
            continue;
        }
        size_t bytes = strlen(path) + strlen(entry->d_name) + 2;
        char *child = malloc(bytes);
        if (child) {
            snprintf(child, bytes, "%s/%s", path, entry->d_name);
            if (unlink(child) != 0 && levels > 1) {
                remove_tree(child, levels - 1);
            }
            free(child);
        }
    }
    if (directory) {
        closedir(directory);
    }
    (void)rmdir(path);
}

void scratch_remove(const char *path)
{
    if (path[0]) {
        remove_tree(path, LEVELS);
        signals_let_go();
    }
}
