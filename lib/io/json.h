/* SPDX-License-Identifier: Apache-2.0 */
/* A strict reader for the JSON that file headers are made of (objects, arrays, strings, whole numbers; RFC 8259, nothing
 * more lenient), and the writer's counterpart for strings. */
#ifndef CFD_IO_JSON_H
#define CFD_IO_JSON_H

#include "base/text.h"

#define JSON_MAX_DEPTH 16

typedef enum json_type { JSON_OBJECT, JSON_ARRAY, JSON_STRING, JSON_INTEGER } json_type;

/* A value, and its place among the members of what holds it. */
typedef struct json_value {
    json_type type;
    const char *key;    /* of a member of an object; else NULL */
    const char *string; /* JSON_STRING */
    int64_t integer;    /* JSON_INTEGER */
    size_t count;       /* JSON_OBJECT, JSON_ARRAY: members */
    size_t first, next; /* index of the first member, of the next sibling; 0: none */
    size_t position;    /* byte at which it begins */
} json_value;

typedef struct json_document {
    const memory_source *memory;
    json_value *values; /* values[0] is the whole */
    size_t n;
    size_t capacity;
    char *text; /* keys and strings, decoded, NUL-terminated */
} json_document;

/* Parses exactly one value, spaces around it allowed. CFD_ERROR_FORMAT names `what` and the byte. Refused: repeated keys,
 * invalid UTF-8, lone surrogates, U+0000 (strings end with it here), fractions, true, false, null, more than
 * JSON_MAX_DEPTH levels. */
cfd_status json_parse(const memory_source *memory, const char *what, const char *bytes, size_t n, json_document *out);
void json_release(json_document *document); /* accepts a zeroed struct */

/* Iteration: NULL beyond the last. */
const json_value *json_first(const json_document *document, const json_value *value);
const json_value *json_next(const json_document *document, const json_value *value);
/* The member of that key; NULL if there is none. */
const json_value *json_member(const json_document *document, const json_value *object, const char *key);

/* Appends text as a JSON string, quotes included. CFD_ERROR_ARGUMENT if it is not UTF-8. */
cfd_status json_append_string(text_buffer *buffer, const char *text);

#endif
