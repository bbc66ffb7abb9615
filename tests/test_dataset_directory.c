/* SPDX-License-Identifier: Apache-2.0 */
/* Data set directories: what they hold is what is read, and whatever is wrong with them is named with file and line. */
#include "files.h"

#include "data/dataset.h"

static const log_sink silent = {NULL, NULL};

/* Writes a float32 matrix as .npy. */
static void write_matrix(const char *name, int rows, int columns, const float *values)
{
    char bytes[4096] = "\x93NUMPY\x01";
    int length = snprintf(bytes + 10, 118, "{'descr': '<f4', 'fortran_order': False, 'shape': (%d, %d), }", rows, columns);
    memset(bytes + 10 + length, ' ', (size_t)(118 - length));
    bytes[127] = '\n';
    bytes[8] = 118;
    size_t n = (size_t)(rows * columns) * sizeof *values;
    ck_assert_uint_le(128 + n, sizeof bytes);
    memcpy(bytes + 128, values, n);
    write_bytes(name, bytes, 128 + n);
}

static dataset open_folder(void)
{
    dataset data;
    OK(dataset_read(&data, &memory_default, silent, folder));
    return data;
}

static cfd_dataset_info count(const dataset *data)
{
    cfd_dataset_info info;
    dataset_count(data, &info);
    return info;
}

/* Opening fails with this status and both parts in the message, and gives back all memory. */
static void refuses(cfd_status expected, const char *part, const char *other_part)
{
    counted_memory counts;
    memory_source source = counted_source(&counts);
    dataset data;
    FAILS(expected, part, dataset_read(&data, &source, silent, folder));
    ck_assert_msg(strstr(cfd_last_error(), other_part), "%s", cfd_last_error());
    ck_assert_int_eq(counts.held, 0);
}

static void has_items(const dataset *data, cfd_split split, int32_t user, int n, const int32_t *items)
{
    const bipartite *graph = &data->splits[split];
    ck_assert_int_eq(bipartite_degree(graph, user), n);
    for (int k = 0; k < n; k++) {
        ck_assert_int_eq(graph->item_ids[graph->offsets[user] + k], items[k]);
    }
}

/* ---- interactions ---- */

START_TEST(every_legal_way_to_write_interactions_is_read)
{
    write_text("train.txt", "0 3 1\n"        /* any order */
                            "\n"             /* empty */
                            "\t2  0\t4 \r\n" /* tabs, blanks at both ends, CR LF */
                            "  \t\n"         /* blanks alone */
                            "3\n"            /* a user without items */
                            "0 3 2\r\n"      /* a user again, an item again */
                            "01 007");       /* zeros in front, no newline at the end */
    dataset data = open_folder();
    cfd_dataset_info info = count(&data);
    ck_assert_int_eq(info.n_users, 4);
    ck_assert_int_eq(info.n_items, 8);
    ck_assert_int_eq(info.n_train, 6);
    ck_assert_int_eq(info.duplicates, 1);
    has_items(&data, CFD_SPLIT_TRAIN, 0, 3, (const int32_t[]){1, 2, 3});
    has_items(&data, CFD_SPLIT_TRAIN, 1, 1, (const int32_t[]){7});
    has_items(&data, CFD_SPLIT_TRAIN, 2, 2, (const int32_t[]){0, 4});
    has_items(&data, CFD_SPLIT_TRAIN, 3, 0, NULL);
    ck_assert_int_eq(info.n_validation + info.n_test + info.n_modalities, 0);
    dataset_release(&data);
}
END_TEST

START_TEST(sizes_come_from_all_splits)
{
    write_text("train.txt", "0 0\n");
    write_text("validation.txt", "5 1\n");
    write_text("test.txt", "2 9\n7\n");
    dataset data = open_folder();
    ck_assert_int_eq(data.users, 8);
    ck_assert_int_eq(data.items, 10);
    ck_assert_int_eq(count(&data).cold_test_items, 1);
    dataset_release(&data);
}
END_TEST

START_TEST(an_empty_validation_or_test_split_is_legal)
{
    write_text("train.txt", "0 0\n");
    write_text("validation.txt", "");
    write_text("test.txt", "\n\n");
    dataset data = open_folder();
    ck_assert_int_eq(count(&data).n_validation + count(&data).n_test, 0);
    dataset_release(&data);
}
END_TEST

START_TEST(what_is_no_id_is_named_with_file_line_and_token)
{
    static const struct {
        const char *text, *part;
    } cases[] = {
        {"0 1\n1 -4\n", "train.txt:2: item id -4 is negative"},
        {"0 1\n-2 4\n", "train.txt:2: user id -2 is negative"},
        {"0 1\n\n1 2147483647\n", "train.txt:3: item id 2147483647 is larger than 2147483646"},
        {"99999999999999999999999999 1\n", "train.txt:1: user id 99999999999999999999999999 is larger"},
        {"0 1\r\n0 abc 3\r\n", "train.txt:2: \"abc\" is no item id"},
        {"0 1\nu1 2", "train.txt:2: \"u1\" is no user id"},
        {"0 1.5\n", "\"1.5\" is no"},
        {"0 1e3\n", "\"1e3\" is no"},
        {"0 +1\n", "\"+1\" is no"},
        {"0 0x10\n", "\"0x10\" is no"},
        {"0,1,2\n", "\"0,1,2\" is no"},
        {"0 -\n", "\"-\" is no"},
        {"0 1\n0 2\xc3\xa9\n", "train.txt:2: \"2\\xc3\\xa9\""},
        {"0 1\v2\n", "\"1\\x0b2\""},
        {"0 1\r0 2\n", "\"\\x0d0\""},
        {"\xef\xbb\xbf"
         "0 1\n",
         "train.txt:1: \"\\xef\\xbb\\xbf0\""},
        {"0 12345678901x\n", "\"12345678901x\" is no"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        write_text("train.txt", cases[i].text);
        refuses(CFD_ERROR_FORMAT, cases[i].part, folder);
    }
    write_bytes("train.txt", "0 1\0 2\n", 7);
    refuses(CFD_ERROR_FORMAT, "\"1\\x00\" is no", "train.txt:1");
    write_text("train.txt", "0 1\n");
    write_text("test.txt", "0 1\n0 x\n");
    refuses(CFD_ERROR_FORMAT, "test.txt:2: \"x\"", "item");
}
END_TEST

START_TEST(train_must_be_there_and_not_empty)
{
    refuses(CFD_ERROR_FILE, "train.txt", "cannot open");
    write_text("train.txt", "");
    refuses(CFD_ERROR_DATA, "train.txt", "no training interactions");
    write_text("train.txt", "0\n1\n\n");
    refuses(CFD_ERROR_DATA, "train.txt", "no training interactions");
}
END_TEST

START_TEST(a_directory_that_is_none_is_named)
{
    dataset data;
    FAILS(CFD_ERROR_FILE, "absent", dataset_read(&data, &memory_default, silent, in_folder("absent")));
    FAILS(CFD_ERROR_FILE, "plain", dataset_read(&data, &memory_default, silent, write_text("plain", "0 0\n")));
    ck_assert_int_eq(mkdir(in_folder("train.txt"), 0700), 0);
    refuses(CFD_ERROR_FILE, "train.txt", "directory");
}
END_TEST

START_TEST(one_wild_id_does_not_ask_for_all_memory)
{
    write_text("train.txt", "0 1\n2000000000 1\n");
    refuses(CFD_ERROR_DATA, "train.txt:2: user id 2000000000 in files of only 2 ids", "number them from 0");
    write_text("train.txt", "0 1\n1 2147483646\n");
    refuses(CFD_ERROR_DATA, "train.txt:2: item id 2147483646", "number them from 0");
    write_text("train.txt", "0 1\n1 1\n");
    write_text("title.tags.txt", "0 1\n1 2000000000\n");
    refuses(CFD_ERROR_DATA, "title.tags.txt:2: tag id 2000000000", "number them from 0");
}
END_TEST

/* ---- features ---- */

/* Writes a matrix of one column, of two-byte numbers that may be of any byte order. */
static void write_halves(const char *name, char order, int rows, const void *bytes)
{
    char file[128 + 64] = "\x93NUMPY\x01";
    int length = snprintf(file + 10, 118, "{'descr': '%cf2', 'fortran_order': False, 'shape': (%d, 1), }", order, rows);
    memset(file + 10 + length, ' ', (size_t)(118 - length));
    file[8] = 118;
    memcpy(file + 128, bytes, (size_t)rows * 2);
    write_bytes(name, file, 128 + (size_t)rows * 2);
}

START_TEST(a_float32_matrix_is_used_where_it_lies)
{
    const float values[] = {1, 2, 3, 0, 0, 0};
    write_text("train.txt", "0 0\n");
    write_matrix("visual.npy", 2, 3, values);
    dataset data = open_folder();
    ck_assert_int_eq(data.items, 2);
    const modality *m = &data.modalities[0];
    ck_assert_str_eq(m->name, "visual");
    ck_assert_ptr_nonnull(m->mapping);
    ck_assert_ptr_null(m->dense);
    ck_assert_int_eq(m->features.element, OPS_FLOAT32);
    ck_assert_int_eq(m->features.columns, 3);
    ck_assert_mem_eq(m->features.dense, values, sizeof values);
    ck_assert_int_eq(m->empty_items, 1);
    dataset_release(&data);
}
END_TEST

/* 1.5, 0 and -2: in this machine's order (which is the one below) they stay in the file, in the other they are turned. */
START_TEST(a_float16_matrix_stays_float16_and_where_it_lies_if_it_can)
{
    const uint16_t halves[] = {0x3e00, 0x8000, 0xc000};
    write_text("train.txt", "0 0\n");
    for (int swapped = 0; swapped <= 1; swapped++) {
        write_halves("visual.npy", swapped ? '>' : '<', 3,
                     swapped ? "\x3e\x00\x80\x00\xc0\x00" : "\x00\x3e\x00\x80\x00\xc0");
        dataset data = open_folder();
        const modality *m = &data.modalities[0];
        ck_assert_int_eq(m->mapping != NULL, !swapped);
        ck_assert_int_eq(m->dense != NULL, swapped);
        ck_assert_int_eq(m->features.element, OPS_FLOAT16);
        ck_assert_int_eq(m->features.ld, 1);
        ck_assert_mem_eq(m->features.dense, halves, sizeof halves);
        ck_assert_int_eq(m->empty_items, 1);
        dataset_release(&data);
    }
    write_halves("visual.npy", '<', 2, "\x00\x3e\x00\x7c");
    refuses(CFD_ERROR_DATA, "visual.npy: row 1, column 0 (from 0) is infinite", folder);
    write_halves("visual.npy", '>', 2, "\xfc\x01\x3e\x00");
    refuses(CFD_ERROR_DATA, "visual.npy: row 0, column 0 (from 0) is NaN", folder);
}
END_TEST

START_TEST(an_id_beyond_the_features_is_named_where_it_stands)
{
    const float values[8] = {0};
    write_matrix("visual.npy", 4, 2, values);
    write_text("train.txt", "0 0\n1 3 4 5\n");
    refuses(CFD_ERROR_DATA, "train.txt:2: item id 4 is beyond the 4 rows of visual.npy", folder);
    write_text("train.txt", "0 0\n");
    write_text("test.txt", "0 3\n\n0 7\n");
    refuses(CFD_ERROR_DATA, "test.txt:3: item id 7 is beyond", "visual.npy");
    write_text("test.txt", "0 3\n");
    write_text("title.tags.txt", "0 9\n4 1\n");
    refuses(CFD_ERROR_DATA, "title.tags.txt:2: item id 4 is beyond", "visual.npy");
    write_text("title.tags.txt", "0 9\n");
    write_text("items.names.txt", "a\nb\nc\nd\ne\nf\n");
    refuses(CFD_ERROR_DATA, "items.names.txt:5: item id 4 is beyond", "visual.npy");
}
END_TEST

START_TEST(features_of_different_lengths_are_both_named)
{
    const float values[8] = {0};
    write_text("train.txt", "0 0\n");
    write_matrix("audio.npy", 3, 2, values);
    write_matrix("visual.npy", 4, 2, values);
    refuses(CFD_ERROR_DATA, "audio.npy has 3 rows", "visual.npy has 4");
}
END_TEST

START_TEST(features_with_nan_or_infinity_are_named_by_row_and_column)
{
    float values[6] = {0, 1, 2, 3, 4, 5};
    write_text("train.txt", "0 0\n");
    values[3] = NAN;
    write_matrix("visual.npy", 3, 2, values);
    refuses(CFD_ERROR_DATA, "visual.npy: row 1, column 1 (from 0) is NaN", folder);
    values[3] = INFINITY;
    write_matrix("visual.npy", 3, 2, values);
    refuses(CFD_ERROR_DATA, "visual.npy: row 1, column 1 (from 0) is infinite", folder);
}
END_TEST

START_TEST(a_bad_npy_file_is_named)
{
    write_text("train.txt", "0 0\n");
    write_text("visual.npy", "not numpy at all");
    refuses(CFD_ERROR_FORMAT, "visual.npy: not a .npy file", folder);
    write_text("visual.npy", "");
    refuses(CFD_ERROR_FORMAT, "visual.npy: the file is empty", folder);
}
END_TEST

/* ---- tags ---- */

START_TEST(tags_from_a_file_equal_tags_from_memory)
{
    /* As in the in-memory suite: 0 {0, 1, 1}, 1 {1}, 2 {}, 3 {2, 0}; item 0 on two lines, out of order. */
    write_text("train.txt", "0 3\n");
    write_text("title.tags.txt", "3 2 0\n0 1 0\n2\n1 1\n0 1\n");
    dataset data = open_folder();
    ck_assert_int_eq(data.items, 4);
    const modality *m = &data.modalities[0];
    const int64_t offsets[] = {0, 2, 3, 3, 5};
    const int32_t columns[] = {0, 1, 1, 0, 2};
    const float values[] = {0.4472135955f, 0.8944271910f, 1.0f, 0.6053485081f, 0.7959605414f};
    ck_assert_int_eq(m->features.columns, 3);
    ck_assert_mem_eq(m->features.sparse.offsets, offsets, sizeof offsets);
    ck_assert_mem_eq(m->features.sparse.indices, columns, sizeof columns);
    for (int k = 0; k < 5; k++) {
        ck_assert_float_eq_tol(m->features.sparse.values[k], values[k], 1e-7f);
    }
    ck_assert_int_eq(m->empty_items, 1);

    dataset memory;
    OK(dataset_init(&memory, &memory_default, silent, 1, 4));
    OK(dataset_add_interactions(&memory, CFD_SPLIT_TRAIN, (const int32_t[]){0}, (const int32_t[]){3}, 1));
    OK(dataset_add_sparse(&memory, "title", 3, (const int64_t[]){0, 3, 4, 4, 6}, (const int32_t[]){1, 0, 1, 1, 2, 0}, NULL));
    const modality *same = &memory.modalities[0];
    ck_assert_mem_eq(m->features.sparse.values, same->features.sparse.values, 5 * sizeof(float));
    ck_assert_mem_eq(m->idf, same->idf, 3 * sizeof(float));
    ck_assert_mem_eq(data.splits[0].item_ids, memory.splits[0].item_ids, sizeof(int32_t));
    ck_assert_mem_eq(data.splits[0].offsets, memory.splits[0].offsets, 2 * sizeof(int64_t));
    dataset_release(&memory);
    dataset_release(&data);
}
END_TEST

START_TEST(tags_need_ids_and_at_least_one_tag)
{
    write_text("train.txt", "0 0\n");
    write_text("title.tags.txt", "0 1\n1 red\n");
    refuses(CFD_ERROR_FORMAT, "title.tags.txt:2: \"red\" is no tag id", folder);
    write_text("title.tags.txt", "x 1\n");
    refuses(CFD_ERROR_FORMAT, "title.tags.txt:1: \"x\" is no item id", folder);
    write_text("title.tags.txt", "0\n1\n");
    refuses(CFD_ERROR_DATA, "title.tags.txt: there are no tags", folder);
}
END_TEST

START_TEST(tags_alone_may_bring_items_that_nobody_has)
{
    write_text("train.txt", "0 0\n");
    write_text("title.tags.txt", "6 1\n");
    dataset data = open_folder();
    ck_assert_int_eq(data.items, 7);
    ck_assert_int_eq(data.modalities[0].empty_items, 6);
    dataset_release(&data);
}
END_TEST

/* ---- which modalities ---- */

START_TEST(modalities_are_ordered_by_name_and_other_files_passed_over)
{
    const float values[2] = {1, 2};
    write_text("train.txt", "0 0 1\n");
    write_matrix("b.npy", 2, 1, values);
    write_text("a.tags.txt", "0 0\n");
    write_text("C.tags.txt", "0 0\n");
    write_matrix("b-2.npy", 2, 1, values);
    write_text("README.txt", "x");
    write_text(".hidden.npy", "x");
    write_text("notes.npy.bak", "x");
    dataset data = open_folder();
    const char *const names[] = {"C", "a", "b", "b-2"}; /* by their bytes */
    ck_assert_int_eq(data.n_modalities, 4);
    for (int i = 0; i < 4; i++) {
        ck_assert_str_eq(data.modalities[i].name, names[i]);
    }
    dataset_release(&data);
}
END_TEST

START_TEST(impossible_modalities_are_refused)
{
    const float values[1] = {1};
    write_text("train.txt", "0 0\n");
    write_matrix("a.npy", 1, 1, values);
    write_text("a.tags.txt", "0 0\n");
    refuses(CFD_ERROR_DATA, "a.npy and a.tags.txt", "same modality");
    unlink(in_folder("a.npy"));
    static const char *const names[] = {"fused.npy", "x y.npy", ".tags.txt", "a.b.npy"};
    static const char *const parts[] = {"fused", "1 to 63 letters", "", "1 to 63 letters"};
    for (int i = 0; i < 4; i++) {
        write_matrix(names[i], 1, 1, values);
        if (names[i][0] == '.') { /* hidden */
            dataset data = open_folder();
            ck_assert_int_eq(data.n_modalities, 1);
            dataset_release(&data);
        } else {
            refuses(CFD_ERROR_DATA, names[i], parts[i]);
        }
        unlink(in_folder(names[i]));
    }
    char name[96] = {0};
    memset(name, 'n', 64);
    memcpy(name + 64, ".npy", 5);
    write_matrix(name, 1, 1, values);
    refuses(CFD_ERROR_DATA, "1 to 63 letters", folder);
    unlink(in_folder(name));
    for (char c = 'b'; c <= 'i'; c++) {
        snprintf(name, sizeof name, "%c.tags.txt", c);
        write_text(name, "0 0\n");
    }
    refuses(CFD_ERROR_DATA, "more than 8 modalities", folder);
}
END_TEST

/* ---- names ---- */

START_TEST(names_are_the_lines_of_their_file)
{
    write_text("train.txt", "0 0 1 2\n");
    write_text("users.names.txt", "Ada\nb\xc3\xa9"
                                  "a \r\n");
    write_text("items.names.txt", "one\n\nthree\none\nlast\n\n\n");
    dataset data = open_folder();
    ck_assert_int_eq(data.users, 2); /* one more than the ids: a user without interactions */
    ck_assert_int_eq(data.items, 5); /* empty lines at the end are no items */
    ck_assert_str_eq(name_list_at(&data.user_names, 0), "Ada");
    ck_assert_str_eq(name_list_at(&data.user_names, 1), "b\xc3\xa9"
                                                        "a ");
    ck_assert_ptr_null(name_list_at(&data.user_names, 2));
    ck_assert_ptr_null(name_list_at(&data.user_names, -1));
    ck_assert_ptr_null(name_list_at(&data.item_names, 1)); /* an empty line gives no name */
    ck_assert_int_eq(name_list_find(&data.item_names, "three"), 2);
    ck_assert_int_eq(name_list_find(&data.item_names, "one"), 0); /* the first of two */
    ck_assert_int_eq(name_list_find(&data.item_names, "last"), 4);
    ck_assert_int_eq(name_list_find(&data.item_names, ""), -1);
    ck_assert_int_eq(name_list_find(&data.item_names, "four"), -1);
    ck_assert_int_eq(count(&data).has_user_names, 1);
    ck_assert_int_eq(count(&data).has_item_names, 1);
    dataset_release(&data);
}
END_TEST

START_TEST(ten_thousand_names_are_all_found)
{
    enum { N = 10000 };
    char *text = malloc(N * 12);
    size_t length = 0;
    for (int i = 0; i < N; i++) {
        length += (size_t)sprintf(text + length, "name-%d\n", i * 7 % N);
    }
    write_text("train.txt", "0 0\n");
    write_bytes("items.names.txt", text, length - 1); /* no newline at the end */
    dataset data = open_folder();
    ck_assert_int_eq(data.items, N);
    for (int i = 0; i < N; i++) {
        char name[16];
        snprintf(name, sizeof name, "name-%d", i * 7 % N);
        ck_assert_int_eq(name_list_find(&data.item_names, name), i);
    }
    dataset_release(&data);
    free(text);
}
END_TEST

/* Of every length up to 40, and for each of its bytes one that differs there alone; and of every length twice, so that the
 * second of the same name is passed over. */
START_TEST(names_that_differ_in_one_byte_are_told_apart)
{
    enum { LONGEST = 40 };
    static char text[4 * LONGEST * LONGEST * LONGEST];
    static char names[LONGEST * LONGEST][LONGEST + 1];
    size_t length = 0;
    int n = 0;
    for (int bytes = 1; bytes <= LONGEST; bytes++) {
        for (int at = 0; at < bytes; at++, n++) {
            memset(names[n], 'a', (size_t)bytes);
            names[n][at] = '\x80';
            length += (size_t)sprintf(text + length, "%s\n", names[n]);
        }
    }
    for (int again = 0; again < n; again += 7) {
        length += (size_t)sprintf(text + length, "%s\r\n", names[again]);
    }
    write_text("train.txt", "0 0\n");
    write_bytes("items.names.txt", text, length);
    dataset data = open_folder();
    for (int i = 0; i < n; i++) {
        ck_assert_int_eq(name_list_find(&data.item_names, names[i]), i);
    }
    ck_assert_int_eq(name_list_find(&data.item_names, "a"), -1);
    dataset_release(&data);
}
END_TEST

START_TEST(too_few_names_are_refused)
{
    const float values[3] = {1, 2, 3};
    write_text("train.txt", "0 0\n1 2\n");
    write_text("users.names.txt", "a\n");
    refuses(CFD_ERROR_DATA, "users.names.txt: 1 of 2 users have a line: user id 1 stands in train.txt:2", folder);
    write_text("users.names.txt", "a\nb\n");
    write_text("items.names.txt", "a\nb");
    refuses(CFD_ERROR_DATA, "items.names.txt: 2 of 3 items have a line: item id 2 stands in train.txt:2", folder);
    write_matrix("visual.npy", 3, 1, values);
    refuses(CFD_ERROR_DATA, "items.names.txt: 2 of 3 items have a line: visual.npy has 3 rows", folder);
    write_text("items.names.txt", "");
    refuses(CFD_ERROR_FORMAT, "items.names.txt: the file is empty", folder);
    write_bytes("items.names.txt", "a\nb\0c\nd\n", 8);
    refuses(CFD_ERROR_FORMAT, "items.names.txt:2: a NUL byte", folder);
}
END_TEST

/* ---- what the log hears ---- */

typedef struct heard {
    int infos, warnings;
    char text[1024];
} heard;

static void hear(void *user, cfd_log_level level, const char *message)
{
    heard *all = user;
    all->infos += level == CFD_LOG_INFO;
    all->warnings += level == CFD_LOG_WARNING;
    size_t length = strlen(all->text);
    snprintf(all->text + length, sizeof all->text - length, "%s\n", message);
}

START_TEST(repeats_are_information_and_leakage_is_a_warning)
{
    heard all = {0};
    dataset data;
    write_text("train.txt", "0 0 1 1\n1 0\n0 0\n");
    write_text("test.txt", "0 1\n1 0 2 2\n2 1\n");
    OK(dataset_read(&data, &memory_default, (log_sink){hear, &all}, folder));
    ck_assert_ptr_nonnull(strstr(all.text, "repeated interactions, counted once: 3 dropped"));
    ck_assert_ptr_nonnull(strstr(all.text, "2 of 4 test interactions, of 2 users, stand in train.txt too"));
    ck_assert_ptr_nonnull(strstr(all.text, "nobody has in the training split: 1"));
    ck_assert_int_eq(all.infos, 2);
    ck_assert_int_eq(all.warnings, 1);
    cfd_dataset_info info = count(&data);
    ck_assert_int_eq(info.duplicates, 3);
    ck_assert_int_eq(info.leaked_test, 2);
    ck_assert_int_eq(info.leaked_users, 2);
    ck_assert_int_eq(info.cold_test_items, 1);
    dataset_release(&data);

    all = (heard){0};
    write_text("train.txt", "0 0 1\n");
    write_text("test.txt", "1 1\n");
    OK(dataset_read(&data, &memory_default, (log_sink){hear, &all}, folder));
    ck_assert_str_eq(all.text, "");
    dataset_release(&data);
}
END_TEST

/* ---- memory ---- */

START_TEST(every_failing_allocation_is_reported_and_nothing_leaks)
{
    const float values[6] = {1, 2, 3, 4, 5, 6};
    write_text("train.txt", "0 0 1\n1 2\n");
    write_text("validation.txt", "0 2\n");
    write_text("test.txt", "1 1\n");
    write_matrix("visual.npy", 3, 2, values);
    write_halves("audio.npy", '>', 3, "\0\0\0\0\0\0"); /* to be turned, in memory of its own */
    write_text("title.tags.txt", "0 1 2\n2 1\n");
    write_text("users.names.txt", "a\nb\n");
    write_text("items.names.txt", "a\nb\nc\n");
    counted_memory counts;
    memory_source source = counted_source(&counts);
    for (long n = 0;; n++) {
        dataset data = {0};
        counts.asked = 0;
        counts.fail_at = n;
        cfd_status status = dataset_read(&data, &source, silent, folder);
        ck_assert_int_eq(counts.held > 0, status == CFD_OK);
        dataset_release(&data);
        ck_assert_int_eq(counts.held, 0);
        if (status == CFD_OK) {
            ck_assert_int_ge(n, 35);
            break;
        }
        ck_assert_int_eq(status, CFD_ERROR_MEMORY);
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("dataset directory");
    TCase *c = tcase_create("dataset directory");
    tcase_set_timeout(c, 60);
    tcase_add_checked_fixture(c, make_folder, remove_folder);
    tcase_add_test(c, every_legal_way_to_write_interactions_is_read);
    tcase_add_test(c, sizes_come_from_all_splits);
    tcase_add_test(c, an_empty_validation_or_test_split_is_legal);
    tcase_add_test(c, what_is_no_id_is_named_with_file_line_and_token);
    tcase_add_test(c, train_must_be_there_and_not_empty);
    tcase_add_test(c, a_directory_that_is_none_is_named);
    tcase_add_test(c, one_wild_id_does_not_ask_for_all_memory);
    tcase_add_test(c, a_float32_matrix_is_used_where_it_lies);
    tcase_add_test(c, a_float16_matrix_stays_float16_and_where_it_lies_if_it_can);
    tcase_add_test(c, an_id_beyond_the_features_is_named_where_it_stands);
    tcase_add_test(c, features_of_different_lengths_are_both_named);
    tcase_add_test(c, features_with_nan_or_infinity_are_named_by_row_and_column);
    tcase_add_test(c, a_bad_npy_file_is_named);
    tcase_add_test(c, tags_from_a_file_equal_tags_from_memory);
    tcase_add_test(c, tags_need_ids_and_at_least_one_tag);
    tcase_add_test(c, tags_alone_may_bring_items_that_nobody_has);
    tcase_add_test(c, modalities_are_ordered_by_name_and_other_files_passed_over);
    tcase_add_test(c, impossible_modalities_are_refused);
    tcase_add_test(c, names_are_the_lines_of_their_file);
    tcase_add_test(c, ten_thousand_names_are_all_found);
    tcase_add_test(c, names_that_differ_in_one_byte_are_told_apart);
    tcase_add_test(c, too_few_names_are_refused);
    tcase_add_test(c, repeats_are_information_and_leakage_is_a_warning);
    tcase_add_test(c, every_failing_allocation_is_reported_and_nothing_leaks);
    suite_add_tcase(s, c);
    return s;
}

TEST_MAIN(suite)
