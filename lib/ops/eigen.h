/* SPDX-License-Identifier: Apache-2.0 */
/* Eigenvalues of symmetric matrices, by LAPACK. */
#ifndef CFD_OPS_EIGEN_H
#define CFD_OPS_EIGEN_H

#include "base/status.h"

/* Workspace for an n x n matrix, in doubles and ints; fails where n is beyond what LAPACK's 32-bit sizes can say. */
cfd_status eigen_workspace(int32_t n, size_t *doubles, size_t *ints);

/* Overwrites the symmetric n x n matrix with its eigenvectors, one after the other (row k is the k-th), and fills n values,
 * ascending. Returns 0, or LAPACK's number where it does not converge. Any number of threads may call it at once. */
int eigen_symmetric(int32_t n, double *matrix, double *values, double *work, int *int_work);

/* Gives inverse_sqrt's message where eigen_symmetric returned `info`, or where an entry of the head is not finite (-1). */
cfd_status eigen_failed(int info, int32_t head);

#endif
