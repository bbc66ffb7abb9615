/* SPDX-License-Identifier: Apache-2.0 */
/* Interactions and graphs, small enough to be worked by hand. */
#include "files.h"

#include "graph/bipartite.h"

/* Two users, three items: user 0 has items 0 and 2, user 1 has item 2. Nodes: u0 u1 i0 i1 i2. */
static const int32_t two_users[] = {1, 0, 0};
static const int32_t three_items[] = {2, 2, 0};

static bipartite make(int32_t users, int32_t items, const int32_t *user_ids, const int32_t *item_ids, size_t n)
{
    bipartite graph;
    OK(bipartite_create(&memory_default, users, items, user_ids, item_ids, n, &graph, NULL));
    return graph;
}

static void check_lists(const bipartite *graph, const int64_t *offsets, const int32_t *items)
{
    ck_assert_int_eq(graph->interactions, offsets[graph->users]);
    ck_assert_mem_eq(graph->offsets, offsets, ((size_t)graph->users + 1) * sizeof *offsets);
    for (int64_t k = 0; k < offsets[graph->users]; k++) {
        ck_assert_int_eq(graph->item_ids[k], items[k]);
    }
}

START_TEST(items_of_a_user_ascend_and_count_once)
{
    const int32_t users[] = {2, 0, 2, 0, 2, 2, 0};
    const int32_t items[] = {3, 1, 0, 1, 3, 2, 0};
    bipartite graph;
    int64_t duplicates = -1;
    OK(bipartite_create(&memory_default, 4, 4, users, items, 7, &graph, &duplicates));
    ck_assert_int_eq(duplicates, 2); /* (2, 3) and (0, 1) */
    check_lists(&graph, (const int64_t[]){0, 2, 2, 5, 5}, (const int32_t[]){0, 1, 0, 2, 3});
    ck_assert_int_eq(bipartite_degree(&graph, 0), 2);
    ck_assert_int_eq(bipartite_degree(&graph, 1), 0);
    bipartite_release(&graph);
    ck_assert_ptr_null(graph.offsets);
}
END_TEST

START_TEST(a_user_has_exactly_the_items_that_were_given)
{
    bipartite graph = make(2, 3, two_users, three_items, 3);
    const bool expected[2][3] = {{true, false, true}, {false, false, true}};
    for (int32_t user = 0; user < 2; user++) {
        for (int32_t item = 0; item < 3; item++) {
            ck_assert_int_eq(bipartite_has(&graph, user, item), expected[user][item]);
        }
    }
    bipartite_release(&graph);
}
END_TEST

START_TEST(no_interactions_are_legal)
{
    bipartite graph = make(3, 2, NULL, NULL, 0);
    check_lists(&graph, (const int64_t[]){0, 0, 0, 0}, NULL);
    ck_assert(!bipartite_has(&graph, 2, 1));
    adjacency nodes;
    OK(adjacency_create(&memory_default, &graph, &nodes));
    ck_assert_int_eq(nodes.nonzeros, 5);
    adjacency_release(&nodes);
    bipartite_release(&graph);
}
END_TEST

START_TEST(a_merge_is_the_union_of_both)
{
    bipartite a = make(3, 5, (const int32_t[]){0, 0, 2}, (const int32_t[]){1, 4, 0}, 3);
    bipartite b = make(3, 5, (const int32_t[]){0, 0, 1, 2}, (const int32_t[]){0, 4, 3, 4}, 4);
    bipartite both;
    OK(bipartite_merge(&memory_default, &a, &b, &both));
    check_lists(&both, (const int64_t[]){0, 3, 4, 6}, (const int32_t[]){0, 1, 4, 3, 0, 4});
    bipartite_release(&both);
    bipartite_release(&a);
    bipartite_release(&b);
}
END_TEST

START_TEST(every_node_is_its_own_neighbour_and_columns_ascend)
{
    bipartite graph = make(2, 3, two_users, three_items, 3);
    adjacency nodes;
    OK(adjacency_create(&memory_default, &graph, &nodes));
    ck_assert_int_eq(nodes.nodes, 5);
    ck_assert_int_eq(nodes.nonzeros, 11); /* 2 x 3 interactions + 5 nodes */
    const int64_t offsets[] = {0, 3, 5, 7, 8, 11};
    const int32_t columns[] = {0, 2, 4, /**/ 1, 4, /**/ 0, 2, /**/ 3, /**/ 0, 1, 4};
    ck_assert_mem_eq(nodes.offsets, offsets, sizeof offsets);
    ck_assert_mem_eq(nodes.columns, columns, sizeof columns);
    adjacency_release(&nodes);
    bipartite_release(&graph);
}
END_TEST

START_TEST(values_are_powers_of_both_degrees_that_count_the_node_itself)
{
    bipartite graph = make(2, 3, two_users, three_items, 3);
    adjacency nodes;
    OK(adjacency_create(&memory_default, &graph, &nodes));
    float values[11];
    /* Degrees: u0 3, u1 2, i0 2, i1 1, i2 3. A(-0.5, -0.5): 1 / sqrt(product). */
    adjacency_values(&nodes, -0.5, -0.5, values);
    const double half[] = {1.0 / 3, 1 / sqrt(6), 1.0 / 3, 1.0 / 2,     1 / sqrt(6), 1 / sqrt(6),
                           1.0 / 2, 1.0,         1.0 / 3, 1 / sqrt(6), 1.0 / 3};
    for (int k = 0; k < 11; k++) {
        ck_assert_float_eq_tol(values[k], (float)half[k], 1e-7f);
    }
    /* A(-1, 2), not symmetric: column degree squared over row degree. */
    adjacency_values(&nodes, -1.0, 2.0, values);
    const double skew[] = {9.0 / 3, 4.0 / 3, 9.0 / 3, 4.0 / 2, 9.0 / 2, 9.0 / 2, 4.0 / 2, 1.0, 9.0 / 3, 4.0 / 3, 9.0 / 3};
    for (int k = 0; k < 11; k++) {
        ck_assert_float_eq_tol(values[k], (float)skew[k], 1e-6f);
    }
    adjacency_release(&nodes);
    bipartite_release(&graph);
}
END_TEST

/* The value at (row, column) of a structure; fails if there is none. */
static float value_at(const adjacency *nodes, const float *values, int32_t row, int32_t column)
{
    for (int64_t k = nodes->offsets[row]; k < nodes->offsets[row + 1]; k++) {
        if (nodes->columns[k] == column) {
            return values[k];
        }
    }
    ck_abort_msg("no value at (%d, %d)", (int)row, (int)column);
    return 0.0f;
}

/* Also degrees above the table of powers in adjacency_values: user 0 has 1,500 items. */
START_TEST(exchanged_exponents_transpose_the_graph_exactly)
{
    enum { ITEMS = 1500, N = ITEMS + 40 };
    int32_t users[N];
    int32_t items[N];
    for (int32_t k = 0; k < N; k++) {
        users[k] = k < ITEMS ? 0 : 1 + k % 3;
        items[k] = k < ITEMS ? k : k * 7 % ITEMS;
    }
    bipartite graph = make(4, ITEMS, users, items, N);
    adjacency nodes;
    OK(adjacency_create(&memory_default, &graph, &nodes));
    float *forward = malloc((size_t)nodes.nonzeros * sizeof *forward);
    float *backward = malloc((size_t)nodes.nonzeros * sizeof *backward);
    adjacency_values(&nodes, -0.5, -0.3, forward);
    adjacency_values(&nodes, -0.3, -0.5, backward);
    for (int32_t row = 0; row < nodes.nodes; row++) {
        for (int64_t k = nodes.offsets[row]; k < nodes.offsets[row + 1]; k++) {
            ck_assert_float_eq(forward[k], value_at(&nodes, backward, nodes.columns[k], row));
        }
    }
    /* u0 has degree 1501; item 5 has it alone (no k * 7 % 1500 above is 5): degree 2. */
    ck_assert_float_eq_tol(value_at(&nodes, forward, 0, 4 + 5), (float)(pow(1501, -0.5) * pow(2, -0.3)), 1e-9f);
    ck_assert_float_eq_tol(value_at(&nodes, forward, 4 + 5, 0), (float)(pow(2, -0.5) * pow(1501, -0.3)), 1e-9f);
    free(forward);
    free(backward);
    adjacency_release(&nodes);
    bipartite_release(&graph);
}
END_TEST

START_TEST(more_nodes_than_int32_can_count_are_refused)
{
    bipartite graph = {.source = &memory_default, .users = 2000000000, .items = 200000000};
    adjacency nodes;
    FAILS(CFD_ERROR_DATA, "2000000000 users", adjacency_create(&memory_default, &graph, &nodes));
}
END_TEST

START_TEST(every_failing_allocation_is_reported_and_nothing_leaks)
{
    counted_memory counts;
    memory_source source = counted_source(&counts);
    for (long n = 0;; n++) {
        bipartite graph = {0};
        bipartite twice = {0};
        adjacency nodes = {0};
        counts.asked = 0;
        counts.fail_at = n;
        cfd_status status = bipartite_create(&source, 2, 3, two_users, three_items, 3, &graph, NULL);
        if (status == CFD_OK) {
            status = bipartite_merge(&source, &graph, &graph, &twice);
        }
        if (status == CFD_OK) {
            status = adjacency_create(&source, &twice, &nodes);
        }
        adjacency_release(&nodes);
        bipartite_release(&twice);
        bipartite_release(&graph);
        ck_assert_int_eq(counts.held, 0);
        if (status == CFD_OK) {
            ck_assert_int_ge(n, 6);
            break;
        }
        ck_assert_int_eq(status, CFD_ERROR_MEMORY);
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("graph");
    TCase *c = tcase_create("graph");
    tcase_add_test(c, items_of_a_user_ascend_and_count_once);
    tcase_add_test(c, a_user_has_exactly_the_items_that_were_given);
    tcase_add_test(c, no_interactions_are_legal);
    tcase_add_test(c, a_merge_is_the_union_of_both);
    tcase_add_test(c, every_node_is_its_own_neighbour_and_columns_ascend);
    tcase_add_test(c, values_are_powers_of_both_degrees_that_count_the_node_itself);
    tcase_add_test(c, exchanged_exponents_transpose_the_graph_exactly);
    tcase_add_test(c, more_nodes_than_int32_can_count_are_refused);
    tcase_add_test(c, every_failing_allocation_is_reported_and_nothing_leaks);
    suite_add_tcase(s, c);
    return s;
}

TEST_MAIN(suite)
