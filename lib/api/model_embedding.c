/* SPDX-License-Identifier: Apache-2.0 */
/* What a model makes of its parameters: propagated embeddings by name, and the snapshot that serves. */
#include "api/model_handle.h"

#include "api/scorer_new.h"

#include <math.h>
#include <string.h>

/* ---- embeddings ---- */

enum embedding_source { EMBEDDING_BASE, EMBEDDING_HEAD, EMBEDDING_FUSED };

typedef struct embedding {
    enum embedding_source source;
    int32_t column, columns; /* of the source's rows */
} embedding;

static cfd_status find_embedding(const struct model *m, const char *name, embedding *out)
{
    static const char *const kinds[KINDS] = {"common.", "differential."};
    if (strcmp(name, "base") == 0 && m->has_base) {
        *out = (embedding){EMBEDDING_BASE, 0, m->d};
        return CFD_OK;
    }
    if (strcmp(name, "fused") == 0 && m->has_fused) {
        *out = (embedding){EMBEDDING_FUSED, 0, m->head_columns};
        return CFD_OK;
    }
    for (int kind = 0; kind < KINDS; kind++) {
        size_t length = strlen(kinds[kind]);
        for (int32_t r = 0; r < m->n_roles && m->kinds[kind] >= 0; r++) {
            if (strncmp(name, kinds[kind], length) == 0 && strcmp(name + length, m->roles[r].own.role) == 0) {
                *out = (embedding){EMBEDDING_HEAD, model_head_column(m, r, (enum model_kind)kind), m->d};
                return CFD_OK;
            }
        }
    }
    return fail(CFD_ERROR_ARGUMENT,
                "there is no embedding \"%.80s\": base, common.ROLE, differential.ROLE, fused, as far as the model has these "
                "branches",
                name);
}

cfd_status cfd_model_get_embedding(cfd_model *model, const char *name, float *values, size_t n)
{
    REQUIRE(model);
    REQUIRE(name);
    REQUIRE(values);
    struct model *m = model->core;
    embedding e;
    TRY(find_embedding(m, name, &e));
    size_t wanted = (size_t)m->nodes * (size_t)e.columns;
    if (n != wanted) {
        return fail(CFD_ERROR_ARGUMENT, "n is %zu: %s has %d x %d = %zu numbers", n, name, (int)m->nodes, (int)e.columns,
                    wanted);
    }
    const ops_table *t = m->device->table;
    const float *base;
    const float *fused;
    float *block;
    TRY(t->allocate(m->device, wanted * sizeof(float), "an embedding", &block));
    cfd_status status;
    TRY_OR(done, model_embed(m, &base, &fused));
    const float *rows = e.source == EMBEDDING_BASE ? base : e.source == EMBEDDING_FUSED ? fused : m->p;
    int64_t ld = e.source == EMBEDDING_BASE ? m->d : m->head_columns;
    TRY_OR(done, t->copy_matrix(m->device, rows + e.column, ld, block, e.columns, m->nodes, e.columns, 1.0f));
    TRY_OR(done, t->download(m->device, values, block, wanted * sizeof(float)));
done:
    t->release(m->device, block);
    return status;
}

/* ---- the snapshot ---- */

static cfd_status check_finite(const float *rows, int32_t n, size_t width, const char *what)
{
    for (int32_t r = 0; r < n; r++) {
        const float *row = rows + (size_t)r * width;
        for (size_t c = 0; c < width; c++) {
            if (!isfinite(row[c])) {
                return fail(CFD_ERROR_NUMERIC, "the model's embedding of %s %d is not finite: it cannot serve", what, (int)r);
            }
        }
    }
    return CFD_OK;
}

cfd_status model_handle_snapshot(cfd_model *model, const memory_source *memory, float **queries, float **keys)
{
    struct model *m = model->core;
    size_t width = (size_t)model_score_width(m);
    float *q = NULL;
    float *k = NULL;
    cfd_status status;
    TRY_OR(failed, memory_allocate(memory, (size_t)m->users * width, sizeof *q, "the query rows", &q));
    TRY_OR(failed, memory_allocate(memory, (size_t)m->items * width, sizeof *k, "the key rows", &k));
    TRY_OR(failed, model_snapshot(m, q, k));
    TRY_OR(failed, check_finite(q, m->users, width, "user"));
    TRY_OR(failed, check_finite(k, m->items, width, "item"));
    *queries = q;
    *keys = k;
    return CFD_OK;
failed:
    memory_release(memory, k);
    memory_release(memory, q);
    return status;
}

cfd_status cfd_scorer_create(cfd_model *model, cfd_scorer **scorer)
{
    return cfd_scorer_create_in(NULL, model, scorer);
}

cfd_status cfd_scorer_create_in(cfd_context *context, cfd_model *model, cfd_scorer **scorer)
{
    REQUIRE(model);
    REQUIRE(scorer);
    struct model *m = model->core;
    context = context ? context : model->context;
    char roles[CFD_MAX_MODALITIES][SETTINGS_ROLE_BYTES];
    for (int32_t r = 0; r < m->n_roles; r++) {
        memcpy(roles[r], m->roles[r].own.role, SETTINGS_ROLE_BYTES);
    }
    float *queries;
    float *keys;
    TRY(model_handle_snapshot(model, &context->memory, &queries, &keys));
    return scorer_handle_create(context, &m->values, (const char(*)[SETTINGS_ROLE_BYTES])roles, m->n_roles,
                                m->parameter_steps, m->users, m->items, model_score_width(m), queries, keys, scorer);
}
