/* SPDX-License-Identifier: Apache-2.0 */
/* Writing of .npy files (version 1.0): one matrix of float32, row-major. */
#ifndef CFD_IO_NPY_WRITE_H
#define CFD_IO_NPY_WRITE_H

#include "io/atomic_file.h"

/* Writes the whole file: header, padded so that the numbers begin at a multiple of 64 bytes, and rows x columns numbers. The
 * caller commits or cancels, so that several files can be finished before the first takes its place. */
cfd_status npy_write(atomic_file *file, int32_t rows, int32_t columns, const float *values);

#endif
