/* SPDX-License-Identifier: Apache-2.0 */
/* Reference: probes. Plain loops with sums in double, whatever the precision, in one operand order. */
#define _POSIX_C_SOURCE 200809L /* clock_gettime */
#include "ops/ref/ref.h"

#include <string.h>
#include <time.h>

/* Element (r, c) of the left operand is a[r * a_row + c * a_column], of the right one alike. */
typedef struct product {
    int64_t m, n, k;
    int64_t a_row, a_column, b_row, b_column;
} product;

static product product_of(const ops_probe *p)
{
    switch (p->kind) {
    case OPS_PROBE_GRADIENT: return (product){p->inner, p->columns, p->rows, 1, p->inner, p->columns, 1};
    case OPS_PROBE_SCORES: return (product){p->rows, p->columns, p->inner, p->inner, 1, 1, p->inner};
    default: return (product){p->rows, p->columns, p->inner, p->inner, 1, p->columns, 1};
    }
}

static void multiply(const product *p, const float *a, const float *b, float *c)
{
    for (int64_t r = 0; r < p->m; r++) {
        for (int64_t j = 0; j < p->n; j++) {
            double sum = 0;
            for (int64_t k = 0; k < p->k; k++) {
                sum += (double)a[r * p->a_row + k * p->a_column] * b[k * p->b_row + j * p->b_column];
            }
            c[r * p->n + j] = (float)sum;
        }
    }
}

static void fill(float *values, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        values[i] = (float)(i % 17) / 16.0f - 0.5f;
    }
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

cfd_status ref_probe(ops *o, const ops_probe *probe, double *seconds, size_t n)
{
    bool copies = probe->kind == OPS_PROBE_COPY;
    size_t bytes = (size_t)probe->rows;
    product p = product_of(probe);
    size_t sizes[3] = {blocks_of(bytes, sizeof(float)), 0, blocks_of(bytes, sizeof(float))};
    float *operands[3] = {NULL, NULL, NULL};
    if (!copies &&
        (!checked_multiply((size_t)p.m, (size_t)p.k, &sizes[0]) || !checked_multiply((size_t)p.k, (size_t)p.n, &sizes[1]) ||
         !checked_multiply((size_t)p.m, (size_t)p.n, &sizes[2]))) {
        return fail(CFD_ERROR_MEMORY, "out of memory: the size of a probe's operands overflows");
    }
    cfd_status status = CFD_OK;
    for (int i = 0; i < 3 && status == CFD_OK; i++) {
        status = memory_allocate(o->memory, sizes[i], sizeof(float), "a probe", &operands[i]);
        if (status == CFD_OK) {
            fill(operands[i], sizes[i]);
        }
    }
    for (size_t repetition = 0; repetition <= n && status == CFD_OK; repetition++) { /* the first warms up */
        double begun = now();
        if (copies) {
            memcpy(operands[2], operands[0], bytes);
        } else {
            multiply(&p, operands[0], operands[1], operands[2]);
        }
        if (repetition > 0) {
            seconds[repetition - 1] = now() - begun;
        }
    }
    for (int i = 0; i < 3; i++) {
        memory_release(o->memory, operands[i]);
    }
    return status;
}
