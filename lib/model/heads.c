/* SPDX-License-Identifier: Apache-2.0 */
/* Heads (SPEC 4.4): P_hm = G_h X_hm, one hop. All heads of equal graph side by side are one pass over it. Without the fused
 * branch P is needed at the batch's rows only, and is compact. */
#include "model/sections.h"

typedef struct hop {
    bool transposed;
    ops_rows output;
    const int32_t *slots;
    const float *from;
    float *to;
    bool with_penalty;
} hop;

static cfd_status propagate(model *m, hop h)
{
    const ops_table *t = m->device->table;
    int64_t ld = m->head_columns;
    penalty_addend own;
    if (m->one_graph) {
        const model_graph *g = &m->kind_graph[m->kinds[KIND_COMMON] >= 0 ? KIND_COMMON : KIND_DIFFERENTIAL];
        return t->spmm(m->device, h.transposed ? &g->transposed : &g->forward, h.output, h.slots, h.from, ld, h.to, ld,
                       m->head_columns, h.with_penalty ? penalty_of_heads(m, &own) : NULL);
    }
    for (int32_t r = 0; r < m->n_roles; r++) {
        for (int32_t kind = 0; kind < KINDS; kind++) {
            const model_graph *g = &m->kind_graph[kind];
            int32_t column = model_head_column(m, r, (enum model_kind)kind);
            TRY(t->spmm(m->device, h.transposed ? &g->transposed : &g->forward, h.output, h.slots, h.from + column, ld,
                        h.to + column, ld, m->d,
                        h.with_penalty ? penalty_of_head(m, r, (enum model_kind)kind, &own) : NULL));
        }
    }
    return CFD_OK;
}

static ops_rows needed_rows(const model *m, bool all_rows)
{
    return all_rows || m->has_fused ? ops_all_rows : ops_batch_rows(&m->batch);
}

cfd_status heads_forward(model *m, bool all_rows)
{
    return propagate(m, (hop){.output = needed_rows(m, all_rows), .from = m->x, .to = m->p});
}

cfd_status heads_backward(model *m)
{
    /* p's rows have been used: the gradient of x takes their place. */
    m->x_gradient = m->p;
    return propagate(m, (hop){.transposed = true,
                              .output = ops_all_rows,
                              .slots = m->has_fused ? NULL : m->batch.slots,
                              .from = m->has_fused ? m->p_gradient : m->p_rows_gradient,
                              .to = m->p,
                              .with_penalty = true});
}

ops_view heads_rows(const model *m, int32_t column, int32_t width)
{
    return (ops_view){m->p + column, m->head_columns, width, m->has_fused};
}

ops_view heads_rows_gradient(const model *m, int32_t column, int32_t width)
{
    return (ops_view){m->p_rows_gradient + column, m->head_columns, width, false};
}
