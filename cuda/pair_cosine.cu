/* SPDX-License-Identifier: Apache-2.0 */
/* Cosines of pairs of rows (SPEC 5): a warp takes a slot. Everything is computed in double, since the squares of short and
 * long rows are outside the range of float; a batch has so few rows that this costs little on any device. */
#include "backend.h"

#include "batch.cuh"

#include <math.h>

enum { COSINE_BLOCK = 256, COSINE_SLOTS = COSINE_BLOCK / WARP };

typedef struct cosine_views {
    ops_view x, y, x_gradient, y_gradient;
    const uint8_t *x_present, *y_present; /* items; NULL: all are */
} cosine_views;

/* f(c), and its derivative. */
__device__ __forceinline__ double cosine_term(ops_cosine kind, double c, double *derivative)
{
    if (kind == OPS_COSINE_ORTHOGONAL) {
        double f = sqrt(c * c + 1e-8);
        *derivative = c / f;
        return f;
    }
    *derivative = kind == OPS_COSINE_ALIGN ? -1 : 1;
    return kind == OPS_COSINE_ALIGN ? 1 - c : c;
}

/* How often a slot's node is a user or a positive, in every lane. */
__device__ __forceinline__ int32_t times_paired(const ops_batch &batch, int32_t slot)
{
    int32_t times = 0;
    int32_t end = batch.offsets[slot + 1];
    for (int32_t p = batch.offsets[slot] + lane_of_thread(); inside(p, end); p += WARP) {
        times += batch.occurrences[p] % 3 != 2;
    }
    return warp_sum(times);
}

/* Is a slot an item that lacks x or y? The same in every lane. */
__device__ __forceinline__ bool lacks(const ops_batch &batch, const cosine_views &views, int32_t slot)
{
    int32_t node = batch.rows[slot];
    if (inside(node, batch.users)) {
        return false;
    }
    int32_t item = node - batch.users;
    return (views.x_present && views.x_present[item] == 0) || (views.y_present && views.y_present[item] == 0);
}

/* Adds to a slot's gradient rows; returns the slot's share of the loss, in every lane. By x the gradient of the cosine is
 * (y / |y| - c x / |x|) / |x|. */
__device__ __forceinline__ double add_cosine(const ops_batch &batch, ops_cosine kind, const cosine_views &views,
                                             double weight, int32_t slot)
{
    int32_t times = times_paired(batch, slot);
    if (times == 0 || lacks(batch, views, slot)) { /* a negative only: its rows are not read */
        return 0;
    }
    const float *x = batch_row(batch, views.x, slot);
    const float *y = batch_row(batch, views.y, slot);
    double xx = 0;
    double yy = 0;
    double xy = 0;
    for (int32_t c = lane_of_thread(); inside(c, views.x.width); c += WARP) {
        xx += (double)x[c] * x[c];
        yy += (double)y[c] * y[c];
        xy += (double)x[c] * y[c];
    }
    xx = warp_sum(xx);
    yy = warp_sum(yy);
    xy = warp_sum(xy);
    if (xx == 0 || yy == 0) {
        return 0;
    }
    double norms = sqrt(xx) * sqrt(yy);
    double cosine = xy / norms;
    double derivative;
    double loss = times * cosine_term(kind, cosine, &derivative);
    double across = weight * times * derivative / norms;
    double along_x = -weight * times * derivative * cosine / xx;
    double along_y = -weight * times * derivative * cosine / yy;
    float *into_x = batch_row(batch, views.x_gradient, slot);
    float *into_y = batch_row(batch, views.y_gradient, slot);
    for (int32_t c = lane_of_thread(); inside(c, views.x.width); c += WARP) {
        into_x[c] = (float)(into_x[c] + across * y[c] + along_x * x[c]);
        into_y[c] = (float)(into_y[c] + across * x[c] + along_y * y[c]);
    }
    return loss;
}

/* weight: over the batch's size, as the loss is. partial: one for each block. */
__global__ void pair_cosine_kernel(ops_batch batch, ops_cosine kind, cosine_views views, double weight, double *partial)
{
    int32_t slot = (int32_t)(blockIdx.x * COSINE_SLOTS + threadIdx.x / WARP);
    double loss = 0;
    if (inside(slot, *batch.count)) {
        loss = add_cosine(batch, kind, views, weight, slot);
    }
    loss = block_sum<COSINE_BLOCK>(lane_of_thread() == 0 ? loss : 0);
    if (threadIdx.x == 0) {
        partial[blockIdx.x] = loss / batch.size;
    }
}

cfd_status cuda_pair_cosine(ops *o, const ops_batch *batch, ops_cosine kind, ops_view x, ops_view y,
                            const uint8_t *x_present, const uint8_t *y_present, float weight, ops_view x_gradient,
                            ops_view y_gradient, double *loss)
{
    device_scope here(o);
    cuda_ops *c = cuda_of(o);
    if (batch->size == 0) {
        return CFD_OK;
    }
    unsigned blocks = cuda_blocks(ops_batch_rows(batch).capacity, COSINE_SLOTS);
    double *partial;
    TRY(cuda_scratch_get(c, SCRATCH_SUMS, blocks * sizeof *partial, &partial));
    cosine_views views = {x, y, x_gradient, y_gradient, x_present, y_present};
    LAUNCH(c, pair_cosine_kernel, blocks, COSINE_BLOCK, 0, *batch, kind, views, (double)weight / batch->size, partial);
    return cuda_add_sums(c, partial, (int32_t)blocks, loss);
}
