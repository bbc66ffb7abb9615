/* SPDX-License-Identifier: Apache-2.0 */
/* Views of a scorer's rows and of a model's parameters where they lie, for other programs' tensors. */
#include "api/dlpack.h"

#include "api/model_handle.h"
#include "base/text.h"

#include <string.h>

/* A matrix that is shown, and who keeps its memory: one of the two, held by the view. */
typedef struct view {
    struct DLManagedTensor tensor;
    int64_t shape[2], strides[2];
    cfd_scorer *scorer;
    cfd_model *model;
} view;

/* The reader calls this, from any thread. The view's memory is the context's, which the owner holds: the owner goes last. */
static void end_view(struct DLManagedTensor *tensor)
{
    view *ended = tensor->manager_ctx;
    cfd_scorer *scorer = ended->scorer;
    cfd_model *model = ended->model;
    memory_release(scorer ? &scorer->context->memory : &model->context->memory, ended);
    cfd_scorer_release(scorer);
    cfd_model_destroy(model);
}

/* Without an owner yet. */
static cfd_status make_view(const memory_source *memory, dlpack_device device, float *data, int64_t rows, int64_t columns,
                            int64_t ld, view **out)
{
    view *made;
    TRY(memory_allocate_zero(memory, 1, sizeof *made, "a view of a tensor", &made));
    made->shape[0] = rows;
    made->shape[1] = columns;
    made->strides[0] = ld;
    made->strides[1] = 1;
    made->tensor.dl_tensor = (dlpack_tensor){.data = data,
                                             .device = device,
                                             .ndim = 2,
                                             .dtype = {DLPACK_FLOAT, 32, 1},
                                             .shape = made->shape,
                                             .strides = made->strides};
    made->tensor.manager_ctx = made;
    made->tensor.deleter = end_view;
    *out = made;
    return CFD_OK;
}

cfd_status cfd_scorer_dlpack(cfd_scorer *handle, const char *name, struct DLManagedTensor **tensor)
{
    TRY(require(handle, "scorer"));
    REQUIRE(name);
    REQUIRE(tensor);
    const scorer *s = &handle->core;
    bool keys = strcmp(name, "key") == 0;
    if (!keys && strcmp(name, "query") != 0) {
        return fail(CFD_ERROR_ARGUMENT, "there is no matrix \"%.80s\": a scorer has query and key", name);
    }
    /* DLPack's data are not const; that nobody writes here is the header's word. */
    float *rows = (float *)(uintptr_t)(keys ? s->keys : s->queries);
    view *made;
    TRY(make_view(&handle->context->memory, (dlpack_device){DLPACK_CPU, 0}, rows, keys ? s->items : s->users, s->width,
                  s->width, &made));
    atomic_fetch_add_explicit(&handle->references, 1, memory_order_relaxed);
    made->scorer = handle;
    *tensor = &made->tensor;
    return CFD_OK;
}

/* Where a backend's memory lies, in DLPack's terms: "cuda:1" is the second GPU. */
static cfd_status device_of(const ops_table *table, dlpack_device *out)
{
    int64_t number;
    if (table->host_memory) {
        *out = (dlpack_device){DLPACK_CPU, 0};
        return CFD_OK;
    }
    if (strncmp(table->name, "cuda:", 5) != 0 || !text_to_integer(table->name + 5, &number)) {
        return fail(CFD_ERROR_DEVICE, "the memory of device %s has no name in DLPack", table->name);
    }
    *out = (dlpack_device){DLPACK_CUDA, (int32_t)number};
    return CFD_OK;
}

cfd_status cfd_model_dlpack(cfd_model *model, const char *name, struct DLManagedTensor **tensor)
{
    REQUIRE(model);
    REQUIRE(name);
    REQUIRE(tensor);
    ops *device = model->core->device;
    const model_tensor *parameter = NULL;
    dlpack_device where;
    view *made;
    TRY(model_handle_find_tensor(model, name, &parameter));
    TRY(device_of(device->table, &where));
    TRY(device->table->synchronise(device)); /* the reader knows nothing of the stream in which steps are */
    TRY(make_view(&model->context->memory, where, parameter->values, parameter->rows, parameter->columns, parameter->ld,
                  &made));
    atomic_fetch_add_explicit(&model->references, 1, memory_order_relaxed);
    made->model = model;
    *tensor = &made->tensor;
    return CFD_OK;
}
