/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a text file line by line: see lines.h. */
#define _POSIX_C_SOURCE 200809L

#include "lines.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int lines_open(line_reader *reader, const char *path, complaint *problem)
{
    memset(reader, 0, sizeof(*reader));
    if (strcmp(path, "-") == 0) {
        reader->stream = stdin;
        reader->name = "standard input";
        reader->is_standard_input = 1;
        return 0;
    }
    reader->name = path;
    reader->stream = fopen(path, "r");
    if (reader->stream == NULL) {
        return complain(problem, "%s: %s", path, strerror(errno));
    }
    return 0;
}

void lines_close(line_reader *reader)
{
    if (reader->stream != NULL && !reader->is_standard_input) {
        (void)fclose(reader->stream);
    }
    free(reader->bytes);
    memset(reader, 0, sizeof(*reader));
}

/* Room for one byte more, and the NUL behind it. */
static int make_room(line_reader *reader, complaint *problem)
{
    if (reader->length + 2 <= reader->capacity) {
        return 0;
    }
    size_t capacity = reader->capacity == 0 ? 256 : reader->capacity * 2;
    if (capacity > LINES_MOST_BYTES) {
        return complain(problem, "%s:%lld: line is longer than %zu bytes", reader->name, (long long)reader->number,
                        LINES_MOST_BYTES / 2);
    }
    char *bytes = realloc(reader->bytes, capacity);
    if (bytes == NULL) {
        return complain_of_memory(problem);
    }
    reader->bytes = bytes;
    reader->capacity = capacity;
    return 0;
}

static void skip_byte_order_mark(line_reader *reader)
{
    if (reader->number == 1 && reader->length >= 3 && memcmp(reader->bytes, "\xef\xbb\xbf", 3) == 0) {
        reader->length -= 3;
        memmove(reader->bytes, reader->bytes + 3, reader->length + 1);
    }
}

/* Reads one line behind what is there. */
static int read_line(line_reader *reader, complaint *problem)
{
    int c = getc_unlocked(reader->stream);
    if (c == EOF && !ferror(reader->stream)) {
        return 0;
    }
    reader->number++;
    size_t start = reader->length;
    for (; c != EOF && c != '\n'; c = getc_unlocked(reader->stream)) {
        if (c == '\0') {
            return complain(problem, "%s:%lld: NUL byte: this is not a text file", reader->name, (long long)reader->number);
        }
        if (make_room(reader, problem) != 0) {
            return -1;
        }
        reader->bytes[reader->length++] = (char)c;
    }
    if (ferror(reader->stream)) {
        return complain(problem, "%s: %s", reader->name, strerror(errno));
    }
    if (make_room(reader, problem) != 0) {
        return -1;
    }
    if (reader->length > start && reader->bytes[reader->length - 1] == '\r') {
        reader->length--;
    }
    reader->bytes[reader->length] = '\0';
    skip_byte_order_mark(reader);
    return 1;
}

int lines_next(line_reader *reader, complaint *problem)
{
    reader->length = 0;
    return read_line(reader, problem);
}

int lines_append_next(line_reader *reader, complaint *problem)
{
    if (make_room(reader, problem) != 0) {
        return -1;
    }
    reader->bytes[reader->length++] = '\n';
    return read_line(reader, problem);
}
