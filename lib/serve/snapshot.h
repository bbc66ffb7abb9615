/* SPDX-License-Identifier: Apache-2.0 */
/* All that serving is made of, as a model leaves it or a file holds it: query and key rows; who has what; and what new users
 * and items are computed from (SPEC 4). Immutable once it is filled. Its arrays are its own memory or lie in a mapped file.
 */
#ifndef CFD_SERVE_SNAPSHOT_H
#define CFD_SERVE_SNAPSHOT_H

#include "data/transform.h"
#include "io/safetensors.h"
#include "model/settings.h"
#include "serve/filter.h"

enum { SNAPSHOT_KINDS = 2 }; /* common, differential, in this order; those that are switched off are left out */

/* Rows of every node before they were propagated, users first: from these follow the rows of a node that joins the graph. */
typedef struct node_rows {
    const float *layers;    /* L x nodes x d: E_0 to E_(L-1); NULL without the base branch */
    const float *heads;     /* nodes x head_columns: X; NULL without modalities */
    const float *hops;      /* nodes x head_columns: P */
    const int32_t *degrees; /* nodes: neighbours, the node itself included. NULL: nothing of all this was kept */
} node_rows;

/* How a role's features become rows of X. */
typedef struct content_encoder {
    int32_t features; /* columns of the features as they are handed over */
    const float *idf; /* features; tags are weighted by it; NULL: these are not tags */
    transform_stage stages[SETTINGS_MAX_STAGES];
    int32_t n_stages;
    int32_t columns;                      /* d_m: of the transformed features */
    int32_t widest;                       /* most columns that a row has on its way, d included */
    const float *weights[SNAPSHOT_KINDS]; /* columns x d of each kind that there is */
    const float *whitening;               /* kinds x d x d; NULL: not whitened */
} content_encoder;

enum { SNAPSHOT_ARRAYS = 8 + CFD_MAX_MODALITIES * (2 + SNAPSHOT_KINDS + 3 * SETTINGS_MAX_STAGES) };

typedef struct snapshot {
    const memory_source *memory;
    settings values;
    char roles[CFD_MAX_MODALITIES][SETTINGS_ROLE_BYTES];
    int32_t n_roles;
    int64_t steps_done;
    int32_t users, items, width;
    const float *queries, *keys; /* users x width, items x width */
    seen_items history;          /* offsets NULL: not kept */
    node_rows nodes;
    content_encoder encoders[CFD_MAX_MODALITIES]; /* of the roles, where nodes were kept */
    void *arrays[SNAPSHOT_ARRAYS];                /* owned */
    int32_t n_arrays;
    safetensors_file file; /* or where they lie */
} snapshot;

/* Columns of the score rows, in order: base, then each role's parts, then the fused branch. */
typedef struct score_layout {
    int32_t d, layers;
    int32_t n_kinds;
    int32_t kinds[SNAPSHOT_KINDS]; /* position of common and differential among a role's parts; -1: switched off */
    int32_t head_columns;          /* of all roles */
    bool has_base, has_fused;
    int32_t heads_at, fused_at; /* where they begin */
} score_layout;

score_layout snapshot_layout(const snapshot *s);
/* Where a role's part begins in score rows; -1: there is no such part. */
static inline int32_t layout_part(const score_layout *l, int32_t role, int kind)
{
    return l->kinds[kind] < 0 ? -1 : l->heads_at + (role * l->n_kinds + l->kinds[kind]) * l->d;
}

/* An array of the snapshot's own, uninitialised. */
cfd_status snapshot_array(snapshot *s, size_t count, size_t size, const char *what, void *out);
/* A copy in an array of its own; NULL gives NULL. */
cfd_status snapshot_copy(snapshot *s, const void *from, size_t count, size_t size, const char *what, void *out);
/* The same for what a stage has learnt. */
cfd_status snapshot_copy_stage(snapshot *s, const transform_stage *from, transform_stage *to);
void snapshot_release(snapshot *s); /* accepts a zeroed struct */

/* The role's number, -1: there is none of that name. */
int32_t snapshot_role(const snapshot *s, const char *role);

/* Most columns that a row of features has on its way to an embedding of d. */
int32_t snapshot_widest(const content_encoder *encoder, int32_t d);

/* Were nodes kept? Else CFD_ERROR_DATA, which says what to do about it. */
cfd_status snapshot_require_nodes(const snapshot *s);

#endif
