/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a text file line by line: LF or CRLF ends a line, a byte order mark at the start is passed over,
 * a NUL byte or a line beyond LINES_MOST_BYTES is refused. */
#ifndef EXAMPLES_COMMON_LINES_H
#define EXAMPLES_COMMON_LINES_H

#include "complaint.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define LINES_MOST_BYTES ((size_t)1 << 24)

typedef struct line_reader {
    FILE *stream;
    const char *name; /* for complaints; the caller's */
    char *bytes;      /* the current line or lines, NUL-terminated */
    size_t length, capacity;
    int64_t number; /* of the last line that was read, from 1 */
    int is_standard_input;
} line_reader;

/* "-" is standard input. */
int lines_open(line_reader *reader, const char *path, complaint *problem);
/* 1: a line is in bytes; 0: the file is at its end; -1: a complaint. */
int lines_next(line_reader *reader, complaint *problem);
/* As lines_next, but puts a newline and the next line behind what is in bytes already. */
int lines_append_next(line_reader *reader, complaint *problem);
/* Accepts a zeroed reader. */
void lines_close(line_reader *reader);

#endif
