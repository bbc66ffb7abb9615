/* SPDX-License-Identifier: Apache-2.0 */
/* The reader of id lists by itself: ids of every length at every place of a file, up to its last byte, and files long enough
 * that room for pairs has to grow. What a directory makes of them is another suite's matter. */
#include "files.h"

#include "data/id_lists.h"

static const id_kind user = {"user", 0, NULL};
static const id_kind item = {"item", 0, NULL};

static id_pairs read_file(const char *path)
{
    id_pairs pairs;
    OK(id_pairs_read(&memory_default, path, user, item, &pairs));
    return pairs;
}

/* Every number of digits, the least and the greatest of each, and zeros in front, before each thing that may follow. */
START_TEST(ids_of_every_length_are_read_at_every_distance_from_the_end)
{
    static const char *const ids[] = {"0",         "9",         "10",         "99",
                                      "100",       "987",       "1000",       "9999",
                                      "10000",     "54321",     "999999",     "1000000",
                                      "9876543",   "10000000",  "12345678",   "99999999",
                                      "123456789", "999999999", "1000000000", "2147483646",
                                      "007",       "00000000",  "0000000012", "00000000000000000000000123"};
    static const char *const ends[] = {
        "", " ", "\n", "\r\n", "\t", " 5", "  1234567890\n", "\n7 7\n", " 1 2 3 4 5 6 7 8 9\n"};
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        for (size_t e = 0; e < sizeof ends / sizeof *ends; e++) {
            char text[128];
            snprintf(text, sizeof text, "%s %s%s", ids[i], ids[i], ends[e]);
            id_pairs pairs = read_file(write_text("ids.txt", text));
            ck_assert_uint_ge(pairs.n, 1);
            ck_assert_int_eq(pairs.first_ids[0], strtol(ids[i], NULL, 10));
            ck_assert_int_eq(pairs.second_ids[0], strtol(ids[i], NULL, 10));
            id_pairs_release(&pairs);
        }
    }
}
END_TEST

/* Nothing behind a file's last byte is touched: here a page ends with it, and the next is not there. */
START_TEST(a_file_may_end_with_its_page)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char *text = malloc(page);
    for (size_t digits = 1; digits <= 10; digits++) {
        memset(text, ' ', page);
        text[0] = '3';
        memset(text + page - digits, '1', digits);
        id_pairs pairs = read_file(write_bytes("ids.txt", text, page));
        ck_assert_uint_eq(pairs.n, 1);
        ck_assert_int_eq(pairs.second_ids[0], strtol("1111111111" + 10 - digits, NULL, 10));
        id_pairs_release(&pairs);
    }
    free(text);
}
END_TEST

/* Each byte but the blanks and line ends, within an id of each length, with eight bytes to come and without. */
START_TEST(every_other_byte_is_refused_wherever_it_stands)
{
    for (int byte = 0; byte < 256; byte++) {
        if (byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r' || (byte >= '0' && byte <= '9')) {
            continue;
        }
        for (size_t at = 0; at <= 9; at++) {
            for (int far = 0; far <= 1; far++) {
                char text[32] = "0 111111111";
                text[2 + at] = (char)byte;
                memcpy(text + 3 + at, " 1 1 1 1 1", 11);
                size_t n = 3 + at + (far ? 10 : 0);
                id_pairs pairs;
                FAILS(CFD_ERROR_FORMAT, "ids.txt:1: \"",
                      id_pairs_read(&memory_default, write_bytes("ids.txt", text, n), user, item, &pairs));
                ck_assert_ptr_nonnull(strstr(cfd_last_error(), "is no item id"));
            }
        }
    }
}
END_TEST

START_TEST(bounds_hold_for_short_and_long_ids)
{
    id_kind few = {"item", 4096, "visual.npy"};
    id_pairs pairs;
    OK(id_pairs_read(&memory_default, write_text("ids.txt", "9999 4095 0 0 0 0\n"), user, few, &pairs));
    ck_assert_int_eq(pairs.second.count, 4096);
    id_pairs_release(&pairs);
    FAILS(CFD_ERROR_DATA, "ids.txt:2: item id 4096 is beyond the 4096 rows of visual.npy",
          id_pairs_read(&memory_default, write_text("ids.txt", "1 1\n1 4096 0 0 0 0\n"), user, few, &pairs));
    FAILS(CFD_ERROR_DATA, "ids.txt:1: item id 4096 is",
          id_pairs_read(&memory_default, write_text("ids.txt", "1 4096"), user, few, &pairs));
    FAILS(CFD_ERROR_FORMAT, "user id 2147483647 is larger",
          id_pairs_read(&memory_default, write_text("ids.txt", "2147483647 0 0 0 0"), user, few, &pairs));
}
END_TEST

/* Lines that grow longer and ids that grow shorter: what the beginning promises of the rest is too little. Every pair is
 * compared with what was written. */
START_TEST(a_file_denser_than_its_beginning_is_read_whole)
{
    enum { LINES = 700, MOST = 400000 };
    char *text = malloc(MOST * 12);
    int32_t *firsts = malloc(MOST * sizeof *firsts);
    int32_t *seconds = malloc(MOST * sizeof *seconds);
    size_t length = 0;
    size_t n = 0;
    for (int line = 0; line < LINES; line++) {
        int32_t owner = 1000000000 + line * 1000;
        length += (size_t)sprintf(text + length, "%d", (int)owner);
        for (int k = 0; k < line; k++, n++) {
            firsts[n] = owner;
            seconds[n] = line < 200 ? 1000000000 + k : line < 300 ? 123456 : k % 10;
            length += (size_t)sprintf(text + length, " %d", (int)seconds[n]);
        }
        text[length++] = '\n';
    }
    ck_assert_uint_le(n, MOST);
    counted_memory counts;
    memory_source source = counted_source(&counts);
    id_pairs pairs;
    OK(id_pairs_read(&source, write_bytes("ids.txt", text, length), user, item, &pairs));
    ck_assert_uint_eq(pairs.n, n);
    ck_assert_mem_eq(pairs.first_ids, firsts, n * sizeof *firsts);
    ck_assert_mem_eq(pairs.second_ids, seconds, n * sizeof *seconds);
    ck_assert_int_eq(pairs.first.count, 1000000000 + (LINES - 1) * 1000 + 1);
    ck_assert_int_eq(pairs.first.line, LINES);
    ck_assert_int_eq(pairs.second.count, 1000000000 + 198 + 1); /* line 200 of the file is the last that has ids so large */
    ck_assert_int_eq(pairs.second.line, 200);
    ck_assert_int_ge(counts.asked, 6); /* it did grow, more than once */
    id_pairs_release(&pairs);
    for (long at = 0; at < counts.asked; at++) {
        counted_memory fewer;
        memory_source short_source = counted_source(&fewer);
        fewer.fail_at = at;
        FAILS(CFD_ERROR_MEMORY, "a file of ids", id_pairs_read(&short_source, in_folder("ids.txt"), user, item, &pairs));
        ck_assert_int_eq(fewer.held, 0);
    }
    free(text);
    free(firsts);
    free(seconds);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("id lists");
    TCase *c = tcase_create("id lists");
    tcase_set_timeout(c, 60);
    tcase_add_checked_fixture(c, make_folder, remove_folder);
    tcase_add_test(c, ids_of_every_length_are_read_at_every_distance_from_the_end);
    tcase_add_test(c, a_file_may_end_with_its_page);
    tcase_add_test(c, every_other_byte_is_refused_wherever_it_stands);
    tcase_add_test(c, bounds_hold_for_short_and_long_ids);
    tcase_add_test(c, a_file_denser_than_its_beginning_is_read_whole);
    suite_add_tcase(s, c);
    return s;
}

TEST_MAIN(suite)
