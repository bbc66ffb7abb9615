/* SPDX-License-Identifier: Apache-2.0 */
/* The index of a batch: who appears where. The appearances are sorted by node and then by number, as keys of 64 bits that
 * are all different: tiles in shared memory, then passes that merge four runs each. A row begins wherever the node changes;
 * how many begin before a key is its row's slot. */
#include "backend.h"

#include "batch.cuh"

enum {
    TILE_KEYS = 2048,
    TILE_BLOCK = TILE_KEYS / 2, /* a thread compares two keys at a time */
    MERGE_BLOCK = 256,
    MERGE_RUNS = 4,
    PLACE_BLOCK = 1024,
    PLACE_WARPS = PLACE_BLOCK / WARP
};

/* Exchanges two keys of the tile where they are not in order. */
__device__ __forceinline__ void exchange(uint64_t *low, uint64_t *high, bool ascending)
{
    uint64_t a = *low;
    uint64_t b = *high;
    if ((a > b) == ascending) {
        *low = b;
        *high = a;
    }
}

/* node << 32 | occurrence; beyond the last a key that is above all others. */
__device__ __forceinline__ uint64_t key_of(const ops_batch &batch, int32_t occurrence)
{
    if (!inside(occurrence, 3 * batch.size)) {
        return ~(uint64_t)0;
    }
    uint64_t node = (uint64_t)batch_node(batch, occurrence / 3, occurrence % 3);
    return node << 32 | (uint32_t)occurrence;
}

/* A bitonic sort of a tile. Two keys of a distance up to WARP lie within the 2 * WARP keys that one warp takes care of, so
 * only larger distances need the block to wait. */
__global__ void sort_tiles_kernel(ops_batch batch, uint64_t *keys)
{
    SHARED(tile, uint64_t[TILE_KEYS]);
    int32_t n = 3 * batch.size;
    int32_t begin = (int32_t)blockIdx.x * TILE_KEYS;
    int32_t count = n - begin; /* more than TILE_KEYS where others follow */
    int thread = (int)threadIdx.x;
    int mine = thread / WARP * 2 * WARP + lane_of_thread(); /* the warp's keys are in one piece */
    tile[mine] = key_of(batch, begin + mine);
    tile[mine + WARP] = key_of(batch, begin + mine + WARP);
    __syncwarp();
    for (int size = 2; size <= TILE_KEYS && size < 2 * count; size *= 2) {
        for (int distance = size / 2; distance > 0; distance /= 2) {
            int low = 2 * thread - (thread & (distance - 1));
            exchange(&tile[low], &tile[low + distance], (low & size) == 0);
            int next = distance > 1 ? distance / 2 : size;
            if (distance > WARP || next > WARP) {
                __syncthreads();
            } else {
                __syncwarp();
            }
        }
    }
    for (int k = mine; k < mine + 2 * WARP; k += WARP) {
        if (inside(begin + k, n)) {
            keys[begin + k] = tile[k];
        }
    }
}

/* Every key finds how many of each of the runs around it come before it, by halving: the sum is its place. The searches do
 * not wait for each other. */
__global__ void merge_runs_kernel(const uint64_t *from, uint64_t *to, int64_t n, int64_t run)
{
    int64_t i = (int64_t)blockIdx.x * MERGE_BLOCK + threadIdx.x;
    if (!inside(i, n)) {
        return;
    }
    uint64_t key = from[i];
    int64_t first = i & ~(MERGE_RUNS * run - 1); /* a run is a power of two long */
    int64_t before[MERGE_RUNS] = {0};
    for (int64_t step = run; step > 0; step /= 2) {
        for (int r = 0; r < MERGE_RUNS; r++) {
            int64_t begin = first + r * run;
            int64_t end = inside(begin + run, n) ? begin + run : n;
            int64_t at = begin + before[r] + step - 1; /* the last of `step` more */
            if (inside(at, end) && from[at] < key) {
                before[r] += step;
            }
        }
    }
    int64_t place = first;
    for (int r = 0; r < MERGE_RUNS; r++) {
        place += before[r];
    }
    to[place] = key;
}

/* Is the i-th key the first of its node? */
__device__ __forceinline__ bool begins_row(const uint64_t *keys, int32_t n, int32_t i)
{
    return inside(i, n) && (i == 0 || keys[i] >> 32 != keys[i - 1] >> 32);
}

/* begins[block]: how many rows begin among the block's keys. */
__global__ void count_rows_kernel(const uint64_t *keys, int32_t n, int32_t *begins)
{
    int32_t i = (int32_t)(blockIdx.x * PLACE_BLOCK + threadIdx.x);
    int32_t rows = block_sum<PLACE_BLOCK>(begins_row(keys, n, i) ? 1 : 0);
    if (threadIdx.x == 0) {
        begins[blockIdx.x] = rows;
    }
}

/* The i-th key belongs to the row that begins at it or last before it. */
__global__ void place_rows_kernel(const uint64_t *keys, const int32_t *begins, ops_batch batch)
{
    SHARED(warps, int32_t[PLACE_WARPS]);
    SHARED(earlier, int32_t);
    int32_t n = 3 * batch.size;
    int32_t i = (int32_t)(blockIdx.x * PLACE_BLOCK + threadIdx.x);
    int warp = (int)(threadIdx.x / WARP);
    int32_t slot = 0;
    for (int32_t k = (int32_t)threadIdx.x; inside(k, blockIdx.x); k += PLACE_BLOCK) {
        slot += begins[k];
    }
    slot = block_sum<PLACE_BLOCK>(slot);
    bool begin = begins_row(keys, n, i);
    unsigned lanes = __ballot_sync(0xffffffffu, begin);
    if (lane_of_thread() == 0) {
        warps[warp] = __popc(lanes);
    }
    if (threadIdx.x == 0) {
        earlier = slot;
    }
    __syncthreads();
    slot = earlier + __popc(lanes & ((1u << lane_of_thread()) - 1));
    for (int w = 0; w < warp; w++) {
        slot += warps[w];
    }
    if (inside(i, n)) {
        batch.occurrences[i] = (int32_t)(uint32_t)keys[i];
    }
    if (begin) {
        int32_t node = (int32_t)(keys[i] >> 32);
        batch.rows[slot] = node;
        batch.offsets[slot] = i;
        batch.slots[node] = slot;
    }
    if (blockIdx.x == gridDim.x - 1 && threadIdx.x == PLACE_BLOCK - 1) {
        int32_t count = slot + (begin ? 1 : 0);
        *batch.count = count;
        batch.offsets[count] = n;
    }
}

/* *keys: where the sorted keys are in the end. */
static cfd_status sort_keys(cuda_ops *c, const ops_batch *batch, uint64_t **keys, uint64_t *other)
{
    int64_t n = 3 * (int64_t)batch->size;
    if (n > 0) {
        LAUNCH(c, sort_tiles_kernel, cuda_blocks(n, TILE_KEYS), TILE_BLOCK, 0, *batch, *keys);
    }
    for (int64_t run = TILE_KEYS; run < n; run *= MERGE_RUNS) {
        LAUNCH(c, merge_runs_kernel, cuda_blocks(n, MERGE_BLOCK), MERGE_BLOCK, 0, *keys, other, n, run);
        uint64_t *merged = other;
        other = *keys;
        *keys = merged;
    }
    return CFD_OK;
}

cfd_status cuda_batch_index(ops *o, ops_batch *batch)
{
    device_scope here(o);
    cuda_ops *c = cuda_of(o);
    int64_t n = 3 * (int64_t)batch->size;
    size_t most = 3 * (size_t)batch->capacity;
    uint64_t *keys;
    size_t bytes = 2 * most * sizeof *keys + cuda_blocks((int64_t)most, PLACE_BLOCK) * sizeof(int32_t);
    TRY(cuda_scratch_get(c, SCRATCH_SORT, bytes, &keys));
    int32_t *begins = (int32_t *)(void *)(keys + 2 * most);
    TRY(cuda_check(c, cudaMemsetAsync(batch->slots, 0xff, (size_t)batch->nodes * sizeof *batch->slots, c->stream),
                   "clearing the slots of a batch"));
    TRY(sort_keys(c, batch, &keys, keys + most));
    LAUNCH(c, count_rows_kernel, cuda_blocks(n, PLACE_BLOCK), PLACE_BLOCK, 0, keys, (int32_t)n, begins);
    LAUNCH(c, place_rows_kernel, cuda_blocks(n, PLACE_BLOCK), PLACE_BLOCK, 0, keys, begins, *batch);
    return CFD_OK;
}
