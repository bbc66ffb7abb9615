/* SPDX-License-Identifier: Apache-2.0 */
/* Reference: products with constant features. Sums run in one row of doubles, so that features are read row by row. */
#include "ops/ref/ref.h"

cfd_status ref_features_create(ops *o, const ops_feature_source *source, const ops_feature_options *options,
                               ops_features **out)
{
    ops_features *features;
    TRY(memory_allocate(o->memory, 1, sizeof *features, "features", &features));
    features->source = *source;
    *out = features;
    return CFD_OK;
}

void ref_features_destroy(ops *o, ops_features *features)
{
    memory_release(o->memory, features);
}

size_t ref_features_bytes(const ops *o, const ops_features *features)
{
    return 0;
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
    return f->dense ? ((const float *)f->dense)[row * f->ld + p] : f->sparse.values[p];
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
