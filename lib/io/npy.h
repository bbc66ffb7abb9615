/* SPDX-License-Identifier: Apache-2.0 */
/* Reading of .npy files (versions 1, 2 and 3): one matrix of float16, float32 or float64. */
#ifndef CFD_IO_NPY_H
#define CFD_IO_NPY_H

#include "base/memory.h"
#include "io/map_file.h"

/* A mapped file whose header was read and whose size was checked. A vector of n counts as n x 1. */
typedef struct npy_file {
    mapped_file map;
    const unsigned char *data;
    int32_t rows, columns; /* each at least 1 */
    int32_t element_bytes; /* 2, 4 or 8 */
    bool swapped;          /* of the other byte order than this machine's */
    bool by_columns;       /* Fortran order */
} npy_file;

/* CFD_ERROR_FORMAT names the file and what is wrong with it. */
cfd_status npy_open(const char *path, npy_file *out);
void npy_close(npy_file *file); /* accepts a zeroed struct */

/* How many bytes a number takes once it is read: float16 stays as it is, all else is float32. */
static inline int32_t npy_read_bytes(const npy_file *file)
{
    return file->element_bytes == 2 ? 2 : 4;
}

/* The data as row-major numbers of npy_read_bytes within the mapping, where they stand there so; else NULL. */
const void *npy_in_place(const npy_file *file);
/* A row-major copy of such numbers, which the caller releases: `out` is the address of a pointer. What float32 cannot hold
 * becomes an infinity. */
cfd_status npy_convert(const memory_source *memory, const npy_file *file, void *out);

#endif
