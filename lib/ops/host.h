/* SPDX-License-Identifier: Apache-2.0 */
/* What backends whose memory is the host's have in common: nothing is on its way, nothing needs to be recorded, serving
 * reads the host's matrices. And how to look behind the pointers of any backend. */
#ifndef CFD_OPS_HOST_H
#define CFD_OPS_HOST_H

#include "ops/ops.h"

cfd_status host_mailbox_create(ops *o, size_t bytes, ops_mailbox **out);
void host_mailbox_destroy(ops *o, ops_mailbox *mailbox);
cfd_status host_mailbox_post(ops *o, ops_mailbox *mailbox, const void *from);
cfd_status host_mailbox_read(ops *o, ops_mailbox *mailbox, void *to, bool wait, bool *ready);

bool host_tf32(const ops *o); /* no processor multiplies it */
cfd_status host_ranker_create(ops *o, const float *queries, int32_t users, const float *keys, int32_t items, int32_t width,
                              ops_ranker **out); /* none */

/* A backend's memory, readable by the host: itself, or a copy. */
typedef struct host_view {
    const void *data;
    void *copy; /* NULL: data is the memory itself */
} host_view;

/* Waits for the device where it has to copy. `memory` NULL gives a view of NULL. */
cfd_status host_view_open(ops *o, const void *memory, size_t bytes, host_view *out);
void host_view_close(ops *o, host_view *view); /* accepts a zeroed one */

#endif
