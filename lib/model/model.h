/* SPDX-License-Identifier: Apache-2.0 */
/* The model of SPEC 1 to 6 over the operation table: parameters, workspace, one step.
 *
 * The matrices, with H = roles x kinds heads (kinds: common and differential, where switched on) and N = users + items:
 *
 *   e0  N x d         user.id above item.id
 *   x   N x H d       above: the users' parameters of every head; below: what projection and whitening make of the features.
 *                     Heads stand side by side by role: common.m1 differential.m1 common.m2 ..., so that a role's projection
 *                     is one product and V_m (SPEC 4.6) one range of columns of p.
 *   p   N x H d       x propagated
 *   s   N x H d       p propagated once more (fused)
 *
 * The step needs the last base layer and the fused branch only at the rows of its batch: those are compact (ops.h). */
#ifndef CFD_MODEL_MODEL_H
#define CFD_MODEL_MODEL_H

#include "graph/bipartite.h"
#include "model/settings.h"
#include "ops/ops.h"

enum model_kind { KIND_COMMON = 0, KIND_DIFFERENTIAL = 1, KINDS = 2 };

/* Where the device's loss sums are kept, unweighted. */
enum loss_slot {
    LOSS_RANKING_BASE,
    LOSS_RANKING_FUSED,
    LOSS_RANKING_ROLE,
    LOSS_PENALTY_BASE = LOSS_RANKING_ROLE + CFD_MAX_MODALITIES,
    LOSS_PENALTY_FUSED,
    LOSS_PENALTY_ROLE,
    LOSS_COMMON = LOSS_PENALTY_ROLE + CFD_MAX_MODALITIES,
    LOSS_DIFFERENTIAL,
    LOSS_SLOTS
};

/* What a role brings to model_create. */
typedef struct model_content {
    const char *role;
    ops_feature_source features; /* must outlive the model */
} model_content;

typedef struct model_role {
    role_settings own;
    ops_features *features;
    int32_t columns; /* d_m */
    bool whitened;
    uint8_t *present; /* items: 0 where the row of the features is all zeros; NULL: none is */
    float *weights;   /* d_m x (kinds d): proj.common | proj.differential */
    float *gradient, *moment1, *moment2;
} model_role;

/* A parameter under its name of SPEC 3: a range of columns of a matrix. */
typedef struct model_tensor {
    char name[SETTINGS_ROLE_BYTES + 24];
    float *values;
    int64_t ld;
    int64_t rows;
    int32_t columns;
    float *const *gradient_base; /* the gradient lies as `values` does, from here on */
    int64_t offset;              /* elements from the matrix's start */
} model_tensor;

#define MODEL_MAX_TENSORS (2 + 4 * CFD_MAX_MODALITIES)

/* A graph's structure with the values of one exponent pair. */
typedef struct model_graph {
    ops_csr forward, transposed;
} model_graph;

/* A step for batches of one size, drawn or the caller's. */
typedef struct model_recording {
    ops_recording *work; /* NULL: none */
    int32_t size;
    bool drawn;
    float *e0_gradient, *x_gradient; /* where it leaves them */
} model_recording;

enum { MODEL_RECORDINGS = 4 }; /* whole batches and an epoch's last, of both kinds */

typedef struct model {
    const memory_source *memory;
    ops *device;
    settings values;
    uint64_t seed;
    int32_t users, items, nodes;
    int32_t d, layers;
    int32_t n_roles;
    int32_t kinds[KINDS]; /* position of a kind among a role's heads, -1 where it is switched off */
    int32_t n_kinds;
    int32_t role_columns; /* n_kinds d */
    int32_t head_columns; /* n_roles n_kinds d */
    bool has_base, has_fused;

    /* graphs (SPEC 2), on the device */
    int64_t *offsets;
    int32_t *columns;
    struct {
        exponents of;
        float *values;
    } graph_values[8];
    int32_t n_graph_values;
    int64_t nonzeros;
    model_graph base, kind_graph[KINDS], fused;
    bool one_graph;          /* common and differential graphs are the same */
    ops_precision precision; /* of products with dense features */

    /* parameters and Adam's moments (SPEC 3, 6) */
    float *e0, *e0_moment1, *e0_moment2;
    float *x, *x_moment1, *x_moment2; /* the moments: users' rows only */
    model_role roles[CFD_MAX_MODALITIES];
    model_tensor tensors[MODEL_MAX_TENSORS];
    int32_t n_tensors;

    /* device memory: parameters, moments and gradients of projections; graphs and sampler; the workspace of a step */
    size_t parameter_bytes, constant_bytes, workspace_bytes;

    /* workspace */
    float *layer[2];             /* N x d: layers, then gradients of layers */
    float *last, *last_gradient; /* compact x d: E at the batch's rows */
    float *p;                    /* N x H d: P; once its rows have been used, the gradient of x */
    float *p_rows_gradient;      /* compact x H d: what the losses say of P directly */
    float *p_gradient;           /* N x H d: with what comes through the fused branch; then the items' gradient of Y */
    float *s, *s_gradient;       /* compact x H d */
    float *y;                    /* I x H d: projections before whitening */
    float *moment, *eigenvectors, *roots, *inverse_root, *small_gradient; /* whitening: H x d x d each (roots H x d) */
    double *losses;                                                       /* LOSS_SLOTS */

    /* gradients of the last step; NULL before there is one */
    float *e0_gradient, *x_gradient;

    /* batches (SPEC 6) */
    ops_batch batch;
    ops_sampler sampler;
    int64_t *sampler_offsets;
    int32_t *sampler_items, *pool_users, *pool_items;
    int64_t n_train, steps_per_epoch;
    int64_t steps_done;      /* updates: the next batch and Adam's step follow from it */
    int64_t parameter_steps; /* updates behind the present parameters: fewer once earlier ones were restored */

    /* steps that were recorded (recorded.c), and losses on their way to the host */
    model_recording recordings[MODEL_RECORDINGS];
    bool warm;            /* a step has been done: scratch memory is as large as steps need it */
    bool unrecordable;    /* the device failed to record one */
    ops_mailbox *mailbox; /* NULL: none were asked for */
} model;

/* The interactions are read, not kept. Takes over `device`, also where it fails. */
cfd_status model_create(const memory_source *memory, ops *device, const settings *values, uint64_t seed,
                        const bipartite *train, const model_content *content, int32_t n_content, model **out);
void model_destroy(model *m); /* accepts NULL */

/* Takes over what another model with the same branches has learnt: parameters, moments, place in training. Its users and
 * items are the first of this one's, its features' columns the first of these; what is new stays as it was drawn. */
cfd_status model_take_over(model *m, const model *from);

/* Draws and indexes the next batch of the seed's sequence; or takes the caller's (ids checked), which is indexed afterwards.
 */
cfd_status model_draw_batch(model *m);
cfd_status model_set_batch(model *m, const cfd_batch *batch);
cfd_status model_index_batch(model *m);
/* Where in training the next step is. */
ops_moment model_moment(const model *m);

/* Forward and backward for the present batch; losses are added to the device's sums. */
cfd_status model_compute_gradients(model *m);
/* The update with those gradients. */
cfd_status model_update(model *m);
/* The whole step with the next batch, or the caller's: forward, backward, update. Where the device can record work, all but
 * the first few are one recording run again (recorded.c). */
cfd_status model_step(model *m, const cfd_batch *batch);
void model_forget_recordings(model *m);

cfd_status model_zero_losses(model *m);
/* The sums, divided by `steps`, weighted and added up. Waits for the device. */
cfd_status model_read_losses(model *m, double steps, cfd_losses *losses);

/* The same of the last step, without waiting: asked for now, received when they have come (*ready), or at once with `wait`.
 */
cfd_status model_request_losses(model *m);
cfd_status model_receive_losses(model *m, bool wait, cfd_losses *losses, bool *ready);

/* Full forward at the present parameters: E in *base, P in m->p, S in *fused (each N rows; NULL where switched off). They
 * stay until the next call; gradients are gone. */
cfd_status model_embed(model *m, const float **base, const float **fused);
/* Columns of a query or key row (SPEC 4). */
int32_t model_score_width(const model *m);
/* Query rows (users, weighted by the lambdas) and key rows (items, weighted where missing.renormalise asks for it) into host
 * memory. */
cfd_status model_snapshot(model *m, float *queries, float *keys);
/* What lies behind them, into host memory: E_0 to E_(L-1), each nodes x d (without the base branch: nothing); X and P, nodes
 * x head_columns (without modalities: nothing). The embeddings must be those of the present parameters, as model_snapshot
 * leaves them. */
cfd_status model_read_nodes(model *m, float *layers, float *heads, float *hops);
/* Neighbours of each node, itself included, into host memory. */
cfd_status model_read_degrees(model *m, int32_t *degrees);
/* Who has what, into host memory: users + 1 offsets, and n_train items, ascending for each user. */
cfd_status model_read_history(model *m, int64_t *offsets, int32_t *items);
/* A role's whitening (SPEC 4.3), kinds x d x d, into host memory, as model_snapshot leaves it. */
cfd_status model_read_whitening(model *m, int32_t role, float *whitening);

const model_tensor *model_find_tensor(const model *m, const char *name); /* NULL: no such */
cfd_status model_read_tensor(const model *m, const model_tensor *tensor, bool gradient, float *host);
cfd_status model_write_tensor(model *m, const model_tensor *tensor, const float *host);

/* Column where a head's d columns begin in x, p and s. */
static inline int32_t model_head_column(const model *m, int32_t role, enum model_kind kind)
{
    return (role * m->n_kinds + m->kinds[kind]) * m->d;
}

#endif
