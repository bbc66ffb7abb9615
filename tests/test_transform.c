/* SPDX-License-Identifier: Apache-2.0 */
/* Feature transforms: each stage by hand, their order, rows that are absent, and the stored numbers applied to new
 * rows. (svd has a suite of its own.) */
#include "transform_support.h"

/* ---- center, standardize, l2 by hand ---- */

START_TEST(center_subtracts_the_mean_of_the_rows_that_are_there)
{
    /* Columns' means over rows 0, 1, 3: (1 + 2 + 6) / 3 = 3 and (0 + 5 + 1) / 3 = 2. Row 2 is absent. */
    const float features[] = {1, 0, 2, 5, 0, 0, 6, 1};
    const float expected[] = {-2, -2, -1, 3, 0, 0, 3, -1};
    transform t = fit_dense("center", features, 4, 2);
    check_features(&t, expected, 4, 2, 0.0f);
    ck_assert_int_eq(t.n_stages, 1);
    ck_assert_float_eq(t.stages[0].mean[0], 3.0f);
    ck_assert_float_eq(t.stages[0].mean[1], 2.0f);
    transform_release(&t);
}
END_TEST

START_TEST(standardize_gives_each_column_mean_0_and_deviation_1)
{
    /* Column 0: 2, 4, 6: mean 4, variance 8/3. Column 1: constant. Column 2: -1, 0, 1: variance 2/3. Row 1 is absent.
     */
    const float features[] = {2, 7, -1, 0, 0, 0, 4, 7, 0, 6, 7, 1};
    float a = 2.0f / sqrtf(8.0f / 3.0f);
    float b = 1.0f / sqrtf(2.0f / 3.0f);
    const float expected[] = {-a, 0, -b, 0, 0, 0, 0, 0, 0, a, 0, b};
    transform t = fit_dense("standardize", features, 4, 3);
    check_features(&t, expected, 4, 3, 1e-6f);
    ck_assert_float_eq(t.stages[0].scale[1], 0.0f);
    ck_assert_float_eq_tol(t.stages[0].scale[0], 1.0f / sqrtf(8.0f / 3.0f), 1e-7f);
    transform_release(&t);
}
END_TEST

/* 0.1 is not a float: its mean over many rows differs from it by rounding, which is no deviation. */
START_TEST(a_constant_column_is_zero_after_standardize_whatever_its_rounding)
{
    float features[2 * 97];
    for (int r = 0; r < 97; r++) {
        features[2 * r] = 0.1f;
        features[2 * r + 1] = (float)r;
    }
    transform t = fit_dense("standardize", features, 97, 2);
    for (int r = 0; r < 97; r++) {
        ck_assert_float_eq(((const float *)t.features.dense)[2 * r], 0.0f);
    }
    transform_release(&t);
}
END_TEST

START_TEST(tiny_and_huge_columns_stay_finite)
{
    float features[4 * 3];
    for (int r = 0; r < 4; r++) {
        features[3 * r] = (float)(r + 1) * 1e-42f; /* below the normal range: no reciprocal in float32 */
        features[3 * r + 1] = (r % 2 ? 1.0f : -1.0f) * 1e30f;
        features[3 * r + 2] = (float)r * 1e-30f;
    }
    transform t = fit_dense("standardize,l2", features, 4, 3);
    for (int i = 0; i < 12; i++) {
        ck_assert_msg(isfinite(((const float *)t.features.dense)[i]), "number %d is not finite", i);
    }
    transform_release(&t);
}
END_TEST

START_TEST(l2_scales_dense_rows_to_norm_1)
{
    const float features[] = {3, 4, 0, 0, -2, 0, 1e-20f, 1e-20f};
    float h = sqrtf(0.5f);
    const float expected[] = {0.6f, 0.8f, 0, 0, -1, 0, h, h};
    transform t = fit_dense("l2", features, 4, 2);
    check_features(&t, expected, 4, 2, 1e-7f);
    transform_release(&t);
}
END_TEST

START_TEST(l2_scales_sparse_rows_and_leaves_the_callers_values_alone)
{
    const int64_t offsets[] = {0, 2, 2, 3};
    const int32_t columns[] = {0, 4, 2};
    const float values[] = {3, 4, -5};
    ops_feature_source features = {.rows = 3, .columns = 5, .sparse = {3, 5, 3, offsets, columns, values}};
    transform t;
    OK(transform_fit(&memory_default, device(), 1, "tags", "l2", &features, &t));
    ck_assert_ptr_null(t.features.dense);
    ck_assert_int_eq(t.features.sparse.nonzeros, 3);
    ck_assert_float_eq_tol(t.features.sparse.values[0], 0.6f, 1e-7f);
    ck_assert_float_eq_tol(t.features.sparse.values[1], 0.8f, 1e-7f);
    ck_assert_float_eq_tol(t.features.sparse.values[2], -1.0f, 1e-7f);
    ck_assert_int_eq(t.features.sparse.indices[1], 4);
    ck_assert_float_eq(values[0], 3.0f);
    transform_release(&t);
}
END_TEST

START_TEST(none_hands_on_the_callers_own_memory)
{
    const float features[] = {1, 2, 3, 4};
    transform t = fit_dense("none", features, 2, 2);
    ck_assert_ptr_eq(t.features.dense, features);
    ck_assert_int_eq(t.n_stages, 0);
    transform_release(&t);
    t = fit_dense("none,none", features, 2, 2);
    ck_assert_ptr_eq(t.features.dense, features);
    transform_release(&t);
    transform_release(&t); /* twice does no harm */
}
END_TEST

START_TEST(rows_may_stand_further_apart_than_they_are_wide)
{
    const float padded[] = {1, 2, 99, 3, 4, 99, 8, 0, 99};
    const float tight[] = {1, 2, 3, 4, 8, 0};
    const char *const specs[] = {"none", "center", "standardize", "l2", "svd:2"};
    for (size_t i = 0; i < 5; i++) {
        ops_feature_source features = {.rows = 3, .columns = 2, .dense = padded, .ld = 3};
        transform a;
        OK(transform_fit(&memory_default, device(), 1, "visual", specs[i], &features, &a));
        transform b = fit_dense(specs[i], tight, 3, 2);
        for (int r = 0; r < 3; r++) {
            for (int c = 0; c < 2; c++) {
                ck_assert_float_eq(((const float *)a.features.dense)[r * a.features.ld + c],
                                   ((const float *)b.features.dense)[r * 2 + c]);
            }
        }
        transform_release(&a);
        transform_release(&b);
    }
}
END_TEST

/* ---- what sparse features do not take ---- */

START_TEST(centering_sparse_features_is_refused_and_the_way_out_named)
{
    matrix m = random_matrix(12, 8, 0.4);
    ops_feature_source sparse = sparse_source(&m);
    transform t;
    const char *const specs[] = {"center", "standardize", "l2,center"};
    for (size_t i = 0; i < 3; i++) {
        FAILS(CFD_ERROR_CONFIG, "put svd:K before it",
              transform_fit(&memory_default, device(), 1, "tags", specs[i], &sparse, &t));
        ck_assert_ptr_nonnull(strstr(cfd_last_error(), "transform.tags"));
    }
    OK(transform_fit(&memory_default, device(), 1, "tags", "svd:3,center", &sparse, &t));
    ck_assert_int_eq(t.features.columns, 3);
    transform_release(&t);
    free_matrix(&m);
}
END_TEST

/* ---- order ---- */

START_TEST(stages_are_applied_in_the_order_given)
{
    matrix m = random_matrix(20, 6, 1.0);
    const char *const lists[][4] = {{"center", "l2", NULL},
                                    {"l2", "center", NULL},
                                    {"standardize", "l2", "center", NULL},
                                    {"l2", "svd:3", "standardize", NULL}};
    for (size_t i = 0; i < 4; i++) {
        char spec[64] = "";
        ops_feature_source step = dense_source(m.values, m.rows, m.columns);
        transform steps[3] = {{0}};
        size_t n = 0;
        for (; lists[i][n]; n++) { /* one fit after the other */
            snprintf(spec + strlen(spec), sizeof spec - strlen(spec), "%s%s", n ? "," : "", lists[i][n]);
            OK(transform_fit(&memory_default, device(), 5, "visual", lists[i][n], &step, &steps[n]));
            step = steps[n].features;
        }
        transform whole;
        ops_feature_source source = dense_source(m.values, m.rows, m.columns);
        OK(transform_fit(&memory_default, device(), 5, "visual", spec, &source, &whole));
        ck_assert_int_eq(whole.n_stages, (int)n);
        ck_assert_int_eq(whole.features.columns, step.columns);
        ck_assert_mem_eq(whole.features.dense, step.dense, sizeof(float) * (size_t)m.rows * (size_t)step.columns);
        transform_release(&whole);
        for (size_t k = 0; k < n; k++) {
            transform_release(&steps[k]);
        }
    }
    transform a = fit_dense("center,l2", m.values, m.rows, m.columns);
    transform b = fit_dense("l2,center", m.values, m.rows, m.columns);
    ck_assert(memcmp(a.features.dense, b.features.dense, sizeof(float) * 120) != 0);
    transform_release(&a);
    transform_release(&b);
    free_matrix(&m);
}
END_TEST

START_TEST(more_stages_than_a_model_stores_are_refused)
{
    const float features[] = {1, 2, 3, 4};
    ops_feature_source source = dense_source(features, 2, 2);
    transform t = fit_dense("l2,l2,l2,l2,l2,l2,l2,l2", features, 2, 2);
    ck_assert_int_eq(t.n_stages, 8);
    transform_release(&t);
    FAILS(CFD_ERROR_CONFIG, "more than 8 stages",
          transform_fit(&memory_default, device(), 1, "visual", "l2,l2,l2,l2,l2,l2,l2,l2,l2", &source, &t));
}
END_TEST

/* ---- rows that are absent ---- */

START_TEST(absent_rows_stay_zero_through_every_stage)
{
    const char *const specs[] = {"center", "standardize", "l2", "svd:3", "center,l2,svd:4,standardize,center"};
    matrix m = random_matrix(30, 6, 1.0);
    memset(m.values + 4 * 6, 0, 6 * sizeof(float));
    memset(m.values + 29 * 6, 0, 6 * sizeof(float));
    for (size_t i = 0; i < 5; i++) {
        transform t = fit_dense(specs[i], m.values, m.rows, m.columns);
        for (int32_t c = 0; c < t.features.columns; c++) {
            ck_assert_float_eq(((const float *)t.features.dense)[4 * t.features.ld + c], 0.0f);
            ck_assert_float_eq(((const float *)t.features.dense)[29 * t.features.ld + c], 0.0f);
        }
        transform_release(&t);
    }
    /* And they count for nothing: without them the rest comes out the same. */
    transform with = fit_dense("center,standardize,l2", m.values, m.rows, m.columns);
    memmove(m.values + 4 * 6, m.values + 5 * 6, 24 * 6 * sizeof(float));
    transform without = fit_dense("center,standardize,l2", m.values, 28, m.columns);
    ck_assert_mem_eq(with.features.dense, without.features.dense, 4 * 6 * sizeof(float));
    ck_assert_mem_eq((const float *)with.features.dense + 5 * 6, (const float *)without.features.dense + 4 * 6,
                     24 * 6 * sizeof(float));
    transform_release(&with);
    transform_release(&without);
    free_matrix(&m);
}
END_TEST

START_TEST(features_without_any_content_stay_as_they_are)
{
    const char *const specs[] = {"center", "standardize", "l2", "svd:3", "center,standardize,l2,svd:2"};
    float zeroes[5 * 4] = {0};
    for (size_t i = 0; i < 5; i++) {
        transform t = fit_dense(specs[i], zeroes, 5, 4);
        for (int32_t k = 0; k < 5 * t.features.columns; k++) {
            ck_assert_float_eq(((const float *)t.features.dense)[k], 0.0f);
        }
        transform_release(&t);
    }
}
END_TEST

/* ---- new rows ---- */

/* The stored numbers, applied by plain loops to the rows that were fitted, give the transformed features: so they do
 * for an item that comes later. */
START_TEST(stored_numbers_transform_a_row_as_the_fit_did)
{
    const char *const specs[] = {
        "center", "standardize", "l2", "svd:4", "center,l2,svd:5,standardize", "standardize,svd:3,l2"};
    matrix m = random_matrix(40, 9, 1.0);
    memset(m.values + 7 * 9, 0, 9 * sizeof(float));
    for (size_t i = 0; i < 6; i++) {
        transform t = fit_dense(specs[i], m.values, m.rows, m.columns);
        for (int32_t r = 0; r < m.rows; r++) {
            float row[9];
            memcpy(row, m.values + r * 9, sizeof row);
            int32_t columns = apply_stored(&t, row);
            ck_assert_int_eq(columns, t.features.columns);
            for (int32_t c = 0; c < columns; c++) {
                ck_assert_float_eq_tol(row[c], ((const float *)t.features.dense)[r * t.features.ld + c], 2e-5f);
            }
        }
        transform_release(&t);
    }
    free_matrix(&m);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("transform");
    TCase *t = tcase_create("stages");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, center_subtracts_the_mean_of_the_rows_that_are_there);
    tcase_add_test(t, standardize_gives_each_column_mean_0_and_deviation_1);
    tcase_add_test(t, a_constant_column_is_zero_after_standardize_whatever_its_rounding);
    tcase_add_test(t, tiny_and_huge_columns_stay_finite);
    tcase_add_test(t, l2_scales_dense_rows_to_norm_1);
    tcase_add_test(t, l2_scales_sparse_rows_and_leaves_the_callers_values_alone);
    tcase_add_test(t, none_hands_on_the_callers_own_memory);
    tcase_add_test(t, rows_may_stand_further_apart_than_they_are_wide);
    tcase_add_test(t, centering_sparse_features_is_refused_and_the_way_out_named);
    tcase_add_test(t, stages_are_applied_in_the_order_given);
    tcase_add_test(t, more_stages_than_a_model_stores_are_refused);
    tcase_add_test(t, absent_rows_stay_zero_through_every_stage);
    tcase_add_test(t, features_without_any_content_stay_as_they_are);
    tcase_add_test(t, stored_numbers_transform_a_row_as_the_fit_did);
    suite_add_tcase(s, t);
    return s;
}

TEST_MAIN(suite)
