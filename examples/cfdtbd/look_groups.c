/* SPDX-License-Identifier: Apache-2.0 */
/* For which items and for which users the ranking is good: held-out items by their popularity, users by their activity,
 * beside the ranking by popularity. Full ranking, as the library's own (SPEC 7): ties count against it. */
#include "look.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SEED = 2, MOST_SCORES = 4 << 20 /* of one block of users, 16 MB */ };

/* What stays the same for both rankings. */
typedef struct ranking {
    const look *l;
    cfd_split split;
    int32_t *users; /* n, ascending */
    size_t n;
    size_t *first;       /* n + 1: where each user's held-out items begin */
    int32_t *item_count; /* training interactions of every item */
    int32_t *user_count; /* and of each of the users */
} ranking;

/* Of every held-out item of the users its place among the candidates, from 0, in the order of the data set. */
typedef int32_t *places;

static int items_of(const look *l, cfd_split split, int32_t user, const int32_t **items, size_t *n)
{
    return cfd_dataset_user_items(l->dataset, split, user, items, n) == CFD_OK ? EXIT_DONE : failed_in_library();
}

/* ---- who and what ---- */

static int count_training(ranking *r)
{
    const look *l = r->l;
    static const cfd_split splits[] = {CFD_SPLIT_TRAIN, CFD_SPLIT_VALIDATION};
    r->item_count = calloc((size_t)l->n_items, sizeof *r->item_count);
    r->user_count = calloc((size_t)l->n_users, sizeof *r->user_count);
    if (!r->item_count || !r->user_count) {
        return out_of_memory();
    }
    for (size_t s = 0; s < (l->merged ? 2u : 1u); s++) {
        for (int32_t u = 0; u < l->n_users; u++) {
            const int32_t *items;
            size_t n;
            if (items_of(l, splits[s], u, &items, &n) != EXIT_DONE) {
                return EXIT_FAILED;
            }
            r->user_count[u] += (int32_t)n;
            for (size_t i = 0; i < n; i++) {
                r->item_count[items[i]]++;
            }
        }
    }
    return EXIT_DONE;
}

static int choose_users(ranking *r)
{
    const look *l = r->l;
    const int32_t *items;
    size_t n;
    r->users = calloc((size_t)l->n_users, sizeof *r->users);
    if (!r->users) {
        return out_of_memory();
    }
    for (int32_t u = 0; u < l->n_users; u++) {
        if (items_of(l, r->split, u, &items, &n) != EXIT_DONE) {
            return EXIT_FAILED;
        }
        if (n > 0) {
            r->users[r->n++] = u;
        }
    }
    r->n = look_sample(r->users, r->n, LOOK_RANK_USERS, SEED);
    r->first = calloc(r->n + 1, sizeof *r->first);
    if (!r->first) {
        return out_of_memory();
    }
    for (size_t i = 0; i < r->n; i++) {
        if (items_of(l, r->split, r->users[i], &items, &n) != EXIT_DONE) {
            return EXIT_FAILED;
        }
        r->first[i + 1] = r->first[i] + n;
    }
    return EXIT_DONE;
}

/* ---- places ---- */

/* How many of the listed items are not below the threshold. */
static int32_t count_listed(const float *scores, const int32_t *items, size_t n, float threshold)
{
    int32_t count = 0;
    for (size_t i = 0; i < n; i++) {
        count += !(scores[items[i]] < threshold);
    }
    return count;
}

/* The place of a held-out item: candidates that are not below it, and the user's held-out items before it. */
static int place_user(const ranking *r, size_t which, const float *scores, int32_t *found)
{
    const int32_t *held;
    const int32_t *known[2];
    size_t n_held;
    size_t n_known[2] = {0, 0};
    if (items_of(r->l, r->split, r->users[which], &held, &n_held) != EXIT_DONE ||
        items_of(r->l, CFD_SPLIT_TRAIN, r->users[which], &known[0], &n_known[0]) != EXIT_DONE ||
        (r->split == CFD_SPLIT_TEST &&
         items_of(r->l, CFD_SPLIT_VALIDATION, r->users[which], &known[1], &n_known[1]) != EXIT_DONE)) {
        return EXIT_FAILED;
    }
    for (size_t h = 0; h < n_held; h++) {
        float threshold = scores[held[h]];
        int32_t place = 0;
        for (int32_t i = 0; i < r->l->n_items; i++) {
            place += !(scores[i] < threshold);
        }
        place -= count_listed(scores, held, n_held, threshold);
        for (size_t s = 0; s < 2; s++) {
            for (size_t i = 0; i < n_known[s]; i++) { /* one that is held out, too, was taken away already */
                bool twice = bsearch(&known[s][i], held, n_held, sizeof *held, look_by_id) ||
                             (s == 1 && bsearch(&known[s][i], known[0], n_known[0], sizeof *held, look_by_id));
                place -= !twice && !(scores[known[s][i]] < threshold);
            }
        }
        for (size_t other = 0; other < n_held; other++) {
            place += scores[held[other]] > threshold || (scores[held[other]] == threshold && other < h);
        }
        found[h] = place;
    }
    return EXIT_DONE;
}

static int find_places(const ranking *r, const cfd_scorer *scorer, places *out)
{
    size_t n_items = (size_t)r->l->n_items;
    size_t block = MOST_SCORES / n_items;
    block = block == 0 ? 1 : block > r->n ? r->n : block;
    float *scores = malloc(block * n_items * sizeof *scores);
    places found = malloc((r->first[r->n] + 1) * sizeof *found);
    int code = scores && found ? EXIT_DONE : out_of_memory();
    for (size_t at = 0; at < r->n && code == EXIT_DONE; at += block) {
        size_t n = r->n - at < block ? r->n - at : block;
        if (cfd_score_users(scorer, r->users + at, n, NULL, 0, scores) != CFD_OK) {
            code = failed_in_library();
        }
        for (size_t i = 0; i < n && code == EXIT_DONE; i++) {
            code = place_user(r, at + i, scores + i * n_items, found + r->first[at + i]);
        }
    }
    free(scores);
    if (code != EXIT_DONE) {
        free(found);
        return code;
    }
    *out = found;
    return EXIT_DONE;
}

/* ---- groups ---- */

static double gain(int32_t place)
{
    return place < LOOK_K ? 1.0 / log2(place + 2.0) : 0.0;
}

static void add_item(look_metrics *m, int32_t place)
{
    m->recall += place < LOOK_K;
    m->ndcg += gain(place);
}

static void add_user(look_metrics *m, const int32_t *places_of_user, size_t n)
{
    double hits = 0.0;
    double sum = 0.0;
    double ideal = 0.0;
    for (size_t i = 0; i < n; i++) {
        hits += places_of_user[i] < LOOK_K;
        sum += gain(places_of_user[i]);
        ideal += gain((int32_t)(i < LOOK_K ? i : LOOK_K));
    }
    m->hr += hits > 0.0;
    m->recall += hits / (double)n;
    m->ndcg += sum / ideal;
}

static void divide(look_metrics *m, int64_t n)
{
    if (n > 0) {
        m->hr /= (double)n;
        m->recall /= (double)n;
        m->ndcg /= (double)n;
    }
}

/* Cuts the numbers 0, 1, 2, ... into groups of about equal weight, where weights[c] is how much has the number c; 0 stays
 * alone. Returns how many groups. */
static size_t cut_groups(const int64_t *weights, int32_t most, look_group *groups)
{
    int64_t total = 0;
    int64_t passed = 0;
    int64_t open = 0; /* the weight of the group that is not closed yet */
    size_t n = 0;
    int32_t from = 0;
    for (int32_t c = 1; c <= most; c++) {
        total += weights[c];
    }
    for (int32_t c = 0; c <= most; c++) {
        open += weights[c];
        passed += c > 0 ? weights[c] : 0;
        size_t closed = n - (n > 0 && groups[0].to == 0 ? 1 : 0);
        bool full = c == 0 || c == most || passed * LOOK_GROUPS >= total * (int64_t)(closed + 1);
        if (!full || (open == 0 && c < most)) {
            from = open == 0 ? c + 1 : from;
            continue;
        }
        if (open > 0) {
            groups[n++] = (look_group){.from = from, .to = c};
        }
        from = c + 1;
        open = 0;
    }
    return n;
}

static look_group *group_of(look_group *groups, size_t n, int32_t count)
{
    for (size_t i = 0; i < n; i++) {
        if (count >= groups[i].from && count <= groups[i].to) {
            return &groups[i];
        }
    }
    return NULL;
}

static int32_t largest(const int32_t *counts, size_t n)
{
    int32_t most = 0;
    for (size_t i = 0; i < n; i++) {
        most = counts[i] > most ? counts[i] : most;
    }
    return most;
}

static int group_items(const ranking *r, const int32_t *of_model, const int32_t *of_popularity, look_groups *out)
{
    int32_t most = largest(r->item_count, (size_t)r->l->n_items);
    int64_t *weights = calloc((size_t)most + 1, sizeof *weights);
    int code = weights ? EXIT_DONE : out_of_memory();
    for (int pass = 0; pass < 2 && code == EXIT_DONE; pass++) { /* weights; then sums */
        for (size_t i = 0; i < r->n && code == EXIT_DONE; i++) {
            const int32_t *held;
            size_t n;
            code = items_of(r->l, r->split, r->users[i], &held, &n);
            for (size_t h = 0; h < n && code == EXIT_DONE; h++) {
                int32_t count = r->item_count[held[h]];
                weights[count] += pass == 0;
                look_group *g = pass == 1 ? group_of(out->items, out->n_items_groups, count) : NULL;
                if (g) {
                    g->n++;
                    add_item(&g->model, of_model[r->first[i] + h]);
                    add_item(&g->popularity, of_popularity[r->first[i] + h]);
                }
            }
        }
        if (pass == 0) {
            out->n_items_groups = cut_groups(weights, most, out->items);
        }
    }
    for (int32_t item = 0; item < r->l->n_items && code == EXIT_DONE; item++) {
        look_group *g = group_of(out->items, out->n_items_groups, r->item_count[item]);
        if (g) {
            g->members++;
        }
    }
    free(weights);
    return code;
}

static int group_users(const ranking *r, const int32_t *of_model, const int32_t *of_popularity, look_groups *out)
{
    int32_t most = largest(r->user_count, (size_t)r->l->n_users);
    int64_t *weights = calloc((size_t)most + 1, sizeof *weights);
    if (!weights) {
        return out_of_memory();
    }
    for (size_t i = 0; i < r->n; i++) {
        weights[r->user_count[r->users[i]]]++;
    }
    out->n_users_groups = cut_groups(weights, most, out->users);
    free(weights);
    for (size_t i = 0; i < r->n; i++) {
        look_group *g = group_of(out->users, out->n_users_groups, r->user_count[r->users[i]]);
        size_t n = r->first[i + 1] - r->first[i];
        if (g) {
            g->n++;
            g->members++;
            add_user(&g->model, of_model + r->first[i], n);
            add_user(&g->popularity, of_popularity + r->first[i], n);
        }
    }
    return EXIT_DONE;
}

static void finish_groups(look_group *groups, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        divide(&groups[i].model, groups[i].n);
        divide(&groups[i].popularity, groups[i].n);
    }
}

/* ---- all of it ---- */

static int rank_both(ranking *r, const cfd_scorer *scorer, look_groups *out)
{
    cfd_scorer *popularity = NULL;
    places of_model = NULL;
    places of_popularity = NULL;
    int code = find_places(r, scorer, &of_model);
    if (code == EXIT_DONE &&
        cfd_scorer_create_popularity(r->l->context, r->l->dataset, r->l->merged, &popularity) != CFD_OK) {
        code = failed_in_library();
    }
    if (code == EXIT_DONE) {
        code = find_places(r, popularity, &of_popularity);
    }
    if (code == EXIT_DONE) {
        code = group_items(r, of_model, of_popularity, out);
    }
    if (code == EXIT_DONE) {
        code = group_users(r, of_model, of_popularity, out);
    }
    finish_groups(out->items, out->n_items_groups);
    finish_groups(out->users, out->n_users_groups);
    cfd_scorer_release(popularity);
    free(of_model);
    free(of_popularity);
    return code;
}

int look_find_groups(look *l, const cfd_scorer *scorer)
{
    cfd_dataset_info info = CFD_DATASET_INFO_INIT;
    if (cfd_dataset_get_info(l->dataset, &info) != CFD_OK) {
        return failed_in_library();
    }
    if (info.n_test == 0 && (info.n_validation == 0 || l->merged)) {
        return EXIT_DONE;
    }
    ranking r = {.l = l, .split = info.n_test > 0 ? CFD_SPLIT_TEST : CFD_SPLIT_VALIDATION};
    int code = count_training(&r);
    if (code == EXIT_DONE) {
        code = choose_users(&r);
    }
    if (code == EXIT_DONE) {
        code = rank_both(&r, scorer, &l->groups);
    }
    l->groups.done = code == EXIT_DONE;
    l->groups.on_test = r.split == CFD_SPLIT_TEST;
    l->groups.n_users = r.n;
    free(r.users);
    free(r.first);
    free(r.item_count);
    free(r.user_count);
    return code;
}
