/* SPDX-License-Identifier: Apache-2.0 */
/* cfdtbd explain: why a user has this score for an item, as bars or as JSON. */
#include "commands.h"
#include "json.h"
#include "named.h"
#include "program.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { BAR = 40, PARTS = 2 + 2 * CFD_MAX_MODALITIES, LABEL_BYTES = 96 };

typedef struct explain_choices {
    const char *model_path, *directory;
    const char *user, *item;
    int32_t k;
    bool json;
    machine on;
} explain_choices;

/* What is printed. */
typedef struct answer {
    int32_t user, item;
    cfd_explanation why;
    int32_t *items; /* n that contribute most */
    float *contributions;
    size_t n;
} answer;

/* A part of the score under its name. */
typedef struct part {
    char label[LABEL_BYTES];
    double value;
} part;

static size_t list_parts(const cfd_scorer *scorer, const cfd_explanation *why, part parts[PARTS])
{
    size_t n = 0;
    snprintf(parts[n].label, LABEL_BYTES, "base");
    parts[n++].value = why->base;
    for (size_t r = 0; cfd_scorer_role(scorer, r); r++) {
        snprintf(parts[n].label, LABEL_BYTES, "common %s", cfd_scorer_role(scorer, r));
        parts[n++].value = why->common[r];
        snprintf(parts[n].label, LABEL_BYTES, "differential %s", cfd_scorer_role(scorer, r));
        parts[n++].value = why->differential[r];
    }
    snprintf(parts[n].label, LABEL_BYTES, "fused");
    parts[n++].value = why->fused;
    return n;
}

/* A bar of the value's share of the largest: # for what raises the score, - for what lowers it. */
static void print_bar(double value, double largest)
{
    int length = largest > 0 ? (int)lround(fabs(value) / largest * BAR) : 0;
    for (int i = 0; i < length; i++) {
        putchar(value < 0 ? '-' : '#');
    }
    putchar('\n');
}

static void print_text(const serving *s, const answer *a)
{
    part parts[PARTS];
    size_t n = list_parts(s->scorer, &a->why, parts);
    double largest = 0;
    for (size_t i = 0; i < n; i++) {
        largest = fmax(largest, fabs(parts[i].value));
    }
    printf("user ");
    print_named(cfd_dataset_user_name(s->dataset, a->user), a->user);
    printf(", item ");
    print_named(cfd_dataset_item_name(s->dataset, a->item), a->item);
    printf(": score %.4f\n\n", a->why.score);
    for (size_t i = 0; i < n; i++) {
        printf("%-24s %10.4f  ", parts[i].label, parts[i].value);
        print_bar(parts[i].value, largest);
    }
    if (a->n > 0) {
        printf("\nof this, through the user's items:\n");
    }
    for (size_t i = 0; i < a->n; i++) {
        printf("%10.4f  ", (double)a->contributions[i]);
        print_named(cfd_dataset_item_name(s->dataset, a->items[i]), a->items[i]);
        printf("\n");
    }
}

static void print_json(const serving *s, const answer *a)
{
    part parts[PARTS];
    size_t n = list_parts(s->scorer, &a->why, parts);
    json j = json_begin(stdout, false);
    json_open(&j, NULL, '{');
    json_named(&j, "user", cfd_dataset_user_name(s->dataset, a->user), a->user);
    json_named(&j, "item", cfd_dataset_item_name(s->dataset, a->item), a->item);
    json_number(&j, "score", a->why.score);
    json_open(&j, "parts", '{');
    for (size_t i = 0; i < n; i++) {
        json_number(&j, parts[i].label, parts[i].value);
    }
    json_close(&j, '}');
    json_open(&j, "items", '[');
    for (size_t i = 0; i < a->n; i++) {
        json_open(&j, NULL, '{');
        json_named(&j, "item", cfd_dataset_item_name(s->dataset, a->items[i]), a->items[i]);
        json_float(&j, "contribution", a->contributions[i]);
        json_close(&j, '}');
    }
    json_close(&j, ']');
    json_close(&j, '}');
    json_end(&j);
}

static int answer_with(const explain_choices *c, const serving *s, answer *a)
{
    const int32_t *history;
    size_t n;
    if (cfd_dataset_user_items(s->dataset, CFD_SPLIT_TRAIN, a->user, &history, &n) != CFD_OK) {
        return failed_in_library();
    }
    a->n = (size_t)c->k < n ? (size_t)c->k : n;
    a->items = malloc((a->n + 1) * sizeof *a->items);
    a->contributions = malloc((a->n + 1) * sizeof *a->contributions);
    if (!a->items || !a->contributions) {
        return out_of_memory();
    }
    if (cfd_explain(s->scorer, a->user, a->item, &a->why, history, n, a->n, a->items, a->contributions) != CFD_OK) {
        return failed_in_library();
    }
    if (c->json) {
        print_json(s, a);
    } else {
        print_text(s, a);
    }
    return EXIT_DONE;
}

static int explain(const void *choices, const serving *s)
{
    const explain_choices *c = choices;
    answer a = {.why = CFD_EXPLANATION_INIT};
    int code = find_user(s->dataset, c->directory, c->user, &a.user);
    if (code == EXIT_DONE) {
        code = find_item(s->dataset, c->directory, c->item, &a.item);
    }
    if (code == EXIT_DONE) {
        code = answer_with(c, s, &a);
    }
    free(a.items);
    free(a.contributions);
    return code;
}

int explain_command(int argc, char **argv)
{
    explain_choices c = {.k = 5, .on = MACHINE_INIT};
    const char *arguments[2];
    static const char *const names[] = {"MODEL", "DIR"};
    const option options[] = {
        {"user", "ID", "name or number of the user (required); a name wins", OPTION_TEXT, &c.user, 0, 0},
        {"item", "ID", "name or number of the item (required); a name wins", OPTION_TEXT, &c.item, 0, 0},
        {"k", "N", "how many of the user's items, those that contribute most (default: 5)", OPTION_INTEGER, &c.k, 0,
         INT32_MAX},
        {"json", NULL, "print JSON", OPTION_FLAG, &c.json, 0, 0},
        MACHINE_OPTIONS(&c.on),
    };
    const command_line line = {"explain",
                               "Takes a score apart: what each part of the model says, and each of the user's items.",
                               names,
                               2,
                               2,
                               options,
                               sizeof options / sizeof options[0],
                               NULL};
    int code = options_parse(&line, argc, argv, arguments);
    if (code < 0 && (!c.user || !c.item)) {
        code = usage_error("explain: %s is missing (see cfdtbd explain --help)", c.user ? "--item" : "--user");
    }
    if (code >= 0) {
        return code;
    }
    c.model_path = arguments[0];
    c.directory = arguments[1];
    return with_serving(&c.on, c.model_path, c.directory, explain, &c);
}
