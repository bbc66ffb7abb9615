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

/* What the columns of the roles that an item has are multiplied by: the sum of all lambdas over the sum of theirs; 1 where
 * those are 0. has: one array for each role, NULL where all items have it. */
static double key_scale(const model *m, uint8_t *const *has, int32_t item)
{
    double all = 0;
    double present = 0;
    for (int32_t r = 0; r < m->n_roles; r++) {
        all += m->roles[r].own.lambda;
        present += !has[r] || has[r][item] ? m->roles[r].own.lambda : 0;
    }
    return present > 0 ? all / present : 1;
}

static void scale_keys(const model *m, uint8_t *const *has, float *keys)
{
    size_t width = (size_t)model_score_width(m);
    size_t base = m->has_base ? (size_t)m->d : 0;
    for (int32_t i = 0; i < m->items; i++) {
        float scale = (float)key_scale(m, has, i);
        for (int32_t r = 0; r < m->n_roles; r++) {
            if (scale == 1.0f || (has[r] && !has[r][i])) {
                continue;
            }
            float *columns = keys + (size_t)i * width + base + (size_t)r * (size_t)m->role_columns;
            for (int32_t c = 0; c < m->role_columns; c++) {
                columns[c] *= scale;
            }
        }
    }
}

static cfd_status renormalise_keys(const model *m, float *keys)
{
    uint8_t *has[CFD_MAX_MODALITIES] = {NULL};
    cfd_status status = CFD_OK;
    for (int32_t r = 0; r < m->n_roles; r++) {
        if (m->roles[r].present) {
            TRY_OR(done, memory_allocate(m->memory, (size_t)m->items, 1, "which items have a modality", &has[r]));
            TRY_OR(done, m->device->table->download(m->device, has[r], m->roles[r].present, (size_t)m->items));
        }
    }
    scale_keys(m, has, keys);
done:
    for (int32_t r = 0; r < m->n_roles; r++) {
        memory_release(m->memory, has[r]);
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
            TRY_OR(done, t->copy_matrix(m->device, p->rows + (int64_t)first * p->ld, p->ld, to, width, rows, p->columns,
                                        scale));
            to += p->columns;
        }
        TRY_OR(done, t->download(m->device, side == 0 ? queries : keys, block,
                                 (size_t)rows * (size_t)width * sizeof(float)));
    }
    if (m->values.renormalise_missing) {
        TRY_OR(done, renormalise_keys(m, keys));
    }
done:
    t->release(m->device, block);
    return status;
}
