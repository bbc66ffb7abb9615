/* SPDX-License-Identifier: Apache-2.0 */
/* Eigenvalues of symmetric matrices: A v = lambda v and orthonormal v on every kind of spectrum, and spectra known in closed
 * form. */
#include "test.h"

#include "base/memory.h"
#include "ops/eigen.h"

static uint64_t state;

/* In [-1, 1). */
static double draw(void)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (double)(state >> 11) / 4503599627370496.0 - 1.0;
}

typedef double (*entry)(int32_t n, int32_t i, int32_t j); /* i <= j */

static double any(int32_t n, int32_t i, int32_t j)
{
    return draw();
}

static double zero(int32_t n, int32_t i, int32_t j)
{
    return 0.0;
}

static double identity(int32_t n, int32_t i, int32_t j)
{
    return i == j;
}

static double almost_identity(int32_t n, int32_t i, int32_t j)
{
    return (i == j) + 1e-14 * draw();
}

static double rank_one(int32_t n, int32_t i, int32_t j)
{
    return (1.0 + i) * (1.0 + j);
}

static double blocks(int32_t n, int32_t i, int32_t j)
{
    return i / 4 == j / 4 ? 1.0 : 0.0; /* each block of ones has eigenvalues 4, 0, 0, 0 */
}

static double graded(int32_t n, int32_t i, int32_t j)
{
    return draw() * pow(10.0, -(double)(i + j) / 4.0);
}

static double huge(int32_t n, int32_t i, int32_t j)
{
    return 1e75 * draw();
}

static double tiny(int32_t n, int32_t i, int32_t j)
{
    return 1e-75 * draw();
}

static double path(int32_t n, int32_t i, int32_t j)
{
    return i == j ? 2.0 : j == i + 1 ? -1.0 : 0.0; /* eigenvalues 2 - 2 cos(k pi / (n + 1)), k = 1 .. n */
}

typedef struct solved {
    int32_t n;
    double *matrix, *vectors, *values, *work;
} solved;

static solved solve(int32_t n, entry of)
{
    size_t doubles;
    solved s = {.n = n};
    size_t size = (size_t)n * (size_t)n;
    OK(eigen_workspace(n, &doubles));
    ck_assert_uint_ge(doubles, 2 * size);
    s.matrix = malloc(size * sizeof *s.matrix);
    s.vectors = malloc(size * sizeof *s.vectors);
    s.values = malloc((size_t)n * sizeof *s.values);
    s.work = malloc(doubles * sizeof *s.work);
    ck_assert(s.matrix && s.vectors && s.values && s.work);
    for (int32_t i = 0; i < n; i++) {
        for (int32_t j = i; j < n; j++) {
            s.matrix[i * n + j] = s.matrix[j * n + i] = of(n, i, j);
        }
    }
    memcpy(s.vectors, s.matrix, size * sizeof *s.vectors);
    ck_assert(eigen_symmetric(n, s.vectors, s.values, s.work));
    return s;
}

static void release(solved *s)
{
    free(s->matrix);
    free(s->vectors);
    free(s->values);
    free(s->work);
}

/* Both to 1e-13 of the largest eigenvalue, and n rounding errors. */
static void check(const solved *s)
{
    int32_t n = s->n;
    double largest = fmax(fabs(s->values[0]), fabs(s->values[n - 1]));
    double tolerance = 1e-13 * sqrt((double)n);
    for (int32_t k = 0; k < n; k++) {
        const double *v = s->vectors + (size_t)k * (size_t)n;
        ck_assert_msg(k == 0 || s->values[k - 1] <= s->values[k], "eigenvalue %d of %d does not ascend", k, n);
        for (int32_t i = 0; i < n; i++) {
            double image = 0.0;
            for (int32_t j = 0; j < n; j++) {
                image += s->matrix[i * n + j] * v[j];
            }
            double residual = fabs(image - s->values[k] * v[i]);
            ck_assert_msg(residual <= tolerance * largest, "n %d, eigenvalue %d: residual %g", n, k, residual / largest);
        }
        for (int32_t l = 0; l <= k; l++) {
            double product = 0.0;
            for (int32_t j = 0; j < n; j++) {
                product += v[j] * s->vectors[(size_t)l * (size_t)n + (size_t)j];
            }
            ck_assert_msg(fabs(product - (k == l)) <= tolerance, "n %d: vectors %d and %d: %g", n, k, l, product);
        }
    }
}

static const entry spectra[] = {any, zero, identity, almost_identity, rank_one, blocks, graded, huge, tiny, path};

START_TEST(every_spectrum_is_solved_to_rounding)
{
    static const int32_t sizes[] = {1, 2, 3, 4, 17, 64, 150};
    state = (uint64_t)_i + 1;
    for (size_t k = 0; k < sizeof sizes / sizeof sizes[0]; k++) {
        solved s = solve(sizes[k], spectra[_i]);
        check(&s);
        release(&s);
    }
}
END_TEST

START_TEST(a_path_has_its_known_eigenvalues)
{
    int32_t n = 200;
    solved s = solve(n, path);
    for (int32_t k = 0; k < n; k++) {
        ck_assert_double_eq_tol(s.values[k], 2.0 - 2.0 * cos((k + 1) * acos(-1.0) / (n + 1)), 1e-13);
    }
    release(&s);
}
END_TEST

START_TEST(blocks_of_ones_have_eigenvalues_four_and_zero)
{
    solved s = solve(64, blocks);
    for (int32_t k = 0; k < 64; k++) {
        ck_assert_double_eq_tol(s.values[k], k < 48 ? 0.0 : 4.0, 1e-14);
    }
    release(&s);
}
END_TEST

START_TEST(a_size_below_one_is_refused)
{
    size_t doubles = 7;
    FAILS(CFD_ERROR_ARGUMENT, "0 x 0", eigen_workspace(0, &doubles));
    ck_assert_uint_eq(doubles, 7);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("eigen");
    TCase *tc = tcase_create("eigen");
    tcase_add_loop_test(tc, every_spectrum_is_solved_to_rounding, 0, (int)(sizeof spectra / sizeof spectra[0]));
    tcase_add_test(tc, a_path_has_its_known_eigenvalues);
    tcase_add_test(tc, blocks_of_ones_have_eigenvalues_four_and_zero);
    tcase_add_test(tc, a_size_below_one_is_refused);
    suite_add_tcase(s, tc);
    return s;
}

TEST_MAIN(suite)
