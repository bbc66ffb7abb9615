/* SPDX-License-Identifier: Apache-2.0 */
/* Files that are there whole or not at all: written beside the target under a name of their own, synchronised, then renamed
 * over it. Until atomic_file_commit succeeds the target is as it was. */
#ifndef CFD_IO_ATOMIC_FILE_H
#define CFD_IO_ATOMIC_FILE_H

#include "base/memory.h"

typedef struct atomic_file {
    const memory_source *memory;
    char *path;       /* as the caller named it */
    const char *name; /* its last part, within path */
    int directory;    /* of the target, open: everything happens relative to it */
    int descriptor;   /* of the temporary file */
    char temporary[64];
} atomic_file;

/* Creates the temporary file, mode 0666 less the umask. */
cfd_status atomic_file_open(const memory_source *memory, const char *path, atomic_file *out);
/* Appends. After a failure only atomic_file_cancel is left to do. */
cfd_status atomic_file_write(atomic_file *file, const void *bytes, size_t n);
/* Replaces the target and ends the struct; where it fails, the temporary file is gone as well. */
cfd_status atomic_file_commit(atomic_file *file);
/* Removes the temporary file and ends the struct. */
void atomic_file_cancel(atomic_file *file);

#endif
