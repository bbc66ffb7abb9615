/* SPDX-License-Identifier: Apache-2.0 */
/* The profile of a context, as its caller sees it. */
#include "api/handles.h"

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
        return fail(CFD_ERROR_ARGUMENT, context->profile ? "index is %zu: the profile has %zu kinds of operations"
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
