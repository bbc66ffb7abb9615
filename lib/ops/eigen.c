/* SPDX-License-Identifier: Apache-2.0 */
/* Eigenvalues of symmetric matrices: Householder's reduction to a tridiagonal matrix, then implicit QR steps with
 * Wilkinson's shift. LAPACK's routines do the same, but through a BLAS that may start threads of its own, and whose sums
 * then depend on how many processors there are: the bits of a model must not. */
#include "ops/eigen.h"

#include <float.h>
#include <math.h>
#include <string.h>

#define MOST_STEPS 60 /* QR steps for each eigenvalue; two or three are usual */

cfd_status eigen_workspace(int32_t n, size_t *doubles)
{
    int64_t wanted = 2 * (int64_t)n * n + 3 * (int64_t)n; /* two matrices: the caller uses them again afterwards */
    if (n < 1 || (uint64_t)wanted > SIZE_MAX / sizeof(double)) {
        return fail(CFD_ERROR_ARGUMENT, "eigenvalues of a %d x %d matrix: too large", n, n);
    }
    *doubles = (size_t)wanted;
    return CFD_OK;
}

static double dot(const double *x, const double *y, size_t n)
{
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) {
        sum += x[i] * y[i];
    }
    return sum;
}

/* Turns x[0 .. n) into v such that (Id - v v^T) x = (alpha, 0, ..., 0); returns alpha. */
static double reflector(double *x, size_t n)
{
    double largest = 0.0;
    for (size_t i = 0; i < n; i++) {
        largest = fmax(largest, fabs(x[i]));
    }
    if (largest == 0.0) {
        return 0.0;
    }
    for (size_t i = 0; i < n; i++) {
        x[i] /= largest;
    }
    double norm = sqrt(dot(x, x, n));
    double alpha = x[0] > 0.0 ? -norm : norm;
    x[0] -= alpha;
    double scale = sqrt(2.0 / dot(x, x, n));
    for (size_t i = 0; i < n; i++) {
        x[i] *= scale;
    }
    return alpha * largest;
}

/* A = Q T Q^T. Row k of `a` keeps reflector k from column k + 1 on; T goes to diagonal and beside. */
static void tridiagonalise(double *a, size_t n, double *diagonal, double *beside, double *w)
{
    for (size_t k = 0; k + 1 < n; k++) {
        size_t m = n - k - 1;
        double *v = a + k * n + k + 1;
        double *below = a + (k + 1) * n + k + 1;
        diagonal[k] = a[k * n + k];
        beside[k] = reflector(v, m);
        for (size_t i = 0; i < m; i++) {
            w[i] = dot(below + i * n, v, m);
        }
        double half = 0.5 * dot(w, v, m);
        for (size_t i = 0; i < m; i++) {
            w[i] -= half * v[i];
        }
        for (size_t i = 0; i < m; i++) {
            double *row = below + i * n;
            for (size_t j = 0; j < m; j++) {
                row[j] -= v[i] * w[j] + w[i] * v[j];
            }
        }
    }
    diagonal[n - 1] = a[n * n - 1];
}

/* rows = Q^T, from the reflectors. */
static void accumulate(const double *a, size_t n, double *rows)
{
    memset(rows, 0, n * n * sizeof *rows);
    for (size_t i = 0; i < n; i++) {
        rows[i * n + i] = 1.0;
    }
    for (size_t k = n - 1; k-- > 0;) {
        const double *v = a + k * n + k + 1;
        size_t m = n - k - 1;
        for (size_t i = k + 1; i < n; i++) {
            double *row = rows + i * n + k + 1;
            double along = dot(row, v, m);
            for (size_t j = 0; j < m; j++) {
                row[j] -= along * v[j];
            }
        }
    }
}

static void rotate(double *x, double *y, size_t n, double c, double s)
{
    for (size_t i = 0; i < n; i++) {
        double a = x[i];
        double b = y[i];
        x[i] = c * a + s * b;
        y[i] = c * b - s * a;
    }
}

/* One implicit QR step on T's rows low .. high; every rotation is applied to the rows of the eigenvectors too. */
static void qr_step(double *diagonal, double *beside, size_t low, size_t high, double *rows, size_t n)
{
    double half = 0.5 * (diagonal[high - 1] - diagonal[high]);
    double last = beside[high - 1];
    double shift = diagonal[high] - last * (last / (half + copysign(hypot(half, last), half)));
    double x = diagonal[low] - shift;
    double z = beside[low];
    for (size_t k = low; k < high; k++) {
        double r = hypot(x, z);
        double c = r > 0.0 ? x / r : 1.0;
        double s = r > 0.0 ? z / r : 0.0;
        if (k > low) {
            beside[k - 1] = r;
        }
        double p = diagonal[k];
        double q = diagonal[k + 1];
        double e = beside[k];
        diagonal[k] = c * (c * p + s * e) + s * (c * e + s * q);
        diagonal[k + 1] = s * (s * p - c * e) - c * (s * e - c * q);
        beside[k] = c * (c * e - s * p) + s * (c * q - s * e);
        if (k + 1 < high) {
            x = beside[k];
            z = s * beside[k + 1];
            beside[k + 1] *= c;
        }
        rotate(rows + k * n, rows + (k + 1) * n, n, c, s);
    }
}

static bool diagonalise(double *diagonal, double *beside, double *rows, size_t n)
{
    size_t steps = 0;
    for (size_t high = n - 1; high > 0;) {
        size_t low = high;
        while (low > 0 && fabs(beside[low - 1]) > DBL_EPSILON * (fabs(diagonal[low - 1]) + fabs(diagonal[low]))) {
            low--;
        }
        if (low == high) {
            high--;
        } else if (steps++ == MOST_STEPS * n) {
            return false;
        } else {
            qr_step(diagonal, beside, low, high, rows, n);
        }
    }
    return true;
}

/* Ascending; `matrix` gets the eigenvectors as rows. */
static void sort_into(const double *diagonal, const double *rows, size_t n, double *matrix, double *values)
{
    for (size_t i = 0; i < n; i++) {
        size_t place = 0;
        for (size_t j = 0; j < n; j++) {
            place += diagonal[j] < diagonal[i] || (diagonal[j] == diagonal[i] && j < i);
        }
        values[place] = diagonal[i];
        memcpy(matrix + place * n, rows + i * n, n * sizeof *rows);
    }
}

bool eigen_symmetric(int32_t size, double *matrix, double *values, double *work)
{
    size_t n = (size_t)size;
    double *rows = work;
    double *diagonal = rows + n * n;
    double *beside = diagonal + n;
    tridiagonalise(matrix, n, diagonal, beside, beside + n);
    accumulate(matrix, n, rows);
    if (!diagonalise(diagonal, beside, rows, n)) {
        return false;
    }
    sort_into(diagonal, rows, n, matrix, values);
    return true;
}

cfd_status eigen_failed(enum eigen_outcome outcome, int32_t head)
{
    return fail(CFD_ERROR_NUMERIC, "inverse square root: %s of matrix %d %s",
                outcome == EIGEN_NOT_FINITE ? "an entry" : "the eigenvalues", head,
                outcome == EIGEN_NOT_FINITE ? "is not finite" : "do not converge");
}
