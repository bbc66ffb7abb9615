/* SPDX-License-Identifier: Apache-2.0 */
/* Settings by key: the table, text in and out, presets, ablations, roles. */
#include "test.h"

#include <stdbool.h>

static cfd_config *fresh(void)
{
    cfd_config *config;
    OK(cfd_config_create(&config));
    return config;
}

static void check_value(const cfd_config *config, const char *key, const char *expected)
{
    char value[512];
    OK(cfd_config_get(config, key, value, sizeof value, NULL));
    ck_assert_msg(strcmp(value, expected) == 0, "%s is \"%s\", not \"%s\"", key, value, expected);
}

/* "lambda.ROLE" as a key that can be set. */
static const char *settable(const char *name, char buffer[64])
{
    size_t length = strlen(name);
    bool of_role = length > 5 && strcmp(name + length - 5, ".ROLE") == 0;
    snprintf(buffer, 64, "%.*s%s", (int)(of_role ? length - 4 : length), name, of_role ? "visual" : "");
    return buffer;
}

static cfd_config_key key_at(size_t index)
{
    cfd_config_key key = CFD_CONFIG_KEY_INIT;
    OK(cfd_config_get_key(index, &key));
    return key;
}

/* ---- the table ---- */

/* Keys that the issue and SPEC 3 to 6 name, with the published constants of SPEC 1, 4, 6. */
START_TEST(the_keys_that_the_specification_names_are_there_with_its_constants)
{
    const char *const expected[][2] = {
        {"embedding_dim", "64"},
        {"batch_size", "2048"},
        {"decay", "0.001"},
        {"learning_rate", "0.001"},
        {"beta1", "0.9"},
        {"beta2", "0.999"},
        {"epsilon", "1e-08"},
        {"whiten_epsilon", "1e-05"},
        {"epochs", "500"},
        {"patience", "5"},
        {"negatives", "99"},
        {"select", "validation"},
        {"base_exponent.left", "-0.5"},
        {"common_exponent", "-0.5"},
        {"differential_exponent", "-0.5"},
        {"fused_exponent", "-0.5"},
        {"common_exponent.left", "-0.5"},
        {"differential_exponent.left", "-0.5"},
        {"fused_exponent.left", "-0.5"},
        {"common_distillation", "align"},
        {"sampler", "users"},
        {"transform.visual", "none"},
        {"modalities", ""},
        {"merge_validation", "no"},
    };
    cfd_config *config = fresh();
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        check_value(config, expected[i][0], expected[i][1]);
    }
    const char *const others[] = {"layers",        "base_exponent", "eval_every", "eta.common", "eta.differential",
                                  "lambda.visual", "lambda.fused",  "mu.visual",  "mu.fused",   "rho.visual",
                                  "rho.fused",     "whiten.visual", "protocol"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        OK(cfd_config_get(config, others[i], NULL, 0, NULL));
    }
    cfd_config_destroy(config);
}
END_TEST

START_TEST(every_row_of_the_table_is_complete_and_unique)
{
    size_t n = cfd_config_key_count();
    ck_assert_uint_gt(n, 30);
    for (size_t i = 0; i < n; i++) {
        cfd_config_key key = key_at(i);
        ck_assert_ptr_nonnull(key.name);
        ck_assert_ptr_nonnull(key.default_value);
        ck_assert_uint_gt(strlen(key.range), 0);
        ck_assert_uint_gt(strlen(key.help), 5);
        ck_assert_ptr_null(strchr(key.help, '\n'));
        const char *const types[] = {"integer", "number", "yes/no", "choice", "text"};
        bool known = false;
        for (size_t t = 0; t < sizeof types / sizeof types[0]; t++) {
            known = known || strcmp(key.type, types[t]) == 0;
        }
        ck_assert_msg(known, "%s: type %s", key.name, key.type);
        for (size_t j = 0; j < i; j++) {
            ck_assert_str_ne(key.name, key_at(j).name);
        }
    }
    cfd_config_key key = CFD_CONFIG_KEY_INIT;
    FAILS(CFD_ERROR_ARGUMENT, "there are", cfd_config_get_key(n, &key));
    FAILS(CFD_ERROR_ARGUMENT, "index", cfd_config_get_key(SIZE_MAX, &key));
    ck_assert_ptr_null(key.name);
}
END_TEST

START_TEST(every_key_begins_at_its_default_and_takes_it_back)
{
    for (size_t i = 0; i < cfd_config_key_count(); i++) {
        cfd_config *config = fresh();
        cfd_config_key row = key_at(i);
        char key[64];
        settable(row.name, key);
        check_value(config, key, row.default_value);
        OK(cfd_config_set(config, key, row.default_value));
        check_value(config, key, row.default_value);
        cfd_config_destroy(config);
    }
}
END_TEST

/* Values that say something else than the default, by hand for every type. */
START_TEST(what_is_set_is_what_is_read_and_nothing_else_changes)
{
    const char *const examples[][3] = {
        {"embedding_dim", "1", "1"},
        {"embedding_dim", "1024", "1024"},
        {"layers", "+7", "7"},
        {"base_exponent", "-0.3", "-0.3"},
        {"base_exponent", "0", "0"},
        {"decay", "1e-3", "0.001"},
        {"learning_rate", "0.1", "0.1"},
        {"eta.common", "0.0625", "0.0625"},
        {"lambda.visual", "1.25", "1.25"},
        {"lambda.fused", "3e1", "30"},
        {"whiten.visual", "no", "no"},
        {"whiten.visual", "false", "no"},
        {"whiten.visual", "0", "no"},
        {"branch.base", "true", "yes"},
        {"branch.base", "1", "yes"},
        {"common_distillation", "released", "released"},
        {"select", "none", "none"},
        {"protocol", "sampled", "sampled"},
        {"sampler", "interactions", "interactions"},
        {"modalities", "visual=photo,textual=title", "visual=photo,textual=title"},
        {"modalities", "", ""},
        {"transform.visual", "center,l2,svd:300", "center,l2,svd:300"},
        {"transform.visual", "standardize", "standardize"},
        {"transform.visual", "", "none"},
        {"epochs", "0", "0"},
    };
    for (size_t e = 0; e < sizeof examples / sizeof examples[0]; e++) {
        cfd_config *config = fresh();
        OK(cfd_config_set(config, examples[e][0], examples[e][1]));
        check_value(config, examples[e][0], examples[e][2]);
        for (size_t i = 0; i < cfd_config_key_count(); i++) {
            cfd_config_key row = key_at(i);
            char key[64];
            settable(row.name, key);
            if (strcmp(key, examples[e][0]) != 0) {
                check_value(config, key, row.default_value);
            }
        }
        cfd_config_destroy(config);
    }
}
END_TEST

START_TEST(every_written_value_reads_back_as_itself)
{
    cfd_config *a = fresh();
    cfd_config *b = fresh();
    OK(cfd_config_load_preset(a, "art"));
    OK(cfd_config_set(a, "learning_rate", "0.1234567890123456789"));
    OK(cfd_config_set(a, "decay", "3.3333333333333333e-7"));
    for (size_t i = 0; i < cfd_config_key_count(); i++) {
        char key[64];
        char value[512];
        settable(key_at(i).name, key);
        OK(cfd_config_get(a, key, value, sizeof value, NULL));
        OK(cfd_config_set(b, key, value));
        check_value(b, key, value);
    }
    check_value(b, "learning_rate", "0.12345678901234568");
    cfd_config_destroy(a);
    cfd_config_destroy(b);
}
END_TEST

/* ---- reading into a caller's memory ---- */

START_TEST(a_value_can_be_measured_before_it_is_read)
{
    cfd_config *config = fresh();
    size_t length = 99;
    char value[8] = "abcdefg";
    OK(cfd_config_get(config, "batch_size", NULL, 0, &length));
    ck_assert_uint_eq(length, 4); /* 2048 */
    length = 99;
    FAILS(CFD_ERROR_ARGUMENT, "takes 5 bytes", cfd_config_get(config, "batch_size", value, 4, &length));
    ck_assert_str_eq(value, "abcdefg");
    ck_assert_uint_eq(length, 99);
    OK(cfd_config_get(config, "batch_size", value, 5, &length));
    ck_assert_str_eq(value, "2048");
    FAILS(CFD_ERROR_ARGUMENT, "value", cfd_config_get(config, "batch_size", NULL, 5, NULL));
    cfd_config_destroy(config);
}
END_TEST

START_TEST(a_copy_is_of_its_own)
{
    cfd_config *config = fresh();
    OK(cfd_config_set(config, "layers", "3"));
    OK(cfd_config_set(config, "mu.audio", "7"));
    cfd_config *copy;
    OK(cfd_config_copy(config, &copy));
    OK(cfd_config_set(config, "layers", "9"));
    check_value(copy, "layers", "3");
    check_value(copy, "mu.audio", "7");
    cfd_config_destroy(config);
    check_value(copy, "layers", "3");
    cfd_config_destroy(copy);
    cfd_config_destroy(NULL);
}
END_TEST

/* ---- refusals ---- */

/* Numbers and integers: the range that the table shows is the range that is kept. */
START_TEST(beyond_its_range_every_key_refuses_and_names_the_range)
{
    cfd_config *config = fresh();
    for (size_t i = 0; i < cfd_config_key_count(); i++) {
        cfd_config_key row = key_at(i);
        bool integer = strcmp(row.type, "integer") == 0;
        if (!integer && strcmp(row.type, "number") != 0) {
            continue;
        }
        char key[64];
        settable(row.name, key);
        double low = 0.0;
        double high = 0.0;
        bool open = sscanf(row.range, "above %lf, to %lf", &low, &high) == 2;
        ck_assert_msg(open || sscanf(row.range, "%lf to %lf", &low, &high) == 2, "%s: range %s", key, row.range);
        char text[64];
        double step = integer ? 1.0 : 1e-3;
        const double outside[] = {low - step, high + step, -1e15, 1e15, open ? low : low - 1.0};
        for (size_t k = 0; k < sizeof outside / sizeof outside[0]; k++) {
            snprintf(text, sizeof text, "%.10g", outside[k]);
            FAILS(CFD_ERROR_CONFIG, row.range, cfd_config_set(config, key, text));
            ck_assert_ptr_nonnull(strstr(cfd_last_error(), key));
        }
        snprintf(text, sizeof text, "%.10g", high);
        OK(cfd_config_set(config, key, text));
        snprintf(text, sizeof text, "%.10g", open ? high * 0.5 : low);
        OK(cfd_config_set(config, key, text));
        OK(cfd_config_set(config, key, row.default_value));
    }
    cfd_config_destroy(config);
}
END_TEST

START_TEST(a_value_of_another_type_is_refused_and_the_old_one_stays)
{
    const char *const wrong[][3] = {
        {"layers", "4.5", "an integer"},
        {"layers", "four", "an integer"},
        {"layers", "", "an integer"},
        {"layers", " 4", "an integer"},
        {"layers", "4 ", "an integer"},
        {"layers", "0x4", "an integer"},
        {"layers", "99999999999999999999", "an integer"},
        {"epochs", "4294967297", "an integer"},
        {"decay", "0,1", "a number"},
        {"decay", "nan", "a number"},
        {"decay", "inf", "a number"},
        {"decay", "1e999", "a number"},
        {"decay", "0.1x", "a number"},
        {"decay", "", "a number"},
        {"lambda.visual", "-0.5", "0 to 1000"},
        {"mu.fused", "much", "0 to 1000"},
        {"branch.base", "maybe", "yes or no"},
        {"whiten.visual", "YES", "yes or no"},
        {"whitening", "2", "yes or no"},
        {"sampler", "user", "users|interactions"},
        {"sampler", "", "users|interactions"},
        {"sampler", "users|", "users|interactions"},
        {"common_distillation", "align|released", "align|released"},
        {"select", "train", "validation|test|none"},
        {"protocol", "Full", "full|sampled"},
    };
    cfd_config *config = fresh();
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char before[512];
        OK(cfd_config_get(config, wrong[i][0], before, sizeof before, NULL));
        FAILS(CFD_ERROR_CONFIG, wrong[i][2], cfd_config_set(config, wrong[i][0], wrong[i][1]));
        ck_assert_ptr_nonnull(strstr(cfd_last_error(), wrong[i][0]));
        check_value(config, wrong[i][0], before);
    }
    ck_assert_uint_eq(cfd_config_role_count(config), 0); /* refused keys of a role leave no role behind */
    cfd_config_destroy(config);
}
END_TEST

START_TEST(transforms_are_checked_where_they_are_set)
{
    const char *const refused[] = {"pca",      "svd",     "svd:",     "svd:0",     "svd:-3",
                                   "svd:4097", "svd:3.5", "svd: 3",   "center l2", "l2,,l2",
                                   ",l2",      "Center",  "l2,svd:x", "l2,",       "l2,l2,l2,l2,l2,l2,l2,l2,l2"};
    const char *const accepted[] = {"none",
                                    "center",
                                    "l2",
                                    "standardize",
                                    "svd:1",
                                    "svd:4096",
                                    "center,standardize,l2,svd:8",
                                    "l2,l2,l2,l2,l2,l2,l2,l2",
                                    "svd:00000000000000000000000000000000000000000000000000000000000000000005"};
    cfd_config *config = fresh();
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        FAILS(CFD_ERROR_CONFIG, "transform.visual", cfd_config_set(config, "transform.visual", refused[i]));
    }
    for (size_t i = 0; i < sizeof accepted / sizeof accepted[0]; i++) {
        OK(cfd_config_set(config, "transform.visual", accepted[i]));
        check_value(config, "transform.visual", accepted[i]);
    }
    char longer[1200];
    memset(longer, 'a', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    FAILS(CFD_ERROR_CONFIG, "longer than", cfd_config_set(config, "modalities", longer));
    FAILS(CFD_ERROR_CONFIG, "transform.visual", cfd_config_set(config, "transform.visual", longer));
    cfd_config_destroy(config);
}
END_TEST

START_TEST(an_unknown_key_names_the_nearest_that_exists)
{
    const char *const unknown[][2] = {
        {"lamda.visual", "\"lambda.visual\""},
        {"lambda", "\"lambda.ROLE\""},
        {"batchsize", "\"batch_size\""},
        {"learning-rate", "\"learning_rate\""},
        {"Layers", "\"layers\""},
        {"eta.comon", "\"eta.common\""},
        {"lamda.fused", "\"lambda.fused\""},
        {"whiten.fused", "\"whiten"},
        {"mu", "\"mu."},
        {"transforms.textual", "\"transform.textual\""},
        {"epoch", "\"epochs\""},
        {"", "nearest"},
        {"lambda.", "\"lambda."},
    };
    cfd_config *config = fresh();
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
        FAILS(CFD_ERROR_CONFIG, unknown[i][1], cfd_config_set(config, unknown[i][0], "1"));
        FAILS(CFD_ERROR_CONFIG, unknown[i][1], cfd_config_get(config, unknown[i][0], NULL, 0, NULL));
    }
    /* Roles are names: no blanks, no further dots, at most 63 letters. */
    FAILS(CFD_ERROR_CONFIG, "no key", cfd_config_set(config, "lambda.vis ual", "1"));
    FAILS(CFD_ERROR_CONFIG, "no key", cfd_config_set(config, "lambda.a.b", "1"));
    char longer[900] = "lambda.";
    memset(longer + 7, 'x', sizeof longer - 8);
    FAILS(CFD_ERROR_CONFIG, "no key", cfd_config_set(config, longer, "1"));
    cfd_config_destroy(config);
}
END_TEST

/* ---- presets: SPEC 7, typed from its table ---- */

typedef struct published {
    const char *name;
    const char *layers, *base_exponent, *eval_every;
    const char *whiten[2];                  /* visual, textual */
    const char *lambda[3], *mu[3], *rho[3]; /* visual, textual, fused */
    const char *eta_differential, *eta_common;
} published;

static const published table[] = {
    {"taobao", "5", "-0.3", "5", {"yes", "no"}, {"0.6", "0.3", "1"}, {"1.2", "1", "1.9"}, {"1.1", "0.4", "1"}, "0.08", "1"},
    {"art",
     "5",
     "-0.4",
     "10",
     {"yes", "yes"},
     {"0.4", "1", "1.2"},
     {"1.1", "1.9", "2.4"},
     {"0.06", "1", "0.4"},
     "0.07",
     "0.4"},
    {"beauty", "4", "-0.4", "10", {"yes", "yes"}, {"0.9", "1.2", "1"}, {"1", "1", "2.2"}, {"0.5", "0.9", "0.2"}, "0.3", "1"},
};

static void check_published(const cfd_config *config, const published *p)
{
    const char *const roles[] = {"visual", "textual", "fused"};
    check_value(config, "layers", p->layers);
    check_value(config, "base_exponent", p->base_exponent);
    check_value(config, "eval_every", p->eval_every);
    check_value(config, "eta.differential", p->eta_differential);
    check_value(config, "eta.common", p->eta_common);
    char key[64];
    for (int r = 0; r < 3; r++) {
        snprintf(key, sizeof key, "lambda.%s", roles[r]);
        check_value(config, key, p->lambda[r]);
        snprintf(key, sizeof key, "mu.%s", roles[r]);
        check_value(config, key, p->mu[r]);
        snprintf(key, sizeof key, "rho.%s", roles[r]);
        check_value(config, key, p->rho[r]);
    }
    check_value(config, "whiten.visual", p->whiten[0]);
    check_value(config, "whiten.textual", p->whiten[1]);
    check_value(config, "whiten_epsilon", "1e-05");
    check_value(config, "embedding_dim", "64");
    check_value(config, "decay", "0.001");
    check_value(config, "learning_rate", "0.001");
    check_value(config, "batch_size", "2048");
    check_value(config, "sampler", "users");
    const char *const halves[] = {"base_exponent.left",         "common_exponent",
                                  "common_exponent.left",       "differential_exponent",
                                  "differential_exponent.left", "fused_exponent",
                                  "fused_exponent.left"};
    for (size_t i = 0; i < sizeof halves / sizeof halves[0]; i++) {
        check_value(config, halves[i], "-0.5");
    }
}

START_TEST(presets_have_exactly_the_published_numbers)
{
    for (size_t i = 0; i < 3; i++) {
        cfd_config *config = fresh();
        OK(cfd_config_load_preset(config, table[i].name));
        check_published(config, &table[i]);
        cfd_config_destroy(config);
    }
    cfd_config *config = fresh();
    for (size_t i = 0; i < 9; i++) { /* one after the other: nothing of the one before stays */
        OK(cfd_config_load_preset(config, table[(i * i + 1) % 3].name));
        check_published(config, &table[(i * i + 1) % 3]);
    }
    cfd_config_destroy(config);
}
END_TEST

START_TEST(presets_leave_other_keys_alone)
{
    cfd_config *config = fresh();
    OK(cfd_config_set(config, "epochs", "17"));
    OK(cfd_config_set(config, "common_distillation", "released"));
    OK(cfd_config_set(config, "transform.visual", "svd:30"));
    OK(cfd_config_set(config, "mu.audio", "3"));
    OK(cfd_config_load_preset(config, "beauty"));
    check_value(config, "epochs", "17");
    check_value(config, "common_distillation", "released");
    check_value(config, "transform.visual", "svd:30");
    check_value(config, "mu.audio", "3");
    check_value(config, "lambda.audio", "1");
    FAILS(CFD_ERROR_CONFIG, "taobao, art, beauty", cfd_config_load_preset(config, "clothing"));
    FAILS(CFD_ERROR_CONFIG, "there is no preset \"\"", cfd_config_load_preset(config, ""));
    check_published(config, &table[2]);
    cfd_config_destroy(config);
}
END_TEST

START_TEST(roles_with_values_of_their_own_can_be_listed)
{
    cfd_config *config = fresh();
    ck_assert_uint_eq(cfd_config_role_count(config), 0);
    ck_assert_ptr_null(cfd_config_role(config, 0));
    OK(cfd_config_set(config, "mu.audio", "3"));
    OK(cfd_config_set(config, "rho.audio", "3"));
    OK(cfd_config_load_preset(config, "beauty"));
    ck_assert_uint_eq(cfd_config_role_count(config), 3);
    ck_assert_str_eq(cfd_config_role(config, 0), "audio");
    ck_assert_str_eq(cfd_config_role(config, 1), "visual");
    ck_assert_str_eq(cfd_config_role(config, 2), "textual");
    ck_assert_ptr_null(cfd_config_role(config, 3));
    ck_assert_uint_eq(cfd_config_role_count(NULL), 0);
    ck_assert_ptr_null(cfd_config_role(NULL, 0));
    /* A config holds a bounded number of roles: the next is refused, what is there stays. */
    char key[64];
    for (int i = 3; i < 16; i++) {
        snprintf(key, sizeof key, "lambda.role-%d", i);
        OK(cfd_config_set(config, key, "0.5"));
    }
    FAILS(CFD_ERROR_CONFIG, "at most 16 roles", cfd_config_set(config, "lambda.one-more", "0.5"));
    OK(cfd_config_set(config, "lambda.role-15", "0.25"));
    ck_assert_uint_eq(cfd_config_role_count(config), 16);
    check_value(config, "mu.audio", "3");
    cfd_config_destroy(config);
}
END_TEST

/* ---- the suite ---- */

static Suite *suite(void)
{
    Suite *s = suite_create("config");
    TCase *t = tcase_create("keys");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, the_keys_that_the_specification_names_are_there_with_its_constants);
    tcase_add_test(t, every_row_of_the_table_is_complete_and_unique);
    tcase_add_test(t, every_key_begins_at_its_default_and_takes_it_back);
    tcase_add_test(t, what_is_set_is_what_is_read_and_nothing_else_changes);
    tcase_add_test(t, every_written_value_reads_back_as_itself);
    tcase_add_test(t, a_value_can_be_measured_before_it_is_read);
    tcase_add_test(t, a_copy_is_of_its_own);
    tcase_add_test(t, beyond_its_range_every_key_refuses_and_names_the_range);
    tcase_add_test(t, a_value_of_another_type_is_refused_and_the_old_one_stays);
    tcase_add_test(t, transforms_are_checked_where_they_are_set);
    tcase_add_test(t, an_unknown_key_names_the_nearest_that_exists);
    suite_add_tcase(s, t);
    t = tcase_create("presets");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, presets_have_exactly_the_published_numbers);
    tcase_add_test(t, presets_leave_other_keys_alone);
    tcase_add_test(t, roles_with_values_of_their_own_can_be_listed);
    suite_add_tcase(s, t);
    return s;
}

TEST_MAIN(suite)
