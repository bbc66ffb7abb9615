/* SPDX-License-Identifier: Apache-2.0 */
/* Device memory for the parts of a model that is being made. */
#include "model/setup.h"

cfd_status setup_allocate(model *m, size_t count, size_t size, const char *what, void *out)
{
    size_t bytes;
    if (!checked_multiply(count, size, &bytes)) {
        return fail(CFD_ERROR_MEMORY, "out of memory: %zu x %zu bytes for %s", count, size, what);
    }
    TRY(m->device->table->allocate(m->device, bytes, what, out));
    m->workspace_bytes += bytes;
    return CFD_OK;
}

cfd_status setup_upload(model *m, const void *host, size_t count, size_t size, const char *what, void *out)
{
    TRY(setup_allocate(m, count, size, what, out));
    m->workspace_bytes -= count * size;
    m->constant_bytes += count * size;
    return count > 0 ? m->device->table->upload(m->device, *(void **)out, host, count * size) : CFD_OK;
}
