/* SPDX-License-Identifier: Apache-2.0 */
/* Bare products over gemm.h: the rows of C in as many strips as there are threads, each a product of its own on a thread of
 * its own. */
#include "ops/cpu/gemm.h"
#include "ops/cpu/gemm_bare.h"

#include <pthread.h>

enum { MOST_STRIPS = 64 };

typedef struct strip {
    bool transpose_a, transpose_b;
    int64_t m, n, k, lda, ldb;
    const float *a, *b;
    float *c;
    cfd_status status;
} strip;

static void *multiply_strip(void *argument)
{
    strip *s = argument;
    s->status = gemm(s->transpose_a, s->transpose_b, s->m, s->n, s->k, 1.0f, s->a, s->lda, s->b, s->ldb, 0.0f, s->c, s->n);
    return NULL;
}

cfd_status gemm_bare(enum gemm_type type, bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k,
                     const void *a, const void *b, float *c, int32_t threads)
{
    if (type != GEMM_FLOAT32) {
        return CFD_ERROR_DEVICE;
    }
    strip strips[MOST_STRIPS];
    pthread_t workers[MOST_STRIPS];
    int32_t count = threads < MOST_STRIPS ? threads : MOST_STRIPS;
    int32_t started = 1;
    for (int32_t i = 0; i < count; i++) {
        int64_t begin = m * i / count;
        strips[i] = (strip){transpose_a, transpose_b, m * (i + 1) / count - begin, n, k, transpose_a ? m : k,
                            transpose_b ? k : n, (const float *)a + begin * (transpose_a ? 1 : k), b, c + begin * n, CFD_OK};
    }
    while (started < count && pthread_create(&workers[started], NULL, multiply_strip, &strips[started]) == 0) {
        started++;
    }
    multiply_strip(&strips[0]);
    cfd_status status = strips[0].status;
    for (int32_t i = 1; i < count; i++) {
        if (i < started) {
            pthread_join(workers[i], NULL);
        } else {
            multiply_strip(&strips[i]);
        }
        status = status == CFD_OK ? strips[i].status : status;
    }
    return status;
}
