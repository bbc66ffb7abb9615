/* SPDX-License-Identifier: Apache-2.0 */
/* Selection of the best k: see top_k.h. Most scores fail one comparison with the floor; only the others touch
 * the heap, about k log(n / k) of them. */
#include "serve/top_k.h"

enum { TOGETHER = 32 }; /* scores that are compared with the floor before any of them is looked at */

static uint64_t entry_of(float score, int32_t item)
{
    uint32_t high = (uint32_t)float_to_order(score) ^ UINT32_C(0x80000000); /* unsigned, in the same order */
    return (uint64_t)high << 32 | (UINT32_MAX - (uint32_t)item);
}

static int32_t entry_item(uint64_t entry)
{
    return (int32_t)(UINT32_MAX - (uint32_t)entry);
}

static float entry_score(uint64_t entry)
{
    uint32_t high = (uint32_t)(entry >> 32) ^ UINT32_C(0x80000000);
    int32_t order;
    memcpy(&order, &high, sizeof order);
    return float_from_order(order);
}

static void sink(uint64_t *heap, size_t n, size_t at, uint64_t entry)
{
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= n) {
            break;
        }
        child += child + 1 < n && heap[child + 1] < heap[child];
        if (heap[child] >= entry) {
            break;
        }
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = entry;
}

static void rise(uint64_t *heap, size_t at, uint64_t entry)
{
    while (at > 0 && heap[(at - 1) / 2] > entry) {
        heap[at] = heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    heap[at] = entry;
}

void top_k_start(top_k *best, uint64_t *heap, size_t k)
{
    *best = (top_k){heap, k, 0, 0.0f};
}

/* Is any of TOGETHER scores above the floor? Without a branch for each the compiler compares several at once. */
static int any_above(const float *scores, float floor)
{
    int above = 0;
    for (size_t i = 0; i < TOGETHER; i++) {
        above |= scores[i] > floor;
    }
    return above;
}

void top_k_offer(top_k *best, const float *scores, size_t n, int32_t first)
{
    size_t i = 0;
    for (; i < n && best->n < best->k; i++) {
        rise(best->heap, best->n, entry_of(scores[i], first + (int32_t)i));
        best->n++;
    }
    if (best->n == 0) {
        return;
    }
    best->floor = entry_score(best->heap[0]);
    while (i < n) {
        if (n - i >= TOGETHER && !any_above(scores + i, best->floor)) {
            i += TOGETHER;
            continue;
        }
        for (size_t end = n - i < TOGETHER ? n : i + TOGETHER; i < end; i++) {
            if (scores[i] > best->floor) { /* an equal score has the higher id, and loses */
                sink(best->heap, best->k, 0, entry_of(scores[i], first + (int32_t)i));
                best->floor = entry_score(best->heap[0]);
            }
        }
    }
}

void top_k_offer_listed(top_k *best, const float *scores, size_t n, const int32_t *items)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t entry = entry_of(scores[i], items[i]);
        if (best->n < best->k) {
            rise(best->heap, best->n++, entry);
        } else if (best->k > 0 && entry > best->heap[0]) {
            sink(best->heap, best->k, 0, entry);
        }
    }
    best->floor = best->n > 0 ? entry_score(best->heap[0]) : best->floor;
}

void top_k_drop_below(top_k *best, float least)
{
    while (best->n > 0 && entry_score(best->heap[0]) < least) {
        best->n--;
        sink(best->heap, best->n, 0, best->heap[best->n]);
    }
}

size_t top_k_finish(top_k *best, int32_t *items, float *scores)
{
    /* The worst goes last, again and again: what remains is sorted, best first. */
    for (size_t left = best->n; left > 1; left--) {
        uint64_t worst = best->heap[0];
        sink(best->heap, left - 1, 0, best->heap[left - 1]);
        best->heap[left - 1] = worst;
    }
    for (size_t i = 0; i < best->n; i++) {
        items[i] = entry_item(best->heap[i]);
        if (scores) {
            scores[i] = entry_score(best->heap[i]);
        }
    }
    return best->n;
}
