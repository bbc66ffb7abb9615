/* SPDX-License-Identifier: Apache-2.0 */
/* A model as its caller uses it: parameters and embeddings by name, scores, batches, samplers, errors, want of memory. */
#include "model_random.h"

#include <stdatomic.h>

static const random_world small = {.users = 30, .items = 40, .per_user = 5, .dense_columns = {7, 5}, .sparse_columns = 9, .seed = 4};

static cfd_model *make_model(const random_world *world, const char *preset, const char *const *settings)
{
    cfd_context *context = open_context("cpu", 2, 9);
    cfd_dataset *data = random_dataset(context, world);
    return model_of(context, config_of(preset, settings), data);
}

static cfd_model *make_small(void)
{
    static const char *const settings[] = {"embedding_dim", "6", "batch_size", "16", NULL};
    return make_model(&small, "beauty", settings);
}

/* ---- what it is ---- */

START_TEST(a_model_says_what_it_is_made_of)
{
    cfd_model *model = make_small();
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

/* The bound is sqrt(6 / (rows + columns)); of 120 and more uniform numbers one comes within a tenth of it, and the mean stays
 * within five of its standard deviations, bound / sqrt(3 n). */
START_TEST(parameters_start_uniform_within_xaviers_bound)
{
    cfd_model *model = make_small();
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
    cfd_model *model = make_small();
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
    cfd_model *model = make_small();
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
    cfd_model *model = make_small();
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
    cfd_model *model = make_small();
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

START_TEST(an_embedding_that_the_model_does_not_have_is_refused)
{
    static const char *const settings[] = {"embedding_dim", "6", "branch.common", "no", "branch.fused", "no", NULL};
    cfd_model *model = make_model(&small, "beauty", settings);
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

/* A step computes the last base layer and the fused branch, or without fusion the heads, at its batch's rows only; an
 * embedding computes all rows. The losses must be the same. (mu is 1 for every role, 2.2 for the fused branch.) */
START_TEST(losses_at_a_batchs_rows_follow_from_the_whole_embeddings)
{
    static const char *const settings[][16] = {
        {"embedding_dim", "6", "batch_size", "8", NULL},
        {"embedding_dim", "6", "batch_size", "8", "branch.fused", "no", NULL},
        {"embedding_dim", "6", "batch_size", "8", "branch.fused", "no", "differential_exponent", "-0.3", "common_distillation",
         "released", NULL}};
    static const int32_t users[] = {3, 29, 3, 0, 17};
    static const int32_t positives[] = {39, 2, 39, 0, 2};
    static const int32_t negatives[] = {2, 5, 11, 39, 2};
    cfd_batch batch = CFD_BATCH_INIT;
    batch.users = users;
    batch.positives = positives;
    batch.negatives = negatives;
    batch.size = 5;
    cfd_model *model = make_model(&small, "beauty", settings[_i]);
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
    cfd_model *models[2] = {make_model(&bare, NULL, plain), make_model(&small, NULL, none)};
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
    random_world world = small;
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

/* ---- batches ---- */

START_TEST(a_batch_that_cannot_be_is_refused_and_changes_nothing)
{
    cfd_model *model = make_small();
    int32_t ids[17] = {0};
    cfd_batch batch = CFD_BATCH_INIT;
    batch.users = batch.positives = batch.negatives = ids;
    size_t n;
    float *before = all_parameters(model, &n);
    batch.size = 17;
    FAILS(CFD_ERROR_ARGUMENT, "batch->size is 17: 1 to 16", cfd_train_step(model, &batch, NULL));
    batch.size = 0;
    FAILS(CFD_ERROR_ARGUMENT, "batch->size is 0", cfd_train_step(model, &batch, NULL));
    batch.size = 16;
    int32_t wrong[16] = {0};
    wrong[5] = 40;
    batch.positives = wrong;
    FAILS(CFD_ERROR_ARGUMENT, "batch->positives[5] is 40: 0 to 39", cfd_train_step(model, &batch, NULL));
    wrong[5] = -1;
    FAILS(CFD_ERROR_ARGUMENT, "batch->positives[5] is -1", cfd_compute_gradients(model, &batch, NULL));
    batch.positives = ids;
    batch.users = wrong;
    wrong[5] = 30;
    FAILS(CFD_ERROR_ARGUMENT, "batch->users[5] is 30: 0 to 29", cfd_train_step(model, &batch, NULL));
    batch.users = ids;
    batch.negatives = NULL;
    FAILS(CFD_ERROR_ARGUMENT, "batch->negatives is NULL", cfd_train_step(model, &batch, NULL));
    FAILS(CFD_ERROR_ARGUMENT, "model", cfd_train_step(NULL, NULL, NULL));
    float *after = all_parameters(model, &n);
    ck_assert_mem_eq(before, after, n * sizeof *before);
    cfd_model_info info = CFD_MODEL_INFO_INIT;
    OK(cfd_model_get_info(model, &info));
    ck_assert_int_eq(info.steps_done, 0);
    free(after);
    free(before);
    cfd_model_destroy(model);
}
END_TEST

/* Numbers of 1e30 multiply to infinity in float. */
START_TEST(a_loss_that_is_not_finite_is_reported_and_changes_nothing)
{
    cfd_model *model = make_small();
    float *huge = allocated(40 * 6, sizeof *huge);
    for (int i = 0; i < 40 * 6; i++) {
        huge[i] = 1e30f;
    }
    OK(cfd_model_set_parameter(model, "item.id", huge, 40 * 6));
    OK(cfd_model_set_parameter(model, "user.id", huge, 30 * 6));
    size_t n;
    float *before = all_parameters(model, &n);
    cfd_losses losses = CFD_LOSSES_INIT;
    losses.total = 123.0;
    FAILS(CFD_ERROR_NUMERIC, "not finite", cfd_train_step(model, NULL, &losses));
    ck_assert(losses.total == 123.0);
    float *after = all_parameters(model, &n);
    ck_assert_mem_eq(before, after, n * sizeof *before);
    free(after);
    free(before);
    free(huge);
    cfd_model_destroy(model);
}
END_TEST

START_TEST(training_lowers_the_loss)
{
    static const char *const settings[] = {"embedding_dim", "8", "batch_size", "30", "learning_rate", "0.01", NULL};
    cfd_model *model = make_model(&small, "beauty", settings);
    double first = 0.0;
    double last = 0.0;
    for (int step = 0; step < 100; step++) {
        cfd_losses losses = CFD_LOSSES_INIT;
        OK(cfd_train_step(model, NULL, &losses));
        first += step < 5 ? losses.ranking / 5.0 : 0.0;
        last += step >= 95 ? losses.ranking / 5.0 : 0.0;
    }
    ck_assert_msg(last < 0.6 * first, "from %g to %g", first, last);
    cfd_model_destroy(model);
}
END_TEST

/* ---- samplers, seen from outside ----
 *
 * One number for each node, batches of one, decay 1, and steps too small to move anything: the base penalty is half the sum
 * of three squares. Users 100, 200, 300, 400 and items 1, 2, 4, 8, 16 make every such sum another. */

enum { DECODE_USERS = 4, DECODE_ITEMS = 5 };
static const float user_numbers[DECODE_USERS] = {100, 200, 300, 400};
static const float item_numbers[DECODE_ITEMS] = {1, 2, 4, 8, 16};

/* User 3 has every item: there is no negative, so it is never drawn. */
static const int has_item[DECODE_USERS][DECODE_ITEMS] = {{1, 0, 0, 0, 0}, {0, 1, 1, 0, 1}, {1, 0, 0, 1, 0}, {1, 1, 1, 1, 1}};

static cfd_model *make_decodable(const char *sampler)
{
    const char *const settings[] = {"embedding_dim", "1", "batch_size", "1", "decay", "1", "learning_rate", "1e-30",
                                    "sampler", sampler, NULL};
    cfd_context *context = open_context("cpu", 1, 31);
    cfd_dataset *data;
    OK(cfd_dataset_create(context, DECODE_USERS, DECODE_ITEMS, &data));
    for (int32_t u = 0; u < DECODE_USERS; u++) {
        for (int32_t i = 0; i < DECODE_ITEMS; i++) {
            if (has_item[u][i]) {
                OK(cfd_dataset_add_interactions(data, CFD_SPLIT_TRAIN, &u, &i, 1));
            }
        }
    }
    cfd_model *model = model_of(context, config_of(NULL, settings), data);
    OK(cfd_model_set_parameter(model, "user.id", user_numbers, DECODE_USERS));
    OK(cfd_model_set_parameter(model, "item.id", item_numbers, DECODE_ITEMS));
    return model;
}

/* Makes a step and finds which legal triple it was; the positive's pair as 5 * user + item. */
static int decode_step(cfd_model *model, int *negative)
{
    cfd_losses losses = CFD_LOSSES_INIT;
    OK(cfd_train_step(model, NULL, &losses));
    for (int u = 0; u < DECODE_USERS; u++) {
        for (int i = 0; i < DECODE_ITEMS; i++) {
            for (int j = 0; j < DECODE_ITEMS; j++) {
                double sum = 0.5 * (double)(user_numbers[u] * user_numbers[u] + item_numbers[i] * item_numbers[i] +
                                            item_numbers[j] * item_numbers[j]);
                if (has_item[u][i] && !has_item[u][j] && fabs(losses.penalty_base - sum) < 0.1) {
                    *negative = j;
                    return DECODE_ITEMS * u + i;
                }
            }
        }
    }
    ck_abort_msg("penalty %g belongs to no triple of a user, an item that it has and one that it has not", losses.penalty_base);
    return -1;
}

START_TEST(sampler_interactions_visits_each_once_an_epoch)
{
    cfd_model *model = make_decodable("interactions");
    cfd_model_info info = CFD_MODEL_INFO_INIT;
    OK(cfd_model_get_info(model, &info));
    ck_assert_int_eq(info.steps_per_epoch, 6); /* those of users 0 to 2 */
    int order[2][6];
    for (int epoch = 0; epoch < 8; epoch++) {
        int seen[DECODE_USERS * DECODE_ITEMS] = {0};
        for (int step = 0; step < 6; step++) {
            int negative;
            int pair = decode_step(model, &negative);
            ck_assert_int_eq(seen[pair]++, 0);
            if (epoch < 2) {
                order[epoch][step] = pair;
            }
        }
    }
    ck_assert_msg(memcmp(order[0], order[1], sizeof order[0]) != 0, "two epochs in the same order");
    cfd_model_destroy(model);
}
END_TEST

/* Expected shares: a user 1/3, its items equally. 3000 draws: the standard deviation of a share is below 0.0087. */
START_TEST(sampler_users_draws_users_equally_then_their_items)
{
    cfd_model *model = make_decodable("users");
    int seen[DECODE_USERS * DECODE_ITEMS] = {0};
    int negatives[DECODE_ITEMS] = {0};
    for (int step = 0; step < 3000; step++) {
        int negative;
        int pair = decode_step(model, &negative);
        seen[pair]++;
        if (pair / DECODE_ITEMS == 0) {
            negatives[negative]++;
        }
    }
    const double shares[DECODE_USERS * DECODE_ITEMS] = {1.0 / 3, 0, 0, 0, 0, 0, 1.0 / 9, 1.0 / 9, 0, 1.0 / 9,
                                                        1.0 / 6, 0, 0, 1.0 / 6, 0, 0, 0, 0, 0, 0};
    for (int k = 0; k < DECODE_USERS * DECODE_ITEMS; k++) {
        ck_assert_msg(fabs(seen[k] / 3000.0 - shares[k]) < 0.044, "pair %d: %d of 3000", k, seen[k]);
    }
    for (int j = 1; j < DECODE_ITEMS; j++) {
        ck_assert_msg(fabs(negatives[j] / 1000.0 - 0.25) < 0.08, "negative %d of user 0: %d of about 1000", j, negatives[j]);
    }
    cfd_model_destroy(model);
}
END_TEST

/* ---- models that cannot be ---- */

START_TEST(a_model_that_cannot_be_made_says_why)
{
    static const char *const nothing[] = {"branch.base", "no", "modalities", "none", NULL};
    static const char *const stranger[] = {"lambda.acoustic", "2", NULL};
    cfd_context *context = open_context("cpu", 1, 1);
    cfd_dataset *empty;
    OK(cfd_dataset_create(context, 3, 3, &empty));
    cfd_model *model = NULL;
    FAILS(CFD_ERROR_DATA, "no training interactions", cfd_model_create(context, NULL, empty, &model));
    cfd_dataset *data = random_dataset(context, &small);
    cfd_config *config = config_of(NULL, nothing);
    FAILS(CFD_ERROR_CONFIG, "nothing to rank by", cfd_model_create(context, config, data, &model));
    cfd_config_destroy(config);
    config = config_of(NULL, stranger);
    FAILS(CFD_ERROR_CONFIG, "acoustic", cfd_model_create(context, config, data, &model));
    cfd_config_destroy(config);
    FAILS(CFD_ERROR_ARGUMENT, "dataset", cfd_model_create(context, NULL, NULL, &model));
    ck_assert_ptr_null(model);
    cfd_dataset_destroy(data);
    cfd_dataset_destroy(empty);
    cfd_context_destroy(context);
}
END_TEST

START_TEST(where_every_user_has_every_item_no_batch_can_be_drawn)
{
    static const int32_t users[] = {0, 0, 1, 1};
    static const int32_t items[] = {0, 1, 0, 1};
    cfd_context *context = open_context("cpu", 1, 1);
    cfd_dataset *data;
    OK(cfd_dataset_create(context, 2, 2, &data));
    OK(cfd_dataset_add_interactions(data, CFD_SPLIT_TRAIN, users, items, 4));
    cfd_model *model = model_of(context, config_of(NULL, NULL), data);
    FAILS(CFD_ERROR_DATA, "every item", cfd_train_step(model, NULL, NULL));
    cfd_batch batch = CFD_BATCH_INIT;
    batch.users = batch.positives = batch.negatives = users;
    batch.size = 1;
    OK(cfd_train_step(model, &batch, NULL));
    cfd_model_destroy(model);
}
END_TEST

/* ---- memory that runs out at the n-th allocation ---- */

typedef struct short_memory {
    atomic_long allocations, live;
    long fail_at;
} short_memory;

static void *short_allocate(void *user, size_t bytes)
{
    short_memory *memory = user;
    if (atomic_fetch_add(&memory->allocations, 1) + 1 == memory->fail_at) {
        return NULL;
    }
    void *block = malloc(bytes);
    atomic_fetch_add(&memory->live, block ? 1 : 0);
    return block;
}

static void short_release(void *user, void *block)
{
    short_memory *memory = user;
    atomic_fetch_sub(&memory->live, 1);
    free(block);
}

/* Context, data set, model, a step, an embedding and a snapshot; whatever was made is destroyed again. */
static cfd_status use_memory(short_memory *memory)
{
    static const char *const settings[] = {"embedding_dim", "3", "batch_size", "4", NULL};
    static const int32_t users[] = {0, 1, 2};
    static const int32_t items[] = {0, 1, 1};
    static const float features[] = {1, 2, 3, 4, 5, 6};
    static const int64_t offsets[] = {0, 1, 2, 2};
    static const int32_t columns[] = {0, 1};
    cfd_context_options options = CFD_CONTEXT_OPTIONS_INIT;
    options.device = "cpu";
    options.threads = 2;
    options.allocate = short_allocate;
    options.release = short_release;
    options.allocator_user = memory;
    cfd_context *context = NULL;
    cfd_dataset *data = NULL;
    cfd_model *model = NULL;
    cfd_scorer *scorer = NULL;
    float rows[18];
    cfd_config *config = config_of("beauty", settings);
    cfd_status status = cfd_context_create(&options, &context);
    status = status != CFD_OK ? status : cfd_dataset_create(context, 3, 3, &data);
    status = status != CFD_OK ? status : cfd_dataset_add_interactions(data, CFD_SPLIT_TRAIN, users, items, 3);
    status = status != CFD_OK ? status : cfd_dataset_add_dense_modality(data, "visual", features, CFD_FLOAT32, 2, 2);
    status = status != CFD_OK ? status : cfd_dataset_add_sparse_modality(data, "textual", 2, offsets, columns, NULL);
    status = status != CFD_OK ? status : cfd_model_create(context, config, data, &model);
    status = status != CFD_OK ? status : cfd_train_step(model, NULL, NULL);
    status = status != CFD_OK ? status : cfd_model_get_embedding(model, "common.visual", rows, 18);
    status = status != CFD_OK ? status : cfd_scorer_create(model, &scorer);
    cfd_scorer_destroy(scorer);
    cfd_model_destroy(model);
    cfd_dataset_destroy(data);
    cfd_context_destroy(context);
    cfd_config_destroy(config);
    return status;
}

START_TEST(every_want_of_memory_is_reported_and_leaves_nothing_behind)
{
    short_memory memory = {.fail_at = 0};
    OK(use_memory(&memory));
    ck_assert_int_eq(atomic_load(&memory.live), 0);
    long all = atomic_load(&memory.allocations);
    ck_assert_int_gt(all, 50);
    for (long at = 1; at <= all; at++) {
        short_memory limited = {.fail_at = at};
        FAILS(CFD_ERROR_MEMORY, "memory", use_memory(&limited));
        ck_assert_msg(atomic_load(&limited.live) == 0, "allocation %ld failed: %ld blocks left behind", at,
                      atomic_load(&limited.live));
    }
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
    TCase *agreement = tcase_create("embeddings, scores, losses");
    tcase_add_test(agreement, scores_are_weighted_products_of_embeddings);
    tcase_add_test(agreement, an_embedding_that_the_model_does_not_have_is_refused);
    tcase_add_loop_test(agreement, losses_at_a_batchs_rows_follow_from_the_whole_embeddings, 0, 3);
    tcase_add_test(agreement, without_modalities_the_model_is_its_base_branch);
    tcase_add_test(agreement, a_modality_of_zeros_trains_and_learns_no_projection);
    suite_add_tcase(s, agreement);
    TCase *steps = tcase_create("batches and steps");
    tcase_add_test(steps, a_batch_that_cannot_be_is_refused_and_changes_nothing);
    tcase_add_test(steps, a_loss_that_is_not_finite_is_reported_and_changes_nothing);
    tcase_add_test(steps, training_lowers_the_loss);
    tcase_add_test(steps, sampler_interactions_visits_each_once_an_epoch);
    tcase_add_test(steps, sampler_users_draws_users_equally_then_their_items);
    suite_add_tcase(s, steps);
    TCase *limits = tcase_create("what cannot be");
    tcase_add_test(limits, a_model_that_cannot_be_made_says_why);
    tcase_add_test(limits, where_every_user_has_every_item_no_batch_can_be_drawn);
    tcase_set_timeout(limits, 60);
    tcase_add_test(limits, every_want_of_memory_is_reported_and_leaves_nothing_behind);
    suite_add_tcase(s, limits);
    return s;
}

TEST_MAIN(suite)
