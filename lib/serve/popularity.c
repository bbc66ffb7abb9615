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

cfd_status popularity_matrices(const memory_source *memory, const dataset *data, bool with_validation,
                               float **queries, float **keys)
{
    int32_t *counts = NULL;
    float *ones = NULL;
    float *values = NULL;
    cfd_status status;
    TRY_OR(done, memory_allocate_zero(memory, (size_t)data->items, sizeof *counts, "popularity", &counts));
    TRY_OR(done, memory_allocate(memory, (size_t)data->users, sizeof *ones, "popularity", &ones));
    TRY_OR(done, memory_allocate(memory, (size_t)data->items, sizeof *values, "popularity", &values));
    count_items(data, with_validation, counts);
    for (int32_t user = 0; user < data->users; user++) {
        ones[user] = 1.0f;
    }
    for (int32_t item = 0; item < data->items; item++) {
        values[item] = (float)counts[item];
    }
    *queries = ones;
    *keys = values;
    ones = values = NULL;
done:
    memory_release(memory, values);
    memory_release(memory, ones);
    memory_release(memory, counts);
    return status;
}
