/* SPDX-License-Identifier: Apache-2.0 */
/* Sorting out: which keys cannot be among a query's k best, by products of int8 and a bound on what these may be wrong by.
 *
 * A row x of n numbers is rounded to x' = s_x X, integers X of at most 127 and one scale; e_x = x - x' is what that takes.
 * For a query q and a key k
 *
 *     q.k = q'.k' + e_q.k + q'.e_k,   so   |q.k - q'.k'| <= |e_q| |k| + |q'| |e_k|   (Cauchy and Schwarz).
 *
 * What has to be bounded is not q.k but what score_block makes of it, whose every product and sum is rounded to 24 bits. Of
 * any order of summation that differs from the exact sum by at most n u / (1 - n u) * sum |q_c k_c| with u = 2^-24, which
 * with n <= 2^16 is at most (n + 16) 2^-23 |q| |k|. Divided by s_q, which leaves the order as it is, and with Q.K in exact
 * integers:
 *
 *     |score / s_q - s_k (Q.K)| <= |k| (|e_q| + (n + 16) 2^-23 |q|) / s_q + |e_k| |Q|  =  a |k| + b |e_k|.
 *
 * The filter (kernels_short.c) evaluates s_k (Q.K) and the bound in float32. Converting Q.K, the product with s_k and the
 * sum with the bound are three roundings of numbers no larger than |Q| |k'| + bound, and |k'| <= |k| + |e_k|; the bound
 * itself is three more. So both factors get 2^-18 |Q| on top and grow by 2^-18 of themselves, several times what is needed.
 *
 * All this holds while nothing overflows and what underflows does not matter. So
 * - a key longer than 2^60, or with a number that is not finite, gets |e_k| = infinity: it is never out, and its lower bound
 *   says nothing;
 * - a query that is not of a length from 2^-60 to 2^60 is given up at once. Then |q| |k| <= 2^120: no partial sum overflows;
 * - a product or sum that underflows, were it flushed to zero, is wrong by less than 2^-126: 2 n of them by less than
 *   n 2^-125. Should the host have its processor read tiny numbers as zeros, q or k loses up to sqrt(n) 2^-126 of length
 * more than was seen here. The former is an absolute error, the latter is added to |e_q|, |k| and |e_k|.
 *
 * A query keeps the k best lower bounds that it has met. An item whose upper bound is below the worst of these has k items
 * with higher scores, whatever their ids: it is out. Excluded items are not looked at. */
#include "ops/cpu/cpu_keys.h"

#include <string.h>

enum {
    MOST_WIDTH = 60000, /* 255 * 127 * width fits an int32_t */
    LEAST_WIDTH = 32,   /* below, a float32 product is as good as free */
    LEAST_KEYS = 256,
    CHUNK = 512,      /* columns rounded at a time */
    CREATE_PANELS = 8 /* in a block of work */
};

ops_scoring cpu_scoring(const ops *o)
{
    const cpu_ops *cpu = (const cpu_ops *)o;
    if (cpu->scoring_asked != OPS_SCORING_AUTO) {
        return cpu->scoring_asked;
    }
    return cpu->short_loops->fast ? OPS_SCORING_INT8 : OPS_SCORING_FLOAT32;
}

cfd_status cpu_set_scoring(ops *o, ops_scoring wanted)
{
    cpu_of(o)->scoring_asked = wanted; /* every set has loops for int8 */
    return CFD_OK;
}

/* ---- the keys ---- */

/* A key's integers go into its place in the panel, as bytes. */
static void place(const int8_t *integers, int32_t from, int32_t n, uint8_t *panel, int32_t at)
{
    for (int32_t c = 0; c < n; c++) {
        int32_t column = from + c;
        size_t group = (size_t)(column / SHORT_GROUP);
        panel[(group * SHORT_PANEL + (size_t)at) * SHORT_GROUP + (size_t)(column % SHORT_GROUP)] = (uint8_t)(integers[c] +
                                                                                                             128);
    }
}

static void round_key(const struct ops_keys *made, const float *key, uint8_t *panel, float *bounds, int32_t at)
{
    int8_t integers[CHUNK];
    short_sums sums = {0};
    made->kernels->measure(key, made->width, &sums);
    double norm = sqrt(sums.squares);
    if (!(norm <= LONGEST)) { /* NaN too */
        bounds[at] = 0;
        bounds[SHORT_PANEL + at] = 0;
        bounds[2 * SHORT_PANEL + at] = INFINITY;
        return;
    }
    float scale = sums.largest / 127.0f;
    double lost = norm;
    if (sums.largest >= (float)TINY) {
        sums = (short_sums){0};
        for (int32_t c = 0; c < made->width; c += CHUNK) {
            int32_t n = made->width - c < CHUNK ? made->width - c : CHUNK;
            made->kernels->round(key + c, n, 1.0f / scale, 1.0, (double)scale, integers, &sums);
            place(integers, c, n, panel, at);
        }
        lost = sqrt(sums.squares) + norm * 0x1p-40; /* the differences were formed in double */
    } else {
        scale = 0;
    }
    bounds[at] = scale;
    bounds[SHORT_PANEL + at] = rounded_up(norm + TINY);
    bounds[2 * SHORT_PANEL + at] = rounded_up(lost + TINY);
}

typedef struct create_job {
    struct ops_keys *made;
    const float *keys;
    uint16_t *lengths; /* n: the upper halves of the floats, in which order is kept */
} create_job;

static void measure_block(void *argument, size_t block)
{
    const create_job *job = argument;
    const struct ops_keys *made = job->made;
    int64_t begin = (int64_t)block * (CREATE_PANELS * SHORT_PANEL);
    for (int64_t i = begin; i < begin + CREATE_PANELS * SHORT_PANEL && i < made->keys.n; i++) {
        short_sums sums;
        made->kernels->measure(job->keys + i * made->width, made->width, &sums);
        double squares = sums.squares;
        float norm = squares <= LONGEST * LONGEST ? (float)sqrt(squares) : INFINITY;
        uint32_t bits;
        memcpy(&bits, &norm, sizeof bits);
        job->lengths[i] = (uint16_t)(bits >> 16);
    }
}

/* Gives the keys their places, long ones first: a counting sort, for which eight bits of precision do. */
static cfd_status order_keys(const memory_source *memory, const uint16_t *lengths, int32_t n, int32_t *ids)
{
    enum { LENGTHS = 1 << 15 }; /* no sign */
    int32_t *places;
    TRY(memory_allocate_zero(memory, LENGTHS, sizeof *places, "keys in int8", &places));
    for (int32_t i = 0; i < n; i++) {
        places[lengths[i]]++;
    }
    for (int32_t length = LENGTHS - 1, place = 0; length >= 0; length--) {
        int32_t count = places[length];
        places[length] = place;
        place += count;
    }
    for (int32_t i = 0; i < n; i++) {
        ids[places[lengths[i]]++] = i;
    }
    memory_release(memory, places);
    return CFD_OK;
}

static void create_block(void *argument, size_t block)
{
    const create_job *job = argument;
    struct ops_keys *made = job->made;
    size_t panel_bytes = (size_t)made->keys.groups * SHORT_PANEL * SHORT_GROUP;
    int32_t begin = (int32_t)block * CREATE_PANELS;
    int32_t end = made->keys.panels - begin < CREATE_PANELS ? made->keys.panels : begin + CREATE_PANELS;
    for (int32_t p = begin; p < end; p++) {
        uint8_t *panel = made->keys.bytes + (size_t)p * panel_bytes;
        float *bounds = made->keys.bounds + (size_t)p * (3 * SHORT_PANEL);
        memset(panel, 128, panel_bytes);
        memset(bounds, 0, 3 * SHORT_PANEL * sizeof *bounds);
        int64_t first = (int64_t)p * SHORT_PANEL;
        for (int32_t i = 0; i < SHORT_PANEL && first + i < made->keys.n; i++) {
            round_key(made, job->keys + (int64_t)made->keys.ids[first + i] * made->width, panel, bounds, i);
        }
    }
}

cfd_status cpu_keys_create(ops *o, const float *keys, int32_t n, int32_t width, ops_keys **out)
{
    const cpu_ops *cpu = cpu_of(o);
    bool worth_it = cpu->scoring_asked == OPS_SCORING_INT8 || (width >= LEAST_WIDTH && n >= LEAST_KEYS);
    if (cpu_scoring(o) != OPS_SCORING_INT8 || width > MOST_WIDTH || !worth_it) {
        *out = NULL;
        return CFD_OK;
    }
    struct ops_keys *made;
    TRY(memory_allocate_zero(o->memory, 1, sizeof *made, "keys in int8", &made));
    made->width = width;
    made->kernels = cpu->short_loops;
    made->keys.n = n;
    made->keys.groups = (width - 1) / SHORT_GROUP + 1;
    made->keys.panels = (n - 1) / SHORT_PANEL + 1;
    size_t panels = (size_t)made->keys.panels;
    size_t panel_bytes = (size_t)made->keys.groups * SHORT_PANEL * SHORT_GROUP;
    cfd_status status;
    TRY_OR(failed, memory_allocate(o->memory, panels, panel_bytes, "keys in int8", &made->keys.bytes));
    TRY_OR(failed, memory_allocate(o->memory, panels, 3 * SHORT_PANEL * sizeof(float), "keys in int8", &made->keys.bounds));
    TRY_OR(failed, memory_allocate(o->memory, (size_t)n, sizeof(int32_t), "keys in int8", &made->keys.ids));
    create_job job = {made, keys, NULL};
    TRY_OR(failed, memory_allocate(o->memory, (size_t)n, sizeof *job.lengths, "keys in int8", &job.lengths));
    threads_run(o->pool, blocks_of(panels, CREATE_PANELS), measure_block, &job);
    status = order_keys(o->memory, job.lengths, n, made->keys.ids);
    memory_release(o->memory, job.lengths);
    if (status != CFD_OK) {
        goto failed;
    }
    threads_run(o->pool, blocks_of(panels, CREATE_PANELS), create_block, &job);
    *out = made;
    return CFD_OK;
failed:
    cpu_keys_destroy(o, made);
    return status;
}

void cpu_keys_destroy(ops *o, ops_keys *keys)
{
    if (keys) {
        memory_release(o->memory, keys->keys.bytes);
        memory_release(o->memory, keys->keys.bounds);
        memory_release(o->memory, keys->keys.ids);
        memory_release(o->memory, keys);
    }
}

const short_keys *cpu_short_keys(const ops_keys *keys)
{
    return &keys->keys;
}
