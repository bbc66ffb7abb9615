/* SPDX-License-Identifier: Apache-2.0 */
/* New users: a tenth of the users with a test item are taken out before training and folded in from their training items;
 * beside them, the same users trained with. Full ranking, training items left out. */
#include "study.h"

#include <stdio.h>
#include <stdlib.h>

enum { K = 10, SHARE_OF = 10, WIDEST = 16384 };

/* Hits of the users that are not in `kept`: by their ids, or folded in. */
static int count_hits(const world *w, const cfd_scorer *scorer, const bool *kept, bool fold, int32_t *hits)
{
    static float query[WIDEST];
    cfd_scorer_info info = CFD_SCORER_INFO_INIT;
    if (cfd_scorer_get_info(scorer, &info) != CFD_OK || info.width > WIDEST) {
        return failed("a scorer of width %d", (int)info.width);
    }
    *hits = 0;
    for (int32_t u = 0; u < w->users; u++) {
        const int32_t *items;
        size_t n = list_of(&w->train, u, &items);
        if (kept[u]) {
            continue;
        }
        int32_t list[K];
        cfd_status status = fold ? cfd_fold_in_user(scorer, items, n, query) : CFD_OK;
        status = status ? status : list_items(w, scorer, u, fold ? query : NULL, K, list);
        if (status != CFD_OK) {
            return failed_in_library();
        }
        *hits += is_hit(w, u, list, K);
    }
    return EXIT_DONE;
}

int study_users(const study *s, const world *w)
{
    bool *out = draw_share(w->users, 1.0 / SHARE_OF, (uint64_t)s->seed);
    if (!out) {
        return out_of_memory();
    }
    int32_t held = 0;
    for (int32_t u = 0; u < w->users; u++) {
        out[u] = !(out[u] && w->test.offsets[u] < w->test.offsets[u + 1] && w->train.offsets[u] < w->train.offsets[u + 1]);
        held += !out[u];
    }
    const bool *kept = out;
    const choice without = {.users = kept};
    cfd_scorer *scorers[2] = {NULL, NULL};
    int32_t hits[2] = {0, 0};
    int code = world_train(s, w, NULL, NULL, 0, &scorers[0]);
    code = code == EXIT_DONE ? world_train(s, w, &without, NULL, 0, &scorers[1]) : code;
    for (int i = 0; i < 2 && code == EXIT_DONE; i++) {
        code = count_hits(w, scorers[i], kept, i == 1, &hits[i]);
    }
    if (code == EXIT_DONE && held > 0) {
        printf("| %d users | HR@%d |\n| --- | --- |\n| trained with | %.4f |\n| folded in | %.4f |\n| ratio | %.3f |\n",
               (int)held, K, hits[0] / (double)held, hits[1] / (double)held, hits[1] / (double)hits[0]);
    }
    cfd_scorer_release(scorers[0]);
    cfd_scorer_release(scorers[1]);
    free(out);
    return code;
}
