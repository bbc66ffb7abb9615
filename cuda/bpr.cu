/* SPDX-License-Identifier: Apache-2.0 */
/* The ranking loss of all branches (SPEC 5), in two launches. The first finds margins: of every triple the loss, and the
 * coefficient by which it enters the gradient. The second writes the gradient row of every slot: whoever owns a row gathers
 * what its appearances contribute, in their order, and writes it once. */
#include "backend.h"

#include "batch.cuh"

#include <math.h>

enum {
    BPR_BRANCHES = CFD_MAX_MODALITIES + 2,
    BPR_BLOCK = 256,
    BPR_WARPS = BPR_BLOCK / WARP, /* as many triples or slots */
    LANE_COLUMNS = 4,
    PART_COLUMNS = LANE_COLUMNS * WARP, /* columns of a branch that a block of the second launch takes */
    LONG_LIST = 16                      /* terms above which the warps of a block share a slot's sum */
};

typedef struct bpr_branches {
    ops_branch of[BPR_BRANCHES];
} bpr_branches;

/* ---- margins ---- */

/* x_u.(x_i - x_j) of a triple, in every lane. */
__device__ __forceinline__ float margin_of(const ops_batch &batch, const ops_view &view, int32_t b)
{
    const float *rows[3];
    for (int role = 0; role < 3; role++) {
        rows[role] = view.data + view.ld * batch_index_of_node(batch, view, batch_node(batch, b, role));
    }
    float sum = 0;
    for (int32_t c = lane_of_thread(); inside(c, view.width); c += WARP) {
        sum += rows[0][c] * (rows[1][c] - rows[2][c]);
    }
    return warp_sum(sum);
}

/* A warp for each triple and branch. coefficients: for each branch, one for each triple: the derivative by its margin.
 * partial: for each branch, one for each block: sums of softplus. */
__global__ void bpr_margins_kernel(ops_batch batch, bpr_branches branches, float *coefficients, double *partial)
{
    const ops_branch &branch = branches.of[blockIdx.y];
    int32_t b = (int32_t)(blockIdx.x * BPR_WARPS + threadIdx.x / WARP);
    double loss = 0;
    if (inside(b, batch.size)) {
        float margin = margin_of(batch, branch.embedding, b);
        if (lane_of_thread() == 0) {
            float e = expf(-fabsf(margin)); /* never above 1, whatever the margin */
            loss = (margin < 0 ? -margin : 0) + (double)log1pf(e);
            coefficients[(int64_t)blockIdx.y * batch.size + b] = -branch.weight / (float)batch.size *
                                                                 ((margin < 0 ? 1 : e) / (1 + e));
        }
    }
    loss = block_sum<BPR_BLOCK>(loss);
    if (threadIdx.x == 0) {
        partial[(int64_t)blockIdx.y * gridDim.x + blockIdx.x] = loss;
    }
}

/* ---- gradients ---- */

/* What a slot's gradient is the sum of: a user's appearance contributes two rows, an item's one. */
typedef struct term_list {
    int32_t begin; /* in occurrences */
    int32_t terms;
    int32_t shift; /* an appearance has 1 << shift terms */
} term_list;

__device__ __forceinline__ term_list list_terms(const ops_batch &batch, int32_t slot)
{
    term_list list;
    list.begin = batch.offsets[slot];
    list.shift = batch.rows[slot] < batch.users ? 1 : 0;
    list.terms = (batch.offsets[slot + 1] - list.begin) << list.shift;
    return list;
}

/* A row, by its index in the branch's rows, and the factor that it enters the sum with. */
typedef struct gradient_term {
    int32_t row;
    float factor;
} gradient_term;

__device__ __forceinline__ gradient_term term_of(const ops_batch &batch, const ops_view &view, const float *coefficients,
                                                 const term_list &list, int32_t t)
{
    int32_t occurrence = batch.occurrences[list.begin + (t >> list.shift)];
    int32_t role = occurrence % 3;
    int32_t other = role == 0 ? 1 + t % 2 : 0;
    float coefficient = coefficients[occurrence / 3];
    gradient_term term;
    term.row = batch_index_of_node(batch, view, batch_node(batch, occurrence / 3, other));
    term.factor = role + other == 2 ? -coefficient : coefficient; /* between user and negative */
    return term;
}

/* sum[k] += terms [begin, end) of a list, of column `column` + k * WARP. The lanes look up a term each, then all lanes add
 * one after the other. */
__device__ __forceinline__ void add_terms(const ops_batch &batch, const ops_view &view, const float *coefficients,
                                          const term_list &list, int32_t begin, int32_t end, int32_t column, float *sum)
{
    for (int32_t first = begin; inside(first, end); first += WARP) {
        gradient_term term = {0, 0};
        if (inside(first + lane_of_thread(), end)) {
            term = term_of(batch, view, coefficients, list, first + lane_of_thread());
        }
        int32_t terms = end - first < WARP ? end - first : (int32_t)WARP;
        for (int32_t j = 0; j < terms; j++) {
            const float *row = view.data + view.ld * __shfl_sync(0xffffffffu, term.row, j) + column;
            float factor = __shfl_sync(0xffffffffu, term.factor, j);
            for (int k = 0; k < LANE_COLUMNS; k++) {
                if (inside(column + k * WARP, view.width)) {
                    sum[k] += factor * row[k * WARP];
                }
            }
        }
    }
}

/* A warp writes its slot's row, from the column of its lane on, unless the list is long. */
__device__ __forceinline__ void write_row(const ops_batch &batch, const ops_branch &branch, const float *coefficients,
                                          int32_t slot, int32_t column)
{
    term_list list = list_terms(batch, slot);
    if (list.terms > LONG_LIST) {
        return;
    }
    float sum[LANE_COLUMNS] = {0};
    add_terms(batch, branch.embedding, coefficients, list, 0, list.terms, column, sum);
    float *gradient = batch_row(batch, branch.gradient, slot) + column;
    for (int k = 0; k < LANE_COLUMNS; k++) {
        if (inside(column + k * WARP, branch.embedding.width)) {
            gradient[k * WARP] = sum[k];
        }
    }
}

/* The warps of the block each sum a part of a long list; `parts` are added in the order of the warps. */
__device__ __forceinline__ void share_row(const ops_batch &batch, const ops_branch &branch, const float *coefficients,
                                          int32_t slot, int32_t first_column, float (*parts)[PART_COLUMNS])
{
    term_list list = list_terms(batch, slot);
    int32_t share = (list.terms + BPR_WARPS - 1) / BPR_WARPS;
    int warp = (int)(threadIdx.x / WARP);
    int32_t begin = warp * share;
    int32_t end = inside(begin + share, list.terms) ? begin + share : list.terms;
    float sum[LANE_COLUMNS] = {0};
    add_terms(batch, branch.embedding, coefficients, list, begin, end, first_column + lane_of_thread(), sum);
    for (int k = 0; k < LANE_COLUMNS; k++) {
        parts[warp][k * WARP + lane_of_thread()] = sum[k];
    }
    __syncthreads();
    int column = (int)threadIdx.x;
    if (inside(column, PART_COLUMNS) && inside(first_column + column, branch.embedding.width)) {
        float total = 0;
        for (int w = 0; w < BPR_WARPS; w++) {
            total += parts[w][column];
        }
        batch_row(batch, branch.gradient, slot)[first_column + column] = total;
    }
    __syncthreads();
}

/* Which of the block's slots have long lists, a bit each: the same in every warp. The lanes look at one each, those beyond
 * the block's at slots of the next blocks. */
__device__ __forceinline__ unsigned long_lists(const ops_batch &batch, int32_t first_slot, int32_t count)
{
    int32_t slot = first_slot + lane_of_thread();
    bool is_long = inside(slot, count) && list_terms(batch, slot).terms > LONG_LIST;
    return __ballot_sync(0xffffffffu, is_long) & ((1u << BPR_WARPS) - 1);
}

/* *loss += the sum of a branch's partial sums over the batch's size. */
__device__ __forceinline__ void add_loss(const double *partial, int32_t n, int32_t size, double *loss)
{
    double sum = 0;
    for (int32_t k = (int32_t)threadIdx.x; inside(k, n); k += BPR_BLOCK) {
        sum += partial[k];
    }
    sum = block_sum<BPR_BLOCK>(sum);
    if (threadIdx.x == 0) {
        *loss += sum / size;
    }
}

/* Blocks (x) of BPR_WARPS slots, and (y) of PART_COLUMNS columns of one branch after the other. The first of a branch also
 * adds up its loss, from n partial sums. */
__global__ void bpr_gradients_kernel(ops_batch batch, bpr_branches branches, const float *coefficients,
                                     const double *partial, int32_t n)
{
    SHARED(parts, float[BPR_WARPS][PART_COLUMNS]);
    int32_t k = 0;
    int32_t first_column = (int32_t)blockIdx.y * PART_COLUMNS;
    for (; !inside(first_column, branches.of[k].embedding.width); k++) {
        first_column -= (branches.of[k].embedding.width + PART_COLUMNS - 1) / PART_COLUMNS * PART_COLUMNS;
    }
    const ops_branch &branch = branches.of[k];
    const float *mine = coefficients + (int64_t)k * batch.size;
    int32_t count = *batch.count;
    int32_t first_slot = (int32_t)blockIdx.x * BPR_WARPS;
    int32_t slot = first_slot + (int32_t)(threadIdx.x / WARP);
    if (inside(slot, count)) {
        write_row(batch, branch, mine, slot, first_column + lane_of_thread());
    }
    for (unsigned rest = long_lists(batch, first_slot, count); rest != 0; rest &= rest - 1) {
        share_row(batch, branch, mine, first_slot + __ffs((int)rest) - 1, first_column, parts);
    }
    if (blockIdx.x == 0 && first_column == 0) {
        add_loss(partial + (int64_t)k * n, n, batch.size, branch.loss);
    }
}

cfd_status cuda_bpr(ops *o, const ops_batch *batch, const ops_branch *branches, int32_t n)
{
    device_scope here(o);
    cuda_ops *c = cuda_of(o);
    if (batch->size == 0 || n == 0) {
        return CFD_OK;
    }
    if (n > BPR_BRANCHES) {
        return cuda_fail(c, CFD_ERROR_ARGUMENT, "%d branches of a ranking loss, of at most %d", (int)n, (int)BPR_BRANCHES);
    }
    bpr_branches all = {};
    unsigned parts = 0;
    for (int32_t k = 0; k < n; k++) {
        all.of[k] = branches[k];
        parts += cuda_blocks(branches[k].embedding.width, PART_COLUMNS);
    }
    float *coefficients;
    double *partial;
    unsigned most = cuda_blocks(batch->capacity, BPR_WARPS);
    unsigned blocks = cuda_blocks(batch->size, BPR_WARPS);
    size_t triples = (size_t)n * (size_t)batch->capacity;
    TRY(cuda_scratch_get(c, SCRATCH_COEFFICIENTS, triples * sizeof *coefficients, &coefficients));
    TRY(cuda_scratch_get(c, SCRATCH_SUMS, (size_t)n * most * sizeof *partial, &partial));
    LAUNCH(c, bpr_margins_kernel, dim3(blocks, (unsigned)n), BPR_BLOCK, 0, *batch, all, coefficients, partial);
    unsigned slots = cuda_blocks(ops_batch_rows(batch).capacity, BPR_WARPS);
    LAUNCH(c, bpr_gradients_kernel, dim3(slots, parts), BPR_BLOCK, 0, *batch, all, coefficients, partial, (int32_t)blocks);
    return CFD_OK;
}
