/* SPDX-License-Identifier: Apache-2.0 */
/* See staged.h. A failure of the staging itself ends the test. */
#include "staged.h"

#include "ops/plugin_open.h"
#include "test.h"

#include <dlfcn.h>
#include <stdio.h>
#include <unistd.h>

typedef struct staged_ops {
    ops base;
    ops_table table;
    ops *inner;
} staged_ops;

static ops *inner_of(const ops *o)
{
    return ((const staged_ops *)(const void *)o)->inner;
}

/* ---- staging: rows of numbers, of which gaps between them are not copied but filled with NaN ---- */

enum { MOST_STAGES = 64 };

typedef struct stage {
    unsigned char *host;
    void *device;
    size_t rows, width, pitch; /* bytes; rows 1 for plain arrays */
    bool written;
} stage;

typedef struct staging {
    ops *o; /* the inner instance */
    stage stages[MOST_STAGES];
    int n;
} staging;

static size_t extent(const stage *s)
{
    return s->rows == 0 ? 0 : (s->rows - 1) * s->pitch + s->width;
}

static void *stage_rows(staging *all, const void *host, size_t rows, size_t width, size_t pitch, bool written)
{
    if (!host) {
        return NULL;
    }
    for (int i = 0; i < all->n; i++) {
        stage *s = &all->stages[i];
        if (s->host == host && s->rows == rows && s->width == width && s->pitch == pitch) {
            s->written = s->written || written;
            return s->device;
        }
    }
    ck_assert_int_lt(all->n, MOST_STAGES);
    union {
        const void *from;
        void *to;
    } cast = {host};
    stage *s = &all->stages[all->n++];
    *s = (stage){cast.to, NULL, rows, width, pitch, written};
    size_t bytes = extent(s);
    unsigned char *copy = malloc(bytes + 1);
    ck_assert_ptr_nonnull(copy);
    memset(copy, 0xff, bytes);
    for (size_t r = 0; r < rows; r++) {
        memcpy(copy + r * pitch, s->host + r * pitch, width);
    }
    OK(all->o->table->allocate(all->o, bytes, "an operand", &s->device));
    OK(all->o->table->upload(all->o, s->device, copy, bytes));
    free(copy);
    return s->device;
}

static void *stage_array(staging *all, const void *host, size_t count, size_t size, bool written)
{
    return stage_rows(all, host, 1, count * size, count * size, written);
}

static float *stage_matrix(staging *all, const float *host, int64_t rows, int32_t columns, int64_t ld, bool written)
{
    return stage_rows(all, host, (size_t)rows, (size_t)columns * sizeof(float), (size_t)ld * sizeof(float), written);
}

/* Copies back what was written, in any case waits, and gives the device's memory back. */
static cfd_status stage_end(staging *all, cfd_status status)
{
    cfd_status waited = all->o->table->synchronise(all->o);
    status = status != CFD_OK ? status : waited;
    for (int i = 0; i < all->n; i++) {
        stage *s = &all->stages[i];
        size_t bytes = extent(s);
        if (s->written && status == CFD_OK && bytes > 0) {
            unsigned char *copy = malloc(bytes);
            ck_assert_ptr_nonnull(copy);
            OK(all->o->table->download(all->o, copy, s->device, bytes));
            for (size_t r = 0; r < s->rows; r++) {
                memcpy(s->host + r * s->pitch, copy + r * s->pitch, s->width);
            }
            free(copy);
        }
        all->o->table->release(all->o, s->device);
    }
    return status;
}

/* ---- compound operands ---- */

static ops_batch stage_batch(staging *all, const ops_batch *b, bool drawn, bool indexed)
{
    ops_batch out = *b;
    size_t number = sizeof(int32_t);
    size_t capacity = (size_t)b->capacity;
    size_t rows = (size_t)ops_batch_rows(b).capacity;
    out.user_ids = stage_array(all, b->user_ids, capacity, number, drawn);
    out.positives = stage_array(all, b->positives, capacity, number, drawn);
    out.negatives = stage_array(all, b->negatives, capacity, number, drawn);
    out.count = stage_array(all, b->count, 1, number, indexed);
    out.rows = stage_array(all, b->rows, rows, number, indexed);
    out.slots = stage_array(all, b->slots, (size_t)b->nodes, number, indexed);
    out.offsets = stage_array(all, b->offsets, rows + 1, number, indexed);
    out.occurrences = stage_array(all, b->occurrences, 3 * capacity, number, indexed);
    return out;
}

static ops_view stage_view(staging *all, const ops_batch *host, ops_view view, bool written)
{
    int64_t rows = view.by_node ? host->nodes : *host->count;
    view.data = stage_matrix(all, view.data, rows, view.width, view.ld, written);
    return view;
}

static ops_csr stage_csr(staging *all, const ops_csr *g)
{
    ops_csr out = *g;
    out.offsets = stage_array(all, g->offsets, (size_t)g->rows + 1, sizeof *g->offsets, false);
    out.indices = stage_array(all, g->indices, (size_t)g->nonzeros, sizeof *g->indices, false);
    out.values = stage_array(all, g->values, (size_t)g->nonzeros, sizeof *g->values, false);
    return out;
}

/* ---- the operations ---- */

static cfd_status staged_create(const ops *like, ops **out)
{
    ops *inner;
    TRY(inner_of(like)->table->create(inner_of(like), &inner));
    *out = ops_create_staged(inner);
    return CFD_OK;
}

static void staged_destroy(ops *o)
{
    if (o) {
        ops *inner = inner_of(o);
        inner->table->destroy(inner);
        free(o);
    }
}

static const char *staged_instruction_set(const ops *o)
{
    return inner_of(o)->table->instruction_set(inner_of(o));
}

static const char *staged_gemm(const ops *o)
{
    return inner_of(o)->table->gemm(inner_of(o));
}

static ops_bfloat16 staged_bfloat16(const ops *o)
{
    return inner_of(o)->table->bfloat16(inner_of(o));
}

static bool staged_tf32(const ops *o)
{
    return inner_of(o)->table->tf32(inner_of(o));
}

static size_t staged_scratch_bytes(const ops *o)
{
    return inner_of(o)->table->scratch_bytes(inner_of(o));
}

static cfd_status staged_allocate(ops *o, size_t bytes, const char *what, void *out)
{
    return inner_of(o)->table->allocate(inner_of(o), bytes, what, out);
}

static void staged_release(ops *o, void *memory)
{
    inner_of(o)->table->release(inner_of(o), memory);
}

static cfd_status staged_upload(ops *o, void *to, const void *from_host, size_t bytes)
{
    return inner_of(o)->table->upload(inner_of(o), to, from_host, bytes);
}

static cfd_status staged_download(ops *o, void *to_host, const void *from, size_t bytes)
{
    return inner_of(o)->table->download(inner_of(o), to_host, from, bytes);
}

static cfd_status staged_copy(ops *o, void *to, const void *from, size_t bytes)
{
    return inner_of(o)->table->copy(inner_of(o), to, from, bytes);
}

static cfd_status staged_zero(ops *o, void *to, size_t bytes)
{
    return inner_of(o)->table->zero(inner_of(o), to, bytes);
}

static cfd_status staged_synchronise(ops *o)
{
    return inner_of(o)->table->synchronise(inner_of(o));
}

static cfd_status staged_copy_matrix(ops *o, const float *from, int64_t ld_from, float *to, int64_t ld_to, int64_t rows,
                                     int32_t columns, float scale)
{
    staging all = {.o = inner_of(o)};
    from = stage_matrix(&all, from, rows, columns, ld_from, false);
    to = stage_matrix(&all, to, rows, columns, ld_to, true);
    return stage_end(&all, all.o->table->copy_matrix(all.o, from, ld_from, to, ld_to, rows, columns, scale));
}

static cfd_status staged_spmm(ops *o, const ops_csr *g, ops_rows output, const int32_t *input_slots, const float *x,
                              int64_t ldx, float *y, int64_t ldy, int32_t columns, const ops_addend *add)
{
    staging all = {.o = inner_of(o)};
    int64_t in = g->columns;
    int64_t out = output.rows ? *output.count : g->rows;
    if (input_slots) {
        in = 0;
        for (int32_t c = 0; c < g->columns; c++) {
            in = input_slots[c] >= in ? input_slots[c] + 1 : in;
        }
    }
    ops_csr csr = stage_csr(&all, g);
    ops_rows rows = output;
    rows.rows = stage_array(&all, output.rows, (size_t)output.capacity, sizeof(int32_t), false);
    rows.count = stage_array(&all, output.count, 1, sizeof(int32_t), false);
    const int32_t *slots = stage_array(&all, input_slots, (size_t)g->columns, sizeof(int32_t), false);
    x = stage_matrix(&all, x, in, columns, ldx, false);
    y = stage_matrix(&all, y, out, columns, ldy, true);
    ops_addend moved = {0};
    ops_batch batch;
    double *losses[CFD_MAX_MODALITIES];
    if (add) {
        moved = *add;
        batch = stage_batch(&all, add->batch, false, false);
        moved.batch = &batch;
        moved.rows = stage_view(&all, add->batch, add->rows, false);
        for (int32_t k = 0; add->losses && k < columns / add->group; k++) {
            losses[k] = stage_array(&all, add->losses[k], 1, sizeof(double), true);
        }
        moved.losses = add->losses ? losses : NULL;
    }
    return stage_end(&all, all.o->table->spmm(all.o, &csr, rows, slots, x, ldx, y, ldy, columns, add ? &moved : NULL));
}

/* Features come from host memory in any case. Their shape is kept beside them. */
typedef struct staged_features {
    ops_features *inner;
    int32_t rows, columns;
} staged_features;

static const staged_features *features_of(const ops_features *features)
{
    return (const void *)features;
}

static cfd_status staged_features_create(ops *o, const ops_feature_source *source, const ops_feature_options *options,
                                         ops_features **out)
{
    ops_features *inner;
    TRY(inner_of(o)->table->features_create(inner_of(o), source, options, &inner));
    staged_features *made = malloc(sizeof *made);
    ck_assert_ptr_nonnull(made);
    *made = (staged_features){inner, source->rows, source->columns};
    *out = (void *)made;
    return CFD_OK;
}

static void staged_features_destroy(ops *o, ops_features *features)
{
    if (features) {
        inner_of(o)->table->features_destroy(inner_of(o), features_of(features)->inner);
        free(features);
    }
}

static size_t staged_features_bytes(const ops *o, const ops_features *features)
{
    return inner_of(o)->table->features_bytes(inner_of(o), features_of(features)->inner);
}

static cfd_status staged_project(ops *o, const ops_features *features, const float *w, int32_t n, float *y, int64_t ldy)
{
    const staged_features *f = features_of(features);
    staging all = {.o = inner_of(o)};
    w = stage_matrix(&all, w, f->columns, n, n, false);
    y = stage_matrix(&all, y, f->rows, n, ldy, true);
    return stage_end(&all, all.o->table->project(all.o, f->inner, w, n, y, ldy));
}

static cfd_status staged_project_gradient(ops *o, const ops_features *features, const float *g, int64_t ldg, int32_t n,
                                          float *dw)
{
    const staged_features *f = features_of(features);
    staging all = {.o = inner_of(o)};
    g = stage_matrix(&all, g, f->rows, n, ldg, false);
    dw = stage_matrix(&all, dw, f->columns, n, n, true);
    return stage_end(&all, all.o->table->project_gradient(all.o, f->inner, g, ldg, n, dw));
}

static cfd_status staged_cross_moment(ops *o, const float *a, int64_t lda, const float *b, int64_t ldb, int64_t rows,
                                      int32_t d, int32_t heads, double scale, float *c)
{
    staging all = {.o = inner_of(o)};
    a = stage_matrix(&all, a, rows, d * heads, lda, false);
    b = stage_matrix(&all, b, rows, d * heads, ldb, false);
    c = stage_matrix(&all, c, (int64_t)heads * d, d, d, true);
    return stage_end(&all, all.o->table->cross_moment(all.o, a, lda, b, ldb, rows, d, heads, scale, c));
}

static cfd_status staged_inverse_sqrt(ops *o, const float *c, int32_t d, int32_t heads, double epsilon, float *q,
                                      float *roots, float *z)
{
    staging all = {.o = inner_of(o)};
    int64_t rows = (int64_t)heads * d;
    c = stage_matrix(&all, c, rows, d, d, false);
    q = stage_matrix(&all, q, rows, d, d, true);
    roots = stage_matrix(&all, roots, heads, d, d, true);
    z = stage_matrix(&all, z, rows, d, d, true);
    return stage_end(&all, all.o->table->inverse_sqrt(all.o, c, d, heads, epsilon, q, roots, z));
}

static cfd_status staged_inverse_sqrt_gradient(ops *o, const float *q, const float *roots, const float *dz, int32_t d,
                                               int32_t heads, float *dc)
{
    staging all = {.o = inner_of(o)};
    int64_t rows = (int64_t)heads * d;
    q = stage_matrix(&all, q, rows, d, d, false);
    roots = stage_matrix(&all, roots, heads, d, d, false);
    dz = stage_matrix(&all, dz, rows, d, d, false);
    dc = stage_matrix(&all, dc, rows, d, d, true);
    return stage_end(&all, all.o->table->inverse_sqrt_gradient(all.o, q, roots, dz, d, heads, dc));
}

static cfd_status staged_multiply_right(ops *o, const float *a, int64_t lda, const float *m, int64_t rows, int32_t d,
                                        int32_t heads, float scale, bool add, float *y, int64_t ldy)
{
    staging all = {.o = inner_of(o)};
    a = stage_matrix(&all, a, rows, d * heads, lda, false);
    m = stage_matrix(&all, m, (int64_t)heads * d, d, d, false);
    y = stage_matrix(&all, y, rows, d * heads, ldy, true);
    return stage_end(&all, all.o->table->multiply_right(all.o, a, lda, m, rows, d, heads, scale, add, y, ldy));
}

static cfd_status staged_draw_batch(ops *o, const ops_sampler *sampler, int64_t step, int64_t epoch, int64_t position,
                                    ops_batch *batch)
{
    staging all = {.o = inner_of(o)};
    ops_sampler moved = *sampler;
    size_t pool = (size_t)sampler->pool_size * sizeof(int32_t);
    size_t items = (size_t)sampler->offsets[sampler->users] * sizeof(int32_t);
    moved.offsets = stage_array(&all, sampler->offsets, (size_t)sampler->users + 1, sizeof *sampler->offsets, false);
    moved.item_ids = stage_array(&all, sampler->item_ids, 1, items, false);
    moved.pool_users = stage_array(&all, sampler->pool_users, 1, pool, false);
    moved.pool_items = stage_array(&all, sampler->pool_items, 1, pool, false);
    ops_batch there = stage_batch(&all, batch, true, false);
    cfd_status status = all.o->table->draw_batch(all.o, &moved, step, epoch, position, &there);
    batch->size = status == CFD_OK ? there.size : batch->size;
    return stage_end(&all, status);
}

static cfd_status staged_batch_index(ops *o, ops_batch *batch)
{
    staging all = {.o = inner_of(o)};
    ops_batch there = stage_batch(&all, batch, false, true);
    return stage_end(&all, all.o->table->batch_index(all.o, &there));
}

static cfd_status staged_bpr(ops *o, const ops_batch *batch, const ops_branch *branches, int32_t n)
{
    staging all = {.o = inner_of(o)};
    ops_batch there = stage_batch(&all, batch, false, false);
    ops_branch moved[CFD_MAX_MODALITIES + 2];
    for (int32_t k = 0; k < n; k++) {
        moved[k] = branches[k];
        moved[k].embedding = stage_view(&all, batch, branches[k].embedding, false);
        moved[k].gradient = stage_view(&all, batch, branches[k].gradient, true);
        moved[k].loss = stage_array(&all, branches[k].loss, 1, sizeof(double), true);
    }
    return stage_end(&all, all.o->table->bpr(all.o, &there, moved, n));
}

static cfd_status staged_pair_cosine(ops *o, const ops_batch *batch, ops_cosine kind, ops_view x, ops_view y,
                                     const uint8_t *x_present, const uint8_t *y_present, float weight, ops_view x_gradient,
                                     ops_view y_gradient, double *loss)
{
    staging all = {.o = inner_of(o)};
    ops_batch there = stage_batch(&all, batch, false, false);
    x = stage_view(&all, batch, x, false);
    y = stage_view(&all, batch, y, false);
    x_gradient = stage_view(&all, batch, x_gradient, true);
    y_gradient = stage_view(&all, batch, y_gradient, true);
    x_present = stage_array(&all, x_present, (size_t)(batch->nodes - batch->users), 1, false);
    y_present = stage_array(&all, y_present, (size_t)(batch->nodes - batch->users), 1, false);
    loss = stage_array(&all, loss, 1, sizeof *loss, true);
    return stage_end(&all, all.o->table->pair_cosine(all.o, &there, kind, x, y, x_present, y_present, weight, x_gradient,
                                                     y_gradient, loss));
}

static cfd_status staged_penalty(ops *o, const ops_batch *batch, ops_view x, float weight, ops_view gradient, double *loss)
{
    staging all = {.o = inner_of(o)};
    ops_batch there = stage_batch(&all, batch, false, false);
    x = stage_view(&all, batch, x, false);
    gradient = stage_view(&all, batch, gradient, true);
    loss = stage_array(&all, loss, 1, sizeof *loss, true);
    return stage_end(&all, all.o->table->penalty(all.o, &there, x, weight, gradient, loss));
}

static cfd_status staged_adam(ops *o, const ops_adam_tensor *tensors, int32_t n, const ops_adam_settings *settings)
{
    staging all = {.o = inner_of(o)};
    ops_adam_tensor moved[CFD_MAX_MODALITIES + 2];
    for (int32_t k = 0; k < n; k++) {
        const ops_adam_tensor *t = &tensors[k];
        moved[k] = (ops_adam_tensor){stage_array(&all, t->parameter, t->size, sizeof(float), true),
                                     stage_array(&all, t->gradient, t->size, sizeof(float), false),
                                     stage_array(&all, t->moment1, t->size, sizeof(float), true),
                                     stage_array(&all, t->moment2, t->size, sizeof(float), true), t->size};
    }
    return stage_end(&all, all.o->table->adam(all.o, moved, n, settings));
}

/* ---- in host memory anyway ---- */

static cfd_status staged_score_block(const ops *o, const float *queries, int64_t n_queries, const float *keys,
                                     int64_t n_keys, int32_t width, float *scores, int64_t ld)
{
    return inner_of(o)->table->score_block(inner_of(o), queries, n_queries, keys, n_keys, width, scores, ld);
}

static cfd_status staged_score_pairs(const ops *o, const float *row, const float *rows, const int32_t *ids, int64_t n,
                                     int32_t width, float *scores)
{
    return inner_of(o)->table->score_pairs(inner_of(o), row, rows, ids, n, width, scores);
}

static cfd_status staged_probe(ops *o, const ops_probe *probe, double *seconds, size_t n)
{
    return inner_of(o)->table->probe(inner_of(o), probe, seconds, n);
}

static const ops_table staged_table = {
    .create = staged_create,
    .destroy = staged_destroy,
    .instruction_set = staged_instruction_set,
    .gemm = staged_gemm,
    .bfloat16 = staged_bfloat16,
    .tf32 = staged_tf32,
    .scratch_bytes = staged_scratch_bytes,
    .allocate = staged_allocate,
    .release = staged_release,
    .upload = staged_upload,
    .download = staged_download,
    .copy = staged_copy,
    .zero = staged_zero,
    .synchronise = staged_synchronise,
    .copy_matrix = staged_copy_matrix,
    .spmm = staged_spmm,
    .features_create = staged_features_create,
    .features_destroy = staged_features_destroy,
    .features_bytes = staged_features_bytes,
    .project = staged_project,
    .project_gradient = staged_project_gradient,
    .cross_moment = staged_cross_moment,
    .inverse_sqrt = staged_inverse_sqrt,
    .inverse_sqrt_gradient = staged_inverse_sqrt_gradient,
    .multiply_right = staged_multiply_right,
    .draw_batch = staged_draw_batch,
    .batch_index = staged_batch_index,
    .bpr = staged_bpr,
    .pair_cosine = staged_pair_cosine,
    .penalty = staged_penalty,
    .adam = staged_adam,
    .score_block = staged_score_block,
    .score_pairs = staged_score_pairs,
    .probe = staged_probe,
};

ops *ops_create_staged(ops *inner)
{
    staged_ops *made = calloc(1, sizeof *made);
    ck_assert_ptr_nonnull(made);
    made->base = *inner;
    made->table = staged_table;
    made->table.name = inner->table->name;
    made->base.table = &made->table;
    made->inner = inner;
    return &made->base;
}

/* ---- the CUDA backend ---- */

const char *cuda_plugin_folder(void)
{
    const char *folder = getenv("TEST_CUDA_PLUGIN_FOLDER");
    return folder ? folder : TEST_SIMULATED_PLUGIN_FOLDER[0] ? TEST_SIMULATED_PLUGIN_FOLDER : NULL;
}

void note_backend(const char *name)
{
    const char *path = getenv("TEST_BACKENDS_FILE");
    FILE *file = path ? fopen(path, "a") : NULL;
    if (file) {
        fprintf(file, "%.4s %ld\n", name, (long)getpid());
        fclose(file);
    }
}

void *simulated_symbol(const char *name)
{
    void *device = dlopen("libcudasim.so", RTLD_NOW | RTLD_NOLOAD);
    void *symbol = device ? dlsym(device, name) : NULL;
    if (device) {
        dlclose(device);
    }
    return symbol;
}

void simulated_seed(unsigned seed)
{
    union {
        void *data;
        void (*function)(unsigned);
    } symbol = {simulated_symbol("cudasim_seed")};
    if (symbol.data) {
        symbol.function(seed);
    }
}

ops *ops_create_cuda_for_test(const memory_source *memory, thread_pool *pool)
{
    const char *folder = cuda_plugin_folder();
    if (!folder) {
        return NULL;
    }
    ops_plugin_request request = {.memory = memory, .pool = pool};
    OK(ops_create_cpu(memory, pool, request.log, NULL, &request.cpu));
    ops *idle;
    ops *made;
    OK(plugin_open_cuda(folder, &request, &idle));
    OK(idle->table->create(idle, &made));
    idle->table->destroy(idle);
    return made;
}
