/* SPDX-License-Identifier: Apache-2.0 */
/* What stands behind the opaque handles, and who keeps whom alive. */
#ifndef CFD_API_HANDLES_H
#define CFD_API_HANDLES_H

#include "base/log.h"
#include "base/memory.h"
#include "base/threads.h"
#include "data/dataset.h"
#include "model/settings.h"
#include "ops/ops.h"
#include "ops/profile.h"
#include "serve/scorer.h"
#include "serve/snapshot.h"

#include <stdatomic.h>

struct cfd_context {
    atomic_int references;
    memory_source memory;
    log_sink log;
    thread_pool *pool;
    uint64_t seed;
    profile *profile; /* NULL: none was asked for */
    ops *device;      /* an instance for questions about the device, and the pattern of others; never computes */
};

struct cfd_config {
    settings values;
};

struct cfd_dataset {
    atomic_int references;
    cfd_context *context;
    dataset data;
    atomic_bool frozen; /* a model was made of it: no more additions */
};

struct cfd_scorer {
    atomic_int references;
    cfd_context *context;
    scorer core; /* works on the snapshot's rows */
    snapshot data;
};

cfd_context *context_retain(cfd_context *context);
/* A new instance of the context's device. */
cfd_status context_open_device(const cfd_context *context, ops **out);
cfd_dataset *dataset_retain(cfd_dataset *dataset);

/* Copies a caller's options over defaults: checks struct_size and refuses an unknown tail that is not zero. `options` may be
 * NULL. `out` holds the defaults before. */
cfd_status options_read(const void *options, void *out, size_t known_size, const char *name);
/* Refuses a caller's struct without a size: before work is done whose result could not be handed over. */
cfd_status options_check_size(const void *caller, const char *name);
/* Writes a filled struct into a caller's, as much of it as the caller's struct_size says. */
cfd_status options_write(void *caller, const void *filled, size_t known_size, const char *name);

/* CFD_ERROR_ARGUMENT naming the parameter if pointer is NULL. */
cfd_status require(const void *pointer, const char *name);
#define REQUIRE(parameter) TRY(require(parameter, #parameter))

#endif
