/* SPDX-License-Identifier: Apache-2.0 */
/* The context: device, threads, seed, log, memory. */
#include "api/handles.h"
#include "base/text.h"
#include "ops/plugin_open.h"

#include <stdio.h>
#include <string.h>

const char *cfd_version(void)
{
    return CFD_VERSION_STRING;
}

/* What a device's name asks for. */
typedef struct device_choice {
    bool reference; /* the oracle's loops on the processor */
    bool cuda;      /* a GPU, `number`; */
    bool automatic; /* or else the processor */
    int32_t number;
} device_choice;

static cfd_status choose_device(const char *device, device_choice *choice)
{
    *choice = (device_choice){false, false, false, 0};
    if (!device || strcmp(device, "auto") == 0) {
        choice->cuda = true;
        choice->automatic = true;
        return CFD_OK;
    }
    if (strcmp(device, "cpu") == 0) {
        return CFD_OK;
    }
    if (strcmp(device, "reference") == 0) {
        choice->reference = true;
        return CFD_OK;
    }
    int64_t number = 0;
    if (strcmp(device, "cuda") == 0 ||
        (strncmp(device, "cuda:", 5) == 0 && text_to_integer(device + 5, &number) && number >= 0 && number <= INT32_MAX)) {
        choice->cuda = true;
        choice->number = (int32_t)number;
        return CFD_OK;
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

static cfd_status create_cpu(const cfd_context *context, const cfd_context_options *chosen, ops **out)
{
    return ops_create_cpu(&context->memory, context->pool, context->log, chosen->instructions, out);
}

/* The GPU has an instance of the cpu for what is computed in the host's memory. */
static cfd_status create_cuda(const cfd_context *context, const cfd_context_options *chosen, const device_choice *choice,
                              ops **out)
{
    if (choice->automatic && !chosen->plugin_folder && !plugin_cuda_driver()) {
        log_message(&context->log, CFD_LOG_INFO, "device auto: the cpu (there is no CUDA driver)");
        return create_cpu(context, chosen, out);
    }
    ops_plugin_request request = {.device = choice->number,
                                  .stream = chosen->cuda_stream,
                                  .memory = &context->memory,
                                  .pool = context->pool,
                                  .log = context->log};
    TRY(create_cpu(context, chosen, &request.cpu));
    cfd_status status = plugin_open_cuda(chosen->plugin_folder, &request, out);
    if (status == CFD_ERROR_DEVICE && choice->automatic) {
        log_message(&context->log, CFD_LOG_INFO, "device auto: the cpu (%s)", cfd_last_error());
        return create_cpu(context, chosen, out);
    }
    return status == CFD_ERROR_DEVICE ? fail(status, "device \"%.40s\": %s", chosen->device, cfd_last_error()) : status;
}

static cfd_status create_device(const cfd_context *context, const cfd_context_options *chosen, const device_choice *choice,
                                ops **out)
{
    ops *device;
    TRY(choice->reference ? ops_create_reference(&context->memory, context->pool, context->log, &device)
        : choice->cuda    ? create_cuda(context, chosen, choice, &device)
                          : create_cpu(context, chosen, &device));
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
    device_choice choice;
    TRY(choose_device(chosen.device, &choice));
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
    TRY_OR(failed, create_device(made, &chosen, &choice, &made->device));
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
