/* SPDX-License-Identifier: Apache-2.0 */
/* Random numbers by address: the published vectors, permutations, bounded draws. */
#include "test.h"

#include "base/philox.h"

/* Upper quantiles of the chi-square distribution by Wilson and Hilferty's cube, z = 4.75 (one in a million). */
static double chi_square_bound(int freedom)
{
    double a = 2.0 / (9.0 * freedom);
    double root = 1.0 - a + 4.75 * sqrt(a);
    return freedom * root * root * root;
}

/* Counter words as Random123 numbers them: c0 = minor, c1 = stream, c2 and c3 = major. */
static void check_vector(const uint32_t c[4], const uint32_t k[2], const uint32_t expected[4])
{
    philox_block block = philox((uint64_t)k[1] << 32 | k[0], (enum philox_stream)c[1], (uint64_t)c[3] << 32 | c[2], c[0]);
    for (int i = 0; i < 4; i++) {
        ck_assert_uint_eq(block.word[i], expected[i]);
    }
}

/* kat_vectors of Random123 1.14, "philox4x32 10". */
START_TEST(the_published_known_answers_come_out)
{
    check_vector((const uint32_t[]){0, 0, 0, 0}, (const uint32_t[]){0, 0},
                 (const uint32_t[]){0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
    check_vector((const uint32_t[]){UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX},
                 (const uint32_t[]){UINT32_MAX, UINT32_MAX},
                 (const uint32_t[]){0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
    check_vector((const uint32_t[]){0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
                 (const uint32_t[]){0xa4093822, 0x299f31d0},
                 (const uint32_t[]){0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}
END_TEST

/* ---- permutations ---- */

START_TEST(every_small_n_is_permuted_onto_itself)
{
    for (uint64_t n = 1; n <= 200; n++) {
        for (uint64_t major = 0; major < 3; major++) {
            unsigned char seen[200] = {0};
            for (uint64_t i = 0; i < n; i++) {
                uint64_t to = philox_permute(2024, PHILOX_USERS, major, n, i);
                ck_assert_msg(to < n, "n %u: %u goes to %u", (unsigned)n, (unsigned)i, (unsigned)to);
                ck_assert_msg(!seen[to], "n %u: %u is hit twice", (unsigned)n, (unsigned)to);
                seen[to] = 1;
            }
        }
    }
}
END_TEST

static int compare_u64(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Too many to visit them all: the first, the last and a stride between stay in range and apart. */
START_TEST(large_n_are_permuted_without_collisions)
{
    enum { SAMPLED = 20000 };
    static uint64_t to[SAMPLED];
    const uint64_t sizes[] = {65536, 65537, 1000003, 123742, UINT64_C(1) << 32, (UINT64_C(1) << 32) + 1, UINT64_C(3) << 40};
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        uint64_t n = sizes[s];
        uint64_t stride = n / SAMPLED > 0 ? n / SAMPLED : 1;
        for (uint64_t k = 0; k < SAMPLED; k++) {
            to[k] = philox_permute(7, PHILOX_EPOCH, 3, n, k + 1 < SAMPLED ? k * stride : n - 1);
            ck_assert(to[k] < n);
        }
        qsort(to, SAMPLED, sizeof to[0], compare_u64);
        for (size_t k = 1; k < SAMPLED; k++) {
            ck_assert_uint_ne(to[k - 1], to[k]);
        }
    }
}
END_TEST

/* Where does an index go over many epochs? Each place as often as any other; likewise pairs of neighbours. */
START_TEST(permutations_are_uniform)
{
    enum { N = 13, EPOCHS = 26000 };
    int place[N][N] = {{0}};
    int pair[N][N] = {{0}};
    for (uint64_t epoch = 0; epoch < EPOCHS; epoch++) {
        uint64_t before = 0;
        for (uint64_t i = 0; i < N; i++) {
            uint64_t to = philox_permute(99, PHILOX_EPOCH, epoch, N, i);
            place[i][to]++;
            if (i == 1) {
                pair[before][to]++;
            }
            before = to;
        }
    }
    double statistic = 0.0;
    for (int i = 0; i < N; i++) {
        for (int j = 0; j < N; j++) {
            double expected = (double)EPOCHS / N;
            statistic += (place[i][j] - expected) * (place[i][j] - expected) / expected;
        }
    }
    ck_assert_double_lt(statistic, chi_square_bound((N - 1) * (N - 1)));
    statistic = 0.0;
    for (int i = 0; i < N; i++) {
        for (int j = 0; j < N; j++) {
            double expected = i == j ? 0.0 : (double)EPOCHS / (N * (N - 1));
            statistic += i == j ? pair[i][j] : (pair[i][j] - expected) * (pair[i][j] - expected) / expected;
        }
    }
    ck_assert_double_lt(statistic, chi_square_bound(N * (N - 1) - 1));
}
END_TEST

START_TEST(another_seed_stream_or_epoch_is_another_permutation)
{
    enum { N = 1000 };
    int same_seed = 0;
    int same_stream = 0;
    int same_epoch = 0;
    for (uint64_t i = 0; i < N; i++) {
        uint64_t to = philox_permute(1, PHILOX_USERS, 5, N, i);
        same_seed += to == philox_permute(2, PHILOX_USERS, 5, N, i);
        same_stream += to == philox_permute(1, PHILOX_EPOCH, 5, N, i);
        same_epoch += to == philox_permute(1, PHILOX_USERS, 6, N, i);
    }
    /* Two random permutations agree in one place on average, in ten practically never. */
    ck_assert_int_lt(same_seed, 10);
    ck_assert_int_lt(same_stream, 10);
    ck_assert_int_lt(same_epoch, 10);
}
END_TEST

/* ---- bounded draws ---- */

START_TEST(draws_stay_below_their_bound)
{
    const uint32_t bounds[] = {1, 2, 3, 7, 8678, 1u << 31, UINT32_MAX};
    for (size_t i = 0; i < sizeof bounds / sizeof bounds[0]; i++) {
        ck_assert_uint_eq(philox_below(0, 0, bounds[i]), 0);
        ck_assert_uint_eq(philox_below(UINT32_MAX, UINT32_MAX, bounds[i]), bounds[i] - 1);
        for (uint32_t draw = 0; draw < 1000; draw++) {
            philox_block r = philox(5, PHILOX_NEGATIVES, bounds[i], draw);
            ck_assert_uint_lt(philox_below(r.word[0], r.word[1], bounds[i]), bounds[i]);
        }
    }
}
END_TEST

/* floor(bits x bound / 2^64) in whole numbers of 128 bits. */
START_TEST(a_draw_is_the_high_part_of_the_product)
{
    for (uint32_t draw = 0; draw < 5000; draw++) {
        philox_block r = philox(17, PHILOX_PAIRS, 0, draw);
        uint32_t bound = r.word[2] | 1;
        /* Schoolbook multiplication by 16-bit digits. */
        uint32_t digits[4] = {r.word[1] & 0xffff, r.word[1] >> 16, r.word[0] & 0xffff, r.word[0] >> 16};
        uint64_t carry = 0;
        for (int i = 0; i < 4; i++) {
            carry = (uint64_t)digits[i] * bound + carry;
            carry >>= 16;
        }
        ck_assert_uint_eq(philox_below(r.word[0], r.word[1], bound), carry);
    }
}
END_TEST

START_TEST(draws_and_unit_numbers_are_uniform)
{
    enum { BOUND = 101, DRAWS = 101000 };
    int below[BOUND] = {0};
    int unit[BOUND] = {0};
    for (uint32_t draw = 0; draw < DRAWS; draw++) {
        philox_block r = philox(31, PHILOX_NEGATIVES, 1, draw);
        below[philox_below(r.word[0], r.word[1], BOUND)]++;
        float u = philox_unit(r.word[2]);
        ck_assert(u >= 0.0f && u < 1.0f);
        unit[(int)(u * BOUND)]++;
    }
    double expected = (double)DRAWS / BOUND;
    double below_statistic = 0.0;
    double unit_statistic = 0.0;
    for (int i = 0; i < BOUND; i++) {
        below_statistic += (below[i] - expected) * (below[i] - expected) / expected;
        unit_statistic += (unit[i] - expected) * (unit[i] - expected) / expected;
    }
    ck_assert_double_lt(below_statistic, chi_square_bound(BOUND - 1));
    ck_assert_double_lt(unit_statistic, chi_square_bound(BOUND - 1));
    ck_assert_float_eq(philox_unit(UINT32_MAX), 16777215.0f / 16777216.0f);
    ck_assert_float_eq(philox_unit(0), 0.0f);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("base: random numbers");
    TCase *t = tcase_create("philox");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, the_published_known_answers_come_out);
    tcase_add_test(t, every_small_n_is_permuted_onto_itself);
    tcase_add_test(t, large_n_are_permuted_without_collisions);
    tcase_add_test(t, permutations_are_uniform);
    tcase_add_test(t, another_seed_stream_or_epoch_is_another_permutation);
    tcase_add_test(t, draws_stay_below_their_bound);
    tcase_add_test(t, a_draw_is_the_high_part_of_the_product);
    tcase_add_test(t, draws_and_unit_numbers_are_uniform);
    suite_add_tcase(s, t);
    return s;
}

TEST_MAIN(suite)
