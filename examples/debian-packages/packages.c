/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the text of `apt-cache dumpavail`: see packages.h. */
#include "packages.h"

#include "../common/lines.h"

#include <stdlib.h>
#include <string.h>

#define NO_PACKAGE (-1)

/* A field of the stanza at hand, unfolded; kept from stanza to stanza for its memory. */
typedef struct value {
    char *bytes;
    size_t length, capacity;
} value;

/* The fields that are read. The first four hold relations. */
enum { DEPENDS, PRE_DEPENDS, RECOMMENDS, SUGGESTS, RELATIONS, PACKAGE = RELATIONS, DESCRIPTION, TAG, FIELDS };

static const char *const field_names[FIELDS] = {"Depends", "Pre-Depends", "Recommends", "Suggests",
                                                "Package", "Description", "Tag"};

typedef struct stanza {
    value fields[FIELDS];
    int64_t line; /* where it begins */
    int is_open;
} stanza;

/* ---- growing memory ---- */

static int append(value *to, const char *bytes, size_t length, complaint *problem)
{
    if (to->length + length + 1 > to->capacity) { /* a line is at most LINES_MOST_BYTES: no overflow */
        size_t capacity = (to->length + length + 1) * 2;
        char *larger = realloc(to->bytes, capacity);
        if (larger == NULL) {
            return complain_of_memory(problem);
        }
        to->bytes = larger;
        to->capacity = capacity;
    }
    memcpy(to->bytes + to->length, bytes, length);
    to->length += length;
    to->bytes[to->length] = '\0';
    return 0;
}

/* Keeps a value; *at is where. */
static int keep_text(packages *all, const value *from, size_t *at, complaint *problem)
{
    if (from->length == 0) {
        *at = 0;
        return 0;
    }
    if (all->n_text + from->length + 1 > all->text_capacity) {
        size_t capacity = (all->n_text + from->length + 1) * 2;
        char *larger = realloc(all->text, capacity);
        if (larger == NULL) {
            return complain_of_memory(problem);
        }
        all->text = larger;
        all->text_capacity = capacity;
    }
    memcpy(all->text + all->n_text, from->bytes, from->length + 1);
    *at = all->n_text;
    all->n_text += from->length + 1;
    return 0;
}

/* The number of a name, with an entry in of_name. */
static int32_t number_name(packages *all, const char *name, size_t length, complaint *problem)
{
    int32_t before = all->names.n, number = names_number(&all->names, name, length, problem);
    if (number < before) { /* known, or failed */
        return number;
    }
    if (all->names.n > all->of_name_capacity) {
        int32_t capacity = all->names.n * 2; /* a table of names ends before 2^30 */
        package *larger = realloc(all->of_name, (size_t)capacity * sizeof(*larger));
        if (larger == NULL) {
            return complain_of_memory(problem);
        }
        all->of_name = larger;
        all->of_name_capacity = capacity;
    }
    all->of_name[number] = (package){NO_PACKAGE, 0, 0};
    return number;
}

/* ---- a stanza ---- */

static size_t name_length(const char *text)
{
    return strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.");
}

/* "a (>= 1) | b:any, c [amd64]": a, b and c. Who offers alternatives goes with each of them. */
static int add_relations(packages *all, int32_t user, const value *from, complaint *problem)
{
    const char *at = from->length > 0 ? from->bytes : "";
    while (*at != '\0') {
        at += strspn(at, " \t,|");
        size_t length = name_length(at);
        if (length > 0) {
            int32_t item = number_name(all, at, length, problem);
            if (item < 0 || (item != user && interactions_add(&all->relations, user, item, 0, problem) != 0)) {
                return -1;
            }
        }
        at += strcspn(at, ",|");
    }
    return 0;
}

static int end_stanza(packages *all, stanza *current, const char *file, complaint *problem)
{
    if (!current->is_open) {
        return 0;
    }
    const value *name = &current->fields[PACKAGE];
    if (name->length == 0 || name_length(name->bytes) != name->length) {
        return complain(problem, "%s:%lld: a stanza without a Package name", file, (long long)current->line);
    }
    int32_t user = number_name(all, name->bytes, name->length, problem);
    if (user < 0) {
        return -1;
    }
    if (all->of_name[user].name == NO_PACKAGE) {
        package found = {user, 0, 0};
        if (keep_text(all, &current->fields[DESCRIPTION], &found.description, problem) != 0 ||
            keep_text(all, &current->fields[TAG], &found.debtags, problem) != 0) {
            return -1;
        }
        all->of_name[user] = found;
        all->n++;
        for (int field = 0; field < RELATIONS; field++) {
            if (add_relations(all, user, &current->fields[field], problem) != 0) {
                return -1;
            }
        }
    }
    current->is_open = 0;
    return 0;
}

/* One line of a stanza: "Field: value", or more of the value of the field before. */
static int add_line(stanza *current, int *field, const line_reader *reader, complaint *problem)
{
    const char *text = reader->bytes;
    if (!current->is_open) {
        current->is_open = 1;
        current->line = reader->number;
        *field = -1;
        for (int i = 0; i < FIELDS; i++) {
            current->fields[i].length = 0;
        }
    }
    if (*text == ' ' || *text == '\t') {
        if (reader->number == current->line) {
            return complain(problem, "%s:%lld: a stanza begins with a continuation line", reader->name,
                            (long long)reader->number);
        }
        /* Of the description, the first line is all that is wanted. */
        return *field < 0 || *field == DESCRIPTION ? 0 : append(&current->fields[*field], text, reader->length, problem);
    }
    size_t length = strcspn(text, ":");
    if (length == 0 || text[length] == '\0') {
        return complain(problem, "%s:%lld: neither a field nor a continuation line", reader->name,
                        (long long)reader->number);
    }
    *field = -1;
    for (int i = 0; i < FIELDS; i++) {
        if (strlen(field_names[i]) == length && memcmp(field_names[i], text, length) == 0) {
            *field = i;
            text += length + 1;
            text += strspn(text, " \t");
            current->fields[i].length = 0;
            return append(&current->fields[i], text, strlen(text), problem);
        }
    }
    return 0;
}

static int read_stanzas(packages *all, line_reader *reader, stanza *current, complaint *problem)
{
    int more, field = -1;
    while ((more = lines_next(reader, problem)) == 1) {
        int is_blank = strspn(reader->bytes, " \t") == reader->length;
        if ((is_blank ? end_stanza(all, current, reader->name, problem) : add_line(current, &field, reader, problem)) != 0) {
            return -1;
        }
    }
    if (more == 0) {
        more = end_stanza(all, current, reader->name, problem);
    }
    if (more == 0 && all->n == 0) {
        return complain(problem, "%s: no packages (run apt-get update first)", reader->name);
    }
    return more;
}

/* Only packages that the text describes can be items: nothing is known of the others. */
static void drop_undescribed(packages *all)
{
    size_t kept = 0;
    for (size_t i = 0; i < all->relations.n; i++) {
        if (all->of_name[all->relations.rows[i].item].name != NO_PACKAGE) {
            all->relations.rows[kept++] = all->relations.rows[i];
        }
    }
    all->relations.n = kept;
}

int packages_read(packages *all, const char *path, complaint *problem)
{
    line_reader reader;
    stanza current = {0};
    value empty = {0};
    memset(all, 0, sizeof(*all));
    int code = lines_open(&reader, path, problem);
    if (code == 0 && (all->text = calloc(1, 4096)) == NULL) {
        code = complain_of_memory(problem);
    }
    if (code == 0) {
        all->text_capacity = 4096;
        all->n_text = 1; /* the empty text, at 0 */
        code = read_stanzas(all, &reader, &current, problem);
    }
    if (code == 0) {
        drop_undescribed(all);
    } else {
        packages_release(all);
    }
    for (int i = 0; i < FIELDS; i++) {
        free(current.fields[i].bytes);
        current.fields[i] = empty;
    }
    lines_close(&reader);
    return code;
}

void packages_release(packages *all)
{
    names_release(&all->names);
    interactions_release(&all->relations);
    free(all->of_name);
    free(all->text);
    memset(all, 0, sizeof(*all));
}
