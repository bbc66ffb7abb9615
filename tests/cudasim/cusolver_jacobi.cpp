/* SPDX-License-Identifier: Apache-2.0 */
/* Jacobi's method by rows: each sweep turns every pair of rows and columns so that their element beside the diagonal
 * is zero. */
#include "cusolver_jacobi.h"

#include <algorithm>
#include <math.h>
#include <numeric>

namespace cudasim {

typedef std::vector<double> numbers;

/* The square of the Frobenius norm, of all or of what is beside the diagonal. */
static double square_norm(size_t n, const numbers &a, bool diagonal)
{
    double sum = 0;
    for (size_t i = 0; i < n * n; i++) {
        sum += diagonal || i % (n + 1) != 0 ? a[i] * a[i] : 0;
    }
    return sum;
}

/* Columns p and q become c p - s q and s p + c q. */
static void turn_columns(size_t n, numbers &a, size_t p, size_t q, double c, double s)
{
    for (size_t i = 0; i < n; i++) {
        double x = a[i * n + p], y = a[i * n + q];
        a[i * n + p] = c * x - s * y;
        a[i * n + q] = s * x + c * y;
    }
}

static void turn_rows(size_t n, numbers &a, size_t p, size_t q, double c, double s)
{
    for (size_t i = 0; i < n; i++) {
        double x = a[p * n + i], y = a[q * n + i];
        a[p * n + i] = c * x - s * y;
        a[q * n + i] = s * x + c * y;
    }
}

static void sweep(size_t n, numbers &a, numbers &vectors)
{
    for (size_t p = 0; p < n; p++) {
        for (size_t q = p + 1; q < n; q++) {
            double beside = a[p * n + q];
            if (beside == 0) {
                continue;
            }
            double ratio = (a[q * n + q] - a[p * n + p]) / (2 * beside);
            double tangent = copysign(1 / (fabs(ratio) + hypot(1, ratio)), ratio);
            double c = 1 / sqrt(1 + tangent * tangent), s = c * tangent;
            turn_columns(n, a, p, q, c, s);
            turn_rows(n, a, p, q, c, s);
            turn_columns(n, vectors, p, q, c, s);
            a[p * n + q] = a[q * n + p] = 0;
        }
    }
}

bool jacobi(int size, numbers &a, const jacobi_settings &settings, numbers &values, numbers &vectors)
{
    size_t n = (size_t)size;
    numbers turned(n * n, 0.0);
    for (size_t i = 0; i < n; i++) {
        turned[i * n + i] = 1;
    }
    double enough = settings.tolerance * settings.tolerance * square_norm(n, a, true);
    int sweeps = 0;
    while (!(square_norm(n, a, false) <= enough) && sweeps < settings.most_sweeps) {
        sweep(n, a, turned);
        sweeps++;
    }
    std::vector<size_t> order(n);
    std::iota(order.begin(), order.end(), 0);
    bool converged = square_norm(n, a, false) <= enough; /* never where a number is not one */
    if (settings.sort && converged) {
        std::sort(order.begin(), order.end(), [&](size_t i, size_t j) { return a[i * n + i] < a[j * n + j]; });
    }
    values.resize(n);
    vectors.resize(n * n);
    for (size_t j = 0; j < n; j++) {
        values[j] = a[order[j] * n + order[j]];
        for (size_t i = 0; i < n; i++) {
            vectors[i * n + j] = turned[i * n + order[j]];
        }
    }
    return converged;
}

} /* namespace cudasim */
