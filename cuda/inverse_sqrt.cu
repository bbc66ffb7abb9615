/* SPDX-License-Identifier: Apache-2.0 */
/* The inverse square roots of whitening (SPEC 4.3), of all heads at once: eigenvectors by cuSOLVER's batched Jacobi method
 * in double, which small matrices are worth. Nothing is waited for: what is wrong with the data is noted on the device. */
#include "backend.h"

#include "device.cuh"

#include <math.h>

enum { ROOT_BLOCK = 256 };

/* Symmetric in double; a head with an entry that is not finite is noted, and the solver gets a zero in its place. */
__global__ void widen_kernel(const float *c, double *wide, int32_t d, int64_t n, cuda_troubles *troubles)
{
    int64_t e = (int64_t)blockIdx.x * ROOT_BLOCK + threadIdx.x;
    if (inside(e, n)) {
        int64_t square = (int64_t)d * d;
        int64_t head = e / square;
        int64_t row = e % square / d;
        int64_t column = e % d;
        double value = 0.5 * ((double)c[e] + c[head * square + column * d + row]);
        if (!isfinite(value)) {
            atomicMax(&troubles->not_finite, 1 + (int32_t)head);
            value = 0;
        }
        wide[e] = value;
    }
}

/* roots[i] = sqrt(max(s_i, 0) + epsilon), in both types; a head that did not converge is noted. */
__global__ void roots_kernel(double *eigenvalues, float *roots, int32_t d, int32_t n, double epsilon, const int *info,
                             cuda_troubles *troubles)
{
    int32_t i = (int32_t)(blockIdx.x * ROOT_BLOCK + threadIdx.x);
    if (inside(i, n)) {
        double s = eigenvalues[i];
        double root = sqrt((s > 0 ? s : 0) + epsilon);
        eigenvalues[i] = root;
        roots[i] = (float)root;
        if (info[i / d] != 0) {
            atomicMax(&troubles->not_converged, 1 + i / d);
        }
    }
}

/* Entry (i, j) of q and z. The k-th eigenvector is the k-th run of d numbers. */
__global__ void whiten_kernel(const double *vectors, const double *roots, int32_t d, int64_t n, float *q, float *z)
{
    int64_t e = (int64_t)blockIdx.x * ROOT_BLOCK + threadIdx.x;
    if (inside(e, n)) {
        int64_t square = (int64_t)d * d;
        int64_t head = e / square;
        int64_t i = e % square / d;
        int64_t j = e % d;
        const double *v = vectors + head * square;
        const double *r = roots + head * d;
        double sum = 0;
        for (int64_t k = 0; k < d; k++) {
            sum += v[k * d + i] * v[k * d + j] / r[k];
        }
        z[e] = (float)sum;
        q[e] = (float)v[j * d + i];
    }
}

/* The parts of SCRATCH_EIGEN. */
typedef struct eigen_room {
    double *matrices, *values, *work;
    int *info;
    int lwork;
} eigen_room;

static cfd_status take_room(cuda_ops *c, int32_t d, int32_t heads, eigen_room *room)
{
    size_t entries = (size_t)heads * (size_t)d * (size_t)d;
    size_t values = (size_t)heads * (size_t)d;
    TRY(cuda_check_solver(c,
                          cusolverDnDsyevjBatched_bufferSize(c->solver, CUSOLVER_EIG_MODE_VECTOR, CUBLAS_FILL_MODE_LOWER, d,
                                                             nullptr, d, nullptr, &room->lwork, c->jacobi, heads),
                          "eigenvalues"));
    size_t doubles = entries + values + (size_t)room->lwork;
    TRY(cuda_scratch_get(c, SCRATCH_EIGEN, doubles * sizeof(double) + (size_t)heads * sizeof(int), &room->matrices));
    room->values = room->matrices + entries;
    room->work = room->values + values;
    room->info = (int *)(void *)(room->work + room->lwork);
    return CFD_OK;
}

cfd_status cuda_inverse_sqrt(ops *o, const float *c, int32_t d, int32_t heads, double epsilon, float *q, float *roots,
                             float *z)
{
    device_scope here(o);
    cuda_ops *cuda = cuda_of(o);
    eigen_room room;
    TRY(take_room(cuda, d, heads, &room));
    int64_t n = (int64_t)heads * d * d;
    unsigned blocks = cuda_blocks(n, ROOT_BLOCK);
    LAUNCH(cuda, widen_kernel, blocks, ROOT_BLOCK, 0, c, room.matrices, d, n, cuda->troubles);
    TRY(cuda_check_solver(cuda,
                          cusolverDnDsyevjBatched(cuda->solver, CUSOLVER_EIG_MODE_VECTOR, CUBLAS_FILL_MODE_LOWER, d,
                                                  room.matrices, d, room.values, room.work, room.lwork, room.info,
                                                  cuda->jacobi, heads),
                          "eigenvalues"));
    LAUNCH(cuda, roots_kernel, cuda_blocks((int64_t)heads * d, ROOT_BLOCK), ROOT_BLOCK, 0, room.values, roots, d, heads * d,
           epsilon, room.info, cuda->troubles);
    LAUNCH(cuda, whiten_kernel, blocks, ROOT_BLOCK, 0, room.matrices, room.values, d, n, q, z);
    return CFD_OK;
}
