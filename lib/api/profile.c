/* SPDX-License-Identifier: Apache-2.0 */
/* How fast a context computes: its profile, as its caller sees it, and probes. */
#include "api/handles.h"

#include <string.h>

size_t cfd_context_profile_count(const cfd_context *context)
{
    return context && context->profile ? profile_count(context->profile) : 0;
}

cfd_status cfd_context_get_profile(const cfd_context *context, size_t index, cfd_profile_entry *entry)
{
    REQUIRE(context);
    REQUIRE(entry);
    size_t n = cfd_context_profile_count(context);
    if (index >= n) {
        return fail(CFD_ERROR_ARGUMENT,
                    context->profile ? "index is %zu: the profile has %zu kinds of operations"
                                     : "index is %zu: the context was made without a profile",
                    index, n);
    }
    cfd_profile_entry filled = CFD_PROFILE_ENTRY_INIT;
    profile_sums sums;
    profile_get(context->profile, index, &filled.operation, &filled.detail, &sums);
    filled.calls = sums.calls;
    filled.seconds = sums.seconds;
    filled.operations = sums.operations;
    filled.bytes = sums.bytes;
    return options_write(entry, &filled, sizeof filled, "entry");
}

void cfd_context_reset_profile(cfd_context *context)
{
    if (context && context->profile) {
        profile_reset(context->profile);
    }
}

/* ---- probes ---- */

/* NULL is float32. */
static cfd_status precision_from_name(const char *name, ops_precision *precision)
{
    for (ops_precision k = OPS_PRECISION_FLOAT32; k <= OPS_PRECISION_TF32; k++) {
        if (!name || strcmp(name, ops_precision_name(k)) == 0) {
            *precision = k;
            return CFD_OK;
        }
    }
    return fail(CFD_ERROR_ARGUMENT, "probe.precision is \"%.40s\": float32, bf16x3, bf16 or tf32 wanted", name);
}

static cfd_status check_size(const char *name, int64_t size, int64_t most)
{
    return size >= 1 && size <= most
               ? CFD_OK
               : fail(CFD_ERROR_ARGUMENT, "probe.%s is %lld: 1 to %lld wanted", name, (long long)size, (long long)most);
}

cfd_status cfd_context_probe(cfd_context *context, const cfd_probe *probe, double *seconds, size_t n)
{
    REQUIRE(context);
    REQUIRE(probe);
    REQUIRE(seconds);
    cfd_probe asked = CFD_PROBE_INIT;
    TRY(options_read(probe, &asked, sizeof asked, "probe"));
    if (n < 1 || n > CFD_MAX_PROBE_REPETITIONS) {
        return fail(CFD_ERROR_ARGUMENT, "n is %zu: 1 to %d repetitions wanted", n, CFD_MAX_PROBE_REPETITIONS);
    }
    if (asked.kind < CFD_PROBE_COPY || asked.kind > CFD_PROBE_SCORES) {
        return fail(CFD_ERROR_ARGUMENT, "probe.kind is %d: there is no such probe", (int)asked.kind);
    }
    if (asked.reserved != 0) {
        return fail(CFD_ERROR_ARGUMENT, "probe.reserved is %d: 0 wanted", (int)asked.reserved);
    }
    ops_probe wanted = {.kind = (ops_probe_kind)asked.kind,
                        .rows = asked.rows,
                        .inner = asked.inner,
                        .columns = asked.columns};
    TRY(precision_from_name(asked.precision, &wanted.precision));
    if (asked.kind == CFD_PROBE_COPY) {
        TRY(check_size("rows", asked.rows, INT64_MAX));
    } else {
        TRY(check_size("rows", asked.rows, INT32_MAX));
        TRY(check_size("inner", asked.inner, INT32_MAX));
        TRY(check_size("columns", asked.columns, INT32_MAX));
    }
    ops *device;
    TRY(context_open_device(context, &device));
    cfd_status status = device->table->probe(device, &wanted, seconds, n);
    device->table->destroy(device);
    return status;
}
