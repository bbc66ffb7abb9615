/* SPDX-License-Identifier: Apache-2.0 */
/* The gradient of the inverse square roots, all heads at once: four products of d x d matrices, one launch each, a thread
 * for each entry. Everything is summed in double: K reaches (epsilon ^ -3/2) / 2, and what it multiplies must not be noise.
 */
#include "backend.h"

#include "device.cuh"

enum { GRADIENT_BLOCK = 128 };

enum gradient_stage {
    INTO_EIGENVECTORS, /* half = Q^T sym(dZ) */
    WEIGHTED,          /* whole = K o (half Q) */
    OUT_OF_THEM,       /* half = Q whole */
    FINISHED           /* dC = half Q^T */
};

/* Of one head or of all, contiguous. */
typedef struct root_gradient {
    const float *q, *roots, *dz;
    double *half, *whole;
    float *dc;
    int32_t d;
} root_gradient;

/* Factors of the sum for entry (row, column) of a stage's product. */
template <enum gradient_stage STAGE>
__device__ __forceinline__ double gradient_term(const root_gradient &g, int64_t row, int64_t column, int64_t k)
{
    int64_t d = g.d;
    if constexpr (STAGE == INTO_EIGENVECTORS) {
        return (double)g.q[k * d + row] * (0.5 * ((double)g.dz[k * d + column] + g.dz[column * d + k]));
    } else if constexpr (STAGE == WEIGHTED) {
        return g.half[row * d + k] * g.q[k * d + column];
    } else if constexpr (STAGE == OUT_OF_THEM) {
        return g.q[row * d + k] * g.whole[k * d + column];
    } else {
        return g.half[row * d + k] * g.q[column * d + k];
    }
}

__device__ __forceinline__ root_gradient gradient_of_head(root_gradient g, int64_t head)
{
    int64_t one = (int64_t)g.d * g.d;
    g.q += head * one;
    g.roots += head * g.d;
    g.dz += head * one;
    g.half += head * one;
    g.whole += head * one;
    g.dc += head * one;
    return g;
}

template <enum gradient_stage STAGE> __global__ void root_gradient_kernel(root_gradient all, int64_t numbers)
{
    int64_t at = (int64_t)blockIdx.x * GRADIENT_BLOCK + threadIdx.x;
    if (!inside(at, numbers)) {
        return;
    }
    int64_t one = (int64_t)all.d * all.d;
    root_gradient g = gradient_of_head(all, at / one);
    int64_t entry = at % one;
    int64_t row = entry / g.d;
    int64_t column = entry % g.d;
    double sum = 0;
    for (int64_t k = 0; k < g.d; k++) {
        sum += gradient_term<STAGE>(g, row, column, k);
    }
    if constexpr (STAGE == WEIGHTED) {
        double left = g.roots[row];
        double right = g.roots[column];
        g.whole[entry] = sum * (-1.0 / (left * right * (left + right)));
    } else if constexpr (STAGE == FINISHED) {
        g.dc[entry] = (float)sum;
    } else {
        g.half[entry] = sum;
    }
}

cfd_status cuda_inverse_sqrt_gradient(ops *o, const float *q, const float *roots, const float *dz, int32_t d, int32_t heads,
                                      float *dc)
{
    device_scope here(o);
    cuda_ops *c = cuda_of(o);
    int64_t numbers = (int64_t)heads * d * d;
    double *half;
    TRY(cuda_scratch_get(c, SCRATCH_SMALL, 2 * (size_t)numbers * sizeof *half, &half));
    root_gradient g = {q, roots, dz, half, half + numbers, dc, d};
    unsigned blocks = cuda_blocks(numbers, GRADIENT_BLOCK);
    LAUNCH(c, root_gradient_kernel<INTO_EIGENVECTORS>, blocks, GRADIENT_BLOCK, 0, g, numbers);
    LAUNCH(c, root_gradient_kernel<WEIGHTED>, blocks, GRADIENT_BLOCK, 0, g, numbers);
    LAUNCH(c, root_gradient_kernel<OUT_OF_THEM>, blocks, GRADIENT_BLOCK, 0, g, numbers);
    LAUNCH(c, root_gradient_kernel<FINISHED>, blocks, GRADIENT_BLOCK, 0, g, numbers);
    return CFD_OK;
}
