/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of ids: see ids.h. */
#include "serve/ids.h"

#include <string.h>

bool ids_ascend(const int32_t *ids, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        if (ids[i] < ids[i - 1]) {
            return false;
        }
    }
    return true;
}

/* Lets the value at `at` sink in a heap whose largest value is on top. */
static void sink(int32_t *heap, size_t n, size_t at)
{
    int32_t value = heap[at];
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= n) {
            break;
        }
        child += child + 1 < n && heap[child + 1] > heap[child];
        if (heap[child] <= value) {
            break;
        }
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = value;
}

void ids_sort(int32_t *ids, size_t n)
{
    if (ids_ascend(ids, n)) {
        return;
    }
    for (size_t i = n / 2; i > 0; i--) {
        sink(ids, n, i - 1);
    }
    for (size_t left = n; left > 1; left--) {
        int32_t largest = ids[0];
        ids[0] = ids[left - 1];
        ids[left - 1] = largest;
        sink(ids, left - 1, 0);
    }
}

size_t ids_sort_once(int32_t *ids, size_t n)
{
    ids_sort(ids, n);
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        if (kept == 0 || ids[i] != ids[kept - 1]) {
            ids[kept++] = ids[i];
        }
    }
    return kept;
}

const float *ids_rows(const int32_t *ids, size_t n, const float *matrix, int32_t width, float *room)
{
    size_t consecutive = n > 0;
    while (consecutive < n && ids[consecutive] - 1 == ids[consecutive - 1]) {
        consecutive++;
    }
    if (consecutive == n) {
        return n == 0 ? room : matrix + (size_t)ids[0] * (size_t)width;
    }
    for (size_t i = 0; i < n; i++) {
        memcpy(room + i * (size_t)width, matrix + (size_t)ids[i] * (size_t)width, (size_t)width * sizeof *room);
    }
    return room;
}
