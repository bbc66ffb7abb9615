/* SPDX-License-Identifier: Apache-2.0 */
/* .npy files, written byte by byte here as numpy's format description says. */
#include "files.h"

#include "base/half.h"
#include "io/npy.h"

/* A file in the making. */
typedef struct npy_bytes {
    unsigned char bytes[4096];
    size_t n;
} npy_bytes;

static void put(npy_bytes *file, const void *bytes, size_t n)
{
    ck_assert_uint_le(file->n + n, sizeof file->bytes);
    memcpy(file->bytes + file->n, bytes, n);
    file->n += n;
}

/* Magic, version, length, text padded with spaces to a multiple of `align` and ended by a newline. */
static npy_bytes header_of(int version, const char *text, size_t align)
{
    npy_bytes file = {.n = 0};
    size_t before = version == 1 ? 10 : 12;
    size_t length = strlen(text) + 1;
    while ((before + length) % align != 0) {
        length++;
    }
    const unsigned char start[12] = {
        0x93, 'N', 'U', 'M', 'P', 'Y', (unsigned char)version, 0, (unsigned char)length, (unsigned char)(length >> 8), 0, 0};
    put(&file, start, before);
    put(&file, text, strlen(text));
    while (file.n < before + length - 1) {
        put(&file, " ", 1);
    }
    put(&file, "\n", 1);
    return file;
}

/* 1.5, -2, 0.25 / 3, -0.5, 1024: exact in every width, most significant byte first. */
static const uint16_t halves[6] = {0x3e00, 0xc000, 0x3400, 0x4200, 0xb800, 0x6400};
static const uint32_t singles[6] = {0x3fc00000, 0xc0000000, 0x3e800000, 0x40400000, 0xbf000000, 0x44800000};
static const uint64_t doubles[6] = {0x3ff8000000000000, 0xc000000000000000, 0x3fd0000000000000,
                                    0x4008000000000000, 0xbfe0000000000000, 0x4090000000000000};
static const float expected[6] = {1.5f, -2.0f, 0.25f, 3.0f, -0.5f, 1024.0f};

static void put_number(npy_bytes *file, uint64_t bits, int width, bool big_endian)
{
    unsigned char bytes[8];
    for (int i = 0; i < width; i++) {
        bytes[big_endian ? width - 1 - i : i] = (unsigned char)(bits >> (8 * i));
    }
    put(file, bytes, (size_t)width);
}

/* The matrix 2 x 3 above; in Fortran order its columns are written one after the other. */
static npy_bytes matrix_file(int version, const char *descr, bool fortran)
{
    char text[256];
    snprintf(text, sizeof text, "{'descr': '%s', 'fortran_order': %s, 'shape': (2, 3), }", descr,
             fortran ? "True" : "False");
    npy_bytes file = header_of(version, text, 64);
    int width = descr[2] - '0';
    for (int k = 0; k < 6; k++) {
        int at = fortran ? k % 2 * 3 + k / 2 : k;
        put_number(&file, width == 2 ? halves[at] : width == 4 ? singles[at] : doubles[at], width, descr[0] == '>');
    }
    return file;
}

static cfd_status open_bytes(const npy_bytes *file, npy_file *out)
{
    return npy_open(write_bytes("features.npy", file->bytes, file->n), out);
}

/* Numbers of float16 files stay what they are; those of all others are float32. */
static float number_at(const npy_file *file, const void *values, int k)
{
    return npy_read_bytes(file) == 2 ? half_to_float(((const uint16_t *)values)[k]) : ((const float *)values)[k];
}

static void check_matrix(const npy_bytes *bytes, bool in_place)
{
    npy_file file;
    OK(open_bytes(bytes, &file));
    ck_assert_int_eq(file.rows, 2);
    ck_assert_int_eq(file.columns, 3);
    ck_assert_int_eq(npy_read_bytes(&file), file.element_bytes == 2 ? 2 : 4);
    const void *mapped = npy_in_place(&file);
    ck_assert_int_eq(mapped != NULL, in_place);
    void *owned;
    OK(npy_convert(&memory_default, &file, &owned));
    for (int k = 0; k < 6; k++) {
        ck_assert_float_eq(number_at(&file, owned, k), expected[k]);
        if (mapped) {
            ck_assert_float_eq(number_at(&file, mapped, k), expected[k]);
        }
    }
    memory_release(&memory_default, owned);
    npy_close(&file);
}

START_TEST(every_version_type_and_order_gives_the_same_matrix)
{
    static const char *const types[] = {"<f2", "<f4", "<f8", ">f2", ">f4", ">f8"};
    for (int version = 1; version <= 3; version++) {
        for (size_t t = 0; t < sizeof types / sizeof *types; t++) {
            for (int fortran = 0; fortran <= 1; fortran++) {
                npy_bytes file = matrix_file(version, types[t], fortran);
                check_matrix(&file, !fortran && (strcmp(types[t], "<f4") == 0 || strcmp(types[t], "<f2") == 0));
            }
        }
    }
    npy_bytes native = matrix_file(1, "=f4", false);
    check_matrix(&native, true);
    native = matrix_file(1, "|f4", false);
    check_matrix(&native, true);
    native = matrix_file(1, "=f2", false);
    check_matrix(&native, true);
}
END_TEST

START_TEST(data_that_are_not_aligned_are_copied)
{
    for (int width = 2; width <= 4; width += 2) {
        char text[128];
        int length = snprintf(text, sizeof text, "{'descr': '<f%d', 'fortran_order': False, 'shape': (2, 3), }", width);
        npy_bytes file = header_of(1, text, 1);
        while (file.n % (size_t)width == 0) { /* one space more moves the data */
            text[length++] = ' ';
            text[length] = '\0';
            file = header_of(1, text, 1);
        }
        for (int k = 0; k < 6; k++) {
            put_number(&file, width == 2 ? halves[k] : singles[k], width, false);
        }
        check_matrix(&file, false);
    }
}
END_TEST

/* Larger than the squares in which it is transposed, and no multiple of their side. */
START_TEST(a_large_matrix_in_fortran_order_is_transposed)
{
    enum { ROWS = 131, COLUMNS = 70 };
    npy_bytes header = header_of(1, "{'descr': '<f2', 'fortran_order': True, 'shape': (131, 70), }", 64);
    static unsigned char bytes[4096 + ROWS * COLUMNS * 2];
    memcpy(bytes, header.bytes, header.n);
    for (int c = 0; c < COLUMNS; c++) {
        for (int r = 0; r < ROWS; r++) {
            /* Whole numbers up to 2048 have the bits of (1 + fraction) 2^e; those used here are 1024 + x. */
            uint16_t half = (uint16_t)(0x6400 + (r * 7 + c * 5) % 1024);
            size_t at = header.n + (size_t)(c * ROWS + r) * 2;
            bytes[at] = (unsigned char)half;
            bytes[at + 1] = (unsigned char)(half >> 8);
        }
    }
    npy_file file;
    OK(npy_open(write_bytes("large.npy", bytes, header.n + ROWS * COLUMNS * 2), &file));
    uint16_t *values;
    OK(npy_convert(&memory_default, &file, &values));
    for (int r = 0; r < ROWS; r++) {
        for (int c = 0; c < COLUMNS; c++) {
            ck_assert_uint_eq(values[r * COLUMNS + c], 0x6400 + (r * 7 + c * 5) % 1024);
        }
    }
    memory_release(&memory_default, values);
    npy_close(&file);
}
END_TEST

/* NaN, infinities, denormals, both zeros: a copy is not the place to judge them. */
START_TEST(half_precision_keeps_every_bit)
{
    static const uint16_t bits[] = {0x0001, 0x83ff, 0x0400, 0x7bff, 0x8000, 0x7c00, 0xfc00, 0x7e01, 0x7c01};
    enum { N = sizeof bits / sizeof *bits };
    for (int swapped = 0; swapped <= 1; swapped++) {
        char text[128];
        snprintf(text, sizeof text, "{'descr': '%cf2', 'fortran_order': False, 'shape': (%d,), }", swapped ? '>' : '<', N);
        npy_bytes bytes = header_of(1, text, 64);
        for (int k = 0; k < N; k++) {
            put_number(&bytes, bits[k], 2, swapped);
        }
        npy_file file;
        OK(open_bytes(&bytes, &file));
        ck_assert_int_eq(file.rows, N);
        ck_assert_int_eq(file.columns, 1); /* a vector is one column */
        uint16_t *values;
        OK(npy_convert(&memory_default, &file, &values));
        ck_assert_mem_eq(values, bits, sizeof bits);
        memory_release(&memory_default, values);
        npy_close(&file);
    }
}
END_TEST

START_TEST(doubles_beyond_float_become_infinite)
{
    const double numbers[] = {1e300, -1e300, 3.4028234663852886e38, 1e-300, 0.1};
    npy_bytes bytes = header_of(2, "{'descr': '<f8', 'fortran_order': False, 'shape': (5, 1)}", 16);
    for (int k = 0; k < 5; k++) {
        uint64_t bits;
        memcpy(&bits, &numbers[k], sizeof bits);
        put_number(&bytes, bits, 8, false);
    }
    npy_file file;
    OK(open_bytes(&bytes, &file));
    float *values;
    OK(npy_convert(&memory_default, &file, &values));
    const float wanted[] = {INFINITY, -INFINITY, 3.4028234663852886e38f, 0.0f, 0.1f};
    for (int k = 0; k < 5; k++) {
        ck_assert_float_eq(values[k], wanted[k]);
    }
    memory_release(&memory_default, values);
    npy_close(&file);
}
END_TEST

/* A file of that header and 24 bytes of data. */
static void refuses(const char *text, const char *part)
{
    npy_bytes bytes = header_of(1, text, 64);
    for (int k = 0; k < 6; k++) {
        put_number(&bytes, singles[k], 4, false);
    }
    npy_file file;
    FAILS(CFD_ERROR_FORMAT, part, open_bytes(&bytes, &file));
    ck_assert_ptr_nonnull(strstr(cfd_last_error(), "features.npy"));
}

START_TEST(the_header_may_be_written_in_any_way_that_python_reads)
{
    static const char *const texts[] = {"{'shape': (2, 3), 'fortran_order': False, 'descr': '<f4'}",
                                        "{\"descr\":\"<f4\",\"fortran_order\":False,\"shape\":(2,3)}",
                                        "  { 'descr' : '<f4' , 'fortran_order' : False , 'shape' : ( 2 , 3 , ) , }  ",
                                        "{'descr': '<f4', 'fortran_order': False, 'shape': (2L, 3L), }"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        npy_bytes bytes = header_of(1, texts[i], 64);
        for (int k = 0; k < 6; k++) {
            put_number(&bytes, singles[k], 4, false);
        }
        check_matrix(&bytes, true);
    }
}
END_TEST

START_TEST(other_types_are_refused_by_name)
{
    refuses("{'descr': '<i4', 'fortran_order': False, 'shape': (2, 3), }", "dtype '<i4'");
    refuses("{'descr': '|u1', 'fortran_order': False, 'shape': (24, 1), }", "dtype '|u1'");
    refuses("{'descr': '<c8', 'fortran_order': False, 'shape': (3, 1), }", "dtype '<c8'");
    refuses("{'descr': '<f16', 'fortran_order': False, 'shape': (3, 1), }", "dtype '<f16'");
    refuses("{'descr': '|O', 'fortran_order': False, 'shape': (3, 1), }", "dtype '|O'");
    refuses("{'descr': '', 'fortran_order': False, 'shape': (3, 1), }", "dtype ''");
    refuses("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (6,), }", "structured");
}
END_TEST

START_TEST(other_shapes_are_refused)
{
    refuses("{'descr': '<f4', 'fortran_order': False, 'shape': (), }", "0 dimensions");
    refuses("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2, 3), }", "3 dimensions");
    refuses("{'descr': '<f4', 'fortran_order': False, 'shape': (0, 3), }", "0 x 3");
    refuses("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 0), }", "2 x 0");
    refuses("{'descr': '<f4', 'fortran_order': False, 'shape': (2147483647, 1), }", "2147483647 x 1");
    refuses("{'descr': '<f8', 'fortran_order': False, 'shape': (2147483646, 2147483646), }", "no file can hold");
    refuses("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999, 1), }", "64 bits");
    refuses("{'descr': '<f4', 'fortran_order': False, 'shape': (-2, 3), }", "not negative");
    refuses("{'descr': '<f4', 'fortran_order': False, 'shape': (6), }", "tuple");
    refuses("{'descr': '<f4', 'fortran_order': False, 'shape': [2, 3], }", "tuple");
    refuses("{'descr': '<f4', 'fortran_order': False, 'shape': (2 3), }", "','");
    refuses("{'descr': '<f4', 'fortran_order': False, 'shape': (2,,3), }", "whole numbers");
}
END_TEST

START_TEST(a_header_that_is_not_one_dict_is_refused)
{
    refuses("", "'{'");
    refuses("[]", "'{'");
    refuses("{}", "no descr");
    refuses("{'descr': '<f4', 'fortran_order': False}", "no shape");
    refuses("{'descr': '<f4', 'shape': (2, 3)}", "no fortran_order");
    refuses("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)}", "each once");
    refuses("{'descr': '<f4', 'order': False, 'shape': (2, 3)}", "each once");
    refuses("{'descr': '<f4', 'fortran_order': 0, 'shape': (2, 3)}", "True or False");
    refuses("{'descr': '<f4' 'fortran_order': False, 'shape': (2, 3)}", "','");
    refuses("{'descr' '<f4', 'fortran_order': False, 'shape': (2, 3)}", "':'");
    refuses("{'descr': '<f4, 'fortran_order': False, 'shape': (2, 3)}", "header, byte");
    refuses("{'descr': '<f4", "header, byte");
    refuses("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)} x", "behind the header");
    refuses("{'descr': '\\x3cf4', 'fortran_order': False, 'shape': (2, 3)}", "escape");
}
END_TEST

START_TEST(a_preamble_of_another_kind_is_refused)
{
    npy_file file;
    npy_bytes bytes = matrix_file(1, "<f4", false);
    bytes.bytes[6] = 4;
    FAILS(CFD_ERROR_FORMAT, "version 4.0", open_bytes(&bytes, &file));
    bytes = matrix_file(1, "<f4", false);
    bytes.bytes[7] = 1;
    FAILS(CFD_ERROR_FORMAT, "version 1.1", open_bytes(&bytes, &file));
    bytes = matrix_file(1, "<f4", false);
    bytes.bytes[0] = 'P';
    FAILS(CFD_ERROR_FORMAT, "not a .npy file", open_bytes(&bytes, &file));
    bytes = matrix_file(2, "<f4", false);
    memset(bytes.bytes + 8, 0xff, 4); /* a header of 4 GiB */
    FAILS(CFD_ERROR_FORMAT, "of the header are missing", open_bytes(&bytes, &file));
    FAILS(CFD_ERROR_FORMAT, "empty", npy_open(write_bytes("empty.npy", "", 0), &file));
    FAILS(CFD_ERROR_FILE, "absent.npy", npy_open(in_folder("absent.npy"), &file));
    FAILS(CFD_ERROR_FILE, "directory", npy_open(folder, &file));
}
END_TEST

/* Every shorter file fails, and says how much is missing once it is the data. */
START_TEST(a_file_cut_anywhere_is_refused)
{
    for (int version = 1; version <= 3; version++) {
        npy_bytes whole = matrix_file(version, "<f8", false);
        for (size_t n = 1; n < whole.n; n++) {
            npy_bytes cut = whole;
            cut.n = n;
            npy_file file;
            char missing[64];
            snprintf(missing, sizeof missing, n >= whole.n - 48 ? "truncated: %zu bytes of the data" : "truncated",
                     whole.n - n);
            FAILS(CFD_ERROR_FORMAT, missing, open_bytes(&cut, &file));
        }
        npy_bytes longer = whole;
        put(&longer, "xyz", 3);
        npy_file file;
        FAILS(CFD_ERROR_FORMAT, "3 bytes behind the data", open_bytes(&longer, &file));
    }
}
END_TEST

/* Whatever one changed byte makes of the file, reading it ends in success or in a message. */
START_TEST(a_changed_byte_never_does_harm)
{
    npy_bytes whole = matrix_file(1, "<f4", false);
    size_t header = whole.n - 24;
    size_t refused = 0;
    for (size_t at = 0; at < header; at++) {
        for (int bit = 0; bit < 8; bit++) {
            npy_bytes changed = whole;
            changed.bytes[at] ^= (unsigned char)(1 << bit);
            npy_file file;
            if (open_bytes(&changed, &file) == CFD_OK) {
                void *values;
                OK(npy_convert(&memory_default, &file, &values));
                memory_release(&memory_default, values);
                npy_close(&file);
            } else {
                refused++;
            }
        }
    }
    ck_assert_uint_ge(refused, header * 7); /* nearly all: a few spaces become others, '<' another order */
}
END_TEST

START_TEST(a_failing_allocation_is_reported)
{
    npy_bytes bytes = matrix_file(1, "<f8", false);
    npy_file file;
    OK(open_bytes(&bytes, &file));
    counted_memory counts;
    memory_source source = counted_source(&counts);
    counts.fail_at = 0;
    float *values = NULL;
    FAILS(CFD_ERROR_MEMORY, "features", npy_convert(&source, &file, &values));
    ck_assert_ptr_null(values);
    npy_close(&file);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("npy");
    TCase *c = tcase_create("npy");
    tcase_add_checked_fixture(c, make_folder, remove_folder);
    tcase_add_test(c, every_version_type_and_order_gives_the_same_matrix);
    tcase_add_test(c, data_that_are_not_aligned_are_copied);
    tcase_add_test(c, a_large_matrix_in_fortran_order_is_transposed);
    tcase_add_test(c, half_precision_keeps_every_bit);
    tcase_add_test(c, doubles_beyond_float_become_infinite);
    tcase_add_test(c, the_header_may_be_written_in_any_way_that_python_reads);
    tcase_add_test(c, other_types_are_refused_by_name);
    tcase_add_test(c, other_shapes_are_refused);
    tcase_add_test(c, a_header_that_is_not_one_dict_is_refused);
    tcase_add_test(c, a_preamble_of_another_kind_is_refused);
    tcase_add_test(c, a_file_cut_anywhere_is_refused);
    tcase_add_test(c, a_changed_byte_never_does_harm);
    tcase_add_test(c, a_failing_allocation_is_reported);
    suite_add_tcase(s, c);
    return s;
}

TEST_MAIN(suite)
