/* SPDX-License-Identifier: Apache-2.0 */
/* Kernels with a planted fault each, for the tests of the simulated device. */
#include "planted.h"

#include "port.h"

enum { THREADS = 64 };
static const unsigned ALL = 0xffffffffu;

__global__ void out_of_bounds_kernel(const float *x, float *y, int n, bool planted)
{
    int i = (int)(blockIdx.x * blockDim.x + threadIdx.x);
    if (i < n) {
        y[planted && i == n - 1 ? n : i] = x[i];
    }
}

void plant_out_of_bounds(int blocks, const float *x, float *y, bool planted, cudaStream_t stream)
{
    PORT_LAUNCH(out_of_bounds_kernel, blocks, THREADS, 0, stream, x, y, blocks * THREADS, planted);
}

__global__ void missing_barrier_kernel(const int *x, int *y, bool planted)
{
    SHARED(kept, int[THREADS]);
    unsigned t = threadIdx.x, first = blockIdx.x * THREADS;
    kept[t] = x[first + t];
    if (!planted) {
        __syncthreads();
    }
    y[first + t] = kept[THREADS - 1 - t];
}

void plant_missing_barrier(int blocks, const int *x, int *y, bool planted, cudaStream_t stream)
{
    PORT_LAUNCH(missing_barrier_kernel, blocks, THREADS, 0, stream, x, y, planted);
}

__global__ void divergent_barrier_kernel(int *y, bool planted)
{
    if (planted && threadIdx.x == 40) {
        __syncthreads();
    } else {
        __syncthreads();
    }
    y[blockIdx.x * THREADS + threadIdx.x] = __syncthreads_count(threadIdx.x < 10);
}

void plant_divergent_barrier(int blocks, int *y, bool planted, cudaStream_t stream)
{
    PORT_LAUNCH(divergent_barrier_kernel, blocks, THREADS, 0, stream, y, planted);
}

__global__ void exit_before_barrier_kernel(int *y, bool planted)
{
    y[blockIdx.x * THREADS + threadIdx.x] = 1;
    if (planted && threadIdx.x == 3) {
        return;
    }
    __syncthreads();
}

void plant_exit_before_barrier(int blocks, int *y, bool planted, cudaStream_t stream)
{
    PORT_LAUNCH(exit_before_barrier_kernel, blocks, THREADS, 0, stream, y, planted);
}

__global__ void divergent_shuffle_kernel(const int *x, int *y, bool planted)
{
    unsigned i = blockIdx.x * THREADS + threadIdx.x;
    int sum = x[i];
    if (planted && threadIdx.x % 32 >= 16) {
        y[i] = sum;
        return;
    }
    for (int offset = 16; offset > 0; offset /= 2) {
        sum += __shfl_xor_sync(ALL, sum, offset);
    }
    y[i] = sum;
}

void plant_divergent_shuffle(int blocks, const int *x, int *y, bool planted, cudaStream_t stream)
{
    PORT_LAUNCH(divergent_shuffle_kernel, blocks, THREADS, 0, stream, x, y, planted);
}

/* The lower half of a warp takes from the upper. */
__global__ void wrong_mask_kernel(const int *x, int *y, bool planted)
{
    unsigned i = blockIdx.x * THREADS + threadIdx.x;
    int value = x[i];
    if (threadIdx.x % 32 < 16) {
        value = __shfl_sync(0xffffu, value, planted ? 20 : 5);
    }
    y[i] = value;
}

void plant_wrong_mask(int blocks, const int *x, int *y, bool planted, cudaStream_t stream)
{
    PORT_LAUNCH(wrong_mask_kernel, blocks, THREADS, 0, stream, x, y, planted);
}

/* Two operations that meet. */
__global__ void meeting_kernel(const int *x, int *y, bool planted)
{
    unsigned i = blockIdx.x * THREADS + threadIdx.x;
    int value = x[i];
    if (planted && threadIdx.x % 32 == 7) {
        value = __any_sync(ALL, value);
    } else {
        value = (int)__ballot_sync(ALL, value);
    }
    y[i] = value;
}

void plant_meeting(int blocks, const int *x, int *y, bool planted, cudaStream_t stream)
{
    PORT_LAUNCH(meeting_kernel, blocks, THREADS, 0, stream, x, y, planted);
}

/* A lane waits for its warp, which waits for the block. */
__global__ void wait_for_warp_kernel(int *y, bool planted)
{
    if (!planted || threadIdx.x == 0) {
        __syncwarp();
    }
    __syncthreads();
    y[blockIdx.x * THREADS + threadIdx.x] = 1;
}

void plant_wait_for_warp(int blocks, int *y, bool planted, cudaStream_t stream)
{
    PORT_LAUNCH(wait_for_warp_kernel, blocks, THREADS, 0, stream, y, planted);
}

/* Lane 0 waits for 1, 1 for 2, 2 for 0. */
__global__ void circle_kernel(int *y, bool planted)
{
    unsigned lane = threadIdx.x % 32;
    if (planted && lane < 3) {
        __syncwarp(1u << lane | 1u << (lane + 1) % 3);
    } else if (lane < 3) {
        __syncwarp(7u);
    }
    y[blockIdx.x * THREADS + threadIdx.x] = 1;
}

void plant_circle(int blocks, int *y, bool planted, cudaStream_t stream)
{
    PORT_LAUNCH(circle_kernel, blocks, THREADS, 0, stream, y, planted);
}

__global__ void shared_race_kernel(int *y, bool planted)
{
    SHARED(total, int);
    if (threadIdx.x == 0) {
        total = 0;
    }
    __syncthreads();
    if (planted) {
        total = total + 1;
    } else {
        atomicAdd(&total, 1);
    }
    __syncthreads();
    y[blockIdx.x * THREADS + threadIdx.x] = total;
}

void plant_shared_race(int blocks, int *y, bool planted, cudaStream_t stream)
{
    PORT_LAUNCH(shared_race_kernel, blocks, THREADS, 0, stream, y, planted);
}

/* Within a warp __syncwarp is enough, of half of its lanes too. */
__global__ void warp_race_kernel(const int *x, int *y, bool planted)
{
    SHARED(kept, int[THREADS]);
    unsigned t = threadIdx.x, i = blockIdx.x * THREADS + t, half = t & ~15u;
    kept[t] = x[i];
    if (!planted) {
        __syncwarp(0xffffu << (half & 16u));
    }
    int value = kept[half + (t + 1) % 16];
    __syncwarp();
    kept[t] = value;
    __syncwarp();
    y[i] = kept[t ^ 31u];
}

void plant_warp_race(int blocks, const int *x, int *y, bool planted, cudaStream_t stream)
{
    PORT_LAUNCH(warp_race_kernel, blocks, THREADS, 0, stream, x, y, planted);
}

__global__ void shared_unwritten_kernel(int *y, bool planted)
{
    DYNAMIC_SHARED(int, kept);
    if (!planted || threadIdx.x != 9) {
        kept[threadIdx.x] = 2;
    }
    y[blockIdx.x * THREADS + threadIdx.x] = kept[threadIdx.x] == 2;
}

void plant_shared_unwritten(int blocks, int *y, bool planted, cudaStream_t stream)
{
    PORT_LAUNCH(shared_unwritten_kernel, blocks, THREADS, THREADS * sizeof(int), stream, y, planted);
}

__global__ void shared_bounds_kernel(int *y, bool planted)
{
    SHARED(kept, int[THREADS]);
    SHARED(other, int[THREADS]);
    unsigned t = threadIdx.x;
    kept[planted ? t + 1 : t] = 3;
    other[t] = 4;
    y[blockIdx.x * THREADS + t] = kept[t] + other[t];
}

void plant_shared_bounds(int blocks, int *y, bool planted, cudaStream_t stream)
{
    PORT_LAUNCH(shared_bounds_kernel, blocks, THREADS, 0, stream, y, planted);
}

__global__ void block_race_kernel(int *y, bool planted)
{
    if (!planted) {
        atomicAdd(y, 1);
    } else if (threadIdx.x == 0) {
        *y = *y + (int)blockDim.x;
    }
}

void plant_block_race(int blocks, int *y, bool planted, cudaStream_t stream)
{
    PORT_LAUNCH(block_race_kernel, blocks, THREADS, 0, stream, y, planted);
}

/* Neighbours in global memory, with a barrier and without. */
__global__ void thread_race_kernel(int *y, bool planted)
{
    int *mine = y + blockIdx.x * THREADS;
    unsigned t = threadIdx.x;
    mine[t] = (int)t;
    if (!planted) {
        __syncthreads();
    }
    int value = mine[(t + 33) % THREADS];
    __syncthreads();
    mine[t] = value;
}

void plant_thread_race(int blocks, int *y, bool planted, cudaStream_t stream)
{
    PORT_LAUNCH(thread_race_kernel, blocks, THREADS, 0, stream, y, planted);
}

__global__ void misaligned_kernel(const float *x, float *y, bool planted)
{
    unsigned i = blockIdx.x * THREADS + threadIdx.x;
    if (i % 4 == 0 && i < THREADS - 4) {
        float4 four = *reinterpret_cast<const float4 *>(x + i + (planted ? 1 : 0));
        *reinterpret_cast<float4 *>(y + i) = four;
    }
}

void plant_misaligned(int blocks, const float *x, float *y, bool planted, cudaStream_t stream)
{
    PORT_LAUNCH(misaligned_kernel, blocks, THREADS, 0, stream, x, y, planted);
}

/* Constants of the program may be read, variables of the host not. */
__device__ static const int squares[8] = {0, 1, 4, 9, 16, 25, 36, 49};

__global__ void constant_kernel(const int *host, int *y, bool planted)
{
    unsigned t = threadIdx.x;
    y[blockIdx.x * THREADS + t] = planted ? host[t] : squares[t % 8];
}

void plant_constant(int blocks, const int *host, int *y, bool planted, cudaStream_t stream)
{
    PORT_LAUNCH(constant_kernel, blocks, THREADS, 0, stream, host, y, planted);
}

/* Halves of a word that two threads write are two places. */
__global__ void short_race_kernel(unsigned short *y, bool planted)
{
    unsigned i = blockIdx.x * THREADS + threadIdx.x;
    y[planted ? i / 2 : i] = 7;
}

void plant_short_race(int blocks, unsigned short *y, bool planted, cudaStream_t stream)
{
    PORT_LAUNCH(short_race_kernel, blocks, THREADS, 0, stream, y, planted);
}

/* ---- right in themselves ---- */

__global__ void copy_kernel(int n, const int *x, int *y)
{
    int i = (int)(blockIdx.x * blockDim.x + threadIdx.x);
    if (i < n) {
        y[i] = x[i];
    }
}

void copy_elements(int n, const int *x, int *y, cudaStream_t stream)
{
    PORT_LAUNCH(copy_kernel, (n + THREADS - 1) / THREADS, THREADS, 0, stream, n, x, y);
}

__global__ void add_kernel(int n, int *y, int by)
{
    int i = (int)(blockIdx.x * blockDim.x + threadIdx.x);
    if (i < n) {
        y[i] += by;
    }
}

void add_elements(int n, int *y, int by, cudaStream_t stream)
{
    PORT_LAUNCH(add_kernel, (n + THREADS - 1) / THREADS, THREADS, 0, stream, n, y, by);
}

__global__ void read_kernel(int n, const int *x)
{
    int i = (int)(blockIdx.x * blockDim.x + threadIdx.x);
    if (i < n) {
        volatile int value = x[i];
        (void)value;
    }
}

void read_elements(int n, const int *x, cudaStream_t stream)
{
    PORT_LAUNCH(read_kernel, (n + THREADS - 1) / THREADS, THREADS, 0, stream, n, x);
}

__global__ void nothing_kernel() {}

void launch_with(dim3 grid, dim3 block, size_t shared, cudaStream_t stream)
{
    PORT_LAUNCH(nothing_kernel, grid, block, shared, stream);
}

template <int BYTES> __global__ void static_shared_kernel(int *y)
{
    SHARED(first, unsigned char[BYTES / 2]);
    SHARED(second, unsigned char[BYTES / 2]);
    first[0] = 1;
    second[BYTES / 2 - 1] = 1;
    *y = first[0] + second[BYTES / 2 - 1];
}

void use_static_shared(int *y, bool too_much, cudaStream_t stream)
{
    if (too_much) {
        PORT_LAUNCH(static_shared_kernel<48 * 1024 + 16>, 1, 1, 0, stream, y);
    } else {
        PORT_LAUNCH(static_shared_kernel<48 * 1024>, 1, 1, 0, stream, y);
    }
}

__global__ void dynamic_shared_kernel(int *y, size_t bytes)
{
    DYNAMIC_SHARED(unsigned char, kept);
    kept[bytes - 1] = 5;
    *y = kept[bytes - 1];
}

void use_dynamic_shared(int *y, size_t bytes, cudaStream_t stream)
{
    PORT_LAUNCH(dynamic_shared_kernel, 1, 1, bytes, stream, y, bytes);
}

const void *dynamic_shared_function()
{
    return reinterpret_cast<const void *>(dynamic_shared_kernel);
}

__global__ void indices_kernel(int *y)
{
    unsigned block = blockIdx.x + gridDim.x * (blockIdx.y + gridDim.y * blockIdx.z);
    unsigned thread = threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
    unsigned i = block * blockDim.x * blockDim.y * blockDim.z + thread;
    y[i] += 1 + (int)i;
}

void indices(dim3 grid, dim3 block, int *y, cudaStream_t stream)
{
    PORT_LAUNCH(indices_kernel, grid, block, 0, stream, y);
}

__global__ void builtins_kernel(int *y)
{
    int lane = (int)threadIdx.x, odd = lane % 2;
    y[lane] = 0;
    bool is[16] = {
        __ballot_sync(ALL, odd) == 0xaaaaaaaau,
        __any_sync(ALL, lane == 9) == 1 && __any_sync(ALL, 0) == 0,
        __all_sync(ALL, lane < 32) == 1 && __all_sync(ALL, odd) == 0,
        __match_any_sync(ALL, odd) == (odd != 0 ? 0xaaaaaaaau : 0x55555555u),
        __reduce_add_sync(ALL, lane) == 496 && __reduce_max_sync(ALL, lane - 40) == -9,
        __reduce_min_sync(ALL, lane - 40) == -40 && __reduce_or_sync(ALL, 1u << lane) == ALL,
        __shfl_sync(ALL, lane, 3) == 3 && __shfl_sync(ALL, lane, 3, 8) == lane / 8 * 8 + 3,
        __shfl_up_sync(ALL, lane, 2) == (lane < 2 ? lane : lane - 2),
        __shfl_down_sync(ALL, lane, 2, 16) == (lane % 16 > 13 ? lane : lane + 2),
        __shfl_xor_sync(ALL, (double)lane, 5) == (double)(lane ^ 5),
        __syncthreads_and(lane < 32) == 1 && __syncthreads_or(lane == 40) == 0 && __syncthreads_count(odd) == 16,
        __popc(0xf0f0u) == 8 && __clz(1) == 31 && __clz(0) == 32 && __ffs(8) == 4 && __brev(1u) == 0x80000000u,
        __float_as_int(1.0f) == 0x3f800000 && __int_as_float(0x40000000) == 2.0f && __umulhi(0x80000000u, 6u) == 3u,
        rsqrtf(4.0f) == 0.5f && __fmaf_rn(2.0f, 3.0f, 1.0f) == 7.0f && max(-1, 2) == 2 && min(2.0f, 1.0f) == 1.0f,
        sizeof(float4) == 16 && alignof(float4) == 16 && sizeof(float3) == 12 && make_int2(3, 4).y == 4,
        warpSize == 32 && blockDim.y == 1 && gridDim.x == 1,
    };
    unsigned right = 0;
    for (int i = 0; i < 16; i++) {
        right |= (unsigned)__all_sync(ALL, is[i]) << i;
    }
    if (lane < 16) {
        y[lane] = (int)(right >> lane & 1u);
    }
}

void builtins(int *y, cudaStream_t stream)
{
    PORT_LAUNCH(builtins_kernel, 1, 32, 0, stream, y);
}
