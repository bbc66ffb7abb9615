/* SPDX-License-Identifier: Apache-2.0 */
/* Products with a sparse matrix. The whole matrix by cuSPARSE, with the algorithm that gives the same bits in every run.
 * Listed rows, or an operand that has few of its rows, by a kernel that touches nothing else: a warp for each row, lanes
 * that look up 32 of its entries at once and pass over those that meet no row; the warps of a block share a long row, since
 * an item may have thousands of entries where the mean is ten. */
#include "spmm.h"

#include "device.cuh"

#include <limits.h>

enum {
    SPMM_BLOCK = 256,
    SPMM_WARPS = SPMM_BLOCK / WARP, /* rows of a block */
    LANE_COLUMNS = 4,
    PART_COLUMNS = LANE_COLUMNS * WARP, /* columns of a block */
    LONG_ROW = 128,                     /* entries above which a row is shared */
    OFFSETS_BLOCK = 256
};

typedef struct spmm_task {
    ops_csr g;
    ops_rows output;
    const int32_t *input_slots;
    const float *x;
    float *y;
    int64_t ldx, ldy;
    int32_t columns;
} spmm_task;

__device__ __forceinline__ int32_t wanted_rows(const spmm_task &task)
{
    return task.output.rows ? *task.output.count : task.g.rows;
}

/* Which row of G the k-th wanted one is. */
__device__ __forceinline__ int32_t row_of(const spmm_task &task, int32_t k)
{
    return task.output.rows ? task.output.rows[k] : k;
}

/* A lane's columns: VECTOR: four that follow one another; else every 32nd. Of X and Y alike. */
template <bool VECTOR> __device__ __forceinline__ int32_t lane_column(int32_t first, int k)
{
    return VECTOR ? first + LANE_COLUMNS * lane_of_thread() + k : first + k * WARP + lane_of_thread();
}

/* sum += value times a row of X, at the lane's columns. With VECTOR the columns are a multiple of four: all four or none. */
template <bool VECTOR>
__device__ __forceinline__ void add_row(const spmm_task &task, int32_t row, float value, int32_t first, float *sum)
{
    const float *x = task.x + (int64_t)row * task.ldx;
    if constexpr (VECTOR) {
        if (inside(lane_column<VECTOR>(first, 0), task.columns)) {
            float4 four = *reinterpret_cast<const float4 *>(x + lane_column<VECTOR>(first, 0));
            sum[0] = fmaf(value, four.x, sum[0]);
            sum[1] = fmaf(value, four.y, sum[1]);
            sum[2] = fmaf(value, four.z, sum[2]);
            sum[3] = fmaf(value, four.w, sum[3]);
        }
    } else {
        for (int k = 0; k < LANE_COLUMNS; k++) {
            if (inside(lane_column<VECTOR>(first, k), task.columns)) {
                sum[k] = fmaf(value, x[lane_column<VECTOR>(first, k)], sum[k]);
            }
        }
    }
}

/* sum += the entries [begin, end) of G, in their order. All lanes of the warp take part. */
template <bool VECTOR>
__device__ __forceinline__ void add_entries(const spmm_task &task, int64_t begin, int64_t end, int32_t first, float *sum)
{
    for (int64_t base = begin; base < end; base += WARP) {
        int64_t p = base + lane_of_thread();
        int32_t row = -1;
        float value = 0;
        if (inside(p, end)) {
            row = task.input_slots ? task.input_slots[task.g.indices[p]] : task.g.indices[p];
            value = task.g.values[p];
        }
        for (unsigned met = __ballot_sync(0xffffffffu, row >= 0); met != 0; met &= met - 1) {
            int lane = __ffs((int)met) - 1;
            add_row<VECTOR>(task, __shfl_sync(0xffffffffu, row, lane), __shfl_sync(0xffffffffu, value, lane), first, sum);
        }
    }
}

template <bool VECTOR>
__device__ __forceinline__ void write_row(const spmm_task &task, int32_t k, int32_t first, const float *sum)
{
    float *y = task.y + (int64_t)k * task.ldy;
    if constexpr (VECTOR) {
        if (inside(lane_column<VECTOR>(first, 0), task.columns)) {
            *reinterpret_cast<float4 *>(y + lane_column<VECTOR>(first, 0)) = float4{sum[0], sum[1], sum[2], sum[3]};
        }
    } else {
        for (int n = 0; n < LANE_COLUMNS; n++) {
            if (inside(lane_column<VECTOR>(first, n), task.columns)) {
                y[lane_column<VECTOR>(first, n)] = sum[n];
            }
        }
    }
}

__device__ __forceinline__ int64_t entries_of(const spmm_task &task, int32_t k)
{
    int32_t row = row_of(task, k);
    return task.g.offsets[row + 1] - task.g.offsets[row];
}

/* A long row: the warps each sum a part of it; the parts are added in the order of the warps. */
template <bool VECTOR>
__device__ __forceinline__ void share_row(const spmm_task &task, int32_t k, int32_t first, float (*parts)[PART_COLUMNS])
{
    int64_t begin = task.g.offsets[row_of(task, k)];
    int64_t end = task.g.offsets[row_of(task, k) + 1];
    int64_t share = (end - begin + SPMM_WARPS - 1) / SPMM_WARPS;
    int warp = (int)(threadIdx.x / WARP);
    int64_t from = begin + warp * share;
    int64_t to = inside(from + share, end) ? from + share : end;
    float sum[LANE_COLUMNS] = {0};
    add_entries<VECTOR>(task, from, to, first, sum);
    for (int n = 0; n < LANE_COLUMNS; n++) {
        parts[warp][lane_column<VECTOR>(0, n)] = sum[n];
    }
    __syncthreads();
    int column = (int)threadIdx.x;
    if (inside(column, PART_COLUMNS) && inside(first + column, task.columns)) {
        float total = 0;
        for (int w = 0; w < SPMM_WARPS; w++) {
            total += parts[w][column];
        }
        task.y[(int64_t)k * task.ldy + first + column] = total;
    }
    __syncthreads();
}

/* Blocks (x) of SPMM_WARPS wanted rows, and (y) of PART_COLUMNS columns. */
template <bool VECTOR> __global__ void spmm_rows_kernel(spmm_task task)
{
    SHARED(parts, float[SPMM_WARPS][PART_COLUMNS]);
    int32_t rows = wanted_rows(task);
    int32_t first = (int32_t)blockIdx.y * PART_COLUMNS;
    int32_t first_row = (int32_t)blockIdx.x * SPMM_WARPS;
    int32_t k = first_row + (int32_t)(threadIdx.x / WARP);
    if (inside(k, rows) && entries_of(task, k) <= LONG_ROW) {
        int32_t row = row_of(task, k);
        float sum[LANE_COLUMNS] = {0};
        add_entries<VECTOR>(task, task.g.offsets[row], task.g.offsets[row + 1], first, sum);
        write_row<VECTOR>(task, k, first, sum);
    }
    int32_t other = first_row + lane_of_thread();
    bool is_long = inside(lane_of_thread(), SPMM_WARPS) && inside(other, rows) && entries_of(task, other) > LONG_ROW;
    for (unsigned rest = __ballot_sync(0xffffffffu, is_long); rest != 0; rest &= rest - 1) {
        share_row<VECTOR>(task, first_row + __ffs((int)rest) - 1, first, parts);
    }
}

cfd_status cuda_spmm_rows(cuda_ops *c, const ops_csr *g, ops_rows output, const int32_t *input_slots, const float *x,
                          int64_t ldx, float *y, int64_t ldy, int32_t columns)
{
    spmm_task task = {*g, output, input_slots, x, y, ldx, ldy, columns};
    int64_t rows = output.rows ? output.capacity : g->rows;
    if (rows == 0 || columns == 0) {
        return CFD_OK;
    }
    dim3 grid(cuda_blocks(rows, SPMM_WARPS), cuda_blocks(columns, PART_COLUMNS));
    bool vector = columns % LANE_COLUMNS == 0 && ldx % LANE_COLUMNS == 0 && ldy % LANE_COLUMNS == 0 &&
                  ((uintptr_t)x | (uintptr_t)y) % sizeof(float4) == 0;
    if (vector) {
        LAUNCH(c, spmm_rows_kernel<true>, grid, SPMM_BLOCK, 0, task);
    } else {
        LAUNCH(c, spmm_rows_kernel<false>, grid, SPMM_BLOCK, 0, task);
    }
    return CFD_OK;
}

/* ---- the whole matrix ---- */

/* cuSPARSE wants offsets and columns of one type. */
__global__ void narrow_offsets_kernel(const int64_t *offsets, int32_t *narrow, int32_t n)
{
    int32_t i = (int32_t)(blockIdx.x * OFFSETS_BLOCK + threadIdx.x);
    if (inside(i, n)) {
        narrow[i] = (int32_t)offsets[i];
    }
}

typedef struct whole_product {
    cusparseConstSpMatDescr_t g;
    cusparseConstDnMatDescr_t x;
    cusparseDnMatDescr_t y;
} whole_product;

static void product_release(whole_product *p)
{
    if (p->g) {
        cusparseDestroySpMat(p->g);
    }
    if (p->x) {
        cusparseDestroyDnMat(p->x);
    }
    if (p->y) {
        cusparseDestroyDnMat(p->y);
    }
}

static cfd_status product_describe(cuda_ops *c, whole_product *p, const ops_csr *g, const int32_t *offsets, const float *x,
                                   int64_t ldx, float *y, int64_t ldy, int32_t columns)
{
    TRY(cuda_check_sparse(c,
                          cusparseCreateConstCsr(&p->g, g->rows, g->columns, g->nonzeros, offsets, g->indices, g->values,
                                                 CUSPARSE_INDEX_32I, CUSPARSE_INDEX_32I, CUSPARSE_INDEX_BASE_ZERO,
                                                 CUDA_R_32F),
                          "the graph"));
    TRY(cuda_check_sparse(c, cusparseCreateConstDnMat(&p->x, g->columns, columns, ldx, x, CUDA_R_32F, CUSPARSE_ORDER_ROW),
                          "an operand of the graph"));
    return cuda_check_sparse(c, cusparseCreateDnMat(&p->y, g->rows, columns, ldy, y, CUDA_R_32F, CUSPARSE_ORDER_ROW),
                             "a product with the graph");
}

static cfd_status product_run(cuda_ops *c, const whole_product *p)
{
    const float one = 1.0f;
    const float zero = 0.0f;
    size_t bytes = 0;
    void *buffer;
    TRY(cuda_check_sparse(c,
                          cusparseSpMM_bufferSize(c->sparse, CUSPARSE_OPERATION_NON_TRANSPOSE,
                                                  CUSPARSE_OPERATION_NON_TRANSPOSE, &one, p->g, p->x, &zero, p->y,
                                                  CUDA_R_32F, CUSPARSE_SPMM_CSR_ALG3, &bytes),
                          "a product with the graph"));
    TRY(cuda_scratch_get(c, SCRATCH_SPARSE, bytes, &buffer));
    return cuda_check_sparse(c,
                             cusparseSpMM(c->sparse, CUSPARSE_OPERATION_NON_TRANSPOSE, CUSPARSE_OPERATION_NON_TRANSPOSE,
                                          &one, p->g, p->x, &zero, p->y, CUDA_R_32F, CUSPARSE_SPMM_CSR_ALG3, buffer),
                             "a product with the graph");
}

static cfd_status multiply_whole(cuda_ops *c, const ops_csr *g, const float *x, int64_t ldx, float *y, int64_t ldy,
                                 int32_t columns)
{
    int32_t *offsets;
    TRY(cuda_scratch_get(c, SCRATCH_OFFSETS, ((size_t)g->rows + 1) * sizeof *offsets, &offsets));
    LAUNCH(c, narrow_offsets_kernel, cuda_blocks((int64_t)g->rows + 1, OFFSETS_BLOCK), OFFSETS_BLOCK, 0, g->offsets, offsets,
           g->rows + 1);
    whole_product p = {};
    cfd_status status = product_describe(c, &p, g, offsets, x, ldx, y, ldy, columns);
    status = status == CFD_OK ? product_run(c, &p) : status;
    product_release(&p);
    return status;
}

cfd_status cuda_spmm(ops *o, const ops_csr *g, ops_rows output, const int32_t *input_slots, const float *x, int64_t ldx,
                     float *y, int64_t ldy, int32_t columns, const ops_addend *add)
{
    device_scope here(o);
    cuda_ops *c = cuda_of(o);
    bool whole = !output.rows && !input_slots && g->nonzeros > 0 && g->nonzeros <= INT32_MAX && g->rows < INT32_MAX;
    TRY(whole ? multiply_whole(c, g, x, ldx, y, ldy, columns)
              : cuda_spmm_rows(c, g, output, input_slots, x, ldx, y, ldy, columns));
    return add ? cuda_spmm_addend(c, add, y, ldy) : CFD_OK;
}
