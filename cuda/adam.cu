/* SPDX-License-Identifier: Apache-2.0 */
/* Adam in the form of SPEC 6, all tensors in one launch: a stream through memory, 28 bytes for each number. The number of
 * the update is read from the instance's clock, so that a recorded update can be run as another one. */
#include "backend.h"

#include "device.cuh"

#include <math.h>

enum {
    ADAM_TENSORS = CFD_MAX_MODALITIES + 2,
    ADAM_BLOCK = 256,
    ADAM_NUMBERS = 16 * ADAM_BLOCK /* of one tensor, that a block takes */
};

typedef struct adam_tensors {
    ops_adam_tensor of[ADAM_TENSORS];
    bool aligned[ADAM_TENSORS]; /* all four pointers, to 16 bytes */
    int64_t blocks[ADAM_TENSORS];
} adam_tensors;

typedef struct adam_factors {
    double learning_rate, log_beta1, log_beta2;
    float beta1, beta2, rest1, rest2; /* rest: 1 - beta */
    float epsilon;
} adam_factors;

/* The operations of the CPU's, in their order. */
__device__ __forceinline__ void adam_number(const adam_factors &f, float rate, float &p, float g, float &m, float &v)
{
    m = f.beta1 * m + f.rest1 * g;
    v = f.beta2 * v + f.rest2 * (g * g);
    p -= rate * m / (sqrtf(v) + f.epsilon);
}

/* The numbers [begin, begin + 4 * n) of a tensor, four at a time. */
__device__ __forceinline__ void adam_vectors(const adam_factors &f, float rate, const ops_adam_tensor &tensor, int64_t begin,
                                             int32_t n)
{
    float4 *parameter = reinterpret_cast<float4 *>(tensor.parameter + begin);
    const float4 *gradient = reinterpret_cast<const float4 *>(tensor.gradient + begin);
    float4 *moment1 = reinterpret_cast<float4 *>(tensor.moment1 + begin);
    float4 *moment2 = reinterpret_cast<float4 *>(tensor.moment2 + begin);
    for (int32_t i = (int32_t)threadIdx.x; inside(i, n); i += ADAM_BLOCK) {
        float4 p = parameter[i];
        float4 g = gradient[i];
        float4 m = moment1[i];
        float4 v = moment2[i];
        adam_number(f, rate, p.x, g.x, m.x, v.x);
        adam_number(f, rate, p.y, g.y, m.y, v.y);
        adam_number(f, rate, p.z, g.z, m.z, v.z);
        adam_number(f, rate, p.w, g.w, m.w, v.w);
        parameter[i] = p;
        moment1[i] = m;
        moment2[i] = v;
    }
}

/* learning_rate * sqrt(1 - beta2^t) / (1 - beta1^t). */
__device__ __forceinline__ float rate_of_step(const adam_factors &f, int64_t step)
{
    double left1 = -expm1((double)step * f.log_beta1);
    double left2 = -expm1((double)step * f.log_beta2);
    return (float)(f.learning_rate * sqrt(left2) / left1);
}

__global__ void adam_kernel(adam_tensors tensors, adam_factors factors, const cuda_clock *clock)
{
    SHARED(shared_rate, float);
    if (threadIdx.x == 0) {
        shared_rate = rate_of_step(factors, clock->update);
    }
    __syncthreads();
    float rate = shared_rate;
    int64_t block = blockIdx.x;
    int t = 0;
    for (; !inside(block, tensors.blocks[t]); t++) {
        block -= tensors.blocks[t];
    }
    const ops_adam_tensor &tensor = tensors.of[t];
    int64_t begin = block * ADAM_NUMBERS;
    int64_t left = (int64_t)tensor.size - begin;
    int32_t n = left < ADAM_NUMBERS ? (int32_t)left : (int32_t)ADAM_NUMBERS;
    int32_t vectors = tensors.aligned[t] ? n / 4 : 0;
    adam_vectors(factors, rate, tensor, begin, vectors);
    for (int32_t i = 4 * vectors + (int32_t)threadIdx.x; inside(i, n); i += ADAM_BLOCK) {
        int64_t at = begin + i;
        adam_number(factors, rate, tensor.parameter[at], tensor.gradient[at], tensor.moment1[at], tensor.moment2[at]);
    }
}

static bool aligned(const ops_adam_tensor *tensor)
{
    uintptr_t any = (uintptr_t)tensor->parameter | (uintptr_t)tensor->gradient | (uintptr_t)tensor->moment1 |
                    (uintptr_t)tensor->moment2;
    return any % sizeof(float4) == 0;
}

cfd_status cuda_adam(ops *o, const ops_adam_tensor *tensors, int32_t n, const ops_adam_settings *settings)
{
    device_scope here(o);
    cuda_ops *c = cuda_of(o);
    if (n > ADAM_TENSORS) {
        return cuda_fail(c, CFD_ERROR_ARGUMENT, "%d tensors to update, of at most %d", (int)n, (int)ADAM_TENSORS);
    }
    ops_moment at = {-1, -1, -1, settings->step};
    TRY(cuda_set_clock(c, &at));
    adam_tensors all = {};
    int64_t blocks = 0;
    for (int32_t t = 0; t < n; t++) {
        all.of[t] = tensors[t];
        all.aligned[t] = aligned(&tensors[t]);
        all.blocks[t] = ((int64_t)tensors[t].size + ADAM_NUMBERS - 1) / ADAM_NUMBERS;
        blocks += all.blocks[t];
    }
    adam_factors factors = {settings->learning_rate,      log(settings->beta1),    log(settings->beta2),
                            (float)settings->beta1,       (float)settings->beta2,  (float)(1 - settings->beta1),
                            (float)(1 - settings->beta2), (float)settings->epsilon};
    if (blocks > 0) {
        LAUNCH(c, adam_kernel, (unsigned)blocks, ADAM_BLOCK, 0, all, factors, c->clock);
    }
    return CFD_OK;
}
