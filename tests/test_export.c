/* SPDX-License-Identifier: Apache-2.0 */
/* Vectors for other programs: what is read back has the bits of the scorer's rows; a failure leaves nothing half-written. */
#include "files.h"
#include "test_api_world.h"

#include "api/handles.h"
#include "io/npy.h"
#include "io/safetensors.h"
#include "limited_memory.h"

#include <signal.h>
#include <sys/resource.h>

static limited memory;
static cfd_context *context;
static cfd_scorer *served; /* of a model of four steps */

static void set_up(void)
{
    make_folder();
    limited_init(&memory, LONG_MAX);
    cfd_context_options options = CFD_CONTEXT_OPTIONS_INIT;
    options.device = "cpu";
    options.threads = 2;
    options.allocate = limited_allocate;
    options.release = limited_release;
    options.allocator_user = &memory;
    OK(cfd_context_create(&options, &context));
    cfd_dataset *data = world_data(context);
    cfd_config *config = WORLD_CONFIG("lambda.photo", "0.4");
    cfd_model *model = world_model(context, config, data);
    for (int step = 0; step < 4; step++) {
        OK(cfd_train_step(model, NULL, NULL));
    }
    OK(cfd_scorer_create(model, &served));
    cfd_model_destroy(model);
    cfd_config_destroy(config);
    cfd_dataset_destroy(data);
}

static void tear_down(void)
{
    cfd_scorer_release(served);
    cfd_context_destroy(context);
    ck_assert_int_eq(atomic_load(&memory.live), 0);
    remove_folder();
}

/* ---- what is read back ---- */

/* Rows that were read have the bits of the scorer's; their inner products are its scores, but for the order of the sum. */
static void check_rows(const float *queries, const float *keys)
{
    const scorer *s = &served->core;
    ck_assert_mem_eq(queries, s->queries, sizeof(float) * (size_t)s->users * (size_t)s->width);
    ck_assert_mem_eq(keys, s->keys, sizeof(float) * (size_t)s->items * (size_t)s->width);
    float *scores = world_scores(served);
    for (int32_t u = 0; u < s->users; u++) {
        for (int32_t i = 0; i < s->items; i++) {
            double sum = 0.0;
            double size = 0.0;
            for (int32_t c = 0; c < s->width; c++) {
                double product = (double)queries[u * s->width + c] * keys[i * s->width + c];
                sum += product;
                size += fabs(product);
            }
            ck_assert_double_le(fabs(sum - scores[u * s->items + i]), 1e-6 * size);
        }
    }
    free(scores);
}

static void check_entry(const safetensors_file *file, const char *key, const char *value)
{
    const char *there = safetensors_metadata(file, key);
    ck_assert_msg(there && strcmp(there, value) == 0, "%s is %s, not %s", key, there ? there : "missing", value);
}

static void check_shape(const safetensor *tensor, int64_t rows, int64_t columns)
{
    ck_assert_ptr_nonnull(tensor);
    ck_assert_str_eq(tensor->dtype, "F32");
    ck_assert_int_eq(tensor->rank, 2);
    ck_assert_int_eq(tensor->shape[0], rows);
    ck_assert_int_eq(tensor->shape[1], columns);
}

enum { WIDTH = 8 * (1 + 4 * 2) }; /* base, two heads of two roles, the same fused */

START_TEST(a_safetensors_file_has_the_scorers_rows)
{
    OK(cfd_scorer_export(served, in_folder("vectors"), CFD_EXPORT_SAFETENSORS));
    ck_assert_int_eq(entries_in_folder(), 1);
    safetensors_file file;
    OK(safetensors_open(&memory_default, in_folder("vectors"), &file));
    ck_assert_uint_eq(file.n_tensors, 2);
    ck_assert_uint_eq(file.n_metadata, 5);
    check_entry(&file, "format", "cfdtbd-vectors");
    check_entry(&file, "n_users", "48");
    check_entry(&file, "n_items", "30");
    check_entry(&file, "width", "72");
    check_entry(&file, "steps_done", "4");
    const safetensor *queries = safetensors_find(&file, "query");
    const safetensor *keys = safetensors_find(&file, "key");
    check_shape(queries, WORLD_USERS, WIDTH);
    check_shape(keys, WORLD_ITEMS, WIDTH);
    check_rows(queries->data, keys->data);
    safetensors_close(&file);
    cfd_scorer *loaded = NULL;
    FAILS(CFD_ERROR_FORMAT, "\"cfdtbd-vectors\", not \"cfdtbd-model\"",
          cfd_scorer_load(context, in_folder("vectors"), &loaded));
}
END_TEST

START_TEST(two_npy_files_have_the_scorers_rows)
{
    OK(cfd_scorer_export(served, folder, CFD_EXPORT_NPY));
    ck_assert_int_eq(entries_in_folder(), 2);
    npy_file queries;
    npy_file keys;
    OK(npy_open(in_folder("query.npy"), &queries));
    OK(npy_open(in_folder("key.npy"), &keys));
    ck_assert_int_eq(queries.rows, WORLD_USERS);
    ck_assert_int_eq(keys.rows, WORLD_ITEMS);
    ck_assert_int_eq(queries.columns, WIDTH);
    ck_assert_int_eq(keys.columns, WIDTH);
    ck_assert_ptr_nonnull(npy_in_place(&queries));
    check_rows(npy_in_place(&queries), npy_in_place(&keys));
    npy_close(&queries);
    npy_close(&keys);
}
END_TEST

/* NumPy's own description of its format, byte by byte. */
START_TEST(an_npy_file_has_the_header_of_its_format)
{
    OK(cfd_scorer_export(served, folder, CFD_EXPORT_NPY));
    size_t n;
    unsigned char *bytes = read_bytes_of(in_folder("key.npy"), &n);
    const char text[] = "{'descr': '<f4', 'fortran_order': False, 'shape': (30, 72), }";
    ck_assert_uint_eq(n, 128 + 30 * 72 * sizeof(float));
    ck_assert_mem_eq(bytes, "\x93NUMPY\x01\x00\x76\x00", 10);
    ck_assert_mem_eq(bytes + 10, text, sizeof text - 1);
    for (size_t i = 10 + sizeof text - 1; i < 127; i++) {
        ck_assert_int_eq(bytes[i], ' ');
    }
    ck_assert_int_eq(bytes[127], '\n');
    free(bytes);
}
END_TEST

/* One column, and no steps. */
START_TEST(popularity_can_be_exported)
{
    cfd_dataset *data = world_data(context);
    cfd_scorer *popularity;
    OK(cfd_scorer_create_popularity(context, data, 0, &popularity));
    OK(cfd_scorer_export(popularity, in_folder("p"), CFD_EXPORT_SAFETENSORS));
    safetensors_file file;
    OK(safetensors_open(&memory_default, in_folder("p"), &file));
    check_entry(&file, "width", "1");
    check_entry(&file, "steps_done", "0");
    check_shape(safetensors_find(&file, "key"), WORLD_ITEMS, 1);
    safetensors_close(&file);
    cfd_scorer_release(popularity);
    cfd_dataset_destroy(data);
}
END_TEST

START_TEST(an_export_replaces_the_one_before)
{
    write_text("vectors", "before");
    write_text("query.npy", "before");
    write_text("key.npy", "before");
    OK(cfd_scorer_export(served, in_folder("vectors"), CFD_EXPORT_SAFETENSORS));
    OK(cfd_scorer_export(served, folder, CFD_EXPORT_NPY));
    ck_assert_int_eq(entries_in_folder(), 3);
    npy_file keys;
    OK(npy_open(in_folder("key.npy"), &keys));
    npy_close(&keys);
}
END_TEST

/* ---- refusals ---- */

START_TEST(arguments_are_checked_and_named)
{
    FAILS(CFD_ERROR_ARGUMENT, "scorer is NULL", cfd_scorer_export(NULL, folder, CFD_EXPORT_NPY));
    FAILS(CFD_ERROR_ARGUMENT, "path is NULL", cfd_scorer_export(served, NULL, CFD_EXPORT_NPY));
    FAILS(CFD_ERROR_ARGUMENT, "format is 2", cfd_scorer_export(served, folder, 2));
    FAILS(CFD_ERROR_ARGUMENT, "format is -1", cfd_scorer_export(served, in_folder("x"), -1));
    ck_assert_int_eq(entries_in_folder(), 0);
}
END_TEST

START_TEST(a_place_that_cannot_be_written_is_named_and_nothing_left_there)
{
    write_text("file", "a file");
    FAILS(CFD_ERROR_FILE, "absent/query.npy", cfd_scorer_export(served, in_folder("absent"), CFD_EXPORT_NPY));
    FAILS(CFD_ERROR_FILE, "file/query.npy", cfd_scorer_export(served, in_folder("file"), CFD_EXPORT_NPY));
    FAILS(CFD_ERROR_FILE, "path of the directory is empty", cfd_scorer_export(served, "", CFD_EXPORT_NPY));
    FAILS(CFD_ERROR_FILE, "path is empty", cfd_scorer_export(served, "", CFD_EXPORT_SAFETENSORS));
    FAILS(CFD_ERROR_FILE, "absent/vectors", cfd_scorer_export(served, in_folder("absent/vectors"), CFD_EXPORT_SAFETENSORS));
    FAILS(CFD_ERROR_FILE, "directory", cfd_scorer_export(served, folder, CFD_EXPORT_SAFETENSORS));
    ck_assert_int_eq(entries_in_folder(), 1);
    ck_assert_int_eq(mkdir(in_folder("key.npy"), 0777), 0); /* the second file has no place: nor is the first written */
    FAILS(CFD_ERROR_FILE, "key.npy", cfd_scorer_export(served, folder, CFD_EXPORT_NPY));
    ck_assert_int_eq(entries_in_folder(), 2);
}
END_TEST

/* A disk that fills up, as far as one process can have it: the keys (8640 bytes) fit, the queries (13824) do not. */
START_TEST(an_export_that_breaks_off_leaves_the_old_files_as_they_were)
{
    const char *const names[] = {"vectors", "query.npy", "key.npy"};
    for (int i = 0; i < 3; i++) {
        write_text(names[i], "what was there before");
    }
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit before;
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
    struct rlimit little = {10000, before.rlim_max};
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &little), 0);
    cfd_status one = cfd_scorer_export(served, in_folder("vectors"), CFD_EXPORT_SAFETENSORS);
    cfd_status two = cfd_scorer_export(served, folder, CFD_EXPORT_NPY);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_DFL);
    ck_assert_int_eq(one, CFD_ERROR_FILE);
    ck_assert_int_eq(two, CFD_ERROR_FILE);
    ck_assert_ptr_nonnull(strstr(cfd_last_error(), "query.npy"));
    ck_assert_int_eq(entries_in_folder(), 3);
    for (int i = 0; i < 3; i++) {
        size_t n;
        unsigned char *bytes = read_bytes_of(in_folder(names[i]), &n);
        ck_assert_str_eq((const char *)bytes, "what was there before");
        free(bytes);
    }
}
END_TEST

START_TEST(want_of_memory_leaves_nothing_behind)
{
    for (int32_t format = CFD_EXPORT_SAFETENSORS; format <= CFD_EXPORT_NPY; format++) {
        const char *path = format == CFD_EXPORT_NPY ? folder : in_folder("vectors");
        long live = atomic_load(&memory.live);
        int files = entries_in_folder();
        long n = 0;
        for (cfd_status status = CFD_ERROR_MEMORY; status != CFD_OK; n++) {
            atomic_store(&memory.left, n);
            status = cfd_scorer_export(served, path, format);
            atomic_store(&memory.left, LONG_MAX);
            ck_assert_int_eq(atomic_load(&memory.live), live);
            if (status != CFD_OK) {
                ck_assert_int_eq(status, CFD_ERROR_MEMORY);
                ck_assert_int_eq(entries_in_folder(), files);
            }
        }
        ck_assert_int_ge(n, 2);
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("export");
    TCase *t = tcase_create("export");
    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_add_test(t, a_safetensors_file_has_the_scorers_rows);
    tcase_add_test(t, two_npy_files_have_the_scorers_rows);
    tcase_add_test(t, an_npy_file_has_the_header_of_its_format);
    tcase_add_test(t, popularity_can_be_exported);
    tcase_add_test(t, an_export_replaces_the_one_before);
    tcase_add_test(t, arguments_are_checked_and_named);
    tcase_add_test(t, a_place_that_cannot_be_written_is_named_and_nothing_left_there);
    tcase_add_test(t, an_export_that_breaks_off_leaves_the_old_files_as_they_were);
    tcase_add_test(t, want_of_memory_leaves_nothing_behind);
    suite_add_tcase(s, t);
    return s;
}

TEST_MAIN(suite)
