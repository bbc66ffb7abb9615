/* SPDX-License-Identifier: Apache-2.0 */
/* Dense products of the simulated cuBLAS: checks at the call, plain loops when the work runs. A sum runs over k from 0 on,
 * in float (double for operands in double). */
#include "cublas_gemm.h"
#include "cublas_numbers.h"

#include <string>
#include <vector>

namespace cudasim {

static size_t bytes_of(cudaDataType type)
{
    return type == CUDA_R_64F ? 8 : type == CUDA_R_32F ? 4 : 2;
}

/* ---- checks at the call ---- */

static bool is_operation(cublasOperation_t op)
{
    return op == CUBLAS_OP_N || op == CUBLAS_OP_T || op == CUBLAS_OP_C;
}

static int64_t rows_stored(const gemm_operand &x, int64_t rows, int64_t columns)
{
    return x.op == CUBLAS_OP_N ? rows : columns;
}

static bool is_ld(int64_t ld, int64_t rows)
{
    return ld >= (rows > 1 ? rows : 1);
}

static cublasStatus_t check_values(const gemm &p)
{
    if (p.m < 0 || p.n < 0 || p.k < 0 || p.count < 0 || !is_operation(p.a.op) || !is_operation(p.b.op) ||
        !is_ld(p.a.ld, rows_stored(p.a, p.m, p.k)) || !is_ld(p.b.ld, rows_stored(p.b, p.k, p.n)) || !is_ld(p.c.ld, p.m) ||
        p.alpha == nullptr || p.beta == nullptr) {
        return CUBLAS_STATUS_INVALID_VALUE;
    }
    return CUBLAS_STATUS_SUCCESS;
}

static bool is_supported(const gemm &p)
{
    cudaDataType in = p.a.type, out = p.c.type;
    if (in != p.b.type) {
        return false;
    }
    switch (p.compute) {
    case CUBLAS_COMPUTE_32F:
    case CUBLAS_COMPUTE_32F_PEDANTIC:
        return in == CUDA_R_32F ? out == CUDA_R_32F
                                : (in == CUDA_R_16BF || in == CUDA_R_16F) && (out == in || out == CUDA_R_32F);
    case CUBLAS_COMPUTE_32F_FAST_TF32: return in == CUDA_R_32F && out == CUDA_R_32F;
    case CUBLAS_COMPUTE_64F: return in == CUDA_R_64F && out == CUDA_R_64F;
    default: return false;
    }
}

/* The columns of one of the matrices of an operand that is rows x columns as it takes part in the product. */
static runs piece(const gemm_operand &x, int64_t index, int64_t rows, int64_t columns)
{
    size_t element = bytes_of(x.type);
    bool straight = x.op == CUBLAS_OP_N;
    return {(const char *)x.data + index * x.stride * (long long)element, straight ? columns : rows, x.ld * (int64_t)element,
            (size_t)(straight ? rows : columns) * element};
}

static bool check_operand(const gemm &p, const char *name, const gemm_operand &x, int64_t rows, int64_t columns)
{
    for (int64_t i = 0; i < (x.stride == 0 ? 1 : p.count); i++) {
        if (!piece(x, i, rows, columns).check(p.call, name, bytes_of(x.type))) {
            return false;
        }
    }
    return true;
}

/* Does a C overlap an operand of any product? */
static bool check_apart(const gemm &p, const char *name, const gemm_operand &x, int64_t rows, int64_t columns)
{
    for (int64_t i = 0; i < p.count; i++) {
        for (int64_t j = 0; j < (x.stride == 0 ? 1 : p.count); j++) {
            if (piece(p.c, i, p.m, p.n).overlaps(piece(x, j, rows, columns))) {
                violation("argument", "%s: C overlaps %s", p.call, name);
                return false;
            }
        }
    }
    return true;
}

static bool check_results_apart(const gemm &p)
{
    for (int64_t i = 0; i < p.count; i++) {
        for (int64_t j = 0; j < i; j++) {
            if (piece(p.c, i, p.m, p.n).overlaps(piece(p.c, j, p.m, p.n))) {
                violation("argument", "%s: C of product %lld overlaps that of product %lld", p.call, (long long)i,
                          (long long)j);
                return false;
            }
        }
    }
    return true;
}

static bool check_memory(const gemm &p)
{
    return check_operand(p, "A", p.a, p.m, p.k) && check_operand(p, "B", p.b, p.k, p.n) &&
           check_operand(p, "C", p.c, p.m, p.n) && check_apart(p, "A", p.a, p.m, p.k) &&
           check_apart(p, "B", p.b, p.k, p.n) && check_results_apart(p);
}

/* ---- the work ---- */

struct gemm_work {
    gemm product;
    scalar alpha, beta;
    bool tf32;
    void *workspace;
    size_t workspace_bytes;
};

static double element_at(const void *data, cudaDataType type, int64_t i)
{
    switch (type) {
    case CUDA_R_64F: return ((const double *)data)[i];
    case CUDA_R_32F: return ((const float *)data)[i];
    case CUDA_R_16F: return float16_value(((const uint16_t *)data)[i]);
    default: return bfloat16_value(((const uint16_t *)data)[i]);
    }
}

static void set_element(void *data, cudaDataType type, int64_t i, double value)
{
    switch (type) {
    case CUDA_R_64F: ((double *)data)[i] = value; break;
    case CUDA_R_32F: ((float *)data)[i] = (float)value; break;
    case CUDA_R_16F: ((uint16_t *)data)[i] = float16_of((float)value); break;
    default: ((uint16_t *)data)[i] = bfloat16_of((float)value);
    }
}

/* One matrix of an operand as it takes part, row-major. False where it may not be read. */
template <class T>
static bool gather(const gemm_operand &x, int64_t index, int64_t rows, int64_t columns, bool tf32, const std::string &what,
                   std::vector<T> &out)
{
    runs r = piece(x, index, rows, columns);
    if (!r.readable(what.c_str())) {
        return false;
    }
    int64_t by_row = x.op == CUBLAS_OP_N ? 1 : x.ld, by_column = x.op == CUBLAS_OP_N ? x.ld : 1;
    out.resize((size_t)(rows * columns));
    for (int64_t i = 0; i < rows; i++) {
        for (int64_t j = 0; j < columns; j++) {
            T value = (T)element_at(r.from, x.type, i * by_row + j * by_column);
            out[(size_t)(i * columns + j)] = tf32 ? (T)tf32_of((float)value) : value;
        }
    }
    return true;
}

/* sums += A B for m x k and k x n, row-major. */
template <class T>
static void add_product(const std::vector<T> &a, const std::vector<T> &b, int64_t m, int64_t n, int64_t k,
                        std::vector<T> &sums)
{
    for (int64_t i = 0; i < m; i++) {
        T *sum = sums.data() + i * n;
        for (int64_t l = 0; l < k; l++) {
            T factor = a[(size_t)(i * k + l)];
            const T *row = b.data() + l * n;
            for (int64_t j = 0; j < n; j++) {
                sum[j] += factor * row[j];
            }
        }
    }
}

template <class T> static bool multiply_one(const gemm_work &w, int64_t index)
{
    const gemm &p = w.product;
    std::string call = p.call;
    T alpha = (T)w.alpha.value, beta = (T)w.beta.value;
    std::vector<T> a, b, sums((size_t)(p.m * p.n), T(0));
    if (alpha != 0 && p.k > 0) {
        if (!gather(p.a, index, p.m, p.k, w.tf32, call + ": A", a) ||
            !gather(p.b, index, p.k, p.n, w.tf32, call + ": B", b)) {
            return false;
        }
        add_product(a, b, p.m, p.n, p.k, sums);
    }
    runs c = piece(p.c, index, p.m, p.n);
    std::string name = call + ": C";
    if ((beta != 0 && !c.readable(name.c_str())) || !c.writable(name.c_str())) {
        return false;
    }
    for (int64_t i = 0; i < p.m; i++) {
        for (int64_t j = 0; j < p.n; j++) {
            T value = alpha != 0 ? alpha * sums[(size_t)(i * p.n + j)] : T(0);
            int64_t at = i + j * p.c.ld;
            value += beta != 0 ? beta * (T)element_at(c.from, p.c.type, at) : T(0);
            set_element((void *)c.from, p.c.type, at, value);
        }
    }
    return true;
}

static void run(gemm_work w)
{
    std::string call = w.product.call;
    if (!w.alpha.load((call + ": alpha").c_str()) || !w.beta.load((call + ": beta").c_str()) ||
        !scribble(w.workspace, w.workspace_bytes, (call + ": the workspace").c_str())) {
        return;
    }
    bool wide = w.product.compute == CUBLAS_COMPUTE_64F;
    for (int64_t i = 0; i < w.product.count; i++) {
        if (!(wide ? multiply_one<double>(w, i) : multiply_one<float>(w, i))) {
            return;
        }
    }
}

/* ---- the call ---- */

cublasStatus_t multiply(cublasHandle_t handle, const gemm &product)
{
    gemm p = product;
    if (!cublas_handles.check(p.call, handle)) {
        return CUBLAS_STATUS_NOT_INITIALIZED;
    }
    cublasStatus_t status = check_values(p);
    if (status != CUBLAS_STATUS_SUCCESS) {
        return status;
    }
    if (!is_supported(p)) {
        return CUBLAS_STATUS_NOT_SUPPORTED;
    }
    if (!check_ready(p.call, handle)) {
        return CUBLAS_STATUS_EXECUTION_FAILED;
    }
    if (p.m == 0 || p.n == 0 || p.count == 0) {
        return CUBLAS_STATUS_SUCCESS;
    }
    if (!handle->has_workspace && is_capturing(handle)) {
        violation("argument",
                  "%s: recorded without a workspace (cublasSetWorkspace after cublasSetStream): it would allocate", p.call);
        return CUBLAS_STATUS_EXECUTION_FAILED;
    }
    gemm_work work;
    bool wide = p.compute == CUBLAS_COMPUTE_64F;
    if (!take_scalar(p.call, "alpha", handle, p.alpha, wide, &work.alpha) ||
        !take_scalar(p.call, "beta", handle, p.beta, wide, &work.beta) || !check_memory(p)) {
        return CUBLAS_STATUS_EXECUTION_FAILED;
    }
    int mode = handle->math & ~CUBLAS_MATH_DISALLOW_REDUCED_PRECISION_REDUCTION;
    work.product = p;
    work.tf32 = p.compute == CUBLAS_COMPUTE_32F_FAST_TF32 ||
                (p.compute == CUBLAS_COMPUTE_32F && p.a.type == CUDA_R_32F && mode == CUBLAS_TF32_TENSOR_OP_MATH);
    work.workspace = handle->has_workspace ? handle->workspace : nullptr;
    work.workspace_bytes = handle->has_workspace ? handle->workspace_bytes : 0;
    work.workspace_bytes = work.workspace_bytes < 4096 ? work.workspace_bytes : 4096; /* as much as such a product may use */
    return submit(handle, p.call, [work] { run(work); }) ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_EXECUTION_FAILED;
}

} /* namespace cudasim */

using namespace cudasim;

/* ---- the interface ---- */

#define DEFINE_SGEMM(name, size)                                       \
    LIBRARY_API CUDASIM_SGEMM(name, size)                              \
    {                                                                  \
        return multiply(handle, {#name,                                \
                                 m,                                    \
                                 n,                                    \
                                 k,                                    \
                                 1,                                    \
                                 {a, CUDA_R_32F, lda, 0, transa},      \
                                 {b, CUDA_R_32F, ldb, 0, transb},      \
                                 {c, CUDA_R_32F, ldc, 0, CUBLAS_OP_N}, \
                                 alpha,                                \
                                 beta,                                 \
                                 CUBLAS_COMPUTE_32F});                 \
    }
#define DEFINE_SGEMM_BATCHED(name, size)                                      \
    LIBRARY_API CUDASIM_SGEMM_BATCHED(name, size)                             \
    {                                                                         \
        return multiply(handle, {#name,                                       \
                                 m,                                           \
                                 n,                                           \
                                 k,                                           \
                                 count,                                       \
                                 {a, CUDA_R_32F, lda, stride_a, transa},      \
                                 {b, CUDA_R_32F, ldb, stride_b, transb},      \
                                 {c, CUDA_R_32F, ldc, stride_c, CUBLAS_OP_N}, \
                                 alpha,                                       \
                                 beta,                                        \
                                 CUBLAS_COMPUTE_32F});                        \
    }
#define DEFINE_GEMM_EX(name, size)                                 \
    LIBRARY_API CUDASIM_GEMM_EX(name, size)                        \
    {                                                              \
        (void)algorithm; /* one for all */                         \
        return multiply(handle, {#name,                            \
                                 m,                                \
                                 n,                                \
                                 k,                                \
                                 1,                                \
                                 {a, a_type, lda, 0, transa},      \
                                 {b, b_type, ldb, 0, transb},      \
                                 {c, c_type, ldc, 0, CUBLAS_OP_N}, \
                                 alpha,                            \
                                 beta,                             \
                                 compute});                        \
    }
#define DEFINE_GEMM_BATCHED_EX(name, size)                                \
    LIBRARY_API CUDASIM_GEMM_BATCHED_EX(name, size)                       \
    {                                                                     \
        (void)algorithm;                                                  \
        return multiply(handle, {#name,                                   \
                                 m,                                       \
                                 n,                                       \
                                 k,                                       \
                                 count,                                   \
                                 {a, a_type, lda, stride_a, transa},      \
                                 {b, b_type, ldb, stride_b, transb},      \
                                 {c, c_type, ldc, stride_c, CUBLAS_OP_N}, \
                                 alpha,                                   \
                                 beta,                                    \
                                 compute});                               \
    }

DEFINE_SGEMM(cublasSgemm, int)
DEFINE_SGEMM(cublasSgemm_64, int64_t)
DEFINE_SGEMM_BATCHED(cublasSgemmStridedBatched, int)
DEFINE_SGEMM_BATCHED(cublasSgemmStridedBatched_64, int64_t)
DEFINE_GEMM_EX(cublasGemmEx, int)
DEFINE_GEMM_EX(cublasGemmEx_64, int64_t)
DEFINE_GEMM_BATCHED_EX(cublasGemmStridedBatchedEx, int)
DEFINE_GEMM_BATCHED_EX(cublasGemmStridedBatchedEx_64, int64_t)

LIBRARY_API
cublasStatus_t cublasDgemm(cublasHandle_t handle, cublasOperation_t transa, cublasOperation_t transb, int m, int n, int k,
                           const double *alpha, const double *a, int lda, const double *b, int ldb, const double *beta,
                           double *c, int ldc)
{
    return cublasDgemmStridedBatched(handle, transa, transb, m, n, k, alpha, a, lda, 0, b, ldb, 0, beta, c, ldc, 0, 1);
}

LIBRARY_API
cublasStatus_t cublasDgemmStridedBatched(cublasHandle_t handle, cublasOperation_t transa, cublasOperation_t transb, int m,
                                         int n, int k, const double *alpha, const double *a, int lda, long long int stride_a,
                                         const double *b, int ldb, long long int stride_b, const double *beta, double *c,
                                         int ldc, long long int stride_c, int count)
{
    return multiply(handle, {__func__,
                             m,
                             n,
                             k,
                             count,
                             {a, CUDA_R_64F, lda, stride_a, transa},
                             {b, CUDA_R_64F, ldb, stride_b, transb},
                             {c, CUDA_R_64F, ldc, stride_c, CUBLAS_OP_N},
                             alpha,
                             beta,
                             CUBLAS_COMPUTE_64F});
}
