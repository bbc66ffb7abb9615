/* SPDX-License-Identifier: Apache-2.0 */
/* Synthetic data: who likes what, which item bears which tags, what features it has. */
#include "bench_synthetic.h"

#include "program.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- random numbers: SplitMix64 ---- */

static uint64_t next_bits(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* In (0, 1). */
static double next_uniform(uint64_t *state)
{
    return ((double)(next_bits(state) >> 12) + 0.5) * 0x1p-52;
}

static int32_t next_below(uint64_t *state, int32_t bound)
{
    return (int32_t)(next_uniform(state) * bound);
}

/* A stream of its own for every purpose and place. */
static uint64_t stream(uint64_t seed, uint64_t purpose, uint64_t place)
{
    uint64_t state = seed + purpose * 0xd1342543de82ef95u;
    state = next_bits(&state) + place;
    return next_bits(&state);
}

enum { PURPOSE_ACTIVITY = 1, PURPOSE_ITEMS, PURPOSE_CHOICE, PURPOSE_MODALITY };

/* ---- popularity ---- */

/* The k-th of n has weight (k + offset)^-exponent; which thing is the k-th is drawn. */
typedef struct popularity {
    int32_t n;
    int32_t *ids;
    double *sums; /* of weights, up to and with the k-th */
} popularity;

static void popularity_free(popularity *p)
{
    free(p->ids);
    free(p->sums);
}

static int popularity_make(popularity *p, int32_t n, double offset, double exponent, uint64_t state)
{
    *p = (popularity){n, malloc((size_t)n * sizeof(int32_t)), malloc((size_t)n * sizeof(double))};
    if (!p->ids || !p->sums) {
        return out_of_memory();
    }
    double sum = 0;
    for (int32_t k = 0; k < n; k++) {
        int32_t at = next_below(&state, k + 1); /* shuffled as it grows */
        p->ids[k] = p->ids[at];
        p->ids[at] = k;
        sum += pow(k + offset, -exponent);
        p->sums[k] = sum;
    }
    return EXIT_DONE;
}

static int32_t popularity_draw(const popularity *p, uint64_t *state)
{
    double wanted = next_uniform(state) * p->sums[p->n - 1];
    int32_t low = 0;
    int32_t high = p->n - 1;
    while (low < high) {
        int32_t middle = low + (high - low) / 2;
        if (p->sums[middle] > wanted) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return p->ids[low];
}

/* `wanted` distinct ids, at most n of them. seen[id] is the last owner that drew the id. Where chance takes long to find new
 * ones, the rest are the next that are free. */
static void draw_distinct(const popularity *p, uint64_t state, int32_t owner, int32_t *seen, int64_t wanted, int32_t *out)
{
    int64_t n = 0;
    for (int64_t tries = 0; n < wanted && tries < 16 * wanted; tries++) {
        int32_t id = popularity_draw(p, &state);
        if (seen[id] != owner) {
            seen[id] = owner;
            out[n++] = id;
        }
    }
    for (int32_t id = next_below(&state, p->n); n < wanted; id = id + 1 < p->n ? id + 1 : 0) {
        if (seen[id] != owner) {
            seen[id] = owner;
            out[n++] = id;
        }
    }
}

/* Rows of distinct ids: offsets are given, ids are drawn. */
static int draw_rows(const popularity *p, int32_t rows, const int64_t *offsets, uint64_t seed, uint64_t purpose,
                     int32_t **out)
{
    int32_t *seen = malloc((size_t)p->n * sizeof *seen);
    int32_t *ids = malloc((size_t)offsets[rows] * sizeof *ids + 1);
    if (!seen || !ids) {
        free(seen);
        free(ids);
        return out_of_memory();
    }
    memset(seen, 0xff, (size_t)p->n * sizeof *seen); /* -1: no owner */
    for (int32_t row = 0; row < rows; row++) {
        draw_distinct(p, stream(seed, purpose, (uint64_t)row), row, seen, offsets[row + 1] - offsets[row],
                      ids + offsets[row]);
    }
    free(seen);
    *out = ids;
    return EXIT_DONE;
}

/* ---- interactions ---- */

/* How many each user has: one, and of the rest a share by activity, rounded so that the sum comes out; never more than there
 * are items: what one cannot take is left to the others. */
static void share_out(const synthetic *s, const popularity *activity, int64_t *offsets)
{
    int64_t rest = (int64_t)s->interactions - s->users;
    int64_t given = 0;
    int64_t left = 0;
    offsets[0] = 0;
    for (int32_t k = 0; k < s->users; k++) {
        int64_t until = (int64_t)((double)rest * (activity->sums[k] / activity->sums[s->users - 1]));
        int64_t count = 1 + (k + 1 == s->users ? rest : until) - given;
        given += count - 1;
        left += count > s->items ? count - s->items : 0;
        offsets[activity->ids[k] + 1] = count > s->items ? s->items : count;
    }
    while (left > 0) {
        for (int32_t k = 0; k < s->users && left > 0; k++) {
            int64_t *count = &offsets[activity->ids[k] + 1];
            if (*count < s->items) {
                ++*count;
                left--;
            }
        }
    }
    for (int32_t u = 0; u < s->users; u++) {
        offsets[u + 1] += offsets[u];
    }
}

int synthetic_interactions(const synthetic *s, int64_t **offsets, int32_t **items)
{
    popularity activity = {0};
    popularity of_items = {0};
    int64_t *made = malloc(((size_t)s->users + 1) * sizeof *made);
    int code = made ? EXIT_DONE : out_of_memory();
    if (code == EXIT_DONE) {
        code = popularity_make(&activity, s->users, 0.02 * s->users + 1, 0.8, stream(s->seed, PURPOSE_ACTIVITY, 0));
    }
    if (code == EXIT_DONE) {
        code = popularity_make(&of_items, s->items, 0.002 * s->items + 1, 0.7, stream(s->seed, PURPOSE_ITEMS, 0));
    }
    if (code == EXIT_DONE) {
        share_out(s, &activity, made);
        code = draw_rows(&of_items, s->users, made, s->seed, PURPOSE_CHOICE, items);
    }
    popularity_free(&activity);
    popularity_free(&of_items);
    if (code != EXIT_DONE) {
        free(made);
        return code;
    }
    *offsets = made;
    return EXIT_DONE;
}

/* ---- content ---- */

int synthetic_tags(const synthetic *s, size_t modality, int64_t **offsets, int32_t **columns)
{
    const synthetic_modality *m = &s->modalities[modality];
    uint64_t purpose = PURPOSE_MODALITY + 2 * modality;
    popularity of_tags;
    int64_t *made = malloc(((size_t)s->items + 1) * sizeof *made);
    int code = popularity_make(&of_tags, m->columns, 1, 0.9, stream(s->seed, purpose, 0));
    code = code == EXIT_DONE && !made ? out_of_memory() : code;
    if (code == EXIT_DONE) {
        for (int64_t i = 0; i <= s->items; i++) {
            made[i] = i * m->per_item;
        }
        code = draw_rows(&of_tags, s->items, made, s->seed, purpose + 1, columns);
    }
    popularity_free(&of_tags);
    if (code != EXIT_DONE) {
        free(made);
        return code;
    }
    *offsets = made;
    return EXIT_DONE;
}

void synthetic_row(const synthetic *s, size_t modality, int32_t item, float *row)
{
    uint64_t state = stream(s->seed, PURPOSE_MODALITY + 2 * modality, (uint64_t)item);
    int32_t columns = s->modalities[modality].columns;
    for (int32_t c = 0; c < columns; c += 2) { /* two at a time (Box and Muller) */
        double radius = sqrt(-2.0 * log(next_uniform(&state)));
        double angle = 6.283185307179586 * next_uniform(&state);
        row[c] = (float)(radius * cos(angle));
        if (c + 1 < columns) {
            row[c + 1] = (float)(radius * sin(angle));
        }
    }
}

double synthetic_feature_bytes(const synthetic *s)
{
    double bytes = 0;
    for (size_t k = 0; k < s->n; k++) {
        const synthetic_modality *m = &s->modalities[k];
        bytes += m->per_item ? (double)s->items * (m->per_item * 8.0 + 8.0) : (double)s->items * m->columns * 4.0;
    }
    return bytes;
}

/* ---- the data set ---- */

static int add_interactions(const synthetic *s, cfd_dataset *dataset)
{
    int64_t *offsets = NULL;
    int32_t *items = NULL;
    int code = synthetic_interactions(s, &offsets, &items);
    int32_t *users = code == EXIT_DONE ? malloc((size_t)s->interactions * sizeof *users) : NULL;
    if (code == EXIT_DONE && !users) {
        code = out_of_memory();
    }
    if (code == EXIT_DONE) {
        for (int32_t u = 0; u < s->users; u++) {
            for (int64_t p = offsets[u]; p < offsets[u + 1]; p++) {
                users[p] = u;
            }
        }
        if (cfd_dataset_add_interactions(dataset, CFD_SPLIT_TRAIN, users, items, (size_t)s->interactions) != CFD_OK) {
            code = failed_in_library();
        }
    }
    free(users);
    free(items);
    free(offsets);
    return code;
}

static int add_modality(const synthetic *s, size_t modality, cfd_dataset *dataset)
{
    const synthetic_modality *m = &s->modalities[modality];
    int code = EXIT_DONE;
    if (m->per_item) {
        int64_t *offsets = NULL;
        int32_t *columns = NULL;
        code = synthetic_tags(s, modality, &offsets, &columns);
        if (code == EXIT_DONE &&
            cfd_dataset_add_sparse_modality(dataset, m->role, m->columns, offsets, columns, NULL) != CFD_OK) {
            code = failed_in_library();
        }
        free(offsets);
        free(columns);
        return code;
    }
    float *features = (size_t)s->items <= SIZE_MAX / sizeof *features / (size_t)m->columns
                          ? malloc((size_t)s->items * (size_t)m->columns * sizeof *features)
                          : NULL;
    if (!features) {
        return out_of_memory();
    }
    for (int32_t i = 0; i < s->items; i++) {
        synthetic_row(s, modality, i, features + (size_t)i * (size_t)m->columns);
    }
    if (cfd_dataset_add_dense_modality(dataset, m->role, features, CFD_FLOAT32, m->columns, (size_t)m->columns) != CFD_OK) {
        code = failed_in_library();
    }
    free(features);
    return code;
}

int synthetic_dataset(cfd_context *context, const synthetic *s, cfd_dataset **dataset)
{
    cfd_dataset *made;
    if (cfd_dataset_create(context, s->users, s->items, &made) != CFD_OK) {
        return failed_in_library();
    }
    int code = add_interactions(s, made);
    for (size_t k = 0; k < s->n && code == EXIT_DONE; k++) {
        code = add_modality(s, k, made);
    }
    if (code != EXIT_DONE) {
        cfd_dataset_destroy(made);
        return code;
    }
    *dataset = made;
    return EXIT_DONE;
}
