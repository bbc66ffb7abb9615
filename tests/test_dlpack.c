/* SPDX-License-Identifier: Apache-2.0 */
/* Views in DLPack's form: what they say of the matrix, that they show it and do not copy it, and who keeps whose memory.
 * That a program that is not ours reads them is shown by tests/python/views.py. */
#include "limited_memory.h"
#include "model_support.h"
#include "test_api_world.h"

#include "api/dlpack.h"
#include "api/model_handle.h"

#include <pthread.h>

static limited memory;
static cfd_context *context;
static cfd_model *trained; /* two roles: parameters with gaps between their rows, and without */
static cfd_scorer *served;

static void set_up(void)
{
    limited_init(&memory, LONG_MAX);
    cfd_context_options options = CFD_CONTEXT_OPTIONS_INIT;
    options.device = "cpu";
    options.threads = 2;
    options.allocate = limited_allocate;
    options.release = limited_release;
    options.allocator_user = &memory;
    OK(cfd_context_create(&options, &context));
    cfd_dataset *data = world_data(context);
    cfd_config *config = WORLD_CONFIG("eval_every", "1", "epochs", "3");
    trained = world_model(context, config, data);
    OK(cfd_scorer_create(trained, &served));
    cfd_config_destroy(config);
    cfd_dataset_destroy(data);
}

static void tear_down(void)
{
    cfd_scorer_release(served);
    cfd_model_destroy(trained);
    cfd_context_destroy(context);
    ck_assert_int_eq(atomic_load(&memory.live), 0);
}

static struct DLManagedTensor *view_of(const char *name)
{
    struct DLManagedTensor *view;
    OK(cfd_model_dlpack(trained, name, &view));
    return view;
}

static void check_form(const struct DLManagedTensor *view, int64_t rows, int64_t columns, int64_t ld)
{
    const dlpack_tensor *t = &view->dl_tensor;
    ck_assert_int_eq(t->ndim, 2);
    ck_assert_int_eq(t->shape[0], rows);
    ck_assert_int_eq(t->shape[1], columns);
    ck_assert_int_eq(t->strides[0], ld);
    ck_assert_int_eq(t->strides[1], 1);
    ck_assert_uint_eq(t->byte_offset, 0);
    ck_assert_int_eq(t->dtype.code, 2);
    ck_assert_int_eq(t->dtype.bits, 32);
    ck_assert_int_eq(t->dtype.lanes, 1);
}

static void check_host(const struct DLManagedTensor *view)
{
    ck_assert_int_eq(view->dl_tensor.device.device_type, 1);
    ck_assert_int_eq(view->dl_tensor.device.device_id, 0);
}

/* A view has the numbers of the copy that cfd_model_get_parameter makes. */
static void check_shows(const struct DLManagedTensor *view, const char *name)
{
    const dlpack_tensor *t = &view->dl_tensor;
    size_t rows = (size_t)t->shape[0];
    size_t columns = (size_t)t->shape[1];
    float *copy = malloc(rows * columns * sizeof *copy);
    OK(cfd_model_get_parameter(trained, name, copy, rows * columns));
    for (size_t r = 0; r < rows; r++) {
        ck_assert_mem_eq((float *)t->data + r * (size_t)t->strides[0], copy + r * columns, columns * sizeof *copy);
    }
    free(copy);
}

/* ---- what a view says ---- */

/* The layout as DLPack has it where pointers have 64 bits: bytes from the beginning of the struct. */
START_TEST(the_layout_is_that_of_dlpack)
{
    if (sizeof(void *) != 8) {
        return;
    }
    struct DLManagedTensor *view = view_of("item.id");
    unsigned char bytes[64];
    ck_assert_uint_eq(sizeof *view, sizeof bytes);
    memcpy(bytes, view, sizeof bytes);
    int32_t numbers[3];
    int64_t *shape;
    memcpy(numbers, bytes + 8, sizeof numbers);
    ck_assert_int_eq(numbers[0], 1);
    ck_assert_int_eq(numbers[1], 0);
    ck_assert_int_eq(numbers[2], 2);
    ck_assert_mem_eq(bytes + 20, "\x02\x20\x01\x00", 4);
    memcpy(&shape, bytes + 24, sizeof shape);
    ck_assert_int_eq(shape[0], WORLD_ITEMS);
    memcpy(&shape, bytes + 32, sizeof shape);
    ck_assert_int_eq(shape[1], 1);
    void (*end)(struct DLManagedTensor *);
    memcpy(&end, bytes + 56, sizeof end);
    end(view);
}
END_TEST

START_TEST(every_parameter_is_shown_where_it_lies)
{
    int gaps = 0;
    for (size_t i = 0; i < tensor_count(trained); i++) {
        cfd_tensor_info info = tensor_at(trained, i);
        const model_tensor *tensor = model_find_tensor(trained->core, info.name);
        struct DLManagedTensor *view = view_of(info.name);
        check_form(view, info.rows, info.columns, tensor->ld);
        check_host(view);
        ck_assert_ptr_eq(view->dl_tensor.data, tensor->values);
        check_shows(view, info.name);
        gaps += tensor->ld > tensor->columns;
        view->deleter(view);
    }
    ck_assert_int_eq(gaps, 8);
}
END_TEST

START_TEST(a_scorers_rows_are_shown_where_they_lie)
{
    cfd_scorer_info info = CFD_SCORER_INFO_INIT;
    OK(cfd_scorer_get_info(served, &info));
    struct DLManagedTensor *queries;
    struct DLManagedTensor *keys;
    OK(cfd_scorer_dlpack(served, "query", &queries));
    OK(cfd_scorer_dlpack(served, "key", &keys));
    check_form(queries, WORLD_USERS, info.width, info.width);
    check_form(keys, WORLD_ITEMS, info.width, info.width);
    check_host(queries);
    check_host(keys);
    ck_assert_ptr_eq(queries->dl_tensor.data, served->core.queries);
    ck_assert_ptr_eq(keys->dl_tensor.data, served->core.keys);
    keys->deleter(keys);
    queries->deleter(queries);
}
END_TEST

/* ---- a view shows what becomes of the model, and the model what is written through it ---- */

START_TEST(a_view_shows_every_change)
{
    static const char *const names[] = {"user.id", "item.id", "user.common.photo", "proj.differential.tags"};
    struct DLManagedTensor *views[4];
    void *data[4];
    for (int i = 0; i < 4; i++) {
        views[i] = view_of(names[i]);
        data[i] = views[i]->dl_tensor.data;
    }
    float first = *(float *)data[3];
    OK(cfd_train_step(trained, NULL, NULL));
    ck_assert_float_ne(*(float *)data[3], first);
    OK(cfd_train(trained, NULL, NULL)); /* ends with the parameters of the best epoch put back */
    float values[WORLD_USERS * 8];
    for (int i = 0; i < WORLD_USERS * 8; i++) {
        values[i] = (float)i / 512.0f;
    }
    OK(cfd_model_set_parameter(trained, "user.common.photo", values, WORLD_USERS * 8));
    ck_assert_float_eq(((float *)data[2])[views[2]->dl_tensor.strides[0]], 8.0f / 512.0f);
    for (int i = 0; i < 4; i++) {
        ck_assert_ptr_eq(views[i]->dl_tensor.data, data[i]);
        check_shows(views[i], names[i]);
        views[i]->deleter(views[i]);
    }
}
END_TEST

START_TEST(what_is_written_through_a_view_counts)
{
    float *before = world_model_scores(trained);
    struct DLManagedTensor *view = view_of("item.id");
    for (int c = 0; c < 8; c++) {
        ((float *)view->dl_tensor.data)[view->dl_tensor.strides[0] + c] += 1.0f;
    }
    check_shows(view, "item.id");
    view->deleter(view);
    float *after = world_model_scores(trained);
    ck_assert(memcmp(before, after, sizeof(float) * WORLD_USERS * WORLD_ITEMS) != 0);
    free(after);
    free(before);
}
END_TEST

/* ---- lifetimes ---- */

/* All that the caller holds goes first; the numbers are still there, and go with the last view. Each order of the two. */
START_TEST(a_view_outlives_the_handles)
{
    struct DLManagedTensor *views[4];
    views[0] = view_of("user.differential.tags");
    views[1] = view_of("user.differential.tags");
    OK(cfd_scorer_dlpack(served, "query", &views[2]));
    OK(cfd_scorer_dlpack(served, "key", &views[3]));
    float first = *(const float *)views[0]->dl_tensor.data;
    float last = served->core.keys[WORLD_ITEMS * served->core.width - 1];
    cfd_model_destroy(trained);
    cfd_scorer_release(served);
    cfd_context_destroy(context);
    trained = NULL;
    served = NULL;
    context = NULL;
    int kept = _i;
    views[1 - kept]->deleter(views[1 - kept]);
    views[3 - kept]->deleter(views[3 - kept]);
    const dlpack_tensor *parameter = &views[kept]->dl_tensor;
    ck_assert_float_eq(*(const float *)parameter->data, first);
    ck_assert_int_gt(atomic_load(&memory.live), 0);
    if (kept == 1) { /* the keys are left */
        const dlpack_tensor *keys = &views[3]->dl_tensor;
        ck_assert_float_eq(((const float *)keys->data)[keys->shape[0] * keys->strides[0] - 1], last);
    }
    views[kept]->deleter(views[kept]);
    views[2 + kept]->deleter(views[2 + kept]);
    ck_assert_int_eq(atomic_load(&memory.live), 0);
}
END_TEST

START_TEST(views_that_end_before_their_owner_leave_it_alone)
{
    for (int i = 0; i < 3; i++) {
        struct DLManagedTensor *view = view_of("user.id");
        view->deleter(view);
        OK(cfd_scorer_dlpack(served, "key", &view));
        view->deleter(view);
    }
    OK(cfd_train_step(trained, NULL, NULL));
    free(world_scores(served));
}
END_TEST

enum { VIEWS = 64 };

static void *end_them(void *argument)
{
    struct DLManagedTensor **views = argument;
    for (int i = 0; i < VIEWS; i++) {
        views[i]->deleter(views[i]);
    }
    return NULL;
}

/* Several threads end views at once, while the handles go: whoever is last ends the owner. */
START_TEST(any_thread_ends_views)
{
    static struct DLManagedTensor *views[4][VIEWS];
    pthread_t threads[4];
    for (int t = 0; t < 4; t++) {
        for (int i = 0; i < VIEWS; i++) {
            OK(t % 2 ? cfd_model_dlpack(trained, "user.id", &views[t][i]) : cfd_scorer_dlpack(served, "key", &views[t][i]));
        }
    }
    for (int t = 0; t < 4; t++) {
        ck_assert_int_eq(pthread_create(&threads[t], NULL, end_them, views[t]), 0);
    }
    cfd_model_destroy(trained);
    cfd_scorer_release(served);
    cfd_context_destroy(context);
    for (int t = 0; t < 4; t++) {
        ck_assert_int_eq(pthread_join(threads[t], NULL), 0);
    }
    ck_assert_int_eq(atomic_load(&memory.live), 0);
    trained = NULL;
    served = NULL;
    context = NULL;
}
END_TEST

/* ---- refusals ---- */

START_TEST(names_and_arguments_are_checked)
{
    struct DLManagedTensor *none = (struct DLManagedTensor *)&none;
    FAILS(CFD_ERROR_ARGUMENT, "no matrix \"keys\": a scorer has query and key", cfd_scorer_dlpack(served, "keys", &none));
    FAILS(CFD_ERROR_ARGUMENT, "no matrix \"\"", cfd_scorer_dlpack(served, "", &none));
    FAILS(CFD_ERROR_ARGUMENT, "no parameter \"user.photo\": there are user.id, item.id,",
          cfd_model_dlpack(trained, "user.photo", &none));
    FAILS(CFD_ERROR_ARGUMENT, "scorer is NULL", cfd_scorer_dlpack(NULL, "key", &none));
    FAILS(CFD_ERROR_ARGUMENT, "name is NULL", cfd_scorer_dlpack(served, NULL, &none));
    FAILS(CFD_ERROR_ARGUMENT, "tensor is NULL", cfd_scorer_dlpack(served, "key", NULL));
    FAILS(CFD_ERROR_ARGUMENT, "model is NULL", cfd_model_dlpack(NULL, "user.id", &none));
    FAILS(CFD_ERROR_ARGUMENT, "name is NULL", cfd_model_dlpack(trained, NULL, &none));
    FAILS(CFD_ERROR_ARGUMENT, "tensor is NULL", cfd_model_dlpack(trained, "user.id", NULL));
    ck_assert_ptr_eq(none, &none);
}
END_TEST

/* The references are as they were: the owners end with their handles, as tear_down checks. */
START_TEST(want_of_memory_is_reported)
{
    struct DLManagedTensor *none = (struct DLManagedTensor *)&none;
    long live = atomic_load(&memory.live);
    atomic_store(&memory.left, 0);
    cfd_status of_model = cfd_model_dlpack(trained, "user.id", &none);
    cfd_status of_scorer = cfd_scorer_dlpack(served, "key", &none);
    atomic_store(&memory.left, LONG_MAX);
    ck_assert_int_eq(of_model, CFD_ERROR_MEMORY);
    ck_assert_int_eq(of_scorer, CFD_ERROR_MEMORY);
    ck_assert_ptr_nonnull(strstr(cfd_last_error(), "a view of a tensor"));
    ck_assert_ptr_eq(none, &none);
    ck_assert_int_eq(atomic_load(&memory.live), live);
}
END_TEST

/* ---- memory that is not the host's ---- */

START_TEST(a_device_that_dlpack_does_not_know_is_refused)
{
    const ops_table *own = trained->core->device->table;
    ops_table other = *own;
    other.host_memory = false;
    struct DLManagedTensor *view = NULL;
    static const char *const names[] = {"tape", "cuda:", "cuda:x"};
    for (int i = 0; i < 3; i++) {
        other.name = names[i];
        trained->core->device->table = &other;
        cfd_status status = cfd_model_dlpack(trained, "user.id", &view);
        trained->core->device->table = own;
        FAILS(CFD_ERROR_DEVICE, names[i], status);
    }
    ck_assert_ptr_null(view);
    other.name = "cuda:3"; /* the number is the name's */
    trained->core->device->table = &other;
    cfd_status status = cfd_model_dlpack(trained, "user.id", &view);
    trained->core->device->table = own;
    OK(status);
    ck_assert_int_eq(view->dl_tensor.device.device_type, 2);
    ck_assert_int_eq(view->dl_tensor.device.device_id, 3);
    view->deleter(view);
}
END_TEST

/* On the first GPU, simulated or real: the view names it, and outlives the model there as well. */
START_TEST(a_model_on_a_gpu_shows_its_memory_there)
{
    if (!device_is_tested("cuda")) {
        return;
    }
    cfd_context *gpu = open_context("cuda", 1, 7);
    cfd_dataset *data = world_data(gpu);
    cfd_model *there = model_of(gpu, WORLD_CONFIG("select", "none"), data); /* lets go of all three */
    OK(cfd_train_step(there, NULL, NULL));
    struct DLManagedTensor *view;
    struct DLManagedTensor *keys;
    OK(cfd_model_dlpack(there, "user.common.photo", &view));
    const model_tensor *tensor = model_find_tensor(there->core, "user.common.photo");
    check_form(view, WORLD_USERS, 8, tensor->ld);
    ck_assert_int_eq(view->dl_tensor.device.device_type, 2);
    ck_assert_int_eq(view->dl_tensor.device.device_id, 0);
    ck_assert_ptr_eq(view->dl_tensor.data, tensor->values);
    cfd_scorer *serving;
    OK(cfd_scorer_create(there, &serving));
    OK(cfd_scorer_dlpack(serving, "key", &keys)); /* of the copy in host memory */
    check_host(keys);
    cfd_scorer_release(serving);
    cfd_model_destroy(there);
    float sum = 0.0f;
    for (int64_t i = 0; i < keys->dl_tensor.shape[0] * keys->dl_tensor.shape[1]; i++) {
        sum += fabsf(((const float *)keys->dl_tensor.data)[i]);
    }
    ck_assert_float_gt(sum, 0.0f);
    keys->deleter(keys);
    view->deleter(view);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("dlpack");
    TCase *t = tcase_create("views");
    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_add_test(t, the_layout_is_that_of_dlpack);
    tcase_add_test(t, every_parameter_is_shown_where_it_lies);
    tcase_add_test(t, a_scorers_rows_are_shown_where_they_lie);
    tcase_add_test(t, a_view_shows_every_change);
    tcase_add_test(t, what_is_written_through_a_view_counts);
    tcase_add_loop_test(t, a_view_outlives_the_handles, 0, 2);
    tcase_add_test(t, views_that_end_before_their_owner_leave_it_alone);
    tcase_add_test(t, any_thread_ends_views);
    tcase_add_test(t, names_and_arguments_are_checked);
    tcase_add_test(t, want_of_memory_is_reported);
    tcase_add_test(t, a_device_that_dlpack_does_not_know_is_refused);
    tcase_add_test(t, a_model_on_a_gpu_shows_its_memory_there);
    suite_add_tcase(s, t);
    return s;
}

TEST_MAIN(suite)
