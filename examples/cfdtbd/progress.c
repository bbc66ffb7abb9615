/* SPDX-License-Identifier: Apache-2.0 */
/* The progress line. There is one terminal, so its state is the program's. */
#define _POSIX_C_SOURCE 200809L
#include "progress.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LINE_COLUMNS 79
#define BAR_COLUMNS 20
#define REDRAW_SECONDS 0.1

static size_t drawn;         /* columns of the line that stands on the terminal */
static double drawn_seconds; /* when it was drawn, on the clock of the training */

void progress_clear(void)
{
    if (drawn > 0) {
        fprintf(stderr, "\r%*s\r", (int)drawn, "");
        drawn = 0;
    }
}

/* "1:02:03", "2:03" */
static void duration(double seconds, char text[32])
{
    double most = 359999;
    long whole = (long)(seconds < most ? seconds + 0.5 : most);
    if (whole >= 3600) {
        snprintf(text, 32, "%ld:%02ld:%02ld", whole / 3600, whole / 60 % 60, whole % 60);
    } else {
        snprintf(text, 32, "%ld:%02ld", whole / 60, whole % 60);
    }
}

static void draw(const cfd_progress *p, const char *evaluated)
{
    char bar[BAR_COLUMNS + 1], left[32], line[160];
    double done = (double)(p->epoch - 1) * (double)p->n_steps + (double)p->step;
    double all = (double)p->n_epochs * (double)p->n_steps;
    double share = all > 0 && done < all ? done / all : 1;
    double rate = p->seconds > 0 ? done / p->seconds : 0;
    memset(bar, '.', BAR_COLUMNS);
    memset(bar, '#', (size_t)(share * BAR_COLUMNS));
    bar[BAR_COLUMNS] = '\0';
    duration(rate > 0 ? (all - done) / rate : 0, left);
    snprintf(line, sizeof line, "epoch %d/%d [%s] %.1f steps/s, %s left%s", (int)p->epoch, (int)p->n_epochs, bar, rate, left,
             evaluated);
    line[LINE_COLUMNS] = '\0';
    size_t width = strlen(line);
    fprintf(stderr, "\r%s%*s", line, drawn > width ? (int)(drawn - width) : 0, "");
    (void)fflush(stderr);
    drawn = width;
    drawn_seconds = p->seconds;
}

static void print_epoch(const cfd_progress *p, const char *split)
{
    char line[512];
    size_t n = (size_t)snprintf(line, sizeof line, "epoch %d/%d", (int)p->epoch, (int)p->n_epochs);
    if (p->losses) {
        n += (size_t)snprintf(line + n, sizeof line - n, "  loss %.5g", p->losses->total);
    }
    n += (size_t)snprintf(line + n, sizeof line - n, "  %.2f s", p->epoch_seconds);
    if (p->metrics && p->n_metrics > 0) {
        const cfd_metrics *m = &p->metrics[0];
        snprintf(line + n, sizeof line - n, "  %s hr@%d %.4f ndcg@%d %.4f%s", split, (int)m->k, m->hr, (int)m->k, m->ndcg,
                 p->improved ? "  best so far" : "");
    }
    fprintf(stderr, "%s\n", line);
}

void progress_show(const cfd_progress *p, const char *split)
{
    static int terminal = -1;
    static char evaluated[40]; /* what the last evaluation said */
    if (terminal < 0) {
        terminal = isatty(STDERR_FILENO);
    }
    if (p->metrics && p->n_metrics > 0) {
        snprintf(evaluated, sizeof evaluated, "  hr@%d %.4f%s", (int)p->metrics[0].k, p->metrics[0].hr,
                 p->improved ? " *" : "");
    }
    if (!terminal) {
        if (p->epoch_ended) {
            print_epoch(p, split);
        }
    } else if (drawn == 0 || p->seconds - drawn_seconds >= REDRAW_SECONDS) {
        draw(p, evaluated);
    }
}
