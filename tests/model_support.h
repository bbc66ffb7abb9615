/* SPDX-License-Identifier: Apache-2.0 */
/* What the suites of the model share: random numbers of their own, small worlds of interactions and content, and
 * models made of them through the public API only. */
#ifndef TEST_MODEL_SUPPORT_H
#define TEST_MODEL_SUPPORT_H

#include "staged.h"
#include "test.h"

#include <stdbool.h>

/* ---- numbers ---- */

static inline uint64_t next_random(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9E3779B97F4A7C15));
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

static inline int32_t below(uint64_t *state, int32_t bound)
{
    return (int32_t)(next_random(state) % (uint64_t)bound);
}

/* In [-1, 1), a multiple of 2^-10: sums with small powers of two are exact in float. */
static inline float coarse(uint64_t *state)
{
    return (float)below(state, 2048) / 1024.0f - 1.0f;
}

/* Standard normal, by Box and Muller. */
static inline double gaussian(uint64_t *state)
{
    double u = ((double)(next_random(state) >> 11) + 0.5) / 9007199254740992.0;
    double v = (double)(next_random(state) >> 11) / 9007199254740992.0;
    return sqrt(-2.0 * log(u)) * cos(6.283185307179586 * v);
}

static inline void *allocated(size_t count, size_t size)
{
    void *memory = calloc(count > 0 ? count : 1, size);
    ck_assert_ptr_nonnull(memory);
    return memory;
}

static inline float *random_floats(size_t n, uint64_t seed)
{
    float *values = allocated(n, sizeof *values);
    for (size_t i = 0; i < n; i++) {
        values[i] = coarse(&seed);
    }
    return values;
}

/* ---- handles ---- */

/* A way to compute: device, inner loops (NULL: the best), precision of products with dense features. */
typedef struct way {
    const char *device, *instructions, *precision;
} way;

/* NULL where the processor lacks the instructions or does not multiply in that precision, or there is no GPU backend; or
 * where the environment's TEST_BACKEND names another device than this as the only one that is tested. */
static inline cfd_context *open_way(const way *w, int32_t threads, uint64_t seed)
{
    cfd_context_options options = CFD_CONTEXT_OPTIONS_INIT;
    const char *only = getenv("TEST_BACKEND");
    bool cuda = strcmp(w->device, "cuda") == 0;
    if ((only && strcmp(only, w->device) != 0) || (cuda && !cuda_plugin_folder())) {
        return NULL;
    }
    options.plugin_folder = cuda ? cuda_plugin_folder() : NULL;
    note_backend(w->device);
    options.device = w->device;
    options.instructions = w->instructions;
    options.threads = threads;
    options.seed = seed;
    cfd_context *context;
    cfd_status status = cfd_context_create(&options, &context);
    if (status == CFD_ERROR_DEVICE && w->instructions) {
        return NULL;
    }
    OK(status);
    cfd_context_info info = CFD_CONTEXT_INFO_INIT;
    OK(cfd_context_get_info(context, &info));
    if (strncmp(w->precision, "bf16", 4) == 0 && strcmp(info.bfloat16, "none") == 0) {
        cfd_context_destroy(context);
        return NULL;
    }
    return context;
}

/* Whatever TEST_BACKEND says. */
static inline cfd_context *open_context(const char *device, int32_t threads, uint64_t seed)
{
    cfd_context_options options = CFD_CONTEXT_OPTIONS_INIT;
    options.device = device;
    options.threads = threads;
    options.seed = seed;
    options.plugin_folder = strcmp(device, "cuda") == 0 ? cuda_plugin_folder() : NULL;
    note_backend(device);
    cfd_context *context;
    OK(cfd_context_create(&options, &context));
    return context;
}

/* Is a device to be tested, and there? */
static inline bool device_is_tested(const char *device)
{
    const char *only = getenv("TEST_BACKEND");
    return (!only || strcmp(only, device) == 0) && (strcmp(device, "cuda") != 0 || cuda_plugin_folder());
}

static inline void set(cfd_config *config, const char *key, const char *value)
{
    OK(cfd_config_set(config, key, value));
}

/* Settings as pairs of key and value, the last key NULL. */
static inline cfd_config *config_of(const char *preset, const char *const *pairs)
{
    cfd_config *config;
    OK(cfd_config_create(&config));
    if (preset) {
        OK(cfd_config_load_preset(config, preset));
    }
    for (; pairs && pairs[0]; pairs += 2) {
        set(config, pairs[0], pairs[1]);
    }
    return config;
}

/* Makes the model and lets go of everything that it was made from: it keeps what it needs alive. */
static inline cfd_model *model_of(cfd_context *context, cfd_config *config, cfd_dataset *data)
{
    cfd_model *model;
    OK(cfd_model_create(context, config, data, &model));
    cfd_config_destroy(config);
    cfd_dataset_destroy(data);
    cfd_context_destroy(context);
    return model;
}

/* ---- parameters ---- */

static inline size_t tensor_count(const cfd_model *model)
{
    cfd_model_info info = CFD_MODEL_INFO_INIT;
    OK(cfd_model_get_info(model, &info));
    return info.n_tensors;
}

static inline cfd_tensor_info tensor_at(const cfd_model *model, size_t index)
{
    cfd_tensor_info info = CFD_TENSOR_INFO_INIT;
    OK(cfd_model_get_tensor_info(model, index, &info));
    return info;
}

static inline size_t tensor_size(const cfd_tensor_info *info)
{
    return (size_t)info->rows * (size_t)info->columns;
}

/* All parameters, one tensor after the other. */
static inline float *all_parameters(const cfd_model *model, size_t *n)
{
    *n = 0;
    for (size_t i = 0; i < tensor_count(model); i++) {
        cfd_tensor_info info = tensor_at(model, i);
        *n += tensor_size(&info);
    }
    float *values = allocated(*n, sizeof *values);
    size_t at = 0;
    for (size_t i = 0; i < tensor_count(model); i++) {
        cfd_tensor_info info = tensor_at(model, i);
        OK(cfd_model_get_parameter(model, info.name, values + at, tensor_size(&info)));
        at += tensor_size(&info);
    }
    return values;
}

/* Coarse random numbers in every parameter. */
static inline void randomise_parameters(cfd_model *model, uint64_t seed)
{
    for (size_t i = 0; i < tensor_count(model); i++) {
        cfd_tensor_info info = tensor_at(model, i);
        float *values = random_floats(tensor_size(&info), seed * 1000 + i);
        OK(cfd_model_set_parameter(model, info.name, values, tensor_size(&info)));
        free(values);
    }
}

static inline float *embedding_of(cfd_model *model, const char *name, size_t n)
{
    float *rows = allocated(n, sizeof *rows);
    OK(cfd_model_get_embedding(model, name, rows, n));
    return rows;
}

/* The scores of every pair, users x items. */
static inline float *all_scores(cfd_model *model)
{
    cfd_model_info info = CFD_MODEL_INFO_INIT;
    OK(cfd_model_get_info(model, &info));
    int32_t *users = allocated((size_t)info.n_users, sizeof *users);
    for (int32_t u = 0; u < info.n_users; u++) {
        users[u] = u;
    }
    float *scores = allocated((size_t)info.n_users * (size_t)info.n_items, sizeof *scores);
    cfd_scorer *scorer;
    OK(cfd_scorer_create(model, &scorer));
    OK(cfd_score_users(scorer, users, (size_t)info.n_users, NULL, 0, scores));
    cfd_scorer_release(scorer);
    free(users);
    return scores;
}

static inline double dot(const float *x, const float *y, int32_t width)
{
    double sum = 0.0;
    for (int32_t c = 0; c < width; c++) {
        sum += (double)x[c] * (double)y[c];
    }
    return sum;
}

static inline double cosine(const float *x, const float *y, int32_t width)
{
    double norms = sqrt(dot(x, x, width) * dot(y, y, width));
    return norms > 0.0 ? dot(x, y, width) / norms : 0.0;
}

#endif
