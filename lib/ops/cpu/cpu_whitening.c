/* SPDX-License-Identifier: Apache-2.0 */
/* Whitening (SPEC 4.3): second moments and products through the dense library, the small d x d algebra in double. */
#include "ops/cpu/cpu.h"
#include "ops/eigen.h"

#include <math.h>

enum {
    MOMENT_PARTS = 16, /* blocks of rows, unless they get too small */
    MOMENT_LEAST = 256,
    MOMENT_ELEMENTS = 4096,
    MULTIPLY_ROWS = 512,
    ROOT_ROWS = 32
};

/* ---- second moments ---- */

typedef struct moment_job {
    const cpu_kernels *kernels;
    const float *a, *b;
    int64_t lda, ldb, rows, block_rows, d, heads;
    size_t parts;
    float *partial; /* parts x heads x d x d */
    double scale;
    float *c;
    atomic_int failure;
} moment_job;

static void moment_block(void *argument, size_t block)
{
    moment_job *job = argument;
    int64_t d = job->d;
    int64_t begin = (int64_t)block * job->block_rows;
    int64_t rows = job->rows - begin < job->block_rows ? job->rows - begin : job->block_rows;
    float *out = job->partial + (int64_t)block * job->heads * d * d;
    for (int64_t k = 0; k < job->heads; k++) {
        cpu_note(&job->failure, gemm(true, false, d, d, rows, 1.0f, job->a + begin * job->lda + k * d, job->lda,
                                     job->b + begin * job->ldb + k * d, job->ldb, 0.0f, out + k * d * d, d));
    }
}

static void moment_sum_block(void *argument, size_t block)
{
    const moment_job *job = argument;
    size_t n = (size_t)(job->heads * job->d * job->d);
    size_t begin = block * MOMENT_ELEMENTS;
    size_t count = n - begin < MOMENT_ELEMENTS ? n - begin : MOMENT_ELEMENTS;
    job->kernels->sum_parts(job->partial + begin, n, job->parts, job->scale, job->c + begin, count);
}

cfd_status cpu_cross_moment(ops *o, const float *a, int64_t lda, const float *b, int64_t ldb, int64_t rows, int32_t d,
                            int32_t heads, double scale, float *c)
{
    int64_t block_rows = (rows + MOMENT_PARTS - 1) / MOMENT_PARTS;
    block_rows = block_rows < MOMENT_LEAST ? MOMENT_LEAST : block_rows;
    size_t parts = blocks_of((size_t)rows, (size_t)block_rows);
    size_t matrix = (size_t)d * (size_t)d;
    unsigned char *scratch;
    cpu_layout layout = {0};
    cpu_reserve(&layout, parts * (size_t)heads, matrix * sizeof(float));
    TRY(cpu_scratch(cpu_of(o), &layout, "second moments", &scratch));
    moment_job job = {.kernels = cpu_of(o)->kernels,
                      .a = a,
                      .b = b,
                      .lda = lda,
                      .ldb = ldb,
                      .rows = rows,
                      .block_rows = block_rows,
                      .d = d,
                      .heads = heads,
                      .parts = parts,
                      .partial = (float *)scratch,
                      .scale = scale,
                      .c = c};
    threads_run(o->pool, parts, moment_block, &job);
    TRY(cpu_gemm_result(cpu_of(o), atomic_load(&job.failure), "second moments"));
    threads_run(o->pool, blocks_of((size_t)heads * matrix, MOMENT_ELEMENTS), moment_sum_block, &job);
    return CFD_OK;
}

/* ---- the inverse square root ---- */

typedef struct root_job {
    const cpu_kernels *kernels;
    const float *c;
    int64_t d;
    double epsilon;
    float *q, *roots, *z;
    size_t doubles; /* of workspace for a head; afterwards it holds two matrices */
    double *vectors, *values, *work;
    enum eigen_outcome *outcomes; /* one for each head */
} root_job;

/* Eigenvectors and roots of one head. Leaves U = diag(r)^(-1/2) Q^T in `vectors` and its transpose in `work`. */
static void root_head(void *argument, size_t head)
{
    const root_job *job = argument;
    int64_t d = job->d;
    size_t matrix = (size_t)(d * d);
    const float *c = job->c + head * matrix;
    float *q = job->q + head * matrix;
    float *roots = job->roots + head * (size_t)d;
    double *vectors = job->vectors + head * matrix;
    double *values = job->values + head * (size_t)d;
    double *work = job->work + head * job->doubles;
    for (int64_t i = 0; i < d; i++) {
        for (int64_t j = 0; j < d; j++) {
            vectors[i * d + j] = 0.5 * ((double)c[i * d + j] + c[j * d + i]);
            if (!isfinite(vectors[i * d + j])) {
                job->outcomes[head] = EIGEN_NOT_FINITE;
                return;
            }
        }
    }
    if (!eigen_symmetric((int32_t)d, vectors, values, work)) {
        job->outcomes[head] = EIGEN_NOT_CONVERGED;
        return;
    }
    job->outcomes[head] = EIGEN_DONE;
    for (int64_t i = 0; i < d; i++) {
        double root = sqrt((values[i] > 0 ? values[i] : 0) + job->epsilon);
        double factor = 1 / sqrt(root);
        roots[i] = (float)root;
        for (int64_t j = 0; j < d; j++) {
            q[j * d + i] = (float)vectors[i * d + j];
            vectors[i * d + j] *= factor;
            work[j * d + i] = vectors[i * d + j];
        }
    }
}

/* Some rows of z = U^T U: symmetric to the bit. */
static void root_rows(void *argument, size_t block)
{
    const root_job *job = argument;
    int64_t d = job->d;
    size_t matrix = (size_t)(d * d);
    size_t blocks = blocks_of((size_t)d, ROOT_ROWS);
    size_t head = block / blocks;
    int64_t begin = (int64_t)(block % blocks) * ROOT_ROWS;
    int64_t rows = d - begin < ROOT_ROWS ? d - begin : ROOT_ROWS;
    double *work = job->work + head * job->doubles;
    double *product = work + matrix + begin * d;
    float *z = job->z + head * matrix + begin * d;
    job->kernels->multiply(work + begin * d, job->vectors + head * matrix, product, (int32_t)rows, (int32_t)d, (int32_t)d);
    for (int64_t e = 0; e < rows * d; e++) {
        z[e] = (float)product[e];
    }
}

cfd_status cpu_inverse_sqrt(ops *o, const float *c, int32_t d, int32_t heads, double epsilon, float *q, float *roots,
                            float *z)
{
    root_job job = {.kernels = cpu_of(o)->kernels, .c = c, .d = d, .epsilon = epsilon, .q = q, .roots = roots, .z = z};
    TRY(eigen_workspace(d, &job.doubles));
    size_t n = (size_t)heads;
    unsigned char *scratch;
    cpu_layout layout = {0};
    size_t vectors = cpu_reserve(&layout, n, (size_t)d * (size_t)d * sizeof(double));
    size_t values = cpu_reserve(&layout, n, (size_t)d * sizeof(double));
    size_t work = cpu_reserve(&layout, n, job.doubles * sizeof(double));
    size_t outcomes = cpu_reserve(&layout, n, sizeof(enum eigen_outcome));
    TRY(cpu_scratch(cpu_of(o), &layout, "eigenvalues", &scratch));
    job.vectors = (double *)(scratch + vectors);
    job.values = (double *)(scratch + values);
    job.work = (double *)(scratch + work);
    job.outcomes = (enum eigen_outcome *)(void *)(scratch + outcomes);
    threads_run(o->pool, n, root_head, &job);
    for (int32_t k = 0; k < heads; k++) {
        if (job.outcomes[k] != EIGEN_DONE) {
            return eigen_failed(job.outcomes[k], k);
        }
    }
    threads_run(o->pool, n * blocks_of((size_t)d, ROOT_ROWS), root_rows, &job);
    return CFD_OK;
}

typedef struct root_gradient_job {
    const cpu_kernels *kernels;
    const float *q, *roots, *dz;
    int64_t d;
    float *dc;
    double *work; /* four matrices for each head */
} root_gradient_job;

/* dc = Q (K o (Q^T sym(dz) Q)) Q^T */
static void root_gradient_head(void *argument, size_t head)
{
    const root_gradient_job *job = argument;
    const cpu_kernels *kernels = job->kernels;
    int32_t n = (int32_t)job->d;
    int64_t d = job->d;
    size_t matrix = (size_t)(d * d);
    const float *q = job->q + head * matrix;
    const float *r = job->roots + head * (size_t)d;
    const float *dz = job->dz + head * matrix;
    double *vectors = job->work + head * 4 * matrix;
    double *transposed = vectors + matrix;
    double *inner = transposed + matrix;
    double *temporary = inner + matrix;
    for (int64_t i = 0; i < d; i++) {
        for (int64_t j = 0; j < d; j++) {
            vectors[i * d + j] = q[i * d + j];
            transposed[i * d + j] = q[j * d + i];
            inner[i * d + j] = 0.5 * ((double)dz[i * d + j] + dz[j * d + i]);
        }
    }
    kernels->multiply(transposed, inner, temporary, n, n, n);
    kernels->multiply(temporary, vectors, inner, n, n, n);
    for (int64_t i = 0; i < d; i++) {
        for (int64_t j = 0; j < d; j++) {
            inner[i * d + j] *= -1.0 / ((double)r[i] * r[j] * ((double)r[i] + r[j]));
        }
    }
    kernels->multiply(vectors, inner, temporary, n, n, n);
    kernels->multiply(temporary, transposed, inner, n, n, n);
    for (size_t e = 0; e < matrix; e++) {
        job->dc[head * matrix + e] = (float)inner[e];
    }
}

cfd_status cpu_inverse_sqrt_gradient(ops *o, const float *q, const float *roots, const float *dz, int32_t d, int32_t heads,
                                     float *dc)
{
    unsigned char *scratch;
    cpu_layout layout = {0};
    cpu_reserve(&layout, (size_t)heads * 4 * (size_t)d, (size_t)d * sizeof(double));
    TRY(cpu_scratch(cpu_of(o), &layout, "the gradient of the inverse square root", &scratch));
    root_gradient_job job = {cpu_of(o)->kernels, q, roots, dz, d, dc, (double *)scratch};
    threads_run(o->pool, (size_t)heads, root_gradient_head, &job);
    return CFD_OK;
}

/* ---- products from the right ---- */

typedef struct multiply_job {
    const float *a, *m;
    int64_t lda, rows, d, heads;
    float scale;
    bool add;
    float *y;
    int64_t ldy;
    atomic_int failure;
} multiply_job;

static void multiply_block(void *argument, size_t block)
{
    multiply_job *job = argument;
    int64_t d = job->d;
    int64_t begin = (int64_t)block * MULTIPLY_ROWS;
    int64_t rows = job->rows - begin < MULTIPLY_ROWS ? job->rows - begin : MULTIPLY_ROWS;
    for (int64_t k = 0; k < job->heads; k++) {
        cpu_note(&job->failure,
                 gemm(false, false, rows, d, d, job->scale, job->a + begin * job->lda + k * d, job->lda, job->m + k * d * d,
                      d, job->add ? 1.0f : 0.0f, job->y + begin * job->ldy + k * d, job->ldy));
    }
}

cfd_status cpu_multiply_right(ops *o, const float *a, int64_t lda, const float *m, int64_t rows, int32_t d, int32_t heads,
                              float scale, bool add, float *y, int64_t ldy)
{
    multiply_job job = {
        .a = a, .m = m, .lda = lda, .rows = rows, .d = d, .heads = heads, .scale = scale, .add = add, .y = y, .ldy = ldy};
    threads_run(o->pool, blocks_of((size_t)rows, MULTIPLY_ROWS), multiply_block, &job);
    return cpu_gemm_result(cpu_of(o), atomic_load(&job.failure), "product with small matrices");
}
