/* SPDX-License-Identifier: Apache-2.0 */
/* Dense products by oneDNN: its sgemm for products of passing shape, its matmul primitive, made once, for those of a step.
 *
 * Built with OpenMP, oneDNN works with the calling thread's team. That setting belongs to each thread, so it is one for the
 * length of a call and then what the host had. Scratch memory is the caller's: oneDNN's own belongs to the thread that makes
 * a primitive, and others execute it. */
#include "ops/cpu/gemm.h"

#include <oneapi/dnnl/dnnl.h>
#include <stdio.h>

#if DNNL_CPU_THREADING_RUNTIME == DNNL_RUNTIME_OMP
/* Declared here: <omp.h> may be another compiler's. */
extern int omp_get_max_threads(void);
extern void omp_set_num_threads(int threads);
#endif

/* Sets the calling thread's team; returns what it was. */
static int team_set(int threads)
{
#if DNNL_CPU_THREADING_RUNTIME == DNNL_RUNTIME_OMP
    int before = omp_get_max_threads();
    if (before != threads) {
        omp_set_num_threads(threads);
    }
    return before;
#else
    return threads;
#endif
}

static cfd_status status_of(dnnl_status_t result)
{
    switch (result) {
    case dnnl_success: return CFD_OK;
    case dnnl_out_of_memory: return CFD_ERROR_MEMORY;
    case dnnl_invalid_arguments: return CFD_ERROR_ARGUMENT;
    case dnnl_unimplemented: return CFD_ERROR_DEVICE;
    default: return CFD_ERROR_SYSTEM;
    }
}

#define TRY_DNNL(call) TRY(status_of(call))

cfd_status gemm(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k, float alpha, const float *a,
                int64_t lda, const float *b, int64_t ldb, float beta, float *c, int64_t ldc)
{
    int team = team_set(1);
    dnnl_status_t result = dnnl_sgemm(transpose_a ? 'T' : 'N', transpose_b ? 'T' : 'N', m, n, k, alpha, a, lda, b, ldb, beta,
                                      c, ldc);
    team_set(team);
    return status_of(result);
}

/* ---- descriptions ---- */

static dnnl_data_type_t data_type(enum gemm_type type)
{
    return type == GEMM_BFLOAT16 ? dnnl_bf16 : dnnl_f32;
}

/* rows x columns; transposed: it stands in memory as columns x rows. */
static dnnl_status_t describe(dnnl_memory_desc_t *out, dnnl_data_type_t type, int64_t rows, int64_t columns, int64_t ld,
                              bool transposed)
{
    dnnl_dims_t sizes = {rows, columns};
    dnnl_dims_t strides = {transposed ? 1 : ld, transposed ? ld : 1};
    return dnnl_memory_desc_init_by_strides(out, 2, sizes, type, strides);
}

/* The primitive's description. */
static cfd_status describe_product(dnnl_engine_t engine, const dnnl_memory_desc_t *a, const dnnl_memory_desc_t *b,
                                   const dnnl_memory_desc_t *c, bool add, dnnl_scratchpad_mode_t scratch,
                                   dnnl_primitive_desc_t *out)
{
    dnnl_primitive_attr_t attributes;
    TRY_DNNL(dnnl_primitive_attr_create(&attributes));
    dnnl_post_ops_t after = NULL;
    dnnl_matmul_desc_t product;
    dnnl_status_t result = dnnl_primitive_attr_set_scratchpad_mode(attributes, scratch);
    if (result == dnnl_success && add) {
        result = dnnl_post_ops_create(&after);
        result = result == dnnl_success ? dnnl_post_ops_append_sum(after, 1.0f) : result;
        result = result == dnnl_success ? dnnl_primitive_attr_set_post_ops(attributes, after) : result;
    }
    result = result == dnnl_success ? dnnl_matmul_desc_init(&product, a, b, NULL, c) : result;
    result = result == dnnl_success ? dnnl_primitive_desc_create(out, &product, attributes, engine, NULL) : result;
    if (after) {
        dnnl_post_ops_destroy(after);
    }
    dnnl_primitive_attr_destroy(attributes);
    return status_of(result);
}

/* ---- plans ---- */

/* What one run needs of its own: memory handles are set anew for each. */
typedef struct gemm_lane {
    dnnl_stream_t stream;
    dnnl_memory_t a, plain_b, packed_b, c, scratch;
} gemm_lane;

struct gemm_plan {
    const memory_source *memory;
    dnnl_engine_t engine;
    dnnl_primitive_t product, packing;
    dnnl_memory_desc_t packed;
    size_t scratch_bytes;
    int32_t n_lanes;
    gemm_lane *lanes;
};

static cfd_status make_packing(gemm_plan *plan, const dnnl_memory_desc_t *plain)
{
    dnnl_primitive_desc_t description;
    TRY_DNNL(dnnl_reorder_primitive_desc_create(&description, plain, plan->engine, &plan->packed, plan->engine, NULL));
    dnnl_status_t result = dnnl_primitive_create(&plan->packing, description);
    dnnl_primitive_desc_destroy(description);
    return status_of(result);
}

static cfd_status make_lane(gemm_plan *plan, gemm_lane *lane, const dnnl_memory_desc_t *a, const dnnl_memory_desc_t *b,
                            const dnnl_memory_desc_t *c, const dnnl_memory_desc_t *scratch)
{
    TRY_DNNL(dnnl_stream_create(&lane->stream, plan->engine, dnnl_stream_default_flags));
    TRY_DNNL(dnnl_memory_create(&lane->a, a, plan->engine, DNNL_MEMORY_NONE));
    TRY_DNNL(dnnl_memory_create(&lane->plain_b, b, plan->engine, DNNL_MEMORY_NONE));
    TRY_DNNL(dnnl_memory_create(&lane->packed_b, &plan->packed, plan->engine, DNNL_MEMORY_NONE));
    TRY_DNNL(dnnl_memory_create(&lane->c, c, plan->engine, DNNL_MEMORY_NONE));
    return status_of(dnnl_memory_create(&lane->scratch, scratch, plan->engine, DNNL_MEMORY_NONE));
}

static cfd_status make_lanes(gemm_plan *plan, dnnl_primitive_desc_t description, const dnnl_memory_desc_t *a,
                             const dnnl_memory_desc_t *b, const dnnl_memory_desc_t *c)
{
    const dnnl_memory_desc_t *scratch = dnnl_primitive_desc_query_md(description, dnnl_query_scratchpad_md, 0);
    plan->scratch_bytes = dnnl_memory_desc_get_size(scratch);
    TRY(memory_allocate_zero(plan->memory, (size_t)plan->n_lanes, sizeof *plan->lanes, "a dense product", &plan->lanes));
    for (int32_t i = 0; i < plan->n_lanes; i++) {
        TRY(make_lane(plan, &plan->lanes[i], a, b, c, scratch));
    }
    return CFD_OK;
}

static cfd_status make_plan(gemm_plan *plan, const gemm_shape *shape, const gemm_plan *like)
{
    dnnl_data_type_t type = data_type(shape->type);
    dnnl_dims_t sizes = {shape->k, shape->n};
    dnnl_memory_desc_t a;
    dnnl_memory_desc_t b;
    dnnl_memory_desc_t c;
    dnnl_memory_desc_t any;
    TRY_DNNL(dnnl_engine_create(&plan->engine, dnnl_cpu, 0));
    TRY_DNNL(describe(&a, type, shape->m, shape->k, shape->lda, shape->transpose_a));
    TRY_DNNL(describe(&b, type, shape->k, shape->n, shape->ldb, false));
    TRY_DNNL(describe(&c, dnnl_f32, shape->m, shape->n, shape->ldc, false));
    TRY_DNNL(dnnl_memory_desc_init_by_tag(&any, 2, sizes, type, dnnl_format_tag_any));
    dnnl_primitive_desc_t description;
    TRY(describe_product(plan->engine, &a, like ? &like->packed : &any, &c, shape->add, dnnl_scratchpad_mode_user,
                         &description));
    plan->packed = *dnnl_primitive_desc_query_md(description, dnnl_query_weights_md, 0);
    cfd_status status = status_of(dnnl_primitive_create(&plan->product, description));
    status = status == CFD_OK ? make_packing(plan, &b) : status;
    status = status == CFD_OK ? make_lanes(plan, description, &a, &b, &c) : status;
    dnnl_primitive_desc_destroy(description);
    return status;
}

cfd_status gemm_plan_create(const memory_source *memory, const gemm_shape *shape, int32_t lanes, const gemm_plan *like,
                            gemm_plan **out)
{
    gemm_plan *plan;
    TRY(memory_allocate_zero(memory, 1, sizeof *plan, "a dense product", &plan));
    plan->memory = memory;
    plan->n_lanes = lanes;
    int team = team_set(1);
    cfd_status status = make_plan(plan, shape, like);
    team_set(team);
    if (status != CFD_OK) {
        gemm_plan_destroy(plan);
        return status;
    }
    *out = plan;
    return CFD_OK;
}

void gemm_plan_destroy(gemm_plan *plan)
{
    if (!plan) {
        return;
    }
    for (int32_t i = 0; plan->lanes && i < plan->n_lanes; i++) {
        gemm_lane *lane = &plan->lanes[i];
        dnnl_memory_t memories[] = {lane->a, lane->plain_b, lane->packed_b, lane->c, lane->scratch};
        for (size_t k = 0; k < sizeof memories / sizeof memories[0]; k++) {
            if (memories[k]) {
                dnnl_memory_destroy(memories[k]);
            }
        }
        if (lane->stream) {
            dnnl_stream_destroy(lane->stream);
        }
    }
    if (plan->product) {
        dnnl_primitive_destroy(plan->product);
    }
    if (plan->packing) {
        dnnl_primitive_destroy(plan->packing);
    }
    if (plan->engine) {
        dnnl_engine_destroy(plan->engine);
    }
    memory_release(plan->memory, plan->lanes);
    memory_release(plan->memory, plan);
}

size_t gemm_packed_bytes(const gemm_plan *plan)
{
    return dnnl_memory_desc_get_size(&plan->packed);
}

size_t gemm_scratch_bytes(const gemm_plan *plan)
{
    return plan->scratch_bytes;
}

/* oneDNN's handles do not know const; it only reads the arguments of primitives that are not results. */
static dnnl_status_t point(dnnl_memory_t memory, const void *at)
{
    union {
        const void *from;
        void *to;
    } cast = {at};
    return dnnl_memory_set_data_handle(memory, cast.to);
}

static cfd_status execute(dnnl_primitive_t primitive, dnnl_stream_t stream, int n, const dnnl_exec_arg_t *arguments)
{
    int team = team_set(1);
    dnnl_status_t result = dnnl_primitive_execute(primitive, stream, n, arguments);
    result = result == dnnl_success ? dnnl_stream_wait(stream) : result;
    team_set(team);
    return status_of(result);
}

cfd_status gemm_pack(gemm_plan *plan, int32_t lane_number, const void *b, void *packed)
{
    gemm_lane *lane = &plan->lanes[lane_number];
    TRY_DNNL(point(lane->plain_b, b));
    TRY_DNNL(point(lane->packed_b, packed));
    dnnl_exec_arg_t arguments[] = {{DNNL_ARG_FROM, lane->plain_b}, {DNNL_ARG_TO, lane->packed_b}};
    return execute(plan->packing, lane->stream, 2, arguments);
}

cfd_status gemm_run(gemm_plan *plan, int32_t lane_number, const void *a, const void *packed, float *c, void *scratch)
{
    gemm_lane *lane = &plan->lanes[lane_number];
    TRY_DNNL(point(lane->a, a));
    TRY_DNNL(point(lane->packed_b, packed));
    TRY_DNNL(point(lane->c, c));
    TRY_DNNL(point(lane->scratch, scratch));
    dnnl_exec_arg_t arguments[] = {{DNNL_ARG_SRC, lane->a},
                                   {DNNL_ARG_WEIGHTS, lane->packed_b},
                                   {DNNL_ARG_DST, lane->c},
                                   {DNNL_ARG_SCRATCHPAD, lane->scratch}};
    return execute(plan->product, lane->stream, 4, arguments);
}

/* ---- what the library is ---- */

void gemm_name(char name[GEMM_NAME_BYTES])
{
    const dnnl_version_t *version = dnnl_version();
    snprintf(name, GEMM_NAME_BYTES, "oneDNN %d.%d.%d", version->major, version->minor, version->patch);
}

ops_bfloat16 gemm_bfloat16(void)
{
    unsigned set = (unsigned)dnnl_get_effective_cpu_isa();
    if ((set & dnnl_cpu_isa_avx512_core_amx) == dnnl_cpu_isa_avx512_core_amx) {
        return OPS_BFLOAT16_MATRIX;
    }
    return (set & dnnl_cpu_isa_avx512_core_bf16) == dnnl_cpu_isa_avx512_core_bf16 ? OPS_BFLOAT16_NATIVE : OPS_BFLOAT16_NONE;
}

void gemm_advise(const log_sink *log)
{
    (void)log; /* oneDNN reads processors right */
}

/* ---- measurements ---- */

static cfd_status run_bare(dnnl_engine_t engine, const dnnl_memory_desc_t descriptions[3], void *const data[3])
{
    dnnl_primitive_desc_t description;
    TRY(describe_product(engine, &descriptions[0], &descriptions[1], &descriptions[2], false, dnnl_scratchpad_mode_library,
                         &description));
    dnnl_primitive_t product = NULL;
    dnnl_stream_t stream = NULL;
    dnnl_memory_t memories[3] = {NULL, NULL, NULL};
    dnnl_status_t result = dnnl_primitive_create(&product, description);
    result = result == dnnl_success ? dnnl_stream_create(&stream, engine, dnnl_stream_default_flags) : result;
    for (int i = 0; i < 3 && result == dnnl_success; i++) {
        result = dnnl_memory_create(&memories[i], &descriptions[i], engine, data[i]);
    }
    if (result == dnnl_success) {
        dnnl_exec_arg_t arguments[] = {{DNNL_ARG_SRC, memories[0]},
                                       {DNNL_ARG_WEIGHTS, memories[1]},
                                       {DNNL_ARG_DST, memories[2]}};
        result = dnnl_primitive_execute(product, stream, 3, arguments);
        result = result == dnnl_success ? dnnl_stream_wait(stream) : result;
    }
    for (int i = 0; i < 3; i++) {
        if (memories[i]) {
            dnnl_memory_destroy(memories[i]);
        }
    }
    if (stream) {
        dnnl_stream_destroy(stream);
    }
    if (product) {
        dnnl_primitive_destroy(product);
    }
    dnnl_primitive_desc_destroy(description);
    return status_of(result);
}

cfd_status gemm_bare(enum gemm_type type, bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k, const void *a,
                     const void *b, float *c, int32_t threads)
{
    union {
        const void *from;
        void *to;
    } cast_a = {a}, cast_b = {b};
    void *const data[3] = {cast_a.to, cast_b.to, c};
    dnnl_memory_desc_t descriptions[3];
    dnnl_engine_t engine;
    TRY_DNNL(describe(&descriptions[0], data_type(type), m, k, transpose_a ? m : k, transpose_a));
    TRY_DNNL(describe(&descriptions[1], data_type(type), k, n, transpose_b ? k : n, transpose_b));
    TRY_DNNL(describe(&descriptions[2], dnnl_f32, m, n, n, false));
    TRY_DNNL(dnnl_engine_create(&engine, dnnl_cpu, 0));
    int team = team_set(threads);
    cfd_status status = run_bare(engine, descriptions, data);
    team_set(team);
    dnnl_engine_destroy(engine);
    return status;
}
