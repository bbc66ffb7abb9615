/* SPDX-License-Identifier: Apache-2.0 */
/* The profile: what is counted, by whom, and that counting changes nothing. */
#define _POSIX_C_SOURCE 200809L /* clock_gettime */
#include "limited_memory.h"
#include "ops/batch.h"
#include "ops/profile.h"
#include "ops_support.h"
#include "test_api_world.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

/* ---- memory that is counted, and may run out ---- */

static cfd_status open_context(int32_t profiled, limited *memory, cfd_context **context)
{
    cfd_context_options options = CFD_CONTEXT_OPTIONS_INIT;
    options.threads = 2;
    options.profile = profiled;
    if (memory) {
        options.allocate = limited_allocate;
        options.release = limited_release;
        options.allocator_user = memory;
    }
    return cfd_context_create(&options, context);
}

static cfd_context *profiled_context(int32_t profiled)
{
    cfd_context *context;
    OK(open_context(profiled, NULL, &context));
    return context;
}

/* ---- records ---- */

/* The entry of an operation whose detail is `detail`, or whichever comes first where that is NULL. */
static cfd_profile_entry entry_of(const cfd_context *context, const char *operation, const char *detail)
{
    for (size_t i = 0; i < cfd_context_profile_count(context); i++) {
        cfd_profile_entry entry = CFD_PROFILE_ENTRY_INIT;
        OK(cfd_context_get_profile(context, i, &entry));
        if (strcmp(entry.operation, operation) == 0 && (!detail || strcmp(entry.detail, detail) == 0)) {
            return entry;
        }
    }
    ck_abort_msg("no %s of %s", operation, detail ? detail : "any kind");
    return (cfd_profile_entry)CFD_PROFILE_ENTRY_INIT;
}

static double total_seconds(const cfd_context *context)
{
    double sum = 0;
    for (size_t i = 0; i < cfd_context_profile_count(context); i++) {
        cfd_profile_entry entry = CFD_PROFILE_ENTRY_INIT;
        OK(cfd_context_get_profile(context, i, &entry));
        sum += entry.seconds;
    }
    return sum;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- operations by hand ---- */

/* A profiled instance by itself. */
typedef struct bench {
    thread_pool *pool;
    profile *records;
    ops *o;
} bench;

static bench bench_open(void)
{
    bench b;
    ops *inner;
    log_sink silent = {NULL, NULL};
    OK(threads_create(&memory_default, 1, &b.pool));
    OK(profile_create(&memory_default, &b.records));
    OK(ops_create_cpu(&memory_default, b.pool, silent, "baseline", &inner));
    OK(ops_create_profiled(inner, b.records, &b.o));
    return b;
}

static void bench_close(bench *b)
{
    b->o->table->destroy(b->o);
    profile_destroy(b->records);
    threads_destroy(b->pool);
}

/* The last kind met is this one, with this much work for one call. */
static void last_is(const bench *b, const char *operation, const char *detail, double operations, double bytes)
{
    const char *texts[2];
    profile_sums sums;
    profile_get(b->records, profile_count(b->records) - 1, &texts[0], &texts[1], &sums);
    ck_assert_str_eq(texts[0], operation);
    ck_assert_str_eq(texts[1], detail);
    ck_assert_int_eq(sums.calls, 1);
    ck_assert_double_ge(sums.seconds, 0);
    ck_assert_msg(sums.operations == operations, "%s: %g operations, not %g", operation, sums.operations, operations);
    ck_assert_msg(sums.bytes == bytes, "%s: %g bytes, not %g", operation, sums.bytes, bytes);
}

START_TEST(every_operation_of_every_table_is_there)
{
    bench b = bench_open();
    ops *reference;
    log_sink silent = {NULL, NULL};
    OK(ops_create_reference(&memory_default, b.pool, silent, &reference));
    ops *copy;
    OK(b.o->table->create(b.o, &copy));
    ops *cuda = ops_create_cuda_for_test(&memory_default, b.pool);
    const ops_table *tables[] = {reference->table, b.o->table, copy->table, cuda ? cuda->table : NULL};
    for (int t = 0; t < (cuda ? 4 : 3); t++) {
        /* A table is a name, a flag and functions: pointers without a gap. One that is left out is NULL. From
         * ranker_destroy on are those that a backend may lack; the CUDA backend lacks none. */
        ck_assert_ptr_nonnull(tables[t]->name);
        size_t end = t == 3 ? sizeof(ops_table) : offsetof(ops_table, ranker_destroy);
        for (size_t at = offsetof(ops_table, create); at < end; at += sizeof(void *)) {
            void (*operation)(void);
            memcpy(&operation, (const char *)tables[t] + at, sizeof operation);
            ck_assert_msg(operation != NULL, "table %d lacks entry %zu", t, at / sizeof operation);
        }
    }
    ck_assert_str_eq(b.o->table->name, "cpu");
    ck_assert_str_eq(copy->table->instruction_set(copy), "baseline");
    b.o->table->destroy(NULL);
    copy->table->destroy(copy);
    reference->table->destroy(reference);
    if (cuda) {
        cuda->table->destroy(cuda);
    }
    bench_close(&b);
}
END_TEST

/* G is 3 x 4 with 5 nonzeros, rows of 2, 0 and 3; 2 columns. */
START_TEST(sparse_products_count_nonzeros_rows_and_widths)
{
    bench b = bench_open();
    const int64_t offsets[] = {0, 2, 2, 5};
    const int32_t indices[] = {0, 3, 0, 1, 2};
    const float values[] = {1, 2, 3, 4, 5};
    ops_csr g = {3, 4, 5, offsets, indices, values};
    const float x[8] = {1, 1, 1, 1, 1, 1, 1, 1};
    float y[6];
    OK(b.o->table->spmm(b.o, &g, ops_all_rows, NULL, x, 2, y, 2, 2, NULL));
    ck_assert_float_eq(y[0], 3);
    /* 2 x 5 x 2 operations; 3 offsets of 8, 5 pairs of 8; 4 rows of X and 3 of Y of 8 */
    last_is(&b, "sparse product", "2 columns", 20, 24 + 40 + 32 + 24);
    const int32_t listed[] = {2};
    const int32_t count = 1;
    OK(b.o->table->spmm(b.o, &g, (ops_rows){listed, &count, 3}, NULL, x, 2, y, 2, 2, NULL));
    last_is(&b, "sparse product", "2 columns, listed rows", 12, 8 + 24 + 24 + 8); /* one row of 3 nonzeros */
    const int32_t slots[] = {0, -1, 1, -1}; /* columns 0 and 2 are there: 3 of the 5 nonzeros */
    OK(b.o->table->spmm(b.o, &g, ops_all_rows, slots, x, 2, y, 2, 2, NULL));
    last_is(&b, "sparse product", "2 columns, compact input", 12, 24 + 40 + 16 + 16 + 24);
    /* Two of the three nodes are in a batch: two rows more are read, multiplied and added. */
    ops_batch batch = batch_make(1, 2, 1);
    batch_set(&batch, 0, 0, 1, 1);
    batch_build_index(&batch);
    const float weight = 0.5f;
    ops_addend addend = {.batch = &batch, .rows = {y, 2, 1, false}, .group = 1, .weights = &weight};
    float z[6];
    OK(b.o->table->spmm(b.o, &g, ops_all_rows, NULL, x, 2, z, 2, 1, &addend));
    last_is(&b, "sparse product", "1 columns", 2 * 5 + 2 * 2, 24 + 40 + 16 + 12 + 2 * 4);
    batch_free(&batch);
    bench_close(&b);
}
END_TEST

/* F is 3 x 4, W 4 x 2. */
START_TEST(products_with_features_count_the_numbers_that_are_stored)
{
    bench b = bench_open();
    const float dense[12] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    const int64_t offsets[] = {0, 1, 1, 3};
    const int32_t indices[] = {3, 0, 2};
    const float values[] = {1, 2, 3};
    ops_feature_source sources[2] = {{.rows = 3, .columns = 4, .dense = dense, .ld = 4},
                                     {.rows = 3, .columns = 4, .sparse = {3, 4, 3, offsets, indices, values}}};
    const float w[8] = {1, 0, 0, 1, 1, 1, 2, 0};
    float y[6], dw[8];
    for (int sparse = 0; sparse < 2; sparse++) {
        ops_features *f;
        OK(b.o->table->features_create(b.o, &sources[sparse], NULL, &f));
        last_is(&b, "keep features", sparse ? "4 columns, sparse" : "4 columns", 0, 2 * (sparse ? 56 : 48));
        OK(b.o->table->project(b.o, f, w, 2, y, 2));
        double numbers = sparse ? 3 : 12;
        double stored = sparse ? 4 * 8 + 3 * 8 : 12 * 4;
        last_is(&b, "project", sparse ? "4 x 2, sparse" : "4 x 2", 2 * numbers * 2, stored + 32 + 24);
        ck_assert_float_eq(y[0], sparse ? 2 : 1 + 3 + 8); /* row 0: 1 of column 3, or 1 2 3 4 */
        OK(b.o->table->project_gradient(b.o, f, y, 2, 2, dw));
        last_is(&b, "gradient of project", sparse ? "4 x 2, sparse" : "4 x 2", 2 * numbers * 2, stored + 24 + 32);
        b.o->table->features_destroy(b.o, f);
    }
    b.o->table->features_destroy(b.o, NULL);
    bench_close(&b);
}
END_TEST

START_TEST(the_other_operations_count_what_they_read_and_write)
{
    bench b = bench_open();
    float a[24] = {1, 0, 0, 1}, c[24], m[8] = {2, 0, 0, 2, 2, 0, 0, 2}, q[8], z[8], roots[4];
    OK(b.o->table->copy(b.o, c, a, 24));
    last_is(&b, "copy", "", 0, 48);
    OK(b.o->table->zero(b.o, c, 24));
    last_is(&b, "zero", "", 0, 24);
    OK(b.o->table->copy_matrix(b.o, a, 4, c, 4, 6, 4, 2.0f));
    last_is(&b, "copy matrix", "4 columns", 24, 2 * 96);
    /* 6 rows, 2 heads of 2 columns */
    OK(b.o->table->cross_moment(b.o, a, 4, a, 4, 6, 2, 2, 1.0, c));
    last_is(&b, "cross moment", "2 x 2 x 2", 2 * 6 * 2 * 4, 96 + 32);
    OK(b.o->table->multiply_right(b.o, a, 4, m, 6, 2, 2, 1.0f, true, c, 4));
    last_is(&b, "multiply right", "2 x 2 x 2", 2 * 6 * 2 * 4, 3 * 96 + 32);
    OK(b.o->table->inverse_sqrt(b.o, m, 2, 2, 1e-6, q, roots, z));
    const char *operation, *detail;
    profile_sums sums;
    size_t n = profile_count(b.records);
    profile_get(b.records, n - 1, &operation, &detail, &sums);
    ck_assert_str_eq(operation, "inverse root");
    ck_assert_double_eq(sums.bytes, 3 * 32 + 16);
    /* What fails is not counted. */
    m[0] = NAN;
    ck_assert_int_eq(b.o->table->inverse_sqrt(b.o, m, 2, 2, 1e-6, q, roots, z), CFD_ERROR_NUMERIC);
    profile_get(b.records, n - 1, &operation, &detail, &sums);
    ck_assert_int_eq(sums.calls, 1);
    ops_adam_tensor tensors[2] = {{a, m, q, z, 3}, {a + 4, m, q, z, 2}};
    ops_adam_settings adam = {1e-3, 0.9, 0.999, 1e-8, 1};
    m[0] = 1;
    OK(b.o->table->adam(b.o, tensors, 2, &adam));
    last_is(&b, "adam", "5 numbers", 60, 7 * 20);
    OK(b.o->table->score_block(b.o, a, 2, a, 3, 4, c, 3));
    last_is(&b, "scores", "4 columns", 2 * 2 * 3 * 4, 5 * 16 + 24);
    const int32_t ids[] = {2, 0};
    OK(b.o->table->score_pairs(b.o, a, a, ids, 2, 4, c));
    last_is(&b, "scores of pairs", "4 columns", 2 * 2 * 4, 3 * 16 + 16);
    bench_close(&b);
}
END_TEST

/* One triple (0, 0, 1) of 2 users and 2 items: rows 0, 2 and 3, of which the last is a negative only. */
START_TEST(losses_count_rows_and_columns)
{
    bench b = bench_open();
    ops_batch batch = batch_make(2, 2, 1);
    batch_set(&batch, 0, 0, 0, 1);
    OK(b.o->table->batch_index(b.o, &batch));
    last_is(&b, "index batch", "", 0, 4 * (6 + 4 + 2 * 3));
    float x[12] = {1, 0, 0, 1, 1, 1}, gradient[12] = {0};
    double loss = 0;
    ops_view rows = {x, 2, 2, false}, into = {gradient, 2, 2, false};
    ops_branch branch = {rows, into, 1.0f, &loss};
    OK(b.o->table->bpr(b.o, &batch, &branch, 1));
    last_is(&b, "ranking loss", "2 columns", 11 * 2, 2 * 3 * 8);
    OK(b.o->table->pair_cosine(b.o, &batch, OPS_COSINE_ORTHOGONAL, rows, rows, NULL, NULL, 1.0f, into, into, &loss));
    last_is(&b, "cosine loss", "2 columns, orthogonal", 2 * 14 * 2, 2 * 6 * 8);
    OK(b.o->table->penalty(b.o, &batch, rows, 1.0f, into, &loss));
    last_is(&b, "penalty", "2 columns", 3 * 4 * 2, 3 * 3 * 8);
    batch_free(&batch);
    bench_close(&b);
}
END_TEST

START_TEST(kinds_beyond_the_table_share_its_last_record)
{
    bench b = bench_open();
    enum { WIDTHS = PROFILE_KINDS + 50 };
    static float from[WIDTHS], to[WIDTHS];
    for (int round = 0; round < 2; round++) {
        for (int32_t width = 1; width <= WIDTHS; width++) {
            OK(b.o->table->copy_matrix(b.o, from, width, to, width, 1, width, 1.0f));
        }
    }
    ck_assert_uint_eq(profile_count(b.records), PROFILE_KINDS);
    const char *operation, *detail;
    profile_sums sums;
    profile_get(b.records, PROFILE_KINDS - 2, &operation, &detail, &sums);
    ck_assert_str_eq(operation, "copy matrix");
    ck_assert_str_eq(detail, "255 columns");
    ck_assert_int_eq(sums.calls, 2);
    profile_get(b.records, PROFILE_KINDS - 1, &operation, &detail, &sums);
    ck_assert_str_eq(operation, "other");
    ck_assert_str_eq(detail, "");
    ck_assert_int_eq(sums.calls, 2 * (WIDTHS - PROFILE_KINDS + 1));
    bench_close(&b);
}
END_TEST

/* ---- a context's profile ---- */

START_TEST(a_profile_is_wanted_or_not)
{
    cfd_context *context = NULL;
    const int32_t refused[] = {2, -1, INT32_MAX};
    for (int i = 0; i < 3; i++) {
        FAILS(CFD_ERROR_ARGUMENT, "0 or 1 wanted", open_context(refused[i], NULL, &context));
        ck_assert_ptr_null(context);
    }
    context = profiled_context(0);
    cfd_profile_entry entry = CFD_PROFILE_ENTRY_INIT;
    ck_assert_uint_eq(cfd_context_profile_count(context), 0);
    FAILS(CFD_ERROR_ARGUMENT, "without a profile", cfd_context_get_profile(context, 0, &entry));
    cfd_context_reset_profile(context);
    cfd_context_destroy(context);
    cfd_context_reset_profile(NULL);
    ck_assert_uint_eq(cfd_context_profile_count(NULL), 0);
}
END_TEST

START_TEST(the_parts_of_steps_add_up)
{
    cfd_context *context = profiled_context(1);
    cfd_config *config = world_config(NULL);
    cfd_dataset *data = world_data(context);
    cfd_model *model = world_model(context, config, data);
    enum { STEPS = 7 };
    cfd_context_reset_profile(context);
    double begun = now();
    for (int k = 0; k < STEPS; k++) {
        OK(cfd_train_step(model, NULL, NULL));
    }
    double seconds = now() - begun;
    /* Operations of a step are not called at the same time. */
    double sum = total_seconds(context);
    ck_assert_double_gt(sum, 0);
    ck_assert_double_le(sum, seconds);
    cfd_model_info info = CFD_MODEL_INFO_INIT;
    OK(cfd_model_get_info(model, &info));
    char numbers[32];
    snprintf(numbers, sizeof numbers, "%lld numbers", (long long)info.n_parameters);
    cfd_profile_entry adam = entry_of(context, "adam", numbers);
    ck_assert_int_eq(adam.calls, STEPS);
    ck_assert_double_eq(adam.bytes, STEPS * 28.0 * (double)info.n_parameters);
    ck_assert_double_gt(adam.seconds, 0);
    ck_assert_int_eq(entry_of(context, "draw batch", "").calls, STEPS);
    /* Photos are 30 x 6, projected to two heads of 8. */
    cfd_profile_entry project = entry_of(context, "project", "6 x 16");
    ck_assert_int_eq(project.calls, STEPS);
    ck_assert_double_eq(project.operations, STEPS * 2.0 * WORLD_ITEMS * WORLD_PHOTO * 16);
    ck_assert_int_eq(entry_of(context, "gradient of project", "12 x 16, sparse").calls, STEPS);
    /* Of the two base layers the last is for listed rows; backward, the first has compact input. */
    ck_assert_int_eq(entry_of(context, "sparse product", "8 columns, compact input").calls, STEPS);
    ck_assert_int_eq(entry_of(context, "ranking loss", NULL).calls, STEPS);
    cfd_model_destroy(model);
    cfd_dataset_destroy(data);
    cfd_config_destroy(config);
    cfd_context_destroy(context);
}
END_TEST

START_TEST(a_reset_keeps_the_kinds)
{
    cfd_context *context = profiled_context(1);
    cfd_config *config = world_config(NULL);
    cfd_dataset *data = world_data(context);
    cfd_model *model = world_model(context, config, data);
    OK(cfd_train_step(model, NULL, NULL));
    size_t n = cfd_context_profile_count(context);
    ck_assert_uint_gt(n, 10);
    cfd_profile_entry before = CFD_PROFILE_ENTRY_INIT;
    OK(cfd_context_get_profile(context, n - 1, &before));
    cfd_context_reset_profile(context);
    ck_assert_uint_eq(cfd_context_profile_count(context), n);
    for (size_t i = 0; i < n; i++) {
        cfd_profile_entry entry = CFD_PROFILE_ENTRY_INIT;
        OK(cfd_context_get_profile(context, i, &entry));
        ck_assert_int_eq(entry.calls, 0);
        ck_assert_double_eq(entry.seconds, 0);
        ck_assert_double_eq(entry.operations, 0);
        ck_assert_double_eq(entry.bytes, 0);
    }
    cfd_profile_entry after = CFD_PROFILE_ENTRY_INIT;
    OK(cfd_context_get_profile(context, n - 1, &after));
    ck_assert_ptr_eq(after.operation, before.operation);
    ck_assert_ptr_eq(after.detail, before.detail);
    FAILS(CFD_ERROR_ARGUMENT, "kinds of operations", cfd_context_get_profile(context, n, &after));
    /* A caller of an older header has a shorter entry. */
    cfd_profile_entry old;
    memset(&old, 0x5a, sizeof old);
    old.struct_size = offsetof(cfd_profile_entry, seconds);
    OK(cfd_context_get_profile(context, 0, &old));
    ck_assert_int_eq(old.calls, 0);
    ck_assert_int_eq(((const unsigned char *)&old)[offsetof(cfd_profile_entry, seconds)], 0x5a);
    /* The model goes on recording when its context is dropped. */
    cfd_context_destroy(context);
    OK(cfd_train_step(model, NULL, NULL));
    cfd_model_destroy(model);
    cfd_dataset_destroy(data);
    cfd_config_destroy(config);
}
END_TEST

/* Trained embeddings, scores and metrics of a world, in a context with or without a profile. */
typedef struct outcome {
    float parameters[WORLD_USERS * 8];
    float *scores;
    cfd_metrics metrics[3];
} outcome;

static void train_world(int32_t profiled, outcome *out)
{
    cfd_context *context = profiled_context(profiled);
    cfd_config *config = WORLD_CONFIG("transform.photo", "svd:4", "epochs", "3");
    cfd_dataset *data = world_data(context);
    cfd_model *model = world_model(context, config, data);
    OK(cfd_train(model, NULL, NULL));
    OK(cfd_model_get_parameter(model, "user.id", out->parameters, WORLD_USERS * 8));
    out->scores = world_model_scores(model);
    memset(out->metrics, 0, sizeof out->metrics);
    OK(cfd_evaluate(model, data, NULL, out->metrics, NULL));
    ck_assert(profiled == (cfd_context_profile_count(context) > 0));
    cfd_model_destroy(model);
    cfd_dataset_destroy(data);
    cfd_config_destroy(config);
    cfd_context_destroy(context);
}

START_TEST(a_profile_changes_no_bit)
{
    outcome without, with;
    train_world(0, &without);
    train_world(1, &with);
    ck_assert_mem_eq(without.parameters, with.parameters, sizeof with.parameters);
    ck_assert_mem_eq(without.scores, with.scores, sizeof(float) * WORLD_USERS * WORLD_ITEMS);
    ck_assert_mem_eq(without.metrics, with.metrics, sizeof with.metrics);
    free(without.scores);
    free(with.scores);
}
END_TEST

enum { SERVERS = 4, REQUESTS = 300 };

static void *score_one_by_one(void *argument)
{
    const cfd_scorer *scorer = argument;
    float scores[WORLD_ITEMS];
    for (int32_t k = 0; k < REQUESTS; k++) {
        int32_t user = k % WORLD_USERS;
        if (cfd_score_users(scorer, &user, 1, NULL, 0, scores) != CFD_OK) {
            return NULL;
        }
    }
    return argument;
}

START_TEST(threads_that_score_at_once_are_all_counted)
{
    cfd_context *context = profiled_context(1);
    cfd_config *config = world_config(NULL);
    cfd_dataset *data = world_data(context);
    cfd_model *model = world_model(context, config, data);
    cfd_scorer *scorer;
    OK(cfd_scorer_create(model, &scorer));
    cfd_context_reset_profile(context);
    pthread_t threads[SERVERS];
    for (int t = 0; t < SERVERS; t++) {
        ck_assert_int_eq(pthread_create(&threads[t], NULL, score_one_by_one, scorer), 0);
    }
    for (int t = 0; t < SERVERS; t++) {
        void *result;
        pthread_join(threads[t], &result);
        ck_assert_ptr_eq(result, scorer);
    }
    cfd_scorer_info info = CFD_SCORER_INFO_INIT;
    OK(cfd_scorer_get_info(scorer, &info));
    cfd_profile_entry entry = entry_of(context, "scores", NULL);
    ck_assert_int_eq(entry.calls, SERVERS * REQUESTS);
    ck_assert_double_eq(entry.operations, (double)SERVERS * REQUESTS * 2 * WORLD_ITEMS * info.width);
    cfd_scorer_release(scorer);
    cfd_model_destroy(model);
    cfd_dataset_destroy(data);
    cfd_config_destroy(config);
    cfd_context_destroy(context);
}
END_TEST

START_TEST(recording_allocates_nothing)
{
    limited memory;
    limited_init(&memory, 100000);
    cfd_context *context;
    OK(open_context(1, &memory, &context));
    cfd_config *config = world_config(NULL);
    cfd_dataset *data = world_data(context);
    cfd_model *model = world_model(context, config, data);
    for (int k = 0; k < 3; k++) { /* scratch has its size, the workers run */
        OK(cfd_train_step(model, NULL, NULL));
    }
    long before = atomic_load(&memory.made);
    cfd_context_reset_profile(context);
    for (int k = 0; k < 5; k++) {
        OK(cfd_train_step(model, NULL, NULL));
    }
    ck_assert_int_eq(entry_of(context, "draw batch", "").calls, 5);
    ck_assert_int_eq(atomic_load(&memory.made), before);
    cfd_model_destroy(model);
    cfd_dataset_destroy(data);
    cfd_config_destroy(config);
    cfd_context_destroy(context);
    ck_assert_int_eq(atomic_load(&memory.live), 0);
}
END_TEST

/* A profiled model is made with fewer and fewer allocations granted: each failure is one, and leaves nothing behind. */
START_TEST(every_allocation_may_fail)
{
    int failures = 0;
    cfd_context *plain = profiled_context(0);
    cfd_dataset *data = world_data(plain);
    cfd_config *config = world_config(NULL);
    for (long n = 0;; n++) {
        limited memory;
        limited_init(&memory, n);
        cfd_context *context = NULL;
        cfd_model *model = NULL;
        cfd_status status = open_context(1, &memory, &context);
        if (status == CFD_OK) {
            status = cfd_model_create(context, config, data, &model);
        }
        if (status == CFD_OK) {
            status = cfd_train_step(model, NULL, NULL);
        }
        cfd_model_destroy(model);
        cfd_context_destroy(context);
        ck_assert_int_eq(atomic_load(&memory.live), 0);
        if (status == CFD_OK) {
            break;
        }
        ck_assert_int_eq(status, CFD_ERROR_MEMORY);
        failures++;
    }
    ck_assert_int_ge(failures, 20);
    cfd_config_destroy(config);
    cfd_dataset_destroy(data);
    cfd_context_destroy(plain);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("profile");
    TCase *t = tcase_create("profile");
    tcase_set_timeout(t, 120);
    tcase_add_test(t, every_operation_of_every_table_is_there);
    tcase_add_test(t, sparse_products_count_nonzeros_rows_and_widths);
    tcase_add_test(t, products_with_features_count_the_numbers_that_are_stored);
    tcase_add_test(t, the_other_operations_count_what_they_read_and_write);
    tcase_add_test(t, losses_count_rows_and_columns);
    tcase_add_test(t, kinds_beyond_the_table_share_its_last_record);
    tcase_add_test(t, a_profile_is_wanted_or_not);
    tcase_add_test(t, the_parts_of_steps_add_up);
    tcase_add_test(t, a_reset_keeps_the_kinds);
    tcase_add_test(t, a_profile_changes_no_bit);
    tcase_add_test(t, threads_that_score_at_once_are_all_counted);
    tcase_add_test(t, recording_allocates_nothing);
    tcase_add_test(t, every_allocation_may_fail);
    suite_add_tcase(s, t);
    return s;
}

TEST_MAIN(suite)
