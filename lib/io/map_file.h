/* SPDX-License-Identifier: Apache-2.0 */
/* Read-only private mappings of whole files. Whoever shortens a file while it is mapped ends the process that reads it:
 * that is in the nature of mappings, and the public header says so. */
#ifndef CFD_IO_MAP_FILE_H
#define CFD_IO_MAP_FILE_H

#include "base/status.h"

#include <stdbool.h>

typedef struct mapped_file {
    void *memory; /* NULL where the file is empty */
    size_t bytes;
} mapped_file;

typedef enum map_use {
    MAP_SEQUENTIAL, /* read once, from front to back */
    MAP_RESIDENT    /* kept and read again */
} map_use;

/* Regular files only. An empty file is CFD_ERROR_FORMAT unless it is allowed; everything else CFD_ERROR_FILE. */
cfd_status map_file(const char *path, map_use use, bool empty_allowed, mapped_file *out);
/* Accepts a zeroed struct, and zeroes it. */
void unmap_file(mapped_file *file);

#endif
