/* SPDX-License-Identifier: Apache-2.0 */
/* Cosines between modalities over epochs. */
#include "page_figure.h"

#include <stdio.h>

/* ---- cosines ---- */

static void add_cosine(runs *r, line_chart *chart, size_t run, size_t pair, const char *label, size_t style,
                       const char *part, const char *what, bool band)
{
    const run_file *file = &r->files[run];
    if (!run_has(file, "look/cosine/%zu/%s/%s", pair, part, what)) {
        return;
    }
    size_t n = run_count(file, "look/cosine/%zu/epochs", pair);
    chart_line *line = add_line(r, chart, label, style, n);
    if (band) {
        line->low = room_take(&r->room, n, sizeof *line->low);
        line->high = room_take(&r->room, n, sizeof *line->high);
    }
    for (size_t i = 0; i < n; i++) {
        line->x[i] = run_number(file, "look/cosine/%zu/epochs/%zu", pair, i);
        line->y[i] = run_number(file, "look/cosine/%zu/%s/%s/%zu", pair, part, what, i);
        if (band) {
            line->low[i] = run_number(file, "look/cosine/%zu/%s/low/%zu", pair, part, i);
            line->high[i] = run_number(file, "look/cosine/%zu/%s/high/%zu", pair, part, i);
        }
    }
}

static void pair_title(const run_file *file, size_t pair, const char *what, char title[TITLE_BYTES])
{
    const char *a = run_text(file, "look/cosine/%zu/roles/0", pair);
    const char *b = run_text(file, "look/cosine/%zu/roles/1", pair);
    snprintf(title, TITLE_BYTES, "%s%.24s and %.24s", what, a ? a : "?", b ? b : "?");
}

static void cosine_of_one(runs *r, figure *fig)
{
    char title[TITLE_BYTES];
    for (size_t pair = 0; pair < run_count(&r->files[0], "look/cosine"); pair++) {
        line_chart *chart = new_lines(r, "cosine, mean over items");
        chart->from_zero = true;
        add_cosine(r, chart, 0, pair, "common", 0, "common", "mean", true);
        add_cosine(r, chart, 0, pair, "differential", 1, "differential", "mean", true);
        pair_title(&r->files[0], pair, "", title);
        add_line_panel(fig, chart, title);
    }
}

/* Pairs by their place; the titles are those of the first run that has one there. */
static void cosine_compared(runs *r, figure *fig)
{
    size_t pairs = 0;
    for (size_t run = 0; run < r->n; run++) {
        size_t n = run_count(&r->files[run], "look/cosine");
        pairs = n > pairs ? n : pairs;
    }
    for (size_t pair = 0; pair < pairs && pair < MOST_PANELS / 2; pair++) {
        line_chart *common = new_lines(r, "cosine, mean over items");
        line_chart *differential = new_lines(r, "|cosine|, mean over items");
        size_t named = r->n;
        for (size_t run = r->n; run-- > 0;) {
            named = run_has(&r->files[run], "look/cosine/%zu", pair) ? run : named;
        }
        for (size_t run = 0; run < r->n; run++) {
            add_cosine(r, common, run, pair, run_letter(run), run, "common", "mean", false);
            add_cosine(r, differential, run, pair, run_letter(run), run, "differential", "mean_absolute", false);
        }
        char title[TITLE_BYTES];
        common->from_zero = differential->from_zero = true;
        pair_title(&r->files[named], pair, "Common: ", title);
        add_line_panel(fig, common, title);
        pair_title(&r->files[named], pair, "Differential: ", title);
        add_line_panel(fig, differential, title);
    }
}

void figure_cosine(runs *r, figure *fig)
{
    fig->name = "cosine";
    fig->title = "How alike the modalities\xe2\x80\x99 parts are";
    if (r->n == 1) {
        cosine_of_one(r, fig);
        figure_say(fig, "Cosine between what two modalities say of the same item, over the items that have both. Bands hold "
                        "the middle 80\xe2\x80\xaf%% of the items. "
                        "Epoch 0 is before training. ");
    } else {
        cosine_compared(r, fig);
        figure_say(
            fig,
            "Cosine between what two modalities say of the same item, over the items that have both. Of differential parts "
            "it is the absolute value. Epoch 0 is before training. ");
    }
    figure_say(fig, "Disentangling shows as common parts near 1 (the modalities agree; near \xe2\x88\x92"
                    "1 with common_distillation = released) and "
                    "differential parts near 0 (each says something of its own).");
    if (fig->n == 0) {
        fig->caption[0] = '\0';
        figure_say(
            fig,
            "No cosines: the run was written without a look into the model (--look none, or an older version), or the model "
            "has fewer than two modalities.");
    }
}
