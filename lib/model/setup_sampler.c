/* SPDX-License-Identifier: Apache-2.0 */
/* What batches are drawn from (SPEC 6): distinct users, or all interactions. A user who has every item has no negative and
 * is never drawn. */
#include "model/setup.h"

/* Room for a batch of the configured size and for its index. */
static cfd_status allocate_batch(model *m)
{
    ops_batch *b = &m->batch;
    b->capacity = m->values.batch_size;
    b->nodes = m->nodes;
    b->users = m->users;
    size_t triples = (size_t)b->capacity;
    size_t rows = (size_t)ops_batch_rows(b).capacity;
    size_t number = sizeof(int32_t);
    TRY(setup_allocate(m, triples, number, "a batch", &b->user_ids));
    TRY(setup_allocate(m, triples, number, "a batch", &b->positives));
    TRY(setup_allocate(m, triples, number, "a batch", &b->negatives));
    TRY(setup_allocate(m, 1, number, "a batch's index", &b->count));
    TRY(setup_allocate(m, rows, number, "a batch's index", &b->rows));
    TRY(setup_allocate(m, (size_t)m->nodes, number, "a batch's index", &b->slots));
    TRY(setup_allocate(m, rows + 1, number, "a batch's index", &b->offsets));
    return setup_allocate(m, 3 * triples, number, "a batch's index", &b->occurrences);
}

static bool can_be_drawn(const bipartite *train, int32_t user)
{
    int32_t degree = bipartite_degree(train, user);
    return degree > 0 && degree < train->items;
}

/* Fills the pool; with NULL arrays only counts it. */
static int64_t fill_pool(const bipartite *train, bool interactions, int32_t *users, int32_t *items)
{
    int64_t n = 0;
    for (int32_t u = 0; u < train->users; u++) {
        if (!can_be_drawn(train, u)) {
            continue;
        }
        int64_t end = interactions ? train->offsets[u + 1] : train->offsets[u] + 1;
        for (int64_t k = train->offsets[u]; k < end; k++, n++) {
            if (users) {
                users[n] = u;
            }
            if (items) {
                items[n] = train->item_ids[k];
            }
        }
    }
    return n;
}

static cfd_status upload_pool(model *m, const bipartite *train, bool interactions, int64_t size)
{
    int32_t *users = NULL;
    int32_t *items = NULL;
    cfd_status status = CFD_OK;
    TRY_OR(done, memory_allocate(m->memory, (size_t)size, sizeof *users, "the sampler's pool", &users));
    if (interactions) {
        TRY_OR(done, memory_allocate(m->memory, (size_t)size, sizeof *items, "the sampler's pool", &items));
    }
    fill_pool(train, interactions, users, items);
    TRY_OR(done, setup_upload(m, users, (size_t)size, sizeof *users, "the sampler's pool", &m->pool_users));
    if (interactions) {
        TRY_OR(done, setup_upload(m, items, (size_t)size, sizeof *items, "the sampler's pool", &m->pool_items));
    }
done:
    memory_release(m->memory, items);
    memory_release(m->memory, users);
    return status;
}

cfd_status setup_sampler(model *m, const bipartite *train)
{
    bool interactions = m->values.sampler == SAMPLER_INTERACTIONS;
    int64_t size = fill_pool(train, interactions, NULL, NULL);
    TRY(setup_upload(m, train->offsets, (size_t)train->users + 1, sizeof(int64_t), "the sampler", &m->sampler_offsets));
    TRY(setup_upload(m, train->item_ids, (size_t)train->interactions, sizeof(int32_t), "the sampler", &m->sampler_items));
    TRY(upload_pool(m, train, interactions, size));
    m->sampler = (ops_sampler){m->users, m->items, m->sampler_offsets, m->sampler_items, m->pool_users, m->pool_items,
                               size,     m->seed};
    int64_t batch = m->values.batch_size;
    m->steps_per_epoch = interactions ? (size + batch - 1) / batch : m->n_train / batch + 1;
    m->steps_per_epoch = m->steps_per_epoch < 1 ? 1 : m->steps_per_epoch;
    return allocate_batch(m);
}
