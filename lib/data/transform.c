/* SPDX-License-Identifier: Apache-2.0 */
/* The stages of a feature transform, fitted and applied one after the other. */
#include "data/transform_rows.h"

#include "base/text.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct fitting {
    transform *t;
    ops *device;
    uint64_t seed;
    const char *role;
} fitting;

/* Makes t->features float32 in dense memory that may be written. */
static cfd_status own_dense(transform *t)
{
    ops_feature_source *f = &t->features;
    if (t->dense) {
        return CFD_OK;
    }
    size_t rows = (size_t)f->rows;
    size_t columns = (size_t)f->columns;
    size_t n;
    if (!checked_multiply(rows, columns, &n)) {
        return fail_memory("transformed features", SIZE_MAX);
    }
    TRY(memory_allocate(t->memory, n, sizeof(float), "transformed features", &t->dense));
    for (size_t r = 0; r < rows; r++) {
        transform_widen(f, r * (size_t)f->ld, t->dense + r * columns, columns);
    }
    f->dense = t->dense;
    f->element = OPS_FLOAT32;
    f->ld = f->columns;
    return CFD_OK;
}

/* ---- center, standardize ---- */

/* Over the features once they are the transform's own. */
static void column_sums(const transform *t, const float *mean, double *sums, int32_t *rows)
{
    const ops_feature_source *f = &t->features;
    *rows = 0;
    for (int32_t r = 0; r < f->rows; r++) {
        const float *row = t->dense + (size_t)r * (size_t)f->columns;
        if (transform_row_is_zero(row, f->columns)) {
            continue;
        }
        ++*rows;
        for (int32_t c = 0; c < f->columns; c++) {
            double value = mean ? (double)row[c] - mean[c] : row[c];
            sums[c] += mean ? value * value : value;
        }
    }
}

static cfd_status fit_columns(fitting *fit, transform_stage *stage)
{
    transform *t = fit->t;
    ops_feature_source *f = &t->features;
    if (!f->dense) {
        return fail(CFD_ERROR_CONFIG, "transform.%s: %s would make sparse features dense: put svd:K before it", fit->role,
                    stage->kind == TRANSFORM_CENTER ? "center" : "standardize");
    }
    TRY(own_dense(t));
    size_t columns = (size_t)f->columns;
    double *sums;
    TRY(memory_allocate_zero(t->memory, columns, sizeof *sums, "column sums", &sums));
    cfd_status status = CFD_OK;
    int32_t rows;
    float *mean;
    float *scale;
    TRY_OR(done, transform_learn(t, columns, "column means", &mean));
    stage->mean = mean;
    column_sums(t, NULL, sums, &rows);
    for (size_t c = 0; c < columns; c++) {
        mean[c] = rows > 0 ? (float)(sums[c] / rows) : 0.0f;
    }
    if (stage->kind == TRANSFORM_STANDARDIZE) {
        TRY_OR(done, transform_learn(t, columns, "column scales", &scale));
        stage->scale = scale;
        memset(sums, 0, columns * sizeof *sums);
        column_sums(t, stage->mean, sums, &rows);
        for (size_t c = 0; c < columns; c++) {
            /* A column whose values differ by rounding of its mean alone is constant; so is one below the normal numbers,
             * where 1 / deviation is beyond float32. */
            double deviation = rows > 0 ? sqrt(sums[c] / rows) : 0.0;
            bool varies = deviation > 1e-6 * fabs((double)stage->mean[c]) && deviation > FLT_MIN;
            scale[c] = varies ? (float)(1.0 / deviation) : 0.0f;
        }
    }
done:
    memory_release(t->memory, sums);
    return status;
}

static void apply_columns(fitting *fit, const transform_stage *stage)
{
    const ops_feature_source *f = &fit->t->features;
    for (int32_t r = 0; r < f->rows; r++) {
        transform_center_row(stage, fit->t->dense + (size_t)r * (size_t)f->columns);
    }
}

/* ---- l2 ---- */

static cfd_status apply_l2(fitting *fit)
{
    transform *t = fit->t;
    ops_feature_source *f = &t->features;
    if (f->dense) {
        TRY(own_dense(t));
        for (int32_t r = 0; r < f->rows; r++) {
            transform_normalise(t->dense + (size_t)r * (size_t)f->columns, f->columns);
        }
        return CFD_OK;
    }
    if (!t->values) {
        size_t n = (size_t)f->sparse.nonzeros;
        TRY(memory_allocate(t->memory, n, sizeof *t->values, "transformed features", &t->values));
        if (n > 0) {
            memcpy(t->values, f->sparse.values, n * sizeof *t->values);
        }
        f->sparse.values = t->values;
    }
    for (int32_t r = 0; r < f->rows; r++) {
        transform_normalise(t->values + f->sparse.offsets[r], f->sparse.offsets[r + 1] - f->sparse.offsets[r]);
    }
    return CFD_OK;
}

/* ---- svd ---- */

/* Scales features and basis alike, so that the rows that are there have norm 1 on average. */
static void scale_to_unit_rows(const transform_stage *stage, float *basis, float *dense, int32_t rows)
{
    double sum = 0.0;
    int32_t present = 0;
    for (int32_t r = 0; r < rows; r++) {
        const float *row = dense + (size_t)r * (size_t)stage->out;
        double squares = 0.0;
        for (int32_t c = 0; c < stage->out; c++) {
            squares += (double)row[c] * row[c];
        }
        sum += sqrt(squares);
        present += squares > 0.0;
    }
    float factor = sum > 0.0 ? (float)(present / sum) : 1.0f;
    for (size_t i = 0; i < (size_t)rows * (size_t)stage->out; i++) {
        dense[i] *= factor;
    }
    for (size_t i = 0; i < (size_t)stage->in * (size_t)stage->out; i++) {
        basis[i] *= factor;
    }
}

static cfd_status apply_svd(fitting *fit, transform_stage *stage)
{
    transform *t = fit->t;
    ops_feature_source *f = &t->features;
    int32_t most = f->rows < f->columns ? f->rows : f->columns;
    if (stage->out > most) {
        return fail(CFD_ERROR_CONFIG, "transform.%s: svd:%d of features with %d rows and %d columns: at most svd:%d",
                    fit->role, (int)stage->out, (int)f->rows, (int)f->columns, (int)most);
    }
    float *basis;
    TRY(svd_basis(t->memory, fit->device, fit->seed, f, stage->out, &basis));
    t->learnt[t->n_learnt++] = basis;
    stage->basis = basis;
    float *dense;
    TRY(memory_allocate(t->memory, (size_t)f->rows * (size_t)stage->out, sizeof *dense, "transformed features", &dense));
    cfd_status status = svd_apply(fit->device, f, stage->basis, stage->out, dense);
    if (status != CFD_OK) {
        memory_release(t->memory, dense);
        return status;
    }
    scale_to_unit_rows(stage, basis, dense, f->rows);
    memory_release(t->memory, t->dense);
    memory_release(t->memory, t->values);
    t->dense = dense;
    t->values = NULL;
    *f = (ops_feature_source){.rows = f->rows, .columns = stage->out, .dense = dense, .ld = stage->out};
    return CFD_OK;
}

/* ---- the list of stages ---- */

static cfd_status apply_stage(fitting *fit, transform_stage *stage)
{
    switch (stage->kind) {
    case TRANSFORM_CENTER:
    case TRANSFORM_STANDARDIZE:
        TRY(fit_columns(fit, stage));
        apply_columns(fit, stage);
        return CFD_OK;
    case TRANSFORM_L2: return apply_l2(fit);
    case TRANSFORM_SVD: return apply_svd(fit, stage);
    }
    return CFD_OK;
}

static cfd_status apply_all(fitting *fit, const char *spec)
{
    transform *t = fit->t;
    char key[SETTINGS_ROLE_BYTES + 16];
    transform_step steps[SETTINGS_MAX_STAGES];
    int32_t n;
    snprintf(key, sizeof key, "transform.%s", fit->role);
    TRY(settings_read_transform(key, spec, steps, &n));
    for (int32_t i = 0; i < n; i++) {
        int32_t columns = t->features.columns;
        transform_stage *stage = &t->stages[t->n_stages++];
        *stage = (transform_stage){.kind = steps[i].kind,
                                   .in = columns,
                                   .out = steps[i].kind == TRANSFORM_SVD ? steps[i].rank : columns};
        TRY(apply_stage(fit, stage));
    }
    return CFD_OK;
}

cfd_status transform_fit(const memory_source *memory, ops *device, uint64_t seed, const char *role, const char *spec,
                         const ops_feature_source *features, transform *out)
{
    transform t = {.memory = memory, .features = *features};
    fitting fit = {&t, device, seed, role};
    cfd_status status = apply_all(&fit, spec);
    if (status != CFD_OK) {
        transform_release(&t);
        return status;
    }
    *out = t;
    return CFD_OK;
}

void transform_release(transform *t)
{
    for (int32_t i = 0; i < t->n_learnt; i++) {
        memory_release(t->memory, t->learnt[i]);
    }
    if (t->memory) {
        memory_release(t->memory, t->dense);
        memory_release(t->memory, t->values);
    }
    memset(t, 0, sizeof *t);
}
