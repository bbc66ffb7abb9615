/* SPDX-License-Identifier: Apache-2.0 */
/* The figures of the page: what is drawn of one run, or of several beside each other. */
#ifndef PAGE_FIGURE_H
#define PAGE_FIGURE_H

#include "page_chart.h"
#include "page_run.h"

enum { MOST_RUNS = SERIES, MOST_PANELS = 2 * SERIES, CAPTION_BYTES = 1200, TITLE_BYTES = 96 };

/* Memory that lives as long as the runs. */
typedef struct room {
    void **blocks;
    size_t n, capacity;
} room;

/* Zeroed. Ends the program with a message where memory is short: nothing was written yet. */
void *room_take(room *r, size_t count, size_t size);
void room_release(room *r);

typedef struct runs {
    run_file files[MOST_RUNS];
    size_t n;
    room room;
} runs;

/* "A", "B", ...: how a run is called beside others. */
const char *run_letter(size_t run);

enum panel_kind { PANEL_LINES, PANEL_BARS, PANEL_COLUMNS, PANEL_POINTS };

typedef struct panel {
    char title[TITLE_BYTES];
    enum panel_kind kind;
    const void *chart; /* of its kind */
} panel;

typedef struct figure {
    const char *name, *title;    /* "cosine": of its file */
    char caption[CAPTION_BYTES]; /* what is seen and how to read it; where there are no panels, why */
    panel panels[MOST_PANELS];
    size_t n;
} figure;

void figure_say(figure *fig, const char *format, ...) RUN_PATH(2, 3); /* adds to the caption */
/* A further panel, NULL where there is no room for one. */
panel *figure_add(figure *fig, enum panel_kind kind, const void *chart);
double panel_height(const panel *p);
void panel_draw(FILE *f, const panel *p);
/* A figure as an SVG file of its own, panels side by side. */
void figure_write_svg(FILE *f, const figure *fig);

/* ---- which there are ---- */

void figure_losses(runs *r, figure *fig);
void figure_metrics(runs *r, figure *fig);
void figure_cosine(runs *r, figure *fig);
void figure_map(runs *r, figure *fig);
void figure_shares(runs *r, figure *fig);
void figure_items(runs *r, figure *fig);
void figure_users(runs *r, figure *fig);

/* An empty line of a chart with room for n points. */
chart_line *add_line(runs *r, line_chart *chart, const char *label, size_t style, size_t n);
/* A chart over epochs, the best one of the only run marked; and its panel, where it has a line. */
line_chart *new_lines(runs *r, const char *unit);
void add_line_panel(figure *fig, const line_chart *chart, const char *title);

/* ---- styles ---- */

/* Colours as variables for light, dark and print; what charts are drawn with; the rest of the page. */
void style_palette(FILE *f);
void style_charts(FILE *f);
void style_page(FILE *f);

/* ---- parts of the page that are no figures ---- */

void put_header(FILE *f, const runs *r);
void put_results(FILE *f, const runs *r);
void put_settings(FILE *f, const runs *r);

#endif
