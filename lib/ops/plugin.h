/* SPDX-License-Identifier: Apache-2.0 */
/* Between the library and a backend that is a plugin of its own, opened when its device is asked for. The plugin is built
 * with the library and of no use to another version: both sides compare what they were built from. It has no copy of the
 * library's functions; what it needs of them it gets here. */
#ifndef CFD_OPS_PLUGIN_H
#define CFD_OPS_PLUGIN_H

#include "ops/ops.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Raised whenever ops.h or this file changes in a way that a size does not show. */
#define OPS_PLUGIN_ABI 2u

/* What both sides compare. */
typedef struct ops_plugin_version {
    uint32_t abi;
    uint32_t major, minor, patch; /* of the library */
    uint64_t table_bytes, ops_bytes;
} ops_plugin_version;

static inline ops_plugin_version ops_plugin_version_here(void)
{
    ops_plugin_version here = {OPS_PLUGIN_ABI,    CFD_VERSION_MAJOR, CFD_VERSION_MINOR,
                               CFD_VERSION_PATCH, sizeof(ops_table), sizeof(ops)};
    return here;
}

/* The library's functions that a plugin may call. The first two members never change their places. */
typedef struct ops_plugin_host {
    ops_plugin_version version;
    void (*set_message)(const char *text); /* the calling thread's message, which is copied */
    cfd_status (*allocate)(const memory_source *source, size_t count, size_t size, const char *what, void *out);
    void (*release)(const memory_source *source, void *memory);
    /* An instance that computes in the host's memory like `like`, which is one. */
    cfd_status (*create_like)(const ops *like, ops **out);
} ops_plugin_host;

/* What an instance is made from. Everything outlives it but `cpu`, which it takes over, but where it fails. */
typedef struct ops_plugin_request {
    int32_t device; /* number of the device */
    void *stream;   /* cudaStream_t of the caller's; NULL: one of the instance's own */
    ops *cpu;       /* for what is computed in the host's memory */
    const memory_source *memory;
    thread_pool *pool;
    log_sink log;
} ops_plugin_request;

/* The one symbol of a plugin: makes an instance for questions and to make others from. `host` and `request` are copied.
 * CFD_ERROR_DEVICE: another version, no such device, no driver. */
typedef cfd_status (*ops_plugin_open)(const ops_plugin_host *host, const ops_plugin_request *request, ops **out);
#define OPS_PLUGIN_SYMBOL "cfdtbd_cuda_open"

#ifdef __cplusplus
}
#endif

#endif
