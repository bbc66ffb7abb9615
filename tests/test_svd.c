/* SPDX-License-Identifier: Apache-2.0 */
/* The svd transform against matrices whose singular triplets are known, since the test puts them together. */
#include "transform_support.h"

/* ---- known triplets ---- */

/* rows x rank with orthonormal columns, by Gram and Schmidt, twice for orthogonality to rounding. */
static double *orthonormal(int32_t rows, int32_t rank, uint64_t seed)
{
    double *q = malloc(sizeof(double) * (size_t)rows * (size_t)rank);
    for (int32_t k = 0; k < rank; k++) {
        for (int32_t r = 0; r < rows; r++) {
            q[r * rank + k] = 2.0 * random_unit(&seed) - 1.0;
        }
        for (int pass = 0; pass < 2; pass++) {
            for (int32_t j = 0; j < k; j++) {
                double dot = 0.0;
                for (int32_t r = 0; r < rows; r++) {
                    dot += q[r * rank + k] * q[r * rank + j];
                }
                for (int32_t r = 0; r < rows; r++) {
                    q[r * rank + k] -= dot * q[r * rank + j];
                }
            }
        }
        double squares = 0.0;
        for (int32_t r = 0; r < rows; r++) {
            squares += q[r * rank + k] * q[r * rank + k];
        }
        for (int32_t r = 0; r < rows; r++) {
            q[r * rank + k] /= sqrt(squares);
        }
    }
    return q;
}

typedef struct known {
    matrix m;
    int32_t rank;
    double *u, *v;
    const double *s; /* rank, descending */
} known;

static known make_known(int32_t rows, int32_t columns, const double *s, int32_t rank)
{
    known k = {empty_matrix(rows, columns), rank, orthonormal(rows, rank, 3), orthonormal(columns, rank, 4), s};
    for (int32_t r = 0; r < rows; r++) {
        for (int32_t c = 0; c < columns; c++) {
            double value = 0.0;
            for (int32_t i = 0; i < rank; i++) {
                value += k.u[r * rank + i] * s[i] * k.v[c * rank + i];
            }
            k.m.values[r * columns + c] = (float)value;
        }
    }
    index_matrix(&k.m);
    return k;
}

static void free_known(known *k)
{
    free_matrix(&k->m);
    free(k->u);
    free(k->v);
}

/* What scales rows of U diag(s), `kept` columns, to mean norm 1. */
static double unit_factor(const known *k, int32_t kept)
{
    double sum = 0.0;
    for (int32_t r = 0; r < k->m.rows; r++) {
        double squares = 0.0;
        for (int32_t i = 0; i < kept && i < k->rank; i++) {
            double value = k->u[r * k->rank + i] * k->s[i];
            squares += value * value;
        }
        sum += sqrt(squares);
    }
    return k->m.rows / sum;
}

/* Column by column, up to its sign: for singular values that differ. */
static void check_columns(const known *k, const transform *t, int32_t kept, double tolerance)
{
    ck_assert_int_eq(t->features.columns, kept);
    double factor = unit_factor(k, kept);
    for (int32_t i = 0; i < kept; i++) {
        double same = 0.0;
        double opposite = 0.0;
        for (int32_t r = 0; r < k->m.rows; r++) {
            double wanted = i < k->rank ? factor * k->s[i] * k->u[r * k->rank + i] : 0.0;
            double value = ((const float *)t->features.dense)[r * t->features.ld + i];
            same = fmax(same, fabs(value - wanted));
            opposite = fmax(opposite, fabs(value + wanted));
        }
        ck_assert_msg(fmin(same, opposite) < tolerance * factor * k->s[0], "column %d is off by %g of the largest", (int)i,
                      fmin(same, opposite) / (factor * k->s[0]));
    }
}

/* Inner products of rows, which no rotation among equal singular values changes. */
static void check_products(const known *k, const transform *t, int32_t kept, double tolerance)
{
    double factor = unit_factor(k, kept);
    for (int32_t a = 0; a < k->m.rows; a++) {
        for (int32_t b = 0; b <= a; b++) {
            double wanted = 0.0;
            double value = 0.0;
            for (int32_t i = 0; i < kept; i++) {
                wanted += i < k->rank ? k->u[a * k->rank + i] * k->u[b * k->rank + i] * k->s[i] * k->s[i] : 0.0;
                value += (double)((const float *)t->features.dense)[a * t->features.ld + i] *
                         ((const float *)t->features.dense)[b * t->features.ld + i];
            }
            wanted *= factor * factor;
            ck_assert_msg(fabs(value - wanted) < tolerance, "rows %d and %d: %g, not %g", (int)a, (int)b, value, wanted);
        }
    }
}

/* ---- the triplets come out ---- */

START_TEST(the_leading_singular_vectors_times_their_values_come_out)
{
    const double s[] = {10, 8, 6, 5, 4, 3, 2, 1};
    const int32_t shapes[][2] = {{60, 25}, {25, 60}, {40, 40}, {8, 200}, {200, 8}};
    for (size_t i = 0; i < 5; i++) {
        known k = make_known(shapes[i][0], shapes[i][1], s, 8);
        const int32_t kept[] = {1, 3, 8};
        for (size_t n = 0; n < 3; n++) {
            char spec[16];
            snprintf(spec, sizeof spec, "svd:%d", (int)kept[n]);
            transform t = fit_dense(spec, k.m.values, k.m.rows, k.m.columns);
            check_columns(&k, &t, kept[n], 5e-5);
            transform_release(&t);
        }
        free_known(&k);
    }
}
END_TEST

/* Many more columns than the random block is wide, and a spectrum that decays slowly. */
START_TEST(a_block_much_smaller_than_the_matrix_finds_them_too)
{
    enum { RANK = 120 };
    double s[RANK];
    for (int i = 0; i < RANK; i++) {
        s[i] = 10.0 / (1.0 + 0.3 * i);
    }
    known k = make_known(300, 140, s, RANK);
    transform t = fit_dense("svd:12", k.m.values, k.m.rows, k.m.columns);
    check_columns(&k, &t, 12, 1e-3);
    transform_release(&t);
    free_known(&k);
}
END_TEST

/* One direction dwarfs the others, as the mean of features that are all positive does. */
START_TEST(a_dominant_direction_does_not_drown_the_others)
{
    const double s[] = {1000, 10, 8, 6, 5, 4, 3};
    known k = make_known(100, 60, s, 7);
    transform t = fit_dense("svd:7", k.m.values, k.m.rows, k.m.columns);
    check_columns(&k, &t, 7, 1e-5); /* of 1000: a hundredth of 1 */
    transform_release(&t);
    free_known(&k);
}
END_TEST

/* A spectrum that falls below the last digit of float32: what is kept is right, what is not leaves no trace in the
 * rest. */
START_TEST(a_spectrum_that_ends_in_rounding_is_found_down_to_there)
{
    double s[100];
    for (int i = 0; i < 100; i++) {
        s[i] = pow(0.8, i);
    }
    known k = make_known(300, 120, s, 100);
    const int32_t kept[] = {10, 30, 50};
    const double tolerances[] = {1e-5, 1e-5, 1e-3};
    for (size_t n = 0; n < 3; n++) {
        char spec[16];
        snprintf(spec, sizeof spec, "svd:%d", (int)kept[n]);
        transform t = fit_dense(spec, k.m.values, k.m.rows, k.m.columns);
        check_columns(&k, &t, kept[n], tolerances[n]);
        transform_release(&t);
    }
    free_known(&k);
}
END_TEST

START_TEST(equal_singular_values_give_the_right_subspace)
{
    const double s[] = {5, 5, 5, 2, 2, 1};
    known k = make_known(50, 30, s, 6);
    const int32_t kept[] = {3, 5, 6};
    for (size_t n = 0; n < 3; n++) {
        char spec[16];
        snprintf(spec, sizeof spec, "svd:%d", (int)kept[n]);
        transform t = fit_dense(spec, k.m.values, k.m.rows, k.m.columns);
        check_products(&k, &t, kept[n], 1e-4);
        transform_release(&t);
    }
    free_known(&k);
}
END_TEST

START_TEST(beyond_the_rank_columns_are_zero)
{
    const double s[] = {4, 2, 1};
    known k = make_known(40, 20, s, 3);
    const int32_t kept[] = {4, 10, 20};
    for (size_t n = 0; n < 3; n++) {
        char spec[16];
        snprintf(spec, sizeof spec, "svd:%d", (int)kept[n]);
        transform t = fit_dense(spec, k.m.values, k.m.rows, k.m.columns);
        check_columns(&k, &t, kept[n], 5e-5);
        for (int32_t c = 3; c < kept[n]; c++) {
            for (int32_t i = 0; i < 20; i++) {
                ck_assert_float_eq(t.stages[0].basis[i * kept[n] + c], 0.0f);
            }
        }
        transform_release(&t);
    }
    free_known(&k);
}
END_TEST

START_TEST(a_single_row_or_column_is_its_own_singular_vector)
{
    const float row[] = {0, 3, 4};
    const float column[] = {0, -3, 0, 1};
    transform t = fit_dense("svd:1", row, 1, 3);
    ck_assert_float_eq_tol(fabsf(((const float *)t.features.dense)[0]), 1.0f, 1e-6f);
    transform_release(&t);
    t = fit_dense("svd:1", column, 4, 1);
    /* Rows 0 and 2 are absent: the mean norm of the others, 3 and 1, becomes 1. */
    const float expected[] = {0, 1.5f, 0, -0.5f};
    float sign = ((const float *)t.features.dense)[1] > 0 ? 1.0f : -1.0f;
    for (int r = 0; r < 4; r++) {
        ck_assert_float_eq_tol(sign * ((const float *)t.features.dense)[r], expected[r], 1e-6f);
    }
    transform_release(&t);
}
END_TEST

START_TEST(rows_that_are_there_have_norm_1_on_average)
{
    matrix m = random_matrix(50, 12, 0.5);
    memset(m.values + 12 * 3, 0, 12 * sizeof(float));
    memset(m.values + 12 * 44, 0, 12 * sizeof(float));
    for (int k = 1; k <= 12; k += 11) {
        char spec[16];
        snprintf(spec, sizeof spec, "svd:%d", k);
        transform t = fit_dense(spec, m.values, m.rows, m.columns);
        double sum = 0.0;
        for (int32_t r = 0; r < 50; r++) {
            double squares = 0.0;
            for (int32_t c = 0; c < k; c++) {
                squares += (double)((const float *)t.features.dense)[r * k + c] *
                           ((const float *)t.features.dense)[r * k + c];
            }
            sum += sqrt(squares);
        }
        ck_assert_double_eq_tol(sum / 48.0, 1.0, 1e-5);
        transform_release(&t);
    }
    free_matrix(&m);
}
END_TEST

START_TEST(features_times_basis_are_the_new_features)
{
    matrix m = random_matrix(45, 16, 1.0);
    transform t = fit_dense("svd:6", m.values, m.rows, m.columns);
    ck_assert_int_eq(t.stages[0].in, 16);
    ck_assert_int_eq(t.stages[0].out, 6);
    for (int32_t r = 0; r < 45; r++) {
        for (int32_t k = 0; k < 6; k++) {
            double value = 0.0;
            for (int32_t c = 0; c < 16; c++) {
                value += (double)m.values[r * 16 + c] * t.stages[0].basis[c * 6 + k];
            }
            ck_assert_float_eq_tol(((const float *)t.features.dense)[r * 6 + k], (float)value, 2e-6f);
        }
    }
    transform_release(&t);
    free_matrix(&m);
}
END_TEST

/* ---- sparse, scale, refusals ---- */

START_TEST(sparse_features_give_what_dense_ones_give)
{
    matrix m = random_matrix(80, 50, 0.15);
    transform dense = fit_dense("l2,svd:5", m.values, m.rows, m.columns);
    ops_feature_source source = sparse_source(&m);
    transform sparse;
    OK(transform_fit(&memory_default, device(), 1, "visual", "l2,svd:5", &source, &sparse));
    check_features(&sparse, dense.features.dense, 80, 5, 1e-4f);
    transform_release(&dense);
    transform_release(&sparse);
    free_matrix(&m);
}
END_TEST

START_TEST(the_scale_of_the_features_does_not_matter)
{
    const double s[] = {5, 4, 3, 2};
    known k = make_known(30, 20, s, 4);
    const float scales[] = {1e-12f, 1e-3f, 1e6f, 1e12f};
    for (size_t i = 0; i < 4; i++) {
        matrix scaled = empty_matrix(30, 20);
        for (int n = 0; n < 600; n++) {
            scaled.values[n] = k.m.values[n] * scales[i];
        }
        transform t = fit_dense("svd:4", scaled.values, 30, 20);
        check_columns(&k, &t, 4, 5e-5);
        transform_release(&t);
        free_matrix(&scaled);
    }
    free_known(&k);
}
END_TEST

START_TEST(features_whose_products_overflow_are_refused)
{
    float huge[6 * 4];
    for (int i = 0; i < 24; i++) {
        huge[i] = (i % 5 ? 1.0f : -1.0f) * 3e38f;
    }
    ops_feature_source source = dense_source(huge, 6, 4);
    transform t;
    cfd_status status = transform_fit(&memory_default, device(), 1, "visual", "svd:2", &source, &t);
    ck_assert_int_eq(status, CFD_ERROR_NUMERIC);
    ck_assert_ptr_nonnull(strstr(cfd_last_error(), "svd"));
}
END_TEST

START_TEST(more_vectors_than_rows_or_columns_are_refused_and_the_most_named)
{
    matrix m = random_matrix(9, 14, 1.0);
    ops_feature_source wide = dense_source(m.values, 9, 14);
    ops_feature_source tall = dense_source(m.values, 14, 9);
    transform t;
    FAILS(CFD_ERROR_CONFIG, "at most svd:9", transform_fit(&memory_default, device(), 1, "visual", "svd:10", &wide, &t));
    FAILS(CFD_ERROR_CONFIG, "at most svd:9", transform_fit(&memory_default, device(), 1, "visual", "svd:10", &tall, &t));
    FAILS(CFD_ERROR_CONFIG, "at most svd:4",
          transform_fit(&memory_default, device(), 1, "visual", "svd:4,svd:5", &tall, &t));
    ck_assert_ptr_nonnull(strstr(cfd_last_error(), "transform.visual"));
    OK(transform_fit(&memory_default, device(), 1, "visual", "svd:9", &wide, &t));
    transform_release(&t);
    free_matrix(&m);
}
END_TEST

/* ---- determinism ---- */

START_TEST(the_same_seed_gives_the_same_bits_with_any_number_of_threads)
{
    const int32_t threads[] = {1, 1, 2, 3, 7};
    matrix m = random_matrix(700, 90, 0.3);
    ops_feature_source sources[] = {dense_source(m.values, m.rows, m.columns), sparse_source(&m)};
    for (int kind = 0; kind < 2; kind++) {
        float *first = NULL;
        size_t bytes = sizeof(float) * 700 * 20;
        for (size_t i = 0; i < 5; i++) {
            thread_pool *pool;
            ops *o;
            OK(threads_create(&memory_default, threads[i], &pool));
            OK(ops_create_cpu(&memory_default, pool, (log_sink){NULL, NULL}, NULL, &o));
            transform t;
            OK(transform_fit(&memory_default, o, 77, "visual", "l2,svd:20", &sources[kind], &t));
            if (!first) {
                first = malloc(bytes);
                memcpy(first, t.features.dense, bytes);
            }
            ck_assert_msg(memcmp(first, t.features.dense, bytes) == 0, "%d threads give other bits", (int)threads[i]);
            transform_release(&t);
            o->table->destroy(o);
            threads_destroy(pool);
        }
        free(first);
    }
    free_matrix(&m);
}
END_TEST

/* The random start decides nothing but rounding; nor does the backend. */
START_TEST(another_seed_and_the_reference_agree_to_rounding)
{
    const double s[] = {9, 7, 5, 4, 3, 2, 1.5, 1};
    known k = make_known(60, 40, s, 8);
    ops_feature_source source = dense_source(k.m.values, 60, 40);
    thread_pool *pool;
    ops *reference;
    OK(threads_create(&memory_default, 1, &pool));
    OK(ops_create_reference(&memory_default, pool, (log_sink){NULL, NULL}, &reference));
    transform a;
    transform b;
    transform c;
    OK(transform_fit(&memory_default, device(), 1, "visual", "svd:5", &source, &a));
    OK(transform_fit(&memory_default, device(), 2, "visual", "svd:5", &source, &b));
    OK(transform_fit(&memory_default, reference, 1, "visual", "svd:5", &source, &c));
    check_features(&b, a.features.dense, 60, 5, 5e-5f); /* signs too: they do not hang on the start */
    check_features(&c, a.features.dense, 60, 5, 5e-5f);
    transform_release(&a);
    transform_release(&b);
    transform_release(&c);
    reference->table->destroy(reference);
    threads_destroy(pool);
    free_known(&k);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("svd");
    TCase *t = tcase_create("svd");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, the_leading_singular_vectors_times_their_values_come_out);
    tcase_add_test(t, a_block_much_smaller_than_the_matrix_finds_them_too);
    tcase_add_test(t, a_dominant_direction_does_not_drown_the_others);
    tcase_add_test(t, a_spectrum_that_ends_in_rounding_is_found_down_to_there);
    tcase_add_test(t, equal_singular_values_give_the_right_subspace);
    tcase_add_test(t, beyond_the_rank_columns_are_zero);
    tcase_add_test(t, a_single_row_or_column_is_its_own_singular_vector);
    tcase_add_test(t, rows_that_are_there_have_norm_1_on_average);
    tcase_add_test(t, features_times_basis_are_the_new_features);
    tcase_add_test(t, sparse_features_give_what_dense_ones_give);
    tcase_add_test(t, the_scale_of_the_features_does_not_matter);
    tcase_add_test(t, features_whose_products_overflow_are_refused);
    tcase_add_test(t, more_vectors_than_rows_or_columns_are_refused_and_the_most_named);
    tcase_add_test(t, the_same_seed_gives_the_same_bits_with_any_number_of_threads);
    tcase_add_test(t, another_seed_and_the_reference_agree_to_rounding);
    suite_add_tcase(s, t);
    return s;
}

TEST_MAIN(suite)
