/* SPDX-License-Identifier: Apache-2.0 */
/* Kernels with a planted fault each; without it (planted = false) they are right. */
#ifndef CUDASIM_PLANTED_H
#define CUDASIM_PLANTED_H

#include <cuda_runtime.h>

/* Blocks of 64 threads. x and y: of 64 elements for each block. */
void plant_out_of_bounds(int blocks, const float *x, float *y, bool planted, cudaStream_t stream);
void plant_missing_barrier(int blocks, const int *x, int *y, bool planted,
                           cudaStream_t stream); /* y: x of a block reversed */
void plant_divergent_barrier(int blocks, int *y, bool planted, cudaStream_t stream);
void plant_exit_before_barrier(int blocks, int *y, bool planted, cudaStream_t stream);
void plant_divergent_shuffle(int blocks, const int *x, int *y, bool planted, cudaStream_t stream); /* y: sums of warps */
void plant_wrong_mask(int blocks, const int *x, int *y, bool planted, cudaStream_t stream);
void plant_meeting(int blocks, const int *x, int *y, bool planted, cudaStream_t stream);
void plant_wait_for_warp(int blocks, int *y, bool planted, cudaStream_t stream);
void plant_circle(int blocks, int *y, bool planted, cudaStream_t stream);
void plant_shared_race(int blocks, int *y, bool planted, cudaStream_t stream);
void plant_warp_race(int blocks, const int *x, int *y, bool planted, cudaStream_t stream);
void plant_shared_unwritten(int blocks, int *y, bool planted, cudaStream_t stream);
void plant_shared_bounds(int blocks, int *y, bool planted, cudaStream_t stream);
void plant_block_race(int blocks, int *y, bool planted, cudaStream_t stream); /* y[0]: the number of threads */
void plant_thread_race(int blocks, int *y, bool planted, cudaStream_t stream);
void plant_misaligned(int blocks, const float *x, float *y, bool planted, cudaStream_t stream);
void plant_constant(int blocks, const int *host, int *y, bool planted, cudaStream_t stream);
void plant_short_race(int blocks, unsigned short *y, bool planted, cudaStream_t stream);

/* Right in themselves. */
void copy_elements(int n, const int *x, int *y, cudaStream_t stream);
void add_elements(int n, int *y, int by, cudaStream_t stream);
void read_elements(int n, const int *x, cudaStream_t stream); /* and does nothing with them */
void launch_with(dim3 grid, dim3 block, size_t shared, cudaStream_t stream);
void use_static_shared(int *y, bool too_much, cudaStream_t stream);
void use_dynamic_shared(int *y, size_t bytes, cudaStream_t stream);
const void *dynamic_shared_function();
void indices(dim3 grid, dim3 block, int *y, cudaStream_t stream); /* y[linear index of the thread] += 1 + that index */
void builtins(int *y, cudaStream_t stream);                       /* y[i] = 1 for each of 16 that is right */

#endif
