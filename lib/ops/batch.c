/* SPDX-License-Identifier: Apache-2.0 */
/* Drawing and indexing of a batch (SPEC 6) in the host's memory. */
#include "ops/batch.h"

#include "ops/draw.h"

#include <string.h>

void batch_draw_range(const ops_sampler *sampler, int64_t step, int64_t epoch, int64_t position, ops_batch *batch,
                      int32_t first, int32_t last)
{
    for (int32_t b = first; b < last; b++) {
        ops_triple triple = draw_triple(sampler, step, epoch, position, b);
        batch->user_ids[b] = triple.user;
        batch->positives[b] = triple.positive;
        batch->negatives[b] = triple.negative;
    }
}

/* A counting sort of the 3 x size appearances by node; stable, so each row's appearances ascend. */
void batch_build_index(ops_batch *batch)
{
    int32_t *slots = batch->slots;
    memset(slots, 0, (size_t)batch->nodes * sizeof *slots);
    for (int32_t b = 0; b < batch->size; b++) {
        for (int32_t role = 0; role < 3; role++) {
            slots[batch_node(batch, b, role)]++;
        }
    }
    int32_t count = 0;
    int32_t before = 0;
    for (int32_t node = 0; node < batch->nodes; node++) {
        int32_t appearances = slots[node];
        slots[node] = -1;
        if (appearances > 0) {
            batch->rows[count] = node;
            batch->offsets[count] = before;
            slots[node] = count;
            before += appearances;
            count++;
        }
    }
    *batch->count = count;
    /* Filling moves each offset to the end of its row, which is where the next one begins. */
    for (int32_t b = 0; b < batch->size; b++) {
        for (int32_t role = 0; role < 3; role++) {
            int32_t slot = slots[batch_node(batch, b, role)];
            batch->occurrences[batch->offsets[slot]++] = 3 * b + role;
        }
    }
    if (count > 0) {
        memmove(batch->offsets + 1, batch->offsets, (size_t)count * sizeof *batch->offsets);
    }
    batch->offsets[0] = 0;
}
