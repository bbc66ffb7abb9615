/* SPDX-License-Identifier: Apache-2.0 */
/* Search across modalities: each item that has both is looked for, by its tags of one role, among all items' common parts of
 * the other. */
#include "study.h"

#include <stdio.h>
#include <stdlib.h>

enum { NEAR = 10 };

static int compare_ranks(const void *a, const void *b)
{
    return *(const int32_t *)a - *(const int32_t *)b;
}

/* Ranks, from 1, of each such item; *n of them. */
static int rank_items(const world *w, const cfd_scorer *scorer, int32_t from, int32_t to, int32_t *ranks, int32_t *n)
{
    const tags *t = &w->roles[from];
    int32_t *list = malloc((size_t)w->items * sizeof *list);
    *n = 0;
    for (int32_t i = 0; i < w->items && list; i++) {
        const int32_t *own;
        const int32_t *other;
        size_t length = list_of(&t->of, i, &own);
        if (length == 0 || list_of(&w->roles[to].of, i, &other) == 0) {
            continue;
        }
        const int64_t offsets[] = {0, (int64_t)length};
        cfd_item_features features = CFD_ITEM_FEATURES_INIT;
        features.role = t->role;
        features.row_offsets = offsets;
        features.column_ids = own;
        features.columns = t->columns;
        if (cfd_search_items(scorer, &features, 1, w->roles[to].role, (size_t)w->items, NULL, list, NULL, NULL) != CFD_OK) {
            free(list);
            return failed_in_library();
        }
        int32_t rank = 0;
        while (list[rank] != i) {
            rank++;
        }
        ranks[(*n)++] = rank + 1;
    }
    free(list);
    return list ? EXIT_DONE : out_of_memory();
}

static int report(const world *w, const cfd_scorer *scorer, const char *name, int32_t from, int32_t to)
{
    int32_t n = 0;
    int32_t near = 0;
    int32_t *ranks = malloc((size_t)w->items * sizeof *ranks);
    int code = ranks ? rank_items(w, scorer, from, to, ranks, &n) : out_of_memory();
    if (code == EXIT_DONE && n > 0) {
        qsort(ranks, (size_t)n, sizeof *ranks, compare_ranks);
        while (near < n && ranks[near] <= NEAR) {
            near++;
        }
        printf("| %s | %s to %s | %.4f | %d | %.4f | %d |\n", name, w->roles[from].name, w->roles[to].name, near / (double)n,
               (int)ranks[n / 2], NEAR / (double)w->items, (int)(w->items / 2));
        (void)fflush(stdout);
    }
    free(ranks);
    return code;
}

int study_search(const study *s, const world *w)
{
    static const char *const ways[][2] = {{"align", "common_distillation=align"},
                                          {"released", "common_distillation=released"},
                                          {"without distillation", "ablation=no distillation"}};
    if (w->n_roles < 2) {
        return usage_error("search: two modalities wanted");
    }
    printf("| distillation | direction | Recall@%d | median rank | by chance | by chance |\n| --- | --- | --- | --- | --- | "
           "--- |\n",
           NEAR);
    int code = EXIT_DONE;
    for (int way = 0; way < 3 && code == EXIT_DONE; way++) {
        cfd_scorer *scorer = NULL;
        code = world_train(s, w, NULL, &ways[way][1], 1, &scorer);
        for (int direction = 0; direction < 2 && code == EXIT_DONE; direction++) {
            code = report(w, scorer, ways[way][0], direction, 1 - direction);
        }
        cfd_scorer_release(scorer);
    }
    return code;
}
