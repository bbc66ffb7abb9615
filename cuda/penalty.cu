/* SPDX-License-Identifier: Apache-2.0 */
/* The penalty on the rows of a batch: a warp takes a slot; squares are summed in double. */
#include "backend.h"

#include "batch.cuh"

enum { PENALTY_BLOCK = 256, PENALTY_SLOTS = PENALTY_BLOCK / WARP };

/* Adds to a slot's gradient row; returns the lane's part of the slot's loss. */
__device__ __forceinline__ double add_penalty(const ops_batch &batch, const ops_view &x, double weight,
                                              const ops_view &gradient, int32_t slot)
{
    double times = batch.offsets[slot + 1] - batch.offsets[slot];
    const float *row = batch_row(batch, x, slot);
    float *into = batch_row(batch, gradient, slot);
    double squares = 0;
    for (int32_t c = lane_of_thread(); inside(c, x.width); c += WARP) {
        double value = row[c];
        squares += value * value;
        into[c] = (float)(into[c] + weight * times * value);
    }
    return 0.5 * times * squares;
}

/* partial: one for each block. */
__global__ void penalty_kernel(ops_batch batch, ops_view x, double weight, ops_view gradient, double *partial)
{
    int32_t slot = (int32_t)(blockIdx.x * PENALTY_SLOTS + threadIdx.x / WARP);
    double loss = 0;
    if (inside(slot, *batch.count)) {
        loss = add_penalty(batch, x, weight, gradient, slot);
    }
    loss = block_sum<PENALTY_BLOCK>(loss);
    if (threadIdx.x == 0) {
        partial[blockIdx.x] = loss;
    }
}

cfd_status cuda_penalty(ops *o, const ops_batch *batch, ops_view x, float weight, ops_view gradient, double *loss)
{
    device_scope here(o);
    cuda_ops *c = cuda_of(o);
    unsigned blocks = cuda_blocks(ops_batch_rows(batch).capacity, PENALTY_SLOTS);
    double *partial;
    TRY(cuda_scratch_get(c, SCRATCH_SUMS, blocks * sizeof *partial, &partial));
    LAUNCH(c, penalty_kernel, blocks, PENALTY_BLOCK, 0, *batch, x, (double)weight, gradient, partial);
    return cuda_add_sums(c, partial, (int32_t)blocks, loss);
}
