/* SPDX-License-Identifier: Apache-2.0 */
/* json_check FILE: exit code 0 if the file is one JSON value (RFC 8259) in UTF-8; else 1, and a line with the byte that
 * is wrong. For the tests of the programs: what they print is read by something that did not write it. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_BYTES ((size_t)1 << 26)
#define MOST_LEVELS 64

/* Where reading stands. The text ends with a NUL, which is valid nowhere. */
typedef struct reader {
    const unsigned char *at;
    int levels;
} reader;

static bool read_value(reader *r);

static void skip_space(reader *r)
{
    while (*r->at == ' ' || *r->at == '\t' || *r->at == '\n' || *r->at == '\r') {
        r->at++;
    }
}

static bool read_byte(reader *r, unsigned char wanted)
{
    bool there = *r->at == wanted;
    r->at += there;
    return there;
}

static bool read_between(reader *r, unsigned char low, unsigned char high)
{
    bool there = *r->at >= low && *r->at <= high;
    r->at += there;
    return there;
}

/* One character beyond ASCII, by the table of well-formed sequences (Unicode, table 3-7). */
static bool read_utf8(reader *r)
{
    static const unsigned char rows[][5] = {
        /* first byte from, to; second from, to; how many more of 80 to BF */
        {0xc2, 0xdf, 0x80, 0xbf, 0}, {0xe0, 0xe0, 0xa0, 0xbf, 1}, {0xe1, 0xec, 0x80, 0xbf, 1}, {0xed, 0xed, 0x80, 0x9f, 1},
        {0xee, 0xef, 0x80, 0xbf, 1}, {0xf0, 0xf0, 0x90, 0xbf, 2}, {0xf1, 0xf3, 0x80, 0xbf, 2}, {0xf4, 0xf4, 0x80, 0x8f, 2},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (*r->at >= rows[i][0] && *r->at <= rows[i][1]) {
            r->at++;
            bool good = read_between(r, rows[i][2], rows[i][3]);
            for (int more = 0; more < rows[i][4]; more++) {
                good = good && read_between(r, 0x80, 0xbf);
            }
            return good;
        }
    }
    return false;
}

static bool read_escape(reader *r)
{
    if (read_byte(r, 'u')) {
        for (int i = 0; i < 4; i++) {
            if (!read_between(r, '0', '9') && !read_between(r, 'a', 'f') && !read_between(r, 'A', 'F')) {
                return false;
            }
        }
        return true;
    }
    bool known = *r->at != '\0' && strchr("\"\\/bfnrt", *r->at) != NULL;
    r->at += known;
    return known;
}

static bool read_string(reader *r)
{
    if (!read_byte(r, '"')) {
        return false;
    }
    while (!read_byte(r, '"')) {
        bool good = *r->at >= 0x80 ? read_utf8(r) : read_byte(r, '\\') ? read_escape(r) : read_between(r, 0x20, 0x7f);
        if (!good) {
            return false;
        }
    }
    return true;
}

static bool read_digits(reader *r)
{
    const unsigned char *first = r->at;
    while (read_between(r, '0', '9')) {
    }
    return r->at > first;
}

static bool read_number(reader *r)
{
    (void)read_byte(r, '-');
    if (!read_byte(r, '0') && !read_digits(r)) {
        return false;
    }
    if (read_byte(r, '.') && !read_digits(r)) {
        return false;
    }
    if (read_byte(r, 'e') || read_byte(r, 'E')) {
        if (!read_byte(r, '+')) {
            (void)read_byte(r, '-');
        }
        return read_digits(r);
    }
    return true;
}

static bool read_word(reader *r, const char *word)
{
    while (*word != '\0') {
        if (!read_byte(r, (unsigned char)*word++)) {
            return false;
        }
    }
    return true;
}

/* Members up to the closing bracket; the opening one was read. */
static bool read_members(reader *r, bool object)
{
    unsigned char end = object ? '}' : ']';
    if (++r->levels > MOST_LEVELS) {
        return false;
    }
    skip_space(r);
    bool more = !read_byte(r, end);
    while (more) {
        skip_space(r);
        if (object) {
            if (!read_string(r)) {
                return false;
            }
            skip_space(r);
            if (!read_byte(r, ':')) {
                return false;
            }
        }
        if (!read_value(r)) {
            return false;
        }
        more = read_byte(r, ',');
        if (!more && !read_byte(r, end)) {
            return false;
        }
    }
    r->levels--;
    return true;
}

/* A value and the space around it. */
static bool read_value(reader *r)
{
    bool good;
    skip_space(r);
    switch (*r->at) {
    case '{':
    case '[':
        r->at++;
        good = read_members(r, r->at[-1] == '{');
        break;
    case '"': good = read_string(r); break;
    case 't': good = read_word(r, "true"); break;
    case 'f': good = read_word(r, "false"); break;
    case 'n': good = read_word(r, "null"); break;
    default: good = read_number(r);
    }
    if (good) {
        skip_space(r);
    }
    return good;
}

int main(int argc, char **argv)
{
    FILE *file = argc == 2 ? fopen(argv[1], "rb") : NULL;
    unsigned char *text = malloc(MOST_BYTES);
    if (!file || !text) {
        fprintf(stderr, "json_check: a file wanted\n");
        return 2;
    }
    size_t n = fread(text, 1, MOST_BYTES, file);
    fclose(file);
    if (n == MOST_BYTES) {
        fprintf(stderr, "json_check: %s is too large\n", argv[1]);
        return 2;
    }
    text[n] = '\0';
    reader r = {text, 0};
    bool good = read_value(&r) && r.at == text + n;
    if (!good) {
        fprintf(stderr, "json_check: %s: no JSON at byte %zu\n", argv[1], (size_t)(r.at - text));
    }
    free(text);
    return good ? 0 : 1;
}
