/* SPDX-License-Identifier: Apache-2.0 */
/* New items: a tenth of the items, with all their interactions, are taken out before training, then added from their tags;
 * once as they are, once with three of the users who have them. Users who have one of them, in train or test, are asked
 * which of the new items they would like best. */
#include "study.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { K = 10, SHARE_OF = 10, FIRST_USERS = 3 };

/* The new items, and who has each of them. */
typedef struct newcomers {
    int32_t *ids; /* n, of the world */
    int32_t n;
    int32_t *number; /* of each item of the world among the new ones, -1: it is not new */
    lists users;     /* of each new item: from train, then from test; ids of the world, which are the model's */
} newcomers;

static void add_users(const world *w, const lists *split, newcomers *c, int64_t *next)
{
    for (int32_t u = 0; u < w->users; u++) {
        const int32_t *items;
        size_t n = list_of(split, u, &items);
        for (size_t k = 0; k < n; k++) {
            if (c->number[items[k]] >= 0) {
                c->users.ids[next[c->number[items[k]]]++] = u;
            }
        }
    }
}

static int find_newcomers(const world *w, const bool *known, newcomers *c)
{
    c->ids = malloc((size_t)w->items * sizeof *c->ids);
    c->number = malloc((size_t)w->items * sizeof *c->number);
    c->users.offsets = calloc((size_t)w->items + 2, sizeof *c->users.offsets);
    int64_t *next = malloc((size_t)w->items * sizeof *next);
    size_t all = (size_t)(w->train.offsets[w->users] + w->test.offsets[w->users]);
    c->users.ids = malloc((all + 1) * sizeof *c->users.ids);
    if (!c->ids || !c->number || !c->users.offsets || !c->users.ids || !next) {
        free(next);
        return out_of_memory();
    }
    for (int32_t i = 0; i < w->items; i++) {
        c->number[i] = known[i] ? -1 : c->n;
        if (!known[i]) {
            c->ids[c->n++] = i;
        }
    }
    const lists *splits[] = {&w->train, &w->test};
    for (int s = 0; s < 2; s++) {
        for (int64_t k = 0; k < splits[s]->offsets[w->users]; k++) {
            int32_t number = c->number[splits[s]->ids[k]];
            c->users.offsets[number + 1] += number >= 0;
        }
    }
    c->users.offsets[0] = 0;
    for (int32_t i = 0; i < c->n; i++) {
        next[i] = c->users.offsets[i];
        c->users.offsets[i + 1] += c->users.offsets[i];
    }
    add_users(w, &w->train, c, next);
    add_users(w, &w->test, c, next);
    free(next);
    return EXIT_DONE;
}

static void release_newcomers(newcomers *c)
{
    free(c->ids);
    free(c->number);
    free(c->users.offsets);
    free(c->users.ids);
}

/* Their tags of one role, in CSR form. */
static int gather_tags(const newcomers *c, const tags *t, lists *out)
{
    out->offsets = calloc((size_t)c->n + 1, sizeof *out->offsets);
    size_t n = 0;
    for (int32_t i = 0; i < c->n; i++) {
        const int32_t *list;
        n += list_of(&t->of, c->ids[i], &list);
    }
    out->ids = malloc((n + 1) * sizeof *out->ids);
    if (!out->offsets || !out->ids) {
        return out_of_memory();
    }
    for (int32_t i = 0; i < c->n; i++) {
        const int32_t *list;
        size_t length = list_of(&t->of, c->ids[i], &list);
        memcpy(out->ids + out->offsets[i], list, length * sizeof *list);
        out->offsets[i + 1] = out->offsets[i] + (int64_t)length;
    }
    return EXIT_DONE;
}

/* The scorer with all new items after its own, each with its first `first_users` users. */
static int add_items(const world *w, const cfd_scorer *scorer, const newcomers *c, int32_t first_users, cfd_scorer **with)
{
    lists of[CFD_MAX_MODALITIES] = {{0}};
    cfd_item_features features[CFD_MAX_MODALITIES];
    int64_t *offsets = calloc((size_t)c->n + 1, sizeof *offsets);
    int32_t *users = malloc(((size_t)c->n * (size_t)first_users + 1) * sizeof *users);
    int code = offsets && users ? EXIT_DONE : out_of_memory();
    for (int32_t r = 0; r < w->n_roles && code == EXIT_DONE; r++) {
        code = gather_tags(c, &w->roles[r], &of[r]);
        features[r] = (cfd_item_features)CFD_ITEM_FEATURES_INIT;
        features[r].role = w->roles[r].role;
        features[r].row_offsets = of[r].offsets;
        features[r].column_ids = of[r].ids;
        features[r].columns = w->roles[r].columns;
    }
    for (int32_t i = 0; i < c->n && code == EXIT_DONE; i++) {
        const int32_t *list;
        size_t n = list_of(&c->users, i, &list);
        n = n < (size_t)first_users ? n : (size_t)first_users;
        memcpy(users + offsets[i], list, n * sizeof *users);
        offsets[i + 1] = offsets[i] + (int64_t)n;
    }
    cfd_new_items items = CFD_NEW_ITEMS_INIT;
    items.n_items = (size_t)c->n;
    items.features = features;
    items.n_features = (size_t)w->n_roles;
    items.user_offsets = offsets;
    items.users = users;
    if (code == EXIT_DONE && cfd_fold_in_items(scorer, &items, NULL, with) != CFD_OK) {
        code = failed_in_library();
    }
    for (int32_t r = 0; r < w->n_roles; r++) {
        free(of[r].offsets);
        free(of[r].ids);
    }
    free(offsets);
    free(users);
    return code;
}

/* How good lists of K new items are, for users who have some of them beyond those that were given. */
typedef struct quality {
    int32_t users;
    double recall, chance; /* means */
    double popular;        /* of the list of those that most users are known to have */
    double foreseen;       /* of the list of those that most users will have, which nobody knows */
} quality;

/* Marks the users' own new items: 1 wanted, 2 given away. */
static int32_t mark(const world *w, const newcomers *c, int32_t user, int32_t first_users, char *marks)
{
    int32_t wanted = 0;
    const lists *splits[] = {&w->train, &w->test};
    memset(marks, 0, (size_t)c->n);
    for (int s = 0; s < 2; s++) {
        const int32_t *items;
        size_t n = list_of(splits[s], user, &items);
        for (size_t k = 0; k < n; k++) {
            int32_t number = c->number[items[k]];
            if (number < 0) {
                continue;
            }
            const int32_t *users;
            size_t have = list_of(&c->users, number, &users);
            bool given = false;
            for (size_t i = 0; i < have && i < (size_t)first_users; i++) {
                given = given || users[i] == user;
            }
            marks[number] = given ? 2 : 1;
        }
    }
    for (int32_t i = 0; i < c->n; i++) {
        wanted += marks[i] == 1;
    }
    return wanted;
}

/* By how many users an item is ranked, of which no more than `known` are known. Ties are broken at random, by the digits
 * after the point: ids may follow popularity themselves. */
static double popularity(const newcomers *c, int32_t i, int64_t known)
{
    int64_t count = c->users.offsets[i + 1] - c->users.offsets[i];
    uint32_t noise = (uint32_t)i * 2654435769u;
    noise = (noise ^ noise >> 15) * 2246822519u;
    return (double)(count < known ? count : known) + (noise >> 8) / 16777217.0;
}

/* Hits of the K new items that most users have. */
static int32_t popular_hits(const newcomers *c, const char *marks, int64_t known)
{
    int32_t best[K];
    double counts[K];
    int32_t n = 0;
    for (int32_t i = 0; i < c->n; i++) {
        double count = popularity(c, i, known);
        if (marks[i] == 2 || (n == K && count <= counts[K - 1])) {
            continue;
        }
        int32_t at = n < K ? n++ : K - 1;
        for (; at > 0 && counts[at - 1] < count; at--) {
            best[at] = best[at - 1];
            counts[at] = counts[at - 1];
        }
        best[at] = i;
        counts[at] = count;
    }
    int32_t hits = 0;
    for (int32_t k = 0; k < n; k++) {
        hits += marks[best[k]] == 1;
    }
    return hits;
}

static int measure(const world *w, const newcomers *c, const cfd_scorer *scorer, int32_t first_users, quality *q)
{
    cfd_scorer_info info = CFD_SCORER_INFO_INIT;
    char *marks = malloc((size_t)c->n + 1);
    int32_t *allowed = malloc(((size_t)c->n + 1) * sizeof *allowed);
    int code = marks && allowed ? EXIT_DONE : out_of_memory();
    if (code == EXIT_DONE && cfd_scorer_get_info(scorer, &info) != CFD_OK) {
        code = failed_in_library();
    }
    int32_t first = info.n_items - c->n; /* the id of the first new item */
    *q = (quality){0};
    for (int32_t u = 0; u < w->users && code == EXIT_DONE; u++) {
        int32_t wanted = mark(w, c, u, first_users, marks);
        size_t n = 0;
        if (wanted == 0) {
            continue;
        }
        for (int32_t i = 0; i < c->n; i++) {
            if (marks[i] != 2) {
                allowed[n++] = first + i;
            }
        }
        cfd_filter filter = CFD_FILTER_INIT;
        filter.allow_items = allowed;
        filter.n_allow_items = n;
        int32_t list[K];
        if (cfd_recommend(scorer, &u, 1, K, &filter, list, NULL, NULL) != CFD_OK) {
            code = failed_in_library();
            break;
        }
        int32_t hits = 0;
        for (int k = 0; k < K; k++) {
            hits += list[k] >= 0 && marks[list[k] - first] == 1;
        }
        double most = wanted < K ? wanted : K;
        q->users++;
        q->recall += hits / most;
        q->popular += popular_hits(c, marks, first_users) / most;
        q->foreseen += popular_hits(c, marks, INT64_MAX) / most;
        q->chance += K / (double)n * wanted / most;
    }
    free(marks);
    free(allowed);
    return code;
}

int study_items(const study *s, const world *w)
{
    newcomers c = {0};
    cfd_scorer *scorer = NULL;
    bool *known = draw_share(w->items, 1.0 - 1.0 / SHARE_OF, (uint64_t)s->seed);
    int code = known ? find_newcomers(w, known, &c) : out_of_memory();
    const choice without = {.items = known};
    code = code == EXIT_DONE ? world_train(s, w, &without, NULL, 0, &scorer) : code;
    printf("| %d new items | users | Recall@%d | by known popularity | at random | by future popularity |\n"
           "| --- | --- | --- | --- | --- | --- |\n",
           (int)c.n, K);
    for (int32_t first = 0; first <= FIRST_USERS && code == EXIT_DONE; first += FIRST_USERS) {
        cfd_scorer *with = NULL;
        quality q;
        code = add_items(w, scorer, &c, first, &with);
        code = code == EXIT_DONE ? measure(w, &c, with, first, &q) : code;
        if (code == EXIT_DONE && q.users > 0) {
            printf("| with %d users each | %d | %.4f | %.4f | %.4f | %.4f |\n", (int)first, (int)q.users, q.recall / q.users,
                   q.popular / q.users, q.chance / q.users, q.foreseen / q.users);
        }
        cfd_scorer_release(with);
    }
    cfd_scorer_release(scorer);
    release_newcomers(&c);
    free(known);
    return code;
}
