/* SPDX-License-Identifier: Apache-2.0 */
/* A map of points: sets told apart by mark and colour, both axes on one scale. A set is one path, to keep the page small. */
#include "page_chart.h"

#include <math.h>
#include <string.h>

enum { LEFT = 40, TOP = 24, SIDE = 290, JOINED = 24 };

static void draw_set(FILE *f, const point_set *set, const scale *x, const scale *y)
{
    bool crosses = set->style % 2 == 1;
    fprintf(f, "<path class=\"%s c%zu\" d=\"", crosses ? "crosses" : "dots", set->style);
    for (size_t i = 0; i < set->n; i++) {
        if (isfinite(set->x[i]) && isfinite(set->y[i])) {
            double px = scale_at(x, set->x[i]);
            double py = scale_at(y, set->y[i]);
            if (crosses) {
                fprintf(f, "M%.1f %.1fl4 4m0 -4l-4 4", px - 2, py - 2);
            } else {
                fprintf(f, "M%.1f %.1fh0", px, py);
            }
        }
    }
    fputs("\"><title>", f);
    put_text(f, set->label);
    fputs("</title></path>\n", f);
}

/* The two points of an item, for a few items spread over the sample. */
static void draw_joins(FILE *f, const point_chart *c, const scale *x, const scale *y)
{
    const point_set *a = &c->sets[0];
    const point_set *b = &c->sets[1];
    size_t every = a->n > JOINED ? a->n / JOINED : 1;
    fputs("<path class=\"join\" d=\"", f);
    for (size_t i = 0; i < a->n && i < b->n; i += every) {
        if (isfinite(a->x[i] + a->y[i] + b->x[i] + b->y[i])) {
            fprintf(f, "M%.1f %.1fL%.1f %.1f", scale_at(x, a->x[i]), scale_at(y, a->y[i]), scale_at(x, b->x[i]),
                    scale_at(y, b->y[i]));
        }
    }
    fputs("\"/>\n", f);
}

static void draw_legend(FILE *f, const point_chart *c)
{
    double x = LEFT + 4;
    for (size_t i = 0; i < c->n_sets; i++) {
        size_t style = c->sets[i].style;
        fprintf(f, "<path class=\"%s c%zu key\" d=\"", style % 2 ? "crosses" : "dots", style);
        fprintf(f, style % 2 ? "M%.1f 8l6 6m0 -6l-6 6\"/>\n" : "M%.1f 11h0\"/>\n", style % 2 ? x - 3 : x);
        svg_text(f, x + 9, 15, "start", "name");
        put_cut_text(f, c->sets[i].label, 16);
        svg_text_end(f);
        size_t length = strlen(c->sets[i].label);
        x += 9.0 + 6.6 * (double)(length < 16 ? length : 16) + 18.0;
    }
}

void draw_points(FILE *f, const point_chart *c)
{
    double reach = c->reach > 0.0 ? c->reach : 1.0;
    scale x = scale_make(-reach, reach, LEFT, LEFT + SIDE, 4, false, false);
    scale y = scale_make(-reach, reach, TOP + SIDE, TOP, 4, false, false);
    fprintf(f, "<rect class=\"frame\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"/>\n", LEFT, TOP, SIDE, SIDE);
    axis_vertical(f, &y, LEFT, LEFT + SIDE, "");
    axis_horizontal(f, &x, TOP + SIDE, c->x_unit);
    fprintf(f, "<text class=\"unit\" text-anchor=\"middle\" transform=\"translate(%d %d) rotate(-90)\">", PANEL_WIDTH - 14,
            TOP + SIDE / 2);
    put_text(f, c->y_unit);
    svg_text_end(f);
    for (size_t i = 0; i < c->n_sets; i++) {
        draw_set(f, &c->sets[i], &x, &y);
    }
    if (c->joined && c->n_sets == 2) {
        draw_joins(f, c, &x, &y);
    }
    draw_legend(f, c);
}
