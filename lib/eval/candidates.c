/* SPDX-License-Identifier: Apache-2.0 */
/* Candidates and negatives: see candidates.h. */
#include "eval/candidates.h"

#include "base/philox.h"

#include <string.h>

typedef struct id_list {
    const int32_t *next, *end;
} id_list;

static id_list items_of(const bipartite *split, int32_t user)
{
    return (id_list){split->item_ids + split->offsets[user], split->item_ids + split->offsets[user + 1]};
}

/* Known and held-out lists of the user; the evaluated split is the last. */
static int lists_of(const dataset *data, cfd_split split, int32_t user, id_list lists[3])
{
    int n = 0;
    lists[n++] = items_of(&data->splits[CFD_SPLIT_TRAIN], user);
    lists[n++] = items_of(&data->splits[CFD_SPLIT_VALIDATION], user);
    if (split == CFD_SPLIT_TEST) {
        lists[n++] = items_of(&data->splits[CFD_SPLIT_TEST], user);
    }
    return n;
}

size_t candidates_excluded(const dataset *data, cfd_split split, int32_t user, int32_t *out)
{
    id_list lists[3];
    int n_lists = lists_of(data, split, user, lists);
    size_t n = 0;
    for (;;) {
        int lowest = -1;
        for (int i = 0; i < n_lists; i++) {
            if (lists[i].next != lists[i].end && (lowest < 0 || *lists[i].next < *lists[lowest].next)) {
                lowest = i;
            }
        }
        if (lowest < 0) {
            return n;
        }
        int32_t item = *lists[lowest].next++;
        if (n == 0 || out[n - 1] != item) {
            out[n++] = item;
        }
    }
}

size_t candidates_excluded_bound(const dataset *data, cfd_split split, int32_t user)
{
    id_list lists[3];
    int n_lists = lists_of(data, split, user, lists);
    size_t n = 0;
    for (int i = 0; i < n_lists; i++) {
        n += (size_t)(lists[i].end - lists[i].next);
    }
    return n;
}

/* The candidate with `order` candidates below it. The numbers being random, a branch on them would be guessed wrong
 * half of the time: the search takes as many steps wherever it ends. */
static int32_t candidate_at(const int32_t *excluded, size_t n_excluded, int32_t order)
{
    size_t below = 0; /* excluded items below the candidate: those j with excluded[j] - j <= order */
    for (size_t left = n_excluded; left > 0;) {
        size_t step = (left + 1) / 2;
        size_t last = below + step - 1;
        below += (size_t)(excluded[last] - (int32_t)last <= order) * step;
        left -= step;
    }
    return order + (int32_t)below;
}

size_t negatives_slots(int32_t wanted, int32_t items)
{
    size_t most = (size_t)(wanted < items ? wanted : items);
    size_t slots = 16;
    while (slots < 2 * most) {
        slots *= 2;
    }
    return slots;
}

/* Adds a number to the hash set; false if it was there. A slot holds a number + 1, or 0. */
static bool add_number(int32_t *table, size_t slots, int32_t number)
{
    uint32_t mixed = (uint32_t)number * UINT32_C(2654435769);
    size_t at = mixed & (slots - 1);
    while (table[at] != 0) {
        if (table[at] == number + 1) {
            return false;
        }
        at = (at + 1) & (slots - 1);
    }
    table[at] = number + 1;
    return true;
}

size_t negatives_draw(uint64_t seed, int32_t user, int32_t items, const int32_t *excluded, size_t n_excluded, int32_t wanted,
                      int32_t *table, int32_t *out)
{
    int32_t candidates = items - (int32_t)n_excluded;
    if (candidates <= wanted) {
        for (int32_t i = 0; i < candidates; i++) {
            out[i] = candidate_at(excluded, n_excluded, i);
        }
        return (size_t)candidates;
    }
    size_t slots = negatives_slots(wanted, items);
    memset(table, 0, slots * sizeof *table);
    /* Floyd: of the first `last + 1` candidates, one at random; if it was taken, the last of them, which was not. The
     * random numbers first, since they do not wait for one another. */
    int32_t last = candidates - wanted;
    for (int32_t draw = 0; draw < wanted; draw++) {
        philox_block random = philox(seed, PHILOX_NEGATIVES, (uint64_t)user, (uint32_t)draw);
        out[draw] = (int32_t)philox_below(random.word[0], random.word[1], (uint32_t)(last + draw) + 1);
    }
    for (int32_t draw = 0; draw < wanted; draw++) {
        int32_t number = out[draw];
        if (!add_number(table, slots, number)) {
            number = last + draw;
            add_number(table, slots, number);
        }
        out[draw] = candidate_at(excluded, n_excluded, number);
    }
    return (size_t)wanted;
}
