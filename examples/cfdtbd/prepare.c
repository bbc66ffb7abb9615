/* SPDX-License-Identifier: Apache-2.0 */
/* "cfdtbd prepare": options, and the way from the table to the directory. See prepare.h. */
#include "prepare.h"

#include "../common/output.h"
#include "prepare_read.h"
#include "prepare_record.h"
#include "program.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const written_files[] = {"train.txt",       "validation.txt",  "test.txt",
                                            "users.names.txt", "items.names.txt", NULL};

/* The command line, as text where it is read further. */
typedef struct prepare_options {
    const char *file, *out, *delimiter, *header, *split, *ratio, *min_rating;
    int32_t core;
    bool force;
    table_options table;
    split_options splitting;
} prepare_options;

/* ---- options ---- */

static int read_delimiter(prepare_options *options)
{
    static const char *const words[][2] = {{"tab", "\t"}, {"comma", ","}, {"semicolon", ";"}, {"space", " "}, {"pipe", "|"}};
    const char *text = options->delimiter;
    if (text == NULL || strcmp(text, "auto") == 0) {
        return EXIT_DONE;
    }
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(text, words[i][0]) == 0) {
            options->table.delimiter = words[i][1];
            return EXIT_DONE;
        }
    }
    if (strlen(text) > 4 || strpbrk(text, "\"\r\n") != NULL) {
        return usage_error("prepare: --delimiter \"%s\": auto, tab, comma, semicolon, space, pipe or up to 4 "
                           "characters wanted",
                           text);
    }
    options->table.delimiter = text;
    return EXIT_DONE;
}

/* "0.8,0.1,0.1": shares of train, validation and test. */
static int read_ratio(prepare_options *options)
{
    char text[128];
    double shares[SPLITS];
    const char *rest = options->ratio;
    for (int i = 0; i < SPLITS; i++) {
        size_t length = strcspn(rest, ",");
        bool last = i == SPLITS - 1;
        if (length >= sizeof text || (rest[length] == '\0') != last) {
            return usage_error("prepare: --ratio \"%s\": three shares wanted, such as 0.8,0.1,0.1", options->ratio);
        }
        memcpy(text, rest, length);
        text[length] = '\0';
        if (!number_from_text(text, &shares[i]) || shares[i] < 0) {
            return usage_error("prepare: --ratio \"%s\": \"%s\" is not a share", options->ratio, text);
        }
        rest += length + !last;
    }
    if (shares[SPLIT_TRAIN] <= 0 || fabs(shares[0] + shares[1] + shares[2] - 1) > 1e-6) {
        return usage_error("prepare: --ratio \"%s\": the shares must sum to 1, and that of train must not be 0",
                           options->ratio);
    }
    options->splitting.validation_share = shares[SPLIT_VALIDATION];
    options->splitting.test_share = shares[SPLIT_TEST];
    return EXIT_DONE;
}

static int read_columns(prepare_options *options)
{
    static const char *const names[COLUMN_ROLES] = {"user", "item", "time", "rating"};
    for (int role = 0; role < COLUMN_ROLES; role++) {
        const char *given = options->table.columns[role];
        if (given == NULL) {
            continue;
        }
        bool none = strcmp(given, "none") == 0;
        if (none && (role == COLUMN_USER || role == COLUMN_ITEM)) {
            return usage_error("prepare: --%s none: there is no data set without %ss", names[role], names[role]);
        }
        if (!none && options->table.header == HEADER_NO && strspn(given, "0123456789") != strlen(given)) {
            return usage_error("prepare: --%s \"%s\": without a header, the number of a column is wanted", names[role],
                               given);
        }
    }
    return EXIT_DONE;
}

static int read_options(prepare_options *options)
{
    options->table.header = strcmp(options->header, "yes") == 0  ? HEADER_YES
                            : strcmp(options->header, "no") == 0 ? HEADER_NO
                                                                 : HEADER_AUTO;
    options->splitting.method = strcmp(options->split, "ratio") == 0 ? SPLIT_RATIO : SPLIT_LEAVE_ONE_OUT;
    if (options->out == NULL) {
        return usage_error("prepare: --out DIR is missing (see cfdtbd prepare --help)");
    }
    if (options->ratio != NULL && options->splitting.method != SPLIT_RATIO) {
        return usage_error("prepare: --ratio is for --split ratio");
    }
    options->table.min_rating = -INFINITY;
    if (options->min_rating != NULL && !number_from_text(options->min_rating, &options->table.min_rating)) {
        return usage_error("prepare: --min-rating \"%s\": a number wanted", options->min_rating);
    }
    if (options->ratio == NULL) {
        options->ratio = "0.8,0.1,0.1";
    }
    int code = read_delimiter(options);
    code = code == EXIT_DONE ? read_ratio(options) : code;
    return code == EXIT_DONE ? read_columns(options) : code;
}

/* ---- work ---- */

static void print_header(const table *from)
{
    printf("header: line %lld, \"", (long long)from->header_line);
    print_shown(from->header);
    printf("\"");
    if (from->no_number[0] != '\0') {
        printf(", since \"");
        print_shown(from->no_number);
        printf("\" is no number (--header no refuses it)");
    }
    printf("\n");
}

static void print_summary(const prepare_options *options, const table *from, size_t n_repeated, const id_map *users,
                          const id_map *items, const unsigned char *splits)
{
    const interaction_list *list = &from->interactions;
    size_t counts[SPLITS] = {0};
    for (size_t i = 0; i < list->n; i++) {
        counts[splits[i]]++;
    }
    print_shown(options->file);
    printf(": %lld rows%s, %s\n", (long long)from->n_rows, from->has_header ? " and a header" : "",
           from->has_time ? "with times" : "without times");
    if (from->has_header) {
        print_header(from);
    }
    if (from->n_low > 0) {
        printf("%lld rows were rated too low\n", (long long)from->n_low);
    }
    if (n_repeated > 0) {
        printf("%zu repeated interactions were dropped\n", n_repeated);
    }
    print_shown(options->out);
    printf(": %ld users, %ld items, %zu interactions: %zu train, %zu validation, %zu test\n", (long)users->n, (long)items->n,
           list->n, counts[SPLIT_TRAIN], counts[SPLIT_VALIDATION], counts[SPLIT_TEST]);
}

static int write_files(output *out, const table *from, const id_map *users, const id_map *items, const unsigned char *splits,
                       complaint *problem)
{
    int code = output_start(out, problem);
    code = code == 0 ? output_interactions(out, &from->interactions, splits, problem) : code;
    code = code == 0 ? output_names(out, "users.names.txt", &from->users, users, problem) : code;
    code = code == 0 ? output_names(out, "items.names.txt", &from->items, items, problem) : code;
    return code == 0 ? output_finish(out, problem) : code;
}

static int split_and_write(const prepare_options *options, table *from, output *out, complaint *problem)
{
    interaction_list *list = &from->interactions;
    id_map users = {NULL, 0}, items = {NULL, 0};
    unsigned char *splits = NULL;
    size_t n_all = list->n;
    int code = interactions_deduplicate(list, from->users.n, problem);
    size_t n_repeated = n_all - list->n;
    code = code == 0 ? interactions_core(list, from->users.n, from->items.n, options->core, problem) : code;
    if (code == 0 && list->n == 0) {
        code = complain(problem, "%s: nothing is left of %lld rows (--core %d%s)", options->file, (long long)from->n_rows,
                        (int)options->core, from->n_low > 0 ? ", --min-rating" : "");
    }
    code = code == 0 ? interactions_renumber(list, from->users.n, from->items.n, &users, &items, problem) : code;
    if (code == 0 && (splits = malloc(list->n)) == NULL) {
        code = complain_of_memory(problem);
    }
    code = code == 0 ? interactions_split(list, &options->splitting, splits, problem) : code;
    code = code == 0 ? write_files(out, from, &users, &items, splits, problem) : code;
    if (code == 0) {
        print_summary(options, from, n_repeated, &users, &items, splits);
    }
    id_map_release(&users);
    id_map_release(&items);
    free(splits);
    return code;
}

static int run(const prepare_options *options)
{
    complaint problem;
    output out;
    table from = {0};
    /* First of all, lest a long read end in a directory that cannot be written. */
    int code = output_begin(&out, options->out, written_files, options->force, &problem);
    code = code == 0 ? table_read(&from, options->file, &options->table, &problem) : code;
    if (code == 0 && options->min_rating != NULL && !from.has_rating) {
        code = complain(&problem, "%s: --min-rating, but there is no rating column (--rating says which)", options->file);
    }
    code = code == 0 ? split_and_write(options, &from, &out, &problem) : code;
    output_abandon(&out);
    table_release(&from);
    return code == 0 ? finish_output(EXIT_DONE) : failed("%s", problem.text);
}

int prepare_command(int argc, char **argv)
{
    prepare_options o = {.header = "auto", .split = "leave-one-out", .core = 1, .splitting.seed = 2024};
    const char *const arguments[] = {"FILE"};
    const option table_of_options[] = {
        {"out", "DIR", "the data set directory to write; must not exist, or be empty", OPTION_TEXT, &o.out, 0, 0},
        {"user", "COLUMN", "users' column: name in the header, or number from 1", OPTION_TEXT, &o.table.columns[COLUMN_USER],
         0, 0},
        {"item", "COLUMN", "items' column", OPTION_TEXT, &o.table.columns[COLUMN_ITEM], 0, 0},
        {"time", "COLUMN", "times' column, numbers; none: pay no heed to time", OPTION_TEXT, &o.table.columns[COLUMN_TIME],
         0, 0},
        {"rating", "COLUMN", "ratings' column, numbers; none: pay no heed to it", OPTION_TEXT,
         &o.table.columns[COLUMN_RATING], 0, 0},
        {"min-rating", "R", "leave out rows that are rated lower", OPTION_TEXT, &o.min_rating, 0, 0},
        {"core", "K", "drop users and items with fewer than K interactions, until none is left (default 1)", OPTION_INTEGER,
         &o.core, 1, 1000000},
        {"split", "leave-one-out|ratio", "how each user's interactions are split (default leave-one-out)", OPTION_CHOICE,
         &o.split, 0, 0},
        {"ratio", "T,V,T", "shares of train, validation and test, for --split ratio (default 0.8,0.1,0.1)", OPTION_TEXT,
         &o.ratio, 0, 0},
        {"seed", "S", "orders what times do not (default 2024)", OPTION_SEED, &o.splitting.seed, 0, 0},
        {"delimiter", "D", "auto (default), tab, comma, semicolon, space, pipe, or up to 4 characters", OPTION_TEXT,
         &o.delimiter, 0, 0},
        {"header", "yes|no|auto", "whether the first line names the columns (default auto)", OPTION_CHOICE, &o.header, 0, 0},
        {"force", NULL, "replace DIR, if it holds nothing but an earlier result", OPTION_FLAG, &o.force, 0, 0},
    };
    const command_line line = {
        "prepare",
        "Makes a data set directory from a table of interactions: user, item[, time][, rating].",
        arguments,
        1,
        1,
        table_of_options,
        sizeof table_of_options / sizeof table_of_options[0],
        "FILE is text, one interaction a line (- is the standard input); CSV may quote as RFC 4180 says. Columns are\n"
        "found by the header's names, else by position. Ids are any text; they become the names in the data set.\n"
        "Of a repeated pair the earliest is kept. Leave-one-out holds out the latest interaction for test and the one\n"
        "before it for validation; users with fewer than three stay in train. docs/prepare.md says it all.",
    };
    int code = options_parse(&line, argc, argv, &o.file);
    if (code < 0) {
        code = read_options(&o);
        code = code == EXIT_DONE ? run(&o) : code;
    }
    return code;
}
