/* SPDX-License-Identifier: Apache-2.0 */
/* The CUDA backend: an instance, what every operation begins and ends with, and the operations (one file each) that table.cu
 * puts together.
 *
 * Work goes to the instance's stream in order and is not waited for, but by download, synchronise and mailbox_read. Scratch
 * memory grows the first time an operation meets a size; after that an operation allocates nothing and can be recorded. */
#ifndef CFD_CUDA_BACKEND_H
#define CFD_CUDA_BACKEND_H

#include "ops/ops.h"
#include "ops/plugin.h"

#include "port.h"

#include <cublas_v2.h>
#include <cusolverDn.h>
#include <cusparse.h>

/* Where in training the next draw and the next update are: read by kernels, so that recorded work can be run at another
 * moment. Written by cuda_set_clock. */
typedef ops_moment cuda_clock;

/* Scratch memory by purpose: two uses that overlap in time have two names. */
enum cuda_scratch {
    SCRATCH_SUMS,         /* partial sums of losses */
    SCRATCH_COEFFICIENTS, /* bpr: of every triple and branch */
    SCRATCH_SORT,         /* batch_index: keys, twice */
    SCRATCH_OFFSETS,      /* spmm: row offsets in 32 bits */
    SCRATCH_SPARSE,       /* spmm: what cuSPARSE asks for */
    SCRATCH_WEIGHTS,      /* project: weights or gradients in a short type */
    SCRATCH_FEATURES,     /* project: a block of features in another type */
    SCRATCH_EIGEN,        /* inverse_sqrt: matrices, eigenvalues and work in double */
    SCRATCH_SMALL,        /* inverse_sqrt_gradient: its products */
    SCRATCH_PURPOSES
};

/* Set by kernels where the data are at fault: for each kind of trouble 1 + the head that it befell. Reported and cleared by
 * the next call that waits. */
typedef struct cuda_troubles {
    int32_t not_finite, not_converged;
} cuda_troubles;

typedef struct cuda_ops {
    ops base;                    /* first: an ops * is a cuda_ops * */
    const ops_plugin_host *host; /* &host_functions */
    ops_plugin_host host_functions;
    ops_plugin_request request; /* what the instance was made from: of use for instances like it */
    ops *cpu;                   /* computes in the host's memory; owned */
    int device, major, minor;   /* compute capability */
    char name[16];              /* "cuda:0" */
    char architecture[16];      /* "sm_90" */
    char gemm[48];
    cudaStream_t stream;
    bool own_stream;
    cublasHandle_t blas;
    void *blas_workspace;
    cusparseHandle_t sparse;
    cusolverDnHandle_t solver;
    syevjInfo_t jacobi;
    cuda_clock *clock;       /* device memory */
    cuda_troubles *troubles; /* device memory */
    void *scratch[SCRATCH_PURPOSES];
    size_t scratch_bytes[SCRATCH_PURPOSES];
    uint64_t scratch_generation; /* raised where scratch memory is given up */
    bool recording;
    ops_table table;
} cuda_ops;

/* Makes the instance's device the calling thread's as long as it lives; then the thread has back what it had. Every
 * operation begins with one. */
class device_scope {
public:
    explicit device_scope(const ops *o) : device_scope(((const cuda_ops *)(const void *)o)->device) {}
    explicit device_scope(int device)
    {
        restore = cudaGetDevice(&before) == cudaSuccess && before != device;
        if (restore) {
            cudaSetDevice(device);
        }
    }
    ~device_scope()
    {
        if (restore) {
            cudaSetDevice(before);
        }
    }
    device_scope(const device_scope &) = delete;
    device_scope &operator=(const device_scope &) = delete;

private:
    int before = 0;
    bool restore;
};

static inline cuda_ops *cuda_of(ops *o)
{
    return (cuda_ops *)(void *)o;
}

static inline const cuda_ops *cuda_of(const ops *o)
{
    return (const cuda_ops *)(const void *)o;
}

/* ---- failure (failure.cu) ---- */

/* The status, with a message for the calling thread's cfd_last_error. */
cfd_status cuda_fail(const cuda_ops *c, cfd_status status, const char *format, ...) CFD_PRINTF(3, 4);
/* CFD_OK or what the library's code means, with a message that names `what`. */
cfd_status cuda_check(const cuda_ops *c, cudaError_t error, const char *what);
cfd_status cuda_check_blas(const cuda_ops *c, cublasStatus_t error, const char *what);
cfd_status cuda_check_sparse(const cuda_ops *c, cusparseStatus_t error, const char *what);
cfd_status cuda_check_solver(const cuda_ops *c, cusolverStatus_t error, const char *what);

/* Launches a kernel on the instance's stream; leaves the enclosing function where that fails.
 * LAUNCH(c, (spmm_kernel<4>), grid, block, shared bytes, arguments...) */
#define LAUNCH(c, kernel, grid, block, shared, ...)                         \
    do {                                                                    \
        PORT_LAUNCH(kernel, grid, block, shared, (c)->stream, __VA_ARGS__); \
        TRY(cuda_check((c), cudaGetLastError(), "launching " #kernel));     \
    } while (0)

/* Blocks of `size` that cover n, as a grid's extent: at least 1. */
static inline unsigned cuda_blocks(int64_t n, int64_t size)
{
    int64_t blocks = (n + size - 1) / size;
    return (unsigned)(blocks < 1 ? 1 : blocks);
}

/* ---- memory (memory.cu) ---- */

/* At least `bytes` of device memory for a purpose, until the next request for it. Its content is arbitrary. Grows where it
 * has to, which waits for the device; CFD_ERROR_DEVICE where that happens while recording. */
cfd_status cuda_scratch_get(cuda_ops *c, enum cuda_scratch purpose, size_t bytes, void *out);
/* Adds the n partial sums to *sum in a fixed order: one small kernel. */
cfd_status cuda_add_sums(cuda_ops *c, const double *partial, int32_t n, double *sum);
/* Device memory outside of scratch; a failure names `what`, the bytes, and how much of the device is free. */
cfd_status cuda_allocate_bytes(const cuda_ops *c, size_t bytes, const char *what, void *out);

/* ---- dense products (dense.cu): row-major, float32 results, by cuBLAS ---- */

typedef struct cuda_matrix {
    const void *data;
    int64_t ld;          /* elements */
    ops_element element; /* FLOAT32, or both operands BFLOAT16 */
    bool transposed;
} cuda_matrix;

/* C = alpha A B + beta C, C m x n with ldc, A m x k and B k x n once transposed where they say so. tf32: float32 operands
 * may be rounded to TF32. count > 1: so many products, whose operands lie stride_a, stride_b, stride_c elements apart. */
typedef struct cuda_product {
    int64_t m, n, k;
    cuda_matrix a, b;
    float alpha, beta;
    float *c;
    int64_t ldc;
    bool tf32;
    int32_t count;
    int64_t stride_a, stride_b, stride_c;
} cuda_product;

/* On the instance's handle and stream, or on those given (a ranker's lane has its own). */
cfd_status cuda_multiply(cuda_ops *c, const cuda_product *product, const char *what);
cfd_status cuda_multiply_on(const cuda_ops *c, cublasHandle_t blas, const cuda_product *product, const char *what);

/* ---- the table's operations, one file each ---- */

extern "C" {

cfd_status cuda_spmm(ops *o, const ops_csr *g, ops_rows output, const int32_t *input_slots, const float *x, int64_t ldx,
                     float *y, int64_t ldy, int32_t columns, const ops_addend *add); /* spmm.cu */

cfd_status cuda_features_create(ops *o, const ops_feature_source *source, const ops_feature_options *options,
                                ops_features **out); /* features.cu */
void cuda_features_destroy(ops *o, ops_features *features);
size_t cuda_features_bytes(const ops *o, const ops_features *features);
cfd_status cuda_project(ops *o, const ops_features *f, const float *w, int32_t n, float *y, int64_t ldy); /* project.cu */
cfd_status cuda_project_gradient(ops *o, const ops_features *f, const float *g, int64_t ldg, int32_t n, float *dw);

cfd_status cuda_cross_moment(ops *o, const float *a, int64_t lda, const float *b, int64_t ldb, int64_t rows, int32_t d,
                             int32_t heads, double scale, float *c); /* whitening.cu */
cfd_status cuda_multiply_right(ops *o, const float *a, int64_t lda, const float *m, int64_t rows, int32_t d, int32_t heads,
                               float scale, bool add, float *y, int64_t ldy);
cfd_status cuda_inverse_sqrt(ops *o, const float *c, int32_t d, int32_t heads, double epsilon, float *q, float *roots,
                             float *z); /* inverse_sqrt.cu */
cfd_status cuda_inverse_sqrt_gradient(ops *o, const float *q, const float *roots, const float *dz, int32_t d, int32_t heads,
                                      float *dc); /* inverse_sqrt_gradient.cu */

cfd_status cuda_draw_batch(ops *o, const ops_sampler *sampler, int64_t step, int64_t epoch, int64_t position,
                           ops_batch *batch);                                               /* draw_batch.cu */
cfd_status cuda_batch_index(ops *o, ops_batch *batch);                                      /* batch_index.cu */
cfd_status cuda_bpr(ops *o, const ops_batch *batch, const ops_branch *branches, int32_t n); /* bpr.cu */
cfd_status cuda_pair_cosine(ops *o, const ops_batch *batch, ops_cosine kind, ops_view x, ops_view y,
                            const uint8_t *x_present, const uint8_t *y_present, float weight, ops_view x_gradient,
                            ops_view y_gradient, double *loss); /* pair_cosine.cu */
cfd_status cuda_penalty(ops *o, const ops_batch *batch, ops_view x, float weight, ops_view gradient,
                        double *loss);                                                                      /* penalty.cu */
cfd_status cuda_adam(ops *o, const ops_adam_tensor *tensors, int32_t n, const ops_adam_settings *settings); /* adam.cu */

cfd_status cuda_ranker_create(ops *o, const float *queries, int32_t users, const float *keys, int32_t items, int32_t width,
                              ops_ranker **out); /* ranker.cu */
void cuda_ranker_destroy(ops *o, ops_ranker *ranker);
int32_t cuda_ranker_most_k(const ops *o);
cfd_status cuda_ranker_scores(const ops *o, ops_ranker *ranker, const int32_t *users, size_t n_users, const int32_t *items,
                              size_t n_items, float *scores);
cfd_status cuda_ranker_lists(const ops *o, ops_ranker *ranker, const ops_lists *what); /* with top_k.cu */

cfd_status cuda_probe(ops *o, const ops_probe *probe, double *seconds, size_t n); /* probe.cu */

cfd_status cuda_record_begin(ops *o); /* record.cu */
cfd_status cuda_record_end(ops *o, ops_recording **out);
void cuda_recording_destroy(ops *o, ops_recording *recording);
bool cuda_recording_valid(const ops *o, const ops_recording *recording);
cfd_status cuda_replay(ops *o, ops_recording *recording, const ops_moment *at);

} /* extern "C" */

/* Enqueues the writing of the clock, unless recording: a replay sets it. Of the moment a field that is negative keeps its
 * value. (record.cu) */
cfd_status cuda_set_clock(cuda_ops *c, const ops_moment *at);

#endif
