/* SPDX-License-Identifier: Apache-2.0 */
/* Streaming JSON: strings, numbers, and where the commas go. */
#include "json.h"

#include "../common/messages.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- strings ---- */

static void write_string(FILE *file, const char *text)
{
    putc('"', file);
    for (const char *s = text; *s;) {
        unsigned char c = (unsigned char)*s;
        size_t n = utf8_length(s);
        if (n == 0) {
            fputs("\\ufffd", file);
            n = 1;
        } else if (c == '"' || c == '\\') {
            fprintf(file, "\\%c", c);
        } else if (c < 0x20 || c == 0x7f) {
            fprintf(file, "\\u%04x", c);
        } else {
            fwrite(s, 1, n, file);
        }
        s += n;
    }
    putc('"', file);
}

/* ---- numbers ---- */

/* The digits and the exponent of value in the fewest digits that read back the same; the C library's decimal point,
 * whichever it is, is only passed through. */
static int shortest_digits(double value, bool single, char digits[24], int *exponent)
{
    char text[64];
    int most = single ? 9 : 17;
    for (int precision = 1; precision <= most; precision++) {
        snprintf(text, sizeof text, "%.*e", precision - 1, value);
        bool same = single ? strtof(text, NULL) == (float)value : strtod(text, NULL) == value;
        if (same) {
            break;
        }
    }
    int n = 0;
    const char *at = text;
    for (; *at && *at != 'e'; at++) {
        if (*at >= '0' && *at <= '9' && n < 23) {
            digits[n++] = *at;
        }
    }
    *exponent = *at == 'e' ? (int)strtol(at + 1, NULL, 10) : 0;
    digits[n] = '\0';
    return n;
}

const char *json_shortest(double value, bool single, char buffer[JSON_NUMBER_BYTES])
{
    char digits[24];
    int exponent;
    if (!isfinite(value)) {
        snprintf(buffer, JSON_NUMBER_BYTES, "null");
        return buffer;
    }
    int n = shortest_digits(fabs(value), single, digits, &exponent);
    const char *sign = signbit(value) ? "-" : "";
    if (exponent >= -5 && exponent < 0) {
        snprintf(buffer, JSON_NUMBER_BYTES, "%s0.%.*s%s", sign, -exponent - 1, "0000", digits);
    } else if (exponent >= 0 && exponent < 16) {
        int whole = exponent + 1;
        int zeros = whole > n ? whole - n : 0;
        snprintf(buffer, JSON_NUMBER_BYTES, "%s%.*s%.*s%s%s", sign, whole, digits, zeros, "0000000000000000",
                 whole < n ? "." : "", whole < n ? digits + whole : "");
    } else {
        snprintf(buffer, JSON_NUMBER_BYTES, "%s%c%s%se%d", sign, digits[0], n > 1 ? "." : "", digits + 1, exponent);
    }
    return buffer;
}

static bool is_json_number(const char *s)
{
    s += *s == '-';
    if (*s == '0') {
        s++;
    } else if (*s >= '1' && *s <= '9') {
        s += strspn(s, "0123456789");
    } else {
        return false;
    }
    if (*s == '.') {
        size_t n = strspn(++s, "0123456789");
        if (n == 0) {
            return false;
        }
        s += n;
    }
    if (*s == 'e' || *s == 'E') {
        s++;
        s += *s == '+' || *s == '-';
        size_t n = strspn(s, "0123456789");
        if (n == 0) {
            return false;
        }
        s += n;
    }
    return *s == '\0';
}

/* ---- structure ---- */

json json_begin(FILE *file, bool indented)
{
    return (json){.file = file, .indented = indented, .depth = 0, .started = false};
}

void json_end(json *j)
{
    putc('\n', j->file);
}

static void new_line(json *j)
{
    putc('\n', j->file);
    for (int i = 0; i < j->depth; i++) {
        fputs("  ", j->file);
    }
}

/* What stands before a value: comma, line, key. */
static void before(json *j, const char *key)
{
    if (j->started) {
        fputs(j->indented ? "," : ", ", j->file);
    }
    if (j->indented && j->depth > 0) {
        new_line(j);
    }
    if (key) {
        write_string(j->file, key);
        fputs(": ", j->file);
    }
    j->started = true;
}

void json_open(json *j, const char *key, char bracket)
{
    before(j, key);
    putc(bracket, j->file);
    j->depth++;
    j->started = false;
}

void json_close(json *j, char bracket)
{
    j->depth--;
    if (j->indented && j->started) {
        new_line(j);
    }
    putc(bracket, j->file);
    j->started = true; /* the object or array that was closed is a value of the one around it */
}

void json_text(json *j, const char *key, const char *value)
{
    before(j, key);
    if (value) {
        write_string(j->file, value);
    } else {
        fputs("null", j->file);
    }
}

void json_number(json *j, const char *key, double value)
{
    char text[JSON_NUMBER_BYTES];
    before(j, key);
    fputs(json_shortest(value, false, text), j->file);
}

void json_float(json *j, const char *key, float value)
{
    char text[JSON_NUMBER_BYTES];
    before(j, key);
    fputs(json_shortest(value, true, text), j->file);
}

void json_signed(json *j, const char *key, int64_t value)
{
    before(j, key);
    fprintf(j->file, "%" PRId64, value);
}

void json_unsigned(json *j, const char *key, uint64_t value)
{
    before(j, key);
    fprintf(j->file, "%" PRIu64, value);
}

void json_bool(json *j, const char *key, bool value)
{
    before(j, key);
    fputs(value ? "true" : "false", j->file);
}

void json_value(json *j, const char *key, const char *text)
{
    before(j, key);
    if (is_json_number(text)) {
        fputs(text, j->file);
    } else {
        write_string(j->file, text);
    }
}
