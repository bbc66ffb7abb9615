/* SPDX-License-Identifier: Apache-2.0 */
/* Whitening's products (SPEC 4.3): heads stand side by side in a matrix, so all of them are one batch whose operands lie d
 * columns apart. */
#include "backend.h"

cfd_status cuda_cross_moment(ops *o, const float *a, int64_t lda, const float *b, int64_t ldb, int64_t rows, int32_t d,
                             int32_t heads, double scale, float *c)
{
    device_scope here(o);
    cuda_product p = {};
    p.m = d;
    p.n = d;
    p.k = rows;
    p.a = {a, lda, OPS_FLOAT32, true};
    p.b = {b, ldb, OPS_FLOAT32, false};
    p.alpha = (float)scale;
    p.c = c;
    p.ldc = d;
    p.count = heads;
    p.stride_a = d;
    p.stride_b = d;
    p.stride_c = (int64_t)d * d;
    return cuda_multiply(cuda_of(o), &p, "a moment");
}

cfd_status cuda_multiply_right(ops *o, const float *a, int64_t lda, const float *m, int64_t rows, int32_t d, int32_t heads,
                               float scale, bool add, float *y, int64_t ldy)
{
    device_scope here(o);
    cuda_product p = {};
    p.m = rows;
    p.n = d;
    p.k = d;
    p.a = {a, lda, OPS_FLOAT32, false};
    p.b = {m, d, OPS_FLOAT32, false};
    p.alpha = scale;
    p.beta = add ? 1.0f : 0.0f;
    p.c = y;
    p.ldc = ldy;
    p.count = heads;
    p.stride_a = d;
    p.stride_b = (int64_t)d * d;
    p.stride_c = d;
    return cuda_multiply(cuda_of(o), &p, "a product with a small matrix");
}
