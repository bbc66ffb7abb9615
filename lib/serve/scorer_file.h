/* SPDX-License-Identifier: Apache-2.0 */
/* What serving needs of a model file (docs/file-formats.md), checked and copied into memory. */
#ifndef CFD_SERVE_SCORER_FILE_H
#define CFD_SERVE_SCORER_FILE_H

#include "base/memory.h"
#include "model/settings.h"

typedef struct scorer_file {
    settings values;
    char roles[CFD_MAX_MODALITIES][SETTINGS_ROLE_BYTES];
    int32_t n_roles;
    int64_t steps_done;
    int32_t users, items, width;
    float *queries, *keys; /* the caller's to release */
} scorer_file;

/* Errors: CFD_ERROR_FILE; CFD_ERROR_FORMAT naming the path and what is wrong; CFD_ERROR_MEMORY. *out is set on
 * success. */
cfd_status scorer_file_read(const memory_source *memory, const char *path, scorer_file *out);

#endif
