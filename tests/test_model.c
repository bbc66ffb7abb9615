/* SPDX-License-Identifier: Apache-2.0 */
/* A model on worlds small enough to be worked by hand: base branch, ranking loss, penalty, distillation, Adam. */
#include "model_support.h"

/* ---- the base branch: two users, two items, one number each ----
 *
 * Interactions (0, 0), (1, 0), (1, 1). With the node itself the degrees are: user 0: 2, user 1: 3, item 0: 3, item
 * 1: 2. With exponents (-1, 0) a layer is the mean over a node and its neighbours. From users 1, 2 and items 3, -1:
 *
 *   user 0: (1 + 3) / 2 = 2          user 1: (2 + 3 - 1) / 3 = 4/3
 *   item 0: (3 + 1 + 2) / 3 = 2      item 1: (-1 + 2) / 2 = 1/2
 */
static const float ids_of_users[2] = {1.0f, 2.0f};
static const float ids_of_items[2] = {3.0f, -1.0f};

#define BY_HAND                                                                                                        \
    "embedding_dim", "1", "layers", "1", "base_exponent.left", "-1", "base_exponent", "0", "batch_size", "2", "decay", \
        "0.2", "learning_rate", "0.1", "beta1", "0.5", "beta2", "0.75", "epsilon", "0.5"

static const char *const devices[] = {"reference", "cpu", "cuda"};
enum { DEVICES = sizeof devices / sizeof devices[0] };

static cfd_model *make_base(const char *device, const char *const *settings)
{
    static const int32_t users[] = {0, 1, 1};
    static const int32_t items[] = {0, 0, 1};
    cfd_context *context = open_context(device, 1, 1);
    cfd_dataset *data;
    OK(cfd_dataset_create(context, 2, 2, &data));
    OK(cfd_dataset_add_interactions(data, CFD_SPLIT_TRAIN, users, items, 3));
    cfd_model *model = model_of(context, config_of(NULL, settings), data);
    OK(cfd_model_set_parameter(model, "user.id", ids_of_users, 2));
    OK(cfd_model_set_parameter(model, "item.id", ids_of_items, 2));
    return model;
}

static cfd_batch one_triple(const int32_t *user, const int32_t *positive, const int32_t *negative)
{
    cfd_batch batch = CFD_BATCH_INIT;
    batch.users = user;
    batch.positives = positive;
    batch.negatives = negative;
    batch.size = 1;
    return batch;
}

START_TEST(base_scores_are_products_of_averages)
{
    if (!device_is_tested(devices[_i])) {
        return;
    }
    static const char *const settings[] = {BY_HAND, NULL};
    cfd_model *model = make_base(devices[_i], settings);
    float *scores = all_scores(model);
    ck_assert_float_eq_tol(scores[0], 4.0f, 1e-6f);
    ck_assert_float_eq_tol(scores[1], 1.0f, 1e-6f);
    ck_assert_float_eq_tol(scores[2], 8.0f / 3.0f, 1e-6f);
    ck_assert_float_eq_tol(scores[3], 2.0f / 3.0f, 1e-6f);
    free(scores);
    cfd_model_destroy(model);
}
END_TEST

/* A second layer averages the first: user 0: (2 + 2) / 2 = 2; item 1: (1/2 + 4/3) / 2 = 11/12. Only the last layer
 * counts. */
START_TEST(only_the_last_layer_counts)
{
    if (!device_is_tested(devices[_i])) {
        return;
    }
    static const char *const settings[] = {BY_HAND, "layers", "2", NULL};
    cfd_model *model = make_base(devices[_i], settings);
    float *scores = all_scores(model);
    ck_assert_float_eq_tol(scores[1], 2.0f * 11.0f / 12.0f, 1e-6f);
    free(scores);
    cfd_model_destroy(model);
}
END_TEST

/* Exponents (-1, 0.5) weigh a neighbour by the root of its degree: user 0: (1 sqrt 2 + 3 sqrt 3) / 2. The other way
 * round, (0.5, -1): sqrt 2 (1 / 2 + 3 / 3). */
START_TEST(exponents_belong_to_row_and_column)
{
    if (!device_is_tested(devices[_i])) {
        return;
    }
    static const char *const right[] = {BY_HAND, "base_exponent", "0.5", NULL};
    static const char *const left[] = {BY_HAND, "base_exponent.left", "0.5", "base_exponent", "-1", NULL};
    cfd_model *model = make_base(devices[_i], right);
    float *base = embedding_of(model, "base", 4);
    ck_assert_float_eq_tol(base[0], (sqrtf(2.0f) + 3.0f * sqrtf(3.0f)) / 2.0f, 1e-6f);
    free(base);
    cfd_model_destroy(model);
    model = make_base(devices[_i], left);
    base = embedding_of(model, "base", 4);
    ck_assert_float_eq_tol(base[0], sqrtf(2.0f) * 1.5f, 1e-6f);
    free(base);
    cfd_model_destroy(model);
}
END_TEST

/* The triple (user 0, item 0, item 1): the margin is 4 - 1 = 3, the loss ln(1 + e^-3) = 0.048587351573742. The
 * penalty is 0.2 / 2 * 1/2 * (1 + 9 + 1) = 0.55: divided by batch_size, 2, not by the one triple. */
START_TEST(ranking_loss_and_penalty_of_one_triple)
{
    if (!device_is_tested(devices[_i])) {
        return;
    }
    static const char *const settings[] = {BY_HAND, NULL};
    static const int32_t user = 0;
    static const int32_t positive = 0;
    static const int32_t negative = 1;
    cfd_model *model = make_base(devices[_i], settings);
    cfd_batch batch = one_triple(&user, &positive, &negative);
    cfd_losses losses = CFD_LOSSES_INIT;
    OK(cfd_compute_gradients(model, &batch, &losses));
    ck_assert_double_eq_tol(losses.ranking_base, 0.048587351573742, 1e-7);
    ck_assert_double_eq_tol(losses.penalty_base, 0.55, 1e-7);
    ck_assert(losses.ranking == losses.ranking_base);
    ck_assert(losses.penalty == losses.penalty_base);
    ck_assert_double_eq_tol(losses.total, 0.598587351573742, 1e-7);
    ck_assert(losses.common == 0.0 && losses.differential == 0.0);
    cfd_model_destroy(model);
}
END_TEST

/* With g = 1 / (1 + e^3) the rows' gradients are: user 0: -g (2 - 1/2) = -1.5 g; item 0: -2 g; item 1: 2 g. Back
 * through the averages, each node takes its share of those in whose mean it stood:
 *   user 0: -1.5 g / 2 - 2 g / 3 = -17/12 g      user 1: -2 g / 3 + 2 g / 2 = g / 3
 *   item 0: -1.5 g / 2 - 2 g / 3 = -17/12 g      item 1: 2 g / 2 = g
 * and the penalty adds 0.2 / 2 times the number itself, but not to user 1, who is not in the batch. */
static void gradients_by_hand(double out[4])
{
    double g = 1.0 / (1.0 + exp(3.0));
    out[0] = -17.0 / 12.0 * g + 0.1 * 1.0;
    out[1] = g / 3.0;
    out[2] = -17.0 / 12.0 * g + 0.1 * 3.0;
    out[3] = g + 0.1 * -1.0;
}

/* Step 1 of Adam: m = g / 2, v = g^2 / 4, so p -= 0.1 * sqrt(1 - 3/4) / (1 - 1/2) * (g / 2) / (|g| / 2 + 1/2)
 * = 0.1 g / (|g| + 1). Step 2 continues the moments: m = m / 2 + g / 2, v = 3/4 v + g^2 / 4, and the factor is
 * sqrt(1 - 9/16) / (1 - 1/4). */
START_TEST(two_steps_of_adam)
{
    if (!device_is_tested(devices[_i])) {
        return;
    }
    static const char *const settings[] = {BY_HAND, NULL};
    static const int32_t user = 0;
    static const int32_t positive = 0;
    static const int32_t negative = 1;
    cfd_model *model = make_base(devices[_i], settings);
    cfd_batch batch = one_triple(&user, &positive, &negative);
    double g[4];
    gradients_by_hand(g);
    OK(cfd_train_step(model, &batch, NULL));
    float gradients[4];
    OK(cfd_model_get_gradient(model, "user.id", gradients, 2));
    OK(cfd_model_get_gradient(model, "item.id", gradients + 2, 2));
    double expected[4] = {ids_of_users[0], ids_of_users[1], ids_of_items[0], ids_of_items[1]};
    float now[4];
    OK(cfd_model_get_parameter(model, "user.id", now, 2));
    OK(cfd_model_get_parameter(model, "item.id", now + 2, 2));
    for (int i = 0; i < 4; i++) {
        ck_assert_double_eq_tol((double)gradients[i], g[i], 1e-7);
        expected[i] -= 0.1 * g[i] / (fabs(g[i]) + 1.0);
        ck_assert_double_eq_tol((double)now[i], expected[i], 5e-7);
    }

    OK(cfd_train_step(model, &batch, NULL));
    OK(cfd_model_get_gradient(model, "user.id", gradients, 2));
    OK(cfd_model_get_gradient(model, "item.id", gradients + 2, 2));
    OK(cfd_model_get_parameter(model, "user.id", now, 2));
    OK(cfd_model_get_parameter(model, "item.id", now + 2, 2));
    for (int i = 0; i < 4; i++) {
        double m = g[i] / 4.0 + (double)gradients[i] / 2.0;
        double v = 0.75 * g[i] * g[i] / 4.0 + (double)gradients[i] * (double)gradients[i] / 4.0;
        expected[i] -= 0.1 * sqrt(7.0 / 16.0) / 0.75 * m / (sqrt(v) + 0.5);
        ck_assert_double_eq_tol((double)now[i], expected[i], 1e-6);
    }
    cfd_model_info info = CFD_MODEL_INFO_INIT;
    OK(cfd_model_get_info(model, &info));
    ck_assert_int_eq(info.steps_done, 2);
    cfd_model_destroy(model);
}
END_TEST

/* ---- distillation: one user, two items, two modalities ----
 *
 * The interaction (0, 0). The features are the unit matrix, so that the rows of a projection are the items' rows,
 * and there is no whitening. A head's hop takes means: the user's and item 0's row are the mean of the two, item 1
 * keeps its own.
 *
 *                    user      item 0     mean       item 1
 *   common a        (2, 0)    (4, 0)     (3, 0)     (1, 0)
 *   common b        (0, 2)    (6, 6)     (3, 4)     (0, 1)      cosine of the means: 9 / 15 = 3/5
 *   differential a  (1, 0)    (5, 0)     (3, 0)     (0, 2)
 *   differential b  (-2, 0)   (-6, 6)    (-4, 3)    (1, 1)      cosine: -12 / 15 = -4/5
 */
#define HEADS_BY_HAND                                                                                                       \
    "embedding_dim", "2", "common_exponent.left", "-1", "common_exponent", "0", "differential_exponent.left", "-1",         \
        "differential_exponent", "0", "fused_exponent.left", "-1", "fused_exponent", "0", "whitening", "no", "branch.base", \
        "no", "batch_size", "1", "decay", "1", "rho.a", "1", "rho.b", "2", "mu.a", "3", "mu.b", "5", "lambda.a", "7",       \
        "lambda.b", "0.5", "lambda.fused", "2", "mu.fused", "0.25", "rho.fused", "0", "eta.common", "10",                   \
        "eta.differential", "100"

static cfd_model *make_heads(const char *device, const char *const *settings)
{
    static const int32_t zero = 0;
    static const float unit[4] = {1, 0, 0, 1};
    static const struct {
        const char *name;
        float values[4];
    } parameters[] = {
        {"user.common.a", {2, 0}},
        {"user.common.b", {0, 2}},
        {"user.differential.a", {1, 0}},
        {"user.differential.b", {-2, 0}},
        {"proj.common.a", {4, 0, 1, 0}},
        {"proj.common.b", {6, 6, 0, 1}},
        {"proj.differential.a", {5, 0, 0, 2}},
        {"proj.differential.b", {-6, 6, 1, 1}},
    };
    cfd_context *context = open_context(device, 1, 1);
    cfd_dataset *data;
    OK(cfd_dataset_create(context, 1, 2, &data));
    OK(cfd_dataset_add_interactions(data, CFD_SPLIT_TRAIN, &zero, &zero, 1));
    OK(cfd_dataset_add_dense_modality(data, "a", unit, CFD_FLOAT32, 2, 2));
    OK(cfd_dataset_add_dense_modality(data, "b", unit, CFD_FLOAT32, 2, 2));
    cfd_model *model = model_of(context, config_of(NULL, settings), data);
    for (size_t i = 0; i < sizeof parameters / sizeof parameters[0]; i++) {
        size_t n = parameters[i].name[0] == 'u' ? 2 : 4;
        OK(cfd_model_set_parameter(model, parameters[i].name, parameters[i].values, n));
    }
    return model;
}

/* User and positive item have the same means: each side adds 1 - 3/5 (released: 3/5), and sqrt(16/25 + 1e-8). */
START_TEST(distillation_of_one_pair)
{
    if (!device_is_tested(devices[_i])) {
        return;
    }
    static const char *const settings[][64] = {{HEADS_BY_HAND, NULL},
                                               {HEADS_BY_HAND, "common_distillation", "released", NULL}};
    static const int32_t user = 0;
    static const int32_t positive = 0;
    static const int32_t negative = 1;
    for (int released = 0; released < 2; released++) {
        cfd_model *model = make_heads(devices[_i], settings[released]);
        cfd_batch batch = one_triple(&user, &positive, &negative);
        cfd_losses losses = CFD_LOSSES_INIT;
        OK(cfd_compute_gradients(model, &batch, &losses));
        ck_assert_double_eq_tol(losses.common, released ? 1.2 : 0.8, 1e-6);
        ck_assert_double_eq_tol(losses.differential, 2.0 * sqrt(0.64 + 1e-8), 1e-6);
        double weighted = 10.0 * losses.common + 100.0 * losses.differential;
        ck_assert_double_eq_tol(losses.total, losses.ranking + losses.penalty + weighted, 1e-9);
        cfd_model_destroy(model);
    }
}
END_TEST

/* The user's V_a is (3, 0 | 3, 0), V_b is (3, 4 | -4, 3). With item 0: 18 and 50. With item 1: 3 + 0, and 4 + (-4 +
 * 3) = 3. The fused hop takes the mean of two equal rows: S of user and item 0 are P, and S.S is V_a.V_a + V_b.V_b.
 * Margins: a 15, b 47, fused (18 + 50) - (3 + 3) = 62. Penalties before propagation, 1/2 |.|^2 of user, item 0,
 * item 1:
 *   a: (4 + 16 + 1) / 2 + (1 + 25 + 4) / 2 = 25.5;  b, weighted 2: (4 + 72 + 1) + (4 + 72 + 2) = 155. */
START_TEST(modality_and_fused_branch_by_hand)
{
    if (!device_is_tested(devices[_i])) {
        return;
    }
    static const char *const settings[] = {HEADS_BY_HAND, NULL};
    static const int32_t user = 0;
    static const int32_t positive = 0;
    static const int32_t negative = 1;
    cfd_model *model = make_heads(devices[_i], settings);
    float *scores = all_scores(model);
    ck_assert_float_eq_tol(scores[0], 7.0f * 18.0f + 0.5f * 50.0f + 2.0f * 68.0f, 1e-4f);
    ck_assert_float_eq_tol(scores[1], 7.0f * 3.0f + 0.5f * 3.0f + 2.0f * 6.0f, 1e-4f);
    free(scores);
    cfd_batch batch = one_triple(&user, &positive, &negative);
    cfd_losses losses = CFD_LOSSES_INIT;
    OK(cfd_compute_gradients(model, &batch, &losses));
    ck_assert_double_eq_tol(losses.ranking_modality[0], 3.0 * log1p(exp(-15.0)), 1e-10);
    ck_assert_double_eq_tol(losses.ranking_modality[1], 5.0 * log1p(exp(-47.0)), 1e-15);
    ck_assert_double_eq_tol(losses.ranking_fused, 0.25 * log1p(exp(-62.0)), 1e-15);
    ck_assert_double_eq_tol(losses.penalty_modality[0], 25.5, 1e-5);
    ck_assert_double_eq_tol(losses.penalty_modality[1], 155.0, 1e-4);
    ck_assert(losses.penalty_fused == 0.0 && losses.ranking_base == 0.0 && losses.penalty_base == 0.0);

    /* With item 1 as positive and item 0 as negative the margins turn: softplus(15) = 15 + ln(1 + e^-15). */
    batch = one_triple(&user, &negative, &positive);
    OK(cfd_compute_gradients(model, &batch, &losses));
    ck_assert_double_eq_tol(losses.ranking_modality[0], 3.0 * (15.0 + log1p(exp(-15.0))), 1e-5);
    ck_assert_double_eq_tol(losses.ranking_modality[1], 5.0 * 47.0, 1e-4);
    ck_assert_double_eq_tol(losses.ranking_fused, 0.25 * 62.0, 1e-5);
    cfd_model_destroy(model);
}
END_TEST

/* The fused penalty acts on rows after both hops: those of user and item 0 are P, of which |V_a|^2 + |V_b|^2 = 18 +
 * 50; item 1: (1 + 4) + (1 + 2) = 8. Weighted 3 * 1/2 * 144 = 216. */
START_TEST(fused_penalty_acts_after_propagation)
{
    if (!device_is_tested(devices[_i])) {
        return;
    }
    static const char *const settings[] = {HEADS_BY_HAND, "rho.fused", "3", NULL};
    static const int32_t user = 0;
    static const int32_t positive = 0;
    static const int32_t negative = 1;
    cfd_model *model = make_heads(devices[_i], settings);
    cfd_batch batch = one_triple(&user, &positive, &negative);
    cfd_losses losses = CFD_LOSSES_INIT;
    OK(cfd_compute_gradients(model, &batch, &losses));
    ck_assert_double_eq_tol(losses.penalty_fused, 216.0, 1e-4);
    cfd_model_destroy(model);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("model by hand");
    TCase *base = tcase_create("base branch");
    tcase_add_loop_test(base, base_scores_are_products_of_averages, 0, DEVICES);
    tcase_add_loop_test(base, only_the_last_layer_counts, 0, DEVICES);
    tcase_add_loop_test(base, exponents_belong_to_row_and_column, 0, DEVICES);
    tcase_add_loop_test(base, ranking_loss_and_penalty_of_one_triple, 0, DEVICES);
    tcase_add_loop_test(base, two_steps_of_adam, 0, DEVICES);
    suite_add_tcase(s, base);
    TCase *heads = tcase_create("heads");
    tcase_add_loop_test(heads, distillation_of_one_pair, 0, DEVICES);
    tcase_add_loop_test(heads, modality_and_fused_branch_by_hand, 0, DEVICES);
    tcase_add_loop_test(heads, fused_penalty_acts_after_propagation, 0, DEVICES);
    suite_add_tcase(s, heads);
    return s;
}

TEST_MAIN(suite)
