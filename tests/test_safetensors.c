/* SPDX-License-Identifier: Apache-2.0 */
/* safetensors: what is written reads back, by this reader and by the format's description; nothing in a file is trusted. */
#include "files.h"

#include "io/atomic_file.h"
#include "io/json.h"
#include "io/safetensors.h"

static const float weights[6] = {1.0f, -2.5f, 0.0f, 3.25f, 1e-30f, 7.0f};
static const int32_t ids[3] = {1, -2, 2147483647};
static const int64_t steps[1] = {INT64_C(1) << 40};

static const safetensor tensors[] = {
    {"ids", "I32", {3, 0}, 1, ids, sizeof ids},
    {"proj.common.visual", "F32", {2, 3}, 2, weights, sizeof weights},
    {"nothing", "F32", {0, 3}, 2, NULL, 0},
    {"steps \"done\"", "I64", {0, 0}, 0, steps, sizeof steps},
};
enum { TENSORS = sizeof tensors / sizeof *tensors };
static const safetensors_entry metadata[] = {{"format", "cfdtbd-model"},
                                             {"config.lambda.visual", "0.9"},
                                             {"path", "a\\b \"c\"\n\xc3\xa9"}};
enum { ENTRIES = sizeof metadata / sizeof *metadata };

static const char *write_example(void)
{
    const char *path = in_folder("model.safetensors");
    OK(safetensors_write(&memory_default, path, tensors, TENSORS, metadata, ENTRIES));
    return path;
}

START_TEST(what_was_written_reads_back)
{
    safetensors_file file;
    OK(safetensors_open(&memory_default, write_example(), &file));
    ck_assert_uint_eq(file.n_tensors, TENSORS);
    ck_assert_uint_eq(file.n_metadata, ENTRIES);
    for (int i = 0; i < TENSORS; i++) {
        const safetensor *t = safetensors_find(&file, tensors[i].name);
        ck_assert_ptr_nonnull(t);
        ck_assert_str_eq(t->dtype, tensors[i].dtype);
        ck_assert_int_eq(t->rank, tensors[i].rank);
        ck_assert_mem_eq(t->shape, tensors[i].shape, sizeof t->shape);
        ck_assert_uint_eq(t->bytes, tensors[i].bytes);
        if (t->bytes > 0) {
            ck_assert_mem_eq(t->data, tensors[i].data, t->bytes);
        }
    }
    for (int i = 0; i < ENTRIES; i++) {
        ck_assert_str_eq(safetensors_metadata(&file, metadata[i].key), metadata[i].value);
    }
    ck_assert_ptr_null(safetensors_find(&file, "ids "));
    ck_assert_ptr_null(safetensors_metadata(&file, "steps"));
    safetensors_close(&file);
    ck_assert_ptr_null(file.mapping);
    ck_assert_int_eq(entries_in_folder(), 1);
}
END_TEST

/* The format's own words: 8 bytes of length, little-endian; a header that begins with '{' and may be padded with spaces;
 * then data that the tensors cover without a hole. */
START_TEST(the_file_is_as_the_format_says)
{
    size_t n;
    unsigned char *bytes = read_bytes_of(write_example(), &n);
    uint64_t length = 0;
    for (int i = 7; i >= 0; i--) {
        length = length << 8 | bytes[i];
    }
    ck_assert_uint_eq((8 + length) % 64, 0);
    ck_assert_uint_eq(n, 8 + length + sizeof weights + sizeof ids + sizeof steps);
    ck_assert_int_eq(bytes[8], '{');
    json_document header;
    OK(json_parse(&memory_default, "header", (const char *)bytes + 8, (size_t)length, &header));
    ck_assert_str_eq(json_member(&header, json_member(&header, header.values, "__metadata__"), "format")->string,
                     "cfdtbd-model");
    const json_value *t = json_member(&header, header.values, "proj.common.visual");
    ck_assert_str_eq(json_member(&header, t, "dtype")->string, "F32");
    const json_value *begin = json_first(&header, json_member(&header, t, "data_offsets"));
    ck_assert_mem_eq(bytes + 8 + length + begin->integer, weights, sizeof weights);
    /* The widest elements first: aligned whatever the others' sizes. */
    const json_value *wide = json_member(&header, header.values, "steps \"done\"");
    ck_assert_int_eq(json_first(&header, json_member(&header, wide, "data_offsets"))->integer, 0);
    json_release(&header);
    free(bytes);
}
END_TEST

START_TEST(an_empty_file_of_tensors_is_legal)
{
    const char *path = in_folder("none");
    OK(safetensors_write(&memory_default, path, NULL, 0, NULL, 0));
    safetensors_file file;
    OK(safetensors_open(&memory_default, path, &file));
    ck_assert_uint_eq(file.n_tensors, 0);
    ck_assert_uint_eq(file.n_metadata, 0);
    safetensors_close(&file);
}
END_TEST

START_TEST(what_nobody_could_read_is_not_written)
{
    const char *path = in_folder("model");
    safetensor twice[2] = {tensors[0], tensors[0]};
    FAILS(CFD_ERROR_ARGUMENT, "ids is taken", safetensors_write(&memory_default, path, twice, 2, NULL, 0));
    safetensor reserved = tensors[0];
    reserved.name = "__metadata__";
    FAILS(CFD_ERROR_ARGUMENT, "taken", safetensors_write(&memory_default, path, &reserved, 1, NULL, 0));
    safetensor wrong = tensors[0];
    wrong.bytes = 8;
    FAILS(CFD_ERROR_ARGUMENT, "8 bytes, not 12", safetensors_write(&memory_default, path, &wrong, 1, NULL, 0));
    wrong = tensors[0];
    wrong.dtype = "F4";
    FAILS(CFD_ERROR_ARGUMENT, "F4", safetensors_write(&memory_default, path, &wrong, 1, NULL, 0));
    wrong = tensors[0];
    wrong.name = "\xff";
    FAILS(CFD_ERROR_ARGUMENT, "UTF-8", safetensors_write(&memory_default, path, &wrong, 1, NULL, 0));
    const safetensors_entry same[2] = {{"a", "1"}, {"a", "2"}};
    FAILS(CFD_ERROR_ARGUMENT, "twice", safetensors_write(&memory_default, path, NULL, 0, same, 2));
    ck_assert_int_eq(entries_in_folder(), 0);
}
END_TEST

/* ---- hostile files ---- */

/* A file of that header, with the length that it has, and `data` bytes of zeros. */
static const char *file_of(const char *header, size_t data)
{
    static unsigned char bytes[8192];
    size_t length = strlen(header);
    memset(bytes, 0, sizeof bytes);
    bytes[0] = (unsigned char)length;
    bytes[1] = (unsigned char)(length >> 8);
    memcpy(bytes + 8, header, length);
    return write_bytes("hostile", bytes, 8 + length + data);
}

static void refuses(const char *header, size_t data, const char *part)
{
    safetensors_file file;
    FAILS(CFD_ERROR_FORMAT, part, safetensors_open(&memory_default, file_of(header, data), &file));
    ck_assert_msg(strstr(cfd_last_error(), "hostile"), "no path: %s", cfd_last_error());
}

#define T(name, dtype, shape, offsets) \
    "\"" name "\":{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":" offsets "}"

START_TEST(tensors_must_cover_the_data_exactly)
{
    safetensors_file file;
    /* Out of order in the header, in order in the data, which begin at a multiple of 4. */
    char good[256];
    snprintf(good, sizeof good, "%-200s",
             "{" T("b", "F32", "[2]", "[4,12]") "," T("a", "F32", "[1]", "[0,4]") "," T("e", "F32", "[0]", "[4,4]") "}");
    OK(safetensors_open(&memory_default, file_of(good, 12), &file));
    ck_assert_uint_eq(safetensors_find(&file, "b")->bytes, 8);
    safetensors_close(&file);
    refuses(good, 13, "1 bytes behind");
    refuses(good, 11, "not a range of the data");
    refuses("{" T("a", "U8", "[4]", "[0,4]") "," T("b", "U8", "[4]", "[2,6]") "}", 6, "\"b\" overlaps");
    refuses("{" T("a", "U8", "[4]", "[0,4]") "," T("b", "U8", "[4]", "[0,4]") "}", 4, "overlaps");
    refuses("{" T("a", "U8", "[4]", "[0,4]") "," T("b", "U8", "[4]", "[5,9]") "}", 9, "\"b\" leaves a hole");
    refuses("{" T("a", "U8", "[4]", "[1,5]") "}", 5, "leaves a hole");
    refuses("{}", 4, "4 bytes behind");
}
END_TEST

START_TEST(shapes_and_offsets_are_checked)
{
    refuses("{" T("a", "F32", "[2]", "[0,4]") "}", 4, "as many bytes as its shape");
    refuses("{" T("a", "F32", "[4611686018427387905]", "[0,4]") "}", 4, "as many bytes");   /* x 4 = 4 mod 2^64 */
    refuses("{" T("a", "F32", "[4294967296,4294967296]", "[0,0]") "}", 0, "as many bytes"); /* 0 mod 2^64 */
    refuses("{" T("a", "U8", "[1,1,1]", "[0,1]") "}", 1, "no more than two");
    refuses("{" T("a", "U8", "[-1]", "[0,1]") "}", 1, "no more than two");
    refuses("{" T("a", "U8", "[\"1\"]", "[0,1]") "}", 1, "no more than two");
    refuses("{" T("a", "U8", "1", "[0,1]") "}", 1, "no more than two");
    refuses("{" T("a", "U8", "[1]", "[1,0]") "}", 1, "not a range");
    refuses("{" T("a", "U8", "[1]", "[-1,0]") "}", 1, "two data_offsets");
    refuses("{" T("a", "U8", "[1]", "[0]") "}", 1, "not a range");
    refuses("{" T("a", "U8", "[1]", "[0,1,2]") "}", 1, "two data_offsets");
    refuses("{" T("a", "U8", "[1]", "[0,9223372036854775807]") "}", 1, "not a range");
    refuses("{" T("a", "U8", "[1]", "[0,18446744073709551617]") "}", 1, "64 bits");
    refuses("{\"a\":{\"dtype\":\"U8\",\"shape\":[1]}}", 0, "needs dtype, shape and data_offsets");
    refuses("{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1],\"x\":1}}", 1, "nothing else");
    refuses("{\"a\":{\"dtype\":1,\"shape\":[1],\"data_offsets\":[0,1]}}", 1, "dtype");
    refuses("{\"a\":[]}", 0, "not an object");
    refuses("{\"__metadata__\":[]}", 0, "not an object");
    refuses("{\"__metadata__\":{\"a\":1}}", 0, "\"a\" is not a string");
    refuses("{" T("a", "U8", "[1]", "[0,1]") "," T("a", "U8", "[1]", "[1,2]") "}", 2, "stands in its object already");
}
END_TEST

START_TEST(misaligned_tensors_are_refused_and_unknown_types_described)
{
    /* 61 + 8 bytes before the data: odd. */
    refuses("{" T("a", "F32", "[1]", "[0,4]") "}", 4, "not aligned");
    safetensors_file file;
    OK(safetensors_open(&memory_default, file_of("{" T("a", "F4_E9", "[3,5]", "[0,7]") "}", 7), &file));
    const safetensor *t = safetensors_find(&file, "a");
    ck_assert_str_eq(t->dtype, "F4_E9");
    ck_assert_int_eq(t->shape[1], 5);
    ck_assert_uint_eq(t->bytes, 7);
    safetensors_close(&file);
}
END_TEST

START_TEST(hostile_lengths_are_refused)
{
    safetensors_file file;
    unsigned char bytes[16] = {0};
    memset(bytes, 0xff, 8);
    FAILS(CFD_ERROR_FORMAT, "18446744073709551615", safetensors_open(&memory_default, write_bytes("f", bytes, 16), &file));
    const unsigned char large[16] = {0, 0, 0, 1};
    FAILS(CFD_ERROR_FORMAT, "truncated", safetensors_open(&memory_default, write_bytes("f", large, 16), &file));
    const unsigned char nothing[8] = {0};
    FAILS(CFD_ERROR_FORMAT, "begin with '{'", safetensors_open(&memory_default, write_bytes("f", nothing, 8), &file));
    FAILS(CFD_ERROR_FORMAT, "too few", safetensors_open(&memory_default, write_bytes("f", nothing, 7), &file));
    FAILS(CFD_ERROR_FORMAT, "empty", safetensors_open(&memory_default, write_bytes("f", nothing, 0), &file));
    refuses(" {}", 0, "begin with '{'");
    FAILS(CFD_ERROR_FILE, "absent", safetensors_open(&memory_default, in_folder("absent"), &file));
    FAILS(CFD_ERROR_FILE, "directory", safetensors_open(&memory_default, folder, &file));
}
END_TEST

/* From memory of exactly that many bytes the reader would be caught by the sanitizers; a mapping ends at a page, so the
 * header is tried against the parser alone as well. */
START_TEST(a_file_cut_anywhere_is_refused)
{
    size_t n;
    unsigned char *bytes = read_bytes_of(write_example(), &n);
    for (size_t cut = 0; cut < n; cut++) {
        safetensors_file file;
        cfd_status status = safetensors_open(&memory_default, write_bytes("cut", bytes, cut), &file);
        ck_assert_msg(status == CFD_ERROR_FORMAT, "%zu of %zu bytes were accepted", cut, n);
    }
    size_t length = bytes[0] | (size_t)bytes[1] << 8;
    while (bytes[8 + length - 1] == ' ') {
        length--; /* the padding is not needed */
    }
    for (size_t cut = 0; cut < length; cut++) {
        char *exact = malloc(cut ? cut : 1);
        memcpy(exact, bytes + 8, cut);
        json_document header;
        ck_assert_int_eq(json_parse(&memory_default, "header", exact, cut, &header), CFD_ERROR_FORMAT);
        free(exact);
    }
    free(bytes);
}
END_TEST

START_TEST(a_changed_bit_of_the_header_never_does_harm)
{
    size_t n;
    unsigned char *bytes = read_bytes_of(write_example(), &n);
    size_t header = 8 + (bytes[0] | (size_t)bytes[1] << 8);
    for (size_t at = 0; at < header; at++) {
        for (int bit = 0; bit < 8; bit++) {
            bytes[at] ^= (unsigned char)(1 << bit);
            safetensors_file file;
            if (safetensors_open(&memory_default, write_bytes("changed", bytes, n), &file) == CFD_OK) {
                volatile unsigned char last = 0; /* every byte that is described can be read */
                for (size_t i = 0; i < file.n_tensors; i++) {
                    for (size_t k = 0; k < file.tensors[i].bytes; k++) {
                        last = ((const unsigned char *)file.tensors[i].data)[k];
                    }
                }
                (void)last;
                safetensors_close(&file);
            } else {
                ck_assert_ptr_nonnull(strstr(cfd_last_error(), "changed"));
            }
            bytes[at] ^= (unsigned char)(1 << bit);
        }
    }
    free(bytes);
}
END_TEST

START_TEST(every_failing_allocation_is_reported_and_nothing_leaks)
{
    counted_memory counts;
    memory_source source = counted_source(&counts);
    const char *path = in_folder("model");
    for (int reads = 0; reads <= 1; reads++) {
        for (long n = 0;; n++) {
            safetensors_file file = {0};
            counts.asked = 0;
            counts.fail_at = n;
            cfd_status status = reads ? safetensors_open(&source, path, &file)
                                      : safetensors_write(&source, path, tensors, TENSORS, metadata, ENTRIES);
            safetensors_close(&file);
            ck_assert_int_eq(counts.held, 0);
            if (status == CFD_OK) {
                ck_assert_int_ge(n, 2);
                break;
            }
            ck_assert_int_eq(status, CFD_ERROR_MEMORY);
            ck_assert_int_eq(entries_in_folder(), reads); /* nothing half-written */
        }
    }
}
END_TEST

/* ---- atomic replacement ---- */

START_TEST(the_target_stays_as_it_was_until_the_end)
{
    const char *path = write_text("target", "old");
    atomic_file file;
    OK(atomic_file_open(&memory_default, path, &file));
    OK(atomic_file_write(&file, "new and longer", 14));
    size_t n;
    unsigned char *bytes = read_bytes_of(path, &n);
    ck_assert_str_eq((char *)bytes, "old");
    free(bytes);
    atomic_file_cancel(&file);
    ck_assert_int_eq(entries_in_folder(), 1);

    OK(atomic_file_open(&memory_default, path, &file));
    OK(atomic_file_write(&file, "new ", 4));
    OK(atomic_file_write(&file, "text", 4));
    OK(atomic_file_commit(&file));
    bytes = read_bytes_of(path, &n);
    ck_assert_str_eq((char *)bytes, "new text");
    free(bytes);
    ck_assert_int_eq(entries_in_folder(), 1);
}
END_TEST

START_TEST(a_new_file_has_the_mode_that_the_umask_leaves)
{
    mode_t before = umask(027);
    atomic_file file;
    OK(atomic_file_open(&memory_default, in_folder("new"), &file));
    OK(atomic_file_commit(&file));
    umask(before);
    struct stat about;
    ck_assert_int_eq(stat(in_folder("new"), &about), 0);
    ck_assert_int_eq(about.st_mode & 0777, 0640);
}
END_TEST

START_TEST(two_writers_of_one_file_do_not_meet)
{
    atomic_file a;
    atomic_file b;
    OK(atomic_file_open(&memory_default, in_folder("shared"), &a));
    OK(atomic_file_open(&memory_default, in_folder("shared"), &b));
    OK(atomic_file_write(&a, "aaaa", 4));
    OK(atomic_file_write(&b, "b", 1));
    OK(atomic_file_commit(&a));
    OK(atomic_file_commit(&b));
    size_t n;
    unsigned char *bytes = read_bytes_of(in_folder("shared"), &n);
    ck_assert_str_eq((char *)bytes, "b");
    free(bytes);
    ck_assert_int_eq(entries_in_folder(), 1);
}
END_TEST

START_TEST(a_path_that_cannot_be_written_is_named)
{
    atomic_file file;
    FAILS(CFD_ERROR_FILE, "absent/model", atomic_file_open(&memory_default, in_folder("absent/model"), &file));
    FAILS(CFD_ERROR_FILE, "directory", atomic_file_open(&memory_default, folder, &file));
    FAILS(CFD_ERROR_FILE, "names a directory", atomic_file_open(&memory_default, in_folder("x/"), &file));
    FAILS(CFD_ERROR_FILE, "empty", atomic_file_open(&memory_default, "", &file));
    write_text("plain", "");
    FAILS(CFD_ERROR_FILE, "plain/model", atomic_file_open(&memory_default, in_folder("plain/model"), &file));
    ck_assert_int_eq(entries_in_folder(), 1);
}
END_TEST

START_TEST(a_full_disk_is_reported_and_nothing_stays_behind)
{
    /* /dev/full refuses every byte; it takes the temporary file's place here. */
    if (access("/dev/full", W_OK) != 0) {
        return;
    }
    atomic_file file;
    OK(atomic_file_open(&memory_default, in_folder("target"), &file));
    FILE *full = fopen("/dev/full", "wb");
    ck_assert_ptr_nonnull(full);
    ck_assert_int_ge(dup2(fileno(full), file.descriptor), 0);
    fclose(full);
    FAILS(CFD_ERROR_FILE, "target", atomic_file_write(&file, "x", 1));
    atomic_file_cancel(&file);
    ck_assert_int_eq(entries_in_folder(), 0);
}
END_TEST

START_TEST(a_relative_path_is_written_in_the_present_folder)
{
    ck_assert_int_eq(chdir(folder), 0);
    OK(safetensors_write(&memory_default, "here", tensors, TENSORS, NULL, 0));
    ck_assert_int_eq(access(in_folder("here"), R_OK), 0);
    ck_assert_int_eq(chdir("/"), 0);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("safetensors");
    TCase *c = tcase_create("safetensors");
    tcase_set_timeout(c, 60);
    tcase_add_checked_fixture(c, make_folder, remove_folder);
    tcase_add_test(c, what_was_written_reads_back);
    tcase_add_test(c, the_file_is_as_the_format_says);
    tcase_add_test(c, an_empty_file_of_tensors_is_legal);
    tcase_add_test(c, what_nobody_could_read_is_not_written);
    tcase_add_test(c, tensors_must_cover_the_data_exactly);
    tcase_add_test(c, shapes_and_offsets_are_checked);
    tcase_add_test(c, misaligned_tensors_are_refused_and_unknown_types_described);
    tcase_add_test(c, hostile_lengths_are_refused);
    tcase_add_test(c, a_file_cut_anywhere_is_refused);
    tcase_add_test(c, a_changed_bit_of_the_header_never_does_harm);
    tcase_add_test(c, every_failing_allocation_is_reported_and_nothing_leaks);
    tcase_add_test(c, the_target_stays_as_it_was_until_the_end);
    tcase_add_test(c, a_new_file_has_the_mode_that_the_umask_leaves);
    tcase_add_test(c, two_writers_of_one_file_do_not_meet);
    tcase_add_test(c, a_path_that_cannot_be_written_is_named);
    tcase_add_test(c, a_full_disk_is_reported_and_nothing_stays_behind);
    tcase_add_test(c, a_relative_path_is_written_in_the_present_folder);
    suite_add_tcase(s, c);
    return s;
}

TEST_MAIN(suite)
