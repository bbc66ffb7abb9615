/* SPDX-License-Identifier: Apache-2.0 */
/* The gradient of the inverse square root (SPEC 4.3): dC = Q (K o (Q^T sym(dZ) Q)) Q^T, a block for each head, in double. */
#include "backend.h"

#include "device.cuh"

enum { GRADIENT_BLOCK = 512 };

/* Entry (row, column) of a product of d x d matrices whose entries two functions give. */
template <class Left, class Right>
__device__ __forceinline__ double entry_of_product(int32_t d, Left left, Right right)
{
    double sum = 0;
    for (int32_t k = 0; k < d; k++) {
        sum += left(k) * right(k);
    }
    return sum;
}

/* room: two matrices of doubles for each head. */
__global__ void root_gradient_kernel(const float *vectors, const float *all_roots, const float *gradients, int32_t d,
                                     double *room, float *out)
{
    int64_t square = (int64_t)d * d;
    int64_t head = blockIdx.x;
    const float *q = vectors + head * square;
    const float *roots = all_roots + head * d;
    const float *dz = gradients + head * square;
    double *first = room + 2 * head * square;
    double *second = first + square;
    for (int64_t e = threadIdx.x; inside(e, square); e += GRADIENT_BLOCK) { /* first = Q^T sym(dZ) */
        int64_t i = e / d;
        int64_t j = e % d;
        first[e] = entry_of_product(
            d, [=](int64_t k) { return (double)q[k * d + i]; },
            [=](int64_t k) { return 0.5 * ((double)dz[k * d + j] + dz[j * d + k]); });
    }
    __syncthreads();
    for (int64_t e = threadIdx.x; inside(e, square); e += GRADIENT_BLOCK) { /* second = K o (first Q) */
        int64_t i = e / d;
        int64_t j = e % d;
        double product = entry_of_product(
            d, [=](int64_t k) { return first[i * d + k]; }, [=](int64_t k) { return (double)q[k * d + j]; });
        second[e] = -product / ((double)roots[i] * roots[j] * ((double)roots[i] + roots[j]));
    }
    __syncthreads();
    for (int64_t e = threadIdx.x; inside(e, square); e += GRADIENT_BLOCK) { /* first = Q second */
        int64_t i = e / d;
        int64_t j = e % d;
        first[e] = entry_of_product(
            d, [=](int64_t k) { return (double)q[i * d + k]; }, [=](int64_t k) { return second[k * d + j]; });
    }
    __syncthreads();
    for (int64_t e = threadIdx.x; inside(e, square); e += GRADIENT_BLOCK) { /* out = first Q^T */
        int64_t i = e / d;
        int64_t j = e % d;
        out[head * square + e] = (float)entry_of_product(
            d, [=](int64_t k) { return first[i * d + k]; }, [=](int64_t k) { return (double)q[j * d + k]; });
    }
}

cfd_status cuda_inverse_sqrt_gradient(ops *o, const float *q, const float *roots, const float *dz, int32_t d, int32_t heads,
                                      float *dc)
{
    device_scope here(o);
    cuda_ops *c = cuda_of(o);
    double *room;
    TRY(cuda_scratch_get(c, SCRATCH_SMALL, 2 * (size_t)heads * (size_t)d * (size_t)d * sizeof *room, &room));
    if (heads > 0) {
        LAUNCH(c, root_gradient_kernel, (unsigned)heads, GRADIENT_BLOCK, 0, q, roots, dz, d, room, dc);
    }
    return CFD_OK;
}
