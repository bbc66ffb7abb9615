/* SPDX-License-Identifier: Apache-2.0 */
/* How the CUDA backend is found, refused and fallen back from; memory of the device that runs out. */
#define _GNU_SOURCE
#include "cudasim/cudasim.h"
#include "files.h"
#include "model_random.h"
#include "ops/plugin_open.h"

#include <dlfcn.h>
#include <stdio.h>

/* ---- finding it ---- */

static char log_text[2000];

static void keep_log(void *user, cfd_log_level level, const char *message)
{
    snprintf(log_text + strlen(log_text), sizeof log_text - strlen(log_text), "%s\n", message);
}

static cfd_status open_device(const char *device, const char *folder, cfd_context **context)
{
    cfd_context_options options = CFD_CONTEXT_OPTIONS_INIT;
    log_text[0] = '\0';
    options.device = device;
    options.plugin_folder = folder;
    options.log = keep_log;
    return cfd_context_create(&options, context);
}

static const char *device_of(const cfd_context *context)
{
    cfd_context_info info = CFD_CONTEXT_INFO_INIT;
    OK(cfd_context_get_info(context, &info));
    return info.device;
}

START_TEST(without_a_plugin_cuda_is_refused_and_auto_is_the_cpu)
{
    char folder[] = "/tmp/cfdtbd-test-XXXXXX";
    ck_assert_ptr_nonnull(mkdtemp(folder));
    cfd_context *context = NULL;
    FAILS(CFD_ERROR_DEVICE, "libcfdtbd_cuda.so", open_device("cuda", folder, &context));
    FAILS(CFD_ERROR_DEVICE, "device \"cuda:3\"", open_device("cuda:3", folder, &context));
    FAILS(CFD_ERROR_DEVICE, "is not there", open_device("cuda", "/nowhere/at/all", &context));
    ck_assert_ptr_null(context);
    OK(open_device("auto", folder, &context));
    ck_assert_str_eq(device_of(context), "cpu");
    ck_assert_ptr_nonnull(strstr(log_text, "device auto: the cpu"));
    ck_assert_ptr_nonnull(strstr(log_text, "libcfdtbd_cuda.so"));
    cfd_context_destroy(context);
    rmdir(folder);
}
END_TEST

START_TEST(with_a_plugin_it_is_found_and_says_what_it_is)
{
    cfd_context *context = NULL;
    if (!device_is_tested("cuda")) {
        return;
    }
    OK(open_device("auto", cuda_plugin_folder(), &context));
    ck_assert_str_eq(device_of(context), "cuda:0");
    cfd_context_info info = CFD_CONTEXT_INFO_INIT;
    OK(cfd_context_get_info(context, &info));
    ck_assert_int_eq(strncmp(info.instruction_set, "sm_", 3), 0);
    ck_assert_ptr_nonnull(strstr(info.gemm, "cuBLAS"));
    cfd_context_destroy(context);
    FAILS(CFD_ERROR_DEVICE, "no CUDA device 99", open_device("cuda:99", cuda_plugin_folder(), &context));
    FAILS(CFD_ERROR_ARGUMENT, "cuda:N", open_device("cuda:", cuda_plugin_folder(), &context));
    FAILS(CFD_ERROR_ARGUMENT, "cuda:N", open_device("cuda:-1", cuda_plugin_folder(), &context));
    FAILS(CFD_ERROR_ARGUMENT, "cuda:N", open_device("cuda:1x", cuda_plugin_folder(), &context));
}
END_TEST

/* Nothing of a library of another version may be called, but for the message. */
static char refusal[200];

static void keep_refusal(const char *text)
{
    snprintf(refusal, sizeof refusal, "%s", text);
}

START_TEST(a_plugin_of_another_version_is_refused)
{
    if (!cuda_plugin_folder()) {
        return;
    }
    char path[1200];
    snprintf(path, sizeof path, "%s/libcfdtbd_cuda.so", cuda_plugin_folder());
    void *plugin = dlopen(path, RTLD_NOW | RTLD_NODELETE);
    ck_assert_msg(plugin != NULL, "%s", dlerror());
    union {
        void *data;
        ops_plugin_open function;
    } symbol = {dlsym(plugin, OPS_PLUGIN_SYMBOL)};
    ck_assert_ptr_nonnull(symbol.data);
    for (int changed = 0; changed < 3; changed++) {
        ops_plugin_host host = {.version = ops_plugin_version_here(), .set_message = keep_refusal};
        host.version.abi += changed == 0;
        host.version.minor += changed == 1;
        host.version.table_bytes += changed == 2 ? 8 : 0;
        ops_plugin_request request = {0};
        ops *none = NULL;
        refusal[0] = '\0';
        ck_assert_int_eq(symbol.function(&host, &request, &none), CFD_ERROR_DEVICE);
        ck_assert_ptr_nonnull(strstr(refusal, "different versions"));
        ck_assert_ptr_null(none);
    }
    dlclose(plugin);
}
END_TEST

/* ---- a simulated device that is small ---- */

static void fail_allocation(long n)
{
    union {
        void *data;
        void (*function)(long);
    } symbol = {simulated_symbol("cudasim_fail_allocation")};
    symbol.function(n);
}

static size_t memory_used(void)
{
    union {
        void *data;
        size_t (*function)(void);
    } symbol = {simulated_symbol("cudasim_memory_used")};
    return symbol.function();
}

static cfd_status make_and_train(cfd_context *context, double *total)
{
    const char *const settings[] = {"embedding_dim", "6", "batch_size", "16", NULL};
    cfd_config *config = config_of("beauty", settings);
    cfd_dataset *data = random_dataset(context, &small_world);
    cfd_model *model = NULL;
    cfd_status status = cfd_model_create(context, config, data, &model);
    for (int step = 0; step < 3 && status == CFD_OK; step++) {
        status = cfd_train_step(model, NULL, NULL);
    }
    if (status == CFD_OK) {
        cfd_losses losses = CFD_LOSSES_INIT;
        int ready;
        status = cfd_model_request_losses(model);
        status = status == CFD_OK ? cfd_model_receive_losses(model, 1, &losses, &ready) : status;
        *total = losses.total;
    }
    cfd_model_destroy(model);
    cfd_dataset_destroy(data);
    cfd_config_destroy(config);
    return status;
}

/* Wherever the device's memory runs out: a message with sizes, nothing lost, and the context goes on. */
START_TEST(device_memory_may_run_out_anywhere)
{
    if (!device_is_tested("cuda")) {
        return;
    }
    cfd_context *context = open_context("cuda", 1, 9);
    double expected = 0.0;
    OK(make_and_train(context, &expected));
    if (simulated_symbol("cudasim_fail_allocation")) {
        size_t before = memory_used();
        int failures = 0;
        double total = 0.0;
        for (long n = 0;; n++) {
            fail_allocation(n);
            cfd_status status = make_and_train(context, &total);
            fail_allocation(-1);
            if (status == CFD_OK) {
                break;
            }
            ck_assert_msg(status == CFD_ERROR_MEMORY, "allocation %ld: status %d: %s", n, (int)status, cfd_last_error());
            ck_assert_msg(strstr(cfd_last_error(), "out of memory") != NULL, "allocation %ld: %s", n, cfd_last_error());
            ck_assert_uint_eq(memory_used(), before);
            failures++;
        }
        ck_assert_int_gt(failures, 30);
        ck_assert(total == expected);
    }
    double again = 0.0;
    OK(make_and_train(context, &again));
    ck_assert(again == expected);
    cfd_context_destroy(context);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("cuda context");
    TCase *tc = tcase_create("finding it");
    tcase_add_test(tc, without_a_plugin_cuda_is_refused_and_auto_is_the_cpu);
    tcase_add_test(tc, with_a_plugin_it_is_found_and_says_what_it_is);
    tcase_add_test(tc, a_plugin_of_another_version_is_refused);
    suite_add_tcase(s, tc);
    TCase *memory = tcase_create("memory");
    tcase_set_timeout(memory, 300);
    tcase_add_test(memory, device_memory_may_run_out_anywhere);
    suite_add_tcase(s, memory);
    return s;
}

TEST_MAIN(suite)
