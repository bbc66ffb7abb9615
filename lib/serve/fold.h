/* SPDX-License-Identifier: Apache-2.0 */
/* A user or item that joins the graph after training: what its neighbours' rows make of it by the propagation of SPEC 4,
 * without any gradient. What is already in the graph stays as it is. */
#ifndef CFD_SERVE_FOLD_H
#define CFD_SERVE_FOLD_H

#include "serve/snapshot.h"

typedef struct folded_node {
    const int32_t *neighbours; /* n nodes, each once */
    size_t n;
    const float *own; /* its row of X, head_columns; NULL: zeros */
    /* results, each may be NULL where it is not wanted */
    float *layers; /* L x d: E_0 (zeros) to E_(L-1) */
    float *base;   /* d: E_L */
    float *hops;   /* head_columns: P */
    float *fused;  /* head_columns: S */
} folded_node;

/* Numbers of scratch. */
size_t fold_room(const snapshot *s);
void fold_node(const snapshot *s, const folded_node *node, double *room);

/* The query row of a user with these items (each once): width numbers. CFD_ERROR_NUMERIC: not finite. */
cfd_status fold_user(const snapshot *s, const int32_t *items, size_t n, float *query);

#endif
