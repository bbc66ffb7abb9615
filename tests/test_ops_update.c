/* SPDX-License-Identifier: Apache-2.0 */
/* Adam and blocks of scores: by hand, and cpu against the reference. */
#include "ops_support.h"

/* One step moves a parameter by about the learning rate, and float rounds the parameter itself. */
#define ADAM_TOLERANCE 2e-7
/* Sums of up to 1000 products in float against double, relative to the largest score. */
#define SCORE_TOLERANCE 1e-5

/* One parameter, 1, with the gradients 0.5 and -1, worked by hand with SPEC 6's form:
 *   m = 0.05, v = 0.00025, rate = 1e-3 sqrt(0.001) / 0.1:           p = 0.9990000006324551
 *   m = -0.055, v = 0.00124975, rate = 1e-3 sqrt(0.001999) / 0.19:  p = 0.9993661040559308 */
START_TEST(adam_by_hand)
{
    both b;
    if (!both_open(&b, _i, 1)) {
        return;
    }
    ops *sides[2] = {b.ref, b.other};
    for (int s = 0; s < 2; s++) {
        float p = 1;
        float g = 0.5f;
        float m = 0;
        float v = 0;
        ops_adam_tensor tensor = {&p, &g, &m, &v, 1};
        ops_adam_settings settings = {1e-3, 0.9, 0.999, 1e-8, 1};
        OK(sides[s]->table->adam(sides[s], &tensor, 1, &settings));
        near(0.05, m, 1e-8);
        near(0.00025, v, 1e-10);
        near(0.9990000006324551, p, 1e-7);
        g = -1;
        settings.step = 2;
        OK(sides[s]->table->adam(sides[s], &tensor, 1, &settings));
        near(-0.055, m, 1e-8);
        near(0.00124975, v, 1e-9);
        near(0.9993661040559308, p, 1e-7);
    }
    both_close(&b);
}
END_TEST

START_TEST(adam_agrees_on_tensors_of_every_size)
{
    both b;
    if (!both_open(&b, _i, 3)) {
        return;
    }
    enum { TENSORS = 6 };
    const size_t sizes[TENSORS] = {1, 0, 17, 40000, 16384, 100};
    ops_adam_tensor tensors[2][TENSORS];
    float *gradients[TENSORS];
    for (int t = 0; t < TENSORS; t++) {
        gradients[t] = get_memory(sizes[t], sizeof(float));
        float *p = random_floats(sizes[t]);
        float *zero = get_memory(sizes[t], sizeof(float));
        memset(zero, 0, sizes[t] * sizeof(float));
        for (int s = 0; s < 2; s++) {
            tensors[s][t] = (ops_adam_tensor){copy_floats(p, sizes[t]), gradients[t], copy_floats(zero, sizes[t]),
                                              copy_floats(zero, sizes[t]), sizes[t]};
        }
        free(p);
        free(zero);
    }
    for (int64_t step = 1; step <= 3; step++) {
        ops_adam_settings settings = {1e-2, 0.9, 0.999, 1e-8, step == 3 ? 100000 : step};
        for (int t = 0; t < TENSORS; t++) {
            for (size_t k = 0; k < sizes[t]; k++) {
                gradients[t][k] = k % 5 == 3 ? 0.0f : random_float() * (k % 2 ? 1e-5f : 10.0f);
            }
        }
        OK(b.ref->table->adam(b.ref, tensors[0], TENSORS, &settings));
        OK(b.other->table->adam(b.other, tensors[1], TENSORS, &settings));
        for (int t = 0; t < TENSORS; t++) {
            same_sums("parameter", tensors[0][t].parameter, tensors[1][t].parameter, sizes[t], ADAM_TOLERANCE, 1);
            same_floats("moment1", tensors[0][t].moment1, tensors[1][t].moment1, sizes[t], ADAM_TOLERANCE);
            same_floats("moment2", tensors[0][t].moment2, tensors[1][t].moment2, sizes[t], 2 * ADAM_TOLERANCE);
        }
    }
    for (int t = 0; t < TENSORS; t++) {
        for (int s = 0; s < 2; s++) {
            free(tensors[s][t].parameter);
            free(tensors[s][t].moment1);
            free(tensors[s][t].moment2);
        }
        free(gradients[t]);
    }
    both_close(&b);
}
END_TEST

static const int32_t widths[] = {1, 3, 8, 17, 64, 100, 256, 257, 320, 321, 576, 639, 640, 1000};
#define WIDTHS 14

START_TEST(scores_agree_on_every_shape)
{
    both b;
    if (!both_open(&b, _i, 1)) {
        return;
    }
    const int64_t shapes[][2] = {{1, 1}, {0, 5}, {5, 0}, {1, 70}, {2, 31}, {13, 64}, {29, 75}};
    for (int w = 0; w < WIDTHS; w++) {
        for (int s = 0; s < 7; s++) {
            int64_t ld = shapes[s][1] + 3;
            size_t size = (size_t)(shapes[s][0] * ld);
            float *q = random_floats((size_t)(shapes[s][0] * widths[w]));
            float *k = random_floats((size_t)(shapes[s][1] * widths[w]));
            float *expected = unset_floats(size);
            float *actual = unset_floats(size);
            OK(b.ref->table->score_block(b.ref, q, shapes[s][0], k, shapes[s][1], widths[w], expected, ld));
            OK(b.other->table->score_block(b.other, q, shapes[s][0], k, shapes[s][1], widths[w], actual, ld));
            same_sums("scores", expected, actual, size, SCORE_TOLERANCE, 1);
            free(q);
            free(k);
            free(expected);
            free(actual);
        }
    }
    /* (1, 2) and (3, 4) with (5, 6): 17 and 39. */
    const float q[] = {1, 2, 3, 4};
    const float k[] = {5, 6};
    float scores[2];
    OK(b.ref->table->score_block(b.ref, q, 2, k, 1, 2, scores, 1));
    ck_assert_float_eq(scores[0], 17);
    ck_assert_float_eq(scores[1], 39);
    OK(b.other->table->score_block(b.other, q, 2, k, 1, 2, scores, 1));
    ck_assert_float_eq(scores[0], 17);
    ck_assert_float_eq(scores[1], 39);
    both_close(&b);
}
END_TEST

START_TEST(a_score_does_not_depend_on_its_block)
{
    both b;
    if (!both_open(&b, _i, 1)) {
        return;
    }
    enum { QUERIES = 29, KEYS = 75 };
    for (int w = 0; w < WIDTHS; w++) {
        int32_t width = widths[w];
        float *q = random_floats((size_t)(QUERIES * width));
        float *k = random_floats((size_t)(KEYS * width));
        float *whole = unset_floats(QUERIES * KEYS);
        OK(b.other->table->score_block(b.other, q, QUERIES, k, KEYS, width, whole, KEYS));
        for (int round = 0; round < 60; round++) {
            int64_t first_query = random_below(QUERIES);
            int64_t first_key = random_below(KEYS);
            int64_t queries = round % 3 ? 1 + random_below((int32_t)(QUERIES - first_query)) : 1;
            int64_t keys = round % 2 ? 1 + random_below((int32_t)(KEYS - first_key)) : 1;
            /* Copied elsewhere, so that addresses differ too. */
            float *some_queries = copy_floats(q + first_query * width, (size_t)(queries * width));
            float *some_keys = copy_floats(k + first_key * width, (size_t)(keys * width));
            float *part = unset_floats((size_t)(queries * keys));
            OK(b.other->table->score_block(b.other, some_queries, queries, some_keys, keys, width, part, keys));
            for (int64_t u = 0; u < queries; u++) {
                ck_assert_mem_eq(part + u * keys, whole + (first_query + u) * KEYS + first_key, (size_t)keys * sizeof *part);
            }
            free(some_queries);
            free(some_keys);
            free(part);
        }
        free(q);
        free(k);
        free(whole);
    }
    both_close(&b);
}
END_TEST

START_TEST(scores_of_pairs_have_the_bits_of_blocks)
{
    both b;
    if (!both_open(&b, _i, 1)) {
        return;
    }
    enum { QUERIES = 3, KEYS = 75, MOST = 160 };
    const int64_t counts[] = {0, 1, 2, 3, 4, 5, 7, 8, MOST};
    for (int w = 0; w < WIDTHS; w++) {
        int32_t width = widths[w];
        float *q = random_floats((size_t)(QUERIES * width));
        float *k = random_floats((size_t)(KEYS * width));
        for (int32_t c = 0; c < width; c++) { /* sums of -0, of nothing but NaN, of numbers that underflow */
            k[c] = -0.0f;
            k[width + c] = NAN;
            k[2 * width + c] *= 1e-38f;
        }
        q[width - 1] = -1e-30f;
        k[3 * width + width - 1] = 1e-30f;
        for (int device = 0; device < 2; device++) {
            const ops *o = device == 0 ? b.ref : b.other;
            float whole[QUERIES * KEYS];
            OK(o->table->score_block(o, q, QUERIES, k, KEYS, width, whole, KEYS));
            for (int n = 0; n < 9; n++) {
                int32_t ids[MOST];
                for (int64_t i = 0; i < counts[n]; i++) { /* the first, the last, any; repeated too */
                    ids[i] = i % 5 == 0 ? 0 : i % 5 == 1 ? KEYS - 1 : i % 5 == 2 ? 3 : random_below(KEYS);
                }
                for (int32_t u = 0; u < QUERIES; u++) {
                    float scores[MOST + 1];
                    scores[counts[n]] = 77;
                    OK(o->table->score_pairs(o, q + u * width, k, ids, counts[n], width, scores));
                    for (int64_t i = 0; i < counts[n]; i++) {
                        const float *expected = &whole[u * KEYS + ids[i]];
                        bool same = isnan(*expected) ? isnan(scores[i])
                                                     : memcmp(expected, &scores[i], sizeof *expected) == 0;
                        ck_assert_msg(same, "width %d, score %d of %d: %a, not %a", (int)width, (int)i, (int)counts[n],
                                      (double)scores[i], (double)*expected);
                        float turned; /* the key with a list of queries */
                        OK(o->table->score_pairs(o, k + ids[i] * width, q, &u, 1, width, &turned));
                        ck_assert(isnan(turned) ? isnan(*expected) : memcmp(expected, &turned, sizeof turned) == 0);
                    }
                    ck_assert_float_eq(scores[counts[n]], 77);
                }
            }
        }
        free(q);
        free(k);
    }
    both_close(&b);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("ops: update and scores");
    TCase *tc = tcase_create("update");
    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, adam_by_hand, 0, BACKENDS);
    tcase_add_loop_test(tc, adam_agrees_on_tensors_of_every_size, 0, BACKENDS);
    tcase_add_loop_test(tc, scores_agree_on_every_shape, 0, BACKENDS);
    tcase_add_loop_test(tc, a_score_does_not_depend_on_its_block, 0, BACKENDS);
    tcase_add_loop_test(tc, scores_of_pairs_have_the_bits_of_blocks, 0, BACKENDS);
    suite_add_tcase(s, tc);
    return s;
}

TEST_MAIN(suite)
