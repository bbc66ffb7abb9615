/* SPDX-License-Identifier: Apache-2.0 */
/* Sorting out by a short type: lists, their order and their scores are those of the float32 path, bit by bit, whatever the
 * embeddings. The float32 path itself is held against a full sort in test_scorer.c. */
#include "ops_support.h"

#include "serve/scorer.h"

#include <float.h>

/* ---- embeddings that are hard in one way each ---- */

enum kind {
    NORMAL,       /* bell-shaped */
    CLUSTERED,    /* copies of a few rows, 1e-6 apart */
    TIED,         /* exact copies of a few rows */
    CONSTANT,     /* one number everywhere */
    INTEGERS,     /* from -2 to 2: many ties between different rows */
    HUGE_NORMS,   /* 1e18 and up to the largest float, mixed with ordinary rows: scores overflow */
    MIXED_SCALES, /* lengths from 1e-18 to 1e18 */
    TINY,         /* rows whose products underflow, denormal rows, zero rows */
    UNDERFLOWING, /* products and sums of denormal size, where float32 loses what integers keep */
    ONE_LARGE,    /* one number dwarfs the others, which rounding takes altogether */
    HALF_STEPS,   /* every number lies in the middle of two steps */
    OPPOSITE,     /* keys in pairs k and -k, a last bit apart in places */
    NEARLY_TIED,  /* scores differ in their last bits only */
    NOT_FINITE,   /* some keys and queries hold NaN or infinities */
    KINDS
};

static float bell(void)
{
    float sum = 0;
    for (int i = 0; i < 6; i++) {
        sum += random_float();
    }
    return sum;
}

static void fill_row(float *row, int32_t width, int32_t i, enum kind kind)
{
    float scale = 1;
    for (int32_t c = 0; c < width; c++) {
        row[c] = bell();
    }
    switch (kind) {
    case CONSTANT:
        for (int32_t c = 0; c < width; c++) {
            row[c] = 0.3f;
        }
        break;
    case INTEGERS:
        for (int32_t c = 0; c < width; c++) {
            row[c] = (float)(random_below(5) - 2);
        }
        break;
    case HUGE_NORMS: scale = (const float[]){1, 1e18f, 1e30f, FLT_MAX / 8, 1e10f}[i % 5]; break;
    case MIXED_SCALES: scale = powf(10, (float)(random_below(37) - 18)); break;
    case TINY: scale = (const float[]){1e-20f, 1e-38f, 1e-44f, 0, 1e-30f, 1}[i % 6]; break;
    case UNDERFLOWING: scale = (const float[]){3e-18f, 1e-27f, 1e-26f}[i % 3]; break;
    case ONE_LARGE: row[random_below(width)] *= 1000.0f + (float)random_below(1000); break;
    case HALF_STEPS:
        for (int32_t c = 0; c < width; c++) {
            row[c] = ((float)(random_below(253) - 126) + 0.5f) / 127.0f;
        }
        row[i % width] = 1;
        break;
    case NEARLY_TIED:
        for (int32_t c = 0; c < width; c++) {
            row[c] = 1.0f + (float)random_below(3) * FLT_EPSILON;
        }
        break;
    default: break;
    }
    for (int32_t c = 0; c < width; c++) {
        row[c] *= scale;
    }
}

/* rows x width numbers of the library's own memory, for a scorer to take over. */
static float *make_rows(int32_t rows, int32_t width, enum kind kind)
{
    float *all;
    OK(memory_allocate(&memory_default, (size_t)rows * (size_t)width, sizeof *all, "a test", &all));
    for (int32_t i = 0; i < rows; i++) {
        float *row = all + (int64_t)i * width;
        fill_row(row, width, i, kind);
        if ((kind == CLUSTERED || kind == TIED) && i >= 5) {
            memcpy(row, all + (int64_t)(i % 5) * width, (size_t)width * sizeof *row);
            for (int32_t c = 0; kind == CLUSTERED && c < width; c++) {
                row[c] *= 1 + 1e-6f * random_float();
            }
        }
        if (kind == OPPOSITE && i % 2 == 1) {
            for (int32_t c = 0; c < width; c++) {
                row[c] = -row[c - width];
            }
            row[random_below(width)] *= 1 + FLT_EPSILON;
        }
        if (kind == NOT_FINITE && random_below(9) == 0) {
            row[random_below(width)] = (const float[]){NAN, INFINITY, -INFINITY}[random_below(3)];
        }
    }
    return all;
}

/* ---- two scorers of the same embeddings ---- */

typedef struct two {
    thread_pool *pool;
    scorer plain, sorted;
} two;

static ops *open_device(thread_pool *pool, const char *set, const char *loops)
{
    ops *device;
    OK(ops_create_cpu(&memory_default, pool, (log_sink){NULL, NULL}, set, &device));
    OK(device->table->set_scoring(device, OPS_SCORING_INT8));
    if (loops) {
        cpu_of(device)->short_loops = short_kernels_find(loops);
    }
    return device;
}

static float *copy_rows(const float *from, int32_t rows, int32_t width)
{
    float *copy;
    size_t n = (size_t)rows * (size_t)width;
    OK(memory_allocate(&memory_default, n, sizeof *copy, "a test", &copy));
    memcpy(copy, from, n * sizeof *copy);
    return copy;
}

/* Of the sorting scorer `loops` are the loops in int8; NULL: those that go with the set. */
static void two_open(two *t, int32_t threads, const char *set, const char *loops, int32_t users, int32_t items,
                     int32_t width, enum kind kind)
{
    OK(threads_create(&memory_default, threads, &t->pool));
    float *queries = make_rows(users, width, kind);
    float *keys = make_rows(items, width, kind);
    float *queries_too = copy_rows(queries, users, width);
    float *keys_too = copy_rows(keys, items, width);
    OK(scorer_init(&t->plain, &memory_default, t->pool, open_device(t->pool, set, NULL), users, items, width, queries,
                   keys));
    OK(scorer_init(&t->sorted, &memory_default, t->pool, open_device(t->pool, set, loops), users, items, width, queries_too,
                   keys_too));
    OK(scorer_prepare(&t->sorted));
    ck_assert_ptr_nonnull(t->sorted.short_keys);
}

static void two_close(two *t)
{
    scorer_release(&t->plain);
    scorer_release(&t->sorted);
    threads_destroy(t->pool);
}

/* Asks both for lists of n_users (repeats from the 2nd round on), with exclusions that hit what would be on top. */
static void same_lists(two *t, size_t n_users, size_t k, bool exclude)
{
    int32_t *users = get_memory(n_users, sizeof *users);
    int32_t *items[2];
    float *scores[2];
    int32_t *counts[2];
    for (int s = 0; s < 2; s++) {
        items[s] = get_memory(n_users * k, sizeof(int32_t));
        scores[s] = get_memory(n_users * k, sizeof(float));
        counts[s] = get_memory(n_users, sizeof(int32_t));
    }
    for (size_t i = 0; i < n_users; i++) {
        users[i] = (int32_t)(i * 7 % (size_t)t->plain.users);
    }
    int64_t *offsets = get_memory(n_users + 1, sizeof *offsets);
    int32_t *excluded = get_memory(n_users * (k / 2 + 3), sizeof *excluded);
    cfd_filter filter = CFD_FILTER_INIT;
    if (exclude) {
        OK(scorer_recommend(&t->plain, users, n_users, k, NULL, items[0], NULL, NULL));
        offsets[0] = 0;
        for (size_t i = 0; i < n_users; i++) {
            int64_t n = offsets[i];
            for (size_t j = 0; j < k && j / 2 < k / 2; j += 2) { /* every other of the best, in their order */
                if (items[0][i * k + j] >= 0) {
                    excluded[n++] = items[0][i * k + j];
                }
            }
            excluded[n++] = 0;
            excluded[n++] = t->plain.items - 1;
            excluded[n++] = 0;
            offsets[i + 1] = n;
        }
        filter.exclude_offsets = offsets;
        filter.exclude_items = excluded;
    }
    OK(scorer_recommend(&t->plain, users, n_users, k, exclude ? &filter : NULL, items[0], scores[0], counts[0]));
    OK(scorer_recommend(&t->sorted, users, n_users, k, exclude ? &filter : NULL, items[1], scores[1], counts[1]));
    ck_assert_mem_eq(items[0], items[1], n_users * k * sizeof(int32_t));
    ck_assert_mem_eq(scores[0], scores[1], n_users * k * sizeof(float));
    ck_assert_mem_eq(counts[0], counts[1], n_users * sizeof(int32_t));
    for (int s = 0; s < 2; s++) {
        free(items[s]);
        free(scores[s]);
        free(counts[s]);
    }
    free(users);
    free(offsets);
    free(excluded);
}

/* ---- */

static const char *const loop_sets[] = {"baseline", "avx2", "avx512", "avx512vnni"};
enum { LOOP_SETS = sizeof loop_sets / sizeof *loop_sets };

/* The float32 loops that go with loops in int8. */
static const char *set_of(const char *loops)
{
    return strcmp(loops, "avx512vnni") == 0 ? "avx512" : loops;
}

START_TEST(lists_are_those_of_float32_for_every_kind_of_embeddings)
{
    const char *loops = loop_sets[_i % LOOP_SETS];
    enum kind kind = (enum kind)(_i / LOOP_SETS);
    if (!short_kernels_find(loops)) {
        return;
    }
    random_state = (uint64_t)_i + 1;
    static const int32_t widths[] = {1, 7, 8, 63, 64, 130};
    for (size_t w = 0; w < sizeof widths / sizeof *widths; w++) {
        two t;
        two_open(&t, 2, set_of(loops), loops, 37, 701, widths[w], kind);
        same_lists(&t, 37, 20, false);
        same_lists(&t, 30, 5, true);
        same_lists(&t, 1, 1, true);
        two_close(&t);
    }
}
END_TEST

START_TEST(lists_are_those_of_float32_at_full_width)
{
    static const int32_t widths[] = {576, 1000};
    static const enum kind kinds[] = {NORMAL, ONE_LARGE, NEARLY_TIED, MIXED_SCALES};
    random_state = (uint64_t)_i + 1;
    for (int w = 0; w < 2; w++) {
        two t;
        two_open(&t, 2, NULL, NULL, 60, 1500, widths[w], kinds[_i]);
        same_lists(&t, 60, 20, true);
        same_lists(&t, 13, 1, false);
        two_close(&t);
    }
}
END_TEST

START_TEST(lists_are_those_of_float32_for_any_number_of_users_threads_and_places)
{
    static const int32_t threads[] = {1, 2, 3, 7};
    static const size_t users[] = {1, 2, 3, 4, 5, 11, 12, 13, 17, 100, 193, 400};
    static const size_t ks[] = {1, 2, 20, 100, 899, 900, 1200};
    random_state = (uint64_t)_i + 1;
    two t;
    two_open(&t, threads[_i], NULL, NULL, 400, 900, 40, NORMAL);
    for (size_t u = 0; u < sizeof users / sizeof *users; u++) {
        same_lists(&t, users[u], 20, u % 2 == 0);
    }
    for (size_t k = 0; k < sizeof ks / sizeof *ks; k++) {
        same_lists(&t, 45, ks[k], k % 2 == 0);
    }
    two_close(&t);
}
END_TEST

/* ---- what it is for: few items are scored in float32 ---- */

static int ascending(const void *a, const void *b)
{
    return *(const int32_t *)a - *(const int32_t *)b;
}

/* How many candidates sorting out leaves of `items`, the median over users; -1 where it gives most of them up. */
static int32_t median_candidates(enum kind kind, int32_t items, int32_t width)
{
    enum { USERS = 61, K = 20, CAPACITY = 464 };
    thread_pool *pool;
    OK(threads_create(&memory_default, 2, &pool));
    ops *device = open_device(pool, NULL, NULL);
    float *queries = make_rows(USERS, width, kind);
    float *keys = make_rows(items, width, kind);
    ops_keys *made;
    OK(device->table->keys_create(device, keys, items, width, &made));
    int32_t *candidates = get_memory(USERS * CAPACITY, sizeof *candidates);
    float *scores = get_memory(USERS * CAPACITY, sizeof *scores);
    void *scratch;
    OK(memory_allocate(&memory_default, device->table->sort_out_bytes(made, USERS, K, CAPACITY), 1, "a test", &scratch));
    ops_ids excluded[USERS] = {{NULL, NULL}};
    int32_t counts[USERS];
    ops_sorting sorting = {keys, queries, USERS, K, excluded, CAPACITY, candidates, scores, counts, scratch};
    OK(device->table->sort_out(device, made, &sorting));
    for (int32_t u = 0; u < USERS; u++) { /* the scores that come with them are float32's */
        for (int32_t i = 0; i < counts[u]; i++) {
            float expected;
            OK(device->table->score_block(device, queries + u * width, 1, keys + candidates[u * CAPACITY + i] * width, 1,
                                          width, &expected, 1));
            ck_assert_mem_eq(&expected, &scores[u * CAPACITY + i], sizeof expected);
        }
    }
    qsort(counts, USERS, sizeof *counts, ascending);
    memory_release(&memory_default, scratch);
    memory_release(&memory_default, queries);
    memory_release(&memory_default, keys);
    free(candidates);
    free(scores);
    device->table->keys_destroy(device, made);
    device->table->destroy(device);
    threads_destroy(pool);
    return counts[USERS / 2];
}

START_TEST(few_items_are_left_to_score)
{
    random_state = 3;
    int32_t left = median_candidates(NORMAL, 8678, 576);
    ck_assert_int_ge(left, 20);
    ck_assert_int_le(left, 80);
}
END_TEST

START_TEST(what_cannot_be_told_apart_is_given_up)
{
    ck_assert_int_eq(median_candidates(CONSTANT, 2000, 64), -1);
    ck_assert_int_eq(median_candidates(TIED, 4000, 64), -1);
}
END_TEST

/* ---- the bound itself ---- */

/* An item is out exactly where its upper bound says so: with k = all that fit, the lists hold every item whose score could
 * reach, and each score lies within its bounds. Looked at through the loops, since the operation shows no bounds. */
START_TEST(scores_lie_within_their_bounds)
{
    const char *loops = loop_sets[_i % LOOP_SETS];
    enum kind kind = (enum kind)(_i / LOOP_SETS);
    if (!short_kernels_find(loops) || kind == NOT_FINITE || kind == HUGE_NORMS || kind == TINY) {
        return;
    }
    random_state = (uint64_t)_i + 77;
    static const int32_t widths[] = {3, 64, 300};
    for (int w = 0; w < 3; w++) {
        enum { ITEMS = 90, USERS = 7 };
        int32_t width = widths[w];
        int bounded = 0;
        two t;
        two_open(&t, 1, set_of(loops), loops, USERS, ITEMS, width, kind);
        for (int32_t u = 0; u < USERS; u++) {
            float scores[ITEMS];
            OK(t.plain.device->table->score_block(t.plain.device, t.plain.queries + u * width, 1, t.plain.keys, ITEMS, width,
                                                  scores, ITEMS));
            float best[1];
            short_entry list[ITEMS + 1];
            short_query query = {.k = 1, .best = best, .capacity = ITEMS + 1, .list = list};
            int8_t *rounded = get_memory((size_t)width + 4, 1);
            cpu_round_query(t.sorted.short_keys, t.sorted.queries + u * width, rounded, &query);
            if (query.given_up) { /* no direction, or too long or short */
                free(rounded);
                continue;
            }
            bounded++;
            const short_kernels *kernels = short_kernels_find(loops);
            for (int32_t i = 0; i < ITEMS; i++) { /* one item after the other is the only one that is not excluded */
                int32_t others[ITEMS];
                int32_t n = 0;
                for (int32_t j = 0; j < ITEMS; j++) {
                    if (j != i) {
                        others[n++] = j;
                    }
                }
                query.excluded = others;
                query.n_excluded = (size_t)n;
                query.n = query.n_best = 0;
                query.threshold = -INFINITY;
                kernels->sift(cpu_short_keys(t.sorted.short_keys), 0, (ITEMS - 1) / SHORT_PANEL + 1, rounded, &query, 1);
                ck_assert_int_eq(query.n, 1);
                double score = scores[i] * query.inverse;
                ck_assert_msg(list[0].upper + query.slack / 2 >= score && best[0] - query.slack / 2 <= score,
                              "item %d: %.9g is not within %.9g and %.9g", (int)i, score, (double)best[0],
                              (double)list[0].upper);
            }
            free(rounded);
        }
        ck_assert_int_gt(bounded, 0);
        two_close(&t);
    }
}
END_TEST

/* ---- one user, and memory ---- */

typedef struct counted {
    long allocations, live, fail_at;
} counted;

static void *count_allocate(void *user, size_t bytes)
{
    counted *c = user;
    if (++c->allocations == c->fail_at) {
        return NULL;
    }
    c->live++;
    return malloc(bytes);
}

static void count_release(void *user, void *memory)
{
    ((counted *)user)->live--;
    free(memory);
}

START_TEST(a_list_for_one_user_allocates_nothing)
{
    two t;
    two_open(&t, 2, NULL, NULL, 3, 5000, 576, NORMAL);
    counted counts = {0};
    memory_source source = {count_allocate, count_release, &counts};
    t.sorted.memory = t.plain.memory = &source;
    const int64_t offsets[] = {0, 4};
    const int32_t excluded[] = {3, 77, 77, 4999};
    cfd_filter filter = CFD_FILTER_INIT;
    filter.exclude_offsets = offsets;
    filter.exclude_items = excluded;
    for (int32_t u = 0; u < 3; u++) {
        for (size_t k = 20; k <= 100; k += 80) {
            int32_t items[2][100];
            float scores[2][100];
            OK(scorer_recommend(&t.plain, &u, 1, k, &filter, items[0], scores[0], NULL));
            OK(scorer_recommend(&t.sorted, &u, 1, k, &filter, items[1], scores[1], NULL));
            ck_assert_mem_eq(items[0], items[1], k * sizeof(int32_t));
            ck_assert_mem_eq(scores[0], scores[1], k * sizeof(float));
        }
    }
    ck_assert_int_eq(counts.allocations, 0);
    t.sorted.memory = t.plain.memory = &memory_default;
    two_close(&t);
}
END_TEST

START_TEST(want_of_memory_while_keys_are_prepared_leaves_nothing_behind)
{
    thread_pool *pool;
    OK(threads_create(&memory_default, 2, &pool));
    float *keys = random_floats(300 * 40);
    for (long n = 1;; n++) {
        counted counts = {.fail_at = 0};
        memory_source source = {count_allocate, count_release, &counts};
        ops *device;
        OK(ops_create_cpu(&source, pool, (log_sink){NULL, NULL}, NULL, &device));
        OK(device->table->set_scoring(device, OPS_SCORING_INT8));
        counts.allocations = 0;
        counts.fail_at = n;
        ops_keys *made = NULL;
        cfd_status status = device->table->keys_create(device, keys, 300, 40, &made);
        if (status == CFD_OK) {
            ck_assert_int_gt(n, 3);
            device->table->keys_destroy(device, made);
        } else {
            FAILS(CFD_ERROR_MEMORY, "keys in int8", status);
            ck_assert_ptr_null(made);
        }
        device->table->destroy(device);
        ck_assert_int_eq(counts.live, 0);
        if (status == CFD_OK) {
            break;
        }
    }
    free(keys);
    threads_destroy(pool);
}
END_TEST

START_TEST(keys_that_cannot_be_sorted_out_are_not_prepared)
{
    thread_pool *pool;
    OK(threads_create(&memory_default, 1, &pool));
    ops *device = open_device(pool, NULL, NULL);
    float *keys = random_floats(70000);
    ops_keys *made = (ops_keys *)keys;
    OK(device->table->keys_create(device, keys, 1, 70000, &made)); /* sums of products would not fit */
    ck_assert_ptr_null(made);
    OK(device->table->set_scoring(device, OPS_SCORING_FLOAT32));
    made = (ops_keys *)keys;
    OK(device->table->keys_create(device, keys, 100, 64, &made));
    ck_assert_ptr_null(made);
    device->table->keys_destroy(device, NULL);
    device->table->destroy(device);
    free(keys);
    threads_destroy(pool);
}
END_TEST

/* ---- the option ---- */

static cfd_status open_context(const char *device, const char *instructions, const char *scoring, cfd_context **context)
{
    cfd_context_options options = CFD_CONTEXT_OPTIONS_INIT;
    options.device = device;
    options.instructions = instructions;
    options.scoring = scoring;
    return cfd_context_create(&options, context);
}

static void says(const char *device, const char *instructions, const char *scoring, const char *expected)
{
    cfd_context *context;
    OK(open_context(device, instructions, scoring, &context));
    cfd_context_info info = CFD_CONTEXT_INFO_INIT;
    OK(cfd_context_get_info(context, &info));
    ck_assert_str_eq(info.scoring, expected);
    cfd_context_destroy(context);
}

START_TEST(the_context_says_how_it_sorts_out)
{
    cfd_context *none = NULL;
    says("cpu", NULL, "float32", "float32");
    says("cpu", NULL, "int8", "int8");
    says("cpu", "baseline", "int8", "int8");
    says("cpu", "baseline", NULL, "float32"); /* without products of int8 it is slower */
    says("cpu", NULL, "auto", short_kernels_find("avx512vnni") ? "int8" : "float32");
    says("reference", NULL, NULL, "float32");
    says("reference", NULL, "float32", "float32");
    FAILS(CFD_ERROR_ARGUMENT, "\"int4\"", open_context("cpu", NULL, "int4", &none));
    FAILS(CFD_ERROR_ARGUMENT, "\"\"", open_context("cpu", NULL, "", &none));
    FAILS(CFD_ERROR_DEVICE, "int8", open_context("reference", NULL, "int8", &none));
    ck_assert_ptr_null(none);
}
END_TEST

START_TEST(the_reference_sorts_nothing_out)
{
    thread_pool *pool;
    ops *device;
    OK(threads_create(&memory_default, 1, &pool));
    OK(ops_create_reference(&memory_default, pool, (log_sink){NULL, NULL}, &device));
    float rows[64] = {1};
    ops_keys *made = (ops_keys *)rows;
    OK(device->table->keys_create(device, rows, 2, 32, &made));
    ck_assert_ptr_null(made);
    ops_ids excluded = {NULL, NULL};
    int32_t candidate;
    float score;
    int32_t count = 5;
    ck_assert_uint_eq(device->table->sort_out_bytes(NULL, 1, 1, 1), 0);
    ops_sorting sorting = {rows, rows, 1, 1, &excluded, 1, &candidate, &score, &count, NULL};
    OK(device->table->sort_out(device, NULL, &sorting));
    ck_assert_int_eq(count, -1);
    device->table->keys_destroy(device, NULL);
    device->table->destroy(device);
    threads_destroy(pool);
}
END_TEST

START_TEST(instances_made_alike_sort_out_alike)
{
    thread_pool *pool;
    OK(threads_create(&memory_default, 1, &pool));
    ops *device = open_device(pool, "baseline", NULL);
    for (ops_scoring wanted = OPS_SCORING_FLOAT32; wanted <= OPS_SCORING_INT8; wanted++) {
        ops *alike;
        OK(device->table->set_scoring(device, wanted));
        OK(device->table->create(device, &alike));
        ck_assert_int_eq(alike->table->scoring(alike), wanted);
        alike->table->destroy(alike);
    }
    device->table->destroy(device);
    threads_destroy(pool);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("sorting out");
    TCase *lists = tcase_create("lists");
    tcase_set_timeout(lists, 300);
    tcase_add_loop_test(lists, lists_are_those_of_float32_for_every_kind_of_embeddings, 0, KINDS * LOOP_SETS);
    tcase_add_loop_test(lists, lists_are_those_of_float32_at_full_width, 0, 4);
    tcase_add_loop_test(lists, lists_are_those_of_float32_for_any_number_of_users_threads_and_places, 0, 4);
    suite_add_tcase(s, lists);
    TCase *bound = tcase_create("bound");
    tcase_set_timeout(bound, 300);
    tcase_add_test(bound, few_items_are_left_to_score);
    tcase_add_test(bound, what_cannot_be_told_apart_is_given_up);
    tcase_add_loop_test(bound, scores_lie_within_their_bounds, 0, KINDS * LOOP_SETS);
    suite_add_tcase(s, bound);
    TCase *memory = tcase_create("memory");
    tcase_set_timeout(memory, 60);
    tcase_add_test(memory, a_list_for_one_user_allocates_nothing);
    tcase_add_test(memory, want_of_memory_while_keys_are_prepared_leaves_nothing_behind);
    tcase_add_test(memory, keys_that_cannot_be_sorted_out_are_not_prepared);
    suite_add_tcase(s, memory);
    TCase *option = tcase_create("option");
    tcase_add_test(option, the_context_says_how_it_sorts_out);
    tcase_add_test(option, the_reference_sorts_nothing_out);
    tcase_add_test(option, instances_made_alike_sort_out_alike);
    suite_add_tcase(s, option);
    return s;
}

TEST_MAIN(suite)
