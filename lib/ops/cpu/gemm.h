/* SPDX-License-Identifier: Apache-2.0 */
/* Dense products through a library. One of gemm_*.c is built (lib/CMakeLists.txt). All matrices are row-major; op transposes
 * where its flag is set. Nothing here sets a message, since it runs on workers: callers name what failed. */
#ifndef CFD_OPS_CPU_GEMM_H
#define CFD_OPS_CPU_GEMM_H

#include "ops/ops.h"

#define GEMM_NAME_BYTES 64

/* Of the operands A and B; results are float32. */
enum gemm_type { GEMM_FLOAT32, GEMM_BFLOAT16 };

/* C = alpha op(A) op(B) + beta C in float32, on the calling thread alone. C is m x n, k is the length of the sums; beta 0
 * does not read C. Any number of threads may call it at once. */
cfd_status gemm(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k, float alpha, const float *a,
                int64_t lda, const float *b, int64_t ldb, float beta, float *c, int64_t ldc);

/* ---- plans: a product of one shape, formed again and again ---- */

typedef struct gemm_shape {
    enum gemm_type type;
    bool transpose_a;
    bool add; /* C += op(A) B; else C = op(A) B */
    int64_t m, n, k, lda, ldb, ldc;
} gemm_shape;

typedef struct gemm_plan gemm_plan;

/* `lanes` runs may go on at once, each in a lane of its own. B is packed before it is used, as the library likes it best;
 * plans of equal n and k, of which one is made `like` the other, take the same packing. CFD_ERROR_DEVICE: not in this type.
 */
cfd_status gemm_plan_create(const memory_source *memory, const gemm_shape *shape, int32_t lanes, const gemm_plan *like,
                            gemm_plan **out);
void gemm_plan_destroy(gemm_plan *plan); /* accepts NULL */
/* Bytes of a packed B. */
size_t gemm_packed_bytes(const gemm_plan *plan);
/* Packs B (k x n, the shape's ldb) on the calling thread. */
cfd_status gemm_pack(gemm_plan *plan, int32_t lane, const void *b, void *packed);
/* Bytes that a run needs besides, aligned to 64. */
size_t gemm_scratch_bytes(const gemm_plan *plan);
/* On the calling thread alone. */
cfd_status gemm_run(gemm_plan *plan, int32_t lane, const void *a, const void *packed, float *c, void *scratch);

/* ---- what the library is ---- */

/* Writes its name and version, "oneDNN 2.6.3" for instance. */
void gemm_name(char name[GEMM_NAME_BYTES]);

/* How it multiplies bfloat16: natively by AVX512_BF16, as matrices by AMX. */
ops_bfloat16 gemm_bfloat16(void);

/* Says through the sink if the library does not make of this processor what it could, and what would help. */
void gemm_advise(const log_sink *log);

/* For measurements: C = op(A) op(B), all without gaps, the whole product in one call of the library with a team of `threads`
 * threads of its own; the caller's setting is put back. CFD_ERROR_DEVICE: not in this type. */
cfd_status gemm_bare(enum gemm_type type, bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k, const void *a,
                     const void *b, float *c, int32_t threads);

#endif
