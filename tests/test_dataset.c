/* SPDX-License-Identifier: Apache-2.0 */
/* Data sets put together in memory: what is counted, what is refused, what a failure leaves behind. */
#include "files.h"

#include "base/half.h"
#include "data/dataset.h"

static const log_sink silent = {NULL, NULL};

static dataset make(int32_t users, int32_t items)
{
    dataset data;
    OK(dataset_init(&data, &memory_default, silent, users, items));
    return data;
}

static cfd_dataset_info count(const dataset *data)
{
    cfd_dataset_info info;
    dataset_count(data, &info);
    return info;
}

START_TEST(an_empty_data_set_has_its_sizes_and_nothing_else)
{
    dataset data = make(3, 5);
    cfd_dataset_info info = count(&data);
    ck_assert_int_eq(info.n_users, 3);
    ck_assert_int_eq(info.n_items, 5);
    ck_assert_int_eq(info.n_train + info.n_validation + info.n_test, 0);
    ck_assert_int_eq(info.n_modalities, 0);
    ck_assert_int_eq(info.has_user_names, 0);
    ck_assert_ptr_null(name_list_at(&data.user_names, 0));
    ck_assert_int_eq(name_list_find(&data.user_names, "a"), -1);
    dataset_release(&data);
    dataset_release(&data); /* zeroed by now */
}
END_TEST

START_TEST(additions_to_a_split_are_united_and_repeats_counted)
{
    dataset data = make(3, 5);
    OK(dataset_add_interactions(&data, CFD_SPLIT_TRAIN, (const int32_t[]){2, 0, 2}, (const int32_t[]){1, 4, 1}, 3));
    OK(dataset_add_interactions(&data, CFD_SPLIT_TRAIN, (const int32_t[]){0, 2, 0}, (const int32_t[]){4, 0, 3}, 3));
    OK(dataset_add_interactions(&data, CFD_SPLIT_VALIDATION, (const int32_t[]){1}, (const int32_t[]){4}, 1));
    OK(dataset_add_interactions(&data, CFD_SPLIT_TEST, NULL, NULL, 0));
    cfd_dataset_info info = count(&data);
    ck_assert_int_eq(info.n_train, 4); /* (0, 3) (0, 4) (2, 0) (2, 1) */
    ck_assert_int_eq(info.n_validation, 1);
    ck_assert_int_eq(info.duplicates, 2); /* (2, 1) within a call, (0, 4) across calls */
    const bipartite *train = &data.splits[CFD_SPLIT_TRAIN];
    const int32_t items[] = {3, 4, 0, 1};
    ck_assert_mem_eq(train->item_ids, items, sizeof items);
    dataset_release(&data);
}
END_TEST

/* Train: 0 has 0 1, 1 has 1. Test: 0 has 1 3, 1 has 1 3, 2 has 0 4. Leaked: (0, 1), (1, 1). Cold: 3 and 4. */
START_TEST(leakage_and_cold_items_are_counted_whatever_comes_first)
{
    const int32_t train_users[] = {0, 0, 1}, train_items[] = {0, 1, 1};
    const int32_t test_users[] = {0, 0, 1, 1, 2, 2}, test_items[] = {3, 1, 1, 3, 0, 4};
    for (int order = 0; order <= 1; order++) {
        dataset data = make(3, 5);
        for (int step = 0; step <= 1; step++) {
            if (step == order) {
                OK(dataset_add_interactions(&data, CFD_SPLIT_TRAIN, train_users, train_items, 3));
            } else {
                OK(dataset_add_interactions(&data, CFD_SPLIT_TEST, test_users, test_items, 6));
            }
        }
        cfd_dataset_info info = count(&data);
        ck_assert_int_eq(info.leaked_test, 2);
        ck_assert_int_eq(info.leaked_users, 2);
        ck_assert_int_eq(info.cold_test_items, 2);
        ck_assert_int_eq(info.duplicates, 0);
        dataset_release(&data);
    }
}
END_TEST

START_TEST(an_id_out_of_range_is_named_with_its_position)
{
    dataset data = make(3, 5);
    const int32_t good[] = {0, 1, 2};
    FAILS(CFD_ERROR_ARGUMENT, "users[1] is 3",
          dataset_add_interactions(&data, CFD_SPLIT_TRAIN, (const int32_t[]){0, 3, 9}, good, 3));
    FAILS(CFD_ERROR_ARGUMENT, "items[2] is -1",
          dataset_add_interactions(&data, CFD_SPLIT_TRAIN, good, (const int32_t[]){0, 4, -1}, 3));
    FAILS(CFD_ERROR_ARGUMENT, "items[0] is 5",
          dataset_add_interactions(&data, CFD_SPLIT_TRAIN, good, (const int32_t[]){5}, 1));
    FAILS(CFD_ERROR_ARGUMENT, "no split 3", dataset_add_interactions(&data, (cfd_split)3, good, good, 3));
    ck_assert_int_eq(count(&data).n_train, 0);
    dataset_release(&data);
}
END_TEST

/* ---- dense ---- */

static float number_at(const modality *m, int k)
{
    const uint16_t *shorts = m->features.dense;
    return m->features.element == OPS_FLOAT16    ? half_to_float(shorts[k])
           : m->features.element == OPS_BFLOAT16 ? bfloat16_to_float(shorts[k])
                                                 : ((const float *)m->features.dense)[k];
}

START_TEST(dense_features_are_copied_from_every_element_type)
{
    dataset data = make(1, 2);
    const float singles[] = {1.5f, -2.0f, 99.0f, 0.0f, 0.0f, 99.0f}; /* stride 3, 2 columns: 99 is not looked at */
    const double doubles[] = {1.5, -2.0, 0.0, 0.0};
    const uint16_t halves[] = {0x3e00, 0xc000, 0x7c00, 0x0000, 0x8000, 0x7e00}; /* 1.5 -2 / 0 -0; stride 3 */
    const uint16_t uppers[] = {0x3fc0, 0xc000, 0x0000, 0x8000};                 /* the same, as bfloat16 */
    const ops_element kept[] = {OPS_FLOAT32, OPS_FLOAT32, OPS_FLOAT16, OPS_BFLOAT16};
    OK(dataset_add_dense(&data, "f32", singles, CFD_FLOAT32, 2, 3));
    OK(dataset_add_dense(&data, "f64", doubles, CFD_FLOAT64, 2, 2));
    OK(dataset_add_dense(&data, "f16", halves, CFD_FLOAT16, 2, 3));
    OK(dataset_add_dense(&data, "bf16", uppers, CFD_BFLOAT16, 2, 2));
    ck_assert_int_eq(data.n_modalities, 4);
    for (int i = 0; i < 4; i++) {
        const modality *m = &data.modalities[i];
        ck_assert_int_eq(m->features.element, kept[i]);
        ck_assert_int_eq(m->features.rows, 2);
        ck_assert_int_eq(m->features.columns, 2);
        ck_assert_int_eq(m->features.ld, 2);
        ck_assert_float_eq(number_at(m, 0), 1.5f);
        ck_assert_float_eq(number_at(m, 1), -2.0f);
        ck_assert_float_eq(number_at(m, 2), 0.0f);
        ck_assert_float_eq(number_at(m, 3), 0.0f);
        ck_assert_int_eq(m->empty_items, 1);
    }
    ck_assert_mem_eq(data.modalities[3].features.dense, uppers, sizeof uppers); /* not a bit is changed */
    ck_assert_str_eq(data.modalities[1].name, "f64");
    dataset_release(&data);
}
END_TEST

/* Of both short types every pattern, with company on both sides: finite, NaN or infinite, zero or not. */
START_TEST(every_short_pattern_is_judged_by_its_bits)
{
    for (int type = 0; type <= 1; type++) {
        uint16_t infinity = type == 0 ? 0x7c00 : 0x7f80;
        for (uint32_t bits = 0; bits < 65536; bits++) {
            const uint16_t numbers[2][20] = {{0}, {[18] = (uint16_t)bits}};
            dataset data = make(1, 2);
            cfd_status status = dataset_add_dense(&data, "short", numbers, type == 0 ? CFD_FLOAT16 : CFD_BFLOAT16, 20, 20);
            uint32_t magnitude = bits & 0x7fff;
            bool right;
            if (magnitude < infinity) {
                right = status == CFD_OK && data.modalities[0].empty_items == 1 + (magnitude == 0);
            } else {
                right = status == CFD_ERROR_DATA &&
                        strcmp(cfd_last_error(), magnitude == infinity
                                                     ? "modality short: row 1, column 18 (from 0) is infinite"
                                                     : "modality short: row 1, column 18 (from 0) is NaN") == 0;
            }
            if (!right) {
                ck_abort_msg("type %d, pattern 0x%04x: %s (%s)", type, (unsigned)bits, cfd_status_name(status),
                             cfd_last_error());
            }
            dataset_release(&data);
        }
    }
}
END_TEST

START_TEST(numbers_that_are_not_finite_are_named_by_row_and_column)
{
    dataset data = make(1, 3);
    float values[] = {0, 1, 2, 3, 4, NAN};
    FAILS(CFD_ERROR_DATA, "modality image: row 2, column 1 (from 0) is NaN",
          dataset_add_dense(&data, "image", values, CFD_FLOAT32, 2, 2));
    values[5] = 5;
    values[2] = -INFINITY;
    FAILS(CFD_ERROR_DATA, "row 1, column 0 (from 0) is infinite",
          dataset_add_dense(&data, "image", values, CFD_FLOAT32, 2, 2));
    const double wide[] = {0, 1, 2, 1e39, 4, 5};
    FAILS(CFD_ERROR_DATA, "row 1, column 1 (from 0) is infinite",
          dataset_add_dense(&data, "image", wide, CFD_FLOAT64, 2, 2));
    const uint16_t halves[] = {0, 0, 0x7c00};
    FAILS(CFD_ERROR_DATA, "row 2, column 0", dataset_add_dense(&data, "image", halves, CFD_FLOAT16, 1, 1));
    ck_assert_int_eq(data.n_modalities, 0);
    dataset_release(&data);
}
END_TEST

START_TEST(impossible_dense_modalities_are_refused)
{
    dataset data = make(1, 2);
    const float values[16] = {0};
    FAILS(CFD_ERROR_ARGUMENT, "1 to 63 letters", dataset_add_dense(&data, "", values, CFD_FLOAT32, 2, 2));
    FAILS(CFD_ERROR_ARGUMENT, "a/b", dataset_add_dense(&data, "a/b", values, CFD_FLOAT32, 2, 2));
    FAILS(CFD_ERROR_ARGUMENT, "fused", dataset_add_dense(&data, "fused", values, CFD_FLOAT32, 2, 2));
    FAILS(CFD_ERROR_ARGUMENT, "at least 1 column", dataset_add_dense(&data, "a", values, CFD_FLOAT32, 0, 2));
    FAILS(CFD_ERROR_ARGUMENT, "stride of 1", dataset_add_dense(&data, "a", values, CFD_FLOAT32, 2, 1));
    FAILS(CFD_ERROR_ARGUMENT, "element type 7", dataset_add_dense(&data, "a", values, (cfd_element)7, 2, 2));
    FAILS(CFD_ERROR_ARGUMENT, "element type 4", dataset_add_dense(&data, "a", values, (cfd_element)4, 2, 2));
    FAILS(CFD_ERROR_ARGUMENT, "element type -1", dataset_add_dense(&data, "a", values, (cfd_element)-1, 2, 2));
    FAILS(CFD_ERROR_MEMORY, "features", dataset_add_dense(&data, "a", values, CFD_FLOAT32, 2, SIZE_MAX));
    OK(dataset_add_dense(&data, "a", values, CFD_FLOAT32, 2, 2));
    FAILS(CFD_ERROR_ARGUMENT, "\"a\" already", dataset_add_dense(&data, "a", values, CFD_FLOAT32, 2, 2));
    for (char name[2] = "b"; name[0] < 'a' + CFD_MAX_MODALITIES; name[0]++) {
        OK(dataset_add_dense(&data, name, values, CFD_FLOAT32, 2, 2));
    }
    FAILS(CFD_ERROR_ARGUMENT, "one more than 8", dataset_add_dense(&data, "z", values, CFD_FLOAT32, 2, 2));
    dataset_release(&data);
}
END_TEST

/* ---- sparse ---- */

/* Items 0 {0, 1, 1}, 1 {1}, 2 {}, 3 {2, 0}: three items have tags; tag 0 is in two of them, tag 1 in two, tag 2 in one.
 * idf: ln(4/3) + 1, the same, ln(4/2) + 1. Item 0 before L2: 1 idf_0, 2 idf_1; item 3: idf_0, idf_2. */
static const int64_t tag_offsets[] = {0, 3, 4, 4, 6};
static const int32_t tag_ids[] = {1, 0, 1, 1, 2, 0};

START_TEST(tags_are_weighted_by_tf_idf_and_normalised)
{
    dataset data = make(1, 4);
    OK(dataset_add_sparse(&data, "title", 3, tag_offsets, tag_ids, NULL));
    const modality *m = &data.modalities[0];
    ck_assert_ptr_null(m->features.dense);
    ck_assert_int_eq(m->features.sparse.nonzeros, 5);
    ck_assert_int_eq(m->empty_items, 1);
    const int64_t offsets[] = {0, 2, 3, 3, 5};
    const int32_t columns[] = {0, 1, 1, 0, 2};
    const float values[] = {0.4472135955f, 0.8944271910f, 1.0f, 0.6053485081f, 0.7959605414f};
    const float idf[] = {1.2876820724f, 1.2876820724f, 1.6931471806f};
    ck_assert_mem_eq(m->features.sparse.offsets, offsets, sizeof offsets);
    ck_assert_mem_eq(m->features.sparse.indices, columns, sizeof columns);
    for (int k = 0; k < 5; k++) {
        ck_assert_float_eq_tol(m->features.sparse.values[k], values[k], 1e-7f);
    }
    for (int k = 0; k < 3; k++) {
        ck_assert_float_eq_tol(m->idf[k], idf[k], 2e-7f);
    }
    dataset_release(&data);
}
END_TEST

START_TEST(given_values_are_kept_and_repeats_summed)
{
    dataset data = make(1, 4);
    const float values[] = {1.0f, 2.0f, 0.25f, -0.0f, 3.0f, 4.0f};
    OK(dataset_add_sparse(&data, "bag", 3, tag_offsets, tag_ids, values));
    const modality *m = &data.modalities[0];
    const float expected[] = {2.0f, 1.25f, 0.0f, 4.0f, 3.0f};
    for (int k = 0; k < 5; k++) {
        ck_assert_float_eq(m->features.sparse.values[k], expected[k]);
    }
    ck_assert_ptr_null(m->idf);
    ck_assert_int_eq(m->empty_items, 2); /* item 1 has a zero only */
    dataset_release(&data);
}
END_TEST

START_TEST(a_sparse_modality_may_be_empty)
{
    dataset data = make(1, 2);
    const int64_t offsets[] = {0, 0, 0};
    OK(dataset_add_sparse(&data, "none", 5, offsets, NULL, NULL));
    ck_assert_int_eq(data.modalities[0].empty_items, 2);
    ck_assert_float_eq(data.modalities[0].idf[4], 1.0f); /* ln(1 / 1) + 1 */
    dataset_release(&data);
}
END_TEST

START_TEST(impossible_sparse_modalities_are_refused)
{
    dataset data = make(1, 2);
    const int32_t ids[] = {0, 2, 1};
    const int64_t offsets[] = {0, 1, 3};
    FAILS(CFD_ERROR_ARGUMENT, "row_offsets[0] is 1",
          dataset_add_sparse(&data, "s", 3, (const int64_t[]){1, 1, 3}, ids, NULL));
    FAILS(CFD_ERROR_ARGUMENT, "row_offsets[2] is less",
          dataset_add_sparse(&data, "s", 3, (const int64_t[]){0, 3, 1}, ids, NULL));
    FAILS(CFD_ERROR_ARGUMENT, "column_ids[1] is 2, not from 0 to 1", dataset_add_sparse(&data, "s", 2, offsets, ids, NULL));
    FAILS(CFD_ERROR_ARGUMENT, "column_ids[0] is -1",
          dataset_add_sparse(&data, "s", 2, offsets, (const int32_t[]){-1, 0, 0}, NULL));
    FAILS(CFD_ERROR_ARGUMENT, "column_ids is NULL", dataset_add_sparse(&data, "s", 2, offsets, NULL, NULL));
    FAILS(CFD_ERROR_DATA, "row 1, column 2 (from 0) is NaN",
          dataset_add_sparse(&data, "s", 3, offsets, ids, (const float[]){0, NAN, 0}));
    FAILS(CFD_ERROR_DATA, "row 1, column 1 (from 0) is infinite",
          dataset_add_sparse(&data, "s", 3, offsets, ids, (const float[]){0, 0, INFINITY}));
    FAILS(CFD_ERROR_DATA, "row 1, column 0 (from 0): its values add up",
          dataset_add_sparse(&data, "s", 3, offsets, (const int32_t[]){0, 0, 0}, (const float[]){0, 3e38f, 3e38f}));
    ck_assert_int_eq(data.n_modalities, 0);
    dataset_release(&data);
}
END_TEST

/* ---- failures ---- */

static cfd_status build(dataset *data, const memory_source *source)
{
    static const float values[] = {1, 2, 3, 4, 5, 6, 7, 8};
    TRY(dataset_init(data, source, silent, 3, 4));
    TRY(dataset_add_interactions(data, CFD_SPLIT_TRAIN, (const int32_t[]){0, 1}, (const int32_t[]){3, 2}, 2));
    TRY(dataset_add_interactions(data, CFD_SPLIT_TEST, (const int32_t[]){0, 1}, (const int32_t[]){3, 1}, 2));
    TRY(dataset_add_dense(data, "dense", values, CFD_FLOAT32, 2, 2));
    TRY(dataset_add_dense(data, "short", values, CFD_BFLOAT16, 4, 4));
    TRY(dataset_add_sparse(data, "bag", 3, tag_offsets, tag_ids, values));
    return dataset_add_sparse(data, "tags", 3, tag_offsets, tag_ids, NULL);
}

START_TEST(every_failing_allocation_is_reported_and_nothing_leaks)
{
    counted_memory counts;
    memory_source source = counted_source(&counts);
    for (long n = 0;; n++) {
        dataset data = {0};
        counts.asked = 0;
        counts.fail_at = n;
        cfd_status status = build(&data, &source);
        dataset_release(&data);
        ck_assert_int_eq(counts.held, 0);
        if (status == CFD_OK) {
            ck_assert_int_ge(n, 25);
            break;
        }
        ck_assert_int_eq(status, CFD_ERROR_MEMORY);
    }
}
END_TEST

/* What was there before a call that fails is there afterwards. */
START_TEST(a_failed_addition_changes_nothing)
{
    counted_memory counts;
    memory_source source = counted_source(&counts);
    dataset data = {0};
    OK(build(&data, &source));
    long held = counts.held;
    cfd_status status = CFD_ERROR_MEMORY;
    for (long n = 0; status != CFD_OK; n++) {
        counts.asked = 0;
        counts.fail_at = n;
        status = dataset_add_interactions(&data, CFD_SPLIT_TEST, (const int32_t[]){2, 2}, (const int32_t[]){0, 0}, 2);
        cfd_dataset_info info = count(&data);
        ck_assert_int_eq(counts.held, held);
        ck_assert_int_eq(info.n_test, status == CFD_OK ? 3 : 2);
        ck_assert_int_eq(info.duplicates, status == CFD_OK);
        ck_assert_int_eq(info.leaked_test, 1);
        ck_assert_int_eq(info.cold_test_items, status == CFD_OK ? 2 : 1);
    }
    dataset_release(&data);
    ck_assert_int_eq(counts.held, 0);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("dataset");
    TCase *c = tcase_create("dataset");
    tcase_add_test(c, an_empty_data_set_has_its_sizes_and_nothing_else);
    tcase_add_test(c, additions_to_a_split_are_united_and_repeats_counted);
    tcase_add_test(c, leakage_and_cold_items_are_counted_whatever_comes_first);
    tcase_add_test(c, an_id_out_of_range_is_named_with_its_position);
    tcase_add_test(c, dense_features_are_copied_from_every_element_type);
    tcase_add_test(c, every_short_pattern_is_judged_by_its_bits);
    tcase_add_test(c, numbers_that_are_not_finite_are_named_by_row_and_column);
    tcase_add_test(c, impossible_dense_modalities_are_refused);
    tcase_add_test(c, tags_are_weighted_by_tf_idf_and_normalised);
    tcase_add_test(c, given_values_are_kept_and_repeats_summed);
    tcase_add_test(c, a_sparse_modality_may_be_empty);
    tcase_add_test(c, impossible_sparse_modalities_are_refused);
    tcase_add_test(c, every_failing_allocation_is_reported_and_nothing_leaks);
    tcase_add_test(c, a_failed_addition_changes_nothing);
    suite_add_tcase(s, c);
    return s;
}

TEST_MAIN(suite)
