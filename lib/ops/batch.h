/* SPDX-License-Identifier: Apache-2.0 */
/* Drawing and indexing of a batch on the CPU, for every backend whose memory is the host's, so that all draw the same. */
#ifndef CFD_OPS_BATCH_H
#define CFD_OPS_BATCH_H

#include "ops/ops.h"

/* Draws the triples [first, last) of the batch. Each depends on its position alone: ranges may be drawn in parallel. */
void batch_draw_range(const ops_sampler *sampler, int64_t step, int64_t epoch, int64_t position, ops_batch *batch,
                      int32_t first, int32_t last);

/* Fills count, rows, slots, offsets and occurrences from the triples, in time O(nodes + 3 size). */
void batch_build_index(ops_batch *batch);

/* The node that plays a role (0 user, 1 positive, 2 negative) in a triple. */
static inline int32_t batch_node(const ops_batch *batch, int32_t position, int32_t role)
{
    return role == 0   ? batch->user_ids[position]
           : role == 1 ? batch->users + batch->positives[position]
                       : batch->users + batch->negatives[position];
}

/* Is a slot an item that lacks what one of the two arrays is about? One byte for each item; NULL: none lacks it. */
static inline bool batch_lacks(const ops_batch *batch, const uint8_t *x_present, const uint8_t *y_present, int32_t slot)
{
    int32_t item = batch->rows[slot] - batch->users;
    return item >= 0 && ((x_present && !x_present[item]) || (y_present && !y_present[item]));
}

/* The row of a slot in a view, and of a node that the batch touches. */
static inline float *batch_row(const ops_batch *batch, const ops_view *view, int32_t slot)
{
    return view->data + view->ld * (view->by_node ? batch->rows[slot] : slot);
}

static inline float *batch_node_row(const ops_batch *batch, const ops_view *view, int32_t node)
{
    return view->data + view->ld * (view->by_node ? node : batch->slots[node]);
}

#endif
