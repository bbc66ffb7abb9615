/* SPDX-License-Identifier: Apache-2.0 */
/* debian-packages: from the text of `apt-cache dumpavail` to a data set directory (docs/debian-packages.md).
 * Users are packages, items are the packages that they depend on, recommend or suggest. */
#include "content.h"
#include "packages.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const written_files[] = {
    "train.txt",        "validation.txt",  "test.txt",         "users.names.txt",       "items.names.txt",
    "words.tags.txt",   "debtags.tags.txt", "words.vocabulary.txt", "debtags.vocabulary.txt", NULL};

static const char usage_text[] =
    "usage: debian-packages [FILE] --out DIR [OPTION]...\n"
    "\n"
    "Makes a data set directory from the text of `apt-cache dumpavail` (FILE, or else the standard input): users are\n"
    "packages, items the packages that they depend on, recommend or suggest; the modalities are the words of an\n"
    "item's one-line description, and its debtags.\n"
    "\n"
    "options:\n"
    "  --out DIR       the directory to write; must not exist, or be empty\n"
    "  --core K        drop packages with fewer than K interactions, as user or as item, until none is left (default 5)\n"
    "  --min-items N   drop words and tags that fewer than N items have (default 3)\n"
    "  --seed S        of the split: one interaction of each user for validation, one for test (default 2024)\n"
    "  --force         replace DIR, if it holds nothing but an earlier result\n"
    "  --help          print this and exit\n";

typedef struct options {
    const char *file, *out;
    int32_t core, min_items;
    uint64_t seed;
    int force, help;
} options;

/* ---- command line ---- */

/* Digits that make a number of at most `most`. */
static int read_number(const char *text, uint64_t most, uint64_t *number)
{
    uint64_t result = 0;
    for (const char *c = text; *c != '\0'; c++) {
        uint64_t digit = (uint64_t)(*c - '0');
        if (*c < '0' || *c > '9' || result > (most - digit) / 10) {
            return -1;
        }
        result = result * 10 + digit;
    }
    *number = result;
    return *text == '\0' ? -1 : 0;
}

static int read_option(options *o, const char *name, const char *value, complaint *problem)
{
    uint64_t number = 0;
    if (value == NULL) {
        return complain(problem, "%s: its value is missing (see debian-packages --help)", name);
    }
    if (strcmp(name, "--out") == 0) {
        o->out = value;
        return 0;
    }
    int is_seed = strcmp(name, "--seed") == 0;
    if (read_number(value, is_seed ? UINT64_MAX : 1000000, &number) != 0) {
        return complain(problem, "%s \"%s\": a number wanted", name, value);
    }
    if (is_seed) {
        o->seed = number;
    } else if (strcmp(name, "--core") == 0) {
        o->core = (int32_t)number;
    } else {
        o->min_items = (int32_t)number;
    }
    return 0;
}

static int read_options(options *o, int argc, char **argv, complaint *problem)
{
    static const char *const with_value[] = {"--out", "--core", "--min-items", "--seed"};
    for (int i = 1; i < argc; i++) {
        int known = 0;
        for (size_t k = 0; k < sizeof(with_value) / sizeof(with_value[0]); k++) {
            known = known || strcmp(argv[i], with_value[k]) == 0;
        }
        if (known) {
            if (read_option(o, argv[i], i + 1 < argc ? argv[i + 1] : NULL, problem) != 0) {
                return -1;
            }
            i++;
        } else if (strcmp(argv[i], "--force") == 0) {
            o->force = 1;
        } else if (strcmp(argv[i], "--help") == 0) {
            o->help = 1;
        } else if (argv[i][0] == '-' && argv[i][1] != '\0') {
            return complain(problem, "there is no option %s (see debian-packages --help)", argv[i]);
        } else if (o->file != NULL) {
            return complain(problem, "one argument too many: \"%s\"", argv[i]);
        } else {
            o->file = argv[i];
        }
    }
    if (o->out == NULL && !o->help) {
        return complain(problem, "--out DIR is missing (see debian-packages --help)");
    }
    return 0;
}

/* ---- work ---- */

/* What goes into the directory. */
typedef struct result {
    packages all;
    id_map users, items; /* to numbers of all.names */
    unsigned char *splits;
    content words, debtags;
    int32_t items_with_words, items_with_debtags;
} result;

static int make(result *made, const options *o, complaint *problem)
{
    packages *all = &made->all;
    split_options splitting = {SPLIT_LEAVE_ONE_OUT, 0, 0, o->seed};
    if (packages_read(all, o->file != NULL ? o->file : "-", problem) != 0) {
        return -1;
    }
    interaction_list *list = &all->relations;
    int32_t names = all->names.n;
    if (interactions_deduplicate(list, names, problem) != 0
        || interactions_core(list, names, names, o->core, problem) != 0) {
        return -1;
    }
    if (list->n == 0) {
        return complain(problem, "nothing is left of %ld packages (--core %ld)", (long)all->n, (long)o->core);
    }
    if (interactions_renumber(list, names, names, &made->users, &made->items, problem) != 0) {
        return -1;
    }
    made->splits = malloc(list->n);
    if (made->splits == NULL) {
        return complain_of_memory(problem);
    }
    if (interactions_split(list, &splitting, made->splits, problem) != 0
        || content_of_words(&made->words, all, &made->items, problem) != 0
        || content_of_debtags(&made->debtags, all, &made->items, problem) != 0
        || content_prune(&made->words, o->min_items, &made->items_with_words, problem) != 0
        || content_prune(&made->debtags, o->min_items, &made->items_with_debtags, problem) != 0) {
        return -1;
    }
    return 0;
}

static int write_files(const result *made, output *out, complaint *problem)
{
    const name_table *names = &made->all.names;
    if (output_interactions(out, &made->all.relations, made->splits, problem) != 0
        || output_names(out, "users.names.txt", names, &made->users, problem) != 0
        || output_names(out, "items.names.txt", names, &made->items, problem) != 0
        || content_write(&made->words, out, "words.tags.txt", "words.vocabulary.txt", problem) != 0
        || content_write(&made->debtags, out, "debtags.tags.txt", "debtags.vocabulary.txt", problem) != 0) {
        return -1;
    }
    return output_finish(out, problem);
}

static void print_summary(const result *made, const char *directory)
{
    const interaction_list *list = &made->all.relations;
    size_t held_out = 0;
    for (size_t i = 0; i < list->n; i++) {
        held_out += made->splits[i] == SPLIT_TEST;
    }
    printf("%s: of %ld packages, %ld users, %ld items, %zu interactions: %zu train, %zu validation, %zu test\n",
           directory, (long)made->all.n, (long)made->users.n, (long)made->items.n, list->n, list->n - 2 * held_out,
           held_out, held_out);
    printf("words: %ld, on %ld items; debtags: %ld, on %ld items\n", (long)made->words.vocabulary.n,
           (long)made->items_with_words, (long)made->debtags.vocabulary.n, (long)made->items_with_debtags);
}

int main(int argc, char **argv)
{
    options o = {NULL, NULL, 5, 3, 2024, 0, 0};
    complaint problem;
    if (read_options(&o, argc, argv, &problem) != 0) {
        fprintf(stderr, "debian-packages: %s\n", problem.text);
        return 2;
    }
    if (o.help) {
        fputs(usage_text, stdout);
        return fflush(stdout) != 0;
    }
    result made = {0};
    output out;
    int code = output_begin(&out, o.out, written_files, o.force, &problem);
    code = code == 0 ? make(&made, &o, &problem) : code;
    code = code == 0 ? write_files(&made, &out, &problem) : code;
    if (code == 0) {
        print_summary(&made, o.out);
    }
    output_abandon(&out);
    packages_release(&made.all);
    id_map_release(&made.users);
    id_map_release(&made.items);
    free(made.splits);
    content_release(&made.words);
    content_release(&made.debtags);
    if (code != 0) {
        fprintf(stderr, "debian-packages: %s\n", problem.text);
    }
    return code != 0 || fflush(stdout) != 0;
}
