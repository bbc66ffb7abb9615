/* SPDX-License-Identifier: Apache-2.0 */
/* The scorer's two matrices as files that vector indexes and databases read (docs/file-formats.md). */
#include "api/handles.h"

#include "io/npy_write.h"
#include "io/safetensors.h"

#include <stdio.h>
#include <string.h>

/* ---- safetensors ---- */

static safetensor matrix_of(const char *name, int32_t rows, int32_t width, const float *values)
{
    return (safetensor){.name = name,
                        .dtype = "F32",
                        .shape = {rows, width},
                        .rank = 2,
                        .data = values,
                        .bytes = (size_t)rows * (size_t)width * sizeof *values};
}

static cfd_status export_safetensors(const cfd_scorer *handle, const char *path)
{
    const scorer *s = &handle->core;
    const safetensor tensors[] = {matrix_of("query", s->users, s->width, s->queries),
                                  matrix_of("key", s->items, s->width, s->keys)};
    const int64_t numbers[] = {s->users, s->items, s->width, handle->data.steps_done};
    char texts[4][24];
    for (int i = 0; i < 4; i++) {
        snprintf(texts[i], sizeof texts[i], "%lld", (long long)numbers[i]);
    }
    const safetensors_entry metadata[] = {{"format", "cfdtbd-vectors"},
                                          {"n_users", texts[0]},
                                          {"n_items", texts[1]},
                                          {"width", texts[2]},
                                          {"steps_done", texts[3]}};
    return safetensors_write(&handle->context->memory, path, tensors, 2, metadata, sizeof metadata / sizeof *metadata);
}

/* ---- npy ---- */

/* Opens DIRECTORY/NAME beside its place. */
static cfd_status open_in(const memory_source *memory, const char *directory, const char *name, atomic_file *out)
{
    size_t bytes = strlen(directory) + strlen(name) + 2;
    char *path;
    TRY(memory_allocate(memory, bytes, 1, "a path", &path));
    snprintf(path, bytes, "%s/%s", directory, name);
    cfd_status status = atomic_file_open(memory, path, out);
    memory_release(memory, path);
    return status;
}

/* Both files are finished beside their places before the first is renamed: a full disk leaves both as they were. */
static cfd_status export_npy(const cfd_scorer *handle, const char *directory)
{
    const scorer *s = &handle->core;
    if (*directory == '\0') {
        return fail(CFD_ERROR_FILE, "cannot write query.npy: the path of the directory is empty");
    }
    atomic_file queries;
    atomic_file keys;
    cfd_status status;
    TRY(open_in(s->memory, directory, "query.npy", &queries));
    TRY_OR(no_keys, open_in(s->memory, directory, "key.npy", &keys));
    TRY_OR(failed, npy_write(&queries, s->users, s->width, s->queries));
    TRY_OR(failed, npy_write(&keys, s->items, s->width, s->keys));
    status = atomic_file_commit(&queries);
    if (status != CFD_OK) {
        atomic_file_cancel(&keys);
        return status;
    }
    return atomic_file_commit(&keys);
failed:
    atomic_file_cancel(&keys);
no_keys:
    atomic_file_cancel(&queries);
    return status;
}

cfd_status cfd_scorer_export(const cfd_scorer *handle, const char *path, int32_t format)
{
    TRY(require(handle, "scorer"));
    REQUIRE(path);
    switch (format) {
    case CFD_EXPORT_SAFETENSORS: return export_safetensors(handle, path);
    case CFD_EXPORT_NPY: return export_npy(handle, path);
    default: return fail(CFD_ERROR_ARGUMENT, "format is %d: a cfd_export_format wanted", (int)format);
    }
}
