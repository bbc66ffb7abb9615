/* SPDX-License-Identifier: Apache-2.0 */
/* The few spellings in which a build by nvcc and one for the simulated device (tests/cudasim) differ. Everything else in
 * this folder is compiled unchanged both ways. */
#ifndef CFD_CUDA_PORT_H
#define CFD_CUDA_PORT_H

#include <cuda_runtime.h>

template <class T> using port_type = T; /* lets a macro take "float[32][33]" as one argument */

#ifdef __CUDACC__

/* kernel<<<grid, block, shared bytes, stream>>>(arguments...) */
#define PORT_LAUNCH(kernel, grid, block, shared, stream, ...) kernel<<<(grid), (block), (shared), (stream)>>>(__VA_ARGS__)

/* A variable in the block's shared memory, of a size that is fixed at compile time: SHARED(tile, float[32][33]); */
#define SHARED(name, ...) __shared__ port_type<__VA_ARGS__> name

/* The block's shared memory of the size given at launch, aligned to 16 bytes; one for each kernel. */
#define DYNAMIC_SHARED(type, name)                               \
    extern __shared__ __align__(16) unsigned char port_shared[]; \
    type *name = reinterpret_cast<type *>(port_shared)

#else
#include "cudasim_device.h" /* defines the three, and what nvcc has built in */
#define __grid_constant__   /* a parameter that is read where it is */
#endif

#endif
