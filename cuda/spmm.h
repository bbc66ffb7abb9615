/* SPDX-License-Identifier: Apache-2.0 */
/* Products of a sparse matrix, row by row, for the graph and for sparse features (spmm.cu). */
#ifndef CFD_CUDA_SPMM_H
#define CFD_CUDA_SPMM_H

#include "backend.h"

/* Y = G X as ops_table.spmm, without an addend, by the backend's own kernel. */
cfd_status cuda_spmm_rows(cuda_ops *c, const ops_csr *g, ops_rows output, const int32_t *input_slots, const float *x,
                          int64_t ldx, float *y, int64_t ldy, int32_t columns);
/* Y += the addend, and its losses (spmm_addend.cu). */
cfd_status cuda_spmm_addend(cuda_ops *c, const ops_addend *add, float *y, int64_t ldy);

#endif
