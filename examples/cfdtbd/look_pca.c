/* SPDX-License-Identifier: Apache-2.0 */
/* Principal components in double precision: subspace iteration on the covariance, a few directions at once, each step ended
 * by an exact eigendecomposition within the subspace (Jacobi's method), so that the order of the directions is right. */
#include "look.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DIRECTIONS = 8, MOST_STEPS = 2000, SWEEPS = 60 };

typedef struct subspace {
    size_t d, k;          /* k = min(DIRECTIONS, d) */
    double *covariance;   /* d x d */
    double *basis, *next; /* k rows of d */
    double values[DIRECTIONS];
} subspace;

/* ---- covariance ---- */

static void centre(double *rows, size_t n, size_t d)
{
    for (size_t c = 0; c < d; c++) {
        double mean = 0.0;
        for (size_t i = 0; i < n; i++) {
            mean += rows[i * d + c];
        }
        mean /= (double)n;
        for (size_t i = 0; i < n; i++) {
            rows[i * d + c] -= mean;
        }
    }
}

static void find_covariance(const double *rows, size_t n, size_t d, double *covariance)
{
    for (size_t i = 0; i < n; i++) {
        const double *row = rows + i * d;
        for (size_t a = 0; a < d; a++) {
            for (size_t b = 0; b <= a; b++) {
                covariance[a * d + b] += row[a] * row[b];
            }
        }
    }
    for (size_t a = 0; a < d; a++) {
        for (size_t b = 0; b <= a; b++) {
            covariance[a * d + b] /= (double)n;
            covariance[b * d + a] = covariance[a * d + b];
        }
    }
}

/* ---- small symmetric matrices ---- */

/* One rotation of Jacobi's that makes m[p][q] zero; the rows of v follow. */
static void rotate(double m[DIRECTIONS][DIRECTIONS], double v[DIRECTIONS][DIRECTIONS], size_t k, size_t p, size_t q)
{
    if (m[p][q] == 0.0) {
        return;
    }
    double theta = (m[q][q] - m[p][p]) / (2.0 * m[p][q]);
    double t = (theta >= 0.0 ? 1.0 : -1.0) / (fabs(theta) + sqrt(theta * theta + 1.0));
    double c = 1.0 / sqrt(t * t + 1.0);
    double s = t * c;
    for (size_t i = 0; i < k; i++) {
        double a = m[i][p];
        double b = m[i][q];
        m[i][p] = c * a - s * b;
        m[i][q] = s * a + c * b;
    }
    for (size_t i = 0; i < k; i++) {
        double a = m[p][i];
        double b = m[q][i];
        m[p][i] = c * a - s * b;
        m[q][i] = s * a + c * b;
        a = v[p][i];
        b = v[q][i];
        v[p][i] = c * a - s * b;
        v[q][i] = s * a + c * b;
    }
}

/* Eigenvalues onto the diagonal of m, eigenvectors into the rows of v. */
static void diagonalise(double m[DIRECTIONS][DIRECTIONS], double v[DIRECTIONS][DIRECTIONS], size_t k)
{
    for (size_t i = 0; i < k; i++) {
        for (size_t j = 0; j < k; j++) {
            v[i][j] = i == j;
        }
    }
    for (int sweep = 0; sweep < SWEEPS; sweep++) {
        double off = 0.0;
        double all = 0.0;
        for (size_t i = 0; i < k; i++) {
            for (size_t j = 0; j < k; j++) {
                off += i == j ? 0.0 : m[i][j] * m[i][j];
                all += m[i][j] * m[i][j];
            }
        }
        if (off <= 1e-32 * all) {
            return;
        }
        for (size_t p = 0; p + 1 < k; p++) {
            for (size_t q = p + 1; q < k; q++) {
                rotate(m, v, k, p, q);
            }
        }
    }
}

/* ---- the iteration ---- */

static double product(const double *a, const double *b, size_t n)
{
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) {
        sum += a[i] * b[i];
    }
    return sum;
}

/* Gram and Schmidt, twice for rounding. A row that the others span is replaced by a unit vector, which is made orthogonal.
 */
static void orthonormalise(double *basis, size_t k, size_t d)
{
    for (size_t i = 0; i < k; i++) {
        double *row = basis + i * d;
        size_t spare = i;
        for (int pass = 0; pass < 2; pass++) {
            double before = sqrt(product(row, row, d));
            for (size_t j = 0; j < i; j++) {
                double along = product(row, basis + j * d, d);
                for (size_t c = 0; c < d; c++) {
                    row[c] -= along * basis[j * d + c];
                }
            }
            double norm = sqrt(product(row, row, d));
            if (!(norm > 1e-10 * before) && spare < d + i) {
                memset(row, 0, d * sizeof *row);
                row[spare++ % d] = 1.0;
                pass = -1;
                continue;
            }
            for (size_t c = 0; c < d && norm > 0.0; c++) {
                row[c] /= norm;
            }
        }
    }
}

/* Turns the basis so that its rows are the eigenvectors within the subspace, the largest eigenvalue first. */
static void sort_directions(subspace *s)
{
    double m[DIRECTIONS][DIRECTIONS];
    double v[DIRECTIONS][DIRECTIONS];
    bool taken[DIRECTIONS] = {false};
    for (size_t i = 0; i < s->k; i++) {
        for (size_t r = 0; r < s->d; r++) {
            s->next[i * s->d + r] = product(s->covariance + r * s->d, s->basis + i * s->d, s->d);
        }
    }
    for (size_t i = 0; i < s->k; i++) {
        for (size_t j = 0; j <= i; j++) {
            m[i][j] = m[j][i] = product(s->basis + i * s->d, s->next + j * s->d, s->d);
        }
    }
    diagonalise(m, v, s->k);
    for (size_t place = 0; place < s->k; place++) {
        size_t best = s->k;
        for (size_t i = 0; i < s->k; i++) {
            best = !taken[i] && (best == s->k || m[i][i] > m[best][best]) ? i : best;
        }
        taken[best] = true;
        s->values[place] = m[best][best] > 0.0 ? m[best][best] : 0.0;
        for (size_t c = 0; c < s->d; c++) {
            double sum = 0.0;
            for (size_t i = 0; i < s->k; i++) {
                sum += v[best][i] * s->basis[i * s->d + c];
            }
            s->next[place * s->d + c] = sum;
        }
    }
    memcpy(s->basis, s->next, s->k * s->d * sizeof *s->basis);
}

/* How far the first two directions are from being eigenvectors, as a share of the largest eigenvalue. */
static double residual(const subspace *s)
{
    double worst = 0.0;
    for (size_t i = 0; i < 2 && i < s->k; i++) {
        double sum = 0.0;
        for (size_t r = 0; r < s->d; r++) {
            double off = product(s->covariance + r * s->d, s->basis + i * s->d, s->d) -
                         s->values[i] * s->basis[i * s->d + r];
            sum += off * off;
        }
        worst = fmax(worst, sqrt(sum));
    }
    return s->values[0] > 0.0 ? worst / s->values[0] : 0.0;
}

static void iterate(subspace *s)
{
    for (size_t i = 0; i < s->k * s->d; i++) { /* any start that no data set is orthogonal to */
        s->basis[i] = sin(1.0 + 12.9898 * (double)i) + (double)(i % (s->d + 1) == 0);
    }
    orthonormalise(s->basis, s->k, s->d);
    sort_directions(s);
    for (int step = 0; step < MOST_STEPS && residual(s) > 1e-12; step++) {
        for (size_t i = 0; i < s->k; i++) {
            for (size_t r = 0; r < s->d; r++) {
                s->next[i * s->d + r] = product(s->covariance + r * s->d, s->basis + i * s->d, s->d);
            }
        }
        memcpy(s->basis, s->next, s->k * s->d * sizeof *s->basis);
        orthonormalise(s->basis, s->k, s->d);
        sort_directions(s);
    }
}

/* A direction has no sign of its own: its largest entry is made positive. */
static void fix_sign(double *direction, size_t d)
{
    size_t largest = 0;
    for (size_t c = 1; c < d; c++) {
        largest = fabs(direction[c]) > fabs(direction[largest]) ? c : largest;
    }
    bool turn = direction[largest] < 0.0;
    for (size_t c = 0; c < d && turn; c++) {
        direction[c] = -direction[c];
    }
}

bool look_pca(double *rows, size_t n, size_t d, double *x, double *y, double explained[2])
{
    subspace s = {.d = d, .k = d < DIRECTIONS ? d : DIRECTIONS};
    double *coordinates[2] = {x, y};
    double trace = 0.0;
    s.covariance = calloc(d * d, sizeof *s.covariance);
    s.basis = calloc(s.k * d, sizeof *s.basis);
    s.next = calloc(s.k * d, sizeof *s.next);
    bool fine = s.covariance && s.basis && s.next;
    if (fine) {
        centre(rows, n, d);
        find_covariance(rows, n, d, s.covariance);
        iterate(&s);
        for (size_t c = 0; c < d; c++) {
            trace += s.covariance[c * d + c];
        }
        for (size_t axis = 0; axis < 2; axis++) {
            bool there = axis < s.k;
            explained[axis] = there && trace > 0.0 ? s.values[axis] / trace : 0.0;
            if (there) {
                fix_sign(s.basis + axis * d, d);
            }
            for (size_t i = 0; i < n; i++) {
                coordinates[axis][i] = there ? product(rows + i * d, s.basis + axis * d, d) : 0.0;
            }
        }
    }
    free(s.covariance);
    free(s.basis);
    free(s.next);
    return fine;
}
