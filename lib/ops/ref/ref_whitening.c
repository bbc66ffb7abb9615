/* SPDX-License-Identifier: Apache-2.0 */
/* Reference: whitening (SPEC 4.3). */
#include "ops/eigen.h"
#include "ops/ref/ref.h"

#include <math.h>

cfd_status ref_cross_moment(ops *o, const float *a, int64_t lda, const float *b, int64_t ldb, int64_t rows, int32_t d,
                            int32_t heads, double scale, float *c)
{
    double *sums;
    TRY(memory_allocate(o->memory, (size_t)d * (size_t)d, sizeof *sums, "sums of a moment", &sums));
    for (int32_t k = 0; k < heads; k++) {
        for (int64_t e = 0; e < (int64_t)d * d; e++) {
            sums[e] = 0;
        }
        for (int64_t row = 0; row < rows; row++) {
            const float *left = a + row * lda + (int64_t)k * d;
            const float *right = b + row * ldb + (int64_t)k * d;
            for (int32_t i = 0; i < d; i++) {
                for (int32_t j = 0; j < d; j++) {
                    sums[(int64_t)i * d + j] += (double)left[i] * right[j];
                }
            }
        }
        for (int64_t e = 0; e < (int64_t)d * d; e++) {
            c[(int64_t)k * d * d + e] = (float)(scale * sums[e]);
        }
    }
    memory_release(o->memory, sums);
    return CFD_OK;
}

/* vectors: row i is the i-th eigenvector of the head. */
static cfd_status inverse_sqrt_head(const float *c, int32_t d, int32_t head, double epsilon, double *vectors, double *values,
                                    double *work, float *q, float *roots, float *z)
{
    for (int64_t i = 0; i < d; i++) {
        for (int64_t j = 0; j < d; j++) {
            vectors[i * d + j] = 0.5 * ((double)c[i * d + j] + c[j * d + i]);
            if (!isfinite(vectors[i * d + j])) {
                return eigen_failed(EIGEN_NOT_FINITE, head);
            }
        }
    }
    if (!eigen_symmetric(d, vectors, values, work)) {
        return eigen_failed(EIGEN_NOT_CONVERGED, head);
    }
    for (int64_t i = 0; i < d; i++) {
        values[i] = sqrt((values[i] > 0 ? values[i] : 0) + epsilon);
        roots[i] = (float)values[i];
        for (int64_t j = 0; j < d; j++) {
            q[j * d + i] = (float)vectors[i * d + j];
        }
    }
    for (int64_t i = 0; i < d; i++) {
        for (int64_t j = 0; j < d; j++) {
            double sum = 0;
            for (int64_t k = 0; k < d; k++) {
                sum += vectors[k * d + i] * vectors[k * d + j] / values[k];
            }
            z[i * d + j] = (float)sum;
        }
    }
    return CFD_OK;
}

cfd_status ref_inverse_sqrt(ops *o, const float *c, int32_t d, int32_t heads, double epsilon, float *q, float *roots,
                            float *z)
{
    size_t doubles;
    TRY(eigen_workspace(d, &doubles));
    size_t matrix = (size_t)d * (size_t)d;
    double *work = NULL;
    cfd_status status;
    TRY_OR(end, memory_allocate(o->memory, doubles + matrix + (size_t)d, sizeof *work, "eigenvalues", &work));
    double *vectors = work + doubles;
    double *values = vectors + matrix;
    for (int32_t k = 0; k < heads && status == CFD_OK; k++) {
        status = inverse_sqrt_head(c + (size_t)k * matrix, d, k, epsilon, vectors, values, work, q + (size_t)k * matrix,
                                   roots + (size_t)k * (size_t)d, z + (size_t)k * matrix);
    }
end:
    memory_release(o->memory, work);
    return status;
}

/* out = left x right, each transposed where its flag is set. */
static void product(int64_t d, const double *left, bool left_transposed, const double *right, bool right_transposed,
                    double *out)
{
    for (int64_t i = 0; i < d; i++) {
        for (int64_t j = 0; j < d; j++) {
            double sum = 0;
            for (int64_t k = 0; k < d; k++) {
                sum += (left_transposed ? left[k * d + i] : left[i * d + k]) *
                       (right_transposed ? right[j * d + k] : right[k * d + j]);
            }
            out[i * d + j] = sum;
        }
    }
}

cfd_status ref_inverse_sqrt_gradient(ops *o, const float *q, const float *roots, const float *dz, int32_t d, int32_t heads,
                                     float *dc)
{
    size_t matrix = (size_t)d * (size_t)d;
    double *work;
    TRY(memory_allocate(o->memory, 3 * matrix, sizeof *work, "gradient of the inverse square root", &work));
    double *vectors = work;
    double *inner = work + matrix;
    double *temporary = work + 2 * matrix;
    for (int32_t k = 0; k < heads; k++) {
        const float *r = roots + (size_t)k * (size_t)d;
        const float *gradient = dz + (size_t)k * matrix;
        for (int64_t i = 0; i < d; i++) {
            for (int64_t j = 0; j < d; j++) {
                vectors[i * d + j] = q[(size_t)k * matrix + (size_t)(i * d + j)];
                inner[i * d + j] = 0.5 * ((double)gradient[i * d + j] + gradient[j * d + i]);
            }
        }
        product(d, vectors, true, inner, false, temporary);
        product(d, temporary, false, vectors, false, inner);
        for (int64_t i = 0; i < d; i++) {
            for (int64_t j = 0; j < d; j++) {
                inner[i * d + j] *= -1.0 / ((double)r[i] * r[j] * ((double)r[i] + r[j]));
            }
        }
        product(d, vectors, false, inner, false, temporary);
        product(d, temporary, false, vectors, true, inner);
        for (size_t e = 0; e < matrix; e++) {
            dc[(size_t)k * matrix + e] = (float)inner[e];
        }
    }
    memory_release(o->memory, work);
    return CFD_OK;
}

cfd_status ref_multiply_right(ops *o, const float *a, int64_t lda, const float *m, int64_t rows, int32_t d, int32_t heads,
                              float scale, bool add, float *y, int64_t ldy)
{
    for (int64_t row = 0; row < rows; row++) {
        for (int32_t k = 0; k < heads; k++) {
            const float *left = a + row * lda + (int64_t)k * d;
            const float *right = m + (int64_t)k * d * d;
            float *out = y + row * ldy + (int64_t)k * d;
            for (int32_t j = 0; j < d; j++) {
                double sum = 0;
                for (int32_t i = 0; i < d; i++) {
                    sum += (double)left[i] * right[(int64_t)i * d + j];
                }
                out[j] = (float)((add ? out[j] : 0.0) + scale * sum);
            }
        }
    }
    return CFD_OK;
}
