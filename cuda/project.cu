/* SPDX-License-Identifier: Apache-2.0 */
/* Products with constant features: Y = F W and dW = F^T G. Dense ones by cuBLAS, block of rows by block of rows where the
 * features are streamed or have to be widened first; sparse ones by the kernel for sparse matrices. */
#include "kept_features.h"
#include "spmm.h"

#include "base/half.h"
#include "device.cuh"

enum {
    CONVERT_BLOCK = 256,
    WIDENED_BYTES = 64 << 20 /* of features that are widened at once */
};

/* ---- other types ---- */

/* The high and, unless NULL, the low halves of a matrix, contiguous. */
__global__ void split_kernel(const float *from, int64_t ld, int32_t columns, int64_t numbers, uint16_t *high, uint16_t *low)
{
    int64_t i = (int64_t)blockIdx.x * CONVERT_BLOCK + threadIdx.x;
    if (inside(i, numbers)) {
        float value = from[i / columns * ld + i % columns];
        uint16_t upper = float_to_bfloat16(value);
        high[i] = upper;
        if (low) {
            low[i] = float_to_bfloat16(value - bfloat16_to_float(upper));
        }
    }
}

__global__ void widen_features_kernel(const uint16_t *from, bool half, int64_t numbers, float *to)
{
    int64_t i = (int64_t)blockIdx.x * CONVERT_BLOCK + threadIdx.x;
    if (inside(i, numbers)) {
        to[i] = half ? half_to_float(from[i]) : bfloat16_to_float(from[i]);
    }
}

/* ---- blocks of features ---- */

static bool widened(const ops_features *f)
{
    return f->element != OPS_FLOAT32 && (f->precision == OPS_PRECISION_FLOAT32 || f->precision == OPS_PRECISION_TF32);
}

static int64_t rows_of_block(const ops_features *f)
{
    int64_t rows = f->streamed ? f->block_rows : f->rows;
    int64_t most = (int64_t)(WIDENED_BYTES / ((size_t)f->columns * sizeof(float)));
    most = most < 1 ? 1 : most;
    return widened(f) && most < rows ? most : rows;
}

/* What the copies wait for: everything that came before this product. */
static cfd_status begin_streaming(cuda_ops *c, const ops_features *f)
{
    if (!f->streamed) {
        return CFD_OK;
    }
    TRY(cuda_check(c, cudaEventRecord(f->begun, c->stream), "features"));
    return cuda_check(c, cudaStreamWaitEvent(f->copies, f->begun, 0), "features");
}

/* Rows [first, first + rows), the k-th block, into a place of the device, once the block before the last has left it. */
static cfd_status fetch_block(cuda_ops *c, const ops_features *f, int64_t k, int64_t first, int64_t rows)
{
    size_t row_bytes = (size_t)f->columns * ops_element_bytes(f->element);
    if (k >= 2) {
        TRY(cuda_check(c, cudaStreamWaitEvent(f->copies, f->drained[k % 2], 0), "features"));
    }
    for (int part = 0; part < 2 && f->part[part]; part++) {
        TRY(cuda_check(c,
                       cudaMemcpyAsync(f->place[k % 2][part], (const char *)f->part[part] + (size_t)first * row_bytes,
                                       (size_t)rows * row_bytes, cudaMemcpyHostToDevice, f->copies),
                       "features"));
    }
    TRY(cuda_check(c, cudaEventRecord(f->filled[k % 2], f->copies), "features"));
    return cuda_check(c, cudaStreamWaitEvent(c->stream, f->filled[k % 2], 0), "features");
}

/* The parts of rows [first, first + rows) as operands, in device memory, in the type of the product. */
static cfd_status take_block(cuda_ops *c, const ops_features *f, int64_t k, int64_t first, int64_t rows,
                             cuda_matrix parts[2])
{
    size_t row_bytes = (size_t)f->columns * ops_element_bytes(f->element);
    if (f->streamed) {
        TRY(fetch_block(c, f, k, first, rows));
    }
    for (int part = 0; part < 2; part++) {
        const void *data = !f->part[part] ? nullptr
                           : f->streamed  ? f->place[k % 2][part]
                                          : (const char *)f->part[part] + (size_t)first * row_bytes;
        parts[part] = {data, f->columns, f->element, false};
    }
    if (widened(f)) {
        float *wide;
        int64_t numbers = rows * f->columns;
        TRY(cuda_scratch_get(c, SCRATCH_FEATURES, (size_t)(rows_of_block(f) * f->columns) * sizeof *wide, &wide));
        LAUNCH(c, widen_features_kernel, cuda_blocks(numbers, CONVERT_BLOCK), CONVERT_BLOCK, 0,
               (const uint16_t *)parts[0].data, f->element == OPS_FLOAT16, numbers, wide);
        parts[0] = {wide, f->columns, OPS_FLOAT32, false};
    }
    return CFD_OK;
}

static cfd_status leave_block(cuda_ops *c, const ops_features *f, int64_t k)
{
    return f->streamed ? cuda_check(c, cudaEventRecord(f->drained[k % 2], c->stream), "features") : CFD_OK;
}

/* ---- the other operand ---- */

/* W or G as operands in the type of the product; the second only where that is of halves. */
static cfd_status take_operand(cuda_ops *c, const ops_features *f, const float *from, int64_t ld, int64_t rows,
                               int32_t columns, cuda_matrix parts[2])
{
    parts[0] = {from, ld, OPS_FLOAT32, false};
    parts[1] = {nullptr, columns, OPS_BFLOAT16, false};
    if (f->precision != OPS_PRECISION_BF16 && f->precision != OPS_PRECISION_BF16X3) {
        return CFD_OK;
    }
    int64_t numbers = rows * columns;
    bool halves = f->precision == OPS_PRECISION_BF16X3;
    uint16_t *high;
    TRY(cuda_scratch_get(c, SCRATCH_WEIGHTS, (size_t)numbers * sizeof *high * (halves ? 2 : 1), &high));
    uint16_t *low = halves ? high + numbers : nullptr;
    LAUNCH(c, split_kernel, cuda_blocks(numbers, CONVERT_BLOCK), CONVERT_BLOCK, 0, from, ld, columns, numbers, high, low);
    parts[0] = {high, columns, OPS_BFLOAT16, false};
    parts[1].data = low;
    return CFD_OK;
}

static cuda_matrix rows_from(cuda_matrix matrix, int64_t first)
{
    if (matrix.data) {
        matrix.data = (const char *)matrix.data + (size_t)(first * matrix.ld) * ops_element_bytes(matrix.element);
    }
    return matrix;
}

/* C = A B + beta C, of parts: the smallest products first; low times low is left out. */
static cfd_status multiply_parts(cuda_ops *c, const ops_features *f, cuda_product *p, const cuda_matrix a[2],
                                 const cuda_matrix b[2])
{
    const int order[3][2] = {{1, 0}, {0, 1}, {0, 0}};
    for (int k = 0; k < 3; k++) {
        p->a = a[order[k][0]];
        p->b = b[order[k][1]];
        if (p->a.data && p->b.data) {
            p->tf32 = f->precision == OPS_PRECISION_TF32;
            TRY(cuda_multiply(c, p, "a product with features"));
            p->beta = 1.0f;
        }
    }
    return CFD_OK;
}

/* ---- the operations ---- */

cfd_status cuda_project(ops *o, const ops_features *f, const float *w, int32_t n, float *y, int64_t ldy)
{
    device_scope here(o);
    cuda_ops *c = cuda_of(o);
    if (!f->part[0]) {
        return cuda_spmm_rows(c, &f->forward, ops_all_rows, nullptr, w, n, y, ldy, n);
    }
    cuda_matrix weights[2];
    cuda_matrix features[2];
    TRY(take_operand(c, f, w, n, f->columns, n, weights));
    TRY(begin_streaming(c, f));
    int64_t block = rows_of_block(f);
    for (int64_t first = 0, k = 0; first < f->rows; first += block, k++) {
        int64_t rows = f->rows - first < block ? f->rows - first : block;
        TRY(take_block(c, f, k, first, rows, features));
        cuda_product p = {};
        p.m = rows;
        p.n = n;
        p.k = f->columns;
        p.alpha = 1.0f;
        p.c = y + first * ldy;
        p.ldc = ldy;
        p.count = 1;
        TRY(multiply_parts(c, f, &p, features, weights));
        TRY(leave_block(c, f, k));
    }
    return CFD_OK;
}

cfd_status cuda_project_gradient(ops *o, const ops_features *f, const float *g, int64_t ldg, int32_t n, float *dw)
{
    device_scope here(o);
    cuda_ops *c = cuda_of(o);
    if (!f->part[0]) {
        return cuda_spmm_rows(c, &f->transposed, ops_all_rows, nullptr, g, ldg, dw, n, n);
    }
    cuda_matrix gradients[2];
    cuda_matrix features[2];
    TRY(take_operand(c, f, g, ldg, f->rows, n, gradients));
    TRY(begin_streaming(c, f));
    cuda_product p = {};
    p.m = f->columns;
    p.n = n;
    p.alpha = 1.0f;
    p.c = dw;
    p.ldc = n;
    p.count = 1;
    int64_t block = rows_of_block(f);
    for (int64_t first = 0, k = 0; first < f->rows; first += block, k++) {
        p.k = f->rows - first < block ? f->rows - first : block;
        TRY(take_block(c, f, k, first, p.k, features));
        features[0].transposed = true;
        features[1].transposed = true;
        const cuda_matrix part[2] = {rows_from(gradients[0], first), rows_from(gradients[1], first)};
        TRY(multiply_parts(c, f, &p, features, part)); /* after the first block beta is 1 */
        TRY(leave_block(c, f, k));
    }
    return CFD_OK;
}
