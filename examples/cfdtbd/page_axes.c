/* SPDX-License-Identifier: Apache-2.0 */
/* Scales with round ticks, and the axes that show them. */
#include "page_chart.h"

#include <math.h>

enum { MOST_TICKS = 20 };

/* The least of 1, 2, 5, 10, ... times a power of ten that is not below `least`. */
static double round_step(double least)
{
    static const double factors[] = {1.0, 2.0, 5.0, 10.0};
    double power = pow(10.0, floor(log10(least)));
    for (size_t i = 0; i < 4; i++) {
        if (factors[i] * power >= least * (1.0 - 1e-9)) {
            return factors[i] * power;
        }
    }
    return 10.0 * power;
}

scale scale_make(double low, double high, double from, double to, int ticks, bool whole, bool loose)
{
    if (!isfinite(low) || !isfinite(high)) {
        low = 0.0;
        high = 1.0;
    }
    double size = fmax(fabs(low), fabs(high));
    if (!(high - low > 1e-9 * size)) { /* all the same */
        double room = size > 0.0 ? 0.1 * size : 1.0;
        low -= whole ? fmax(1.0, room) : room;
        high += whole ? fmax(1.0, room) : room;
    }
    double step = round_step((high - low) / ticks);
    step = whole && step < 1.0 ? 1.0 : step;
    if (loose) {
        low = floor(low / step + 1e-9) * step;
        high = ceil(high / step - 1e-9) * step;
    }
    int decimals = step < 1.0 ? (int)ceil(-log10(step) - 1e-9) : 0;
    return (scale){low, high, from, to, step, decimals > 12 ? 12 : decimals};
}

double scale_at(const scale *s, double value)
{
    return s->from + (value - s->low) / (s->high - s->low) * (s->to - s->from);
}

static void put_tick(FILE *f, const scale *s, double value)
{
    char text[NUMBER_BYTES];
    double size = fmax(fabs(s->low), fabs(s->high));
    fputs(size >= 1e5 || size < 1e-3 ? significant_text(text, value, 3) : number_text(text, value, s->decimals), f);
}

static double first_tick(const scale *s)
{
    return ceil(s->low / s->step - 1e-9);
}

static bool is_within(const scale *s, double tick)
{
    return tick * s->step <= s->high + 1e-9 * s->step;
}

void axis_vertical(FILE *f, const scale *s, double left, double right, const char *unit)
{
    for (int i = 0; i < MOST_TICKS && is_within(s, first_tick(s) + i); i++) {
        double tick = first_tick(s) + i;
        double y = scale_at(s, tick * s->step);
        svg_line(f, left, y, right, y, fabs(tick) < 0.5 ? "zero" : "grid");
        svg_text(f, left - 7, y + 4, "end", "tick");
        put_tick(f, s, tick * s->step);
        svg_text_end(f);
    }
    svg_text(f, 4, 12, "start", "unit");
    put_text(f, unit);
    svg_text_end(f);
}

void axis_horizontal(FILE *f, const scale *s, double bottom, const char *unit)
{
    svg_line(f, s->from, bottom, s->to, bottom, "axis");
    for (int i = 0; i < MOST_TICKS && is_within(s, first_tick(s) + i); i++) {
        double tick = first_tick(s) + i;
        double x = scale_at(s, tick * s->step);
        svg_line(f, x, bottom, x, bottom + 4, "axis");
        svg_text(f, x, bottom + 17, "middle", "tick");
        put_tick(f, s, tick * s->step);
        svg_text_end(f);
    }
    svg_text(f, (s->from + s->to) / 2.0, bottom + 34, "middle", "unit");
    put_text(f, unit);
    svg_text_end(f);
}
