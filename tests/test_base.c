/* SPDX-License-Identifier: Apache-2.0 */
/* Memory and text: what every part of the library stands on. (Threads and random numbers have suites of their own.) */
#define _GNU_SOURCE /* mkdtemp, setenv */
#include "test.h"

#undef fail /* a macro of Check, a function of the library */

#include "base/memory.h"
#include "base/text.h"

#include <errno.h>
#include <float.h>
#include <locale.h>

/* ---- memory ---- */

typedef struct counted {
    int live, calls;
    bool refuse;
    void *user_seen;
} counted;

static void *counted_allocate(void *user, size_t bytes)
{
    counted *c = user;
    c->user_seen = user;
    c->calls++;
    if (c->refuse) {
        return NULL;
    }
    c->live++;
    return malloc(bytes);
}

static void counted_release(void *user, void *memory)
{
    counted *c = user;
    ck_assert_ptr_nonnull(memory);
    c->live--;
    free(memory);
}

static memory_source source_of(counted *c)
{
    return (memory_source){counted_allocate, counted_release, c};
}

START_TEST(sizes_that_overflow_are_refused_before_the_allocator_is_asked)
{
    counted c = {0};
    memory_source source = source_of(&c);
    void *untouched = &c;
    void *memory = untouched;
    FAILS(CFD_ERROR_MEMORY, "for a huge table", memory_allocate(&source, SIZE_MAX / 4 + 1, 4, "a huge table", &memory));
    FAILS(CFD_ERROR_MEMORY, "for a huge table", memory_allocate(&source, 2, SIZE_MAX / 2 + 1, "a huge table", &memory));
    FAILS(CFD_ERROR_MEMORY, "out of memory", memory_allocate(&source, SIZE_MAX, 1, "the padding overflows", &memory));
    FAILS(CFD_ERROR_MEMORY, "out of memory", memory_allocate(&source, (size_t)PTRDIFF_MAX, 1, "beyond ptrdiff_t", &memory));
    FAILS(CFD_ERROR_MEMORY, "out of memory", memory_allocate_zero(&source, SIZE_MAX, 8, "zeroes", &memory));
    ck_assert_ptr_eq(memory, untouched);
    ck_assert_int_eq(c.calls, 0);
}
END_TEST

START_TEST(blocks_are_aligned_to_64_bytes_whatever_the_allocator_gives)
{
    counted c = {0};
    memory_source sources[] = {memory_default, source_of(&c)};
    for (size_t s = 0; s < 2; s++) {
        for (size_t bytes = 0; bytes < 300; bytes += 7) {
            unsigned char *memory;
            OK(memory_allocate(&sources[s], bytes, 1, "a block", &memory));
            ck_assert_ptr_nonnull(memory);
            ck_assert_uint_eq((uintptr_t)memory % 64, 0);
            memset(memory, 0xff, bytes); /* the address sanitizer watches the end */
            memory_release(&sources[s], memory);
        }
    }
    ck_assert_int_eq(c.live, 0);
}
END_TEST

START_TEST(a_custom_allocator_gets_every_call_and_its_user_pointer)
{
    counted c = {0};
    memory_source source = source_of(&c);
    unsigned char *zeroed;
    char *text;
    OK(memory_allocate_zero(&source, 10, 10, "zeroes", &zeroed));
    OK(memory_copy_text(&source, "käse", "a text", &text));
    for (size_t i = 0; i < 100; i++) {
        ck_assert_uint_eq(zeroed[i], 0);
    }
    ck_assert_str_eq(text, "käse");
    ck_assert_int_eq(c.calls, 2);
    ck_assert_int_eq(c.live, 2);
    ck_assert_ptr_eq(c.user_seen, &c);
    memory_release(&source, zeroed);
    memory_release(&source, text);
    memory_release(&source, NULL);
    ck_assert_int_eq(c.live, 0);
}
END_TEST

START_TEST(an_allocator_that_returns_null_is_reported_by_what_and_bytes)
{
    counted c = {.refuse = true};
    memory_source source = source_of(&c);
    void *memory = &c;
    FAILS(CFD_ERROR_MEMORY, "240 bytes for a graph", memory_allocate(&source, 30, 8, "a graph", &memory));
    ck_assert_ptr_eq(memory, &c);
}
END_TEST

START_TEST(growing_keeps_the_contents_and_the_old_block_on_failure)
{
    counted c = {0};
    memory_source source = source_of(&c);
    int32_t *numbers = NULL;
    size_t capacity = 0;
    for (size_t n = 0; n < 5000; n++) {
        OK(memory_grow(&source, &numbers, &capacity, n + 1, sizeof *numbers, "numbers"));
        ck_assert_uint_ge(capacity, n + 1);
        numbers[n] = (int32_t)(3 * n);
    }
    ck_assert_int_eq(c.live, 1);
    ck_assert_int_lt(c.calls, 20); /* it doubles: 16, 32, ... 8192 are 10 allocations */
    c.refuse = true;
    int32_t *before = numbers;
    size_t capacity_before = capacity;
    FAILS(CFD_ERROR_MEMORY, "numbers", memory_grow(&source, &numbers, &capacity, capacity + 1, sizeof *numbers, "numbers"));
    FAILS(CFD_ERROR_MEMORY, "numbers", memory_grow(&source, &numbers, &capacity, SIZE_MAX, sizeof *numbers, "numbers"));
    ck_assert_ptr_eq(numbers, before);
    ck_assert_uint_eq(capacity, capacity_before);
    for (size_t n = 0; n < 5000; n++) {
        ck_assert_int_eq(numbers[n], (int32_t)(3 * n));
    }
    memory_release(&source, numbers);
    ck_assert_int_eq(c.live, 0);
}
END_TEST

START_TEST(checked_arithmetic_knows_the_last_product_and_sum_that_fit)
{
    size_t out = 7;
    ck_assert(checked_multiply(SIZE_MAX / 3, 3, &out));
    ck_assert_uint_eq(out, SIZE_MAX / 3 * 3);
    ck_assert(checked_multiply(0, SIZE_MAX, &out) && out == 0);
    ck_assert(checked_multiply(SIZE_MAX, 0, &out) && out == 0);
    ck_assert(checked_add(SIZE_MAX - 1, 1, &out) && out == SIZE_MAX);
    out = 7;
    ck_assert(!checked_multiply(SIZE_MAX / 3 + 1, 3, &out));
    ck_assert(!checked_add(SIZE_MAX, 1, &out));
    ck_assert_uint_eq(out, 7);
}
END_TEST

/* ---- numbers as text ---- */

static void check_round_trip(double value)
{
    char text[TEXT_NUMBER_BYTES];
    double back;
    ck_assert_ptr_eq(text_from_number(value, text), text);
    ck_assert_msg(text_to_number(text, &back), "\"%s\" does not read back", text);
    ck_assert_msg(memcmp(&back, &value, sizeof back) == 0, "\"%s\" reads back as another number", text);
}

static void check_numbers_round_trip(void)
{
    const double known[] = {0.0,   -0.0,    999999999999999.0, 1.0,     -1.0,        0.1,    1.0 / 3.0,     -2.5e-300,
                            1e308, DBL_MAX, -DBL_MAX,          DBL_MIN, DBL_EPSILON, 5e-324, 123456789.125, 1e15,
                            1e16,  1e17,    9007199254740993.0};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        check_round_trip(known[i]);
    }
    uint64_t bits = 1;
    for (int i = 0; i < 2000; i++) {
        bits = bits * 6364136223846793005u + 1442695040888963407u;
        double value;
        memcpy(&value, &bits, sizeof value);
        if (isfinite(value)) {
            check_round_trip(value);
        }
    }
}

static void check_shortest_texts(void)
{
    char text[TEXT_NUMBER_BYTES];
    ck_assert_str_eq(text_from_number(0.1, text), "0.1");
    ck_assert_str_eq(text_from_number(-0.5, text), "-0.5");
    ck_assert_str_eq(text_from_number(1e-5, text), "1e-05");
    ck_assert_str_eq(text_from_number(3.0, text), "3");
    ck_assert_str_eq(text_from_number(30.0, text), "30");
    ck_assert_str_eq(text_from_number(-1000.0, text), "-1000");
    ck_assert_str_eq(text_from_number(1e15, text), "1e+15");
    ck_assert_str_eq(text_from_number(0.001, text), "0.001");
    ck_assert_str_eq(text_from_number(1234.5, text), "1234.5");
    ck_assert_str_eq(text_from_number((double)NAN, text), "nan");
    ck_assert_str_eq(text_from_number((double)INFINITY, text), "inf");
    ck_assert_str_eq(text_from_number((double)-INFINITY, text), "-inf");
}

START_TEST(numbers_are_written_as_the_shortest_text_that_reads_back)
{
    check_shortest_texts();
    check_numbers_round_trip();
}
END_TEST

static bool set_comma_locale(void)
{
    const char *const candidates[] = {"de_DE.UTF-8", "de_DE", "fr_FR.UTF-8", "es_ES.UTF-8", "pt_BR.UTF-8"};
    for (size_t i = 0; i < sizeof candidates / sizeof candidates[0]; i++) {
        if (setlocale(LC_ALL, candidates[i])) {
            return true;
        }
    }
    return false;
}

/* Where the system has the sources of locales but none compiled: one for this process. */
static bool make_comma_locale(void)
{
    char folder[] = P_tmpdir "/cfdtbd-locale-XXXXXX";
    if (!mkdtemp(folder)) {
        return false;
    }
    char command[200];
    snprintf(command, sizeof command, "localedef -i de_DE -f UTF-8 %s/de_DE.UTF-8 >/dev/null 2>&1", folder);
    bool made = system(command) == 0 && setenv("LOCPATH", folder, 1) == 0 && set_comma_locale();
    snprintf(command, sizeof command, "rm -r %s", folder);
    ck_assert_int_eq(system(command), 0);
    return made;
}

START_TEST(numbers_do_not_follow_a_locale_with_a_decimal_comma)
{
    if (!set_comma_locale() && !make_comma_locale()) {
        fprintf(stderr, "no locale with a decimal comma is installed: not tested\n");
        return;
    }
    char host[40];
    snprintf(host, sizeof host, "%.1f", 0.5);
    ck_assert_str_eq(host, "0,5"); /* the host does write commas */
    check_shortest_texts();
    check_numbers_round_trip();
    double value;
    ck_assert(text_to_number("0.5", &value) && value == 0.5);
    ck_assert(!text_to_number("0,5", &value));
    setlocale(LC_ALL, "C");
}
END_TEST

START_TEST(only_plain_decimal_numbers_are_read)
{
    double value;
    ck_assert(text_to_number("12", &value) && value == 12.0);
    ck_assert(text_to_number("-0.25", &value) && value == -0.25);
    ck_assert(text_to_number("+3.5e+2", &value) && value == 350.0);
    ck_assert(text_to_number(".5", &value) && value == 0.5);
    ck_assert(text_to_number("5.", &value) && value == 5.0);
    ck_assert(text_to_number("1E-3", &value) && value == 0.001);
    const char *const refused[] = {"",    " ",   " 1",  "1 ",  "\t1",   "1\n",    "0x10", "0x1p3", "inf", "-inf",
                                   "nan", "NaN", "INF", "1f",  "1.0.0", "1,5",    "--1",  "+-1",   "e",   "e5",
                                   ".",   "-",   "1e",  "1e+", "1e999", "-1e999", "1 2",  "1_000", "١"};
    value = 42.0;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        ck_assert_msg(!text_to_number(refused[i], &value), "\"%s\" was taken as a number", refused[i]);
    }
    ck_assert_double_eq(value, 42.0);
}
END_TEST

START_TEST(only_decimal_integers_that_fit_are_read)
{
    int64_t value;
    ck_assert(text_to_integer("0", &value) && value == 0);
    ck_assert(text_to_integer("-17", &value) && value == -17);
    ck_assert(text_to_integer("+17", &value) && value == 17);
    ck_assert(text_to_integer("007", &value) && value == 7);
    ck_assert(text_to_integer("9223372036854775807", &value) && value == INT64_MAX);
    ck_assert(text_to_integer("-9223372036854775808", &value) && value == INT64_MIN);
    const char *const refused[] = {"",
                                   " 1",
                                   "1 ",
                                   "1.0",
                                   "1e3",
                                   "0x1F",
                                   "-",
                                   "+",
                                   "+-1",
                                   "1a",
                                   "12,000",
                                   "9223372036854775808",
                                   "-9223372036854775809",
                                   "99999999999999999999999999"};
    value = 42;
    errno = EINTR;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        ck_assert_msg(!text_to_integer(refused[i], &value), "\"%s\" was taken as an integer", refused[i]);
    }
    ck_assert_int_eq(value, 42);
    ck_assert_int_eq(errno, EINTR); /* the host's errno is not disturbed */
}
END_TEST

/* ---- distances, names, growing strings ---- */

START_TEST(distance_counts_insertions_deletions_and_replacements)
{
    ck_assert_uint_eq(text_distance("", ""), 0);
    ck_assert_uint_eq(text_distance("layers", "layers"), 0);
    ck_assert_uint_eq(text_distance("", "abc"), 3);
    ck_assert_uint_eq(text_distance("abc", ""), 3);
    ck_assert_uint_eq(text_distance("lamda", "lambda"), 1);
    ck_assert_uint_eq(text_distance("batchsize", "batch_size"), 1);
    ck_assert_uint_eq(text_distance("kitten", "sitting"), 3);
    ck_assert_uint_eq(text_distance("saturday", "sunday"), 3);
    ck_assert_uint_eq(text_distance("flaw", "lawn"), 2);
    char longer[400];
    memset(longer, 'a', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    ck_assert_uint_gt(text_distance(longer, "a"), 50); /* cut off, not out of bounds */
}
END_TEST

START_TEST(names_are_letters_digits_underscore_and_minus)
{
    char name[66];
    memset(name, 'n', sizeof name);
    name[63] = '\0';
    ck_assert(text_is_name(name));
    ck_assert(text_is_name("Visual_2-b"));
    name[63] = 'n';
    name[64] = '\0';
    ck_assert(!text_is_name(name));
    const char *const refused[] = {"", "a b", "a.b", "a/b", "a=b", "a,b", "ä", "a\n", "\"a"};
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        ck_assert_msg(!text_is_name(refused[i]), "\"%s\" was taken as a name", refused[i]);
    }
}
END_TEST

START_TEST(a_text_buffer_grows_and_is_given_back)
{
    counted c = {0};
    memory_source source = source_of(&c);
    text_buffer buffer = {.source = &source};
    for (int i = 0; i < 1000; i++) {
        OK(text_append_format(&buffer, "%d,", i % 10));
        OK(text_append(&buffer, "ab", 1));
    }
    ck_assert_uint_eq(buffer.length, 3000);
    ck_assert_uint_eq(strlen(buffer.bytes), 3000);
    ck_assert(memcmp(buffer.bytes, "0,a1,a2,a", 9) == 0);
    c.refuse = true;
    char most[4096];
    memset(most, 'x', sizeof most);
    FAILS(CFD_ERROR_MEMORY, "a text", text_append(&buffer, most, sizeof most));
    FAILS(CFD_ERROR_MEMORY, "a text", text_append(&buffer, most, SIZE_MAX));
    ck_assert_uint_eq(strlen(buffer.bytes), 3000);
    text_buffer_release(&buffer);
    ck_assert_int_eq(c.live, 0);
    text_buffer_release(&buffer); /* twice does no harm */
}
END_TEST

/* ---- the suite ---- */

static Suite *suite(void)
{
    Suite *s = suite_create("base");
    TCase *t = tcase_create("memory");
    tcase_add_test(t, sizes_that_overflow_are_refused_before_the_allocator_is_asked);
    tcase_add_test(t, blocks_are_aligned_to_64_bytes_whatever_the_allocator_gives);
    tcase_add_test(t, a_custom_allocator_gets_every_call_and_its_user_pointer);
    tcase_add_test(t, an_allocator_that_returns_null_is_reported_by_what_and_bytes);
    tcase_add_test(t, growing_keeps_the_contents_and_the_old_block_on_failure);
    tcase_add_test(t, checked_arithmetic_knows_the_last_product_and_sum_that_fit);
    suite_add_tcase(s, t);
    t = tcase_create("text");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, numbers_are_written_as_the_shortest_text_that_reads_back);
    tcase_add_test(t, numbers_do_not_follow_a_locale_with_a_decimal_comma);
    tcase_add_test(t, only_plain_decimal_numbers_are_read);
    tcase_add_test(t, only_decimal_integers_that_fit_are_read);
    tcase_add_test(t, distance_counts_insertions_deletions_and_replacements);
    tcase_add_test(t, names_are_letters_digits_underscore_and_minus);
    tcase_add_test(t, a_text_buffer_grows_and_is_given_back);
    suite_add_tcase(s, t);
    return s;
}

TEST_MAIN(suite)
