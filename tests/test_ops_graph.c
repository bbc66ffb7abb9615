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
    ops *sides[2] = {b.ref, b.cpu};
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
                OK(b.cpu->table->copy_matrix(b.cpu, from, ld_from, to, ld_to, rows[r], columns, -0.5f));
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
    OK(b->ref->table->spmm(b->ref, g, output, slots, x, ldx, expected, ldy, columns));
    OK(b->cpu->table->spmm(b->cpu, g, output, slots, x, ldx, actual, ldy, columns));
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
    OK(b.cpu->table->spmm(b.cpu, &g, ops_all_rows, NULL, x, 1, x, 1, 1));
    OK(b.cpu->table->spmm(b.cpu, &g, none, NULL, x, 1, x, 1, 1));
    OK(b.cpu->table->add_rows(b.cpu, none, x, 1, x, 1, 1));
    both_close(&b);
}
END_TEST

/* G = [[2 0 1] [0 0 0] [0 3 0]], X = [[1 10] [2 20] [3 30]]. */
START_TEST(spmm_by_hand)
{
    both b;
    if (!both_open(&b, _i, 1)) {
        return;
    }
    const int64_t offsets[] = {0, 2, 2, 3};
    const int32_t indices[] = {0, 2, 1};
    const float values[] = {2, 1, 3};
    ops_csr g = {3, 3, 3, offsets, indices, values};
    const float x[] = {1, 10, 2, 20, 3, 30};
    const float all[] = {5, 50, 0, 0, 6, 60};
    float y[6];
    ops *sides[2] = {b.ref, b.cpu};
    for (int s = 0; s < 2; s++) {
        OK(sides[s]->table->spmm(sides[s], &g, ops_all_rows, NULL, x, 2, y, 2, 2));
        ck_assert_mem_eq(y, all, sizeof all);
        /* Rows 2 and 0, where row 0 of X is x[1], row 1 is x[0] and row 2 is zero. */
        const int32_t rows[] = {2, 0};
        const int32_t count = 2;
        const int32_t slots[] = {1, 0, -1};
        ops_rows some = {rows, &count, 3};
        const float listed[] = {3, 30, 4, 40};
        OK(sides[s]->table->spmm(sides[s], &g, some, slots, x, 2, y, 2, 2));
        ck_assert_mem_eq(y, listed, sizeof listed);
    }
    both_close(&b);
}
END_TEST

START_TEST(add_rows_adds_to_the_listed_rows_alone)
{
    both b;
    if (!both_open(&b, _i, 3)) {
        return;
    }
    for (int32_t w = 0; w < WIDTHS; w++) {
        int32_t columns = widths[w];
        int64_t ldx = columns + 1;
        int64_t ldy = columns + 4;
        int32_t rows[300];
        int32_t count = 0;
        for (int32_t r = 0; r < 500 && count < 300; r++) {
            if (random_below(2)) {
                rows[count++] = r;
            }
        }
        float *x = random_floats((size_t)(count * ldx));
        float *expected = random_floats((size_t)(500 * ldy));
        float *actual = copy_floats(expected, (size_t)(500 * ldy));
        ops_rows list = {rows, &count, 300};
        OK(b.ref->table->add_rows(b.ref, list, x, ldx, expected, ldy, columns));
        OK(b.cpu->table->add_rows(b.cpu, list, x, ldx, actual, ldy, columns));
        ck_assert_mem_eq(actual, expected, (size_t)(500 * ldy) * sizeof *actual); /* one sum each: the same bits */
        free(x);
        free(expected);
        free(actual);
    }
    float y[4] = {1, 2, 3, 4};
    const float x[2] = {10, 20};
    const int32_t row = 1;
    const int32_t one = 1;
    OK(b.ref->table->add_rows(b.ref, (ops_rows){&row, &one, 1}, x, 2, y, 2, 2));
    const float sums[4] = {1, 2, 13, 24};
    ck_assert_mem_eq(y, sums, sizeof y);
    both_close(&b);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("ops: memory and graph");
    TCase *tc = tcase_create("graph");
    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, memory_is_aligned_copied_and_zeroed, 0, KERNEL_SETS);
    tcase_add_loop_test(tc, copy_matrix_scales_and_leaves_the_rest_alone, 0, KERNEL_SETS);
    tcase_add_loop_test(tc, spmm_agrees_on_every_shape, 0, KERNEL_SETS);
    tcase_add_loop_test(tc, spmm_takes_no_rows, 0, KERNEL_SETS);
    tcase_add_loop_test(tc, spmm_by_hand, 0, KERNEL_SETS);
    tcase_add_loop_test(tc, add_rows_adds_to_the_listed_rows_alone, 0, KERNEL_SETS);
    suite_add_tcase(s, tc);
    return s;
}

TEST_MAIN(suite)
