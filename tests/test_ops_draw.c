/* SPDX-License-Identifier: Apache-2.0 */
/* Batches: what is drawn, how often, and the index of who appears where. */
#include "ops_support.h"

enum { USERS = 60, ITEMS = 30 };

/* User u has (u * 7) % 31 items, every second item from u on, then the rest: 0 to 30 of them, and user 31 has all. */
typedef struct world {
    int64_t offsets[USERS + 1];
    int32_t items[USERS * ITEMS];
    int32_t pool_users[USERS * ITEMS];
    int32_t pool_items[USERS * ITEMS];
    bool has[USERS][ITEMS];
    ops_sampler sampler;
} world;

static void world_make(world *w, bool interactions)
{
    memset(w, 0, sizeof *w);
    int64_t n = 0;
    int64_t pool = 0;
    for (int32_t u = 0; u < USERS; u++) {
        int32_t degree = u == 31 ? ITEMS : (u * 7) % 31;
        for (int32_t k = 0; k < degree; k++) {
            w->has[u][(u + k * 2 + (k * 2 >= ITEMS)) % ITEMS] = true;
        }
        w->offsets[u] = n;
        for (int32_t i = 0; i < ITEMS; i++) {
            if (w->has[u][i]) {
                w->items[n++] = i;
                if (interactions && degree < ITEMS) {
                    w->pool_users[pool] = u;
                    w->pool_items[pool++] = i;
                }
            }
        }
        if (!interactions && degree > 0 && degree < ITEMS) {
            w->pool_users[pool++] = u;
        }
    }
    w->offsets[USERS] = n;
    w->sampler = (ops_sampler){USERS, ITEMS,   w->offsets, w->items, w->pool_users, interactions ? w->pool_items : NULL,
                               pool,  20240607};
}

static void check_triples(const world *w, const ops_batch *batch)
{
    for (int32_t b = 0; b < batch->size; b++) {
        int32_t user = batch->user_ids[b];
        bool legal = user >= 0 && user < USERS && batch->positives[b] >= 0 && batch->positives[b] < ITEMS &&
                     batch->negatives[b] >= 0 && batch->negatives[b] < ITEMS && w->has[user][batch->positives[b]] &&
                     !w->has[user][batch->negatives[b]];
        if (!legal) {
            ck_abort_msg("triple %d: user %d, positive %d, negative %d", b, user, batch->positives[b], batch->negatives[b]);
        }
    }
}

START_TEST(both_backends_draw_the_same)
{
    both b;
    if (!both_open(&b, _i, 3)) {
        return;
    }
    for (int interactions = 0; interactions < 2; interactions++) {
        world w;
        world_make(&w, interactions);
        ops_batch first = batch_make(USERS, ITEMS, 400);
        ops_batch second = batch_make(USERS, ITEMS, 400);
        OK(b.ref->table->draw_batch(b.ref, &w.sampler, 5, 3, 10, &first));
        OK(b.other->table->draw_batch(b.other, &w.sampler, 5, 3, 10, &second));
        int64_t expected = interactions ? w.sampler.pool_size - 10 : w.sampler.pool_size;
        ck_assert_int_eq(first.size, expected < 400 ? expected : 400);
        ck_assert_int_eq(second.size, first.size);
        size_t bytes = (size_t)first.size * sizeof(int32_t);
        ck_assert_mem_eq(first.user_ids, second.user_ids, bytes);
        ck_assert_mem_eq(first.positives, second.positives, bytes);
        ck_assert_mem_eq(first.negatives, second.negatives, bytes);
        batch_free(&first);
        batch_free(&second);
    }
    both_close(&b);
}
END_TEST

static void count_distinct(const ops_batch *batch, int32_t *seen)
{
    for (int32_t b = 0; b < batch->size; b++) {
        seen[batch->user_ids[b]]++;
    }
}

START_TEST(users_of_a_batch_are_distinct)
{
    both b;
    if (!both_open(&b, _i, 2)) {
        return;
    }
    world w;
    world_make(&w, false);
    for (int32_t capacity = 1; capacity <= USERS; capacity += 7) {
        ops_batch batch = batch_make(USERS, ITEMS, capacity);
        for (int64_t step = 0; step < 20; step++) {
            int32_t seen[USERS] = {0};
            OK(b.other->table->draw_batch(b.other, &w.sampler, step, 0, 0, &batch));
            ck_assert_int_eq(batch.size, capacity < w.sampler.pool_size ? capacity : w.sampler.pool_size);
            check_triples(&w, &batch);
            count_distinct(&batch, seen);
            for (int32_t u = 0; u < USERS; u++) {
                ck_assert_int_le(seen[u], 1);
            }
        }
        batch_free(&batch);
    }
    both_close(&b);
}
END_TEST

/* With n - 1 degrees of freedom chi-square has mean n - 1 and variance 2 (n - 1); six deviations are far out. The seeds are
 * fixed, so the test always ends the same way. */
static void check_uniform(const char *what, const int64_t *counts, size_t n)
{
    double total = 0;
    double chi = 0;
    for (size_t k = 0; k < n; k++) {
        total += (double)counts[k];
    }
    for (size_t k = 0; k < n; k++) {
        double difference = (double)counts[k] - total / (double)n;
        chi += difference * difference / (total / (double)n);
    }
    double freedom = (double)n - 1;
    ck_assert_msg(chi <= freedom + 6 * sqrt(2 * freedom), "%s: chi-square %.1f with %.0f degrees of freedom", what, chi,
                  freedom);
}

START_TEST(draws_are_uniform)
{
    both b;
    if (!both_open(&b, _i, 1)) {
        return;
    }
    static world w;
    static int64_t positives[USERS][ITEMS];
    static int64_t negatives[USERS][ITEMS];
    int64_t users[USERS] = {0};
    world_make(&w, false);
    ops_batch batch = batch_make(USERS, ITEMS, 16);
    for (int64_t step = 0; step < 20000; step++) {
        OK(b.other->table->draw_batch(b.other, &w.sampler, step, 0, 0, &batch));
        check_triples(&w, &batch);
        for (int32_t k = 0; k < batch.size; k++) {
            users[batch.user_ids[k]]++;
            positives[batch.user_ids[k]][batch.positives[k]]++;
            negatives[batch.user_ids[k]][batch.negatives[k]]++;
        }
    }
    int64_t pool_counts[USERS];
    for (int64_t k = 0; k < w.sampler.pool_size; k++) {
        int32_t u = w.sampler.pool_users[k];
        int64_t mine[ITEMS];
        int64_t others[ITEMS];
        size_t n_mine = 0;
        size_t n_others = 0;
        for (int32_t i = 0; i < ITEMS; i++) {
            if (w.has[u][i]) {
                mine[n_mine++] = positives[u][i];
            } else {
                others[n_others++] = negatives[u][i];
            }
        }
        check_uniform("positives of a user", mine, n_mine);
        check_uniform("negatives of a user", others, n_others);
        pool_counts[k] = users[u];
    }
    check_uniform("users", pool_counts, (size_t)w.sampler.pool_size);
    batch_free(&batch);
    both_close(&b);
}
END_TEST

START_TEST(an_epoch_takes_each_interaction_once)
{
    both b;
    if (!both_open(&b, _i, 2)) {
        return;
    }
    static world w;
    world_make(&w, true);
    ops_batch batch = batch_make(USERS, ITEMS, 150);
    int32_t first_users[2][150];
    for (int64_t epoch = 0; epoch < 3; epoch++) {
        int32_t seen[USERS][ITEMS] = {{0}};
        int64_t step = epoch * 100;
        for (int64_t position = 0; position < w.sampler.pool_size; position += 150) {
            OK(b.other->table->draw_batch(b.other, &w.sampler, step++, epoch, position, &batch));
            int64_t left = w.sampler.pool_size - position;
            ck_assert_int_eq(batch.size, left < 150 ? left : 150);
            check_triples(&w, &batch);
            for (int32_t k = 0; k < batch.size; k++) {
                seen[batch.user_ids[k]][batch.positives[k]]++;
            }
            if (position == 0 && epoch < 2) {
                memcpy(first_users[epoch], batch.user_ids, sizeof first_users[epoch]);
            }
        }
        for (int64_t k = 0; k < w.sampler.pool_size; k++) {
            ck_assert_int_eq(seen[w.pool_users[k]][w.pool_items[k]], 1);
        }
        OK(b.other->table->draw_batch(b.other, &w.sampler, step, epoch, w.sampler.pool_size, &batch));
        ck_assert_int_eq(batch.size, 0);
    }
    ck_assert_mem_ne(first_users[0], first_users[1], sizeof first_users[0]);
    batch_free(&batch);
    both_close(&b);
}
END_TEST

/* ---- the index ---- */

/* Two users of four, four items: the nodes are user 1, user 3, items 0, 2, 3. */
START_TEST(index_by_hand)
{
    both b;
    if (!both_open(&b, _i, 1)) {
        return;
    }
    ops *sides[2] = {b.ref, b.other};
    for (int s = 0; s < 2; s++) {
        ops_batch batch = batch_make(4, 4, 5);
        batch_set(&batch, 0, 3, 2, 0);
        batch_set(&batch, 1, 1, 0, 3);
        batch_set(&batch, 2, 3, 0, 2);
        OK(sides[s]->table->batch_index(sides[s], &batch));
        const int32_t rows[] = {1, 3, 4, 6, 7};
        const int32_t slots[] = {-1, 0, -1, 1, 2, -1, 3, 4};
        const int32_t offsets[] = {0, 1, 3, 6, 8, 9};
        const int32_t occurrences[] = {3, 0, 6, 2, 4, 7, 1, 8, 5}; /* 3 * position + role */
        ck_assert_int_eq(*batch.count, 5);
        ck_assert_mem_eq(batch.rows, rows, sizeof rows);
        ck_assert_mem_eq(batch.slots, slots, sizeof slots);
        ck_assert_mem_eq(batch.offsets, offsets, sizeof offsets);
        ck_assert_mem_eq(batch.occurrences, occurrences, sizeof occurrences);
        batch_free(&batch);
    }
    both_close(&b);
}
END_TEST

START_TEST(index_names_every_appearance_once)
{
    both b;
    if (!both_open(&b, _i, 2)) {
        return;
    }
    ops_batch batch = batch_make(50, 40, 200);
    for (int round = 0; round < 30; round++) { /* the same memory: nothing of the last batch may remain */
        batch.size = 0;
        int32_t size = round == 7 ? 200 : random_below(200);
        for (int32_t k = 0; k < size; k++) {
            batch_set(&batch, k, random_below(50), random_below(1 + round), random_below(40));
        }
        OK(b.other->table->batch_index(b.other, &batch));
        int32_t touched = 0;
        for (int32_t node = 0; node < batch.nodes; node++) {
            int32_t slot = batch.slots[node];
            touched += slot >= 0;
            ck_assert(slot == -1 || (slot < *batch.count && batch.rows[slot] == node));
        }
        ck_assert_int_eq(touched, *batch.count);
        ck_assert_int_eq(batch.offsets[0], 0);
        ck_assert_int_eq(batch.offsets[*batch.count], 3 * size);
        for (int32_t slot = 0; slot < *batch.count; slot++) {
            ck_assert(slot == 0 || batch.rows[slot] > batch.rows[slot - 1]);
            ck_assert_int_lt(batch.offsets[slot], batch.offsets[slot + 1]);
            for (int32_t p = batch.offsets[slot]; p < batch.offsets[slot + 1]; p++) {
                int32_t position = batch.occurrences[p] / 3;
                int32_t role = batch.occurrences[p] % 3;
                int32_t node = role == 0 ? batch.user_ids[position]
                                         : 50 + (role == 1 ? batch.positives : batch.negatives)[position];
                ck_assert_int_eq(node, batch.rows[slot]);
                ck_assert(p == batch.offsets[slot] || batch.occurrences[p] > batch.occurrences[p - 1]);
            }
        }
    }
    batch_free(&batch);
    both_close(&b);
}
END_TEST

/* Sizes around those at which a backend cuts the work into pieces: 2048 appearances, four times as many. */
START_TEST(indexes_of_many_agree)
{
    both b;
    if (!both_open(&b, _i, 2)) {
        return;
    }
    const int32_t sizes[] = {1, 341, 342, 682, 683, 1400, 2731};
    for (int k = 0; k < 14; k++) {
        int32_t size = sizes[k / 2];
        int32_t users = k % 2 ? 3000 : 7; /* short lists of appearances; long ones */
        ops_batch expected = batch_random(&b, users, users + 5, size);
        ops_batch actual = batch_make(users, users + 5, size);
        for (int32_t t = 0; t < size; t++) {
            batch_set(&actual, t, expected.user_ids[t], expected.positives[t], expected.negatives[t]);
        }
        OK(b.other->table->batch_index(b.other, &actual));
        ck_assert_int_eq(*actual.count, *expected.count);
        size_t count = (size_t)*expected.count;
        ck_assert_mem_eq(actual.rows, expected.rows, count * sizeof(int32_t));
        ck_assert_mem_eq(actual.slots, expected.slots, (size_t)expected.nodes * sizeof(int32_t));
        ck_assert_mem_eq(actual.offsets, expected.offsets, (count + 1) * sizeof(int32_t));
        ck_assert_mem_eq(actual.occurrences, expected.occurrences, 3 * (size_t)size * sizeof(int32_t));
        batch_free(&expected);
        batch_free(&actual);
    }
    both_close(&b);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("ops: batches");
    TCase *tc = tcase_create("batches");
    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, both_backends_draw_the_same, 0, BACKENDS);
    tcase_add_loop_test(tc, users_of_a_batch_are_distinct, 0, BACKENDS);
    tcase_add_loop_test(tc, draws_are_uniform, 0, CPU_SETS);
    tcase_add_loop_test(tc, an_epoch_takes_each_interaction_once, 0, BACKENDS);
    tcase_add_loop_test(tc, index_by_hand, 0, BACKENDS);
    tcase_add_loop_test(tc, index_names_every_appearance_once, 0, BACKENDS);
    tcase_add_loop_test(tc, indexes_of_many_agree, 0, BACKENDS);
    suite_add_tcase(s, tc);
    return s;
}

TEST_MAIN(suite)
