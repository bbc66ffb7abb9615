/* SPDX-License-Identifier: Apache-2.0 */
/* Between the parts of the simulated cuBLAS. */
#ifndef CUDASIM_CUBLAS_GEMM_H
#define CUDASIM_CUBLAS_GEMM_H

#include "libraries.h"

#include <cublas_v2.h>

struct cublasContext : cudasim::library_handle {
    bool has_workspace = false; /* set by the program; else cuBLAS has its own */
    void *workspace = nullptr;
    size_t workspace_bytes = 0;
    cublasAtomicsMode_t atomics = CUBLAS_ATOMICS_NOT_ALLOWED;
    cublasMath_t math = CUBLAS_DEFAULT_MATH;
};

namespace cudasim {

extern registry &cublas_handles;

/* A matrix of a product, column-major, one of those `stride` elements apart. */
struct gemm_operand {
    const void *data;
    cudaDataType type;
    int64_t ld;
    long long stride;
    cublasOperation_t op;
};

/* C = alpha op(A) op(B) + beta C, `count` times. */
struct gemm {
    const char *call;
    int64_t m, n, k, count;
    gemm_operand a, b, c;
    const void *alpha, *beta;
    cublasComputeType_t compute;
};

/* What every product of the interface comes to. */
cublasStatus_t multiply(cublasHandle_t handle, const gemm &product);

} /* namespace cudasim */

#endif
