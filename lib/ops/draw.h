/* SPDX-License-Identifier: Apache-2.0 */
/* One triple of a batch (SPEC 6): a function of seed, step and position, with no state and no order. Every backend draws by
 * it, so all draw the same. */
#ifndef CFD_OPS_DRAW_H
#define CFD_OPS_DRAW_H

#include "base/philox.h"
#include "ops/ops.h"

typedef struct ops_triple {
    int32_t user, positive, negative; /* item ids, not nodes */
} ops_triple;

/* The rank-th item, in id order, that is not among the `degree` ascending ids: before the k-th of them lie ids[k] - k
 * items that are not theirs. */
HOST_DEVICE static inline int32_t draw_item_outside(const int32_t *ids, int32_t degree, uint32_t rank)
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

/* The b-th triple of the batch that ops_table.draw_batch describes; b is below ops_draw_size. */
HOST_DEVICE static inline ops_triple draw_triple(const ops_sampler *sampler, int64_t step, int64_t epoch, int64_t position,
                                                 int32_t b)
{
    uint64_t pool = (uint64_t)sampler->pool_size;
    uint64_t entry = sampler->pool_items
                         ? philox_permute(sampler->seed, PHILOX_EPOCH, (uint64_t)epoch, pool, (uint64_t)(position + b))
                         : philox_permute(sampler->seed, PHILOX_USERS, (uint64_t)step, pool, (uint64_t)b);
    ops_triple triple;
    triple.user = sampler->pool_users[entry];
    const int32_t *items = sampler->item_ids + sampler->offsets[triple.user];
    int32_t degree = (int32_t)(sampler->offsets[triple.user + 1] - sampler->offsets[triple.user]);
    philox_block random = philox(sampler->seed, PHILOX_PAIRS, (uint64_t)step, (uint32_t)b);
    triple.positive = sampler->pool_items ? sampler->pool_items[entry]
                                          : items[philox_below(random.word[0], random.word[1], (uint32_t)degree)];
    uint32_t rank = philox_below(random.word[2], random.word[3], (uint32_t)(sampler->items - degree));
    triple.negative = draw_item_outside(items, degree, rank);
    return triple;
}

#endif
