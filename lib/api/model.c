/* SPDX-License-Identifier: Apache-2.0 */
/* The model handle: what it is made of, and its parameters. */
#include "api/model_handle.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- creation ---- */

/* A value that the caller set for a role which no modality plays would silently do nothing. */
static cfd_status check_roles(const cfd_context *context, const settings *values, const role_assignment *roles, int32_t n)
{
    char known[CFD_MAX_MODALITIES * (SETTINGS_ROLE_BYTES + 2)] = "no roles at all";
    size_t length = 0;
    for (int32_t i = 0; i < n; i++) {
        length += (size_t)snprintf(known + length, sizeof known - length, "%s%s", i ? ", " : "", roles[i].role);
    }
    for (int32_t i = 0; i < values->n_roles; i++) {
        const role_settings *own = &values->roles[i];
        bool played = false;
        for (int32_t r = 0; r < n; r++) {
            played = played || strcmp(roles[r].role, own->role) == 0;
        }
        if (!played && own->explicitly_set) {
            return fail(CFD_ERROR_CONFIG,
                        "the config sets values for the role \"%s\", which no modality plays: there are %s", own->role,
                        known);
        }
        if (!played && n > 0) {
            log_message(&context->log, CFD_LOG_WARNING,
                        "the preset's values for the role \"%s\" have no effect: the roles are %s", own->role, known);
        }
    }
    return CFD_OK;
}

/* Which modalities take part. The check of the config's roles looks at all of them, those beyond modality_limit too: an
 * ablation must not make a config invalid. */
static cfd_status assign_roles(cfd_model *model, const settings *values)
{
    const dataset *data = &model->data->data;
    const char *names[CFD_MAX_MODALITIES];
    for (int32_t i = 0; i < data->n_modalities; i++) {
        names[i] = data->modalities[i].name;
    }
    settings unlimited = *values;
    unlimited.modality_limit = CFD_MAX_MODALITIES;
    int32_t n;
    TRY(settings_assign_roles(&unlimited, names, data->n_modalities, model->roles, &n));
    if (strcmp(values->modalities, "none") != 0) {
        TRY(check_roles(model->context, values, model->roles, n));
    }
    return settings_assign_roles(values, names, data->n_modalities, model->roles, &model->n_roles);
}

/* What a role's features are before they are transformed. */
static cfd_status drop_some(cfd_model *model, const role_settings *own, int32_t r, const ops_feature_source **features)
{
    const cfd_context *context = model->context;
    dropped_features *dropped = &model->dropped[r];
    *features = &model->data->data.modalities[model->roles[r].modality].features;
    if (own->drop > 0) {
        TRY(drop_features(&context->memory, context->seed, model->roles[r].modality, own->drop, *features, dropped));
        log_message(&context->log, CFD_LOG_INFO, "drop.%s: the features of %d of %d items are left out", own->role,
                    (int)dropped->n, (int)dropped->features.rows);
        *features = &dropped->features;
    }
    return CFD_OK;
}

/* Fitted to the features, or as another model has fitted them. */
static cfd_status make_transforms(cfd_model *model, const settings *values, const cfd_model *from, ops *device)
{
    for (int32_t r = 0; r < model->n_roles; r++) {
        role_settings own = settings_role(values, model->roles[r].role);
        const ops_feature_source *features;
        const memory_source *memory = &model->context->memory;
        TRY(drop_some(model, &own, r, &features));
        TRY(from ? transform_apply(memory, &from->transforms[r], own.role, features, &model->transforms[r])
                 : transform_fit(memory, device, model->context->seed, own.role, own.transform, features,
                                 &model->transforms[r]));
    }
    return CFD_OK;
}

/* A model that goes on must find the modalities that it knows. */
static cfd_status check_same_roles(const cfd_model *model, const cfd_model *from)
{
    bool same = model->n_roles == from->n_roles;
    for (int32_t r = 0; r < model->n_roles && same; r++) {
        same = strcmp(model->roles[r].role, from->roles[r].role) == 0;
    }
    return same ? CFD_OK
                : fail(CFD_ERROR_DATA, "the data set's modalities do not play the model's roles, in the same order");
}

/* Takes over `device`. */
static cfd_status create_core(cfd_model *model, const settings *values, ops *device)
{
    const cfd_context *context = model->context;
    const dataset *data = &model->data->data;
    model_content content[CFD_MAX_MODALITIES];
    for (int32_t r = 0; r < model->n_roles; r++) {
        content[r] = (model_content){model->roles[r].role, model->transforms[r].features};
    }
    const bipartite *train = &data->splits[CFD_SPLIT_TRAIN];
    bipartite merged = {0};
    if (values->merge_validation) {
        cfd_status status = bipartite_merge(&context->memory, train, &data->splits[CFD_SPLIT_VALIDATION], &merged);
        if (status != CFD_OK) {
            device->table->destroy(device);
            return status;
        }
        train = &merged;
    }
    cfd_status status = model_create(&context->memory, device, values, context->seed, train, content, model->n_roles,
                                     &model->core);
    bipartite_release(&merged);
    return status;
}

/* from: the model that this one goes on from; NULL: it begins afresh. */
static cfd_status create(cfd_context *context, const settings *values, cfd_dataset *dataset, const cfd_model *from,
                         cfd_model **model)
{
    if (dataset->data.splits[CFD_SPLIT_TRAIN].interactions == 0) {
        return fail(CFD_ERROR_DATA, "the data set has no training interactions");
    }
    cfd_model *made;
    TRY(memory_allocate_zero(&context->memory, 1, sizeof *made, "a model", &made));
    atomic_init(&made->references, 1);
    made->context = context_retain(context);
    made->data = dataset_retain(dataset);
    cfd_status status;
    ops *device = NULL;
    TRY_OR(failed, assign_roles(made, values));
    TRY_OR(failed, from ? check_same_roles(made, from) : CFD_OK);
    TRY_OR(failed, context_open_device(context, &device));
    TRY_OR(failed, make_transforms(made, values, from, device));
    ops *taken = device;
    device = NULL;
    TRY_OR(failed, create_core(made, values, taken));
    TRY_OR(failed, from ? model_take_over(made->core, from->core) : CFD_OK);
    atomic_store(&dataset->frozen, true);
    *model = made;
    return CFD_OK;
failed:
    if (device) {
        device->table->destroy(device);
    }
    cfd_model_destroy(made);
    return status;
}

cfd_status cfd_model_create(cfd_context *context, const cfd_config *config, cfd_dataset *dataset, cfd_model **model)
{
    REQUIRE(context);
    REQUIRE(dataset);
    REQUIRE(model);
    settings values;
    settings_init(&values);
    if (config) {
        values = config->values;
    }
    return create(context, &values, dataset, NULL, model);
}

cfd_status cfd_model_extend(cfd_model *model, cfd_dataset *dataset, cfd_model **extended)
{
    REQUIRE(model);
    REQUIRE(dataset);
    REQUIRE(extended);
    return create(model->context, &model->core->values, dataset, model, extended);
}

void cfd_model_destroy(cfd_model *model)
{
    if (!model || atomic_fetch_sub_explicit(&model->references, 1, memory_order_acq_rel) != 1) {
        return;
    }
    cfd_context *context = model->context;
    model_destroy(model->core);
    for (int32_t r = 0; r < model->n_roles; r++) {
        transform_release(&model->transforms[r]);
        dropped_features_release(&model->dropped[r]);
    }
    cfd_dataset_destroy(model->data);
    memory_release(&context->memory, model);
    cfd_context_destroy(context);
}

/* ---- what it is ---- */

cfd_status cfd_model_get_info(const cfd_model *model, cfd_model_info *info)
{
    REQUIRE(model);
    REQUIRE(info);
    const struct model *m = model->core;
    cfd_model_info filled = CFD_MODEL_INFO_INIT;
    filled.n_users = m->users;
    filled.n_items = m->items;
    filled.n_modalities = m->n_roles;
    filled.embedding_dim = m->d;
    filled.score_width = model_score_width(m);
    filled.batch_size = m->values.batch_size;
    filled.n_train = m->n_train;
    filled.steps_per_epoch = m->steps_per_epoch;
    filled.steps_done = m->steps_done;
    filled.n_tensors = (size_t)m->n_tensors;
    filled.precision = ops_precision_name(m->precision);
    filled.parameter_bytes = (int64_t)m->parameter_bytes;
    filled.constant_bytes = (int64_t)m->constant_bytes;
    filled.workspace_bytes = (int64_t)(m->workspace_bytes + m->device->table->scratch_bytes(m->device));
    for (int32_t i = 0; i < m->n_tensors; i++) {
        filled.n_parameters += m->tensors[i].rows * m->tensors[i].columns;
    }
    return options_write(info, &filled, sizeof filled, "info");
}

const char *cfd_model_role(const cfd_model *model, size_t index)
{
    return model && index < (size_t)model->core->n_roles ? model->core->roles[index].own.role : NULL;
}

/* ---- parameters ---- */

cfd_status cfd_model_get_tensor_info(const cfd_model *model, size_t index, cfd_tensor_info *info)
{
    REQUIRE(model);
    REQUIRE(info);
    if (index >= (size_t)model->core->n_tensors) {
        return fail(CFD_ERROR_ARGUMENT, "index %zu: the model has %d tensors", index, (int)model->core->n_tensors);
    }
    const model_tensor *tensor = &model->core->tensors[index];
    cfd_tensor_info filled = {sizeof filled, tensor->name, tensor->rows, tensor->columns};
    return options_write(info, &filled, sizeof filled, "info");
}

cfd_status model_handle_find_tensor(const cfd_model *model, const char *name, const model_tensor **out)
{
    const model_tensor *tensor = model_find_tensor(model->core, name);
    if (!tensor) {
        char known[900] = "";
        size_t length = 0;
        for (int32_t i = 0; i < model->core->n_tensors && length < sizeof known; i++) {
            length += (size_t)snprintf(known + length, sizeof known - length, "%s%s", i ? ", " : "",
                                       model->core->tensors[i].name);
        }
        return fail(CFD_ERROR_ARGUMENT, "there is no parameter \"%.80s\": there are %s", name, known);
    }
    *out = tensor;
    return CFD_OK;
}

/* For an array of n numbers of the caller's. */
static cfd_status find_tensor(const cfd_model *model, const char *name, size_t n, const model_tensor **out)
{
    const model_tensor *tensor = NULL;
    TRY(model_handle_find_tensor(model, name, &tensor));
    size_t wanted = (size_t)tensor->rows * (size_t)tensor->columns;
    if (n != wanted) {
        return fail(CFD_ERROR_ARGUMENT, "n is %zu: %s has %lld x %d = %zu numbers", n, name, (long long)tensor->rows,
                    (int)tensor->columns, wanted);
    }
    *out = tensor;
    return CFD_OK;
}

cfd_status cfd_model_get_parameter(const cfd_model *model, const char *name, float *values, size_t n)
{
    REQUIRE(model);
    REQUIRE(name);
    REQUIRE(values);
    const model_tensor *tensor = NULL;
    TRY(find_tensor(model, name, n, &tensor));
    return model_read_tensor(model->core, tensor, false, values);
}

cfd_status cfd_model_set_parameter(cfd_model *model, const char *name, const float *values, size_t n)
{
    REQUIRE(model);
    REQUIRE(name);
    REQUIRE(values);
    const model_tensor *tensor = NULL;
    TRY(find_tensor(model, name, n, &tensor));
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(values[i])) {
            return fail(CFD_ERROR_DATA, "%s: the number at row %zu, column %zu is not finite", name,
                        i / (size_t)tensor->columns, i % (size_t)tensor->columns);
        }
    }
    return model_write_tensor(model->core, tensor, values);
}

cfd_status cfd_model_get_gradient(const cfd_model *model, const char *name, float *values, size_t n)
{
    REQUIRE(model);
    REQUIRE(name);
    REQUIRE(values);
    const model_tensor *tensor = NULL;
    TRY(find_tensor(model, name, n, &tensor));
    if (!model->core->e0_gradient && !model->core->x_gradient) {
        return fail(CFD_ERROR_ARGUMENT, "the model has no gradients: they last from a step to the next use of the model");
    }
    return model_read_tensor(model->core, tensor, true, values);
}
