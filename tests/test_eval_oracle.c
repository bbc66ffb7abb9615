/* SPDX-License-Identifier: Apache-2.0 */
/* Both protocols against an evaluator that takes the definitions literally: it makes the whole list of a user,
 * sorts it, and reads the metrics off its first K places. Only the drawn negatives are the library's own. */
#include "test_eval_world.h"

#include "eval/candidates.h"
#include "eval/evaluate.h"

/* ---- the literal evaluator ---- */

typedef struct entry {
    float score;
    bool held_out;
    int32_t item;
} entry;

/* Best first: a candidate before a held-out item of equal score; NaN is the best of candidates, the worst
 * held-out item. */
static int compare_entries(const void *a, const void *b)
{
    const entry *x = a;
    const entry *y = b;
    int x_class = !isnan(x->score) ? 1 : x->held_out ? 2 : 0;
    int y_class = !isnan(y->score) ? 1 : y->held_out ? 2 : 0;
    if (x_class != y_class) {
        return x_class - y_class;
    }
    if (x_class == 1 && x->score != y->score) {
        return x->score < y->score ? 1 : -1;
    }
    return x->held_out != y->held_out ? x->held_out - y->held_out : x->item - y->item;
}

static void add_list_metrics(const entry *list, int32_t length, int32_t held_out, double weight, cfd_metrics *sum)
{
    double hits = 0;
    double gain = 0;
    double precisions = 0;
    double first = 0;
    for (int32_t rank = 0; rank < length && rank < sum->k; rank++) {
        if (list[rank].held_out) {
            hits++;
            gain += 1.0 / log2(rank + 2);
            precisions += hits / (rank + 1);
            first = first > 0 ? first : 1.0 / (rank + 1);
        }
    }
    int32_t possible = held_out < sum->k ? held_out : sum->k;
    double ideal = 0;
    for (int32_t rank = 0; rank < possible; rank++) {
        ideal += 1.0 / log2(rank + 2);
    }
    sum->hr += weight * (hits > 0);
    sum->ndcg += weight * gain / ideal;
    sum->recall += weight * hits / held_out;
    sum->precision += weight * hits / sum->k;
    sum->map += weight * precisions / possible;
    sum->mrr += weight * first;
}

static float score_of(const world *w, int32_t user, int32_t item)
{
    return test_dot(w->s.queries + user * w->s.width, w->s.keys + item * w->s.width, w->s.width);
}

static void literal_evaluate(const world *w, const evaluation *what, cfd_metrics *metrics)
{
    int32_t items = w->s.items;
    const bipartite *splits = w->data.splits;
    entry *list = malloc(sizeof *list * (size_t)(items + 1));
    int32_t *excluded = malloc(sizeof *excluded * (size_t)items);
    int32_t *table = malloc(sizeof *table * negatives_slots(what->negatives, items));
    int32_t *negatives = malloc(sizeof *negatives * (size_t)items);
    int32_t users = 0;
    for (size_t i = 0; i < what->n_ks; i++) {
        metrics[i] = (cfd_metrics){.k = what->ks[i]};
    }
    for (int32_t user = 0; user < w->s.users; user++) {
        int32_t held_out = bipartite_degree(&splits[what->split], user);
        if (held_out == 0) {
            continue;
        }
        users++;
        int32_t length = 0;
        size_t n_excluded = 0;
        for (int32_t item = 0; item < items; item++) {
            bool own = bipartite_has(&splits[what->split], user, item);
            bool known = bipartite_has(&splits[CFD_SPLIT_TRAIN], user, item) ||
                         (what->split == CFD_SPLIT_TEST && bipartite_has(&splits[CFD_SPLIT_VALIDATION], user, item));
            if (own || known) {
                excluded[n_excluded++] = item;
            }
            if (own || !known) {
                list[length++] = (entry){score_of(w, user, item), own, item};
            }
        }
        if (what->protocol == CFD_PROTOCOL_FULL) {
            qsort(list, (size_t)length, sizeof *list, compare_entries);
            for (size_t i = 0; i < what->n_ks; i++) {
                add_list_metrics(list, length, held_out, 1.0, &metrics[i]);
            }
            continue;
        }
        int32_t drawn = (int32_t)negatives_draw(what->seed, user, items, excluded, n_excluded, what->negatives, table,
                                                negatives);
        for (int32_t item = 0; item < items; item++) {
            if (bipartite_has(&splits[what->split], user, item)) {
                for (int32_t j = 0; j < drawn; j++) {
                    list[j] = (entry){score_of(w, user, negatives[j]), false, negatives[j]};
                }
                list[drawn] = (entry){score_of(w, user, item), true, item};
                qsort(list, (size_t)drawn + 1, sizeof *list, compare_entries);
                for (size_t i = 0; i < what->n_ks; i++) {
                    add_list_metrics(list, drawn + 1, 1, 1.0 / held_out, &metrics[i]);
                }
            }
        }
    }
    for (size_t i = 0; i < what->n_ks; i++) {
        metrics[i].hr /= users;
        metrics[i].ndcg /= users;
        metrics[i].recall /= users;
        metrics[i].precision /= users;
        metrics[i].map /= users;
        metrics[i].mrr /= users;
    }
    free(list);
    free(excluded);
    free(table);
    free(negatives);
}

/* ---- worlds ---- */

typedef struct shape {
    int32_t users, items, width, values; /* values: as in random_matrix */
    size_t train, validation, test;
    int32_t not_numbers;
} shape;

static void open_shape(world *w, const shape *of, int32_t threads, uint64_t seed)
{
    uint64_t state = seed;
    world_open(w, threads, of->users, of->items, of->width, of->values, seed);
    world_random_split(w, CFD_SPLIT_TRAIN, of->train, &state);
    world_random_split(w, CFD_SPLIT_VALIDATION, of->validation, &state);
    world_random_split(w, CFD_SPLIT_TEST, of->test, &state);
    for (int32_t i = 0; i < of->not_numbers; i++) {
        w->s.owned[1][random_below(&state, of->items) * of->width] = NAN;
    }
}

static const shape shapes[] = {
    {1, 1, 1, 0, 0, 0, 1, 0},
    {3, 2, 1, 2, 1, 1, 4, 0},
    {10, 30, 3, 0, 40, 10, 12, 0},
    {10, 30, 2, 3, 40, 30, 60, 2},         /* ties, a few held out each, NaN */
    {70, 600, 4, 0, 900, 70, 70, 0},       /* two blocks of items */
    {900, 530, 4, 4, 9000, 1500, 1500, 5}, /* several blocks of users */
    {140, 1100, 4, 5, 2000, 400, 500, 20},
    {5, 700, 4, 0, 300, 200, 600, 5}, /* far more held out than a pass each */
    {5, 700, 1, 3, 300, 200, 600, 50},
    {4, 40, 2, 0, 400, 50, 90, 0}, /* nearly everything is known */
};

enum { SHAPES = sizeof shapes / sizeof *shapes };

static const int32_t all_ks[] = {1, 2, 5, 10, 50, 1000};

enum { KS = sizeof all_ks / sizeof *all_ks };

START_TEST(both_protocols_agree_with_the_literal_evaluator)
{
    world w;
    open_shape(&w, &shapes[_i], 2, 40 + (uint64_t)_i);
    for (int protocol = 0; protocol < 2; protocol++) {
        for (int split = CFD_SPLIT_VALIDATION; split <= CFD_SPLIT_TEST; split++) {
            for (int32_t negatives = 1; negatives <= 99; negatives += 49) {
                evaluation what = {(cfd_split)split, (cfd_protocol)protocol, all_ks, KS, negatives, 5};
                if (w.data.splits[split].interactions == 0) {
                    continue;
                }
                cfd_metrics expected[KS];
                cfd_metrics got[KS];
                literal_evaluate(&w, &what, expected);
                OK(evaluate(&w.s, &w.data, &what, got, NULL));
                for (int i = 0; i < KS; i++) {
                    ck_assert_int_eq(got[i].k, all_ks[i]);
                    ck_assert_double_eq_tol(got[i].hr, expected[i].hr, 1e-12);
                    ck_assert_double_eq_tol(got[i].ndcg, expected[i].ndcg, 1e-12);
                    ck_assert_double_eq_tol(got[i].recall, expected[i].recall, 1e-12);
                    ck_assert_double_eq_tol(got[i].precision, expected[i].precision, 1e-12);
                    ck_assert_double_eq_tol(got[i].map, expected[i].map, 1e-12);
                    ck_assert_double_eq_tol(got[i].mrr, expected[i].mrr, 1e-12);
                }
            }
        }
    }
    world_close(&w);
}
END_TEST

/* ---- the devices ---- */

START_TEST(items_of_equal_rows_tie_on_every_device)
{
    /* All rows are alike, so every score is the same number, though held-out items and candidates are scored in
     * different blocks: not one hit before the candidates run out. The fewest that a user has are 700 - 60. */
    const shape alike = {300, 700, 37, 0, 4000, 0, 3000, 0};
    world w;
    open_shape(&w, &alike, 2, 3);
    for (int32_t row = 1; row < alike.items; row++) {
        memcpy(w.s.owned[1] + row * alike.width, w.s.owned[1], (size_t)alike.width * sizeof(float));
    }
    log_sink silent = {0};
    for (int i = 0; i < 2; i++) {
        ops *device;
        OK(i == 0 ? ops_create_reference(&w.source, w.pool, silent, &device)
                  : ops_create_cpu(&w.source, w.pool, silent, NULL, &device));
        w.s.device = device;
        for (int protocol = 0; protocol < 2; protocol++) {
            const int32_t k = protocol == CFD_PROTOCOL_FULL ? 640 : 99;
            const int32_t ks[] = {k, 1000};
            evaluation what = {CFD_SPLIT_TEST, (cfd_protocol)protocol, ks, 2, 99, 5};
            cfd_metrics got[2];
            OK(evaluate(&w.s, &w.data, &what, got, NULL));
            ck_assert_double_eq(got[0].hr, 0.0);
            ck_assert_double_eq_tol(got[1].hr, 1.0, 1e-12);
        }
        device->table->destroy(device);
    }
    w.s.device = &w.device.base;
    world_close(&w);
}
END_TEST

/* ---- the same bits, and nothing left behind ---- */

START_TEST(figures_do_not_depend_on_the_threads)
{
    const shape many = {1000, 300, 4, 0, 9000, 1000, 3000, 3};
    const int32_t threads[] = {1, 2, 3, 7};
    for (int protocol = 0; protocol < 2; protocol++) {
        cfd_metrics first[KS];
        for (size_t t = 0; t < 4; t++) {
            world w;
            open_shape(&w, &many, threads[t], 8);
            evaluation what = {CFD_SPLIT_TEST, (cfd_protocol)protocol, all_ks, KS, 20, 5};
            cfd_metrics got[KS];
            OK(evaluate(&w.s, &w.data, &what, got, NULL));
            if (t == 0) {
                memcpy(first, got, sizeof first);
            }
            ck_assert_mem_eq(got, first, sizeof first);
            world_close(&w);
        }
        ck_assert_double_gt(first[3].ndcg, 0.0);
        ck_assert_double_lt(first[3].ndcg, 1.0);
    }
}
END_TEST

START_TEST(want_of_memory_leaves_metrics_untouched)
{
    for (int protocol = 0; protocol < 2; protocol++) {
        world w;
        open_shape(&w, &shapes[6], 3, 6);
        evaluation what = {CFD_SPLIT_TEST, (cfd_protocol)protocol, all_ks, KS, 20, 5};
        long live = atomic_load(&w.memory.live);
        for (long n = 1;; n++) {
            cfd_metrics got[KS];
            cfd_metrics before[KS];
            memset(got, 77, sizeof got);
            memset(before, 77, sizeof before);
            size_t n_users = 77;
            atomic_store(&w.memory.allocations, 0);
            w.memory.fail_at = n;
            cfd_status status = evaluate(&w.s, &w.data, &what, got, &n_users);
            w.memory.fail_at = 0;
            ck_assert_int_eq(atomic_load(&w.memory.live), live);
            if (status == CFD_OK) {
                ck_assert_int_ge(n, 6);
                break;
            }
            ck_assert_int_eq(status, CFD_ERROR_MEMORY);
            ck_assert_mem_eq(got, before, sizeof got);
            ck_assert_uint_eq(n_users, 77);
        }
        world_close(&w);
    }
}
END_TEST

START_TEST(a_device_that_fails_is_reported)
{
    world w;
    open_shape(&w, &shapes[5], 3, 6);
    evaluation what = {CFD_SPLIT_TEST, CFD_PROTOCOL_FULL, all_ks, KS, 20, 5};
    cfd_metrics got[KS] = {{.k = -7}};
    for (int after = 0; after < 60; after += 7) {
        atomic_store(&w.device.fail_after, after);
        FAILS(CFD_ERROR_DEVICE, "the device of this test failed", evaluate(&w.s, &w.data, &what, got, NULL));
    }
    ck_assert_int_eq(got[0].k, -7);
    world_close(&w);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("evaluation against the definitions");
    TCase *oracle = tcase_create("oracle");
    tcase_set_timeout(oracle, 120);
    tcase_add_loop_test(oracle, both_protocols_agree_with_the_literal_evaluator, 0, SHAPES);
    tcase_add_test(oracle, items_of_equal_rows_tie_on_every_device);
    tcase_add_test(oracle, figures_do_not_depend_on_the_threads);
    tcase_add_test(oracle, want_of_memory_leaves_metrics_untouched);
    tcase_add_test(oracle, a_device_that_fails_is_reported);
    suite_add_tcase(s, oracle);
    return s;
}

TEST_MAIN(suite)
