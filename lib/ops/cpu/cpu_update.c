/* SPDX-License-Identifier: Apache-2.0 */
/* Adam (SPEC 6) over all tensors in one pass, and scores of blocks and of pairs (SPEC 4). */
#include "ops/cpu/cpu.h"

#include <math.h>

enum { ADAM_ELEMENTS = 16384 };

typedef struct adam_job {
    const cpu_kernels *kernels;
    const ops_adam_tensor *tensors;
    adam_factors factors;
} adam_job;

static void adam_block(void *argument, size_t block)
{
    const adam_job *job = argument;
    const ops_adam_tensor *tensor = job->tensors;
    size_t blocks = blocks_of(tensor->size, ADAM_ELEMENTS);
    while (block >= blocks) {
        block -= blocks;
        tensor++;
        blocks = blocks_of(tensor->size, ADAM_ELEMENTS);
    }
    size_t begin = block * ADAM_ELEMENTS;
    size_t count = tensor->size - begin < ADAM_ELEMENTS ? tensor->size - begin : ADAM_ELEMENTS;
    job->kernels->adam(&job->factors, tensor->parameter + begin, tensor->gradient + begin, tensor->moment1 + begin,
                       tensor->moment2 + begin, count);
}

cfd_status cpu_adam(ops *o, const ops_adam_tensor *tensors, int32_t n, const ops_adam_settings *settings)
{
    double step = (double)settings->step;
    double rate = settings->learning_rate * sqrt(1 - pow(settings->beta2, step)) / (1 - pow(settings->beta1, step));
    adam_job job = {cpu_of(o)->kernels,
                    tensors,
                    {(float)rate, (float)settings->beta1, (float)settings->beta2, (float)(1 - settings->beta1),
                     (float)(1 - settings->beta2), (float)settings->epsilon}};
    size_t blocks = 0;
    for (int32_t t = 0; t < n; t++) {
        blocks += blocks_of(tensors[t].size, ADAM_ELEMENTS);
    }
    threads_run(o->pool, blocks, adam_block, &job);
    return CFD_OK;
}

cfd_status cpu_score_block(const ops *o, const float *queries, int64_t n_queries, const float *keys, int64_t n_keys,
                           int32_t width, float *scores, int64_t ld)
{
    ((const cpu_ops *)o)->kernels->scores(queries, n_queries, keys, n_keys, width, scores, ld);
    return CFD_OK;
}

cfd_status cpu_score_pairs(const ops *o, const float *row, const float *rows, const int32_t *ids, int64_t n, int32_t width,
                           float *scores)
{
    ((const cpu_ops *)o)->kernels->pair_scores(row, rows, ids, n, width, scores);
    return CFD_OK;
}
