/* SPDX-License-Identifier: Apache-2.0 */
/* Eigenvalues of symmetric matrices, by LAPACK's divide and conquer. */
#include "ops/eigen.h"

#include <limits.h>

/* The Fortran symbol; the two lengths at the end are those of the character arguments. */
extern void dsyevd_(const char *jobz, const char *uplo, const int *n, double *a, const int *lda, double *w, double *work,
                    const int *lwork, int *iwork, const int *liwork, int *info, size_t jobz_length, size_t uplo_length);

cfd_status eigen_workspace(int32_t n, size_t *doubles, size_t *ints)
{
    int64_t wanted = 1 + 6 * (int64_t)n + 2 * (int64_t)n * n;
    if (n < 1 || wanted > INT_MAX) {
        return fail(CFD_ERROR_ARGUMENT, "eigenvalues of a %d x %d matrix: more than LAPACK can take", n, n);
    }
    *doubles = (size_t)wanted;
    *ints = (size_t)(3 + 5 * (int64_t)n);
    return CFD_OK;
}

int eigen_symmetric(int32_t n, double *matrix, double *values, double *work, int *int_work)
{
    int lwork = (int)(1 + 6 * (int64_t)n + 2 * (int64_t)n * n);
    int liwork = (int)(3 + 5 * (int64_t)n);
    int size = n;
    int info = 0;
    dsyevd_("V", "L", &size, matrix, &size, values, work, &lwork, int_work, &liwork, &info, 1, 1);
    return info;
}

cfd_status eigen_failed(int info, int32_t head)
{
    if (info < 0) {
        return fail(CFD_ERROR_NUMERIC, "inverse square root: matrix %d has an entry that is not finite", head);
    }
    return fail(CFD_ERROR_NUMERIC, "inverse square root: the eigenvalues of matrix %d do not converge (LAPACK dsyevd: %d)",
                head, info);
}
