/* SPDX-License-Identifier: Apache-2.0 */
/* Reads a report with jansson: strict JSON (RFC 8259) with line and column of what is wrong, a limit of depth, no key twice,
 * and numbers that do not depend on the locale. */
#include "page_run.h"

#include "json.h"
#include "page_schema.h"
#include "program.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_BYTES = 512, MOST_BYTES = 1 << 28 };

/* ---- reading ---- */

static void name_of(const char *path, char name[RUN_NAME_BYTES])
{
    const char *slash = strrchr(path, '/');
    const char *base = slash ? slash + 1 : path;
    size_t length = strlen(base);
    if (length > strlen(".json") && strcmp(base + length - strlen(".json"), ".json") == 0) {
        length -= strlen(".json");
    }
    snprintf(name, RUN_NAME_BYTES, "%.*s", (int)length, base);
}

/* The whole file; NULL after a message. */
static char *read_file(const char *path, size_t *n)
{
    FILE *file = fopen(path, "rb");
    char *bytes = NULL;
    size_t capacity = 0;
    *n = 0;
    if (!file) {
        (void)failed("%s: %s", path, strerror(errno));
        return NULL;
    }
    for (size_t got = 1; got > 0 && *n <= MOST_BYTES;) {
        if (*n == capacity) {
            capacity = capacity ? 2 * capacity : 1 << 16;
            char *grown = realloc(bytes, capacity);
            if (!grown) {
                free(bytes);
                (void)fclose(file);
                (void)out_of_memory();
                return NULL;
            }
            bytes = grown;
        }
        got = fread(bytes + *n, 1, capacity - *n, file);
        *n += got;
    }
    if (ferror(file) || *n > MOST_BYTES) {
        (void)failed("%s: %s", path, ferror(file) ? strerror(errno) : "larger than any report (256 MB)");
        free(bytes);
        bytes = NULL;
    }
    (void)fclose(file);
    return bytes;
}

/* A seed may go beyond what a signed integer of 64 bits holds; then all integers are read as floating-point numbers, of
 * which only such a seed loses digits. */
static json_t *parse(const char *bytes, size_t n, json_error_t *error)
{
    json_t *root = json_loadb(bytes, n, JSON_REJECT_DUPLICATES, error);
    if (!root && json_error_code(error) == json_error_numeric_overflow) {
        root = json_loadb(bytes, n, JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, error);
    }
    return root;
}

int run_open(run_file *run, const char *path)
{
    size_t n;
    json_error_t error;
    *run = (run_file){.path = path};
    name_of(path, run->name);
    char *bytes = read_file(path, &n);
    if (!bytes) {
        return EXIT_FAILED;
    }
    json_t *root = parse(bytes, n, &error);
    free(bytes);
    if (!root) {
        return failed("%s, line %d, column %d: %s", path, error.line, error.column, error.text);
    }
    run->root = root;
    return schema_check(path, root);
}

void run_close(run_file *run)
{
    json_decref(run->root);
    run->root = NULL;
}

/* ---- values ---- */

/* NULL where the path leads nowhere. */
static const json_t *find(const run_file *run, const char *format, va_list arguments)
{
    char path[PATH_BYTES];
    int length = vsnprintf(path, sizeof path, format, arguments);
    const json_t *at = run->root;
    if (length < 0 || (size_t)length >= sizeof path) {
        return NULL;
    }
    for (char *key = path; at && *key;) {
        char *end = key + strcspn(key, "/");
        bool last = *end == '\0';
        *end = '\0';
        at = json_is_array(at) ? json_array_get(at, (size_t)strtoul(key, NULL, 10)) : json_object_get(at, key);
        key = last ? end : end + 1;
    }
    return at;
}

double run_number(const run_file *run, const char *path, ...)
{
    va_list arguments;
    va_start(arguments, path);
    const json_t *value = find(run, path, arguments);
    va_end(arguments);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

const char *run_text(const run_file *run, const char *path, ...)
{
    va_list arguments;
    va_start(arguments, path);
    const json_t *value = find(run, path, arguments);
    va_end(arguments);
    return json_string_value(value);
}

bool run_true(const run_file *run, const char *path, ...)
{
    va_list arguments;
    va_start(arguments, path);
    const json_t *value = find(run, path, arguments);
    va_end(arguments);
    return json_is_true(value);
}

bool run_has(const run_file *run, const char *path, ...)
{
    va_list arguments;
    va_start(arguments, path);
    const json_t *value = find(run, path, arguments);
    va_end(arguments);
    return value && !json_is_null(value);
}

size_t run_count(const run_file *run, const char *path, ...)
{
    va_list arguments;
    va_start(arguments, path);
    const json_t *value = find(run, path, arguments);
    va_end(arguments);
    return json_is_array(value) ? json_array_size(value) : json_object_size(value);
}

const char *run_key(const run_file *run, size_t place, const char *path, ...)
{
    va_list arguments;
    va_start(arguments, path);
    const json_t *value = find(run, path, arguments);
    va_end(arguments);
    void *at = json_object_iter((json_t *)(uintptr_t)value); /* iterating does not change it */
    while (at && place-- > 0) {
        at = json_object_iter_next((json_t *)(uintptr_t)value, at);
    }
    return at ? json_object_iter_key(at) : NULL;
}

const char *run_value(const run_file *run, char buffer[RUN_VALUE_BYTES], const char *path, ...)
{
    va_list arguments;
    char number[JSON_NUMBER_BYTES];
    va_start(arguments, path);
    const json_t *value = find(run, path, arguments);
    va_end(arguments);
    const char *text = "";
    if (json_is_string(value)) {
        text = json_string_value(value);
    } else if (json_is_integer(value)) {
        snprintf(number, sizeof number, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        text = number;
    } else if (json_is_real(value)) {
        text = json_shortest(json_real_value(value), false, number);
    } else if (json_is_boolean(value)) {
        text = json_is_true(value) ? "yes" : "no";
    }
    snprintf(buffer, RUN_VALUE_BYTES, "%s", text);
    return buffer;
}
