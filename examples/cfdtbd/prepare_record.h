/* SPDX-License-Identifier: Apache-2.0 */
/* Records of delimited text: a line, or several where a quoted field holds line ends. */
#ifndef PREPARE_RECORD_H
#define PREPARE_RECORD_H

#include "../common/lines.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct field {
    size_t start, length; /* in the reader's bytes */
} field;

/* Zero-initialise; records_close in the end. */
typedef struct record_reader {
    line_reader lines;
    char delimiter[8];
    bool quotes;   /* fields may be quoted as RFC 4180 has it: everywhere but in tab-separated text */
    field *fields; /* of the current record */
    size_t n, capacity;
    int64_t line; /* where the current record begins */
} record_reader;

/* delimiter NULL: tab, "::", comma or semicolon, the first of these that the first line has; else a space. */
int records_open(record_reader *reader, const char *path, const char *delimiter, complaint *problem);
/* 1: a record is in fields; 0: the end; -1: a complaint. Empty lines are passed over. */
int records_next(record_reader *reader, complaint *problem);
void records_close(record_reader *reader);

/* Field i of the current record, NUL-terminated; valid until the next record is read. */
const char *record_text(const record_reader *reader, size_t i);

/* A finite decimal number, with '.' and maybe an exponent, that fills the text but for spaces around it. */
bool number_from_text(const char *text, double *value);

#endif
