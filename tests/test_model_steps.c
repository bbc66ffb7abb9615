/* SPDX-License-Identifier: Apache-2.0 */
/* Steps of a model: batches of the caller and of both samplers, steps that fail, steps that learn. */
#include "model_random.h"

/* ---- batches ---- */

START_TEST(a_batch_that_cannot_be_is_refused_and_changes_nothing)
{
    cfd_model *model = small_model();
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
    cfd_model *model = small_model();
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
    cfd_model *model = random_model(&small_world, "beauty", settings);
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
 * One number for each node, batches of one, decay 1, and steps too small to move anything: the base penalty is half
 * the sum of three squares. Users 100, 200, 300, 400 and items 1, 2, 4, 8, 16 make every such sum another. */

enum { DECODE_USERS = 4, DECODE_ITEMS = 5 };
static const float user_numbers[DECODE_USERS] = {100, 200, 300, 400};
static const float item_numbers[DECODE_ITEMS] = {1, 2, 4, 8, 16};

/* User 3 has every item: there is no negative, so it is never drawn. */
static const int has_item[DECODE_USERS][DECODE_ITEMS] = {{1, 0, 0, 0, 0}, {0, 1, 1, 0, 1}, {1, 0, 0, 1, 0}, {1, 1, 1, 1, 1}};

static cfd_model *make_decodable(const char *sampler)
{
    const char *const settings[] = {"embedding_dim", "1",     "batch_size", "1",     "decay", "1",
                                    "learning_rate", "1e-30", "sampler",    sampler, NULL};
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
    ck_abort_msg("penalty %g belongs to no triple of a user, an item that it has and one that it has not",
                 losses.penalty_base);
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
    const double shares[DECODE_USERS * DECODE_ITEMS] = {1.0 / 3, 0, 0, 0,       0, 0, 1.0 / 9, 1.0 / 9, 0, 1.0 / 9,
                                                        1.0 / 6, 0, 0, 1.0 / 6, 0, 0, 0,       0,       0, 0};
    for (int k = 0; k < DECODE_USERS * DECODE_ITEMS; k++) {
        ck_assert_msg(fabs(seen[k] / 3000.0 - shares[k]) < 0.044, "pair %d: %d of 3000", k, seen[k]);
    }
    for (int j = 1; j < DECODE_ITEMS; j++) {
        ck_assert_msg(fabs(negatives[j] / 1000.0 - 0.25) < 0.08, "negative %d of user 0: %d of about 1000", j, negatives[j]);
    }
    cfd_model_destroy(model);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("model steps");
    TCase *steps = tcase_create("steps");
    tcase_add_test(steps, a_batch_that_cannot_be_is_refused_and_changes_nothing);
    tcase_add_test(steps, a_loss_that_is_not_finite_is_reported_and_changes_nothing);
    tcase_add_test(steps, training_lowers_the_loss);
    suite_add_tcase(s, steps);
    TCase *drawn = tcase_create("samplers");
    tcase_add_test(drawn, sampler_interactions_visits_each_once_an_epoch);
    tcase_add_test(drawn, sampler_users_draws_users_equally_then_their_items);
    suite_add_tcase(s, drawn);
    return s;
}

TEST_MAIN(suite)
