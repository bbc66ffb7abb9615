/* SPDX-License-Identifier: Apache-2.0 */
/* The least there is: 40 users, 20 items of two kinds, one feature matrix; trains, and lists five items for user 0. */
#include <cfdtbd.h>
#include <stdio.h>

int main(void)
{
    enum { USERS = 40, ITEMS = 20, EACH = 5, K = 5 };
    int32_t users[USERS * EACH], items[USERS * EACH], user = 0, best[K];
    float kinds[ITEMS][2] = {{0}}, scores[K];
    for (int i = 0; i < ITEMS; i++)
        kinds[i][i % 2] = 1; /* even and odd items */
    for (int n = 0; n < USERS * EACH; n++) {
        users[n] = n / EACH; /* even users have even items, odd users odd ones */
        items[n] = (users[n] % 2 + 2 * (users[n] / 2 * 3 + n % EACH)) % ITEMS;
    }
    cfd_context *context = NULL;
    cfd_config *config = NULL;
    cfd_dataset *data = NULL;
    cfd_model *model = NULL;
    cfd_scorer *scorer = NULL;
    cfd_filter filter = CFD_FILTER_INIT;
    filter.exclude_seen = 1;
    int failed = cfd_context_create(NULL, &context) || cfd_config_create(&config) ||
                 cfd_config_set(config, "epochs", "20") || cfd_config_set(config, "select", "none") ||
                 cfd_config_set(config, "keep.history", "yes") || cfd_dataset_create(context, USERS, ITEMS, &data) ||
                 cfd_dataset_add_interactions(data, CFD_SPLIT_TRAIN, users, items, USERS * EACH) ||
                 cfd_dataset_add_dense_modality(data, "kind", kinds, CFD_FLOAT32, 2, 2) ||
                 cfd_model_create(context, config, data, &model) || cfd_train(model, NULL, NULL) ||
                 cfd_scorer_create(model, &scorer) || cfd_recommend(scorer, &user, 1, K, &filter, best, scores, NULL);
    if (failed)
        fprintf(stderr, "minimal: %s\n", cfd_last_error());
    for (int k = 0; !failed && k < K; k++)
        printf("item %d: %.3f\n", (int)best[k], scores[k]);
    cfd_scorer_release(scorer);
    cfd_model_destroy(model);
    cfd_dataset_destroy(data);
    cfd_config_destroy(config);
    cfd_context_destroy(context);
    return failed;
}
