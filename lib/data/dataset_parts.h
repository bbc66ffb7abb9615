/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this folder share: the parts from which a data set is put together. */
#ifndef CFD_DATA_DATASET_PARTS_H
#define CFD_DATA_DATASET_PARTS_H

#include "data/dataset.h"

/* The role under which configuration and parameters know the fused branch. */
#define DATASET_RESERVED_NAME "fused"

/* ---- dense features (dense.c) ---- */

/* Refuses NaN and infinity, by row and column, as CFD_ERROR_DATA that begins with `where`; counts the rows of zeros. The
 * rows stand one after the other (ld is the columns). */
cfd_status dense_check(const char *where, const ops_feature_source *features, int32_t *empty_rows);
/* A checked copy of the caller's matrix, short types as they are, all else as float32: fills features, dense and empty_items
 * of *out. */
cfd_status dense_copy(const memory_source *memory, const char *name, const void *features, cfd_element element, int32_t rows,
                      int32_t columns, size_t stride, modality *out);

/* ---- sparse features (sparse.c) ---- */

/* n entries in any order, with values. Columns of a row ascend afterwards; entries of the same place are summed in the order
 * given. Fills features, offsets, indices, values and empty_items of *out. Ids must be in range. */
cfd_status sparse_build(const memory_source *memory, int32_t rows, int32_t columns, const int32_t *row_ids,
                        const int32_t *column_ids, const float *values, size_t n, modality *out);
/* The same with 1 for every value: how often each tag stands with each item. */
cfd_status sparse_count(const memory_source *memory, int32_t rows, int32_t columns, const int32_t *row_ids,
                        const int32_t *column_ids, size_t n, modality *out);
/* Turns counts of tags into weights: TF-IDF, then L2-normalised rows; sets idf. */
cfd_status sparse_weigh_tags(const memory_source *memory, modality *m);

/* ---- modalities (dataset.c) ---- */

void modality_release(const memory_source *memory, modality *m); /* accepts a zeroed struct */

/* ---- interactions (dataset.c) ---- */

/* Brings leaked_test, leaked_users and cold_test_items up to date with the splits. */
cfd_status dataset_compare_splits(dataset *data);

/* ---- names (names.c) ---- */

/* One name a line. *named: 1 + the last line that is not empty. */
cfd_status names_read(const memory_source *memory, const char *path, name_list *out, int32_t *named);
/* One text for each id, NULL or "" for none; *out is released and replaced, untouched on failure. */
cfd_status names_copy(const memory_source *memory, const char *const *texts, int32_t n, name_list *out);
void names_release(const memory_source *memory, name_list *names); /* accepts a zeroed struct */

#endif
