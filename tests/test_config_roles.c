/* SPDX-License-Identifier: Apache-2.0 */
/* What a config makes of a data set's modalities: which take part, under which role, and what ablations leave of the
 * model. */
#include "test_api_world.h"

typedef struct setting {
    cfd_context *context;
    cfd_dataset *data;
    world_log log;
} setting;

static setting s;

static void set_up(void)
{
    memset(&s, 0, sizeof s);
    s.context = world_context(1, &s.log);
    s.data = world_data(s.context); /* photo, tags */
}

static void tear_down(void)
{
    cfd_dataset_destroy(s.data);
    cfd_context_destroy(s.context);
}

static void check_roles(const char *modalities, const char *first, const char *second)
{
    cfd_config *config = WORLD_CONFIG("modalities", modalities);
    cfd_model *model = world_model(s.context, config, s.data);
    const char *const expected[] = {first, second, NULL};
    for (size_t i = 0; i < 3; i++) {
        const char *role = cfd_model_role(model, i);
        if (!expected[i]) {
            ck_assert_msg(!role, "\"%s\": role %zu is %s", modalities, i, role);
            break;
        }
        ck_assert_msg(role && strcmp(role, expected[i]) == 0, "\"%s\": role %zu is %s", modalities, i, role ? role : "none");
    }
    cfd_model_info info = CFD_MODEL_INFO_INIT;
    OK(cfd_model_get_info(model, &info));
    ck_assert_int_eq(info.n_modalities, (first != NULL) + (second != NULL));
    cfd_model_destroy(model);
    cfd_config_destroy(config);
}

static void check_refused(const char *message, const char *key, const char *value)
{
    cfd_config *config = WORLD_CONFIG(key, value);
    cfd_model *model = NULL;
    FAILS(CFD_ERROR_CONFIG, message, cfd_model_create(s.context, config, s.data, &model));
    ck_assert_ptr_null(model);
    cfd_config_destroy(config);
}

/* ---- modalities ---- */

START_TEST(modalities_are_taken_in_the_order_and_under_the_roles_given)
{
    check_roles("", "photo", "tags");
    check_roles("visual=photo,textual=tags", "visual", "textual");
    check_roles("textual=tags,visual=photo", "textual", "visual");
    check_roles("tags,photo", "tags", "photo");
    check_roles("textual=tags", "textual", NULL);
    check_roles("tags", "tags", NULL);
    check_roles("photo=tags,tags=photo", "photo", "tags"); /* roles may bear each other's names */
    check_roles("a=photo,b=photo", "a", "b");              /* one modality in two roles */
    check_roles("none", NULL, NULL);
}
END_TEST

/* Roles are names; the shapes show which content stands behind them. */
START_TEST(the_content_of_a_role_is_that_of_its_modality)
{
    cfd_config *config = WORLD_CONFIG("modalities", "photo=tags,tags=photo");
    cfd_model *model = world_model(s.context, config, s.data);
    bool photo = false;
    bool tags = false;
    cfd_model_info info = CFD_MODEL_INFO_INIT;
    OK(cfd_model_get_info(model, &info));
    for (size_t i = 0; i < info.n_tensors; i++) {
        cfd_tensor_info tensor = CFD_TENSOR_INFO_INIT;
        OK(cfd_model_get_tensor_info(model, i, &tensor));
        photo = photo || (strcmp(tensor.name, "proj.common.photo") == 0 && tensor.rows == WORLD_TAGS);
        tags = tags || (strcmp(tensor.name, "proj.differential.tags") == 0 && tensor.rows == WORLD_PHOTO);
    }
    ck_assert(photo && tags);
    cfd_model_destroy(model);
    cfd_config_destroy(config);
}
END_TEST

START_TEST(modalities_that_the_data_set_lacks_are_refused)
{
    check_refused("it has photo, tags", "modalities", "visual=image");
    check_refused("no modality \"video\"", "modalities", "photo,video");
    check_refused("no modality \"none\"", "modalities", "photo,none");
}
END_TEST

/* What needs no data set is refused where it is set. */
static void check_unset(const char *part, const char *value)
{
    cfd_config *config;
    OK(cfd_config_create(&config));
    FAILS(CFD_ERROR_CONFIG, part, cfd_config_set(config, "modalities", value));
    char left[8];
    OK(cfd_config_get(config, "modalities", left, sizeof left, NULL));
    ck_assert_str_eq(left, "");
    cfd_config_destroy(config);
}

START_TEST(a_list_of_modalities_is_checked_where_it_is_set)
{
    check_unset("\"visual\" is given twice", "visual=photo,visual=tags");
    check_unset("\"photo\" is given twice", "photo,photo");
    check_unset("fused", "fused=photo");
    check_unset("ROLE=NAME", "vi.s=photo");
    check_unset("ROLE=NAME", "visual=");
    check_unset("ROLE=NAME", "=photo");
    check_unset("ROLE=NAME", ",photo");
    check_unset("ROLE=NAME", "photo,,tags");
    check_unset("ROLE=NAME", "photo,tags,");
    check_unset("ROLE=NAME", "photo tags");
    check_unset("ROLE=NAME", "visual=photo=tags");
    check_unset("ROLE=NAME", "photo, tags");
    check_unset("more than 8", "a=photo,b=photo,c=photo,d=photo,e=photo,f=photo,g=photo,h=photo,i=photo");
    char longer[200] = "photo,";
    memset(longer + 6, 'x', 100);
    check_unset("63 letters", longer);
}
END_TEST

START_TEST(eight_modalities_with_the_longest_names_can_be_named)
{
    char list[1100] = "";
    for (int i = 0; i < 8; i++) {
        char name[64];
        memset(name, 'a' + i, 63);
        name[63] = '\0';
        size_t length = strlen(list);
        snprintf(list + length, sizeof list - length, "%s%s=%s", i ? "," : "", name, name);
    }
    cfd_config *config;
    OK(cfd_config_create(&config));
    OK(cfd_config_set(config, "modalities", list));
    char back[1100];
    OK(cfd_config_get(config, "modalities", back, sizeof back, NULL));
    ck_assert_str_eq(back, list);
    cfd_config_destroy(config);
}
END_TEST

START_TEST(the_limit_keeps_the_first_modalities)
{
    const char *const roles[] = {NULL, "visual", "visual"};
    for (int limit = 0; limit < 3; limit++) {
        char text[8];
        snprintf(text, sizeof text, "%d", limit);
        cfd_config *config = WORLD_CONFIG("modalities", "visual=photo,textual=tags", "modality_limit", text);
        cfd_model *model = world_model(s.context, config, s.data);
        const char *first = cfd_model_role(model, 0);
        ck_assert(roles[limit] ? first && strcmp(first, roles[limit]) == 0 : first == NULL);
        ck_assert((cfd_model_role(model, 1) != NULL) == (limit == 2));
        cfd_model_destroy(model);
        cfd_config_destroy(config);
    }
}
END_TEST

/* ---- values for roles ---- */

START_TEST(a_value_set_for_a_role_that_no_modality_plays_is_refused)
{
    const char *const keys[] = {"lambda.visual", "mu.visual", "rho.visual", "whiten.visual", "transform.visual"};
    const char *const values[] = {"0.5", "0.5", "0.5", "no", "l2"};
    for (size_t i = 0; i < 5; i++) {
        check_refused("\"visual\", which no modality plays: there are photo, tags", keys[i], values[i]);
    }
    ck_assert_str_eq(s.log.warnings, "");
}
END_TEST

START_TEST(a_presets_values_for_absent_roles_only_warn)
{
    cfd_config *config = WORLD_CONFIG("modalities", "visual=photo");
    OK(cfd_config_load_preset(config, "beauty"));
    OK(cfd_config_set(config, "batch_size", "16"));
    cfd_model *model = world_model(s.context, config, s.data);
    ck_assert_ptr_nonnull(strstr(s.log.warnings, "\"textual\""));
    ck_assert_ptr_null(strstr(s.log.warnings, "\"visual\""));
    cfd_model_destroy(model);
    /* Once the caller sets one of them himself, it is meant. */
    OK(cfd_config_set(config, "mu.textual", "1"));
    model = NULL;
    FAILS(CFD_ERROR_CONFIG, "textual", cfd_model_create(s.context, config, s.data, &model));
    cfd_config_destroy(config);
    /* A preset loaded afterwards does not make the caller's value the preset's. */
    config = WORLD_CONFIG("modalities", "visual=photo", "mu.textual", "3");
    OK(cfd_config_load_preset(config, "beauty"));
    FAILS(CFD_ERROR_CONFIG, "textual", cfd_model_create(s.context, config, s.data, &model));
    cfd_config_destroy(config);
}
END_TEST

/* ---- ablations ---- */

typedef struct expectation {
    const char *name;
    int32_t modalities;
    int32_t width; /* of score rows, in embeddings: SPEC 4 counts 1 + 4 |M| for the whole model */
    bool base, common, differential;
} expectation;

static bool has_tensor(const cfd_model *model, const char *name)
{
    cfd_model_info info = CFD_MODEL_INFO_INIT;
    OK(cfd_model_get_info(model, &info));
    for (size_t i = 0; i < info.n_tensors; i++) {
        cfd_tensor_info tensor = CFD_TENSOR_INFO_INIT;
        OK(cfd_model_get_tensor_info(model, i, &tensor));
        if (strcmp(tensor.name, name) == 0) {
            return true;
        }
    }
    return false;
}

START_TEST(ablations_leave_the_model_that_their_name_says)
{
    const expectation expected[] = {
        {NULL, 2, 1 + 4 * 2, true, true, true},
        {"base only", 0, 1, true, false, false},
        {"no common", 2, 1 + 2 * 2, true, false, true},
        {"no differential", 2, 1 + 2 * 2, true, true, false},
        {"no distillation", 2, 1 + 4 * 2, true, true, true},
        {"no whitening", 2, 1 + 4 * 2, true, true, true},
        {"no fusion", 2, 1 + 2 * 2, true, true, true},
        {"one modality", 1, 1 + 4, true, true, true},
    };
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        const expectation *e = &expected[i];
        /* A value for the second modality does not forbid to leave that modality out. */
        cfd_config *config = WORLD_CONFIG("modalities", "visual=photo,textual=tags", "mu.textual", "1.5");
        if (e->name) {
            OK(cfd_config_load_ablation(config, e->name));
        }
        cfd_model *model = world_model(s.context, config, s.data);
        cfd_model_info info = CFD_MODEL_INFO_INIT;
        OK(cfd_model_get_info(model, &info));
        ck_assert_int_eq(info.n_modalities, e->modalities);
        ck_assert_int_eq(info.score_width, 8 * e->width);
        ck_assert_int_eq(has_tensor(model, "user.id") && has_tensor(model, "item.id"), e->base);
        ck_assert_int_eq(has_tensor(model, "user.common.visual") && has_tensor(model, "proj.common.visual"), e->common);
        ck_assert_int_eq(has_tensor(model, "user.differential.visual"), e->differential);
        ck_assert_int_eq(has_tensor(model, "proj.differential.textual"), e->differential && e->modalities == 2);
        OK(cfd_train_step(model, NULL, NULL));
        cfd_model_destroy(model);
        cfd_config_destroy(config);
    }
}
END_TEST

START_TEST(without_distillation_the_total_is_ranking_and_penalty)
{
    cfd_config *config = world_config(NULL);
    cfd_losses losses = CFD_LOSSES_INIT;
    cfd_model *whole = world_model(s.context, config, s.data);
    OK(cfd_compute_gradients(whole, NULL, &losses));
    ck_assert_double_gt(fabs(losses.total - losses.ranking - losses.penalty), 1e-3);
    cfd_model_destroy(whole);
    OK(cfd_config_load_ablation(config, "no distillation"));
    cfd_model *without = world_model(s.context, config, s.data);
    OK(cfd_compute_gradients(without, NULL, &losses));
    ck_assert_double_eq_tol(losses.total, losses.ranking + losses.penalty, 1e-12);
    cfd_model_destroy(without);
    cfd_config_destroy(config);
}
END_TEST

START_TEST(without_whitening_the_switch_of_a_role_says_nothing)
{
    const char *const switches[] = {"no", "yes"};
    float *scores[4];
    for (int i = 0; i < 4; i++) {
        cfd_config *config = WORLD_CONFIG("whiten.photo", switches[i % 2], "whiten.tags", "no");
        if (i >= 2) {
            OK(cfd_config_load_ablation(config, "no whitening"));
        }
        cfd_model *model = world_model(s.context, config, s.data);
        scores[i] = world_model_scores(model);
        cfd_model_destroy(model);
        cfd_config_destroy(config);
    }
    size_t bytes = sizeof(float) * WORLD_USERS * WORLD_ITEMS;
    ck_assert(memcmp(scores[0], scores[1], bytes) != 0);
    ck_assert(memcmp(scores[2], scores[3], bytes) == 0);
    ck_assert(memcmp(scores[0], scores[2], bytes) == 0);
    for (int i = 0; i < 4; i++) {
        free(scores[i]);
    }
}
END_TEST

START_TEST(an_unknown_ablation_lists_those_that_exist)
{
    cfd_config *config = world_config(NULL);
    FAILS(CFD_ERROR_CONFIG, "base only, no common, no differential, no distillation, no whitening, no fusion, one modality",
          cfd_config_load_ablation(config, "no heads"));
    cfd_config_destroy(config);
}
END_TEST

START_TEST(a_model_without_any_branch_is_refused)
{
    cfd_config *config = WORLD_CONFIG("branch.base", "no", "modalities", "none");
    cfd_model *model = NULL;
    FAILS(CFD_ERROR_CONFIG, "nothing to rank by", cfd_model_create(s.context, config, s.data, &model));
    OK(cfd_config_set(config, "modalities", ""));
    OK(cfd_config_set(config, "branch.common", "no"));
    OK(cfd_config_set(config, "branch.differential", "no"));
    FAILS(CFD_ERROR_CONFIG, "nothing to rank by", cfd_model_create(s.context, config, s.data, &model));
    OK(cfd_config_set(config, "branch.differential", "yes"));
    OK(cfd_model_create(s.context, config, s.data, &model)); /* content alone will do */
    OK(cfd_train_step(model, NULL, NULL));
    cfd_model_destroy(model);
    cfd_config_destroy(config);
}
END_TEST

static Suite *suite(void)
{
    Suite *made = suite_create("config: roles and ablations");
    TCase *t = tcase_create("roles");
    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_add_test(t, modalities_are_taken_in_the_order_and_under_the_roles_given);
    tcase_add_test(t, the_content_of_a_role_is_that_of_its_modality);
    tcase_add_test(t, modalities_that_the_data_set_lacks_are_refused);
    tcase_add_test(t, a_list_of_modalities_is_checked_where_it_is_set);
    tcase_add_test(t, eight_modalities_with_the_longest_names_can_be_named);
    tcase_add_test(t, the_limit_keeps_the_first_modalities);
    tcase_add_test(t, a_value_set_for_a_role_that_no_modality_plays_is_refused);
    tcase_add_test(t, a_presets_values_for_absent_roles_only_warn);
    tcase_add_test(t, ablations_leave_the_model_that_their_name_says);
    tcase_add_test(t, without_distillation_the_total_is_ranking_and_penalty);
    tcase_add_test(t, without_whitening_the_switch_of_a_role_says_nothing);
    tcase_add_test(t, an_unknown_ablation_lists_those_that_exist);
    tcase_add_test(t, a_model_without_any_branch_is_refused);
    suite_add_tcase(made, t);
    return made;
}

TEST_MAIN(suite)
