/* SPDX-License-Identifier: Apache-2.0 */
/* As much of Python's grammar as numpy itself writes: {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), } */
#include "io/npy_header.h"

#include <string.h>

typedef struct parser {
    const char *path;
    const char *text;
    size_t n, at;
} parser;

static cfd_status refuse(const parser *p, const char *reason)
{
    return fail(CFD_ERROR_FORMAT, "%s: header, byte %zu: %s", p->path, p->at, reason);
}

static void skip_space(parser *p)
{
    while (p->at < p->n &&
           (p->text[p->at] == ' ' || p->text[p->at] == '\t' || p->text[p->at] == '\n' || p->text[p->at] == '\r')) {
        p->at++;
    }
}

/* Takes one mark and the space before it. */
static bool take(parser *p, char mark)
{
    skip_space(p);
    bool there = p->at < p->n && p->text[p->at] == mark;
    p->at += there;
    return there;
}

static bool take_word(parser *p, const char *word)
{
    skip_space(p);
    size_t length = strlen(word);
    bool there = p->n - p->at >= length && memcmp(p->text + p->at, word, length) == 0;
    p->at += there ? length : 0;
    return there;
}

static cfd_status parse_string(parser *p, const char **string, size_t *length)
{
    skip_space(p);
    char quote = p->at < p->n ? p->text[p->at] : '\0';
    if (quote != '\'' && quote != '"') {
        return refuse(p, "a string was expected");
    }
    size_t begin = ++p->at;
    while (p->at < p->n && p->text[p->at] != quote) {
        if (p->text[p->at] == '\\' || p->text[p->at] == '\n') {
            return refuse(p, "an escape or the end of the line in a string");
        }
        p->at++;
    }
    if (p->at == p->n) {
        return refuse(p, "a string without end");
    }
    *string = p->text + begin;
    *length = p->at++ - begin;
    return CFD_OK;
}

static cfd_status parse_extent(parser *p, int64_t *out)
{
    skip_space(p);
    size_t begin = p->at;
    int64_t value = 0;
    for (; p->at < p->n && p->text[p->at] >= '0' && p->text[p->at] <= '9'; p->at++) {
        int digit = p->text[p->at] - '0';
        if (value > (INT64_MAX - digit) / 10) {
            return refuse(p, "a shape beyond 64 bits");
        }
        value = value * 10 + digit;
    }
    if (p->at == begin) {
        return refuse(p, "a shape is a tuple of whole numbers that are not negative");
    }
    p->at += p->at < p->n && p->text[p->at] == 'L'; /* a long of Python 2 */
    *out = value;
    return CFD_OK;
}

/* (), (3,), (3, 4), (3, 4,); (3) is a number, not a tuple. */
static cfd_status parse_shape(parser *p, npy_header *header)
{
    if (!take(p, '(')) {
        return refuse(p, "a shape is a tuple of whole numbers that are not negative");
    }
    header->rank = 0;
    bool comma = true;
    while (!take(p, ')')) {
        if (!comma) {
            return refuse(p, "',' was expected");
        }
        if (header->rank == NPY_MAX_RANK) {
            return refuse(p, "a shape of too many dimensions");
        }
        TRY(parse_extent(p, &header->shape[header->rank]));
        header->rank++;
        comma = take(p, ',');
    }
    return header->rank == 1 && !comma ? refuse(p, "a shape must be a tuple") : CFD_OK;
}

static cfd_status parse_descr(parser *p, npy_header *header)
{
    skip_space(p);
    if (p->at < p->n && p->text[p->at] == '[') {
        return refuse(p, "structured arrays cannot be read, only float16, float32 and float64");
    }
    return parse_string(p, &header->descr, &header->descr_length);
}

static cfd_status parse_order(parser *p, npy_header *header)
{
    header->fortran_order = take_word(p, "True");
    return header->fortran_order || take_word(p, "False") ? CFD_OK : refuse(p, "True or False was expected");
}

cfd_status npy_header_parse(const char *path, const char *text, size_t n, npy_header *out)
{
    static const struct {
        const char *key;
        cfd_status (*parse)(parser *p, npy_header *header);
    } members[] = {{"descr", parse_descr}, {"fortran_order", parse_order}, {"shape", parse_shape}};
    enum { MEMBERS = sizeof members / sizeof *members };
    parser p = {path, text, n, 0};
    npy_header header = {0};
    bool seen[MEMBERS] = {false};
    if (!take(&p, '{')) {
        return refuse(&p, "'{' was expected");
    }
    bool comma = true;
    while (!take(&p, '}')) {
        if (!comma) {
            return refuse(&p, "',' or '}' was expected");
        }
        const char *key = NULL;
        size_t length = 0;
        TRY(parse_string(&p, &key, &length));
        size_t i = 0;
        while (i < MEMBERS && (strlen(members[i].key) != length || memcmp(members[i].key, key, length) != 0)) {
            i++;
        }
        if (i == MEMBERS || seen[i]) {
            return refuse(&p, "keys are descr, fortran_order and shape, each once");
        }
        seen[i] = true;
        if (!take(&p, ':')) {
            return refuse(&p, "':' was expected");
        }
        TRY(members[i].parse(&p, &header));
        comma = take(&p, ',');
    }
    for (size_t i = 0; i < MEMBERS; i++) {
        if (!seen[i]) {
            return fail(CFD_ERROR_FORMAT, "%s: the header has no %s", path, members[i].key);
        }
    }
    skip_space(&p);
    if (p.at < n) {
        return refuse(&p, "more text behind the header");
    }
    *out = header;
    return CFD_OK;
}
