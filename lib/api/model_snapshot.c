/* SPDX-License-Identifier: Apache-2.0 */
/* From a model to what serves. */
#include "api/model_handle.h"
#include "api/scorer_new.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static cfd_status check_finite(const float *rows, int32_t n, size_t width, const char *what)
{
    for (int32_t r = 0; r < n; r++) {
        const float *row = rows + (size_t)r * width;
        for (size_t c = 0; c < width; c++) {
            if (!isfinite(row[c])) {
                return fail(CFD_ERROR_NUMERIC, "the model's embedding of %s %d is not finite: it cannot serve", what,
                            (int)r);
            }
        }
    }
    return CFD_OK;
}

static cfd_status take_rows(struct model *m, snapshot *s)
{
    size_t width = (size_t)s->width;
    float *queries;
    float *keys;
    TRY(snapshot_array(s, (size_t)m->users * width, sizeof *queries, "the query rows", &queries));
    TRY(snapshot_array(s, (size_t)m->items * width, sizeof *keys, "the key rows", &keys));
    TRY(model_snapshot(m, queries, keys));
    TRY(check_finite(queries, m->users, width, "user"));
    TRY(check_finite(keys, m->items, width, "item"));
    s->queries = queries;
    s->keys = keys;
    return CFD_OK;
}

static cfd_status take_nodes(struct model *m, snapshot *s)
{
    size_t nodes = (size_t)m->nodes;
    float *layers = NULL;
    float *heads = NULL;
    float *hops = NULL;
    int32_t *degrees;
    if (m->has_base) {
        TRY(snapshot_array(s, (size_t)m->layers * nodes, (size_t)m->d * sizeof *layers, "the layers", &layers));
    }
    if (m->n_roles > 0) {
        TRY(snapshot_array(s, nodes, (size_t)m->head_columns * sizeof *heads, "the heads", &heads));
        TRY(snapshot_array(s, nodes, (size_t)m->head_columns * sizeof *hops, "the propagated heads", &hops));
    }
    TRY(snapshot_array(s, nodes, sizeof *degrees, "the degrees", &degrees));
    TRY(model_read_nodes(m, layers, heads, hops));
    TRY(model_read_degrees(m, degrees));
    s->nodes = (node_rows){layers, heads, hops, degrees};
    return CFD_OK;
}

static cfd_status take_weights(struct model *m, int32_t role, snapshot *s)
{
    static const char *const names[SNAPSHOT_KINDS] = {"proj.common.%s", "proj.differential.%s"};
    content_encoder *e = &s->encoders[role];
    for (int kind = 0; kind < SNAPSHOT_KINDS; kind++) {
        char name[SETTINGS_ROLE_BYTES + 24];
        snprintf(name, sizeof name, names[kind], s->roles[role]);
        const model_tensor *tensor = model_find_tensor(m, name);
        float *weights;
        if (tensor) {
            TRY(snapshot_array(s, (size_t)tensor->rows * (size_t)tensor->columns, sizeof *weights, name, &weights));
            TRY(model_read_tensor(m, tensor, false, weights));
            e->weights[kind] = weights;
        }
    }
    if (m->roles[role].whitened) {
        float *whitening;
        TRY(snapshot_array(s, (size_t)m->n_kinds * (size_t)m->d, (size_t)m->d * sizeof *whitening, "whitening", &whitening));
        TRY(model_read_whitening(m, role, whitening));
        e->whitening = whitening;
    }
    return CFD_OK;
}

static cfd_status take_encoder(const cfd_model *model, int32_t role, snapshot *s)
{
    content_encoder *e = &s->encoders[role];
    const transform *t = &model->transforms[role];
    const modality *content = &model->data->data.modalities[model->roles[role].modality];
    e->features = content->features.columns;
    e->columns = model->core->roles[role].columns;
    e->n_stages = t->n_stages;
    TRY(snapshot_copy(s, content->idf, (size_t)e->features, sizeof(float), "weights of tags", &e->idf));
    for (int32_t i = 0; i < t->n_stages; i++) {
        TRY(snapshot_copy_stage(s, &t->stages[i], &e->stages[i]));
    }
    e->widest = snapshot_widest(e, model->core->d);
    return take_weights(model->core, role, s);
}

static cfd_status take_history(struct model *m, snapshot *s)
{
    int64_t *offsets;
    int32_t *items;
    TRY(snapshot_array(s, (size_t)m->users + 1, sizeof *offsets, "the history", &offsets));
    TRY(snapshot_array(s, (size_t)m->n_train, sizeof *items, "the history", &items));
    TRY(model_read_history(m, offsets, items));
    s->history = (seen_items){offsets, items};
    return CFD_OK;
}

/* What lies behind the rows: after them, since it is of the same embeddings. */
static cfd_status take_all(cfd_model *model, snapshot *s)
{
    struct model *m = model->core;
    TRY(take_rows(m, s));
    if (m->values.keep_nodes) {
        TRY(take_nodes(m, s));
        for (int32_t role = 0; role < m->n_roles; role++) {
            TRY(take_encoder(model, role, s));
        }
    }
    return m->values.keep_history ? take_history(m, s) : CFD_OK;
}

cfd_status model_handle_snapshot(cfd_model *model, const memory_source *memory, snapshot *out)
{
    struct model *m = model->core;
    snapshot made = {.memory = memory,
                     .values = m->values,
                     .n_roles = m->n_roles,
                     .steps_done = m->parameter_steps,
                     .users = m->users,
                     .items = m->items,
                     .width = model_score_width(m)};
    for (int32_t r = 0; r < m->n_roles; r++) {
        memcpy(made.roles[r], m->roles[r].own.role, SETTINGS_ROLE_BYTES);
    }
    cfd_status status = take_all(model, &made);
    if (status != CFD_OK) {
        snapshot_release(&made);
        return status;
    }
    *out = made;
    return CFD_OK;
}

cfd_status cfd_scorer_create(cfd_model *model, cfd_scorer **scorer)
{
    return cfd_scorer_create_in(NULL, model, scorer);
}

cfd_status cfd_scorer_create_in(cfd_context *context, cfd_model *model, cfd_scorer **scorer)
{
    REQUIRE(model);
    REQUIRE(scorer);
    context = context ? context : model->context;
    snapshot data;
    TRY(model_handle_snapshot(model, &context->memory, &data));
    return scorer_handle_create(context, &data, scorer);
}
