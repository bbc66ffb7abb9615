/* SPDX-License-Identifier: Apache-2.0 */
/* Products of the CUDA backend where its own ways of doing them matter: long rows that the warps of a block share, features
 * that do not fit on the device, also in recorded work, probes. */
#include "cudasim/cudasim.h"
#include "ops_support.h"

#include <float.h>

/* ---- the simulated device, if it is one ---- */

typedef void (*limit_function)(size_t bytes);
typedef size_t (*used_function)(void);

/* ---- long rows ---- */

/* Rows of 129 entries and more, one behind the other, between short ones and empty ones. */
static ops_csr long_rows(int32_t rows, int32_t columns)
{
    int64_t *offsets = get_memory((size_t)rows + 1, sizeof *offsets);
    int32_t *indices = get_memory((size_t)rows * (size_t)columns, sizeof *indices);
    int64_t n = 0;
    for (int32_t r = 0; r < rows; r++) {
        offsets[r] = n;
        int32_t wanted = r % 5 == 0 ? 0 : r % 5 == 1 ? 7 : r % 5 == 2 ? 128 : 129 + random_below(columns - 129);
        for (int32_t k = 0; k < wanted; k++) {
            indices[n++] = (int32_t)((int64_t)k * columns / wanted);
        }
    }
    offsets[rows] = n;
    return (ops_csr){rows, columns, n, offsets, indices, random_floats((size_t)n)};
}

START_TEST(long_rows_are_shared)
{
    both b;
    if (!both_open(&b, CPU_SETS, 1)) {
        return;
    }
    const int32_t widths[][3] = {{4, 0, 0},   {7, 0, 0},   {128, 0, 0}, {132, 4, 8},
                                 {132, 4, 3}, {132, 3, 4}, {256, 0, 0}}; /* and what stands between rows of X, of Y */
    enum { ROWS = 40, COLUMNS = 700 };
    ops_csr g = long_rows(ROWS, COLUMNS);
    int32_t slots[COLUMNS];
    int32_t compact = 0;
    for (int32_t c = 0; c < COLUMNS; c++) {
        slots[c] = random_below(3) == 0 ? compact++ : -1;
    }
    int32_t rows[ROWS];
    int32_t count = 0;
    for (int32_t r = ROWS - 1; r >= 0; r--) {
        if (r % 4 != 0) {
            rows[count++] = r;
        }
    }
    const ops_rows some = {rows, &count, ROWS};
    for (size_t w = 0; w < sizeof widths / sizeof widths[0]; w++) {
        int32_t width = widths[w][0];
        int64_t ldx = width + widths[w][1];
        int64_t ldy = width + widths[w][2];
        for (int way = 0; way < 3; way++) {
            const ops_rows output = way == 0 ? ops_all_rows : some;
            const int32_t *input = way == 1 ? NULL : slots;
            size_t size = (size_t)(ROWS * ldy);
            float *x = random_floats((size_t)(COLUMNS * ldx));
            float *expected = unset_floats(size);
            float *actual = unset_floats(size);
            OK(b.ref->table->spmm(b.ref, &g, output, input, x, ldx, expected, ldy, width, NULL));
            OK(b.other->table->spmm(b.other, &g, output, input, x, ldx, actual, ldy, width, NULL));
            same_floats("long rows", expected, actual, size, 5e-6);
            free(x);
            free(expected);
            free(actual);
        }
    }
    csr_free(&g);
    both_close(&b);
}
END_TEST

/* X and Y of one row, each `shift` numbers behind an aligned place: G = (2), X = (1 2 3 4). */
START_TEST(operands_may_lie_anywhere)
{
    if (!backend_wanted(CPU_SETS) || !cuda_plugin_folder()) {
        return;
    }
    thread_pool *pool;
    OK(threads_create(&memory_default, 1, &pool));
    ops *o = ops_create_cuda_for_test(&memory_default, pool);
    const float x[] = {1, 2, 3, 4}, twice[] = {2, 4, 6, 8};
    const struct {
        int64_t offsets[2];
        int32_t index, row, count, slot;
        float value;
    } host = {{0, 1}, 0, 0, 1, 0, 2};
    float *there;
    char *matrix;
    OK(o->table->allocate(o, 16 * sizeof *there, "operands", &there));
    OK(o->table->allocate(o, sizeof host, "a matrix", &matrix));
    OK(o->table->upload(o, matrix, &host, sizeof host));
    const int32_t *numbers = (const int32_t *)(void *)(matrix + sizeof host.offsets);
    const ops_csr g = {1, 1, 1, (const int64_t *)(void *)matrix, numbers, (const float *)(const void *)(numbers + 4)};
    const ops_rows first = {numbers + 1, numbers + 2, 1};
    for (int shift = 0; shift < 3; shift++) { /* neither, X, Y */
        float *from = there + (shift == 1), *to = there + 8 + (shift == 2), back[4];
        OK(o->table->upload(o, from, x, sizeof x));
        OK(o->table->spmm(o, &g, first, numbers + 3, from, 4, to, 4, 4, NULL));
        OK(o->table->download(o, back, to, sizeof back));
        ck_assert_mem_eq(back, twice, sizeof twice);
    }
    o->table->release(o, there);
    o->table->release(o, matrix);
    o->table->destroy(o);
    threads_destroy(pool);
}
END_TEST

/* ---- features that do not fit ---- */

enum { FEATURE_ROWS = 700, FEATURE_COLUMNS = 90, FEATURE_N = 12 };

/* Features that leave the simulated device no room for themselves; `element` and `precision` say which blocks are converted.
 */
static void compare_streamed(both *b, ops_element element, ops_precision precision, double tolerance)
{
    limit_function limit;
    used_function used;
    *(void **)&limit = simulated_symbol("cudasim_limit_memory");
    *(void **)&used = simulated_symbol("cudasim_memory_used");
    if (!limit || !used) {
        return;
    }
    size_t numbers = (size_t)FEATURE_ROWS * FEATURE_COLUMNS;
    float *floats = random_floats(numbers);
    uint16_t *shorts = get_memory(numbers, sizeof *shorts);
    for (size_t i = 0; i < numbers; i++) {
        shorts[i] = (uint16_t)(random_bits() & 0x8000u) | (uint16_t)(0x3000u + (random_bits() & 0x7ffu));
    }
    const ops_feature_options options = {precision, OPS_FLOAT32};
    ops_feature_source source = {.rows = FEATURE_ROWS,
                                 .columns = FEATURE_COLUMNS,
                                 .ld = FEATURE_COLUMNS,
                                 .element = element};
    source.dense = element == OPS_FLOAT32 ? (const void *)floats : (const void *)shorts;
    ops_features *kept[2];
    OK(b->ref->table->features_create(b->ref, &source, &options, &kept[0]));
    size_t before = used();
    limit(before + numbers * ops_element_bytes(element) * 3 / 4);
    OK(b->other->table->features_create(b->other, &source, &options, &kept[1]));
    size_t device = used() - before;
    size_t bytes = b->other->table->features_bytes(b->other, kept[1]);
    limit((size_t)-1);
    ck_assert_uint_lt(device, numbers * ops_element_bytes(element) * 3 / 4); /* not where they would be */
    ck_assert_uint_ge(bytes, numbers * 2);

    float *w = random_floats(FEATURE_COLUMNS * FEATURE_N);
    float *g = random_floats(FEATURE_ROWS * FEATURE_N);
    float *y[2], *dw[2];
    ops *sides[2] = {b->ref, b->other};
    for (int s = 0; s < 2; s++) {
        y[s] = unset_floats(FEATURE_ROWS * FEATURE_N);
        dw[s] = unset_floats(FEATURE_COLUMNS * FEATURE_N);
        for (int twice = 0; twice < 2; twice++) { /* the places are used again */
            OK(sides[s]->table->project(sides[s], kept[s], w, FEATURE_N, y[s], FEATURE_N));
            OK(sides[s]->table->project_gradient(sides[s], kept[s], g, FEATURE_N, FEATURE_N, dw[s]));
        }
    }
    same_floats("streamed project", y[0], y[1], FEATURE_ROWS * FEATURE_N, tolerance);
    same_floats("streamed gradient", dw[0], dw[1], FEATURE_COLUMNS * FEATURE_N, tolerance);
    for (int s = 0; s < 2; s++) {
        sides[s]->table->features_destroy(sides[s], kept[s]);
        free(y[s]);
        free(dw[s]);
    }
    ck_assert_uint_le(used(), before + (1 << 20)); /* what is left is scratch */
    free(w);
    free(g);
    free(floats);
    free(shorts);
}

START_TEST(features_that_do_not_fit_are_streamed)
{
    both b;
    if (!both_open(&b, CPU_SETS, 1)) {
        return;
    }
    compare_streamed(&b, OPS_FLOAT32, OPS_PRECISION_FLOAT32, 1e-5);
    compare_streamed(&b, OPS_FLOAT16, OPS_PRECISION_FLOAT32, 1e-5);
    compare_streamed(&b, OPS_FLOAT16, OPS_PRECISION_TF32, 2e-3);
    compare_streamed(&b, OPS_FLOAT32, OPS_PRECISION_BF16, 1.5e-2);
    compare_streamed(&b, OPS_FLOAT32, OPS_PRECISION_BF16X3, 4e-5);
    compare_streamed(&b, OPS_BFLOAT16, OPS_PRECISION_BF16X3, 4e-5);
    both_close(&b);
}
END_TEST

/* The same products, run and recorded. */
START_TEST(streamed_products_can_be_recorded)
{
    limit_function limit;
    used_function used;
    if (!backend_wanted(CPU_SETS) || !cuda_plugin_folder()) {
        return;
    }
    thread_pool *pool;
    OK(threads_create(&memory_default, 1, &pool));
    ops *o = ops_create_cuda_for_test(&memory_default, pool);
    *(void **)&limit = simulated_symbol("cudasim_limit_memory");
    *(void **)&used = simulated_symbol("cudasim_memory_used");
    size_t numbers = (size_t)FEATURE_ROWS * FEATURE_COLUMNS;
    float *dense = random_floats(numbers);
    float *g = random_floats(FEATURE_ROWS * FEATURE_N);
    float result[2][FEATURE_COLUMNS * FEATURE_N];
    float *g_there, *dw;
    OK(o->table->allocate(o, FEATURE_ROWS * FEATURE_N * sizeof *g, "g", &g_there));
    OK(o->table->allocate(o, sizeof result[0], "dw", &dw));
    OK(o->table->upload(o, g_there, g, FEATURE_ROWS * FEATURE_N * sizeof *g));
    if (limit && used) {
        limit(used() + numbers * sizeof *dense * 3 / 4);
    }
    ops_feature_source source = {.rows = FEATURE_ROWS, .columns = FEATURE_COLUMNS, .dense = dense, .ld = FEATURE_COLUMNS};
    ops_features *kept;
    OK(o->table->features_create(o, &source, NULL, &kept));
    if (limit) {
        limit((size_t)-1);
    }
    OK(o->table->project_gradient(o, kept, g_there, FEATURE_N, FEATURE_N, dw));
    OK(o->table->download(o, result[0], dw, sizeof result[0]));
    ops_recording *recording;
    OK(o->table->record_begin(o));
    OK(o->table->project_gradient(o, kept, g_there, FEATURE_N, FEATURE_N, dw));
    OK(o->table->record_end(o, &recording));
    for (int k = 0; k < 2; k++) {
        const ops_moment any = {0, 0, 0, 1};
        OK(o->table->zero(o, dw, sizeof result[0]));
        OK(o->table->replay(o, recording, &any));
        OK(o->table->download(o, result[1], dw, sizeof result[1]));
        ck_assert_mem_eq(result[1], result[0], sizeof result[0]);
    }
    o->table->recording_destroy(o, recording);
    o->table->features_destroy(o, kept);
    o->table->release(o, g_there);
    o->table->release(o, dw);
    o->table->destroy(o);
    threads_destroy(pool);
    free(dense);
    free(g);
}
END_TEST

START_TEST(features_infinite_as_bfloat16_are_refused)
{
    both b;
    if (!both_open(&b, CPU_SETS, 1)) {
        return;
    }
    float dense[6] = {1, 2, 3, 4, FLT_MAX, 5};
    const ops_feature_source source = {.rows = 2, .columns = 3, .dense = dense, .ld = 3};
    const ops_precision precisions[] = {OPS_PRECISION_BF16, OPS_PRECISION_BF16X3};
    for (int k = 0; k < 2; k++) {
        const ops_feature_options options = {precisions[k], OPS_FLOAT32};
        ops_features *kept;
        FAILS(CFD_ERROR_DATA, "infinite as bfloat16", b.other->table->features_create(b.other, &source, &options, &kept));
    }
    both_close(&b);
}
END_TEST

/* ---- probes ---- */

START_TEST(every_probe_gives_its_times)
{
    both b;
    if (!both_open(&b, CPU_SETS, 1)) {
        return;
    }
    for (int kind = OPS_PROBE_COPY; kind <= OPS_PROBE_SCORES; kind++) {
        for (int precision = OPS_PRECISION_FLOAT32; precision <= OPS_PRECISION_TF32; precision++) {
            const ops_probe probe = {(ops_probe_kind)kind, (ops_precision)precision, 33, 18, 7};
            double seconds[4] = {-1, -1, -1, -1};
            OK(b.other->table->probe(b.other, &probe, seconds, 3));
            for (int k = 0; k < 3; k++) {
                ck_assert_double_ge(seconds[k], 0);
                ck_assert_double_lt(seconds[k], 10);
            }
            ck_assert_double_eq(seconds[3], -1);
        }
    }
    both_close(&b);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("products of the CUDA backend");
    TCase *tc = tcase_create("products");
    tcase_set_timeout(tc, 300);
    tcase_add_test(tc, long_rows_are_shared);
    tcase_add_test(tc, operands_may_lie_anywhere);
    tcase_add_test(tc, features_that_do_not_fit_are_streamed);
    tcase_add_test(tc, streamed_products_can_be_recorded);
    tcase_add_test(tc, features_infinite_as_bfloat16_are_refused);
    tcase_add_test(tc, every_probe_gives_its_times);
    suite_add_tcase(s, tc);
    return s;
}

TEST_MAIN(suite)
