/* SPDX-License-Identifier: Apache-2.0 */
/* Making a model: which branches it has, and all the memory that its steps will need. */
#include "model/model.h"

#include "model/setup.h"

/* ---- shape ---- */

static cfd_status choose_branches(model *m, int32_t n_content)
{
    const settings *v = &m->values;
    m->d = v->embedding_dim;
    m->layers = v->layers;
    m->n_roles = n_content;
    m->n_kinds = 0;
    m->kinds[KIND_COMMON] = n_content > 0 && v->branch_common ? m->n_kinds++ : -1;
    m->kinds[KIND_DIFFERENTIAL] = n_content > 0 && v->branch_differential ? m->n_kinds++ : -1;
    if (m->n_kinds == 0) {
        m->n_roles = 0; /* modalities without parts say nothing */
    }
    m->has_base = v->branch_base;
    m->has_fused = m->n_roles > 0 && v->branch_fused;
    m->role_columns = m->n_kinds * m->d;
    m->head_columns = m->n_roles * m->role_columns;
    if (!m->has_base && m->n_roles == 0) {
        return fail(CFD_ERROR_CONFIG, "nothing to rank by: branch.base is off and no modality takes part");
    }
    if ((int64_t)m->users + m->items > INT32_MAX) {
        return fail(CFD_ERROR_DATA, "%d users and %d items are more than %d nodes", (int)m->users, (int)m->items, INT32_MAX);
    }
    m->nodes = m->users + m->items;
    uint64_t widest = (uint64_t)(m->head_columns > m->d ? m->head_columns : m->d);
    if ((uint64_t)m->nodes * widest > SIZE_MAX / sizeof(double)) {
        return fail_memory("an embedding of every node", SIZE_MAX);
    }
    return CFD_OK;
}

/* What a device cannot do is refused, not replaced: results would differ without a word. */
static cfd_status choose_precision(model *m)
{
    static const ops_precision precisions[] = {OPS_PRECISION_FLOAT32, OPS_PRECISION_BF16X3, OPS_PRECISION_BF16,
                                               OPS_PRECISION_TF32};
    ops_bfloat16 bfloat16 = m->device->table->bfloat16(m->device);
    int32_t asked = m->values.precision;
    if (asked == PRECISION_AUTO) {
        m->precision = bfloat16 == OPS_BFLOAT16_MATRIX ? OPS_PRECISION_BF16X3 : OPS_PRECISION_FLOAT32;
        log_message(&m->device->log, CFD_LOG_INFO, "precision auto: products with dense features in %s",
                    ops_precision_name(m->precision));
        return CFD_OK;
    }
    m->precision = precisions[asked];
    bool able = m->precision == OPS_PRECISION_FLOAT32 ? true
                : m->precision == OPS_PRECISION_TF32  ? m->device->table->tf32(m->device)
                                                      : bfloat16 != OPS_BFLOAT16_NONE;
    if (!able) {
        return fail(CFD_ERROR_CONFIG,
                    "precision = \"%s\": device %s (%s, %s) does not multiply %s natively: float32 or auto wanted",
                    ops_precision_name(m->precision), m->device->table->name, m->device->table->instruction_set(m->device),
                    m->device->table->gemm(m->device), m->precision == OPS_PRECISION_TF32 ? "tf32" : "bfloat16");
    }
    return CFD_OK;
}

/* A fresh model must not learn from what memory held before: parameters are drawn, moments are zero. */
static cfd_status zeroed(model *m, size_t count, const char *what, float **out)
{
    TRY(setup_allocate(m, count, sizeof(float), what, out));
    m->workspace_bytes -= count * sizeof(float);
    m->parameter_bytes += count * sizeof(float);
    return m->device->table->zero(m->device, *out, count * sizeof(float));
}

static cfd_status allocate_base(model *m)
{
    size_t whole = (size_t)m->nodes * (size_t)m->d;
    size_t compact = (size_t)ops_batch_rows(&m->batch).capacity * (size_t)m->d;
    TRY(zeroed(m, whole, "the base embedding", &m->e0));
    TRY(zeroed(m, whole, "Adam's first moment of the base embedding", &m->e0_moment1));
    TRY(zeroed(m, whole, "Adam's second moment of the base embedding", &m->e0_moment2));
    for (int i = 0; i < 2; i++) {
        TRY(setup_allocate(m, whole, sizeof(float), "a layer of the base branch", &m->layer[i]));
    }
    TRY(setup_allocate(m, compact, sizeof(float), "the base branch at a batch's rows", &m->last));
    return setup_allocate(m, compact, sizeof(float), "its gradient", &m->last_gradient);
}

static cfd_status allocate_role(model *m, const model_content *content, model_role *role)
{
    role->own = settings_own_role(&m->values, content->role);
    role->columns = content->features.columns;
    role->whitened = role->own.whiten && m->values.whitening;
    size_t size;
    if (!checked_multiply((size_t)role->columns, (size_t)m->role_columns, &size)) {
        return fail_memory("a projection", SIZE_MAX);
    }
    static const ops_element storages[] = {OPS_FLOAT32, OPS_FLOAT16, OPS_BFLOAT16};
    ops_feature_options options = {m->precision, storages[m->values.feature_storage]};
    cfd_status status = m->device->table->features_create(m->device, &content->features, &options, &role->features);
    if (status == CFD_ERROR_DATA) {
        return fail(status, "role %s: %s", content->role, cfd_last_error());
    }
    TRY(status);
    m->constant_bytes += m->device->table->features_bytes(m->device, role->features);
    TRY(setup_presence(m, &content->features, &role->present));
    TRY(zeroed(m, size, "a projection", &role->weights));
    TRY(zeroed(m, size, "a projection's gradient", &role->gradient));
    TRY(zeroed(m, size, "Adam's first moment of a projection", &role->moment1));
    return zeroed(m, size, "Adam's second moment of a projection", &role->moment2);
}

static cfd_status allocate_heads(model *m, const model_content *content)
{
    size_t whole;
    if (!checked_multiply((size_t)m->nodes, (size_t)m->head_columns, &whole)) {
        return fail_memory("the heads", SIZE_MAX);
    }
    size_t users = (size_t)m->users * (size_t)m->head_columns;
    size_t compact = (size_t)ops_batch_rows(&m->batch).capacity * (size_t)m->head_columns;
    bool whitened = false;
    for (int32_t r = 0; r < m->n_roles; r++) {
        TRY(allocate_role(m, &content[r], &m->roles[r]));
        whitened = whitened || m->roles[r].whitened;
    }
    TRY(zeroed(m, whole, "the heads", &m->x));
    TRY(zeroed(m, users, "Adam's first moment of the users' heads", &m->x_moment1));
    TRY(zeroed(m, users, "Adam's second moment of the users' heads", &m->x_moment2));
    TRY(setup_allocate(m, whole, sizeof(float), "the propagated heads", &m->p));
    TRY(setup_allocate(m, whole, sizeof(float), "the gradient of the propagated heads", &m->p_gradient));
    TRY(setup_allocate(m, compact, sizeof(float), "the gradient of a batch's heads", &m->p_rows_gradient));
    if (m->has_fused) {
        TRY(setup_allocate(m, compact, sizeof(float), "the fused branch at a batch's rows", &m->s));
        TRY(setup_allocate(m, compact, sizeof(float), "its gradient", &m->s_gradient));
    }
    if (whitened) {
        size_t heads = (size_t)m->n_roles * (size_t)m->n_kinds;
        size_t squares = heads * (size_t)m->d * (size_t)m->d;
        TRY(setup_allocate(m, (size_t)m->items * (size_t)m->head_columns, sizeof(float), "the projections", &m->y));
        TRY(setup_allocate(m, squares, sizeof(float), "whitening's moments", &m->moment));
        TRY(setup_allocate(m, squares, sizeof(float), "whitening's eigenvectors", &m->eigenvectors));
        TRY(setup_allocate(m, heads * (size_t)m->d, sizeof(float), "whitening's eigenvalues", &m->roots));
        TRY(setup_allocate(m, squares, sizeof(float), "whitening's inverse roots", &m->inverse_root));
        TRY(setup_allocate(m, squares, sizeof(float), "whitening's gradient", &m->small_gradient));
    }
    return CFD_OK;
}

static cfd_status build(model *m, const bipartite *train, const model_content *content, int32_t n_content)
{
    TRY(choose_branches(m, n_content));
    TRY(choose_precision(m));
    TRY(setup_graphs(m, train));
    TRY(setup_sampler(m, train));
    TRY(setup_allocate(m, LOSS_SLOTS, sizeof(double), "the losses", &m->losses));
    TRY(model_zero_losses(m));
    if (m->has_base) {
        TRY(allocate_base(m));
    }
    if (m->n_roles > 0) {
        TRY(allocate_heads(m, content));
    }
    return setup_parameters(m);
}

cfd_status model_create(const memory_source *memory, ops *device, const settings *values, uint64_t seed,
                        const bipartite *train, const model_content *content, int32_t n_content, model **out)
{
    model *m = NULL;
    cfd_status status = memory_allocate_zero(memory, 1, sizeof *m, "a model", &m);
    if (status != CFD_OK) {
        device->table->destroy(device);
        return status;
    }
    m->memory = memory;
    m->device = device;
    m->values = *values;
    m->seed = seed;
    m->users = train->users;
    m->items = train->items;
    m->n_train = train->interactions;
    status = build(m, train, content, n_content);
    if (status != CFD_OK) {
        model_destroy(m);
        return status;
    }
    *out = m;
    return CFD_OK;
}

void model_destroy(model *m)
{
    if (!m) {
        return;
    }
    ops *o = m->device;
    model_forget_recordings(m);
    if (m->mailbox) {
        o->table->mailbox_destroy(o, m->mailbox);
    }
    /* clang-format off */
    void *blocks[] = {
        m->offsets, m->columns, m->e0, m->e0_moment1, m->e0_moment2, m->x, m->x_moment1, m->x_moment2,
        m->layer[0], m->layer[1], m->last, m->last_gradient, m->p, m->p_rows_gradient, m->p_gradient, m->s, m->s_gradient,
        m->y, m->moment, m->eigenvectors, m->roots, m->inverse_root, m->small_gradient, m->losses,
        m->sampler_offsets, m->sampler_items, m->pool_users, m->pool_items,
        m->batch.user_ids, m->batch.positives, m->batch.negatives, m->batch.count, m->batch.rows, m->batch.slots,
        m->batch.offsets, m->batch.occurrences,
    };
    /* clang-format on */
    for (size_t i = 0; i < sizeof blocks / sizeof blocks[0]; i++) {
        o->table->release(o, blocks[i]);
    }
    for (int32_t i = 0; i < m->n_graph_values; i++) {
        o->table->release(o, m->graph_values[i].values);
    }
    for (int32_t r = 0; r < m->n_roles; r++) {
        model_role *role = &m->roles[r];
        o->table->features_destroy(o, role->features);
        o->table->release(o, role->present);
        o->table->release(o, role->weights);
        o->table->release(o, role->gradient);
        o->table->release(o, role->moment1);
        o->table->release(o, role->moment2);
    }
    o->table->destroy(o);
    memory_release(m->memory, m);
}
