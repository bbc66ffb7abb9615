/* SPDX-License-Identifier: Apache-2.0 */
/* Bars, one below the other with name and number beside each, and columns of groups side by side. */
#include "page_chart.h"

#include <math.h>
#include <string.h>

enum { BAR_LEFT = 128, BAR_RIGHT = PANEL_WIDTH - 58, BAR_TOP = 8, GROUP_GAP = 9, BAR_MIN = 11 };
enum { LEFT = 48, RIGHT = PANEL_WIDTH - 8, TOP = 44, BOTTOM = COLUMN_HEIGHT - 42 };

static void put_value(FILE *f, const bar_chart *c, double value)
{
    if (c->percent) {
        put_number(f, 100.0 * value, 1);
        fputs("\xe2\x80\xaf%", f);
    } else {
        put_significant(f, value, 3);
    }
}

static void put_hint(FILE *f, const bar_chart *c, size_t bar, size_t series)
{
    fputs("<title>", f);
    put_text(f, c->bars[bar].label);
    if (c->n_series > 1) {
        fputs(", ", f);
        put_text(f, c->series[series]);
    }
    fputs(": ", f);
    put_value(f, c, c->bars[bar].values[series]);
    fputs("</title>", f);
}

static size_t style_of(const bar_chart *c, size_t bar, size_t series)
{
    return c->n_series == 1 ? c->bar_styles[bar] : c->styles[series];
}

static void draw_bar(FILE *f, const bar_chart *c, size_t bar, size_t series, double x, double y, double width, double height)
{
    size_t style = style_of(c, bar, series);
    fprintf(f, "<rect class=\"%s c%zu\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\">",
            style == SERIES ? "yardstick" : "bar", style, x, y, fmax(width, 0.0), fmax(height, 0.0));
    put_hint(f, c, bar, series);
    fputs("</rect>\n", f);
}

static void find_range(const bar_chart *c, double *low, double *high)
{
    *low = 0.0;
    *high = 0.0;
    for (size_t i = 0; i < c->n; i++) {
        for (size_t s = 0; s < c->n_series; s++) {
            double v = c->bars[i].values[s];
            *low = isfinite(v) ? fmin(*low, v) : *low;
            *high = isfinite(v) ? fmax(*high, v) : *high;
        }
    }
    *high = *high > *low ? *high : *low + 1.0;
}

/* ---- bars ---- */

static double group_height(const bar_chart *c)
{
    return c->n_series == 1 ? 17.0 : BAR_MIN * (double)c->n_series;
}

double bars_height(const bar_chart *c)
{
    return BAR_TOP + (double)c->n * (group_height(c) + GROUP_GAP) + 4.0;
}

void draw_bars(FILE *f, const bar_chart *c)
{
    double low;
    double high;
    double height = group_height(c);
    find_range(c, &low, &high);
    scale s = {low, high, BAR_LEFT, BAR_RIGHT, 1.0, 0};
    double zero = scale_at(&s, 0.0);
    for (size_t i = 0; i < c->n; i++) {
        double top = BAR_TOP + (double)i * (height + GROUP_GAP);
        svg_text(f, BAR_LEFT - 8, top + height / 2.0 + 4, "end", "name");
        put_cut_text(f, c->bars[i].label, 20);
        svg_text_end(f);
        for (size_t b = 0; b < c->n_series; b++) {
            double v = c->bars[i].values[b];
            double each = height / (double)c->n_series;
            double y = top + (double)b * each;
            double end = isfinite(v) ? scale_at(&s, v) : zero;
            draw_bar(f, c, i, b, fmin(zero, end), y, fabs(end - zero), each - (c->n_series > 1 ? 1.5 : 0.0));
            svg_text(f, fmax(zero, end) + 5, y + each / 2.0 + 3.5, "start", c->n_series > 1 ? "small" : "value");
            if (c->n_series > 1) {
                put_cut_text(f, c->series[b], 2);
                fputs("\xe2\x80\x82", f);
            }
            put_value(f, c, v);
            svg_text_end(f);
        }
    }
    svg_line(f, zero, BAR_TOP - 4, zero, bars_height(c) - 6, "axis");
}

/* ---- columns ---- */

static void draw_legend(FILE *f, const bar_chart *c)
{
    double x = LEFT;
    double gap = c->n_series > 4 ? 5.0 : 14.0;
    for (size_t s = 0; s < c->n_series; s++) {
        size_t style = style_of(c, 0, s);
        fprintf(f, "<rect class=\"%s c%zu\" x=\"%.1f\" y=\"19\" width=\"10\" height=\"10\"/>\n",
                style == SERIES ? "yardstick" : "bar", style, x);
        svg_text(f, x + 14, 28, "start", "name");
        put_cut_text(f, c->series[s], 12);
        svg_text_end(f);
        x += 14.0 + 6.6 * (double)(strlen(c->series[s]) < 12 ? strlen(c->series[s]) : 12) + gap;
    }
}

enum label_size { LABEL_FULL, LABEL_SMALL, LABEL_STAGGERED };

static size_t characters(const char *text)
{
    size_t n = 0;
    for (; *text; text++) {
        n += ((unsigned char)*text & 0xc0u) != 0x80u;
    }
    return n;
}

/* As large as the longest label below its column allows. */
static enum label_size find_label_size(const bar_chart *c, double pitch)
{
    size_t longest = 0;
    for (size_t i = 0; i < c->n; i++) {
        size_t n = characters(c->bars[i].label);
        longest = n > longest ? n : longest;
    }
    return 6.6 * (double)longest <= pitch - 4.0   ? LABEL_FULL
           : 5.5 * (double)longest <= pitch - 2.0 ? LABEL_SMALL
                                                  : LABEL_STAGGERED;
}

void draw_columns(FILE *f, const bar_chart *c)
{
    double low;
    double high;
    find_range(c, &low, &high);
    scale y = scale_make(low, high, BOTTOM, TOP, 5, false, true);
    axis_vertical(f, &y, LEFT, RIGHT, c->y_unit);
    draw_legend(f, c);
    double pitch = (RIGHT - LEFT) / (double)c->n;
    enum label_size size = find_label_size(c, pitch);
    double width = fmin(22.0, pitch * 0.8 / (double)c->n_series);
    for (size_t i = 0; i < c->n; i++) {
        double middle = LEFT + ((double)i + 0.5) * pitch;
        double x = middle - width * (double)c->n_series / 2.0;
        for (size_t s = 0; s < c->n_series; s++) {
            double v = isfinite(c->bars[i].values[s]) ? c->bars[i].values[s] : 0.0;
            double end = scale_at(&y, v);
            double zero = scale_at(&y, 0.0);
            draw_bar(f, c, i, s, x + width * (double)s + 0.5, fmin(zero, end), width - 1.0, fabs(zero - end));
        }
        bool lower = size == LABEL_STAGGERED && i % 2 == 1;
        svg_text(f, middle, BOTTOM + (lower ? 24 : 14), "middle", size == LABEL_FULL ? "tick" : "tick small");
        put_cut_text(f, c->bars[i].label, 16);
        svg_text_end(f);
    }
    for (size_t i = 0; i < c->n && c->n_series <= 2; i++) { /* over all columns: the model's numbers */
        double v = c->bars[i].values[0];
        double x = LEFT + ((double)i + 0.5) * pitch - width * (double)(c->n_series - 1) / 2.0;
        svg_text(f, x, scale_at(&y, isfinite(v) ? v : 0.0) - 4, "middle", "small halo");
        put_number(f, v, 3);
        svg_text_end(f);
    }
    svg_text(f, (LEFT + RIGHT) / 2.0, BOTTOM + (size == LABEL_STAGGERED ? 39 : 34), "middle", "unit");
    put_text(f, c->x_unit);
    svg_text_end(f);
}
