/* SPDX-License-Identifier: Apache-2.0 */
/* What serving needs of a model file (docs/file-formats.md), checked. It stays where it is: in the mapped file. */
#ifndef CFD_SERVE_SCORER_FILE_H
#define CFD_SERVE_SCORER_FILE_H

#include "serve/snapshot.h"

/* Errors: CFD_ERROR_FILE; CFD_ERROR_FORMAT naming the path and what is wrong; CFD_ERROR_MEMORY. *out is set on success. */
cfd_status scorer_file_read(const memory_source *memory, const char *path, snapshot *out);

/* scorer_file_nodes.c: what new users and items are computed from, and who has what, as far as they were kept. Rows and
 * settings of *s have been read. Numbers of rows are not looked at: results are. */
cfd_status scorer_file_read_nodes(const char *path, snapshot *s);

/* A float32 matrix of the file of this shape. `of` says in words what its dimensions are. */
cfd_status scorer_file_matrix(const snapshot *s, const char *path, const char *name, int64_t rows, int64_t columns,
                              const char *of, const float **out);

#endif
