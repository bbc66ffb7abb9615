/* SPDX-License-Identifier: Apache-2.0 */
/* The scorer's matrices, and plain scores: the device's, or in blocks of users x items. */
#include "serve/scorer.h"

#include "serve/ids.h"
#include "serve/lanes.h"

#include <string.h>

enum { BLOCK_USERS = 192, BLOCK_ITEMS = 512, BLOCK_PAIRS = 1024 };

cfd_status scorer_init_borrowed(scorer *s, const memory_source *memory, thread_pool *pool, ops *device, int32_t users,
                                int32_t items, int32_t width, const float *queries, const float *keys)
{
    *s = (scorer){.memory = memory,
                  .pool = pool,
                  .device = device,
                  .users = users,
                  .items = items,
                  .width = width,
                  .queries = queries,
                  .keys = keys};
    if (users < 1 || items < 1 || width < 1) {
        scorer_release(s);
        return fail(CFD_ERROR_DATA, "a scorer of %d users, %d items and width %d: each must be at least 1", (int)users,
                    (int)items, (int)width);
    }
    return CFD_OK;
}

cfd_status scorer_init(scorer *s, const memory_source *memory, thread_pool *pool, ops *device, int32_t users, int32_t items,
                       int32_t width, float *queries, float *keys)
{
    cfd_status status = scorer_init_borrowed(s, memory, pool, device, users, items, width, queries, keys);
    if (status != CFD_OK) {
        memory_release(memory, queries);
        memory_release(memory, keys);
        return status;
    }
    s->owned[0] = queries;
    s->owned[1] = keys;
    return CFD_OK;
}

cfd_status scorer_prepare(scorer *s)
{
    const ops_table *table = s->device->table;
    if (table->ranker_create) {
        TRY(table->ranker_create(s->device, s->queries, s->users, s->keys, s->items, s->width, &s->ranker));
    }
    return s->ranker ? CFD_OK : table->keys_create(s->device, s->keys, s->items, s->width, &s->short_keys);
}

void scorer_release(scorer *s)
{
    if (s->ranker) {
        s->device->table->ranker_destroy(s->device, s->ranker);
    }
    if (s->short_keys) {
        s->device->table->keys_destroy(s->device, s->short_keys);
    }
    if (s->memory) {
        memory_release(s->memory, s->owned[0]);
        memory_release(s->memory, s->owned[1]);
    }
    if (s->device) {
        s->device->table->destroy(s->device);
    }
    memset(s, 0, sizeof *s);
}

typedef struct score_job {
    const scorer *s;
    const int32_t *users; /* or */
    const float *rows;    /* query rows; else NULL */
    const int32_t *items; /* NULL: all */
    size_t n_users, n_items, item_blocks;
    size_t queries_at, keys_at; /* in the scratch */
    float *scores;
} score_job;

static cfd_status score_users_block(void *argument, unsigned char *scratch, size_t block)
{
    const score_job *job = argument;
    const scorer *s = job->s;
    size_t user = block / job->item_blocks * BLOCK_USERS;
    size_t item = block % job->item_blocks * BLOCK_ITEMS;
    size_t n_users = job->n_users - user < BLOCK_USERS ? job->n_users - user : BLOCK_USERS;
    size_t n_items = job->n_items - item < BLOCK_ITEMS ? job->n_items - item : BLOCK_ITEMS;
    float *queries_room = (float *)(void *)(scratch + job->queries_at);
    float *keys_room = (float *)(void *)(scratch + job->keys_at);
    const float *queries = job->rows ? job->rows + user * (size_t)s->width
                                     : ids_rows(job->users + user, n_users, s->queries, s->width, queries_room);
    const float *keys = job->items ? ids_rows(job->items + item, n_items, s->keys, s->width, keys_room)
                                   : s->keys + item * (size_t)s->width;
    return s->device->table->score_block(s->device, queries, (int64_t)n_users, keys, (int64_t)n_items, s->width,
                                         job->scores + user * job->n_items + item, (int64_t)job->n_items);
}

/* One query needs neither scratch nor threads: the rows are read where they are. */
static cfd_status score_one(const scorer *s, const float *query, const int32_t *items, size_t n_items, float *scores)
{
    const ops_table *table = s->device->table;
    if (!items) {
        return table->score_block(s->device, query, 1, s->keys, s->items, s->width, scores, s->items);
    }
    return table->score_pairs(s->device, query, s->keys, items, (int64_t)n_items, s->width, scores);
}

/* Of users, or of query rows (users NULL). */
static cfd_status score(const scorer *s, const int32_t *users, const float *rows, size_t n, const int32_t *items,
                        size_t n_items, float *scores)
{
    if (n == 1) {
        // NOLINTNEXTLINE(clang-analyzer-core.NullDereference): users or rows
        return score_one(s, rows ? rows : s->queries + (size_t)users[0] * (size_t)s->width, items, n_items, scores);
    }
    size_t row_bytes = (size_t)s->width * sizeof(float);
    lane_plan plan = {0};
    score_job job = {.s = s,
                     .users = users,
                     .rows = rows,
                     .items = items,
                     .n_users = n,
                     .n_items = n_items,
                     .item_blocks = blocks_of(n_items, BLOCK_ITEMS),
                     .scores = scores};
    job.queries_at = lane_reserve(&plan, rows ? 0 : BLOCK_USERS, row_bytes);
    job.keys_at = lane_reserve(&plan, items ? BLOCK_ITEMS : 0, row_bytes);
    size_t blocks = blocks_of(n, BLOCK_USERS) * job.item_blocks;
    return lanes_run(s->memory, s->pool, blocks, &plan, "scoring", score_users_block, &job);
}

cfd_status scorer_scores(const scorer *s, const int32_t *users, size_t n_users, const int32_t *items, size_t n_items,
                         float *scores)
{
    n_items = items ? n_items : (size_t)s->items;
    if (n_users == 0 || n_items == 0) {
        return CFD_OK;
    }
    if (s->ranker) {
        return s->device->table->ranker_scores(s->device, s->ranker, users, n_users, items, n_items, scores);
    }
    return score(s, users, NULL, n_users, items, n_items, scores);
}

cfd_status scorer_row_scores(const scorer *s, const float *queries, size_t n, const int32_t *items, size_t n_items,
                             float *scores)
{
    n_items = items ? n_items : (size_t)s->items;
    return n == 0 || n_items == 0 ? CFD_OK : score(s, NULL, queries, n, items, n_items, scores);
}

typedef struct pairs_job {
    const scorer *s;
    const int32_t *users, *items;
    size_t n;
    float *scores;
} pairs_job;

/* Pairs of the same user one after the other are one call. */
static cfd_status score_pairs_block(void *argument, unsigned char *scratch, size_t block)
{
    (void)scratch;
    const pairs_job *job = argument;
    const scorer *s = job->s;
    size_t end = (block + 1) * BLOCK_PAIRS < job->n ? (block + 1) * BLOCK_PAIRS : job->n;
    for (size_t i = block * BLOCK_PAIRS, next; i < end; i = next) {
        for (next = i + 1; next < end && job->users[next] == job->users[i]; next++) {
        }
        const float *query = s->queries + (size_t)job->users[i] * (size_t)s->width;
        TRY(s->device->table->score_pairs(s->device, query, s->keys, job->items + i, (int64_t)(next - i), s->width,
                                          job->scores + i));
    }
    return CFD_OK;
}

cfd_status scorer_pairs(const scorer *s, const int32_t *users, const int32_t *items, size_t n, float *scores)
{
    pairs_job job = {s, users, items, n, scores};
    if (n <= BLOCK_PAIRS) {
        return score_pairs_block(&job, NULL, 0);
    }
    const lane_plan nothing = {0};
    return lanes_run(s->memory, s->pool, blocks_of(n, BLOCK_PAIRS), &nothing, "scoring", score_pairs_block, &job);
}
