/* SPDX-License-Identifier: Apache-2.0 */
/* New items beside the known ones. */
#ifndef CFD_SERVE_EXTEND_H
#define CFD_SERVE_EXTEND_H

#include "serve/encoder.h"

/* Checked. */
typedef struct new_items {
    size_t n;
    const encoder_input *inputs; /* n_inputs, each of another role; roles without one are absent from all items */
    size_t n_inputs;
    const int64_t *offsets; /* n + 1; NULL: nobody has any of them */
    const int32_t *users;   /* ascending for each item, each once */
} new_items;

/* Their key rows, n x width. */
cfd_status extend_keys(const snapshot *s, const new_items *items, float *keys);
/* A copy of the snapshot in `memory` that has them after its own items. */
cfd_status extend_snapshot(const snapshot *s, const memory_source *memory, const new_items *items, snapshot *out);

#endif
