/* SPDX-License-Identifier: Apache-2.0 */
/* The losses of a batch: by hand, gradients against finite differences, cpu against the reference. */
#include "ops_support.h"

/* Rows of up to 300 entries; margins and sums of gradients in float against double, relative to the largest. */
#define BPR_TOLERANCE 1e-5
/* Both in double, rounded at the end. */
#define COSINE_TOLERANCE 1e-6
#define PENALTY_TOLERANCE 1e-6

static const int32_t widths[] = {1, 3, 17, 64, 100, 300};
#define WIDTHS 6

/* Rows for every node, or for every slot. */
static ops_view view_of(float *data, int64_t ld, int32_t width, bool by_node)
{
    return (ops_view){data, ld, width, by_node};
}

static float *row_at(const ops_batch *batch, ops_view view, int32_t node)
{
    return view.data + view.ld * (view.by_node ? node : batch->slots[node]);
}

/* ---- by hand ---- */

/* One triple: user 0, items 0 and 1 of 2, of 2 users; x_u = (1, 2), x_i = (3, 1), x_j = (1, 1): the margin is 5 - 3 = 2. */
START_TEST(bpr_by_hand)
{
    both b;
    if (!both_open(&b, _i, 1)) {
        return;
    }
    float x[] = {1, 2, 9, 9, 3, 1, 1, 1};
    ops_batch batch = batch_make(2, 2, 1);
    batch_set(&batch, 0, 0, 0, 1);
    ops *sides[2] = {b.ref, b.other};
    for (int s = 0; s < 2; s++) {
        OK(sides[s]->table->batch_index(sides[s], &batch));
        float g[6] = {NAN, NAN, NAN, NAN, NAN, NAN};
        double loss = 10;
        ops_branch branch = {view_of(x, 2, 2, true), view_of(g, 2, 2, false), 3, &loss};
        OK(sides[s]->table->bpr(sides[s], &batch, &branch, 1));
        double sigmoid = 0.11920292202211755;       /* of -2 */
        near(10 + 0.12692801104297263, loss, 1e-7); /* softplus(-2), unweighted */
        const double outer = 3 * sigmoid;
        const double expected[] = {-outer * 2, 0, -outer * 1, -outer * 2, outer * 1, outer * 2};
        for (int i = 0; i < 6; i++) {
            near(expected[i], g[i], 1e-6);
        }
    }
    batch_free(&batch);
    both_close(&b);
}
END_TEST

/* Margins of +-4e8 and of 1e-20: softplus(-m) is 0, 4e8 and log 2; the derivatives 0, -1 and -1/2. */
START_TEST(bpr_takes_huge_and_tiny_margins)
{
    both b;
    if (!both_open(&b, _i, 1)) {
        return;
    }
    float x[] = {1, 1, 1e-10f, 4e8f, 0, 1e-10f}; /* users 0 to 2, items 0 to 2 */
    ops_batch batch = batch_make(3, 3, 3);
    batch_set(&batch, 0, 0, 0, 1);
    batch_set(&batch, 1, 1, 1, 0);
    batch_set(&batch, 2, 2, 2, 1);
    ops *sides[2] = {b.ref, b.other};
    for (int s = 0; s < 2; s++) {
        OK(sides[s]->table->batch_index(sides[s], &batch));
        float g[6];
        double loss = 0;
        ops_branch branch = {view_of(x, 1, 1, true), view_of(g, 1, 1, false), 3, &loss};
        OK(sides[s]->table->bpr(sides[s], &batch, &branch, 1));
        near((4e8 + 0.6931471805599453) / 3, loss, 1e-6);
        near(0, g[0], 1e-30);
        near(4e8, g[1], 1); /* -1 * (0 - 4e8) */
        near(-0.5e-10, g[2], 1e-16);
        near(1, g[3], 1e-6); /* as negative of the second triple: +1 * x_u */
        near(-1 + 0.5e-10, g[4], 1e-6);
        near(-0.5e-10, g[5], 1e-16);
    }
    batch_free(&batch);
    both_close(&b);
}
END_TEST

/* x = (3, 4), y = (4, 3): the cosine is 24/25, its derivative by x ((0.8, 0.6) - 0.96 (0.6, 0.8)) / 5 = (0.0448, -0.0336).
 * User 0 and item 0 are such rows; item 1 appears as negative only. */
START_TEST(pair_cosine_by_hand)
{
    both b;
    if (!both_open(&b, _i, 1)) {
        return;
    }
    float x[] = {3, 4, 3e-30f, 4e-30f, 1, 0};
    float y[] = {4, 3, 4e18f, 3e18f, 1, 0};
    ops_batch batch = batch_make(1, 2, 1);
    batch_set(&batch, 0, 0, 0, 1);
    const double outer[] = {-1, 1, 0.96 / 0.9600000052083333};
    const double value[] = {0.04, 0.96, 0.9600000052083333};
    ops *sides[2] = {b.ref, b.other};
    for (int s = 0; s < 2; s++) {
        OK(sides[s]->table->batch_index(sides[s], &batch));
        for (int kind = 0; kind < 3; kind++) {
            float gx[] = {1, 1, 0, 0, 7, 7};
            float gy[] = {1, 1, 0, 0, 7, 7};
            double loss = 5;
            OK(sides[s]->table->pair_cosine(sides[s], &batch, kind, view_of(x, 2, 2, true), view_of(y, 2, 2, false), NULL,
                                            NULL, 0.5f, view_of(gx, 2, 2, false), view_of(gy, 2, 2, true), &loss));
            double factor = 0.5 * outer[kind];
            near(5 + 2 * value[kind], loss, 1e-6);
            near(1 + factor * 0.0448, gx[0], 2e-7);
            near(1 + factor * -0.0336, gx[1], 2e-7);
            near(1 + factor * -0.0336, gy[0], 2e-7);
            near(1 + factor * 0.0448, gy[1], 2e-7);
            /* The lengths 5e-30 and 5e18 have squares outside the range of float. */
            near(factor * 0.0448 * 1e30, gx[2], 1e24);
            near(factor * -0.0336 * 1e30, gx[3], 1e24);
            near(factor * -0.0336 / 1e18, gy[2], 1e-24);
            near(factor * 0.0448 / 1e18, gy[3], 1e-24);
            near(7, gx[4], 0);
            near(7, gy[5], 0);
        }
    }
    batch_free(&batch);
    both_close(&b);
}
END_TEST

/* Users 0 and 1, items 0 to 2; the triples (0, 0, 1), (1, 1, 2), (1, 2, 0). All rows are (3, 4) and (4, 3): the
 * cosine is 0.96. */
START_TEST(pair_cosine_leaves_out_items_that_lack_either)
{
    both b;
    if (!both_open(&b, _i, 1)) {
        return;
    }
    enum { NODES = 5 };
    float x[2 * NODES];
    float y[2 * NODES];
    for (int n = 0; n < NODES; n++) {
        x[2 * n] = y[2 * n + 1] = 3;
        x[2 * n + 1] = y[2 * n] = 4;
    }
    ops_batch batch = batch_make(2, 3, 3);
    batch_set(&batch, 0, 0, 0, 1);
    batch_set(&batch, 1, 1, 1, 2);
    batch_set(&batch, 2, 1, 2, 0);
    static const uint8_t none[3] = {0, 0, 0};
    static const uint8_t not_first[3] = {0, 1, 1};
    static const uint8_t not_last[3] = {1, 1, 0};
    static const uint8_t all[3] = {1, 1, 1};
    static const struct {
        const uint8_t *x, *y;
        bool counts[3]; /* items */
    } cases[] = {
        {NULL, NULL, {true, true, true}},
        {all, all, {true, true, true}},
        {not_first, NULL, {false, true, true}},
        {NULL, not_last, {true, true, false}},
        {not_first, not_last, {false, true, false}},
        {none, NULL, {false, false, false}},
        {all, none, {false, false, false}},
    };
    ops *sides[2] = {b.ref, b.other};
    for (int s = 0; s < 2; s++) {
        OK(sides[s]->table->batch_index(sides[s], &batch));
        for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
            float gx[2 * NODES] = {0};
            float gy[2 * NODES] = {0};
            double loss = 5;
            OK(sides[s]->table->pair_cosine(sides[s], &batch, OPS_COSINE_RELEASED, view_of(x, 2, 2, true),
                                            view_of(y, 2, 2, true), cases[k].x, cases[k].y, 3, view_of(gx, 2, 2, true),
                                            view_of(gy, 2, 2, true), &loss));
            int counted = cases[k].counts[0] + cases[k].counts[1] + cases[k].counts[2];
            near(5 + 0.96 * (3 + counted) / 3, loss, 1e-6); /* the users' three appearances; the batch's size stays 3 */
            for (int n = 0; n < NODES; n++) {
                double times = n < 2 ? n + 1 : cases[k].counts[n - 2];
                near(times * 0.0448, gx[2 * n], 2e-7);
                near(times * -0.0336, gx[2 * n + 1], 2e-7);
                near(times * -0.0336, gy[2 * n], 2e-7);
                near(times * 0.0448, gy[2 * n + 1], 2e-7);
            }
        }
    }
    batch_free(&batch);
    both_close(&b);
}
END_TEST

START_TEST(pair_cosine_of_a_zero_row_is_nothing)
{
    both b;
    if (!both_open(&b, _i, 1)) {
        return;
    }
    float x[] = {0, 0, 3, 4, 1, 0};
    float y[] = {4, 3, 0, 0, 1, 0};
    ops_batch batch = batch_make(1, 2, 1);
    batch_set(&batch, 0, 0, 0, 1);
    ops *sides[2] = {b.ref, b.other};
    for (int s = 0; s < 2; s++) {
        OK(sides[s]->table->batch_index(sides[s], &batch));
        for (int kind = 0; kind < 3; kind++) {
            float gx[6] = {0};
            float gy[6] = {0};
            const float zero[6] = {0};
            double loss = 0;
            OK(sides[s]->table->pair_cosine(sides[s], &batch, kind, view_of(x, 2, 2, true), view_of(y, 2, 2, true), NULL,
                                            NULL, 1, view_of(gx, 2, 2, true), view_of(gy, 2, 2, true), &loss));
            ck_assert_double_eq(loss, 0);
            ck_assert_mem_eq(gx, zero, sizeof zero);
            ck_assert_mem_eq(gy, zero, sizeof zero);
        }
    }
    batch_free(&batch);
    both_close(&b);
}
END_TEST

/* User 0 in both triples, item 0 once as positive and once as negative, item 1 the other way round: everything counts
 * twice, so the loss is the sum of the squared lengths 25 + 4 + 9. */
START_TEST(penalty_by_hand)
{
    both b;
    if (!both_open(&b, _i, 1)) {
        return;
    }
    float x[] = {3, 4, 2, 0, 0, -3};
    ops_batch batch = batch_make(1, 2, 2);
    batch_set(&batch, 0, 0, 0, 1);
    batch_set(&batch, 1, 0, 1, 0);
    ops *sides[2] = {b.ref, b.other};
    for (int s = 0; s < 2; s++) {
        OK(sides[s]->table->batch_index(sides[s], &batch));
        float g[] = {1, 1, 1, 1, 1, 1};
        double loss = 2;
        OK(sides[s]->table->penalty(sides[s], &batch, view_of(x, 2, 2, true), 0.25f, view_of(g, 2, 2, true), &loss));
        const float expected[] = {2.5f, 3, 2, 1, 1, -0.5f}; /* 1 + 0.25 * 2 * x */
        near(40, loss, 1e-12);
        ck_assert_mem_eq(g, expected, sizeof g);
    }
    batch_free(&batch);
    both_close(&b);
}
END_TEST

START_TEST(an_empty_batch_has_no_loss)
{
    both b;
    if (!both_open(&b, _i, 1)) {
        return;
    }
    ops_batch batch = batch_make(2, 2, 2);
    batch.size = 0;
    float x[4] = {0};
    double loss = 0;
    ops_view view = view_of(x, 1, 1, true);
    ops_branch branch = {view, view, 1, &loss};
    ops *sides[2] = {b.ref, b.other};
    for (int s = 0; s < 2; s++) {
        OK(sides[s]->table->batch_index(sides[s], &batch));
        ck_assert_int_eq(*batch.count, 0);
        OK(sides[s]->table->bpr(sides[s], &batch, &branch, 1));
        OK(sides[s]->table->pair_cosine(sides[s], &batch, OPS_COSINE_ALIGN, view, view, NULL, NULL, 1, view, view, &loss));
        OK(sides[s]->table->penalty(sides[s], &batch, view, 1, view, &loss));
        ck_assert_double_eq(loss, 0);
    }
    batch_free(&batch);
    both_close(&b);
}
END_TEST

/* ---- finite differences ---- */

typedef enum which_loss { LOSS_BPR, LOSS_ALIGN, LOSS_RELEASED, LOSS_ORTHOGONAL, LOSS_PENALTY, LOSSES } which_loss;

/* The loss of rows x (and y beside them, for cosines), with its gradients; everything by node. present: of y. */
static double loss_of(ops *o, which_loss which, const ops_batch *batch, float *x, float *y, const uint8_t *present,
                      int32_t width, float *gx, float *gy)
{
    double loss = 0;
    ops_view vx = view_of(x, width, width, true);
    ops_view vy = view_of(y, width, width, true);
    ops_view vgx = view_of(gx, width, width, true);
    ops_view vgy = view_of(gy, width, width, true);
    if (which == LOSS_BPR) {
        ops_branch branch = {vx, vgx, 1, &loss};
        OK(o->table->bpr(o, batch, &branch, 1));
    } else if (which == LOSS_PENALTY) {
        OK(o->table->penalty(o, batch, vx, 1, vgx, &loss));
    } else {
        ops_cosine kind = which == LOSS_ALIGN      ? OPS_COSINE_ALIGN
                          : which == LOSS_RELEASED ? OPS_COSINE_RELEASED
                                                   : OPS_COSINE_ORTHOGONAL;
        OK(o->table->pair_cosine(o, batch, kind, vx, vy, NULL, present, 1, vgx, vgy, &loss));
    }
    return loss;
}

/* Without arrays of what is present, then with one. */
START_TEST(gradients_are_those_of_the_losses)
{
    both b;
    if (!both_open(&b, 0, 1)) {
        return;
    }
    static const uint8_t some[] = {1, 0, 1, 0, 1};
    const uint8_t *present = _i == 1 ? some : NULL;
    enum { USERS = 4, ITEMS = 5, WIDTH = 3, N = (USERS + ITEMS) * WIDTH };
    ops_batch batch = batch_random(&b, USERS, ITEMS, 8);
    for (which_loss which = 0; which < LOSSES; which++) {
        float *rows[2] = {random_floats(N), random_floats(N)};
        float gradients[2][N] = {{0}, {0}};
        float unused[2][N];
        loss_of(b.ref, which, &batch, rows[0], rows[1], present, WIDTH, gradients[0], gradients[1]);
        int moved = 0;
        for (int k = 0; k < 2 * N; k++) {
            float *entry = &rows[k / N][k % N];
            float before = *entry;
            double slope[2];
            /* Two central differences, combined so that the error of second order cancels. */
            for (int h = 0; h < 2; h++) {
                volatile float above = before + (h ? 1.0f / 256 : 1.0f / 512);
                volatile float below = before - (h ? 1.0f / 256 : 1.0f / 512);
                *entry = above;
                double up = loss_of(b.ref, which, &batch, rows[0], rows[1], present, WIDTH, unused[0], unused[1]);
                *entry = below;
                double down = loss_of(b.ref, which, &batch, rows[0], rows[1], present, WIDTH, unused[0], unused[1]);
                slope[h] = (up - down) / ((double)above - below);
            }
            *entry = before;
            near((4 * slope[0] - slope[1]) / 3, gradients[k / N][k % N], 2e-5);
            moved += gradients[k / N][k % N] != 0;
        }
        ck_assert_int_gt(moved, present ? N / 4 : N / 2);
        free(rows[0]);
        free(rows[1]);
    }
    batch_free(&batch);
    both_close(&b);
}
END_TEST

/* ---- cpu against the reference ---- */

/* Users, items, triples; the last is larger than any block. */
static const int32_t worlds[][3] = {{1, 1, 1}, {1, 2, 40}, {30, 20, 1}, {50, 40, 100}, {300, 200, 500}};
#define WORLDS 5

/* Some rows are zero; some are very long or very short where the loss allows for it. */
static float *awkward_rows(size_t rows, int64_t ld)
{
    float *x = random_floats(rows * (size_t)ld);
    for (size_t r = 0; r < rows; r++) {
        float factor = r % 7 == 3 ? 0.0f : r % 11 == 5 ? 1e-25f : r % 13 == 6 ? 1e15f : 1.0f;
        for (int64_t c = 0; c < ld; c++) {
            x[(int64_t)r * ld + c] *= factor;
        }
    }
    return x;
}

START_TEST(bpr_agrees_on_every_shape)
{
    both b;
    if (!both_open(&b, _i, 3)) {
        return;
    }
    for (int w = 0; w < WORLDS; w++) {
        ops_batch batch = batch_random(&b, worlds[w][0], worlds[w][1], worlds[w][2]);
        float *x[WIDTHS];
        float *g[2][WIDTHS];
        size_t sizes[WIDTHS];
        double losses[2][WIDTHS] = {{0}, {0}};
        ops_branch branches[2][WIDTHS];
        for (int k = 0; k < WIDTHS; k++) {
            int64_t ld = widths[k] + k;
            sizes[k] = (size_t)batch.nodes * (size_t)ld;
            x[k] = random_floats(sizes[k]);
            for (int s = 0; s < 2; s++) {
                g[s][k] = unset_floats(sizes[k]);
                branches[s][k] = (ops_branch){view_of(x[k], ld, widths[k], k % 2 == 0),
                                              view_of(g[s][k], ld, widths[k], k % 3 == 0), 0.5f + (float)k, &losses[s][k]};
            }
        }
        OK(b.ref->table->bpr(b.ref, &batch, branches[0], WIDTHS));
        OK(b.other->table->bpr(b.other, &batch, branches[1], WIDTHS));
        for (int k = 0; k < WIDTHS; k++) {
            same_sums("bpr", g[0][k], g[1][k], sizes[k], BPR_TOLERANCE, (0.5 + k) / batch.size);
            near(losses[0][k], losses[1][k], 1e-6 * (1 + losses[0][k]));
            /* Slots are written, nothing else is. */
            ck_assert(!isnan(row_at(&batch, branches[1][k].gradient, batch.rows[*batch.count - 1])[0]));
            free(x[k]);
            free(g[0][k]);
            free(g[1][k]);
        }
        batch_free(&batch);
    }
    both_close(&b);
}
END_TEST

/* A cosine's gradient by a row is the difference of two directions over the row's length. */
static void compare_row(const float *expected, const float *actual, int64_t ld, double tolerance, const float *row,
                        double weight)
{
    double squares = 0;
    for (int64_t c = 0; row && c < ld - 2; c++) {
        squares += (double)row[c] * row[c];
    }
    same_sums("gradient", expected, actual, (size_t)ld, tolerance, squares > 0 ? weight / sqrt(squares) : 0);
}

/* NULL, random, or of all ones or zeros. */
static uint8_t *random_presence(int32_t items, int kind)
{
    if (kind == 0) {
        return NULL;
    }
    uint8_t *present = get_memory((size_t)items, 1);
    for (int32_t i = 0; i < items; i++) {
        present[i] = kind == 1 ? random_below(3) != 0 : kind == 2;
    }
    return present;
}

/* The shapes take turns with the arrays of what is present. */
START_TEST(pair_cosine_and_penalty_agree_on_every_shape)
{
    both b;
    if (!both_open(&b, _i, 3)) {
        return;
    }
    for (int w = 0; w < WORLDS; w++) {
        ops_batch batch = batch_random(&b, worlds[w][0], worlds[w][1], worlds[w][2]);
        for (int k = 0; k < WIDTHS; k++) {
            int64_t ld = widths[k] + 2;
            size_t size = (size_t)batch.nodes * (size_t)ld;
            for (int kind = 0; kind < 4; kind++) {
                float *x = awkward_rows((size_t)batch.nodes, ld);
                float *y = random_floats(size);
                uint8_t *x_present = random_presence(worlds[w][1], (w + k) % 4);
                uint8_t *y_present = random_presence(worlds[w][1], (k + kind) % 2);
                float *gx[2];
                float *gy[2];
                double losses[2] = {0, 0};
                ops *sides[2] = {b.ref, b.other};
                gx[0] = random_floats(size);
                gy[0] = random_floats(size);
                gx[1] = copy_floats(gx[0], size);
                gy[1] = copy_floats(gy[0], size);
                for (int s = 0; s < 2; s++) {
                    ops_view vx = view_of(x, ld, widths[k], true);
                    ops_view vy = view_of(y, ld, widths[k], false);
                    ops_view vgx = view_of(gx[s], ld, widths[k], false);
                    ops_view vgy = view_of(gy[s], ld, widths[k], true);
                    if (kind == 3) {
                        OK(sides[s]->table->penalty(sides[s], &batch, vx, 0.7f, vgx, &losses[s]));
                    } else {
                        OK(sides[s]->table->pair_cosine(sides[s], &batch, kind, vx, vy, x_present, y_present, 0.7f, vgx, vgy,
                                                        &losses[s]));
                    }
                }
                /* Row by row, since their lengths differ widely. */
                double tolerance = kind == 3 ? PENALTY_TOLERANCE : COSINE_TOLERANCE;
                for (int32_t r = 0; r < batch.nodes; r++) {
                    /* x and the gradient by y go by node, y and the gradient by x by slot */
                    int32_t slot = batch.slots[r];
                    compare_row(gx[0] + r * ld, gx[1] + r * ld, ld, tolerance,
                                r < *batch.count ? x + batch.rows[r] * ld : NULL, 0.7 / batch.size);
                    compare_row(gy[0] + r * ld, gy[1] + r * ld, ld, tolerance, slot < 0 ? NULL : y + slot * ld,
                                0.7 / batch.size);
                }
                near(losses[0], losses[1], 1e-9 * (1 + fabs(losses[0])));
                free(x);
                free(y);
                free(x_present);
                free(y_present);
                for (int s = 0; s < 2; s++) {
                    free(gx[s]);
                    free(gy[s]);
                }
            }
        }
        batch_free(&batch);
    }
    both_close(&b);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("ops: losses");
    TCase *tc = tcase_create("losses");
    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, bpr_by_hand, 0, BACKENDS);
    tcase_add_loop_test(tc, bpr_takes_huge_and_tiny_margins, 0, BACKENDS);
    tcase_add_loop_test(tc, pair_cosine_by_hand, 0, BACKENDS);
    tcase_add_loop_test(tc, pair_cosine_leaves_out_items_that_lack_either, 0, BACKENDS);
    tcase_add_loop_test(tc, pair_cosine_of_a_zero_row_is_nothing, 0, BACKENDS);
    tcase_add_loop_test(tc, penalty_by_hand, 0, BACKENDS);
    tcase_add_loop_test(tc, an_empty_batch_has_no_loss, 0, BACKENDS);
    tcase_add_loop_test(tc, gradients_are_those_of_the_losses, 0, 2);
    tcase_add_loop_test(tc, bpr_agrees_on_every_shape, 0, BACKENDS);
    tcase_add_loop_test(tc, pair_cosine_and_penalty_agree_on_every_shape, 0, BACKENDS);
    suite_add_tcase(s, tc);
    return s;
}

TEST_MAIN(suite)
