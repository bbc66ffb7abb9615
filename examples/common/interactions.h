/* SPDX-License-Identifier: Apache-2.0 */
/* From a list of (user, item, time) to a data set's three splits: repeated pairs, k-core, split. */
#ifndef EXAMPLES_COMMON_INTERACTIONS_H
#define EXAMPLES_COMMON_INTERACTIONS_H

#include "complaint.h"

#include <stddef.h>
#include <stdint.h>

typedef struct interaction {
    int32_t user, item;
    double time; /* 0 throughout where none is known */
} interaction;

/* Zero-initialise; interactions_release in the end. */
typedef struct interaction_list {
    interaction *rows;
    size_t n, capacity;
} interaction_list;

int interactions_add(interaction_list *list, int32_t user, int32_t item, double time, complaint *problem);
void interactions_release(interaction_list *list);

/* Keeps the earliest of each (user, item); the list is by user, then item, afterwards. Ids are below n_users. */
int interactions_deduplicate(interaction_list *list, int32_t n_users, complaint *problem);

/* Drops users and items with fewer than `core` interactions, again and again until none is left.
 * Expects distinct pairs. Ids are below n_users and n_items. */
int interactions_core(interaction_list *list, int32_t n_users, int32_t n_items, int32_t core, complaint *problem);

/* Ids that are in use, closed up without changing their order. */
typedef struct id_map {
    int32_t *old_ids; /* n: the former id of each new one */
    int32_t n;
} id_map;

/* Renumbers users and items of the list; the maps are the caller's, to give to id_map_release. */
int interactions_renumber(interaction_list *list, int32_t n_users, int32_t n_items, id_map *users, id_map *items,
                          complaint *problem);
void id_map_release(id_map *map);

enum { SPLIT_TRAIN, SPLIT_VALIDATION, SPLIT_TEST, SPLITS };

typedef enum split_method {
    SPLIT_LEAVE_ONE_OUT, /* the latest is test, the one before validation; users with fewer than 3 only train */
    SPLIT_RATIO          /* the latest are test, those before validation, each share rounded down */
} split_method;

typedef struct split_options {
    split_method method;
    double validation_share, test_share; /* SPLIT_RATIO */
    uint64_t seed;                       /* orders what time does not: equal times, or all of them without time */
} split_options;

/* Gives each row its split. splits has list->n entries. Expects the list by user, as interactions_deduplicate
 * leaves it. */
int interactions_split(const interaction_list *list, const split_options *options, unsigned char *splits,
                       complaint *problem);

#endif
