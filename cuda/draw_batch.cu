/* SPDX-License-Identifier: Apache-2.0 */
/* Drawing of a batch (SPEC 6): a thread draws a triple, by the function that every backend draws by. The moment of training
 * is read from the instance's clock, so that recorded draws can be run at another one. */
#include "backend.h"

#include "device.cuh"

#include "ops/draw.h"

/* Few triples to a block: a draw is a long chain of dependent integer operations, and a warp waits for its slowest. */
enum { DRAW_BLOCK = 64 };

__global__ void draw_batch_kernel(ops_sampler sampler, const cuda_clock *clock, ops_batch batch)
{
    int32_t b = (int32_t)(blockIdx.x * DRAW_BLOCK + threadIdx.x);
    if (inside(b, batch.size)) {
        ops_triple triple = draw_triple(&sampler, clock->step, clock->epoch, clock->position, b);
        batch.user_ids[b] = triple.user;
        batch.positives[b] = triple.positive;
        batch.negatives[b] = triple.negative;
    }
}

cfd_status cuda_draw_batch(ops *o, const ops_sampler *sampler, int64_t step, int64_t epoch, int64_t position,
                           ops_batch *batch)
{
    device_scope here(o);
    cuda_ops *c = cuda_of(o);
    ops_moment at = {step, epoch, position, -1};
    TRY(cuda_set_clock(c, &at));
    batch->size = ops_draw_size(sampler, position, batch->capacity);
    if (batch->size > 0) {
        LAUNCH(c, draw_batch_kernel, cuda_blocks(batch->size, DRAW_BLOCK), DRAW_BLOCK, 0, *sampler, c->clock, *batch);
    }
    return CFD_OK;
}
