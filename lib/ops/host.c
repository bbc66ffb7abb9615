/* SPDX-License-Identifier: Apache-2.0 */
/* See host.h. */
#include "ops/host.h"

#include <string.h>

struct ops_mailbox {
    size_t bytes;
    _Alignas(MEMORY_ALIGNMENT) unsigned char content[];
};

cfd_status host_mailbox_create(ops *o, size_t bytes, ops_mailbox **out)
{
    size_t all;
    if (!checked_add(bytes, sizeof(ops_mailbox), &all)) {
        return fail_memory("a mailbox", SIZE_MAX);
    }
    ops_mailbox *made;
    TRY(memory_allocate_zero(o->memory, 1, all, "a mailbox", &made));
    made->bytes = bytes;
    *out = made;
    return CFD_OK;
}

void host_mailbox_destroy(ops *o, ops_mailbox *mailbox)
{
    memory_release(o->memory, mailbox);
}

cfd_status host_mailbox_post(ops *o, ops_mailbox *mailbox, const void *from)
{
    memcpy(mailbox->content, from, mailbox->bytes);
    return CFD_OK;
}

cfd_status host_mailbox_read(ops *o, ops_mailbox *mailbox, void *to, bool wait, bool *ready)
{
    memcpy(to, mailbox->content, mailbox->bytes);
    *ready = true;
    return CFD_OK;
}

bool host_tf32(const ops *o)
{
    return false;
}

cfd_status host_view_open(ops *o, const void *memory, size_t bytes, host_view *out)
{
    if (o->table->host_memory || !memory) {
        *out = (host_view){memory, NULL};
        return CFD_OK;
    }
    void *copy;
    TRY(memory_allocate(o->memory, bytes, 1, "a copy of device memory", &copy));
    cfd_status status = o->table->download(o, copy, memory, bytes);
    if (status != CFD_OK) {
        memory_release(o->memory, copy);
        return status;
    }
    *out = (host_view){copy, copy};
    return CFD_OK;
}

void host_view_close(ops *o, host_view *view)
{
    memory_release(o->memory, view->copy);
}

cfd_status host_ranker_create(ops *o, const float *queries, int32_t users, const float *keys, int32_t items, int32_t width,
                              ops_ranker **out)
{
    *out = NULL;
    return CFD_OK;
}
