/* SPDX-License-Identifier: Apache-2.0 */
/* Losses, scores and the gradient of every parameter of tiny models, against a naive dense double-precision
 * computation of SPEC 2 to 5 (model_oracle.h) and against finite differences: every preset and ablation, 0 to 3
 * modalities, dense and sparse, items that lack one or all, equal eigenvalues, graphs of their own, repeated ids in the
 * batch. */
#include "model_oracle.h"

enum { TINY_USERS = 5, TINY_ITEMS = 7, MOST_SETTINGS = 12 };

enum kind_of_features {
    FEATURES_RANDOM,
    FEATURES_EQUAL_EIGENVALUES, /* unit vectors, and projections whose columns are orthogonal and equally long */
    FEATURES_FEW_ITEMS,         /* only two items have features: a covariance of rank 2 */
    FEATURES_SOME_MISSING       /* items 0, 3, 6 lack the first modality, 2, 5 the second, 1, 4 the third, 5 and 6 all */
};

typedef struct gradient_case {
    const char *name, *preset, *ablation;
    int32_t n_modalities;
    bool sparse[ORACLE_ROLES];
    enum kind_of_features features;
    const char *settings[2 * MOST_SETTINGS + 1];
} gradient_case;

#define SMALL "batch_size", "6", "embedding_dim", "3", "decay", "0.1"

static const gradient_case cases[] = {
    {"beauty", "beauty", NULL, 2, {0}, FEATURES_RANDOM, {SMALL}},
    {"art", "art", NULL, 2, {0}, FEATURES_RANDOM, {SMALL}},
    /* clang-format off */
    {"taobao", "taobao", NULL, 2, {0}, FEATURES_RANDOM, {SMALL}},
    {"beauty, released", "beauty", NULL, 2, {0}, FEATURES_RANDOM, {SMALL, "common_distillation", "released"}},
    {"art, sparse", "art", NULL, 2, {true, true}, FEATURES_RANDOM, {SMALL}},
    {"taobao, one sparse", "taobao", NULL, 2, {false, true}, FEATURES_RANDOM, {SMALL, "embedding_dim", "4"}},
    {"no modality", NULL, NULL, 0, {0}, FEATURES_RANDOM, {SMALL}},
    {"one modality of the data set", "beauty", NULL, 1, {0}, FEATURES_RANDOM, {SMALL}},
    {"three modalities", "beauty", NULL, 3, {false, true, false}, FEATURES_RANDOM, {SMALL}},
    {"three modalities, the middle one not whitened", "art", NULL, 3, {true, false, true}, FEATURES_RANDOM,
     {SMALL, "whiten.textual", "no", "common_distillation", "released", "embedding_dim", "4", "whiten_epsilon", "0.01"}},
    {"equal eigenvalues", "beauty", NULL, 2, {0}, FEATURES_EQUAL_EIGENVALUES, {SMALL, "embedding_dim", "4"}},
    {"a covariance without full rank", "art", NULL, 2, {0}, FEATURES_FEW_ITEMS,
     {SMALL, "embedding_dim", "4", "whiten_epsilon", "0.01"}},
    {"graphs of their own", "beauty", NULL, 2, {0}, FEATURES_RANDOM,
     {SMALL, "common_exponent", "-0.2", "common_exponent.left", "-0.7", "differential_exponent", "-0.8",
      "fused_exponent", "-0.6", "fused_exponent.left", "-0.1", "base_exponent.left", "-0.9"}},
    {"one layer", "beauty", NULL, 2, {0}, FEATURES_RANDOM, {SMALL, "layers", "1"}},
    {"five layers", "beauty", NULL, 1, {0}, FEATURES_RANDOM, {SMALL, "layers", "5", "embedding_dim", "1"}},
    {"base only", "beauty", "base only", 2, {0}, FEATURES_RANDOM, {SMALL}},
    {"no common", "beauty", "no common", 2, {0}, FEATURES_RANDOM, {SMALL, "common_exponent", "-0.2"}},
    {"no differential", "taobao", "no differential", 2, {0}, FEATURES_RANDOM, {SMALL}},
    {"no distillation", "art", "no distillation", 2, {0}, FEATURES_RANDOM, {SMALL}},
    {"no whitening", "beauty", "no whitening", 2, {true, false}, FEATURES_RANDOM, {SMALL}},
    {"no fusion", "art", "no fusion", 3, {0}, FEATURES_RANDOM, {SMALL}},
    {"no fusion, graphs of their own", "beauty", "no fusion", 2, {0}, FEATURES_RANDOM, {SMALL, "common_exponent", "-0.2"}},
    {"one modality", "beauty", "one modality", 3, {0}, FEATURES_RANDOM, {SMALL}},
    {"no base", "taobao", NULL, 2, {false, true}, FEATURES_RANDOM, {SMALL, "branch.base", "no"}},
    {"no base, no fusion, no common", "beauty", "no fusion", 2, {0}, FEATURES_RANDOM,
     {SMALL, "branch.base", "no", "branch.common", "no"}},
    {"no penalty", "beauty", NULL, 2, {0}, FEATURES_RANDOM, {"batch_size", "6", "embedding_dim", "3", "decay", "0"}},
    {"weights of zero", "beauty", NULL, 2, {0}, FEATURES_RANDOM,
     {SMALL, "mu.visual", "0", "rho.textual", "0", "mu.fused", "0", "lambda.fused", "0"}},
    {"missing", "art", NULL, 2, {0}, FEATURES_SOME_MISSING, {SMALL, "whiten_epsilon", "0.01"}},
    {"missing, as released, scores renormalised", "beauty", NULL, 3, {false, true, false}, FEATURES_SOME_MISSING,
     {SMALL, "whiten_epsilon", "0.01", "common_distillation", "released", "missing.renormalise", "yes",
      "lambda.acoustic", "0.7"}},
    {"missing, two lambdas of zero, scores renormalised", "taobao", "no fusion", 3, {0}, FEATURES_SOME_MISSING,
     {SMALL, "whiten_epsilon", "0.01", "missing.renormalise", "yes", "lambda.textual", "0", "lambda.acoustic", "0"}},
    /* clang-format on */
};

enum { CASES = sizeof cases / sizeof cases[0] };

/* ---- the world of a case ---- */

/* User 4 has no interaction, item 5 neither, and a pair is repeated. Item 5 has no features either: a row of zeros.
 * Item 6 has no features, but a user. */
static void make_world(const gradient_case *c, tiny_world *world)
{
    static const int32_t users[] = {0, 0, 0, 1, 1, 2, 2, 3, 3, 0};
    static const int32_t items[] = {0, 1, 6, 1, 2, 3, 4, 0, 4, 1};
    static const char *const names[ORACLE_ROLES] = {"visual", "textual", "acoustic"};
    memset(world, 0, sizeof *world);
    world->users = TINY_USERS;
    world->items = TINY_ITEMS;
    world->interactions = sizeof users / sizeof users[0];
    memcpy(world->user_ids, users, sizeof users);
    memcpy(world->item_ids, items, sizeof items);
    world->n_modalities = c->n_modalities;
    uint64_t state = 77;
    for (int32_t k = 0; k < c->n_modalities; k++) {
        tiny_modality *m = &world->modalities[k];
        m->name = names[k];
        m->sparse = c->sparse[k];
        m->columns = c->features == FEATURES_RANDOM || c->features == FEATURES_SOME_MISSING ? 4 + k : 4;
        for (int32_t i = 0; i < 5; i++) {
            for (int32_t j = 0; j < m->columns; j++) {
                float value = coarse(&state);
                bool present = !m->sparse || below(&state, 2) == 0;
                if (c->features == FEATURES_EQUAL_EIGENVALUES) {
                    value = i == j ? 1.0f : 0.0f;
                    present = true;
                } else if (c->features == FEATURES_FEW_ITEMS) {
                    present = i < 2;
                } else if (c->features == FEATURES_SOME_MISSING) {
                    present = (i + k) % 3 != 0 && (present || j == 0);
                }
                m->features[i][j] = present ? value : 0.0f;
            }
        }
    }
}

static cfd_config *make_config(const gradient_case *c)
{
    cfd_config *config = config_of(c->preset, c->settings);
    if (c->ablation) {
        OK(cfd_config_load_ablation(config, c->ablation));
    }
    return config;
}

/* A Hadamard matrix: its columns are orthogonal and equally long, so that whitening meets one eigenvalue four
 * times. For the differential part the last column is longer: one eigenvalue three times, and another. */
static void set_orthogonal_projections(cfd_model *model)
{
    for (size_t t = 0; t < tensor_count(model); t++) {
        cfd_tensor_info info = tensor_at(model, t);
        if (strncmp(info.name, "proj.", 5) != 0) {
            continue;
        }
        ck_assert_int_eq((int)tensor_size(&info), 16);
        float values[16];
        for (int r = 0; r < 4; r++) {
            for (int k = 0; k < 4; k++) {
                int both = r & k;
                float sign = ((both >> 1) + (both & 1)) % 2 == 0 ? 1.0f : -1.0f;
                values[4 * r + k] = sign * (k == 3 && strstr(info.name, "differential") ? 1.0f : 0.5f);
            }
        }
        OK(cfd_model_set_parameter(model, info.name, values, 16));
    }
}

static cfd_model *make_model(const gradient_case *c, const tiny_world *world, const char *device)
{
    cfd_context *context = open_context(device, 2, 5);
    cfd_dataset *data = dataset_of(context, world);
    cfd_model *model = model_of(context, make_config(c), data);
    randomise_parameters(model, 3);
    if (c->features == FEATURES_EQUAL_EIGENVALUES) {
        set_orthogonal_projections(model);
    }
    return model;
}

/* Users and items repeat, one triple is there twice, one has its positive as negative, user 4 and item 5 have no
 * neighbours, positive 6 has neighbours but no features; one triple fewer than batch_size, by which the penalty is
 * divided all the same. */
static cfd_batch make_batch(void)
{
    static const int32_t users[] = {0, 1, 1, 0, 4};
    static const int32_t positives[] = {1, 5, 2, 1, 6};
    static const int32_t negatives[] = {3, 1, 2, 3, 3};
    cfd_batch batch = CFD_BATCH_INIT;
    batch.users = users;
    batch.positives = positives;
    batch.negatives = negatives;
    batch.size = 5;
    return batch;
}

/* ---- comparisons ---- */

static void near(const gradient_case *c, const char *what, double value, double expected, double tolerance)
{
    ck_assert_msg(fabs(value - expected) <= tolerance, "%s: %s is %.9g, not %.9g", c->name, what, value, expected);
}

/* cfd_losses is its size and doubles. */
enum { LOSS_TERMS = (sizeof(cfd_losses) - offsetof(cfd_losses, total)) / sizeof(double) };

static double term_of(const cfd_losses *losses, size_t k)
{
    double term;
    memcpy(&term, (const char *)losses + offsetof(cfd_losses, total) + k * sizeof term, sizeof term);
    return term;
}

static void compare_losses(const gradient_case *c, const cfd_losses *a, const cfd_losses *b, double tolerance)
{
    near(c, "ranking_base", a->ranking_base, b->ranking_base, tolerance);
    near(c, "ranking_fused", a->ranking_fused, b->ranking_fused, tolerance);
    near(c, "penalty_base", a->penalty_base, b->penalty_base, tolerance);
    near(c, "penalty_fused", a->penalty_fused, b->penalty_fused, tolerance);
    for (int r = 0; r < CFD_MAX_MODALITIES; r++) {
        near(c, "ranking_modality", a->ranking_modality[r], b->ranking_modality[r], tolerance);
        near(c, "penalty_modality", a->penalty_modality[r], b->penalty_modality[r], tolerance);
    }
    near(c, "ranking", a->ranking, b->ranking, tolerance);
    near(c, "penalty", a->penalty, b->penalty, tolerance);
    near(c, "common", a->common, b->common, tolerance);
    near(c, "differential", a->differential, b->differential, tolerance);
    near(c, "total", a->total, b->total, tolerance);
    for (size_t k = 0; k < LOSS_TERMS; k++) { /* also those that have no line above */
        near(c, "a term of the loss", term_of(a, k), term_of(b, k), tolerance);
    }
}

/* All gradients, one tensor after the other, as all_parameters gives the parameters. */
static float *all_gradients(cfd_model *model, const cfd_batch *batch, cfd_losses *losses)
{
    OK(cfd_compute_gradients(model, batch, losses));
    size_t n;
    float *values = all_parameters(model, &n);
    size_t at = 0;
    for (size_t i = 0; i < tensor_count(model); i++) {
        cfd_tensor_info info = tensor_at(model, i);
        OK(cfd_model_get_gradient(model, info.name, values + at, tensor_size(&info)));
        at += tensor_size(&info);
    }
    return values;
}

/* Tensor by tensor, relative to the tensor's largest gradient. */
static void compare_gradients(const gradient_case *c, const cfd_model *model, const float *gradients, const double *expected,
                              double relative, double absolute)
{
    size_t at = 0;
    for (size_t i = 0; i < tensor_count(model); i++) {
        cfd_tensor_info info = tensor_at(model, i);
        double largest = 0.0;
        for (size_t k = 0; k < tensor_size(&info); k++) {
            largest = fmax(largest, fabs(expected[at + k]));
        }
        for (size_t k = 0; k < tensor_size(&info); k++, at++) {
            ck_assert_msg(fabs(gradients[at] - expected[at]) <= relative * largest + absolute,
                          "%s: the gradient of %s at row %d, column %d is %.9g, not %.9g (largest %.3g)", c->name, info.name,
                          (int)(k / (size_t)info.columns), (int)(k % (size_t)info.columns), (double)gradients[at],
                          expected[at], largest);
        }
    }
}

/* Central differences of fourth order: f' = (8 (f(h) - f(-h)) - (f(2h) - f(-2h))) / 12 h, up to h^4 f''''' / 30. */
static double stencil(double one_up, double one_down, double two_up, double two_down, double h)
{
    return (8.0 * (one_up - one_down) - (two_up - two_down)) / (12.0 * h);
}

static double oracle_total_at(oracle *o, const cfd_batch *batch, size_t parameter, double value)
{
    double before = o->parameters[parameter];
    o->parameters[parameter] = value;
    double total = oracle_losses(o, batch).total;
    o->parameters[parameter] = before;
    return total;
}

static double *oracle_gradients(oracle *o, const cfd_batch *batch)
{
    const double h = 1e-4; /* h^4 = 1e-16: what is left is rounding, 1e-16 / 1e-4 */
    double *gradients = allocated(o->n_parameters, sizeof *gradients);
    for (size_t i = 0; i < o->n_parameters; i++) {
        double x = o->parameters[i];
        gradients[i] = stencil(oracle_total_at(o, batch, i, x + h), oracle_total_at(o, batch, i, x - h),
                               oracle_total_at(o, batch, i, x + 2 * h), oracle_total_at(o, batch, i, x - 2 * h), h);
    }
    return gradients;
}

/* ---- tests ---- */

/* Every intermediate matrix is rounded to float (6e-8 relative), one to a few dozen times on the way to a gradient.
 * */
static const double loss_tolerance = 4e-6;
static const double gradient_relative = 2e-5;
static const double gradient_absolute = 1e-6;

static void check_against_oracle(const gradient_case *c, const char *device)
{
    tiny_world world;
    make_world(c, &world);
    cfd_model *model = make_model(c, &world, device);
    cfd_config *config = make_config(c);
    oracle *o = allocated(1, sizeof *o);
    oracle_load(o, &world, config, model);
    cfd_config_destroy(config);

    cfd_batch batch = make_batch();
    cfd_losses losses = CFD_LOSSES_INIT;
    cfd_losses expected = oracle_losses(o, &batch);
    float *gradients = all_gradients(model, &batch, &losses);
    expected.common = o->eta_common == 0.0 ? 0.0 : expected.common; /* not computed where it counts for nothing */
    expected.differential = o->eta_differential == 0.0 ? 0.0 : expected.differential;
    compare_losses(c, &losses, &expected, loss_tolerance * (1.0 + expected.total));
    double *differences = oracle_gradients(o, &batch);
    compare_gradients(c, model, gradients, differences, gradient_relative, gradient_absolute);

    float *scores = all_scores(model);
    oracle_forward(o);
    for (int32_t u = 0; u < world.users; u++) {
        for (int32_t i = 0; i < world.items; i++) {
            double score = oracle_score(o, u, i);
            near(c, "a score", scores[u * world.items + i], score, 1e-5 * (1.0 + fabs(score)));
        }
    }
    free(scores);
    free(differences);
    free(gradients);
    free(o);
    cfd_model_destroy(model);
}

START_TEST(reference_agrees_with_dense_doubles_and_their_differences)
{
    check_against_oracle(&cases[_i], "reference");
}
END_TEST

START_TEST(cpu_agrees_with_dense_doubles_and_their_differences)
{
    check_against_oracle(&cases[_i], "cpu");
}
END_TEST

START_TEST(cuda_agrees_with_dense_doubles_and_their_differences)
{
    if (device_is_tested("cuda")) {
        check_against_oracle(&cases[_i], "cuda");
    }
}
END_TEST

/* Whoever adds a term adds a case in which it is not zero, or nothing above would look at it. */
START_TEST(every_term_of_the_loss_is_in_some_case)
{
    bool met[LOSS_TERMS] = {false};
    for (size_t i = 0; i < CASES; i++) {
        tiny_world world;
        make_world(&cases[i], &world);
        cfd_model *model = make_model(&cases[i], &world, "cpu");
        cfd_batch batch = make_batch();
        cfd_losses losses = CFD_LOSSES_INIT;
        OK(cfd_compute_gradients(model, &batch, &losses));
        for (size_t k = 0; k < LOSS_TERMS; k++) {
            met[k] = met[k] || term_of(&losses, k) != 0.0;
        }
        cfd_model_destroy(model);
    }
    for (size_t k = 0; k < LOSS_TERMS; k++) {
        size_t at = offsetof(cfd_losses, total) + k * sizeof(double);
        bool of_no_role = (at >= offsetof(cfd_losses, ranking_modality[ORACLE_ROLES]) &&
                           at < offsetof(cfd_losses, ranking_modality[CFD_MAX_MODALITIES])) ||
                          (at >= offsetof(cfd_losses, penalty_modality[ORACLE_ROLES]) &&
                           at < offsetof(cfd_losses, penalty_modality[CFD_MAX_MODALITIES]));
        ck_assert_msg(met[k] || of_no_role, "the double at byte %zu of cfd_losses is zero in every case", at);
    }
}
END_TEST

static double total_at(cfd_model *model, const cfd_batch *batch, const cfd_tensor_info *info, float *values, size_t k,
                       float value)
{
    float before = values[k];
    values[k] = value;
    OK(cfd_model_set_parameter(model, info->name, values, tensor_size(info)));
    values[k] = before;
    cfd_losses losses = CFD_LOSSES_INIT;
    OK(cfd_compute_gradients(model, batch, &losses));
    return losses.total;
}

/* The reference's own loss, differentiated. h = 2^-6 keeps x +- 2h exact in float. The loss carries the rounding of
 * float matrices, about 3e-7: 1.5 * 3e-7 / h = 3e-5 of the difference, and h^4 / 30 = 2e-9 times the fifth
 * derivative, which whitening makes as large as 1e4 here. (Nearer than 2h to a cosine of 0 the differential term is
 * too bent for this: the worlds above stay away from it.) */
START_TEST(gradients_are_the_differences_of_the_models_own_loss)
{
    const gradient_case *c = &cases[_i];
    const float h = 1.0f / 64.0f;
    tiny_world world;
    make_world(c, &world);
    cfd_model *model = make_model(c, &world, "reference");
    cfd_batch batch = make_batch();
    cfd_losses losses = CFD_LOSSES_INIT;
    float *gradients = all_gradients(model, &batch, &losses);
    size_t n;
    float *values = all_parameters(model, &n);
    double *expected = allocated(n, sizeof *expected);
    size_t at = 0;
    for (size_t t = 0; t < tensor_count(model); t++) {
        cfd_tensor_info info = tensor_at(model, t);
        float *own = values + at;
        for (size_t k = 0; k < tensor_size(&info); k++, at++) {
            float x = own[k];
            double totals[4];
            for (int shift = 0; shift < 4; shift++) {
                static const float shifts[4] = {1, -1, 2, -2};
                totals[shift] = total_at(model, &batch, &info, own, k, x + shifts[shift] * h);
            }
            expected[at] = stencil(totals[0], totals[1], totals[2], totals[3], (double)h);
        }
        OK(cfd_model_set_parameter(model, info.name, own, tensor_size(&info)));
    }
    compare_gradients(c, model, gradients, expected, 1e-3, 1e-4);
    free(expected);
    free(values);
    free(gradients);
    cfd_model_destroy(model);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("gradients");
    TCase *tiny = tcase_create("tiny models");
    tcase_set_timeout(tiny, 60);
    tcase_add_loop_test(tiny, reference_agrees_with_dense_doubles_and_their_differences, 0, CASES);
    tcase_add_loop_test(tiny, cpu_agrees_with_dense_doubles_and_their_differences, 0, CASES);
    tcase_add_loop_test(tiny, cuda_agrees_with_dense_doubles_and_their_differences, 0, CASES);
    tcase_add_test(tiny, every_term_of_the_loss_is_in_some_case);
    tcase_add_loop_test(tiny, gradients_are_the_differences_of_the_models_own_loss, 0, CASES);
    suite_add_tcase(s, tiny);
    return s;
}

TEST_MAIN(suite)
