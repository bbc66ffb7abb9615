/* SPDX-License-Identifier: Apache-2.0 */
/* Rankers and their lanes: query and key rows in device memory, and what each of the calls that go on at once has to itself
 * (ranker.cu). Scores and lists are made in ranker_blocks.cu. */
#ifndef CFD_CUDA_RANKER_H
#define CFD_CUDA_RANKER_H

#include "backend.h"

#include <pthread.h>

typedef struct lane {
    struct lane *next; /* that is free */
    cudaStream_t stream;
    cublasHandle_t blas;
    void *workspace;
    unsigned char *device, *pinned; /* grow */
    size_t device_bytes, pinned_bytes;
} lane;

struct ops_ranker {
    int32_t users, items, width;
    float *queries, *keys; /* device memory */
    pthread_mutex_t lock;  /* of `free` */
    lane *free;
};

/* A lane for the caller alone, until it gives it back. */
cfd_status lane_take(const cuda_ops *c, ops_ranker *ranker, lane **out);
/* status: how the call ended. */
void lane_give_back(ops_ranker *ranker, lane *own, cfd_status status);
/* At least so much memory of both kinds, of any content; nothing of the lane's may be under way. */
cfd_status lane_room(const cuda_ops *c, lane *own, size_t device_bytes, size_t pinned_bytes);

#endif
