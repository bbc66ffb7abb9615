/* SPDX-License-Identifier: Apache-2.0 */
/* Settings: all of one run, or where runs differ. */
#include "page_figure.h"

#include <string.h>

/* ---- settings ---- */

static void put_all_settings(FILE *f, const run_file *file)
{
    const char *key;
    char text[RUN_VALUE_BYTES];
    fputs("<dl class=\"settings\">\n", f);
    for (size_t i = 0; (key = run_key(file, i, "config")); i++) {
        fputs("<div><dt>", f);
        put_text(f, key);
        fputs("</dt><dd>", f);
        run_value(file, text, "config/%s", key);
        put_text(f, text[0] ? text : "\xe2\x80\x94");
        fputs("</dd></div>\n", f);
    }
    fputs("</dl>\n", f);
}

static bool differs(const runs *r, const char *section, const char *key)
{
    char a[RUN_VALUE_BYTES];
    char b[RUN_VALUE_BYTES];
    run_value(&r->files[0], a, "%s%s%s", section, section[0] ? "/" : "", key);
    for (size_t run = 1; run < r->n; run++) {
        if (strcmp(a, run_value(&r->files[run], b, "%s%s%s", section, section[0] ? "/" : "", key)) != 0) {
            return true;
        }
    }
    return false;
}

static void put_difference(FILE *f, const runs *r, const char *section, const char *key)
{
    char text[RUN_VALUE_BYTES];
    fputs("<tr><th scope=\"row\">", f);
    put_text(f, key);
    fputs("</th>", f);
    for (size_t run = 0; run < r->n; run++) {
        run_value(&r->files[run], text, "%s%s%s", section, section[0] ? "/" : "", key);
        fputs("<td class=\"text\">", f);
        put_text(f, text[0] ? text : "\xe2\x80\x94");
        fputs("</td>", f);
    }
    fputs("</tr>\n", f);
}

/* Whether an earlier run has the key, so that its row is there already. */
static bool named_before(const runs *r, size_t run, const char *section, const char *key)
{
    for (size_t earlier = 0; earlier < run; earlier++) {
        if (run_has(&r->files[earlier], "%s/%s", section, key)) {
            return true;
        }
    }
    return false;
}

static size_t put_section_differences(FILE *f, const runs *r, const char *section)
{
    size_t alike = 0;
    const char *key;
    for (size_t run = 0; run < r->n; run++) {
        for (size_t i = 0; (key = run_key(&r->files[run], i, "%s", section)); i++) {
            if (named_before(r, run, section, key)) {
                continue;
            }
            if (differs(r, section, key)) {
                put_difference(f, r, section, key);
            } else {
                alike++;
            }
        }
    }
    return alike;
}

static void put_differences(FILE *f, const runs *r)
{
    static const char *const asked[] = {"preset", "ablation", "selected_on"};
    static const char *const trained[] = {"epochs_done", "seconds", "n_parameters", "ended_by"};
    fputs("<div class=\"scroll\"><table>\n<caption>Where the runs differ</caption>\n<thead><tr><th></th>", f);
    for (size_t run = 0; run < r->n; run++) {
        fprintf(f, "<th scope=\"col\" style=\"text-align:left\">%s</th>", run_letter(run));
    }
    fputs("</tr></thead>\n<tbody>\n", f);
    for (size_t i = 0; i < 3; i++) {
        if (differs(r, "", asked[i])) {
            put_difference(f, r, "", asked[i]);
        }
    }
    if (differs(r, "data", "directory")) {
        put_difference(f, r, "data", "directory");
    }
    size_t alike = put_section_differences(f, r, "config");
    (void)put_section_differences(f, r, "environment");
    if (differs(r, "best", "epoch")) {
        put_difference(f, r, "best", "epoch");
    }
    for (size_t i = 0; i < 4; i++) {
        if (differs(r, "training", trained[i])) {
            put_difference(f, r, "training", trained[i]);
        }
    }
    fprintf(f, "</tbody></table></div>\n<p class=\"lead\">%zu settings are the same.</p>\n", alike);
}

void put_settings(FILE *f, const runs *r)
{
    fputs("<h2>Settings</h2>\n", f);
    if (r->n == 1) {
        put_all_settings(f, &r->files[0]);
    } else {
        put_differences(f, r);
    }
}
