/* SPDX-License-Identifier: Apache-2.0 */
/* What the consumers in C do with the library, in the C of 1989: take the shop's data, train, recommend to every customer.
 * Functions return 0, or cfd_last_error() says why not. */
#ifndef JOB_H
#define JOB_H

#include "shop.h"

#include <cfdtbd.h>

typedef struct job {
    cfd_context *context;
    cfd_config *config;
    cfd_dataset *data;
    cfd_model *model;
} job;

static int job_configure(job *j, int threads)
{
    cfd_context_options options = CFD_CONTEXT_OPTIONS_INIT;
    options.device = "cpu";
    options.threads = threads;
    return cfd_context_create(&options, &j->context) || cfd_config_create(&j->config) ||
           cfd_config_set(j->config, "epochs", "2") || cfd_config_set(j->config, "embedding_dim", "16") ||
           cfd_config_set(j->config, "batch_size", "512") || cfd_config_set(j->config, "learning_rate", "0.01") ||
           cfd_config_set(j->config, "select", "none") || cfd_config_set(j->config, "keep.history", "yes");
}

static int job_load(job *j, const shop *s)
{
    return cfd_dataset_create(j->context, SHOP_CUSTOMERS, SHOP_PRODUCTS, &j->data) ||
           cfd_dataset_add_interactions(j->data, CFD_SPLIT_TRAIN, s->customers, s->products, SHOP_PURCHASES) ||
           cfd_dataset_add_dense_modality(j->data, "photo", s->photos, CFD_FLOAT32, SHOP_PIXELS, SHOP_PIXELS) ||
           cfd_dataset_add_sparse_modality(j->data, "tags", SHOP_TAGS, s->tag_offsets, s->tags, NULL);
}

/* Sets *j, which job_close ends, also where this fails. A model is made and trained. threads: 0, one per processor. */
static int job_train(job *j, const shop *s, int threads)
{
    memset(j, 0, sizeof *j);
    return job_configure(j, threads) || job_load(j, s) || cfd_model_create(j->context, j->config, j->data, &j->model) ||
           cfd_train(j->model, NULL, NULL);
}

/* The lists of a scorer: new products for every customer. */
static int job_list(const cfd_scorer *scorer, const shop *s, shop_lists *lists)
{
    cfd_filter filter = CFD_FILTER_INIT;
    filter.exclude_seen = 1;
    return cfd_recommend(scorer, s->everyone, SHOP_CUSTOMERS, SHOP_LISTED, &filter, lists->products, lists->scores, NULL) !=
           CFD_OK;
}

/* The lists of the model as it is now. */
static int job_recommend(job *j, const shop *s, shop_lists *lists)
{
    cfd_scorer *scorer = NULL;
    int failed = cfd_scorer_create(j->model, &scorer) || job_list(scorer, s, lists);
    cfd_scorer_release(scorer);
    return failed;
}

static void job_close(job *j)
{
    cfd_model_destroy(j->model);
    cfd_dataset_destroy(j->data);
    cfd_config_destroy(j->config);
    cfd_context_destroy(j->context);
}

#endif
