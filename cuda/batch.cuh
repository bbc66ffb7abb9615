/* SPDX-License-Identifier: Apache-2.0 */
/* What kernels ask of a batch: which node plays a role in a triple, and where its row is in a view. The same as
 * lib/ops/batch.h, for the device. */
#ifndef CFD_CUDA_BATCH_CUH
#define CFD_CUDA_BATCH_CUH

#include "ops/ops.h"

#include "device.cuh"

/* The node that plays a role (0 user, 1 positive, 2 negative) in a triple. */
__device__ __forceinline__ int32_t batch_node(const ops_batch &batch, int32_t position, int32_t role)
{
    return role == 0   ? batch.user_ids[position]
           : role == 1 ? batch.users + batch.positives[position]
                       : batch.users + batch.negatives[position];
}

/* The row of a slot in a view. */
__device__ __forceinline__ float *batch_row(const ops_batch &batch, const ops_view &view, int32_t slot)
{
    return view.data + view.ld * (view.by_node ? batch.rows[slot] : slot);
}

/* The index in a view of the row of a node that the batch touches. */
__device__ __forceinline__ int32_t batch_index_of_node(const ops_batch &batch, const ops_view &view, int32_t node)
{
    return view.by_node ? node : batch.slots[node];
}

#endif
