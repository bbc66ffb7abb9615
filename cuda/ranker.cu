/* SPDX-License-Identifier: Apache-2.0 */
/* Rankers: query and key rows in device memory. Any number of threads ask at once: each call has a lane, a stream with the
 * handle and the memory that it needs, made where none is free. */
#include "ranker.h"

#include "device_memory.h"

#include <string.h>

/* ---- lanes ---- */

static void lane_destroy(const cuda_ops *c, lane *own)
{
    if (own->stream) {
        cudaStreamSynchronize(own->stream);
    }
    if (own->blas) {
        cublasDestroy(own->blas);
    }
    if (own->pinned) {
        cudaFreeHost(own->pinned);
    }
    cudaFree(own->device);
    cudaFree(own->workspace);
    if (own->stream) {
        cudaStreamDestroy(own->stream);
    }
    c->host->release(c->base.memory, own);
}

static cfd_status lane_open(const cuda_ops *c, lane *own)
{
    TRY(cuda_check(c, cudaStreamCreateWithFlags(&own->stream, cudaStreamNonBlocking), "a stream"));
    TRY(cuda_check_blas(c, cublasCreate(&own->blas), "a handle"));
    TRY(cuda_check_blas(c, cublasSetStream(own->blas, own->stream), "a handle"));
    TRY(cuda_allocate_bytes(c, CUDA_BLAS_WORKSPACE, "the workspace of cuBLAS", &own->workspace));
    return cuda_check_blas(c, cublasSetWorkspace(own->blas, own->workspace, CUDA_BLAS_WORKSPACE), "a workspace");
}

cfd_status lane_take(const cuda_ops *c, ops_ranker *ranker, lane **out)
{
    pthread_mutex_lock(&ranker->lock);
    lane *own = ranker->free;
    ranker->free = own ? own->next : nullptr;
    pthread_mutex_unlock(&ranker->lock);
    if (!own) {
        TRY(c->host->allocate(c->base.memory, 1, sizeof *own, "a lane of a scorer", &own));
        memset((void *)own, 0, sizeof *own);
        cfd_status status = lane_open(c, own);
        if (status != CFD_OK) {
            lane_destroy(c, own);
            return status;
        }
    }
    *out = own;
    return CFD_OK;
}

/* After a failure something may still be on its way that uses the lane's memory. */
void lane_give_back(ops_ranker *ranker, lane *own, cfd_status status)
{
    if (status != CFD_OK) {
        cudaStreamSynchronize(own->stream);
    }
    pthread_mutex_lock(&ranker->lock);
    own->next = ranker->free;
    ranker->free = own;
    pthread_mutex_unlock(&ranker->lock);
}

/* What was there goes first: there may be no memory for both. */
cfd_status lane_room(const cuda_ops *c, lane *own, size_t device_bytes, size_t pinned_bytes)
{
    if (device_bytes > own->device_bytes) {
        cudaFree(own->device);
        own->device = nullptr;
        own->device_bytes = 0;
        TRY(cuda_allocate_bytes(c, device_bytes, "scores", &own->device));
        own->device_bytes = device_bytes;
    }
    if (pinned_bytes > own->pinned_bytes) {
        if (own->pinned) {
            cudaFreeHost(own->pinned);
        }
        own->pinned = nullptr;
        own->pinned_bytes = 0;
        TRY(cuda_check(c, cudaHostAlloc(&own->pinned, pinned_bytes, cudaHostAllocDefault), "pinned memory for scores"));
        own->pinned_bytes = pinned_bytes;
    }
    return CFD_OK;
}

/* ---- making and ending ---- */

void cuda_ranker_destroy(ops *o, ops_ranker *ranker)
{
    if (!ranker) {
        return;
    }
    device_scope here(o);
    const cuda_ops *c = cuda_of(o);
    while (ranker->free) {
        lane *own = ranker->free;
        ranker->free = own->next;
        lane_destroy(c, own);
    }
    cudaFree(ranker->queries);
    cudaFree(ranker->keys);
    pthread_mutex_destroy(&ranker->lock);
    c->host->release(c->base.memory, ranker);
}

static cfd_status copy_matrices(const cuda_ops *c, ops_ranker *ranker, const float *queries, const float *keys)
{
    size_t query_bytes = (size_t)ranker->users * (size_t)ranker->width * sizeof *queries;
    size_t key_bytes = (size_t)ranker->items * (size_t)ranker->width * sizeof *keys;
    TRY(cuda_allocate_bytes(c, query_bytes, "the query rows", &ranker->queries));
    TRY(cuda_allocate_bytes(c, key_bytes, "the key rows", &ranker->keys));
    lane *own;
    TRY(lane_take(c, ranker, &own)); /* which the first call finds ready */
    cfd_status status = cuda_check(
        c, cudaMemcpyAsync(ranker->queries, queries, query_bytes, cudaMemcpyHostToDevice, own->stream), "the query rows");
    if (status == CFD_OK) {
        status = cuda_check(c, cudaMemcpyAsync(ranker->keys, keys, key_bytes, cudaMemcpyHostToDevice, own->stream),
                            "the key rows");
    }
    if (status == CFD_OK) {
        status = cuda_check(c, cudaStreamSynchronize(own->stream), "the query and key rows");
    }
    lane_give_back(ranker, own, status);
    return status;
}

cfd_status cuda_ranker_create(ops *o, const float *queries, int32_t users, const float *keys, int32_t items, int32_t width,
                              ops_ranker **out)
{
    device_scope here(o);
    const cuda_ops *c = cuda_of(o);
    ops_ranker *made;
    TRY(c->host->allocate(c->base.memory, 1, sizeof *made, "a ranker", &made));
    memset((void *)made, 0, sizeof *made);
    made->users = users;
    made->items = items;
    made->width = width;
    if (pthread_mutex_init(&made->lock, nullptr) != 0) {
        c->host->release(c->base.memory, made);
        return cuda_fail(c, CFD_ERROR_SYSTEM, "%s: no lock for a ranker", c->name);
    }
    cfd_status status = copy_matrices(c, made, queries, keys);
    if (status != CFD_OK) {
        cuda_ranker_destroy(o, made);
        return status;
    }
    *out = made;
    return CFD_OK;
}
