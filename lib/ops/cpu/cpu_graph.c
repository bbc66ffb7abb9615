/* SPDX-License-Identifier: Apache-2.0 */
/* Products with sparse matrices, each output row gathered by one thread. */
#include "ops/cpu/cpu.h"

enum {
    SPMM_UNITS = 4096, /* nonzeros and rows of a block: rows differ widely in length */
    SPMM_LISTED = 32,  /* rows of a block where they are listed */
    ADD_ELEMENTS = 16384
};

/* A result of this size leaves the caches before it is read again: reading it into them first is waste. */
#define STREAM_BYTES ((size_t)1 << 23)

typedef struct spmm_job {
    const cpu_kernels *kernels;
    const ops_csr *g;
    const int32_t *rows; /* NULL: all */
    int32_t count;
    gather_job gather;
    float *y;
    int64_t ldy;
} spmm_job;

/* The first row such that `units` nonzeros and rows stand before it. */
static int32_t row_after(const ops_csr *g, int64_t units)
{
    int32_t low = 0;
    int32_t high = g->rows;
    while (low < high) {
        int32_t middle = low + (high - low) / 2;
        if (g->offsets[middle] + middle >= units) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return low;
}

static void spmm_block(void *argument, size_t block)
{
    const spmm_job *job = argument;
    const int64_t *offsets = job->g->offsets;
    int32_t begin = row_after(job->g, (int64_t)block * SPMM_UNITS);
    int32_t end = row_after(job->g, (int64_t)(block + 1) * SPMM_UNITS);
    for (int32_t row = begin; row < end; row++) {
        job->kernels->gather(&job->gather, offsets[row], offsets[row + 1], job->y + row * job->ldy);
    }
    if (job->gather.stream) {
        job->kernels->settle();
    }
}

static void spmm_listed_block(void *argument, size_t block)
{
    const spmm_job *job = argument;
    const int64_t *offsets = job->g->offsets;
    int32_t begin = (int32_t)block * SPMM_LISTED;
    int32_t end = job->count - begin < SPMM_LISTED ? job->count : begin + SPMM_LISTED;
    for (int32_t k = begin; k < end; k++) {
        int32_t row = job->rows[k];
        job->kernels->gather(&job->gather, offsets[row], offsets[row + 1], job->y + k * job->ldy);
    }
}

cfd_status cpu_spmm(ops *o, const ops_csr *g, ops_rows output, const int32_t *input_slots, const float *x, int64_t ldx,
                    float *y, int64_t ldy, int32_t columns)
{
    spmm_job job = {.kernels = cpu_of(o)->kernels,
                    .g = g,
                    .rows = output.rows,
                    .count = output.rows ? *output.count : g->rows,
                    .gather = {g->indices, g->values, input_slots, x, ldx, columns, 0},
                    .y = y,
                    .ldy = ldy};
    if (output.rows) {
        threads_run(o->pool, blocks_of((size_t)job.count, SPMM_LISTED), spmm_listed_block, &job);
    } else {
        bool aligned = (uintptr_t)y % MEMORY_ALIGNMENT == 0 && (size_t)ldy * sizeof *y % MEMORY_ALIGNMENT == 0;
        job.gather.stream = aligned && (size_t)g->rows * (size_t)columns * sizeof *y >= STREAM_BYTES;
        threads_run(o->pool, blocks_of((size_t)(g->nonzeros + g->rows), SPMM_UNITS), spmm_block, &job);
    }
    return CFD_OK;
}

typedef struct add_job {
    const cpu_kernels *kernels;
    const int32_t *rows;
    int32_t count, block_rows, columns;
    const float *x;
    float *y;
    int64_t ldx, ldy;
} add_job;

static void add_block(void *argument, size_t block)
{
    const add_job *job = argument;
    int32_t begin = (int32_t)block * job->block_rows;
    int32_t end = job->count - begin < job->block_rows ? job->count : begin + job->block_rows;
    for (int32_t k = begin; k < end; k++) {
        job->kernels->add(job->x + k * job->ldx, job->y + job->rows[k] * job->ldy, (size_t)job->columns);
    }
}

cfd_status cpu_add_rows(ops *o, ops_rows rows, const float *x, int64_t ldx, float *y, int64_t ldy, int32_t columns)
{
    int32_t block_rows = ADD_ELEMENTS / (columns > 0 ? columns : 1) + 1;
    add_job job = {cpu_of(o)->kernels, rows.rows, *rows.count, block_rows, columns, x, y, ldx, ldy};
    threads_run(o->pool, blocks_of((size_t)job.count, (size_t)block_rows), add_block, &job);
    return CFD_OK;
}
