/* SPDX-License-Identifier: Apache-2.0 */
/* What stands behind cfd_model. */
#ifndef CFD_API_MODEL_HANDLE_H
#define CFD_API_MODEL_HANDLE_H

#include "api/handles.h"
#include "data/drop.h"
#include "data/transform.h"
#include "model/model.h"

struct cfd_model {
    atomic_int references; /* the caller's, and one of each view of a parameter (dlpack.c) */
    cfd_context *context;
    cfd_dataset *data;
    role_assignment roles[CFD_MAX_MODALITIES];
    dropped_features dropped[CFD_MAX_MODALITIES]; /* zeroed where a role's drop is 0 */
    transform transforms[CFD_MAX_MODALITIES];
    int32_t n_roles;
    model *core;
};

/* CFD_ERROR_ARGUMENT naming the parameters that there are. */
cfd_status model_handle_find_tensor(const cfd_model *model, const char *name, const model_tensor **out);

/* All that serves, at the present parameters, in memory of its own from `memory`. */
cfd_status model_handle_snapshot(cfd_model *model, const memory_source *memory, snapshot *out);

#endif
