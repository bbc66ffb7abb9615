/* SPDX-License-Identifier: Apache-2.0 */
/* Reference: products with constant features. Sums run in one row of doubles, so that features are read row by row. */
#include "base/half.h"
#include "ops/ref/ref.h"

static double dense_at(const ops_feature_source *f, int64_t row, int64_t column)
{
    int64_t at = row * f->ld + column;
    switch (f->element) {
    case OPS_FLOAT32: return ((const float *)f->dense)[at];
    case OPS_FLOAT16: return half_to_float(((const uint16_t *)f->dense)[at]);
    case OPS_BFLOAT16: return bfloat16_to_float(((const uint16_t *)f->dense)[at]);
    }
    return 0.0;
}

/* A copy in a short type, in place of the caller's numbers. */
static cfd_status round_dense(ops *o, ops_element storage, ops_features *features)
{
    ops_feature_source *f = &features->source;
    size_t numbers;
    if (!checked_multiply((size_t)f->rows, (size_t)f->columns, &numbers)) {
        return fail_memory("features", SIZE_MAX);
    }
    TRY(memory_allocate(o->memory, numbers, sizeof *features->rounded, "features", &features->rounded));
    uint16_t *to = features->rounded;
    for (int64_t row = 0; row < f->rows; row++) {
        for (int64_t column = 0; column < f->columns; column++) {
            float value = (float)dense_at(f, row, column); /* exact */
            *to = storage == OPS_FLOAT16 ? float_to_half(value) : float_to_bfloat16(value);
            if ((*to++ & 0x7fff) >= (storage == OPS_FLOAT16 ? 0x7c00 : 0x7f80)) {
                return fail(CFD_ERROR_DATA, "features hold numbers that are infinite as %s",
                            storage == OPS_FLOAT16 ? "float16" : "bfloat16");
            }
        }
    }
    f->dense = features->rounded;
    f->element = storage;
    f->ld = f->columns;
    return CFD_OK;
}

/* options->precision asks for nothing here: products are formed in double, which is at least as precise as all of them. */
cfd_status ref_features_create(ops *o, const ops_feature_source *source, const ops_feature_options *options,
                               ops_features **out)
{
    ops_element storage = options ? options->storage : OPS_FLOAT32;
    ops_features *features;
    TRY(memory_allocate_zero(o->memory, 1, sizeof *features, "features", &features));
    features->source = *source;
    if (source->dense && storage != OPS_FLOAT32 && storage != source->element) {
        cfd_status status = round_dense(o, storage, features);
        if (status != CFD_OK) {
            ref_features_destroy(o, features);
            return status;
        }
    }
    *out = features;
    return CFD_OK;
}

void ref_features_destroy(ops *o, ops_features *features)
{
    if (features) {
        memory_release(o->memory, features->rounded);
        memory_release(o->memory, features);
    }
}

size_t ref_features_bytes(const ops *o, const ops_features *features)
{
    const ops_feature_source *f = &features->source;
    return features->rounded ? (size_t)f->rows * (size_t)f->columns * sizeof *features->rounded : 0;
}

/* Both forms read alike: a row's entries are p in [row_begin, row_end). */
static int64_t row_begin(const ops_feature_source *f, int64_t row)
{
    return f->dense ? 0 : f->sparse.offsets[row];
}

static int64_t row_end(const ops_feature_source *f, int64_t row)
{
    return f->dense ? f->columns : f->sparse.offsets[row + 1];
}

static int64_t column_at(const ops_feature_source *f, int64_t p)
{
    return f->dense ? p : f->sparse.indices[p];
}

static double value_at(const ops_feature_source *f, int64_t row, int64_t p)
{
    return f->dense ? dense_at(f, row, p) : f->sparse.values[p];
}

cfd_status ref_project(ops *o, const ops_features *features, const float *w, int32_t n, float *y, int64_t ldy)
{
    const ops_feature_source *f = &features->source;
    double *sums;
    TRY(memory_allocate(o->memory, (size_t)n, sizeof *sums, "sums of a projection", &sums));
    for (int64_t row = 0; row < f->rows; row++) {
        for (int32_t c = 0; c < n; c++) {
            sums[c] = 0;
        }
        for (int64_t p = row_begin(f, row); p < row_end(f, row); p++) {
            double value = value_at(f, row, p);
            const float *weights = w + column_at(f, p) * n;
            for (int32_t c = 0; c < n; c++) {
                sums[c] += value * weights[c];
            }
        }
        for (int32_t c = 0; c < n; c++) {
            y[row * ldy + c] = (float)sums[c];
        }
    }
    memory_release(o->memory, sums);
    return CFD_OK;
}

cfd_status ref_project_gradient(ops *o, const ops_features *features, const float *g, int64_t ldg, int32_t n, float *dw)
{
    const ops_feature_source *f = &features->source;
    size_t size;
    double *sums;
    if (!checked_multiply((size_t)f->columns, (size_t)n, &size)) {
        return fail(CFD_ERROR_MEMORY, "out of memory: %d x %d sums of a projection's gradient", f->columns, n);
    }
    TRY(memory_allocate_zero(o->memory, size, sizeof *sums, "sums of a projection's gradient", &sums));
    for (int64_t row = 0; row < f->rows; row++) {
        for (int64_t p = row_begin(f, row); p < row_end(f, row); p++) {
            double value = value_at(f, row, p);
            double *into = sums + column_at(f, p) * n;
            for (int32_t c = 0; c < n; c++) {
                into[c] += value * g[row * ldg + c];
            }
        }
    }
    for (size_t k = 0; k < size; k++) {
        dw[k] = (float)sums[k];
    }
    memory_release(o->memory, sums);
    return CFD_OK;
}
