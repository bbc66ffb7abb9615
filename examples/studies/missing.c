/* SPDX-License-Identifier: Apache-2.0 */
/* Missing modalities: a share of the items, drawn for each role by itself, lack its tags in training and after. Full ranking
 * of the test items. */
#include "study.h"

#include <stdio.h>

enum { K = 10 };

static int hits_of(const world *w, const cfd_scorer *scorer, int32_t *users, int32_t *hits)
{
    *users = 0;
    *hits = 0;
    for (int32_t u = 0; u < w->users; u++) {
        int32_t list[K];
        if (w->test.offsets[u] == w->test.offsets[u + 1]) {
            continue;
        }
        if (list_items(w, scorer, u, NULL, K, list) != CFD_OK) {
            return failed_in_library();
        }
        ++*users;
        *hits += is_hit(w, u, list, K);
    }
    return EXIT_DONE;
}

/* `share`, in hundredths, of the items without each role. */
static int run(const study *s, const world *w, int share, const char *also)
{
    char drops[CFD_MAX_MODALITIES][96];
    const char *settings[CFD_MAX_MODALITIES + 1];
    size_t n = 0;
    for (int32_t r = 0; r < w->n_roles; r++) {
        snprintf(drops[r], sizeof drops[r], "drop.%s=0.%02d", w->roles[r].role, share);
        settings[n++] = drops[r];
    }
    settings[n++] = also;
    cfd_scorer *scorer = NULL;
    int32_t users = 0;
    int32_t hits = 0;
    int code = world_train(s, w, NULL, settings, n, &scorer);
    code = code == EXIT_DONE ? hits_of(w, scorer, &users, &hits) : code;
    if (code == EXIT_DONE && users > 0) {
        printf(" %.4f |", hits / (double)users);
        (void)fflush(stdout);
    }
    cfd_scorer_release(scorer);
    return code;
}

int study_missing(const study *s, const world *w)
{
    static const char *const ways[] = {"missing.renormalise=no", "missing.renormalise=yes"};
    printf("| items without a modality | as they are | renormalised |\n| --- | --- | --- |\n");
    int code = EXIT_DONE;
    for (int quarter = 0; quarter < 4 && code == EXIT_DONE; quarter++) {
        printf("| %d %% |", 25 * quarter);
        for (int way = 0; way < 2 && code == EXIT_DONE; way++) {
            code = run(s, w, 25 * quarter, ways[way]);
        }
        printf("\n");
    }
    if (code == EXIT_DONE) {
        printf("| no content at all |");
        code = run(s, w, 0, "ablation=base only");
        printf(" |\n");
    }
    return code;
}
