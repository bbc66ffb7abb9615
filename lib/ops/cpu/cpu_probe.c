/* SPDX-License-Identifier: Apache-2.0 */
/* Probes: bare products and copies on operands of their own, timed one by one.
 *
 * A product C = A B can be asked of the library in four ways: as it stands or as C^T = B^T A^T, and with the smaller operand
 * stored either way round. The operands are random, so how one is stored is a matter of how it is read. All ways are timed
 * in turn, lest one of them have the quiet minute to itself, and the best is the answer. */
#define _POSIX_C_SOURCE 200809L /* clock_gettime */
#include "ops/cpu/cpu.h"

#include <string.h>
#include <time.h>

enum { PRODUCT_WAYS = 4, COPY_WAYS = 2, MOST_WAYS = 4, COPY_BLOCK = 1 << 20 };

typedef struct job {
    cpu_ops *cpu;
    const ops_probe *probe;
    /* a product: A is m x k, B k x n; bf16x3 has two parts of each side by side */
    int64_t m, n, k;
    bool transpose_a, transpose_b;
    unsigned char *a, *b, *c;
    size_t a_bytes; /* of one part of A */
    /* a copy, from a to c */
    size_t bytes, block;
} job;

/* One repetition, in one of the ways. */
typedef cfd_status (*probe_run)(job *j, int way);

/* ---- products ---- */

static cfd_status multiply(const job *j, enum gemm_type type, int way, int64_t n, const void *a)
{
    bool transpose_b = j->transpose_b != (way >= 2);
    int32_t threads = threads_count(j->cpu->base.pool);
    float *c = (float *)j->c;
    return way % 2 == 0 ? gemm_bare(type, j->transpose_a, transpose_b, j->m, n, j->k, a, j->b, c, threads)
                        : gemm_bare(type, !transpose_b, !j->transpose_a, n, j->m, j->k, j->b, a, c, threads);
}

static cfd_status run_product(job *j, int way)
{
    switch (j->probe->precision) {
    case OPS_PRECISION_FLOAT32: return multiply(j, GEMM_FLOAT32, way, j->n, j->a);
    case OPS_PRECISION_BF16: return multiply(j, GEMM_BFLOAT16, way, j->n, j->a);
    default: break;
    }
    cfd_status status = multiply(j, GEMM_BFLOAT16, way, 2 * j->n, j->a);                         /* high [high | low] */
    return status == CFD_OK ? multiply(j, GEMM_BFLOAT16, way, j->n, j->a + j->a_bytes) : status; /* low high */
}

/* Numbers in [-1/2, 1/2), in float32 or the upper halves of such. */
static void fill(unsigned char *bytes, size_t n, bool halves)
{
    uint32_t state = 1;
    for (size_t i = 0; i < n; i++) {
        state = state * 1664525u + 1013904223u;
        float value = (float)(int32_t)(state >> 8) * 0x1p-24f - 0.5f;
        uint32_t bits;
        memcpy(&bits, &value, sizeof bits);
        if (halves) {
            uint16_t upper = (uint16_t)(bits >> 16);
            memcpy(bytes + i * sizeof upper, &upper, sizeof upper);
        } else {
            memcpy(bytes + i * sizeof bits, &bits, sizeof bits);
        }
    }
}

static cfd_status make_operands(job *j)
{
    const memory_source *memory = j->cpu->base.memory;
    bool halves = j->probe->precision != OPS_PRECISION_FLOAT32;
    size_t parts = j->probe->precision == OPS_PRECISION_BF16X3 ? 2 : 1;
    size_t element = halves ? sizeof(uint16_t) : sizeof(float);
    size_t a, b, c;
    if (!checked_multiply((size_t)j->m, (size_t)j->k, &a) || !checked_multiply((size_t)j->k, (size_t)j->n, &b) ||
        !checked_multiply((size_t)j->m, (size_t)j->n, &c) || !checked_multiply(a, element, &j->a_bytes)) {
        return fail(CFD_ERROR_MEMORY, "out of memory: the size of a probe's operands overflows");
    }
    TRY(memory_allocate(memory, a, parts * element, "a probe", &j->a));
    TRY(memory_allocate(memory, b, parts * element, "a probe", &j->b));
    TRY(memory_allocate_zero(memory, c, parts * sizeof(float), "a probe", &j->c));
    fill(j->a, parts * a, halves);
    fill(j->b, parts * b, halves);
    return CFD_OK;
}

/* ---- copies ---- */

static void copy_some(void *argument, size_t block)
{
    const job *j = argument;
    size_t begin = block * j->block;
    memcpy(j->c + begin, j->a + begin, j->bytes - begin < j->block ? j->bytes - begin : j->block);
}

/* In blocks as the backend copies, or in one piece for each thread: the latter goes around the cache where it is large. */
static cfd_status run_copy(job *j, int way)
{
    size_t threads = (size_t)threads_count(j->cpu->base.pool);
    j->block = way == 0 ? COPY_BLOCK : blocks_of(j->bytes, threads);
    threads_run(j->cpu->base.pool, blocks_of(j->bytes, j->block), copy_some, j);
    return CFD_OK;
}

static cfd_status make_buffers(job *j)
{
    j->bytes = (size_t)j->probe->rows;
    TRY(memory_allocate(j->cpu->base.memory, j->bytes, 1, "a probe", &j->a));
    TRY(memory_allocate_zero(j->cpu->base.memory, j->bytes, 1, "a probe", &j->c));
    memset(j->a, 1, j->bytes);
    return CFD_OK;
}

/* ---- repetitions ---- */

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* The lower median; `sorted` is scratch for n numbers. */
static double median(const double *values, size_t n, double *sorted)
{
    for (size_t i = 0; i < n; i++) {
        size_t at = i;
        for (; at > 0 && sorted[at - 1] > values[i]; at--) {
            sorted[at] = sorted[at - 1];
        }
        sorted[at] = values[i];
    }
    return sorted[(n - 1) / 2];
}

/* times: ways x n, and n more for the median's sake. */
static cfd_status measure(job *j, probe_run run, int ways, double *times, size_t n)
{
    for (size_t repetition = 0; repetition <= n; repetition++) { /* the first warms up */
        for (int way = 0; way < ways; way++) {
            double begun = now();
            cfd_status status = run(j, way);
            if (status == CFD_ERROR_DEVICE) {
                return fail(status, "%s has no products of bfloat16 here", j->cpu->gemm);
            }
            TRY(cpu_gemm_result(j->cpu, (int)status, "a probe"));
            if (repetition > 0) {
                times[(size_t)way * n + repetition - 1] = now() - begun;
            }
        }
    }
    return CFD_OK;
}

cfd_status cpu_probe(ops *o, const ops_probe *probe, double *seconds, size_t n)
{
    job j = {.cpu = cpu_of(o), .probe = probe, .m = probe->rows, .n = probe->columns, .k = probe->inner};
    bool copies = probe->kind == OPS_PROBE_COPY;
    int ways = copies ? COPY_WAYS : PRODUCT_WAYS;
    double *times = NULL;
    cfd_status status;
    if (probe->precision == OPS_PRECISION_TF32) {
        return fail(CFD_ERROR_DEVICE, "device cpu does not multiply tf32");
    }
    if (probe->kind == OPS_PROBE_GRADIENT) { /* F^T G: the sums are as long as there are rows */
        j.m = probe->inner;
        j.k = probe->rows;
        j.transpose_a = true;
    }
    j.transpose_b = probe->kind == OPS_PROBE_SCORES;
    TRY_OR(end, copies ? make_buffers(&j) : make_operands(&j));
    TRY_OR(end, memory_allocate(o->memory, n, (MOST_WAYS + 1) * sizeof *times, "a probe", &times));
    TRY_OR(end, measure(&j, copies ? run_copy : run_product, ways, times, n));
    int best = 0;
    for (int way = 1; way < ways; way++) {
        double *sorted = times + (size_t)ways * n;
        if (median(times + (size_t)way * n, n, sorted) < median(times + (size_t)best * n, n, sorted)) {
            best = way;
        }
    }
    memcpy(seconds, times + (size_t)best * n, n * sizeof *seconds);
end:
    memory_release(o->memory, times);
    memory_release(o->memory, j.a);
    memory_release(o->memory, j.b);
    memory_release(o->memory, j.c);
    return status;
}
