/* SPDX-License-Identifier: Apache-2.0 */
/* Constant features as the backend keeps them (features.cu), for their products (project.cu). */
#ifndef CFD_CUDA_KEPT_FEATURES_H
#define CFD_CUDA_KEPT_FEATURES_H

#include "backend.h"

/* Dense: rows of numbers, contiguous, in `element`, in one or two parts: with BF16X3 the high and the low halves. They lie
 * on the device; or, where that has no room, in pinned host memory, from where blocks of rows go through two places on the
 * device in turn, on a stream of their own.
 * Sparse: the matrix, and its transpose, each in device memory. */
struct ops_features {
    int32_t rows, columns;
    ops_precision precision;
    size_t bytes; /* all memory of theirs, of device and host */

    ops_element element;
    void *part[2]; /* part[1] NULL: one part; part[0] NULL: sparse */
    bool streamed;
    int64_t block_rows; /* streamed: rows of a place */
    void *place[2][2];  /* streamed: for each place its parts */
    cudaStream_t copies;
    cudaEvent_t begun, filled[2], drained[2];

    ops_csr forward, transposed;
};

#endif
