/* SPDX-License-Identifier: Apache-2.0 */
/* Dense products by any CBLAS, in float32. A CBLAS with threads of its own keeps its settings: they are the host's. */
#include "ops/cpu/gemm.h"

#include <cblas.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

/* Present where the CBLAS is OpenBLAS: "OpenBLAS 0.3.21 ...", and the core that it takes the processor for. */
extern char *openblas_get_config(void) __attribute__((weak));
extern char *openblas_get_corename(void) __attribute__((weak));

static bool too_large(int64_t m, int64_t n, int64_t k, int64_t lda, int64_t ldb, int64_t ldc)
{
    return m > INT_MAX || n > INT_MAX || k > INT_MAX || lda > INT_MAX || ldb > INT_MAX || ldc > INT_MAX;
}

cfd_status gemm(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k, float alpha, const float *a,
                int64_t lda, const float *b, int64_t ldb, float beta, float *c, int64_t ldc)
{
    if (too_large(m, n, k, lda, ldb, ldc)) {
        return CFD_ERROR_ARGUMENT;
    }
    cblas_sgemm(CblasRowMajor, transpose_a ? CblasTrans : CblasNoTrans, transpose_b ? CblasTrans : CblasNoTrans, (int)m,
                (int)n, (int)k, alpha, a, (int)lda, b, (int)ldb, beta, c, (int)ldc);
    return CFD_OK;
}

/* ---- plans: a CBLAS packs anew at every call, so packing is a copy without gaps ---- */

struct gemm_plan {
    const memory_source *memory;
    gemm_shape shape;
};

cfd_status gemm_plan_create(const memory_source *memory, const gemm_shape *shape, int32_t lanes, const gemm_plan *like,
                            gemm_plan **out)
{
    (void)lanes;
    (void)like;
    if (shape->type != GEMM_FLOAT32) {
        return CFD_ERROR_DEVICE;
    }
    if (too_large(shape->m, shape->n, shape->k, shape->lda, shape->ldb, shape->ldc)) {
        return CFD_ERROR_ARGUMENT;
    }
    gemm_plan *plan;
    TRY(memory_allocate(memory, 1, sizeof *plan, "a dense product", &plan));
    plan->memory = memory;
    plan->shape = *shape;
    *out = plan;
    return CFD_OK;
}

void gemm_plan_destroy(gemm_plan *plan)
{
    if (plan) {
        memory_release(plan->memory, plan);
    }
}

size_t gemm_packed_bytes(const gemm_plan *plan)
{
    return (size_t)plan->shape.k * (size_t)plan->shape.n * sizeof(float);
}

size_t gemm_scratch_bytes(const gemm_plan *plan)
{
    (void)plan;
    return 0;
}

cfd_status gemm_pack(gemm_plan *plan, int32_t lane, const void *b, void *packed)
{
    (void)lane;
    const gemm_shape *shape = &plan->shape;
    const float *from = b;
    float *to = packed;
    for (int64_t row = 0; row < shape->k; row++) {
        memcpy(to + row * shape->n, from + row * shape->ldb, (size_t)shape->n * sizeof *to);
    }
    return CFD_OK;
}

cfd_status gemm_run(gemm_plan *plan, int32_t lane, const void *a, const void *packed, float *c, void *scratch)
{
    (void)lane;
    (void)scratch;
    const gemm_shape *shape = &plan->shape;
    return gemm(shape->transpose_a, false, shape->m, shape->n, shape->k, 1.0f, a, shape->lda, packed, shape->n,
                shape->add ? 1.0f : 0.0f, c, shape->ldc);
}

/* ---- what the library is ---- */

void gemm_name(char name[GEMM_NAME_BYTES])
{
    const char *config = openblas_get_config ? openblas_get_config() : "CBLAS";
    const char *core = openblas_get_corename ? openblas_get_corename() : NULL;
    const char *space = strchr(config, ' ');
    const char *end = space ? strchr(space + 1, ' ') : NULL;
    int length = end ? (int)(end - config) : (int)strlen(config);
    snprintf(name, GEMM_NAME_BYTES, "%.*s%s%s", length, config, core ? " for " : "", core ? core : "");
}

ops_bfloat16 gemm_bfloat16(void)
{
    return OPS_BFLOAT16_NONE;
}

/* The cores of OpenBLAS whose loops use AVX2 at least, and AVX-512. */
static bool one_of(const char *core, const char *const *names)
{
    while (*names && strcmp(core, *names) != 0) {
        names++;
    }
    return *names != NULL;
}

void gemm_advise(const log_sink *log)
{
#if defined(__x86_64__)
    static const char *const wide[] = {"SkylakeX", "Cooperlake", "SapphireRapids", NULL};
    static const char *const narrow[] = {"Haswell", "Zen", NULL};
    if (!openblas_get_corename) {
        return;
    }
    const char *core = openblas_get_corename();
    __builtin_cpu_init();
    bool has_wide = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                    __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    bool has_narrow = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    bool misread = has_wide ? !one_of(core, wide) : has_narrow && !one_of(core, narrow);
    if (misread) {
        log_message(
            log, CFD_LOG_WARNING,
            "OpenBLAS takes this processor for \"%.40s\", which lacks its widest instructions: dense products may take "
            "several times as long as they need. Set OPENBLAS_CORETYPE=%s in the environment",
            core, has_wide ? "SkylakeX" : "Haswell");
    }
#else
    (void)log;
#endif
}

/* ---- measurements ---- */

cfd_status gemm_bare(enum gemm_type type, bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k, const void *a,
                     const void *b, float *c, int32_t threads)
{
    (void)threads; /* a CBLAS has no setting of this kind that belongs to a thread */
    if (type != GEMM_FLOAT32) {
        return CFD_ERROR_DEVICE;
    }
    return gemm(transpose_a, transpose_b, m, n, k, 1.0f, a, transpose_a ? m : k, b, transpose_b ? k : n, 0.0f, c, n);
}
