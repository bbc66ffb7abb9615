/* SPDX-License-Identifier: Apache-2.0 */
/* What holds for a backend as a whole: the same bits for any number of threads, no scratch left behind, no allocation where
 * there was room before, a clean failure wherever memory runs out, and nobody's OpenMP settings changed. */
#include "limited_memory.h"
#include "ops_support.h"

#include <dirent.h>
#include <stdatomic.h>

/* ---- a world that runs every operation ---- */

enum { USERS = 700, ITEMS = 600, NODES = USERS + ITEMS, D = 24, HEADS = 3, WIDTH = D * HEADS, COLUMNS = 200, BATCH = 300 };

typedef struct world {
    ops_csr graph;
    ops_feature_source dense, sparse;
    float *features, *x, *weights;
    int64_t user_offsets[USERS + 1];
    int32_t user_items[USERS * 4];
    int32_t pool_users[USERS];
    ops_sampler sampler;
    ops_features *kept[2]; /* of dense and sparse; NULL: made and destroyed by each run */
} world;

static void world_make(world *w)
{
    w->graph = csr_make(NODES, NODES, CSR_SKEWED);
    w->features = random_floats((size_t)ITEMS * COLUMNS);
    w->dense = (ops_feature_source){.rows = ITEMS, .columns = COLUMNS, .dense = w->features, .ld = COLUMNS};
    w->sparse = (ops_feature_source){.rows = ITEMS, .columns = COLUMNS, .sparse = csr_make(ITEMS, COLUMNS, CSR_RANDOM)};
    w->x = random_floats((size_t)NODES * WIDTH);
    w->weights = random_floats((size_t)COLUMNS * WIDTH);
    for (int32_t u = 0; u < USERS; u++) {
        w->user_offsets[u] = 4 * u;
        w->pool_users[u] = u;
        for (int32_t k = 0; k < 4; k++) {
            w->user_items[4 * u + k] = (u % 100) + 110 * k;
        }
    }
    w->user_offsets[USERS] = 4 * USERS;
    w->sampler = (ops_sampler){USERS, ITEMS, w->user_offsets, w->user_items, w->pool_users, NULL, USERS, 99};
}

static void world_free(world *w)
{
    csr_free(&w->graph);
    csr_free(&w->sparse.sparse);
    free(w->features);
    free(w->x);
    free(w->weights);
}

/* Everything that an operation wrote, one after the other. */
typedef struct record {
    float *values;
    size_t n, capacity;
} record;

static float *next(record *r, size_t n)
{
    ck_assert_uint_le(r->n + n, r->capacity);
    r->n += n;
    return r->values + r->n - n;
}

static cfd_status run_losses(ops *o, const world *w, ops_batch *batch, record *out)
{
    double *losses = (double *)(void *)next(out, 16); /* 64 bytes of a record that begins aligned to them */
    memset(losses, 0, 16 * sizeof(float));
    size_t rows = (size_t)NODES * WIDTH;
    float *g[4];
    for (int k = 0; k < 4; k++) {
        g[k] = next(out, rows);
        memset(g[k], 0, rows * sizeof *g[k]);
    }
    ops_view x = {w->x, WIDTH, WIDTH, true};
    ops_view y = {w->x + 7, WIDTH, 40, false};
    ops_branch branches[2] = {{x, {g[0], WIDTH, WIDTH, false}, 1.5f, &losses[0]},
                              {y, {g[1], WIDTH, 40, true}, 2, &losses[1]}};
    TRY(o->table->bpr(o, batch, branches, 2));
    ops_view gx = {g[2], WIDTH, WIDTH, true};
    ops_view gy = {g[3], WIDTH, 40, true};
    ops_view left = {w->x, WIDTH, 40, true};
    TRY(o->table->pair_cosine(o, batch, OPS_COSINE_ORTHOGONAL, left, y, NULL, NULL, 0.5f, gx, gy, &losses[2]));
    return o->table->penalty(o, batch, x, 0.1f, gx, &losses[3]);
}

static cfd_status run_features(ops *o, const ops_feature_source *source, ops_features *kept, const world *w, record *out)
{
    ops_features *f = kept;
    if (!kept) {
        TRY(o->table->features_create(o, source, NULL, &f));
    }
    cfd_status status = o->table->project(o, f, w->weights, WIDTH, next(out, ITEMS * WIDTH), WIDTH);
    if (status == CFD_OK) {
        status = o->table->project_gradient(o, f, w->x, WIDTH, WIDTH, next(out, COLUMNS * WIDTH));
    }
    if (!kept) {
        o->table->features_destroy(o, f);
    }
    return status;
}

static cfd_status run_whitening(ops *o, const world *w, record *out)
{
    size_t matrices = D * D * HEADS;
    float *c = next(out, matrices);
    float *q = next(out, matrices);
    float *r = next(out, (D * HEADS + 15) / 16 * 16);
    float *z = next(out, matrices);
    float *dc = next(out, matrices);
    memset(r, 0, (D * HEADS + 15) / 16 * 16 * sizeof *r);
    TRY(o->table->cross_moment(o, w->x, WIDTH, w->x, WIDTH, NODES, D, HEADS, 1.0 / NODES, c));
    TRY(o->table->inverse_sqrt(o, c, D, HEADS, 1e-5, q, r, z));
    TRY(o->table->inverse_sqrt_gradient(o, q, r, c, D, HEADS, dc));
    return o->table->multiply_right(o, w->x, WIDTH, z, NODES, D, HEADS, 2, false, next(out, NODES * WIDTH), WIDTH);
}

static cfd_status run_graph(ops *o, const world *w, const ops_batch *batch, record *out)
{
    ops_rows listed = {batch->rows, batch->count, 3 * batch->capacity};
    float *compact = next(out, NODES * WIDTH);
    float *scaled = next(out, NODES * WIDTH);
    memset(compact, 0, NODES * WIDTH * sizeof *compact);
    TRY(o->table->spmm(o, &w->graph, listed, batch->slots, w->x, WIDTH, compact, WIDTH, WIDTH, NULL));
    TRY(o->table->copy_matrix(o, w->x, WIDTH, scaled, WIDTH, NODES, WIDTH, 0.3f));
    double *losses = (double *)(void *)next(out, 16);
    double *const sums[HEADS] = {losses, losses + 1, losses + 2};
    const float weights[HEADS] = {0.5f, 0, 2};
    ops_addend add = {batch, {compact, WIDTH, WIDTH, false}, true, D, weights, sums};
    memset(losses, 0, 16 * sizeof(float));
    return o->table->spmm(o, &w->graph, ops_all_rows, NULL, w->x, WIDTH, next(out, NODES * WIDTH), WIDTH, WIDTH, &add);
}

static cfd_status run_adam(ops *o, const world *w, record *out)
{
    size_t n = (size_t)NODES * WIDTH;
    float *state[3];
    for (int k = 0; k < 3; k++) {
        state[k] = next(out, n);
        memcpy(state[k], w->x, n * sizeof(float));
    }
    for (size_t i = 0; i < n; i++) {
        state[2][i] *= state[2][i];
    }
    ops_adam_tensor tensors[2] = {{state[0], w->x, state[1], state[2], 1000},
                                  {state[0] + 1000, w->x, state[1] + 1000, state[2] + 1000, n - 1000}};
    ops_adam_settings settings = {1e-3, 0.9, 0.999, 1e-8, 4};
    return o->table->adam(o, tensors, 2, &settings);
}

static cfd_status run_everything(ops *o, const world *w, record *out)
{
    out->n = 0;
    ops_batch batch = batch_make(USERS, ITEMS, BATCH);
    cfd_status status;
    TRY_OR(end, o->table->draw_batch(o, &w->sampler, 3, 0, 0, &batch));
    TRY_OR(end, o->table->batch_index(o, &batch));
    memcpy(next(out, BATCH), batch.user_ids, BATCH * sizeof(int32_t));
    memcpy(next(out, BATCH), batch.negatives, BATCH * sizeof(int32_t));
    out->n = (out->n + 15) / 16 * 16;
    TRY_OR(end, run_losses(o, w, &batch, out));
    TRY_OR(end, run_graph(o, w, &batch, out));
    TRY_OR(end, run_features(o, &w->dense, w->kept[0], w, out));
    TRY_OR(end, run_features(o, &w->sparse, w->kept[1], w, out));
    TRY_OR(end, run_whitening(o, w, out));
    TRY_OR(end, run_adam(o, w, out));
    TRY_OR(end, o->table->score_block(o, w->x, 70, w->x, NODES, WIDTH, next(out, 70 * NODES), NODES));
    TRY_OR(end, o->table->score_pairs(o, w->x, w->x, w->pool_users, USERS, WIDTH, next(out, USERS)));
end:
    batch_free(&batch);
    return status;
}

static record record_make(void)
{
    record r = {NULL, 0, (size_t)NODES * WIDTH * 14 + 70 * NODES + USERS};
    OK(memory_allocate_zero(&memory_default, r.capacity, sizeof(float), "a record", &r.values));
    return r;
}

START_TEST(neither_threads_nor_their_order_change_a_bit)
{
    static world w;
    world_make(&w);
    record first = record_make();
    record other = record_make();
    const int32_t threads[] = {1, 2, 3, 7};
    for (int t = 0; t < 4; t++) {
        both b;
        if (!both_open(&b, _i, threads[t])) {
            break;
        }
        simulated_seed((unsigned)t + 1);
        if (t == 0) {
            OK(run_everything(b.other, &w, &first));
            ck_assert_uint_gt(first.n, (size_t)NODES * WIDTH * 12);
        }
        /* Twice: the second time scratch holds what the first left. */
        for (int round = 0; round < 2; round++) {
            memset(other.values, 0, other.capacity * sizeof(float));
            OK(run_everything(b.other, &w, &other));
            ck_assert_uint_eq(other.n, first.n);
            ck_assert_mem_eq(first.values, other.values, first.n * sizeof(float));
        }
        both_close(&b);
    }
    memory_release(&memory_default, first.values);
    memory_release(&memory_default, other.values);
    world_free(&w);
}
END_TEST

/* ---- memory that runs out ---- */

static cfd_status create(bool reference, const memory_source *memory, thread_pool *pool, ops **out)
{
    log_sink silent = {NULL, NULL};
    return reference ? ops_create_reference(memory, pool, silent, out) : ops_create_cpu(memory, pool, silent, NULL, out);
}

START_TEST(every_allocation_may_fail)
{
    static world w;
    world_make(&w);
    record out = record_make();
    limited l;
    memory_source source = {limited_allocate, limited_release, &l};
    thread_pool *pool;
    OK(threads_create(&memory_default, 2, &pool));
    int failures = 0;
    for (long n = 0;; n++) {
        ops *o = NULL;
        limited_init(&l, n);
        cfd_status status = create(_i == 0, &source, pool, &o);
        if (status == CFD_OK) {
            status = run_everything(o, &w, &out);
            o->table->destroy(o);
        } else {
            ck_assert_ptr_null(o);
        }
        ck_assert_int_eq(atomic_load(&l.live), 0);
        if (status == CFD_OK) {
            break;
        }
        ck_assert_int_eq(status, CFD_ERROR_MEMORY);
        ck_assert_ptr_nonnull(strstr(cfd_last_error(), "out of memory"));
        failures++;
    }
    ck_assert_int_ge(failures, 8);
    threads_destroy(pool);
    memory_release(&memory_default, out.values);
    world_free(&w);
}
END_TEST

START_TEST(repeated_operations_of_cpu_allocate_nothing)
{
    static world w;
    world_make(&w);
    record out = record_make();
    limited l;
    memory_source source = {limited_allocate, limited_release, &l};
    thread_pool *pool;
    ops *o;
    limited_init(&l, 1000);
    OK(threads_create(&memory_default, 2, &pool));
    OK(create(false, &source, pool, &o));
    OK(o->table->features_create(o, &w.dense, NULL, &w.kept[0]));
    OK(o->table->features_create(o, &w.sparse, NULL, &w.kept[1]));
    OK(run_everything(o, &w, &out));
    long live = atomic_load(&l.live);
    long before = atomic_load(&l.made);
    OK(run_everything(o, &w, &out));
    ck_assert_int_eq(atomic_load(&l.made), before);
    ck_assert_int_eq(atomic_load(&l.live), live);
    o->table->features_destroy(o, w.kept[0]);
    o->table->features_destroy(o, w.kept[1]);
    w.kept[0] = w.kept[1] = NULL;
    o->table->destroy(o);
    threads_destroy(pool);
    memory_release(&memory_default, out.values);
    world_free(&w);
}
END_TEST

/* ---- names, sets, settings ---- */

START_TEST(instances_say_what_they_are)
{
    both b;
    if (!both_open(&b, 0, 1)) {
        return;
    } /* the baseline runs everywhere */
    ck_assert_str_eq(b.ref->table->name, "reference");
    ck_assert_str_eq(b.ref->table->instruction_set(b.ref), "reference");
    ck_assert_str_eq(b.ref->table->gemm(b.ref), "own loops");
    ck_assert_str_eq(b.other->table->name, "cpu");
    ck_assert_str_eq(b.other->table->instruction_set(b.other), "baseline");
    const char *gemm = b.other->table->gemm(b.other);
    ck_assert(strncmp(gemm, "oneDNN ", 7) == 0 || strncmp(gemm, "OpenBLAS", 8) == 0 || strcmp(gemm, "CBLAS") == 0);
    ops *none = NULL;
    log_sink silent = {NULL, NULL};
    FAILS(CFD_ERROR_DEVICE, "\"sse9\"", ops_create_cpu(&memory_default, b.pool, silent, "sse9", &none));
    ck_assert_ptr_null(none);
    OK(ops_create_cpu(&memory_default, b.pool, silent, NULL, &none));
    ck_assert_ptr_eq(cpu_kernels_find(none->table->instruction_set(none)), cpu_kernels_choose());
    none->table->destroy(none);
    b.ref->table->destroy(NULL);
    b.other->table->destroy(NULL);
    both_close(&b);
}
END_TEST

/* Present where the library for dense products brings OpenMP along. */
extern int omp_get_max_threads(void) __attribute__((weak));
extern void omp_set_num_threads(int threads) __attribute__((weak));

static int count_threads(void)
{
    DIR *directory = opendir("/proc/self/task");
    int n = 0;
    while (directory && readdir(directory)) {
        n++;
    }
    if (directory) {
        closedir(directory);
    }
    return n;
}

START_TEST(dense_products_stay_on_the_pool_and_leave_openmp_alone)
{
    both b;
    if (!both_open(&b, 0, 2)) {
        return;
    }
    bool onednn = strncmp(b.other->table->gemm(b.other), "oneDNN", 6) == 0;
    if (omp_set_num_threads) {
        omp_set_num_threads(5);
    }
    enum { ROWS = 2000, N = 128 };
    float *x = random_floats((size_t)ROWS * N);
    float *y = random_floats((size_t)ROWS * N);
    float *m = random_floats((size_t)N * N);
    int before = count_threads();
    OK(b.other->table->multiply_right(b.other, x, N, m, ROWS, N, 1, 1, false, y, N));
    if (onednn && before > 0) {
        ck_assert_int_le(count_threads(), before + 1); /* the pool's one worker */
    }
    if (omp_get_max_threads) {
        ck_assert_int_eq(omp_get_max_threads(), 5);
    }
    free(x);
    free(y);
    free(m);
    both_close(&b);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("ops: instances");
    TCase *tc = tcase_create("instances");
    tcase_set_timeout(tc, 240);
    tcase_add_loop_test(tc, neither_threads_nor_their_order_change_a_bit, 0, BACKENDS);
    tcase_add_loop_test(tc, every_allocation_may_fail, 0, 2);
    tcase_add_test(tc, repeated_operations_of_cpu_allocate_nothing);
    tcase_add_test(tc, instances_say_what_they_are);
    tcase_add_test(tc, dense_products_stay_on_the_pool_and_leave_openmp_alone);
    suite_add_tcase(s, tc);
    return s;
}

TEST_MAIN(suite)
