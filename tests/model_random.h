/* SPDX-License-Identifier: Apache-2.0 */
/* Random worlds of any size for the suites of the model: interactions, dense and sparse modalities. */
#ifndef TEST_MODEL_RANDOM_H
#define TEST_MODEL_RANDOM_H

#include "model_support.h"

typedef struct random_world {
    int32_t users, items;
    int32_t per_user;         /* interactions drawn for each user; repeats are dropped */
    int32_t dense_columns[2]; /* 0: none; named "visual" and "textual" */
    int32_t sparse_columns;   /* 0: none; named "tags", three nonzeros an item */
    uint64_t seed;
} random_world;

static inline void add_random_dense(cfd_dataset *data, const random_world *w, int k)
{
    static const char *const names[] = {"visual", "textual"};
    int32_t columns = w->dense_columns[k];
    if (columns > 0) {
        float *features = random_floats((size_t)w->items * (size_t)columns, w->seed + 10 + (uint64_t)k);
        OK(cfd_dataset_add_dense_modality(data, names[k], features, CFD_FLOAT32, columns, (size_t)columns));
        free(features);
    }
}

static inline void add_random_sparse(cfd_dataset *data, const random_world *w)
{
    uint64_t state = w->seed + 20;
    int64_t *offsets = allocated((size_t)w->items + 1, sizeof *offsets);
    int32_t *columns = allocated(3 * (size_t)w->items, sizeof *columns);
    float *values = random_floats(3 * (size_t)w->items, w->seed + 21);
    for (int32_t i = 0; i < w->items; i++) {
        offsets[i + 1] = offsets[i] + 3;
        for (int k = 0; k < 3; k++) {
            columns[3 * i + k] = below(&state, w->sparse_columns);
        }
    }
    OK(cfd_dataset_add_sparse_modality(data, "tags", w->sparse_columns, offsets, columns, values));
    free(values);
    free(columns);
    free(offsets);
}

static inline cfd_dataset *random_dataset(cfd_context *context, const random_world *w)
{
    cfd_dataset *data;
    OK(cfd_dataset_create(context, w->users, w->items, &data));
    size_t n = (size_t)w->users * (size_t)w->per_user;
    int32_t *users = allocated(n, sizeof *users);
    int32_t *items = allocated(n, sizeof *items);
    uint64_t state = w->seed;
    for (size_t k = 0; k < n; k++) {
        users[k] = (int32_t)(k / (size_t)w->per_user);
        items[k] = below(&state, w->items);
    }
    OK(cfd_dataset_add_interactions(data, CFD_SPLIT_TRAIN, users, items, n));
    free(items);
    free(users);
    for (int k = 0; k < 2; k++) {
        add_random_dense(data, w, k);
    }
    if (w->sparse_columns > 0) {
        add_random_sparse(data, w);
    }
    return data;
}

/* ---- a small one, and models of it ---- */

static const random_world small_world = {
    .users = 30, .items = 40, .per_user = 5, .dense_columns = {7, 5}, .sparse_columns = 9, .seed = 4};

static inline cfd_model *random_model(const random_world *world, const char *preset, const char *const *settings)
{
    cfd_context *context = open_context("cpu", 2, 9);
    cfd_dataset *data = random_dataset(context, world);
    return model_of(context, config_of(preset, settings), data);
}

/* Three modalities; d is 6, batches have 16 triples at most. */
static inline cfd_model *small_model(void)
{
    static const char *const settings[] = {"embedding_dim", "6", "batch_size", "16", NULL};
    return random_model(&small_world, "beauty", settings);
}

#endif
