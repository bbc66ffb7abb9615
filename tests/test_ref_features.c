/* SPDX-License-Identifier: Apache-2.0 */
/* The reference's products with features in short types, given so or kept so on request: the same numbers as float32 give
 * the same bits, since they are computed with in double. */
#include "files.h"

#include "base/half.h"
#include "ops/ops.h"

enum { ROWS = 7, COLUMNS = 9, LD = 11, WIDTH = 5 };

static uint64_t state = 5;

static float draw(void)
{
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (float)(int32_t)(state >> 32) * 0x1p-30f;
}

static ops *make_reference(const memory_source *memory)
{
    ops *o;
    OK(ops_create_reference(memory, NULL, (log_sink){NULL, NULL}, &o));
    return o;
}

static uint16_t shorten(ops_element element, float value)
{
    return element == OPS_FLOAT16 ? float_to_half(value) : float_to_bfloat16(value);
}

static float widen(ops_element element, uint16_t number)
{
    return element == OPS_FLOAT16 ? half_to_float(number) : bfloat16_to_float(number);
}

/* Both products of a source, one behind the other. */
typedef struct products {
    float y[ROWS * WIDTH], dw[COLUMNS * WIDTH];
} products;

static products multiply(ops *o, const ops_feature_source *source, const ops_feature_options *options)
{
    float w[COLUMNS * WIDTH], g[ROWS * WIDTH];
    for (int k = 0; k < COLUMNS * WIDTH; k++) {
        w[k] = (float)(k * 37 % 101 - 50) / 64.0f;
    }
    for (int k = 0; k < ROWS * WIDTH; k++) {
        g[k] = (float)(k * 53 % 89 - 40) / 32.0f;
    }
    products out;
    ops_features *f;
    OK(o->table->features_create(o, source, options, &f));
    OK(o->table->project(o, f, w, WIDTH, out.y, WIDTH));
    OK(o->table->project_gradient(o, f, g, WIDTH, WIDTH, out.dw));
    o->table->features_destroy(o, f);
    return out;
}

/* Columns from COLUMNS to LD are not part of the matrix: they hold NaN. */
static void fill(ops_element element, uint16_t *numbers, float *wide)
{
    for (int k = 0; k < ROWS * LD; k++) {
        numbers[k] = k % LD < COLUMNS ? shorten(element, draw()) : 0x7fff;
        wide[k] = widen(element, numbers[k]);
    }
}

static const ops_element short_types[2] = {OPS_FLOAT16, OPS_BFLOAT16};

START_TEST(short_sources_give_the_products_of_the_same_floats)
{
    ops *o = make_reference(&memory_default);
    for (int t = 0; t < 2; t++) {
        uint16_t numbers[ROWS * LD];
        float wide[ROWS * LD];
        fill(short_types[t], numbers, wide);
        ops_feature_source given = {.rows = ROWS, .columns = COLUMNS, .dense = numbers, .element = short_types[t], .ld = LD};
        ops_feature_source floats = {.rows = ROWS, .columns = COLUMNS, .dense = wide, .ld = LD};
        products a = multiply(o, &given, NULL);
        products b = multiply(o, &floats, NULL);
        ck_assert_mem_eq(&a, &b, sizeof a);
    }
    o->table->destroy(o);
}
END_TEST

/* From every type to every other: the products are those of the numbers rounded one by one. */
START_TEST(storage_rounds_every_number_once)
{
    static const ops_element types[3] = {OPS_FLOAT32, OPS_FLOAT16, OPS_BFLOAT16};
    ops *o = make_reference(&memory_default);
    for (int from = 0; from < 3; from++) {
        for (int to = 0; to < 3; to++) {
            float wide[ROWS * LD], rounded[ROWS * LD];
            uint16_t numbers[ROWS * LD];
            bool changed = false;
            for (int k = 0; k < ROWS * LD; k++) {
                wide[k] = draw();
                if (types[from] != OPS_FLOAT32) {
                    numbers[k] = shorten(types[from], wide[k]);
                    wide[k] = widen(types[from], numbers[k]);
                }
                rounded[k] = types[to] == OPS_FLOAT32 ? wide[k] : widen(types[to], shorten(types[to], wide[k]));
                changed = changed || rounded[k] != wide[k];
            }
            /* bfloat16 has fewer digits than float16, so the way back is exact in this range, and float32 means: as given.
             */
            ck_assert_int_eq(changed, types[to] != OPS_FLOAT32 && types[to] != types[from] && from != 2);
            ops_feature_source given = {.rows = ROWS, .columns = COLUMNS, .element = types[from], .ld = LD};
            given.dense = types[from] == OPS_FLOAT32 ? (const void *)wide : (const void *)numbers;
            ops_feature_source expected = {.rows = ROWS, .columns = COLUMNS, .dense = rounded, .ld = LD};
            products a = multiply(o, &given, &(ops_feature_options){OPS_PRECISION_BF16, types[to]});
            products b = multiply(o, &expected, NULL);
            ck_assert_mem_eq(&a, &b, sizeof a);
        }
    }
    o->table->destroy(o);
}
END_TEST

START_TEST(a_rounded_copy_outlives_the_source_and_is_given_back)
{
    counted_memory counts;
    memory_source memory = counted_source(&counts);
    ops *o = make_reference(&memory);
    long held = counts.held;
    float wide[ROWS * COLUMNS];
    for (int k = 0; k < ROWS * COLUMNS; k++) {
        wide[k] = 1.0f;
    }
    ops_feature_source source = {.rows = ROWS, .columns = COLUMNS, .dense = wide, .ld = COLUMNS};
    const ops_feature_options options = {OPS_PRECISION_FLOAT32, OPS_FLOAT16};
    ops_features *f;
    OK(o->table->features_create(o, &source, &options, &f));
    memset(wide, 0x7f, sizeof wide);
    float ones[COLUMNS] = {1, 1, 1, 1, 1, 1, 1, 1, 1};
    float y[ROWS];
    OK(o->table->project(o, f, ones, 1, y, 1));
    ck_assert_float_eq(y[ROWS - 1], COLUMNS);
    o->table->features_destroy(o, f);
    ck_assert_int_eq(counts.held, held);
    for (long n = 0; n < 2; n++) { /* the handle, the copy */
        counts.fail_at = counts.asked + n;
        FAILS(CFD_ERROR_MEMORY, "features", o->table->features_create(o, &source, &options, &f));
        ck_assert_int_eq(counts.held, held);
    }
    counts.fail_at = -1;
    o->table->destroy(o);
    ck_assert_int_eq(counts.held, 0);
}
END_TEST

/* Storage is for dense numbers: sparse features are multiplied as they are. */
START_TEST(sparse_features_are_not_rounded)
{
    ops *o = make_reference(&memory_default);
    const int64_t offsets[ROWS + 1] = {0, 1, 1, 1, 1, 1, 1, 2};
    const int32_t columns[] = {3, 8};
    const float values[] = {1.0f + 0x1p-20f, -1e10f};
    ops_feature_source source = {.rows = ROWS, .columns = COLUMNS, .sparse = {ROWS, COLUMNS, 2, offsets, columns, values}};
    products a = multiply(o, &source, &(ops_feature_options){OPS_PRECISION_FLOAT32, OPS_FLOAT16});
    products b = multiply(o, &source, NULL);
    ck_assert_mem_eq(&a, &b, sizeof a);
    o->table->destroy(o);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("reference: features");
    TCase *c = tcase_create("features");
    tcase_add_test(c, short_sources_give_the_products_of_the_same_floats);
    tcase_add_test(c, storage_rounds_every_number_once);
    tcase_add_test(c, a_rounded_copy_outlives_the_source_and_is_given_back);
    tcase_add_test(c, sparse_features_are_not_rounded);
    suite_add_tcase(s, c);
    return s;
}

TEST_MAIN(suite)
