/* SPDX-License-Identifier: Apache-2.0 */
/* The batch: drawing, and the losses of SPEC 5 with their gradients.
 *
 * Losses are summed in double, block by block. Gradients go by slot: whoever owns a row gathers all that its appearances
 * contribute, in their order, and writes it once. */
#include "ops/batch.h"
#include "ops/cpu/cpu.h"

#include <math.h>

enum { DRAW_TRIPLES = 128, BLOCK_TRIPLES = 64, BLOCK_SLOTS = 64 };

static double sum_in_order(const double *partial, size_t n)
{
    double sum = 0;
    for (size_t k = 0; k < n; k++) {
        sum += partial[k];
    }
    return sum;
}

static int32_t end_of_block(size_t block, int32_t size, int32_t n)
{
    int32_t begin = (int32_t)block * size;
    return n - begin < size ? n : begin + size;
}

/* ---- drawing ---- */

typedef struct draw_job {
    const ops_sampler *sampler;
    int64_t step, epoch, position;
    ops_batch *batch;
} draw_job;

static void draw_block(void *argument, size_t block)
{
    const draw_job *job = argument;
    batch_draw_range(job->sampler, job->step, job->epoch, job->position, job->batch, (int32_t)block * DRAW_TRIPLES,
                     end_of_block(block, DRAW_TRIPLES, job->batch->size));
}

cfd_status cpu_draw_batch(ops *o, const ops_sampler *sampler, int64_t step, int64_t epoch, int64_t position,
                          ops_batch *batch)
{
    draw_job job = {sampler, step, epoch, position, batch};
    batch->size = ops_draw_size(sampler, position, batch->capacity);
    threads_run(o->pool, blocks_of((size_t)batch->size, DRAW_TRIPLES), draw_block, &job);
    return CFD_OK;
}

cfd_status cpu_batch_index(ops *o, ops_batch *batch)
{
    batch_build_index(batch);
    return CFD_OK;
}

/* ---- ranking ---- */

typedef struct bpr_job {
    const cpu_kernels *kernels;
    const ops_batch *batch;
    const ops_branch *branches;
    int32_t n;
    size_t blocks;       /* of triples */
    double *partial;     /* n x blocks: sums of softplus */
    float *coefficients; /* n x size: derivative of the loss by the triple's margin */
    int32_t *nodes;      /* 6 x size: a slot's gradient is a sum of other rows, at most two for each appearance */
    float *factors;      /* 6 x size */
} bpr_job;

static void bpr_scores(void *argument, size_t block)
{
    const bpr_job *job = argument;
    const ops_batch *batch = job->batch;
    int32_t end = end_of_block(block, BLOCK_TRIPLES, batch->size);
    for (int32_t k = 0; k < job->n; k++) {
        const ops_view *view = &job->branches[k].embedding;
        float *coefficients = job->coefficients + (size_t)k * (size_t)batch->size;
        double weight = -(double)job->branches[k].weight / batch->size;
        double loss = 0;
        for (int32_t b = (int32_t)block * BLOCK_TRIPLES; b < end; b++) {
            double margin = job->kernels->dot_difference(batch_node_row(batch, view, batch_node(batch, b, 0)),
                                                         batch_node_row(batch, view, batch_node(batch, b, 1)),
                                                         batch_node_row(batch, view, batch_node(batch, b, 2)), view->width);
            double e = exp(-fabs(margin)); /* never above 1, whatever the margin */
            loss += (margin < 0 ? -margin : 0) + log1p(e);
            coefficients[b] = (float)(weight * (margin < 0 ? 1 / (1 + e) : e / (1 + e)));
        }
        job->partial[(size_t)k * job->blocks + block] = loss;
    }
}

/* Writes down which rows make up the gradient of a slot, and by which factor each; returns how many. */
static int64_t list_contributions(const bpr_job *job, const ops_branch *branch, const float *coefficients, int32_t slot,
                                  int32_t *nodes, float *factors)
{
    const ops_batch *batch = job->batch;
    const int32_t *slots = branch->embedding.by_node ? NULL : batch->slots;
    int64_t n = 0;
    for (int32_t p = batch->offsets[slot]; p < batch->offsets[slot + 1]; p++) {
        int32_t b = batch->occurrences[p] / 3;
        int32_t role = batch->occurrences[p] % 3;
        float factor = coefficients[b];
        for (int32_t other = role == 0 ? 1 : 0; other < (role == 0 ? 3 : 1); other++) {
            int32_t node = batch_node(batch, b, other);
            nodes[n] = slots ? slots[node] : node;
            factors[n] = role + other == 2 ? -factor : factor; /* the negative's part, and what it gets, are subtracted */
            n++;
        }
    }
    return n;
}

static void bpr_gradients(void *argument, size_t block)
{
    const bpr_job *job = argument;
    const ops_batch *batch = job->batch;
    int32_t end = end_of_block(block, BLOCK_SLOTS, *batch->count);
    for (int32_t slot = (int32_t)block * BLOCK_SLOTS; slot < end; slot++) {
        int32_t *nodes = job->nodes + 2 * (int64_t)batch->offsets[slot];
        float *factors = job->factors + 2 * (int64_t)batch->offsets[slot];
        for (int32_t k = 0; k < job->n; k++) {
            const ops_branch *branch = &job->branches[k];
            const float *coefficients = job->coefficients + (size_t)k * (size_t)batch->size;
            int64_t n = list_contributions(job, branch, coefficients, slot, nodes, factors);
            gather_job gather = {nodes, factors, NULL, branch->embedding.data, branch->embedding.ld, branch->embedding.width,
                                 0,     0};
            job->kernels->gather(&gather, 0, n, batch_row(batch, &branch->gradient, slot));
        }
    }
}

cfd_status cpu_bpr(ops *o, const ops_batch *batch, const ops_branch *branches, int32_t n)
{
    size_t size = (size_t)batch->size;
    bpr_job job = {.kernels = cpu_of(o)->kernels,
                   .batch = batch,
                   .branches = branches,
                   .n = n,
                   .blocks = blocks_of(size, BLOCK_TRIPLES)};
    unsigned char *scratch;
    cpu_layout layout = {0};
    size_t partial = cpu_reserve(&layout, (size_t)n * job.blocks, sizeof(double));
    size_t coefficients = cpu_reserve(&layout, (size_t)n * size, sizeof(float));
    size_t nodes = cpu_reserve(&layout, 6 * size, sizeof(int32_t));
    size_t factors = cpu_reserve(&layout, 6 * size, sizeof(float));
    TRY(cpu_scratch(cpu_of(o), &layout, "the ranking loss of a batch", &scratch));
    job.partial = (double *)(scratch + partial);
    job.coefficients = (float *)(scratch + coefficients);
    job.nodes = (int32_t *)(scratch + nodes);
    job.factors = (float *)(scratch + factors);
    threads_run(o->pool, job.blocks, bpr_scores, &job);
    threads_run(o->pool, blocks_of((size_t)*batch->count, BLOCK_SLOTS), bpr_gradients, &job);
    for (int32_t k = 0; k < n && size > 0; k++) {
        *branches[k].loss += sum_in_order(job.partial + (size_t)k * job.blocks, job.blocks) / (double)size;
    }
    return CFD_OK;
}

/* ---- distillation ---- */

typedef struct cosine_job {
    const cpu_kernels *kernels;
    const ops_batch *batch;
    ops_cosine kind;
    ops_view x, y, x_gradient, y_gradient;
    const uint8_t *x_present, *y_present;
    double weight; /* over the batch size */
    double *partial;
} cosine_job;

/* f(c), and its derivative. */
static double cosine_term(ops_cosine kind, double c, double *derivative)
{
    if (kind == OPS_COSINE_ORTHOGONAL) {
        double f = sqrt(c * c + 1e-8);
        *derivative = c / f;
        return f;
    }
    *derivative = kind == OPS_COSINE_ALIGN ? -1 : 1;
    return kind == OPS_COSINE_ALIGN ? 1 - c : c;
}

static void cosine_block(void *argument, size_t block)
{
    const cosine_job *job = argument;
    const ops_batch *batch = job->batch;
    int32_t end = end_of_block(block, BLOCK_SLOTS, *batch->count);
    double loss = 0;
    for (int32_t slot = (int32_t)block * BLOCK_SLOTS; slot < end; slot++) {
        int32_t times = 0; /* as user or positive */
        for (int32_t p = batch->offsets[slot]; p < batch->offsets[slot + 1]; p++) {
            times += batch->occurrences[p] % 3 != 2;
        }
        if (times == 0 || batch_lacks(batch, job->x_present, job->y_present, slot)) {
            continue;
        }
        const float *x = batch_row(batch, &job->x, slot);
        const float *y = batch_row(batch, &job->y, slot);
        pair_sums sums = job->kernels->pair(x, y, job->x.width);
        if (sums.xx == 0 || sums.yy == 0) {
            continue;
        }
        double x_norm = sqrt(sums.xx);
        double y_norm = sqrt(sums.yy);
        double c = sums.xy / x_norm / y_norm;
        double derivative;
        loss += times * cosine_term(job->kind, c, &derivative);
        derivative *= job->weight * times;
        /* dc/dx = (y / |y| - c x / |x|) / |x| */
        double across = derivative / x_norm / y_norm;
        job->kernels->add_pair(batch_row(batch, &job->x_gradient, slot), across, y, -derivative * c / sums.xx, x,
                               job->x.width);
        job->kernels->add_pair(batch_row(batch, &job->y_gradient, slot), across, x, -derivative * c / sums.yy, y,
                               job->x.width);
    }
    job->partial[block] = loss;
}

cfd_status cpu_pair_cosine(ops *o, const ops_batch *batch, ops_cosine kind, ops_view x, ops_view y, const uint8_t *x_present,
                           const uint8_t *y_present, float weight, ops_view x_gradient, ops_view y_gradient, double *loss)
{
    size_t blocks = blocks_of((size_t)*batch->count, BLOCK_SLOTS);
    unsigned char *scratch;
    cpu_layout layout = {0};
    cpu_reserve(&layout, blocks, sizeof(double));
    TRY(cpu_scratch(cpu_of(o), &layout, "the distillation loss of a batch", &scratch));
    if (batch->size > 0) {
        cosine_job job = {cpu_of(o)->kernels, batch,      kind,      x,         y,
                          x_gradient,         y_gradient, x_present, y_present, (double)weight / batch->size,
                          (double *)scratch};
        threads_run(o->pool, blocks, cosine_block, &job);
        *loss += sum_in_order(job.partial, blocks) / batch->size;
    }
    return CFD_OK;
}

/* ---- penalty ---- */

typedef struct penalty_job {
    const cpu_kernels *kernels;
    const ops_batch *batch;
    ops_view x, gradient;
    float weight;
    double *partial;
} penalty_job;

static void penalty_block(void *argument, size_t block)
{
    const penalty_job *job = argument;
    const ops_batch *batch = job->batch;
    int32_t end = end_of_block(block, BLOCK_SLOTS, *batch->count);
    double loss = 0;
    for (int32_t slot = (int32_t)block * BLOCK_SLOTS; slot < end; slot++) {
        int32_t times = batch->offsets[slot + 1] - batch->offsets[slot];
        loss += 0.5 * times *
                job->kernels->add_scaled(batch_row(batch, &job->gradient, slot), job->weight * (float)times,
                                         batch_row(batch, &job->x, slot), job->x.width);
    }
    job->partial[block] = loss;
}

cfd_status cpu_penalty(ops *o, const ops_batch *batch, ops_view x, float weight, ops_view gradient, double *loss)
{
    size_t blocks = blocks_of((size_t)*batch->count, BLOCK_SLOTS);
    unsigned char *scratch;
    cpu_layout layout = {0};
    cpu_reserve(&layout, blocks, sizeof(double));
    TRY(cpu_scratch(cpu_of(o), &layout, "the penalty of a batch", &scratch));
    penalty_job job = {cpu_of(o)->kernels, batch, x, gradient, weight, (double *)scratch};
    threads_run(o->pool, blocks, penalty_block, &job);
    *loss += sum_in_order(job.partial, blocks);
    return CFD_OK;
}
