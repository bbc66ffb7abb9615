/* SPDX-License-Identifier: Apache-2.0 */
/* Figures: their memory, their panels, and each as a file. */
#include "page_figure.h"

#include "../common/messages.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* ---- memory ---- */

void *room_take(room *r, size_t count, size_t size)
{
    if (r->n == r->capacity) {
        size_t capacity = r->capacity ? 2 * r->capacity : 256;
        void **blocks = realloc(r->blocks, capacity * sizeof *blocks);
        if (!blocks) {
            exit(out_of_memory());
        }
        r->blocks = blocks;
        r->capacity = capacity;
    }
    void *block = calloc(count > 0 ? count : 1, size);
    if (!block) {
        exit(out_of_memory());
    }
    r->blocks[r->n++] = block;
    return block;
}

void room_release(room *r)
{
    for (size_t i = 0; i < r->n; i++) {
        free(r->blocks[i]);
    }
    free(r->blocks);
    *r = (room){NULL, 0, 0};
}

const char *run_letter(size_t run)
{
    static const char *const letters[MOST_RUNS] = {"A", "B", "C", "D", "E", "F", "G", "H"};
    return letters[run % MOST_RUNS];
}

/* ---- panels ---- */

void figure_say(figure *fig, const char *format, ...)
{
    size_t length = strlen(fig->caption);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(fig->caption + length, CAPTION_BYTES - length, format, arguments);
    va_end(arguments);
}

panel *figure_add(figure *fig, enum panel_kind kind, const void *chart)
{
    if (fig->n == MOST_PANELS) {
        return NULL;
    }
    panel *p = &fig->panels[fig->n++];
    *p = (panel){.kind = kind, .chart = chart};
    return p;
}

double panel_height(const panel *p)
{
    switch (p->kind) {
    case PANEL_LINES: return LINE_HEIGHT;
    case PANEL_BARS: return bars_height(p->chart);
    case PANEL_COLUMNS: return COLUMN_HEIGHT;
    case PANEL_POINTS: return MAP_HEIGHT;
    }
    return 0.0;
}

void panel_draw(FILE *f, const panel *p)
{
    switch (p->kind) {
    case PANEL_LINES: draw_lines(f, p->chart); break;
    case PANEL_BARS: draw_bars(f, p->chart); break;
    case PANEL_COLUMNS: draw_columns(f, p->chart); break;
    case PANEL_POINTS: draw_points(f, p->chart); break;
    }
}

/* ---- files ---- */

enum { MARGIN = 16, HEAD = 26, COLUMNS = 3 };

void figure_write_svg(FILE *f, const figure *fig)
{
    size_t columns = fig->n < COLUMNS ? fig->n : COLUMNS;
    columns = columns > 0 ? columns : 1;
    size_t rows = (fig->n + columns - 1) / columns;
    double height = 0.0;
    for (size_t i = 0; i < fig->n; i++) {
        height = fmax(height, panel_height(&fig->panels[i]) + HEAD + MARGIN);
    }
    double all_height = MARGIN + height * (double)rows;
    double all_width = MARGIN + (PANEL_WIDTH + MARGIN) * (double)columns;
    fprintf(
        f,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%.0f\" viewBox=\"0 0 %.0f %.0f\" role=\"img\">\n",
        all_width, all_height, all_width, all_height);
    fputs("<!-- SPDX-License-Identifier: Apache-2.0 -->\n<title>", f);
    put_text(f, fig->title);
    fputs("</title>\n<desc>", f);
    put_text(f, fig->caption);
    fputs("</desc>\n<style>\n", f);
    style_palette(f);
    style_charts(f);
    fprintf(f, "</style>\n<rect class=\"paper\" width=\"%.0f\" height=\"%.0f\" rx=\"6\"/>\n", all_width, all_height);
    for (size_t i = 0; i < fig->n; i++) {
        size_t row = i / columns;
        size_t column = i % columns;
        double x = MARGIN + (PANEL_WIDTH + MARGIN) * (double)column;
        double y = MARGIN + height * (double)row;
        fprintf(f, "<g transform=\"translate(%.0f %.0f)\">\n", x, y);
        svg_text(f, 4, 13, "start", "title");
        put_cut_text(f, fig->panels[i].title, 52);
        svg_text_end(f);
        fprintf(f, "<g transform=\"translate(0 %d)\">\n", HEAD);
        panel_draw(f, &fig->panels[i]);
        fputs("</g>\n</g>\n", f);
    }
    fputs("</svg>\n", f);
}
