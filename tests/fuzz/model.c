/* SPDX-License-Identifier: Apache-2.0 */
/* Model files: whatever is loaded can be asked everything. Numbers may be nonsense; ids, counts and memory may not. */
#include "fuzz.h"

enum { MOST_LISTED = 5, MOST_ITEMS = 4096 };

static void check_list(const int32_t *items, int32_t count, int32_t n_items)
{
    FUZZ_REQUIRE(count >= 0 && count <= MOST_LISTED);
    for (int32_t k = 0; k < MOST_LISTED; k++) {
        FUZZ_REQUIRE(k < count ? items[k] >= 0 && items[k] < n_items : items[k] == -1);
    }
}

static void ask_lists(const cfd_scorer *scorer, const cfd_scorer_info *info, int32_t user)
{
    int32_t items[MOST_LISTED], count;
    float scores[MOST_LISTED];
    cfd_filter filter = CFD_FILTER_INIT;
    for (int seen = 0; seen < 2; seen++) {
        filter.exclude_seen = seen;
        cfd_status status = cfd_recommend(scorer, &user, 1, MOST_LISTED, &filter, items, scores, &count);
        fuzz_check(status);
        if (status == CFD_OK) {
            check_list(items, count, info->n_items);
        }
    }
    int32_t item = info->n_items - 1;
    for (int part = CFD_PART_BASE; part <= CFD_PART_FUSED; part++) {
        cfd_status status = cfd_similar_items(scorer, &item, 1, (cfd_part)part, NULL, MOST_LISTED, NULL, items, scores,
                                              &count);
        fuzz_check(status);
        if (status == CFD_OK) {
            check_list(items, count, info->n_items);
        }
    }
}

static void ask_nodes(const cfd_scorer *scorer, const cfd_scorer_info *info)
{
    float *row = calloc((size_t)info->width, sizeof *row);
    float *dense = calloc(64, sizeof *dense);
    FUZZ_REQUIRE(row && dense);
    int32_t items[2] = {0, info->n_items - 1}, found[MOST_LISTED], count;
    cfd_status status = cfd_fold_in_user(scorer, items, info->n_items > 1 ? 2 : 1, row);
    fuzz_check(status);
    if (status == CFD_OK) {
        fuzz_check(cfd_recommend_queries(scorer, row, 1, MOST_LISTED, NULL, found, NULL, &count));
    }
    cfd_explanation explanation = CFD_EXPLANATION_INIT;
    float share;
    fuzz_check(cfd_explain(scorer, info->n_users - 1, 0, &explanation, items, 1, 1, found, &share));
    fuzz_check(cfd_explain(scorer, 0, info->n_items - 1, &explanation, NULL, 0, 0, NULL, NULL));
    dense[0] = dense[1] = 1.0f;
    cfd_item_features features = CFD_ITEM_FEATURES_INIT;
    features.role = cfd_scorer_role(scorer, 0);
    features.dense = dense;
    for (int32_t columns = 2; columns <= 8 && features.role; columns++) { /* one of them is the model's, if it is small */
        features.columns = columns;
        features.stride = (size_t)columns;
        cfd_new_items made = CFD_NEW_ITEMS_INIT;
        made.n_items = 1;
        made.features = &features;
        made.n_features = 1;
        cfd_scorer *with = NULL;
        status = cfd_fold_in_items(scorer, &made, row, &with);
        fuzz_check(status);
        cfd_scorer_release(with);
        fuzz_check(cfd_search_items(scorer, &features, 1, features.role, MOST_LISTED, NULL, found, NULL, &count));
    }
    free(dense);
    free(row);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    cfd_scorer *scorer = NULL;
    cfd_status status = cfd_scorer_load(fuzz_context(), fuzz_file(bytes, n), &scorer);
    fuzz_check(status);
    if (status == CFD_OK) {
        cfd_scorer_info info = CFD_SCORER_INFO_INIT;
        cfd_config *config = NULL;
        FUZZ_REQUIRE(cfd_scorer_get_info(scorer, &info) == CFD_OK);
        FUZZ_REQUIRE(info.n_users > 0 && info.n_items > 0 && info.width > 0);
        FUZZ_REQUIRE(cfd_scorer_get_config(scorer, &config) == CFD_OK);
        cfd_config_destroy(config);
        if (info.n_items <= MOST_ITEMS) {
            ask_lists(scorer, &info, 0);
            ask_lists(scorer, &info, info.n_users - 1);
            ask_nodes(scorer, &info);
        }
    }
    cfd_scorer_release(scorer);
    return 0;
}
