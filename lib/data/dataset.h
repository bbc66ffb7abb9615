/* SPDX-License-Identifier: Apache-2.0 */
/* A data set in memory: what the directory reader fills, what models and evaluation read. */
#ifndef CFD_DATA_DATASET_H
#define CFD_DATA_DATASET_H

#include "base/log.h"
#include "base/memory.h"
#include "graph/bipartite.h"
#include "ops/ops.h"

#define DATASET_NAME_BYTES 64

/* Content of one modality, one row per item. */
typedef struct modality {
    char name[DATASET_NAME_BYTES];
    ops_feature_source features; /* points into the memory below, or into the mapping */
    void *dense;                 /* owned, NULL if mapped or sparse; of the type that features.element says */
    void *mapping;               /* a mapped .npy file; NULL if none */
    size_t mapping_bytes;
    int64_t *offsets; /* sparse, owned */
    int32_t *indices;
    float *values;
    float *idf;          /* sparse tags, owned: weight of each column before L2; NULL if values were given */
    int32_t empty_items; /* rows that are zero */
} modality;

/* A place of the table from name to id. */
typedef struct name_slot {
    int32_t id;    /* -1: free */
    uint32_t hash; /* half of the name's: tells nearly all other names apart without looking at them */
} name_slot;

/* Names in id order, one after the other, NUL-terminated, with a hash from name to id. */
typedef struct name_list {
    char *bytes;
    size_t *starts; /* n, into bytes */
    name_slot *table;
    size_t slots;
    int32_t n; /* 0: no names */
} name_list;

typedef struct dataset {
    const memory_source *memory;
    log_sink log;
    int32_t users, items;
    bipartite splits[3]; /* by cfd_split; always built, maybe empty */
    int64_t duplicates;
    int64_t leaked_test; /* for dataset_count, kept up to date when interactions are added */
    int32_t leaked_users, cold_test_items;
    modality modalities[CFD_MAX_MODALITIES];
    int32_t n_modalities;
    name_list user_names, item_names;
} dataset;

/* Empty splits, no modality. */
cfd_status dataset_init(dataset *data, const memory_source *memory, log_sink log, int32_t users, int32_t items);
/* Reads a directory (docs/file-formats.md); *data is uninitialised before. On failure nothing is left behind. */
cfd_status dataset_read(dataset *data, const memory_source *memory, log_sink log, const char *directory);
/* Accepts a zeroed struct. */
void dataset_release(dataset *data);

/* Ids must be in range: else CFD_ERROR_ARGUMENT naming position and id. */
cfd_status dataset_add_interactions(dataset *data, cfd_split split, const int32_t *users, const int32_t *items, size_t n);
cfd_status dataset_add_dense(dataset *data, const char *name, const void *features, cfd_element element, int32_t columns,
                             size_t stride);
cfd_status dataset_add_sparse(dataset *data, const char *name, int32_t columns, const int64_t *row_offsets,
                              const int32_t *column_ids, const float *values);

/* One name for each user or item; NULL or "" for none. */
cfd_status dataset_set_user_names(dataset *data, const char *const *names);
cfd_status dataset_set_item_names(dataset *data, const char *const *names);

/* Turns counts of an item's tags, by column and in any order, into the weights that a data set's items have: TF-IDF, then
 * norm 1. */
void dataset_weigh_tags(const float *idf, float *row, int32_t columns);

const char *name_list_at(const name_list *names, int32_t id); /* NULL without names */
int32_t name_list_find(const name_list *names, const char *name);

/* Counts for cfd_dataset_info. */
void dataset_count(const dataset *data, cfd_dataset_info *info);

#endif
