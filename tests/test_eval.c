/* SPDX-License-Identifier: Apache-2.0 */
/* Evaluation worked by hand. The scorers have width 1 and queries of 1, so an item's key is its score for
 * everybody. */
#include "test_eval_world.h"

#include "eval/evaluate.h"
#include "eval/metrics.h"

/* Opens a world whose items score what the list says. */
static void open_scored(world *w, int32_t users, int32_t items, const float *scores)
{
    world_open(w, 2, users, items, 1, 0, 1);
    memcpy(w->s.owned[1], scores, (size_t)items * sizeof *scores);
    for (int32_t user = 0; user < users; user++) {
        w->s.owned[0][user] = 1.0f;
    }
}

static void run(const world *w, cfd_split split, cfd_protocol protocol, const int32_t *ks, size_t n_ks, cfd_metrics *metrics,
                size_t *n_users)
{
    evaluation what = {split, protocol, ks, n_ks, 99, 7};
    OK(evaluate(&w->s, &w->data, &what, metrics, n_users));
}

/* At one K. */
static cfd_metrics run_at(const world *w, cfd_split split, cfd_protocol protocol, int32_t k)
{
    cfd_metrics metrics;
    run(w, split, protocol, &k, 1, &metrics, NULL);
    ck_assert_int_eq(metrics.k, k);
    return metrics;
}

#define PAIRS(...) (const int32_t[][2]){__VA_ARGS__}, sizeof((const int32_t[][2]){__VA_ARGS__}) / sizeof(int32_t[2])
#define NEAR(a, b) ck_assert_double_eq_tol((a), (b), 1e-14)

/* ---- metrics ---- */

START_TEST(every_metric_of_three_held_out_items)
{
    /* Candidates 0, 2, 4 score 6, 4, 2. Held out 1, 3, 5 score 5, 3, 1: ranks 1, 3, 5. */
    const float scores[] = {6, 5, 4, 3, 2, 1};
    world w;
    open_scored(&w, 1, 6, scores);
    world_split(&w, CFD_SPLIT_TEST, PAIRS({0, 1}, {0, 3}, {0, 5}));
    const int32_t ks[] = {1, 2, 4, 1000};
    cfd_metrics m[4];
    size_t n_users;
    run(&w, CFD_SPLIT_TEST, CFD_PROTOCOL_FULL, ks, 4, m, &n_users);
    ck_assert_uint_eq(n_users, 1);
    double log2_3 = 1.5849625007211562;
    double log2_5 = 2.321928094887362;
    double log2_7 = 2.807354922057604;
    const cfd_metrics expected[] = {
        {1, 0, 0, 0, 0, 0, 0, 0},
        {2, 0, 1, (1 / log2_3) / (1 + 1 / log2_3), 1.0 / 3, 1.0 / 2, (1.0 / 2) / 2, 1.0 / 2},
        {4, 0, 1, (1 / log2_3 + 1 / log2_5) / (1 + 1 / log2_3 + 1.0 / 2), 2.0 / 3, 2.0 / 4, (1.0 / 2 + 2.0 / 4) / 3,
         1.0 / 2},
        {1000, 0, 1, (1 / log2_3 + 1 / log2_5 + 1 / log2_7) / (1 + 1 / log2_3 + 1.0 / 2), 1, 3.0 / 1000,
         (1.0 / 2 + 2.0 / 4 + 3.0 / 6) / 3, 1.0 / 2},
    };
    for (int i = 0; i < 4; i++) {
        ck_assert_int_eq(m[i].k, expected[i].k);
        ck_assert_int_eq(m[i].reserved, 0);
        NEAR(m[i].hr, expected[i].hr);
        NEAR(m[i].ndcg, expected[i].ndcg);
        NEAR(m[i].recall, expected[i].recall);
        NEAR(m[i].precision, expected[i].precision);
        NEAR(m[i].map, expected[i].map);
        NEAR(m[i].mrr, expected[i].mrr);
    }
    world_close(&w);
}
END_TEST

START_TEST(a_perfect_list_gets_one_even_where_more_is_held_out_than_fits)
{
    const float scores[] = {1, 9, 8, 7, 2};
    world w;
    open_scored(&w, 1, 5, scores);
    world_split(&w, CFD_SPLIT_TEST, PAIRS({0, 1}, {0, 2}, {0, 3}));
    cfd_metrics m = run_at(&w, CFD_SPLIT_TEST, CFD_PROTOCOL_FULL, 2); /* ranks 0, 1, 2 */
    NEAR(m.hr, 1);
    NEAR(m.ndcg, 1);
    NEAR(m.recall, 2.0 / 3);
    NEAR(m.precision, 1);
    NEAR(m.map, 1);
    NEAR(m.mrr, 1);
    world_close(&w);
}
END_TEST

START_TEST(figures_are_means_over_the_users_with_held_out_items)
{
    /* Users 0 and 3 have held-out items at ranks 0 and 2; users 1 and 2 have none. */
    const float scores[] = {4, 3, 2, 1};
    world w;
    open_scored(&w, 4, 4, scores);
    world_split(&w, CFD_SPLIT_TRAIN, PAIRS({1, 0}, {2, 2}));
    world_split(&w, CFD_SPLIT_TEST, PAIRS({0, 0}, {3, 2}));
    const int32_t ks[] = {1, 3};
    cfd_metrics m[2];
    size_t n_users = 0;
    run(&w, CFD_SPLIT_TEST, CFD_PROTOCOL_FULL, ks, 2, m, &n_users);
    ck_assert_uint_eq(n_users, 2);
    NEAR(m[0].hr, 0.5);
    NEAR(m[0].mrr, 0.5);
    NEAR(m[1].hr, 1);
    NEAR(m[1].mrr, (1 + 1.0 / 3) / 2);
    NEAR(m[1].ndcg, (1 + 1.0 / 2) / 2); /* 1 / log2(4) */
    NEAR(m[1].precision, 1.0 / 3);
    world_close(&w);
}
END_TEST

START_TEST(ranks_beyond_every_cut_off_add_nothing)
{
    const int32_t ks[] = {3, 1};
    metric_table table;
    OK(metric_table_init(&table, &memory_default, ks, 2));
    cfd_metrics sums[2] = {{0}, {0}};
    metrics_add(&table, (const int32_t[]){3, INT32_MAX}, 2, 1.0, sums);
    ck_assert_double_eq(sums[0].hr + sums[0].ndcg + sums[0].map + sums[0].mrr, 0.0);
    metrics_add(&table, (const int32_t[]){2}, 1, 0.5, sums);
    ck_assert_double_eq(sums[0].hr, 0.5);
    ck_assert_double_eq(sums[1].hr, 0.0);
    metric_table_release(&table);
}
END_TEST

/* ---- ties and numbers that are none ---- */

START_TEST(a_constant_score_hits_only_where_candidates_run_out)
{
    const float scores[] = {2, 2, 2, 2, 2, 2};
    world w;
    open_scored(&w, 2, 6, scores);
    /* User 0 has five candidates: rank 5. User 1 has two: rank 2. */
    world_split(&w, CFD_SPLIT_TRAIN, PAIRS({1, 1}, {1, 2}, {1, 3}));
    world_split(&w, CFD_SPLIT_TEST, PAIRS({0, 0}, {1, 0}));
    for (int protocol = 0; protocol < 2; protocol++) {
        NEAR(run_at(&w, CFD_SPLIT_TEST, (cfd_protocol)protocol, 2).hr, 0);
        NEAR(run_at(&w, CFD_SPLIT_TEST, (cfd_protocol)protocol, 3).hr, 0.5);
        NEAR(run_at(&w, CFD_SPLIT_TEST, (cfd_protocol)protocol, 3).mrr, 0.5 / 3);
        NEAR(run_at(&w, CFD_SPLIT_TEST, (cfd_protocol)protocol, 5).hr, 0.5);
        NEAR(run_at(&w, CFD_SPLIT_TEST, (cfd_protocol)protocol, 6).hr, 1);
    }
    world_close(&w);
}
END_TEST

START_TEST(zero_and_minus_zero_tie)
{
    const float scores[] = {-0.0f, 0.0f};
    for (int32_t held_out = 0; held_out < 2; held_out++) {
        world w;
        open_scored(&w, 1, 2, scores);
        world_split(&w, CFD_SPLIT_TEST, PAIRS({0, held_out}));
        NEAR(run_at(&w, CFD_SPLIT_TEST, CFD_PROTOCOL_FULL, 2).mrr, 0.5);
        world_close(&w);
    }
}
END_TEST

START_TEST(a_held_out_item_without_a_number_is_the_worst)
{
    const float scores[] = {NAN, 1, -INFINITY, 2, 3};
    world w;
    open_scored(&w, 1, 5, scores);
    world_split(&w, CFD_SPLIT_TEST, PAIRS({0, 0}, {0, 4})); /* 4 is first, 0 behind it and three candidates */
    for (int protocol = 0; protocol < 2; protocol++) {
        cfd_metrics four = run_at(&w, CFD_SPLIT_TEST, (cfd_protocol)protocol, 4);
        cfd_metrics five = run_at(&w, CFD_SPLIT_TEST, (cfd_protocol)protocol, 5);
        if (protocol == CFD_PROTOCOL_FULL) {
            NEAR(four.recall, 0.5); /* ranks 0 and 4 */
            NEAR(five.recall, 1);
            NEAR(five.map, (1 + 2.0 / 5) / 2);
        } else {
            NEAR(four.mrr, (1 + 1.0 / 4) / 2); /* each by itself: ranks 0 and 3 */
        }
    }
    world_close(&w);
}
END_TEST

START_TEST(a_candidate_without_a_number_counts_against_every_item)
{
    const float scores[] = {NAN, 1, INFINITY, NAN};
    world w;
    open_scored(&w, 1, 4, scores);
    world_split(&w, CFD_SPLIT_TEST, PAIRS({0, 2}));
    NEAR(run_at(&w, CFD_SPLIT_TEST, CFD_PROTOCOL_FULL, 10).mrr, 1.0 / 3);
    NEAR(run_at(&w, CFD_SPLIT_TEST, CFD_PROTOCOL_SAMPLED, 10).mrr, 1.0 / 3);
    world_close(&w);
}
END_TEST

/* ---- who is a candidate ---- */

START_TEST(known_items_are_no_candidates_and_the_test_split_is_not_known)
{
    const float scores[] = {9, 8, 7, 6, 5, 4};
    world w;
    open_scored(&w, 1, 6, scores);
    world_split(&w, CFD_SPLIT_TRAIN, PAIRS({0, 0}));
    world_split(&w, CFD_SPLIT_VALIDATION, PAIRS({0, 2}));
    world_split(&w, CFD_SPLIT_TEST, PAIRS({0, 1}, {0, 4}));
    for (int protocol = 0; protocol < 2; protocol++) {
        /* Validation: item 2 behind candidate 1 (a test item); 0 is trained on. */
        NEAR(run_at(&w, CFD_SPLIT_VALIDATION, (cfd_protocol)protocol, 10).mrr, 1.0 / 2);
    }
    /* Test: candidates 3 and 5. Item 1 at rank 0; item 4 behind 3 and, in the full protocol, behind 1. */
    NEAR(run_at(&w, CFD_SPLIT_TEST, CFD_PROTOCOL_FULL, 10).map, (1 + 2.0 / 3) / 2);
    NEAR(run_at(&w, CFD_SPLIT_TEST, CFD_PROTOCOL_SAMPLED, 10).map, (1 + 1.0 / 2) / 2);
    world_close(&w);
}
END_TEST

START_TEST(the_test_split_is_not_touched_during_validation)
{
    const float scores[] = {3, 2, 1};
    world w;
    open_scored(&w, 1, 3, scores);
    world_split(&w, CFD_SPLIT_VALIDATION, PAIRS({0, 1}));
    bipartite test = w.data.splits[CFD_SPLIT_TEST];
    memset(&w.data.splits[CFD_SPLIT_TEST], 0, sizeof test); /* a look behind these pointers would end the program */
    NEAR(run_at(&w, CFD_SPLIT_VALIDATION, CFD_PROTOCOL_FULL, 10).mrr, 0.5);
    NEAR(run_at(&w, CFD_SPLIT_VALIDATION, CFD_PROTOCOL_SAMPLED, 10).mrr, 0.5);
    w.data.splits[CFD_SPLIT_TEST] = test;
    world_close(&w);
}
END_TEST

START_TEST(a_held_out_item_that_was_trained_on_is_ranked_all_the_same)
{
    const float scores[] = {5, 4, 3, 2, 1};
    world w;
    open_scored(&w, 1, 5, scores);
    world_split(&w, CFD_SPLIT_TRAIN, PAIRS({0, 0}, {0, 2}));
    world_split(&w, CFD_SPLIT_VALIDATION, PAIRS({0, 3}));
    world_split(&w, CFD_SPLIT_TEST, PAIRS({0, 2}, {0, 3}));                               /* both leak; candidates 1 and 4 */
    NEAR(run_at(&w, CFD_SPLIT_TEST, CFD_PROTOCOL_FULL, 10).map, (1.0 / 2 + 2.0 / 3) / 2); /* ranks 1 and 2 */
    NEAR(run_at(&w, CFD_SPLIT_TEST, CFD_PROTOCOL_SAMPLED, 10).mrr, 1.0 / 2);              /* 1 and 1 */
    world_close(&w);
}
END_TEST

START_TEST(a_user_who_knows_every_item_has_no_rivals)
{
    const float scores[] = {5, 4, 3};
    world w;
    open_scored(&w, 1, 3, scores);
    world_split(&w, CFD_SPLIT_TRAIN, PAIRS({0, 0}, {0, 1}, {0, 2}));
    world_split(&w, CFD_SPLIT_TEST, PAIRS({0, 1}, {0, 2}));
    cfd_metrics full = run_at(&w, CFD_SPLIT_TEST, CFD_PROTOCOL_FULL, 1); /* ranks 0 and 1 */
    NEAR(full.hr, 1);
    NEAR(full.recall, 0.5);
    cfd_metrics sampled = run_at(&w, CFD_SPLIT_TEST, CFD_PROTOCOL_SAMPLED, 1); /* 0 and 0 */
    NEAR(sampled.hr, 1);
    NEAR(sampled.recall, 1);
    world_close(&w);
}
END_TEST

/* ---- what cannot be evaluated ---- */

START_TEST(an_empty_split_and_a_scorer_that_does_not_fit_are_refused)
{
    const float scores[] = {5, 4, 3};
    world w;
    open_scored(&w, 2, 3, scores);
    world_split(&w, CFD_SPLIT_TEST, PAIRS({0, 1}));
    int32_t k = 5;
    cfd_metrics metrics = {.k = -7};
    size_t n_users = 77;
    evaluation what = {CFD_SPLIT_VALIDATION, CFD_PROTOCOL_FULL, &k, 1, 99, 0};
    FAILS(CFD_ERROR_DATA, "validation split is empty", evaluate(&w.s, &w.data, &what, &metrics, &n_users));
    what.split = CFD_SPLIT_TEST;
    w.data.users = 4;
    FAILS(CFD_ERROR_DATA, "the model has 2 users and 3 items, the data set 4 users and 3 items",
          evaluate(&w.s, &w.data, &what, &metrics, &n_users));
    ck_assert_int_eq(metrics.k, -7);
    ck_assert_uint_eq(n_users, 77);
    world_close(&w);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("evaluation");
    TCase *metrics = tcase_create("metrics");
    tcase_add_test(metrics, every_metric_of_three_held_out_items);
    tcase_add_test(metrics, a_perfect_list_gets_one_even_where_more_is_held_out_than_fits);
    tcase_add_test(metrics, figures_are_means_over_the_users_with_held_out_items);
    tcase_add_test(metrics, ranks_beyond_every_cut_off_add_nothing);
    suite_add_tcase(s, metrics);
    TCase *ties = tcase_create("ties");
    tcase_add_test(ties, a_constant_score_hits_only_where_candidates_run_out);
    tcase_add_test(ties, zero_and_minus_zero_tie);
    tcase_add_test(ties, a_held_out_item_without_a_number_is_the_worst);
    tcase_add_test(ties, a_candidate_without_a_number_counts_against_every_item);
    suite_add_tcase(s, ties);
    TCase *candidates = tcase_create("candidates");
    tcase_add_test(candidates, known_items_are_no_candidates_and_the_test_split_is_not_known);
    tcase_add_test(candidates, the_test_split_is_not_touched_during_validation);
    tcase_add_test(candidates, a_held_out_item_that_was_trained_on_is_ranked_all_the_same);
    tcase_add_test(candidates, a_user_who_knows_every_item_has_no_rivals);
    tcase_add_test(candidates, an_empty_split_and_a_scorer_that_does_not_fit_are_refused);
    suite_add_tcase(s, candidates);
    return s;
}

TEST_MAIN(suite)
