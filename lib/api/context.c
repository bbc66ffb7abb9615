/* SPDX-License-Identifier: Apache-2.0 */
/* The context: device, threads, seed, log, memory. */
#include "api/handles.h"

#include <stdio.h>
#include <string.h>

#define CFD_TEXT(x) #x
#define CFD_VERSION_TEXT(major, minor, patch) CFD_TEXT(major) "." CFD_TEXT(minor) "." CFD_TEXT(patch)

const char *cfd_version(void)
{
    return CFD_VERSION_TEXT(CFD_VERSION_MAJOR, CFD_VERSION_MINOR, CFD_VERSION_PATCH);
}

/* "auto" and "cpu" are the processor; "reference" is its oracle. */
static cfd_status choose_device(const char *device, bool *reference)
{
    if (!device || strcmp(device, "auto") == 0 || strcmp(device, "cpu") == 0) {
        *reference = false;
        return CFD_OK;
    }
    if (strcmp(device, "reference") == 0) {
        *reference = true;
        return CFD_OK;
    }
    if (strncmp(device, "cuda", 4) == 0 && (device[4] == '\0' || device[4] == ':')) {
        return fail(CFD_ERROR_DEVICE, "device \"%.40s\": this build of the library has no CUDA backend", device);
    }
    return fail(CFD_ERROR_ARGUMENT, "there is no device \"%.40s\": auto, cpu, cuda, cuda:N or reference", device);
}

static cfd_status choose_scoring(const char *scoring, ops_scoring *wanted)
{
    static const char *const words[] = {"auto", "float32", "int8"};
    static const ops_scoring meanings[] = {OPS_SCORING_AUTO, OPS_SCORING_FLOAT32, OPS_SCORING_INT8};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (!scoring || strcmp(scoring, words[i]) == 0) {
            *wanted = meanings[i];
            return CFD_OK;
        }
    }
    return fail(CFD_ERROR_ARGUMENT, "there is no scoring \"%.40s\": auto, float32 or int8", scoring);
}

static cfd_status create_device(const cfd_context *context, const cfd_context_options *chosen, bool reference, ops **out)
{
    ops *device;
    TRY(reference ? ops_create_reference(&context->memory, context->pool, context->log, &device)
                  : ops_create_cpu(&context->memory, context->pool, context->log, chosen->instructions, &device));
    if (context->profile) {
        return ops_create_profiled(device, context->profile, out);
    }
    *out = device;
    return CFD_OK;
}

cfd_status context_open_device(const cfd_context *context, ops **out)
{
    return context->device->table->create(context->device, out);
}

cfd_status cfd_context_create(const cfd_context_options *options, cfd_context **context)
{
    REQUIRE(context);
    cfd_context_options chosen = CFD_CONTEXT_OPTIONS_INIT;
    TRY(options_read(options, &chosen, sizeof chosen, "options"));
    if (chosen.threads < 0 || chosen.threads > 4096) {
        return fail(CFD_ERROR_ARGUMENT, "options.threads is %d: 0 to 4096 wanted", (int)chosen.threads);
    }
    if (chosen.reserved != 0) {
        return fail(CFD_ERROR_ARGUMENT, "options.reserved is %d: 0 wanted", (int)chosen.reserved);
    }
    if (chosen.profile != 0 && chosen.profile != 1) {
        return fail(CFD_ERROR_ARGUMENT, "options.profile is %d: 0 or 1 wanted", (int)chosen.profile);
    }
    if (chosen.reserved2 != 0) {
        return fail(CFD_ERROR_ARGUMENT, "options.reserved2 is %d: 0 wanted", (int)chosen.reserved2);
    }
    if (!chosen.allocate != !chosen.release) {
        return fail(CFD_ERROR_ARGUMENT, "options.allocate and options.release are given together or not at all");
    }
    bool reference;
    TRY(choose_device(chosen.device, &reference));
    ops_scoring scoring;
    TRY(choose_scoring(chosen.scoring, &scoring));

    memory_source memory = {chosen.allocate, chosen.release, chosen.allocator_user};
    cfd_context *made;
    TRY(memory_allocate_zero(&memory, 1, sizeof *made, "a context", &made));
    atomic_init(&made->references, 1);
    made->memory = memory;
    made->log = (log_sink){chosen.log, chosen.log_user};
    made->seed = chosen.seed;
    cfd_status status;
    TRY_OR(failed, threads_create(&made->memory, chosen.threads, &made->pool));
    if (chosen.profile) {
        TRY_OR(failed, profile_create(&made->memory, &made->profile));
    }
    TRY_OR(failed, create_device(made, &chosen, reference, &made->device));
    TRY_OR(failed, made->device->table->set_scoring(made->device, scoring));
    *context = made;
    return CFD_OK;
failed:
    cfd_context_destroy(made);
    return status;
}

cfd_context *context_retain(cfd_context *context)
{
    atomic_fetch_add_explicit(&context->references, 1, memory_order_relaxed);
    return context;
}

void cfd_context_destroy(cfd_context *context)
{
    if (!context || atomic_fetch_sub_explicit(&context->references, 1, memory_order_acq_rel) != 1) {
        return;
    }
    if (context->device) {
        context->device->table->destroy(context->device);
    }
    profile_destroy(context->profile);
    threads_destroy(context->pool);
    memory_source memory = context->memory;
    memory_release(&memory, context);
}

cfd_status cfd_context_get_info(const cfd_context *context, cfd_context_info *info)
{
    REQUIRE(context);
    REQUIRE(info);
    const ops *device = context->device;
    cfd_context_info filled = CFD_CONTEXT_INFO_INIT;
    filled.device = device->table->name;
    filled.instruction_set = device->table->instruction_set(device);
    filled.gemm = device->table->gemm(device);
    filled.threads = threads_count(context->pool);
    filled.seed = context->seed;
    static const char *const bfloat16[] = {"none", "native", "matrix"};
    filled.bfloat16 = bfloat16[device->table->bfloat16(device)];
    filled.scoring = device->table->scoring(device) == OPS_SCORING_INT8 ? "int8" : "float32";
    return options_write(info, &filled, sizeof filled, "info");
}
