/* SPDX-License-Identifier: Apache-2.0 */
/* The interactions of a split as a user-to-item CSR structure, and the normalised graphs of SPEC 2 over it. */
#ifndef CFD_GRAPH_BIPARTITE_H
#define CFD_GRAPH_BIPARTITE_H

#include "base/memory.h"

/* Who interacted with what: items of a user ascending, each once. */
typedef struct bipartite {
    const memory_source *source;
    int32_t users, items;
    int64_t interactions;
    int64_t *offsets;  /* users + 1 */
    int32_t *item_ids; /* interactions */
} bipartite;

/* Builds it from n pairs in any order; repeated pairs count once, *duplicates (may be NULL) says how many were dropped.
 * The ids must be in range. */
cfd_status bipartite_create(const memory_source *source, int32_t users, int32_t items, const int32_t *user_ids,
                            const int32_t *item_ids, size_t n, bipartite *out, int64_t *duplicates);
/* The union of two over the same users and items. */
cfd_status bipartite_merge(const memory_source *source, const bipartite *a, const bipartite *b, bipartite *out);
/* Accepts a zeroed struct. */
void bipartite_release(bipartite *graph);
/* Does the user have the item? */
bool bipartite_has(const bipartite *graph, int32_t user, int32_t item);

static inline int32_t bipartite_degree(const bipartite *graph, int32_t user)
{
    return (int32_t)(graph->offsets[user + 1] - graph->offsets[user]);
}

/* The symmetric structure of A (SPEC 2): users and items as nodes, users first, every node its own neighbour. Columns of
 * a row ascend. degrees[i] is the row's length. */
typedef struct adjacency {
    const memory_source *source;
    int32_t nodes;
    int64_t nonzeros;
    int64_t *offsets; /* nodes + 1 */
    int32_t *columns; /* nonzeros */
} adjacency;

cfd_status adjacency_create(const memory_source *source, const bipartite *interactions, adjacency *out);
void adjacency_release(adjacency *graph);

/* values[k] of A(left, right): degree(row)^left * degree(column)^right, one for each nonzero. The transpose of A(a, b) is
 * A(b, a) over the same structure. */
void adjacency_values(const adjacency *graph, double left, double right, float *values);

#endif
