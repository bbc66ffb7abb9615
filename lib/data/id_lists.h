/* SPDX-License-Identifier: Apache-2.0 */
/* Text files of ids: a line is one id and the ids that belong to it ("user item item ...", "item tag tag ..."). */
#ifndef CFD_DATA_ID_LISTS_H
#define CFD_DATA_ID_LISTS_H

#include "base/memory.h"

#define ID_LARGEST 2147483646 /* 2^31 - 2 */

/* What ids of a column mean, and which are allowed. */
typedef struct id_kind {
    const char *name;    /* "user" */
    int32_t count;       /* ids are below it; 0: up to ID_LARGEST */
    const char *counted; /* what has so many rows: named in the message; with count only */
} id_kind;

/* Where an id stands that nothing in the file exceeds. */
typedef struct id_extent {
    int32_t count; /* 1 + the largest id; 0: there is none */
    int64_t line;  /* of the first such id */
} id_extent;

/* Every pair of a file, in the order of its lines. A line with its first id alone gives no pair, but counts in `first`. */
typedef struct id_pairs {
    const memory_source *memory;
    int32_t *first_ids, *second_ids;
    size_t n;
    size_t first_capacity, second_capacity;
    id_extent first, second;
} id_pairs;

/* Reads a whole file. Between ids stand blanks or tabs; lines end with LF or CR LF; empty lines count for nothing. A file
 * that is empty gives no pairs. Errors name file, line and what stands there. */
cfd_status id_pairs_read(const memory_source *memory, const char *path, id_kind first, id_kind second, id_pairs *out);
void id_pairs_release(id_pairs *pairs); /* accepts a zeroed struct */

#endif
