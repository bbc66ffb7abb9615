/* SPDX-License-Identifier: Apache-2.0 */
/* Pairs grouped by their first id, against counting and qsort. */
#include "files.h"

#include "base/id_groups.h"

static uint64_t state = 1;

static int32_t below(int32_t bound)
{
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (int32_t)((state >> 33) % (uint64_t)bound);
}

static int ascending(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a;
    int32_t y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

/* The groups are those of the pairs, whatever their order; within each, qsort's order. */
static void check(const int32_t *firsts, const int32_t *seconds, size_t n, int32_t groups, int32_t bound)
{
    int64_t *offsets = malloc(((size_t)groups + 1) * sizeof *offsets);
    int32_t *members = malloc((n + 1) * sizeof *members);
    int32_t *expected = malloc((n + 1) * sizeof *expected);
    memset(offsets, 0x55, ((size_t)groups + 1) * sizeof *offsets);
    OK(ids_group(&memory_default, "groups", firsts, seconds, n, groups, bound, offsets, members));
    ck_assert_int_eq(offsets[0], 0);
    ck_assert_int_eq(offsets[groups], (int64_t)n);
    for (int32_t g = 0; g < groups; g++) {
        size_t length = 0;
        for (size_t k = 0; k < n; k++) {
            if (firsts[k] == g) {
                expected[length++] = seconds[k];
            }
        }
        qsort(expected, length, sizeof *expected, ascending);
        ck_assert_int_eq(offsets[g + 1] - offsets[g], (int64_t)length);
        if (memcmp(members + offsets[g], expected, length * sizeof *expected) != 0) {
            ck_abort_msg("group %d of %d, bound %d: its %zu members are not sorted", (int)g, (int)groups, (int)bound,
                         length);
        }
    }
    free(offsets);
    free(members);
    free(expected);
}

/* Lengths on both sides of every choice the sorting makes, bounds of one to four digits, ids up to the bound itself. */
START_TEST(groups_of_every_length_are_sorted_for_every_bound)
{
    static const int32_t lengths[] = {0, 1, 2, 39, 40, 41, 42, 200, 3000};
    static const int32_t bounds[] = {1, 2, 3, 511, 512, 513, 1 << 18, (1 << 18) + 1, 1 << 27, (1 << 27) + 1, INT32_MAX};
    enum { LENGTHS = sizeof lengths / sizeof *lengths };
    static int32_t firsts[4000], seconds[4000];
    for (size_t b = 0; b < sizeof bounds / sizeof *bounds; b++) {
        size_t n = 0;
        for (int32_t g = 0; g < LENGTHS; g++) {
            for (int32_t k = 0; k < lengths[g]; k++, n++) {
                firsts[n] = g;
                seconds[n] = k == lengths[g] / 2 ? bounds[b] - 1 : k == lengths[g] - 1 ? 0 : below(bounds[b]);
            }
        }
        check(firsts, seconds, n, LENGTHS + 2, bounds[b]); /* the last two groups are empty */
        for (size_t k = n - 1; k > 0; k--) {               /* the same pairs, shuffled */
            size_t other = (size_t)below((int32_t)k + 1);
            int32_t first = firsts[k], second = seconds[k];
            firsts[k] = firsts[other], seconds[k] = seconds[other];
            firsts[other] = first, seconds[other] = second;
        }
        check(firsts, seconds, n, LENGTHS, bounds[b]);
    }
}
END_TEST

START_TEST(lists_that_ascend_or_descend_or_repeat_come_out_ascending)
{
    static int32_t firsts[900], seconds[900];
    for (int32_t k = 0; k < 900; k++) {
        firsts[k] = 2 - k / 300; /* groups from the last to the first */
        seconds[k] = k / 300 == 0 ? k % 300 : k / 300 == 1 ? 1000 - k : 7;
    }
    check(firsts, seconds, 900, 3, 1001);
}
END_TEST

START_TEST(no_pairs_are_empty_groups)
{
    check(NULL, NULL, 0, 5, 3);
    check(NULL, NULL, 0, 1, 1);
}
END_TEST

START_TEST(long_groups_need_memory_and_say_so)
{
    int32_t firsts[64] = {0}, seconds[64];
    for (int32_t k = 0; k < 64; k++) {
        seconds[k] = 63 - k;
    }
    counted_memory counts;
    memory_source source = counted_source(&counts);
    int64_t offsets[2];
    int32_t members[64];
    OK(ids_group(&source, "the lists", firsts, seconds, 64, 1, 64, offsets, members));
    ck_assert_int_eq(counts.held, 0);
    counts.fail_at = counts.asked;
    FAILS(CFD_ERROR_MEMORY, "the lists", ids_group(&source, "the lists", firsts, seconds, 64, 1, 64, offsets, members));
    ck_assert_int_eq(counts.held, 0);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("id groups");
    TCase *c = tcase_create("id groups");
    tcase_set_timeout(c, 60);
    tcase_add_test(c, groups_of_every_length_are_sorted_for_every_bound);
    tcase_add_test(c, lists_that_ascend_or_descend_or_repeat_come_out_ascending);
    tcase_add_test(c, no_pairs_are_empty_groups);
    tcase_add_test(c, long_groups_need_memory_and_say_so);
    suite_add_tcase(s, c);
    return s;
}

TEST_MAIN(suite)
