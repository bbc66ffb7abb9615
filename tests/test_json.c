/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON of file headers: what RFC 8259 allows of it, and nothing else. */
#include "files.h"

#include "io/json.h"

static json_document parse(const char *text)
{
    json_document document;
    OK(json_parse(&memory_default, "text", text, strlen(text), &document));
    return document;
}

static void refuses(const char *text, const char *part)
{
    /* A copy without the NUL, so that a read beyond the end shows. */
    size_t n = strlen(text);
    char *bytes = malloc(n ? n : 1);
    memcpy(bytes, text, n);
    json_document document = {0};
    cfd_status status = json_parse(&memory_default, "the header", bytes, n, &document);
    free(bytes);
    ck_assert_msg(status == CFD_ERROR_FORMAT, "accepted: %s", text);
    ck_assert_msg(strstr(cfd_last_error(), part), "%s: %s", text, cfd_last_error());
    ck_assert_msg(strstr(cfd_last_error(), "the header: byte"), "%s", cfd_last_error());
}

START_TEST(members_keep_their_order_and_are_found_by_key)
{
    json_document d = parse(" { \"b\" : [1, -20 ,300], \"a\":{\"x\":\"y\"},\"c\":{} ,\"d\":[]}\r\n\t ");
    const json_value *whole = d.values;
    ck_assert_int_eq(whole->type, JSON_OBJECT);
    ck_assert_uint_eq(whole->count, 4);
    const json_value *b = json_first(&d, whole);
    ck_assert_str_eq(b->key, "b");
    ck_assert_int_eq(b->type, JSON_ARRAY);
    ck_assert_uint_eq(b->count, 3);
    const int64_t expected[] = {1, -20, 300};
    const json_value *number = json_first(&d, b);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(number->integer, expected[i]);
        number = json_next(&d, number);
    }
    ck_assert_ptr_null(number);
    ck_assert_str_eq(json_member(&d, json_member(&d, whole, "a"), "x")->string, "y");
    ck_assert_uint_eq(json_member(&d, whole, "c")->count, 0);
    ck_assert_int_eq(json_member(&d, whole, "d")->type, JSON_ARRAY);
    ck_assert_ptr_null(json_member(&d, whole, "e"));
    json_release(&d);
}
END_TEST

START_TEST(escapes_become_the_bytes_that_they_mean)
{
    json_document d = parse("[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\", \"\\u0041\\u00e9\\u20AC\\ud83d\\ude00\", "
                            "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"]");
    const json_value *s = json_first(&d, d.values);
    ck_assert_str_eq(s->string, "\"\\/\b\f\n\r\t");
    s = json_next(&d, s);
    ck_assert_str_eq(s->string, "A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
    s = json_next(&d, s);
    ck_assert_str_eq(s->string, "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
    json_release(&d);
}
END_TEST

START_TEST(integers_reach_both_ends_of_64_bits_and_no_further)
{
    json_document d = parse("[9223372036854775807,-9223372036854775808,0,-0]");
    const json_value *v = json_first(&d, d.values);
    ck_assert_int_eq(v->integer, INT64_MAX);
    ck_assert_int_eq((v = json_next(&d, v))->integer, INT64_MIN);
    ck_assert_int_eq((v = json_next(&d, v))->integer, 0);
    ck_assert_int_eq(json_next(&d, v)->integer, 0);
    json_release(&d);
    refuses("[9223372036854775808]", "byte 1: a number beyond 64 bits");
    refuses("[-9223372036854775809]", "beyond 64 bits");
    refuses("[99999999999999999999999]", "beyond 64 bits");
}
END_TEST

START_TEST(what_is_not_strict_json_is_refused_at_its_byte)
{
    static const struct {
        const char *text, *part;
    } cases[] = {
        /* clang-format off */
        {"", "ends too soon"}, {"  ", "ends too soon"}, {"{", "ends too soon"}, {"[1", "ends too soon"},
        {"\"abc", "ends too soon"}, {"\"abc\\", "ends too soon"}, {"\"\\u12", "ends too soon"},
        {"{\"a\"", "ends too soon"}, {"{\"a\":", "ends too soon"}, {"{\"a\":1,", "ends too soon"},
        {"[1,]", "byte 3: "}, {"{\"a\":1,}", "byte 7: a string"}, {"{a:1}", "byte 1: a string"}, {"{\"a\" 1}", "':'"},
        {"{\"a\":1 \"b\":2}", "',' or '}'"}, {"[1 2]", "',' or ']'"}, {"[1}", "',' or ']'"}, {"{1:2}", "a string"},
        {"[01]", "leading zero"}, {"[-01]", "leading zero"}, {"[00]", "leading zero"}, {"[+1]", "byte 1: "},
        {"[-]", "digit"}, {"[1.5]", "whole numbers"}, {"[1e3]", "whole numbers"}, {"[.5]", "byte 1: "},
        {"[true]", "byte 1: "}, {"[null]", "byte 1: "}, {"[NaN]", "byte 1: "}, {"['a']", "byte 1: "},
        {"[\"a\nb\"]", "byte 3: a control character"}, {"[\"\\x41\"]", "no such escape"}, {"[\"\\u00g0\"]", "hexadecimal"},
        {"[\"\\ud800\"]", "high surrogate"}, {"[\"\\ud800\\u0041\"]", "high surrogate"}, {"[\"\\udc00\"]", "low surrogate"},
        {"[\"\\u0000\"]", "U+0000"}, {"1 2", "more text"}, {"{} x", "byte 3: more text"}, {"[]]", "more text"},
        {"[1/**/]", "',' or ']'"}, {"\xef\xbb\xbf{}", "byte 0: "},
        {"{\"a\":1,\"b\":2,\"a\":3}", "byte 17: a key that stands"}, {"[{\"a\":1,\"\\u0061\":1}]", "a key that stands"},
        /* clang-format on */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        refuses(cases[i].text, cases[i].part);
    }
}
END_TEST

START_TEST(invalid_utf8_is_refused)
{
    static const char *const cases[] = {"\x80",
                                        "\xbf",
                                        "\xc0\x80",
                                        "\xc1\xbf",
                                        "\xc3",
                                        "\xc3(",
                                        "\xe0\x80\x80",
                                        "\xe0\x9f\xbf",
                                        "\xed\xa0\x80",
                                        "\xe2\x82",
                                        "\xf0\x80\x80\x80",
                                        "\xf0\x8f\xbf\xbf",
                                        "\xf4\x90\x80\x80",
                                        "\xf5\x80\x80\x80",
                                        "\xf0\x9f\x98",
                                        "\xff"};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[32];
        snprintf(text, sizeof text, "[\"%s\"]", cases[i]);
        refuses(text, "invalid UTF-8");
    }
}
END_TEST

START_TEST(nesting_ends_at_its_limit)
{
    char text[2 * JSON_MAX_DEPTH + 4] = {0};
    memset(text, '[', JSON_MAX_DEPTH);
    memset(text + JSON_MAX_DEPTH, ']', JSON_MAX_DEPTH);
    json_document d = parse(text);
    json_release(&d);
    memset(text, '[', JSON_MAX_DEPTH + 1);
    memset(text + JSON_MAX_DEPTH + 1, ']', JSON_MAX_DEPTH + 1);
    refuses(text, "nested too deeply");
}
END_TEST

START_TEST(a_written_string_reads_back_the_same)
{
    const char *text = "a \"quoted\" \\ path/\x01\x1f\n\t\x7f \xc3\xa9 \xf0\x9f\x98\x80";
    text_buffer buffer = {.source = &memory_default};
    OK(json_append_string(&buffer, text));
    ck_assert_ptr_nonnull(strstr(buffer.bytes, "\\\"quoted\\\" \\\\ path/\\u0001\\u001f\\u000a\\u0009\\u007f \xc3\xa9"));
    json_document d = parse(buffer.bytes);
    ck_assert_str_eq(d.values[0].string, text);
    json_release(&d);
    FAILS(CFD_ERROR_ARGUMENT, "byte 2", json_append_string(&buffer, "ab\xff"));
    text_buffer_release(&buffer);
}
END_TEST

/* Linear key checks: with a list of keys compared pair by pair this would take minutes. */
START_TEST(a_hundred_thousand_keys_are_read_at_once)
{
    text_buffer buffer = {.source = &memory_default};
    OK(text_append(&buffer, "{", 1));
    for (int i = 0; i < 100000; i++) {
        OK(text_append_format(&buffer, "%s\"key%d\":%d", i ? "," : "", i, i));
    }
    OK(text_append(&buffer, "}", 1));
    json_document d = parse(buffer.bytes);
    ck_assert_uint_eq(d.values[0].count, 100000);
    ck_assert_int_eq(json_member(&d, d.values, "key99999")->integer, 99999);
    json_release(&d);
    text_buffer_release(&buffer);
}
END_TEST

START_TEST(every_failing_allocation_is_reported_and_nothing_leaks)
{
    const char *text = "{\"a\":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18],\"b\":{\"c\":\"d\",\"e\":1}}";
    counted_memory counts;
    memory_source source = counted_source(&counts);
    for (long n = 0;; n++) {
        json_document d = {0};
        counts.asked = 0;
        counts.fail_at = n;
        cfd_status status = json_parse(&source, "text", text, strlen(text), &d);
        json_release(&d);
        ck_assert_int_eq(counts.held, 0);
        if (status == CFD_OK) {
            ck_assert_int_ge(n, 5);
            break;
        }
        ck_assert_int_eq(status, CFD_ERROR_MEMORY);
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("json");
    TCase *c = tcase_create("json");
    tcase_add_test(c, members_keep_their_order_and_are_found_by_key);
    tcase_add_test(c, escapes_become_the_bytes_that_they_mean);
    tcase_add_test(c, integers_reach_both_ends_of_64_bits_and_no_further);
    tcase_add_test(c, what_is_not_strict_json_is_refused_at_its_byte);
    tcase_add_test(c, invalid_utf8_is_refused);
    tcase_add_test(c, nesting_ends_at_its_limit);
    tcase_add_test(c, a_written_string_reads_back_the_same);
    tcase_add_test(c, a_hundred_thousand_keys_are_read_at_once);
    tcase_add_test(c, every_failing_allocation_is_reported_and_nothing_leaks);
    suite_add_tcase(s, c);
    return s;
}

TEST_MAIN(suite)
