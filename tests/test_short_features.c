/* SPDX-License-Identifier: Apache-2.0 */
/* Float16 and bfloat16 features through transforms and training: a model of them is the model of the same numbers given as
 * float32. On the reference device to the bit; on the cpu, which may multiply them in another way, nearly. */
#include "test_api_world.h"
#include "transform_support.h"

#include "base/half.h"

static const ops_element kinds[2] = {OPS_FLOAT16, OPS_BFLOAT16};
static const cfd_element public_kinds[2] = {CFD_FLOAT16, CFD_BFLOAT16};
static const char *const devices[2] = {"reference", "cpu"};

static uint16_t shorten(int kind, float value)
{
    return kind == 0 ? float_to_half(value) : float_to_bfloat16(value);
}

static float widen(int kind, uint16_t number)
{
    return kind == 0 ? half_to_float(number) : bfloat16_to_float(number);
}

/* ---- transforms ---- */

enum { ROWS = 30, COLUMNS = 8, LD = 10 };

typedef struct forms {
    uint16_t numbers[ROWS * LD];
    float floats[ROWS * LD];
    ops_feature_source given, same; /* the first short, the second float32 */
} forms;

/* Row 4 is absent; what stands between the rows is NaN. */
static void make_forms(int kind, forms *f)
{
    uint64_t state = 9;
    for (int k = 0; k < ROWS * LD; k++) {
        float value = (float)(2.0 * random_unit(&state) - 0.5);
        f->numbers[k] = k % LD >= COLUMNS ? 0x7fff : k / LD == 4 ? 0 : shorten(kind, value);
        f->floats[k] = widen(kind, f->numbers[k]);
    }
    f->given = (ops_feature_source){.rows = ROWS, .columns = COLUMNS, .dense = f->numbers, .element = kinds[kind], .ld = LD};
    f->same = (ops_feature_source){.rows = ROWS, .columns = COLUMNS, .dense = f->floats, .ld = LD};
}

static void compare_transforms(ops *on, const char *spec, float tolerance)
{
    for (int kind = 0; kind < 2; kind++) {
        forms f;
        transform a, b;
        make_forms(kind, &f);
        OK(transform_fit(&memory_default, on, 3, "visual", spec, &f.given, &a));
        OK(transform_fit(&memory_default, on, 3, "visual", spec, &f.same, &b));
        ck_assert_int_eq(a.features.element, OPS_FLOAT32);
        ck_assert_int_eq(a.features.columns, b.features.columns);
        ck_assert_int_eq(a.features.ld, a.features.columns);
        for (int k = 0; k < ROWS * a.features.columns; k++) {
            float expected = ((const float *)b.features.dense)[k];
            float actual = ((const float *)a.features.dense)[k];
            ck_assert_msg(fabsf(actual - expected) <= tolerance, "%s, number %d: %.9g, not %.9g", spec, k, (double)actual,
                          (double)expected);
        }
        transform_release(&a);
        transform_release(&b);
    }
}

START_TEST(stages_work_on_the_numbers_as_float32)
{
    static const char *const specs[] = {"center", "standardize", "l2", "l2,center", "standardize,l2"};
    for (size_t i = 0; i < sizeof specs / sizeof *specs; i++) {
        compare_transforms(device(), specs[i], 0.0f);
    }
}
END_TEST

START_TEST(svd_multiplies_the_numbers_as_they_are)
{
    static const char *const specs[] = {"svd:3", "svd:8", "svd:4,center", "l2,svd:3"};
    ops *reference;
    OK(ops_create_reference(&memory_default, NULL, (log_sink){NULL, NULL}, &reference));
    for (size_t i = 0; i < sizeof specs / sizeof *specs; i++) {
        compare_transforms(_i == 0 ? reference : device(), specs[i], _i == 0 ? 0.0f : 2e-3f);
    }
    reference->table->destroy(reference);
}
END_TEST

START_TEST(none_hands_on_the_short_numbers_untouched)
{
    for (int kind = 0; kind < 2; kind++) {
        forms f;
        transform t;
        make_forms(kind, &f);
        OK(transform_fit(&memory_default, device(), 3, "visual", "none", &f.given, &t));
        ck_assert_ptr_eq(t.features.dense, f.numbers);
        ck_assert_int_eq(t.features.element, kinds[kind]);
        ck_assert_int_eq(t.features.ld, LD);
        ck_assert_ptr_null(t.dense);
        transform_release(&t);
    }
}
END_TEST

/* ---- training ---- */

enum { STEPS = 6 };

/* Losses of the first steps on the photos, given in a short type or as float32 of the same values. */
static void train(cfd_context *context, int kind, bool as_float32, const char *spec, double totals[STEPS])
{
    float photo[WORLD_ITEMS][WORLD_PHOTO];
    uint16_t numbers[WORLD_ITEMS][WORLD_PHOTO];
    world_fill_photo(photo);
    for (int i = 0; i < WORLD_ITEMS; i++) {
        for (int c = 0; c < WORLD_PHOTO; c++) {
            numbers[i][c] = shorten(kind, photo[i][c]);
            photo[i][c] = widen(kind, numbers[i][c]);
        }
    }
    cfd_dataset *data;
    OK(cfd_dataset_create(context, WORLD_USERS, WORLD_ITEMS, &data));
    world_add_interactions(data);
    OK(cfd_dataset_add_dense_modality(data, "photo", as_float32 ? (const void *)photo : (const void *)numbers,
                                      as_float32 ? CFD_FLOAT32 : public_kinds[kind], WORLD_PHOTO, WORLD_PHOTO));
    cfd_config *config = WORLD_CONFIG("transform.photo", spec);
    cfd_model *model = world_model(context, config, data);
    for (int step = 0; step < STEPS; step++) {
        cfd_losses losses = CFD_LOSSES_INIT;
        OK(cfd_train_step(model, NULL, &losses));
        totals[step] = losses.total;
    }
    cfd_model_destroy(model);
    cfd_config_destroy(config);
    cfd_dataset_destroy(data);
}

static void compare_training(const char *on, const char *spec, double tolerance)
{
    cfd_context_options options = CFD_CONTEXT_OPTIONS_INIT;
    options.device = on;
    options.threads = 2;
    cfd_context *context;
    OK(cfd_context_create(&options, &context));
    for (int kind = 0; kind < 2; kind++) {
        double expected[STEPS], actual[STEPS];
        train(context, kind, true, spec, expected);
        train(context, kind, false, spec, actual);
        for (int step = 0; step < STEPS; step++) {
            ck_assert_msg(fabs(actual[step] - expected[step]) <= tolerance * fabs(expected[step]),
                          "%s, %s, step %d: %.9g, not %.9g", on, spec, step, actual[step], expected[step]);
        }
        ck_assert_msg(actual[STEPS - 1] != actual[0], "nothing was learnt");
    }
    cfd_context_destroy(context);
}

START_TEST(training_on_short_features_is_training_on_their_values)
{
    compare_training(devices[_i], "none", _i == 0 ? 0.0 : 1e-4);
}
END_TEST

START_TEST(training_on_transformed_short_features_too)
{
    compare_training(devices[_i], "center,l2", 0.0);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("short features");
    TCase *c = tcase_create("short features");
    tcase_set_timeout(c, 60);
    tcase_add_test(c, stages_work_on_the_numbers_as_float32);
    tcase_add_loop_test(c, svd_multiplies_the_numbers_as_they_are, 0, 2);
    tcase_add_test(c, none_hands_on_the_short_numbers_untouched);
    tcase_add_loop_test(c, training_on_short_features_is_training_on_their_values, 0, 2);
    tcase_add_loop_test(c, training_on_transformed_short_features_too, 0, 2);
    suite_add_tcase(s, c);
    return s;
}

TEST_MAIN(suite)
