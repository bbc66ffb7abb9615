/* SPDX-License-Identifier: Apache-2.0 */
/* Reads a table of interactions: which column is what, and the rows. See prepare_read.h. */
#include "prepare_read.h"

#include "prepare_record.h"

#include <stdlib.h>
#include <string.h>

static const char *const role_names[COLUMN_ROLES] = {"user", "item", "time", "rating"};

/* What headers call a column, lower case, without '_', '-' and spaces. */
static const char *const known_names[COLUMN_ROLES][12] = {
    {"user", "userid", "uid", "reviewerid", "customer", "customerid", "sessionid"},
    {"item", "itemid", "iid", "asin", "movieid", "productid", "parentasin", "articleid", "trackid", "bookid"},
    {"time", "timestamp", "ts", "unixreviewtime", "date", "datetime", "unixtime"},
    {"rating", "ratings", "overall", "score", "stars"},
};

/* Which field has which role; -1: none. */
typedef struct layout {
    long column[COLUMN_ROLES];
    size_t width; /* fields of every record */
} layout;

/* ---- which column is what ---- */

/* Whether a header's field is one of the names of a role: "User_ID", "item_id:token" (as RecBole writes it). */
static bool has_known_name(const char *text, enum column_role role)
{
    char plain[32];
    size_t n = 0;
    for (; *text != '\0' && *text != ':' && n + 1 < sizeof(plain); text++) {
        if (*text != '_' && *text != '-' && *text != ' ') {
            plain[n++] = *text >= 'A' && *text <= 'Z' ? (char)(*text - 'A' + 'a') : *text;
        }
    }
    plain[n] = '\0';
    for (size_t i = 0; known_names[role][i] != NULL; i++) {
        if (strcmp(plain, known_names[role][i]) == 0) {
            return true;
        }
    }
    return false;
}

static long find_known_name(const record_reader *reader, enum column_role role)
{
    for (size_t i = 0; i < reader->n; i++) {
        if (has_known_name(record_text(reader, i), role)) {
            return (long)i;
        }
    }
    return -1;
}

static int count_known_names(const record_reader *reader)
{
    int n = 0;
    for (int role = 0; role < COLUMN_ROLES; role++) {
        n += find_known_name(reader, (enum column_role)role) >= 0;
    }
    return n;
}

/* A column given as a number from 1; 0 if the text is not one. */
static long column_number(const char *text)
{
    long number = 0;
    for (; *text >= '0' && *text <= '9' && number < 1000000; text++) {
        number = number * 10 + (*text - '0');
    }
    return *text == '\0' ? number : 0;
}

/* Whether an option names a column by its title, which only a header can have. */
static bool any_given_by_name(const table_options *options)
{
    for (int role = 0; role < COLUMN_ROLES; role++) {
        const char *given = options->columns[role];
        if (given != NULL && strcmp(given, "none") != 0 && column_number(given) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_taken(const layout *found, long column)
{
    for (int role = 0; role < COLUMN_ROLES; role++) {
        if (found->column[role] == column) {
            return true;
        }
    }
    return false;
}

/* A column that an option gives, by number or by the header's name. */
static int find_given(const record_reader *reader, const char *given, int role, layout *found, complaint *problem)
{
    const char *file = reader->lines.name;
    long line = (long)reader->line, column = column_number(given) - 1;
    if (column >= 0 && (size_t)column >= reader->n) {
        return complain(problem, "%s:%ld: --%s %s: there are %zu columns only", file, line, role_names[role], given,
                        reader->n);
    }
    for (size_t i = 0; column < 0 && i < reader->n; i++) {
        if (strcmp(record_text(reader, i), given) == 0) {
            column = (long)i;
        }
    }
    if (column < 0) {
        return complain(problem, "%s:%ld: --%s %s: the header has no such column", file, line, role_names[role], given);
    }
    if (is_taken(found, column)) {
        return complain(problem, "%s:%ld: --%s %s: that column is given twice", file, line, role_names[role], given);
    }
    found->column[role] = column;
    return 0;
}

/* Roles that no option gives: by name if the header has any known name, else by position. */
static int find_rest(const record_reader *reader, const table_options *options, bool by_name, layout *found,
                     complaint *problem)
{
    for (int role = 0; role < COLUMN_ROLES; role++) {
        if (options->columns[role] != NULL) {
            continue;
        }
        long column = by_name ? find_known_name(reader, (enum column_role)role) : role;
        if (column >= 0 && (size_t)column < reader->n && !is_taken(found, column)) {
            found->column[role] = column;
        } else if (role == COLUMN_USER || role == COLUMN_ITEM) {
            return complain(problem, "%s:%ld: no column is left for the %s (--%s says which)", reader->lines.name,
                            (long)reader->line, role_names[role], role_names[role]);
        }
    }
    return 0;
}

/* Copies text, cut between characters where it does not fit. */
static void keep_text(char *to, size_t capacity, const char *text)
{
    size_t n = strlen(text);
    if (n >= capacity) {
        for (n = capacity - 1; n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80; n--) {
        }
    }
    memcpy(to, text, n);
    to[n] = '\0';
}

/* The header's fields, so that the user sees what was taken for one. */
static void keep_header(table *result, const record_reader *reader)
{
    result->header_line = reader->line;
    for (size_t i = 0; i < reader->n; i++) {
        size_t n = strlen(result->header);
        keep_text(result->header + n, sizeof(result->header) - n, i == 0 ? "" : reader->delimiter);
        n = strlen(result->header);
        keep_text(result->header + n, sizeof(result->header) - n, record_text(reader, i));
    }
}

/* From the first record: the layout, and whether that record is a header. */
static int find_layout(const record_reader *reader, const table_options *options, layout *found, table *result,
                       complaint *problem)
{
    int known = options->header == HEADER_NO ? 0 : count_known_names(reader);
    bool given_by_name = any_given_by_name(options);
    result->has_header = options->header == HEADER_YES || given_by_name || known >= 2;
    found->width = reader->n;
    for (int role = 0; role < COLUMN_ROLES; role++) {
        found->column[role] = -1;
    }
    for (int role = 0; role < COLUMN_ROLES; role++) {
        const char *given = options->columns[role];
        if (given != NULL && strcmp(given, "none") != 0 && find_given(reader, given, role, found, problem) != 0) {
            return -1;
        }
    }
    if (find_rest(reader, options, result->has_header && (known > 0 || given_by_name), found, problem) != 0) {
        return -1;
    }
    for (int role = COLUMN_TIME; role <= COLUMN_RATING; role++) {
        double number;
        if (options->header == HEADER_AUTO && !result->has_header && found->column[role] >= 0 &&
            !number_from_text(record_text(reader, (size_t)found->column[role]), &number)) {
            /* A time or rating that is no number, in the first line: a title. */
            table_options with_header = *options;
            with_header.header = HEADER_YES;
            keep_text(result->no_number, sizeof(result->no_number), record_text(reader, (size_t)found->column[role]));
            return find_layout(reader, &with_header, found, result, problem);
        }
    }
    return 0;
}

/* ---- rows ---- */

/* The number of the name in a field, or -1. */
static int32_t read_name(const record_reader *reader, const layout *found, int role, name_table *names, complaint *problem)
{
    const char *text = record_text(reader, (size_t)found->column[role]);
    if (*text == '\0') {
        return complain(problem, "%s:%lld: the %s is empty", reader->lines.name, (long long)reader->line, role_names[role]);
    }
    if (strpbrk(text, "\n\r") != NULL) {
        return complain(problem, "%s:%lld: the %s has a line end in its name", reader->lines.name, (long long)reader->line,
                        role_names[role]);
    }
    return names_number(names, text, reader->fields[found->column[role]].length, problem);
}

static int read_number(const record_reader *reader, const layout *found, int role, double *number, complaint *problem)
{
    const char *text = record_text(reader, (size_t)found->column[role]);
    if (!number_from_text(text, number)) {
        return complain(problem, "%s:%lld: %s \"%.80s\" is not a number (--%s none leaves it out)", reader->lines.name,
                        (long long)reader->line, role_names[role], text, role_names[role]);
    }
    return 0;
}

static int read_row(table *result, const record_reader *reader, const layout *found, double min_rating, complaint *problem)
{
    if (reader->n != found->width) {
        return complain(problem, "%s:%lld: %zu fields where the first line has %zu", reader->lines.name,
                        (long long)reader->line, reader->n, found->width);
    }
    double time = 0, rating = 0;
    if ((result->has_time && read_number(reader, found, COLUMN_TIME, &time, problem) != 0) ||
        (result->has_rating && read_number(reader, found, COLUMN_RATING, &rating, problem) != 0)) {
        return -1;
    }
    result->n_rows++;
    if (result->has_rating && rating < min_rating) {
        result->n_low++;
        return 0;
    }
    int32_t user = read_name(reader, found, COLUMN_USER, &result->users, problem);
    int32_t item = user < 0 ? -1 : read_name(reader, found, COLUMN_ITEM, &result->items, problem);
    return item < 0 ? -1 : interactions_add(&result->interactions, user, item, time, problem);
}

static int read_all(table *result, record_reader *reader, const table_options *options, complaint *problem)
{
    layout found;
    int more = records_next(reader, problem);
    if (more == 0) {
        complain(problem, "%s: empty", reader->lines.name);
    }
    if (more != 1 || find_layout(reader, options, &found, result, problem) != 0) {
        return -1;
    }
    result->has_time = found.column[COLUMN_TIME] >= 0;
    result->has_rating = found.column[COLUMN_RATING] >= 0;
    if (result->has_header) {
        keep_header(result, reader);
        more = records_next(reader, problem);
    }
    for (; more == 1; more = records_next(reader, problem)) {
        if (read_row(result, reader, &found, options->min_rating, problem) != 0) {
            return -1;
        }
    }
    if (more == 0 && result->n_rows == 0) {
        return complain(problem, "%s: a header, but no rows", reader->lines.name);
    }
    return more;
}

int table_read(table *result, const char *path, const table_options *options, complaint *problem)
{
    record_reader reader;
    memset(result, 0, sizeof(*result));
    int code = records_open(&reader, path, options->delimiter, problem);
    if (code == 0) {
        code = read_all(result, &reader, options, problem);
    }
    records_close(&reader);
    if (code != 0) {
        table_release(result);
    }
    return code;
}

void table_release(table *result)
{
    names_release(&result->users);
    names_release(&result->items);
    interactions_release(&result->interactions);
    memset(result, 0, sizeof(*result));
}
