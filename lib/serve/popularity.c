/* SPDX-License-Identifier: Apache-2.0 */
/* Popularity: see popularity.h. Counted in integers, since a float stops counting at 2^24. */
#include "serve/popularity.h"

static void count_items(const dataset *data, bool with_validation, int32_t *counts)
{
    const bipartite *train = &data->splits[CFD_SPLIT_TRAIN];
    const bipartite *validation = &data->splits[CFD_SPLIT_VALIDATION];
    for (int64_t k = 0; k < train->interactions; k++) {
        counts[train->item_ids[k]]++;
    }
    for (int32_t user = 0; user < data->users && with_validation; user++) {
        for (int64_t k = validation->offsets[user]; k < validation->offsets[user + 1]; k++) {
            counts[validation->item_ids[k]] += !bipartite_has(train, user, validation->item_ids[k]);
        }
    }
}

/* A base branch of width 1, and nothing else. */
static void describe(const memory_source *memory, const dataset *data, snapshot *s)
{
    *s = (snapshot){.memory = memory, .users = data->users, .items = data->items, .width = 1};
    settings_init(&s->values);
    s->values.embedding_dim = 1;
}

cfd_status popularity_snapshot(const memory_source *memory, const dataset *data, bool with_validation, snapshot *out)
{
    snapshot made;
    int32_t *counts = NULL;
    float *ones;
    float *values;
    cfd_status status;
    describe(memory, data, &made);
    TRY_OR(failed, memory_allocate_zero(memory, (size_t)data->items, sizeof *counts, "popularity", &counts));
    TRY_OR(failed, snapshot_array(&made, (size_t)data->users, sizeof *ones, "popularity", &ones));
    TRY_OR(failed, snapshot_array(&made, (size_t)data->items, sizeof *values, "popularity", &values));
    count_items(data, with_validation, counts);
    for (int32_t user = 0; user < data->users; user++) {
        ones[user] = 1.0f;
    }
    for (int32_t item = 0; item < data->items; item++) {
        values[item] = (float)counts[item];
    }
    made.queries = ones;
    made.keys = values;
    memory_release(memory, counts);
    *out = made;
    return CFD_OK;
failed:
    memory_release(memory, counts);
    snapshot_release(&made);
    return status;
}
