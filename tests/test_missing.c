/* SPDX-License-Identifier: Apache-2.0 */
/* Items that lack a modality: how they are told, that they take no part in its distillation, and what missing.renormalise
 * makes of their key rows; features that are dropped on purpose. That gradients are those of the losses is in
 * test_gradients.c. */
#include "api/model_handle.h"
#include "base/half.h"
#include "data/drop.h"
#include "model/setup.h"
#include "model_oracle.h"

enum { USERS = 4, ITEMS = 6, WIDTH = 3, DEVICES = 3 };

static const char *const devices[DEVICES] = {"reference", "cpu", "cuda"};

/* Item 1 lacks the first modality, 2 the second, 3 the third, 4 the first and second, 5 all; item 0 has all. */
static bool item_has(int32_t item, int32_t modality)
{
    return item == 4 ? modality == 2 : item == 5 ? false : item != modality + 1;
}

/* Every item has a user, who has other items: no propagated row is zero. The second modality is sparse. */
static tiny_world make_world(int32_t n_modalities, bool complete)
{
    static const int32_t users[] = {0, 0, 1, 1, 2, 2, 3, 3, 3};
    static const int32_t items[] = {0, 1, 2, 0, 3, 4, 5, 1, 2};
    static const char *const names[ORACLE_ROLES] = {"visual", "textual", "acoustic"};
    tiny_world world = {.users = USERS, .items = ITEMS, .interactions = 9, .n_modalities = n_modalities};
    memcpy(world.user_ids, users, sizeof users);
    memcpy(world.item_ids, items, sizeof items);
    uint64_t state = 5;
    for (int32_t k = 0; k < n_modalities; k++) {
        world.modalities[k].name = names[k];
        world.modalities[k].columns = 4 + k;
        world.modalities[k].sparse = k == 1;
        for (int32_t i = 0; i < ITEMS; i++) {
            for (int32_t c = 0; c < 4 + k; c++) {
                float value = coarse(&state) + 1.5f; /* not zero */
                world.modalities[k].features[i][c] = complete || item_has(i, k) ? value : 0.0f;
            }
        }
    }
    return world;
}

static cfd_model *make_model(const char *device, const tiny_world *world, const char *const *settings)
{
    cfd_context *context = open_context(device, 2, 9);
    cfd_config *config = config_of("beauty", settings);
    set(config, "embedding_dim", "3");
    set(config, "batch_size", "4");
    set(config, "whiten_epsilon", "0.01");
    return model_of(context, config, dataset_of(context, world));
}

/* ---- telling ---- */

enum { ROWS = 4, COLUMNS = 3, LD = 5 };

/* Rows: of zeros, with a denormal last, of zeros of both signs, with numbers; what lies between rows is no part of them. */
static const float rows_of_all_kinds[ROWS][LD] = {{0, 0, 0, 7, 7},
                                                  {0, 0, 1e-40f, 0, 0},
                                                  {0, -0.0f, 0, 7, 7},
                                                  {1, -2, 0, 0, 0}};

static void check_presence(const ops_feature_source *source, const uint8_t *expected)
{
    model m = {.memory = &memory_default, .items = source->rows};
    thread_pool *pool;
    OK(threads_create(&memory_default, 1, &pool));
    OK(ops_create_reference(&memory_default, pool, (log_sink){NULL, NULL}, &m.device));
    uint8_t *present = NULL;
    OK(setup_presence(&m, source, &present));
    ck_assert_int_eq(present != NULL, expected != NULL);
    ck_assert_uint_eq(m.constant_bytes, expected ? (size_t)source->rows : 0);
    ck_assert_uint_eq(m.workspace_bytes, 0);
    if (expected) {
        ck_assert_mem_eq(present, expected, (size_t)source->rows);
    }
    m.device->table->release(m.device, present);
    m.device->table->destroy(m.device);
    threads_destroy(pool);
}

START_TEST(a_row_of_zeros_is_told_in_every_type)
{
    static const uint8_t expected[ROWS] = {0, 1, 0, 1};
    uint16_t halves[ROWS][LD];
    uint16_t bfloats[ROWS][LD];
    for (int r = 0; r < ROWS; r++) {
        for (int c = 0; c < LD; c++) {
            halves[r][c] = r == 1 && c == 2 ? 1 : float_to_half(rows_of_all_kinds[r][c]); /* the least denormal */
            bfloats[r][c] = r == 1 && c == 2 ? 1 : float_to_bfloat16(rows_of_all_kinds[r][c]);
        }
    }
    ops_feature_source source = {.rows = ROWS, .columns = COLUMNS, .dense = rows_of_all_kinds, .ld = LD};
    check_presence(&source, expected);
    source.dense = halves;
    source.element = OPS_FLOAT16;
    check_presence(&source, expected);
    source.dense = bfloats;
    source.element = OPS_BFLOAT16;
    check_presence(&source, expected);
}
END_TEST

/* Without entries, of zeros, with a number behind a zero, with one. */
START_TEST(a_sparse_row_is_told_by_its_values)
{
    static const uint8_t expected[ROWS] = {0, 0, 1, 1};
    static const int64_t offsets[] = {0, 0, 2, 4, 5};
    static const int32_t indices[] = {0, 2, 0, 1, 2};
    static const float values[] = {0, -0.0f, 0, 3, 1};
    ops_feature_source source = {.rows = ROWS, .columns = COLUMNS, .sparse = {ROWS, COLUMNS, 5, offsets, indices, values}};
    check_presence(&source, expected);
}
END_TEST

START_TEST(nothing_is_kept_where_nothing_is_missing)
{
    static const float rows[ROWS] = {1, 2, 3, -1e-40f};
    ops_feature_source source = {.rows = ROWS, .columns = 1, .dense = rows, .ld = 1};
    check_presence(&source, NULL);
}
END_TEST

/* ---- distillation ---- */

/* The losses of the triple (user, item, another item), from the propagated rows. */
static void check_distillation(cfd_model *model, int32_t user, int32_t item, bool counts)
{
    int32_t negative = (item + 1) % ITEMS;
    cfd_batch batch = CFD_BATCH_INIT;
    batch.users = &user;
    batch.positives = &item;
    batch.negatives = &negative;
    batch.size = 1;
    cfd_losses losses = CFD_LOSSES_INIT;
    OK(cfd_compute_gradients(model, &batch, &losses));
    enum { N = (USERS + ITEMS) * WIDTH };
    float *rows[4] = {embedding_of(model, "common.visual", N), embedding_of(model, "common.textual", N),
                      embedding_of(model, "differential.visual", N), embedding_of(model, "differential.textual", N)};
    double expected[2] = {0, 0};
    for (int side = 0; side < (counts ? 2 : 1); side++) {
        int32_t at = WIDTH * (side == 0 ? user : USERS + item);
        double c = cosine(rows[2] + at, rows[3] + at, WIDTH);
        expected[0] += 1 - cosine(rows[0] + at, rows[1] + at, WIDTH);
        expected[1] += sqrt(c * c + 1e-8);
    }
    for (int k = 0; k < 4; k++) { /* an item's neighbours make its rows */
        ck_assert(dot(rows[k] + WIDTH * (USERS + item), rows[k] + WIDTH * (USERS + item), WIDTH) > 0);
        free(rows[k]);
    }
    ck_assert_double_eq_tol(losses.common, expected[0], 4e-6);
    ck_assert_double_eq_tol(losses.differential, expected[1], 4e-6);
}

START_TEST(a_positive_without_either_modality_is_not_distilled)
{
    if (!device_is_tested(devices[_i])) {
        return;
    }
    tiny_world world = make_world(2, false);
    cfd_model *model = make_model(devices[_i], &world, NULL);
    randomise_parameters(model, 4);
    for (int32_t item = 0; item < ITEMS; item++) {
        check_distillation(model, item % USERS, item, item_has(item, 0) && item_has(item, 1));
    }
    cfd_model_destroy(model);
}
END_TEST

/* Presence by role: the pair of visual and acoustic is left out for item 1, that of textual and acoustic is not. */
START_TEST(other_pairs_of_the_item_still_are)
{
    if (!device_is_tested(devices[_i])) {
        return;
    }
    static const char *const settings[] = {"modalities", "textual,acoustic", NULL};
    tiny_world world = make_world(3, false);
    cfd_model *all = make_model(devices[_i], &world, NULL);
    cfd_model *two = make_model(devices[_i], &world, settings);
    for (size_t t = 0; t < tensor_count(two); t++) {
        cfd_tensor_info info = tensor_at(two, t);
        float *values = allocated(tensor_size(&info), sizeof *values);
        OK(cfd_model_get_parameter(all, info.name, values, tensor_size(&info)));
        OK(cfd_model_set_parameter(two, info.name, values, tensor_size(&info)));
        free(values);
    }
    static const int32_t user[] = {0}, lacks_one[] = {1}, lacks_all[] = {5};
    double differences[2];
    for (int k = 0; k < 2; k++) {
        double common[2];
        for (int positive = 0; positive < 2; positive++) {
            cfd_batch batch = CFD_BATCH_INIT;
            batch.users = user;
            batch.positives = positive == 0 ? lacks_one : lacks_all;
            batch.negatives = positive == 0 ? lacks_all : lacks_one;
            batch.size = 1;
            cfd_losses losses = CFD_LOSSES_INIT;
            OK(cfd_compute_gradients(k == 0 ? all : two, &batch, &losses));
            common[positive] = losses.common;
        }
        differences[k] = common[0] - common[1]; /* what item 1 adds */
    }
    ck_assert_double_eq_tol(differences[0], differences[1] / 3, 2e-6); /* one of three pairs */
    ck_assert_double_gt(fabs(differences[1]), 1e-3);
    cfd_model_destroy(all);
    cfd_model_destroy(two);
}
END_TEST

/* With nothing missing there are no arrays; arrays of ones change no bit of what is learnt. */
START_TEST(a_complete_data_set_learns_the_same_bits)
{
    if (!device_is_tested(devices[_i])) {
        return;
    }
    tiny_world world = make_world(3, true);
    float *learnt[2];
    size_t n;
    for (int forced = 0; forced < 2; forced++) {
        cfd_model *model = make_model(devices[_i], &world, NULL);
        for (int32_t r = 0; r < 3; r++) {
            static const uint8_t ones[ITEMS] = {1, 1, 1, 1, 1, 1};
            model_role *role = &model->core->roles[r];
            ck_assert_ptr_null(role->present);
            if (forced) {
                OK(setup_upload(model->core, ones, ITEMS, 1, "ones", &role->present));
            }
        }
        for (int step = 0; step < 5; step++) {
            OK(cfd_train_step(model, NULL, NULL));
        }
        learnt[forced] = all_parameters(model, &n);
        cfd_model_destroy(model);
    }
    ck_assert_mem_eq(learnt[0], learnt[1], n * sizeof(float));
    free(learnt[0]);
    free(learnt[1]);
}
END_TEST

/* ---- missing.renormalise ---- */

/* Lambdas 1, 2 and 5 sum to 8: of items 0 to 5 the present ones sum to 8, 7, 6, 3, 5 and 0. With textual alone at 0 the sum
 * is 6, of 6, 5, 6, 1, 5 and 0; with acoustic alone above 0, item 3 has nothing that counts. */
static const struct {
    const char *visual, *textual, *acoustic, *fused, *base;
    double scales[ITEMS];
} lambdas[] = {
    {"1", "2", "5", "yes", "yes", {1, 8.0 / 7, 8.0 / 6, 8.0 / 3, 8.0 / 5, 1}},
    {"1", "2", "5", "no", "no", {1, 8.0 / 7, 8.0 / 6, 8.0 / 3, 8.0 / 5, 1}},
    {"1", "0", "5", "yes", "no", {1, 6.0 / 5, 1, 6, 6.0 / 5, 1}},
    {"0", "0", "5", "no", "yes", {1, 1, 1, 1, 1, 1}},
};

static void check_keys(const char *device, const tiny_world *world, size_t k)
{
    float *queries[2];
    float *keys[2];
    int32_t width = 0;
    for (int yes = 0; yes < 2; yes++) {
        const char *const settings[] = {"lambda.visual",
                                        lambdas[k].visual,
                                        "lambda.textual",
                                        lambdas[k].textual,
                                        "lambda.acoustic",
                                        lambdas[k].acoustic,
                                        "branch.fused",
                                        lambdas[k].fused,
                                        "branch.base",
                                        lambdas[k].base,
                                        "missing.renormalise",
                                        yes ? "yes" : "no",
                                        NULL};
        cfd_model *model = make_model(device, world, settings);
        randomise_parameters(model, 6);
        width = model_score_width(model->core);
        queries[yes] = allocated((size_t)USERS * (size_t)width, sizeof(float));
        keys[yes] = allocated((size_t)ITEMS * (size_t)width, sizeof(float));
        OK(model_snapshot(model->core, queries[yes], keys[yes]));
        cfd_model_destroy(model);
    }
    ck_assert_mem_eq(queries[0], queries[1], (size_t)USERS * (size_t)width * sizeof(float));
    int32_t first = strcmp(lambdas[k].base, "yes") == 0 ? WIDTH : 0;
    for (int32_t i = 0; i < ITEMS; i++) {
        for (int32_t c = 0; c < width; c++) {
            int32_t role = c < first ? 3 : (c - first) / (2 * WIDTH); /* 3 and above: no modality */
            float before = keys[0][i * width + c];
            float scale = role < 3 && item_has(i, role) ? (float)lambdas[k].scales[i] : 1.0f;
            ck_assert_msg(keys[1][i * width + c] == scale * before, "item %d, column %d: %.9g, not %.9g times %.9g", (int)i,
                          (int)c, (double)keys[1][i * width + c], (double)scale, (double)before);
        }
    }
    for (int yes = 0; yes < 2; yes++) {
        free(queries[yes]);
        free(keys[yes]);
    }
}

START_TEST(keys_are_scaled_to_the_sum_of_all_lambdas)
{
    if (!device_is_tested(devices[_i])) {
        return;
    }
    tiny_world world = make_world(3, false);
    for (size_t k = 0; k < sizeof lambdas / sizeof lambdas[0]; k++) {
        check_keys(devices[_i], &world, k);
    }
}
END_TEST

/* ---- drop.ROLE ---- */

enum { MANY = 4000, NUMBERS = 3 };

static ops_feature_source dense_source(const void *dense, ops_element element, int64_t ld)
{
    return (ops_feature_source){.rows = MANY, .columns = NUMBERS, .dense = dense, .element = element, .ld = ld};
}

/* Each row is zeros or as it was; the drawn are as many as were counted. Returns them, one byte a row. */
static uint8_t *check_dropped(const ops_feature_source *source, int32_t modality, double share)
{
    dropped_features dropped;
    OK(drop_features(&memory_default, 42, modality, share, source, &dropped));
    uint8_t *drawn = allocated(MANY, 1);
    size_t bytes = NUMBERS * ops_element_bytes(source->element);
    int32_t n = 0;
    for (int32_t r = 0; r < MANY; r++) {
        static const unsigned char zeros[NUMBERS * sizeof(float)];
        const unsigned char *now = (const unsigned char *)dropped.features.dense + (size_t)r * bytes;
        const unsigned char *before = (const unsigned char *)source->dense +
                                      (size_t)(r * source->ld) * ops_element_bytes(source->element);
        drawn[r] = memcmp(now, zeros, bytes) == 0;
        ck_assert(drawn[r] || memcmp(now, before, bytes) == 0);
        n += drawn[r];
    }
    ck_assert_int_eq(n, dropped.n);
    ck_assert_double_eq_tol((double)n / MANY, share, 4 * sqrt(share * (1 - share) / MANY) + 1e-9);
    dropped_features_release(&dropped);
    return drawn;
}

/* A share's rows are among those of a larger share, another type's are the same, another modality's are others. */
START_TEST(a_share_of_rows_is_dropped)
{
    enum { STRIDE = 5 };
    float *numbers = allocated(MANY * STRIDE, sizeof *numbers);
    uint16_t *shorts = allocated(MANY * NUMBERS, sizeof *shorts);
    for (int i = 0; i < MANY * STRIDE; i++) {
        numbers[i] = (float)(i + 1);
        shorts[i % (MANY * NUMBERS)] = (uint16_t)(i % 30000 + 1);
    }
    ops_feature_source source = dense_source(numbers, OPS_FLOAT32, STRIDE);
    ops_feature_source halves = dense_source(shorts, OPS_FLOAT16, NUMBERS);
    uint8_t *few = check_dropped(&source, 0, 0.25);
    uint8_t *more = check_dropped(&source, 0, 0.5);
    uint8_t *same = check_dropped(&halves, 0, 0.25);
    uint8_t *other = check_dropped(&source, 1, 0.25);
    int both = 0;
    for (int r = 0; r < MANY; r++) {
        ck_assert(more[r] || !few[r]);
        both += few[r] && other[r];
    }
    ck_assert_mem_eq(few, same, MANY);
    ck_assert_int_gt(both, MANY / 16 - 100); /* independent: 250 of 4,000 */
    ck_assert_int_lt(both, MANY / 16 + 100);
    free(check_dropped(&source, 0, 1));
    free(few);
    free(more);
    free(same);
    free(other);
    free(numbers);
    free(shorts);
}
END_TEST

/* The structure stays, values become zeros: the row is told as one without features. */
START_TEST(sparse_rows_are_dropped)
{
    static const int64_t offsets[] = {0, 1, 1, 3};
    static const int32_t indices[] = {3, 0, 2};
    static const float values[] = {1, 2, 3};
    ops_feature_source source = {.rows = 3, .columns = 4, .sparse = {3, 4, 3, offsets, indices, values}};
    for (int share = 0; share < 2; share++) {
        dropped_features dropped;
        OK(drop_features(&memory_default, 1, 0, share, &source, &dropped));
        ck_assert_int_eq(dropped.n, share ? 3 : 0);
        for (int k = 0; k < 3; k++) {
            ck_assert_float_eq(dropped.features.sparse.values[k], share ? 0 : values[k]);
        }
        ck_assert_ptr_eq(dropped.features.sparse.indices, indices);
        dropped_features_release(&dropped);
    }
}
END_TEST

/* A model of which a modality is dropped whole is that of a data set without it, whatever its transforms. */
START_TEST(a_model_learns_without_what_is_dropped)
{
    static const char *const transforms[] = {"none", "center,l2", "svd:2"};
    const char *const dropping[] = {"transform.visual", transforms[_i], "drop.visual", "1", NULL};
    const char *const plain[] = {"transform.visual", transforms[_i], NULL};
    tiny_world world = make_world(2, true);
    tiny_world without = make_world(2, true);
    memset(without.modalities[0].features, 0, sizeof without.modalities[0].features);
    cfd_model *models[2] = {make_model("cpu", &world, dropping), make_model("cpu", &without, plain)};
    ck_assert_ptr_null(models[0]->core->roles[1].present);
    float *learnt[2];
    size_t n;
    for (int k = 0; k < 2; k++) {
        ck_assert_ptr_nonnull(models[k]->core->roles[0].present);
        for (int step = 0; step < 4; step++) {
            OK(cfd_train_step(models[k], NULL, NULL));
        }
        learnt[k] = all_parameters(models[k], &n);
    }
    ck_assert_mem_eq(learnt[0], learnt[1], n * sizeof(float));
    for (int k = 0; k < 2; k++) {
        free(learnt[k]);
        cfd_model_destroy(models[k]);
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("missing modalities");
    TCase *tc = tcase_create("missing");
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, a_row_of_zeros_is_told_in_every_type);
    tcase_add_test(tc, a_sparse_row_is_told_by_its_values);
    tcase_add_test(tc, nothing_is_kept_where_nothing_is_missing);
    tcase_add_loop_test(tc, a_positive_without_either_modality_is_not_distilled, 0, DEVICES);
    tcase_add_loop_test(tc, other_pairs_of_the_item_still_are, 0, DEVICES);
    tcase_add_loop_test(tc, a_complete_data_set_learns_the_same_bits, 0, DEVICES);
    tcase_add_loop_test(tc, keys_are_scaled_to_the_sum_of_all_lambdas, 0, DEVICES);
    tcase_add_test(tc, a_share_of_rows_is_dropped);
    tcase_add_test(tc, sparse_rows_are_dropped);
    tcase_add_loop_test(tc, a_model_learns_without_what_is_dropped, 0, 3);
    suite_add_tcase(s, tc);
    return s;
}

TEST_MAIN(suite)
