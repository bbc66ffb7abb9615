/* SPDX-License-Identifier: Apache-2.0 */
/* Constant features as the cpu backend keeps them. */
#ifndef CFD_OPS_CPU_CPU_FEATURES_H
#define CFD_OPS_CPU_CPU_FEATURES_H

#include "ops/cpu/cpu.h"

typedef struct dense_plans dense_plans; /* cpu_dense.c */

struct ops_features {
    int32_t rows, columns;
    bool dense;

    /* dense: numbers as products take them, or in a short type from which they are converted block by block */
    ops_precision precision;
    ops_element element;
    const void *numbers;
    const uint16_t *low; /* precision bf16x3: what rounding to bfloat16 left of `numbers`; NULL: nothing, or not kept */
    int64_t ld;
    void *owned, *owned_low; /* where the two are the backend's own */
    size_t own_bytes;        /* of everything that is */
    dense_plans *plans;      /* what products reuse; filled at the first one, anew where its width changes */

    /* sparse: F and F^T */
    ops_csr matrix, transpose;
    int64_t *offsets; /* of the transpose; owned */
    int32_t *indices;
    float *values;
};

/* cpu_dense.c: products of dense features. The plans are used by one thread at a time, as the instance is. */
cfd_status cpu_dense_plans_create(const memory_source *memory, dense_plans **out);
void cpu_dense_plans_destroy(dense_plans *plans); /* accepts NULL */
cfd_status cpu_dense_project(ops *o, const ops_features *f, const float *w, int32_t n, float *y, int64_t ldy);
cfd_status cpu_dense_gradient(ops *o, const ops_features *f, const float *g, int64_t ldg, int32_t n, float *dw);

#endif
