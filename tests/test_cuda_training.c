/* SPDX-License-Identifier: Apache-2.0 */
/* The CUDA backend under the public API: training agrees with the cpu on every preset, hands over next to nothing, waits for
 * nothing, allocates nothing; bits do not depend on the order in which a device works. On a simulated device the counts are
 * read too; on a real one they are passed over. */
#include "cudasim/cudasim.h"
#include "model_random.h"

static const char *const presets[] = {"beauty", "art", "taobao"};
enum { PRESETS = 3, STEPS = 20 };

static const random_world world = {
    .users = 120, .items = 90, .per_user = 6, .dense_columns = {30, 21}, .sparse_columns = 25, .seed = 12};

static cfd_model *make_model(const char *device, const char *preset, const char *sampler)
{
    const char *const settings[] = {"embedding_dim", "8",       "batch_size", "40", "learning_rate",
                                    "0.01",          "sampler", sampler,      NULL};
    cfd_context *context = open_context(device, 2, 17);
    return model_of(context, config_of(preset, settings), random_dataset(context, &world));
}

/* ---- counting, where the device is simulated ---- */

typedef unsigned long (*count_function)(cudasim_event);

static count_function simulated_count(void)
{
    union {
        void *data;
        count_function function;
    } symbol = {simulated_symbol("cudasim_count")};
    return symbol.function;
}

/* ---- agreement ---- */

/* Measured on the presets: losses differ by up to 2e-6 of themselves, parameters by up to 4e-6 after twenty steps of which
 * each moves a parameter by up to 1e-2. */
static void compare_training(const char *preset, const char *sampler)
{
    cfd_model *cpu = make_model("cpu", preset, sampler);
    cfd_model *cuda = make_model("cuda", preset, sampler);
    for (int step = 0; step < STEPS; step++) {
        cfd_losses expected = CFD_LOSSES_INIT;
        cfd_losses losses = CFD_LOSSES_INIT;
        OK(cfd_train_step(cpu, NULL, &expected));
        if (step % 2 == 0) { /* recorded steps and others in turn */
            OK(cfd_train_step(cuda, NULL, &losses));
        } else {
            int ready;
            OK(cfd_train_step(cuda, NULL, NULL));
            OK(cfd_model_request_losses(cuda));
            OK(cfd_model_receive_losses(cuda, 1, &losses, &ready));
            ck_assert_int_eq(ready, 1);
        }
        const double ours[] = {losses.total, losses.ranking, losses.penalty, losses.common, losses.differential};
        const double theirs[] = {expected.total, expected.ranking, expected.penalty, expected.common, expected.differential};
        for (int k = 0; k < 5; k++) {
            double difference = fabs(ours[k] - theirs[k]);
            ck_assert_msg(difference <= 1e-4 * (fabs(theirs[k]) + 1e-3), "%s, %s, step %d: loss %d is %.9g, not %.9g",
                          preset, sampler, step, k, ours[k], theirs[k]);
        }
    }
    size_t n;
    float *expected = all_parameters(cpu, &n);
    float *actual = all_parameters(cuda, &n);
    for (size_t i = 0; i < n; i++) {
        ck_assert_msg(fabs((double)actual[i] - expected[i]) <= 2e-3, "%s, %s: parameter %zu is %.9g, not %.9g", preset,
                      sampler, i, (double)actual[i], (double)expected[i]);
    }
    free(expected);
    free(actual);
    cfd_model_destroy(cpu);
    cfd_model_destroy(cuda);
}

START_TEST(twenty_steps_agree_with_the_cpu)
{
    if (device_is_tested("cuda")) {
        compare_training(presets[_i % PRESETS], _i < PRESETS ? "users" : "interactions");
    }
}
END_TEST

/* ---- what a step costs the host ---- */

START_TEST(a_step_waits_for_nothing_and_is_handed_over_whole)
{
    if (!device_is_tested("cuda")) {
        return;
    }
    cfd_model *model = make_model("cuda", presets[_i], "users");
    count_function count = simulated_count();
    for (int step = 0; step < 3; step++) { /* scratch grows, then a step is recorded */
        OK(cfd_train_step(model, NULL, NULL));
    }
    unsigned long before[CUDASIM_EVENTS] = {0};
    for (int k = 0; k < CUDASIM_EVENTS && count; k++) {
        before[k] = count((cudasim_event)k);
    }
    for (int step = 0; step < STEPS; step++) {
        OK(cfd_train_step(model, NULL, NULL));
        OK(cfd_model_request_losses(model));
    }
    for (int k = 0; k < CUDASIM_EVENTS && count; k++) {
        before[k] = count((cudasim_event)k) - before[k];
    }
    if (count) {
        ck_assert_uint_le(before[CUDASIM_WAITS], 1); /* the mailbox, made at the first request */
        ck_assert_uint_le(before[CUDASIM_ALLOCATIONS], 1);
        ck_assert_uint_eq(before[CUDASIM_DEFAULT_STREAM], 0);
        ck_assert_uint_eq(before[CUDASIM_GRAPH_LAUNCHES], STEPS);
        /* Zeroed losses, the clock, the graph; the losses' copy and its event. */
        ck_assert_uint_le(before[CUDASIM_CALLS], 5 * STEPS);
    }
    cfd_losses losses = CFD_LOSSES_INIT;
    int ready = 0;
    OK(cfd_model_receive_losses(model, 1, &losses, &ready));
    ck_assert_int_eq(ready, 1);
    ck_assert_double_gt(losses.total, 0.0);
    cfd_model_destroy(model);
}
END_TEST

START_TEST(losses_come_when_they_are_there)
{
    if (!device_is_tested("cuda")) {
        return;
    }
    cfd_model *model = make_model("cuda", "beauty", "users");
    cfd_losses losses = CFD_LOSSES_INIT;
    int ready = 7;
    FAILS(CFD_ERROR_ARGUMENT, "requested", cfd_model_receive_losses(model, 0, &losses, &ready));
    ck_assert_int_eq(ready, 7);
    OK(cfd_train_step(model, NULL, NULL));
    OK(cfd_model_request_losses(model));
    do {
        OK(cfd_model_receive_losses(model, 0, &losses, &ready));
        ck_assert(ready || losses.total == 0.0);
    } while (!ready);
    ck_assert_double_gt(losses.total, 0.0);
    cfd_model_destroy(model);
}
END_TEST

/* ---- the same bits ---- */

static float *trained(unsigned seed, const char *sampler, bool losses_too, size_t *n)
{
    cfd_model *model = make_model("cuda", "beauty", sampler);
    simulated_seed(seed);
    for (int step = 0; step < STEPS; step++) {
        cfd_losses losses = CFD_LOSSES_INIT;
        OK(cfd_train_step(model, NULL, losses_too ? &losses : NULL)); /* else recorded */
    }
    float *parameters = all_parameters(model, n);
    cfd_model_destroy(model);
    return parameters;
}

START_TEST(neither_order_nor_recording_changes_a_bit)
{
    if (!device_is_tested("cuda")) {
        return;
    }
    static const char *const samplers[] = {"users", "interactions"};
    size_t n;
    float *first = trained(1, samplers[_i], false, &n);
    for (unsigned seed = 2; seed < 5; seed++) {
        float *other = trained(seed, samplers[_i], seed == 3, &n);
        ck_assert_msg(memcmp(first, other, n * sizeof *first) == 0, "seed %u: other parameters", seed);
        free(other);
    }
    free(first);
}
END_TEST

/* ---- the caller's batches: of many sizes, more than there are places for recordings ---- */

START_TEST(batches_of_the_callers_agree_with_the_cpu)
{
    if (!device_is_tested("cuda")) {
        return;
    }
    cfd_model *models[] = {make_model("cpu", "beauty", "users"), make_model("cuda", "beauty", "users")};
    uint64_t state = 5;
    for (int step = 0; step < 14; step++) {
        int32_t users[40];
        int32_t positives[40];
        int32_t negatives[40];
        for (int k = 0; k < 40; k++) {
            users[k] = below(&state, world.users);
            positives[k] = below(&state, world.items);
            negatives[k] = below(&state, world.items);
        }
        cfd_batch batch = CFD_BATCH_INIT;
        batch.users = users;
        batch.positives = positives;
        batch.negatives = negatives;
        batch.size = (size_t)(step % 7 + 1);
        for (int k = 0; k < 2; k++) {
            OK(cfd_train_step(models[k], &batch, NULL));
        }
    }
    size_t n;
    float *expected = all_parameters(models[0], &n);
    float *actual = all_parameters(models[1], &n);
    for (size_t i = 0; i < n; i++) {
        ck_assert_msg(fabs((double)actual[i] - expected[i]) <= 2e-3, "parameter %zu is %.9g, not %.9g", i, (double)actual[i],
                      (double)expected[i]);
    }
    free(expected);
    free(actual);
    cfd_model_destroy(models[0]);
    cfd_model_destroy(models[1]);
}
END_TEST

/* ---- a guest: the caller's stream, the caller's current device ---- */

typedef union runtime_function {
    void *data;
    int (*with_int)(int);
    int (*with_int_pointer)(int *);
    int (*with_stream_pointer)(void **);
    int (*with_stream)(void *);
    void (*set_devices)(int);
} runtime_function;

/* A stream of the caller's on another device than the current one: steps go into it, and the current device stays. */
START_TEST(the_callers_stream_and_device_are_respected)
{
    if (!device_is_tested("cuda")) {
        return;
    }
    cfd_context *first = open_context("cuda", 1, 17); /* the plugin is in the process from here on */
    runtime_function set_devices = {simulated_symbol("cudasim_set_devices")};
    runtime_function set_device = {simulated_symbol("cudaSetDevice")};
    runtime_function get_device = {simulated_symbol("cudaGetDevice")};
    runtime_function make_stream = {simulated_symbol("cudaStreamCreate")};
    runtime_function end_stream = {simulated_symbol("cudaStreamDestroy")};
    cfd_context_destroy(first);
    if (!set_devices.data) {
        return; /* a real device: its runtime is inside the plugin */
    }
    set_devices.set_devices(2);
    void *stream;
    ck_assert_int_eq(make_stream.with_stream_pointer(&stream), 0);
    ck_assert_int_eq(set_device.with_int(1), 0);

    cfd_context_options options = CFD_CONTEXT_OPTIONS_INIT;
    options.device = "cuda:0";
    options.seed = 17;
    options.plugin_folder = cuda_plugin_folder();
    options.cuda_stream = stream;
    cfd_context *context;
    OK(cfd_context_create(&options, &context));
    const char *const settings[] = {"embedding_dim", "8",       "batch_size", "40", "learning_rate",
                                    "0.01",          "sampler", "users",      NULL};
    cfd_model *model = model_of(context, config_of("beauty", settings), random_dataset(context, &world));
    int current = -1;
    for (int step = 0; step < STEPS; step++) {
        OK(cfd_train_step(model, NULL, NULL));
        ck_assert_int_eq(get_device.with_int_pointer(&current), 0);
        ck_assert_int_eq(current, 1);
    }
    size_t n;
    float *parameters = all_parameters(model, &n);
    cfd_model_destroy(model);
    ck_assert_int_eq(get_device.with_int_pointer(&current), 0);
    ck_assert_int_eq(current, 1);
    ck_assert_int_eq(set_device.with_int(0), 0);
    ck_assert_int_eq(end_stream.with_stream(stream), 0);
    float *expected = trained(1, "users", false, &n);
    ck_assert_mem_eq(parameters, expected, n * sizeof *expected);
    free(parameters);
    free(expected);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("cuda training");
    TCase *agreement = tcase_create("agreement");
    tcase_set_timeout(agreement, 300);
    tcase_add_loop_test(agreement, twenty_steps_agree_with_the_cpu, 0, 2 * PRESETS);
    tcase_add_test(agreement, batches_of_the_callers_agree_with_the_cpu);
    suite_add_tcase(s, agreement);
    TCase *queue = tcase_create("the queue");
    tcase_set_timeout(queue, 300);
    tcase_add_loop_test(queue, a_step_waits_for_nothing_and_is_handed_over_whole, 0, PRESETS);
    tcase_add_test(queue, losses_come_when_they_are_there);
    tcase_add_loop_test(queue, neither_order_nor_recording_changes_a_bit, 0, 2);
    tcase_add_test(queue, the_callers_stream_and_device_are_respected);
    suite_add_tcase(s, queue);
    return s;
}

TEST_MAIN(suite)
