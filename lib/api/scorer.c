/* SPDX-License-Identifier: Apache-2.0 */
/* The scorer handle: checks of arguments, lifetimes. The work is done in serve/. */
#include "api/handles.h"
#include "api/scorer_new.h"
#include "base/ids.h"
#include "serve/popularity.h"
#include "serve/scorer_file.h"

#include <string.h>

/* ---- lifetimes ---- (a handle is `handle` here, since `scorer` is its core's type) */

cfd_status scorer_handle_create(cfd_context *context, const settings *values, const char roles[][SETTINGS_ROLE_BYTES],
                                int32_t n_roles, int64_t steps_done, int32_t users, int32_t items, int32_t width,
                                float *queries, float *keys, cfd_scorer **out)
{
    const memory_source *memory = &context->memory;
    cfd_scorer *made = NULL;
    ops *device = NULL;
    cfd_status status;
    TRY_OR(failed, memory_allocate_zero(memory, 1, sizeof *made, "a scorer", &made));
    TRY_OR(failed, context_open_device(context, &device));
    /* From here on the three are the core's, also if it fails. */
    status = scorer_init(&made->core, memory, context->pool, device, users, items, width, queries, keys);
    if (status != CFD_OK) {
        memory_release(memory, made);
        return status;
    }
    status = scorer_prepare(&made->core);
    if (status != CFD_OK) {
        scorer_release(&made->core);
        memory_release(memory, made);
        return status;
    }
    atomic_init(&made->references, 1);
    made->context = context_retain(context);
    made->values = *values;
    memcpy(made->roles, roles, (size_t)n_roles * sizeof *roles);
    made->n_roles = n_roles;
    made->steps_done = steps_done;
    *out = made;
    return CFD_OK;
failed:
    memory_release(memory, made);
    memory_release(memory, queries);
    memory_release(memory, keys);
    return status;
}

/* The model was made with values for roles that it does not have, so they were a preset's, and may be again. */
static void forgive_absent_roles(scorer_file *file)
{
    for (int32_t i = 0; i < file->values.n_roles; i++) {
        role_settings *own = &file->values.roles[i];
        own->explicitly_set = false;
        for (int32_t r = 0; r < file->n_roles; r++) {
            own->explicitly_set = own->explicitly_set || strcmp(file->roles[r], own->role) == 0;
        }
    }
}

cfd_status cfd_scorer_load(cfd_context *context, const char *path, cfd_scorer **out)
{
    REQUIRE(context);
    REQUIRE(path);
    TRY(require(out, "scorer"));
    scorer_file file;
    TRY(scorer_file_read(&context->memory, path, &file));
    forgive_absent_roles(&file);
    return scorer_handle_create(context, &file.values, (const char(*)[SETTINGS_ROLE_BYTES])file.roles, file.n_roles,
                                file.steps_done, file.users, file.items, file.width, file.queries, file.keys, out);
}

cfd_status cfd_scorer_create_popularity(cfd_context *context, const cfd_dataset *data, int with_validation,
                                        cfd_scorer **out)
{
    REQUIRE(context);
    TRY(require(data, "dataset"));
    TRY(require(out, "scorer"));
    float *queries;
    float *keys;
    TRY(popularity_matrices(&context->memory, &data->data, with_validation != 0, &queries, &keys));
    settings values;
    settings_init(&values);
    const char no_role[1][SETTINGS_ROLE_BYTES] = {""};
    return scorer_handle_create(context, &values, no_role, 0, 0, data->data.users, data->data.items, 1, queries, keys,
                                out);
}

void cfd_scorer_destroy(cfd_scorer *handle)
{
    if (!handle || atomic_fetch_sub_explicit(&handle->references, 1, memory_order_acq_rel) != 1) {
        return;
    }
    cfd_context *context = handle->context;
    scorer_release(&handle->core);
    memory_release(&context->memory, handle);
    cfd_context_destroy(context);
}

/* ---- questions ---- */

cfd_status cfd_scorer_get_info(const cfd_scorer *handle, cfd_scorer_info *info)
{
    TRY(require(handle, "scorer"));
    REQUIRE(info);
    cfd_scorer_info filled = CFD_SCORER_INFO_INIT;
    filled.n_users = handle->core.users;
    filled.n_items = handle->core.items;
    filled.width = handle->core.width;
    filled.n_modalities = handle->n_roles;
    filled.steps_done = handle->steps_done;
    return options_write(info, &filled, sizeof filled, "info");
}

const char *cfd_scorer_role(const cfd_scorer *handle, size_t index)
{
    return handle && index < (size_t)handle->n_roles ? handle->roles[index] : NULL;
}

cfd_status cfd_scorer_get_config(const cfd_scorer *handle, cfd_config **config)
{
    TRY(require(handle, "scorer"));
    REQUIRE(config);
    cfd_config *made;
    TRY(cfd_config_create(&made));
    made->values = handle->values;
    *config = made;
    return CFD_OK;
}

/* ---- scores and lists ---- */

/* The caller's array of n_users x n numbers must be possible. */
static cfd_status check_extent(size_t n_users, size_t n, const char *name)
{
    size_t numbers;
    size_t bytes;
    if (!checked_multiply(n_users, n, &numbers) || !checked_multiply(numbers, sizeof(float), &bytes) ||
        bytes > PTRDIFF_MAX) {
        return fail(CFD_ERROR_ARGUMENT, "n_users %zu times %s %zu: no memory is so large", n_users, name, n);
    }
    return CFD_OK;
}

cfd_status cfd_score_users(const cfd_scorer *handle, const int32_t *users, size_t n_users, const int32_t *items,
                           size_t n_items, float *scores)
{
    TRY(require(handle, "scorer"));
    n_items = items ? n_items : (size_t)handle->core.items;
    if (n_users == 0 || n_items == 0) {
        return CFD_OK;
    }
    REQUIRE(users);
    REQUIRE(scores);
    TRY(check_extent(n_users, n_items, "n_items"));
    TRY(ids_check("users", users, n_users, handle->core.users));
    if (items) {
        TRY(ids_check("items", items, n_items, handle->core.items));
    }
    return scorer_scores(&handle->core, users, n_users, items, n_items, scores);
}

static cfd_status check_exclusions(const cfd_filter *filter, size_t n_users, int32_t n_items)
{
    const int64_t *offsets = filter->exclude_offsets;
    if (offsets[0] != 0) {
        return fail(CFD_ERROR_ARGUMENT, "filter.exclude_offsets[0] is %lld, not 0", (long long)offsets[0]);
    }
    for (size_t i = 0; i < n_users; i++) {
        if (offsets[i + 1] < offsets[i]) {
            return fail(CFD_ERROR_ARGUMENT, "filter.exclude_offsets[%zu] is %lld, less than the %lld before it",
                        i + 1, (long long)offsets[i + 1], (long long)offsets[i]);
        }
    }
    if (offsets[n_users] == 0) {
        return CFD_OK;
    }
    TRY(require(filter->exclude_items, "filter.exclude_items"));
    return ids_check("filter.exclude_items", filter->exclude_items, (size_t)offsets[n_users], n_items);
}

cfd_status cfd_recommend(const cfd_scorer *handle, const int32_t *users, size_t n_users, size_t k,
                         const cfd_filter *filter, int32_t *items, float *scores, int32_t *counts)
{
    TRY(require(handle, "scorer"));
    if (k == 0) {
        return fail(CFD_ERROR_ARGUMENT, "k is 0: at least 1 wanted");
    }
    cfd_filter chosen = CFD_FILTER_INIT;
    TRY(options_read(filter, &chosen, sizeof chosen, "filter"));
    if (n_users == 0) {
        return CFD_OK;
    }
    REQUIRE(users);
    REQUIRE(items);
    TRY(check_extent(n_users, k, "k"));
    TRY(ids_check("users", users, n_users, handle->core.users));
    if (chosen.exclude_offsets) {
        TRY(check_exclusions(&chosen, n_users, handle->core.items));
    }
    if (chosen.allow_items) {
        TRY(ids_check("filter.allow_items", chosen.allow_items, chosen.n_allow_items, handle->core.items));
    }
    return scorer_recommend(&handle->core, users, n_users, k, &chosen, items, scores, counts);
}
