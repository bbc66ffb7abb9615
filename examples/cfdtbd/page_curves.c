/* SPDX-License-Identifier: Apache-2.0 */
/* Curves over epochs: terms of the loss, metrics. */
#include "page_figure.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_CUTS = SERIES };

/* ---- lines ---- */

chart_line *add_line(runs *r, line_chart *chart, const char *label, size_t style, size_t n)
{
    if (chart->n == sizeof chart->lines / sizeof chart->lines[0]) {
        chart->n--; /* the last one gives way: more cannot be told apart */
    }
    chart_line *line = &chart->lines[chart->n++];
    *line = (chart_line){.style = style % SERIES, .n = n};
    snprintf(line->label, sizeof line->label, "%s", label);
    line->x = room_take(&r->room, n, sizeof *line->x);
    line->y = room_take(&r->room, n, sizeof *line->y);
    return line;
}

static void mark_best(const runs *r, line_chart *chart)
{
    chart->mark = NAN;
    if (r->n == 1 && run_true(&r->files[0], "best/selected")) {
        chart->mark = run_number(&r->files[0], "best/epoch");
        snprintf(chart->mark_label, sizeof chart->mark_label, "\xe2\x94\x86 kept: epoch %.0f", chart->mark);
    }
}

line_chart *new_lines(runs *r, const char *unit)
{
    line_chart *chart = room_take(&r->room, 1, sizeof *chart);
    chart->x_unit = "epoch";
    chart->y_unit = unit;
    chart->point = "epoch";
    mark_best(r, chart);
    return chart;
}

void add_line_panel(figure *fig, const line_chart *chart, const char *title)
{
    panel *p = chart->n > 0 ? figure_add(fig, PANEL_LINES, chart) : NULL;
    if (p) {
        snprintf(p->title, sizeof p->title, "%s", title);
    }
}

/* A value of the history by epoch; only where it is there. */
static void add_history(runs *r, line_chart *chart, size_t run, const char *label, size_t style, const char *path)
{
    const run_file *file = &r->files[run];
    size_t n = run_count(file, "history");
    size_t found = 0;
    chart_line *line = add_line(r, chart, label, style, n);
    for (size_t i = 0; i < n; i++) {
        double value = run_number(file, "history/%zu/%s", i, path);
        if (isfinite(value)) {
            line->x[found] = run_number(file, "history/%zu/epoch", i);
            line->y[found++] = value;
        }
    }
    line->n = found;
    chart->n -= found == 0;
}

/* A panel with a line for each run. */
static void add_compared(runs *r, figure *fig, const char *title, const char *unit, const char *path)
{
    line_chart *chart = new_lines(r, unit);
    for (size_t run = 0; run < r->n; run++) {
        add_history(r, chart, run, run_letter(run), run, path);
    }
    add_line_panel(fig, chart, title);
}

/* ---- losses ---- */

static void losses_of_one(runs *r, figure *fig)
{
    line_chart *total = new_lines(r, "loss");
    add_history(r, total, 0, "total", 0, "losses/total");
    add_history(r, total, 0, "ranking", 1, "losses/ranking");
    add_history(r, total, 0, "penalty", 2, "losses/penalty");
    total->from_zero = true;
    add_line_panel(fig, total, "Total, ranking and penalty");

    static const size_t styles[SERIES] = {2, 5, 6, 7, 0, 1, 2, 5}; /* of modalities: others than those of the branches */
    line_chart *branches = new_lines(r, "loss");
    add_history(r, branches, 0, "base", 4, "losses/ranking_of/base");
    add_history(r, branches, 0, "fused", 3, "losses/ranking_of/fused");
    const char *role;
    for (size_t i = 0; (role = run_key(&r->files[0], i, "history/0/losses/ranking_of/modality")) && i < SERIES; i++) {
        char path[160];
        snprintf(path, sizeof path, "losses/ranking_of/modality/%s", role);
        add_history(r, branches, 0, role, styles[i], path);
    }
    branches->from_zero = true;
    add_line_panel(fig, branches, "Ranking, by branch");

    line_chart *pulls = new_lines(r, "loss");
    add_history(r, pulls, 0, "common", 0, "losses/common");
    add_history(r, pulls, 0, "differential", 1, "losses/differential");
    pulls->from_zero = true;
    add_line_panel(fig, pulls, "Distillation: common and differential");
}

void figure_losses(runs *r, figure *fig)
{
    fig->name = "losses";
    fig->title = "Loss";
    if (r->n == 1) {
        losses_of_one(r, fig);
    } else {
        add_compared(r, fig, "Total", "loss", "losses/total");
        add_compared(r, fig, "Ranking", "loss", "losses/ranking");
        add_compared(r, fig, "Penalty", "loss", "losses/penalty");
        add_compared(r, fig, "Distillation: common", "loss", "losses/common");
        add_compared(r, fig, "Distillation: differential", "loss", "losses/differential");
    }
    figure_say(fig,
               fig->n > 0
                   ? "Means over the steps of each epoch; lower is better. The ranking term is the sum of its branches, "
                     "each with its "
                     "weight. The common term falls as the modalities' common parts come together, the differential term as "
                     "their differential parts become orthogonal. A term whose weight is 0 is not computed and reads 0."
                   : "No epoch was trained: there are no losses.");
}

/* ---- metrics ---- */

/* The cut-offs of the first epoch that was evaluated: "5", "10", ... */
static size_t find_cuts(const run_file *file, char cuts[MOST_CUTS][16])
{
    size_t n = 0;
    const char *key;
    for (size_t i = 0; i < run_count(file, "history") && n == 0; i++) {
        for (size_t k = 0; n < MOST_CUTS && (key = run_key(file, k, "history/%zu/metrics", i)); k++) {
            if (strncmp(key, "hr@", 3) == 0 && strlen(key) < 12) {
                snprintf(cuts[n++], 16, "%s", key + 3);
            }
        }
    }
    return n;
}

static void metrics_of_one(runs *r, figure *fig)
{
    static const char *const names[] = {"hr", "ndcg", "recall"};
    static const char *const titles[] = {"Hit rate", "NDCG", "Recall"};
    char cuts[MOST_CUTS][16];
    size_t n = find_cuts(&r->files[0], cuts);
    for (size_t m = 0; m < 3; m++) {
        line_chart *chart = new_lines(r, "share of 1");
        chart->y_unit = m == 0 ? "share of users" : m == 1 ? "NDCG" : "share of held-out items";
        chart->from_zero = true;
        for (size_t k = 0; k < n; k++) {
            char path[64];
            char label[32];
            snprintf(path, sizeof path, "metrics/%s@%s", names[m], cuts[k]);
            snprintf(label, sizeof label, "@%s", cuts[k]);
            add_history(r, chart, 0, label, k, path);
        }
        add_line_panel(fig, chart, titles[m]);
    }
}

/* The cut-off that is compared: 10 where the first run that was evaluated has it, else its first. */
static bool find_common_cut(const runs *r, char cut[16])
{
    char cuts[MOST_CUTS][16];
    for (size_t run = 0; run < r->n; run++) {
        size_t n = find_cuts(&r->files[run], cuts);
        for (size_t k = 0; k < n; k++) {
            if (k == 0 || strcmp(cuts[k], "10") == 0) {
                snprintf(cut, 16, "%s", cuts[k]);
            }
        }
        if (n > 0) {
            return true;
        }
    }
    return false;
}

static void metrics_compared(runs *r, figure *fig)
{
    static const char *const names[] = {"hr", "ndcg", "recall"};
    static const char *const titles[] = {"Hit rate", "NDCG", "Recall"};
    char cut[16];
    for (size_t m = 0; find_common_cut(r, cut) && m < 3; m++) {
        char path[64];
        char title[64];
        snprintf(path, sizeof path, "metrics/%s@%s", names[m], cut);
        snprintf(title, sizeof title, "%s at %s", titles[m], cut);
        add_compared(r, fig, title, "", path);
    }
}

void figure_metrics(runs *r, figure *fig)
{
    fig->name = "metrics";
    fig->title = "Metrics while training";
    if (r->n == 1) {
        const char *split = run_text(&r->files[0], "selected_on");
        metrics_of_one(r, fig);
        figure_say(fig, "On the %.20s split, at the epochs that were evaluated; higher is better. ", split ? split : "");
        figure_say(fig, "Each line is a length of the list, @10 the ten best.%s",
                   split && strcmp(split, "test") == 0
                       ? " The epoch was chosen by the test set: these numbers are optimistic."
                       : "");
    } else {
        metrics_compared(r, fig);
        figure_say(fig, "On the split that chose each run's epoch, at the epochs that were evaluated; higher is better.");
    }
    if (fig->n == 0) {
        fig->caption[0] = '\0';
        figure_say(
            fig,
            "No epoch was evaluated during training (select = none, or no epoch at all): there are no curves of metrics.");
    }
}
