/* SPDX-License-Identifier: Apache-2.0 */
/* Products with sparse matrices, each output row gathered by one thread. */
#include "ops/batch.h"
#include "ops/cpu/cpu.h"

enum {
    SPMM_UNITS = 4096, /* nonzeros and rows of a block: rows differ widely in length */
    SPMM_LISTED = 32   /* rows of a block where they are listed */
};

/* A result of this size leaves the caches before it is read again: reading it into them first is waste. */
#define STREAM_BYTES ((size_t)1 << 23)

/* An X of this size lies beyond a processor's own caches. */
#define FAR_BYTES ((size_t)1 << 22)

typedef struct spmm_job {
    const cpu_kernels *kernels;
    const ops_csr *g;
    const int32_t *rows; /* NULL: all */
    int32_t count;
    gather_job gather;
    float *y;
    int64_t ldy;
    const ops_addend *add;
    int32_t groups;  /* of the addend */
    double *partial; /* blocks x groups: sums of squares */
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

/* Adds the addend's row of a slot to y, and its squares to `sums`. */
static void add_row(const spmm_job *job, int32_t slot, float *y, double *sums)
{
    const ops_addend *add = job->add;
    int32_t times = add->by_appearance ? add->batch->offsets[slot + 1] - add->batch->offsets[slot] : 1;
    const float *from = batch_row(add->batch, &add->rows, slot);
    for (int32_t g = 0; g < job->groups; g++, from += add->group, y += add->group) {
        if (add->weights[g] != 0) {
            sums[g] += 0.5 * times * job->kernels->add_scaled(y, add->weights[g] * (float)times, from, add->group);
        }
    }
}

static void spmm_block(void *argument, size_t block)
{
    const spmm_job *job = argument;
    const int64_t *offsets = job->g->offsets;
    const int32_t *slots = job->add ? job->add->batch->slots : NULL;
    double sums[CFD_MAX_MODALITIES] = {0};
    gather_job cached = job->gather; /* for rows that are added to: they are read again at once */
    cached.stream = 0;
    int32_t begin = row_after(job->g, (int64_t)block * SPMM_UNITS);
    int32_t end = row_after(job->g, (int64_t)(block + 1) * SPMM_UNITS);
    for (int32_t row = begin; row < end; row++) {
        float *y = job->y + row * job->ldy;
        if (slots && slots[row] >= 0) {
            job->kernels->gather(&cached, offsets[row], offsets[row + 1], y);
            add_row(job, slots[row], y, sums);
        } else {
            job->kernels->gather(&job->gather, offsets[row], offsets[row + 1], y);
        }
    }
    for (int32_t g = 0; g < job->groups; g++) {
        job->partial[block * (size_t)job->groups + (size_t)g] = sums[g];
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

/* All rows of the result. */
static cfd_status spmm_all(ops *o, spmm_job *job)
{
    const ops_csr *g = job->g;
    const ops_addend *add = job->add;
    size_t blocks = blocks_of((size_t)(g->nonzeros + g->rows), SPMM_UNITS);
    size_t row_bytes = (size_t)job->ldy * sizeof *job->y;
    bool aligned = (uintptr_t)job->y % MEMORY_ALIGNMENT == 0 && row_bytes % MEMORY_ALIGNMENT == 0;
    bool far = (size_t)g->columns * (size_t)job->gather.columns * sizeof *job->y >= FAR_BYTES;
    job->gather.entries = far && !job->gather.slots ? g->nonzeros : 0;
    job->gather.stream = aligned && (size_t)g->rows * (size_t)job->gather.columns * sizeof *job->y >= STREAM_BYTES;
    if (add) {
        unsigned char *scratch;
        cpu_layout layout = {0};
        job->groups = add->rows.width / add->group;
        cpu_reserve(&layout, blocks, (size_t)job->groups * sizeof *job->partial);
        TRY(cpu_scratch(cpu_of(o), &layout, "a product with the graph", &scratch));
        job->partial = (double *)(void *)scratch;
    }
    threads_run(o->pool, blocks, spmm_block, job);
    for (int32_t k = 0; add && add->losses && k < job->groups; k++) {
        for (size_t block = 0; block < blocks; block++) {
            *add->losses[k] += job->partial[block * (size_t)job->groups + (size_t)k];
        }
    }
    return CFD_OK;
}

cfd_status cpu_spmm(ops *o, const ops_csr *g, ops_rows output, const int32_t *input_slots, const float *x, int64_t ldx,
                    float *y, int64_t ldy, int32_t columns, const ops_addend *add)
{
    spmm_job job = {.kernels = cpu_of(o)->kernels,
                    .g = g,
                    .rows = output.rows,
                    .count = output.rows ? *output.count : g->rows,
                    .gather = {g->indices, g->values, input_slots, x, ldx, columns, 0, 0},
                    .y = y,
                    .ldy = ldy,
                    .add = add};
    if (!output.rows) {
        return spmm_all(o, &job);
    }
    threads_run(o->pool, blocks_of((size_t)job.count, SPMM_LISTED), spmm_listed_block, &job);
    return CFD_OK;
}
