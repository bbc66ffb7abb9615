/* SPDX-License-Identifier: Apache-2.0 */
/* The parameters under their names (SPEC 3): drawn afresh, read and written. */
#include "model/setup.h"

#include "base/philox.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- the table ---- */

static model_tensor *add(model *m, float *values, int64_t offset, int64_t ld, int64_t rows, int32_t columns,
                         float *const *gradient_base)
{
    model_tensor *t = &m->tensors[m->n_tensors++];
    *t = (model_tensor){.values = values + offset,
                        .ld = ld,
                        .rows = rows,
                        .columns = columns,
                        .gradient_base = gradient_base,
                        .offset = offset};
    return t;
}

static void name_tensors(model *m)
{
    static const char *const kinds[KINDS] = {"common", "differential"};
    if (m->has_base) {
        model_tensor *t = add(m, m->e0, 0, m->d, m->users, m->d, &m->e0_gradient);
        snprintf(t->name, sizeof t->name, "user.id");
        t = add(m, m->e0, (int64_t)m->users * m->d, m->d, m->items, m->d, &m->e0_gradient);
        snprintf(t->name, sizeof t->name, "item.id");
    }
    for (int32_t r = 0; r < m->n_roles; r++) {
        model_role *role = &m->roles[r];
        for (int kind = 0; kind < KINDS; kind++) {
            if (m->kinds[kind] < 0) {
                continue;
            }
            int32_t column = model_head_column(m, r, (enum model_kind)kind);
            model_tensor *t = add(m, m->x, column, m->head_columns, m->users, m->d, &m->x_gradient);
            snprintf(t->name, sizeof t->name, "user.%s.%s", kinds[kind], role->own.role);
            t = add(m, role->weights, (int64_t)m->kinds[kind] * m->d, m->role_columns, role->columns, m->d, &role->gradient);
            snprintf(t->name, sizeof t->name, "proj.%s.%s", kinds[kind], role->own.role);
        }
    }
}

const model_tensor *model_find_tensor(const model *m, const char *name)
{
    for (int32_t i = 0; i < m->n_tensors; i++) {
        if (strcmp(m->tensors[i].name, name) == 0) {
            return &m->tensors[i];
        }
    }
    return NULL;
}

/* ---- reading and writing, row by row through a block without gaps ---- */

static cfd_status transfer(const model *m, const model_tensor *tensor, float *device_values, float *host_out,
                           const float *host_in)
{
    const ops_table *t = m->device->table;
    size_t bytes = (size_t)tensor->rows * (size_t)tensor->columns * sizeof(float);
    float *block;
    TRY(t->allocate(m->device, bytes, "a copy of a parameter", &block));
    cfd_status status = CFD_OK;
    if (host_out) {
        TRY_OR(done, t->copy_matrix(m->device, device_values, tensor->ld, block, tensor->columns, tensor->rows,
                                    tensor->columns, 1.0f));
        TRY_OR(done, t->download(m->device, host_out, block, bytes));
    } else {
        TRY_OR(done, t->upload(m->device, block, host_in, bytes));
        TRY_OR(done, t->copy_matrix(m->device, block, tensor->columns, device_values, tensor->ld, tensor->rows,
                                    tensor->columns, 1.0f));
        TRY_OR(done, t->synchronise(m->device));
    }
done:
    t->release(m->device, block);
    return status;
}

cfd_status model_read_tensor(const model *m, const model_tensor *tensor, bool gradient, float *host)
{
    float *from = gradient ? *tensor->gradient_base + tensor->offset : tensor->values;
    return transfer(m, tensor, from, host, NULL);
}

cfd_status model_write_tensor(model *m, const model_tensor *tensor, const float *host)
{
    return transfer(m, tensor, tensor->values, NULL, host);
}

/* ---- Xavier uniform: +-sqrt(6 / (rows + columns)) ---- */

static void draw(uint64_t seed, uint32_t tensor, int64_t rows, int32_t columns, float *values)
{
    double bound = sqrt(6.0 / ((double)rows + columns));
    size_t n = (size_t)rows * (size_t)columns;
    for (size_t i = 0; i < n; i += 4) {
        uint64_t block = i / 4;
        philox_block random = philox(seed, PHILOX_INIT, (block >> 32) << 32 | tensor, (uint32_t)block);
        for (size_t k = 0; k < 4 && i + k < n; k++) {
            values[i + k] = (float)(bound * (2.0 * philox_unit(random.word[k]) - 1.0));
        }
    }
}

cfd_status setup_parameters(model *m)
{
    name_tensors(m);
    for (int32_t i = 0; i < m->n_tensors; i++) {
        const model_tensor *tensor = &m->tensors[i];
        float *values;
        TRY(memory_allocate(m->memory, (size_t)tensor->rows * (size_t)tensor->columns, sizeof(float), tensor->name,
                            &values));
        draw(m->seed, (uint32_t)i, tensor->rows, tensor->columns, values);
        cfd_status status = model_write_tensor(m, tensor, values);
        memory_release(m->memory, values);
        TRY(status);
    }
    return CFD_OK;
}
