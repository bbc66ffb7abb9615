/* SPDX-License-Identifier: Apache-2.0 */
/* What a caller adds from its own memory: interactions and modalities, checked before anything is taken in. */
#include "data/dataset.h"
#include "data/dataset_parts.h"
#include "base/ids.h"
#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- interactions ---- */

cfd_status dataset_add_interactions(dataset *data, cfd_split split, const int32_t *users, const int32_t *items, size_t n)
{
    if ((int)split < 0 || (int)split > CFD_SPLIT_TEST) {
        return fail(CFD_ERROR_ARGUMENT, "there is no split %d", (int)split);
    }
    TRY(ids_check("users", users, n, data->users));
    TRY(ids_check("items", items, n, data->items));
    bipartite added;
    bipartite merged;
    TRY(bipartite_create(data->memory, data->users, data->items, users, items, n, &added, NULL));
    cfd_status status = bipartite_merge(data->memory, &data->splits[split], &added, &merged);
    bipartite_release(&added);
    TRY(status);
    bipartite before = data->splits[split];
    data->splits[split] = merged;
    status = dataset_compare_splits(data);
    if (status != CFD_OK) {
        data->splits[split] = before;
        bipartite_release(&merged);
        return status;
    }
    data->duplicates += before.interactions + (int64_t)n - merged.interactions;
    bipartite_release(&before);
    return CFD_OK;
}

/* ---- modalities ---- */

static cfd_status check_new_modality(const dataset *data, const char *name, int32_t columns)
{
    if (!text_is_name(name)) {
        return fail(CFD_ERROR_ARGUMENT, "a modality's name is 1 to 63 letters, digits, '_' or '-', not \"%.80s\"", name);
    }
    if (strcmp(name, DATASET_RESERVED_NAME) == 0) {
        return fail(CFD_ERROR_ARGUMENT, "the name \"%s\" is taken by the branch that fuses all modalities", name);
    }
    for (int32_t i = 0; i < data->n_modalities; i++) {
        if (strcmp(data->modalities[i].name, name) == 0) {
            return fail(CFD_ERROR_ARGUMENT, "there is a modality \"%s\" already", name);
        }
    }
    if (data->n_modalities == CFD_MAX_MODALITIES) {
        return fail(CFD_ERROR_ARGUMENT, "modality \"%s\" would be one more than %d", name, CFD_MAX_MODALITIES);
    }
    if (columns < 1) {
        return fail(CFD_ERROR_ARGUMENT, "modality \"%s\" needs at least 1 column, not %d", name, (int)columns);
    }
    return CFD_OK;
}

static void take_in(dataset *data, const char *name, modality *m)
{
    snprintf(m->name, sizeof m->name, "%s", name);
    data->modalities[data->n_modalities++] = *m;
}

cfd_status dataset_add_dense(dataset *data, const char *name, const void *features, cfd_element element, int32_t columns,
                             size_t stride)
{
    TRY(check_new_modality(data, name, columns));
    if ((int)element < CFD_FLOAT32 || (int)element > CFD_BFLOAT16) {
        return fail(CFD_ERROR_ARGUMENT, "modality \"%s\": there is no element type %d", name, (int)element);
    }
    if (stride < (size_t)columns) {
        return fail(CFD_ERROR_ARGUMENT, "modality \"%s\": a stride of %zu is less than the %d columns", name, stride,
                    (int)columns);
    }
    modality m;
    TRY(dense_copy(data->memory, name, features, element, data->items, columns, stride, &m));
    take_in(data, name, &m);
    return CFD_OK;
}

/* Offsets, ids and values of the caller's CSR. */
static cfd_status check_sparse(const dataset *data, const char *name, int32_t columns, const int64_t *row_offsets,
                               const int32_t *column_ids, const float *values)
{
    if (row_offsets[0] != 0) {
        return fail(CFD_ERROR_ARGUMENT, "modality \"%s\": row_offsets[0] is %lld, not 0", name, (long long)row_offsets[0]);
    }
    for (int32_t row = 0; row < data->items; row++) {
        if (row_offsets[row + (size_t)1] < row_offsets[row]) {
            return fail(CFD_ERROR_ARGUMENT, "modality \"%s\": row_offsets[%d] is less than the one before", name,
                        (int)row + 1);
        }
    }
    if (row_offsets[data->items] > 0 && !column_ids) {
        return fail(CFD_ERROR_ARGUMENT, "column_ids is NULL");
    }
    for (int32_t row = 0; row < data->items; row++) {
        for (int64_t k = row_offsets[row]; k < row_offsets[row + (size_t)1]; k++) {
            if (column_ids[k] < 0 || column_ids[k] >= columns) {
                return fail(CFD_ERROR_ARGUMENT, "modality \"%s\": column_ids[%lld] is %d, not from 0 to %d", name,
                            (long long)k, (int)column_ids[k], (int)columns - 1);
            }
            if (values && !isfinite(values[k])) {
                return fail(CFD_ERROR_DATA, "modality %s: row %d, column %d (from 0) is %s", name, (int)row,
                            (int)column_ids[k], isnan(values[k]) ? "NaN" : "infinite");
            }
        }
    }
    return CFD_OK;
}

/* Sums of repeated columns may leave the finite numbers. */
static cfd_status check_sums(const char *name, const modality *m)
{
    for (int32_t row = 0; row < m->features.rows; row++) {
        for (int64_t k = m->offsets[row]; k < m->offsets[row + 1]; k++) {
            if (!isfinite(m->values[k])) {
                return fail(CFD_ERROR_DATA, "modality %s: row %d, column %d (from 0): its values add up to infinity", name,
                            (int)row, (int)m->indices[k]);
            }
        }
    }
    return CFD_OK;
}

cfd_status dataset_add_sparse(dataset *data, const char *name, int32_t columns, const int64_t *row_offsets,
                              const int32_t *column_ids, const float *values)
{
    TRY(check_new_modality(data, name, columns));
    TRY(check_sparse(data, name, columns, row_offsets, column_ids, values));
    size_t n = (size_t)row_offsets[data->items];
    int32_t *row_ids;
    TRY(memory_allocate(data->memory, n, sizeof *row_ids, "sparse features", &row_ids));
    for (int32_t row = 0; row < data->items; row++) {
        for (int64_t k = row_offsets[row]; k < row_offsets[row + (size_t)1]; k++) {
            row_ids[k] = row;
        }
    }
    modality m = {0};
    cfd_status status = values ? sparse_build(data->memory, data->items, columns, row_ids, column_ids, values, n, &m)
                               : sparse_count(data->memory, data->items, columns, row_ids, column_ids, n, &m);
    memory_release(data->memory, row_ids);
    TRY(status);
    status = values ? check_sums(name, &m) : sparse_weigh_tags(data->memory, &m);
    if (status != CFD_OK) {
        modality_release(data->memory, &m);
        return status;
    }
    take_in(data, name, &m);
    return CFD_OK;
}

cfd_status dataset_set_user_names(dataset *data, const char *const *names)
{
    return names_copy(data->memory, names, data->users, &data->user_names);
}

cfd_status dataset_set_item_names(dataset *data, const char *const *names)
{
    return names_copy(data->memory, names, data->items, &data->item_names);
}
