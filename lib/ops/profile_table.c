/* SPDX-License-Identifier: Apache-2.0 */
/* The decorator: a table whose operations call another instance's, one function each. What an operation amounts to is worked
 * out after its time was taken, from its arguments (profile_count.c where they have to be read). */
#define _POSIX_C_SOURCE 200809L /* clock_gettime */
#include "ops/profile.h"

#include "ops/profile_count.h"

#include <time.h>

typedef struct profiled_ops {
    ops base;
    ops_table table; /* profiled_table, under the inner instance's name */
    ops *inner;
    profile *records;
} profiled_ops;

/* Features together with what the backend keeps to itself. */
typedef struct profiled_features {
    ops_features *inner;
    int64_t rows, columns, numbers; /* numbers: stored, rows x columns where dense */
    double bytes;
    const char *note;
} profiled_features;

static const profiled_ops *profiled(const ops *o)
{
    return (const profiled_ops *)o; /* base is its first member */
}

static ops *inner_of(const ops *o)
{
    return profiled(o)->inner;
}

static const profiled_features *shape_of(const ops_features *features)
{
    return (const void *)features;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Calls an operation of the inner instance and waits for its end; leaves the enclosing function where it fails. `seconds`
 * is declared by it. */
#define TIMED(operation, ...)                                     \
    double seconds = now();                                       \
    TRY(inner_of(o)->table->operation(inner_of(o), __VA_ARGS__)); \
    TRY(inner_of(o)->table->synchronise(inner_of(o)));            \
    seconds = now() - seconds

/* Records a call: which kind it is, its floating-point operations and bytes. Its value is CFD_OK. */
static cfd_status add(const ops *o, profile_kind kind, double seconds, double operations, double bytes)
{
    profile_sums more = {1, seconds, operations, bytes};
    profile_add(profiled(o)->records, &kind, &more);
    return CFD_OK;
}

/* ---- kinds ---- */

static profile_kind plain(const char *operation)
{
    return (profile_kind){operation, {0}, 0, ""};
}

static profile_kind of_columns(const char *operation, int64_t columns, const char *note)
{
    return (profile_kind){operation, {columns}, 1, note};
}

static profile_kind of_product(const char *operation, int64_t rows, int64_t columns, const char *note)
{
    return (profile_kind){operation, {rows, columns}, 2, note};
}

static profile_kind of_heads(const char *operation, int64_t heads, int64_t d)
{
    return (profile_kind){operation, {heads, d, d}, 3, ""};
}

/* Bytes of a matrix of float32. */
static double floats(double rows, double columns)
{
    return rows * columns * sizeof(float);
}

/* ---- the instance ---- */

static cfd_status profiled_create(const ops *like, ops **out)
{
    ops *inner;
    TRY(inner_of(like)->table->create(inner_of(like), &inner));
    return ops_create_profiled(inner, profiled(like)->records, out);
}

static void profiled_destroy(ops *o)
{
    if (o) {
        ops *inner = inner_of(o);
        memory_release(o->memory, o);
        inner->table->destroy(inner);
    }
}

static const char *profiled_instruction_set(const ops *o)
{
    return inner_of(o)->table->instruction_set(inner_of(o));
}

static const char *profiled_gemm(const ops *o)
{
    return inner_of(o)->table->gemm(inner_of(o));
}

static ops_bfloat16 profiled_bfloat16(const ops *o)
{
    return inner_of(o)->table->bfloat16(inner_of(o));
}

static bool profiled_tf32(const ops *o)
{
    return inner_of(o)->table->tf32(inner_of(o));
}

static size_t profiled_scratch_bytes(const ops *o)
{
    return inner_of(o)->table->scratch_bytes(inner_of(o));
}

/* ---- memory ---- */

static cfd_status profiled_allocate(ops *o, size_t bytes, const char *what, void *out)
{
    return inner_of(o)->table->allocate(inner_of(o), bytes, what, out);
}

static void profiled_release(ops *o, void *memory)
{
    inner_of(o)->table->release(inner_of(o), memory);
}

static cfd_status profiled_upload(ops *o, void *to, const void *from_host, size_t bytes)
{
    TIMED(upload, to, from_host, bytes);
    return add(o, plain("upload"), seconds, 0, 2.0 * (double)bytes);
}

static cfd_status profiled_download(ops *o, void *to_host, const void *from, size_t bytes)
{
    TIMED(download, to_host, from, bytes);
    return add(o, plain("download"), seconds, 0, 2.0 * (double)bytes);
}

static cfd_status profiled_copy(ops *o, void *to, const void *from, size_t bytes)
{
    TIMED(copy, to, from, bytes);
    return add(o, plain("copy"), seconds, 0, 2.0 * (double)bytes);
}

static cfd_status profiled_zero(ops *o, void *to, size_t bytes)
{
    TIMED(zero, to, bytes);
    return add(o, plain("zero"), seconds, 0, (double)bytes);
}

static cfd_status profiled_synchronise(ops *o)
{
    return inner_of(o)->table->synchronise(inner_of(o));
}

static cfd_status profiled_mailbox_create(ops *o, size_t bytes, ops_mailbox **out)
{
    return inner_of(o)->table->mailbox_create(inner_of(o), bytes, out);
}

static void profiled_mailbox_destroy(ops *o, ops_mailbox *mailbox)
{
    inner_of(o)->table->mailbox_destroy(inner_of(o), mailbox);
}

static cfd_status profiled_mailbox_post(ops *o, ops_mailbox *mailbox, const void *from)
{
    return inner_of(o)->table->mailbox_post(inner_of(o), mailbox, from);
}

static cfd_status profiled_mailbox_read(ops *o, ops_mailbox *mailbox, void *to, bool wait, bool *ready)
{
    return inner_of(o)->table->mailbox_read(inner_of(o), mailbox, to, wait, ready);
}

static cfd_status profiled_copy_matrix(ops *o, const float *from, int64_t ld_from, float *to, int64_t ld_to, int64_t rows,
                                       int32_t columns, float scale)
{
    TIMED(copy_matrix, from, ld_from, to, ld_to, rows, columns, scale);
    double numbers = (double)rows * columns;
    return add(o, of_columns("copy matrix", columns, " columns"), seconds, scale != 1.0f ? numbers : 0, floats(2, numbers));
}

/* ---- graph ---- */

static double least(double a, double b)
{
    return a < b ? a : b;
}

/* A row of G at a time: its columns and values, what it reads of X, what it writes of Y. Of X no row counts twice. */
static cfd_status profiled_spmm(ops *o, const ops_csr *g, ops_rows output, const int32_t *input_slots, const float *x,
                                int64_t ldx, float *y, int64_t ldy, int32_t columns, const ops_addend *addend)
{
    TIMED(spmm, g, output, input_slots, x, ldx, y, ldy, columns, addend);
    spmm_count n;
    TRY(count_spmm(inner_of(o), g, output, input_slots, addend, &n));
    double inputs = least(g->columns, (double)n.nonzeros);
    double products = (double)n.nonzeros;
    double bytes = (double)n.rows * sizeof *g->offsets + (double)n.nonzeros * (sizeof *g->indices + sizeof *g->values);
    const char *note = output.rows ? " columns, listed rows" : " columns";
    if (input_slots) { /* the other nonzeros are passed over; compact input serves whole output */
        products = least((double)n.met, products);
        inputs = (double)n.present;
        bytes += (double)g->columns * sizeof *input_slots;
        note = output.rows ? " columns, listed rows, compact input" : " columns, compact input";
    }
    double added = (double)n.added;
    return add(o, of_columns("sparse product", columns, note), seconds, 2 * (products + added) * columns,
               bytes + floats(inputs + added + (double)n.rows, columns));
}

/* ---- features ---- */

static const char *note_of(const ops_feature_source *source, const ops_feature_options *options)
{
    static const char *const notes[] = {[OPS_PRECISION_FLOAT32] = "",
                                        [OPS_PRECISION_BF16X3] = ", bf16x3",
                                        [OPS_PRECISION_BF16] = ", bf16",
                                        [OPS_PRECISION_TF32] = ", tf32"};
    return !source->dense ? ", sparse" : options ? notes[options->precision] : "";
}

/* What a product reads of the features, as they are kept. */
static double feature_bytes(const ops_feature_source *source, const ops_feature_options *options)
{
    if (!source->dense) {
        return ((double)source->rows + 1) * sizeof *source->sparse.offsets +
               (double)source->sparse.nonzeros * (sizeof *source->sparse.indices + sizeof *source->sparse.values);
    }
    double numbers = (double)source->rows * source->columns;
    if (options && options->storage != OPS_FLOAT32) {
        return numbers * (double)ops_element_bytes(options->storage);
    }
    bool rounded = options && options->precision == OPS_PRECISION_BF16; /* bf16x3 keeps two halves: as much as float32 */
    return numbers * (double)ops_element_bytes(rounded ? OPS_BFLOAT16 : source->element);
}

static cfd_status profiled_features_create(ops *o, const ops_feature_source *source, const ops_feature_options *options,
                                           ops_features **out)
{
    profiled_features *shape;
    ops_features *inner;
    TRY(memory_allocate(o->memory, 1, sizeof *shape, "features", &shape));
    double seconds = now();
    cfd_status status = inner_of(o)->table->features_create(inner_of(o), source, options, &inner);
    seconds = now() - seconds;
    if (status != CFD_OK) {
        memory_release(o->memory, shape);
        return status;
    }
    *shape = (profiled_features){
        .inner = inner,
        .rows = source->rows,
        .columns = source->columns,
        .numbers = source->dense ? (int64_t)source->rows * source->columns : source->sparse.nonzeros,
        .bytes = feature_bytes(source, options),
        .note = note_of(source, options),
    };
    *out = (void *)shape;
    return add(o, of_columns("keep features", source->columns, source->dense ? " columns" : " columns, sparse"), seconds, 0,
               feature_bytes(source, NULL) + feature_bytes(source, options));
}

static void profiled_features_destroy(ops *o, ops_features *features)
{
    if (features) {
        inner_of(o)->table->features_destroy(inner_of(o), shape_of(features)->inner);
        memory_release(o->memory, features);
    }
}

static size_t profiled_features_bytes(const ops *o, const ops_features *features)
{
    return inner_of(o)->table->features_bytes(inner_of(o), shape_of(features)->inner);
}

static cfd_status profiled_project(ops *o, const ops_features *f, const float *w, int32_t n, float *y, int64_t ldy)
{
    const profiled_features *shape = shape_of(f);
    TIMED(project, shape->inner, w, n, y, ldy);
    return add(o, of_product("project", shape->columns, n, shape->note), seconds, 2.0 * (double)shape->numbers * n,
               shape->bytes + floats((double)(shape->rows + shape->columns), n));
}

static cfd_status profiled_project_gradient(ops *o, const ops_features *f, const float *g, int64_t ldg, int32_t n, float *dw)
{
    const profiled_features *shape = shape_of(f);
    TIMED(project_gradient, shape->inner, g, ldg, n, dw);
    return add(o, of_product("gradient of project", shape->columns, n, shape->note), seconds,
               2.0 * (double)shape->numbers * n, shape->bytes + floats((double)(shape->rows + shape->columns), n));
}

/* ---- whitening ---- */

static cfd_status profiled_cross_moment(ops *o, const float *a, int64_t lda, const float *b, int64_t ldb, int64_t rows,
                                        int32_t d, int32_t heads, double scale, float *c)
{
    TIMED(cross_moment, a, lda, b, ldb, rows, d, heads, scale, c);
    double width = (double)d * heads;
    return add(o, of_heads("cross moment", heads, d), seconds, 2 * (double)rows * d * width,
               floats(a == b ? (double)rows : 2 * (double)rows, width) + floats(d, width));
}

/* Per matrix: 4/3 d^3 to make it tridiagonal, 4/3 d^3 for the reflections, about 6 d^3 for the rotations, d^3 for half of a
 * symmetric product. */
static cfd_status profiled_inverse_sqrt(ops *o, const float *c, int32_t d, int32_t heads, double epsilon, float *q,
                                        float *roots, float *z)
{
    TIMED(inverse_sqrt, c, d, heads, epsilon, q, roots, z);
    double square = (double)d * d * heads;
    return add(o, of_heads("inverse root", heads, d), seconds, square * d * (4.0 / 3 + 4.0 / 3 + 6 + 1),
               floats(3, square) + floats(d, heads));
}

/* Four products of d x d. */
static cfd_status profiled_inverse_sqrt_gradient(ops *o, const float *q, const float *roots, const float *dz, int32_t d,
                                                 int32_t heads, float *dc)
{
    TIMED(inverse_sqrt_gradient, q, roots, dz, d, heads, dc);
    double square = (double)d * d * heads;
    return add(o, of_heads("gradient of inverse root", heads, d), seconds, 8 * square * d,
               floats(3, square) + floats(d, heads));
}

static cfd_status profiled_multiply_right(ops *o, const float *a, int64_t lda, const float *m, int64_t rows, int32_t d,
                                          int32_t heads, float scale, bool adds, float *y, int64_t ldy)
{
    TIMED(multiply_right, a, lda, m, rows, d, heads, scale, adds, y, ldy);
    double width = (double)d * heads;
    return add(o, of_heads("multiply right", heads, d), seconds, 2 * (double)rows * d * width,
               floats((adds ? 3 : 2) * (double)rows, width) + floats(d, width));
}

/* ---- the batch ---- */

static cfd_status profiled_draw_batch(ops *o, const ops_sampler *sampler, int64_t step, int64_t epoch, int64_t position,
                                      ops_batch *batch)
{
    TIMED(draw_batch, sampler, step, epoch, position, batch);
    return add(o, plain("draw batch"), seconds, 0, 3.0 * batch->size * sizeof *batch->user_ids);
}

static cfd_status profiled_batch_index(ops *o, ops_batch *batch)
{
    TIMED(batch_index, batch);
    int32_t count;
    TRY(count_rows(inner_of(o), batch, &count));
    double numbers = 6.0 * batch->size + batch->nodes + 2.0 * count; /* ids, occurrences; slots; rows, offsets */
    return add(o, plain("index batch"), seconds, 0, numbers * sizeof *batch->slots);
}

/* ---- losses ---- */

/* Of each triple and column: the margin's difference, product and sum; the user's gradient twice, the items' once. */
static cfd_status profiled_bpr(ops *o, const ops_batch *batch, const ops_branch *branches, int32_t n)
{
    TIMED(bpr, batch, branches, n);
    int32_t count;
    TRY(count_rows(inner_of(o), batch, &count));
    int64_t columns = 0;
    for (int32_t k = 0; k < n; k++) {
        columns += branches[k].embedding.width;
    }
    return add(o, of_columns("ranking loss", columns, " columns"), seconds, (3.0 + 8.0) * batch->size * (double)columns,
               floats(2.0 * count, (double)columns));
}

/* Of each row that is a user or a positive: three sums, then two rows added to two. Rows that turn out to contribute nothing
 * are counted all the same. */
static cfd_status profiled_pair_cosine(ops *o, const ops_batch *batch, ops_cosine kind, ops_view x, ops_view y,
                                       const uint8_t *x_present, const uint8_t *y_present, float weight, ops_view x_gradient,
                                       ops_view y_gradient, double *loss)
{
    TIMED(pair_cosine, batch, kind, x, y, x_present, y_present, weight, x_gradient, y_gradient, loss);
    static const char *const notes[] = {[OPS_COSINE_ALIGN] = " columns, align",
                                        [OPS_COSINE_RELEASED] = " columns, released",
                                        [OPS_COSINE_ORTHOGONAL] = " columns, orthogonal"};
    int32_t rows;
    TRY(count_users_and_positives(inner_of(o), batch, &rows));
    return add(o, of_columns("cosine loss", x.width, notes[kind]), seconds, (6.0 + 8.0) * (double)rows * x.width,
               floats((2.0 + 4.0) * (double)rows, x.width));
}

static cfd_status profiled_penalty(ops *o, const ops_batch *batch, ops_view x, float weight, ops_view gradient, double *loss)
{
    TIMED(penalty, batch, x, weight, gradient, loss);
    int32_t rows;
    TRY(count_rows(inner_of(o), batch, &rows));
    return add(o, of_columns("penalty", x.width, " columns"), seconds, 4.0 * rows * x.width, floats(3.0 * rows, x.width));
}

/* ---- the update ---- */

/* Of each number: two moments of 3 and 4 operations, a root, a quotient and 3 more; three numbers read and written, one
 * read. */
static cfd_status profiled_adam(ops *o, const ops_adam_tensor *tensors, int32_t n, const ops_adam_settings *settings)
{
    TIMED(adam, tensors, n, settings);
    int64_t numbers = 0;
    for (int32_t k = 0; k < n; k++) {
        numbers += (int64_t)tensors[k].size;
    }
    return add(o, of_columns("adam", numbers, " numbers"), seconds, 12 * (double)numbers, floats(7, (double)numbers));
}

/* ---- serving ---- */

static cfd_status profiled_score_block(const ops *o, const float *queries, int64_t n_queries, const float *keys,
                                       int64_t n_keys, int32_t width, float *scores, int64_t ld)
{
    TIMED(score_block, queries, n_queries, keys, n_keys, width, scores, ld);
    return add(o, of_columns("scores", width, " columns"), seconds, 2.0 * (double)n_queries * (double)n_keys * width,
               floats((double)(n_queries + n_keys), width) + floats((double)n_queries, (double)n_keys));
}

static cfd_status profiled_score_pairs(const ops *o, const float *row, const float *rows, const int32_t *ids, int64_t n,
                                       int32_t width, float *scores)
{
    TIMED(score_pairs, row, rows, ids, n, width, scores);
    return add(o, of_columns("scores of pairs", width, " columns"), seconds, 2.0 * (double)n * width,
               floats((double)n + 1, width) + (double)n * (sizeof *ids + sizeof *scores));
}

/* Keys that are sorted out, and of what shape they are. */
typedef struct profiled_keys {
    const ops *owner; /* the inner instance */
    ops_keys *inner;
    int32_t n, width;
} profiled_keys;

static const profiled_keys *keys_shape(const ops_keys *keys)
{
    return (const void *)keys;
}

static ops_scoring profiled_scoring(const ops *o)
{
    return inner_of(o)->table->scoring(inner_of(o));
}

static cfd_status profiled_set_scoring(ops *o, ops_scoring wanted)
{
    return inner_of(o)->table->set_scoring(inner_of(o), wanted);
}

static cfd_status profiled_keys_create(ops *o, const float *keys, int32_t n, int32_t width, ops_keys **out)
{
    profiled_keys *shape;
    ops_keys *inner = NULL;
    TRY(memory_allocate(o->memory, 1, sizeof *shape, "keys", &shape));
    cfd_status status = inner_of(o)->table->keys_create(inner_of(o), keys, n, width, &inner);
    if (status != CFD_OK || !inner) {
        memory_release(o->memory, shape);
        shape = NULL;
    } else {
        *shape = (profiled_keys){inner_of(o), inner, n, width};
    }
    if (status == CFD_OK) {
        *out = (void *)shape;
    }
    return status;
}

static void profiled_keys_destroy(ops *o, ops_keys *keys)
{
    if (keys) {
        inner_of(o)->table->keys_destroy(inner_of(o), keys_shape(keys)->inner);
        memory_release(o->memory, keys);
    }
}

static size_t profiled_sort_out_bytes(const ops_keys *keys, int32_t n_queries, int32_t k, int32_t capacity)
{
    const profiled_keys *shape = keys_shape(keys);
    return shape->owner->table->sort_out_bytes(shape->inner, n_queries, k, capacity);
}

/* Counted as the products in the short type: what is scored in float32 afterwards is little. */
static cfd_status profiled_sort_out(const ops *o, const ops_keys *keys, const ops_sorting *what)
{
    const profiled_keys *shape = keys_shape(keys);
    TIMED(sort_out, shape->inner, what);
    double queries = what->n_queries;
    return add(o, of_columns("sorting out", shape->width, " columns"), seconds, 2 * queries * shape->n * shape->width,
               floats(queries, shape->width) + (double)shape->n * shape->width);
}

/* ---- serving where the backend's memory is not the host's ---- */

static cfd_status profiled_ranker_create(ops *o, const float *queries, int32_t users, const float *keys, int32_t items,
                                         int32_t width, ops_ranker **out)
{
    return inner_of(o)->table->ranker_create(inner_of(o), queries, users, keys, items, width, out);
}

static void profiled_ranker_destroy(ops *o, ops_ranker *ranker)
{
    if (ranker) {
        inner_of(o)->table->ranker_destroy(inner_of(o), ranker);
    }
}

static int32_t profiled_ranker_most_k(const ops *o)
{
    return inner_of(o)->table->ranker_most_k(inner_of(o));
}

static cfd_status profiled_ranker_scores(const ops *o, ops_ranker *ranker, const int32_t *users, size_t n_users,
                                         const int32_t *items, size_t n_items, float *scores)
{
    TIMED(ranker_scores, ranker, users, n_users, items, n_items, scores);
    return add(o, plain("ranker's scores"), seconds, 0, (double)n_users * (double)n_items * sizeof *scores);
}

static cfd_status profiled_ranker_lists(const ops *o, ops_ranker *ranker, const ops_lists *what)
{
    TIMED(ranker_lists, ranker, what);
    return add(o, of_columns("ranker's lists", what->k, " a user"), seconds, 0,
               (double)what->n_users * what->k * (sizeof *what->items + sizeof *what->scores));
}

/* ---- measuring ---- */

/* Not recorded: it is no part of anything. */
static cfd_status profiled_probe(ops *o, const ops_probe *probe, double *seconds, size_t n)
{
    return inner_of(o)->table->probe(inner_of(o), probe, seconds, n);
}

/* ---- the table ---- */

/* Nothing is recorded: every operation is waited for. */
static const ops_table profiled_table = {
    .create = profiled_create,
    .destroy = profiled_destroy,
    .instruction_set = profiled_instruction_set,
    .gemm = profiled_gemm,
    .bfloat16 = profiled_bfloat16,
    .tf32 = profiled_tf32,
    .scratch_bytes = profiled_scratch_bytes,
    .allocate = profiled_allocate,
    .release = profiled_release,
    .upload = profiled_upload,
    .download = profiled_download,
    .copy = profiled_copy,
    .zero = profiled_zero,
    .synchronise = profiled_synchronise,
    .mailbox_create = profiled_mailbox_create,
    .mailbox_destroy = profiled_mailbox_destroy,
    .mailbox_post = profiled_mailbox_post,
    .mailbox_read = profiled_mailbox_read,
    .copy_matrix = profiled_copy_matrix,
    .spmm = profiled_spmm,
    .features_create = profiled_features_create,
    .features_destroy = profiled_features_destroy,
    .features_bytes = profiled_features_bytes,
    .project = profiled_project,
    .project_gradient = profiled_project_gradient,
    .cross_moment = profiled_cross_moment,
    .inverse_sqrt = profiled_inverse_sqrt,
    .inverse_sqrt_gradient = profiled_inverse_sqrt_gradient,
    .multiply_right = profiled_multiply_right,
    .draw_batch = profiled_draw_batch,
    .batch_index = profiled_batch_index,
    .bpr = profiled_bpr,
    .pair_cosine = profiled_pair_cosine,
    .penalty = profiled_penalty,
    .adam = profiled_adam,
    .score_block = profiled_score_block,
    .score_pairs = profiled_score_pairs,
    .scoring = profiled_scoring,
    .set_scoring = profiled_set_scoring,
    .keys_create = profiled_keys_create,
    .keys_destroy = profiled_keys_destroy,
    .sort_out_bytes = profiled_sort_out_bytes,
    .sort_out = profiled_sort_out,
    .ranker_create = profiled_ranker_create,
    .ranker_destroy = profiled_ranker_destroy,
    .ranker_most_k = profiled_ranker_most_k,
    .ranker_scores = profiled_ranker_scores,
    .ranker_lists = profiled_ranker_lists,
    .probe = profiled_probe,
};

cfd_status ops_create_profiled(ops *inner, profile *p, ops **out)
{
    profiled_ops *made;
    cfd_status status = memory_allocate_zero(inner->memory, 1, sizeof *made, "profiled operations", &made);
    if (status != CFD_OK) {
        inner->table->destroy(inner);
        return status;
    }
    made->base = *inner;
    made->base.table = &made->table;
    made->table = profiled_table;
    made->table.name = inner->table->name;
    made->table.host_memory = inner->table->host_memory;
    made->inner = inner;
    made->records = p;
    *out = &made->base;
    return CFD_OK;
}
