/* SPDX-License-Identifier: Apache-2.0 */
/* Transforms row by row; fitted ones on rows that they were not fitted to. */
#include "data/transform_rows.h"

#include "base/half.h"

#include <math.h>
#include <string.h>

cfd_status transform_learn(transform *t, size_t n, const char *what, float **out)
{
    TRY(memory_allocate(t->memory, n, sizeof **out, what, out));
    t->learnt[t->n_learnt++] = *out;
    return CFD_OK;
}

bool transform_row_is_zero(const float *row, int32_t columns)
{
    for (int32_t c = 0; c < columns; c++) {
        if (row[c] != 0.0f) {
            return false;
        }
    }
    return true;
}

void transform_widen(const ops_feature_source *f, size_t start, float *to, size_t n)
{
    const uint16_t *shorts = f->dense;
    switch (f->element) {
    case OPS_FLOAT32: memcpy(to, (const float *)f->dense + start, n * sizeof *to); break;
    case OPS_FLOAT16:
        for (size_t c = 0; c < n; c++) {
            to[c] = half_to_float(shorts[start + c]);
        }
        break;
    case OPS_BFLOAT16:
        for (size_t c = 0; c < n; c++) {
            to[c] = bfloat16_to_float(shorts[start + c]);
        }
        break;
    }
}

void transform_center_row(const transform_stage *stage, float *row)
{
    if (transform_row_is_zero(row, stage->in)) {
        return;
    }
    for (int32_t c = 0; c < stage->in; c++) {
        float centered = row[c] - stage->mean[c];
        row[c] = stage->scale ? centered * stage->scale[c] : centered;
    }
}

void transform_normalise(float *row, int64_t n)
{
    double sum = 0.0;
    for (int64_t c = 0; c < n; c++) {
        sum += (double)row[c] * row[c];
    }
    double inverse = sum > 0.0 ? 1.0 / sqrt(sum) : 0.0;
    for (int64_t c = 0; c < n; c++) {
        row[c] = (float)(row[c] * inverse);
    }
}

static void apply_basis(const transform_stage *stage, const float *row, float *to)
{
    memset(to, 0, (size_t)stage->out * sizeof *to);
    for (int32_t c = 0; c < stage->in; c++) {
        const float *basis = stage->basis + (size_t)c * (size_t)stage->out;
        for (int32_t k = 0; k < stage->out && row[c] != 0.0f; k++) {
            to[k] += row[c] * basis[k];
        }
    }
}

float *transform_row(const transform_stage *stages, int32_t n_stages, float *row, float *other)
{
    for (int32_t i = 0; i < n_stages; i++) {
        const transform_stage *stage = &stages[i];
        switch (stage->kind) {
        case TRANSFORM_CENTER:
        case TRANSFORM_STANDARDIZE: transform_center_row(stage, row); break;
        case TRANSFORM_L2: transform_normalise(row, stage->in); break;
        case TRANSFORM_SVD: {
            apply_basis(stage, row, other);
            float *swap = row;
            row = other;
            other = swap;
            break;
        }
        }
    }
    return row;
}

/* ---- whole features ---- */

static cfd_status copy_learnt(transform *t, const float *from, size_t n, const float **to)
{
    float *copy;
    *to = NULL;
    if (from) {
        TRY(transform_learn(t, n, "a transform", &copy));
        memcpy(copy, from, n * sizeof *copy);
        *to = copy;
    }
    return CFD_OK;
}

static cfd_status copy_stages(const transform *fitted, transform *t)
{
    for (int32_t i = 0; i < fitted->n_stages; i++) {
        const transform_stage *from = &fitted->stages[i];
        transform_stage *to = &t->stages[t->n_stages++];
        size_t in = (size_t)from->in;
        *to = (transform_stage){.kind = from->kind, .in = from->in, .out = from->out};
        TRY(copy_learnt(t, from->mean, in, &to->mean));
        TRY(copy_learnt(t, from->scale, in, &to->scale));
        TRY(copy_learnt(t, from->basis, in * (size_t)from->out, &to->basis));
    }
    return CFD_OK;
}

/* Stages that leave sparse rows sparse are l2 only. */
static bool stays_sparse(const transform *t)
{
    bool only_l2 = true;
    for (int32_t i = 0; i < t->n_stages; i++) {
        only_l2 = only_l2 && t->stages[i].kind == TRANSFORM_L2;
    }
    return !t->features.dense && only_l2;
}

static cfd_status apply_sparse(transform *t)
{
    ops_csr *csr = &t->features.sparse;
    size_t n = (size_t)csr->nonzeros;
    TRY(memory_allocate(t->memory, n, sizeof *t->values, "transformed features", &t->values));
    if (n > 0) {
        memcpy(t->values, csr->values, n * sizeof *t->values);
    }
    for (int32_t r = 0; r < t->features.rows; r++) {
        transform_normalise(t->values + csr->offsets[r], csr->offsets[r + 1] - csr->offsets[r]);
    }
    csr->values = t->values;
    return CFD_OK;
}

static void read_row(const ops_feature_source *f, int32_t r, float *row)
{
    if (f->dense) {
        transform_widen(f, (size_t)r * (size_t)f->ld, row, (size_t)f->columns);
        return;
    }
    memset(row, 0, (size_t)f->columns * sizeof *row);
    for (int64_t k = f->sparse.offsets[r]; k < f->sparse.offsets[r + 1]; k++) {
        row[f->sparse.indices[k]] = f->sparse.values[k];
    }
}

static cfd_status apply_dense(transform *t)
{
    ops_feature_source *f = &t->features;
    size_t widest = (size_t)f->columns;
    for (int32_t i = 0; i < t->n_stages; i++) {
        widest = (size_t)t->stages[i].out > widest ? (size_t)t->stages[i].out : widest;
    }
    size_t out = (size_t)t->stages[t->n_stages - 1].out;
    float *room;
    TRY(memory_allocate(t->memory, 2 * widest, sizeof *room, "transformed features", &room));
    cfd_status status = memory_allocate(t->memory, (size_t)f->rows, out * sizeof(float), "transformed features", &t->dense);
    for (int32_t r = 0; r < f->rows && status == CFD_OK; r++) {
        read_row(f, r, room);
        memcpy(t->dense + (size_t)r * out, transform_row(t->stages, t->n_stages, room, room + widest), out * sizeof *room);
    }
    memory_release(t->memory, room);
    TRY(status);
    *f = (ops_feature_source){.rows = f->rows, .columns = (int32_t)out, .dense = t->dense, .ld = (int64_t)out};
    return CFD_OK;
}

cfd_status transform_apply(const memory_source *memory, const transform *fitted, const char *role,
                           const ops_feature_source *features, transform *out)
{
    transform t = {.memory = memory, .features = *features};
    cfd_status status;
    if (fitted->n_stages > 0 && features->columns != fitted->stages[0].in) {
        return fail(CFD_ERROR_DATA, "role %s: %d columns, but transform.%s was fitted to %d", role, (int)features->columns,
                    role, (int)fitted->stages[0].in);
    }
    TRY_OR(failed, copy_stages(fitted, &t));
    if (t.n_stages > 0) {
        TRY_OR(failed, stays_sparse(&t) ? apply_sparse(&t) : apply_dense(&t));
    }
    *out = t;
    return CFD_OK;
failed:
    transform_release(&t);
    return status;
}
