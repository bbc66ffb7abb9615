/* SPDX-License-Identifier: Apache-2.0 */
/* The charts of the page, each drawn into a panel of PANEL_WIDTH units from (0, 0). */
#ifndef PAGE_CHART_H
#define PAGE_CHART_H

#include "page_svg.h"

enum { PANEL_WIDTH = 360, LINE_HEIGHT = 232, COLUMN_HEIGHT = 232, MAP_HEIGHT = 356, LABEL_BYTES = 48 };

/* ---- scales and axes ---- */

typedef struct scale {
    double low, high; /* of the data */
    double from, to;  /* on paper */
    double step;      /* between ticks; multiples of it */
    int decimals;     /* that a tick needs */
} scale;

/* About `ticks` round numbers, whole ones where `whole` is set; the ends are moved out to ticks where `loose` is set. A
 * range without extent, or none, becomes one that can be drawn. */
scale scale_make(double low, double high, double from, double to, int ticks, bool whole, bool loose);
double scale_at(const scale *s, double value);
/* Grid lines and labels of a vertical axis whose panel goes from left to right, its unit above it. */
void axis_vertical(FILE *f, const scale *s, double left, double right, const char *unit);
/* Ticks and labels below a panel, and what is counted. */
void axis_horizontal(FILE *f, const scale *s, double bottom, const char *unit);

/* ---- lines ---- */

typedef struct chart_line {
    char label[LABEL_BYTES]; /* short: beside its end */
    size_t style;            /* below SERIES */
    double *x, *y;           /* n; what is not finite is not drawn */
    double *low, *high;      /* a band around it; NULL: none */
    size_t n;
} chart_line;

typedef struct line_chart {
    chart_line lines[2 * SERIES];
    size_t n;
    const char *x_unit, *y_unit, *point; /* "epoch": what a point is called in hints */
    bool from_zero;
    double low, high; /* both 0: from the data */
    double mark;      /* a vertical line there; NaN: none */
    char mark_label[LABEL_BYTES];
} line_chart;

void draw_lines(FILE *f, const line_chart *chart);

/* ---- bars, one below the other, and columns, side by side ---- */

typedef struct chart_bar {
    char label[LABEL_BYTES];
    double values[SERIES + 1];
} chart_bar;

enum { MOST_BARS = 24 };

typedef struct bar_chart {
    chart_bar bars[MOST_BARS];
    size_t n, n_series;
    size_t styles[SERIES + 1];            /* of each series; SERIES is the yardstick, drawn hollow */
    size_t bar_styles[MOST_BARS];         /* where there is one series: of each bar */
    char series[SERIES + 1][LABEL_BYTES]; /* "model", "popularity" */
    const char *x_unit, *y_unit;
    bool percent;
} bar_chart;

double bars_height(const bar_chart *chart);
void draw_bars(FILE *f, const bar_chart *chart);
void draw_columns(FILE *f, const bar_chart *chart);

/* ---- points ---- */

typedef struct point_set {
    char label[LABEL_BYTES];
    size_t style;
    double *x, *y; /* n */
    size_t n;
} point_set;

typedef struct point_chart {
    point_set sets[SERIES];
    size_t n_sets;
    double reach; /* both axes go from -reach to reach */
    bool joined;  /* the first few points of the first two sets are joined by lines */
    char x_unit[LABEL_BYTES], y_unit[LABEL_BYTES];
} point_chart;

void draw_points(FILE *f, const point_chart *chart);

#endif
