/* SPDX-License-Identifier: Apache-2.0 */
/* Principal components of points whose components are known beforehand. */
#include "look.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static int failures;

static void near(const char *what, double value, double wanted, double tolerance)
{
    if (!(fabs(value - wanted) <= tolerance)) {
        printf("FAILED: %s is %.15g, not %.15g\n", what, value, wanted);
        failures++;
    }
}

static void fine(const char *what, bool condition)
{
    if (!condition) {
        printf("FAILED: %s\n", what);
        failures++;
    }
}

/* Points on the axes of a rotated ellipse in the plane of two of `d` columns: 3 along (0.6, 0.8), 1 across. */
static void ellipse(size_t d, size_t a, size_t b)
{
    static const double along[] = {3, -3, 0, 0};
    static const double across[] = {0, 0, 1, -1};
    double *rows = calloc(4 * d, sizeof *rows);
    double x[4] = {0};
    double y[4] = {0};
    double explained[2] = {0};
    fine("memory", rows != NULL);
    for (size_t i = 0; i < 4 && rows; i++) {
        for (size_t c = 0; c < d; c++) {
            rows[i * d + c] = 7.0 - (double)c; /* the mean, which must not matter */
        }
        rows[i * d + a] += 0.6 * along[i] - 0.8 * across[i];
        rows[i * d + b] += 0.8 * along[i] + 0.6 * across[i];
    }
    fine("memory", rows && look_pca(rows, 4, d, x, y, explained));
    for (size_t i = 0; i < 4; i++) {
        near("a first coordinate", x[i], along[i], 1e-9); /* the larger entry of (0.6, 0.8) is positive */
        near("a second coordinate, but for its sign", fabs(y[i]), fabs(across[i]), 1e-9);
    }
    near("the sum of two opposite coordinates", y[2] + y[3], 0.0, 1e-9);
    near("the first share", explained[0], 0.9, 1e-9);
    near("the second share", explained[1], 0.1, 1e-9);
    free(rows);
}

/* Columns that do not go together, of variance 1, 4, 9, ...: the components are the last two columns. */
static void columns_of_their_own(size_t d)
{
    size_t n = 2 * d;
    double *rows = calloc(n * d, sizeof *rows);
    double *x = calloc(n, sizeof *x);
    double *y = calloc(n, sizeof *y);
    double explained[2] = {0};
    double sum = 0.0;
    fine("memory", rows && x && y);
    for (size_t c = 0; c < d && rows; c++) {
        rows[2 * c * d + c] = (double)(c + 1);
        rows[(2 * c + 1) * d + c] = -(double)(c + 1);
        sum += (double)((c + 1) * (c + 1));
    }
    fine("memory", rows && x && y && look_pca(rows, n, d, x, y, explained));
    near("the first share", explained[0], (double)(d * d) / sum, 1e-9);
    near("the second share", explained[1], (double)((d - 1) * (d - 1)) / sum, 1e-9);
    for (size_t i = 0; i < n && x && y; i++) {
        double sign = i % 2 ? -1.0 : 1.0;
        near("a first coordinate", x[i], i / 2 == d - 1 ? sign * (double)d : 0.0, 1e-6);
        near("a second coordinate", y[i], i / 2 == d - 2 ? sign * (double)(d - 1) : 0.0, 1e-6);
    }
    free(rows);
    free(x);
    free(y);
}

/* One column, and points that are all the same. */
static void nothing_to_see(void)
{
    double line[] = {1, 2, 6};
    double same[] = {4, 5, 4, 5, 4, 5};
    double x[3];
    double y[3];
    double explained[2];
    fine("memory", look_pca(line, 3, 1, x, y, explained));
    near("a coordinate of one column", x[2], 3.0, 1e-12);
    near("a second coordinate of one column", y[2], 0.0, 0.0);
    near("the share of one column", explained[0], 1.0, 1e-12);
    near("the share of none", explained[1], 0.0, 0.0);
    fine("memory", look_pca(same, 3, 2, x, y, explained));
    near("a coordinate of equal points", x[1], 0.0, 1e-12);
    near("the share of equal points", explained[0], 0.0, 0.0);
}

int main(void)
{
    ellipse(2, 0, 1);
    ellipse(3, 0, 2);
    ellipse(40, 11, 30);
    columns_of_their_own(5);
    columns_of_their_own(64);
    nothing_to_see();
    return failures > 0;
}
