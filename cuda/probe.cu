/* SPDX-License-Identifier: Apache-2.0 */
/* Bare operations, timed by the device's own clock: copies, and products of cuBLAS on operands of the probe's own. A product
 * C = A B can be asked for as it stands or as C^T = B^T A^T, and with B stored either way round, which is a matter of how
 * its random numbers are read. All ways are timed in turn; the best is the answer. */
#include "backend.h"

#include "device.cuh"

#include <string.h>

enum { FILL_BLOCK = 256, MOST_PARTS = 2, PRODUCT_WAYS = 4 };

typedef struct probe_job {
    cuda_ops *c;
    const ops_probe *what;
    cuda_product product;
    cuda_matrix a[MOST_PARTS], b[MOST_PARTS];
    void *memory[3]; /* of A, B and C; or from and to of a copy */
    cudaEvent_t begun, ended;
} probe_job;

/* Numbers in [-1/2, 1/2), in float32 or the upper halves of such. */
__global__ void fill_kernel(void *to, bool halves, int64_t n)
{
    int64_t i = (int64_t)blockIdx.x * FILL_BLOCK + threadIdx.x;
    if (inside(i, n)) {
        uint32_t bits = (uint32_t)i * 2654435769u; /* spread over all values by the golden ratio */
        float value = (float)(int32_t)(bits >> 8) * (1.0f / 16777216.0f) - 0.5f;
        if (halves) {
            ((uint16_t *)to)[i] = (uint16_t)(__float_as_uint(value) >> 16);
        } else {
            ((float *)to)[i] = value;
        }
    }
}

static bool short_operands(const probe_job *j)
{
    return j->what->precision == OPS_PRECISION_BF16 || j->what->precision == OPS_PRECISION_BF16X3;
}

static cfd_status make_operand(probe_job *j, int which, int64_t rows, int64_t columns, cuda_matrix parts[MOST_PARTS])
{
    int n = j->what->precision == OPS_PRECISION_BF16X3 ? 2 : 1;
    ops_element element = short_operands(j) ? OPS_BFLOAT16 : OPS_FLOAT32;
    int64_t numbers = rows * columns * n;
    TRY(cuda_allocate_bytes(j->c, (size_t)numbers * ops_element_bytes(element), "a probe", &j->memory[which]));
    LAUNCH(j->c, fill_kernel, cuda_blocks(numbers, FILL_BLOCK), FILL_BLOCK, 0, j->memory[which], short_operands(j), numbers);
    for (int part = 0; part < n; part++) {
        parts[part] = {(char *)j->memory[which] + (size_t)(part * rows * columns) * ops_element_bytes(element), columns,
                       element, false};
    }
    return CFD_OK;
}

static cfd_status make_product(probe_job *j)
{
    const ops_probe *w = j->what;
    bool gradient = w->kind == OPS_PROBE_GRADIENT;
    bool scores = w->kind == OPS_PROBE_SCORES;
    j->product.m = gradient ? w->inner : w->rows;
    j->product.n = w->columns;
    j->product.k = gradient ? w->rows : w->inner;
    TRY(make_operand(j, 0, w->rows, w->inner, j->a));
    TRY(make_operand(j, 1, gradient ? w->rows : scores ? w->columns : w->inner, scores ? w->inner : w->columns, j->b));
    size_t results = (size_t)j->product.m * (size_t)j->product.n;
    TRY(cuda_allocate_bytes(j->c, results * sizeof(float), "a probe", &j->memory[2]));
    j->a[0].transposed = j->a[1].transposed = gradient;
    j->b[0].transposed = j->b[1].transposed = scores;
    j->product.alpha = 1.0f;
    j->product.c = (float *)j->memory[2];
    j->product.count = 1;
    j->product.tf32 = w->precision == OPS_PRECISION_TF32;
    return CFD_OK;
}

static cuda_matrix turned(cuda_matrix matrix)
{
    matrix.transposed = !matrix.transposed;
    return matrix;
}

static cfd_status multiply(probe_job *j, int way, int a, int b, float beta)
{
    cuda_product p = j->product;
    cuda_matrix left = j->a[a];
    cuda_matrix right = j->b[b];
    if (way >= 2) {
        right = turned(right);
        right.ld = right.transposed ? p.k : p.n;
    }
    bool swapped = way % 2 == 1;
    p.m = swapped ? j->product.n : j->product.m;
    p.n = swapped ? j->product.m : j->product.n;
    p.a = swapped ? turned(right) : left;
    p.b = swapped ? turned(left) : right;
    p.ldc = p.n;
    p.beta = beta;
    return cuda_multiply(j->c, &p, "a probe");
}

static cfd_status run(probe_job *j, int way)
{
    if (j->what->kind == OPS_PROBE_COPY) {
        return cuda_check(j->c,
                          cudaMemcpyAsync(j->memory[1], j->memory[0], (size_t)j->what->rows, cudaMemcpyDeviceToDevice,
                                          j->c->stream),
                          "a probe");
    }
    if (j->what->precision == OPS_PRECISION_BF16X3) { /* as project.cu has it */
        TRY(multiply(j, way, 1, 0, 0.0f));
        TRY(multiply(j, way, 0, 1, 1.0f));
        return multiply(j, way, 0, 0, 1.0f);
    }
    return multiply(j, way, 0, 0, 0.0f);
}

static cfd_status make_copy(probe_job *j)
{
    for (int k = 0; k < 2; k++) {
        TRY(cuda_allocate_bytes(j->c, (size_t)j->what->rows, "a probe", &j->memory[k]));
        TRY(cuda_check(j->c, cudaMemsetAsync(j->memory[k], k, (size_t)j->what->rows, j->c->stream), "a probe"));
    }
    return CFD_OK;
}

/* ---- repetitions ---- */

static cfd_status time_once(probe_job *j, int way, double *seconds)
{
    float milliseconds;
    TRY(cuda_check(j->c, cudaEventRecord(j->begun, j->c->stream), "a probe"));
    TRY(run(j, way));
    TRY(cuda_check(j->c, cudaEventRecord(j->ended, j->c->stream), "a probe"));
    TRY(cuda_check(j->c, cudaEventSynchronize(j->ended), "a probe"));
    TRY(cuda_check(j->c, cudaEventElapsedTime(&milliseconds, j->begun, j->ended), "a probe"));
    *seconds = 1e-3 * (double)milliseconds;
    return CFD_OK;
}

/* times: ways x n. */
static cfd_status measure(probe_job *j, int ways, double *times, size_t n)
{
    TRY(j->what->kind == OPS_PROBE_COPY ? make_copy(j) : make_product(j));
    TRY(cuda_check(j->c, cudaEventCreate(&j->begun), "a probe"));
    TRY(cuda_check(j->c, cudaEventCreate(&j->ended), "a probe"));
    for (int way = 0; way < ways; way++) {
        TRY(run(j, way)); /* not counted */
    }
    for (size_t k = 0; k < n; k++) {
        for (int way = 0; way < ways; way++) {
            TRY(time_once(j, way, &times[(size_t)way * n + k]));
        }
    }
    return CFD_OK;
}

/* The lower one: as many are before it as its place says, equal ones in their order. */
static double median(const double *values, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        size_t before = 0;
        for (size_t k = 0; k < n; k++) {
            before += values[k] < values[i] || (values[k] == values[i] && k < i);
        }
        if (before == (n - 1) / 2) {
            return values[i];
        }
    }
    return values[0];
}

static void release_job(probe_job *j)
{
    if (j->begun) {
        cudaEventDestroy(j->begun);
    }
    if (j->ended) {
        cudaEventDestroy(j->ended);
    }
    for (int k = 0; k < 3; k++) {
        cudaFree(j->memory[k]);
    }
}

cfd_status cuda_probe(ops *o, const ops_probe *probe, double *seconds, size_t n)
{
    device_scope here(o);
    cuda_ops *c = cuda_of(o);
    int ways = probe->kind == OPS_PROBE_COPY ? 1 : PRODUCT_WAYS;
    if (ways > 1 && probe->precision != OPS_PRECISION_FLOAT32 && c->major < 8) {
        return cuda_fail(c, CFD_ERROR_DEVICE, "%s does not multiply %s", c->name,
                         probe->precision == OPS_PRECISION_TF32 ? "tf32" : "bfloat16");
    }
    double *times;
    TRY(c->host->allocate(c->base.memory, n, (size_t)ways * sizeof *times, "a probe", &times));
    probe_job j = {};
    j.c = c;
    j.what = probe;
    cfd_status status = measure(&j, ways, times, n);
    if (status == CFD_OK) {
        const double *best = times;
        for (int way = 1; way < ways; way++) {
            const double *other = times + (size_t)way * n;
            best = median(other, n) < median(best, n) ? other : best;
        }
        memcpy(seconds, best, n * sizeof *seconds);
    }
    release_job(&j);
    c->host->release(c->base.memory, times);
    return status;
}
