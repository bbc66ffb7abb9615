/* SPDX-License-Identifier: Apache-2.0 */
/* The full forward pass, and the query and key rows of serving (SPEC 4): E | V_m ... | S, the lambdas folded into the
 * queries; into the keys, where missing.renormalise asks for it, how much more the modalities weigh that an item has. */
#include "model/sections.h"

cfd_status model_embed(model *m, const float **base, const float **fused)
{
    m->e0_gradient = NULL;
    m->x_gradient = NULL;
    *base = NULL;
    *fused = NULL;
    if (m->has_base) {
        TRY(propagation_forward_all(m, base));
    }
    if (m->n_roles > 0) {
        TRY(projection_forward(m));
        TRY(whitening_forward(m));
        TRY(heads_forward(m, true));
    }
    if (m->has_fused) {
        TRY(fusion_forward_all(m, fused));
    }
    return CFD_OK;
}

int32_t model_score_width(const model *m)
{
    return settings_score_width(&m->values, m->n_roles);
}

/* A range of columns of the score rows, and where it comes from. */
typedef struct part {
    const float *rows; /* of all nodes */
    int64_t ld;
    int32_t columns;
    double lambda;
} part;

static int32_t list_parts(const model *m, const float *base, const float *fused, part parts[CFD_MAX_MODALITIES + 2])
{
    int32_t n = 0;
    if (m->has_base) {
        parts[n++] = (part){base, m->d, m->d, 1.0};
    }
    for (int32_t r = 0; r < m->n_roles; r++) {
        parts[n++] = (part){m->p + (size_t)r * (size_t)m->role_columns, m->head_columns, m->role_columns,
                            m->roles[r].own.lambda};
    }
    if (m->has_fused) {
        parts[n++] = (part){fused, m->head_columns, m->head_columns, m->values.lambda_fused};
    }
    return n;
}

/* ---- missing.renormalise ---- */

/* present: one array for each role, NULL where all items have it. */
static void scale_keys(const model *m, uint8_t *const *present, float *keys)
{
    size_t width = (size_t)model_score_width(m);
    size_t base = m->has_base ? (size_t)m->d : 0;
    double lambdas[CFD_MAX_MODALITIES] = {0};
    for (int32_t r = 0; r < m->n_roles; r++) {
        lambdas[r] = m->roles[r].own.lambda;
    }
    for (int32_t i = 0; i < m->items; i++) {
        bool has[CFD_MAX_MODALITIES] = {false};
        for (int32_t r = 0; r < m->n_roles; r++) {
            has[r] = !present[r] || present[r][i];
        }
        float scale = (float)settings_missing_scale(&m->values, lambdas, has, m->n_roles);
        for (int32_t r = 0; r < m->n_roles; r++) {
            float *columns = keys + (size_t)i * width + base + (size_t)r * (size_t)m->role_columns;
            for (int32_t c = 0; c < m->role_columns && has[r] && scale != 1.0f; c++) {
                columns[c] *= scale;
            }
        }
    }
}

static cfd_status renormalise_keys(const model *m, float *keys)
{
    uint8_t *present[CFD_MAX_MODALITIES] = {NULL};
    cfd_status status = CFD_OK;
    for (int32_t r = 0; r < m->n_roles; r++) {
        if (m->roles[r].present) {
            TRY_OR(done, memory_allocate(m->memory, (size_t)m->items, 1, "which items have a modality", &present[r]));
            TRY_OR(done, m->device->table->download(m->device, present[r], m->roles[r].present, (size_t)m->items));
        }
    }
    scale_keys(m, present, keys);
done:
    for (int32_t r = 0; r < m->n_roles; r++) {
        memory_release(m->memory, present[r]);
    }
    return status;
}

cfd_status model_snapshot(model *m, float *queries, float *keys)
{
    const ops_table *t = m->device->table;
    const float *base;
    const float *fused;
    TRY(model_embed(m, &base, &fused));
    part parts[CFD_MAX_MODALITIES + 2];
    int32_t n_parts = list_parts(m, base, fused, parts);

    int32_t width = model_score_width(m);
    int32_t most = m->users > m->items ? m->users : m->items;
    float *block;
    TRY(t->allocate(m->device, (size_t)most * (size_t)width * sizeof(float), "the query rows", &block));
    cfd_status status = CFD_OK;
    for (int side = 0; side < 2; side++) {
        int32_t first = side == 0 ? 0 : m->users;
        int32_t rows = side == 0 ? m->users : m->items;
        float *to = block;
        for (int32_t i = 0; i < n_parts; i++) {
            const part *p = &parts[i];
            float scale = side == 0 ? (float)p->lambda : 1.0f;
            TRY_OR(done,
                   t->copy_matrix(m->device, p->rows + (int64_t)first * p->ld, p->ld, to, width, rows, p->columns, scale));
            to += p->columns;
        }
        TRY_OR(done,
               t->download(m->device, side == 0 ? queries : keys, block, (size_t)rows * (size_t)width * sizeof(float)));
    }
    if (m->values.renormalise_missing) {
        TRY_OR(done, renormalise_keys(m, keys));
    }
done:
    t->release(m->device, block);
    return status;
}

/* ---- what lies behind the rows ---- */

cfd_status model_read_nodes(model *m, float *layers, float *heads, float *hops)
{
    const ops_table *t = m->device->table;
    size_t rows = (size_t)m->nodes * (size_t)m->d;
    const float *from = m->e0;
    for (int32_t l = 0; l < m->layers && m->has_base; l++) {
        TRY(t->download(m->device, layers + (size_t)l * rows, from, rows * sizeof *layers));
        float *to = m->layer[l % 2];
        if (l + 1 < m->layers) {
            TRY(t->spmm(m->device, &m->base.forward, ops_all_rows, NULL, from, m->d, to, m->d, m->d, NULL));
        }
        from = to;
    }
    if (m->n_roles == 0) {
        return CFD_OK;
    }
    size_t bytes = (size_t)m->nodes * (size_t)m->head_columns * sizeof *heads;
    TRY(t->download(m->device, heads, m->x, bytes));
    return t->download(m->device, hops, m->p, bytes);
}

cfd_status model_read_degrees(model *m, int32_t *degrees)
{
    int64_t *offsets;
    size_t n = (size_t)m->nodes + 1;
    TRY(memory_allocate(m->memory, n, sizeof *offsets, "the degrees", &offsets));
    cfd_status status = m->device->table->download(m->device, offsets, m->offsets, n * sizeof *offsets);
    for (int32_t node = 0; node < m->nodes && status == CFD_OK; node++) {
        degrees[node] = (int32_t)(offsets[node + 1] - offsets[node]);
    }
    memory_release(m->memory, offsets);
    return status;
}

cfd_status model_read_history(model *m, int64_t *offsets, int32_t *items)
{
    const ops_table *t = m->device->table;
    TRY(t->download(m->device, offsets, m->sampler_offsets, ((size_t)m->users + 1) * sizeof *offsets));
    return t->download(m->device, items, m->sampler_items, (size_t)m->n_train * sizeof *items);
}

cfd_status model_read_whitening(model *m, int32_t role, float *whitening)
{
    size_t square = (size_t)m->d * (size_t)m->d;
    const float *from = m->inverse_root + (size_t)role * (size_t)m->n_kinds * square;
    return m->device->table->download(m->device, whitening, from, (size_t)m->n_kinds * square * sizeof *whitening);
}
