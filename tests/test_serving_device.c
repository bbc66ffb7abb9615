/* SPDX-License-Identifier: Apache-2.0 */
/* Serving on every backend, through the scorer: lists against a full sort of the same scorer's scores, and scores against
 * plain sums. Where the numbers are small integers, sums are exact in every order, and so are all comparisons. */
#define _DEFAULT_SOURCE /* RTLD_NOLOAD */
#include "serving_support.h"

#include <pthread.h>

/* ---- lists ---- */

START_TEST(lists_are_the_head_of_a_full_sort)
{
    served d;
    if (!open_integers(&d, (enum backend)_i, 9, 3000, 40)) {
        return;
    }
    check(&d.s, 1, 1, 0, -1);
    check(&d.s, 7, 10, 0, -1);
    check(&d.s, 7, 10, 300, -1);
    check(&d.s, 5, 10, 0, 500);
    check(&d.s, 5, 10, 2000, 500);
    check(&d.s, 3, 20, 40, 1025);
    check(&d.s, 3, 10, 40, 1);
    check(&d.s, 3, 10, 40, 0);
    check(&d.s, 2, 100, 100, 6000); /* k beyond most_k of the plain backend */
    check(&d.s, 2, 1023, 50, -1);
    check(&d.s, 2, 1024, 50, -1);
    check(&d.s, 2, 1025, 50, -1); /* beyond that of the GPU */
    served_close(&d);
}
END_TEST

/* Every combination of exclusions, what users have, allowed items, denied items, and a least score; for one user, and
 * several. */
START_TEST(filters_work_together)
{
    served d;
    enum { USERS = 12, ITEMS = 900, EACH = 60, DENIED = 90 };
    if (!open_integers(&d, (enum backend)_i, USERS, ITEMS, 24)) {
        return;
    }
    int64_t offsets[USERS + 1] = {0};
    int32_t seen[USERS * EACH];
    int32_t denied[DENIED];
    for (int32_t u = 0; u < USERS; u++) {
        int32_t n = u % 4 == 1 ? 0 : EACH;
        for (int32_t i = 0; i < n; i++) {
            seen[offsets[u] + i] = i * (ITEMS / EACH) + random_below(ITEMS / EACH);
        }
        offsets[u + 1] = offsets[u] + n;
    }
    d.s.seen = (seen_items){offsets, seen};
    for (int parts = 0; parts < 32; parts++) {
        for (size_t n_users = 1; n_users <= 25; n_users += 24) {
            request r = make_request(&d.s, n_users, 40, parts & 1 ? 80 : 0, parts & 2 ? 500 : -1);
            for (int32_t i = 0; i < DENIED; i++) { /* in order, each once; or not */
                denied[i] = n_users == 1 ? 10 * i : random_below(ITEMS);
            }
            r.filter.exclude_seen = parts & 4 ? 1 : 0;
            r.filter.deny_items = parts & 8 ? denied : NULL;
            r.filter.n_deny_items = parts & 8 ? DENIED : 0;
            r.filter.has_min_score = parts & 16 ? 1 : 0;
            r.filter.min_score = 40.0f;
            check_request(&d.s, &r, 0);
            request_free(&r);
        }
    }
    d.s.seen = (seen_items){NULL, NULL};
    served_close(&d);
}
END_TEST

START_TEST(small_scorers_are_served)
{
    const int32_t sizes[] = {1, 33, 1024, 1025};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        served d;
        if (open_integers(&d, (enum backend)_i, 3, sizes[i], 1 + (int32_t)i)) {
            check(&d.s, 4, 1, 1, -1);
            check(&d.s, 2, 3, 2 * sizes[i], -1); /* up to all of them, often */
            check(&d.s, 2, 17, 0, sizes[i]);
            check(&d.s, 2, 1024, 3, -1); /* k beyond the items */
            served_close(&d);
        }
    }
}
END_TEST

START_TEST(items_come_in_several_blocks)
{
    served d;
    if (open_integers(&d, (enum backend)_i, 2, 66000, 2)) {
        check(&d.s, 2, 15, 1000, -1);
        check(&d.s, 2, 15, 1000, 300000); /* nearly all of them */
        served_close(&d);
    }
}
END_TEST

START_TEST(users_come_in_several_blocks)
{
    served d;
    if (open_integers(&d, (enum backend)_i, 50, 40, 3)) {
        check(&d.s, 1100, 3, 20, -1);
        if (_i == ON_PLAIN) {
            lists_made = 0;
            check(&d.s, PLAIN_MOST_USERS + 1, 3, 20, -1);
            ck_assert_int_eq(lists_made, 2 * 2);
        }
        served_close(&d);
    }
}
END_TEST

START_TEST(users_with_very_many_exclusions_are_served)
{
    served d;
    if (!open_integers(&d, (enum backend)_i, 3, 40, 3)) {
        return;
    }
    const int64_t counts[] = {5000000, 1000000, 3500000}; /* together more than a block takes; the first one alone */
    request r = make_request(&d.s, 3, 5, 0, -1);
    free(r.excluded);
    r.excluded = get_memory(9500000, sizeof *r.excluded);
    for (int u = 0; u < 3; u++) {
        r.offsets[u + 1] = r.offsets[u] + counts[u];
        for (int64_t i = 0; i < counts[u]; i++) { /* every third item, again and again */
            r.excluded[r.offsets[u] + i] = (int32_t)(i * 13 / counts[u]) * 3 + u;
        }
    }
    r.filter.exclude_offsets = r.offsets;
    r.filter.exclude_items = r.excluded;
    check_request(&d.s, &r, 0);
    request_free(&r);
    served_close(&d);
}
END_TEST

START_TEST(nan_and_infinities_have_their_place)
{
    enum { ITEMS = 1500, WIDTH = 4 };
    float *queries = integers(4 * WIDTH);
    float *keys = integers(ITEMS * WIDTH);
    for (int i = 0; i < 900; i++) {
        keys[random_below(ITEMS * WIDTH)] = (const float[]){NAN, INFINITY, -INFINITY, -0.0f}[i % 4];
    }
    for (int c = 0; c < WIDTH; c++) {
        queries[c] = c == 0 ? -0.0f : 0.0f; /* scores of 0 and -0, which tie */
    }
    served d;
    if (served_open(&d, (enum backend)_i, 4, ITEMS, WIDTH, queries, keys)) {
        check(&d.s, 8, 20, 0, -1);
        check(&d.s, 8, 20, 200, -1);
        check(&d.s, 3, 1024, 200, 900);
        served_close(&d);
    }
}
END_TEST

START_TEST(fractions_are_listed_up_to_near_ties)
{
    enum { USERS = 5, ITEMS = 1300, WIDTH = 96 };
    float *queries = random_floats(USERS * WIDTH);
    float *keys = random_floats(ITEMS * WIDTH);
    for (int i = WIDTH; i < ITEMS * WIDTH; i++) {
        keys[i] = i / WIDTH % 2 == 1 ? keys[i - WIDTH] * (1 + 1e-7f * random_float()) : keys[i]; /* pairs */
    }
    served d;
    if (served_open(&d, (enum backend)_i, USERS, ITEMS, WIDTH, queries, keys)) {
        request r = make_request(&d.s, 6, 20, 100, 900);
        check_request(&d.s, &r, 1e-4f);
        request_free(&r);
        served_close(&d);
    }
}
END_TEST

/* ---- scores ---- */

START_TEST(scores_are_inner_products_of_the_rows)
{
    enum { USERS = 7, ITEMS = 70000, LISTED = 66000, WIDTH = 3, ASKED = 70 };
    served d;
    if (!open_integers(&d, (enum backend)_i, USERS, ITEMS, WIDTH)) {
        return;
    }
    int32_t users[ASKED];
    int32_t *items = get_memory(LISTED, sizeof *items);
    for (int32_t i = 0; i < LISTED; i++) {
        items[i] = random_below(ITEMS);
    }
    for (int32_t i = 0; i < ASKED; i++) {
        users[i] = random_below(USERS);
    }
    const plain_ranker rows = {d.s.queries, d.s.keys, USERS, ITEMS, WIDTH};
    float *scores = unset_floats((size_t)ASKED * ITEMS);
    for (size_t n_users = 1; n_users <= ASKED; n_users += ASKED - 1) {
        for (int named = 0; named < 2; named++) {
            size_t n_items = named ? LISTED : ITEMS;
            OK(scorer_scores(&d.s, users, n_users, named ? items : NULL, n_items, scores));
            for (size_t u = 0; u < n_users; u++) {
                for (size_t i = 0; i < n_items; i++) {
                    float expected = plain_score(&rows, users[u], named ? items[i] : (int32_t)i);
                    if (scores[u * n_items + i] != expected) {
                        ck_abort_msg("user %zu, item %zu: %g, not %g", u, i, (double)scores[u * n_items + i],
                                     (double)expected);
                    }
                }
            }
        }
    }
    OK(scorer_scores(&d.s, users, 3, items, 5, scores));
    ck_assert_float_eq(scores[2 * 5 + 4], plain_score(&rows, users[2], items[4]));
    OK(scorer_scores(&d.s, users, 0, NULL, 0, scores));
    OK(scorer_scores(&d.s, users, 2, items, 0, scores));
    free(scores);
    free(items);
    served_close(&d);
}
END_TEST

/* ---- many threads ---- */

enum { CALLERS = 4, ROUNDS = 3, MOST_CALLED = 12 };

typedef struct caller {
    const scorer *s;
    request r;
    int32_t items[MOST_CALLED * 30], expected[MOST_CALLED * 30];
    float scores[MOST_CALLED * 30], expected_scores[MOST_CALLED * 30];
    bool same;
} caller;

static cfd_status call(caller *c, int32_t *items, float *scores)
{
    return scorer_recommend(c->s, c->r.users, c->r.n_users, c->r.k, &c->r.filter, items, scores, NULL);
}

static void *call_again(void *argument)
{
    caller *c = argument;
    size_t n = c->r.n_users * c->r.k;
    for (int round = 0; round < ROUNDS; round++) {
        memset(c->items, 0, sizeof c->items);
        c->same = c->same && call(c, c->items, c->scores) == CFD_OK &&
                  memcmp(c->items, c->expected, n * sizeof *c->items) == 0 &&
                  memcmp(c->scores, c->expected_scores, n * sizeof *c->scores) == 0;
    }
    return NULL;
}

START_TEST(threads_that_ask_at_once_get_what_they_would_get_alone)
{
    served d;
    float *queries = random_floats(20 * 33);
    if (!served_open(&d, (enum backend)_i, 20, 400, 33, queries, random_floats(400 * 33))) {
        return;
    }
    static caller callers[CALLERS];
    pthread_t threads[CALLERS];
    for (int i = 0; i < CALLERS; i++) {
        callers[i].s = &d.s;
        callers[i].same = true;
        callers[i].r = make_request(&d.s, (size_t)(3 * (i + 1)), (size_t)(4 + 5 * i), 30 * (i % 2), i < 2 ? -1 : 100 * i);
        OK(call(&callers[i], callers[i].expected, callers[i].expected_scores));
    }
    for (int i = 0; i < CALLERS; i++) {
        ck_assert_int_eq(pthread_create(&threads[i], NULL, call_again, &callers[i]), 0);
    }
    for (int i = 0; i < CALLERS; i++) {
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
    }
    for (int i = 0; i < CALLERS; i++) {
        ck_assert(callers[i].same);
        request_free(&callers[i].r);
    }
    served_close(&d);
}
END_TEST

/* ---- failures ---- */

START_TEST(a_device_that_fails_says_so)
{
    served d;
    if (!open_integers(&d, ON_PLAIN, 3, 30, 2)) {
        return;
    }
    request r = make_request(&d.s, PLAIN_MOST_USERS + 5, 2, 3, -1);
    int32_t *items = get_memory(r.n_users * 2, sizeof *items);
    for (int after = 0; after < 2; after++) {
        lists_until_failure = after;
        FAILS(CFD_ERROR_DEVICE, "the device of this test failed",
              scorer_recommend(&d.s, r.users, r.n_users, 2, &r.filter, items, NULL, NULL));
    }
    lists_until_failure = -1;
    OK(scorer_recommend(&d.s, r.users, r.n_users, 2, &r.filter, items, NULL, NULL));
    free(items);
    request_free(&r);
    served_close(&d);
}
END_TEST

START_TEST(want_of_device_memory_leaves_the_scorer_usable)
{
    served d;
    if (!open_integers(&d, ON_CUDA, 6, 100, 5)) {
        return;
    }
    union {
        void *data;
        void (*function)(long);
    } fail_allocation = {simulated_symbol("cudasim_fail_allocation")};
    union {
        void *data;
        size_t (*function)(void);
    } memory_used = {simulated_symbol("cudasim_memory_used")};
    if (fail_allocation.data) {
        ops *device = d.s.device;
        const ops_table *t = device->table;
        size_t used = memory_used.function();
        ops_ranker *ranker = NULL;
        long failures = 0;
        for (;; failures++) { /* while rankers are made */
            fail_allocation.function(failures);
            cfd_status status = t->ranker_create(device, d.s.queries, 6, d.s.keys, 100, 5, &ranker);
            fail_allocation.function(-1);
            if (status == CFD_OK) {
                break;
            }
            ck_assert_int_eq(status, CFD_ERROR_MEMORY);
            ck_assert_ptr_null(ranker);
            ck_assert_uint_eq(memory_used.function(), used);
        }
        ck_assert_int_ge(failures, 3);
        t->ranker_destroy(device, ranker);
        ck_assert_uint_eq(memory_used.function(), used);
        int32_t items[2 * 4];
        const int32_t users[] = {1, 2};
        for (failures = 0;; failures++) { /* while the lane grows */
            fail_allocation.function(failures);
            cfd_status status = scorer_recommend(&d.s, users, 2, 4, NULL, items, NULL, NULL);
            fail_allocation.function(-1);
            if (status == CFD_OK) {
                break;
            }
            ck_assert_int_eq(status, CFD_ERROR_MEMORY);
            ck_assert_ptr_nonnull(strstr(cfd_last_error(), "scores"));
        }
        ck_assert_int_eq(failures, 2); /* of the device, and pinned */
        check(&d.s, 6, 10, 20, 60);
    }
    served_close(&d);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("serving on devices");
    TCase *lists = tcase_create("lists");
    tcase_set_timeout(lists, 300);
    tcase_add_loop_test(lists, lists_are_the_head_of_a_full_sort, 0, ALL_BACKENDS);
    tcase_add_loop_test(lists, filters_work_together, 0, ALL_BACKENDS);
    tcase_add_loop_test(lists, small_scorers_are_served, 0, ALL_BACKENDS);
    tcase_add_loop_test(lists, items_come_in_several_blocks, 0, ALL_BACKENDS);
    tcase_add_loop_test(lists, users_come_in_several_blocks, 0, ALL_BACKENDS);
    tcase_add_loop_test(lists, users_with_very_many_exclusions_are_served, 0, ALL_BACKENDS);
    tcase_add_loop_test(lists, nan_and_infinities_have_their_place, 0, ALL_BACKENDS);
    tcase_add_loop_test(lists, fractions_are_listed_up_to_near_ties, 0, ALL_BACKENDS);
    suite_add_tcase(s, lists);
    TCase *others = tcase_create("scores, threads, failures");
    tcase_set_timeout(others, 300);
    tcase_add_loop_test(others, scores_are_inner_products_of_the_rows, 0, ALL_BACKENDS);
    tcase_add_loop_test(others, threads_that_ask_at_once_get_what_they_would_get_alone, 0, ALL_BACKENDS);
    tcase_add_test(others, a_device_that_fails_says_so);
    tcase_add_test(others, want_of_device_memory_leaves_the_scorer_usable);
    suite_add_tcase(s, others);
    return s;
}

TEST_MAIN(suite)
