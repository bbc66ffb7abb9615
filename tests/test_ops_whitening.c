/* SPDX-License-Identifier: Apache-2.0 */
/* Whitening's operations: by hand, cpu against the reference, the gradient against finite differences. */
#include "ops_support.h"

/* Sums of up to 3000 products in float against double, relative to the largest entry. */
#define MOMENT_TOLERANCE 1e-5
/* Both compute in double; only the rounding of the result differs. Eigenvectors are compared by what they rebuild. */
#define ROOT_TOLERANCE 2e-6
/* The gradient starts from eigenvectors in float, whose error its factors enlarge. */
#define ROOT_GRADIENT_TOLERANCE 2e-6

START_TEST(moments_and_products_agree_on_every_shape)
{
    both b;
    if (!both_open(&b, _i, 3)) {
        return;
    }
    /* rows, d, heads */
    const int32_t shapes[][3] = {{0, 3, 2}, {1, 1, 1}, {3000, 1, 3}, {700, 17, 3}, {1000, 64, 4}, {257, 100, 1}, {90, 3, 5}};
    for (int s = 0; s < 7; s++) {
        for (int64_t padding = 0; padding < 4; padding += 3) {
            int64_t rows = shapes[s][0];
            int32_t d = shapes[s][1];
            int32_t heads = shapes[s][2];
            int64_t ld = (int64_t)d * heads + padding;
            size_t size = (size_t)(rows * ld);
            size_t matrices = (size_t)d * (size_t)d * (size_t)heads;
            float *x = random_floats(size);
            float *y = random_floats(size);
            float *expected = unset_floats(matrices);
            float *actual = unset_floats(matrices);
            OK(b.ref->table->cross_moment(b.ref, x, ld, y, ld, rows, d, heads, 0.25, expected));
            OK(b.other->table->cross_moment(b.other, x, ld, y, ld, rows, d, heads, 0.25, actual));
            same_floats("cross_moment", expected, actual, matrices, MOMENT_TOLERANCE);
            for (int add = 0; add < 2; add++) {
                float *into_ref = add ? copy_floats(y, size) : unset_floats(size);
                float *into_cpu = copy_floats(into_ref, size);
                OK(b.ref->table->multiply_right(b.ref, x, ld, expected, rows, d, heads, -1.5f, add, into_ref, ld));
                OK(b.other->table->multiply_right(b.other, x, ld, expected, rows, d, heads, -1.5f, add, into_cpu, ld));
                same_floats("multiply_right", into_ref, into_cpu, size, MOMENT_TOLERANCE);
                free(into_ref);
                free(into_cpu);
            }
            free(x);
            free(y);
            free(expected);
            free(actual);
        }
    }
    both_close(&b);
}
END_TEST

/* A = [[1 2] [3 4]], B = [[1 0] [1 1]], as two heads of width 1 and as one of width 2. */
START_TEST(moments_by_hand)
{
    both b;
    if (!both_open(&b, _i, 1)) {
        return;
    }
    const float a[] = {1, 2, 3, 4};
    const float c[] = {1, 0, 1, 1};
    const float whole[] = {8, 6, 12, 8}; /* 2 A^T B = 2 [[1+3 3] [2+4 4]] */
    const float heads[] = {8, 8};        /* 2 (1*1 + 3*1), 2 (2*0 + 4*1) */
    ops *sides[2] = {b.ref, b.other};
    for (int s = 0; s < 2; s++) {
        float out[4];
        OK(sides[s]->table->cross_moment(sides[s], a, 2, c, 2, 2, 2, 1, 2, out));
        ck_assert_mem_eq(out, whole, sizeof whole);
        OK(sides[s]->table->cross_moment(sides[s], a, 2, c, 2, 2, 1, 2, 2, out));
        ck_assert_mem_eq(out, heads, sizeof heads);
        /* A [[8 6] [12 8]] = [[32 22] [72 50]], times 1.5, added to [[1 1] [-1 0]] */
        float y[] = {1, 1, -1, 0};
        OK(sides[s]->table->multiply_right(sides[s], a, 2, whole, 2, 2, 1, 1.5f, true, y, 2));
        const float sums[] = {49, 34, 107, 75};
        ck_assert_mem_eq(y, sums, sizeof sums);
    }
    both_close(&b);
}
END_TEST

/* A symmetric matrix with the given eigenvalues, turned by random reflections. */
static void matrix_with(const double *eigenvalues, int32_t d, float *c)
{
    double *m = get_memory((size_t)d * (size_t)d, sizeof *m);
    double *v = get_memory((size_t)d, sizeof *v);
    for (int32_t i = 0; i < d; i++) {
        for (int32_t j = 0; j < d; j++) {
            m[i * d + j] = i == j ? eigenvalues[i] : 0;
        }
    }
    for (int turn = 0; turn < 3; turn++) {
        double norm = 0;
        for (int32_t i = 0; i < d; i++) {
            v[i] = random_float();
            norm += v[i] * v[i];
        }
        /* H M H with H = 1 - 2 v v^T / |v|^2 */
        for (int side = 0; side < 2; side++) {
            for (int32_t i = 0; i < d; i++) {
                double along = 0;
                for (int32_t j = 0; j < d; j++) {
                    along += v[j] * (side ? m[j * d + i] : m[i * d + j]);
                }
                for (int32_t j = 0; j < d; j++) {
                    double *entry = side ? &m[j * d + i] : &m[i * d + j];
                    *entry -= 2 * along * v[j] / norm;
                }
            }
        }
    }
    for (int32_t i = 0; i < d; i++) {
        for (int32_t j = 0; j < d; j++) {
            c[i * d + j] = (float)(0.5 * (m[i * d + j] + m[j * d + i]));
        }
    }
    free(m);
    free(v);
}

enum spectrum { SPREAD, EQUAL, PAIRS, RANK_ONE, ZERO, SPECTRA };

static void spectrum_of(enum spectrum kind, int32_t d, double *s)
{
    for (int32_t i = 0; i < d; i++) {
        s[i] = kind == SPREAD     ? 0.5 + 2.0 * i / d
               : kind == EQUAL    ? 1.5
               : kind == PAIRS    ? 0.5 + i / 2
               : kind == RANK_ONE ? (i == 0 ? 3.0 : 0.0)
                                  : 0.0;
    }
}

/* q diag(r^2) q^T is C + epsilon, q^T q is the identity. */
static void check_eigenvectors(const float *c, const float *q, const float *r, int32_t d, double epsilon)
{
    double largest = 0;
    double worst = 0;
    for (int32_t i = 0; i < d; i++) {
        for (int32_t j = 0; j < d; j++) {
            double rebuilt = 0;
            double inner = 0;
            for (int32_t k = 0; k < d; k++) {
                rebuilt += (double)q[i * d + k] * r[k] * r[k] * q[j * d + k];
                inner += (double)q[k * d + i] * q[k * d + j];
            }
            double error = fabs(rebuilt - c[i * d + j] - (i == j ? epsilon : 0));
            worst = fmax(worst, fmax(error, fabs(inner - (i == j))));
            largest = fmax(largest, fabs((double)c[i * d + j]));
        }
    }
    near(0, worst, 2e-6 * fmax(largest, 1));
}

START_TEST(inverse_square_roots_agree_on_every_spectrum)
{
    both b;
    if (!both_open(&b, _i, 3)) {
        return;
    }
    const int32_t shapes[][2] = {{1, 1}, {3, 2}, {17, 3}, {64, 4}, {100, 1}};
    for (int s = 0; s < 5; s++) {
        for (int kind = 0; kind < SPECTRA; kind++) {
            int32_t d = shapes[s][0];
            int32_t heads = shapes[s][1];
            size_t one = (size_t)d * (size_t)d;
            size_t matrices = one * (size_t)heads;
            size_t roots = (size_t)d * (size_t)heads;
            double *eigenvalues = get_memory((size_t)d, sizeof *eigenvalues);
            float *c = get_memory(matrices, sizeof *c);
            spectrum_of(kind, d, eigenvalues);
            for (int32_t k = 0; k < heads; k++) {
                matrix_with(eigenvalues, d, c + (size_t)k * one);
            }
            float *q[2];
            float *r[2];
            float *z[2];
            float *dc[2];
            float *dz = random_floats(matrices);
            ops *sides[2] = {b.ref, b.other};
            for (int side = 0; side < 2; side++) {
                q[side] = unset_floats(matrices);
                z[side] = unset_floats(matrices);
                dc[side] = unset_floats(matrices);
                r[side] = unset_floats(roots);
                OK(sides[side]->table->inverse_sqrt(sides[side], c, d, heads, 1e-5, q[side], r[side], z[side]));
                OK(sides[side]->table->inverse_sqrt_gradient(sides[side], q[0], r[0], dz, d, heads, dc[side]));
                for (int32_t k = 0; k < heads; k++) {
                    check_eigenvectors(c + (size_t)k * one, q[side] + (size_t)k * one, r[side] + k * d, d, 1e-5);
                }
            }
            same_floats("roots", r[0], r[1], roots, ROOT_TOLERANCE);
            same_floats("inverse_sqrt", z[0], z[1], matrices, ROOT_TOLERANCE);
            same_floats("inverse_sqrt_gradient", dc[0], dc[1], matrices, ROOT_GRADIENT_TOLERANCE);
            for (int side = 0; side < 2; side++) {
                free(q[side]);
                free(z[side]);
                free(dc[side]);
                free(r[side]);
            }
            free(dz);
            free(c);
            free(eigenvalues);
        }
    }
    both_close(&b);
}
END_TEST

/* [[5 4] [4 5]] has the eigenvalues 1 and 9, so its inverse square root is 1/2 [[1 + 1/3, 1/3 - 1] [1/3 - 1, 1 + 1/3]]. */
START_TEST(inverse_square_root_by_hand)
{
    both b;
    if (!both_open(&b, _i, 1)) {
        return;
    }
    const float c[] = {5, 4, 4, 5, 0, 0, 0, 0};
    ops *sides[2] = {b.ref, b.other};
    for (int s = 0; s < 2; s++) {
        float q[8];
        float r[4];
        float z[8];
        OK(sides[s]->table->inverse_sqrt(sides[s], c, 2, 1, 0, q, r, z));
        near(1, r[0], 1e-6);
        near(3, r[1], 1e-6);
        near(2.0 / 3, z[0], 1e-6);
        near(-1.0 / 3, z[1], 1e-6);
        near(-1.0 / 3, z[2], 1e-6);
        near(2.0 / 3, z[3], 1e-6);
        near(0.5, (double)q[0] * q[0], 1e-6); /* (1, -1) / sqrt 2 */
        near(-0.5, (double)q[0] * q[2], 1e-6);
        near(0.5, (double)q[1] * q[3], 1e-6); /* (1, 1) / sqrt 2 */
        /* A second head of zeros: 1 / sqrt(epsilon) times the identity. */
        OK(sides[s]->table->inverse_sqrt(sides[s], c, 2, 2, 1e-4, q, r, z));
        near(0.01, r[2], 1e-8);
        near(100, z[4], 1e-4);
        near(0, z[5], 1e-4);
        near(100, z[7], 1e-4);
    }
    both_close(&b);
}
END_TEST

START_TEST(inverse_square_root_refuses_what_is_not_finite)
{
    both b;
    if (!both_open(&b, _i, 1)) {
        return;
    }
    const float c[] = {1, 0, 0, 1, 1, INFINITY, NAN, 1};
    ops *sides[2] = {b.ref, b.other};
    for (int s = 0; s < 2; s++) {
        float q[8];
        float r[4];
        float z[8];
        FAILS(CFD_ERROR_NUMERIC, "matrix 1", sides[s]->table->inverse_sqrt(sides[s], c, 2, 2, 1e-5, q, r, z));
    }
    both_close(&b);
}
END_TEST

/* sum of dz o f(C), by the reference. */
static double weighted_root(ops *o, const float *c, const float *dz, int32_t d)
{
    size_t n = (size_t)d * (size_t)d;
    float *q = unset_floats(n);
    float *r = unset_floats((size_t)d);
    float *z = unset_floats(n);
    OK(o->table->inverse_sqrt(o, c, d, 1, 1e-5, q, r, z));
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += (double)dz[i] * z[i];
    }
    free(q);
    free(r);
    free(z);
    return sum;
}

/* The reference's first. */
START_TEST(gradient_of_the_inverse_square_root_is_exact)
{
    both b;
    if (!both_open(&b, _i ? _i - 1 : 0, 1)) {
        return;
    }
    enum { D = 6 };
    const enum spectrum kinds[] = {SPREAD, EQUAL, PAIRS};
    ops *o = _i ? b.other : b.ref;
    for (int kind = 0; kind < 3; kind++) {
        double eigenvalues[D];
        float c[D * D];
        float q[D * D];
        float r[D];
        float z[D * D];
        float dc[D * D];
        float *dz = random_floats(D * D);
        spectrum_of(kinds[kind], D, eigenvalues);
        matrix_with(eigenvalues, D, c);
        OK(o->table->inverse_sqrt(o, c, D, 1, 1e-5, q, r, z));
        OK(o->table->inverse_sqrt_gradient(o, q, r, dz, D, 1, dc));
        for (int i = 0; i < D * D; i++) {
            /* Two central differences, combined so that the error of second order cancels. z is float: the sums carry
             * about 1e-7 of noise, over steps of 1/64 and 1/32. */
            double slope[2];
            for (int k = 0; k < 2; k++) {
                float before = c[i];
                volatile float above = before + (k ? 1.0f / 32 : 1.0f / 64);
                volatile float below = before - (k ? 1.0f / 32 : 1.0f / 64);
                c[i] = above;
                double up = weighted_root(b.ref, c, dz, D);
                c[i] = below;
                double down = weighted_root(b.ref, c, dz, D);
                c[i] = before;
                slope[k] = (up - down) / ((double)above - below);
            }
            near((4 * slope[0] - slope[1]) / 3, dc[i], 1e-4);
        }
        free(dz);
    }
    both_close(&b);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("ops: whitening");
    TCase *tc = tcase_create("whitening");
    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, moments_and_products_agree_on_every_shape, 0, BACKENDS);
    tcase_add_loop_test(tc, moments_by_hand, 0, BACKENDS);
    tcase_add_loop_test(tc, inverse_square_roots_agree_on_every_spectrum, 0, BACKENDS);
    tcase_add_loop_test(tc, inverse_square_root_by_hand, 0, BACKENDS);
    tcase_add_loop_test(tc, inverse_square_root_refuses_what_is_not_finite, 0, BACKENDS);
    tcase_add_loop_test(tc, gradient_of_the_inverse_square_root_is_exact, 0, 1 + BACKENDS);
    suite_add_tcase(s, tc);
    return s;
}

TEST_MAIN(suite)
