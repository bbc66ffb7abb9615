/* SPDX-License-Identifier: Apache-2.0 */
/* One stable counting pass by the first id, which copies runs of the same as a whole; then every group is sorted by itself,
 * in the cache: not at all if it ascends, by insertion if it is short, else by counting digits. */
#include "base/id_groups.h"

#include <string.h>

enum {
    SHORT_GROUP = 40, /* up to here insertion is faster */
    MOST_DIGIT_BITS = 9
};

/* ---- grouping ---- */

/* Where the run of the same first id ends that begins at k. */
static size_t run_end(const int32_t *firsts, size_t k, size_t n)
{
    int32_t first = firsts[k];
    do {
        k++;
    } while (k < n && firsts[k] == first);
    return k;
}

static void group_pairs(const int32_t *firsts, const int32_t *seconds, size_t n, int32_t groups, int64_t *offsets,
                        int32_t *members)
{
    memset(offsets, 0, ((size_t)groups + 1) * sizeof *offsets);
    for (size_t k = 0; k < n;) {
        size_t end = run_end(firsts, k, n);
        offsets[firsts[k] + (size_t)1] += (int64_t)(end - k);
        k = end;
    }
    for (int32_t i = 0; i < groups; i++) {
        offsets[i + 1] += offsets[i];
    }
    /* Filling moves each offset to the end of its group, which is where the next one begins. */
    for (size_t k = 0; k < n;) {
        size_t end = run_end(firsts, k, n);
        int32_t *to = members + offsets[firsts[k]];
        offsets[firsts[k]] += (int64_t)(end - k);
        if (end - k == 1) {
            *to = seconds[k];
        } else {
            memcpy(to, seconds + k, (end - k) * sizeof *to);
        }
        k = end;
    }
    memmove(offsets + 1, offsets, (size_t)groups * sizeof *offsets);
    offsets[0] = 0;
}

/* ---- sorting a group ---- */

static bool ascends(const int32_t *ids, size_t n)
{
    for (size_t k = 1; k < n; k++) {
        if (ids[k] < ids[k - 1]) {
            return false;
        }
    }
    return true;
}

static void sort_short(int32_t *ids, size_t n)
{
    for (size_t k = 1; k < n; k++) {
        int32_t id = ids[k];
        size_t at = k;
        while (at > 0 && ids[at - 1] > id) {
            ids[at] = ids[at - 1];
            at--;
        }
        ids[at] = id;
    }
}

/* Of ids below `bound`: how many passes, and how many bits each of them sorts by. */
typedef struct digits {
    int passes, bits;
} digits;

static digits digits_of(int32_t bound)
{
    int bits = 1;
    while (bits < 31 && ((bound - 1) >> bits) != 0) {
        bits++;
    }
    int passes = (bits + MOST_DIGIT_BITS - 1) / MOST_DIGIT_BITS;
    return (digits){passes, (bits + passes - 1) / passes};
}

/* A stable counting sort by each digit, the lowest first. spare: n. */
static void sort_long(int32_t *ids, size_t n, digits by, int32_t *spare)
{
    size_t starts[(1 << MOST_DIGIT_BITS) + 1];
    size_t values = (size_t)1 << by.bits;
    int32_t mask = (int32_t)values - 1;
    int32_t *from = ids;
    int32_t *to = spare;
    for (int pass = 0; pass < by.passes; pass++) {
        int shift = pass * by.bits;
        memset(starts, 0, (values + 1) * sizeof *starts);
        for (size_t k = 0; k < n; k++) {
            starts[(from[k] >> shift & mask) + 1]++;
        }
        for (size_t i = 1; i < values; i++) {
            starts[i] += starts[i - 1];
        }
        for (size_t k = 0; k < n; k++) {
            to[starts[from[k] >> shift & mask]++] = from[k];
        }
        int32_t *sorted = to;
        to = from;
        from = sorted;
    }
    if (from != ids) {
        memcpy(ids, from, n * sizeof *ids);
    }
}

/* ---- both ---- */

static size_t longest_group(const int64_t *offsets, int32_t groups)
{
    int64_t most = 0;
    for (int32_t i = 0; i < groups; i++) {
        int64_t length = offsets[i + 1] - offsets[i];
        most = length > most ? length : most;
    }
    return (size_t)most;
}

cfd_status ids_group(const memory_source *memory, const char *purpose, const int32_t *firsts, const int32_t *seconds,
                     size_t n, int32_t groups, int32_t bound, int64_t *offsets, int32_t *members)
{
    group_pairs(firsts, seconds, n, groups, offsets, members);
    size_t longest = longest_group(offsets, groups);
    int32_t *spare = NULL;
    if (longest > SHORT_GROUP) {
        TRY(memory_allocate(memory, longest, sizeof *spare, purpose, &spare));
    }
    digits by = digits_of(bound);
    for (int32_t i = 0; i < groups; i++) {
        int32_t *ids = members + offsets[i];
        size_t length = (size_t)(offsets[i + 1] - offsets[i]);
        if (ascends(ids, length)) {
            continue;
        }
        if (length <= SHORT_GROUP) {
            sort_short(ids, length);
        } else {
            sort_long(ids, length, by, spare);
        }
    }
    memory_release(memory, spare);
    return CFD_OK;
}
