/* SPDX-License-Identifier: Apache-2.0 */
/* What the page says in words and numbers: facts of a run, metrics beside popularity. */
#include "page_figure.h"

#include <math.h>
#include <string.h>

/* ---- header ---- */

static void put_count(FILE *f, const run_file *file, const char *path, const char *what)
{
    char text[NUMBER_BYTES];
    double value = run_number(file, "%s", path);
    fprintf(f, "%s %s", grouped_text(text, value), what);
}

static void put_duration(FILE *f, double seconds)
{
    if (!isfinite(seconds)) {
        fputs("n/a", f);
    } else if (seconds < 600.0) {
        put_number(f, seconds, 1);
        fputs(" s", f);
    } else {
        put_number(f, floor(seconds / 60.0), 0);
        fputs(" min ", f);
        put_number(f, floor(fmod(seconds, 60.0)), 0);
        fputs(" s", f);
    }
}

static void put_run_line(FILE *f, const run_file *file)
{
    put_text(f, run_text(file, "data/directory"));
    fputs(": ", f);
    put_count(f, file, "data/n_users", "users, ");
    put_count(f, file, "data/n_items", "items, ");
    put_count(f, file, "data/n_train", "training interactions");
}

void put_header(FILE *f, const runs *r)
{
    if (r->n == 1) {
        fputs("<h1>", f);
        put_text(f, r->files[0].name);
        fputs("</h1>\n<p class=\"lead\">A training run of cfdtbd on ", f);
        put_run_line(f, &r->files[0]);
        fputs("</p>\n", f);
        return;
    }
    fprintf(f, "<h1>%zu training runs compared</h1>\n<ul class=\"runs\">\n", r->n);
    for (size_t i = 0; i < r->n; i++) {
        fprintf(f,
                "<li><svg width=\"44\" height=\"12\" viewBox=\"0 0 44 12\" aria-hidden=\"true\"><path class=\"line c%zu "
                "d%zu\" d=\"M2 6H42\"/>",
                i, i);
        svg_mark(f, i, 22, 6);
        fprintf(f, "</svg><b>%s</b><span><strong>", run_letter(i));
        put_text(f, r->files[i].name);
        fputs("</strong> \xe2\x80\x94 ", f);
        put_run_line(f, &r->files[i]);
        fputs("</span></li>\n", f);
    }
    fputs("</ul>\n", f);
}

/* ---- facts of one run ---- */

static void put_fact(FILE *f, const char *name)
{
    fprintf(f, "<dt>%s</dt><dd>", name);
}

static void put_fact_value(FILE *f, const run_file *file, const char *name, const char *path, const char *otherwise)
{
    char text[RUN_VALUE_BYTES];
    put_fact(f, name);
    run_value(file, text, "%s", path);
    put_text(f, text[0] ? text : otherwise);
    fputs("</dd>\n", f);
}

static void put_ending(FILE *f, const run_file *file)
{
    const char *ended = run_text(file, "training/ended_by");
    put_fact(f, "Trained");
    put_count(f, file, "training/epochs_done", "epochs in ");
    put_duration(f, run_number(file, "training/seconds"));
    if (ended && strcmp(ended, "patience") == 0) {
        fputs(", until nothing improved any more", f);
    } else if (ended && strcmp(ended, "interrupt") == 0) {
        fputs(", until it was interrupted", f);
    }
    fputs("</dd>\n", f);
    put_fact(f, "Kept");
    fputs("epoch ", f);
    put_number(f, run_number(file, "best/epoch"), 0);
    if (run_true(file, "best/selected")) {
        const char *split = run_text(file, "best/split");
        fputs(", the best on ", f);
        put_text(f, split ? split : "?");
        fputs(" (HR@5 + NDCG@5 ", f);
        put_number(f, run_number(file, "best/score"), 4);
        fputs(")</dd>\n", f);
    } else {
        fputs(", the last: none was evaluated</dd>\n", f);
    }
}

static void put_facts(FILE *f, const run_file *file)
{
    const char *role;
    bool any = false;
    fputs("<div><dl>\n", f);
    put_fact_value(f, file, "Preset", "preset", run_has(file, "format") ? "none" : "not recorded");
    if (run_has(file, "ablation")) {
        put_fact_value(f, file, "Ablation", "ablation", "none");
    }
    put_fact(f, "Modalities");
    for (size_t i = 0; (role = run_key(file, i, "history/0/losses/ranking_of/modality")); i++) {
        fputs(any ? ", " : "", f);
        put_text(f, role);
        any = true;
    }
    fputs(any ? "" : "none", f);
    fputs("</dd>\n", f);
    put_fact(f, "Parameters");
    put_count(f, file, "training/n_parameters", "");
    fputs("</dd>\n", f);
    put_ending(f, file);
    put_fact_value(f, file, "Seed", "environment/seed", "n/a");
    put_fact_value(f, file, "Device", "environment/device", "n/a");
    put_fact_value(f, file, "Instructions", "environment/instruction_set", "n/a");
    put_fact_value(f, file, "Products", "environment/gemm", "n/a");
    put_fact_value(f, file, "Threads", "environment/threads", "n/a");
    put_fact_value(f, file, "Version", "environment/version", "n/a");
    fputs("</dl></div>\n", f);
}

/* ---- metrics ---- */

/* "hr" is "HR", "recall" is "Recall": as it is written. */
static void put_metric_name(FILE *f, const char *key)
{
    static const char *const names[][2] = {{"hr@", "HR@"},     {"recall@", "Recall@"},
                                           {"ndcg@", "NDCG@"}, {"precision@", "Precision@"},
                                           {"map@", "MAP@"},   {"mrr@", "MRR@"}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        size_t n = strlen(names[i][0]);
        if (strncmp(key, names[i][0], n) == 0) {
            fputs(names[i][1], f);
            key += n;
            break;
        }
    }
    put_text(f, key);
}

/* The section with a run's final metrics: "test", or "best" where there is no test split. */
static const char *final_section(const run_file *file)
{
    return run_has(file, "test") ? "test" : "best";
}

/* Whether popularity is the same for all runs, so that one column of it is enough. */
static bool one_popularity(const runs *r)
{
    const char *key;
    for (size_t i = 0; (key = run_key(&r->files[0], i, "popularity")); i++) {
        for (size_t run = 1; run < r->n; run++) {
            double a = run_number(&r->files[0], "popularity/%s", key);
            double b = run_number(&r->files[run], "popularity/%s", key);
            if (isfinite(a) != isfinite(b) || (isfinite(a) && fabs(a - b) > 1e-12)) {
                return false;
            }
        }
    }
    return true;
}

static void put_metric_row(FILE *f, const runs *r, const char *key, size_t popularities, bool first)
{
    double best = -INFINITY;
    for (size_t run = 0; run < r->n; run++) {
        best = fmax(best, run_number(&r->files[run], "%s/%s", final_section(&r->files[run]), key));
    }
    fprintf(f, "<tr%s><th scope=\"row\">", first ? " class=\"first\"" : "");
    put_metric_name(f, key);
    fputs("</th>", f);
    for (size_t run = 0; run < r->n; run++) {
        double value = run_number(&r->files[run], "%s/%s", final_section(&r->files[run]), key);
        fprintf(f, "<td%s>", r->n > 1 && popularities == 1 && value == best ? " class=\"best\"" : "");
        put_number(f, value, 4);
        fputs("</td>", f);
    }
    for (size_t run = 0; run < popularities; run++) {
        fputs("<td>", f);
        put_number(f, run_number(&r->files[run], "popularity/%s", key), 4);
        fputs("</td>", f);
    }
    if (r->n == 1) {
        double times = run_number(&r->files[0], "%s/%s", final_section(&r->files[0]), key) /
                       run_number(&r->files[0], "popularity/%s", key);
        fputs("<td>", f);
        put_number(f, times, 1);
        fputs(isfinite(times) ? "\xc3\x97</td>" : "</td>", f);
    }
    fputs("</tr>\n", f);
}

/* "test split, full ranking, 60 users" */
static void put_protocol(FILE *f, const run_file *file)
{
    char text[NUMBER_BYTES];
    const char *section = run_has(file, "test") ? "test" : "popularity";
    const char *split = run_text(file, "%s/split", section);
    const char *protocol = run_text(file, "%s/protocol", section);
    put_text(f, split ? split : "no");
    fputs(" split, ", f);
    put_text(f, protocol ? protocol : "?");
    fprintf(f, " ranking, %s users", grouped_text(text, run_number(file, "%s/n_users", section)));
}

static void put_metrics_caption(FILE *f, const runs *r, bool one)
{
    fputs("<caption>On the ", f);
    for (size_t run = 0; run < (one ? 1 : r->n); run++) {
        fprintf(f, "%s%s%s", run > 0 ? "; " : "", one ? "" : run_letter(run), one ? "" : ": ");
        put_protocol(f, &r->files[run]);
    }
    fputs(one ? "</caption>\n" : ". What was measured differently cannot be compared.</caption>\n", f);
}

/* The run with most cut-offs names the rows. */
static const run_file *longest(const runs *r)
{
    const run_file *most = &r->files[0];
    for (size_t run = 1; run < r->n; run++) {
        if (run_count(&r->files[run], "%s", final_section(&r->files[run])) > run_count(most, "%s", final_section(most))) {
            most = &r->files[run];
        }
    }
    return most;
}

static void put_metrics(FILE *f, const runs *r)
{
    const run_file *rows = longest(r);
    const char *section = final_section(rows);
    size_t popularities = one_popularity(r) ? 1 : r->n;
    fputs("<div class=\"scroll\"><table>\n", f);
    put_metrics_caption(f, r, popularities == 1);
    fputs("<thead><tr><th></th>", f);
    for (size_t run = 0; run < r->n; run++) {
        fprintf(f, "<th scope=\"col\">%s</th>", r->n > 1 ? run_letter(run) : "model");
    }
    for (size_t run = 0; run < popularities; run++) {
        fprintf(f, "<th scope=\"col\">%s%spopularity</th>", popularities > 1 ? run_letter(run) : "",
                popularities > 1 ? ", " : "");
    }
    fputs(r->n == 1 ? "<th scope=\"col\">gain</th></tr></thead>\n<tbody>\n" : "</tr></thead>\n<tbody>\n", f);
    const char *key;
    for (size_t i = 0; (key = run_key(rows, i, "%s", section)); i++) {
        if (strchr(key, '@')) {
            put_metric_row(f, r, key, popularities, strncmp(key, "hr@", 3) == 0);
        }
    }
    fputs("</tbody></table></div>\n", f);
}

static bool any_evaluation(const runs *r)
{
    for (size_t run = 0; run < r->n; run++) {
        if (run_has(&r->files[run], "test") || run_has(&r->files[run], "popularity")) {
            return true;
        }
    }
    return false;
}

void put_results(FILE *f, const runs *r)
{
    fprintf(f, "<div class=\"%s\">\n", r->n == 1 ? "summary" : "results");
    if (r->n == 1) {
        put_facts(f, &r->files[0]);
    }
    if (any_evaluation(r)) {
        if (r->n > 1) {
            fputs("<h2>Results</h2>\n", f);
        }
        put_metrics(f, r);
    } else {
        fputs("<p class=\"missing\">There are no final metrics: the data set has nothing held out.</p>\n", f);
    }
    fputs("</div>\n", f);
    for (size_t run = 0; run < r->n; run++) {
        const char *selected = run_text(&r->files[run], "selected_on");
        if (selected && strcmp(selected, "test") == 0) {
            fprintf(f,
                    "<p class=\"missing\">%s%sThe epoch was chosen by the test set: its metrics there are optimistic.</p>\n",
                    r->n > 1 ? run_letter(run) : "", r->n > 1 ? ": " : "");
        }
    }
}
