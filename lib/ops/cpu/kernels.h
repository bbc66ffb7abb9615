/* SPDX-License-Identifier: Apache-2.0 */
/* The inner loops of the cpu backend. kernels.c is compiled once per instruction set; each compilation gives one table of
 * this form, and an instance uses one of them for everything.
 *
 * Sums run in an order that the operands' lengths alone fix. Within one table the same operands give the same bits. */
#ifndef CFD_OPS_CPU_KERNELS_H
#define CFD_OPS_CPU_KERNELS_H

#include <stddef.h>
#include <stdint.h>

/* A sum of rows for each row of the output: y[k] = sum over entries p of row k of values[p] * x[indices[p]]. */
typedef struct gather_job {
    const int32_t *indices;
    const float *values;
    const int32_t *slots; /* NULL, or where row j of x stands: x[slots[j]], and zero where that is negative */
    const float *x;
    int64_t ldx;
    int32_t columns;
    int stream;      /* y goes past the caches: it is aligned to 64 bytes, and larger than they are */
    int64_t entries; /* not 0: x lies beyond a processor's own caches; rows of entries to come, up to this one, are fetched
                        ahead into the second of them: the first waits for too few lines at a time */
} gather_job;

/* Sums of squares and products, in double: exact enough for rows of any finite length. */
typedef struct pair_sums {
    double xx, yy, xy;
} pair_sums;

/* Adam in float; rate is the step's, bias correction included. */
typedef struct adam_factors {
    float rate, beta1, beta2, rest1, rest2, epsilon; /* rest = 1 - beta */
} adam_factors;

typedef struct cpu_kernels {
    const char *name; /* "baseline", "avx2", "avx512" */

    /* y[0 .. columns) = the sum over the entries [begin, end). */
    void (*gather)(const gather_job *job, int64_t begin, int64_t end, float *y);
    /* After the last gather of a block that streams: other threads see what was written. */
    void (*settle)(void);
    /* y = scale * x */
    void (*scale)(const float *x, float scale, float *y, size_t n);
    /* u . (x - y) */
    float (*dot_difference)(const float *u, const float *x, const float *y, int32_t n);
    pair_sums (*pair)(const float *x, const float *y, int32_t n);
    /* g += a * x + b * y, in double. */
    void (*add_pair)(float *g, double a, const float *x, double b, const float *y, int32_t n);
    /* g += a * x; returns x . x */
    double (*add_scaled)(float *g, float a, const float *x, int32_t n);
    void (*adam)(const adam_factors *factors, float *parameter, const float *gradient, float *moment1, float *moment2,
                 size_t n);
    /* Every x as the nearest bfloat16, ties to even; in `low`, unless NULL, what that left of it, rounded likewise. */
    void (*split)(const float *x, uint16_t *high, uint16_t *low, size_t n);
    /* Of binary16 and of bfloat16, exact; x is finite. */
    void (*widen_half)(const uint16_t *x, float *y, size_t n);
    void (*widen_bfloat16)(const uint16_t *x, float *y, size_t n);
    /* out[i] = scale * the sum over parts k of from[k * stride + i], in double. */
    void (*sum_parts)(const float *from, size_t stride, size_t parts, double scale, float *out, size_t n);
    /* Row-major c (m x n) = a (m x k) b (k x n), in double, all contiguous. */
    void (*multiply)(const double *a, const double *b, double *c, int32_t m, int32_t n, int32_t k);
    /* scores (ld) = Q K^T. Each score is summed along `width` in one order, whatever stands beside it. */
    void (*scores)(const float *queries, int64_t n_queries, const float *keys, int64_t n_keys, int32_t width, float *scores,
                   int64_t ld);
    /* scores[i] = row . rows[ids[i]], with the bits of `scores`. */
    void (*pair_scores)(const float *row, const float *rows, const int32_t *ids, int64_t n, int32_t width, float *scores);
} cpu_kernels;

/* kernels_scores.c, a part of each table. */
#define CPU_SCORES_OF_SET(set)                                                                                       \
    void cpu_scores_##set(const float *queries, int64_t n_queries, const float *keys, int64_t n_keys, int32_t width, \
                          float *scores, int64_t ld);                                                                \
    void cpu_pair_scores_##set(const float *row, const float *rows, const int32_t *ids, int64_t n, int32_t width,    \
                               float *scores);
CPU_SCORES_OF_SET(baseline)
CPU_SCORES_OF_SET(avx2)
CPU_SCORES_OF_SET(avx512)

extern const cpu_kernels cpu_kernels_baseline;
#ifdef CFD_KERNELS_X86
extern const cpu_kernels cpu_kernels_avx2;
extern const cpu_kernels cpu_kernels_avx512;
#endif

/* The best set that this processor has. */
const cpu_kernels *cpu_kernels_choose(void);
/* A set by name; NULL where it does not exist or the processor lacks it. */
const cpu_kernels *cpu_kernels_find(const char *name);

#endif
