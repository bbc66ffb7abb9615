/* SPDX-License-Identifier: Apache-2.0 */
/* Nearest keys by cosine: see similar.h. Only the columns that count are read, for product and norm at once. */
#include "serve/similar.h"

#include "serve/lanes.h"
#include "serve/selection.h"

#include <string.h>

enum { BLOCK_ITEMS = 256, LANES = 16 };

typedef struct similar_job {
    const scorer *s;
    const key_part *part;
    float sign;
    const float *rows;  /* NULL: those of the items in `own` */
    const int32_t *own; /* items that are left out, each of its own list; NULL: rows are no items' */
    size_t k, kept;
    list_filter filter;
    size_t heap_at, excluded_at, cosines_at; /* in the scratch */
    int32_t *items;
    float *scores;
    int32_t *counts;
} similar_job;

/* A group of consecutive columns, as a compiler keeps it in vector registers. */
typedef float lanes __attribute__((vector_size(LANES * sizeof(float))));

/* Adds up products and squares lane by lane, in a fixed order; columns beyond the last whole group are lanes of zeros. */
static void add_products(const float *a, const float *b, int32_t n, lanes *product, lanes *square)
{
    lanes products = *product;
    lanes squares = *square;
    for (int32_t c = 0; c < n; c += LANES) {
        size_t bytes = n - c < LANES ? (size_t)(n - c) * sizeof *a : sizeof(lanes);
        lanes x = {0};
        lanes y = {0};
        if (bytes == sizeof(lanes)) {
            memcpy(&x, a + c, sizeof x);
            memcpy(&y, b + c, sizeof y);
        } else {
            memcpy(&x, a + c, bytes);
            memcpy(&y, b + c, bytes);
        }
        products += x * y;
        squares += y * y;
    }
    *product = products;
    *square = squares;
}

/* a . b / |b|; 0 where b is zero. */
static double direction(const key_part *part, const float *a, const float *b)
{
    lanes product = {0};
    lanes square = {0};
    for (int32_t r = 0; r < part->n; r++) {
        int32_t begin = part->ranges[r].begin;
        add_products(a + begin, b + begin, part->ranges[r].end - begin, &product, &square);
    }
    double dot = 0.0;
    double squares = 0.0;
    for (int k = 0; k < LANES; k++) {
        dot += product[k];
        squares += square[k];
    }
    return squares > 0.0 ? dot / sqrt(squares) : 0.0;
}

static void cosines(const similar_job *job, const float *row, double scale, const int32_t *items, size_t first, size_t n,
                    float *out)
{
    const scorer *s = job->s;
    for (size_t i = 0; i < n; i++) {
        size_t item = items ? (size_t)items[i] : first + i;
        out[i] = (float)(scale * direction(job->part, row, s->keys + item * (size_t)s->width));
    }
}

/* Adds an id to an ascending list that lies in room of its own. */
static ops_ids with_own(ops_ids list, int32_t own, int32_t *room)
{
    int32_t *to = room;
    const int32_t *at = list.begin;
    while (at != list.end && *at < own) {
        *to++ = *at++;
    }
    *to++ = own;
    while (at != list.end) {
        *to++ = *at++;
    }
    return (ops_ids){room, to};
}

static cfd_status similar_block(void *argument, unsigned char *scratch, size_t index)
{
    const similar_job *job = argument;
    const scorer *s = job->s;
    size_t width = (size_t)s->width;
    const float *row = job->rows ? job->rows + index * width : s->keys + (size_t)job->own[index] * width;
    float *out = (float *)(void *)(scratch + job->cosines_at);
    int32_t *room = (int32_t *)(void *)(scratch + job->excluded_at);
    selection one;
    top_k_start(&one.best, (uint64_t *)(void *)(scratch + job->heap_at), job->kept);
    size_t used = filter_order(&job->filter, index, room, &one.excluded);
    if (job->own) {
        one.excluded = with_own(one.excluded, job->own[index], room + used);
    }
    double length = direction(job->part, row, row);
    double scale = length > 0.0 ? job->sign / length : 0.0;
    const id_set *allowed = &job->filter.allowed;
    for (size_t first = 0; first < allowed->n; first += BLOCK_ITEMS) {
        size_t n = allowed->n - first < BLOCK_ITEMS ? allowed->n - first : BLOCK_ITEMS;
        const int32_t *items = allowed->ids ? allowed->ids + first : NULL;
        cosines(job, row, scale, items, first, n, out);
        if (items) {
            selection_offer_listed(&one, out, items, n);
        } else {
            selection_offer(&one, out, (int32_t)first, (int32_t)n);
        }
    }
    size_t found = selection_finish(&one, &job->filter, job->k, job->items + index * job->k,
                                    job->scores ? job->scores + index * job->k : NULL);
    if (job->counts) {
        job->counts[index] = (int32_t)found;
    }
    return CFD_OK;
}

/* The longest list of exclusions, once merged and once with the item itself. */
static size_t room_of(const similar_job *job, size_t n)
{
    size_t most = 0;
    for (size_t i = 0; i < n; i++) {
        size_t excluded = filter_count(&job->filter, i);
        most = excluded > most ? excluded : most;
    }
    return 3 * most + 1;
}

cfd_status similar_items(const scorer *s, const key_part *part, float sign, const float *rows, const int32_t *own, size_t n,
                         size_t k, const cfd_filter *filter, int32_t *items, float *scores, int32_t *counts)
{
    similar_job job = {.s = s,
                       .part = part,
                       .sign = sign,
                       .rows = rows,
                       .own = own,
                       .k = k,
                       .items = items,
                       .scores = scores,
                       .counts = counts};
    TRY(filter_init(&job.filter, s->memory, filter, NULL, (seen_items){NULL, NULL}, s->items));
    size_t most = job.filter.allowed.n > 0 ? job.filter.allowed.n : 1;
    job.kept = k < most ? k : most;
    lane_plan plan = {0};
    job.heap_at = lane_reserve(&plan, job.kept, sizeof(uint64_t));
    job.excluded_at = lane_reserve(&plan, room_of(&job, n), sizeof(int32_t));
    job.cosines_at = lane_reserve(&plan, BLOCK_ITEMS, sizeof(float));
    cfd_status status = lanes_run(s->memory, s->pool, n, &plan, "similar items", similar_block, &job);
    filter_release(&job.filter, s->memory);
    return status;
}
