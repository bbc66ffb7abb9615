/* SPDX-License-Identifier: Apache-2.0 */
/* The list of interactions: repeated pairs, k-core, numbering. See interactions.h; split.c splits it. */
#include "interactions.h"

#include <stdlib.h>
#include <string.h>

int interactions_add(interaction_list *list, int32_t user, int32_t item, double time, complaint *problem)
{
    if (list->n == list->capacity) {
        size_t capacity = list->capacity == 0 ? 4096 : list->capacity + list->capacity / 2;
        if (capacity > SIZE_MAX / sizeof(interaction)) {
            return complain_of_memory(problem);
        }
        interaction *rows = realloc(list->rows, capacity * sizeof(*rows));
        if (rows == NULL) {
            return complain_of_memory(problem);
        }
        list->rows = rows;
        list->capacity = capacity;
    }
    list->rows[list->n++] = (interaction){user, item, time};
    return 0;
}

void interactions_release(interaction_list *list)
{
    free(list->rows);
    memset(list, 0, sizeof(*list));
}

static int by_item_then_time(const void *a, const void *b)
{
    const interaction *x = a, *y = b;
    if (x->item != y->item) {
        return x->item < y->item ? -1 : 1;
    }
    return (x->time > y->time) - (x->time < y->time);
}

/* Sorts by user in one pass (counting), then each user's few by item. */
int interactions_deduplicate(interaction_list *list, int32_t n_users, complaint *problem)
{
    if (list->n == 0) {
        return 0;
    }
    size_t *starts = calloc((size_t)n_users + 1, sizeof(*starts));
    interaction *sorted = malloc(list->n * sizeof(*sorted));
    if (starts == NULL || sorted == NULL) {
        free(starts);
        free(sorted);
        return complain_of_memory(problem);
    }
    for (size_t i = 0; i < list->n; i++) {
        starts[list->rows[i].user + 1]++;
    }
    for (int32_t user = 0; user < n_users; user++) {
        starts[user + 1] += starts[user];
    }
    for (size_t i = 0; i < list->n; i++) {
        sorted[starts[list->rows[i].user]++] = list->rows[i];
    }
    free(list->rows);
    list->rows = sorted;
    list->capacity = list->n;

    size_t kept = 0, begin = 0;
    for (int32_t user = 0; user < n_users; user++) {
        size_t end = starts[user]; /* filling has moved each start to its user's end */
        qsort(sorted + begin, end - begin, sizeof(*sorted), by_item_then_time);
        for (size_t i = begin; i < end; i++) {
            if (i == begin || sorted[i].item != sorted[i - 1].item) {
                sorted[kept++] = sorted[i];
            }
        }
        begin = end;
    }
    list->n = kept;
    free(starts);
    return 0;
}

int interactions_core(interaction_list *list, int32_t n_users, int32_t n_items, int32_t core, complaint *problem)
{
    int32_t *of_user = malloc(((size_t)n_users + 1) * sizeof(*of_user));
    int32_t *of_item = malloc(((size_t)n_items + 1) * sizeof(*of_item));
    if (of_user == NULL || of_item == NULL) {
        free(of_user);
        free(of_item);
        return complain_of_memory(problem);
    }
    for (size_t before = list->n + 1; list->n < before;) {
        before = list->n;
        memset(of_user, 0, (size_t)n_users * sizeof(*of_user));
        memset(of_item, 0, (size_t)n_items * sizeof(*of_item));
        for (size_t i = 0; i < list->n; i++) {
            of_user[list->rows[i].user]++;
            of_item[list->rows[i].item]++;
        }
        size_t kept = 0;
        for (size_t i = 0; i < list->n; i++) {
            if (of_user[list->rows[i].user] >= core && of_item[list->rows[i].item] >= core) {
                list->rows[kept++] = list->rows[i];
            }
        }
        list->n = kept;
    }
    free(of_user);
    free(of_item);
    return 0;
}

/* new_ids: n entries, 1 where the id is in use; becomes its new id. */
static int close_up(int32_t *new_ids, int32_t n, id_map *map)
{
    int32_t used = 0;
    for (int32_t id = 0; id < n; id++) {
        used += new_ids[id];
    }
    map->old_ids = malloc(((size_t)used + 1) * sizeof(*map->old_ids));
    if (map->old_ids == NULL) {
        return -1;
    }
    map->n = 0;
    for (int32_t id = 0; id < n; id++) {
        if (new_ids[id] != 0) {
            new_ids[id] = map->n;
            map->old_ids[map->n++] = id;
        }
    }
    return 0;
}

int interactions_renumber(interaction_list *list, int32_t n_users, int32_t n_items, id_map *users, id_map *items,
                          complaint *problem)
{
    id_map user_map = {NULL, 0}, item_map = {NULL, 0};
    int32_t *new_users = calloc((size_t)n_users + 1, sizeof(*new_users));
    int32_t *new_items = calloc((size_t)n_items + 1, sizeof(*new_items));
    int failed = new_users == NULL || new_items == NULL;
    if (!failed) {
        for (size_t i = 0; i < list->n; i++) {
            new_users[list->rows[i].user] = 1;
            new_items[list->rows[i].item] = 1;
        }
        failed = close_up(new_users, n_users, &user_map) != 0 || close_up(new_items, n_items, &item_map) != 0;
    }
    if (failed) {
        id_map_release(&user_map);
        id_map_release(&item_map);
        free(new_users);
        free(new_items);
        return complain_of_memory(problem);
    }
    for (size_t i = 0; i < list->n; i++) {
        list->rows[i].user = new_users[list->rows[i].user];
        list->rows[i].item = new_items[list->rows[i].item];
    }
    free(new_users);
    free(new_items);
    *users = user_map;
    *items = item_map;
    return 0;
}

void id_map_release(id_map *map)
{
    free(map->old_ids);
    map->old_ids = NULL;
    map->n = 0;
}
