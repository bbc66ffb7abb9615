/* SPDX-License-Identifier: Apache-2.0 */
/* Products with constant features, dense and sparse: cpu against the reference. */
#include "base/half.h"
#include "ops_support.h"

/* Sums of up to 4200 products in float against double, relative to the largest entry. Rounding both factors to bfloat16
 * moves a product by up to 2^-8, leaving out low times low by 2^-16; what remains of a sum of random signs is less. */
static const double tolerances[] = {
    [OPS_PRECISION_FLOAT32] = 1e-5, [OPS_PRECISION_BF16X3] = 4e-5, [OPS_PRECISION_BF16] = 1.5e-2};

static void compare_options(both *b, const ops_feature_source *source, const ops_feature_options *options, int32_t n,
                            int64_t padding)
{
    ops_features *ref;
    ops_features *cpu;
    double tolerance = tolerances[options ? options->precision : OPS_PRECISION_FLOAT32];
    OK(b->ref->table->features_create(b->ref, source, options, &ref));
    OK(b->other->table->features_create(b->other, source, options, &cpu));
    int64_t ld = n + padding;
    size_t w_size = (size_t)source->columns * (size_t)n;
    size_t y_size = (size_t)(source->rows * ld);
    float *w = random_floats(w_size);
    float *expected = unset_floats(y_size);
    float *actual = unset_floats(y_size);
    OK(b->ref->table->project(b->ref, ref, w, n, expected, ld));
    OK(b->other->table->project(b->other, cpu, w, n, actual, ld));
    same_floats("project", expected, actual, y_size, tolerance);
    free(w);
    free(expected);
    free(actual);

    float *g = random_floats(y_size);
    expected = unset_floats(w_size);
    actual = unset_floats(w_size);
    OK(b->ref->table->project_gradient(b->ref, ref, g, ld, n, expected));
    OK(b->other->table->project_gradient(b->other, cpu, g, ld, n, actual));
    same_floats("project_gradient", expected, actual, w_size, tolerance);
    free(g);
    free(expected);
    free(actual);
    b->ref->table->features_destroy(b->ref, ref);
    b->other->table->features_destroy(b->other, cpu);
}

static void compare(both *b, const ops_feature_source *source, int32_t n, int64_t padding)
{
    compare_options(b, source, NULL, n, padding);
}

START_TEST(dense_products_agree_on_every_shape)
{
    both b;
    if (!both_open(&b, _i, 3)) {
        return;
    }
    /* rows, columns, n: one of each, below and above the sizes of blocks */
    const int32_t shapes[][3] = {{1, 1, 1},     {1, 300, 128},   {5, 1, 3},     {257, 17, 64},
                                 {700, 81, 17}, {300, 700, 100}, {513, 4200, 3}};
    for (int s = 0; s < 7; s++) {
        for (int padding = 0; padding < 8; padding += 7) {
            ops_feature_source source = {.rows = shapes[s][0], .columns = shapes[s][1], .ld = shapes[s][1] + padding};
            float *dense = random_floats((size_t)source.rows * (size_t)source.ld);
            source.dense = dense;
            compare(&b, &source, shapes[s][2], padding);
            free(dense);
        }
    }
    both_close(&b);
}
END_TEST

/* A source of any element type, made from random numbers; *floats are its numbers. */
static ops_feature_source source_of(int32_t rows, int32_t columns, int64_t ld, ops_element element, void **memory)
{
    size_t n = (size_t)rows * (size_t)ld;
    float *floats = random_floats(n);
    ops_feature_source source = {.rows = rows, .columns = columns, .dense = floats, .element = element, .ld = ld};
    *memory = floats;
    if (element != OPS_FLOAT32) {
        uint16_t *shorts = get_memory(n, sizeof *shorts);
        for (size_t i = 0; i < n; i++) {
            uint32_t bits;
            memcpy(&bits, &floats[i], sizeof bits);
            shorts[i] = element == OPS_FLOAT16 ? float_to_half(floats[i]) : (uint16_t)(bits >> 16);
        }
        free(floats);
        source.dense = *memory = shorts;
    }
    return source;
}

/* Every type that features come in, every type that they are kept in, every precision. */
START_TEST(precisions_and_storage_agree_within_their_tolerances)
{
    both b;
    if (!both_open(&b, _i, 3)) {
        return;
    }
    bool bfloat16 = b.other->table->bfloat16(b.other) != OPS_BFLOAT16_NONE;
    const int32_t shapes[][3] = {{1, 1, 1}, {5, 300, 128}, {257, 17, 64}, {700, 81, 17}, {513, 2100, 5}};
    for (int k = 0; k < 5 * 3 * 3 * 3; k++) {
        const int32_t *shape = shapes[k % 5];
        ops_element given = (ops_element)(k / 5 % 3);
        ops_feature_options options = {(ops_precision)(k / 15 % 3), (ops_element)(k / 45)};
        if (options.precision != OPS_PRECISION_FLOAT32 && !bfloat16) {
            continue;
        }
        void *memory;
        ops_feature_source source = source_of(shape[0], shape[1], shape[1] + k % 2, given, &memory);
        compare_options(&b, &source, &options, shape[2], k % 3);
        free(memory);
    }
    both_close(&b);
}
END_TEST

START_TEST(sparse_products_agree_on_every_shape)
{
    both b;
    if (!both_open(&b, _i, 3)) {
        return;
    }
    const int32_t shapes[][3] = {{1, 1, 1}, {1, 300, 128}, {200, 1, 3}, {257, 90, 64}, {90, 200, 17}};
    for (int s = 0; s < 5; s++) {
        for (int kind = 0; kind < CSR_KINDS; kind++) {
            ops_feature_source source = {.rows = shapes[s][0], .columns = shapes[s][1]};
            source.sparse = csr_make(source.rows, source.columns, kind);
            compare(&b, &source, shapes[s][2], kind);
            csr_free(&source.sparse);
        }
    }
    both_close(&b);
}
END_TEST

/* F = [[1 0 2] [0 3 0]], dense and sparse; W = [[1 2] [3 4] [5 6]]; G = [[1 1] [10 20]]. */
START_TEST(products_by_hand)
{
    both b;
    if (!both_open(&b, _i, 1)) {
        return;
    }
    const float dense[] = {1, 0, 2, 0, 3, 0};
    const int64_t offsets[] = {0, 2, 3};
    const int32_t indices[] = {0, 2, 1};
    const float values[] = {1, 2, 3};
    const float w[] = {1, 2, 3, 4, 5, 6};
    const float g[] = {1, 1, 10, 20};
    const float y[] = {11, 14, 9, 12};
    const float dw[] = {1, 1, 30, 60, 2, 2};
    ops_feature_source forms[2] = {{.rows = 2, .columns = 3, .dense = dense, .ld = 3},
                                   {.rows = 2, .columns = 3, .sparse = {2, 3, 3, offsets, indices, values}}};
    ops *sides[2] = {b.ref, b.other};
    for (int s = 0; s < 2; s++) {
        for (int k = 0; k < 2; k++) {
            ops *o = sides[s];
            ops_features *f;
            float out[6];
            OK(o->table->features_create(o, &forms[k], NULL, &f));
            OK(o->table->project(o, f, w, 2, out, 2));
            ck_assert_mem_eq(out, y, sizeof y);
            OK(o->table->project_gradient(o, f, g, 2, 2, out));
            ck_assert_mem_eq(out, dw, sizeof dw);
            o->table->features_destroy(o, f);
            o->table->features_destroy(o, NULL);
        }
    }
    both_close(&b);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("ops: features");
    TCase *tc = tcase_create("features");
    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, dense_products_agree_on_every_shape, 0, BACKENDS);
    tcase_add_loop_test(tc, precisions_and_storage_agree_within_their_tolerances, 0, BACKENDS);
    tcase_add_loop_test(tc, sparse_products_agree_on_every_shape, 0, BACKENDS);
    tcase_add_loop_test(tc, products_by_hand, 0, BACKENDS);
    suite_add_tcase(s, tc);
    return s;
}

TEST_MAIN(suite)
