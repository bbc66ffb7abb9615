/* SPDX-License-Identifier: Apache-2.0 */
/* cfdtbd report: a page, and single figures, of reports of training runs. */
#include "commands.h"
#include "program.h"

#ifdef CFDTBD_HAS_JANSSON

#include "page_figure.h"
#include "replace_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct report_choices {
    const char *out, *figures;
} report_choices;

/* A figure and the heading that begins with it; NULL: it goes on under the one before. */
typedef struct entry {
    const char *heading;
    void (*make)(runs *r, figure *fig);
} entry;

static const entry entries[] = {
    {"Learning", figure_metrics},
    {NULL, figure_losses},
    {"Disentangling", figure_cosine},
    {NULL, figure_map},
    {"What the scores are made of", figure_shares},
    {"For which items and users it works", figure_items},
    {NULL, figure_users},
};

enum { N_FIGURES = sizeof entries / sizeof entries[0] };

/* ---- the page ---- */

static void put_panel(FILE *f, const panel *p)
{
    fputs("<div><h3>", f);
    put_text(f, p->title);
    fprintf(f, "</h3>\n<svg viewBox=\"0 0 %d %.0f\" role=\"img\" aria-label=\"", PANEL_WIDTH, panel_height(p));
    put_text(f, p->title);
    fputs("\">\n", f);
    panel_draw(f, p);
    fputs("</svg></div>\n", f);
}

static void put_figure(FILE *f, const figure *fig)
{
    if (fig->n == 0) {
        fputs("<p class=\"missing\">", f);
        put_text(f, fig->caption);
        fputs("</p>\n", f);
        return;
    }
    fprintf(f, "<figure id=\"%s\">\n<figcaption><strong>", fig->name);
    put_text(f, fig->title);
    fputs(".</strong> ", f);
    put_text(f, fig->caption);
    fputs("</figcaption>\n<div class=\"panels\">\n", f);
    for (size_t i = 0; i < fig->n; i++) {
        put_panel(f, &fig->panels[i]);
    }
    fputs("</div>\n</figure>\n", f);
}

static void put_page(FILE *f, const runs *r, const figure *figures)
{
    fputs("<!DOCTYPE html>\n<html xmlns=\"http://www.w3.org/1999/xhtml\" lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
          "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
          "<meta name=\"color-scheme\" content=\"light dark\"/>\n<title>",
          f);
    for (size_t i = 0; i < r->n; i++) {
        fputs(i > 0 ? ", " : "", f);
        put_text(f, r->files[i].name);
    }
    fputs(" \xe2\x80\x93 cfdtbd</title>\n<style>\n", f);
    style_palette(f);
    style_page(f);
    style_charts(f);
    fputs("</style>\n</head>\n<body>\n<main>\n", f);
    put_header(f, r);
    put_results(f, r);
    for (size_t i = 0; i < N_FIGURES; i++) {
        if (entries[i].heading) {
            fprintf(f, "<h2>%s</h2>\n", entries[i].heading);
        }
        put_figure(f, &figures[i]);
    }
    put_settings(f, r);
    fprintf(
        f,
        "<footer>Written by cfdtbd %s. docs/report.md says how each number is found.</footer>\n</main>\n</body>\n</html>\n",
        cfd_version());
}

/* ---- files ---- */

static int write_page(const report_choices *c, const runs *r, const figure *figures)
{
    replacement target;
    int code = replacement_open(&target, c->out);
    if (code != EXIT_DONE) {
        return code;
    }
    put_page(target.file, r, figures);
    return replacement_commit(&target);
}

/* Of figures that have panels, one file each. */
static int write_figures(const report_choices *c, const figure *figures)
{
    int code = EXIT_DONE;
    for (size_t i = 0; i < N_FIGURES && code == EXIT_DONE; i++) {
        size_t size = strlen(c->figures) + strlen(figures[i].name) + sizeof "/.svg";
        char *path = malloc(size);
        replacement target;
        if (!path) {
            return out_of_memory();
        }
        snprintf(path, size, "%s/%s.svg", c->figures, figures[i].name);
        code = figures[i].n > 0 ? replacement_open(&target, path) : EXIT_DONE;
        if (code == EXIT_DONE && figures[i].n > 0) {
            figure_write_svg(target.file, &figures[i]);
            code = replacement_commit(&target);
        }
        free(path);
    }
    return code;
}

static int report(const report_choices *c, const char *const *paths)
{
    runs r = {.n = 0};
    int code = EXIT_DONE;
    for (; r.n < MOST_RUNS && paths[r.n] && code == EXIT_DONE; r.n++) {
        if (c->out && replacement_same(c->out, paths[r.n])) {
            code = usage_error("report: --out and %s are the same file", paths[r.n]);
        } else {
            code = run_open(&r.files[r.n], paths[r.n]);
        }
    }
    if (code == EXIT_DONE) {
        figure *figures = room_take(&r.room, N_FIGURES, sizeof *figures);
        for (size_t i = 0; i < N_FIGURES; i++) {
            entries[i].make(&r, &figures[i]);
        }
        code = c->out ? write_page(c, &r, figures) : EXIT_DONE;
        if (code == EXIT_DONE && c->figures) {
            code = write_figures(c, figures);
        }
    }
    for (size_t i = 0; i < r.n; i++) {
        run_close(&r.files[i]);
    }
    room_release(&r.room);
    return code;
}

#endif

int report_command(int argc, char **argv)
{
    const char *out = NULL;
    const char *figures = NULL;
    const char *paths[8 + 1] = {NULL};
    static const char *const names[] = {"RUN.json",  "MORE.json", "MORE.json", "MORE.json",
                                        "MORE.json", "MORE.json", "MORE.json", "MORE.json"};
    const option options[] = {
        {"out", "FILE.html", "write the page there", OPTION_TEXT, &out, 0, 0},
        {"figures", "DIR", "write each figure there, in a file of its own (cosine.svg, ...)", OPTION_TEXT, &figures, 0, 0},
    };
    const command_line line = {"report",
                               "Draws what cfdtbd train --report wrote: a page of one run, or of up to eight compared.",
                               names,
                               sizeof names / sizeof names[0],
                               1,
                               options,
                               sizeof options / sizeof options[0],
                               "The page is one file and needs nothing else: no script, nothing from a network."};
    int code = options_parse(&line, argc, argv, paths);
    if (code < 0 && !out && !figures) {
        code = usage_error("report: --out is missing (see cfdtbd report --help)");
    }
    if (code >= 0) {
        return code;
    }
#ifdef CFDTBD_HAS_JANSSON
    const report_choices c = {out, figures};
    return report(&c, paths);
#else
    return failed("report: this cfdtbd was built without jansson, which reads the reports (Debian: libjansson-dev)");
#endif
}
