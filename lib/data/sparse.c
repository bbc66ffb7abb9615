/* SPDX-License-Identifier: Apache-2.0 */
/* Sparse features: entries in any order become CSR in linear time. Tags are grouped by item and counted; entries with values
 * take two stable counting passes, by column and then by row, so that sums run in the order given. */
#include "base/id_groups.h"
#include "data/dataset_parts.h"

#include <math.h>
#include <string.h>

static const char *const purpose = "sparse features";

/* Entries by column, in the order in which they were given. */
typedef struct column_lists {
    int64_t *offsets; /* columns + 1 */
    int32_t *rows;
    float *values;
} column_lists;

/* Counts at offsets[id + 1] become starts; the caller's filling moves each to its end; finish moves them back. */
static void count_ids(int64_t *offsets, int32_t buckets, const int32_t *ids, size_t n)
{
    for (size_t k = 0; k < n; k++) {
        offsets[ids[k] + (size_t)1]++;
    }
    for (int32_t i = 0; i < buckets; i++) {
        offsets[i + 1] += offsets[i];
    }
}

static void finish_filling(int64_t *offsets, int32_t buckets)
{
    memmove(offsets + 1, offsets, (size_t)buckets * sizeof *offsets);
    offsets[0] = 0;
}

static cfd_status sort_by_column(const memory_source *memory, int32_t columns, const int32_t *row_ids,
                                 const int32_t *column_ids, const float *values, size_t n, column_lists *lists)
{
    TRY(memory_allocate_zero(memory, (size_t)columns + 1, sizeof *lists->offsets, purpose, &lists->offsets));
    TRY(memory_allocate(memory, n, sizeof *lists->rows, purpose, &lists->rows));
    TRY(memory_allocate(memory, n, sizeof *lists->values, purpose, &lists->values));
    count_ids(lists->offsets, columns, column_ids, n);
    for (size_t k = 0; k < n; k++) {
        int64_t place = lists->offsets[column_ids[k]]++;
        lists->rows[place] = row_ids[k];
        lists->values[place] = values[k];
    }
    finish_filling(lists->offsets, columns);
    return CFD_OK;
}

static void sort_by_row(const column_lists *lists, int32_t rows, int32_t columns, modality *m)
{
    count_ids(m->offsets, rows, lists->rows, (size_t)lists->offsets[columns]);
    for (int32_t column = 0; column < columns; column++) {
        for (int64_t k = lists->offsets[column]; k < lists->offsets[column + 1]; k++) {
            int64_t place = m->offsets[lists->rows[k]]++;
            m->indices[place] = column;
            m->values[place] = lists->values[k];
        }
    }
    finish_filling(m->offsets, rows);
}

/* Entries of the same place stand side by side: their sum takes their place. Counts rows without any weight. */
static void sum_repeats(int32_t rows, modality *m)
{
    int64_t kept = 0;
    int64_t at = 0;
    for (int32_t row = 0; row < rows; row++) {
        int64_t end = m->offsets[row + 1];
        bool empty = true;
        while (at < end) {
            int32_t column = m->indices[at];
            double sum = 0.0;
            while (at < end && m->indices[at] == column) {
                sum += (double)m->values[at++];
            }
            m->indices[kept] = column;
            m->values[kept] = (float)sum;
            empty = empty && m->values[kept] == 0.0f;
            kept++;
        }
        m->empty_items += empty;
        m->offsets[row + 1] = kept;
    }
}

static cfd_status allocate(const memory_source *memory, int32_t rows, size_t n, modality *m)
{
    TRY(memory_allocate_zero(memory, (size_t)rows + 1, sizeof *m->offsets, purpose, &m->offsets));
    TRY(memory_allocate(memory, n, sizeof *m->indices, purpose, &m->indices));
    return memory_allocate(memory, n, sizeof *m->values, purpose, &m->values);
}

static void describe(int32_t rows, int32_t columns, modality *m)
{
    m->features = (ops_feature_source){.rows = rows,
                                       .columns = columns,
                                       .sparse = {rows, columns, m->offsets[rows], m->offsets, m->indices, m->values}};
}

cfd_status sparse_build(const memory_source *memory, int32_t rows, int32_t columns, const int32_t *row_ids,
                        const int32_t *column_ids, const float *values, size_t n, modality *out)
{
    column_lists lists = {0};
    modality m = {0};
    cfd_status status;
    TRY_OR(done, sort_by_column(memory, columns, row_ids, column_ids, values, n, &lists));
    TRY_OR(done, allocate(memory, rows, n, &m));
    sort_by_row(&lists, rows, columns, &m);
    sum_repeats(rows, &m);
    describe(rows, columns, &m);
    *out = m;
done:
    memory_release(memory, lists.offsets);
    memory_release(memory, lists.rows);
    memory_release(memory, lists.values);
    if (status != CFD_OK) {
        modality_release(memory, &m);
    }
    return status;
}

/* ---- tags ---- */

/* Each tag of a row once, and how often it stood there as its value. Counts rows without any. */
static void count_repeats(int32_t rows, modality *m)
{
    int64_t kept = 0;
    int64_t at = 0;
    for (int32_t row = 0; row < rows; row++) {
        int64_t end = m->offsets[row + 1];
        m->empty_items += at == end;
        while (at < end) {
            int64_t first = at;
            int32_t column = m->indices[at];
            do {
                at++;
            } while (at < end && m->indices[at] == column);
            m->indices[kept] = column;
            m->values[kept++] = (float)(at - first);
        }
        m->offsets[row + 1] = kept;
    }
}

cfd_status sparse_count(const memory_source *memory, int32_t rows, int32_t columns, const int32_t *row_ids,
                        const int32_t *column_ids, size_t n, modality *out)
{
    modality m = {0};
    cfd_status status;
    TRY_OR(failed, allocate(memory, rows, n, &m));
    TRY_OR(failed, ids_group(memory, purpose, row_ids, column_ids, n, rows, columns, m.offsets, m.indices));
    count_repeats(rows, &m);
    describe(rows, columns, &m);
    *out = m;
    return CFD_OK;
failed:
    modality_release(memory, &m);
    return status;
}

/* idf = ln((1 + items with tags) / (1 + items with this tag)) + 1, the smooth form. */
static void count_to_idf(double *of_column, int32_t columns, int32_t documents)
{
    for (int32_t column = 0; column < columns; column++) {
        of_column[column] = log((1.0 + documents) / (1.0 + of_column[column])) + 1.0;
    }
}

static void weigh_row(const double *idf, const int32_t *indices, float *values, int64_t n)
{
    double square = 0.0;
    for (int64_t k = 0; k < n; k++) {
        double weight = (double)values[k] * idf[indices[k]];
        square += weight * weight;
    }
    double norm = sqrt(square);
    for (int64_t k = 0; k < n; k++) {
        values[k] = (float)((double)values[k] * idf[indices[k]] / norm);
    }
}

cfd_status sparse_weigh_tags(const memory_source *memory, modality *m)
{
    int32_t rows = m->features.rows;
    int32_t columns = m->features.columns;
    double *idf; /* first the number of items that have the tag */
    TRY(memory_allocate_zero(memory, (size_t)columns, sizeof *idf, "weights of tags", &idf));
    cfd_status status = memory_allocate(memory, (size_t)columns, sizeof *m->idf, "weights of tags", &m->idf);
    if (status == CFD_OK) {
        for (int64_t k = 0; k < m->offsets[rows]; k++) {
            idf[m->indices[k]] += 1.0;
        }
        count_to_idf(idf, columns, rows - m->empty_items);
        for (int32_t column = 0; column < columns; column++) {
            m->idf[column] = (float)idf[column];
        }
        for (int32_t row = 0; row < rows; row++) {
            int64_t begin = m->offsets[row];
            weigh_row(idf, m->indices + begin, m->values + begin, m->offsets[row + 1] - begin);
        }
    }
    memory_release(memory, idf);
    return status;
}

void dataset_weigh_tags(const float *idf, float *row, int32_t columns)
{
    double square = 0.0;
    for (int32_t c = 0; c < columns; c++) {
        double weight = (double)row[c] * idf[c];
        square += weight * weight;
    }
    double norm = sqrt(square);
    for (int32_t c = 0; c < columns && norm > 0.0; c++) {
        row[c] = (float)((double)row[c] * idf[c] / norm);
    }
}
