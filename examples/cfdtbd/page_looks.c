/* SPDX-License-Identifier: Apache-2.0 */
/* Figures of the model that was kept: shares of parts, metrics by group, the map. */
#include "page_figure.h"

#include <math.h>
#include <string.h>

enum { JOINT_POINTS = 1000, COMPARED_POINTS = 400 };

/* ---- shares ---- */

/* Common parts blue, differential ones vermillion, the graph's grey and violet, wherever they are shown. */
static size_t style_of_part(const char *part)
{
    return strcmp(part, "common") == 0 ? 0 : strcmp(part, "differential") == 0 ? 1 : strcmp(part, "fused") == 0 ? 3 : 4;
}

static void part_label(const run_file *file, size_t i, char label[LABEL_BYTES])
{
    const char *part = run_text(file, "look/shares/parts/%zu/part", i);
    const char *role = run_text(file, "look/shares/parts/%zu/role", i);
    snprintf(label, LABEL_BYTES, "%.20s%s%.20s", part ? part : "?", role ? " " : "", role ? role : "");
}

/* The bar with this label, a new one where there is none yet. */
static chart_bar *find_bar(bar_chart *chart, const char *label)
{
    for (size_t i = 0; i < chart->n; i++) {
        if (strcmp(chart->bars[i].label, label) == 0) {
            return &chart->bars[i];
        }
    }
    if (chart->n == MOST_BARS) {
        return NULL;
    }
    chart_bar *bar = &chart->bars[chart->n++];
    snprintf(bar->label, sizeof bar->label, "%s", label);
    for (size_t s = 0; s <= SERIES; s++) {
        bar->values[s] = NAN;
    }
    return bar;
}

static bar_chart *share_bars(runs *r, const char *what)
{
    bar_chart *chart = room_take(&r->room, 1, sizeof *chart);
    chart->n_series = r->n;
    for (size_t run = 0; run < r->n; run++) {
        const run_file *file = &r->files[run];
        chart->styles[run] = run;
        snprintf(chart->series[run], LABEL_BYTES, "%s", run_letter(run));
        for (size_t i = 0; i < run_count(file, "look/shares/parts"); i++) {
            char label[LABEL_BYTES];
            part_label(file, i, label);
            chart_bar *bar = find_bar(chart, label);
            const char *part = run_text(file, "look/shares/parts/%zu/part", i);
            if (bar) {
                bar->values[run] = run_number(file, "look/shares/parts/%zu/%s", i, what);
                chart->bar_styles[bar - chart->bars] = style_of_part(part ? part : "");
            }
        }
    }
    return chart;
}

void figure_shares(runs *r, figure *fig)
{
    static const char *const keys[] = {"share", "contribution"};
    static const char *const titles[] = {"Share of each part", "Mean contribution, in units of the score"};
    fig->name = "shares";
    fig->title = "Shares and contributions";
    for (size_t i = 0; i < 2; i++) {
        bar_chart *chart = share_bars(r, keys[i]);
        chart->percent = i == 0;
        panel *p = chart->n > 0 ? figure_add(fig, PANEL_BARS, chart) : NULL;
        if (p) {
            snprintf(p->title, sizeof p->title, "%s", titles[i]);
        }
    }
    if (fig->n == 0) {
        figure_say(fig, "No shares: the run was written without a look into the model (--look none, or an older version).");
        return;
    }
    figure_say(fig,
               "Every score of the best %.0f items of %.0f users%s was taken apart. First, how large a part is beside the "
               "others: the mean of its absolute "
               "value over the sum of those of all parts. Then its mean with its sign: what is positive raises scores.",
               run_number(&r->files[0], "look/shares/k"), run_number(&r->files[0], "look/shares/n_users"),
               r->n > 1 ? " of each run" : "");
}

/* ---- groups ---- */

static void range_label(const run_file *file, const char *key, size_t i, char label[LABEL_BYTES])
{
    char from[NUMBER_BYTES];
    char to[NUMBER_BYTES];
    double low = run_number(file, "look/ranking/%s/%zu/from", key, i);
    double high = run_number(file, "look/ranking/%s/%zu/to", key, i);
    number_text(from, low, 0);
    number_text(to, high, 0);
    snprintf(label, LABEL_BYTES, low == high ? "%.12s" : "%.12s\xe2\x80\x93%.12s", from, to);
}

static void add_groups(bar_chart *chart, const run_file *file, const char *key, const char *side, const char *metric,
                       size_t series)
{
    for (size_t i = 0; i < run_count(file, "look/ranking/%s", key); i++) {
        char label[LABEL_BYTES];
        range_label(file, key, i, label);
        chart_bar *bar = find_bar(chart, label);
        if (bar) {
            bar->values[series] = run_number(file, "look/ranking/%s/%zu/%s/%s", key, i, side, metric);
        }
    }
}

/* One column a run, and popularity beside the first, hollow. */
static bar_chart *group_columns(runs *r, const char *key, const char *metric)
{
    bar_chart *chart = room_take(&r->room, 1, sizeof *chart);
    size_t first = r->n;
    for (size_t run = 0; run < r->n; run++) {
        if (run_count(&r->files[run], "look/ranking/%s", key) > 0) {
            size_t s = chart->n_series++;
            first = first == r->n ? run : first;
            chart->styles[s] = run;
            snprintf(chart->series[s], LABEL_BYTES, "%s", r->n > 1 ? run_letter(run) : "model");
            add_groups(chart, &r->files[run], key, "model", metric, s);
        }
    }
    if (first < r->n && chart->n_series <= SERIES) {
        size_t s = chart->n_series++;
        chart->styles[s] = SERIES;
        snprintf(chart->series[s], LABEL_BYTES, "popularity");
        add_groups(chart, &r->files[first], key, "popularity", metric, s);
    }
    return chart;
}

static void add_columns(runs *r, figure *fig, const char *key, const char *metric, const char *title, const char *x_unit)
{
    bar_chart *chart = group_columns(r, key, metric);
    chart->x_unit = x_unit;
    chart->y_unit = "";
    panel *p = chart->n > 0 ? figure_add(fig, PANEL_COLUMNS, chart) : NULL;
    if (p) {
        snprintf(p->title, sizeof p->title, "%s", title);
    }
}

static void say_no_groups(figure *fig)
{
    if (fig->n == 0) {
        fig->caption[0] = '\0';
        figure_say(fig, "No groups: the run was written without a look into the model (--look none, or an older version), "
                        "or the data set "
                        "has nothing held out.");
    }
}

static const char *held_out_split(const runs *r)
{
    for (size_t run = 0; run < r->n; run++) {
        const char *split = run_text(&r->files[run], "look/ranking/split");
        if (split) {
            return split;
        }
    }
    return "";
}

void figure_items(runs *r, figure *fig)
{
    fig->name = "items";
    fig->title = "By popularity of the item";
    add_columns(r, fig, "by_item_popularity", "recall@10", "Recall at 10", "training interactions of the held-out item");
    add_columns(r, fig, "by_item_popularity", "ndcg@10", "NDCG at 10", "training interactions of the held-out item");
    figure_say(fig,
               "Held-out items of the %.20s split, in groups of about as many held-out interactions each, rare items on the "
               "left: the share that is among the ten best "
               "of all items that the user does not have, and its gain by place. Hollow columns are the ranking by "
               "popularity, which has rare items last.",
               held_out_split(r));
    say_no_groups(fig);
}

void figure_users(runs *r, figure *fig)
{
    fig->name = "users";
    fig->title = "By activity of the user";
    add_columns(r, fig, "by_user_activity", "hr@10", "Hit rate at 10", "training interactions of the user");
    add_columns(r, fig, "by_user_activity", "recall@10", "Recall at 10", "training interactions of the user");
    add_columns(r, fig, "by_user_activity", "ndcg@10", "NDCG at 10", "training interactions of the user");
    figure_say(fig,
               "Users with held-out items in the %.20s split, in groups of about as many users each, those with the "
               "shortest history on the left. Means over the users "
               "of a group, full ranking.",
               held_out_split(r));
    say_no_groups(fig);
}

/* ---- the map ---- */

static void add_set(runs *r, point_chart *chart, const run_file *file, size_t set, size_t most)
{
    const char *role = run_text(file, "look/map/sets/%zu/role", set);
    size_t all = run_count(file, "look/map/items");
    size_t every = all > most ? (all + most - 1) / most : 1;
    if (chart->n_sets == SERIES) {
        return;
    }
    point_set *points = &chart->sets[chart->n_sets];
    snprintf(points->label, sizeof points->label, "%s", role ? role : "?");
    points->style = chart->n_sets++;
    points->x = room_take(&r->room, all, sizeof *points->x);
    points->y = room_take(&r->room, all, sizeof *points->y);
    for (size_t i = 0; i < all; i += every) {
        double x = run_number(file, "look/map/sets/%zu/x/%zu", set, i);
        double y = run_number(file, "look/map/sets/%zu/y/%zu", set, i);
        points->x[points->n] = x;
        points->y[points->n++] = y;
        if (isfinite(x) && isfinite(y)) {
            chart->reach = fmax(chart->reach, 1.04 * fmax(fabs(x), fabs(y)));
        }
    }
}

static void map_of(runs *r, figure *fig, size_t run)
{
    static const char *const parts[] = {"common", "differential"};
    static const char *const titles[] = {"Common parts", "Differential parts"};
    const run_file *file = &r->files[run];
    point_chart *charts[2];
    double reach = 0.0;
    for (size_t k = 0; k < 2; k++) {
        charts[k] = room_take(&r->room, 1, sizeof *charts[k]);
        for (size_t set = 0; set < run_count(file, "look/map/sets"); set++) {
            const char *part = run_text(file, "look/map/sets/%zu/part", set);
            if (part && strcmp(part, parts[k]) == 0) {
                add_set(r, charts[k], file, set, r->n > 1 ? COMPARED_POINTS : JOINT_POINTS);
            }
        }
        reach = fmax(reach, charts[k]->reach);
    }
    for (size_t k = 0; k < 2; k++) {
        charts[k]->reach = reach;
        charts[k]->joined = charts[k]->n_sets == 2;
        snprintf(charts[k]->x_unit, LABEL_BYTES, "first component (%.1f\xe2\x80\xaf%% of the variance)",
                 100.0 * run_number(file, "look/map/explained/0"));
        snprintf(charts[k]->y_unit, LABEL_BYTES, "second component (%.1f\xe2\x80\xaf%%)",
                 100.0 * run_number(file, "look/map/explained/1"));
        panel *p = charts[k]->n_sets > 0 ? figure_add(fig, PANEL_POINTS, charts[k]) : NULL;
        if (p) {
            snprintf(p->title, sizeof p->title, "%s%s%s", r->n > 1 ? run_letter(run) : "", r->n > 1 ? ": " : "", titles[k]);
        }
    }
}

void figure_map(runs *r, figure *fig)
{
    fig->name = "map";
    fig->title = "A map of the items";
    for (size_t run = 0; run < r->n; run++) {
        map_of(r, fig, run);
    }
    if (fig->n == 0) {
        figure_say(fig, "No map: the run was written without a look into the model (--look none, or an older version), or "
                        "no two items have "
                        "every modality.");
        return;
    }
    figure_say(fig, "The same items in every set of points: directions of their parts (rows of length 1), common and "
                    "differential ones of all modalities together, "
                    "in the plane of the two principal components. Thin lines join the two points of one item, for some "
                    "items: short where the modalities agree, long "
                    "where each says its own. A plane keeps only the stated share of the variance; what lies apart here is "
                    "apart, what lies together may not be.");
}
