/* SPDX-License-Identifier: Apache-2.0 */
/* Products with dense features: Y = F W and dW = F^T G. F is read from memory once a product, in blocks of rows; what the
 * library multiplies is a block that lies in a processor's own cache.
 *
 * In float32 a product is one term. In bfloat16 it is one term of rounded operands; where both are split into a high and a
 * low part (bf16x3) it is high high + high low + low high, added up in float32.
 *
 * F^T G is a sum over rows: it is cut into parts, each of which goes through its blocks of rows one after the other; the
 * parts are then added in order. Blocks and parts depend on the features' shape alone, so the bits do not depend on threads.
 */
#include "ops/cpu/cpu_features.h"

#include <string.h>

enum {
    PROJECT_ROWS = 128,      /* of F in a block */
    GRADIENT_ROWS = 256,     /* of F in a block */
    GRADIENT_COLUMNS = 1024, /* of F in a block, at most */
    GRADIENT_BLOCKS = 16     /* parts x blocks of columns, about */
};

/* A term of a product: which halves of the two operands. */
typedef struct term {
    bool low_a, low_b;
} term;

static const term terms[] = {{false, false}, {false, true}, {true, false}};

/* ---- plans ---- */

enum { REST_ROWS = 1, REST_COLUMNS = 2, ADDING = 4, PLANS = 8 };

/* Products of one kind at one width. Which of them exist follows from the shape: a plan for blocks of full size, for what is
 * left over in each direction, and the same adding to what is there. */
typedef struct plan_set {
    int32_t n;
    int64_t ld; /* of Y, of G */
    gemm_plan *plans[PLANS];
    size_t scratch_bytes;   /* of a run, the most */
    size_t packed_bytes[2]; /* of B; of B for the last block of rows (gradient) */
} plan_set;

struct dense_plans {
    const memory_source *memory;
    plan_set projection, gradient;
};

cfd_status cpu_dense_plans_create(const memory_source *memory, dense_plans **out)
{
    TRY(memory_allocate_zero(memory, 1, sizeof **out, "dense products", out));
    (*out)->memory = memory;
    return CFD_OK;
}

static void clear_set(plan_set *set)
{
    for (int i = 0; i < PLANS; i++) {
        gemm_plan_destroy(set->plans[i]);
    }
    *set = (plan_set){0};
}

void cpu_dense_plans_destroy(dense_plans *plans)
{
    if (plans) {
        clear_set(&plans->projection);
        clear_set(&plans->gradient);
        memory_release(plans->memory, plans);
    }
}

static size_t round_up(size_t bytes)
{
    return (bytes + MEMORY_ALIGNMENT - 1) / MEMORY_ALIGNMENT * MEMORY_ALIGNMENT;
}

static cfd_status add_plan(ops *o, plan_set *set, int which, const gemm_shape *shape, const gemm_plan *like)
{
    TRY(gemm_plan_create(o->memory, shape, threads_count(o->pool), like, &set->plans[which]));
    size_t bytes = round_up(gemm_scratch_bytes(set->plans[which]));
    set->scratch_bytes = bytes > set->scratch_bytes ? bytes : set->scratch_bytes;
    return CFD_OK;
}

/* ---- what products are made of ---- */

/* Products in this type. */
static enum gemm_type type_of(const ops_features *f)
{
    return f->precision == OPS_PRECISION_FLOAT32 ? GEMM_FLOAT32 : GEMM_BFLOAT16;
}

static size_t bytes_of(enum gemm_type type)
{
    return type == GEMM_FLOAT32 ? sizeof(float) : sizeof(uint16_t);
}

/* Do products read the features where they are? Else blocks are converted into a lane's room. */
static bool in_place(const ops_features *f)
{
    return f->element == (f->precision == OPS_PRECISION_FLOAT32 ? OPS_FLOAT32 : OPS_BFLOAT16);
}

/* Has F a low half? What is in place has one if it was kept. */
static bool splits_a(const ops_features *f)
{
    return f->precision == OPS_PRECISION_BF16X3 && (in_place(f) ? f->low != NULL : true);
}

static int terms_of(const ops_features *f)
{
    return f->precision == OPS_PRECISION_BF16X3 ? splits_a(f) ? 3 : 2 : 1;
}

/* A block of F as products take it. */
typedef struct block_of_f {
    const void *high, *low;
} block_of_f;

/* What a lane needs for a block of rows x columns that is not in place. */
typedef struct lane_room {
    size_t scratch, high, low, row; /* offsets */
    size_t bytes;
} lane_room;

static lane_room plan_room(const ops_features *f, size_t scratch_bytes, int64_t rows, int64_t columns, cpu_layout *layout)
{
    size_t numbers = in_place(f) ? 0 : (size_t)rows * (size_t)columns;
    cpu_layout lane = {0};
    lane_room room = {0};
    room.scratch = cpu_reserve(&lane, scratch_bytes, 1);
    room.high = cpu_reserve(&lane, numbers, bytes_of(type_of(f)));
    room.low = cpu_reserve(&lane, splits_a(f) ? numbers : 0, sizeof(uint16_t));
    room.row = cpu_reserve(&lane, in_place(f) ? 0 : (size_t)columns, sizeof(float));
    room.bytes = lane.bytes;
    layout->overflow = layout->overflow || lane.overflow;
    return room;
}

static void convert_block(const cpu_kernels *kernels, const ops_features *f, int64_t row, int64_t rows, int64_t column,
                          int64_t columns, unsigned char *lane, const lane_room *room)
{
    bool narrow = type_of(f) == GEMM_BFLOAT16;
    float *numbers = (float *)(void *)(lane + room->row);
    for (int64_t r = 0; r < rows; r++) {
        size_t start = (size_t)(row + r) * (size_t)f->ld + (size_t)column;
        size_t at = (size_t)r * (size_t)columns;
        const uint16_t *from = (const uint16_t *)f->numbers + start;
        float *to = narrow ? numbers : (float *)(void *)(lane + room->high) + at;
        (f->element == OPS_FLOAT16 ? kernels->widen_half : kernels->widen_bfloat16)(from, to, (size_t)columns);
        if (narrow) {
            uint16_t *low = splits_a(f) ? (uint16_t *)(void *)(lane + room->low) + at : NULL;
            kernels->split(numbers, (uint16_t *)(void *)(lane + room->high) + at, low, (size_t)columns);
        }
    }
}

/* Rows [row, row + rows) and columns [column, column + columns) of F, with a leading dimension of f->ld in place and of
 * `columns` else. */
static block_of_f take_block(const cpu_kernels *kernels, const ops_features *f, int64_t row, int64_t rows, int64_t column,
                             int64_t columns, unsigned char *lane, const lane_room *room)
{
    if (in_place(f)) {
        size_t at = (size_t)row * (size_t)f->ld + (size_t)column;
        return (block_of_f){(const unsigned char *)f->numbers + at * bytes_of(type_of(f)), f->low ? f->low + at : NULL};
    }
    convert_block(kernels, f, row, rows, column, columns, lane, room);
    return (block_of_f){lane + room->high, lane + room->low};
}

/* The other operand, packed: as it is, or its two halves. */
typedef struct packed_operand {
    size_t high, low; /* offsets in the scratch */
} packed_operand;

typedef struct dense_job {
    const cpu_kernels *kernels;
    const ops_features *f;
    const plan_set *set;
    unsigned char *scratch;
    size_t lanes; /* where the lanes' rooms begin */
    lane_room room;
    packed_operand packed;
    size_t halves; /* where numbers of B are split before they are packed */
    atomic_int failure;
    /* projection */
    float *y;
    /* gradient */
    const float *g;
    int64_t width; /* columns of F in a block */
    size_t column_blocks, row_blocks, parts;
    float *sums; /* parts x columns x n */
    float *dw;
} dense_job;

static unsigned char *lane_of(const dense_job *job, int32_t lane)
{
    return job->scratch + job->lanes + (size_t)lane * job->room.bytes;
}

/* C (+)= A B, all terms of it. `which` are the plans that do not add. */
static cfd_status multiply(const dense_job *job, int32_t lane, int which, block_of_f a, const unsigned char *high,
                           const unsigned char *low, bool add, float *c)
{
    int n = terms_of(job->f);
    for (int i = 0; i < n; i++) {
        gemm_plan *plan = job->set->plans[add || i > 0 ? which | ADDING : which];
        TRY(gemm_run(plan, lane, terms[i].low_a ? a.low : a.high, terms[i].low_b ? low : high, c,
                     lane_of(job, lane) + job->room.scratch));
    }
    return CFD_OK;
}

/* Packs B, `rows` x n with leading dimension ld, after splitting it in `halves` where products are of bfloat16. */
static cfd_status pack(const dense_job *job, int32_t lane, gemm_plan *plan, const float *b, int64_t rows, int64_t ld,
                       uint16_t *halves, unsigned char *high, unsigned char *low)
{
    if (type_of(job->f) == GEMM_FLOAT32) {
        return gemm_pack(plan, lane, b, high);
    }
    int64_t n = job->set->n;
    uint16_t *low_half = terms_of(job->f) > 1 ? halves + rows * n : NULL;
    for (int64_t r = 0; r < rows; r++) {
        job->kernels->split(b + r * ld, halves + r * n, low_half ? low_half + r * n : NULL, (size_t)n);
    }
    TRY(gemm_pack(plan, lane, halves, high));
    return low_half ? gemm_pack(plan, lane, low_half, low) : CFD_OK;
}

/* ---- Y = F W ---- */

static cfd_status plan_projection(ops *o, const ops_features *f, int32_t n, int64_t ldy)
{
    plan_set *set = &f->plans->projection;
    if (set->n == n && set->ld == ldy) {
        return CFD_OK;
    }
    clear_set(set);
    int64_t rest = f->rows % PROJECT_ROWS;
    gemm_shape shape = {.type = type_of(f),
                        .m = PROJECT_ROWS,
                        .n = n,
                        .k = f->columns,
                        .lda = in_place(f) ? f->ld : f->columns,
                        .ldb = n,
                        .ldc = ldy};
    for (int which = 0; which < (terms_of(f) > 1 ? 2 : 1) * ADDING; which += ADDING) {
        shape.add = which & ADDING;
        const gemm_plan *like = set->plans[0];
        if (f->rows >= PROJECT_ROWS) {
            shape.m = PROJECT_ROWS;
            TRY(add_plan(o, set, which, &shape, like));
            like = set->plans[0];
        }
        if (rest > 0) {
            shape.m = rest;
            TRY(add_plan(o, set, which | REST_ROWS, &shape, like ? like : set->plans[REST_ROWS]));
        }
    }
    set->packed_bytes[0] = gemm_packed_bytes(set->plans[f->rows >= PROJECT_ROWS ? 0 : REST_ROWS]);
    set->n = n;
    set->ld = ldy;
    return CFD_OK;
}

static void project_block(void *argument, int32_t lane, size_t block)
{
    dense_job *job = argument;
    const ops_features *f = job->f;
    int64_t begin = (int64_t)block * PROJECT_ROWS;
    int64_t rows = f->rows - begin < PROJECT_ROWS ? f->rows - begin : PROJECT_ROWS;
    block_of_f a = take_block(job->kernels, f, begin, rows, 0, f->columns, lane_of(job, lane), &job->room);
    cpu_note(&job->failure, multiply(job, lane, rows < PROJECT_ROWS ? REST_ROWS : 0, a, job->scratch + job->packed.high,
                                     job->scratch + job->packed.low, false, job->y + begin * job->set->ld));
}

cfd_status cpu_dense_project(ops *o, const ops_features *f, const float *w, int32_t n, float *y, int64_t ldy)
{
    static const char what[] = "a projection";
    cfd_status status = plan_projection(o, f, n, ldy);
    if (status != CFD_OK) {
        clear_set(&f->plans->projection);
        return cpu_gemm_result(cpu_of(o), status, what);
    }
    dense_job job = {.kernels = cpu_of(o)->kernels, .f = f, .set = &f->plans->projection, .y = y};
    size_t packed = round_up(job.set->packed_bytes[0]);
    int n_terms = terms_of(f);
    bool narrow = type_of(f) == GEMM_BFLOAT16;
    cpu_layout layout = {0};
    job.packed.high = cpu_reserve(&layout, packed, 1);
    job.packed.low = cpu_reserve(&layout, n_terms > 1 ? packed : 0, 1);
    job.halves = cpu_reserve(&layout, narrow ? 2 * (size_t)f->columns : 0, (size_t)n * sizeof(uint16_t));
    job.room = plan_room(f, job.set->scratch_bytes, PROJECT_ROWS, f->columns, &layout);
    job.lanes = cpu_reserve(&layout, (size_t)threads_count(o->pool), job.room.bytes);
    TRY(cpu_scratch(cpu_of(o), &layout, what, &job.scratch));
    gemm_plan *first = job.set->plans[f->rows >= PROJECT_ROWS ? 0 : REST_ROWS];
    status = pack(&job, 0, first, w, f->columns, n, (uint16_t *)(void *)(job.scratch + job.halves),
                  job.scratch + job.packed.high, job.scratch + job.packed.low);
    TRY(cpu_gemm_result(cpu_of(o), status, what));
    threads_run_lanes(o->pool, blocks_of((size_t)f->rows, PROJECT_ROWS), project_block, &job);
    return cpu_gemm_result(cpu_of(o), atomic_load(&job.failure), what);
}

/* ---- dW = F^T G ---- */

/* Columns of F in a block: equal parts, and a multiple of 16. */
static int64_t gradient_width(const ops_features *f)
{
    int64_t blocks = (f->columns + GRADIENT_COLUMNS - 1) / GRADIENT_COLUMNS;
    return ((f->columns + blocks - 1) / blocks + 15) / 16 * 16;
}

static cfd_status plan_gradient(ops *o, const ops_features *f, int32_t n, int64_t ldg)
{
    plan_set *set = &f->plans->gradient;
    if (set->n == n && set->ld == ldg) {
        return CFD_OK;
    }
    clear_set(set);
    int64_t width = gradient_width(f);
    for (int which = 0; which < PLANS; which++) {
        bool rest_rows = which & REST_ROWS;
        bool rest_columns = which & REST_COLUMNS;
        int64_t rows = rest_rows ? f->rows % GRADIENT_ROWS : f->rows < GRADIENT_ROWS ? 0 : GRADIENT_ROWS;
        // NOLINTNEXTLINE(clang-analyzer-core.DivideZero): there is a column
        int64_t columns = rest_columns ? f->columns % width : f->columns < width ? 0 : width;
        if (rows == 0 || columns == 0) {
            continue;
        }
        gemm_shape shape = {.type = type_of(f),
                            .transpose_a = true,
                            .add = which & ADDING,
                            .m = columns,
                            .n = n,
                            .k = rows,
                            .lda = in_place(f) ? f->ld : columns,
                            .ldb = type_of(f) == GEMM_FLOAT32 ? ldg : n,
                            .ldc = n};
        const gemm_plan *like = set->plans[which & REST_ROWS];
        like = like ? like : set->plans[which & (REST_ROWS | REST_COLUMNS)];
        TRY(add_plan(o, set, which, &shape, like));
        set->packed_bytes[rest_rows] = gemm_packed_bytes(set->plans[which]);
    }
    set->n = n;
    set->ld = ldg;
    return CFD_OK;
}

/* Any plan for blocks of so many rows: they pack alike. */
static gemm_plan *packing_plan(const plan_set *set, bool rest_rows)
{
    gemm_plan *plan = set->plans[rest_rows ? REST_ROWS : 0];
    return plan ? plan : set->plans[(rest_rows ? REST_ROWS : 0) | REST_COLUMNS];
}

static size_t packed_block(const dense_job *job)
{
    size_t full = round_up(job->set->packed_bytes[0]);
    size_t rest = round_up(job->set->packed_bytes[1]);
    return full > rest ? full : rest;
}

static int64_t rows_of_block(const dense_job *job, size_t block, int64_t *begin)
{
    *begin = (int64_t)block * GRADIENT_ROWS;
    return job->f->rows - *begin < GRADIENT_ROWS ? job->f->rows - *begin : GRADIENT_ROWS;
}

static void pack_gradient_block(void *argument, int32_t lane, size_t block)
{
    dense_job *job = argument;
    int64_t begin;
    int64_t rows = rows_of_block(job, block, &begin);
    size_t at = block * packed_block(job);
    uint16_t *halves = (uint16_t *)(void *)(job->scratch + job->halves) +
                       (size_t)lane * 2 * GRADIENT_ROWS * (size_t)job->set->n;
    cpu_note(&job->failure,
             pack(job, lane, packing_plan(job->set, rows < GRADIENT_ROWS), job->g + begin * job->set->ld, rows, job->set->ld,
                  halves, job->scratch + job->packed.high + at, job->scratch + job->packed.low + at));
}

/* A block of columns in one part of the rows. */
static void gradient_block(void *argument, int32_t lane, size_t block)
{
    dense_job *job = argument;
    const ops_features *f = job->f;
    size_t part = block / job->column_blocks;
    int64_t column = (int64_t)(block % job->column_blocks) * job->width;
    int64_t columns = f->columns - column < job->width ? f->columns - column : job->width;
    int64_t n = job->set->n;
    float *sum = job->sums + ((int64_t)part * f->columns + column) * n;
    size_t first = part * job->row_blocks / job->parts;
    size_t end = (part + 1) * job->row_blocks / job->parts;
    for (size_t b = first; b < end; b++) {
        int64_t begin;
        int64_t rows = rows_of_block(job, b, &begin);
        int which = (rows < GRADIENT_ROWS ? REST_ROWS : 0) | (columns < job->width ? REST_COLUMNS : 0);
        block_of_f a = take_block(job->kernels, f, begin, rows, column, columns, lane_of(job, lane), &job->room);
        size_t at = b * packed_block(job);
        cpu_note(&job->failure, multiply(job, lane, which, a, job->scratch + job->packed.high + at,
                                         job->scratch + job->packed.low + at, b > first, sum));
    }
}

enum { SUM_ELEMENTS = 8192 };

static void sum_block(void *argument, size_t block)
{
    const dense_job *job = argument;
    size_t n = (size_t)job->f->columns * (size_t)job->set->n;
    size_t begin = block * SUM_ELEMENTS;
    size_t count = n - begin < SUM_ELEMENTS ? n - begin : SUM_ELEMENTS;
    job->kernels->sum_parts(job->sums + begin, n, job->parts, 1.0, job->dw + begin, count);
}

cfd_status cpu_dense_gradient(ops *o, const ops_features *f, const float *g, int64_t ldg, int32_t n, float *dw)
{
    static const char what[] = "a projection's gradient";
    cfd_status status = plan_gradient(o, f, n, ldg);
    if (status != CFD_OK) {
        clear_set(&f->plans->gradient);
        return cpu_gemm_result(cpu_of(o), status, what);
    }
    dense_job job = {
        .kernels = cpu_of(o)->kernels, .f = f, .set = &f->plans->gradient, .g = g, .width = gradient_width(f), .dw = dw};
    job.column_blocks = blocks_of((size_t)f->columns, (size_t)job.width);
    job.row_blocks = blocks_of((size_t)f->rows, GRADIENT_ROWS);
    job.parts = blocks_of(GRADIENT_BLOCKS, job.column_blocks);
    job.parts = job.parts < job.row_blocks ? job.parts : job.row_blocks;
    size_t elements = (size_t)f->columns * (size_t)n;
    size_t lanes = (size_t)threads_count(o->pool);
    bool narrow = type_of(f) == GEMM_BFLOAT16;
    cpu_layout layout = {0};
    job.packed.high = cpu_reserve(&layout, job.row_blocks, packed_block(&job));
    job.packed.low = cpu_reserve(&layout, terms_of(f) > 1 ? job.row_blocks : 0, packed_block(&job));
    job.halves = cpu_reserve(&layout, narrow ? lanes * 2 * GRADIENT_ROWS : 0, (size_t)n * sizeof(uint16_t));
    size_t sums = cpu_reserve(&layout, job.parts > 1 ? job.parts * elements : 0, sizeof(float));
    job.room = plan_room(f, job.set->scratch_bytes, GRADIENT_ROWS, job.width, &layout);
    job.lanes = cpu_reserve(&layout, lanes, job.room.bytes);
    TRY(cpu_scratch(cpu_of(o), &layout, what, &job.scratch));
    job.sums = job.parts > 1 ? (float *)(void *)(job.scratch + sums) : dw;
    threads_run_lanes(o->pool, job.row_blocks, pack_gradient_block, &job);
    threads_run_lanes(o->pool, job.parts * job.column_blocks, gradient_block, &job);
    if (job.parts > 1) {
        threads_run(o->pool, blocks_of(elements, SUM_ELEMENTS), sum_block, &job);
    }
    return cpu_gemm_result(cpu_of(o), atomic_load(&job.failure), what);
}
