/* SPDX-License-Identifier: Apache-2.0 */
/* Dense products by oneDNN's sgemm, which is row-major. */
#include "ops/cpu/gemm.h"

#include <oneapi/dnnl/dnnl.h>
#include <stdio.h>

/* Built with OpenMP, oneDNN works with the calling thread's team. That setting belongs to each thread, so it is one for the
 * length of the call and then what the host had. Declared here: <omp.h> may be another compiler's. */
#if DNNL_CPU_THREADING_RUNTIME == DNNL_RUNTIME_OMP
extern int omp_get_max_threads(void);
extern void omp_set_num_threads(int threads);
#endif

cfd_status gemm(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k, float alpha, const float *a,
                int64_t lda, const float *b, int64_t ldb, float beta, float *c, int64_t ldc)
{
#if DNNL_CPU_THREADING_RUNTIME == DNNL_RUNTIME_OMP
    int team = omp_get_max_threads();
    if (team != 1) {
        omp_set_num_threads(1);
    }
#endif
    dnnl_status_t result =
        dnnl_sgemm(transpose_a ? 'T' : 'N', transpose_b ? 'T' : 'N', m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
#if DNNL_CPU_THREADING_RUNTIME == DNNL_RUNTIME_OMP
    if (team != 1) {
        omp_set_num_threads(team);
    }
#endif
    switch (result) {
    case dnnl_success: return CFD_OK;
    case dnnl_out_of_memory: return CFD_ERROR_MEMORY;
    case dnnl_invalid_arguments: return CFD_ERROR_ARGUMENT;
    default: return CFD_ERROR_SYSTEM;
    }
}

void gemm_name(char name[GEMM_NAME_BYTES])
{
    const dnnl_version_t *version = dnnl_version();
    snprintf(name, GEMM_NAME_BYTES, "oneDNN %d.%d.%d", version->major, version->minor, version->patch);
}
