/* SPDX-License-Identifier: Apache-2.0 */
/* What spmm adds to its result at the rows of a batch: with weights by groups of columns, and half the squared norms as
 * losses. */
#include "spmm.h"

#include "batch.cuh"

enum { ADDEND_BLOCK = 256, ADDEND_WARPS = ADDEND_BLOCK / WARP /* rows of a block */ };

typedef struct addend_group {
    int32_t number;
    float weight;
    double *loss;
} addend_group;

/* The groups that have a weight. */
typedef struct addend_groups {
    addend_group of[CFD_MAX_MODALITIES];
} addend_groups;

/* A warp for each row of the batch (x) and group (y). partial: for each group, one for each block; NULL: no losses. */
__global__ void addend_kernel(ops_addend add, ops_batch batch, const __grid_constant__ addend_groups groups, float *y,
                              int64_t ldy, double *partial)
{
    int32_t slot = (int32_t)(blockIdx.x * ADDEND_WARPS + threadIdx.x / WARP);
    const addend_group &group = groups.of[blockIdx.y];
    double loss = 0;
    if (inside(slot, *batch.count)) {
        int32_t times = add.by_appearance ? batch.offsets[slot + 1] - batch.offsets[slot] : 1;
        int64_t first = (int64_t)group.number * add.group;
        const float *from = batch_row(batch, add.rows, slot) + first;
        float *to = y + batch.rows[slot] * ldy + first;
        float factor = group.weight * (float)times;
        double squares = 0;
        for (int32_t c = lane_of_thread(); inside(c, add.group); c += WARP) {
            to[c] = fmaf(factor, from[c], to[c]);
            squares += (double)from[c] * from[c];
        }
        squares = warp_sum(squares);
        loss = lane_of_thread() == 0 ? 0.5 * times * squares : 0;
    }
    if (partial) {
        loss = block_sum<ADDEND_BLOCK>(loss);
        if (threadIdx.x == 0) {
            partial[(int64_t)blockIdx.y * gridDim.x + blockIdx.x] = loss;
        }
    }
}

/* A block for each group adds its n partial sums to its loss. */
__global__ void addend_losses_kernel(const __grid_constant__ addend_groups groups, const double *partial, int32_t n)
{
    double sum = 0;
    for (int32_t k = (int32_t)threadIdx.x; inside(k, n); k += ADDEND_BLOCK) {
        sum += partial[(int64_t)blockIdx.x * n + k];
    }
    sum = block_sum<ADDEND_BLOCK>(sum);
    const addend_group &group = groups.of[blockIdx.x];
    if (threadIdx.x == 0) {
        *group.loss += sum;
    }
}

cfd_status cuda_spmm_addend(cuda_ops *c, const ops_addend *add, float *y, int64_t ldy)
{
    addend_groups groups = {};
    unsigned n = 0;
    for (int32_t g = 0; g < add->rows.width / add->group; g++) {
        if (add->weights[g] != 0) {
            groups.of[n++] = {g, add->weights[g], add->losses ? add->losses[g] : nullptr};
        }
    }
    if (n == 0) {
        return CFD_OK;
    }
    unsigned blocks = cuda_blocks(ops_batch_rows(add->batch).capacity, ADDEND_WARPS);
    double *partial = nullptr;
    if (add->losses) {
        TRY(cuda_scratch_get(c, SCRATCH_SUMS, (size_t)n * blocks * sizeof *partial, &partial));
    }
    LAUNCH(c, addend_kernel, dim3(blocks, n), ADDEND_BLOCK, 0, *add, *add->batch, groups, y, ldy, partial);
    if (add->losses) {
        LAUNCH(c, addend_losses_kernel, n, ADDEND_BLOCK, 0, groups, partial, (int32_t)blocks);
    }
    return CFD_OK;
}
