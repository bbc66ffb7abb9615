/* SPDX-License-Identifier: Apache-2.0 */
/* The draw of negatives: distinct, allowed, uniform, each user's own; and what the sampled protocol does with
 * it. */
#include "test_eval_world.h"

#include "eval/candidates.h"
#include "eval/evaluate.h"

enum { ITEMS = 60 };

/* Draws for a user of a world of ITEMS items. */
static size_t draw(uint64_t seed, int32_t user, const int32_t *excluded, size_t n_excluded, int32_t wanted, int32_t *out)
{
    int32_t table[4 * ITEMS];
    ck_assert_uint_le(negatives_slots(wanted, ITEMS), 4 * ITEMS);
    return negatives_draw(seed, user, ITEMS, excluded, n_excluded, wanted, table, out);
}

START_TEST(negatives_are_distinct_candidates)
{
    uint64_t state = 1;
    for (int32_t user = 0; user < 400; user++) {
        bool out_of_bounds[ITEMS] = {false};
        int32_t excluded[ITEMS];
        size_t n_excluded = 0;
        int32_t share = 1 + random_below(&state, 10);
        for (int32_t item = 0; item < ITEMS; item++) {
            if (random_below(&state, 10) < share) {
                out_of_bounds[item] = true;
                excluded[n_excluded++] = item;
            }
        }
        int32_t wanted = 1 + random_below(&state, 2 * ITEMS);
        int32_t negatives[ITEMS];
        size_t n = draw(3, user, excluded, n_excluded, wanted, negatives);
        ck_assert_uint_eq(n, (size_t)wanted < ITEMS - n_excluded ? (size_t)wanted : ITEMS - n_excluded);
        for (size_t i = 0; i < n; i++) {
            ck_assert_int_ge(negatives[i], 0);
            ck_assert_int_lt(negatives[i], ITEMS);
            ck_assert(!out_of_bounds[negatives[i]]);
            out_of_bounds[negatives[i]] = true;
        }
    }
}
END_TEST

START_TEST(every_set_of_negatives_is_equally_likely)
{
    /* 3 of 6 candidates: 20 sets. Chi-square with 19 degrees of freedom exceeds 43.8 once in a thousand. */
    int32_t excluded[ITEMS];
    size_t n_excluded = 0;
    const int32_t candidates[] = {0, 7, 8, 31, 58, 59};
    for (int32_t item = 0, next = 0; item < ITEMS; item++) {
        if (next < 6 && candidates[next] == item) {
            next++;
        } else {
            excluded[n_excluded++] = item;
        }
    }
    int counts[64] = {0};
    enum { DRAWS = 40000 };
    for (int32_t user = 0; user < DRAWS; user++) {
        int32_t negatives[3];
        ck_assert_uint_eq(draw(2024, user, excluded, n_excluded, 3, negatives), 3);
        int set = 0;
        for (int i = 0; i < 3; i++) {
            for (int c = 0; c < 6; c++) {
                set |= (negatives[i] == candidates[c]) << c;
            }
        }
        counts[set]++;
    }
    double chi_square = 0;
    int sets = 0;
    for (int set = 0; set < 64; set++) {
        if (counts[set] > 0) {
            sets++;
            double off = counts[set] - DRAWS / 20.0;
            chi_square += off * off / (DRAWS / 20.0);
        }
    }
    ck_assert_int_eq(sets, 20);
    ck_assert_double_lt(chi_square, 43.8);
}
END_TEST

START_TEST(every_candidate_is_drawn_equally_often)
{
    /* 40 of 57 candidates. The counts' chi-square, corrected for drawing without repetition, has 56 degrees of
     * freedom: beyond 94.5 once in a thousand. */
    enum { DRAWS = 20000, WANTED = 40, CANDIDATES = ITEMS - 3 };
    const int32_t excluded[] = {0, 20, 59};
    int counts[ITEMS] = {0};
    for (int32_t user = 0; user < DRAWS; user++) {
        int32_t negatives[WANTED];
        draw(2024, user, excluded, 3, WANTED, negatives);
        for (int i = 0; i < WANTED; i++) {
            counts[negatives[i]]++;
        }
    }
    double share = (double)WANTED / CANDIDATES;
    double chi_square = 0;
    for (int32_t item = 0; item < ITEMS; item++) {
        if (item != 0 && item != 20 && item != 59) {
            double off = counts[item] - DRAWS * share;
            chi_square += off * off / (DRAWS * share * (1 - share)) * (CANDIDATES - 1) / CANDIDATES;
        }
    }
    ck_assert_double_lt(chi_square, 94.5);
    ck_assert_int_eq(counts[0] + counts[20] + counts[59], 0);
}
END_TEST

START_TEST(few_candidates_are_all_taken)
{
    const int32_t excluded[] = {0, 1, 2, 10, 59};
    int32_t negatives[ITEMS];
    for (int32_t wanted = ITEMS - 5; wanted < 2 * ITEMS; wanted++) {
        ck_assert_uint_eq(draw(1, 0, excluded, 5, wanted, negatives), ITEMS - 5);
        int32_t expected = 3;
        for (size_t i = 0; i < ITEMS - 5; i++, expected++) {
            expected += expected == 10;
            ck_assert_int_eq(negatives[i], expected);
        }
    }
    int32_t everything[ITEMS];
    for (int32_t item = 0; item < ITEMS; item++) {
        everything[item] = item;
    }
    ck_assert_uint_eq(draw(1, 0, everything, ITEMS, 99, negatives), 0);
}
END_TEST

START_TEST(users_and_seeds_have_draws_of_their_own)
{
    int32_t first[20];
    int32_t again[20];
    int32_t other_user[20];
    int32_t other_seed[20];
    draw(7, 1, NULL, 0, 20, first);
    draw(7, 1, NULL, 0, 20, again);
    draw(7, 2, NULL, 0, 20, other_user);
    draw(8, 1, NULL, 0, 20, other_seed);
    ck_assert_mem_eq(first, again, sizeof first);
    ck_assert_mem_ne(first, other_user, sizeof first);
    ck_assert_mem_ne(first, other_seed, sizeof first);
}
END_TEST

/* A world whose users have one held-out item each, and train items. */
static void open_world(world *w, int32_t users, int32_t items)
{
    uint64_t state = 4;
    world_open(w, 2, users, items, 3, 0, 9);
    world_random_split(w, CFD_SPLIT_TRAIN, (size_t)users * 5, &state);
    int32_t(*pairs)[2] = calloc((size_t)users, sizeof *pairs);
    for (int32_t user = 0; user < users; user++) {
        pairs[user][0] = user;
        pairs[user][1] = random_below(&state, items);
    }
    world_split(w, CFD_SPLIT_TEST, (const int32_t(*)[2])pairs, (size_t)users);
    free(pairs);
}

/* With more negatives than candidates, sampled ranking is full ranking of each held-out item by itself: ids of several
 * digits, runs of every length. */
START_TEST(with_all_candidates_drawn_it_is_full_ranking)
{
    const int32_t all[] = {1, 2, 700, 2048, 2049, 5000};
    for (size_t k = 0; k < sizeof all / sizeof *all; k++) {
        world w;
        open_world(&w, 40, all[k]);
        const int32_t ks[] = {1, 10, 1000};
        cfd_metrics sampled[3];
        cfd_metrics full[3];
        evaluation what = {CFD_SPLIT_TEST, CFD_PROTOCOL_SAMPLED, ks, 3, 2 * all[k], 1};
        OK(evaluate(&w.s, &w.data, &what, sampled, NULL));
        what.protocol = CFD_PROTOCOL_FULL;
        OK(evaluate(&w.s, &w.data, &what, full, NULL));
        for (int i = 0; i < 3; i++) {
            ck_assert_double_eq_tol(sampled[i].hr, full[i].hr, 1e-12);
            ck_assert_double_eq_tol(sampled[i].ndcg, full[i].ndcg, 1e-12);
            ck_assert_double_eq_tol(sampled[i].mrr, full[i].mrr, 1e-12);
        }
        world_close(&w);
    }
}
END_TEST

START_TEST(a_random_score_hits_as_often_as_chance_has_it)
{
    /* The held-out item and its 99 rivals are exchangeable: HR@10 is 0.10, with a standard deviation of 0.0047
     * over 4000 users. */
    world w;
    open_world(&w, 4000, 500);
    int32_t k = 10;
    cfd_metrics metrics;
    evaluation what = {CFD_SPLIT_TEST, CFD_PROTOCOL_SAMPLED, &k, 1, 99, 1};
    OK(evaluate(&w.s, &w.data, &what, &metrics, NULL));
    ck_assert_double_eq_tol(metrics.hr, 0.10, 4 * 0.0047);
    cfd_metrics other;
    what.seed = 2;
    OK(evaluate(&w.s, &w.data, &what, &other, NULL));
    ck_assert_double_ne(metrics.ndcg, other.ndcg);
    world_close(&w);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("sampled evaluation");
    TCase *draws = tcase_create("draws");
    tcase_add_test(draws, negatives_are_distinct_candidates);
    tcase_add_test(draws, every_set_of_negatives_is_equally_likely);
    tcase_add_test(draws, every_candidate_is_drawn_equally_often);
    tcase_add_test(draws, few_candidates_are_all_taken);
    tcase_add_test(draws, users_and_seeds_have_draws_of_their_own);
    suite_add_tcase(s, draws);
    TCase *protocol = tcase_create("protocol");
    tcase_add_test(protocol, with_all_candidates_drawn_it_is_full_ranking);
    tcase_add_test(protocol, a_random_score_hits_as_often_as_chance_has_it);
    suite_add_tcase(s, protocol);
    return s;
}

TEST_MAIN(suite)
