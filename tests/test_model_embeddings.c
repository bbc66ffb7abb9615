/* SPDX-License-Identifier: Apache-2.0 */
/* Embeddings by name, scores and losses of a model agree with each other; modalities that say nothing. */
#include "model_random.h"

/* ---- embeddings, scores, losses: three ways to the same numbers ---- */

typedef struct embeddings {
    float *base, *common[3], *differential[3], *fused;
} embeddings;

static const char *const roles[] = {"visual", "textual", "tags"};

static embeddings all_embeddings(cfd_model *model, bool fused)
{
    embeddings e = {0};
    e.base = embedding_of(model, "base", 70 * 6);
    e.fused = fused ? embedding_of(model, "fused", 70 * 36) : NULL;
    for (int r = 0; r < 3; r++) {
        char name[64];
        snprintf(name, sizeof name, "common.%s", roles[r]);
        e.common[r] = embedding_of(model, name, 70 * 6);
        snprintf(name, sizeof name, "differential.%s", roles[r]);
        e.differential[r] = embedding_of(model, name, 70 * 6);
    }
    return e;
}

static void release_embeddings(embeddings *e)
{
    free(e->base);
    free(e->fused);
    for (int r = 0; r < 3; r++) {
        free(e->common[r]);
        free(e->differential[r]);
    }
}

static double product(const float *rows, int32_t width, int32_t a, int32_t b)
{
    return dot(rows + (size_t)a * (size_t)width, rows + (size_t)b * (size_t)width, width);
}

static double role_product(const embeddings *e, int role, int32_t a, int32_t b)
{
    return product(e->common[role], 6, a, b) + product(e->differential[role], 6, a, b);
}

/* Beauty: lambda 0.9, 1.2 and the default 1 for tags; fused 1. */
START_TEST(scores_are_weighted_products_of_embeddings)
{
    cfd_model *model = small_model();
    for (int step = 0; step < 3; step++) {
        OK(cfd_train_step(model, NULL, NULL));
    }
    float *scores = all_scores(model);
    embeddings e = all_embeddings(model, true);
    for (int32_t u = 0; u < 30; u++) {
        for (int32_t i = 0; i < 40; i++) {
            double expected = product(e.base, 6, u, 30 + i) + 0.9 * role_product(&e, 0, u, 30 + i) +
                              1.2 * role_product(&e, 1, u, 30 + i) + role_product(&e, 2, u, 30 + i) +
                              product(e.fused, 36, u, 30 + i);
            ck_assert_double_eq_tol((double)scores[u * 40 + i], expected, 2e-5 * (1.0 + fabs(expected)));
        }
    }
    release_embeddings(&e);
    free(scores);
    cfd_model_destroy(model);
}
END_TEST

/* "heads" has the parts of every role side by side, "projected" what was propagated to them: the users' own parameters, and
 * of items what was made of their features, zeros where they lack the modality. */
START_TEST(heads_are_the_parts_side_by_side)
{
    static const char *const settings[] = {"embedding_dim", "6", "drop.visual", "0.5", NULL};
    cfd_model *model = random_model(&small_world, "beauty", settings);
    embeddings e = all_embeddings(model, false);
    float *heads = embedding_of(model, "heads", 70 * 36);
    float *projected = embedding_of(model, "projected", 70 * 36);
    float parameter[30 * 6];
    int32_t lacking = 0;
    for (int r = 0; r < 3; r++) {
        char name[64];
        snprintf(name, sizeof name, "user.differential.%s", roles[r]);
        OK(cfd_model_get_parameter(model, name, parameter, 30 * 6));
        for (size_t node = 0; node < 70; node++) {
            const float *row = heads + node * 36 + r * 12;
            ck_assert_mem_eq(row, e.common[r] + node * 6, 6 * sizeof *row);
            ck_assert_mem_eq(row + 6, e.differential[r] + node * 6, 6 * sizeof *row);
            bool zero = true;
            for (size_t c = 0; c < 12; c++) {
                zero = zero && projected[node * 36 + (size_t)r * 12 + c] == 0.0f;
            }
            if (node < 30) {
                ck_assert_mem_eq(projected + node * 36 + r * 12 + 6, parameter + node * 6, 6 * sizeof *row);
            }
            lacking += r == 0 && zero;
        }
    }
    ck_assert_int_ge(lacking, 20); /* half of the 40 items, drawn */
    ck_assert_int_lt(lacking, 40);
    FAILS(CFD_ERROR_ARGUMENT, "70 x 36", cfd_model_get_embedding(model, "heads", heads, 70 * 36 - 1));
    free(projected);
    free(heads);
    release_embeddings(&e);
    cfd_model_destroy(model);
}
END_TEST

START_TEST(an_embedding_that_the_model_does_not_have_is_refused)
{
    static const char *const settings[] = {"embedding_dim", "6", "branch.common", "no", "branch.fused", "no", NULL};
    cfd_model *model = random_model(&small_world, "beauty", settings);
    float rows[70 * 6];
    OK(cfd_model_get_embedding(model, "differential.tags", rows, 70 * 6));
    FAILS(CFD_ERROR_ARGUMENT, "common.tags", cfd_model_get_embedding(model, "common.tags", rows, 70 * 6));
    FAILS(CFD_ERROR_ARGUMENT, "fused", cfd_model_get_embedding(model, "fused", rows, 70 * 6));
    FAILS(CFD_ERROR_ARGUMENT, "differential.tag", cfd_model_get_embedding(model, "differential.tag", rows, 70 * 6));
    FAILS(CFD_ERROR_ARGUMENT, "70 x 6", cfd_model_get_embedding(model, "base", rows, 70 * 6 - 1));
    cfd_model_destroy(model);
}
END_TEST

static double softplus(double x)
{
    return x > 0.0 ? x + log1p(exp(-x)) : log1p(exp(x));
}

/* A step computes the last base layer and the fused branch, or without fusion the heads, at its batch's rows only;
 * an embedding computes all rows. The losses must be the same. (mu is 1 for every role, 2.2 for the fused branch.)
 * */
START_TEST(losses_at_a_batchs_rows_follow_from_the_whole_embeddings)
{
    static const char *const settings[][16] = {{"embedding_dim", "6", "batch_size", "8", NULL},
                                               {"embedding_dim", "6", "batch_size", "8", "branch.fused", "no", NULL},
                                               {"embedding_dim", "6", "batch_size", "8", "branch.fused", "no",
                                                "differential_exponent", "-0.3", "common_distillation", "released", NULL}};
    static const int32_t users[] = {3, 29, 3, 0, 17};
    static const int32_t positives[] = {39, 2, 39, 0, 2};
    static const int32_t negatives[] = {2, 5, 11, 39, 2};
    cfd_batch batch = CFD_BATCH_INIT;
    batch.users = users;
    batch.positives = positives;
    batch.negatives = negatives;
    batch.size = 5;
    cfd_model *model = random_model(&small_world, "beauty", settings[_i]);
    bool released = _i == 2;
    cfd_losses losses = CFD_LOSSES_INIT;
    OK(cfd_compute_gradients(model, &batch, &losses));
    embeddings e = all_embeddings(model, _i == 0);
    double base = 0.0, fused = 0.0, common = 0.0, differential = 0.0;
    double modality[3] = {0};
    for (int k = 0; k < 5; k++) {
        int32_t u = users[k], i = 30 + positives[k], j = 30 + negatives[k];
        base += softplus(product(e.base, 6, u, j) - product(e.base, 6, u, i)) / 5.0;
        fused += e.fused ? 2.2 * softplus(product(e.fused, 36, u, j) - product(e.fused, 36, u, i)) / 5.0 : 0.0;
        for (int r = 0; r < 3; r++) {
            modality[r] += softplus(role_product(&e, r, u, j) - role_product(&e, r, u, i)) / 5.0;
            for (int q = r + 1; q < 3; q++) {
                for (int side = 0; side < 2; side++) {
                    int32_t at = 6 * (side == 0 ? u : i);
                    double c = cosine(e.common[r] + at, e.common[q] + at, 6);
                    common += (released ? c : 1.0 - c) / 5.0 / 3.0;
                    c = cosine(e.differential[r] + at, e.differential[q] + at, 6);
                    differential += sqrt(c * c + 1e-8) / 5.0 / 3.0;
                }
            }
        }
    }
    ck_assert_double_eq_tol(losses.ranking_base, base, 1e-6);
    ck_assert_double_eq_tol(losses.ranking_fused, fused, 1e-6);
    for (int r = 0; r < 3; r++) {
        ck_assert_double_eq_tol(losses.ranking_modality[r], modality[r], 1e-6);
    }
    ck_assert_double_eq_tol(losses.common, common, 1e-6);
    ck_assert_double_eq_tol(losses.differential, differential, 1e-6);
    release_embeddings(&e);
    cfd_model_destroy(model);
}
END_TEST

/* ---- modalities that say nothing ---- */

START_TEST(without_modalities_the_model_is_its_base_branch)
{
    static const random_world bare = {.users = 30, .items = 40, .per_user = 5, .seed = 4};
    static const char *const plain[] = {"embedding_dim", "6", NULL};
    static const char *const none[] = {"embedding_dim", "6", "modalities", "none", NULL};
    cfd_model *models[2] = {random_model(&bare, NULL, plain), random_model(&small_world, NULL, none)};
    float *scores[2];
    for (int k = 0; k < 2; k++) {
        ck_assert_uint_eq(tensor_count(models[k]), 2);
        cfd_losses losses = CFD_LOSSES_INIT;
        OK(cfd_train_step(models[k], NULL, &losses));
        ck_assert(losses.total > 0.0 && losses.total == losses.ranking_base + losses.penalty_base);
        float *base = embedding_of(models[k], "base", 70 * 6);
        scores[k] = all_scores(models[k]);
        ck_assert_double_eq_tol((double)scores[k][3 * 40 + 5], product(base, 6, 3, 35), 1e-6);
        free(base);
    }
    ck_assert_mem_eq(scores[0], scores[1], 30 * 40 * sizeof(float));
    for (int k = 0; k < 2; k++) {
        free(scores[k]);
        cfd_model_destroy(models[k]);
    }
}
END_TEST

START_TEST(a_modality_of_zeros_trains_and_learns_no_projection)
{
    static const char *const settings[] = {"embedding_dim", "6", "batch_size", "16", NULL};
    random_world world = small_world;
    world.sparse_columns = 0;
    world.dense_columns[1] = 0;
    cfd_context *context = open_context("cpu", 2, 9);
    cfd_dataset *data = random_dataset(context, &world);
    float *zeros = allocated(40 * 4, sizeof *zeros);
    OK(cfd_dataset_add_dense_modality(data, "empty", zeros, CFD_FLOAT32, 4, 4));
    free(zeros);
    cfd_model *model = model_of(context, config_of(NULL, settings), data);
    float before[24], after[24], gradient[24];
    OK(cfd_model_get_parameter(model, "proj.common.empty", before, 24));
    cfd_losses losses = CFD_LOSSES_INIT;
    for (int step = 0; step < 5; step++) {
        OK(cfd_train_step(model, NULL, &losses));
    }
    OK(cfd_model_get_gradient(model, "proj.common.empty", gradient, 24));
    OK(cfd_model_get_parameter(model, "proj.common.empty", after, 24));
    ck_assert_mem_eq(before, after, sizeof before);
    for (int i = 0; i < 24; i++) {
        ck_assert_msg(gradient[i] == 0.0f, "gradient %d is %g", i, (double)gradient[i]);
    }
    float *scores = all_scores(model);
    for (int i = 0; i < 30 * 40; i++) {
        ck_assert(isfinite(scores[i]));
    }
    free(scores);
    cfd_model_destroy(model);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("model embeddings");
    TCase *agreement = tcase_create("agreement");
    tcase_add_test(agreement, scores_are_weighted_products_of_embeddings);
    tcase_add_test(agreement, heads_are_the_parts_side_by_side);
    tcase_add_test(agreement, an_embedding_that_the_model_does_not_have_is_refused);
    tcase_add_loop_test(agreement, losses_at_a_batchs_rows_follow_from_the_whole_embeddings, 0, 3);
    suite_add_tcase(s, agreement);
    TCase *silent = tcase_create("modalities that say nothing");
    tcase_add_test(silent, without_modalities_the_model_is_its_base_branch);
    tcase_add_test(silent, a_modality_of_zeros_trains_and_learns_no_projection);
    suite_add_tcase(s, silent);
    return s;
}

TEST_MAIN(suite)
