/* SPDX-License-Identifier: Apache-2.0 */
/* Constant features: what is kept of them, and where their products are. Dense ones are cpu_dense.c's; sparse ones are
 * products with sparse matrices, for which the transpose is built once. */
#include "ops/cpu/cpu_features.h"

#include "base/half.h"

#include <string.h>

/* ---- sparse ---- */

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

static cfd_status take_sparse(ops *o, const ops_feature_source *source, ops_features *features)
{
    const ops_csr *f = &source->sparse;
    size_t nonzeros = (size_t)f->nonzeros;
    TRY(memory_allocate(o->memory, (size_t)f->columns + 1, sizeof(int64_t), "transposed features", &features->offsets));
    TRY(memory_allocate(o->memory, nonzeros, sizeof(int32_t), "transposed features", &features->indices));
    TRY(memory_allocate(o->memory, nonzeros, sizeof(float), "transposed features", &features->values));
    features->own_bytes = ((size_t)f->columns + 1) * sizeof(int64_t) + nonzeros * (sizeof(int32_t) + sizeof(float));
    fill_transpose(f, features->offsets, features->indices, features->values);
    features->matrix = *f;
    features->transpose = (ops_csr){f->columns,        f->rows,           f->nonzeros,
                                    features->offsets, features->indices, features->values};
    return CFD_OK;
}

/* ---- dense ---- */

typedef struct convert_job {
    const cpu_kernels *kernels;
    const ops_feature_source *from;
    ops_element to;
    uint16_t *numbers, *low; /* rows x columns; low may be NULL */
    float *room;             /* of each lane: a row */
    atomic_bool beyond;      /* a number has no finite neighbour in the type */
} convert_job;

/* One row of the source as the wanted type. */
static void convert_row(void *argument, int32_t lane, size_t row)
{
    convert_job *job = argument;
    size_t columns = (size_t)job->from->columns;
    size_t start = row * (size_t)job->from->ld;
    float *room = job->room + (size_t)lane * columns;
    const float *numbers = room;
    if (job->from->element == OPS_FLOAT32) {
        numbers = (const float *)job->from->dense + start;
    } else if (job->from->element == OPS_FLOAT16) {
        job->kernels->widen_half((const uint16_t *)job->from->dense + start, room, columns);
    } else {
        job->kernels->widen_bfloat16((const uint16_t *)job->from->dense + start, room, columns);
    }
    uint16_t *to = job->numbers + row * columns;
    if (job->to == OPS_BFLOAT16) {
        job->kernels->split(numbers, to, job->low ? job->low + row * columns : NULL, columns);
    } else {
        for (size_t c = 0; c < columns; c++) {
            to[c] = float_to_half(numbers[c]);
        }
    }
    uint16_t infinity = job->to == OPS_BFLOAT16 ? 0x7f80 : 0x7c00;
    bool beyond = false;
    for (size_t c = 0; c < columns; c++) {
        beyond |= (to[c] & 0x7fff) >= infinity;
    }
    if (beyond) {
        atomic_store_explicit(&job->beyond, true, memory_order_relaxed);
    }
}

/* Keeps the features in a short type, and what rounding left of them if `with_low`. */
static cfd_status convert(ops *o, const ops_feature_source *source, ops_element to, bool with_low, ops_features *features)
{
    size_t columns = (size_t)source->columns;
    size_t count;
    if (!checked_multiply((size_t)source->rows, columns, &count)) {
        return fail_memory("features in a short type", SIZE_MAX);
    }
    unsigned char *room;
    cpu_layout layout = {0};
    cpu_reserve(&layout, (size_t)threads_count(o->pool) * columns, sizeof(float));
    TRY(cpu_scratch(cpu_of(o), &layout, "features in a short type", &room));
    TRY(memory_allocate(o->memory, count, sizeof(uint16_t), "features in a short type", &features->owned));
    if (with_low) {
        TRY(memory_allocate(o->memory, count, sizeof(uint16_t), "features in a short type", &features->owned_low));
    }
    convert_job job = {cpu_of(o)->kernels, source, to, features->owned, features->owned_low, (float *)(void *)room, false};
    threads_run_lanes(o->pool, (size_t)source->rows, convert_row, &job);
    if (atomic_load(&job.beyond)) {
        return fail(CFD_ERROR_DATA, "features hold numbers that are infinite as %s",
                    to == OPS_BFLOAT16 ? "bfloat16" : "float16");
    }
    features->own_bytes = count * sizeof(uint16_t) * (with_low ? 2 : 1);
    features->numbers = features->owned;
    features->low = features->owned_low;
    features->element = to;
    features->ld = source->columns;
    return CFD_OK;
}

static cfd_status take_dense(ops *o, const ops_feature_source *source, const ops_feature_options *options,
                             ops_features *features)
{
    TRY(cpu_dense_plans_create(o->memory, &features->plans));
    features->dense = true;
    features->numbers = source->dense;
    features->element = source->element;
    features->ld = source->ld;
    features->precision = options ? options->precision : OPS_PRECISION_FLOAT32;
    ops_element storage = options ? options->storage : OPS_FLOAT32;
    if (storage != OPS_FLOAT32) { /* memory matters: nothing else is kept, and blocks are converted as they are needed */
        return storage == source->element ? CFD_OK : convert(o, source, storage, false, features);
    }
    bool split = features->precision == OPS_PRECISION_BF16X3;
    if (features->precision == OPS_PRECISION_FLOAT32 || source->element == OPS_BFLOAT16) {
        return CFD_OK;
    }
    return convert(o, source, OPS_BFLOAT16, split, features);
}

/* ---- the operations ---- */

cfd_status cpu_features_create(ops *o, const ops_feature_source *source, const ops_feature_options *options,
                               ops_features **out)
{
    ops_features *features;
    TRY(memory_allocate_zero(o->memory, 1, sizeof *features, "features", &features));
    features->rows = source->rows;
    features->columns = source->columns;
    cfd_status status = source->dense ? take_dense(o, source, options, features) : take_sparse(o, source, features);
    if (status != CFD_OK) {
        cpu_features_destroy(o, features);
        return status;
    }
    *out = features;
    return CFD_OK;
}

void cpu_features_destroy(ops *o, ops_features *features)
{
    if (features) {
        cpu_dense_plans_destroy(features->plans);
        memory_release(o->memory, features->owned);
        memory_release(o->memory, features->owned_low);
        memory_release(o->memory, features->offsets);
        memory_release(o->memory, features->indices);
        memory_release(o->memory, features->values);
        memory_release(o->memory, features);
    }
}

size_t cpu_features_bytes(const ops *o, const ops_features *features)
{
    return features->own_bytes;
}

cfd_status cpu_project(ops *o, const ops_features *f, const float *w, int32_t n, float *y, int64_t ldy)
{
    return f->dense ? cpu_dense_project(o, f, w, n, y, ldy)
                    : cpu_spmm(o, &f->matrix, ops_all_rows, NULL, w, n, y, ldy, n, NULL);
}

cfd_status cpu_project_gradient(ops *o, const ops_features *f, const float *g, int64_t ldg, int32_t n, float *dw)
{
    return f->dense ? cpu_dense_gradient(o, f, g, ldg, n, dw)
                    : cpu_spmm(o, &f->transpose, ops_all_rows, NULL, g, ldg, dw, n, n, NULL);
}
