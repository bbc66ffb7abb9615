/* SPDX-License-Identifier: Apache-2.0 */
/* The parser of JSON: its tree holds together, and what it took is written and taken again. */
#include "fuzz.h"

#include "base/text.h"
#include "io/json.h"

static size_t count(const json_document *document, const json_value *value)
{
    size_t all = 1, members = 0;
    for (const json_value *v = json_first(document, value); v; v = json_next(document, v)) {
        members++;
        all += count(document, v);
        if (v->key) {
            FUZZ_REQUIRE(json_member(document, value, v->key) == v);
        }
    }
    FUZZ_REQUIRE((value->type != JSON_OBJECT && value->type != JSON_ARRAY) || members == value->count);
    return all;
}

static void write_again(const char *text)
{
    text_buffer buffer = {.source = fuzz_memory()};
    json_document again = {0};
    FUZZ_REQUIRE(json_append_string(&buffer, text) == CFD_OK);
    FUZZ_REQUIRE(json_parse(fuzz_memory(), "again", buffer.bytes, buffer.length, &again) == CFD_OK);
    FUZZ_REQUIRE(again.values[0].type == JSON_STRING && strcmp(again.values[0].string, text) == 0);
    json_release(&again);
    text_buffer_release(&buffer);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    json_document document = {0};
    char *exact = malloc(n + 1); /* without a NUL behind it */
    FUZZ_REQUIRE(exact);
    char *text = realloc(exact, n ? n : 1);
    memcpy(text, bytes, n);
    cfd_status status = json_parse(fuzz_memory(), "the input", text, n, &document);
    fuzz_check(status);
    if (status == CFD_OK) {
        FUZZ_REQUIRE(count(&document, &document.values[0]) == document.n);
        for (size_t i = 0; i < document.n; i++) {
            if (document.values[i].type == JSON_STRING) {
                write_again(document.values[i].string);
            }
        }
    }
    json_release(&document);
    free(text);
    return 0;
}
