/* SPDX-License-Identifier: Apache-2.0 */
/* A model as its caller uses it: what it is made of, its parameters by name, its start. */
#include "model_random.h"

/* ---- what it is ---- */

START_TEST(a_model_says_what_it_is_made_of)
{
    cfd_model *model = small_model();
    cfd_model_info info = CFD_MODEL_INFO_INIT;
    OK(cfd_model_get_info(model, &info));
    ck_assert_int_eq(info.n_users, 30);
    ck_assert_int_eq(info.n_items, 40);
    ck_assert_int_eq(info.n_modalities, 3);
    ck_assert_int_eq(info.embedding_dim, 6);
    ck_assert_int_eq(info.score_width, 6 * (1 + 4 * 3));
    ck_assert_int_eq(info.batch_size, 16);
    ck_assert_int_le(info.n_train, 150);
    ck_assert_int_eq(info.steps_per_epoch, info.n_train / 16 + 1);
    ck_assert_int_eq(info.steps_done, 0);
    ck_assert_uint_eq(info.n_tensors, 14);
    ck_assert_int_eq(info.n_parameters, 6 * (30 + 40 + 6 * 30 + 2 * (7 + 5 + 9)));
    ck_assert_str_eq(cfd_model_role(model, 0), "visual");
    ck_assert_str_eq(cfd_model_role(model, 2), "tags");
    ck_assert_ptr_null(cfd_model_role(model, 3));
    cfd_tensor_info tensor = CFD_TENSOR_INFO_INIT;
    FAILS(CFD_ERROR_ARGUMENT, "14", cfd_model_get_tensor_info(model, 14, &tensor));
    cfd_model_destroy(model);
}
END_TEST

/* The bound is sqrt(6 / (rows + columns)); of 120 and more uniform numbers one comes within a tenth of it, and the
 * mean stays within five of its standard deviations, bound / sqrt(3 n). */
START_TEST(parameters_start_uniform_within_xaviers_bound)
{
    cfd_model *model = small_model();
    for (size_t t = 0; t < tensor_count(model); t++) {
        cfd_tensor_info info = tensor_at(model, t);
        if (tensor_size(&info) < 120) {
            continue;
        }
        float *values = allocated(tensor_size(&info), sizeof *values);
        OK(cfd_model_get_parameter(model, info.name, values, tensor_size(&info)));
        double bound = sqrt(6.0 / (double)(info.rows + info.columns));
        double largest = 0.0;
        double sum = 0.0;
        for (size_t i = 0; i < tensor_size(&info); i++) {
            largest = fmax(largest, fabs((double)values[i]));
            sum += values[i];
        }
        double n = (double)tensor_size(&info);
        ck_assert_msg(largest <= bound * 1.000001 && largest > 0.9 * bound, "%s: %g, bound %g", info.name, largest, bound);
        ck_assert_msg(fabs(sum / n) < 5.0 * bound / sqrt(3.0 * n), "%s: mean %g", info.name, sum / n);
        free(values);
    }
    cfd_model_destroy(model);
}
END_TEST

START_TEST(a_parameter_written_is_read_back_and_nothing_else_changes)
{
    cfd_model *model = small_model();
    size_t n;
    float *before = all_parameters(model, &n);
    float *values = random_floats(30 * 6, 8);
    OK(cfd_model_set_parameter(model, "user.differential.textual", values, 30 * 6));
    float *after = all_parameters(model, &n);
    size_t at = 0;
    for (size_t t = 0; t < tensor_count(model); t++) {
        cfd_tensor_info info = tensor_at(model, t);
        bool written = strcmp(info.name, "user.differential.textual") == 0;
        ck_assert_mem_eq(after + at, written ? values : before + at, tensor_size(&info) * sizeof *after);
        at += tensor_size(&info);
    }
    free(after);
    free(values);
    free(before);
    cfd_model_destroy(model);
}
END_TEST

START_TEST(wrong_names_sizes_and_numbers_are_refused)
{
    cfd_model *model = small_model();
    float *values = random_floats(40 * 6, 8);
    float *before = allocated(30 * 6, sizeof *before);
    float *after = allocated(30 * 6, sizeof *after);
    OK(cfd_model_get_parameter(model, "user.id", before, 30 * 6));
    FAILS(CFD_ERROR_ARGUMENT, "user.common.visual", cfd_model_get_parameter(model, "user.common.visul", values, 180));
    FAILS(CFD_ERROR_ARGUMENT, "proj.differential.tags", cfd_model_set_parameter(model, "nothing", values, 180));
    FAILS(CFD_ERROR_ARGUMENT, "30 x 6", cfd_model_set_parameter(model, "user.id", values, 179));
    FAILS(CFD_ERROR_ARGUMENT, "n is 181", cfd_model_get_parameter(model, "user.id", values, 181));
    FAILS(CFD_ERROR_ARGUMENT, "values", cfd_model_set_parameter(model, "user.id", NULL, 180));
    values[6 * 4 + 2] = NAN;
    FAILS(CFD_ERROR_DATA, "row 4, column 2", cfd_model_set_parameter(model, "user.id", values, 180));
    values[6 * 4 + 2] = -INFINITY;
    FAILS(CFD_ERROR_DATA, "row 4, column 2", cfd_model_set_parameter(model, "user.id", values, 180));
    OK(cfd_model_get_parameter(model, "user.id", after, 30 * 6));
    ck_assert_mem_eq(before, after, 180 * sizeof *before);
    free(after);
    free(before);
    free(values);
    cfd_model_destroy(model);
}
END_TEST

START_TEST(gradients_last_from_a_step_to_the_next_use)
{
    cfd_model *model = small_model();
    float values[180];
    float rows[70 * 6];
    FAILS(CFD_ERROR_ARGUMENT, "no gradients", cfd_model_get_gradient(model, "user.id", values, 180));
    OK(cfd_compute_gradients(model, NULL, NULL));
    OK(cfd_model_get_gradient(model, "user.id", values, 180));
    FAILS(CFD_ERROR_ARGUMENT, "there is no parameter", cfd_model_get_gradient(model, "base", values, 180));
    OK(cfd_model_get_embedding(model, "base", rows, 70 * 6));
    FAILS(CFD_ERROR_ARGUMENT, "no gradients", cfd_model_get_gradient(model, "user.id", values, 180));
    cfd_model_destroy(model);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("model in use");
    TCase *parts = tcase_create("parts");
    tcase_add_test(parts, a_model_says_what_it_is_made_of);
    tcase_add_test(parts, parameters_start_uniform_within_xaviers_bound);
    tcase_add_test(parts, a_parameter_written_is_read_back_and_nothing_else_changes);
    tcase_add_test(parts, wrong_names_sizes_and_numbers_are_refused);
    tcase_add_test(parts, gradients_last_from_a_step_to_the_next_use);
    suite_add_tcase(s, parts);
    return s;
}

TEST_MAIN(suite)
