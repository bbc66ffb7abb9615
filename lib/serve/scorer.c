/* SPDX-License-Identifier: Apache-2.0 */
/* The scorer's matrices, and plain scores: the device's, or in blocks of users x items. */
#include "serve/scorer.h"

#include "serve/ids.h"
#include "serve/lanes.h"

#include <string.h>

enum {
    BLOCK_USERS = 192,
    BLOCK_ITEMS = 512
};

cfd_status scorer_init(scorer *s, const memory_source *memory, thread_pool *pool, ops *device, int32_t users,
                       int32_t items, int32_t width, float *queries, float *keys)
{
    *s = (scorer){memory, pool, device, users, items, width, queries, keys, NULL, NULL};
    if (users < 1 || items < 1 || width < 1) {
        scorer_release(s);
        return fail(CFD_ERROR_DATA, "a scorer of %d users, %d items and width %d: each must be at least 1",
                    (int)users, (int)items, (int)width);
    }
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
        memory_release(s->memory, s->queries);
        memory_release(s->memory, s->keys);
    }
    if (s->device) {
        s->device->table->destroy(s->device);
    }
    memset(s, 0, sizeof *s);
}

typedef struct score_job {
    const scorer *s;
    const int32_t *users, *items; /* items NULL: all */
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
    const float *queries = ids_rows(job->users + user, n_users, s->queries, s->width, queries_room);
    const float *keys = job->items ? ids_rows(job->items + item, n_items, s->keys, s->width, keys_room)
                                   : s->keys + item * (size_t)s->width;
    return s->device->table->score_block(s->device, queries, (int64_t)n_users, keys, (int64_t)n_items, s->width,
                                         job->scores + user * job->n_items + item, (int64_t)job->n_items);
}

/* One user needs neither scratch nor threads: the rows are read where they are. */
static cfd_status score_one_user(const scorer *s, int32_t user, const int32_t *items, size_t n_items, float *scores)
{
    const ops_table *table = s->device->table;
    const float *query = s->queries + (size_t)user * (size_t)s->width;
    if (!items) {
        return table->score_block(s->device, query, 1, s->keys, s->items, s->width, scores, s->items);
    }
    return table->score_pairs(s->device, query, s->keys, items, (int64_t)n_items, s->width, scores);
}

cfd_status scorer_scores(const scorer *s, const int32_t *users, size_t n_users, const int32_t *items, size_t n_items,
                         float *scores)
{
    if (!items) {
        n_items = (size_t)s->items;
    }
    if (n_users == 0 || n_items == 0) {
        return CFD_OK;
    }
    if (s->ranker) {
        return s->device->table->ranker_scores(s->device, s->ranker, users, n_users, items, n_items, scores);
    }
    if (n_users == 1) {
        return score_one_user(s, users[0], items, n_items, scores);
    }
    size_t row_bytes = (size_t)s->width * sizeof(float);
    lane_plan plan = {0};
    score_job job = {s, users, items, n_users, n_items, blocks_of(n_items, BLOCK_ITEMS), 0, 0, scores};
    job.queries_at = lane_reserve(&plan, BLOCK_USERS, row_bytes);
    job.keys_at = lane_reserve(&plan, items ? BLOCK_ITEMS : 0, row_bytes);
    size_t blocks = blocks_of(n_users, BLOCK_USERS) * job.item_blocks;
    return lanes_run(s->memory, s->pool, blocks, &plan, "scoring", score_users_block, &job);
}
