/* SPDX-License-Identifier: Apache-2.0 */
/* Drawing and indexing of a batch (SPEC 6). A draw is a function of seed, step and position: no state, no order. */
#include "ops/batch.h"

#include "base/philox.h"

#include <string.h>

int32_t batch_draw_size(const ops_sampler *sampler, int64_t position, int32_t capacity)
{
    int64_t left = sampler->pool_items ? sampler->pool_size - position : sampler->pool_size;
    return left <= 0 ? 0 : left < capacity ? (int32_t)left : capacity;
}

/* The rank-th item, in id order, that is not among the `degree` ascending ids: before the k-th of them lie ids[k] - k
 * items that are not theirs. */
static int32_t item_outside(const int32_t *ids, int32_t degree, uint32_t rank)
{
    int32_t low = 0;
    int32_t high = degree;
    while (low < high) {
        int32_t middle = low + (high - low) / 2;
        if ((uint32_t)(ids[middle] - middle) > rank) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return (int32_t)rank + low;
}

void batch_draw_range(const ops_sampler *sampler, int64_t step, int64_t epoch, int64_t position, ops_batch *batch,
                      int32_t first, int32_t last)
{
    uint64_t pool = (uint64_t)sampler->pool_size;
    for (int32_t b = first; b < last; b++) {
        uint64_t entry = sampler->pool_items
            ? philox_permute(sampler->seed, PHILOX_EPOCH, (uint64_t)epoch, pool, (uint64_t)(position + b))
            : philox_permute(sampler->seed, PHILOX_USERS, (uint64_t)step, pool, (uint64_t)b);
        int32_t user = sampler->pool_users[entry];
        const int32_t *items = sampler->item_ids + sampler->offsets[user];
        int32_t degree = (int32_t)(sampler->offsets[user + 1] - sampler->offsets[user]);
        philox_block random = philox(sampler->seed, PHILOX_PAIRS, (uint64_t)step, (uint32_t)b);
        batch->user_ids[b] = user;
        batch->positives[b] = sampler->pool_items
            ? sampler->pool_items[entry]
            : items[philox_below(random.word[0], random.word[1], (uint32_t)degree)];
        uint32_t rank = philox_below(random.word[2], random.word[3], (uint32_t)(sampler->items - degree));
        batch->negatives[b] = item_outside(items, degree, rank);
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
