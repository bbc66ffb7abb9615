/* SPDX-License-Identifier: Apache-2.0 */
/* Records of delimited text: see prepare_record.h. */
#include "prepare_record.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int records_open(record_reader *reader, const char *path, const char *delimiter, complaint *problem)
{
    memset(reader, 0, sizeof(*reader));
    if (delimiter != NULL) {
        snprintf(reader->delimiter, sizeof(reader->delimiter), "%s", delimiter);
        reader->quotes = strcmp(delimiter, "\t") != 0;
    }
    return lines_open(&reader->lines, path, problem);
}

void records_close(record_reader *reader)
{
    lines_close(&reader->lines);
    free(reader->fields);
    memset(reader, 0, sizeof(*reader));
}

static void find_delimiter(record_reader *reader)
{
    static const char *const candidates[] = {"\t", "::", ",", ";", " "};
    size_t i = 0;
    while (i < 4 && strstr(reader->lines.bytes, candidates[i]) == NULL) {
        i++;
    }
    snprintf(reader->delimiter, sizeof(reader->delimiter), "%s", candidates[i]);
    reader->quotes = i != 0;
}

/* Takes the quotes off the field that begins at `from`: its text ends up at from + 1, NUL-terminated, and *after is
 * where the record goes on. Reads further lines while the field is open. Offsets, since reading moves the bytes. */
static int unquote(record_reader *reader, size_t from, size_t *length, size_t *after, complaint *problem)
{
    size_t read = from + 1, write = from + 1;
    for (;;) {
        char *bytes = reader->lines.bytes;
        if (bytes[read] == '\0') {
            int more = lines_append_next(&reader->lines, problem);
            if (more == 0) {
                complain(problem, "%s:%lld: a quoted field is not closed", reader->lines.name, (long long)reader->line);
            }
            if (more != 1) {
                return -1;
            }
            continue;
        }
        if (bytes[read] == '"') {
            if (bytes[read + 1] != '"') {
                *length = write - (from + 1);
                *after = read + 1;
                return 0;
            }
            read++;
        }
        bytes[write++] = bytes[read++];
    }
}

static int add_field(record_reader *reader, complaint *problem)
{
    if (reader->n == reader->capacity) {
        size_t capacity = reader->capacity == 0 ? 16 : reader->capacity * 2;
        field *fields = realloc(reader->fields, capacity * sizeof(*fields));
        if (fields == NULL) {
            return complain_of_memory(problem);
        }
        reader->fields = fields;
        reader->capacity = capacity;
    }
    reader->n++;
    return 0;
}

const char *record_text(const record_reader *reader, size_t i)
{
    return reader->lines.bytes + reader->fields[i].start;
}

/* Cuts the line into fields, each ended by a NUL where its delimiter or closing quote was. */
static int cut(record_reader *reader, complaint *problem)
{
    size_t width = strlen(reader->delimiter);
    reader->n = 0;
    for (size_t at = 0;;) {
        size_t start = at, length, after;
        if (add_field(reader, problem) != 0) {
            return -1;
        }
        if (reader->quotes && reader->lines.bytes[at] == '"') {
            if (unquote(reader, at, &length, &after, problem) != 0) {
                return -1;
            }
            start = at + 1;
        } else {
            const char *end = strstr(reader->lines.bytes + at, reader->delimiter);
            length = end != NULL ? (size_t)(end - (reader->lines.bytes + at)) : strlen(reader->lines.bytes + at);
            after = at + length;
        }
        bool last = reader->lines.bytes[after] == '\0';
        if (!last && strncmp(reader->lines.bytes + after, reader->delimiter, width) != 0) {
            return complain(problem, "%s:%lld: text after the closing quote of field %zu", reader->lines.name,
                            (long long)reader->line, reader->n);
        }
        reader->lines.bytes[start + length] = '\0';
        reader->fields[reader->n - 1] = (field){start, length};
        if (last) {
            return 0;
        }
        at = after + width;
    }
}

int records_next(record_reader *reader, complaint *problem)
{
    int more;
    do {
        more = lines_next(&reader->lines, problem);
        if (more != 1) {
            return more;
        }
    } while (reader->lines.length == 0);
    reader->line = reader->lines.number;
    if (reader->delimiter[0] == '\0') {
        find_delimiter(reader);
    }
    return cut(reader, problem) != 0 ? -1 : 1;
}

static const char *skip_digits(const char *text)
{
    while (*text >= '0' && *text <= '9') {
        text++;
    }
    return text;
}

bool number_from_text(const char *text, double *value)
{
    while (*text == ' ') {
        text++;
    }
    const char *c = text + (*text == '-' || *text == '+');
    const char *whole = c;
    c = skip_digits(c);
    bool has_digits = c > whole;
    if (*c == '.') {
        const char *fraction = c + 1;
        c = skip_digits(fraction);
        has_digits = has_digits || c > fraction;
    }
    if (has_digits && (*c == 'e' || *c == 'E')) {
        const char *exponent = c + 1 + (c[1] == '-' || c[1] == '+');
        c = skip_digits(exponent);
        has_digits = c > exponent;
    }
    while (*c == ' ') {
        c++;
    }
    if (!has_digits || *c != '\0') {
        return false;
    }
    *value = strtod(text, NULL); /* this program never leaves the C locale, where '.' is the point */
    return isfinite(*value);
}
