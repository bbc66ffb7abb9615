/* SPDX-License-Identifier: Apache-2.0 */
/* Writes JSON to a stream as it comes: strings escaped and always valid UTF-8, numbers in the shortest form that reads
 * back the same, whatever the locale, NaN and infinity as null. */
#ifndef JSON_H
#define JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

typedef struct json {
    FILE *file;
    bool indented; /* one value a line; else all on one line */
    int depth;
    bool started; /* the innermost object or array has a value already */
} json;

json json_begin(FILE *file, bool indented);
void json_end(json *j); /* the closing newline */

/* `key` is NULL within arrays and at the top. */
void json_open(json *j, const char *key, char bracket);      /* '{' or '[' */
void json_close(json *j, char bracket);                      /* '}' or ']' */
void json_text(json *j, const char *key, const char *value); /* NULL: null */
void json_number(json *j, const char *key, double value);
void json_float(json *j, const char *key, float value); /* shortest that reads back the same float */
void json_signed(json *j, const char *key, int64_t value);
void json_unsigned(json *j, const char *key, uint64_t value);
void json_bool(json *j, const char *key, bool value);
/* Text that is a JSON number stays a number, anything else becomes a string. */
void json_value(json *j, const char *key, const char *text);

#define JSON_NUMBER_BYTES 48
/* The shortest text that reads back as the same number (as the same float, if `single`). Returns buffer. */
const char *json_shortest(double value, bool single, char buffer[JSON_NUMBER_BYTES]);

#endif
