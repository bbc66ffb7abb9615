/* SPDX-License-Identifier: Apache-2.0 */
/* The scorer handle: checks of arguments, lifetimes. The work is done in serve/. */
#include "api/handles.h"
#include "api/scorer_new.h"
#include "serve/popularity.h"
#include "serve/scorer_file.h"

#include <string.h>

/* ---- lifetimes ---- (a handle is `handle` here, since `scorer` is its core's type) */

cfd_status scorer_handle_create(cfd_context *context, snapshot *data, cfd_scorer **out)
{
    const memory_source *memory = &context->memory;
    cfd_scorer *made = NULL;
    ops *device = NULL;
    cfd_status status;
    TRY_OR(failed, memory_allocate_zero(memory, 1, sizeof *made, "a scorer", &made));
    TRY_OR(failed, context_open_device(context, &device));
    /* From here on the device is the core's, also if it fails. */
    TRY_OR(failed, scorer_init_borrowed(&made->core, memory, context->pool, device, data->users, data->items, data->width,
                                        data->queries, data->keys));
    made->core.seen = data->history;
    status = scorer_prepare(&made->core);
    if (status != CFD_OK) {
        scorer_release(&made->core);
        goto failed;
    }
    atomic_init(&made->references, 1);
    made->context = context_retain(context);
    made->data = *data;
    *out = made;
    return CFD_OK;
failed:
    memory_release(memory, made);
    snapshot_release(data);
    return status;
}

/* The model was made with values for roles that it does not have, so they were a preset's, and may be again. */
static void forgive_absent_roles(snapshot *data)
{
    for (int32_t i = 0; i < data->values.n_roles; i++) {
        role_settings *own = &data->values.roles[i];
        own->explicitly_set = snapshot_role(data, own->role) >= 0;
    }
}

cfd_status cfd_scorer_load(cfd_context *context, const char *path, cfd_scorer **out)
{
    REQUIRE(context);
    REQUIRE(path);
    TRY(require(out, "scorer"));
    snapshot data;
    TRY(scorer_file_read(&context->memory, path, &data));
    forgive_absent_roles(&data);
    return scorer_handle_create(context, &data, out);
}

cfd_status cfd_scorer_create_popularity(cfd_context *context, const cfd_dataset *data, int with_validation, cfd_scorer **out)
{
    REQUIRE(context);
    TRY(require(data, "dataset"));
    TRY(require(out, "scorer"));
    snapshot made = {0};
    TRY(popularity_snapshot(&context->memory, &data->data, with_validation != 0, &made));
    return scorer_handle_create(context, &made, out);
}

cfd_scorer *cfd_scorer_retain(cfd_scorer *handle)
{
    if (handle) {
        atomic_fetch_add_explicit(&handle->references, 1, memory_order_relaxed);
    }
    return handle;
}

void cfd_scorer_release(cfd_scorer *handle)
{
    if (!handle || atomic_fetch_sub_explicit(&handle->references, 1, memory_order_acq_rel) != 1) {
        return;
    }
    cfd_context *context = handle->context;
    scorer_release(&handle->core);
    snapshot_release(&handle->data);
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
    filled.n_modalities = handle->data.n_roles;
    filled.steps_done = handle->data.steps_done;
    return options_write(info, &filled, sizeof filled, "info");
}

const char *cfd_scorer_role(const cfd_scorer *handle, size_t index)
{
    return handle && index < (size_t)handle->data.n_roles ? handle->data.roles[index] : NULL;
}

cfd_status cfd_scorer_get_config(const cfd_scorer *handle, cfd_config **config)
{
    TRY(require(handle, "scorer"));
    REQUIRE(config);
    cfd_config *made;
    TRY(cfd_config_create(&made));
    made->values = handle->data.values;
    *config = made;
    return CFD_OK;
}
