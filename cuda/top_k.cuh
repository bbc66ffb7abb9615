/* SPDX-License-Identifier: Apache-2.0 */
/* The best k of blocks of scores, for each user of a block: in the order of lib/serve/top_k.h, and of the same bits. */
#ifndef CFD_CUDA_TOP_K_CUH
#define CFD_CUDA_TOP_K_CUH

#include "port.h"

#include <stdint.h>
#include <string.h>

static constexpr int TOP_K_MOST = 1024, TOP_K_THREADS = 256;

/* A score and its item: the larger, the better. Above are the score's bits such that unsigned integers have the order of the
 * numbers, NaN as -infinity and -0 as 0; below the item's complement, so that of equal scores the lower id comes first. No
 * entry is 0. */
__host__ __device__ __forceinline__ uint64_t entry_of(float score, int32_t item)
{
    uint32_t bits;
    memcpy(&bits, &score, sizeof bits);
    bits = (bits & 0x7fffffffu) > 0x7f800000u ? 0xff800000u : bits;
    bits = bits == 0x80000000u ? 0 : bits;
    uint32_t order = (bits & 0x80000000u) != 0 ? ~bits : bits | 0x80000000u;
    return (uint64_t)order << 32 | (0xffffffffu - (uint32_t)item);
}

__host__ __device__ __forceinline__ int32_t entry_item(uint64_t entry)
{
    return (int32_t)(0xffffffffu - (uint32_t)entry);
}

__host__ __device__ __forceinline__ float entry_score(uint64_t entry)
{
    uint32_t order = (uint32_t)(entry >> 32);
    uint32_t bits = (order & 0x80000000u) != 0 ? order & 0x7fffffffu : ~order;
    float score;
    memcpy(&score, &bits, sizeof score);
    return score;
}

/* A block of scores, users x n, and what is known of the users' best so far. All pointers are the device's. */
typedef struct top_k_block {
    const float *scores;
    int64_t ld;
    int32_t n;            /* at least 1 */
    const int32_t *items; /* n: whose scores the columns are; NULL: first, first + 1, ... */
    int32_t first;
    const int64_t *excluded_offsets; /* users + 1, into excluded; NULL: nothing is excluded */
    const int32_t *excluded;         /* each user's ascending, repeats allowed */
    int32_t k;                       /* 1 to TOP_K_MOST */
    bool fresh;                      /* nothing is known so far: best is not read */
    uint64_t *best;                  /* users x k entries, best first; 0 beyond the last */
} top_k_block;

/* Makes best that of all blocks so far. One block of TOP_K_THREADS threads for each user. */
__global__ void top_k_kernel(top_k_block block);

#endif
