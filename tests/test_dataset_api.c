/* SPDX-License-Identifier: Apache-2.0 */
/* Data sets through the public header alone: arguments, lifetimes, what a caller reads back. */
#include "files.h"

static cfd_context *context;

static void make_context(void)
{
    cfd_context_options options = CFD_CONTEXT_OPTIONS_INIT;
    options.threads = 1;
    OK(cfd_context_create(&options, &context));
}

static void drop_context(void)
{
    cfd_context_destroy(context);
}

/* 3 users, 4 items; user 0 has 2 and 0, user 1 has 3. */
static cfd_dataset *make(void)
{
    cfd_dataset *data;
    OK(cfd_dataset_create(context, 3, 4, &data));
    OK(cfd_dataset_add_interactions(data, CFD_SPLIT_TRAIN, (const int32_t[]){0, 1, 0}, (const int32_t[]){2, 3, 0}, 3));
    return data;
}

START_TEST(names_given_in_memory_are_those_of_a_directory)
{
    cfd_dataset *data = make();
    ck_assert_ptr_null(cfd_dataset_user_name(data, 0));
    OK(cfd_dataset_set_user_names(data, (const char *const[]){"ada", NULL, "b\xc3\xa9 b"}));
    OK(cfd_dataset_set_item_names(data, (const char *const[]){"same", "", "same", "other"}));
    ck_assert_str_eq(cfd_dataset_user_name(data, 0), "ada");
    ck_assert_ptr_null(cfd_dataset_user_name(data, 1));
    ck_assert_str_eq(cfd_dataset_user_name(data, 2), "b\xc3\xa9 b");
    ck_assert_int_eq(cfd_dataset_find_user(data, "b\xc3\xa9 b"), 2);
    ck_assert_int_eq(cfd_dataset_find_user(data, "same"), -1);
    ck_assert_int_eq(cfd_dataset_find_item(data, "same"), 0); /* the first of two */
    ck_assert_int_eq(cfd_dataset_find_item(data, "other"), 3);
    ck_assert_ptr_null(cfd_dataset_item_name(data, 1));
    ck_assert_int_eq(cfd_dataset_find_item(data, ""), -1);
    cfd_dataset_info info = CFD_DATASET_INFO_INIT;
    OK(cfd_dataset_get_info(data, &info));
    ck_assert(info.has_user_names && info.has_item_names);
    OK(cfd_dataset_set_user_names(data, (const char *const[]){"eve", "ada", "bob"})); /* replaced */
    ck_assert_int_eq(cfd_dataset_find_user(data, "ada"), 1);
    ck_assert_int_eq(cfd_dataset_find_user(data, "b\xc3\xa9 b"), -1);
    cfd_dataset_destroy(data);
}
END_TEST

START_TEST(what_was_added_is_read_back)
{
    cfd_dataset *data = make();
    const float dense[] = {1, 2, 3, 4, 0, 0, 5, 6};
    OK(cfd_dataset_add_dense_modality(data, "visual", dense, CFD_FLOAT32, 2, 2));
    OK(cfd_dataset_add_sparse_modality(data, "title", 9, (const int64_t[]){0, 1, 1, 1, 3}, (const int32_t[]){8, 0, 1},
                                       NULL));
    cfd_dataset_info info = CFD_DATASET_INFO_INIT;
    OK(cfd_dataset_get_info(data, &info));
    ck_assert_int_eq(info.n_users, 3);
    ck_assert_int_eq(info.n_items, 4);
    ck_assert_int_eq(info.n_modalities, 2);
    ck_assert_int_eq(info.n_train, 3);
    cfd_modality_info m = CFD_MODALITY_INFO_INIT;
    OK(cfd_dataset_get_modality(data, 0, &m));
    ck_assert_str_eq(m.name, "visual");
    ck_assert_int_eq(m.is_sparse, 0);
    ck_assert_int_eq(m.columns, 2);
    ck_assert_int_eq(m.nonzeros, 8);
    ck_assert_int_eq(m.empty_items, 1);
    OK(cfd_dataset_get_modality(data, 1, &m));
    ck_assert_str_eq(m.name, "title");
    ck_assert_int_eq(m.is_sparse, 1);
    ck_assert_int_eq(m.columns, 9);
    ck_assert_int_eq(m.nonzeros, 3);
    ck_assert_int_eq(m.empty_items, 2);
    FAILS(CFD_ERROR_ARGUMENT, "no modality 2", cfd_dataset_get_modality(data, 2, &m));
    const int32_t *items;
    size_t n;
    OK(cfd_dataset_user_items(data, CFD_SPLIT_TRAIN, 0, &items, &n));
    ck_assert_uint_eq(n, 2);
    ck_assert_int_eq(items[0], 0);
    ck_assert_int_eq(items[1], 2);
    OK(cfd_dataset_user_items(data, CFD_SPLIT_TEST, 2, &items, &n));
    ck_assert_uint_eq(n, 0);
    cfd_dataset_destroy(data);
}
END_TEST

/* 1 and -2 in every type; the wide one is narrowed. */
START_TEST(a_modality_says_how_its_numbers_are_kept)
{
    cfd_dataset *data;
    OK(cfd_dataset_create(context, 1, 2, &data));
    OK(cfd_dataset_add_dense_modality(data, "a", (const float[]){1, -2}, CFD_FLOAT32, 1, 1));
    OK(cfd_dataset_add_dense_modality(data, "b", (const double[]){1, -2}, CFD_FLOAT64, 1, 1));
    OK(cfd_dataset_add_dense_modality(data, "c", (const uint16_t[]){0x3c00, 0xc000}, CFD_FLOAT16, 1, 1));
    OK(cfd_dataset_add_dense_modality(data, "d", (const uint16_t[]){0x3f80, 0xc000}, CFD_BFLOAT16, 1, 1));
    OK(cfd_dataset_add_sparse_modality(data, "e", 1, (const int64_t[]){0, 1, 1}, (const int32_t[]){0}, NULL));
    const cfd_element kept[] = {CFD_FLOAT32, CFD_FLOAT32, CFD_FLOAT16, CFD_BFLOAT16, CFD_FLOAT32};
    for (size_t i = 0; i < 5; i++) {
        cfd_modality_info m = CFD_MODALITY_INFO_INIT;
        m.element = 77;
        OK(cfd_dataset_get_modality(data, i, &m));
        ck_assert_int_eq(m.element, kept[i]);
        ck_assert_int_eq(m.is_sparse, i == 4);
    }
    cfd_modality_info older;
    memset(&older, 0x55, sizeof older);
    older.struct_size = offsetof(cfd_modality_info, element); /* of a program from before the field was there */
    OK(cfd_dataset_get_modality(data, 2, &older));
    ck_assert_int_eq(older.columns, 1);
    ck_assert_int_eq(older.element, 0x55555555);
    cfd_dataset_destroy(data);
}
END_TEST

START_TEST(null_and_impossible_arguments_are_named)
{
    cfd_dataset *data = NULL;
    FAILS(CFD_ERROR_ARGUMENT, "context is NULL", cfd_dataset_create(NULL, 1, 1, &data));
    FAILS(CFD_ERROR_ARGUMENT, "dataset is NULL", cfd_dataset_create(context, 1, 1, NULL));
    FAILS(CFD_ERROR_ARGUMENT, "n_users 0", cfd_dataset_create(context, 0, 1, &data));
    FAILS(CFD_ERROR_ARGUMENT, "n_items -1", cfd_dataset_create(context, 1, -1, &data));
    FAILS(CFD_ERROR_ARGUMENT, "n_items 2147483647", cfd_dataset_create(context, 1, INT32_MAX, &data));
    FAILS(CFD_ERROR_ARGUMENT, "directory is NULL", cfd_dataset_open(context, NULL, &data));
    FAILS(CFD_ERROR_FILE, "absent", cfd_dataset_open(context, in_folder("absent"), &data));
    ck_assert_ptr_null(data);
    data = make();
    const int32_t *items = NULL;
    size_t n = 7;
    FAILS(CFD_ERROR_ARGUMENT, "users is NULL", cfd_dataset_add_interactions(data, CFD_SPLIT_TRAIN, NULL, NULL, 1));
    OK(cfd_dataset_add_interactions(data, CFD_SPLIT_TRAIN, NULL, NULL, 0));
    FAILS(CFD_ERROR_ARGUMENT, "name is NULL", cfd_dataset_add_dense_modality(data, NULL, &n, CFD_FLOAT32, 1, 1));
    FAILS(CFD_ERROR_ARGUMENT, "features is NULL", cfd_dataset_add_dense_modality(data, "a", NULL, CFD_FLOAT32, 1, 1));
    FAILS(CFD_ERROR_ARGUMENT, "row_offsets is NULL", cfd_dataset_add_sparse_modality(data, "a", 1, NULL, NULL, NULL));
    FAILS(CFD_ERROR_ARGUMENT, "info is NULL", cfd_dataset_get_info(data, NULL));
    FAILS(CFD_ERROR_ARGUMENT, "user is 3, not from 0 to 2", cfd_dataset_user_items(data, CFD_SPLIT_TRAIN, 3, &items, &n));
    FAILS(CFD_ERROR_ARGUMENT, "user is -1", cfd_dataset_user_items(data, CFD_SPLIT_TRAIN, -1, &items, &n));
    FAILS(CFD_ERROR_ARGUMENT, "no split -1", cfd_dataset_user_items(data, (cfd_split)-1, 0, &items, &n));
    ck_assert_ptr_null(items);
    ck_assert_uint_eq(n, 7);
    ck_assert_ptr_null(cfd_dataset_item_name(data, 0));
    ck_assert_ptr_null(cfd_dataset_user_name(NULL, 0));
    ck_assert_int_eq(cfd_dataset_find_item(data, "x"), -1);
    ck_assert_int_eq(cfd_dataset_find_user(data, NULL), -1);
    cfd_dataset_destroy(data);
    cfd_dataset_destroy(NULL);
}
END_TEST

START_TEST(a_caller_with_a_shorter_struct_gets_as_much_as_it_knows)
{
    cfd_dataset *data = make();
    cfd_dataset_info info;
    memset(&info, 0x55, sizeof info);
    info.struct_size = offsetof(cfd_dataset_info, n_modalities);
    OK(cfd_dataset_get_info(data, &info));
    ck_assert_int_eq(info.n_items, 4);
    ck_assert_int_eq(info.n_modalities, 0x55555555);
    cfd_dataset_destroy(data);
}
END_TEST

START_TEST(a_directory_gives_its_names)
{
    write_text("train.txt", "0 0 1\n");
    write_text("users.names.txt", "Ada\n");
    write_text("items.names.txt", "cup\nspoon\n");
    cfd_dataset *data;
    OK(cfd_dataset_open(context, folder, &data));
    ck_assert_str_eq(cfd_dataset_user_name(data, 0), "Ada");
    ck_assert_str_eq(cfd_dataset_item_name(data, 1), "spoon");
    ck_assert_int_eq(cfd_dataset_find_item(data, "spoon"), 1);
    ck_assert_int_eq(cfd_dataset_find_user(data, "Bob"), -1);
    cfd_dataset_destroy(data);
}
END_TEST

START_TEST(a_data_set_outlives_its_context)
{
    cfd_context *own;
    cfd_dataset *data;
    OK(cfd_context_create(NULL, &own));
    OK(cfd_dataset_create(own, 2, 2, &data));
    cfd_context_destroy(own);
    OK(cfd_dataset_add_interactions(data, CFD_SPLIT_TEST, (const int32_t[]){1}, (const int32_t[]){1}, 1));
    cfd_dataset_destroy(data);
}
END_TEST

START_TEST(a_data_set_in_use_by_a_model_takes_no_more)
{
    cfd_dataset *data = make();
    cfd_model *model;
    OK(cfd_model_create(context, NULL, data, &model));
    const int32_t zero[] = {0};
    const float ones[] = {1, 1, 1, 1};
    FAILS(CFD_ERROR_ARGUMENT, "in use by a model", cfd_dataset_add_interactions(data, CFD_SPLIT_TRAIN, zero, zero, 1));
    FAILS(CFD_ERROR_ARGUMENT, "in use by a model", cfd_dataset_add_dense_modality(data, "a", ones, CFD_FLOAT32, 1, 1));
    FAILS(CFD_ERROR_ARGUMENT, "in use by a model", cfd_dataset_set_user_names(data, (const char *const[]){"a", "b", "c"}));
    FAILS(CFD_ERROR_ARGUMENT, "in use by a model",
          cfd_dataset_add_sparse_modality(data, "a", 1, (const int64_t[]){0, 0, 0, 0, 0}, NULL, NULL));
    cfd_dataset_destroy(data); /* the model keeps it */
    cfd_model_destroy(model);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("dataset api");
    TCase *c = tcase_create("dataset api");
    tcase_add_checked_fixture(c, make_folder, remove_folder);
    tcase_add_checked_fixture(c, make_context, drop_context);
    tcase_add_test(c, names_given_in_memory_are_those_of_a_directory);
    tcase_add_test(c, what_was_added_is_read_back);
    tcase_add_test(c, a_modality_says_how_its_numbers_are_kept);
    tcase_add_test(c, null_and_impossible_arguments_are_named);
    tcase_add_test(c, a_caller_with_a_shorter_struct_gets_as_much_as_it_knows);
    tcase_add_test(c, a_directory_gives_its_names);
    tcase_add_test(c, a_data_set_outlives_its_context);
    tcase_add_test(c, a_data_set_in_use_by_a_model_takes_no_more);
    suite_add_tcase(s, c);
    return s;
}

TEST_MAIN(suite)
