/* SPDX-License-Identifier: Apache-2.0 */
/* What the suites of the public interface share: a small world of three kinds of users and items, in which learning
 * helps, made through the public header alone. */
#ifndef TEST_API_WORLD_H
#define TEST_API_WORLD_H

#include "test.h"

#include <stdbool.h>

enum { WORLD_USERS = 48, WORLD_ITEMS = 30, WORLD_PHOTO = 6, WORLD_TAGS = 12 };

/* Deterministic numbers in [-1, 1). */
static inline float world_noise(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return (float)(*state >> 8) / 8388608.0f - 1.0f;
}

/* ---- a context whose warnings are kept ---- */

typedef struct world_log {
    char warnings[4096]; /* one after the other */
} world_log;

static inline void world_listen(void *user, cfd_log_level level, const char *message)
{
    world_log *log = user;
    if (level == CFD_LOG_WARNING) {
        size_t length = strlen(log->warnings);
        snprintf(log->warnings + length, sizeof log->warnings - length, "%s\n", message);
    }
}

static inline cfd_context *world_context(int32_t threads, world_log *log)
{
    cfd_context_options options = CFD_CONTEXT_OPTIONS_INIT;
    options.threads = threads;
    options.log = log ? world_listen : NULL;
    options.log_user = log;
    cfd_context *context;
    OK(cfd_context_create(&options, &context));
    return context;
}

/* ---- interactions ---- */

/* Users like the items of their kind, i % 3 == u % 3, all but two or three of them: of those the first is held out for
 * validation, the second for the test. */
static inline void world_add_interactions(cfd_dataset *data)
{
    for (int32_t u = 0; u < WORLD_USERS; u++) {
        int32_t held_out = 0;
        for (int32_t i = u % 3; i < WORLD_ITEMS; i += 3) {
            cfd_split split = CFD_SPLIT_TRAIN;
            if ((u / 3 + i) % 4 == 0) {
                held_out++;
                split = held_out == 1 ? CFD_SPLIT_VALIDATION : held_out == 2 ? CFD_SPLIT_TEST : CFD_SPLIT_TRAIN;
            }
            OK(cfd_dataset_add_interactions(data, split, &u, &i, 1));
        }
    }
}

/* ---- content ---- */

/* Dense: the kind, and noise. The last item has no photo. */
static inline void world_fill_photo(float photo[WORLD_ITEMS][WORLD_PHOTO])
{
    uint32_t state = 11;
    for (int32_t i = 0; i < WORLD_ITEMS; i++) {
        for (int32_t c = 0; c < WORLD_PHOTO; c++) {
            photo[i][c] = i == WORLD_ITEMS - 1 ? 0.0f : (float)(c % 3 == i % 3) + 0.3f * world_noise(&state) + 0.5f;
        }
    }
}

static inline void world_add_photo(cfd_dataset *data)
{
    static float photo[WORLD_ITEMS][WORLD_PHOTO];
    world_fill_photo(photo);
    OK(cfd_dataset_add_dense_modality(data, "photo", photo, CFD_FLOAT32, WORLD_PHOTO, WORLD_PHOTO));
}

/* Sparse tags: three for every item. The first item has none. */
static inline void world_add_tags(cfd_dataset *data)
{
    int64_t offsets[WORLD_ITEMS + 1] = {0};
    int32_t tags[3 * WORLD_ITEMS];
    int32_t n = 0;
    for (int32_t i = 0; i < WORLD_ITEMS; i++) {
        for (int32_t k = 0; k < 3 && i > 0; k++) {
            tags[n++] = k < 2 ? 3 * k + i % 3 : 6 + (i * 5) % 6;
        }
        offsets[i + 1] = n;
    }
    OK(cfd_dataset_add_sparse_modality(data, "tags", WORLD_TAGS, offsets, tags, NULL));
}

static inline cfd_dataset *world_data(cfd_context *context)
{
    cfd_dataset *data;
    OK(cfd_dataset_create(context, WORLD_USERS, WORLD_ITEMS, &data));
    world_add_interactions(data);
    world_add_photo(data);
    world_add_tags(data);
    return data;
}

/* ---- a config for small models; then NAME, VALUE, ..., NULL ---- */

static inline cfd_config *world_config(const char *const *settings)
{
    cfd_config *config;
    OK(cfd_config_create(&config));
    OK(cfd_config_set(config, "embedding_dim", "8"));
    OK(cfd_config_set(config, "layers", "2"));
    OK(cfd_config_set(config, "batch_size", "16"));
    OK(cfd_config_set(config, "learning_rate", "0.01"));
    for (size_t i = 0; settings && settings[i]; i += 2) {
        OK(cfd_config_set(config, settings[i], settings[i + 1]));
    }
    return config;
}

#define WORLD_CONFIG(...) world_config((const char *const[]){__VA_ARGS__, NULL})

static inline cfd_model *world_model(cfd_context *context, const cfd_config *config, cfd_dataset *data)
{
    cfd_model *model;
    OK(cfd_model_create(context, config, data, &model));
    return model;
}

/* Scores of all users for all items. */
static inline float *world_scores(const cfd_scorer *scorer)
{
    float *scores = malloc(sizeof(float) * WORLD_USERS * WORLD_ITEMS);
    int32_t users[WORLD_USERS];
    for (int32_t u = 0; u < WORLD_USERS; u++) {
        users[u] = u;
    }
    OK(cfd_score_users(scorer, users, WORLD_USERS, NULL, 0, scores));
    return scores;
}

static inline float *world_model_scores(cfd_model *model)
{
    cfd_scorer *scorer;
    OK(cfd_scorer_create(model, &scorer));
    float *scores = world_scores(scorer);
    cfd_scorer_release(scorer);
    return scores;
}

#endif
