/* SPDX-License-Identifier: Apache-2.0 */
/* A look as JSON: the section "look" of a training report. */
#include "look.h"

#include <math.h>

/* ---- numbers ---- */

static double rounded(double value, int decimals)
{
    double scale = pow(10.0, decimals);
    double result = round(value * scale) / scale;
    return result == 0.0 ? 0.0 : result; /* no -0 */
}

/* Arrays of numbers stand on one line. */
static bool open_line(json *j, const char *key)
{
    bool indented = j->indented;
    json_open(j, key, '[');
    j->indented = false;
    return indented;
}

static void close_line(json *j, bool indented)
{
    json_close(j, ']');
    j->indented = indented;
}

static void write_integers(json *j, const char *key, const int32_t *values, size_t n)
{
    bool indented = open_line(j, key);
    for (size_t i = 0; i < n; i++) {
        json_signed(j, NULL, values[i]);
    }
    close_line(j, indented);
}

static void write_coordinates(json *j, const char *key, const double *values, size_t n)
{
    bool indented = open_line(j, key);
    for (size_t i = 0; i < n; i++) {
        json_number(j, NULL, rounded(values[i], 3));
    }
    close_line(j, indented);
}

/* ---- cosines ---- */

static void write_part(json *j, const char *key, const look_cosine *cosines, size_t n)
{
    static const char *const names[] = {"mean", "mean_absolute", "low", "high"};
    json_open(j, key, '{');
    for (size_t which = 0; which < 4; which++) {
        bool indented = open_line(j, names[which]);
        for (size_t i = 0; i < n; i++) {
            const double values[] = {cosines[i].mean, cosines[i].mean_absolute, cosines[i].low, cosines[i].high};
            json_number(j, NULL, rounded(values[which], 5));
        }
        close_line(j, indented);
    }
    json_close(j, '}');
}

static void write_roles(json *j, const look *l, const look_pair *pair)
{
    bool indented = open_line(j, "roles");
    json_text(j, NULL, cfd_model_role(l->model, pair->first));
    json_text(j, NULL, cfd_model_role(l->model, pair->second));
    close_line(j, indented);
}

static void write_cosines(json *j, const look *l)
{
    json_open(j, "cosine", '[');
    for (size_t i = 0; i < l->n_pairs; i++) {
        const look_pair *pair = &l->pairs[i];
        json_open(j, NULL, '{');
        write_roles(j, l, pair);
        json_signed(j, "n_items", pair->n_items);
        write_integers(j, "epochs", l->epochs, l->n_epochs);
        if (l->has_common) {
            write_part(j, "common", pair->common, l->n_epochs);
        }
        if (l->has_differential) {
            write_part(j, "differential", pair->differential, l->n_epochs);
        }
        json_close(j, '}');
    }
    json_close(j, ']');
}

/* ---- shares ---- */

static void write_share(json *j, const char *part, const char *role, const look_share *share)
{
    json_open(j, NULL, '{');
    json_text(j, "part", part);
    json_text(j, "role", role);
    json_number(j, "share", rounded(share->share, 6));
    json_number(j, "contribution", rounded(share->contribution, 6));
    json_close(j, '}');
}

static void write_shares(json *j, const look *l)
{
    const look_shares *s = &l->shares;
    size_t n = 0;
    json_open(j, "shares", '{');
    json_signed(j, "k", LOOK_K);
    json_signed(j, "n_users", (int64_t)s->n_users);
    json_signed(j, "n_scores", (int64_t)s->n_scores);
    json_open(j, "parts", '[');
    write_share(j, "base", NULL, &s->parts[n++]);
    for (size_t r = 0; 2 * r + 2 < s->n_parts; r++) {
        write_share(j, "common", cfd_model_role(l->model, r), &s->parts[n++]);
        write_share(j, "differential", cfd_model_role(l->model, r), &s->parts[n++]);
    }
    write_share(j, "fused", NULL, &s->parts[n++]);
    json_close(j, ']');
    json_close(j, '}');
}

/* ---- groups ---- */

static void write_metrics(json *j, const char *key, const look_metrics *m, bool of_users)
{
    json_open(j, key, '{');
    if (of_users) {
        json_number(j, "hr@10", m->hr);
    }
    json_number(j, "recall@10", m->recall);
    json_number(j, "ndcg@10", m->ndcg);
    json_close(j, '}');
}

static void write_groups(json *j, const char *key, const look_group *groups, size_t n, bool of_users)
{
    json_open(j, key, '[');
    for (size_t i = 0; i < n; i++) {
        const look_group *g = &groups[i];
        json_open(j, NULL, '{');
        json_signed(j, "from", g->from);
        json_signed(j, "to", g->to);
        json_signed(j, of_users ? "n_users" : "n_items", g->members);
        if (!of_users) {
            json_signed(j, "n_held_out", g->n);
        }
        write_metrics(j, "model", &g->model, of_users);
        write_metrics(j, "popularity", &g->popularity, of_users);
        json_close(j, '}');
    }
    json_close(j, ']');
}

static void write_ranking(json *j, const look *l)
{
    const look_groups *g = &l->groups;
    if (!g->done) {
        json_text(j, "ranking", NULL);
        return;
    }
    json_open(j, "ranking", '{');
    json_text(j, "split", g->on_test ? "test" : "validation");
    json_signed(j, "n_users", (int64_t)g->n_users);
    write_groups(j, "by_item_popularity", g->items, g->n_items_groups, false);
    write_groups(j, "by_user_activity", g->users, g->n_users_groups, true);
    json_close(j, '}');
}

/* ---- the map ---- */

static void write_map(json *j, const look *l)
{
    const look_map *map = &l->map;
    size_t set = 0;
    if (map->n_sets == 0) {
        json_text(j, "map", NULL);
        return;
    }
    json_open(j, "map", '{');
    json_open(j, "explained", '[');
    json_number(j, NULL, rounded(map->explained[0], 6));
    json_number(j, NULL, rounded(map->explained[1], 6));
    json_close(j, ']');
    write_integers(j, "items", map->items, map->n);
    json_open(j, "sets", '[');
    for (size_t r = 0; r < l->n_roles; r++) {
        for (int kind = 0; kind < 2; kind++) {
            if (kind == 0 ? l->has_common : l->has_differential) {
                json_open(j, NULL, '{');
                json_text(j, "part", kind == 0 ? "common" : "differential");
                json_text(j, "role", cfd_model_role(l->model, r));
                write_coordinates(j, "x", map->x + set * map->n, map->n);
                write_coordinates(j, "y", map->y + set * map->n, map->n);
                json_close(j, '}');
                set++;
            }
        }
    }
    json_close(j, ']');
    json_close(j, '}');
}

void look_json(json *j, const look *l)
{
    if (l->every == 0) {
        json_text(j, "look", NULL);
        return;
    }
    json_open(j, "look", '{');
    json_signed(j, "every", l->every);
    json_number(j, "seconds", l->seconds);
    write_cosines(j, l);
    write_shares(j, l);
    write_ranking(j, l);
    write_map(j, l);
    json_close(j, '}');
}
