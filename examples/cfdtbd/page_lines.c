/* SPDX-License-Identifier: Apache-2.0 */
/* Curves: lines with their names at their ends, bands around them, a mark at one place. */
#include "page_chart.h"

#include <math.h>
#include <string.h>

enum { LEFT = 48, TOP = 24, BOTTOM = LINE_HEIGHT - 42, APART = 14, MARKS = 6, MOST_HINTS = 120, NAME = 12 };

/* ---- ranges ---- */

static void widen(double *low, double *high, const double *values, size_t n)
{
    for (size_t i = 0; values && i < n; i++) {
        if (isfinite(values[i])) {
            *low = fmin(*low, values[i]);
            *high = fmax(*high, values[i]);
        }
    }
}

/* Where the panel ends, so that the names beside it have room. */
static double right_end(const line_chart *c)
{
    size_t longest = 4;
    for (size_t i = 0; i < c->n; i++) {
        size_t n = strlen(c->lines[i].label);
        longest = n > longest ? n : longest;
    }
    return PANEL_WIDTH - 24.0 - 6.2 * (double)(longest < NAME ? longest : NAME);
}

static void find_scales(const line_chart *c, scale *x, scale *y)
{
    double x_low = INFINITY;
    double x_high = -INFINITY;
    double y_low = c->from_zero ? 0.0 : INFINITY;
    double y_high = c->from_zero ? 0.0 : -INFINITY;
    for (size_t i = 0; i < c->n; i++) {
        const chart_line *l = &c->lines[i];
        widen(&x_low, &x_high, l->x, l->n);
        widen(&y_low, &y_high, l->y, l->n);
        widen(&y_low, &y_high, l->low, l->n);
        widen(&y_low, &y_high, l->high, l->n);
    }
    bool given = c->low < c->high;
    *x = scale_make(x_low, x_high, LEFT, right_end(c), 6, true, false);
    *y = scale_make(given ? c->low : y_low, given ? c->high : y_high, BOTTOM, TOP, 5, false, true);
}

static bool is_drawn(const chart_line *l, size_t i)
{
    return isfinite(l->x[i]) && isfinite(l->y[i]);
}

/* ---- one line ---- */

static void draw_band(FILE *f, const chart_line *l, const scale *x, const scale *y)
{
    size_t n = 0;
    for (size_t i = 0; l->low && l->high && i < l->n; i++) {
        n += isfinite(l->x[i]) && isfinite(l->low[i]) && isfinite(l->high[i]);
    }
    if (n < 2 || n < l->n) {
        return;
    }
    fprintf(f, "<path class=\"band c%zu\" d=\"", l->style);
    for (size_t i = 0; i < n; i++) {
        fprintf(f, "%c%.1f %.1f", i ? 'L' : 'M', scale_at(x, l->x[i]), scale_at(y, l->high[i]));
    }
    for (size_t i = n; i > 0; i--) {
        fprintf(f, "L%.1f %.1f", scale_at(x, l->x[i - 1]), scale_at(y, l->low[i - 1]));
    }
    fputs("z\"/>\n", f);
}

static void draw_curve(FILE *f, const chart_line *l, const scale *x, const scale *y)
{
    bool open = false;
    fprintf(f, "<path class=\"line c%zu d%zu\" d=\"", l->style, l->style);
    for (size_t i = 0; i < l->n; i++) {
        if (is_drawn(l, i)) {
            fprintf(f, "%c%.1f %.1f", open ? 'L' : 'M', scale_at(x, l->x[i]), scale_at(y, l->y[i]));
        }
        open = is_drawn(l, i);
    }
    fputs("\"/>\n", f);
}

/* A few marks, so that a line is known without its colour. */
static void draw_marks(FILE *f, const chart_line *l, const scale *x, const scale *y)
{
    size_t every = l->n <= 2 * MARKS ? 1 : (l->n + MARKS - 1) / MARKS;
    for (size_t i = 0; i < l->n; i++) {
        bool wanted = i + 1 == l->n || (i % every == 0 && l->n - 1 - i >= (every + 1) / 2);
        if (wanted && is_drawn(l, i)) {
            svg_mark(f, l->style, scale_at(x, l->x[i]), scale_at(y, l->y[i]));
        }
    }
}

/* What a pointer that rests on a point is told. */
static void draw_hints(FILE *f, const line_chart *c, const chart_line *l, const scale *x, const scale *y)
{
    size_t every = (l->n + MOST_HINTS - 1) / MOST_HINTS;
    for (size_t i = 0; i < l->n; i += every) {
        if (is_drawn(l, i)) {
            fprintf(f, "<circle class=\"hint\" cx=\"%.1f\" cy=\"%.1f\" r=\"6\"><title>", scale_at(x, l->x[i]),
                    scale_at(y, l->y[i]));
            put_text(f, l->label);
            fprintf(f, ", %s %.0f: ", c->point, l->x[i]);
            put_significant(f, l->y[i], 4);
            fputs("</title></circle>\n", f);
        }
    }
}

/* ---- names at the ends ---- */

typedef struct name {
    const chart_line *line;
    double at, y; /* where the line ends; where its name stands */
} name;

/* In the order of the ends, each at least APART below the one before, none beyond the panel. */
static void spread(name *names, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        name moved = names[i];
        size_t j = i;
        for (; j > 0 && names[j - 1].at > moved.at; j--) {
            names[j] = names[j - 1];
        }
        names[j] = moved;
    }
    double apart = n > 1 ? fmin(APART, (BOTTOM - TOP + 8.0) / (double)(n - 1)) : APART;
    for (size_t i = 0; i < n; i++) {
        names[i].y = i > 0 ? fmax(names[i].at, names[i - 1].y + apart) : fmax(names[i].at, TOP - 2);
    }
    double lowest = BOTTOM + 4;
    for (size_t i = n; i > 0; i--) {
        names[i - 1].y = fmin(names[i - 1].y, lowest);
        lowest = names[i - 1].y - apart;
    }
}

static void draw_names(FILE *f, const line_chart *c, const scale *x, const scale *y)
{
    name names[2 * SERIES];
    size_t n = 0;
    for (size_t i = 0; i < c->n; i++) {
        const chart_line *l = &c->lines[i];
        for (size_t last = l->n; last > 0; last--) {
            if (is_drawn(l, last - 1)) {
                names[n++] = (name){l, scale_at(y, l->y[last - 1]), 0.0};
                break;
            }
        }
    }
    spread(names, n);
    for (size_t i = 0; i < n; i++) {
        const chart_line *l = names[i].line;
        size_t last = l->n;
        while (!is_drawn(l, last - 1)) {
            last--;
        }
        svg_line(f, scale_at(x, l->x[last - 1]) + 4, names[i].at, x->to + 8, names[i].y, "leader");
        svg_mark(f, l->style, x->to + 13, names[i].y);
        svg_text(f, x->to + 20, names[i].y + 4, "start", "name");
        put_cut_text(f, l->label, NAME);
        svg_text_end(f);
    }
}

void draw_lines(FILE *f, const line_chart *chart)
{
    scale x;
    scale y;
    find_scales(chart, &x, &y);
    axis_vertical(f, &y, LEFT, x.to, chart->y_unit);
    axis_horizontal(f, &x, BOTTOM, chart->x_unit);
    if (isfinite(chart->mark) && chart->mark >= x.low && chart->mark <= x.high) {
        double at = scale_at(&x, chart->mark);
        svg_line(f, at, TOP, at, BOTTOM, "best");
        svg_text(f, x.to, 12, "end", "note");
        put_text(f, chart->mark_label);
        svg_text_end(f);
    }
    for (size_t i = 0; i < chart->n; i++) {
        draw_band(f, &chart->lines[i], &x, &y);
    }
    for (size_t i = 0; i < chart->n; i++) {
        draw_curve(f, &chart->lines[i], &x, &y);
        draw_marks(f, &chart->lines[i], &x, &y);
    }
    draw_names(f, chart, &x, &y);
    for (size_t i = 0; i < chart->n; i++) {
        draw_hints(f, chart, &chart->lines[i], &x, &y);
    }
}
