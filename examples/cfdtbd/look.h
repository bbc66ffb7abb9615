/* SPDX-License-Identifier: Apache-2.0 */
/* What a training run looks like from inside, for its report: how alike the modalities' parts are as it goes on, and what
 * the model is made of at the end. docs/command-line.md defines every number. */
#ifndef LOOK_H
#define LOOK_H

#include "json.h"
#include "program.h"

#include <cfdtbd.h>

enum {
    LOOK_K = 10,             /* the cut-off of shares and groups */
    LOOK_SHARE_USERS = 500,  /* at most so many users' lists are taken apart, */
    LOOK_MAP_ITEMS = 1000,   /* so many items drawn on the map, */
    LOOK_RANK_USERS = 20000, /* and so many users' held-out items ranked: drawn with a seed of their own */
    LOOK_GROUPS = 5,
    LOOK_PAIRS = CFD_MAX_MODALITIES * (CFD_MAX_MODALITIES - 1) / 2,
    LOOK_PARTS = 2 + 2 * CFD_MAX_MODALITIES
};

/* Cosines of items between two modalities: the mean, the mean of absolute values, and the bounds of the middle 80 %. */
typedef struct look_cosine {
    double mean, mean_absolute, low, high;
} look_cosine;

typedef struct look_pair {
    size_t first, second;               /* modalities of the model */
    int32_t n_items;                    /* that have both */
    look_cosine *common, *differential; /* one for each moment */
} look_pair;

/* One part of the score, over the lists of a sample of users. */
typedef struct look_share {
    double share, contribution;
} look_share;

typedef struct look_shares {
    size_t n_users, n_scores, n_parts;
    look_share parts[LOOK_PARTS]; /* base; common and differential of each modality; fused */
} look_shares;

typedef struct look_metrics {
    double hr, recall, ndcg; /* hr: of users only */
} look_metrics;

/* Items that so many training interactions have, or users who have them. */
typedef struct look_group {
    int32_t from, to;
    int64_t members, n; /* items or users; held-out interactions, or users */
    look_metrics model, popularity;
} look_group;

typedef struct look_groups {
    bool done;
    bool on_test;
    size_t n_users; /* whose held-out items were ranked */
    look_group items[LOOK_GROUPS + 1], users[LOOK_GROUPS + 1];
    size_t n_items_groups, n_users_groups;
} look_groups;

/* One set of points a part and modality, all of the same items. */
typedef struct look_map {
    int32_t *items; /* n, ascending */
    size_t n, n_sets;
    double *x, *y; /* n_sets times n */
    double explained[2];
} look_map;

typedef struct look {
    int32_t every; /* epochs; 0: no look is taken */
    cfd_model *model;
    const cfd_dataset *dataset;
    cfd_context *context;
    int32_t n_users, n_items, d;
    size_t n_roles, kinds; /* kinds of parts: common, differential */
    bool has_common, has_differential, merged;
    float *heads;                               /* V_m side by side, of every node */
    unsigned char *present[CFD_MAX_MODALITIES]; /* of every item */
    double *room;                               /* one number an item */
    int32_t *epochs;                            /* the moments, 0 before training */
    size_t n_epochs, capacity;
    look_pair pairs[LOOK_PAIRS];
    size_t n_pairs;
    double seconds; /* that looking took */
    look_shares shares;
    look_groups groups;
    look_map map;
} look;

/* Each returns EXIT_DONE, or EXIT_FAILED after its message. A look with every = 0 does nothing. */

/* Before training: what the model is made of, and the first moment. */
int look_begin(look *l, cfd_context *context, const cfd_config *config, const cfd_dataset *dataset, cfd_model *model);
/* At the end of an epoch, the last one always. */
int look_epoch(look *l, int32_t epoch, int32_t n_epochs);
/* At the model that was kept. */
int look_end(look *l);
void look_release(look *l);
/* The section "look" of the report; null where no look was taken. */
void look_json(json *j, const look *l);

/* ---- within look*.c ---- */

/* Copies the heads of the present parameters into l->heads. */
int look_read_heads(look *l);
/* The row of a part: kind 0 is common, 1 differential. NULL where the model does not have it. */
const float *look_row(const look *l, int32_t node, size_t role, int kind);
/* Draws `wanted` of n numbers without repetition, ascending, always the same for the same n; all of them where there are no
 * more. `chosen` has room for n. Returns how many. */
size_t look_sample(int32_t *chosen, size_t n, size_t wanted, uint64_t seed);
/* Ascending int32_t, for qsort and bsearch. */
int look_by_id(const void *a, const void *b);

int look_find_shares(look *l, const cfd_scorer *scorer);
int look_find_groups(look *l, const cfd_scorer *scorer);
int look_find_map(look *l);

/* The first two principal components of n rows of width d, centred on their mean, which is taken from them: the coordinates
 * of each row into x and y, the shares of the variance into explained. Returns false if memory is short. */
bool look_pca(double *rows, size_t n, size_t d, double *x, double *y, double explained[2]);

#endif
