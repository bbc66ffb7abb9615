/* SPDX-License-Identifier: Apache-2.0 */
/* The scorer's core: scores, selection of the best, recommendation. Expectations come from plain products and
 * sorting. */
#include "test_eval_world.h"

#include "serve/ids.h"
#include "serve/lanes.h"
#include "serve/top_k.h"

/* ---- selection ---- */

START_TEST(ties_go_to_the_lower_id_and_nan_comes_last)
{
    const float scores[] = {NAN, 1.0f, -INFINITY, 2.0f, 1.0f, -0.0f, 0.0f, INFINITY};
    const int32_t order[] = {7, 3, 1, 4, 5, 6, 0, 2}; /* NaN as -infinity: 0 and 2 tie */
    for (size_t k = 1; k <= 8; k++) {
        for (size_t cut = 0; cut <= 8; cut++) { /* offered in two parts */
            top_k best;
            uint64_t heap[8];
            int32_t items[8];
            float found[8];
            top_k_start(&best, heap, k);
            top_k_offer(&best, scores, cut, 10);
            top_k_offer(&best, scores + cut, 8 - cut, 10 + (int32_t)cut);
            ck_assert_uint_eq(top_k_finish(&best, items, found), k);
            for (size_t i = 0; i < k; i++) {
                ck_assert_int_eq(items[i], 10 + order[i]);
                ck_assert_float_eq(found[i], order[i] == 0 ? -INFINITY : scores[order[i]]);
            }
        }
    }
}
END_TEST

START_TEST(floats_keep_their_order_as_integers)
{
    const float rising[] = {-INFINITY, -3e38f, -1.5f, -1e-40f, 0.0f, 1e-40f, 1e-3f, 2.0f, 3e38f, INFINITY};
    for (size_t i = 0; i + 1 < sizeof rising / sizeof *rising; i++) {
        ck_assert_int_lt(float_to_order(rising[i]), float_to_order(rising[i + 1]));
        ck_assert_float_eq(float_from_order(float_to_order(rising[i])), rising[i]);
    }
    ck_assert_int_eq(float_to_order(-0.0f), float_to_order(0.0f));
    ck_assert_int_eq(float_to_order(NAN), float_to_order(-INFINITY));
}
END_TEST

static int compare_ids(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a;
    int32_t y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

START_TEST(ids_are_sorted_in_place)
{
    uint64_t state = 3;
    for (int32_t n = 0; n < 70; n++) {
        int32_t ids[70];
        int32_t expected[70];
        for (int32_t i = 0; i < n; i++) {
            expected[i] = ids[i] = random_below(&state, n) - n / 2;
        }
        qsort(expected, (size_t)n, sizeof *expected, compare_ids);
        ids_sort(ids, (size_t)n);
        ck_assert_mem_eq(ids, expected, (size_t)n * sizeof *ids);
        ck_assert(ids_ascend(ids, (size_t)n));
    }
    ck_assert(!ids_ascend((const int32_t[]){1, 1, 0}, 3));
}
END_TEST

/* ---- scores ---- */

START_TEST(scores_are_inner_products_however_they_are_asked_for)
{
    world w;
    enum { USERS = 150, ITEMS = 1100 };
    world_open(&w, 2, USERS, ITEMS, 5, 0, 1);
    int32_t users[USERS];
    int32_t items[1500];
    uint64_t state = 2;
    for (int i = 0; i < USERS; i++) {
        users[i] = i < 70 ? i : random_below(&state, USERS); /* consecutive at first, then with repeats */
    }
    for (int i = 0; i < 1500; i++) {
        items[i] = i < 520 ? i : random_below(&state, ITEMS);
    }
    float *scores = malloc(sizeof(float) * USERS * 1500);
    OK(scorer_scores(&w.s, users, USERS, NULL, 77, scores));
    for (int i = 0; i < USERS; i++) {
        for (int j = 0; j < ITEMS; j++) {
            ck_assert_float_eq(scores[i * ITEMS + j], test_dot(w.s.queries + users[i] * 5, w.s.keys + j * 5, 5));
        }
    }
    for (size_t n_users = 1; n_users <= USERS; n_users += 149) {
        OK(scorer_scores(&w.s, users, n_users, items, 1500, scores));
        for (size_t i = 0; i < n_users; i++) {
            for (size_t j = 0; j < 1500; j++) {
                float expected = test_dot(w.s.queries + users[i] * 5, w.s.keys + items[j] * 5, 5);
                ck_assert_float_eq(scores[i * 1500 + j], expected);
            }
        }
    }
    free(scores);
    world_close(&w);
}
END_TEST

START_TEST(scores_of_one_user_allocate_nothing)
{
    world w;
    world_open(&w, 2, 3, 40, 4, 0, 1);
    long before = atomic_load(&w.memory.allocations);
    float scores[40];
    OK(scorer_scores(&w.s, (const int32_t[]){2}, 1, NULL, 0, scores));
    OK(scorer_scores(&w.s, (const int32_t[]){2}, 1, (const int32_t[]){7, 7, 1}, 3, scores));
    ck_assert_int_eq(atomic_load(&w.memory.allocations), before);
    world_close(&w);
}
END_TEST

START_TEST(a_scorer_of_no_items_is_refused_and_its_memory_given_back)
{
    world w;
    world_open(&w, 1, 2, 2, 1, 0, 1);
    scorer s;
    float *queries;
    float *keys;
    OK(memory_allocate(&w.source, 1, 4, "a test", &queries));
    OK(memory_allocate(&w.source, 1, 4, "a test", &keys));
    FAILS(CFD_ERROR_DATA, "0 items", scorer_init(&s, &w.source, w.pool, &w.device.base, 1, 0, 1, queries, keys));
    world_close(&w);
}
END_TEST

/* ---- recommendation ---- */

typedef struct ranked {
    float score;
    int32_t item;
} ranked;

static int compare_ranked(const void *a, const void *b)
{
    const ranked *x = a;
    const ranked *y = b;
    float left = isnan(x->score) ? -INFINITY : x->score;
    float right = isnan(y->score) ? -INFINITY : y->score;
    return left != right ? (left < right) - (left > right) : x->item - y->item;
}

/* May user `asked` of a request have this item? */
static bool may_have(const cfd_filter *filter, size_t asked, int32_t item)
{
    bool may = !filter || !filter->allow_items;
    for (size_t i = 0; !may && i < filter->n_allow_items; i++) {
        may = filter->allow_items[i] == item;
    }
    const int64_t *offsets = filter ? filter->exclude_offsets : NULL;
    for (int64_t i = offsets ? offsets[asked] : 0; may && offsets && i < offsets[asked + 1]; i++) {
        may = filter->exclude_items[i] != item;
    }
    return may;
}

/* Checks the list of `user`, who stands at `asked` in the request, against a full sort. */
static void check_list(const world *w, int32_t user, size_t k, const cfd_filter *filter, size_t asked, const int32_t *items,
                       const float *scores, int32_t count)
{
    int32_t width = w->s.width;
    ranked *all = malloc(sizeof *all * (size_t)w->s.items);
    int32_t n = 0;
    for (int32_t item = 0; item < w->s.items; item++) {
        if (may_have(filter, asked, item)) {
            all[n++] = (ranked){test_dot(w->s.queries + user * width, w->s.keys + item * width, width), item};
        }
    }
    qsort(all, (size_t)n, sizeof *all, compare_ranked);
    ck_assert_int_eq(count, (size_t)n < k ? n : (int32_t)k);
    for (size_t i = 0; i < k; i++) {
        if (i < (size_t)count) {
            ck_assert_int_eq(items[i], all[i].item);
            ck_assert_float_eq(scores[i], isnan(all[i].score) ? -INFINITY : all[i].score);
        } else {
            ck_assert_int_eq(items[i], -1);
            ck_assert_float_eq(scores[i], -INFINITY);
        }
    }
    free(all);
}

/* Random requests over a random scorer: `values` as in random_matrix. */
static void check_recommend(int32_t threads, int32_t users, int32_t items, int32_t values, size_t n_users, size_t k,
                            uint64_t seed)
{
    world w;
    world_open(&w, threads, users, items, 4, values, seed);
    uint64_t state = seed;
    for (int32_t i = 0; i < items / 10; i++) {
        w.s.owned[1][random_below(&state, items) * 4] = i % 2 == 0 ? NAN : -INFINITY;
    }
    int32_t *asked = malloc(sizeof *asked * n_users);
    int64_t *offsets = calloc(n_users + 1, sizeof *offsets);
    int32_t *excluded = malloc(sizeof *excluded * n_users * (size_t)items * 2);
    for (size_t i = 0; i < n_users; i++) {
        asked[i] = random_below(&state, users);
        int kind = random_below(&state, 4);
        int32_t n = kind == 0 ? 0 : kind == 1 ? items : random_below(&state, 2 * items); /* with repeats */
        for (int32_t j = 0; j < n; j++) {
            excluded[offsets[i] + j] = kind == 1 ? items - 1 - j : random_below(&state, items);
        }
        if (kind == 2) {
            qsort(excluded + offsets[i], (size_t)n, sizeof *excluded, compare_ids);
        }
        offsets[i + 1] = offsets[i] + n;
    }
    cfd_filter filter = CFD_FILTER_INIT;
    filter.exclude_offsets = offsets;
    filter.exclude_items = excluded;
    int32_t *list = malloc(sizeof *list * n_users * k);
    float *scores = malloc(sizeof *scores * n_users * k);
    int32_t *counts = malloc(sizeof *counts * n_users);
    OK(scorer_recommend(&w.s, asked, n_users, k, &filter, list, scores, counts));
    for (size_t i = 0; i < n_users; i++) {
        check_list(&w, asked[i], k, &filter, i, list + i * k, scores + i * k, counts[i]);
    }
    OK(scorer_recommend(&w.s, asked, n_users, k, NULL, list, scores, counts));
    for (size_t i = 0; i < n_users; i++) {
        check_list(&w, asked[i], k, NULL, 0, list + i * k, scores + i * k, counts[i]);
    }
    int32_t *alone = malloc(sizeof *alone * n_users * k);
    OK(scorer_recommend(&w.s, asked, n_users, k, NULL, alone, NULL, NULL));
    ck_assert_mem_eq(alone, list, sizeof *alone * n_users * k);
    free(alone);
    free(asked);
    free(offsets);
    free(excluded);
    free(list);
    free(scores);
    free(counts);
    world_close(&w);
}

START_TEST(recommendations_are_the_head_of_a_full_sort)
{
    check_recommend(1, 1, 1, 0, 1, 1, 1);
    check_recommend(1, 1, 1, 0, 1, 5, 2);
    check_recommend(1, 5, 7, 0, 1, 3, 3);
    check_recommend(2, 5, 7, 3, 9, 20, 4);     /* k beyond the items */
    check_recommend(2, 30, 600, 0, 40, 10, 5); /* more than one block of items */
    check_recommend(2, 30, 600, 2, 40, 10, 6); /* nearly everything ties */
    check_recommend(2, 30, 1024, 3, 33, 1000, 7);
    check_recommend(3, 700, 90, 3, 1300, 5, 8); /* more than one block of users, of the largest size */
}
END_TEST

/* Of requests of n_users: `allowed` items of ITEMS, in one of several orders, with and without exclusions. */
static void check_allowed(world *w, size_t n_users, size_t k, const int32_t *allowed, size_t n_allowed, uint64_t *state)
{
    int32_t asked[60];
    int64_t offsets[61] = {0};
    int32_t excluded[60 * 40];
    for (size_t i = 0; i < n_users; i++) {
        asked[i] = random_below(state, w->s.users);
        int32_t n = random_below(state, 41);
        for (int32_t j = 0; j < n; j++) { /* about half of them are allowed */
            excluded[offsets[i] + j] = n_allowed > 0 && j % 2 == 0 ? allowed[random_below(state, (int32_t)n_allowed)]
                                                                   : random_below(state, w->s.items);
        }
        offsets[i + 1] = offsets[i] + n;
    }
    cfd_filter filter = CFD_FILTER_INIT;
    filter.allow_items = allowed;
    filter.n_allow_items = n_allowed;
    int32_t *list = malloc(sizeof *list * n_users * k);
    float *scores = malloc(sizeof *scores * n_users * k);
    int32_t counts[60];
    for (int round = 0; round < 2; round++) {
        filter.exclude_offsets = round == 0 ? NULL : offsets;
        filter.exclude_items = round == 0 ? NULL : excluded;
        OK(scorer_recommend(&w->s, asked, n_users, k, &filter, list, scores, counts));
        for (size_t i = 0; i < n_users; i++) {
            check_list(w, asked[i], k, &filter, i, list + i * k, scores + i * k, counts[i]);
        }
    }
    free(list);
    free(scores);
}

START_TEST(only_allowed_items_are_listed)
{
    enum { USERS = 20, ITEMS = 700 };
    for (int32_t values = 0; values < 4; values += 3) { /* 3: many ties */
        world w;
        world_open(&w, 2, USERS, ITEMS, 5, values, 31);
        uint64_t state = 8;
        int32_t allowed[2 * ITEMS];
        const size_t sizes[] = {0, 1, 10, 257, 600, 2 * ITEMS};
        for (int32_t i = 0; i < ITEMS / 10; i++) {
            w.s.owned[1][random_below(&state, ITEMS) * 5] = i % 2 == 0 ? NAN : INFINITY;
        }
        for (size_t size = 0; size < sizeof sizes / sizeof *sizes; size++) {
            for (int order = 0; order < 3; order++) {
                for (size_t i = 0; i < sizes[size]; i++) {
                    allowed[i] = order < 2 ? random_below(&state, ITEMS) : 50 + (int32_t)i % 600; /* consecutive */
                }
                if (order == 1) {
                    qsort(allowed, sizes[size], sizeof *allowed, compare_ids); /* with repeats */
                }
                check_allowed(&w, 60, 7, allowed, sizes[size], &state);
                check_allowed(&w, 1, 7, allowed, sizes[size], &state);
                check_allowed(&w, 3, 900, allowed, sizes[size], &state); /* k beyond what is allowed, and beyond the items */
            }
        }
        const int32_t nothing[] = {0};
        check_allowed(&w, 3, 2, nothing, 0, &state);
        world_close(&w);
    }
}
END_TEST

START_TEST(recommendations_do_not_depend_on_the_threads)
{
    enum { USERS = 300, K = 25 };
    int32_t first[USERS * K];
    float first_scores[USERS * K];
    const int32_t threads[] = {1, 2, 3, 7};
    for (size_t t = 0; t < 4; t++) {
        world w;
        world_open(&w, threads[t], USERS, 777, 6, 0, 99);
        int32_t users[USERS];
        int32_t items[USERS * K];
        float scores[USERS * K];
        for (int32_t i = 0; i < USERS; i++) {
            users[i] = USERS - 1 - i;
        }
        OK(scorer_recommend(&w.s, users, USERS, K, NULL, items, scores, NULL));
        if (t == 0) {
            memcpy(first, items, sizeof first);
            memcpy(first_scores, scores, sizeof first_scores);
        }
        ck_assert_mem_eq(items, first, sizeof first);
        ck_assert_mem_eq(scores, first_scores, sizeof first_scores);
        world_close(&w);
    }
}
END_TEST

START_TEST(want_of_memory_leaves_lists_and_scores_untouched)
{
    enum { USERS = 20, ITEMS = 50, K = 3 };
    world w;
    world_open(&w, 2, USERS, ITEMS, 4, 0, 5);
    int32_t users[USERS];
    int32_t chosen[] = {4, 2, 30};
    for (int32_t i = 0; i < USERS; i++) {
        users[i] = i / 2;
    }
    cfd_filter filter = CFD_FILTER_INIT; /* in no order: it has to be copied */
    filter.allow_items = chosen;
    filter.n_allow_items = 3;
    int failures = 0;
    for (long n = 1;; n++) {
        int32_t items[USERS * K];
        float scores[USERS * ITEMS];
        memset(items, 77, sizeof items);
        memset(scores, 77, sizeof scores);
        long live = atomic_load(&w.memory.live);
        atomic_store(&w.memory.allocations, 0);
        w.memory.fail_at = n;
        cfd_status list = scorer_recommend(&w.s, users, USERS, K, &filter, items, NULL, NULL);
        atomic_store(&w.memory.allocations, 0);
        cfd_status plain = scorer_scores(&w.s, users, USERS, chosen, 3, scores);
        w.memory.fail_at = 0;
        ck_assert_int_eq(atomic_load(&w.memory.live), live);
        if (list == CFD_OK && plain == CFD_OK) {
            break;
        }
        ck_assert_int_eq(list, CFD_ERROR_MEMORY);
        ck_assert(plain == CFD_ERROR_MEMORY || n > 2);
        for (size_t i = 0; i < sizeof items; i++) {
            ck_assert_int_eq(((unsigned char *)items)[i], 77);
        }
        for (size_t i = 0; plain != CFD_OK && i < sizeof scores; i++) {
            ck_assert_int_eq(((unsigned char *)scores)[i], 77);
        }
        failures++;
    }
    ck_assert_int_eq(failures, 3);
    world_close(&w);
}
END_TEST

/* ---- lanes ---- */

START_TEST(a_failure_inside_a_thread_reaches_the_caller_with_its_message)
{
    world w;
    world_open(&w, 4, 500, 600, 3, 0, 5);
    int32_t users[500];
    for (int32_t i = 0; i < 500; i++) {
        users[i] = i;
    }
    float *scores = malloc(sizeof *scores * 500 * 600);
    int32_t *items = malloc(sizeof *items * 500 * 4);
    for (int after = 0; after < 6; after++) {
        set_message("an older message");
        atomic_store(&w.device.fail_after, after);
        FAILS(CFD_ERROR_DEVICE, "the device of this test failed", scorer_scores(&w.s, users, 500, NULL, 0, scores));
        set_message("an older message");
        atomic_store(&w.device.fail_after, after);
        FAILS(CFD_ERROR_DEVICE, "the device of this test failed",
              scorer_recommend(&w.s, users, 500, 4, NULL, items, NULL, NULL));
    }
    free(scores);
    free(items);
    world_close(&w);
}
END_TEST

typedef struct lane_check {
    size_t at;
    atomic_int runs[100];
    atomic_int clashes;
} lane_check;

/* Marks its scratch, and looks whether anybody else does meanwhile. */
static cfd_status mark_scratch(void *argument, unsigned char *scratch, size_t block)
{
    lane_check *check = argument;
    for (int round = 0; round < 50; round++) {
        memset(scratch + check->at, (int)block, 1000);
        for (int i = 0; i < 1000; i++) {
            atomic_fetch_add(&check->clashes, scratch[check->at + (size_t)i] != (unsigned char)block);
        }
    }
    atomic_fetch_add(&check->runs[block], 1);
    return CFD_OK;
}

START_TEST(every_block_runs_once_with_scratch_of_its_own)
{
    world w;
    world_open(&w, 7, 1, 1, 1, 0, 1);
    lane_plan plan = {0};
    lane_check check = {0};
    ck_assert_uint_eq(lane_reserve(&plan, 0, 8), 0);
    ck_assert_uint_eq(lane_reserve(&plan, 65, 1), 0);
    check.at = lane_reserve(&plan, 1000, 1);
    ck_assert_uint_eq(check.at, 128); /* two lines of 64 */
    OK(lanes_run(&w.source, w.pool, 100, &plan, "a test", mark_scratch, &check));
    for (int i = 0; i < 100; i++) {
        ck_assert_int_eq(check.runs[i], 1);
    }
    ck_assert_int_eq(check.clashes, 0);
    OK(lanes_run(&w.source, w.pool, 0, &plan, "a test", mark_scratch, &check));
    lane_reserve(&plan, SIZE_MAX / 2, 3);
    FAILS(CFD_ERROR_MEMORY, "the size of a test overflows",
          lanes_run(&w.source, w.pool, 1, &plan, "a test", mark_scratch, &check));
    world_close(&w);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("scorer");
    TCase *selection = tcase_create("selection");
    tcase_add_test(selection, ties_go_to_the_lower_id_and_nan_comes_last);
    tcase_add_test(selection, floats_keep_their_order_as_integers);
    tcase_add_test(selection, ids_are_sorted_in_place);
    suite_add_tcase(s, selection);
    TCase *scores = tcase_create("scores");
    tcase_add_test(scores, scores_are_inner_products_however_they_are_asked_for);
    tcase_add_test(scores, scores_of_one_user_allocate_nothing);
    tcase_add_test(scores, a_scorer_of_no_items_is_refused_and_its_memory_given_back);
    suite_add_tcase(s, scores);
    TCase *recommend = tcase_create("recommend");
    tcase_set_timeout(recommend, 120);
    tcase_add_test(recommend, recommendations_are_the_head_of_a_full_sort);
    tcase_add_test(recommend, only_allowed_items_are_listed);
    tcase_add_test(recommend, recommendations_do_not_depend_on_the_threads);
    tcase_add_test(recommend, want_of_memory_leaves_lists_and_scores_untouched);
    suite_add_tcase(s, recommend);
    TCase *lanes = tcase_create("lanes");
    tcase_add_test(lanes, a_failure_inside_a_thread_reaches_the_caller_with_its_message);
    tcase_add_test(lanes, every_block_runs_once_with_scratch_of_its_own);
    suite_add_tcase(s, lanes);
    return s;
}

TEST_MAIN(suite)
