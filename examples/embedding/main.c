/* SPDX-License-Identifier: Apache-2.0 */
/* Features in the caller's own memory: an array of products, each with its embedding among its other fields (dense, by
 * stride), and their keywords in CSR form (sparse). Trains, lists what a customer has not got yet, and then takes in a
 * product that was not there. */
#include "shop.h"

#include <cfdtbd.h>

#include <stdio.h>

enum { LISTED = 4 };

typedef struct handles {
    cfd_context *context;
    cfd_config *config;
    cfd_dataset *data;
    cfd_model *model;
    cfd_scorer *scorer, *extended;
} handles;

static cfd_status add_data(handles *h, const shop *s)
{
    const size_t stride = sizeof(product) / sizeof(float); /* floats from one embedding to the next */
    cfd_status status = cfd_dataset_create(h->context, N_CUSTOMERS, N_PRODUCTS, &h->data);
    if (status == CFD_OK) {
        status = cfd_dataset_add_interactions(h->data, CFD_SPLIT_TRAIN, s->buyers, s->bought, N_PURCHASES);
    }
    if (status == CFD_OK) {
        status = cfd_dataset_add_dense_modality(h->data, "picture", s->products[0].embedding, CFD_FLOAT32, EMBEDDING,
                                                stride);
    }
    if (status == CFD_OK) { /* no values: keywords are tags, weighted by the library */
        status = cfd_dataset_add_sparse_modality(h->data, "keywords", N_KEYWORDS, s->keyword_offsets, s->keywords, NULL);
    }
    return status;
}

static cfd_status train(handles *h)
{
    static const char *const settings[][2] = {{"epochs", "15"},
                                              {"select", "none"},
                                              {"embedding_dim", "16"},
                                              {"keep.history", "yes"}};
    cfd_status status = cfd_config_create(&h->config);
    for (size_t i = 0; i < sizeof settings / sizeof settings[0] && status == CFD_OK; i++) {
        status = cfd_config_set(h->config, settings[i][0], settings[i][1]);
    }
    if (status == CFD_OK) {
        status = cfd_model_create(h->context, h->config, h->data, &h->model);
    }
    if (status == CFD_OK) {
        status = cfd_train(h->model, NULL, NULL);
    }
    return status == CFD_OK ? cfd_scorer_create(h->model, &h->scorer) : status;
}

static cfd_status print_list(const cfd_scorer *scorer, int32_t customer)
{
    int32_t items[LISTED], n;
    float scores[LISTED];
    cfd_filter filter = CFD_FILTER_INIT;
    filter.exclude_seen = 1;
    cfd_status status = cfd_recommend(scorer, &customer, 1, LISTED, &filter, items, scores, &n);
    for (int32_t i = 0; status == CFD_OK && i < n; i++) {
        printf("customer %d: product %d, %.3f\n", (int)customer, (int)items[i], scores[i]);
    }
    return status;
}

/* A product that came after training, with a picture, keywords, and no buyer: its id is the next one. */
static cfd_status take_in(handles *h, const product *added, const int32_t *keywords, int64_t n_keywords)
{
    const int64_t offsets[] = {0, n_keywords};
    cfd_item_features features[] = {CFD_ITEM_FEATURES_INIT, CFD_ITEM_FEATURES_INIT};
    features[0].role = "picture";
    features[0].dense = added->embedding;
    features[0].stride = EMBEDDING;
    features[0].columns = EMBEDDING;
    features[0].element = CFD_FLOAT32;
    features[1].role = "keywords";
    features[1].row_offsets = offsets;
    features[1].column_ids = keywords;
    features[1].columns = N_KEYWORDS;
    cfd_new_items items = CFD_NEW_ITEMS_INIT;
    items.n_items = 1;
    items.features = features;
    items.n_features = 2;
    return cfd_fold_in_items(h->scorer, &items, NULL, &h->extended);
}

static cfd_status print_similar(const cfd_scorer *scorer, int32_t item)
{
    int32_t items[LISTED], n;
    float cosines[LISTED];
    cfd_status status = cfd_similar_items(scorer, &item, 1, CFD_PART_COMMON, NULL, LISTED, NULL, items, cosines, &n);
    for (int32_t i = 0; status == CFD_OK && i < n; i++) {
        printf("like product %d: product %d, %.3f\n", (int)item, (int)items[i], cosines[i]);
    }
    return status;
}

int main(void)
{
    static shop s;
    handles h = {0};
    shop_open(&s);
    cfd_status status = cfd_context_create(NULL, &h.context);
    if (status == CFD_OK) {
        status = add_data(&h, &s);
    }
    if (status == CFD_OK) {
        status = train(&h);
    }
    if (status == CFD_OK) {
        status = print_list(h.scorer, 0);
    }
    if (status == CFD_OK) { /* it has the picture and the keywords of product 0 */
        status = take_in(&h, &s.products[0], s.keywords, s.keyword_offsets[1]);
    }
    if (status == CFD_OK) {
        status = print_similar(h.extended, N_PRODUCTS);
    }
    if (status != CFD_OK) {
        fprintf(stderr, "embedding: %s\n", cfd_last_error());
    }
    cfd_scorer_release(h.extended);
    cfd_scorer_release(h.scorer);
    cfd_model_destroy(h.model);
    cfd_dataset_destroy(h.data);
    cfd_config_destroy(h.config);
    cfd_context_destroy(h.context);
    return status != CFD_OK;
}
