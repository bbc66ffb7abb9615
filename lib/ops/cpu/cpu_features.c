/* SPDX-License-Identifier: Apache-2.0 */
/* Products with constant features. Dense ones go to the library for dense products in blocks; sparse ones are products with
 * sparse matrices, for which the transpose is built once. */
#include "ops/cpu/cpu.h"

#include <string.h>

enum {
    PROJECT_ROWS = 256,  /* of F in a block: large enough that reading W again does not show */
    GRADIENT_PARTS = 8,  /* blocks of columns of F, unless their width leaves the range below */
    GRADIENT_LEAST = 80,
    GRADIENT_MOST = 512
};

struct ops_features {
    ops_feature_source source;
    ops_csr transpose; /* sparse: F^T */
    int64_t *offsets;  /* of the transpose; owned */
    int32_t *indices;
    float *values;
};

/* A counting sort of the nonzeros by column; rows stay ascending. */
static void fill_transpose(const ops_csr *f, int64_t *offsets, int32_t *indices, float *values)
{
    memset(offsets, 0, ((size_t)f->columns + 1) * sizeof *offsets);
    for (int64_t p = 0; p < f->nonzeros; p++) {
        offsets[f->indices[p] + 1]++;
    }
    for (int64_t c = 0; c < f->columns; c++) {
        offsets[c + 1] += offsets[c];
    }
    /* Filling moves each offset to the end of its column, which is where the next one begins. */
    for (int32_t row = 0; row < f->rows; row++) {
        for (int64_t p = f->offsets[row]; p < f->offsets[row + 1]; p++) {
            int64_t at = offsets[f->indices[p]]++;
            indices[at] = row;
            values[at] = f->values[p];
        }
    }
    memmove(offsets + 1, offsets, (size_t)f->columns * sizeof *offsets);
    offsets[0] = 0;
}

static cfd_status build_transpose(ops *o, ops_features *features)
{
    const ops_csr *f = &features->source.sparse;
    size_t nonzeros = (size_t)f->nonzeros;
    TRY(memory_allocate(o->memory, (size_t)f->columns + 1, sizeof(int64_t), "transposed features", &features->offsets));
    TRY(memory_allocate(o->memory, nonzeros, sizeof(int32_t), "transposed features", &features->indices));
    TRY(memory_allocate(o->memory, nonzeros, sizeof(float), "transposed features", &features->values));
    fill_transpose(f, features->offsets, features->indices, features->values);
    features->transpose =
        (ops_csr){f->columns, f->rows, f->nonzeros, features->offsets, features->indices, features->values};
    return CFD_OK;
}

cfd_status cpu_features_create(ops *o, const ops_feature_source *source, const ops_feature_options *options,
                               ops_features **out)
{
    ops_features *features;
    TRY(memory_allocate_zero(o->memory, 1, sizeof *features, "features", &features));
    features->source = *source;
    if (!source->dense) {
        cfd_status status = build_transpose(o, features);
        if (status != CFD_OK) {
            cpu_features_destroy(o, features);
            return status;
        }
    }
    *out = features;
    return CFD_OK;
}

void cpu_features_destroy(ops *o, ops_features *features)
{
    if (features) {
        memory_release(o->memory, features->offsets);
        memory_release(o->memory, features->indices);
        memory_release(o->memory, features->values);
        memory_release(o->memory, features);
    }
}

typedef struct project_job {
    const ops_feature_source *f;
    const float *w;
    int64_t n;
    float *y;
    int64_t ldy;
    atomic_int failure;
} project_job;

static void project_block(void *argument, size_t block)
{
    project_job *job = argument;
    int64_t begin = (int64_t)block * PROJECT_ROWS;
    int64_t rows = job->f->rows - begin < PROJECT_ROWS ? job->f->rows - begin : PROJECT_ROWS;
    cpu_note(&job->failure, gemm(false, false, rows, job->n, job->f->columns, 1.0f, (const float *)job->f->dense + begin * job->f->ld,
                                 job->f->ld, job->w, job->n, 0.0f, job->y + begin * job->ldy, job->ldy));
}

cfd_status cpu_project(ops *o, const ops_features *f, const float *w, int32_t n, float *y, int64_t ldy)
{
    if (!f->source.dense) {
        return cpu_spmm(o, &f->source.sparse, ops_all_rows, NULL, w, n, y, ldy, n);
    }
    project_job job = {.f = &f->source, .w = w, .n = n, .y = y, .ldy = ldy};
    threads_run(o->pool, blocks_of((size_t)f->source.rows, PROJECT_ROWS), project_block, &job);
    return cpu_gemm_result(cpu_of(o), atomic_load(&job.failure), "projection");
}

typedef struct gradient_job {
    const ops_feature_source *f;
    const float *g;
    int64_t ldg, n, width; /* width: columns of F in a block */
    float *transposed;     /* a block's part of dW^T, n x width, at begin * n */
    float *dw;
    atomic_int failure;
} gradient_job;

/* dW^T = G^T F: the library copes far better with the small matrix transposed than with the large one. */
static void gradient_block(void *argument, size_t block)
{
    gradient_job *job = argument;
    int64_t n = job->n;
    int64_t begin = (int64_t)block * job->width;
    int64_t width = job->f->columns - begin < job->width ? job->f->columns - begin : job->width;
    float *part = job->transposed + begin * n;
    float *out = job->dw + begin * n;
    cpu_note(&job->failure, gemm(true, false, n, width, job->f->rows, 1.0f, job->g, job->ldg, (const float *)job->f->dense + begin,
                                 job->f->ld, 0.0f, part, width));
    for (int64_t c0 = 0; c0 < width; c0 += 16) {
        int64_t c1 = width - c0 < 16 ? width : c0 + 16;
        for (int64_t k = 0; k < n; k++) {
            for (int64_t c = c0; c < c1; c++) {
                out[c * n + k] = part[k * width + c];
            }
        }
    }
}

cfd_status cpu_project_gradient(ops *o, const ops_features *f, const float *g, int64_t ldg, int32_t n, float *dw)
{
    if (!f->source.dense) {
        return cpu_spmm(o, &f->transpose, ops_all_rows, NULL, g, ldg, dw, n, n);
    }
    cpu_layout layout = {0};
    cpu_reserve(&layout, (size_t)f->source.columns * (size_t)n, sizeof(float));
    unsigned char *scratch;
    TRY(cpu_scratch(cpu_of(o), &layout, "the gradient of a projection", &scratch));
    int64_t width = (f->source.columns / GRADIENT_PARTS + 15) / 16 * 16;
    width = width < GRADIENT_LEAST ? GRADIENT_LEAST : width > GRADIENT_MOST ? GRADIENT_MOST : width;
    gradient_job job = {.f = &f->source, .g = g, .ldg = ldg, .n = n, .width = width, .transposed = (float *)scratch,
                        .dw = dw};
    threads_run(o->pool, blocks_of((size_t)f->source.columns, (size_t)width), gradient_block, &job);
    return cpu_gemm_result(cpu_of(o), atomic_load(&job.failure), "gradient of a projection");
}
