/* SPDX-License-Identifier: Apache-2.0 */
/* What the suites of feature transforms share: a device, random matrices, dense and sparse sources of the same
 * numbers. */
#ifndef TEST_TRANSFORM_SUPPORT_H
#define TEST_TRANSFORM_SUPPORT_H

#include "test.h"

#undef fail /* a macro of Check, a function of the library */

#include "data/transform.h"

/* Made at the first call of a process and kept: the tests share one. */
static inline ops *device(void)
{
    static ops *made;
    static thread_pool *pool;
    if (!made) {
        OK(threads_create(&memory_default, 2, &pool));
        OK(ops_create_cpu(&memory_default, pool, (log_sink){NULL, NULL}, NULL, &made));
    }
    return made;
}

static inline double random_unit(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (double)(*state >> 11) / 9007199254740992.0;
}

/* ---- matrices, dense and as CSR ---- */

typedef struct matrix {
    int32_t rows, columns;
    float *values;
    int64_t *offsets; /* of the nonzeros */
    int32_t *indices;
    float *nonzeros;
} matrix;

static inline matrix empty_matrix(int32_t rows, int32_t columns)
{
    size_t n = (size_t)rows * (size_t)columns;
    matrix m = {rows,
                columns,
                calloc(n, sizeof(float)),
                calloc((size_t)rows + 1, sizeof(int64_t)),
                calloc(n, sizeof(int32_t)),
                calloc(n, sizeof(float))};
    return m;
}

static inline void free_matrix(matrix *m)
{
    free(m->values);
    free(m->offsets);
    free(m->indices);
    free(m->nonzeros);
}

/* Fills the CSR arrays from the dense ones. */
static inline void index_matrix(matrix *m)
{
    int64_t n = 0;
    for (int32_t r = 0; r < m->rows; r++) {
        for (int32_t c = 0; c < m->columns; c++) {
            float value = m->values[(size_t)r * (size_t)m->columns + (size_t)c];
            if (value != 0.0f) {
                m->indices[n] = c;
                m->nonzeros[n++] = value;
            }
        }
        m->offsets[r + 1] = n;
    }
}

static inline matrix random_matrix(int32_t rows, int32_t columns, double density)
{
    matrix m = empty_matrix(rows, columns);
    uint64_t state = (uint64_t)rows * 1000 + (uint64_t)columns;
    for (size_t i = 0; i < (size_t)rows * (size_t)columns; i++) {
        bool there = random_unit(&state) < density;
        double value = 2.0 * random_unit(&state) - 0.5;
        m.values[i] = there ? (float)value : 0.0f;
    }
    index_matrix(&m);
    return m;
}

static inline ops_feature_source dense_source(const float *values, int32_t rows, int32_t columns)
{
    return (ops_feature_source){.rows = rows, .columns = columns, .dense = values, .ld = columns};
}

static inline ops_feature_source sparse_source(const matrix *m)
{
    return (ops_feature_source){.rows = m->rows,
                                .columns = m->columns,
                                .sparse = {m->rows, m->columns, m->offsets[m->rows], m->offsets, m->indices, m->nonzeros}};
}

/* ---- fits and checks ---- */

/* Also: the caller's numbers are left alone. */
static inline transform fit_dense(const char *spec, const float *values, int32_t rows, int32_t columns)
{
    size_t bytes = sizeof(float) * (size_t)rows * (size_t)columns;
    float *before = malloc(bytes);
    memcpy(before, values, bytes);
    ops_feature_source features = dense_source(values, rows, columns);
    transform t;
    OK(transform_fit(&memory_default, device(), 1, "visual", spec, &features, &t));
    ck_assert_mem_eq(before, values, bytes);
    free(before);
    return t;
}

static inline void check_features(const transform *t, const float *expected, int32_t rows, int32_t columns, float tolerance)
{
    ck_assert_int_eq(t->features.rows, rows);
    ck_assert_int_eq(t->features.columns, columns);
    for (int32_t r = 0; r < rows; r++) {
        for (int32_t c = 0; c < columns; c++) {
            float value = ((const float *)t->features.dense)[r * t->features.ld + c];
            float wanted = expected[r * columns + c];
            ck_assert_msg(fabsf(value - wanted) <= tolerance, "row %d, column %d is %.9g, not %.9g", (int)r, (int)c,
                          (double)value, (double)wanted);
        }
    }
}

/* What docs/file-formats.md says to do with a new item's row, by plain loops. Returns the columns after it. */
static inline int32_t apply_stored(const transform *t, float *row)
{
    int32_t columns = t->n_stages > 0 ? t->stages[0].in : t->features.columns;
    for (int32_t s = 0; s < t->n_stages; s++) {
        const transform_stage *stage = &t->stages[s];
        double squares = 0.0;
        for (int32_t c = 0; c < columns; c++) {
            squares += (double)row[c] * row[c];
        }
        if (squares == 0.0) {
            /* an item without this modality: it stays zero */
        } else if (stage->basis) {
            double out[64] = {0};
            for (int32_t k = 0; k < stage->out; k++) {
                for (int32_t c = 0; c < columns; c++) {
                    out[k] += (double)row[c] * stage->basis[c * stage->out + k];
                }
            }
            for (int32_t k = 0; k < stage->out; k++) {
                row[k] = (float)out[k];
            }
        } else {
            for (int32_t c = 0; c < columns; c++) {
                double value = stage->mean ? row[c] - (double)stage->mean[c] : row[c] / sqrt(squares);
                row[c] = (float)(stage->scale ? value * stage->scale[c] : value);
            }
        }
        columns = stage->out;
    }
    return columns;
}

#endif
