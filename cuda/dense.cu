/* SPDX-License-Identifier: Apache-2.0 */
/* Dense products by cuBLAS, which counts columns first: a row-major C = A B is its C^T = B^T A^T, so the operands change
 * places and nothing is transposed that the caller did not ask for. */
#include "backend.h"

#include "device.cuh"

#include <limits.h>

enum { CLEAR_BLOCK = 256 };

/* C = beta C of one of `gridDim.y` matrices: what a product over nothing comes to. */
__global__ void scale_matrix_kernel(float *c, int64_t ldc, int64_t m, int64_t n, int64_t stride, float beta)
{
    int64_t i = (int64_t)blockIdx.x * CLEAR_BLOCK + threadIdx.x;
    if (inside(i, m * n)) {
        float *at = c + (int64_t)blockIdx.y * stride + i / n * ldc + i % n;
        *at = beta == 0 ? 0 : beta * *at;
    }
}

static cudaDataType_t type_of(const cuda_matrix *matrix)
{
    return matrix->element == OPS_FLOAT32 ? CUDA_R_32F : matrix->element == OPS_FLOAT16 ? CUDA_R_16F : CUDA_R_16BF;
}

static cublasOperation_t operation_of(const cuda_matrix *matrix)
{
    return matrix->transposed ? CUBLAS_OP_T : CUBLAS_OP_N;
}

static bool fits(const cuda_product *p)
{
    return p->m <= INT_MAX && p->n <= INT_MAX && p->k <= INT_MAX && p->a.ld <= INT_MAX && p->b.ld <= INT_MAX &&
           p->ldc <= INT_MAX;
}

cfd_status cuda_multiply_on(const cuda_ops *c, cublasHandle_t blas, const cuda_product *p, const char *what)
{
    if (p->m == 0 || p->n == 0 || p->count == 0) {
        return CFD_OK;
    }
    if (!fits(p)) {
        return cuda_fail(c, CFD_ERROR_DEVICE, "%s: a product of %lld x %lld by %lld x %lld is too large for cuBLAS", what,
                         (long long)p->m, (long long)p->k, (long long)p->k, (long long)p->n);
    }
    cublasComputeType_t compute = p->tf32 ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F;
    cublasOperation_t first = operation_of(&p->b);
    cublasOperation_t second = operation_of(&p->a);
    int m = (int)p->n;
    int n = (int)p->m;
    int k = (int)p->k;
    if (p->count == 1) { /* of one product cuBLAS may split a long sum, as dW = F^T G has */
        return cuda_check_blas(c,
                               cublasGemmEx(blas, first, second, m, n, k, &p->alpha, p->b.data, type_of(&p->b), (int)p->b.ld,
                                            p->a.data, type_of(&p->a), (int)p->a.ld, &p->beta, p->c, CUDA_R_32F, (int)p->ldc,
                                            compute, CUBLAS_GEMM_DEFAULT),
                               what);
    }
    return cuda_check_blas(c,
                           cublasGemmStridedBatchedEx(blas, first, second, m, n, k, &p->alpha, p->b.data, type_of(&p->b),
                                                      (int)p->b.ld, p->stride_b, p->a.data, type_of(&p->a), (int)p->a.ld,
                                                      p->stride_a, &p->beta, p->c, CUDA_R_32F, (int)p->ldc, p->stride_c,
                                                      p->count, compute, CUBLAS_GEMM_DEFAULT),
                           what);
}

cfd_status cuda_multiply(cuda_ops *c, const cuda_product *p, const char *what)
{
    if (p->k == 0 && p->m > 0 && p->n > 0 && p->count > 0) {
        LAUNCH(c, scale_matrix_kernel, dim3(cuda_blocks(p->m * p->n, CLEAR_BLOCK), (unsigned)p->count), CLEAR_BLOCK, 0, p->c,
               p->ldc, p->m, p->n, p->stride_c, p->beta);
        return CFD_OK;
    }
    return cuda_multiply_on(c, c->blas, p, what);
}
