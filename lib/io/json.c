/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON reader: recursive descent over bytes, values in one array, strings decoded into one block that is as long as the
 * source (no escape is shorter than what it stands for). */
#include "io/json.h"
#include "io/utf8.h"

#include <string.h>

typedef struct parser {
    const char *what;
    const unsigned char *bytes;
    size_t n, at;
    json_document document;
    char *text; /* where the next string goes */
} parser;

static cfd_status refuse_at(const parser *p, size_t position, const char *reason)
{
    return fail(CFD_ERROR_FORMAT, "%s: byte %zu: %s", p->what, position, reason);
}

static cfd_status refuse(const parser *p, const char *reason)
{
    return refuse_at(p, p->at, p->at < p->n ? reason : "the text ends too soon");
}

static void skip_space(parser *p)
{
    while (p->at < p->n &&
           (p->bytes[p->at] == ' ' || p->bytes[p->at] == '\t' || p->bytes[p->at] == '\n' || p->bytes[p->at] == '\r')) {
        p->at++;
    }
}

static bool take(parser *p, char byte)
{
    bool there = p->at < p->n && p->bytes[p->at] == (unsigned char)byte;
    p->at += there;
    return there;
}

/* ---- strings ---- */

static cfd_status parse_hex(parser *p, uint32_t *out)
{
    uint32_t value = 0;
    for (int i = 0; i < 4; i++) {
        unsigned char byte = p->at < p->n ? p->bytes[p->at] : 0;
        uint32_t digit = byte >= '0' && byte <= '9'   ? byte - (uint32_t)'0'
                         : byte >= 'a' && byte <= 'f' ? byte - (uint32_t)'a' + 10
                         : byte >= 'A' && byte <= 'F' ? byte - (uint32_t)'A' + 10
                                                      : 16;
        if (digit > 15) {
            return refuse(p, "\\u wants four hexadecimal digits");
        }
        value = value << 4 | digit;
        p->at++;
    }
    *out = value;
    return CFD_OK;
}

/* After "\u": a code point, from one escape or from a pair of surrogates. */
static cfd_status parse_code_point(parser *p)
{
    size_t position = p->at;
    uint32_t point;
    TRY(parse_hex(p, &point));
    if (point >= 0xd800 && point <= 0xdbff) {
        uint32_t low = 0;
        if (p->n - p->at >= 2 && p->bytes[p->at] == '\\' && p->bytes[p->at + 1] == 'u') {
            p->at += 2;
            TRY(parse_hex(p, &low));
        }
        if (low < 0xdc00 || low > 0xdfff) {
            return refuse_at(p, position, "a high surrogate without its low one");
        }
        point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
    } else if (point >= 0xdc00 && point <= 0xdfff) {
        return refuse_at(p, position, "a low surrogate without its high one");
    } else if (point == 0) {
        return refuse_at(p, position, "U+0000 cannot stand in a string here");
    }
    p->text += utf8_write(point, p->text);
    return CFD_OK;
}

static cfd_status parse_escape(parser *p)
{
    static const char escaped[] = "\"\\/bfnrt";
    static const char meant[] = "\"\\/\b\f\n\r\t";
    unsigned char byte = p->at < p->n ? p->bytes[p->at] : 0;
    if (byte == 'u') {
        p->at++;
        return parse_code_point(p);
    }
    const char *found = byte ? strchr(escaped, byte) : NULL;
    if (!found) {
        return refuse(p, "no such escape");
    }
    p->at++;
    *p->text++ = meant[found - escaped];
    return CFD_OK;
}

static cfd_status parse_string(parser *p, const char **out)
{
    if (!take(p, '"')) {
        return refuse(p, "a string was expected");
    }
    const char *string = p->text;
    while (!take(p, '"')) {
        if (take(p, '\\')) {
            TRY(parse_escape(p));
            continue;
        }
        if (p->at == p->n || p->bytes[p->at] < 0x20) {
            return refuse(p, "a control character in a string");
        }
        size_t length = utf8_length(p->bytes + p->at, p->n - p->at);
        if (length == 0) {
            return refuse(p, "invalid UTF-8");
        }
        memcpy(p->text, p->bytes + p->at, length);
        p->text += length;
        p->at += length;
    }
    *p->text++ = '\0';
    *out = string;
    return CFD_OK;
}

/* ---- numbers ---- */

static cfd_status parse_integer(parser *p, int64_t *out)
{
    size_t position = p->at;
    bool negative = take(p, '-');
    uint64_t limit = (uint64_t)INT64_MAX + negative;
    uint64_t magnitude = 0;
    size_t first = p->at;
    for (; p->at < p->n && p->bytes[p->at] >= '0' && p->bytes[p->at] <= '9'; p->at++) {
        uint64_t digit = p->bytes[p->at] - (uint64_t)'0';
        if (p->at == first + 1 && magnitude == 0) {
            return refuse_at(p, position, "a number with a leading zero");
        }
        if (magnitude > (limit - digit) / 10) {
            return refuse_at(p, position, "a number beyond 64 bits");
        }
        magnitude = magnitude * 10 + digit;
    }
    if (p->at == first) {
        return refuse(p, "a digit was expected");
    }
    if (p->at < p->n && (p->bytes[p->at] == '.' || p->bytes[p->at] == 'e' || p->bytes[p->at] == 'E')) {
        return refuse_at(p, position, "only whole numbers can stand here");
    }
    *out = negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
    return CFD_OK;
}

/* ---- objects and arrays ---- */

static uint64_t hash_text(const char *text)
{
    uint64_t hash = 0xcbf29ce484222325u; /* FNV-1a */
    for (; *text; text++) {
        hash = (hash ^ (unsigned char)*text) * 0x100000001b3u;
    }
    return hash ^ hash >> 32;
}

/* Linear in the members, since a header may have a great many. */
static cfd_status refuse_repeated_keys(const parser *p, size_t object)
{
    const json_document *document = &p->document;
    if (document->values[object].count < 2) {
        return CFD_OK;
    }
    size_t slots = 4;
    while (slots < document->values[object].count * 2) {
        slots *= 2;
    }
    size_t *table; /* index of a member; 0: free, since the whole is nobody's member */
    TRY(memory_allocate_zero(document->memory, slots, sizeof *table, "a table of keys", &table));
    cfd_status status = CFD_OK;
    for (size_t i = document->values[object].first; i != 0 && status == CFD_OK; i = document->values[i].next) {
        size_t slot = (size_t)hash_text(document->values[i].key) & (slots - 1);
        while (table[slot] != 0 && strcmp(document->values[table[slot]].key, document->values[i].key) != 0) {
            slot = (slot + 1) & (slots - 1);
        }
        if (table[slot] != 0) {
            status = refuse_at(p, document->values[i].position, "a key that stands in its object already");
        }
        table[slot] = i;
    }
    memory_release(document->memory, table);
    return status;
}

static cfd_status parse_value(parser *p, int depth, size_t *index);

static cfd_status parse_members(parser *p, int depth, size_t holder, bool is_object)
{
    char closing = is_object ? '}' : ']';
    size_t last = 0;
    skip_space(p);
    if (take(p, closing)) {
        return CFD_OK;
    }
    for (;;) {
        const char *key = NULL;
        size_t index;
        skip_space(p);
        if (is_object) {
            TRY(parse_string(p, &key));
            skip_space(p);
            if (!take(p, ':')) {
                return refuse(p, "':' was expected");
            }
            skip_space(p);
        }
        TRY(parse_value(p, depth + 1, &index));
        json_value *values = p->document.values; /* may have moved */
        values[index].key = key;
        values[holder].count++;
        if (last == 0) {
            values[holder].first = index;
        } else {
            values[last].next = index;
        }
        last = index;
        skip_space(p);
        if (take(p, closing)) {
            return is_object ? refuse_repeated_keys(p, holder) : CFD_OK;
        }
        if (!take(p, ',')) {
            return refuse(p, is_object ? "',' or '}' was expected" : "',' or ']' was expected");
        }
    }
}

static cfd_status parse_value(parser *p, int depth, size_t *index)
{
    json_document *document = &p->document;
    if (depth > JSON_MAX_DEPTH) {
        return refuse(p, "nested too deeply");
    }
    TRY(memory_grow(document->memory, &document->values, &document->capacity, document->n + 1, sizeof *document->values,
                    "a header"));
    size_t own = document->n++;
    json_value value = {.position = p->at};
    *index = own;
    unsigned char byte = p->at < p->n ? p->bytes[p->at] : 0;
    if (byte == '{' || byte == '[') {
        p->at++;
        value.type = byte == '{' ? JSON_OBJECT : JSON_ARRAY;
        document->values[own] = value;
        return parse_members(p, depth, own, byte == '{');
    }
    if (byte == '"') {
        value.type = JSON_STRING;
        TRY(parse_string(p, &value.string));
    } else if (byte == '-' || (byte >= '0' && byte <= '9')) {
        value.type = JSON_INTEGER;
        TRY(parse_integer(p, &value.integer));
    } else {
        return refuse(p, "an object, an array, a string or a whole number was expected");
    }
    document->values[own] = value;
    return CFD_OK;
}

cfd_status json_parse(const memory_source *memory, const char *what, const char *bytes, size_t n, json_document *out)
{
    parser p = {.what = what, .bytes = (const unsigned char *)bytes, .n = n, .document = {.memory = memory}};
    TRY(memory_allocate(memory, n, 1, "the strings of a header", &p.document.text));
    p.text = p.document.text;
    size_t whole;
    skip_space(&p);
    cfd_status status = parse_value(&p, 1, &whole);
    skip_space(&p);
    if (status == CFD_OK && p.at < n) {
        status = refuse(&p, "more text behind the end");
    }
    if (status != CFD_OK) {
        json_release(&p.document);
        return status;
    }
    *out = p.document;
    return CFD_OK;
}

void json_release(json_document *document)
{
    if (document->memory) {
        memory_release(document->memory, document->values);
        memory_release(document->memory, document->text);
    }
    *document = (json_document){0};
}

const json_value *json_first(const json_document *document, const json_value *value)
{
    return value->first ? &document->values[value->first] : NULL;
}

const json_value *json_next(const json_document *document, const json_value *value)
{
    return value->next ? &document->values[value->next] : NULL;
}

const json_value *json_member(const json_document *document, const json_value *object, const char *key)
{
    const json_value *member = json_first(document, object);
    while (member && strcmp(member->key, key) != 0) {
        member = json_next(document, member);
    }
    return member;
}

cfd_status json_append_string(text_buffer *buffer, const char *text)
{
    const unsigned char *bytes = (const unsigned char *)text;
    size_t n = strlen(text);
    TRY(text_append(buffer, "\"", 1));
    for (size_t i = 0; i < n;) {
        size_t length = utf8_length(bytes + i, n - i);
        if (length == 0) {
            return fail(CFD_ERROR_ARGUMENT, "text that is not UTF-8 (byte %zu) cannot be written", i);
        }
        if (bytes[i] < 0x20 || bytes[i] == 0x7f) {
            TRY(text_append_format(buffer, "\\u%04x", (unsigned)bytes[i]));
        } else if (bytes[i] == '"' || bytes[i] == '\\') {
            TRY(text_append_format(buffer, "\\%c", bytes[i]));
        } else {
            TRY(text_append(buffer, text + i, length));
        }
        i += length;
    }
    return text_append(buffer, "\"", 1);
}
