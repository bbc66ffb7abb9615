/* SPDX-License-Identifier: Apache-2.0 */
/* Strict reading of a command line: "--name VALUE" or "--name=VALUE", positional arguments anywhere, "--" ends the
 * options. What is unknown, repeated, missing or out of range is refused; --help is made from the same tables. */
#ifndef EXAMPLES_COMMON_OPTIONS_H
#define EXAMPLES_COMMON_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum option_kind {
    OPTION_FLAG,    /* bool: true where given */
    OPTION_TEXT,    /* const char *, not empty */
    OPTION_CHOICE,  /* const char *, one of the words of `value`, "a|b|c" */
    OPTION_LIST,    /* text_list: may be given any number of times */
    OPTION_INTEGER, /* int32_t, from low to high */
    OPTION_SEED     /* uint64_t */
};

typedef struct text_list {
    const char **items; /* pointers into argv; release with free */
    size_t n;
} text_list;

typedef struct option {
    const char *name;  /* "epochs" */
    const char *value; /* shown in the help; NULL for flags */
    const char *help;
    enum option_kind kind;
    void *target;
    int32_t low, high;
} option;

typedef struct command_line {
    const char *command;          /* "train"; NULL where the program has no commands */
    const char *purpose;          /* one sentence */
    const char *const *arguments; /* names of the positional arguments */
    size_t n_arguments;
    size_t n_required; /* so many of them, the first, must be there */
    const option *options;
    size_t n_options;
    const char *notes; /* closes the help; may be NULL */
} command_line;

/* Reads argv[1] to argv[argc - 1]; an argument that is not there is NULL. Returns -1 to go on; else the exit code (help
 * was printed, or an error). */
int options_parse(const command_line *line, int argc, char **argv, const char **arguments);

/* An integer that fills the whole text and lies in the range. */
bool integer_from_text(const char *text, int64_t low, int64_t high, int64_t *value);

/* The word nearest to `text`, by edits, or NULL if none is near. */
const char *nearest_word(const char *text, const char *const *words, size_t n);

#endif
