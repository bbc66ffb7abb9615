/* SPDX-License-Identifier: Apache-2.0 */
/* Dense products through a library, on the calling thread alone. One of gemm_*.c is built (lib/CMakeLists.txt). */
#ifndef CFD_OPS_CPU_GEMM_H
#define CFD_OPS_CPU_GEMM_H

#include "base/status.h"

#include <stdbool.h>

#define GEMM_NAME_BYTES 64

/* C = alpha op(A) op(B) + beta C, row-major; op transposes where its flag is set. C is m x n, k is the length of the
 * sums; beta 0 does not read C. Any number of threads may call it at once. Sets no message, since it runs on workers. */
cfd_status gemm(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k, float alpha, const float *a,
                int64_t lda, const float *b, int64_t ldb, float beta, float *c, int64_t ldc);

/* Writes the library's name and version, "oneDNN 2.6.3" for instance. */
void gemm_name(char name[GEMM_NAME_BYTES]);

#endif
