/* SPDX-License-Identifier: Apache-2.0 */
/* Serving: scores and lists of blocks of users by items, one block after the other, each packed, uploaded, computed,
 * downloaded and handed out. */
#include "ranker.h"

#include "device.cuh"
#include "top_k.cuh"

#include <math.h>
#include <string.h>

enum {
    MOST_USERS = 1024, /* of a block */
    MOST_ITEMS = 1 << 16,
    LIST_SCORES = 1 << 24,   /* most scores of a block whose lists are made; most numbers of the rows gathered for it */
    SCORES = 1 << 22,        /* most scores of a block that goes to the host */
    MOST_EXCLUDED = 1 << 22, /* of a block, unless one user has more */
    ALIGNMENT = 256
};

/* The next count x size bytes of a plan: their offset. */
static size_t reserve(size_t *plan, size_t count, size_t size)
{
    size_t offset = (*plan + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    *plan = offset + count * size;
    return offset;
}

/* ---- blocks ---- */

/* to[i] = row ids[i] of a matrix, both contiguous; a warp for each row. */
__global__ void gather_rows_kernel(const float *matrix, int32_t width, const int32_t *ids, int64_t n, float *to)
{
    int64_t row = ((int64_t)blockIdx.x * blockDim.x + threadIdx.x) / WARP;
    if (inside(row, n)) {
        const float *from = matrix + (int64_t)ids[row] * width;
        for (int32_t column = lane_of_thread(); inside(column, width); column += WARP) {
            to[row * width + column] = from[column];
        }
    }
}

static cfd_status gather_rows(const cuda_ops *c, const lane *own, const float *matrix, int32_t width, const int32_t *ids,
                              int64_t n, float *to)
{
    static const int THREADS = 256;
    PORT_LAUNCH(gather_rows_kernel, cuda_blocks(n, THREADS / WARP), THREADS, 0, own->stream, matrix, width, ids, n, to);
    return cuda_check(c, cudaGetLastError(), "launching gather_rows_kernel");
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* How many users and items the blocks of a request have, the last ones apart: bounded memory, and wide products. */
typedef struct block_shape {
    int64_t users, items;
} block_shape;

static block_shape shape_of(const ops_ranker *ranker, int64_t n_users, int64_t n_items, int64_t most_scores)
{
    int64_t rows = LIST_SCORES / ranker->width > 1 ? LIST_SCORES / ranker->width : 1;
    block_shape shape;
    shape.items = least(least(n_items, MOST_ITEMS), rows);
    shape.users = least(least(n_users, MOST_USERS), least(rows, most_scores / shape.items));
    return shape;
}

/* Where things are in a lane's device memory. What comes first lies in pinned memory at the same offsets, and is uploaded.
 */
typedef struct block_plan {
    size_t users, items, offsets, excluded;
    size_t uploaded; /* bytes */
    size_t scores, best, keys, queries;
    size_t downloaded; /* offset in pinned memory */
} block_plan;

template <class T> static T *at(unsigned char *memory, size_t offset)
{
    return (T *)(void *)(memory + offset);
}

/* Room for a block: listed: items that are named; lists: k entries for each user, instead of the scores. */
static cfd_status plan_block(const cuda_ops *c, const ops_ranker *ranker, lane *own, block_shape shape, int64_t listed,
                             int64_t excluded, int64_t k, block_plan *plan)
{
    size_t row_bytes = (size_t)ranker->width * sizeof(float);
    size_t users = (size_t)shape.users;
    size_t items = (size_t)shape.items;
    size_t bytes = 0;
    plan->users = reserve(&bytes, users, sizeof(int32_t));
    plan->items = reserve(&bytes, (size_t)listed, sizeof(int32_t));
    plan->offsets = reserve(&bytes, users + 1, sizeof(int64_t));
    plan->excluded = reserve(&bytes, (size_t)excluded, sizeof(int32_t));
    plan->uploaded = bytes;
    size_t pinned = bytes;
    plan->scores = reserve(&bytes, users * items, sizeof(float));
    plan->best = reserve(&bytes, users * (size_t)k, sizeof(uint64_t));
    plan->keys = reserve(&bytes, listed > 0 ? items : 0, row_bytes);
    plan->queries = reserve(&bytes, users, row_bytes);
    plan->downloaded = k > 0 ? reserve(&pinned, users * (size_t)k, sizeof(uint64_t))
                             : reserve(&pinned, users * items, sizeof(float));
    return lane_room(c, own, bytes, pinned);
}

static cfd_status upload(const cuda_ops *c, const lane *own, const block_plan *plan)
{
    return cuda_check(c, cudaMemcpyAsync(own->device, own->pinned, plan->uploaded, cudaMemcpyHostToDevice, own->stream),
                      "an upload");
}

/* Waits for the block. */
static cfd_status download(const cuda_ops *c, const lane *own, const block_plan *plan, size_t from, size_t bytes)
{
    TRY(cuda_check(c,
                   cudaMemcpyAsync(own->pinned + plan->downloaded, own->device + from, bytes, cudaMemcpyDeviceToHost,
                                   own->stream),
                   "a download"));
    return cuda_check(c, cudaStreamSynchronize(own->stream), "scoring");
}

/* Scores of the block's users, gathered, for n items from `first` on: of those named in device memory, or of all. */
static cfd_status score(const cuda_ops *c, const ops_ranker *ranker, const lane *own, const block_plan *plan,
                        int64_t n_users, const int32_t *items, int64_t first, int64_t n)
{
    int64_t width = ranker->width;
    const float *keys = ranker->keys + first * width;
    if (items) {
        float *gathered = at<float>(own->device, plan->keys);
        TRY(gather_rows(c, own, ranker->keys, ranker->width, items + first, n, gathered));
        keys = gathered;
    }
    cuda_product product = {};
    product.m = n_users;
    product.n = n;
    product.k = width;
    product.a = {own->device + plan->queries, width, OPS_FLOAT32, false};
    product.b = {keys, width, OPS_FLOAT32, true};
    product.alpha = 1;
    product.c = at<float>(own->device, plan->scores);
    product.ldc = n;
    product.count = 1;
    return cuda_multiply_on(c, own->blas, &product, "scores");
}

/* ---- scores ---- */

static cfd_status score_block(const cuda_ops *c, const ops_ranker *ranker, lane *own, block_shape block,
                              const int32_t *users, const int32_t *items, int64_t first, float *scores, size_t ld)
{
    block_plan plan;
    TRY(plan_block(c, ranker, own, block, items ? block.items : 0, 0, 0, &plan));
    memcpy(own->pinned + plan.users, users, (size_t)block.users * sizeof *users);
    const int32_t *named = nullptr;
    if (items) {
        memcpy(own->pinned + plan.items, items + first, (size_t)block.items * sizeof *items);
        named = at<int32_t>(own->device, plan.items);
        first = 0;
    }
    TRY(upload(c, own, &plan));
    TRY(gather_rows(c, own, ranker->queries, ranker->width, at<int32_t>(own->device, plan.users), block.users,
                    at<float>(own->device, plan.queries)));
    TRY(score(c, ranker, own, &plan, block.users, named, first, block.items));
    size_t row = (size_t)block.items * sizeof *scores;
    TRY(download(c, own, &plan, plan.scores, (size_t)block.users * row));
    for (int64_t user = 0; user < block.users; user++) {
        memcpy(scores + (size_t)user * ld, own->pinned + plan.downloaded + (size_t)user * row, row);
    }
    return CFD_OK;
}

static cfd_status score_all(const cuda_ops *c, const ops_ranker *ranker, lane *own, const int32_t *users, int64_t n_users,
                            const int32_t *items, int64_t n_items, float *scores)
{
    block_shape shape = shape_of(ranker, n_users, n_items, SCORES);
    for (int64_t user = 0; user < n_users; user += shape.users) {
        for (int64_t item = 0; item < n_items; item += shape.items) {
            block_shape block = {least(shape.users, n_users - user), least(shape.items, n_items - item)};
            TRY(score_block(c, ranker, own, block, users + user, items, item, scores + user * n_items + item,
                            (size_t)n_items));
        }
    }
    return CFD_OK;
}

cfd_status cuda_ranker_scores(const ops *o, ops_ranker *ranker, const int32_t *users, size_t n_users, const int32_t *items,
                              size_t n_items, float *scores)
{
    device_scope here(o);
    n_items = items ? n_items : (size_t)ranker->items;
    if (n_users == 0 || n_items == 0) {
        return CFD_OK;
    }
    const cuda_ops *c = cuda_of(o);
    lane *own;
    TRY(lane_take(c, ranker, &own));
    cfd_status status = score_all(c, ranker, own, users, (int64_t)n_users, items, (int64_t)n_items, scores);
    lane_give_back(ranker, own, status);
    return status;
}

/* ---- lists ---- */

static int64_t excluded_of(const ops_lists *what, int64_t user)
{
    return what->excluded ? what->excluded[user].end - what->excluded[user].begin : 0;
}

/* How many users from `first` on make a block, and how many exclusions they have. */
static int64_t users_of_block(const ops_lists *what, int64_t first, int64_t most, int64_t *excluded)
{
    int64_t n = 0;
    for (*excluded = 0; n < most && first + n < what->n_users; n++) {
        int64_t more = excluded_of(what, first + n);
        if (n > 0 && *excluded + more > MOST_EXCLUDED) {
            break;
        }
        *excluded += more;
    }
    return n;
}

/* Into pinned memory: what the block's kernels need of the request. */
static void pack(const ops_lists *what, int64_t first, int64_t n, const lane *own, const block_plan *plan)
{
    memcpy(own->pinned + plan->users, what->users + first, (size_t)n * sizeof *what->users);
    if (what->allowed) {
        memcpy(own->pinned + plan->items, what->allowed, (size_t)what->n_allowed * sizeof *what->allowed);
    }
    int64_t *offsets = at<int64_t>(own->pinned, plan->offsets);
    int32_t *excluded = at<int32_t>(own->pinned, plan->excluded);
    offsets[0] = 0;
    for (int64_t i = 0; i < n; i++) {
        int64_t count = excluded_of(what, first + i);
        if (count > 0) {
            memcpy(excluded + offsets[i], what->excluded[first + i].begin, (size_t)count * sizeof *excluded);
        }
        offsets[i + 1] = offsets[i] + count;
    }
}

static void write_list(const uint64_t *best, int32_t k, int32_t *items, float *scores, int32_t *count)
{
    int32_t n = 0;
    for (int32_t i = 0; i < k; i++) {
        bool there = best[i] != 0;
        items[i] = there ? entry_item(best[i]) : -1;
        scores[i] = there ? entry_score(best[i]) : -INFINITY;
        n += there;
    }
    *count = n;
}

/* The lists of the block's users, who are uploaded: their best of one block of items after the other. */
static cfd_status find_best(const cuda_ops *c, const ops_ranker *ranker, const lane *own, const block_plan *plan,
                            const ops_lists *what, int64_t n_users, int64_t n_items, int64_t block_items)
{
    TRY(gather_rows(c, own, ranker->queries, ranker->width, at<int32_t>(own->device, plan->users), n_users,
                    at<float>(own->device, plan->queries)));
    const int32_t *named = what->allowed ? at<int32_t>(own->device, plan->items) : nullptr;
    for (int64_t first = 0; first < n_items; first += block_items) {
        int64_t n = least(block_items, n_items - first);
        TRY(score(c, ranker, own, plan, n_users, named, first, n));
        top_k_block block = {};
        block.scores = at<float>(own->device, plan->scores);
        block.ld = n;
        block.n = (int32_t)n;
        block.items = named ? named + first : nullptr;
        block.first = (int32_t)first;
        block.excluded_offsets = what->excluded ? at<int64_t>(own->device, plan->offsets) : nullptr;
        block.excluded = at<int32_t>(own->device, plan->excluded);
        block.k = what->k;
        block.fresh = first == 0;
        block.best = at<uint64_t>(own->device, plan->best);
        PORT_LAUNCH(top_k_kernel, (unsigned)n_users, TOP_K_THREADS, 0, own->stream, block);
        TRY(cuda_check(c, cudaGetLastError(), "launching top_k_kernel"));
    }
    return CFD_OK;
}

static cfd_status list_block(const cuda_ops *c, const ops_ranker *ranker, lane *own, const ops_lists *what, int64_t first,
                             block_shape block, int64_t n_items, int64_t excluded)
{
    block_plan plan;
    TRY(plan_block(c, ranker, own, block, what->allowed ? what->n_allowed : 0, excluded, what->k, &plan));
    pack(what, first, block.users, own, &plan);
    TRY(upload(c, own, &plan));
    TRY(find_best(c, ranker, own, &plan, what, block.users, n_items, block.items));
    size_t k = (size_t)what->k;
    TRY(download(c, own, &plan, plan.best, (size_t)block.users * k * sizeof(uint64_t)));
    const uint64_t *best = at<uint64_t>(own->pinned, plan.downloaded);
    for (int64_t i = 0; i < block.users; i++) {
        size_t user = (size_t)(first + i);
        write_list(best + (size_t)i * k, what->k, what->items + user * k, what->scores + user * k, what->counts + user);
    }
    return CFD_OK;
}

static cfd_status list_all(const cuda_ops *c, const ops_ranker *ranker, lane *own, const ops_lists *what)
{
    int64_t n_items = what->allowed ? what->n_allowed : ranker->items;
    block_shape shape = shape_of(ranker, what->n_users, n_items, LIST_SCORES);
    for (int64_t user = 0; user < what->n_users;) {
        int64_t excluded;
        block_shape block = {users_of_block(what, user, shape.users, &excluded), shape.items};
        TRY(list_block(c, ranker, own, what, user, block, n_items, excluded));
        user += block.users;
    }
    return CFD_OK;
}

int32_t cuda_ranker_most_k(const ops *o)
{
    (void)o;
    return TOP_K_MOST;
}

cfd_status cuda_ranker_lists(const ops *o, ops_ranker *ranker, const ops_lists *what)
{
    device_scope here(o);
    const cuda_ops *c = cuda_of(o);
    if (what->allowed && what->n_allowed == 0) {
        uint64_t none[TOP_K_MOST] = {0};
        for (int64_t user = 0; user < what->n_users; user++) {
            write_list(none, what->k, what->items + user * what->k, what->scores + user * what->k, what->counts + user);
        }
        return CFD_OK;
    }
    lane *own;
    TRY(lane_take(c, ranker, &own));
    cfd_status status = list_all(c, ranker, own, what);
    lane_give_back(ranker, own, status);
    return status;
}
