/* SPDX-License-Identifier: Apache-2.0 */
/* The best k of blocks of scores: see top_k.cuh. Entries above the worst of the k best so far, the floor, are collected in
 * shared memory behind these; where there may be no room for the next round's they are all sorted, and the first k stay.
 * Only what is above the floor is looked up among the user's exclusions. */
#include "top_k.cuh"

#include "device.cuh"

static constexpr int PER_THREAD = 4,    /* scores that a thread looks at between barriers */
    ROUND = PER_THREAD * TOP_K_THREADS, /* at most so many entries are collected in a round, */
    SLOTS = TOP_K_MOST + ROUND;         /* for which there is room behind the best */

static __device__ __forceinline__ bool is_excluded(const top_k_block &block, int64_t user, int32_t item)
{
    if (block.excluded_offsets == nullptr) {
        return false;
    }
    int64_t low = block.excluded_offsets[user];
    int64_t end = block.excluded_offsets[user + 1];
    int64_t high = end;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        bool below = block.excluded[middle] < item;
        low = below ? middle + 1 : low;
        high = below ? high : middle;
    }
    return inside(low, end) && block.excluded[low] == item;
}

/* Sorts the first n entries in descending order by a bitonic network, as many as a power of 2 with zeros behind them. All
 * threads take part; entries of before the call are seen after a barrier of the caller's. Ends in a barrier. */
static __device__ __forceinline__ void sort_entries(uint64_t *entries, int32_t n)
{
    int32_t whole = 1;
    while (whole < n) {
        whole *= 2;
    }
    for (int32_t i = n + (int32_t)threadIdx.x; inside(i, whole); i += TOP_K_THREADS) {
        entries[i] = 0;
    }
    __syncthreads();
    for (int32_t size = 2; size <= whole; size *= 2) {
        for (int32_t stride = size / 2; stride > 0; stride /= 2) {
            for (int32_t pair = (int32_t)threadIdx.x; inside(pair, whole / 2); pair += TOP_K_THREADS) {
                int32_t at = 2 * pair - (pair & (stride - 1));
                bool descending = (at & size) == 0;
                uint64_t one = entries[at];
                uint64_t other = entries[at + stride];
                if ((one < other) == descending) {
                    entries[at] = other;
                    entries[at + stride] = one;
                }
            }
            __syncthreads();
        }
    }
}

__global__ void __launch_bounds__(TOP_K_THREADS) top_k_kernel(top_k_block block)
{
    SHARED(entries, uint64_t[SLOTS]);
    SHARED(filled, int32_t);
    int64_t user = blockIdx.x;
    const float *scores = block.scores + user * block.ld;
    uint64_t *best = block.best + user * block.k;
    for (int32_t i = (int32_t)threadIdx.x; inside(i, block.k); i += TOP_K_THREADS) {
        entries[i] = block.fresh ? 0 : best[i];
    }
    if (threadIdx.x == 0) {
        filled = block.k;
    }
    __syncthreads();
    uint64_t floor = entries[block.k - 1];
    for (int64_t round = 0; round < block.n; round += ROUND) {
        for (int32_t i = 0; i < PER_THREAD; i++) {
            int64_t at = round + i * TOP_K_THREADS + threadIdx.x;
            if (inside(at, block.n)) {
                int32_t item = block.items != nullptr ? block.items[at] : block.first + (int32_t)at;
                uint64_t entry = entry_of(scores[at], item);
                if (entry > floor && !is_excluded(block, user, item)) {
                    entries[atomicAdd(&filled, 1)] = entry;
                }
            }
        }
        __syncthreads();
        int32_t n = filled;
        if (n > SLOTS - ROUND || round + ROUND >= block.n) {
            sort_entries(entries, n);
            floor = entries[block.k - 1];
            if (threadIdx.x == 0) {
                filled = block.k;
            }
        }
        __syncthreads();
    }
    for (int32_t i = (int32_t)threadIdx.x; inside(i, block.k); i += TOP_K_THREADS) {
        best[i] = entries[i];
    }
}
