/* SPDX-License-Identifier: Apache-2.0 */
/* Saving a model: what stands in the file (docs/file-formats.md), that a scorer read from it scores to the bit alike,
 * and that a save that fails leaves everything as it was. */
#include "files.h"
#include "test_api_world.h"

#include "api/model_handle.h"
#include "data/transform_rows.h"
#include "io/safetensors.h"
#include "transform_support.h"

#include <signal.h>
#include <sys/resource.h>

static cfd_context *context;
static cfd_dataset *data;
static cfd_config *config;
static cfd_model *trained; /* three steps, both modalities, transforms */

static void set_up(void)
{
    make_folder();
    context = world_context(2, NULL);
    data = world_data(context);
    config = WORLD_CONFIG("modalities", "visual=photo,textual=tags", "transform.visual", "center,l2,svd:4,standardize",
                          "transform.textual", "svd:3", "lambda.visual", "0.4", "whiten.textual", "no", "mu.fused", "1.9");
    trained = world_model(context, config, data);
    for (int step = 0; step < 3; step++) {
        OK(cfd_train_step(trained, NULL, NULL));
    }
}

static void tear_down(void)
{
    cfd_model_destroy(trained);
    cfd_config_destroy(config);
    cfd_dataset_destroy(data);
    cfd_context_destroy(context);
    remove_folder();
}

/* ---- what is read is what was saved ---- */

START_TEST(a_loaded_scorer_gives_the_same_scores_to_the_bit)
{
    const char *const ablations[] = {NULL, "base only", "no common", "no fusion", "one modality"};
    size_t bytes = sizeof(float) * WORLD_USERS * WORLD_ITEMS;
    for (size_t i = 0; i < 5; i++) {
        cfd_config *own;
        OK(cfd_config_copy(config, &own));
        if (ablations[i]) {
            OK(cfd_config_load_ablation(own, ablations[i]));
        }
        cfd_model *model = world_model(context, own, data);
        OK(cfd_train_step(model, NULL, NULL));
        float *expected = world_model_scores(model);
        OK(cfd_model_save(model, in_folder("m")));
        cfd_model_destroy(model);
        cfd_scorer *scorer;
        OK(cfd_scorer_load(context, in_folder("m"), &scorer));
        float *scores = world_scores(scorer);
        ck_assert(memcmp(scores, expected, bytes) == 0);
        free(scores);
        free(expected);
        cfd_scorer_release(scorer);
        cfd_config_destroy(own);
    }
}
END_TEST

START_TEST(a_loaded_scorer_knows_what_the_model_knew)
{
    OK(cfd_model_save(trained, in_folder("m")));
    cfd_scorer *scorer;
    OK(cfd_scorer_load(context, in_folder("m"), &scorer));
    cfd_scorer_info info = CFD_SCORER_INFO_INIT;
    OK(cfd_scorer_get_info(scorer, &info));
    ck_assert_int_eq(info.n_users, WORLD_USERS);
    ck_assert_int_eq(info.n_items, WORLD_ITEMS);
    ck_assert_int_eq(info.width, 8 * (1 + 4 * 2));
    ck_assert_int_eq(info.n_modalities, 2);
    ck_assert_int_eq(info.steps_done, 3);
    ck_assert_str_eq(cfd_scorer_role(scorer, 0), "visual");
    ck_assert_str_eq(cfd_scorer_role(scorer, 1), "textual");
    ck_assert_ptr_null(cfd_scorer_role(scorer, 2));
    cfd_config *read;
    OK(cfd_scorer_get_config(scorer, &read));
    for (size_t i = 0; i < cfd_config_key_count(); i++) {
        cfd_config_key row = CFD_CONFIG_KEY_INIT;
        OK(cfd_config_get_key(i, &row));
        for (int r = 0; r < 2; r++) {
            char key[64];
            const char *dot = strstr(row.name, ".ROLE");
            snprintf(key, sizeof key, "%.*s%s", (int)(dot ? dot + 1 - row.name : (long)strlen(row.name)), row.name,
                     dot ? cfd_scorer_role(scorer, (size_t)r) : "");
            char expected[512];
            char value[512];
            OK(cfd_config_get(config, key, expected, sizeof expected, NULL));
            OK(cfd_config_get(read, key, value, sizeof value, NULL));
            ck_assert_str_eq(value, expected);
        }
    }
    cfd_config_destroy(read);
    cfd_scorer_release(scorer);
}
END_TEST

/* A preset names roles that the model lacks; after the way through a file they are still the preset's, not the
 * caller's. */
START_TEST(a_loaded_config_makes_the_same_model_again)
{
    cfd_config *preset = WORLD_CONFIG("modalities", "visual=photo");
    OK(cfd_config_load_preset(preset, "beauty"));
    OK(cfd_config_set(preset, "batch_size", "16"));
    cfd_model *model = world_model(context, preset, data);
    OK(cfd_model_save(model, in_folder("m")));
    cfd_scorer *scorer;
    OK(cfd_scorer_load(context, in_folder("m"), &scorer));
    cfd_config *read;
    OK(cfd_scorer_get_config(scorer, &read));
    cfd_model *again = world_model(context, read, data);
    float *expected = world_model_scores(model);
    float *scores = world_model_scores(again);
    ck_assert(memcmp(scores, expected, sizeof(float) * WORLD_USERS * WORLD_ITEMS) == 0);
    free(scores);
    free(expected);
    cfd_model_destroy(again);
    cfd_config_destroy(read);
    cfd_scorer_release(scorer);
    cfd_model_destroy(model);
    cfd_config_destroy(preset);
}
END_TEST

/* ---- tensors ---- */

static void check_tensor(const safetensors_file *file, const char *name, int64_t rows, int64_t columns,
                         const float *expected)
{
    const safetensor *t = safetensors_find(file, name);
    ck_assert_msg(t != NULL, "%s is not in the file", name);
    ck_assert_str_eq(t->dtype, "F32");
    ck_assert_int_eq(t->rank, columns >= 0 ? 2 : 1);
    ck_assert_int_eq(t->shape[0], rows);
    ck_assert(columns < 0 || t->shape[1] == columns);
    size_t n = (size_t)rows * (columns >= 0 ? (size_t)columns : 1);
    ck_assert_uint_eq(t->bytes, n * sizeof(float));
    ck_assert_msg(!expected || memcmp(t->data, expected, t->bytes) == 0, "%s has other numbers", name);
}

START_TEST(the_file_has_the_tensors_of_its_documentation_and_no_others)
{
    OK(cfd_model_save(trained, in_folder("m")));
    safetensors_file file;
    OK(safetensors_open(&memory_default, in_folder("m"), &file));
    const struct {
        const char *name;
        int64_t rows, columns;
    } parameters[] = {
        {"user.id", WORLD_USERS, 8},
        {"item.id", WORLD_ITEMS, 8},
        {"user.common.visual", WORLD_USERS, 8},
        {"user.differential.visual", WORLD_USERS, 8},
        {"user.common.textual", WORLD_USERS, 8},
        {"user.differential.textual", WORLD_USERS, 8},
        {"proj.common.visual", 4, 8}, /* svd:4 */
        {"proj.differential.visual", 4, 8},
        {"proj.common.textual", 3, 8},
        {"proj.differential.textual", 3, 8},
    };
    enum { PARAMETERS = sizeof parameters / sizeof parameters[0] };
    for (size_t i = 0; i < PARAMETERS; i++) {
        float values[WORLD_USERS * 8];
        OK(cfd_model_get_parameter(trained, parameters[i].name, values,
                                   (size_t)(parameters[i].rows * parameters[i].columns)));
        check_tensor(&file, parameters[i].name, parameters[i].rows, parameters[i].columns, values);
    }
    check_tensor(&file, "serve.query", WORLD_USERS, 72, NULL);
    check_tensor(&file, "serve.key", WORLD_ITEMS, 72, NULL);
    check_tensor(&file, "serve.layers", 2 * (WORLD_USERS + WORLD_ITEMS), 8, NULL);
    check_tensor(&file, "serve.heads", WORLD_USERS + WORLD_ITEMS, 32, NULL);
    check_tensor(&file, "serve.hops", WORLD_USERS + WORLD_ITEMS, 32, NULL);
    check_tensor(&file, "serve.whitening.visual", 16, 8, NULL);
    ck_assert_ptr_nonnull(safetensors_find(&file, "serve.degrees"));
    check_tensor(&file, "features.textual.idf", WORLD_TAGS, -1, NULL);
    check_tensor(&file, "transform.visual.0.mean", WORLD_PHOTO, -1, NULL); /* center */
    check_tensor(&file, "transform.visual.2.basis", WORLD_PHOTO, 4, NULL); /* svd:4, after l2 */
    check_tensor(&file, "transform.visual.3.mean", 4, -1, NULL);           /* standardize */
    check_tensor(&file, "transform.visual.3.scale", 4, -1, NULL);
    check_tensor(&file, "transform.textual.0.basis", WORLD_TAGS, 3, NULL);
    ck_assert_uint_eq(file.n_tensors, PARAMETERS + 13);
    /* The first 8 bytes are the header's length; the data begin at a multiple of 64. */
    const unsigned char *bytes = file.mapping;
    size_t header = 0;
    for (int i = 7; i >= 0; i--) {
        header = header << 8 | bytes[i];
    }
    ck_assert_uint_eq((8 + header) % 64, 0);
    ck_assert_int_eq(bytes[8], '{');
    safetensors_close(&file);
}
END_TEST

/* Query and key rows: their inner products are the scores, by plain loops over what stands in the file. */
START_TEST(inner_products_of_the_serving_rows_are_the_scores)
{
    OK(cfd_model_save(trained, in_folder("m")));
    float *scores = world_model_scores(trained);
    safetensors_file file;
    OK(safetensors_open(&memory_default, in_folder("m"), &file));
    const float *query = safetensors_find(&file, "serve.query")->data;
    const float *key = safetensors_find(&file, "serve.key")->data;
    for (int u = 0; u < WORLD_USERS; u++) {
        for (int i = 0; i < WORLD_ITEMS; i++) {
            double dot = 0.0;
            for (int c = 0; c < 72; c++) {
                dot += (double)query[u * 72 + c] * key[i * 72 + c];
            }
            ck_assert_float_eq_tol(scores[u * WORLD_ITEMS + i], (float)dot, 1e-4f);
        }
    }
    safetensors_close(&file);
    free(scores);
}
END_TEST

/* ---- metadata ---- */

static void check_entry(const safetensors_file *file, const char *key, const char *expected)
{
    const char *value = safetensors_metadata(file, key);
    ck_assert_msg(value != NULL, "\"%s\" is not in the file", key);
    ck_assert_msg(strcmp(value, expected) == 0, "\"%s\" is \"%s\", not \"%s\"", key, value, expected);
}

START_TEST(the_file_has_the_metadata_of_its_documentation)
{
    OK(cfd_model_save(trained, in_folder("m")));
    safetensors_file file;
    OK(safetensors_open(&memory_default, in_folder("m"), &file));
    check_entry(&file, "format", "cfdtbd-model");
    check_entry(&file, "format_version", "1");
    check_entry(&file, "library_version", cfd_version());
    check_entry(&file, "steps_done", "3");
    check_entry(&file, "n_users", "48");
    check_entry(&file, "n_items", "30");
    check_entry(&file, "roles", "visual,textual");
    check_entry(&file, "config.transform.visual", "center,l2,svd:4,standardize");
    check_entry(&file, "config.lambda.visual", "0.4");
    check_entry(&file, "config.whiten.textual", "no");
    check_entry(&file, "config.mu.fused", "1.9");
    check_entry(&file, "config.modalities", "visual=photo,textual=tags");
    for (size_t i = 0; i < cfd_config_key_count(); i++) {
        cfd_config_key row = CFD_CONFIG_KEY_INIT;
        OK(cfd_config_get_key(i, &row));
        const char *dot = strstr(row.name, ".ROLE");
        char entry[80];
        char value[512];
        snprintf(entry, sizeof entry, "config.%.*s%s", (int)(dot ? dot + 1 - row.name : (long)strlen(row.name)), row.name,
                 dot ? "textual" : "");
        OK(cfd_config_get(config, entry + strlen("config."), value, sizeof value, NULL));
        check_entry(&file, entry, value);
    }
    safetensors_close(&file);
}
END_TEST

/* ---- new items: what the file says to do with their features ---- */

/* A copy of a vector or matrix of the file, which is the transform's; NULL where it has none of that name. */
static const float *stored(const safetensors_file *file, transform *t, const char *role, int32_t stage, const char *part,
                           int32_t *columns)
{
    char name[64];
    snprintf(name, sizeof name, "transform.%s.%d.%s", role, (int)stage, part);
    const safetensor *tensor = safetensors_find(file, name);
    if (!tensor) {
        return NULL;
    }
    float *copy;
    OK(transform_learn(t, tensor->bytes / sizeof *copy, name, &copy));
    memcpy(copy, tensor->data, tensor->bytes);
    *columns = tensor->rank == 2 ? (int32_t)tensor->shape[1] : *columns;
    return copy;
}

/* A transform as the file has it. */
static transform stored_transform(const safetensors_file *file, const char *role, int32_t n_stages, int32_t columns)
{
    transform t = {.memory = &memory_default, .n_stages = n_stages};
    for (int32_t s = 0; s < n_stages; s++) {
        transform_stage *stage = &t.stages[s];
        stage->in = columns;
        stage->mean = stored(file, &t, role, s, "mean", &columns);
        stage->scale = stored(file, &t, role, s, "scale", &columns);
        stage->basis = stored(file, &t, role, s, "basis", &columns);
        stage->out = columns;
    }
    return t;
}

static void check_row(const transform *t, float *row, const ops_feature_source *fitted, int32_t item)
{
    int32_t columns = apply_stored(t, row);
    ck_assert_int_eq(columns, fitted->columns);
    for (int32_t c = 0; c < columns; c++) {
        ck_assert_float_eq_tol(row[c], ((const float *)fitted->dense)[item * fitted->ld + c], 2e-5f);
    }
}

START_TEST(the_stored_transforms_make_the_models_features_of_the_data_sets)
{
    OK(cfd_model_save(trained, in_folder("m")));
    safetensors_file file;
    OK(safetensors_open(&memory_default, in_folder("m"), &file));

    static float photo[WORLD_ITEMS][WORLD_PHOTO];
    world_fill_photo(photo);
    transform t = stored_transform(&file, "visual", 4, WORLD_PHOTO);
    for (int32_t i = 0; i < WORLD_ITEMS; i++) {
        check_row(&t, photo[i], &trained->transforms[0].features, i);
    }

    /* Tags: once each, weighted with idf, scaled to length 1, then svd. */
    const float *idf = safetensors_find(&file, "features.textual.idf")->data;
    transform_release(&t);
    t = stored_transform(&file, "textual", 1, WORLD_TAGS);
    for (int32_t i = 0; i < WORLD_ITEMS; i++) {
        float row[WORLD_TAGS] = {0};
        double squares = 0.0;
        for (int k = 0; k < 3 && i > 0; k++) { /* as world_add_tags does */
            int tag = k < 2 ? 3 * k + i % 3 : 6 + (i * 5) % 6;
            row[tag] = idf[tag];
            squares += (double)idf[tag] * idf[tag];
        }
        for (int c = 0; c < WORLD_TAGS && squares > 0.0; c++) {
            row[c] = (float)(row[c] / sqrt(squares));
        }
        check_row(&t, row, &trained->transforms[1].features, i);
    }
    transform_release(&t);
    safetensors_close(&file);
}
END_TEST

/* ---- the same bytes ---- */

static void check_same_files(const char *a, const char *b)
{
    size_t n;
    size_t m;
    unsigned char *first = read_bytes_of(a, &n);
    unsigned char *second = read_bytes_of(b, &m);
    ck_assert_uint_eq(n, m);
    ck_assert(memcmp(first, second, n) == 0);
    free(first);
    free(second);
}

START_TEST(the_same_model_gives_the_same_bytes)
{
    OK(cfd_model_save(trained, in_folder("a")));
    OK(cfd_model_save(trained, in_folder("b")));
    check_same_files(in_folder("a"), in_folder("b"));
    /* Made anew, in another context with another number of threads: still. */
    cfd_context *other = world_context(5, NULL);
    cfd_dataset *same = world_data(other);
    cfd_model *again = world_model(other, config, same);
    for (int step = 0; step < 3; step++) {
        OK(cfd_train_step(again, NULL, NULL));
    }
    OK(cfd_model_save(again, in_folder("c")));
    check_same_files(in_folder("a"), in_folder("c"));
    ck_assert_int_eq(entries_in_folder(), 3); /* nothing else was left there */
    cfd_model_destroy(again);
    cfd_dataset_destroy(same);
    cfd_context_destroy(other);
}
END_TEST

START_TEST(saving_does_not_change_the_model)
{
    cfd_model *undisturbed = world_model(context, config, data);
    for (int step = 0; step < 5; step++) {
        OK(cfd_train_step(undisturbed, NULL, NULL));
    }
    OK(cfd_model_save(trained, in_folder("m")));
    OK(cfd_train_step(trained, NULL, NULL));
    OK(cfd_model_save(trained, in_folder("m")));
    OK(cfd_train_step(trained, NULL, NULL));
    OK(cfd_model_save(trained, in_folder("m")));
    OK(cfd_model_save(undisturbed, in_folder("u")));
    check_same_files(in_folder("m"), in_folder("u"));
    cfd_model_destroy(undisturbed);
}
END_TEST

/* ---- failures ---- */

START_TEST(a_place_that_cannot_be_written_is_named_and_nothing_left_there)
{
    write_text("plain", "a file");
    ck_assert_int_eq(mkdir(in_folder("directory"), 0755), 0);
    FAILS(CFD_ERROR_FILE, in_folder("no/such/m"), cfd_model_save(trained, in_folder("no/such/m")));
    FAILS(CFD_ERROR_FILE, in_folder("plain/m"), cfd_model_save(trained, in_folder("plain/m")));
    FAILS(CFD_ERROR_FILE, in_folder("directory"), cfd_model_save(trained, in_folder("directory")));
    cfd_status status = cfd_model_save(trained, "");
    ck_assert_int_eq(status, CFD_ERROR_FILE);
    ck_assert_int_eq(mkfifo(in_folder("pipe"), 0644), 0);
    FAILS(CFD_ERROR_FILE, "not an ordinary file", cfd_model_save(trained, in_folder("pipe")));
    ck_assert_int_eq(entries_in_folder(), 3);
    ck_assert_int_eq(rmdir(in_folder("directory")), 0); /* it is still empty */
}
END_TEST

START_TEST(a_model_that_left_the_finite_numbers_is_not_saved)
{
    size_t n = 0;
    for (size_t i = 0; n == 0; i++) {
        cfd_tensor_info tensor = CFD_TENSOR_INFO_INIT;
        OK(cfd_model_get_tensor_info(trained, i, &tensor));
        n = strcmp(tensor.name, "item.id") == 0 ? (size_t)(tensor.rows * tensor.columns) : 0;
    }
    float *huge = malloc(n * sizeof *huge);
    ck_assert_ptr_nonnull(huge);
    for (size_t i = 0; i < n; i++) {
        huge[i] = 3e38f; /* finite, but not its sum over neighbours */
    }
    OK(cfd_model_set_parameter(trained, "item.id", huge, n));
    FAILS(CFD_ERROR_NUMERIC, "not finite", cfd_model_save(trained, in_folder("m")));
    cfd_scorer *scorer = NULL;
    FAILS(CFD_ERROR_NUMERIC, "not finite", cfd_scorer_create(trained, &scorer));
    ck_assert_ptr_null(scorer);
    ck_assert_int_eq(entries_in_folder(), 0);
    free(huge);
}
END_TEST

/* A disk that fills up, as far as one process can have it: files may not grow beyond a limit. */
START_TEST(a_save_that_breaks_off_leaves_the_old_file_as_it_was)
{
    write_text("m", "what was there before");
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit before;
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
    struct rlimit little = {8192, before.rlim_max};
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &little), 0);
    cfd_status status = cfd_model_save(trained, in_folder("m"));
    char message[512];
    snprintf(message, sizeof message, "%s", cfd_last_error());
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_DFL);
    ck_assert_int_eq(status, CFD_ERROR_FILE);
    ck_assert_ptr_nonnull(strstr(message, folder));
    size_t n;
    unsigned char *bytes = read_bytes_of(in_folder("m"), &n);
    ck_assert_str_eq((const char *)bytes, "what was there before");
    free(bytes);
    ck_assert_int_eq(entries_in_folder(), 1);
    OK(cfd_model_save(trained, in_folder("m"))); /* with room again it goes through */
    ck_assert_int_eq(entries_in_folder(), 1);
}
END_TEST

/* Whoever has the old file open keeps it whole. */
START_TEST(overwriting_puts_a_new_file_in_its_place)
{
    OK(cfd_model_save(trained, in_folder("m")));
    ck_assert_int_eq(link(in_folder("m"), in_folder("old")), 0);
    size_t n;
    unsigned char *before = read_bytes_of(in_folder("old"), &n);
    OK(cfd_train_step(trained, NULL, NULL));
    OK(cfd_model_save(trained, in_folder("m")));
    size_t m;
    unsigned char *old = read_bytes_of(in_folder("old"), &m);
    ck_assert_uint_eq(n, m);
    ck_assert(memcmp(before, old, n) == 0);
    cfd_scorer *scorer;
    cfd_scorer_info info = CFD_SCORER_INFO_INIT;
    OK(cfd_scorer_load(context, in_folder("m"), &scorer));
    OK(cfd_scorer_get_info(scorer, &info));
    ck_assert_int_eq(info.steps_done, 4);
    cfd_scorer_release(scorer);
    OK(cfd_scorer_load(context, in_folder("old"), &scorer));
    OK(cfd_scorer_get_info(scorer, &info));
    ck_assert_int_eq(info.steps_done, 3);
    cfd_scorer_release(scorer);
    free(before);
    free(old);
}
END_TEST

START_TEST(a_scorer_that_was_loaded_does_not_need_its_file)
{
    OK(cfd_model_save(trained, in_folder("m")));
    cfd_scorer *scorer;
    OK(cfd_scorer_load(context, in_folder("m"), &scorer));
    float *before = world_scores(scorer);
    OK(cfd_model_save(trained, in_folder("m"))); /* another file in its place */
    ck_assert_int_eq(unlink(in_folder("m")), 0);
    float *after = world_scores(scorer);
    ck_assert(memcmp(before, after, sizeof(float) * WORLD_USERS * WORLD_ITEMS) == 0);
    free(before);
    free(after);
    cfd_scorer_release(scorer);
}
END_TEST

START_TEST(a_file_cut_short_anywhere_is_refused)
{
    OK(cfd_model_save(trained, in_folder("m")));
    size_t n;
    unsigned char *bytes = read_bytes_of(in_folder("m"), &n);
    cfd_scorer *scorer = NULL;
    for (size_t kept = 0; kept < n; kept += kept < 16 ? 1 : 211) {
        const char *path = write_bytes("cut", bytes, kept);
        FAILS(CFD_ERROR_FORMAT, path, cfd_scorer_load(context, path, &scorer));
    }
    FAILS(CFD_ERROR_FORMAT, "cut", cfd_scorer_load(context, write_bytes("cut", bytes, n - 1), &scorer));
    FAILS(CFD_ERROR_FILE, in_folder("absent"), cfd_scorer_load(context, in_folder("absent"), &scorer));
    FAILS(CFD_ERROR_FILE, folder, cfd_scorer_load(context, folder, &scorer));
    ck_assert_ptr_null(scorer);
    free(bytes);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("model file");
    TCase *t = tcase_create("model file");
    tcase_set_timeout(t, 120);
    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_add_test(t, a_loaded_scorer_gives_the_same_scores_to_the_bit);
    tcase_add_test(t, a_loaded_scorer_knows_what_the_model_knew);
    tcase_add_test(t, a_loaded_config_makes_the_same_model_again);
    tcase_add_test(t, the_file_has_the_tensors_of_its_documentation_and_no_others);
    tcase_add_test(t, inner_products_of_the_serving_rows_are_the_scores);
    tcase_add_test(t, the_file_has_the_metadata_of_its_documentation);
    tcase_add_test(t, the_stored_transforms_make_the_models_features_of_the_data_sets);
    tcase_add_test(t, the_same_model_gives_the_same_bytes);
    tcase_add_test(t, saving_does_not_change_the_model);
    tcase_add_test(t, a_place_that_cannot_be_written_is_named_and_nothing_left_there);
    tcase_add_test(t, a_model_that_left_the_finite_numbers_is_not_saved);
    tcase_add_test(t, a_save_that_breaks_off_leaves_the_old_file_as_it_was);
    tcase_add_test(t, overwriting_puts_a_new_file_in_its_place);
    tcase_add_test(t, a_scorer_that_was_loaded_does_not_need_its_file);
    tcase_add_test(t, a_file_cut_short_anywhere_is_refused);
    suite_add_tcase(s, t);
    return s;
}

TEST_MAIN(suite)
