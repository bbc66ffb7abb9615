/* SPDX-License-Identifier: Apache-2.0 */
/* The text of a .npy header: a Python dict literal with descr, fortran_order and shape. */
#ifndef CFD_IO_NPY_HEADER_H
#define CFD_IO_NPY_HEADER_H

#include "base/status.h"

#include <stdbool.h>

#define NPY_MAX_RANK 32

typedef struct npy_header {
    const char *descr; /* not NUL-terminated, within the text */
    size_t descr_length;
    bool fortran_order;
    int64_t shape[NPY_MAX_RANK];
    int32_t rank;
} npy_header;

/* Strict: exactly these keys, each once, in any order; CFD_ERROR_FORMAT names path and byte. */
cfd_status npy_header_parse(const char *path, const char *text, size_t n, npy_header *out);

#endif
