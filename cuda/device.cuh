/* SPDX-License-Identifier: Apache-2.0 */
/* What kernels share: bounds, sums in a fixed order. */
#ifndef CFD_CUDA_DEVICE_CUH
#define CFD_CUDA_DEVICE_CUH

#include "port.h"

#include <stdint.h>

enum { WARP = 32 };

/* Every check of a bound in a kernel goes by this name, so that tests/cuda/mutate.sh can leave out each in turn and see that
 * it is missed. */
__device__ __forceinline__ bool inside(int64_t index, int64_t bound)
{
    return index < bound;
}

__device__ __forceinline__ int lane_of_thread()
{
    return (int)(threadIdx.x % WARP);
}

/* The sum over a warp's lanes, in every lane, by the same tree each time. All lanes take part. */
template <class T> __device__ __forceinline__ T warp_sum(T value)
{
    for (int offset = WARP / 2; offset > 0; offset /= 2) {
        value += __shfl_xor_sync(0xffffffffu, value, offset);
    }
    return value;
}

/* The sum over a block of BLOCK threads, in thread 0, by the same tree each time. All threads take part. Before a kernel
 * calls it again there must be a barrier. */
template <int BLOCK, class T> __device__ __forceinline__ T block_sum(T value)
{
    SHARED(parts, T[BLOCK / WARP]);
    value = warp_sum(value);
    if (lane_of_thread() == 0) {
        parts[threadIdx.x / WARP] = value;
    }
    __syncthreads();
    if (threadIdx.x < WARP) {
        value = threadIdx.x < BLOCK / WARP ? parts[threadIdx.x] : T(0);
        value = warp_sum(value);
    }
    return value;
}

#endif
