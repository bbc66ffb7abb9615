/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* strtod_l */
#include "base/text.h"

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Rewrites whatever the locale put between the digits (one byte or several) as '.'. */
static void restore_point(char *text)
{
    char *write = text;
    bool in_separator = false;
    for (const char *read = text; *read; read++) {
        bool numeric = (*read >= '0' && *read <= '9') || *read == '-' || *read == '+' || *read == 'e';
        if (numeric) {
            *write++ = *read;
        } else if (!in_separator) {
            *write++ = '.';
        }
        in_separator = !numeric;
    }
    *write = '\0';
}

const char *text_from_number(double value, char buffer[TEXT_NUMBER_BYTES])
{
    if (!isfinite(value)) {
        snprintf(buffer, TEXT_NUMBER_BYTES, "%s", isnan(value) ? "nan" : value > 0 ? "inf" : "-inf");
        return buffer;
    }
    bool whole = fabs(value) < 1e15 && floor(value) == value;
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(buffer, TEXT_NUMBER_BYTES, whole ? "%.*f" : "%.*g", whole ? 0 : digits, value); /* 30, not 3e+01 */
        restore_point(buffer);
        double back;
        if (text_to_number(buffer, &back) && back == value) {
            break;
        }
    }
    return buffer;
}

bool text_to_number(const char *text, double *value)
{
    /* strtod also takes blanks, hexadecimal, "inf" and "nan": only plain decimal is wanted. */
    size_t length = strspn(text, "0123456789.eE+-");
    if (length == 0 || text[length] != '\0') {
        return false;
    }
    locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (!plain) {
        return false;
    }
    char *end;
    double parsed = strtod_l(text, &end, plain);
    freelocale(plain);
    if (*end != '\0' || !isfinite(parsed)) {
        return false;
    }
    *value = parsed;
    return true;
}

bool text_to_integer(const char *text, int64_t *value)
{
    size_t sign = *text == '-' || *text == '+';
    size_t digits = strspn(text + sign, "0123456789");
    if (digits == 0 || text[sign + digits] != '\0') {
        return false;
    }
    int saved = errno;
    errno = 0;
    long long parsed = strtoll(text, NULL, 10);
    bool fits = errno == 0;
    errno = saved;
    if (fits) {
        *value = parsed;
    }
    return fits;
}

size_t text_distance(const char *a, const char *b)
{
    enum { LONGEST = 96 };
    size_t row[LONGEST + 1];
    size_t a_length = strnlen(a, LONGEST);
    size_t b_length = strnlen(b, LONGEST);
    for (size_t j = 0; j <= b_length; j++) {
        row[j] = j;
    }
    for (size_t i = 1; i <= a_length; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            size_t replace = diagonal + (a[i - 1] != b[j - 1]);
            size_t insert_or_delete = 1 + (row[j] < row[j - 1] ? row[j] : row[j - 1]);
            diagonal = row[j];
            row[j] = replace < insert_or_delete ? replace : insert_or_delete;
        }
    }
    return row[b_length];
}

bool text_is_name(const char *text)
{
    size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");
    return length >= 1 && length <= 63 && text[length] == '\0';
}

cfd_status text_append(text_buffer *buffer, const char *bytes, size_t length)
{
    size_t needed;
    if (!checked_add(buffer->length, length, &needed) || !checked_add(needed, 1, &needed)) {
        return fail_memory("a text", length);
    }
    TRY(memory_grow(buffer->source, &buffer->bytes, &buffer->capacity, needed, 1, "a text"));
    memcpy(buffer->bytes + buffer->length, bytes, length);
    buffer->length += length;
    buffer->bytes[buffer->length] = '\0';
    return CFD_OK;
}

cfd_status text_append_format(text_buffer *buffer, const char *format, ...)
{
    char line[2048];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    if (length < 0 || (size_t)length >= sizeof line) {
        return fail(CFD_ERROR_SYSTEM, "a text line of more than %zu bytes", sizeof line - 1);
    }
    return text_append(buffer, line, (size_t)length);
}

void text_buffer_release(text_buffer *buffer)
{
    if (buffer->source) {
        memory_release(buffer->source, buffer->bytes);
    }
    buffer->bytes = NULL;
    buffer->length = buffer->capacity = 0;
}
