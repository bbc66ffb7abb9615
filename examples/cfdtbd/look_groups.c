/* SPDX-License-Identifier: Apache-2.0 */
/* For which items and for which users the ranking is good: held-out items by their popularity, users by their activity,
 * beside the ranking by popularity. */
#include "look_ranking.h"

#include <math.h>
#include <stdlib.h>

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
            code = look_items(r->l, r->split, r->users[i], &held, &n);
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
    int32_t *of_model = NULL;
    int32_t *of_popularity = NULL;
    int code = ranking_find_places(r, scorer, &of_model);
    if (code == EXIT_DONE &&
        cfd_scorer_create_popularity(r->l->context, r->l->dataset, r->l->merged, &popularity) != CFD_OK) {
        code = failed_in_library();
    }
    if (code == EXIT_DONE) {
        code = ranking_find_places(r, popularity, &of_popularity);
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
    int code = ranking_begin(&r);
    if (code == EXIT_DONE) {
        code = rank_both(&r, scorer, &l->groups);
    }
    l->groups.done = code == EXIT_DONE;
    l->groups.on_test = r.split == CFD_SPLIT_TEST;
    l->groups.n_users = r.n;
    ranking_release(&r);
    return code;
}
