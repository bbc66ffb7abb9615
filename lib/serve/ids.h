/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of ids: their order, and the matrix rows that they name. */
#ifndef CFD_SERVE_IDS_H
#define CFD_SERVE_IDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Do the ids ascend (equal neighbours allowed)? */
bool ids_ascend(const int32_t *ids, size_t n);

/* Sorts in ascending order, in place and without other memory (the C library's qsort may allocate). */
void ids_sort(int32_t *ids, size_t n);

/* The same, and drops repeats. Returns how many are left. */
size_t ids_sort_once(int32_t *ids, size_t n);

/* The rows of a matrix (`width` columns, contiguous) that ids name, contiguous: a part of the matrix itself
 * where the ids are consecutive, else a copy in `room` (n x width). */
const float *ids_rows(const int32_t *ids, size_t n, const float *matrix, int32_t width, float *room);

#endif
