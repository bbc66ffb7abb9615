/* SPDX-License-Identifier: Apache-2.0 */
/* Strict reading of a command line, by a table of options. */
#include "options.h"

#include "messages.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORD_BYTES 48
#define MISTAKE_BYTES 4096

/* ---- what is said of the command line ---- */

/* The command and a space before it, as it stands behind the program's name; "" where there are no commands. */
#define BEHIND(line) (line)->command ? " " : "", (line)->command ? (line)->command : ""

static int mistake(const command_line *line, const char *format, ...) MESSAGE_FORMAT(2, 3);

/* "cfdtbd: train: MISTAKE" */
static int mistake(const command_line *line, const char *format, ...)
{
    char text[MISTAKE_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return usage_error("%s%s%s", line->command ? line->command : "", line->command ? ": " : "", text);
}

/* ---- words and numbers ---- */

/* Edits (insert, remove, replace) from a to b; words longer than WORD_BYTES count as far. */
static size_t edits(const char *a, const char *b)
{
    size_t rows = strlen(a), columns = strlen(b);
    size_t row[WORD_BYTES + 1];
    if (rows > WORD_BYTES || columns > WORD_BYTES) {
        return WORD_BYTES;
    }
    for (size_t j = 0; j <= columns; j++) {
        row[j] = j;
    }
    for (size_t i = 1; i <= rows; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= columns; j++) {
            size_t replaced = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            size_t shifted = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
            row[j] = replaced < shifted ? replaced : shifted;
        }
    }
    return row[columns];
}

const char *nearest_word(const char *text, const char *const *words, size_t n)
{
    const char *nearest = NULL;
    size_t least = strlen(text) / 2 + 1; /* more changed than kept: not what was meant */
    for (size_t i = 0; i < n; i++) {
        size_t distance = edits(text, words[i]);
        if (distance < least) {
            least = distance;
            nearest = words[i];
        }
    }
    return nearest;
}

/* Digits only, after an optional '-' where negative numbers are allowed. */
bool integer_from_text(const char *text, int64_t low, int64_t high, int64_t *value)
{
    bool negative = text[0] == '-';
    const char *digits = text + negative;
    int64_t number = 0;
    if (*digits == '\0') {
        return false;
    }
    for (; *digits; digits++) {
        if (*digits < '0' || *digits > '9' || number > (INT64_MAX - 9) / 10) {
            return false;
        }
        number = number * 10 + (*digits - '0');
    }
    number = negative ? -number : number;
    if (number < low || number > high) {
        return false;
    }
    *value = number;
    return true;
}

static bool seed_from_text(const char *text, uint64_t *value)
{
    uint64_t number = 0;
    if (*text == '\0') {
        return false;
    }
    for (; *text; text++) {
        if (*text < '0' || *text > '9') {
            return false;
        }
        uint64_t digit = (uint64_t)(*text - '0');
        if (number > (UINT64_MAX - digit) / 10) {
            return false;
        }
        number = number * 10 + digit;
    }
    *value = number;
    return true;
}

static bool is_choice(const char *choices, const char *text)
{
    size_t length = strlen(text);
    for (const char *at = choices; *at;) {
        size_t here = strcspn(at, "|");
        if (here == length && memcmp(at, text, length) == 0) {
            return true;
        }
        at += here + (at[here] == '|');
    }
    return false;
}

/* ---- help ---- */

static void print_help(const command_line *line)
{
    printf("usage: %s%s%s", program_name(), BEHIND(line));
    for (size_t i = 0; i < line->n_arguments; i++) {
        printf(i < line->n_required ? " %s" : " [%s]", line->arguments[i]);
    }
    printf(" [OPTION]...\n\n%s\n\noptions:\n", line->purpose);
    for (size_t i = 0; i <= line->n_options; i++) {
        char left[64];
        const option *o = i < line->n_options ? &line->options[i] : NULL;
        snprintf(left, sizeof left, "--%s%s%s", o ? o->name : "help", o && o->value ? " " : "",
                 o && o->value ? o->value : "");
        const char *help = o ? o->help : "print this and exit";
        printf(strlen(left) <= 30 ? "  %-30s  %s%s\n" : "  %s\n                                  %s%s\n", left, help,
               o && o->kind == OPTION_LIST ? "; may be given again" : "");
    }
    if (line->notes) {
        printf("\n%s\n", line->notes);
    }
}

/* ---- parsing ---- */

static int store(const command_line *line, const option *o, const char *value)
{
    int64_t number;
    switch (o->kind) {
    case OPTION_FLAG: *(bool *)o->target = true; return -1;
    case OPTION_TEXT:
        if (value[0] == '\0') {
            return mistake(line, "--%s is empty, %s wanted", o->name, o->value);
        }
        *(const char **)o->target = value;
        return -1;
    case OPTION_CHOICE:
        if (!is_choice(o->value, value)) {
            return mistake(line, "--%s \"%s\": one of %s wanted", o->name, value, o->value);
        }
        *(const char **)o->target = value;
        return -1;
    case OPTION_LIST: {
        text_list *list = o->target;
        const char **items = realloc(list->items, (list->n + 1) * sizeof *items);
        if (!items) {
            return out_of_memory();
        }
        items[list->n++] = value;
        list->items = items;
        return -1;
    }
    case OPTION_INTEGER:
        if (!integer_from_text(value, o->low, o->high, &number)) {
            return mistake(line, "--%s \"%s\": an integer from %d to %d wanted", o->name, value, (int)o->low, (int)o->high);
        }
        *(int32_t *)o->target = (int32_t)number;
        return -1;
    case OPTION_SEED:
        if (!seed_from_text(value, o->target)) {
            return mistake(line, "--%s \"%s\": an integer from 0 to 18446744073709551615 wanted", o->name, value);
        }
        return -1;
    }
    return -1;
}

static int unknown_option(const command_line *line, const char *name, size_t length)
{
    const char *words[64];
    char text[WORD_BYTES + 2];
    size_t n = 0;
    for (; n < line->n_options && n < 63; n++) {
        words[n] = line->options[n].name;
    }
    words[n++] = "help";
    snprintf(text, sizeof text, "%.*s", (int)(length < WORD_BYTES ? length : WORD_BYTES), name);
    const char *nearest = nearest_word(text, words, n);
    if (nearest) {
        return mistake(line, "there is no option --%s; the nearest is --%s", text, nearest);
    }
    return mistake(line, "there is no option --%s (see %s%s%s --help)", text, program_name(), BEHIND(line));
}

/* One option at argv[*at]; moves *at on where the value is the next argument. */
static int parse_option(const command_line *line, int argc, char **argv, int *at, uint64_t *given)
{
    const char *name = argv[*at] + 2;
    size_t length = strcspn(name, "=");
    for (size_t i = 0; i < line->n_options; i++) {
        const option *o = &line->options[i];
        if (strlen(o->name) != length || memcmp(o->name, name, length) != 0) {
            continue;
        }
        if (o->kind != OPTION_LIST && (*given >> i & 1)) {
            return mistake(line, "--%s is given twice", o->name);
        }
        *given |= (uint64_t)1 << i;
        const char *value = name[length] == '=' ? name + length + 1 : NULL;
        if (o->kind == OPTION_FLAG) {
            return value ? mistake(line, "--%s takes no value", o->name) : store(line, o, NULL);
        }
        if (!value) {
            if (*at + 1 >= argc) {
                return mistake(line, "--%s: %s is missing", o->name, o->value);
            }
            value = argv[++*at];
        }
        return store(line, o, value);
    }
    return unknown_option(line, name, length);
}

int options_parse(const command_line *line, int argc, char **argv, const char **arguments)
{
    size_t n = 0;
    uint64_t given = 0;
    bool only_arguments = false;
    for (size_t i = 0; i < line->n_arguments; i++) {
        arguments[i] = NULL;
    }
    for (int i = 1; i < argc; i++) {
        const char *text = argv[i];
        if (!only_arguments && strcmp(text, "--") == 0) {
            only_arguments = true;
        } else if (!only_arguments && (strcmp(text, "--help") == 0 || strcmp(text, "-h") == 0)) {
            print_help(line);
            return EXIT_DONE;
        } else if (!only_arguments && strncmp(text, "--", 2) == 0) {
            int code = parse_option(line, argc, argv, &i, &given);
            if (code >= 0) {
                return code;
            }
        } else if (!only_arguments && text[0] == '-' && text[1] != '\0') {
            return mistake(line, "there is no option %s (see %s%s%s --help)", text, program_name(), BEHIND(line));
        } else if (n == line->n_arguments) {
            return mistake(line, "one argument too many: \"%s\"", text);
        } else if (text[0] == '\0') {
            return mistake(line, "%s is empty", line->arguments[n]);
        } else {
            arguments[n++] = text;
        }
    }
    if (n < line->n_required) {
        return mistake(line, "%s is missing (see %s%s%s --help)", line->arguments[n], program_name(), BEHIND(line));
    }
    return -1;
}
