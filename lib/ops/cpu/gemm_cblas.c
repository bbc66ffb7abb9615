/* SPDX-License-Identifier: Apache-2.0 */
/* Dense products by any CBLAS. A CBLAS with threads of its own keeps its settings: they are the host's. */
#include "ops/cpu/gemm.h"

#include <cblas.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

/* Present where the CBLAS is OpenBLAS: "OpenBLAS 0.3.21 ...". */
extern char *openblas_get_config(void) __attribute__((weak));

cfd_status gemm(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k, float alpha, const float *a,
                int64_t lda, const float *b, int64_t ldb, float beta, float *c, int64_t ldc)
{
    if (m > INT_MAX || n > INT_MAX || k > INT_MAX || lda > INT_MAX || ldb > INT_MAX || ldc > INT_MAX) {
        return CFD_ERROR_ARGUMENT;
    }
    cblas_sgemm(CblasRowMajor, transpose_a ? CblasTrans : CblasNoTrans, transpose_b ? CblasTrans : CblasNoTrans, (int)m,
                (int)n, (int)k, alpha, a, (int)lda, b, (int)ldb, beta, c, (int)ldc);
    return CFD_OK;
}

void gemm_name(char name[GEMM_NAME_BYTES])
{
    const char *config = openblas_get_config ? openblas_get_config() : "CBLAS";
    const char *space = strchr(config, ' ');
    const char *end = space ? strchr(space + 1, ' ') : NULL;
    int length = end ? (int)(end - config) : (int)strlen(config);
    snprintf(name, GEMM_NAME_BYTES, "%.*s", length, config);
}
