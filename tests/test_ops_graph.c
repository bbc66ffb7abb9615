/* SPDX-License-Identifier: Apache-2.0 */
/* Operations on memory and on the graph: cpu against the reference over random and awkward shapes. */
#include "ops_support.h"

static const int32_t widths[] = {1, 3, 17, 64, 100, 256, 300};
#define WIDTHS ((int32_t)(sizeof widths / sizeof *widths))

START_TEST(memory_is_aligned_copied_and_zeroed)
{
    both b;
    if (!both_open(&b, _i, 3)) {
        return;
    }
    ops *sides[2] = {b.ref, b.other};
    size_t bytes = 3 * 1024 * 1024 + 5; /* more than one block of copies */
    for (int s = 0; s < 2; s++) {
        ops *o = sides[s];
        unsigned char *from = get_memory(bytes, 1);
        unsigned char *back = get_memory(bytes, 1);
        unsigned char *first;
        unsigned char *second;
        for (size_t i = 0; i < bytes; i++) {
            from[i] = (unsigned char)(i * 31 + i / 251);
        }
        OK(o->table->allocate(o, bytes, "bytes", &first));
        OK(o->table->allocate(o, bytes, "bytes", &second));
        ck_assert_uint_eq((uintptr_t)first % 64, 0);
        OK(o->table->upload(o, first, from, bytes));
        OK(o->table->copy(o, second, first, bytes));
        OK(o->table->zero(o, first, bytes - 1));
        OK(o->table->download(o, back, second, bytes));
        OK(o->table->synchronise(o));
        ck_assert_mem_eq(back, from, bytes);
        OK(o->table->download(o, back, first, bytes));
        size_t not_zero = 0;
        for (size_t i = 0; i < bytes - 1; i++) {
            not_zero += back[i] != 0;
        }
        ck_assert_uint_eq(not_zero, 0);
        ck_assert_uint_eq(back[bytes - 1], from[bytes - 1]);
        OK(o->table->copy(o, second, first, 0));
        OK(o->table->zero(o, second, 0));
        o->table->release(o, first);
        o->table->release(o, second);
        o->table->release(o, NULL);
        free(from);
        free(back);
    }
    both_close(&b);
}
END_TEST

START_TEST(copy_matrix_scales_and_leaves_the_rest_alone)
{
    both b;
    if (!both_open(&b, _i, 3)) {
        return;
    }
    const int64_t rows[] = {0, 1, 2, 700};
    for (int r = 0; r < 4; r++) {
        for (int32_t w = 0; w < WIDTHS; w++) {
            for (int padded = 0; padded < 2; padded++) {
                int32_t columns = widths[w];
                int64_t ld_from = columns + 5 * padded;
                int64_t ld_to = columns + 2 * padded;
                float *from = random_floats((size_t)(rows[r] * ld_from));
                float *to = unset_floats((size_t)(rows[r] * ld_to));
                OK(b.other->table->copy_matrix(b.other, from, ld_from, to, ld_to, rows[r], columns, -0.5f));
                int64_t wrong = 0;
                for (int64_t i = 0; i < rows[r] * ld_to; i++) {
                    int64_t column = i % ld_to;
                    /* Halving is exact. */
                    wrong += column >= columns ? !isnan(to[i]) : to[i] != -0.5f * from[i / ld_to * ld_from + column];
                }
                ck_assert_int_eq(wrong, 0);
                free(from);
                free(to);
            }
        }
    }
    float from = 3;
    float to = 0;
    OK(b.ref->table->copy_matrix(b.ref, &from, 1, &to, 1, 1, 1, 2));
    ck_assert_float_eq(to, 6);
    both_close(&b);
}
END_TEST

/* Sums of up to 130 products in float against double: 1e-6 of the largest entry for each term that matters. */
#define SPMM_TOLERANCE 5e-6

static void compare_spmm(both *b, const ops_csr *g, ops_rows output, const int32_t *slots, int32_t x_rows, int32_t columns,
                         int64_t padding)
{
    int64_t ldx = columns + padding;
    int64_t ldy = columns + 2 * padding;
    int32_t y_rows = output.rows ? *output.count : g->rows;
    float *x = random_floats((size_t)(x_rows * ldx));
    float *expected = unset_floats((size_t)(y_rows * ldy));
    float *actual = unset_floats((size_t)(y_rows * ldy));
    OK(b->ref->table->spmm(b->ref, g, output, slots, x, ldx, expected, ldy, columns, NULL));
    OK(b->other->table->spmm(b->other, g, output, slots, x, ldx, actual, ldy, columns, NULL));
    same_floats("spmm", expected, actual, (size_t)(y_rows * ldy), SPMM_TOLERANCE);
    free(x);
    free(expected);
    free(actual);
}

START_TEST(spmm_agrees_on_every_shape)
{
    both b;
    if (!both_open(&b, _i, 3)) {
        return;
    }
    const int32_t sizes[][2] = {{1, 1}, {1, 130}, {130, 1}, {60, 130}, {300, 90}};
    for (int s = 0; s < 5; s++) {
        for (int kind = 0; kind < CSR_KINDS; kind++) {
            ops_csr g = csr_make(sizes[s][0], sizes[s][1], kind);
            int32_t *slots = get_memory((size_t)g.columns, sizeof *slots);
            int32_t compact = 0;
            for (int32_t c = 0; c < g.columns; c++) {
                slots[c] = random_below(3) == 0 ? -1 : compact++;
            }
            int32_t *rows = get_memory((size_t)g.rows, sizeof *rows);
            int32_t count = 0;
            for (int32_t r = 0; r < g.rows; r++) {
                if (random_below(3) > 0) {
                    rows[count++] = r;
                }
            }
            ops_rows some = {rows, &count, g.rows};
            for (int32_t w = 0; w < WIDTHS; w++) {
                int64_t padding = w % 2 ? 3 : 0;
                compare_spmm(&b, &g, ops_all_rows, NULL, g.columns, widths[w], padding);
                compare_spmm(&b, &g, some, NULL, g.columns, widths[w], padding);
                compare_spmm(&b, &g, ops_all_rows, slots, compact, widths[w], padding);
                compare_spmm(&b, &g, some, slots, compact, widths[w], padding);
            }
            free(slots);
            free(rows);
            csr_free(&g);
        }
    }
    both_close(&b);
}
END_TEST

START_TEST(spmm_takes_no_rows)
{
    both b;
    if (!both_open(&b, _i, 3)) {
        return;
    }
    int64_t offset = 0;
    int32_t zero = 0;
    ops_csr g = {0, 5, 0, &offset, NULL, NULL};
    ops_rows none = {&zero, &zero, 0};
    float x[5] = {0};
    OK(b.other->table->spmm(b.other, &g, ops_all_rows, NULL, x, 1, x, 1, 1, NULL));
    OK(b.other->table->spmm(b.other, &g, none, NULL, x, 1, x, 1, 1, NULL));
    both_close(&b);
}
END_TEST

/* G = [[2 0 1] [0 0 0] [0 3 0]], X = [[1 10] [2 20] [3 30]]. */
static const int64_t hand_offsets[] = {0, 2, 2, 3};
static const int32_t hand_indices[] = {0, 2, 1};
static const float hand_values[] = {2, 1, 3};
static const float hand_x[] = {1, 10, 2, 20, 3, 30};

START_TEST(spmm_by_hand)
{
    both b;
    if (!both_open(&b, _i, 1)) {
        return;
    }
    ops_csr g = {3, 3, 3, hand_offsets, hand_indices, hand_values};
    const float *x = hand_x;
    const float all[] = {5, 50, 0, 0, 6, 60};
    float y[6];
    ops *sides[2] = {b.ref, b.other};
    for (int s = 0; s < 2; s++) {
        OK(sides[s]->table->spmm(sides[s], &g, ops_all_rows, NULL, x, 2, y, 2, 2, NULL));
        ck_assert_mem_eq(y, all, sizeof all);
        /* Rows 2 and 0, where row 0 of X is x[1], row 1 is x[0] and row 2 is zero. */
        const int32_t rows[] = {2, 0};
        const int32_t count = 2;
        const int32_t slots[] = {1, 0, -1};
        ops_rows some = {rows, &count, 2};
        const float listed[] = {3, 30, 4, 40};
        OK(sides[s]->table->spmm(sides[s], &g, some, slots, x, 2, y, 2, 2, NULL));
        ck_assert_mem_eq(y, listed, sizeof listed);
    }
    both_close(&b);
}
END_TEST

/* The graph of spmm_by_hand over user 0 and items 0 and 1. The batch is (0, 0, 0) twice: user 0 appears twice, item 0 four
 * times, item 1 not at all. Columns are groups of their own, with weights 0.5 and 0. */
START_TEST(addends_by_hand)
{
    both b;
    if (!both_open(&b, _i, 1)) {
        return;
    }
    ops_csr g = {3, 3, 3, hand_offsets, hand_indices, hand_values};
    const float *x = hand_x;
    ops_batch batch = batch_make(1, 2, 2);
    batch_set(&batch, 0, 0, 0, 0);
    batch_set(&batch, 1, 0, 0, 0);
    OK(b.ref->table->batch_index(b.ref, &batch));
    const float weights[] = {0.5f, 0};
    float rows[] = {4, 7, -2, 7};
    ops *sides[2] = {b.ref, b.other};
    for (int s = 0; s < 2; s++) {
        float y[6];
        ops_addend plain = {.batch = &batch, .rows = {rows, 2, 2, false}, .group = 1, .weights = weights};
        const float once[] = {5 + 2, 50, -1, 0, 6, 60};
        OK(sides[s]->table->spmm(sides[s], &g, ops_all_rows, NULL, x, 2, y, 2, 2, &plain));
        ck_assert_mem_eq(y, once, sizeof once);

        double losses[2] = {1, 1};
        double *const into[2] = {&losses[0], &losses[1]};
        ops_addend counted = plain;
        counted.by_appearance = true;
        counted.losses = into;
        const float times[] = {5 + 2 * 2, 50, -1 * 4, 0, 6, 60};
        OK(sides[s]->table->spmm(sides[s], &g, ops_all_rows, NULL, x, 2, y, 2, 2, &counted));
        ck_assert_mem_eq(y, times, sizeof times);
        ck_assert_double_eq(losses[0], 1 + (2 * 16 + 4 * 4) / 2.0);
        ck_assert_double_eq(losses[1], 1); /* of weight 0: not looked at */
    }
    batch_free(&batch);
    both_close(&b);
}
END_TEST

/* Widths of several vectors and of none; rows by node and compact; results that go past the caches and that do not. */
START_TEST(addends_agree_on_every_shape)
{
    both b;
    if (!both_open(&b, _i, 3)) {
        return;
    }
    const int32_t shapes[][3] = {{1, 1, 0},   {6, 2, 1},   {64, 1, 0},
                                 {128, 2, 1}, {256, 4, 0}, {24, 8, 1}}; /* width, groups, by node */
    enum { USERS = 300, ITEMS = 250, NODES = USERS + ITEMS };
    ops_batch batch = batch_random(&b, USERS, ITEMS, 120);
    const float weights[8] = {0.5f, 0, 2, 1, -1, 3, 0.25f, 0};
    for (int k = 0; k < 12; k++) {
        int32_t width = shapes[k / 2][0];
        int32_t groups = shapes[k / 2][1];
        bool by_node = shapes[k / 2][2];
        ops_csr g = csr_make(NODES, NODES, CSR_SKEWED);
        int32_t padding = k % 2 ? 0 : 5;
        float *x = random_floats((size_t)NODES * (size_t)width);
        float *rows = random_floats((size_t)NODES * (size_t)(width + padding));
        size_t size = (size_t)NODES * (size_t)(width + padding);
        float *expected = unset_floats(size);
        float *actual = unset_floats(size);
        double losses[2][8] = {{0}};
        for (int s = 0; s < 2; s++) {
            double *into[8];
            for (int i = 0; i < 8; i++) {
                into[i] = &losses[s][i];
            }
            ops_addend add = {&batch,    {rows, width + padding, width, by_node},
                              k % 3 > 0, width / groups,
                              weights,   k % 4 > 0 ? into : NULL};
            ops *o = s ? b.other : b.ref;
            OK(o->table->spmm(o, &g, ops_all_rows, NULL, x, width, s ? actual : expected, width + padding, width, &add));
        }
        same_floats("spmm with an addend", expected, actual, size, SPMM_TOLERANCE);
        for (int i = 0; i < 8; i++) {
            near(losses[0][i], losses[1][i], 1e-9 * (1 + losses[0][i]));
            ck_assert(k % 4 == 0 || i >= groups || weights[i] == 0 || losses[0][i] > 0);
        }
        csr_free(&g);
        free(x);
        free(rows);
        free(expected);
        free(actual);
    }
    batch_free(&batch);
    both_close(&b);
}
END_TEST

/* 17,000 rows of 128 columns are more than a processor's caches hold, and are written past them. */
START_TEST(large_results_agree)
{
    both b;
    if (!both_open(&b, _i, 3)) {
        return;
    }
    enum { LARGE = 17000 };
    const float weights[] = {0.5f};
    int64_t *offsets = get_memory(LARGE + 1, sizeof *offsets);
    int32_t *indices = get_memory(LARGE, sizeof *indices);
    for (int32_t r = 0; r <= LARGE; r++) {
        offsets[r] = r;
    }
    for (int32_t r = 0; r < LARGE; r++) {
        indices[r] = (int32_t)((int64_t)r * 7919 % LARGE);
    }
    float *values = random_floats(LARGE);
    ops_csr g = {LARGE, LARGE, LARGE, offsets, indices, values};
    ops_batch batch = batch_random(&b, 9000, LARGE - 9000, 500);
    size_t size = (size_t)LARGE * 128;
    float *x = random_floats(size);
    float *expected;
    float *actual;
    float *wide_result;
    OK(b.other->table->allocate(b.other, size * sizeof *actual, "a result", &actual));
    OK(b.other->table->allocate(b.other, size * sizeof *actual, "a result", &expected));
    ops_addend add = {&batch, {x, 128, 128, true}, true, 128, weights, NULL};
    OK(b.ref->table->spmm(b.ref, &g, ops_all_rows, NULL, x, 128, expected, 128, 128, &add));
    OK(b.other->table->spmm(b.other, &g, ops_all_rows, NULL, x, 128, actual, 128, 128, &add));
    same_floats("spmm past the caches", expected, actual, size, SPMM_TOLERANCE);
    /* The same X four times side by side is so large that it is fetched ahead. */
    float *wide = random_floats(4 * size);
    for (size_t i = 0; i < size; i++) {
        wide[i / 128 * 512 + 256 + i % 128] = x[i];
    }
    OK(b.other->table->allocate(b.other, 4 * size * sizeof *actual, "a result", &wide_result));
    OK(b.other->table->spmm(b.other, &g, ops_all_rows, NULL, wide, 512, wide_result, 512, 512, NULL));
    OK(b.other->table->spmm(b.other, &g, ops_all_rows, NULL, x, 128, actual, 128, 128, NULL));
    size_t wrong = 0;
    for (size_t i = 0; i < size; i++) {
        wrong += wide_result[i / 128 * 512 + 256 + i % 128] != actual[i];
    }
    ck_assert_uint_eq(wrong, 0);
    b.other->table->release(b.other, wide_result);
    free(wide);
    b.other->table->release(b.other, expected);
    b.other->table->release(b.other, actual);
    batch_free(&batch);
    csr_free(&g);
    free(x);
    both_close(&b);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("ops: memory and graph");
    TCase *tc = tcase_create("graph");
    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, memory_is_aligned_copied_and_zeroed, 0, BACKENDS);
    tcase_add_loop_test(tc, copy_matrix_scales_and_leaves_the_rest_alone, 0, BACKENDS);
    tcase_add_loop_test(tc, spmm_agrees_on_every_shape, 0, BACKENDS);
    tcase_add_loop_test(tc, spmm_takes_no_rows, 0, BACKENDS);
    tcase_add_loop_test(tc, spmm_by_hand, 0, BACKENDS);
    tcase_add_loop_test(tc, addends_by_hand, 0, BACKENDS);
    tcase_add_loop_test(tc, addends_agree_on_every_shape, 0, BACKENDS);
    tcase_add_loop_test(tc, large_results_agree, 0, CPU_SETS);
    suite_add_tcase(s, tc);
    return s;
}

TEST_MAIN(suite)
