/* SPDX-License-Identifier: Apache-2.0 */
/* The data set's handle: arguments and lifetime; everything else is lib/data. (The header calls the handle `dataset`, which
 * is a type in here.) */
#include "api/handles.h"

static cfd_status new_handle(cfd_context *context, cfd_dataset **out)
{
    TRY(memory_allocate_zero(&context->memory, 1, sizeof **out, "a data set", out));
    atomic_init(&(*out)->references, 1);
    atomic_init(&(*out)->frozen, false);
    return CFD_OK;
}

/* Takes over the status of what was to fill the handle. */
static cfd_status finish_handle(cfd_status status, cfd_context *context, cfd_dataset *made, cfd_dataset **data)
{
    if (status != CFD_OK) {
        memory_release(&context->memory, made);
        return status;
    }
    made->context = context_retain(context);
    *data = made;
    return CFD_OK;
}

cfd_status cfd_dataset_open(cfd_context *context, const char *directory, cfd_dataset **data)
{
    REQUIRE(context);
    REQUIRE(directory);
    TRY(require(data, "dataset"));
    cfd_dataset *made;
    TRY(new_handle(context, &made));
    return finish_handle(dataset_read(&made->data, &context->memory, context->log, directory), context, made, data);
}

cfd_status cfd_dataset_create(cfd_context *context, int32_t n_users, int32_t n_items, cfd_dataset **data)
{
    REQUIRE(context);
    TRY(require(data, "dataset"));
    if (n_users < 1 || n_users == INT32_MAX || n_items < 1 || n_items == INT32_MAX) {
        return fail(CFD_ERROR_ARGUMENT, "n_users %d and n_items %d must each be from 1 to %d", (int)n_users, (int)n_items,
                    INT32_MAX - 1);
    }
    cfd_dataset *made;
    TRY(new_handle(context, &made));
    return finish_handle(dataset_init(&made->data, &context->memory, context->log, n_users, n_items), context, made, data);
}

cfd_dataset *dataset_retain(cfd_dataset *data)
{
    atomic_fetch_add_explicit(&data->references, 1, memory_order_relaxed);
    return data;
}

void cfd_dataset_destroy(cfd_dataset *data)
{
    if (!data || atomic_fetch_sub_explicit(&data->references, 1, memory_order_acq_rel) != 1) {
        return;
    }
    cfd_context *context = data->context;
    dataset_release(&data->data);
    memory_release(&context->memory, data);
    cfd_context_destroy(context);
}

/* ---- additions ---- */

static cfd_status require_open(const cfd_dataset *data)
{
    return atomic_load(&data->frozen) ? fail(CFD_ERROR_ARGUMENT, "the data set is in use by a model") : CFD_OK;
}

cfd_status cfd_dataset_set_user_names(cfd_dataset *data, const char *const *names)
{
    TRY(require(data, "dataset"));
    REQUIRE(names);
    TRY(require_open(data));
    return dataset_set_user_names(&data->data, names);
}

cfd_status cfd_dataset_set_item_names(cfd_dataset *data, const char *const *names)
{
    TRY(require(data, "dataset"));
    REQUIRE(names);
    TRY(require_open(data));
    return dataset_set_item_names(&data->data, names);
}

cfd_status cfd_dataset_add_interactions(cfd_dataset *data, cfd_split split, const int32_t *users, const int32_t *items,
                                        size_t n)
{
    TRY(require(data, "dataset"));
    if (n > 0) {
        REQUIRE(users);
        REQUIRE(items);
    }
    TRY(require_open(data));
    return dataset_add_interactions(&data->data, split, users, items, n);
}

cfd_status cfd_dataset_add_dense_modality(cfd_dataset *data, const char *name, const void *features, cfd_element element,
                                          int32_t columns, size_t stride)
{
    TRY(require(data, "dataset"));
    REQUIRE(name);
    REQUIRE(features);
    TRY(require_open(data));
    return dataset_add_dense(&data->data, name, features, element, columns, stride);
}

cfd_status cfd_dataset_add_sparse_modality(cfd_dataset *data, const char *name, int32_t columns, const int64_t *row_offsets,
                                           const int32_t *column_ids, const float *values)
{
    TRY(require(data, "dataset"));
    REQUIRE(name);
    REQUIRE(row_offsets);
    TRY(require_open(data));
    return dataset_add_sparse(&data->data, name, columns, row_offsets, column_ids, values);
}

/* ---- questions ---- */

cfd_status cfd_dataset_get_info(const cfd_dataset *data, cfd_dataset_info *info)
{
    TRY(require(data, "dataset"));
    REQUIRE(info);
    cfd_dataset_info filled;
    dataset_count(&data->data, &filled);
    return options_write(info, &filled, sizeof filled, "cfd_dataset_info");
}

static cfd_element public_element(ops_element element)
{
    return element == OPS_FLOAT16 ? CFD_FLOAT16 : element == OPS_BFLOAT16 ? CFD_BFLOAT16 : CFD_FLOAT32;
}

cfd_status cfd_dataset_get_modality(const cfd_dataset *data, size_t index, cfd_modality_info *info)
{
    TRY(require(data, "dataset"));
    REQUIRE(info);
    if (index >= (size_t)data->data.n_modalities) {
        return fail(CFD_ERROR_ARGUMENT, "there is no modality %zu: the data set has %d", index,
                    (int)data->data.n_modalities);
    }
    const modality *m = &data->data.modalities[index];
    bool sparse = m->features.dense == NULL;
    cfd_modality_info filled = {
        .struct_size = sizeof filled,
        .name = m->name,
        .columns = m->features.columns,
        .is_sparse = sparse,
        .nonzeros = sparse ? m->features.sparse.nonzeros : (int64_t)m->features.rows * m->features.columns,
        .empty_items = m->empty_items,
        .element = (int32_t)public_element(m->features.element),
    };
    return options_write(info, &filled, sizeof filled, "cfd_modality_info");
}

cfd_status cfd_dataset_user_items(const cfd_dataset *data, cfd_split split, int32_t user, const int32_t **items, size_t *n)
{
    TRY(require(data, "dataset"));
    REQUIRE(items);
    REQUIRE(n);
    if ((int)split < 0 || (int)split > CFD_SPLIT_TEST) {
        return fail(CFD_ERROR_ARGUMENT, "there is no split %d", (int)split);
    }
    if (user < 0 || user >= data->data.users) {
        return fail(CFD_ERROR_ARGUMENT, "user is %d, not from 0 to %d", (int)user, (int)data->data.users - 1);
    }
    const bipartite *graph = &data->data.splits[split];
    *items = graph->item_ids + graph->offsets[user];
    *n = (size_t)bipartite_degree(graph, user);
    return CFD_OK;
}

const char *cfd_dataset_user_name(const cfd_dataset *data, int32_t user)
{
    return data ? name_list_at(&data->data.user_names, user) : NULL;
}

const char *cfd_dataset_item_name(const cfd_dataset *data, int32_t item)
{
    return data ? name_list_at(&data->data.item_names, item) : NULL;
}

int32_t cfd_dataset_find_user(const cfd_dataset *data, const char *name)
{
    return data && name ? name_list_find(&data->data.user_names, name) : -1;
}

int32_t cfd_dataset_find_item(const cfd_dataset *data, const char *name)
{
    return data && name ? name_list_find(&data->data.item_names, name) : -1;
}
