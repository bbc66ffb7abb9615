/* SPDX-License-Identifier: Apache-2.0 */
/* What a model makes of its parameters: propagated embeddings by name. */
#include "api/model_handle.h"

#include <string.h>

/* ---- embeddings ---- */

enum embedding_source { EMBEDDING_BASE, EMBEDDING_HEAD, EMBEDDING_PROJECTED, EMBEDDING_FUSED };

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
    if ((strcmp(name, "heads") == 0 || strcmp(name, "projected") == 0) && m->n_roles > 0) {
        *out = (embedding){name[0] == 'h' ? EMBEDDING_HEAD : EMBEDDING_PROJECTED, 0, m->head_columns};
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
                "there is no embedding \"%.80s\": base, common.ROLE, differential.ROLE, heads, projected, fused, as far as "
                "the model "
                "has these branches",
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
    const float *rows = e.source == EMBEDDING_BASE    ? base
                        : e.source == EMBEDDING_FUSED ? fused
                        : e.source == EMBEDDING_HEAD  ? m->p
                                                      : m->x;
    int64_t ld = e.source == EMBEDDING_BASE ? m->d : m->head_columns;
    TRY_OR(done, t->copy_matrix(m->device, rows + e.column, ld, block, e.columns, m->nodes, e.columns, 1.0f));
    TRY_OR(done, t->download(m->device, values, block, wanted * sizeof(float)));
done:
    t->release(m->device, block);
    return status;
}
