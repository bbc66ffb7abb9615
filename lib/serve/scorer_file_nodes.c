/* SPDX-License-Identifier: Apache-2.0 */
/* The optional parts of a model file: node rows, encoders, history. Where one part of a group is there the others must be.
 */
#include "serve/scorer_file.h"

#include <stdio.h>
#include <string.h>

enum { NAME_BYTES = 128 };

static const safetensor *find(const snapshot *s, const char *format, const char *role, int32_t stage)
{
    char name[NAME_BYTES];
    snprintf(name, sizeof name, format, role, (int)stage);
    return safetensors_find(&s->file, name);
}

/* A vector of integers: dtype and length must be right. */
static cfd_status integers(const snapshot *s, const char *path, const char *name, const char *dtype, int64_t n,
                           const void **out)
{
    const safetensor *tensor = safetensors_find(&s->file, name);
    if (!tensor) {
        return fail(CFD_ERROR_FORMAT, "%s: tensor %s is missing", path, name);
    }
    if (strcmp(tensor->dtype, dtype) != 0 || tensor->rank != 1 || (n >= 0 && tensor->shape[0] != n)) {
        return fail(CFD_ERROR_FORMAT, "%s: tensor %s is not a vector of %lld %s", path, name, (long long)n, dtype);
    }
    *out = tensor->data;
    return CFD_OK;
}

/* ---- history ---- */

static cfd_status read_history(const char *path, snapshot *s)
{
    if (!safetensors_find(&s->file, "serve.history.offsets")) {
        return CFD_OK;
    }
    const void *offsets_data;
    const void *items_data;
    TRY(integers(s, path, "serve.history.offsets", "I64", (int64_t)s->users + 1, &offsets_data));
    const int64_t *offsets = offsets_data;
    for (int32_t user = 0; user < s->users; user++) {
        if (offsets[0] != 0 || offsets[user + 1] < offsets[user]) {
            return fail(CFD_ERROR_FORMAT, "%s: tensor serve.history.offsets does not ascend from 0 at user %d", path,
                        (int)user);
        }
    }
    TRY(integers(s, path, "serve.history.items", "I32", offsets[s->users], &items_data));
    const int32_t *items = items_data;
    for (int32_t user = 0; user < s->users; user++) {
        for (int64_t k = offsets[user]; k < offsets[user + 1]; k++) {
            if (items[k] < 0 || items[k] >= s->items || (k > offsets[user] && items[k] <= items[k - 1])) {
                return fail(CFD_ERROR_FORMAT, "%s: tensor serve.history.items does not name ascending items for user %d",
                            path, (int)user);
            }
        }
    }
    s->history = (seen_items){offsets, items};
    return CFD_OK;
}

/* ---- encoders ---- */

/* A vector of n numbers, or NULL where there is none. */
static cfd_status optional_vector(const snapshot *s, const char *path, const char *format, const char *role, int32_t stage,
                                  int64_t n, const float **out)
{
    const safetensor *tensor = find(s, format, role, stage);
    *out = NULL;
    if (!tensor) {
        return CFD_OK;
    }
    if (strcmp(tensor->dtype, "F32") != 0 || tensor->rank != 1 || tensor->shape[0] != n) {
        return fail(CFD_ERROR_FORMAT, "%s: tensor %s is not a vector of %lld F32", path, tensor->name, (long long)n);
    }
    *out = tensor->data;
    return CFD_OK;
}

static cfd_status missing(const char *path, const char *role, int32_t stage, const char *what)
{
    return fail(CFD_ERROR_FORMAT, "%s: tensor transform.%s.%d.%s is missing", path, role, (int)stage, what);
}

/* Stages are read from the last to the first: only their ends say how many columns they begin with. */
static cfd_status read_stage(const snapshot *s, const char *path, const char *role, int32_t i, const transform_step *step,
                             int32_t out, transform_stage *stage)
{
    *stage = (transform_stage){.kind = step->kind, .in = out, .out = out};
    const float *mean;
    const float *scale;
    switch (step->kind) {
    case TRANSFORM_L2: return CFD_OK;
    case TRANSFORM_CENTER:
    case TRANSFORM_STANDARDIZE:
        TRY(optional_vector(s, path, "transform.%s.%d.mean", role, i, out, &mean));
        TRY(optional_vector(s, path, "transform.%s.%d.scale", role, i, out, &scale));
        if (!mean) {
            return missing(path, role, i, "mean");
        }
        if (step->kind == TRANSFORM_STANDARDIZE && !scale) {
            return missing(path, role, i, "scale");
        }
        stage->mean = mean;
        stage->scale = step->kind == TRANSFORM_STANDARDIZE ? scale : NULL;
        return CFD_OK;
    case TRANSFORM_SVD: {
        const safetensor *basis = find(s, "transform.%s.%d.basis", role, i);
        if (!basis) {
            return missing(path, role, i, "basis");
        }
        if (strcmp(basis->dtype, "F32") != 0 || basis->rank != 2 || basis->shape[0] < 1 || basis->shape[0] > INT32_MAX ||
            basis->shape[1] != out) {
            return fail(CFD_ERROR_FORMAT, "%s: tensor %s does not have %d columns of F32", path, basis->name, (int)out);
        }
        stage->in = (int32_t)basis->shape[0];
        stage->basis = basis->data;
        return CFD_OK;
    }
    }
    return CFD_OK;
}

static cfd_status read_stages(const snapshot *s, const char *path, const char *role, content_encoder *e)
{
    char key[SETTINGS_ROLE_BYTES + 16];
    transform_step steps[SETTINGS_MAX_STAGES];
    snprintf(key, sizeof key, "transform.%s", role);
    role_settings own = settings_role(&s->values, role);
    TRY(settings_read_transform(key, own.transform, steps, &e->n_stages));
    int32_t columns = e->columns;
    for (int32_t i = e->n_stages - 1; i >= 0; i--) {
        TRY(read_stage(s, path, role, i, &steps[i], columns, &e->stages[i]));
        columns = e->stages[i].in;
    }
    e->features = columns;
    return CFD_OK;
}

static cfd_status read_encoder(const char *path, snapshot *s, int32_t role)
{
    static const char *const names[SNAPSHOT_KINDS] = {"proj.common.%s", "proj.differential.%s"};
    const char *name = s->roles[role];
    content_encoder *e = &s->encoders[role];
    score_layout l = snapshot_layout(s);
    for (int kind = 0; kind < SNAPSHOT_KINDS; kind++) {
        const safetensor *weights = find(s, names[kind], name, 0);
        if (l.kinds[kind] < 0) {
            continue;
        }
        if (!weights) {
            return fail(CFD_ERROR_FORMAT, "%s: a projection of role %s is missing", path, name);
        }
        /* Of d columns: check_parameters. */
        if (weights->shape[0] > INT32_MAX || (e->columns > 0 && weights->shape[0] != e->columns)) {
            return fail(CFD_ERROR_FORMAT, "%s: tensor %s has %lld rows", path, weights->name, (long long)weights->shape[0]);
        }
        e->columns = (int32_t)weights->shape[0];
        e->weights[kind] = weights->data;
    }
    TRY(read_stages(s, path, name, e));
    TRY(optional_vector(s, path, "features.%s.idf", name, 0, e->features, &e->idf));
    char whitening[NAME_BYTES];
    snprintf(whitening, sizeof whitening, "serve.whitening.%s", name);
    if (settings_role(&s->values, name).whiten && s->values.whitening) {
        TRY(scorer_file_matrix(s, path, whitening, (int64_t)l.n_kinds * l.d, l.d, "parts x embedding_dim rows of it",
                               &e->whitening));
    }
    e->widest = snapshot_widest(e, l.d);
    return CFD_OK;
}

/* ---- nodes ---- */

cfd_status scorer_file_read_nodes(const char *path, snapshot *s)
{
    TRY(read_history(path, s));
    if (!safetensors_find(&s->file, "serve.degrees")) {
        return CFD_OK;
    }
    score_layout l = snapshot_layout(s);
    int64_t nodes = (int64_t)s->users + s->items;
    const void *data;
    TRY(integers(s, path, "serve.degrees", "I32", nodes, &data));
    const int32_t *degrees = data;
    for (int64_t node = 0; node < nodes; node++) {
        if (degrees[node] < 1) {
            return fail(CFD_ERROR_FORMAT, "%s: tensor serve.degrees is %d at node %lld", path, (int)degrees[node],
                        (long long)node);
        }
    }
    if (l.has_base) {
        TRY(scorer_file_matrix(s, path, "serve.layers", l.layers * nodes, l.d, "layers times nodes x embedding_dim",
                               &s->nodes.layers));
    }
    if (l.head_columns > 0) {
        TRY(scorer_file_matrix(s, path, "serve.heads", nodes, l.head_columns, "nodes x parts", &s->nodes.heads));
        TRY(scorer_file_matrix(s, path, "serve.hops", nodes, l.head_columns, "nodes x parts", &s->nodes.hops));
    }
    for (int32_t role = 0; role < s->n_roles && l.n_kinds > 0; role++) {
        TRY(read_encoder(path, s, role));
    }
    s->nodes.degrees = degrees;
    return CFD_OK;
}
