/* SPDX-License-Identifier: Apache-2.0 */
/* Studies of what serving promises for users and items that training has not met. They take a data set directory apart in
 * memory, train on what is left, and ask about the rest. Public header only. */
#ifndef STUDY_H
#define STUDY_H

#include "../common/messages.h"

#include <cfdtbd.h>

#include <stdbool.h>

/* What the command line asks for. */
typedef struct study {
    const char *directory;
    const char *modalities; /* "ROLE=NAME,..." */
    int32_t epochs, seed, threads;
    const char *const *sets; /* KEY=VALUE, n_sets */
    size_t n_sets;
} study;

/* Lists of ids, those of row r at offsets[r] to offsets[r + 1]. */
typedef struct lists {
    int64_t *offsets;
    int32_t *ids;
} lists;

/* A role and its modality of tags, one list for each item. */
typedef struct tags {
    char role[64], name[64];
    lists of;
    int32_t columns;
} tags;

/* A data set directory in memory. */
typedef struct world {
    int32_t users, items;
    lists train, test; /* by user */
    tags roles[CFD_MAX_MODALITIES];
    int32_t n_roles;
    cfd_context *context;
} world;

/* Each returns EXIT_DONE, or EXIT_FAILED after its message. */
int world_open(const study *s, world *w);
void world_close(world *w); /* accepts a zeroed struct */

/* Which users and items of a world are trained on: NULL, all. Ids of those that are left out close up. */
typedef struct choice {
    const bool *users, *items;
} choice;

/* A model of what was chosen, trained for the study's epochs, as a scorer. `also`: further settings, "KEY=VALUE", n_also of
 * them; "ablation=NAME" is one, too. */
int world_train(const study *s, const world *w, const choice *chosen, const char *const *also, size_t n_also,
                cfd_scorer **scorer);

/* A list's length and its ids. */
static inline size_t list_of(const lists *of, int32_t row, const int32_t **ids)
{
    *ids = of->ids + of->offsets[row];
    return (size_t)(of->offsets[row + 1] - of->offsets[row]);
}

/* A user's best k items, or those of a query row in the user's place (not NULL), without the user's training items. */
cfd_status list_items(const world *w, const cfd_scorer *scorer, int32_t user, const float *query, size_t k, int32_t *items);
/* Is one of a user's test items among k items? */
bool is_hit(const world *w, int32_t user, const int32_t *items, int k);

/* A share of n flags set at random, by seed; the caller's to free, NULL without memory. */
bool *draw_share(int32_t n, double share, uint64_t seed);

int failed_in_library(void);

/* The studies. */
int study_users(const study *s, const world *w);
int study_items(const study *s, const world *w);
int study_missing(const study *s, const world *w);
int study_search(const study *s, const world *w);

#endif
