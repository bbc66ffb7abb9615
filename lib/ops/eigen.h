/* SPDX-License-Identifier: Apache-2.0 */
/* Eigenvalues of symmetric matrices, on the calling thread alone. */
#ifndef CFD_OPS_EIGEN_H
#define CFD_OPS_EIGEN_H

#include "base/status.h"

#include <stdbool.h>

/* Workspace for an n x n matrix, in doubles: at least two such matrices, which the caller may use again afterwards. Fails
 * where its size overflows. */
cfd_status eigen_workspace(int32_t n, size_t *doubles);

/* Overwrites the symmetric n x n matrix, whose entries are finite, with its eigenvectors, one after the other (row k is the
 * k-th), and fills n values, ascending. False where it does not converge. Any number of threads may call it at once. */
bool eigen_symmetric(int32_t n, double *matrix, double *values, double *work);

/* What became of one matrix of many. */
enum eigen_outcome { EIGEN_DONE, EIGEN_NOT_FINITE, EIGEN_NOT_CONVERGED };

/* The failure of matrix `head`, with its message. */
cfd_status eigen_failed(enum eigen_outcome outcome, int32_t head);

#endif
