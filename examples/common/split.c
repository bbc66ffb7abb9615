/* SPDX-License-Identifier: Apache-2.0 */
/* Splitting each user's interactions into train, validation and test: see interactions.h. */
#include "interactions.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* One interaction of the user at hand. */
typedef struct event {
    double time;
    uint64_t draw; /* decides between equal times */
    size_t row;
} event;

/* One round of SplitMix64: well mixed bits of (seed, user, item), so that a draw depends on nothing else. */
static uint64_t mix(uint64_t x)
{
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

static uint64_t draw(uint64_t seed, int32_t user, int32_t item)
{
    return mix(mix(seed) ^ ((uint64_t)(uint32_t)user << 32 | (uint32_t)item));
}

static int by_time_then_draw(const void *a, const void *b)
{
    const event *x = a, *y = b;
    if (x->time != y->time) {
        return x->time < y->time ? -1 : 1;
    }
    return (x->draw > y->draw) - (x->draw < y->draw);
}

/* How many of a user's n interactions are held out. */
static void held_out(const split_options *options, size_t n, size_t *validation, size_t *test)
{
    if (options->method == SPLIT_LEAVE_ONE_OUT) {
        *validation = *test = n >= 3;
        return;
    }
    /* 1e-9: a share such as 0.29 of 100 is 28.999999999999996 in binary, and 29 is meant. */
    *validation = (size_t)floor((double)n * options->validation_share + 1e-9);
    *test = (size_t)floor((double)n * options->test_share + 1e-9);
    if (*validation + *test >= n) { /* a share of train that rounds to nothing */
        *validation = *test = 0;
    }
}

int interactions_split(const interaction_list *list, const split_options *options, unsigned char *splits, complaint *problem)
{
    event *events = NULL;
    size_t capacity = 0;
    memset(splits, SPLIT_TRAIN, list->n);
    for (size_t begin = 0, end; begin < list->n; begin = end) {
        int32_t user = list->rows[begin].user;
        for (end = begin; end < list->n && list->rows[end].user == user; end++) {
        }
        size_t n = end - begin, validation, test;
        held_out(options, n, &validation, &test);
        if (validation + test == 0) {
            continue;
        }
        if (n > capacity) {
            event *larger = realloc(events, n * sizeof(*events));
            if (larger == NULL) {
                free(events);
                return complain_of_memory(problem);
            }
            events = larger;
            capacity = n;
        }
        for (size_t i = 0; i < n; i++) {
            const interaction *row = &list->rows[begin + i];
            events[i] = (event){row->time, draw(options->seed, row->user, row->item), begin + i};
        }
        qsort(events, n, sizeof(*events), by_time_then_draw);
        for (size_t i = 0; i < test; i++) {
            splits[events[n - 1 - i].row] = SPLIT_TEST;
        }
        for (size_t i = 0; i < validation; i++) {
            splits[events[n - 1 - test - i].row] = SPLIT_VALIDATION;
        }
    }
    free(events);
    return 0;
}
