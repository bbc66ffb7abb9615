/* SPDX-License-Identifier: Apache-2.0 */
/* A dense product as the library for them does it when it is left to itself: what probes measure. */
#ifndef CFD_OPS_CPU_GEMM_BARE_H
#define CFD_OPS_CPU_GEMM_BARE_H

#include "base/status.h"

#include <stdbool.h>

enum gemm_type { GEMM_FLOAT32, GEMM_BFLOAT16 };

/* C = op(A) op(B), row-major without gaps, C float32 and m x n, k the length of the sums; A and B are of `type`. The whole
 * product in one call of the library with a team of `threads` threads of its own (its setting is put back).
 * CFD_ERROR_DEVICE: it does not multiply in this type. Sets no message. */
cfd_status gemm_bare(enum gemm_type type, bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k,
                     const void *a, const void *b, float *c, int32_t threads);

#endif
