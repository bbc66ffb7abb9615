/* SPDX-License-Identifier: Apache-2.0 */
/* cuBLAS of the simulated device: the part of the interface that it has, with the prototypes and values of CUDA 13. Names
 * that the library exports with a suffix are declared with it. */
#ifndef CUDASIM_CUBLAS_V2_H
#define CUDASIM_CUBLAS_V2_H

#include <cuda_runtime_api.h>
#include <library_types.h>

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CUBLAS_VER_MAJOR 13
#define CUBLAS_VER_MINOR 1
#define CUBLAS_VER_PATCH 0
#define CUBLAS_VERSION (CUBLAS_VER_MAJOR * 10000 + CUBLAS_VER_MINOR * 100 + CUBLAS_VER_PATCH)

typedef enum {
    CUBLAS_STATUS_SUCCESS = 0,
    CUBLAS_STATUS_NOT_INITIALIZED = 1,
    CUBLAS_STATUS_ALLOC_FAILED = 3,
    CUBLAS_STATUS_INVALID_VALUE = 7,
    CUBLAS_STATUS_ARCH_MISMATCH = 8,
    CUBLAS_STATUS_MAPPING_ERROR = 11,
    CUBLAS_STATUS_EXECUTION_FAILED = 13,
    CUBLAS_STATUS_INTERNAL_ERROR = 14,
    CUBLAS_STATUS_NOT_SUPPORTED = 15,
    CUBLAS_STATUS_LICENSE_ERROR = 16
} cublasStatus_t;

typedef enum { CUBLAS_FILL_MODE_LOWER = 0, CUBLAS_FILL_MODE_UPPER = 1, CUBLAS_FILL_MODE_FULL = 2 } cublasFillMode_t;
typedef enum { CUBLAS_OP_N = 0, CUBLAS_OP_T = 1, CUBLAS_OP_C = 2, CUBLAS_OP_CONJG = 3 } cublasOperation_t;
typedef enum { CUBLAS_POINTER_MODE_HOST = 0, CUBLAS_POINTER_MODE_DEVICE = 1 } cublasPointerMode_t;
typedef enum { CUBLAS_ATOMICS_NOT_ALLOWED = 0, CUBLAS_ATOMICS_ALLOWED = 1 } cublasAtomicsMode_t;

typedef enum {
    CUBLAS_DEFAULT_MATH = 0,
    CUBLAS_PEDANTIC_MATH = 2,
    CUBLAS_TF32_TENSOR_OP_MATH = 3,
    CUBLAS_MATH_DISALLOW_REDUCED_PRECISION_REDUCTION = 16
} cublasMath_t;

typedef enum {
    CUBLAS_COMPUTE_16F = 64,
    CUBLAS_COMPUTE_32F = 68,
    CUBLAS_COMPUTE_32F_PEDANTIC = 69,
    CUBLAS_COMPUTE_64F = 70,
    CUBLAS_COMPUTE_32F_FAST_TF32 = 77
} cublasComputeType_t;

typedef enum { CUBLAS_GEMM_DEFAULT = -1, CUBLAS_GEMM_DEFAULT_TENSOR_OP = 99 } cublasGemmAlgo_t;

typedef struct cublasContext *cublasHandle_t;

#define cublasCreate cublasCreate_v2
#define cublasDestroy cublasDestroy_v2
#define cublasGetVersion cublasGetVersion_v2
#define cublasSetStream cublasSetStream_v2
#define cublasGetStream cublasGetStream_v2
#define cublasSetWorkspace cublasSetWorkspace_v2
#define cublasSetPointerMode cublasSetPointerMode_v2
#define cublasGetPointerMode cublasGetPointerMode_v2
#define cublasSgemm cublasSgemm_v2
#define cublasSgemm_64 cublasSgemm_v2_64
#define cublasDgemm cublasDgemm_v2

cublasStatus_t cublasCreate(cublasHandle_t *handle);
cublasStatus_t cublasDestroy(cublasHandle_t handle);
cublasStatus_t cublasGetVersion(cublasHandle_t handle, int *version);
const char *cublasGetStatusName(cublasStatus_t status);
const char *cublasGetStatusString(cublasStatus_t status);
cublasStatus_t cublasSetStream(cublasHandle_t handle, cudaStream_t stream);
cublasStatus_t cublasGetStream(cublasHandle_t handle, cudaStream_t *stream);
cublasStatus_t cublasSetWorkspace(cublasHandle_t handle, void *workspace, size_t bytes);
cublasStatus_t cublasSetPointerMode(cublasHandle_t handle, cublasPointerMode_t mode);
cublasStatus_t cublasGetPointerMode(cublasHandle_t handle, cublasPointerMode_t *mode);
cublasStatus_t cublasSetAtomicsMode(cublasHandle_t handle, cublasAtomicsMode_t mode);
cublasStatus_t cublasGetAtomicsMode(cublasHandle_t handle, cublasAtomicsMode_t *mode);
cublasStatus_t cublasSetMathMode(cublasHandle_t handle, cublasMath_t mode);
cublasStatus_t cublasGetMathMode(cublasHandle_t handle, cublasMath_t *mode);

/* The products; each is declared for a type of its sizes: int, or with the suffix _64 int64_t. */
#define CUDASIM_SGEMM(name, size)                                                                                         \
    cublasStatus_t name(cublasHandle_t handle, cublasOperation_t transa, cublasOperation_t transb, size m, size n, size k, \
                        const float *alpha, const float *a, size lda, const float *b, size ldb, const float *beta,        \
                        float *c, size ldc)
#define CUDASIM_SGEMM_BATCHED(name, size)                                                                                 \
    cublasStatus_t name(cublasHandle_t handle, cublasOperation_t transa, cublasOperation_t transb, size m, size n, size k, \
                        const float *alpha, const float *a, size lda, long long int stride_a, const float *b, size ldb,   \
                        long long int stride_b, const float *beta, float *c, size ldc, long long int stride_c, size count)
#define CUDASIM_GEMM_EX(name, size)                                                                                       \
    cublasStatus_t name(cublasHandle_t handle, cublasOperation_t transa, cublasOperation_t transb, size m, size n, size k, \
                        const void *alpha, const void *a, cudaDataType a_type, size lda, const void *b,                   \
                        cudaDataType b_type, size ldb, const void *beta, void *c, cudaDataType c_type, size ldc,          \
                        cublasComputeType_t compute, cublasGemmAlgo_t algorithm)
#define CUDASIM_GEMM_BATCHED_EX(name, size)                                                                               \
    cublasStatus_t name(cublasHandle_t handle, cublasOperation_t transa, cublasOperation_t transb, size m, size n, size k, \
                        const void *alpha, const void *a, cudaDataType a_type, size lda, long long int stride_a,          \
                        const void *b, cudaDataType b_type, size ldb, long long int stride_b, const void *beta, void *c,  \
                        cudaDataType c_type, size ldc, long long int stride_c, size count, cublasComputeType_t compute,   \
                        cublasGemmAlgo_t algorithm)

CUDASIM_SGEMM(cublasSgemm, int);
CUDASIM_SGEMM(cublasSgemm_64, int64_t);
CUDASIM_SGEMM_BATCHED(cublasSgemmStridedBatched, int);
CUDASIM_SGEMM_BATCHED(cublasSgemmStridedBatched_64, int64_t);
CUDASIM_GEMM_EX(cublasGemmEx, int);
CUDASIM_GEMM_EX(cublasGemmEx_64, int64_t);
CUDASIM_GEMM_BATCHED_EX(cublasGemmStridedBatchedEx, int);
CUDASIM_GEMM_BATCHED_EX(cublasGemmStridedBatchedEx_64, int64_t);

cublasStatus_t cublasDgemm(cublasHandle_t handle, cublasOperation_t transa, cublasOperation_t transb, int m, int n, int k,
                           const double *alpha, const double *a, int lda, const double *b, int ldb, const double *beta,
                           double *c, int ldc);
cublasStatus_t cublasDgemmStridedBatched(cublasHandle_t handle, cublasOperation_t transa, cublasOperation_t transb, int m,
                                         int n, int k, const double *alpha, const double *a, int lda, long long int stride_a,
                                         const double *b, int ldb, long long int stride_b, const double *beta, double *c,
                                         int ldc, long long int stride_c, int count);

#ifdef __cplusplus
}
#endif

#endif
