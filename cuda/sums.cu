/* SPDX-License-Identifier: Apache-2.0 */
/* The end of every loss: partial sums are added up by one block, in an order that their number alone fixes. */
#include "backend.h"

#include "device.cuh"

enum { SUMS_BLOCK = 256 };

__global__ void add_sums_kernel(const double *partial, int32_t n, double *sum)
{
    double mine = 0;
    for (int32_t k = (int32_t)threadIdx.x; inside(k, n); k += SUMS_BLOCK) {
        mine += partial[k];
    }
    mine = block_sum<SUMS_BLOCK>(mine);
    if (threadIdx.x == 0) {
        *sum += mine;
    }
}

cfd_status cuda_add_sums(cuda_ops *c, const double *partial, int32_t n, double *sum)
{
    LAUNCH(c, add_sums_kernel, 1, SUMS_BLOCK, 0, partial, n, sum);
    return CFD_OK;
}
