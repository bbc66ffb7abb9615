/* SPDX-License-Identifier: Apache-2.0 */
/* The best parameters so far, kept beside the model on its device. */
#include "train/train.h"

/* One contiguous block of parameters and where its copy is. */
typedef struct block {
    float *parameters;
    float **copy;
    size_t bytes;
} block;

static int32_t list_blocks(const model *m, parameter_copy *copy, block blocks[CFD_MAX_MODALITIES + 2])
{
    int32_t n = 0;
    if (m->has_base) {
        blocks[n++] = (block){m->e0, &copy->e0, (size_t)m->nodes * (size_t)m->d * sizeof(float)};
    }
    if (m->n_roles > 0) {
        blocks[n++] = (block){m->x, &copy->x, (size_t)m->users * (size_t)m->head_columns * sizeof(float)};
    }
    for (int32_t r = 0; r < m->n_roles; r++) {
        blocks[n++] = (block){m->roles[r].weights, &copy->weights[r],
                              (size_t)m->roles[r].columns * (size_t)m->role_columns * sizeof(float)};
    }
    return n;
}

cfd_status parameter_copy_keep(const model *m, parameter_copy *copy)
{
    const ops_table *t = m->device->table;
    block blocks[CFD_MAX_MODALITIES + 2];
    int32_t n = list_blocks(m, copy, blocks);
    for (int32_t i = 0; i < n; i++) {
        if (!*blocks[i].copy) {
            TRY(t->allocate(m->device, blocks[i].bytes, "the best parameters", blocks[i].copy));
        }
    }
    for (int32_t i = 0; i < n; i++) {
        TRY(t->copy(m->device, *blocks[i].copy, blocks[i].parameters, blocks[i].bytes));
    }
    copy->steps = m->parameter_steps;
    return CFD_OK;
}

cfd_status parameter_copy_restore(model *m, const parameter_copy *copy)
{
    parameter_copy from = *copy;
    block blocks[CFD_MAX_MODALITIES + 2];
    int32_t n = list_blocks(m, &from, blocks);
    for (int32_t i = 0; i < n; i++) {
        TRY(m->device->table->copy(m->device, blocks[i].parameters, *blocks[i].copy, blocks[i].bytes));
    }
    m->parameter_steps = copy->steps;
    return CFD_OK;
}

void parameter_copy_release(const model *m, parameter_copy *copy)
{
    block blocks[CFD_MAX_MODALITIES + 2];
    int32_t n = list_blocks(m, copy, blocks);
    for (int32_t i = 0; i < n; i++) {
        m->device->table->release(m->device, *blocks[i].copy);
        *blocks[i].copy = NULL;
    }
}
