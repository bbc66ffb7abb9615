/* SPDX-License-Identifier: Apache-2.0 */
/* A map of item embeddings: the common and differential parts of every modality in one plane. */
#include "look.h"

#include <math.h>
#include <stdlib.h>

enum { SEED = 1 };

/* Items that have every modality, so that each has a point in every set. */
static int choose_items(look *l)
{
    look_map *map = &l->map;
    map->items = calloc((size_t)l->n_items, sizeof *map->items);
    if (!map->items) {
        return out_of_memory();
    }
    for (int32_t item = 0; item < l->n_items; item++) {
        bool all = true;
        for (size_t r = 0; r < l->n_roles; r++) {
            all = all && l->present[r][item];
        }
        if (all) {
            map->items[map->n++] = item;
        }
    }
    map->n = look_sample(map->items, map->n, LOOK_MAP_ITEMS, SEED);
    return EXIT_DONE;
}

/* A row of length 1: training compares directions. */
static void copy_direction(const float *from, double *to, size_t d)
{
    double sum = 0.0;
    for (size_t c = 0; c < d; c++) {
        sum += (double)from[c] * from[c];
    }
    double norm = sqrt(sum);
    for (size_t c = 0; c < d; c++) {
        to[c] = norm > 0.0 ? from[c] / norm : 0.0;
    }
}

/* The sets one after another: common and differential of the first modality, of the second, ... */
static void copy_sets(const look *l, double *rows)
{
    for (size_t r = 0; r < l->n_roles; r++) {
        for (int kind = 0; kind < 2; kind++) {
            for (size_t i = 0; i < l->map.n && look_row(l, 0, r, kind); i++) {
                copy_direction(look_row(l, l->n_users + l->map.items[i], r, kind), rows, (size_t)l->d);
                rows += l->d;
            }
        }
    }
}

int look_find_map(look *l)
{
    look_map *map = &l->map;
    int code = look_read_heads(l);
    if (code == EXIT_DONE) {
        code = choose_items(l);
    }
    map->n_sets = l->n_roles * l->kinds;
    if (code != EXIT_DONE || map->n < 2 || map->n_sets == 0 || l->d < 1) {
        map->n_sets = 0;
        return code;
    }
    size_t n = map->n_sets * map->n;
    double *rows = malloc(n * (size_t)l->d * sizeof *rows);
    map->x = malloc(n * sizeof *map->x);
    map->y = malloc(n * sizeof *map->y);
    if (rows && map->x && map->y) {
        copy_sets(l, rows);
    }
    bool fine = rows && map->x && map->y && look_pca(rows, n, (size_t)l->d, map->x, map->y, map->explained);
    free(rows);
    return fine ? EXIT_DONE : out_of_memory();
}
