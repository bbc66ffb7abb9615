/* SPDX-License-Identifier: Apache-2.0 */
/* debian-packages: from the text of `apt-cache dumpavail` to a data set directory (docs/debian-packages.md).
 * Users are packages, items are the packages that they depend on, recommend or suggest. */
#include "content.h"
#include "packages.h"

#include "../common/messages.h"
#include "../common/options.h"
#include "../common/output.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const written_files[] = {"train.txt",
                                            "validation.txt",
                                            "test.txt",
                                            "users.names.txt",
                                            "items.names.txt",
                                            "words.tags.txt",
                                            "debtags.tags.txt",
                                            "words.vocabulary.txt",
                                            "debtags.vocabulary.txt",
                                            NULL};

typedef struct choices {
    const char *file, *out;
    int32_t core, min_items;
    uint64_t seed;
    bool force;
} choices;

/* ---- work ---- */

/* What goes into the directory. */
typedef struct result {
    packages all;
    id_map users, items; /* to numbers of all.names */
    unsigned char *splits;
    content words, debtags;
    int32_t items_with_words, items_with_debtags;
} result;

static int make(result *made, const choices *o, complaint *problem)
{
    packages *all = &made->all;
    split_options splitting = {SPLIT_LEAVE_ONE_OUT, 0, 0, o->seed};
    if (packages_read(all, o->file != NULL ? o->file : "-", problem) != 0) {
        return -1;
    }
    interaction_list *list = &all->relations;
    int32_t names = all->names.n;
    if (interactions_deduplicate(list, names, problem) != 0 ||
        interactions_core(list, names, names, o->core, problem) != 0) {
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
    if (interactions_split(list, &splitting, made->splits, problem) != 0 ||
        content_of_words(&made->words, all, &made->items, problem) != 0 ||
        content_of_debtags(&made->debtags, all, &made->items, problem) != 0 ||
        content_prune(&made->words, o->min_items, &made->items_with_words, problem) != 0 ||
        content_prune(&made->debtags, o->min_items, &made->items_with_debtags, problem) != 0) {
        return -1;
    }
    return 0;
}

static int write_files(const result *made, output *out, complaint *problem)
{
    const name_table *names = &made->all.names;
    if (output_start(out, problem) != 0 || output_interactions(out, &made->all.relations, made->splits, problem) != 0 ||
        output_names(out, "users.names.txt", names, &made->users, problem) != 0 ||
        output_names(out, "items.names.txt", names, &made->items, problem) != 0 ||
        content_write(&made->words, out, "words.tags.txt", "words.vocabulary.txt", problem) != 0 ||
        content_write(&made->debtags, out, "debtags.tags.txt", "debtags.vocabulary.txt", problem) != 0) {
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
    print_shown(directory);
    printf(": of %ld packages, %ld users, %ld items, %zu interactions: %zu train, %zu validation, %zu test\n",
           (long)made->all.n, (long)made->users.n, (long)made->items.n, list->n, list->n - 2 * held_out, held_out, held_out);
    printf("words: %ld, on %ld items; debtags: %ld, on %ld items\n", (long)made->words.vocabulary.n,
           (long)made->items_with_words, (long)made->debtags.vocabulary.n, (long)made->items_with_debtags);
}

static int run(const choices *o)
{
    complaint problem;
    result made = {0};
    output out;
    int code = output_begin(&out, o->out, written_files, o->force, &problem);
    code = code == 0 ? make(&made, o, &problem) : code;
    code = code == 0 ? write_files(&made, &out, &problem) : code;
    if (code == 0) {
        print_summary(&made, o->out);
    }
    output_abandon(&out);
    packages_release(&made.all);
    id_map_release(&made.users);
    id_map_release(&made.items);
    free(made.splits);
    content_release(&made.words);
    content_release(&made.debtags);
    return code == 0 ? EXIT_DONE : failed("%s", problem.text);
}

int main(int argc, char **argv)
{
    choices o = {.core = 5, .min_items = 3, .seed = 2024};
    static const char *const arguments[] = {"FILE"};
    const option options[] = {
        {"out", "DIR", "the directory to write (required); must not exist, or be empty", OPTION_TEXT, &o.out, 0, 0},
        {"core", "K", "drop packages with fewer than K interactions, until none is left (default: 5)", OPTION_INTEGER,
         &o.core, 0, 1000000},
        {"min-items", "N", "drop words and tags that fewer than N items have (default: 3)", OPTION_INTEGER, &o.min_items, 0,
         1000000},
        {"seed", "S", "of the split: one interaction of each user for validation, one for test (default: 2024)", OPTION_SEED,
         &o.seed, 0, 0},
        {"force", NULL, "replace DIR, if it holds nothing but an earlier result", OPTION_FLAG, &o.force, 0, 0},
    };
    const command_line line = {
        NULL,
        "Makes a data set directory from the text of `apt-cache dumpavail` (FILE, or else the standard input): users are\n"
        "packages, items the packages that they depend on, recommend or suggest; the modalities are the words of an\n"
        "item's one-line description, and its debtags.",
        arguments,
        1,
        0,
        options,
        sizeof(options) / sizeof(options[0]),
        NULL,
    };
    messages_begin("debian-packages", NULL);
    int code = options_parse(&line, argc, argv, &o.file);
    if (code < 0 && o.out == NULL) {
        code = usage_error("--out DIR is missing (see debian-packages --help)");
    }
    return finish_output(code < 0 ? run(&o) : code);
}
